//! The normal form of a cluster's objects: what two runs of the same stack must agree on.
//!
//! Dropped, because it differs from run to run and means nothing:
//! - `uid` and `resourceVersion`, and how often an object was written: `metadata.generation`, and an `observedGeneration`
//!   that is that very one (one that lags behind stays);
//! - times (RFC 3339), uids within texts, and addresses of pods and services;
//! - generated names: five drawn letters behind the name of what an owner made, and names and numbers of bought nodes;
//! - that a remedy was run (`stackctl.dev/restarted-for`, `touched`, and who owns these), and the hash of a pod's template,
//!   which has it: whether a remedy's time comes is a matter of pace;
//! - drawn bytes: certificates and keys, and the data of Secrets (their keys stay);
//! - how many install plans OLM made in a namespace before one, which hangs on which Subscription it saw first;
//! - how often a Deployment was rolled out, which hangs on how fast its operator and others follow each other: its
//!   revision, and ReplicaSets that have no copies any more;
//! - the lineage of the state, its copy in the cluster, which has its serial, the lease on it, the simulator's own annotations, and the
//!   order of `managedFields`.
//!
//! Everything else stays.

use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, net::Ipv4Addr};

/// The letters that Kubernetes draws names from
/// (<https://github.com/kubernetes/apimachinery/blob/v0.34.0/pkg/util/rand/rand.go>).
const LETTERS: &str = "bcdfghjklmnpqrstvwxz2456789";
/// What a remedy leaves behind.
const REMEDIED: [&str; 2] = ["stackctl.dev/restarted-for", "stackctl.dev/touched"];
/// The networks of pods and of services (reference/platform.md §1).
const NETWORKS: [(Ipv4Addr, u32); 2] = [(Ipv4Addr::new(10, 128, 0, 0), 14), (Ipv4Addr::new(172, 30, 0, 0), 16)];

/// The objects as sorted lines `Kind namespace/name {…}`.
pub(crate) fn normal(objects: &BTreeMap<String, Value>) -> Vec<String> {
    let is_old = |key: &str, object: &Value| key.starts_with("ReplicaSet ") && object["spec"]["replicas"] == 0;
    let is_copy = |key: &str| key.starts_with("Secret stackctl/") || key.starts_with("Lease stackctl/");
    let names: BTreeMap<&str, String> = objects
        .iter()
        .filter_map(|(key, object)| generated(key, object))
        .collect();
    let form = Form {
        // Longer names first: one may be the beginning of another.
        names: {
            let mut names: Vec<_> = names.into_iter().collect();
            names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
            names
        },
    };
    let mut lines: Vec<String> = objects
        .iter()
        .filter(|(key, object)| !is_old(key, object) && !is_copy(key))
        .map(|(key, object)| format!("{} {}", form.text(key), form.object(object)))
        .collect();
    lines.sort();
    lines
}

/// The name of an object if it is generated, and what stands for it.
fn generated<'a>(key: &str, object: &'a Value) -> Option<(&'a str, String)> {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str()?;
    let is_bought = metadata["annotations"]
        .get("machine.openshift.io/machine")
        .is_some_and(|_| name.starts_with("ip-"));
    if is_bought {
        return Some((name, "<node>".to_owned()));
    }
    let hash = metadata["labels"]["pod-template-hash"].as_str().unwrap_or("-");
    if key.starts_with("ReplicaSet ") {
        let short = name.strip_suffix(hash)?;
        return Some((name, format!("{short}<hash>")));
    }
    let owners = metadata["ownerReferences"].as_array()?;
    let mut short = without_suffix(name)?;
    // A daemon's pod is named for its node first.
    if owners.iter().any(|owner| owner["kind"] == "DaemonSet") {
        short = without_suffix(short).unwrap_or(short);
    }
    let short = short.replace(&format!("-{hash}-"), "-<hash>-");
    Some((name, format!("{short}-<generated>")))
}

fn without_suffix(name: &str) -> Option<&str> {
    let (short, suffix) = name.rsplit_once('-')?;
    (suffix.len() == 5 && suffix.chars().all(|letter| LETTERS.contains(letter))).then_some(short)
}

struct Form<'a> {
    names: Vec<(&'a str, String)>,
}

