//! Waves and the critical path: shown to people, never a barrier.

use super::Graph;
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

/// The chain that takes longest, first to last, and how long, by the given durations.
pub fn critical_path(graph: &Graph, duration: impl Fn(&Address) -> Duration) -> (Vec<Address>, Duration) {
    let mut longest: BTreeMap<&Address, (Duration, Option<&Address>)> = BTreeMap::new();
    for address in graph.order() {
        let (before, by) = graph
            .dependencies(address)
            .into_iter()
            .filter_map(|edge| longest.get(&edge.to).map(|(time, _)| (*time, Some(&edge.to))))
            .max_by_key(|(time, _)| *time)
            .unwrap_or((Duration::ZERO, None));
        longest.insert(address, (before + duration(address), by));
    }
    let Some((mut at, (total, _))) = longest.iter().max_by_key(|(_, (time, _))| *time) else {
        return (Vec::new(), Duration::ZERO);
    };
    let total = *total;
    let mut path = vec![(*at).clone()];
    while let Some((_, Some(before))) = longest.get(at) {
        path.push((*before).clone());
        at = before;
    }
    path.reverse();
    (path, total)
}

/// For each address the longest time from its start to the end of everything that waits for it.
pub(crate) fn remaining(graph: &Graph, duration: impl Fn(&Address) -> Duration) -> BTreeMap<Address, Duration> {
    let mut remaining: BTreeMap<Address, Duration> = BTreeMap::new();
    for address in graph.order().iter().rev() {
        let after = graph
            .dependents(address)
            .iter()
            .filter_map(|edge| remaining.get(&edge.from))
            .max()
            .copied();
        remaining.insert(address.clone(), after.unwrap_or_default() + duration(address));
    }
    remaining
}
