//! Which stack a command is about that has nothing but the record to go by.

use super::{addressed::is_file, known::Known, load};
use crate::{
    error::{Error, Problem},
    settings::{DEFAULT_STACK, Settings},
};
use stackctl_stacks::Stack;
use std::path::{Path, PathBuf};

/// The stack of a command that needs its file for little more than the name: as its file says, or the record alone, where
/// the file is gone or broken. What the linter says is for those who change the stack.
///
/// # Errors
/// What is wrong with the file, where the record does not say which stack is meant either.
pub(super) fn stack_or_record(settings: &Settings, usage: &str) -> Result<(String, Option<Stack>), Error> {
    let parsed = load::sources(settings).and_then(|sources| Ok(stackctl_stacks::parse(&sources, &settings.sets)?));
    let broken = match parsed {
        Ok((stack, _)) => return Ok((stack.name.to_string(), Some(stack))),
        Err(error) => error,
    };
    let is_named = settings.files != [PathBuf::from(DEFAULT_STACK)] || settings.first_file().exists();
    let named = if is_named { settings.files.as_slice() } else { &[] };
    match stack(named, settings, usage) {
        Ok(name) => Ok((name, None)),
        // Who names no file, or names a stack, is told of the record.
        Err(error) if named.iter().all(|file| !is_file(&file.to_string_lossy())) => {
            let is_empty = recorded_names(&settings.state).is_empty();
            Err(if is_empty && named.is_empty() { broken } else { error })
        }
        Err(_) => Err(broken),
    }
}

/// The stack that a command by the record alone is of: the one that is named, or else the only one of which something is
/// recorded here. `usage` is how the command is called with a name.
///
/// # Errors
/// When nothing is recorded, or several stacks are and none is named.
pub(super) fn stack(files: &[PathBuf], settings: &Settings, usage: &str) -> Result<String, Error> {
    let names = recorded_names(&settings.state);
    let holds_something = |name: &String| {
        // A state that cannot be read is not nothing.
        Known::read(settings, name).map_or(true, |known| known.state.is_some_and(|state| !state.is_empty()))
    };
    let here = settings.state.display();
    let recorded = || match names.as_slice() {
        [] => format!("nothing is recorded in `{here}`"),
        names => format!("`{here}` holds the states of {}", names.join(", ")),
    };
    if let [named] = files {
        let text = named.to_string_lossy().into_owned();
        let said = std::fs::read_to_string(named).map(|text| said_name(&text));
        return match (names.contains(&text), said) {
            (true, _) => Ok(text),
            (false, Ok(Some(name))) if names.contains(&name) => Ok(name),
            (false, Ok(Some(name))) => Err(unknown(&name, &recorded())),
            (false, Err(_)) => Err(unknown(&text, &recorded())),
            (false, Ok(None)) => only(names.iter().filter(|name| holds_something(name)), &recorded(), usage),
        };
    }
    if let [only] = names.as_slice() {
        return Ok(only.clone());
    }
    only(names.iter().filter(|name| holds_something(name)), &recorded(), usage)
}

fn only<'a>(mut names: impl Iterator<Item = &'a String>, recorded: &str, usage: &str) -> Result<String, Error> {
    match (names.next(), names.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(Problem::new(recorded.to_owned())
            .hint("name the directory of the state with `--state`, or change to the directory of the stack file")
            .into()),
        (Some(_), Some(_)) => Err(Problem::new(recorded.to_owned())
            .hint(format!("name the stack: `stackctl {usage}`"))
            .into()),
    }
}

fn unknown(name: &str, recorded: &str) -> Error {
    Problem::new(format!("there is no state of a stack `{name}`"))
        .because(recorded.to_owned())
        .hint("name a stack that is recorded, or the directory of its state with `--state`")
        .into()
}

/// The stacks that have a state in a directory, in the order of their names.
fn recorded_names(directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        // The state of a stack is kept in a file of its name (`LocalBackend`).
        names.extend(
            entry
                .file_name()
                .to_string_lossy()
                .strip_suffix(".state.json")
                .map(str::to_owned),
        );
    }
    names.sort();
    names
}

/// The name that a stack file gives its stack, also where the file does not parse elsewhere.
fn said_name(text: &str) -> Option<String> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[stack]")
        .skip(1);
    let value = lines
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='))?;
    value.split('"').nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::said_name;

    #[test]
    fn a_stack_file_says_its_name_though_it_does_not_parse() {
        let said = |text: &str| said_name(text).unwrap_or_default();
        assert_eq!(said("# x\n[stack]\nname = \"one\"\n[[broken\n"), "one");
        assert_eq!(said("[stack]\n[[manifests]]\nname = \"no\"\n"), "");
        assert_eq!(said("name = \"no\"\n"), "");
    }
}
