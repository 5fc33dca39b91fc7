//! What a request asks for: its path, query and headers, read once.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};

use super::access::MASTERS;
use super::identity::Identity;
use super::kinds::{Kind, Kinds, Version};
use super::status::{Refusal, Subject};
use super::store::ObjectKey;

/// The query string.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pairs: BTreeMap<String, String>,
}

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(key), percent_decode(value))
        });
        Self { pairs: pairs.collect() }
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.pairs
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn is_set(&self, key: &str) -> bool {
        matches!(self.get(key), Some("true" | "1"))
    }

    /// Whether the query asks for a dry-run; other words than `All` are refused by [`super::options`].
    pub(super) fn is_dry_run(&self) -> bool {
        self.get("dryRun").is_some()
    }
}

/// Decodes `%41` and `+`.
pub(super) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while position < bytes.len() {
        let hex = bytes
            .get(position + 1..position + 3)
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match (bytes[position], hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                position += 3;
                continue;
            }
            (b'+', _) => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
        position += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The form that an answer is asked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Table,
    /// `PartialObjectMetadata` or its list.
    Metadata,
}

impl Form {
    /// The first form of the `Accept` header that is known.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accept = headers
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        for choice in accept.split(',') {
            let is_as = |form: &str| choice.split(';').any(|part| part.trim() == form);
            if !choice.trim_start().starts_with("application/json") && !choice.trim_start().starts_with("*/*") {
                continue;
            }
            if is_as("as=Table") {
                return Self::Table;
            }
            if is_as("as=PartialObjectMetadataList") || is_as("as=PartialObjectMetadata") {
                return Self::Metadata;
            }
            return Self::Plain;
        }
        Self::Plain
    }
}

/// How a patch is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PatchType {
    Json,
    Merge,
    Strategic,
    Apply,
}

/// A path below `/api` or `/apis` that names a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ResourcePath {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
}

impl ResourcePath {
    /// Reads a path; `None` if it names no resource (discovery, or nothing at all).
    pub(super) fn parse(path: &str) -> Option<Self> {
        let mut parts = path.split('/').filter(|part| !part.is_empty()).map(percent_decode_path);
        let (group, version) = match parts.next()?.as_str() {
            "api" => (String::new(), parts.next()?),
            "apis" => (parts.next()?, parts.next()?),
            _ => return None,
        };
        let rest: Vec<String> = parts.collect();
        let mut this = Self {
            group,
            version,
            ..Self::default()
        };
        let rest = match rest.as_slice() {
            // `namespaces/x/configmaps…`, but `namespaces/x`, `namespaces/x/status` and `…/finalize` are the Namespace.
            [first, namespace, plural, tail @ ..]
                if first == "namespaces" && !(tail.is_empty() && (plural == "status" || plural == "finalize")) =>
            {
                this.namespace = Some(namespace.clone());
                this.plural.clone_from(plural);
                tail
            }
            [plural, tail @ ..] => {
                this.plural.clone_from(plural);
                tail
            }
            [] => return None,
        };
        let mut rest = rest.iter();
        this.name = rest.next().cloned();
        let subresource: Vec<&str> = rest.map(String::as_str).collect();
        this.subresource = (!subresource.is_empty()).then(|| subresource.join("/"));
        Some(this)
    }
}

fn percent_decode_path(part: &str) -> String {
    percent_decode(&part.replace('+', "%2B"))
}

/// One request for a served resource.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) kind: Arc<Kind>,
    version: usize,
    pub(super) path: ResourcePath,
    pub(super) query: Query,
    pub(super) user: Identity,
    pub(super) agent: String,
    pub(super) form: Form,
    pub(super) content_type: String,
}

/// The field manager of a request with these headers.
pub(super) fn manager(query: &Query, headers: &HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    manager_of(query, agent.unwrap_or_default())
}

/// As asked, else the user agent up to the first `/` (§8).
fn manager_of(query: &Query, agent: &str) -> String {
    let of_agent = || {
        agent
            .split('/')
            .next()
            .filter(|agent| !agent.is_empty())
            .unwrap_or("unknown")
    };
    query.get("fieldManager").unwrap_or_else(of_agent).to_owned()
}

