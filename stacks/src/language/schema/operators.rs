//! `[operators]`: operators that nothing else needs, pinned versions, and where packages come from.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, Field, Reader};
use super::super::typed;
use crate::stack::operators::BROKEN;
use crate::stack::{Catalogs, ChannelName, NamespaceName, ObjectName, Operators, Pins};

/// The channels of Service Mesh 3 that the manual has (`reference/platform.md` §2.1).
const MESH_CHANNELS: &[(&str, &str)] = &[
    ("stable", "stable"),
    ("stable-3.0", "stable-3.0"),
    ("stable-3.1", "stable-3.1"),
    ("candidates", "candidates"),
];

/// What a stack without the table gets.
pub(super) fn default() -> Operators {
    Operators {
        grafana: false,
        pipelines: false,
        service_mesh: None,
        pins: pins(),
        catalogs: catalogs(),
    }
}

fn constant<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse()
        .expect("a constant that follows its grammar; a test reads it")
}

fn pins() -> Pins {
    Pins {
        connectivity_link: constant("rhcl-operator.v1.3.4"),
        cluster_observability: constant("cluster-observability-operator.v1.4.0"),
    }
}

/// The names that OpenShift gives its own (`reference/platform.md` §2.1).
fn catalogs() -> Catalogs {
    Catalogs {
        namespace: constant("openshift-marketplace"),
        redhat: constant("redhat-operators"),
        certified: constant("certified-operators"),
        community: constant("community-operators"),
    }
}

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<Operators> {
    let mut reader = Reader::new(field, "`[operators]`", problems)?;
    let default = default();
    let operators = Operators {
        grafana: reader.or("grafana", default.grafana, problems, read::boolean),
        pipelines: reader.or("pipelines", default.pipelines, problems, read::boolean),
        service_mesh: reader
            .optional("service_mesh", problems, read::word(MESH_CHANNELS))
            .map(|at| constant::<ChannelName>(at.value)),
        pins: reader.or("pins", default.pins, problems, read_pins),
        catalogs: reader.or("catalogs", default.catalogs, problems, read_catalogs),
    };
    reader.finish(problems);
    Some(operators)
}

fn read_pins(field: Field<'_>, problems: &mut Problems) -> Option<Pins> {
    let mut reader = Reader::new(field, "`[operators.pins]`", problems)?;
    let default = pins();
    let pins = Pins {
        connectivity_link: reader.or(
            "connectivity_link",
            default.connectivity_link,
            problems,
            |field, problems| pin(field, "rhcl-operator.v", problems),
        ),
        cluster_observability: reader.or(
            "cluster_observability",
            default.cluster_observability,
            problems,
            |field, problems| pin(field, "cluster-observability-operator.v", problems),
        ),
    };
    reader.finish(problems);
    Some(pins)
}

/// A version of the package whose versions begin with `prefix`, and none that is known to be broken.
fn pin(field: Field<'_>, prefix: &'static str, problems: &mut Problems) -> Option<ObjectName> {
    let name = typed::name::<ObjectName>(ObjectName::NOUN)(field, problems)?;
    if !name.as_str().starts_with(prefix) {
        problems.push(
            field.node.place,
            Problem::Malformed {
                text: name.to_string(),
                noun: "a version of this operator",
                hint: format!("its versions are called `{prefix}…`"),
            },
        );
        return None;
    }
    if let Some((_, why)) = BROKEN.iter().find(|(csv, _)| *csv == name.as_str()) {
        problems.push(
            field.node.place,
            Problem::BrokenVersion {
                csv: name.to_string(),
                why,
            },
        );
        return None;
    }
    Some(name)
}

fn read_catalogs(field: Field<'_>, problems: &mut Problems) -> Option<Catalogs> {
    let mut reader = Reader::new(field, "`[operators.catalogs]`", problems)?;
    let default = catalogs();
    let catalogs = Catalogs {
        namespace: reader.or(
            "namespace",
            default.namespace,
            problems,
            typed::name(NamespaceName::NOUN),
        ),
        redhat: reader.or("redhat", default.redhat, problems, typed::name(ObjectName::NOUN)),
        certified: reader.or("certified", default.certified, problems, typed::name(ObjectName::NOUN)),
        community: reader.or("community", default.community, problems, typed::name(ObjectName::NOUN)),
    };
    reader.finish(problems);
    Some(catalogs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constant_follows_its_grammar() {
        assert_eq!(default().pins.connectivity_link.as_str(), "rhcl-operator.v1.3.4");
        for (_, channel) in MESH_CHANNELS {
            assert_eq!(constant::<ChannelName>(channel).as_str(), *channel);
        }
    }
}
