//! A first stack file for a cluster: what the cluster says of itself decides what stands in it, with comments that say why.
//!
//! In: what was [`Seen`] of a cluster, or nothing of none. Out: a text that parses, and what people are told beside it.
//!
//! Invariants:
//! - What is written parses without an error, whatever was seen.
//! - Nothing is bought on nobody's word: machines are asked for only where the cluster has none with GPUs and is one that
//!   can make them, and the file says what they cost.
//! - What the cluster does not say is said to be a default.

mod seen;
mod write;

pub use seen::{GpuKind, GpuNodes, Question, Seen, questions};
pub use write::text;

use crate::stack::gpu_tiers::GpuTier;

/// What is decided for a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    /// The name of the stack.
    pub name: String,
    /// Whether machines may be made through the API of AWS.
    pub on_aws: bool,
    /// Where its models run.
    pub gpus: Gpus,
    /// How many copies of the first model there are; none where no GPU is known to hold it.
    pub replicas: u64,
    /// The profile of OpenShift AI.
    pub profile: &'static str,
    /// Whether gateways present the router's own certificate, instead of one of an authority that is made.
    pub keeps_certificate: bool,
}

/// Where models run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gpus {
    /// On nodes that are there; of this tier, where it is one.
    There(Option<&'static GpuTier>),
    /// On machines that are bought, one in each of these zones.
    Bought {
        /// Of this tier, in its smallest size.
        tier: &'static GpuTier,
        /// The letters after the region.
        zones: Vec<String>,
    },
    /// Nowhere yet: there is no GPU, and no API to make machines with.
    Nowhere,
    /// Nobody can say: nothing labels nodes by their devices yet, and there is no API to make machines with.
    Unseen,
}

/// One thing that was found, for people and machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is about: `platform`, `gpus`.
    pub about: &'static str,
    /// What was found, and what follows from it.
    pub says: String,
    /// Whether a person should do something about it before the first apply.
    pub is_doubt: bool,
}

/// The tier that is bought where nothing says otherwise, as the quickstart does: 48 GiB for the least that has them.
const BOUGHT: &str = "l40s";
/// The first model: Qwen3-8B in FP8, 8.2 B parameters of 1 byte, 7.6 GiB (`reference/platform.md` §2.5).
const WEIGHTS_GIB: f64 = 7.6;
/// Beside the weights 4 GiB for the KV cache and the runtime, and vLLM takes nine tenths of a GPU: the sum that the language
/// refuses by (`language/capacity.rs`), rounded up.
const FITS_FROM_GIB: u64 = 13;

/// Decides what stands in a first stack for a cluster.
pub fn starter(seen: &Seen, name: &str) -> Starter {
    let on_aws = seen.is_on_aws();
    let gpus = match (seen.gpus.is_empty(), on_aws, GpuTier::named(BOUGHT)) {
        (false, _, _) => Gpus::There(seen.tier()),
        (true, true, Some(tier)) if !seen.zones.is_empty() => Gpus::Bought {
            tier,
            zones: seen.zones.iter().take(2).cloned().collect(),
        },
        (true, _, _) if seen.has_device_labels || seen.workers == 0 => Gpus::Nowhere,
        (true, _, _) => Gpus::Unseen,
    };
    let replicas = match &gpus {
        Gpus::There(_) => {
            let fits = seen
                .gpus
                .values()
                .filter(|kind| kind.vram_gib.is_none_or(|vram| vram >= FITS_FROM_GIB));
            let (nodes, counted) = fits.fold((0, 0), |(nodes, gpus), kind| {
                (nodes + kind.nodes as u64, gpus + kind.gpus)
            });
            // Before a device plugin has counted them, a node with GPUs has one at least.
            counted.max(nodes).min(2)
        }
        Gpus::Bought { zones, .. } => zones.len() as u64,
        Gpus::Nowhere | Gpus::Unseen => 0,
    };
    let is_early = seen.packages.get("rhods-operator").map(String::as_str) == Some("beta");
    Starter {
        name: name.to_owned(),
        on_aws,
        gpus,
        replicas,
        profile: if is_early { "ea" } else { "stable" },
        keeps_certificate: on_aws || seen.has_router_certificate,
    }
}

/// What is decided where no cluster is asked: the quickstart's.
pub fn offline(name: &str) -> Starter {
    let zones = ["a", "b"].map(str::to_owned).to_vec();
    Starter {
        name: name.to_owned(),
        on_aws: true,
        gpus: match GpuTier::named(BOUGHT) {
            Some(tier) => Gpus::Bought { tier, zones },
            None => Gpus::Nowhere,
        },
        replicas: 2,
        profile: "stable",
        keeps_certificate: true,
    }
}

