//! The marks that say whose an object is, and the proof that one is ours.
//!
//! Invariant: a label alone proves nothing, because controllers copy labels to what they make (DESIGN §5).

use crate::{
    address::Address,
    object_key::ObjectRef,
    ownership::{managed_entries, owns_by_apply},
    recorded::{Recorded, RecordedNode},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The label that a list of a stack's objects selects by.
pub const STACK_LABEL: &str = "stackctl.dev/stack";
const ADDRESS: &str = "stackctl.dev/address";
const OBJECT: &str = "stackctl.dev/object";
const LINEAGE: &str = "stackctl.dev/lineage";
/// Left on what we made and let stay: the stack, and the object, so that a copy of it proves nothing.
const MADE_BY: &str = "stackctl.dev/made-by";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label of everything that this program makes, and its value.
pub const MANAGED_BY_US: (&str, &str) = (MANAGED_BY, "stackctl");
/// The longest name of a field manager, in bytes (ssa-semantics §8).
const LONGEST_MANAGER: usize = 128;

/// Whether a field manager is ours, of whatever stack.
pub fn is_ours(manager: &str) -> bool {
    manager.starts_with("stackctl/")
}

/// Who we are to the cluster: a stack, and the line of states that it descends from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The stack's name.
    pub stack: String,
    /// The lineage of its state.
    pub lineage: String,
}

/// Whose an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Ours: recorded, or marked for this very address and object and applied by our manager, or made by this stack, let
    /// stay when it went and marked by nobody since.
    Ours,
    /// Another stack's, by name.
    OtherStack(String),
    /// Nobody's that we know.
    Foreign,
}

