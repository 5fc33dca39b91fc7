//! Tiers: their models exist and are published, their limits make sense together, their priorities differ.

use super::problem::{Problem, Problems};
use super::read::At;
use super::schema::{RawLimit, RawRate, RawTier};
use super::suggest;
use crate::stack::{Access, Model, ModelLimits, Rate, Tier};

/// What tiers may refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// The models that are right.
    pub(crate) models: &'a [Model],
    /// The names of all models, those that are wrong in other ways included.
    pub(crate) names: &'a [String],
    /// Whether MaaS is enabled; if not, nothing needs to be published to it.
    pub(crate) maas_is_on: bool,
}

/// Lowers tiers, and reports what is wrong between them and with what they refer to.
pub(crate) fn lower(raw: Vec<At<RawTier>>, known: Known<'_>, problems: &mut Problems) -> Vec<Tier> {
    report_priorities(&raw, problems);
    raw.into_iter()
        .map(|At { value: tier, .. }| {
            let RawTier {
                name,
                priority,
                groups,
                users,
                limits,
            } = tier;
            report_models(name.value.as_str(), &limits, known, problems);
            report_rates(&limits, problems);
            let priority = priority.map_or(0, |priority| priority.value);
            Tier {
                name: name.value,
                priority,
                groups,
                users,
                limits: by_model(limits),
            }
        })
        .collect()
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
