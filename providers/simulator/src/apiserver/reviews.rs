//! Questions to the server that store nothing: may I, who am I.
//!
//! There is no authorization here yet: whoever is known may do everything.

use serde_json::{Value, json};

use super::identity::Identity;

/// Group, plural and kind of each review.
pub(super) const GROUPS: [(&str, &[(&str, &str)]); 2] = [
    ("authentication.k8s.io", &[("selfsubjectreviews", "SelfSubjectReview")]),
    (
        "authorization.k8s.io",
        &[
            ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
            ("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
            ("subjectaccessreviews", "SubjectAccessReview"),
        ],
    ),
];

fn kinds_of(group: &str) -> &'static [(&'static str, &'static str)] {
    GROUPS
        .iter()
        .find(|(name, _)| *name == group)
        .map_or(&[], |(_, kinds)| kinds)
}

/// Entries of the older discovery form.
pub(super) fn resources(group: &str) -> impl Iterator<Item = Value> {
    kinds_of(group).iter().map(|(plural, kind)| {
        json!({"name": plural, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind, "verbs": ["create"]})
    })
}

/// Groups of the aggregated discovery form.
pub(super) fn aggregated_groups() -> impl Iterator<Item = Value> {
    GROUPS.iter().map(|(group, kinds)| {
        let resources: Vec<Value> = kinds
            .iter()
            .map(|(plural, kind)| {
                json!({"resource": plural, "responseKind": {"group": group, "version": "v1", "kind": kind},
                    "scope": "Cluster", "singularResource": kind.to_lowercase(), "verbs": ["create"]})
            })
            .collect();
        json!({"metadata": {"name": group, "creationTimestamp": null},
            "versions": [{"version": "v1", "resources": resources, "freshness": "Current"}]})
    })
}

/// Answers a review, if this is one.
pub(super) fn answer(group: &str, plural: &str, question: &Value, user: &Identity) -> Option<Value> {
    let (_, kind) = kinds_of(group).iter().find(|(name, _)| *name == plural)?;
    let mut answer = question.clone();
    if !answer.is_object() {
        answer = json!({});
    }
    answer["apiVersion"] = json!(format!("{group}/v1"));
    answer["kind"] = json!(kind);
    answer["status"] = match *kind {
        "SelfSubjectReview" => json!({ "userInfo": { "username": user.user, "groups": user.groups } }),
        "SelfSubjectRulesReview" => json!({"incomplete": false, "nonResourceRules": [],
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]}),
        _ => json!({ "allowed": true }),
    };
    Some(answer)
}
