//! `kserve`: stands for the LLMInferenceService controller of KServe.
//!
//! Source: reference/serving.md §1.3.4: the tree of conditions, the objects it makes and their labels, `status.url`.
//!
//! Invariants:
//! - Ready follows from the tree, never before it; a model waits for its Gateway (`WaitingForGateway`), its route
//!   (`HTTPRoutesNotReady`) and its pods, which wait for GPUs.
//! - With auth wanted and no AuthPolicy CRD the route is taken away (`GatewayPreconditionNotMet`).
//!
//! - The pods of workloads and scheduler are what the service's own templates say, so they lack what those name and is
//!   not there: a claim, a token, the scheduler's TLS Secret (§2.1).
//!
//! Left out: presets beyond a container `main`, scaling, multi-node workers, the scheduler's own certificate,
//! what the container that downloads weights finds.

use serde_json::{Value, json};

use super::INGRESS;
use super::kinds::{DEPLOYMENT, DESTINATION_RULE, GATEWAY, HTTP_ROUTE, INFERENCE_POOL, LLM_INFERENCE_SERVICE, SERVICE};
use super::object::{Read, object, owned_by, suffix};
use super::routes::accepted_by;
use super::turn::{Turn, condition};

const FINALIZER: &str = "serving.kserve.io/llmisvc-finalizer";
/// KServe's built-in default gateway (reference/serving.md §6.1).
const DEFAULT_GATEWAY: &str = "openshift-ai-inference";

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    for service in turn.all(LLM_INFERENCE_SERVICE) {
        if service.is_deleting() {
            turn.release(LLM_INFERENCE_SERVICE, &service, FINALIZER);
            continue;
        }
        turn.finalize(LLM_INFERENCE_SERVICE, &service, FINALIZER);
        serve(turn, &service);
    }
}

fn labels(service: &Value, component: &str) -> Value {
    json!({
        "app.kubernetes.io/name": service.name(), "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "llminferenceservice",
    })
}

/// Returns the pods of one of the service's own templates: with a container `main`, as KServe's presets have it.
fn pods(template: &Value, image: &str) -> Value {
    let mut spec = template.clone();
    if !spec.is_object() {
        spec = json!({});
    }
    if spec.list("/containers").is_empty() {
        spec["containers"] = json!([{"name": "main"}]);
    }
    if let Some(containers) = spec["containers"].as_array_mut() {
        for container in containers {
            if container.get("image").is_none() {
                container["image"] = json!(image);
            }
        }
    }
    spec
}

/// Returns a pod template. The digest makes every change of it, a removal too, a new Deployment spec.
fn labelled(pods: &Value, labels: &Value) -> Value {
    let digest = suffix(&pods.to_string());
    let metadata = json!({"labels": labels, "annotations": {"simulator.stackctl.dev/template": digest}});
    json!({"metadata": metadata, "spec": pods})
}

/// Returns a Deployment after the service's own pod template, with what brings the weights in it.
fn workload(service: &Value, name: &str, role: &str, part: &Value) -> Value {
    let mut labels = labels(service, "llminferenceservice-workload");
    labels["kserve.io/component"] = json!("workload");
    labels["llm-d.ai/role"] = json!(role);
    let mut pods = pods(&part["template"], "registry.redhat.io/rhaii/vllm-cuda-rhel9");
    match service.text("/spec/model/uri").split_once("://") {
        Some(("oci", image)) => {
            if let Some(containers) = pods["containers"].as_array_mut() {
                containers.push(json!({"name": "modelcar", "image": image}));
            }
        }
        // KServe mounts a claim read-only, whatever is under its root (kserve `pkg/constants`, `PvcSourceMountName`).
        Some(("pvc", path)) => {
            let claim = path.split('/').next().unwrap_or_default();
            let volume =
                json!({"name": "kserve-pvc-source", "persistentVolumeClaim": {"claimName": claim, "readOnly": true}});
            match pods["volumes"].as_array_mut() {
                Some(volumes) => volumes.push(volume),
                None => pods["volumes"] = json!([volume]),
            }
        }
        // Weights from elsewhere are downloaded before the server starts.
        Some(("hf" | "s3", _)) => {
            pods["initContainers"] = json!([{
                "name": "storage-initializer", "image": "registry.redhat.io/rhoai/odh-kserve-storage-initializer-rhel9",
                "args": [service.text("/spec/model/uri"), "/mnt/models"], "terminationMessagePolicy": "FallbackToLogsOnError",
            }]);
        }
        Some(_) | None => {}
    }
    object(
        DEPLOYMENT,
        service.namespace(),
        name,
        json!({
            "metadata": {"labels": labels},
            "spec": {
                "replicas": part.get("replicas").cloned().unwrap_or(json!(1)),
                "selector": {"matchLabels": {"app.kubernetes.io/name": service.name(), "kserve.io/component": "workload", "llm-d.ai/role": role}},
                "template": labelled(&pods, &labels),
            },
        }),
    )
}

