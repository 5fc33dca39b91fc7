//! Whether the cluster is fit, and that an unfit one is left alone.

use crate::{cluster::Served, sandbox::Sandbox};
use serde_json::json;

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
