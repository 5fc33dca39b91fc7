//! The LLMInferenceService: what runs, how it is reached, and what it waits for.
//!
//! Written as v1alpha2 in either way of serving: the manual's chart has v1alpha1 for one of them, without the annotations
//! that ask for a caller's name (`reference/serving.md` §1.3.2, §5.1 M21 and M22).
//!
//! Facts: `reference/serving.md` §1.3.1 (fields), §2.1 and §2.2 (edges).

use super::{connection, scheduler, symptoms, workload};
use crate::{
    components::{
        Context,
        draft::{Draft, deployment, keyed, seconds, see},
        gpu, kuadrant, leader_worker_set, llm_d, maas, monitoring,
        names::{APPLICATIONS, INGRESS, MAAS_GATEWAY},
        project, rhoai,
    },
    stack::{Access, Deployment, Model, ModelSource},
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, ObjectRef,
    readiness::{Observation, Rule},
};

/// The gateway that KServe uses when a service names none (`reference/serving.md` §1.3.1).
const DEFAULT_GATEWAY: &str = "openshift-ai-inference";
/// How long the name of a workload may be before KServe shortens it by a digest (knative `kmeta.ChildName`).
const LONGEST_NAME: usize = 63;

pub(super) fn resource(context: &Context<'_>, model: &Model) -> Draft {
    let mut spec = json!({
        "replicas": model.replicas,
        "model": {"uri": model.source.to_string(), "name": model.model_name},
        "router": router(context, model),
        "template": workload::template(context, model),
    });
    if let Deployment::PrefillDecode(parts) = &model.deployment {
        spec["prefill"] = json!({
            "replicas": parts.prefill.replicas,
            "template": workload::prefill(context, model, parts),
        });
    }
    let manifest = json!({
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": metadata(model),
        "spec": spec,
    });
    let time = model.ready_timeout;
    let service = ObjectRef::namespaced(
        "serving.kserve.io/v1alpha2",
        "LLMInferenceService",
        model.namespace.as_str(),
        model.name.as_str(),
    );
    let mut node = Draft::object(super::service(model.name.as_str()), manifest)
        .ready(Rule::condition("Ready"))
        .with_parts(workloads(model))
        .diagnosed_by(symptoms::of(model, &service))
        .denied(
            "hardware profile",
            format!(
                "make HardwareProfile {APPLICATIONS}/{profile}, or name another one with `hardware_profile` of \
                 `[[models]]` {name}",
                profile = model.hardware_profile,
                name = model.name
            ),
        )
        .denied("connection", connection::untyped(model))
        .within(time.map_or(seconds(600), |timeout| timeout.as_duration()))
        .note(format!("{} × {}", model.replicas, model.model_name))
        .after(project::namespace(model.namespace.as_str()), "runs in that project")
        .after(rhoai::controllers(), "they serve it, and their webhooks judge it")
        .after(
            leader_worker_set::workload_kinds(),
            "its controller watches LeaderWorkerSet",
        );
    let token = connection::token(model).map(|(address, ..)| address);
    let connection = connection::connection(model).map(|(address, _)| address);
    for secret in [connection, token].into_iter().flatten() {
        node = node.after(secret, "a webhook and the pod look the Secret up");
    }
    if let Some(claim) = connection::claim(model) {
        node = node.after_write(claim, "its pods mount the claim");
    }
    if let Some(certificate) = scheduler::tls(&model.deployment).map(|_| certificate_there(model)) {
        node = node.after(certificate, "its scheduler mounts the Secret");
    }
    if let Some(profile) = rhoai::hardware_profile(context, model.hardware_profile.as_str()) {
        node = node.after(profile, "a webhook refuses an unknown hardware profile");
    }
    // `reference/platform.md` §3: uwm.pods frees the models, so that nothing is served unseen.
    if let Some(gate) = monitoring::ready(context).filter(|_| model.monitoring.is_some()) {
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
        Access::Maas => {
            let node = node.after(maas::gateway(), "its route attaches to the gateway of MaaS");
            match maas::guarded(context) {
                Some(guarded) => node.after(guarded, "nobody is to call it unasked"),
                None => node,
            }
        }
        Access::Open | Access::Authenticated => node.after(llm_d::gateway(), "its route attaches to the gateway"),
    }
}

/// The Deployments that it becomes, with as many copies as it asks for.
///
/// Its own status is not enough after an update: KServe takes over whatever a Deployment's `Available` says, also when
/// that was judged before the update, and signs it with the new generation (kserve, package `llmisvc`,
/// `propagateDeploymentStatus`). `Available` itself is told by the old pods while the new ones find no GPU
/// (`reference/serving.md` §1.3.4). The number of copies tells a Deployment that was not reached yet.
fn workloads(model: &Model) -> Vec<Observation> {
    let mut workloads = vec![("kserve", model.replicas)];
    if let Deployment::PrefillDecode(parts) = &model.deployment {
        workloads.push(("kserve-prefill", parts.prefill.replicas));
    }
    workloads
        .into_iter()
        .map(|(suffix, replicas)| (format!("{}-{suffix}", model.name), replicas))
        .filter(|(name, _)| name.len() <= LONGEST_NAME)
        .map(|(name, replicas)| {
            let rolled_out = Rule::All(vec![Rule::equals("spec.replicas", replicas), Rule::RolledOut]);
            see(deployment(model.namespace.as_str(), &name), rolled_out)
        })
        .collect()
}

fn certificate_there(model: &Model) -> Address {
    keyed(&[("model", model.name.as_str()), ("scheduler-certificate", "")])
}

/// The gate that the certificate of its scheduler is there, where one is said.
pub(super) fn certificate(model: &Model) -> Option<Draft> {
    let tls = scheduler::tls(&model.deployment)?;
    Some(connection::there(model, "scheduler-certificate", tls.secret.as_str()))
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
    if let ModelSource::S3 { path, .. } = &model.source {
        // A webhook makes the URI of bucket and path, and would make another one without it.
        annotations["opendatahub.io/connection-path"] = json!(path);
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
            "llm-d.ai/well-lit-path": super::path(&model.deployment),
        },
    })
}

/// An empty map switches a part on with its defaults. The default gateway is named by naming none: a null, as the manual's
/// chart renders it, is refused by server-side apply.
fn router(context: &Context<'_>, model: &Model) -> Value {
    let mut router = json!({"route": {}, "scheduler": scheduler::of(&model.deployment)});
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
