//! What the engine costs by itself, on one graph: `cargo xtask bench layered MANIFESTS`.
//!
//! One graph is read, planned, applied, planned again, and destroyed, on a cluster that answers at once. Each phase is a
//! line of JSON, with its processor time and its time in seconds, and the most memory so far in MiB. The task
//! `bench engine` makes the graphs and prints the tables.
//!
//! Invariants: the code that is measured is that of the product, only the cluster behind it is ours; a life that does
//! not end as it should is an error, whatever it took.

mod instant;

use super::used::most_memory;
use crate::{client::failed, error::TaskError};
use clap::Args;
use instant::Instantly;
use serde::{Deserialize, Serialize};
use serde_json::json;
use stackctl_engine::{
    Address, Resource,
    diff::differences,
    digest::StackKey,
    execute::{Execution, Intent, Journal, JournalError, Options, Outcome, drive},
    graph::Graph,
    late::{SecretInput, Secrets},
    marks::Identity,
    plan::{Inputs, Plan, plan, plan_destroy},
    recorded::Recorded,
    report::Report,
    survey::{Found, Survey, SurveyRequest, survey},
};
use stackctl_stacks::{
    Source,
    manifests::{ManifestFile, resources},
    parse,
};
use stackctl_state::{LocalBackend, LockInfo, new_lineage};
use std::{
    collections::BTreeMap,
    fmt::{Debug, Display},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const STACK: &str = "[stack]\nname = \"layered\"\n\n[[manifests]]\nname = \"layers\"\npath = \"objects.yaml\"\n";
const PARALLELISM: usize = 16;

/// What is measured.
#[derive(Args, Debug)]
pub(crate) struct Layered {
    /// The manifests: ConfigMaps and Namespaces, with their edges.
    manifests: PathBuf,
    /// Where one more apply keeps its state, with the journal of the product.
    #[arg(long)]
    state: Option<PathBuf>,
}

/// A phase, as it is printed.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Phase {
    pub(super) phase: String,
    pub(super) resources: usize,
    /// Seconds of processor time, and on the clock.
    pub(super) cpu: f64,
    pub(super) wall: f64,
    /// The most memory that was resident so far.
    pub(super) mebibytes: f64,
}

pub(super) fn run(layered: &Layered) -> Result<String, TaskError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| failed(&error))?;
    let phases = runtime.block_on(measured(layered))?;
    let lines: Vec<String> = phases
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()
        .map_err(|error| failed(&error))?;
    Ok(lines.join("\n"))
}

/// The phases of one life, as they end.
#[derive(Debug)]
struct Phases {
    ended: Vec<Phase>,
    n_resources: usize,
    began: (Duration, Instant),
}

impl Phases {
    fn begin(&mut self) -> Result<(), TaskError> {
        self.began = (processor_time()?, Instant::now());
        Ok(())
    }

    fn end(&mut self, phase: &str) -> Result<(), TaskError> {
        let (cpu, wall) = self.began;
        self.ended.push(Phase {
            phase: phase.to_owned(),
            resources: self.n_resources,
            cpu: (processor_time()? - cpu).as_secs_f64(),
            wall: wall.elapsed().as_secs_f64(),
            mebibytes: most_memory("self")?,
        });
        self.begin()
    }
}

async fn measured(layered: &Layered) -> Result<Vec<Phase>, TaskError> {
    let text = fs::read_to_string(&layered.manifests).map_err(|cause| TaskError::Read {
        path: layered.manifests.clone(),
        cause,
    })?;
    let mut phases = Phases {
        ended: Vec::new(),
        n_resources: 0,
        began: (processor_time()?, Instant::now()),
    };
    let resources = read(text)?;
    phases.n_resources = resources.len();
    phases.end("read")?;
    let graph = Graph::new(&resources).map_err(|errors| all(&errors))?;
    phases.end("graph")?;

    let cluster = Instantly::default();
    let world = World {
        resources: &resources,
        graph: &graph,
        identity: &Identity {
            stack: "layered".to_owned(),
            lineage: new_lineage().map_err(|error| failed(&error))?,
        },
        key: &StackKey::new([7; 32]),
        cluster: &cluster,
    };
    let nothing = BTreeMap::new();
    let (planned, _) = world.plan(&nothing).await?;
    phases.end("plan")?;
    holds(planned.counts().create == resources.len(), "everything is to be made")?;

    let mut kept = Kept::default();
    phases.begin()?;
    world.run(&planned, &resources, &nothing, &mut kept).await?;
    phases.end("apply")?;
    holds(kept.recorded.len() == resources.len(), "everything was made")?;

    let (again, survey) = world.plan(&kept.recorded).await?;
    phases.end("no-op plan")?;
    holds(!again.has_changes(), "nothing is left to do")?;

    let (whole, mut n_differences) = (json!({}), 0);
    // What is held as its text is opened before, which is no part of a diff.
    let found = |resource: &Resource| survey.found(&resource.address).and_then(Found::live);
    let live: Vec<_> = resources.iter().filter_map(found).collect();
    phases.begin()?;
    for live in live {
        n_differences += differences(&whole, live).len();
    }
    phases.end("diff of every object")?;
    holds(n_differences > resources.len(), "every object differs from nothing")?;
    drop((again, survey));

    phases.begin()?;
    let recorded = kept.recorded.clone();
    let survey = world.survey(&[], &recorded).await?;
    let going = plan_destroy(&recorded, &survey).map_err(|errors| all(&errors))?;
    world.run(&going, &[], &recorded, &mut kept).await?;
    phases.end("destroy")?;
    holds(kept.recorded.is_empty() && cluster.is_empty(), "everything is gone")?;
    drop((recorded, survey, going));

    if let Some(directory) = &layered.state {
        journalled(&world, &planned, directory, &mut phases).await?;
    }
    Ok(phases.ended)
}

