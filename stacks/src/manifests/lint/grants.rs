//! Who may call a model, and how much: two objects that a call needs both of.
//!
//! Facts: `reference/serving.md` §1.12 (subjects and owners), §5.3 S2, S3 and S13.

use super::{Seen, World, subscription};
use crate::manifests::{ManifestsNotice, read::Document};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A group that every caller is in (`reference/serving.md` §4).
const EVERYBODY: &str = "system:authenticated";

/// A model, by the namespace and name of its reference.
type Model<'a> = (&'a str, &'a str);

/// What the subscriptions, or the auth policies, of the stack and of manifests say of groups.
#[derive(Debug, Default)]
pub(super) struct Grants<'a> {
    /// The groups that are named for a model.
    groups: BTreeSet<(Model<'a>, &'a str)>,
    /// Models that users are named for, or everybody is: who is in which group is not known here.
    open: BTreeSet<Model<'a>>,
    /// The first object that names a group.
    first: BTreeMap<&'a str, Seen<'a>>,
}

impl<'a> Grants<'a> {
    /// Notes one object; `people` is the field that names them.
    pub(super) fn note(&mut self, seen: Seen<'a>, people: &str) {
        let people = &seen.value["spec"][people];
        let names_users = people["users"].as_array().is_some_and(|users| !users.is_empty());
        for model in models(seen.value) {
            if names_users || groups(people).any(|(_, group)| group == EVERYBODY) {
                self.open.insert(model);
            }
            self.groups.extend(groups(people).map(|(_, group)| (model, group)));
        }
        for (_, group) in groups(people) {
            self.first.entry(group).or_insert(seen);
        }
    }

    fn has(&self, model: Model<'_>, group: &str) -> bool {
        self.open.contains(&model) || self.groups.contains(&(model, group))
    }
}

/// The models of a subscription or an auth policy.
fn models(value: &Value) -> impl Iterator<Item = Model<'_>> {
    let all = value["spec"]["modelRefs"].as_array().into_iter().flatten();
    all.filter_map(|model| Some((model["namespace"].as_str()?, model["name"].as_str()?)))
}

/// The groups, each with its place.
fn groups(people: &Value) -> impl Iterator<Item = (usize, &str)> {
    let all = people["groups"].as_array().into_iter().flatten().enumerate();
    all.filter_map(|(index, group)| Some((index, group["name"].as_str()?)))
}

/// Looks at a subscription or an auth policy beside a stack that serves subscriptions.
pub(super) fn check(world: &World<'_>, one: Seen<'_>, at: &Document<'_>, notices: &mut Vec<ManifestsNotice>) {
    let is_subscription = one.kind() == subscription::SUBSCRIPTION;
    let (people, other, lacking) = if is_subscription {
        ("owner", &world.access, "MaaSAuthPolicy")
    } else {
        ("subjects", &world.limits, "MaaSSubscription")
    };
    let people_of = &one.value["spec"][people];
    for (index, model) in models(one.value).enumerate() {
        let alone: Vec<&str> = groups(people_of)
            .map(|(_, group)| group)
            .filter(|group| !other.has(model, group))
            .collect();
        if !alone.is_empty() {
            notices.push(ManifestsNotice::HalfAGrant {
                at: at.at_field(&format!("spec.modelRefs[{index}]")),
                object: one.object.to_string(),
                groups: alone.join("`, `"),
                model: format!("{}/{}", model.0, model.1),
                lacking,
            });
        }
    }
    if !is_subscription {
        return;
    }
    for (index, group) in groups(people_of) {
        if let Some(first) = world.limits.first.get(group)
            && first.object != one.object
        {
            notices.push(ManifestsNotice::GroupTwice {
                at: at.at_field(&format!("spec.owner.groups[{index}]")),
                group: group.to_owned(),
                first: first.place(),
            });
        }
    }
}
