//! Limitador: limits, counters of what was used in a window, and what its own HTTP API says of them.
//!
//! Source: reference/serving.md §3.4 (form of a counter, the subtraction without a sign), §4.1, §4.3 (a window begins with
//! its first hit), §4.4, §4.9 (what identifies a counter), §4.12; <https://github.com/Kuadrant/limitador> (`doc/server`).
//!
//! Invariants:
//! - A counter is known by namespace, name and seconds of its limit and by its variables: another maximum leaves it
//!   running, another window begins a new one, and two limits of one length are one.
//! - Counters in memory are those of one pod: they end with it. Redis keeps them.
//! - A check asks for one hit more than was used, and uses nothing itself.
//!
//! Left out: conditions of limits (the name of a limit stands for them), every storage but memory and Redis.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::time::{Moment, Time};
use crate::operators::object::Read;

/// A limit, as Limitador was told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// `<namespace>/<route>`.
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) max_value: u64,
    pub(super) seconds: u64,
    pub(super) variables: Vec<String>,
}

/// Reads what a Limitador object says.
pub(super) fn limits(limitador: &Value) -> Vec<Limit> {
    let number = |limit: &Value, key: &str| limit.number(key).and_then(|value| u64::try_from(value).ok());
    let limits = limitador.list("/spec/limits").iter();
    limits
        .filter_map(|limit| {
            let variables = limit
                .list("/variables")
                .iter()
                .map(|variable| variable.text("").to_owned());
            Some(Limit {
                namespace: limit.text("/namespace").to_owned(),
                name: limit.text("/name").to_owned(),
                max_value: number(limit, "/max_value")?,
                seconds: number(limit, "/seconds")?,
                variables: variables.collect(),
            })
        })
        .collect()
}

impl Limit {
    fn shown(&self) -> Value {
        json!({
            "id": null, "namespace": self.namespace, "max_value": self.max_value, "seconds": self.seconds, "name": self.name,
            "conditions": [], "variables": self.variables,
        })
    }
}

/// The variables of a counter, by expression.
pub(super) type Variables = BTreeMap<String, String>;

/// What a counter is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Identity {
    namespace: String,
    name: String,
    seconds: u64,
    variables: Variables,
}

impl Identity {
    fn of(limit: &Limit, variables: &Variables) -> Self {
        Self {
            namespace: limit.namespace.clone(),
            name: limit.name.clone(),
            seconds: limit.seconds,
            variables: variables.clone(),
        }
    }
}

/// What was used in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    hits: u64,
    ends: Moment,
}

/// How many calls and hits a namespace saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    authorized_calls: u64,
    authorized_hits: u64,
    limited_calls: u64,
}

/// The counters of one storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    /// What holds them: a pod, or a Redis.
    holder: String,
    used: Vec<(Identity, Used)>,
    seen: BTreeMap<String, Seen>,
}

impl Counters {
    /// Begins anew if something else holds the counters now. Returns whether it does.
    pub(super) fn held_by(&mut self, holder: &str) -> bool {
        let is_new = self.holder != holder;
        if is_new {
            *self = Self {
                holder: holder.to_owned(),
                ..Self::default()
            };
        }
        is_new
    }

    fn hits(&self, limit: &Limit, variables: &Variables, now: Moment) -> u64 {
        let identity = Identity::of(limit, variables);
        let found = self
            .used
            .iter()
            .find(|(known, used)| *known == identity && used.ends > now);
        found.map_or(0, |(_, used)| used.hits)
    }

    /// Returns whether one hit more would be too many for any of these limits, and counts the call as one or the other.
    pub(super) fn check(&mut self, limits: &[(Limit, Variables)], time: Time) -> bool {
        let now = time.now();
        let exhausted = |(limit, variables): &(Limit, Variables)| {
            self.hits(limit, variables, now).saturating_add(1) > limit.max_value
        };
        let is_limited = limits.iter().any(exhausted);
        if let Some((limit, _)) = limits.first() {
            let seen = self.seen.entry(limit.namespace.clone()).or_default();
            if is_limited {
                seen.limited_calls += 1;
            } else {
                seen.authorized_calls += 1;
            }
        }
        is_limited
    }

