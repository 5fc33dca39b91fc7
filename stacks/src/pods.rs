//! Whose pods are behind an object: where a log is to be had.
//!
//! In: a live object. Out: which pods are its own, or which objects know more. Nothing is guessed: a selector, the labels
//! that a controller gives its pods, the name in a status, or the owners that the pods themselves name.

use crate::manifests::is_of_the_server;
use serde_json::Value;
use stackctl_engine::object_key::{ObjectRef, ObjectType};
use std::collections::BTreeMap;

/// Which of the pods of a model are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Those that serve it, prefill included.
    #[default]
    Workload,
    /// The one that chooses among them.
    Scheduler,
}

/// Where the pods of an object are.
#[derive(Clone, Debug, PartialEq)]
pub enum Behind {
    /// In its namespace, by a selector.
    Selected(PodSelector),
    /// Behind other objects.
    Objects(Vec<ObjectRef>),
    /// It is one.
    Itself,
    /// In its namespace, those whose owners lead to it.
    Owned,
    /// In its namespace, behind the objects of this type that it owns.
    OwnedObjects(ObjectType),
    /// Nowhere: nothing of this kind runs anything.
    Nowhere,
    /// Nothing says in which namespace: it belongs to the whole cluster.
    Anywhere,
    /// Not known yet; what it waits for.
    NotYet(String),
}

/// A label selector, as workloads have it (`metav1.LabelSelector`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodSelector {
    /// Labels that must be equal.
    pub labels: BTreeMap<String, String>,
    /// `matchExpressions`.
    expressions: Vec<Value>,
    /// The container that a person means by the log of such a pod, where its first is not that.
    pub container: Option<&'static str>,
}

impl PodSelector {
    /// Whether a pod is selected, by its labels.
    pub fn admits(&self, pod: &Value) -> bool {
        let labels = &pod["metadata"]["labels"];
        let is = |name: &str| labels[name].as_str();
        let equal = self.labels.iter().all(|(name, value)| is(name) == Some(value));
        equal
            && self.expressions.iter().all(|expression| {
                let found = expression["key"].as_str().and_then(is);
                let listed = || {
                    let values = expression["values"].as_array().into_iter().flatten();
                    values.filter_map(Value::as_str).any(|value| Some(value) == found)
                };
                match expression["operator"].as_str() {
                    Some("In") => listed(),
                    Some("NotIn") => !listed(),
                    Some("Exists") => found.is_some(),
                    Some("DoesNotExist") => found.is_none(),
                    _ => false,
                }
            })
    }
}

/// Says where the pods of a live object are.
pub fn behind(live: &Value, part: Part) -> Behind {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&live["apiVersion"]), text(&live["kind"]));
    let (namespace, name) = (live["metadata"]["namespace"].as_str(), text(&live["metadata"]["name"]));
    let object_type = ObjectType::new(&api_version, &kind);
    let beside = |api_version: &str, kind: &str, name: &str| ObjectRef {
        object_type: ObjectType::new(api_version, kind),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    };
    match (object_type.group(), kind.as_str()) {
        ("", "Pod") => Behind::Itself,
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => {
            selected(&live["spec"]["selector"])
        }
        ("batch", "CronJob") => Behind::OwnedObjects(ObjectType::new("batch/v1", "Job")),
        // reference/serving.md §1.3.4, "Observed objects": labels of the pods, names of the Deployments and containers.
        ("serving.kserve.io", "LLMInferenceService") => match part {
            Part::Workload => Behind::Selected(PodSelector {
                container: Some("main"),
                ..labelled(&[("app.kubernetes.io/name", &name), ("kserve.io/component", "workload")])
            }),
            Part::Scheduler => {
                let scheduler = format!("{name}-kserve-router-scheduler");
                Behind::Objects(vec![beside("apps/v1", "Deployment", &scheduler)])
            }
        },
        // The label that KServe finds the pods of one by
        // (<https://github.com/kserve/kserve/blob/v0.15.2/pkg/constants/constants.go>, `InferenceServicePodLabelKey`).
        ("serving.kserve.io", "InferenceService") => Behind::Selected(PodSelector {
            container: Some("kserve-container"),
            ..labelled(&[("serving.kserve.io/inferenceservice", &name)])
        }),
        // The pods of what it installed: its name is in the status (reference/platform.md, OLM).
        ("operators.coreos.com", "Subscription") => match text(&live["status"]["installedCSV"]) {
            csv if csv.is_empty() => Behind::NotYet(format!("Subscription {name} has installed nothing yet")),
            csv => Behind::Objects(vec![beside(
                "operators.coreos.com/v1alpha1",
                "ClusterServiceVersion",
                &csv,
            )]),
        },
        // `spec.install.spec.deployments` (operators.coreos.com/v1alpha1, ClusterServiceVersion).
        ("operators.coreos.com", "ClusterServiceVersion") => {
            let listed = live["spec"]["install"]["spec"]["deployments"].as_array();
            let names = listed.into_iter().flatten().filter_map(|one| one["name"].as_str());
            Behind::Objects(names.map(|name| beside("apps/v1", "Deployment", name)).collect())
        }
        // The other kinds of the API server itself run nothing.
        _ if is_of_the_server(&object_type) => Behind::Nowhere,
        _ if namespace.is_none() => Behind::Anywhere,
        _ => Behind::Owned,
    }
}

