//! Paths into a manifest, in the words of server-side apply.
//!
//! A path is what a `managedFields` entry names: fields of maps, items of keyed lists by their key, items of sets by
//! their value. [`FieldPath`] prints as the server prints the cause of a conflict (ssa-semantics §1), so paths are
//! compared as text and never parsed from an error.
//!
//! Invariant: `Ord` puts a parent before its children.

use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// One path into an object, from its root. A clone shares its steps, and a path one step deeper their names: there are
/// dozens of paths an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FieldPath {
    elements: Arc<[PathElement]>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathElement {
    /// A field of a map or struct.
    Field(Arc<str>),
    /// An item of a keyed list: each key with its value in JSON text, keys in alphabetical order.
    Key(BTreeMap<String, String>),
    /// An item of a set: its value in JSON text.
    Value(String),
    /// An item of a list by position; only in paths that we read from, never in ownership.
    Index(usize),
}

impl FieldPath {
    /// The root of an object.
    pub fn root() -> Self {
        Self::default()
    }

    /// A path of plain fields: `FieldPath::fields(["spec", "replicas"])`.
    pub fn fields<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().map(|name| PathElement::Field(name.into())).collect()
    }

    /// Parses the dotted form that the catalogue writes: `spec.listener.tls`, `spec.containers[name=main].image`,
    /// `metadata.annotations["a.b/c"]`, `status.addresses[0].value`. A key's value is taken as a JSON number or
    /// boolean if it reads as one, else as text.
    ///
    /// # Panics
    /// When a bracket is not closed, or a name is empty: the text is a constant of our own source.
    pub fn of(text: &str) -> Self {
        Self::parse(text).expect("a path constant has no open bracket and no empty name")
    }

    /// Parses the same form where people write it; `None` for an open bracket, an empty name, or no step at all. A dot
    /// in front is that of the server's own way to write paths.
    pub fn parse(text: &str) -> Option<Self> {
        let mut elements = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (element, after) = bracket(inside)?;
                elements.push(element);
                rest = after;
            } else {
                rest = rest.strip_prefix('.').unwrap_or(rest);
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let name = Some(&rest[..end]).filter(|name| !name.is_empty())?;
                elements.push(PathElement::Field(name.into()));
                rest = &rest[end..];
            }
        }
        (!elements.is_empty()).then(|| elements.into_iter().collect())
    }

    /// The steps, from the root.
    pub fn elements(&self) -> &[PathElement] {
        &self.elements
    }

    /// The path one step deeper.
    #[must_use]
    pub fn child(&self, element: PathElement) -> Self {
        self.elements.iter().cloned().chain([element]).collect()
    }

    /// The path one field deeper.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.child(PathElement::Field(name.into()))
    }

    /// The path one step up, unless this is the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, front) = self.elements.split_last()?;
        Some(front.iter().cloned().collect())
    }

    /// Whether a step is an item of a list by its position, which names no field that anybody could own.
    pub fn has_index(&self) -> bool {
        self.elements
            .iter()
            .any(|element| matches!(element, PathElement::Index(_)))
    }

    /// Whether `self` is `other` or lies above it.
    pub fn contains(&self, other: &Self) -> bool {
        other.elements.starts_with(&self.elements)
    }

    /// The value at this path, if the object has one.
    pub fn get<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.elements
            .iter()
            .try_fold(object, |value, element| step(value, element))
    }

    /// Sets the value at this path, making the maps and keyed items on the way.
    pub fn set(&self, object: &mut Value, new: Value) {
        let mut at = object;
        for element in self.elements.iter() {
            at = step_into(at, element);
        }
        *at = new;
    }

    /// Removes what is at this path and returns it.
    pub fn remove(&self, object: &mut Value) -> Option<Value> {
        let (last, front) = self.elements.split_last()?;
        let mut at = object;
        for element in front {
            let index = position(at, element)?;
            at = match index {
                Position::Field(name) => at.get_mut(name)?,
                Position::Item(index) => at.get_mut(index)?,
            };
        }
        match position(at, last)? {
            Position::Field(name) => at.as_object_mut()?.remove(name),
            Position::Item(index) => Some(at.as_array_mut()?.remove(index)),
        }
    }

    /// Removes this path, and what is above it, below `within`, and is empty without it; `tell` hears of each while it is
    /// there. Nothing happens where it is not there.
    pub(crate) fn take_out(
        &self,
        object: &mut Value,
        within: &Self,
        is_empty: impl Fn(&Value) -> bool,
        mut tell: impl FnMut(&Self, &Value),
    ) {
        let mut goes = Some(self.clone()).filter(|path| path.get(object).is_some());
        while let Some(path) = goes.filter(|path| path != within) {
            tell(&path, object);
            path.remove(object);
            goes = path.parent().filter(|above| above.get(object).is_some_and(&is_empty));
        }
    }

    /// The JSON pointer of this path in an object that has it, or that has all but its last field.
    pub fn pointer(&self, object: &Value) -> Option<String> {
        let mut pointer = String::new();
        let mut at = Some(object);
        for (index, element) in self.elements.iter().enumerate() {
            let is_last = index + 1 == self.elements.len();
            pointer.push('/');
            match element {
                PathElement::Field(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                item => match position(at?, item)? {
                    Position::Item(index) => pointer.push_str(&index.to_string()),
                    Position::Field(_) => return None,
                },
            }
            let next = at.and_then(|value| step(value, element));
            if next.is_none() && !is_last {
                return None;
            }
            at = next;
        }
        Some(pointer)
    }
}

