//! Whether the weights of a model fit the GPUs of one copy.

use super::{
    Demand, tier,
    told::{Told, told},
    weights::Weights,
};
use crate::stack::{GpuPool, GpuTier, Quantity, gpu_tiers::TIERS};

/// What is left for the KV cache and the runtime at least: the guide gives Qwen3-8B in FP8, with 8 GB of weights, about
/// 12 GiB (`reference/platform.md` §2.5).
const BESIDE_WEIGHTS: u64 = 4 * GIB;

const GIB: u64 = 1 << 30;

/// Weights that do not fit, or hardly. `pool` is the place, among the pools, of the one with the most memory for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// More than the GPUs hold.
    TooLarge { pool: usize, sum: String, hint: String },
    /// As good as nothing is left.
    LittleRoom { pool: usize, sum: String, left: String },
}

/// Each copy holds all weights, on the GPUs that it asks for. Nothing is said of what fits or is not known.
pub(crate) fn fit(demand: &Demand, reachable: &[&GpuPool]) -> Option<Fit> {
    let told = told(&demand.args);
    let least = u64::from(demand.of_a_copy().min()?);
    let tiers: Option<Vec<(usize, &GpuTier)>> = reachable
        .iter()
        .enumerate()
        .map(|(at, pool)| Some((at, tier(pool)?)))
        .collect();
    let (pool, best) = tiers?.into_iter().max_by_key(|(_, tier)| tier.vram_gib)?;
    if told.is_unclear {
        return None;
    }
    let (bytes, sum) = weights(demand, &told)?;
    let gpus = told.spread().unwrap_or(least).min(least);
    let room = room(best, gpus, &told);
    let has = format!(
        "{} × {} has {} GiB × {} = {}",
        room.gpus,
        best.product,
        u64::from(best.vram_gib) * room.gpus,
        part(told.utilization),
        gibibytes(room.bytes)
    );
    let sum = format!("{sum} ({}), and {has}", gibibytes(bytes));
    if bytes > room.bytes {
        let hint = way_out(bytes, &room, &told);
        Some(Fit::TooLarge { pool, sum, hint })
    } else if bytes.saturating_add(BESIDE_WEIGHTS) > room.bytes {
        let left = gibibytes(room.bytes - bytes);
        Some(Fit::LittleRoom { pool, sum, left })
    } else {
        None
    }
}

/// What is known of the weights, and in which words.
fn weights(demand: &Demand, told: &Told) -> Option<(u64, String)> {
    if let Some(declared) = &demand.weights {
        return Some((bytes(declared), format!("`weights` is {declared}")));
    }
    if told.is_quantised {
        return None;
    }
    let weights = names(demand.source.as_deref()?)
        .iter()
        .find_map(|name| Weights::named(name, told.precision))?;
    Some((weights.bytes(), format!("{weights} = {}", gigabytes(weights.bytes()))))
}

fn bytes(quantity: &Quantity) -> u64 {
    u64::try_from(quantity.nano() / 1_000_000_000).unwrap_or(u64::MAX)
}

/// The parts of a source that may name a model, the most telling first.
fn names(source: &str) -> Vec<&str> {
    let Some((scheme, rest)) = source.split_once("://") else {
        return Vec::new();
    };
    let rest = rest.trim_end_matches('/');
    let (first, path) = rest.split_once('/').unwrap_or((rest, ""));
    let last = |path: &'_ str| path.rfind('/').map_or(0, |slash| slash + 1);
    match scheme {
        "oci" => {
            let image = &rest[last(rest)..];
            let (image, _) = image.split_once('@').unwrap_or((image, ""));
            let (image, tag) = image.split_once(':').unwrap_or((image, ""));
            vec![image, tag]
        }
        "hf" => {
            let name = &rest[last(rest)..];
            vec![name.split_once(':').map_or(name, |(name, _)| name)]
        }
        "s3" => vec![&path[last(path)..]],
        "pvc" => vec![&path[last(path)..], first],
        _ => Vec::new(),
    }
}

/// Room for weights on one copy's GPUs.
struct Room {
    tier: &'static GpuTier,
    gpus: u64,
    bytes: u64,
}

fn room(tier: &'static GpuTier, gpus: u64, told: &Told) -> Room {
    Room {
        tier,
        gpus,
        bytes: u64::from(tier.vram_gib) * GIB * gpus * told.utilization / 1000,
    }
}

/// More GPUs of the same kind, or a larger kind.
fn way_out(bytes: u64, short: &Room, told: &Told) -> String {
    let fits = |tier, gpus| bytes.saturating_add(BESIDE_WEIGHTS) <= room(tier, gpus, told).bytes;
    let has_node = |tier: &GpuTier, gpus: u64| tier.sizes.iter().any(|size| u64::from(size.gpus) >= gpus);
    let more = [2, 4, 8]
        .into_iter()
        .find(|gpus| *gpus > short.gpus && has_node(short.tier, *gpus) && fits(short.tier, *gpus));
    let larger = [short.gpus, 2, 4, 8]
        .into_iter()
        .filter(|gpus| *gpus >= short.gpus)
        .find_map(|gpus| {
            let fitting = TIERS.iter().filter(|tier| has_node(tier, gpus) && fits(tier, gpus));
            Some((fitting.min_by_key(|tier| tier.vram_gib)?, gpus))
        })
        .filter(|(tier, _)| tier.name != short.tier.name)
        .map(|(tier, gpus)| match gpus == short.gpus {
            true => format!("a pool of tier `{}`", tier.name),
            false => format!("a pool of tier `{}` and `gpus = {gpus}`", tier.name),
        });
    let more = more.map(|gpus| format!("`gpus = {gpus}` with nodes that have as many"));
    let ways: Vec<String> = larger.into_iter().chain(more).collect();
    if ways.is_empty() {
        "take a smaller or a quantised variant of it".to_owned()
    } else {
        format!("take {}, or a smaller or quantised variant", ways.join(", "))
    }
}

/// `16.4 GB`: as weights are counted.
fn gigabytes(bytes: u64) -> String {
    format!("{} GB", tenths(bytes, 1_000_000_000))
}

/// `15.3 GiB`: as the memory of a GPU is counted.
fn gibibytes(bytes: u64) -> String {
    format!("{} GiB", tenths(bytes, GIB))
}

/// An amount in a unit, to a tenth.
fn tenths(amount: u64, unit: u64) -> String {
    let tenths = (u128::from(amount) * 20 / u128::from(unit)).div_ceil(2);
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        tenth => format!("{}.{tenth}", tenths / 10),
    }
}

/// A part of one in thousandths, without zeros that say nothing.
fn part(thousandths: u64) -> String {
    let digits = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}
