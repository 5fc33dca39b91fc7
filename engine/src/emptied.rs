//! Maps that are to be empty from now on, and hold something of ours.
//!
//! An apply that leaves out all that we own in a map makes it null, which the schema of a custom resource refuses, or
//! stores where it says nothing (`reference/ssa-semantics.md`, "The null parent"). What is ours is taken out of such a map
//! by a JSON patch first; the apply then finds it as it says.
//!
//! Invariants:
//! - Nothing but what is recorded as ours, and is owned by nobody else, is taken out, under the resourceVersion that was read.
//! - What others have in such a map stays, and so does the map.

use crate::{
    FieldPath,
    diff::{drift::is_empty, leaves},
    ownership::{applied_leaves, holder, managed_entries},
    recorded::Recorded,
};
use serde_json::{Map, Value, json};

/// The maps that a body empties of what is recorded as ours, is there, and is nobody else's.
pub(crate) fn emptied(body: &Value, live: &Value, known: Option<&Recorded>, manager: &str) -> Vec<FieldPath> {
    let nothing = Value::Object(Map::new());
    let maps = leaves(body).into_iter().filter(|map| map.get(body) == Some(&nothing));
    let mut maps: Vec<_> = maps.collect();
    if maps.is_empty() {
        return maps;
    }
    let ours = ours_alone(live, known, manager);
    maps.retain(|map| ours.iter().any(|path| path != map && map.contains(path)));
    maps
}

/// What is recorded, and noted as ours and as nobody else's.
fn ours_alone(live: &Value, known: Option<&Recorded>, manager: &str) -> Vec<FieldPath> {
    let Some(last) = known.and_then(Recorded::object) else {
        return Vec::new();
    };
    let (noted, entries) = (applied_leaves(live, manager), managed_entries(live));
    let is_ours_alone = |path: &&FieldPath| {
        noted.as_ref().is_some_and(|noted| noted.contains(*path)) && holder(&entries, path, manager).is_none()
    };
    last.fields.iter().filter(is_ours_alone).cloned().collect()
}

/// The patch that takes what is ours alone out of these maps, and the maps within them that are empty without it.
pub(crate) fn patch(maps: &[FieldPath], live: &Value, known: Option<&Recorded>, manager: &str) -> Value {
    let version = &live["metadata"]["resourceVersion"];
    let mut patch = vec![json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version})];
    let mut left = live.clone();
    let ours = ours_alone(live, known, manager);
    for map in maps {
        for path in ours.iter().filter(|path| *path != map && map.contains(path)) {
            path.take_out(&mut left, map, is_empty, |path, left| {
                let removes = |pointer| json!({"op": "remove", "path": pointer});
                patch.extend(path.pointer(left).map(removes));
            });
        }
    }
    Value::Array(patch)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::known_fields;

    #[test]
    fn what_is_ours_alone_goes_out_of_a_map_and_what_others_hold_too_stays() {
        let known = known_fields(&["spec.m.ours", "spec.m.deep.ours", "spec.m.shared"], "ours");
        let fields = |names: Value| json!({"f:spec": {"f:m": names}});
        let ours = fields(json!({"f:ours": {}, "f:deep": {"f:ours": {}}, "f:shared": {}}));
        let theirs = fields(json!({"f:shared": {}, "f:theirs": {}}));
        let live = json!({"metadata": {"resourceVersion": "7", "managedFields": [
            {"manager": "ours", "operation": "Apply", "fieldsV1": ours},
            {"manager": "theirs", "operation": "Apply", "fieldsV1": theirs},
        ]}, "spec": {"m": {"ours": 1, "deep": {"ours": 1}, "shared": 1, "theirs": 1}}});
        let body = json!({"spec": {"m": {}}});
        let maps = emptied(&body, &live, Some(&known), "ours");
        assert_eq!(maps, [FieldPath::of("spec.m")]);
        assert_eq!(
            patch(&maps, &live, Some(&known), "ours"),
            json!([
                {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
                {"op": "remove", "path": "/spec/m/deep/ours"},
                {"op": "remove", "path": "/spec/m/deep"},
                {"op": "remove", "path": "/spec/m/ours"},
            ])
        );
        assert_eq!(emptied(&body, &live, None, "ours"), [], "what is not recorded");
    }
}
