//! A model to serve.

use std::fmt;

use super::{AccessMode, EnvName, GivenSecret, ModelName, NamespaceName, ObjectName, Quantity, Timeout};

/// A model to serve: one LLMInferenceService and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The name of the service, unique in the stack.
    pub name: ModelName,
    /// What clients put into the `model` field of a request.
    pub model_name: String,
    /// The namespace it runs in; never one of the platform's own.
    pub namespace: NamespaceName,
    /// Where its weights come from.
    pub source: ModelSource,
    /// How much memory its weights take, where it is said; only held against that of the GPUs.
    pub weights: Option<Quantity>,
    /// The volume that its weights are kept on; absent means each pod's own.
    pub volume: Option<ModelVolume>,
    /// How many copies run; 0 parks it.
    pub replicas: u16,
    /// GPUs of one copy; 0 means it runs on CPU.
    pub gpus: u16,
    /// The CPU limit of one copy.
    pub cpu: Quantity,
    /// The memory limit of one copy.
    pub memory: Quantity,
    /// What one copy asks for; never above the limits. GPUs asked for always equal the limit.
    pub requests: Requests,
    /// The hardware profile in the applications namespace.
    pub hardware_profile: ObjectName,
    /// The runtime version shown by the dashboard (an annotation).
    pub runtime_version: String,
    /// The image to run instead of the platform's.
    pub image: Option<String>,
    /// How vLLM is called.
    pub vllm: Vllm,
    /// Environment variables of the serving container, in the order of the file, each name once.
    pub env: Vec<EnvVar>,
    /// How it is reached, and by whom.
    pub access: Access,
    /// How its metrics are scraped; absent means they are not.
    pub monitoring: Option<ModelMonitoring>,
    /// Which of its copies does what, and how requests are spread over them.
    pub deployment: Deployment,
    /// What vLLM is told on CPU; without effect on GPUs.
    pub cpu_inference: CpuInference,
    /// When Kubernetes takes a copy for alive.
    pub probes: Probes,
    /// The model that it is a new version of, and how much of the traffic it gets.
    pub canary: Option<Canary>,
    /// What people read about it.
    pub display: Display,
    /// How long it may take to be served; absent means the reference's time.
    pub ready_timeout: Option<Timeout>,
}

impl Model {
    /// Returns the GPUs of all copies, those that only prefill included.
    #[must_use]
    pub fn total_gpus(&self) -> u32 {
        let prefill = match &self.deployment {
            Deployment::IntelligentInference(_) => 0,
            Deployment::PrefillDecode(parts) => u32::from(parts.prefill.replicas) * u32::from(parts.prefill.gpus),
        };
        u32::from(self.replicas) * u32::from(self.gpus) + prefill
    }

    /// Returns whether vLLM keeps the computed prefixes of prompts (`reference/serving.md` §1.3.1).
    #[must_use]
    pub const fn keeps_prefixes(&self) -> bool {
        match (self.vllm.prefix_caching, &self.deployment) {
            (PrefixCaching::On, _) | (PrefixCaching::Auto, Deployment::IntelligentInference(_)) => true,
            (PrefixCaching::Off, _) | (PrefixCaching::Auto, Deployment::PrefillDecode(_)) => false,
        }
    }
}

/// The volume that the weights of a model are kept on: a claim of the model's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelVolume {
    /// How much is claimed.
    pub size: Quantity,
    /// How it is mounted.
    pub access_mode: AccessMode,
    /// Its class; absent means the cluster's default.
    pub storage_class: Option<ObjectName>,
}

/// How a model's metrics are scraped; the timeout is shorter than the interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelMonitoring {
    /// How often.
    pub interval: Timeout,
    /// How long one answer may take.
    pub scrape_timeout: Timeout,
}

/// What vLLM is told on CPU (`reference/serving.md` §6.2, row `cpu`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuInference {
    /// Memory for the KV cache, in GiB.
    pub kv_cache_gib: u16,
    /// Whether the first requests are served without a warm-up before.
    pub skip_warmup: bool,
}

