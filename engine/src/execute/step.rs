//! One active step, and the one place where its requests are sent.

use super::{
    Did, Journal, Provider, claims,
    context::{Context, StepError},
    diagnose::Symptom,
    effect::{self, Deed},
    script::Move,
    secrets::SecretSource,
    undo, write,
};
use crate::{
    address::Address,
    clearers::{Held, Looked, Sought, deployment, deployments},
    execute::{Patch, PatchRequest, ProviderError, Selector},
    graph::Edge,
    readiness::Sight,
    recorded::{Claimed, Recorded},
    resource::Resource,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// What a step that has started waits for.
#[derive(Debug, PartialEq)]
pub(super) enum Stand {
    /// For something to be seen, or for nothing.
    Looks,
    /// For a slot for this request, since then.
    Wants(Box<Move>, Instant),
    /// For the answer to its request.
    InFlight,
    /// For what was written down of it to be saved.
    Unsaved,
}

/// A step that has started and is not done.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) moves: VecDeque<Move>,
    pub(super) started: Instant,
    /// When it was looked at last.
    pub(super) looked: Instant,
    pub(super) limit: Duration,
    pub(super) deadline: Instant,
    pub(super) stand: Stand,
    /// What it has to see.
    pub(super) sights: Vec<Sight>,
    pub(super) ready_since: Option<Instant>,
    pub(super) settled_at: Option<Instant>,
    /// The status that its object had when a write of this run changed it, where a verdict on it has to settle.
    pub(super) status_of_before: Option<Value>,
    pub(super) remedy_at: Option<Instant>,
    pub(super) remedied: bool,
    /// The known symptom that is seen, and when it ends the wait.
    pub(super) symptom: Option<Symptom>,
    pub(super) ends_at: Option<Instant>,
    pub(super) deeds: VecDeque<Deed>,
    pub(super) acted: BTreeSet<String>,
    pub(super) why: String,
    pub(super) told: Option<String>,
    /// What was found of those who clear the finalizers that hold it up.
    pub(super) clearers: Option<Vec<String>>,
}

impl Active {
    pub(super) fn new(moves: VecDeque<Move>, limit: Duration) -> Self {
        let started = Instant::now();
        Self {
            moves,
            started,
            looked: started,
            limit,
            deadline: started + limit,
            stand: Stand::Looks,
            sights: Vec::new(),
            ready_since: None,
            settled_at: None,
            status_of_before: None,
            remedy_at: None,
            remedied: false,
            symptom: None,
            ends_at: None,
            deeds: VecDeque::new(),
            acted: BTreeSet::new(),
            why: String::new(),
            told: None,
            clearers: None,
        }
    }

    /// When it has to be looked at again although nothing is told. What was due when it was looked at last is no
    /// reason: that waits for something to be told.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let all = [Some(self.deadline), self.remedy_at, self.settled_at, self.ends_at];
        all.into_iter().flatten().filter(|at| *at > self.looked).min()
    }

    /// Wants a slot for a request from now on.
    pub(super) fn wants(&mut self, request: Move) {
        self.stand = Stand::Wants(Box::new(request), Instant::now());
    }

    /// The request that it wants a slot for leaves; how long it had to wait for one is not its own time, and moves what it
    /// has of that to later. Nothing if it wants none.
    pub(super) fn leaves(&mut self) -> Option<Move> {
        match std::mem::replace(&mut self.stand, Stand::InFlight) {
            Stand::Wants(request, since) => {
                self.deadline += since.elapsed();
                Some(*request)
            }
            other => {
                self.stand = other;
                None
            }
        }
    }
}

/// One request, with everything it needs.
pub(super) struct Request<'a> {
    pub(super) address: Address,
    pub(super) wanted: Move,
    pub(super) resource: Option<&'a Resource>,
    pub(super) edges: &'a [Edge],
    pub(super) known: Option<Recorded>,
    pub(super) adopting: bool,
    /// The manager that it writes with, if it is an overlay.
    pub(super) overlay_manager: String,
    pub(super) deadline: Instant,
}

/// What became of it.
pub(super) struct Done {
    pub(super) address: Address,
    pub(super) wanted: Move,
    pub(super) result: Result<Performed, StepError>,
}

/// What a request did.
#[derive(Debug, Default)]
pub(super) struct Performed {
    pub(super) did: Option<Did>,
    pub(super) recorded: Option<Recorded>,
    /// Whether a write gave its controller something to look at.
    pub(super) is_of_new_generation: bool,
    /// Objects as the server answered.
    pub(super) seen: Vec<Value>,
    pub(super) notes: Vec<String>,
    /// What was to go and stays, since somebody else needs it.
    pub(super) kept: Option<Claimed>,
    /// Set when this was a deed beside the script.
    pub(super) deed: Option<Deed>,
    /// Set when this was a look at those who clear finalizers, beside the script.
    pub(super) clearers: Option<Vec<String>>,
    /// The uid that the deed acted on.
    pub(super) acted_on: Option<String>,
}

/// Sends one request.
pub(super) async fn perform<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    request: Request<'_>,
) -> Done {
    let result = send(&context.of(&request.address), &request).await;
    Done {
        address: request.address,
        wanted: request.wanted,
        result,
    }
}

