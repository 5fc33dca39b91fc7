//! Who sends a request.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The group of everybody who is known.
pub(super) const AUTHENTICATED: &str = "system:authenticated";
/// The group of whoever sends no token.
pub(super) const UNAUTHENTICATED: &str = "system:unauthenticated";
/// Whoever sends no token.
pub(super) const ANONYMOUS: &str = "system:anonymous";
/// How the users that service accounts are begin.
const ACCOUNT: &str = "system:serviceaccount:";

/// A user as the API server sees one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The user's name, `kube:admin` or `system:serviceaccount:ns:name`.
    pub user: String,
    /// What tells the user from another of the same name; may be empty.
    pub uid: String,
    /// The groups the user is in.
    pub groups: Vec<String>,
    /// What the authenticator says besides.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Identity {
    /// Returns a user of that name without groups.
    pub fn named(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            ..Self::default()
        }
    }

    /// Returns a user of that name in these groups.
    pub fn member(user: impl Into<String>, groups: impl IntoIterator<Item = String>) -> Self {
        Self {
            user: user.into(),
            groups: groups.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Whoever sends no token.
    pub(super) fn anonymous() -> Self {
        Self::member(ANONYMOUS, [UNAUTHENTICATED.to_owned()])
    }

    /// The user that a service account is (`k8s.io/apiserver/pkg/authentication/serviceaccount`).
    pub(super) fn account(namespace: &str, name: &str) -> Self {
        Self::member(
            format!("{ACCOUNT}{namespace}:{name}"),
            [
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
            ],
        )
    }

    /// Namespace and name of the service account that this user name is of.
    pub(super) fn account_of(user: &str) -> Option<(&str, &str)> {
        user.strip_prefix(ACCOUNT)?.split_once(':')
    }

    /// The user, known to the server: in the group of those who are.
    pub(super) fn authenticated(mut self) -> Self {
        let is_placed = |group: &String| group == AUTHENTICATED || group == UNAUTHENTICATED;
        if self.user != ANONYMOUS && !self.groups.iter().any(is_placed) {
            self.groups.push(AUTHENTICATED.to_owned());
        }
        self
    }

    /// The user as a `UserInfo` of authentication.k8s.io/v1.
    pub(super) fn info(&self) -> Value {
        let mut info = json!({ "username": self.user });
        if !self.uid.is_empty() {
            info["uid"] = json!(self.uid);
        }
        if !self.groups.is_empty() {
            info["groups"] = json!(self.groups);
        }
        if !self.extra.is_empty() {
            info["extra"] = json!(self.extra);
        }
        info
    }
}
