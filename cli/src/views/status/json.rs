//! Where everything of a stack stands, for machines: one object, and while it is watched one a line.

use super::Screen;
use crate::views::json::{FORMAT_VERSION, ObjectJson, node_code};
use serde_json::{Map, Value, json};
use stackctl_engine::status::{Is, Standing, Tally, held_up_by};

/// The whole of it.
pub fn whole(screen: &Screen<'_>) -> Value {
    let tally = screen.tally();
    let held: Vec<_> = held_up_by(screen.standings)
        .into_iter()
        .filter(|(root, _)| screen.shown.contains(root))
        .map(|(root, count)| json!({"address": root.to_string(), "waiting": count}))
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "stack": screen.stack,
        "cluster": screen.cluster,
        "judged_by": if screen.by_record { "record" } else { "stack" },
        "all_ready": tally.is_all_ready(),
        "summary": counts(&tally),
        "held_up_by": held,
        "resources": screen.chosen().map(one).collect::<Vec<_>>(),
    })
}

/// One resource that stands otherwise than before.
pub fn changed(standing: &Standing, at_seconds: f64) -> Value {
    let mut value = one(standing);
    value["event"] = json!("changed");
    value["at_seconds"] = json!(at_seconds);
    value
}

/// The end of a watch.
pub fn finished(tally: &Tally, at_seconds: f64) -> Value {
    json!({
        "event": "finished",
        "at_seconds": at_seconds,
        "all_ready": tally.is_all_ready(),
        "summary": counts(tally),
    })
}

fn counts(tally: &Tally) -> Value {
    let mut counts: Map<String, Value> = Is::CODES
        .iter()
        .map(|code| (code.replace('-', "_"), json!(tally.count(code))))
        .collect();
    counts.insert("total".to_owned(), json!(tally.total()));
    counts.insert("left_the_stack".to_owned(), json!(tally.left));
    Value::Object(counts)
}

fn one(standing: &Standing) -> Value {
    let Standing {
        address,
        node,
        object,
        is,
        because,
        asks,
        waits_for,
        is_recorded,
        is_desired,
    } = standing;
    let mut value = json!({
        "address": address.to_string(),
        "node": node_code(*node),
        "status": is.code(),
        "why": is.why(),
        "waits_for": waits_for.iter().map(|edge| json!({
            "address": edge.to.to_string(), "until": edge.until.to_string(), "reason": edge.reason,
        })).collect::<Vec<_>>(),
        "is_recorded": is_recorded,
        "is_in_stack": is_desired,
    });
    if let Some(object) = object {
        value["object"] = json!(ObjectJson::from(object));
    }
    for (key, words) in [("because", because), ("hint", asks)] {
        if let Some(words) = words {
            value[key] = json!(words);
        }
    }
    value
}
