//! Certificates in a text that others add to: put in, kept, replaced and taken out again.

use super::*;
use crate::{
    FieldPath,
    diff::drift::drifted_fields,
    digest::Digest,
    late::{Encoding, LateSource},
    recorded::{Origin, RecordedNode},
    resource::{Document, DocumentCodec},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A PEM block around some words.
fn block(words: &str) -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(words)
    )
}

/// How a block of these words is shown.
fn digest(words: &str) -> Value {
    json!(Digest::of_bytes(words.as_bytes()).to_string())
}

fn authority() -> ObjectRef {
    ObjectRef::namespaced("v1", "Secret", "n", "authority")
}

/// The shared bundle, and the gate that the authority's Secret is there.
fn stack() -> [Resource; 2] {
    let issued = Observation::new(Target::Named(authority()), Rule::non_empty(r#"data["tls.crt"]"#));
    let source = LateSource::Object {
        address: address("ca.issued"),
        object: authority(),
        path: FieldPath::of(r#"data["tls.crt"]"#),
        encoding: Encoding::Base64,
    };
    [
        Resource::new(address("ca.issued"), Node::Gate(Gate::on(issued))),
        trusting(source),
    ]
}

fn trusting(certificates: LateSource) -> Resource {
    let mut overlay = Overlay::new(config("bundle"), Value::Null);
    overlay.create_if_absent = true;
    overlay.documents.push(Document {
        at: FieldPath::of(r#"data["ca-bundle.crt"]"#),
        codec: DocumentCodec::Pem { certificates },
    });
    Resource::new(address("ca.trusted"), Node::Overlay(overlay))
}

/// A world in which the authority's certificate says these words, and the bundle is this text, if there is one.
fn world(words: &str, bundle: Option<&str>) -> World {
    let world = World::new();
    world.cluster.put(
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "authority", "namespace": "n"},
        "data": {"tls.crt": STANDARD.encode(block(words)), "tls.key": STANDARD.encode("secret")}}),
    );
    if let Some(text) = bundle {
        put(&world.cluster, text);
    }
    world
}

fn put(cluster: &Memory, bundle: &str) {
    cluster.put(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bundle", "namespace": "n"},
        "data": {"ca-bundle.crt": bundle}}),
    );
}

fn edit(cluster: &Memory, bundle: &str) {
    cluster.edit(
        &config("bundle"),
        r#"data["ca-bundle.crt"]"#,
        json!(bundle),
        "kubectl-edit",
    );
}

fn renew(world: &World, words: &str) {
    let text = json!(STANDARD.encode(block(words)));
    let at = r#"data["tls.crt"]"#;
    world.cluster.edit(&authority(), at, text, "cert-manager");
}

fn bundle(world: &World) -> String {
    let live = world.cluster.object(&config("bundle")).expect("there");
    live["data"]["ca-bundle.crt"].as_str().expect("a text").to_owned()
}

/// What the plan shows of the bundle: from what to what.
async fn shown(world: &World) -> Vec<(String, crate::plan::Shown, crate::plan::Shown)> {
    let plan = world.plan(&stack()).await;
    let step = plan.steps.iter().find(|step| step.address == address("ca.trusted"));
    let changes = step.map(|step| step.changes.clone()).unwrap_or_default();
    changes
        .into_iter()
        .map(|change| (change.path.to_string(), change.before, change.after))
        .collect()
}

const PART: &str = ".data.ca-bundle.crt.|pem";

#[tokio::test(start_paused = true)]
async fn ours_is_put_behind_every_byte_of_theirs_and_a_plan_after_that_is_empty() {
    use crate::plan::Shown;
    let theirs = format!("# of the company\r\n{}\n  # end", block("theirs"));
    let mut world = world("ours", Some(&theirs));
    assert_eq!(
        shown(&world).await,
        [(PART.to_owned(), Shown::Absent, Shown::Value(digest("ours")))]
    );
    assert!(world.apply(&stack()).await.succeeded());
    assert_eq!(bundle(&world), format!("{theirs}\n{}", block("ours")));
    assert_eq!(world.planned(&stack()).await, Vec::<String>::new());
    let kept = format!("{:?}", world.kept.recorded);
    assert!(
        !kept.contains(&STANDARD.encode("ours")) && !kept.contains("BEGIN"),
        "{kept}"
    );

    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(bundle(&world), format!("{theirs}\n"));
    assert!(world.kept.recorded.is_empty());
}

