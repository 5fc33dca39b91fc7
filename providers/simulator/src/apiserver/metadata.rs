//! Rules of `metadata` that hold for every kind.
//!
//! Source: `reference/ssa-semantics.md` §4, §12, §14 and
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>.

use serde_json::{Map, Value};

use super::kinds::Kind;
use super::status::{FieldError, go_quote};

const MAX_ANNOTATION_BYTES: usize = 262_144;
/// What the value of a label must be.
pub(super) const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// Whether a name consists of the characters of a DNS label.
fn is_dns_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_qualified_part(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    text.len() <= 63
        && text.bytes().all(is_inner)
        && is_edge(text.as_bytes().first())
        && is_edge(text.as_bytes().last())
}

/// Whether a text may be the value of a label.
pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_qualified_part(text)
}

fn is_key(text: &str, prefix_may_be_upper: bool) -> bool {
    match text.split_once('/') {
        None => is_qualified_part(text),
        Some((prefix, name)) => {
            let prefix = if prefix_may_be_upper {
                prefix.to_lowercase()
            } else {
                prefix.to_owned()
            };
            prefix.len() <= 253 && prefix.split('.').all(is_dns_label) && is_qualified_part(name)
        }
    }
}

/// Checks an object's name.
fn check_name(kind: &Kind, name: &str, errors: &mut Vec<FieldError>) {
    let quoted = Value::from(name);
    let (is_good, text) = match (kind.group.as_str(), kind.kind.as_str()) {
        _ if kind.has_free_names => (
            !matches!(name, "." | "..") && !name.contains(['/', '%']),
            "may not contain '/' or '%'",
        ),
        ("", "Namespace" | "Service") => (
            is_dns_label(name) && name.len() <= 63,
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        ),
        _ => (
            name.len() <= 253 && name.split('.').all(is_dns_label),
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
    };
    if !is_good {
        errors.push(FieldError::invalid("metadata.name", &quoted, text));
    }
}

/// Checks metadata by itself.
pub(super) fn check(kind: &Kind, metadata: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check_name(kind, metadata["name"].as_str().unwrap_or_default(), &mut errors);
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        if !is_key(key, false) {
            errors.push(FieldError::invalid("metadata.labels", &Value::from(key.as_str()), "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"));
        }
        if text.len() > 63 {
            errors.push(FieldError::invalid(
                "metadata.labels",
                value,
                "must be no more than 63 bytes",
            ));
        } else if !is_label_value(text) {
            errors.push(FieldError::invalid("metadata.labels", value, LABEL_VALUE));
        }
    }
    let mut n_bytes = 0;
    for (key, value) in metadata["annotations"].as_object().into_iter().flatten() {
        n_bytes += key.len() + value.as_str().map_or(0, str::len);
        if !is_key(key, true) {
            errors.push(FieldError::invalid("metadata.annotations", &Value::from(key.as_str()), "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"));
        }
    }
    if n_bytes > MAX_ANNOTATION_BYTES {
        errors.push(FieldError::too_long("metadata.annotations", MAX_ANNOTATION_BYTES));
    }
    finalizers(kind, metadata, &mut errors);
    owners(metadata, &mut errors);
    errors
}

/// Finalizers are qualified names; of built-in kinds they have a prefix or are well known.
fn finalizers(kind: &Kind, metadata: &Value, errors: &mut Vec<FieldError>) {
    const WELL_KNOWN: [&str; 3] = ["foregroundDeletion", "kubernetes", "orphan"];
    let names = metadata["finalizers"].as_array().into_iter().flatten();
    for (index, name) in names.filter_map(Value::as_str).enumerate() {
        if !is_key(name, false) {
            errors.push(FieldError::invalid("metadata.finalizers", &Value::from(name), "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"));
        } else if !kind.is_custom()
            && kind.group != "apiextensions.k8s.io"
            && !name.contains('/')
            && !WELL_KNOWN.contains(&name)
        {
            errors.push(FieldError::invalid(
                format!("metadata.finalizers[{index}]"),
                &Value::from(name),
                "name is neither a standard finalizer name nor is it fully qualified",
            ));
        }
    }
}

/// A reference to an owner is complete, and at most one is the controller.
fn owners(metadata: &Value, errors: &mut Vec<FieldError>) {
    let Some(references) = metadata["ownerReferences"].as_array() else {
        return;
    };
    for reference in references {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if reference[field].as_str().is_none_or(str::is_empty) {
                let place = match field {
                    "apiVersion" => "metadata.ownerReferences.version".to_owned(),
                    other => format!("metadata.ownerReferences.{other}"),
                };
                errors.push(FieldError::invalid(place, &Value::from(""), "must not be empty"));
            }
        }
    }
    let controllers: Vec<&Value> = references
        .iter()
        .filter(|reference| reference["controller"] == true)
        .collect();
    if let [first, second, ..] = controllers.as_slice() {
        let name = |of: &Value| {
            let text = |field: &str| of[field].as_str().unwrap_or_default().to_owned();
            format!("{}/{}", text("kind"), text("name"))
        };
        let detail = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {} and {}",
            name(first),
            name(second)
        );
        let shown: Vec<String> = references.iter().map(as_go_prints).collect();
        errors.push(FieldError::invalid_text(
            "metadata.ownerReferences",
            &format!("[{}]", shown.join(",")),
            &detail,
        ));
    }
}

/// An owner reference with its fields in the order of the Go type.
fn as_go_prints(reference: &Value) -> String {
    let fields = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
    let shown: Vec<String> = fields
        .iter()
        .filter(|field| !reference[**field].is_null())
        .map(|field| format!("\"{field}\":{}", reference[*field]))
        .collect();
    format!("{{{}}}", shown.join(","))
}

/// Checks what of metadata may not change. The uid is reported twice, as a real server does (§4).
pub(super) fn check_update(old: &Value, new: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (field, n_times) in [("name", 1), ("namespace", 1), ("uid", 2)] {
        let given = &new[field];
        if !given.is_null() && given != &old[field] {
            for _ in 0..n_times {
                errors.push(FieldError::invalid(
                    format!("metadata.{field}"),
                    given,
                    "field is immutable",
                ));
            }
        }
    }
    if !old["deletionTimestamp"].is_null() {
        let list = |value: &Value| -> Vec<String> {
            value["finalizers"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(ToOwned::to_owned)
                .collect()
        };
        let before = list(old);
        let added: Vec<String> = list(new)
            .into_iter()
            .filter(|finalizer| !before.contains(finalizer))
            .map(|text| go_quote(&text))
            .collect();
        if !added.is_empty() {
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            );
            // Once for metadata by itself and once for the kind, as a real server does.
            errors.push(FieldError::forbidden("metadata.finalizers", &detail));
            errors.push(FieldError::forbidden("metadata.finalizers", &detail));
        }
    }
    errors
}

/// The metadata of an object, made if it is missing.
pub(super) fn of(object: &mut Value) -> &mut Map<String, Value> {
    if !object["metadata"].is_object() {
        object["metadata"] = Value::Object(Map::new());
    }
    object["metadata"].as_object_mut().expect("it was just made an object")
}

/// Carries over what the server alone decides.
pub(super) fn keep_system_fields(old: &Value, new: &mut Value) {
    let old = &old["metadata"];
    let new = of(new);
    for field in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "name",
        "namespace",
    ] {
        match &old[field] {
            Value::Null => new.remove(field),
            value => new.insert(field.to_owned(), value.clone()),
        };
    }
    new.remove("selfLink");
}
