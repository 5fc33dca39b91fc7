//! Models and other pods of manifests against the GPUs of the stack, beside those of `[[models]]`.
//!
//! Only what is written counts: what a runtime or a base adds to pods is not seen here, nor how many copies an autoscaler
//! makes beyond the least. Models over several nodes are spoken of elsewhere ([`super::model`]).

use super::model;
use crate::{
    capacity::{self, Demand, Fit, Overflow, tier_of_profile},
    manifests::{ManifestsError, ManifestsNotice, read::Document},
    stack::{GpuPool, Model},
};
use serde_json::Value;

/// The older kind of a model (`reference/serving.md` §1.3; fields by its definition, `serving.kserve.io/v1beta1`).
const INFERENCE: (&str, &str) = ("serving.kserve.io", "InferenceService");

const GPU: &str = "nvidia.com/gpu";
const PROFILE: &str = "opendatahub.io/hardware-profile-name";

/// What the stack itself says about GPUs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Capacity<'a> {
    /// Its pools.
    pub pools: &'a [GpuPool],
    /// Its models.
    pub models: &'a [Model],
}

/// A demand of a document, and the fields that say it.
struct Asked<'a> {
    document: &'a Document<'a>,
    demand: Demand,
    /// Where the GPUs of a copy are written.
    gpus: String,
    /// Where the weights come from.
    source: &'static str,
}

/// Adds what does not fit to `errors`, and what is not there to `notices`.
pub(super) fn check(
    beside: Capacity<'_>,
    documents: &[(usize, Document<'_>)],
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
) {
    if beside.pools.is_empty() {
        return;
    }
    let asked: Vec<Asked<'_>> = documents.iter().filter_map(|(_, document)| asked(document)).collect();
    if asked.is_empty() {
        return;
    }
    let pools: Vec<&GpuPool> = beside.pools.iter().collect();
    for one in &asked {
        let reachable: Vec<&GpuPool> = pools
            .iter()
            .copied()
            .filter(|pool| one.demand.can_run_on(pool))
            .collect();
        let object = || one.document.manifest.object().to_string();
        for (gpus, most) in capacity::too_many_for_a_node(&one.demand, &reachable) {
            notices.push(ManifestsNotice::TooManyForNode {
                at: one.document.at_field(&one.gpus),
                object: object(),
                gpus,
                most,
            });
        }
        match capacity::fit(&one.demand, &reachable) {
            None => {}
            Some(Fit::TooLarge { sum, hint, .. }) => errors.push(ManifestsError::TooLarge {
                at: one.document.at_field(one.source),
                model: object(),
                sum,
                hint: hint.replace("`gpus = ", &format!("`{GPU}: ")),
            }),
            Some(Fit::LittleRoom { sum, left, .. }) => notices.push(ManifestsNotice::LittleRoom {
                at: one.document.at_field(one.source),
                model: object(),
                sum,
                left,
            }),
        }
    }
    let mut demands: Vec<Demand> = beside.models.iter().map(Demand::of).collect();
    demands.extend(asked.iter().map(|one| one.demand.clone()));
    if let Some(Overflow { first, asked: sought, there, sum }) = capacity::overflow(&demands, &pools)
        // What the stack's own models lack is told at their table.
        && let Some(one) = first.checked_sub(beside.models.len()).and_then(|at| asked.get(at))
    {
        notices.push(ManifestsNotice::NotEnoughGpus {
            at: one.document.at_field(&one.gpus),
            object: one.document.manifest.object().to_string(),
            asked: sought,
            there,
            sum,
        });
    }
}

/// Pods of one sort: how many, and their containers with the field of each.
struct Pods<'a> {
    n: u32,
    containers: Vec<(String, &'a Value)>,
}

impl<'a> Pods<'a> {
    /// Pods whose number is written, or is one.
    fn of(n: &Value, field: &str, containers: &'a Value) -> Self {
        let containers = containers.as_array().into_iter().flatten().enumerate();
        Self {
            n: n.as_u64().map_or(1, |n| u32::try_from(n).unwrap_or(u32::MAX)),
            containers: containers.map(|(at, one)| (format!("{field}[{at}]"), one)).collect(),
        }
    }

    fn gpus(&self) -> u32 {
        let of = self.containers.iter().map(|(_, container)| gpus(container));
        of.fold(0, u32::saturating_add)
    }
}

/// The pods of an object, and where its weights come from; none of kinds that are not looked at.
fn pods<'a>(kind: (&str, &str), spec: &'a Value) -> Option<(Vec<Pods<'a>>, &'static str, Option<&'a str>)> {
    match kind {
        model::SERVICE => {
            let prefill = &spec["prefill"];
            if spec["worker"].is_object() || prefill["worker"].is_object() {
                return None;
            }
            let own = Pods::of(
                &spec["replicas"],
                "spec.template.containers",
                &spec["template"]["containers"],
            );
            let field = "spec.prefill.template.containers";
            let reading = Pods::of(&prefill["replicas"], field, &prefill["template"]["containers"]);
            Some((vec![own, reading], "spec.model.uri", spec["model"]["uri"].as_str()))
        }
        INFERENCE => {
            let predictor = &spec["predictor"];
            if predictor["workerSpec"].is_object() {
                return None;
            }
            let (n, field) = (&predictor["minReplicas"], "spec.predictor.containers");
            let mut all = Pods::of(n, field, &predictor["containers"]);
            let (field, model) = ("spec.predictor.model", &predictor["model"]);
            all.containers.insert(0, (field.to_owned(), model));
            Some((
                vec![all],
                "spec.predictor.model.storageUri",
                model["storageUri"].as_str(),
            ))
        }
        ("apps", "Deployment" | "StatefulSet") => {
            let field = "spec.template.spec.containers";
            let all = Pods::of(&spec["replicas"], field, &spec["template"]["spec"]["containers"]);
            Some((vec![all], "", None))
        }
        _ => None,
    }
}

/// What a document asks of GPUs; nothing where it asks for none.
fn asked<'a>(document: &'a Document<'a>) -> Option<Asked<'a>> {
    let (object, value) = (document.manifest.object(), document.manifest.value());
    let kind = (object.object_type.group(), object.object_type.kind.as_str());
    let (pods, source, uri) = pods(kind, &value["spec"])?;
    let containers = || pods.iter().flat_map(|pods| &pods.containers);
    let (field, _) = containers().find(|(_, container)| gpus(container) > 0)?;
    let profile = value["metadata"]["annotations"][PROFILE].as_str();
    let lines = containers().flat_map(|(_, container)| model::lines(container));
    Some(Asked {
        document,
        demand: Demand {
            name: object.to_string(),
            copies: pods.iter().map(|pods| (pods.n, pods.gpus())).collect(),
            tier: profile.and_then(tier_of_profile),
            weights: None,
            source: uri.map(str::to_owned),
            args: lines.map(|(_, line)| line).collect(),
        },
        gpus: format!("{field}.resources.limits.{GPU}"),
        source,
    })
}

/// The GPUs of a container: of extended resources a request equals its limit
/// (<https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/>).
fn gpus(container: &Value) -> u32 {
    let number = match &container["resources"]["limits"][GPU] {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    number.map_or(0, |n| u32::try_from(n).unwrap_or(u32::MAX))
}