/// When Kubernetes takes a copy for alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probes {
    /// While it starts; absent means that it is only asked later.
    pub startup: Option<Probe>,
    /// Later; absent means the numbers of the manual.
    pub liveness: Option<Probe>,
}

/// How often a copy is asked whether it is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Seconds until it is asked first.
    pub initial_delay_seconds: u16,
    /// Seconds between two questions.
    pub period_seconds: u16,
    /// Seconds until no answer is a bad one.
    pub timeout_seconds: u16,
    /// How many bad answers in a row end the container.
    pub failures: u16,
}

/// A model that takes over from another, a part of the traffic at a time (`reference/serving.md` §1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The model that goes on serving: another one of the stack, in the same namespace, on the llm-d gateway.
    pub of: ModelName,
    /// How much of the traffic the new one gets, in percent: 0 to 100.
    pub weight: u8,
}

/// Where the weights of a model come from; `Display` gives the URI back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// A modelcar image.
    Oci {
        /// `registry/repository:tag` or `registry/repository@sha256:…`.
        reference: String,
    },
    /// A repository on Hugging Face.
    HuggingFace {
        /// `organisation/model`, with an optional `:revision`.
        repository: String,
        /// The token for gated models.
        token: Option<GivenSecret>,
    },
    /// A bucket of an S3-compatible store.
    S3 {
        /// The bucket.
        bucket: String,
        /// The path in the bucket, without a leading `/`; never empty.
        path: String,
        /// How it is read.
        connection: S3Connection,
    },
    /// A PersistentVolumeClaim in the model's namespace.
    Pvc {
        /// The name of the claim.
        claim: ObjectName,
        /// The path in the volume, without a leading `/`; empty means its root.
        path: String,
    },
}

/// Organisations whose repositories are mostly gated (`reference/serving.md` §5.1 M13; <https://huggingface.co/docs/hub/models-gated>).
const GATED: &[&str] = &["meta-llama", "google", "mistralai", "CohereLabs", "bigcode"];

/// Returns whether a repository on Hugging Face, `organisation/model`, is probably read with a token only.
pub(crate) fn is_gated(repository: &str) -> bool {
    GATED.iter().any(|owner| repository.split('/').next() == Some(owner))
}

impl fmt::Display for ModelSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oci { reference } => write!(formatter, "oci://{reference}"),
            Self::HuggingFace { repository, .. } => write!(formatter, "hf://{repository}"),
            Self::S3 { bucket, path, .. } => write!(formatter, "s3://{bucket}/{path}"),
            Self::Pvc { claim, path } if path.is_empty() => write!(formatter, "pvc://{claim}"),
            Self::Pvc { claim, path } => write!(formatter, "pvc://{claim}/{path}"),
        }
    }
}

/// How a bucket is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum S3Connection {
    /// By a connection that is there: a Secret of this name in the model's namespace.
    Existing(ObjectName),
    /// By a connection that the stack makes.
    Made(Box<S3Account>),
}

/// An account of an S3-compatible store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Account {
    /// The URL of the store.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// The id of the key.
    pub access_key_id: GivenSecret,
    /// The key.
    pub secret_access_key: GivenSecret,
}

/// What one copy of a model asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    /// CPU.
    pub cpu: Quantity,
    /// Memory.
    pub memory: Quantity,
}

/// How vLLM is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vllm {
    /// Whether it keeps the computed prefixes of prompts.
    pub prefix_caching: PrefixCaching,
    /// Further arguments, in the order of the file; none is empty or holds a line break.
    pub args: Vec<String>,
}

/// Whether vLLM keeps the computed prefixes of prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrefixCaching {
    /// Where the scheduler uses it: on for the intelligent scheduler.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// An environment variable of the serving container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name; never one that the platform sets itself.
    pub name: EnvName,
    /// Its value, which is no secret.
    pub value: String,
}

