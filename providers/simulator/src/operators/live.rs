//! The quickstart on the real embedded server, over HTTP, at speed 0: what the workbench proves for the operators alone,
//! seen through the API server and a kube client.

use std::time::Duration;

use futures_util::StreamExt;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};

use super::kinds::*;
use super::live_serving;
use super::object::{Read, object};
use crate::{Simulator, SimulatorOptions};

/// How long one gate may take before the test says which one never opened.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Live {
    pub(super) simulator: Simulator,
    pub(super) client: kube::Client,
}

impl Live {
    pub(super) async fn start(dir: &std::path::Path) -> Self {
        let mut options = SimulatorOptions::new(dir);
        options.speed = 0.0;
        let simulator = Simulator::start(options).await.expect("the simulator starts");
        let client = simulator.client().expect("a client");
        Self { simulator, client }
    }

    pub(super) fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        match kind.scope {
            Scope::Cluster => Api::all_with(self.client.clone(), &kind.resource()),
            Scope::Namespaced => Api::namespaced_with(self.client.clone(), namespace, &kind.resource()),
        }
    }

    pub(super) async fn apply(&self, kind: Kind, namespace: &str, name: &str, parts: Value) {
        let applied = self.applied(kind, namespace, name, parts).await;
        applied.unwrap_or_else(|error| panic!("apply {} {namespace}/{name}: {error}", kind.kind));
    }

    /// Applies an object and returns what the server made of it.
    pub(super) async fn applied(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        parts: Value,
    ) -> Result<Value, kube::Error> {
        let manifest = object(kind, namespace, name, parts);
        let applying = PatchParams::apply("stackctl/test").force();
        let stored = self
            .api(kind, namespace)
            .patch(name, &applying, &Patch::Apply(&manifest))
            .await?;
        serde_json::to_value(stored).map_err(kube::Error::SerdeError)
    }

    async fn merge(&self, kind: Kind, namespace: &str, name: &str, patch: Value) {
        let merged = self
            .api(kind, namespace)
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        merged.unwrap_or_else(|error| panic!("patch {} {namespace}/{name}: {error}", kind.kind));
    }

    /// Waits until an object of that name (any, if empty) satisfies the predicate and returns it.
    pub(super) async fn until(
        &self,
        what: &str,
        kind: Kind,
        namespace: &str,
        name: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut last = Value::Null;
        let watch = async {
            let mut stream = watcher(self.api(kind, namespace), watcher::Config::default())
                .default_backoff()
                .applied_objects()
                .boxed();
            while let Some(next) = stream.next().await {
                let Ok(next) = next else { continue };
                let next = serde_json::to_value(next).expect("JSON");
                if !name.is_empty() && next.name() != name {
                    continue;
                }
                if holds(&next) {
                    return next;
                }
                last = next;
            }
            panic!("the watch ended");
        };
        match tokio::time::timeout(PATIENCE, watch).await {
            Ok(found) => found,
            Err(_) => panic!("{what} did not come; last seen: {}", last["status"]),
        }
    }

    async fn established(&self, crd: &str) {
        self.until(crd, CRD, "", crd, |crd| crd.is("Established")).await;
    }

    pub(super) async fn delete(&self, kind: Kind, namespace: &str, name: &str) {
        self.api(kind, namespace)
            .delete(name, &DeleteParams::background())
            .await
            .unwrap_or_else(|error| panic!("delete {} {name}: {error}", kind.kind));
        self.gone(kind, namespace, name).await;
    }

    /// Waits until an object is gone.
    pub(super) async fn gone(&self, kind: Kind, namespace: &str, name: &str) {
        let api = self.api(kind, namespace);
        let gone = async {
            let mut stream = watcher(api.clone(), watcher::Config::default())
                .default_backoff()
                .boxed();
            loop {
                if matches!(api.get_opt(name).await, Ok(None)) {
                    return;
                }
                stream.next().await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, gone).await.is_ok(),
            "{} {namespace}/{name} does not go",
            kind.kind
        );
    }

    async fn subscribe(
        &self,
        namespace: &str,
        subscription: &str,
        package: &str,
        channel: &str,
        source: &str,
        pin: &str,
    ) {
        if namespace != "openshift-operators" {
            self.apply(NAMESPACE, "", namespace, json!({})).await;
            self.apply(OPERATOR_GROUP, namespace, namespace, json!({"spec": {}}))
                .await;
        }
        let mut spec =
            json!({"name": package, "channel": channel, "source": source, "sourceNamespace": "openshift-marketplace"});
        spec["installPlanApproval"] = json!(if pin.is_empty() { "Automatic" } else { "Manual" });
        if !pin.is_empty() {
            spec["startingCSV"] = json!(pin);
        }
        self.apply(SUBSCRIPTION, namespace, subscription, json!({"spec": spec}))
            .await;
    }

    async fn approve(&self, namespace: &str, csv: &str) {
        let plan = self
            .until("a plan", INSTALL_PLAN, namespace, "", |plan| {
                plan.list("/spec/clusterServiceVersionNames").contains(&json!(csv))
            })
            .await;
        self.merge(
            INSTALL_PLAN,
            namespace,
            plan.name(),
            json!({"spec": {"approved": true}}),
        )
        .await;
    }

    async fn succeeded(&self, namespace: &str, subscription: &str) {
        let installed = self
            .until("an installed CSV", SUBSCRIPTION, namespace, subscription, |found| {
                !found.text("/status/installedCSV").is_empty()
            })
            .await;
        let csv = installed.text("/status/installedCSV").to_owned();
        self.until("a Succeeded CSV", CSV, namespace, &csv, |csv| {
            csv.text("/status/phase") == "Succeeded"
        })
        .await;
    }
}

