//! What the operators of add-ons do, on the workbench: Kueue, GitOps, model registries, MetalLB, shared install plans.

use serde_json::{Value, json};

use super::GLOBAL;
use super::bench::Bench;
use super::kinds::*;
use super::object::{Read, object};

const PIN: &str = "rhcl-operator.v1.3.4";
const REGISTRIES: &str = "rhoai-model-registries";

fn message<'a>(object: &'a Value, kind: &str) -> &'a str {
    let mut conditions = object.list("/status/conditions").iter();
    let found = conditions.find(|entry| entry.text("/type") == kind);
    found.map_or("", |entry| entry.text("/message"))
}

fn cert_manager(bench: &mut Bench) {
    bench.subscribe("cert-manager-operator", "openshift-cert-manager-operator", "");
    bench.settle();
}

/// OpenShift AI with these components.
fn rhoai(bench: &mut Bench, components: &Value) {
    bench.subscribe(GLOBAL, "rhcl-operator", PIN);
    bench.settle();
    bench.approve(GLOBAL, PIN);
    bench.subscribe("redhat-ods-operator", "rhods-operator", "");
    bench.settle();
    let spec = json!({"spec": {"components": components}});
    bench.put(DSC, object(DSC, "", "default-dsc", spec));
    bench.settle();
}

fn queues() -> Value {
    json!({"kueue": {
        "managementState": "Unmanaged", "defaultClusterQueueName": "shared", "defaultLocalQueueName": "default",
    }})
}

#[test]
fn one_manual_subscription_makes_the_combined_plan_of_its_namespace_manual() {
    let mut bench = Bench::new(&[]);
    bench.subscribe(GLOBAL, "openshift-pipelines-operator-rh", "");
    bench.subscribe(GLOBAL, "servicemeshoperator3", "");
    bench.subscribe(GLOBAL, "rhcl-operator", PIN);
    bench.settle();

    let plans: Vec<_> = bench.world.list_in(INSTALL_PLAN, GLOBAL).cloned().collect();
    assert_eq!(plans.len(), 1, "what is unresolved together is planned together");
    let plan = &plans[0];
    assert_eq!(plan.text("/spec/approval"), "Manual");
    assert_eq!(plan.text("/status/phase"), "RequiresApproval");
    for csv in [
        PIN,
        "openshift-pipelines-operator-rh.v1.21.0",
        "servicemeshoperator3.v3.2.0",
        "authorino-operator.v1.3.0",
    ] {
        assert!(
            plan.list("/spec/clusterServiceVersionNames").contains(&json!(csv)),
            "{csv}"
        );
    }
    let pipelines = bench.get(SUBSCRIPTION, GLOBAL, "openshift-pipelines-operator-rh");
    assert_eq!(pipelines.text("/spec/installPlanApproval"), "Automatic");
    assert_eq!(pipelines.text("/status/installPlanRef/name"), plan.name());
    assert_eq!(pipelines.text("/status/state"), "UpgradePending");

    bench.approve(GLOBAL, PIN);
    for csv in [PIN, "openshift-pipelines-operator-rh.v1.21.0"] {
        assert_eq!(bench.get(CSV, GLOBAL, csv).text("/status/phase"), "Succeeded");
    }
}

#[test]
fn an_automatic_subscription_beside_an_installed_manual_one_waits_for_approval() {
    let mut bench = Bench::new(&[]);
    bench.subscribe(GLOBAL, "rhcl-operator", PIN);
    bench.settle();
    bench.approve(GLOBAL, PIN);
    bench.subscribe(GLOBAL, "openshift-pipelines-operator-rh", "");
    bench.settle();
    let csv = "openshift-pipelines-operator-rh.v1.21.0";
    assert!(bench.world.get(CSV, GLOBAL, csv).is_none());
    bench.approve(GLOBAL, csv);
    assert_eq!(bench.get(CSV, GLOBAL, csv).text("/status/phase"), "Succeeded");
    assert!(bench.world.has(CSV, GLOBAL, PIN), "nobody approved the upgrade");
}

