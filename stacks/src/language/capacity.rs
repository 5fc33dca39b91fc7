//! Models against the GPUs of the stack: whether their weights fit, and whether there are as many GPUs as they ask for.
//!
//! Invariants:
//! - A model is refused only where no pool that it can run on holds its weights, by the least that they take.
//! - Of a pool whose GPUs or whose number of nodes are not said nothing is assumed: what may run there is not spoken of.
//! - The sum is in the message.

use super::place::Place;
use super::problem::{Problem, Problems};
use super::weights::{Precision, Weights};
use crate::stack::gpu_tiers::TIERS;
use crate::stack::{Deployment, GpuPool, GpuTier, Model, ModelSource, Provision, Quantity};

/// Where a model says what is looked at here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) name: Place,
    pub(super) source: Place,
    pub(super) gpus: Option<Place>,
}

/// What vLLM takes of each GPU where it is told nothing (`--gpu-memory-utilization`,
/// <https://docs.vllm.ai/en/latest/configuration/engine_args.html>), in thousandths.
const UTILIZATION: u64 = 900;

/// What is left for the KV cache and the runtime at least: the guide gives Qwen3-8B in FP8, with 8 GB of weights, about
/// 12 GiB (`reference/platform.md` §2.5).
const BESIDE_WEIGHTS: u64 = 4 * GIB;

const GIB: u64 = 1 << 30;

/// Reports every model that does not fit, and GPUs that are not there.
pub(super) fn check(models: &[Model], sites: &[Site], pools: &[(GpuPool, Place)], problems: &mut Problems) {
    if pools.is_empty() {
        return;
    }
    for (model, site) in models.iter().zip(sites) {
        let reachable: Vec<&(GpuPool, Place)> = pools.iter().filter(|(pool, _)| can_run_on(model, pool)).collect();
        for gpus in copies(model) {
            report_node(model, gpus, *site, &reachable, problems);
        }
        report_weights(model, *site, &reachable, problems);
    }
    report_sum(models, sites, pools, problems);
}

/// Whether copies of a model may be put on nodes of a pool. Profiles that are made for a tier ask for its label
/// (`reference/platform.md` §2.11).
fn can_run_on(model: &Model, pool: &GpuPool) -> bool {
    match (pinned(model), tier(pool)) {
        (Some(wanted), Some(tier)) => wanted == tier.name,
        _ => true,
    }
}

/// The tier whose own profile a model names.
fn pinned(model: &Model) -> Option<&'static str> {
    let name = model.hardware_profile.as_str().strip_prefix("nvidia-")?;
    GpuTier::named(name.strip_suffix("-profile")?).map(|tier| tier.name)
}

fn tier(pool: &GpuPool) -> Option<&'static GpuTier> {
    match &pool.provision {
        Provision::MachineSets(sets) => Some(sets.tier),
        Provision::Existing { tier } => *tier,
    }
}

/// The GPUs of one copy: of those that answer, and of those that read prompts.
fn copies(model: &Model) -> Vec<u16> {
    let prefill = match &model.deployment {
        Deployment::PrefillDecode(parts) => Some(parts.prefill.gpus),
        Deployment::IntelligentInference(_) => None,
    };
    let mut all: Vec<u16> = std::iter::once(model.gpus)
        .chain(prefill)
        .filter(|gpus| *gpus > 0)
        .collect();
    all.dedup();
    all
}

/// The most GPUs that a node of a pool has; `None` where that is not said, or GPUs are shared.
fn largest_node(pool: &GpuPool) -> Option<u16> {
    match &pool.provision {
        Provision::MachineSets(sets) if sets.device_plugin_config.is_none() => Some(sets.size.gpus),
        Provision::MachineSets(_) | Provision::Existing { .. } => None,
    }
}

/// A copy runs on one node, so none may ask for more GPUs than one has.
fn report_node(model: &Model, gpus: u16, site: Site, pools: &[&(GpuPool, Place)], problems: &mut Problems) {
    let largest: Option<Vec<u16>> = pools.iter().map(|(pool, _)| largest_node(pool)).collect();
    let Some(most) = largest.and_then(|all| all.into_iter().max()) else {
        return;
    };
    if gpus > most {
        let problem = Problem::TooManyForNode {
            model: model.name.to_string(),
            gpus,
            most,
        };
        problems.push(site.gpus.unwrap_or(site.name), problem);
    }
}

