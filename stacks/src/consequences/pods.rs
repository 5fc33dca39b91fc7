//! The pods of an LLMInferenceService: how many, on how many GPUs, and that they are replaced. Those of one that is made
//! again go with it, which `model.rs` tells.
//!
//! Facts: `reference/serving.md` §1.3.1 and §1.3.2 (where pods stand in the manifest), §1.3.4 (last item: a rolling update
//! with a surge, which cannot be configured), §5.1 M9; the scheduler is a Deployment of its own that is recreated (§1.3.4).

use super::{
    words::{counted, disruption, notice},
    world::{World, items},
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};

/// One set of equal pods.
#[derive(Clone, Copy, Debug)]
struct Pool<'a> {
    /// What its replicas are: `replica` or `prefill replica`.
    noun: &'static str,
    /// How many; nothing where a scaler decides.
    replicas: Option<u64>,
    template: &'a Value,
}

/// The decode pods, which are all where nothing is disaggregated, and the prefill pods.
fn pools(manifest: &Value) -> [Pool<'_>; 2] {
    let spec = &manifest["spec"];
    [("replica", spec), ("prefill replica", &spec["prefill"])].map(|(noun, at)| Pool {
        noun,
        replicas: at["replicas"].as_u64(),
        template: &at["template"],
    })
}

impl Pool<'_> {
    /// The GPUs of one pod, of whatever vendor.
    fn gpus(&self) -> u64 {
        let limits =
            items(&self.template["containers"]).filter_map(|container| container["resources"]["limits"].as_object());
        let gpus = limits.flatten().filter(|(resource, _)| resource.ends_with("/gpu"));
        gpus.filter_map(|(_, count)| count.as_u64().or_else(|| count.as_str()?.parse().ok()))
            .sum()
    }
}

/// The GPUs of all pods of a service; nothing where a scaler decides how many there are.
pub(super) fn gpus(manifest: &Value) -> Option<u64> {
    let of = |pool: &Pool<'_>| match pool.gpus() {
        0 => Some(0),
        gpus => Some(gpus * pool.replicas?),
    };
    pools(manifest).iter().map(of).sum()
}

pub(super) fn consequences(_: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let (Some(before), Some(after)) = (&transition.before, &transition.after) else {
        return Vec::new();
    };
    let name = &transition.object.name;
    let mut told = Vec::new();
    for (old, new) in pools(before).iter().zip(pools(after)) {
        told.extend(scaled(name, old, &new));
        if transition.is_made_again() {
            continue;
        }
        told.extend(replaced(
            name,
            old,
            &new,
            before["spec"]["model"] != after["spec"]["model"],
        ));
    }
    let scheduler = |manifest: &Value| manifest["spec"]["router"]["scheduler"].clone();
    if scheduler(before) != scheduler(after) && !transition.is_made_again() {
        told.push(disruption(format!(
            "restarts the scheduler of model {name}, which is away for a moment"
        )));
    }
    told
}

fn scaled(name: &str, old: &Pool<'_>, new: &Pool<'_>) -> Option<Consequence> {
    let (from, to) = (old.replicas?, new.replicas?);
    let gpus = |pool: &Pool<'_>, count: u64| match count * pool.gpus() {
        0 => None,
        all => Some(counted(all, "GPU")),
    };
    let replicas = counted(to, new.noun);
    if to == 0 && from > 0 {
        let freed = gpus(old, from).map_or_else(String::new, |gpus| format!(", which frees {gpus}"));
        return Some(disruption(format!(
            "stops model {name}: no {} is left{freed}",
            new.noun
        )));
    }
    if to < from {
        let freed = gpus(old, from - to).map_or_else(String::new, |gpus| format!(": frees {gpus}"));
        return Some(notice(format!("lowers model {name} from {from} to {replicas}{freed}")));
    }
    let needed = gpus(new, to - from).map_or_else(String::new, |gpus| {
        format!(": needs {gpus} more, or the new pods stay Pending")
    });
    (to > from).then(|| notice(format!("raises model {name} from {from} to {replicas}{needed}")))
}

