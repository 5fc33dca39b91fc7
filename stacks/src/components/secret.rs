//! Secrets: where a value that a manifest leaves open comes from.

use super::draft::{Draft, seconds, see};
use crate::stack::SecretRef;
use stackctl_engine::{
    Address, FieldPath, ObjectRef,
    late::{Encoding, Late, LateSource, SecretInput},
    readiness::Rule,
};

/// How many letters and digits a password has that we draw (`reference/serving.md` §1.7).
const LENGTH: usize = 24;

/// A value that is left open, and the gate that waits for its source where that is another Secret.
pub(super) struct Open {
    /// The value.
    pub(super) late: Late,
    /// The gate.
    pub(super) gate: Option<Draft>,
}

/// Leaves `data[key]` of a Secret open.
///
/// `gate` is the address of the gate, should one be needed. `kept_by` is the object that goes on using a value that we
/// drew.
pub(super) fn open(key: &str, from: &SecretRef, gate: Address, kept_by: Option<ObjectRef>) -> Open {
    let mut waits = None;
    let source = match from {
        SecretRef::Env(name) => LateSource::Input(SecretInput::Environment(name.clone())),
        SecretRef::File(path) => LateSource::Input(SecretInput::File(path.display().to_string())),
        SecretRef::Command(words) => LateSource::Input(SecretInput::Command(words.clone())),
        SecretRef::Generate => LateSource::Generated {
            length: LENGTH,
            unless_exists: kept_by,
        },
        SecretRef::Existing { namespace, name, key } => {
            let object = ObjectRef::namespaced("v1", "Secret", namespace.as_str(), name.as_str());
            waits = Some(
                Draft::gate(gate.clone(), vec![see(object.clone(), Rule::Exists)])
                    .within(seconds(60))
                    .note(format!("waits for {object}")),
            );
            LateSource::Object {
                address: gate,
                object,
                path: data(key),
                encoding: Encoding::Base64,
            }
        }
    };
    Open {
        late: Late {
            path: data(key),
            source,
            encoding: Encoding::Base64,
            sensitive: true,
        },
        gate: waits,
    }
}

/// One key of a Secret.
pub(super) fn data(key: &str) -> FieldPath {
    FieldPath::of("data").field(key)
}