impl FromIterator<PathElement> for FieldPath {
    fn from_iter<I: IntoIterator<Item = PathElement>>(elements: I) -> Self {
        Self {
            elements: elements.into_iter().collect(),
        }
    }
}

enum Position<'a> {
    Field(&'a str),
    Item(usize),
}

fn position<'a>(value: &Value, element: &'a PathElement) -> Option<Position<'a>> {
    match element {
        PathElement::Field(name) => value.as_object().map(|_| Position::Field(name)),
        PathElement::Index(index) => Some(Position::Item(*index)),
        PathElement::Value(text) => value
            .as_array()?
            .iter()
            .position(|item| *item == json_text(text))
            .map(Position::Item),
        PathElement::Key(keys) => value
            .as_array()?
            .iter()
            .position(|item| has_keys(item, keys))
            .map(Position::Item),
    }
}

fn step<'a>(value: &'a Value, element: &PathElement) -> Option<&'a Value> {
    match position(value, element)? {
        Position::Field(name) => value.get(name),
        Position::Item(index) => value.get(index),
    }
}

fn step_into<'a>(value: &'a mut Value, element: &PathElement) -> &'a mut Value {
    if let PathElement::Field(name) = element {
        if !value.is_object() {
            *value = Value::Object(Map::new());
        }
        let Value::Object(map) = value else {
            unreachable!("just made one")
        };
        return map.entry(&**name).or_insert(Value::Null);
    }
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    let found = match position(value, element) {
        Some(Position::Item(index)) => Some(index),
        _ => None,
    };
    let Value::Array(items) = value else {
        unreachable!("just made one")
    };
    let index = found.filter(|index| *index < items.len()).unwrap_or_else(|| {
        items.push(new_item(element));
        items.len() - 1
    });
    &mut items[index]
}

fn new_item(element: &PathElement) -> Value {
    match element {
        PathElement::Key(keys) => Value::Object(
            keys.iter()
                .map(|(name, text)| (name.clone(), json_text(text)))
                .collect(),
        ),
        PathElement::Value(text) => json_text(text),
        PathElement::Field(_) | PathElement::Index(_) => Value::Null,
    }
}

fn json_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// Whether an item carries these key values. `protocol` defaults to `TCP` as the server's own list keys do
/// (ssa-semantics §9).
fn has_keys(item: &Value, keys: &BTreeMap<String, String>) -> bool {
    keys.iter().all(|(name, text)| match item.get(name) {
        Some(value) => *value == json_text(text),
        None => name == "protocol" && text == "\"TCP\"",
    })
}

