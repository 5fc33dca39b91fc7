//! What a model is fetched with, and where it is kept: the connection of a modelcar image or of a bucket, the token of a
//! gated repository, a volume.
//!
//! Facts: `reference/serving.md` §1.3 rows 1 and 2 (a webhook refuses a service without its connection), §1.2 for the token.
//! S3: the webhook takes bucket and path for the URI and gives the pods a ServiceAccount named after the connection
//! (opendatahub-io/opendatahub-operator, `internal/webhook/serving/mutating_llmisvc.go`).

use crate::{
    components::{
        draft::{Draft, keyed, seconds, see},
        project, secret,
    },
    stack::{GivenSecret, Model, ModelSource, S3Account, S3Connection},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, ObjectRef,
    readiness::{Observation, Rule},
};

/// The key of the token in its Secret.
const TOKEN_KEY: &str = "token";

fn at(model: &Model, role: &str) -> Address {
    keyed(&[("model", model.name.as_str()), (role, "")])
}

/// The connection of a model, by its node and its Secret's name.
pub(super) fn connection(model: &Model) -> Option<(Address, String)> {
    let name = match &model.source {
        ModelSource::Oci { .. } => format!("{}-connection", model.name),
        ModelSource::S3 { connection, .. } => match connection {
            S3Connection::Existing(name) => name.to_string(),
            S3Connection::Made(_) => format!("{}-connection", model.name),
        },
        ModelSource::HuggingFace { .. } | ModelSource::Pvc { .. } => return None,
    };
    Some((at(model, "connection"), name))
}

/// What is to be done about a connection without a type (M6).
pub(super) fn untyped(model: &Model) -> String {
    const TYPE: &str = "the annotation `opendatahub.io/connection-type-protocol`";
    let name = connection(model).map(|(_, name)| name).unwrap_or_default();
    let secret = format!("Secret {}/{name}", model.namespace);
    match &model.source {
        ModelSource::S3 {
            connection: S3Connection::Existing(_),
            ..
        } => format!("give {secret} its type, in {TYPE}: `s3`"),
        _ => format!("see who takes {TYPE} off {secret}: `stackctl apply` writes it as the stack has it"),
    }
}

/// The token of a gated repository: what waits for it, its Secret and the key in it.
///
/// A Secret that is in the model's namespace already is used as it is; any other token is put into one that is named
/// after the model, so that two models may have two tokens.
pub(super) fn token(model: &Model) -> Option<(Address, String, String)> {
    let ModelSource::HuggingFace { token: Some(from), .. } = &model.source else {
        return None;
    };
    Some(match from {
        GivenSecret::Existing { namespace, name, key } if *namespace == model.namespace => {
            (at(model, "token"), name.to_string(), key.clone())
        }
        _ => (
            at(model, "token"),
            format!("{}-hf-token", model.name),
            TOKEN_KEY.to_owned(),
        ),
    })
}

/// The claim of the volume that its weights are kept on, if there is one.
pub(super) fn claim(model: &Model) -> Option<Address> {
    model.volume.as_ref().map(|_| at(model, "volume"))
}

pub(super) fn resources(model: &Model) -> Vec<Draft> {
    let mut nodes = Vec::new();
    match &model.source {
        ModelSource::Oci { .. } => {
            let (address, name) = (at(model, "connection"), format!("{}-connection", model.name));
            let mut manifest = connection_manifest(model, &name, ("uri", "uri-v1"));
            manifest["data"] = json!({"URI": STANDARD.encode(model.source.to_string())});
            nodes.push(Draft::object(address, manifest));
        }
        ModelSource::S3 { bucket, connection, .. } => match connection {
            S3Connection::Existing(name) => nodes.push(there(model, "connection", name.as_str())),
            S3Connection::Made(account) => nodes.extend(bucket_account(model, bucket, account)),
        },
        ModelSource::HuggingFace { token: Some(from), .. } => nodes.extend(token_nodes(model, from)),
        ModelSource::HuggingFace { token: None, .. } | ModelSource::Pvc { .. } => {}
    }
    nodes.extend(volume(model));
    nodes
}

