//! Secrets: where a value that a manifest leaves open comes from.

use super::draft::{Draft, seconds, see};
use crate::stack::{GivenSecret, SecretRef};
use stackctl_engine::{
    Address, FieldPath, ObjectRef,
    late::{Encoding, Late, LateSource, SecretInput},
    readiness::{Matcher, Observation, Rule},
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
    match from {
        SecretRef::Given(from) => given(key, from, gate),
        SecretRef::Generate => Open {
            late: late(
                key,
                LateSource::Generated {
                    length: LENGTH,
                    unless_exists: kept_by,
                },
            ),
            gate: None,
        },
    }
}

/// Leaves `data[key]` of a Secret open for a value that somebody else decides.
pub(super) fn given(key: &str, from: &GivenSecret, gate: Address) -> Open {
    let (source, gate) = source(from, gate);
    Open {
        late: late(key, source),
        gate,
    }
}

/// Where a value comes from that somebody else decides, and the gate, at that address, where it is in another Secret.
pub(super) fn source(from: &GivenSecret, gate: Address) -> (LateSource, Option<Draft>) {
    let input = match from {
        GivenSecret::Env(name) => SecretInput::Environment(name.clone()),
        GivenSecret::File(path) => SecretInput::File(path.clone()),
        GivenSecret::Command(words) => SecretInput::Command(words.clone()),
        GivenSecret::Existing { namespace, name, key } => {
            let object = ObjectRef::namespaced("v1", "Secret", namespace.as_str(), name.as_str());
            let waits = Draft::gate(gate.clone(), vec![holds(object.clone(), key)])
                .within(seconds(60))
                .note(format!("waits for {object}"))
                .asks(asked(&object, key));
            let source = LateSource::Object {
                address: gate,
                object,
                path: data(key),
                encoding: Encoding::Base64,
            };
            return (source, Some(waits));
        }
    };
    (LateSource::Input(input), None)
}

fn late(key: &str, source: LateSource) -> Late {
    Late {
        path: data(key),
        source,
        encoding: Encoding::Base64,
        sensitive: true,
    }
}

/// A Secret has something under a key; no verdict quotes what.
pub(super) fn holds(secret: ObjectRef, key: &str) -> Observation {
    let there = Rule::Field {
        path: data(key),
        is: Matcher::NonEmpty,
    };
    see(secret, there)
}

/// What a person has to do who said that a Secret is there.
pub(super) fn asked(secret: &ObjectRef, key: &str) -> String {
    format!("create {secret} with the key `{key}`, or put the key into it")
}

/// One key of a Secret.
pub(super) fn data(key: &str) -> FieldPath {
    FieldPath::of("data").field(key)
}
