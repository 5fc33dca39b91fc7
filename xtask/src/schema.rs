//! Whether every object that the catalogue compiles is valid against the true CRDs, unknown fields included.
//!
//! In: the examples and the stacks of the catalogue's own tests, rendered by the binary on the facts of the embedded
//! cluster, and the stacks of `tests/golden`, on those of the golden cluster. The manifests are judged by `../shared/tools/validate_crds.py`, which
//! shares no code with the project. What is set on an object of others is only a part of it, so there alone a required
//! field may be missing. What several stacks have alike is judged once.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::TaskError,
    goldens,
    program::{self, output},
};

/// What the judge needs besides Python itself: modules, and the packages that bring them.
const MODULES: [(&str, &str); 3] = [
    ("yaml", "pyyaml"),
    ("jsonschema", "jsonschema"),
    ("celpy", "cel-python"),
];

/// Renders every stack and has it judged; answers with the judge's last line.
///
/// # Errors
/// A stack that cannot be rendered, or an object that is not valid.
pub(crate) fn run(root: &Path, shared: &Path) -> Result<String, TaskError> {
    program::python_has(&MODULES)?;
    let stackctl = program::stackctl(root)?;
    let folder = root.join("target/xtask/schema");
    let mut rendered = Rendered::default();
    let mut stacks = examples(&root.join("examples"))?;
    stacks.extend(OF_TESTS.iter().map(|name| Layers {
        name: (*name).to_owned(),
        files: vec![root.join("stacks/src/components/tests").join(format!("{name}.toml"))],
    }));
    for stack in stacks {
        let stem = folder.join("stacks").join(&stack.name);
        rendered.add(&render(&stackctl, &stack, &stem)?, &stem)?;
    }
    let cases = goldens::find(&root.join("tests/golden"), &shared.join("golden"))?;
    for case in &cases.ready {
        rendered.add(&goldens::render(&stackctl, case, &folder)?, &folder.join(&case.name))?;
    }
    let tools = shared.join("tools");
    let told = output(judge(&tools).args(&rendered.whole), "")?;
    no_problem_but_missing_fields(judge(&tools).args(&rendered.parts))?;
    Ok(format!(
        "{} ({} stacks)",
        told.lines().last().unwrap_or_default(),
        rendered.n_stacks
    ))
}

fn judge(tools: &Path) -> Command {
    let mut judge = Command::new("python3");
    judge
        .arg(tools.join("validate_crds.py"))
        .arg("--crds")
        .arg(tools.join("../crds"));
    judge
}

/// Passes if every problem that the judge has with parts of objects is a required field that the rest of them has.
fn no_problem_but_missing_fields(judge: &mut Command) -> Result<(), TaskError> {
    match output(judge, "") {
        Err(TaskError::Failed { told, .. }) if told.lines().filter(is_problem).all(is_missing_field) => Ok(()),
        other => other.map(drop),
    }
}

/// The judge says each problem as `<file>#<document>: <object>: <problem>`, and two sums at the end.
fn is_problem(line: &&str) -> bool {
    !line.starts_with("schema: ") && !line.starts_with("cel: ")
}

fn is_missing_field(line: &str) -> bool {
    line.ends_with("is a required property")
}

/// The stacks of the catalogue's tests, which have what no example has.
const OF_TESTS: &[&str] = &["additions", "serving"];

/// A stack of one or several files.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Layers {
    name: String,
    files: Vec<PathBuf>,
}

/// The examples by name: a folder has a `stack.toml`, or a `base.toml` that each other file is laid upon.
fn examples(folder: &Path) -> Result<Vec<Layers>, TaskError> {
    let mut stacks = Vec::new();
    for example in entries(folder)? {
        let name = example.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (stack, base) = (example.join("stack.toml"), example.join("base.toml"));
        if stack.is_file() {
            let files = vec![stack];
            stacks.push(Layers { name, files });
        } else if base.is_file() {
            for layer in entries(&example)? {
                if layer != base && layer.extension().is_some_and(|extension| extension == "toml") {
                    let stem = layer.file_stem().unwrap_or_default().to_string_lossy();
                    stacks.push(Layers {
                        name: format!("{name}-{stem}"),
                        files: vec![base.clone(), layer.clone()],
                    });
                }
            }
        }
    }
    stacks.sort();
    Ok(stacks)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let failed = |cause| TaskError::Read {
        path: folder.to_owned(),
        cause,
    };
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
}

/// How `stackctl render` marks what is a part of an object.
const PART: &str = "(fields of an object of others)\n";

/// Files of manifests, each manifest in one of them.
#[derive(Default)]
struct Rendered {
    n_stacks: usize,
    /// Objects that are made.
    whole: Vec<PathBuf>,
    /// Fields that are set on objects of others.
    parts: Vec<PathBuf>,
    seen: BTreeSet<String>,
}

impl Rendered {
    /// Writes what a stack has and none before it had; `stem` begins the names of the files.
    fn add(&mut self, manifests: &str, stem: &Path) -> Result<(), TaskError> {
        self.n_stacks += 1;
        let new = manifests
            .split("---\n")
            .filter(|manifest| !manifest.trim().is_empty() && self.seen.insert((*manifest).to_owned()));
        let (parts, whole): (Vec<_>, Vec<_>) = new.partition(|manifest| manifest.contains(PART));
        for (manifests, extension, paths) in [
            (whole, ".yaml", &mut self.whole),
            (parts, ".parts.yaml", &mut self.parts),
        ] {
            if manifests.is_empty() {
                continue;
            }
            let mut path = stem.as_os_str().to_owned();
            path.push(extension);
            let path = PathBuf::from(path);
            goldens::write(&path, &manifests.join("---\n"))?;
            paths.push(path);
        }
        Ok(())
    }
}

/// Renders one stack on the facts of the embedded cluster.
fn render(stackctl: &Path, stack: &Layers, stem: &Path) -> Result<String, TaskError> {
    // A state of its own: an example must stay as it was checked out.
    let mut simulate = std::ffi::OsString::from("--simulate=");
    simulate.push(stem.with_extension("cluster"));
    let mut binary = Command::new(stackctl);
    binary.arg("render").args(&stack.files).arg(simulate);
    output(&mut binary, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_field_is_forgiven_to_a_part() {
        assert!(is_missing_field("a.yaml#1: Limitador a: 'spec' is a required property"));
        assert!(!is_missing_field(
            "a.yaml#1: Limitador a: spec.telemetry: 'x' is not one of"
        ));
        assert!(!is_problem(&"schema: 3/3 objects valid") && is_problem(&"a.yaml#1: x"));
    }
}
