//! Secrets that a person supplies in their own time.

use super::*;
use crate::{
    execute::SecretSource,
    late::{Encoding, Late, LateSource},
};
use std::cell::RefCell;
use tokio::time::{Instant, sleep};

/// Prints secrets after a while.
struct Slow(Duration);

impl SecretSource for Slow {
    fn draw(&self, length: usize) -> String {
        "a".repeat(length)
    }

    async fn read(&self, input: &SecretInput) -> Result<String, String> {
        sleep(self.0).await;
        Fixed.input(input)
    }
}

/// A Secret with twice the same secret.
fn secret() -> Resource {
    let late = |path: &str| Late {
        path: FieldPath::of(path),
        source: LateSource::Input(SecretInput::Command(vec!["echo".to_owned(), "s3cret".to_owned()])),
        encoding: Encoding::Plain,
        sensitive: true,
    };
    let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "s", "namespace": "n"}}));
    let manifest = manifest.with_late(late("data.one")).with_late(late("data.two"));
    Resource::new(address("a.secret"), Node::Object(Object::new(manifest)))
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_takes_its_time_holds_up_neither_others_nor_a_person_who_asks_to_stop() {
    let mut world = World::new();
    let stack = [secret(), object("b.other", "other", &json!({}), &[])];
    let plan = world.plan(&stack).await;
    let (identity, key) = (identity(), StackKey::new([1; 32]));
    let execution = Execution {
        plan: &plan,
        resources: &stack,
        recorded: &BTreeMap::new(),
        identity: &identity,
        key: Some(&key),
        options: Options::default(),
    };
    let (began, told) = (Instant::now(), RefCell::new(Vec::new()));
    let on = |event: &Event| {
        let what = match event {
            Event::Written { address, .. } => address.to_string(),
            Event::Interrupted => "asked to stop".to_owned(),
            Event::Failed { failure, .. } => format!("{failure:?}"),
            _ => return,
        };
        told.borrow_mut().push((what, began.elapsed().as_secs()));
    };
    let slow = Slow(Duration::from_secs(30));
    let ctrl_c = sleep(Duration::from_secs(10));
    drive(&execution, &world.cluster, &mut world.kept, &slow, ctrl_c, on)
        .await
        .expect("the state is kept");
    let expected = [("b.other", 0), ("asked to stop", 10), ("a.secret", 30)];
    assert_eq!(
        *told.borrow(),
        expected.map(|(what, at)| (what.to_owned(), at)),
        "each secret is read once"
    );
    let live = world.cluster.object(&ObjectRef::namespaced("v1", "Secret", "n", "s"));
    assert_eq!(
        live.expect("written")["data"],
        json!({"one": "s3cret", "two": "s3cret"})
    );
}
