//! What a request asks to do, as an authorizer sees it.
//!
//! Source: `k8s.io/apiserver/pkg/endpoints/request` (`RequestInfo`) and `…/handlers/responsewriters/errors.go` for the
//! words of a refusal; both were compared with a kube-apiserver 1.34.

use http::Method;
use serde_json::Value;

use crate::apiserver::identity::Identity;
use crate::apiserver::request::{Query, ResourcePath};
use crate::apiserver::status::{Refusal, Subject, go_quote};

/// A verb, and what it is to be done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apiserver) struct Attributes {
    pub(in crate::apiserver) verb: String,
    pub(in crate::apiserver) target: Target,
}

/// What something is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apiserver) enum Target {
    /// A resource: one object, or all of a kind, in a namespace or not.
    Resource(ResourceTarget),
    /// A path that is no resource, such as `/version`.
    Path(String),
}

/// A resource; what is not said is empty, as in rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::apiserver) struct ResourceTarget {
    pub(in crate::apiserver) group: String,
    pub(in crate::apiserver) resource: String,
    pub(in crate::apiserver) subresource: String,
    pub(in crate::apiserver) namespace: String,
    pub(in crate::apiserver) name: String,
}

impl ResourceTarget {
    /// `pods`, or `pods/log`.
    pub(in crate::apiserver) fn combined(&self) -> String {
        match self.subresource.as_str() {
            "" => self.resource.clone(),
            subresource => format!("{}/{subresource}", self.resource),
        }
    }
}

impl Attributes {
    /// What a request over HTTP asks.
    pub(in crate::apiserver) fn of_request(method: &Method, path: &str, query: &Query) -> Self {
        let Some(resource) = ResourcePath::parse(path) else {
            return Self {
                verb: method.as_str().to_lowercase(),
                target: Target::Path(path.to_owned()),
            };
        };
        let of_one = |one: &str, all: &str| if resource.name.is_some() { one } else { all }.to_owned();
        let verb = match *method {
            Method::POST => "create".to_owned(),
            Method::PUT => "update".to_owned(),
            Method::PATCH => "patch".to_owned(),
            Method::DELETE => of_one("delete", "deletecollection"),
            Method::GET | Method::HEAD if query.is_set("watch") => "watch".to_owned(),
            Method::GET | Method::HEAD => of_one("get", "list"),
            _ => String::new(),
        };
        let mut name = resource.name.unwrap_or_default();
        // A Namespace is in itself.
        let namespace = match resource.namespace {
            Some(namespace) => namespace,
            None if resource.group.is_empty() && resource.plural == "namespaces" => name.clone(),
            None => String::new(),
        };
        if name.is_empty()
            && matches!(verb.as_str(), "list" | "watch" | "deletecollection")
            && let Some(one) = query
                .get("fieldSelector")
                .and_then(|text| text.strip_prefix("metadata.name="))
        {
            one.clone_into(&mut name);
        }
        Self {
            verb,
            target: Target::Resource(ResourceTarget {
                group: resource.group,
                resource: resource.plural,
                subresource: resource.subresource.unwrap_or_default(),
                namespace,
                name,
            }),
        }
    }

    /// What a review asks about, given its spec; none unless it asks about exactly one thing.
    pub(in crate::apiserver) fn of_review(spec: &Value) -> Option<Self> {
        let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
        match (&spec["resourceAttributes"], &spec["nonResourceAttributes"]) {
            (resource @ Value::Object(_), Value::Null) => Some(Self {
                verb: text(resource, "verb"),
                target: Target::Resource(ResourceTarget {
                    group: text(resource, "group"),
                    resource: text(resource, "resource"),
                    subresource: text(resource, "subresource"),
                    namespace: text(resource, "namespace"),
                    name: text(resource, "name"),
                }),
            }),
            (Value::Null, path @ Value::Object(_)) => Some(Self {
                verb: text(path, "verb"),
                target: Target::Path(text(path, "path")),
            }),
            _ => None,
        }
    }

    /// What a cluster administrator's right for one verb on one resource is called.
    pub(in crate::apiserver) fn on(verb: &str, target: ResourceTarget) -> Self {
        Self {
            verb: verb.to_owned(),
            target: Target::Resource(target),
        }
    }

