//! `status`: what is ready, what is not, and what waits for what.

use super::{
    addressed,
    cluster::{Cluster, Use},
    known::Known,
    load, of_record, planning, prepare,
    runtime::{self, Interrupts},
};
use crate::{
    cli::StatusCommand,
    error::{Error, Problem},
    exit::Exit,
    settings::Settings,
    views::{
        self,
        status::{Screen, Watch},
    },
};
use futures_util::{Stream, stream};
use stackctl_engine::{
    Address,
    execute::{follow, look},
    facts::Facts,
    plan::{Pattern, Purpose},
    status::{Is, Standing, Subject, Tally},
};
use stackctl_stacks::{Stack, manifests::ready_by_kind};
use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, interval};

/// How often the files of the record are looked at, which is no request.
const RECORD_LOOK: Duration = Duration::from_secs(1);

pub(super) fn run(command: &StatusCommand, settings: &Settings) -> Result<Exit, Error> {
    let patterns = addressed::patterns(&command.addresses)?;
    let watches = command.watch || command.until_ready;
    if command.timeout.is_some() && !watches {
        return Err(Problem::new("`--timeout` ends a watch, and nothing is watched")
            .hint("add `--until-ready`, or `--watch`")
            .into());
    }
    let (name, stack) = stack(command, settings)?;
    let known = Known::read(settings, &name)?;
    if known.state.is_none() && stack.is_none() {
        return Err(Problem::new(format!("nothing is recorded of the stack {name}"))
            .hint("`stackctl apply` comes first")
            .into());
    }
    runtime::block_on(async {
        // Somebody who watches wants to see what goes on: then the simulated cluster of this process lives too.
        let how = if watches { Use::Write } else { Use::Read };
        let cluster = Cluster::open(settings, stack.as_ref().and_then(Stack::context), how).await?;
        let answer = async {
            known.check_cluster(&cluster)?;
            let (subjects, facts) = subjects(settings, &cluster, &known, stack.as_ref()).await?;
            let of = Of {
                stack: &name,
                cluster: planning::described(&cluster.name, &facts),
                by_record: stack.is_none(),
                all: command.all || !patterns.is_empty(),
                shown: shown(&patterns, &subjects)?,
            };
            if watches {
                return watch(command, settings, &cluster, &known, subjects, &of).await;
            }
            let standings = look(&cluster.provider, &subjects, settings.parallelism)
                .await
                .map_err(|error| planning::unread(&error))?;
            let screen = of.screen(&standings);
            views::result(&if settings.json {
                views::json::pretty(&views::status::whole(&screen))
            } else {
                views::status::screen(&screen, &settings.out)
            });
            Ok(exit(&screen.tally()))
        }
        .await;
        cluster.close().await;
        answer
    })
}

/// What is shown, but for where it stands.
struct Of<'a> {
    stack: &'a str,
    cluster: String,
    by_record: bool,
    all: bool,
    shown: BTreeSet<Address>,
}

impl Of<'_> {
    fn screen<'a>(&'a self, standings: &'a [Standing]) -> Screen<'a> {
        Screen {
            stack: self.stack,
            cluster: &self.cluster,
            standings,
            shown: &self.shown,
            all: self.all,
            brief: false,
            worst_first: false,
            by_record: self.by_record,
        }
    }
}

/// The stack: its file, or its name alone where the file is gone and the record is not.
fn stack(command: &StatusCommand, settings: &Settings) -> Result<(String, Option<Stack>), Error> {
    const USAGE: &str = "status --state-only -f NAME";
    let named = addressed::stack_of(&command.addresses, &command.stack).files;
    if command.state_only {
        return Ok((of_record::stack(&named, settings, USAGE)?, None));
    }
    if named.is_empty()
        && !settings.first_file().exists()
        && let Ok(name) = of_record::stack(&[], settings, USAGE)
    {
        return Ok((name, None));
    }
    // What the linter says is for those who change the stack.
    let (stack, _) = stackctl_stacks::parse(&load::sources(settings)?, &settings.sets)?;
    Ok((stack.name.to_string(), Some(stack)))
}

