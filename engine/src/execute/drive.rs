//! The only loop that touches the world.
//!
//! It owns the run, polls the requests in flight, and selects over their answers, watch events, timers and the person's
//! interruption. What it may do next comes from the run and the scripts, which do nothing themselves.
//!
//! Invariants:
//! - A step is looked at when something happened that concerns it, and not otherwise.
//! - What is told was saved before, in the order in which it happened.

use super::{
    Event, Execution, Failure, Journal, JournalError, Outcome, Provider, WatchEvent,
    context::{Context, Resting},
    ledger::Ledger,
    onlookers::Onlookers,
    order::{is_work, run_of},
    records::Records,
    replacements::Replacements,
    run::Run,
    script::{self, Move},
    secrets::SecretSource,
    silence::Silences,
    step::{Active, Done, Stand, perform},
    view::{LiveView, Scope},
    waits::Verdict,
};
use crate::{address::Address, object_key::key_of, plan, resource::Resource};
use futures_util::{
    FutureExt as _, StreamExt as _,
    stream::{BoxStream, FuturesUnordered, SelectAll},
};
use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// No scaled limit is shorter than this: the wire takes its time whatever the speed of a simulated cluster.
const SHORTEST_LIMIT: Duration = Duration::from_secs(60);
/// So many times as many requests as may be in flight rest at most for the trouble that the server is in: it is not sent
/// everything once.
const MOST_RESTING: usize = 4;
/// After so many events at once what was written down is saved, even if there are more.
const EVENTS_BEFORE_A_SAVE: usize = 256;

/// Carries a plan out. `interrupt` resolves when the person asks to stop; `on` is told every event.
///
/// # Errors
/// When the state could not be written: nothing new was started, what ran was awaited, and the error says what the
/// state now misses. Everything else that goes wrong is told as an event.
pub async fn drive<P: Provider, J: Journal, S: SecretSource>(
    execution: &Execution<'_>,
    provider: &P,
    journal: &mut J,
    secrets: &S,
    interrupt: impl Future<Output = ()>,
    on: impl FnMut(&Event),
) -> Result<(), JournalError> {
    drive_counting(execution, provider, journal, secrets, interrupt, on, &Cell::new(0)).await
}

