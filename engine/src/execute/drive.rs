//! The only loop that touches the world.
//!
//! It owns the run, polls the requests in flight, and selects over their answers, watch events, timers and the person's
//! interruption. What it may do next comes from the run and the scripts, which do nothing themselves.

use super::{
    Event, Failure, Journal, JournalError, Outcome, Provider, WatchEvent,
    context::{Context, StepError, failure_of},
    diagnose, effect,
    replacements::Replacements,
    run::Run,
    script::{self, Move},
    step::{Active, Done, perform},
    view::{LiveView, Scope},
};
use crate::{
    address::Address,
    digest::{Digest, StackKey},
    estimate::expected,
    graph::{Graph, Takes, Until},
    late::Secrets,
    marks::Identity,
    plan::{self, Action, Plan},
    readiness::{Readiness, judge},
    recorded::{Recorded, RecordedNode},
    resource::{Node, Resource},
};
use futures_util::{
    FutureExt as _, StreamExt as _,
    stream::{BoxStream, FuturesUnordered, SelectAll},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::{Pin, pin},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// What a wait says before anything was seen.
const BEING_READ: &str = "being read";

/// Everything that is carried out.
#[derive(Debug)]
pub struct Execution<'a> {
    /// What would be done.
    pub plan: &'a Plan,
    /// What is desired.
    pub resources: &'a [Resource],
    /// What was recorded.
    pub recorded: &'a BTreeMap<Address, Recorded>,
    /// Who we are.
    pub identity: &'a Identity,
    /// The stack's key.
    pub key: Option<&'a StackKey>,
    /// How it is carried out.
    pub options: Options,
}

/// How a plan is carried out.
#[derive(Clone, Debug)]
pub struct Options {
    /// Requests in flight at most.
    pub parallelism: usize,
    /// How long every resource may take, in place of its own limit.
    pub ready_timeout: Option<Duration>,
    /// What the resources' own limits are multiplied by: 1 for a real cluster, 1 / speed for a simulated one.
    pub time_scale: f64,
    /// Takes fields that others own and we never recorded.
    pub force_conflicts: bool,
    /// Takes objects that are there and not ours.
    pub adopt: bool,
    /// How long each resource took before, for the order of what could start.
    pub durations: BTreeMap<Address, Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallelism: 16,
            ready_timeout: None,
            time_scale: 1.0,
            force_conflicts: false,
            adopt: false,
            durations: BTreeMap::new(),
        }
    }
}

/// How long a removal counts for in the order of what could start.
const REMOVAL: Duration = Duration::from_secs(1);
/// No scaled limit is shorter than this: the wire takes its time whatever the speed of a simulated cluster.
const SHORTEST_LIMIT: Duration = Duration::from_secs(60);

