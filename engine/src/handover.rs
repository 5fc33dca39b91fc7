//! An object that moves to another address: its new address has what was recorded, its old one nothing to take away.
//!
//! In: what is recorded, and what is desired. Out: what counts as recorded for the plan and for its apply.
//!
//! Invariants:
//! - No step of a removal is about an object that a desired resource makes.
//! - The old record goes after the new one is written, so a kill between the two loses nothing.
//!
//! Deliberately absent: overlays, whose record says what was there before them at that address.

use crate::{
    address::Address,
    digest::Digest,
    graph::{Edge, EdgeClass, EdgeSource, Until},
    object_key::ObjectKey,
    recorded::{Recorded, RecordedDestroy, RecordedNode},
    resource::{Node, Resource},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Hands over what is recorded at addresses that are no longer desired to those that desire the same objects.
pub fn handed_over(mut recorded: BTreeMap<Address, Recorded>, desired: &[Resource]) -> BTreeMap<Address, Recorded> {
    let addresses: BTreeSet<&Address> = desired.iter().map(|resource| &resource.address).collect();
    let makers: BTreeMap<ObjectKey, &Address> = desired
        .iter()
        .filter_map(|resource| match &resource.node {
            Node::Object(object) => Some((object.manifest.object().key(), &resource.address)),
            _ => None,
        })
        .collect();
    let mut handed: Vec<Recorded> = Vec::new();
    for known in recorded
        .values_mut()
        .filter(|known| !addresses.contains(&known.address))
    {
        let RecordedNode::Object(object) = &known.node else {
            continue;
        };
        let Some(maker) = makers.get(&object.object.key()) else {
            continue;
        };
        handed.push(moved(known, maker));
        known.node = RecordedNode::Gate;
        known.destroy = RecordedDestroy::default();
    }
    for known in handed {
        recorded.entry(known.address.clone()).or_insert(known);
    }
    recorded
}

/// The record at its new address, as something else than what is desired, so that it is written there.
fn moved(known: &Recorded, to: &Address) -> Recorded {
    let mut moved = known.clone();
    moved.address = to.clone();
    if let RecordedNode::Object(object) = &mut moved.node {
        object.sent = Digest::of(&Value::Null);
    }
    for edge in &mut moved.edges {
        edge.from = to.clone();
    }
    moved.edges.push(Edge {
        from: to.clone(),
        to: known.address.clone(),
        until: Until::Applied,
        reason: "it has the object from there".to_owned(),
        class: EdgeClass::Needs,
        source: EdgeSource::SameObject,
    });
    moved
}
