//! `cargo xtask docs`: the page of the stack language.

use crate::error::TaskError;
use std::{fs, path::Path};

/// Writes `docs/stack.md`, or with `check` only compares it.
pub(crate) fn run(root: &Path, check: bool) -> Result<String, TaskError> {
    let path = root.join("docs/stack.md");
    let page = stackctl_stacks::language::reference::page();
    if check {
        let found = fs::read_to_string(&path).map_err(|cause| TaskError::Read { path, cause })?;
        return if found == page {
            Ok("docs/stack.md is what the code says".to_owned())
        } else {
            Err(TaskError::StaleDocs)
        };
    }
    fs::write(&path, page).map_err(|cause| TaskError::Write { path, cause })?;
    Ok("wrote docs/stack.md".to_owned())
}
