//! The dependency graph of one stack.
//!
//! In: resources. Out: an order that depends on nothing but them.
//!
//! Invariants:
//! - A [`Graph`] has no cycle; [`Graph::new`] is the only way to get one and refuses a cycle with the source of every
//!   edge in it.
//! - An edge `a -> b` says what `a` waits for (`b` applied, or `b` ready) and why; both are shown to people.
//! - Equal resources give equal graphs: nodes and edges are in the order of their addresses.
//!
//! Deliberately absent: manifests, actions and anything about the cluster. A node is an [`Address`].

mod cycle;
mod edge;
mod infer;
mod wave;

pub use cycle::Cycle;
pub use edge::{Edge, EdgeClass, EdgeSource, Until};
pub(crate) use wave::remaining;
pub use wave::{Takes, critical_path, waves};

use crate::{address::Address, resource::Resource};
use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
    visit::EdgeRef as _,
};
use std::collections::BTreeMap;

/// Resources by address and what each waits for; acyclic.
#[derive(Clone, Debug)]
pub struct Graph {
    /// An edge points from what is waited for to what waits.
    graph: DiGraph<Address, Edge>,
    index: BTreeMap<Address, NodeIndex>,
    /// Every address after all that it waits for; ties in the order of addresses.
    order: Vec<Address>,
}

/// Why resources do not make a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two resources have one address.
    #[error("two resources have the address `{0}`")]
    Duplicate(Address),
    /// A resource waits for an address that no resource has.
    #[error("`{from}` depends on `{wanted}`, but no resource has that address")]
    Unknown {
        /// Who waits.
        from: Address,
        /// What is not there.
        wanted: Address,
    },
    /// Resources wait for each other.
    #[error("{0}")]
    Cycle(Cycle),
    /// Two nodes claim one object, or one field of it.
    #[error("`{first}` and `{second}` both write {what}")]
    Overlap {
        /// The first in order.
        first: Address,
        /// The second.
        second: Address,
        /// The object, or the field of it.
        what: String,
    },
}

impl Graph {
    /// Connects resources by their own edges and those that are inferred.
    ///
    /// # Errors
    /// All of them: duplicate addresses, unknown dependencies, overlapping objects, cycles.
    pub fn new<'a>(resources: impl IntoIterator<Item = &'a Resource> + Clone) -> Result<Self, Vec<GraphError>> {
        let mut errors = infer::overlaps(resources.clone());
        let mut edges = Vec::new();
        let mut addresses = BTreeMap::new();
        for resource in resources.clone() {
            if addresses.insert(resource.address.clone(), ()).is_some() {
                errors.push(GraphError::Duplicate(resource.address.clone()));
            }
            edges.extend(resource.depends_on.iter().map(|on| Edge {
                from: resource.address.clone(),
                to: on.address.clone(),
                until: on.until,
                reason: on.reason.clone(),
                class: EdgeClass::Needs,
                source: EdgeSource::Declared,
            }));
        }
        edges.extend(infer::edges(resources));
        let graph = Self::of_edges(addresses.into_keys(), edges);
        match graph {
            Ok(graph) if errors.is_empty() => Ok(graph),
            Ok(_) => Err(errors),
            Err(more) => {
                errors.extend(more);
                Err(errors)
            }
        }
    }

    /// Connects addresses by edges that are known already, as a state records them.
    ///
    /// # Errors
    /// Unknown ends of an edge, and cycles.
    pub fn of_edges(
        addresses: impl IntoIterator<Item = Address>,
        edges: impl IntoIterator<Item = Edge>,
    ) -> Result<Self, Vec<GraphError>> {
        let mut graph = DiGraph::new();
        let mut sorted: Vec<_> = addresses.into_iter().collect();
        sorted.sort();
        sorted.dedup();
        let index: BTreeMap<_, _> = sorted
            .into_iter()
            .map(|address| (address.clone(), graph.add_node(address)))
            .collect();
        let mut errors = Vec::new();
        for edge in merged(edges) {
            match (index.get(&edge.to), index.get(&edge.from)) {
                (Some(to), Some(from)) => {
                    graph.add_edge(*to, *from, edge);
                }
                _ => errors.push(GraphError::Unknown {
                    from: edge.from,
                    wanted: edge.to,
                }),
            }
        }
        let (order, cycles) = sort(&graph, &index);
        errors.extend(cycles.into_iter().map(GraphError::Cycle));
        if errors.is_empty() {
            Ok(Self { graph, index, order })
        } else {
            Err(errors)
        }
    }

    /// Every address after all that it waits for.
    pub fn order(&self) -> &[Address] {
        &self.order
    }

    /// Whether a resource has this address.
    pub fn contains(&self, address: &Address) -> bool {
        self.index.contains_key(address)
    }

    /// What an address waits for.
    pub fn dependencies(&self, address: &Address) -> Vec<&Edge> {
        self.edges(address, Direction::Incoming)
    }

    /// What waits for an address.
    pub fn dependents(&self, address: &Address) -> Vec<&Edge> {
        self.edges(address, Direction::Outgoing)
    }

    /// The address and everything that waits for it, however far.
    pub fn descendants(&self, address: &Address) -> Vec<Address> {
        let mut found = vec![address.clone()];
        let mut at = 0;
        while let Some(next) = found.get(at).cloned() {
            at += 1;
            for edge in self.dependents(&next) {
                if !found.contains(&edge.from) {
                    found.push(edge.from.clone());
                }
            }
        }
        found.sort();
        found
    }

    fn edges(&self, address: &Address, direction: Direction) -> Vec<&Edge> {
        let Some(node) = self.index.get(address) else {
            return Vec::new();
        };
        let mut edges: Vec<_> = self
            .graph
            .edges_directed(*node, direction)
            .map(|edge| edge.weight())
            .collect();
        edges.sort();
        edges
    }
}

