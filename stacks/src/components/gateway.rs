//! A gateway and what leads to it: what the gateway of llm-d and that of MaaS have in common.
//!
//! Facts: `reference/serving.md` §1.1, §1.6.

use super::{
    Context, connectivity_link,
    draft::{Draft, TAKES_NOTICE, keyed, seconds},
    listener::Listener,
    names::{GATEWAY_CONTROLLER, INGRESS},
    platform_symptoms, symptoms,
};
use crate::stack::{Termination, Timeout};
use serde_json::{Value, json};
use stackctl_engine::{Address, ObjectRef, readiness::Rule};

/// How callers come to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// A load balancer of its own.
    ByLoadBalancer,
    /// The cluster's router, which ends their TLS there.
    ByRoute(Termination),
}

/// What makes one gateway another than the next.
#[derive(Debug)]
pub(super) struct Gateway<'a> {
    /// What it presents, and its names.
    pub(super) listener: &'a Listener<'a>,
    /// The name of its class.
    pub(super) class: &'a str,
    /// Whose routes it takes: `allowedRoutes` of its listener.
    pub(super) takes: Value,
    /// Its metadata.
    pub(super) metadata: Value,
    /// How callers come to it.
    pub(super) reached: Reached,
    /// How long it may take to be programmed; five minutes unless the stack says.
    pub(super) ready_timeout: Option<Timeout>,
    /// The table of the stack that is about it.
    pub(super) table: &'static str,
}

/// The gateway, its certificate, and the route to it if there is one; its class is not among them.
pub(super) fn resources(context: &Context<'_>, gateway: Gateway<'_>) -> Vec<Draft> {
    let listener = gateway.listener;
    let at = |role| keyed(&[(listener.component, ""), (role, "")]);
    let mut nodes = listener.resources();
    let mut manifest = listener.manifest(context);
    manifest["allowedRoutes"] = gateway.takes;
    let mut spec = json!({"gatewayClassName": gateway.class, "listeners": [manifest]});
    let mut config_of_route = None;
    if let Reached::ByRoute(termination) = gateway.reached {
        let (config, name) = (at("gateway-config"), format!("{}-override-config", listener.gateway));
        spec["infrastructure"] = parameters(&name);
        nodes.push(cluster_ip(config.clone(), &name));
        nodes.push(
            Draft::object(at("route"), route(listener, termination))
                .ready(admitted())
                // The condition of a router says of no generation: it may have admitted the host of before.
                .settled(TAKES_NOTICE)
                .diagnosed(platform_symptoms::router())
                .within(seconds(60))
                .after(at("gateway"), "the Service that it leads to is made for the gateway"),
        );
        config_of_route = Some(config);
    }
    let by_route = config_of_route.is_some();
    let mut node = Draft::object(
        at("gateway"),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": gateway.metadata,
            "spec": spec,
        }),
    )
    .ready(programmed(by_route))
    .within(
        gateway
            .ready_timeout
            .map_or(seconds(300), |timeout| timeout.as_duration()),
    )
    .after(at("class"), "its controller has to accept the class")
    .note(format!("host {}", listener.host))
    .diagnosed_by(symptoms::gateway(
        listener.gateway,
        listener.service,
        listener.secret(context),
        by_route,
        gateway.table,
    ));
    if let Some(certificate) = listener.certificate() {
        node = node.after(certificate, "its listener presents the certificate");
    }
    if let Some(config) = config_of_route {
        node = node.after_write(
            config,
            "read only when the gateway is set up: later, a load balancer would stay",
        );
    }
    nodes.push(node);
    nodes
}

/// Programmed, and, with a load balancer of its own, at an address (`reference/serving.md` §1.1, gates).
fn programmed(by_route: bool) -> Rule {
    let programmed = Rule::condition("Programmed");
    if by_route {
        return programmed;
    }
    Rule::All(vec![programmed, Rule::non_empty("status.addresses[0].value")])
}

/// A class of OpenShift's own gateway controller. The first one makes the ingress operator install a service mesh, which
/// stays.
///
/// It waits for Connectivity Link, because the mesh operator is installed into the same namespace: an install plan that
/// held both would not be approved (`reference/platform.md` §2.7 last item, §2.15; §3 hand-over: all operators first).
pub(super) fn class(address: Address, name: &str) -> Draft {
    let kept = "OpenShift's ingress operator installed it for the first GatewayClass and keeps it";
    let mesh = |api_version, kind, name| ObjectRef::namespaced(api_version, kind, super::names::OPERATORS, name);
    Draft::object(
        address,
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": name},
            "spec": {"controllerName": GATEWAY_CONTROLLER},
        }),
    )
    .ready(Rule::condition("Accepted"))
    .diagnosed_by(symptoms::class())
    .within(seconds(300))
    .after(
        connectivity_link::installed(),
        "the mesh that comes with a class shares a namespace with it: their install plans must not become one",
    )
    .leaves(
        mesh("operators.coreos.com/v1alpha1", "Subscription", "servicemeshoperator3*"),
        kept,
    )
    .leaves(
        mesh(
            "operators.coreos.com/v1alpha1",
            "ClusterServiceVersion",
            "servicemeshoperator3*",
        ),
        kept,
    )
    .leaves(mesh("operators.coreos.com/v1alpha1", "InstallPlan", "install-*"), kept)
    .leaves(mesh("apps/v1", "Deployment", "servicemesh-operator3*"), kept)
    .leaves(ObjectRef::cluster("sailoperator.io/v1", "Istio", "*"), kept)
    .leaves(
        ObjectRef::namespaced("apps/v1", "Deployment", INGRESS, "istiod-*"),
        kept,
    )
    .leaves(
        ObjectRef::namespaced(
            "apps/v1",
            "Deployment",
            super::names::OPERATORS,
            "servicemesh-operator3*",
        ),
        kept,
    )
}

/// The Service of a gateway behind a route needs no load balancer.
///
/// It carries no serving-cert annotation: the service CA would replace the listener's certificate by one for
/// `*.svc` (`reference/serving.md` §5.1 G5).
fn cluster_ip(address: Address, name: &str) -> Draft {
    Draft::object(
        address,
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": INGRESS},
            "data": {"service": "spec:\n  type: ClusterIP\n"},
        }),
    )
}

/// Where a gateway finds the settings of its Service.
fn parameters(name: &str) -> Value {
    json!({"parametersRef": {"group": "", "kind": "ConfigMap", "name": name}})
}

/// A route to a gateway; its port is that of the listener (`reference/serving.md` §5.1 G6, G7).
fn route(listener: &Listener<'_>, termination: Termination) -> Value {
    json!({
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": listener.gateway, "namespace": INGRESS},
        "spec": {
            "host": listener.host,
            "to": {"kind": "Service", "name": listener.service, "weight": 100},
            "port": {"targetPort": listener.port()},
            "tls": {"termination": termination.as_str(), "insecureEdgeTerminationPolicy": "Redirect"},
            "wildcardPolicy": "None",
        },
    })
}

/// A router serves the route: `.status.ingress[0].conditions[Admitted]` (`reference/serving.md` §1.6).
fn admitted() -> Rule {
    Rule::equals("status.ingress[0].conditions[type=Admitted].status", "True")
}
