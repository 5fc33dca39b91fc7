//! What the events of pods tell, on the workbench.

use serde_json::{Value, json};

use super::bench::Bench;
use super::kinds::*;
use super::object::{Read, object};

const EVENT: Kind = Kind {
    group: "",
    kind: "Event",
    version: "v1",
    plural: "events",
    scope: Scope::Namespaced,
};

/// A Deployment of one pod.
fn web(bench: &mut Bench, pod: &Value) {
    bench.put(NAMESPACE, object(NAMESPACE, "", "shop", json!({})));
    let labels = json!({"app": "web"});
    let template = json!({"metadata": {"labels": labels}, "spec": pod});
    let spec = json!({"spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}});
    bench.put(DEPLOYMENT, object(DEPLOYMENT, "shop", "web", spec));
    bench.settle();
}

/// What is told of the pod, in the order of the events' names, with its name and uid replaced.
fn told(bench: &Bench) -> Vec<String> {
    let pods: Vec<_> = bench.world.list_in(POD, "shop").collect();
    let [pod] = pods.as_slice() else {
        panic!("{} pods", pods.len())
    };
    let events = bench.world.list_in(EVENT, "shop");
    events
        .map(|event| {
            assert_eq!(event.text("/involvedObject/uid"), pod.uid());
            let message = event
                .text("/message")
                .replace(pod.name(), "POD")
                .replace(pod.uid(), "UID");
            let (by, kind, reason) = (
                event.text("/source/component"),
                event.text("/type"),
                event.text("/reason"),
            );
            format!("{by} {kind} {reason}: {message}")
        })
        .collect()
}

fn container(more: &Value) -> Value {
    let mut container = json!({"name": "main", "image": "registry.example.com/web:1"});
    super::object::merge(&mut container, more.clone());
    json!({"containers": [container]})
}

#[test]
fn a_pod_that_runs_tells_where_and_of_each_container() {
    let mut bench = Bench::new(&[]);
    web(&mut bench, &container(&json!({})));
    let all = [
        "default-scheduler Normal Scheduled: Successfully assigned shop/POD to worker-0",
        "kubelet Normal Pulled: Container image \"registry.example.com/web:1\" already present on machine",
        "kubelet Normal Created: Created container: main",
        "kubelet Normal Started: Started container main",
    ];
    assert_eq!(told(&bench), all);
    let event = bench
        .world
        .list_in(EVENT, "shop")
        .find(|event| event.text("/reason") == "Started");
    let event = event.expect("it started");
    assert_eq!(event.text("/involvedObject/fieldPath"), "spec.containers{main}");
    assert_eq!(event.text("/source/host"), "worker-0");
}

#[test]
fn a_pod_that_waits_tells_what_for() {
    let mut bench = Bench::new(&[]);
    web(
        &mut bench,
        &container(&json!({"resources": {"limits": {"nvidia.com/gpu": "1"}}})),
    );
    let waits = "default-scheduler Warning FailedScheduling: 0/1 nodes are available: Insufficient nvidia.com/gpu.";
    assert_eq!(told(&bench), [waits]);

    let mut bench = Bench::new(&[]);
    let mut pod = container(&json!({}));
    pod["volumes"] = json!([{"name": "tls", "secret": {"secretName": "certificate"}}]);
    web(&mut bench, &pod);
    let lacks =
        "kubelet Warning FailedMount: MountVolume.SetUp failed for volume \"tls\" : secret \"certificate\" not found";
    assert_eq!(told(&bench)[1..], [lacks]);
    bench.put(SECRET, object(SECRET, "shop", "certificate", json!({})));
    bench.settle();
    assert!(told(&bench).iter().any(|told| told.contains("Started container main")));

    let mut bench = Bench::new(&[]);
    let reference = json!({"name": "token", "key": "value"});
    let variable = json!({"env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": reference}}]});
    web(&mut bench, &container(&variable));
    assert_eq!(
        told(&bench)[1..],
        ["kubelet Warning Failed: Error: secret \"token\" not found"]
    );
}

#[test]
fn a_pod_that_ends_or_is_not_pulled_tells_that_it_is_held_back() {
    let mut bench = Bench::new(&["crashing@web"]);
    web(&mut bench, &container(&json!({})));
    let held = "kubelet Warning BackOff: Back-off restarting failed container main in pod POD_shop(UID)";
    assert_eq!(told(&bench)[1..], [held]);

    let mut bench = Bench::new(&["unpullable@registry.example.com/web"]);
    web(&mut bench, &container(&json!({})));
    let all = [
        "kubelet Warning Failed: Failed to pull image \"registry.example.com/web:1\": unauthorized: access to the requested resource is not authorized",
        "kubelet Warning Failed: Error: ErrImagePull",
        "kubelet Normal BackOff: Back-off pulling image \"registry.example.com/web:1\"",
        "kubelet Warning Failed: Error: ImagePullBackOff",
    ];
    assert_eq!(told(&bench)[1..], all);
}