/// Carries a plan out, and counts how often a step is looked at.
pub(super) async fn drive_counting<P: Provider, J: Journal, S: SecretSource>(
    execution: &Execution<'_>,
    provider: &P,
    journal: &mut J,
    secrets: &S,
    interrupt: impl Future<Output = ()>,
    on: impl FnMut(&Event),
    n_looks: &Cell<usize>,
) -> Result<(), JournalError> {
    let (ledger, resting, stopped) = (Ledger::new(journal), Resting::default(), Cell::new(false));
    let rests = RefCell::default();
    let context = Context {
        provider,
        ledger: &ledger,
        resting: &resting,
        rests: &rests,
        address: None,
        stopped: &stopped,
        secrets,
        identity: execution.identity,
        key: execution.key,
        force_conflicts: execution.options.force_conflicts,
    };
    let mut drive = Drive::new(execution, on);
    let mut watches: SelectAll<BoxStream<'static, (Scope, WatchEvent)>> = SelectAll::new();
    let mut requests: FuturesUnordered<Pin<Box<dyn Future<Output = Done> + '_>>> = FuturesUnordered::new();
    let mut interrupt = pin!(interrupt.fuse());
    let (mut n_events, parallelism) = (0, execution.options.parallelism.max(1));
    loop {
        // Moves that need no answer are made at once, and what they free starts at once; requests leave while there
        // are free slots.
        loop {
            drive.start();
            while let Some(address) = drive.movable.pop_first() {
                n_looks.set(n_looks.get() + 1);
                drive.advance(&address, &ledger);
                drive.sort_in(&address);
            }
            if drive.stopped || !drive.run.can_start() {
                break;
            }
        }
        for scope in drive.onlookers.unwatched() {
            let events = provider.watch(&scope.0, scope.1.as_deref());
            watches.push(events.map(move |event| (scope.clone(), event)).boxed());
        }
        stopped.set(drive.stopped);
        let is_slot_free = |n_requests: usize| {
            n_requests.saturating_sub(resting.all()) < parallelism && resting.of_trouble() < MOST_RESTING * parallelism
        };
        while is_slot_free(requests.len())
            && let Some(request) = drive.request()
        {
            requests.push(Box::pin(perform(&context, request)));
        }
        // What rests is not in flight: a run that is told to stop does not wait for it.
        let none_in_flight = requests.len() == if drive.stopped { resting.all() } else { 0 };
        if drive.is_finished(none_in_flight) {
            break;
        }
        if n_events >= EVENTS_BEFORE_A_SAVE && ledger.is_awaited() {
            n_events = 0;
            drive.save(&ledger);
            continue;
        }
        n_events += 1;
        let timers = [drive.onlookers.next_timer(), drive.silences.due()];
        let timer = timers.into_iter().flatten().min();
        let (n_requests, is_slot_wanted) = (requests.len(), drive.wants_slot());
        tokio::select! {
            biased;
            () = &mut interrupt => drive.interrupt(),
            Some(done) = requests.next(), if !requests.is_empty() => drive.answer(done, &ledger),
            Some((scope, event)) = watches.next(), if !watches.is_empty() => drive.see(&scope, event),
            () = when(|| !rests.borrow().is_empty()) => drive.tell_rests(rests.take()),
            // One that was in flight rests now.
            () = when(|| is_slot_wanted && is_slot_free(n_requests)) => {}
            // Nothing else has happened: what was written down since is saved together.
            () = when(|| ledger.is_awaited()) => {
                n_events = 0;
                drive.save(&ledger);
            }
            () = sleep_until(timer.unwrap_or_else(far_future)), if timer.is_some() => drive.look_at_the_clock(),
        }
    }
    drive.save(&ledger);
    match drive.broken {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Ends if this is so when it is polled; nobody is woken when it becomes so.
async fn when(is_so: impl Fn() -> bool) {
    poll_fn(|_| if is_so() { Poll::Ready(()) } else { Poll::Pending }).await;
}

fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(86_400)
}

/// One execution as it stands.
pub(super) struct Drive<'a, F> {
    pub(super) execution: &'a Execution<'a>,
    pub(super) by_address: BTreeMap<&'a Address, &'a Resource>,
    pub(super) steps: BTreeMap<&'a Address, &'a plan::Step>,
    run: Run,
    replacements: Replacements<'a>,
    /// What has started and is not done.
    pub(super) active: BTreeMap<Address, Active>,
    /// Of those that look at the cluster or the clock: of which something may have changed.
    movable: BTreeSet<Address>,
    /// Those that wait for a slot, longest remaining path first.
    pub(super) wanting: BTreeSet<(Reverse<Duration>, Address)>,
    /// Those whose last outcome is on its way to the journal.
    unsaved: Vec<Address>,
    /// What happened since something is on its way: whether it rests on that, and what it is.
    untold: VecDeque<(bool, Event)>,
    onlookers: Onlookers,
    pub(super) view: LiveView,
    pub(super) silences: Silences,
    pub(super) records: Records<'a>,
    stopped: bool,
    broken: Option<JournalError>,
    on: F,
}

impl<'a, F: FnMut(&Event)> Drive<'a, F> {
    fn new(execution: &'a Execution<'a>, on: F) -> Self {
        let resources = execution.resources.iter();
        let steps = execution.plan.steps.iter();
        Self {
            execution,
            by_address: resources.map(|resource| (&resource.address, resource)).collect(),
            steps: steps.map(|step| (&step.address, step)).collect(),
            run: run_of(execution),
            replacements: Replacements::of(execution.plan, execution.recorded),
            active: BTreeMap::new(),
            movable: BTreeSet::new(),
            wanting: BTreeSet::new(),
            unsaved: Vec::new(),
            untold: VecDeque::new(),
            onlookers: Onlookers::default(),
            view: LiveView::default(),
            silences: Silences::default(),
            records: Records::new(execution.recorded),
            stopped: false,
            broken: None,
            on,
        }
    }

