//! The Roles and bindings of the store, read once for each change of them, and what they let a user do.
//!
//! Invariants:
//! - What is decided is what is stored at that moment: every stored change of a Role or binding makes the policy anew.
//! - Bindings are looked at in the order of their names, those of the cluster first.
//!
//! Source: `k8s.io/kubernetes/pkg/registry/rbac/validation/rule.go`; the words of reasons are those that a kube-apiserver
//! 1.34 answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::attributes::{Attributes, Target};
use super::rules::Rule;
use crate::apiserver::identity::Identity;
use crate::apiserver::status::go_quote;
use crate::apiserver::store::Stored;

/// The group whose members may do everything, whatever rules say.
pub(in crate::apiserver) const MASTERS: &str = "system:masters";

/// The API group of Roles and bindings.
pub(in crate::apiserver) const GROUP: &str = "rbac.authorization.k8s.io";

/// Whether something is allowed, and what the authorizer says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apiserver) struct Decision {
    pub(in crate::apiserver) is_allowed: bool,
    /// Empty, or why.
    pub(in crate::apiserver) reason: String,
}

/// Which role a binding gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apiserver) struct RoleRef {
    /// `Role` or `ClusterRole`.
    pub(in crate::apiserver) kind: String,
    pub(in crate::apiserver) name: String,
}

impl RoleRef {
    pub(in crate::apiserver) fn of(binding: &Value) -> Self {
        let text = |key: &str| binding["roleRef"][key].as_str().unwrap_or_default().to_owned();
        Self {
            kind: text("kind"),
            name: text("name"),
        }
    }
}

#[derive(Clone, Debug)]
enum Subject {
    User(String),
    Group(String),
    ServiceAccount { namespace: String, name: String },
}

impl Subject {
    fn of(subject: &Value, namespace: &str) -> Option<Self> {
        let text = |key: &str| subject[key].as_str().unwrap_or_default().to_owned();
        match subject["kind"].as_str()? {
            "User" => Some(Self::User(text("name"))),
            "Group" => Some(Self::Group(text("name"))),
            "ServiceAccount" => {
                let own = text("namespace");
                let namespace = if own.is_empty() { namespace.to_owned() } else { own };
                Some(Self::ServiceAccount {
                    namespace,
                    name: text("name"),
                })
            }
            _ => None,
        }
    }

    fn is(&self, user: &Identity) -> bool {
        match self {
            Self::User(name) => *name == user.user,
            Self::Group(name) => user.groups.contains(name),
            Self::ServiceAccount { namespace, name } => {
                let account = user.user.strip_prefix("system:serviceaccount:");
                account.and_then(|account| account.split_once(':')) == Some((namespace, name))
            }
        }
    }

