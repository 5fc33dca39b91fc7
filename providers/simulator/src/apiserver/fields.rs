//! Field sets: which paths of an object a manager holds, and their two written forms.
//!
//! A set is a tree of path elements; a node may be a member, have members below it, or both. `fieldsV1` is the form in
//! managedFields, dotted paths are the form in conflict causes
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>, `reference/ssa-semantics.md` §1).
//!
//! Invariant: a node that is no member and has nothing below it does not exist, so an empty set is an empty map.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde_json::{Map, Value};

use super::status::go_quote;

/// A scalar in a list key or a set, ordered and comparable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    /// Anything else, as JSON.
    Other(String),
}

impl Scalar {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::String(text) => Self::Text(text.clone()),
            Value::Number(number) => match number.as_i64() {
                Some(int) => Self::Int(int),
                None => Self::Other(number.to_string()),
            },
            Value::Array(_) | Value::Object(_) => Self::Other(value.to_string()),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Int(int) => Value::from(*int),
            Self::Text(text) => Value::String(text.clone()),
            Self::Other(json) => serde_json::from_str(json).unwrap_or(Value::Null),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Bool(flag) => write!(formatter, "{flag}"),
            Self::Int(int) => write!(formatter, "{int}"),
            Self::Text(text) => formatter.write_str(&go_quote(text)),
            Self::Other(json) => formatter.write_str(json),
        }
    }
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum PathElement {
    /// A key of an object.
    Field(String),
    /// An item of a list-map, by its keys in alphabetical order.
    Key(Vec<(String, Scalar)>),
    /// An item of a set.
    Value(Scalar),
    /// An item by position.
    Index(usize),
}

impl PathElement {
    /// The element's key in `fieldsV1`.
    fn encode(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => {
                let map: Map<String, Value> = keys
                    .iter()
                    .map(|(key, value)| (key.clone(), value.to_value()))
                    .collect();
                format!("k:{}", Value::Object(map))
            }
            Self::Value(value) => format!("v:{}", value.to_value()),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    fn decode(text: &str) -> Option<Self> {
        let (sort, rest) = text.split_at_checked(2)?;
        match sort {
            "f:" => Some(Self::Field(rest.to_owned())),
            "k:" => {
                let keys: Map<String, Value> = serde_json::from_str(rest).ok()?;
                let mut keys: Vec<_> = keys
                    .iter()
                    .map(|(key, value)| (key.clone(), Scalar::of(value)))
                    .collect();
                keys.sort();
                Some(Self::Key(keys))
            }
            "v:" => Some(Self::Value(Scalar::of(&serde_json::from_str(rest).ok()?))),
            "i:" => rest.parse().ok().map(Self::Index),
            _ => None,
        }
    }
}

impl fmt::Display for PathElement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(formatter, ".{name}"),
            Self::Key(keys) => {
                formatter.write_str("[")?;
                for (position, (key, value)) in keys.iter().enumerate() {
                    let comma = if position == 0 { "" } else { "," };
                    write!(formatter, "{comma}{key}={value}")?;
                }
                formatter.write_str("]")
            }
            Self::Value(value) => write!(formatter, "[={value}]"),
            Self::Index(index) => write!(formatter, "[{index}]"),
        }
    }
}

/// Writes a path as causes do: `.spec.ports[port=80,protocol="TCP"].name`.
pub(super) fn render(path: &[PathElement]) -> String {
    path.iter().map(ToString::to_string).collect()
}

/// A node of a [`FieldSet`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// Whether the path up to here is in the set.
    pub(super) member: bool,
    /// What is in the set below here.
    pub(super) below: FieldSet,
}

/// A set of paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    nodes: BTreeMap<PathElement, Node>,
}

impl FieldSet {
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = (&PathElement, &Node)> {
        self.nodes.iter()
    }

    pub(super) fn node(&self, element: &PathElement) -> Option<&Node> {
        self.nodes.get(element)
    }