    /// Makes every startable step active.
    fn start(&mut self) {
        while !self.stopped
            && let Some(address) = self.run.start()
        {
            let Some(step) = self.steps.get(&address).copied() else {
                continue;
            };
            let (moves, limit) = match (self.by_address.get(&address), self.records.get(&address)) {
                (Some(resource), _) => {
                    let going = self.replacements.going(step, &self.records);
                    let limit = going
                        .iter()
                        .map(|known| script::removal_timeout(known))
                        .sum::<Duration>();
                    (
                        script::of_resource(step, resource, &going),
                        resource.ready_timeout + limit,
                    )
                }
                (None, Some(known)) => (script::of_removal(step, known), script::removal_timeout(known)),
                (None, None) => (VecDeque::new(), Duration::ZERO),
            };
            let limit = self
                .execution
                .options
                .ready_timeout
                .unwrap_or_else(|| limit.mul_f64(self.execution.options.time_scale).max(SHORTEST_LIMIT));
            self.active.insert(address.clone(), Active::new(moves, limit));
            self.sort_in(&address);
            self.tell(Event::Started { address });
        }
    }

    /// Puts a step where it belongs after it has changed; one that begins to look is looked at once more.
    pub(super) fn sort_in(&mut self, address: &Address) {
        match self.active.get(address) {
            Some(active) if active.stand == Stand::Looks => {
                if self.onlookers.look(address, &active.sights, active.next_look()) {
                    self.movable.insert(address.clone());
                }
                return;
            }
            Some(Active {
                stand: Stand::Wants(..),
                ..
            }) => {
                let wanting = (Reverse(self.run.remaining(address)), address.clone());
                self.wanting.insert(wanting);
            }
            Some(_) | None => {}
        }
        self.onlookers.leave(address);
        self.movable.remove(address);
    }

    /// Takes an event of a watch in; whoever looks at what it is about may move.
    fn see(&mut self, scope: &Scope, event: WatchEvent) {
        let of_one = match &event {
            WatchEvent::Interrupted(why) => {
                self.silences.interrupted(scope, why.clone(), Instant::now());
                return;
            }
            WatchEvent::Changed(object) | WatchEvent::Gone(object) => key_of(object),
            WatchEvent::Snapshot(_) | WatchEvent::Resumed => None,
        };
        if let Some(event) = self.silences.heard(scope, Instant::now()) {
            self.tell(event);
        }
        if self.view.take(scope, event) {
            match of_one {
                Some(key) => self.movable.extend(self.onlookers.of_object(scope, &key).cloned()),
                None => self.movable.extend(self.onlookers.of_scope(scope).cloned()),
            }
        }
    }

    /// Takes in what the server answered to a write of ours, which is evidence at once.
    pub(super) fn see_written(&mut self, object: serde_json::Value) {
        let Some(key) = key_of(&object) else { return };
        for scope in self.view.wrote(&key, object) {
            self.movable.extend(self.onlookers.of_object(&scope, &key).cloned());
        }
    }

    /// Whoever's time has come may move; a silence that lasts is told.
    fn look_at_the_clock(&mut self) {
        let now = Instant::now();
        self.movable.extend(self.onlookers.due(now).cloned());
        if let Some(event) = self.silences.news(now) {
            self.tell(event);
        }
    }

    /// Makes every move of a step that needs no answer; stops at a request, at a wait that is not over, at an outcome
    /// that is not saved yet, or at the end.
    fn advance<J: Journal>(&mut self, address: &Address, ledger: &Ledger<'_, J>) {
        if let Some(active) = self.active.get_mut(address) {
            active.looked = Instant::now();
        }
        loop {
            let Some(active) = self.active.get_mut(address) else {
                return;
            };
            if active.stand != Stand::Looks {
                return;
            }
            let Some(next) = active.moves.front().cloned() else {
                self.finish(address, ledger);
                return;
            };
            match next {
                Move::Applied => self.run.applied(address),
                Move::Record => self.record_node(address, ledger),
                Move::Forget => {
                    ledger.record(&Outcome::Forgotten(address.clone()));
                    self.records.forget(address);
                    self.await_saving(address);
                }
                Move::Act => match self.act(address) {
                    Verdict::Over => {}
                    Verdict::Waits => return,
                },
                request if request.is_request() => {
                    active.wants(request);
                    return;
                }
                wait => match self.wait(address, &wait) {
                    Verdict::Over => {}
                    Verdict::Waits => return,
                },
            }
            if let Some(active) = self.active.get_mut(address) {
                active.moves.pop_front();
            }
        }
    }

