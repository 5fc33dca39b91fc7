//! JSON, merge and strategic merge patches.
//!
//! Source: RFC 6902, RFC 7386, and for strategic merge
//! <https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md>.

use serde_json::{Map, Value};

use super::schema::{ANYTHING, ListType, Schema};
use super::status::Refusal;

/// Applies a JSON patch.
///
/// # Errors
///
/// 400 if the patch is none; a 422 without any detail if it does not fit the object (`reference/ssa-semantics.md` §5).
pub(super) fn json(object: &mut Value, patch: &[u8]) -> Result<(), Refusal> {
    let patch: json_patch::Patch = serde_json::from_slice(patch)
        .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))?;
    json_patch::patch(object, &patch).map_err(|_| Refusal::unusable_patch())
}

/// Applies a merge patch.
pub(super) fn merge(object: &mut Value, patch: &Value) {
    json_patch::merge(object, patch);
}

/// Applies a strategic merge patch; lists merge by the keys of the schema.
///
/// # Errors
///
/// 400 for an item without its merge key.
pub(super) fn strategic(schema: &Schema, object: &mut Value, patch: Value) -> Result<(), Refusal> {
    let Value::Object(patch) = patch else {
        return Err(Refusal::bad_request("a strategic merge patch is an object"));
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Value::Object(map) = object {
        merge_maps(schema, map, patch)?;
    }
    Ok(())
}

fn merge_maps(schema: &Schema, map: &mut Map<String, Value>, mut patch: Map<String, Value>) -> Result<(), Refusal> {
    match patch.remove("$patch").as_ref().and_then(Value::as_str) {
        Some("replace") => {
            *map = patch;
            return Ok(());
        }
        Some("delete") => {
            map.clear();
            return Ok(());
        }
        _ => {}
    }
    if let Some(Value::Array(kept)) = patch.remove("$retainKeys") {
        map.retain(|name, _| kept.iter().any(|key| key == name));
    }
    let mut orders = Vec::new();
    for (name, change) in patch {
        if let Some(list) = name.strip_prefix("$setElementOrder/") {
            orders.push((list.to_owned(), change));
            continue;
        }
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (map.get_mut(list), &change) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        let field = schema.field(&name).unwrap_or(&*ANYTHING);
        match (map.get_mut(&name), change) {
            (_, Value::Null) => {
                map.remove(&name);
            }
            (Some(Value::Object(child)), Value::Object(change)) => merge_maps(field, child, change)?,
            (None, Value::Object(change)) => {
                let mut child = Map::new();
                merge_maps(field, &mut child, change)?;
                map.insert(name, Value::Object(child));
            }
            (existing, Value::Array(change)) => {
                let list = match existing {
                    Some(Value::Array(list)) => std::mem::take(list),
                    _ => Vec::new(),
                };
                map.insert(name, Value::Array(merge_list(field, list, change)?));
            }
            (_, change) => {
                map.insert(name, change);
            }
        }
    }
    for (name, order) in orders {
        let field = schema.field(&name).unwrap_or(&*ANYTHING);
        if let (Some(Value::Array(list)), Value::Array(order)) = (map.get_mut(&name), order) {
            reorder(field, list, &order);
        }
    }
    Ok(())
}

/// The key that items of this list are merged by, if they are.
fn merge_key(schema: &Schema) -> Option<&str> {
    match &schema.list_type {
        ListType::Map(keys) => schema.patch_key.as_deref().or_else(|| keys.first().map(String::as_str)),
        ListType::Atomic | ListType::Set => None,
    }
}

fn merge_list(schema: &Schema, mut list: Vec<Value>, change: Vec<Value>) -> Result<Vec<Value>, Refusal> {
    if schema.list_type == ListType::Set {
        for item in change {
            if !list.contains(&item) {
                list.push(item);
            }
        }
        return Ok(list);
    }
    let Some(key) = merge_key(schema) else {
        return Ok(change);
    };
    if change
        .iter()
        .any(|item| item.get("$patch").is_some_and(|how| how == "replace"))
    {
        return Ok(change.into_iter().filter(|item| item.get("$patch").is_none()).collect());
    }
    let mut named: Vec<Value> = Vec::with_capacity(change.len());
    let before: Vec<Option<Value>> = list.iter().map(|item| item.get(key).cloned()).collect();
    for item in change {
        let Some(wanted) = item.get(key).cloned() else {
            return Err(Refusal::bad_request(format!(
                "map: {item} does not contain declared merge key: {key}"
            )));
        };
        let Value::Object(mut item) = item else { continue };
        let position = list.iter().position(|candidate| candidate.get(key) == Some(&wanted));
        if item.get("$patch").is_some_and(|how| how == "delete") {
            list.retain(|candidate| candidate.get(key) != Some(&wanted));
            continue;
        }
        named.push(wanted.clone());
        match position.and_then(|position| list[position].as_object_mut()) {
            Some(existing) => merge_maps(schema.item(), existing, item)?,
            None => {
                item.remove("$patch");
                let mut made = Map::new();
                merge_maps(schema.item(), &mut made, item)?;
                list.push(Value::Object(made));
            }
        }
    }
    Ok(in_order(list, key, &named, &before))
}

/// Orders a merged list: the items of the patch in its order, those of the server alone in theirs; an item of the server
/// goes first only where both were there before, in that order
/// (<https://github.com/kubernetes/apimachinery/blob/v0.34.4/pkg/util/strategicpatch/patch.go>, `mergeSortedSlice`).
fn in_order(list: Vec<Value>, key: &str, named: &[Value], before: &[Option<Value>]) -> Vec<Value> {
    let place = |item: &Value| named.iter().position(|name| Some(name) == item.get(key));
    let (mut patched, kept): (Vec<Value>, Vec<Value>) = list.into_iter().partition(|item| place(item).is_some());
    patched.sort_by_key(place);
    let since = |item: &Value| before.iter().position(|name| name.as_ref() == item.get(key));
    let (mut patched, mut kept) = (patched.into_iter().peekable(), kept.into_iter().peekable());
    let mut ordered = Vec::new();
    while let Some(own) = kept.peek() {
        let goes_first = match patched.peek() {
            None => true,
            Some(other) => matches!((since(own), since(other)), (Some(own), Some(other)) if own < other),
        };
        ordered.extend(if goes_first { kept.next() } else { patched.next() });
    }
    ordered.extend(patched);
    ordered
}

/// Puts items in the order that was asked for; those it does not name keep their place after the one before them.
fn reorder(schema: &Schema, list: &mut Vec<Value>, order: &[Value]) {
    let key = merge_key(schema);
    let rank = |item: &Value| -> Option<usize> {
        order.iter().position(|wanted| match key {
            Some(key) => wanted.get(key) == item.get(key),
            None => wanted == item,
        })
    };
    let mut ranked: Vec<(usize, Value)> = Vec::with_capacity(list.len());
    let mut last = 0;
    for item in std::mem::take(list) {
        if let Some(found) = rank(&item) {
            last = found;
        }
        ranked.push((last, item));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    list.extend(ranked.into_iter().map(|(_, item)| item));
}
