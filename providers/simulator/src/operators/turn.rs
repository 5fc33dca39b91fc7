//! One turn of one operator: what it sees, and what it wants written.
//!
//! An operator is a function of the [`World`] and of time: it asks for objects, and says what should be. What is so
//! already is not written again, so a turn over a world at rest writes nothing.
//!
//! Invariants:
//! - An operator does nothing but add to its list of writes: the loop carries them out, under the operator's identity.
//! - [`Turn::held`] is true only after its question was asked, without a turn that did not ask it, for that long. A wait
//!   begins anew with the process: whoever asks looks first whether the cluster tells that it was over once.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::kinds::{self, Kind};
use super::object::{Read, bare, contains};
use super::world::World;
use crate::clock::Clock;
use crate::faults::{FaultName, Faults};
use crate::schemas;

/// Something an operator wants the API server to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Write {
    /// Creates an object if there is none of that name.
    Create { kind: Kind, object: Value },
    /// Server-side apply, forced, as the operator's field manager.
    Apply { kind: Kind, object: Value },
    /// A merge patch of the object.
    Patch {
        kind: Kind,
        namespace: String,
        name: String,
        patch: Value,
    },
    /// A merge patch of the object's status.
    PatchStatus {
        kind: Kind,
        namespace: String,
        name: String,
        patch: Value,
    },
    /// Deletes the object of this uid.
    Delete {
        kind: Kind,
        namespace: String,
        name: String,
        uid: String,
    },
}

impl Write {
    /// Returns kind, namespace and name of the object.
    pub(crate) fn target(&self) -> (Kind, &str, &str) {
        match self {
            Self::Create { kind, object } | Self::Apply { kind, object } => (*kind, object.namespace(), object.name()),
            Self::Patch {
                kind, namespace, name, ..
            }
            | Self::PatchStatus {
                kind, namespace, name, ..
            }
            | Self::Delete {
                kind, namespace, name, ..
            } => (*kind, namespace, name),
        }
    }
}

/// The waits of one operator that have begun, by what they wait for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    since: BTreeMap<String, Instant>,
    asked: BTreeMap<String, Instant>,
    /// When the waits of the last turn end.
    ends: BTreeMap<String, Instant>,
    restart: Restart,
    /// The first object that something was done to, by what it was.
    first: BTreeMap<String, String>,
}

/// How far the one restart is that an operator was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Restart {
    #[default]
    NotYet,
    /// The lease of the process before is not over yet.
    Away(Instant),
    Done,
}

impl Timers {
    /// Drops the waits that nobody asked for in this turn and returns when the next one ends.
    pub(crate) fn finish_turn(&mut self, now: Instant) -> Option<Instant> {
        self.ends = std::mem::take(&mut self.asked);
        self.since.retain(|wait, _| self.ends.contains_key(wait));
        self.ends.values().copied().filter(|end| *end > now).min()
    }

    /// Restarts the operator, once, when one of its waits would be over: that wait and all others are forgotten.
    /// Returns until when nobody leads.
    pub(crate) fn restarts(&mut self, now: Instant, lease: Duration) -> Option<Instant> {
        if self.restart == Restart::NotYet && self.ends.values().any(|end| *end <= now) {
            self.clear();
            self.restart = Restart::Away(now + lease);
        }
        match self.restart {
            Restart::Away(until) if until > now => Some(until),
            Restart::Away(_) => {
                self.restart = Restart::Done;
                None
            }
            Restart::NotYet | Restart::Done => None,
        }
    }

    /// Drops every wait.
    pub(crate) fn clear(&mut self) {
        self.since.clear();
        self.asked.clear();
        self.ends.clear();
    }
}

/// What an operator sees and says.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) world: &'a World,
    pub(crate) now: Instant,
    /// The wall time, as Kubernetes writes it.
    pub(crate) stamp: &'a str,
    pub(crate) clock: Clock,
    /// How much longer than the reference everything takes: 1, or 10 for a slow operator.
    pub(crate) slowness: u32,
    /// How the cluster is to misbehave.
    pub(crate) faults: Faults<'a>,
    pub(crate) timers: &'a mut Timers,
    pub(crate) writes: Vec<Write>,
}

