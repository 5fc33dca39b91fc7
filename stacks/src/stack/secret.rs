//! Where a secret's value is found; never the value.

use stackctl_engine::late::SecretFile;

use super::{NamespaceName, ObjectName};

/// Where the value of a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// From somebody else.
    Given(GivenSecret),
    /// Drawn once and kept in the cluster.
    Generate,
}

/// Where a secret that somebody else decides is found when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenSecret {
    /// In an environment variable of the process.
    Env(String),
    /// In a file, relative to the stack file that names it.
    File(SecretFile),
    /// In what a program prints: the program and its arguments, at least the former.
    Command(Vec<String>),
    /// In a Secret that is already in the cluster.
    Existing {
        /// The namespace of the Secret.
        namespace: NamespaceName,
        /// The name of the Secret.
        name: ObjectName,
        /// The key in the Secret.
        key: String,
    },
}
