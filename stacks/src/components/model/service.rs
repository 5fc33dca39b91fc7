//! The LLMInferenceService: what runs, how it is reached, and what it waits for.
//!
//! Facts: `reference/serving.md` §1.3.1 (fields), §2.1 and §2.2 (edges).

use super::{connection, scheduler};
use crate::{
    components::{
        Context,
        draft::{Draft, seconds},
        gpu, kuadrant, leader_worker_set, llm_d, maas, monitoring,
        names::{APPLICATIONS, INGRESS, MAAS_GATEWAY},
        project, rhoai,
    },
    stack::{Access, Model, Scheduler},
};
use serde_json::{Value, json};
use stackctl_engine::readiness::Rule;

/// The images of the manual (`reference/serving.md` §1.3.3).
const GPU_IMAGE: &str =
    "registry.redhat.io/rhaii/vllm-cuda-rhel9@sha256:ad06abf3bb5235ebb5b2df84cd1b9fd09e823f0ff2eebfc82bb4590275ccfe0b";
const CPU_IMAGE: &str =
    "registry.redhat.io/rhaii/vllm-cpu-rhel9@sha256:dd104214095322ca92fb71149ae2bea8cfff54d6d261079740f673a840ed0795";
/// The gateway that KServe uses when a service names none (`reference/serving.md` §1.3.1).
const DEFAULT_GATEWAY: &str = "openshift-ai-inference";

pub(super) fn resource(context: &Context<'_>, model: &Model) -> Draft {
    let manifest = json!({
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": metadata(model),
        "spec": {
            "replicas": model.replicas,
            "model": {"uri": model.source.to_string(), "name": model.model_name},
            "router": router(context, model),
            "template": template(model),
        },
    });
    let time = model.ready_timeout;
    let mut node = Draft::object(super::service(model.name.as_str()), manifest)
        .ready(Rule::condition("Ready"))
        .within(time.map_or(seconds(600), |timeout| timeout.as_duration()))
        .note(format!("{} × {}", model.replicas, model.model_name))
        .after(project::namespace(model.namespace.as_str()), "runs in that project")
        .after(rhoai::controllers(), "they serve it, and their webhooks judge it")
        .after(
            leader_worker_set::workload_kinds(),
            "its controller watches LeaderWorkerSet",
        );
    for secret in [connection::connection(model), connection::token(model)]
        .into_iter()
        .flatten()
    {
        node = node.after(secret.0, "a webhook and the pod look the Secret up");
    }
    if let Some(profile) = rhoai::hardware_profile(context, model.hardware_profile.as_str()) {
        node = node.after(profile, "a webhook refuses an unknown hardware profile");
    }
    // `reference/platform.md` §3: uwm.pods frees the models, so that nothing is served unseen.
    if let Some(gate) = monitoring::ready(context).filter(|_| model.monitoring) {
        node = node.after(gate, "user-workload monitoring has to see it from the start");
    }
    if model.gpus > 0 {
        for capacity in gpu::capacities(context) {
            node = node.after(capacity, "its pods need free GPUs");
        }
    }
    if model.access.needs_authentication() {
        node = node.after(
            kuadrant::ready(),
            "callers are authenticated by a policy, which Kuadrant enforces",
        );
    }
    match model.access {
        Access::Maas => node
            .after(maas::gateway(), "its route attaches to the gateway of MaaS")
            .after(maas::authorino_done(), "callers are let in by Authorino, over TLS"),
        Access::Open | Access::Authenticated => node.after(llm_d::gateway(), "its route attaches to the gateway"),
    }
}

