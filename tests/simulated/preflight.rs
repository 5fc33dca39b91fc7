//! Whether the cluster is fit, and that an unfit one is left alone.

use crate::{
    cluster::Served,
    sandbox::{Ran, Sandbox},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CLASS: &str = "/apis/storage.k8s.io/v1/storageclasses/gp3-csi";

#[test]
fn an_unfit_cluster_is_told_and_nothing_is_written_to_it() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox);
    let fit = sandbox.simulate(&["preflight", "stack.toml"]).expect(0);
    assert!(fit.stdout.contains("0 fail"), "{}", fit.shown());
    let document = sandbox
        .simulate(&["preflight", "stack.toml", "--json"])
        .expect(0)
        .json();
    assert!(
        document["checks"].as_array().is_some_and(|checks| checks.len() > 10),
        "{document}"
    );

    let default = |is: &str| json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": is}}});
    served.patch(CLASS, &default("false"));
    served.make(
        "/apis/operators.coreos.com/v1alpha1/namespaces/openshift-operators/clusterserviceversions",
        &json!({
            "apiVersion": "operators.coreos.com/v1alpha1",
            "kind": "ClusterServiceVersion",
            "metadata": {"name": "opendatahub-operator.v2.30.0", "namespace": "openshift-operators"},
            "spec": {"displayName": "Open Data Hub", "install": {"strategy": "deployment", "spec": {"deployments": []}}},
        }),
    );
    let unfit = sandbox.simulate(&["preflight", "stack.toml"]).expect(2);
    for word in [
        "storage-class",
        "open-data-hub",
        "opendatahub-operator.v2.30.0",
        "2 fail",
    ] {
        assert!(unfit.stdout.contains(word), "`{word}`: {}", unfit.shown());
    }

    let refused = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(1);
    for word in ["open-data-hub", "storage-class", "--skip-preflight"] {
        assert!(refused.stderr.contains(word), "`{word}`: {}", refused.shown());
    }
    let writes: Vec<_> = sandbox
        .audit()
        .into_iter()
        .filter(|entry| entry.is_our_write() && entry.name != "gp3-csi" && !entry.name.starts_with("opendatahub"))
        .map(|entry| entry.key())
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
}

/// What the checks of the serving part came to, by name.
fn verdicts(ran: &Ran) -> BTreeMap<String, String> {
    let document = ran.json();
    let checks = document["checks"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    checks
        .map(|check| (text(&check["name"]), text(&check["verdict"])))
        .collect()
}

#[test]
fn what_serving_models_would_stumble_over_is_told_before() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox);
    let preflight = || sandbox.simulate(&["preflight", "stack.toml", "--json"]);
    let fresh = verdicts(&preflight().expect(0));
    // A fresh cluster presents the certificate of an authority of its own.
    let doubts = fresh.iter().filter(|(_, verdict)| *verdict != "pass");
    let doubts: Vec<_> = doubts
        .map(|(name, verdict)| (name.as_str(), verdict.as_str()))
        .collect();
    assert_eq!(doubts, [("gateway-certificate", "warn"), ("object-storage", "warn")]);

    served.patch(
        "/api/v1/namespaces/openshift-ingress/secrets/router-certs-default",
        &json!({"data": {"tls.crt": "bm8gY2VydGlmaWNhdGU="}}),
    );
    served.patch(
        "/apis/config.openshift.io/v1/authentications/cluster",
        &json!({"spec": {"serviceAccountIssuer": "https://oidc.example.com/abc"}}),
    );
    served.make(
        "/api/v1/namespaces",
        &json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "llm-d-demo", "labels": {"kueue.openshift.io/managed": "true"}},
        }),
    );
    served.make(
        "/apis/route.openshift.io/v1/namespaces/openshift-ingress/routes",
        &json!({
            "apiVersion": "route.openshift.io/v1", "kind": "Route",
            "metadata": {"name": "maas-default-gateway", "namespace": "openshift-ingress"},
            "spec": {
                "host": "maas-default-gateway-openshift-ingress.apps.sandbox.example.com",
                "to": {"kind": "Service", "name": "maas-default-gateway-openshift-default"},
            },
        }),
    );
    let unfit = verdicts(&preflight().expect(2));
    for (name, verdict) in [
        ("gateway-certificate", "fail"),
        ("token-audience", "warn"),
        ("kueue-label", "warn"),
        ("maas-route", "warn"),
        ("gateway-policies", "pass"),
    ] {
        assert_eq!(unfit[name], verdict, "{name}");
    }
    let told = sandbox.simulate(&["preflight", "stack.toml"]).expect(2).stdout;
    assert!(!told.contains("bm8gY2VydGlmaWNhdGU"), "bytes of a Secret: {told}");
}
