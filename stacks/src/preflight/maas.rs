//! Checks of what Models-as-a-Service finds in the cluster: policies of the other generation, its route, its database, the
//! audience of tokens.
//!
//! Rows P8, P11, P16 and P21 of `reference/serving.md` §5.

use super::{Evidence, Listing, Outcome, Reading, evidence::listed};
use crate::{
    cluster_facts::{FactRead, FactRequest, key, request},
    components::{
        maas_host,
        names::{APPLICATIONS, INGRESS, MAAS_GATEWAY},
    },
    stack::{Database, MaasMode, OpenShift},
};
use stackctl_engine::{ObjectRef, facts::Holding};

/// A policy on the gateway, by kind, version and name.
struct Policy {
    api_version: &'static str,
    kind: &'static str,
    name: &'static str,
}

const fn policy(api_version: &'static str, kind: &'static str, name: &'static str) -> Policy {
    Policy {
        api_version,
        kind,
        name,
    }
}

/// The policies of tiers, which OpenShift AI 3.3 and before have (`reference/serving.md` §1.11, with the names that a
/// migration deletes).
const OF_TIERS: &[Policy] = &[
    policy("kuadrant.io/v1", "AuthPolicy", "gateway-auth-policy"),
    policy("kuadrant.io/v1", "RateLimitPolicy", "gateway-rate-limits"),
    policy(
        "kuadrant.io/v1alpha1",
        "TokenRateLimitPolicy",
        "gateway-token-rate-limits",
    ),
    policy(
        "kuadrant.io/v1alpha1",
        "TokenRateLimitPolicy",
        "gateway-token-tier-rate-limits",
    ),
];

/// The policies that come with subscriptions (`reference/serving.md` §1.8).
const OF_SUBSCRIPTIONS: &[Policy] = &[
    policy("kuadrant.io/v1", "AuthPolicy", "gateway-default-auth"),
    policy("kuadrant.io/v1alpha1", "TokenRateLimitPolicy", "gateway-default-deny"),
];

/// The policies that must not be there.
fn foreign(mode: &MaasMode) -> &'static [Policy] {
    match mode {
        MaasMode::Subscriptions(_) => OF_TIERS,
        MaasMode::GatewayPolicies(_) => OF_SUBSCRIPTIONS,
    }
}

impl Policy {
    fn key(&self) -> String {
        format!("policy[{}].gateway", self.name)
    }

    /// Which gateway it is for; one that a stack wrote is no answer, and so is not foreign.
    fn fact(&self) -> FactRequest {
        let object = ObjectRef::namespaced(self.api_version, self.kind, INGRESS, self.name);
        request(
            &self.key(),
            FactRead::Object(object),
            "spec.targetRef.name",
            Holding::Live,
        )
    }
}

pub(super) const SWITCH: &str = "data-science-cluster.models-as-a-service";
const ROUTE: &str = "route[maas-default-gateway].host";
pub(super) const TOKEN_ISSUER: &str = "authentication.service-account-issuer";

/// The facts that these checks alone look at.
pub(super) fn facts(stack: &OpenShift) -> Vec<FactRequest> {
    let Some(maas) = &stack.maas else {
        return Vec::new();
    };
    let mut facts: Vec<_> = foreign(&maas.mode).iter().map(Policy::fact).collect();
    if matches!(maas.mode, MaasMode::GatewayPolicies(_)) {
        let cluster = ObjectRef::cluster(
            "datasciencecluster.opendatahub.io/v2",
            "DataScienceCluster",
            "default-dsc",
        );
        let field = "spec.components.kserve.modelsAsService.managementState";
        facts.push(request(SWITCH, FactRead::Object(cluster), field, Holding::Live));
    }
    let route = ObjectRef::namespaced("route.openshift.io/v1", "Route", INGRESS, MAAS_GATEWAY);
    facts.push(request(ROUTE, FactRead::Object(route), "spec.host", Holding::Live));
    let authentication = ObjectRef::cluster("config.openshift.io/v1", "Authentication", "cluster");
    let field = "spec.serviceAccountIssuer";
    facts.push(request(
        TOKEN_ISSUER,
        FactRead::Object(authentication),
        field,
        Holding::Live,
    ));
    facts
}

fn no_maas() -> Outcome {
    Outcome::pass("the stack has no MaaS", "the stack")
}