/// Returns the Deployment of the service's scheduler, after its own pod template.
fn scheduler(service: &Value, name: &str) -> Value {
    let labels = labels(service, "llminferenceservice-router-scheduler");
    let wanted = &service["spec"]["router"]["scheduler"];
    let template = labelled(&pods(&wanted["template"], "registry.redhat.io/simulated/main"), &labels);
    object(
        DEPLOYMENT,
        service.namespace(),
        name,
        json!({
            "metadata": {"labels": labels},
            "spec": {
                "replicas": wanted.number("/replicas").unwrap_or(1), "selector": {"matchLabels": labels}, "strategy": {"type": "Recreate"}, "template": template,
            },
        }),
    )
}

fn serve(turn: &mut Turn<'_>, service: &Value) {
    let (namespace, name) = (service.namespace().to_owned(), service.name().to_owned());
    let prefill = service.pointer("/spec/prefill");
    let main = format!("{name}-kserve");
    let role = if prefill.is_some() { "decode" } else { "both" };
    turn.ensure(
        DEPLOYMENT,
        owned_by(workload(service, &main, role, &service["spec"]), service),
    );
    let mut workloads = vec![("MainWorkloadReady", main)];
    if let Some(prefill) = prefill {
        let name = format!("{name}-kserve-prefill");
        turn.ensure(
            DEPLOYMENT,
            owned_by(workload(service, &name, "prefill", prefill), service),
        );
        workloads.push(("PrefillWorkloadReady", name));
    }
    network(turn, service);
    let scheduler_name = format!("{name}-kserve-router-scheduler");
    let scheduled = service.pointer("/spec/router/scheduler").is_some();
    if scheduled {
        turn.ensure(DEPLOYMENT, owned_by(scheduler(service, &scheduler_name), service));
    }
    let (gateways, named) = gateways(service);
    let auth = service.annotation("security.opendatahub.io/enable-auth") == Some("true");
    let precondition = !auth || turn.world.is_established("authpolicies.kuadrant.io");
    let route_name = format!("{name}-kserve-route");
    if precondition {
        route(turn, service, &route_name, &gateways);
    } else {
        turn.delete(HTTP_ROUTE, &namespace, &route_name);
    }
    tell(
        turn,
        service,
        &State {
            workloads,
            scheduler: scheduled.then_some(scheduler_name),
            gateways,
            named,
            precondition,
            route_name,
        },
    );
}

