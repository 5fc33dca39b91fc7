//! The laws of DESIGN §10, over random stacks, edits by others, failures and kills, against an oracle that is slow and
//! obvious: what the cluster should hold is worked out from the stacks alone.
//!
//! A stack has objects with texts, a map and a list, which wait for each other until they are applied or ready; and at
//! times it writes into an object of somebody else, and has to give that back.

use super::*;
use crate::{
    diff::leaves,
    ownership::managed_entries,
    plan::{Action as Planned, PlanError},
    recorded::RecordedNode,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// How many random cases each law is tried on.
const CASES: u32 = 260;
/// How many objects a stack may have.
const MOST: usize = 9;
const FIELDS: [&str; 6] = ["a", "b", "c", "m.x", "m.y", "list"];
/// The object of somebody else, among the others.
const THEIRS: usize = MOST;

/// Values by their paths below `data`.
pub(super) type Data = BTreeMap<String, Value>;

/// Of one object its data, and which of the objects before it it waits for: until they are ready, or applied.
type One = (Data, BTreeMap<usize, bool>);

/// A stack, in the words of the oracle: its objects, and what it writes into that of somebody else.
#[derive(Clone, Debug)]
struct Stack {
    objects: Vec<Option<One>>,
    overlay: Option<One>,
}

impl Stack {
    fn get(&self, index: usize) -> Option<&One> {
        match index {
            THEIRS => self.overlay.as_ref(),
            index => self.objects.get(index)?.as_ref(),
        }
    }

    /// All of it, in an order in which nothing waits for what comes later.
    fn all(&self) -> impl Iterator<Item = (usize, &One)> {
        (0..=THEIRS).filter_map(|index| Some((index, self.get(index)?)))
    }

    fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }
}

/// What somebody else does to one object.
#[derive(Clone, Debug)]
enum Deed {
    Edit { field: &'static str, value: String },
    Delete,
}

/// A list where the field is one, else a text.
pub(super) fn value(field: &str, text: &str) -> Value {
    if field == "list" {
        json!([text, "z"])
    } else {
        json!(text)
    }
}

fn stacks() -> impl Strategy<Value = Stack> {
    let data = || {
        let fields = prop::collection::btree_map(prop::sample::select(&FIELDS[..]), "[xyz]", 1..5);
        fields.prop_map(|fields| -> Data {
            let one = |(field, text): (&str, String)| (field.to_owned(), value(field, &text));
            fields.into_iter().map(one).collect()
        })
    };
    let one = || {
        (
            data(),
            prop::collection::btree_map(0..MOST, prop::bool::weighted(0.7), 0..4),
        )
    };
    let objects = prop::collection::vec(prop::option::weighted(0.8, one()), 1..MOST);
    (objects, prop::option::weighted(0.5, one())).prop_map(|(objects, overlay)| {
        let mut stack = Stack { objects, overlay };
        // Nothing waits for what is not there or comes later: edges go down.
        let there: BTreeSet<usize> = stack.all().map(|(index, _)| index).collect();
        let Stack { objects, overlay } = &mut stack;
        for (index, one) in objects.iter_mut().enumerate().chain([(THEIRS, overlay)]) {
            if let Some((_, waits)) = one {
                waits.retain(|other, _| *other < index && there.contains(other));
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
    match index {
        THEIRS => "theirs".to_owned(),
        index => format!("c{index}"),
    }
}

fn at(index: usize) -> String {
    format!("a.c{index}")
}

/// What the object of somebody else holds before anybody comes.
fn prior() -> Data {
    let held = [("a", "prior"), ("m.x", "prior"), ("theirs", "kept")];
    held.map(|(field, text)| (field.to_owned(), json!(text))).into()
}

/// A cluster with the object of somebody else.
pub(super) fn world() -> World {
    let world = World::new();
    let owned = json!({"f:data": {"f:a": {}, "f:m": {"f:x": {}}, "f:theirs": {}}});
    let entry = json!({"manager": "op", "operation": "Update", "fieldsV1": owned});
    world.cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "theirs", "namespace": "n", "managedFields": [entry]}, "data": nested(&prior())}));
    world
}

pub(super) fn nested(data: &Data) -> Value {
    let mut object = json!({});
    for (field, value) in data {
        FieldPath::of(field).set(&mut object, value.clone());
    }
    object
}

fn resources(stack: &Stack) -> Vec<Resource> {
    let one = |(index, (data, waits)): (usize, &One)| {
        let mut resource = match index {
            THEIRS => Resource::new(
                address(&at(index)),
                Node::Overlay(Overlay::new(config(&name(index)), json!({"data": nested(data)}))),
            ),
            index => object(&at(index), &name(index), &nested(data), &[]),
        };
        let edge = |(other, until_ready): (&usize, &bool)| match until_ready {
            true => DependsOn::ready(address(&at(*other)), "it needs it"),
            false => DependsOn::applied(address(&at(*other)), "it comes after it"),
        };
        resource.depends_on = waits.iter().map(edge).collect();
        resource
    };
    stack.all().map(one).collect()
}

/// The data of every object that is there.
fn live(world: &World) -> BTreeMap<usize, Data> {
    let data = |index: usize| {
        let object = world.cluster.object(&config(&name(index)))?;
        let data = &object["data"];
        let of_leaf = |path: FieldPath| {
            let value = path.get(data)?.clone();
            // A map that lost its last entry holds nothing.
            let is_left = value != json!({});
            is_left.then(|| (path.to_string().trim_start_matches('.').to_owned(), value))
        };
        Some((index, leaves(data).into_iter().filter_map(of_leaf).collect()))
    };
    (0..=THEIRS).filter_map(data).collect()
}

/// What others do, and what they then hold of each object that they edited.
fn interfere(world: &World, deeds: &[(usize, Deed)]) -> BTreeMap<usize, Data> {
    let mut theirs: BTreeMap<usize, Data> = BTreeMap::new();
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
                    .insert((*field).to_owned(), json!(value));
            }
            Deed::Delete => {
                world.cluster.take(&object);
                theirs.remove(index);
            }
        }
    }
    theirs
}

