//! Values seen through a schema: the operations that server-side apply is made of.
//!
//! The rules are those of structured merge and diff
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy>); what they come to is recorded in
//! `reference/ssa-semantics.md` §1 to §3 and §9.
//!
//! Invariants:
//! - A map that loses its last child by [`remove`] becomes null, not `{}` (§3, the null parent).
//! - Lists of a merged value keep the live order for shared items; new items of the applied list follow (§3).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::fields::{FieldSet, Node, PathElement, Scalar, render};
use super::schema::{ANYTHING, ListType, Schema, Type};

/// How a value is walked.
enum Atom<'a> {
    Scalar,
    List { item: &'a Schema, list_type: &'a ListType },
    Map { schema: &'a Schema },
}

fn atom<'a>(schema: &'a Schema, value: &Value) -> Atom<'a> {
    match schema.value_type {
        Type::Array => Atom::List {
            item: schema.item(),
            list_type: &schema.list_type,
        },
        Type::Object => Atom::Map { schema },
        Type::Any => match value {
            Value::Object(_) => Atom::Map { schema },
            Value::Array(_) => Atom::List {
                item: &ANYTHING,
                list_type: &ListType::Atomic,
            },
            _ => Atom::Scalar,
        },
        Type::String | Type::Integer | Type::Number | Type::Boolean | Type::IntOrString => Atom::Scalar,
    }
}

/// Adds the empty structs that a Go type holds by value, and the list that it never leaves out, as far as `like` has
/// them: they are there before anything is written, so nobody comes to own them by creating what is in them.
pub(super) fn with_value_structs(mut object: Value, like: &Value) -> Value {
    const BY_VALUE: [&str; 6] = [
        "jobTemplate",
        "metadata",
        "spec",
        "strategy",
        "template",
        "updateStrategy",
    ];
    if like["containers"].is_array() {
        object["containers"] = Value::Array(Vec::new());
    }
    for name in BY_VALUE {
        if like[name].is_object() {
            object[name] = with_value_structs(Value::Object(Map::new()), &like[name]);
        }
    }
    object
}

/// The path element of a list item, or what is wrong with it.
fn element_of(schema: &Schema, list_type: &ListType, index: usize, item: &Value) -> Result<PathElement, String> {
    match list_type {
        ListType::Atomic => Ok(PathElement::Index(index)),
        ListType::Set => Ok(PathElement::Value(Scalar::of(item))),
        ListType::Map(keys) => {
            let Value::Object(map) = item else {
                return Err("associative list with keys may not have non-map elements".to_owned());
            };
            let mut found = Vec::with_capacity(keys.len());
            for key in keys {
                let value = map
                    .get(key)
                    .or_else(|| schema.properties.get(key).and_then(|field| field.default.as_ref()));
                if let Some(value) = value {
                    found.push((key.clone(), Scalar::of(value)));
                }
            }
            if found.is_empty() {
                let key = keys.first().map(String::as_str).unwrap_or_default();
                return Err(format!(
                    "associative list with keys has an element that omits key field \"{key}\" (and doesn't have default value)"
                ));
            }
            Ok(PathElement::Key(found))
        }
    }
}

/// Says what of `value` does not fit `schema`, as apply's errors do: `.spec.zzz: field not declared in schema`.
pub(super) fn check(schema: &Schema, value: &Value, allow_duplicates: bool) -> Vec<String> {
    let mut errors = Vec::new();
    check_value(schema, value, allow_duplicates, &mut Vec::new(), &mut errors);
    errors
}

