//! A verdict on what the stack writes is about what was written: its status says of which generation it is, a part that
//! only the new one has is looked at, or it has to settle.

use super::*;
use stackctl_engine::{
    ObjectRef,
    readiness::{Matcher, Rule},
};
use std::time::Duration;

/// Kinds whose conditions, or whose status, have an `observedGeneration` in their definitions.
const SAY_THEIR_GENERATION: &[&str] = &[
    "AuthPolicy",
    "Certificate",
    "ClusterIssuer",
    "Gateway",
    "GatewayClass",
    "Issuer",
    "LLMInferenceService",
    "ModelRegistry",
    "RateLimitPolicy",
    "Tenant",
    "TokenRateLimitPolicy",
    "UIPlugin",
];

/// What of a rule may hold by a status of before: a field of the status, or a condition of a kind that says of no
/// generation. That a field is there at all is no verdict on what was asked for.
fn may_be_stale(rule: &Rule, kind: &str) -> bool {
    match rule {
        Rule::Field { path, is } => path.to_string().starts_with(".status") && *is != Matcher::NonEmpty,
        Rule::Condition { .. } | Rule::ConditionReason { .. } => !SAY_THEIR_GENERATION.contains(&kind),
        // What it says is not known here.
        Rule::Expression(_) => true,
        Rule::All(rules) => !rules.contains(&Rule::Observed) && rules.iter().any(|rule| may_be_stale(rule, kind)),
        Rule::Any(rules) => rules.iter().any(|rule| may_be_stale(rule, kind)),
        Rule::Not(rule) => may_be_stale(rule, kind),
        Rule::Exists | Rule::Observed | Rule::RolledOut | Rule::PodReady | Rule::ContainerStuck { .. } => false,
    }
}

#[test]
fn no_verdict_on_what_is_written_rests_on_a_status_that_may_be_of_before() {
    let (mut stale, mut settled) = (BTreeSet::new(), BTreeSet::new());
    for text in EVERY {
        for resource in compiled(&stack_of(text)) {
            let (object, ready, settle, has_parts): (&ObjectRef, &Rule, Duration, bool) = match &resource.node {
                Node::Object(object) => {
                    let named = object.manifest.object();
                    (named, &object.ready, object.settle, !object.parts.is_empty())
                }
                Node::Overlay(overlay) => (&overlay.target, &overlay.ready, overlay.settle, false),
                Node::Gate(_) | Node::Action(_) | Node::Check(_) => continue,
            };
            let kind = object.object_type.kind.as_str();
            if !settle.is_zero() {
                settled.insert(kind.to_owned());
            } else if may_be_stale(ready, kind) && !has_parts {
                stale.insert(format!("{kind} {}", resource.address));
            }
        }
    }
    assert_eq!(stale, BTreeSet::new());
    let expected = [
        "Authorino",
        "DSCInitialization",
        "HTTPRoute",
        "MaaSModelRef",
        "MaaSSubscription",
        "Route",
    ];
    assert_eq!(settled, expected.map(str::to_owned).into(), "no other has to wait");
}
