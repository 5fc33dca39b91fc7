//! TLS between the gateways, Authorino and maas-api: a certificate for Authorino, its listener, its trust in the service
//! CA, and at last the annotation that makes a gateway speak TLS to it. There is one Authorino for all: once it speaks TLS,
//! the llm-d gateway has to as well.
//!
//! The order is the point. A controller looks at the annotation once per change of the Gateway and gives up silently when
//! Authorino has no TLS then (`reference/serving.md` §1.9).

use super::gateway;
use crate::components::{
    Context,
    draft::{Draft, TAKES_NOTICE, at, deployment, seconds, see},
    kuadrant, llm_d,
    names::{APPLICATIONS, INGRESS, KUADRANT, MAAS_GATEWAY},
    rhoai, symptoms,
};
use crate::stack::Access;
use serde_json::json;
use stackctl_engine::{
    Address, ObjectRef,
    readiness::Rule,
    resource::{ConsequenceClass, Effect, Remedy},
};

const CERTIFICATE: &str = "authorino-server-cert";
const SERVICE: &str = "authorino-authorino-authorization";
const CA_FILE: &str = "/etc/ssl/certs/openshift-service-ca/service-ca-bundle.crt";

/// The gate that the gateway speaks TLS to Authorino.
pub(super) fn done() -> Address {
    at("maas.authorino.filter")
}

/// A gateway that asks Authorino who may call.
struct Asking<'a> {
    name: &'a str,
    gateway: Address,
    /// The annotation.
    told: Address,
    /// The gate that it speaks TLS to Authorino.
    done: Address,
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let of_maas = Asking {
        name: MAAS_GATEWAY,
        gateway: gateway::gateway(),
        told: at("maas.authorino.bootstrap"),
        done: done(),
    };
    // Its models have policies as well, if only one that lets everybody in (`reference/serving.md` §1.1, §1.9).
    let is_used = context.stack.models.iter().any(|model| model.access != Access::Maas);
    let of_models = is_used.then(|| Asking {
        name: context.stack.gateway.name.as_str(),
        gateway: llm_d::gateway(),
        told: at("llm-d.authorino-bootstrap"),
        done: at("llm-d.authorino-filter"),
    });
    let mut nodes = vec![certificate(), issued(), listener(), trust()];
    for asking in [Some(of_maas), of_models].into_iter().flatten() {
        nodes.extend([bootstrap(&asking), filter(&asking)]);
    }
    nodes
}

fn certificate() -> Draft {
    Draft::overlay(
        at("maas.authorino.certificate"),
        ObjectRef::namespaced("v1", "Service", KUADRANT, SERVICE),
        json!({"metadata": {"annotations": {"service.beta.openshift.io/serving-cert-secret-name": CERTIFICATE}}}),
    )
    .note("asks the service CA for a certificate")
    .tells(
        ConsequenceClass::TakesFields,
        format!("takes an annotation of Service {SERVICE}"),
    )
    .after(kuadrant::operands(), "Authorino's operator makes the Service")
}

fn issued() -> Draft {
    let secret = ObjectRef::namespaced("v1", "Secret", KUADRANT, CERTIFICATE);
    // The type alone; see the certificate of the gateways.
    Draft::gate(
        at("maas.authorino.issued"),
        vec![see(secret, Rule::equals("type", "kubernetes.io/tls"))],
    )
    .after_write(
        at("maas.authorino.certificate"),
        "the service CA answers the annotation",
    )
    .within(seconds(60))
    .diagnosed(symptoms::otherwise(
        "see that the service CA runs (namespace openshift-service-ca)",
    ))
    .note(format!("waits for Secret {KUADRANT}/{CERTIFICATE}"))
}

