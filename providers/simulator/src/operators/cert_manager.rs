//! `cert-manager`: stands for the cert-manager operator and for cert-manager itself.
//!
//! Source: reference/platform.md §2.2 (three pods labelled `app.kubernetes.io/instance=cert-manager`; the operator
//! makes `CertManager/cluster` when there is none at its start), §2.3 and §2.4 (issuers, certificates, Secrets).
//!
//! Left out: Orders, Challenges, CertificateRequests, renewal; an ACME issuer is always ready and always issues.

use serde_json::{Value, json};

use super::kinds::{CERT_MANAGER, CERTIFICATE, CLUSTER_ISSUER, DEPLOYMENT, ISSUER, Kind, SECRET};
use super::object::{Read, object, owned_by};
use super::rules::{Need, Rule, apply};
use super::service_ca::{encode, pem};
use super::turn::{Turn, observed};

const OPERANDS: &str = "cert-manager";
const OPERATOR: (&str, &str) = ("cert-manager-operator", "cert-manager-operator-controller-manager");
/// Remembers, on the operator's own Deployment, that this installation has started once.
const STARTED: &str = "simulator.stackctl.dev/started";

const WEBHOOK: &[Need] = &[
    Need::Available(OPERANDS, "cert-manager"),
    Need::Available(OPERANDS, "cert-manager-webhook"),
    Need::Available(OPERANDS, "cert-manager-cainjector"),
];

const RULES: &[Rule] = &[
    Rule {
        needs: WEBHOOK,
        ..Rule::new(
            CERT_MANAGER,
            1,
            &[("cert-manager-controller-deploymentAvailable", "AsExpected")],
        )
    },
    Rule {
        needs: WEBHOOK,
        ..Rule::new(CLUSTER_ISSUER, 5, &[("Ready", "IsReady")])
    },
    Rule {
        needs: WEBHOOK,
        ..Rule::new(ISSUER, 5, &[("Ready", "IsReady")])
    },
];

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    start(turn);
    own(turn);
    apply(turn, RULES);
    certificates(turn);
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
    for (kind, operand) in operands() {
        turn.ensure(kind, owned_by(operand, &manager));
    }
}

fn certificates(turn: &mut Turn<'_>) {
    for certificate in turn.all(CERTIFICATE) {
        if certificate.is_deleting() {
            continue;
        }
        let (namespace, issuer) = (certificate.namespace(), certificate.text("/spec/issuerRef/name"));
        let found = match certificate.text("/spec/issuerRef/kind") {
            "ClusterIssuer" => turn.world.get(CLUSTER_ISSUER, "", issuer),
            _ => turn.world.get(ISSUER, namespace, issuer),
        };
        if !found.is_some_and(|issuer| issuer.is("Ready")) {
            let why = format!("issuer {issuer} is not ready");
            let status = json!({"conditions": [observed(&certificate, "Ready", false, "DoesNotExist", &why)]});
            turn.status(CERTIFICATE, &certificate, status);
            continue;
        }
        // An ACME order takes a minute or two (reference/platform.md §2.3: 300 s at most).
        if !turn.held(format!("issue {}", certificate.uid()), 60) {
            continue;
        }
        let host = certificate.text("/spec/commonName");
        let data = json!({"tls.crt": encode(&pem(host)), "tls.key": encode(&pem(&format!("key of {host}"))), "ca.crt": encode(&pem(issuer))});
        let secret = object(
            SECRET,
            namespace,
            certificate.text("/spec/secretName"),
            json!({
                "metadata": {"annotations": {"cert-manager.io/certificate-name": certificate.name()}},
                "type": "kubernetes.io/tls", "data": data,
            }),
        );
        // `--enable-certificate-owner-ref` makes the Secret a child of the Certificate (G47).
        let owner = turn.world.get(CERT_MANAGER, "", "cluster").is_some_and(|manager| {
            manager
                .list("/spec/controllerConfig/overrideArgs")
                .iter()
                .any(|flag| flag == "--enable-certificate-owner-ref")
        });
        turn.ensure(SECRET, if owner { owned_by(secret, &certificate) } else { secret });
        let status = json!({"conditions": [observed(&certificate, "Ready", true, "Ready", "Certificate is up to date and has not expired")]});
        turn.status(CERTIFICATE, &certificate, status);
    }
}