impl Identity {
    /// The label that every object of the stack bears, as a selector.
    pub fn label(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(STACK_LABEL.to_owned(), self.stack.clone())])
    }

    /// The field manager of whole objects.
    pub fn object_manager(&self) -> String {
        shortened(format!("stackctl/{}", self.stack))
    }

    /// The field manager of one overlay.
    pub fn overlay_manager(&self, address: &Address) -> String {
        shortened(format!("stackctl/{}/{address}", self.stack))
    }

    /// The field manager that an overlay writes with: the one that it was recorded with, so that a move to another
    /// address takes no write, and one of its own where another overlay of that object kept its name in a move. `known` is
    /// what is recorded of the address, `recorded` everything that is.
    pub fn manager_of_overlay<'r>(
        &self,
        address: &Address,
        target: &ObjectRef,
        known: Option<&Recorded>,
        recorded: impl Iterator<Item = &'r Recorded>,
    ) -> String {
        let manager = |known: &'_ Recorded| match &known.node {
            RecordedNode::Overlay { object, .. } if object.object.is_same_object(target) => {
                Some(object.manager.clone())
            }
            _ => None,
        };
        if let Some(kept) = known.and_then(manager) {
            return kept;
        }
        let own = self.overlay_manager(address);
        let taken: BTreeSet<String> = recorded.filter_map(manager).collect();
        let others = (2..).map(|number| shortened(format!("{own}~{number}")));
        std::iter::once(own.clone())
            .chain(others)
            .find(|name| !taken.contains(name))
            .unwrap_or(own)
    }

    /// The address that an object is marked with and was recorded with, where it has another by now: what is asked of
    /// the server with that mark is no change.
    pub fn former_address(&self, live: &Value, known: Option<&Recorded>) -> Option<Address> {
        let marked = live["metadata"]["annotations"][ADDRESS].as_str()?;
        let recorded = known?.object()?.manifest.open();
        (recorded["metadata"]["annotations"][ADDRESS] == marked)
            .then(|| marked.parse().ok())
            .flatten()
    }

    /// Puts our marks on the body of an object.
    pub fn mark(&self, body: &mut Value, address: &Address, object: &ObjectRef) {
        let metadata = &mut body["metadata"];
        metadata["labels"][STACK_LABEL] = json!(self.stack);
        if metadata["labels"].get(MANAGED_BY).is_none() {
            metadata["labels"][MANAGED_BY] = json!("stackctl");
        }
        let annotations = &mut metadata["annotations"];
        annotations[ADDRESS] = json!(address.to_string());
        annotations[OBJECT] = json!(mark_of(object));
        annotations[LINEAGE] = json!(self.lineage);
    }

    /// The operation of a JSON patch that leaves on an object that this stack made it, so that the stack takes it up again
    /// without being told to: what it let stay when it went.
    pub(crate) fn left_on(&self, live: &Value, object: &ObjectRef) -> Value {
        let made_by = self.made_by(object);
        match &live["metadata"]["annotations"] {
            Value::Object(_) => {
                let path = format!("/metadata/annotations/{}", MADE_BY.replace('/', "~1"));
                json!({"op": "add", "path": path, "value": made_by})
            }
            _ => json!({"op": "add", "path": "/metadata/annotations", "value": {MADE_BY: made_by}}),
        }
    }

    fn made_by(&self, object: &ObjectRef) -> String {
        format!("{} {}", self.stack, mark_of(object))
    }

    /// Judges whose a live object is.
    pub fn whose(&self, live: &Value, address: &Address, object: &ObjectRef, recorded: Option<&Recorded>) -> Whose {
        let uid = live
            .pointer("/metadata/uid")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let known = recorded
            .and_then(Recorded::object)
            .is_some_and(|r| r.object.is_same_object(object) && r.uid == uid);
        if known {
            return Whose::Ours;
        }
        let annotation = |name: &str| live["metadata"]["annotations"].get(name).and_then(Value::as_str);
        // Made by this stack, let stay when it went, and nobody's since.
        let is_left = annotation(OBJECT).is_none() && annotation(MADE_BY) == Some(self.made_by(object).as_str());
        if is_left && !has_controller(live) {
            return Whose::Ours;
        }
        let names_this = annotation(OBJECT) == Some(mark_of(object).as_str());
        if !names_this || has_controller(live) {
            return Whose::Foreign;
        }
        let stack = live["metadata"]["labels"]
            .get(STACK_LABEL)
            .and_then(Value::as_str)
            .unwrap_or_default();
        if stack.is_empty() {
            return Whose::Foreign;
        }
        if stack != self.stack || annotation(LINEAGE) != Some(self.lineage.as_str()) {
            return Whose::OtherStack(stack.to_owned());
        }
        let ours = annotation(ADDRESS) == Some(address.to_string().as_str())
            && owns_by_apply(&managed_entries(live), &self.object_manager());
        if ours { Whose::Ours } else { Whose::Foreign }
    }
}

/// The label, annotation and field paths that [`Identity::mark`] writes: removed when an object is released.
pub fn mark_pointers(live: &Value) -> Vec<String> {
    let mut pointers = Vec::new();
    for name in [ADDRESS, OBJECT, LINEAGE] {
        if live["metadata"]["annotations"].get(name).is_some() {
            pointers.push(format!("/metadata/annotations/{}", name.replace('/', "~1")));
        }
    }
    if live["metadata"]["labels"].get(STACK_LABEL).is_some() {
        pointers.push(format!("/metadata/labels/{}", STACK_LABEL.replace('/', "~1")));
        if live["metadata"]["labels"]
            .get(MANAGED_BY)
            .is_some_and(|by| by == "stackctl")
        {
            pointers.push(format!("/metadata/labels/{}", MANAGED_BY.replace('/', "~1")));
        }
    }
    pointers
}

/// `group/Kind/namespace/name`: the annotation that says which object a mark was made for.
fn mark_of(object: &ObjectRef) -> String {
    let key = object.key();
    format!(
        "{}/{}/{}/{}",
        key.kind.group,
        key.kind.kind,
        key.namespace.unwrap_or_default(),
        key.name
    )
}