impl Form<'_> {
    fn object(&self, object: &Value) -> Value {
        let mut object = object.clone();
        let generation = object["metadata"]["generation"].clone();
        forget_how_often(&mut object, &generation);
        if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
            status.remove("installPlanGeneration");
        }
        // Items of lists name no kind.
        let spec = object.get_mut("spec").and_then(Value::as_object_mut);
        if let Some(plan) = spec.filter(|spec| spec.contains_key("clusterServiceVersionNames")) {
            plan.remove("generation");
        }
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("generation");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.retain(|key, _| {
                    !key.contains("simulator.stackctl.dev/") && key != "deployment.kubernetes.io/revision"
                });
                if annotations.contains_key("stackctl.dev/lineage") {
                    annotations.insert("stackctl.dev/lineage".to_owned(), json!("<lineage>"));
                }
            }
            if let Some(entries) = metadata.get_mut("managedFields").and_then(Value::as_array_mut) {
                entries.sort_by_key(|entry| {
                    ["manager", "operation", "subresource"].map(|field| entry[field].as_str().unwrap_or("").to_owned())
                });
            }
        }
        let is_secret = object["kind"] == "Secret" || object["type"].is_string() && object["data"].is_object();
        if is_secret && let Some(data) = object["data"].as_object_mut() {
            data.values_mut().for_each(|value| *value = json!("<secret>"));
        }
        self.value(&object).unwrap_or_default()
    }

    /// The normal form of a value; nothing where it holds nothing but what is dropped.
    fn value(&self, value: &Value) -> Option<Value> {
        Some(match value {
            Value::Object(map) => {
                let mut fields = Map::new();
                let mut is_less = false;
                for (key, value) in map {
                    if ["uid", "resourceVersion"].contains(&key.as_str()) || key.contains("simulator.stackctl.dev/") {
                        continue;
                    }
                    let value = match key.as_str() {
                        // Whether a remedy was run.
                        key if REMEDIED.iter().any(|mark| key.ends_with(mark)) => None,
                        "pod-template-hash" if value.is_string() => Some(json!("<hash>")),
                        _ => self.value(value),
                    };
                    is_less |= value.is_none();
                    fields.extend(value.map(|value| (self.text(key), value)));
                }
                let is_left = fields.keys().any(|key| key != ".");
                if is_less && (!is_left || map.contains_key("fieldsV1") && !fields.contains_key("fieldsV1")) {
                    return None;
                }
                Value::Object(fields)
            }
            Value::Array(items) => items.iter().filter_map(|item| self.value(item)).collect(),
            Value::String(text) => Value::String(self.text(text)),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    fn text(&self, text: &str) -> String {
        // PEM, and the same in base64.
        if text.contains("-----BEGIN ") || text.starts_with("LS0tLS1CRUdJTi") {
            return "<certificate>".to_owned();
        }
        let mut text = text.to_owned();
        for (name, stands_for) in &self.names {
            if text.contains(name) {
                text = text.replace(name, stands_for);
            }
        }
        words(&text)
    }
}

/// Says of each `observedGeneration` that is the present one just that.
fn forget_how_often(value: &mut Value, generation: &Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if key == "observedGeneration" && value == generation && !value.is_null() {
                    *value = json!("<present>");
                } else {
                    forget_how_often(value, generation);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| forget_how_often(item, generation)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Replaces the words of a text that are uids, times or addresses.
fn words(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut word = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_alphanumeric() || "-.:".contains(character) {
            word.push(character);
        } else {
            normal.push_str(stands_for(&word));
            word.clear();
            normal.push(character);
        }
    }
    normal.pop();
    normal
}

fn stands_for(word: &str) -> &str {
    if is_uid(word) {
        "<uid>"
    } else if is_time(word) {
        "<time>"
    } else if is_address(word) {
        "<address>"
    } else if is_instance(word) {
        "<instance>"
    } else {
        word
    }
}

fn is_uid(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| {
            part.bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        })
}

fn is_time(word: &str) -> bool {
    let shape = |text: &str| -> String { text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect() };
    let whole = word
        .strip_suffix('Z')
        .map(|time| time.split_once('.').map_or(time, |(whole, _)| whole));
    whole.is_some_and(|whole| shape(whole) == "0000-00-00T00:00:00")
}

/// The number of a bought machine, as in `aws:///eu-west-1a/i-x7k2p`.
fn is_instance(word: &str) -> bool {
    without_suffix(word) == Some("i")
}

fn is_address(word: &str) -> bool {
    word.parse::<Ipv4Addr>().is_ok_and(|address| {
        NETWORKS
            .iter()
            .any(|(network, bits)| (address.to_bits() ^ network.to_bits()) >> (32 - bits) == 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(objects: &[Value]) -> String {
        let keyed = objects.iter().map(|object| {
            let metadata = &object["metadata"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (
                format!(
                    "{} {}/{}",
                    text(&object["kind"]),
                    text(&metadata["namespace"]),
                    text(&metadata["name"])
                ),
                object.clone(),
            )
        });
        normal(&keyed.collect()).join("\n")
    }

    #[test]
    fn what_differs_from_run_to_run_is_dropped() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "web-abc12-0-x7k2p", "namespace": "n",
            "uid": "0a000000-0000-4000-a000-000000000001", "resourceVersion": "7", "generation": 3,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "u"}]},
            "status": {"podIP": "10.130.96.155", "startTime": "2026-01-01T00:00:00.123456Z", "observedGeneration": 3}});
        let secret = json!({"kind": "Secret", "metadata": {"name": "s"}, "data": {"password": "aGk="}});
        let claim = json!({"kind": "ConfigMap", "metadata": {"name": "c"},
            "data": {"pod": "web-abc12-0-x7k2p is 0a000000-0000-4000-a000-000000000001", "ca": "-----BEGIN CERTIFICATE-----"}});
        assert_eq!(
            of(&[pod, secret, claim]),
            concat!(
                r#"ConfigMap /c {"data":{"ca":"<certificate>","pod":"web-abc12-0-<generated> is <uid>"},"kind":"ConfigMap","metadata":{"name":"c"}}"#,
                "\n",
                r#"Pod n/web-abc12-0-<generated> {"kind":"Pod","metadata":{"creationTimestamp":"<time>","name":"web-abc12-0-<generated>","namespace":"n","ownerReferences":[{"kind":"Deployment","name":"web"}]},"status":{"observedGeneration":"<present>","podIP":"<address>","startTime":"<time>"}}"#,
                "\n",
                r#"Secret /s {"data":{"password":"<secret>"},"kind":"Secret","metadata":{"name":"s"}}"#
            )
        );
    }

    #[test]
    fn a_status_that_lags_behind_is_no_more_the_same() {
        let of_generation = |observed: u64| json!({"kind": "A", "metadata": {"name": "a", "generation": 3}, "status": {"observedGeneration": observed}});
        assert_ne!(of(&[of_generation(3)]), of(&[of_generation(2)]));
    }

    #[test]
    fn nothing_else_is_dropped() {
        for object in [
            json!({"kind": "Pod", "metadata": {"name": "web-x7k2p", "namespace": "n"}}),
            json!({"kind": "Service", "metadata": {"name": "s"}, "spec": {"clusterIP": "10.0.0.1", "port": 80}}),
            json!({"kind": "Kuadrant", "metadata": {"name": "k", "labels": {"a": "b"}, "annotations": {"c": "d"},
                "finalizers": ["f"], "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}]},
                "spec": {"generation": 1, "providerID": "vm-x7k2p"}, "status": {"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "True"}]}}),
            json!({"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"day": "2026-01-01", "version": "v1.2.3",
                "hash": "0a000000-0000-4000-a000-00000000000"}}),
        ] {
            let line = of(std::slice::from_ref(&object));
            let kept: Value = serde_json::from_str(&line[line.find('{').expect("an object")..]).expect("JSON");
            assert_eq!(kept, object);
        }
    }

    #[test]
    fn what_a_remedy_was_run_for_is_dropped_with_the_hash_that_has_it() {
        let pod = |hash: &str| {
            json!({"kind": "Pod", "metadata": {"name": format!("c-{hash}-0-x7k2p"),
            "labels": {"pod-template-hash": hash}, "annotations": {"stackctl.dev/restarted-for": hash},
            "ownerReferences": [{"kind": "Deployment", "name": "c"}]}})
        };
        assert_eq!(of(&[pod("wfh2r")]), of(&[pod("pwmxz")]));
        let mut unmended = pod("pwmxz");
        unmended["metadata"]
            .as_object_mut()
            .map(|metadata| metadata.remove("annotations"));
        assert_eq!(of(&[pod("wfh2r")]), of(&[unmended]));
        assert!(of(&[pod("wfh2r")]).starts_with("Pod /c-<hash>-0-<generated> "));
    }

    #[test]
    fn managed_fields_come_in_one_order() {
        let managed = |managers: [&str; 2]| json!({"kind": "A", "metadata": {"name": "a", "managedFields": managers.map(|m| json!({"manager": m}))}});
        assert_eq!(of(&[managed(["x", "y"])]), of(&[managed(["y", "x"])]));
    }
}
