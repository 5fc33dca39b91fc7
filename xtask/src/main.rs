//! What developers of stackctl run: `cargo xtask <task>`.

mod apiserver;
mod bench;
mod bundles;
mod chaos;
mod client;
mod consumers;
mod docs;
mod documents;
mod editor;
mod error;
mod full;
mod goldens;
mod peers;
mod program;
mod recipes;
mod schema;
mod schemas;

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use error::TaskError;

/// That of the product, whose code `bench` runs here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What developers of stackctl run.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Tasks {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs a genuine kube-apiserver on loopback, for tests and measurements.
    #[command(subcommand)]
    Apiserver(apiserver::Task),
    /// Measures what is ours alone, as a release build.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Applies, plans and destroys install bundles of well-known projects on the real server.
    Bundles(bundles::Bundles),
    /// Kills stackctl at random instants of apply and destroy, on a cluster that fails, and counts what came of it.
    Chaos(chaos::Chaos),
    /// Measures stackctl against kubectl, Terraform and a bare client on the real server.
    Peers(peers::Peers),
    /// Lets a published reader of Terraform plans read ours; Go brings it.
    Consumers,
    /// Writes the simulator's condensed schemas from the true CRDs.
    Schemas {
        /// Write nothing; fail when a file differs from what the CRDs say.
        #[arg(long)]
        check: bool,
        /// The folder of the CRDs, `<group>/<plural>.yaml`.
        #[arg(long, default_value = "../shared/crds")]
        crds: PathBuf,
    },
    /// Writes docs/stack.md from the readers' reference, and docs/lints.md from the table of codes.
    Docs {
        /// Write nothing; fail when a page is stale.
        #[arg(long)]
        check: bool,
    },
    /// Holds JSON documents against their schemas: those that tests kept in a folder, and some of its own.
    Documents {
        /// The folder that `STACKCTL_TEST_DOCUMENTS` named.
        #[arg(long)]
        kept: Option<PathBuf>,
    },
    /// Lets an editor's judge of TOML read every stack with our JSON Schema; npm brings it.
    Editor,
    /// Compares what golden stacks render with the objects of the manual.
    Goldens {
        /// The folder of golden objects, programs and reference.
        #[arg(long, default_value = "../shared")]
        shared: PathBuf,
        /// Only cases whose name begins so, as `nfd/`; rows that nothing needs are then not told.
        #[arg(long)]
        only: Option<String>,
    },
    /// Lets the tools of CI systems read the recipes under `ci/`; the Go module proxy and npm bring them.
    Recipes(recipes::Recipes),
    /// Runs what is too long for CI: random schedules, kills of the served cluster, mutilated files, others' install bundles,
    /// Tekton's judge of the recipes.
    Full,
    /// Checks every object of every golden stack and of every example against the true CRDs.
    Schema {
        /// The folder of CRDs and programs.
        #[arg(long, default_value = "../shared")]
        shared: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(&Tasks::parse().task) {
        Ok(sentence) => {
            say(&sentence);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<String, TaskError> {
    let root = root();
    match task {
        Task::Apiserver(task) => Ok(apiserver::run(&root, task)?),
        Task::Bench(bench) => bench::run(&root, bench),
        Task::Bundles(bundles) => bundles::run(&root, bundles),
        Task::Chaos(chaos) => chaos::run(&root, chaos),
        Task::Consumers => consumers::run(&root),
        Task::Peers(peers) => peers::run(&root, peers),
        Task::Schemas { check, crds } => {
            let mode = if *check {
                schemas::Mode::Check
            } else {
                schemas::Mode::Write
            };
            schemas::run(&root, &root.join(crds), mode)
        }
        Task::Docs { check } => docs::run(&root, *check),
        Task::Documents { kept } => documents::run(&root, kept.as_deref()),
        Task::Editor => editor::run(&root),
        Task::Goldens { shared, only } => goldens::run(&root, &root.join(shared), only.as_deref()),
        Task::Recipes(recipes) => recipes::run(&root, recipes),
        Task::Full => full::run(&root),
        Task::Schema { shared } => schema::run(&root, &root.join(shared)),
    }
}

/// The root of the project: the folder above this crate.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// The error and everything below it, on one line.
fn chain(error: &TaskError) -> String {
    let mut text = format!("error: {error}");
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[allow(
    clippy::print_stdout,
    reason = "a developer's terminal is where the result of a task goes"
)]
fn say(sentence: &str) {
    println!("{sentence}");
}

#[allow(
    clippy::print_stderr,
    reason = "what goes wrong is never part of what a shell evaluates"
)]
fn complain(sentence: &str) {
    eprintln!("{sentence}");
}
