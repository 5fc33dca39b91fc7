//! The files of one version of a stack: on disk, or in a revision of Git.
//!
//! Invariants:
//! - Everything that a stack file names is read from the version that the stack file is of.
//! - Names are as a person typed them; where they are looked up, only this module knows.
//! - Of a revision nothing is checked out, and no filter of the repository runs.

mod git;

pub use git::Revision;

use glob::{MatchOptions, Pattern};
use std::{
    io,
    path::{Component, Path, PathBuf},
};

/// Why the files that a pattern fits are not known.
#[derive(Debug, thiserror::Error)]
pub enum MatchError {
    /// It is no pattern.
    #[error(transparent)]
    NoPattern(#[from] glob::PatternError),
    /// A directory cannot be read.
    #[error(transparent)]
    Unreadable(#[from] glob::GlobError),
}

/// Where the files of a version are.
#[derive(Clone, Debug)]
pub enum Files {
    /// On disk; relative names start from this directory, or from the current one.
    Disk(Option<PathBuf>),
    /// In a revision of Git.
    Revision(Box<Revision>),
}

impl Files {
    /// The files as they are, where we are.
    pub const HERE: Self = Self::Disk(None);

    /// Reads a file of text.
    ///
    /// # Errors
    /// As for a file on disk.
    pub fn read_to_string(&self, path: &Path) -> io::Result<String> {
        match self {
            Self::Disk(root) => std::fs::read_to_string(on_disk(root.as_deref(), path)),
            Self::Revision(revision) => revision.read_to_string(path),
        }
    }

    /// Whether a directory is there.
    pub fn is_dir(&self, path: &Path) -> bool {
        match self {
            Self::Disk(root) => on_disk(root.as_deref(), path).is_dir(),
            Self::Revision(revision) => revision.below(path).next().is_some(),
        }
    }

    /// Whether something is there.
    pub fn exists(&self, path: &Path) -> bool {
        match self {
            Self::Disk(root) => on_disk(root.as_deref(), path).exists(),
            Self::Revision(revision) => revision.holds(path) || self.is_dir(path),
        }
    }

    /// The files that stand right in a directory, in no order.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn files_in(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        match self {
            Self::Disk(root) => {
                let mut found = Vec::new();
                for entry in std::fs::read_dir(on_disk(root.as_deref(), directory))? {
                    let entry = entry?;
                    if entry.path().is_file() {
                        found.push(directory.join(entry.file_name()));
                    }
                }
                Ok(found)
            }
            Self::Revision(revision) => {
                let right_in = revision.below(directory).filter(|rest| rest.components().count() == 1);
                Ok(right_in.map(|rest| directory.join(rest)).collect())
            }
        }
    }

    /// The files that a pattern fits, in no order.
    ///
    /// # Errors
    /// A pattern that is none, and a directory that cannot be read.
    pub fn matching(&self, pattern: &Path) -> Result<Vec<PathBuf>, MatchError> {
        match self {
            Self::Disk(root) => {
                let mut asked = pattern.to_string_lossy().into_owned();
                if let Some(root) = root.as_ref().filter(|_| pattern.is_relative()) {
                    asked = format!("{}/{asked}", Pattern::escape(&root.to_string_lossy()));
                }
                let mut found = Vec::new();
                for path in glob::glob(&asked)? {
                    let path = path?;
                    if path.is_file() {
                        let below = root.as_ref().and_then(|root| path.strip_prefix(root).ok());
                        found.push(below.map_or(path.clone(), Path::to_path_buf));
                    }
                }
                Ok(found)
            }
            Self::Revision(revision) => {
                // What is before the first special character is a directory, whose name is looked up as any other.
                let text = pattern.to_string_lossy().into_owned();
                let special = text.find(['*', '?', '[']).unwrap_or(text.len());
                let (front, rest) = text.split_at(text[..special].rfind('/').map_or(0, |slash| slash + 1));
                let options = MatchOptions {
                    case_sensitive: true,
                    require_literal_separator: true,
                    require_literal_leading_dot: false,
                };
                let rest = Pattern::new(rest)?;
                let fits = |path: &&Path| rest.matches_path_with(path, options);
                let front = Path::new(front);
                Ok(revision
                    .below(front)
                    .filter(fits)
                    .map(|path| front.join(path))
                    .collect())
            }
        }
    }
}

fn on_disk(root: Option<&Path>, path: &Path) -> PathBuf {
    root.map_or_else(|| path.to_path_buf(), |root| root.join(path))
}

/// A path without `.` and `..`, as text says it: nothing is looked up. Nothing where it leaves the root.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => plain.push(component),
        }
    }
    Some(plain)
}
