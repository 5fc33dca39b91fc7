//! Models: their namespaces, who reaches them, and which is a new version of which.

use super::place::Place;
use super::problem::{Problem, Problems};
use super::read::At;
use super::schema::{RawCanary, RawModel, default_monitoring};
use super::suggest;
use crate::stack::{Access, AccessMode, Model, ModelName, ModelSource, Monitoring, ObjectName, is_gated};

/// Returns the models that ask to be published to MaaS, and where they say so.
pub(super) fn published(models: &[At<RawModel>]) -> Vec<(ModelName, Place)> {
    let published = |At { value: model, .. }: &At<RawModel>| {
        let maas = model.maas.filter(|maas| maas.value)?;
        Some((model.name.value.clone(), maas.place))
    };
    models.iter().filter_map(published).collect()
}

/// Lowers models, and reports what is wrong between them.
pub(super) fn lower(raw: Vec<At<RawModel>>, context: Context, problems: &mut Problems) -> Vec<Model> {
    let canaries: Vec<(usize, At<ModelName>)> = raw
        .iter()
        .enumerate()
        .filter_map(|(index, model)| {
            let of = &model.value.canary.as_ref()?.of;
            let (value, place) = (of.value.clone(), of.place);
            Some((index, At { value, place }))
        })
        .collect();
    let models: Vec<Model> = raw
        .into_iter()
        .map(|model| lower_model(model, context, problems))
        .collect();
    for (position, (index, of)) in canaries.iter().enumerate() {
        let earlier = canaries[..position].iter().find(|(_, other)| other.value == of.value);
        if let Some((first, other)) = earlier {
            let fault = format!("`{}` is a canary of it already", models[*first].name);
            problems.push_beside(
                of.place,
                canary_fault(&models[*index], fault),
                other.place,
                "first here",
            );
        }
        report_canary(&models, *index, of, problems);
    }
    models
}

fn canary_fault(model: &Model, fault: String) -> Problem {
    Problem::Canary {
        model: model.name.to_string(),
        fault,
        hint: "`of` names a model of the same namespace on the llm-d gateway that is no canary itself",
    }
}

/// A canary shares a route with the model that it takes over from (`reference/serving.md` §1.4, constraints).
fn report_canary(models: &[Model], index: usize, of: &At<ModelName>, problems: &mut Problems) {
    let model = &models[index];
    let Some(stable) = models.iter().find(|other| other.name == of.value) else {
        let names: Vec<&str> = models
            .iter()
            .map(|other| other.name.as_str())
            .filter(|name| *name != model.name.as_str())
            .collect();
        let fault = if names.is_empty() {
            format!("there is no model `{}`", of.value)
        } else {
            let hint = suggest::hint(of.value.as_str(), "models", &names);
            format!("there is no model `{}`: {hint}", of.value)
        };
        let problem = Problem::Canary {
            model: model.name.to_string(),
            fault,
            hint: "`of` names another model of the stack; when that one is taken away, leave out `canary` as well",
        };
        problems.push(of.place, problem);
        return;
    };
    let fault = if stable.name == model.name {
        "a model takes over from another one"
    } else if stable.canary.is_some() {
        "it is a canary itself: one at a time"
    } else if stable.namespace != model.namespace {
        "it is in another namespace, and a route leads to pools of its own only"
    } else if stable.access != model.access {
        "both are reached in the same way, so `auth` has to be the same"
    } else if stable.access == Access::Maas {
        "it is published to MaaS, whose limits a route of two models would go around"
    } else {
        return;
    };
    problems.push(of.place, canary_fault(model, fault.to_owned()));
}

/// What a model depends on outside of its own table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) monitoring: Monitoring,
    pub(super) maas_is_off: bool,
    pub(super) maas_is_written: bool,
    pub(super) has_gpu_tables: bool,
}

