//! Turns: sync waves and hooks of Argo CD, and hooks of Helm.
//!
//! Argo CD applies a wave once everything of the wave before it is healthy, hooks before and after all that
//! (<https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/>); Helm runs its hooks by weight
//! (<https://helm.sh/docs/topics/charts_hooks/>). Here a turn is a gate that waits for all of its objects, and what has
//! the next turn waits for the gate: as many edges as there are objects.
//!
//! Invariant: the turns of one set say nothing about another's.

use super::{
    ManifestsError, ManifestsNotice, address_of,
    read::{Document, annotation},
};
use crate::stack::ManifestSet;
use stackctl_engine::{
    Address, Resource,
    resource::{DependsOn, Gate, Node},
};
use std::{collections::BTreeMap, fmt, time::Duration};

const WAVE: &str = "argocd.argoproj.io/sync-wave";
const ARGO_HOOK: &str = "argocd.argoproj.io/hook";
const HELM_HOOK: &str = "helm.sh/hook";
const HELM_WEIGHT: &str = "helm.sh/hook-weight";

/// What says when an object has its turn, what says most first.
pub(super) const ANNOTATIONS: [&str; 4] = [WAVE, HELM_WEIGHT, ARGO_HOOK, HELM_HOOK];

/// When an object has its turn: what runs before an installation, the installation, and what runs after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Before,
    Main,
    After,
}

/// A phase, and a wave in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    phase: Phase,
    wave: i64,
}

impl fmt::Display for Turn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.phase {
            Phase::Before => write!(formatter, "before/{}", self.wave),
            Phase::Main => write!(formatter, "{}", self.wave),
            Phase::After => write!(formatter, "after/{}", self.wave),
        }
    }
}

impl Turn {
    /// What people call it: a sync wave only where something in the set is of one.
    fn words(self, has_waves: bool) -> String {
        let Self { phase, wave } = self;
        match phase {
            Phase::Before => format!("the hooks of weight {wave} before an installation"),
            Phase::Main if has_waves => format!("sync wave {wave}"),
            Phase::Main => "all that is no hook".to_owned(),
            Phase::After => format!("the hooks of weight {wave} after an installation"),
        }
    }
}

