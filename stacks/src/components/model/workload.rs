//! The pods of a model: those that answer, and, where prompts are read elsewhere, those that read them.
//!
//! Facts: `reference/serving.md` §1.3.1 (fields and the order of variables), §1.3.2.

use super::connection;
use crate::{
    components::Context,
    stack::{Deployment, FirstArgument, KvTransfer, Model, ModelSource, PrefillDecode, Probe, Quantity, Requests},
};
use serde_json::{Value, json};

/// The images of the manual (`reference/serving.md` §1.3.3).
const GPU_IMAGE: &str =
    "registry.redhat.io/rhaii/vllm-cuda-rhel9@sha256:ad06abf3bb5235ebb5b2df84cd1b9fd09e823f0ff2eebfc82bb4590275ccfe0b";
const CPU_IMAGE: &str =
    "registry.redhat.io/rhaii/vllm-cpu-rhel9@sha256:dd104214095322ca92fb71149ae2bea8cfff54d6d261079740f673a840ed0795";

/// Where vLLM answers; behind the sidecar that moves its cache it is one further.
const PORT: u16 = 8000;
const PORT_BEHIND_SIDECAR: u16 = 8001;
/// The volume that the controller would make of the pod's own space.
const WEIGHTS: &str = "kserve-provision-location";

/// What one copy has.
struct Amounts<'a> {
    gpus: u16,
    cpu: &'a Quantity,
    memory: &'a Quantity,
    requests: &'a Requests,
}

/// `spec.template`: the copies that answer.
pub(super) fn template(context: &Context<'_>, model: &Model) -> Value {
    let amounts = Amounts {
        gpus: model.gpus,
        cpu: &model.cpu,
        memory: &model.memory,
        requests: &model.requests,
    };
    let startup_port = match model.deployment {
        Deployment::IntelligentInference(_) => PORT,
        Deployment::PrefillDecode(_) => PORT_BEHIND_SIDECAR,
    };
    pod(context, model, &amounts, startup_port)
}

/// `spec.prefill.template`: the copies that read prompts.
pub(super) fn prefill(context: &Context<'_>, model: &Model, parts: &PrefillDecode) -> Value {
    let amounts = Amounts {
        gpus: parts.prefill.gpus,
        cpu: &parts.prefill.cpu,
        memory: &parts.prefill.memory,
        requests: &parts.prefill.requests,
    };
    let mut pod = pod(context, model, &amounts, PORT);
    if let (ModelSource::S3 { .. }, Some((_, connection))) = (&model.source, connection::connection(model)) {
        // The webhook gives it to the other copies only.
        pod["serviceAccountName"] = json!(format!("{connection}-sa"));
    }
    pod
}

