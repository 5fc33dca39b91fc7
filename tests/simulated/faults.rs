//! A cluster that misbehaves: the quickstart comes to the same end, and makes nothing twice.

use crate::{
    cluster::Served,
    normal::normal,
    sandbox::{FAST, Ran, Sandbox},
};
use std::{
    collections::BTreeMap,
    path::Path,
    thread,
    time::{Duration, Instant},
};

const STACK: &str = "stack.toml";

/// Applies under faults; the log of the simulator, on stderr, tells whom they met.
fn apply(sandbox: &Sandbox, faults: &[&str]) -> Ran {
    // It is the end that counts here, on however busy a machine.
    let mut arguments = vec![
        "apply",
        STACK,
        "--yes",
        "--simulate",
        "--simulate-speed",
        FAST,
        "--ready-timeout",
        "10m",
    ];
    arguments.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let mut command = sandbox.command(&arguments);
    command.env("STACKCTL_LOG", "error,kube_client=off,stackctl_simulator=debug");
    Ran::of(command)
}

/// The quickstart under faults ends well, and a plan under the same faults finds nothing to do. `met` are words of the
/// simulator's log that say that the faults were met.
fn converges_under(faults: &[&str], met: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    let applied = apply(&sandbox, faults).expect(0);
    for words in met {
        assert!(applied.stderr.contains(words), "nobody met `{words}`");
    }
    let mut plan = vec!["plan", STACK, "--detailed-exitcode"];
    plan.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    sandbox.simulate(&plan).expect(0);
    makes_nothing_twice(&sandbox);
    sandbox
}

/// Nothing was created twice by us, and nothing of ours was deleted.
fn makes_nothing_twice(sandbox: &Sandbox) {
    let audit = sandbox.audit();
    let mut created: BTreeMap<String, usize> = BTreeMap::new();
    for entry in audit.iter().filter(|entry| entry.is_our_write()) {
        if entry.created {
            *created.entry(entry.key()).or_default() += 1;
        }
        // A remedy deletes an operator's pod, which is none of ours.
        assert!(
            entry.verb != "delete" || entry.kind == "Pod",
            "deleted: {}",
            entry.key()
        );
    }
    let twice: Vec<_> = created.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty() && created.len() > 50, "made more than once: {twice:?}");
}

/// A cluster that is the same after so long is at rest.
const STANDS_STILL_FOR: Duration = Duration::from_secs(1);

/// What the cluster holds, once it is at rest.
fn end_of(sandbox: &Sandbox) -> Vec<String> {
    let served = Served::start(sandbox);
    let started = Instant::now();
    let mut last = normal(&served.settled());
    loop {
        thread::sleep(STANDS_STILL_FOR);
        let now = normal(&served.settled());
        if now == last || started.elapsed() > Duration::from_secs(60) {
            return now;
        }
        last = now;
    }
}

#[test]
fn under_errors_dropped_watches_and_a_restarted_operator_the_quickstart_ends_in_the_same_state() {
    let faults = ["errors@5%", "dropped-watches@10%", "restart@rhoai"];
    let disturbed = converges_under(&faults, &["500 instead", "500 afterwards", "broken on purpose"]);
    let undisturbed = Sandbox::new();
    apply(&undisturbed, &[]).expect(0);
    let (disturbed, undisturbed) = (end_of(&disturbed), end_of(&undisturbed));
    let only_in = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|line| !those.contains(line)).cloned().collect()
    };
    let (more, less) = (only_in(&disturbed, &undisturbed), only_in(&undisturbed, &disturbed));
    let differences: Vec<String> = more
        .iter()
        .zip(&less)
        .map(|(with, without)| difference(with, without))
        .collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "{} objects are others with faults, {} without:\n{}",
        more.len(),
        less.len(),
        differences.join("\n")
    );
}

/// Where two lines begin to differ, with what is around it.
fn difference(with: &str, without: &str) -> String {
    let same = with.bytes().zip(without.bytes()).take_while(|(a, b)| a == b).count();
    let around = |line: &str| -> String { line.chars().skip(same.saturating_sub(60)).take(160).collect() };
    let named = |line: &str| line.split(" {").next().unwrap_or_default().to_owned();
    format!(
        "{} | {}\n  with    {}\n  without {}",
        named(with),
        named(without),
        around(with),
        around(without)
    )
}