/// Takes hooks out that are no part of an apply; returns the turn of each document that stays.
pub(super) fn turns(
    documents: &mut Vec<(usize, Document<'_>)>,
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
) -> Vec<Turn> {
    let mut turns = Vec::with_capacity(documents.len());
    let mut hooks: BTreeMap<usize, (&Document<'_>, usize)> = BTreeMap::new();
    let mut left_out = Vec::new();
    for (index, (set, document)) in documents.iter().enumerate() {
        match turn(document, errors) {
            Some((turn, is_hook)) => {
                turns.push(turn);
                if is_hook {
                    hooks
                        .entry(*set)
                        .and_modify(|(_, n_more)| *n_more += 1)
                        .or_insert((document, 0));
                }
            }
            None => {
                left_out.push(index);
                notices.push(ManifestsNotice::LeftOut {
                    at: document.at(),
                    object: document.manifest.object().to_string(),
                    hooks: hooks_of(document).map_or_else(String::new, |(_, hooks)| hooks.to_owned()),
                });
            }
        }
    }
    notices.extend(hooks.into_values().map(|(document, n_more)| ManifestsNotice::Hook {
        at: document.at(),
        object: document.manifest.object().to_string(),
        n_more,
    }));
    let mut index = 0;
    documents.retain(|_| {
        index += 1;
        left_out.binary_search(&(index - 1)).is_err()
    });
    turns
}

/// The annotation that makes it a hook, and what it says; Argo CD's own counts before Helm's, as there.
fn hooks_of<'d>(document: &'d Document<'_>) -> Option<(&'static str, &'d str)> {
    [ARGO_HOOK, HELM_HOOK]
        .into_iter()
        .find_map(|name| Some((name, annotation(document, name)?)))
}

/// Its turn, and whether it is a hook; none for a hook that is no part of an apply.
fn turn(document: &Document<'_>, errors: &mut Vec<ManifestsError>) -> Option<(Turn, bool)> {
    let hooks = hooks_of(document);
    let weight = match hooks {
        Some((HELM_HOOK, _)) if annotation(document, WAVE).is_none() => HELM_WEIGHT,
        _ => WAVE,
    };
    let wave = annotation(document, weight).map_or(0, |text| {
        text.trim().parse().unwrap_or_else(|_| {
            errors.push(wrong(
                document,
                weight,
                text,
                "write a whole number in quotes, as `\"-1\"`",
            ));
            0
        })
    });
    let Some((name, hooks)) = hooks else {
        let phase = Phase::Main;
        return Some((Turn { phase, wave }, false));
    };
    let phases = hooks.split(',').filter_map(|hook| match (name, hook.trim()) {
        (ARGO_HOOK, "PreSync") | (HELM_HOOK, "pre-install" | "pre-upgrade") => Some(Phase::Before),
        // Argo CD takes `crd-install` of Helm 2 as no hook at all.
        (ARGO_HOOK, "Sync") | (HELM_HOOK, "crd-install") => Some(Phase::Main),
        (ARGO_HOOK, "PostSync") | (HELM_HOOK, "post-install" | "post-upgrade") => Some(Phase::After),
        (ARGO_HOOK, "Skip" | "SyncFail" | "PreDelete" | "PostDelete")
        | (
            HELM_HOOK,
            "pre-delete" | "post-delete" | "pre-rollback" | "post-rollback" | "test" | "test-success" | "test-failure",
        ) => None,
        (_, hook) => {
            let hint = "write the hooks of Argo CD or Helm, as `PreSync` or `pre-install`";
            errors.push(wrong(document, name, hook, hint));
            Some(Phase::Main)
        }
    });
    let phase = phases.min()?;
    Some((Turn { phase, wave }, true))
}

pub(super) fn wrong(document: &Document<'_>, annotation: &str, value: &str, hint: &'static str) -> ManifestsError {
    ManifestsError::Annotation {
        at: document.at_annotation(annotation),
        annotation: annotation.to_owned(),
        value: value.to_owned(),
        hint,
    }
}

/// Makes the gates of every set that has several turns; what an object of a later turn waits for is put into `waits`.
pub(super) fn gates(
    sets: &[&ManifestSet],
    documents: &[(usize, Document<'_>)],
    turns: &[Turn],
    addresses: &[Address],
    waits: &mut [Vec<DependsOn>],
) -> Vec<Resource> {
    let mut by_set: BTreeMap<usize, BTreeMap<Turn, Vec<usize>>> = BTreeMap::new();
    for (index, (set, _)) in documents.iter().enumerate() {
        by_set
            .entry(*set)
            .or_default()
            .entry(turns[index])
            .or_default()
            .push(index);
    }
    let mut gates: Vec<Resource> = Vec::new();
    for (set, by_turn) in by_set {
        let mut before: Option<(Turn, Address)> = None;
        let last = by_turn.keys().next_back().copied();
        let mut all = by_turn.values().flatten();
        let has_waves = all.any(|member| annotation(&documents[*member].1, WAVE).is_some());
        for (turn, members) in by_turn {
            if let Some((earlier, gate)) = &before {
                let reason = format!("comes after {}", earlier.words(has_waves));
                for member in &members {
                    waits[*member].push(DependsOn::ready(gate.clone(), &reason));
                }
            }
            if Some(turn) == last {
                break;
            }
            let address = address_of(sets[set], "turn", &turn.to_string());
            let mut gate = Resource::new(address.clone(), Node::Gate(Gate::all(Vec::new())));
            let words = turn.words(has_waves);
            gate.note = format!("waits for {words}");
            // It looks at nothing itself.
            gate.usual_time = Some(Duration::ZERO);
            gate.depends_on = members
                .iter()
                .map(|member| DependsOn::ready(addresses[*member].clone(), &format!("belongs to {words}")))
                .collect();
            gates.push(gate);
            before = Some((turn, address));
        }
    }
    gates
}
