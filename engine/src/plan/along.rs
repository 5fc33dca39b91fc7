//! What a plan means to leave and takes along all the same: the server deletes what is in an object that goes.
//!
//! Facts: Kubernetes deletes what is in a namespace before the namespace
//! (<https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/>), and an object whose every owner is
//! gone (<https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents>).
//!
//! Invariants:
//! - Told is every recorded object that no step deletes and whose container a step deletes, also to make it again, and also
//!   of what a plan of a part of a stack leaves out.
//! - What its controller makes again is nobody's loss.
//!
//! Deliberately absent: what nobody recorded (`others`), and the objects of a definition that goes (`definitions`): whoever can
//! ask the cluster tells of those.

use super::{Action, Excess, Plan, Reason};
use crate::{
    address::Address,
    object_key::ObjectRef,
    recorded::{Origin, Recorded, RecordedNode},
    resource::{Consequence, ConsequenceClass},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// An object that goes with another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Along {
    /// Its resource.
    pub address: Address,
    /// The object.
    pub object: ObjectRef,
    /// The object's uid, as far as it is known: another object of that name is another loss.
    pub uid: Option<String>,
    /// Why it would not go by itself.
    pub stays: Stays,
    /// The resource of what takes it along.
    pub container: Address,
    /// The object that takes it along.
    pub with: ObjectRef,
}

/// Why an object would not go by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stays {
    /// It was there before us.
    WasThereBefore,
    /// It is to stay, for this reason.
    Retained(String),
    /// The stack has it, or the plan is not about it.
    Kept,
    /// Nobody recorded it: it is somebody else's.
    NotOfTheStack,
    /// The stack says that it is removed from it and left as it is.
    LetGo,
    /// The stack says that nothing may destroy it.
    Prevented,
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WasThereBefore => f.write_str("it was there before us"),
            Self::Retained(why) => write!(f, "it is to stay: {why}"),
            Self::Kept => f.write_str("the plan keeps it"),
            Self::NotOfTheStack => f.write_str("it is not of this stack"),
            Self::LetGo => f.write_str("the stack leaves it as it is ([[removed]])"),
            Self::Prevented => f.write_str("it may not be destroyed (prevent_destroy)"),
        }
    }
}

/// What goes along with what a plan deletes, in order of address. `recorded` is all that is recorded, also of a stack that
/// is planned in part; `live` gives the present object of an address.
pub fn along<'a>(
    plan: &Plan,
    recorded: &BTreeMap<Address, Recorded>,
    live: impl Fn(&Address) -> Option<&'a Value>,
) -> Vec<Along> {
    let actions: BTreeMap<&Address, Action> = plan.steps.iter().map(|step| (&step.address, step.action)).collect();
    let going: Vec<(&Address, &ObjectRef, &str)> = recorded
        .iter()
        .filter(|(address, known)| deletes(actions.get(address), known))
        .filter_map(|(address, known)| match &known.node {
            RecordedNode::Object(object) => Some((address, &object.object, object.uid.as_str())),
            RecordedNode::Overlay { .. } | RecordedNode::Gate | RecordedNode::Action { .. } => None,
        })
        .collect();
    if going.is_empty() {
        return Vec::new();
    }
    let uids: BTreeMap<&str, usize> = (0..).zip(&going).map(|(place, (.., uid))| (*uid, place)).collect();
    let namespaces: BTreeMap<&str, usize> = (0..)
        .zip(&going)
        .filter(|(_, (_, object, _))| object.is_namespace())
        .map(|(place, (_, object, _))| (object.name.as_str(), place))
        .collect();
    let let_go: BTreeSet<&Address> = plan
        .steps
        .iter()
        .filter(|step| step.reasons.contains(&Reason::LetGo))
        .map(|step| &step.address)
        .collect();
    let mut all = Vec::new();
    for (address, known) in recorded {
        let RecordedNode::Object(object) = &known.node else {
            continue;
        };
        if let_go.contains(address) {
            continue;
        }
        let action = actions.get(address);
        let goes_itself = deletes(action, known) || action == Some(&Action::Forget);
        if goes_itself || known.destroy.self_recreating {
            continue;
        }
        let in_namespace = object.object.namespace.as_deref().and_then(|name| namespaces.get(name));
        let Some(place) = in_namespace.copied().or_else(|| owner(live(address)?, &uids)) else {
            continue;
        };
        let (container, with, _) = going[place];
        let stays = match (&known.destroy.retain, object.origin) {
            _ if known.destroy.prevent => Stays::Prevented,
            (Some(why), _) => Stays::Retained(why.clone()),
            (None, Origin::Adopted) if !known.destroy.delete_adopted => Stays::WasThereBefore,
            (None, Origin::Adopted | Origin::Created) => Stays::Kept,
        };
        all.push(Along {
            address: address.clone(),
            object: object.object.clone(),
            uid: Some(object.uid.clone()),
            stays,
            container: container.clone(),
            with: with.clone(),
        });
    }
    for step in &plan.steps {
        let Some(object) = step.object.as_ref().filter(|_| step.reasons.contains(&Reason::LetGo)) else {
            continue;
        };
        if let Some(place) = object.namespace.as_deref().and_then(|name| namespaces.get(name)) {
            let (container, with, _) = going[*place];
            all.push(Along {
                address: step.address.clone(),
                object: object.clone(),
                uid: None,
                stays: Stays::LetGo,
                container: container.clone(),
                with: with.clone(),
            });
        }
    }
    all
}

