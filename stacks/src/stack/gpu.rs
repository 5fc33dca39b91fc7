//! A GPU pool: nodes of one kind, made by us or already there.

use super::{GpuTier, InstanceType, PoolName, Timeout, Zone};

/// A set of nodes with the same GPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuPool {
    /// The name of the pool; objects of two pools never clash, because it is part of their names.
    pub name: PoolName,
    /// Where its nodes come from.
    pub provision: Provision,
    /// How long its nodes may take to offer their GPUs; absent means the reference's time.
    pub ready_timeout: Option<Timeout>,
}

/// Where the nodes of a pool come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provision {
    /// One MachineSet a zone, made by us: these nodes cost money.
    MachineSets(MachineSets),
    /// Nodes that are already in the cluster.
    Existing {
        /// What they are, where it was said.
        tier: Option<&'static GpuTier>,
    },
}

/// The MachineSets of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineSets {
    /// What kind of GPU.
    pub tier: &'static GpuTier,
    /// The instance type, one of the tier's.
    pub size: &'static InstanceType,
    /// The zones, at least one, each once, in the order of the file.
    pub zones: Vec<Zone>,
    /// Replicas of each MachineSet; 0 parks the pool.
    pub nodes_per_zone: u16,
    /// The root volume of each node.
    pub root_volume: RootVolume,
    /// The NVIDIA device-plugin configuration its nodes are labelled with, for time-slicing.
    pub device_plugin_config: Option<String>,
}

impl MachineSets {
    /// Returns how many nodes the pool has in all zones.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        u32::from(self.nodes_per_zone) * u32::try_from(self.zones.len()).unwrap_or(u32::MAX)
    }

    /// Returns how many GPUs the pool has in all zones.
    #[must_use]
    pub fn gpus(&self) -> u32 {
        self.nodes() * u32::from(self.size.gpus)
    }
}

/// The root volume of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootVolume {
    /// Its size, in GiB.
    pub size_gib: u32,
    /// Its type.
    pub volume_type: VolumeType,
    /// Provisioned I/O operations per second; 0 means the default of the type.
    pub iops: u32,
}

/// The type of an EBS volume (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeType {
    /// General purpose, previous generation.
    Gp2,
    /// General purpose.
    Gp3,
    /// Provisioned IOPS, previous generation.
    Io1,
    /// Provisioned IOPS.
    Io2,
}

impl VolumeType {
    /// Returns the name that AWS gives it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gp2 => "gp2",
            Self::Gp3 => "gp3",
            Self::Io1 => "io1",
            Self::Io2 => "io2",
        }
    }
}