/// Carries a plan out. `interrupt` resolves when the person asks to stop; `on` is told every event.
///
/// # Errors
/// When the state could not be written: nothing new was started, what ran was awaited, and the error says what the
/// state now misses. Everything else that goes wrong is told as an event.
pub async fn drive<P: Provider, J: Journal, S: Secrets>(
    execution: &Execution<'_>,
    provider: &P,
    journal: &mut J,
    secrets: &S,
    interrupt: impl Future<Output = ()>,
    on: impl FnMut(&Event),
) -> Result<(), JournalError> {
    let journal = RefCell::new(journal);
    let context = Context {
        provider,
        journal: &journal,
        secrets,
        identity: execution.identity,
        key: execution.key,
        force_conflicts: execution.options.force_conflicts,
    };
    let mut drive = Drive {
        execution,
        by_address: execution
            .resources
            .iter()
            .map(|resource| (&resource.address, resource))
            .collect(),
        steps: execution.plan.steps.iter().map(|step| (&step.address, step)).collect(),
        run: run_of(execution),
        replacements: Replacements::of(execution.plan, execution.recorded),
        active: BTreeMap::new(),
        looking: BTreeSet::new(),
        movable: BTreeSet::new(),
        wanting: BTreeSet::new(),
        view: LiveView::default(),
        watched: BTreeSet::new(),
        recorded: execution.recorded.clone(),
        stopped: false,
        broken: None,
        on,
    };
    let mut watches: SelectAll<BoxStream<'static, (Scope, WatchEvent)>> = SelectAll::new();
    let mut requests: FuturesUnordered<Pin<Box<dyn Future<Output = Done> + '_>>> = FuturesUnordered::new();
    let mut interrupt = pin!(interrupt.fuse());
    loop {
        // Moves that need no answer are made at once, and what they free starts at once; requests leave while there
        // are free slots.
        loop {
            drive.start();
            while let Some(address) = drive.movable.pop_first() {
                drive.advance(&address, &context);
                drive.sort_in(&address);
            }
            if drive.stopped || !drive.run.can_start() {
                break;
            }
        }
        for scope in drive.unwatched() {
            let events = provider.watch(&scope.0, scope.1.as_deref());
            watches.push(events.map(move |event| (scope.clone(), event)).boxed());
        }
        while requests.len() < execution.options.parallelism.max(1)
            && let Some(request) = drive.request()
        {
            requests.push(Box::pin(perform(&context, request)));
        }
        if drive.is_finished(requests.is_empty()) {
            break;
        }
        let timer = drive.next_timer();
        tokio::select! {
            biased;
            () = &mut interrupt => drive.interrupt(),
            Some(done) = requests.next(), if !requests.is_empty() => drive.answer(done, &context),
            Some((scope, event)) = watches.next(), if !watches.is_empty() => drive.see(&scope, event),
            () = sleep_until(timer.unwrap_or_else(far_future)), if timer.is_some() => drive.look_at_the_clock(),
        }
    }
    match drive.broken {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn far_future() -> Instant {
    Instant::now() + Duration::from_secs(86_400)
}

/// The run of a plan: its steps, their edges, and for removals the edges of those that survive.
fn run_of(execution: &Execution<'_>) -> Run {
    let steps: BTreeSet<_> = execution.plan.steps.iter().map(|step| step.address.clone()).collect();
    let desired: BTreeSet<_> = execution.resources.iter().map(|resource| &resource.address).collect();
    let mut edges: Vec<(Address, Address, Until)> = execution
        .plan
        .steps
        .iter()
        .flat_map(|step| {
            step.waits_for
                .iter()
                .map(|edge| (edge.from.clone(), edge.to.clone(), edge.until))
        })
        .collect();
    for known in execution
        .recorded
        .values()
        .filter(|known| desired.contains(&known.address))
    {
        for edge in known
            .edges
            .iter()
            .filter(|edge| steps.contains(&edge.to) && !desired.contains(&edge.to))
        {
            edges.push((edge.to.clone(), known.address.clone(), Until::Applied));
        }
    }
    let plain: Vec<_> = edges
        .iter()
        .map(|(from, to, until)| crate::graph::Edge {
            from: from.clone(),
            to: to.clone(),
            until: *until,
            reason: String::new(),
            class: crate::graph::EdgeClass::Needs,
            source: crate::graph::EdgeSource::Declared,
        })
        .collect();
    let resources: BTreeMap<_, _> = execution
        .resources
        .iter()
        .map(|resource| (&resource.address, resource))
        .collect();
    let Options {
        time_scale,
        ref durations,
        ..
    } = execution.options;
    let idle: BTreeSet<_> = execution
        .plan
        .steps
        .iter()
        .filter(|step| !is_work(step))
        .map(|step| &step.address)
        .collect();
    let takes = |address: &Address| match (durations.get(address), resources.get(address)) {
        _ if idle.contains(address) => Takes::default(),
        (Some(&took), Some(resource)) => expected(resource, Some(took)).takes,
        // What is expected is expected of a real cluster.
        (None, Some(resource)) => {
            let Takes { applied, ready } = expected(resource, None).takes;
            Takes {
                applied: applied.mul_f64(time_scale),
                ready: ready.mul_f64(time_scale),
            }
        }
        (_, None) => Takes {
            applied: REMOVAL,
            ready: REMOVAL,
        },
    };
    let remaining = Graph::of_edges(steps.iter().cloned(), plain)
        .map(|graph| crate::graph::remaining(&graph, takes))
        .unwrap_or_default();
    Run::new(steps, edges, remaining)
}

/// Whether a step does anything but look.
fn is_work(step: &plan::Step) -> bool {
    step.action != Action::NoOp
}

struct Drive<'a, F> {
    execution: &'a Execution<'a>,
    by_address: BTreeMap<&'a Address, &'a Resource>,
    steps: BTreeMap<&'a Address, &'a plan::Step>,
    run: Run,
    replacements: Replacements<'a>,
    /// What has started and is not done. Those that wait neither for a slot nor for an answer are looking at the
    /// cluster or the clock; of them, those are movable of which something may have changed. Those that wait for a slot
    /// are wanting.
    active: BTreeMap<Address, Active>,
    looking: BTreeSet<Address>,
    movable: BTreeSet<Address>,
    wanting: BTreeSet<Address>,
    view: LiveView,
    watched: BTreeSet<Scope>,
    recorded: BTreeMap<Address, Recorded>,
    stopped: bool,
    broken: Option<JournalError>,
    on: F,
}

impl<'a, F: FnMut(&Event)> Drive<'a, F> {
    /// Makes every startable step active.
    fn start(&mut self) {
        while !self.stopped
            && let Some(address) = self.run.start()
        {
            let Some(step) = self.steps.get(&address).copied() else {
                continue;
            };
            let (moves, limit) = match (self.by_address.get(&address), self.recorded.get(&address)) {
                (Some(resource), _) => {
                    let going = self.replacements.going(step, &self.recorded);
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
                (None, None) => (std::collections::VecDeque::new(), Duration::ZERO),
            };
            let limit = self
                .execution
                .options
                .ready_timeout
                .unwrap_or_else(|| limit.mul_f64(self.execution.options.time_scale).max(SHORTEST_LIMIT));
            self.active.insert(address.clone(), Active::new(moves, limit));
            self.sort_in(&address);
            (self.on)(&Event::Started { address });
        }
    }

    /// Puts a step where it belongs after it has changed; one that begins to look is looked at once more.
    fn sort_in(&mut self, address: &Address) {
        let active = self.active.get(address).filter(|active| !active.in_flight);
        match active.map(|active| active.wants.is_some()) {
            None => {
                self.looking.remove(address);
                self.movable.remove(address);
                self.wanting.remove(address);
            }
            Some(true) => {
                self.looking.remove(address);
                self.wanting.insert(address.clone());
            }
            Some(false) => {
                self.wanting.remove(address);
                if self.looking.insert(address.clone()) {
                    self.movable.insert(address.clone());
                }
            }
        }
    }

    /// Takes an event of a watch in; whoever looks at its scope may move.
    fn see(&mut self, scope: &Scope, event: WatchEvent) {
        self.view.take(scope, event);
        self.wake(|active| active.scopes.contains(scope));
    }

    /// Whoever's time has come may move.
    fn look_at_the_clock(&mut self) {
        let now = Instant::now();
        self.wake(|active| active.next_look().is_some_and(|at| at <= now));
    }

    fn wake(&mut self, concerned: impl Fn(&Active) -> bool) {
        let woken = self
            .looking
            .iter()
            .filter(|address| self.active.get(*address).is_some_and(&concerned));
        self.movable.extend(woken.cloned());
    }

    /// Makes every move of a step that needs no answer; stops at a request, at a wait that is not over, or at the end.
    fn advance<P, J: Journal, S>(&mut self, address: &Address, context: &Context<'_, P, J, S>) {
        if let Some(active) = self.active.get_mut(address) {
            active.looked = Instant::now();
        }
        loop {
            let Some(active) = self.active.get(address) else { return };
            if active.in_flight || active.wants.is_some() {
                return;
            }
            let Some(next) = active.moves.front().cloned() else {
                let active = self.active.remove(address);
                self.finish(address, active, context);
                return;
            };
            match next {
                Move::Applied => self.run.applied(address),
                Move::Record => {
                    if !self.record_node(address, context) {
                        return;
                    }
                }
                Move::Forget => {
                    if !self.journal(context, &Outcome::Forgotten(address.clone())) {
                        return;
                    }
                    self.recorded.remove(address);
                }
                Move::Act => match self.act(address) {
                    Step::Over => {}
                    Step::Waits => return,
                },
                request if request.is_request() => {
                    if let Some(active) = self.active.get_mut(address) {
                        active.wants = Some(request);
                    }
                    return;
                }
                wait => match self.wait(address, &wait) {
                    Step::Over => {}
                    Step::Waits => return,
                },
            }
            if let Some(active) = self.active.get_mut(address) {
                active.moves.pop_front();
            }
        }
    }

    /// Judges a wait on what was seen.
    fn wait(&mut self, address: &Address, wait: &Move) -> Step {
        let scopes = wait.scopes();
        let verdict = if !self.view.is_read(&scopes) {
            Readiness::Progressing(BEING_READ.to_owned())
        } else {
            match wait {
                Move::AwaitReady(observations) => judge(observations, &self.view),
                Move::AwaitThere(object) => judge(&script::there(object), &self.view),
                Move::AwaitNone(target) => match target.find(&self.view).first() {
                    None => Readiness::Ready("gone".to_owned()),
                    Some(left) => Readiness::Progressing(still_there(left)),
                },
                Move::AwaitGone(object, uid) => {
                    match crate::readiness::Seen::object(&self.view, object).filter(|live| effect::uid(live) == *uid) {
                        None => Readiness::Ready("gone".to_owned()),
                        Some(left) => Readiness::Progressing(still_there(left)),
                    }
                }
                _ => Readiness::Ready(String::new()),
            }
        };
        let settle = match self.by_address.get(address).map(|resource| &resource.node) {
            Some(Node::Gate(gate)) => gate.settle.mul_f64(self.execution.options.time_scale),
            _ => Duration::ZERO,
        };
        let Some(active) = self.active.get_mut(address) else {
            return Step::Waits;
        };
        active.scopes = scopes;
        match verdict {
            Readiness::Ready(why) => {
                let since = *active.ready_since.get_or_insert_with(Instant::now);
                active.settled_at = Some(since + settle);
                active.symptom = None;
                active.ends_at = None;
                if since + settle > Instant::now() {
                    return Step::Waits;
                }
                active.why = why;
                active.scopes.clear();
                active.ready_since = None;
                Step::Over
            }
            Readiness::Progressing(why) => {
                active.ready_since = None;
                active.settled_at = None;
                if active.told.as_deref() != Some(why.as_str()) && why != BEING_READ {
                    active.told = Some(why.clone());
                    (self.on)(&Event::Waiting {
                        address: address.clone(),
                        why: why.clone(),
                    });
                }
                active.why = why;
                self.overdue(address)
            }
            Readiness::Failed(why) => {
                let failure = Failure::new("will not become ready").because(why);
                let failure = self.explained(address, failure);
                self.fail(address, failure);
                Step::Waits
            }
        }
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
    fn overdue(&mut self, address: &Address) -> Step {
        let now = Instant::now();
        let Some(active) = self.active.get_mut(address) else {
            return Step::Waits;
        };
        if let Some(Node::Gate(gate)) = self.by_address.get(address).map(|resource| &resource.node)
            && let Some(remedy) = &gate.remedy
        {
            let due = active.started + remedy.after.mul_f64(self.execution.options.time_scale);
            let scopes: Vec<_> = remedy
                .symptom
                .iter()
                .flat_map(|o| o.target.scopes())
                .chain(remedy.effects.iter().flat_map(effect::scopes))
                .collect();
            active.scopes.extend(scopes.iter().cloned());
            active.remedy_at = (!active.remedied).then_some(due);
            if now >= due
                && !active.remedied
                && self.view.is_read(&scopes)
                && judge(&remedy.symptom, &self.view).is_ready()
            {
                // Each run of a remedy is its own trigger, so that a touch or a restart is a change.
                let trigger = Digest::of_bytes(format!("{address} {:?}", active.why).as_bytes());
                let deeds = remedy
                    .effects
                    .iter()
                    .flat_map(|e| effect::deeds(e, &trigger, &self.view, &BTreeSet::new()));
                active.deeds.extend(deeds);
                active.remedied = true;
                active.remedy_at = None;
                // What was seen before it is no evidence any more.
                active.symptom = None;
                // The remedy needs its time too.
                active.deadline = active.deadline.max(now + active.limit);
                (self.on)(&Event::Remedied {
                    address: address.clone(),
                    why: remedy.why.clone(),
                });
            }
        }
        let Some(active) = self.active.get_mut(address) else {
            return Step::Waits;
        };
        if let Some(deed) = active.deeds.pop_front() {
            active.wants_deed(deed);
            return Step::Waits;
        }
        if let Some(failure) = self.given_up(address, now) {
            self.fail(address, failure);
        }
        Step::Waits
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
        active.scopes.extend(diagnose::scopes(diagnoses));
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
        let failure = failure.because(active.why.clone());
        Some(match symptom {
            Some(symptom) => symptom.explain(failure),
            None => failure,
        })
    }

    /// An action: its effect on whatever it can act on, until its goal holds.
    fn act(&mut self, address: &Address) -> Step {
        let Some(Node::Action(action)) = self.by_address.get(address).map(|resource| &resource.node) else {
            return Step::Over;
        };
        let mut scopes: Vec<_> = action.goal.iter().flat_map(|o| o.target.scopes()).collect();
        scopes.extend(effect::scopes(&action.effect));
        let is_read = self.view.is_read(&scopes);
        let Some(active) = self.active.get_mut(address) else {
            return Step::Waits;
        };
        active.scopes = scopes;
        if !is_read {
            return self.overdue(address);
        }
        let goal = judge(&action.goal, &self.view);
        let acted = !active.acted.is_empty();
        if goal.is_ready() && (acted || action.satisfied_by_goal) {
            active.why = goal.why().to_owned();
            active.scopes.clear();
            return Step::Over;
        }
        let trigger = Digest::of(&action.trigger);
        let repeats = matches!(action.effect, crate::resource::Effect::PatchAdmitted { .. });
        if !acted || repeats {
            active
                .deeds
                .extend(effect::deeds(&action.effect, &trigger, &self.view, &active.acted));
            // A restart whose target carries this trigger already has nothing left to do but to roll out.
            if active.deeds.is_empty() && !acted && !repeats && goal.is_ready() {
                active.why = goal.why().to_owned();
                active.scopes.clear();
                return Step::Over;
            }
        }
        let why = goal.why().to_owned();
        if active.told.as_deref() != Some(why.as_str()) {
            active.told = Some(why.clone());
            (self.on)(&Event::Waiting {
                address: address.clone(),
                why: why.clone(),
            });
        }
        if let Some(active) = self.active.get_mut(address) {
            active.why = why;
        }
        self.overdue(address)
    }

    /// Scopes that a step looks at and nobody watches yet.
    fn unwatched(&mut self) -> Vec<Scope> {
        let looking = self.looking.iter().filter_map(|address| self.active.get(address));
        let new: BTreeSet<_> = looking
            .flat_map(|active| &active.scopes)
            .filter(|scope| !self.watched.contains(*scope))
            .cloned()
            .collect();
        self.watched.extend(new.iter().cloned());
        new.into_iter().collect()
    }

    /// The next request that leaves, if a step wants one.
    fn request(&mut self) -> Option<super::step::Request<'a>> {
        if self.stopped {
            return None;
        }
        loop {
            let address = self.wanting.pop_first()?;
            let Some(active) = self.active.get_mut(&address) else {
                continue;
            };
            let Some(wanted) = active.wants.take() else { continue };
            active.in_flight = true;
            let deadline = active.deadline;
            let resource = self.by_address.get(&address).copied();
            let overlay_manager = match resource.map(|resource| &resource.node) {
                Some(Node::Overlay(overlay)) => {
                    self.execution
                        .identity
                        .manager_of_overlay(&address, &overlay.target, &self.recorded)
                }
                _ => String::new(),
            };
            return Some(super::step::Request {
                wanted,
                resource,
                overlay_manager,
                edges: self
                    .steps
                    .get(&address)
                    .map(|step| step.waits_for.as_slice())
                    .unwrap_or_default(),
                known: self.recorded.get(&address).cloned(),
                adopting: self.execution.options.adopt,
                deadline,
                address,
            });
        }
    }

    /// Takes the answer of a request in, and lets its step go on.
    fn answer<P, J: Journal, S>(&mut self, done: Done, context: &Context<'_, P, J, S>) {
        let address = done.address.clone();
        self.take_in(done, context);
        self.sort_in(&address);
    }

    /// Takes the answer of a request in: journal first, then tell.
    fn take_in<P, J: Journal, S>(&mut self, done: Done, context: &Context<'_, P, J, S>) {
        let Done {
            address,
            wanted,
            result,
        } = done;
        let Some(active) = self.active.get_mut(&address) else {
            return;
        };
        active.in_flight = false;
        let performed = match result {
            Ok(performed) => performed,
            Err(StepError::Journal(error)) => return self.break_off(error),
            Err(StepError::Provider(error)) => {
                let what = self.what_failed(&address, &wanted);
                let denials = self
                    .by_address
                    .get(&address)
                    .map(|resource| resource.denials.as_slice());
                let failure = diagnose::denied(denials.unwrap_or_default(), failure_of(&error, &what));
                return self.fail(&address, failure);
            }
            Err(StepError::Failure(failure)) => return self.fail(&address, failure),
        };
        active.acted.extend(performed.acted_on.clone());
        if performed.deed.is_none() {
            active.moves.pop_front();
        }
        for object in &performed.seen {
            for scope in self.view.wrote(object) {
                self.wake(|active| active.scopes.contains(&scope));
            }
        }
        if let Some(recorded) = performed.recorded {
            if !self.journal(context, &Outcome::Recorded(Box::new(recorded.clone()))) {
                return;
            }
            self.recorded.insert(address.clone(), recorded);
        }
        for text in performed.notes {
            (self.on)(&Event::Noted {
                address: address.clone(),
                text,
            });
        }
        if let Some(did) = performed.did {
            let object = self.steps.get(&address).and_then(|step| step.object.clone());
            (self.on)(&Event::Written { address, did, object });
        }
    }

    fn what_failed(&self, address: &Address, wanted: &Move) -> String {
        let object = self.steps.get(address).and_then(|step| step.object.as_ref());
        let object = object.map_or_else(|| address.to_string(), ToString::to_string);
        match wanted {
            Move::Delete(object, _) => format!("{object} could not be deleted"),
            Move::Patch(object, _) => format!("{object} could not be patched"),
            Move::Release | Move::Restore => format!("{object} could not be given back"),
            Move::Claim => "what others made for it could not be read".to_owned(),
            _ => format!("{object} could not be applied"),
        }
    }

    fn record_node<P, J: Journal, S>(&mut self, address: &Address, context: &Context<'_, P, J, S>) -> bool {
        let Some(resource) = self.by_address.get(address) else {
            return true;
        };
        let edges = self
            .steps
            .get(address)
            .map(|step| step.waits_for.as_slice())
            .unwrap_or_default();
        let known = self.recorded.get(address);
        let node = match &resource.node {
            Node::Action(action) => RecordedNode::Action {
                trigger: Digest::of(&action.trigger),
            },
            Node::Gate(_) | Node::Check(_) => RecordedNode::Gate,
            // Nothing was written: what is recorded stays, with the edges and the lifecycle of today.
            Node::Object(_) | Node::Overlay(_) => match known {
                Some(known) => known.node.clone(),
                None => return true,
            },
        };
        let (address, mut recorded) = super::record::record_of_node(resource, node, edges);
        if let Some(known) = known {
            recorded.destroy.claims.clone_from(&known.destroy.claims);
        }
        if known == Some(&recorded) {
            return true;
        }
        if !self.journal(context, &Outcome::Recorded(Box::new(recorded.clone()))) {
            return false;
        }
        self.recorded.insert(address, recorded);
        true
    }

    fn finish<P, J: Journal, S>(&mut self, address: &Address, active: Option<Active>, context: &Context<'_, P, J, S>) {
        let Some(active) = active else { return };
        let took = active.started.elapsed();
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        // Only work teaches how long it takes: what was ready before took no time.
        if self.steps.get(address).is_some_and(|step| is_work(step))
            && self.by_address.contains_key(address)
            && !self.journal(
                context,
                &Outcome::Took {
                    address: address.clone(),
                    milliseconds,
                },
            )
        {
            return;
        }
        self.run.ready(address);
        (self.on)(&Event::Ready {
            address: address.clone(),
            why: active.why,
            took,
        });
    }

    fn fail(&mut self, address: &Address, failure: Failure) {
        let took = self
            .active
            .remove(address)
            .map(|active| active.started.elapsed())
            .unwrap_or_default();
        (self.on)(&Event::Failed {
            address: address.clone(),
            failure,
            took,
        });
        for blocked in self.run.failed(address) {
            (self.on)(&Event::Blocked {
                address: blocked,
                by: address.clone(),
            });
        }
    }

    /// Makes an outcome durable; when that fails nothing new starts.
    fn journal<P, J: Journal, S>(&mut self, context: &Context<'_, P, J, S>, outcome: &Outcome) -> bool {
        match context.journal.borrow_mut().record(outcome) {
            Ok(()) => true,
            Err(error) => {
                self.break_off(error);
                false
            }
        }
    }

    fn break_off(&mut self, error: JournalError) {
        self.broken.get_or_insert(error);
        self.stop();
    }

    fn interrupt(&mut self) {
        self.stop();
        (self.on)(&Event::Interrupted);
    }

    /// Nothing starts any more; what is in flight is waited for.
    fn stop(&mut self) {
        self.stopped = true;
        self.active.retain(|_, active| active.in_flight);
        self.looking.clear();
        self.movable.clear();
        self.wanting.clear();
    }

    fn is_finished(&self, no_requests: bool) -> bool {
        no_requests && (self.stopped || self.active.is_empty())
    }

    /// When something has to be looked at again although nothing is told: limits, remedies, settling.
    fn next_timer(&self) -> Option<Instant> {
        let looking = self.looking.iter().filter_map(|address| self.active.get(address));
        looking.filter_map(Active::next_look).min()
    }
}

/// Whether a move is over.
enum Step {
    Over,
    Waits,
}

fn still_there(object: &serde_json::Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap_or("?");
    let kind = object["kind"].as_str().unwrap_or("object");
    let finalizers: Vec<_> = object["metadata"]["finalizers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|f| f.as_str())
        .collect();
    if finalizers.is_empty() {
        format!("{kind} {name} is still there")
    } else {
        format!("{kind} {name} waits for its finalizers: {}", finalizers.join(", "))
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
