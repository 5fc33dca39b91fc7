//! What would be done, and why: desired against recorded and live.
//!
//! In: resources in their graph, what was recorded, what a survey of the cluster found. Out: a [`Plan`], or every
//! reason why there is none.
//!
//! Invariants:
//! - Equal inputs give equal plans, byte for byte; steps stand in the order of the graph.
//! - A plan names only what is desired or recorded: an object that is neither cannot be in it.
//! - Execution acts on [`Action`] alone; reasons and changes inform people.
//! - An update names a field: what is only a matter of the record is [`Action::Record`].
//! - No secret's value is in a plan: what is sensitive shows as [`Shown::Secret`].

mod action;
mod along;
mod answered;
mod because;
mod budget;
mod decide;
mod definitions;
mod error;
mod fields;
mod losses;
mod others;
mod parts;
mod picture;
mod planner;
mod projection;
mod refresh;
mod removals;
mod replace;
mod risk;
mod scope;
mod taken;
#[cfg(test)]
mod testing;
mod transition;
mod written;

pub use action::{Action, Reason, Unasked};
pub use along::{Along, Stays, along, excess_along, said_along};
pub use budget::{Excess, excess};
pub use decide::{Before, Consent, Ending, Live, Subject, decide};
pub use definitions::{Definition, Instances, definitions_that_go, instances, is_definition, stays_for};
pub use error::{PlanError, take_off};
pub(crate) use fields::sensitive;
pub use losses::{Loss, losses, not_among};
pub use others::{Hands, More, Others, Places, Unseen, excess_more, excess_unseen, listed_for, others_along};
pub(crate) use others::{listed_in, namespace_of};
pub use picture::{Picture, Side, pictures};
pub use planner::{Inputs, desired_digest, plan, plan_destroy};
pub use projection::{Moved, Projection, projections};
pub use refresh::{Refreshed, refresh};
pub use replace::{Replaced, replaced};
pub use risk::{NoRisk, Risk, Risks, Told, risk};
pub use scope::{LeftOut, Order, Partial, Pattern, Scope, ScopeError};
pub use transition::{LoginChange, Transition, transitions};

use crate::{
    FieldPath,
    address::Address,
    graph::Edge,
    object_key::ObjectRef,
    readiness::Readiness,
    resource::{Consequence, Remains},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What would be done, step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What the plan is for.
    pub purpose: Purpose,
    /// One step for each resource that is desired or recorded; dependencies first, removals in their reversed order.
    pub steps: Vec<Step>,
    /// What stays in the cluster after a destroy, each with its reason.
    pub remains: Vec<Remains>,
    /// What the plan leaves out, where it is about a part of the stack.
    pub partial: Option<Partial>,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To bring the cluster to the stack.
    Apply,
    /// To take everything of the stack away.
    Destroy,
}

/// What would be done about one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The resource.
    pub address: Address,
    /// What kind of node it is.
    pub node: NodeKind,
    /// What would be done.
    pub action: Action,
    /// Why; the first is the one that decided.
    pub reasons: Vec<Reason>,
    /// The object it is about.
    pub object: Option<ObjectRef>,
    /// What would change, field by field.
    pub changes: Vec<FieldChange>,
    /// What the catalogue says beside the address.
    pub note: String,
    /// What it waits for, directly.
    pub waits_for: Vec<Edge>,
    /// How ready it is now, for what is there already.
    pub readiness: Option<Readiness>,
    /// What a person should know before saying yes; only of steps that do something.
    pub consequences: Vec<Consequence>,
}

/// What kind of node a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// A whole object.
    Object,
    /// Fields of somebody else's object.
    Overlay,
    /// A gate.
    Gate,
    /// An action.
    Action,
    /// A check.
    Check,
}

/// One field that would change.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// Where.
    pub path: FieldPath,
    /// What is there now.
    pub before: Shown,
    /// What would be there.
    pub after: Shown,
    /// Who changed it under us, if it drifted.
    pub drift: Option<DriftedBy>,
}

/// Who wrote a field last, as far as the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftedBy {
    /// The manager that owns the field now; none when it was removed, which leaves no owner.
    pub manager: Option<String>,
    /// When that manager last changed something, in the server's text.
    pub time: Option<String>,
}

/// A value as it may be shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// Nothing is there.
    Absent,
    /// This.
    Value(Value),
    /// Something that nobody may see.
    Secret,
    /// Known only after a resource is ready.
    KnownAfter(String),
}

impl Shown {
    /// A value, or that there is one where nobody may see it.
    pub fn of(value: Option<Value>, is_secret: bool) -> Self {
        match value {
            None => Self::Absent,
            Some(_) if is_secret => Self::Secret,
            Some(value) => Self::Value(value),
        }
    }
}

