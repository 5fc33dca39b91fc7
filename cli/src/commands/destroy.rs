//! `destroy`: the reverse, from the record alone.

use super::{
    cluster::{Cluster, Use},
    copy,
    execution::{self, How, Job},
    known::Known,
    load, planning, runtime,
};
use crate::{
    cli::DestroyCommand,
    error::{Error, Problem},
    exit::Exit,
    prompt,
    settings::Settings,
    views,
};
use stackctl_engine::plan::Purpose;
use std::path::{Path, PathBuf};

pub(super) fn run(command: &DestroyCommand, settings: &Settings) -> Result<Exit, Error> {
    let (name, stack) = if command.state_only {
        (of_the_record(&command.stack.files, settings)?, None)
    } else {
        let (stack, _) = load::stack(settings)?;
        (stack.name.to_string(), Some(stack))
    };
    let context = stack.as_ref().and_then(|stack| stack.context());
    if !command.yes {
        prompt::needs_terminal(Purpose::Destroy)?;
    }
    let mut known = Known::read(settings, &name)?;
    runtime::block_on(async {
        let cluster = Cluster::open(settings, context, Use::Write).await?;
        let exit = async {
            known.check_cluster(&cluster)?;
            let lock = known.lock("destroy")?;
            if known.state.as_ref().is_none_or(|state| state.is_empty()) {
                copy::look(&cluster, &name).await?.check(&known)?;
                // A destroy that was killed after its last deletion left the copy of nothing.
                if let Some(state) = &known.state {
                    copy::remove(&cluster, state).await?;
                }
                views::tell(&format!(
                    "nothing is recorded of the stack {name}: there is nothing to destroy\n"
                ));
                return Ok(Exit::Done);
            }
            let planned = planning::destroy(settings, &cluster, &known, stack.as_ref(), &command.scope).await?;
            let how = How {
                ready_timeout: command.ready_timeout,
                yes_delete: command.yes_delete,
                ..How::default()
            };
            let job = Job {
                planned: &planned,
                resources: &[],
                facts: None,
                how,
                timeline: command.timeline.as_deref(),
                places: None,
            };
            let question = (!command.yes).then_some("Destroy this?");
            let ended = execution::ask_and_run(settings, &cluster, &known, &lock, job, question).await?;
            Ok(ended.map_or(Exit::Failed, |ended| ended.exit()))
        }
        .await;
        cluster.close().await;
        exit
    })
}

/// The stack that a destroy by its record alone is of: the one that is named, or else the only one of which something is
/// recorded here.
fn of_the_record(files: &[PathBuf], settings: &Settings) -> Result<String, Error> {
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
            (false, Ok(None)) => only(names.iter().filter(|name| holds_something(name)), &recorded()),
        };
    }
    if let [only] = names.as_slice() {
        return Ok(only.clone());
    }
    only(names.iter().filter(|name| holds_something(name)), &recorded())
}

fn only<'a>(mut names: impl Iterator<Item = &'a String>, recorded: &str) -> Result<String, Error> {
    match (names.next(), names.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(Problem::new(recorded.to_owned())
            .hint("name the directory of the state with `--state`, or change to the directory of the stack file")
            .into()),
        (Some(_), Some(_)) => Err(Problem::new(recorded.to_owned())
            .hint("name the stack: `stackctl destroy --state-only NAME`")
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
