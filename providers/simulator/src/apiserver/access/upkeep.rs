//! What controllers of the control plane do about Roles and accounts: rules are gathered into aggregated ClusterRoles, and
//! Secrets get the tokens of accounts.
//!
//! Source: `k8s.io/kubernetes/pkg/controller/{clusterroleaggregation,serviceaccount}`.
//!
//! Left out: the end of a Secret whose account is not there; it waits for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::accounts::{ACCOUNT_NAME, ACCOUNT_UID, SECRET_TYPE};
use super::policy::GROUP;
use crate::apiserver::identity::Identity;
use crate::apiserver::selector;
use crate::apiserver::server::{Server, Work};
use crate::apiserver::store::{ObjectKey, Stored};

impl Server {
    /// What follows for access from a stored change or an end.
    pub(in crate::apiserver) fn access_after(&self, key: &ObjectKey, before: Option<&Stored>, after: Option<&Stored>) {
        match (key.group.as_str(), key.plural.as_str()) {
            (GROUP, plural) => {
                self.access.policy_changed();
                if plural == "clusterroles" && !self.access.is_aggregating.swap(true, Ordering::SeqCst) {
                    self.later(Work::AggregateRoles);
                }
            }
            ("", "secrets") if after.is_some_and(|secret| wants_token(&secret.value)) => {
                self.later(Work::AccountToken(key.clone()));
            }
            ("", "serviceaccounts") if before.is_none() && after.is_some() => {
                for secret in self.store.in_namespace(&key.namespace) {
                    if secret.plural == "secrets" && secret.group.is_empty() {
                        let asks = self.store.get(&secret).is_some_and(|stored| wants_token(&stored.value));
                        if asks {
                            self.later(Work::AccountToken(secret));
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// Gathers the rules of every ClusterRole that is made of others.
    pub(in crate::apiserver) fn aggregate_roles(&self) {
        self.access.is_aggregating.store(false, Ordering::SeqCst);
        let roles = self.all_of(GROUP, "clusterroles");
        for role in &roles {
            let Some(selectors) = role.value["aggregationRule"]["clusterRoleSelectors"].as_array() else {
                continue;
            };
            let gathered = gathered(role, &roles, selectors);
            let stored = role.value["rules"].as_array().map_or(&[] as &[Value], Vec::as_slice);
            if stored == gathered.as_slice() {
                continue;
            }
            let name = role.value["metadata"]["name"].as_str().unwrap_or_default();
            let key = ObjectKey {
                group: GROUP.to_owned(),
                plural: "clusterroles".to_owned(),
                namespace: String::new(),
                name: name.to_owned(),
            };
            let user = Identity::account("kube-system", "clusterrole-aggregation-controller");
            let changed = self.change_as(&key, None, &user, |role| role["rules"] = json!(gathered));
            if let Err(refusal) = changed {
                tracing::debug!(message = refusal.message(), name, "rules could not be gathered");
            }
        }
    }

    /// Puts the token of its account into a Secret.
    pub(in crate::apiserver) fn put_account_token(&self, key: &ObjectKey) {
        let Some(secret) = self.store.get(key).filter(|secret| wants_token(&secret.value)) else {
            return;
        };
        let name = secret.value["metadata"]["annotations"][ACCOUNT_NAME]
            .as_str()
            .unwrap_or_default();
        let account = ObjectKey {
            plural: "serviceaccounts".to_owned(),
            name: name.to_owned(),
            ..key.clone()
        };
        let Some(account) = self.store.get(&account) else {
            return;
        };
        let Some(token) = self.secret_token(&key.namespace, &key.name, name, account.uid()) else {
            return;
        };
        let user = Identity::account("kube-system", "token-controller");
        let changed = self.change_as(key, None, &user, |secret| {
            secret["metadata"]["annotations"][ACCOUNT_UID] = json!(account.uid());
            let data = &mut secret["data"];
            if !data.is_object() {
                *data = json!({});
            }
            data["token"] = json!(STANDARD.encode(token.reveal()));
            data["namespace"] = json!(STANDARD.encode(&key.namespace));
            if let Some(authority) = &self.access.authority {
                data["ca.crt"] = json!(STANDARD.encode(authority));
            }
        });
        if let Err(refusal) = changed {
            tracing::debug!(code = refusal.code, "a token could not be put into its Secret");
        }
    }
}

/// Whether a Secret is for the token of an account and does not hold one.
fn wants_token(secret: &Value) -> bool {
    secret["type"] == SECRET_TYPE
        && secret["data"]["token"].is_null()
        && secret["metadata"]["deletionTimestamp"].is_null()
        && secret["metadata"]["annotations"][ACCOUNT_NAME].is_string()
}

/// The rules of the other roles that the selectors choose, each once, by the names of their roles.
fn gathered(role: &Stored, roles: &[Arc<Stored>], selectors: &[Value]) -> Vec<Value> {
    let chosen = roles.iter().filter(|other| {
        other.uid() != role.uid()
            && selectors
                .iter()
                .any(|one| selector::chooses(one, &other.value["metadata"]["labels"]))
    });
    let mut rules: Vec<Value> = Vec::new();
    for rule in chosen.flat_map(|other| other.value["rules"].as_array().into_iter().flatten()) {
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
    rules
}
