//! What the engine costs by itself, with Terraform beside it: `cargo xtask bench engine`.
//!
//! Invariants:
//! - A row is of one graph: ConfigMaps in twenty layers, each waiting for two of the layer below.
//! - No cluster is behind it: what `layered` speaks to answers at once, as Terraform's built-in resource does.
//! - Every number of objects is a process of its own, so that its memory is its own.
//! - What an object costs may hardly grow with their number: a phase in which it grows beyond its bound is an error, with the
//!   table. So is an object that takes more memory than its bound, from as many on as make the program itself small.

use super::{layered::Phase, release, used::cpu_of_children};
use crate::{
    client::failed,
    error::TaskError,
    peers::objects::{Layout, Objects},
    program,
};
use clap::Args;
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// How often the program is started to learn what a start costs.
const STARTS: u32 = 100;
/// An object may cost so many times as much among ten times as many; only ratios within one run mean anything.
const LINEAR: f64 = 1.3;
/// What carries out and compares with what is recorded does not meet that bound (`docs/performance.md`); what it did meet
/// holds, so that nothing that grows with the square comes back.
const NEARLY_LINEAR: f64 = 2.0;
const NEARLY: [&str; 4] = ["apply", "no-op plan", "destroy", "apply with the journal on a disk"];
/// So much memory an object may take, in KiB, up to the end of an apply, of so many or more (`docs/performance.md`).
const KIBIBYTES_EACH: f64 = 24.0;
const MANY: usize = 10_000;
/// Of phases that took less than this, in seconds of processor time, the ratio says nothing.
const MEASURABLE: f64 = 0.02;

/// What is measured of the engine.
#[derive(Args, Debug)]
pub(crate) struct Engine {
    /// How many objects; several numbers are several tables.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    objects: Vec<usize>,
    /// Up to how many objects Terraform is measured too, where it is on the PATH: its apply and destroy grow with the
    /// square.
    #[arg(long, default_value_t = 1_000)]
    terraform_up_to: usize,
    /// Up to how many objects an apply is measured with the journal on a disk too, which waits for the disk twice an
    /// object.
    #[arg(long, default_value_t = 1_000)]
    journal_up_to: usize,
}

pub(super) fn run(root: &Path, engine: &Engine) -> Result<String, TaskError> {
    let stackctl = release(root)?;
    let has_terraform = Command::new("terraform").arg("version").output().is_ok();
    let mut text = started(&stackctl)?;
    let mut before: Vec<Phase> = Vec::new();
    let mut dear = Vec::new();
    for &number in &engine.objects {
        let objects = Objects::write(number, Layout::Layered)?;
        let _ = write!(
            text,
            "\n### {number} objects in layers\n\n\
             | phase | CPU s | wall s | CPU µs an object | most memory so far, MiB | Terraform, CPU s |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |\n"
        );
        let terraform = if has_terraform && number <= engine.terraform_up_to {
            terraform(objects.folder())?
        } else {
            Vec::new()
        };
        let measured = phases(
            &stackctl.with_file_name("xtask"),
            &objects,
            number <= engine.journal_up_to,
        )?;
        for phase in &measured {
            let beside = terraform
                .iter()
                .find(|(name, _)| *name == phase.phase)
                .map_or(String::new(), |(_, cpu)| format!("{cpu:.2}"));
            let each = each(phase);
            let _ = writeln!(
                text,
                "| {} | {:.3} | {:.3} | {each:.0} | {:.0} | {beside} |",
                phase.phase, phase.cpu, phase.wall, phase.mebibytes
            );
        }
        dear.extend(growth(&before, &measured));
        dear.extend(held(&measured));
        before = measured;
    }
    if dear.is_empty() {
        Ok(text)
    } else {
        Err(failed(&format!(
            "an object costs more than it may: {}\n{text}",
            dear.join("; ")
        )))
    }
}

/// What a phase costs an object, in microseconds of processor time.
#[expect(clippy::cast_precision_loss, reason = "a number of objects")]
fn each(phase: &Phase) -> f64 {
    phase.cpu * 1e6 / phase.resources.max(1) as f64
}

/// How many times as much an object may cost in a phase among ten times as many.
fn bound(phase: &Phase) -> f64 {
    if NEARLY.contains(&phase.phase.as_str()) {
        NEARLY_LINEAR
    } else {
        LINEAR
    }
}

/// The phases in which an object costs more among more of them.
fn growth(fewer: &[Phase], more: &[Phase]) -> Vec<String> {
    let pairs = more.iter().filter_map(|many| {
        let few = fewer.iter().find(|few| few.phase == many.phase)?;
        (few.cpu >= MEASURABLE && few.resources < many.resources).then_some((few, many))
    });
    let steep = pairs.filter(|(few, many)| each(many) > bound(many) * each(few));
    let words = |(few, many): (&Phase, &Phase)| {
        let (n_few, n_many) = (few.resources, many.resources);
        format!(
            "{}: {:.0} µs of {n_few}, {:.0} µs of {n_many}",
            many.phase,
            each(few),
            each(many)
        )
    };
    steep.map(words).collect()
}

