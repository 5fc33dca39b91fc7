//! The gateway of MaaS: whose routes it takes, whose policies it has, and who writes the certificate of a listener.
//!
//! Facts: `reference/serving.md` §1.6, §1.8, §1.11, §5.1 G5 and M2, §5.2 P21; `reference/platform.md` §4 G10.

use super::{Seen, World};
use crate::{
    components::names::{INGRESS, MAAS_GATEWAY},
    manifests::{ManifestsError, read::Document},
};
use serde_json::Value;

/// What labels the metrics of a gateway.
pub(super) const TELEMETRY: (&str, &str) = ("extensions.kuadrant.io", "TelemetryPolicy");
/// What cert-manager writes a Secret for.
pub(super) const CERTIFICATE: (&str, &str) = ("cert-manager.io", "Certificate");
/// A gateway.
pub(super) const GATEWAY: (&str, &str) = ("gateway.networking.k8s.io", "Gateway");

/// The field of every caller that only the older generation has.
const TIER: &str = "auth.identity.tier";
/// What asks the service CA for a certificate, which it writes into the Secret of that name.
const SERVING_CERT: &str = "service.beta.openshift.io/serving-cert-secret-name";

/// The Secrets that the listeners of a gateway present.
pub(super) fn presented(gateway: &Value) -> impl Iterator<Item = &str> {
    listeners(gateway)
        .flat_map(|listener| listener["tls"]["certificateRefs"].as_array().into_iter().flatten())
        .filter_map(|reference| reference["name"].as_str())
}

pub(super) fn listeners(gateway: &Value) -> impl Iterator<Item = &Value> {
    gateway["spec"]["listeners"].as_array().into_iter().flatten()
}

/// Whether that is the gateway of MaaS.
pub(super) fn is_maas(namespace: &str, name: &str) -> bool {
    namespace == INGRESS && name == MAAS_GATEWAY
}

/// Whether a model's `spec` names the gateway of MaaS.
pub(super) fn has_maas(spec: &Value) -> bool {
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let mut gateways = spec["router"]["gateway"]["refs"].as_array().into_iter().flatten();
    gateways.any(|one| is_maas(&text(&one["namespace"]), &text(&one["name"])))
}

/// A route from a namespace that no listener admits is never accepted, and what needs it waits for ever.
pub(super) fn admitted(world: &World<'_>, one: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    let (Some(gateway), namespace) = (world.gateway, one.namespace()) else {
        return;
    };
    let is_turned_away = |listener: &Value| turns_away(&listener["allowedRoutes"]["namespaces"], namespace);
    if !namespace.is_empty() && listeners(gateway.value).all(is_turned_away) {
        errors.push(ManifestsError::NotAdmitted {
            at: at.at_field("metadata.namespace"),
            namespace: namespace.to_owned(),
            gateway: gateway.place(),
        });
    }
}

/// Whether it is certain that routes of a namespace are not taken; of labels other than its name nothing is known here.
fn turns_away(namespaces: &Value, namespace: &str) -> bool {
    const NAME: &str = "kubernetes.io/metadata.name";
    match namespaces["from"].as_str() {
        Some("All") => false,
        Some("Selector") => {
            let selector = &namespaces["selector"];
            let other = selector["matchLabels"][NAME]
                .as_str()
                .is_some_and(|name| name != namespace);
            let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
            other
                || expressions
                    .filter(|expression| expression["key"] == NAME && expression["operator"] == "In")
                    .any(|expression| {
                        let mut names = expression["values"].as_array().into_iter().flatten();
                        !names.any(|name| name == namespace)
                    })
        }
        // The default: those of the gateway's own namespace.
        _ => namespace != INGRESS,
    }
}

/// Of two policies of a kind on one gateway the older is enforced and the other ignored.
///
/// Subscriptions bring a policy for access and one for tokens; one that counts requests may stand beside them (streams are
/// not counted otherwise, `reference/serving.md` §4 item 10), unless it tells callers apart by a tier, which they have not.
pub(super) fn policy(world: &World<'_>, policy: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    if !is_of_maas(policy) {
        return;
    }
    let kind = policy.object.object_type.kind.as_str();
    let knows_tiers = || policy.value["spec"].to_string().contains(TIER);
    let beside = match (world.policies.get(kind), kind) {
        (Some(own), _) => own.place(),
        (None, _) if !world.has_subscriptions => return,
        (None, "AuthPolicy") => "`gateway-default-auth`, which comes with subscriptions".to_owned(),
        (None, "TokenRateLimitPolicy") => "`gateway-default-deny`, which comes with subscriptions".to_owned(),
        (None, _) if knows_tiers() => "subscriptions, whose callers have no tier".to_owned(),
        (None, _) => return,
    };
    errors.push(ManifestsError::GatewayPolicy {
        at: at.at_field("spec.targetRef"),
        policy: policy.object.to_string(),
        beside,
    });
}

/// Two TelemetryPolicies on one gateway conflict (`reference/serving.md` §5.2 P19).
pub(super) fn telemetry(world: &World<'_>, policy: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    if let Some(first) = world.telemetry
        && is_of_maas(policy)
        && first.object != policy.object
    {
        errors.push(ManifestsError::SecondTelemetry {
            at: at.at_field("spec.targetRef"),
            policy: policy.object.to_string(),
            beside: first.place(),
        });
    }
}

/// Whether a policy is for the gateway of MaaS; it can only be for one of its own namespace.
pub(super) fn is_of_maas(policy: Seen<'_>) -> bool {
    let target = &policy.value["spec"]["targetRef"];
    let name = target["name"].as_str().unwrap_or_default();
    target["kind"] == GATEWAY.1 && is_maas(policy.namespace(), name)
}

/// The service CA would replace a listener's certificate by one for `*.svc`. It is asked by an annotation of a Service, or
/// in the text of the settings that a gateway's Service is made by.
pub(super) fn certificate(world: &World<'_>, one: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    let mut asked: Vec<(String, String)> = Vec::new();
    match one.object.object_type.kind.as_str() {
        "Service" => {
            let field = format!("metadata.annotations.{SERVING_CERT}");
            asked.extend(annotation(one.value).map(|secret| (field, secret)));
        }
        "ConfigMap" => {
            let texts = one.value["data"].as_object().into_iter().flatten();
            let texts = texts.filter_map(|(name, text)| Some((name, text.as_str()?)));
            let texts = texts.filter(|(_, text)| text.contains(SERVING_CERT));
            asked.extend(texts.filter_map(|(name, text)| {
                let secret = annotation(&serde_saphyr::from_str(text).ok()?)?;
                Some((format!("data.{name}"), secret))
            }));
        }
        _ => {}
    }
    for (field, secret) in asked {
        let place = (one.namespace(), secret.as_str());
        let presented = world.presented.get(&place);
        let presented = presented.map(|gateway| format!("{} presents", gateway.place()));
        let issued = || Some(format!("{} is for", world.issued.get(&place)?.place()));
        if let Some(beside) = presented.or_else(issued) {
            errors.push(ManifestsError::SecondWriter {
                at: at.at_field(&field),
                beside,
                secret,
            });
        }
    }
}

fn annotation(value: &Value) -> Option<String> {
    value["metadata"]["annotations"][SERVING_CERT]
        .as_str()
        .map(str::to_owned)
}