fn lower_model(At { value: raw, place }: At<RawModel>, context: Context, problems: &mut Problems) -> Model {
    let Context {
        monitoring,
        maas_is_off,
        maas_is_written,
        has_gpu_tables,
    } = context;
    report_doubts(&raw, place, problems);
    let name = raw.name.value;
    let gpus = raw.gpus.map_or(1, |gpus| gpus.value);
    if gpus > 0 && !has_gpu_tables {
        let at = raw.gpus.map_or(raw.name.place, |gpus| gpus.place);
        problems.push(
            at,
            Problem::NoPool {
                model: name.to_string(),
            },
        );
    }
    let access = match (raw.maas, raw.auth) {
        (Some(At { value: true, place }), auth) => {
            if maas_is_off {
                problems.push(
                    place,
                    Problem::MaasIsOff {
                        model: name.to_string(),
                        hint: if maas_is_written {
                            "set `enabled = true` in `[maas]`, or `maas = false` here"
                        } else {
                            "add a table `[maas]`, or set `maas = false` here"
                        },
                    },
                );
            }
            if let Some(auth) = auth {
                let because = "a model that is published to MaaS always asks for a key".to_owned();
                problems.push(auth.place, Problem::NoEffect { key: "auth", because });
            }
            Access::Maas
        }
        (_, Some(At { value: true, .. })) => Access::Authenticated,
        (_, Some(At { value: false, .. }) | None) => Access::Open,
    };
    if let Some(At { value: Some(_), place }) = raw.monitoring
        && !monitoring.enabled
    {
        let hint = "set `enabled = true` in `[monitoring]`, or leave the key out: it follows that one";
        problems.push(
            place,
            Problem::Requires {
                this: "monitoring",
                other: "[monitoring] enabled = true",
                hint,
            },
        );
    }
    let monitoring = match raw.monitoring {
        Some(At { value, .. }) => value,
        None => monitoring.enabled.then(default_monitoring),
    };
    Model {
        model_name: raw.model_name.unwrap_or_else(|| name.to_string()),
        name,
        namespace: raw.namespace,
        source: raw.source,
        weights: raw.weights,
        volume: raw.volume,
        replicas: raw.replicas,
        gpus,
        cpu: raw.cpu,
        memory: raw.memory,
        requests: raw.requests,
        hardware_profile: raw.hardware_profile.unwrap_or_else(gpu_profile),
        runtime_version: raw.runtime_version,
        image: raw.image,
        vllm: raw.vllm,
        env: raw.env,
        access,
        monitoring,
        deployment: raw.deployment,
        cpu_inference: raw.cpu_inference,
        probes: raw.probes,
        canary: raw.canary.map(RawCanary::done),
        display: raw.display,
        ready_timeout: raw.ready_timeout,
    }
}

/// The profile that the instance makes for GPU models (`reference/platform.md` §2.11); CPU models name their own.
fn gpu_profile() -> ObjectName {
    "gpu-profile".parse().expect("a constant that is an object name")
}

/// What is rarely right about a model.
fn report_doubts(raw: &RawModel, place: Place, problems: &mut Problems) {
    if let ModelSource::HuggingFace {
        repository,
        token: None,
    } = &raw.source
        && is_gated(repository)
    {
        let what = format!("fetching `{repository}` without a token");
        let why = "most repositories there are gated: write `hf_token = { env = \"HF_TOKEN\" }`";
        problems.push(place, Problem::Doubtful { what, why });
    }
    let is_shared = raw
        .volume
        .as_ref()
        .is_some_and(|volume| volume.access_mode == AccessMode::ReadWriteOnce);
    if is_shared && raw.replicas > 1 {
        let what = format!(
            "a volume that one node can mount for the {} copies of a model",
            raw.replicas
        );
        let why =
            "copies on other nodes would wait for ever; write `access_mode = \"ReadWriteMany\"` where the class can";
        problems.push(place, Problem::Doubtful { what, why });
    }
}
