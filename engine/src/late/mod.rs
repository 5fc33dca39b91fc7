//! Values that exist only after something else is ready, or that nobody may see: what a manifest leaves open.
//!
//! Invariant: the text of a late value is never in a manifest, a plan, a state or a log; only its path and its source.

mod resolve;

pub use resolve::{LateError, Resolved, Secrets, resolve};
pub(crate) use resolve::{Text, all_read, text_of};

use crate::{FieldPath, address::Address, object_key::ObjectRef};

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

/// Where a person's secret is read from, at the moment it is needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretInput {
    /// An environment variable.
    Environment(String),
    /// A file.
    File(String),
    /// The standard output of a command and its arguments.
    Command(Vec<String>),
}