async fn operators(live: &Live) {
    let red_hat = "redhat-operators";
    live.subscribe(
        "cert-manager-operator",
        "openshift-cert-manager-operator",
        "openshift-cert-manager-operator",
        "stable-v1",
        red_hat,
        "",
    )
    .await;
    live.subscribe("openshift-nfd", "nfd", "nfd", "stable", red_hat, "")
        .await;
    live.subscribe(
        "nvidia-gpu-operator",
        "gpu-operator-certified",
        "gpu-operator-certified",
        "v26.3",
        "certified-operators",
        "",
    )
    .await;
    live.subscribe(
        "openshift-operators",
        "rhcl-operator",
        "rhcl-operator",
        "stable",
        red_hat,
        "rhcl-operator.v1.3.4",
    )
    .await;
    live.subscribe(
        "openshift-lws-operator",
        "leader-worker-set",
        "leader-worker-set",
        "stable-v1.0",
        red_hat,
        "",
    )
    .await;
    live.subscribe(
        "openshift-tempo-operator",
        "tempo-product",
        "tempo-product",
        "stable",
        red_hat,
        "",
    )
    .await;
    live.subscribe(
        "openshift-opentelemetry-operator",
        "opentelemetry-product",
        "opentelemetry-product",
        "stable",
        red_hat,
        "",
    )
    .await;
    let coo = "openshift-cluster-observability-operator";
    live.subscribe(
        coo,
        coo,
        "cluster-observability-operator",
        "stable",
        red_hat,
        "cluster-observability-operator.v1.4.0",
    )
    .await;
    live.approve("openshift-operators", "rhcl-operator.v1.3.4").await;
    live.approve(coo, "cluster-observability-operator.v1.4.0").await;
    for (namespace, subscription) in [
        ("cert-manager-operator", "openshift-cert-manager-operator"),
        ("openshift-nfd", "nfd"),
        ("nvidia-gpu-operator", "gpu-operator-certified"),
        ("openshift-operators", "rhcl-operator"),
        ("openshift-lws-operator", "leader-worker-set"),
        ("openshift-tempo-operator", "tempo-product"),
        ("openshift-opentelemetry-operator", "opentelemetry-product"),
        (coo, coo),
    ] {
        live.succeeded(namespace, subscription).await;
    }
    for crd in [
        "certmanagers.operator.openshift.io",
        "nodefeaturediscoveries.nfd.openshift.io",
        "clusterpolicies.nvidia.com",
        "authpolicies.kuadrant.io",
        "kuadrants.kuadrant.io",
        "leaderworkersetoperators.operator.openshift.io",
        "uiplugins.observability.openshift.io",
        "instrumentations.opentelemetry.io",
    ] {
        live.established(crd).await;
    }
}

