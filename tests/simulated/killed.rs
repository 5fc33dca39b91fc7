//! `kill -9` of the served cluster under writes: nothing that was acknowledged is lost.
//!
//! Power loss is out of scope: what is judged is that a write is in the operating system's hands before it is
//! acknowledged.

use crate::{
    cluster::Served,
    sandbox::{FAST, Sandbox},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Kills in CI; `cargo xtask full` asks for 200.
const KILLS: u64 = 20;
const WRITERS: u64 = 4;
/// How many objects each writer writes in turn.
const OBJECTS: u64 = 20;
/// Of so many writes one is a deletion.
const DELETES: u64 = 9;
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const ONLY_OURS: &str = "labelSelector=written%3Dunder-fire";

/// What one writer knows: of each object what was acknowledged last, and the write that had no answer.
#[derive(Debug, Default)]
struct Written {
    /// By object: how often it was written, or `None` once it is deleted.
    acknowledged: BTreeMap<String, Option<u64>>,
    /// The write that was under way when the server was killed.
    open: Option<(String, Option<u64>)>,
    n_writes: u64,
    newest_version: u64,
}

/// What one watch knows.
#[derive(Debug, Default)]
struct Watched {
    /// By object: how often it was written.
    mirror: BTreeMap<String, u64>,
    last: u64,
    n_events: u64,
    n_expired: u64,
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a count of the developer, not of the product")]
fn what_was_acknowledged_survives_kills_and_versions_never_go_back() {
    let kills = std::env::var("STACKCTL_KILLS").map_or(KILLS, |text| text.parse().expect("a number of kills"));
    let seed = 0x5eed_u64;
    println!("seed {seed}");
    let sandbox = Sandbox::new();
    let serve = || Served::start_with(&sandbox, &["simulate", "--simulate-speed", FAST]);
    let mut writers: Vec<Written> = (0..WRITERS).map(|_| Written::default()).collect();
    let mut watched = Watched::default();
    let mut state = seed;
    for kill in 0..kills {
        let served = serve();
        nothing_is_lost(&served, &mut writers, kill);
        // As in `crash.rs`: random enough to spread the instants, and repeats by its seed.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let wanted = (state >> 33) % 120 + 10;
        let n_acknowledged = AtomicU64::new(0);
        thread::scope(|scope| {
            for (number, writer) in writers.iter_mut().enumerate() {
                let (served, n_acknowledged) = (&served, &n_acknowledged);
                scope.spawn(move || writer.write_on(served, number, n_acknowledged));
            }
            scope.spawn(|| watched.watch_on(&served));
            let started = Instant::now();
            while n_acknowledged.load(Ordering::Relaxed) < wanted && started.elapsed() < Duration::from_secs(20) {
                thread::yield_now();
            }
            let pid = served.pid().to_string();
            let killed = Command::new("kill").args(["-KILL", &pid]).status();
            assert!(killed.is_ok_and(|status| status.success()), "{pid} was not killed");
        });
    }
    let served = serve();
    nothing_is_lost(&served, &mut writers, kills);
    watched.catch_up(&served);
    let listed = counts(&served.get(&format!("{CONFIG_MAPS}?{ONLY_OURS}")));
    assert_eq!(
        watched.mirror, listed,
        "the watch saw something else than what is there"
    );
    let n_writes: u64 = writers.iter().map(|writer| writer.n_writes).sum();
    println!(
        "{kills} kills, {n_writes} acknowledged writes, 0 lost; the watch saw {} events and expired {} times",
        watched.n_events, watched.n_expired
    );
    assert!(n_writes >= 10 * kills && watched.n_events > 0, "too little was tried");
}

/// Compares what is there with what was acknowledged. The write without an answer may have come through or not; what it
/// came to counts from here on.
fn nothing_is_lost(served: &Served, writers: &mut [Written], kill: u64) {
    let list = served.get(&format!("{CONFIG_MAPS}?{ONLY_OURS}"));
    let version = version_of(&list);
    let there = counts(&list);
    let mut lost = Vec::new();
    for writer in writers {
        assert!(
            version >= writer.newest_version,
            "after kill {kill} the resourceVersion is {version}, it was {}",
            writer.newest_version
        );
        if let Some((name, count)) = writer.open.take()
            && there.get(&name).copied() == count
        {
            writer.acknowledged.insert(name, count);
        }
        let gone = writer.acknowledged.iter();
        lost.extend(
            gone.filter(|(name, count)| there.get(*name) != count.as_ref())
                .map(|(name, count)| format!("{name}: {count:?} was acknowledged, {:?} is there", there.get(name))),
        );
    }
    assert!(lost.is_empty(), "after kill {kill}: {lost:#?}");
}

impl Written {
    /// Applies and deletes objects in turn until the server does not answer.
    fn write_on(&mut self, served: &Served, writer: usize, n_acknowledged: &AtomicU64) {
        loop {
            let name = format!("under-fire-{writer}-{:02}", self.n_writes % OBJECTS);
            let path = format!("{CONFIG_MAPS}/{name}");
            let is_there = self.acknowledged.get(&name).is_some_and(Option::is_some);
            let next = (!is_there || !self.n_writes.is_multiple_of(DELETES)).then_some(self.n_writes);
            self.open = Some((name.clone(), next));
            let answer = match next {
                Some(count) => {
                    let object = json!({
                        "apiVersion": "v1",
                        "kind": "ConfigMap",
                        "metadata": {"name": name, "labels": {"written": "under-fire"}},
                        "data": {"count": count.to_string(), "filler": "x".repeat(200)},
                    });
                    let path = format!("{path}?fieldManager=under-fire");
                    served.send(("PATCH", &path), "application/apply-patch+yaml", &object.to_string())
                }
                None => served.send(("DELETE", &path), "", ""),
            };
            let answer = answer.and_then(|text| serde_json::from_str::<Value>(&text).ok());
            let Some(answer) = answer else { return };
            if next.is_some() {
                let version = version_of(&answer);
                assert!(
                    version > self.newest_version,
                    "{name}: version {version} was given out before"
                );
                self.newest_version = version;
            }
            self.acknowledged.insert(name, next);
            self.open = None;
            self.n_writes += 1;
            n_acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Watched {
    /// Watches in short turns until the server does not answer.
    fn watch_on(&mut self, served: &Served) {
        while self.turn(served).is_some() {}
    }

    /// Watches until nothing new comes.
    fn catch_up(&mut self, served: &Served) {
        loop {
            let before = (self.n_events, self.n_expired);
            self.turn(served).expect("the server answers");
            if (self.n_events, self.n_expired) == before {
                return;
            }
        }
    }

    /// One watch of a second from the last version on; one that is forgotten is answered with 410, then by a list.
    fn turn(&mut self, served: &Served) -> Option<()> {
        let path = format!(
            "{CONFIG_MAPS}?{ONLY_OURS}&watch=1&resourceVersion={}&timeoutSeconds=1",
            self.last
        );
        if self.last == 0 {
            return self.list(served);
        }
        let text = served.send(("GET", &path), "", "")?;
        for line in text.lines() {
            // A kill may cut the last line short; what it said is asked for again.
            let Ok(event) = serde_json::from_str::<Value>(line) else {
                return None;
            };
            if event["type"] == "ERROR" {
                assert_eq!(event["object"]["code"], 410, "{event}");
                self.n_expired += 1;
                return self.list(served);
            }
            let version = version_of(&event["object"]);
            assert!(version > self.last, "{version} came after {}: {event}", self.last);
            self.last = version;
            self.n_events += 1;
            let (name, count) = named(&event["object"]);
            if event["type"] == "DELETED" {
                self.mirror.remove(&name);
            } else {
                self.mirror.insert(name, count);
            }
        }
        Some(())
    }

    fn list(&mut self, served: &Served) -> Option<()> {
        let text = served.send(("GET", &format!("{CONFIG_MAPS}?{ONLY_OURS}")), "", "")?;
        let list: Value = serde_json::from_str(&text).ok()?;
        let version = version_of(&list);
        assert!(version >= self.last, "listed at {version} after {}", self.last);
        self.last = version;
        self.mirror = counts(&list);
        Some(())
    }
}

fn version_of(object: &Value) -> u64 {
    let text = object["metadata"]["resourceVersion"].as_str();
    text.and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no version in {object}"))
}

fn named(object: &Value) -> (String, u64) {
    let count = object["data"]["count"].as_str().and_then(|text| text.parse().ok());
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    (name, count.unwrap_or_else(|| panic!("no count in {object}")))
}

fn counts(list: &Value) -> BTreeMap<String, u64> {
    list["items"].as_array().into_iter().flatten().map(named).collect()
}
