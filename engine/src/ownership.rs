//! Which fields belong to whom, from `metadata.managedFields`.
//!
//! Invariant: what cannot be read is skipped, never guessed: an entry in an unknown form owns nothing here.

use crate::{FieldPath, digest::Digest, field::PathElement};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One entry of `managedFields`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedEntry {
    /// The manager's name.
    pub manager: String,
    /// Whether it owns by apply rather than by update.
    pub by_apply: bool,
    /// When it last changed something, in the server's text; the server leaves it out at times (ssa-semantics §7).
    pub time: Option<String>,
    /// The subresource it wrote through, if any.
    pub subresource: Option<String>,
    /// What it owns: leaves, and items of keyed lists themselves.
    pub fields: BTreeSet<FieldPath>,
}

/// A manager that wins: what it holds is left to it (see [`crate::yields`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Winner {
    /// Its name, as the server notes it.
    pub manager: &'static str,
    /// The subresource that it writes through.
    pub subresource: &'static str,
}

/// Reads the entries of an object.
pub fn managed_entries(object: &Value) -> Vec<ManagedEntry> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(read_entry).collect()
}

/// The fields of a live object that winners hold, each with who holds it.
pub(crate) fn won(live: &Value, winners: &[Winner]) -> Vec<(FieldPath, &'static str)> {
    let mut all = Vec::new();
    for winner in winners {
        for entry in entries_of(live, winner) {
            all.extend(entry.fields.into_iter().map(|path| (path, winner.manager)));
        }
    }
    all
}

/// The entries of one winner; nothing else is read.
fn entries_of<'a>(object: &'a Value, winner: &'a Winner) -> impl Iterator<Item = ManagedEntry> + use<'a> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let is_its = |entry: &&Value| entry["subresource"] == winner.subresource && entry["manager"] == winner.manager;
    entries.into_iter().flatten().filter(is_its).filter_map(read_entry)
}

fn read_entry(entry: &Value) -> Option<ManagedEntry> {
    let text = |name: &str| {
        entry
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let mut fields = BTreeSet::new();
    if let Some(set) = entry.get("fieldsV1") {
        read_fields(set, &FieldPath::root(), &mut fields);
    }
    Some(ManagedEntry {
        manager: text("manager")?,
        by_apply: entry.get("operation")? == "Apply",
        time: text("time"),
        subresource: text("subresource"),
        fields,
    })
}

/// `f:` a field, `k:` a keyed item, `v:` an item of a set, `i:` a position, `.` the thing itself.
fn read_fields(set: &Value, at: &FieldPath, fields: &mut BTreeSet<FieldPath>) {
    let Some(map) = set.as_object() else { return };
    if map.is_empty() {
        fields.insert(at.clone());
        return;
    }
    for (name, below) in map {
        if name == "." {
            fields.insert(at.clone());
        } else if let Some(element) = read_element(name) {
            read_fields(below, &at.child(element), fields);
        }
    }
}

fn read_element(text: &str) -> Option<PathElement> {
    match text.split_once(':')? {
        ("f", name) => Some(PathElement::Field(name.into())),
        ("v", value) => Some(PathElement::Value(value.to_owned())),
        ("i", index) => index.parse().ok().map(PathElement::Index),
        ("k", keys) => {
            let keys: BTreeMap<String, Value> = serde_json::from_str(keys).ok()?;
            Some(PathElement::Key(
                keys.into_iter()
                    .map(|(name, value)| (name, value.to_string()))
                    .collect(),
            ))
        }
        _ => None,
    }
}

/// The entry that holds a path, other than `ours`; the latest where several do.
pub fn holder<'a>(entries: &'a [ManagedEntry], path: &FieldPath, ours: &str) -> Option<&'a ManagedEntry> {
    entries
        .iter()
        .filter(|entry| !(entry.manager == ours && entry.by_apply))
        .filter(|entry| entry.fields.iter().any(|field| path.contains(field)))
        .max_by(|a, b| a.time.cmp(&b.time))
}

/// The digest of what the server notes as owned by a manager by apply; none where it owns nothing that way.
pub fn applied_fields(object: &Value, manager: &str) -> Option<Digest> {
    let entry = applied_entry(object, manager)?;
    Some(Digest::of_list([&entry["apiVersion"], &entry["fieldsV1"]]))
}

/// The leaves that the server notes as owned by a manager by apply, none where it owns nothing that way: a list or a map
/// that is owned as a whole is one leaf, whatever is in it, and so is each item of a set.
pub fn applied_leaves(object: &Value, manager: &str) -> Option<BTreeSet<FieldPath>> {
    let mut leaves = BTreeSet::new();
    read_leaves(
        &applied_entry(object, manager)?["fieldsV1"],
        &FieldPath::root(),
        &mut leaves,
    );
    Some(leaves)
}

fn read_leaves(set: &Value, at: &FieldPath, leaves: &mut BTreeSet<FieldPath>) {
    let Some(map) = set.as_object() else { return };
    let mut is_leaf = true;
    for (element, below) in map
        .iter()
        .filter_map(|(name, below)| Some((read_element(name)?, below)))
    {
        is_leaf = false;
        read_leaves(below, &at.child(element), leaves);
    }
    if is_leaf {
        leaves.insert(at.clone());
    }
}

