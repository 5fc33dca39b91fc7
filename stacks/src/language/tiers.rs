//! Tiers: their models exist and are published, their limits make sense together, their priorities differ.

use super::place::Place;
use super::problem::{Problem, Problems};
use super::read::At;
use super::schema::{RawLimit, RawMode, RawRate, RawTier};
use super::suggest;
use crate::stack::{Access, GatewayTier, GroupName, Model, ModelLimits, Rate, Tier};

/// What tiers may refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// The models that are right.
    pub(crate) models: &'a [Model],
    /// The names of all models, those that are wrong in other ways and those that run elsewhere included.
    pub(crate) names: &'a [String],
    /// Whether MaaS is enabled; if not, nothing needs to be published to it.
    pub(crate) maas_is_on: bool,
}

/// Returns the keys of a tier that only the generation which is not `mode` has.
pub(crate) fn of_the_other_generation(tier: &RawTier, mode: RawMode) -> Vec<(&'static str, Place)> {
    let mut found = Vec::new();
    let mut note = |key, place: Option<Place>| found.extend(place.map(|place| (key, place)));
    match mode {
        RawMode::Subscriptions => {
            note("requests", tier.requests.as_ref().map(|at| at.place));
            note("tokens", tier.tokens.as_ref().map(|at| at.place));
        }
        RawMode::GatewayPolicies => {
            note("limits", tier.limits.as_ref().map(|at| at.place));
            note("users", tier.users.as_ref().map(|at| at.place));
            note("billing_per_token", tier.billing_per_token.as_ref().map(|at| at.place));
            note("metadata", tier.metadata.as_ref().map(|at| at.place));
        }
    }
    found
}

/// That a key is one of the other generation.
pub(crate) fn other_generation(key: &'static str, mode: RawMode) -> Problem {
    let (mode, hint) = match mode {
        RawMode::Subscriptions => (
            "subscriptions",
            match key {
                "requests" | "tokens" => {
                    "limit tokens for each model with `limits`; the older generation has `mode = \"gateway-policies\"`"
                }
                _ => {
                    "leave it out: callers are known by their API keys here; the older generation has `mode = \"gateway-policies\"`"
                }
            },
        ),
        RawMode::GatewayPolicies => (
            "gateway-policies",
            match key {
                "limits" => {
                    "a tier has `requests` and `tokens` there, for all models together; or set `mode = \"subscriptions\"`"
                }
                "max_key_days" | "database" => {
                    "there are no API keys there, callers send tokens of the cluster: leave it out, or set `mode = \"subscriptions\"`"
                }
                "external_models" => {
                    "only the models of the stack are offered there: leave it out, or set `mode = \"subscriptions\"`"
                }
                _ => "leave it out, or set `mode = \"subscriptions\"`",
            },
        ),
    };
    Problem::OtherGeneration { key, mode, hint }
}

/// Lowers tiers of subscriptions, and reports what is wrong between them and with what they refer to.
pub(crate) fn lower(raw: Vec<At<RawTier>>, known: Known<'_>, problems: &mut Problems) -> Vec<Tier> {
    report_priorities(&raw, problems);
    report_overlaps(&raw, problems);
    raw.into_iter()
        .map(|At { value: tier, .. }| {
            let name = tier.name.value;
            let limits = match tier.limits {
                Some(limits) => limits.value,
                // A key of the other generation is reported instead.
                None if tier.writes.requests || tier.writes.tokens => Vec::new(),
                None => {
                    let hint = "write `limits = [{ model = \"…\", tokens = 3000, window = \"5m\" }]`";
                    report_missing("limits", hint, tier.place, problems);
                    Vec::new()
                }
            };
            report_models(name.as_str(), &limits, known, problems);
            report_rates(&limits, problems);
            Tier {
                name,
                priority: tier.priority.map_or(0, |priority| priority.value),
                groups: tier.groups,
                users: tier.users.map_or_else(Vec::new, |users| users.value),
                limits: by_model(limits),
                billing_per_token: tier.billing_per_token.map(|at| at.value),
                metadata: tier.metadata.map(|at| at.value).unwrap_or_default(),
            }
        })
        .collect()
}

/// Lowers tiers of the older generation.
pub(crate) fn lower_gateway(raw: Vec<At<RawTier>>, problems: &mut Problems) -> Vec<GatewayTier> {
    report_priorities(&raw, problems);
    raw.into_iter()
        .filter_map(|At { value: tier, .. }| {
            let nothing = !tier.writes.requests && !tier.writes.tokens;
            // A key of the other generation is reported instead.
            if tier.limits.is_none() || !nothing {
                for (key, is_written) in [("requests", tier.writes.requests), ("tokens", tier.writes.tokens)] {
                    if !is_written {
                        let hint = "write `requests = { limit = 5, window = \"2m\" }` and `tokens = { limit = 100, window = \"1m\" }`";
                        report_missing(key, hint, tier.place, problems);
                    }
                }
            }
            let rate = |raw: RawRate| Rate {
                tokens: raw.tokens.value,
                window: raw.window.value,
            };
            Some(GatewayTier {
                name: tier.name.value,
                level: tier.priority.map_or(0, |priority| priority.value),
                groups: tier.groups,
                requests: rate(tier.requests?.value),
                tokens: rate(tier.tokens?.value),
            })
        })
        .collect()
}

fn report_missing(key: &str, hint: &'static str, place: Place, problems: &mut Problems) {
    let problem = Problem::Missing {
        key: key.to_owned(),
        table: "`[[maas.tiers]]`".to_owned(),
        hint,
    };
    problems.push(place, problem);
}

