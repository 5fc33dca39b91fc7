//! Commands whose arguments are addresses: which stack they are about, and what of it.

use crate::{
    cli::{StackArgs, StackFlags},
    error::{Error, Problem},
};
use stackctl_engine::{Address, plan::Pattern};
use stackctl_stacks::closest;
use std::{collections::BTreeSet, path::PathBuf};

/// The stack files of such a command: those behind `-f`, and arguments that are files by their name, which no address of the
/// catalogue ends like.
pub(super) fn stack_of(words: &[String], flags: &StackFlags) -> StackArgs {
    let named: Vec<PathBuf> = words.iter().filter(|word| is_file(word)).map(PathBuf::from).collect();
    with(&named, flags)
}

/// The stack files behind `-f`, then those that are arguments.
pub(super) fn with(named: &[PathBuf], flags: &StackFlags) -> StackArgs {
    StackArgs {
        files: flags.files.iter().chain(named).cloned().collect(),
        sets: flags.sets.clone(),
    }
}

/// The patterns among the arguments.
///
/// # Errors
/// Each argument that is neither an address nor the beginning of one.
pub(super) fn patterns(words: &[String]) -> Result<Vec<Pattern>, Error> {
    let (mut patterns, mut problems) = (Vec::new(), Vec::new());
    for word in words.iter().filter(|word| !is_file(word)) {
        match word.parse() {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => problems.push(
                Problem::new(format!("`{word}` is not an address"))
                    .caused_by(&error)
                    .hint("write `model[qwen3-8b].service`, or how some begin: `maas`; a stack file goes behind `-f`"),
            ),
        }
    }
    if problems.is_empty() {
        Ok(patterns)
    } else {
        Err(Error::Problems(problems))
    }
}

/// Of all addresses those that one of the patterns names; all, where there are none.
///
/// # Errors
/// Each pattern that names nothing, with what comes closest to it.
pub(super) fn chosen<'a>(
    patterns: &[Pattern],
    all: impl Iterator<Item = &'a Address> + Clone,
) -> Result<BTreeSet<Address>, Error> {
    if patterns.is_empty() {
        return Ok(all.cloned().collect());
    }
    let (mut chosen, mut problems) = (BTreeSet::new(), Vec::new());
    for pattern in patterns {
        let named: Vec<_> = all.clone().filter(|address| pattern.names(address)).cloned().collect();
        if named.is_empty() {
            problems.push(unknown(pattern, all.clone()));
        }
        chosen.extend(named);
    }
    if problems.is_empty() {
        Ok(chosen)
    } else {
        Err(Error::Problems(problems))
    }
}

fn unknown<'a>(pattern: &Pattern, all: impl Iterator<Item = &'a Address>) -> Problem {
    let mut names = BTreeSet::new();
    for address in all {
        names.extend([address.to_string(), address.component().to_owned()]);
        let segments: Vec<_> = address.segments().iter().map(ToString::to_string).collect();
        names.extend((1..segments.len()).map(|count| segments[..count].join(".")));
    }
    let asked = pattern.to_string();
    let problem = Problem::new(format!("no resource of the stack is called `{asked}`, or begins so"));
    problem.hint(match closest(&asked, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`stackctl graph` shows every address, `stackctl state list` those that are recorded".to_owned(),
    })
}

/// Whether an argument is a stack file, by its name.
pub(super) fn is_file(word: &str) -> bool {
    word.ends_with(".toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_file_among_the_addresses_is_a_stack_file() {
        let words = ["prod/stack.toml", "maas"].map(str::to_owned);
        let flags = StackFlags {
            files: vec!["base.toml".into()],
            sets: Vec::new(),
        };
        let files = stack_of(&words, &flags).files;
        assert_eq!(files, [PathBuf::from("base.toml"), PathBuf::from("prod/stack.toml")]);
        let patterns = patterns(&words).expect("one pattern");
        assert_eq!(patterns.iter().map(ToString::to_string).collect::<Vec<_>>(), ["maas"]);
    }

    #[test]
    fn a_name_that_names_nothing_says_what_comes_close() {
        let all =
            ["maas.tier[pro].subscription", "model[qwen3-8b].service"].map(|text| text.parse().expect("an address"));
        let chosen_of = |text: &str| chosen(&[text.parse().expect("a pattern")], all.iter());
        assert_eq!(chosen_of("maas.tier[pro]").expect("one").len(), 1);
        let Err(Error::Problems(problems)) = chosen_of("maas.teir[pro]") else {
            panic!("it names nothing");
        };
        assert_eq!(problems[0].hint.as_deref(), Some("did you mean `maas.tier[pro]`?"));
    }
}
