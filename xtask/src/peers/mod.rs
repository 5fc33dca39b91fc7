//! How long stackctl takes against its peers, on one real server in one run: `cargo xtask peers`.
//!
//! Invariants:
//! - Every row of a table is of the same objects on the same server; ratios are taken within one run.
//! - Namespaces are made before and are nobody's: only ConfigMaps are measured.
//! - The bare client sends the requests that the work needs, at stackctl's own concurrency, and nothing else: the bound.

mod bare;
pub(crate) mod objects;
mod program;
mod table;

pub(crate) use bare::namespaces;

use crate::{client::Bare, error::TaskError};
use clap::Args;
use objects::{Layout, Objects};
use program::Program;
use std::{
    path::{Path, PathBuf},
    time::Instant,
};
use table::Table;

/// Which measurements are made.
#[derive(Args, Debug)]
pub(crate) struct Peers {
    /// How many ConfigMaps; several numbers are several tables.
    #[arg(long, value_delimiter = ',', default_value = "100,1000")]
    objects: Vec<usize>,
    /// How often stackctl and the bare client are measured; the median counts. kubectl, which is slow, is measured once.
    #[arg(long, default_value_t = 3)]
    times: usize,
    /// The server; one that `cargo xtask apiserver up` started, unless it is another scratch cluster.
    #[arg(long, default_value = "target/xtask/apiserver/kubeconfig.yaml")]
    kubeconfig: PathBuf,
}

/// What one run is about.
struct Run {
    stackctl: Program,
    kubectl: Option<Program>,
    terraform: Option<Program>,
    bare: Bare,
    times: usize,
}

/// Measures everything; returns the tables in Markdown.
///
/// # Errors
/// A server that does not answer, or a program that fails.
pub(crate) fn run(root: &Path, peers: &Peers) -> Result<String, TaskError> {
    let kubeconfig = root.join(&peers.kubeconfig);
    if !kubeconfig.exists() {
        return Err(TaskError::Failed {
            program: "cargo xtask peers".to_owned(),
            told: format!("there is no {}", kubeconfig.display()),
            hint: ": run `cargo xtask apiserver up` first".to_owned(),
        });
    }
    Program::new("cargo", &kubeconfig).run(root, &["build", "--release", "--locked", "--quiet"])?;
    let stackctl = root.join("target/release/stackctl");
    let run = Run {
        stackctl: Program::new(&stackctl.to_string_lossy(), &kubeconfig),
        kubectl: Program::found("kubectl", &kubeconfig),
        terraform: Program::found("terraform", &kubeconfig),
        bare: Bare::connect(&kubeconfig)?,
        times: peers.times.max(1),
    };
    let mut text = format!("Server {}; {}.\n", run.bare.version()?, machine());
    for number in &peers.objects {
        text += &run.independent(*number)?;
        text += &run.layered(*number)?;
    }
    Ok(text)
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{cores} cores, shared by client and server")
}

impl Run {
    /// The work on ConfigMaps that do not depend on each other.
    fn independent(&self, number: usize) -> Result<String, TaskError> {
        let objects = Objects::write(number, Layout::Independent)?;
        bare::namespaces(&self.bare)?;
        let mut table = Table::new(format!("{number} independent ConfigMaps"));
        if let Some(kubectl) = &self.kubectl {
            let apply = ["apply", "--server-side", "-f", "objects.yaml"];
            let fast = ["apply", "--server-side", "--validate=false", "-f", "objects.yaml"];
            table.add("create", "kubectl apply --server-side", kubectl.time(&objects, &apply)?);
            table.add(
                "delete and wait",
                "kubectl delete",
                kubectl.time(&objects, &["delete", "-f", "objects.yaml"])?,
            );
            table.add(
                "create",
                "kubectl apply --server-side --validate=false",
                kubectl.time(&objects, &fast)?,
            );
            table.add(
                "no change",
                "kubectl apply --server-side --validate=false",
                kubectl.time(&objects, &fast)?,
            );
            let diff = ["diff", "--server-side", "-f", "objects.yaml"];
            table.add(
                "no change",
                "kubectl diff --server-side",
                kubectl.time(&objects, &diff)?,
            );
            objects.change_one()?;
            table.add(
                "one change",
                "kubectl apply --server-side --validate=false",
                kubectl.time(&objects, &fast)?,
            );
            objects.change_back()?;
            bare::delete(&self.bare, &objects)?;
        }
        for _ in 0..self.times {
            table.add("create", "bare client", timed(|| bare::apply(&self.bare, &objects))?);
            table.add(
                "no change",
                "bare LIST, decoded",
                timed(|| bare::list(&self.bare, &objects))?,
            );
            table.add(
                "no change",
                "bare client, each applied",
                timed(|| bare::apply(&self.bare, &objects))?,
            );
            table.add(
                "delete and wait",
                "bare client",
                timed(|| bare::delete(&self.bare, &objects))?,
            );
            self.ours(&objects, &mut table)?;
        }
        Ok(table.markdown())
    }

    /// What stackctl is asked to do in every layout.
    fn ours(&self, objects: &Objects, table: &mut Table) -> Result<(), TaskError> {
        let stackctl = &self.stackctl;
        table.add("create", "stackctl apply", stackctl.time(objects, &["apply", "--yes"])?);
        table.add("no change", "stackctl plan", stackctl.time(objects, &["plan"])?);
        table.add(
            "no change",
            "stackctl apply",
            stackctl.time(objects, &["apply", "--yes"])?,
        );
        objects.change_one()?;
        table.add(
            "one change",
            "stackctl apply",
            stackctl.time(objects, &["apply", "--yes"])?,
        );
        objects.change_back()?;
        table.add(
            "delete and wait",
            "stackctl destroy",
            stackctl.time(objects, &["destroy", "--yes"])?,
        );
        Ok(())
    }

    /// The same in twenty layers, each object waiting for two of the layer below; Terraform's graph of nothing beside it.
    fn layered(&self, number: usize) -> Result<String, TaskError> {
        let objects = Objects::write(number, Layout::Layered)?;
        bare::namespaces(&self.bare)?;
        let mut table = Table::new(format!("{number} ConfigMaps in 20 layers"));
        if let Some(terraform) = &self.terraform {
            terraform.time(&objects, &["init", "-no-color"])?;
            let apply = ["apply", "-auto-approve", "-no-color"];
            let name = "terraform, of terraform_data";
            table.add("create", name, terraform.time(&objects, &apply)?);
            table.add("no change", name, terraform.time(&objects, &["plan", "-no-color"])?);
            let destroy = ["destroy", "-auto-approve", "-no-color"];
            table.add("delete and wait", name, terraform.time(&objects, &destroy)?);
        }
        for _ in 0..self.times {
            self.ours(&objects, &mut table)?;
        }
        Ok(table.markdown())
    }
}

/// How many seconds some work takes.
fn timed(work: impl FnOnce() -> Result<(), TaskError>) -> Result<f64, TaskError> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64())
}