async fn platform(live: &Live) {
    let set = "stackctl-gpu-worker-eu-west-1a";
    live.apply(MACHINE_SET, "openshift-machine-api", set, json!({"spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"machine.openshift.io/cluster-api-machineset": set}},
        "template": {"metadata": {"labels": {"machine.openshift.io/cluster-api-machineset": set}}, "spec": {
            "taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}],
            "providerSpec": {"value": {"instanceType": "g6e.2xlarge", "placement": {"region": "eu-west-1", "availabilityZone": "eu-west-1a"}}},
        }},
    }})).await;
    live.apply(
        CERT_MANAGER,
        "",
        "cluster",
        json!({"spec": {"managementState": "Managed", "logLevel": "Normal"}}),
    )
    .await;
    live.apply(
        NODE_FEATURE_DISCOVERY,
        "openshift-nfd",
        "nfd-instance",
        json!({"spec": {
            "operand": {"image": "registry.redhat.io/openshift4/ose-node-feature-discovery-rhel9"},
            "workerConfig": {"configData": "sources:\n  pci:\n    deviceLabelFields: [vendor]\n"},
        }}),
    )
    .await;
    live.apply(CLUSTER_POLICY, "", "gpu-cluster-policy", json!({"spec": {
        "operator": {"defaultRuntime": "crio"}, "daemonsets": {}, "driver": {"enabled": true}, "toolkit": {"enabled": true},
        "devicePlugin": {"enabled": true}, "dcgm": {"enabled": true}, "gfd": {"enabled": true}, "nodeStatusExporter": {"enabled": true},
        "dcgmExporter": {"enabled": true, "serviceMonitor": {"enabled": true, "interval": "15s"}},
    }})).await;
    live.apply(NAMESPACE, "", "kuadrant-system", json!({})).await;
    live.apply(
        KUADRANT,
        "kuadrant-system",
        "kuadrant",
        json!({"spec": {"observability": {"enable": true}}}),
    )
    .await;
    live.apply(
        LWS_OPERATOR,
        "",
        "cluster",
        json!({"spec": {"managementState": "Managed"}}),
    )
    .await;
    live.apply(
        CONFIG_MAP,
        "openshift-monitoring",
        "cluster-monitoring-config",
        json!({"data": {"config.yaml": "enableUserWorkload: true\n"}}),
    )
    .await;
    live.apply(
        UI_PLUGIN,
        "",
        "monitoring",
        json!({"spec": {"type": "Monitoring", "monitoring": {"perses": {"enabled": true}}}}),
    )
    .await;
    live.until("cert-manager", POD, "cert-manager", "", |pod| pod.is("Ready"))
        .await;
    live.until(
        "prometheus",
        POD,
        "openshift-user-workload-monitoring",
        "prometheus-user-workload-1",
        |pod| pod.is("Ready"),
    )
    .await;
    live.until("a UI plugin", UI_PLUGIN, "", "monitoring", |plugin| {
        plugin.is("Reconciled") && plugin.is("Available")
    })
    .await;
    live.established("leaderworkersets.leaderworkerset.x-k8s.io").await;
    live.until("GPU capacity", NODE, "", "", |node| {
        node.pointer("/status/capacity/nvidia.com~1gpu").is_some()
    })
    .await;
    live.until("ClusterPolicy", CLUSTER_POLICY, "", "gpu-cluster-policy", |policy| {
        policy.text("/status/state") == "ready"
    })
    .await;
    live.until("authorino", DEPLOYMENT, "kuadrant-system", "authorino", |deployment| {
        deployment.is("Available")
    })
    .await;

    live.subscribe(
        "redhat-ods-operator",
        "rhods-operator",
        "rhods-operator",
        "stable-3.x",
        "redhat-operators",
        "",
    )
    .await;
    live.succeeded("redhat-ods-operator", "rhods-operator").await;
    live.until("default-dsci", DSCI, "", "default-dsci", |dsci| {
        dsci.text("/status/phase") == "Ready"
    })
    .await;
    live.apply(
        DSCI,
        "",
        "default-dsci",
        json!({"spec": {
            "monitoring": {
                "managementState": "Managed", "namespace": "redhat-ods-monitoring",
                "metrics": {"replicas": 1, "storage": {"size": "5Gi", "retention": "90d"}},
                "traces": {"sampleRatio": "0.1", "storage": {"backend": "pv", "retention": "2160h"}},
            },
            "trustedCABundle": {"managementState": "Managed", "customCABundle": ""},
        }}),
    )
    .await;
    let managed = || json!({"managementState": "Managed"});
    live.apply(DSC, "", "default-dsc", json!({"spec": {"components": {
        "dashboard": managed(), "workbenches": managed(), "modelregistry": managed(), "mlflowoperator": managed(), "aipipelines": managed(),
        "trainingoperator": managed(), "llamastackoperator": managed(), "ray": {"managementState": "Removed"},
        "kserve": {"managementState": "Managed", "rawDeploymentServiceConfig": "Headless", "modelsAsService": {"managementState": "Removed"}},
    }}})).await;
    live.until("DSC", DSC, "", "default-dsc", |dsc| dsc.is("Ready")).await;
    live.until(
        "dashboard config",
        ODH_DASHBOARD_CONFIG,
        "redhat-ods-applications",
        "odh-dashboard-config",
        |_| true,
    )
    .await;
    live.until(
        "kserve",
        DEPLOYMENT,
        "redhat-ods-applications",
        "kserve-controller-manager",
        |deployment| deployment.is("Available"),
    )
    .await;
}

