//! What one step consists of: a short script of moves, requests and waits.

use super::effect::Deed;
use crate::{
    clearers::Held,
    object_key::ObjectRef,
    plan::{Action, Step},
    readiness::{Observation, Rule, Sight, Target},
    recorded::{Claimed, Recorded, RecordedNode},
    resource::{DestroyStep, Node, Resource},
    survey::observations,
};
use serde_json::Value;
use std::{collections::VecDeque, time::Duration};

/// One move of a script. Requests take a slot, waits take none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Move {
    /// Waits until an object is there, so that its fields can be taken.
    AwaitThere(ObjectRef),
    /// Applies the object or the overlay.
    Write,
    /// From here on, edges that wait for the write are met.
    Applied,
    /// Waits until all of these are ready, for as long as the gate has to settle.
    AwaitReady(Vec<Observation>),
    /// Carries the action's effect out, as often as there is something to act on, until its goal holds.
    Act,
    /// Records what others made for us.
    Claim,
    /// Records what others have made for what is about to go since it was recorded; the rest of the script is of that.
    ClaimMore,
    /// Records the node: its edges, how it is destroyed, its trigger.
    Record,
    /// Patches one object, if it is there.
    Patch(ObjectRef, Value),
    /// Waits until nothing of the target is left.
    AwaitNone(Target),
    /// Deletes the object of this uid.
    Delete(ObjectRef, String),
    /// Deletes what others made for us, unless somebody else needs it.
    DeleteClaimed(Claimed),
    /// Waits until the object of this uid is gone.
    AwaitGone(ObjectRef, String),
    /// Releases the recorded object.
    Release,
    /// Restores the recorded overlay.
    Restore,
    /// Drops the record.
    Forget,
    /// Looks whether those live who clear the finalizers of what does not go, beside the script.
    AskAfter(Vec<Held>),
    /// A deed of an action or a remedy, beside the script.
    Deed(Deed),
}

/// The script of a step that is desired. `going` is what is taken away before, in order: of an object that is replaced
/// what is in it and itself, and nothing of one that goes with what it is in.
pub(super) fn of_resource(step: &Step, resource: &Resource, going: &[&Recorded]) -> VecDeque<Move> {
    let mut moves: VecDeque<Move> = going.iter().flat_map(|known| taking_away(known)).collect();
    let writes = step.action.writes();
    match &resource.node {
        Node::Object(_) | Node::Overlay(_) => {
            if let Node::Overlay(overlay) = &resource.node
                && writes
                && !overlay.create_if_absent
            {
                moves.push_back(Move::AwaitThere(overlay.target.clone()));
            }
            moves.push_back(if writes { Move::Write } else { Move::Record });
            moves.push_back(Move::Applied);
            if !resource.lifecycle.self_recreating || matches!(resource.node, Node::Object(_)) {
                moves.push_back(Move::AwaitReady(observations(resource)));
            }
        }
        Node::Gate(_) | Node::Check(_) => {
            moves.extend([Move::AwaitReady(observations(resource)), Move::Record]);
        }
        Node::Action(_) if step.action == Action::Run => moves.extend([Move::Act, Move::Record]),
        Node::Action(_) => moves.extend([Move::AwaitReady(observations(resource)), Move::Record]),
    }
    if !resource.lifecycle.claims.is_empty() {
        moves.push_back(Move::Claim);
    }
    moves
}

/// The script of a step that is recorded and no longer desired.
pub(super) fn of_removal(step: &Step, known: &Recorded) -> VecDeque<Move> {
    let mut moves = after_claiming(step, known);
    if step.action == Action::Delete && known.is_deleted() && !known.destroy.claiming.is_empty() {
        moves.push_front(Move::ClaimMore);
    }
    moves
}

