//! A model that is served here.
//!
//! Facts: `reference/serving.md` §1.3, §5.1 M2, M7, M13, M14, M19, M24 and M25.

use super::{Seen, World, gateway};
use crate::{
    manifests::{ManifestsError, ManifestsNotice, read::Document},
    stack::is_gated,
};
use serde_json::Value;

/// A model that is served here.
pub(super) const SERVICE: (&str, &str) = ("serving.kserve.io", "LLMInferenceService");

/// The arguments that an image of the platform adds to those of vLLM.
const ADDED: &str = "VLLM_ADDITIONAL_ARGS";
const ENABLE_AUTH: &str = "security.opendatahub.io/enable-auth";

pub(super) fn check(world: &World<'_>, service: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    let spec = &service.value["spec"];
    if spec["model"]["name"].as_str().is_none_or(str::is_empty) {
        errors.push(ManifestsError::ModelWithoutName {
            at: at.at_field("spec.model.name"),
        });
    }
    for (field, template) in templates(spec) {
        errors.extend(joined(template).map(|(within, names)| ManifestsError::JoinedNames {
            at: at.at_field(&format!("{field}.{within}")),
            names,
        }));
        errors.extend(twice(template).map(|(within, name)| ManifestsError::VariableTwice {
            at: at.at_field(&format!("{field}.{within}")),
            name: name.to_owned(),
        }));
    }
    if gateway::has_maas(spec) {
        if service.value["metadata"]["annotations"][ENABLE_AUTH] != "true" {
            errors.push(ManifestsError::Unasked {
                at: at.at_annotation(ENABLE_AUTH),
            });
        }
        gateway::admitted(world, service, at, errors);
    }
}

/// What is rarely right about a model, or is looked at by nothing here.
pub(super) fn doubts(service: Seen<'_>, at: &Document<'_>, notices: &mut Vec<ManifestsNotice>) {
    let spec = &service.value["spec"];
    let source = spec["model"]["uri"].as_str().and_then(|uri| uri.strip_prefix("hf://"));
    if let Some(repository) = source
        && is_gated(repository)
        && !templates(spec).into_iter().any(|(_, template)| has_token(template))
    {
        notices.push(ManifestsNotice::NoToken {
            at: at.at_field("spec.model.uri"),
            repository: repository.to_owned(),
        });
    }
    let workers = [
        ("spec.worker", &spec["worker"]),
        ("spec.prefill.worker", &spec["prefill"]["worker"]),
    ];
    if let Some((field, _)) = workers.into_iter().find(|(_, worker)| worker.is_object()) {
        notices.push(ManifestsNotice::SeveralNodes {
            at: at.at_field(field),
            model: service.object.to_string(),
        });
    }
}

/// Whether a container of a template is given a token, or variables of which nothing is known here.
fn has_token(template: &Value) -> bool {
    let all = ["containers", "initContainers"]
        .into_iter()
        .flat_map(|key| template[key].as_array().into_iter().flatten());
    let is_token = |variable: &Value| variable["name"] == "HF_TOKEN";
    all.into_iter().any(|container| {
        let mut variables = container["env"].as_array().into_iter().flatten();
        container["envFrom"].is_array() || variables.any(is_token)
    })
}

/// The pods of a model: those that answer, those that read prompts, and the further ones of each.
fn templates(spec: &Value) -> [(&'static str, &Value); 4] {
    let prefill = &spec["prefill"];
    [
        ("spec.template", &spec["template"]),
        ("spec.worker", &spec["worker"]),
        ("spec.prefill.template", &prefill["template"]),
        ("spec.prefill.worker", &prefill["worker"]),
    ]
}

/// Names that a comma makes one of, and where they stand: vLLM takes them divided by blanks.
fn joined(template: &Value) -> Option<(String, String)> {
    let containers = template["containers"].as_array().into_iter().flatten().enumerate();
    let of = |(index, container)| {
        let mut lines = lines(container).into_iter();
        lines.find_map(|(field, line)| Some((format!("containers[{index}].{field}"), joined_in(&line)?)))
    };
    containers.filter_map(of).next()
}

/// A variable that a container has twice, and where it stands again (`reference/serving.md` §5.1 M7).
fn twice(template: &Value) -> Option<(String, &str)> {
    let containers = template["containers"].as_array().into_iter().flatten().enumerate();
    let of = |(index, container): (usize, &'_ Value)| {
        let mut names = Vec::new();
        let mut variables = container["env"].as_array().into_iter().flatten().enumerate();
        let again = variables.find(|(_, variable)| {
            let name = variable["name"].as_str().unwrap_or_default();
            let is_there = names.contains(&name.to_owned());
            names.push(name.to_owned());
            is_there
        });
        again.map(|(at, _)| (index, at))
    };
    let (index, at) = containers.filter_map(of).next()?;
    let name = template["containers"][index]["env"][at]["name"].as_str()?;
    Some((format!("containers[{index}].env[{at}].name"), name))
}

/// The command lines of a container: its own, and the arguments that its image adds; each with its field.
pub(super) fn lines(container: &Value) -> Vec<(String, String)> {
    let words = ["command", "args"]
        .into_iter()
        .flat_map(|key| container[key].as_array().into_iter().flatten());
    let own: Vec<_> = words.filter_map(Value::as_str).collect();
    let variables = container["env"].as_array().into_iter().flatten().enumerate();
    let added = variables.filter(|(_, variable)| variable["name"] == ADDED);
    let added = added.filter_map(|(index, variable)| Some((format!("env[{index}]"), variable["value"].as_str()?)));
    let added = added.map(|(field, line)| (field, line.to_owned()));
    [("args".to_owned(), own.join(" "))].into_iter().chain(added).collect()
}

fn joined_in(line: &str) -> Option<String> {
    let mut is_name = false;
    for word in line.split_whitespace() {
        let (option, value) = word.split_once('=').unwrap_or((word, ""));
        if option.starts_with("--") {
            is_name = option.replace('_', "-") == "--served-model-name";
        }
        let name = if option.starts_with("--") { value } else { word };
        if is_name && name.contains(',') {
            return Some(name.to_owned());
        }
    }
    None
}