    /// Checks, and counts one hit where none of the limits is exhausted. Returns whether one is.
    pub(super) fn check_and_report(&mut self, limits: &[(Limit, Variables)], time: Time) -> bool {
        if limits.is_empty() {
            return false;
        }
        let is_limited = self.check(limits, time);
        if !is_limited {
            self.report(limits, 1, time);
        }
        is_limited
    }

    /// Counts hits in the window of every limit; a window that is over begins anew.
    pub(super) fn report(&mut self, limits: &[(Limit, Variables)], hits: u64, time: Time) {
        let now = time.now();
        self.used.retain(|(_, used)| used.ends > now);
        if let Some((limit, _)) = limits.first() {
            self.seen.entry(limit.namespace.clone()).or_default().authorized_hits += hits;
        }
        let mut counted: Vec<Identity> = Vec::new();
        for (limit, variables) in limits {
            let identity = Identity::of(limit, variables);
            if counted.contains(&identity) {
                continue;
            }
            match self.used.iter_mut().find(|(known, _)| *known == identity) {
                Some((_, used)) => used.hits = used.hits.saturating_add(hits),
                None => {
                    let ends = time.after(Duration::from_secs(limit.seconds));
                    self.used.push((identity.clone(), Used { hits, ends }));
                }
            }
            counted.push(identity);
        }
    }

    /// Returns what `/counters/NAMESPACE` answers: windows in which something was used.
    pub(super) fn shown(&self, limits: &[Limit], namespace: &str, time: Time) -> Value {
        let now = time.now();
        let of = |identity: &Identity| {
            let mut known = limits.iter();
            known.find(|limit| {
                limit.namespace == namespace
                    && (&limit.namespace, &limit.name, limit.seconds)
                        == (&identity.namespace, &identity.name, identity.seconds)
            })
        };
        let counters = self.used.iter().filter(|(_, used)| used.ends > now);
        let shown = counters.filter_map(|(identity, used)| {
            let limit = of(identity)?;
            Some(json!({
                "limit": limit.shown(), "set_variables": identity.variables,
                // Without a sign, as the real one subtracts: an overshoot is a number near 2^64.
                "remaining": limit.max_value.wrapping_sub(used.hits),
                "expires_in_seconds": time.until(used.ends).as_secs(),
            }))
        });
        shown.collect()
    }

    /// Returns what `/metrics` answers, in Prometheus' text format.
    pub(super) fn metrics(&self) -> String {
        let mut text = String::new();
        type Metric = (&'static str, &'static str, fn(&Seen) -> u64);
        let metrics: [Metric; 3] = [
            ("authorized_calls", "Authorized calls", |seen| seen.authorized_calls),
            ("authorized_hits", "Authorized hits", |seen| seen.authorized_hits),
            ("limited_calls", "Limited calls", |seen| seen.limited_calls),
        ];
        for (name, help, of) in metrics {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
            for (namespace, seen) in &self.seen {
                let _ = writeln!(text, "{name}{{limitador_namespace=\"{namespace}\"}} {}", of(seen));
            }
        }
        for (name, help, value) in [
            ("limitador_up", "Limitador is running", 1),
            (
                "datastore_partitioned",
                "Limitador is partitioned from backing datastore",
                0,
            ),
        ] {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
        }
        text
    }
}

