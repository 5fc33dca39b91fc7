//! The marketplace: catalog sources and package manifests, with the channels that reference/platform.md §2.1 names.
//!
//! Versions that no source names are plausible, not true; pins and heads are the reference's (§2.7, §2.18, §2.10).

use serde_json::{Value, json};

/// A package: name, catalog, default channel, and its channels with their versions, the head first.
struct Package {
    name: &'static str,
    catalog: &'static str,
    default_channel: &'static str,
    channels: &'static [(&'static str, &'static [&'static str])],
}

const REDHAT: &str = "redhat-operators";
const CERTIFIED: &str = "certified-operators";
const COMMUNITY: &str = "community-operators";

const fn package(
    name: &'static str,
    catalog: &'static str,
    default_channel: &'static str,
    channels: &'static [(&'static str, &'static [&'static str])],
) -> Package {
    Package { name, catalog, default_channel, channels }
}

const PACKAGES: &[Package] = &[
    package("openshift-cert-manager-operator", REDHAT, "stable-v1", &[("stable-v1", &["cert-manager-operator.v1.19.1"])]),
    package("nfd", REDHAT, "stable", &[("stable", &["nfd.4.21.0-202606100000"])]),
    package("gpu-operator-certified", CERTIFIED, "v26.3", &[("v26.3", &["gpu-operator-certified.v26.3.3"])]),
    // The head is newer than the pin: an upgrade plan stays behind (§2.7).
    package("rhcl-operator", REDHAT, "stable", &[("stable", &["rhcl-operator.v1.4.1", "rhcl-operator.v1.4.0", "rhcl-operator.v1.3.4"])]),
    package("authorino-operator", REDHAT, "stable", &[("stable", &["authorino-operator.v1.2.4"])]),
    package("limitador-operator", REDHAT, "stable", &[("stable", &["limitador-operator.v1.2.0"])]),
    package("dns-operator", REDHAT, "stable", &[("stable", &["dns-operator.v1.2.0"])]),
    package("leader-worker-set", REDHAT, "stable-v1.0", &[("stable-v1.0", &["leader-worker-set.v1.0.0"])]),
    package("tempo-product", REDHAT, "stable", &[("stable", &["tempo-operator.v0.20.0-1"])]),
    package("opentelemetry-product", REDHAT, "stable", &[("stable", &["opentelemetry-operator.v0.144.0-1"])]),
    package(
        "cluster-observability-operator",
        REDHAT,
        "stable",
        &[("stable", &["cluster-observability-operator.v1.5.0", "cluster-observability-operator.v1.4.0"])],
    ),
    package(
        "rhods-operator",
        REDHAT,
        "stable-3.x",
        &[("stable-3.x", &["rhods-operator.3.4.0"]), ("beta", &["rhods-operator.3.4.0-ea.2"])],
    ),
    package("kueue-operator", REDHAT, "stable-v1.3", &[("stable-v1.3", &["kueue-operator.v1.3.1"])]),
    package("grafana-operator", COMMUNITY, "v5", &[("v5", &["grafana-operator.v5.23.0"])]),
    package("openshift-pipelines-operator-rh", REDHAT, "latest", &[("latest", &["openshift-pipelines-operator-rh.v1.21.0"])]),
    package("servicemeshoperator3", REDHAT, "stable", &[("stable", &["servicemeshoperator3.v3.3.1"])]),
    package("openshift-gitops-operator", REDHAT, "latest", &[("latest", &["openshift-gitops-operator.v1.20.0"])]),
    package("metallb-operator", REDHAT, "stable", &[("stable", &["metallb-operator.v4.21.0"])]),
];

/// Every object.
pub(super) fn objects() -> Vec<Value> {
    let mut all: Vec<Value> = [REDHAT, CERTIFIED, COMMUNITY]
        .map(|name| {
            json!({"apiVersion": "operators.coreos.com/v1alpha1", "kind": "CatalogSource",
                "metadata": {"name": name, "namespace": "openshift-marketplace"},
                "spec": {"sourceType": "grpc", "displayName": name, "image": "simulated"},
                "status": {"connectionState": {"lastObservedState": "READY", "address": "simulated"}}})
        })
        .to_vec();
    all.extend(PACKAGES.iter().map(manifest));
    all
}

fn manifest(package: &Package) -> Value {
    let channels: Vec<_> = package
        .channels
        .iter()
        .map(|(name, versions)| {
            let entries: Vec<_> = versions.iter().map(|csv| json!({"name": csv, "version": version_of(csv)})).collect();
            json!({"name": name, "currentCSV": versions[0], "currentCSVDesc": {"version": version_of(versions[0])}, "entries": entries})
        })
        .collect();
    json!({"apiVersion": "packages.operators.coreos.com/v1", "kind": "PackageManifest",
        "metadata": {"name": package.name, "namespace": "openshift-marketplace", "labels": {"catalog": package.catalog}},
        "spec": {},
        "status": {"packageName": package.name, "catalogSource": package.catalog,
            "catalogSourceNamespace": "openshift-marketplace", "defaultChannel": package.default_channel,
            "channels": channels}})
}

/// What follows the package's name: `rhcl-operator.v1.3.4` is 1.3.4.
fn version_of(csv: &str) -> &str {
    csv.split_once('.').map_or(csv, |(_, version)| version.trim_start_matches('v'))
}
