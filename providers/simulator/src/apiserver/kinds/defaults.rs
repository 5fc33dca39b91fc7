//! Defaults of built-in kinds that depend on another field, and what a create fills in.
//!
//! Invariant: [`complete`] is idempotent and runs on every write, so a default that somebody removed is back in the same
//! answer (`reference/ssa-semantics.md` §3).
//!
//! Source of each rule: <https://github.com/kubernetes/kubernetes/blob/v1.32.0/pkg/apis/core/v1/defaults.go> and its
//! siblings for apps, batch, rbac and networking.

use serde_json::{Map, Value, json};

use super::Kind;
use crate::apiserver::schema::{Schema, apply_defaults};

/// Puts every default of a built-in object.
pub(in crate::apiserver) fn complete(kind: &Kind, schema: &Schema, object: &mut Value) {
    fold_string_data(kind, object);
    apply_defaults(schema, object);
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Service") => service(object),
        ("", "Pod") => {
            if let Some(spec) = object.pointer_mut("/spec") {
                pod_spec(spec);
                requests_of_limits(spec);
                put(spec, "enableServiceLinks", json!(true));
            }
        }
        ("apps", "Deployment") => {
            workload(object);
            if let Some(strategy) = rolling_strategy(object, "/spec/strategy") {
                let rolling = field(strategy, "rollingUpdate");
                put(rolling, "maxSurge", json!("25%"));
                put(rolling, "maxUnavailable", json!("25%"));
            }
        }
        ("apps", "StatefulSet") => {
            workload(object);
            if let Some(strategy) = rolling_strategy(object, "/spec/updateStrategy") {
                put(field(strategy, "rollingUpdate"), "partition", json!(0));
            }
            for claim in items(object, "/spec/volumeClaimTemplates") {
                put(claim, "apiVersion", json!("v1"));
                put(claim, "kind", json!("PersistentVolumeClaim"));
            }
        }
        ("apps", "DaemonSet") => {
            workload(object);
            if let Some(strategy) = rolling_strategy(object, "/spec/updateStrategy") {
                let rolling = field(strategy, "rollingUpdate");
                put(rolling, "maxSurge", json!(0));
                put(rolling, "maxUnavailable", json!(1));
            }
        }
        ("apps", "ReplicaSet") => workload(object),
        ("batch", "Job") => {
            if let Some(spec) = object.pointer_mut("/spec") {
                job_spec(spec);
            }
        }
        ("batch", "CronJob") => {
            if let Some(spec) = object.pointer_mut("/spec/jobTemplate/spec/template/spec") {
                pod_spec(spec);
            }
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            for subject in items(object, "/subjects") {
                if subject
                    .get("kind")
                    .is_some_and(|kind| kind == "User" || kind == "Group")
                {
                    put(subject, "apiGroup", json!("rbac.authorization.k8s.io"));
                }
            }
        }
        ("networking.k8s.io", "NetworkPolicy") => network_policy(object),
        ("", "LimitRange") => limit_range(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition_names(object),
        _ => {}
    }
}

/// Labels a namespace with its name
/// (<https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name>).
pub(in crate::apiserver) fn label_namespace(object: &mut Value) {
    let name = object["metadata"]["name"].clone();
    field(&mut object["metadata"], "labels")["kubernetes.io/metadata.name"] = name;
}

/// What only a create fills in: addresses, generated selectors, a namespace's finalizer and label.
pub(in crate::apiserver) fn complete_on_create(
    kind: &Kind,
    object: &mut Value,
    uid: &str,
    next_cluster_ip: impl FnOnce() -> String,
) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => {
            label_namespace(object);
            object["spec"]["finalizers"] = json!(["kubernetes"]);
        }
        ("", "Service") if object.pointer("/spec/type").is_some_and(|kind| kind != "ExternalName") => {
            let spec = field(object, "spec");
            if spec.get("clusterIP").and_then(Value::as_str).is_none_or(str::is_empty) {
                spec["clusterIP"] = json!(next_cluster_ip());
            }
            spec["clusterIPs"] = json!([spec["clusterIP"]]);
            put(spec, "ipFamilies", json!(["IPv4"]));
            put(spec, "ipFamilyPolicy", json!("SingleStack"));
        }
        ("", "Pod") => {
            let spec = field(object, "spec");
            put(spec, "serviceAccountName", json!("default"));
            let name = spec["serviceAccountName"].clone();
            put(spec, "serviceAccount", name);
        }
        ("batch", "Job")
            if object
                .pointer("/spec/manualSelector")
                .is_none_or(|manual| manual != true) =>
        {
            let name = object["metadata"]["name"].clone();
            let template = field(field(&mut object["spec"], "template"), "metadata");
            let labels = field(template, "labels");
            for (key, value) in [
                ("batch.kubernetes.io/controller-uid", json!(uid)),
                ("batch.kubernetes.io/job-name", name.clone()),
                ("controller-uid", json!(uid)),
                ("job-name", name),
            ] {
                labels[key] = value;
            }
            object["spec"]["selector"] = json!({ "matchLabels": { "batch.kubernetes.io/controller-uid": uid } });
        }
        _ => {}
    }
}

/// Inserts a value where there is none.
fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object
        && !map.contains_key(key)
    {
        map.insert(key.to_owned(), value);
    }
}

/// The object under a key, made if it is missing.
fn field<'a>(object: &'a mut Value, key: &str) -> &'a mut Value {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let child = &mut object[key];
    if !child.is_object() {
        *child = Value::Object(Map::new());
    }
    child
}

