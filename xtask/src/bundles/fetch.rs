//! Gets a bundle through the Go module proxy, into Go's own cache.

use super::catalogue::Bundle;
use crate::{client::failed, error::TaskError, program};
use serde_json::{Value, json};
use stackctl_engine::digest::Digest;
use std::{fs, path::Path, process::Command};

/// Downloads its module unless it is in the cache, and proves that its files are those that were pinned; returns the
/// pattern of the files.
///
/// # Errors
/// When Go is missing, the proxy does not have it, or the files are others.
pub(super) fn fetch(bundle: &Bundle) -> Result<String, TaskError> {
    let mut go = Command::new("go");
    go.args(["mod", "download", "-json"])
        .arg(format!("{}@{}", bundle.module, bundle.version))
        // No module of the folder that this runs in may matter.
        .env("GOFLAGS", "-mod=mod")
        .current_dir(std::env::temp_dir());
    let told = program::output(&mut go, "; it needs Go (https://go.dev/dl) and a module proxy")?;
    let told: Value = serde_json::from_str(&told).map_err(|error| failed(&error))?;
    let Some(folder) = told["Dir"].as_str() else {
        return Err(failed(&format!("Go does not say where {} is", bundle.module)));
    };
    let pattern = format!("{folder}/{}", bundle.files);
    let digest = digest(Path::new(folder), &pattern)?;
    if digest == bundle.digest {
        Ok(pattern)
    } else {
        Err(failed(&format!(
            "the files `{pattern}` are not those that were pinned: {digest} where {} was expected",
            bundle.digest
        )))
    }
}

/// SHA-256 over the names and texts of all files, in the order of their names.
fn digest(folder: &Path, pattern: &str) -> Result<String, TaskError> {
    let mut files = Vec::new();
    for path in glob::glob(pattern).map_err(|error| failed(&error))? {
        let path = path.map_err(|error| failed(&error))?;
        let text = fs::read_to_string(&path).map_err(|cause| TaskError::Read {
            path: path.clone(),
            cause,
        })?;
        let name = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        files.push((name, text));
    }
    files.sort();
    Ok(Digest::of(&json!(files)).to_string())
}
