//! `logs`: what the pods behind an address wrote, and what they write while somebody follows.
//!
//! Followed are the pods of the address, not those that were there first: what is rolled out anew is followed too, by
//! watching.

use super::{
    addressed,
    cluster::{Cluster, Use},
    known::Known,
    load, of_record,
    pods::{self, Found, Pod, Roots},
    prepare,
    runtime::{self, Interrupts},
};
use crate::{
    cli::LogsCommand,
    error::{Error, Problem},
    exit::Exit,
    settings::Settings,
    views::logs::{Lines, Source},
};
use futures_util::{FutureExt as _, StreamExt as _, stream, stream::BoxStream, stream::SelectAll};
use serde_json::Value;
use stackctl_engine::execute::{Provider as _, ProviderError};
use stackctl_kubernetes::PodLog;
use stackctl_stacks::{Stack, pods::Part};
use std::collections::BTreeSet;

/// How many of the last lines a follower begins with, as `tail -f` does.
const FOLLOWED_TAIL: u32 = 10;

pub(super) fn run(command: &LogsCommand, settings: &Settings) -> Result<Exit, Error> {
    let patterns = addressed::patterns(&command.addresses)?;
    if patterns.is_empty() {
        return Err(Problem::new("no address is named")
            .hint("`stackctl logs 'model[qwen3-8b]'`; `stackctl state list` shows the addresses")
            .into());
    }
    let (name, stack) = stack(command, settings)?;
    let known = Known::read(settings, &name)?;
    runtime::block_on(async {
        let how = if command.follow { Use::Write } else { Use::Read };
        let cluster = Cluster::open(settings, stack.as_ref().and_then(Stack::context), how).await?;
        let answer = async {
            known.check_cluster(&cluster)?;
            let all = roots(settings, &cluster, &known, stack.as_ref()).await?;
            let chosen = addressed::chosen(&patterns, all.iter().map(|roots| &roots.address))?;
            let asked: Vec<_> = all
                .iter()
                .filter(|roots| chosen.contains(&roots.address))
                .cloned()
                .collect();
            let part = if command.scheduler {
                Part::Scheduler
            } else {
                Part::Workload
            };
            let found = pods::find(&cluster, &asked, part).await?;
            if found.pods.is_empty() && (!command.follow || found.namespaces.is_empty()) {
                return Err(pods::nowhere(&found, &all));
            }
            let mut lines = Lines::of(settings, command.timestamps);
            if command.follow {
                follow(command, &cluster, &asked, part, found, &mut lines).await
            } else {
                once(command, settings, &cluster, &found, &mut lines).await
            }
        }
        .await;
        cluster.close().await;
        answer
    })
}

/// The stack, or the name of what is recorded where its file is gone.
fn stack(command: &LogsCommand, settings: &Settings) -> Result<(String, Option<Stack>), Error> {
    let named = addressed::stack_of(&command.addresses, &command.stack.flags()).files;
    if named.is_empty()
        && !settings.first_file().exists()
        && let Ok(name) = of_record::stack(&[], settings, "logs ADDRESS --file FILE")
    {
        return Ok((name, None));
    }
    let (stack, _) = stackctl_stacks::parse(&load::sources(settings)?, &settings.sets)?;
    Ok((stack.name.to_string(), Some(stack)))
}

/// Every address of the stack, or of the record, with where its pods are looked for.
async fn roots(
    settings: &Settings,
    cluster: &Cluster,
    known: &Known,
    stack: Option<&Stack>,
) -> Result<Vec<Roots>, Error> {
    let Some(stack) = stack else {
        let recorded = known.state.iter().flat_map(|state| state.recorded().values());
        return Ok(recorded.map(Roots::of_record).collect());
    };
    let facts = known.state.as_ref().map(|state| state.facts());
    let desired = prepare::for_look(cluster, stack, facts, settings).await?;
    Ok(desired.resources.iter().map(Roots::of_resource).collect())
}

