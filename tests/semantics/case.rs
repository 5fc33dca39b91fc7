//! Cases as they are written down: one file a family, one request a line.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::{fs, path::PathBuf};

/// The cases of one file.
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
}

/// One behaviour.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// One request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// `VERB path?query`: GET, POST, PUT, DELETE, or a patch by its name (APPLY, MERGE, JSON, STRATEGIC), or WATCH.
    /// A path that does not begin with `/` is in the case's own namespace.
    #[serde(rename = "do")]
    pub(crate) request: String,
    /// The field manager.
    #[serde(default)]
    pub(crate) by: String,
    /// Whom the request is sent as, and after commas the groups; empty for an administrator.
    #[serde(default, rename = "as")]
    pub(crate) user: String,
    /// The body; kind, name and version are filled in where they are left out.
    ///
    /// Here and in the request, `$NS` is the case's namespace, `$UID:c` and `$RV:c` are of the last answer about the
    /// object `c`, `$FIRST` is the resource version of the first answer, `$CONTINUE` the token of the last page.
    #[serde(default)]
    pub(crate) body: Value,
    /// Asks again until this code is answered, within a deadline; only that answer is recorded.
    #[serde(default)]
    pub(crate) until: Option<u16>,
    /// For WATCH: how many events are read.
    #[serde(default)]
    pub(crate) events: usize,
    /// Records the code alone, where the rest depends on when it is asked.
    #[serde(default)]
    pub(crate) quiet: bool,
}

/// Short names of what the cases are about: plural, group and version, kind.
const KINDS: &[(&str, &str, &str)] = &[
    ("configmaps", "v1", "ConfigMap"),
    ("secrets", "v1", "Secret"),
    ("services", "v1", "Service"),
    ("deployments", "apps/v1", "Deployment"),
    ("leases", "coordination.k8s.io/v1", "Lease"),
    ("things", "sem.stackctl.dev/v1", "Thing"),
    ("ruleds", "sem.stackctl.dev/v1", "Ruled"),
];

impl Family {
    /// Every family, by name.
    pub(crate) fn all() -> Vec<Self> {
        let folder = folder().join("cases");
        let mut files: Vec<_> = fs::read_dir(&folder)
            .expect("the cases are there")
            .map(|entry| entry.expect("readable").path())
            .collect();
        files.sort();
        files
            .into_iter()
            .map(|file| Self {
                name: file.file_stem().expect("a name").to_string_lossy().into_owned(),
                cases: yaml(&fs::read_to_string(&file).expect("readable"))
                    .unwrap_or_else(|error| panic!("{}: {error}", file.display())),
            })
            .collect()
    }
}

/// Reads YAML with the booleans of YAML 1.2, so that `y` stays a letter.
pub(crate) fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, serde_saphyr::Error> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options)
}

/// Where cases and recordings are.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/semantics")
}

impl Step {
    pub(crate) fn verb(&self) -> &str {
        self.request.split(' ').next().unwrap_or_default()
    }

    /// The path on the server, with query and field manager; what stands for earlier answers is still to be filled in.
    pub(crate) fn uri(&self, namespace: &str) -> String {
        let target = self.request.split_once(' ').map_or("", |(_, target)| target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = if path.starts_with('/') {
            path.replace("$NS", namespace)
        } else {
            let plural = path.split('/').next().unwrap_or_default();
            let (_, version, _) = kind_of(plural);
            let root = if version.contains('/') { "apis" } else { "api" };
            format!("/{root}/{version}/namespaces/{namespace}/{path}")
        };
        let mut parts: Vec<String> = query
            .split('&')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        if self.verb() == "WATCH" {
            parts.push("watch=true".to_owned());
        }
        if !self.by.is_empty() {
            parts.push(format!("fieldManager={}", self.by));
        }
        format!("{path}?{}", parts.join("&"))
    }

    /// The body with what every body has.
    pub(crate) fn filled(&self) -> Value {
        let target = self.request.split_once(' ').map_or("", |(_, target)| target);
        let path = target.split('?').next().unwrap_or_default();
        let mut body = self.body.clone();
        let is_whole = ["APPLY", "POST", "PUT"].contains(&self.verb());
        let segments: Vec<_> = path.split('/').collect();
        if let (true, false, Value::Object(map)) = (is_whole, path.starts_with('/'), &mut body) {
            let (_, version, kind) = kind_of(segments[0]);
            map.entry("apiVersion").or_insert_with(|| json!(version));
            map.entry("kind").or_insert_with(|| json!(kind));
            let metadata = map.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
            if let (Some(name), None) = (segments.get(1), metadata.get("name")) {
                metadata["name"] = json!(name);
            }
        }
        body
    }
}

fn kind_of(plural: &str) -> (&'static str, &'static str, &'static str) {
    let found = KINDS.iter().find(|(name, _, _)| *name == plural);
    *found.unwrap_or_else(|| panic!("`{plural}` is no kind of these cases"))
}
