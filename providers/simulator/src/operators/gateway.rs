//! `gateway`: stands for the ingress operator's Gateway API support and the Istio it installs.
//!
//! Source: reference/serving.md §1.1, §1.6 (objects and gates), §5.1 G3 and G4; reference/platform.md §2.15: a
//! GatewayClass of `openshift.io/gateway-controller/v1` makes the ingress operator install its own pinned
//! Subscription `servicemeshoperator3` in `openshift-operators`; that is nobody else's, and it stays.
//! [`super::routes`] attaches routes.
//!
//! Invariants:
//! - A GatewayClass is Accepted only after that installation; a Gateway is Programmed only after its class is Accepted,
//!   every listener's Secret is there and its load balancer, if it has one, has an address.
//! - Beside a service mesh that somebody else subscribes to, no class is Accepted (G2).
//! - A later change of service type leaves the Service as it was made (reference/serving.md §2.1).
//!
//! Left out: what a listener's certificate is for (the proxy presents whatever it is given), listeners that conflict.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::{
    CONFIG_MAP, DEPLOYMENT, GATEWAY, GATEWAY_CLASS, INSTALL_PLAN, PACKAGE_MANIFEST, SECRET, SERVICE, SUBSCRIPTION,
};
use super::object::{Read, object, owned_by};
use super::turn::{Turn, observed};
use super::{GLOBAL, INGRESS, routes};
use crate::faults::FaultName;

pub(crate) const CONTROLLER: &str = "openshift.io/gateway-controller/v1";
const MESH: &str = "servicemeshoperator3";
const OWNED: &str = "ingress.operator.openshift.io/owned";
const CONTROL_PLANE: &str = "istiod-openshift-gateway";
/// After the proxy runs, the configuration is pushed.
const PROGRAMMED_SECONDS: u64 = 5;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    classes(turn);
    for gateway in turn.all(GATEWAY) {
        let class = turn
            .world
            .get(GATEWAY_CLASS, "", gateway.text("/spec/gatewayClassName"))
            .cloned();
        if let Some(class) = class.filter(|class| class.is("Accepted") && !gateway.is_deleting() && ours(class)) {
            realise(turn, &gateway, &class);
        }
    }
    routes::reconcile(turn);
}

fn ours(class: &Value) -> bool {
    class.text("/spec/controllerName") == CONTROLLER
}

fn classes(turn: &mut Turn<'_>) {
    let classes: Vec<Arc<Value>> = turn
        .all(GATEWAY_CLASS)
        .into_iter()
        .filter(|class| ours(class) && !class.is_deleting())
        .collect();
    if classes.is_empty() {
        return;
    }
    let installed = !foreign_mesh(turn) && mesh(turn);
    if installed {
        let labels = json!({"app": "istiod", "istio.io/rev": "openshift-gateway"});
        turn.ensure(
            DEPLOYMENT,
            super::operands::deployment(INGRESS, CONTROL_PLANE, &labels, &["discovery"]),
        );
    }
    let running = installed && turn.world.is_available(INGRESS, CONTROL_PLANE);
    for class in classes {
        if running && turn.held(format!("accept {}", class.uid()), 2) {
            let accepted = observed(&class, "Accepted", true, "Accepted", "Handled by Istio controller");
            turn.status(GATEWAY_CLASS, &class, json!({"conditions": [accepted]}));
        } else if class.condition("Accepted").is_empty() {
            let waiting = json!({"type": "Accepted", "status": "Unknown", "reason": "Pending", "message": "Waiting for controller",
                "observedGeneration": class["metadata"]["generation"]});
            turn.status(GATEWAY_CLASS, &class, json!({"conditions": [waiting]}));
        }
    }
}

/// Returns whether somebody subscribes to a service mesh of their own, beside which the ingress operator installs none
/// (reference/serving.md G2).
fn foreign_mesh(turn: &Turn<'_>) -> bool {
    turn.world.list(SUBSCRIPTION).any(|subscription| {
        subscription.text("/spec/name").starts_with("servicemeshoperator")
            && subscription.annotation(OWNED) != Some("true")
    })
}

