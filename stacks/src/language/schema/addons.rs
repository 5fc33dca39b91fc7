//! `[kueue]`, `[[model_registries]]`, `[gitops]` and `[metallb]`: what people add to the platform.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use crate::stack::{
    Application, ChannelName, Gitops, Kueue, LocalQueue, MetalLb, ModelRegistry, NamespaceName, ObjectName, Quantity,
    SecretRef,
};
use std::net::IpAddr;

const APPLICATIONS: &[(&str, Application)] = &[
    ("cert-manager-operator", Application::CertManagerOperator),
    ("cert-manager-route53", Application::CertManagerRoute53),
];

fn object(name: &str) -> ObjectName {
    name.parse().expect("a constant that is an object name")
}

fn quantity(text: &str) -> Quantity {
    text.parse().expect("a constant that is an amount")
}

/// The quotas of the manual's chart (`reference/platform.md` §2.11, `ClusterQueue cluster-queue`).
pub(super) fn default_kueue() -> Kueue {
    Kueue {
        cluster_queue: object("cluster-queue"),
        flavor: object("default-flavor"),
        cpu: quantity("9"),
        memory: quantity("36Gi"),
        gpus: 5,
        queues: Vec::new(),
    }
}

pub(super) fn kueue(field: Field<'_>, problems: &mut Problems) -> Option<Kueue> {
    let mut reader = Reader::new(field, "`[kueue]`", problems)?;
    let default = default_kueue();
    let kueue = Kueue {
        cluster_queue: reader.or("cluster_queue", default.cluster_queue, problems, cluster_queue),
        flavor: reader.or("flavor", default.flavor, problems, typed::name(ObjectName::NOUN)),
        cpu: reader.or("cpu", default.cpu, problems, typed::cpu),
        memory: reader.or("memory", default.memory, problems, typed::memory),
        gpus: reader.or("gpus", default.gpus, problems, read::integer(0, 100_000)),
        queues: reader.field("queues").map_or_else(Vec::new, |field| {
            let queues = read::tables(field, "kueue.queues", problems, local_queue);
            queues.into_iter().map(|queue| queue.value).collect()
        }),
    };
    reader.finish(problems);
    Some(kueue)
}

/// OpenShift AI makes one called `default` for itself (`reference/platform.md` §2.14, §7 row D21).
fn cluster_queue(field: Field<'_>, problems: &mut Problems) -> Option<ObjectName> {
    let name = typed::name::<ObjectName>(ObjectName::NOUN)(field, problems)?;
    if name.as_str() == "default" {
        problems.push(
            field.node.place,
            Problem::Reserved {
                what: "the ClusterQueue",
                name: name.to_string(),
                hint: "OpenShift AI makes that one for itself; choose another name",
            },
        );
        return None;
    }
    Some(name)
}

fn local_queue(field: Field<'_>, problems: &mut Problems) -> Option<LocalQueue> {
    let mut reader = Reader::new(field, "`queues`", problems)?;
    let namespace = reader.required(
        "namespace",
        "write `namespace = \"…\"`: a queue belongs to one",
        problems,
        typed::name(NamespaceName::NOUN),
    );
    let name = reader.or("name", object("default"), problems, typed::name(ObjectName::NOUN));
    reader.finish(problems);
    Some(LocalQueue {
        namespace: namespace?.value,
        name,
    })
}

/// A registry; its values are those of the manual's chart (`reference/platform.md` §2.13).
pub(super) fn model_registry(field: Field<'_>, problems: &mut Problems) -> Option<ModelRegistry> {
    let mut reader = Reader::new(field, "`[[model_registries]]`", problems)?;
    let name = reader.required(
        "name",
        "write `name = \"…\"`: how the dashboard lists it",
        problems,
        typed::name(ObjectName::NOUN),
    );
    let registry = ModelRegistry {
        name: name.map_or_else(|| object("unnamed"), |At { value, .. }| value),
        password: reader.or("password", SecretRef::Generate, problems, typed::secret),
        volume: reader.or("volume", quantity("10Gi"), problems, typed::memory),
        image: reader.or("image", "mysql:8.0.3".to_owned(), problems, read::line),
        rest_port: reader.or("rest_port", 8080, problems, read::integer(1, 65_535)),
        rest_route: reader.or("rest_route", false, problems, read::boolean),
        grpc_port: reader.or("grpc_port", 9090, problems, read::integer(1, 65_535)),
    };
    let is_named = reader.has("name");
    reader.finish(problems);
    is_named.then_some(registry)
}