fn bracket(inside: &str) -> Option<(PathElement, &str)> {
    if let Some(quoted) = inside.strip_prefix('"') {
        let (name, rest) = quoted.split_once("\"]")?;
        return Some((PathElement::Field(name.into()), rest));
    }
    let (text, rest) = inside.split_once(']')?;
    if let Ok(index) = text.parse() {
        return Some((PathElement::Index(index), rest));
    }
    let keys = text.split(',').map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = match value {
            "true" | "false" => value.to_owned(),
            number if number.parse::<i64>().is_ok() => number.to_owned(),
            text => Value::from(text.trim_matches(['"', '\''])).to_string(),
        };
        Some((name.to_owned(), value))
    });
    Some((PathElement::Key(keys.collect::<Option<_>>()?), rest))
}

impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Value(text) => write!(f, "[={text}]"),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Key(keys) => {
                f.write_str("[")?;
                for (index, (name, text)) in keys.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{name}={text}")?;
                }
                f.write_str("]")
            }
        }
    }
}

/// As the server writes the field of a conflict's cause: `.spec.template.spec.containers[name="main"].image`.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.elements.iter().try_for_each(|element| element.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_print_as_the_server_writes_causes() {
        let path = FieldPath::of("spec.template.spec.containers[name=main].env[name=A].value");
        assert_eq!(
            path.to_string(),
            r#".spec.template.spec.containers[name="main"].env[name="A"].value"#
        );
        for quoted in [
            r#"spec.hooks[name="a.b"]"#,
            "spec.hooks[name='a.b']",
            "spec.hooks[name=a.b]",
        ] {
            assert_eq!(FieldPath::of(quoted).to_string(), r#".spec.hooks[name="a.b"]"#);
        }
        let ports = FieldPath::of("spec.ports[port=80,protocol=UDP]");
        assert_eq!(ports.to_string(), r#".spec.ports[port=80,protocol="UDP"]"#);
        assert_eq!(
            FieldPath::of(r#"metadata.annotations["x.y/z"]"#).to_string(),
            ".metadata.annotations.x.y/z"
        );
    }

    #[test]
    fn values_are_read_set_and_removed_by_key() {
        let mut object = json!({"spec": {"env": [{"name": "A", "value": "1"}]}});
        let path = FieldPath::of("spec.env[name=A].value");
        assert_eq!(path.get(&object), Some(&json!("1")));
        FieldPath::of("spec.env[name=B].value").set(&mut object, json!("2"));
        assert_eq!(object["spec"]["env"][1], json!({"name": "B", "value": "2"}));
        assert_eq!(path.remove(&mut object), Some(json!("1")));
        assert_eq!(object["spec"]["env"][0], json!({"name": "A"}));
        assert_eq!(
            FieldPath::of("spec.env[name=B].value").pointer(&object).as_deref(),
            Some("/spec/env/1/value")
        );
        assert_eq!(
            FieldPath::of("spec.none").pointer(&object).as_deref(),
            Some("/spec/none")
        );
        assert_eq!(FieldPath::of("spec.none.deeper").pointer(&object), None);
    }

    #[test]
    fn what_is_no_path_is_none() {
        for text in [
            "",
            ".",
            "spec.",
            "spec..replicas",
            "spec.ports[port=80",
            "spec.ports[]",
            "[\"a\"",
        ] {
            assert_eq!(FieldPath::parse(text), None, "{text}");
        }
        assert_eq!(FieldPath::parse(".spec.replicas"), Some(FieldPath::of("spec.replicas")));
    }

    #[test]
    fn a_parent_sorts_before_its_children_and_contains_them() {
        let parent = FieldPath::of("spec.a");
        assert!(parent < parent.field("b") && parent.contains(&parent.field("b")));
        assert!(!parent.contains(&FieldPath::of("spec.ab")));
    }
}
