//! What others have in the objects that we write into: there before us, edited while we apply, there after us.

use crate::{
    cluster::Served,
    sandbox::{FAST, Sandbox},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const BUNDLE: &str = "/api/v1/namespaces/openshift-config/configmaps/user-ca-bundle";
const MONITORING: &str = "/api/v1/namespaces/openshift-monitoring/configmaps/cluster-monitoring-config";
const API_SERVER: &str = "/apis/config.openshift.io/v1/apiservers/cluster";
const ROUTER: &str = "/apis/operator.openshift.io/v1/namespaces/openshift-ingress-operator/ingresscontrollers/default";
const PROXY: &str = "/apis/config.openshift.io/v1/proxies/cluster";

/// A block whose content says who put it there: letters are base64 too, in fours.
fn block(words: &str) -> String {
    format!("# {words}\n-----BEGIN CERTIFICATE-----\n{words:A<12}\n-----END CERTIFICATE-----\n")
}

fn named(host: &str) -> Value {
    json!({"names": [host], "servingCertificate": {"name": host}})
}

fn text(object: &Value, key: &str) -> String {
    object["data"][key].as_str().unwrap_or_default().to_owned()
}

/// The stack: an authority of its own on AWS, presented by the router and the API server.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::of("aws-production");
    sandbox.edit(
        "issuer = \"letsencrypt\"\nemail  = \"platform@example.com\"",
        "issuer = \"local-ca\"\nattach = [\"api\", \"ingress\"]",
    );
    sandbox
}

#[test]
fn it_survives_apply_and_destroy_also_when_it_is_edited_meanwhile() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let maps = |namespace: &str| format!("/api/v1/namespaces/{namespace}/configmaps");
    served.make(
        &maps("openshift-config"),
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "user-ca-bundle", "namespace": "openshift-config"},
                "data": {"ca-bundle.crt": block("corporate")}}),
    );
    served.make(
        &maps("openshift-monitoring"),
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cluster-monitoring-config", "namespace": "openshift-monitoring"},
                "data": {"config.yaml": "# ours\nprometheusK8s:\n  retention: 7d # a week\n"}}),
    );
    served.patch(
        API_SERVER,
        &json!({"spec": {"servingCerts": {"namedCertificates": [named("api.corp.example.com")]}}}),
    );
    served.patch(
        ROUTER,
        &json!({"spec": {"replicas": 3, "defaultCertificate": {"name": "corporate"}}}),
    );

    let mut child = sandbox
        .command(&["apply", "stack.toml", "--yes", "--simulate", "--simulate-speed", FAST])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    // Once ours is in each of them, somebody else adds to it while the apply goes on.
    wait_until(|| text(&served.get(BUNDLE), "ca-bundle.crt").matches("BEGIN").count() == 2);
    let bundle = text(&served.get(BUNDLE), "ca-bundle.crt");
    served.patch(
        BUNDLE,
        &json!({"data": {"ca-bundle.crt": format!("{bundle}{}", block("late"))}}),
    );
    wait_until(|| text(&served.get(MONITORING), "config.yaml").contains("enableUserWorkload: true"));
    let config = text(&served.get(MONITORING), "config.yaml");
    served.patch(
        MONITORING,
        &json!({"data": {"config.yaml": format!("{config}alertmanagerMain:\n  enabled: false\n")}}),
    );
    let names = |object: &Value| object["spec"]["servingCerts"]["namedCertificates"].clone();
    wait_until(|| {
        names(&served.get(API_SERVER))
            .as_array()
            .is_some_and(|all| all.len() == 2)
    });
    let mut all = names(&served.get(API_SERVER));
    all.as_array_mut().expect("a list").push(named("api.late.example.com"));
    served.patch(
        API_SERVER,
        &json!({"spec": {"servingCerts": {"namedCertificates": all}}}),
    );
    assert!(child.wait().expect("a child").success(), "the apply failed");

    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    let bundle = text(&served.get(BUNDLE), "ca-bundle.crt");
    assert!(
        bundle.starts_with(&block("corporate"))
            && bundle.contains(&block("late"))
            && bundle.matches("BEGIN").count() == 3,
        "{bundle}"
    );
    assert_eq!(
        served.get(ROUTER)["spec"]["defaultCertificate"]["name"],
        "ingress-certs"
    );
    assert_eq!(served.get(ROUTER)["spec"]["replicas"], 3);
    assert_eq!(served.get(PROXY)["spec"]["trustedCA"]["name"], "user-ca-bundle");
    assert_eq!(names(&served.get(API_SERVER)).as_array().map(Vec::len), Some(3));

    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    let bundle = text(&served.get(BUNDLE), "ca-bundle.crt");
    assert_eq!(bundle, format!("{}{}", block("corporate"), block("late")));
    let config = text(&served.get(MONITORING), "config.yaml");
    assert_eq!(
        config,
        "# ours\nprometheusK8s:\n  retention: 7d # a week\nalertmanagerMain:\n  enabled: false\n"
    );
    assert_eq!(
        names(&served.get(API_SERVER)),
        json!([named("api.corp.example.com"), named("api.late.example.com")])
    );
    assert_eq!(served.get(ROUTER)["spec"]["defaultCertificate"]["name"], "corporate");
    assert_eq!(served.get(ROUTER)["spec"]["replicas"], 3);
    assert_eq!(served.get(PROXY)["spec"]["trustedCA"]["name"], "");
}

