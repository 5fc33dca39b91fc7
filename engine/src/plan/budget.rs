//! What a plan deletes beyond what a stack may lose by mistake.
//!
//! A stack file that is half written, half read or the wrong one asks for a deletion in good order. So an apply that
//! deletes much, or anything that holds data, takes a word of its own; a destroy says what it is.
//!
//! Invariants:
//! - What is deleted and made again counts as deleted.
//! - What was there before us counts for nothing where it is given back. Where it is deleted all the same and holds data, a
//!   destroy takes that word too: those data were never the stack's.
//! - A few objects may always go, unless they hold data: of a tiny stack they are soon more than a third.

use super::{
    Action, Along, Plan, Purpose,
    others::{counted, named},
};
use crate::{
    address::Address,
    object_key::{ObjectRef, ObjectType},
    recorded::Recorded,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many objects may go whatever share of a stack they are.
const ALWAYS: usize = 2;

/// One way in which a plan deletes too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// The stack makes nothing at all, and something is recorded.
    #[error("the stack makes nothing, and {recorded} resources are recorded of it")]
    Everything {
        /// How many resources are recorded.
        recorded: usize,
    },
    /// More than a third of the objects that are recorded, and more than a few.
    #[error("the plan deletes {deleted} of the {recorded} objects that are recorded, more than a third")]
    TooMany {
        /// How many objects it deletes.
        deleted: usize,
        /// How many of ours are recorded.
        recorded: usize,
    },
    /// An object that is not to go, and that the server deletes with another one that goes.
    #[error("`{address}`: {object} goes with {with}: {stays}")]
    Along {
        /// The resource.
        address: Address,
        /// The object.
        object: Box<ObjectRef>,
        /// The object's uid, as far as it is known.
        uid: Option<String>,
        /// The object that it goes with.
        with: Box<ObjectRef>,
        /// The resource of that one.
        container: Address,
        /// Why it is not to go.
        stays: String,
        /// Whether nothing may destroy it, whatever is said besides.
        is_prevented: bool,
    },
    /// Objects of others that the server deletes with a namespace, and that are not named.
    #[error("`{address}`: {} go with {with}: they are not of this stack", counted(.unnamed.len()))]
    More {
        /// The resource.
        address: Address,
        /// The namespace.
        with: Box<ObjectRef>,
        /// The objects.
        unnamed: Vec<Along>,
    },
    /// What others may have in a namespace that goes, and nobody let us look at.
    #[error("`{address}`: what others have in {with} goes with it, and may not be listed: {}", named(.kinds))]
    Unseen {
        /// The resource.
        address: Address,
        /// The namespace.
        with: Box<ObjectRef>,
        /// The kinds.
        kinds: BTreeSet<ObjectType>,
    },
    /// An object that holds data.
    #[error("`{address}`: {object} holds data, which is lost when it is deleted")]
    Data {
        /// The resource.
        address: Address,
        /// The object.
        object: Box<ObjectRef>,
    },
}

impl Excess {
    /// Whether a word of the person is enough to go on.
    pub fn may_be_meant(&self) -> bool {
        match self {
            Self::Everything { .. } | Self::Along { is_prevented: true, .. } => false,
            Self::TooMany { .. } | Self::Along { .. } | Self::More { .. } | Self::Unseen { .. } | Self::Data { .. } => {
                true
            }
        }
    }

    /// What to type or change.
    pub fn hint(&self) -> String {
        let hint = match self {
            Self::Everything { .. } => {
                "look whether its files are whole; `stackctl destroy` is what takes everything away"
            }
            Self::TooMany { .. } => "look whether the stack is whole; if all of this is to go, say `--yes-delete`",
            Self::Along {
                is_prevented: true,
                container,
                ..
            } => {
                return format!(
                    "keep `{container}` in the stack as well, or apply without `prevent_destroy` on its table first"
                );
            }
            Self::Along { container, .. } | Self::More { address: container, .. } => {
                return format!(
                    "move it elsewhere, or let both stay with `stackctl state rm '{container}'`; if it is to go, say \
                     `--yes-delete`"
                );
            }
            Self::Unseen { .. } => {
                "ask for the right to list these there, and see what it is; if all of it is to go, say `--yes-delete`"
            }
            Self::Data { .. } => "keep it in the stack, or save its data and say `--yes-delete`",
        };
        hint.to_owned()
    }
}