/// How many steps do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Objects and overlays that would be written for the first time.
    pub create: usize,
    /// Objects and overlays that would be changed.
    pub update: usize,
    /// Objects that would be deleted and made again.
    pub replace: usize,
    /// Objects that would be deleted.
    pub delete: usize,
    /// Objects that would become ours.
    pub adopt: usize,
    /// Objects and fields that would be given back.
    pub release: usize,
    /// Records that would be dropped.
    pub forget: usize,
    /// Actions that would run.
    pub run: usize,
    /// Gates that would be waited for.
    pub wait: usize,
    /// Checks that would be made.
    pub check: usize,
    /// Steps that would change nothing.
    pub unchanged: usize,
    /// Of the unchanged, those that are recorded anew.
    pub record: usize,
    /// Of the unchanged, those that are not ready now.
    pub not_ready: usize,
}

impl Plan {
    /// Counts the steps by what they do.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for step in &self.steps {
            let count = match step.action {
                Action::Create => &mut counts.create,
                Action::Update => &mut counts.update,
                Action::Replace => &mut counts.replace,
                Action::Delete => &mut counts.delete,
                Action::Adopt => &mut counts.adopt,
                Action::Release => &mut counts.release,
                Action::Forget => &mut counts.forget,
                Action::Run => &mut counts.run,
                Action::Wait => &mut counts.wait,
                Action::Check => &mut counts.check,
                Action::Record | Action::NoOp => &mut counts.unchanged,
            };
            *count += 1;
            counts.record += usize::from(step.action == Action::Record);
            let unready = step.readiness.as_ref().is_some_and(|readiness| !readiness.is_ready());
            if !step.action.is_work() && unready {
                counts.not_ready += 1;
            }
        }
        counts
    }

    /// Whether carrying it out would write anything, or run anything. Waiting alone is no change.
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| step.action.is_change())
    }

    /// The step of an address.
    pub fn step(&self, address: &Address) -> Option<&Step> {
        self.steps.iter().find(|step| step.address == *address)
    }

    /// The plan with more to know before saying yes, at the steps of these addresses, behind what their resources say
    /// themselves. A step that does nothing has nothing to say: what is told of it is left out.
    #[must_use]
    pub fn with_consequences(mut self, mut told: BTreeMap<Address, Vec<Consequence>>) -> Self {
        for step in self.steps.iter_mut().filter(|step| step.action.is_change()) {
            step.consequences.extend(told.remove(&step.address).unwrap_or_default());
        }
        self
    }

    /// What a person should know before saying yes, each once, in order of class.
    pub fn consequences(&self) -> Vec<&Consequence> {
        let mut all: Vec<_> = self.steps.iter().flat_map(|step| &step.consequences).collect();
        all.sort();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::ConsequenceClass;
    use testing::{address, plan};

    #[test]
    fn steps_are_counted_by_what_they_do_and_of_the_unchanged_those_that_are_not_ready() {
        use Action::{Adopt, Check, Create, Delete, Forget, NoOp, Record, Release, Replace, Run, Update, Wait};
        let mut plan = plan(
            Purpose::Apply,
            &[
                Create, Update, Update, Replace, Delete, Adopt, Release, Forget, Run, Wait, Check, NoOp, NoOp, NoOp,
                Record,
            ],
        );
        let progressing = || Some(Readiness::Progressing("2 of 3".to_owned()));
        plan.steps[0].readiness = progressing();
        plan.steps[11].readiness = Some(Readiness::Ready(String::new()));
        plan.steps[12].readiness = progressing();
        plan.steps[14].readiness = progressing();
        assert_eq!(
            plan.counts(),
            Counts {
                create: 1,
                update: 2,
                replace: 1,
                delete: 1,
                adopt: 1,
                release: 1,
                forget: 1,
                run: 1,
                wait: 1,
                check: 1,
                unchanged: 4,
                record: 1,
                not_ready: 2,
            }
        );
    }

    #[test]
    fn waiting_alone_is_no_change() {
        let changes = |actions: &[Action]| plan(Purpose::Apply, actions).has_changes();
        assert!(!changes(&[Action::Wait, Action::Check, Action::Record, Action::NoOp]));
        assert!(changes(&[Action::NoOp, Action::Forget]));
    }

    #[test]
    fn consequences_stand_at_the_steps_that_do_something_and_are_told_once_in_order() {
        let told = |class, text: &str| Consequence {
            class,
            text: text.to_owned(),
        };
        let (data, cost) = (
            told(ConsequenceClass::DataLoss, "the data goes"),
            told(ConsequenceClass::Cost, "it costs"),
        );
        let mut plan = plan(Purpose::Apply, &[Action::NoOp, Action::Update, Action::Delete]);
        plan.steps[1].consequences.push(data.clone());
        let more = BTreeMap::from([
            (address(0), vec![told(ConsequenceClass::Notice, "nothing happens")]),
            (address(1), vec![cost.clone()]),
            (address(2), vec![data.clone()]),
        ]);
        let plan = plan.with_consequences(more);
        assert_eq!(plan.consequences(), [&cost, &data]);
        let at = |number| &plan.step(&address(number)).expect("planned").consequences;
        assert_eq!(*at(0), []);
        assert_eq!(*at(1), [data.clone(), cost]);
        assert_eq!(*at(2), [data]);
        assert_eq!(plan.step(&address(3)), None);
    }
}
