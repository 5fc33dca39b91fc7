//! What a server makes of what it is sent, row by row.

use crate::world::{World, object};
use serde_json::{Value, json};
use stackctl_engine::{GroupKind, ObjectRef, Resource, resource::Provides};

/// The group of the kind that the table brings along.
const GROUP: &str = "planner.stackctl.test";

pub(crate) fn config(world: &World, name: &str, data: &[(&str, &str)]) -> Resource {
    let data: Value = data
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let metadata = json!({"name": name, "namespace": world.namespace, "labels": {"admission": name}});
    object(
        &format!("a.{name}"),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}),
    )
}

/// A kind with defaults, a list that is told apart by a key, and free fields.
fn definition() -> Resource {
    let item = json!({"type": "object", "required": ["id"], "properties": {
        "id": {"type": "string"}, "weight": {"type": "integer", "default": 1}, "mode": {"type": "string", "default": "auto"}}});
    let spec = json!({"type": "object", "properties": {
        "timeout": {"type": "string", "format": "duration"},
        "size": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true},
        "replicas": {"type": "integer", "default": 1},
        "nested": {"type": "object", "default": {}, "properties": {"deep": {"type": "boolean", "default": true}}},
        "items": {"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"]},
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }});
    let version = json!({"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema":
        {"type": "object", "properties": {"spec": spec, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}});
    let mut resource = object(
        "b.definition",
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("gadgets.{GROUP}")},
            "spec": {"group": GROUP, "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget", "singular": "gadget", "listKind": "GadgetList"}, "versions": [version]},
        }),
    );
    if let stackctl_engine::resource::Node::Object(of) = &resource.node {
        let established = stackctl_engine::resource::Object::ready_when(
            of.manifest.clone(),
            stackctl_engine::readiness::Rule::established(),
        );
        resource.node = stackctl_engine::resource::Node::Object(established);
    }
    resource.provides.push(Provides {
        kind: GroupKind::new(GROUP, "Gadget"),
        plural: "gadgets".to_owned(),
        namespaced: true,
    });
    resource
}

fn gadget(world: &World, weight: i64) -> Resource {
    let items = json!([{"id": "b", "weight": weight}, {"id": "a"}]);
    object(
        "c.gadget",
        json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "Gadget", "metadata": {"name": "one", "namespace": world.namespace},
            "spec": {"timeout": "60s", "size": "1Gi", "items": items, "tags": ["y", "x"], "free": {"any": [{"thing": 1}]}},
        }),
    )
}

fn deployment(world: &World, cpu: &str) -> Resource {
    let container = json!({
        "name": "main", "image": "example.com/main",
        "ports": [{"containerPort": 80}, {"name": "metrics", "containerPort": 9090, "protocol": "TCP"}],
        "env": [{"name": "B", "value": "2"}, {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "resources": {"requests": {"cpu": cpu, "memory": "1024Mi"}, "limits": {"cpu": "2000m", "memory": "2048Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 80}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    });
    let pod = json!({"containers": [container], "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1024Mi"}}],
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]});
    object(
        "c.deployment",
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "main", "namespace": world.namespace},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "main"}}, "template": {"metadata": {"labels": {"app": "main"}}, "spec": pod}},
        }),
    )
}

fn secret(world: &World, data: &Value) -> Resource {
    let metadata = json!({"name": "one", "namespace": world.namespace});
    object(
        "c.secret",
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}),
    )
}

