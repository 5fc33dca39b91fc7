//! Whether every object that the catalogue compiles is valid against the true CRDs, unknown fields included.
//!
//! In: `examples/*/stack.toml`. Each is rendered by the binary on the facts of the embedded cluster, and the manifests
//! are judged by `../shared/tools/validate_crds.py`, which shares no code with the project. What is set on an object of
//! others is only a part of it, so there alone a required field may be missing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::TaskError;

/// What the judge needs besides Python itself.
const MODULES: &str = "import yaml, jsonschema, celpy";

/// Renders every example and has it judged; answers with the judge's last line.
///
/// # Errors
/// An example that cannot be rendered, or an object that is not valid.
pub(crate) fn run(root: &Path, tools: &Path) -> Result<String, TaskError> {
    let mut python = Command::new("python3");
    python.args(["-c", MODULES]).stderr(Stdio::null());
    output(
        &mut python,
        "; `python3 -m pip install pyyaml jsonschema cel-python` brings what it needs",
    )?;
    let folder = root.join("target/xtask/catalogue");
    fs::create_dir_all(&folder).map_err(|cause| TaskError::Write {
        path: folder.clone(),
        cause,
    })?;
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for example in examples(&root.join("examples"))? {
        let rendered = render(root, &example, &folder)?;
        whole.push(rendered.whole);
        parts.push(rendered.parts);
    }
    let told = output(judge(tools).args(&whole), "")?;
    no_problem_but_missing_fields(judge(tools).args(&parts))?;
    Ok(told.lines().last().unwrap_or_default().to_owned())
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

/// Renders one stack file into `folder`, and answers where.
fn render(root: &Path, stack: &Path, folder: &Path) -> Result<Rendered, TaskError> {
    let name = stack.parent().and_then(Path::file_name).unwrap_or_default();
    // A state of its own: an example must stay as it was checked out.
    let cluster = folder.join(name).with_extension("cluster");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut binary = Command::new(cargo);
    binary
        .current_dir(root)
        .args(["run", "--quiet", "--package", "stackctl", "--", "render"])
        .arg(stack);
    let mut simulate = std::ffi::OsString::from("--simulate=");
    simulate.push(&cluster);
    binary.arg(simulate);
    let manifests = output(&mut binary, "")?;
    let (parts, whole): (Vec<_>, Vec<_>) = manifests.split("---\n").partition(|manifest| manifest.contains(PART));
    let keep = |extension: &str, manifests: &[&str]| {
        let path = folder.join(name).with_extension(extension);
        match fs::write(&path, manifests.join("---\n")) {
            Ok(()) => Ok(path),
            Err(cause) => Err(TaskError::Write { path, cause }),
        }
    };
    Ok(Rendered {
        whole: keep("yaml", &whole)?,
        parts: keep("parts.yaml", &parts)?,
    })
}

/// Runs a program to its end and answers with what it prints; when it fails, that is in the error.
fn output(command: &mut Command, hint: &str) -> Result<String, TaskError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let words =
        std::iter::once(program.clone()).chain(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    let line = words.collect::<Vec<_>>().join(" ");
    let answer = command.output().map_err(|cause| TaskError::Start { program, cause })?;
    if answer.status.success() {
        return Ok(String::from_utf8_lossy(&answer.stdout).into_owned());
    }
    let told = [answer.stdout, answer.stderr].concat();
    Err(TaskError::Failed {
        program: line,
        told: String::from_utf8_lossy(&told).into_owned(),
        hint: hint.to_owned(),
    })
}
