//! Carries a plan out, shows it while it happens, and says how it ended.

use super::{
    cluster::Cluster,
    copy, guards,
    known::{Known, problem},
    lease::{self, Fenced, Lease},
    planning::{self, Planned},
    runtime::Interrupts,
};
use crate::{
    clock,
    error::{Error, Problem},
    exit::Exit,
    prompt,
    secrets::ShellSecrets,
    settings::Settings,
    views::{self, live::Live, progress::Progress},
};
use stackctl_engine::{
    Address, Resource,
    digest::StackKey,
    estimate::Estimate,
    execute::{Event, Execution, Intent, Journal as _, JournalError, Looked, Options, drive, intended},
    facts::Facts,
    moves::Rename,
    plan::{Action, Purpose},
    recorded::{Recorded, RecordedNode},
    report::Report,
    timeline::Timeline,
};
use stackctl_kubernetes::KubernetesProvider;
use stackctl_stacks::{clearers::CLEARERS, manifests::FileLine};
use stackctl_state::{State, StateJournal, StateLock};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often the picture is drawn again though nothing happened.
const TICK: Duration = Duration::from_millis(250);

/// How a plan is carried out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How {
    /// Takes objects that are there and not ours.
    pub(super) adopt: bool,
    /// Takes fields of others.
    pub(super) force_conflicts: bool,
    /// The limit of every resource.
    pub(super) ready_timeout: Option<Duration>,
    /// Deletes more than a stack may lose by mistake.
    pub(super) yes_delete: bool,
}

/// What is carried out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    /// The plan, and what it was made from.
    pub(super) planned: &'a Planned,
    /// What is desired; nothing for a destroy.
    pub(super) resources: &'a [Resource],
    /// The facts that it was compiled with, to be kept.
    pub(super) facts: Option<&'a Facts>,
    /// How.
    pub(super) how: How,
    /// Where to write what ran when.
    pub(super) timeline: Option<&'a Path>,
    /// Where in the files of the stack resources are written, as far as that is known.
    pub(super) places: Option<&'a BTreeMap<Address, FileLine>>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Ended {
    /// Counts and failures.
    pub(super) report: Report,
    /// How long it took.
    pub(super) took: Duration,
    /// What is recorded now.
    pub(super) state: State,
    /// What was to be made, and may have been although nothing is recorded of it.
    unsure: Vec<Recorded>,
}

impl Ended {
    /// The verdict.
    pub(super) fn exit(&self) -> Exit {
        match (self.report.interrupted, self.report.succeeded()) {
            (true, _) => Exit::Interrupted,
            (false, true) => Exit::Done,
            (false, false) => Exit::Failed,
        }
    }
}

/// Shows a plan, asks whether to go on unless that was said, and carries it out under the lock; `None` when the answer
/// was no.
pub(super) async fn ask_and_run(
    settings: &Settings,
    cluster: &Cluster,
    known: &Known,
    lock: &StateLock,
    job: Job<'_>,
    question: Option<&str>,
) -> Result<Option<Ended>, Error> {
    let Planned { plan, around, .. } = job.planned;
    if settings.json {
        let details = job.planned.details(job.resources, &known.identity, known.key.as_ref());
        lines(&views::events::planned(plan, around, &details, &clock::now()));
    } else {
        views::result(&views::plan::plan(plan, around, &settings.out));
    }
    guards::within_budget(job.planned, job.how.yes_delete)?;
    if let Some(state) = &known.state {
        copy::refuse_overtaken(&cluster.provider, state).await?;
    }
    if let Some(question) = question.filter(|_| plan.has_changes())
        && !prompt::confirm(question, plan.purpose)?
    {
        views::tell("nothing was changed\n");
        return Ok(None);
    }
    let holder = lease::holder(lock);
    // Waiting may write too, by the remedy of a gate.
    let lease = match plan.steps.iter().any(|step| step.action != Action::NoOp) {
        true => Some(Lease::take(&cluster.provider, &known.identity.stack, &holder).await?),
        false => None,
    };
    let fenced = Fenced {
        provider: &cluster.provider,
        lease: lease.as_ref(),
    };
    let ended = run(settings, cluster, known, lock, job, &fenced).await;
    let settled = match &ended {
        Ok(ended) => {
            show(settings, job.planned, ended);
            copy::settle(settings, &fenced, &holder, &ended.state, &ended.unsure, plan.purpose).await
        }
        Err(_) => Ok(()),
    };
    // Until the copy is that of our state it is ours.
    if let Some(lease) = lease
        && !matches!(ended, Err(Error::Interrupted))
    {
        lease.release().await;
    }
    let ended = ended?;
    settled?;
    Ok(Some(ended))
}