/// What is there, pod by pod.
async fn once(
    command: &LogsCommand,
    settings: &Settings,
    cluster: &Cluster,
    found: &Found,
    lines: &mut Lines,
) -> Result<Exit, Error> {
    let sources = sources(command, found)?;
    lines.expect(sources.iter().map(|(source, _)| source));
    let requests = sources.iter().map(|(source, _)| {
        let log = asked(command, source, false);
        async move { (source, cluster.provider.log(&log).await) }
    });
    // Opened together, read one after the other.
    let mut opened = stream::iter(requests).buffered(settings.parallelism.min(8));
    let mut refused = Vec::new();
    let mut n_read = 0;
    while let Some((source, answer)) = opened.next().await {
        let mut text = match answer {
            Ok(text) => text,
            Err(error) => {
                refused.push((source.clone(), error));
                continue;
            }
        };
        n_read += 1;
        while let Some(line) = text.next().await {
            match line {
                Ok(line) => lines.line(source, &line),
                Err(error) => refused.push((source.clone(), error)),
            }
        }
    }
    if n_read == 0 {
        return Err(unread(&refused, command));
    }
    for (source, error) in &refused {
        lines.note(&format!("{}: {error}", source.name()));
    }
    Ok(if refused.is_empty() { Exit::Done } else { Exit::Failed })
}

fn unread(refused: &[(Source, ProviderError)], command: &LogsCommand) -> Error {
    let problem = Problem::new(match refused {
        [(one, _)] => format!("the log of {} cannot be read", one.name()),
        many => format!("of {} containers none has a log that can be read", many.len()),
    });
    let problem = refused.iter().fold(problem, |problem, (source, error)| {
        problem.because(match refused.len() {
            1 => error.to_string(),
            _ => format!("{}: {error}", source.name()),
        })
    });
    problem
        .hint(if command.previous {
            "without `--previous` the log of the run that goes on is shown"
        } else {
            "`stackctl status` says what its pods wait for; `--follow` waits until they start"
        })
        .into()
}

/// One line, or the end of a log.
type Told = (Source, Option<Result<String, ProviderError>>);

/// What is written from now on, by whatever pods the addresses have at the time.
async fn follow(
    command: &LogsCommand,
    cluster: &Cluster,
    asked_of: &[Roots],
    part: Part,
    mut found: Found,
    lines: &mut Lines,
) -> Result<Exit, Error> {
    let interrupts = Interrupts::listen();
    let mut watches = SelectAll::new();
    for namespace in &found.namespaces {
        watches.push(cluster.provider.watch(&pods::pod(), Some(namespace)));
    }
    let mut streams: SelectAll<BoxStream<'static, Told>> = SelectAll::new();
    let (mut started, mut n_open, mut is_first) = (BTreeSet::new(), 0_usize, true);
    if found.pods.is_empty() {
        lines.note("no pods yet; they are followed once they start");
    }
    loop {
        for (source, run) in sources(command, &found)? {
            let Some(run) = run else { continue };
            if !started.insert((source.clone(), run)) {
                continue;
            }
            // Of what begins while we look on, everything is news.
            let log = asked(command, &source, !is_first);
            match cluster.provider.log(&log).await {
                Ok(text) => {
                    lines.expect([&source]);
                    n_open += 1;
                    let (of, end) = (source.clone(), source.clone());
                    let text = text.map(move |line| (of.clone(), Some(line)));
                    streams.push(text.chain(stream::once(async move { (end, None) })).boxed());
                }
                Err(error) => lines.note(&format!("{}: {error}", source.name())),
            }
        }
        is_first = false;
        if n_open == 0 && !found.pods.is_empty() && found.pods.values().all(|pod| is_over(&pod.live)) {
            return Ok(Exit::Done);
        }
        let is_stale = tokio::select! {
            () = interrupts.asked(1) => return Err(Error::Interrupted),
            Some((source, told)) = streams.next(), if !streams.is_empty() => match told {
                Some(Ok(line)) => {
                    lines.line(&source, &line);
                    false
                }
                Some(Err(error)) => {
                    lines.note(&format!("{}: {error}", source.name()));
                    false
                }
                None => {
                    n_open -= 1;
                    true
                }
            },
            Some(_) = watches.next() => {
                while watches.next().now_or_never().flatten().is_some() {}
                true
            }
        };
        if is_stale {
            found = pods::find(cluster, asked_of, part).await?;
        }
    }
}

