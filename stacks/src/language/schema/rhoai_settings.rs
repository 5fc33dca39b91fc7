//! The tables below `[rhoai]`: what the instance is set to, part by part.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::super::value::Value;
use crate::stack::{
    AccessMode, DashboardSettings, HardwareProfile, Identifier, Mlflow, NamespaceName, ObjectName, PlatformMonitoring,
    Quantity, ResourceType, Retention, SampleRatio, Scheduling, Toleration,
};

const ACCESS_MODES: &[(&str, AccessMode)] = &[
    ("ReadWriteOnce", AccessMode::ReadWriteOnce),
    ("ReadWriteMany", AccessMode::ReadWriteMany),
];

const RESOURCE_TYPES: &[(&str, ResourceType)] = &[
    ("cpu", ResourceType::Cpu),
    ("memory", ResourceType::Memory),
    ("accelerator", ResourceType::Accelerator),
];

fn constant<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse()
        .expect("a constant that follows its grammar; a test reads it")
}

/// The values of the manual's chart (`reference/platform.md` §2.11).
pub(super) fn default_monitoring() -> PlatformMonitoring {
    PlatformMonitoring {
        namespace: constant("redhat-ods-monitoring"),
        metrics_replicas: 1,
        metrics_retention: constant("90d"),
        metrics_volume: constant("5Gi"),
        traces_sample_ratio: constant("0.1"),
        traces_retention: constant("2160h"),
    }
}

pub(super) fn monitoring(field: Field<'_>, problems: &mut Problems) -> Option<PlatformMonitoring> {
    let mut reader = Reader::new(field, "`[rhoai.monitoring]`", problems)?;
    let default = default_monitoring();
    let retention = typed::name::<Retention>(Retention::NOUN);
    let monitoring = PlatformMonitoring {
        namespace: reader.or(
            "namespace",
            default.namespace,
            problems,
            typed::name(NamespaceName::NOUN),
        ),
        metrics_replicas: reader.or(
            "metrics_replicas",
            default.metrics_replicas,
            problems,
            read::integer(0, 100),
        ),
        metrics_retention: reader.or("metrics_retention", default.metrics_retention, problems, &retention),
        metrics_volume: reader.or("metrics_volume", default.metrics_volume, problems, typed::memory),
        traces_sample_ratio: reader.or(
            "traces_sample_ratio",
            default.traces_sample_ratio,
            problems,
            typed::name(SampleRatio::NOUN),
        ),
        traces_retention: reader.or("traces_retention", default.traces_retention, problems, &retention),
    };
    reader.finish(problems);
    Some(monitoring)
}

pub(super) fn dashboard(field: Field<'_>, problems: &mut Problems) -> Option<DashboardSettings> {
    let mut reader = Reader::new(field, "`[rhoai.dashboard]`", problems)?;
    let mut line = |key| reader.optional(key, problems, read::line).map(|at| at.value);
    let admin_groups = line("admin_groups");
    let allowed_groups = line("allowed_groups");
    let notebook_volume = reader
        .optional("notebook_volume", problems, typed::memory)
        .map(|at| at.value);
    reader.finish(problems);
    Some(DashboardSettings {
        admin_groups,
        allowed_groups,
        notebook_volume,
    })
}

/// The values of the manual's chart (`reference/platform.md` §2.11).
pub(super) fn default_mlflow() -> Mlflow {
    Mlflow {
        volume: constant("10Gi"),
        access_mode: AccessMode::ReadWriteOnce,
        backend_store_uri: "sqlite:////mlflow/mlflow.db".to_owned(),
        artifacts_destination: "file:///mlflow/artifacts".to_owned(),
        serve_artifacts: true,
    }
}

pub(super) fn mlflow(field: Field<'_>, problems: &mut Problems) -> Option<Mlflow> {
    let mut reader = Reader::new(field, "`[rhoai.mlflow]`", problems)?;
    let default = default_mlflow();
    let mlflow = Mlflow {
        volume: reader.or("volume", default.volume, problems, typed::memory),
        access_mode: reader.or("access_mode", default.access_mode, problems, read::word(ACCESS_MODES)),
        backend_store_uri: reader.or("backend_store_uri", default.backend_store_uri, problems, read::line),
        artifacts_destination: reader.or(
            "artifacts_destination",
            default.artifacts_destination,
            problems,
            read::line,
        ),
        serve_artifacts: reader.or("serve_artifacts", default.serve_artifacts, problems, read::boolean),
    };
    if !mlflow.serve_artifacts && mlflow.artifacts_destination.starts_with("file:") {
        let hint = "files on its volume are reached through MLflow only; name a bucket as `artifacts_destination`";
        problems.push(
            reader.key_place("serve_artifacts").unwrap_or(reader.place),
            Problem::Requires {
                this: "artifacts_destination = \"file:…\"",
                other: "serve_artifacts = true",
                hint,
            },
        );
    }
    reader.finish(problems);
    Some(mlflow)
}

