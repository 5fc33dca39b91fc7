//! The embedded cluster, for the person who serves it.

use super::style::{Meaning, Style, padded};
use schemars::JsonSchema;
use serde::Serialize;
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

/// What a definition demands and the embedded cluster does not judge.
pub fn unjudged(what: impl std::fmt::Display) -> String {
    format!("note: {what}\n")
}

/// The same for machines: how many rules, by why.
pub fn unjudged_json(definition: &str, reasons: &[(String, usize)]) -> SimulateJson {
    let reason = |(why, rules): &(String, usize)| UnjudgedJson {
        why: why.clone(),
        rules: *rules,
    };
    SimulateJson {
        event: Some("unjudged"),
        definition: Some(definition.to_owned()),
        reasons: reasons.iter().map(reason).collect(),
        ..SimulateJson::EMPTY
    }
}

/// A line of `simulate`: first where it listens, then what it does not judge.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SimulateJson {
    format_version: u32,
    /// Where the API server is.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// The file of who may do everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    kubeconfig: Option<String>,
    /// Where the cluster answers for its hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_plane: Option<String>,
    /// `unjudged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    /// The definition that says more than is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<String>,
    /// How many of its rules, by why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<UnjudgedJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct UnjudgedJson {
    why: String,
    rules: usize,
}

impl SimulateJson {
    const EMPTY: Self = Self {
        format_version: super::json::FORMAT_VERSION,
        url: None,
        kubeconfig: None,
        data_plane: None,
        event: None,
        definition: None,
        reasons: Vec::new(),
    };

    /// A cluster that listens.
    pub fn serving(url: &str, kubeconfig: &Path, data_plane: SocketAddr) -> Self {
        Self {
            url: Some(url.to_owned()),
            kubeconfig: Some(kubeconfig.display().to_string()),
            data_plane: Some(data_plane.to_string()),
            ..Self::EMPTY
        }
    }

    /// Operators that act on the cluster of somebody else.
    pub fn acting(url: &str) -> Self {
        Self {
            url: Some(url.to_owned()),
            ..Self::EMPTY
        }
    }
}

/// `simulate --list-faults`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FaultsJson {
    format_version: u32,
    faults: Vec<FaultJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FaultJson {
    /// How it is written in full.
    fault: String,
    effect: &'static str,
    group: &'static str,
    /// The rows of `docs/gotchas.md` that it shows.
    gotchas: &'static [&'static str],
}

fn pace(speed: f64) -> String {
    if speed > 0.0 {
        format!("{speed} times as fast as real operators")
    } else {
        "without waiting".to_owned()
    }
}

/// A fault that can be asked for.
#[derive(Clone, Debug)]
pub struct Fault {
    /// How it is written in full.
    pub form: String,
    /// What it does.
    pub effect: &'static str,
    /// The rows of `docs/gotchas.md` that it shows.
    pub gotchas: &'static [&'static str],
}

/// The faults of one kind of trouble.
#[derive(Clone, Debug)]
pub struct FaultGroup {
    /// What machines call it.
    pub name: &'static str,
    /// Its heading.
    pub heading: &'static str,
    /// What is in it, in the order to be shown.
    pub faults: Vec<Fault>,
}

/// The faults that can be asked for, by who misbehaves.
pub fn faults(groups: &[FaultGroup], is_json: bool) -> String {
    if is_json {
        let all: Vec<_> = groups
            .iter()
            .flat_map(|group| group.faults.iter().map(move |fault| (group, fault)))
            .map(|(group, fault)| FaultJson {
                fault: fault.form.clone(),
                effect: fault.effect,
                group: group.name,
                gotchas: fault.gotchas,
            })
            .collect();
        return super::json::pretty(&FaultsJson {
            format_version: super::json::FORMAT_VERSION,
            faults: all,
        });
    }
    let mut text = String::new();
    for group in groups {
        let _ = writeln!(text, "{}", group.heading);
        for Fault { form, effect, gotchas } in &group.faults {
            let rows = match gotchas {
                [] => String::new(),
                rows => format!(" ({})", rows.join(", ")),
            };
            // A long form has a line of its own, so that the effects stand below each other.
            if form.chars().count() > FORM_WIDTH {
                let _ = writeln!(text, "  {form}\n  {}  {effect}{rows}", padded("", FORM_WIDTH));
            } else {
                let _ = writeln!(text, "  {}  {effect}{rows}", padded(form, FORM_WIDTH));
            }
        }
        text.push('\n');
    }
    text.push_str("Several may be given. `--fault @FILE` reads them from a file that says from when to when: docs/simulator.md.\n");
    text
}

/// So wide is the column of names.
const FORM_WIDTH: usize = 30;
