//! The llm-d gateway: where models that are not published to MaaS are reached.
//!
//! Facts: `reference/serving.md` §1.1.

use super::{
    Context, connectivity_link,
    draft::{Draft, at, seconds},
    listener::Listener,
    names::{GATEWAY_CONTROLLER, INGRESS},
    platform_symptoms, symptoms,
};
use crate::stack::{GatewayExposure, GatewayTls, OpenShift, Termination};
use serde_json::{Value, json};
use stackctl_engine::{Address, ObjectRef, readiness::Rule};

/// The first segment of its addresses.
pub(super) const COMPONENT: &str = "llm-d";

/// The class of the gateway; none when the stack serves no model.
pub(super) fn class(context: &Context<'_>) -> Option<Address> {
    (!context.stack.models.is_empty()).then(|| at("llm-d.class"))
}

/// The gateway.
pub(super) fn gateway() -> Address {
    at("llm-d.gateway")
}

/// Its host name (`reference/serving.md` §1.1, table of modes).
pub(super) fn host(context: &Context<'_>) -> String {
    host_under(context.stack, &context.facts.apps_domain)
}

/// Its host name under an apps domain.
pub(super) fn host_under(stack: &OpenShift, domain: &str) -> String {
    match &stack.gateway.exposure {
        GatewayExposure::Route => format!("{}-{INGRESS}.{domain}", stack.gateway.name),
        GatewayExposure::LoadBalancer { subdomain } => format!("{subdomain}.{domain}"),
    }
}

/// Whether callers speak plain HTTP to it: without TLS, and without a router that has it.
pub(super) fn is_plain(stack: &OpenShift) -> bool {
    stack.gateway.tls == GatewayTls::Plain && stack.gateway.exposure != GatewayExposure::Route
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(class) = class(context) else {
        return Vec::new();
    };
    let name = context.stack.gateway.name.as_str();
    let class_name = format!("{name}-class");
    let by_route = context.stack.gateway.exposure == GatewayExposure::Route;
    let (host, service) = (host(context), format!("{name}-{class_name}"));
    let listener = Listener {
        component: COMPONENT,
        gateway: name,
        service: &service,
        host: &host,
        tls: &context.stack.gateway.tls,
    };
    let mut manifest = listener.manifest(context);
    manifest["allowedRoutes"] = json!({"namespaces": {"from": "All"}});
    let mut spec = json!({"gatewayClassName": class_name, "listeners": [manifest]});
    let mut nodes = vec![gateway_class(class.clone(), &class_name)];
    nodes.extend(listener.resources());
    let config = at("llm-d.gateway-config");
    let config_name = format!("{name}-override-config");
    if by_route {
        spec["infrastructure"] = parameters(&config_name);
        nodes.push(cluster_ip(config.clone(), &config_name));
        let termination = match context.stack.gateway.tls {
            GatewayTls::Plain => Termination::Edge,
            GatewayTls::Platform | GatewayTls::Secret(_) | GatewayTls::Generated { .. } => Termination::Passthrough,
        };
        nodes.push(
            Draft::object(at("llm-d.route"), route(&listener, termination))
                .ready(admitted())
                .diagnosed(platform_symptoms::router())
                .within(seconds(60))
                .after(gateway(), "the Service that it leads to is made for the gateway"),
        );
    }
    let time = context.stack.gateway.ready_timeout;
    let mut node = Draft::object(
        gateway(),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": name, "namespace": INGRESS},
            "spec": spec,
        }),
    )
    .ready(programmed(by_route))
    .within(time.map_or(seconds(300), |timeout| timeout.as_duration()))
    .after(class, "its controller has to accept the class")
    .note(format!("host {host}"))
    .diagnosed_by(symptoms::gateway(
        name,
        &service,
        listener.secret(context),
        by_route,
        "gateway",
    ));
    if let Some(certificate) = listener.certificate() {
        node = node.after(certificate, "its listener presents the certificate");
    }
    if by_route {
        node = node.after_write(
            config,
            "read only when the gateway is set up: later, a load balancer would stay",
        );
    }
    nodes.push(node);
    nodes
}

/// Programmed, and, with a load balancer of its own, at an address (`reference/serving.md` §1.1, gates).
pub(super) fn programmed(by_route: bool) -> Rule {
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
pub(super) fn gateway_class(address: Address, name: &str) -> Draft {
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
pub(super) fn cluster_ip(address: Address, name: &str) -> Draft {
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
pub(super) fn parameters(name: &str) -> Value {
    json!({"parametersRef": {"group": "", "kind": "ConfigMap", "name": name}})
}

/// A route to a gateway; its port is that of the listener (`reference/serving.md` §5.1 G6, G7).
pub(super) fn route(listener: &Listener<'_>, termination: Termination) -> Value {
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
pub(super) fn admitted() -> Rule {
    Rule::equals("status.ingress[0].conditions[type=Admitted].status", "True")
}
