//! What a plan without changes costs on a cluster, beside the LIST that it rests on: `cargo xtask bench live`.
//!
//! Invariants:
//! - Both are processes of their own that speak through the same client, and whole processes are measured.
//! - The list is the one that the plan makes: the same kind, the same namespaces, the same label.
//! - Reading the manifests is a part of the plan; what it takes is shown apart, as a `validate` of the same stack.

use super::{
    Programs,
    served::Served,
    used::{Used, median, used},
};
use crate::{
    client::{Bare, failed},
    error::TaskError,
    peers::{
        namespaces,
        objects::{Layout, Objects},
    },
};
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use stackctl_engine::{
    ObjectType,
    execute::{Provider as _, Selector},
    marks::STACK_LABEL,
};
use stackctl_kubernetes::{ConnectOptions, KubernetesProvider};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

/// A plan without changes may take so many times the processor time of the list, reading the manifests aside.
const AIM: f64 = 2.0;
/// Worse is an error: a quarter above what was measured (`docs/performance.md`), so that it gets no worse.
const BOUND: f64 = 4.5;
/// How many requests are in flight at most, as in `stackctl`.
const PARALLELISM: usize = 16;

/// What is measured on a cluster.
#[derive(Args, Debug)]
pub(crate) struct Live {
    /// How many ConfigMaps, spread over ten namespaces.
    #[arg(long, default_value_t = 10_000)]
    objects: usize,
    /// How often the plan, the list and the reading are measured; the median counts.
    #[arg(long, default_value_t = 3)]
    times: usize,
    /// A genuine API server, measured too where there is one: what `cargo xtask apiserver up` started.
    #[arg(long, default_value = "target/xtask/apiserver/kubeconfig.yaml")]
    kubeconfig: PathBuf,
    /// The program; without it the release build is made and taken.
    #[arg(long)]
    stackctl: Option<PathBuf>,
}

/// The list by itself; `bench live` runs it.
#[derive(Args, Debug)]
pub(crate) struct Listed {
    /// Where the cluster is.
    kubeconfig: PathBuf,
    /// How many objects there are.
    objects: usize,
}

pub(super) fn run(root: &Path, live: &Live) -> Result<String, TaskError> {
    let programs = Programs::found(root, live.stackctl.as_deref())?;
    let scratch = std::env::temp_dir().join(format!("stackctl-live-{}", std::process::id()));
    let embedded = Served::start(&programs.stackctl, &scratch)
        .and_then(|served| Measured::on(&programs, served.kubeconfig(), live));
    // What is left of a scratch folder is nobody's loss.
    drop(std::fs::remove_dir_all(&scratch));
    let mut all = vec![("the embedded cluster".to_owned(), embedded?)];
    let real = root.join(&live.kubeconfig);
    if real.exists() {
        let version = Bare::connect(&real)?.version()?;
        all.push((
            format!("kube-apiserver {version}"),
            Measured::on(&programs, &real, live)?,
        ));
    }
    let mut text = String::new();
    for (name, measured) in &all {
        text += &measured.table(name, live.objects);
    }
    match all.iter().find(|(_, measured)| measured.ratio() > BOUND) {
        None => Ok(text),
        Some((name, measured)) => Err(failed(&format!(
            "on {name} a plan without changes takes {:.1} times its list, reading aside, where {BOUND} is the \
             bound:\n{text}",
            measured.ratio()
        ))),
    }
}

/// What the parts of one life cost.
#[derive(Debug)]
struct Measured {
    list: Used,
    reading: Used,
    apply: Used,
    plan: Used,
    destroy: Used,
}

impl Measured {
    fn on(programs: &Programs, kubeconfig: &Path, live: &Live) -> Result<Self, TaskError> {
        let objects = Objects::write(live.objects, Layout::Independent)?;
        namespaces(&Bare::connect(kubeconfig)?)?;
        let ours = |arguments: &[&str]| {
            let mut command = Command::new(&programs.stackctl);
            command
                .args(arguments)
                .current_dir(objects.folder())
                .env("KUBECONFIG", kubeconfig);
            used(&mut command, objects.folder())
        };
        let listed = || {
            let mut command = Command::new(&programs.tasks);
            command.args(["bench", "listed"]).arg(kubeconfig);
            used(command.arg(live.objects.to_string()), objects.folder())
        };
        let apply = ours(&["apply", "--yes"])?;
        let (mut plans, mut lists, mut readings) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..live.times.max(1) {
            // A plan with changes fails here: it would be another plan than the one that is measured.
            plans.push(ours(&["plan", "--detailed-exitcode"])?);
            lists.push(listed()?);
            readings.push(ours(&["validate"])?);
        }
        Ok(Self {
            list: median(lists),
            reading: median(readings),
            apply,
            plan: median(plans),
            destroy: ours(&["destroy", "--yes", "--yes-delete"])?,
        })
    }

    /// How many times the list a plan takes, without what reading the manifests takes.
    fn ratio(&self) -> f64 {
        (self.plan.cpu - self.reading.cpu) / self.list.cpu.max(f64::MIN_POSITIVE)
    }

    fn table(&self, name: &str, objects: usize) -> String {
        let mut text = format!(
            "\n### {objects} ConfigMaps on {name}\n\n\
             | what, as a process of its own | CPU s | wall s | CPU, times the list | most memory, MiB | KiB an object |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |\n"
        );
        let rows = [
            ("the list, decoded", self.list),
            ("validate: the manifests are read", self.reading),
            ("plan without changes", self.plan),
            ("apply, of all", self.apply),
            ("destroy, of all", self.destroy),
        ];
        #[expect(clippy::cast_precision_loss, reason = "a number of objects")]
        let each = |mebibytes: f64| mebibytes * 1024.0 / objects.max(1) as f64;
        for (what, used) in rows {
            let _ = writeln!(
                text,
                "| {what} | {:.2} | {:.2} | {:.1} | {:.0} | {:.1} |",
                used.cpu,
                used.wall,
                used.cpu / self.list.cpu.max(f64::MIN_POSITIVE),
                used.mebibytes,
                each(used.mebibytes)
            );
        }
        let met = if self.ratio() <= AIM { "met" } else { "not met" };
        let _ = writeln!(
            text,
            "\nWithout reading, the plan takes {:.1} times the list; the aim of {AIM} is {met}.",
            self.ratio()
        );
        text
    }
}

/// Lists what the plan lists.
pub(super) fn listed(listed: &Listed) -> Result<String, TaskError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(&error))?;
    let n_found = runtime.block_on(async {
        let options = ConnectOptions {
            kubeconfig: Some(listed.kubeconfig.clone()),
            context: None,
            user_agent: "stackctl-bench".to_owned(),
        };
        let provider = KubernetesProvider::connect(&options)
            .await
            .map_err(|error| failed(&error))?;
        let of = ObjectType::new("v1", "ConfigMap");
        let labels = BTreeMap::from([(STACK_LABEL.to_owned(), "peers".to_owned())]);
        let selector = Selector { labels };
        let lists: Vec<Vec<serde_json::Value>> = stream::iter(Objects::namespaces())
            .map(|namespace| {
                let (provider, of, selector) = (&provider, &of, &selector);
                async move { provider.list(of, Some(&namespace), selector).await }
            })
            .buffer_unordered(PARALLELISM)
            .try_collect()
            .await
            .map_err(|error| failed(&error))?;
        Ok::<_, TaskError>(lists.iter().map(Vec::len).sum::<usize>())
    })?;
    if n_found == listed.objects {
        Ok(String::new())
    } else {
        Err(failed(&format!("{n_found} objects are there, not {}", listed.objects)))
    }
}
