//! The listener of a gateway: what it presents, and who makes that.
//!
//! Both gateways are made of this; they differ in name, host and whom they let attach routes.
//!
//! No Service of a gateway asks the service CA for a certificate into the Secret of its listener: that would replace it by
//! one for `*.svc` (`reference/serving.md` §5.1 G5). A generated certificate is for the listener's own host: that of the
//! manual's chart is for another one (§5.2 P18).
//!
//! Facts: `reference/serving.md` §1.1 rows 2, 3 and 5, §1.6 rows 3 and 4.

use super::{
    Context, cert_manager,
    draft::{Draft, keyed, seconds, see},
    names::INGRESS,
    tls,
};
use crate::stack::{GatewayIssuer, GatewayTls, ObjectName};
use serde_json::{Value, json};
use stackctl_engine::{Address, ObjectRef, readiness::Rule};

/// A gateway whose listener this is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listener<'a> {
    /// The first segment of its addresses.
    pub(super) component: &'static str,
    /// The name of the Gateway.
    pub(super) gateway: &'a str,
    /// The name of the Service that is made for it.
    pub(super) service: &'a str,
    /// Its host.
    pub(super) host: &'a str,
    /// What it presents.
    pub(super) tls: &'a GatewayTls,
}

/// The plain port and the one with TLS, by name.
const HTTP: &str = "http";
const HTTPS: &str = "https";

impl Listener<'_> {
    fn at(&self, role: &str) -> Address {
        keyed(&[(self.component, ""), (role, "")])
    }

    /// The name of its port, which a Route has to name too (`reference/serving.md` §5.1 G6).
    pub(super) fn port(&self) -> &'static str {
        match self.tls {
            GatewayTls::Plain => HTTP,
            GatewayTls::Platform | GatewayTls::Secret(_) | GatewayTls::Generated { .. } => HTTPS,
        }
    }

    /// The Secret of what it presents; none without TLS.
    pub(super) fn secret<'b>(&'b self, context: &'b Context<'_>) -> Option<&'b str> {
        match self.tls {
            GatewayTls::Platform => Some(context.facts.tls_secret.as_str()),
            GatewayTls::Secret(secret) | GatewayTls::Generated { secret, .. } => Some(secret.as_str()),
            GatewayTls::Plain => None,
        }
    }

    /// The listener as a Gateway has it, without whose routes it takes.
    pub(super) fn manifest(&self, context: &Context<'_>) -> Value {
        let mut listener = json!({"name": self.port(), "hostname": self.host});
        match self.secret(context) {
            Some(secret) => {
                listener["port"] = json!(443);
                listener["protocol"] = json!("HTTPS");
                listener["tls"] = json!({
                    "mode": "Terminate",
                    "certificateRefs": [{"group": "", "kind": "Secret", "name": secret}],
                });
            }
            None => {
                listener["port"] = json!(80);
                listener["protocol"] = json!("HTTP");
            }
        }
        listener
    }

    /// What has to be ready before the gateway; none without TLS.
    pub(super) fn certificate(&self) -> Option<Address> {
        match self.tls {
            GatewayTls::Platform => Some(tls::certificate()),
            GatewayTls::Secret(_) | GatewayTls::Generated { .. } => Some(self.at("certificate")),
            GatewayTls::Plain => None,
        }
    }

    /// The certificate, where it is not that of the platform.
    pub(super) fn resources(&self) -> Vec<Draft> {
        match self.tls {
            GatewayTls::Platform | GatewayTls::Plain => Vec::new(),
            GatewayTls::Secret(secret) => {
                let gate = tls::secret_there(self.at("certificate"), secret.as_str());
                vec![gate.asks(format!("create Secret {INGRESS}/{secret} of type kubernetes.io/tls"))]
            }
            GatewayTls::Generated { secret, issuer } => self.generated(secret, issuer),
        }
    }

    fn generated(&self, secret: &ObjectName, issuer: &GatewayIssuer) -> Vec<Draft> {
        let issuer_address = self.at("issuer");
        let mut names = vec![self.host.to_owned()];
        let mut nodes = Vec::new();
        let (kind, name, issued_by) = match issuer {
            // A stack that names one makes it (`language`, STK034).
            GatewayIssuer::Cluster(name) => ("ClusterIssuer", (*name).to_owned(), tls::issuer()),
            GatewayIssuer::Existing(name) => {
                nodes.push(ready(
                    issuer_address.clone(),
                    ObjectRef::namespaced("cert-manager.io/v1", "Issuer", INGRESS, name.as_str()),
                ));
                ("Issuer", name.to_string(), issuer_address)
            }
            GatewayIssuer::SelfSigned => {
                let name = format!("{}-selfsigned-issuer", self.gateway);
                // Nobody outside trusts it anyway, and inside the Service is called by these names.
                for ending in ["svc", "svc.cluster.local"] {
                    names.push(format!("{}.{INGRESS}.{ending}", self.service));
                }
                nodes.push(self_signed(issuer_address.clone(), &name));
                ("Issuer", name, issuer_address)
            }
        };
        nodes.push(
            Draft::object(
                self.at("certificate"),
                json!({
                    "apiVersion": "cert-manager.io/v1",
                    "kind": "Certificate",
                    "metadata": {"name": format!("{}-serving-cert", self.gateway), "namespace": INGRESS},
                    "spec": {
                        "secretName": secret.as_str(),
                        "dnsNames": names,
                        "issuerRef": {"group": "cert-manager.io", "kind": kind, "name": name},
                    },
                }),
            )
            .ready(Rule::condition("Ready"))
            .within(seconds(300))
            .after(issued_by, "it is signed by that issuer")
            .note(format!("for {}", self.host))
            .leaves(
                ObjectRef::namespaced("v1", "Secret", INGRESS, secret.as_str()),
                "cert-manager keeps the Secret of a certificate that is deleted",
            ),
        );
        nodes
    }
}

fn ready(address: Address, issuer: ObjectRef) -> Draft {
    let note = format!("waits for {} {}", issuer.object_type.kind, issuer.name);
    let asked = format!("create {issuer}, or see why it is not ready");
    Draft::gate(address, vec![see(issuer, Rule::condition("Ready"))])
        .within(seconds(60))
        .after(cert_manager::ready(), "it is judged by cert-manager")
        .note(note)
        .asks(asked)
}

fn self_signed(address: Address, name: &str) -> Draft {
    Draft::object(
        address,
        json!({
            "apiVersion": "cert-manager.io/v1",
            "kind": "Issuer",
            "metadata": {"name": name, "namespace": INGRESS},
            "spec": {"selfSigned": {}},
        }),
    )
    .ready(Rule::condition("Ready"))
    .within(seconds(120))
    .after(cert_manager::ready(), "its webhook judges every issuer")
}
