//! What ran when, and what it waited for: a fold of the events of an execution with their times.
//!
//! Invariants:
//! - Times are since the execution began, and only grow along one span.
//! - What freed a resource is the edge that was met last of those that its step waits for; nothing where all were met
//!   before the execution began, or where there are none.

use crate::{
    address::Address,
    execute::{Did, Event},
    graph::{Edge, Until},
    plan::{Action, Plan},
};
use std::{collections::BTreeMap, time::Duration};

/// What ran when.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    spans: BTreeMap<Address, Span>,
    edges: BTreeMap<Address, Vec<Edge>>,
    /// The addresses in the order in which they started or were given up.
    order: Vec<Address>,
}

/// One resource in an execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What was done.
    pub action: Action,
    /// When it could start; nothing where it never could.
    pub started: Option<Duration>,
    /// What it had to wait for last before that.
    pub freed_by: Option<FreedBy>,
    /// When each request that writes came through, and what it did.
    pub written: Vec<(Duration, Did)>,
    /// Since when it waited to be ready, and on what; a new entry where the words changed.
    pub waited: Vec<(Duration, String)>,
    /// When it ended, and how.
    pub ended: Option<(Duration, Ended)>,
}

/// The edge that was met last.
#[derive(Clone, Debug, PartialEq)]
pub struct FreedBy {
    /// The edge, with its reason.
    pub edge: Edge,
    /// When it was met.
    pub at: Duration,
}

/// How a resource ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is ready, or gone.
    Ready,
    /// It failed.
    Failed,
    /// It never started, because this failed.
    Blocked(Address),
}

impl Ended {
    /// The word that machines read.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Blocked(_) => "blocked",
        }
    }
}

impl Span {
    fn of(action: Action) -> Self {
        Self {
            action,
            started: None,
            freed_by: None,
            written: Vec::new(),
            waited: Vec::new(),
            ended: None,
        }
    }

    /// How long it took from its start.
    pub fn took(&self) -> Option<Duration> {
        let (end, _) = self.ended.as_ref()?;
        end.checked_sub(self.started?)
    }
}

impl Timeline {
    /// A timeline of a plan of which nothing was carried out yet.
    pub fn of(plan: &Plan) -> Self {
        let spans = plan
            .steps
            .iter()
            .map(|step| (step.address.clone(), Span::of(step.action)));
        let edges = plan
            .steps
            .iter()
            .map(|step| (step.address.clone(), step.waits_for.clone()));
        Self {
            spans: spans.collect(),
            edges: edges.collect(),
            order: Vec::new(),
        }
    }

    /// Every resource that started or was given up, in that order.
    pub fn spans(&self) -> impl Iterator<Item = (&Address, &Span)> {
        self.order
            .iter()
            .filter_map(|address| Some((address, self.spans.get(address)?)))
    }

    /// Takes one event in, and when it was told since the execution began.
    pub fn fold(&mut self, event: &Event, at: Duration) {
        match event {
            Event::Started { address } => {
                let freed_by = self.freed(address);
                self.with(address, |span| {
                    span.started = Some(at);
                    span.freed_by = freed_by;
                });
                self.order.push(address.clone());
            }
            Event::Written { address, did, .. } => self.with(address, |span| span.written.push((at, *did))),
            Event::Waiting { address, why } => self.with(address, |span| span.waited.push((at, why.clone()))),
            Event::Ready { address, .. } => self.with(address, |span| span.ended = Some((at, Ended::Ready))),
            Event::Failed { address, .. } => self.with(address, |span| span.ended = Some((at, Ended::Failed))),
            Event::Blocked { address, by } => {
                self.with(address, |span| span.ended = Some((at, Ended::Blocked(by.clone()))));
                self.order.push(address.clone());
            }
            Event::Remedied { .. }
            | Event::Noted { .. }
            | Event::Unheard { .. }
            | Event::Heard { .. }
            | Event::Interrupted => {}
        }
    }

    fn with(&mut self, address: &Address, change: impl FnOnce(&mut Span)) {
        if let Some(span) = self.spans.get_mut(address) {
            change(span);
        }
    }

    /// The edge of an address that was met last so far.
    fn freed(&self, address: &Address) -> Option<FreedBy> {
        let edges = self.edges.get(address)?.iter();
        let met = edges.filter_map(|edge| {
            let at = self.met(edge)?;
            Some(FreedBy { edge: edge.clone(), at })
        });
        met.max_by_key(|freed| freed.at)
    }

    fn met(&self, edge: &Edge) -> Option<Duration> {
        let span = self.spans.get(&edge.to)?;
        let ready = span.ended.as_ref().map(|(at, _)| *at);
        match edge.until {
            Until::Applied => span.written.first().map(|(at, _)| *at).or(ready),
            Until::Ready => ready,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{EdgeClass, EdgeSource},
        plan::{NodeKind, Purpose, Reason, Step},
    };

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    fn step(at: &str, waits_for: &[(&str, Until)]) -> Step {
        let edge = |(to, until): &(&str, Until)| Edge {
            from: address(at),
            to: address(to),
            until: *until,
            reason: format!("it needs {to}"),
            class: EdgeClass::Needs,
            source: EdgeSource::Declared,
        };
        Step {
            address: address(at),
            node: NodeKind::Object,
            action: Action::Create,
            reasons: vec![Reason::Missing],
            object: None,
            changes: Vec::new(),
            note: String::new(),
            waits_for: waits_for.iter().map(edge).collect(),
            readiness: None,
            consequences: Vec::new(),
        }
    }

    #[test]
    fn a_span_names_the_edge_that_was_met_last_and_when() {
        let steps = vec![
            step("a.x", &[]),
            step("b.x", &[]),
            step("c.x", &[("a.x", Until::Applied), ("b.x", Until::Ready)]),
            step("d.x", &[("c.x", Until::Ready)]),
        ];
        let plan = Plan {
            purpose: Purpose::Apply,
            steps,
            remains: Vec::new(),
            partial: None,
        };
        let mut timeline = Timeline::of(&plan);
        let started = |at: &str| Event::Started { address: address(at) };
        let written = |at: &str| Event::Written {
            address: address(at),
            did: Did::Created,
            object: None,
        };
        let ready = |at: &str| Event::Ready {
            address: address(at),
            why: String::new(),
            took: Duration::ZERO,
        };
        let failed = Event::Failed {
            address: address("c.x"),
            failure: crate::execute::Failure::new("it broke"),
            took: Duration::ZERO,
        };
        let blocked = Event::Blocked {
            address: address("d.x"),
            by: address("c.x"),
        };
        let events = [
            started("a.x"),
            started("b.x"),
            written("b.x"),
            ready("b.x"),
            written("a.x"),
            started("c.x"),
            ready("a.x"),
            failed,
            blocked,
        ];
        for (second, event) in (0..).zip(&events) {
            timeline.fold(event, Duration::from_secs(second));
        }
        let order: Vec<_> = timeline.spans().map(|(address, _)| address.to_string()).collect();
        assert_eq!(order, ["a.x", "b.x", "c.x", "d.x"]);
        let span = |at: &str| &timeline.spans[&address(at)];
        let freed = span("c.x").freed_by.as_ref().expect("it waited");
        assert_eq!((freed.edge.to.to_string().as_str(), freed.at.as_secs()), ("a.x", 4));
        assert_eq!(span("a.x").freed_by, None);
        assert_eq!(span("b.x").took(), Some(Duration::from_secs(2)));
        assert_eq!(
            span("d.x").ended,
            Some((Duration::from_secs(8), Ended::Blocked(address("c.x"))))
        );
        assert_eq!(span("d.x").started, None);
    }
}
