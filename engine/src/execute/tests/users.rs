//! Users' lines in a text that others add to: put in, kept, replaced and taken out again, and shown nowhere.

use super::*;
use crate::{
    diff::drift::drifted_fields,
    document::{DocumentError, htpasswd::User},
    execute::ProviderError,
    late::{Encoding, LateSource},
    plan::{PlanError, Shown},
    recorded::{RecordedFragment, RecordedNode},
    resource::{Document, DocumentCodec},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// `Bob1234!`, as somebody else hashed it.
const BOB: &str = "bob:$2y$10$abcdefghijklmnopqrstuuLykTIZyU7Ah5lZKrEJqAmKUaC18iWrm";
const PASSWORD: &str = "Bob1234!";
/// What others have, in their ways.
const THEIRS: &str = "# of the company\r\nalice:x\r\nbobby:y\n\nno line of a user";

fn shared() -> ObjectRef {
    ObjectRef::namespaced("v1", "Secret", "n", "users")
}

fn typed(password: &str) -> LateSource {
    LateSource::Input(SecretInput::Command(vec!["echo".to_owned(), password.to_owned()]))
}

fn line_of(user: &str, password: LateSource) -> Document {
    Document {
        at: FieldPath::of("data.htpasswd"),
        codec: DocumentCodec::Htpasswd {
            user: User::new(user).expect("a name"),
            password,
        },
    }
}

fn of_users(lines: Vec<Document>) -> Resource {
    let mut overlay = Overlay::new(shared(), Value::Null);
    overlay.documents = lines;
    Resource::new(address("users.lines"), Node::Overlay(overlay))
}

/// The stack of a user called bob, with this password.
fn bob(password: &str) -> [Resource; 1] {
    [of_users(vec![line_of("bob", typed(password))])]
}

/// The same in a Secret that is made for it.
fn made_of_users() -> Resource {
    let [mut of_ours] = bob(PASSWORD);
    let Node::Overlay(overlay) = &mut of_ours.node else {
        unreachable!("it is an overlay")
    };
    overlay.create_if_absent = true;
    of_ours
}

fn world(text: &str) -> World {
    let world = World::new();
    world.cluster.put(
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "users", "namespace": "n"},
        "data": {"htpasswd": STANDARD.encode(text), "other": "b3RoZXI="}}),
    );
    world
}

fn edit(cluster: &Memory, text: &str) {
    let text = json!(STANDARD.encode(text));
    cluster.edit(&shared(), "data.htpasswd", text, "kubectl-edit");
}

fn text(world: &World) -> String {
    let live = world.cluster.object(&shared()).expect("there");
    assert_eq!(live["data"]["other"], "b3RoZXI=");
    let bytes = STANDARD.decode(live["data"]["htpasswd"].as_str().expect("a text"));
    String::from_utf8(bytes.expect("in base64")).expect("a text")
}

/// The line of bob.
fn line(world: &World) -> String {
    let line = text(world)
        .lines()
        .find(|line| line.starts_with("bob:"))
        .map(str::to_owned);
    line.expect("a line of bob")
}

/// What the plan shows of the lines: from what to what.
async fn shown(world: &World, stack: &[Resource]) -> Vec<(String, Shown, Shown)> {
    let plan = world.plan(stack).await;
    let steps = plan
        .steps
        .into_iter()
        .filter(|step| step.address == address("users.lines"));
    steps
        .flat_map(|step| step.changes)
        .map(|change| (change.path.to_string(), change.before, change.after))
        .collect()
}

fn part(user: &str, before: Shown, after: Shown) -> (String, Shown, Shown) {
    (format!(".data.htpasswd.|htpasswd.{user}"), before, after)
}

const NOTHING: [&str; 0] = [];