fn metadata(model: &Model) -> Value {
    let mut annotations = json!({
        "opendatahub.io/model-type": "generative",
        "opendatahub.io/runtime-version": model.runtime_version,
        "openshift.io/display-name": model.model_name,
        "security.opendatahub.io/enable-auth": model.access.needs_authentication().to_string(),
        "opendatahub.io/hardware-profile-namespace": APPLICATIONS,
        "opendatahub.io/hardware-profile-name": model.hardware_profile.as_str(),
    });
    if let Some((_, name)) = connection::connection(model) {
        annotations["opendatahub.io/connections"] = json!(name);
    }
    json!({
        "name": model.name.as_str(),
        "namespace": model.namespace.as_str(),
        "annotations": annotations,
        "labels": {
            "networking.kserve.io/visibility": "exposed",
            "opendatahub.io/dashboard": "true",
            "opendatahub.io/genai-asset": "true",
            "monitoring.opendatahub.io/scrape": "true",
            "llm-d.ai/well-lit-path": "intelligent-inference",
        },
    })
}

/// An empty map switches a part on with its defaults. The default gateway is named by naming none: a null, as the manual's
/// chart renders it, is refused by server-side apply.
fn router(context: &Context<'_>, model: &Model) -> Value {
    let scheduler = match model.scheduler {
        Scheduler::Intelligent => scheduler::intelligent(),
        Scheduler::Simple => json!({}),
    };
    let mut router = json!({"route": {}, "scheduler": scheduler});
    let own = context.stack.gateway.name.as_str();
    let gateway = match model.access {
        Access::Maas => Some(MAAS_GATEWAY),
        Access::Open | Access::Authenticated => (own != DEFAULT_GATEWAY).then_some(own),
    };
    if let Some(name) = gateway {
        router["gateway"] = json!({"refs": [{"name": name, "namespace": INGRESS}]});
    }
    router
}

fn template(model: &Model) -> Value {
    let mut limits = json!({"cpu": model.cpu.as_str(), "memory": model.memory.as_str()});
    let mut requests = json!({"cpu": model.requests.cpu.as_str(), "memory": model.requests.memory.as_str()});
    let by_kind = if model.gpus > 0 { GPU_IMAGE } else { CPU_IMAGE };
    let mut template = json!({});
    if model.gpus > 0 {
        let gpus = model.gpus.to_string();
        limits["nvidia.com/gpu"] = json!(gpus);
        requests["nvidia.com/gpu"] = json!(gpus);
        template["tolerations"] = json!([{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]);
    }
    let mut container = json!({
        "name": "main",
        "image": model.image.as_deref().unwrap_or(by_kind),
        "resources": {"limits": limits, "requests": requests},
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": 8000, "scheme": "HTTPS"},
            "initialDelaySeconds": 120,
            "periodSeconds": 30,
            "timeoutSeconds": 30,
            "failureThreshold": 5,
        },
    });
    let environment = environment(model);
    if !environment.is_empty() {
        container["env"] = Value::from(environment);
    }
    template["containers"] = json!([container]);
    template
}

/// In the order of `reference/serving.md` §1.3.1: CPU settings, the user's own, vLLM's arguments.
fn environment(model: &Model) -> Vec<Value> {
    let variable = |name: &str, value: &str| json!({"name": name, "value": value});
    let mut environment = Vec::new();
    if model.gpus == 0 {
        // Defaults of the manual (`reference/serving.md` §6.2, row `cpu`).
        environment.push(variable("VLLM_SKIP_WARMUP", "true"));
        environment.push(variable("VLLM_CPU_KVCACHE_SPACE", "4"));
    }
    environment.extend(model.env.iter().map(|own| variable(own.name.as_str(), &own.value)));
    if let Some((_, secret)) = connection::token(model) {
        environment.push(json!({
            "name": "HF_TOKEN",
            "valueFrom": {"secretKeyRef": {"name": secret, "key": connection::TOKEN_KEY}},
        }));
    }
    let caching = model.vllm.prefix_caching.is_on().then_some("--enable-prefix-caching");
    let arguments: Vec<_> = caching
        .into_iter()
        .chain(model.vllm.args.iter().map(String::as_str))
        .collect();
    if !arguments.is_empty() {
        environment.push(variable("VLLM_ADDITIONAL_ARGS", &arguments.join(" ")));
    }
    environment
}