/// `stringData` is folded into `data` and is never stored.
fn fold_string_data(kind: &Kind, object: &mut Value) {
    use base64::Engine as _;
    if kind.kind != "Secret" || !kind.group.is_empty() {
        return;
    }
    let Some(Value::Object(plain)) = object.as_object_mut().and_then(|map| map.remove("stringData")) else {
        return;
    };
    for (key, text) in plain {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text.as_str().unwrap_or_default());
        field(object, "data")[key.as_str()] = Value::String(encoded);
    }
}

fn workload(object: &mut Value) {
    if let Some(spec) = object.pointer_mut("/spec/template/spec") {
        pod_spec(spec);
    }
}

fn job_spec(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    if spec.get("completions").is_none() && spec.get("parallelism").is_none() {
        put(spec, "completions", json!(1));
    }
    put(spec, "parallelism", json!(1));
    // Of a Job, and not yet of a CronJob's template for Jobs.
    put(spec, "backoffLimit", json!(6));
    put(spec, "completionMode", json!("NonIndexed"));
    put(spec, "manualSelector", json!(false));
    put(spec, "suspend", json!(false));
    let policy = if spec.get("podFailurePolicy").is_some() {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    put(spec, "podReplacementPolicy", json!(policy));
    if let Some(spec) = spec.pointer_mut("/template/spec") {
        pod_spec(spec);
    }
}

/// A limit without a request is the request too: of a Pod, and not yet of a template for Pods.
fn requests_of_limits(spec: &mut Value) {
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(Value::Object(limits)) = container.pointer("/resources/limits").cloned() {
                let requests = field(&mut container["resources"], "requests");
                for (name, limit) in limits {
                    put(requests, &name, limit);
                }
            }
        }
    }
}

fn pod_spec(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    // The older name of the field follows the newer one.
    let of = |spec: &Value, key: &str| spec.get(key).filter(|value| value.is_string()).cloned();
    if let Some(name) = of(spec, "serviceAccountName") {
        spec["serviceAccount"] = name;
    } else if let Some(name) = of(spec, "serviceAccount") {
        spec["serviceAccountName"] = name;
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
            let name = image.rsplit('/').next().unwrap_or_default();
            let is_latest = !image.contains('@') && (!name.contains(':') || name.ends_with(":latest"));
            let policy = if is_latest { "Always" } else { "IfNotPresent" };
            put(container, "imagePullPolicy", json!(policy));
        }
    }
    if spec.get("hostNetwork").is_some_and(|flag| flag == true) {
        for container in spec
            .get_mut("containers")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            for port in container
                .get_mut("ports")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if let Some(number) = port.get("containerPort").cloned() {
                    put(port, "hostPort", number);
                }
            }
        }
    }
}

/// The strategy at that pointer, if it rolls.
fn rolling_strategy<'a>(object: &'a mut Value, pointer: &str) -> Option<&'a mut Value> {
    object
        .pointer_mut(pointer)
        .filter(|strategy| strategy.get("type").is_some_and(|kind| kind == "RollingUpdate"))
}

/// The items of the list at that pointer.
fn items<'a>(object: &'a mut Value, pointer: &str) -> impl Iterator<Item = &'a mut Value> {
    object
        .pointer_mut(pointer)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn service(object: &mut Value) {
    let spec = field(object, "spec");
    for port in spec
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(number) = port.get("port").cloned() {
            put(port, "targetPort", number);
        }
    }
    let service_type = spec
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or("ClusterIP")
        .to_owned();
    if spec
        .get("sessionAffinity")
        .is_some_and(|affinity| affinity == "ClientIP")
    {
        put(
            field(field(spec, "sessionAffinityConfig"), "clientIP"),
            "timeoutSeconds",
            json!(10_800),
        );
    }
    if service_type == "ExternalName" {
        return;
    }
    put(spec, "internalTrafficPolicy", json!("Cluster"));
    if service_type == "NodePort" || service_type == "LoadBalancer" {
        put(spec, "externalTrafficPolicy", json!("Cluster"));
        node_ports(object);
    }
    if service_type == "LoadBalancer" {
        put(&mut object["spec"], "allocateLoadBalancerNodePorts", json!(true));
    }
}

/// Node ports are drawn from the name, so that a dry-run and the real answer agree.
fn node_ports(object: &mut Value) {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let seed = format!("{}/{}", text("/metadata/namespace"), text("/metadata/name"));
    let mut hash: u32 = 2_166_136_261;
    for byte in seed.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    }
    for port in items(object, "/spec/ports") {
        hash = hash.wrapping_mul(16_777_619).wrapping_add(1);
        put(port, "nodePort", json!(30_000 + hash % 2_767));
    }
}

/// What a container may use by default is what it may use at most, and asks for what it may use by default.
fn limit_range(object: &mut Value) {
    for item in items(object, "/spec/limits") {
        if item.get("type").is_none_or(|kind| kind != "Container") {
            continue;
        }
        for (from, to) in [
            ("max", "default"),
            ("default", "defaultRequest"),
            ("min", "defaultRequest"),
        ] {
            if let Some(Value::Object(limits)) = item.get(from).cloned() {
                let target = field(item, to);
                for (name, limit) in limits {
                    put(target, &name, limit);
                }
            }
        }
    }
}

fn network_policy(object: &mut Value) {
    let spec = field(object, "spec");
    let mut types = vec![json!("Ingress")];
    if spec.get("egress").is_some() {
        types.push(json!("Egress"));
    }
    put(spec, "policyTypes", Value::Array(types));
    put(spec, "podSelector", json!({}));
}

fn definition_names(object: &mut Value) {
    let names = field(field(object, "spec"), "names");
    let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    put(names, "singular", json!(kind.to_lowercase()));
    put(names, "listKind", json!(format!("{kind}List")));
}