    /// The 403 that a user without the right gets; `reason` is what the authorizer adds.
    pub(in crate::apiserver) fn refusal(&self, user: &Identity, reason: &str) -> Refusal {
        let who = go_quote(&user.user);
        let verb = &self.verb;
        let because = if reason.is_empty() {
            String::new()
        } else {
            format!(": {reason}")
        };
        match &self.target {
            Target::Path(path) => {
                let path = go_quote(path);
                Refusal::forbidden_path(&format!("User {who} cannot {verb} path {path}{because}"))
            }
            Target::Resource(target) => {
                let place = match target.namespace.as_str() {
                    "" => "at the cluster scope".to_owned(),
                    namespace => format!("in the namespace {}", go_quote(namespace)),
                };
                let (resource, group) = (go_quote(&target.combined()), go_quote(&target.group));
                let subject = Subject {
                    group: &target.group,
                    kind: "",
                    resource: &target.resource,
                    name: &target.name,
                };
                let why = format!("User {who} cannot {verb} resource {resource} in API group {group} {place}{because}");
                Refusal::forbidden(subject, &why)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, path: &str) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let attributes = Attributes::of_request(method, path, &Query::parse(query));
        let verb = attributes.verb;
        match attributes.target {
            Target::Path(path) => format!("{verb} {path}"),
            Target::Resource(target) => {
                let (
                    what,
                    ResourceTarget {
                        group, namespace, name, ..
                    },
                ) = (target.combined(), target);
                format!("{verb} {what} of '{group}' in '{namespace}' named '{name}'")
            }
        }
    }

    #[test]
    fn requests_ask_for_verbs_on_resources_or_paths() {
        let table = [
            (
                Method::GET,
                "/api/v1/namespaces/n/pods",
                "list pods of '' in 'n' named ''",
            ),
            (
                Method::GET,
                "/api/v1/namespaces/n/pods/a",
                "get pods of '' in 'n' named 'a'",
            ),
            (
                Method::GET,
                "/api/v1/pods?watch=true",
                "watch pods of '' in '' named ''",
            ),
            (
                Method::GET,
                "/api/v1/namespaces/n/secrets?fieldSelector=metadata.name%3Da&watch=1",
                "watch secrets of '' in 'n' named 'a'",
            ),
            (
                Method::GET,
                "/api/v1/namespaces/n/pods/a/log",
                "get pods/log of '' in 'n' named 'a'",
            ),
            (
                Method::GET,
                "/api/v1/namespaces/n",
                "get namespaces of '' in 'n' named 'n'",
            ),
            (
                Method::PUT,
                "/api/v1/namespaces/n/finalize",
                "update namespaces/finalize of '' in 'n' named 'n'",
            ),
            (
                Method::POST,
                "/apis/apps/v1/namespaces/n/deployments",
                "create deployments of 'apps' in 'n' named ''",
            ),
            (
                Method::PATCH,
                "/apis/apps/v1/namespaces/n/deployments/d/scale",
                "patch deployments/scale of 'apps' in 'n' named 'd'",
            ),
            (
                Method::DELETE,
                "/api/v1/namespaces/n/pods",
                "deletecollection pods of '' in 'n' named ''",
            ),
            (Method::DELETE, "/api/v1/nodes/a", "delete nodes of '' in '' named 'a'"),
            (Method::GET, "/version", "get /version"),
            (Method::GET, "/apis/apps/v1", "get /apis/apps/v1"),
            (Method::POST, "/foo", "post /foo"),
        ];
        for (method, path, expected) in table {
            assert_eq!(asked(&method, path), expected, "{path}");
        }
    }

    /// As a kube-apiserver 1.34 answered.
    #[test]
    fn refusals_are_worded_as_the_real_servers() {
        let refused = |method, path: &str, reason| {
            let attributes = Attributes::of_request(&method, path, &Query::default());
            attributes.refusal(&Identity::named("x"), reason).message().to_owned()
        };
        assert_eq!(
            refused(Method::GET, "/api/v1/namespaces/n/pods", ""),
            r#"pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "n""#
        );
        assert_eq!(
            refused(Method::PATCH, "/apis/apps/v1/namespaces/n/deployments/d/scale", ""),
            r#"deployments.apps "d" is forbidden: User "x" cannot patch resource "deployments/scale" in API group "apps" in the namespace "n""#
        );
        assert_eq!(
            refused(Method::GET, "/api/v1/pods", "RBAC: no"),
            r#"pods is forbidden: User "x" cannot list resource "pods" in API group "" at the cluster scope: RBAC: no"#
        );
        assert_eq!(
            refused(Method::GET, "/foo", ""),
            r#"forbidden: User "x" cannot get path "/foo""#
        );
    }
}