/// The same once all that goes along is recorded.
pub(super) fn after_claiming(step: &Step, known: &Recorded) -> VecDeque<Move> {
    let mut moves = VecDeque::new();
    match (step.action, &known.node) {
        // What stays keeps what it works with.
        (Action::Release, RecordedNode::Object(_)) => moves.push_back(Move::Release),
        (Action::Delete | Action::Release, _) => moves.extend(taking_away(known)),
        _ => moves.extend(claims_go(known)),
    }
    moves.push_back(Move::Forget);
    moves
}

/// What its record says about its end, the object itself or its fields, and what others made for it.
fn taking_away(known: &Recorded) -> Vec<Move> {
    if matches!(known.node, RecordedNode::Object(_)) && !known.is_deleted() {
        return vec![Move::Release];
    }
    let mut moves: Vec<_> = known.destroy.steps.iter().map(before_it_goes).collect();
    match &known.node {
        RecordedNode::Object(object) => {
            moves.push(Move::Delete(object.object.clone(), object.uid.clone()));
            moves.push(Move::AwaitGone(object.object.clone(), object.uid.clone()));
        }
        RecordedNode::Overlay { .. } => moves.push(Move::Restore),
        RecordedNode::Gate | RecordedNode::Action { .. } => {}
    }
    moves.extend(claims_go(known));
    moves
}

fn before_it_goes(step: &DestroyStep) -> Move {
    match step {
        DestroyStep::Patch { target, patch } => Move::Patch(target.clone(), patch.clone()),
        DestroyStep::AwaitGone { target, .. } => Move::AwaitNone(target.clone()),
        DestroyStep::Await { observation, .. } => Move::AwaitReady(vec![observation.clone()]),
    }
}

/// All are told to go before any is waited for: one may hold another up. None goes with what is not ours to delete.
fn claims_go(known: &Recorded) -> Vec<Move> {
    let claims = known.claims_that_go();
    let told = claims.iter().cloned().map(Move::DeleteClaimed);
    let gone = claims
        .iter()
        .map(|claimed| Move::AwaitGone(claimed.object.clone(), claimed.uid.clone()));
    told.chain(gone).collect()
}

/// How long a removal may take: the waits that it declares, and five minutes for its finalizers.
pub(super) fn removal_timeout(known: &Recorded) -> Duration {
    let declared: Duration = known
        .destroy
        .steps
        .iter()
        .map(|step| match step {
            DestroyStep::Patch { .. } => Duration::ZERO,
            DestroyStep::AwaitGone { timeout, .. } | DestroyStep::Await { timeout, .. } => *timeout,
        })
        .sum();
    declared + Duration::from_secs(300)
}

impl Move {
    /// Whether this sends a request.
    pub(super) fn is_request(&self) -> bool {
        matches!(
            self,
            Self::Write
                | Self::Claim
                | Self::ClaimMore
                | Self::AskAfter(_)
                | Self::Deed(_)
                | Self::Patch(..)
                | Self::Delete(..)
                | Self::DeleteClaimed(_)
                | Self::Release
                | Self::Restore
        )
    }

    /// What this wait looks at.
    pub(super) fn sights(&self) -> Vec<Sight> {
        match self {
            Self::AwaitThere(object) | Self::AwaitGone(object, _) => vec![Sight::One(object.clone())],
            Self::AwaitReady(observations) => observations.iter().flat_map(|o| o.target.sights()).collect(),
            Self::AwaitNone(target) => target.sights(),
            Self::Write
            | Self::Applied
            | Self::Act
            | Self::Claim
            | Self::ClaimMore
            | Self::Record
            | Self::Patch(..)
            | Self::Delete(..)
            | Self::DeleteClaimed(_)
            | Self::Release
            | Self::Restore
            | Self::AskAfter(_)
            | Self::Deed(_)
            | Self::Forget => Vec::new(),
        }
    }
}

/// An observation that an object is there.
pub(super) fn there(object: &ObjectRef) -> Vec<Observation> {
    vec![Observation::new(Target::Named(object.clone()), Rule::Exists)]
}
