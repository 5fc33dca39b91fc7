//! What is deleted and made again because a person asked for it, and what goes with it.
//!
//! Invariants:
//! - Whatever is contained in something that is replaced is replaced as well, however deep: it would go with it.
//! - Nothing that only needs it is: it waits again.
//! - What is asked for by name is in the plan, or it is an error.

use super::{
    Action, Inputs, PlanError, Reason, Step,
    fields::late,
    scope::{Partial, ScopeError},
    transition::expected,
    written::is_prevented,
};
use crate::{
    address::Address,
    execute::ProviderError,
    graph::{EdgeClass, Graph},
    late::{Late, LateSource},
    object_key::ObjectRef,
    recorded::{Recorded, RecordedNode},
    resource::{Consequence, ConsequenceClass, Node, Resource},
    survey::{Answer, Found},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Why something is deleted and made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// A person asked for it.
    Asked,
    /// It is contained in this, which is replaced.
    With(Address),
}

/// What is replaced: what was asked for, and what it contains.
///
/// # Errors
/// Addresses that the stack does not make, and those that the plan leaves out.
pub fn replaced(
    asked: &[Address],
    graph: &Graph,
    partial: Option<&Partial>,
) -> Result<BTreeMap<Address, Replaced>, Vec<ScopeError>> {
    let mut errors = Vec::new();
    let mut all: BTreeMap<Address, Replaced> = BTreeMap::new();
    for address in asked {
        if !graph.contains(address) {
            errors.push(ScopeError::Unknown {
                flag: "--replace",
                pattern: address.into(),
            });
        } else if let Some(why) = partial.and_then(|partial| partial.left_out.get(address)) {
            errors.push(ScopeError::ReplaceLeftOut {
                address: address.clone(),
                why: why.clone(),
            });
        }
        all.insert(address.clone(), Replaced::Asked);
    }
    let mut queue = asked.to_vec();
    while let Some(container) = queue.pop() {
        for edge in graph.dependents(&container) {
            if edge.class == EdgeClass::Contains && !all.contains_key(&edge.from) {
                all.insert(edge.from.clone(), Replaced::With(container.clone()));
                queue.push(edge.from.clone());
            }
        }
    }
    if errors.is_empty() { Ok(all) } else { Err(errors) }
}

/// Why a node has nothing that could be deleted and made again; `None` for a whole object.
pub(super) fn no_object_of_its_own(node: &Node) -> Option<&'static str> {
    match node {
        Node::Object(_) => None,
        Node::Overlay(_) => Some("only fields of its object are ours"),
        Node::Gate(_) => Some("it is a gate, which only waits"),
        Node::Action(_) => Some("it is an action, which makes nothing"),
        Node::Check(_) => Some("it is a check, which makes nothing"),
    }
}

/// What servers say of a change that an object cannot follow, where only another one of its name could.
///
/// Sources: k8s.io/apimachinery `pkg/api/validation/objectmeta.go` (`field is immutable`) and, of k8s.io/kubernetes,
/// `pkg/apis/core/validation` (claims, Services, ConfigMaps, Pods), `pkg/apis/apps/validation` (StatefulSets),
/// `pkg/apis/rbac/validation` (`cannot change roleRef`), `pkg/apis/storage/validation`; of k8s.io/apiextensions-apiserver
/// `pkg/apis/apiextensions/validation` (`must appear in spec.versions`).
const CANNOT_FOLLOW: [&str; 7] = [
    "immutable",
    "may not change",
    "can not be unset",
    "cannot change roleRef",
    "updates to ",
    "can not be less than",
    "must appear in spec.versions",
];

/// Whether a refusal is about a change that an object cannot follow.
pub(super) fn cannot_follow(cause: &ProviderError) -> bool {
    let ProviderError::Invalid { message, causes } = cause else {
        return false;
    };
    let says_so = |text: &str| CANNOT_FOLLOW.iter().any(|words| text.contains(words));
    match causes.as_slice() {
        [] => says_so(message),
        // Something else may be wrong with it, which another one would have as well.
        causes => causes.iter().all(|(_, text)| says_so(text)),
    }
}

/// What another object of its name would be, where the server refuses to make that of what is there and it is deleted
/// first.
pub(super) fn anew(inputs: &Inputs<'_>, resource: &Resource, known: Option<&Recorded>, found: &Found) -> Option<Value> {
    let is_asked = inputs.replaced.contains_key(&resource.address);
    match &found.answer {
        // Only here is the object looked into: of most it is known by now that nothing changes.
        Answer::Refused(cause) if is_asked && cannot_follow(cause) => {
            let live = found.live()?;
            let mut after = expected(live, resource, known.and_then(Recorded::object));
            // It is marked like the one before it.
            inputs.identity.mark(&mut after, &resource.address, resource.object()?);
            Some(after)
        }
        _ => None,
    }
}