#[test]
fn a_mirror_of_a_catalog_offers_what_the_catalog_does() {
    let mut bench = Bench::new(&[]);
    for (name, image) in [
        (
            "redhat-operators",
            "registry.redhat.io/redhat/redhat-operator-index:v4.21",
        ),
        ("mirror", "mirror.local:8443/redhat/redhat-operator-index:v4.21"),
        ("other", "mirror.local:8443/redhat/community-operator-index:v4.21"),
    ] {
        let spec = json!({"spec": {"sourceType": "grpc", "image": image}});
        bench.put(
            CATALOG_SOURCE,
            object(CATALOG_SOURCE, "openshift-marketplace", name, spec),
        );
    }
    for (namespace, source) in [("one", "mirror"), ("two", "other"), ("three", "absent")] {
        bench.subscribe(namespace, "grafana-operator", "");
        bench.set(
            SUBSCRIPTION,
            namespace,
            "grafana-operator",
            json!({"spec": {"source": source}}),
        );
    }
    bench.settle();
    let subscription = |namespace: &str| bench.get(SUBSCRIPTION, namespace, "grafana-operator");
    assert_eq!(
        subscription("one").text("/status/installedCSV"),
        "grafana-operator.v5.23.0"
    );
    assert!(subscription("two").is("ResolutionFailed") && subscription("three").is("ResolutionFailed"));
}

#[test]
fn the_operator_of_gitops_makes_an_instance_and_applications_are_synced() {
    let mut bench = Bench::new(&[]);
    bench.subscribe("openshift-gitops-operator", "openshift-gitops-operator", "");
    bench.settle();
    let account = "openshift-gitops-argocd-application-controller";
    bench.get(SERVICE_ACCOUNT, "openshift-gitops", account);
    for (name, policy) in [("waits", json!({})), ("syncs", json!({"automated": {"prune": false}}))] {
        let spec = json!({"spec": {"project": "default", "syncPolicy": policy}});
        bench.put(APPLICATION, object(APPLICATION, "openshift-gitops", name, spec));
    }
    bench.settle();
    let states = |name: &str| {
        let application = bench.get(APPLICATION, "openshift-gitops", name);
        [
            application.text("/status/sync/status").to_owned(),
            application.text("/status/health/status").to_owned(),
        ]
    };
    assert_eq!(states("syncs"), ["Synced", "Healthy"]);
    assert_eq!(states("waits"), ["OutOfSync", "Missing"]);
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());

    bench.delete(SUBSCRIPTION, "openshift-gitops-operator", "openshift-gitops-operator");
    bench.delete(CSV, "openshift-gitops-operator", "openshift-gitops-operator.v1.20.0");
    bench.get(NAMESPACE, "", "openshift-gitops");
}

#[test]
fn queues_come_with_the_operand_that_openshift_ai_asks_for() {
    let mut bench = Bench::new(&[]);
    cert_manager(&mut bench);
    bench.subscribe("openshift-kueue-operator", "kueue-operator", "");
    bench.settle();
    assert!(
        !bench.world.is_established("clusterqueues.kueue.x-k8s.io"),
        "the bundle does not bring the kinds of queues"
    );
    let labels = json!({"metadata": {"labels": {"kueue.openshift.io/managed": "true"}}});
    bench.put(NAMESPACE, object(NAMESPACE, "", "team-b", labels));
    rhoai(&mut bench, &queues());

    assert!(bench.get(KUEUE_OPERATOR, "", "cluster").is("Available"));
    for crd in ["clusterqueues", "resourceflavors", "localqueues"] {
        assert!(bench.world.is_established(&format!("{crd}.kueue.x-k8s.io")), "{crd}");
    }
    bench.get(RESOURCE_FLAVOR, "", "default-flavor");
    assert!(bench.get(CLUSTER_QUEUE, "", "shared").is("Active"));
    assert!(bench.get(LOCAL_QUEUE, "team-b", "default").is("Active"));
    let dsc = bench.get(DSC, "", "default-dsc");
    assert!(dsc.is("KueueReady") && dsc.is("Ready"));
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());

    bench.delete(DSC, "", "default-dsc");
    assert!(bench.world.has(KUEUE_OPERATOR, "", "cluster"), "it stays");
}

#[test]
fn without_the_operator_of_kueue_the_cluster_says_so() {
    let mut bench = Bench::new(&[]);
    cert_manager(&mut bench);
    rhoai(&mut bench, &queues());
    let dsc = bench.get(DSC, "", "default-dsc");
    assert!(!dsc.is("Ready"));
    assert!(message(dsc, "KueueReady").starts_with("Kueue operator not installed"));
    assert!(bench.world.get(KUEUE_OPERATOR, "", "cluster").is_none());

    bench.subscribe("openshift-kueue-operator", "kueue-operator", "");
    bench.settle();
    assert!(bench.get(DSC, "", "default-dsc").is("KueueReady"));
}

#[test]
fn without_cert_manager_the_operand_of_kueue_does_not_come() {
    let mut bench = Bench::new(&[]);
    bench.subscribe("openshift-kueue-operator", "kueue-operator", "");
    rhoai(&mut bench, &queues());
    assert!(bench.get(KUEUE_OPERATOR, "", "cluster").is("Degraded"));
    assert!(!bench.world.is_established("clusterqueues.kueue.x-k8s.io"));
    cert_manager(&mut bench);
    assert!(bench.get(CLUSTER_QUEUE, "", "shared").is("Active"));
}

