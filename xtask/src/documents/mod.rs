//! `cargo xtask documents`: every JSON document that the whole-program tests made the binary print, and some that it prints
//! without a cluster, against the schemas that `stackctl schema --of` prints.
//!
//! The judge is Python's jsonschema, which shares no code with what makes the schemas. A document of a command that has no
//! schema is an error: what is printed is described.

use crate::{error::TaskError, program};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What tests always print.
const KEPT: [&str; 18] = [
    "plan",
    "events",
    "drift",
    "init",
    "logs",
    "output",
    "preflight",
    "show",
    "simulate",
    "state-history",
    "state-list",
    "state-rebuild",
    "state-show",
    "status",
    "status-watch",
    "timeline",
    "faults",
    "refresh",
];

/// One document: the name of its schema, where it comes from, and itself.
type Document = (&'static str, String, Value);

/// Judges what was kept in a folder, where one is named, and what is printed here.
///
/// # Errors
/// Without Python's jsonschema; for each document that is not as its schema says.
pub(crate) fn run(root: &Path, kept: Option<&Path>) -> Result<String, TaskError> {
    program::python_has(&[("jsonschema", "jsonschema")])?;
    let stackctl = program::stackctl(root)?;
    let mut documents = printed_here(root, &stackctl)?;
    if let Some(folder) = kept {
        for path in files(folder)? {
            let kept = parse(&path, &read(&path)?)?;
            documents.extend(of_kept(&path, &kept)?);
        }
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, ..) in &documents {
        *counts.entry(name).or_default() += 1;
    }
    if let Some(missing) = KEPT.iter().find(|name| kept.is_some() && !counts.contains_key(*name)) {
        return Err(TaskError::Document {
            told: format!("no test printed a document `{missing}`"),
        });
    }
    let mut schemas = BTreeMap::new();
    for name in counts.keys() {
        let text = program::output(Command::new(&stackctl).args(["schema", "--of", name]), "")?;
        schemas.insert(*name, parse(Path::new(name), &text)?);
    }
    let n_documents = documents.len();
    let folder = root.join("target/documents");
    let given = folder.join("given.json");
    let judge = folder.join("judge.py");
    fs::create_dir_all(&folder).map_err(|cause| TaskError::Write {
        path: folder.clone(),
        cause,
    })?;
    write(&given, &json!({"schemas": schemas, "documents": documents}).to_string())?;
    write(&judge, include_str!("judge.py"))?;
    let told = program::output(Command::new("python3").arg(&judge).arg(&given), "")?;
    if !told.is_empty() {
        return Err(TaskError::Document { told });
    }
    let n_cases = test_results(root, &stackctl, &folder)?;
    let counts: Vec<_> = counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
    Ok(format!(
        "{n_documents} documents are as their schemas say: {}\n{n_cases} test results are XML",
        counts.join(", ")
    ))
}

/// Lets Python read what `diff --format junit` prints of two examples, and answers how many cases it finds.
fn test_results(root: &Path, stackctl: &Path, folder: &Path) -> Result<String, TaskError> {
    const JUDGE: &str = "import sys, xml.etree.ElementTree as tree\n\
                         suites = tree.parse(sys.argv[1]).getroot()\n\
                         cases = suites.findall('testsuite/testcase')\n\
                         assert len(cases) == int(suites.get('tests')) > 0, suites.attrib\n\
                         failed = [case for case in cases if case.find('failure') is not None]\n\
                         assert len(failed) == int(suites.get('failures')) > 0, suites.attrib\n\
                         print(len(cases), end='')";
    let mut diff = Command::new(stackctl);
    diff.current_dir(root).args([
        "diff",
        "examples/aws-production",
        "examples/bare-metal",
        "--format",
        "junit",
    ]);
    let results = folder.join("junit.xml");
    write(&results, &program::output(&mut diff, "")?)?;
    program::output(Command::new("python3").args(["-c", JUDGE]).arg(&results), "")
}

/// What needs no cluster is printed here: stacks that are wrong in every way, and what hangs on no stack.
fn printed_here(root: &Path, stackctl: &Path) -> Result<Vec<Document>, TaskError> {
    let mut documents = Vec::new();
    let mut print = |arguments: &[&str]| {
        let answer = program::run(Command::new(stackctl).current_dir(root).args(arguments).arg("--json"))?;
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let found = of_output(&arguments, &text)?;
        documents.extend(found);
        Ok::<(), TaskError>(())
    };
    let stack = "examples/quickstart/stack.toml";
    print(&["version"])?;
    print(&["explain"])?;
    print(&["explain", "STK014"])?;
    let simulated = "--simulate=target/documents/simulator";
    print(&["graph", stack, simulated])?;
    print(&["graph", stack, "--critical-path", simulated])?;
    print(&["validate", stack])?;
    for path in files(&root.join("tests/configs/invalid"))? {
        if path.extension().is_some_and(|extension| extension == "toml") {
            print(&["validate", &path.display().to_string()])?;
        }
    }
    Ok(documents)
}

/// What one run of a test printed, and the timeline that it wrote.
fn of_kept(path: &Path, kept: &Value) -> Result<Vec<Document>, TaskError> {
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
    };
    let arguments = texts(&kept["arguments"]);
    let mut found = of_output(&arguments, kept["stdout"].as_str().unwrap_or_default())?;
    if let Some(timeline) = kept["timeline"].as_str().filter(|text| !text.is_empty()) {
        found.push(("timeline", arguments.join(" "), parse(path, timeline)?));
    }
    Ok(found)
}

