//! Models as MaaS knows them.
//!
//! Facts: `reference/serving.md` §1.12 (MaaSModelRef).

use super::symptoms;
use crate::{
    components::{
        Context,
        draft::{Draft, TAKES_NOTICE, keyed, seconds},
        model,
    },
    stack::{Display, Model, Timeout},
};
use serde_json::{Map, Value, json};
use stackctl_engine::{Address, readiness::Rule};

/// A model as MaaS knows it; its name is the model's (`reference/serving.md` §7 row 2).
pub(super) fn reference(model: &str) -> Address {
    keyed(&[("maas", ""), ("model", model), ("ref", "")])
}

pub(super) fn resources(context: &Context<'_>, time: Option<Timeout>) -> Vec<Draft> {
    let refer = |model: &Model| {
        let name = model.name.as_str();
        model_reference(
            name,
            model.namespace.as_str(),
            "LLMInferenceService",
            &model.display,
            time,
        )
        // It could be written with the model, but a model that fails is told once, and what only mirrors it is blocked.
        .after(model::service(name), "it becomes ready by the model alone")
    };
    context.stack.maas_models().map(refer).collect()
}

/// A model as MaaS knows it: one reference for each, or two policies would be on one route
/// (`reference/serving.md` §5.3 S8).
pub(super) fn model_reference(
    name: &str,
    namespace: &str,
    kind: &str,
    display: &Display,
    time: Option<Timeout>,
) -> Draft {
    let mut metadata = json!({"name": name, "namespace": namespace});
    let display = [
        ("openshift.io/description", &display.description),
        ("opendatahub.io/genai-use-case", &display.use_case),
        ("opendatahub.io/context-window", &display.context_window),
    ];
    let annotations: Map<_, _> = display
        .into_iter()
        .filter_map(|(annotation, text)| Some((annotation.to_owned(), json!(text.as_ref()?))))
        .collect();
    if !annotations.is_empty() {
        metadata["annotations"] = Value::Object(annotations);
    }
    Draft::object(
        reference(name),
        json!({
            "apiVersion": "maas.opendatahub.io/v1alpha1",
            "kind": "MaaSModelRef",
            "metadata": metadata,
            "spec": {"modelRef": {"kind": kind, "name": name}},
        }),
    )
    .ready(Rule::equals("status.phase", "Ready"))
    // A phase says of no generation: `Ready` may be about the model that it led to before.
    .settled(TAKES_NOTICE)
    .diagnosed_by(symptoms::reference(namespace, name, kind))
    // §0.4, counted from a model that is ready.
    .within(time.map_or(seconds(300), |timeout| timeout.as_duration()))
}
