//! Definitions that a plan deletes: with one goes every object of its kind, whoever made it.
//!
//! In: what is recorded, and the objects of each such kind as the cluster lists them. Out: which definitions stay all the
//! same, and why.
//!
//! Fact: the API server deletes all objects of a kind before its CustomResourceDefinition
//! (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#delete-a-customresourcedefinition>).
//!
//! Invariants:
//! - A definition goes only where every object of its kind is known and goes as well: it is recorded and is deleted by the
//!   same plan, or all its owners are such objects, however far. One that a person has replaced by name goes all the same, which
//!   takes `--yes-delete`.
//! - Others' objects are named, up to a few.
//!
//! The window left: an object that somebody makes between the list and the deletion goes along.

use crate::{
    address::Address,
    object_key::{ObjectRef, ObjectType},
    recorded::{Recorded, RecordedNode},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many objects are named; of more the number is told.
const NAMED: usize = 3;

/// A definition that a plan deletes, as far as the record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The resource.
    pub address: Address,
    /// The kind, in a version that is served.
    pub kind: ObjectType,
}

/// The objects of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instances {
    /// How many go by themselves, as well.
    pub ours: usize,
    /// All others.
    pub others: Vec<ObjectRef>,
}

impl Instances {
    /// How many there are.
    pub fn total(&self) -> usize {
        self.ours + self.others.len()
    }
}

/// The definitions that go where everything goes that `goes` says: recorded, made by us and not kept.
pub fn definitions_that_go(recorded: &BTreeMap<Address, Recorded>, goes: impl Fn(&Address) -> bool) -> Vec<Definition> {
    let going = recorded
        .values()
        .filter(|known| known.is_deleted() && goes(&known.address));
    going
        .filter_map(|known| {
            let kind = kind_of(known)?;
            let address = known.address.clone();
            Some(Definition { address, kind })
        })
        .collect()
}

/// The kind that a recorded definition brings, in its first version that is served.
fn kind_of(known: &Recorded) -> Option<ObjectType> {
    let RecordedNode::Object(object) = &known.node else {
        return None;
    };
    if !is_definition(&object.object) {
        return None;
    }
    let manifest = object.manifest.open();
    let spec = &manifest["spec"];
    let mut versions = spec["versions"].as_array()?.iter();
    let version = versions.find(|version| version["served"] == true)?["name"].as_str()?;
    let group = spec["group"].as_str()?;
    let kind = spec["names"]["kind"].as_str()?;
    Some(ObjectType::new(&format!("{group}/{version}"), kind))
}

/// Whether an object is a CustomResourceDefinition.
pub fn is_definition(object: &ObjectRef) -> bool {
    object.object_type.kind == "CustomResourceDefinition" && object.object_type.group() == "apiextensions.k8s.io"
}

/// Whose the objects of each kind are, in the order of `listed`; nothing of a kind whose objects could not be read.
pub fn instances(
    recorded: &BTreeMap<Address, Recorded>,
    goes: impl Fn(&Address) -> bool,
    listed: &[Option<Vec<Value>>],
) -> Vec<Option<Instances>> {
    let going = recorded
        .values()
        .filter(|known| known.is_deleted() && goes(&known.address));
    let mut ours: BTreeSet<&str> = going.filter_map(|known| Some(known.object()?.uid.as_str())).collect();
    let all = || listed.iter().flatten().flatten();
    // What is owned by ours goes with them, and what is owned by that.
    loop {
        let before = ours.len();
        let owned: Vec<&str> = all()
            .filter(|object| is_owned_by(object, &ours))
            .filter_map(|object| object["metadata"]["uid"].as_str())
            .collect();
        ours.extend(owned);
        if ours.len() == before {
            break;
        }
    }
    let whose = |all: &Vec<Value>| {
        let others: Vec<ObjectRef> = all
            .iter()
            .filter(|object| !object["metadata"]["uid"].as_str().is_some_and(|uid| ours.contains(uid)))
            .filter_map(ObjectRef::of_live)
            .collect();
        Instances {
            ours: all.len() - others.len(),
            others,
        }
    };
    listed.iter().map(|all| all.as_ref().map(whose)).collect()
}

/// Whether all owners of an object, and at least one, are among these.
fn is_owned_by(object: &Value, uids: &BTreeSet<&str>) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.is_some_and(|owners| {
        !owners.is_empty()
            && owners
                .iter()
                .all(|owner| owner["uid"].as_str().is_some_and(|uid| uids.contains(uid)))
    })
}