    /// A step goes on once what was written down of it is saved.
    pub(super) fn await_saving(&mut self, address: &Address) {
        if let Some(active) = self.active.get_mut(address) {
            active.stand = Stand::Unsaved;
            self.unsaved.push(address.clone());
        }
    }

    /// Saves what was written down; whoever waited for that goes on. When it fails nothing new starts, and what rests on
    /// it is not told.
    fn save<J: Journal>(&mut self, ledger: &Ledger<'_, J>) {
        let saved = ledger.save();
        let is_saved = saved.is_ok();
        if let Err(error) = saved {
            self.break_off(error);
        }
        for address in std::mem::take(&mut self.unsaved) {
            if let Some(active) = self.active.get_mut(&address) {
                active.stand = Stand::Looks;
                self.sort_in(&address);
            }
        }
        for (rests_on_it, event) in std::mem::take(&mut self.untold) {
            if is_saved || !rests_on_it {
                (self.on)(&event);
            }
        }
    }

    /// Tells what happened, after everything that happened before.
    pub(super) fn tell(&mut self, event: Event) {
        if self.unsaved.is_empty() && self.untold.is_empty() {
            (self.on)(&event);
        } else {
            self.untold.push_back((false, event));
        }
    }

    /// Tells what an outcome says, once that is saved.
    pub(super) fn tell_when_saved(&mut self, event: Event) {
        self.untold.push_back((true, event));
    }

    fn finish<J: Journal>(&mut self, address: &Address, ledger: &Ledger<'_, J>) {
        let Some(active) = self.active.remove(address) else {
            return;
        };
        let took = active.started.elapsed();
        // Only work teaches how long it takes: what was ready before took no time. Nothing rests on what was learnt.
        if self.steps.get(address).is_some_and(|step| is_work(step)) && self.by_address.contains_key(address) {
            ledger.note(&Outcome::Took {
                address: address.clone(),
                milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            });
        }
        self.records.let_go(address);
        if let Some(object) = self.steps.get(address).and_then(|step| step.object.as_ref()) {
            self.view.close(object);
        }
        self.run.ready(address);
        self.tell(Event::Ready {
            address: address.clone(),
            why: active.why,
            took,
        });
    }

    pub(super) fn fail(&mut self, address: &Address, failure: Failure) {
        let took = self
            .active
            .remove(address)
            .map(|active| active.started.elapsed())
            .unwrap_or_default();
        self.tell(Event::Failed {
            address: address.clone(),
            failure,
            took,
        });
        for blocked in self.run.failed(address) {
            self.tell(Event::Blocked {
                address: blocked,
                by: address.clone(),
            });
        }
    }

    pub(super) fn break_off(&mut self, error: JournalError) {
        self.broken.get_or_insert(error);
        self.stop();
    }

    fn interrupt(&mut self) {
        self.stop();
        self.tell(Event::Interrupted);
    }

    /// Nothing starts any more; what is in flight is waited for.
    fn stop(&mut self) {
        self.stopped = true;
        self.active.retain(|_, active| active.stand == Stand::InFlight);
        self.onlookers.leave_all();
        self.movable.clear();
        self.wanting.clear();
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether a request could leave if there were a slot.
    fn wants_slot(&self) -> bool {
        !self.stopped && !self.wanting.is_empty()
    }

    fn is_finished(&self, none_in_flight: bool) -> bool {
        none_in_flight && self.unsaved.is_empty() && (self.stopped || self.active.is_empty())
    }
}
