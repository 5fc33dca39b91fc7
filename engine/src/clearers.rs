//! Who clears a finalizer, and whether they live: what explains a deletion that does not end (DESIGN §6).
//!
//! In: an object on its way out, what the catalogue knows of finalizers, and the Deployments that were read for it. Out: a
//! sentence for each finalizer.
//!
//! Invariants:
//! - Nothing is guessed: a controller is the one that the catalogue names, or the Deployment that is named like the field
//!   manager which put the finalizer there (a client that names no manager is noted by its program's name,
//!   ssa-semantics §8). Where neither is known, that is said.
//! - The engine knows no finalizer; the table is data of the catalogue.

use crate::{
    object_key::{ObjectRef, ObjectType},
    ownership::managed_entries,
    status::finalizer_holder,
};
use serde_json::Value;

/// Who clears a finalizer, or a family of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clearer {
    /// The finalizer; of a family what all begin with, up to and with the `/`.
    pub finalizer: &'static str,
    /// Who clears it.
    pub by: Controller,
}

/// What clears finalizers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// The pods of a Deployment.
    Deployment {
        /// Its namespace.
        namespace: &'static str,
        /// Its name.
        name: &'static str,
    },
    /// A part of the cluster itself, which no stack takes away: in words.
    OfTheCluster(&'static str),
}

/// A finalizer of an object on its way out, and where to look for who clears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) finalizer: String,
    pub(crate) sought: Sought,
}

/// Where to look for a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    /// The catalogue knows its Deployment.
    Known(ObjectRef),
    /// It is a part of the cluster.
    OfTheCluster(&'static str),
    /// Any Deployment that is named like the manager that put the finalizer there.
    Named(String),
    /// Nobody knows.
    Nowhere,
}

/// What was found of a controller.
#[derive(Debug)]
pub(crate) enum Looked {
    /// Nothing could be read.
    Unread,
    /// Its Deployment.
    There(Box<Value>),
    /// Several Deployments of one name, of which it is one.
    OneOf(Vec<ObjectRef>),
    /// It has none.
    Gone,
}

/// A Deployment's type.
pub(crate) fn deployments() -> ObjectType {
    ObjectType::new("apps/v1", "Deployment")
}

/// What holds an object back, and where to look for who clears it.
pub(crate) fn held(live: &Value, clearers: &[Clearer]) -> Vec<Held> {
    let entries = managed_entries(live);
    let finalizers = live["metadata"]["finalizers"].as_array().into_iter().flatten();
    let one = |finalizer: &str| {
        let is_of = |clearer: &&Clearer| match clearer.finalizer.strip_suffix('/') {
            Some(_) => finalizer.starts_with(clearer.finalizer),
            None => finalizer == clearer.finalizer,
        };
        let sought = match clearers.iter().find(is_of).map(|clearer| clearer.by) {
            Some(Controller::Deployment { namespace, name }) => {
                Sought::Known(ObjectRef::namespaced("apps/v1", "Deployment", namespace, name))
            }
            Some(Controller::OfTheCluster(what)) => Sought::OfTheCluster(what),
            None => match finalizer_holder(&entries, finalizer) {
                Some(entry) => Sought::Named(entry.manager.clone()),
                None => Sought::Nowhere,
            },
        };
        Held {
            finalizer: finalizer.to_owned(),
            sought,
        }
    };
    finalizers.filter_map(Value::as_str).map(one).collect()
}

impl Held {
    /// Who clears it, and whether they live.
    pub(crate) fn said(&self, looked: &Looked) -> String {
        let finalizer = &self.finalizer;
        match (&self.sought, looked) {
            (Sought::OfTheCluster(what), _) => {
                format!("{finalizer} is cleared by {what}, a part of the cluster itself")
            }
            (Sought::Known(deployment), Looked::Gone) => {
                format!("{finalizer} is cleared by {deployment}, which is gone")
            }
            (Sought::Known(deployment), Looked::Unread) => {
                format!("{finalizer} is cleared by {deployment}; whether that lives could not be read")
            }
            (Sought::Known(_) | Sought::Named(_), Looked::There(live)) => {
                format!("{finalizer} is cleared by {}, which {}", deployment(live), lives(live))
            }
            (Sought::Known(_) | Sought::Named(_), Looked::OneOf(all)) => {
                let all: Vec<_> = all.iter().map(ToString::to_string).collect();
                format!(
                    "{finalizer} is cleared by one of {}: nothing says by which",
                    all.join(" and ")
                )
            }
            (Sought::Named(manager), Looked::Gone) => {
                format!("who clears {finalizer} is not known: no Deployment is named {manager}, as who put it there")
            }
            (Sought::Named(_), Looked::Unread) | (Sought::Nowhere, _) => {
                format!("who clears {finalizer} is not known")
            }
        }
    }
}