/// That an object takes more memory than it may, by the end of an apply.
#[expect(clippy::cast_precision_loss, reason = "a number of objects")]
fn held(measured: &[Phase]) -> Option<String> {
    let apply = measured.iter().find(|phase| phase.phase == "apply")?;
    let each = apply.mebibytes * 1024.0 / apply.resources.max(1) as f64;
    (apply.resources >= MANY && each > KIBIBYTES_EACH)
        .then(|| format!("{}: {each:.1} KiB each of {}", apply.phase, apply.resources))
}

/// What one graph costs, measured by the release build of these tasks.
fn phases(tasks: &Path, objects: &Objects, with_journal: bool) -> Result<Vec<Phase>, TaskError> {
    let mut bench = Command::new(tasks);
    bench
        .args(["bench", "layered"])
        .arg(objects.folder().join("objects.yaml"));
    if with_journal {
        bench.arg("--state").arg(objects.folder().join("state"));
    }
    let told = program::output(&mut bench, "")?;
    told.lines()
        .map(|line| serde_json::from_str(line).map_err(|error| failed(&error)))
        .collect()
}

/// How large the program is, and what a start of it costs.
fn started(stackctl: &Path) -> Result<String, TaskError> {
    let bytes = fs::metadata(stackctl).map_err(|cause| failed(&cause))?.len();
    let (before, begun) = (cpu_of_children()?, Instant::now());
    for _ in 0..STARTS {
        program::output(Command::new(stackctl).arg("version"), "")?;
    }
    let each = |seconds: f64| seconds * 1000.0 / f64::from(STARTS);
    let (cpu, wall) = (each(cpu_of_children()? - before), each(begun.elapsed().as_secs_f64()));
    #[expect(clippy::cast_precision_loss, reason = "a size of megabytes")]
    let megabytes = bytes as f64 / 1e6;
    Ok(format!(
        "A start (`stackctl version`): {cpu:.1} ms of processor time, {wall:.1} ms on the clock. The program: \
         {megabytes:.1} MB, stripped.\n"
    ))
}

/// Processor time of Terraform for the same work, by our names of the phases.
fn terraform(folder: &Path) -> Result<Vec<(&'static str, f64)>, TaskError> {
    let main: PathBuf = folder.join("main.tf");
    let alone = folder.join("terraform");
    fs::create_dir_all(&alone).map_err(|cause| failed(&cause))?;
    fs::copy(&main, alone.join("main.tf")).map_err(|cause| failed(&cause))?;
    let timed = |arguments: &[&str]| -> Result<f64, TaskError> {
        let before = cpu_of_children()?;
        program::output(Command::new("terraform").current_dir(&alone).args(arguments), "")?;
        Ok(cpu_of_children()? - before)
    };
    timed(&["init", "-no-color"])?;
    Ok(vec![
        ("plan", timed(&["plan", "-no-color", "-out=saved"])?),
        ("apply", timed(&["apply", "-no-color", "saved"])?),
        ("no-op plan", timed(&["plan", "-no-color"])?),
        ("destroy", timed(&["destroy", "-no-color", "-auto-approve"])?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_costs_more_an_object_among_more_of_them_is_named() {
        let phase = |name: &str, resources: usize, cpu: f64| Phase {
            phase: name.to_owned(),
            resources,
            cpu,
            wall: cpu,
            mebibytes: 1.0,
        };
        let few = [
            phase("plan", 1_000, 0.1),
            phase("destroy", 1_000, 0.2),
            phase("apply", 1_000, 0.1),
            phase("diff", 1_000, 0.001),
        ];
        let many = [
            phase("plan", 10_000, 1.4),
            phase("destroy", 10_000, 16.0),
            phase("apply", 10_000, 1.9),
            phase("diff", 10_000, 9.0),
        ];
        assert_eq!(
            growth(&few, &many),
            [
                "plan: 100 µs of 1000, 140 µs of 10000",
                "destroy: 200 µs of 1000, 1600 µs of 10000"
            ]
        );
        assert!(growth(&[], &many).is_empty());
    }

    #[test]
    fn what_takes_more_memory_an_object_than_it_may_is_named_where_there_are_many() {
        let apply = |resources: usize, mebibytes: f64| Phase {
            phase: "apply".to_owned(),
            resources,
            cpu: 0.1,
            wall: 0.1,
            mebibytes,
        };
        assert_eq!(
            held(&[apply(10_000, 400.0)]).as_deref(),
            Some("apply: 41.0 KiB each of 10000")
        );
        assert_eq!(held(&[apply(10_000, 100.0)]), None);
        assert_eq!(held(&[apply(1_000, 50.0)]), None);
    }
}
