//! Checks of what the models of a stack need: GPUs, images, names, metrics.
//!
//! Rows M9, M11, M12, M14, M16 and M18 of `reference/serving.md` §5.

use super::{
    Claim, Evidence, Listing, Outcome, Reading, counted,
    evidence::listed,
    registries::{has_login, registry_of},
};
use crate::{
    cluster_facts::{FactRead, FactRequest, Take, key, makes_machines, request},
    stack::{Model, ModelSource, NamespaceName, OpenShift},
};
use serde_json::Value;
use stackctl_engine::{FieldPath, ObjectRef, facts::Holding};
use std::collections::BTreeSet;

/// The key of the fact whether monitoring of workloads is on.
pub(super) const USER_WORKLOAD: &str = "monitoring.user-workload";

/// The key of the fact whether Kueue has the workloads of a namespace.
fn queued(namespace: &NamespaceName) -> String {
    format!("namespace[{namespace}].kueue-managed")
}

/// The facts that these checks alone look at.
pub(super) fn facts(stack: &OpenShift) -> Vec<FactRequest> {
    let mut facts = Vec::new();
    if !stack.rhoai.components.kueue {
        facts.extend(namespaces(stack).into_iter().map(|namespace| {
            let object = FactRead::Object(ObjectRef::cluster("v1", "Namespace", namespace.as_str()));
            let label = r#"metadata.labels["kueue.openshift.io/managed"]"#;
            request(&queued(namespace), object, label, Holding::Live)
        }));
    }
    if !stack.monitoring.enabled && serves(stack) {
        let (namespace, name) = ("openshift-monitoring", "cluster-monitoring-config");
        let config = FactRead::Object(ObjectRef::namespaced("v1", "ConfigMap", namespace, name));
        facts.push(FactRequest {
            take: Take::FieldOfText {
                at: FieldPath::of(r#"data["config.yaml"]"#),
                inside: FieldPath::of("enableUserWorkload"),
            },
            ..request(
                USER_WORKLOAD,
                config,
                r#"data["config.yaml"] → .enableUserWorkload"#,
                Holding::Live,
            )
        });
    }
    facts
}

fn namespaces(stack: &OpenShift) -> BTreeSet<&NamespaceName> {
    stack.models.iter().map(|model| &model.namespace).collect()
}

/// Whether a model of the stack is served by that LLMInferenceService.
fn has(stack: &OpenShift, namespace: &str, service: &str) -> bool {
    let is_it = |model: &Model| model.namespace.as_str() == namespace && model.name.as_str() == service;
    stack.models.iter().any(is_it)
}

fn serves(stack: &OpenShift) -> bool {
    !stack.models.is_empty() || stack.maas.is_some()
}

/// Whether GPUs have to be there already: some model asks for them, and the stack makes no nodes.
pub(super) fn counts_gpus(stack: &OpenShift) -> bool {
    asked(stack) > 0 && !makes_machines(stack)
}

fn asked(stack: &OpenShift) -> u64 {
    stack.models.iter().map(|model| u64::from(model.total_gpus())).sum()
}

/// There are as many free GPUs as the models ask for (row M11), and some for a new copy while a model is updated: it
/// starts before an old one goes (row M9).
pub(super) fn gpus(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let asked = asked(stack);
    if !counts_gpus(stack) {
        let why = if asked == 0 {
            "no model asks for a GPU"
        } else {
            "the stack makes the nodes for its models"
        };
        return Ok(Outcome::pass(why, "the stack"));
    }
    let offered: u64 = listed(&evidence.nodes)?.iter().map(|node| node.gpus).sum();
    if offered == 0 {
        let source = Listing::Nodes.source();
        return Ok(if stack.gpu.is_empty() {
            let found = format!("no node offers a GPU, and the models ask for {asked}");
            let remedy = "write a `[[gpu]]` pool: its operators count the GPUs of nodes, and on AWS it makes the nodes";
            Outcome::warn(found, source, remedy)
        } else {
            let found = "no node offers a GPU yet: the stack brings the operator that counts them";
            Outcome::pass(found, source)
        });
    }
    let is_ours = |claim: &&Claim| {
        claim
            .service
            .as_ref()
            .is_some_and(|name| has(stack, &claim.namespace, name))
    };
    let others = listed(&evidence.claims)?.iter().filter(|claim| !is_ours(claim));
    let taken: u64 = others.map(|claim| claim.gpus).sum();
    let free = offered.saturating_sub(taken);
    let running = stack.models.iter().filter(|model| model.replicas > 0);
    let surge = running.map(|model| u64::from(model.gpus)).max().unwrap_or(0);
    let found = format!("{offered} offered - {taken} asked for by others = {free} free; the models ask for {asked}");
    let source = Listing::Pods.source();
    Ok(if free < asked {
        let remedy = "lower `replicas` or `gpus` of models, stop what else asks for GPUs, or add nodes: what finds no GPU \
                      stays Pending";
        Outcome::warn(found, source, remedy)
    } else if free < asked + surge {
        let remedy =
            "lower `replicas` by one before a model is updated, or delete an old pod when the new one stays Pending";
        Outcome::warn(
            format!("{found}, and for {surge} more during an update"),
            source,
            remedy,
        )
    } else {
        Outcome::pass(found, source)
    })
}

/// The images of models can be pulled (row M12).
pub(super) fn model_registries(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let images: BTreeSet<&str> = stack.models.iter().flat_map(images).collect();
    if images.is_empty() {
        return Ok(Outcome::pass("no model names an image", "the stack"));
    }
    let (logins, source) = evidence.fact(key::REGISTRIES)?;
    let logins: Vec<_> = logins
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let registries = |has: bool| -> BTreeSet<&str> {
        let fitting = images.iter().filter(|image| has_login(&logins, image) == has);
        fitting.map(|image| registry_of(image)).collect()
    };
    let missing: Vec<_> = registries(false).into_iter().collect();
    Ok(if missing.is_empty() {
        Outcome::pass(Vec::from_iter(registries(true)).join(", "), source)
    } else {
        let found = format!("no login for {}, where images of models are", missing.join(", "));
        let remedy = "add one to the Secret openshift-config/pull-secret, unless everybody may pull there or a mirror serves \
                      these images";
        Outcome::warn(found, source, remedy)
    })
}

/// The images that a model names.
fn images(model: &Model) -> impl Iterator<Item = &str> {
    let weights = match &model.source {
        ModelSource::Oci { reference } => Some(reference.as_str()),
        ModelSource::HuggingFace { .. } | ModelSource::S3 { .. } | ModelSource::Pvc { .. } => None,
    };
    weights.into_iter().chain(model.image.as_deref())
}

/// One model without a name takes the dashboard's pages of models down, whoever it belongs to (row M14).
pub(super) fn model_names(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let services = listed(&evidence.services)?;
    let source = Listing::Services.source();
    // One of the stack gets its name from it.
    let nameless: Vec<_> = services
        .iter()
        .filter(|service| service.model_name.is_empty() && !has(stack, &service.namespace, &service.name))
        .collect();
    let Some(first) = nameless.first() else {
        let found = match services.len() {
            0 => "no model is served yet".to_owned(),
            served => format!("{} with a name", counted(served, "model")),
        };
        return Ok(Outcome::pass(found, source));
    };
    let named: Vec<_> = nameless
        .iter()
        .map(|one| format!("{}/{}", one.namespace, one.name))
        .collect();
    let found = format!(
        "without a model name, so that the dashboard's gen-ai-ui crashes: {}",
        named.join(", ")
    );
    let remedy = format!(
        "give each its name: `oc patch llminferenceservice {} -n {} --type=merge -p \
         '{{\"spec\":{{\"model\":{{\"name\":\"ORGANISATION/MODEL\"}}}}}}'`",
        first.name, first.namespace
    );
    Ok(Outcome::warn(found, source, remedy))
}

/// In a namespace of Kueue the dashboard shows no hardware profiles of nodes (row M18).
pub(super) fn kueue_label(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    if stack.rhoai.components.kueue {
        return Ok(Outcome::pass("the stack has Kueue", "the stack"));
    }
    let mut managed = Vec::new();
    let mut source = "the stack".to_owned();
    for namespace in namespaces(stack) {
        let (label, read) = evidence.text(&queued(namespace))?;
        read.clone_into(&mut source);
        if label == Some("true") {
            managed.push(namespace.as_str());
        }
    }
    Ok(if managed.is_empty() {
        Outcome::pass("no namespace of a model is Kueue's", source)
    } else {
        let found = format!(
            "Kueue's label, without Kueue in the stack, on {}: hardware profiles are hidden there",
            managed.join(", ")
        );
        let remedy = format!(
            "`oc label namespace {} kueue.openshift.io/managed-`; or set `kueue = true` in `[rhoai.components]`",
            managed.join(" ")
        );
        Outcome::warn(found, source, remedy)
    })
}

/// Somebody scrapes the models (row M16); without, the Tenant of MaaS says `Degraded` (`reference/serving.md` §1.8).
pub(super) fn user_workload_monitoring(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    if stack.monitoring.enabled {
        return Ok(Outcome::pass("the stack switches it on", "the stack"));
    }
    if !serves(stack) {
        return Ok(Outcome::pass("the stack serves no model", "the stack"));
    }
    let (is_on, source) = evidence.fact(USER_WORKLOAD)?;
    Ok(if is_on == &Value::Bool(true) {
        Outcome::pass("on already", source)
    } else {
        let of_maas = stack
            .maas
            .as_ref()
            .map_or("", |_| ", and the Tenant of MaaS says Degraded");
        let found = format!("off, and the stack leaves it so: models have no metrics{of_maas}");
        Outcome::warn(found, source, "set `enabled = true` in `[monitoring]`")
    })
}
