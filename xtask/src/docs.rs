//! `cargo xtask docs`: the pages that the code writes.

use crate::error::TaskError;
use stackctl_stacks::language;
use std::{fs, path::Path};

/// A page, and what makes it.
type Page = (&'static str, fn() -> String);

const PAGES: &[Page] = &[
    ("docs/stack.md", language::reference::page),
    ("docs/lints.md", language::lints_page),
];

/// Writes the pages, or with `check` only compares them.
pub(crate) fn run(root: &Path, check: bool) -> Result<String, TaskError> {
    for (name, page) in PAGES {
        let (path, page) = (root.join(name), page());
        if !check {
            fs::write(&path, page).map_err(|cause| TaskError::Write { path, cause })?;
        } else if fs::read_to_string(&path).map_err(|cause| TaskError::Read { path, cause })? != page {
            return Err(TaskError::StaleDocs { page: name });
        }
    }
    let names: Vec<&str> = PAGES.iter().map(|(name, _)| *name).collect();
    let did = if check { "are what the code says" } else { "are written" };
    Ok(format!("{} {did}", names.join(" and ")))
}
