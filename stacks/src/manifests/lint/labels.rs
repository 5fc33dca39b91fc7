//! Labels that every API server refuses.
//!
//! Facts: `reference/platform.md` §4 G21;
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>.

use crate::manifests::{ManifestsError, read::Document};
use serde_json::Value;

/// The longest name, and the longest value, of a label.
const LONGEST: usize = 63;

/// Looks at the labels of an object and of the pods that it makes.
pub(super) fn check(at: &Document<'_>, value: &Value, errors: &mut Vec<ManifestsError>) {
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
                errors.push(ManifestsError::Label {
                    at: at.at_field(&format!("{field}.{key}")),
                    what,
                    why,
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