#[test]
fn a_server_that_throttles_is_waited_for_and_a_slow_one_and_a_slow_operator_too() {
    let sandbox = converges_under(&["throttled@5%", "latency@5ms", "slow@olm"], &["429 instead"]);
    // Checks of requirements and an install, 33 s in all, before the kinds of a version are there.
    let audit = sandbox.audit();
    let made = |kind: &str, name: &str| {
        let mut entries = audit.iter().filter(|entry| entry.is(kind, name) && entry.created);
        entries
            .next()
            .unwrap_or_else(|| panic!("{kind} {name} was not made"))
            .clone()
    };
    let kinds = made("CustomResourceDefinition", "nodefeaturediscoveries.nfd.openshift.io");
    let version = audit
        .iter()
        .find(|entry| entry.created && entry.name.starts_with("nfd."));
    let took = kinds.seconds_after(version.expect("a version of NFD"));
    assert!(took > 0.33, "ten times 33 s, a thousand times as fast, is not {took} s");
}

#[test]
fn a_server_that_is_away_is_waited_for_and_conflicts_are_decided_again() {
    converges_under(
        &["unavailable@5%", "conflicts@20%", "seed@7"],
        &["503 instead", "504 ", "409 instead"],
    );
}

#[test]
fn broken_connections_make_nothing_twice_whether_the_request_was_carried_out_or_not() {
    converges_under(&["dropped-connections@5%"], &["silence instead", "silence afterwards"]);
}

#[test]
fn watches_that_expire_are_listed_anew() {
    converges_under(&["expired-watches@1s"], &["broken on purpose", "expired on purpose"]);
}

/// The file of faults of the documentation: an upgrade of the API server, a slow webhook, and somebody who edits.
#[test]
fn a_rough_day_ends_well_and_what_somebody_edited_is_named_and_mended() {
    let sandbox = Sandbox::new();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rough-day.toml");
    std::fs::copy(file, sandbox.path().join("rough-day.toml")).expect("the file of the documentation");
    let applied = apply(&sandbox, &["@rough-day.toml"]).expect(0);
    for words in ["500 instead", "503 instead"] {
        assert!(applied.stderr.contains(words), "nobody met `{words}`");
    }
    let drift = sandbox.simulate(&["drift", STACK]).expect(2);
    for words in [
        "maas.tier[pro].subscription",
        "app.kubernetes.io/managed-by",
        "kubectl-edit",
    ] {
        assert!(drift.stdout.contains(words), "`{words}`: {}", drift.shown());
    }
    sandbox.simulate(&["apply", STACK, "--yes"]).expect(0);
    sandbox.simulate(&["plan", STACK, "--detailed-exitcode"]).expect(0);
    makes_nothing_twice(&sandbox);
}

#[test]
fn an_operator_that_never_gets_ready_is_named_and_what_was_made_before_it_is_kept() {
    let sandbox = Sandbox::new();
    let apply = [
        "apply",
        STACK,
        "--yes",
        "--ready-timeout",
        "10s",
        "--fault",
        "stuck@cert-manager",
    ];
    let ran = sandbox.simulate(&apply).expect(1);
    for words in [
        "cert-manager.installed did not become ready",
        ".status.phase is Installing",
        "nothing was rolled back",
    ] {
        assert!(ran.shown().contains(words), "`{words}`: {}", ran.shown());
    }
}

#[test]
fn a_file_of_faults_is_refused_with_file_and_line() {
    let sandbox = Sandbox::new();
    std::fs::write(
        sandbox.path().join("day.toml"),
        "[[faults]]\nfault = \"stoped@olm\"\n\n[[faults]]\nfault = \"stopped@olm\"\nends = { after = \"soon\" }\n",
    )
    .expect("writable");
    let ran = sandbox.simulate(&["plan", STACK, "--fault", "@day.toml"]).expect(1);
    for words in [
        "day.toml:2: there is no fault `stoped`, did you mean `stopped`?",
        "day.toml:6: `soon` is no duration",
    ] {
        assert!(ran.stderr.contains(words), "`{words}`: {}", ran.shown());
    }
}