/// All GPUs of a pool; `None` where that is not said, or GPUs are shared.
fn supply(pool: &GpuPool) -> Option<u32> {
    match &pool.provision {
        Provision::MachineSets(sets) if sets.device_plugin_config.is_none() => {
            Some(sets.nodes() * u32::from(sets.size.gpus))
        }
        Provision::MachineSets(_) | Provision::Existing { .. } => None,
    }
}

/// Those of one tier first, which have no other place to go, then all (`reference/serving.md` §5.1 M11).
fn report_sum(models: &[Model], sites: &[Site], pools: &[(GpuPool, Place)], problems: &mut Problems) {
    let mut tiers: Vec<&str> = models.iter().filter_map(pinned).collect();
    tiers.sort_unstable();
    tiers.dedup();
    for wanted in tiers {
        let of_tier = |(pool, _): &&(GpuPool, Place)| tier(pool).is_none_or(|tier| tier.name == wanted);
        let supply: Option<Vec<(&GpuPool, u32)>> = pools
            .iter()
            .filter(of_tier)
            .map(|(pool, _)| Some((pool, supply(pool)?)))
            .collect();
        let asking = models
            .iter()
            .zip(sites)
            .filter(|(model, _)| pinned(model) == Some(wanted));
        if let Some(supply) = supply
            && report_overflow(asking, &supply, problems)
        {
            return;
        }
    }
    let supply: Option<Vec<(&GpuPool, u32)>> = pools.iter().map(|(pool, _)| Some((pool, supply(pool)?))).collect();
    if let Some(supply) = supply {
        report_overflow(models.iter().zip(sites), &supply, problems);
    }
}

/// Reports the model with which more is asked for than there is; returns whether there is one.
fn report_overflow<'a>(
    asking: impl Iterator<Item = (&'a Model, &'a Site)>,
    supply: &[(&GpuPool, u32)],
    problems: &mut Problems,
) -> bool {
    let there: u32 = supply.iter().map(|(_, gpus)| *gpus).sum();
    let mut asked = 0;
    let mut terms = Vec::new();
    let mut first_over = None;
    for (model, site) in asking {
        let gpus = model.total_gpus();
        if gpus == 0 {
            continue;
        }
        asked += gpus;
        terms.push(format!("{gpus} for `{}`", model.name));
        if asked > there {
            first_over.get_or_insert((model, site));
        }
    }
    let Some((model, site)) = first_over else {
        return false;
    };
    let pools: Vec<String> = supply
        .iter()
        .map(|(pool, gpus)| format!("`{}` {gpus}", pool.name))
        .collect();
    let problem = Problem::NotEnoughGpus {
        model: model.name.to_string(),
        asked,
        there,
        sum: format!("{}; pools: {}", terms.join(", "), pools.join(", ")),
    };
    problems.push(site.name, problem);
    true
}

/// What a model's source says of its weights, and in which words.
fn weights(model: &Model, told: &Told) -> Option<(u64, String)> {
    if let Some(declared) = &model.weights {
        return Some((bytes(declared), format!("`weights` is {declared}")));
    }
    if told.is_quantised {
        return None;
    }
    let weights = names(&model.source)
        .iter()
        .find_map(|name| Weights::named(name, told.precision))?;
    Some((weights.bytes(), format!("{weights} = {}", gigabytes(weights.bytes()))))
}

fn bytes(quantity: &Quantity) -> u64 {
    u64::try_from(quantity.nano() / 1_000_000_000).unwrap_or(u64::MAX)
}

/// The parts of a source that may name a model, the most telling first.
fn names(source: &ModelSource) -> Vec<&str> {
    let last = |path: &'_ str| path.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
    match source {
        ModelSource::Oci { reference } => {
            let image = &reference[last(reference)..];
            let (image, _) = image.split_once('@').unwrap_or((image, ""));
            let (image, tag) = image.split_once(':').unwrap_or((image, ""));
            vec![image, tag]
        }
        ModelSource::HuggingFace { repository, .. } => {
            let name = &repository[last(repository)..];
            vec![name.split_once(':').map_or(name, |(name, _)| name)]
        }
        ModelSource::S3 { path, .. } => vec![&path[last(path)..]],
        ModelSource::Pvc { claim, path } => vec![&path[last(path)..], claim.as_str()],
    }
}