    /// Returns the set of these paths of object keys.
    pub(super) fn of_fields(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<PathElement> = path.iter().map(|name| PathElement::Field((*name).to_owned())).collect();
            set.insert(&path);
        }
        set
    }

    /// Adds a path; the empty path is no member of any set.
    pub(super) fn insert(&mut self, path: &[PathElement]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let node = match self.nodes.entry(first.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Node::default()),
        };
        if rest.is_empty() {
            node.member = true;
        } else {
            node.below.insert(rest);
        }
    }

    /// Sets what is known of one element; a node that holds nothing is left out.
    pub(super) fn put(&mut self, element: PathElement, node: Node) {
        if node.member || !node.below.is_empty() {
            self.nodes.insert(element, node);
        }
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut result = self.clone();
        result.extend(other);
        result
    }

    pub(super) fn extend(&mut self, other: &Self) {
        for (element, theirs) in &other.nodes {
            match self.nodes.entry(element.clone()) {
                Entry::Occupied(mut entry) => {
                    let ours = entry.get_mut();
                    ours.member |= theirs.member;
                    ours.below.extend(&theirs.below);
                }
                Entry::Vacant(entry) => {
                    entry.insert(theirs.clone());
                }
            }
        }
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut result = Self::default();
        for (element, ours) in &self.nodes {
            if let Some(theirs) = other.nodes.get(element) {
                let node = Node {
                    member: ours.member && theirs.member,
                    below: ours.below.intersection(&theirs.below),
                };
                result.put(element.clone(), node);
            }
        }
        result
    }

    /// What is in `self` and not in `other`, path by path.
    pub(super) fn difference(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        let mut result = Self::default();
        for (element, ours) in &self.nodes {
            let node = match other.nodes.get(element) {
                Some(theirs) => Node {
                    member: ours.member && !theirs.member,
                    below: ours.below.difference(&theirs.below),
                },
                None => ours.clone(),
            };
            result.put(element.clone(), node);
        }
        result
    }

    /// As [`Self::difference`], but a member of `other` takes everything below it away too.
    pub(super) fn recursive_difference(&self, other: &Self) -> Self {
        let mut result = Self::default();
        for (element, ours) in &self.nodes {
            match other.nodes.get(element) {
                Some(theirs) if theirs.member => {}
                Some(theirs) => {
                    let node = Node {
                        member: ours.member,
                        below: ours.below.recursive_difference(&theirs.below),
                    };
                    result.put(element.clone(), node);
                }
                None => result.put(element.clone(), ours.clone()),
            }
        }
        result
    }

    /// Keeps only what lies at or below members of `other`.
    pub(super) fn below_members(&self, other: &Self) -> Self {
        let mut result = Self::default();
        for (element, ours) in &self.nodes {
            match other.nodes.get(element) {
                Some(theirs) if theirs.member => result.put(element.clone(), ours.clone()),
                Some(theirs) => {
                    let node = Node {
                        member: false,
                        below: ours.below.below_members(&theirs.below),
                    };
                    result.put(element.clone(), node);
                }
                None => {}
            }
        }
        result
    }

    /// Every path, members of a level before what is below them: the order of conflict causes.
    pub(super) fn paths(&self) -> Vec<Vec<PathElement>> {
        let mut paths = Vec::new();
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect(&self, prefix: &mut Vec<PathElement>, paths: &mut Vec<Vec<PathElement>>) {
        for (element, node) in &self.nodes {
            if node.member {
                let mut path = prefix.clone();
                path.push(element.clone());
                paths.push(path);
            }
        }
        for (element, node) in &self.nodes {
            prefix.push(element.clone());
            node.below.collect(prefix, paths);
            prefix.pop();
        }
    }

    /// The `fieldsV1` form.
    pub(super) fn encode(&self) -> Value {
        let mut map = Map::new();
        for (element, node) in &self.nodes {
            let mut below = match node.below.encode() {
                Value::Object(map) => map,
                _ => Map::new(),
            };
            if node.member && !below.is_empty() {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            map.insert(element.encode(), Value::Object(below));
        }
        Value::Object(map)
    }

    /// Reads the `fieldsV1` form; `None` if it is not one.
    pub(super) fn decode(fields: &Value) -> Option<Self> {
        let mut set = Self::default();
        for (key, value) in fields.as_object()? {
            if key == "." {
                continue;
            }
            let element = PathElement::decode(key)?;
            let map = value.as_object()?;
            let node = Node {
                member: map.is_empty() || map.contains_key("."),
                below: Self::decode(value)?,
            };
            set.put(element, node);
        }
        Some(set)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_v1_is_read_and_written_back_unchanged() {
        let fields = json!({"f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}}, "f:replicas": {}},
            "f:metadata": {"f:finalizers": {"v:\"x/y\"": {}}}});
        let set = FieldSet::decode(&fields).expect("these are fields");
        assert_eq!(set.encode(), fields);
        let paths: Vec<String> = set.paths().iter().map(|path| render(path)).collect();
        assert_eq!(
            paths,
            [
                ".metadata.finalizers[=\"x/y\"]",
                ".spec.replicas",
                ".spec.ports[port=80,protocol=\"TCP\"]",
                ".spec.ports[port=80,protocol=\"TCP\"].name",
            ]
        );
    }
}
