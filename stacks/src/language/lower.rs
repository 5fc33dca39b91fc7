//! From tables to a [`Stack`]: what crosses tables.
//!
//! In: tables that are right by themselves. Out: a stack whose names are unique and whose references resolve. Every
//! rule runs, whatever the others found.

use super::place::Place;
use super::problem::{Problem, Problems};
use super::read::At;
use super::schema::{Raw, RawGroup, RawModel, RawPool, RawProvision};
use super::tiers;
use crate::stack::gpu_tiers::TIERS;
use crate::stack::{
    Access, Cluster, GpuPool, Group, Maas, MachineSets, Model, Monitoring, ObjectName, Platform, Provision, Stack, Tls,
};

/// Lowers tables to a stack. `None` means that something was reported.
pub(crate) fn lower(raw: Raw, problems: &mut Problems) -> Option<Stack> {
    let Raw {
        name,
        cluster,
        tls,
        gpu,
        rhoai,
        monitoring,
        gateway,
        models,
        maas,
        state,
    } = raw;
    if matches!(tls.value, Tls::LetsEncrypt { .. }) && cluster.platform != Platform::Aws {
        // Its proof of ownership is a record in Route53 (`reference/platform.md` §2.3).
        let hint = "it proves the domain in Route53; use \"existing\" or \"local-ca\" elsewhere";
        problems.push(
            tls.place,
            Problem::NeedsAws {
                what: "`issuer = \"letsencrypt\"`",
                hint,
            },
        );
    }

    report_duplicates(
        "GPU pools",
        gpu.iter()
            .map(|pool| (pool.value.name.value.as_str(), pool.value.name.place)),
        problems,
    );
    let has_gpu_tables = !gpu.is_empty();
    let gpu: Vec<Option<GpuPool>> = gpu
        .into_iter()
        .map(|pool| lower_pool(pool, &cluster, problems))
        .collect();

    report_duplicates(
        "models",
        models
            .iter()
            .map(|model| (model.value.name.value.as_str(), model.value.name.place)),
        problems,
    );
    let maas_is_on = maas.as_ref().is_some_and(|maas| maas.enabled);
    let maas_places: Vec<(String, Place)> = models
        .iter()
        .filter_map(|model| {
            let maas = model.value.maas?;
            maas.value.then(|| (model.value.name.value.to_string(), maas.place))
        })
        .collect();
    let models: Vec<Model> = models
        .into_iter()
        .map(|model| lower_model(model, monitoring, maas_is_on, has_gpu_tables, problems))
        .collect();

    let maas = match maas {
        Some(raw) => {
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
            let tiers = tiers::lower(raw.tiers, &models, raw.enabled, problems);
            if raw.enabled && maas_places.is_empty() {
                problems.push(raw.enabled_place, Problem::EmptyMaas);
            }
            for (model, place) in &maas_places {
                let is_named = tiers
                    .iter()
                    .any(|tier| tier.limits.iter().any(|limits| limits.model.as_str() == model));
                if raw.enabled && !is_named {
                    problems.push(*place, Problem::ModelInNoTier { model: model.clone() });
                }
            }
            let groups = raw.groups.into_iter().map(
                |At {
                     value: RawGroup { name, members },
                     ..
                 }| Group {
                    name: name.value,
                    members,
                },
            );
            let groups = groups.collect();
            raw.enabled.then_some(Maas {
                mode: raw.mode,
                max_key_days: raw.max_key_days,
                database: raw.database,
                telemetry: raw.telemetry,
                tiers,
                groups,
                ready_timeout: raw.ready_timeout,
            })
        }
        None => None,
    };
    let gpu = gpu.into_iter().collect::<Option<_>>()?;
    Some(Stack {
        name,
        cluster,
        tls: tls.value,
        gpu,
        rhoai,
        monitoring,
        gateway,
        models,
        maas,
        state,
    })
}

/// Reports each name that was there before, with the place of the first.
fn report_duplicates<'a>(what: &'static str, names: impl Iterator<Item = (&'a str, Place)>, problems: &mut Problems) {
    let mut seen: Vec<(&str, Place)> = Vec::new();
    for (name, place) in names {
        match seen.iter().find(|(other, _)| *other == name) {
            Some((_, first)) => {
                problems.push_beside(
                    place,
                    Problem::Duplicate {
                        what,
                        name: name.to_owned(),
                    },
                    *first,
                    "first here",
                );
            }
            None => seen.push((name, place)),
        }
    }
}