pub(super) fn gitops(field: Field<'_>, problems: &mut Problems) -> Option<Gitops> {
    let mut reader = Reader::new(field, "`[gitops]`", problems)?;
    let latest: ChannelName = "latest".parse().expect("a constant that is a channel");
    let gitops = Gitops {
        channel: reader.or("channel", latest, problems, typed::name(ChannelName::NOUN)),
        // Where the manual's Applications are (`reference/platform.md` §2.16).
        repository: reader.or(
            "repository",
            "https://github.com/alpha-hack-program/llm-d-guide.git".to_owned(),
            problems,
            read::line,
        ),
        revision: reader.or("revision", "main".to_owned(), problems, read::line),
        applications: reader
            .optional(
                "applications",
                problems,
                read::list("a list of names", read::word(APPLICATIONS)),
            )
            .map_or_else(Vec::new, |list| list.value.into_iter().map(|one| one.value).collect()),
    };
    reader.finish(problems);
    Some(gitops)
}

pub(super) fn metallb(field: Field<'_>, problems: &mut Problems) -> Option<MetalLb> {
    let mut reader = Reader::new(field, "`[metallb]`", problems)?;
    let addresses = reader.required(
        "addresses",
        "write `addresses = [\"192.0.2.10-192.0.2.50\"]`: which ones are free is known to your network only",
        problems,
        read::list("a list of address ranges", addresses),
    );
    let metallb = MetalLb {
        addresses: addresses.map_or_else(Vec::new, |list| list.value.into_iter().map(|one| one.value).collect()),
        // The names of the manual's files (`reference/platform.md` §2.19).
        pool: reader.or("pool", object("local-pool"), problems, typed::name(ObjectName::NOUN)),
        advertisement: reader.or(
            "advertisement",
            object("local-advert"),
            problems,
            typed::name(ObjectName::NOUN),
        ),
        nodes: reader
            .optional(
                "nodes",
                problems,
                read::list("a list of nodes", typed::name(ObjectName::NOUN)),
            )
            .map_or_else(Vec::new, |list| list.value.into_iter().map(|one| one.value).collect()),
    };
    reader.finish(problems);
    (!metallb.addresses.is_empty()).then_some(metallb)
}

/// `first-last` or `address/bits`, both of one family (`IPAddressPool`, `spec.addresses`).
fn addresses(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    let text = read::line(field, problems)?;
    if is_range(&text) {
        return Some(text);
    }
    problems.push(
        field.node.place,
        Problem::Malformed {
            text,
            noun: "a range of addresses",
            hint: "write \"192.0.2.10-192.0.2.50\" or \"192.0.2.0/28\"".to_owned(),
        },
    );
    None
}

fn is_range(text: &str) -> bool {
    let address = |text: &str| text.trim().parse::<IpAddr>().ok();
    if let Some((first, last)) = text.split_once('-') {
        return matches!((address(first), address(last)), (Some(first), Some(last)) if first.is_ipv4() == last.is_ipv4() && first <= last);
    }
    let Some((start, bits)) = text.split_once('/') else {
        return false;
    };
    let most = match address(start) {
        Some(IpAddr::V4(_)) => 32,
        Some(IpAddr::V6(_)) => 128,
        None => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_of_one_family_and_forwards() {
        for right in [
            "10.89.0.200-10.89.0.250",
            "192.0.2.0/28",
            "fd00::1-fd00::ff",
            "fd00::/64",
        ] {
            assert!(is_range(right), "{right}");
        }
        for wrong in ["10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "10.0.0.0/33", "10.0.0.1", ""] {
            assert!(!is_range(wrong), "{wrong}");
        }
    }
}