fn check_value(
    schema: &Schema,
    value: &Value,
    duplicates: bool,
    path: &mut Vec<PathElement>,
    errors: &mut Vec<String>,
) {
    if value.is_null() {
        return;
    }
    match atom(schema, value) {
        Atom::Scalar => {
            let go_type = match value {
                Value::Bool(_) => "bool",
                Value::String(_) => "string",
                Value::Number(number) if number.is_f64() => "float64",
                Value::Number(_) => "int64",
                Value::Array(_) => "[]interface {}",
                Value::Object(_) | Value::Null => "map[string]interface {}",
            };
            let text = match schema.value_type {
                Type::Boolean if !value.is_boolean() => Some(format!("expected boolean, got &{{{}}}", go_plain(value))),
                Type::String if schema.meaning != super::schema::Meaning::Quantity && !value.is_string() => {
                    Some(format!(
                        "expected string, got &value.valueUnstructured{{Value:{}}}",
                        go_plain(value)
                    ))
                }
                Type::Integer | Type::Number if !value.is_number() => {
                    Some(format!("expected numeric (int or float), got {go_type}"))
                }
                Type::IntOrString if value.is_array() || value.is_object() => {
                    Some(format!("expected scalar, got {go_type}"))
                }
                _ => None,
            };
            if let Some(text) = text {
                fail(errors, path, &text);
            }
        }
        Atom::List { item, list_type } => {
            let Value::Array(list) = value else {
                fail(errors, path, &format!("expected list, got &{{{}}}", go_plain(value)));
                return;
            };
            let mut seen = BTreeSet::new();
            for (index, child) in list.iter().enumerate() {
                let element = match element_of(item, list_type, index, child) {
                    Ok(element) => element,
                    Err(text) => {
                        fail(errors, path, &format!("element {index}: {text}"));
                        continue;
                    }
                };
                if !seen.insert(element.clone()) && !duplicates && *list_type != ListType::Atomic {
                    fail(errors, path, &format!("duplicate entries for key {element}"));
                }
                path.push(element);
                check_value(item, child, duplicates, path, errors);
                path.pop();
            }
        }
        Atom::Map { schema } => {
            let Value::Object(map) = value else {
                fail(errors, path, &format!("expected map, got &{{{}}}", go_plain(value)));
                return;
            };
            for (name, child) in map {
                path.push(PathElement::Field(name.clone()));
                match schema.field(name) {
                    Some(field) => check_value(field, child, duplicates, path, errors),
                    None => errors.push(format!("{}: field not declared in schema", render(path))),
                }
                path.pop();
            }
        }
    }
}

fn fail(errors: &mut Vec<String>, path: &[PathElement], text: &str) {
    errors.push(if path.is_empty() {
        text.to_owned()
    } else {
        format!("{}: {text}", render(path))
    });
}

/// A value as Go's `%v` prints it, near enough for scalars.
fn go_plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Joins check errors as Go's `ValidationErrors` does.
pub(super) fn join(errors: &[String]) -> String {
    match errors {
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    }
}

/// The leaves of a value, and `.` of list items and of keys that the schema does not name.
pub(super) fn to_set(schema: &Schema, value: &Value) -> FieldSet {
    node_of(schema, value).below
}

/// `member` is set for what is a leaf itself.
fn node_of(schema: &Schema, value: &Value) -> Node {
    match atom(schema, value) {
        Atom::Scalar => Node {
            member: true,
            below: FieldSet::default(),
        },
        Atom::List {
            list_type: ListType::Atomic,
            ..
        } => Node {
            member: true,
            below: FieldSet::default(),
        },
        Atom::List { item, list_type } => {
            let mut below = FieldSet::default();
            for (index, child) in value.as_array().into_iter().flatten().enumerate() {
                if let Ok(element) = element_of(item, list_type, index, child) {
                    let mut node = node_of(item, child);
                    node.member = true;
                    below.put(element, node);
                }
            }
            Node { member: false, below }
        }
        Atom::Map { schema } if schema.is_atomic_map => Node {
            member: true,
            below: FieldSet::default(),
        },
        Atom::Map { schema } => {
            let mut below = FieldSet::default();
            for (name, child) in value.as_object().into_iter().flatten() {
                let mut node = node_of(schema.field(name).unwrap_or(&ANYTHING), child);
                let is_empty_map = child.as_object().is_some_and(Map::is_empty);
                node.member |= child.is_null() || is_empty_map || !schema.properties.contains_key(name);
                below.put(PathElement::Field(name.clone()), node);
            }
            Node { member: false, below }
        }
    }
}