fn lower_pool(At { value: raw, place }: At<RawPool>, cluster: &Cluster, problems: &mut Problems) -> Option<GpuPool> {
    let by_platform = match cluster.platform {
        Platform::Aws => RawProvision::MachineSets,
        Platform::None => RawProvision::Existing,
    };
    let provision = match raw.provision.map_or(by_platform, |provision| provision.value) {
        RawProvision::Existing => {
            for (key, place) in raw.machine_set_keys {
                let because = "nodes of an existing pool are not made by the stack".to_owned();
                problems.push(place, Problem::NoEffect { key, because });
            }
            Some(Provision::Existing { tier: raw.tier })
        }
        RawProvision::MachineSets => {
            if let Some(said) = raw.provision.filter(|_| cluster.platform != Platform::Aws) {
                let hint = "write `provision = \"existing\"` for nodes that are there";
                problems.push(
                    said.place,
                    Problem::NeedsAws {
                        what: "`provision = \"machinesets\"`",
                        hint,
                    },
                );
            }
            if raw.tier.is_none() && !raw.tier_is_wrong {
                let hint = match TIERS {
                    [] => "no tier is known",
                    _ => "write `tier = \"l40s\"` or \"a10g\": it says which instance types there are",
                };
                problems.push(
                    place,
                    Problem::Missing {
                        key: "tier",
                        table: "[[gpu]]".to_owned(),
                        hint,
                    },
                );
            }
            if raw.zones.is_none() && !raw.zones_are_wrong {
                problems.push(
                    place,
                    Problem::ZonesMissing {
                        pool: raw.name.value.to_string(),
                    },
                );
            }
            match (raw.tier, raw.zones) {
                (Some(tier), Some(zones)) => Some(Provision::MachineSets(MachineSets {
                    tier,
                    size: raw.size.or_else(|| tier.sizes.first())?,
                    zones: zones.into_iter().map(|zone| zone.value).collect(),
                    nodes_per_zone: raw.nodes_per_zone,
                    root_volume: raw.root_volume,
                    device_plugin_config: raw.device_plugin_config,
                })),
                _ => None,
            }
        }
    };
    Some(GpuPool {
        name: raw.name.value,
        provision: provision?,
        ready_timeout: raw.ready_timeout,
    })
}

fn lower_model(
    At { value: raw, .. }: At<RawModel>,
    monitoring: Monitoring,
    maas_is_on: bool,
    has_gpu_tables: bool,
    problems: &mut Problems,
) -> Model {
    let name = raw.name.value;
    let gpus = raw.gpus.map_or(1, |gpus| gpus.value);
    if gpus > 0 && !has_gpu_tables {
        let at = raw.gpus.map_or(raw.name.place, |gpus| gpus.place);
        problems.push(
            at,
            Problem::NoPool {
                model: name.to_string(),
            },
        );
    }
    let access = match (raw.maas, raw.auth) {
        (Some(At { value: true, place }), auth) => {
            if !maas_is_on {
                problems.push(
                    place,
                    Problem::MaasIsOff {
                        model: name.to_string(),
                    },
                );
            }
            if let Some(auth) = auth {
                let because = "a model that is published to MaaS always asks for a key".to_owned();
                problems.push(auth.place, Problem::NoEffect { key: "auth", because });
            }
            Access::Maas
        }
        (_, Some(At { value: true, .. })) => Access::Authenticated,
        (_, Some(At { value: false, .. }) | None) => Access::Open,
    };
    if let Some(At { value: true, place }) = raw.monitoring
        && !monitoring.enabled
    {
        let hint = "set `enabled = true` in `[monitoring]`, or leave the key out: it follows that one";
        problems.push(
            place,
            Problem::Requires {
                this: "monitoring",
                other: "monitoring.enabled",
                hint,
            },
        );
    }
    Model {
        model_name: raw.model_name.unwrap_or_else(|| name.to_string()),
        name,
        namespace: raw.namespace,
        source: raw.source,
        replicas: raw.replicas,
        gpus,
        cpu: raw.cpu,
        memory: raw.memory,
        requests: raw.requests,
        hardware_profile: raw.hardware_profile.unwrap_or_else(gpu_profile),
        runtime_version: raw.runtime_version,
        image: raw.image,
        vllm: raw.vllm,
        env: raw.env,
        access,
        monitoring: raw.monitoring.map_or(monitoring.enabled, |at| at.value),
        scheduler: raw.scheduler,
        display: raw.display,
        ready_timeout: raw.ready_timeout,
    }
}

/// The profile that the instance makes for GPU models (`reference/platform.md` §2.11); CPU models name their own.
fn gpu_profile() -> ObjectName {
    "gpu-profile".parse().expect("a constant that is an object name")
}
