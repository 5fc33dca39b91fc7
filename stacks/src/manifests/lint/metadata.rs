//! Metadata that every API server refuses: labels, names of its own kinds, and what it alone writes.
//!
//! Facts: `reference/platform.md` §4 G21; `reference/ssa-semantics.md` (managedFields, resourceVersion and uid of an apply);
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>,
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names>.

use super::Seen;
use crate::manifests::{ManifestsError, kinds::is_of_the_server, read::Document};
use serde_json::Value;

/// The longest name, and the longest value, of a label.
const LONGEST: usize = 63;
/// The longest name of an object.
const LONGEST_NAME: usize = 253;

const OF_LABELS: &str =
    "name and value of a label have at most 63 characters, a prefix before `/` aside; longer texts are annotations";
const OF_NAMES: &str = "write lower-case letters, digits, `-` and `.`";

/// Looks at the metadata of an object, and at the labels of the pods that it makes.
pub(super) fn check(one: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    labels(at, one.value, errors);
    written_by_the_server(one, at, errors);
    // Names of roles are free, and so may be those of kinds that others serve.
    let (group, _) = one.kind();
    if is_of_the_server(&one.object.object_type) && group != "rbac.authorization.k8s.io" {
        let name = one.object.name.as_str();
        if let Some(why) = wrong_name(name) {
            errors.push(ManifestsError::Name {
                at: at.at_field("metadata.name"),
                what: format!("the name `{name}`"),
                why,
                hint: OF_NAMES,
            });
        }
    }
}

/// What is in an object because it was read from a server.
fn written_by_the_server(one: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    let metadata = &one.value["metadata"];
    let found: Vec<&str> = ["managedFields", "resourceVersion", "uid"]
        .into_iter()
        .filter(|field| metadata.get(*field).is_some())
        .collect();
    if let Some(first) = found.first() {
        errors.push(ManifestsError::OfServer {
            at: at.at_field(&format!("metadata.{first}")),
            object: one.object.to_string(),
            fields: format!("`{}`", found.join("`, `")),
        });
    }
}

fn wrong_name(name: &str) -> Option<String> {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        let is_inner = |byte: &u8| is_edge(Some(byte)) || *byte == b'-';
        is_edge(bytes.first()) && is_edge(bytes.last()) && bytes.iter().all(is_inner)
    };
    if name.len() > LONGEST_NAME {
        return Some(format!("it has {} characters, and may have 253", name.len()));
    }
    let is_well = name.split('.').all(is_part);
    (!is_well).then(|| "it is not of lower-case letters and digits, with `-` and `.` between".to_owned())
}

fn labels(at: &Document<'_>, value: &Value, errors: &mut Vec<ManifestsError>) {
    let of_pods = &value["spec"]["template"]["metadata"]["labels"];
    let places = [
        ("metadata.labels", &value["metadata"]["labels"]),
        ("spec.template.metadata.labels", of_pods),
    ];
    for (field, labels) in places {
        for (key, value) in labels.as_object().into_iter().flatten() {
            let name = key.rsplit_once('/').map_or(key.as_str(), |(_, name)| name);
            let value = value.as_str().unwrap_or_default();
            let why = wrong(name)
                .or_else(|| name.is_empty().then(|| "it is empty".to_owned()))
                .map(|why| (format!("the name `{name}`"), why))
                .or_else(|| Some((format!("the value `{value}`"), wrong(value)?)));
            if let Some((what, why)) = why {
                errors.push(ManifestsError::Name {
                    at: at.at_field(&format!("{field}.{key}")),
                    what: format!("{what} of a label"),
                    why,
                    hint: OF_LABELS,
                });
            }
        }
    }
}

/// What is wrong with a text that may be empty.
fn wrong(text: &str) -> Option<String> {
    let is_edge = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bytes = text.as_bytes();
    if bytes.len() > LONGEST {
        return Some(format!("it has {} characters", bytes.len()));
    }
    let is_well = is_edge(bytes.first()) && is_edge(bytes.last()) && bytes.iter().all(is_inner);
    (!is_well).then(|| "it begins and ends with a letter or a digit, with `-`, `_` and `.` between".to_owned())
}
