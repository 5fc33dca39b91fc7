//! MaaS: one generation or the other, its tiers, and what it offers beyond the models of the stack.

use super::lints;
use super::lower::report_duplicates;
use super::place::Place;
use super::problem::{Problem, Problems};
use super::read::At;
use super::schema::{RawExternalModel, RawGroup, RawMaas, RawMode, RawUser};
use super::tiers::{self, Known};
use crate::stack::{
    ExternalModel, GatewayPolicies, GatewayTier, Group, Maas, MaasMode, Model, ModelName, Monitoring, Subscriptions,
    Tier,
};

/// What MaaS depends on outside of its own table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// The models that are right.
    pub(super) models: &'a [Model],
    /// The names of all models, those that are wrong in other ways included.
    pub(super) names: &'a [String],
    /// The models that ask to be published, and where they say so.
    pub(super) published: &'a [(ModelName, Place)],
    /// Whether MaaS is enabled; if not, nothing needs to be published to it.
    pub(super) maas_is_on: bool,
    /// What watches the cluster.
    pub(super) monitoring: Monitoring,
}

/// Lowers MaaS; a table that is not enabled is checked all the same, since a later layer may enable it.
pub(super) fn lower(mut raw: RawMaas, around: &Around<'_>, problems: &mut Problems) -> Option<Maas> {
    report_generation(&raw, problems);
    report_monitoring(&raw, around.monitoring, problems);
    report_duplicates(
        "tiers",
        raw.tiers
            .iter()
            .map(|tier| (tier.value.name.value.as_str(), tier.value.name.place)),
        problems,
    );
    report_duplicates(
        "groups",
        raw.groups
            .iter()
            .map(|group| (group.value.name.value.as_str(), group.value.name.place)),
        problems,
    );
    report_duplicates(
        "users",
        raw.users
            .iter()
            .map(|user| (user.value.name.value.as_str(), user.value.name.place)),
        problems,
    );
    if let (true, Some(tenant)) = (raw.telemetry.value, &raw.tenant_telemetry) {
        // Both make a TelemetryPolicy for one gateway (`reference/serving.md` §5.2 P19).
        let problem = Problem::Excludes {
            this: "telemetry",
            other: "[maas.tenant_telemetry]",
            hint: "both label the metrics of one gateway, and only one of them is enforced: keep one",
        };
        problems.push_beside(raw.telemetry.place, problem, tenant.place, "and this");
    }
    let external = report_external(std::mem::take(&mut raw.external_models), around, problems);
    let mode = match raw.mode {
        RawMode::Subscriptions => {
            let names: Vec<String> = around.names.iter().chain(&raw.external_names).cloned().collect();
            let known = Known {
                models: around.models,
                names: &names,
                maas_is_on: around.maas_is_on,
            };
            lints::groups(&raw.groups, &raw.tiers, problems);
            let tiers = tiers::lower(std::mem::take(&mut raw.tiers), known, problems);
            // Warnings about the whole would only repeat what an error has said about a part.
            if raw.enabled && !problems.has_errors() {
                report_coverage(&raw, &tiers, &external, around, problems);
            }
            MaasMode::Subscriptions(Box::new(Subscriptions {
                max_key_days: raw.max_key_days,
                database: raw.database,
                oidc: raw.oidc,
                tenant_telemetry: raw.tenant_telemetry.map(|at| at.value),
                tiers,
                external_models: external.into_iter().map(|model| model.value).collect(),
            }))
        }
        RawMode::GatewayPolicies => {
            let tiers = if raw.has_tiers {
                tiers::lower_gateway(std::mem::take(&mut raw.tiers), problems)
            } else {
                default_tiers()
            };
            if raw.enabled && !problems.has_errors() && around.published.is_empty() {
                problems.push(raw.enabled_place, Problem::EmptyMaas);
            }
            MaasMode::GatewayPolicies(GatewayPolicies {
                tier_lookup: raw.tier_lookup,
                audience: raw.audience,
                tiers,
            })
        }
    };
    let group = |At {
                     value: RawGroup { name, members },
                     ..
                 }| Group {
        name: name.value,
        members,
    };
    raw.enabled.then(|| Maas {
        mode,
        gateway: raw.gateway,
        telemetry: raw.telemetry.value,
        exhaustive_telemetry: raw.exhaustive_telemetry.unwrap_or(raw.telemetry.value),
        auth_timeout: raw.auth_timeout,
        limitador_redis_url: raw.limitador_redis_url,
        monitoring: raw.monitoring,
        groups: raw.groups.into_iter().map(group).collect(),
        users: raw.users.into_iter().map(|user| RawUser::done(user.value)).collect(),
        ready_timeout: raw.ready_timeout,
    })
}

/// What only one generation has is refused in the other: both on one gateway would be two policies of which one is
/// enforced (`reference/serving.md` §1.11, §5.2 P21).
fn report_generation(raw: &RawMaas, problems: &mut Problems) {
    let others = match raw.mode {
        RawMode::Subscriptions => &raw.of_gateway_policies,
        RawMode::GatewayPolicies => &raw.of_subscriptions,
    };
    for (key, place) in others {
        problems.push_beside(
            *place,
            tiers::other_generation(key, raw.mode),
            raw.mode_place,
            "the mode",
        );
    }
    for At { value: tier, .. } in &raw.tiers {
        for (key, place) in tiers::of_the_other_generation(tier, raw.mode) {
            problems.push_beside(
                place,
                tiers::other_generation(key, raw.mode),
                raw.mode_place,
                "the mode",
            );
        }
    }
}

