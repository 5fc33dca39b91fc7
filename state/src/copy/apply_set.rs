//! The `ApplySet` that a stack is to other tools: the Secret that leads a copy is its parent.
//!
//! The form is that of KEP-3659 (<https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune>);
//! ssa-semantics §14 says what a real kubectl makes of it: it refuses to prune a set that another tool tends.

use crate::recorded::State;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use stackctl_engine::{ObjectRef, digest::Digest, recorded::RecordedNode};
use std::collections::BTreeSet;

/// Marks a parent with its id and with what its set holds.
pub(super) fn mark(parent: &mut Value, object: &ObjectRef, state: &State) {
    let mut kinds = BTreeSet::new();
    let mut namespaces = BTreeSet::new();
    let intended = state.open_intents().iter().filter_map(|intent| match intent {
        stackctl_engine::execute::Intent::Write(record) => Some(record.as_ref()),
        _ => None,
    });
    for record in state.recorded().values().chain(intended) {
        let RecordedNode::Object(written) = &record.node else {
            continue;
        };
        let kind = written.object.object_type.group_kind();
        kinds.insert(match kind.group.as_str() {
            "" => kind.kind,
            group => format!("{}.{group}", kind.kind),
        });
        namespaces.extend(written.object.namespace.clone());
    }
    let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(",");
    let metadata = &mut parent["metadata"];
    metadata["labels"]["applyset.kubernetes.io/id"] = json!(id(object));
    let annotations = &mut metadata["annotations"];
    annotations["applyset.kubernetes.io/tooling"] = json!(concat!("stackctl/v", env!("CARGO_PKG_VERSION")));
    annotations["applyset.kubernetes.io/contains-group-kinds"] = json!(list(kinds));
    annotations["applyset.kubernetes.io/additional-namespaces"] = json!(list(namespaces));
}

/// `applyset-<base64url of SHA-256 of name.namespace.kind.group>-v1`.
fn id(parent: &ObjectRef) -> String {
    let of = &parent.object_type;
    let namespace = parent.namespace.as_deref().unwrap_or_default();
    let text = format!("{}.{namespace}.{}.{}", parent.name, of.kind, of.group());
    let digest = Digest::of_bytes(text.as_bytes());
    format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(digest.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_the_proposal_says() {
        let parent = ObjectRef::namespaced("v1", "Secret", "stackctl", "stack.demo");
        let id = id(&parent);
        assert_eq!(id.len(), 55);
        assert!(id.starts_with("applyset-") && id.ends_with("-v1"), "{id}");
    }
}