async fn gateways(live: &Live) {
    for (class, gateway) in [
        ("openshift-ai-inference-class", "openshift-ai-inference"),
        ("openshift-default", "maas-default-gateway"),
    ] {
        live.apply(
            GATEWAY_CLASS,
            "",
            class,
            json!({"spec": {"controllerName": "openshift.io/gateway-controller/v1"}}),
        )
        .await;
        live.until("GatewayClass", GATEWAY_CLASS, "", class, |class| class.is("Accepted"))
            .await;
        live.apply(GATEWAY, "openshift-ingress", gateway, json!({
            "metadata": {"annotations": {"opendatahub.io/managed": "false", "networking.istio.io/service-type": "ClusterIP"}},
            "spec": {"gatewayClassName": class, "listeners": [{
                "name": "https", "hostname": format!("{gateway}.apps.example.com"), "port": 443, "protocol": "HTTPS",
                "tls": {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": "router-certs-default"}]},
                "allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchExpressions": [{
                    "key": "kubernetes.io/metadata.name", "operator": "In",
                    "values": ["openshift-ingress", "redhat-ods-applications", "models-as-a-service", "llm-d-demo"],
                }]}}},
            }]},
        })).await;
        live.until("Gateway", GATEWAY, "openshift-ingress", gateway, |gateway| {
            gateway.is("Programmed")
        })
        .await;
    }
    live.apply(ROUTE, "openshift-ingress", "maas-default-gateway", json!({"spec": {
        "host": "maas.apps.example.com", "to": {"kind": "Service", "name": "maas-default-gateway-openshift-default", "weight": 100},
        "port": {"targetPort": "https"}, "tls": {"termination": "passthrough"}, "wildcardPolicy": "None",
    }})).await;
    live.until("Route", ROUTE, "openshift-ingress", "maas-default-gateway", |route| {
        !route.list("/status/ingress").is_empty()
    })
    .await;
    let kuadrant = live
        .until("Kuadrant", KUADRANT, "kuadrant-system", "kuadrant", |kuadrant| {
            !kuadrant.condition("Ready").is_empty()
        })
        .await;
    if !kuadrant.is("Ready") {
        let pod = live
            .until("its operator", POD, "openshift-operators", "", |pod| {
                pod.label("app.kubernetes.io/name") == Some("kuadrant-operator")
            })
            .await;
        live.delete(POD, "openshift-operators", pod.name()).await;
    }
    live.until("Kuadrant", KUADRANT, "kuadrant-system", "kuadrant", |kuadrant| {
        kuadrant.is("Ready")
    })
    .await;
}

