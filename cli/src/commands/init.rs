//! `init`: a first stack file, that fits the cluster.

use super::{
    cluster::{Cluster, Use},
    planning, runtime,
};
use crate::{
    cli::InitCommand,
    error::{Error, Problem},
    exit::Exit,
    facts,
    settings::{ClusterChoice, DEFAULT_STACK, Settings, typed},
    views,
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use stackctl_engine::execute::{Provider as _, ProviderError, Selector};
use stackctl_stacks::{
    Source,
    starter::{Question, Seen, findings, offline, questions, starter, text},
};
use std::path::{Path, PathBuf};

/// The name of a stack in a directory whose name is none.
const NAME: &str = "platform";

pub(super) fn run(command: &InitCommand, settings: &Settings) -> Result<Exit, Error> {
    let file = file_in(command.directory.as_deref());
    if file.exists() && !command.force {
        return Err(Problem::new(format!("`{}` is there already", file.display()))
            .hint("`--force` writes over it; or name another directory")
            .into());
    }
    let name = match &command.name {
        Some(name) => name.clone(),
        None => name_of(&file),
    };
    let (written, found, asked) = if command.offline {
        (text(&offline(&name), None), Vec::new(), None)
    } else {
        let (seen, cluster) = ask(settings)?;
        let decided = starter(&seen, &name);
        (text(&decided, Some(&cluster)), findings(&seen, &decided), Some(cluster))
    };
    check(&file, &written, &name)?;
    write(&file, &written)?;
    let next = next(command, settings);
    views::result(&if settings.json {
        views::json::pretty(&views::init::json(&file, &name, asked.as_deref(), &found, &next))
    } else {
        views::init::written(&file, asked.as_deref(), &found, &next, &settings.out)
    });
    Ok(Exit::Done)
}

/// The file that is written into a directory.
pub(super) fn file_in(directory: Option<&Path>) -> PathBuf {
    match directory {
        Some(directory) if directory != Path::new(".") => directory.join(DEFAULT_STACK),
        _ => PathBuf::from(DEFAULT_STACK),
    }
}

/// Asks the cluster what it is; what may not be read is known as that.
fn ask(settings: &Settings) -> Result<(Seen, String), Error> {
    runtime::block_on(async {
        let cluster = Cluster::open(settings, None, Use::Read)
            .await
            .map_err(without_cluster)?;
        let provider = &cluster.provider;
        let answers: Vec<_> = stream::iter(questions())
            .map(|question| async move {
                let answer = match &question {
                    Question::Object(object) => provider.get(object).await.map(|live| live.into_iter().collect()),
                    Question::All(of) => provider.list(of, None, &Selector::default()).await,
                };
                (question, answer)
            })
            .buffered(settings.parallelism)
            .collect()
            .await;
        let name = cluster.name.clone();
        cluster.close().await;
        let seen = gathered(answers)?;
        let around = planning::called(&name, seen.openshift.as_deref(), seen.apps_domain.as_deref());
        Ok((seen, around))
    })
}

type Answer = (Question, Result<Vec<Value>, ProviderError>);

fn gathered(answers: Vec<Answer>) -> Result<Seen, Error> {
    let mut seen = Seen::default();
    for (question, answer) in answers {
        let source = match &question {
            Question::Object(object) => object.to_string(),
            Question::All(of) => format!("{} objects", of.kind),
        };
        match answer {
            Ok(objects) => seen.take(&question, &objects),
            // Without OpenShift these kinds are not there, which is an answer too.
            Err(ProviderError::KindNotServed(_) | ProviderError::NotFound) => {}
            Err(
                error
                @ (ProviderError::Unreachable(_) | ProviderError::Unavailable(_) | ProviderError::Unauthorized(_)),
            ) => return Err(without_cluster(facts::unreadable(&source, &error))),
            Err(error) => seen.unread.push((source, error.to_string())),
        }
    }
    Ok(seen)
}

/// The way on for those who have no cluster yet.
fn without_cluster(error: Error) -> Error {
    match error {
        Error::Problems(mut problems) => {
            for problem in &mut problems {
                let way = "or write one without a cluster: `stackctl init --offline`";
                problem.hint = Some(match problem.hint.take() {
                    Some(hint) => format!("{hint}; {way}"),
                    None => way.to_owned(),
                });
            }
            Error::Problems(problems)
        }
        other => other,
    }
}

/// Refuses to write what does not parse: the name that was given may be none.
fn check(file: &Path, text: &str, name: &str) -> Result<(), Error> {
    let source = Source {
        name: file.display().to_string(),
        text: text.to_owned(),
    };
    match stackctl_stacks::parse(&[source], &[]) {
        Ok(_) => Ok(()),
        Err(diagnostics) if name.parse::<stackctl_stacks::stack::StackName>().is_ok() => Err(diagnostics.into()),
        Err(_) => Err(Problem::new(format!("`{name}` cannot be the name of a stack"))
            .hint("give `--name` lower-case letters, digits and `-`, such as `maas-prod`")
            .into()),
    }
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    let wrong = |error: std::io::Error| {
        Problem::new(format!("`{}` cannot be written", file.display()))
            .caused_by(&error)
            .hint("name a directory that you may write to")
    };
    if let Some(directory) = file.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).map_err(wrong)?;
    }
    std::fs::write(file, text).map_err(wrong)?;
    Ok(())
}

/// What is typed next, with what this command was told about the cluster.
fn next(command: &InitCommand, settings: &Settings) -> String {
    let mut words = vec!["stackctl plan".to_owned()];
    if command
        .directory
        .as_deref()
        .is_some_and(|directory| directory != Path::new("."))
    {
        words.push(typed(&file_in(command.directory.as_deref()).display().to_string()));
    }
    match &settings.cluster {
        ClusterChoice::Simulated { .. } => words.push("--simulate".to_owned()),
        ClusterChoice::Real { .. } if command.offline => words.push("--simulate".to_owned()),
        ClusterChoice::Real { .. } => {
            if let (_, Some(context)) = settings.named_cluster() {
                words.push(format!("--context {}", typed(&context)));
            }
        }
    }
    words.join(" ")
}

/// The name of the directory, as far as it is a name for a stack.
fn name_of(file: &Path) -> String {
    let here = file.parent().filter(|directory| !directory.as_os_str().is_empty());
    let directory = std::path::absolute(here.unwrap_or(Path::new("."))).unwrap_or_default();
    let named = directory.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let cleaned: String = named
        .unwrap_or_default()
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '-'
            }
        })
        .collect();
    let cleaned = cleaned.trim_matches('-').to_owned();
    match cleaned.parse::<stackctl_stacks::stack::StackName>() {
        Ok(_) => cleaned,
        Err(_) => NAME.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_called_like_its_directory_as_far_as_that_is_a_name() {
        assert_eq!(name_of(Path::new("/srv/MaaS_prod.eu/stack.toml")), "maas-prod-eu");
        assert_eq!(name_of(Path::new("/stack.toml")), NAME);
        assert_eq!(file_in(Some(Path::new("."))), Path::new("stack.toml"));
        assert_eq!(file_in(Some(Path::new("a"))), Path::new("a/stack.toml"));
    }
}
