//! `cert-manager`: stands for the cert-manager operator and for cert-manager itself.
//!
//! Source: reference/platform.md §2.2 (three pods labelled `app.kubernetes.io/instance=cert-manager`; the operator
//! makes `CertManager/cluster` when there is none at its start), §2.3 and §2.4 (issuers, certificates, Secrets).
//! [`super::issuance`] signs.
//!
//! Invariant: an issuer that signs with a Secret is Ready only while that Secret holds an authority.
//!
//! Left out: CertificateRequests, renewal, the account at the ACME server.

use serde_json::{Value, json};

use super::issuance;
use super::kinds::{CERT_MANAGER, CLUSTER_ISSUER, DEPLOYMENT, ISSUER, Kind};
use super::object::{Read, object, owned_by};
use super::rules::{Need, Rule, apply};
use super::turn::{Turn, observed};
use crate::certificates;
use crate::faults::FaultName;

/// Where cert-manager runs, and where it looks for the Secrets of ClusterIssuers
/// (<https://cert-manager.io/docs/configuration/#cluster-resource-namespace>).
pub(super) const OPERANDS: &str = "cert-manager";
const OPERATOR: (&str, &str) = ("cert-manager-operator", "cert-manager-operator-controller-manager");
/// From an issuer to its Ready condition.
const ISSUER_SECONDS: u64 = 5;
/// The Deployment of the webhook, and the annotation on it that tells whether the API server trusts it.
const WEBHOOK_NAME: &str = "cert-manager-webhook";
pub(super) const AUTHORITY_KNOWN: &str = "simulator.stackctl.dev/authority-known";
/// How long a webhook is not trusted under the fault.
const UNTRUSTED_SECONDS: u64 = 600;
/// Remembers, on the operator's own Deployment, that this installation has started once.
const STARTED: &str = "simulator.stackctl.dev/started";

const WEBHOOK: &[Need] = &[
    Need::Available(OPERANDS, "cert-manager"),
    Need::Available(OPERANDS, "cert-manager-webhook"),
    Need::Available(OPERANDS, "cert-manager-cainjector"),
];

const RULES: &[Rule] = &[Rule {
    needs: WEBHOOK,
    ..Rule::new(
        CERT_MANAGER,
        1,
        &[("cert-manager-controller-deploymentAvailable", "AsExpected")],
    )
}];

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    start(turn);
    own(turn);
    apply(turn, RULES);
    for kind in [CLUSTER_ISSUER, ISSUER] {
        for issuer in turn.all(kind) {
            if !issuer.is_deleting() {
                introduce(turn, kind, &issuer);
            }
        }
    }
    issuance::reconcile(turn);
}

/// Makes `CertManager/cluster` once, when the operator starts and there is none.
fn start(turn: &mut Turn<'_>) {
    let Some(deployment) = turn.world.get(DEPLOYMENT, OPERATOR.0, OPERATOR.1).cloned() else {
        return;
    };
    if deployment.annotation(STARTED).is_some() || !turn.world.serves(CERT_MANAGER) {
        return;
    }
    if turn.world.get(CERT_MANAGER, "", "cluster").is_none() {
        let spec = json!({"logLevel": "Normal", "operatorLogLevel": "Normal", "managementState": "Managed"});
        turn.create(CERT_MANAGER, object(CERT_MANAGER, "", "cluster", json!({"spec": spec})));
    } else {
        turn.patch(
            DEPLOYMENT,
            &deployment,
            json!({"metadata": {"annotations": {STARTED: "true"}}}),
        );
    }
}

fn operands() -> Vec<(Kind, Value)> {
    let names = [
        ("cert-manager", "controller"),
        ("cert-manager-cainjector", "cainjector"),
        ("cert-manager-webhook", "webhook"),
    ];
    let deployments = names.map(|(name, component)| {
        let labels = json!({
            "app": component, "app.kubernetes.io/name": name, "app.kubernetes.io/instance": "cert-manager",
            "app.kubernetes.io/component": component,
        });
        (
            DEPLOYMENT,
            super::operands::deployment(OPERANDS, name, &labels, &[name]),
        )
    });
    deployments.into()
}

/// Ties the operands to `CertManager/cluster`, so that they go with it.
fn own(turn: &mut Turn<'_>) {
    let Some(manager) = turn
        .world
        .get(CERT_MANAGER, "", "cluster")
        .filter(|manager| !manager.is_deleting())
        .cloned()
    else {
        return;
    };
    turn.namespace(OPERANDS);
    for (kind, mut operand) in operands() {
        if operand.name() == WEBHOOK_NAME
            && let Some(known) = authority_known(turn)
        {
            operand["metadata"]["annotations"] = json!({AUTHORITY_KNOWN: known.to_string()});
        }
        turn.ensure(kind, owned_by(operand, &manager));
    }
}

/// Whether the API server knows who signed the webhook's certificate: cainjector tells it, some time after the pods are
/// ready. Nothing unless a fault was asked for.
fn authority_known(turn: &mut Turn<'_>) -> Option<bool> {
    let known = turn
        .world
        .get(DEPLOYMENT, OPERANDS, WEBHOOK_NAME)
        .and_then(|webhook| Some(webhook.annotation(AUTHORITY_KNOWN)? == "true"));
    if known.is_none() && !turn.faults.on(FaultName::WebhookUntrusted) || known == Some(true) {
        return known;
    }
    let available = turn.world.is_available(OPERANDS, WEBHOOK_NAME);
    Some(available && turn.held("webhook trusted", UNTRUSTED_SECONDS))
}

/// Says whether an issuer can sign.
fn introduce(turn: &mut Turn<'_>, kind: Kind, issuer: &Value) {
    let runs = |need: &Need| match need {
        Need::Available(namespace, name) => turn.world.is_available(namespace, name),
    };
    if !WEBHOOK.iter().all(runs) {
        return;
    }
    // Reasons: <https://github.com/cert-manager/cert-manager/tree/v1.18.0/pkg/issuer>.
    let verdict = if issuer.pointer("/spec/ca").is_some() {
        let name = issuer.text("/spec/ca/secretName");
        match issuance::authority(turn, kind, issuer) {
            None => (
                false,
                "ErrGetKeyPair",
                format!("Error getting keypair for CA issuer: secret \"{name}\" not found"),
            ),
            Some(secret) if !certificates::is_authority(&secret) => {
                (false, "ErrInvalidKeyPair", "signing certificate is not a CA".to_owned())
            }
            Some(_) => (true, "KeyPairVerified", "Signing CA verified".to_owned()),
        }
    } else if issuer.pointer("/spec/acme").is_some() && turn.faults.on(FaultName::AcmeUnreachable) {
        let server = issuer.text("/spec/acme/server");
        let why = format!("Failed to register ACME account: Get \"{server}\": dial tcp 172.65.32.248:443: i/o timeout");
        (false, "ErrRegisterACMEAccount", why)
    } else if issuer.pointer("/spec/acme").is_some() {
        let why = "The ACME account was registered with the ACME server";
        (true, "ACMEAccountRegistered", why.to_owned())
    } else {
        (true, "IsReady", String::new())
    };
    let (holds, reason, why) = verdict;
    if issuer.is("Ready") || !holds || turn.held(format!("issuer {}", issuer.uid()), ISSUER_SECONDS) {
        let conditions = [observed(issuer, "Ready", holds, reason, &why)];
        turn.status(kind, issuer, json!({"conditions": conditions}));
    }
}
