//! GPU tiers and the instance types of each: data, and the only place for it.
//!
//! Figures are the public ones of AWS (<https://aws.amazon.com/ec2/instance-types/g5/>,
//! <https://aws.amazon.com/ec2/instance-types/g6e/>, <https://aws.amazon.com/ec2/instance-types/p4/>,
//! <https://aws.amazon.com/ec2/instance-types/p5/>); where the manual's table differs (`reference/platform.md` §2.5,
//! rows D31 and D32) the public figure is taken.

/// A kind of GPU, by the name people use for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuTier {
    /// The name in a stack file.
    pub name: &'static str,
    /// The model of the GPU, as people say it.
    pub product: &'static str,
    /// The label value `nvidia.com/gpu.product` that GPU feature discovery gives its nodes.
    pub product_label: &'static str,
    /// The instance family.
    pub family: &'static str,
    /// The memory of one GPU, in GiB.
    pub vram_gib: u16,
    /// Its instance types, smallest first; the first is the default size.
    pub sizes: &'static [InstanceType],
}

/// An instance type with GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceType {
    /// The name of the instance type.
    pub name: &'static str,
    /// How many GPUs one instance has.
    pub gpus: u16,
    /// How many virtual CPUs one instance has.
    pub vcpus: u16,
    /// The memory of one instance, in GiB.
    pub memory_gib: u16,
}

impl GpuTier {
    /// Returns the tier of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TIERS.iter().find(|tier| tier.name == name)
    }

    /// Returns the instance type of that name in this tier.
    #[must_use]
    pub fn size(&self, name: &str) -> Option<&'static InstanceType> {
        self.sizes.iter().find(|size| size.name == name)
    }

    /// Returns the memory of all GPUs of one instance, in GiB.
    #[must_use]
    pub fn vram_gib_of(&self, size: &InstanceType) -> u32 {
        u32::from(self.vram_gib) * u32::from(size.gpus)
    }
}

/// The names of all tiers, in their order.
pub const TIER_NAMES: &[&str] = &{
    let mut names = [""; TIERS.len()];
    let mut at = 0;
    while at < TIERS.len() {
        names[at] = TIERS[at].name;
        at += 1;
    }
    names
};

/// Every tier there is.
pub const TIERS: &[GpuTier] = &[
    GpuTier {
        name: "a10g",
        product: "NVIDIA A10G",
        product_label: "NVIDIA-A10G",
        family: "g5",
        vram_gib: 24,
        sizes: &[
            size("g5.2xlarge", 1, 8, 32),
            size("g5.4xlarge", 1, 16, 64),
            size("g5.8xlarge", 1, 32, 128),
            size("g5.12xlarge", 4, 48, 192),
            size("g5.48xlarge", 8, 192, 768),
        ],
    },
    GpuTier {
        name: "l40s",
        product: "NVIDIA L40S",
        product_label: "NVIDIA-L40S",
        family: "g6e",
        vram_gib: 48,
        sizes: &[
            size("g6e.2xlarge", 1, 8, 64),
            size("g6e.4xlarge", 1, 16, 128),
            size("g6e.8xlarge", 1, 32, 256),
            size("g6e.12xlarge", 4, 48, 384),
            size("g6e.48xlarge", 8, 192, 1536),
        ],
    },
    // p4d and p4de differ in the memory of their GPUs, so they are two tiers.
    GpuTier {
        name: "a100",
        product: "NVIDIA A100 40GB",
        product_label: "NVIDIA-A100-SXM4-40GB",
        family: "p4d",
        vram_gib: 40,
        sizes: &[size("p4d.24xlarge", 8, 96, 1152)],
    },
    GpuTier {
        name: "a100-80gb",
        product: "NVIDIA A100 80GB",
        product_label: "NVIDIA-A100-SXM4-80GB",
        family: "p4de",
        vram_gib: 80,
        sizes: &[size("p4de.24xlarge", 8, 96, 1152)],
    },
    GpuTier {
        name: "h100",
        product: "NVIDIA H100",
        product_label: "NVIDIA-H100-80GB-HBM3",
        family: "p5",
        vram_gib: 80,
        sizes: &[size("p5.4xlarge", 1, 16, 256), size("p5.48xlarge", 8, 192, 2048)],
    },
    GpuTier {
        name: "h200",
        product: "NVIDIA H200",
        product_label: "NVIDIA-H200",
        family: "p5en",
        vram_gib: 141,
        sizes: &[size("p5en.48xlarge", 8, 192, 2048), size("p5e.48xlarge", 8, 192, 2048)],
    },
];

const fn size(name: &'static str, gpus: u16, vcpus: u16, memory_gib: u16) -> InstanceType {
    InstanceType {
        name,
        gpus,
        vcpus,
        memory_gib,
    }
}