impl Turn<'_> {
    /// Returns whether this wait, in seconds of the reference, is over; asking begins it.
    pub(crate) fn held(&mut self, wait: impl Into<String>, seconds: u64) -> bool {
        let wait = wait.into();
        let begun = *self.timers.since.entry(wait.clone()).or_insert(self.now);
        let end = begun + self.clock.scale(Duration::from_secs(seconds) * self.slowness);
        self.timers.asked.insert(wait, end);
        end <= self.now
    }

    /// Returns whether an object is the first that this is asked for, as long as the process lives.
    pub(crate) fn is_first(&mut self, what: &str, uid: &str) -> bool {
        let first = self.timers.first.entry(what.to_owned());
        first.or_insert_with(|| uid.to_owned()) == uid
    }

    /// Makes sure that an object has these fields, creating it if need be. Nothing is written if it has them.
    pub(crate) fn ensure(&mut self, kind: Kind, object: Value) {
        if !self.world.serves(kind) {
            return;
        }
        match self.world.get(kind, object.namespace(), object.name()) {
            Some(live) if live.is_deleting() || contains(live, &object) => {}
            Some(_) | None => self.writes.push(Write::Apply { kind, object }),
        }
    }

    /// Creates an object unless one of that name is there, whatever it holds.
    pub(crate) fn create(&mut self, kind: Kind, object: Value) {
        if self.world.serves(kind) && self.world.get(kind, object.namespace(), object.name()).is_none() {
            self.writes.push(Write::Create { kind, object });
        }
    }

    /// Makes sure that a namespace is there.
    pub(crate) fn namespace(&mut self, name: &str) {
        self.create(kinds::NAMESPACE, bare(kinds::NAMESPACE, "", name));
    }

    /// Sets fields of an object by merge patch, unless it has them.
    pub(crate) fn patch(&mut self, kind: Kind, object: &Value, patch: Value) {
        if !contains(object, &patch) {
            let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
            self.writes.push(Write::Patch {
                kind,
                namespace,
                name,
                patch,
            });
        }
    }

    /// Sets the status of an object, unless it has these fields. Conditions given here join those that are there.
    pub(crate) fn status(&mut self, kind: Kind, object: &Value, mut status: Value) {
        if let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) {
            *conditions = self.conditions(object.list("/status/conditions"), conditions, "type");
        }
        let patch = json!({"status": status});
        if !contains(object, &patch) {
            let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
            self.writes.push(Write::PatchStatus {
                kind,
                namespace,
                name,
                patch,
            });
        }
    }

    /// Joins conditions; the time of transition moves only where the status does.
    pub(crate) fn conditions(&self, live: &[Value], wanted: &[Value], key: &str) -> Vec<Value> {
        let mut joined = live.to_vec();
        for want in wanted {
            let mut want = want.clone();
            match joined.iter_mut().find(|have| have.get(key) == want.get(key)) {
                Some(have) => {
                    want["lastTransitionTime"] = if have.get("status") == want.get("status") {
                        have["lastTransitionTime"].clone()
                    } else {
                        json!(self.stamp)
                    };
                    *have = want;
                }
                None => {
                    want["lastTransitionTime"] = json!(self.stamp);
                    joined.push(want);
                }
            }
        }
        joined
    }

    /// Puts a finalizer on an object that has it not.
    pub(crate) fn finalize(&mut self, kind: Kind, object: &Value, finalizer: &str) {
        if !object.is_deleting() && !object.has_finalizer(finalizer) {
            let mut finalizers = object.list("/metadata/finalizers").to_vec();
            finalizers.push(json!(finalizer));
            self.finalizers(kind, object, &finalizers);
        }
    }

    /// Takes a finalizer off an object.
    pub(crate) fn release(&mut self, kind: Kind, object: &Value, finalizer: &str) {
        if object.has_finalizer(finalizer) && !self.faults.at(FaultName::FinalizerStuck, kind.kind) {
            let finalizers = object
                .list("/metadata/finalizers")
                .iter()
                .filter(|entry| *entry != finalizer);
            let finalizers: Vec<Value> = finalizers.cloned().collect();
            self.finalizers(kind, object, &finalizers);
        }
    }

    fn finalizers(&mut self, kind: Kind, object: &Value, finalizers: &[Value]) {
        let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
        // The resourceVersion makes the patch fail if somebody else moved the list meanwhile.
        let version = object["metadata"]["resourceVersion"].clone();
        let patch = json!({"metadata": {"finalizers": finalizers, "resourceVersion": version}});
        self.writes.push(Write::Patch {
            kind,
            namespace,
            name,
            patch,
        });
    }

    /// Deletes an object, if it is there and not going already.
    pub(crate) fn delete(&mut self, kind: Kind, namespace: &str, name: &str) {
        if let Some(object) = self
            .world
            .get(kind, namespace, name)
            .filter(|object| !object.is_deleting())
        {
            let (namespace, name) = (namespace.to_owned(), name.to_owned());
            self.writes.push(Write::Delete {
                kind,
                namespace,
                name,
                uid: object.uid().to_owned(),
            });
        }
    }

    /// Ends a pod that is being deleted, as a kubelet does whose containers have stopped.
    pub(crate) fn end_pod(&mut self, pod: &Value) {
        if pod.list("/metadata/finalizers").is_empty() {
            self.writes.push(Write::Delete {
                kind: kinds::POD,
                namespace: pod.namespace().to_owned(),
                name: pod.name().to_owned(),
                uid: pod.uid().to_owned(),
            });
        }
    }

    /// Registers CRDs. Returns whether all of them are Established.
    pub(crate) fn register(&mut self, crds: &[Value]) -> bool {
        let mut all = true;
        for crd in crds {
            let established = self.world.is_established(crd.name());
            all &= established;
            if !established {
                self.create(kinds::CRD, crd.clone());
            }
        }
        all
    }

    /// Registers the CRDs that a component brings (see [`schemas::crds_of_component`]); nothing for an unknown one.
    pub(crate) fn register_component(&mut self, component: &str) -> bool {
        /// Expanded once: operators ask on every turn.
        static CRDS: LazyLock<BTreeMap<&'static str, Vec<Value>>> = LazyLock::new(|| {
            let components = [
                "dashboard",
                "kserve",
                "kueue-operand",
                "leader-worker-set-operand",
                "mlflow",
                "modelregistry",
                "models-as-a-service",
            ];
            components
                .into_iter()
                .map(|component| (component, schemas::crds_of_component(component)))
                .collect()
        });
        CRDS.get(component).is_none_or(|crds| self.register(crds))
    }

    /// Returns every object of a kind, shared so that writes can be added while looking at them.
    pub(crate) fn all(&self, kind: Kind) -> Vec<Arc<Value>> {
        self.world.list(kind).cloned().collect()
    }
}

/// Returns one condition.
pub(crate) fn condition(kind: &str, holds: bool, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": if holds { "True" } else { "False" }, "reason": reason, "message": message})
}

/// Returns one condition with the generation it was judged for, as Gateway API and its followers write them.
pub(crate) fn observed(object: &Value, kind: &str, holds: bool, reason: &str, message: &str) -> Value {
    let mut condition = condition(kind, holds, reason, message);
    condition["observedGeneration"] = object["metadata"]["generation"].clone();
    condition
}

/// Returns the map at a JSON pointer, empty if there is none.
pub(crate) fn map<'a>(object: &'a Value, pointer: &str) -> &'a Map<String, Value> {
    static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    object.pointer(pointer).and_then(Value::as_object).unwrap_or(&EMPTY)
}
