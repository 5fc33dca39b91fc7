//! What a model is fetched with: the connection of a modelcar image, the token of a gated repository.
//!
//! Facts: `reference/serving.md` §1.3 row 1 (a webhook refuses a service without its connection), §1.2 for the token.

use crate::{
    components::{
        draft::{Draft, keyed},
        secret,
    },
    stack::{Model, ModelSource},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use stackctl_engine::Address;

/// The key of the token in its Secret.
pub(super) const TOKEN_KEY: &str = "token";

/// The Secret of the connection of a modelcar.
pub(super) fn connection(model: &Model) -> Option<(Address, String)> {
    matches!(model.source, ModelSource::Oci { .. }).then(|| {
        (
            keyed(&[("model", model.name.as_str()), ("connection", "")]),
            format!("{}-connection", model.name),
        )
    })
}

/// The Secret of the token of a gated repository; named after the model, so that two models may have two tokens.
pub(super) fn token(model: &Model) -> Option<(Address, String)> {
    let ModelSource::HuggingFace { token: Some(_), .. } = &model.source else {
        return None;
    };
    Some((
        keyed(&[("model", model.name.as_str()), ("token", "")]),
        format!("{}-hf-token", model.name),
    ))
}

pub(super) fn resources(model: &Model) -> Vec<Draft> {
    let mut nodes = Vec::new();
    if let Some((address, name)) = connection(model) {
        let mut manifest = manifest(&name, model);
        manifest["metadata"]["labels"] = json!({"opendatahub.io/dashboard": "true"});
        manifest["metadata"]["annotations"] = json!({
            "opendatahub.io/connection-type-protocol": "uri",
            "opendatahub.io/connection-type-ref": "uri-v1",
            "openshift.io/display-name": name,
        });
        manifest["data"] = json!({"URI": STANDARD.encode(model.source.to_string())});
        nodes.push(Draft::object(address, manifest));
    }
    if let (Some((address, name)), ModelSource::HuggingFace { token: Some(from), .. }) = (token(model), &model.source) {
        let gate = keyed(&[("model", model.name.as_str()), ("token-source", "")]);
        let open = secret::open(TOKEN_KEY, from, gate, None);
        nodes.extend(open.gate);
        nodes.push(Draft::object(address, manifest(&name, model)).late(open.late));
    }
    nodes
}

fn manifest(name: &str, model: &Model) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": model.namespace.as_str()},
        "type": "Opaque",
    })
}
