//! The recipe of `ci/shell`, run end to end as a CI would: a pull request, its merge, and a look on a schedule.

use crate::{
    cluster::{Served, kubectl_edits},
    sandbox::{FAST, Ran, Sandbox},
};
use std::{path::Path, process::Command};

const STACK: &str = "[stack]\nname = \"settings\"\n\n[[manifests]]\nname = \"app\"\npath = \"app.yaml\"\n";

fn settings(most: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: limits, namespace: default}}\ndata: {{most: '{most}'}}\n"
    )
}

/// A step of the recipe, on the embedded cluster that stands for the real one.
fn step(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    recipe(sandbox, arguments, &[])
}

/// The same with variables of a job.
fn recipe(sandbox: &Sandbox, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci/shell/stackctl-ci.sh");
    let mut command = Command::new("sh");
    command
        .arg(recipe)
        .args(arguments)
        .current_dir(sandbox.path())
        .env_clear();
    command
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", sandbox.path());
    command.env("STACKCTL", env!("CARGO_BIN_EXE_stackctl"));
    command.envs(variables.iter().copied());
    command
        .env("STACKCTL_SIMULATE", "1")
        .env("STACKCTL_SIMULATE_SPEED", FAST);
    Ran::of(command)
}

fn git(sandbox: &Sandbox, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(arguments);
    git.current_dir(sandbox.path()).env_clear();
    git.env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", sandbox.path());
    Ran::of(git).expect(0);
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path().join("stackctl-out").join(name)).expect("the recipe writes it")
}

#[test]
fn a_pull_request_is_commented_its_merge_applies_that_very_plan_and_an_edit_is_found_on_schedule() {
    let sandbox = Sandbox::new();
    let app = sandbox.path().join("app.yaml");
    sandbox.write(STACK);
    std::fs::write(&app, settings("1")).expect("writable");
    std::fs::write(sandbox.path().join(".gitignore"), ".stackctl/\nstackctl-out/\n").expect("writable");
    git(&sandbox, &["init", "--quiet", "--initial-branch", "main"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "--quiet", "-m", "one"]);
    step(&sandbox, &["plan"]).expect(0);
    step(&sandbox, &["apply"]).expect(0);

    // The pull request: what it means, that it can be applied, and what it would do to the cluster.
    git(&sandbox, &["switch", "--quiet", "-c", "change"]);
    std::fs::write(&app, settings("2")).expect("writable");
    git(&sandbox, &["commit", "--quiet", "-am", "two"]);
    step(&sandbox, &["review", "main"]).expect(0);
    let comment = read(&sandbox, "comment.md");
    let marker = comment.lines().next().expect("a marker").to_owned();
    assert!(
        comment.contains("1 safe") && comment.contains("+ data.most: \"2\""),
        "{comment}"
    );
    step(&sandbox, &["rehearse"]).expect(0);
    step(&sandbox, &["plan"]).expect(0);
    let (comment, digest) = (read(&sandbox, "comment.md"), read(&sandbox, "change.digest"));
    assert!(comment.starts_with(&marker), "one comment a stack: {comment}");
    assert!(
        comment.contains("1 safe") && comment.contains("+ data.most: \"2\""),
        "{comment}"
    );
    assert!(comment.contains(&format!("--expect {}`", digest.trim())), "{comment}");

    // The same by hand: what the files here would do to this cluster, what it does to users first.
    let live = sandbox.simulate(&["diff", "--live", "--exit-code"]).expect(2);
    let at = |word: &str| {
        live.stdout
            .find(word)
            .unwrap_or_else(|| panic!("{word}: {}", live.shown()))
    };
    assert!(
        at("cluster simulated") < at("1 safe") && at("1 safe") < at("~ manifests"),
        "{}",
        live.shown()
    );
    assert!(live.stdout.contains("data.most:  \"1\" → \"2\""), "{}", live.shown());
    let document = sandbox
        .simulate(&["diff", "--live", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(document["summary"]["update"], 1, "{document}");

    // The merge: exactly that plan.
    git(&sandbox, &["switch", "--quiet", "main"]);
    git(&sandbox, &["merge", "--quiet", "--no-ff", "-m", "merge", "change"]);
    // Neither with other files nor with another digest is it what was approved.
    std::fs::write(&app, settings("3")).expect("writable");
    let refused = step(&sandbox, &["apply"]).expect(1);
    assert!(refused.stderr.contains("is no longer true"), "{}", refused.shown());
    std::fs::write(&app, settings("2")).expect("writable");
    let other = format!("sha256:{}", "0".repeat(64));
    let refused = recipe(&sandbox, &["apply"], &[("DIGEST", &other)]).expect(1);
    assert!(
        refused.stderr.contains("is not the one that was approved"),
        "{}",
        refused.shown()
    );
    step(&sandbox, &["apply"]).expect(0);
    step(&sandbox, &["drift"]).expect(0);
    sandbox.simulate(&["diff", "--live", "--exit-code"]).expect(0);

    // The schedule, after somebody edited by hand.
    let served = Served::start(&sandbox);
    let limits = "/api/v1/namespaces/default/configmaps/limits";
    let live = served.get(limits);
    assert_eq!(live["data"]["most"], "2", "{live}");
    let edit = ["edit", "configmap", "limits", "-n", "default"];
    let Some((ok, text)) = kubectl_edits(&sandbox, &served, "s/most:.*/most:\\ \\'9\\'/", &edit) else {
        return;
    };
    assert!(ok, "{text}");
    step(&sandbox, &["drift"]).expect(2);
    let drift = read(&sandbox, "drift.txt");
    for word in ["ConfigMap default/limits", "data.most", "kubectl-edit"] {
        assert!(drift.contains(word), "{drift}");
    }
}
