//! The kinds of the simulated cluster, as CustomResourceDefinition manifests, grouped by who registers them and when.
//!
//! In: condensed schemas under `data/`, which `cargo xtask schemas` writes from the true CRDs and `--check` compares.
//! Out: manifests that any API server takes.
//!
//! Invariants:
//! - No CRD is in two groups, so that nobody registers what somebody else brings.
//! - Every kind that OpenShift serves from an aggregated server (users, groups, identities, projects, package
//!   manifests) is a CRD here: a client that addresses objects sees no difference. Routes are a CRD in MicroShift too.
//!
//! Deliberately absent: what only refuses objects (patterns, bounds, CEL rules). A schema says how objects are
//! defaulted, pruned and merged.

mod expand;
mod truth;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

pub use truth::TrueCrds;

/// The CRDs an OpenShift cluster has before anything is installed (as CustomResourceDefinition manifests).
pub fn openshift() -> Vec<Value> {
    let mut crds = expand::file(include_str!("data/openshift.json"));
    crds.extend(expand::file(include_str!("data/handwritten.json")));
    crds
}

/// The CRDs that the bundle of an OLM package brings; `package` is the name of its PackageManifest.
///
/// Nothing for a package that brings none, or that is unknown.
pub fn crds_of(package: &str) -> Vec<Value> {
    // Which CRD comes from where: reference/platform.md §2.21. RHCL's dependencies bring their own (§2.7).
    let text = match package {
        "authorino-operator" => include_str!("data/package-authorino-operator.json"),
        "cluster-observability-operator" => include_str!("data/package-cluster-observability-operator.json"),
        "dns-operator" => include_str!("data/package-dns-operator.json"),
        "gpu-operator-certified" => include_str!("data/package-gpu-operator-certified.json"),
        "grafana-operator" => include_str!("data/package-grafana-operator.json"),
        "kueue-operator" => include_str!("data/package-kueue-operator.json"),
        "leader-worker-set" => include_str!("data/package-leader-worker-set.json"),
        "limitador-operator" => include_str!("data/package-limitador-operator.json"),
        "metallb-operator" => include_str!("data/package-metallb-operator.json"),
        "nfd" => include_str!("data/package-nfd.json"),
        "openshift-cert-manager-operator" => include_str!("data/package-openshift-cert-manager-operator.json"),
        "openshift-gitops-operator" => include_str!("data/package-openshift-gitops-operator.json"),
        "opentelemetry-product" => include_str!("data/package-opentelemetry-product.json"),
        "rhcl-operator" => include_str!("data/package-rhcl-operator.json"),
        "rhods-operator" => include_str!("data/package-rhods-operator.json"),
        "servicemeshoperator3" => include_str!("data/package-servicemeshoperator3.json"),
        "tempo-product" => include_str!("data/package-tempo-product.json"),
        _ => return Vec::new(),
    };
    expand::file(text)
}

/// The CRDs that a component registers later than its operator's CSV; nothing for an unknown component.
pub fn crds_of_component(component: &str) -> Vec<Value> {
    // The layers within one operator: reference/platform.md §2.11 and §2.21, for MaaS reference/serving.md §1.8.
    let text = match component {
        "dashboard" => include_str!("data/component-dashboard.json"),
        "kserve" => include_str!("data/component-kserve.json"),
        "kueue-operand" => include_str!("data/component-kueue-operand.json"),
        "leader-worker-set-operand" => include_str!("data/component-leader-worker-set-operand.json"),
        "mlflow" => include_str!("data/component-mlflow.json"),
        "modelregistry" => include_str!("data/component-modelregistry.json"),
        "models-as-a-service" => include_str!("data/component-models-as-a-service.json"),
        _ => return Vec::new(),
    };
    expand::file(text)
}

/// The packages that bring CRDs.
const PACKAGES: &[&str] = &[
    "authorino-operator",
    "cluster-observability-operator",
    "dns-operator",
    "gpu-operator-certified",
    "grafana-operator",
    "kueue-operator",
    "leader-worker-set",
    "limitador-operator",
    "metallb-operator",
    "nfd",
    "openshift-cert-manager-operator",
    "openshift-gitops-operator",
    "opentelemetry-product",
    "rhcl-operator",
    "rhods-operator",
    "servicemeshoperator3",
    "tempo-product",
];
/// The components that register CRDs.
const COMPONENTS: &[&str] = &[
    "dashboard",
    "kserve",
    "kueue-operand",
    "leader-worker-set-operand",
    "mlflow",
    "modelregistry",
    "models-as-a-service",
];