async fn maas(live: &Live) {
    let apps = "redhat-ods-applications";
    live.apply(
        SECRET,
        apps,
        "maas-db-config",
        json!({"stringData": {"password": "x", "DB_CONNECTION_URL": "postgres://maas:x@maas-db:5432/maas"}}),
    )
    .await;
    live.apply(DEPLOYMENT, apps, "maas-db", json!({"spec": {
        "selector": {"matchLabels": {"app": "maas-db"}},
        "template": {"metadata": {"labels": {"app": "maas-db"}}, "spec": {"containers": [{
            "name": "postgresql", "image": "registry.redhat.io/rhel9/postgresql-16:latest",
            "env": [{"name": "POSTGRESQL_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "maas-db-config", "key": "password"}}}],
        }]}},
    }})).await;
    live.until("maas-db", POD, apps, "", |pod| {
        pod.label("app") == Some("maas-db") && pod.is("Ready")
    })
    .await;
    live.merge(
        SERVICE,
        "kuadrant-system",
        "authorino-authorino-authorization",
        json!({"metadata": {"annotations": {
            "service.beta.openshift.io/serving-cert-secret-name": "authorino-server-cert",
        }}}),
    )
    .await;
    live.until(
        "certificate",
        SECRET,
        "kuadrant-system",
        "authorino-server-cert",
        |secret| secret.text("/type") == "kubernetes.io/tls",
    )
    .await;
    live.merge(
        AUTHORINO,
        "kuadrant-system",
        "authorino",
        json!({"spec": {"listener": {"tls": {"enabled": true, "certSecretRef": {"name": "authorino-server-cert"}}}}}),
    )
    .await;
    live.until("Authorino", AUTHORINO, "kuadrant-system", "authorino", |authorino| {
        authorino.is("Ready")
    })
    .await;
    live.merge(
        GATEWAY,
        "openshift-ingress",
        "maas-default-gateway",
        json!({"metadata": {"annotations": {"security.opendatahub.io/authorino-tls-bootstrap": "true"}}}),
    )
    .await;
    live.until(
        "EnvoyFilter",
        ENVOY_FILTER,
        "openshift-ingress",
        "maas-default-gateway-authn-ssl",
        |_| true,
    )
    .await;
    live.merge(
        DSC,
        "",
        "default-dsc",
        json!({"spec": {"components": {"kserve": {"modelsAsService": {"managementState": "Managed"}}}}}),
    )
    .await;
    for crd in [
        "tenants",
        "maasmodelrefs",
        "maassubscriptions",
        "maasauthpolicies",
        "externalmodels",
    ] {
        live.established(&format!("{crd}.maas.opendatahub.io")).await;
    }
    live.until("Tenant", TENANT, "models-as-a-service", "default-tenant", |tenant| {
        tenant.is("Ready")
    })
    .await;
    live.until("maas-api", DEPLOYMENT, apps, "maas-api", |deployment| {
        deployment.is("Available")
    })
    .await;
    live.until("DSC", DSC, "", "default-dsc", |dsc| dsc.is("Ready")).await;
}

async fn model(live: &Live) {
    live.apply(NAMESPACE, "", "llm-d-demo", json!({})).await;
    live.apply(LLM_INFERENCE_SERVICE, "llm-d-demo", "qwen3-8b", json!({
        "metadata": {"annotations": {"security.opendatahub.io/enable-auth": "true"}},
        "spec": {
            "replicas": 1, "model": {"uri": "oci://registry/qwen", "name": "alibaba/qwen3-8b"},
            "router": {"gateway": {"refs": [{"name": "maas-default-gateway", "namespace": "openshift-ingress"}]}, "route": {}, "scheduler": {}},
            "template": {
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
                "containers": [{"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}],
            },
        },
    })).await;
    live.apply(
        MAAS_MODEL_REF,
        "llm-d-demo",
        "qwen3-8b",
        json!({"spec": {"modelRef": {"kind": "LLMInferenceService", "name": "qwen3-8b"}}}),
    )
    .await;
    live.until("model", LLM_INFERENCE_SERVICE, "llm-d-demo", "qwen3-8b", |service| {
        service.is("Ready") && !service.text("/status/url").is_empty()
    })
    .await;
    live.until("reference", MAAS_MODEL_REF, "llm-d-demo", "qwen3-8b", |reference| {
        reference.text("/status/phase") == "Ready"
    })
    .await;
    for (name, priority, limit) in [("freemium", 1, 300), ("pro", 2, 3000), ("premium", 3, 30_000)] {
        let groups = json!({"groups": [{"name": format!("{name}-users")}]});
        live.apply(MAAS_SUBSCRIPTION, "models-as-a-service", &format!("{name}-subscription"), json!({"spec": {
            "priority": priority, "owner": groups,
            "modelRefs": [{"name": "qwen3-8b", "namespace": "llm-d-demo", "tokenRateLimits": [{"limit": limit, "window": "5m"}]}],
        }})).await;
        live.apply(
            MAAS_AUTH_POLICY,
            "models-as-a-service",
            &format!("{name}-auth-policy"),
            json!({"spec": {
                "subjects": groups, "modelRefs": [{"name": "qwen3-8b", "namespace": "llm-d-demo"}],
            }}),
        )
        .await;
    }
    for name in ["freemium", "pro", "premium"] {
        live.until(
            "subscription",
            MAAS_SUBSCRIPTION,
            "models-as-a-service",
            &format!("{name}-subscription"),
            |found| found.text("/status/phase") == "Active",
        )
        .await;
        live.until(
            "auth policy",
            MAAS_AUTH_POLICY,
            "models-as-a-service",
            &format!("{name}-auth-policy"),
            |found| found.text("/status/phase") == "Active",
        )
        .await;
    }
    for (kind, name) in [
        (AUTH_POLICY, "maas-auth-qwen3-8b"),
        (TOKEN_RATE_LIMIT_POLICY, "maas-trlp-qwen3-8b"),
    ] {
        live.until(name, kind, "llm-d-demo", name, |policy| {
            policy.is("Accepted") && policy.is("Enforced")
        })
        .await;
    }
}

async fn teardown(live: &Live) {
    for name in ["freemium", "pro", "premium"] {
        live.delete(MAAS_AUTH_POLICY, "models-as-a-service", &format!("{name}-auth-policy"))
            .await;
        live.delete(
            MAAS_SUBSCRIPTION,
            "models-as-a-service",
            &format!("{name}-subscription"),
        )
        .await;
    }
    live.delete(MAAS_MODEL_REF, "llm-d-demo", "qwen3-8b").await;
    live.delete(LLM_INFERENCE_SERVICE, "llm-d-demo", "qwen3-8b").await;
    live.delete(NAMESPACE, "", "llm-d-demo").await;
    live.delete(DSC, "", "default-dsc").await;
    live.delete(DSCI, "", "default-dsci").await;
    live.delete(GATEWAY, "openshift-ingress", "maas-default-gateway").await;
    live.delete(KUADRANT, "kuadrant-system", "kuadrant").await;
    live.delete(NAMESPACE, "", "kuadrant-system").await;
    live.delete(MACHINE_SET, "openshift-machine-api", "stackctl-gpu-worker-eu-west-1a")
        .await;
    live.delete(CERT_MANAGER, "", "cluster").await;
    live.delete(NAMESPACE, "", "cert-manager").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quickstart_comes_up_and_goes() {
    let dir = tempfile::tempdir().expect("a directory");
    let live = Live::start(dir.path()).await;
    operators(&live).await;
    platform(&live).await;
    gateways(&live).await;
    maas(&live).await;
    model(&live).await;
    live_serving::models(&live).await;
    live_serving::teardown(&live).await;
    teardown(&live).await;
    live.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_cluster_goes_on_where_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let live = Live::start(dir.path()).await;
    live.simulator.pause();
    live.subscribe("openshift-nfd", "nfd", "nfd", "stable", "redhat-operators", "")
        .await;
    let joined = Simulator::start(SimulatorOptions::new(dir.path()))
        .await
        .expect_err("the directory is served");
    assert!(matches!(joined, crate::SimulatorError::Served { pid, .. } if pid == std::process::id()));
    live.simulator.stop().await;
    assert_eq!(crate::live_endpoint(dir.path()), None);

    let live = Live::start(dir.path()).await;
    live.succeeded("openshift-nfd", "nfd").await;
    live.simulator.stop().await;
}