/// Services, pool and traffic rules of a model.
fn network(turn: &mut Turn<'_>, service: &Value) {
    let (namespace, name) = (service.namespace(), service.name());
    let workload = json!({"app.kubernetes.io/name": name, "kserve.io/component": "workload"});
    let epp = labels(service, "llminferenceservice-router-scheduler");
    for (suffix, component, selector, ports) in [
        (
            "kserve-workload-svc",
            "llminferenceservice-workload",
            &workload,
            json!([{"name": "https", "port": 8000, "protocol": "TCP"}]),
        ),
        (
            "epp-service",
            "llminferenceservice-router-scheduler",
            &epp,
            json!([
                {"name": "grpc", "port": 9002, "protocol": "TCP"}, {"name": "metrics", "port": 9090, "protocol": "TCP"},
            ]),
        ),
    ] {
        let mut labels = labels(service, component);
        if let Some(path) = service.label("llm-d.ai/well-lit-path") {
            labels["llm-d.ai/well-lit-path"] = json!(path);
        }
        let object = object(
            SERVICE,
            namespace,
            &format!("{name}-{suffix}"),
            json!({
                "metadata": {"labels": labels}, "spec": {"selector": selector, "ports": ports},
            }),
        );
        turn.ensure(SERVICE, owned_by(object, service));
    }
    let pool = object(
        INFERENCE_POOL,
        namespace,
        &format!("{name}-inference-pool"),
        json!({"spec": {
            "selector": {"matchLabels": workload}, "targetPorts": [{"number": 8000}],
            "endpointPickerRef": {"name": format!("{name}-epp-service"), "port": {"number": 9002}},
        }}),
    );
    turn.ensure(INFERENCE_POOL, owned_by(pool, service));
    for (rule, host) in [
        ("kserve-scheduler", "epp-service"),
        ("kserve-workload-svc", "kserve-workload-svc"),
    ] {
        let rule = object(
            DESTINATION_RULE,
            namespace,
            &format!("{name}-{rule}"),
            json!({"spec": {
                "host": format!("{name}-{host}.{namespace}.svc.cluster.local"),
                "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": true}},
            }}),
        );
        turn.ensure(DESTINATION_RULE, owned_by(rule, service));
    }
}

/// Returns the gateways of a service (namespace, name) and whether it names them.
fn gateways(service: &Value) -> (Vec<(String, String)>, bool) {
    let references = service.list("/spec/router/gateway/refs");
    if references.is_empty() {
        return (vec![(INGRESS.to_owned(), DEFAULT_GATEWAY.to_owned())], false);
    }
    let named = references.iter().map(|reference| {
        let namespace = match reference.text("/namespace") {
            "" => service.namespace(),
            namespace => namespace,
        };
        (namespace.to_owned(), reference.text("/name").to_owned())
    });
    (named.collect(), true)
}

