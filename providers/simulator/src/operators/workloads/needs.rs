//! What a pod cannot start without: Secrets, ConfigMaps and claims of its volumes and its environment.
//!
//! Source: <https://kubernetes.io/docs/concepts/configuration/secret/#restriction-secret-must-exist>, the same page for
//! ConfigMaps; reference/serving.md §2.1 (the scheduler's TLS Secret, the token of a gated model, claims).
//!
//! Invariant: volumes are judged first, as a kubelet mounts before it makes containers.

use serde_json::Value;

use super::claims;
use crate::operators::kinds::{CONFIG_MAP, Kind, SECRET};
use crate::operators::object::Read;
use crate::operators::turn::Turn;

/// ConfigMaps that every namespace of an OpenShift has, and that nobody makes here: no pod waits for them.
const EVERYWHERE: [&str; 2] = ["kube-root-ca.crt", "openshift-service-ca.crt"];

/// Why a scheduled pod does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// A claim has no volume yet.
    Claim,
    /// A volume cannot be mounted: the pod waits without saying for what, which only an event tells.
    Volume {
        /// The volume.
        name: String,
        /// What it is made of and is not there, in a kubelet's words.
        why: String,
    },
    /// A variable cannot be set.
    Environment(String),
}

/// Returns what a pod needs and does not find.
pub(super) fn missing(turn: &Turn<'_>, pod: &Value) -> Option<Missing> {
    let volumes = pod.list("/spec/volumes").iter();
    let lacking = volumes.filter_map(|volume| Some((volume.text("/name").to_owned(), lacks(turn, pod, volume)?)));
    if let Some((name, why)) = lacking.into_iter().next() {
        return Some(Missing::Volume { name, why });
    }
    if claims::unbound(turn, pod) {
        return Some(Missing::Claim);
    }
    let containers = || {
        ["/spec/initContainers", "/spec/containers"]
            .into_iter()
            .flat_map(|list| pod.list(list))
    };
    let single = containers()
        .flat_map(|container| container.list("/env"))
        .find_map(|variable| {
            let of = |kind: Kind, pointer: &str| {
                let reference = variable.pointer(pointer)?;
                unset(turn, pod, kind, reference, reference.text("/key"))
            };
            of(SECRET, "/valueFrom/secretKeyRef").or_else(|| of(CONFIG_MAP, "/valueFrom/configMapKeyRef"))
        });
    let whole = || {
        containers()
            .flat_map(|container| container.list("/envFrom"))
            .find_map(|source| {
                let of = |kind: Kind, pointer: &str| unset(turn, pod, kind, source.pointer(pointer)?, "");
                of(SECRET, "/secretRef").or_else(|| of(CONFIG_MAP, "/configMapRef"))
            })
    };
    single.or_else(whole).map(Missing::Environment)
}

/// Returns why a reference to a key (any, if empty) of a Secret or ConfigMap leads nowhere, in a kubelet's words.
fn unset(turn: &Turn<'_>, pod: &Value, kind: Kind, reference: &Value, key: &str) -> Option<String> {
    let name = reference.text("/name");
    if reference.is_true("/optional") || name.is_empty() || EVERYWHERE.contains(&name) {
        return None;
    }
    let Some(found) = turn.world.get(kind, pod.namespace(), name) else {
        return Some(format!("{} \"{name}\" not found", kind.kind.to_lowercase()));
    };
    let held = key.is_empty() || found["data"].get(key).is_some();
    (!held).then(|| format!("couldn't find key {key} in {} {}/{name}", kind.kind, pod.namespace()))
}

/// Returns what a volume is made of and is not there, in a kubelet's words.
fn lacks(turn: &Turn<'_>, pod: &Value, volume: &Value) -> Option<String> {
    let absent = |kind: Kind, source: &Value, name: &str| {
        let may_lack = source.is_true("/optional") || name.is_empty() || EVERYWHERE.contains(&name);
        let lacks = !may_lack && turn.world.get(kind, pod.namespace(), name).is_none();
        lacks.then(|| format!("{} \"{name}\" not found", kind.kind.to_lowercase()))
    };
    absent(SECRET, &volume["secret"], volume.text("/secret/secretName"))
        .or_else(|| absent(CONFIG_MAP, &volume["configMap"], volume.text("/configMap/name")))
}
