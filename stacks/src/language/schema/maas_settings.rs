//! Tables inside `[maas]` that say how it is reached, measured and watched.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, Field, Reader};
use super::super::typed;
use super::gateway_tls;
use super::maas::RawMode;
use crate::stack::maas::MaasAlerts;
use crate::stack::{
    GatewayTls, MaasExposure, MaasGateway, MaasMonitoring, NamespaceName, ObjectName, Oidc, TenantTelemetry,
    Termination, TierLookup,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exposure {
    Route,
    LoadBalancer,
}

const EXPOSURES: &[(&str, Exposure)] = &[("route", Exposure::Route), ("loadbalancer", Exposure::LoadBalancer)];

const TERMINATIONS: &[(&str, Termination)] = &[
    ("passthrough", Termination::Passthrough),
    ("reencrypt", Termination::Reencrypt),
    ("edge", Termination::Edge),
];

/// The gateway of a stack that says nothing about it: that of the older generation speaks plain HTTP
/// (`reference/serving.md` §1.11).
pub(super) const fn default_gateway(mode: RawMode) -> MaasGateway {
    let (termination, tls) = match mode {
        RawMode::Subscriptions => (Termination::Passthrough, GatewayTls::Platform),
        RawMode::GatewayPolicies => (Termination::Edge, GatewayTls::Plain),
    };
    MaasGateway {
        exposure: MaasExposure::Route(termination),
        tls,
    }
}

/// Makes a reader for a generation.
pub(super) fn gateway(mode: RawMode) -> impl Fn(Field<'_>, &mut Problems) -> Option<MaasGateway> {
    move |field, problems| read_gateway(mode, field, problems)
}

fn read_gateway(mode: RawMode, field: Field<'_>, problems: &mut Problems) -> Option<MaasGateway> {
    let mut reader = Reader::new(field, "`[maas.gateway]`", problems)?;
    let exposure = reader.or("exposure", Exposure::Route, problems, read::word(EXPOSURES));
    let tls = gateway_tls::read("`[maas.gateway.tls]`", "maas-default-gateway");
    let tls = reader.or("tls", default_gateway(mode).tls, problems, tls);
    let usual = match tls {
        GatewayTls::Plain => Termination::Edge,
        GatewayTls::Platform | GatewayTls::Secret(_) | GatewayTls::Generated { .. } => Termination::Passthrough,
    };
    let exposure = match exposure {
        Exposure::LoadBalancer => {
            reader.ignore(&["termination"], "a load balancer leaves TLS to the gateway", problems);
            MaasExposure::LoadBalancer
        }
        Exposure::Route => {
            let termination = reader.optional("termination", problems, read::word(TERMINATIONS));
            // The router and the gateway have to speak the same (`reference/serving.md` §5.1 G7).
            if let Some(said) = termination
                && (said.value == Termination::Edge) != (tls == GatewayTls::Plain)
            {
                let (this, other, hint) = if said.value == Termination::Edge {
                    let hint = "the router ends TLS and speaks plain HTTP to the gateway: set `mode = \"plain\"` there";
                    ("termination = \"edge\"", "[maas.gateway.tls] mode = \"plain\"", hint)
                } else {
                    let hint = "the gateway speaks plain HTTP: leave `termination` out";
                    ("mode = \"plain\"", "termination = \"edge\"", hint)
                };
                problems.push(said.place, Problem::Requires { this, other, hint });
            }
            MaasExposure::Route(termination.map_or(usual, |at| at.value))
        }
    };
    reader.finish(problems);
    Some(MaasGateway { exposure, tls })
}

pub(super) fn oidc(field: Field<'_>, problems: &mut Problems) -> Option<Oidc> {
    let mut reader = Reader::new(field, "`[maas.oidc]`", problems)?;
    let hint = "write `issuer_url = \"https://…\"`; both keys are needed";
    let issuer_url = reader.required("issuer_url", hint, problems, https_url);
    let client_id = reader.required("client_id", "write `client_id = \"…\"`", problems, client_id);
    // The numbers of the API (`reference/serving.md` §1.10).
    let ttl_seconds = reader.or("ttl_seconds", 300, problems, read::integer(30, 86_400));
    reader.finish(problems);
    Some(Oidc {
        issuer_url: issuer_url?.value,
        client_id: client_id?.value,
        ttl_seconds,
    })
}

fn https_url(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    let text = read::line(field, problems)?;
    let rest = text.strip_prefix("https://").unwrap_or_default();
    if !rest.is_empty() && text.len() <= 2048 && !text.contains(char::is_whitespace) {
        return Some(text);
    }
    let hint = "an issuer is a URL that starts with https://".to_owned();
    let noun = "an issuer";
    problems.push(field.node.place, Problem::Malformed { text, noun, hint });
    None
}

fn client_id(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    let text = read::line(field, problems)?;
    if text.len() <= 256 && !text.contains(char::is_whitespace) {
        return Some(text);
    }
    let hint = "a client has at most 256 characters and no blanks".to_owned();
    let noun = "a client";
    problems.push(field.node.place, Problem::Malformed { text, noun, hint });
    None
}

/// The defaults are those of the API (`reference/serving.md` §1.10).
pub(super) fn tenant_telemetry(field: Field<'_>, problems: &mut Problems) -> Option<TenantTelemetry> {
    let mut reader = Reader::new(field, "`[maas.tenant_telemetry]`", problems)?;
    let telemetry = TenantTelemetry {
        organization: reader.or("organization", true, problems, read::boolean),
        user: reader.or("user", false, problems, read::boolean),
        group: reader.or("group", false, problems, read::boolean),
        model_usage: reader.or("model_usage", true, problems, read::boolean),
    };
    if telemetry.user {
        let place = reader.key_place("user").unwrap_or(reader.place);
        let problem = Problem::Doubtful {
            what: "measuring each request by the name of its user".to_owned(),
            why: "who asked what how often is then kept with the metrics; right where the people concerned know it",
        };
        problems.push(place, problem);
    }
    reader.finish(problems);
    Some(telemetry)
}

pub(super) const fn default_monitoring() -> MaasMonitoring {
    MaasMonitoring {
        alerts: None,
        grafana_namespace: None,
        external_models: false,
    }
}

pub(super) fn monitoring(field: Field<'_>, problems: &mut Problems) -> Option<MaasMonitoring> {
    let mut reader = Reader::new(field, "`[maas.monitoring]`", problems)?;
    let is_alerting = reader.or("alerts", false, problems, read::boolean);
    // The manual's threshold (`reference/serving.md` §1.16).
    let rejection_percent = reader.or("rejection_percent", 30, problems, read::integer(1, 99));
    if !is_alerting {
        reader.ignore(&["rejection_percent"], "without `alerts` nothing looks at it", problems);
    }
    let grafana_namespace = reader.optional("grafana_namespace", problems, typed::name(NamespaceName::NOUN));
    let external_models = reader.or("external_models", false, problems, read::boolean);
    reader.finish(problems);
    Some(MaasMonitoring {
        alerts: is_alerting.then_some(MaasAlerts { rejection_percent }),
        grafana_namespace: grafana_namespace.map(|at| at.value),
        external_models,
    })
}

/// Where the older generation's maas-api is (`reference/serving.md` §1.11).
pub(super) fn default_lookup() -> TierLookup {
    TierLookup {
        namespace: "maas-api".parse().expect("a constant that is a namespace"),
        service: "maas-api".parse().expect("a constant that is an object name"),
        port: 8080,
    }
}

pub(super) fn lookup(field: Field<'_>, problems: &mut Problems) -> Option<TierLookup> {
    let mut reader = Reader::new(field, "`[maas.tier_lookup]`", problems)?;
    let default = default_lookup();
    let lookup = TierLookup {
        namespace: reader.or(
            "namespace",
            default.namespace,
            problems,
            typed::name(NamespaceName::NOUN),
        ),
        service: reader.or("service", default.service, problems, typed::name(ObjectName::NOUN)),
        port: reader.or("port", default.port, problems, read::integer(1, 65_535)),
    };
    reader.finish(problems);
    Some(lookup)
}
