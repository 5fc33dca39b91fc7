//! Models-as-a-Service as it comes, changes and goes: the order of its steps, the evidence of a new limit, the known race,
//! and its tenant. The audit log of the cluster is the judge.

use crate::{
    audit::Entry,
    sandbox::{FAST, Sandbox},
};

/// The nth accepted write of ours to an object, or where an operator first wrote one.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ours(&'static str, &'static str, usize),
    Theirs(&'static str, &'static str),
}

use Step::{Ours, Theirs};

/// `reference/serving.md` §2.2, row by row: the first comes before the second.
const ORDER: &[(Step, Step)] = &[
    (Ours("Kuadrant", "kuadrant", 0), FLIP),
    (Ours("Gateway", "maas-default-gateway", 0), FLIP),
    (Ours("Secret", "maas-db-config", 0), Ours("Deployment", "maas-db", 0)),
    (Ours("Deployment", "maas-db", 0), FLIP),
    (FLIP, Theirs("CustomResourceDefinition", "tenants.maas.opendatahub.io")),
    (
        Theirs("CustomResourceDefinition", "tenants.maas.opendatahub.io"),
        Ours("Tenant", "default-tenant", 0),
    ),
    (Theirs("Tenant", "default-tenant"), Ours("Tenant", "default-tenant", 0)),
    // 4a to 4d.
    (
        Ours("Service", "authorino-authorino-authorization", 0),
        Theirs("Secret", "authorino-server-cert"),
    ),
    (
        Theirs("Secret", "authorino-server-cert"),
        Ours("Authorino", "authorino", 0),
    ),
    (Ours("Authorino", "authorino", 0), Ours("Deployment", "authorino", 0)),
    (
        Ours("Deployment", "authorino", 0),
        Ours("Gateway", "maas-default-gateway", 1),
    ),
    (
        Ours("Gateway", "maas-default-gateway", 1),
        Theirs("EnvoyFilter", "maas-default-gateway-authn-ssl"),
    ),
    (
        Theirs("EnvoyFilter", "maas-default-gateway-authn-ssl"),
        Ours("LLMInferenceService", "qwen3-8b", 0),
    ),
    (
        Ours("LLMInferenceService", "qwen3-8b", 0),
        Ours("MaaSModelRef", "qwen3-8b", 0),
    ),
    (
        Ours("MaaSModelRef", "qwen3-8b", 0),
        Ours("MaaSSubscription", "pro-subscription", 0),
    ),
    (
        Ours("MaaSModelRef", "qwen3-8b", 0),
        Ours("MaaSAuthPolicy", "pro-auth-policy", 0),
    ),
    (
        Ours("Group", "pro-users", 0),
        Ours("MaaSAuthPolicy", "pro-auth-policy", 0),
    ),
    (
        Ours("Tenant", "default-tenant", 0),
        Ours("OdhDashboardConfig", "odh-dashboard-config", 1),
    ),
    (
        Ours("OdhDashboardConfig", "odh-dashboard-config", 1),
        Ours("Deployment", "rhods-dashboard", 0),
    ),
];

/// The switch of MaaS is the second thing that is written to the cluster of components.
const FLIP: Step = Ours("DataScienceCluster", "default-dsc", 1);

impl Step {
    fn at(self, audit: &[Entry]) -> Option<usize> {
        let is = |entry: &Entry, kind: &str, name: &str| entry.is(kind, name) && entry.changes();
        let places = audit.iter().enumerate();
        match self {
            Ours(kind, name, nth) => places
                .filter(|(_, entry)| is(entry, kind, name) && entry.is_our_write())
                .nth(nth),
            Theirs(kind, name) => {
                let mut places = places;
                places.find(|(_, entry)| is(entry, kind, name) && entry.user.starts_with("operator:"))
            }
        }
        .map(|(place, _)| place)
    }
}

#[test]
fn the_eight_steps_keep_their_order_whatever_the_parallelism() {
    for parallelism in ["1", "16", "64"] {
        let sandbox = Sandbox::new();
        sandbox
            .simulate(&["apply", "stack.toml", "--yes", "--parallelism", parallelism])
            .expect(0);
        let audit = sandbox.audit();
        for (earlier, later) in ORDER {
            let (Some(first), Some(second)) = (earlier.at(&audit), later.at(&audit)) else {
                panic!("parallelism {parallelism}: {earlier:?} or {later:?} never happened");
            };
            assert!(
                first < second,
                "parallelism {parallelism}: {later:?} came before {earlier:?}"
            );
        }
    }
}