/// What vLLM is told in arguments that changes the sum.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    /// `--gpu-memory-utilization`, in thousandths.
    utilization: u64,
    /// `--quantization`, or `--dtype` of more than two bytes.
    precision: Option<Precision>,
    /// `--tensor-parallel-size`. Of an option that stands twice the last counts, as Python's argparse has it
    /// (<https://docs.python.org/3/library/argparse.html#action>: `store`).
    tensors: Option<u64>,
    /// `--pipeline-parallel-size`.
    stages: Option<u64>,
    /// They are quantised in a way that nothing is known of here.
    is_quantised: bool,
    /// Weights are not all on the GPUs, or spread in a way that nothing is known of.
    is_unclear: bool,
}

fn told(args: &[String]) -> Told {
    let mut words = args
        .iter()
        .flat_map(|arg| arg.split([' ', '=', '\t']))
        .filter(|word| !word.is_empty());
    let mut told = Told {
        utilization: UTILIZATION,
        precision: None,
        tensors: None,
        stages: None,
        is_quantised: false,
        is_unclear: false,
    };
    while let Some(word) = words.next() {
        let word = word.replace('_', "-");
        let mut value = || words.next().unwrap_or_default();
        match word.as_str() {
            "--gpu-memory-utilization" => match thousandths(value()) {
                Some(part) => told.utilization = part,
                None => told.is_unclear = true,
            },
            "--tensor-parallel-size" | "-tp" => match parallel(value()) {
                Some(size) => told.tensors = Some(size),
                None => told.is_unclear = true,
            },
            "--pipeline-parallel-size" | "-pp" => match parallel(value()) {
                Some(size) => told.stages = Some(size),
                None => told.is_unclear = true,
            },
            "--quantization" | "-q" => match value() {
                "fp8" => told.precision = Some(Precision::Bits8),
                "bitsandbytes" => told.precision = Some(Precision::Bits4),
                _ => told.is_quantised = true,
            },
            "--dtype" if matches!(value(), "float32" | "float") => {
                told.precision.get_or_insert(Precision::Bits32);
            }
            "--cpu-offload-gb" | "--data-parallel-size" | "-dp" | "--load-format" | "--config" => {
                told.is_unclear = true;
            }
            _ => {}
        }
    }
    told
}

impl Told {
    /// GPUs that one set of weights is spread over, if anything is said of it.
    fn spread(&self) -> Option<u64> {
        match (self.tensors, self.stages) {
            (None, None) => None,
            (tensors, stages) => Some(tensors.unwrap_or(1) * stages.unwrap_or(1)),
        }
    }
}

fn parallel(text: &str) -> Option<u64> {
    text.parse().ok().filter(|size| (1..=1024).contains(size))
}

/// `0.95`, in thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let part: f64 = text.parse().ok()?;
    if !(0.001..=1.0).contains(&part) {
        return None;
    }
    format!("{:.0}", part * 1000.0).parse().ok()
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

