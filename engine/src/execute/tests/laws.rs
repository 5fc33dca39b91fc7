//! The laws of DESIGN §10, over random stacks, edits by others, failures and kills, against an oracle that is slow and
//! obvious: what the cluster should hold is worked out from the stacks alone.

use super::*;
use crate::plan::{Action as Planned, PlanError};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// How many random cases each law is tried on.
const CASES: u32 = 300;
/// How many objects a stack may have.
const MOST: usize = 9;
const FIELDS: [&str; 4] = ["a", "b", "c", "d"];

/// Of one object its data, and which of the objects before it it waits for.
type One = (BTreeMap<String, String>, BTreeSet<usize>);

/// A stack, in the words of the oracle.
type Stack = Vec<Option<One>>;

/// What somebody else does to one object.
#[derive(Clone, Debug)]
enum Deed {
    Edit { field: &'static str, value: String },
    Delete,
}

fn stacks() -> impl Strategy<Value = Stack> {
    let data = prop::collection::btree_map(prop::sample::select(&FIELDS[..]).prop_map(str::to_owned), "[xyz]", 1..4);
    let one = (data, prop::collection::btree_set(0..MOST, 0..4));
    prop::collection::vec(prop::option::weighted(0.8, one), 1..MOST).prop_map(|mut stack| {
        // Nothing waits for what is not there or comes later: edges go down.
        let there: BTreeSet<usize> = (0..stack.len()).filter(|index| stack[*index].is_some()).collect();
        for (index, one) in stack.iter_mut().enumerate() {
            if let Some((_, waits)) = one {
                waits.retain(|other| *other < index && there.contains(other));
            }
        }
        stack
    })
}

fn deeds() -> impl Strategy<Value = Vec<(usize, Deed)>> {
    let edit = (prop::sample::select(&FIELDS[..]), "[pq]").prop_map(|(field, value)| Deed::Edit { field, value });
    prop::collection::vec((0..MOST, prop_oneof![4 => edit, 1 => Just(Deed::Delete)]), 0..5)
}

fn name(index: usize) -> String {
    format!("c{index}")
}

fn at(index: usize) -> String {
    format!("a.c{index}")
}

fn resources(stack: &Stack) -> Vec<Resource> {
    let one = |(index, one): (usize, &Option<One>)| {
        let (data, waits) = one.as_ref()?;
        let waits: Vec<String> = waits.iter().map(|other| at(*other)).collect();
        let waits: Vec<&str> = waits.iter().map(String::as_str).collect();
        Some(object(&at(index), &name(index), &json!(data), &waits))
    };
    stack.iter().enumerate().filter_map(one).collect()
}

/// The data of every object that is there.
fn live(world: &World) -> BTreeMap<usize, BTreeMap<String, String>> {
    let data = |index: usize| {
        let object = world.cluster.object(&config(&name(index)))?;
        let entries = object["data"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some((
            index,
            entries.map(|(field, value)| (field.clone(), text(value))).collect(),
        ))
    };
    (0..MOST).filter_map(data).collect()
}

/// What others do, and what they then hold of each object that they edited.
fn interfere(world: &World, deeds: &[(usize, Deed)]) -> BTreeMap<usize, BTreeMap<String, String>> {
    let mut theirs: BTreeMap<usize, BTreeMap<String, String>> = BTreeMap::new();
    for (index, deed) in deeds {
        let object = config(&name(*index));
        if world.cluster.object(&object).is_none() {
            continue;
        }
        match deed {
            Deed::Edit { field, value } => {
                world
                    .cluster
                    .edit(&object, &format!("data.{field}"), json!(value), "kubectl-edit");
                theirs
                    .entry(*index)
                    .or_default()
                    .insert((*field).to_owned(), value.clone());
            }
            Deed::Delete => {
                world.cluster.take(&object);
                theirs.remove(index);
            }
        }
    }
    theirs
}

fn data_of(stack: &Stack, index: usize) -> Option<BTreeMap<String, String>> {
    stack.get(index).cloned().flatten().map(|(data, _)| data)
}

/// What the cluster should hold: of every object of the stack its data, and beside it what others wrote.
fn expected(
    stack: &Stack,
    theirs: &BTreeMap<usize, BTreeMap<String, String>>,
) -> BTreeMap<usize, BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for index in 0..stack.len() {
        let Some(data) = data_of(stack, index) else { continue };
        let mut held = theirs.get(&index).cloned().unwrap_or_default();
        held.extend(data);
        all.insert(index, held);
    }
    all
}

/// The objects of which a stack wants fields that others have, and that it never had.
fn conflicts(stack: &Stack, before: &Stack, theirs: &BTreeMap<usize, BTreeMap<String, String>>) -> BTreeSet<usize> {
    let is_taken = |index: &usize| {
        let had = data_of(before, *index).unwrap_or_default();
        let wanted = data_of(stack, *index).unwrap_or_default();
        let theirs = theirs.get(index).into_iter().flatten();
        theirs
            .into_iter()
            .any(|(field, _)| wanted.contains_key(field) && !had.contains_key(field))
    };
    (0..stack.len()).filter(is_taken).collect()
}

/// What a plan should do with each object, by looking at what is there. A field that the stack no longer has is let go,
/// also where somebody else wrote it last and keeps it.
fn to_do(world: &World, before: &Stack, stack: &Stack) -> BTreeMap<usize, Planned> {
    let live = live(world);
    let mut all = BTreeMap::new();
    for index in 0..before.len().max(stack.len()) {
        let is = live.get(&index);
        let action = match (data_of(stack, index), is, data_of(before, index)) {
            (Some(_), None, _) => Planned::Create,
            (Some(data), Some(is), had) => {
                let differs = data.iter().any(|(field, value)| is.get(field) != Some(value));
                let drops = |field: &String| !data.contains_key(field) && is.contains_key(field);
                if differs || had.unwrap_or_default().keys().any(drops) {
                    Planned::Update
                } else {
                    continue;
                }
            }
            (None, Some(_), Some(_)) => Planned::Delete,
            (None, None, Some(_)) => Planned::Forget,
            (None, _, None) => continue,
        };
        all.insert(index, action);
    }
    all
}

/// What a plan does with each object, without what it leaves alone.
fn done(plan: &Plan) -> BTreeMap<usize, Planned> {
    let index = |address: &Address| address.to_string().trim_start_matches("a.c").parse().expect("a number");
    plan.steps
        .iter()
        .filter(|step| step.action != Planned::NoOp)
        .map(|step| (index(&step.address), step.action))
        .collect()
}

/// That no write of these came before the write of what it waits for.
fn order_respects_edges(log: &[String], verb: &str, stack: &Stack) -> Result<(), TestCaseError> {
    let place = |index: usize| {
        log.iter()
            .position(|line| *line == format!("{verb} ConfigMap n/{}", name(index)))
    };
    for (index, one) in stack.iter().enumerate() {
        let Some((_, waits)) = one else { continue };
        for other in waits {
            if let (Some(later), Some(sooner)) = (place(index), place(*other)) {
                prop_assert!(sooner < later, "{} before {}: {log:?}", name(index), name(*other));
            }
        }
    }
    Ok(())
}

pub(super) fn under_a_paused_clock<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(work)
}

