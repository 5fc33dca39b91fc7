//! `[rhoai]`: which release of OpenShift AI, and which of its components.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::fate;
use super::rhoai_settings as settings;
use crate::stack::{
    Approval, ChannelName, Components, DashboardSettings, Fate, NamespaceName, ObjectName, Profile, Rhoai, Scheduling,
};

const PROFILES: &[(&str, Profile)] = &[("stable", Profile::Stable), ("ea", Profile::Ea)];

const APPROVALS: &[(&str, Approval)] = &[("automatic", Approval::Automatic), ("manual", Approval::Manual)];

/// What a stack without the table gets: the stable profile and the default components.
pub(super) fn default() -> Rhoai {
    release(Profile::Stable)
}

fn release(profile: Profile) -> Rhoai {
    Rhoai {
        channel: profile
            .channel()
            .parse()
            .expect("profiles are data of ours, and a test parses them all"),
        csv: profile
            .csv()
            .parse()
            .expect("profiles are data of ours, and a test parses them all"),
        approval: Approval::Automatic,
        components: Components::default(),
        monitoring: settings::default_monitoring(),
        dashboard: DashboardSettings::default(),
        mlflow: settings::default_mlflow(),
        default_hardware_profiles: true,
        hardware_profiles: Vec::new(),
        // reference/platform.md §2.11.
        workbench_namespace: namespace("rhods-notebooks"),
        registry_namespace: namespace("rhoai-model-registries"),
        ready_timeout: None,
        fate: Fate::default(),
    }
}

fn namespace(name: &str) -> NamespaceName {
    name.parse().expect("a constant that is a namespace")
}

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<Rhoai> {
    let mut reader = Reader::new(field, "`[rhoai]`", problems)?;
    let profile = reader.or("profile", Profile::Stable, problems, read::word(PROFILES));
    let has = (reader.has("channel"), reader.has("csv"));
    let channel = reader.optional("channel", problems, typed::name(ChannelName::NOUN));
    let csv = reader.optional("csv", problems, typed::name(ObjectName::NOUN));
    match (&channel, &csv, has) {
        (Some(channel), None, (_, false)) => {
            problems.push(
                channel.place,
                Problem::HalfPin {
                    given: "channel",
                    missing: "csv",
                },
            );
        }
        (None, Some(csv), (false, _)) => problems.push(
            csv.place,
            Problem::HalfPin {
                given: "csv",
                missing: "channel",
            },
        ),
        _ => {}
    }
    let mut rhoai = release(profile);
    if let (Some(channel), Some(csv)) = (channel, csv) {
        rhoai.channel = channel.value;
        rhoai.csv = csv.value;
    }
    rhoai.approval = reader.or("approval", rhoai.approval, problems, read::word(APPROVALS));
    rhoai.components = reader.or("components", rhoai.components, problems, components);
    rhoai.monitoring = reader.or("monitoring", rhoai.monitoring, problems, settings::monitoring);
    rhoai.dashboard = reader.or("dashboard", rhoai.dashboard, problems, settings::dashboard);
    rhoai.mlflow = reader.or("mlflow", rhoai.mlflow, problems, settings::mlflow);
    rhoai.default_hardware_profiles = reader.or(
        "default_hardware_profiles",
        rhoai.default_hardware_profiles,
        problems,
        read::boolean,
    );
    let profiles = reader.field("hardware_profiles").map_or_else(Vec::new, |field| {
        read::tables(field, "rhoai.hardware_profiles", problems, settings::hardware_profile)
    });
    for At {
        value: At { value: profile, place },
        ..
    } in profiles
    {
        if rhoai.hardware_profiles.iter().any(|other| other.name == profile.name) {
            problems.push(
                place,
                Problem::Duplicate {
                    what: "hardware profiles",
                    name: profile.name.to_string(),
                    hint: Problem::RENAME,
                },
            );
        }
        if matches!(profile.scheduling, Scheduling::Queue { .. }) && !rhoai.components.kueue {
            problems.push(
                place,
                Problem::Requires {
                    this: "queue",
                    other: "[rhoai.components] kueue = true",
                    hint: "without Kueue nothing serves the queue; choose nodes with `node_selector` and `tolerations`",
                },
            );
        }
        rhoai.hardware_profiles.push(profile);
    }
    rhoai.workbench_namespace = reader.or(
        "workbench_namespace",
        rhoai.workbench_namespace,
        problems,
        typed::name(NamespaceName::NOUN),
    );
    rhoai.registry_namespace = reader.or(
        "registry_namespace",
        rhoai.registry_namespace,
        problems,
        typed::name(NamespaceName::NOUN),
    );
    rhoai.ready_timeout = reader
        .optional("ready_timeout", problems, typed::timeout)
        .map(|at| at.value);
    rhoai.fate = fate::read(&mut reader, problems);
    reader.finish(problems);
    Some(rhoai)
}

fn components(field: Field<'_>, problems: &mut Problems) -> Option<Components> {
    let mut reader = Reader::new(field, "`[rhoai.components]`", problems)?;
    let default = Components::default();
    let mut switch = |key, default| reader.or(key, default, problems, read::boolean);
    let components = Components {
        dashboard: switch("dashboard", default.dashboard),
        pipelines: switch("pipelines", default.pipelines),
        workbenches: switch("workbenches", default.workbenches),
        model_registry: switch("model_registry", default.model_registry),
        mlflow: switch("mlflow", default.mlflow),
        training_operator: switch("training_operator", default.training_operator),
        nim: switch("nim", default.nim),
        llama_stack: switch("llama_stack", default.llama_stack),
        trustyai: switch("trustyai", default.trustyai),
        feature_store: switch("feature_store", default.feature_store),
        kueue: switch("kueue", default.kueue),
        distributed_workloads: switch("distributed_workloads", default.distributed_workloads),
    };
    // Its queue objects are of kinds that only Kueue brings (`reference/platform.md` §5, row `distributedWorkloads`).
    if components.distributed_workloads && !components.kueue {
        let at = reader.key_place("distributed_workloads").unwrap_or(reader.place);
        let hint = "set `kueue = true` too: its queues are of kinds that Kueue brings";
        problems.push(
            at,
            Problem::Requires {
                this: "distributed_workloads",
                other: "kueue",
                hint,
            },
        );
    }
    reader.finish(problems);
    Some(components)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_names_a_legal_channel_and_version() {
        for (_, profile) in PROFILES {
            assert_eq!(release(*profile).channel.as_str(), profile.channel());
            assert_eq!(release(*profile).csv.as_str(), profile.csv());
        }
    }
}
