//! Questions to the server that store nothing: may I, may he, who am I, who bears this token.
//!
//! Source: `k8s.io/kubernetes/pkg/registry/{authorization,authentication}`; answers and refusals as a kube-apiserver 1.34
//! gave them.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::accounts::ISSUER;
use super::attributes::{Attributes, Target};
use super::rules::Rule;
use crate::apiserver::identity::Identity;
use crate::apiserver::request::ResourcePath;
use crate::apiserver::server::Server;
use crate::apiserver::status::{FieldError, Refusal, Subject};
use crate::apiserver::token::Token;

/// A kind of question.
#[derive(Debug)]
pub(in crate::apiserver) struct Review {
    plural: &'static str,
    kind: &'static str,
    is_namespaced: bool,
}

const fn review(plural: &'static str, kind: &'static str) -> Review {
    Review {
        plural,
        kind,
        is_namespaced: false,
    }
}

/// The questions of each group.
pub(in crate::apiserver) const GROUPS: [(&str, &[Review]); 2] = [
    (
        "authentication.k8s.io",
        &[
            review("selfsubjectreviews", "SelfSubjectReview"),
            review("tokenreviews", "TokenReview"),
        ],
    ),
    (
        "authorization.k8s.io",
        &[
            Review {
                plural: "localsubjectaccessreviews",
                kind: "LocalSubjectAccessReview",
                is_namespaced: true,
            },
            review("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
            review("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
            review("subjectaccessreviews", "SubjectAccessReview"),
        ],
    ),
];

fn reviews_of(group: &str) -> &'static [Review] {
    GROUPS
        .iter()
        .find(|(name, _)| *name == group)
        .map_or(&[], |(_, reviews)| reviews)
}

/// Entries of the older discovery form.
pub(in crate::apiserver) fn resources(group: &str) -> impl Iterator<Item = Value> {
    reviews_of(group).iter().map(|review| {
        json!({"name": review.plural, "singularName": review.kind.to_lowercase(), "namespaced": review.is_namespaced,
            "kind": review.kind, "verbs": ["create"]})
    })
}

/// Groups of the aggregated discovery form.
pub(in crate::apiserver) fn aggregated_groups() -> impl Iterator<Item = Value> {
    GROUPS.iter().map(|(group, reviews)| {
        let resources: Vec<Value> = reviews
            .iter()
            .map(|review| {
                let scope = if review.is_namespaced { "Namespaced" } else { "Cluster" };
                json!({"resource": review.plural, "responseKind": {"group": group, "version": "v1", "kind": review.kind},
                    "scope": scope, "singularResource": review.kind.to_lowercase(), "verbs": ["create"]})
            })
            .collect();
        json!({"metadata": {"name": group, "creationTimestamp": null},
            "versions": [{"version": "v1", "resources": resources, "freshness": "Current"}]})
    })
}

impl Server {
    /// Answers a question of this user, who names himself so as a field manager.
    ///
    /// # Errors
    ///
    /// 404 for a kind that is none, 400 or 422 for a question that cannot be answered.
    pub(in crate::apiserver) fn review(
        &self,
        path: &ResourcePath,
        question: &Value,
        (user, manager): (&Identity, &str),
    ) -> Result<Value, Refusal> {
        let review = reviews_of(&path.group)
            .iter()
            .find(|review| review.plural == path.plural);
        let Some(review) =
            review.filter(|review| path.version == "v1" && review.is_namespaced == path.namespace.is_some())
        else {
            return Err(Refusal::resource_not_found());
        };
        let mut answer = question.clone();
        if !answer.is_object() {
            answer = json!({});
        }
        let spec = &question["spec"];
        let status = match review.kind {
            "SelfSubjectReview" => json!({ "userInfo": user.info() }),
            "TokenReview" => self.review_token(spec)?,
            "SelfSubjectRulesReview" => self.review_rules(spec, user)?,
            "SelfSubjectAccessReview" => self.review_access(spec, user)?,
            _ => {
                if let Some(namespace) = &path.namespace {
                    check_place(spec, namespace)?;
                }
                self.review_access(spec, &subject(spec)?)?
            }
        };
        answer["apiVersion"] = json!(format!("{}/v1", path.group));
        answer["kind"] = json!(review.kind);
        answer["status"] = status;
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut metadata = question["metadata"].clone();
        if !metadata.is_object() {
            metadata = json!({});
        }
        match review.kind {
            "SelfSubjectReview" => metadata["creationTimestamp"] = json!(now),
            "SelfSubjectRulesReview" => answer["spec"] = json!({}),
            _ => {
                metadata["managedFields"] = json!([{
                    "manager": manager, "operation": "Update", "apiVersion": answer["apiVersion"], "time": now,
                    "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": fields(spec)},
                }]);
            }
        }
        answer["metadata"] = metadata;
        Ok(answer)
    }

    fn review_access(&self, spec: &Value, user: &Identity) -> Result<Value, Refusal> {
        let asked = Attributes::of_review(spec).ok_or_else(|| {
            let detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            invalid(&FieldError::invalid_text("spec.resourceAttributes", "null", detail))
        })?;
        let decision = self.decide(user, &asked);
        let mut status = json!({ "allowed": decision.is_allowed });
        if !decision.reason.is_empty() {
            status["reason"] = json!(decision.reason);
        }
        Ok(status)
    }

    fn review_rules(&self, spec: &Value, user: &Identity) -> Result<Value, Refusal> {
        let namespace = spec["namespace"].as_str().unwrap_or_default();
        if namespace.is_empty() {
            return Err(Refusal::bad_request("no namespace on request"));
        }
        let (rules, errors) = if self.access.is_judged() {
            self.policy().rules_for(user, namespace)
        } else {
            (Rule::full_authority().into(), Vec::new())
        };
        let (paths, resources): (Vec<&Rule>, Vec<&Rule>) = rules.iter().partition(|rule| !rule.paths.is_empty());
        let shown = |rules: Vec<&Rule>| -> Vec<Value> { rules.into_iter().map(Rule::shown).collect() };
        let mut status = json!({
            "incomplete": !errors.is_empty(), "resourceRules": shown(resources), "nonResourceRules": shown(paths),
        });
        if !errors.is_empty() {
            status["evaluationError"] = json!(errors.join(", "));
        }
        Ok(status)
    }

    fn review_token(&self, spec: &Value) -> Result<Value, Refusal> {
        let token = spec["token"].as_str().unwrap_or_default();
        if token.is_empty() {
            return Err(Refusal::bad_request(
                "token is required for TokenReview in authentication",
            ));
        }
        let asked = spec["audiences"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let mut asked: Vec<&str> = asked.collect();
        if asked.is_empty() {
            asked.push(ISSUER);
        }
        let invalid = |error: String| json!({"user": {}, "error": error});
        let Some(bearer) = self.bearer(&Token::new(token)) else {
            return Ok(invalid("invalid bearer token".to_owned()));
        };
        let common: Vec<&str> = asked
            .iter()
            .copied()
            .filter(|one| bearer.audiences.iter().any(|own| own == one))
            .collect();
        if common.is_empty() && bearer.audiences == [ISSUER] {
            return Ok(invalid("invalid bearer token".to_owned()));
        }
        if common.is_empty() {
            let (own, asked) = (json!(bearer.audiences), json!(asked));
            return Ok(invalid(format!(
                "[invalid bearer token, token audiences {own} is invalid for the target audiences {asked}]"
            )));
        }
        Ok(json!({"authenticated": true, "user": bearer.identity.authenticated().info(), "audiences": common}))
    }
}

/// The fields of a question's spec, as managedFields name them.
fn fields(spec: &Value) -> Value {
    let mut named = json!({});
    for (key, value) in spec.as_object().into_iter().flatten() {
        let below = match value {
            Value::Null => continue,
            Value::String(text) if text.is_empty() => continue,
            Value::Object(_) => {
                let mut below = fields(value);
                below["."] = json!({});
                below
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => json!({}),
        };
        named[format!("f:{key}")] = below;
    }
    named
}

/// Whom a SubjectAccessReview is about.
fn subject(spec: &Value) -> Result<Identity, Refusal> {
    let texts = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let identity = Identity {
        user: spec["user"].as_str().unwrap_or_default().to_owned(),
        uid: spec["uid"].as_str().unwrap_or_default().to_owned(),
        groups: texts(&spec["groups"]),
        extra: spec["extra"]
            .as_object()
            .map(|extra| extra.iter().map(|(key, values)| (key.clone(), texts(values))).collect())
            .unwrap_or_default(),
    };
    if Attributes::of_review(spec).is_some() && identity.user.is_empty() && identity.groups.is_empty() {
        let detail = "at least one of user or group must be specified";
        return Err(invalid(&FieldError::invalid("spec.user", &json!(""), detail)));
    }
    Ok(identity)
}

/// A LocalSubjectAccessReview asks about its own namespace.
fn check_place(spec: &Value, namespace: &str) -> Result<(), Refusal> {
    let asked = match Attributes::of_review(spec).map(|asked| asked.target) {
        Some(Target::Resource(target)) => target.namespace,
        Some(Target::Path(_)) | None => return Ok(()),
    };
    if asked == namespace {
        return Ok(());
    }
    let detail = "must match metadata.namespace";
    Err(invalid(&FieldError::invalid(
        "spec.resourceAttributes.namespace",
        &json!(asked),
        detail,
    )))
}

fn invalid(error: &FieldError) -> Refusal {
    let subject = Subject {
        group: "authorization.k8s.io",
        kind: "",
        resource: "",
        name: "",
    };
    Refusal::invalid(subject, std::slice::from_ref(error))
}