#[tokio::test(start_paused = true)]
async fn before_the_certificate_is_there_the_plan_says_what_it_waits_for_and_apply_takes_it_then() {
    use crate::plan::Shown;
    let mut world = World::new();
    put(&world.cluster, &block("theirs"));
    let after = Shown::KnownAfter("ca.issued".to_owned());
    assert_eq!(shown(&world).await, [(PART.to_owned(), Shown::Absent, after)]);

    // Made in the same run, so that what the plan could not know is known by the time of the write.
    let source = LateSource::Object {
        address: address("ca.made"),
        object: config("made"),
        path: FieldPath::of("data.crt"),
        encoding: Encoding::Plain,
    };
    let stack = [
        object("ca.made", "made", &json!({"crt": block("ours")}), &[]),
        trusting(source),
    ];
    assert_eq!(
        world.planned(&stack).await[1],
        "create ca.trusted (missing) .data.ca-bundle.crt.|pem"
    );
    let report = world.apply(&stack).await;
    assert!(report.succeeded(), "{report:?}");
    assert_eq!(bundle(&world), format!("{}{}", block("theirs"), block("ours")));
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_we_made_goes_with_us_unless_others_added_to_it() {
    let mut made = world("ours", None);
    assert!(made.apply(&stack()).await.succeeded());
    assert_eq!(bundle(&made), block("ours"));
    assert!(made.apply(&[]).await.succeeded());
    assert_eq!(made.cluster.object(&config("bundle")), None);

    let mut shared = world("ours", None);
    assert!(shared.apply(&stack()).await.succeeded());
    edit(&shared.cluster, &format!("{}{}", block("ours"), block("theirs")));
    assert!(shared.apply(&[]).await.succeeded());
    assert_eq!(bundle(&shared), block("theirs"));
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_we_made_stays_with_what_others_put_beside_the_texts() {
    let mut world = world("ca", None);
    assert!(world.apply(&stack()).await.succeeded());
    world.cluster.edit(
        &config("bundle"),
        "binaryData",
        json!({"theirs": "AAEC"}),
        "kubectl-edit",
    );
    assert!(world.apply(&[]).await.succeeded());
    let left = world.cluster.object(&config("bundle")).expect("it stays");
    assert_eq!(left["binaryData"]["theirs"], "AAEC");
    assert!(!left["data"].to_string().contains("CERTIFICATE"), "{left}");
}

#[tokio::test(start_paused = true)]
async fn what_others_write_between_our_read_and_our_write_survives_apply_and_destroy() {
    let mut world = world("ours", Some(&block("theirs")));
    let edited = block("theirs, edited");
    world.cluster.meanwhile({
        let edited = edited.clone();
        move |cluster| edit(cluster, &edited)
    });
    assert!(world.apply(&stack()).await.succeeded());
    assert_eq!(bundle(&world), format!("{edited}{}", block("ours")));

    let more = format!("{}{edited}{}", block("more"), block("ours"));
    world.cluster.meanwhile(move |cluster| edit(cluster, &more));
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(bundle(&world), format!("{}{edited}", block("more")));
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_others_make_between_our_read_and_our_write_is_added_to() {
    let mut world = world("ours", None);
    world.cluster.meanwhile(|cluster| {
        put(cluster, "");
        edit(cluster, &block("theirs"));
    });
    assert!(world.apply(&stack()).await.succeeded());
    assert_eq!(bundle(&world), format!("{}{}", block("theirs"), block("ours")));
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(bundle(&world), block("theirs"));
}

#[tokio::test(start_paused = true)]
async fn a_new_authority_takes_the_place_of_the_old_one() {
    use crate::plan::Shown;
    let mut world = world("ours", Some(&block("theirs")));
    assert!(world.apply(&stack()).await.succeeded());
    renew(&world, "ours, renewed");
    let (old, new) = (Shown::Value(digest("ours")), Shown::Value(digest("ours, renewed")));
    assert_eq!(shown(&world).await, [(PART.to_owned(), old, new)]);
    assert!(world.apply(&stack()).await.succeeded());
    assert_eq!(bundle(&world), format!("{}{}", block("theirs"), block("ours, renewed")));
    assert_eq!(world.planned(&stack()).await, Vec::<String>::new());
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(bundle(&world), block("theirs"));
}

#[tokio::test(start_paused = true)]
async fn a_kill_after_the_intent_of_a_new_authority_leaves_no_old_one_behind() {
    let mut world = world("ours", Some(&block("theirs")));
    assert!(world.apply(&stack()).await.succeeded());
    renew(&world, "ours, renewed");
    let before = world.kept.recorded.clone();
    assert!(world.apply(&stack()).await.succeeded());
    // As if the run had been killed before its write: the intent is taken for the record.
    let intended = world.kept.last_intent.clone().expect("an intent");
    world.kept.recorded = before;
    world.kept.recorded.insert(address("ca.trusted"), intended);
    edit(&world.cluster, &format!("{}{}", block("theirs"), block("ours")));
    assert!(world.apply(&stack()).await.succeeded());
    assert_eq!(bundle(&world), format!("{}{}", block("theirs"), block("ours, renewed")));
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(bundle(&world), block("theirs"));
}

#[tokio::test(start_paused = true)]
async fn only_the_loss_of_ours_is_drift() {
    let mut world = world("ours", Some(&block("theirs")));
    assert!(world.apply(&stack()).await.succeeded());
    edit(&world.cluster, &format!("# edited\n{}", block("ours")));
    assert_eq!(world.planned(&stack()).await, Vec::<String>::new());

    edit(&world.cluster, &block("more"));
    assert_eq!(
        world.planned(&stack()).await,
        ["update ca.trusted (drifted) .data.ca-bundle.crt.|pem"]
    );
    let known = &world.kept.recorded[&address("ca.trusted")];
    let live = world.cluster.object(&config("bundle")).expect("there");
    let drifted = drifted_fields(known, &live, None);
    let by = drifted[0].drift.as_ref().and_then(|by| by.manager.as_deref());
    assert_eq!((drifted[0].path.to_string().as_str(), by), (PART, Some("kubectl-edit")));
    assert!(world.apply(&stack()).await.succeeded());
    assert_eq!(bundle(&world), format!("{}{}", block("more"), block("ours")));
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_was_there_before_us_stays_after_us() {
    let theirs = format!("{}{}", block("ours"), block("theirs"));
    let mut world = world("ours", Some(&theirs));
    assert!(world.apply(&stack()).await.succeeded());
    assert_eq!(bundle(&world), theirs);
    renew(&world, "ours, renewed");
    assert!(world.apply(&stack()).await.succeeded());
    assert_eq!(bundle(&world), format!("{theirs}{}", block("ours, renewed")));
    let RecordedNode::Overlay { object, .. } = &world.kept.recorded[&address("ca.trusted")].node else {
        unreachable!("it is an overlay")
    };
    assert_eq!(object.origin, Origin::Adopted);
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(bundle(&world), theirs);
}