/// How a model is reached, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// On the llm-d gateway, by anyone who can reach it.
    Open,
    /// On the llm-d gateway, with a token of the cluster that may read the service.
    Authenticated,
    /// On the MaaS gateway, with an API key of a tier.
    Maas,
}

impl Access {
    /// Returns whether a caller must show who it is; MaaS forces it (`reference/serving.md` §6.2, row `auth`).
    #[must_use]
    pub const fn needs_authentication(self) -> bool {
        match self {
            Self::Open => false,
            Self::Authenticated | Self::Maas => true,
        }
    }
}

/// Which copies of a model do what, and how requests are spread over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// All copies do the same.
    IntelligentInference(Scheduler),
    /// Some read prompts, the others answer (`reference/serving.md` §1.3.2).
    PrefillDecode(Box<PrefillDecode>),
}

/// How requests are spread over copies that all do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// With the defaults of the platform.
    Simple,
    /// By prefix cache, queue length and cache use, with the weights of the manual.
    Intelligent {
        /// How the prefix cache is guessed at.
        prefixes: PrefixScoring,
        /// The certificate that the scheduler presents; absent means one that it makes itself.
        tls: Option<SchedulerTls>,
    },
}

/// How the scheduler guesses what a copy has in its prefix cache (`reference/serving.md` §6.2, row `scheduler`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixScoring {
    /// Characters of a block.
    pub hash_block_size: u32,
    /// Blocks that are compared at most.
    pub max_prefix_blocks: u32,
    /// Blocks that are remembered of each copy.
    pub lru_capacity: u32,
}

/// The certificate that a scheduler presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulerTls {
    /// A Secret in the model's namespace with `tls.crt` and `tls.key`.
    pub secret: ObjectName,
    /// Where it is mounted, an absolute path.
    pub mount_path: String,
}

/// Copies that read prompts beside copies that answer: the model's own amounts are those of the latter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefillDecode {
    /// The copies that read prompts.
    pub prefill: Prefill,
    /// Tokens of a prompt from which on it is read elsewhere.
    pub threshold: u32,
    /// Among how many copies the scheduler draws.
    pub max_endpoints: u32,
    /// The certificate that the scheduler presents; absent means one that it makes itself.
    pub tls: Option<SchedulerTls>,
    /// How what was read gets from the one to the other.
    pub kv_transfer: KvTransfer,
}

/// The copies that read prompts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefill {
    /// How many; at least one.
    pub replicas: u16,
    /// GPUs of one copy; at least one.
    pub gpus: u16,
    /// The CPU limit of one copy.
    pub cpu: Quantity,
    /// The memory limit of one copy.
    pub memory: Quantity,
    /// What one copy asks for; never above the limits.
    pub requests: Requests,
}

/// How a computed KV cache gets from one copy to another (`reference/serving.md` §6.2, row `kv`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvTransfer {
    /// Tokens of a block.
    pub block_size: u32,
    /// Milliseconds after which a transfer that nobody takes is given up.
    pub abort_timeout_ms: u32,
    /// How much vLLM tells; absent means as much as it does by itself.
    pub log_level: Option<LogLevel>,
    /// Which of vLLM's arguments is said first.
    pub first: FirstArgument,
}

/// How much vLLM tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are vLLM's own")]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
}

impl LogLevel {
    /// As vLLM reads it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

/// Which of vLLM's arguments is said first: they are one text, and where one is given twice the later one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstArgument {
    /// That requests are not logged.
    Uvicorn,
    /// How the KV cache is moved.
    KvTransfer,
}

/// What people read about a model in the catalogue of MaaS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Display {
    /// A sentence about it.
    pub description: Option<String>,
    /// What it is for.
    pub use_case: Option<String>,
    /// The size of its context window, as people read it.
    pub context_window: Option<String>,
}
