//! Addresses that the stack renames: what is recorded follows, and the cluster hears nothing of it.

use super::*;
use crate::{
    marks::Whose,
    moves::{Move, Moves, Removal, renamed, said_in},
};
use std::collections::BTreeSet;

fn overlay(at: &str, path: &str, value: &Value) -> Resource {
    let mut fields = json!({});
    FieldPath::of(path).set(&mut fields, value.clone());
    Resource::new(address(at), Node::Overlay(Overlay::new(config("shared"), fields)))
}

/// An object and an overlay of somebody else's object.
fn stack(component: &str) -> [Resource; 2] {
    [
        object(&format!("{component}.own"), "own", &json!({"k": "1"}), &[]),
        overlay(&format!("{component}.taken"), "data.theirs", &json!("ours")),
    ]
}

fn moves(from: &str, to: &str) -> Moves {
    let prefix = |text: &str| text.parse().expect("a prefix");
    Moves {
        moved: vec![Move {
            from: prefix(from),
            to: prefix(to),
            written_at: String::new(),
        }],
        removed: Vec::new(),
    }
}

impl World {
    fn with_shared() -> Self {
        let world = Self::new();
        world.cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "shared", "namespace": "n"}, "data": {"theirs": "before", "other": "stays"}}));
        world
    }

    /// Renames what is recorded, as the state does when the plan is carried out.
    fn rename(&mut self, moves: &Moves) {
        let recorded = std::mem::take(&mut self.kept.recorded);
        let renames = moves
            .renames(&recorded, &BTreeSet::new())
            .expect("nothing is in the way");
        assert!(!renames.is_empty());
        self.kept.recorded = renamed(recorded, &renames);
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_writes_nothing_to_the_cluster_and_its_destroy_restores() {
    let mut world = World::with_shared();
    assert!(world.apply(&stack("old")).await.succeeded());
    let before = world.cluster.log();
    world.rename(&moves("old", "new"));
    assert_eq!(world.planned(&stack("new")).await, Vec::<String>::new());
    assert!(world.apply(&stack("new")).await.succeeded());
    assert_eq!(world.cluster.log(), before);
    let names: Vec<_> = world.kept.recorded.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["new.own", "new.taken"]);
    // A change that has another reason takes the new mark along.
    let mut changed = stack("new");
    changed[0] = object("new.own", "own", &json!({"k": "2"}), &[]);
    assert!(world.apply(&changed).await.succeeded());
    let own = world.cluster.object(&config("own")).expect("there");
    assert_eq!(own["metadata"]["annotations"]["stackctl.dev/address"], "new.own");
    assert!(world.apply(&[]).await.succeeded());
    let shared = world.cluster.object(&config("shared")).expect("there");
    assert_eq!(shared["data"], json!({"theirs": "before", "other": "stays"}));
    assert!(world.cluster.object(&config("own")).is_none());
}

#[tokio::test(start_paused = true)]
async fn an_overlay_at_the_former_address_does_not_write_in_the_name_of_the_one_that_moved() {
    let mut world = World::with_shared();
    assert!(world.apply(&stack("old")).await.succeeded());
    world.rename(&moves("old", "new"));
    let mut both = stack("new").to_vec();
    both.push(overlay("old.taken", "data.more", &json!("ours too")));
    assert!(world.apply(&both).await.succeeded());
    let shared = world.cluster.object(&config("shared")).expect("there");
    assert_eq!(
        shared["data"],
        json!({"theirs": "ours", "other": "stays", "more": "ours too"})
    );
    assert_eq!(world.planned(&both).await, Vec::<String>::new());
    let manager = |at: &str| {
        world.kept.recorded[&address(at)]
            .object()
            .map(|object| object.manager.clone())
    };
    assert_eq!(manager("new.taken").as_deref(), Some("stackctl/demo/old.taken"));
    assert_eq!(manager("old.taken").as_deref(), Some("stackctl/demo/old.taken~2"));
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_is_released_and_stays() {
    let mut world = World::with_shared();
    assert!(world.apply(&stack("old")).await.succeeded());
    let moves = Moves {
        moved: Vec::new(),
        removed: vec![Removal {
            address: "old.own".parse().expect("a prefix"),
            written_at: String::new(),
        }],
    };
    let let_go = moves.let_go(&mut world.kept.recorded);
    let [_, overlay] = stack("old");
    let plan = said_in(world.plan(std::slice::from_ref(&overlay)).await, &let_go);
    let step = plan.step(&address("old.own")).expect("a step");
    assert_eq!((step.action.code(), step.reasons[0].code()), ("release", "let-go"));
    assert_eq!(step.object.as_ref(), Some(&config("own")));
    assert!(world.apply(&[overlay]).await.succeeded());
    assert!(!world.kept.recorded.contains_key(&address("old.own")));
    let left = world.cluster.object(&config("own")).expect("it stays");
    let other = Identity {
        stack: "other".to_owned(),
        ..identity()
    };
    assert_eq!(
        other.whose(&left, &address("a.b"), &config("own"), None),
        Whose::Foreign
    );
}
