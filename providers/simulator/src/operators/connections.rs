//! Connections of models: what odh-model-controller's webhook makes of the Secret that a model names.
//!
//! Source: reference/serving.md §1.3 (which annotations, `https-host` or `URI`, the account `<secret>-sa`), M6;
//! `internal/webhook/connectionapi` and `internal/webhook/serving/v1alpha2` of
//! <https://github.com/opendatahub-io/odh-model-controller> (S3: `s3://<AWS_S3_BUCKET>/<connection-path>`; OCI: a pull
//! secret; what an update does).
//!
//! Invariants:
//! - A connection is injected when a model comes with it or changes to it, and not at other updates: then the model's own
//!   `spec.model.uri` counts.
//! - Taking a connection away takes away what it injected, the URI included, so that an update which does only that is
//!   refused by the schema.
//!
//! Left out: InferenceServices and Notebooks. The account of S3 is made by [`super::odh_model_controller`].

use base64::Engine as _;
use serde_json::{Value, json};

use super::object::Read;
use crate::apiserver::{Admission, AdmissionRequest, Operation, Rejection};

const CONNECTION: &str = "opendatahub.io/connections";
const PATH: &str = "opendatahub.io/connection-path";

/// Any of them is a type.
pub(super) const TYPES: [&str; 3] = [
    "opendatahub.io/connection-type-ref",
    "opendatahub.io/connection-type-protocol",
    "opendatahub.io/connection-type",
];

/// A policy of somebody's, not of OpenShift AI: it takes the type off these Secrets whenever they are written (M6).
#[derive(Debug)]
pub(super) struct Untyping(pub(super) Vec<String>);

impl Untyping {
    pub(super) const NAME: &str = "annotations.policy.example.com";
}

impl Admission for Untyping {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn handles(&self, request: &AdmissionRequest<'_>) -> bool {
        (request.group, request.kind) == ("", "Secret") && self.0.iter().any(|name| name == request.name)
    }

    fn mutate(&self, _: &AdmissionRequest<'_>, secret: &mut Value) -> Result<(), Rejection> {
        if let Some(annotations) = secret
            .pointer_mut("/metadata/annotations")
            .and_then(Value::as_object_mut)
        {
            annotations.retain(|key, _| !TYPES.contains(&key.as_str()));
        }
        Ok(())
    }
}

/// How the data of a connection is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Uri,
    S3,
    Oci,
}

/// A connection as a model names it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Connection {
    secret: String,
    /// None when the Secret is gone: what was injected from it is anybody's guess.
    protocol: Option<Protocol>,
    path: String,
}

/// Returns the Secret that a model names as its connection.
pub(super) fn named(service: &Value) -> Option<&str> {
    service.annotation(CONNECTION).filter(|name| !name.is_empty())
}

/// Returns the name of the account that goes with the Secret of an S3 connection.
pub(super) fn account(secret: &str) -> String {
    format!("{secret}-sa")
}

/// Returns how a connection's Secret is to be read; none for a type that the webhook leaves alone.
pub(super) fn protocol(secret: &Value) -> Option<Protocol> {
    let text = |key| secret.annotation(key).filter(|text| !text.is_empty());
    if let Some(protocol) = text("opendatahub.io/connection-type-protocol") {
        return match protocol {
            "uri" => Some(Protocol::Uri),
            "s3" => Some(Protocol::S3),
            "oci" => Some(Protocol::Oci),
            _ => None,
        };
    }
    match text("opendatahub.io/connection-type-ref")? {
        "uri-v1" => Some(Protocol::Uri),
        "s3" => Some(Protocol::S3),
        "oci-v1" => Some(Protocol::Oci),
        _ => None,
    }
}

/// Refuses a model whose connection is not there, or has no type.
pub(super) fn judge(request: &AdmissionRequest<'_>, object: Option<&Value>) -> Result<(), Rejection> {
    let Some(name) = object.and_then(named) else {
        return Ok(());
    };
    let namespace = request.namespace.unwrap_or_default();
    let Some(secret) = request.objects.object("", "Secret", request.namespace, name) else {
        return deny(format!(
            "connection secret '{name}' not found in namespace '{namespace}'"
        ));
    };
    if TYPES.iter().all(|key| secret.annotation(key).is_none()) {
        return deny(format!("connection secret '{name}' has no connection type annotation"));
    }
    Ok(())
}

