//! Install bundles of well-known projects, as they are released, on a genuine kube-apiserver: `cargo xtask bundles`.
//!
//! Invariants:
//! - A bundle comes from the Go module that its project publishes, at a pinned version, and its text has a pinned digest;
//!   nothing of it is in this project.
//! - Each is applied, planned and destroyed by the program itself, through a `[[manifests]]` table and nothing else.
//! - What is left is counted on the server, by all objects before and after, not by what stackctl says; definitions go because the
//!   table says so.
//! - The server and the controllers of workloads are genuine; only what a kubelet would say of pods is played
//!   (`kubelet`).

mod catalogue;
mod fetch;
mod inventory;
mod kubelet;

use crate::{apiserver, client::Bare, client::failed, error::TaskError, program};
use catalogue::{BUNDLES, Bundle};
use clap::Args;
use inventory::Inventory;
use kubelet::Kubelet;
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// How long the server's own controllers may take to clean up behind a destroy.
const CLEANED_WITHIN: Duration = Duration::from_secs(60);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Which bundles, and where.
#[derive(Args, Debug, Default)]
pub(crate) struct Bundles {
    /// Only those whose name holds this.
    #[arg(long)]
    only: Option<String>,
    /// A scratch cluster, started with `cargo xtask apiserver up --workloads`; without it one is started and ended.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// The program; without it, it is built as this task was.
    #[arg(long)]
    stackctl: Option<PathBuf>,
}

/// What came of one bundle.
#[derive(Debug)]
struct Came {
    n_objects: usize,
    n_kinds: usize,
    fetched: Duration,
    applied: Duration,
    destroyed: Duration,
    left: Vec<String>,
}

/// Runs them, one after the other; returns the table in Markdown.
///
/// # Errors
/// A bundle that cannot be fetched, is another than was pinned, does not become ready, has changes right after its apply,
/// or leaves something behind.
pub(crate) fn run(root: &Path, bundles: &Bundles) -> Result<String, TaskError> {
    let stackctl = match &bundles.stackctl {
        Some(path) => root.join(path),
        None => program::stackctl(root)?,
    };
    let chosen = BUNDLES.iter().filter(|bundle| {
        bundles
            .only
            .as_ref()
            .is_none_or(|only| bundle.name.contains(only.as_str()))
    });
    if let Some(kubeconfig) = &bundles.kubeconfig {
        return table(&stackctl, kubeconfig, chosen);
    }
    let scratch = std::env::temp_dir().join(format!("stackctl-bundles-server-{}", std::process::id()));
    let kubeconfig = apiserver::up_with_workloads(root, &scratch)?;
    let table = table(&stackctl, &kubeconfig, chosen);
    apiserver::end(&scratch)?;
    table
}

fn table<'a>(
    stackctl: &Path,
    kubeconfig: &Path,
    bundles: impl Iterator<Item = &'a Bundle>,
) -> Result<String, TaskError> {
    let bare = Bare::connect(kubeconfig)?;
    let _kubelet = Kubelet::start(kubeconfig)?;
    let mut text = format!(
        "Server {}.\n\n\
         | bundle | version | objects | kinds | fetch s | apply s | plan after apply | destroy s | left after destroy |\n\
         | --- | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |\n",
        bare.version()?
    );
    let mut left = Vec::new();
    for bundle in bundles {
        let came = live(stackctl, kubeconfig, &bare, bundle)?;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.1} | {:.1} | empty | {:.1} | {} |",
            bundle.name,
            bundle.version,
            came.n_objects,
            came.n_kinds,
            came.fetched.as_secs_f64(),
            came.applied.as_secs_f64(),
            came.destroyed.as_secs_f64(),
            came.left.len()
        );
        left.extend(came.left.into_iter().map(|object| format!("{}: {object}", bundle.name)));
    }
    if left.is_empty() {
        Ok(text)
    } else {
        Err(failed(&format!("{text}\nleft behind:\n{}", left.join("\n"))))
    }
}

/// One life of a bundle: apply, an empty plan, destroy.
fn live(stackctl: &Path, kubeconfig: &Path, bare: &Bare, bundle: &Bundle) -> Result<Came, TaskError> {
    let begun = Instant::now();
    let path = fetch::fetch(bundle)?;
    let fetched = begun.elapsed();
    let folder = std::env::temp_dir().join(format!("stackctl-bundle-{}-{}", bundle.name, std::process::id()));
    let stage = Stage::make(stackctl, kubeconfig, folder, bundle, &path)?;
    let rendered = stage.run(&["render", "stack.toml"])?;
    let kinds: Vec<&str> = rendered.lines().filter(|line| line.starts_with("kind: ")).collect();
    let before = Inventory::take(bare)?;
    let begun = Instant::now();
    stage.run(&["apply", "stack.toml", "--yes"])?;
    let applied = begun.elapsed();
    stage.run(&["plan", "stack.toml", "--detailed-exitcode"])?;
    let begun = Instant::now();
    stage.run(&["destroy", "stack.toml", "--yes"])?;
    let destroyed = begun.elapsed();
    Ok(Came {
        n_objects: kinds.len(),
        n_kinds: kinds.into_iter().collect::<BTreeSet<_>>().len(),
        fetched,
        applied,
        destroyed,
        left: left(bare, &before)?,
    })
}

/// What is there that was not, once the server's controllers have cleaned up behind owners that are gone.
fn left(bare: &Bare, before: &Inventory) -> Result<Vec<String>, TaskError> {
    let begun = Instant::now();
    loop {
        let left = Inventory::take(bare)?.since(before);
        if left.is_empty() || begun.elapsed() > CLEANED_WITHIN {
            return Ok(left);
        }
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
}

/// A stack of one bundle, in a folder that goes with it.
struct Stage<'a> {
    stackctl: &'a Path,
    kubeconfig: &'a Path,
    folder: PathBuf,
}

impl<'a> Stage<'a> {
    fn make(
        stackctl: &'a Path,
        kubeconfig: &'a Path,
        folder: PathBuf,
        bundle: &Bundle,
        path: &str,
    ) -> Result<Self, TaskError> {
        let mut stack = format!(
            "[stack]\nname = \"{name}\"\n\n[[manifests]]\nname = \"{name}\"\npath = \"{path}\"\ndelete_crds = true\n",
            name = bundle.name
        );
        let mut files = Vec::new();
        if let Some(namespace) = bundle.namespace {
            // Its instructions say to make the namespace first, and to apply into it.
            let _ = write!(
                stack,
                "namespace = \"{namespace}\"\n\n[[manifests]]\nname = \"namespace\"\npath = \"namespace.yaml\"\n"
            );
            files.push((
                "namespace.yaml",
                format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n"),
            ));
        }
        files.push(("stack.toml", stack));
        let written = |path: PathBuf| move |cause| TaskError::Write { path, cause };
        fs::create_dir_all(&folder).map_err(written(folder.clone()))?;
        for (name, text) in files {
            let path = folder.join(name);
            fs::write(&path, text).map_err(written(path.clone()))?;
        }
        Ok(Self {
            stackctl,
            kubeconfig,
            folder,
        })
    }

    fn run(&self, arguments: &[&str]) -> Result<String, TaskError> {
        let mut command = Command::new(self.stackctl);
        command
            .args(arguments)
            .arg("--kubeconfig")
            .arg(self.kubeconfig)
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .env("NO_COLOR", "1");
        program::output(&mut command, "")
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}
