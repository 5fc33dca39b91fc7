//! Models as MaaS knows them, and the groups that the stack makes.
//!
//! Facts: `reference/serving.md` §1.12 (MaaSModelRef), §1.14.

use crate::{
    components::{
        Context,
        draft::{Draft, keyed, seconds},
        model,
    },
    stack::{Group, Maas, Members, Model},
};
use serde_json::{Map, Value, json};
use stackctl_engine::{Address, readiness::Rule, resource::ConsequenceClass};

/// A model as MaaS knows it; its name is the model's (`reference/serving.md` §7 row 2).
pub(super) fn reference(model: &str) -> Address {
    keyed(&[("maas", ""), ("model", model), ("ref", "")])
}

/// A group that the stack makes, if it makes that one.
pub(super) fn group(maas: &Maas, name: &str) -> Option<Address> {
    let is_ours = maas.groups.iter().any(|group| group.name.as_str() == name);
    is_ours.then(|| keyed(&[("maas", ""), ("group", name)]))
}

pub(super) fn resources(context: &Context<'_>, maas: &Maas) -> Vec<Draft> {
    let references = context.stack.maas_models().map(|model| model_reference(maas, model));
    references.chain(maas.groups.iter().map(group_object)).collect()
}

fn model_reference(maas: &Maas, model: &Model) -> Draft {
    let name = model.name.as_str();
    let mut metadata = json!({"name": name, "namespace": model.namespace.as_str()});
    let display = [
        ("openshift.io/description", &model.display.description),
        ("opendatahub.io/genai-use-case", &model.display.use_case),
        ("opendatahub.io/context-window", &model.display.context_window),
    ];
    let annotations: Map<_, _> = display
        .into_iter()
        .filter_map(|(annotation, text)| Some((annotation.to_owned(), json!(text.as_ref()?))))
        .collect();
    if !annotations.is_empty() {
        metadata["annotations"] = Value::Object(annotations);
    }
    let time = maas.ready_timeout;
    Draft::object(
        reference(name),
        json!({
            "apiVersion": "maas.opendatahub.io/v1alpha1",
            "kind": "MaaSModelRef",
            "metadata": metadata,
            "spec": {"modelRef": {"kind": "LLMInferenceService", "name": name}},
        }),
    )
    .ready(Rule::equals("status.phase", "Ready"))
    // It mirrors the model, so it may take as long as the model and 300 s of its own (§0.4).
    .within(time.map_or(seconds(900), |timeout| timeout.as_duration()))
    .after_write(model::service(name), "it mirrors the model")
}

fn group_object(group: &Group) -> Draft {
    let name = group.name.as_str();
    let mut manifest = json!({"apiVersion": "user.openshift.io/v1", "kind": "Group", "metadata": {"name": name}});
    let address = keyed(&[("maas", ""), ("group", name)]);
    match &group.members {
        Members::Unmanaged => Draft::object(address, manifest).note("who is in it is not ours"),
        Members::Exactly(users) => {
            let users: Vec<_> = users.iter().map(|user| user.as_str()).collect();
            manifest["users"] = json!(users);
            Draft::object(address, manifest)
                .note(format!("exactly {}", users.join(", ")))
                .tells(
                    ConsequenceClass::Notice,
                    format!("decides alone who is in group {name}: {}", users.join(", ")),
                )
        }
    }
}
