//! The stack language: TOML layers in, a [`Stack`] or every diagnostic out.
//!
//! Layers are merged left to right and `--set` comes last: tables deeply, arrays of tables by `name`, everything else
//! by replacing. Then each table is read by its own file in `schema/`, and `lower` checks what crosses tables.
//!
//! Invariants:
//! - Strict: a key that no reader asked for is an error, with a suggestion.
//! - All at once: one wrong value never hides another. Only syntax errors stop earlier, since what follows them is noise.
//! - A diagnostic points into the file its value came from, also after merging.
//! - Diagnostics are in the order of files and of places in them, whatever the order they were found in.
//! - A secret written where a reference belongs is an error whose text, and whose neighbours' text, does not show it.

mod addons;
mod allow;
mod capacity;
mod codes;
mod error;
mod examples;
#[cfg(test)]
mod fuzz;
mod layer;
mod lints;
mod lints_page;
mod lower;
mod maas;
mod models;
mod moves;
mod place;
mod problem;
mod read;
pub mod reference;
mod schema;
mod set;
mod suggest;
mod tiers;
mod typed;
mod value;

pub use codes::{Explanation, Severity, explain, explanations};
pub use error::{Diagnostics, StackError};
pub use examples::{Beside, Example};
pub use lints_page::page as lints_page;
pub use place::{Position, Source};
pub use problem::Problem;
pub use suggest::closest;

use crate::stack::Stack;

/// Parses layers of TOML, left to right, and `path=value` settings on top of them.
///
/// A setting's path is keys joined by dots, with `[name]` after the name of an array of tables: `rhoai.profile`,
/// `models[qwen3-8b].replicas`. Its value is TOML, and where it is not, text.
///
/// # Errors
///
/// Everything that is wrong, and the warnings too.
pub fn parse(layers: &[Source], sets: &[String]) -> Result<(Stack, Vec<StackError>), Diagnostics> {
    let sources = place::Sources::new(layers, sets);
    let mut problems = problem::Problems::new(&sources);
    let root = layer::load(&sources, sets, &mut problems);
    if problems.has_errors() {
        return Err(problems.into_diagnostics(&sources));
    }
    let stack = match root {
        Some(root) => schema::read(&root, &mut problems).and_then(|raw| lower::lower(raw, &mut problems)),
        None => {
            problems.push(place::Place::START, Problem::EmptyStack);
            None
        }
    };
    let (errors, warnings) = problems.into_diagnostics(&sources).into_parts();
    match stack {
        Some(stack) if errors.is_empty() => Ok((stack, warnings)),
        _ => Err(Diagnostics::new(errors, warnings)),
    }
}

#[cfg(test)]
mod tests {
    use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
    use proptest::prelude::*;

    use super::*;

    const QUICKSTART: &str = include_str!("../../../examples/quickstart/stack.toml");
    const EVERYTHING: &str = include_str!("../../../tests/configs/valid/everything.toml");

    fn parse_one(text: &str, sets: &[String]) -> Result<(Stack, Vec<StackError>), Diagnostics> {
        parse(
            &[Source {
                name: "stack.toml".to_owned(),
                text: text.to_owned(),
            }],
            sets,
        )
    }

    /// Shows every diagnostic, as the command line does.
    fn shown(diagnostics: &Diagnostics) -> String {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
        let mut text = String::new();
        for error in diagnostics.iter() {
            handler
                .render_report(&mut text, error)
                .expect("every place is in its text");
        }
        text
    }

    #[test]
    fn a_secret_in_plain_text_is_in_no_diagnostic() {
        for text in [
            "[maas.database]\nmode = \"external\"\nurl = \"hunter2\"\nx = 1\n",
            "[maas.database]\npassword = \"\"\"\nhunter2\nhunter2\"\"\"\n",
            "[[models]]\nhf_token = \"hunter2\"\n",
            "[[models]]\nhf_token = [\"hunter2\"]\n",
            "[maas]\ndb_password = \"hunter2\"\n",
            "[maas]\ncredentials = { one = \"hunter2\" }\n",
        ] {
            let diagnostics = parse_one(text, &[]).expect_err("a secret in plain text");
            assert!(!shown(&diagnostics).contains("hunter2"), "{}", shown(&diagnostics));
            assert!(!format!("{diagnostics:?}").contains("hunter2"));
        }
        let sets = ["maas.database.password=hunter2".to_owned()];
        let diagnostics = parse_one(QUICKSTART, &sets).expect_err("a secret on the command line");
        assert!(!shown(&diagnostics).contains("hunter2"), "{}", shown(&diagnostics));
    }

    #[test]
    fn every_diagnostic_of_a_thoroughly_broken_stack_has_a_code_a_label_and_a_way_out() {
        let broken_line = |line: &str| match line.split_once(" = ") {
            Some((key, value)) if !line.starts_with(' ') && value != "[" => format!("{key} = [1] # {value}\n"),
            _ => format!("{line}\n"),
        };
        let broken: String = EVERYTHING.lines().map(broken_line).collect();
        let diagnostics = parse_one(&broken, &[]).expect_err("nothing in it is right");
        assert!(diagnostics.errors().len() > 30, "{diagnostics}");
        for error in diagnostics.iter() {
            assert!(explain(&error.code()).is_some(), "{error}");
            assert!(error.help().is_some_and(|help| !help.is_empty()), "{error}");
            assert!(
                error
                    .labels()
                    .is_some_and(|mut labels| labels.all(|label| label.label().is_some())),
                "{error}"
            );
        }
    }

    #[test]
    fn parsing_twice_is_equal() {
        let parsed = || {
            parse_one(EVERYTHING, &[])
                .map(|(stack, _)| stack)
                .expect("a valid stack")
        };
        assert_eq!(parsed(), parsed());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]a-z_=\"{}',.# \n0-9é-]{0,200}", set in ".{0,40}") {
            if let Err(diagnostics) = parse_one(&text, &[set]) {
                prop_assert!(!shown(&diagnostics).is_empty());
            }
        }

        #[test]
        fn no_mutilation_makes_it_panic(
            start in any::<prop::sample::Index>(),
            length in 0usize..60,
            insert in "[\\[\\]a-z=\"{}, \n0-9é-]{0,12}",
        ) {
            for original in [QUICKSTART, EVERYTHING] {
                let characters: Vec<char> = original.chars().collect();
                let start = start.index(characters.len());
                let end = (start + length).min(characters.len());
                let text: String = characters[..start].iter().chain(&insert.chars().collect::<Vec<_>>()).chain(&characters[end..]).collect();
                if let Err(diagnostics) = parse_one(&text, &[]) {
                    prop_assert!(!diagnostics.errors().is_empty());
                    prop_assert!(!shown(&diagnostics).is_empty());
                }
            }
        }
    }
}
