//! Edges that the engine sees by itself, and overlaps that it refuses.
//!
//! Rules (DESIGN §4): an object in a namespace waits for the resource that makes the namespace; an object of a kind
//! waits for the resource that provides the kind; an overlay on an object of ours waits for it; a late value waits for
//! where it comes from.

use super::{Edge, EdgeClass, EdgeSource, GraphError, Until};
use crate::{
    FieldPath,
    address::Address,
    diff::leaves,
    late::LateSource,
    object_key::{GroupKind, ObjectKey},
    resource::{Node, Resource},
};
use std::collections::{BTreeMap, BTreeSet};

/// Every edge that can be inferred.
pub(super) fn edges<'a>(resources: impl IntoIterator<Item = &'a Resource> + Clone) -> Vec<Edge> {
    let mut namespaces: BTreeMap<&str, &Address> = BTreeMap::new();
    let mut providers: BTreeMap<&GroupKind, &Address> = BTreeMap::new();
    let mut objects: BTreeMap<ObjectKey, &Address> = BTreeMap::new();
    for resource in resources.clone() {
        for provided in &resource.provides {
            providers.insert(&provided.kind, &resource.address);
        }
        if let Node::Object(object) = &resource.node {
            let named = object.manifest.object();
            if named.is_namespace() {
                namespaces.insert(&named.name, &resource.address);
            }
            objects.insert(named.key(), &resource.address);
        }
    }
    let mut edges = Vec::new();
    for resource in resources {
        let mut infer = |to: &Address, until, reason: String, class, source| {
            edges.push(Edge {
                from: resource.address.clone(),
                to: to.clone(),
                until,
                reason,
                class,
                source,
            });
        };
        let Some(object) = resource.object() else { continue };
        if let Some(namespace) = &object.namespace
            && let Some(to) = namespaces.get(namespace.as_str())
        {
            infer(
                to,
                Until::Applied,
                format!("lives in namespace {namespace}"),
                EdgeClass::Contains,
                EdgeSource::Namespace,
            );
        }
        let kind = object.object_type.group_kind();
        if let Some(to) = providers.get(&kind) {
            infer(
                to,
                Until::Ready,
                format!("is a {}", kind.kind),
                EdgeClass::Needs,
                EdgeSource::Provider,
            );
        }
        if let Node::Overlay(_) = &resource.node
            && let Some(to) = objects.get(&object.key())
        {
            infer(
                to,
                Until::Applied,
                format!("writes fields of {object}"),
                EdgeClass::Contains,
                EdgeSource::SameObject,
            );
        }
        for source in resource.late_sources() {
            if let LateSource::Object { address, object, .. } = source {
                infer(
                    address,
                    Until::Ready,
                    format!("takes a value from {object}"),
                    EdgeClass::Needs,
                    EdgeSource::Late,
                );
            }
        }
    }
    edges
}

/// Nodes that would write one object, or one field of it, twice.
pub(super) fn overlaps<'a>(resources: impl IntoIterator<Item = &'a Resource>) -> Vec<GraphError> {
    let mut writers: BTreeMap<ObjectKey, Vec<&Resource>> = BTreeMap::new();
    for resource in resources {
        let key = match &resource.node {
            Node::Object(object) => object.manifest.object().key(),
            Node::Overlay(overlay) => overlay.target.key(),
            Node::Gate(_) | Node::Action(_) | Node::Check(_) => continue,
        };
        writers.entry(key).or_default().push(resource);
    }
    // What an object has but one writer of is not taken apart: there may be very many, and large ones.
    writers.retain(|_, writers| writers.len() > 1);
    let mut errors = Vec::new();
    for (key, writers) in writers {
        let mut whole: Option<&Address> = None;
        let mut fields: Vec<(&Address, BTreeSet<FieldPath>)> = Vec::new();
        for resource in writers {
            let written = match &resource.node {
                Node::Object(object) => {
                    if let Some(first) = whole.replace(&resource.address) {
                        errors.push(overlap(first, &resource.address, key.to_string()));
                    }
                    leaves(object.manifest.value())
                }
                Node::Overlay(overlay) => {
                    let mut paths = leaves(&overlay.fields);
                    paths.extend(overlay.documents.iter().map(|document| document.path()));
                    paths
                }
                Node::Gate(_) | Node::Action(_) | Node::Check(_) => continue,
            };
            for (other, paths) in &fields {
                let shared = written
                    .iter()
                    .find(|path| paths.iter().any(|p| p.contains(path) || path.contains(p)));
                if let Some(path) = shared {
                    errors.push(overlap(other, &resource.address, format!("{path} of {key}")));
                }
            }
            fields.push((&resource.address, written));
        }
    }
    errors
}

fn overlap(first: &Address, second: &Address, what: String) -> GraphError {
    GraphError::Overlap {
        first: first.clone(),
        second: second.clone(),
        what,
    }
}