/// Installs the service mesh operator and approves its plan. Returns whether it is installed.
fn mesh(turn: &mut Turn<'_>) -> bool {
    let Some(package) = turn.world.get(PACKAGE_MANIFEST, "openshift-marketplace", MESH).cloned() else {
        // A cluster whose catalogue has no such package brings the controller itself.
        return true;
    };
    let channel = package.text("/status/defaultChannel").to_owned();
    let head = package
        .list("/status/channels")
        .iter()
        .find(|entry| entry.text("/name") == channel);
    turn.create(
        SUBSCRIPTION,
        object(
            SUBSCRIPTION,
            GLOBAL,
            MESH,
            json!({
                "metadata": {"annotations": {OWNED: "true"}},
                "spec": {
                    "name": MESH, "channel": channel, "source": package["status"]["catalogSource"],
                    "sourceNamespace": package["status"]["catalogSourceNamespace"], "installPlanApproval": "Manual",
                    "startingCSV": head.map_or("", |entry| entry.text("/currentCSV")),
                },
            }),
        ),
    );
    if let Some(subscription) = turn.world.get(SUBSCRIPTION, GLOBAL, MESH).cloned() {
        for plan in turn.all(INSTALL_PLAN) {
            let only_ours = plan.list("/spec/clusterServiceVersionNames").len() == 1;
            if plan.is_owned_by(subscription.uid()) && only_ours && subscription.text("/status/installedCSV").is_empty()
            {
                turn.patch(INSTALL_PLAN, &plan, json!({"spec": {"approved": true}}));
            }
        }
    }
    turn.world.csv(MESH).is_some()
}

/// Returns the name that Istio gives Deployment and Service of a Gateway.
fn proxy_name(gateway: &Value) -> String {
    format!("{}-{}", gateway.name(), gateway.text("/spec/gatewayClassName"))
}

fn realise(turn: &mut Turn<'_>, gateway: &Value, class: &Value) {
    let (namespace, name) = (gateway.namespace(), proxy_name(gateway));
    let parameters = gateway.text("/spec/infrastructure/parametersRef/name");
    let overrides = turn
        .world
        .get(CONFIG_MAP, namespace, parameters)
        .map_or(String::new(), |config| config.text("/data/service").to_owned());
    if !parameters.is_empty() && !turn.world.has(CONFIG_MAP, namespace, parameters) {
        let why = format!("parametersRef {namespace}/{parameters} not found");
        let refused = observed(gateway, "Accepted", false, "InvalidParameters", &why);
        turn.status(GATEWAY, gateway, json!({"conditions": [refused]}));
        return;
    }
    let labels = json!({"gateway.networking.k8s.io/gateway-name": gateway.name(), "gateway.networking.k8s.io/gateway-class-name": class.name()});
    let proxy = super::operands::deployment(namespace, &name, &labels, &["istio-proxy"]);
    turn.ensure(DEPLOYMENT, owned_by(proxy, gateway));
    if turn.world.get(SERVICE, namespace, &name).is_none() {
        turn.create(SERVICE, owned_by(service(gateway, &name, &labels, &overrides), gateway));
    }
    let service = turn.world.get(SERVICE, namespace, &name).cloned();
    let balanced = service
        .as_ref()
        .is_some_and(|service| service.text("/spec/type") == "LoadBalancer");
    let balancer = service.as_ref().and_then(|service| {
        let address = |kind: &'static str, key: &str| {
            let value = service.text(&format!("/status/loadBalancer/ingress/0/{key}"));
            (!value.is_empty()).then(|| json!({"type": kind, "value": value}))
        };
        address("Hostname", "hostname").or_else(|| address("IPAddress", "ip"))
    });
    let (listeners, resolved) = listeners(turn, gateway);
    let stuck = turn.faults.at(FaultName::GatewayNotProgrammed, gateway.name());
    let programmed = resolved
        && !stuck
        && turn.world.is_available(namespace, &name)
        && !(balanced && balancer.is_none())
        && (gateway.is("Programmed") || turn.held(format!("program {}", gateway.uid()), PROGRAMMED_SECONDS));
    let inside = || json!({"type": "Hostname", "value": format!("{name}.{namespace}.svc.cluster.local")});
    let address = balancer.filter(|_| balanced).unwrap_or_else(inside);
    let (reason, message) = if programmed {
        ("Programmed", "Resource programmed, assigned to service(s)")
    } else if resolved && stuck {
        ("Pending", "the proxy has not acknowledged its configuration")
    } else if resolved {
        (
            "AddressNotAssigned",
            "Assigned to service(s), but failed to assign to all requested addresses: waiting for the proxy",
        )
    } else {
        ("Invalid", "a listener is not programmed: its certificate is missing")
    };
    let mut status = json!({
        "conditions": [
            observed(gateway, "Accepted", true, "Accepted", "Resource accepted"),
            observed(gateway, "Programmed", programmed, reason, message),
        ],
        "listeners": listeners,
    });
    if programmed {
        status["addresses"] = json!([address]);
    }
    turn.status(GATEWAY, gateway, status);
}

