//! Who uses how much: two numbers for each tier of the stack, the lowest tier first, and all tiers over time.
//!
//! The label `tier` holds the name of a subscription, or in the older generation that of a tier: what the gateway's
//! telemetry writes into it (`maas/telemetry.rs`).

use super::{
    MODEL_OF_ROUTE,
    panel::{Colour, Dashboard, Limits, Look, Panel, lines, stacked},
};
use crate::{
    components::maas::tiers::subscription_name,
    stack::{Maas, MaasMode},
};

/// A tier as its panels have it.
struct Shown {
    /// What people read.
    title: String,
    /// The value of the label.
    label: String,
    name: String,
}

/// The colours that tell tiers apart, in turn.
const COLOURS: [&str; 6] = ["blue", "purple", "orange", "green", "yellow", "red"];

/// How many refusals a second are too many: people in the lowest tier run into their limits as a rule, others do not.
const OF_THE_LOWEST: Limits = &[("red", 0.5)];
const OF_OTHERS: Limits = &[("red", 0.1)];

/// The width of the grid, and the height of a number and of lines.
const WIDTH: usize = 24;
const NUMBER: usize = 4;
const LINES: usize = 8;

pub(super) fn dashboard(maas: &Maas) -> Dashboard {
    let tiers = shown(maas);
    let names: Vec<_> = tiers.iter().map(|tier| tier.name.as_str()).collect();
    let mut panels = numbers(&tiers);
    let below = panels.last().map_or(0, |last| last.at.1 + NUMBER);
    panels.extend(over_time(panels.len() + 1, below));
    Dashboard {
        name: "maas-tier-usage",
        title: "MaaS Per-Tier Usage",
        description: match names.as_slice() {
            [] => "Breakdown of requests and tokens; the stack has no tier".to_owned(),
            [one] => format!("Per-tier breakdown of requests and tokens of the tier {one}"),
            [others @ .., last] => format!(
                "Per-tier breakdown of requests and tokens across {} and {last} tiers",
                others.join(", ")
            ),
        },
        tags: &["maas", "tiers", "kuadrant", "usage"],
        since: "now-1h",
        refresh: "30s",
        inputs: &[],
        panels,
    }
}

/// The tiers, the lowest first.
fn shown(maas: &Maas) -> Vec<Shown> {
    let mut ranked: Vec<(u32, String, String)> = match &maas.mode {
        MaasMode::Subscriptions(wanted) => wanted
            .tiers
            .iter()
            .map(|tier| (tier.priority, tier.name.to_string(), subscription_name(tier)))
            .collect(),
        MaasMode::GatewayPolicies(policies) => policies
            .tiers
            .iter()
            .map(|tier| (tier.level, tier.name.to_string(), tier.name.to_string()))
            .collect(),
    };
    ranked.sort();
    ranked
        .into_iter()
        .map(|(_, name, label)| Shown {
            title: capitalized(&name),
            label,
            name,
        })
        .collect()
}

/// The name of a tier begins with a letter or digit of ASCII.
fn capitalized(name: &str) -> String {
    let mut title = name.to_owned();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

/// What is let through of each tier, then what is turned away; up to three tiers fit beside each other.
fn numbers(tiers: &[Shown]) -> Vec<Panel> {
    let width = match tiers.len() {
        0 => return Vec::new(),
        n @ 1..=3 => WIDTH / (2 * n),
        _ => WIDTH / 4,
    };
    let let_through = tiers.iter().zip(COLOURS.iter().cycle()).map(|(tier, colour)| {
        let title = format!("{} Tier Requests/sec", tier.title);
        (title, tier, "authorized_calls", Colour::Always(colour), "")
    });
    let turned_away = tiers.iter().enumerate().map(|(index, tier)| {
        let title = format!("{} Tier Rate Limited/sec", tier.title);
        let limits = if index == 0 { OF_THE_LOWEST } else { OF_OTHERS };
        (title, tier, "limited_calls", Colour::From(limits), " Limited")
    });
    let place = |index: usize| {
        let per_row = WIDTH / width;
        (index % per_row * width, index / per_row * NUMBER, width, NUMBER)
    };
    let panel = |(index, (title, tier, metric, colour, suffix)): (usize, (String, &Shown, &str, Colour, &str))| Panel {
        id: index + 1,
        title,
        description: "",
        at: place(index),
        look: Look::Number {
            unit: "reqps",
            decimals: 2,
            empty: "",
            colour,
        },
        series: vec![(
            format!("sum(rate({metric}{{tier=\"{}\"}}[5m]))", tier.label),
            format!("{}{suffix}", tier.title),
        )],
    };
    let_through.chain(turned_away).enumerate().map(panel).collect()
}

fn over_time(first_id: usize, top: usize) -> [Panel; 4] {
    let panel = |index: usize, title: &str, description, look, series: &[(&str, &str)]| Panel {
        id: first_id + index,
        title: title.to_owned(),
        description,
        at: (index % 2 * WIDTH / 2, top + index / 2 * LINES, WIDTH / 2, LINES),
        look,
        series: series
            .iter()
            .map(|&(query, legend)| (query.to_owned(), legend.to_owned()))
            .collect(),
    };
    let by_model =
        format!("label_replace(sum by(tier, limitador_namespace) (rate(authorized_calls[5m])), {MODEL_OF_ROUTE})");
    [
        panel(
            0,
            "Authorized Calls by Tier",
            "",
            stacked("reqps", 20),
            &[("sum by(tier) (rate(authorized_calls[5m]))", "{{tier}}")],
        ),
        panel(
            1,
            "Limited Calls by Tier",
            "",
            stacked("reqps", 20),
            &[("sum by(tier) (rate(limited_calls[5m]))", "{{tier}}")],
        ),
        panel(
            2,
            "Token Throughput by Model (vLLM)",
            "Generation and prompt tokens per model",
            lines("short", 15),
            &[
                (
                    "sum by(model_name) (rate(kserve_vllm:generation_tokens_total[5m]))",
                    "{{model_name}} gen tokens/s",
                ),
                (
                    "sum by(model_name) (rate(kserve_vllm:prompt_tokens_total[5m]))",
                    "{{model_name}} prompt tokens/s",
                ),
            ],
        ),
        panel(
            3,
            "Calls by Tier and Model",
            "",
            lines("reqps", 15),
            &[(&by_model, "{{tier}} / {{model}}")],
        ),
    ]
}