/// An apply that is dropped after so many requests, as a `kill -9` does it.
async fn killed_after(world: &mut World, resources: &[Resource], requests: usize) {
    let plan = world.plan(resources).await;
    let (identity, key, recorded) = (identity(), StackKey::new([1; 32]), world.recorded(resources));
    let execution = Execution {
        plan: &plan,
        resources,
        recorded: &recorded,
        identity: &identity,
        key: Some(&key),
        options: Options {
            parallelism: 4,
            ..Options::default()
        },
    };
    let most = world.cluster.n_requests() + requests;
    let cluster = &world.cluster;
    let killed = std::future::poll_fn(|context| {
        if cluster.n_requests() >= most {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    });
    let driving = drive(
        &execution,
        cluster,
        &mut world.kept,
        &Fixed,
        std::future::pending(),
        |_| {},
    );
    tokio::select! {
        biased;
        () = killed => {}
        driven = driving => driven.expect("the state is kept"),
    }
    // What was on its way to the journal is lost with the process.
    world.kept.unsaved.clear();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    /// A plan does what the oracle says and nothing else; after the apply the cluster holds what it should, and a plan
    /// is empty; what waits comes later, and on destroy sooner; and nothing of ours is left then.
    #[test]
    fn a_life_of_a_stack_keeps_the_laws(first in stacks(), second in stacks(), deeds in deeds()) {
        under_a_paused_clock(async move {
            let mut world = World::new();
            prop_assert!(world.apply(&resources(&first)).await.succeeded());
            prop_assert_eq!(live(&world), expected(&first, &BTreeMap::new()));
            order_respects_edges(&world.cluster.log(), "create", &first)?;

            let theirs = interfere(&world, &deeds);
            if second.iter().all(Option::is_none) {
                // An empty stack is a destroy, which is another law.
                return Ok(());
            }
            let taken = conflicts(&second, &first, &theirs);
            if !taken.is_empty() {
                let refused = world.refused(&resources(&second)).await;
                let named: BTreeSet<_> = refused
                    .iter()
                    .map(|error| match error {
                        PlanError::Conflict { address, owners, .. } if owners.contains_key("kubectl-edit") => address.clone(),
                        other => panic!("no conflict: {other:?}"),
                    })
                    .collect();
                prop_assert_eq!(named, taken.iter().map(|index| address(&at(*index))).collect());
                return Ok(());
            }
            let wanted = to_do(&world, &first, &second);
            prop_assert_eq!(done(&world.plan(&resources(&second)).await), wanted);
            let before = world.cluster.log().len();
            prop_assert!(world.apply(&resources(&second)).await.succeeded());
            prop_assert_eq!(live(&world), expected(&second, &theirs));
            let log = world.cluster.log().split_off(before);
            order_respects_edges(&log, "create", &second)?;
            prop_assert_eq!(done(&world.plan(&resources(&second)).await), BTreeMap::new());

            let before = world.cluster.log().len();
            prop_assert!(world.apply(&[]).await.succeeded());
            prop_assert_eq!(live(&world), BTreeMap::new());
            prop_assert!(world.kept.recorded.is_empty());
            let mut log = world.cluster.log().split_off(before);
            log.reverse();
            order_respects_edges(&log, "delete", &second)
        })?;
    }

    /// Kills after any number of requests, and an apply: the same end, and nothing is made twice.
    #[test]
    fn kills_and_an_apply_end_where_one_apply_ends(stack in stacks(), kills in prop::collection::vec(0_usize..20, 0..5)) {
        under_a_paused_clock(async move {
            if stack.iter().all(Option::is_none) {
                return Ok(());
            }
            let mut world = World::new();
            let resources = resources(&stack);
            for requests in kills {
                killed_after(&mut world, &resources, requests).await;
            }
            prop_assert!(world.apply(&resources).await.succeeded());
            prop_assert_eq!(live(&world), expected(&stack, &BTreeMap::new()));
            prop_assert_eq!(done(&world.plan(&resources).await), BTreeMap::new());
            let log = world.cluster.log();
            let made: Vec<_> = log.iter().filter(|line| line.starts_with("create ")).collect();
            let once: BTreeSet<_> = made.iter().collect();
            prop_assert_eq!(made.len(), once.len(), "{:?}", log);
            prop_assert!(world.apply(&[]).await.succeeded());
            prop_assert_eq!(live(&world), BTreeMap::new());
            Ok(())
        })?;
    }

    /// Objects that cannot be made block their descendants, and exactly those.
    #[test]
    fn a_failure_blocks_its_descendants_and_nothing_else(stack in stacks(), broken in prop::collection::btree_set(0..MOST, 1..3)) {
        under_a_paused_clock(async move {
            let mut world = World::new();
            let mut resources = resources(&stack);
            let broken: BTreeSet<usize> =
                broken.into_iter().filter(|index| stack.get(*index).is_some_and(Option::is_some)).collect();
            for resource in &mut resources {
                if broken.iter().any(|index| resource.address == address(&at(*index)))
                    && let Node::Object(object) = &mut resource.node
                {
                    // Nobody ever gives it this.
                    object.ready = Rule::equals("data.never", "there");
                }
            }
            let mut blocked = BTreeSet::new();
            for (index, one) in stack.iter().enumerate() {
                let Some((_, waits)) = one else { continue };
                if waits.iter().any(|other| broken.contains(other) || blocked.contains(other)) {
                    blocked.insert(index);
                }
            }
            let report = world.apply(&resources).await;
            let told = |indices: &BTreeSet<usize>| indices.iter().map(|index| address(&at(*index))).collect::<BTreeSet<_>>();
            let failed: BTreeSet<_> = broken.difference(&blocked).copied().collect();
            prop_assert_eq!(report.failed.keys().cloned().collect::<BTreeSet<_>>(), told(&failed));
            prop_assert_eq!(report.blocked.keys().cloned().collect::<BTreeSet<_>>(), told(&blocked));
            let made: BTreeSet<usize> = live(&world).into_keys().collect();
            let expected: BTreeSet<usize> =
                (0..stack.len()).filter(|index| stack[*index].is_some() && !blocked.contains(index)).collect();
            prop_assert_eq!(made, expected);
            Ok(())
        })?;
    }

    /// What others write into fields of their own is no drift; what they write into ours is, and is named.
    #[test]
    fn drift_is_what_others_changed_of_ours_and_nothing_else(stack in stacks(), deeds in deeds()) {
        under_a_paused_clock(async move {
            if stack.iter().all(Option::is_none) {
                return Ok(());
            }
            let mut world = World::new();
            let resources = resources(&stack);
            prop_assert!(world.apply(&resources).await.succeeded());
            interfere(&world, &deeds);
            let now = live(&world);
            let plan = world.plan(&resources).await;
            for (index, one) in stack.iter().enumerate() {
                let Some((data, _)) = one else { continue };
                let Some(is) = now.get(&index) else { continue };
                let wanted: BTreeSet<String> = data
                    .iter()
                    .filter(|(field, value)| is.get(*field) != Some(value))
                    .map(|(field, _)| format!(".data.{field}"))
                    .collect();
                let step = plan.step(&address(&at(index))).expect("a step");
                let told: BTreeSet<String> = step.changes.iter().map(|change| change.path.to_string()).collect();
                prop_assert_eq!(told, wanted);
                for change in &step.changes {
                    let by = change.drift.as_ref().and_then(|by| by.manager.clone());
                    prop_assert_eq!(by.as_deref(), Some("kubectl-edit"));
                }
            }
            Ok(())
        })?;
    }
}
