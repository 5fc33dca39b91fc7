//! Which steps may start and which are blocked; does nothing itself.
//!
//! Invariants: a step starts only when each of its edges allows it; a failure blocks its descendants and nothing else;
//! the cost is per started step, never a scan of the graph.

use crate::{address::Address, graph::Until};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Where one step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progress {
    Pending { unmet: usize },
    Running { applied: bool },
    Ready,
    Failed,
    Blocked,
}

/// The steps of one execution and where each stands.
#[derive(Debug)]
pub(super) struct Run {
    steps: BTreeMap<Address, Progress>,
    dependents: BTreeMap<Address, Vec<(Address, Until)>>,
    /// Pending steps with nothing unmet, longest remaining path first.
    startable: BTreeSet<(Reverse<Duration>, Address)>,
    remaining: BTreeMap<Address, Duration>,
}

impl Run {
    /// Makes a run of steps and edges `(from, to, until)`: `from` waits for `to`. `remaining` is the longest path that
    /// each step has before it, itself included.
    pub(super) fn new(
        steps: impl IntoIterator<Item = Address>,
        edges: impl IntoIterator<Item = (Address, Address, Until)>,
        remaining: BTreeMap<Address, Duration>,
    ) -> Self {
        let mut run = Self {
            steps: steps
                .into_iter()
                .map(|address| (address, Progress::Pending { unmet: 0 }))
                .collect(),
            dependents: BTreeMap::new(),
            startable: BTreeSet::new(),
            remaining,
        };
        for (from, to, until) in edges {
            if !run.steps.contains_key(&to) {
                continue;
            }
            if let Some(Progress::Pending { unmet }) = run.steps.get_mut(&from) {
                *unmet += 1;
                run.dependents.entry(to).or_default().push((from, until));
            }
        }
        let free: Vec<_> = run
            .steps
            .iter()
            .filter(|(_, progress)| **progress == Progress::Pending { unmet: 0 })
            .map(|(address, _)| address.clone())
            .collect();
        free.into_iter().for_each(|address| run.enqueue(address));
        run
    }

    fn enqueue(&mut self, address: Address) {
        self.startable.insert((Reverse(self.remaining(&address)), address));
    }

    /// The next step that may start, longest remaining path first; it counts as running from here.
    pub(super) fn start(&mut self) -> Option<Address> {
        let (_, address) = self.startable.pop_first()?;
        self.steps.insert(address.clone(), Progress::Running { applied: false });
        Some(address)
    }

    /// The longest path that a step has before it, itself included.
    pub(super) fn remaining(&self, address: &Address) -> Duration {
        self.remaining.get(address).copied().unwrap_or_default()
    }

    /// Whether a step may start now.
    pub(super) fn can_start(&self) -> bool {
        !self.startable.is_empty()
    }

    /// A step's write was accepted: edges that wait for that are met.
    pub(super) fn applied(&mut self, address: &Address) {
        if let Some(Progress::Running { applied }) = self.steps.get_mut(address)
            && !*applied
        {
            *applied = true;
            self.meet(address, Until::Applied);
        }
    }

    /// A step is done: every edge to it is met.
    pub(super) fn ready(&mut self, address: &Address) {
        self.applied(address);
        self.steps.insert(address.clone(), Progress::Ready);
        self.meet(address, Until::Ready);
    }

    /// A step failed; its descendants will not start. Those that are blocked by this, in order.
    pub(super) fn failed(&mut self, address: &Address) -> Vec<Address> {
        self.steps.insert(address.clone(), Progress::Failed);
        let mut blocked = BTreeSet::new();
        let mut queue = vec![address.clone()];
        while let Some(next) = queue.pop() {
            for (dependent, _) in self.dependents.get(&next).into_iter().flatten() {
                if matches!(self.steps.get(dependent), Some(Progress::Pending { .. })) {
                    self.steps.insert(dependent.clone(), Progress::Blocked);
                    blocked.insert(dependent.clone());
                    queue.push(dependent.clone());
                }
            }
        }
        blocked.into_iter().collect()
    }

    fn meet(&mut self, address: &Address, reached: Until) {
        let dependents = self.dependents.get(address).cloned().unwrap_or_default();
        for (dependent, _) in dependents.iter().filter(|(_, until)| *until == reached) {
            if let Some(Progress::Pending { unmet }) = self.steps.get_mut(dependent) {
                *unmet -= 1;
                if *unmet == 0 {
                    self.enqueue(dependent.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    fn run() -> Run {
        let edges = [
            ("b.x", "a.x", Until::Applied),
            ("c.x", "a.x", Until::Ready),
            ("d.x", "c.x", Until::Ready),
        ];
        let remaining = [("a.x", 3), ("b.x", 1), ("c.x", 2), ("d.x", 1), ("e.x", 9)];
        Run::new(
            ["a.x", "b.x", "c.x", "d.x", "e.x"].map(address),
            edges.map(|(from, to, until)| (address(from), address(to), until)),
            remaining
                .into_iter()
                .map(|(name, s)| (address(name), Duration::from_secs(s)))
                .collect(),
        )
    }

    #[test]
    fn the_longest_path_starts_first_and_edges_open_at_their_own_time() {
        let mut run = run();
        assert_eq!(
            [run.start(), run.start(), run.start()],
            [Some(address("e.x")), Some(address("a.x")), None]
        );
        run.applied(&address("a.x"));
        assert_eq!([run.start(), run.start()], [Some(address("b.x")), None]);
        run.ready(&address("a.x"));
        assert_eq!([run.start(), run.start()], [Some(address("c.x")), None]);
    }

    #[test]
    fn a_failure_blocks_its_descendants_and_nothing_else() {
        let mut run = run();
        run.start();
        run.start();
        assert_eq!(run.failed(&address("a.x")), ["b.x", "c.x", "d.x"].map(address));
        assert_eq!(run.start(), None);
    }
}