/// What a plan deletes beyond its budget. `n_desired` counts what the whole stack makes, and `recorded` is all that is
/// recorded, also of a stack that is planned in part.
pub fn excess(plan: &Plan, n_desired: usize, recorded: &BTreeMap<Address, Recorded>) -> Vec<Excess> {
    if plan.purpose == Purpose::Destroy {
        let going = deleted(plan, recorded).filter(|known| known.was_there());
        return data(going).collect();
    }
    if n_desired == 0 && !recorded.is_empty() {
        return vec![Excess::Everything {
            recorded: recorded.len(),
        }];
    }
    let n_ours = recorded.values().filter(|known| known.is_to_go()).count();
    let deleted: Vec<_> = deleted(plan, recorded).collect();
    let mut all = Vec::new();
    if deleted.len() > ALWAYS && deleted.len() * 3 > n_ours {
        all.push(Excess::TooMany {
            deleted: deleted.len(),
            recorded: n_ours,
        });
    }
    all.extend(data(deleted.into_iter()));
    all
}

/// What a plan deletes, also to make it again, of what may be deleted at all.
fn deleted<'a>(plan: &'a Plan, recorded: &'a BTreeMap<Address, Recorded>) -> impl Iterator<Item = &'a Recorded> {
    let steps = plan.steps.iter();
    steps
        .filter(|step| matches!(step.action, Action::Delete | Action::Replace))
        .filter_map(|step| recorded.get(&step.address))
        .filter(|known| known.is_to_go())
}