fn applied_entry<'a>(object: &'a Value, manager: &str) -> Option<&'a Value> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array)?;
    let is_ours = |entry: &&Value| {
        entry["manager"] == manager && entry["operation"] == "Apply" && entry.get("subresource").is_none()
    };
    entries.iter().find(is_ours)
}

/// Whether `ours` owns something of the object by apply.
pub fn owns_by_apply(entries: &[ManagedEntry], ours: &str) -> bool {
    entries.iter().any(|entry| entry.by_apply && entry.manager == ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_read_as_paths() {
        let object = json!({"metadata": {"managedFields": [{
            "manager": "kubectl-edit", "operation": "Update", "time": "2026-11-22T10:31:00Z",
            "fieldsV1": {"f:spec": {"f:containers": {"k:{\"name\":\"main\"}": {".": {}, "f:image": {}}}, "f:set": {"v:\"q\"": {}}}}
        }]}});
        let entries = managed_entries(&object);
        let shown: Vec<_> = entries[0].fields.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                r#".spec.containers[name="main"]"#,
                r#".spec.containers[name="main"].image"#,
                r#".spec.set[="q"]"#
            ]
        );
        let path = FieldPath::of("spec.containers[name=main].image");
        assert_eq!(
            holder(&entries, &path, "stackctl/s").map(|e| e.manager.as_str()),
            Some("kubectl-edit")
        );
    }

    /// An object with these entries: manager, operation, subresource, time, fields.
    fn held(entries: &[(&str, &str, Option<&str>, &str, Value)]) -> Value {
        let entries: Vec<_> = entries
            .iter()
            .map(|(manager, operation, subresource, time, fields)| {
                let mut entry = json!({"manager": manager, "operation": operation, "apiVersion": "v1", "time": time,
                    "fieldsV1": fields});
                if let Some(subresource) = subresource {
                    entry["subresource"] = json!(subresource);
                }
                entry
            })
            .collect();
        json!({"metadata": {"managedFields": entries}})
    }

    #[test]
    fn a_position_is_read_and_what_is_in_no_known_form_owns_nothing() {
        let object = held(&[(
            "m",
            "Update",
            None,
            "",
            json!({"f:args": {"i:2": {}}, "x:what": {}, "f:next": {}}),
        )]);
        let entries = managed_entries(&object);
        let shown: Vec<_> = entries[0].fields.iter().map(ToString::to_string).collect();
        assert_eq!(shown, [".args[2]", ".next"]);
    }

    #[test]
    fn the_holder_is_the_last_other_one_and_our_own_updates_are_anothers() {
        let data = || json!({"f:data": {"f:k": {}}});
        let path = FieldPath::of("data.k");
        let holder_of = |object: &Value| {
            holder(&managed_entries(object), &path, "us").map(|entry| (entry.manager.clone(), entry.by_apply))
        };
        let ours = ("us", "Apply", None, "2026-01-03T00:00:00Z", data());
        assert_eq!(holder_of(&held(std::slice::from_ref(&ours))), None);
        let early = ("early", "Apply", None, "2026-01-01T00:00:00Z", data());
        let late = ("late", "Update", None, "2026-01-02T00:00:00Z", data());
        assert_eq!(
            holder_of(&held(&[early.clone(), late, ours.clone()])),
            Some(("late".to_owned(), false))
        );
        assert_eq!(holder_of(&held(&[early, ours])), Some(("early".to_owned(), true)));
        // A plain update under our name is not what we applied.
        assert_eq!(
            holder_of(&held(&[("us", "Update", None, "", data())])),
            Some(("us".to_owned(), false))
        );
    }

    #[test]
    fn only_what_we_applied_to_the_object_itself_is_digested() {
        let fields = |name: &str| json!({"f:data": {name: {}}});
        let applied = ("us", "Apply", None, "", fields("f:k"));
        let digest = applied_fields(&held(std::slice::from_ref(&applied)), "us");
        assert!(digest.is_some());
        let among_others = held(&[
            ("them", "Apply", None, "", fields("f:a")),
            ("us", "Update", None, "", fields("f:b")),
            ("us", "Apply", Some("status"), "", fields("f:c")),
            applied,
        ]);
        assert_eq!(applied_fields(&among_others, "us"), digest);
        assert_ne!(
            applied_fields(&held(&[("us", "Apply", None, "", fields("f:z"))]), "us"),
            digest
        );
        for none in [
            ("them", "Apply", None, "", fields("f:k")),
            ("us", "Update", None, "", fields("f:k")),
            ("us", "Apply", Some("status"), "", fields("f:k")),
        ] {
            assert_eq!(applied_fields(&held(&[none]), "us"), None);
        }
        assert_eq!(applied_fields(&json!({"metadata": {}}), "us"), None);
    }

    #[test]
    fn who_owns_by_apply_is_told_by_name_and_by_operation() {
        let owns = |manager: &str, operation: &str| {
            owns_by_apply(
                &managed_entries(&held(&[(manager, operation, None, "", json!({}))])),
                "us",
            )
        };
        assert!(owns("us", "Apply"));
        assert!(!owns("us", "Update") && !owns("them", "Apply"));
    }
}
