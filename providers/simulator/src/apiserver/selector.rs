//! Label and field selectors
//! (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>).

use serde_json::Value;

use super::metadata::is_label_value;
use super::status::Refusal;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    NotExists(String),
}

/// What a LIST or WATCH keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    /// Path of object keys, value, whether they must be equal.
    fields: Vec<(Vec<String>, String, bool)>,
}

impl Selector {
    /// Reads both selectors of a query.
    ///
    /// # Errors
    ///
    /// 400 for a selector that cannot be read or has an illegal value (`reference/ssa-semantics.md` §14).
    pub(super) fn parse(labels: Option<&str>, fields: Option<&str>) -> Result<Self, Refusal> {
        let mut selector = Self::default();
        for part in split_outside_parentheses(labels.unwrap_or_default()) {
            selector.labels.push(requirement(part.trim())?);
        }
        for part in fields.unwrap_or_default().split(',').filter(|part| !part.is_empty()) {
            let (path, value, is_equal) = if let Some((path, value)) = part.split_once("!=") {
                (path, value, false)
            } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (path, value, true)
            } else {
                return Err(Refusal::bad_request(format!("invalid field selector: \"{part}\"")));
            };
            selector.fields.push((
                path.split('.').map(ToOwned::to_owned).collect(),
                value.to_owned(),
                is_equal,
            ));
        }
        Ok(selector)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        let label = |key: &String| labels.get(key).and_then(Value::as_str);
        let labels_match = self.labels.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|found| values.iter().any(|value| value == found)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|found| values.iter().all(|value| value != found)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::NotExists(key) => label(key).is_none(),
        });
        labels_match
            && self.fields.iter().all(|(path, wanted, is_equal)| {
                let found = path.iter().try_fold(object, |value, key| value.get(key));
                let is_same = match found {
                    Some(Value::String(text)) => text == wanted,
                    Some(Value::Null) | None => wanted.is_empty(),
                    Some(other) => other.to_string().as_str() == wanted,
                };
                is_same == *is_equal
            })
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (position, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn requirement(text: &str) -> Result<Requirement, Refusal> {
    let bad = || Refusal::bad_request(format!("unable to parse requirement: found '{text}'"));
    let checked = |value: &str| -> Result<String, Refusal> {
        let value = value.trim();
        if is_label_value(value) {
            return Ok(value.to_owned());
        }
        Err(Refusal::bad_request(format!(
            "unable to parse requirement: values[0][]: Invalid value: \"{value}\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
        )))
    };
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(Requirement::NotIn(key.trim().to_owned(), vec![checked(value)?]));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Ok(Requirement::In(key.trim().to_owned(), vec![checked(value)?]));
    }
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Requirement::NotExists(key.trim().to_owned()));
    }
    if let Some((head, values)) = text.split_once('(') {
        let values = values.trim().strip_suffix(')').ok_or_else(bad)?;
        let values = values.split(',').map(checked).collect::<Result<Vec<_>, _>>()?;
        let mut words = head.split_whitespace();
        let (Some(key), Some(operator)) = (words.next(), words.next()) else {
            return Err(bad());
        };
        return match operator {
            "in" => Ok(Requirement::In(key.to_owned(), values)),
            "notin" => Ok(Requirement::NotIn(key.to_owned(), values)),
            _ => Err(bad()),
        };
    }
    if text.contains(char::is_whitespace) {
        return Err(bad());
    }
    Ok(Requirement::Exists(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_keep_what_they_name() {
        let object =
            json!({"metadata": {"name": "a", "labels": {"app": "x", "tier": "web"}}, "status": {"phase": "Bound"}});
        for (labels, fields, expected) in [
            ("app=x", "", true),
            ("app==x,tier in (web, db)", "", true),
            ("app!=x", "", false),
            ("app", "", true),
            ("!app", "", false),
            ("other notin (a,b)", "", true),
            ("", "metadata.name=a", true),
            ("", "metadata.name=b", false),
            ("", "status.phase!=Pending", true),
        ] {
            let selector = Selector::parse(Some(labels), Some(fields)).expect("a selector");
            assert_eq!(selector.matches(&object), expected, "{labels} {fields}");
        }
        assert!(Selector::parse(Some("app=-x"), None).is_err());
    }
}
