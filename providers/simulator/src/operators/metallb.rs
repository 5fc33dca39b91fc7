//! `metallb`: stands for the MetalLB operator.
//!
//! Source: reference/platform.md §2.19: a MetalLB object brings the controller, and a speaker on every node that its
//! selector and tolerations allow.
//!
//! Left out: announcing addresses, giving them to Services (the cloud controller of [`super::workloads`] does),
//! the webhook's judgement of addresses, BGP. Advertisements have no status.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::kinds::{DAEMON_SET, DEPLOYMENT, IP_ADDRESS_POOL, METAL_LB};
use super::object::{Read, object, owned_by};
use super::turn::{Turn, observed};

const CONTROLLER: &str = "controller";
const SPEAKER: &str = "speaker";

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    for instance in turn.all(METAL_LB) {
        if !instance.is_deleting() {
            run(turn, &instance);
        }
    }
    for pool in turn.all(IP_ADDRESS_POOL) {
        if !pool.is_deleting() && turn.world.is_available(pool.namespace(), CONTROLLER) {
            count(turn, &pool);
        }
    }
}

fn run(turn: &mut Turn<'_>, instance: &Value) {
    let namespace = instance.namespace();
    let labels = |component: &str| json!({"app": "metallb", "component": component});
    let controller = super::operands::deployment(namespace, CONTROLLER, &labels("controller"), &["controller"]);
    turn.ensure(DEPLOYMENT, owned_by(controller, instance));
    let mut pod = json!({"containers": [{"name": SPEAKER, "image": "registry.redhat.io/simulated/speaker"}]});
    for (from, to) in [("nodeSelector", "nodeSelector"), ("speakerTolerations", "tolerations")] {
        if let Some(value) = instance["spec"].get(from) {
            pod[to] = value.clone();
        }
    }
    let speaker = object(
        DAEMON_SET,
        namespace,
        SPEAKER,
        json!({
            "metadata": {"labels": labels("speaker")},
            "spec": {
                "selector": {"matchLabels": labels("speaker")},
                "template": {"metadata": {"labels": labels("speaker")}, "spec": pod},
            },
        }),
    );
    turn.ensure(DAEMON_SET, owned_by(speaker, instance));
    let speakers = turn.world.get(DAEMON_SET, namespace, SPEAKER);
    let speaking = speakers.is_some_and(|speakers| {
        let number = |pointer: &str| speakers.number(pointer).unwrap_or_default();
        speakers.pointer("/status/numberReady").is_some()
            && number("/status/numberReady") >= number("/status/desiredNumberScheduled")
    });
    let ready = speaking && turn.world.is_available(namespace, CONTROLLER);
    let told = |kind: &str, holds: bool| observed(instance, kind, holds, kind, "");
    turn.status(
        METAL_LB,
        instance,
        json!({"conditions": [
            told("Available", ready), told("Progressing", !ready), told("Degraded", false), told("Upgradeable", true),
        ]}),
    );
}

/// Says how many addresses of a pool are free.
fn count(turn: &mut Turn<'_>, pool: &Value) {
    let ranges: Vec<(bool, u64)> = pool
        .list("/spec/addresses")
        .iter()
        .filter_map(Value::as_str)
        .filter_map(size)
        .collect();
    let free = |four: bool| -> u64 {
        let sizes = ranges.iter().filter(|(is_four, _)| *is_four == four);
        sizes.map(|(_, size)| *size).fold(0, u64::saturating_add)
    };
    turn.status(
        IP_ADDRESS_POOL,
        pool,
        json!({"assignedIPv4": 0, "assignedIPv6": 0, "availableIPv4": free(true), "availableIPv6": free(false)}),
    );
}

/// Returns whether a range (`a-b` or `a/bits`) is one of IPv4, and how many addresses it has.
fn size(range: &str) -> Option<(bool, u64)> {
    let number = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    };
    // The field is an integer of 64 bits with a sign.
    let capped = |size: u128| u64::try_from(size).unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs());
    if let Some((first, last)) = range.split_once('-') {
        let (first, last): (IpAddr, IpAddr) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        let size = number(last).checked_sub(number(first))?.saturating_add(1);
        return Some((first.is_ipv4(), capped(size)));
    }
    let (network, bits) = range.split_once('/')?;
    let network: IpAddr = network.trim().parse().ok()?;
    let bits: u32 = bits.trim().parse().ok()?;
    let width: u32 = if network.is_ipv4() { 32 } else { 128 };
    let size = 1_u128.checked_shl(width.checked_sub(bits)?).unwrap_or(u128::MAX);
    Some((network.is_ipv4(), capped(size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_counted() {
        assert_eq!(size("10.89.0.200-10.89.0.250"), Some((true, 51)));
        assert_eq!(size("192.168.10.0/24"), Some((true, 256)));
        assert_eq!(size("fd00::/126"), Some((false, 4)));
        assert_eq!(size("10.89.0.250-10.89.0.200"), None);
        assert_eq!(size("nonsense"), None);
    }
}
