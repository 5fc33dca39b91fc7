//! Manifests as YAML, in the order in which they are applied.
//!
//! Invariant: a value that is left open stands as `(known after …)`, a secret as `(secret)`; neither is ever resolved.

use serde_json::{Value, json};
use stackctl_engine::{
    Address, Manifest, Resource,
    graph::Graph,
    late::LateSource,
    resource::{self, Node},
};
use std::collections::BTreeMap;

/// One document: the address that it belongs to, and its YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// A name for a file: the place in the order, and the address.
    pub file: String,
    /// The text.
    pub yaml: String,
}

/// A document for every object and every overlay, in the order of the graph.
pub fn documents(resources: &[Resource], graph: &Graph) -> Vec<Document> {
    let mut documents = Vec::new();
    // The order of the names of files is that of the documents.
    let width = resources.len().to_string().len().max(3);
    let by_address: BTreeMap<&Address, &Resource> =
        resources.iter().map(|resource| (&resource.address, resource)).collect();
    for address in graph.order() {
        let Some(resource) = by_address.get(address) else {
            continue;
        };
        let (what, body) = match &resource.node {
            Node::Object(object) => ("object", body(&object.manifest)),
            Node::Overlay(overlay) => {
                let said: Vec<_> = overlay.documents.iter().filter_map(resource::Document::said).collect();
                let mut body = overlay
                    .body(None, &said, &[])
                    .unwrap_or_else(|error| json!({"error": error.to_string()}));
                for document in overlay.documents.iter().filter(|document| document.said().is_none()) {
                    let stands_for = document.late().map_or_else(|| "(secret)".to_owned(), stands_for);
                    document.at.set(&mut body, Value::from(stands_for));
                }
                ("fields of an object of others", body)
            }
            Node::Gate(_) | Node::Action(_) | Node::Check(_) => continue,
        };
        let name: String = address
            .to_string()
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "-.".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        documents.push(Document {
            file: format!("{:0width$}-{name}.yaml", documents.len() + 1),
            yaml: format!("# {address} ({what})\n{}", yaml(&body)),
        });
    }
    documents
}

/// The documents as one stream.
pub fn stream(documents: &[Document]) -> String {
    documents
        .iter()
        .map(|document| format!("---\n{}", document.yaml))
        .collect()
}

fn body(manifest: &Manifest) -> Value {
    let mut body = manifest.value().clone();
    for late in manifest.late() {
        late.path.set(&mut body, Value::from(stands_for(&late.source)));
    }
    body
}

fn stands_for(source: &LateSource) -> String {
    match source {
        LateSource::Object { address, .. } => format!("(known after {address} is ready)"),
        LateSource::Generated { .. } | LateSource::Template { .. } | LateSource::Input(_) => "(secret)".to_owned(),
    }
}

fn yaml(value: &Value) -> String {
    let mut text =
        serde_saphyr::to_string(value).unwrap_or_else(|error| format!("# this cannot be written as YAML: {error}\n"));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackctl_engine::{
        FieldPath,
        late::{Encoding, Late},
        resource::Object,
    };

    #[test]
    fn what_is_open_is_said_and_never_resolved() {
        let manifest =
            Manifest::written(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {}}))
                .with_late(Late {
                    path: FieldPath::of("data.password"),
                    source: LateSource::Generated {
                        length: 12,
                        unless_exists: None,
                    },
                    encoding: Encoding::Base64,
                    sensitive: true,
                });
        let resource = Resource::new(
            "a.secret".parse().expect("an address"),
            Node::Object(Object::new(manifest)),
        );
        let graph = Graph::new(std::slice::from_ref(&resource)).expect("acyclic");
        insta::assert_snapshot!(stream(&documents(&[resource], &graph)));
    }
}
