//! What every request of an execution needs, and the one way to send it again.

use super::{Failure, Intent, Journal, JournalError, Provider, ProviderError, ledger::Ledger, secrets::SecretSource};
use crate::{
    address::Address,
    digest::StackKey,
    marks::Identity,
    retry::{RetryClass, delay},
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    time::Duration,
};
use tokio::time::Instant;

/// What every request needs.
pub(super) struct Context<'a, P, J, S> {
    pub(super) provider: &'a P,
    pub(super) ledger: &'a Ledger<'a, J>,
    /// The requests that wait until they may be sent again; they hold no slot.
    pub(super) resting: &'a Resting,
    /// What those that rest wait for, as it becomes known.
    pub(super) rests: &'a RefCell<Vec<(Address, String)>>,
    /// Whose requests these are.
    pub(super) address: Option<Address>,
    /// Whether the run was told to stop.
    pub(super) stopped: &'a Cell<bool>,
    pub(super) secrets: &'a S,
    pub(super) identity: &'a Identity,
    pub(super) key: Option<&'a StackKey>,
    pub(super) force_conflicts: bool,
}

/// How many requests wait until they may be sent again.
#[derive(Debug, Default)]
pub(super) struct Resting {
    all: Cell<usize>,
    of_trouble: Cell<usize>,
}

impl Resting {
    /// However they came to it.
    pub(super) fn all(&self) -> usize {
        self.all.get()
    }

    /// Those which the server itself was in no state to answer: another request would most likely rest too.
    pub(super) fn of_trouble(&self) -> usize {
        self.of_trouble.get()
    }

    /// Counts one that rests because of an error until it may be sent again.
    async fn rest(&self, error: &ProviderError, wait: Duration) {
        let of_trouble = usize::from(is_trouble(error));
        self.all.set(self.all.get() + 1);
        self.of_trouble.set(self.of_trouble.get() + of_trouble);
        tokio::time::sleep(wait).await;
        self.all.set(self.all.get() - 1);
        self.of_trouble.set(self.of_trouble.get() - of_trouble);
    }
}

/// Whether an error is about the server, and not about what was sent or what it is sent to.
fn is_trouble(error: &ProviderError) -> bool {
    matches!(
        error,
        ProviderError::Throttled { .. } | ProviderError::Unavailable(_) | ProviderError::Unreachable(_)
    )
}

/// Why a step's request came to nothing.
#[derive(Debug)]
pub(super) enum StepError {
    /// The cluster said no, or nothing.
    Provider(ProviderError),
    /// The state could not be written: nothing new may start.
    Journal(JournalError),
    /// Anything that is known here, in words.
    Failure(Failure),
    /// It would have been sent again, and the run was told to stop: it is not done, and has not failed.
    Stopped,
}

impl From<ProviderError> for StepError {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

impl From<JournalError> for StepError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl<'a, P: Provider, J: Journal, S: SecretSource> Context<'a, P, J, S> {
    /// Makes an intent durable before its effect: in the journal, and, where the journal says so, in the cluster.
    pub(super) async fn intend(&self, intent: &Intent) -> Result<(), StepError> {
        self.ledger.intend(intent).await?;
        let Some(request) = self.ledger.beforehand(intent) else {
            return Ok(());
        };
        match self.provider.patch(&request).await {
            Ok(_) => Ok(()),
            // It may pass: the whole write is tried again, and this with it.
            Err(error) if error.retry() != RetryClass::Never => Err(error.into()),
            Err(error) => {
                let what = format!("what its undoing needs could not be kept in {}", request.object);
                Err(StepError::Failure(failure_of(&error, &what).hint(
                    "nothing was written; run the same command again, and it makes that Secret again",
                )))
            }
        }
    }

    /// The same for the requests of one step.
    pub(super) fn of(&self, address: &Address) -> Self {
        Self {
            address: Some(address.clone()),
            ..*self
        }
    }

    /// Says what a request that will be sent again waits for.
    pub(super) fn rest_for(&self, why: String) {
        if let Some(address) = &self.address {
            self.rests.borrow_mut().push((address.clone(), why));
        }
    }

    /// Tries until it works, until an error says that it never will, until the deadline, or until the run is told to stop.
    pub(super) async fn until<T, F>(&self, deadline: Instant, mut attempt: impl FnMut() -> F) -> Result<T, StepError>
    where
        F: Future<Output = Result<T, StepError>>,
    {
        let mut count = 0;
        loop {
            let error = match attempt().await {
                Err(StepError::Provider(error)) if error.retry() != RetryClass::Never => error,
                other => return other,
            };
            count += 1;
            // Jitter from the secure source that is at hand: letters and digits are 62 equal steps.
            let jitter = self
                .secrets
                .draw(1)
                .bytes()
                .next()
                .map_or(0.5, |byte| f64::from(byte % 62) / 61.0);
            match delay(error.retry(), count, jitter) {
                Some(wait) if Instant::now() + wait < deadline => {
                    // A run that is told to stop writes nothing anew.
                    if self.stopped.get() {
                        return Err(StepError::Stopped);
                    }
                    // What holds up a deletion is said by whoever sees the object.
                    if !wait.is_zero() && error != ProviderError::BeingDeleted {
                        self.rest_for(error.to_string());
                    }
                    self.resting.rest(&error, wait).await;
                    if self.stopped.get() {
                        return Err(StepError::Stopped);
                    }
                }
                Some(_) | None => return Err(StepError::Provider(error)),
            }
        }
    }
}

/// What to do when the server forbids something. It says that a right is missing by what somebody "cannot" do
/// (<https://kubernetes.io/docs/reference/access-authn-authz/authorization/>); all else is an admission rule, which no right
/// helps against.
fn of_refusal(words: &str) -> &'static str {
    if words.contains(" cannot ") {
        "ask for the right, or use an account that has it"
    } else if words.contains(" quota: ") {
        "a quota of its namespace refuses it: ask for less, say what each container asks for, or have the quota raised"
    } else if words.contains("violates PodSecurity") {
        "its namespace takes no such pods: change the pod, or the namespace's label `pod-security.kubernetes.io/enforce`"
    } else {
        "a rule of the cluster refuses it, whoever asks: change the object, or ask whoever made the rule"
    }
}

/// A provider's error about an object, as a failure with a next step.
pub(super) fn failure_of(error: &ProviderError, what: &str) -> Failure {
    let failure = Failure::new(what.to_owned()).because(error.to_string());
    match error {
        ProviderError::Conflict(causes) => {
            let mut failure = Failure::new(what.to_owned());
            for cause in causes {
                failure = failure.because(format!("{} owns {}", cause.manager, cause.field));
            }
            failure.hint(ProviderError::OF_A_CONFLICT)
        }
        ProviderError::Invalid { causes, .. } if !causes.is_empty() => causes
            .iter()
            .fold(Failure::new(what.to_owned()), |failure, (field, text)| {
                failure.because(format!("{field}: {text}"))
            }),
        ProviderError::KindNotServed(_) => failure.hint("an operator that brings it is not installed, or not ready"),
        ProviderError::Forbidden(words) => failure.hint(of_refusal(words)),
        ProviderError::Unreachable(_) | ProviderError::Unavailable(_) => {
            failure.hint("run the same command again once the cluster answers; nothing is lost")
        }
        ProviderError::VersionGone(_) => {
            failure.hint("no entry of its managedFields names that version; ask whoever brings its definition")
        }
        _ => failure,
    }
}