fn is_empty_list(value: Option<&Value>) -> bool {
    value.and_then(Value::as_array).is_none_or(Vec::is_empty)
}

fn is_empty_map(value: Option<&Value>) -> bool {
    value.and_then(Value::as_object).is_none_or(Map::is_empty)
}

/// Lays `applied` over `live`.
pub(super) fn merge(schema: &Schema, live: &Value, applied: &Value) -> Value {
    merge_values(schema, Some(live), Some(applied)).unwrap_or_else(|| Value::Object(Map::new()))
}

fn merge_values(schema: &Schema, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let (Some(ours), Some(theirs)) = (live, applied) else {
        return applied.or(live).cloned();
    };
    match atom(schema, theirs) {
        Atom::Scalar => Some(theirs.clone()),
        Atom::List { item, list_type } => {
            if *list_type == ListType::Atomic || is_empty_list(live) && is_empty_list(applied) {
                return Some(theirs.clone());
            }
            merge_lists(
                item,
                list_type,
                ours.as_array().map_or(&[], Vec::as_slice),
                theirs.as_array().map_or(&[], Vec::as_slice),
            )
        }
        Atom::Map { schema } => {
            if schema.is_atomic_map || is_empty_map(live) && is_empty_map(applied) {
                return Some(theirs.clone());
            }
            let empty = Map::new();
            let (ours, theirs) = (ours.as_object().unwrap_or(&empty), theirs.as_object().unwrap_or(&empty));
            let mut merged = Map::new();
            for (name, child) in ours {
                let field = schema.field(name).unwrap_or(&ANYTHING);
                if let Some(value) = merge_values(field, Some(child), theirs.get(name)) {
                    merged.insert(name.clone(), value);
                }
            }
            for (name, child) in theirs {
                if !ours.contains_key(name) {
                    merged.insert(name.clone(), child.clone());
                }
            }
            (!merged.is_empty()).then_some(Value::Object(merged))
        }
    }
}

/// Merges two keyed lists. Items of both sides take part in one order: the live one, interrupted where the applied
/// order of the shared items demands it.
fn merge_lists(item: &Schema, list_type: &ListType, live: &[Value], applied: &[Value]) -> Option<Value> {
    let elements = |list: &[Value]| -> Vec<PathElement> {
        let of = |(index, child)| element_of(item, list_type, index, child).unwrap_or(PathElement::Index(index));
        list.iter().enumerate().map(of).collect()
    };
    let (live_elements, applied_elements) = (elements(live), elements(applied));
    let by_live: BTreeMap<&PathElement, usize> = live_elements
        .iter()
        .enumerate()
        .rev()
        .map(|(index, element)| (element, index))
        .collect();
    let by_applied: BTreeMap<&PathElement, usize> = applied_elements
        .iter()
        .enumerate()
        .map(|(index, element)| (element, index))
        .collect();
    let mut shared = applied_elements.iter().filter(|element| by_live.contains_key(element));
    let mut next_shared = shared.next();
    let mut done: BTreeSet<&PathElement> = BTreeSet::new();
    let mut merged = Vec::with_capacity(live.len().max(applied.len()));
    let merge_item = |live_index: Option<usize>, applied_index: Option<usize>| {
        merge_values(
            item,
            live_index.map(|index| &live[index]),
            applied_index.map(|index| &applied[index]),
        )
    };
    let (mut left, mut right) = (0, 0);
    while left < live.len() || right < applied.len() {
        if left < live.len() && right < applied.len() {
            let element = &live_elements[left];
            if *element == applied_elements[right] {
                done.insert(element);
                merged.extend(merge_item(Some(left), Some(right)));
                left += 1;
                right += 1;
                next_shared = shared.next();
                continue;
            }
            if by_applied.contains_key(element) && next_shared.is_some_and(|next| next != element) {
                left += 1;
                continue;
            }
        }
        if left < live.len() {
            let element = &live_elements[left];
            if !by_applied.contains_key(element) {
                merged.extend(merge_item(Some(left), None));
                left += 1;
                continue;
            }
            if done.contains(element) {
                left += 1;
            }
        }
        if right < applied.len() {
            let element = &applied_elements[right];
            done.insert(element);
            merged.extend(merge_item(by_live.get(element).copied(), Some(right)));
            right += 1;
            if next_shared == Some(element) {
                next_shared = shared.next();
            }
        }
    }
    (!merged.is_empty()).then_some(Value::Array(merged))
}

