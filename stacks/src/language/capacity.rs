//! The models of a stack against its GPUs; the sums are [`crate::capacity`]'s.

use super::place::Place;
use super::problem::{Problem, Problems};
use crate::capacity::{self, Demand, Fit, Overflow};
use crate::stack::{GpuPool, Model};

/// Where a model says what is looked at here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) name: Place,
    pub(super) source: Place,
    pub(super) gpus: Option<Place>,
}

/// Reports every model that does not fit, and GPUs that are not there.
pub(super) fn check(models: &[Model], sites: &[Site], pools: &[(GpuPool, Place)], problems: &mut Problems) {
    if pools.is_empty() {
        return;
    }
    let demands: Vec<Demand> = models.iter().map(Demand::of).collect();
    for ((demand, model), site) in demands.iter().zip(models).zip(sites) {
        let name = model.name.to_string();
        let (reachable, places): (Vec<&GpuPool>, Vec<Place>) = pools
            .iter()
            .filter(|(pool, _)| demand.can_run_on(pool))
            .map(|(pool, place)| (pool, *place))
            .unzip();
        for (gpus, most) in capacity::too_many_for_a_node(demand, &reachable) {
            let model = name.clone();
            let problem = Problem::TooManyForNode { model, gpus, most };
            problems.push(site.gpus.unwrap_or(site.name), problem);
        }
        let (pool, problem) = match capacity::fit(demand, &reachable) {
            None => continue,
            Some(Fit::TooLarge { pool, sum, hint }) => (pool, Problem::TooLarge { model: name, sum, hint }),
            Some(Fit::LittleRoom { pool, sum, left }) => (pool, Problem::LittleRoom { model: name, sum, left }),
        };
        problems.push_beside(
            site.source,
            problem,
            places[pool],
            "the pool with the most memory for it",
        );
    }
    let pools: Vec<&GpuPool> = pools.iter().map(|(pool, _)| pool).collect();
    if let Some(Overflow {
        first,
        asked,
        there,
        sum,
    }) = capacity::overflow(&demands, &pools)
    {
        let model = models[first].name.to_string();
        let problem = Problem::NotEnoughGpus {
            model,
            asked,
            there,
            sum,
        };
        problems.push(sites[first].name, problem);
    }
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