fn has_controller(live: &Value) -> bool {
    let owners = live["metadata"].get("ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|owner| owner["controller"] == true)
}

fn shortened(name: String) -> String {
    if name.len() <= LONGEST_MANAGER {
        return name;
    }
    let tail = crate::digest::Digest::of_bytes(name.as_bytes()).short();
    let mut end = LONGEST_MANAGER - tail.len() - 1;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}~{tail}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity {
            stack: "demo".to_owned(),
            lineage: "l1".to_owned(),
        }
    }

    fn marked() -> (Value, Address, ObjectRef) {
        let object = ObjectRef::namespaced("v1", "ConfigMap", "n", "c");
        let address: Address = "a.b".parse().expect("an address");
        let mut body = json!({"metadata": {"name": "c", "managedFields": [
            {"manager": "stackctl/demo", "operation": "Apply", "fieldsV1": {}}]}});
        identity().mark(&mut body, &address, &object);
        (body, address, object)
    }

    #[test]
    fn our_marks_for_this_object_by_our_manager_are_proof() {
        let (body, address, object) = marked();
        assert_eq!(identity().whose(&body, &address, &object, None), Whose::Ours);
    }

    #[test]
    fn a_copy_of_our_marks_on_another_object_is_foreign() {
        let (body, address, mut object) = marked();
        object.name = "copy".to_owned();
        assert_eq!(identity().whose(&body, &address, &object, None), Whose::Foreign);
    }

    #[test]
    fn what_a_stack_made_and_let_stay_is_its_own_again_until_somebody_marks_it() {
        let object = ObjectRef::namespaced("v1", "ConfigMap", "n", "c");
        let address: Address = "a.b".parse().expect("an address");
        let whose =
            |identity: &Identity, live: &Value, object: &ObjectRef| identity.whose(live, &address, object, None);
        let none = json!({"metadata": {"name": "c"}});
        let some = json!({"metadata": {"name": "c", "annotations": {}}});
        for mut live in [none, some] {
            let operation = identity().left_on(&live, &object);
            if operation["path"] == "/metadata/annotations" {
                live["metadata"]["annotations"] = operation["value"].clone();
            } else {
                assert_eq!(operation["path"], "/metadata/annotations/stackctl.dev~1made-by");
                live["metadata"]["annotations"][MADE_BY] = operation["value"].clone();
            }
            let again = Identity {
                lineage: "l2".to_owned(),
                ..identity()
            };
            assert_eq!(whose(&again, &live, &object), Whose::Ours);
            let other = Identity {
                stack: "other".to_owned(),
                ..again
            };
            assert_eq!(whose(&other, &live, &object), Whose::Foreign);
            let copy = ObjectRef::namespaced("v1", "ConfigMap", "n", "copy");
            assert_eq!(whose(&identity(), &live, &copy), Whose::Foreign);
            other.mark(&mut live, &address, &object);
            assert_eq!(
                whose(&identity(), &live, &object),
                Whose::OtherStack("other".to_owned())
            );
        }
    }

    #[test]
    fn another_lineage_is_another_stack() {
        let (body, address, object) = marked();
        let other = Identity {
            stack: "other".to_owned(),
            lineage: "l2".to_owned(),
        };
        assert_eq!(
            other.whose(&body, &address, &object, None),
            Whose::OtherStack("demo".to_owned())
        );
    }

    #[test]
    fn an_object_whose_label_was_taken_off_is_nobodys() {
        let (mut body, address, object) = marked();
        body["metadata"]["labels"] = json!({});
        assert_eq!(identity().whose(&body, &address, &object, None), Whose::Foreign);
    }

    #[test]
    fn long_managers_are_cut_to_what_the_server_takes() {
        let address: Address = format!("maas.{}", "x".repeat(200)).parse().expect("an address");
        assert_eq!(identity().overlay_manager(&address).len(), 128);
    }
}
