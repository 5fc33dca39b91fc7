//! `allow`: what a stack says is meant so.
//!
//! Invariants:
//! - Only what a person may know better about can be allowed: warnings and lints, never what makes a stack unreadable.
//! - Every allowance has a reason, and one that silences nothing is told.

use super::place::Place;
use super::problem::{Problem, Problems};
use super::read::{self, Field, Reader};
use super::value::{Node, Value};
use super::{
    codes::{self, Explanation},
    suggest,
};
use crate::stack::Allowance;

/// One allowance.
#[derive(Debug)]
pub(super) struct Allowed {
    /// The code: `STK054`.
    pub(super) code: &'static str,
    /// Where it is written.
    pub(super) at: Place,
    /// The places that it is about; `None` for the whole stack.
    pub(super) within: Option<Vec<Place>>,
}

impl Allowed {
    /// Returns whether a problem of this code at this place is meant.
    pub(super) fn covers(&self, code: &str, at: Place) -> bool {
        let holds = |place: &Place| place.source == at.source && place.start <= at.start && at.end <= place.end;
        self.code == code && self.within.as_ref().is_none_or(|places| places.iter().any(holds))
    }
}

/// Reads `allow` of the stack; what is about manifests comes back, since they are read later.
pub(super) fn of_stack(field: Field<'_>, problems: &mut Problems) -> Option<Vec<Allowance>> {
    read(field, None, true, problems)
}

/// Reads `allow` of one table, which is about what is written in that table alone.
pub(super) fn of_table(table: &Node) -> impl FnOnce(Field<'_>, &mut Problems) -> Option<Vec<Allowance>> {
    let within = gathered(table);
    move |field, problems| read(field, Some(&within), false, problems)
}

/// Reads `allow` of a `[[manifests]]` table; what is about the files that it names comes back.
pub(super) fn of_manifests(table: &Node) -> impl FnOnce(Field<'_>, &mut Problems) -> Option<Vec<Allowance>> {
    let within = gathered(table);
    move |field, problems| read(field, Some(&within), true, problems)
}

fn gathered(table: &Node) -> Vec<Place> {
    let mut within = Vec::new();
    gather(table, &mut within);
    within
}

/// Every place of a table; after merging they are in several files.
fn gather(node: &Node, places: &mut Vec<Place>) {
    places.push(node.place);
    match &node.value {
        Value::Table(table) => {
            for entry in table.entries.values() {
                places.push(entry.key);
                gather(&entry.node, places);
            }
        }
        Value::List(nodes) => nodes.iter().for_each(|node| gather(node, places)),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::DateTime => {}
    }
}

fn read(
    field: Field<'_>,
    within: Option<&[Place]>,
    has_files: bool,
    problems: &mut Problems,
) -> Option<Vec<Allowance>> {
    if !matches!(field.node.value, Value::List(_)) {
        field.refuse("a list of tables", FORM.to_owned(), problems);
        return None;
    }
    let mut of_files = Vec::new();
    for at in read::list("a list of tables", one)(field, problems)? {
        if has_files && at.value.is_of_manifests() {
            let code = at.value.code;
            let at = problems.file_line(at.place);
            of_files.push(Allowance { code, at });
            continue;
        }
        problems.allow(Allowed {
            code: at.value.code,
            at: at.place,
            within: within.map(<[Place]>::to_vec),
        });
    }
    Some(of_files)
}

/// What an allowance looks like.
const FORM: &str = "write `allow = [{ code = \"STK054\", reason = \"…\" }]`";

