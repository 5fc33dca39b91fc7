//! A copy reads back as what undo needs of the state, whatever its size and whatever was added to it.

use super::*;
use crate::sample::{self, address};
use stackctl_engine::{packed::Packed, recorded::Origin};

fn applied(body: &Value, patch: &PatchRequest) -> Value {
    let Patch::Merge(patch) = &patch.patch else {
        panic!("a merge patch");
    };
    let mut body = body.clone();
    for (key, value) in patch["data"].as_object().expect("data") {
        if value.is_null() {
            body["data"].as_object_mut().expect("data").remove(key);
        } else {
            body["data"][key] = value.clone();
        }
    }
    for (key, value) in patch["metadata"]["annotations"].as_object().into_iter().flatten() {
        body["metadata"]["annotations"][key] = value.clone();
    }
    body
}

fn bodies(copy: &ClusterCopy) -> Vec<Value> {
    copy.further().iter().map(|(_, body)| body.clone()).collect()
}

#[test]
fn a_copy_reads_back_as_the_state_without_what_no_undoing_needs() {
    let state = sample::state();
    let copy = ClusterCopy::of(&state, &[]);
    let read = read("demo", copy.head(), &bodies(&copy)).expect("as written");
    assert_eq!(read.identity(), state.identity());
    assert_eq!(
        (read.serial(), read.recorded(), read.facts()),
        (state.serial(), state.recorded(), state.facts())
    );
    assert_eq!(read.open_intents(), state.open_intents());
    assert!(read.durations().is_empty());
    // What was read is kept already.
    assert!(ClusterCopy::of(&read, &[]).is_led_by(copy.head()));
}

#[test]
fn what_a_run_is_about_to_write_is_open_and_its_gates_count_for_the_order() {
    let state = State::new("demo", "c1", "l1", "2026-11-24T02:00:00Z");
    let copy = ClusterCopy::of(&state, &sample::records());
    let read = read("demo", copy.head(), &bodies(&copy)).expect("as written");
    let open: Vec<_> = read
        .open_intents()
        .iter()
        .map(|intent| crate::address_of(intent).to_string())
        .collect();
    assert_eq!(open, ["maas.database", "rhoai.dashboard-flags"]);
    let recorded: Vec<_> = read.recorded().keys().map(ToString::to_string).collect();
    assert_eq!(recorded, [r#"model["a.b"].restart"#, "rhoai.installed"]);
}

#[test]
fn an_intent_is_added_only_where_it_is_undone_otherwise_than_was_planned() {
    let state = State::new("demo", "c1", "l1", "2026-11-24T02:00:00Z");
    let copy = ClusterCopy::of(&state, &sample::records());
    let [object, overlay, gate, _] = sample::records().try_into().expect("four");
    let write = |record: &Recorded| Intent::Write(Box::new(record.clone()));
    for same in [&object, &overlay, &gate] {
        assert_eq!(copy.lacking(&write(same)), None, "{}", same.address);
    }
    let mut adopted = object;
    if let RecordedNode::Object(object) = &mut adopted.node {
        object.origin = Origin::Adopted;
        object.uid = "another".to_owned();
    }
    let mut unknown = overlay;
    unknown.address = address("a.unplanned");
    let head = [&adopted, &unknown]
        .into_iter()
        .fold(copy.head().clone(), |head, record| {
            applied(&head, &copy.lacking(&write(record)).expect("it is undone otherwise"))
        });
    assert!(!copy.is_led_by(&head));
    let read = read("demo", &head, &bodies(&copy)).expect("as written");
    for record in [&adopted, &unknown] {
        assert!(read.open_intents().contains(&write(record)), "{}", record.address);
    }
    // The next copy takes them out.
    let next = ClusterCopy::of(&state, &[]);
    let head = applied(&head, &next.replacing(&head));
    assert!(next.is_led_by(&head));
    assert_eq!(head["data"].as_object().map(Map::len), Some(1));
}

#[test]
fn what_does_not_fit_into_one_secret_goes_on_in_others_and_none_is_too_large() {
    let mut state = State::new("demo", "c1", "l1", "2026-11-24T02:00:00Z");
    // Digests of a counter: nothing that deflating makes much smaller.
    let noise = |number: usize| -> String {
        (0..40)
            .map(|part| Digest::of_bytes(format!("{number}.{part}").as_bytes()).to_string())
            .collect()
    };
    for number in 0..800 {
        let mut record = sample::records().remove(0);
        record.address = address(&format!("a[{number}].b"));
        if let RecordedNode::Object(object) = &mut record.node {
            object.manifest = Packed::of(&json!({"spec": noise(number)}));
        }
        state.take(Entry::Outcome(stackctl_engine::execute::Outcome::Recorded(Box::new(
            record,
        ))));
    }
    let copy = ClusterCopy::of(&state, &[]);
    assert!(!copy.further().is_empty());
    for body in std::iter::once(copy.head()).chain(&bodies(&copy)) {
        let held = pack::untext(body["data"][STATE].as_str().expect("a text")).expect("base64");
        assert!(held.len() <= PART && PART < 1 << 20);
    }
    let label = Label::of(copy.head()).expect("it says what it leads");
    let named: Vec<_> = copy.further().iter().map(|(object, _)| object.clone()).collect();
    assert_eq!(label.further("demo"), named);
    let read_back = read("demo", copy.head(), &bodies(&copy)).expect("as written");
    assert_eq!(read_back.recorded(), state.recorded());
    let error = read("demo", copy.head(), &[Value::Null]).expect_err("a part is missing");
    assert_eq!(
        error.to_string(),
        "the copy of the state in Secret stackctl/stack.demo is damaged: a part of it is missing"
    );
}

#[test]
fn a_copy_of_another_stack_or_with_other_bytes_is_refused() {
    let copy = ClusterCopy::of(&sample::state(), &[]);
    assert!(read("other", copy.head(), &[]).is_err());
    let mut changed = copy.head().clone();
    changed["data"][STATE] = json!(pack::text(&pack::packed(b"{}")));
    assert!(read("demo", &changed, &[]).is_err());
}
