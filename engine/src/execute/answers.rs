//! Requests that leave, and what their answers change.

use super::{
    Did, Event, Failure, Journal, Outcome, ProviderError,
    context::{StepError, failure_of},
    diagnose,
    drive::Drive,
    ledger::Ledger,
    record::record_of_node,
    script::{self, Move},
    step::{Done, Performed, Request, Stand},
};
use crate::{
    address::Address,
    digest::Digest,
    recorded::{Claimed, RecordedNode},
    resource::Node,
};
use serde_json::Value;

impl<'a, F: FnMut(&Event)> Drive<'a, F> {
    /// The next request that leaves, if a step wants one.
    pub(super) fn request(&mut self) -> Option<Request<'a>> {
        if self.has_stopped() {
            return None;
        }
        loop {
            let (_, address) = self.wanting.pop_first()?;
            let Some(active) = self.active.get_mut(&address) else {
                continue;
            };
            let Some(wanted) = active.leaves() else {
                continue;
            };
            let deadline = active.deadline;
            let resource = self.by_address.get(&address).copied();
            let overlay_manager = match resource.map(|resource| &resource.node) {
                Some(Node::Overlay(overlay)) => {
                    let (known, all) = (self.records.get(&address), self.records.values());
                    let identity = self.execution.identity;
                    identity.manager_of_overlay(&address, &overlay.target, known, all)
                }
                _ => String::new(),
            };
            return Some(Request {
                wanted,
                resource,
                overlay_manager,
                edges: self
                    .steps
                    .get(&address)
                    .map(|step| step.waits_for.as_slice())
                    .unwrap_or_default(),
                known: self.records.get(&address).cloned(),
                adopting: self.execution.options.adopt,
                deadline,
                address,
            });
        }
    }

    /// Takes the answer of a request in, and lets its step go on.
    pub(super) fn answer<J: Journal>(&mut self, done: Done, ledger: &Ledger<'_, J>) {
        let address = done.address.clone();
        self.take_in(done, ledger);
        self.sort_in(&address);
    }

    /// The status that was there when a write changed something; nothing where no verdict on it has to settle.
    fn status_of_before(&self, address: &Address, performed: &Performed) -> Option<Value> {
        let resource = self.by_address.get(address)?;
        let has_changed = matches!(performed.did, Some(Did::Created | Did::Updated | Did::Adopted));
        let is_looked_at = has_changed && performed.is_of_new_generation;
        let object = performed.seen.first().filter(|_| is_looked_at)?;
        (!resource.settle().is_zero()).then(|| object["status"].clone())
    }

    /// Takes the answer of a request in: journal first, then tell.
    fn take_in<J: Journal>(&mut self, done: Done, ledger: &Ledger<'_, J>) {
        let Done {
            address,
            wanted,
            result,
        } = done;
        let Some(active) = self.active.get_mut(&address) else {
            return;
        };
        active.stand = Stand::Looks;
        let performed = match result {
            Ok(performed) => performed,
            Err(StepError::Journal(error)) => return self.break_off(error),
            Err(StepError::Stopped) => {
                self.active.remove(&address);
                return;
            }
            Err(StepError::Provider(error)) => {
                let held_up =
                    Some(active.why.clone()).filter(|why| error == ProviderError::BeingDeleted && !why.is_empty());
                let what = self.what_failed(&address, &wanted);
                let denials = self
                    .by_address
                    .get(&address)
                    .map(|resource| resource.denials.as_slice());
                let failure = held_up.into_iter().fold(failure_of(&error, &what), Failure::because);
                let failure = diagnose::denied(denials.unwrap_or_default(), failure);
                return self.fail(&address, failure);
            }
            Err(StepError::Failure(failure)) => return self.fail(&address, failure),
        };
        let status = self.status_of_before(&address, &performed);
        let Some(active) = self.active.get_mut(&address) else {
            return;
        };
        active.status_of_before = status.or(active.status_of_before.take());
        active.acted.extend(performed.acted_on.clone());
        let is_beside = performed.deed.is_some() || performed.clearers.is_some();
        if !is_beside {
            active.moves.pop_front();
        }
        if let Some(kept) = performed.kept {
            // Nobody waits for what does not go.
            let of_it = Move::AwaitGone(kept.object, kept.uid);
            active.moves.retain(|wanted| *wanted != of_it);
        }
        active.clearers = performed.clearers.or(active.clearers.take());
        for object in performed.seen {
            self.see_written(object);
        }
        let noted = performed.notes.into_iter().map(|text| Event::Noted {
            address: address.clone(),
            text,
        });
        let written = performed.did.map(|did| Event::Written {
            address: address.clone(),
            did,
            object: self.steps.get(&address).and_then(|step| step.object.clone()),
        });
        let events: Vec<_> = noted.chain(written).collect();
        match performed.recorded {
            Some(recorded) => {
                if let (Move::ClaimMore, Some(step)) = (&wanted, self.steps.get(&address))
                    && let Some(active) = self.active.get_mut(&address)
                {
                    active.moves = script::after_claiming(step, &recorded);
                }
                ledger.record(&Outcome::Recorded(Box::new(recorded.clone())));
                self.records.put(recorded);
                self.await_saving(&address);
                events.into_iter().for_each(|event| self.tell_when_saved(event));
            }
            None => events.into_iter().for_each(|event| self.tell(event)),
        }
    }

    fn what_failed(&self, address: &Address, wanted: &Move) -> String {
        let object = self.steps.get(address).and_then(|step| step.object.as_ref());
        let object = object.map_or_else(|| "it".to_owned(), ToString::to_string);
        match wanted {
            Move::Delete(object, _) | Move::DeleteClaimed(Claimed { object, .. }) => {
                format!("{object} could not be deleted")
            }
            Move::Patch(object, _) => format!("{object} could not be patched"),
            Move::Release | Move::Restore => format!("{object} could not be given back"),
            Move::Claim | Move::ClaimMore => "what others made for it could not be read".to_owned(),
            _ => format!("{object} could not be applied"),
        }
    }

    /// Records what a step without a write is about; nothing if that is known.
    pub(super) fn record_node<J: Journal>(&mut self, address: &Address, ledger: &Ledger<'_, J>) {
        let Some(resource) = self.by_address.get(address) else {
            return;
        };
        let edges = self
            .steps
            .get(address)
            .map(|step| step.waits_for.as_slice())
            .unwrap_or_default();
        let known = self.records.get(address);
        let node = match &resource.node {
            Node::Action(action) => RecordedNode::Action {
                trigger: Digest::of(&action.trigger),
            },
            Node::Gate(_) | Node::Check(_) => RecordedNode::Gate,
            // Nothing was written: what is recorded stays, with the edges and the lifecycle of today.
            Node::Object(_) | Node::Overlay(_) => match known {
                Some(known) => known.node.clone(),
                None => return,
            },
        };
        let (_, mut recorded) = record_of_node(resource, node, edges);
        if let Some(known) = known {
            recorded.destroy.claims.clone_from(&known.destroy.claims);
        }
        if known == Some(&recorded) {
            return;
        }
        ledger.record(&Outcome::Recorded(Box::new(recorded.clone())));
        self.records.put(recorded);
        self.await_saving(address);
    }
}
