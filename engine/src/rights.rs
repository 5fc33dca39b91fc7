//! Which rights a run needs, so that what is missing is known before anything is written.
//!
//! In: what is desired, or recorded. Out: rights, each once. Pure; whether they are given is asked elsewhere.
//!
//! Invariant: every write that a plan names is covered by one of them, every look that readiness is judged or explained by,
//! and the read of every late value.
//!
//! Deliberately absent: facts, which are read before (what may not be read is an error by itself); objects that others
//! make for us, until they are recorded; and `bind` and `escalate`, since whoever has the rights themselves needs neither.

use crate::{
    Address, ObjectRef, ObjectType,
    execute::scopes_of_effect,
    late::LateSource,
    plan::{listed_in, namespace_of},
    recorded::{Origin, Recorded, RecordedNode},
    resource::{DestroyStep, Effect, Node, Resource},
    survey::beside,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What may be done to objects, in the server's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the server's own words")]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Patch,
    Delete,
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Patch => "patch",
            Self::Delete => "delete",
        })
    }
}

/// One verb on the objects of a type, in one namespace or in all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The type.
    pub of: ObjectType,
    /// The namespace; none for all of them, and for types without.
    pub namespace: Option<String>,
    /// The verb.
    pub verb: Verb,
}

const LOOK: [Verb; 3] = [Verb::Get, Verb::List, Verb::Watch];

#[derive(Default)]
struct Rights(BTreeSet<Right>);

impl Rights {
    fn add(&mut self, of: &ObjectType, namespace: Option<&str>, verbs: &[Verb]) {
        for verb in verbs {
            self.0.insert(Right {
                of: of.clone(),
                namespace: namespace.map(str::to_owned),
                verb: *verb,
            });
        }
    }

    fn object(&mut self, object: &ObjectRef, verbs: &[Verb]) {
        self.add(&object.object_type, object.namespace.as_deref(), verbs);
    }

    fn effect(&mut self, effect: &Effect) {
        let verb = match effect {
            Effect::Delete { .. } => Verb::Delete,
            Effect::MergePatch { .. }
            | Effect::PatchAdmitted { .. }
            | Effect::Restart { .. }
            | Effect::Touch { .. } => Verb::Patch,
        };
        for (of, namespace) in scopes_of_effect(effect) {
            self.add(&of, namespace.as_deref(), &LOOK);
            self.add(&of, namespace.as_deref(), &[verb]);
        }
    }
}

/// What a plan and an apply of these resources need. A plan asks the server with dry runs, for which it wants the right
/// to the write.
pub fn of_apply(resources: &[Resource]) -> BTreeSet<Right> {
    let mut rights = Rights::default();
    // Thousands of objects are of a few types in a few namespaces.
    let mut objects = BTreeSet::new();
    for resource in resources {
        match &resource.node {
            Node::Object(object) => {
                let ObjectRef {
                    object_type, namespace, ..
                } = object.manifest.object();
                objects.insert((object_type, namespace.as_deref()));
            }
            Node::Overlay(overlay) => {
                rights.object(&overlay.target, &LOOK);
                rights.object(&overlay.target, &[Verb::Patch]);
                if overlay.create_if_absent {
                    rights.object(&overlay.target, &[Verb::Create]);
                }
            }
            Node::Action(action) => rights.effect(&action.effect),
            Node::Gate(gate) => {
                for effect in gate.remedy.iter().flat_map(|remedy| &remedy.effects) {
                    rights.effect(effect);
                }
            }
            Node::Check(_) => {}
        }
        for observation in beside(resource) {
            for (of, namespace) in observation.target.scopes() {
                rights.add(&of, namespace.as_deref(), &LOOK);
            }
        }
        for observation in resource.diagnoses.iter().flat_map(|diagnosis| &diagnosis.symptom) {
            for (of, namespace) in observation.target.scopes() {
                rights.add(&of, namespace.as_deref(), &LOOK);
            }
        }
        for source in resource.late_sources() {
            if let LateSource::Object { object, .. } = source {
                rights.object(object, &[Verb::Get]);
            }
        }
    }
    for (of, namespace) in objects {
        rights.add(of, namespace, &LOOK);
        rights.add(of, namespace, &[Verb::Create, Verb::Patch]);
    }
    rights.0
}

