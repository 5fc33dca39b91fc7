//! Ctrl-C, as a terminal sends it.

use crate::{
    cluster::Served,
    sandbox::{FAST, Ran, Sandbox},
    scope::recorded,
};
use serde_json::{Value, json};
use std::{
    fs,
    process::{Command, Stdio},
    thread,
};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// A gate that somebody else opens, and what waits for it.
const STACK: &str = r#"
[stack]
name = "waits"

[[manifests]]
name = "gate"
path = "gate.yaml"
ready = { jsonpath = ".data.open", equals = "yes" }

[[manifests]]
name = "behind"
path = "behind.yaml"
depends_on = ['manifests[gate].configmap["default/gate"]']
"#;

#[test]
fn ctrl_c_ends_an_apply_that_waits_keeps_what_was_done_and_the_next_apply_finishes() {
    let sandbox = Sandbox::new();
    sandbox.write(STACK);
    for name in ["gate", "behind"] {
        let map = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}\ndata: {{a: one}}\n"
        );
        fs::write(sandbox.path().join(format!("{name}.yaml")), map).expect("writable");
    }
    let served = Served::start(&sandbox);
    let apply = sandbox.command(&["apply", "--yes", "--simulate", "--simulate-speed", FAST]);
    let process = thread::scope(|scope| {
        let (started, process) = std::sync::mpsc::channel();
        let ran = scope.spawn(move || interruptible(apply, &started));
        let process = process.recv().expect("it starts");
        while served.find(&format!("{MAPS}/gate")).is_none() {
            assert!(!ran.is_finished(), "it ended too early");
            thread::yield_now();
        }
        let interrupted = Command::new("kill").args(["-INT", &process]).status();
        assert!(interrupted.is_ok_and(|status| status.success()));
        ran.join().expect("it ends")
    });
    let told = process.expect(130);
    assert!(told.stdout.contains("Stopped after"), "{}", told.shown());
    for said in ["stopping: nothing new starts", "kept: 1 resource is recorded"] {
        assert!(told.stderr.contains(said), "`{said}`: {}", told.shown());
    }
    assert!(served.find(&format!("{MAPS}/behind")).is_none());
    assert_eq!(recorded(&sandbox), ["gate"]);
    // Who watches meanwhile sees that it is not ready, and what changes.
    let mut watch = sandbox.going(&["status", "--watch", "--json"]);
    let read = |line: &str| -> Value { serde_json::from_str(line).expect("JSON") };
    let first = read(&watch.line());
    assert_eq!(
        (&first["event"], &first["all_ready"]),
        (&json!("status"), &json!(false)),
        "{first}"
    );
    // The lock is free, and the next one goes on from there.
    served.patch(&format!("{MAPS}/gate"), &json!({"data": {"open": "yes"}}));
    let applied = sandbox.simulate(&["apply", "--yes"]).expect(0);
    assert!(applied.stdout.contains("1 created"), "{}", applied.shown());
    assert_eq!(recorded(&sandbox), ["behind", "gate"]);
    let is_behind = |line: &Value| {
        let address = line["address"].as_str().unwrap_or_default();
        address.starts_with("manifests[behind]") && line["status"] == "ready"
    };
    while !is_behind(&read(&watch.line())) {}
    let (code, rest) = watch.interrupt();
    assert_eq!(code, 130);
    let last = read(rest.last().expect("a last line"));
    assert_eq!(
        (&last["event"], &last["all_ready"]),
        (&json!("finished"), &json!(true)),
        "{last}"
    );
    sandbox.simulate(&["plan", "--detailed-exitcode"]).expect(0);
}

/// Runs a command to its end, and says first which process it is.
fn interruptible(mut command: Command, started: &std::sync::mpsc::Sender<String>) -> Ran {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the binary starts");
    started.send(child.id().to_string()).expect("somebody listens");
    let output = child.wait_with_output().expect("it ends");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