/// Waits for a Secret of somebody else in the model's namespace.
pub(super) fn there(model: &Model, role: &str, name: &str) -> Draft {
    let secret = ObjectRef::namespaced("v1", "Secret", model.namespace.as_str(), name);
    let asked = format!("create {secret}");
    given(model, role, &secret, see(secret.clone(), Rule::Exists), asked)
}

/// The gate of a Secret in the model's namespace, where a person has to make it.
fn given(model: &Model, role: &str, secret: &ObjectRef, there: Observation, asked: String) -> Draft {
    let note = format!("waits for {secret}");
    Draft::gate(at(model, role), vec![there])
        .within(seconds(60))
        .after(
            project::namespace(model.namespace.as_str()),
            "it is put into that project",
        )
        .note(note)
        .asks(asked)
}

fn token_nodes(model: &Model, from: &GivenSecret) -> Vec<Draft> {
    let GivenSecret::Existing { namespace, name, key } = from else {
        return made_token(model, from);
    };
    if *namespace != model.namespace {
        return made_token(model, from);
    }
    // A pod whose Secret lacks the key never starts, and the model's status does not say why.
    let object = ObjectRef::namespaced("v1", "Secret", namespace.as_str(), name.as_str());
    let asked = secret::asked(&object, key);
    vec![given(
        model,
        "token",
        &object,
        secret::holds(object.clone(), key),
        asked,
    )]
}

fn made_token(model: &Model, from: &GivenSecret) -> Vec<Draft> {
    let open = secret::given(TOKEN_KEY, from, at(model, "token-source"));
    let manifest = manifest(model, &format!("{}-hf-token", model.name));
    let secret = Draft::object(at(model, "token"), manifest).late(open.late);
    open.gate.into_iter().chain([secret]).collect()
}

/// The account of a bucket, as the connection of it has it.
fn bucket_account(model: &Model, bucket: &str, account: &S3Account) -> Vec<Draft> {
    let name = format!("{}-connection", model.name);
    let mut manifest = connection_manifest(model, &name, ("s3", "s3"));
    manifest["data"] = json!({
        "AWS_S3_ENDPOINT": STANDARD.encode(&account.endpoint),
        "AWS_S3_BUCKET": STANDARD.encode(bucket),
        "AWS_DEFAULT_REGION": STANDARD.encode(&account.region),
    });
    let id = secret::given(
        "AWS_ACCESS_KEY_ID",
        &account.access_key_id,
        at(model, "connection-id-source"),
    );
    let key = secret::given(
        "AWS_SECRET_ACCESS_KEY",
        &account.secret_access_key,
        at(model, "connection-key-source"),
    );
    let secret = Draft::object(at(model, "connection"), manifest)
        .late(id.late)
        .late(key.late);
    id.gate.into_iter().chain(key.gate).chain([secret]).collect()
}

/// A connection that the dashboard knows; `kind` is its protocol and its type.
fn connection_manifest(model: &Model, name: &str, kind: (&str, &str)) -> Value {
    let mut manifest = manifest(model, name);
    manifest["metadata"]["labels"] = json!({"opendatahub.io/dashboard": "true"});
    manifest["metadata"]["annotations"] = json!({
        "opendatahub.io/connection-type-protocol": kind.0,
        "opendatahub.io/connection-type-ref": kind.1,
        "openshift.io/display-name": name,
    });
    manifest
}

fn manifest(model: &Model, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": model.namespace.as_str()},
        "type": "Opaque",
    })
}

/// Ready once it is there: a class may bind it only when a pod is scheduled (`reference/serving.md` §1.3).
fn volume(model: &Model) -> Option<Draft> {
    let volume = model.volume.as_ref()?;
    let mut spec = json!({
        "accessModes": [volume.access_mode.as_str()],
        "volumeMode": "Filesystem",
        "resources": {"requests": {"storage": volume.size.as_str()}},
    });
    if let Some(class) = &volume.storage_class {
        spec["storageClassName"] = json!(class.as_str());
    }
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": model.name.as_str(), "namespace": model.namespace.as_str()},
        "spec": spec,
    });
    // Weights can be fetched again, so nothing is lost with it.
    Some(Draft::object(at(model, "volume"), manifest).note(format!("{} for weights", volume.size.as_str())))
}
