//! Rules of RBAC as values: what one allows, and whether some cover others.
//!
//! Source: `k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac`, `pkg/apis/rbac/v1/evaluation_helpers.go` and
//! `k8s.io/component-helpers/auth/rbac/validation`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::attributes::{Attributes, Target};
use crate::apiserver::status::go_quote;

/// One rule of a Role or ClusterRole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::apiserver) struct Rule {
    pub(in crate::apiserver) verbs: Vec<String>,
    pub(in crate::apiserver) groups: Vec<String>,
    pub(in crate::apiserver) resources: Vec<String>,
    pub(in crate::apiserver) names: Vec<String>,
    pub(in crate::apiserver) paths: Vec<String>,
}

const ALL: &str = "*";

fn has(list: &[String], item: &str) -> bool {
    list.iter().any(|one| one == ALL || one == item)
}

fn has_all(list: &[String], items: &[String]) -> bool {
    has(list, ALL) || items.iter().all(|item| list.contains(item))
}

fn path_matches(pattern: &str, path: &str) -> bool {
    pattern == ALL || pattern == path || pattern.strip_suffix('*').is_some_and(|prefix| path.starts_with(prefix))
}

impl Rule {
    /// Everything, or every path.
    pub(in crate::apiserver) fn full_authority() -> [Self; 2] {
        let all = || vec![ALL.to_owned()];
        let resources = Self {
            verbs: all(),
            groups: all(),
            resources: all(),
            ..Self::default()
        };
        let paths = Self {
            verbs: all(),
            paths: all(),
            ..Self::default()
        };
        [resources, paths]
    }

    /// The rules of a list as the API writes them.
    pub(in crate::apiserver) fn list(rules: &Value) -> Vec<Self> {
        let texts = |rule: &Value, key: &str| -> Vec<String> {
            let items = rule[key].as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let rules = rules.as_array().into_iter().flatten();
        rules
            .map(|rule| Self {
                verbs: texts(rule, "verbs"),
                groups: texts(rule, "apiGroups"),
                resources: texts(rule, "resources"),
                names: texts(rule, "resourceNames"),
                paths: texts(rule, "nonResourceURLs"),
            })
            .collect()
    }

    /// The rule as a SelfSubjectRulesReview shows it.
    pub(in crate::apiserver) fn shown(&self) -> Value {
        let mut shown = json!({ "verbs": self.verbs });
        let parts = [
            ("apiGroups", &self.groups),
            ("resources", &self.resources),
            ("resourceNames", &self.names),
            ("nonResourceURLs", &self.paths),
        ];
        for (key, list) in parts {
            if !list.is_empty() {
                shown[key] = json!(list);
            }
        }
        shown
    }

    /// Whether it allows what is asked.
    pub(in crate::apiserver) fn allows(&self, asked: &Attributes) -> bool {
        if !has(&self.verbs, &asked.verb) {
            return false;
        }
        match &asked.target {
            Target::Path(path) => self.paths.iter().any(|pattern| path_matches(pattern, path)),
            Target::Resource(target) => {
                let below = format!("*/{}", target.subresource);
                has(&self.groups, &target.group)
                    && (has(&self.resources, &target.combined())
                        || !target.subresource.is_empty() && self.resources.contains(&below))
                    && (self.names.is_empty() || self.names.contains(&target.name))
            }
        }
    }

    fn covers(&self, part: &Self) -> bool {
        let resource = |wanted: &String| {
            let below = wanted.split_once('/').map(|(_, below)| format!("*/{below}"));
            self.resources.contains(wanted) || below.is_some_and(|below| self.resources.contains(&below))
        };
        let path = |wanted: &String| self.paths.iter().any(|pattern| path_matches(pattern, wanted));
        has_all(&self.verbs, &part.verbs)
            && has_all(&self.groups, &part.groups)
            && (has(&self.resources, ALL) || part.resources.iter().all(resource))
            && part.paths.iter().all(path)
            && (self.names.is_empty() || !part.names.is_empty() && has_all(&self.names, &part.names))
    }

    /// The rule in parts of one group, resource, name and verb, or of one path and verb.
    fn parts(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        let one = |text: &String| vec![text.clone()];
        for group in &self.groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    let part = Self {
                        verbs: one(verb),
                        groups: one(group),
                        resources: one(resource),
                        ..Self::default()
                    };
                    if self.names.is_empty() {
                        parts.push(part);
                    } else {
                        let named = |name| Self {
                            names: one(name),
                            ..part.clone()
                        };
                        parts.extend(self.names.iter().map(named));
                    }
                }
            }
        }
        for path in &self.paths {
            parts.extend(self.verbs.iter().map(|verb| Self {
                verbs: one(verb),
                paths: one(path),
                ..Self::default()
            }));
        }
        parts
    }

    /// `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`.
    fn compact(&self) -> String {
        let lists = [
            ("APIGroups", &self.groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.paths),
            ("ResourceNames", &self.names),
            ("Verbs", &self.verbs),
        ];
        let mut text = String::from("{");
        for (name, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
            let comma = if text.len() > 1 { ", " } else { "" };
            let quoted: Vec<String> = list.iter().map(|item| go_quote(item)).collect();
            let _ = write!(text, "{comma}{name}:[{}]", quoted.join(" "));
        }
        text.push('}');
        text
    }
}

