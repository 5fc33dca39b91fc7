//! Load balancers of gateways: one that is bought, and the DNS record that has to lead to it.
//!
//! Facts: `reference/serving.md` §1.1 (a Gateway's Service is of type `LoadBalancer` unless its parameters or, for MaaS,
//! its annotation say otherwise; it is called `<gateway>-<class>`), §1.6.

use super::{
    is_part_to_come,
    url::host_names,
    words::{cost, notice},
    world::{Kind, Side, World},
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};

/// What says the type of a Gateway's Service.
const SERVICE_TYPE: &str = "networking.istio.io/service-type";

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let after = transition.after.as_ref().filter(|after| has_balancer(after));
    let Some(after) = after.filter(|_| !is_part_to_come(transition)) else {
        return Vec::new();
    };
    let object = &transition.object;
    let service = format!(
        "Service {}/{}-{}",
        object.namespace.as_deref().unwrap_or_default(),
        object.name,
        after["spec"]["gatewayClassName"].as_str().unwrap_or_default()
    );
    // Of a gateway that is made again it goes, and the next one has another address.
    let kept = transition.before.as_ref().filter(|_| !transition.is_made_again());
    let before = kept.filter(|before| has_balancer(before));
    let had: Vec<_> = before.into_iter().flat_map(host_names).collect();
    let mut told: Vec<_> = host_names(after)
        .filter(|host| !had.contains(host))
        .map(|host| {
            notice(format!(
                "needs a DNS record of yours: {host} → the address of {service}"
            ))
        })
        .collect();
    if before.is_none() {
        // MetalLB gives addresses, which cost nothing.
        let is_given = world.all(Kind::ADDRESS_POOL, Side::After).next().is_some();
        told.push(if is_given {
            notice(format!("takes an address of MetalLB for {service}"))
        } else {
            cost(format!("buys a load balancer for {service}"))
        });
    }
    told
}

/// Whether a load balancer is made for a gateway.
fn has_balancer(gateway: &Value) -> bool {
    match gateway["metadata"]["annotations"][SERVICE_TYPE].as_str() {
        Some(wanted) => wanted == "LoadBalancer",
        None => gateway["spec"]["infrastructure"]["parametersRef"].is_null(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gateway, kept, made, overlay, table, turned, with};
    use serde_json::{Value, json};

    fn balanced(host: &str) -> Value {
        with(gateway("own", host), "spec.infrastructure", json!({}))
    }

    fn annotated(service_type: &str) -> Value {
        with(
            balanced("a.example.com"),
            r#"metadata.annotations["networking.istio.io/service-type"]"#,
            json!(service_type),
        )
    }

    #[test]
    fn a_load_balancer_is_bought_once_and_a_record_needed_for_each_host() {
        let a = "a.example.com";
        let pool = json!({"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
            "metadata": {"name": "p", "namespace": "metallb-system"}});
        let named = |object: Value| with(object, "metadata.labels.a", json!("b"));
        let part = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": "own", "namespace": "openshift-ingress"}});
        let cases = [
            ("made", vec![made(balanced(a))]),
            ("made behind a Route", vec![made(gateway("own", a))]),
            ("made, of MaaS", vec![made(annotated("LoadBalancer"))]),
            ("made, of MaaS, behind a Route", vec![made(annotated("ClusterIP"))]),
            ("out of its Route", vec![turned(gateway("own", a), balanced(a))]),
            ("changed otherwise", vec![turned(balanced(a), named(balanced(a)))]),
            ("another host", vec![turned(balanced(a), balanced("b.example.com"))]),
            (
                "an annotation of it",
                vec![
                    made(gateway("own", a)),
                    overlay(made(with(part, "metadata.annotations.a", json!("b")))),
                ],
            ),
            ("with MetalLB", vec![made(balanced(a)), kept(pool)]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # made
        cost: buys a load balancer for Service openshift-ingress/own-class
        notice: needs a DNS record of yours: a.example.com → the address of Service openshift-ingress/own-class
        # made behind a Route
        nothing
        # made, of MaaS
        cost: buys a load balancer for Service openshift-ingress/own-class
        notice: needs a DNS record of yours: a.example.com → the address of Service openshift-ingress/own-class
        # made, of MaaS, behind a Route
        nothing
        # out of its Route
        cost: buys a load balancer for Service openshift-ingress/own-class
        notice: needs a DNS record of yours: a.example.com → the address of Service openshift-ingress/own-class
        # changed otherwise
        nothing
        # another host
        disruption: moves gateway own from https://a.example.com to https://b.example.com: every URL below the old host ends
        notice: needs a DNS record of yours: b.example.com → the address of Service openshift-ingress/own-class
        # an annotation of it
        nothing
        # with MetalLB
        notice: needs a DNS record of yours: a.example.com → the address of Service openshift-ingress/own-class
        notice: takes an address of MetalLB for Service openshift-ingress/own-class
        "#);
    }
}
