//! What a step waits for, judged on what was seen; and what ends a wait that takes too long.

use super::{
    Event, Failure, diagnose,
    drive::Drive,
    effect,
    script::{self, Move},
};
use crate::{
    address::Address,
    clearers::held,
    digest::Digest,
    plan::Action as Planned,
    readiness::{Readiness, Seen as _, Sight, judge},
    resource::{Effect, Node},
    status::{going, put_by},
};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;

/// What a wait says before anything was seen.
const BEING_READ: &str = "being read";

/// Whether a move is over.
pub(super) enum Verdict {
    Over,
    Waits,
}

impl<F: FnMut(&Event)> Drive<'_, F> {
    /// Judges a wait on what was seen.
    pub(super) fn wait(&mut self, address: &Address, wait: &Move) -> Verdict {
        let sights = wait.sights();
        let verdict = if !self.view.is_read(&sights) {
            Readiness::Progressing(BEING_READ.to_owned())
        } else {
            match wait {
                Move::AwaitReady(observations) => judge(observations, &self.view),
                Move::AwaitThere(object) => judge(&script::there(object), &self.view),
                Move::AwaitNone(target) => match target.find(&self.view).first() {
                    None => Readiness::Ready("gone".to_owned()),
                    Some(left) => Readiness::Progressing(going(left)),
                },
                Move::AwaitGone(object, uid) => {
                    match self.view.object(object).filter(|live| effect::uid(live) == *uid) {
                        None => Readiness::Ready("gone".to_owned()),
                        Some(left) => Readiness::Progressing(going(left)),
                    }
                }
                _ => Readiness::Ready(String::new()),
            }
        };
        let settle = self.settle(address);
        let Some(active) = self.active.get_mut(address) else {
            return Verdict::Waits;
        };
        active.sights = sights;
        match verdict {
            Readiness::Ready(why) => {
                let since = *active.ready_since.get_or_insert_with(Instant::now);
                active.settled_at = Some(since + settle);
                active.symptom = None;
                active.ends_at = None;
                if since + settle > Instant::now() {
                    self.waits_for(address, format!("{why}, which has to stand for {}", shown(settle)));
                    return Verdict::Waits;
                }
                active.why = why;
                active.sights.clear();
                active.ready_since = None;
                Verdict::Over
            }
            Readiness::Progressing(why) => {
                active.ready_since = None;
                active.settled_at = None;
                self.waits_for(address, why);
                self.overdue(address)
            }
            Readiness::Failed(why) => {
                let failure = Failure::new("will not become ready").because(why);
                let failure = self.explained(address, failure);
                self.fail(address, failure);
                Verdict::Waits
            }
        }
    }

    /// How long a verdict has to stand: that of a gate which waits for what this run does, and that on what this run changed
    /// while its status is the one of before. A status that is another one was written after that.
    fn settle(&self, address: &Address) -> Duration {
        let (resource, active) = (self.by_address.get(address), self.active.get(address));
        let Some((resource, active)) = resource.zip(active) else {
            return Duration::ZERO;
        };
        let is_stale = |status: &Value| {
            let live = resource.object().and_then(|object| self.view.object(object));
            live.is_some_and(|live| live["status"] == *status)
        };
        let waits = self.steps.get(address).is_some_and(|step| step.action == Planned::Wait);
        let is_gate = matches!(resource.node, Node::Gate(_));
        if (is_gate && waits) || active.status_of_before.as_ref().is_some_and(is_stale) {
            resource.settle().mul_f64(self.execution.options.time_scale)
        } else {
            Duration::ZERO
        }
    }

    /// Tells what steps wait for whose requests will be sent again.
    pub(super) fn tell_rests(&mut self, rests: Vec<(Address, String)>) {
        for (address, why) in rests {
            self.waits_for(&address, why);
        }
    }

    /// Tells what a step waits for, when that is news.
    fn waits_for(&mut self, address: &Address, why: String) {
        let Some(active) = self.active.get_mut(address) else {
            return;
        };
        active.why.clone_from(&why);
        if why == BEING_READ || active.told.as_ref() == Some(&why) {
            return;
        }
        active.told = Some(why.clone());
        self.tell(Event::Waiting {
            address: address.clone(),
            why,
        });
    }

    /// Adds to a failure what is known about what is seen.
    fn explained(&self, address: &Address, failure: Failure) -> Failure {
        let resource = self.by_address.get(address);
        let diagnoses = resource.map_or(&[][..], |resource| resource.diagnoses.as_slice());
        let Some(symptom) = diagnose::look(diagnoses, &self.view, None) else {
            return failure;
        };
        let failure = symptom.explain(failure);
        match symptom.asks(diagnoses) {
            Some(asks) => failure.hint(format!("{asks}; then run the same command again")),
            None => failure,
        }
    }

    /// Runs the remedy of a gate whose time has come, or fails what took too long.
    fn overdue(&mut self, address: &Address) -> Verdict {
        let now = Instant::now();
        let Some(active) = self.active.get_mut(address) else {
            return Verdict::Waits;
        };
        if let Some(Node::Gate(gate)) = self.by_address.get(address).map(|resource| &resource.node)
            && let Some(remedy) = &gate.remedy
        {
            let due = active.started + remedy.after.mul_f64(self.execution.options.time_scale);
            let sights: Vec<Sight> = remedy
                .symptom
                .iter()
                .flat_map(|o| o.target.sights())
                .chain(remedy.effects.iter().flat_map(effect::sights))
                .collect();
            active.sights.extend(sights.iter().cloned());
            active.remedy_at = (!active.remedied).then_some(due);
            if now >= due
                && !active.remedied
                && self.view.is_read(&sights)
                && judge(&remedy.symptom, &self.view).is_ready()
            {
                // Each run of a remedy is its own trigger, so that a touch or a restart is a change.
                let trigger = Digest::of_bytes(format!("{address} {:?}", active.why).as_bytes());
                let deeds = remedy
                    .effects
                    .iter()
                    .flat_map(|e| effect::deeds(e, &trigger, &self.view, &BTreeSet::new()));
                active.deeds = deeds.collect();
                active.remedied = true;
                active.remedy_at = None;
                // What was seen before it is no evidence any more.
                active.symptom = None;
                // The remedy needs its time too.
                active.deadline = active.deadline.max(now + active.limit);
                self.tell(Event::Remedied {
                    address: address.clone(),
                    why: remedy.why.clone(),
                });
            }
        }
        let Some(active) = self.active.get_mut(address) else {
            return Verdict::Waits;
        };
        if let Some(deed) = active.deeds.pop_front() {
            active.wants(Move::Deed(deed));
            return Verdict::Waits;
        }
        if let Some(failure) = self.given_up(address, now) {
            self.fail(address, failure);
        }
        Verdict::Waits
    }

    /// The failure of what took too long, or of what a known symptom says will not come.
    fn given_up(&mut self, address: &Address, now: Instant) -> Option<Failure> {
        let resource = self.by_address.get(address);
        let diagnoses = resource.map_or(&[][..], |resource| resource.diagnoses.as_slice());
        let (asks, may_be_remedied) = match resource.map(|resource| &resource.node) {
            Some(Node::Gate(gate)) => (gate.asks.as_deref(), gate.remedy.is_some()),
            _ => (None, false),
        };
        let active = self.active.get_mut(address)?;
        active.sights.extend(diagnose::sights(diagnoses));
        active.symptom = diagnose::look(diagnoses, &self.view, active.symptom.as_ref());
        let symptom = active.symptom.as_ref();
        // What a remedy may mend, or is mending, is waited for to the end.
        active.ends_at = symptom
            .filter(|_| !may_be_remedied)
            .and_then(|symptom| symptom.ends(diagnoses, self.execution.options.time_scale));
        let in_vain = active.why != BEING_READ && active.ends_at.is_some_and(|end| now >= end);
        if now < active.deadline && !in_vain {
            return None;
        }
        let left = match active.moves.front() {
            Some(Move::AwaitGone(object, _)) => self.view.object(object),
            Some(Move::AwaitNone(target)) => target.find(&self.view).first().copied(),
            _ => None,
        };
        if active.clearers.is_none()
            && let Some(held) = left.map(|left| held(left, self.execution.options.clearers))
            && !held.is_empty()
        {
            active.wants(Move::AskAfter(held));
            return None;
        }
        let clearers = active.clearers.take().unwrap_or_default();
        let goes = matches!(active.moves.front(), Some(Move::AwaitGone(..) | Move::AwaitNone(_)));
        let (what, otherwise) = if goes {
            (
                "go",
                "see that the controllers which clear its finalizers run, and what they say",
            )
        } else {
            ("become ready", "see what it says above")
        };
        let first = symptom
            .and_then(|symptom| symptom.asks(diagnoses))
            .or_else(|| asks.map(str::to_owned))
            .unwrap_or_else(|| otherwise.to_owned());
        let failure = if in_vain {
            Failure::new(format!("will not {what}")).hint(format!("{first}; then run the same command again"))
        } else {
            Failure::new(format!("did not {what} within {}", shown(active.limit))).hint(format!(
                "{first}; then run the same command again, or give it longer with `--ready-timeout`"
            ))
        };
        let mut failure = failure.because(active.why.clone());
        failure.is_still_there = matches!(active.moves.front(), Some(Move::AwaitGone(..)));
        let failure = match self.silences.of(&active.sights, now) {
            Some((lasts, why)) => failure.because(format!("nothing was heard of it for {}: {why}", shown(lasts))),
            None => failure,
        };
        let failure = left
            .map(put_by)
            .unwrap_or_default()
            .into_iter()
            .chain(clearers)
            .fold(failure, Failure::because);
        Some(match symptom {
            Some(symptom) => symptom.explain(failure),
            None => failure,
        })
    }

    /// An action: its effect on whatever it can act on, until its goal holds.
    pub(super) fn act(&mut self, address: &Address) -> Verdict {
        let Some(Node::Action(action)) = self.by_address.get(address).map(|resource| &resource.node) else {
            return Verdict::Over;
        };
        let mut sights: Vec<_> = action.goal.iter().flat_map(|o| o.target.sights()).collect();
        sights.extend(effect::sights(&action.effect));
        let is_read = self.view.is_read(&sights);
        let Some(active) = self.active.get_mut(address) else {
            return Verdict::Waits;
        };
        active.sights = sights;
        if !is_read {
            return self.overdue(address);
        }
        let goal = judge(&action.goal, &self.view);
        let acted = !active.acted.is_empty();
        let repeats = matches!(action.effect, Effect::PatchAdmitted { .. });
        let is_carried_out = acted && (repeats || active.deeds.is_empty());
        if goal.is_ready() && (is_carried_out || action.satisfied_by_goal) {
            active.why = goal.why().to_owned();
            active.sights.clear();
            return Verdict::Over;
        }
        let trigger = Digest::of(&action.trigger);
        if !acted || repeats {
            // What there is to do is found anew on what is seen now, in place of what was found before.
            active.deeds = effect::deeds(&action.effect, &trigger, &self.view, &active.acted).into();
            // A restart whose target carries this trigger already has nothing left to do but to roll out.
            if active.deeds.is_empty() && !acted && !repeats && goal.is_ready() {
                active.why = goal.why().to_owned();
                active.sights.clear();
                return Verdict::Over;
            }
        }
        self.waits_for(address, goal.why().to_owned());
        self.overdue(address)
    }
}

fn shown(limit: Duration) -> String {
    let seconds = limit.as_secs();
    if seconds >= 60 {
        format!("{} m {:02} s", seconds / 60, seconds % 60)
    } else {
        format!("{:.1} s", limit.as_secs_f64())
    }
}