/// One object of each kind of treatment.
fn rows(world: &World) -> Vec<Resource> {
    let own = |at: &str, api_version: &str, kind: &str, body: Value| {
        let mut manifest =
            json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "one", "namespace": world.namespace}});
        if let (Value::Object(manifest), Value::Object(body)) = (&mut manifest, body) {
            manifest.extend(body);
        }
        object(at, manifest)
    };
    vec![
        world.namespace(),
        definition(),
        gadget(world, 5),
        deployment(world, "1000m"),
        own(
            "c.service",
            "v1",
            "Service",
            json!({"spec": {"selector": {"app": "main"}, "ports": [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]}}),
        ),
        own(
            "c.quota",
            "v1",
            "ResourceQuota",
            json!({"spec": {"hard": {"requests.cpu": "0.5", "requests.memory": "1.5Gi", "pods": "10"}}}),
        ),
        own(
            "c.limits",
            "v1",
            "LimitRange",
            json!({"spec": {"limits": [{"type": "Container", "default": {"cpu": "1000m"}, "defaultRequest": {"cpu": "0.1"}}]}}),
        ),
        own(
            "c.budget",
            "policy/v1",
            "PodDisruptionBudget",
            json!({"spec": {"minAvailable": "50%", "selector": {"matchLabels": {"app": "main"}}}}),
        ),
        own(
            "c.policy",
            "networking.k8s.io/v1",
            "NetworkPolicy",
            json!({"spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}}),
        ),
        own(
            "c.job",
            "batch/v1",
            "CronJob",
            json!({"spec": {"schedule": "0 0 * * *", "suspend": true, "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/main"}]}}}}}}),
        ),
        own(
            "c.role",
            "rbac.authorization.k8s.io/v1",
            "Role",
            json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]}),
        ),
        own(
            "c.binding",
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            json!({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "one"}, "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": world.namespace}]}),
        ),
        secret(world, &json!({"k": "dg==", "dropped": "dw=="})),
        // What admission adds, what it changes of ours, and what it writes anew each time.
        config(world, "defaulted", &[("k", "ours")]),
        config(world, "changed", &[("k", "ours")]),
        config(world, "stamped", &[("k", "ours")]),
    ]
}

pub(crate) async fn plays(world: &mut World) {
    let stack = rows(world);
    world.apply(&stack).await;
    assert_eq!(world.changes(&stack).await, [""; 0], "right after the apply");
    let by_the_server = world.differences(&stack).await;
    assert_eq!(by_the_server, STAMPED, "by the server's own answer about each");

    // Controllers write beside us: annotations, fields that we do not say, and status.
    let deployment_of_ours = ObjectRef::namespaced("apps/v1", "Deployment", &world.namespace, "main");
    let theirs = json!({"metadata": {"annotations": {"deployment.kubernetes.io/revision": "7", "theirs": "x"}},
        "spec": {"minReadySeconds": 3, "template": {"metadata": {"annotations": {"restarted": "now"}}}}});
    world.patch_as("a-controller", deployment_of_ours, theirs).await;
    let gadget_of_ours = ObjectRef::namespaced(&format!("{GROUP}/v1"), "Gadget", &world.namespace, "one");
    let theirs = json!({"metadata": {"finalizers": null, "labels": {"theirs": "x"}}, "spec": {"replicas": 4, "nested": {"deep": false}}});
    world.patch_as("a-controller", gadget_of_ours.clone(), theirs).await;
    assert_eq!(world.changes(&stack).await, [""; 0], "beside controllers");
    assert_eq!(
        world.differences(&stack).await,
        STAMPED,
        "beside controllers, by the server's own answer"
    );

    // What does change is shown, and that alone.
    let mut changed = stack.clone();
    changed[2] = gadget(world, 6);
    changed[3] = deployment(world, "1500m");
    changed[12] = secret(world, &json!({"k": "dg=="}));
    changed[14] = config(world, "changed", &[("k", "other")]);
    assert_eq!(world.changes(&changed).await, CHANGED);
    world.apply(&changed).await;
    assert_eq!(world.changes(&changed).await, [""; 0], "after the change");
    let secret_of_ours = ObjectRef::namespaced("v1", "Secret", &world.namespace, "one");
    assert_eq!(
        world.live(&secret_of_ours).await["data"],
        json!({"k": "dg=="}),
        "the key is gone"
    );
    assert_eq!(
        world.live(&gadget_of_ours).await["spec"]["replicas"],
        4,
        "what is a controller's stays"
    );
    // The same amount in other words is no change of the object, whatever the stack says.
    changed[3] = deployment(world, "1.5");
    assert_eq!(world.differences(&changed).await, STAMPED);
}

/// What never settles is said, where the server is asked: admission writes another text each time.
const STAMPED: [&str; 1] = ["update a.stamped .data.stamp"];

/// What a change of four objects comes to; of the first, admission makes the same as before: it is only sent and recorded.
const CHANGED: [&str; 4] = [
    "record a.changed",
    "update c.deployment .spec.template.spec.containers[name=\"main\"].resources.requests.cpu",
    "update c.gadget .spec.items[id=\"b\"].weight",
    "update c.secret .data.dropped",
];
