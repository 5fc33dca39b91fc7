//! Fields that leave an overlay which itself stays: what they held before us comes back, as it does when all of it goes
//! (DESIGN §6). Applying without them would take them away.
//!
//! Invariant: only what we alone hold is given back; what somebody else holds is left to him.

use crate::{
    ownership::{holder, managed_entries},
    recorded::{Recorded, RecordedNode, Undo},
};
use serde_json::Value;

/// What is to be given back, where an overlay writes this much by now: every field that leaves it. Nothing where none of
/// them held anything before us: those go with the apply.
pub(crate) fn leaving_fields(known: &Recorded, live: &Value, body: &Value) -> Vec<Undo> {
    let RecordedNode::Overlay { object, undo, .. } = &known.node else {
        return Vec::new();
    };
    let leaving: Vec<&Undo> = undo.iter().filter(|undo| undo.path.get(body).is_none()).collect();
    if leaving.iter().all(|undo| undo.prior.is_none()) {
        return Vec::new();
    }
    let entries = managed_entries(live);
    let is_ours = |undo: &&Undo| {
        let mut ours = entries
            .iter()
            .filter(|entry| entry.by_apply && entry.manager == object.manager);
        ours.any(|entry| entry.fields.iter().any(|field| undo.path.contains(field)))
            && holder(&entries, &undo.path, &object.manager).is_none()
    };
    leaving.into_iter().filter(is_ours).cloned().collect()
}