/// What differs between two values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) added: FieldSet,
    pub(super) modified: FieldSet,
    pub(super) removed: FieldSet,
}

impl Comparison {
    pub(super) fn is_same(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }

    /// Leaves out what lies at or below `ignored`.
    pub(super) fn without(&self, ignored: &FieldSet) -> Self {
        Self {
            added: self.added.recursive_difference(ignored),
            modified: self.modified.recursive_difference(ignored),
            removed: self.removed.recursive_difference(ignored),
        }
    }

    /// Keeps only what lies at or below `kept`.
    pub(super) fn only(&self, kept: &FieldSet) -> Self {
        Self {
            added: self.added.below_members(kept),
            modified: self.modified.below_members(kept),
            removed: self.removed.below_members(kept),
        }
    }
}

/// Compares two values path by path.
pub(super) fn compare(schema: &Schema, old: &Value, new: &Value) -> Comparison {
    let mut result = Comparison::default();
    if old != new {
        compare_values(schema, Some(old), Some(new), &mut Vec::new(), &mut result);
    }
    result
}

fn compare_values(
    schema: &Schema,
    old: Option<&Value>,
    new: Option<&Value>,
    path: &mut Vec<PathElement>,
    result: &mut Comparison,
) {
    if old == new {
        return;
    }
    let Some(sample) = new.filter(|value| !value.is_null()).or(old).or(new) else {
        return;
    };
    let shape = atom(schema, sample);
    // Two shapes of an untyped value: what was there is walked in its own shape too.
    if schema.value_type == Type::Any
        && let (Some(before), Some(after)) = (old, new)
        && std::mem::discriminant(&atom(schema, before)) != std::mem::discriminant(&atom(schema, after))
    {
        result.modified.insert(path);
        if let Some(map) = before.as_object() {
            for (name, child) in map {
                path.push(PathElement::Field(name.clone()));
                compare_values(&ANYTHING, Some(child), None, path, result);
                path.pop();
            }
        }
        if let Some(map) = after.as_object() {
            for (name, child) in map {
                path.push(PathElement::Field(name.clone()));
                compare_values(&ANYTHING, None, Some(child), path, result);
                path.pop();
            }
        }
        return;
    }
    let is_leaf = match &shape {
        Atom::Scalar => true,
        Atom::List { list_type, .. } => **list_type == ListType::Atomic || is_empty_list(old) && is_empty_list(new),
        Atom::Map { schema } => schema.is_atomic_map || is_empty_map(old) && is_empty_map(new),
    };
    if old.is_none() {
        result.added.insert(path);
    } else if new.is_none() {
        result.removed.insert(path);
    } else if is_leaf {
        result.modified.insert(path);
    }
    if is_leaf {
        return;
    }
    match shape {
        Atom::Scalar => {}
        Atom::List { item, list_type } => {
            let index = |list: Option<&Value>| -> BTreeMap<PathElement, Vec<usize>> {
                let mut items: BTreeMap<PathElement, Vec<usize>> = BTreeMap::new();
                for (index, child) in list.and_then(Value::as_array).into_iter().flatten().enumerate() {
                    if let Ok(element) = element_of(item, list_type, index, child) {
                        items.entry(element).or_default().push(index);
                    }
                }
                items
            };
            let (before, after) = (index(old), index(new));
            let elements: BTreeSet<&PathElement> = before.keys().chain(after.keys()).collect();
            for element in elements {
                let (left, right) = (before.get(element), after.get(element));
                let all = |list: Option<&Value>, indexes: Option<&Vec<usize>>| -> Vec<Value> {
                    indexes
                        .into_iter()
                        .flatten()
                        .filter_map(|index| list?.get(*index).cloned())
                        .collect()
                };
                path.push(element.clone());
                if left.is_some_and(|indexes| indexes.len() > 1) || right.is_some_and(|indexes| indexes.len() > 1) {
                    // Duplicates are compared as one leaf.
                    let (before, after) = (all(old, left), all(new, right));
                    if before.is_empty() {
                        result.added.insert(path);
                    } else if after.is_empty() {
                        result.removed.insert(path);
                    } else if before != after {
                        result.modified.insert(path);
                    }
                } else {
                    let left = left.and_then(|indexes| old?.get(indexes[0]));
                    let right = right.and_then(|indexes| new?.get(indexes[0]));
                    compare_values(item, left, right, path, result);
                }
                path.pop();
            }
        }
        Atom::Map { schema } => {
            let empty = Map::new();
            let before = old.and_then(Value::as_object).unwrap_or(&empty);
            let after = new.and_then(Value::as_object).unwrap_or(&empty);
            for name in before
                .keys()
                .chain(after.keys().filter(|name| !before.contains_key(*name)))
            {
                path.push(PathElement::Field(name.clone()));
                compare_values(
                    schema.field(name).unwrap_or(&ANYTHING),
                    before.get(name),
                    after.get(name),
                    path,
                    result,
                );
                path.pop();
            }
        }
    }
}

