//! The built-in kinds: names, scope, subresources and columns.
//!
//! Source: `kubectl api-resources` and `kubectl get` of Kubernetes v1.32, and the strategies of its registry
//! (<https://github.com/kubernetes/kubernetes/tree/v1.32.0/pkg/registry>).

use std::sync::{Arc, LazyLock};

use super::{Column, Kind, Scale, Version, autoscaling, events};
use crate::apiserver::schema::Schema;
use stackctl_schema::built_in::Types;

/// One row: group, version, kind, plural, short names, type in `types.txt`, flags, columns.
struct Row(
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// Flags: `n` namespaced, `s` status, `c` scale, `g` generation, `a` in category `all`,
/// `p` a PUT creates, `r` a PUT needs a resourceVersion.
///
/// Columns: `Name=path`, `Name:type=path`, a `*` before the name for wide output only. A path that starts with `@` is
/// computed in `table.rs`.
const ROWS: &[Row] = &[
    Row(
        "",
        "v1",
        "Namespace",
        "namespaces",
        "ns",
        "Namespace",
        "sr",
        "Status=.status.phase",
    ),
    Row(
        "",
        "v1",
        "ConfigMap",
        "configmaps",
        "cm",
        "ConfigMap",
        "n",
        "Data:integer=@count:data,binaryData",
    ),
    Row(
        "",
        "v1",
        "Secret",
        "secrets",
        "",
        "Secret",
        "n",
        "Type=.type|Data:integer=@count:data",
    ),
    Row(
        "",
        "v1",
        "Service",
        "services",
        "svc",
        "Service",
        "nspa",
        "Type=.spec.type|Cluster-IP=@cluster-ip|External-IP=@external-ip|Port(s)=@ports|Age:date=.metadata.creationTimestamp|*Selector=@labels:/spec/selector",
    ),
    Row(
        "",
        "v1",
        "ServiceAccount",
        "serviceaccounts",
        "sa",
        "ServiceAccount",
        "n",
        "Secrets:integer=@count:secrets",
    ),
    Row(
        "",
        "v1",
        "Pod",
        "pods",
        "po",
        "Pod",
        "nsa",
        "Ready=@containers-ready|Status=@pod-status|Restarts:integer=@restarts|Age:date=.metadata.creationTimestamp|*IP=@or-none:/status/podIP|*Node=@or-none:/spec/nodeName|*Nominated Node=@or-none:/status/nominatedNodeName|*Readiness Gates=@none",
    ),
    Row(
        "",
        "v1",
        "Node",
        "nodes",
        "no",
        "Node",
        "s",
        "Status=@node-status|Roles=@node-roles|Version=.status.nodeInfo.kubeletVersion",
    ),
    Row(
        "",
        "v1",
        "Event",
        "events",
        "ev",
        "Event",
        "np",
        "Last Seen=@last-seen|Type=.type|Reason=.reason|Object=@involved:involvedObject|*Subobject=.involvedObject.fieldPath|*Source=@source|Message=.message|*First Seen=@first-seen|*Count:integer=.count|*Name=.metadata.name",
    ),
    Row(
        "",
        "v1",
        "PersistentVolume",
        "persistentvolumes",
        "pv",
        "PersistentVolume",
        "s",
        "Capacity=.spec.capacity.storage|Reclaim Policy=.spec.persistentVolumeReclaimPolicy|Status=.status.phase|StorageClass=.spec.storageClassName",
    ),
    Row(
        "",
        "v1",
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        "pvc",
        "PersistentVolumeClaim",
        "ns",
        "Status=.status.phase|Volume=.spec.volumeName|Capacity=.status.capacity.storage|StorageClass=.spec.storageClassName",
    ),
    Row("", "v1", "Endpoints", "endpoints", "ep", "Endpoints", "np", ""),
    Row(
        "discovery.k8s.io",
        "v1",
        "EndpointSlice",
        "endpointslices",
        "",
        "EndpointSlice",
        "ng",
        "AddressType=.addressType",
    ),
    Row(
        "apps",
        "v1",
        "Deployment",
        "deployments",
        "deploy",
        "Deployment",
        "nscga",
        "Ready=@replicas-ready|Up-to-date:integer=@zero:updatedReplicas|Available:integer=@zero:availableReplicas|Age:date=.metadata.creationTimestamp|*Containers=@containers|*Images=@images|*Selector=@labels:/spec/selector/matchLabels",
    ),
    Row(
        "apps",
        "v1",
        "StatefulSet",
        "statefulsets",
        "sts",
        "StatefulSet",
        "nscga",
        "Ready=@replicas-ready|Age:date=.metadata.creationTimestamp|*Containers=@containers|*Images=@images",
    ),
    Row(
        "apps",
        "v1",
        "DaemonSet",
        "daemonsets",
        "ds",
        "DaemonSet",
        "nsga",
        "Desired:integer=@zero:desiredNumberScheduled|Current:integer=@zero:currentNumberScheduled|Ready:integer=@zero:numberReady|Up-to-date:integer=@zero:updatedNumberScheduled|Available:integer=@zero:numberAvailable|Node Selector=@labels:/spec/template/spec/nodeSelector|Age:date=.metadata.creationTimestamp|*Containers=@containers|*Images=@images|*Selector=@labels:/spec/selector/matchLabels",
    ),
    Row(
        "apps",
        "v1",
        "ReplicaSet",
        "replicasets",
        "rs",
        "ReplicaSet",
        "nscga",
        "Desired:integer=.spec.replicas|Current:integer=@zero:replicas|Ready:integer=@zero:readyReplicas|Age:date=.metadata.creationTimestamp|*Containers=@containers|*Images=@images|*Selector=@labels:/spec/selector/matchLabels",
    ),
    Row(
        "batch",
        "v1",
        "Job",
        "jobs",
        "",
        "Job",
        "nsga",
        "Status=@job-status|Completions=@completions",
    ),
    Row(
        "batch",
        "v1",
        "CronJob",
        "cronjobs",
        "cj",
        "CronJob",
        "nsga",
        "Schedule=.spec.schedule|Timezone=@or-none:/spec/timeZone|Suspend=@suspend|Active:integer=@count-status:active|Last Schedule=@ago:/status/lastScheduleTime|Age:date=.metadata.creationTimestamp|*Containers=@containers|*Images=@images|*Selector=@labels:/spec/selector/matchLabels",
    ),
    Row(
        "rbac.authorization.k8s.io",
        "v1",
        "Role",
        "roles",
        "",
        "Role",
        "np",
        "Created At=.metadata.creationTimestamp",
    ),
    Row(
        "rbac.authorization.k8s.io",
        "v1",
        "RoleBinding",
        "rolebindings",
        "",
        "RoleBinding",
        "np",
        "Role=@role-ref|Age:date=.metadata.creationTimestamp|*Users=@subjects:User|*Groups=@subjects:Group|*ServiceAccounts=@subjects:ServiceAccount",
    ),
    Row(
        "rbac.authorization.k8s.io",
        "v1",
        "ClusterRole",
        "clusterroles",
        "",
        "ClusterRole",
        "p",
        "Created At=.metadata.creationTimestamp",
    ),
    Row(
        "rbac.authorization.k8s.io",
        "v1",
        "ClusterRoleBinding",
        "clusterrolebindings",
        "",
        "ClusterRoleBinding",
        "p",
        "Role=@role-ref|Age:date=.metadata.creationTimestamp|*Users=@subjects:User|*Groups=@subjects:Group|*ServiceAccounts=@subjects:ServiceAccount",
    ),
    Row(
        "coordination.k8s.io",
        "v1",
        "Lease",
        "leases",
        "",
        "Lease",
        "npr",
        "Holder=.spec.holderIdentity",
    ),
    Row(
        "storage.k8s.io",
        "v1",
        "StorageClass",
        "storageclasses",
        "sc",
        "StorageClass",
        "",
        "Provisioner=.provisioner|ReclaimPolicy=.reclaimPolicy|VolumeBindingMode=.volumeBindingMode",
    ),
    Row(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        "crd,crds",
        "CustomResourceDefinition",
        "sgr",
        "Created At=.metadata.creationTimestamp",
    ),
    Row(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        "",
        "ValidatingWebhookConfiguration",
        "g",
        "Webhooks:integer=@count:webhooks",
    ),
    Row(
        "admissionregistration.k8s.io",
        "v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        "",
        "MutatingWebhookConfiguration",
        "g",
        "Webhooks:integer=@count:webhooks",
    ),
    Row(
        "networking.k8s.io",
        "v1",
        "NetworkPolicy",
        "networkpolicies",
        "netpol",
        "NetworkPolicy",
        "ng",
        "Pod-Selector=@selector:spec.podSelector",
    ),
    Row(
        "networking.k8s.io",
        "v1",
        "Ingress",
        "ingresses",
        "ing",
        "Ingress",
        "nsg",
        "Class=@or-none:/spec/ingressClassName|Hosts=@hosts|Address=@addresses|Ports=@ingress-ports",
    ),
    Row(
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        "pdb",
        "PodDisruptionBudget",
        "nsg",
        "Min Available=@or-na:/spec/minAvailable|Max Unavailable=@or-na:/spec/maxUnavailable|Allowed Disruptions:integer=@zero:disruptionsAllowed",
    ),
    Row(
        "events.k8s.io",
        "v1",
        "Event",
        "events",
        "ev",
        "EventsEvent",
        "np",
        "Last Seen=@last-seen|Type=.type|Reason=.reason|Object=@involved:regarding|*Subobject=.regarding.fieldPath|*Source=@source|Message=.note|*First Seen=@first-seen|*Count:integer=.deprecatedCount|*Name=.metadata.name",
    ),
    Row(
        "apiregistration.k8s.io",
        "v1",
        "APIService",
        "apiservices",
        "",
        "APIService",
        "sr",
        "Available=@condition:Available",
    ),
    Row(
        "",
        "v1",
        "ResourceQuota",
        "resourcequotas",
        "quota",
        "ResourceQuota",
        "ns",
        "Request=@quota:requests|Limit=@quota:limits",
    ),
    Row(
        "",
        "v1",
        "LimitRange",
        "limitranges",
        "limits",
        "LimitRange",
        "n",
        "Created At=.metadata.creationTimestamp",
    ),
    Row(
        "",
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        "rc",
        "ReplicationController",
        "nscga",
        "Desired:integer=.spec.replicas|Current:integer=.status.replicas|Ready:integer=@zero:readyReplicas",
    ),
    Row(
        "apps",
        "v1",
        "ControllerRevision",
        "controllerrevisions",
        "",
        "ControllerRevision",
        "n",
        "Controller=@controller|Revision:integer=.revision",
    ),
    Row(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "hpa",
        "HorizontalPodAutoscaler",
        "nsa",
        "Reference=@scale-target|MinPods=.spec.minReplicas|MaxPods:integer=.spec.maxReplicas|Replicas:integer=@zero:currentReplicas",
    ),
    Row(
        "scheduling.k8s.io",
        "v1",
        "PriorityClass",
        "priorityclasses",
        "pc",
        "PriorityClass",
        "",
        "Value:integer=.value|Global-Default:boolean=@global-default|Age:date=.metadata.creationTimestamp|PreemptionPolicy=.preemptionPolicy",
    ),
    Row(
        "networking.k8s.io",
        "v1",
        "IngressClass",
        "ingressclasses",
        "",
        "IngressClass",
        "g",
        "Controller=.spec.controller|Parameters=@none",
    ),
];

/// The order in which the groups of built-in kinds are found: by the priority of their APIService
/// (<https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controlplane/apiserver/apiservice_priorities.go>).
/// Groups of definitions come after them, by name.
const GROUPS: [&str; 17] = [
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
];

/// The place of a group among those that are found.
pub(in crate::apiserver) fn place(group: &str) -> usize {
    GROUPS.iter().position(|name| *name == group).unwrap_or(GROUPS.len())
}

/// The schema of `metadata`, the same for all kinds.
pub(in crate::apiserver) fn object_meta() -> Arc<Schema> {
    static OBJECT_META: LazyLock<Arc<Schema>> = LazyLock::new(|| Types::new().named("ObjectMeta"));
    Arc::clone(&OBJECT_META)
}

/// Every built-in kind.
pub(super) fn kinds() -> Vec<Kind> {
    let mut types = Types::new();
    let mut kinds: Vec<Kind> = ROWS.iter().map(|row| kind(row, &mut types)).collect();
    for kind in &mut kinds {
        if kind.group == events::GROUP {
            // Both groups serve the same events, which are kept in the older form.
            let kept = Version {
                is_served: false,
                ..events::older(kind.storage_version(), types.object("Event"))
            };
            kind.versions.push(kept);
            kind.storage = 1;
            kind.stored_in = String::new();
        }
        if kind.group == autoscaling::GROUP {
            let older = autoscaling::older(kind.storage_version(), types.object("HorizontalPodAutoscalerV1"));
            kind.versions.push(older);
        }
    }
    kinds
}

fn kind(row: &Row, types: &mut Types) -> Kind {
    let Row(group, version, kind, plural, short_names, type_name, flags, columns) = row;
    let has = |flag: char| flags.contains(flag);
    let api_version = if group.is_empty() {
        (*version).to_owned()
    } else {
        format!("{group}/{version}")
    };
    let path = |text: &str| -> Vec<String> { text.split('.').map(ToOwned::to_owned).collect() };
    let scale = has('c').then(|| Scale {
        spec_replicas: path("spec.replicas"),
        status_replicas: path("status.replicas"),
        selector: Some(path("spec.selector")),
    });
    let list = |text: &str| -> Vec<String> {
        text.split(',')
            .filter(|word| !word.is_empty())
            .map(ToOwned::to_owned)
            .collect()
    };
    Kind {
        group: (*group).to_owned(),
        stored_in: (*group).to_owned(),
        kind: (*kind).to_owned(),
        list_kind: format!("{kind}List"),
        plural: (*plural).to_owned(),
        singular: kind.to_lowercase(),
        short_names: list(short_names),
        categories: if has('a') { vec!["all".to_owned()] } else { Vec::new() },
        is_namespaced: has('n'),
        versions: vec![Version {
            name: (*version).to_owned(),
            api_version,
            schema: types.object(type_name),
            is_served: true,
            has_status: has('s'),
            scale,
            columns: columns.split('|').filter(|text| !text.is_empty()).map(column).collect(),
            deprecation: None,
        }],
        storage: 0,
        definition: None,
        has_free_names: *group == "rbac.authorization.k8s.io",
        has_generation: has('g'),
        creates_on_update: has('p'),
        updates_unconditionally: !has('r'),
    }
}

fn column(text: &str) -> Column {
    let (name, json_path) = text.split_once('=').unwrap_or((text, ""));
    let (name, column_type) = name.split_once(':').unwrap_or((name, "string"));
    let (name, priority) = name.strip_prefix('*').map_or((name, 0), |name| (name, 1));
    Column {
        name: name.to_owned(),
        column_type: column_type.to_owned(),
        format: String::new(),
        description: String::new(),
        priority,
        json_path: json_path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_kind_has_a_schema_with_metadata() {
        let kinds = kinds();
        assert_eq!(kinds.len(), ROWS.len());
        assert!(
            kinds
                .iter()
                .all(|kind| kind.storage_version().schema.properties.contains_key("metadata"))
        );
    }
}
