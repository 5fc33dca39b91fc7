//! From the text of a file to documents.
//!
//! YAML is read as Kubernetes reads it: booleans of YAML 1.1, a key twice is an error, a `List` is its items.

use super::{FileLine, ManifestFile, ManifestsError};
use serde_json::Value;
use stackctl_engine::{Manifest, manifest::ManifestError};
use std::collections::{BTreeMap, BTreeSet};

/// The annotation that names what an object waits for.
pub(super) const DEPENDS_ON: &str = "config.kubernetes.io/depends-on";

/// One object and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) at: FileLine,
    pub(super) manifest: Manifest,
}

impl Document {
    /// What its annotation says it waits for.
    pub(super) fn depends_on(&self) -> Option<&str> {
        self.manifest.value()["metadata"]["annotations"][DEPENDS_ON].as_str()
    }
}

/// Reads every document of a file; what is wrong is added to `errors`.
pub(super) fn documents(file: &ManifestFile, errors: &mut Vec<ManifestsError>) -> Vec<Document> {
    let mut found = Vec::new();
    for (line, text) in split(&file.text) {
        let at = FileLine {
            file: file.name.clone(),
            line,
        };
        match serde_saphyr::from_str::<Value>(text) {
            Ok(Value::Null) => {}
            Ok(value) => objects(&at, value, &mut found, errors),
            Err(error) => errors.push(ManifestsError::Syntax {
                at: FileLine {
                    line: line
                        + error
                            .location()
                            .map_or(0, |location| location.line().saturating_sub(1) as usize),
                    ..at
                },
                why: first_line(&error.to_string()),
            }),
        }
    }
    found
}

/// The documents of a text, each with the line that it begins at.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        let bare = line.trim_end();
        if bare == "---" || bare.starts_with("--- #") {
            parts.push((start_line, &text[start..at - line.len()]));
            (start, start_line) = (at, index + 2);
        }
    }
    parts.push((start_line, &text[start..]));
    parts
}

/// The parser's first line says what is wrong; what follows it shows the text again.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn objects(at: &FileLine, mut value: Value, found: &mut Vec<Document>, errors: &mut Vec<ManifestsError>) {
    let is_list = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    if is_list && let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) {
        for item in items {
            objects(at, item, found, errors);
        }
        return;
    }
    match object(value) {
        Ok(manifest) => found.push(Document {
            at: at.clone(),
            manifest,
        }),
        Err((why, hint)) => errors.push(ManifestsError::NotAnObject {
            at: at.clone(),
            why,
            hint,
        }),
    }
}

fn object(mut value: Value) -> Result<Manifest, (String, &'static str)> {
    let Value::Object(map) = &mut value else {
        let why = "the document is no object of Kubernetes".to_owned();
        return Err((why, "begin it with `apiVersion:`, `kind:` and `metadata:`"));
    };
    // Generators write these two; they are the server's to say.
    map.remove("status");
    if let Some(Value::Object(metadata)) = map.get_mut("metadata")
        && metadata.get("creationTimestamp").is_some_and(Value::is_null)
    {
        metadata.remove("creationTimestamp");
    }
    let is_secret = map.get("kind").is_some_and(|kind| kind == "Secret");
    if is_secret && ["data", "stringData"].iter().any(|field| map.contains_key(*field)) {
        let why = "a Secret with its values in plain text would end up in the plan and the state".to_owned();
        return Err((
            why,
            "make the Secret outside of the stack, and name it where it is used",
        ));
    }
    Manifest::new(value).map_err(|error| {
        let hint = match &error {
            ManifestError::Missing(_) => "every object has `apiVersion`, `kind` and `metadata.name`",
            ManifestError::Null(_) => "leave the field out: a null would be stored as an empty value",
            ManifestError::StringData => "write base64 into `data`",
        };
        (error.to_string(), hint)
    })
}

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

/// Puts what names no namespace and needs one into `default`, as kubectl does: objects of the groups that every cluster
/// has, and of definitions that are among the documents. Of other kinds nothing is known here; they stay as written.
pub(super) fn place(documents: &mut [(usize, Document)]) {
    let mut scopes: BTreeMap<(String, String), bool> = BTreeMap::new();
    for (_, document) in documents.iter() {
        let value = document.manifest.value();
        if value["kind"] == "CustomResourceDefinition" {
            let text = |at: &Value| at.as_str().unwrap_or_default().to_owned();
            let spec = &value["spec"];
            let kind = (text(&spec["group"]), text(&spec["names"]["kind"]));
            scopes.insert(kind, spec["scope"] == "Namespaced");
        }
    }
    let cluster_wide: BTreeSet<(&str, &str)> = CLUSTER_WIDE.iter().copied().collect();
    for (_, document) in documents {
        let object_type = &document.manifest.object().object_type;
        let (group, kind) = (object_type.group(), object_type.kind.as_str());
        let is_common = COMMON_GROUPS.contains(&group);
        let needs_one = match scopes.get(&(group.to_owned(), kind.to_owned())) {
            Some(namespaced) => *namespaced,
            None => is_common && !cluster_wide.contains(&(group, kind)),
        };
        if needs_one && document.manifest.object().namespace.is_none() {
            let mut value = document.manifest.value().clone();
            value["metadata"]["namespace"] = Value::from("default");
            if let Ok(placed) = Manifest::new(value) {
                document.manifest = placed;
            }
        }
    }
}