/// One edge for each pair: the one that waits longer; a declared reason wins over an inferred one.
fn merged(edges: impl IntoIterator<Item = Edge>) -> Vec<Edge> {
    let mut by_pair: BTreeMap<(Address, Address), Edge> = BTreeMap::new();
    for edge in edges {
        if edge.from == edge.to {
            continue;
        }
        let pair = (edge.from.clone(), edge.to.clone());
        match by_pair.get_mut(&pair) {
            None => {
                by_pair.insert(pair, edge);
            }
            Some(known) => {
                known.class = known.class.max(edge.class);
                if (edge.until, edge.source) > (known.until, known.source) {
                    known.until = known.until.max(edge.until);
                    known.reason = edge.reason;
                    known.source = edge.source;
                }
            }
        }
    }
    by_pair.into_values().collect()
}

/// Kahn's order with ties by address; what is left over are the cycles.
fn sort(graph: &DiGraph<Address, Edge>, index: &BTreeMap<Address, NodeIndex>) -> (Vec<Address>, Vec<Cycle>) {
    let mut unmet: BTreeMap<&Address, usize> = index
        .iter()
        .map(|(address, node)| (address, graph.edges_directed(*node, Direction::Incoming).count()))
        .collect();
    let mut free: std::collections::BTreeSet<&Address> = unmet
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(address, _)| *address)
        .collect();
    let mut order = Vec::with_capacity(index.len());
    while let Some(next) = free.pop_first() {
        order.push(next.clone());
        unmet.remove(next);
        for edge in graph.edges_directed(index[next], Direction::Outgoing) {
            let waiting = &graph[edge.target()];
            if let Some(count) = unmet.get_mut(waiting) {
                *count -= 1;
                if *count == 0 {
                    free.insert(waiting);
                }
            }
        }
    }
    let cycles = if unmet.is_empty() {
        Vec::new()
    } else {
        cycle::find(graph)
    };
    (order, cycles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    fn edge(from: &str, to: &str) -> Edge {
        Edge {
            from: address(from),
            to: address(to),
            until: Until::Ready,
            reason: format!("{from} needs {to}"),
            class: EdgeClass::Needs,
            source: EdgeSource::Declared,
        }
    }

    #[test]
    fn what_is_waited_for_comes_first_and_ties_are_in_order() {
        let graph = Graph::of_edges(["a.x", "b.x", "c.x"].map(address), [edge("a.x", "c.x")]).expect("acyclic");
        assert_eq!(graph.order(), ["b.x", "c.x", "a.x"].map(address));
        assert_eq!(graph.descendants(&address("c.x")), ["a.x", "c.x"].map(address));
    }

    #[test]
    fn a_cycle_is_printed_with_the_source_of_every_edge() {
        let errors = Graph::of_edges(
            ["a.x", "b.x", "c.x", "d.x"].map(address),
            [
                edge("a.x", "b.x"),
                edge("b.x", "c.x"),
                edge("c.x", "a.x"),
                edge("d.x", "a.x"),
            ],
        )
        .expect_err("a cycle");
        assert_eq!(errors.len(), 1);
        assert_eq!(
            errors[0].to_string(),
            "these resources wait for each other:\n  a.x waits for b.x until ready: a.x needs b.x (declared)\n  \
             b.x waits for c.x until ready: b.x needs c.x (declared)\n  c.x waits for a.x until ready: c.x needs a.x (declared)"
        );
    }

    #[test]
    fn an_unknown_end_is_an_error_that_names_it() {
        let errors = Graph::of_edges([address("a.x")], [edge("a.x", "z.x")]).expect_err("unknown");
        assert_eq!(
            errors[0].to_string(),
            "`a.x` depends on `z.x`, but no resource has that address"
        );
    }

    proptest! {
        #[test]
        fn order_respects_every_edge(pairs in prop::collection::vec((0_usize..30, 0_usize..30), 0..80)) {
            let name = |n: usize| format!("n{n:02}.x");
            let edges: Vec<_> = pairs.iter().filter(|(a, b)| a > b).map(|(a, b)| edge(&name(*a), &name(*b))).collect();
            let graph = Graph::of_edges((0..30).map(|n| address(&name(n))), edges.clone()).expect("edges go down");
            let place = |a: &Address| graph.order().iter().position(|o| o == a).expect("in the order");
            for edge in &edges {
                prop_assert!(place(&edge.to) < place(&edge.from));
            }
        }
    }
}
