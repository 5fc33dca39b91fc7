//! The embedded cluster, for the person who serves it.

use super::style::{Meaning, Style, padded};
use serde_json::{Value, json};
use stackctl_simulator::apiserver::Unjudged;
use std::{fmt::Write as _, path::Path};

/// Where it is, and how to look at it.
pub fn serving(url: &str, kubeconfig: &Path, speed: f64, style: &Style) -> String {
    let kubeconfig = kubeconfig.display();
    let pace = pace(speed);
    format!(
        "{} {url}, {pace}\n  kubeconfig  {kubeconfig}\n  try         kubectl --kubeconfig {kubeconfig} get nodes\n  \
         stop        Ctrl-C; `--simulate` commands beside it join it meanwhile\n",
        style.paint(Meaning::Good, "simulated cluster at")
    )
}

/// Where the operators act.
pub fn acting(url: &str, speed: f64, style: &Style) -> String {
    format!(
        "{} {url}, {}\n  stop        Ctrl-C; what they made stays\n",
        style.paint(Meaning::Good, "simulated operators act on"),
        pace(speed)
    )
}

/// What definitions demand and the embedded cluster does not judge.
pub fn unjudged(all: &[Unjudged]) -> String {
    let line = |one: &Unjudged| format!("note: {one}\n");
    all.iter().map(line).collect()
}

/// The same for machines: one object a definition.
pub fn unjudged_json(one: &Unjudged) -> Value {
    let reasons = one
        .reasons
        .iter()
        .map(|(why, rules)| json!({"why": why, "rules": rules}));
    json!({
        "format_version": super::json::FORMAT_VERSION, "event": "unjudged", "definition": one.definition,
        "reasons": reasons.collect::<Vec<_>>(),
    })
}

fn pace(speed: f64) -> String {
    if speed > 0.0 {
        format!("{speed} times as fast as real operators")
    } else {
        "without waiting".to_owned()
    }
}

/// The faults that can be asked for.
pub fn faults(faults: &[(&str, &str)], is_json: bool) -> String {
    if is_json {
        let all: Vec<_> = faults
            .iter()
            .map(|(form, effect)| json!({"fault": form, "effect": effect}))
            .collect();
        return super::json::pretty(&json!({"format_version": super::json::FORMAT_VERSION, "faults": all}));
    }
    let mut text = String::new();
    for (form, effect) in faults {
        let _ = writeln!(text, "{}  {effect}", padded(form, 26));
    }
    text
}