fn data_of(stack: &Stack, index: usize) -> Option<Data> {
    stack.get(index).map(|(data, _)| data.clone())
}

/// What the cluster should hold: of every object of the stack its data, and beside it what others wrote or had.
fn expected(stack: &Stack, theirs: &BTreeMap<usize, Data>) -> BTreeMap<usize, Data> {
    let mut all = BTreeMap::from([(THEIRS, prior())]);
    for (index, (data, _)) in stack.all() {
        let mut held = match index {
            THEIRS => prior(),
            index => theirs.get(&index).cloned().unwrap_or_default(),
        };
        held.extend(data.clone());
        all.insert(index, held);
    }
    all
}

/// What is left when the stack is gone.
fn nothing_of_ours(world: &World) -> Result<(), TestCaseError> {
    prop_assert_eq!(live(world), BTreeMap::from([(THEIRS, prior())]));
    prop_assert!(world.kept.recorded.is_empty());
    let theirs = world
        .cluster
        .object(&config(&name(THEIRS)))
        .expect("it is nobody's to delete");
    let entries = managed_entries(&theirs);
    prop_assert!(
        entries.iter().all(|entry| !entry.manager.starts_with("stackctl/")),
        "{:?}",
        entries
    );
    Ok(())
}

/// The objects of which a stack wants fields that others have, and that it never had.
fn conflicts(stack: &Stack, before: &Stack, theirs: &BTreeMap<usize, Data>) -> BTreeSet<usize> {
    let is_taken = |index: &usize| {
        let had = data_of(before, *index).unwrap_or_default();
        let wanted = data_of(stack, *index).unwrap_or_default();
        let theirs = theirs.get(index).into_iter().flatten();
        theirs
            .into_iter()
            .any(|(field, _)| wanted.contains_key(field) && !had.contains_key(field))
    };
    (0..MOST).filter(is_taken).collect()
}

