//! `metallb`: stands for the MetalLB operator.
//!
//! Source: reference/platform.md §2.19: a MetalLB object brings the controller, and a speaker on every node that its
//! selector and tolerations allow; the controller gives load balancers addresses of its pools
//! (<https://metallb.io/concepts/>), where no cloud does (reference/serving.md G3).
//!
//! Invariant: no two Services get the same address, and one that has an address keeps it.
//!
//! Left out: announcing addresses, addresses of IPv6 for Services, pools that a Service asks for, the webhook's judgement
//! of addresses, BGP. Advertisements have no status.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::{DAEMON_SET, DEPLOYMENT, IP_ADDRESS_POOL, METAL_LB, SERVICE};
use super::object::{Read, object, owned_by};
use super::turn::{Turn, observed};
use super::workloads::has_cloud;

const CONTROLLER: &str = "controller";
const SPEAKER: &str = "speaker";
/// From a Service to its address.
const ADDRESS_SECONDS: u64 = 2;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    for instance in turn.all(METAL_LB) {
        if !instance.is_deleting() {
            run(turn, &instance);
        }
    }
    let pools: Vec<Arc<Value>> = turn
        .all(IP_ADDRESS_POOL)
        .into_iter()
        .filter(|pool| !pool.is_deleting() && turn.world.is_available(pool.namespace(), CONTROLLER))
        .collect();
    if !has_cloud(turn) {
        assign(turn, &pools);
    }
    for pool in pools {
        count(turn, &pool);
    }
}

/// Gives every load balancer without an address the first free one of a pool that gives by itself.
fn assign(turn: &mut Turn<'_>, pools: &[Arc<Value>]) {
    let mut taken = taken(turn);
    for service in turn.all(SERVICE) {
        let waits = service.text("/spec/type") == "LoadBalancer"
            && !service.is_deleting()
            && service.list("/status/loadBalancer/ingress").is_empty();
        if !waits {
            continue;
        }
        let ranges = pools
            .iter()
            .filter(|pool| pool.pointer("/spec/autoAssign") != Some(&json!(false)))
            .flat_map(|pool| pool.list("/spec/addresses"))
            .filter_map(Value::as_str)
            .filter_map(bounds);
        let mut addresses = ranges.flat_map(|(first, last)| (first..=last).map(Ipv4Addr::from));
        let Some(address) = addresses.find(|address| !taken.contains(address)) else {
            return;
        };
        taken.insert(address);
        if turn.held(format!("address {}", service.uid()), ADDRESS_SECONDS) {
            let ingress = json!([{"ip": address.to_string(), "ipMode": "VIP"}]);
            turn.status(SERVICE, &service, json!({"loadBalancer": {"ingress": ingress}}));
        }
    }
}

/// Returns the addresses that Services have.
fn taken(turn: &Turn<'_>) -> BTreeSet<Ipv4Addr> {
    turn.world
        .list(SERVICE)
        .flat_map(|service| service.list("/status/loadBalancer/ingress"))
        .filter_map(|ingress| ingress.text("/ip").parse().ok())
        .collect()
}

/// Returns the first and last address of a range of IPv4.
fn bounds(range: &str) -> Option<(u32, u32)> {
    if let Some((first, last)) = range.split_once('-') {
        let (first, last): (Ipv4Addr, Ipv4Addr) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        return Some((first.into(), last.into()));
    }
    let (network, bits) = range.split_once('/')?;
    let (network, bits): (Ipv4Addr, u32) = (network.trim().parse().ok()?, bits.trim().parse().ok()?);
    let hosts = u32::MAX.checked_shr(bits).unwrap_or(0);
    (bits <= 32).then(|| (u32::from(network) & !hosts, u32::from(network) | hosts))
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
    let own: Vec<(u32, u32)> = pool
        .list("/spec/addresses")
        .iter()
        .filter_map(Value::as_str)
        .filter_map(bounds)
        .collect();
    let is_own = |address: &Ipv4Addr| {
        own.iter()
            .any(|(first, last)| (*first..=*last).contains(&u32::from(*address)))
    };
    let assigned = u64::try_from(taken(turn).iter().filter(|address| is_own(address)).count()).unwrap_or(u64::MAX);
    turn.status(
        IP_ADDRESS_POOL,
        pool,
        json!({
            "assignedIPv4": assigned, "assignedIPv6": 0,
            "availableIPv4": free(true).saturating_sub(assigned), "availableIPv6": free(false),
        }),
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

    #[test]
    fn a_range_has_a_first_and_a_last_address() {
        let range =
            |text: &str| bounds(text).map(|(first, last)| [first, last].map(|end| Ipv4Addr::from(end).to_string()));
        assert_eq!(
            range("10.89.0.200-10.89.0.250"),
            Some(["10.89.0.200", "10.89.0.250"].map(str::to_owned))
        );
        assert_eq!(
            range("192.168.10.7/24"),
            Some(["192.168.10.0", "192.168.10.255"].map(str::to_owned))
        );
        assert_eq!(
            range("192.168.10.7/32"),
            Some(["192.168.10.7", "192.168.10.7"].map(str::to_owned))
        );
        assert_eq!(range("fd00::/126"), None);
    }
}
