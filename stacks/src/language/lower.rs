//! From tables to a [`Stack`]: what crosses tables.
//!
//! In: tables that are right by themselves. Out: a stack whose names are unique and whose references resolve. Every
//! rule runs, whatever the others found.

use super::addons::{self, Addons};
use super::capacity::{self, Site};
use super::lints::{self, Asked};
use super::maas;
use super::models;
use super::moves;
use super::place::Place;
use super::problem::{Problem, Problems};
use super::read::At;
use super::schema::{Raw, RawModel, RawPool, RawProvision, RawTls, default_kueue};
use crate::stack::gpu_tiers::TIERS;
use crate::stack::{
    Fate, Gateway, GatewayIssuer, GatewayTls, GeneratedFor, GpuPool, Maas, MachineSets, ManifestSet, OpenShift,
    Platform, Provision, Stack, TableFate, Tls, TrustedCa,
};
use stackctl_engine::plan::Pattern;

/// Lowers tables to a stack. `None` means that something was reported.
pub(crate) fn lower(raw: Raw, problems: &mut Problems) -> Option<Stack> {
    let Raw {
        stack,
        cluster,
        mut tls,
        gpu,
        rhoai,
        monitoring,
        gateway,
        signs,
        balancers,
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
        moved,
        removed,
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
    let mut fates = Vec::new();
    let mut note = |component: &str, key: Option<&str>, fate: Fate| {
        let of = Pattern::component(component, key).expect("components and names make segments");
        fates.push(TableFate { of, fate });
    };
    for At { value: pool, .. } in &gpu {
        note("gpu", Some(pool.name.value.as_str()), pool.fate);
    }
    note("rhoai", None, rhoai.fate);
    for At { value: model, .. } in &models {
        note("model", Some(model.name.value.as_str()), model.fate);
    }
    if let Some(maas) = &maas {
        note("maas", None, maas.fate);
    }
    for At { value: set, .. } in &manifests {
        note("manifests", Some(set.name.value.as_str()), set.fate);
    }
    let manifests = manifests
        .into_iter()
        .map(|At { value: set, .. }| ManifestSet {
            name: set.name.value,
            path: set.path,
            namespace: set.namespace,
            depends_on: set.depends_on,
            ready: set.ready,
            delete_crds: set.delete_crds,
            ignore_fields: set.ignore_fields,
            allow: set.allow,
        })
        .collect();
    let moves = moves::lower(moved, removed, problems);
    if is_plain {
        let stack = stack?;
        return Some(Stack {
            name: stack.name,
            openshift: None,
            manifests,
            allow: stack.allow,
            moves,
            fates,
            state,
        });
    }
    let platform = cluster.as_ref().map(|cluster| cluster.platform);
    if let (
        Some(Platform::None),
        Some(At {
            value: RawTls {
                tls: Tls::LetsEncrypt { .. },
                ..
            },
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
    let pools: Vec<(Option<GpuPool>, Place)> = gpu
        .into_iter()
        .map(|pool| {
            let place = pool.value.name.place;
            (lower_pool(pool, platform, problems), place)
        })
        .collect();
    // Where a pool is wrong, nobody knows what it offers; what is wrong is reported already.
    let pools: Option<Vec<(GpuPool, Place)>> = pools.into_iter().map(|(pool, place)| Some((pool?, place))).collect();

    report_duplicates(
        "models",
        models
            .iter()
            .map(|model| (model.value.name.value.as_str(), model.value.name.place)),
        problems,
    );
    let published = models::published(&models);
    let site = |model: &At<RawModel>| Site {
        name: model.value.name.place,
        source: model.value.source_place,
        gpus: model.value.gpus.map(|gpus| gpus.place),
    };
    let sites: Vec<Site> = models.iter().map(site).collect();
    // Where the table is wrong, nobody knows whether it is on; what is wrong is reported already.
    let maas_is_off = !maas_is_wrong && maas.as_ref().is_none_or(|maas| !maas.enabled);
    let context = models::Context {
        monitoring,
        maas_is_off,
        maas_is_written: maas.is_some(),
        has_gpu_tables,
    };
    let models = models::lower(models, context, problems);
    let maas = maas.and_then(|raw| {
        let around = maas::Around {
            models: &models,
            names: &model_names,
            published: &published,
            maas_is_on: !maas_is_off,
            monitoring,
        };
        maas::lower(raw, &around, problems)
    });
    if let Some(At { value: own, .. }) = &tls {
        for (gateway, place) in [
            (Some((GeneratedFor::LlmD, &gateway.tls)), signs.llm_d),
            (
                maas.as_ref().map(|maas| (GeneratedFor::Maas, &maas.gateway.tls)),
                signs.maas,
            ),
        ] {
            if let (Some((gateway, tls)), Some(place)) = (gateway, place) {
                report_issuer(gateway, tls, &own.tls, place, problems);
            }
        }
    }
    let trusted_ca = tls.as_mut().and_then(|tls| tls.value.trusted_ca.take());
    if let Some(trusted) = &trusted_ca {
        report_trust(trusted, &gateway, maas.as_ref(), problems);
        if tls
            .as_ref()
            .is_some_and(|tls| matches!(tls.value.tls, Tls::LocalCa { .. }))
        {
            let problem = Problem::Excludes {
                this: "trusted_ca",
                other: "issuer = \"local-ca\"",
                hint: "the stack's own authority is trusted already; add another one to the cluster's bundle by hand",
            };
            problems.push(trusted.place, problem);
        }
    }
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
    let has_balancers = platform != Some(Platform::None) || metallb.is_some();
    let asked = Asked {
        public_issuer: tls
            .as_ref()
            .filter(|tls| matches!(tls.value.tls, Tls::LetsEncrypt { .. }))
            .map(|tls| tls.place),
        balancers: if has_balancers { Vec::new() } else { balancers },
        sources: sites.iter().map(|site| site.source).collect(),
    };
    lints::load_balancers(&asked, problems);
    if cluster.as_ref().is_some_and(|cluster| cluster.disconnected) {
        lints::closed_network(&asked, &models, problems);
    }
    if let Some(pools) = &pools {
        capacity::check(&models, &sites, pools, problems);
    }
    let stack = stack?;
    let gpu = pools?.into_iter().map(|(pool, _)| pool).collect();
    Some(Stack {
        name: stack.name,
        openshift: Some(OpenShift {
            cluster: cluster?,
            tls: tls?.value.tls,
            trusted_ca: trusted_ca.map(|at| at.value),
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
        allow: stack.allow,
        moves,
        fates,
        state,
    })
}

/// The issuers that have names of their own are made by `[tls]`, or by nobody.
fn report_issuer(gateway: GeneratedFor, tls: &GatewayTls, own: &Tls, place: Place, problems: &mut Problems) {
    let GatewayTls::Generated {
        issuer: GatewayIssuer::Cluster(issuer),
        ..
    } = tls
    else {
        return;
    };
    if own.issuer() == Some(*issuer) {
        return;
    }
    let is_local = *issuer == GatewayIssuer::LOCAL_CA;
    let this = match (gateway, is_local) {
        (GeneratedFor::LlmD, true) => "[gateway.tls] issuer = \"local-ca\"",
        (GeneratedFor::LlmD, false) => "[gateway.tls] issuer = \"letsencrypt\"",
        (GeneratedFor::Maas, true) => "[maas.gateway.tls] issuer = \"local-ca\"",
        (GeneratedFor::Maas, false) => "[maas.gateway.tls] issuer = \"letsencrypt\"",
    };
    let (other, hint) = match (own, is_local) {
        (Tls::LocalCa { .. }, _) => (
            "[tls] issuer = \"letsencrypt\"",
            "nothing else makes that issuer: write `issuer = \"local-ca\"` here too",
        ),
        (Tls::LetsEncrypt { .. }, _) => (
            "[tls] issuer = \"local-ca\"",
            "nothing else makes that issuer: write `issuer = \"letsencrypt\"` here too",
        ),
        (Tls::Existing { .. }, true) => (
            "[tls] issuer = \"local-ca\"",
            "nothing else makes that issuer; here, write `issuer = \"selfsigned\"` or the name of an Issuer in openshift-ingress",
        ),
        (Tls::Existing { .. }, false) => (
            "[tls] issuer = \"letsencrypt\"",
            "nothing else makes that issuer; here, write the name of an Issuer in openshift-ingress, or `mode = \"secret\"`",
        ),
    };
    problems.push(place, Problem::Requires { this, other, hint });
}

/// The authority of a certificate that nobody generates is not to be had.
fn report_trust(trusted: &At<TrustedCa>, gateway: &Gateway, maas: Option<&Maas>, problems: &mut Problems) {
    let (tls, other) = match trusted.value {
        TrustedCa::File(_) => return,
        TrustedCa::OfGateway(GeneratedFor::LlmD) => (Some(&gateway.tls), "[gateway.tls] mode = \"generate\""),
        TrustedCa::OfGateway(GeneratedFor::Maas) => (
            maas.map(|maas| &maas.gateway.tls),
            "[maas.gateway.tls] mode = \"generate\"",
        ),
    };
    if !matches!(tls, Some(GatewayTls::Generated { .. })) {
        let this = "trusted_ca";
        let hint =
            "only a generated certificate has its authority beside it; write `{ file = \"ca.pem\" }` for another";
        problems.push(trusted.place, Problem::Requires { this, other, hint });
    }
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
                        hint: Problem::RENAME,
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