#[tokio::test(start_paused = true)]
async fn a_user_is_put_behind_every_byte_of_theirs_and_a_plan_after_that_is_empty() {
    let mut world = world(THEIRS);
    let stack = bob(PASSWORD);
    assert_eq!(
        world.planned(&stack).await,
        ["create users.lines (missing) .data.htpasswd.|htpasswd.bob"]
    );
    assert_eq!(shown(&world, &stack).await, [part("bob", Shown::Absent, Shown::Secret)]);
    assert!(world.apply(&stack).await.succeeded());
    assert_eq!(text(&world), format!("{THEIRS}\n{}\n", line(&world)));
    assert!(line(&world).starts_with("bob:$2y$10$"));
    assert_eq!(world.planned(&stack).await, NOTHING);

    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(text(&world), format!("{THEIRS}\n"));
    assert!(world.kept.recorded.is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_password_takes_the_place_of_the_old_line() {
    let mut world = world("alice:x\n");
    assert!(world.apply(&bob(PASSWORD)).await.succeeded());
    let old = line(&world);
    edit(&world.cluster, &format!("alice:x\n{old}\ncharlie:z\n"));
    assert_eq!(world.planned(&bob(PASSWORD)).await, NOTHING);

    assert_eq!(
        shown(&world, &bob("another")).await,
        [part("bob", Shown::Secret, Shown::Secret)]
    );
    assert!(world.apply(&bob("another")).await.succeeded());
    assert_ne!(line(&world), old);
    assert_eq!(text(&world), format!("alice:x\n{}\ncharlie:z\n", line(&world)));
    assert_eq!(world.planned(&bob("another")).await, NOTHING);
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(text(&world), "alice:x\ncharlie:z\n");
}

#[tokio::test(start_paused = true)]
async fn what_others_write_between_our_read_and_our_write_survives_apply_and_destroy() {
    let mut world = world("alice:x\n");
    world.cluster.meanwhile(|cluster| edit(cluster, "alice:y\r\ncharlie:z"));
    assert!(world.apply(&bob(PASSWORD)).await.succeeded());
    let ours = line(&world);
    assert_eq!(text(&world), format!("alice:y\r\ncharlie:z\n{ours}\n"));

    let more = format!("dora:w\nalice:y\r\n{ours}\n");
    world.cluster.meanwhile(move |cluster| edit(cluster, &more));
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(text(&world), "dora:w\nalice:y\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_taken_out_or_changed_is_drift_and_apply_mends_it() {
    let mut world = world("alice:x\n");
    let stack = bob(PASSWORD);
    assert!(world.apply(&stack).await.succeeded());
    for (text, there) in [("alice:y\n", Shown::Absent), ("bob:theirs\nalice:y\n", Shown::Secret)] {
        edit(&world.cluster, text);
        assert_eq!(
            world.planned(&stack).await,
            ["update users.lines (drifted) .data.htpasswd.|htpasswd.bob"]
        );
        let known = &world.kept.recorded[&address("users.lines")];
        let live = world.cluster.object(&shared()).expect("there");
        let drifted = drifted_fields(known, &live, None);
        let by = drifted[0].drift.as_ref().and_then(|by| by.manager.as_deref());
        assert_eq!((drifted.len(), by), (1, Some("kubectl-edit")));
        assert_eq!((&drifted[0].before, &drifted[0].after), (&Shown::Secret, &there));
        assert!(world.apply(&stack).await.succeeded());
        assert_eq!(world.planned(&stack).await, NOTHING);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_password_in_another_salt_is_no_change_and_not_ours_to_take_out() {
    let mut world = world("alice:x\n");
    assert!(world.apply(&bob(PASSWORD)).await.succeeded());
    edit(&world.cluster, &format!("{BOB}\nalice:x\n"));
    assert_eq!(world.planned(&bob(PASSWORD)).await, NOTHING);
    // Nor by a write of another line.
    let both = [of_users(vec![
        line_of("bob", typed(PASSWORD)),
        line_of("charlie", typed("Charlie1234!")),
    ])];
    assert!(world.apply(&both).await.succeeded());
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(text(&world), format!("{BOB}\nalice:x\n"));
    let note = "the line of htpasswd user `bob` was changed since; left as it is";
    assert!(world.told.iter().any(|event| event.contains(note)), "{:?}", world.told);
}

#[tokio::test(start_paused = true)]
async fn a_user_who_was_there_with_the_same_password_is_taken_as_he_is_and_stays() {
    let theirs = format!("{BOB}\r\nalice:x");
    let mut world = world(&theirs);
    assert!(world.apply(&bob(PASSWORD)).await.succeeded());
    assert_eq!(text(&world), theirs);
    assert_eq!(world.planned(&bob(PASSWORD)).await, NOTHING);

    // Still theirs: another password would lose it.
    assert_eq!(world.refused(&bob("another")).await.len(), 1);
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(text(&world), theirs);
}

#[tokio::test(start_paused = true)]
async fn a_user_who_was_there_with_another_password_is_an_error_of_the_plan() {
    let world = world(&format!("alice:x\n{BOB}\n"));
    let refused = world.refused(&bob("another")).await;
    assert_eq!(
        refused[0].to_string(),
        "`users.lines`: Secret n/users cannot be edited: htpasswd user `bob` is there already, with another password or \
         another kind of hash"
    );
    assert_eq!(
        refused[0].hint().as_deref(),
        Some("give `bob` the password that it has, name another user, or take its line out of the text first")
    );
}

#[tokio::test(start_paused = true)]
async fn a_user_whom_others_add_between_our_plan_and_our_write_keeps_the_password() {
    let mut world = world("alice:x\n");
    world.cluster.meanwhile(|cluster| edit(cluster, &format!("{BOB}\n")));
    let report = world.apply(&bob("another")).await;
    let failure = format!("{:?}", report.failed);
    assert!(
        failure.contains("is there already") && failure.contains("name another user"),
        "{failure}"
    );
    assert_eq!(text(&world), format!("{BOB}\n"));
}

#[tokio::test(start_paused = true)]
async fn a_user_who_is_dropped_goes_and_the_others_stay() {
    let mut world = world("alice:x\n");
    let both = [of_users(vec![
        line_of("bob", typed(PASSWORD)),
        line_of("charlie", typed("Charlie1234!")),
    ])];
    assert!(world.apply(&both).await.succeeded());
    assert_eq!(text(&world).lines().count(), 3);
    assert_eq!(world.planned(&both).await, NOTHING);

    // One of them is changed, and nothing is shown of the other.
    let one_changed = [of_users(vec![
        line_of("bob", typed("another")),
        line_of("charlie", typed("Charlie1234!")),
    ])];
    assert_eq!(
        shown(&world, &one_changed).await,
        [part("bob", Shown::Secret, Shown::Secret)]
    );

    let one = [of_users(vec![line_of("charlie", typed("Charlie1234!"))])];
    assert_eq!(shown(&world, &one).await, [part("bob", Shown::Secret, Shown::Absent)]);
    let with_both = text(&world);
    assert!(world.apply(&one).await.succeeded());
    let after = text(&world);
    assert!(
        after.starts_with("alice:x\ncharlie:$2y$") && after.lines().count() == 2,
        "{after}"
    );
    assert_eq!(world.planned(&one).await, NOTHING);

    // As if the run had been killed before its write: the intent, taken for the record, still knows of the line.
    let intended = world.kept.last_intent.clone().expect("an intent");
    world.kept.recorded.insert(address("users.lines"), intended);
    edit(&world.cluster, &with_both);
    assert!(world.apply(&one).await.succeeded());
    assert_eq!(text(&world), after);
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(text(&world), "alice:x\n");
}

#[tokio::test(start_paused = true)]
async fn a_text_that_others_write_too_is_not_left_without_a_part_of_ours() {
    let mut world = world("alice:x\n");
    assert!(world.apply(&bob(PASSWORD)).await.succeeded());
    let fields = json!({"metadata": {"annotations": {"a": "b"}}});
    let without = [Resource::new(
        address("users.lines"),
        Node::Overlay(Overlay::new(shared(), fields)),
    )];
    assert!(matches!(
        &world.refused(&without).await[..],
        [PlanError::Uneditable {
            cause: DocumentError::NothingLeft { .. },
            ..
        }]
    ));
}

#[tokio::test(start_paused = true)]
async fn a_kill_after_the_intent_of_a_new_password_leaves_no_old_line_behind() {
    let mut world = world("alice:x\n");
    assert!(world.apply(&bob(PASSWORD)).await.succeeded());
    let old = text(&world);
    let before = world.kept.recorded.clone();
    assert!(world.apply(&bob("another")).await.succeeded());
    let new = text(&world);
    // As if the run had been killed before its write, and after it: the intent is taken for the record.
    let intended = world.kept.last_intent.clone().expect("an intent");
    for text_then in [old, new] {
        world.kept.recorded = before.clone();
        world.kept.recorded.insert(address("users.lines"), intended.clone());
        edit(&world.cluster, &text_then);
        assert!(world.apply(&[]).await.succeeded());
        assert_eq!(text(&world), "alice:x\n");
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_we_made_goes_with_us_unless_others_added_to_it() {
    let of_ours = made_of_users();
    for more in [None, Some("alice:x\n")] {
        let mut world = World::new();
        assert!(world.apply(std::slice::from_ref(&of_ours)).await.succeeded());
        let made = world.cluster.object(&shared()).expect("there")["data"]["htpasswd"].clone();
        if let Some(more) = more {
            let ours = String::from_utf8(STANDARD.decode(made.as_str().expect("a text")).expect("in base64"));
            edit(&world.cluster, &format!("{more}{}", ours.expect("a text")));
        }
        assert!(world.apply(&[]).await.succeeded());
        let left = world.cluster.object(&shared()).map(|live| live["data"].clone());
        assert_eq!(left, more.map(|more| json!({"htpasswd": STANDARD.encode(more)})));
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_put_into_a_secret_that_we_made_stays_though_it_was_about_to_go() {
    let of_ours = [made_of_users()];
    let theirs = |cluster: &Memory| cluster.edit(&shared(), "data.theirs", json!("b3RoZXI="), "kubectl-edit");
    let again = [
        ProviderError::Throttled { retry_after: None },
        ProviderError::Unavailable("overloaded".to_owned()),
        ProviderError::Unreachable("the connection broke".to_owned()),
    ];
    // Between our read and our deletion, and before that is sent again.
    for answer in std::iter::once(None).chain(again.map(Some)) {
        let mut world = World::new();
        assert!(world.apply(&of_ours).await.succeeded());
        match answer {
            None => world.cluster.meanwhile(theirs),
            Some(answer) => world.cluster.refuse_deletion(&shared(), answer, theirs),
        }
        let report = world.apply(&[]).await;
        assert!(report.succeeded() && report.released == 1, "{report:?}");
        let left = world.cluster.object(&shared()).expect("it stays");
        assert_eq!(left["data"], json!({"theirs": "b3RoZXI="}));
        assert!(world.kept.recorded.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_we_made_counts_as_deleted_though_the_answer_was_lost() {
    let mut world = World::new();
    assert!(world.apply(&[made_of_users()]).await.succeeded());
    world.cluster.lose_answers(1);
    let report = world.apply(&[]).await;
    assert!(report.succeeded() && report.deleted == 1, "{report:?}");
    assert_eq!(world.cluster.object(&shared()), None);
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_is_of_the_users_line_and_not_of_the_text() {
    let mut world = world("alice:x\n");
    assert!(world.apply(&bob(PASSWORD)).await.succeeded());
    let read = async |world: &World| world.read(&bob("another")).await.into_values().next();
    let before = read(&world).await.expect("a step");
    edit(&world.cluster, &format!("charlie:z\n{}\n", line(&world)));
    assert_eq!(read(&world).await.as_ref(), Some(&before));
    edit(&world.cluster, "bob:theirs\n");
    let after = read(&world).await.expect("a step");
    let moved: Vec<_> = before
        .moved(&after, None, "us")
        .into_iter()
        .filter_map(|moved| moved.path)
        .collect();
    assert_eq!(moved, [".data.htpasswd.|htpasswd.bob"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_of_others_that_went_and_came_back_is_still_theirs() {
    let mut world = world(&format!("{BOB}\n"));
    assert!(world.apply(&bob(PASSWORD)).await.succeeded());
    edit(&world.cluster, "alice:x\n");
    assert!(world.apply(&bob(PASSWORD)).await.succeeded());
    assert_ne!(line(&world), BOB);
    // As if the run had been killed before its write, and they had put theirs back.
    let intended = world.kept.last_intent.clone().expect("an intent");
    world.kept.recorded.insert(address("users.lines"), intended);
    edit(&world.cluster, &format!("{BOB}\n"));
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(text(&world), format!("{BOB}\n"));
}

#[tokio::test(start_paused = true)]
async fn before_the_password_is_there_the_plan_says_what_it_waits_for_and_apply_takes_it_then() {
    let mut world = world("alice:x\n");
    let source = LateSource::Object {
        address: address("users.passwords"),
        object: config("passwords"),
        path: FieldPath::of("data.bob"),
        encoding: Encoding::Plain,
    };
    let stack = [
        object("users.passwords", "passwords", &json!({"bob": PASSWORD}), &[]),
        of_users(vec![line_of("bob", source)]),
    ];
    let after = Shown::KnownAfter("users.passwords".to_owned());
    assert_eq!(shown(&world, &stack).await, [part("bob", Shown::Absent, after)]);
    let report = world.apply(&stack).await;
    assert!(report.succeeded(), "{report:?}");
    assert_eq!(world.planned(&stack).await, NOTHING);

    // What a person may have stored with a line break at its end is told, and not written.
    let broken = json!("Bob1234!\n");
    world
        .cluster
        .edit(&config("passwords"), "data.bob", broken, "kubectl-edit");
    let refused = world.refused(&stack).await;
    assert!(
        refused[0].to_string().contains("a password has 1 to 72 bytes"),
        "{}",
        refused[0]
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_as_a_text_is_not_written_over() {
    let world = world("alice:x\n");
    let latin = json!(STANDARD.encode(b"b\xf6b:x\n"));
    world.cluster.edit(&shared(), "data.htpasswd", latin, "kubectl-edit");
    assert!(matches!(
        &world.refused(&bob(PASSWORD)).await[..],
        [PlanError::Uneditable {
            cause: DocumentError::NotText,
            ..
        }]
    ));
}

#[tokio::test(start_paused = true)]
async fn a_password_is_not_drawn_since_nobody_could_read_it_again() {
    let drawn = LateSource::Generated {
        length: 12,
        unless_exists: None,
    };
    let refused = world("").refused(&[of_users(vec![line_of("bob", drawn)])]).await;
    assert!(matches!(&refused[..], [PlanError::Late { .. }]), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn every_password_that_is_missing_is_named_and_no_path_inside_the_secret() {
    let missing = |user: &str, variable: &str| {
        let source = LateSource::Input(SecretInput::Environment(variable.to_owned()));
        line_of(user, source)
    };
    let stack = [of_users(vec![
        missing("alice", "ALICE"),
        line_of("bob", typed(PASSWORD)),
        missing("carol", "CAROL"),
    ])];
    let refused = world("").refused(&stack).await;
    let told: Vec<_> = refused.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["`users.lines`: `ALICE` is not set; `CAROL` is not set"]);
}

#[tokio::test(start_paused = true)]
async fn no_password_and_no_hash_is_in_a_plan_a_record_an_intent_an_event_or_drift() {
    let canary = "canary-0b5e55ed";
    let theirs = format!("{BOB}\n");
    let mut world = world(&theirs);
    let source = LateSource::Object {
        address: address("users.passwords"),
        object: ObjectRef::namespaced("v1", "Secret", "n", "passwords"),
        path: FieldPath::of("data.password"),
        encoding: Encoding::Base64,
    };
    world.cluster.put(
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "passwords", "namespace": "n"},
        "data": {"password": STANDARD.encode(canary)}}),
    );
    let gate = Gate::on(Observation::new(
        Target::Named(ObjectRef::namespaced("v1", "Secret", "n", "passwords")),
        Rule::Exists,
    ));
    let stack = [
        Resource::new(address("users.passwords"), Node::Gate(gate)),
        of_users(vec![line_of("charlie", source.clone())]),
    ];
    let mut seen = vec![format!("{:?}", world.plan(&stack).await)];
    assert!(world.apply(&stack).await.succeeded());
    let written = text(&world);
    let hash = written
        .strip_prefix(&theirs)
        .and_then(|ours| ours.strip_prefix("charlie:"));
    let hash = hash.expect("a line").trim_end().to_owned();
    seen.push(format!("{:?} {:?}", world.kept.recorded, world.kept.last_intent));

    // Somebody else's line, an error, a drift, and the end.
    let mut taken = stack.clone();
    taken[1] = of_users(vec![line_of("bob", source)]);
    seen.push(format!("{:?}", world.refused(&taken).await));
    edit(&world.cluster, &format!("{theirs}charlie:{hash}x\n"));
    seen.push(format!("{:?}", world.plan(&stack).await));
    let live = world.cluster.object(&shared()).expect("there");
    let known = &world.kept.recorded[&address("users.lines")];
    seen.push(format!("{:?}", drifted_fields(known, &live, None)));
    assert!(world.apply(&stack).await.succeeded());
    seen.push(format!("{:?}", world.apply(&[]).await));
    seen.extend(world.told);

    let all = seen.join("\n");
    assert!(all.contains("charlie"), "{all}");
    let (salt, rest) = hash[7..].split_at(22);
    let encoded = [&theirs, &written].map(|text| STANDARD.encode(text));
    for secret in [
        canary,
        &STANDARD.encode(canary),
        "$2y$",
        salt,
        rest,
        &encoded[0][..40],
        &encoded[1][..40],
    ] {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_recorded_of_a_user_is_a_digest_and_whose_line_it_was() {
    let mut world = world(&format!("{BOB}\n"));
    let stack = [of_users(vec![
        line_of("bob", typed(PASSWORD)),
        line_of("charlie", typed("Charlie1234!")),
    ])];
    assert!(world.apply(&stack).await.succeeded());
    let RecordedNode::Overlay { documents, .. } = &world.kept.recorded[&address("users.lines")].node else {
        unreachable!("it is an overlay")
    };
    let written: Vec<_> = text(&world)
        .lines()
        .map(|line| crate::digest::Digest::of_bytes(line.as_bytes()))
        .collect();
    let recorded: Vec<_> = documents.iter().map(|document| document.fragment.clone()).collect();
    let of = |user: &str, line: usize, was_there| RecordedFragment::Htpasswd {
        user: User::new(user).expect("a name"),
        written: vec![written[line]],
        was_there,
    };
    assert_eq!(recorded, [of("bob", 0, true), of("charlie", 1, false)]);
}
