//! A model that is served here.
//!
//! Facts: `reference/serving.md` §1.3, §5.1 M2, M14, M19 and M25.

use super::{Seen, World, gateway};
use crate::manifests::{FileLine, ManifestsError};
use serde_json::Value;

/// A model that is served here.
pub(super) const SERVICE: (&str, &str) = ("serving.kserve.io", "LLMInferenceService");

const ENABLE_AUTH: &str = "security.opendatahub.io/enable-auth";

pub(super) fn check(world: &World<'_>, service: Seen<'_>, at: &FileLine, errors: &mut Vec<ManifestsError>) {
    let spec = &service.value["spec"];
    if spec["model"]["name"].as_str().is_none_or(str::is_empty) {
        errors.push(ManifestsError::ModelWithoutName { at: at.clone() });
    }
    for template in templates(spec) {
        errors.extend(joined(template).map(|names| ManifestsError::JoinedNames { at: at.clone(), names }));
    }
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let mut gateways = spec["router"]["gateway"]["refs"].as_array().into_iter().flatten();
    if gateways.any(|one| gateway::is_maas(&text(&one["namespace"]), &text(&one["name"]))) {
        if service.value["metadata"]["annotations"][ENABLE_AUTH] != "true" {
            errors.push(ManifestsError::Unasked { at: at.clone() });
        }
        gateway::admitted(world, service, at, errors);
    }
}

/// The pods of a model: those that answer, those that read prompts, and the further ones of each.
fn templates(spec: &Value) -> [&Value; 4] {
    let prefill = &spec["prefill"];
    [
        &spec["template"],
        &spec["worker"],
        &prefill["template"],
        &prefill["worker"],
    ]
}

/// Names that a comma makes one of: vLLM takes them divided by blanks.
fn joined(template: &Value) -> Option<String> {
    let containers = template["containers"].as_array().into_iter().flatten();
    containers.flat_map(lines).find_map(|line| joined_in(&line))
}

/// The command lines of a container: its own, and the arguments that its image adds.
fn lines(container: &Value) -> Vec<String> {
    let words = ["command", "args"]
        .into_iter()
        .flat_map(|key| container[key].as_array().into_iter().flatten());
    let own: Vec<_> = words.filter_map(Value::as_str).collect();
    let variables = container["env"].as_array().into_iter().flatten();
    let added = variables.filter(|variable| variable["name"] == "VLLM_ADDITIONAL_ARGS");
    let added = added.filter_map(|variable| variable["value"].as_str().map(str::to_owned));
    [own.join(" ")].into_iter().chain(added).collect()
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
