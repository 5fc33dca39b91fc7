//! Which faults are in force now.
//!
//! In: faults, each with when it begins and ends, the world and the time. Out: the faults in force.
//!
//! Invariants:
//! - A fault begins once and ends once; what has ended does not begin again.
//! - Time is simulated time: at speed 0 every duration is over at once.

use std::time::{Duration, Instant};

use super::Fault;
use super::scenario::{Moment, ObjectEvent, Scheduled};
use crate::clock::Clock;
use crate::operators::{Kind, Read as _, World, kind_named};

/// Faults that come and go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    entries: Vec<Entry>,
    /// From when durations count that no event begins.
    begun: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Entry {
    scheduled: Scheduled,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// It has not begun; when what it begins with was seen.
    Before(Option<Instant>),
    /// It is in force since then; when what it ends with was seen.
    During(Instant, Option<Instant>),
    /// It has ended.
    After,
}

impl Schedule {
    /// Returns a schedule at whose start the faults are in force that begin with it.
    pub(crate) fn new(faults: Vec<Scheduled>, now: Instant) -> Self {
        let entries = faults.into_iter().map(|scheduled| {
            let stage = if scheduled.begins == Moment::default() {
                Stage::During(now, None)
            } else {
                Stage::Before(None)
            };
            Entry { scheduled, stage }
        });
        Self {
            entries: entries.collect(),
            begun: None,
        }
    }

    /// Returns the faults in force.
    pub(crate) fn in_force(&self) -> impl Iterator<Item = &Fault> {
        let during = |entry: &&Entry| matches!(entry.stage, Stage::During(..));
        self.entries.iter().filter(during).map(|entry| &entry.scheduled.fault)
    }

    /// Moves on to now. Returns whether other faults are in force, and when to look again if nothing happens.
    pub(crate) fn advance(&mut self, world: &World, clock: Clock, now: Instant) -> (bool, Option<Instant>) {
        let begun = *self.begun.get_or_insert(now);
        let mut changed = false;
        let mut next: Option<Instant> = None;
        for entry in &mut self.entries {
            if let Stage::Before(seen) = entry.stage {
                match reached(&entry.scheduled.begins, begun, seen, world, clock, now) {
                    Reached::Yes => {
                        entry.stage = Stage::During(now, None);
                        changed = true;
                    }
                    Reached::At(at, seen) => {
                        entry.stage = Stage::Before(seen);
                        next = next.into_iter().chain(at).min();
                    }
                }
            }
            if let (Stage::During(since, seen), Some(ends)) = (entry.stage, &entry.scheduled.ends) {
                match reached(ends, since, seen, world, clock, now) {
                    Reached::Yes => {
                        entry.stage = Stage::After;
                        changed = true;
                    }
                    Reached::At(at, seen) => {
                        entry.stage = Stage::During(since, seen);
                        next = next.into_iter().chain(at).min();
                    }
                }
            }
        }
        (changed, next)
    }
}

enum Reached {
    Yes,
    /// Not before then, if that is known; and when the event was seen, if it was.
    At(Option<Instant>, Option<Instant>),
}

fn reached(
    moment: &Moment,
    from: Instant,
    seen: Option<Instant>,
    world: &World,
    clock: Clock,
    now: Instant,
) -> Reached {
    let from = match &moment.event {
        None => Some(from),
        Some(event) => seen.or_else(|| has_happened(event, world).then_some(now)),
    };
    let Some(from) = from else {
        return Reached::At(None, None);
    };
    let due = from + clock.scale(moment.after.unwrap_or(Duration::ZERO));
    if due <= now {
        Reached::Yes
    } else {
        Reached::At(Some(due), moment.event.as_ref().map(|_| from))
    }
}

fn has_happened(event: &ObjectEvent, world: &World) -> bool {
    let object = kind_named(&event.kind).and_then(|kind: Kind| world.get(kind, &event.namespace, &event.name));
    object.is_some_and(|object| match &event.is {
        None => true,
        Some(condition) => object.is(condition) || object.text("/status/phase") == condition,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operators::kind_named;

    fn scheduled(fault: &str, begins: Moment, ends: Option<Moment>) -> Scheduled {
        Scheduled {
            fault: fault.parse().expect("a fault"),
            begins,
            ends,
        }
    }

    fn after(seconds: u64) -> Moment {
        Moment {
            event: None,
            after: Some(Duration::from_secs(seconds)),
        }
    }

    fn names(schedule: &Schedule) -> Vec<String> {
        schedule.in_force().map(ToString::to_string).collect()
    }

    #[test]
    fn a_fault_begins_after_its_time_and_ends_after_it_lasted() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let faults = vec![
            scheduled("errors@5", Moment::default(), None),
            scheduled("stopped@olm", after(60), Some(after(30))),
        ];
        let (mut schedule, world, clock) = (Schedule::new(faults, start), World::default(), Clock::new(1.0));
        assert_eq!(names(&schedule), ["errors@5"]);
        assert_eq!(schedule.advance(&world, clock, at(0)), (false, Some(at(60))));
        assert_eq!(schedule.advance(&world, clock, at(60)), (true, Some(at(90))));
        assert_eq!(names(&schedule), ["errors@5", "stopped@olm"]);
        assert_eq!(schedule.advance(&world, clock, at(90)), (true, None));
        assert_eq!(schedule.advance(&world, clock, at(300)), (false, None));
        assert_eq!(names(&schedule), ["errors@5"]);
    }

    #[test]
    fn an_object_that_appears_and_gets_ready_begins_and_ends_a_fault() {
        let event = |is: Option<&str>| Moment {
            event: Some(ObjectEvent {
                kind: "Node".to_owned(),
                namespace: String::new(),
                name: "n".to_owned(),
                is: is.map(str::to_owned),
            }),
            after: None,
        };
        let start = Instant::now();
        let faults = vec![scheduled("stopped@olm", event(None), Some(event(Some("Ready"))))];
        let (mut schedule, mut world, clock) = (Schedule::new(faults, start), World::default(), Clock::new(1.0));
        assert_eq!(schedule.advance(&world, clock, start), (false, None));
        let node = kind_named("Node").expect("a kind");
        world.put(node, json!({"metadata": {"name": "n", "resourceVersion": "1"}}));
        assert_eq!(schedule.advance(&world, clock, start), (true, None));
        assert_eq!(names(&schedule), ["stopped@olm"]);
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
        world.put(
            node,
            json!({"metadata": {"name": "n", "resourceVersion": "2"}, "status": ready}),
        );
        assert_eq!(schedule.advance(&world, clock, start), (true, None));
        assert!(names(&schedule).is_empty());
    }
}
