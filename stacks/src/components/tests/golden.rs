//! Our objects against those that the manual's charts and files give, where the golden folder is beside the project.
//!
//! What differs on purpose stands in [`DELIBERATE`], each row with what it follows; any other difference fails, and so
//! does a row that nothing needs.

use super::{compiled, manifests, stack_of};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Golden cases by the stack that has their inputs.
const CASES: &[(&str, &[&str])] = &[(MAAS, PUBLISHED), (OPEN, UNPUBLISHED)];
const UNPUBLISHED: &[&str] = &[
    "llm-d-gateway/lb-certificate",
    "llm-d-inference/opt-125m-gpu",
    "llm-d-inference/qwen3-8b",
];
const PUBLISHED: &[&str] = &[
    "cert-manager-operator/aws",
    "cluster-observability-operator/default",
    "connectivity-link-operator/default",
    "gpu-worker/g6e-2xlarge-abc",
    "leader-worker-set/default",
    "llm-d-gateway/route-certificate",
    "llm-d-inference/qwen3-8b-published",
    "llm-d-namespace/llm-d-demo",
    "maas-connectivity-link/default",
    "maas-database/generated-password",
    "maas-demo/tier-freemium",
    "maas-demo/tier-premium",
    "maas-gateway/route",
    "maas-tenant/default-tenant",
    "nfd/instance",
    "nfd/operator",
    "nvidia/instance",
    "nvidia/operator-pinned",
    "opentelemetry-operator/default",
    "rhoai-instance/default",
    "rhoai-operator/stable",
    "tempo-operator/default",
];

/// Object (`Kind name`), path, and what the difference follows. A path stands for everything below it.
const DELIBERATE: &[(&str, &str, &str)] = &[
    (
        "ConfigMap openshift-ai-inference-override-config",
        "data.service",
        "golden defect of the case; serving.md §5.1 G5",
    ),
    (
        "Subscription nfd",
        "spec.startingCSV",
        "platform.md §2.1: the installer's patch, resolved first",
    ),
    (
        "ClusterPolicy gpu-cluster-policy",
        "spec.dcgmExporter.serviceMonitor",
        "platform.md §4 G14",
    ),
    (
        "ClusterPolicy gpu-cluster-policy",
        "spec.validator",
        "golden defect of the case",
    ),
    (
        "ServiceMonitor nvidia-dcgm-exporter",
        "",
        "platform.md §4 G14: the operator makes it",
    ),
    (
        "DSCInitialization default-dsci",
        "apiVersion",
        "platform.md §2.12: stored as v2",
    ),
    (
        "DSCInitialization default-dsci",
        "spec.serviceMesh",
        "platform.md §2.12: dropped by the conversion",
    ),
    (
        "DSCInitialization default-dsci",
        "spec.trustedCABundle",
        "platform.md §7 D49",
    ),
    (
        "DataScienceCluster default-dsc",
        "spec.components.kserve.modelsAsService",
        "platform.md §4 G26: a node of its own, late",
    ),
    (
        "DataScienceCluster default-dsc",
        "spec.components.llamastackoperator",
        "platform.md §7 D36: an input, off by default",
    ),
    (
        "HardwareProfile gpu-kueue-profile",
        "",
        "platform.md §2.11: without Kueue its name misleads",
    ),
    (
        "OdhDashboardConfig odh-dashboard-config",
        "",
        "platform.md §2.25: only the flags that follow from the stack",
    ),
    (
        "MLflow mlflow",
        "metadata.namespace",
        "platform.md §2.11: cluster-scoped",
    ),
    (
        "Gateway maas-default-gateway",
        "metadata.annotations.security.opendatahub.io/authorino-tls-bootstrap",
        "serving.md §7 row 11: late, a node of its own",
    ),
    (
        "TelemetryPolicy maas-gateway-telemetry",
        "spec.metrics.default.labels.tier",
        "serving.md §1.6: a field of releases before 3.4",
    ),
    ("Limitador limitador", "", "serving.md §1.6 row 7: an overlay"),
    (
        "Deployment maas-db",
        "spec.template.spec.containers.0.readinessProbe",
        "serving.md §1.7: without it ready means nothing",
    ),
    ("MachineSet ocp-7x2kq-gpu-worker-eu-west-1a", "", NAMED_AFTER_POOL),
    ("MachineSet ocp-7x2kq-gpu-worker-eu-west-1b", "", NAMED_AFTER_POOL),
    ("MachineSet ocp-7x2kq-gpu-worker-eu-west-1c", "", NAMED_AFTER_POOL),
];
const NAMED_AFTER_POOL: &str = "platform.md §4 G15; compared below under the pool's name";