/// The same apply with the journal of the product, on a disk.
async fn journalled(world: &World<'_>, planned: &Plan, directory: &Path, phases: &mut Phases) -> Result<(), TaskError> {
    let backend = LocalBackend::open(directory, "layered").map_err(|error| failed(&error))?;
    let now = "2026-01-01T00:00:00Z";
    let who = LockInfo {
        who: "bench".to_owned(),
        pid: std::process::id(),
        command: "bench".to_owned(),
        since: now.to_owned(),
    };
    let lock = backend.lock(&who).map_err(|error| failed(&error))?;
    let state = backend
        .create("bench", &world.identity.lineage, now)
        .map_err(|error| failed(&error))?;
    phases.begin()?;
    let mut journal = backend.journal(state, &lock).map_err(|error| failed(&error))?;
    world
        .run(planned, world.resources, &BTreeMap::new(), &mut journal)
        .await?;
    let state = journal.finish().map_err(|error| failed(&error))?;
    phases.end("apply with the journal on a disk")?;
    holds(
        state.recorded().len() == world.resources.len(),
        "everything is recorded",
    )
}

fn holds(is_so: bool, what: &str) -> Result<(), TaskError> {
    if is_so {
        Ok(())
    } else {
        Err(failed(&format!("what was measured went wrong: not so that {what}")))
    }
}

fn all<E: Display>(errors: &[E]) -> TaskError {
    failed(&errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn read(text: String) -> Result<Vec<Resource>, TaskError> {
    let source = Source {
        name: "stack.toml".to_owned(),
        text: STACK.to_owned(),
    };
    let (stack, _) = parse(&[source], &[]).map_err(|error| failed(&error))?;
    let file = ManifestFile {
        name: "objects.yaml".to_owned(),
        text,
    };
    let sets: Vec<_> = stack.manifests.iter().map(|set| (set, vec![file.clone()])).collect();
    let mut resources = resources(&sets, &[]).map_err(|errors| all(&errors))?.resources;
    resources.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(resources)
}

/// What every phase needs.
struct World<'a> {
    resources: &'a [Resource],
    graph: &'a Graph,
    identity: &'a Identity,
    key: &'a StackKey,
    cluster: &'a Instantly,
}

impl World<'_> {
    async fn survey(
        &self,
        resources: &[Resource],
        recorded: &BTreeMap<Address, Recorded>,
    ) -> Result<Survey, TaskError> {
        let request = SurveyRequest {
            resources,
            recorded,
            identity: self.identity,
            key: Some(self.key),
            parallelism: PARALLELISM,
        };
        survey(self.cluster, &request, &NoSecrets)
            .await
            .map_err(|error| failed(&error))
    }

    async fn plan(&self, recorded: &BTreeMap<Address, Recorded>) -> Result<(Plan, Survey), TaskError> {
        let survey = self.survey(self.resources, recorded).await?;
        let plan = plan(&Inputs {
            resources: self.resources,
            graph: self.graph,
            recorded,
            survey: &survey,
            replaced: &BTreeMap::new(),
            identity: self.identity,
            key: Some(self.key),
            adopt: false,
            force_conflicts: false,
        })
        .map_err(|errors| all(&errors))?;
        Ok((plan, survey))
    }

    async fn run<J: Journal>(
        &self,
        plan: &Plan,
        resources: &[Resource],
        recorded: &BTreeMap<Address, Recorded>,
        journal: &mut J,
    ) -> Result<(), TaskError> {
        let execution = Execution {
            plan,
            resources,
            recorded,
            identity: self.identity,
            key: Some(self.key),
            options: Options {
                parallelism: PARALLELISM,
                ..Options::default()
            },
        };
        let mut report = Report::default();
        let never = std::future::pending();
        drive(&execution, self.cluster, journal, &NoSecrets, never, |event| {
            report.fold(event);
        })
        .await
        .map_err(|error| failed(&error))?;
        holds(report.succeeded(), "everything ends well")
    }
}

/// A journal that only remembers.
#[derive(Debug, Default)]
struct Kept {
    recorded: BTreeMap<Address, Recorded>,
}

impl Journal for Kept {
    fn intend(&mut self, _: &Intent) {}

    fn record(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Recorded(known) => drop(self.recorded.insert(known.address.clone(), (**known).clone())),
            Outcome::Forgotten(address) => drop(self.recorded.remove(address)),
            Outcome::Took { .. } => {}
        }
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        Ok(())
    }
}

/// The graph holds no secret.
struct NoSecrets;

impl Secrets for NoSecrets {
    fn draw(&self, _: usize) -> String {
        String::new()
    }

    fn input(&self, _: &SecretInput) -> Result<String, String> {
        Err("the graph holds no secret".to_owned())
    }
}

/// What this thread, the only one that works, was on a processor for: the first figure of its `schedstat`, in
/// nanoseconds.
fn processor_time() -> Result<Duration, TaskError> {
    let figures = fs::read_to_string("/proc/thread-self/schedstat").map_err(|cause| failed(&cause))?;
    let first = figures.split_whitespace().next().and_then(|word| word.parse().ok());
    first
        .map(Duration::from_nanos)
        .ok_or_else(|| failed(&"the system does not say how much processor time was used"))
}
