//! Objects against the definitions of their kinds, without a cluster.
//!
//! In: CustomResourceDefinitions and the resources that a stack comes to. Out: everything that a server with these
//! definitions would refuse, at the address, the field and, for a manifest of the user's, the file and line.
//!
//! Invariants:
//! - Pure: the texts of definitions come in, nothing is read here.
//! - Of two definitions of a kind the first holds: the stack's own, then what a person named, then what was seen.
//! - A kind without a definition is not judged, nor is a value that is not known yet. Of kinds that a webhook of the stack
//!   changes, nothing is said of what is missing.
//!
//! - Of kinds of Kubernetes itself only what files say is judged, by fields and types: `built_in`.
//!
//! Deliberately absent: names and labels; `manifests::lint` has what is said of those.

mod built_in;
mod error;

pub use built_in::{OfKubernetes, RELEASE};
pub use error::{DefinitionFault, Place};
pub use stackctl_schema::definition::{DefinitionError, essence};

use crate::{FileLine, closest, manifests::Scopes};
use serde_json::Value;
use stackctl_engine::{
    Address, ObjectType, Resource,
    field::PathElement,
    object_key::{GroupKind, ObjectRef},
    resource::Node,
};
use stackctl_schema::{
    Extent, Schema,
    check::{Asked, Fault, Finding, check},
    definition::{Definition, is_definition},
};
use std::collections::{BTreeMap, BTreeSet};

/// Definitions by the kind that each brings.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    known: BTreeMap<GroupKind, Definition>,
}

impl Definitions {
    /// Those that are among the resources themselves. One that cannot be read brings no kind; a server will say why.
    #[must_use]
    pub fn of_resources(resources: &[Resource]) -> Self {
        let mut this = Self::default();
        for resource in resources {
            if let Node::Object(object) = &resource.node
                && is_definition(object.manifest.value())
                && let Ok(definition) = Definition::read(object.manifest.value())
            {
                this.insert(definition);
            }
        }
        this
    }

    /// Adds a definition, unless its kind has one.
    ///
    /// # Errors
    /// When it is none.
    pub fn add(&mut self, definition: &Value) -> Result<(), DefinitionError> {
        self.insert(Definition::read(definition)?);
        Ok(())
    }

    /// Adds those of `others` whose kind has none here.
    pub fn complete(&mut self, others: Self) {
        for (kind, definition) in others.known {
            self.known.entry(kind).or_insert(definition);
        }
    }

    /// These, but for kinds that have a definition in `others`.
    #[must_use]
    pub fn without(mut self, others: &Self) -> Self {
        self.known.retain(|kind, _| !others.has(kind));
        self
    }

    fn insert(&mut self, definition: Definition) {
        let kind = GroupKind::new(definition.group(), definition.kind());
        self.known.entry(kind).or_insert(definition);
    }

    /// Whether objects of each kind lie in namespaces.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        let of = |(kind, definition): (&GroupKind, &Definition)| (kind.clone(), definition.is_namespaced());
        self.known.iter().map(of).collect()
    }

    /// Whether a kind has a definition here.
    #[must_use]
    pub fn has(&self, kind: &GroupKind) -> bool {
        self.known.contains_key(kind)
    }

    /// Of resources, how many write an object or a part of one, and of how many of these the kind has a definition.
    #[must_use]
    pub fn coverage(&self, resources: &[Resource]) -> Coverage {
        let mut coverage = Coverage::default();
        for object in resources.iter().filter_map(Resource::object) {
            coverage.objects += 1;
            coverage.judged += usize::from(self.has(&object.object_type.group_kind()));
        }
        coverage
    }

    /// Judges every object and every part of one that resources write, against the definition of its kind.
    ///
    /// `line` says where a field of an object stands, if it stands in a file of the user's; `live` is what is known of an object as it is: rules about changes are judged where it knows one.
    #[must_use]
    pub fn check<'a>(
        &self,
        resources: &[&Resource],
        line: impl Fn(&Address, &str) -> Option<FileLine>,
        live: impl Fn(&Address) -> Option<&'a Value>,
    ) -> Vec<DefinitionFault> {
        let mut faults = Vec::new();
        let changed = changed_groups(resources);
        for resource in resources {
            let definition = resource
                .object()
                .and_then(|object| self.known.get(&object.object_type.group_kind()));
            let Some((definition, written)) = definition.zip(written(resource)) else {
                continue;
            };
            let Written {
                object,
                value,
                extent,
                open,
            } = written;
            let place = |field: &str| Place {
                at: line(&resource.address, field),
                address: resource.address.clone(),
            };
            let Some(version) = definition.version(object.object_type.version()) else {
                faults.push(DefinitionFault::Version {
                    place: place("apiVersion"),
                    object_type: object.object_type.clone(),
                    served: definition.served().collect::<Vec<_>>().join(", "),
                });
                continue;
            };
            let group = object.object_type.group();
            let is_changed = changed.contains("*") || changed.contains(group);
            let asked = Asked {
                object: &value,
                extent: if is_changed { Extent::Part } else { extent },
                open: &open,
                live: live(&resource.address),
            };
            let findings = check(version, asked).into_iter();
            faults.extend(findings.map(|finding| {
                let place = place(&finding.field);
                fault(place, &object.object_type, &version.schema, finding)
            }));
        }
        faults
    }
}