    fn words(&self) -> String {
        match self {
            Self::User(name) => format!("User {}", go_quote(name)),
            Self::Group(name) => format!("Group {}", go_quote(name)),
            Self::ServiceAccount { namespace, name } => {
                format!("ServiceAccount {}", go_quote(&format!("{name}/{namespace}")))
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Binding {
    name: String,
    /// Empty for one of the cluster.
    namespace: String,
    role: RoleRef,
    subjects: Vec<Subject>,
}

impl Binding {
    fn of(binding: &Value) -> Self {
        let text = |key: &str| binding["metadata"][key].as_str().unwrap_or_default().to_owned();
        let namespace = text("namespace");
        let subjects = binding["subjects"].as_array().into_iter().flatten();
        Self {
            name: text("name"),
            role: RoleRef::of(binding),
            subjects: subjects
                .filter_map(|subject| Subject::of(subject, &namespace))
                .collect(),
            namespace,
        }
    }

    fn words(&self, subject: &Subject) -> String {
        let (kind, name) = match self.namespace.as_str() {
            "" => ("ClusterRoleBinding", self.name.clone()),
            namespace => ("RoleBinding", format!("{}/{namespace}", self.name)),
        };
        let RoleRef { kind: of, name: role } = &self.role;
        format!(
            "{kind} {} of {of} {} to {}",
            go_quote(&name),
            go_quote(role),
            subject.words()
        )
    }
}

/// Every Role and binding.
#[derive(Debug, Default)]
pub(in crate::apiserver) struct Policy {
    cluster_roles: BTreeMap<String, Vec<Rule>>,
    roles: BTreeMap<(String, String), Vec<Rule>>,
    cluster_bindings: Vec<Binding>,
    bindings: BTreeMap<String, Vec<Binding>>,
}

impl Policy {
    /// Reads the four kinds, given every object of a plural.
    pub(in crate::apiserver) fn read(objects: impl Fn(&str) -> Vec<Arc<Stored>>) -> Self {
        let text = |object: &Value, key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
        let mut policy = Self::default();
        for stored in objects("clusterroles") {
            let role = &stored.value;
            policy
                .cluster_roles
                .insert(text(role, "name"), Rule::list(&role["rules"]));
        }
        for stored in objects("roles") {
            let role = &stored.value;
            let key = (text(role, "namespace"), text(role, "name"));
            policy.roles.insert(key, Rule::list(&role["rules"]));
        }
        policy.cluster_bindings = objects("clusterrolebindings")
            .iter()
            .map(|stored| Binding::of(&stored.value))
            .collect();
        for binding in objects("rolebindings").iter().map(|stored| Binding::of(&stored.value)) {
            policy
                .bindings
                .entry(binding.namespace.clone())
                .or_default()
                .push(binding);
        }
        policy
    }

    /// The rules of a role, seen from a binding in this namespace.
    ///
    /// # Errors
    ///
    /// The words of a server that does not find it.
    pub(in crate::apiserver) fn rules_of(&self, role: &RoleRef, namespace: &str) -> Result<&[Rule], String> {
        let (found, kind) = match role.kind.as_str() {
            "ClusterRole" => (self.cluster_roles.get(&role.name), "clusterrole"),
            _ => (self.roles.get(&(namespace.to_owned(), role.name.clone())), "role"),
        };
        found
            .map(Vec::as_slice)
            .ok_or_else(|| format!("{kind}.{GROUP} {} not found", go_quote(&role.name)))
    }

    /// Goes through the rules that a user has in a namespace (in the cluster as a whole if it is empty), each with the
    /// binding that gives it, until `visit` says that it is enough. Returns the roles that were not found.
    fn visit(
        &self,
        user: &Identity,
        namespace: &str,
        mut visit: impl FnMut(&Rule, &Binding, &Subject) -> bool,
    ) -> Vec<String> {
        let in_namespace = self.bindings.get(namespace).filter(|_| !namespace.is_empty());
        let mut errors = Vec::new();
        for binding in self.cluster_bindings.iter().chain(in_namespace.into_iter().flatten()) {
            let Some(subject) = binding.subjects.iter().find(|subject| subject.is(user)) else {
                continue;
            };
            match self.rules_of(&binding.role, &binding.namespace) {
                Ok(rules) => {
                    if rules.iter().any(|rule| visit(rule, binding, subject)) {
                        return errors;
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        errors
    }

    /// Every rule that a user has, and the roles that were not found.
    pub(in crate::apiserver) fn rules_for(&self, user: &Identity, namespace: &str) -> (Vec<Rule>, Vec<String>) {
        let mut rules = Vec::new();
        let errors = self.visit(user, namespace, |rule, _, _| {
            rules.push(rule.clone());
            false
        });
        (rules, errors)
    }

    /// Decides whether a user may do something.
    pub(in crate::apiserver) fn decide(&self, user: &Identity, asked: &Attributes) -> Decision {
        if user.groups.iter().any(|group| group == MASTERS) {
            return Decision {
                is_allowed: true,
                reason: String::new(),
            };
        }
        let namespace = match &asked.target {
            Target::Resource(target) => target.namespace.as_str(),
            Target::Path(_) => "",
        };
        let mut allowed = None;
        let errors = self.visit(user, namespace, |rule, binding, subject| {
            if rule.allows(asked) {
                allowed = Some(format!("RBAC: allowed by {}", binding.words(subject)));
            }
            allowed.is_some()
        });
        let denied = match errors.as_slice() {
            [] => String::new(),
            [one] => format!("RBAC: {one}"),
            many => format!("RBAC: [{}]", many.join(", ")),
        };
        Decision {
            is_allowed: allowed.is_some(),
            reason: allowed.unwrap_or(denied),
        }
    }
}