fn listener() -> Draft {
    Draft::overlay(
        at("maas.authorino.listener"),
        ObjectRef::namespaced(
            "operator.authorino.kuadrant.io/v1beta1",
            "Authorino",
            KUADRANT,
            "authorino",
        ),
        json!({"spec": {"listener": {"tls": {"enabled": true, "certSecretRef": {"name": CERTIFICATE}}}}}),
    )
    .ready(Rule::All(vec![
        Rule::equals("spec.listener.tls.enabled", true),
        Rule::condition("Ready"),
    ]))
    // Its status has no observedGeneration, and neither have its conditions: `Ready` may be about the listener of before.
    .settled(TAKES_NOTICE)
    .within(seconds(120))
    .diagnosed_by(symptoms::operands())
    .note("listens with TLS")
    .tells(
        ConsequenceClass::TakesFields,
        "takes the TLS settings of Authorino authorino",
    )
    .after(at("maas.authorino.issued"), "its certificate has to be there")
}

/// Authorino's own settings have no place for these variables, so its operator may take them back: drift then says so.
fn trust() -> Draft {
    let variable = |name: &str| json!({"name": name, "value": CA_FILE});
    Draft::overlay(
        at("maas.authorino.trust"),
        deployment(KUADRANT, "authorino"),
        json!({"spec": {"template": {"spec": {"containers": [{
            "name": "authorino",
            "env": [variable("SSL_CERT_FILE"), variable("REQUESTS_CA_BUNDLE")],
        }]}}}}),
    )
    .ready(Rule::RolledOut)
    .diagnosed_by(symptoms::operands())
    .within(seconds(120))
    .note("trusts the service CA")
    .tells(
        ConsequenceClass::TakesFields,
        "takes 2 environment variables of Deployment authorino",
    )
    .after(at("maas.authorino.listener"), "one rollout has to carry both")
}

fn bootstrap(asking: &Asking<'_>) -> Draft {
    Draft::overlay(
        asking.told.clone(),
        asking.object(),
        json!({"metadata": {"annotations": {"security.opendatahub.io/authorino-tls-bootstrap": "true"}}}),
    )
    .note("the gateway may speak TLS to Authorino")
    .after(
        at("maas.authorino.trust"),
        "the annotation is looked at once, when Authorino has to have TLS",
    )
    .after_write(asking.gateway.clone(), "it is an annotation of the gateway")
    .after(rhoai::controllers(), "odh-model-controller acts on it")
}

/// About ten seconds after the annotation; then a changed Gateway makes the controller look again, and a restart makes
/// it look at everything (`reference/serving.md` §7 row 5).
fn filter(asking: &Asking<'_>) -> Draft {
    let name = format!("{}-authn-ssl", asking.name);
    let filter = ObjectRef::namespaced("networking.istio.io/v1alpha3", "EnvoyFilter", INGRESS, &name);
    let authorino = ObjectRef::namespaced(
        "operator.authorino.kuadrant.io/v1beta1",
        "Authorino",
        KUADRANT,
        "authorino",
    );
    let look_again = Remedy {
        symptom: vec![see(authorino.clone(), Rule::equals("spec.listener.tls.enabled", true))],
        after: seconds(30),
        effects: vec![
            Effect::Touch {
                target: asking.object(),
                annotation: "stackctl.dev/touched".to_owned(),
            },
            Effect::Restart {
                target: deployment(APPLICATIONS, "odh-model-controller"),
            },
        ],
        why: "touches the gateway and restarts odh-model-controller, which looks at a gateway only when it changes"
            .to_owned(),
    };
    Draft::gate(asking.done.clone(), vec![see(filter, Rule::Exists)])
        .after(
            asking.told.clone(),
            "odh-model-controller makes the filter for the annotation",
        )
        .within(seconds(240))
        // `reference/serving.md` §0.4: about 10 s after its trigger.
        .usually(seconds(10))
        .remedy(look_again)
        .diagnosed(symptoms::passing(
            see(
                authorino,
                Rule::Not(Box::new(Rule::equals("spec.listener.tls.enabled", true))),
            ),
            "see who took TLS from Authorino kuadrant-system/authorino: `stackctl apply` turns it on again",
        ))
        .diagnosed(symptoms::otherwise(
            "see the log of Deployment redhat-ods-applications/odh-model-controller, which makes the filter, and restart it",
        ))
        .note(format!("waits for EnvoyFilter {name}"))
}

impl Asking<'_> {
    fn object(&self) -> ObjectRef {
        ObjectRef::namespaced("gateway.networking.k8s.io/v1", "Gateway", INGRESS, self.name)
    }
}