#[track_caller]
fn wait_until(holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(120), "it does not come");
        std::thread::yield_now();
    }
}

/// Facts that move on their own, and one that we set ourselves, change nothing (DESIGN §2, pinned facts).
#[test]
fn facts_that_move_leave_the_plan_empty_and_a_saved_plan_valid() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.edit("metrics_retention = \"30d\"", "metrics_retention = \"60d\"");
    sandbox.simulate(&["plan", "stack.toml", "-o", "change.plan"]).expect(0);
    let manifests = "/apis/packages.operators.coreos.com/v1/namespaces/openshift-marketplace/packagemanifests/nfd";
    let mut channels = served.get(manifests)["status"]["channels"].clone();
    for channel in channels.as_array_mut().expect("channels") {
        channel["currentCSV"] = json!("nfd.9.99.0");
        channel["entries"] = json!([{"name": "nfd.9.99.0"}]);
    }
    let status = format!("{manifests}/status");
    if served.find(&status).is_some() {
        served.patch(&status, &json!({"status": {"channels": channels}}));
    } else {
        served.patch(manifests, &json!({"status": {"channels": channels}}));
    }
    // Another MachineSet, first by its name, with another machine image.
    let sets = "/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api/machinesets";
    let mut first = served.get(sets)["items"][0].clone();
    let metadata = json!({"name": "a-first-one", "namespace": "openshift-machine-api"});
    first["metadata"] = metadata;
    first["spec"]["replicas"] = json!(0);
    first["spec"]["template"]["spec"]["providerSpec"]["value"]["ami"]["id"] = json!("ami-moved");
    first.as_object_mut().expect("an object").remove("status");
    served.make(sets, &first);
    sandbox.simulate(&["apply", "change.plan", "--yes"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    // It moves on request, and is told as what it is.
    let refreshed = ["plan", "stack.toml", "--refresh-facts"];
    let told = sandbox.simulate(&refreshed).expect(0);
    assert!(told.stdout.contains("\nFacts moved\n"), "{}", told.shown());
    assert!(told.stdout.contains(" → ami-moved "), "{}", told.shown());
    let planned = sandbox
        .simulate(&[&refreshed[..], &["--json"]].concat())
        .expect(0)
        .json();
    let moved = planned["facts_moved"].as_array().expect("some moved");
    assert!(moved.iter().any(|fact| fact["after"] == "ami-moved"), "{moved:?}");
    assert_eq!(planned["has_changes"], true, "machines are made of another image");
    // The certificate's name is ours now; a stack that asks for the router's own does not take it for a fact of others.
    sandbox.edit(
        "issuer = \"local-ca\"\nattach = [\"api\", \"ingress\"]",
        "issuer = \"existing\"",
    );
    let planned = sandbox.simulate(&["plan", "stack.toml", "--json"]).expect(0).json();
    let gateway = planned["resource_changes"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|step| step["address"] == "llm-d.gateway")
        .cloned()
        .unwrap_or_default();
    assert!(gateway.to_string().contains("router-certs-default"), "{gateway}");
}
