//! What a write of a built-in kind may not say, beyond its schema: required parts and immutable fields.
//!
//! Source: `reference/ssa-semantics.md` §5 and §10.

use serde_json::Value;

use super::Kind;
use crate::apiserver::native::canonical_quantity;
use crate::apiserver::schema::{self, Schema};
use crate::apiserver::status::FieldError;

/// Checks an object of a built-in kind by itself.
pub(in crate::apiserver) fn check_create(kind: &Kind, schema: &Schema, object: &Value) -> Vec<FieldError> {
    let mut errors = schema::validate(schema, object);
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod_spec(&object["spec"], "spec", &mut errors),
        ("apps", _) => {
            pod_spec(&object["spec"]["template"]["spec"], "spec.template.spec", &mut errors);
            selector(object, &mut errors);
        }
        ("batch", "Job") => {
            let spec = &object["spec"]["template"]["spec"];
            pod_spec(spec, "spec.template.spec", &mut errors);
            if !matches!(spec["restartPolicy"].as_str(), Some("OnFailure" | "Never")) {
                let supported = [Value::from("OnFailure"), Value::from("Never")];
                let field = "spec.template.spec.restartPolicy";
                errors.push(FieldError::unsupported(field, &spec["restartPolicy"], &supported));
            }
        }
        ("batch", "CronJob") => schedule(&object["spec"]["schedule"], &mut errors),
        ("", "Service") => {
            let spec = &object["spec"];
            let needs_ports = spec["type"] != "ExternalName" && spec["clusterIP"] != "None";
            if needs_ports && spec["ports"].as_array().is_none_or(Vec::is_empty) {
                errors.push(FieldError::required("spec.ports", ""));
            }
            let is_multiple = spec["ports"].as_array().is_some_and(|ports| ports.len() > 1);
            for (index, port) in spec["ports"].as_array().into_iter().flatten().enumerate() {
                if is_multiple && port["name"].is_null() {
                    errors.push(FieldError::required(format!("spec.ports[{index}].name"), ""));
                }
            }
        }
        ("", "ConfigMap" | "Secret") => keys(object, &mut errors),
        _ => {}
    }
    errors
}

/// A schedule has five fields, or is one of a few names. What stands in the fields is not looked at.
fn schedule(schedule: &Value, errors: &mut Vec<FieldError>) {
    let text = schedule.as_str().unwrap_or_default();
    let fields: Vec<&str> = text.split_whitespace().collect();
    if text.starts_with('@') || text.is_empty() || fields.len() == 5 {
        return;
    }
    let detail = format!(
        "expected exactly 5 fields, found {}: [{}]",
        fields.len(),
        fields.join(" ")
    );
    errors.push(FieldError::invalid("spec.schedule", schedule, &detail));
}

/// Keys of ConfigMaps and Secrets become names of files.
fn keys(object: &Value, errors: &mut Vec<FieldError>) {
    for field in ["data", "binaryData"] {
        for key in object[field].as_object().into_iter().flatten().map(|(key, _)| key) {
            let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            if key.is_empty() || !key.bytes().all(is_inner) {
                let detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
                errors.push(FieldError::invalid(
                    format!("{field}[{key}]"),
                    &Value::from(key.as_str()),
                    detail,
                ));
            }
        }
    }
}

fn selector(object: &Value, errors: &mut Vec<FieldError>) {
    let Some(wanted) = object["spec"]["selector"]["matchLabels"].as_object() else {
        return;
    };
    let labels = &object["spec"]["template"]["metadata"]["labels"];
    if wanted.iter().any(|(key, value)| labels.get(key) != Some(value)) {
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid("spec.template.metadata.labels", labels, detail));
    }
}

fn pod_spec(spec: &Value, path: &str, errors: &mut Vec<FieldError>) {
    if !spec.is_object() {
        errors.push(FieldError::required(format!("{path}.containers"), ""));
        return;
    }
    for list in ["initContainers", "containers"] {
        for (index, container) in spec[list].as_array().into_iter().flatten().enumerate() {
            let path = format!("{path}.{list}[{index}]");
            if container["image"].as_str().is_none_or(str::is_empty) {
                errors.push(FieldError::required(format!("{path}.image"), ""));
            }
            for (index, variable) in container["env"].as_array().into_iter().flatten().enumerate() {
                let has_value = variable["value"].as_str().is_some_and(|value| !value.is_empty());
                if has_value && !variable["valueFrom"].is_null() {
                    let detail = "may not be specified when `value` is not empty";
                    errors.push(FieldError::invalid_text(
                        format!("{path}.env[{index}].valueFrom"),
                        "\"\"",
                        detail,
                    ));
                }
            }
            for (index, mount) in container["volumeMounts"].as_array().into_iter().flatten().enumerate() {
                let volumes = spec["volumes"].as_array();
                if !volumes
                    .into_iter()
                    .flatten()
                    .any(|volume| volume["name"] == mount["name"])
                {
                    let name = mount["name"].as_str().unwrap_or_default();
                    errors.push(FieldError {
                        reason: "FieldValueNotFound",
                        field: format!("{path}.volumeMounts[{index}].name"),
                        body: format!("Not found: \"{name}\""),
                    });
                }
            }
        }
    }
}

