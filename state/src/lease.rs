//! Who is at work on a stack in a cluster, since when: a Lease beside the copy of the state.
//!
//! In: the Lease as the cluster has it, and times as texts. Out: bodies and patches. Pure; the shell sends them.
//!
//! The lock of a state fences that state. Two runs from two copies of it, on two machines, have a lock each; this Lease is
//! what they have in common.
//!
//! Invariants:
//! - It is taken, renewed and given back by writes that carry the uid and the resourceVersion of what was seen: of two that
//!   want it one gets it.
//! - Who has died holds nothing [`DURATION`] after it was heard of last, nor against whoever holds the lock of the same
//!   state on the same machine: that lock says that it has died. The same state is the same file of the lock, by its number:
//!   two containers may have one host name, one user and one path, and a lock each.
//! - Times are RFC 3339 in UTC with microseconds, as `MicroTime` is written, so that they sort as texts. Those of two
//!   machines are compared, so their clocks have to agree within half of [`DURATION`].

use crate::copy::{NAMESPACE, manager};
use serde_json::{Value, json};
use stackctl_engine::{
    ObjectRef, ObjectType,
    digest::Digest,
    execute::{Patch, PatchRequest},
    marks::{MANAGED_BY_US, STACK_LABEL},
    rights::{Right, Verb},
};
use std::time::Duration;

/// So long after it was renewed last a lease holds.
pub const DURATION: Duration = Duration::from_secs(60);
/// So often it is renewed.
pub const RENEWAL: Duration = Duration::from_secs(15);

/// The Lease of a stack.
pub fn lease(stack: &str) -> ObjectRef {
    ObjectRef::namespaced("coordination.k8s.io/v1", "Lease", NAMESPACE, &format!("stack.{stack}"))
}

/// The rights that holding one takes, or taking it away with the copy.
pub fn rights(removes: bool) -> impl Iterator<Item = Right> {
    let of = ObjectType::new("coordination.k8s.io/v1", "Lease");
    let verbs = [Verb::Get, Verb::Create, Verb::Patch].into_iter();
    let verbs = verbs.chain(removes.then_some(Verb::Delete));
    verbs.map(move |verb| Right {
        of: of.clone(),
        namespace: Some(NAMESPACE.to_owned()),
        verb,
    })
}

/// Whoever holds a lease: a person on a machine, and which state it works on there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder(String);

impl Holder {
    /// Of `user@host`, and of what tells this state on this machine from any other: from one at the same path in another
    /// container, and from a copy of it.
    pub fn new(who: &str, place: &str) -> Self {
        Self(format!("{who}/{}", Digest::of_bytes(place.as_bytes()).short()))
    }
}

/// How a lease stands to somebody who wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody holds it, or who did has died.
    Free,
    /// Another run holds it.
    Held {
        /// `user@host`.
        who: String,
        /// Since when, as it is written.
        since: String,
        /// When it was heard of last, as it is written.
        heard: String,
    },
}

impl Standing {
    /// How a Lease stands to a holder; what was renewed before `oldest` holds nothing.
    pub fn of(live: &Value, holder: &Holder, oldest: &str) -> Self {
        let text = |name: &str| live["spec"][name].as_str().unwrap_or_default();
        let (held_by, heard) = (text("holderIdentity"), text("renewTime"));
        if held_by.is_empty() || held_by == holder.0 || heard < oldest {
            return Self::Free;
        }
        Self::Held {
            who: held_by.rsplit_once('/').map_or(held_by, |(who, _)| who).to_owned(),
            since: text("acquireTime").to_owned(),
            heard: heard.to_owned(),
        }
    }
}

/// A Lease that is held from now on, for a place where there is none.
pub fn body(stack: &str, holder: &Holder, now: &str) -> Value {
    let object = lease(stack);
    json!({
        "apiVersion": object.object_type.api_version, "kind": object.object_type.kind,
        "metadata": {"name": object.name, "namespace": NAMESPACE,
            "labels": {MANAGED_BY_US.0: MANAGED_BY_US.1, STACK_LABEL: stack}},
        "spec": held(holder, now),
    })
}

fn held(holder: &Holder, now: &str) -> Value {
    json!({"holderIdentity": holder.0, "acquireTime": now, "renewTime": now, "leaseDurationSeconds": DURATION.as_secs()})
}

/// The manager that makes one: each holder has its own, so that the second of two is refused.
pub fn maker(Holder(identity): &Holder) -> String {
    format!("stackctl-lease/{}", Digest::of_bytes(identity.as_bytes()).short())
}

/// The patch that takes a Lease that is free.
pub fn taking(stack: &str, live: &Value, holder: &Holder, now: &str) -> PatchRequest {
    patch(stack, live, &held(holder, now))
}

/// The patch that says that its holder lives.
pub fn renewing(stack: &str, live: &Value, now: &str) -> PatchRequest {
    patch(stack, live, &json!({"renewTime": now}))
}

/// The patch that gives it back.
pub fn releasing(stack: &str, live: &Value) -> PatchRequest {
    patch(stack, live, &json!({"holderIdentity": null}))
}

fn patch(stack: &str, live: &Value, spec: &Value) -> PatchRequest {
    let metadata = json!({
        "uid": live["metadata"]["uid"],
        "resourceVersion": live["metadata"]["resourceVersion"],
    });
    PatchRequest {
        object: lease(stack),
        patch: Patch::Merge(json!({"metadata": metadata, "spec": spec})),
        manager: manager(stack),
        dry_run: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_holds_against_others_for_as_long_as_its_holder_is_heard_of() {
        let (here, there) = (
            Holder::new("ann@build-1", "/a boot"),
            Holder::new("ben@build-2", "/a boot"),
        );
        let live = body("demo", &here, "2026-11-28T21:00:00.000000Z");
        let held = Standing::Held {
            who: "ann@build-1".to_owned(),
            since: "2026-11-28T21:00:00.000000Z".to_owned(),
            heard: "2026-11-28T21:00:00.000000Z".to_owned(),
        };
        let standing = |holder, oldest| Standing::of(&live, holder, oldest);
        assert_eq!(standing(&there, "2026-11-28T20:59:59.000000Z"), held);
        assert_eq!(
            standing(&there, "2026-11-28T21:00:01.000000Z"),
            Standing::Free,
            "it died"
        );
        assert_eq!(
            standing(&here, "2026-11-28T20:59:59.000000Z"),
            Standing::Free,
            "its own"
        );
        let elsewhere = Holder::new("ann@build-1", "/b boot");
        assert_eq!(
            standing(&elsewhere, "2026-11-28T20:59:59.000000Z"),
            held,
            "another state of the same person"
        );
        let given_back = json!({"spec": {"renewTime": "2026-11-28T21:00:00.000000Z"}});
        let standing = Standing::of(&given_back, &there, "2026-11-28T20:59:59.000000Z");
        assert_eq!(standing, Standing::Free);
    }

    #[test]
    fn every_write_carries_what_was_seen() {
        let live = json!({"metadata": {"uid": "u", "resourceVersion": "7"}});
        let holder = Holder::new("ann@build-1", "/a boot");
        for request in [
            taking("demo", &live, &holder, "t"),
            renewing("demo", &live, "t"),
            releasing("demo", &live),
        ] {
            let Patch::Merge(patch) = &request.patch else {
                panic!("a merge patch");
            };
            assert_eq!(patch["metadata"], live["metadata"]);
        }
    }
}
