//! The quickstart on a genuine kube-apiserver, which the simulated operators act on.
//!
//! `STACKCTL_TEST_KUBECONFIG` names a scratch cluster (`cargo xtask apiserver up --audit` makes one), and
//! `STACKCTL_TEST_AUDIT_LOG` its audit log. Without the first nothing here runs, and that is said where nobody can miss
//! it: this target has a harness of its own, whose words `cargo test` does not swallow. CI fails without both.

#![allow(clippy::print_stdout, reason = "this is its own test harness")]

#[path = "../acts/mod.rs"]
mod acts;
#[path = "../simulated/audit.rs"]
#[allow(dead_code, reason = "it is shared with the runs on the embedded cluster")]
mod audit;
#[path = "../documents.rs"]
mod documents;
#[path = "../missing_rights.rs"]
mod missing_rights;
#[path = "../not_run.rs"]
mod not_run;
mod operators;
mod order;
mod rights;
#[path = "../secrecy.rs"]
mod secrecy;
mod stage;

use serde_json::Value;
use stage::Stage;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(stage) = Stage::given() else {
        println!(
            "\nNOT RUN: the quickstart on a real kube-apiserver. `cargo xtask apiserver up --audit --dir DIR`, then set\n\
             STACKCTL_TEST_KUBECONFIG=DIR/kubeconfig.yaml and STACKCTL_TEST_AUDIT_LOG=DIR/audit.log.\n\n\
             0 passed, 0 failed, 1 skipped"
        );
        return ExitCode::SUCCESS;
    };
    println!("the quickstart on {}", stage.server());
    let operators = operators::start(&stage);
    // Words on the command line choose, for whoever works on one act: each but the last stands on those before it.
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|word| name.contains(word.as_str()));
    let acts: Vec<_> = ACTS.iter().filter(|(name, _)| is_chosen(name)).collect();
    for (name, act) in &acts {
        println!("act {name} ...");
        act(&stage);
        println!("act {name} ... ok");
    }
    drop(operators);
    println!("\n{} passed, 0 failed", acts.len());
    ExitCode::SUCCESS
}

/// What it is called, and what it does.
type Act = (&'static str, fn(&Stage));

/// What happens, in this order; an act that fails panics with what it saw.
const ACTS: &[Act] = &[
    (
        "an apply names the rights that are missing, and converges with those alone",
        rights::applies_with_just_enough,
    ),
    ("the next plan is empty and nothing drifted", |stage| {
        stage.run(&["plan", "stack.toml", "--detailed-exitcode"]).expect(0);
        stage.run(&["drift", "stack.toml"]).expect(0);
        let status = stage.run(&["status"]).expect(0);
        assert!(status.stdout.contains("ready"), "{}", status.shown());
    }),
    ("every object was made once, and after what it needs", |stage| {
        order::made_once(&stage.audit());
        order::made_after_what_it_needs(&stage.audit());
    }),
    (
        "the password that was drawn is in its Secret and nowhere else",
        the_password_is_in_its_secret_alone,
    ),
    ("an edit by kubectl is drift with its manager, and mended", drifts),
    ("destroy takes everything away, operands before operators", |stage| {
        stage.run(&["destroy", "stack.toml", "--yes"]).expect(0);
        order::operators_outlive_operands(&stage.audit());
        let left = stage.run(&["state", "list"]).expect(0);
        assert!(!left.stdout.contains("maas."), "{}", left.shown());
    }),
    ("what others do to the same objects", |stage| {
        acts::play(&stage.for_acts())
    }),
];

/// Looks through every object that the server has, every file that was left, and what is said when all of it is said.
fn the_password_is_in_its_secret_alone(stage: &Stage) {
    let secret = [
        "get",
        "secret",
        "maas-db-config",
        "-n",
        "redhat-ods-applications",
        "-o",
        "json",
    ];
    let Some(secret) = stage.kubectl_says(&secret) else {
        not_run::not_run("kubectl is not on this machine");
        return;
    };
    let secret: Value = serde_json::from_str(&secret).expect("JSON");
    let password = secret["data"]["password"].as_str().and_then(secrecy::decoded);
    let password = password.expect("it was drawn");
    let forms = secrecy::forms(&password);
    let has = |text: &str| forms.iter().any(|form| text.contains(form.as_str()));

    let list = |arguments: &[&str]| stage.kubectl_says(arguments).expect("kubectl was there a moment ago");
    let kinds = list(&["api-resources", "--verbs=list", "-o", "name"]);
    let kinds: Vec<_> = kinds.lines().filter(|kind| !kind.starts_with("events")).collect();
    let all: Value = serde_json::from_str(&list(&["get", &kinds.join(","), "-A", "-o", "json"])).expect("JSON");
    let objects = all["items"].as_array().expect("a list");
    assert!(objects.len() > 500, "{} objects", objects.len());
    let holders: Vec<_> = objects
        .iter()
        .filter(|object| has(&object.to_string()))
        .map(|object| format!("{} {}", object["kind"], object["metadata"]["name"]))
        .collect();
    assert_eq!(holders, [r#""Secret" "maas-db-config""#]);

    for arguments in [
        &["plan", "stack.toml", "-vvv", "-o", "looked.plan"][..],
        &["drift", "stack.toml", "-vvv", "--json"],
        &["state", "pull", "-vvv"],
        &["state", "show", "maas.database.secret", "-vvv"],
    ] {
        let ran = stage.run(arguments).expect(0);
        assert!(!has(&ran.stdout) && !has(&ran.stderr), "{arguments:?} says it");
    }
    let mut files = Vec::new();
    secrecy::gather(stage.path(), &mut files);
    assert!(
        files.iter().any(|file| file.ends_with("quickstart.state.json")),
        "{files:?}"
    );
    for file in files {
        let text = std::fs::read(&file).expect("readable");
        assert!(!has(&String::from_utf8_lossy(&text)), "it is in {}", file.display());
    }
}

fn drifts(stage: &Stage) {
    let patch = [
        "-n",
        "models-as-a-service",
        "patch",
        "maassubscription",
        "pro-subscription",
        "--type=merge",
        "--field-manager=intruder",
        "-p",
        "{\"spec\":{\"priority\":77}}",
    ];
    if !stage.kubectl(&patch) {
        not_run::not_run("kubectl is not on this machine");
        return;
    }
    let told = stage.run(&["drift", "stack.toml"]).expect(2);
    assert!(
        told.stdout.contains("spec.priority") && told.stdout.contains("intruder"),
        "{}",
        told.shown()
    );
    stage.run(&["apply", "stack.toml", "--yes"]).expect(0);
    stage.run(&["drift", "stack.toml"]).expect(0);
}