/// The gateway has the policies of one generation only (row P21).
pub(super) fn gateway_policies(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let Some(maas) = &stack.maas else {
        return Ok(no_maas());
    };
    let mut found = Vec::new();
    for policy in foreign(&maas.mode) {
        let (gateway, _) = evidence.text(&policy.key())?;
        if gateway == Some(MAAS_GATEWAY) {
            found.push(policy);
        }
    }
    let is_switched_on = match maas.mode {
        MaasMode::GatewayPolicies(_) => evidence.text(SWITCH)?.0 == Some("Managed"),
        MaasMode::Subscriptions(_) => false,
    };
    let source = format!("policies in {INGRESS} .spec.targetRef");
    if is_switched_on {
        let remedy = "write `mode = \"subscriptions\"` in `[maas]`; or set modelsAsService of DataScienceCluster default-dsc to \
                      Removed, and wait until its Tenant is gone";
        let found = "DataScienceCluster default-dsc has MaaS with subscriptions switched on: its policies deny what those of \
                     the stack let in";
        return Ok(Outcome::fail(found, source, remedy));
    }
    if found.is_empty() {
        return Ok(Outcome::pass("none of the other generation", source));
    }
    let shown: Vec<_> = found
        .iter()
        .map(|policy| format!("{} {}", policy.kind, policy.name))
        .collect();
    let found_text = format!(
        "{} of the other generation: policies of both contradict each other",
        shown.join(", ")
    );
    let remedy = match maas.mode {
        MaasMode::Subscriptions(_) => {
            let commands: Vec<_> = found
                .iter()
                .map(|policy| format!("`oc delete {} {} -n {INGRESS}`", policy.kind.to_lowercase(), policy.name))
                .collect();
            commands.join(", ")
        }
        // Deleted while maas-controller lives, they come back.
        MaasMode::GatewayPolicies(_) => {
            "set modelsAsService of DataScienceCluster default-dsc to Removed: its controller takes them along; or write \
             `mode = \"subscriptions\"` in `[maas]`"
                .to_owned()
        }
    };
    Ok(Outcome::fail(found_text, source, remedy))
}

/// The dashboard computes the host of MaaS and no other (row P11).
pub(super) fn maas_route(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    if stack.maas.is_none() {
        return Ok(no_maas());
    }
    let (host, source) = evidence.text(ROUTE)?;
    let Some(host) = host else {
        return Ok(Outcome::pass("the stack makes it", source));
    };
    let wanted = evidence.text(key::APPS_DOMAIN)?.0.map(maas_host);
    Ok(match wanted {
        Some(wanted) if wanted != host => Outcome::warn(
            format!(
                "a Route leads {host} to the gateway, and the dashboard asks {wanted}: its pages of API keys answer 500"
            ),
            source,
            format!("`oc delete route {MAAS_GATEWAY} -n {INGRESS}`: `apply` makes it with the right host"),
        ),
        // Without a domain, the check of the domain has better words.
        Some(_) | None => Outcome::pass(host, source),
    })
}

/// Whether keys are kept in the pod without a volume.
pub(super) fn has_embedded_database(stack: &OpenShift) -> bool {
    let wanted = stack.maas.as_ref().and_then(|maas| maas.subscriptions());
    wanted.is_some_and(|wanted| matches!(wanted.database, Database::Embedded { .. }))
}

/// A database without a volume forgets all keys when its container is started again (row P8).
pub(super) fn maas_database(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    if stack.maas.is_none() {
        return Ok(no_maas());
    }
    if !has_embedded_database(stack) {
        return Ok(Outcome::pass("a database of yours", "the stack"));
    }
    let pods = listed(&evidence.platform_pods)?;
    let restarts: u64 = pods
        .iter()
        .filter(|pod| pod.app == "maas-db")
        .map(|pod| pod.restarts)
        .sum();
    let source = Listing::PlatformPods.source();
    Ok(match (restarts, pods.iter().any(|pod| pod.app == "maas-db")) {
        (0, false) => Outcome::pass("not there yet", source),
        (0, true) => Outcome::pass("its pod was not started again", source),
        (restarts, _) => Outcome::warn(
            format!("the pod of maas-db was started again ({restarts} so far): every API key from before is lost"),
            source,
            format!(
                "`oc rollout restart deployment/maas-api -n {APPLICATIONS}`, then make new keys; a database of yours keeps \
                 them: `mode = \"external\"` in `[maas.database]`"
            ),
        ),
    })
}

/// Where tokens of the cluster have an audience of their own, a valid one may be refused (row P16).
pub(super) fn token_audience(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    if stack.maas.is_none() {
        return Ok(no_maas());
    }
    let (issuer, source) = evidence.text(TOKEN_ISSUER)?;
    Ok(match issuer {
        None => Outcome::pass("the cluster's own", source),
        Some(issuer) => Outcome::warn(
            format!("tokens are for an audience of this cluster's own, by issuer {issuer}"),
            source,
            "maas-controller reads it here; if making an API key still answers 401 to a valid token, set the audience of \
             maas-controller",
        ),
    })
}
