//! The switch that turns MaaS on, and what its controller then makes: kinds, namespace, tenant, maas-api.
//!
//! Destroy turns it off first and waits until the controller has cleaned up after itself: its tenant goes only while it
//! runs (`reference/serving.md` §2.4).
//!
//! Facts: `reference/serving.md` §1.8, §1.10.

use super::{database, gateway, symptoms};
use crate::{
    components::{
        draft::{Draft, Kind, at, deployment, established, rolled_out, seconds, see},
        kuadrant,
        names::{APPLICATIONS, INGRESS, MAAS, MAAS_GATEWAY},
        rhoai,
    },
    stack::{Subscriptions, Timeout},
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, ObjectRef,
    readiness::{Rule, Target},
    resource::{ConsequenceClass, DestroyStep},
};
use std::time::Duration;

const KINDS: &[Kind] = &[
    kind("Tenant", "tenants"),
    kind("MaaSModelRef", "maasmodelrefs"),
    kind("MaaSSubscription", "maassubscriptions"),
    kind("MaaSAuthPolicy", "maasauthpolicies"),
    kind("ExternalModel", "externalmodels"),
];

const fn kind(kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        group: "maas.opendatahub.io",
        kind,
        plural,
        namespaced: true,
    }
}

/// The switch.
pub(super) fn switch() -> Address {
    at("maas.switch")
}

fn tenant() -> ObjectRef {
    ObjectRef::namespaced("maas.opendatahub.io/v1alpha1", "Tenant", MAAS, "default-tenant")
}

fn managed(state: &str) -> Value {
    json!({"spec": {"components": {"kserve": {"modelsAsService": {"managementState": state}}}}})
}

pub(super) fn resources(maas: &Subscriptions, time: Option<Timeout>) -> Vec<Draft> {
    let time = |usual| time.map_or(seconds(usual), |timeout| timeout.as_duration());
    let mut controller = rolled_out(APPLICATIONS, &["maas-controller"]);
    controller.push(see(tenant(), Rule::Exists));
    let mut api = rolled_out(APPLICATIONS, &["maas-api"]);
    // The gateway sends every call through it, and answers none without it (`reference/serving.md` §5.2 P20).
    api.extend(rolled_out(INGRESS, &["payload-processing"]));
    // Not accepted, nobody is asked: its pages answer 500 (`reference/serving.md` §5.2 K3).
    api.push(see(symptoms::api_policy(), Rule::condition("Accepted")));
    vec![
        flip(maas),
        Draft::gate(at("maas.kinds"), established(KINDS))
            .after_write(switch(), "the operator brings the kinds once MaaS is on")
            .provides(KINDS)
            .within(time(300))
            .diagnosed_by(symptoms::component())
            .note("waits for kind Tenant and 4 more"),
        // The tenant and its namespace are the controller's: made by it, they are adopted, and given back by destroy.
        Draft::gate(at("maas.controller"), controller)
            .after(at("maas.kinds"), "it makes a tenant as soon as it can")
            .within(time(300))
            .diagnosed_by(symptoms::component())
            .note("waits for maas-controller and its tenant"),
        Draft::object(
            at("maas.namespace"),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": MAAS}}),
        )
        .expected()
        .self_recreating()
        .after(at("maas.controller"), "maas-controller makes it, and the tenant in it"),
        Draft::object(
            at("maas.tenant"),
            json!({
                "apiVersion": "maas.opendatahub.io/v1alpha1",
                "kind": "Tenant",
                "metadata": {"name": tenant().name, "namespace": MAAS},
                "spec": tenant_spec(maas),
            }),
        )
        .expected()
        .self_recreating()
        // Not its phase: that is `Degraded`, and Ready, until Authorino has TLS.
        .ready(Rule::condition("Ready"))
        .diagnosed_by(symptoms::tenant(&tenant()))
        .within(time(300))
        .after(at("maas.controller"), "maas-controller makes it, and makes it ready")
        .note(format!("API keys live {} days at most", maas.max_key_days)),
        Draft::gate(at("maas.api"), api)
            .after(at("maas.tenant"), "maas-controller runs them for the tenant")
            .within(time(120))
            .remedy(symptoms::restart_kuadrant())
            .diagnosed_by(symptoms::api())
            .note("waits for maas-api and payload-processing"),
    ]
}

/// What is ours of the tenant (`reference/serving.md` §1.10). Its telemetry is acted on only when it is said.
fn tenant_spec(maas: &Subscriptions) -> Value {
    let mut spec = json!({
        "apiKeys": {"maxExpirationDays": maas.max_key_days},
        "gatewayRef": {"name": MAAS_GATEWAY, "namespace": INGRESS},
    });
    if let Some(oidc) = &maas.oidc {
        spec["externalOIDC"] = json!({
            "issuerUrl": oidc.issuer_url, "clientId": oidc.client_id, "ttl": oidc.ttl_seconds,
        });
    }
    if let Some(telemetry) = maas.tenant_telemetry {
        spec["telemetry"] = json!({"enabled": true, "metrics": {
            "captureOrganization": telemetry.organization,
            "captureUser": telemetry.user,
            "captureGroup": telemetry.group,
            "captureModelUsage": telemetry.model_usage,
        }});
    }
    spec
}

/// Everything that the controller insists on has to be there first (`reference/serving.md` §1.8, preconditions).
fn flip(maas: &Subscriptions) -> Draft {
    let gone = |target: ObjectRef| DestroyStep::AwaitGone {
        target: Target::Named(target),
        timeout: CLEAN_UP,
    };
    let object = rhoai::cluster_object();
    Draft::overlay(switch(), object.clone(), managed("Managed"))
        .note("modelsAsService: Managed")
        .tells(
            ConsequenceClass::TakesFields,
            "takes `modelsAsService` of DataScienceCluster default-dsc",
        )
        .tells(ConsequenceClass::Notice, super::tiers::STREAMING)
        .tells(ConsequenceClass::Notice, PREVIEW)
        .after(
            kuadrant::ready(),
            "it insists on Authorino's kinds, and its policies have to be enforced",
        )
        .after(gateway::gateway(), "its tenant waits for the gateway")
        .after_write(database::secret(), "it insists on the connection of its database")
        .after(database::ready(maas), "maas-api connects when it starts")
        .after(rhoai::controllers(), "it is a part of KServe")
        .on_destroy(DestroyStep::Patch {
            target: object,
            patch: managed("Removed"),
        })
        .on_destroy(gone(tenant()))
        .on_destroy(gone(deployment(APPLICATIONS, "maas-api")))
        .on_destroy(gone(deployment(INGRESS, "payload-processing")))
        .leaves(
            ObjectRef::cluster("v1", "Namespace", MAAS),
            "maas-controller made it and does not delete it",
        )
}

/// `reference/serving.md` §0.2.
const PREVIEW: &str = "switches MaaS on, a Technology Preview in OpenShift AI 3.4: it may change with the next release, and support does not cover it in production";

/// How long the controller may take to clean up; no source gives a figure.
const CLEAN_UP: Duration = seconds(300);
