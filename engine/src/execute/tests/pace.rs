//! When a step is looked at, when its request leaves, and what is durable by then: counted, and by a clock that stands
//! still while anything can be done.

use super::*;
use crate::execute::{ProviderError, drive::drive_counting};
use std::cell::{Cell, RefCell};
use tokio::time::{Instant, sleep};

/// So many objects in two layers, each of the upper one waiting for one of the lower.
fn layers(number: usize) -> Vec<Resource> {
    let half = number / 2;
    let lower = |index: usize| object(&format!("a.c{index}"), &format!("a{index}"), &json!({"k": "1"}), &[]);
    let upper = |index: usize| {
        let below = format!("a.c{index}");
        object(
            &format!("b.c{index}"),
            &format!("b{index}"),
            &json!({"k": "1"}),
            &[&below],
        )
    };
    (0..half).map(lower).chain((0..half).map(upper)).collect()
}

impl World {
    /// Carries a stack out, or takes it away, while others do something; how often a step was looked at, and how often
    /// the disk was waited for.
    pub(super) async fn driven(
        &mut self,
        resources: &[Resource],
        parallelism: usize,
        on: impl FnMut(&Event),
        others: impl AsyncFnOnce(&Memory),
    ) -> (usize, usize) {
        self.driven_until(std::future::pending(), resources, parallelism, on, others)
            .await
    }

    /// The same, until a person asks to stop.
    async fn driven_until(
        &mut self,
        interrupt: impl Future<Output = ()>,
        resources: &[Resource],
        parallelism: usize,
        on: impl FnMut(&Event),
        others: impl AsyncFnOnce(&Memory),
    ) -> (usize, usize) {
        let plan = self.plan(resources).await;
        let (identity, key, recorded) = (identity(), StackKey::new([1; 32]), self.recorded(resources));
        let execution = Execution {
            plan: &plan,
            resources,
            recorded: &recorded,
            identity: &identity,
            key: Some(&key),
            options: Options {
                parallelism,
                ..Options::default()
            },
        };
        let (looks, saves) = (Cell::new(0), self.kept.saves);
        let driving = drive_counting(&execution, &self.cluster, &mut self.kept, &Fixed, interrupt, on, &looks);
        let (driven, ()) = tokio::join!(driving, others(&self.cluster));
        driven.expect("the state is kept");
        (looks.get(), self.kept.saves - saves)
    }