/// An amount of bytes; nothing where none is said, which is less than any.
fn room(amount: &Value) -> Option<i128> {
    const SUFFIXES: [(&str, i128); 13] = [
        ("", 1),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("P", 1_000_000_000_000_000),
        ("E", 1_000_000_000_000_000_000),
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
        ("Pi", 1 << 50),
        ("Ei", 1 << 60),
    ];
    let text = canonical_quantity(amount.as_str()?)?;
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let (_, unit) = SUFFIXES.iter().find(|(suffix, _)| *suffix == &text[number.len()..])?;
    Some(number.parse::<i128>().ok()? * unit)
}

/// Checks what may not change between two states of an object of a built-in kind (§10).
pub(in crate::apiserver) fn check_update(kind: &Kind, old: &Value, new: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let changed =
        |pointer: &str| old.pointer(pointer).filter(|v| !v.is_null()) != new.pointer(pointer).filter(|v| !v.is_null());
    let at = |pointer: &str| new.pointer(pointer).cloned().unwrap_or(Value::Null);
    let mut immutable = |pointer: &str, field: &str| {
        if changed(pointer) {
            errors.push(FieldError::invalid(field, &at(pointer), "field is immutable"));
        }
    };
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Secret" | "ConfigMap") => {
            if kind.kind == "Secret" {
                immutable("/type", "type");
            }
            if old["immutable"] == true {
                let text = "field is immutable when `immutable` is set";
                if new["immutable"] != true {
                    errors.push(FieldError::forbidden("immutable", text));
                }
                if changed("/data") {
                    errors.push(FieldError::forbidden("data", text));
                }
                if changed("/binaryData") {
                    errors.push(FieldError::forbidden("binaryData", text));
                }
            }
        }
        ("", "Service") => {
            let is_named = |value: &Value| value["spec"]["clusterIP"].as_str().is_some_and(|ip| !ip.is_empty());
            if is_named(old) && new["spec"]["type"] != "ExternalName" && changed("/spec/clusterIP") {
                let value = serde_json::json!([at("/spec/clusterIP")]);
                errors.push(FieldError::invalid(
                    "spec.clusterIPs[0]",
                    &value,
                    "may not change once set",
                ));
            }
        }
        ("", "PersistentVolumeClaim") => {
            let mut before = old["spec"].clone();
            let mut after = new["spec"].clone();
            let is_bound = old["status"]["phase"] == "Bound";
            for spec in [&mut before, &mut after] {
                if let Value::Object(map) = spec {
                    map.remove("volumeAttributesClassName");
                    map.remove("volumeName");
                    if is_bound {
                        map.remove("resources");
                    }
                }
            }
            if before != after {
                let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
                errors.push(FieldError::forbidden("spec", detail));
            }
            // A volume never shrinks; only a growth that failed may be taken back, down to above what is there
            // (https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go#L2511).
            let asked = |claim: &Value| room(&claim["spec"]["resources"]["requests"]["storage"]);
            if asked(new) < asked(old) && asked(new) <= room(&old["status"]["capacity"]["storage"]) {
                let field = "spec.resources.requests.storage";
                errors.push(FieldError::forbidden(
                    field,
                    "field can not be less than status.capacity",
                ));
            }
        }
        ("apps", "Deployment" | "DaemonSet" | "ReplicaSet") => immutable("/spec/selector", "spec.selector"),
        ("apps", "StatefulSet") => {
            let fixed = |object: &Value| {
                let mut spec = object["spec"].clone();
                if let Value::Object(map) = &mut spec {
                    for free in [
                        "replicas",
                        "ordinals",
                        "template",
                        "updateStrategy",
                        "revisionHistoryLimit",
                        "persistentVolumeClaimRetentionPolicy",
                        "minReadySeconds",
                    ] {
                        map.remove(free);
                    }
                }
                spec
            };
            if fixed(old) != fixed(new) {
                let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
                errors.push(FieldError::forbidden("spec", detail));
            }
        }
        ("batch", "Job") => {
            immutable("/spec/selector", "spec.selector");
            immutable("/spec/template", "spec.template");
            immutable("/spec/completions", "spec.completions");
            immutable("/spec/completionMode", "spec.completionMode");
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") if changed("/roleRef") => {
            errors.push(FieldError::invalid("roleRef", &at("/roleRef"), "cannot change roleRef"));
        }
        ("storage.k8s.io", "StorageClass") => {
            for field in ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"] {
                if changed(&format!("/{field}")) {
                    errors.push(FieldError::forbidden(
                        field,
                        &format!("updates to {field} are forbidden."),
                    ));
                }
            }
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            immutable("/spec/scope", "spec.scope");
            immutable("/spec/group", "spec.group");
            immutable("/spec/names/kind", "spec.names.kind");
            immutable("/spec/names/plural", "spec.names.plural");
        }
        _ => {}
    }
    errors
}