/// Of these, what holds data.
fn data<'a>(deleted: impl Iterator<Item = &'a Recorded>) -> impl Iterator<Item = Excess> {
    deleted.filter(|known| known.destroy.holds_data).filter_map(|known| {
        Some(Excess::Data {
            address: known.address.clone(),
            object: Box::new(known.object()?.object.clone()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        digest::Digest,
        packed::Packed,
        plan::testing::{address, plan},
        recorded::{Origin, RecordedDestroy, RecordedNode, RecordedObject},
    };
    use proptest::prelude::*;
    use serde_json::Value;
    use std::{collections::BTreeSet, sync::Arc};

    fn known(number: usize, origin: Origin, holds_data: bool) -> Recorded {
        let object = RecordedObject {
            object: ObjectRef::namespaced("v1", "ConfigMap", "n", &format!("c{number}")),
            uid: "u".to_owned(),
            origin,
            manager: "m".to_owned(),
            sent: Digest::of(&Value::Null),
            manifest: Packed::default(),
            fields: Arc::default(),
            sensitive: BTreeSet::new(),
            key_id: None,
            owned: None,
        };
        Recorded {
            address: address(number),
            node: RecordedNode::Object(object),
            edges: Vec::new(),
            destroy: RecordedDestroy {
                holds_data,
                ..RecordedDestroy::default()
            },
        }
    }

    fn recorded(all: impl IntoIterator<Item = Recorded>) -> BTreeMap<Address, Recorded> {
        all.into_iter().map(|known| (known.address.clone(), known)).collect()
    }

    #[test]
    fn a_third_may_go_and_data_may_not() {
        let eight = recorded((0..8).map(|number| known(number, Origin::Created, number == 7)));
        let over = |actions: &[Action]| {
            let over = excess(&plan(Purpose::Apply, actions), 1, &eight);
            over.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let deletions = |first: usize, last: usize| {
            let is_deleted = |number: &usize| (first..last).contains(number);
            (0..8)
                .map(|number| {
                    if is_deleted(&number) {
                        Action::Delete
                    } else {
                        Action::NoOp
                    }
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(over(&deletions(0, 2)), Vec::<String>::new());
        let mut three = deletions(0, 3);
        three[1] = Action::Replace;
        assert_eq!(
            over(&three),
            ["the plan deletes 3 of the 8 objects that are recorded, more than a third"]
        );
        assert_eq!(
            over(&deletions(7, 8)),
            ["`n[7].x`: ConfigMap n/c7 holds data, which is lost when it is deleted"]
        );
    }

    #[test]
    fn one_or_two_objects_of_a_tiny_stack_may_go_unless_they_hold_data() {
        let gone = [Action::Delete, Action::Delete];
        let over = |holds_data: bool| {
            let all = recorded((0..2).map(|number| known(number, Origin::Created, holds_data)));
            excess(&plan(Purpose::Apply, &gone), 1, &all).len()
        };
        assert_eq!((over(false), over(true)), (0, 2));
    }

    #[test]
    fn data_that_were_there_before_us_take_a_word_of_a_destroy_too_where_they_go() {
        let goes = |mut known: Recorded| {
            known.destroy.delete_adopted = true;
            known
        };
        let all = recorded([
            known(0, Origin::Created, true),
            goes(known(1, Origin::Adopted, true)),
            goes(known(2, Origin::Adopted, false)),
        ]);
        let gone = [Action::Delete, Action::Delete, Action::Delete];
        let over = |purpose| -> Vec<_> {
            let over = excess(&plan(purpose, &gone), 1, &all);
            over.iter().map(ToString::to_string).collect()
        };
        let data = |number: usize| {
            format!("`n[{number}].x`: ConfigMap n/c{number} holds data, which is lost when it is deleted")
        };
        assert_eq!(over(Purpose::Destroy), [data(1)]);
        let many = "the plan deletes 3 of the 3 objects that are recorded, more than a third".to_owned();
        assert_eq!(over(Purpose::Apply), [many, data(0), data(1)]);
    }

    #[test]
    fn a_stack_of_nothing_is_never_meant() {
        let one = recorded([known(0, Origin::Created, false)]);
        let over = excess(&plan(Purpose::Apply, &[Action::Delete]), 0, &one);
        assert_eq!(over, [Excess::Everything { recorded: 1 }]);
        assert!(!over[0].may_be_meant());
        assert_eq!(excess(&plan(Purpose::Apply, &[]), 0, &BTreeMap::new()), []);
    }

    #[test]
    fn a_word_is_enough_for_all_but_a_stack_of_nothing_and_each_names_the_way_out() {
        let data = Excess::Data {
            address: address(0),
            object: Box::new(ObjectRef::namespaced("v1", "ConfigMap", "n", "c")),
        };
        let many = Excess::TooMany {
            deleted: 3,
            recorded: 4,
        };
        for excess in [data, many] {
            assert!(
                excess.may_be_meant() && excess.hint().contains("`--yes-delete`"),
                "{excess}"
            );
        }
        let everything = Excess::Everything { recorded: 1 };
        assert!(everything.hint().contains("`stackctl destroy`"));
    }

    fn any_action() -> impl Strategy<Value = Action> {
        prop::sample::select(vec![
            Action::NoOp,
            Action::Update,
            Action::Delete,
            Action::Replace,
            Action::Release,
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn what_was_there_before_us_counts_for_nothing_and_a_destroy_has_no_limit(
            steps in prop::collection::vec((any_action(), any::<bool>(), any::<bool>()), 1..20)
        ) {
            let origin = |is_made| if is_made { Origin::Created } else { Origin::Adopted };
            let all = recorded(steps.iter().enumerate().map(|(n, (_, made, data))| known(n, origin(*made), *data)));
            let actions: Vec<_> = steps.iter().map(|(action, ..)| *action).collect();
            prop_assert_eq!(excess(&plan(Purpose::Destroy, &actions), 1, &all), []);
            let made = steps.iter().filter(|(_, made, _)| *made);
            let goes = |action: &Action| matches!(action, Action::Delete | Action::Replace);
            let deleted: Vec<_> = made.clone().filter(|(action, ..)| goes(action)).collect();
            let over = excess(&plan(Purpose::Apply, &actions), 1, &all);
            let data = over.iter().filter(|one| matches!(one, Excess::Data { .. })).count();
            prop_assert_eq!(data, deleted.iter().filter(|(_, _, data)| *data).count());
            prop_assert_eq!(over.len() > data, deleted.len() > 2 && deleted.len() * 3 > made.count());
        }
    }
}
