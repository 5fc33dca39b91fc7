//! Gateways: how each is reached from outside, and which certificate its listener presents.

use super::{HostLabel, ObjectName, Timeout};

/// The llm-d gateway: where models that are not published to MaaS are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The name of the Gateway in `openshift-ingress`.
    pub name: ObjectName,
    /// How it is reached from outside.
    pub exposure: GatewayExposure,
    /// What its listener presents.
    pub tls: GatewayTls,
    /// How long it may take to be programmed; absent means the reference's time.
    pub ready_timeout: Option<Timeout>,
}

/// How the llm-d gateway is reached from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayExposure {
    /// Through the cluster's router, by an OpenShift Route: needs no load balancer and no DNS record of its own.
    Route,
    /// Through a cloud load balancer of its own, at `<subdomain>.<apps domain>`.
    LoadBalancer {
        /// The first label of its host name.
        subdomain: HostLabel,
    },
}

/// What the listener of a gateway presents (`reference/serving.md` §1.1, table of modes; §1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayTls {
    /// The certificate of `[tls]`, which covers everything under the apps domain.
    Platform,
    /// A Secret in `openshift-ingress` that somebody else puts there.
    Secret(ObjectName),
    /// A certificate for this gateway's host alone, which cert-manager makes.
    Generated {
        /// The Secret that it is written to.
        secret: ObjectName,
        /// Who signs it.
        issuer: GatewayIssuer,
    },
    /// Nothing: the listener speaks plain HTTP.
    Plain,
}

/// Who signs the certificate of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayIssuer {
    /// The ClusterIssuer of this name, `local-ca` or `letsencrypt`: the one that `[tls]` makes.
    Cluster(&'static str),
    /// The certificate signs itself, by an Issuer made for this gateway.
    SelfSigned,
    /// An Issuer in `openshift-ingress` that is there.
    Existing(ObjectName),
}

impl GatewayIssuer {
    /// The ClusterIssuer that `[tls] issuer = "local-ca"` makes (`reference/serving.md` §1.1 row 3).
    pub const LOCAL_CA: &'static str = "local-ca";
    /// The ClusterIssuer that `[tls] issuer = "letsencrypt"` makes.
    pub const LETSENCRYPT: &'static str = "letsencrypt";
}

/// The gateway of MaaS. Its name and its host are fixed: the dashboard computes them (`reference/serving.md` §1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaasGateway {
    /// How it is reached from outside.
    pub exposure: MaasExposure,
    /// What its listener presents.
    pub tls: GatewayTls,
}

/// How the gateway of MaaS is reached from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaasExposure {
    /// Through the cluster's router.
    Route(Termination),
    /// Through a cloud load balancer of its own, which a DNS record of its host has to lead to.
    LoadBalancer,
}

/// Who ends TLS on the way through the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// The gateway.
    Passthrough,
    /// The router, which speaks TLS to the gateway again and has to trust its certificate.
    Reencrypt,
    /// The router; the gateway speaks plain HTTP (`reference/serving.md` §5.1 G7).
    Edge,
}

impl Termination {
    /// As a Route has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passthrough => "passthrough",
            Self::Reencrypt => "reencrypt",
            Self::Edge => "edge",
        }
    }
}
