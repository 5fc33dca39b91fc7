//! Where a model is reached: the gateway it attaches to, and the URL that comes of it.
//!
//! Facts: `reference/serving.md` §1.3.1 (the default gateway), §1.3.4 (`status.url`), §3.3 (`https://<host>/<namespace>/<name>`).

use super::world::{INGRESS, Kind, Side, World, items};
use serde_json::Value;
use stackctl_engine::ObjectRef;
use std::fmt;

/// The gateway of a service that names none (`reference/serving.md` §1.3.1).
const DEFAULT_GATEWAY: &str = "openshift-ai-inference";
/// The gateway of MaaS where the tenant names none (`reference/serving.md` §1.10).
const MAAS_GATEWAY: &str = "maas-default-gateway";

/// A gateway, by namespace and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GatewayName<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

impl fmt::Display for GatewayName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The gateways that an LLMInferenceService attaches to.
pub(super) fn gateways<'a>(object: &'a ObjectRef, manifest: &'a Value) -> Vec<GatewayName<'a>> {
    let own = object.namespace.as_deref().unwrap_or_default();
    let named = items(&manifest["spec"]["router"]["gateway"]["refs"]).filter_map(|reference| {
        Some(GatewayName {
            namespace: reference["namespace"].as_str().unwrap_or(own),
            name: reference["name"].as_str()?,
        })
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        vec![GatewayName {
            namespace: INGRESS,
            name: DEFAULT_GATEWAY,
        }]
    } else {
        named
    }
}

/// The host names of a gateway, without a scheme.
pub(super) fn host_names(gateway: &Value) -> impl Iterator<Item = &str> {
    items(&gateway["spec"]["listeners"]).filter_map(|listener| listener["hostname"].as_str())
}

impl World<'_> {
    /// The host names of a gateway, each with the scheme that clients use: `https://maas.apps.example.com`. Where a Route
    /// leads to a plain listener, it is the router that has TLS (`reference/serving.md` §1.1 row 6).
    pub(super) fn hosts(&self, gateway: &Value, side: Side) -> Vec<String> {
        let is_plain = |host: &str, listener: &Value| {
            let mut routes = self.all(Kind::ROUTE, side);
            listener["protocol"] == "HTTP"
                && !routes.any(|(_, route)| route["spec"]["host"] == host && route["spec"]["tls"].is_object())
        };
        let host = |listener: &Value| {
            let host = listener["hostname"].as_str()?;
            let scheme = if is_plain(host, listener) { "http" } else { "https" };
            Some(format!("{scheme}://{host}"))
        };
        items(&gateway["spec"]["listeners"]).filter_map(host).collect()
    }

    /// The gateway of MaaS, as the tenant names it.
    pub(super) fn maas_gateway(&self) -> GatewayName<'_> {
        let tenant = self.tenant(Side::After).or_else(|| self.tenant(Side::Before));
        let named = tenant.map(|tenant| &tenant["spec"]["gatewayRef"]);
        let text = |key: &str| named.and_then(|named| named[key].as_str());
        GatewayName {
            namespace: text("namespace").unwrap_or(INGRESS),
            name: text("name").unwrap_or(MAAS_GATEWAY),
        }
    }

    /// `https://<host>` of a gateway on one side, if the plan is about it.
    pub(super) fn host(&self, gateway: GatewayName<'_>, side: Side) -> Option<String> {
        let found = self.object(Kind::GATEWAY, gateway.namespace, gateway.name, side)?;
        self.hosts(found, side).into_iter().next()
    }

    /// `https://<host>` of MaaS as it is, or its gateway where no host can be told.
    pub(super) fn maas_host(&self) -> String {
        let gateway = self.maas_gateway();
        self.host(gateway, Side::Before)
            .unwrap_or_else(|| format!("gateway {gateway}"))
    }

    /// Where an LLMInferenceService is reached, or words for it where no host can be told: the gateway may not be in
    /// the plan, and what is not there yet has no status.
    pub(super) fn url(&self, object: &ObjectRef, manifest: &Value, side: Side) -> String {
        let all = gateways(object, manifest);
        let path = format!("{}/{}", object.namespace.as_deref().unwrap_or_default(), object.name);
        if let Some(host) = all.iter().find_map(|gateway| self.host(*gateway, side)) {
            return format!("{host}/{path}");
        }
        let noted = manifest["status"]["url"].as_str().filter(|_| side == Side::Before);
        noted.map_or_else(
            || {
                format!(
                    "its URL at gateway {}",
                    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                )
            },
            str::to_owned,
        )
    }
}
