//! What becomes of Services: load balancers get an address from the cloud, and every Service the list of its pods.
//!
//! Source: <https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/>; reference/serving.md G3 (without a
//! cloud nobody gives a load balancer an address, unless MetalLB does: [`crate::operators::metallb`]).
//!
//! Invariant: a Service with a selector has one EndpointSlice, which holds its running pods and whether each is ready.
//!
//! Left out: Endpoints (the older form), slices of more than a hundred pods, named target ports, cluster addresses.

use serde_json::{Value, json};

use crate::faults::FaultName;
use crate::operators::kinds::{ENDPOINT_SLICE, INFRASTRUCTURE, POD, SERVICE};
use crate::operators::object::{Read, object, owned_by, suffix};
use crate::operators::turn::{Turn, map};

pub(super) fn reconcile(turn: &mut Turn<'_>) {
    balance(turn);
    for service in turn.all(SERVICE) {
        let selects = !map(&service, "/spec/selector").is_empty();
        if selects && !service.is_deleting() && service.text("/spec/type") != "ExternalName" {
            list_pods(turn, &service);
        }
    }
}

/// Returns whether the cluster runs on a cloud, whose controller gives addresses to load balancers.
pub(in crate::operators) fn has_cloud(turn: &Turn<'_>) -> bool {
    turn.world
        .get(INFRASTRUCTURE, "", "cluster")
        .is_none_or(|infrastructure| infrastructure.text("/status/platform") != "None")
}

/// Gives load balancers an address.
fn balance(turn: &mut Turn<'_>) {
    if !has_cloud(turn) || turn.faults.on(FaultName::LoadBalancerPending) {
        return;
    }
    for service in turn.all(SERVICE) {
        if service.text("/spec/type") == "LoadBalancer"
            && !service.is_deleting()
            && service.list("/status/loadBalancer/ingress").is_empty()
            && turn.held(format!("balancer {}", service.uid()), 30)
        {
            let host = format!("{}.elb.amazonaws.com", suffix(service.uid()));
            turn.status(
                SERVICE,
                &service,
                json!({"loadBalancer": {"ingress": [{"hostname": host}]}}),
            );
        }
    }
}

/// Writes the EndpointSlice of a Service.
fn list_pods(turn: &mut Turn<'_>, service: &Value) {
    let (namespace, name) = (service.namespace(), service.name());
    let selector = map(service, "/spec/selector");
    let endpoints: Vec<Value> = turn
        .world
        .list_in(POD, namespace)
        .filter(|pod| pod.has_labels(selector) && !pod.is_deleting() && !pod.text("/status/podIP").is_empty())
        .map(|pod| {
            let ready = pod.is("Ready");
            json!({
                "addresses": [pod.text("/status/podIP")], "nodeName": pod.text("/spec/nodeName"),
                "conditions": {"ready": ready, "serving": ready, "terminating": false},
                "targetRef": {"kind": POD.kind, "namespace": namespace, "name": pod.name(), "uid": pod.uid()},
            })
        })
        .collect();
    let ports: Vec<Value> = service
        .list("/spec/ports")
        .iter()
        .map(|port| {
            let target = port.number("/targetPort").or_else(|| port.number("/port"));
            json!({"name": port.text("/name"), "port": target, "protocol": port.pointer("/protocol").unwrap_or(&json!("TCP"))})
        })
        .collect();
    let slice_name = format!("{name}-{}", suffix(&format!("{namespace}/{name}")));
    let live = turn.world.get(ENDPOINT_SLICE, namespace, &slice_name);
    let had = live.is_some_and(|live| !live.list("/endpoints").is_empty());
    let mut slice = object(
        ENDPOINT_SLICE,
        namespace,
        &slice_name,
        json!({
            "metadata": {"labels": {
                "kubernetes.io/service-name": name,
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            }},
            "addressType": "IPv4",
        }),
    );
    // A server keeps no empty list, so none is asked for where there is none.
    if !ports.is_empty() {
        slice["ports"] = json!(ports);
    }
    if had || !endpoints.is_empty() {
        slice["endpoints"] = json!(endpoints);
    }
    turn.ensure(ENDPOINT_SLICE, owned_by(slice, service));
}
