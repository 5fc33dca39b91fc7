//! Models that run elsewhere: a credential, the model, and its reference, all under one name.
//!
//! Neither the model nor its reference says whether the provider takes the credential: that shows at the first call.
//! `status.phase` of an ExternalModel is not kept, so its route is what counts.
//!
//! Facts: `reference/serving.md` §1.15, §2.2 (edges), §5.3 E1 to E4.

use super::registration;
use crate::{
    components::{
        draft::{Draft, keyed, seconds, see},
        names::MAAS_GATEWAY,
        project, secret,
    },
    stack::{ExternalModel, Subscriptions, Timeout},
};
use serde_json::{Value, json};
use stackctl_engine::{Address, ObjectRef, readiness::Rule, resource::ConsequenceClass};

/// The key that the gateway looks for, and the label without which it looks at no Secret (`reference/serving.md` §5.3 E1).
const KEY: &str = "api-key";
const LABEL: &str = "inference.networking.k8s.io/bbr-managed";

fn address(model: &ExternalModel, role: &str) -> Address {
    keyed(&[("maas", ""), ("external", model.name.as_str()), (role, "")])
}

pub(super) fn resources(wanted: &Subscriptions, time: Option<Timeout>) -> Vec<Draft> {
    let mut nodes = Vec::new();
    let mut credentials: Vec<(&str, &str)> = Vec::new();
    for model in &wanted.external_models {
        let credential = (model.namespace.as_str(), model.secret.as_str());
        // Models of one provider may share a credential.
        let owner = match credentials.iter().position(|known| *known == credential) {
            Some(index) => &wanted.external_models[index],
            None => model,
        };
        if owner == model {
            nodes.extend(credential_of(model));
        }
        credentials.push(credential);
        nodes.extend(of_model(model, &address(owner, "credential"), time));
    }
    nodes
}

fn credential_of(model: &ExternalModel) -> Vec<Draft> {
    let open = secret::given(KEY, &model.api_key, address(model, "credential-source"));
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": model.secret.as_str(),
            "namespace": model.namespace.as_str(),
            "labels": {LABEL: "true"},
        },
        "type": "Opaque",
    });
    let secret = Draft::object(address(model, "credential"), manifest).late(open.late);
    open.gate.into_iter().chain([secret]).collect()
}

fn of_model(model: &ExternalModel, credential: &Address, time: Option<Timeout>) -> [Draft; 3] {
    let (name, namespace) = (model.name.as_str(), model.namespace.as_str());
    let mut metadata = json!({"name": name, "namespace": namespace});
    // What the API takes for granted is not said (`reference/serving.md` §1.15, annotations).
    if !model.tls {
        metadata["annotations"]["maas.opendatahub.io/tls"] = json!("false");
    }
    if model.port != 443 {
        metadata["annotations"]["maas.opendatahub.io/port"] = json!(model.port.to_string());
    }
    let route = ObjectRef::namespaced("gateway.networking.k8s.io/v1", "HTTPRoute", namespace, name);
    let service = address(model, "service");
    [
        Draft::object(
            service.clone(),
            json!({
                "apiVersion": "maas.opendatahub.io/v1alpha1",
                "kind": "ExternalModel",
                "metadata": metadata,
                "spec": {
                    "provider": model.provider.as_str(),
                    "endpoint": model.endpoint.as_str(),
                    "targetModel": model.target_model,
                    "credentialRef": {"name": model.secret.as_str()},
                },
            }),
        )
        .note(format!("{} at {}", model.target_model, model.endpoint))
        .tells(
            ConsequenceClass::Notice,
            format!(
                "sends what callers of {name} write to {}, outside of the cluster",
                model.endpoint
            ),
        )
        .after(project::namespace(namespace), "its objects are in that project")
        .after(
            credential.clone(),
            "the gateway has to have the credential before the first call",
        )
        .after(super::authorino::done(), "callers are let in by Authorino, over TLS"),
        Draft::gate(address(model, "route"), vec![see(route, accepted())])
            .after_write(service.clone(), "maas-controller makes its route")
            .after(super::gateway(), "its route attaches to the gateway of MaaS")
            .within(seconds(120))
            .diagnosed(crate::components::symptoms::route(namespace, name))
            .note(format!("waits for HTTPRoute {namespace}/{name} at {MAAS_GATEWAY}")),
        registration::model_reference(name, namespace, "ExternalModel", &model.display, time)
            .after(address(model, "route"), "it becomes ready by that route")
            .after_write(service, "it mirrors the model"),
    ]
}

/// A gateway takes the route (`reference/serving.md` §1.15, gate).
fn accepted() -> Rule {
    let is = |kind: &str| {
        Rule::equals(
            &format!("status.parents[0].conditions[type={kind}].status"),
            Value::from("True"),
        )
    };
    Rule::All(vec![is("Accepted"), is("ResolvedRefs")])
}