/// Returns what `/limits/NAMESPACE` answers.
pub(super) fn shown(limits: &[Limit], namespace: &str) -> Value {
    limits
        .iter()
        .filter(|limit| limit.namespace == namespace)
        .map(Limit::shown)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn limit(max_value: u64, seconds: u64) -> Limit {
        Limit {
            namespace: "llm-d-demo/qwen".to_owned(),
            name: "free".to_owned(),
            max_value,
            seconds,
            variables: vec!["auth.identity.userid".to_owned()],
        }
    }

    fn of(user: &str) -> Variables {
        Variables::from([("auth.identity.userid".to_owned(), user.to_owned())])
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_begins_with_its_first_hit_and_ends_at_the_speed_of_the_cluster() {
        let time = Time::from_now(Clock::new(100.0));
        let mut counters = Counters::default();
        let charlie = [(limit(300, 300), of("charlie"))];
        assert!(!counters.check(&charlie, time));
        counters.report(&charlie, 299, time);
        assert!(!counters.check(&charlie, time), "one is left");
        counters.report(&charlie, 100, time);
        assert!(counters.check(&charlie, time));
        assert!(
            !counters.check(&[(limit(300, 300), of("bob"))], time),
            "users share nothing"
        );
        tokio::time::advance(Duration::from_millis(2_999)).await;
        assert!(counters.check(&charlie, time));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!counters.check(&charlie, time), "5 minutes at a hundred times");
    }

    #[tokio::test(start_paused = true)]
    async fn another_maximum_keeps_what_was_used_and_another_window_does_not() {
        let time = Time::from_now(Clock::new(1.0));
        let mut counters = Counters::default();
        counters.report(&[(limit(300, 300), of("charlie"))], 200, time);
        assert!(counters.check(&[(limit(200, 300), of("charlie"))], time));
        assert!(!counters.check(&[(limit(200, 301), of("charlie"))], time));
    }

    #[tokio::test(start_paused = true)]
    async fn several_windows_apply_together_and_two_of_one_length_are_one() {
        let time = Time::from_now(Clock::new(1.0));
        let mut counters = Counters::default();
        let both = [(limit(100, 60), of("alice")), (limit(150, 3600), of("alice"))];
        counters.report(&both, 100, time);
        assert!(counters.check(&both, time), "the short one");
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(!counters.check(&both, time));
        counters.report(&both, 60, time);
        assert!(counters.check(&both, time), "the long one");
        let twice = [(limit(100, 60), of("bob")), (limit(200, 60), of("bob"))];
        counters.report(&twice, 10, time);
        let shown = counters.shown(&[limit(100, 60)], "llm-d-demo/qwen", time);
        assert_eq!(shown[1]["remaining"], json!(90), "counted once: {shown}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_subtracted_without_a_sign_and_nothing_used_is_an_empty_list() {
        let time = Time::from_now(Clock::new(1.0));
        let mut counters = Counters::default();
        let limits = [limit(500, 300)];
        assert_eq!(counters.shown(&limits, "llm-d-demo/qwen", time), json!([]));
        counters.report(&[(limit(500, 300), of("bob"))], 1055, time);
        tokio::time::advance(Duration::from_secs(100)).await;
        let shown = counters.shown(&limits, "llm-d-demo/qwen", time);
        assert_eq!(shown[0]["remaining"], json!(18_446_744_073_709_551_061_u64));
        assert_eq!(shown[0]["expires_in_seconds"], json!(200));
        assert_eq!(shown[0]["set_variables"], json!({"auth.identity.userid": "bob"}));
        assert_eq!(counters.shown(&limits, "llm-d-demo/other", time), json!([]));
    }

    #[tokio::test(start_paused = true)]
    async fn counters_end_with_the_pod_that_holds_them() {
        let time = Time::from_now(Clock::new(1.0));
        let mut counters = Counters::default();
        assert!(counters.held_by("pod 1"));
        counters.report(&[(limit(1, 300), of("bob"))], 1, time);
        assert!(!counters.held_by("pod 1"));
        assert!(counters.check(&[(limit(1, 300), of("bob"))], time));
        assert!(
            counters
                .metrics()
                .contains("limited_calls{limitador_namespace=\"llm-d-demo/qwen\"} 1\n")
        );
        assert!(counters.held_by("pod 2"));
        assert!(!counters.check(&[(limit(1, 300), of("bob"))], time));
    }
}
