//! Which pods are behind a Service or an InferencePool, and what program each of them plays.
//!
//! Invariant: a pod that is not Ready, or on its way out, is behind nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::operators::kinds::{EXTERNAL_MODEL, INFERENCE_POOL, LLM_INFERENCE_SERVICE, POD, SERVICE};
use crate::operators::object::Read;
use crate::operators::world::World;

/// A program of the cluster that answers calls.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// A model server of an LLMInferenceService.
    Model {
        /// The LLMInferenceService.
        service: Arc<Value>,
        /// The pod that answers.
        pod: Arc<Value>,
    },
    /// maas-api, of either generation.
    MaasApi {
        /// The pod that answers.
        pod: Arc<Value>,
    },
    /// A provider elsewhere.
    Elsewhere {
        /// The ExternalModel.
        model: Arc<Value>,
    },
    /// Something that the simulated cluster does not play.
    Unplayed,
}

/// Why nothing is behind a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoEndpoint {
    /// There is no such object.
    Missing,
    /// It is there, and no pod of it is Ready.
    NotReady,
}

/// Returns the pods of a namespace that match a selector, Ready or not.
fn selected<'a>(
    world: &'a World,
    namespace: &str,
    selector: &'a Value,
) -> impl Iterator<Item = &'a Arc<Value>> + use<'a> {
    let wanted = selector.as_object();
    let labels: BTreeMap<&str, &str> = wanted
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .collect();
    let pods = world.list_in(POD, namespace);
    pods.filter(move |pod| !labels.is_empty() && labels.iter().all(|(key, value)| pod.label(key) == Some(value)))
}

fn serves(pod: &Value) -> bool {
    pod.is("Ready") && !pod.is_deleting()
}

/// Returns the Ready pods of a Service.
pub(super) fn ready<'a>(world: &'a World, service: &'a Value) -> Vec<&'a Arc<Value>> {
    selected(world, service.namespace(), &service["spec"]["selector"])
        .filter(|pod| serves(pod))
        .collect()
}

/// Returns the Ready pods in a namespace that have a label.
pub(super) fn labelled<'a>(world: &'a World, namespace: &str, key: &'a str, value: &'a str) -> Option<&'a Arc<Value>> {
    let mut pods = world.list_in(POD, namespace);
    pods.find(|pod| serves(pod) && pod.label(key) == Some(value))
}

/// Returns the pods of maas-api in a namespace, Ready or not.
pub(super) fn maas_api(world: &World, namespace: &str) -> Vec<Arc<Value>> {
    world
        .list_in(POD, namespace)
        .filter(|pod| is_maas_api(pod))
        .cloned()
        .collect()
}

/// Finds the program behind the backend of a route. `turn` chooses among the pods, one after the other.
pub(super) fn behind(world: &World, namespace: &str, backend: &Value, turn: usize) -> Result<Program, NoEndpoint> {
    let (name, namespace) = match backend.text("/namespace") {
        "" => (backend.text("/name"), namespace),
        own => (backend.text("/name"), own),
    };
    if backend.text("/kind") == INFERENCE_POOL.kind {
        let pool = world.get(INFERENCE_POOL, namespace, name).ok_or(NoEndpoint::Missing)?;
        let pods: Vec<_> = selected(world, namespace, &pool["spec"]["selector"]["matchLabels"])
            .filter(|pod| serves(pod))
            .collect();
        return if picker_answers(world, pool) {
            program(world, &pods, turn)
        } else {
            Err(NoEndpoint::NotReady)
        };
    }
    let service = world.get(SERVICE, namespace, name).ok_or(NoEndpoint::Missing)?;
    if service.text("/spec/type") == "ExternalName" {
        let model = world.get(EXTERNAL_MODEL, namespace, name);
        return Ok(model.map_or(Program::Unplayed, |model| Program::Elsewhere {
            model: Arc::clone(model),
        }));
    }
    program(world, &ready(world, service), turn)
}

/// A pool whose scheduler does not run hands out no endpoint; one that has no scheduler needs none.
fn picker_answers(world: &World, pool: &Value) -> bool {
    let service = world.get(SERVICE, pool.namespace(), pool.text("/spec/endpointPickerRef/name"));
    let Some(service) = service else { return true };
    let mut pods = selected(world, service.namespace(), &service["spec"]["selector"]).peekable();
    pods.peek().is_none() || pods.any(|pod| serves(pod))
}

fn program(world: &World, pods: &[&Arc<Value>], turn: usize) -> Result<Program, NoEndpoint> {
    if pods.is_empty() {
        return Err(NoEndpoint::NotReady);
    }
    Ok(played(world, pods[turn % pods.len()]))
}

/// Returns the program that a pod plays.
pub(super) fn played(world: &World, pod: &Arc<Value>) -> Program {
    let pod = Arc::clone(pod);
    if is_model(&pod) {
        let name = pod.label("app.kubernetes.io/name").unwrap_or_default();
        let service = world.get(LLM_INFERENCE_SERVICE, pod.namespace(), name).cloned();
        return service.map_or(Program::Unplayed, |service| Program::Model { service, pod });
    }
    if is_maas_api(&pod) {
        return Program::MaasApi { pod };
    }
    Program::Unplayed
}

/// Returns whether a pod serves a model.
pub(super) fn is_model(pod: &Value) -> bool {
    pod.label("kserve.io/component") == Some("workload")
}

/// Returns whether a pod is Kuadrant's Limitador.
pub(super) fn is_limitador(pod: &Value) -> bool {
    pod.label("app") == Some("limitador") && pod.label("limitador-resource").is_some()
}

/// Returns whether a pod runs maas-api, as its own deployment or the stand-in of the older generation labels it.
pub(super) fn is_maas_api(pod: &Value) -> bool {
    pod.label("app.kubernetes.io/name") == Some("maas-api") || pod.label("app") == Some("maas-api")
}
