//! `[[gpu]]`: one table a pool.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::suggest;
use super::super::typed;
use super::fate;
use crate::stack::gpu_tiers::{GpuTier, InstanceType, TIERS};
use crate::stack::{Fate, PoolName, RootVolume, Timeout, VolumeType, Zone};

/// A pool as written.
#[derive(Debug)]
pub(crate) struct RawPool {
    pub(crate) name: At<PoolName>,
    pub(crate) tier: Option<&'static GpuTier>,
    pub(crate) tier_is_wrong: bool,
    pub(crate) size: Option<&'static InstanceType>,
    pub(crate) provision: Option<At<RawProvision>>,
    pub(crate) zones: Option<Vec<At<Zone>>>,
    pub(crate) zones_are_wrong: bool,
    pub(crate) nodes_per_zone: u16,
    pub(crate) root_volume: RootVolume,
    pub(crate) device_plugin_config: Option<String>,
    /// Keys that only MachineSets use, where they are written.
    pub(crate) machine_set_keys: Vec<(&'static str, super::super::place::Place)>,
    pub(crate) ready_timeout: Option<Timeout>,
    pub(crate) fate: Fate,
}

/// Where nodes come from, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawProvision {
    MachineSets,
    Existing,
}

const PROVISIONS: &[(&str, RawProvision)] = &[
    ("machinesets", RawProvision::MachineSets),
    ("existing", RawProvision::Existing),
];

const VOLUME_TYPES: &[(&str, VolumeType)] = &[
    ("gp2", VolumeType::Gp2),
    ("gp3", VolumeType::Gp3),
    ("io1", VolumeType::Io1),
    ("io2", VolumeType::Io2),
];

/// What the manual's chart gives a node (`reference/platform.md` §2.5).
const ROOT_VOLUME: RootVolume = RootVolume {
    size_gib: 120,
    volume_type: VolumeType::Gp2,
    iops: 0,
};

const MACHINE_SET_KEYS: &[&str] = &["size", "zones", "nodes_per_zone", "root_volume", "device_plugin_config"];

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<RawPool> {
    let mut reader = Reader::new(field, "`[[gpu]]`", problems)?;
    let name = reader.required(
        "name",
        "write `name = \"…\"`, for instance that of the tier",
        problems,
        typed::name(PoolName::NOUN),
    );
    let provision = reader.optional("provision", problems, read::word(PROVISIONS));
    let has_tier = reader.has("tier");
    let tier = reader.optional("tier", problems, tier).map(|at| at.value);
    let size = reader
        .optional("size", problems, |field, problems| size(field, tier, problems))
        .map(|at| at.value);
    let has_zones = reader.has("zones");
    let zones = reader.optional("zones", problems, zones).map(|at| at.value);
    // A MachineSet of a thousand nodes is beyond what a cluster carries (2,000 nodes in all); larger is a typo.
    let nodes_per_zone = reader.or("nodes_per_zone", 1, problems, read::integer(0, 1000));
    let root_volume = reader.or("root_volume", ROOT_VOLUME, problems, root_volume);
    let device_plugin_config = reader
        .optional("device_plugin_config", problems, read::line)
        .map(|at| at.value);
    let machine_set_keys = MACHINE_SET_KEYS
        .iter()
        .filter_map(|key| Some((*key, reader.key_place(key)?)))
        .collect();
    let ready_timeout = reader
        .optional("ready_timeout", problems, typed::timeout)
        .map(|at| at.value);
    let fate = fate::read(&mut reader, problems);
    reader.finish(problems);
    Some(RawPool {
        name: name?,
        tier,
        tier_is_wrong: has_tier && tier.is_none(),
        size,
        provision,
        zones_are_wrong: has_zones && zones.is_none(),
        zones,
        nodes_per_zone,
        root_volume,
        device_plugin_config,
        machine_set_keys,
        ready_timeout,
        fate,
    })
}

fn tier(field: Field<'_>, problems: &mut Problems) -> Option<&'static GpuTier> {
    let text = read::text(field, problems)?;
    let tier = GpuTier::named(&text);
    if tier.is_none() {
        let names: Vec<&str> = TIERS.iter().map(|tier| tier.name).collect();
        let hint = suggest::hint(&text, "tiers", &names);
        problems.push(field.node.place, Problem::UnknownTier { tier: text, hint });
    }
    tier
}

/// Reads a size of `tier`; without a tier nothing can be said about it.
fn size(field: Field<'_>, tier: Option<&'static GpuTier>, problems: &mut Problems) -> Option<&'static InstanceType> {
    let text = read::text(field, problems)?;
    let tier = tier?;
    let size = tier.size(&text);
    if size.is_none() {
        let other = TIERS.iter().find(|other| other.size(&text).is_some());
        let names: Vec<&str> = tier.sizes.iter().map(|size| size.name).collect();
        let hint = match other {
            Some(other) => format!(
                "it is one of tier `{}`; sizes of `{}`: {}",
                other.name,
                tier.name,
                suggest::quoted(&names)
            ),
            None => format!("sizes of `{}`: {}", tier.name, suggest::quoted(&names)),
        };
        problems.push(
            field.node.place,
            Problem::UnknownSize {
                size: text,
                tier: tier.name,
                hint,
            },
        );
    }
    size
}

fn zones(field: Field<'_>, problems: &mut Problems) -> Option<Vec<At<Zone>>> {
    let zones = read::list("a list of zones", typed::zone)(field, problems)?;
    if zones.is_empty() {
        let problem = Problem::Empty {
            key: field.key.to_owned(),
            hint: "name at least one zone: [\"a\"]",
        };
        problems.push(field.node.place, problem);
        return None;
    }
    for (index, zone) in zones.iter().enumerate() {
        if let Some(first) = zones[..index].iter().find(|other| other.value == zone.value) {
            let problem = Problem::Duplicate {
                what: "zones of a pool",
                name: zone.value.to_string(),
                hint: Problem::RENAME,
            };
            problems.push_beside(zone.place, problem, first.place, "first here");
        }
    }
    Some(zones)
}

fn root_volume(field: Field<'_>, problems: &mut Problems) -> Option<RootVolume> {
    let mut reader = Reader::new(field, "`root_volume`", problems)?;
    let volume = RootVolume {
        // 16 TiB is the largest gp2, gp3 or io1 volume (https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html).
        size_gib: reader.or("size_gib", ROOT_VOLUME.size_gib, problems, read::integer(50, 16_384)),
        volume_type: reader.or("type", ROOT_VOLUME.volume_type, problems, read::word(VOLUME_TYPES)),
        iops: reader.or("iops", ROOT_VOLUME.iops, problems, read::integer(0, 256_000)),
    };
    reader.finish(problems);
    Some(volume)
}