/// Models on the llm-d gateway, behind a load balancer of its own.
const OPEN: &str = r#"
[stack]
name = "golden"
[cluster]
platform = "none"
[tls]
issuer = "existing"
secret = "ingress-certs"
[gateway]
exposure = "loadbalancer"
[[models]]
name = "qwen3-8b"
model_name = "alibaba/qwen3-8b"
namespace = "llm-d-demo"
source = "oci://registry.redhat.io/rhelai1/modelcar-qwen3-8b-fp8-dynamic:1.5"
replicas = 2
gpus = 1
cpu = 6
memory = "24Gi"
[models.vllm]
args = ["--disable-uvicorn-access-log", "--enable-auto-tool-choice", "--tool-call-parser=hermes"]
[[models]]
name = "opt-125m"
model_name = "facebook/opt-125m"
namespace = "llm-d-demo"
source = "hf://facebook/opt-125m"
gpus = 1
cpu = 2
memory = "8Gi"
requests = { cpu = 1, memory = "4Gi" }
"#;

/// Everything on AWS, with one model behind MaaS.
const MAAS: &str = r#"
[stack]
name = "golden"
[cluster]
platform = "aws"
[tls]
issuer = "existing"
secret = "ingress-certs"
[[gpu]]
name = "l40s"
tier = "l40s"
size = "g6e.2xlarge"
zones = ["a", "b", "c"]
nodes_per_zone = 1
[[gpu]]
name = "a10g"
tier = "a10g"
provision = "existing"
[rhoai]
profile = "stable"
[monitoring]
enabled = true
[[models]]
name = "qwen3-8b"
model_name = "alibaba/qwen3-8b"
namespace = "llm-d-demo"
source = "oci://registry.redhat.io/rhelai1/modelcar-qwen3-8b-fp8-dynamic:1.5"
replicas = 2
gpus = 1
cpu = 6
memory = "24Gi"
maas = true
[models.vllm]
args = ["--disable-uvicorn-access-log", "--enable-auto-tool-choice", "--tool-call-parser=hermes"]
[maas]
enabled = true
telemetry = true
[[maas.tiers]]
name = "freemium"
priority = 1
groups = ["freemium-users"]
limits = [{ model = "qwen3-8b", tokens = 300, window = "5m" }]
[[maas.tiers]]
name = "premium"
priority = 3
groups = ["premium-users"]
limits = [{ model = "qwen3-8b", tokens = 30000, window = "5m" }]
[[maas.groups]]
name = "freemium-users"
members = ["charlie"]
[[maas.groups]]
name = "premium-users"
members = ["alice"]
"#;

#[test]
fn objects_are_those_of_the_manual_but_where_the_reference_says_otherwise() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden");
    if !folder.is_dir() {
        skipped(&folder);
        return;
    }
    let mut differences = Vec::new();
    let mut needed = BTreeSet::new();
    let cases = CASES
        .iter()
        .flat_map(|(stack, cases)| cases.iter().map(move |case| (ours(stack), case)));
    for (ours, case) in cases {
        for theirs in objects(&fs::read_to_string(folder.join(format!("{case}.yaml"))).expect("a golden file")) {
            let name = name_of(&theirs);
            let found = ours.get(&name).cloned().unwrap_or(Value::Null);
            let mut found_differences = Vec::new();
            if found.is_null() {
                found_differences.push((String::new(), "missing".to_owned()));
            } else {
                compare(
                    "",
                    &normal(&theirs, &found),
                    &normal(&found, &theirs),
                    &mut found_differences,
                );
            }
            for (path, how) in found_differences {
                match DELIBERATE
                    .iter()
                    .position(|(object, at, _)| *object == name && is_below(&path, at))
                {
                    Some(row) => {
                        needed.insert(row);
                    }
                    None => differences.push(format!("{case}: {name} {path}: {how}")),
                }
            }
        }
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    let unneeded: Vec<_> = DELIBERATE
        .iter()
        .enumerate()
        .filter(|(row, _)| !needed.contains(row))
        .map(|(_, row)| row)
        .collect();
    assert!(unneeded.is_empty(), "rows that nothing needs: {unneeded:#?}");
}

/// The pool is in the name, so the manual's objects are compared with that name put in.
#[test]
fn machine_sets_are_those_of_the_manual_under_the_pools_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden");
    if !folder.is_dir() {
        skipped(&folder);
        return;
    }
    let text = fs::read_to_string(folder.join("gpu-worker/g6e-2xlarge-abc.yaml")).expect("a golden file");
    let renamed = text.replace("gpu-worker", "l40s-gpu-worker");
    let ours = ours(MAAS);
    let mut differences = Vec::new();
    for theirs in objects(&renamed) {
        let found = ours.get(&name_of(&theirs)).expect("one for each zone");
        compare("", &normal(&theirs, found), &normal(found, &theirs), &mut differences);
    }
    assert_eq!(differences, []);
}