/// Everything that stands somewhere, and what is known of the cluster.
async fn subjects(
    settings: &Settings,
    cluster: &Cluster,
    known: &Known,
    stack: Option<&Stack>,
) -> Result<(Vec<Subject>, Facts), Error> {
    let facts = known.state.as_ref().map(|state| state.facts().clone());
    let Some(stack) = stack else {
        let recorded = known
            .state
            .as_ref()
            .map(|state| state.recorded().clone())
            .unwrap_or_default();
        return Ok((Subject::of_record(&recorded, ready_by_kind), facts.unwrap_or_default()));
    };
    let desired = prepare::for_look(cluster, stack, facts.as_ref(), settings).await?;
    let counted = known
        .recorded(cluster, Vec::new(), &desired.resources, Purpose::Apply, &desired.moves)
        .await?;
    let identity = Arc::new(known.identity.clone());
    let subjects = Subject::of_stack(&desired.resources, &desired.graph, &counted.recorded);
    Ok((
        subjects.into_iter().map(|one| one.of(&identity)).collect(),
        desired.facts,
    ))
}

fn shown(patterns: &[Pattern], subjects: &[Subject]) -> Result<BTreeSet<Address>, Error> {
    addressed::chosen(patterns, subjects.iter().map(|one| &one.address))
}

/// Shows what changes until it is told to end, everything is ready, or the time is over.
async fn watch(
    command: &StatusCommand,
    settings: &Settings,
    cluster: &Cluster,
    known: &Known,
    subjects: Vec<Subject>,
    of: &Of<'_>,
) -> Result<Exit, Error> {
    let started = Instant::now();
    let interrupts = Interrupts::listen();
    let mut view = Watch::of(settings);
    let mut last = Tally::default();
    let following = follow(
        &cluster.provider,
        subjects.clone(),
        recorded_since(known, subjects),
        |watched| {
            let screen = of.screen(watched.standings);
            view.show(&screen, watched.trouble, started.elapsed());
            last = screen.tally();
            let is_over = last.is_all_ready() || will_not_come(&screen);
            if command.until_ready && is_over {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    let over = async {
        match command.timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        () = following => Ended::Itself,
        () = interrupts.asked(1) => Ended::Interrupted,
        () = over => Ended::TimedOut,
    };
    match ended {
        Ended::Interrupted => view.interrupted(&last, started.elapsed()),
        Ended::Itself | Ended::TimedOut => view.finish(&last, started.elapsed()),
    }
    match ended {
        Ended::Itself => Ok(exit(&last)),
        Ended::Interrupted => Err(Error::Interrupted),
        Ended::TimedOut => {
            if !last.is_all_ready() {
                views::tell(&views::status::gave_up(
                    command.timeout.unwrap_or(Duration::ZERO),
                    &last,
                ));
            }
            Ok(exit(&last))
        }
    }
}

/// The subjects again, whenever another run has recorded something: of an action only the record says that it ran.
fn recorded_since(known: &Known, subjects: Vec<Subject>) -> impl Stream<Item = Vec<Subject>> {
    let mut looks = interval(RECORD_LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let begin = (looks, subjects, known.backend.marks());
    stream::unfold(begin, move |(mut looks, mut subjects, mut marks)| async move {
        loop {
            looks.tick().await;
            let now = known.backend.marks();
            if now == marks {
                continue;
            }
            marks = now;
            // What is being written is read the next time.
            let Ok(Some(state)) = known.backend.load() else {
                continue;
            };
            for subject in &mut subjects {
                subject.learn(state.recorded().contains_key(&subject.address));
            }
            return Some((subjects.clone(), (looks, subjects, marks)));
        }
    })
}

/// Why a watch ended.
enum Ended {
    Itself,
    Interrupted,
    TimedOut,
}

/// Whether something of what is shown will not become ready by itself, so that waiting on is in vain.
fn will_not_come(screen: &Screen<'_>) -> bool {
    let mut shown = screen
        .standings
        .iter()
        .filter(|one| screen.shown.contains(&one.address));
    shown.any(|one| matches!(one.is, Is::Failed(_)) && one.waits_for.is_empty())
}

fn exit(tally: &Tally) -> Exit {
    if tally.is_all_ready() {
        Exit::Done
    } else {
        Exit::Differs
    }
}
