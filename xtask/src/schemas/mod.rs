//! The condensed schemas that the simulator ships: written from the true CRDs, and compared with them.
//!
//! In: `../shared/crds/<group>/<plural>.yaml` (aggregated kinds under `_aggregated/`).
//! Out: `providers/simulator/src/schemas/data/*.json`.
//!
//! `--check` writes nothing: it makes every file anew and fails when one differs, so a fact that is in both can never
//! disagree.

mod condense;
mod kinds;
mod print;
mod share;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::error::TaskError;

/// Where the data files are, from the root of the project.
const DATA: &str = "providers/simulator/src/schemas/data";

/// Whether files are written or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Writes every data file.
    Write,
    /// Compares every data file with what would be written.
    Check,
}

/// Generates or checks the data files from the CRDs in `crds`; answers with a sentence for people.
///
/// # Errors
/// A CRD that cannot be read or condensed, or, in check mode, the first line of every file that differs.
pub(crate) fn run(root: &Path, crds: &Path, mode: Mode) -> Result<String, TaskError> {
    let mut stale = Vec::new();
    let mut n_bytes = 0;
    let mut n_crds = 0;
    for file in kinds::FILES {
        let mut condensed = BTreeMap::new();
        for name in file.crds {
            condensed.insert((*name).to_owned(), condensed_crd(crds, name)?);
        }
        n_crds += condensed.len();
        let text = print::file(&share::file(&condensed));
        n_bytes += text.len();
        let path = root.join(DATA).join(format!("{}.json", file.name));
        match mode {
            Mode::Write => fs::write(&path, text).map_err(|cause| TaskError::Write { path, cause })?,
            Mode::Check => {
                let present = fs::read_to_string(&path).unwrap_or_default();
                if let Some(line) = first_difference(&present, &text) {
                    stale.push(format!("{}:{line}", path.display()));
                }
            }
        }
    }
    if stale.is_empty() {
        Ok(format!(
            "{n_crds} CRDs in {} files, {} KiB",
            kinds::FILES.len(),
            n_bytes / 1024
        ))
    } else {
        Err(TaskError::StaleSchemas { places: stale })
    }
}

/// The number of the first line in which the two differ.
fn first_difference(present: &str, wanted: &str) -> Option<usize> {
    if present == wanted {
        return None;
    }
    let same = present
        .lines()
        .zip(wanted.lines())
        .take_while(|(left, right)| left == right)
        .count();
    Some(same + 1)
}

fn condensed_crd(crds: &Path, name: &str) -> Result<Value, TaskError> {
    let (path, aggregated) = path_of(crds, name)?;
    let text = fs::read_to_string(&path).map_err(|cause| TaskError::Read {
        path: path.clone(),
        cause,
    })?;
    let source = yaml(&text).map_err(|text| TaskError::Yaml {
        path: path.clone(),
        text,
    })?;
    let cuts = kinds::CUTS
        .iter()
        .find(|(crd, _)| *crd == name)
        .map_or(&[] as &[_], |(_, cuts)| cuts);
    condense::crd(&source, cuts, aggregated).map_err(|text| TaskError::Crd { path, text })
}

/// The file of a CRD named `<plural>.<group>`, and whether an aggregated server serves it.
fn path_of(crds: &Path, name: &str) -> Result<(PathBuf, bool), TaskError> {
    let (plural, group) = name.split_once('.').unwrap_or((name, ""));
    let own = crds.join(group).join(format!("{plural}.yaml"));
    let aggregated = crds.join("_aggregated").join(group).join(format!("{plural}.yaml"));
    match (own.is_file(), aggregated.is_file()) {
        (true, _) => Ok((own, false)),
        (false, true) => Ok((aggregated, true)),
        (false, false) => Err(TaskError::NoCrd {
            name: name.to_owned(),
            folder: crds.to_owned(),
        }),
    }
}

/// Reads YAML of any size: the largest CRD has two megabytes, far beyond what the parser allows by default.
fn yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! { budget: None };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}
