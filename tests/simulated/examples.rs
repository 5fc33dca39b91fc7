//! Every example from an empty cluster to nothing again, judged as the quickstart is.

use crate::{
    cluster::Served,
    destroy::left_as_announced,
    sandbox::{FAST, Sandbox},
    true_crds::of_real_releases,
};

/// A stack that has every key of the tables that people may add.
const ADDITIONS: &str = include_str!("../../stacks/src/components/tests/additions.toml");

/// Applies, plans and destroys an example on a cluster of its platform that holds it to the definitions of real releases;
/// `files` are its layers.
fn lives_and_goes(sandbox: &Sandbox, platform: &str, files: &[&str]) {
    let of_platform: &[&str] = if platform == "aws" {
        &[]
    } else {
        &["--simulate-platform", platform]
    };
    let on = |arguments: &[&str]| sandbox.simulate(&[arguments, files, of_platform].concat());
    let true_crds = of_real_releases();
    let true_crds: Vec<&str> = true_crds.iter().map(String::as_str).collect();
    let arguments = ["simulate", "--simulate-speed", FAST];
    // One process serves it to all commands: hundreds of real definitions are dear to read.
    let served = Served::start_with(sandbox, &[&arguments[..], of_platform, &true_crds].concat());
    let crd = served.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.gateway.networking.k8s.io");
    let is_true = crd.to_string().contains("x-kubernetes-validations");
    assert_eq!(
        is_true,
        !true_crds.is_empty(),
        "definitions of real releases, where they are there"
    );
    let before = served.snapshot();
    on(&["apply", "--yes"]).expect(0);
    on(&["plan", "--detailed-exitcode"]).expect(0);
    on(&["drift"]).expect(0);
    no_operator_was_refused(sandbox);
    let audit = sandbox.audit();
    let made: Vec<_> = audit
        .iter()
        .filter(|entry| entry.is_our_write() && entry.created)
        .map(|e| e.key())
        .collect();
    let mut once = made.clone();
    once.sort();
    once.dedup();
    assert!(made.len() > 50 && once.len() == made.len(), "made twice: {made:?}");
    let planned = on(&["plan", "--destroy", "--json"]).expect(0).json();
    on(&["destroy", "--yes"]).expect(0);
    left_as_announced(&before, &served.settled(), &planned);
    no_secret_is_written_down(sandbox);
}

/// No operator wrote what a real one would be refused.
fn no_operator_was_refused(sandbox: &Sandbox) {
    let audit = sandbox.audit();
    let mistakes: Vec<_> = audit
        .iter()
        .filter(|entry| entry.is_operator_mistake())
        .map(|entry| format!("{} {} {}", entry.user, entry.key(), entry.code))
        .collect();
    assert!(mistakes.is_empty(), "{mistakes:?}");
}

/// Nothing that the person was asked for stands in a file of ours: not in the state, the audit log or anywhere else.
fn no_secret_is_written_down(sandbox: &Sandbox) {
    let mut folders = vec![sandbox.path().join(".stackctl")];
    let mut n_files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("readable") {
            let path = entry.expect("an entry of it").path();
            // What the cluster keeps is the cluster's.
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            n_files += 1;
            let text = String::from_utf8_lossy(&std::fs::read(&path).expect("readable")).into_owned();
            let is_in = |folder: &str| path.components().any(|part| part.as_os_str() == folder);
            // The state of a rehearsal lies beside the store, and is ours.
            let is_store = is_in("simulator") && !is_in("state");
            let is_log = path.ends_with("audit.ndjson");
            // As it was typed, and as a Secret holds it: base64 of `sekrit`.
            let holds_one = ["sekrit-", "c2Vrcml0"].iter().any(|secret| text.contains(secret));
            assert!(is_store && !is_log || !holds_one, "{}", path.display());
        }
    }
    assert!(n_files > 2, "no state was looked at");
}

#[test]
fn no_example_is_forgotten() {
    let here = include_str!("examples.rs");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for example in std::fs::read_dir(folder).expect("the examples are there") {
        let name = example.expect("an entry").file_name().to_string_lossy().into_owned();
        let lives = format!("lives_and_goes(&Sandbox::of(\"{name}\")");
        assert!(here.contains(&lives), "{name} is not tried");
    }
}

#[test]
fn quickstart() {
    lives_and_goes(&Sandbox::of("quickstart"), "aws", &["stack.toml"]);
}

#[test]
fn aws_production() {
    lives_and_goes(&Sandbox::of("aws-production"), "aws", &["stack.toml"]);
}

#[test]
fn bare_metal() {
    lives_and_goes(&Sandbox::of("bare-metal"), "none", &["stack.toml"]);
}

#[test]
fn everything_that_people_may_add() {
    let sandbox = Sandbox::of("aws-production");
    sandbox.write(ADDITIONS);
    lives_and_goes(&sandbox, "aws", &["stack.toml"]);
}

#[test]
fn external_models() {
    lives_and_goes(&Sandbox::of("external-models"), "none", &["stack.toml"]);
}

#[test]
fn gateway_policies() {
    lives_and_goes(&Sandbox::of("gateway-policies"), "none", &["stack.toml"]);
}

#[test]
fn canary() {
    lives_and_goes(&Sandbox::of("canary"), "aws", &["stack.toml"]);
}

#[test]
fn prefill_decode() {
    lives_and_goes(&Sandbox::of("prefill-decode"), "aws", &["stack.toml"]);
}

#[test]
fn two_tenants() {
    lives_and_goes(&Sandbox::of("two-tenants"), "aws", &["stack.toml"]);
}

#[test]
fn layers() {
    lives_and_goes(&Sandbox::of("layers"), "aws", &["base.toml", "staging.toml"]);
    lives_and_goes(&Sandbox::of("layers"), "aws", &["base.toml", "prod.toml"]);
}