/// So much in so much time, as constants.
pub(crate) fn per(tokens: u32, window: &str) -> Rate {
    Rate {
        tokens,
        window: window.parse().expect("a constant that is a window"),
    }
}

/// Everybody who has a token of the cluster.
const EVERYBODY: &str = "system:authenticated";

/// Warns about people whose keys may get another tier than they expect (`reference/serving.md` §5.3 S13, §4 last row).
fn report_overlaps(tiers: &[At<RawTier>], problems: &mut Problems) {
    let holds = |tier: &RawTier, name: &GroupName| tier.groups.iter().any(|group| group == name);
    for (index, At { value: tier, .. }) in tiers.iter().enumerate() {
        for group in &tier.groups {
            if let Some(first) = tiers[..index].iter().find(|other| holds(&other.value, group)) {
                let problem = Problem::GroupInTwoTiers {
                    group: group.to_string(),
                    first: first.value.name.value.to_string(),
                    second: tier.name.value.to_string(),
                };
                problems.push_beside(tier.name.place, problem, first.value.name.place, "first here");
            }
            if group.as_str() == EVERYBODY && tiers.len() > 1 {
                let tier = tier.name.value.to_string();
                problems.push(tiers[index].value.name.place, Problem::EverybodyInTier { tier });
            }
        }
    }
}

/// A caller in two tiers of one priority gets either (`reference/serving.md` §4, §5.3 row S12).
fn report_priorities(tiers: &[At<RawTier>], problems: &mut Problems) {
    for (index, At { value: tier, .. }) in tiers.iter().enumerate() {
        let Some(priority) = tier.priority else { continue };
        let same = |other: &&At<RawTier>| other.value.priority.is_some_and(|other| other.value == priority.value);
        let Some(At { value: first, .. }) = tiers[..index].iter().find(same) else {
            continue;
        };
        let problem = Problem::SamePriority {
            first: first.name.value.to_string(),
            second: tier.name.value.to_string(),
            priority: priority.value,
        };
        let beside = first.priority.map_or(first.name.place, |priority| priority.place);
        problems.push_beside(priority.place, problem, beside, "first here");
    }
}

fn report_models(tier: &str, limits: &[At<RawLimit>], known: Known<'_>, problems: &mut Problems) {
    for At { value: limit, .. } in limits {
        let wanted = limit.model.value.as_str();
        let tier = tier.to_owned();
        if !known.names.iter().any(|name| name == wanted) {
            let names: Vec<&str> = known.names.iter().map(String::as_str).collect();
            let hint = if names.is_empty() {
                "the stack has no models: add a `[[models]]` table".to_owned()
            } else {
                suggest::hint(wanted, "models", &names)
            };
            problems.push(
                limit.model.place,
                Problem::UnknownModel {
                    tier,
                    model: wanted.to_owned(),
                    hint,
                },
            );
            continue;
        }
        let model = known.models.iter().find(|model| model.name.as_str() == wanted);
        if known.maas_is_on && model.is_some_and(|model| model.access != Access::Maas) {
            problems.push(
                limit.model.place,
                Problem::NotPublished {
                    tier,
                    model: wanted.to_owned(),
                },
            );
        }
    }
}

/// Checks the rows of each model against each other (`reference/serving.md` §4, stacking).
fn report_rates(rows: &[At<RawLimit>], problems: &mut Problems) {
    for (index, At { value: row, .. }) in rows.iter().enumerate() {
        let Some(rate) = row.rate else { continue };
        for At { value: other, .. } in &rows[..index] {
            if let Some(other_rate) = other.rate.filter(|_| other.model.value == row.model.value) {
                report_pair(row.model.value.as_str(), other_rate, rate, problems);
            }
        }
    }
}

/// Reports two rates of one model that cannot both mean something.
fn report_pair(model: &str, first: RawRate, second: RawRate, problems: &mut Problems) {
    let model = model.to_owned();
    let (one, two) = (first.window.value, second.window.value);
    if one.seconds() == two.seconds() {
        let problem = Problem::SameWindow {
            model,
            first: one.to_string(),
            second: two.to_string(),
        };
        problems.push_beside(second.window.place, problem, first.window.place, "first here");
        return;
    }
    let (shorter, longer) = if one.seconds() < two.seconds() {
        (first, second)
    } else {
        (second, first)
    };
    if longer.tokens.value <= shorter.tokens.value {
        let problem = Problem::DeadLimit {
            model,
            tokens: shorter.tokens.value,
            window: shorter.window.value.to_string(),
            longer_tokens: longer.tokens.value,
            longer_window: longer.window.value.to_string(),
        };
        problems.push_beside(shorter.tokens.place, problem, longer.tokens.place, "used up first");
    }
}

/// Gathers the rates of each model, in the order each is first named.
fn by_model(rows: Vec<At<RawLimit>>) -> Vec<ModelLimits> {
    let mut models: Vec<ModelLimits> = Vec::new();
    for At {
        value: RawLimit { model, rate },
        ..
    } in rows
    {
        let rate = rate.map(|rate| Rate {
            tokens: rate.tokens.value,
            window: rate.window.value,
        });
        match models.iter_mut().find(|limits| limits.model == model.value) {
            Some(limits) => limits.rates.extend(rate),
            None => models.push(ModelLimits {
                model: model.value,
                rates: rate.into_iter().collect(),
            }),
        }
    }
    models
}
