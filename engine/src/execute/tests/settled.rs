//! A verdict that may be about what was there before the last write has to stand for a while.

use super::*;
use std::cell::RefCell;
use tokio::time::{Instant, sleep};

const SETTLES: Duration = Duration::from_secs(10);

/// A phase that says nothing of a generation, and who waits for it.
fn watched(kind: &str, wanted: &str) -> [Resource; 2] {
    let ready = Rule::equals("status.phase", "Ready");
    let node = match kind {
        "object" => {
            let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "watched", "namespace": "n"}, "data": {"wanted": wanted}}));
            let mut object = Object::ready_when(manifest, ready);
            object.settle = SETTLES;
            Node::Object(object)
        }
        _ => {
            let mut overlay = Overlay::new(config("watched"), json!({"data": {"wanted": wanted}}));
            overlay.ready = ready;
            overlay.settle = SETTLES;
            Node::Overlay(overlay)
        }
    };
    let watched = Resource::new(address("a.watched"), node);
    [
        watched,
        object("b.next", "next", &json!({"after": wanted}), &["a.watched"]),
    ]
}

fn says(cluster: &Memory, path: &str, text: &str) {
    cluster.edit(&config("watched"), path, json!(text), "controller");
}

/// When what waits for it was written; nothing if it was not.
async fn freed(world: &mut World, stack: &[Resource], others: impl AsyncFnOnce(&Memory)) -> Option<Duration> {
    let (began, freed) = (Instant::now(), RefCell::new(None));
    let on = |event: &Event| {
        if let Event::Ready { address, .. } = event
            && address.to_string() == "b.next"
        {
            *freed.borrow_mut() = Some(began.elapsed());
        }
    };
    world.driven(stack, 4, on, others).await;
    freed.into_inner()
}

#[tokio::test(start_paused = true)]
async fn a_status_of_before_the_write_has_to_stand_and_one_of_after_it_counts_at_once() {
    let seconds = |number| Some(Duration::from_secs(number));
    for kind in ["object", "overlay"] {
        let mut world = World::new();
        if kind == "overlay" {
            world.cluster.put(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "watched", "namespace": "n"}}),
            );
        }
        let becomes_ready = async |cluster: &Memory| {
            sleep(Duration::from_secs(3)).await;
            says(cluster, "status.phase", "Ready");
        };
        let at = freed(&mut world, &watched(kind, "1"), becomes_ready).await;
        assert_eq!(at, seconds(3), "{kind}: there was no status before");

        let nobody = async |_: &Memory| {};
        let at = freed(&mut world, &watched(kind, "1"), nobody).await;
        assert_eq!(at, seconds(0), "{kind}: nothing was changed");
        let at = freed(&mut world, &watched(kind, "2"), nobody).await;
        assert_eq!(at, Some(SETTLES), "{kind}: its status may be of before");

        let looks_again = async |cluster: &Memory| {
            sleep(Duration::from_secs(4)).await;
            says(cluster, "status.looked", "again");
        };
        let at = freed(&mut world, &watched(kind, "3"), looks_again).await;
        assert_eq!(at, seconds(4), "{kind}: it says the same, and said it after the write");

        let fails = async |cluster: &Memory| {
            sleep(Duration::from_secs(5)).await;
            says(cluster, "status.phase", "Error");
        };
        let at = freed(&mut world, &watched(kind, "4"), fails).await;
        assert_eq!(at, None, "{kind}: what follows the write is seen");
    }
}

#[tokio::test(start_paused = true)]
async fn what_gives_a_controller_nothing_to_look_at_has_not_to_stand() {
    let mut world = World::new();
    let becomes_ready = async |cluster: &Memory| {
        sleep(Duration::from_secs(1)).await;
        says(cluster, "status.phase", "Ready");
        cluster.edit(&config("watched"), "metadata.generation", json!(3), "server");
    };
    freed(&mut world, &watched("object", "1"), becomes_ready).await;
    // The server counts changes of what is wanted alone; this one is not counted.
    let nobody = async |_: &Memory| {};
    let at = freed(&mut world, &watched("object", "2"), nobody).await;
    assert_eq!(at, Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_window_is_as_much_shorter_as_the_cluster_is_faster() {
    let mut world = World::new();
    let becomes_ready = async |cluster: &Memory| {
        sleep(Duration::from_secs(1)).await;
        says(cluster, "status.phase", "Ready");
    };
    world.driven(&watched("object", "1"), 4, |_| {}, becomes_ready).await;
    let stack = watched("object", "2");
    let plan = world.plan(&stack).await;
    let (identity, key, recorded) = (identity(), StackKey::new([1; 32]), world.recorded(&stack));
    let execution = Execution {
        plan: &plan,
        resources: &stack,
        recorded: &recorded,
        identity: &identity,
        key: Some(&key),
        options: Options {
            time_scale: 0.1,
            ..Options::default()
        },
    };
    let began = Instant::now();
    let never = std::future::pending();
    drive(&execution, &world.cluster, &mut world.kept, &Fixed, never, |_| {})
        .await
        .expect("the state is kept");
    assert_eq!(began.elapsed(), SETTLES / 10);
}

#[tokio::test(start_paused = true)]
async fn a_gate_has_to_stand_after_what_a_run_did_and_not_after_nothing() {
    let stack = |value: &str| {
        let observed = Observation::new(Target::Named(config("watched")), Rule::non_empty("data.wanted"));
        let mut gate = Gate::on(observed);
        gate.settle = SETTLES;
        let mut gate = Resource::new(address("g.gate"), Node::Gate(gate));
        gate.depends_on
            .push(DependsOn::ready(address("a.watched"), "it is about it"));
        [object("a.watched", "watched", &json!({"wanted": value}), &[]), gate]
    };
    let mut world = World::new();
    for (value, expected) in [("1", SETTLES), ("1", Duration::ZERO), ("2", SETTLES)] {
        let began = Instant::now();
        assert!(world.apply(&stack(value)).await.succeeded());
        assert_eq!(began.elapsed(), expected, "{value}");
    }
}