/// What a plan should do with each object, by looking at what is there. A field that the stack no longer has is let go,
/// also where somebody else wrote it last and keeps it.
fn to_do(world: &World, before: &Stack, stack: &Stack) -> BTreeMap<usize, Planned> {
    let live = live(world);
    let mut all = BTreeMap::new();
    for index in 0..=THEIRS {
        let is = live.get(&index);
        let action = match (data_of(stack, index), is, data_of(before, index)) {
            (Some(_), None, _) => Planned::Create,
            // What it held is not ours; what we write into it is new.
            (Some(_), Some(_), None) if index == THEIRS => Planned::Create,
            (Some(data), Some(is), had) => {
                let differs = data.iter().any(|(field, value)| is.get(field) != Some(value));
                let drops = |field: &String| !data.contains_key(field) && is.contains_key(field);
                if differs || had.unwrap_or_default().keys().any(drops) {
                    Planned::Update
                } else {
                    continue;
                }
            }
            (None, Some(_), Some(_)) if index == THEIRS => Planned::Release,
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

/// That no write came before the write of what it waits for; what is somebody else's is written by another verb.
fn order_respects_edges(log: &[String], verbs: [&str; 2], stack: &Stack) -> Result<(), TestCaseError> {
    let place = |index: usize| {
        let verb = verbs[usize::from(index == THEIRS)];
        log.iter()
            .position(|line| *line == format!("{verb} ConfigMap n/{}", name(index)))
    };
    for (index, (_, waits)) in stack.all() {
        for other in waits.keys() {
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
    // What was on its way to the journal is lost with the process. What was intended, and came through, counts as
    // recorded at the next start: of an object its marks say it, of an overlay its manager.
    world.kept.unsaved.clear();
    world.kept.unsaved_intents.clear();
    for (address, intended) in std::mem::take(&mut world.kept.open) {
        let mut record = intended.clone();
        let RecordedNode::Overlay { object, .. } = &mut record.node else {
            continue;
        };
        let live = world.cluster.object(&object.object).expect("it is nobody's to delete");
        let came_through = managed_entries(&live)
            .iter()
            .any(|entry| entry.manager == object.manager);
        if came_through && !resources.is_empty() {
            object.sent = crate::digest::Digest::of(&Value::Null);
            world.kept.recorded.insert(address.clone(), record);
        }
        world.kept.open.insert(address, intended);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    /// A plan does what the oracle says and nothing else; after the apply the cluster holds what it should, and a plan
    /// is empty; what waits comes later, and on destroy sooner; and nothing of ours is left then.
    #[test]
    fn a_life_of_a_stack_keeps_the_laws(first in stacks(), second in stacks(), deeds in deeds()) {
        under_a_paused_clock(async move {
            let mut world = world();
            prop_assert!(world.apply(&resources(&first)).await.succeeded());
            prop_assert_eq!(live(&world), expected(&first, &BTreeMap::new()));
            order_respects_edges(&world.cluster.log(), ["create", "update"], &first)?;

            let theirs = interfere(&world, &deeds);
            if second.is_empty() {
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
            order_respects_edges(&log, ["create", "update"], &second)?;
            prop_assert_eq!(done(&world.plan(&resources(&second)).await), BTreeMap::new());

            let before = world.cluster.log().len();
            prop_assert!(world.apply(&[]).await.succeeded());
            nothing_of_ours(&world)?;
            let mut log = world.cluster.log().split_off(before);
            log.reverse();
            order_respects_edges(&log, ["delete", "patch"], &second)
        })?;
    }

    /// Kills after any number of requests, and an apply: the same end, and nothing is made twice. The same of a destroy:
    /// nothing of ours is left, and what is somebody else's holds what it held.
    #[test]
    fn kills_and_a_run_end_where_one_run_ends(
        stack in stacks(), kills in prop::collection::vec(0_usize..20, 0..5), of_destroy in prop::collection::vec(0_usize..12, 0..4),
    ) {
        under_a_paused_clock(async move {
            if stack.is_empty() {
                return Ok(());
            }
            let mut world = world();
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
            for requests in of_destroy {
                killed_after(&mut world, &[], requests).await;
            }
            prop_assert!(world.apply(&[]).await.succeeded());
            nothing_of_ours(&world)
        })?;
    }

    /// Objects that are refused, or never ready, block what waits for them, and exactly that.
    #[test]
    fn a_failure_blocks_its_descendants_and_nothing_else(
        stack in stacks(), broken in prop::collection::btree_set(0..=THEIRS, 0..3), refused in prop::collection::btree_set(0..=THEIRS, 0..3),
    ) {
        under_a_paused_clock(async move {
            let mut world = world();
            let mut resources = resources(&stack);
            let of_stack = |chosen: BTreeSet<usize>| -> BTreeSet<usize> {
                chosen.into_iter().filter(|index| stack.get(*index).is_some()).collect()
            };
            let (broken, refused) = (of_stack(broken), of_stack(refused));
            for resource in &mut resources {
                if broken.iter().any(|index| resource.address == address(&at(*index))) {
                    // Nobody ever gives it this.
                    let never = Rule::equals("data.never", "there");
                    match &mut resource.node {
                        Node::Object(object) => object.ready = never,
                        Node::Overlay(overlay) => overlay.ready = never,
                        other => panic!("{other:?} is in no stack"),
                    }
                }
            }
            for index in &refused {
                world.cluster.refuse_writes(&name(*index));
            }
            let mut blocked = BTreeSet::new();
            for (index, (_, waits)) in stack.all() {
                let holds_up = |(other, until_ready): (&usize, &bool)| {
                    blocked.contains(other) || refused.contains(other) || *until_ready && broken.contains(other)
                };
                if waits.iter().any(holds_up) {
                    blocked.insert(index);
                }
            }
            let report = world.apply(&resources).await;
            let told = |indices: &BTreeSet<usize>| indices.iter().map(|index| address(&at(*index))).collect::<BTreeSet<_>>();
            let failed: BTreeSet<_> = broken.union(&refused).filter(|index| !blocked.contains(*index)).copied().collect();
            prop_assert_eq!(report.failed.keys().cloned().collect::<BTreeSet<_>>(), told(&failed));
            prop_assert_eq!(report.blocked.keys().cloned().collect::<BTreeSet<_>>(), told(&blocked));
            let mut written = stack.clone();
            for index in blocked.union(&refused) {
                match *index {
                    THEIRS => written.overlay = None,
                    index => written.objects[index] = None,
                }
            }
            prop_assert_eq!(live(&world), expected(&written, &BTreeMap::new()));
            Ok(())
        })?;
    }

    /// What others write into fields of their own is no drift; what they write into ours is, and is named.
    #[test]
    fn drift_is_what_others_changed_of_ours_and_nothing_else(stack in stacks(), deeds in deeds()) {
        under_a_paused_clock(async move {
            if stack.is_empty() {
                return Ok(());
            }
            let mut world = world();
            let resources = resources(&stack);
            prop_assert!(world.apply(&resources).await.succeeded());
            interfere(&world, &deeds);
            let now = live(&world);
            let plan = world.plan(&resources).await;
            for (index, (data, _)) in stack.all() {
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
