//! Label and field selectors
//! (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>).

use serde_json::Value;

use super::metadata::{LABEL_VALUE, is_label_value};
use super::request::Call;
use super::status::Refusal;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    NotExists(String),
    Above(String, i64),
    Below(String, i64),
}

/// What a LIST or WATCH keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    /// Path of object keys, value, whether they must be equal.
    fields: Vec<(Vec<String>, String, bool)>,
}

impl Selector {
    /// Reads both selectors of a request.
    ///
    /// # Errors
    ///
    /// 400 as [`Self::parse`], and for a field that the kind does not select by.
    pub(super) fn of(call: &Call) -> Result<Self, Refusal> {
        let selector = Self::parse(call.query.get("labelSelector"), call.query.get("fieldSelector"))?;
        for (path, _, _) in &selector.fields {
            let field = path.join(".");
            if !is_selectable(call, &field) {
                return Err(Refusal::bad_request(if call.kind.is_custom() {
                    format!("field label not supported: {field}")
                } else {
                    format!("\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
                }));
            }
        }
        Ok(selector)
    }

    /// Reads both selectors.
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
        let number = |key: &String| label(key).and_then(|text| text.parse::<i64>().ok());
        let labels_match = self.labels.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|found| values.iter().any(|value| value == found)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|found| values.iter().all(|value| value != found)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::NotExists(key) => label(key).is_none(),
            Requirement::Above(key, bound) => number(key).is_some_and(|found| found > *bound),
            Requirement::Below(key, bound) => number(key).is_some_and(|found| found < *bound),
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

/// Whether a selector as manifests write it (`matchLabels`, `matchExpressions`) chooses an object with these labels.
pub(super) fn chooses(selector: &Value, labels: &Value) -> bool {
    let wanted = selector["matchLabels"].as_object().into_iter().flatten();
    let mut expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    wanted.into_iter().all(|(key, value)| labels.get(key) == Some(value))
        && expressions.all(|expression| {
            let found = labels.get(expression["key"].as_str().unwrap_or_default());
            let is_listed = || {
                let values = expression["values"].as_array().into_iter().flatten();
                found.is_some_and(|found| values.into_iter().any(|value| value == found))
            };
            match expression["operator"].as_str() {
                Some("In") => is_listed(),
                Some("NotIn") => !is_listed(),
                Some("Exists") => found.is_some(),
                Some("DoesNotExist") => found.is_none(),
                Some(_) | None => false,
            }
        })
}

/// The fields that a kind selects by, besides name and namespace
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/#list-of-supported-fields>).
fn is_selectable(call: &Call, field: &str) -> bool {
    if matches!(field, "metadata.name" | "metadata.namespace") {
        return true;
    }
    match call.kind.kind.as_str() {
        _ if call.kind.is_custom() => false,
        "Secret" => field == "type",
        "Namespace" => field == "status.phase",
        "Node" => field == "spec.unschedulable",
        "Job" => field == "status.successful",
        "Event" => field.starts_with("involvedObject.") || matches!(field, "reason" | "type" | "source"),
        "Pod" => matches!(
            field,
            "spec.nodeName"
                | "spec.restartPolicy"
                | "spec.schedulerName"
                | "spec.serviceAccountName"
                | "spec.hostNetwork"
                | "status.phase"
                | "status.podIP"
                | "status.nominatedNodeName"
        ),
        _ => false,
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
    let checked = |key: &str, value: &str| -> Result<String, Refusal> {
        let (key, value) = (key.trim(), value.trim());
        if value.starts_with(['=', '!', '<', '>']) {
            let sign = &value[..1];
            return Err(Refusal::bad_request(format!(
                "unable to parse requirement: found '{sign}', expected: identifier"
            )));
        }
        if is_label_value(value) {
            return Ok(value.to_owned());
        }
        if value.contains('=') {
            return Err(Refusal::bad_request("found '=', expected: ',' or 'end of string'"));
        }
        Err(Refusal::bad_request(format!(
            "unable to parse requirement: values[0][{key}]: Invalid value: \"{value}\": {LABEL_VALUE}"
        )))
    };
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(Requirement::NotIn(key.trim().to_owned(), vec![checked(key, value)?]));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Ok(Requirement::In(key.trim().to_owned(), vec![checked(key, value)?]));
    }
    if let Some((key, value)) = text.split_once(['>', '<']) {
        let (key, bound) = (key.trim().to_owned(), value.trim().parse().map_err(|_| bad())?);
        return Ok(if text.contains('>') {
            Requirement::Above(key, bound)
        } else {
            Requirement::Below(key, bound)
        });
    }
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Requirement::NotExists(key.trim().to_owned()));
    }
    if let Some((head, values)) = text.split_once('(') {
        let values = values.trim().strip_suffix(')').ok_or_else(bad)?;
        let mut words = head.split_whitespace();
        let (Some(key), Some(operator)) = (words.next(), words.next()) else {
            return Err(bad());
        };
        let values = values
            .split(',')
            .map(|value| checked(key, value))
            .collect::<Result<Vec<_>, _>>()?;
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

/// Whether a `LabelSelector` selects an object; one that says nothing selects all.
pub(super) fn selects(selector: &Value, object: &Value) -> bool {
    let label = |key: &str| object["metadata"]["labels"][key].as_str();
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    labels.into_iter().all(|(key, value)| label(key) == value.as_str())
        && expressions.into_iter().all(|expression| {
            let found = label(expression["key"].as_str().unwrap_or_default());
            let values = expression["values"].as_array().map_or(&[][..], Vec::as_slice);
            let is_among = found.is_some_and(|found| values.iter().any(|value| value == found));
            match expression["operator"].as_str() {
                Some("In") => is_among,
                Some("NotIn") => !is_among,
                Some("Exists") => found.is_some(),
                Some("DoesNotExist") => found.is_none(),
                _ => false,
            }
        })
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

    #[test]
    fn selectors_of_manifests_choose_by_labels() {
        let labels = json!({"app": "x"});
        let by = |operator: &str| json!({"matchExpressions": [{"key": "app", "operator": operator, "values": ["x"]}]});
        for (selector, expected) in [
            (json!({"matchLabels": {"app": "x"}}), true),
            (json!({"matchLabels": {"app": "y"}}), false),
            (by("In"), true),
            (by("NotIn"), false),
            (by("Exists"), true),
            (by("DoesNotExist"), false),
        ] {
            assert_eq!(chooses(&selector, &labels), expected, "{selector}");
            assert_eq!(
                chooses(&selector, &json!(null)),
                selector == by("NotIn") || selector == by("DoesNotExist")
            );
        }
    }
}
