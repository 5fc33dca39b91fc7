//! How long a real cluster will take, and what most of it is spent on.

use super::{
    plan::Surroundings,
    style::{self, Meaning, Style, padded, roughly, shortened, visible_width},
};
use schemars::JsonSchema;
use serde::Serialize;
use stackctl_engine::{
    Address, ObjectRef, Resource,
    estimate::{Basis, Estimate, Leg},
    plan::{NodeKind, Plan, Step},
};
use std::{cmp::Reverse, fmt::Write as _, time::Duration};

/// How many resources of the chain are named: those that take most of it.
const MOST_NAMED: usize = 5;
/// How wide the two columns of texts may become.
const WIDEST_ADDRESS: usize = 36;
const WIDEST_WAIT: usize = 48;
/// On a terminal that is narrower than this takes, the second column gets what the others leave, but so much at least.
const NARROWEST_WAIT: usize = 16;
const AROUND_WAIT: usize = 42;
/// What is over sooner is said without its parts.
const SHORT: Duration = Duration::from_secs(10);

/// An estimate for machines.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EstimateJson {
    seconds: u64,
    /// Whether every wait was seen before.
    is_learned: bool,
    /// The chain that takes longest, by address.
    critical_path: Vec<String>,
    /// The same chain.
    legs: Vec<LegJson>,
    /// How long it takes here, on a simulated cluster that was seen before.
    #[serde(skip_serializing_if = "Option::is_none")]
    rehearsal_seconds: Option<f64>,
}

/// `graph --critical-path`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CriticalPathJson {
    format_version: u32,
    #[serde(flatten)]
    estimate: EstimateJson,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LegJson {
    address: String,
    waits_for: String,
    seconds: u64,
    /// Of the whole, from 0 to 1.
    share: f64,
    /// `learned`, `usual`, `limit` for a third of its time limit, or `write`.
    basis: &'static str,
}

/// The block below a plan: how long, and the parts of the chain that take most of it.
pub fn of_plan(plan: &Plan, estimate: &Estimate, around: &Surroundings, style: &Style) -> String {
    let time = estimate.time();
    let mut text = String::new();
    if !time.is_zero() {
        let on = if around.is_simulated { " on a real cluster" } else { "" };
        let heading = format!("About {}{on}", roughly(time));
        if time < SHORT {
            let _ = writeln!(text, "{}", style.paint(Meaning::Heading, &heading));
        } else {
            let heading = format!("{heading}; the chain that takes longest:");
            let _ = writeln!(text, "{}", style.paint(Meaning::Heading, &heading));
            text.push_str(&rows(
                estimate,
                Some(MOST_NAMED),
                |address| waited_for(plan, address),
                style,
            ));
        }
    }
    if let Some(rehearsal) = around.rehearsal {
        let _ = writeln!(text, "This rehearsal takes about {}", roughly(rehearsal));
    }
    text
}

/// The whole chain that takes longest.
pub fn critical_path(estimate: &Estimate, resources: &[Resource], style: &Style) -> String {
    let mut text = rows(estimate, None, |address| of_resource(resources, address), style);
    let _ = writeln!(text, "about {} in all on a real cluster", roughly(estimate.time()));
    text
}

/// The whole chain for machines.
pub fn critical_path_json(estimate: &Estimate, resources: &[Resource]) -> CriticalPathJson {
    CriticalPathJson {
        format_version: super::json::FORMAT_VERSION,
        estimate: to_json(estimate, None, |address| of_resource(resources, address)),
    }
}

/// The estimate of a plan for machines.
pub fn of_plan_json(plan: &Plan, estimate: &Estimate, rehearsal: Option<Duration>) -> EstimateJson {
    to_json(estimate, rehearsal, |address| waited_for(plan, address))
}

fn to_json(estimate: &Estimate, rehearsal: Option<Duration>, what: impl Fn(&Address) -> String) -> EstimateJson {
    let leg = |leg: &Leg| LegJson {
        address: leg.address.to_string(),
        waits_for: what(&leg.address),
        seconds: leg.time.as_secs(),
        share: share(leg.time, estimate),
        basis: code(leg.basis),
    };
    EstimateJson {
        seconds: estimate.time().as_secs(),
        is_learned: estimate.is_learned(),
        critical_path: estimate.path.iter().map(|leg| leg.address.to_string()).collect(),
        legs: estimate.path.iter().map(leg).collect(),
        rehearsal_seconds: rehearsal.map(|time| time.as_secs_f64()),
    }
}

/// What a step of a plan is waited for.
fn waited_for(plan: &Plan, address: &Address) -> String {
    plan.step(address).map(of_step).unwrap_or_default()
}

