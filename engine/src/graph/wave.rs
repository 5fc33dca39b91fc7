//! Waves and the critical path: shown to people, never a barrier.

use super::{Edge, Graph, Until};
use crate::address::Address;
use std::{collections::BTreeMap, time::Duration};

/// Addresses that could run together: each wave waits only for those before it.
pub fn waves(graph: &Graph) -> Vec<Vec<Address>> {
    let mut depth: BTreeMap<&Address, usize> = BTreeMap::new();
    let mut waves: Vec<Vec<Address>> = Vec::new();
    for address in graph.order() {
        let wave = graph
            .dependencies(address)
            .iter()
            .filter_map(|edge| depth.get(&edge.to))
            .max()
            .map_or(0, |d| d + 1);
        depth.insert(address, wave);
        if waves.len() <= wave {
            waves.push(Vec::new());
        }
        waves[wave].push(address.clone());
    }
    waves
}

/// How long one address takes, from the moment it may start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// Until it is applied: what edges that wait for the write wait for.
    pub applied: Duration,
    /// Until it is ready; no shorter.
    pub ready: Duration,
}

impl Takes {
    /// How long an edge to it holds what waits.
    fn until(self, until: Until) -> Duration {
        match until {
            Until::Applied => self.applied,
            Until::Ready => self.ready,
        }
    }
}

/// The chain that takes longest, first to last, each with what it adds: until it is applied where that is all that the
/// next one waits for, else until it is ready. The sum is how long the whole graph takes if nothing waits for a slot.
pub fn critical_path(graph: &Graph, takes: impl Fn(&Address) -> Takes) -> Vec<(Address, Duration)> {
    let mut starts: BTreeMap<&Address, (Duration, Option<&Edge>)> = BTreeMap::new();
    for address in graph.order() {
        let mut start = (Duration::ZERO, None);
        for edge in graph.dependencies(address) {
            let before = starts.get(&edge.to).map_or(Duration::ZERO, |(time, _)| *time);
            let over = before + takes(&edge.to).until(edge.until);
            if start.1.is_none() || over > start.0 {
                start = (over, Some(edge));
            }
        }
        starts.insert(address, start);
    }
    let ends = starts
        .iter()
        .map(|(address, (start, _))| (*start + takes(address).ready, *address));
    // Of several that end last, the first in order.
    let Some((_, last)) = ends.max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(a.1))) else {
        return Vec::new();
    };
    let mut path = vec![(last.clone(), takes(last).ready)];
    let mut at = last;
    while let Some((_, Some(edge))) = starts.get(at) {
        path.push((edge.to.clone(), takes(&edge.to).until(edge.until)));
        at = &edge.to;
    }
    path.reverse();
    path
}

/// For each address the longest time from its start to the end of everything that waits for it.
pub(crate) fn remaining(graph: &Graph, takes: impl Fn(&Address) -> Takes) -> BTreeMap<Address, Duration> {
    let mut remaining: BTreeMap<Address, Duration> = BTreeMap::new();
    for address in graph.order().iter().rev() {
        let own = takes(address);
        let after = graph
            .dependents(address)
            .iter()
            .filter_map(|edge| Some(own.until(edge.until) + *remaining.get(&edge.from)?))
            .max()
            .unwrap_or_default();
        remaining.insert(address.clone(), after.max(own.ready));
    }
    remaining
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{EdgeClass, EdgeSource};
    use proptest::prelude::*;

    fn address(n: usize) -> Address {
        format!("n{n:02}.x").parse().expect("an address")
    }

    fn edge((from, to, written): (usize, usize, bool)) -> Edge {
        Edge {
            from: address(from),
            to: address(to),
            until: if written { Until::Applied } else { Until::Ready },
            reason: String::new(),
            class: EdgeClass::Needs,
            source: EdgeSource::Declared,
        }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// When the last of the graph is ready, second by second: what may start starts, nothing waits for a slot.
    fn makespan(graph: &Graph, takes: impl Fn(&Address) -> Takes) -> Duration {
        let mut started: BTreeMap<&Address, Duration> = BTreeMap::new();
        let mut now = Duration::ZERO;
        loop {
            for address in graph.order() {
                let is_met = |edge: &&Edge| {
                    let over = started
                        .get(&edge.to)
                        .map(|start| *start + takes(&edge.to).until(edge.until));
                    over.is_some_and(|over| over <= now)
                };
                if !started.contains_key(address) && graph.dependencies(address).iter().all(is_met) {
                    started.insert(address, now);
                }
            }
            let is_over = |address| {
                started
                    .get(address)
                    .is_some_and(|start| *start + takes(address).ready <= now)
            };
            if graph.order().iter().all(is_over) {
                return now;
            }
            now += seconds(1);
        }
    }

    #[test]
    fn what_waits_for_the_write_alone_does_not_wait_for_the_rest() {
        let graph = Graph::of_edges([0, 1, 2].map(address), [(1, 0, true), (2, 1, false)].map(edge)).expect("acyclic");
        let takes = |_: &Address| Takes {
            applied: seconds(1),
            ready: seconds(60),
        };
        let path = critical_path(&graph, takes);
        assert_eq!(
            path,
            [
                (address(0), seconds(1)),
                (address(1), seconds(60)),
                (address(2), seconds(60))
            ]
        );
        assert_eq!(remaining(&graph, takes)[&address(0)], seconds(121));
    }

    proptest! {
        #[test]
        fn the_critical_paths_sum_is_the_makespan_if_nothing_waits_for_a_slot(
            edges in prop::collection::vec((0_usize..15, 0_usize..15, any::<bool>()), 0..40),
            times in prop::collection::vec((0_u64..5, 0_u64..60), 15),
        ) {
            let edges = edges.into_iter().filter(|(from, to, _)| from > to).map(edge);
            let graph = Graph::of_edges((0..15).map(address), edges).expect("edges go down");
            let takes = |address: &Address| {
                let place = graph.order().iter().position(|known| known == address).expect("in the order");
                let (applied, more) = times[place];
                Takes { applied: seconds(applied), ready: seconds(applied + more) }
            };
            let path = critical_path(&graph, takes);
            let sum: Duration = path.iter().map(|(_, share)| *share).sum();
            prop_assert_eq!(sum, makespan(&graph, takes));
            prop_assert_eq!(remaining(&graph, takes).into_values().max(), Some(sum));
            for pair in path.windows(2) {
                prop_assert!(graph.dependencies(&pair[1].0).iter().any(|edge| edge.to == pair[0].0));
            }
        }
    }
}