/// A failure with where in the files of the stack its resource is written; nothing for any other event.
fn placed(event: &Event, places: Option<&BTreeMap<Address, FileLine>>) -> Option<Event> {
    let Event::Failed { address, failure, took } = event else {
        return None;
    };
    let place = places?.get(address)?;
    Some(Event::Failed {
        address: address.clone(),
        failure: failure.clone().because(planning::written_at(place)),
        took: *took,
    })
}

async fn run(
    settings: &Settings,
    cluster: &Cluster,
    known: &Known,
    lock: &StateLock,
    job: Job<'_>,
    fenced: &Fenced<'_, KubernetesProvider>,
) -> Result<Ended, Error> {
    let Job {
        planned,
        resources,
        how,
        timeline: written_to,
        places,
        ..
    } = job;
    let written_to = written_to.map(TimelineFile::create).transpose()?;
    let key = known.backend.key_or_create().map_err(problem)?;
    let (mut journal, making) = begin(cluster, known, lock, job, &key, fenced).await?;
    let execution = Execution {
        plan: &planned.plan,
        resources,
        recorded: &planned.recorded,
        identity: &known.identity,
        key: Some(&key),
        options: Options {
            parallelism: settings.parallelism,
            ready_timeout: how.ready_timeout,
            time_scale: cluster.time_scale,
            force_conflicts: how.force_conflicts,
            adopt: how.adopt,
            durations: journal.state().durations().clone(),
            clearers: CLEARERS,
        },
    };
    let counted = views::plan::worth_a_line(&planned.plan);
    let around = &planned.around;
    let estimate = match &around.estimate {
        _ if around.is_simulated => around.rehearsal,
        estimate => estimate.as_ref().map(Estimate::time),
    };
    let view = RefCell::new(Live::of(settings, Progress::new(counted, estimate), &planned.plan));
    let report = RefCell::new(Report::default());
    let is_looked_at = written_to.is_some() || settings.logging.verbosity > 0;
    let timeline = RefCell::new(is_looked_at.then(|| Timeline::of(&planned.plan)));
    let started = Instant::now();
    let interrupts = Interrupts::listen();
    let secrets = ShellSecrets::default();
    let kept = async {
        match fenced.lease {
            Some(lease) => lease.keep().await,
            None => std::future::pending().await,
        }
    };
    let driven = {
        let driving = Box::pin(drive(
            &execution,
            fenced,
            &mut journal,
            &secrets,
            interrupts.asked(1),
            |event| {
                let placed = placed(event, places);
                let event = placed.as_ref().unwrap_or(event);
                report.borrow_mut().fold(event);
                if let Some(timeline) = timeline.borrow_mut().as_mut() {
                    timeline.fold(event, started.elapsed());
                }
                view.borrow_mut().event(event, started.elapsed());
            },
        ));
        let ticking = async {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                view.borrow_mut().tick(started.elapsed());
            }
        };
        tokio::select! {
            driven = driving => driven,
            () = ticking => Ok(()),
            () = kept => Ok(()),
            () = interrupts.asked(2) => {
                view.borrow_mut().finish();
                return Err(Error::Interrupted);
            }
        }
    };
    view.borrow_mut().finish();
    let report = report.into_inner();
    let took = started.elapsed();
    if let Some(timeline) = timeline.into_inner() {
        if let Some(file) = written_to {
            file.write(&timeline, planned.plan.purpose, took, settings);
        }
        if settings.logging.verbosity > 0 {
            views::tell(&views::timeline::table(&timeline, &settings.err));
        }
    }
    if let Err(error) = driven {
        // What could not be saved is still known here, and may be saved by now.
        let _late = journal.finish();
        if !settings.json {
            let so_far = Report {
                interrupted: true,
                ..report
            };
            let purpose = planned.plan.purpose;
            views::tell(&views::report::summary(&so_far, purpose, took, &settings.err));
        }
        return Err(unsaved(&error).into());
    }
    end(journal, planned, making, report, took)
}