#[test]
fn a_new_limit_counts_once_the_merged_policy_carries_it_and_is_enforced() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.edit("tokens = 3_000", "tokens = 6_000");
    let planned = sandbox.simulate(&["plan", "stack.toml"]).expect(0);
    assert!(
        planned
            .stdout
            .contains("from 3000 to 6000 tokens per 5m: applies to all its keys at once"),
        "{}",
        planned.shown()
    );
    // The subscription is written, and nobody writes it into the policy; then it is in the policy, and nobody enforces it.
    // How often the policy was merged before, its generation, is the operator's affair.
    for (stopped, says) in [
        ("maas", "rates[0].limit is 3000"),
        (
            "kuadrant",
            "TokenRateLimitPolicy maas-trlp-qwen3-8b: Accepted speaks of generation ",
        ),
    ] {
        let fault = format!("stopped@{stopped}");
        let arguments = [
            "apply",
            "stack.toml",
            "--yes",
            "--fault",
            &fault,
            "--ready-timeout",
            "4s",
        ];
        let mut ran = sandbox.simulate(&arguments).expect(1);
        // Where much else is done the operator that still works may come later than the limit; the next run goes on from there.
        for _ in 0..8 {
            if ran.stderr.contains(says) {
                break;
            }
            ran = sandbox.simulate(&arguments).expect(1);
        }
        assert!(
            ran.stderr.contains("maas.tier[pro].enforced did not become ready"),
            "{stopped}: {}",
            ran.shown()
        );
        assert!(ran.stderr.contains(says), "{stopped}: {}", ran.shown());
    }
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
}

#[test]
fn a_missed_look_at_authorino_costs_exactly_one_remedy() {
    let sandbox = Sandbox::new();
    let fault = "authorino-tls-missed@maas-default-gateway";
    let ran = sandbox
        .simulate(&["apply", "stack.toml", "--yes", "--fault", fault])
        .expect(0);
    let told = ran
        .stdout
        .lines()
        .chain(ran.stderr.lines())
        .filter(|line| line.contains("remedy") && line.contains("maas.authorino.filter"))
        .count();
    assert_eq!(told, 1, "{}", ran.shown());
    let audit = sandbox.audit();
    let writes = |kind: &str, name: &str| {
        let ours = |entry: &&Entry| entry.is_our_write() && entry.is(kind, name);
        audit.iter().filter(ours).count()
    };
    // Made, annotated once Authorino has TLS, and touched by the remedy.
    assert_eq!(writes("Gateway", "maas-default-gateway"), 3);
    assert_eq!(writes("Deployment", "odh-model-controller"), 1);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
}

#[test]
fn the_tenant_is_never_deleted_while_maas_is_on() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let n_before = sandbox.audit().len();
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    let audit = sandbox.audit();
    let ours = audit
        .iter()
        .filter(|entry| entry.is_our_write() && entry.verb.starts_with("delete"));
    let wrong: Vec<_> = ours
        .filter(|entry| entry.kind == "Tenant" || entry.is("Namespace", "models-as-a-service"))
        .map(Entry::key)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let off = audit
        .iter()
        .skip(n_before)
        .position(|entry| entry.is_our_write() && entry.is("DataScienceCluster", "default-dsc"));
    let gone = audit
        .iter()
        .skip(n_before)
        .position(|entry| entry.verb == "removed" && entry.kind == "Tenant");
    let (Some(off), Some(gone)) = (off, gone) else {
        panic!("switched off at {off:?}, the tenant gone at {gone:?}");
    };
    assert!(off < gone, "the tenant went before MaaS was switched off");
}