impl Call {
    /// Finds the kind that a path names.
    ///
    /// # Errors
    ///
    /// The three sorts of 404 (`reference/ssa-semantics.md` §7).
    pub(super) fn new(
        kinds: &Kinds,
        path: ResourcePath,
        query: Query,
        headers: &HeaderMap,
        user: Identity,
    ) -> Result<Self, Refusal> {
        let missing = || {
            if kinds.has_builtin_group(&path.group) {
                Refusal::resource_not_found()
            } else {
                Refusal::page_not_found()
            }
        };
        let kind = kinds.get(&path.group, &path.plural).ok_or_else(missing)?;
        let version = kind
            .versions
            .iter()
            .position(|version| version.name == path.version && version.is_served)
            .ok_or_else(missing)?;
        if !kind.is_namespaced && path.namespace.is_some() {
            return Err(missing());
        }
        let text = |name| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        Ok(Self {
            kind: Arc::clone(kind),
            version,
            query,
            user,
            agent: text(USER_AGENT),
            form: Form::of(headers),
            content_type: text(CONTENT_TYPE)
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            path,
        })
    }

    /// A request that the server makes of itself, in the storage version of the kind.
    pub(super) fn internal(kind: &Arc<Kind>, key: &ObjectKey, subresource: Option<&str>, user: Identity) -> Self {
        let agent = user.user.rsplit(':').next().unwrap_or_default().to_owned();
        // What the server does of itself is not judged.
        let user = Identity::member(user.user, [MASTERS.to_owned()]);
        Self {
            kind: Arc::clone(kind),
            version: kind.storage,
            path: ResourcePath {
                group: key.group.clone(),
                version: kind.storage_version().name.clone(),
                plural: key.plural.clone(),
                namespace: (!key.namespace.is_empty()).then(|| key.namespace.clone()),
                name: Some(key.name.clone()),
                subresource: subresource.map(ToOwned::to_owned),
            },
            query: Query::default(),
            user,
            agent,
            form: Form::Plain,
            content_type: String::new(),
        }
    }

    pub(super) fn version(&self) -> &Version {
        &self.kind.versions[self.version]
    }

    pub(super) fn name(&self) -> &str {
        self.path.name.as_deref().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.path.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn key(&self, name: &str) -> ObjectKey {
        ObjectKey {
            group: self.kind.stored_in.clone(),
            plural: self.kind.plural.clone(),
            namespace: self.namespace().to_owned(),
            name: name.to_owned(),
        }
    }

    pub(super) fn table(&self) -> (String, String) {
        (self.kind.stored_in.clone(), self.kind.plural.clone())
    }

    pub(super) fn subject<'a>(&'a self, name: &'a str) -> Subject<'a> {
        Subject {
            group: &self.kind.group,
            kind: &self.kind.kind,
            resource: &self.kind.plural,
            name,
        }
    }

    /// The field manager of an update.
    pub(super) fn manager(&self) -> String {
        manager_of(&self.query, &self.agent)
    }

    /// How the body of a PATCH is to be read.
    pub(super) fn patch_type(&self) -> Result<PatchType, Refusal> {
        match self.content_type.as_str() {
            "application/json-patch+json" => Ok(PatchType::Json),
            "application/merge-patch+json" => Ok(PatchType::Merge),
            "application/strategic-merge-patch+json" if !self.kind.is_custom() => Ok(PatchType::Strategic),
            "application/apply-patch+yaml" | "application/apply-patch+json" => Ok(PatchType::Apply),
            _ if self.kind.is_custom() => Err(Refusal::unsupported_media_type(
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            )),
            _ => Err(Refusal::unsupported_media_type(
                "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_resources() {
        let of = |path: &str| {
            let path = ResourcePath::parse(path).expect("a resource path");
            format!(
                "{}/{} {} {:?} {:?} {:?}",
                path.group, path.version, path.plural, path.namespace, path.name, path.subresource
            )
        };
        assert_eq!(of("/api/v1/namespaces/a"), "/v1 namespaces None Some(\"a\") None");
        assert_eq!(
            of("/api/v1/namespaces/a/status"),
            "/v1 namespaces None Some(\"a\") Some(\"status\")"
        );
        assert_eq!(
            of("/api/v1/namespaces/a/configmaps"),
            "/v1 configmaps Some(\"a\") None None"
        );
        assert_eq!(
            of("/apis/apps/v1/namespaces/a/deployments/d/scale"),
            "apps/v1 deployments Some(\"a\") Some(\"d\") Some(\"scale\")"
        );
        assert_eq!(ResourcePath::parse("/apis/apps/v1"), None);
    }
}