/// Whether a group is one of ours: some of its kinds are here, and who brings them is known.
pub(crate) fn knows_group(group: &str) -> bool {
    /// Expanded once: it is asked of every CRD of a directory.
    static GROUPS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let packages = PACKAGES.iter().flat_map(|package| crds_of(package));
        let components = COMPONENTS.iter().flat_map(|component| crds_of_component(component));
        let all = openshift().into_iter().chain(packages).chain(components);
        all.filter_map(|crd| Some(crd["spec"]["group"].as_str()?.to_owned()))
            .collect()
    });
    GROUPS.contains(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Value> {
        let packages = PACKAGES.iter().flat_map(|package| crds_of(package));
        let components = COMPONENTS.iter().flat_map(|component| crds_of_component(component));
        openshift().into_iter().chain(packages).chain(components).collect()
    }

    fn named(name: &str) -> Value {
        all()
            .into_iter()
            .find(|crd| crd["metadata"]["name"] == name)
            .expect("the CRD is there")
    }

    #[test]
    fn every_group_brings_something_and_no_crd_comes_twice() {
        assert!(PACKAGES.iter().all(|package| !crds_of(package).is_empty()));
        assert!(
            COMPONENTS
                .iter()
                .all(|component| !crds_of_component(component).is_empty())
        );
        let mut seen = BTreeSet::new();
        for crd in all() {
            assert!(
                seen.insert(crd["metadata"]["name"].to_string()),
                "{} comes twice",
                crd["metadata"]["name"]
            );
        }
    }

    #[test]
    fn every_crd_is_one_that_an_api_server_takes() {
        for crd in all() {
            let parsed: k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition =
                serde_json::from_value(crd).expect("a manifest of a CustomResourceDefinition");
            let name = parsed.metadata.name.expect("a name");
            assert_eq!(name, format!("{}.{}", parsed.spec.names.plural, parsed.spec.group));
            assert_eq!(
                parsed.spec.versions.iter().filter(|version| version.storage).count(),
                1,
                "{name}"
            );
            assert!(parsed.spec.versions.iter().any(|version| version.served), "{name}");
        }
    }

    #[test]
    fn the_kinds_that_models_are_served_with_are_known() {
        // What a stack writes or reads: reference/serving.md §1.
        for name in [
            "authpolicies.kuadrant.io",
            "certificates.cert-manager.io",
            "destinationrules.networking.istio.io",
            "envoyfilters.networking.istio.io",
            "externalmodels.maas.opendatahub.io",
            "gateways.gateway.networking.k8s.io",
            "grafanadashboards.grafana.integreatly.org",
            "groups.user.openshift.io",
            "hardwareprofiles.infrastructure.opendatahub.io",
            "httproutes.gateway.networking.k8s.io",
            "inferencepools.inference.networking.k8s.io",
            "issuers.cert-manager.io",
            "limitadors.limitador.kuadrant.io",
            "llminferenceservices.serving.kserve.io",
            "oauths.config.openshift.io",
            "persesdashboards.perses.dev",
            "persesdatasources.perses.dev",
            "podmonitors.monitoring.coreos.com",
            "prometheusrules.monitoring.coreos.com",
            "ratelimitpolicies.kuadrant.io",
            "serviceentries.networking.istio.io",
            "servicemonitors.monitoring.coreos.com",
            "telemetries.telemetry.istio.io",
            "telemetrypolicies.extensions.kuadrant.io",
            "tokenratelimitpolicies.kuadrant.io",
            "uiplugins.observability.openshift.io",
        ] {
            assert_eq!(named(name)["kind"], "CustomResourceDefinition", "{name}");
        }
        let crd = named("llminferenceservices.serving.kserve.io");
        let served = crd["spec"]["versions"].as_array().expect("versions").iter();
        let served: Vec<_> = served
            .filter(|version| version["served"] == true)
            .map(|version| &version["name"])
            .collect();
        assert_eq!(served, ["v1alpha1", "v1alpha2"]);
    }

    #[test]
    fn list_keys_of_containers_survive() {
        let crd = named("llminferenceservices.serving.kserve.io");
        let schema = &crd["spec"]["versions"][1]["schema"]["openAPIV3Schema"];
        let containers = &schema["properties"]["spec"]["properties"]["template"]["properties"]["containers"];
        assert_eq!(containers["type"], "array");
        assert_eq!(containers["x-kubernetes-list-map-keys"], serde_json::json!(["name"]));
        let ports = &containers["items"]["properties"]["ports"];
        assert_eq!(
            ports["x-kubernetes-list-map-keys"],
            serde_json::json!(["containerPort", "protocol"])
        );
        assert_eq!(ports["items"]["properties"]["protocol"]["default"], "TCP");
    }
}