fn is_over(pod: &Value) -> bool {
    matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

fn asked(command: &LogsCommand, source: &Source, from_its_start: bool) -> PodLog {
    let tail = command
        .tail
        .or((command.follow && command.since.is_none()).then_some(FOLLOWED_TAIL));
    PodLog {
        namespace: source.namespace.clone(),
        pod: source.pod.clone(),
        container: source.container.clone(),
        follow: command.follow,
        previous: command.previous,
        since: command.since.filter(|_| !from_its_start),
        tail: tail.filter(|_| !from_its_start),
        timestamps: command.timestamps,
    }
}

/// The containers that are meant, each with the run that it is in: a number that grows when it starts anew; none while it
/// has not started.
fn sources(command: &LogsCommand, found: &Found) -> Result<Vec<(Source, Option<u64>)>, Error> {
    let mut sources = Vec::new();
    let mut all = BTreeSet::new();
    for ((namespace, name), pod) in &found.pods {
        all.extend(containers(&pod.live));
        for container in meant(command, pod) {
            let run = run_of(&pod.live, &container);
            let source = Source {
                namespace: namespace.clone(),
                pod: name.clone(),
                uid: pod.live["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
                container,
                of_several: containers(&pod.live).len() > 1,
            };
            sources.push((source, run));
        }
    }
    if let (true, Some(container), false) = (sources.is_empty(), &command.container, found.pods.is_empty()) {
        let all: Vec<_> = all.into_iter().collect();
        return Err(Problem::new(format!("no pod has a container `{container}`"))
            .hint(format!("they have {}", all.join(", ")))
            .into());
    }
    Ok(sources)
}

/// Which containers of a pod a person means: the one that is named, all, or else the one that kubectl would take
/// (<https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-kubernetes-io-default-container>), unless the
/// kind says better.
fn meant(command: &LogsCommand, pod: &Pod) -> Vec<String> {
    let all = containers(&pod.live);
    if let Some(named) = &command.container {
        return all.into_iter().filter(|name| name == named).collect();
    }
    if command.all_containers {
        return all;
    }
    let annotated = pod.live["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"].as_str();
    let wanted = [pod.container, annotated];
    let chosen = wanted
        .into_iter()
        .flatten()
        .find(|wanted| all.iter().any(|name| name == wanted));
    let first = || pod.live["spec"]["containers"][0]["name"].as_str();
    chosen.or_else(first).map(str::to_owned).into_iter().collect()
}

/// The containers of a pod, those that run before the others last.
fn containers(pod: &Value) -> Vec<String> {
    let lists = ["containers", "initContainers"].into_iter();
    let listed = lists.flat_map(|list| pod["spec"][list].as_array().into_iter().flatten());
    listed
        .filter_map(|one| one["name"].as_str().map(str::to_owned))
        .collect()
}

fn run_of(pod: &Value, container: &str) -> Option<u64> {
    let lists = ["containerStatuses", "initContainerStatuses"].into_iter();
    let mut statuses = lists.flat_map(|list| pod["status"][list].as_array().into_iter().flatten());
    let status = statuses.find(|one| one["name"] == container)?;
    let has_begun = ["running", "terminated"]
        .iter()
        .any(|state| status["state"].get(state).is_some());
    has_begun.then(|| status["restartCount"].as_u64().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(container: Option<&'static str>, annotations: &Value) -> Pod {
        Pod {
            live: json!({"metadata": {"annotations": annotations}, "spec": {
                "initContainers": [{"name": "weights"}],
                "containers": [{"name": "proxy"}, {"name": "main"}, {"name": "modelcar"}]}}),
            container,
        }
    }

    fn of(command: &LogsCommand, pod: &Pod) -> Vec<String> {
        meant(command, pod)
    }

    #[test]
    fn the_container_that_is_meant_is_named_known_annotated_or_the_first() {
        let plain = LogsCommand::default();
        assert_eq!(of(&plain, &pod(None, &json!({}))), ["proxy"]);
        assert_eq!(of(&plain, &pod(Some("main"), &json!({}))), ["main"]);
        assert_eq!(of(&plain, &pod(Some("gone"), &json!({}))), ["proxy"]);
        let annotated = json!({"kubectl.kubernetes.io/default-container": "modelcar"});
        assert_eq!(of(&plain, &pod(None, &annotated)), ["modelcar"]);
        let named = LogsCommand {
            container: Some("weights".to_owned()),
            ..LogsCommand::default()
        };
        assert_eq!(of(&named, &pod(Some("main"), &json!({}))), ["weights"]);
        let all = LogsCommand {
            all_containers: true,
            ..LogsCommand::default()
        };
        assert_eq!(
            of(&all, &pod(None, &json!({}))),
            ["proxy", "main", "modelcar", "weights"]
        );
    }

    #[test]
    fn a_container_that_starts_anew_is_another_run() {
        let with = |state: Value, count: u64| {
            let statuses = json!([{"name": "main", "restartCount": count, "state": state}]);
            run_of(&json!({"status": {"containerStatuses": statuses}}), "main")
        };
        assert_eq!(with(json!({"waiting": {"reason": "ContainerCreating"}}), 0), None);
        assert_eq!(with(json!({"running": {}}), 0), Some(0));
        assert_eq!(with(json!({"running": {}}), 1), Some(1));
        assert_eq!(run_of(&json!({}), "main"), None);
    }
}