/// A hardware profile, and where its name stands.
pub(super) fn hardware_profile(field: Field<'_>, problems: &mut Problems) -> Option<At<HardwareProfile>> {
    let mut reader = Reader::new(field, "`[[rhoai.hardware_profiles]]`", problems)?;
    let name = reader.required(
        "name",
        "write `name = \"…\"`: what models and notebooks ask for",
        problems,
        typed::name::<ObjectName>(ObjectName::NOUN),
    );
    let display_name = reader.optional("display_name", problems, read::line).map(|at| at.value);
    let description = reader.or("description", String::new(), problems, read::line);
    let disabled = reader.or("disabled", false, problems, read::boolean);
    let visible_in = reader
        .optional("visible_in", problems, read::list("a list of strings", read::line))
        .map_or_else(Vec::new, |list| list.value.into_iter().map(|one| one.value).collect());
    let identifiers = reader.field("identifiers").map_or_else(Vec::new, |field| {
        let identifiers = read::tables(field, "rhoai.hardware_profiles.identifiers", problems, identifier);
        identifiers.into_iter().map(|one| one.value).collect()
    });
    let scheduling = scheduling(&mut reader, problems);
    reader.finish(problems);
    let At { value: name, place } = name?;
    Some(At {
        value: HardwareProfile {
            display_name: display_name.unwrap_or_else(|| name.to_string()),
            name,
            description,
            disabled,
            visible_in,
            identifiers,
            scheduling,
        },
        place,
    })
}

/// One of both: the CRD refuses nodes beside a queue (`reference/platform.md` §2.11).
fn scheduling(reader: &mut Reader<'_>, problems: &mut Problems) -> Scheduling {
    let queue = reader.optional("queue", problems, typed::name::<ObjectName>(ObjectName::NOUN));
    let priority_class = reader
        .optional("priority_class", problems, read::line)
        .map(|at| at.value);
    let selector = reader.or("node_selector", Vec::new(), problems, labels);
    let tolerations = reader.field("tolerations").map_or_else(Vec::new, |field| {
        let tolerations = read::tables(field, "rhoai.hardware_profiles.tolerations", problems, toleration);
        tolerations.into_iter().map(|one| one.value).collect()
    });
    let Some(At { value: queue, .. }) = queue else {
        return Scheduling::Node { selector, tolerations };
    };
    for key in ["node_selector", "tolerations"] {
        if let Some(place) = reader.key_place(key) {
            let because = "a profile with a queue leaves the nodes to the queue's flavor".to_owned();
            problems.push(place, Problem::NoEffect { key, because });
        }
    }
    Scheduling::Queue { queue, priority_class }
}

fn labels(field: Field<'_>, problems: &mut Problems) -> Option<Vec<(String, String)>> {
    let Some(table) = field.node.as_table() else {
        field.wrong_type("a table of labels", problems);
        return None;
    };
    let mut labels = Vec::new();
    for (key, entry) in &table.entries {
        let node = &entry.node;
        let field = Field { key: field.key, node };
        labels.push((key.clone(), read::text(field, problems)?));
    }
    Some(labels)
}

fn toleration(field: Field<'_>, problems: &mut Problems) -> Option<Toleration> {
    let mut reader = Reader::new(field, "`tolerations`", problems)?;
    let key = reader.required("key", "write `key = \"nvidia.com/gpu\"`", problems, read::line);
    let value = reader.optional("value", problems, read::line).map(|at| at.value);
    let effect = reader.optional("effect", problems, read::line).map(|at| at.value);
    reader.finish(problems);
    Some(Toleration {
        key: key?.value,
        value,
        effect,
    })
}

/// The least is at most the default, which is at most the most (`reference/platform.md` §5, `hardwareProfiles`).
fn identifier(field: Field<'_>, problems: &mut Problems) -> Option<Identifier> {
    let mut reader = Reader::new(field, "`identifiers`", problems)?;
    let identifier = reader.required("identifier", "write `identifier = \"cpu\"`", problems, read::line);
    let display_name = reader.optional("display_name", problems, read::line).map(|at| at.value);
    let resource_type = reader.required(
        "type",
        "write `type = \"cpu\"`, \"memory\" or \"accelerator\"",
        problems,
        read::word(RESOURCE_TYPES),
    );
    let default = reader.required("default", "write `default = 1`", problems, amount);
    let min = reader.required("min", "write `min = 1`", problems, amount);
    let max = reader.optional("max", problems, amount).map(|at| at.value);
    reader.finish(problems);
    let (identifier, default, min) = (identifier?.value, default?, min?.value);
    let is_above = max.as_ref().is_some_and(|max| default.value.nano() > max.nano());
    if is_above || default.value.nano() < min.nano() {
        problems.push(
            default.place,
            Problem::ProfileRange {
                identifier: identifier.clone(),
            },
        );
    }
    Some(Identifier {
        display_name: display_name.unwrap_or_else(|| identifier.clone()),
        identifier,
        resource_type: resource_type?.value,
        default: default.value,
        min,
        max,
    })
}

/// A number, or an amount with a unit.
fn amount(field: Field<'_>, problems: &mut Problems) -> Option<Quantity> {
    match &field.node.value {
        Value::Text(text) if text.ends_with(|last: char| last.is_ascii_alphabetic() && last != 'm') => {
            typed::memory(field, problems)
        }
        _ => typed::cpu(field, problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constant_follows_its_grammar() {
        assert_eq!(default_monitoring().traces_sample_ratio.as_str(), "0.1");
        assert_eq!(default_mlflow().volume.as_str(), "10Gi");
    }

    #[test]
    fn ratios_and_retentions() {
        for right in ["0", "1", "0.1", "1.0"] {
            assert!(right.parse::<SampleRatio>().is_ok(), "{right}");
        }
        for wrong in ["", "2", ".1", "0.", "1.1", "-0.1", "10%"] {
            assert!(wrong.parse::<SampleRatio>().is_err(), "{wrong}");
        }
        for right in ["90d", "2160h", "5ms"] {
            assert!(right.parse::<Retention>().is_ok(), "{right}");
        }
        for wrong in ["", "d", "90", "90 d", "1.5h"] {
            assert!(wrong.parse::<Retention>().is_err(), "{wrong}");
        }
    }
}
