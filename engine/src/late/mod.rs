//! Values that exist only after something else is ready, or that nobody may see: what a manifest leaves open.
//!
//! Invariant: the text of a late value is never in a manifest, a plan, a state or a log; only its path and its source.

mod resolve;

pub use resolve::{LateError, Resolved, Secrets, resolve};
pub(crate) use resolve::{Text, all_read, text_of};

use crate::{FieldPath, address::Address, object_key::ObjectRef};
use std::{
    cmp::Ordering,
    fmt,
    path::{Path, PathBuf},
};

/// A path in a manifest and where its value will come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// Where the value goes.
    pub path: FieldPath,
    /// Where it comes from.
    pub source: LateSource,
    /// How it is written at `path`.
    pub encoding: Encoding,
    /// Whether people and files may see it.
    pub sensitive: bool,
}

/// How a resolved value is written into a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As text.
    Plain,
    /// In base64, as `data` of a Secret.
    Base64,
}

/// Where a late value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LateSource {
    /// The value in the live object, else drawn once: letters and digits only, `length` of them.
    ///
    /// While `unless_exists` is in the cluster and the live object is not, a new value would not be the one that
    /// `unless_exists` was made with: that is an error, never a new password.
    Generated {
        /// How many letters and digits to draw.
        length: usize,
        /// The object that keeps the value in use.
        unless_exists: Option<ObjectRef>,
    },
    /// A URL around the value of another late path of the same manifest; `{value}` stands for it, with every character
    /// escaped that would mean something else in a URL (<https://www.rfc-editor.org/rfc/rfc3986#section-2.3>).
    Template {
        /// The URL with `{value}` in it.
        text: String,
        /// The other late path.
        of: FieldPath,
    },
    /// A value in another object, once the resource at `address` is ready.
    Object {
        /// The resource that makes the value appear.
        address: Address,
        /// The object that holds it.
        object: ObjectRef,
        /// Where in that object.
        path: FieldPath,
        /// How it is written there.
        encoding: Encoding,
    },
    /// A secret that the person running us supplies; named, never held.
    Input(SecretInput),
}

/// A file that a stack names.
///
/// Two are equal, and have one digest, when the stack names them alike: where the stack file lies on this machine is no part
/// of what it says, and another machine has it elsewhere.
#[derive(Clone)]
pub struct SecretFile {
    named: String,
    path: PathBuf,
}

impl SecretFile {
    /// A file as a stack names it, and where it is from here.
    pub fn new(named: &str, path: PathBuf) -> Self {
        Self {
            named: named.to_owned(),
            path,
        }
    }

    /// Where it is from here.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl PartialEq for SecretFile {
    fn eq(&self, other: &Self) -> bool {
        self.named == other.named
    }
}

impl Eq for SecretFile {}

impl PartialOrd for SecretFile {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SecretFile {
    fn cmp(&self, other: &Self) -> Ordering {
        self.named.cmp(&other.named)
    }
}

/// As the stack names it, since digests are made of this.
impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.named.fmt(f)
    }
}

/// Where a person's secret is read from, at the moment it is needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretInput {
    /// An environment variable.
    Environment(String),
    /// A file.
    File(SecretFile),
    /// The standard output of a command and its arguments.
    Command(Vec<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_file_lies_is_no_part_of_what_a_stack_says_of_it() {
        let here = SecretFile::new("k.txt", PathBuf::from("k.txt"));
        let there = SecretFile::new("k.txt", PathBuf::from("/builds/7/k.txt"));
        assert_eq!(here, there);
        assert_eq!(format!("{here:?} {there:?}"), "\"k.txt\" \"k.txt\"");
        assert_ne!(here, SecretFile::new("other.txt", PathBuf::from("k.txt")));
    }
}
