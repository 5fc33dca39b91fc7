//! What a directory of manifests costs, offline: `cargo xtask bench files`.
//!
//! Invariants:
//! - Every command is a process of its own, and the whole of it is measured.
//! - YAML parsing is shown apart: the same library, with the same options, on the same files, and nothing else. The aim is
//!   about what a command costs beside it.

use super::{
    Programs,
    used::{Used, median, used},
};
use crate::{client::failed, error::TaskError};
use clap::Args;
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// How many namespaces the objects are spread over.
const N_NAMESPACES: usize = 50;
/// A command may take so many seconds of processor time for ten thousand files, YAML parsing apart; more is an error.
const AIM: f64 = 1.0;

/// What is measured of a directory.
#[derive(Args, Debug)]
pub(crate) struct Files {
    /// How many files, each with one object.
    #[arg(long, default_value_t = 10_000)]
    files: usize,
    /// How often each is measured; the median counts.
    #[arg(long, default_value_t = 3)]
    times: usize,
    /// The program; without it the release build is made and taken.
    #[arg(long)]
    stackctl: Option<PathBuf>,
}

/// What each line cost, YAML parsing alone first.
#[derive(Debug)]
struct Costs {
    parsing: Used,
    commands: Vec<(&'static str, Used)>,
}

/// The parsing by itself; `bench files` runs it.
#[derive(Args, Debug)]
pub(crate) struct Parsed {
    /// The directory.
    directory: PathBuf,
}

pub(super) fn run(root: &Path, files: &Files) -> Result<String, TaskError> {
    let programs = Programs::found(root, files.stackctl.as_deref())?;
    let folder = std::env::temp_dir().join(format!("stackctl-files-{}", std::process::id()));
    let measured = measured(&programs, &folder, files);
    // What is left of a scratch folder is nobody's loss.
    drop(fs::remove_dir_all(&folder));
    let Costs { parsing, commands } = measured?;
    let mut text = format!(
        "### A directory of {} files\n\n| command | CPU s | of these not YAML parsing | wall s | most memory, MiB |\n\
         | --- | ---: | ---: | ---: | ---: |\n| YAML parsing alone | {:.2} | | {:.2} | {:.0} |\n",
        files.files, parsing.cpu, parsing.wall, parsing.mebibytes
    );
    for (what, used) in &commands {
        let _ = writeln!(
            text,
            "| `{what}` | {:.2} | {:.2} | {:.2} | {:.0} |",
            used.cpu,
            used.cpu - parsing.cpu,
            used.wall,
            used.mebibytes
        );
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of files")]
    let scale = files.files as f64 / 10_000.0;
    let beside_parsing = |(_, used): &(&str, Used)| used.cpu - parsing.cpu;
    let most = commands.iter().map(beside_parsing).fold(0.0, f64::max);
    if most > AIM * scale {
        return Err(failed(&format!(
            "a command takes more than {AIM} CPU s for 10,000 files, YAML parsing apart:\n{text}"
        )));
    }
    let _ = writeln!(text, "\nThe aim of {AIM} CPU s for 10,000, YAML parsing apart, is met.");
    Ok(text)
}

fn measured(programs: &Programs, folder: &Path, files: &Files) -> Result<Costs, TaskError> {
    write(folder, files.files)?;
    let of_many = |run: &dyn Fn() -> Result<Used, TaskError>| {
        let runs: Result<Vec<_>, _> = (0..files.times.max(1)).map(|_| run()).collect();
        runs.map(median)
    };
    let parsing = of_many(&|| {
        let mut command = Command::new(&programs.tasks);
        used(command.args(["bench", "parsed"]).arg(folder.join("objects")), folder)
    })?;
    let mut commands = Vec::new();
    for line in ["validate", "graph", "render", "plan --facts facts.json"] {
        let used = of_many(&|| {
            let mut command = Command::new(&programs.stackctl);
            used(command.args(line.split(' ')).current_dir(folder), folder)
        })?;
        commands.push((line, used));
    }
    Ok(Costs { parsing, commands })
}

/// Reads every file of a directory and parses it.
pub(super) fn parsed(parsed: &Parsed) -> Result<String, TaskError> {
    let options = || serde_saphyr::options! { strict_booleans: true, legacy_octal_numbers: true, with_snippet: false };
    for entry in fs::read_dir(&parsed.directory).map_err(|cause| failed(&cause))? {
        let text = fs::read_to_string(entry.map_err(|cause| failed(&cause))?.path()).map_err(|cause| failed(&cause))?;
        let value: serde_json::Value =
            serde_saphyr::from_str_with_options(&text, options()).map_err(|error| failed(&error))?;
        drop(value);
    }
    Ok(String::new())
}

fn write(folder: &Path, number: usize) -> Result<(), TaskError> {
    let objects = folder.join("objects");
    fs::create_dir_all(&objects).map_err(|cause| failed(&cause))?;
    let put = |path: PathBuf, text: &str| fs::write(path, text).map_err(|cause| failed(&cause));
    let stack = "[stack]\nname = \"files\"\n\n[[manifests]]\nname = \"files\"\npath = \"objects\"\n";
    put(folder.join("stack.toml"), stack)?;
    put(folder.join("facts.json"), "{}")?;
    for index in 0..number {
        put(objects.join(format!("{index:06}.yaml")), &object(index))?;
    }
    Ok(())
}

/// First the namespaces; then applications of four objects each, of which the Deployment names the others.
fn object(index: usize) -> String {
    if index < N_NAMESPACES {
        return format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: files-{index}\n");
    }
    let app = (index - N_NAMESPACES) / 4;
    let metadata = format!(
        "metadata:\n  name: app-{app}\n  namespace: files-{}\n  labels:\n    app: app-{app}\n    team: bench\n",
        app % N_NAMESPACES
    );
    match (index - N_NAMESPACES) % 4 {
        0 => format!("apiVersion: v1\nkind: ConfigMap\n{metadata}data:\n  LEVEL: info\n  GREETING: hello\n"),
        1 => format!("apiVersion: v1\nkind: ServiceAccount\n{metadata}"),
        2 => format!(
            "apiVersion: v1\nkind: Service\n{metadata}spec:\n  selector:\n    app: app-{app}\n  ports:\n  - name: http\n    \
             port: 80\n    targetPort: 8080\n"
        ),
        _ => format!(
            "apiVersion: apps/v1\nkind: Deployment\n{metadata}spec:\n  replicas: 2\n  selector:\n    matchLabels:\n      \
             app: app-{app}\n  template:\n    metadata:\n      labels:\n        app: app-{app}\n    spec:\n      \
             serviceAccountName: app-{app}\n      containers:\n      - name: main\n        image: \
             registry.example.com/app:1.0\n        envFrom:\n        - configMapRef:\n            name: app-{app}\n        \
             ports:\n        - containerPort: 8080\n        resources:\n          requests:\n            cpu: 100m\n            \
             memory: 64Mi\n"
        ),
    }
}