/// Whether a step deletes its object, also to make it again.
pub(super) fn deletes(action: Option<&Action>, known: &Recorded) -> bool {
    action.is_some_and(|action| *action == Action::Delete || *action == Action::Replace && known.is_deleted())
}

/// One of those that go, where they are all the owners that a live object has.
fn owner(live: &Value, going: &BTreeMap<&str, usize>) -> Option<usize> {
    let owners = live.pointer("/metadata/ownerReferences")?.as_array()?;
    let all: Option<BTreeSet<usize>> = owners
        .iter()
        .map(|owner| going.get(owner["uid"].as_str()?).copied())
        .collect();
    all?.first().copied()
}

/// Says in a plan what goes along: at its own step, and before yes.
#[must_use]
pub fn said_along(mut plan: Plan, along: &[Along]) -> Plan {
    let mut told: BTreeMap<Address, Vec<Consequence>> = BTreeMap::new();
    for one in along {
        let its_own = plan.steps.iter_mut().find(|step| step.address == one.address);
        if let Some(step) = its_own.filter(|step| step.address != one.container) {
            step.reasons.push(Reason::GoesWith(one.with.to_string()));
        }
        told.entry(one.container.clone()).or_default().push(Consequence {
            class: ConsequenceClass::DataLoss,
            text: format!("deletes {} with {}: {}", one.object, one.with, one.stays),
        });
    }
    plan.with_consequences(told)
}