fn route(turn: &mut Turn<'_>, service: &Value, name: &str, gateways: &[(String, String)]) {
    if service.pointer("/spec/router/route").is_none() {
        return;
    }
    let parents: Vec<Value> = gateways
        .iter()
        .map(|(namespace, name)| json!({"group": GATEWAY.group, "kind": GATEWAY.kind, "namespace": namespace, "name": name}))
        .collect();
    let prefix = format!("/{}/{}", service.namespace(), service.name());
    let pool = json!({"group": INFERENCE_POOL.group, "kind": INFERENCE_POOL.kind, "name": format!("{}-inference-pool", service.name()), "port": 8000, "weight": 1});
    let rules: Vec<Value> = ["/v1/completions", "/v1/chat/completions", ""]
        .iter()
        .map(|path| {
            let replacement = if path.is_empty() { "/" } else { path };
            json!({
                "matches": [{"path": {"type": "PathPrefix", "value": format!("{prefix}{path}")}}],
                "filters": [{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": replacement}}}],
                "backendRefs": [pool], "timeouts": {"request": "0s", "backendRequest": "0s"},
            })
        })
        .collect();
    let route = object(
        HTTP_ROUTE,
        service.namespace(),
        name,
        json!({
            "metadata": {"labels": labels(service, "llminferenceservice-router")},
            "spec": {"parentRefs": parents, "rules": rules},
        }),
    );
    turn.ensure(HTTP_ROUTE, owned_by(route, service));
}

/// What the conditions of a service follow from.
struct State {
    workloads: Vec<(&'static str, String)>,
    scheduler: Option<String>,
    gateways: Vec<(String, String)>,
    named: bool,
    precondition: bool,
    route_name: String,
}

fn tell(turn: &mut Turn<'_>, service: &Value, state: &State) {
    let namespace = service.namespace();
    let mut conditions = vec![condition("PresetsCombined", true, "", "")];
    let mut workloads = true;
    for (kind, name) in &state.workloads {
        let ready = turn.world.is_available(namespace, name);
        workloads &= ready;
        conditions.push(condition(
            kind,
            ready,
            if ready { "" } else { "MinimumReplicasUnavailable" },
            if ready {
                ""
            } else {
                "Deployment does not have minimum availability."
            },
        ));
    }
    let (short, unavailable) = if workloads {
        ("", "")
    } else {
        (
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    conditions.push(condition("WorkloadsReady", workloads, short, unavailable));

    let found: Vec<_> = state
        .gateways
        .iter()
        .filter_map(|(namespace, name)| turn.world.get(GATEWAY, namespace, name).cloned())
        .collect();
    let programmed = found.len() == state.gateways.len() && found.iter().all(|gateway| gateway.is("Programmed"));
    let mut router = true;
    if state.named {
        router &= programmed;
        conditions.push(condition(
            "GatewaysReady",
            programmed,
            if programmed { "" } else { "GatewaysNotReady" },
            if programmed { "" } else { "gateway is not programmed" },
        ));
    }
    let route = turn.world.get(HTTP_ROUTE, namespace, &state.route_name).cloned();
    let attached = route
        .as_ref()
        .is_some_and(|route| !found.is_empty() && found.iter().all(|gateway| accepted_by(route, gateway)));
    let (reason, why) = if !state.precondition {
        (
            "GatewayPreconditionNotMet",
            "authentication is enabled but the AuthPolicy CRD is not available".to_owned(),
        )
    } else if attached {
        ("", String::new())
    } else {
        let causes = route
            .iter()
            .flat_map(|route| route.list("/status/parents"))
            .flat_map(|parent| parent.list("/conditions"));
        let cause = causes
            .into_iter()
            .find(|entry| entry.text("/status") == "False")
            .map_or("not accepted yet", |entry| entry.text("/reason"));
        (
            "HTTPRoutesNotReady",
            format!("HTTPRoute {namespace}/{} is not ready: {cause}", state.route_name),
        )
    };
    router &= attached;
    conditions.push(condition("HTTPRoutesReady", attached, reason, &why));

    let pool = turn
        .world
        .get(INFERENCE_POOL, namespace, &format!("{}-inference-pool", service.name()));
    let pooled = attached && programmed && pool.is_some_and(|pool| !pool.list("/status/parents").is_empty());
    router &= pooled;
    conditions.push(condition(
        "InferencePoolReady",
        pooled,
        if pooled { "" } else { "WaitingForGateway" },
        if pooled {
            ""
        } else {
            "waiting for the gateway to take the InferencePool"
        },
    ));
    if let Some(name) = &state.scheduler {
        let ready = turn.world.is_available(namespace, name);
        router &= ready;
        conditions.push(condition(
            "SchedulerWorkloadReady",
            ready,
            if ready { "" } else { "MinimumReplicasUnavailable" },
            "",
        ));
    }
    // A condition above has reason and words of the first that is not true below it, as in Knative's condition sets.
    let first = conditions.iter().find(|below| {
        let workload =
            below.text("/type").ends_with("WorkloadReady") && below.text("/type") != "SchedulerWorkloadReady";
        let summed = ["PresetsCombined", "WorkloadsReady"].contains(&below.text("/type"));
        below.text("/status") != "True" && !workload && !summed
    });
    let (reason, why) = first.map_or((String::new(), String::new()), |below| {
        (below.text("/reason").to_owned(), below.text("/message").to_owned())
    });
    conditions.push(condition("RouterReady", router, &reason, &why));
    let ready = workloads && router;
    let (reason, why) = match (workloads, router) {
        (false, _) => (short.to_owned(), unavailable.to_owned()),
        (true, _) => (reason, why),
    };
    conditions.push(condition("Ready", ready, &reason, &why));
    let mut status = json!({"observedGeneration": service["metadata"]["generation"], "conditions": conditions});
    let listener = found.first().and_then(|gateway| {
        let mut listeners = gateway.list("/spec/listeners").iter();
        listeners.find(|listener| !listener.text("/hostname").is_empty())
    });
    if let Some(listener) = listener.filter(|_| attached) {
        let scheme = if listener.text("/protocol") == "HTTP" {
            "http"
        } else {
            "https"
        };
        let host = listener.text("/hostname");
        let url = format!("{scheme}://{host}/{namespace}/{}", service.name());
        status["url"] = json!(url);
        status["addresses"] = json!([{"name": "gateway-external", "url": url}]);
    }
    turn.status(LLM_INFERENCE_SERVICE, service, status);
}