/// Takes the paths of `set` out of `value`.
pub(super) fn remove(schema: &Schema, value: &Value, set: &FieldSet) -> Value {
    if set.is_empty() {
        return value.clone();
    }
    match atom(schema, value) {
        Atom::Scalar => value.clone(),
        Atom::List { item, list_type } => {
            let Some(list) = value.as_array().filter(|_| *list_type != ListType::Atomic) else {
                return Value::Null;
            };
            let mut kept = Vec::with_capacity(list.len());
            for (index, child) in list.iter().enumerate() {
                let node = element_of(item, list_type, index, child)
                    .ok()
                    .and_then(|element| set.node(&element));
                match node {
                    Some(node) if node.member => {}
                    Some(node) if !node.below.is_empty() => kept.push(remove(item, child, &node.below)),
                    Some(_) | None => kept.push(child.clone()),
                }
            }
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Array(kept)
            }
        }
        Atom::Map { schema } => {
            let Some(map) = value.as_object().filter(|_| !schema.is_atomic_map) else {
                return Value::Null;
            };
            let mut kept = Map::new();
            for (name, child) in map {
                match set.node(&PathElement::Field(name.clone())) {
                    Some(node) if node.member => {}
                    Some(node) if !node.below.is_empty() => {
                        let field = schema.field(name).unwrap_or(&ANYTHING);
                        kept.insert(name.clone(), remove(field, child, &node.below));
                    }
                    Some(_) | None => {
                        kept.insert(name.clone(), child.clone());
                    }
                }
            }
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Object(kept)
            }
        }
    }
}

/// Makes the declared fields on the way to a member members themselves.
pub(super) fn with_named_parents(schema: &Schema, set: &FieldSet) -> FieldSet {
    let mut result = FieldSet::default();
    for (element, node) in set.nodes() {
        let (child, is_named) = match element {
            PathElement::Field(name) => (
                schema.field(name).unwrap_or(&ANYTHING),
                schema.properties.contains_key(name),
            ),
            PathElement::Key(_) | PathElement::Value(_) | PathElement::Index(_) => (schema.item(), false),
        };
        let below = with_named_parents(child, &node.below);
        result.put(
            element.clone(),
            Node {
                member: node.member || is_named && !node.below.is_empty(),
                below,
            },
        );
    }
    result
}

/// The value with another apiVersion.
pub(super) fn in_version<'a>(value: &'a Value, api_version: &str) -> Cow<'a, Value> {
    if value["apiVersion"] == api_version {
        return Cow::Borrowed(value);
    }
    let mut converted = value.clone();
    if let Value::Object(map) = &mut converted {
        map.insert("apiVersion".to_owned(), Value::String(api_version.to_owned()));
    }
    Cow::Owned(converted)
}
