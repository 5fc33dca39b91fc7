//! The embedded cluster, for the person who serves it.

use super::style::{Meaning, Style, padded};
use serde_json::{Value, json};
use stackctl_simulator::{
    apiserver::Unjudged,
    faults::{Description, Group},
};
use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    path::Path,
};

/// Where it is, and how to look at it.
pub fn serving(url: &str, kubeconfig: &Path, hosts: SocketAddr, speed: f64, style: &Style) -> String {
    let kubeconfig = kubeconfig.display();
    let pace = pace(speed);
    format!(
        "{} {url}, {pace}\n  kubeconfig  {kubeconfig}\n  try         kubectl --kubeconfig {kubeconfig} get nodes\n  \
         hosts       curl --connect-to ::{hosts} https://HOST/PATH\n  \
         stop        Ctrl-C; `--simulate` commands beside it join it meanwhile\n",
        style.paint(Meaning::Good, "simulated cluster at")
    )
}

/// What listening beyond this machine opens.
pub fn open(address: IpAddr, administrator: &str) -> String {
    format!(
        "warning: other machines reach the simulated cluster at {address}; it asks for tokens and passwords, but the \
         password of its user `{administrator}`, who may do everything, is in the documentation\n"
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

/// The faults that can be asked for, by who misbehaves.
pub fn faults(faults: &[Description], is_json: bool) -> String {
    if is_json {
        let all: Vec<_> = faults
            .iter()
            .map(|fault| {
                json!({"fault": fault.form(), "effect": fault.effect, "group": group(fault.group).0,
                    "gotchas": fault.gotchas})
            })
            .collect();
        return super::json::pretty(&json!({"format_version": super::json::FORMAT_VERSION, "faults": all}));
    }
    let mut text = String::new();
    for of in [Group::Cluster, Group::People, Group::ApiServer] {
        let _ = writeln!(text, "{}", group(of).1);
        for fault in faults.iter().filter(|fault| fault.group == of) {
            let rows = match fault.gotchas {
                [] => String::new(),
                rows => format!(" ({})", rows.join(", ")),
            };
            let form = fault.form();
            // A long form has a line of its own, so that the effects stand below each other.
            if form.chars().count() > FORM_WIDTH {
                let _ = writeln!(text, "  {form}\n  {}  {}{rows}", padded("", FORM_WIDTH), fault.effect);
            } else {
                let _ = writeln!(text, "  {}  {}{rows}", padded(&form, FORM_WIDTH), fault.effect);
            }
        }
        text.push('\n');
    }
    text.push_str("Several may be given. `--fault @FILE` reads them from a file that says from when to when: docs/simulator.md.\n");
    text
}

/// So wide is the column of names.
const FORM_WIDTH: usize = 30;

/// What a group is called in JSON, and its heading.
fn group(group: Group) -> (&'static str, &'static str) {
    match group {
        Group::Cluster => ("cluster", "The cluster"),
        Group::People => ("people", "People beside us"),
        Group::ApiServer => ("api-server", "The API server, and the way to it (operators are spared)"),
    }
}
