//! How large and how fast the embedded cluster is: `cargo xtask bench twin`.
//!
//! Invariants:
//! - Every object comes by a server-side apply over HTTP, and is 1 KB as it is sent.
//! - The process that is measured is the server's, its operators in it; the client is another process.

use super::{release, served::Served};
use crate::{
    client::{Bare, failed},
    error::TaskError,
};
use clap::Args;
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

/// How many bytes an object has as it is sent.
const OBJECT_BYTES: usize = 1_000;
/// How many namespaces the objects are spread over.
const N_NAMESPACES: usize = 10;
/// The aims: so many MiB for the objects, and so many seconds of processor time for the applies.
const MOST_MEMORY: f64 = 2048.0;
const MOST_SECONDS: f64 = 10.0;

/// What is measured of the embedded cluster.
#[derive(Args, Debug)]
pub(crate) struct Twin {
    /// How many objects of 1 KB the cluster holds at last.
    #[arg(long, default_value_t = 100_000)]
    objects: usize,
    /// How many server-side applies are timed, of each sort.
    #[arg(long, default_value_t = 10_000)]
    applies: usize,
    /// The program; without it the release build is made and taken.
    #[arg(long)]
    stackctl: Option<PathBuf>,
}

pub(super) fn run(root: &Path, twin: &Twin) -> Result<String, TaskError> {
    let stackctl = match &twin.stackctl {
        Some(path) => root.join(path),
        None => release(root)?,
    };
    let scratch = std::env::temp_dir().join(format!("stackctl-bench-{}", std::process::id()));
    let measured = measured(&stackctl, &scratch, twin);
    // What is left of a scratch folder is nobody's loss.
    drop(std::fs::remove_dir_all(&scratch));
    let (table, seconds, memory) = measured?;
    if seconds > MOST_SECONDS || memory > MOST_MEMORY {
        return Err(failed(&format!(
            "worse than the aims of {MOST_SECONDS} s and {MOST_MEMORY} MiB:\n{table}"
        )));
    }
    Ok(table)
}

/// The table, the most processor time that a sort of apply took, and the most memory.
fn measured(stackctl: &Path, scratch: &Path, twin: &Twin) -> Result<(String, f64, f64), TaskError> {
    let mut table = String::from("| what | CPU s | wall s | per second |\n| --- | ---: | ---: | ---: |\n");
    let mut most: f64 = 0.0;
    let served = Served::start(stackctl, &scratch.join("speed"))?;
    let bare = served.connect()?;
    namespaces(&bare)?;
    for (what, word) in [("new objects", "one"), ("of a change", "two"), ("of no change", "two")] {
        let (cpu, wall) = timed(&served, || apply(&bare, twin.applies, word))?;
        most = most.max(cpu);
        let rate = f64::from(u32::try_from(twin.applies).unwrap_or(u32::MAX)) / wall;
        let _ = writeln!(
            table,
            "| {} applies {what} | {cpu:.2} | {wall:.2} | {rate:.0} |",
            twin.applies
        );
    }
    drop((bare, served));

    let folder = scratch.join("size");
    let served = Served::start(stackctl, &folder)?;
    let empty = served.peak_memory()?;
    let bare = served.connect()?;
    namespaces(&bare)?;
    let (cpu, wall) = timed(&served, || apply(&bare, twin.objects, "one"))?;
    let full = served.peak_memory()?;
    drop((bare, served));
    let _ = writeln!(table, "| {} objects made | {cpu:.2} | {wall:.2} | |", twin.objects);
    // The process was killed: this is what opening costs, too.
    let served = Served::start(stackctl, &folder)?;
    let opened = served.peak_memory()?;
    let _ = writeln!(
        table,
        "| opened again with them | {:.2} | {:.2} | |\n",
        served.cpu()?,
        served.started_in.as_secs_f64()
    );
    let _ = writeln!(
        table,
        "| peak memory of the process | MiB |\n| --- | ---: |\n| seeded | {empty:.0} |\n| with {} objects of {OBJECT_BYTES} bytes | {full:.0} |\n| opened again with them | {opened:.0} |",
        twin.objects
    );
    Ok((table, most, full.max(opened)))
}

/// The processor time of the server and the time on the wall that some work takes.
fn timed(served: &Served, work: impl FnOnce() -> Result<(), TaskError>) -> Result<(f64, f64), TaskError> {
    let (cpu, begun) = (served.cpu()?, Instant::now());
    work()?;
    Ok((served.cpu()? - cpu, begun.elapsed().as_secs_f64()))
}

fn namespaces(bare: &Bare) -> Result<(), TaskError> {
    for index in 0..N_NAMESPACES {
        let name = format!("bench-{index}");
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let uri = format!("/api/v1/namespaces/{name}?fieldManager=bench");
        bare.send("PATCH", &uri, Some(&body))?;
    }
    Ok(())
}

fn apply(bare: &Bare, count: usize, word: &str) -> Result<(), TaskError> {
    bare.each(count, "PATCH", |index| {
        let (namespace, name) = (format!("bench-{}", index % N_NAMESPACES), format!("object-{index:06}"));
        let uri = format!("/api/v1/namespaces/{namespace}/configmaps/{name}?fieldManager=bench");
        (uri, Some(object(&namespace, &name, word)))
    })
}

/// A ConfigMap of exactly [`OBJECT_BYTES`], with labels and a few keys.
fn object(namespace: &str, name: &str, word: &str) -> Value {
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "bench", "part": "twin"}},
        "data": {"word": word, "first": "1", "second": "2", "third": "3", "filler": ""},
    });
    let missing = OBJECT_BYTES.saturating_sub(object.to_string().len());
    object["data"]["filler"] = json!("x".repeat(missing));
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_one_kilobyte_and_a_change_changes_it() {
        let (one, two) = (object("n", "a", "one"), object("n", "a", "two"));
        assert_eq!(one.to_string().len(), OBJECT_BYTES);
        assert_ne!(one, two);
    }
}
