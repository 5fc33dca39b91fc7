//! Connectivity Link: policies on gateways. It brings the operators of Authorino, Limitador and DNS along.
//!
//! The version is pinned: 1.4.0 answers 500 `AUTH_FAILURE` on MaaS gateways.
//!
//! Facts: `reference/platform.md` §2.7.

use super::{
    Context,
    draft::{Draft, Kind, at},
    names::OPERATORS,
    olm::{Approval, Catalog, Operator, Pin, by_subscriptions, csv_type, subscription_type},
    pipelines, service_mesh,
};
use serde_json::{Value, json};
use stackctl_engine::{Address, ObjectType, readiness::Target, resource::ConsequenceClass};

/// What the pin depends on, by the beginning of its versions' names.
const ALONG: &[&str] = &["authorino-operator.v", "limitador-operator.v", "dns-operator.v"];

const KINDS: &[Kind] = &[
    kind("kuadrant.io", "Kuadrant", "kuadrants"),
    kind("kuadrant.io", "AuthPolicy", "authpolicies"),
    kind("kuadrant.io", "RateLimitPolicy", "ratelimitpolicies"),
    kind("kuadrant.io", "TokenRateLimitPolicy", "tokenratelimitpolicies"),
    kind("extensions.kuadrant.io", "TelemetryPolicy", "telemetrypolicies"),
    kind("authorino.kuadrant.io", "AuthConfig", "authconfigs"),
    kind("operator.authorino.kuadrant.io", "Authorino", "authorinos"),
    kind("limitador.kuadrant.io", "Limitador", "limitadors"),
];

const fn kind(group: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        group,
        kind,
        plural,
        namespaced: true,
    }
}

/// How long a gateway waits for Authorino's answer: 200 ms by itself, which many callers at once use up
/// (`reference/serving.md` §1.5, §5.2 K5).
fn patience(context: &Context<'_>) -> Option<Value> {
    let timeout = context.stack.maas.as_ref()?.auth_timeout?;
    Some(json!({"env": [{"name": "AUTH_SERVICE_TIMEOUT", "value": timeout.to_string()}]}))
}

/// The gate that it and what it brought have succeeded.
pub(super) fn installed() -> Address {
    at("connectivity-link.installed")
}

/// The gate that its kinds are served.
pub(super) fn kinds() -> Address {
    at("connectivity-link.kinds")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let operator = Operator {
        component: "connectivity-link",
        title: "Connectivity Link",
        namespace: OPERATORS,
        home: None,
        subscription: "rhcl-operator",
        package: "rhcl-operator",
        source: Catalog::RedHat,
        channel: "stable".to_owned(),
        approval: Approval::Pinned(Pin {
            csv: context.stack.operators.pins.connectivity_link.to_string(),
            along: ALONG,
        }),
        config: patience(context),
        kinds: KINDS,
    };
    operator.nodes(context, |subscription| {
        // What OLM approves by itself goes first: from the manual Subscription on, every plan of the namespace waits,
        // and one that holds an upgrade of Connectivity Link too would be left waiting.
        let subscription = pipelines::installed(context)
            .into_iter()
            .chain(service_mesh::installed(context))
            .fold(subscription, |subscription, other| {
                subscription.after(other, "a manual Subscription makes every later plan of its namespace wait")
            });
        subscription
            .tells(
                ConsequenceClass::Notice,
                format!("from now on every install plan in {OPERATORS} waits for an approval: one manual Subscription there is enough"),
            )
            .claims(
                // OLM names a Subscription that it makes `<package>-<channel>-<catalogue>-<namespace>`:
                // https://olm.operatorframework.io/docs/concepts/olm-architecture/dependency-resolution/
                brought(
                    subscription_type(),
                    &["authorino-operator-", "limitador-operator-", "dns-operator-"],
                ),
                "OLM made it because Connectivity Link depends on it",
                None,
            )
            .claims(
                brought(csv_type(), ALONG),
                "OLM installed it because Connectivity Link depends on it",
                Some(by_subscriptions()),
            )
    })
}

/// What came along; copies of what stands in another namespace are not ours (`reference/platform.md` §4 G22).
fn brought(of: ObjectType, prefixes: &[&str]) -> Target {
    Target::Prefixed {
        of,
        namespace: OPERATORS.to_owned(),
        prefixes: prefixes.iter().map(|&prefix| prefix.to_owned()).collect(),
        unless_labelled: Some("olm.copiedFrom".to_owned()),
    }
}