fn one(field: Field<'_>, problems: &mut Problems) -> Option<&'static Explanation> {
    if field.node.as_table().is_none() {
        field.refuse("a list of tables", FORM.to_owned(), problems);
        return None;
    }
    let mut reader = Reader::new(field, "`allow`", problems)?;
    let code = reader.required(
        "code",
        "write `code = \"STK054\"`, as the diagnostic has it",
        problems,
        code,
    );
    let reason = reader.required(
        "reason",
        "write `reason = \"…\"`: why it is meant so, for who reads the stack next",
        problems,
        read::line,
    );
    reader.finish(problems);
    reason?;
    Some(code?.value)
}

fn code(field: Field<'_>, problems: &mut Problems) -> Option<&'static Explanation> {
    let text = read::text(field, problems)?;
    let (why, hint) = match codes::explain(&text) {
        Some(found) if found.may_be_allowed() => return Some(found),
        Some(found) => (
            found.title.to_owned(),
            "it is to be put right: only warnings and lints can be allowed, `stackctl explain` says which".to_owned(),
        ),
        None => {
            let all: Vec<&str> = codes::explanations()
                .iter()
                .filter(|row| row.may_be_allowed())
                .map(|row| row.code)
                .collect();
            (
                "there is no such code".to_owned(),
                suggest::hint(&text, "codes that can be", &all),
            )
        }
    };
    problems.push(field.node.place, Problem::NotAllowable { code: text, why, hint });
    None
}

#[cfg(test)]
mod tests {
    use crate::{Source, StackError, parse};

    const MODELS: &str = "[[gpu]]\nname = \"g\"\nprovision = \"existing\"\n\
        [[models]]\nname = \"a\"\nnamespace = \"demo\"\nsource = \"hf://google/a\"\n\
        [[models]]\nname = \"b\"\nnamespace = \"demo\"\nsource = \"hf://google/b\"\n";

    /// What is said of layers, a line each.
    fn said(layers: &[&str]) -> String {
        let base = "[cluster]\nplatform = \"aws\"\n[tls]\nissuer = \"existing\"\n".to_owned() + MODELS;
        let sources: Vec<Source> = std::iter::once(base.as_str())
            .chain(layers.iter().copied())
            .enumerate()
            .map(|(index, text)| Source {
                name: format!("{index}.toml"),
                text: text.to_owned(),
            })
            .collect();
        let line = |error: &StackError| {
            let at = error.position();
            format!("{} {}:{}: {error}\n", error.code(), at.file, at.line)
        };
        match parse(&sources, &[]) {
            Ok((_, warnings)) => warnings.iter().map(line).collect(),
            Err(diagnostics) => diagnostics.iter().map(line).collect(),
        }
    }

    #[test]
    fn what_is_allowed_is_not_told_in_the_whole_stack_or_in_one_table() {
        let doubts = said(&["[stack]\nname = \"s\"\n"]);
        assert_eq!(doubts.matches("STK054").count(), 2, "{doubts}");
        let all = "[stack]\nname = \"s\"\nallow = [{ code = \"STK054\", reason = \"they are open\" }]\n";
        assert_eq!(said(&[all]), "");
        // A later layer speaks of a table that an earlier one wrote.
        let one = "[stack]\nname = \"s\"\n[[models]]\nname = \"b\"\nallow = [{ code = \"stk054\", reason = \"it is open\" }]\n";
        let left = said(&[one]);
        assert_eq!(left.matches("STK054").count(), 1, "{left}");
        assert!(left.contains("google/a"), "{left}");
    }

    #[test]
    fn an_allowance_that_silences_nothing_is_told_and_keeps_nothing_else_back() {
        let unused = "[stack]\nname = \"s\"\nallow = [\n  { code = \"STK054\", reason = \"they are open\" },\n  { code = \"STK051\", reason = \"no\" },\n]\n";
        assert_eq!(said(&[unused]), "STK058 1.toml:5: nothing here is STK051\n");
        // Where the stack is wrong, nobody knows what else would have been said.
        let wrong = said(&[unused, "[monitoring]\nenabled = 1\n"]);
        assert_eq!(
            wrong,
            "STK004 2.toml:2: `enabled` must be a boolean, and this is an integer\n"
        );
    }

    #[test]
    fn what_makes_a_stack_unreadable_cannot_be_allowed_and_a_reason_is_asked_for() {
        let of = |allow: &str| said(&[&format!("[stack]\nname = \"s\"\nallow = [{allow}]\n")]);
        for code in ["STK001", "STK004", "STK058", "STK203", "STK999", "nonsense"] {
            let told = of(&format!("{{ code = \"{code}\", reason = \"why not\" }}"));
            assert!(told.contains("STK044 1.toml:3"), "{code}: {told}");
        }
        for allow in [
            "{ code = \"STK054\" }",
            "{ code = \"STK054\", reason = \" \" }",
            "\"STK054\"",
        ] {
            let told = of(allow);
            assert!(told.contains(" 1.toml:3: "), "{allow}: {told}");
            assert!(told.contains("STK054 0.toml"), "it stays told: {told}");
        }
    }
}