/// Injects the connection of a model, or takes away the one that it had.
pub(super) fn inject(request: &AdmissionRequest<'_>, service: &mut Value) -> Result<(), Rejection> {
    if service.is_deleting() {
        return Ok(());
    }
    let new = connection(request, service).filter(|new| new.protocol.is_some());
    let old = match request.operation {
        Operation::Update => request.old.and_then(|old| connection(request, old)),
        Operation::Create | Operation::Delete => None,
    };
    if old == new {
        return Ok(());
    }
    if let Some(old) = old {
        remove(service, &old);
    }
    match new {
        Some(new) => add(request, service, &new),
        None => Ok(()),
    }
}

fn connection(request: &AdmissionRequest<'_>, service: &Value) -> Option<Connection> {
    let name = named(service)?;
    let secret = request.objects.object("", "Secret", request.namespace, name);
    let protocol = match secret {
        // Of a type that the webhook leaves alone.
        Some(secret) => Some(protocol(&secret)?),
        None => None,
    };
    // Only an S3 connection has a path.
    let path = service.annotation(PATH).filter(|_| protocol == Some(Protocol::S3));
    Some(Connection {
        secret: name.to_owned(),
        protocol,
        path: path.unwrap_or_default().to_owned(),
    })
}

fn add(request: &AdmissionRequest<'_>, service: &mut Value, connection: &Connection) -> Result<(), Rejection> {
    let secret = request
        .objects
        .object("", "Secret", request.namespace, &connection.secret)
        .unwrap_or_default();
    match connection.protocol {
        None => {}
        Some(Protocol::Uri) => {
            let Some(uri) = value(&secret, "https-host").or_else(|| value(&secret, "URI")) else {
                return deny("the connection holds neither `https-host` nor `URI`");
            };
            service["spec"]["model"]["uri"] = json!(uri);
        }
        Some(Protocol::S3) => {
            let bucket = value(&secret, "AWS_S3_BUCKET").filter(|bucket| !bucket.is_empty());
            let Some(bucket) = bucket else {
                return deny("the connection holds no `AWS_S3_BUCKET`");
            };
            if connection.path.is_empty() {
                return deny(format!("an S3 connection needs the annotation {PATH}"));
            }
            if service.text("/spec/template/serviceAccountName").is_empty() {
                service["spec"]["template"]["serviceAccountName"] = json!(account(&connection.secret));
            }
            service["spec"]["model"]["uri"] = json!(format!("s3://{bucket}/{}", connection.path));
        }
        Some(Protocol::Oci) => {
            let reference = json!({"name": connection.secret});
            let mut references = service.list("/spec/template/imagePullSecrets").to_vec();
            if !references.contains(&reference) {
                references.push(reference);
                service["spec"]["template"]["imagePullSecrets"] = json!(references);
            }
        }
    }
    Ok(())
}

fn remove(service: &mut Value, connection: &Connection) {
    let unknown = connection.protocol.is_none();
    let account = account(&connection.secret);
    let reference = json!({"name": connection.secret});
    if let Some(template) = service.pointer_mut("/spec/template").and_then(Value::as_object_mut) {
        let injected = template.get("serviceAccountName") == Some(&json!(account));
        if injected && (unknown || connection.protocol == Some(Protocol::S3)) {
            template.remove("serviceAccountName");
        }
        if (unknown || connection.protocol == Some(Protocol::Oci))
            && let Some(references) = template.get_mut("imagePullSecrets").and_then(Value::as_array_mut)
        {
            references.retain(|other| *other != reference);
        }
    }
    if let Some(model) = service.pointer_mut("/spec/model").and_then(Value::as_object_mut) {
        model.remove("uri");
    }
}

fn value(secret: &Value, key: &str) -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(secret["data"][key].as_str()?);
    String::from_utf8(bytes.ok()?).ok()
}

fn deny<T>(message: impl Into<String>) -> Result<T, Rejection> {
    Err(Rejection::Denied(message.into()))
}