/// What the override ConfigMap may say about the Service (reference/serving.md §1.1).
#[derive(Default, serde::Deserialize)]
struct Overrides {
    #[serde(default)]
    metadata: OverrideMetadata,
    #[serde(default)]
    spec: OverrideSpec,
}

#[derive(Default, serde::Deserialize)]
struct OverrideMetadata {
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Default, serde::Deserialize)]
struct OverrideSpec {
    #[serde(default, rename = "type")]
    kind: String,
}

fn service(gateway: &Value, name: &str, labels: &Value, overrides: &str) -> Value {
    let overrides: Overrides = serde_saphyr::from_str(overrides).unwrap_or_default();
    let mut kind = gateway
        .annotation("networking.istio.io/service-type")
        .unwrap_or("LoadBalancer")
        .to_owned();
    if !overrides.spec.kind.is_empty() {
        kind = overrides.spec.kind;
    }
    let mut ports = vec![json!({"name": "status-port", "port": 15021, "targetPort": 15021, "protocol": "TCP"})];
    for listener in gateway.list("/spec/listeners") {
        ports.push(json!({"name": listener["name"], "port": listener["port"], "targetPort": listener["port"], "protocol": "TCP"}));
    }
    object(
        SERVICE,
        gateway.namespace(),
        name,
        json!({
            "metadata": {"labels": labels, "annotations": overrides.metadata.annotations},
            "spec": {"type": kind, "selector": labels, "ports": ports},
        }),
    )
}

/// Returns the status of every listener, and whether all certificates are there.
fn listeners(turn: &Turn<'_>, gateway: &Value) -> (Vec<Value>, bool) {
    let mut all = true;
    let mut statuses = Vec::new();
    for listener in gateway.list("/spec/listeners") {
        let missing = listener.list("/tls/certificateRefs").iter().find(|reference| {
            let namespace = match reference.text("/namespace") {
                "" => gateway.namespace(),
                namespace => namespace,
            };
            let secret = turn.world.get(SECRET, namespace, reference.text("/name"));
            secret.is_none_or(|secret| {
                ["tls.crt", "tls.key"]
                    .iter()
                    .any(|key| secret["data"].get(key).is_none())
            })
        });
        all &= missing.is_none();
        let (reason, why) = match missing {
            None => ("ResolvedRefs", String::new()),
            Some(reference) => (
                "InvalidCertificateRef",
                format!("invalid certificate reference {}", reference.text("/name")),
            ),
        };
        let resolved = missing.is_none();
        let name = listener.text("/name");
        let mut status = json!({
            "name": name, "attachedRoutes": routes::attached(turn, gateway, listener),
            "supportedKinds": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
        });
        let live = gateway
            .list("/status/listeners")
            .iter()
            .find(|live| live.text("/name") == name);
        status["conditions"] = json!(turn.conditions(
            live.map_or(&[], |live| live.list("/conditions")),
            &[
                observed(gateway, "Accepted", true, "Accepted", "No errors found"),
                observed(gateway, "Conflicted", false, "NoConflicts", "No errors found"),
                observed(
                    gateway,
                    "Programmed",
                    resolved,
                    if resolved { "Programmed" } else { "Invalid" },
                    &why
                ),
                observed(gateway, "ResolvedRefs", resolved, reason, &why),
            ],
            "type"
        ));
        statuses.push(status);
    }
    (statuses, all)
}
