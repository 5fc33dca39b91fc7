//! Groups and rules of kapp (<https://carvel.dev/kapp/docs/latest/apply-ordering/>).
//!
//! `upsert after upserting G` is an edge to a gate that waits for all of group G, `upsert before upserting G` an edge from
//! each of G. Rules about deleting are carried out where they are the same order turned round, and told where they are not.
//!
//! Invariant: groups and rules are of one set, as kapp's are of one app.

use super::{
    ManifestsError, ManifestsNotice, address_of,
    order::wrong,
    read::{Document, annotations},
};
use crate::stack::ManifestSet;
use stackctl_engine::{
    Address, Resource,
    resource::{DependsOn, Gate, Node},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub(super) const GROUP: &str = "kapp.k14s.io/change-group";
pub(super) const RULE: &str = "kapp.k14s.io/change-rule";

/// How the reason of an edge begins that an object's own rule makes, and one that the rule of what is waited for makes.
pub(super) const OWN_RULE: &str = "its change rule: ";
pub(super) const RULE_OF_ANOTHER: &str = "a change rule: ";

/// One rule of one object.
struct Rule<'a> {
    /// The annotation that says it.
    annotation: &'a str,
    text: &'a str,
    deletes: bool,
    after: bool,
    deleting: bool,
    group: String,
}

/// Makes the gates of groups that something comes after, and adds every rule's edges to `waits`.
pub(super) fn gates(
    sets: &[&ManifestSet],
    documents: &[(usize, Document<'_>)],
    addresses: &[Address],
    waits: &mut [Vec<DependsOn>],
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
) -> Vec<Resource> {
    let mut members: BTreeMap<(usize, String), BTreeSet<usize>> = BTreeMap::new();
    let mut rules: Vec<(usize, Vec<Rule<'_>>)> = Vec::new();
    for (index, (set, document)) in documents.iter().enumerate() {
        for (_, name) in named(document, GROUP) {
            members.entry((*set, filled(name, document))).or_default().insert(index);
        }
        let mut own = Vec::new();
        for (annotation, text) in named(document, RULE) {
            match rule(annotation, text, document) {
                Some(rule) => own.push(rule),
                None => errors.push(wrong(
                    document,
                    annotation,
                    text,
                    "write `upsert after upserting GROUP`, or `before` for `after`",
                )),
            }
        }
        if !own.is_empty() {
            rules.push((index, own));
        }
    }
    let mut gates: BTreeMap<(usize, String), Resource> = BTreeMap::new();
    for (index, rules) in rules {
        let (set, document) = &documents[index];
        for rule in &rules {
            let mut told = |why: &str| {
                notices.push(ManifestsNotice::Rule {
                    at: document.at_annotation(rule.annotation),
                    rule: rule.text.to_owned(),
                    why: why.to_owned(),
                });
            };
            let key = (*set, rule.group.clone());
            let Some(group) = members.get(&key) else {
                told("no object of the table is in the group");
                continue;
            };
            if rule.deletes != rule.deleting {
                told("of two objects one is applied and the other one deleted");
                continue;
            }
            if rule.deletes {
                let is_same = |other: &Rule<'_>| {
                    !other.deletes && !other.deleting && other.group == rule.group && other.after != rule.after
                };
                if !rules.iter().any(is_same) {
                    told("destroy goes the way of apply turned round, and no rule of the object orders the apply");
                }
                continue;
            }
            let reason = format!("{OWN_RULE}{}", rule.text);
            if !rule.after {
                for member in group.iter().filter(|member| **member != index) {
                    let reason = format!("{RULE_OF_ANOTHER}{}", rule.text);
                    waits[*member].push(DependsOn::ready(addresses[index].clone(), &reason));
                }
            } else if group.contains(&index) {
                // A gate would wait for the object itself.
                let others = group.iter().filter(|member| **member != index);
                waits[index].extend(others.map(|member| DependsOn::ready(addresses[*member].clone(), &reason)));
            } else {
                let gate = gates
                    .entry(key)
                    .or_insert_with(|| gate(sets[*set], &rule.group, group, addresses));
                waits[index].push(DependsOn::ready(gate.address.clone(), &reason));
            }
        }
    }
    gates.into_values().collect()
}

fn gate(set: &ManifestSet, group: &str, members: &BTreeSet<usize>, addresses: &[Address]) -> Resource {
    let mut gate = Resource::new(
        address_of(set, "change-group", group),
        Node::Gate(Gate::all(Vec::new())),
    );
    gate.note = format!("waits for change group {group}");
    // It looks at nothing itself.
    gate.usual_time = Some(Duration::ZERO);
    gate.depends_on = members
        .iter()
        .map(|member| DependsOn::ready(addresses[*member].clone(), "is in the change group"))
        .collect();
    gate
}

/// Annotations of a name, alone or with an ending after a dot.
fn named<'a>(document: &'a Document<'a>, name: &str) -> Vec<(&'a str, &'a str)> {
    let is_it = |key: &str| {
        let rest = key.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    annotations(document).filter(|(key, _)| is_it(key)).collect()
}

fn rule<'a>(annotation: &'a str, text: &'a str, document: &Document<'_>) -> Option<Rule<'a>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [operation, when, others, group] = words.as_slice() else {
        return None;
    };
    Some(Rule {
        annotation,
        text,
        deletes: match *operation {
            "upsert" => false,
            "delete" => true,
            _ => return None,
        },
        after: match *when {
            "after" => true,
            "before" => false,
            _ => return None,
        },
        deleting: match *others {
            "upserting" => false,
            "deleting" => true,
            _ => return None,
        },
        group: filled(group, document),
    })
}

/// The name of a group, with what kapp puts in for its placeholders.
fn filled(name: &str, document: &Document<'_>) -> String {
    let object = document.manifest.object();
    [
        ("{api-group}", object.object_type.group()),
        ("{kind}", object.object_type.kind.as_str()),
        ("{namespace}", object.namespace.as_deref().unwrap_or_default()),
        ("{name}", object.name.as_str()),
    ]
    .into_iter()
    .fold(name.trim().to_owned(), |name, (place, value)| {
        name.replace(place, value)
    })
}
