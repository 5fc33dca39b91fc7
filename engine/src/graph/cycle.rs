//! A cycle as a value, with every edge's source.

use super::Edge;
use crate::address::Address;
use petgraph::{
    Direction,
    algo::tarjan_scc,
    graph::{DiGraph, NodeIndex},
    visit::EdgeRef as _,
};
use std::{collections::BTreeMap, fmt};

/// Resources that wait for each other: the target of each edge is the origin of the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    edges: Vec<Edge>,
}

impl Cycle {
    /// The edges, starting at the first address in order.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these resources wait for each other:")?;
        self.edges.iter().try_for_each(|edge| write!(f, "\n  {edge}"))
    }
}

/// One shortest cycle for each knot of the graph, found from its first address.
pub(super) fn find(graph: &DiGraph<Address, Edge>) -> Vec<Cycle> {
    let mut cycles: Vec<_> = tarjan_scc(graph)
        .into_iter()
        .filter(|knot| knot.len() > 1)
        .filter_map(|knot| shortest(graph, &knot))
        .collect();
    cycles.sort_by(|a, b| a.edges.cmp(&b.edges));
    cycles
}

/// Breadth first along "waits for" from the first address of the knot back to itself.
fn shortest(graph: &DiGraph<Address, Edge>, knot: &[NodeIndex]) -> Option<Cycle> {
    let start = *knot.iter().min_by_key(|node| &graph[**node])?;
    let mut reached_by: BTreeMap<NodeIndex, (NodeIndex, &Edge)> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        let mut out: Vec<_> = graph.edges_directed(node, Direction::Incoming).collect();
        out.sort_by_key(|edge| edge.weight());
        for edge in out {
            let next = edge.source();
            if next == start {
                let mut edges = vec![edge.weight().clone()];
                let mut at = node;
                while at != start {
                    let (before, by) = reached_by.get(&at)?;
                    edges.push((*by).clone());
                    at = *before;
                }
                edges.reverse();
                return Some(Cycle { edges });
            }
            if knot.contains(&next) && !reached_by.contains_key(&next) {
                reached_by.insert(next, (node, edge.weight()));
                queue.push_back(next);
            }
        }
    }
    None
}
