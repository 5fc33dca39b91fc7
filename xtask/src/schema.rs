//! Whether every object that the catalogue compiles is valid against the true CRDs, unknown fields included.
//!
//! In: `examples/*/stack.toml`, rendered by the binary on the facts of the embedded cluster, and the stacks of
//! `tests/golden`, on those of the golden cluster. The manifests are judged by `../shared/tools/validate_crds.py`, which shares no code with the project. What is set on an object of
//! others is only a part of it, so there alone a required field may be missing.

use std::{
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
    let mut rendered = Vec::new();
    for example in examples(&root.join("examples"))? {
        rendered.push(render(&stackctl, &example, &folder)?);
    }
    let cases = goldens::find(&root.join("tests/golden"), &shared.join("golden"))?;
    for case in &cases.ready {
        let manifests = goldens::render(&stackctl, case, &folder)?;
        rendered.push(split(&manifests, &folder.join(&case.name))?);
    }
    let n_stacks = rendered.len();
    let (whole, parts): (Vec<_>, Vec<_>) = rendered.into_iter().map(|one| (one.whole, one.parts)).unzip();
    let tools = shared.join("tools");
    let told = output(judge(&tools).args(&whole), "")?;
    no_problem_but_missing_fields(judge(&tools).args(&parts))?;
    Ok(format!(
        "{} ({n_stacks} stacks)",
        told.lines().last().unwrap_or_default()
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

/// The stack files of the examples, by name.
fn examples(folder: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let failed = |cause| TaskError::Read {
        path: folder.to_owned(),
        cause,
    };
    let mut stacks = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let stack = entry.map_err(failed)?.path().join("stack.toml");
        if stack.is_file() {
            stacks.push(stack);
        }
    }
    stacks.sort();
    Ok(stacks)
}

/// Two files of manifests.
struct Rendered {
    /// Objects that are made.
    whole: PathBuf,
    /// Fields that are set on objects of others.
    parts: PathBuf,
}

/// How `stackctl render` marks what is a part of an object.
const PART: &str = "(fields of an object of others)\n";

/// Renders one example into `folder`, on the facts of the embedded cluster.
fn render(stackctl: &Path, stack: &Path, folder: &Path) -> Result<Rendered, TaskError> {
    let name = stack.parent().and_then(Path::file_name).unwrap_or_default();
    let stem = folder.join("examples").join(name);
    // A state of its own: an example must stay as it was checked out.
    let mut simulate = std::ffi::OsString::from("--simulate=");
    simulate.push(stem.with_extension("cluster"));
    let mut binary = Command::new(stackctl);
    binary.arg("render").arg(stack).arg(simulate);
    split(&output(&mut binary, "")?, &stem)
}

/// Writes manifests into two files.
fn split(manifests: &str, stem: &Path) -> Result<Rendered, TaskError> {
    let (parts, whole): (Vec<_>, Vec<_>) = manifests.split("---\n").partition(|manifest| manifest.contains(PART));
    let keep = |extension: &str, manifests: &[&str]| {
        let mut path = stem.as_os_str().to_owned();
        path.push(extension);
        let path = PathBuf::from(path);
        goldens::write(&path, &manifests.join("---\n")).map(|()| path)
    };
    Ok(Rendered {
        whole: keep(".yaml", &whole)?,
        parts: keep(".parts.yaml", &parts)?,
    })
}