/// Describes what of `wanted` is not in `held`, one line each, in their order; empty if all of it is.
pub(in crate::apiserver) fn missing(held: &[Rule], wanted: &[Rule]) -> Vec<String> {
    let parts = wanted.iter().flat_map(Rule::parts);
    let mut missing: Vec<Rule> = Vec::new();
    for part in parts.filter(|part| !held.iter().any(|rule| rule.covers(part))) {
        // Verbs on the same thing are told in one line; paths are not.
        let same = missing.iter_mut().find(|seen| {
            seen.paths.is_empty()
                && part.paths.is_empty()
                && (&seen.groups, &seen.resources, &seen.names) == (&part.groups, &part.resources, &part.names)
        });
        match same {
            Some(seen) => seen.verbs.extend(part.verbs),
            None => missing.push(part),
        }
    }
    let lines: BTreeSet<String> = missing.iter().map(Rule::compact).collect();
    lines.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apiserver::request::Query;

    fn rules(value: &Value) -> Vec<Rule> {
        Rule::list(value)
    }

    fn allows(rule: &Value, path: &str) -> bool {
        let asked = Attributes::of_request(&http::Method::GET, path, &Query::default());
        rules(&json!([rule])).iter().any(|rule| rule.allows(&asked))
    }

    #[test]
    fn a_rule_allows_what_it_names() {
        let on = |group: &str, resource: &str, verb: &str| json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]});
        let named = json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"], "resourceNames": ["a"]});
        let paths = json!({"nonResourceURLs": ["/healthz/*", "/version"], "verbs": ["get"]});
        let pods = "/api/v1/namespaces/n/pods";
        let scale = "/apis/apps/v1/namespaces/n/deployments/d/scale";
        let table = [
            (on("", "pods", "get"), "/api/v1/namespaces/n/pods/a", true),
            (on("", "pods", "get"), pods, false),
            (on("", "pods", "list"), pods, true),
            (on("*", "*", "*"), pods, true),
            (on("apps", "*", "*"), pods, false),
            (on("", "pods", "get"), "/api/v1/namespaces/n/pods/a/log", false),
            (on("", "pods/log", "get"), "/api/v1/namespaces/n/pods/a/log", true),
            (on("apps", "*/scale", "get"), scale, true),
            (
                on("apps", "*/scale", "get"),
                "/apis/apps/v1/namespaces/n/deployments/d",
                false,
            ),
            (on("apps", "deployments", "get"), scale, false),
            (on("apps", "*", "get"), scale, true),
            (on("*", "*", "*"), "/version", false),
            (named.clone(), "/api/v1/namespaces/n/configmaps/a", true),
            (named.clone(), "/api/v1/namespaces/n/configmaps/b", false),
            (named, "/api/v1/namespaces/n/configmaps", false),
            (paths.clone(), "/version", true),
            (paths.clone(), "/healthz/etcd", true),
            (paths.clone(), "/healthz", false),
            (paths, "/metrics", false),
        ];
        for (rule, path, expected) in table {
            assert_eq!(allows(&rule, path), expected, "{rule} on {path}");
        }
    }

    /// The texts are those of a kube-apiserver 1.34.
    #[test]
    fn what_is_missing_is_said_as_the_real_server_says_it() {
        let held = rules(&json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]));
        let wanted = rules(&json!([
            {"apiGroups": [""], "resources": ["secrets", "pods"], "verbs": ["get", "watch"]},
            {"nonResourceURLs": ["/x"], "verbs": ["get"]},
            {"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["d"], "verbs": ["get"]},
        ]));
        assert_eq!(
            missing(&held, &wanted),
            [
                r#"{APIGroups:[""], Resources:["pods"], Verbs:["watch"]}"#,
                r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get" "watch"]}"#,
                r#"{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["d"], Verbs:["get"]}"#,
                r#"{NonResourceURLs:["/x"], Verbs:["get"]}"#,
            ]
        );
        assert_eq!(missing(&Rule::full_authority(), &wanted), Vec::<String>::new());
    }

    #[test]
    fn rules_cover_others() {
        let on = |groups: &[&str], resources: &[&str], names: &[&str]| json!([{"apiGroups": groups, "resources": resources, "verbs": ["get"], "resourceNames": names}]);
        let table = [
            (on(&["*"], &["*"], &[]), on(&[""], &["pods"], &[]), true),
            (on(&[""], &["pods"], &[]), on(&[""], &["pods"], &["a"]), true),
            (on(&[""], &["pods"], &["a"]), on(&[""], &["pods"], &[]), false),
            (on(&[""], &["pods"], &["a", "b"]), on(&[""], &["pods"], &["a"]), true),
            (on(&[""], &["*/log"], &[]), on(&[""], &["pods/log"], &[]), true),
            (on(&[""], &["pods"], &[]), on(&["*"], &["pods"], &[]), false),
            (on(&[""], &["pods"], &[]), on(&[""], &["pods", "secrets"], &[]), false),
        ];
        for (held, wanted, expected) in table {
            let covered = missing(&rules(&held), &rules(&wanted)).is_empty();
            assert_eq!(covered, expected, "{held} covers {wanted}");
        }
    }
}