fn labelled(labels: &[(&str, &str)]) -> PodSelector {
    PodSelector {
        labels: labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..PodSelector::default()
    }
}

/// The pods that a workload selects. One without a selector selects none: an empty one would select all.
fn selected(selector: &Value) -> Behind {
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let labels: BTreeMap<_, _> = labels
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let expressions = selector["matchExpressions"].as_array().cloned().unwrap_or_default();
    if labels.is_empty() && expressions.is_empty() {
        return Behind::Nowhere;
    }
    Behind::Selected(PodSelector {
        labels,
        expressions,
        container: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(api_version: &str, kind: &str, rest: Value) -> Value {
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"namespace": "n", "name": "x"}});
        if let (Some(object), Value::Object(rest)) = (object.as_object_mut(), rest) {
            object.extend(rest);
        }
        object
    }

    #[test]
    fn a_workload_selects_by_labels_and_expressions() {
        let selector = json!({"matchLabels": {"app": "a"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["one", "two"]}, {"key": "canary", "operator": "DoesNotExist"}]});
        let deployment = object("apps/v1", "Deployment", json!({"spec": {"selector": selector}}));
        let Behind::Selected(selector) = behind(&deployment, Part::Workload) else {
            panic!("a selector");
        };
        let admits = |labels: Value| selector.admits(&json!({"metadata": {"labels": labels}}));
        assert!(admits(json!({"app": "a", "tier": "two"})));
        assert!(!admits(json!({"app": "a", "tier": "three"})));
        assert!(!admits(json!({"app": "a", "tier": "one", "canary": ""})));
        assert!(!admits(json!({"tier": "one"})));
    }

    #[test]
    fn nothing_selects_every_pod() {
        let empty = object("apps/v1", "Deployment", json!({"spec": {"selector": {}}}));
        assert_eq!(behind(&empty, Part::Workload), Behind::Nowhere);
    }

    #[test]
    fn a_subscription_leads_to_what_it_installed_and_that_to_its_deployments() {
        let api = "operators.coreos.com/v1alpha1";
        let pending = object(api, "Subscription", json!({"status": {"currentCSV": "o.v2"}}));
        assert!(matches!(behind(&pending, Part::Workload), Behind::NotYet(_)));
        let installed = object(api, "Subscription", json!({"status": {"installedCSV": "o.v1"}}));
        let csv = ObjectRef::namespaced(api, "ClusterServiceVersion", "n", "o.v1");
        assert_eq!(behind(&installed, Part::Workload), Behind::Objects(vec![csv]));
        let deployments = json!({"spec": {"install": {"spec": {"deployments": [{"name": "manager"}]}}}});
        let manager = ObjectRef::namespaced("apps/v1", "Deployment", "n", "manager");
        let csv = object(api, "ClusterServiceVersion", deployments);
        assert_eq!(behind(&csv, Part::Workload), Behind::Objects(vec![manager]));
    }

    #[test]
    fn a_model_has_workers_and_a_scheduler() {
        let model = object("serving.kserve.io/v1alpha1", "LLMInferenceService", json!({}));
        let Behind::Selected(workers) = behind(&model, Part::Workload) else {
            panic!("a selector");
        };
        assert_eq!(workers.labels["app.kubernetes.io/name"], "x");
        assert_eq!(workers.container, Some("main"));
        let scheduler = ObjectRef::namespaced("apps/v1", "Deployment", "n", "x-kserve-router-scheduler");
        assert_eq!(behind(&model, Part::Scheduler), Behind::Objects(vec![scheduler]));
    }

    #[test]
    fn a_custom_resource_has_the_pods_whose_owners_lead_to_it_and_a_config_map_has_none() {
        let kuadrant = object("kuadrant.io/v1beta1", "Kuadrant", json!({}));
        assert_eq!(behind(&kuadrant, Part::Workload), Behind::Owned);
        assert_eq!(
            behind(&object("v1", "ConfigMap", json!({})), Part::Workload),
            Behind::Nowhere
        );
    }
}