#[expect(clippy::print_stderr, reason = "a test that did not run has to say so")]
fn skipped(folder: &Path) {
    eprintln!("SKIPPED: there are no golden objects at {}", folder.display());
}

fn ours(stack: &str) -> BTreeMap<String, Value> {
    manifests(&compiled(&stack_of(stack)))
        .into_iter()
        .map(|(_, manifest)| (name_of(&manifest), manifest))
        .collect()
}

fn name_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

fn objects(text: &str) -> Vec<Value> {
    text.split("\n---\n")
        .map(|document| document.trim_start_matches("---\n"))
        .filter(|document| !document.trim().is_empty())
        .map(|document| serde_saphyr::from_str(document).expect("YAML"))
        .collect()
}

fn is_below(path: &str, at: &str) -> bool {
    at.is_empty() || path == at || path.strip_prefix(at).is_some_and(|rest| rest.starts_with('.'))
}

/// As the golden folder's README compares: no hints of other tools, no nulls, decoded Secrets, parsed texts.
///
/// A golden object that names no namespace is in the one of its release, which the other object tells.
fn normal(object: &Value, other: &Value) -> Value {
    let mut object = object.clone();
    if let Some(annotations) = object
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.retain(|name, _| !name.starts_with("argocd.argoproj.io/"));
    }
    if let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("app.kubernetes.io/managed-by");
    }
    let is_release_scoped = object["metadata"]["namespace"].is_null() && object["kind"] != "MLflow";
    if is_release_scoped && let Some(namespace) = other.pointer("/metadata/namespace") {
        object["metadata"]["namespace"] = namespace.clone();
    }
    if object["kind"] == "Secret" {
        let mut data = json!({});
        if let Some(plain) = object["stringData"].as_object() {
            data = json!(plain);
        }
        for (key, value) in object["data"].as_object().into_iter().flatten() {
            let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).expect("base64");
            data[key] = json!(String::from_utf8_lossy(&bytes));
        }
        // What is drawn is left open in ours.
        if let Some(data) = data.as_object_mut() {
            data.retain(|_, value| !value.as_str().is_some_and(|text| text.contains("<random:")));
        }
        object["data"] = data;
        if let Some(map) = object.as_object_mut() {
            map.remove("stringData");
        }
    }
    pruned(&object).unwrap_or(Value::Null)
}

/// Without nulls and without maps that hold nothing but such, unless an empty one stood there by itself.
fn pruned(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(map) => {
            let kept: serde_json::Map<_, _> = map
                .iter()
                .filter(|(key, value)| {
                    !(["spec", "data", "labels", "annotations"].contains(&key.as_str())
                        && value.as_object().is_some_and(serde_json::Map::is_empty))
                })
                .filter_map(|(key, value)| Some((key.clone(), pruned(value)?)))
                .collect();
            Some(Value::Object(kept))
        }
        Value::Array(items) => Some(Value::Array(items.iter().filter_map(pruned).collect())),
        Value::String(text) if text.contains('\n') => {
            Some(serde_saphyr::from_str::<Value>(text).unwrap_or_else(|_| json!(text.trim())))
        }
        other => Some(other.clone()),
    }
}

/// Lists whose order means something; all others are compared as sets.
const ORDERED: &[&str] = &["args", "overrideArgs", "relabelings"];

fn compare(path: &str, theirs: &Value, ours: &Value, differences: &mut Vec<(String, String)>) {
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match (theirs, ours) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<_> = left.keys().chain(right.keys()).collect();
            for key in keys {
                match (left.get(key), right.get(key)) {
                    (Some(a), Some(b)) => compare(&below(key), a, b, differences),
                    (Some(a), None) => differences.push((below(key), format!("only theirs: {a}"))),
                    (None, Some(b)) => differences.push((below(key), format!("only ours: {b}"))),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let in_order = ORDERED.iter().any(|name| path.ends_with(name));
            let sorted = |items: &[Value]| {
                let mut items: Vec<_> = items.to_vec();
                if !in_order {
                    items.sort_by_key(|item| item.get("name").unwrap_or(item).to_string());
                }
                items
            };
            for (index, (a, b)) in sorted(left).iter().zip(&sorted(right)).enumerate() {
                compare(&below(&index.to_string()), a, b, differences);
            }
        }
        (a, b) if a == b => {}
        // YAML inside a text may write 2.0 for 2.
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        (a, b) => differences.push((path.to_owned(), format!("theirs {a}, ours {b}"))),
    }
}
