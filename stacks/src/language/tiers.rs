//! Tiers: their models exist and are published, their limits make sense together, their priorities differ.

use super::problem::{Problem, Problems};
use super::read::At;
use super::schema::{RawLimit, RawTier};
use super::suggest;
use crate::stack::{Access, Model, ModelLimits, Tier};

/// Lowers tiers. References are checked against `models`; whether those are published only where MaaS is enabled.
pub(crate) fn lower(raw: Vec<At<RawTier>>, models: &[Model], maas_is_on: bool, problems: &mut Problems) -> Vec<Tier> {
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
            report_models(name.value.as_str(), &limits, models, maas_is_on, problems);
            let limits = by_model(limits, problems);
            Tier {
                name: name.value,
                priority: priority.map_or(0, |priority| priority.value),
                groups,
                users,
                limits,
            }
        })
        .collect()
}

/// A caller in two tiers of one priority gets either (`reference/serving.md` §4, §5.3 row S12).
fn report_priorities(tiers: &[At<RawTier>], problems: &mut Problems) {
    for (index, At { value: tier, .. }) in tiers.iter().enumerate() {
        let Some(priority) = &tier.priority else { continue };
        let first = tiers[..index].iter().find_map(|other| {
            other
                .value
                .priority
                .as_ref()
                .filter(|p| p.value == priority.value)
                .map(|p| (other, p))
        });
        if let Some((other, place)) = first {
            let problem = Problem::SamePriority {
                first: other.value.name.value.to_string(),
                second: tier.name.value.to_string(),
                priority: priority.value,
            };
            problems.push_beside(priority.place, problem, place.place, "first here");
        }
    }
}

fn report_models(tier: &str, limits: &[At<RawLimit>], models: &[Model], maas_is_on: bool, problems: &mut Problems) {
    for At { value: limit, .. } in limits {
        let wanted = limit.model.value.as_str();
        match models.iter().find(|model| model.name.as_str() == wanted) {
            None => {
                let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
                let hint = if names.is_empty() {
                    "the stack has no models: add a `[[models]]` table".to_owned()
                } else {
                    suggest::hint(wanted, "models", &names)
                };
                let problem = Problem::UnknownModel {
                    tier: tier.to_owned(),
                    model: wanted.to_owned(),
                    hint,
                };
                problems.push(limit.model.place, problem);
            }
            Some(model) if maas_is_on && model.access != Access::Maas => {
                let problem = Problem::NotPublished {
                    tier: tier.to_owned(),
                    model: wanted.to_owned(),
                };
                problems.push(limit.model.place, problem);
            }
            Some(_) => {}
        }
    }
}

/// Gathers the rows of each model and checks them against each other (`reference/serving.md` §4, stacking).
fn by_model(rows: Vec<At<RawLimit>>, problems: &mut Problems) -> Vec<ModelLimits> {
    for (index, At { value: row, .. }) in rows.iter().enumerate() {
        let others = rows[..index]
            .iter()
            .map(|at| &at.value)
            .filter(|other| other.model.value == row.model.value);
        for other in others {
            report_pair(other, row, problems);
        }
    }
    let mut models: Vec<ModelLimits> = Vec::new();
    for At { value: row, .. } in rows {
        match models.iter_mut().find(|limits| limits.model == row.model.value) {
            Some(limits) => limits.rates.push(row.rate),
            None => models.push(ModelLimits {
                model: row.model.value,
                rates: vec![row.rate],
            }),
        }
    }
    models
}

/// Reports two rows of one model that cannot both mean something.
fn report_pair(first: &RawLimit, second: &RawLimit, problems: &mut Problems) {
    let model = second.model.value.to_string();
    let (one, two) = (first.rate.window.seconds(), second.rate.window.seconds());
    if one == two {
        let problem = Problem::SameWindow {
            model,
            first: first.rate.window.to_string(),
            second: second.rate.window.to_string(),
        };
        problems.push_beside(second.window.place, problem, first.window.place, "first here");
        return;
    }
    let (shorter, longer) = if one < two { (first, second) } else { (second, first) };
    if longer.rate.tokens <= shorter.rate.tokens {
        let problem = Problem::DeadLimit {
            model,
            tokens: shorter.rate.tokens,
            window: shorter.rate.window.to_string(),
            longer_tokens: longer.rate.tokens,
            longer_window: longer.rate.window.to_string(),
        };
        problems.push_beside(shorter.tokens.place, problem, longer.tokens.place, "used up first");
    }
}