/// Begins the journal of a run: the state learns what the plan rests on, and the cluster keeps what the plan is about to make,
/// which is returned, before any of it happens.
async fn begin<'a>(
    cluster: &Cluster,
    known: &'a Known,
    lock: &'a StateLock,
    job: Job<'_>,
    key: &StackKey,
    fenced: &Fenced<'_, KubernetesProvider>,
) -> Result<(StateJournal<'a>, Vec<Recorded>), Error> {
    let Job {
        planned,
        resources,
        facts,
        ..
    } = job;
    let mut journal = known.backend.journal(known.begun(cluster)?, lock).map_err(problem)?;
    if let Some(facts) = facts {
        journal.keep_facts(facts).map_err(problem)?;
    }
    for record in &planned.left {
        journal.intend(&Intent::Write(Box::new(record.clone())));
    }
    journal.flush().map_err(|error| unsaved(&error))?;
    for Rename { from, to } in &planned.around.moved {
        journal.rename(from, to).map_err(problem)?;
    }
    if !planned.plan.has_changes() {
        return Ok((journal, Vec::new()));
    }
    let looked = Looked {
        resources,
        recorded: &planned.recorded,
        survey: &planned.survey,
        identity: &known.identity,
        key: Some(key),
    };
    let making = intended(&planned.plan, &looked);
    let kept = copy::keep(fenced, journal.state(), &making).await?;
    Ok((journal.copied(kept), making))
}

/// Ends the journal of a run: what was looked at is not open any more, and what may have been made without an answer is told.
fn end(
    mut journal: StateJournal<'_>,
    planned: &Planned,
    mut making: Vec<Recorded>,
    report: Report,
    took: Duration,
) -> Result<Ended, Error> {
    if report.succeeded() {
        // Every address of the plan was looked at: what an earlier run left open is answered.
        let partial = planned.plan.partial.as_ref();
        let open: Vec<_> = journal
            .state()
            .open_intents()
            .iter()
            .map(|intent| stackctl_state::address_of(intent).clone())
            .filter(|address| partial.is_none_or(|partial| partial.keeps(address)))
            .collect();
        for address in open {
            journal.settle(&address).map_err(problem)?;
        }
    }
    let state = journal.finish().map_err(problem)?;
    // An answer that never came may have been of a write that did.
    making.retain(|record| {
        let uid = |all: &BTreeMap<Address, Recorded>| {
            let known = all.get(&record.address).and_then(Recorded::object);
            known.map(|object| object.uid.clone())
        };
        let is_recorded = uid(state.recorded()).is_some_and(|now| uid(&planned.recorded).as_ref() != Some(&now));
        matches!(record.node, RecordedNode::Object(_)) && !is_recorded && !report.succeeded()
    });
    Ok(Ended {
        report,
        took,
        state,
        unsure: making,
    })
}

/// That the state could not be kept, with the way out.
fn unsaved(error: &JournalError) -> Problem {
    let usual = "make the state writable again, then run the same command again: it finds what is not recorded";
    let hint = error.hint.clone().unwrap_or_else(|| usual.to_owned());
    Problem::of(error).hint(hint)
}

/// The file of a timeline, opened before anything is done.
struct TimelineFile {
    path: PathBuf,
    file: File,
}

impl TimelineFile {
    fn create(path: &Path) -> Result<Self, Error> {
        match File::create(path) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file,
            }),
            Err(error) => Err(
                Problem::new(format!("the timeline cannot be written to `{}`", path.display()))
                    .caused_by(&error)
                    .hint("name another file; nothing was changed")
                    .into(),
            ),
        }
    }

    /// What was done is done: that it cannot be written down is told, and changes nothing.
    fn write(mut self, timeline: &Timeline, purpose: Purpose, took: Duration, settings: &Settings) {
        let text = views::json::pretty(&views::timeline_document::timeline(timeline, purpose, took));
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            let what = format!("the timeline could not be written to `{}`", self.path.display());
            let problem = Problem::new(what).caused_by(&error);
            views::tell(&views::diagnostic::error(&problem.into(), &settings.err));
        }
    }
}

fn lines(lines: &[views::events::Line]) {
    for line in lines {
        views::result(&views::json::line(line));
    }
}

/// Shows how it ended: a summary on stdout, failures on stderr.
fn show(settings: &Settings, planned: &Planned, ended: &Ended) {
    let purpose = planned.plan.purpose;
    if settings.json {
        lines(&views::events::finished(
            &ended.report,
            purpose,
            ended.took,
            &clock::now(),
        ));
    } else {
        views::result(&views::report::summary(
            &ended.report,
            purpose,
            ended.took,
            &settings.out,
        ));
    }
    if !ended.report.succeeded() {
        views::tell(&views::report::failures(
            &ended.report,
            purpose,
            ended.state.recorded().len(),
            &settings.err,
        ));
    }
}