fn pod(context: &Context<'_>, model: &Model, amounts: &Amounts<'_>, startup_port: u16) -> Value {
    let mut limits = json!({"cpu": amounts.cpu.as_str(), "memory": amounts.memory.as_str()});
    let mut requests = json!({"cpu": amounts.requests.cpu.as_str(), "memory": amounts.requests.memory.as_str()});
    let mut template = json!({});
    if amounts.gpus > 0 {
        let gpus = amounts.gpus.to_string();
        limits["nvidia.com/gpu"] = json!(gpus);
        requests["nvidia.com/gpu"] = json!(gpus);
        template["tolerations"] = json!([{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]);
    }
    let mut container = json!({"name": "main", "resources": {"limits": limits, "requests": requests}});
    if let Some(image) = image(model) {
        container["image"] = json!(image);
    }
    probes(model, startup_port, &mut container);
    let environment = environment(context, model);
    if !environment.is_empty() {
        container["env"] = Value::from(environment);
    }
    if model.volume.is_some() {
        template["volumes"] = json!([{
            "name": WEIGHTS, "persistentVolumeClaim": {"claimName": model.name.as_str()},
        }]);
    }
    template["containers"] = json!([container]);
    template
}

/// Copies that work together get the image of the platform's own preset, which can move its cache.
fn image(model: &Model) -> Option<&str> {
    if let Some(image) = &model.image {
        return Some(image);
    }
    match (&model.deployment, model.gpus) {
        (Deployment::PrefillDecode(_), _) => None,
        (Deployment::IntelligentInference(_), 0) => Some(CPU_IMAGE),
        (Deployment::IntelligentInference(_), _) => Some(GPU_IMAGE),
    }
}

/// With a probe for the start, the other one needs no patience of its own; what it does not say is the platform's.
fn probes(model: &Model, startup_port: u16, container: &mut Value) {
    let asks = |port: u16| json!({"path": "/health", "port": port, "scheme": "HTTPS"});
    let numbers = |probe: Probe, port: u16| {
        json!({
            "httpGet": asks(port),
            "initialDelaySeconds": probe.initial_delay_seconds,
            "periodSeconds": probe.period_seconds,
            "timeoutSeconds": probe.timeout_seconds,
            "failureThreshold": probe.failures,
        })
    };
    // The manual's (`reference/serving.md` §6.2, row `probes`).
    let usual = Probe {
        initial_delay_seconds: 120,
        period_seconds: 30,
        timeout_seconds: 30,
        failures: 5,
    };
    container["livenessProbe"] = match (model.probes.liveness, model.probes.startup) {
        (Some(liveness), _) => numbers(liveness, PORT),
        (None, Some(_)) => json!({"initialDelaySeconds": 10}),
        (None, None) => numbers(usual, PORT),
    };
    if let Some(startup) = model.probes.startup {
        container["startupProbe"] = numbers(startup, startup_port);
    }
}

fn variable(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

/// In the order of `reference/serving.md` §1.3.1: CPU settings, the user's own, vLLM's arguments.
fn environment(context: &Context<'_>, model: &Model) -> Vec<Value> {
    let mut environment = Vec::new();
    if model.gpus == 0 {
        let inference = model.cpu_inference;
        if inference.skip_warmup {
            environment.push(variable("VLLM_SKIP_WARMUP", "true"));
        }
        environment.push(variable("VLLM_CPU_KVCACHE_SPACE", &inference.kv_cache_gib.to_string()));
    }
    if let Deployment::PrefillDecode(parts) = &model.deployment {
        environment.extend(kv_environment(parts.kv_transfer));
    }
    environment.extend(model.env.iter().map(|own| variable(own.name.as_str(), &own.value)));
    if let Some((_, secret, key)) = connection::token(model) {
        environment.push(json!({
            "name": "HF_TOKEN",
            "valueFrom": {"secretKeyRef": {"name": secret, "key": key}},
        }));
    }
    let arguments = arguments(context, model);
    if !arguments.is_empty() {
        environment.push(variable("VLLM_ADDITIONAL_ARGS", &arguments));
    }
    environment
}

/// How a cache gets from one copy to another (`reference/serving.md` §1.3.2).
fn kv_environment(transfer: KvTransfer) -> Vec<Value> {
    let mut environment = vec![
        json!({
            "name": "VLLM_NIXL_SIDE_CHANNEL_HOST",
            "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}},
        }),
        variable(
            "VLLM_NIXL_ABORT_REQUEST_TIMEOUT",
            &transfer.abort_timeout_ms.to_string(),
        ),
    ];
    if let Some(level) = transfer.log_level {
        environment.push(variable("VLLM_LOGGING_LEVEL", level.as_str()));
    }
    environment
}

/// One text, in which a shell's quotes hold an argument with blanks together.
fn arguments(context: &Context<'_>, model: &Model) -> String {
    let mut arguments: Vec<String> = Vec::new();
    if let Deployment::PrefillDecode(parts) = &model.deployment {
        let transfer = parts.kv_transfer;
        let quiet = "--disable-uvicorn-access-log".to_owned();
        let connector = r#"--kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both"}'"#.to_owned();
        arguments.extend(match transfer.first {
            FirstArgument::Uvicorn => [quiet, connector],
            FirstArgument::KvTransfer => [connector, quiet],
        });
        arguments.push(format!("--block-size {}", transfer.block_size));
    }
    if model.keeps_prefixes() {
        arguments.push("--enable-prefix-caching".to_owned());
    }
    let written = |argument: &&String| !arguments.contains(argument);
    let own: Vec<String> = model.vllm.args.iter().filter(written).cloned().collect();
    arguments.extend(own);
    if let Some(stable) = model.canary.as_ref().and_then(|canary| context.stack.model(&canary.of)) {
        // Divided by a blank: a comma would make one name of two (`reference/serving.md` §5.1 M19).
        arguments.push(format!(
            "--served-model-name {} {}",
            model.model_name, stable.model_name
        ));
    }
    arguments.join(" ")
}