/// The Deployment that an object is.
pub(crate) fn deployment(live: &Value) -> ObjectRef {
    let name = |key: &str| live["metadata"][key].as_str().unwrap_or_default();
    ObjectRef::namespaced("apps/v1", "Deployment", name("namespace"), name("name"))
}

/// Whether the pods of a Deployment are ready (apps/v1: `spec.replicas` is 1 by default, `status.readyReplicas` absent at 0).
fn lives(deployment: &Value) -> String {
    let wanted = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    let ready = deployment["status"]["readyReplicas"].as_i64().unwrap_or(0);
    if wanted == 0 {
        return "is scaled to 0".to_owned();
    }
    let pods = if wanted == 1 { "pod" } else { "pods" };
    if ready < wanted {
        format!("has {ready} of {wanted} {pods} ready: the deletion goes on once that is mended")
    } else {
        format!("has {ready} of {wanted} {pods} ready: see what they say in their logs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CLEARERS: &[Clearer] = &[
        Clearer {
            finalizer: "x.io/",
            by: Controller::Deployment {
                namespace: "x",
                name: "x-operator",
            },
        },
        Clearer {
            finalizer: "orphan",
            by: Controller::OfTheCluster("the garbage collector"),
        },
    ];

    fn object() -> Value {
        let put = json!({"f:metadata": {"f:finalizers": {"v:\"y.io/data\"": {}}}});
        json!({"metadata": {
            "finalizers": ["x.io/data", "orphan", "y.io/data", "orphans"],
            "managedFields": [{"manager": "y-operator", "operation": "Update", "fieldsV1": put}]}})
    }

    #[test]
    fn of_each_finalizer_it_is_said_who_clears_it_and_whether_they_live_or_that_nobody_knows() {
        let deployment = |replicas: i64, ready: Option<i64>| {
            Looked::There(Box::new(json!({"metadata": {"namespace": "x", "name": "x-operator"},
                "spec": {"replicas": replicas}, "status": {"readyReplicas": ready}})))
        };
        let held = held(&object(), CLEARERS);
        let [of_catalogue, of_cluster, by_name, of_nobody] = held.as_slice() else {
            panic!("four finalizers: {held:?}");
        };
        let by = "x.io/data is cleared by Deployment x/x-operator";
        for (looked, says) in [
            (
                deployment(1, None),
                ", which has 0 of 1 pod ready: the deletion goes on once that is mended",
            ),
            (
                deployment(2, Some(1)),
                ", which has 1 of 2 pods ready: the deletion goes on once that is mended",
            ),
            (deployment(0, None), ", which is scaled to 0"),
            (
                deployment(1, Some(1)),
                ", which has 1 of 1 pod ready: see what they say in their logs",
            ),
            (Looked::Gone, ", which is gone"),
            (Looked::Unread, "; whether that lives could not be read"),
        ] {
            assert_eq!(of_catalogue.said(&looked), format!("{by}{says}"));
        }
        assert_eq!(
            of_cluster.said(&Looked::Gone),
            "orphan is cleared by the garbage collector, a part of the cluster itself"
        );
        assert_eq!(by_name.sought, Sought::Named("y-operator".to_owned()));
        assert_eq!(
            by_name.said(&Looked::Gone),
            "who clears y.io/data is not known: no Deployment is named y-operator, as who put it there"
        );
        let named = |namespace: &str| ObjectRef::namespaced("apps/v1", "Deployment", namespace, "y-operator");
        assert_eq!(
            by_name.said(&Looked::OneOf(vec![named("a"), named("b")])),
            "y.io/data is cleared by one of Deployment a/y-operator and Deployment b/y-operator: nothing says by which"
        );
        assert_eq!(of_nobody.said(&Looked::Gone), "who clears orphans is not known");
    }
}