/// The groups whose objects the stack's own webhooks change before they are judged
/// (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response>).
fn changed_groups<'a>(resources: &[&'a Resource]) -> BTreeSet<&'a str> {
    let mut groups = BTreeSet::new();
    for resource in resources {
        let Node::Object(object) = &resource.node else { continue };
        let manifest = object.manifest.value();
        if manifest["kind"] != "MutatingWebhookConfiguration" {
            continue;
        }
        let all = |value: &'a Value| value.as_array().into_iter().flatten();
        let rules = all(&manifest["webhooks"]).flat_map(|webhook| all(&webhook["rules"]));
        groups.extend(rules.flat_map(|rule| all(&rule["apiGroups"])).filter_map(Value::as_str));
    }
    groups
}

/// How much of a stack definitions could judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How many objects are written, parts of objects included.
    pub objects: usize,
    /// How many of them are of a kind with a definition.
    pub judged: usize,
}

/// What a resource writes of an object.
struct Written<'a> {
    object: &'a ObjectRef,
    value: Value,
    extent: Extent,
    open: Vec<String>,
}

fn written(resource: &Resource) -> Option<Written<'_>> {
    match &resource.node {
        Node::Object(object) => {
            let manifest = &object.manifest;
            Some(Written {
                object: manifest.object(),
                value: manifest.value().clone(),
                extent: Extent::Whole,
                open: manifest
                    .late()
                    .iter()
                    .map(|late| open_path(late.path.elements()))
                    .collect(),
            })
        }
        // Without fields it takes items of lists alone, which are not judged.
        Node::Overlay(overlay) if overlay.fields.is_null() => None,
        Node::Overlay(overlay) => Some(Written {
            object: &overlay.target,
            value: overlay.fields.clone(),
            extent: Extent::Part,
            open: Vec::new(),
        }),
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => None,
    }
}

/// The path of a late value as findings have theirs; an item of a list leaves the whole list open.
fn open_path(elements: &[PathElement]) -> String {
    let names = elements.iter().map_while(|element| match element {
        PathElement::Field(name) => Some(&**name),
        PathElement::Key(_) | PathElement::Value(_) | PathElement::Index(_) => None,
    });
    names.collect::<Vec<_>>().join(".")
}

/// What a finding comes to at its place.
fn fault(place: Place, object_type: &ObjectType, schema: &Schema, finding: Finding) -> DefinitionFault {
    let Finding { fault, field, text } = finding;
    let object_type = object_type.clone();
    match fault {
        Fault::Unknown => DefinitionFault::UnknownField {
            hint: instead(schema, &field),
            place,
            object_type,
            field,
        },
        Fault::Value => DefinitionFault::Value {
            place,
            object_type,
            field,
            text,
        },
        Fault::Rule => DefinitionFault::Rule {
            place,
            object_type,
            field: if field.is_empty() {
                "the object".to_owned()
            } else {
                field
            },
            text,
        },
    }
}

/// What to write instead of a field that is not declared.
fn instead(schema: &Schema, field: &str) -> String {
    let known = beside(schema, field);
    match (close(&known, field), known.as_slice()) {
        (Some(close), _) => format!("did you mean `{close}`?"),
        (None, []) => "it would be dropped, so the API server refuses it".to_owned(),
        (None, known) => format!("there it has {}", known.join(", ")),
    }
}

/// The one of some names that the last part of a path is almost.
fn close<'k>(known: &[&'k str], field: &str) -> Option<&'k str> {
    let name = field.rsplit_once('.').map_or(field, |(_, name)| name);
    closest(name, known.iter().copied())
}

/// The names that are declared where a field stands.
fn beside<'s>(schema: &'s Schema, field: &str) -> Vec<&'s str> {
    let parent = field.rsplit_once('.').map_or("", |(parent, _)| parent);
    let mut beside = Some(schema);
    for step in parent.split('.').filter(|step| !step.is_empty()) {
        let (name, indexes) = step
            .split_once('[')
            .map_or((step, 0), |(name, rest)| (name, 1 + rest.matches('[').count()));
        beside = beside.and_then(|schema| schema.field(name));
        for _ in 0..indexes {
            beside = beside.map(Schema::item);
        }
    }
    beside
        .map(|schema| schema.properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
