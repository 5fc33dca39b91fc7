//! What is looked at between two runs: where everything stands, what its pods wrote, and a first stack for a cluster.

use crate::{cluster::Served, sandbox::Sandbox};

const STACK: &str = "[stack]\nname = \"shop\"\n\n[[manifests]]\nname = \"shop\"\npath = \"shop.yaml\"\n";

const OBJECTS: &str = "apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: example.com/web:1}, {name: side, image: example.com/side:1}]}
";

fn shop() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(STACK);
    std::fs::write(sandbox.path().join("shop.yaml"), OBJECTS).expect("a writable folder");
    sandbox
}

#[test]
fn a_status_tells_before_during_and_after_and_needs_no_stack_file() {
    let sandbox = shop();
    let served = Served::start(&sandbox);
    let web = r#"manifests[shop].deployment["shop/web"]"#;
    let statuses = |arguments: &[&str], code: i32| {
        let mut all = vec!["status", "--json"];
        all.extend(arguments);
        let told = sandbox.simulate(&all).expect(code).json();
        let listed = told["resources"].as_array().cloned().unwrap_or_default();
        let status = |one: &serde_json::Value| one["status"].as_str().unwrap_or_default().to_owned();
        (listed.iter().map(status).collect::<Vec<_>>(), told)
    };
    let (before, told) = statuses(&["stack.toml"], 2);
    assert_eq!(before, ["absent", "absent"], "{told}");
    assert_eq!(told["held_up_by"][0]["waiting"], 1);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    // A watch that ends once everything is ready ends at once, and prints whole lines where there is no terminal.
    let watched = sandbox
        .simulate(&["status", "--until-ready", "--timeout", "5m"])
        .expect(0);
    assert!(watched.stdout.starts_with("✓ 2 of 2 ready\n"), "{}", watched.shown());
    let watched = sandbox.simulate(&["status", "--until-ready", "--json"]).expect(0);
    let last: serde_json::Value =
        serde_json::from_str(watched.stdout.lines().last().unwrap_or_default()).expect("JSON");
    assert_eq!((&last["event"], &last["all_ready"]), (&"finished".into(), &true.into()));
    let shown = sandbox.simulate(&["show", "stack.toml", "--json"]).expect(0).json();
    assert_eq!(shown["state"]["recorded"].as_array().map(Vec::len), Some(2), "{shown}");
    let of_state = sandbox.simulate(&["state", "show", web, "--json"]).expect(0).json();
    assert_eq!(of_state["address"], web, "{of_state}");
    let offered = sandbox.simulate(&["output", "stack.toml", "--json"]).expect(0).json();
    assert_eq!(offered["outputs"], serde_json::json!([]), "{offered}");
    let (of_one, _) = statuses(&[web], 0);
    assert_eq!(of_one, ["ready"]);

    let logs = sandbox.simulate(&["logs", web, "--tail", "1"]).expect(0);
    let lines: Vec<_> = logs.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "a line of each pod: {}", logs.shown());
    assert!(lines.iter().all(|line| line.starts_with("web-")), "{}", logs.shown());
    for (flags, n_lines, says) in [
        (&["--container", "side"][..], 4, "starting example.com/side:1"),
        (&["--all-containers", "--tail", "1"], 4, "ready"),
        (&["--since", "24h", "--timestamps"], 4, "Z starting example.com/web:1"),
        (&["--tail", "0"], 0, ""),
    ] {
        let logs = sandbox.simulate(&[&["logs", web], flags].concat()).expect(0);
        assert_eq!(logs.stdout.lines().count(), n_lines, "{flags:?} {}", logs.shown());
        assert!(logs.stdout.contains(says), "{flags:?} {}", logs.shown());
    }
    for (flag, value, says) in [
        ("--container", Some("none"), "they have main, side"),
        (
            "--previous",
            None,
            "without `--previous` the log of the run that goes on is shown",
        ),
    ] {
        let mut all = vec!["logs", web, flag];
        all.extend(value);
        let refused = sandbox.simulate(&all).expect(1);
        assert!(refused.stderr.contains(says), "{flag} {}", refused.shown());
    }
    let mut follower = sandbox.going(&["logs", web, "-f", "--tail", "2"]);
    let lines: Vec<String> = (0..4).map(|_| follower.line()).collect();
    assert!(lines.iter().all(|line| line.starts_with("web-")), "{lines:?}");
    assert_eq!(follower.interrupt(), (130, Vec::new()));
    let none = sandbox
        .simulate(&["logs", r#"manifests[shop].namespace["shop"]"#])
        .expect(1);
    assert!(none.stderr.contains("Namespace shop runs no pods"), "{}", none.shown());

    std::fs::rename(sandbox.path().join("stack.toml"), sandbox.path().join("gone.toml")).expect("renamed");
    let (of_record, told) = statuses(&[], 0);
    assert_eq!(
        (of_record, &told["judged_by"]),
        (vec!["ready".to_owned(); 2], &"record".into())
    );
    // What needs the record alone takes a name for it, finds it by itself, or takes a file that says no more than a name.
    sandbox.write("[stack]\nname = \"shop\"\n[[broken\n");
    std::fs::rename(sandbox.path().join("stack.toml"), sandbox.path().join("broken.toml")).expect("renamed");
    for named in [
        &[][..],
        &["shop"],
        &["gone.toml"],
        &["broken.toml"],
        &["-f", "gone.toml"],
    ] {
        let listed = sandbox.simulate(&[&["state", "list"], named].concat()).expect(0);
        assert!(listed.stdout.contains(web), "{named:?} {}", listed.shown());
        let shown = sandbox.simulate(&[&["state", "show", web], named].concat()).expect(0);
        assert!(shown.stdout.contains("Deployment"), "{named:?} {}", shown.shown());
    }
    let shown = sandbox.simulate(&["show", "shop"]).expect(0);
    assert!(shown.stdout.starts_with("stack shop "), "{}", shown.shown());
    let unknown = sandbox.simulate(&["state", "list", "shpo"]).expect(1);
    assert!(
        unknown.stderr.contains("there is no state of a stack `shpo`"),
        "{}",
        unknown.shown()
    );
    let logs = sandbox.simulate(&["logs", web, "--json"]).expect(0);
    let is_of_shop = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        line["namespace"] == "shop" && line["line"].is_string()
    };
    assert!(
        !logs.stdout.is_empty() && logs.stdout.lines().all(is_of_shop),
        "{}",
        logs.shown()
    );
    sandbox.simulate(&["destroy", "--state-only", "--yes"]).expect(0);
    std::fs::rename(sandbox.path().join("gone.toml"), sandbox.path().join("stack.toml")).expect("renamed");
    let (after, _) = statuses(&[], 2);
    assert_eq!(after, ["absent", "absent"]);
    drop(served);
}

#[test]
fn what_init_writes_is_valid_and_can_be_planned() {
    let sandbox = Sandbox::new();
    let told = sandbox.simulate(&["init", "trial", "--json"]).expect(0).json();
    assert_eq!(
        (&told["stack"], &told["file"]),
        (&"trial".into(), &"trial/stack.toml".into())
    );
    sandbox.run(&["validate", "trial/stack.toml"]).expect(0);
    let plan = sandbox.simulate(&["plan", "trial/stack.toml"]).expect(0);
    assert!(plan.stdout.contains("model[qwen3-8b].service"), "{}", plan.shown());
    let again = sandbox.simulate(&["init", "trial"]).expect(1);
    assert!(again.stderr.contains("--force"), "{}", again.shown());
    sandbox.run(&["init", "trial", "--force", "--offline"]).expect(0);
    sandbox.run(&["validate", "trial/stack.toml"]).expect(0);
}