/// Why a definition stays, for the objects of its kind that would go along; nothing where it may go.
pub fn stays_for(definition: &Definition, instances: Option<&Instances>) -> Option<String> {
    let kind = &definition.kind.kind;
    let Some(Instances { others, .. }) = instances else {
        return Some(format!(
            "every {kind} would go along, and whether others have some could not be read"
        ));
    };
    match others.as_slice() {
        [] => None,
        [one] => Some(format!("{one} would go along, and this plan does not delete it")),
        more => {
            let shown: Vec<_> = more.iter().take(NAMED).map(ToString::to_string).collect();
            let rest = match more.len().saturating_sub(NAMED) {
                0 => String::new(),
                rest => format!(" and {rest} more"),
            };
            Some(format!(
                "{}{rest} would go along, and this plan does not delete them",
                shown.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        digest::Digest,
        packed::Packed,
        recorded::{Origin, RecordedDestroy, RecordedObject},
    };
    use serde_json::json;

    fn known(at: &str, object: ObjectRef, manifest: &Value) -> Recorded {
        Recorded {
            address: at.parse().expect("an address"),
            node: RecordedNode::Object(RecordedObject {
                uid: format!("uid of {at}"),
                object,
                origin: Origin::Created,
                manager: "m".to_owned(),
                sent: Digest::of(&Value::Null),
                manifest: Packed::of(manifest),
                fields: BTreeSet::new().into(),
                sensitive: BTreeSet::new(),
                key_id: None,
                owned: None,
            }),
            edges: Vec::new(),
            destroy: RecordedDestroy::default(),
        }
    }

    fn definition(at: &str) -> Recorded {
        let object = ObjectRef::cluster("apiextensions.k8s.io/v1", "CustomResourceDefinition", at);
        let versions = json!([{"name": "v1alpha1", "served": false}, {"name": "v1", "served": true}]);
        known(
            at,
            object,
            &json!({"spec": {"group": "example.com", "names": {"kind": "Widget"}, "versions": versions}}),
        )
    }

    fn recorded(all: Vec<Recorded>) -> BTreeMap<Address, Recorded> {
        all.into_iter().map(|known| (known.address.clone(), known)).collect()
    }

    fn widget(name: &str, uid: &str, owners: &[&str]) -> Value {
        let owners: Vec<_> = owners.iter().map(|uid| json!({"uid": uid})).collect();
        json!({"apiVersion": "example.com/v1", "kind": "Widget",
               "metadata": {"name": name, "namespace": "n", "uid": uid, "ownerReferences": owners}})
    }

    #[test]
    fn a_definition_goes_in_a_version_that_is_served_unless_it_is_kept_or_was_there_before_us() {
        let mut kept = definition("a.kept");
        kept.destroy.retain = Some("people say so".to_owned());
        let mut found = definition("a.found");
        if let RecordedNode::Object(object) = &mut found.node {
            object.origin = Origin::Adopted;
        }
        let map = known("a.map", ObjectRef::namespaced("v1", "ConfigMap", "n", "c"), &json!({}));
        let all = recorded(vec![definition("a.goes"), definition("a.stays"), kept, found, map]);
        let going = definitions_that_go(&all, |address| address.to_string() != "a.stays");
        let shown: Vec<_> = going.iter().map(|one| one.address.to_string()).collect();
        assert_eq!(shown, ["a.goes"]);
        assert_eq!(going[0].kind, ObjectType::new("example.com/v1", "Widget"));
    }

    #[test]
    fn an_object_that_does_not_go_keeps_its_definition_and_is_named_and_what_ours_own_is_ours() {
        let at = |name: &str| {
            known(
                name,
                ObjectRef::namespaced("example.com/v1", "Widget", "n", name),
                &json!({}),
            )
        };
        let all = recorded(vec![at("a.ours"), at("a.desired")]);
        let goes = |address: &Address| address.to_string() == "a.ours";
        let with = |more: &[Value]| {
            let mut listed = vec![
                widget("grandchild", "3", &["2"]),
                widget("ours", "uid of a.ours", &[]),
                widget("child", "2", &["uid of a.ours"]),
            ];
            listed.extend_from_slice(more);
            instances(&all, goes, &[Some(listed)]).remove(0)
        };
        let widgets = Definition {
            address: "a.goes".parse().expect("an address"),
            kind: ObjectType::new("example.com/v1", "Widget"),
        };
        let said = |more: &[Value]| stays_for(&widgets, with(more).as_ref());
        assert_eq!(with(&[]).map(|found| (found.ours, found.total())), Some((3, 3)));
        assert_eq!(said(&[]), None);
        assert_eq!(
            said(&[widget("desired", "uid of a.desired", &[])]).as_deref(),
            Some("Widget n/desired would go along, and this plan does not delete it")
        );
        let others: Vec<_> = ["w", "x", "y", "z"]
            .map(|name| widget(name, name, &["2", "somebody"]))
            .to_vec();
        assert_eq!(
            said(&others).as_deref(),
            Some("Widget n/w, Widget n/x, Widget n/y and 1 more would go along, and this plan does not delete them")
        );
        assert_eq!(
            stays_for(&widgets, None).as_deref(),
            Some("every Widget would go along, and whether others have some could not be read")
        );
    }
}
