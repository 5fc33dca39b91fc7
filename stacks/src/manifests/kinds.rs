//! What is known of kinds that every cluster has, and of those that definitions among the documents bring.

use super::read::Document;
use serde_json::Value;
use stackctl_engine::{
    Manifest,
    object_key::{GroupKind, ObjectType},
    readiness::{Observation, Rule, Target},
    recorded::RecordedObject,
    resource::Provides,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Kinds without a namespace, of those that every cluster has
/// (`kubectl api-resources --namespaced=false`, Kubernetes 1.34).
const CLUSTER_WIDE: &[(&str, &str)] = &[
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("storage.k8s.io", "VolumeAttributesClass"),
];

/// The groups of the API server itself: their kinds are known, while `gateway.networking.k8s.io` and others of such names
/// come by definitions.
const COMMON_GROUPS: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// What says when objects of a kind are ready.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum KnownReadiness {
    /// Their status does.
    By {
        /// When they are ready.
        ready: Rule,
        /// When they never will be.
        failed: Option<Rule>,
    },
    /// They have none and are as soon as they are there.
    Exists,
    /// Nothing that is known here.
    Unknown,
}

/// When an object is ready by its kind, as `kubectl rollout status`, Helm and kstatus have it
/// (<https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md>).
///
/// A volume claim counts once it is there: many are bound only when a pod uses them.
pub(super) fn readiness_of(object_type: &ObjectType, value: &Value) -> KnownReadiness {
    let (group, kind) = (object_type.group(), object_type.kind.as_str());
    let by = |ready, failed| KnownReadiness::By { ready, failed };
    match (group, kind) {
        // That its deadline passed is no end: what it lacked may just have been written.
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet") => by(Rule::RolledOut, None),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let refused = Rule::Condition {
                kind: "NamesAccepted".to_owned(),
                status: "False".to_owned(),
            };
            by(Rule::established(), Some(refused))
        }
        ("apiregistration.k8s.io", "APIService") => by(Rule::condition("Available"), None),
        ("batch", "Job") => by(Rule::condition("Complete"), Some(Rule::condition("Failed"))),
        ("", "Pod") => by(Rule::PodReady, Some(Rule::equals("status.phase", "Failed"))),
        ("", "Service") if value["spec"]["type"] == "LoadBalancer" => {
            by(Rule::non_empty("status.loadBalancer.ingress"), None)
        }
        _ if COMMON_GROUPS.contains(&group) => KnownReadiness::Exists,
        _ => KnownReadiness::Unknown,
    }
}

/// When an object that is recorded is ready, where its kind alone says so: what is left to judge by once the stack file is
/// gone. The catalogue says more of its own kinds, and the record keeps none of that.
pub fn ready_by_kind(recorded: &RecordedObject) -> Option<Observation> {
    let target = Target::Named(recorded.object.clone());
    match readiness_of(&recorded.object.object_type, &recorded.manifest) {
        KnownReadiness::By { ready, failed } => Some(Observation { target, ready, failed }),
        KnownReadiness::Exists => Some(Observation::new(target, Rule::Exists)),
        KnownReadiness::Unknown => None,
    }
}

/// Whether a kind is one of the API server's own, which every cluster has.
pub fn is_of_the_server(object_type: &ObjectType) -> bool {
    COMMON_GROUPS.contains(&object_type.group())
}

/// The kind that a definition brings (apiextensions.k8s.io/v1: `spec.group`, `spec.names`, `spec.scope`).
pub(super) fn provided(manifest: &Manifest) -> Option<Provides> {
    if !is_definition(&manifest.object().object_type) {
        return None;
    }
    let spec = &manifest.value()["spec"];
    Some(Provides {
        kind: GroupKind::new(spec["group"].as_str()?, spec["names"]["kind"].as_str()?),
        plural: spec["names"]["plural"].as_str()?.to_owned(),
        namespaced: spec["scope"] == "Namespaced",
    })
}

/// Whether data is lost with an object of this kind: volumes, and with a definition every object of its kind
/// (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#delete-a-customresourcedefinition>).
pub(super) fn holds_data(manifest: &Manifest) -> bool {
    let object_type = &manifest.object().object_type;
    let is_volume = matches!(object_type.kind.as_str(), "PersistentVolumeClaim" | "PersistentVolume");
    is_definition(object_type) || (object_type.group().is_empty() && is_volume)
}

/// How long an object of this kind usually takes: a definition is served within seconds (`cargo xtask bundles`: 1 to 7 s).
pub(super) fn usual_time(manifest: &Manifest) -> Option<Duration> {
    is_definition(&manifest.object().object_type).then_some(Duration::from_secs(5))
}

fn is_definition(object_type: &ObjectType) -> bool {
    (object_type.group(), object_type.kind.as_str()) == ("apiextensions.k8s.io", "CustomResourceDefinition")
}

/// Puts what names no namespace and needs one into that of its set, as kubectl does: objects of the groups that every
/// cluster has, and of definitions that are among the documents. Of other kinds nothing is known here; they stay as
/// written.
pub(super) fn place<'a>(documents: &mut [(usize, Document)], namespace_of: impl Fn(usize) -> &'a str) {
    let scopes: BTreeMap<GroupKind, bool> = documents
        .iter()
        .filter_map(|(_, document)| provided(&document.manifest))
        .map(|provided| (provided.kind, provided.namespaced))
        .collect();
    let cluster_wide: BTreeSet<(&str, &str)> = CLUSTER_WIDE.iter().copied().collect();
    for (set, document) in documents {
        let object = document.manifest.object();
        if object.namespace.is_some() {
            continue;
        }
        let (group, kind) = (object.object_type.group(), object.object_type.kind.as_str());
        let needs_one = match scopes.get(&object.object_type.group_kind()) {
            Some(namespaced) => *namespaced,
            None => COMMON_GROUPS.contains(&group) && !cluster_wide.contains(&(group, kind)),
        };
        if needs_one {
            document.manifest.put_into(namespace_of(*set));
        }
    }
}

/// The text at a field, or an empty one.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