    /// The same with nobody else.
    async fn counted(&mut self, resources: &[Resource]) -> (usize, usize) {
        let mut report = Report::default();
        let counts = self
            .driven(resources, 16, |event| report.fold(event), async |_: &Memory| {})
            .await;
        assert!(report.succeeded(), "{report:?}");
        counts
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_is_looked_at_a_few_times_however_many_wait_beside_it() {
    for number in [20, 400] {
        let mut world = World::new();
        let stack = layers(number);
        let (applying, _) = world.counted(&stack).await;
        let (destroying, _) = world.counted(&[]).await;
        assert!(applying <= 6 * number, "{applying} looks to make {number}");
        assert!(destroying <= 6 * number, "{destroying} looks to take {number} away");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_leave_together_wait_for_the_disk_together() {
    let mut world = World::new();
    let stack = layers(320);
    let (_, saves) = world.counted(&stack).await;
    assert!(saves <= 320 / 4, "{saves} saves to make 320");
    // Each removal has an intent that has to be durable before its request.
    let (_, saves) = world.counted(&[]).await;
    assert!(saves <= 320 / 4, "{saves} saves to take 320 away");
    assert!(world.kept.recorded.is_empty());
}

fn opens(open: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "opens", "namespace": "n"}, "data": {"open": open}})
}

/// A gate, and what comes after it.
fn gated() -> [Resource; 3] {
    let is_open = Observation::new(Target::Named(config("opens")), Rule::equals("data.open", "yes"));
    [
        Resource::new(address("g.gate"), Node::Gate(Gate::on(is_open))),
        object("a.one", "one", &json!({}), &["g.gate"]),
        object("b.two", "two", &json!({}), &["a.one"]),
    ]
}

/// Which address was written, and when.
type Writes = RefCell<Vec<(String, Duration)>>;

/// Notes each write, with the time from now on.
fn noting_writes(written: &Writes) -> impl FnMut(&Event) {
    let began = Instant::now();
    move |event| {
        if let Event::Written { address, .. } = event {
            written.borrow_mut().push((address.to_string(), began.elapsed()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_freed_leaves_with_the_event_that_frees_it() {
    let written: Writes = RefCell::default();
    // No multiple of any interval at which somebody might look.
    let (nothing_yet, now) = (Duration::from_millis(7_013), Duration::from_millis(41_507));
    let others = async |cluster: &Memory| {
        sleep(nothing_yet).await;
        cluster.put(opens("no"));
        sleep(now - nothing_yet).await;
        assert!(written.borrow().is_empty());
        cluster.put(opens("yes"));
    };
    World::new().driven(&gated(), 16, noting_writes(&written), others).await;
    let expected = ["a.one", "b.two"].map(|address| (address.to_owned(), now));
    assert_eq!(*written.borrow(), expected, "not a millisecond later");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_a_broken_watch_lost_is_in_the_list_that_follows() {
    let written: Writes = RefCell::default();
    let others = async |cluster: &Memory| {
        sleep(Duration::from_secs(5)).await;
        cluster.break_watches();
        cluster.put(opens("yes"));
        sleep(Duration::from_secs(2)).await;
        assert!(written.borrow().is_empty());
        cluster.mend_watches();
    };
    World::new().driven(&gated(), 16, noting_writes(&written), others).await;
    let expected = ["a.one", "b.two"].map(|address| (address.to_owned(), Duration::from_secs(7)));
    assert_eq!(*written.borrow(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_tells_nothing_is_told_after_a_moment_and_so_is_that_it_tells_again() {
    let (began, told) = (Instant::now(), RefCell::new(Vec::new()));
    let on = |event: &Event| match event {
        Event::Unheard { why } => told.borrow_mut().push((began.elapsed(), why.clone())),
        Event::Heard { after } => told.borrow_mut().push((began.elapsed(), format!("after {after:?}"))),
        _ => {}
    };
    let others = async |cluster: &Memory| {
        for lasts in [4, 9] {
            sleep(Duration::from_secs(1)).await;
            cluster.break_watches();
            sleep(Duration::from_secs(lasts)).await;
            cluster.mend_watches();
        }
        cluster.put(opens("yes"));
    };
    World::new().driven(&gated(), 16, on, others).await;
    let expected = [(11, "the connection broke"), (15, "after 9s")];
    let expected = expected.map(|(at, what)| (Duration::from_secs(at), what.to_owned()));
    assert_eq!(*told.borrow(), expected, "the first passed within the grace");
}

#[tokio::test(start_paused = true)]
async fn what_runs_out_of_time_while_nothing_is_heard_says_so() {
    let mut report = Report::default();
    let others = async |cluster: &Memory| {
        sleep(Duration::from_secs(1)).await;
        cluster.break_watches();
    };
    let mut stack = gated();
    for resource in &mut stack {
        resource.ready_timeout = Duration::from_secs(61);
    }
    World::new()
        .driven(&stack, 16, |event| report.fold(event), others)
        .await;
    let because: Vec<_> = report.failed.values().flat_map(|failure| &failure.because).collect();
    let expected = "nothing was heard of it for 1 m 00 s: the connection broke";
    assert!(because.iter().any(|cause| *cause == expected), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn of_what_could_start_the_longest_way_leaves_first() {
    let mut world = World::new();
    // The last by its name has the longest way.
    let stack = [
        object("a.short", "short", &json!({}), &[]),
        object("b.short", "shorter", &json!({}), &[]),
        object("x.third", "third", &json!({}), &["y.second"]),
        object("y.second", "second", &json!({}), &["z.first"]),
        object("z.first", "first", &json!({}), &[]),
    ];
    world.driven(&stack, 1, |_| {}, async |_: &Memory| {}).await;
    assert_eq!(world.cluster.log()[0], "create ConfigMap n/first");
}

/// An object of a kind that a cluster may serve later.
fn late(name: &str) -> Resource {
    let manifest = Manifest::written(json!({"apiVersion": "example.com/v1", "kind": "Late",
        "metadata": {"name": name, "namespace": "n"}}));
    Resource::new(address(&format!("a.{name}")), Node::Object(Object::new(manifest)))
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_told_to_stop_sends_nothing_again() {
    let mut world = World::new();
    let stack = ["one", "two"].map(late);
    let written: Writes = RefCell::default();
    let served_later = async |cluster: &Memory| {
        cluster.unserve("Late");
        sleep(Duration::from_secs(30)).await;
        cluster.serve("Late");
        sleep(Duration::from_secs(600)).await;
    };
    let asked = sleep(Duration::from_secs(10));
    world
        .driven_until(asked, &stack, 4, noting_writes(&written), served_later)
        .await;
    assert!(written.borrow().is_empty(), "{written:?}");
    assert!(world.kept.recorded.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_request_waits_for_that_is_sent_again_is_told() {
    let mut world = World::new();
    let told = RefCell::new(Vec::new());
    let on = |event: &Event| {
        if let Event::Waiting { why, .. } = event {
            told.borrow_mut().push(why.clone());
        }
    };
    let others = async |cluster: &Memory| {
        cluster.unserve("Late");
        sleep(Duration::from_secs(30)).await;
        cluster.serve("Late");
    };
    world.driven(&[late("one")], 4, on, others).await;
    assert_eq!(
        told.borrow()[0],
        "the cluster does not serve example.com/v1 Late",
        "once"
    );
    assert_eq!(world.kept.recorded.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_to_be_sent_again_holds_no_slot() {
    let mut world = World::new();
    let other = object("b.other", "other", &json!({}), &[]);
    let stack: Vec<_> = ["one", "two", "three", "four"]
        .map(late)
        .into_iter()
        .chain([other])
        .collect();
    let written: Writes = RefCell::default();
    let others = async |cluster: &Memory| {
        cluster.unserve("Late");
        sleep(Duration::from_secs(30)).await;
        cluster.serve("Late");
    };
    world.driven(&stack, 4, noting_writes(&written), others).await;
    assert_eq!(written.borrow()[0], ("b.other".to_owned(), Duration::ZERO));
    assert_eq!(world.kept.recorded.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_rests_keeps_the_others_from_leaving_only_while_the_server_itself_is_in_trouble() {
    let other = || object("z.other", "other", &json!({}), &[]);
    let mut world = World::new();
    let stack: Vec<_> = ["one", "two", "three", "four", "five"]
        .map(late)
        .into_iter()
        .chain([other()])
        .collect();
    let written: Writes = RefCell::default();
    let served_later = async |cluster: &Memory| {
        cluster.unserve("Late");
        sleep(Duration::from_secs(30)).await;
        cluster.serve("Late");
    };
    world.driven(&stack, 1, noting_writes(&written), served_later).await;
    assert_eq!(written.borrow()[0], ("z.other".to_owned(), Duration::ZERO));

    // Of twenty, four times as many as may be in flight find out that it cannot answer.
    let stack: Vec<_> = (0..20)
        .map(|index| object(&format!("a.c{index}"), &format!("c{index}"), &json!({}), &[]))
        .collect();
    for trouble in [
        ProviderError::Throttled { retry_after: None },
        ProviderError::Unavailable("not now".to_owned()),
        ProviderError::Unreachable("connection refused".to_owned()),
    ] {
        let mut world = World::new();
        let resting = RefCell::new(std::collections::BTreeSet::new());
        let on = |event: &Event| {
            if let Event::Waiting { address, .. } = event {
                resting.borrow_mut().insert(address.clone());
            }
        };
        let passes = async |cluster: &Memory| {
            cluster.is_in_trouble(Some(trouble.clone()));
            sleep(Duration::from_secs(5)).await;
            assert_eq!(resting.borrow().len(), 4, "{trouble}");
            cluster.is_in_trouble(None);
        };
        world.driven(&stack, 1, on, passes).await;
        assert_eq!(world.kept.recorded.len(), 20);
    }
}

#[tokio::test(start_paused = true)]
async fn what_would_be_sent_again_when_a_person_asks_to_stop_is_not_done_and_has_not_failed() {
    let mut world = World::new();
    let stack = [
        object("a.below", "below", &json!({}), &[]),
        object("b.above", "above", &json!({}), &["a.below"]),
    ];
    let mut report = Report::default();
    let began = Instant::now();
    let asks_for_patience = async |cluster: &Memory| {
        let asked = Some(Duration::from_secs(50));
        cluster.is_in_trouble(Some(ProviderError::Throttled { retry_after: asked }));
    };
    let ctrl_c = sleep(Duration::from_secs(10));
    let on = |event: &Event| report.fold(event);
    world.driven_until(ctrl_c, &stack, 4, on, asks_for_patience).await;
    assert!(
        report.interrupted && report.failed.is_empty() && report.blocked.is_empty(),
        "{report:?}"
    );
    assert_eq!(began.elapsed(), Duration::from_secs(10), "nothing is in flight");
    assert!(world.kept.recorded.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_step_waits_for_a_slot_is_not_its_own() {
    // Four writes of others leave before its own, which takes as long as each; then it has ten seconds of its minute left.
    let waiting_for_ready = |name: &str, data: &Value| {
        let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "n"}, "data": data}));
        let object = Object::ready_when(manifest, Rule::equals("data.ready", "yes"));
        let mut resource = Resource::new(address(&format!("{name}.x")), Node::Object(object));
        resource.ready_timeout = Duration::from_secs(60);
        resource
    };
    let others = ["a", "b", "c", "d"].map(|name| waiting_for_ready(name, &json!({"ready": "yes"})));
    let last = waiting_for_ready("last", &json!({}));
    let stack: Vec<_> = others.into_iter().chain([last]).collect();
    for (ready_after, failed) in [(255, false), (265, true)] {
        let mut world = World::new();
        world.cluster.takes(Duration::from_secs(50));
        let mut report = Report::default();
        let becomes_ready = async |cluster: &Memory| {
            sleep(Duration::from_secs(ready_after)).await;
            cluster.edit(&config("last"), "data.ready", json!("yes"), "somebody");
        };
        world.driven(&stack, 1, |event| report.fold(event), becomes_ready).await;
        assert_eq!(report.failed.contains_key(&address("last.x")), failed, "{report:?}");
    }
}

/// A journal that keeps nothing from some time on.
struct Full<'a> {
    kept: &'a mut Kept,
    saves_left: usize,
}

impl Journal for Full<'_> {
    fn intend(&mut self, intent: &Intent) {
        self.kept.intend(intent);
    }

    fn record(&mut self, outcome: &Outcome) {
        self.kept.record(outcome);
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        match self.saves_left.checked_sub(1) {
            Some(left) => {
                self.saves_left = left;
                self.kept.flush()
            }
            None => {
                self.kept.unsaved.clear();
                self.kept.unsaved_intents.clear();
                Err(JournalError {
                    reason: "the disk is full".to_owned(),
                    hint: None,
                })
            }
        }
    }
}

/// What was written and what was told of a life whose journal fails after so many saves.
async fn with_room_for(saves: usize) -> (Vec<String>, Vec<String>, usize) {
    let mut world = World::new();
    let stack = layers(8);
    world.counted(&stack).await;
    let plan = world.plan(&[]).await;
    let (identity, key, recorded) = (identity(), StackKey::new([1; 32]), world.kept.recorded.clone());
    let execution = Execution {
        plan: &plan,
        resources: &[],
        recorded: &recorded,
        identity: &identity,
        key: Some(&key),
        options: Options::default(),
    };
    let mut told = Vec::new();
    let mut journal = Full {
        kept: &mut world.kept,
        saves_left: saves,
    };
    let before = world.cluster.log().len();
    let never = std::future::pending();
    let driven = drive(
        &execution,
        &world.cluster,
        &mut journal,
        &Fixed,
        never,
        |event| match event {
            Event::Ready { address, .. } => told.push(address.to_string()),
            Event::Written { .. } => {}
            other => assert!(
                matches!(other, Event::Started { .. } | Event::Waiting { .. }),
                "{other:?}"
            ),
        },
    )
    .await;
    assert!(driven.is_err());
    (world.cluster.log().split_off(before), told, world.kept.recorded.len())
}

#[tokio::test(start_paused = true)]
async fn no_request_leaves_before_its_intent_is_durable_and_no_end_is_told_before_it_is() {
    let (requests, told, recorded) = with_room_for(0).await;
    assert_eq!((requests, told, recorded), (vec![], vec![], 8));
    // The intents of the upper layer are kept, what came of them is not.
    let (requests, told, recorded) = with_room_for(1).await;
    assert_eq!((requests.len(), told.len(), recorded), (4, 0, 8));
    let (requests, told, recorded) = with_room_for(2).await;
    assert_eq!(
        (requests.len(), told.len(), recorded),
        (4, 4, 4),
        "and nothing of the lower one begins"
    );
}
