//! What objects need by the fields that name it, of kinds that every cluster has.
//!
//! Workloads wait for their account and its bindings, configuration, secrets, volumes and classes; bindings for the role;
//! webhooks and aggregated APIs for the workloads behind their Service, ready; objects of a definition for the webhook that
//! judges them.
//!
//! Invariants:
//! - Only what is among the documents is waited for: what is not may be there already.
//! - What is said goes before what is seen here: [`without_knots`] takes away what would contradict it.

use super::{edges::Index, kinds, kinds::text, read::Document};
use serde_json::Value;
use stackctl_engine::{
    Address, ObjectKey,
    graph::{Cycle, Edge, EdgeClass, EdgeSource, Graph, GraphError, Until},
    object_key::GroupKind,
    resource::DependsOn,
};
use std::collections::{BTreeMap, BTreeSet};

/// How often one contradiction after the other is looked for, before nothing of all this is kept.
const MOST_KNOTS: usize = 100;

/// What each document waits for by its fields.
pub(super) fn edges(documents: &[(usize, Document<'_>)], index: &Index<'_>) -> Vec<Vec<DependsOn>> {
    let world = World::new(documents, index);
    documents.iter().map(|(_, document)| world.of(document)).collect()
}

/// Everything that fields may name.
struct World<'a> {
    index: &'a Index<'a>,
    /// Workloads by namespace: the labels of their pods, and their address.
    workloads: BTreeMap<&'a str, Vec<(&'a Value, &'a Address)>>,
    /// Bindings by the account that they give rights to: namespace and name.
    bindings: BTreeMap<(&'a str, &'a str), Vec<&'a Address>>,
    /// Kinds of definitions among the documents, with their plurals.
    plurals: BTreeMap<GroupKind, String>,
    /// Webhook configurations by the group and plural that they judge, where they may not be passed over.
    judges: BTreeMap<(&'a str, &'a str), BTreeSet<&'a Address>>,
}

impl<'a> World<'a> {
    fn new(documents: &'a [(usize, Document<'_>)], index: &'a Index<'a>) -> Self {
        let mut world = Self {
            index,
            workloads: BTreeMap::new(),
            bindings: BTreeMap::new(),
            plurals: BTreeMap::new(),
            judges: BTreeMap::new(),
        };
        for (_, document) in documents {
            let (object, value) = (document.manifest.object(), document.manifest.value());
            let Some(address) = index.address(&object.key()) else {
                continue;
            };
            let namespace = object.namespace.as_deref().unwrap_or_default();
            if let Some(provided) = kinds::provided(&document.manifest) {
                world.plurals.insert(provided.kind, provided.plural);
            }
            match (object.object_type.group(), object.object_type.kind.as_str()) {
                ("apps", "Deployment" | "StatefulSet" | "DaemonSet") => {
                    let labels = &value["spec"]["template"]["metadata"]["labels"];
                    world.workloads.entry(namespace).or_default().push((labels, address));
                }
                ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
                    for (of, name) in accounts(value, namespace) {
                        world.bindings.entry((of, name)).or_default().push(address);
                    }
                }
                ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
                    for judged in judged(value) {
                        world.judges.entry(judged).or_default().insert(address);
                    }
                }
                _ => {}
            }
        }
        world
    }

    fn of(&self, document: &Document<'_>) -> Vec<DependsOn> {
        let (object, value) = (document.manifest.object(), document.manifest.value());
        let namespace = object.namespace.as_deref().unwrap_or_default();
        let mut found = Vec::new();
        match (object.object_type.group(), object.object_type.kind.as_str()) {
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
                let role = &value["roleRef"];
                let within = (text(role, "kind") == "Role").then_some(namespace);
                self.named(
                    &mut found,
                    "rbac.authorization.k8s.io",
                    text(role, "kind"),
                    within,
                    text(role, "name"),
                );
                for (of, name) in accounts(value, namespace) {
                    self.named(&mut found, "", "ServiceAccount", Some(of), name);
                }
            }
            ("admissionregistration.k8s.io", _) => {
                for webhook in items(&value["webhooks"]) {
                    self.behind(&mut found, &webhook["clientConfig"]["service"]);
                }
            }
            ("apiregistration.k8s.io", "APIService") => self.behind(&mut found, &value["spec"]["service"]),
            ("", "PersistentVolumeClaim") => {
                let class = text(&value["spec"], "storageClassName");
                self.named(&mut found, "storage.k8s.io", "StorageClass", None, class);
            }
            (group, kind) => {
                if let Some(pod) = pod_of(group, kind, value) {
                    self.pod(&mut found, pod, namespace);
                }
                if (group, kind) == ("apps", "StatefulSet") {
                    self.named(
                        &mut found,
                        "",
                        "Service",
                        Some(namespace),
                        text(&value["spec"], "serviceName"),
                    );
                }
                self.judged(&mut found, &object.object_type.group_kind());
            }
        }
        found
    }

    /// Adds what is named, if it is among the documents.
    fn named(&self, found: &mut Vec<DependsOn>, group: &str, kind: &str, namespace: Option<&str>, name: &str) {
        if name.is_empty() {
            return;
        }
        let key = ObjectKey {
            kind: GroupKind::new(group, kind),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        if let Some(address) = self.index.address(&key) {
            found.push(DependsOn::applied(address.clone(), &format!("names {kind} {name}")));
        }
    }

    /// Adds what is behind a Service: the workloads whose pods it selects, ready.
    fn behind(&self, found: &mut Vec<DependsOn>, service: &Value) {
        let (namespace, name) = (text(service, "namespace"), text(service, "name"));
        self.named(found, "", "Service", Some(namespace), name);
        let key = ObjectKey {
            kind: GroupKind::new("", "Service"),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        };
        let Some(selector) = self
            .index
            .value(&key)
            .and_then(|value| value["spec"]["selector"].as_object())
            // Without a label it selects nothing (<https://kubernetes.io/docs/concepts/services-networking/service/>).
            .filter(|selector| !selector.is_empty())
        else {
            return;
        };
        let has_all = |labels: &Value| selector.iter().all(|(label, wanted)| labels.get(label) == Some(wanted));
        for (labels, address) in self.workloads.get(namespace).into_iter().flatten() {
            if has_all(labels) {
                let reason = format!("is served by Service {name}");
                found.push(DependsOn::ready((*address).clone(), &reason));
            }
        }
    }

    /// Adds the webhooks that judge objects of a kind whose definition is among the documents.
    fn judged(&self, found: &mut Vec<DependsOn>, kind: &GroupKind) {
        let Some(plural) = self.plurals.get(kind) else { return };
        for address in self
            .judges
            .get(&(kind.group.as_str(), plural.as_str()))
            .into_iter()
            .flatten()
        {
            found.push(DependsOn::applied((*address).clone(), "is judged by its webhook"));
        }
    }

    /// Adds what a pod needs before it can start
    /// (<https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>).
    fn pod(&self, found: &mut Vec<DependsOn>, pod: &Value, namespace: &str) {
        let here = Some(namespace);
        let account = text(pod, "serviceAccountName");
        self.named(found, "", "ServiceAccount", here, account);
        for binding in self.bindings.get(&(namespace, account)).into_iter().flatten() {
            found.push(DependsOn::applied((*binding).clone(), &format!("runs as {account}")));
        }
        self.named(
            found,
            "scheduling.k8s.io",
            "PriorityClass",
            None,
            text(pod, "priorityClassName"),
        );
        self.named(
            found,
            "node.k8s.io",
            "RuntimeClass",
            None,
            text(pod, "runtimeClassName"),
        );
        let mut secret = |name: &str| self.named(found, "", "Secret", here, name);
        for pull in items(&pod["imagePullSecrets"]) {
            secret(text(pull, "name"));
        }
        let sources = items(&pod["volumes"]).flat_map(|volume| {
            let projected = items(&volume["projected"]["sources"]);
            std::iter::once(volume).chain(projected)
        });
        for source in sources {
            // A projected Secret has `name`, a volume `secretName`.
            let held = &source["secret"];
            secret(text(held, "secretName"));
            secret(text(held, "name"));
            secret(text(&source["csi"]["nodePublishSecretRef"], "name"));
        }
        for container in containers(pod) {
            for variable in items(&container["env"]) {
                secret(text(&variable["valueFrom"]["secretKeyRef"], "name"));
            }
            for from in items(&container["envFrom"]) {
                secret(text(&from["secretRef"], "name"));
            }
        }
        let mut config = |name: &str| self.named(found, "", "ConfigMap", here, name);
        for volume in items(&pod["volumes"]) {
            config(text(&volume["configMap"], "name"));
            for source in items(&volume["projected"]["sources"]) {
                config(text(&source["configMap"], "name"));
            }
        }
        for container in containers(pod) {
            for variable in items(&container["env"]) {
                config(text(&variable["valueFrom"]["configMapKeyRef"], "name"));
            }
            for from in items(&container["envFrom"]) {
                config(text(&from["configMapRef"], "name"));
            }
        }
        for volume in items(&pod["volumes"]) {
            let claim = text(&volume["persistentVolumeClaim"], "claimName");
            self.named(found, "", "PersistentVolumeClaim", here, claim);
        }
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    items(&pod["initContainers"]).chain(items(&pod["containers"]))
}

/// The spec of the pods that an object makes, or is.
fn pod_of<'a>(group: &str, kind: &str, value: &'a Value) -> Option<&'a Value> {
    let spec = &value["spec"];
    match (group, kind) {
        ("", "Pod") => Some(spec),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => {
            Some(&spec["template"]["spec"])
        }
        ("batch", "CronJob") => Some(&spec["jobTemplate"]["spec"]["template"]["spec"]),
        _ => None,
    }
}