#[test]
fn maas_goes_out_of_a_stack_and_comes_back() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let with = std::fs::read_to_string(sandbox.path().join("stack.toml")).expect("readable");
    let (before, rest) = with.split_once("[maas]\n").expect("a table of MaaS");
    let (_, after) = rest.split_once("[state]\n").expect("a table behind it");
    let without = format!("{before}[state]\n{after}").replace("maas       = true ", "maas       = false");
    sandbox.write(&without);
    // The database goes, which holds data.
    let planned = sandbox.simulate(&["plan", "stack.toml"]).expect(1);
    assert!(planned.stderr.contains("--yes-delete"), "{}", planned.shown());
    for said in [
        "switches MaaS off",
        "every API key is lost",
        "moves model qwen3-8b out of MaaS",
        "without a key or token",
    ] {
        assert!(planned.stdout.contains(said), "`{said}`: {}", planned.shown());
    }
    for _ in 0..2 {
        sandbox
            .simulate(&["apply", "stack.toml", "--yes", "--yes-delete"])
            .expect(0);
        sandbox
            .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
            .expect(0);
        sandbox.write(&with);
    }
}

#[test]
fn a_canary_takes_over_and_the_plan_says_what_that_means() {
    let sandbox = Sandbox::of("canary");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let set = "models[nemotron-nano-9b].canary.weight=100";
    let planned = sandbox.simulate(&["plan", "stack.toml", "--set", set]).expect(0);
    assert!(
        planned.stdout.contains("90 %") && planned.stdout.contains("100 %"),
        "{}",
        planned.shown()
    );
    sandbox
        .simulate(&["apply", "stack.toml", "--yes", "--set", set])
        .expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode", "--set", set])
        .expect(0);
}

#[test]
fn only_the_user_who_goes_is_named() {
    let sandbox = Sandbox::of("two-tenants");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.edit(
        "[[maas.users]]\nname     = \"bob\"\npassword = { env = \"BOB_PASSWORD\" }\n",
        "",
    );
    let planned = sandbox.simulate(&["plan", "stack.toml"]).expect(0);
    let said = "takes the line of bob out of Secret openshift-config/htpass-secret";
    let (_, told) = planned.stdout.split_once("Before you say yes").unwrap_or_default();
    assert!(told.contains(said) && !told.contains("alice"), "{}", planned.shown());
}

/// A state from before the database was made is put back: nothing but its Secret still knows the password.
#[test]
fn one_password_outlives_the_loss_of_its_record() {
    let sandbox = Sandbox::new();
    let state = sandbox.path().join(".stackctl/simulator/state");
    let kept = sandbox.path().join("kept");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let done = std::process::Command::new("cp").arg("-a").args([from, to]).status();
        assert!(done.expect("cp runs").success());
    };
    let without = ["--set", "maas.enabled=false", "--set", "models[qwen3-8b].maas=false"];
    let mut apply = vec!["apply", "stack.toml", "--yes"];
    apply.extend(without);
    sandbox.simulate(&apply).expect(0);
    copy(&state, &kept);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let password = || {
        let served = crate::cluster::Served::start_with(&sandbox, &["simulate", "--simulate-speed", FAST]);
        served.get("/api/v1/namespaces/redhat-ods-applications/secrets/maas-db-config")["data"].clone()
    };
    let before = password();
    std::fs::remove_dir_all(&state).expect("there is a state");
    copy(&kept, &state);
    let refused = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(1);
    assert!(refused.stderr.contains("state rebuild --force"), "{}", refused.shown());
    sandbox.simulate(&["state", "rebuild", "--force"]).expect(0);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert!(before.is_object() && password() == before);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
}

#[test]
fn a_secret_that_moves_to_the_other_model_of_two_is_kept() {
    let sandbox = Sandbox::of("external-models");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let uid = || {
        let served = crate::cluster::Served::start_with(&sandbox, &["simulate", "--simulate-speed", FAST]);
        let secret = served.get("/api/v1/namespaces/external-models/secrets/qwen3-14b-credentials");
        secret["metadata"]["uid"].clone()
    };
    let before = uid();
    // The first of the two, whose Secret the other uses as well, gets another name.
    sandbox.edit(
        "name     = \"qwen3-14b\"",
        "name     = \"qwen-next\"\nsecret_name = \"qwen3-14b-credentials\"",
    );
    sandbox.edit("model = \"qwen3-14b\"", "model = \"qwen-next\"");
    let ran = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert!(!ran.stderr.contains("credential deleted"), "{}", ran.shown());
    assert_eq!(uid(), before);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
}