fn of_resource(resources: &[Resource], address: &Address) -> String {
    let resource = resources.iter().find(|resource| resource.address == *address);
    match resource.map(|resource| (resource.object(), resource)) {
        Some((Some(object), _)) => named(object),
        Some((None, resource)) => resource.note.clone(),
        None => String::new(),
    }
}

fn named(object: &ObjectRef) -> String {
    format!("{} {}", object.object_type.kind, object.name)
}

fn of_step(step: &Step) -> String {
    match (step.node, &step.object) {
        (NodeKind::Object | NodeKind::Overlay, Some(object)) => named(object),
        _ => step.note.clone(),
    }
}

fn rows(estimate: &Estimate, most: Option<usize>, what: impl Fn(&Address) -> String, style: &Style) -> String {
    let mut largest: Vec<&Leg> = estimate.path.iter().collect();
    largest.sort_by_key(|leg| Reverse(leg.time));
    largest.truncate(most.unwrap_or(usize::MAX));
    let named: Vec<&Leg> = estimate.path.iter().filter(|leg| largest.contains(leg)).collect();
    let width = |texts: Vec<usize>, widest: usize| texts.into_iter().max().unwrap_or(0).min(widest);
    // What follows an address that is wider stands below it.
    let widest_address = style.width.map_or(WIDEST_ADDRESS, |width| {
        width.saturating_sub(NARROWEST_WAIT + AROUND_WAIT).min(WIDEST_ADDRESS)
    });
    let widths = named.iter().map(|leg| visible_width(&leg.address.to_string()));
    let fitting = widths.filter(|width| *width <= widest_address).collect();
    let addresses = width(fitting, widest_address);
    let widest_wait = style.width.map_or(WIDEST_WAIT, |width| {
        width
            .saturating_sub(addresses + AROUND_WAIT)
            .clamp(NARROWEST_WAIT, WIDEST_WAIT)
    });
    let wait = |leg: &Leg| shortened(&what(&leg.address), widest_wait, style.ellipsis());
    let waits = width(named.iter().map(|leg| visible_width(&wait(leg))).collect(), widest_wait);
    let row = |name: &str, wait: &str, time: Duration, basis: &str| {
        let rest = format!(
            "{}  {:>7}  {:>3.0} %  {basis}",
            padded(wait, waits),
            roughly(time),
            100.0 * share(time, estimate)
        );
        format!("{}\n", style::row("  ", name, addresses, rest.trim_end()))
    };
    let mut text: String = named
        .iter()
        .map(|leg| row(&leg.address.to_string(), &wait(leg), leg.time, words(leg.basis)))
        .collect();
    let n_more = estimate.path.len() - named.len();
    if n_more > 0 {
        let rest = estimate.time().saturating_sub(named.iter().map(|leg| leg.time).sum());
        let more = row(&format!("{n_more} more"), "", rest, "");
        text.push_str(&style.paint(Meaning::Quiet, more.trim_end()));
        text.push('\n');
    }
    text
}

fn share(time: Duration, estimate: &Estimate) -> f64 {
    let all = estimate.time().as_secs_f64();
    if all > 0.0 { time.as_secs_f64() / all } else { 0.0 }
}

const fn words(basis: Basis) -> &'static str {
    match basis {
        Basis::Learned => "learned",
        Basis::Usual => "usual",
        Basis::Limit => "a third of its limit",
        Basis::Write => "",
    }
}

const fn code(basis: Basis) -> &'static str {
    match basis {
        Basis::Learned => "learned",
        Basis::Usual => "usual",
        Basis::Limit => "limit",
        Basis::Write => "write",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::address;

    fn chain(times: &[(&str, u64, Basis)]) -> Estimate {
        let leg = |(of, seconds, basis): &(&str, u64, Basis)| Leg {
            address: address(of),
            time: Duration::from_secs(*seconds),
            basis: *basis,
        };
        Estimate {
            path: times.iter().map(leg).collect(),
        }
    }

    #[test]
    fn the_longest_are_named_in_their_order_and_the_rest_counted() {
        let estimate = chain(&[
            ("gpu.machineset", 1, Basis::Write),
            ("nfd.labels", 720, Basis::Usual),
            ("nvidia.ready", 190, Basis::Learned),
            ("model.service", 200, Basis::Limit),
        ]);
        let what = |address: &Address| format!("waits for {address} to be there");
        insta::assert_snapshot!(rows(&estimate, Some(2), what, &Style::PLAIN), @r"
          nfd.labels     waits for nfd.labels to be there      12 min   65 %  usual
          model.service  waits for model.service to be there    3 min   18 %  a third of its limit
          2 more                                                3 min   17 %
        ");
    }
}