#[test]
fn a_queue_without_its_flavor_is_not_active() {
    let mut bench = Bench::new(&[]);
    cert_manager(&mut bench);
    bench.subscribe("openshift-kueue-operator", "kueue-operator", "");
    bench.settle();
    rhoai(&mut bench, &queues());
    let spec = json!({"spec": {"resourceGroups": [{"flavors": [{"name": "absent"}]}]}});
    bench.put(CLUSTER_QUEUE, object(CLUSTER_QUEUE, "", "mine", spec));
    for (name, of) in [("inactive", "mine"), ("lost", "nowhere")] {
        let spec = json!({"spec": {"clusterQueue": of}});
        bench.put(LOCAL_QUEUE, object(LOCAL_QUEUE, "default", name, spec));
    }
    bench.settle();
    assert!(message(bench.get(CLUSTER_QUEUE, "", "mine"), "Active").contains("absent"));
    for name in ["inactive", "lost"] {
        assert_eq!(bench.get(LOCAL_QUEUE, "default", name).condition("Active"), "False");
    }
    bench.put(
        RESOURCE_FLAVOR,
        object(RESOURCE_FLAVOR, "", "absent", json!({"spec": {}})),
    );
    bench.settle();
    assert!(bench.get(LOCAL_QUEUE, "default", "inactive").is("Active"));
}

#[test]
fn a_model_registry_is_available_with_its_database() {
    let mut bench = Bench::new(&[]);
    rhoai(&mut bench, &json!({"modelregistry": {"managementState": "Managed"}}));
    bench.get(NAMESPACE, "", REGISTRIES);
    let host = format!("registry-db.{REGISTRIES}.svc.cluster.local");
    let spec = json!({"spec": {"rest": {"port": 8080}, "mysql": {"host": host, "port": 3306}}});
    bench.put(REGISTRY, object(REGISTRY, REGISTRIES, "registry", spec));
    bench.settle();
    let registry = bench.get(REGISTRY, REGISTRIES, "registry");
    assert_eq!(registry.condition("Available"), "False");
    assert!(message(registry, "Available").contains("registry-db"));

    let labels = json!({"component": "db"});
    bench.put(
        DEPLOYMENT,
        super::operands::deployment(REGISTRIES, "registry-db", &labels, &["db"]),
    );
    bench.settle();
    assert!(bench.get(REGISTRY, REGISTRIES, "registry").is("Available"));
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());

    bench.delete(DEPLOYMENT, REGISTRIES, "registry-db");
    assert!(!bench.get(REGISTRY, REGISTRIES, "registry").is("Available"));
    bench.delete(REGISTRY, REGISTRIES, "registry");
    assert!(bench.world.get(DEPLOYMENT, REGISTRIES, "registry").is_none());
}

#[test]
fn speakers_run_on_the_nodes_that_metallb_selects() {
    let mut bench = Bench::new(&[]);
    bench.subscribe("metallb-system", "metallb-operator", "");
    bench.settle();
    let label = "node-role.llm-d/inference";
    let spec = json!({"spec": {
        "nodeSelector": {label: "true"},
        "speakerTolerations": [{"key": label, "operator": "Exists", "effect": "NoSchedule"}],
    }});
    bench.put(METAL_LB, object(METAL_LB, "metallb-system", "metallb", spec));
    let addresses = json!({"spec": {"addresses": ["10.89.0.200-10.89.0.250"]}});
    bench.put(
        IP_ADDRESS_POOL,
        object(IP_ADDRESS_POOL, "metallb-system", "local-pool", addresses),
    );
    bench.settle();
    let speakers = |bench: &Bench| {
        bench
            .get(DAEMON_SET, "metallb-system", "speaker")
            .number("/status/numberReady")
    };
    assert_eq!(speakers(&bench), Some(0));

    bench.set(
        NODE,
        "",
        "worker-0",
        json!({
            "metadata": {"labels": {label: "true"}},
            "spec": {"taints": [{"key": label, "effect": "NoSchedule"}]},
        }),
    );
    bench.settle();
    assert_eq!(speakers(&bench), Some(1));
    assert!(bench.get(DEPLOYMENT, "metallb-system", "controller").is("Available"));
    assert!(bench.get(METAL_LB, "metallb-system", "metallb").is("Available"));
    let pool = bench.get(IP_ADDRESS_POOL, "metallb-system", "local-pool");
    assert_eq!(pool.number("/status/availableIPv4"), Some(51));
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());

    bench.delete(METAL_LB, "metallb-system", "metallb");
    assert!(bench.world.get(DAEMON_SET, "metallb-system", "speaker").is_none());
}