/// Each copy holds all weights, on the GPUs that it asks for.
fn report_weights(model: &Model, site: Site, pools: &[&(GpuPool, Place)], problems: &mut Problems) {
    let told = told(&model.vllm.args);
    let Some(least) = copies(model).into_iter().min() else {
        return;
    };
    let tiers: Option<Vec<(&GpuTier, Place)>> = pools.iter().map(|(pool, place)| Some((tier(pool)?, *place))).collect();
    let Some((best, pool)) = tiers.and_then(|tiers| tiers.into_iter().max_by_key(|(tier, _)| tier.vram_gib)) else {
        return;
    };
    if told.is_unclear {
        return;
    }
    let Some((bytes, sum)) = weights(model, &told) else {
        return;
    };
    let gpus = told.spread().unwrap_or(u64::from(least)).min(u64::from(least));
    let room = room(best, gpus, &told);
    let name = model.name.to_string();
    let has = format!(
        "{} × {} has {} GiB × {} = {}",
        room.gpus,
        best.product,
        u64::from(best.vram_gib) * room.gpus,
        part(told.utilization),
        gibibytes(room.bytes)
    );
    let sum = format!("{sum} ({}), and {has}", gibibytes(bytes));
    let problem = if bytes > room.bytes {
        Problem::TooLarge {
            model: name,
            sum,
            hint: way_out(bytes, &room, &told),
        }
    } else if bytes.saturating_add(BESIDE_WEIGHTS) > room.bytes {
        Problem::LittleRoom {
            model: name,
            sum,
            left: gibibytes(room.bytes - bytes),
        }
    } else {
        return;
    };
    problems.push_beside(site.source, problem, pool, "the pool with the most memory for it");
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

#[cfg(test)]
mod tests {
    use crate::{Source, StackError, parse};

    /// What is said of a stack with these tables, a line each.
    fn said(tables: &str) -> String {
        let text =
            format!("[stack]\nname = \"s\"\n[cluster]\nplatform = \"aws\"\n[tls]\nissuer = \"existing\"\n{tables}");
        let name = "stack.toml".to_owned();
        let line = |error: &StackError| {
            let help = error.help().unwrap_or_default();
            format!("{} {}: {error}; {help}\n", error.code(), error.position().line - 6)
        };
        match parse(&[Source { name, text }], &[]) {
            Ok((_, warnings)) => warnings.iter().map(line).collect(),
            Err(diagnostics) => diagnostics.iter().map(line).collect(),
        }
    }

    fn pool(tier: &str, size: &str) -> String {
        format!("[[gpu]]\nname = \"{tier}\"\ntier = \"{tier}\"\nsize = \"{size}\"\nzones = [\"a\"]\n")
    }

    fn model(source: &str, rest: &str) -> String {
        format!("[[models]]\nname = \"m\"\nnamespace = \"demo\"\nsource = \"{source}\"\n{rest}\n")
    }

    #[test]
    fn a_model_that_does_not_fit_is_refused_with_the_sum_and_the_same_on_a_larger_tier_is_not() {
        let llama = model("oci://r.example.com/modelcar-llama-3-3-70b-instruct-fp8-dynamic:1", "");
        insta::assert_snapshot!(said(&(pool("l40s", "g6e.2xlarge") + &llama)), @"STK100 9: model `m` does not fit its GPUs: 70.6 B parameters × 1 byte = 70.6 GB (65.7 GiB), and 1 × NVIDIA L40S has 48 GiB × 0.9 = 43.2 GiB; take a pool of tier `a100-80gb`, `gpus = 2` with nodes that have as many, or a smaller or quantised variant");
        assert_eq!(said(&(pool("h100", "p5.4xlarge") + &llama)), "");
    }

    #[test]
    fn each_way_of_spreading_or_shrinking_weights_counts() {
        let on_four = pool("l40s", "g6e.12xlarge");
        let llama = "hf://RedHatAI/Llama-3.3-70B-Instruct";
        for (rest, code) in [
            ("gpus = 4", ""),
            ("gpus = 2", "STK100"),
            ("gpus = 4\nvllm = { args = [\"--tensor-parallel-size=2\"] }", "STK100"),
            ("gpus = 4\nvllm = { args = [\"--tensor-parallel-size\", \"4\"] }", ""),
            // Of two the last counts, and nothing is multiplied by itself.
            (
                "gpus = 4\nvllm = { args = [\"-tp\", \"2\", \"--tensor-parallel-size=2\"] }",
                "STK100",
            ),
            (
                "gpus = 4\nvllm = { args = [\"-tp\", \"2\", \"--tensor-parallel-size=4\"] }",
                "",
            ),
            ("gpus = 4\nvllm = { args = [\"-tp\", \"2\", \"-pp\", \"2\"] }", ""),
            ("gpus = 2\nvllm = { args = [\"--quantization=fp8\"] }", ""),
            ("gpus = 2\nvllm = { args = [\"--quantization=awq\"] }", ""),
            ("gpus = 2\nvllm = { args = [\"--cpu-offload-gb=100\"] }", ""),
            ("gpus = 4\nvllm = { args = [\"--dtype float32\"] }", "STK100"),
            ("gpus = 1\nweights = \"37Gi\"", ""),
            ("gpus = 1\nweights = \"40Gi\"", "STK101"),
            ("gpus = 1\nweights = \"44Gi\"", "STK100"),
            ("gpus = 1\nweights = \"999999999999Pi\"", "STK100"),
            (
                "gpus = 1\nweights = \"44Gi\"\nvllm = { args = [\"--gpu-memory-utilization=0.97\"] }",
                "STK101",
            ),
        ] {
            let found = said(&(on_four.clone() + &model(llama, rest)));
            assert_eq!(found.get(..6).unwrap_or_default(), code, "{rest}: {found}");
        }
    }

    #[test]
    fn nothing_is_said_of_names_and_nodes_that_are_not_known() {
        let large = model("hf://meta/Llama-3.1-405B", "hf_token = { env = \"T\" }");
        let there = "[[gpu]]\nname = \"there\"\nprovision = \"existing\"\n";
        assert_eq!(said(&(there.to_owned() + &large)), "");
        assert_eq!(said(&(pool("a10g", "g5.2xlarge") + there + &large)), "");
        assert_eq!(said(&(pool("a10g", "g5.2xlarge") + &model("hf://some/thing", ""))), "");
        // Nodes that are there are of a tier that is said: its memory is known, and their number is not.
        let l40s = "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nprovision = \"existing\"\n";
        assert_eq!(&said(&(l40s.to_owned() + &large))[..6], "STK100");
        assert_eq!(
            said(&(l40s.to_owned() + &model("hf://some/thing", "replicas = 50"))),
            ""
        );
    }

    #[test]
    fn the_largest_pool_that_a_model_may_run_on_counts() {
        let both = pool("a10g", "g5.2xlarge") + &pool("l40s", "g6e.2xlarge");
        let source = "hf://Qwen/Qwen3-14B";
        assert_eq!(said(&(both.clone() + &model(source, ""))), "");
        let pinned = |tier| format!("hardware_profile = \"nvidia-{tier}-profile\"");
        assert_eq!(said(&(both.clone() + &model(source, &pinned("l40s")))), "");
        assert_eq!(&said(&(both + &model(source, &pinned("a10g"))))[..6], "STK100");
    }

    #[test]
    fn gpus_are_summed_over_copies_and_pools_and_a_copy_stays_on_one_node() {
        let pools = pool("a10g", "g5.2xlarge") + &pool("l40s", "g6e.12xlarge");
        let split = "deployment = \"pd-disaggregation\"\nprefill = { replicas = 2, gpus = 2 }\nreplicas = 1";
        assert_eq!(said(&(pools.clone() + &model("hf://some/thing", split))), "");
        let more = model("hf://some/thing", &split.replace("replicas = 1", "replicas = 2"));
        insta::assert_snapshot!(said(&(pools.clone() + &more)), @"STK102 12: models ask for 6 GPUs, and their pools have 5: 6 for `m`; pools: `a10g` 1, `l40s` 4; copies of `m` wait for a GPU: add nodes, take `replicas` down, or name nodes that are there in a `[[gpu]]` table with `provision = \"existing\"`");
        let pinned = model(
            "hf://some/thing",
            "replicas = 2\nhardware_profile = \"nvidia-a10g-profile\"",
        );
        let told = said(&(pools.clone() + &pinned));
        assert!(
            told.starts_with("STK102 12: models ask for 2 GPUs, and their pools have 1: 2 for `m`; pools: `a10g` 1;"),
            "{told}"
        );
        let told = said(&(pools + &model("hf://some/thing", "gpus = 8")));
        assert!(
            told.contains("STK103 15: a copy of model `m` asks for 8 GPUs, and no node of its pools has more than 4;"),
            "{told}"
        );
        assert!(
            told.contains("STK102 12: models ask for 8 GPUs, and their pools have 5"),
            "{told}"
        );
    }

    #[test]
    fn gpus_that_are_shared_are_not_counted() {
        let shared = pool("a10g", "g5.2xlarge") + "device_plugin_config = \"four\"\n";
        assert_eq!(said(&(shared + &model("hf://some/thing", "replicas = 4"))), "");
    }
}
