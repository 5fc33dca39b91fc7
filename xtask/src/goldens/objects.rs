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

/// The object with a name in place of another, wherever that is a whole text in it.
pub(crate) fn renamed(object: &Value, from: &str, to: &str) -> Value {
    match object {
        Value::String(text) if text == from => Value::from(to),
        Value::Array(items) => items.iter().map(|item| renamed(item, from, to)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), renamed(value, from, to)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => object.clone(),
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
    fn a_name_is_replaced_where_it_is_the_whole_text() {
        let object = json!({"metadata": {"name": "a"}, "spec": ["a", "ab", {"x": "a"}]});
        let expected = json!({"metadata": {"name": "b"}, "spec": ["b", "ab", {"x": "b"}]});
        assert_eq!(renamed(&object, "a", "b"), expected);
    }
}