/// What a plan does not do without a word of its own.
pub fn excess_along(along: Vec<Along>) -> impl Iterator<Item = Excess> {
    along.into_iter().map(|one| Excess::Along {
        address: one.address,
        object: Box::new(one.object),
        uid: one.uid,
        with: Box::new(one.with),
        is_prevented: one.stays == Stays::Prevented,
        stays: one.stays.to_string(),
        container: one.container,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        digest::Digest,
        packed::Packed,
        plan::{Purpose, testing},
        recorded::{RecordedDestroy, RecordedObject},
    };
    use serde_json::json;
    use std::sync::Arc;

    fn known(at: &str, object: ObjectRef, origin: Origin) -> Recorded {
        Recorded {
            address: at.parse().expect("an address"),
            node: RecordedNode::Object(RecordedObject {
                uid: format!("uid of {at}"),
                object,
                origin,
                manager: "m".to_owned(),
                sent: Digest::of(&Value::Null),
                manifest: Packed::default(),
                fields: Arc::default(),
                sensitive: BTreeSet::new(),
                key_id: None,
                owned: None,
            }),
            edges: Vec::new(),
            destroy: RecordedDestroy::default(),
        }
    }

    fn config(at: &str, namespace: &str, origin: Origin) -> Recorded {
        known(at, ObjectRef::namespaced("v1", "ConfigMap", namespace, at), origin)
    }

    fn plan(steps: &[(&str, Action)]) -> Plan {
        let step = |(at, action): &(&str, Action)| testing::step(at.parse().expect("an address"), *action);
        testing::plan_of(Purpose::Destroy, steps.iter().map(step).collect())
    }

    fn said(plan: &Plan, recorded: Vec<Recorded>, live: &Value) -> Vec<String> {
        let recorded = recorded
            .into_iter()
            .map(|known| (known.address.clone(), known))
            .collect();
        let found = along(plan, &recorded, |address| live.get(address.to_string()));
        let line = |one: &Along| format!("{} with {}: {}", one.object, one.container, one.stays);
        found.iter().map(line).collect()
    }

    #[test]
    fn what_may_not_be_destroyed_or_is_left_as_it_is_does_not_go_with_its_namespace_unsaid() {
        let namespace = ObjectRef::cluster("v1", "Namespace", "demo");
        let mut prevented = config("a.prevented", "demo", Origin::Created);
        prevented.destroy.prevent = true;
        let mut left = config("a.left", "demo", Origin::Created);
        left.node = RecordedNode::Gate;
        let recorded: BTreeMap<_, _> = [known("a.namespace", namespace, Origin::Created), prevented, left]
            .into_iter()
            .map(|known| (known.address.clone(), known))
            .collect();
        let mut plan = plan(&[("a.namespace", Action::Delete), ("a.left", Action::Forget)]);
        plan.steps[1].object = Some(ObjectRef::namespaced("v1", "ConfigMap", "demo", "left"));
        plan.steps[1].reasons = vec![Reason::LetGo];
        let excess: Vec<_> = excess_along(along(&plan, &recorded, |_| None)).collect();
        let told: Vec<_> = excess.iter().map(|one| (one.may_be_meant(), one.to_string())).collect();
        assert_eq!(
            told,
            [
                (
                    false,
                    "`a.prevented`: ConfigMap demo/a.prevented goes with Namespace demo: it may not be destroyed \
                     (prevent_destroy)"
                        .to_owned()
                ),
                (
                    true,
                    "`a.left`: ConfigMap demo/left goes with Namespace demo: the stack leaves it as it is ([[removed]])"
                        .to_owned()
                ),
            ]
        );
    }

    #[test]
    fn what_was_there_before_us_or_is_to_stay_goes_with_its_namespace() {
        let mut kept = config("a.kept", "demo", Origin::Created);
        kept.destroy.retain = Some("people say so".to_owned());
        let mut made_again = config("a.again", "demo", Origin::Adopted);
        made_again.destroy.self_recreating = true;
        let recorded = vec![
            known(
                "a.namespace",
                ObjectRef::cluster("v1", "Namespace", "demo"),
                Origin::Created,
            ),
            config("a.adopted", "demo", Origin::Adopted),
            config("a.elsewhere", "other", Origin::Adopted),
            config("a.ours", "demo", Origin::Created),
            config("a.left-out", "demo", Origin::Created),
            kept,
            made_again,
        ];
        let steps = [
            ("a.again", Action::Release),
            ("a.kept", Action::Release),
            ("a.adopted", Action::Release),
            ("a.elsewhere", Action::Release),
            ("a.ours", Action::Delete),
            ("a.namespace", Action::Delete),
        ];
        assert_eq!(
            said(&plan(&steps), recorded.clone(), &Value::Null),
            [
                "ConfigMap demo/a.adopted with a.namespace: it was there before us",
                "ConfigMap demo/a.kept with a.namespace: it is to stay: people say so",
                "ConfigMap demo/a.left-out with a.namespace: the plan keeps it",
            ]
        );
        let stays = [("a.adopted", Action::Release), ("a.namespace", Action::Release)];
        assert_eq!(said(&plan(&stays), recorded, &Value::Null), [""; 0]);
    }

    #[test]
    fn what_has_no_owner_left_goes_with_the_last_one() {
        let recorded = vec![
            config("a.owner", "demo", Origin::Created),
            config("a.one", "demo", Origin::Adopted),
            config("a.two", "demo", Origin::Adopted),
        ];
        let owned = |uids: &[&str]| {
            let owners: Vec<_> = uids.iter().map(|uid| json!({"uid": uid})).collect();
            json!({"metadata": {"ownerReferences": owners}})
        };
        let live = json!({"a.one": owned(&["uid of a.owner"]), "a.two": owned(&["uid of a.owner", "another"])});
        let steps = [
            ("a.one", Action::Release),
            ("a.two", Action::Release),
            ("a.owner", Action::Delete),
        ];
        assert_eq!(
            said(&plan(&steps), recorded, &live),
            ["ConfigMap demo/a.one with a.owner: it was there before us"]
        );
    }

    #[test]
    fn the_plan_says_so_at_both_steps() {
        let recorded: BTreeMap<_, _> = [
            known(
                "a.namespace",
                ObjectRef::cluster("v1", "Namespace", "demo"),
                Origin::Created,
            ),
            config("a.adopted", "demo", Origin::Adopted),
        ]
        .into_iter()
        .map(|known| (known.address.clone(), known))
        .collect();
        let plan = plan(&[("a.adopted", Action::Release), ("a.namespace", Action::Delete)]);
        let found = along(&plan, &recorded, |_| None);
        let plan = said_along(plan, &found);
        assert_eq!(plan.steps[0].reasons[1].to_string(), "goes with Namespace demo");
        assert_eq!(
            plan.steps[1].consequences[0].text,
            "deletes ConfigMap demo/a.adopted with Namespace demo: it was there before us"
        );
        let excess: Vec<_> = excess_along(found).collect();
        assert!(excess[0].may_be_meant());
        assert_eq!(
            excess[0].to_string(),
            "`a.adopted`: ConfigMap demo/a.adopted goes with Namespace demo: it was there before us"
        );
    }
}
