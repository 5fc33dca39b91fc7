//! Objects that wait for each other, told by what people wrote: objects, annotations and tables, each with its line.
//!
//! Invariant: gates of turns and groups, which nobody wrote, are not spoken of; what they stand for is.

use super::{
    FileLine, ManifestsError, OF_TABLE, edges, groups, order,
    read::{Document, annotations},
};
use crate::stack::ManifestSet;
use stackctl_engine::{
    Address, Resource,
    graph::{Cycle, Edge},
};
use std::{collections::BTreeMap, fmt::Write as _};

/// What can wait.
pub(super) struct Circles<'a> {
    pub(super) sets: &'a [&'a ManifestSet],
    pub(super) documents: &'a [(usize, Document<'a>)],
    pub(super) addresses: &'a [Address],
    /// The gates of turns.
    pub(super) turns: &'a [Resource],
    /// The gates of change groups.
    pub(super) groups: &'a [Resource],
}

/// By which annotations objects come after a gate, and by which they belong to it.
#[derive(Clone, Copy)]
struct Says {
    after: &'static [&'static str],
    belongs: &'static [&'static str],
}

/// Everything by its address.
struct Known<'a> {
    documents: BTreeMap<&'a Address, &'a (usize, Document<'a>)>,
    gates: BTreeMap<&'a Address, Says>,
}

impl Circles<'_> {
    /// Words each circle as an error; one that is of more than documents and their gates is left to the graph.
    pub(super) fn told(&self, cycles: &[Cycle]) -> Vec<ManifestsError> {
        if cycles.is_empty() {
            return Vec::new();
        }
        let turn = Says {
            after: &order::ANNOTATIONS,
            belongs: &order::ANNOTATIONS,
        };
        let group = Says {
            after: &[groups::RULE],
            belongs: &[groups::GROUP],
        };
        let turns = self.turns.iter().map(|gate| (&gate.address, turn));
        let groups = self.groups.iter().map(|gate| (&gate.address, group));
        let known = Known {
            documents: self.addresses.iter().zip(self.documents).collect(),
            gates: turns.chain(groups).collect(),
        };
        cycles
            .iter()
            .filter_map(|cycle| self.one(cycle.edges(), &known))
            .collect()
    }

    fn one(&self, edges: &[Edge], known: &Known<'_>) -> Option<ManifestsError> {
        // It begins at an object, so that the edge into a gate stands before the one out of it.
        let first = edges.iter().position(|edge| !known.gates.contains_key(&edge.from))?;
        let mut edges = edges[first..].iter().chain(&edges[..first]);
        let (mut said_at, mut lies_at, mut lines) = (None, None, String::new());
        while let Some(edge) = edges.next() {
            let (set, from) = known.documents.get(&edge.from)?;
            let (to, said) = match known.gates.get(&edge.to) {
                Some(says) => {
                    let (_, to) = known.documents.get(&edges.next()?.to)?;
                    let said = [written(from, says.after), written(to, says.belongs)];
                    (to, said.into_iter().flatten().collect())
                }
                None => {
                    let (_, to) = known.documents.get(&edge.to)?;
                    (to, Vec::from_iter(self.written_for(edge, *set, from, to)))
                }
            };
            said_at = said_at.or_else(|| said.first().cloned());
            lies_at.get_or_insert_with(|| from.at());
            let places = if said.is_empty() { vec![from.at()] } else { said };
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            // Writing into a string cannot fail.
            let _written = write!(
                lines,
                "\n  {} waits for {}: {} ({})",
                from.manifest.object(),
                to.manifest.object(),
                edge.reason,
                places.join(", ")
            );
        }
        let at = said_at.or(lies_at)?;
        Some(ManifestsError::Circle { at, lines })
    }

    /// Where an edge between two documents is written; nowhere if it follows from what they are.
    fn written_for(&self, edge: &Edge, set: usize, from: &Document<'_>, to: &Document<'_>) -> Option<FileLine> {
        match edge.reason.as_str() {
            OF_TABLE => {
                let mut all = self.sets[set].depends_on.iter();
                all.find(|wanted| wanted.on == edge.to).map(|wanted| wanted.at.clone())
            }
            edges::REASON => written(from, &[edges::DEPENDS_ON]),
            reason if reason.starts_with(groups::OWN_RULE) => written(from, &[groups::RULE]),
            reason if reason.starts_with(groups::RULE_OF_ANOTHER) => written(to, &[groups::RULE]),
            _ => None,
        }
    }
}

/// Where the first of these annotations stands, alone or with an ending after a dot.
fn written(document: &Document<'_>, names: &[&str]) -> Option<FileLine> {
    let is = |key: &str, name: &str| {
        let rest = key.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    names.iter().find_map(|name| {
        let (key, _) = annotations(document).find(|(key, _)| is(key, name))?;
        Some(document.at_annotation(key))
    })
}
