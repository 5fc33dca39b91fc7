//! `[gateway]`: the llm-d gateway, where models that are not published to MaaS are reached.
//!
//! A Route is the default: it needs neither a cloud load balancer nor a DNS record, and the router's certificate covers
//! its host. (The manual's chart defaults to a load balancer, `reference/serving.md` §1.1.)

use super::super::problem::Problems;
use super::super::read::{self, Field, Reader};
use super::super::typed;
use super::gateway_tls;
use crate::stack::{Gateway, GatewayExposure, GatewayTls, HostLabel, ObjectName};

#[derive(Clone, Copy, Debug)]
enum Exposure {
    Route,
    LoadBalancer,
}

const EXPOSURES: &[(&str, Exposure)] = &[("route", Exposure::Route), ("loadbalancer", Exposure::LoadBalancer)];

/// The names KServe expects (`reference/serving.md` §1.1, §6.1).
const NAME: &str = "openshift-ai-inference";
const SUBDOMAIN: &str = "inference";

/// What a stack without the table gets.
pub(super) fn default() -> Gateway {
    Gateway {
        name: default_name(),
        exposure: GatewayExposure::Route,
        tls: GatewayTls::Platform,
        ready_timeout: None,
    }
}

fn default_name() -> ObjectName {
    NAME.parse().expect("a constant that is a DNS label")
}

fn default_subdomain() -> HostLabel {
    SUBDOMAIN.parse().expect("a constant that is a DNS label")
}

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<Gateway> {
    let mut reader = Reader::new(field, "`[gateway]`", problems)?;
    let name = reader.or("name", default_name(), problems, typed::name(ObjectName::NOUN));
    let exposure = match reader.or("exposure", Exposure::Route, problems, read::word(EXPOSURES)) {
        Exposure::Route => {
            reader.ignore(
                &["subdomain"],
                "behind a Route the router gives the host name",
                problems,
            );
            GatewayExposure::Route
        }
        Exposure::LoadBalancer => {
            let subdomain = reader.or("subdomain", default_subdomain(), problems, typed::name(HostLabel::NOUN));
            GatewayExposure::LoadBalancer { subdomain }
        }
    };
    let tls = gateway_tls::read("`[gateway.tls]`", name.as_str());
    let tls = reader.or("tls", GatewayTls::Platform, problems, tls);
    let ready_timeout = reader
        .optional("ready_timeout", problems, typed::timeout)
        .map(|at| at.value);
    reader.finish(problems);
    Some(Gateway {
        name,
        exposure,
        tls,
        ready_timeout,
    })
}
