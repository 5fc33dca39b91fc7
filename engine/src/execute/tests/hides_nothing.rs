//! The law that a plan hides nothing: it says exactly what an apply of everything would change, whatever others did.
//!
//! The oracle knows no record and no digest: it asks the server about each object, and compares the answer with what is
//! there.

use super::*;
use crate::{
    diff::differences,
    execute::{ApplyRequest, Provider as _},
    plan::{Action, PlanError, Reason},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const CASES: u32 = 350;
/// Objects of the stack, and at last that of somebody else, which the stack at times writes into.
const NAMES: [&str; 4] = ["one", "two", "three", "theirs"];
const THEIRS: usize = 3;
const FIELDS: [&str; 5] = ["a", "b", "c", "m.x", "list"];
/// Fields that others write: ours, what we never wrote, and our own marks.
const PATHS: [&str; 8] = [
    "data.a",
    "data.b",
    "data.m.x",
    "data.list",
    "data.theirs",
    "metadata.labels.theirs",
    "metadata.annotations.theirs",
    "metadata.labels[\"app.kubernetes.io/managed-by\"]",
];

/// What somebody else does to one object.
#[derive(Clone, Debug)]
enum Deed {
    Edit { path: &'static str, value: &'static str },
    Strip { path: &'static str },
    Disown,
    Delete,
}

/// The data of each object; that of somebody else is not always written into.
type Stack = Vec<Option<BTreeMap<&'static str, &'static str>>>;

fn stacks() -> impl Strategy<Value = Stack> {
    let value = prop::sample::select(vec!["1", "2"]);
    let data = prop::collection::btree_map(prop::sample::select(FIELDS.to_vec()), value, 1..=FIELDS.len());
    let overlay = prop::option::of(data.clone());
    (prop::collection::vec(data.prop_map(Some), THEIRS), overlay).prop_map(|(mut objects, overlay)| {
        objects.push(overlay);
        objects
    })
}

fn deeds() -> impl Strategy<Value = Vec<(usize, Deed)>> {
    let path = || prop::sample::select(PATHS.to_vec());
    let deed = prop_oneof![
        6 => (path(), prop::sample::select(vec!["1", "2", "9"])).prop_map(|(path, value)| Deed::Edit { path, value }),
        4 => path().prop_map(|path| Deed::Strip { path }),
        1 => Just(Deed::Disown),
        1 => Just(Deed::Delete),
    ];
    prop::collection::vec((0..NAMES.len(), deed), 0..6)
}

fn resources(stack: &Stack) -> Vec<Resource> {
    let one = |(name, data): (&&str, &Option<BTreeMap<&str, &str>>)| {
        let data = data.as_ref()?.iter();
        let data = data.map(|(field, text)| ((*field).to_owned(), laws::value(field, text)));
        let (at, data) = (format!("a.{name}"), laws::nested(&data.collect()));
        Some(match *name {
            "theirs" => {
                let overlay = Overlay::new(config(name), json!({"data": data}));
                Resource::new(address(&at), Node::Overlay(overlay))
            }
            name => object(&at, name, &data, &[]),
        })
    };
    NAMES.iter().zip(stack).filter_map(one).collect()
}

fn interfere(world: &World, deeds: &[(usize, Deed)]) {
    for (index, deed) in deeds {
        let object = config(NAMES[*index]);
        if world.cluster.object(&object).is_none() {
            continue;
        }
        match deed {
            // What an overlay does then is told beside its own tests.
            Deed::Disown | Deed::Delete if *index == THEIRS => {}
            Deed::Edit { path, value } => world.cluster.edit(&object, path, json!(value), "kubectl-edit"),
            Deed::Strip { path } => world.cluster.strip(&object, path),
            Deed::Disown => world.cluster.disown(&object, &identity().object_manager()),
            Deed::Delete => world.cluster.take(&object),
        }
    }
}

/// The paths that an apply with force would change; none where there is nothing to apply to.
async fn oracle(world: &World, resource: &Resource) -> Option<BTreeSet<FieldPath>> {
    let (object, body, manager) = match &resource.node {
        Node::Object(object) => {
            let mut body = object.manifest.value().clone();
            identity().mark(&mut body, &resource.address, object.manifest.object());
            (object.manifest.object().clone(), body, identity().object_manager())
        }
        Node::Overlay(overlay) => (
            overlay.target.clone(),
            overlay.fields.clone(),
            identity().overlay_manager(&resource.address),
        ),
        other => panic!("{other:?} is in no stack"),
    };
    let live = world.cluster.object(&object)?;
    let request = ApplyRequest {
        object,
        body,
        manager,
        force: true,
        dry_run: true,
    };
    let after = world.cluster.apply(&request).await.expect("it answers").object;
    Some(differences(&live, &after).into_iter().map(|(path, ..)| path).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_says_all_that_an_apply_would_change_and_nothing_else(
        first in stacks(), second in stacks(), changes in any::<bool>(), deeds in deeds(),
    ) {
        laws::under_a_paused_clock(async move {
            let mut world = laws::world();
            prop_assert!(world.apply(&resources(&first)).await.succeeded());
            interfere(&world, &deeds);
            let wanted = resources(if changes { &second } else { &first });
            let answer = world.answer(&wanted).await;
            let refused: BTreeSet<Address> = match &answer {
                Ok(_) => BTreeSet::new(),
                Err(errors) => errors
                    .iter()
                    .map(|error| match error {
                        PlanError::Conflict { address, .. } | PlanError::NotOurs { address, .. } => address.clone(),
                        other => panic!("{other}"),
                    })
                    .collect(),
            };
            for resource in &wanted {
                let told = oracle(&world, resource).await;
                if refused.contains(&resource.address) {
                    prop_assert_ne!(told, Some(BTreeSet::new()), "refused, and an apply would change nothing");
                    continue;
                }
                let Ok(plan) = &answer else { continue };
                let step = plan.step(&resource.address).expect("every resource has a step");
                let said: BTreeSet<FieldPath> = step.changes.iter().map(|change| change.path.clone()).collect();
                match told {
                    None => prop_assert_eq!(step.action, Action::Create),
                    Some(paths) => {
                        prop_assert_eq!(&said, &paths, "{}", step.address);
                        prop_assert!(paths.is_empty() || step.action.is_change(), "{}", step.address);
                        let leaves = step.reasons.iter().any(|reason| matches!(reason, Reason::KeptBy { .. }));
                        let names_something = !paths.is_empty() || leaves;
                        prop_assert!(names_something || step.action != Action::Update, "{}", step.address);
                    }
                }
            }
            Ok(())
        })?;
    }
}
