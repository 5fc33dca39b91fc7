//! What a step of a destroy waits for, as it stands on disk.

use super::names::{StoredObject, StoredPath, StoredType};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stackctl_engine::readiness::{Expression, Matcher, Observation, Rule, Target, Unjudged};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredObservation {
    target: StoredTarget,
    ready: StoredRule,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<StoredRule>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum StoredTarget {
    Named(StoredObject),
    Every(StoredSelection),
    Some(StoredSelection),
    Linked {
        from: StoredObject,
        at: StoredPath,
        of: StoredType,
    },
    Copied {
        to: StoredObject,
        at: StoredPath,
        from: StoredObject,
        of: StoredPath,
    },
    Prefixed {
        of: StoredType,
        namespace: String,
        prefixes: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unless_labelled: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredSelection {
    of: StoredType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    labels: BTreeMap<String, String>,
    at_least: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StoredRule {
    Exists,
    Condition {
        kind: String,
        status: String,
    },
    ConditionReason {
        kind: String,
        reasons: Vec<String>,
    },
    Field {
        path: StoredPath,
        is: StoredMatcher,
    },
    Observed,
    /// The text alone. No step of a destroy has one: people's expressions are about what is applied.
    Expression(String),
    RolledOut,
    PodReady,
    ContainerStuck {
        reasons: Vec<String>,
    },
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredMatcher {
    NonEmpty,
    Equals(Value),
    OneOf(Vec<Value>),
    AtLeast(i64),
    ContainsText(String),
    Holds(Value),
    AllStartWith(Vec<String>),
}

impl From<&Observation> for StoredObservation {
    fn from(observation: &Observation) -> Self {
        let Observation { target, ready, failed } = observation;
        Self {
            target: target.into(),
            ready: ready.into(),
            failed: failed.as_ref().map(StoredRule::from),
        }
    }
}

impl From<StoredObservation> for Observation {
    fn from(StoredObservation { target, ready, failed }: StoredObservation) -> Self {
        Self {
            target: target.into(),
            ready: ready.into(),
            failed: failed.map(Rule::from),
        }
    }
}

impl From<&Target> for StoredTarget {
    fn from(target: &Target) -> Self {
        match target {
            Target::Named(object) => Self::Named(object.into()),
            Target::Every {
                of,
                namespace,
                labels,
                at_least,
            } => Self::Every(StoredSelection {
                of: of.into(),
                namespace: namespace.clone(),
                labels: labels.clone(),
                at_least: *at_least,
            }),
            Target::Some {
                of,
                namespace,
                labels,
                at_least,
            } => Self::Some(StoredSelection {
                of: of.into(),
                namespace: namespace.clone(),
                labels: labels.clone(),
                at_least: *at_least,
            }),
            Target::Linked { from, at, of } => Self::Linked {
                from: from.into(),
                at: at.into(),
                of: of.into(),
            },
            Target::Copied { to, at, from, of } => Self::Copied {
                to: to.into(),
                at: at.into(),
                from: from.into(),
                of: of.into(),
            },
            Target::Prefixed {
                of,
                namespace,
                prefixes,
                unless_labelled,
            } => Self::Prefixed {
                of: of.into(),
                namespace: namespace.clone(),
                prefixes: prefixes.clone(),
                unless_labelled: unless_labelled.clone(),
            },
        }
    }
}

impl From<StoredTarget> for Target {
    fn from(stored: StoredTarget) -> Self {
        match stored {
            StoredTarget::Named(object) => Self::Named(object.into()),
            StoredTarget::Every(StoredSelection {
                of,
                namespace,
                labels,
                at_least,
            }) => Self::Every {
                of: of.into(),
                namespace,
                labels,
                at_least,
            },
            StoredTarget::Some(StoredSelection {
                of,
                namespace,
                labels,
                at_least,
            }) => Self::Some {
                of: of.into(),
                namespace,
                labels,
                at_least,
            },
            StoredTarget::Linked { from, at, of } => Self::Linked {
                from: from.into(),
                at: at.into(),
                of: of.into(),
            },
            StoredTarget::Copied { to, at, from, of } => Self::Copied {
                to: to.into(),
                at: at.into(),
                from: from.into(),
                of: of.into(),
            },
            StoredTarget::Prefixed {
                of,
                namespace,
                prefixes,
                unless_labelled,
            } => Self::Prefixed {
                of: of.into(),
                namespace,
                prefixes,
                unless_labelled,
            },
        }
    }
}

impl From<&Rule> for StoredRule {
    fn from(rule: &Rule) -> Self {
        match rule {
            Rule::Exists => Self::Exists,
            Rule::Condition { kind, status } => Self::Condition {
                kind: kind.clone(),
                status: status.clone(),
            },
            Rule::ConditionReason { kind, reasons } => Self::ConditionReason {
                kind: kind.clone(),
                reasons: reasons.clone(),
            },
            Rule::Field { path, is } => Self::Field {
                path: path.into(),
                is: is.into(),
            },
            Rule::Observed => Self::Observed,
            Rule::Expression(expression) => Self::Expression(expression.text().to_owned()),
            Rule::RolledOut => Self::RolledOut,
            Rule::PodReady => Self::PodReady,
            Rule::ContainerStuck { reasons } => Self::ContainerStuck {
                reasons: reasons.clone(),
            },
            Rule::All(rules) => Self::All(rules.iter().map(Self::from).collect()),
            Rule::Any(rules) => Self::Any(rules.iter().map(Self::from).collect()),
            Rule::Not(rule) => Self::Not(Box::new(rule.as_ref().into())),
        }
    }
}

impl From<StoredRule> for Rule {
    fn from(stored: StoredRule) -> Self {
        match stored {
            StoredRule::Exists => Self::Exists,
            StoredRule::Condition { kind, status } => Self::Condition { kind, status },
            StoredRule::ConditionReason { kind, reasons } => Self::ConditionReason { kind, reasons },
            StoredRule::Field { path, is } => Self::Field {
                path: path.into(),
                is: is.into(),
            },
            StoredRule::Observed => Self::Observed,
            StoredRule::Expression(text) => Self::Expression(Expression::new(&text, |_| {
                Err(Unjudged::NotYet("only its text was recorded".to_owned()))
            })),
            StoredRule::RolledOut => Self::RolledOut,
            StoredRule::PodReady => Self::PodReady,
            StoredRule::ContainerStuck { reasons } => Self::ContainerStuck { reasons },
            StoredRule::All(rules) => Self::All(rules.into_iter().map(Self::from).collect()),
            StoredRule::Any(rules) => Self::Any(rules.into_iter().map(Self::from).collect()),
            StoredRule::Not(rule) => Self::Not(Box::new((*rule).into())),
        }
    }
}

impl From<&Matcher> for StoredMatcher {
    fn from(matcher: &Matcher) -> Self {
        match matcher {
            Matcher::NonEmpty => Self::NonEmpty,
            Matcher::Equals(value) => Self::Equals(value.clone()),
            Matcher::OneOf(values) => Self::OneOf(values.clone()),
            Matcher::AtLeast(least) => Self::AtLeast(*least),
            Matcher::ContainsText(text) => Self::ContainsText(text.clone()),
            Matcher::Holds(item) => Self::Holds(item.clone()),
            Matcher::AllStartWith(starts) => Self::AllStartWith(starts.clone()),
        }
    }
}

impl From<StoredMatcher> for Matcher {
    fn from(stored: StoredMatcher) -> Self {
        match stored {
            StoredMatcher::NonEmpty => Self::NonEmpty,
            StoredMatcher::Equals(value) => Self::Equals(value),
            StoredMatcher::OneOf(values) => Self::OneOf(values),
            StoredMatcher::AtLeast(least) => Self::AtLeast(least),
            StoredMatcher::ContainsText(text) => Self::ContainsText(text),
            StoredMatcher::Holds(item) => Self::Holds(item),
            StoredMatcher::AllStartWith(starts) => Self::AllStartWith(starts),
        }
    }
}
