//! Objects as the comparison takes them: ours as they stand once everything is applied, the manual's under our names.

use std::collections::BTreeMap;

use serde_json::Value;

use super::difference::ObjectName;

/// Reads a stream of YAML documents.
///
/// # Errors
/// What the parser says, or that a document is no object.
pub(crate) fn parse(text: &str) -> Result<Vec<Value>, String> {
    let mut objects = Vec::new();
    let text = format!("\n{text}");
    for document in text.split("\n---\n").filter(|document| !document.trim().is_empty()) {
        let object: Value = serde_saphyr::from_str(document).map_err(|error| error.to_string())?;
        if name(&object).is_none() {
            return Err("a document without kind or name".to_owned());
        }
        objects.push(object);
    }
    Ok(objects)
}

/// Writes them as a stream; JSON is YAML.
pub(crate) fn stream(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("---\n{object}\n")).collect()
}

/// Kind and name of an object.
pub(crate) fn name(object: &Value) -> Option<ObjectName> {
    Some(ObjectName {
        kind: object["kind"].as_str()?.to_owned(),
        name: object["metadata"]["name"].as_str()?.to_owned(),
    })
}

/// One object for each identity: what is set on an object later is put into it.
pub(crate) fn merged(objects: Vec<Value>) -> Vec<Value> {
    let mut all: BTreeMap<[String; 4], Value> = BTreeMap::new();
    for mut object in objects {
        let identity = identity(&object);
        let Some(there) = all.get_mut(&identity) else {
            all.insert(identity, object);
            continue;
        };
        // The version of whoever made it stays.
        object["apiVersion"] = there["apiVersion"].clone();
        put(there, object);
    }
    all.into_values().collect()
}

fn identity(object: &Value) -> [String; 4] {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = text(&object["apiVersion"]);
    let group = version.split_once('/').map_or("", |(group, _)| group);
    [
        group.to_owned(),
        text(&object["kind"]),
        text(&object["metadata"]["namespace"]),
        text(&object["metadata"]["name"]),
    ]
}

fn put(there: &mut Value, more: Value) {
    match (there, more) {
        (Value::Object(there), Value::Object(more)) => {
            for (key, value) in more {
                put(there.entry(key).or_insert(Value::Null), value);
            }
        }
        (there, more) => *there = more,
    }
}

/// The object with one text in place of another, in keys and values.
pub(crate) fn replaced(object: &Value, [from, to]: &[String; 2]) -> Value {
    match object {
        Value::String(text) => Value::from(text.replace(from, to)),
        Value::Array(items) => items
            .iter()
            .map(|item| replaced(item, &[from.clone(), to.clone()]))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.replace(from, to), replaced(value, &[from.clone(), to.clone()])))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => object.clone(),
    }
}

/// Paths that a golden case says are wrong, each for a kind and a name, or for any.
#[derive(Debug)]
pub(crate) struct Defects(Vec<Value>);

impl Defects {
    /// Reads the file beside the golden objects.
    ///
    /// # Errors
    /// What the parser says.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let inputs: Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        Ok(Self(inputs["defects"].as_array().cloned().unwrap_or_default()))
    }

    /// Whether all that a field holds is wrong, though the field itself is not named.
    pub(crate) fn are_all_of(&self, object: &ObjectName, path: &str, value: &Value) -> bool {
        match value {
            Value::Object(fields) if !fields.is_empty() => fields
                .iter()
                .all(|(key, value)| self.are_all_of(object, &format!("{path}.{key}"), value)),
            _ => self.0.iter().any(|defect| {
                let is = |field: &str, text: &str| defect[field].is_null() || defect[field] == text;
                is("kind", &object.kind) && is("name", &object.name) && defect["path"] == path
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_set_later_is_part_of_the_object() {
        let text = "---\n# a (object)\napiVersion: x/v1\nkind: A\nmetadata:\n  name: a\nspec:\n  one: 1\n\
            ---\n# b (fields of an object of others)\napiVersion: x/v2\nkind: A\nmetadata:\n  name: a\nspec:\n  two: 2\n";
        let objects = merged(parse(text).expect("objects"));
        assert_eq!(objects.len(), 1);
        assert_eq!(objects[0]["apiVersion"], "x/v1");
        assert_eq!(objects[0]["spec"], json!({"one": 1, "two": 2}));
        assert_eq!(parse(&stream(&objects)).as_ref(), Ok(&objects));
    }

    #[test]
    fn a_text_is_replaced_in_keys_and_values() {
        let object = json!({"name": "x-cpu", "spec": ["cpu", 1, {"role/cpu": ""}]});
        let expected = json!({"name": "x-gpu", "spec": ["gpu", 1, {"role/gpu": ""}]});
        assert_eq!(replaced(&object, &["cpu".to_owned(), "gpu".to_owned()]), expected);
    }

    #[test]
    fn a_field_is_wrong_when_all_that_it_holds_is() {
        let defects = Defects::parse("defects:\n  - kind: Pod\n    path: spec.a.b\n    why: x\n").expect("defects");
        let pod = ObjectName::parse("Pod a").expect("a name");
        assert!(defects.are_all_of(&pod, "spec.a", &json!({"b": true})));
        assert!(!defects.are_all_of(&pod, "spec.a", &json!({"b": true, "c": true})));
        assert!(!defects.are_all_of(&pod, "spec.a", &json!({})));
        let other = ObjectName::parse("Secret a").expect("a name");
        assert!(!defects.are_all_of(&other, "spec.a", &json!({"b": true})));
    }
}
