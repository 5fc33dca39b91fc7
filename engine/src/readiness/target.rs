//! Which objects a rule is about, among what was seen.

use crate::{
    FieldPath,
    document::pem,
    object_key::{ObjectRef, ObjectType},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::collections::BTreeMap;

/// What was last seen of the cluster, by watch or by read.
pub trait Seen {
    /// One object, if it is there.
    fn object(&self, object: &ObjectRef) -> Option<&Value>;
    /// All objects of a type, in one namespace or in all that were asked for.
    fn objects(&self, object_type: &ObjectType, namespace: Option<&str>) -> Vec<&Value>;
}

/// What somebody looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// One object.
    One(ObjectRef),
    /// Every object of a type, in a namespace or, without one, in the whole cluster.
    All(ObjectType, Option<String>),
}

impl Sight {
    /// What has to be watched to see it: a type with the namespace, none for the whole cluster.
    pub fn scope(&self) -> (ObjectType, Option<String>) {
        match self {
            Self::One(object) => (object.object_type.clone(), object.namespace.clone()),
            Self::All(of, namespace) => (of.clone(), namespace.clone()),
        }
    }
}

/// The objects that a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The one of this name.
    Named(ObjectRef),
    /// Every one that carries these labels, and at least so many.
    Every {
        /// Their type.
        of: ObjectType,
        /// Their namespace.
        namespace: Option<String>,
        /// The labels; none means all objects of the type.
        labels: BTreeMap<String, String>,
        /// How many there have to be at least.
        at_least: usize,
    },
    /// At least so many of those that carry these labels; the others do not matter.
    Some {
        /// Their type.
        of: ObjectType,
        /// Their namespace.
        namespace: Option<String>,
        /// The labels; none means all objects of the type.
        labels: BTreeMap<String, String>,
        /// How many have to satisfy the rule.
        at_least: usize,
    },
    /// The one whose name stands in a field of another: what a Subscription says is installed. The link is what
    /// makes the evidence fresh.
    Linked {
        /// The object that holds the name.
        from: ObjectRef,
        /// Where the name stands.
        at: FieldPath,
        /// The type of the one it names.
        of: ObjectType,
    },
    /// An object whose text holds a text that another object has: a bundle of certificates that has taken up the one in
    /// a Secret, or those of another bundle. Only by that text does one know that the copy is made from what is there
    /// now. Of certificates each has to be there, in whatever order.
    Copied {
        /// The object that holds the copy.
        to: ObjectRef,
        /// Where its text stands.
        at: FieldPath,
        /// The object that has the original.
        from: ObjectRef,
        /// Where the original stands: in base64, or as it is, which no text with a line of dashes can be mistaken for.
        of: FieldPath,
    },
    /// Those whose names start with one of these texts, one at least for each, in a namespace; used for what came
    /// along with something else. Objects with the label `unless_labelled` do not count.
    Prefixed {
        /// Their type.
        of: ObjectType,
        /// Their namespace.
        namespace: String,
        /// The beginnings of their names.
        prefixes: Vec<String>,
        /// A label that rules an object out.
        unless_labelled: Option<String>,
    },
}

impl Target {
    /// Pods, or any type, of a namespace that carry one label.
    pub fn labelled(of: ObjectType, namespace: &str, label: &str, value: &str, at_least: usize) -> Self {
        Self::Every {
            of,
            namespace: Some(namespace.to_owned()),
            labels: BTreeMap::from([(label.to_owned(), value.to_owned())]),
            at_least,
        }
    }

    /// What a verdict on this target rests on; a change of anything else does not change it.
    pub fn sights(&self) -> Vec<Sight> {
        match self {
            Self::Named(object) => vec![Sight::One(object.clone())],
            Self::Every { of, namespace, .. } | Self::Some { of, namespace, .. } => {
                vec![Sight::All(of.clone(), namespace.clone())]
            }
            // Which one is linked changes with the holder.
            Self::Linked { from, of, .. } => {
                vec![Sight::One(from.clone()), Sight::All(of.clone(), from.namespace.clone())]
            }
            Self::Copied { to, from, .. } => [to, from].map(|object| Sight::One(object.clone())).to_vec(),
            Self::Prefixed { of, namespace, .. } => vec![Sight::All(of.clone(), Some(namespace.clone()))],
        }
    }

    /// What has to be watched to see this target: types with the namespace, none for the whole cluster.
    pub fn scopes(&self) -> Vec<(ObjectType, Option<String>)> {
        self.sights().iter().map(Sight::scope).collect()
    }

    /// The objects that are there now.
    pub fn find<'a>(&self, seen: &'a impl Seen) -> Vec<&'a Value> {
        match self {
            Self::Named(object) => seen.object(object).into_iter().collect(),
            Self::Every {
                of, namespace, labels, ..
            }
            | Self::Some {
                of, namespace, labels, ..
            } => seen
                .objects(of, namespace.as_deref())
                .into_iter()
                .filter(|object| has_labels(object, labels))
                .collect(),
            Self::Linked { from, at, of } => seen
                .object(from)
                .and_then(|holder| at.get(holder)?.as_str())
                .filter(|name| !name.is_empty())
                .and_then(|name| {
                    seen.object(&ObjectRef {
                        object_type: of.clone(),
                        namespace: from.namespace.clone(),
                        name: name.to_owned(),
                    })
                })
                .into_iter()
                .collect(),
            Self::Copied { to, at, from, of } => {
                let copy = seen.object(to);
                let original = seen.object(from).and_then(|object| decoded(of.get(object)?.as_str()?));
                copy.filter(|copy| match (at.get(copy).and_then(Value::as_str), &original) {
                    (Some(text), Some(original)) => holds(text, original),
                    _ => false,
                })
                .into_iter()
                .collect()
            }
            Self::Prefixed {
                of,
                namespace,
                prefixes,
                unless_labelled,
            } => seen
                .objects(of, Some(namespace))
                .into_iter()
                .filter(|object| {
                    let name = object
                        .pointer("/metadata/name")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
                        && !unless_labelled.as_ref().is_some_and(|label| {
                            object
                                .pointer("/metadata/labels")
                                .is_some_and(|labels| labels.get(label).is_some())
                        })
                })
                .collect(),
        }
    }
}

/// The text behind a base64 text, or the text itself, without the blanks around it; nothing if there is none.
fn decoded(text: &str) -> Option<String> {
    let bytes = STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec());
    let text = std::str::from_utf8(&bytes).ok()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether a text holds another one, or each of its certificates.
fn holds(text: &str, original: &str) -> bool {
    let Ok(certificates) = pem::certificates(original) else {
        return text.contains(original);
    };
    let digests: Vec<_> = certificates.iter().map(pem::Certificate::digest).collect();
    pem::present(text, &digests).len() == digests.len()
}

fn has_labels(object: &Value, labels: &BTreeMap<String, String>) -> bool {
    let on = object.pointer("/metadata/labels");
    labels.iter().all(|(name, value)| {
        on.and_then(|on| on.get(name))
            .is_some_and(|found| found == value.as_str())
    })
}
