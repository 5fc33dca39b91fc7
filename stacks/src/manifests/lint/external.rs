//! Models that run elsewhere, and references to models.
//!
//! Facts: `reference/serving.md` §1.12 (MaaSModelRef), §1.15, §5.3 S5, S8 and E1 to E3.

use super::{Seen, World, gateway, model as service};
use crate::manifests::{ManifestsError, read::Document};
use serde_json::Value;

/// A model that runs elsewhere.
pub(super) const MODEL: (&str, &str) = (super::MAAS_GROUP, "ExternalModel");
/// A model as MaaS knows it.
pub(super) const REFERENCE: (&str, &str) = (super::MAAS_GROUP, "MaaSModelRef");

/// Without this label the gateway looks at no Secret.
const LABEL: &str = "inference.networking.k8s.io/bbr-managed";

/// The Secret of a provider's key carries the label. Whether the key is in it cannot be seen: a manifest holds none.
pub(super) fn credential(world: &World<'_>, secret: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    let name = (secret.namespace(), secret.object.name.as_str());
    let Some(model) = world.credentials.get(&name) else {
        return;
    };
    if secret.value["metadata"]["labels"][LABEL] != "true" {
        errors.push(ManifestsError::UnlabelledCredential {
            at: at.at_field("metadata.labels"),
            secret: secret.object.to_string(),
            model: model.place(),
        });
    }
}

pub(super) fn model(world: &World<'_>, model: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    let spec = &model.value["spec"];
    if let Some(endpoint) = spec["endpoint"].as_str()
        && !is_host(endpoint)
    {
        errors.push(ManifestsError::Endpoint {
            at: at.at_field("spec.endpoint"),
            endpoint: endpoint.to_owned(),
        });
    }
    let first = spec["targetModel"]
        .as_str()
        .and_then(|target| world.targets.get(target));
    if let Some(first) = first
        && first.object != model.object
    {
        errors.push(ManifestsError::SameTarget {
            at: at.at_field("spec.targetModel"),
            target: spec["targetModel"].as_str().unwrap_or_default().to_owned(),
            first: first.place(),
        });
    }
    gateway::admitted(world, model, at, errors);
}

/// The kind and name of the model that a reference is to, in its own namespace.
pub(super) fn referred(reference: &Value) -> Option<(&str, &str)> {
    let model = &reference["spec"]["modelRef"];
    Some((model["kind"].as_str()?, model["name"].as_str()?))
}

pub(super) fn reference(world: &World<'_>, reference: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    let Some((kind, name)) = referred(reference.value) else {
        return;
    };
    if kind == MODEL.1 && name != reference.object.name {
        errors.push(ManifestsError::OtherName {
            at: at.at_field("spec.modelRef.name"),
            reference: reference.object.name.clone(),
            model: name.to_owned(),
        });
    }
    let model = (reference.namespace(), kind, name);
    if let Some(first) = world.references.get(&model)
        && first.object != reference.object
    {
        errors.push(ManifestsError::ReferredTwice {
            at: at.at_field("spec.modelRef"),
            model: format!("{kind} {}/{name}", reference.namespace()),
            first: first.place(),
        });
    }
    if kind == service::SERVICE.1
        && let Some(service) = world.services.get(&(reference.namespace(), name))
        && !gateway::has_maas(&service.value["spec"])
    {
        errors.push(ManifestsError::OtherGateway {
            at: at.at_field("spec.modelRef.name"),
            reference: reference.object.to_string(),
            model: service.place(),
        });
    }
    // A model that stands here too is judged there.
    if !world.models.contains(&model) {
        gateway::admitted(world, reference, at, errors);
    }
}

/// The pattern of the API, without regular expressions: labels of letters, digits and `-`, divided by dots.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = label.as_bytes();
        is_edge(bytes.first())
            && is_edge(bytes.last())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}