/// Pods are replaced when their template changes, or what they load.
fn replaced(name: &str, old: &Pool<'_>, new: &Pool<'_>, loads_another: bool) -> Option<Consequence> {
    let differs = old.template != new.template || loads_another;
    let runs = |pool: &Pool<'_>| !pool.template.is_null() && pool.replicas != Some(0);
    (differs && runs(old) && runs(new)).then(|| {
        let needed = match new.gpus() {
            0 => String::new(),
            gpus => {
                let gpus = counted(gpus, "GPU");
                format!(": needs {gpus} free for the new one, or that stays Pending and the old ones go on")
            }
        };
        disruption(format!("replaces each {} of model {name} in turn{needed}", new.noun))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{model, table, turned, with};
    use serde_json::{Value, json};

    fn with_replicas(count: u64) -> Value {
        with(model("qwen", None, true), "spec.replicas", json!(count))
    }

    fn without_gpus() -> Value {
        with(
            model("qwen", None, true),
            "spec.template.containers",
            json!([{"name": "main"}]),
        )
    }

    fn disaggregated(decode: u64, prefill: u64, image: &str) -> Value {
        let mut object = with_replicas(decode);
        object["spec"]["prefill"] = json!({"replicas": prefill, "template": {"containers": [
            {"name": "main", "image": image, "resources": {"limits": {"nvidia.com/gpu": 2}}},
        ]}});
        object
    }

    #[test]
    fn replicas_and_their_gpus_are_counted() {
        let cases = [
            ("more", vec![turned(with_replicas(1), with_replicas(3))]),
            ("fewer", vec![turned(with_replicas(2), with_replicas(1))]),
            ("none", vec![turned(with_replicas(2), with_replicas(0))]),
            ("again some", vec![turned(with_replicas(0), with_replicas(1))]),
            (
                "on CPUs",
                vec![turned(without_gpus(), with(without_gpus(), "spec.replicas", json!(3)))],
            ),
            (
                "of prefill",
                vec![turned(disaggregated(1, 1, "a"), disaggregated(1, 2, "a"))],
            ),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # more
        notice: raises model qwen from 1 to 3 replicas: needs 2 GPUs more, or the new pods stay Pending
        # fewer
        notice: lowers model qwen from 2 to 1 replica: frees 1 GPU
        # none
        disruption: stops model qwen: no replica is left, which frees 2 GPUs
        # again some
        notice: raises model qwen from 0 to 1 replica: needs 1 GPU more, or the new pods stay Pending
        # on CPUs
        notice: raises model qwen from 2 to 3 replicas
        # of prefill
        notice: raises model qwen from 1 to 2 prefill replicas: needs 2 GPUs more, or the new pods stay Pending
        "#);
    }

    #[test]
    fn new_pods_need_gpus_of_their_own() {
        let image = |object: Value| with(object, "spec.template.containers[0].image", json!("vllm:2"));
        let cases = [
            ("another image", vec![turned(with_replicas(2), image(with_replicas(2)))]),
            (
                "another source",
                vec![turned(
                    with_replicas(2),
                    with(with_replicas(2), "spec.model.uri", json!("hf://c/d")),
                )],
            ),
            (
                "on CPUs",
                vec![turned(
                    without_gpus(),
                    with(without_gpus(), "spec.template.containers[0].image", json!("b")),
                )],
            ),
            (
                "of prefill",
                vec![turned(disaggregated(1, 1, "a"), disaggregated(1, 1, "b"))],
            ),
            (
                "while none runs",
                vec![turned(with_replicas(0), image(with_replicas(0)))],
            ),
            (
                "another scheduler",
                vec![turned(
                    with_replicas(2),
                    with(with_replicas(2), "spec.router.scheduler.replicas", json!(2)),
                )],
            ),
            (
                "only a label",
                vec![turned(
                    with_replicas(2),
                    with(with_replicas(2), "metadata.labels.a", json!("b")),
                )],
            ),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # another image
        disruption: replaces each replica of model qwen in turn: needs 1 GPU free for the new one, or that stays Pending and the old ones go on
        # another source
        disruption: replaces each replica of model qwen in turn: needs 1 GPU free for the new one, or that stays Pending and the old ones go on
        # on CPUs
        disruption: replaces each replica of model qwen in turn
        # of prefill
        disruption: replaces each prefill replica of model qwen in turn: needs 2 GPUs free for the new one, or that stays Pending and the old ones go on
        # while none runs
        nothing
        # another scheduler
        disruption: restarts the scheduler of model qwen, which is away for a moment
        # only a label
        nothing
        "#);
    }
}
