//! Maps that are to be empty from now on, and hold something of ours.
//!
//! An apply that leaves out all that we own in a map makes it null, which the schema of a custom resource refuses, or
//! stores where it says nothing (`reference/ssa-semantics.md`, "The null parent"). What is ours is taken out of such a map
//! by a JSON patch first; the apply then finds it as it says.
//!
//! Invariants:
//! - Nothing but what is recorded as ours is taken out, under the resourceVersion that was read.
//! - What others have in such a map stays, and so does the map.

use crate::{FieldPath, diff::leaves, recorded::Recorded};
use serde_json::{Map, Value, json};

/// The maps that a body empties of what is recorded as ours and is there.
pub(crate) fn emptied(body: &Value, live: &Value, known: Option<&Recorded>) -> Vec<FieldPath> {
    let Some(last) = known.and_then(Recorded::object) else {
        return Vec::new();
    };
    let nothing = Value::Object(Map::new());
    let is_emptied = |map: &FieldPath| {
        let is_ours = |path: &&FieldPath| *path != map && map.contains(path) && path.get(live).is_some();
        map.get(body) == Some(&nothing) && last.fields.iter().any(|path| is_ours(&path))
    };
    leaves(body).into_iter().filter(is_emptied).collect()
}

/// The patch that takes what is recorded as ours out of these maps, and the maps within them that are empty without it.
pub(crate) fn patch(maps: &[FieldPath], live: &Value, known: Option<&Recorded>) -> Value {
    let version = &live["metadata"]["resourceVersion"];
    let mut patch = vec![json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version})];
    let mut left = live.clone();
    let fields = known.and_then(Recorded::object).map(|last| &last.fields);
    for map in maps {
        let ours = fields.into_iter().flatten();
        for path in ours.filter(|path| *path != map && map.contains(path)) {
            take_out(map, path, &mut left, &mut patch);
        }
    }
    Value::Array(patch)
}

fn take_out(map: &FieldPath, path: &FieldPath, left: &mut Value, patch: &mut Vec<Value>) {
    let mut gone = Some(path.clone());
    while let Some(path) = gone.filter(|path| path != map) {
        if path.get(left).is_none() {
            return;
        }
        if let Some(pointer) = path.pointer(left) {
            patch.push(json!({"op": "remove", "path": pointer}));
        }
        path.remove(left);
        gone = path.parent().filter(|above| above.get(left).is_some_and(is_empty));
    }
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Object(map) if map.is_empty())
}

/// What an apply of a body without these maps leaves, with the maps as they are to be.
pub(crate) fn with_them(maps: &[FieldPath], mut answer: Value) -> Value {
    for map in maps {
        if map.get(&answer).is_none_or(Value::is_null) {
            map.set(&mut answer, Value::Object(Map::new()));
        }
    }
    answer
}