async fn send<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    request: &Request<'_>,
) -> Result<Performed, StepError> {
    let deadline = request.deadline;
    let nothing = Ok(Performed::default());
    match (&request.wanted, request.resource, &request.known) {
        (Move::Write, Some(resource), known) => {
            let written = write::write(
                context,
                resource,
                known.as_ref(),
                request.edges,
                request.adopting,
                &request.overlay_manager,
                deadline,
            )
            .await?;
            let mut recorded = written.recorded;
            if let Some(known) = known {
                recorded.destroy.claims.clone_from(&known.destroy.claims);
            }
            Ok(Performed {
                did: Some(written.did),
                recorded: Some(recorded),
                seen: vec![written.object],
                is_of_new_generation: written.is_of_new_generation,
                notes: written.notes,
                ..Performed::default()
            })
        }
        (Move::Claim, Some(resource), Some(known)) => {
            let mut recorded = known.clone();
            recorded.destroy.claims = context
                .until(deadline, || claims::claimed(context, &resource.lifecycle.claims, known))
                .await?;
            Ok(Performed {
                recorded: (recorded != *known).then_some(recorded),
                ..Performed::default()
            })
        }
        (Move::ClaimMore, _, Some(known)) => {
            let found = context
                .until(deadline, || claims::claimed(context, &known.destroy.claiming, known))
                .await?;
            let is_new = |one: &Claimed| known.destroy.claims.iter().all(|claimed| claimed.uid != one.uid);
            let more: Vec<_> = found.into_iter().filter(is_new).collect();
            let recorded = (!more.is_empty()).then(|| {
                let mut recorded = known.clone();
                recorded.destroy.claims.extend(more);
                recorded
            });
            Ok(Performed {
                recorded,
                ..Performed::default()
            })
        }
        (Move::AskAfter(held), ..) => Ok(Performed {
            clearers: Some(looked_for(context.provider, held).await),
            ..Performed::default()
        }),
        (Move::Deed(deed), ..) => {
            let uid = match deed {
                Deed::Delete(_, uid) => Some(uid.clone()),
                Deed::Patch(..) => None,
            };
            let after = effect::carry_out(context, &request.address, deed, deadline).await?;
            let acted_on = uid.or_else(|| after.as_ref().map(effect::uid));
            Ok(Performed {
                // A patch without an answer met another object than the one that was looked at, and did nothing.
                did: acted_on.is_some().then_some(Did::Ran),
                acted_on,
                seen: after.into_iter().collect(),
                deed: Some(deed.clone()),
                ..Performed::default()
            })
        }
        (Move::Patch(object, patch), _, known) => {
            let recorded = known.as_ref().and_then(Recorded::object);
            // Of the object itself, and not of another one that bears its name now.
            let patch = match recorded.filter(|last| last.object.is_same_object(object) && !last.uid.is_empty()) {
                Some(last) => effect::of_this(&json!({"metadata": {"uid": last.uid}}), patch, &["uid"]),
                None => patch.clone(),
            };
            let request = PatchRequest {
                object: object.clone(),
                patch: Patch::Merge(patch),
                manager: context.identity.object_manager(),
                dry_run: false,
            };
            let after = context
                .until(deadline, || async {
                    match context.provider.patch(&request).await {
                        Ok(object) => Ok(Some(object)),
                        Err(ProviderError::NotFound | ProviderError::OtherUid | ProviderError::KindNotServed(_)) => {
                            Ok(None)
                        }
                        Err(error) => Err(error.into()),
                    }
                })
                .await?;
            Ok(Performed {
                seen: after.into_iter().collect(),
                ..Performed::default()
            })
        }
        (Move::Delete(object, uid), _, Some(known)) => {
            given(undo::delete(context, known, object, uid, deadline).await?)
        }
        (Move::DeleteClaimed(claimed), _, Some(known)) => {
            let deleting = undo::Deleting::new(known, &claimed.object, &claimed.uid);
            context
                .until(deadline, || async {
                    // Others say that they need it in objects of their own: they are read again before it is sent again.
                    match claims::user_of(context, claimed, known).await? {
                        None => given(deleting.send(context, None).await?),
                        Some(user) => Ok(Performed {
                            kept: Some(claimed.clone()),
                            notes: vec![format!("{} stays: {user} needs it", claimed.object)],
                            ..Performed::default()
                        }),
                    }
                })
                .await
        }
        (Move::Restore, _, Some(known)) => given(undo::restore(context, known, deadline).await?),
        (Move::Release, _, Some(known)) => match known.object() {
            Some(object) => given(undo::release(context, known, object, deadline).await?),
            None => nothing,
        },
        _ => nothing,
    }
}

/// Looks for those who clear finalizers, once: what cannot be read is said to be unread.
async fn looked_for<P: Provider>(provider: &P, held: &[Held]) -> Vec<String> {
    let all = if held.iter().any(|one| matches!(one.sought, Sought::Named(_))) {
        provider.list(&deployments(), None, &Selector::default()).await.ok()
    } else {
        None
    };
    let mut said = Vec::new();
    for one in held {
        let found = match &one.sought {
            Sought::Known(deployment) => provider
                .get(deployment)
                .await
                .ok()
                .map(|live| live.into_iter().collect::<Vec<_>>()),
            Sought::Named(manager) => all.as_ref().map(|all| {
                let is_named = |live: &&Value| live["metadata"]["name"] == manager.as_str();
                all.iter().filter(is_named).cloned().collect()
            }),
            Sought::OfTheCluster(_) | Sought::Nowhere => None,
        };
        said.push(one.said(&match found.as_deref() {
            None => Looked::Unread,
            Some([]) => Looked::Gone,
            Some([live]) => Looked::There(Box::new(live.clone())),
            Some(all) => Looked::OneOf(all.iter().map(deployment).collect()),
        }));
    }
    said
}

fn given(back: undo::GivenBack) -> Result<Performed, StepError> {
    Ok(Performed {
        did: Some(back.did),
        notes: back.notes,
        ..Performed::default()
    })
}