/// What it needs to take recorded resources away: all of them, or those that a stack dropped.
pub fn of_removal<'a>(recorded: impl IntoIterator<Item = &'a Recorded>) -> BTreeSet<Right> {
    let mut rights = Rights::default();
    let mut objects = BTreeSet::new();
    for known in recorded {
        if let Some(object) = known.object() {
            let verb = match &known.node {
                RecordedNode::Object(_) if known.is_deleted() && !known.destroy.self_recreating => Verb::Delete,
                _ => Verb::Patch,
            };
            let ObjectRef {
                object_type, namespace, ..
            } = &object.object;
            objects.insert((object_type, namespace.as_deref(), verb));
            // A shared document that we made goes once nothing of others is in it.
            if matches!(&known.node, RecordedNode::Overlay { object, .. } if object.origin == Origin::Created) {
                rights.object(&object.object, &[Verb::Delete]);
            }
        }
        for claim in known.destroy.claiming.iter().filter(|_| known.is_deleted()) {
            for (of, namespace) in claim.target.scopes() {
                rights.add(&of, namespace.as_deref(), &[Verb::Get, Verb::List, Verb::Delete]);
            }
        }
        for claimed in known.claims_that_go() {
            rights.object(&claimed.object, &[Verb::Get, Verb::Delete]);
            if let Some(needed) = &claimed.needed_by {
                rights.add(&needed.of, claimed.object.namespace.as_deref(), &[Verb::List]);
            }
        }
        for step in &known.destroy.steps {
            let scopes = match step {
                DestroyStep::Patch { target, .. } => {
                    rights.object(target, &[Verb::Get, Verb::Patch]);
                    Vec::new()
                }
                DestroyStep::AwaitGone { target, .. } => target.scopes(),
                DestroyStep::Await { observation, .. } => observation.target.scopes(),
            };
            for (of, namespace) in scopes {
                rights.add(&of, namespace.as_deref(), &LOOK);
            }
        }
    }
    for (of, namespace, verb) in objects {
        rights.add(of, namespace, &LOOK);
        rights.add(of, namespace, &[verb]);
    }
    rights.0
}

/// What it needs to see what others have in the namespaces that go where these records go. `recorded` is all that is recorded.
pub fn of_namespaces<'a>(
    going: impl IntoIterator<Item = &'a Recorded>,
    recorded: &BTreeMap<Address, Recorded>,
) -> BTreeSet<Right> {
    let going = going.into_iter().filter(|known| known.is_deleted());
    let namespaces = going.filter_map(|known| Some(namespace_of(known)?.name.as_str()));
    let mut rights = Rights::default();
    for (of, namespace) in listed_in(&namespaces.collect(), recorded) {
        rights.add(&of, Some(&namespace), &[Verb::List]);
    }
    rights.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        FieldPath, Manifest,
        late::Encoding,
        resource::{Document, DocumentCodec, Object, Overlay},
    };
    use serde_json::json;

    #[test]
    fn an_object_is_looked_at_and_written() {
        let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}});
        let address = "some.object".parse().expect("an address");
        let node = Node::Object(Object::new(Manifest::written(manifest)));
        let rights = of_apply(&[Resource::new(address, node)]);
        let verbs: Vec<_> = rights.iter().map(|right| right.verb.to_string()).collect();
        assert_eq!(verbs, ["get", "list", "watch", "create", "patch"]);
        assert!(rights.iter().all(|right| right.namespace.as_deref() == Some("n")));
    }

    #[test]
    fn a_shared_document_may_have_to_be_made_and_its_late_value_is_read() {
        let mut overlay = Overlay::new(ObjectRef::namespaced("v1", "ConfigMap", "n", "c"), json!(null));
        overlay.create_if_absent = true;
        overlay.documents.push(Document {
            at: FieldPath::of("data.pem"),
            codec: DocumentCodec::Pem {
                certificates: LateSource::Object {
                    address: "some.secret".parse().expect("an address"),
                    object: ObjectRef::namespaced("v1", "Secret", "m", "s"),
                    path: FieldPath::of("data.crt"),
                    encoding: Encoding::Base64,
                },
            },
        });
        let node = Node::Overlay(overlay);
        let rights = of_apply(&[Resource::new("some.overlay".parse().expect("an address"), node)]);
        let asked: Vec<_> = rights.iter().map(|r| format!("{} {}", r.verb, r.of.kind)).collect();
        assert_eq!(
            asked,
            [
                "get ConfigMap",
                "list ConfigMap",
                "watch ConfigMap",
                "create ConfigMap",
                "patch ConfigMap",
                "get Secret"
            ]
        );
    }
}
