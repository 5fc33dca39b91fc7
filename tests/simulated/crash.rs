//! `kill -9` at any instant, then apply: the same end, nothing twice.

use crate::{
    audit::Entry,
    cluster::Served,
    sandbox::{FAST, Sandbox},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// Kills before the run that is let through.
const KILLS: u64 = 20;

#[test]
fn twenty_kills_and_an_apply_end_where_one_apply_ends() {
    let seed = 0x5eed_u64;
    println!("seed {seed}");
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox);
    let mut state = seed;
    for kill in 0..KILLS {
        // A linear congruential step (Knuth, MMIX) is random enough to spread the instants, and repeats by its seed.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let writes = (state >> 33) % 12 + 1;
        // It may be at a wait that has no more writes to come.
        kill_after(&sandbox, writes, Duration::from_millis(2_000 + 50 * kill));
    }
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    let mut created: BTreeMap<String, usize> = BTreeMap::new();
    let audit = sandbox.audit();
    let ours: Vec<_> = audit.iter().filter(|entry| entry.is_our_write()).collect();
    for entry in ours.iter().filter(|entry| entry.created) {
        *created.entry(entry.key()).or_default() += 1;
    }
    // A remedy deletes an operator's pod, which is none of ours.
    let deleted: Vec<_> = ours
        .iter()
        .filter(|entry| entry.verb == "delete" && entry.kind != "Pod")
        .map(|entry| entry.key())
        .collect();
    assert!(deleted.is_empty(), "deleted: {deleted:?}");
    let twice: Vec<_> = created.iter().filter(|(_, count)| **count > 1).collect();
    assert!(
        twice.is_empty() && created.len() > 50,
        "made more than once: {twice:?}; {} in all",
        created.len()
    );
    drop(served);
}

/// How many writes an apply makes before it is killed for good, of which three are those of its copy and its Lease: the first
/// objects, some, and while operators are installed.
const WRITES: [u64; 4] = [5, 8, 16, 44];

#[test]
fn a_destroy_right_after_a_kill_leaves_nothing_of_what_was_made() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox);
    for writes in WRITES {
        let so_far = sandbox.audit().len();
        kill_after(&sandbox, writes, Duration::MAX);
        let audit = sandbox.audit();
        let is_of_copy = |entry: &&Entry| entry.namespace == "stackctl" || entry.is("Namespace", "stackctl");
        let made: BTreeSet<String> = audit[so_far..]
            .iter()
            .filter(|entry| entry.is_our_write() && entry.created && !is_of_copy(entry))
            .map(Entry::key)
            .collect();
        assert!(!made.is_empty(), "{writes} writes made nothing of the stack");
        let planned = sandbox
            .simulate(&["plan", "stack.toml", "--destroy", "--json"])
            .expect(0)
            .json();
        sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
        // What operators make by themselves while they are installed is none of it.
        let stays: Vec<_> = served
            .settled()
            .into_keys()
            .filter(|key| made.contains(key) && !is_announced(&planned, key))
            .collect();
        assert!(stays.is_empty(), "after {writes} writes there stay {stays:#?}");
    }
}

#[test]
fn a_destroy_after_a_kill_that_left_no_state_leaves_no_namespace_of_copies_but_where_others_are() {
    const NAMESPACES: &str = "/api/v1/namespaces";
    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/stackctl/leases";
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox);
    let lease = |stack: &str| json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": format!("stack.{stack}")}});
    let namespace = || served.find(&format!("{NAMESPACES}/stackctl"));
    for (others, stays) in [(None, false), (Some("another"), true)] {
        // As a run leaves it that is killed once it has its lease.
        served.make(
            NAMESPACES,
            &json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": "stackctl", "annotations": {"stackctl.dev/made-for": "copies-of-states"}}}),
        );
        served.make(LEASES, &lease("quickstart"));
        if let Some(stack) = others {
            served.make(LEASES, &lease(stack));
        }
        let told = sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
        assert!(told.stderr.contains("there is nothing to destroy"), "{}", told.shown());
        assert_eq!(namespace().is_some(), stays, "{others:?}");
    }
}

/// Whether the plan of a destroy says that something stays.
fn is_announced(planned: &Value, key: &str) -> bool {
    let mut remains = planned["remains"].as_array().expect("what remains is announced").iter();
    remains.any(|remains| {
        let text = |name: &str| remains[name].as_str().unwrap_or_default();
        key.starts_with(text("kind")) && key.ends_with(&format!("/{}", text("name")))
    })
}

/// Lets an apply make some more writes, or that time pass, and kills it then.
fn kill_after(sandbox: &Sandbox, writes: u64, patience: Duration) {
    let ours = |entries: &[Entry]| entries.iter().filter(|entry| entry.is_our_write()).count();
    let before = ours(&sandbox.audit());
    let mut child = sandbox
        .command(&["apply", "stack.toml", "--yes", "--simulate", "--simulate-speed", FAST])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    let started = Instant::now();
    let wanted = usize::try_from(writes).expect("small");
    while started.elapsed() < patience {
        if ours(&sandbox.audit()) >= before + wanted || child.try_wait().expect("a child").is_some() {
            break;
        }
        std::thread::yield_now();
    }
    drop(child.kill());
    child.wait().expect("a child");
}
