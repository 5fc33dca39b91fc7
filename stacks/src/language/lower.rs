//! From tables to a [`Stack`]: what crosses tables.
//!
//! In: tables that are right by themselves. Out: a stack whose names are unique and whose references resolve. Every
//! rule runs, whatever the others found.

use super::addons::{self, Addons};
use super::place::Place;
use super::problem::{Problem, Problems};
use super::read::At;
use super::schema::{Raw, RawGroup, RawMaas, RawModel, RawPool, RawProvision, default_kueue};
use super::tiers::{self, Known};
use crate::stack::gpu_tiers::TIERS;
use crate::stack::{
    Access, GpuPool, Group, Maas, MachineSets, ManifestSet, Model, ModelName, Monitoring, ObjectName, OpenShift,
    Platform, Provision, Stack, Tls,
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
        model_names,
        maas,
        maas_is_wrong,
        operators,
        kueue,
        model_registries,
        gitops,
        metallb,
        manifests,
        is_plain,
        state,
    } = raw;
    report_duplicates(
        "sets of manifests",
        manifests
            .iter()
            .map(|set| (set.value.name.value.as_str(), set.value.name.place)),
        problems,
    );
    let manifests = manifests
        .into_iter()
        .map(|At { value: set, .. }| ManifestSet {
            name: set.name.value,
            path: set.path,
            depends_on: set.depends_on,
            ready: set.ready,
        })
        .collect();
    if is_plain {
        return Some(Stack {
            name: name?,
            openshift: None,
            manifests,
            state,
        });
    }
    let platform = cluster.as_ref().map(|cluster| cluster.platform);
    if let (
        Some(Platform::None),
        Some(At {
            value: Tls::LetsEncrypt { .. },
            place,
        }),
    ) = (platform, &tls)
    {
        // Its proof of ownership is a record in Route53 (`reference/platform.md` §2.3).
        let hint = "it proves the domain in Route53; use \"existing\" or \"local-ca\" elsewhere";
        problems.push(
            *place,
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
        .map(|pool| lower_pool(pool, platform, problems))
        .collect();

    report_duplicates(
        "models",
        models
            .iter()
            .map(|model| (model.value.name.value.as_str(), model.value.name.place)),
        problems,
    );
    let published: Vec<(ModelName, Place)> = models
        .iter()
        .filter_map(|At { value: model, .. }| {
            model
                .maas
                .filter(|maas| maas.value)
                .map(|maas| (model.name.value.clone(), maas.place))
        })
        .collect();
    // Where the table is wrong, nobody knows whether it is on; what is wrong is reported already.
    let maas_is_off = !maas_is_wrong && maas.as_ref().is_none_or(|maas| !maas.enabled);
    let context = ModelContext {
        monitoring,
        maas_is_off,
        has_gpu_tables,
    };
    let models: Vec<Model> = models
        .into_iter()
        .map(|model| lower_model(model, context, problems))
        .collect();

    let known = Known {
        models: &models,
        names: &model_names,
        maas_is_on: !maas_is_off,
    };
    let maas = maas.and_then(|raw| lower_maas(raw, known, &published, problems));
    addons::check(
        &Addons {
            rhoai: &rhoai,
            operators: &operators,
            kueue: kueue.as_ref(),
            registries: &model_registries,
            metallb: metallb.as_ref(),
            platform,
            has_models: !model_names.is_empty(),
        },
        problems,
    );
    let gpu = gpu.into_iter().collect::<Option<_>>()?;
    Some(Stack {
        name: name?,
        openshift: Some(OpenShift {
            cluster: cluster?,
            tls: tls?.value,
            gpu,
            rhoai,
            monitoring,
            gateway,
            models,
            maas,
            operators: operators.value,
            kueue: kueue.map_or_else(default_kueue, |at| at.value),
            model_registries: model_registries.into_iter().map(|at| at.value).collect(),
            gitops: gitops.map(|at| at.value),
            metallb: metallb.map(|at| at.value),
        }),
        manifests,
        state,
    })
}

/// Lowers MaaS; a table that is not enabled is checked all the same, since a later layer may enable it.
fn lower_maas(
    raw: RawMaas,
    known: Known<'_>,
    published: &[(ModelName, Place)],
    problems: &mut Problems,
) -> Option<Maas> {
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
    let tiers = tiers::lower(raw.tiers, known, problems);
    // Warnings about the whole would only repeat what an error has said about a part.
    if raw.enabled && !problems.has_errors() {
        if published.is_empty() {
            problems.push(raw.enabled_place, Problem::EmptyMaas);
        }
        for (model, place) in published {
            let is_named = tiers
                .iter()
                .any(|tier| tier.limits.iter().any(|limits| &limits.model == model));
            if !is_named {
                problems.push(
                    *place,
                    Problem::ModelInNoTier {
                        model: model.to_string(),
                    },
                );
            }
        }
    }
    let group = |At {
                     value: RawGroup { name, members },
                     ..
                 }| Group {
        name: name.value,
        members,
    };
    raw.enabled.then(|| Maas {
        mode: raw.mode,
        max_key_days: raw.max_key_days,
        database: raw.database,
        telemetry: raw.telemetry,
        tiers,
        groups: raw.groups.into_iter().map(group).collect(),
        ready_timeout: raw.ready_timeout,
    })
}

/// Reports each name that was there before, with the place of the first.
pub(super) fn report_duplicates<'a>(
    what: &'static str,
    names: impl Iterator<Item = (&'a str, Place)>,
    problems: &mut Problems,
) {
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

fn lower_pool(
    At { value: raw, place }: At<RawPool>,
    platform: Option<Platform>,
    problems: &mut Problems,
) -> Option<GpuPool> {
    let by_platform = match platform {
        Some(Platform::Aws) | None => RawProvision::MachineSets,
        Some(Platform::None) => RawProvision::Existing,
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
            if let Some(said) = raw.provision.filter(|_| platform == Some(Platform::None)) {
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
                        key: "tier".to_owned(),
                        table: "`[[gpu]]`".to_owned(),
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

/// What a model depends on outside of its own table.
#[derive(Clone, Copy, Debug)]
struct ModelContext {
    monitoring: Monitoring,
    maas_is_off: bool,
    has_gpu_tables: bool,
}

fn lower_model(At { value: raw, .. }: At<RawModel>, context: ModelContext, problems: &mut Problems) -> Model {
    let ModelContext {
        monitoring,
        maas_is_off,
        has_gpu_tables,
    } = context;
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
            if maas_is_off {
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
                other: "[monitoring] enabled = true",
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
