//! What runs on GPUs, against the pools of a stack: whether weights fit, and whether there are as many GPUs as are asked for.
//!
//! In: [`Demand`]s, of `[[models]]` or of manifests, and pools. Out: what is wrong, in words that show the sum.
//!
//! Invariants:
//! - A model is refused only where no pool that it can run on holds its weights, by the least that they take.
//! - Of a pool whose GPUs or whose number of nodes are not said nothing is assumed: what may run there is not spoken of.
//! - The sum is in the words.

mod fit;
mod told;
mod weights;

pub(crate) use fit::{Fit, fit};

use crate::stack::{Deployment, GpuPool, GpuTier, Model, Provision, Quantity};

/// What something asks of GPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    /// What it is, for people: it stands in sums.
    pub(crate) name: String,
    /// How many copies there are, and the GPUs of each: of those that answer, and of those that read prompts.
    pub(crate) copies: Vec<(u32, u32)>,
    /// The tier whose own profile it names: its copies run on no other (`reference/platform.md` §2.11).
    pub(crate) tier: Option<&'static str>,
    /// How much memory its weights take, where it is said.
    pub(crate) weights: Option<Quantity>,
    /// Where its weights come from, as a URI; its parts may name a model.
    pub(crate) source: Option<String>,
    /// What vLLM is told.
    pub(crate) args: Vec<String>,
}

impl Demand {
    /// What a model of the stack asks for.
    pub(crate) fn of(model: &Model) -> Self {
        let prefill = match &model.deployment {
            Deployment::PrefillDecode(parts) => Some((parts.prefill.replicas, parts.prefill.gpus)),
            Deployment::IntelligentInference(_) => None,
        };
        let copies = std::iter::once((model.replicas, model.gpus)).chain(prefill);
        Self {
            name: format!("`{}`", model.name),
            copies: copies.map(|(n, gpus)| (u32::from(n), u32::from(gpus))).collect(),
            tier: tier_of_profile(model.hardware_profile.as_str()),
            weights: model.weights.clone(),
            source: Some(model.source.to_string()),
            args: model.vllm.args.clone(),
        }
    }

    /// The GPUs of all copies.
    fn gpus(&self) -> u32 {
        let of = |(n, gpus): &(u32, u32)| n.saturating_mul(*gpus);
        self.copies.iter().map(of).fold(0, u32::saturating_add)
    }

    /// The different numbers of GPUs of one copy, those on CPU left out.
    fn of_a_copy(&self) -> impl Iterator<Item = u32> {
        let mut all: Vec<u32> = self
            .copies
            .iter()
            .map(|(_, gpus)| *gpus)
            .filter(|gpus| *gpus > 0)
            .collect();
        all.dedup();
        all.into_iter()
    }

    /// Whether its copies may be put on nodes of a pool.
    pub(crate) fn can_run_on(&self, pool: &GpuPool) -> bool {
        match (self.tier, tier(pool)) {
            (Some(wanted), Some(tier)) => wanted == tier.name,
            _ => true,
        }
    }
}

/// The tier that a hardware profile is made for.
pub(crate) fn tier_of_profile(profile: &str) -> Option<&'static str> {
    let name = profile.strip_prefix("nvidia-")?.strip_suffix("-profile")?;
    GpuTier::named(name).map(|tier| tier.name)
}

fn tier(pool: &GpuPool) -> Option<&'static GpuTier> {
    match &pool.provision {
        Provision::MachineSets(sets) => Some(sets.tier),
        Provision::Existing { tier } => *tier,
    }
}

/// The GPUs of a copy that are more than any node has, and the most that one has: a copy runs on one node.
pub(crate) fn too_many_for_a_node(demand: &Demand, reachable: &[&GpuPool]) -> Vec<(u32, u32)> {
    let largest: Option<Vec<u32>> = reachable.iter().map(|pool| largest_node(pool)).collect();
    let Some(most) = largest.and_then(|all| all.into_iter().max()) else {
        return Vec::new();
    };
    let gpus = demand.of_a_copy().filter(|gpus| *gpus > most);
    gpus.map(|gpus| (gpus, most)).collect()
}

/// The most GPUs that a node of a pool has; `None` where that is not said, or GPUs are shared.
fn largest_node(pool: &GpuPool) -> Option<u32> {
    match &pool.provision {
        Provision::MachineSets(sets) if sets.device_plugin_config.is_none() => Some(u32::from(sets.size.gpus)),
        Provision::MachineSets(_) | Provision::Existing { .. } => None,
    }
}

/// All GPUs of a pool; `None` where that is not said, or GPUs are shared.
fn supply(pool: &GpuPool) -> Option<u32> {
    match &pool.provision {
        Provision::MachineSets(sets) if sets.device_plugin_config.is_none() => Some(sets.gpus()),
        Provision::MachineSets(_) | Provision::Existing { .. } => None,
    }
}

/// More is asked for than there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overflow {
    /// The first demand for which nothing is left.
    pub(crate) first: usize,
    /// All GPUs that are asked for.
    pub(crate) asked: u32,
    /// All that there are.
    pub(crate) there: u32,
    /// Both, taken apart.
    pub(crate) sum: String,
}

/// Sums up those of one tier first, which have no other place to go, then all (`reference/serving.md` §5.1 M11).
pub(crate) fn overflow(demands: &[Demand], pools: &[&GpuPool]) -> Option<Overflow> {
    let mut tiers: Vec<&str> = demands.iter().filter_map(|demand| demand.tier).collect();
    tiers.sort_unstable();
    tiers.dedup();
    let of_tiers = tiers
        .into_iter()
        .map(Some)
        .find_map(|tier| overflow_of(tier, demands, pools));
    of_tiers.or_else(|| overflow_of(None, demands, pools))
}

/// The same of one tier, or of all.
fn overflow_of(wanted: Option<&str>, demands: &[Demand], pools: &[&GpuPool]) -> Option<Overflow> {
    let is_of = |pool: &&&GpuPool| wanted.is_none() || tier(pool).is_none_or(|tier| Some(tier.name) == wanted);
    let there: Option<Vec<(&GpuPool, u32)>> = pools
        .iter()
        .filter(is_of)
        .map(|pool| Some((*pool, supply(pool)?)))
        .collect();
    let there = there?;
    let n_there = there.iter().map(|(_, gpus)| *gpus).fold(0, u32::saturating_add);
    let mut asked: u32 = 0;
    let (mut terms, mut first) = (Vec::new(), None);
    for (index, demand) in demands.iter().enumerate() {
        let gpus = demand.gpus();
        if gpus == 0 || (wanted.is_some() && demand.tier != wanted) {
            continue;
        }
        asked = asked.saturating_add(gpus);
        terms.push(format!("{gpus} for {}", demand.name));
        if asked > n_there {
            first.get_or_insert(index);
        }
    }
    let pools: Vec<String> = there
        .iter()
        .map(|(pool, gpus)| format!("`{}` {gpus}", pool.name))
        .collect();
    Some(Overflow {
        first: first?,
        asked,
        there: n_there,
        sum: format!("{}; pools: {}", terms.join(", "), pools.join(", ")),
    })
}