/// The documents of one output: of some commands one a line.
fn of_output(arguments: &[String], text: &str) -> Result<Vec<Document>, TaskError> {
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let mut words = arguments
        .iter()
        .filter(|word| !word.starts_with('-'))
        .map(String::as_str);
    let (command, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let whole = || serde_json::from_str::<Value>(text).ok();
    let (name, is_lines) = match command {
        _ if text.trim().is_empty() => return Ok(Vec::new()),
        "plan" | "apply" if has("--refresh-only") => ("refresh", false),
        "plan" => ("plan", false),
        "apply" | "destroy" => ("events", true),
        "show" if whole().is_some_and(|shown| shown.get("resource_changes").is_some()) => ("plan", false),
        "show" => ("show", false),
        "drift" => ("drift", false),
        "diff" => ("plan", false),
        "status" if has("--watch") || has("--until-ready") => ("status-watch", true),
        "status" => ("status", false),
        "logs" => ("logs", true),
        "init" => ("init", false),
        "validate" => ("validate", false),
        "preflight" => ("preflight", false),
        "output" => ("output", false),
        "version" => ("version", false),
        "graph" if has("--critical-path") => ("critical-path", false),
        "graph" => ("graph", false),
        "explain" if text.starts_with('[') => ("explain", false),
        "explain" => ("explain-code", false),
        "simulate" if has("--list-faults") => ("faults", false),
        "simulate" => ("simulate", true),
        // The state as it is stored has a version and a form of its own.
        "state" if second == "pull" => return Ok(Vec::new()),
        "state" => (
            match second {
                "list" => "state-list",
                "show" => "state-show",
                "history" => "state-history",
                "rebuild" => "state-rebuild",
                // It prints nothing for machines.
                _ => return Ok(Vec::new()),
            },
            false,
        ),
        // Manifests, which have schemas of their own.
        "render" | "import" | "schema" => return Ok(Vec::new()),
        _ => {
            return Err(TaskError::Document {
                told: format!("`{}` prints JSON, and no schema is known for it", arguments.join(" ")),
            });
        }
    };
    let told = arguments.join(" ");
    if is_lines {
        let mut lines: Vec<_> = text.lines().collect();
        // A run that was killed leaves its last line as it is.
        if !text.ends_with('\n') {
            lines.pop();
        }
        let one = |line: &&str| Ok((name, told.clone(), parse(Path::new(&told), line)?));
        return lines.iter().map(one).collect();
    }
    Ok(vec![(name, told.clone(), parse(Path::new(&told), text)?)])
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let unreadable = |cause| TaskError::Read {
        path: folder.to_owned(),
        cause,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        found.push(entry.map_err(unreadable)?.path());
    }
    found.sort();
    Ok(found)
}

fn parse(path: &Path, text: &str) -> Result<Value, TaskError> {
    serde_json::from_str(text).map_err(|error| TaskError::Json {
        path: path.to_owned(),
        text: error.to_string(),
    })
}

fn read(path: &Path) -> Result<String, TaskError> {
    fs::read_to_string(path).map_err(|cause| TaskError::Read {
        path: path.to_owned(),
        cause,
    })
}

fn write(path: &Path, text: &str) -> Result<(), TaskError> {
    fs::write(path, text).map_err(|cause| TaskError::Write {
        path: path.to_owned(),
        cause,
    })
}