/// The accounts that a binding gives rights to: namespace and name.
fn accounts<'a>(binding: &'a Value, namespace: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    items(&binding["subjects"])
        .filter(|subject| subject["kind"] == "ServiceAccount")
        .map(move |subject| match text(subject, "namespace") {
            "" => (namespace, text(subject, "name")),
            of => (of, text(subject, "name")),
        })
}

/// The groups and plurals that a webhook configuration names, where a webhook that does not answer is a refusal.
fn judged(configuration: &Value) -> Vec<(&str, &str)> {
    let strict = items(&configuration["webhooks"]).filter(|webhook| webhook["failurePolicy"] != "Ignore");
    let mut found = Vec::new();
    for rule in strict.flat_map(|webhook| items(&webhook["rules"])) {
        for group in items(&rule["apiGroups"]).filter_map(Value::as_str) {
            let plurals = items(&rule["resources"]).filter_map(Value::as_str);
            found.extend(plurals.map(|plural| (group, plural.split('/').next().unwrap_or_default())));
        }
    }
    found
}

/// What a document waits for by what it is, whatever is said: the graph sees it too.
#[derive(Debug)]
pub(super) struct Nature {
    from: Address,
    to: Address,
    reason: String,
}

/// Which documents lie in a Namespace, or are of a kind, that a document makes too.
pub(super) fn natures(documents: &[(usize, Document<'_>)], addresses: &[Address], index: &Index<'_>) -> Vec<Nature> {
    let all = || documents.iter().map(|(_, document)| document).zip(addresses);
    let provided = |(document, address): (&Document<'_>, _)| Some((kinds::provided(&document.manifest)?.kind, address));
    let providers: BTreeMap<GroupKind, &Address> = all().filter_map(provided).collect();
    let mut natures = Vec::new();
    for (document, from) in all() {
        let object = document.manifest.object();
        let mut nature = |to: &Address, reason: String| {
            let (from, to) = (from.clone(), to.clone());
            natures.push(Nature { from, to, reason });
        };
        let home = object.namespace.as_ref().and_then(|namespace| {
            index.address(&ObjectKey {
                kind: GroupKind::new("", "Namespace"),
                namespace: None,
                name: namespace.clone(),
            })
        });
        if let Some(home) = home {
            nature(home, "lives there".to_owned());
        }
        if let Some(provider) = providers.get(&object.object_type.group_kind()) {
            nature(provider, format!("is a {}", object.object_type.kind));
        }
    }
    natures
}

/// Takes away edges that would close a circle with what is said, and with what documents are; returns the circles that
/// these make alone.
pub(super) fn without_knots(
    addresses: &[Address],
    natures: &[Nature],
    said: &[Vec<DependsOn>],
    gates: &[(Address, Vec<DependsOn>)],
    seen: &mut [Vec<DependsOn>],
) -> Vec<Cycle> {
    if said.iter().all(Vec::is_empty) && gates.is_empty() {
        // Kinds that wait for each other by fields alone make no circle: none of those that are waited for waits back.
        return Vec::new();
    }
    let edge = |from: &Address, to: &Address, reason: &str, source| Edge {
        from: from.clone(),
        to: to.clone(),
        until: Until::Applied,
        reason: reason.to_owned(),
        class: EdgeClass::Needs,
        source,
    };
    let own: BTreeSet<&Address> = addresses
        .iter()
        .chain(gates.iter().map(|(address, _)| address))
        .collect();
    for _ in 0..MOST_KNOTS {
        let said = addresses
            .iter()
            .zip(said)
            .chain(gates.iter().map(|(address, waits)| (address, waits)));
        let said = said.flat_map(|(from, waits)| waits.iter().map(move |on| (from, on, EdgeSource::Declared)));
        let seen_now = addresses.iter().zip(seen.iter());
        let seen_now =
            seen_now.flat_map(|(from, waits)| waits.iter().map(move |on| (from, on, EdgeSource::SameObject)));
        let edges: Vec<Edge> = said
            .chain(seen_now)
            .map(|(from, on, source)| (from, &on.address, on.reason.as_str(), source))
            .chain(
                natures
                    .iter()
                    .map(|Nature { from, to, reason }| (from, to, reason.as_str(), EdgeSource::Declared)),
            )
            .filter(|(_, to, ..)| own.contains(to))
            .map(|(from, to, reason, source)| edge(from, to, reason, source))
            .collect();
        let all = own.iter().map(|address| (*address).clone());
        let Err(errors) = Graph::of_edges(all, edges) else {
            return Vec::new();
        };
        let cycles: Vec<Cycle> = errors
            .into_iter()
            .filter_map(|error| match error {
                GraphError::Cycle(cycle) => Some(cycle),
                GraphError::Duplicate(_) | GraphError::Unknown { .. } | GraphError::Overlap { .. } => None,
            })
            .collect();
        let edges = cycles.iter().flat_map(Cycle::edges);
        let contradicting: BTreeSet<(Address, Address)> = edges
            .filter(|edge| edge.source == EdgeSource::SameObject)
            .map(|edge| (edge.from.clone(), edge.to.clone()))
            .collect();
        if contradicting.is_empty() {
            return cycles;
        }
        for (from, waits) in addresses.iter().zip(seen.iter_mut()) {
            waits.retain(|on| !contradicting.contains(&(from.clone(), on.address.clone())));
        }
    }
    seen.iter_mut().for_each(Vec::clear);
    Vec::new()
}