/// Whether what it waits for directly is deleted and made again.
pub(super) fn waits_for_replaced(inputs: &Inputs<'_>, resource: &Resource) -> bool {
    let dependencies = inputs.graph.dependencies(&resource.address);
    dependencies
        .iter()
        .any(|edge| inputs.replaced.contains_key(&edge.to) && inputs.recorded.contains_key(&edge.to))
}

/// What becomes of something that is there and is replaced, or goes with what is.
pub(super) fn made_again(resource: &Resource, known: &Recorded, why: &Replaced) -> Result<(Action, Reason), PlanError> {
    let address = resource.address.clone();
    let reason = match why {
        Replaced::Asked => Reason::ReplaceAsked,
        Replaced::With(container) => Reason::ReplacedWith(container.clone()),
    };
    let RecordedNode::Object(_) = &known.node else {
        // Fields go with the object that they are on, and are taken anew on the next one.
        return Ok((Action::Create, reason));
    };
    if is_prevented(resource, Some(known)) {
        return Err(PlanError::Prevented { address });
    }
    let stays = match &known.destroy.retain {
        Some(why) => Some(format!("it stays: {why}")),
        None if !known.is_to_go() => Some("it was there before us, and is not ours to delete".to_owned()),
        None => None,
    };
    let used = generated_for(resource).map(|user| format!("its value was generated for {user}, which still uses it"));
    match (stays.or_else(|| used.filter(|_| *why == Replaced::Asked)), why) {
        (None, _) => Ok((Action::Replace, reason)),
        (Some(why), Replaced::Asked) => Err(PlanError::NotReplaceable { address, why }),
        (Some(why), Replaced::With(container)) => Err(PlanError::NotReplaceable {
            address: container.clone(),
            why: format!("{address} is in it, and {why}"),
        }),
    }
}

/// What was made with a generated value of a resource and does not work with another one, if there is such a value.
fn generated_for(resource: &Resource) -> Option<&ObjectRef> {
    late(resource).iter().find_map(|late| match &late.source {
        LateSource::Generated { unless_exists, .. } => unless_exists.as_ref(),
        LateSource::Object { .. } | LateSource::Input(_) | LateSource::Template { .. } => None,
    })
}

/// What is told of generated values that a replacement draws anew.
pub(super) fn drawn_anew(step: &Step, resource: &Resource) -> Option<Consequence> {
    let is_generated = |late: &Late| matches!(late.source, LateSource::Generated { .. });
    let object = step.object.as_ref().filter(|_| step.action == Action::Replace)?;
    late(resource).iter().any(is_generated).then(|| Consequence {
        class: ConsequenceClass::Disruption,
        text: format!("generates the secret values of {object} anew: what still uses the old ones fails"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Edge, EdgeSource, Until};

    #[test]
    fn a_refusal_is_of_what_cannot_follow_only_where_all_of_it_is() {
        let invalid = |texts: &[&str]| ProviderError::Invalid {
            message: "Deployment web is invalid".to_owned(),
            causes: texts
                .iter()
                .map(|text| (".spec".to_owned(), (*text).to_owned()))
                .collect(),
        };
        let immutable = "Invalid value: {}: field is immutable";
        assert!(cannot_follow(&invalid(&[immutable])));
        assert!(!cannot_follow(&invalid(&[immutable, "Required value"])));
        assert!(!cannot_follow(&invalid(&[])));
        assert!(!cannot_follow(&ProviderError::Schema("field is immutable".to_owned())));
    }

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    fn graph() -> Graph {
        let edge = |from: &str, to: &str, class| Edge {
            from: address(from),
            to: address(to),
            until: Until::Applied,
            reason: String::new(),
            class,
            source: EdgeSource::Declared,
        };
        let edges = [
            edge("in.it", "ns.object", EdgeClass::Contains),
            edge("over.it", "in.it", EdgeClass::Contains),
            edge("needs.it", "in.it", EdgeClass::Needs),
        ];
        Graph::of_edges(["ns.object", "in.it", "over.it", "needs.it"].map(address), edges).expect("acyclic")
    }

    #[test]
    fn what_it_contains_goes_along_however_deep_and_what_needs_it_does_not() {
        let all = replaced(&[address("ns.object")], &graph(), None).expect("in the stack");
        let expected = [
            (address("in.it"), Replaced::With(address("ns.object"))),
            (address("ns.object"), Replaced::Asked),
            (address("over.it"), Replaced::With(address("in.it"))),
        ];
        assert_eq!(all.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_the_stack_does_not_make_cannot_be_replaced() {
        let errors = replaced(&[address("no.such")], &graph(), None).expect_err("refused");
        assert_eq!(
            errors[0].to_string(),
            "`--replace no.such` names nothing that this stack makes or has recorded"
        );
    }
}