/// What watches MaaS stands on what watches the cluster (`reference/platform.md` §2.18, visibility rule).
fn report_monitoring(raw: &RawMaas, monitoring: Monitoring, problems: &mut Problems) {
    let place = raw.enabled_place;
    if raw.monitoring.alerts.is_some() && !monitoring.enabled {
        let problem = Problem::Requires {
            this: "[maas.monitoring] alerts",
            other: "[monitoring] enabled = true",
            hint: "without user-workload monitoring nothing counts and nothing evaluates them",
        };
        problems.push(place, problem);
    }
    if raw.monitoring.external_models && !monitoring.dashboards {
        let problem = Problem::Requires {
            this: "[maas.monitoring] external_models",
            other: "[monitoring] dashboards = true",
            hint: "the console lists a dashboard only with its plugins",
        };
        problems.push(place, problem);
    }
}

/// Checks external models against each other and against the models of the stack (`reference/serving.md` §1.15).
fn report_external(
    raw: Vec<At<RawExternalModel>>,
    around: &Around<'_>,
    problems: &mut Problems,
) -> Vec<At<ExternalModel>> {
    report_duplicates(
        "external models",
        raw.iter()
            .map(|model| (model.value.name.value.as_str(), model.value.name.place)),
        problems,
    );
    for At { value: model, .. } in &raw {
        let name = model.name.value.as_str();
        if around.names.iter().any(|other| other == name) {
            let problem = Problem::Duplicate {
                what: "models",
                name: name.to_owned(),
                hint: Problem::RENAME,
            };
            problems.push(model.name.place, problem);
        }
    }
    let targets: Vec<Option<Place>> = raw
        .iter()
        .map(|model| model.value.target_model.as_ref().map(|at| at.place))
        .collect();
    let models: Vec<At<ExternalModel>> = raw
        .into_iter()
        .map(|At { value, place }| At {
            value: value.done(),
            place,
        })
        .collect();
    for (index, model) in models.iter().enumerate() {
        let place = targets[index].unwrap_or(model.place);
        let earlier = &models[..index];
        if let Some(first) = earlier
            .iter()
            .position(|other| other.value.target_model == model.value.target_model)
        {
            // The gateway tells requests apart by that name alone.
            let problem = Problem::SameTarget {
                target: model.value.target_model.clone(),
                first: models[first].value.name.to_string(),
                second: model.value.name.to_string(),
            };
            problems.push_beside(
                place,
                problem,
                targets[first].unwrap_or(models[first].place),
                "first here",
            );
        }
        let shares = |other: &&At<ExternalModel>| {
            other.value.namespace == model.value.namespace
                && other.value.secret == model.value.secret
                && other.value.api_key != model.value.api_key
        };
        if earlier.iter().any(|other| shares(&other)) {
            let problem = Problem::Duplicate {
                what: "Secrets of external models",
                name: model.value.secret.to_string(),
                hint: "one Secret holds one key: write the same `api_key` in both, or another `secret_name`",
            };
            problems.push(model.place, problem);
        }
    }
    models
}

/// Warns about what nobody can call, and about tiers that overlap.
fn report_coverage(
    raw: &RawMaas,
    tiers: &[Tier],
    external: &[At<ExternalModel>],
    around: &Around<'_>,
    problems: &mut Problems,
) {
    if around.published.is_empty() && external.is_empty() {
        problems.push(raw.enabled_place, Problem::EmptyMaas);
    }
    let offered = around
        .published
        .iter()
        .map(|(name, place)| (name, *place))
        .chain(external.iter().map(|model| (&model.value.name, model.place)));
    for (model, place) in offered {
        let is_named = tiers
            .iter()
            .any(|tier| tier.limits.iter().any(|limits| &limits.model == model));
        if !is_named {
            let model = model.to_string();
            problems.push(place, Problem::ModelInNoTier { model });
        }
    }
}

/// The tiers of the manual (`reference/serving.md` §1.11, both tables).
fn default_tiers() -> Vec<GatewayTier> {
    let tier = |name: &str, level, groups: &[&str], requests, tokens| GatewayTier {
        name: name.parse().expect("a constant that is a tier name"),
        level,
        groups: groups
            .iter()
            .map(|group| group.parse().expect("a constant that is a group"))
            .collect(),
        requests: tiers::per(requests, "2m"),
        tokens: tiers::per(tokens, "1m"),
    };
    vec![
        tier("free", 0, &["tier-free-users", "system:authenticated"], 5, 100),
        tier("premium", 1, &["tier-premium-users", "premium-group"], 20, 50_000),
        tier(
            "enterprise",
            2,
            &["tier-enterprise-users", "enterprise-group", "admin-group"],
            50,
            100_000,
        ),
    ]
}
