//! What is known of kinds that every cluster has, and of those that definitions among the documents bring.

use super::{ManifestsNotice, Scopes, read::Document};
use serde_json::Value;
use stackctl_engine::{
    Manifest, Resource,
    object_key::{GroupKind, ObjectType},
    readiness::{Observation, Rule, Target},
    recorded::RecordedObject,
    resource::Provides,
};
use stackctl_schema::definition::is_definition;
use std::{collections::BTreeSet, time::Duration};

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
    match readiness_of(&recorded.object.object_type, &recorded.manifest.open()) {
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
    if !is_definition(manifest.value()) {
        return None;
    }
    let spec = &manifest.value()["spec"];
    Some(Provides {
        kind: GroupKind::new(spec["group"].as_str()?, spec["names"]["kind"].as_str()?),
        plural: spec["names"]["plural"].as_str()?.to_owned(),
        namespaced: spec["scope"] == "Namespaced",
    })
}

/// Kinds of the API server itself whose objects have no status (<https://kubernetes.io/docs/reference/kubernetes-api/>, 1.34).
const WITHOUT_STATUS: &[(&str, &str)] = &[
    ("", "ConfigMap"),
    ("", "Endpoints"),
    ("", "LimitRange"),
    ("", "PodTemplate"),
    ("", "Secret"),
    ("", "ServiceAccount"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("coordination.k8s.io", "Lease"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("node.k8s.io", "RuntimeClass"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "StorageClass"),
];

/// Whether objects of a kind of the API server have no status: nothing of it can be waited for.
pub(super) fn is_without_status(object_type: &ObjectType) -> bool {
    WITHOUT_STATUS.contains(&(object_type.group(), object_type.kind.as_str()))
}

/// The kinds of definitions among the documents whose objects have no status: nothing can be waited for in one.
pub(super) fn without_status(documents: &[(usize, Document<'_>)]) -> BTreeSet<GroupKind> {
    let has_status = |manifest: &Manifest| {
        let mut versions = manifest.value()["spec"]["versions"].as_array().into_iter().flatten();
        versions.any(|version| {
            let schema = &version["schema"]["openAPIV3Schema"];
            let is_open = schema["x-kubernetes-preserve-unknown-fields"] == true;
            version["subresources"]["status"].is_object() || schema["properties"]["status"].is_object() || is_open
        })
    };
    let provided = documents.iter().filter_map(|(_, document)| {
        let kind = provided(&document.manifest)?.kind;
        (!has_status(&document.manifest)).then_some(kind)
    });
    provided.collect()
}

/// Whether data is lost with an object of this kind: volumes, and with a definition every object of its kind
/// (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#delete-a-customresourcedefinition>).
pub(super) fn holds_data(manifest: &Manifest) -> bool {
    let object_type = &manifest.object().object_type;
    let is_volume = matches!(object_type.kind.as_str(), "PersistentVolumeClaim" | "PersistentVolume");
    is_definition(manifest.value()) || (object_type.group().is_empty() && is_volume)
}

/// How long an object of this kind usually takes: a definition is served within seconds (`cargo xtask bundles`: 1 to 7 s).
pub(super) fn usual_time(manifest: &Manifest) -> Option<Duration> {
    is_definition(manifest.value()).then_some(Duration::from_secs(5))
}

/// What the files and the catalogue themselves say about kinds: their definitions.
fn scopes(documents: &[(usize, Document<'_>)], catalogue: &[Resource]) -> Scopes {
    let of_catalogue = catalogue.iter().flat_map(|resource| resource.provides.iter().cloned());
    let of_files = documents
        .iter()
        .filter_map(|(_, document)| provided(&document.manifest));
    of_catalogue
        .chain(of_files)
        .map(|provided| (provided.kind, provided.namespaced))
        .collect()
}

/// Whether objects of a type lie in namespaces, of those that every cluster has.
fn is_namespaced(object_type: &ObjectType) -> Option<bool> {
    let (group, kind) = (object_type.group(), object_type.kind.as_str());
    COMMON_GROUPS
        .contains(&group)
        .then(|| !CLUSTER_WIDE.contains(&(group, kind)))
}

/// The types of objects that name no namespace, where nothing here says whether they lie in one.
pub(super) fn unplaced(documents: &[(usize, Document<'_>)], catalogue: &[Resource]) -> BTreeSet<ObjectType> {
    let scopes = scopes(documents, catalogue);
    let objects = documents.iter().map(|(_, document)| document.manifest.object());
    objects
        .filter(|object| object.namespace.is_none())
        .map(|object| &object.object_type)
        .filter(|object_type| !scopes.contains_key(&object_type.group_kind()) && is_namespaced(object_type).is_none())
        .cloned()
        .collect()
}

/// Puts what names no namespace and needs one into that of its set, as kubectl does, and takes what names one and is of the
/// whole cluster out of it, as the API server does (k8s.io/apiserver/pkg/registry/rest,
/// `EnsureObjectNamespaceMatchesRequestNamespace`), which is told: by the definitions among the documents and in the
/// catalogue, then by `known`, then of the groups that every cluster has. Returns the other kinds, whose objects stay as
/// written where they name no namespace.
pub(super) fn place<'a>(
    documents: &mut [(usize, Document<'_>)],
    catalogue: &[Resource],
    known: &Scopes,
    namespace_of: impl Fn(usize) -> &'a str,
    notices: &mut Vec<ManifestsNotice>,
) -> BTreeSet<GroupKind> {
    let scopes = scopes(documents, catalogue);
    let mut unplaced = BTreeSet::new();
    for (set, document) in documents {
        let object = document.manifest.object();
        let kind = object.object_type.group_kind();
        let said = scopes.get(&kind).or_else(|| known.get(&kind)).copied();
        let is_namespaced = said.or_else(|| is_namespaced(&object.object_type));
        match (is_namespaced, &object.namespace) {
            (Some(true), Some(_)) | (Some(false), None) | (None, Some(_)) => {}
            (Some(true), None) => document.manifest.put_into(namespace_of(*set)),
            (Some(false), Some(namespace)) => {
                notices.push(ManifestsNotice::InNoNamespace {
                    at: document.at_field("metadata.namespace"),
                    kind: kind.kind,
                    namespace: namespace.clone(),
                });
                document.manifest.take_out_of_namespace();
            }
            (None, None) => {
                unplaced.insert(kind);
            }
        }
    }
    unplaced
}

/// The text at a field, or an empty one.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
