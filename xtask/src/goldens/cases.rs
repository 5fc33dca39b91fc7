//! Which golden cases there are: each has a stack of ours.
//!
//! In: the folder of golden objects, and `tests/golden` of the project. A case file is a stack, layered on `base.toml`;
//! its first line may name one more layer between the two, `# on: common/maas.toml`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::error::TaskError;

/// A golden case that has a stack.
#[derive(Debug)]
pub(crate) struct Case {
    /// As `nfd/operator`.
    pub(crate) name: String,
    /// The manual's objects.
    pub(crate) golden: PathBuf,
    /// The layers of the stack, in order.
    pub(crate) layers: Vec<PathBuf>,
    /// What the invented cluster says.
    pub(crate) facts: Value,
}

/// All cases.
#[derive(Debug)]
pub(crate) struct Cases {
    /// Those that are compared.
    pub(crate) ready: Vec<Case>,
    /// What is wrong with the list.
    pub(crate) problems: Vec<String>,
}

/// Finds every case.
///
/// # Errors
/// When a file cannot be read or is something else.
pub(crate) fn find(ours: &Path, golden: &Path) -> Result<Cases, TaskError> {
    let theirs = names(golden, ".inputs.yaml")?;
    let stacks = names(ours, ".toml")?;
    let facts = json(&ours.join("facts.json"))?;
    let mut problems = problems(&theirs, &stacks);
    let mut ready = Vec::new();
    for name in stacks.intersection(&theirs) {
        let stack = ours.join(format!("{name}.toml"));
        let mut layers = vec![ours.join("base.toml")];
        if let Some(below) = layer(&read(&stack)?) {
            layers.push(ours.join(below));
        }
        layers.push(stack);
        for layer in layers.iter().filter(|layer| !layer.is_file()) {
            problems.push(format!("{name}: there is no file {}", layer.display()));
        }
        let own = ours.join(format!("{name}.facts.json"));
        let mut facts = facts.clone();
        if own.is_file()
            && let (Value::Object(facts), Value::Object(own)) = (&mut facts, json(&own)?)
        {
            facts.extend(own);
        }
        ready.push(Case {
            name: name.clone(),
            golden: golden.join(format!("{name}.yaml")),
            layers,
            facts,
        });
    }
    Ok(Cases { ready, problems })
}

/// What is wrong with the stacks: each golden case has one, and there are no others.
fn problems(theirs: &BTreeSet<String>, stacks: &BTreeSet<String>) -> Vec<String> {
    let mut problems = Vec::new();
    for name in theirs.difference(stacks) {
        problems.push(format!("{name}: has no stack; write tests/golden/{name}.toml"));
    }
    for name in stacks.difference(theirs).filter(|name| !name.starts_with("common/")) {
        problems.push(format!("tests/golden/{name}.toml: there is no such golden case"));
    }
    problems
}

/// The layer that a case file stands on, besides the base.
fn layer(text: &str) -> Option<&str> {
    text.lines().next()?.strip_prefix("# on: ").map(str::trim)
}

/// The cases of a folder, `<component>/<case>`, that have a file with this ending.
fn names(folder: &Path, ending: &str) -> Result<BTreeSet<String>, TaskError> {
    let mut names = BTreeSet::new();
    for component in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        for file in entries(&component)? {
            let text = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(case) = text(&file).strip_suffix(ending) {
                names.insert(format!("{}/{case}", text(&component)));
            }
        }
    }
    Ok(names)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let failed = |cause| TaskError::Read {
        path: folder.to_owned(),
        cause,
    };
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
}

fn json(path: &Path) -> Result<Value, TaskError> {
    serde_json::from_str(&read(path)?).map_err(|error| TaskError::Json {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_golden_case_has_a_stack_and_no_stack_is_for_nothing() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(
            problems(&set(&["a/one", "a/two"]), &set(&["a/one", "b/x", "common/y"])),
            [
                "a/two: has no stack; write tests/golden/a/two.toml",
                "tests/golden/b/x.toml: there is no such golden case",
            ]
        );
    }

    #[test]
    fn the_first_line_may_name_a_layer() {
        assert_eq!(layer("# on: common/maas.toml\n[tls]\n"), Some("common/maas.toml"));
        assert_eq!(layer("# The base is all.\n# on: common/maas.toml\n"), None);
    }
}