/// What was found, and what follows from it.
pub fn findings(seen: &Seen, decided: &Starter) -> Vec<Found> {
    let found = |about, says: String| Found {
        about,
        says,
        is_doubt: false,
    };
    let doubt = |about, says: String| Found {
        about,
        says,
        is_doubt: true,
    };
    let mut all = vec![platform(seen)];
    all.push(match &seen.openshift {
        Some(version) if is_older(version) => doubt(
            "openshift",
            format!("{version}: the gateway that models need came with 4.20; upgrade the cluster first"),
        ),
        Some(version) => found("openshift", version.clone()),
        None => doubt(
            "openshift",
            "no ClusterVersion: this is no OpenShift, or it may not be read".to_owned(),
        ),
    });
    if let Some(domain) = &seen.apps_domain {
        all.push(found("domain", domain.clone()));
    }
    all.push(match (&decided.gpus, decided.replicas) {
        (Gpus::Nowhere, _) => doubt(
            "gpus",
            "none on any node: the model is written as a comment; label or add nodes with GPUs first".to_owned(),
        ),
        (Gpus::Unseen, _) => doubt(
            "gpus",
            "not known: no node is labelled by its devices, which Node Feature Discovery does once the stack installs it. Where \
             nodes have GPUs, take the comment of `[[gpu]]` and of the model away"
                .to_owned(),
        ),
        (Gpus::There(_), 0) => doubt(
            "gpus",
            format!(
                "{}: too small for Qwen3-8B in FP8, which takes {WEIGHTS_GIB} GiB for its weights and 4 GiB beside them",
                gpus(seen)
            ),
        ),
        (Gpus::There(_), _) => found("gpus", gpus(seen)),
        (Gpus::Bought { tier, zones }, _) => found(
            "gpus",
            format!(
                "none; the stack buys {} × {} ({}, {} GiB)",
                zones.len(),
                tier.sizes.first().map_or(tier.family, |size| size.name),
                tier.product,
                tier.vram_gib
            ),
        ),
    });
    if decided.replicas > 0 {
        let copies = if decided.replicas == 1 { "1 copy" } else { "2 copies" };
        all.push(found(
            "model",
            format!("Qwen3-8B in FP8, {WEIGHTS_GIB} GiB of weights, {copies}"),
        ));
    }
    let default = seen.storage_classes.iter().find(|(_, is_default)| **is_default);
    all.push(match (default, seen.storage_classes.len()) {
        (Some((name, _)), 1) => found("storage", format!("{name}, the default")),
        (Some((name, _)), count) => found("storage", format!("{name}, the default of {count} classes")),
        (None, _) => doubt(
            "storage",
            "no default StorageClass: what asks for a volume without naming one would wait".to_owned(),
        ),
    });
    all.push(operators(seen));
    all.extend(needs(seen, decided));
    for (what, why) in &seen.unread {
        all.push(doubt("unread", format!("{what}: {why}")));
    }
    all
}

fn platform(seen: &Seen) -> Found {
    let is_doubt = seen.platform.is_none();
    let says = match (seen.platform.as_deref(), &seen.region) {
        (None, _) => "not said: written as `none`, so that no cloud API is used".to_owned(),
        (Some("AWS"), region) => {
            let zones: Vec<_> = seen.zones.iter().map(String::as_str).collect();
            let region = region.as_deref().unwrap_or("no region");
            match zones.is_empty() {
                true => format!("AWS, {region}, no MachineSets"),
                false => format!("AWS, {region}, machines in zones {}", zones.join(", ")),
            }
        }
        (Some(other), _) => format!("{other}: written as `none`, since machines are made on AWS only"),
    };
    Found {
        about: "platform",
        says,
        is_doubt,
    }
}

fn gpus(seen: &Seen) -> String {
    let kinds = seen.gpus.iter().map(|(kind, nodes)| {
        let name = match kind {
            GpuKind::Tier(name) => GpuTier::named(name).map_or(*name, |tier| tier.product),
            GpuKind::Named(name) => name,
            GpuKind::Unsaid => "of a kind that no label says",
        };
        let nodes_word = if nodes.nodes == 1 { "node" } else { "nodes" };
        let memory = nodes
            .vram_gib
            .map(|gib| format!(", {gib} GiB each"))
            .unwrap_or_default();
        match nodes.gpus {
            0 => format!("{} {nodes_word} with {name}{memory}, not counted yet", nodes.nodes),
            count => format!("{count} × {name} on {} {nodes_word}{memory}", nodes.nodes),
        }
    });
    kinds.collect::<Vec<_>>().join("; ")
}

/// Operators of the stack's that somebody installed (`reference/platform.md` §2.1: names of packages).
fn operators(seen: &Seen) -> Found {
    const OURS: [&str; 9] = [
        "openshift-cert-manager-operator",
        "rhcl-operator",
        "leader-worker-set",
        "nfd",
        "gpu-operator-certified",
        "rhods-operator",
        "cluster-observability-operator",
        "opentelemetry-product",
        "tempo-product",
    ];
    let there = OURS.iter().filter_map(|name| seen.packages.get_key_value(*name));
    let there: Vec<_> = there.map(|(name, channel)| format!("{name} ({channel})")).collect();
    match there.is_empty() {
        true => Found {
            about: "operators",
            says: "none of the stack's is installed; it installs them".to_owned(),
            is_doubt: false,
        },
        false => Found {
            about: "operators",
            says: format!("{} installed by others: `plan` asks for `--adopt`", there.join(", ")),
            is_doubt: true,
        },
    }
}

/// What Models-as-a-Service needs of the cluster beside the stack.
fn needs(seen: &Seen, decided: &Starter) -> Option<Found> {
    let balancer = !decided.on_aws && seen.platform.is_some();
    balancer.then(|| Found {
        about: "maas",
        says: "gateways need addresses: fill in `[metallb]`, unless the cluster has another load balancer".to_owned(),
        is_doubt: true,
    })
}

/// Whether a version is older than 4.20, the first with what models need (`reference/platform.md` §0).
fn is_older(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < (4, 20)
}

#[cfg(test)]
mod tests;
