//! Acting as somebody else: the headers `Impersonate-*`, judged by the verb `impersonate`.
//!
//! Source: `k8s.io/apiserver/pkg/endpoints/filters/impersonation.go`, and what a kube-apiserver 1.34 answered.

use http::HeaderMap;

use super::attributes::{Attributes, ResourceTarget};
use crate::apiserver::identity::{ANONYMOUS, Identity, UNAUTHENTICATED};
use crate::apiserver::request::percent_decode;
use crate::apiserver::server::Server;
use crate::apiserver::status::Refusal;

const USER: &str = "impersonate-user";
const GROUP: &str = "impersonate-group";
const UID: &str = "impersonate-uid";
const EXTRA: &str = "impersonate-extra-";

/// Where users and their uids and extras are resources.
const AUTHENTICATION: &str = "authentication.k8s.io";

/// What the headers ask for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    user: Option<String>,
    groups: Vec<String>,
    uid: Option<String>,
    extra: Vec<(String, String)>,
}

impl Asked {
    fn of(headers: &HeaderMap) -> Self {
        let mut asked = Self::default();
        for (name, value) in headers {
            let value = value.to_str().unwrap_or_default().to_owned();
            match name.as_str() {
                USER => asked.user = Some(value).filter(|user| !user.is_empty()),
                GROUP => asked.groups.push(value),
                UID => asked.uid = Some(value).filter(|uid| !uid.is_empty()),
                other => {
                    if let Some(key) = other.strip_prefix(EXTRA) {
                        asked.extra.push((percent_decode(key).to_lowercase(), value));
                    }
                }
            }
        }
        asked
    }

    /// What would be impersonated besides a user, as Go prints the references.
    fn words(&self) -> String {
        let one = |kind: &str, name: &str, path: &str| format!("{{{kind}  {name}    {path}}}");
        let groups = self.groups.iter().map(|group| one("Group", group, ""));
        let extra = self.extra.iter().map(|(key, value)| one("UserExtra", value, key));
        let uid = self.uid.iter().map(|uid| one("UID", uid, ""));
        groups.chain(extra).chain(uid).collect::<Vec<_>>().join(" ")
    }

    /// Each right that is needed.
    fn rights(&self, user: &str) -> Vec<ResourceTarget> {
        let target = |group: &str, resource: &str, name: &str| ResourceTarget {
            group: group.to_owned(),
            resource: resource.to_owned(),
            name: name.to_owned(),
            ..ResourceTarget::default()
        };
        let mut rights = vec![match Identity::account_of(user) {
            Some((namespace, name)) => ResourceTarget {
                namespace: namespace.to_owned(),
                ..target("", "serviceaccounts", name)
            },
            None => target("", "users", user),
        }];
        rights.extend(self.groups.iter().map(|group| target("", "groups", group)));
        rights.extend(self.extra.iter().map(|(key, value)| ResourceTarget {
            subresource: key.clone(),
            ..target(AUTHENTICATION, "userextras", value)
        }));
        rights.extend(self.uid.iter().map(|uid| target(AUTHENTICATION, "uids", uid)));
        rights
    }
}

/// Returns who a request is to be judged as; none if that is whoever sends it.
///
/// # Errors
///
/// 403 without the right to act as that user, group, uid or extra; 500 for headers without a user, as the real server has it.
pub(super) fn impersonated(
    server: &Server,
    sender: &Identity,
    path: &str,
    headers: &HeaderMap,
) -> Result<Option<Identity>, Refusal> {
    let asked = Asked::of(headers);
    let Some(user) = &asked.user else {
        if asked == Asked::default() {
            return Ok(None);
        }
        let words = asked.words();
        return Err(Refusal::plain(
            500,
            format!("Internal Server Error: \"{path}\": requested [{words}] without impersonating a user"),
        ));
    };
    for target in asked.rights(user) {
        let attributes = Attributes::on("impersonate", target);
        let decision = server.decide(sender, &attributes);
        if !decision.is_allowed {
            return Err(attributes.refusal(sender, &decision.reason));
        }
    }
    let mut identity = match Identity::account_of(user) {
        Some((namespace, name)) if asked.groups.is_empty() => Identity::account(namespace, name),
        Some(_) | None => Identity::member(user.clone(), asked.groups.clone()),
    };
    if user == ANONYMOUS && !identity.groups.iter().any(|group| group == UNAUTHENTICATED) {
        identity.groups.push(UNAUTHENTICATED.to_owned());
    }
    identity.uid = asked.uid.clone().unwrap_or_default();
    for (key, value) in asked.extra {
        identity.extra.entry(key).or_default().push(value);
    }
    Ok(Some(identity.authenticated()))
}
