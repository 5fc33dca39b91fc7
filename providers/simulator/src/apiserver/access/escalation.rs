//! Nobody gives a right that he does not have: what is asked of whoever writes a Role or a binding.
//!
//! Source: `k8s.io/kubernetes/pkg/registry/rbac/{clusterrole,role,clusterrolebinding,rolebinding}/policybased`; the words
//! are those that a kube-apiserver 1.34 answered.

use serde_json::{Map, Value};

use super::attributes::{Attributes, ResourceTarget};
use super::policy::{GROUP, MASTERS, RoleRef};
use super::rules::{self, Rule};
use crate::apiserver::identity::Identity;
use crate::apiserver::request::Call;
use crate::apiserver::server::Server;
use crate::apiserver::status::{Refusal, go_quote};

impl Server {
    /// Judges the write of a Role or a binding; other kinds pass.
    ///
    /// # Errors
    ///
    /// 403 with the rights that the user would give without having them.
    pub(in crate::apiserver) fn check_escalation(
        &self,
        call: &Call,
        name: &str,
        old: Option<&Value>,
        object: &Value,
    ) -> Result<(), Refusal> {
        let is_free = call.kind.group != GROUP || call.user.groups.iter().any(|group| group == MASTERS);
        if is_free || !self.access.is_judged() || old.is_some_and(|old| is_for_garbage_collection(old, object)) {
            return Ok(());
        }
        let refuse = |why: String| Refusal::forbidden(call.subject(name), &why);
        match call.kind.plural.as_str() {
            "roles" | "clusterroles" => {
                if self.may("escalate", call, &call.kind.plural, name) {
                    return Ok(());
                }
                self.check_given(call, &Rule::list(&object["rules"])).map_err(refuse)?;
                let aggregates = |role: &Value| {
                    let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array();
                    selectors.is_some_and(|selectors| !selectors.is_empty())
                };
                if aggregates(object) || old.is_some_and(aggregates) {
                    let has_all = self.check_given(call, &Rule::full_authority());
                    has_all.map_err(|_| {
                        refuse("must have cluster-admin privileges to use the aggregationRule".to_owned())
                    })?;
                }
                Ok(())
            }
            "rolebindings" | "clusterrolebindings" => {
                let role = RoleRef::of(object);
                let plural = if role.kind == "ClusterRole" {
                    "clusterroles"
                } else {
                    "roles"
                };
                if self.may("bind", call, plural, &role.name) {
                    return Ok(());
                }
                let policy = self.policy();
                let Ok(given) = policy.rules_of(&role, call.namespace()) else {
                    // As the real server: the role is missed under the resource of the request.
                    return Err(Refusal::not_found(call.subject(&role.name)));
                };
                self.check_given(call, given).map_err(refuse)
            }
            _ => Ok(()),
        }
    }

    fn may(&self, verb: &str, call: &Call, resource: &str, name: &str) -> bool {
        let target = ResourceTarget {
            group: GROUP.to_owned(),
            resource: resource.to_owned(),
            namespace: call.namespace().to_owned(),
            name: name.to_owned(),
            ..ResourceTarget::default()
        };
        self.decide(&call.user, &Attributes::on(verb, target)).is_allowed
    }

    /// Whether the user has all of these rules himself.
    fn check_given(&self, call: &Call, given: &[Rule]) -> Result<(), String> {
        let (held, errors) = self.policy().rules_for(&call.user, call.namespace());
        let missing = rules::missing(&held, given);
        if missing.is_empty() {
            return Ok(());
        }
        let Identity { user, groups, .. } = &call.user;
        let groups: Vec<String> = groups.iter().map(|group| go_quote(group)).collect();
        let unresolved = match errors.as_slice() {
            [] => String::new(),
            errors => format!("; resolution errors: [{}]", errors.join(" ")),
        };
        Err(format!(
            "user {} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}{unresolved}",
            go_quote(user),
            groups.join(" "),
            missing.join("\n")
        ))
    }
}

/// Whether only what garbage collection needs changes: owner references and finalizers.
fn is_for_garbage_collection(old: &Value, object: &Value) -> bool {
    let rest = |object: &Value| {
        let mut object = object.clone();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in ["ownerReferences", "finalizers", "managedFields", "resourceVersion"] {
                Map::remove(metadata, field);
            }
        }
        object
    };
    rest(old) == rest(object)
}
