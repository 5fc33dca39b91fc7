//! `cargo xtask consumers`: a published reader of Terraform plans reads ours, and finds the changes that we count.
//!
//! The reader is tf-summarize, which stands on HashiCorp's own types of a plan (terraform-json) and which people put into
//! pull requests. `tests/consumers` pins it, with the digest of every module; Go brings it once.

use crate::{error::TaskError, program};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The package that Go builds.
const READER: &str = "github.com/dineshba/tf-summarize";

const STACK: &str = r#"[stack]
name = "read-by-others"

[[manifests]]
name = "parts"
path = "parts.yaml"
"#;
const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: parts}\n";

/// Which addresses a reader finds to be dealt with in which way.
type Found = BTreeMap<&'static str, BTreeSet<String>>;

/// Lets the reader read plans that make, change, replace, delete and run.
///
/// # Errors
/// Without Go; and for a plan in which the reader finds other changes than it counts.
pub(crate) fn run(root: &Path) -> Result<String, TaskError> {
    let reader = reader(root)?;
    let stackctl = program::stackctl(root)?;
    let folder = root.join("target/consumers/stack");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|cause| TaskError::Write {
            path: folder.clone(),
            cause,
        })?;
    }
    fs::create_dir_all(&folder).map_err(|cause| TaskError::Write {
        path: folder.clone(),
        cause,
    })?;
    let quickstart = root.join("examples/quickstart/stack.toml");
    put(&folder, "quickstart.toml", &read(&quickstart)?)?;
    put(&folder, "stack.toml", STACK)?;
    put(
        &folder,
        "parts.yaml",
        &parts(&[("changed", 1), ("gone", 1), ("made-again", 1), ("kept", 1)]),
    )?;
    let stackctl = |arguments: &[&str]| {
        let mut command = Command::new(&stackctl);
        command
            .current_dir(&folder)
            .args(arguments)
            .args(["--simulate", "--simulate-speed", "1000"]);
        program::output(&mut command, "")
    };
    let mut n_changes = BTreeMap::new();
    let mut check = |name: &str, plan: &str| -> Result<(), TaskError> {
        put(&folder, "plan.json", plan)?;
        let theirs = found(&program::output(
            Command::new(&reader).current_dir(&folder).args(["-md", "plan.json"]),
            "",
        )?);
        let ours = counted(plan, &folder.join("plan.json"))?;
        if ours != theirs {
            return Err(TaskError::Misread {
                plan: name.to_owned(),
                ours: format!("{ours:?}"),
                theirs: format!("{theirs:?}"),
            });
        }
        for (word, addresses) in ours {
            *n_changes.entry(word).or_insert(0) += addresses.len();
        }
        Ok(())
    };
    check("of the quickstart", &stackctl(&["plan", "quickstart.toml", "--json"])?)?;
    stackctl(&["apply", "stack.toml", "--yes"])?;
    put(
        &folder,
        "parts.yaml",
        &parts(&[("changed", 2), ("made-again", 1), ("kept", 1), ("new", 1)]),
    )?;
    let again = r#"manifests[parts].configmap["parts/made-again"]"#;
    stackctl(&["plan", "stack.toml", "--replace", again, "-o", "life.plan"])?;
    check("of a change", &stackctl(&["show", "life.plan", "--json"])?)?;
    check(
        "of a destroy",
        &stackctl(&["plan", "stack.toml", "--destroy", "--json"])?,
    )?;
    for word in ["add", "update", "recreate", "delete"] {
        if !n_changes.contains_key(word) {
            return Err(TaskError::Misread {
                plan: "that has each kind of change".to_owned(),
                ours: "none is there".to_owned(),
                theirs: word.to_owned(),
            });
        }
    }
    let told: Vec<_> = n_changes.iter().map(|(word, n)| format!("{n} {word}")).collect();
    Ok(format!("{READER} reads three plans as we do: {}", told.join(", ")))
}

/// Builds the reader, once for each version, and answers where it is.
fn reader(root: &Path) -> Result<PathBuf, TaskError> {
    let module = root.join("tests/consumers");
    let requirements = read(&module.join("go.mod"))?;
    let version = requirements
        .lines()
        .find_map(|line| line.strip_prefix("require ")?.strip_prefix(READER))
        .unwrap_or_default()
        .trim();
    let program = root.join(format!("target/consumers/tf-summarize-{version}"));
    if !program.exists() {
        let mut go = Command::new("go");
        go.current_dir(&module)
            .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o"])
            .arg(&program)
            .arg(READER);
        program::output(
            &mut go,
            "; it builds a reader of Terraform plans from the Go module proxy",
        )?;
    }
    Ok(program)
}

/// The rows of the reader's table: the word stands in the first row of its group.
fn found(table: &str) -> Found {
    let mut found = Found::new();
    let mut word = None;
    for row in table.lines().skip(2) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, first, address, _] = cells.as_slice() else {
            continue;
        };
        word = match *first {
            "" => word,
            "add" => Some("add"),
            "update" => Some("update"),
            "recreate" => Some("recreate"),
            "delete" => Some("delete"),
            "import" => Some("import"),
            _ => None,
        };
        let address = address.trim_matches('`').to_owned();
        found.entry(word.unwrap_or("unknown")).or_default().insert(address);
    }
    found
}

/// What our own words say; they stand beside Terraform's, which alone the reader knows.
fn counted(plan: &str, path: &Path) -> Result<Found, TaskError> {
    let plan: Value = serde_json::from_str(plan).map_err(|error| TaskError::Json {
        path: path.to_owned(),
        text: error.to_string(),
    })?;
    let mut counted = Found::new();
    for change in plan["resource_changes"].as_array().into_iter().flatten() {
        let address = change["address"].as_str().unwrap_or_default();
        let words: &[&str] = match (
            change["action"].as_str().unwrap_or_default(),
            change["node"].as_str().unwrap_or_default(),
        ) {
            ("create", _) => &["add"],
            ("update" | "run", _) | ("release", "overlay") => &["update"],
            ("adopt", _) => &["update", "import"],
            ("replace", _) => &["recreate"],
            ("delete", _) => &["delete"],
            _ => &[],
        };
        for word in words {
            counted.entry(word).or_default().insert(address.to_owned());
        }
    }
    Ok(counted)
}

fn parts(maps: &[(&str, u8)]) -> String {
    let map = |(name, says): &(&str, u8)| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: parts}}\ndata: {{says: \"{says}\"}}\n"
        )
    };
    std::iter::once(NAMESPACE.to_owned())
        .chain(maps.iter().map(map))
        .collect()
}

fn put(folder: &Path, name: &str, text: &str) -> Result<(), TaskError> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(|cause| TaskError::Write { path, cause })
}

fn read(path: &Path) -> Result<String, TaskError> {
    fs::read_to_string(path).map_err(|cause| TaskError::Read {
        path: path.to_owned(),
        cause,
    })
}
