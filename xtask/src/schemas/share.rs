//! Says a schema subtree once: what occurs in several places of a file moves to `shared` and is named there.
//!
//! A reference is the string `#name`; no type of a schema begins with `#`. Names come from the property under which a
//! subtree is met first, so that they mean something and do not depend on anything but the file's content.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::print;

/// Below this many bytes a name would save nothing.
const WORTH_SHARING: usize = 160;

/// Moves the schemas that occur more than once to `shared`; `crds` is keyed by the name of the CRD.
pub(super) fn file(crds: &BTreeMap<String, Value>) -> Value {
    let mut parents = BTreeMap::<String, usize>::new();
    for schema in crds.values().flat_map(schemas) {
        count(schema, &mut parents);
    }
    parents.retain(|text, n_parents| *n_parents > 1 && text.len() >= WORTH_SHARING);
    let mut names = Names {
        repeated: parents,
        given: BTreeMap::new(),
        shared: Map::new(),
    };
    let mut out = Map::new();
    for (name, crd) in crds {
        let mut crd = crd.clone();
        if let Some(versions) = crd.get_mut("versions").and_then(Value::as_array_mut) {
            for version in versions {
                let schema = names.replaced(&version["schema"], "schema");
                version["schema"] = schema;
            }
        }
        out.insert(name.clone(), crd);
    }
    json!({"crds": out, "shared": names.shared})
}

fn schemas(crd: &Value) -> impl Iterator<Item = &Value> {
    crd.get("versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|version| version.get("schema"))
}

/// Counts for each distinct subtree the distinct places that hold it: its own children are counted once only.
fn count(node: &Value, parents: &mut BTreeMap<String, usize>) {
    if !node.is_object() {
        return;
    }
    let seen = parents.entry(print::compact(node)).or_default();
    *seen += 1;
    if *seen == 1 {
        for (_, child) in children(node) {
            count(child, parents);
        }
    }
}

/// The schema nodes directly below a node, each with the name it would give.
fn children(node: &Value) -> Vec<(&str, &Value)> {
    let single = ["items", "values"]
        .into_iter()
        .filter_map(|key| Some((key, node.get(key)?)));
    let properties = node.get("properties").and_then(Value::as_object).into_iter().flatten();
    single
        .chain(properties.map(|(name, child)| (name.as_str(), child)))
        .collect()
}

struct Names {
    repeated: BTreeMap<String, usize>,
    given: BTreeMap<String, String>,
    shared: Map<String, Value>,
}

impl Names {
    /// The node with every repeated subtree replaced by its name; `hint` names the node itself.
    fn replaced(&mut self, node: &Value, hint: &str) -> Value {
        if !node.is_object() {
            return node.clone();
        }
        let text = print::compact(node);
        if let Some(name) = self.given.get(&text) {
            return json!(format!("#{name}"));
        }
        let mut out = node.clone();
        for key in ["items", "values"] {
            if let Some(child) = node.get(key) {
                out[key] = self.replaced(child, hint);
            }
        }
        if let Some(properties) = node.get("properties").and_then(Value::as_object) {
            for (name, child) in properties {
                out["properties"][name] = self.replaced(child, name);
            }
        }
        if !self.repeated.contains_key(&text) {
            return out;
        }
        let taken = |name: &String| !self.shared.contains_key(name);
        let name = std::iter::once(hint.to_owned())
            .chain((2..).map(|n: usize| format!("{hint}-{n}")))
            .find(taken)
            .expect("there is always a next number");
        self.shared.insert(name.clone(), out);
        self.given.insert(text, name.clone());
        json!(format!("#{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_occurs_twice_is_said_once_and_its_parts_stay_in_it() {
        let fields = (0..20)
            .map(|n| (format!("field-{n}"), json!("string")))
            .collect::<Map<_, _>>();
        let inner = json!({"properties": fields});
        let pod = json!({"properties": {"inner": inner}});
        let schema = json!({"properties": {"template": pod, "other": pod}});
        let crd = json!({"versions": [{"name": "v1", "schema": schema}]});
        let shared = file(&BTreeMap::from([("pools.example.com".to_owned(), crd)]));
        let schema = &shared["crds"]["pools.example.com"]["versions"][0]["schema"];
        assert_eq!(schema["properties"], json!({"other": "#other", "template": "#other"}));
        assert_eq!(shared["shared"], json!({"other": pod}));
    }
}
