//! The configuration of the cluster: `config.openshift.io`, and what operators of the platform are configured by.
//!
//! Source: `reference/platform.md` §1 for every path that a fact is read from; the rest is what the CRDs require and
//! what the installer writes (<https://github.com/openshift/installer/tree/release-4.21/pkg/asset/manifests>).

use serde_json::{Value, json};

use super::{
    BASE_DOMAIN, INFRASTRUCTURE_NAME, Platform, REGION, VERSION,
    object::{INSTALLED_AT, cluster, condition, namespaced},
};

const CONFIG: &str = "config.openshift.io/v1";

/// The operators of the platform that stacks depend on or change.
const CLUSTER_OPERATORS: &[&str] = &[
    "authentication",
    "cloud-credential",
    "console",
    "dns",
    "ingress",
    "kube-apiserver",
    "machine-api",
    "machine-config",
    "marketplace",
    "monitoring",
    "network",
    "operator-lifecycle-manager",
    "service-ca",
    "storage",
];

pub(super) fn objects(platform: Platform) -> Vec<Value> {
    let mut objects = vec![
        infrastructure(platform),
        dns(platform),
        ingress(platform),
        cluster_version(),
        cluster(CONFIG, "Proxy", "cluster", json!({"spec": {"trustedCA": {"name": ""}}})),
        cluster(
            CONFIG,
            "APIServer",
            "cluster",
            json!({"spec": {"audit": {"profile": "Default"}}}),
        ),
        cluster(
            CONFIG,
            "Authentication",
            "cluster",
            json!({"spec": {
                "oauthMetadata": {"name": ""},
                "serviceAccountIssuer": "",
                "type": "",
                "webhookTokenAuthenticator": {"kubeConfig": {"name": "webhook-authentication-integrated-oauth"}},
            }}),
        ),
        cluster(
            CONFIG,
            "Network",
            "cluster",
            json!({"spec": {
                "clusterNetwork": [{"cidr": "10.128.0.0/14", "hostPrefix": 23}],
                "networkType": "OVNKubernetes",
                "serviceNetwork": ["172.30.0.0/16"],
            }}),
        ),
        // The empty mode is mint, passthrough or manual as the cloud's credentials allow: reference/platform.md §1.
        cluster(
            "operator.openshift.io/v1",
            "CloudCredential",
            "cluster",
            json!({"spec": {
                "credentialsMode": "", "logLevel": "Normal", "managementState": "Managed", "operatorLogLevel": "Normal",
            }}),
        ),
        ingress_controller(),
    ];
    objects.extend(CLUSTER_OPERATORS.iter().map(|name| cluster_operator(name)));
    objects
}

/// The platform by its name, and what a spec says of it.
fn named(platform: Platform) -> (&'static str, Value) {
    match platform {
        Platform::Aws => ("AWS", json!({"type": "AWS", "aws": {}})),
        Platform::None => ("None", json!({"type": "None"})),
    }
}

fn infrastructure(platform: Platform) -> Value {
    let (name, spec) = named(platform);
    let status = match platform {
        Platform::Aws => json!({"type": "AWS", "aws": {"region": REGION}}),
        Platform::None => json!({"type": "None"}),
    };
    cluster(
        CONFIG,
        "Infrastructure",
        "cluster",
        json!({
            "spec": {"cloudConfig": {"name": ""}, "platformSpec": spec},
            "status": {
                "apiServerInternalURI": format!("https://api-int.{BASE_DOMAIN}:6443"),
                "apiServerURL": format!("https://api.{BASE_DOMAIN}:6443"),
                "controlPlaneTopology": "HighlyAvailable",
                "cpuPartitioning": "None",
                "etcdDiscoveryDomain": "",
                "infrastructureName": INFRASTRUCTURE_NAME,
                "infrastructureTopology": "HighlyAvailable",
                "platform": name,
                "platformStatus": status,
            },
        }),
    )
}

fn dns(platform: Platform) -> Value {
    let mut spec = json!({"baseDomain": BASE_DOMAIN, "platform": {"type": ""}});
    if platform == Platform::Aws {
        let owned = format!("kubernetes.io/cluster/{INFRASTRUCTURE_NAME}");
        spec["platform"] = named(platform).1;
        spec["privateZone"] = json!({"tags": {"Name": format!("{INFRASTRUCTURE_NAME}-int"), owned: "owned"}});
        spec["publicZone"] = json!({"id": "Z0SIMULATED0ZONE0000"});
    }
    cluster(CONFIG, "DNS", "cluster", json!({"spec": spec}))
}

fn ingress(platform: Platform) -> Value {
    let mut spec = json!({"domain": format!("apps.{BASE_DOMAIN}")});
    if platform == Platform::Aws {
        spec["loadBalancer"] = json!({"platform": {"type": "AWS", "aws": {"type": "Classic"}}});
    }
    cluster(CONFIG, "Ingress", "cluster", json!({"spec": spec}))
}

fn cluster_version() -> Value {
    let image = "quay.io/openshift-release-dev/ocp-release@sha256:5e1a7ed05e1a7ed05e1a7ed05e1a7ed05e1a7ed05e1a7ed05e1a7ed05e1a7ed0";
    cluster(
        CONFIG,
        "ClusterVersion",
        "version",
        json!({
            "spec": {"channel": "stable-4.21", "clusterID": "5eed5eed-0000-4000-8000-00000000c1a5"},
            "status": {
                "availableUpdates": [],
                "conditions": [condition("Available", "True", "Done"), condition("Failing", "False", "AsExpected"),
                    condition("Progressing", "False", "AsExpected")],
                "desired": {"image": image, "version": VERSION},
                "history": [{"state": "Completed", "startedTime": INSTALLED_AT, "completionTime": INSTALLED_AT,
                    "version": VERSION, "image": image, "verified": false}],
                "observedGeneration": 1,
                "versionHash": "5eed5eed",
            },
        }),
    )
}

/// The router as installed: it names no certificate of its own, so it presents the operator's `router-certs-default`.
fn ingress_controller() -> Value {
    let spec = json!({
        "clientTLS": {"clientCA": {"name": ""}, "clientCertificatePolicy": ""},
        "httpCompression": {},
        "httpEmptyRequestsPolicy": "Respond",
        "httpErrorCodePages": {"name": ""},
        "replicas": 2,
        "tuningOptions": {"reloadInterval": "0s"},
    });
    let status = json!({
        "availableReplicas": 2,
        "conditions": [condition("Available", "True", "Done"), condition("Progressing", "False", "AsExpected"),
            condition("Degraded", "False", "AsExpected")],
        "domain": format!("apps.{BASE_DOMAIN}"),
        "endpointPublishingStrategy": {"type": "LoadBalancerService",
            "loadBalancer": {"dnsManagementPolicy": "Managed", "scope": "External"}},
        "observedGeneration": 1,
        "selector": "ingresscontroller.operator.openshift.io/deployment-ingresscontroller=default",
    });
    let rest = json!({"spec": spec, "status": status});
    namespaced(
        "operator.openshift.io/v1",
        "IngressController",
        "openshift-ingress-operator",
        "default",
        rest,
    )
}

fn cluster_operator(name: &str) -> Value {
    cluster(
        CONFIG,
        "ClusterOperator",
        name,
        json!({
            "spec": {},
            "status": {
                "conditions": [condition("Available", "True", "AsExpected"), condition("Progressing", "False", "AsExpected"),
                    condition("Degraded", "False", "AsExpected"), condition("Upgradeable", "True", "AsExpected")],
                "versions": [{"name": "operator", "version": VERSION}],
            },
        }),
    )
}
