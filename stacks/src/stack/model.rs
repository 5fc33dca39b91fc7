//! A model to serve.

use std::fmt;

use super::{EnvName, ModelName, NamespaceName, ObjectName, Quantity, SecretRef, Timeout};

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
    /// Whether its metrics are scraped.
    pub monitoring: bool,
    /// How requests are spread over its copies.
    pub scheduler: Scheduler,
    /// What people read about it.
    pub display: Display,
    /// How long it may take to be served; absent means the reference's time.
    pub ready_timeout: Option<Timeout>,
}

impl Model {
    /// Returns the GPUs of all copies.
    #[must_use]
    pub fn total_gpus(&self) -> u32 {
        u32::from(self.replicas) * u32::from(self.gpus)
    }
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
        token: Option<SecretRef>,
    },
    /// A PersistentVolumeClaim in the model's namespace.
    Pvc {
        /// The name of the claim.
        claim: ObjectName,
        /// The path in the volume, without a leading `/`; empty means its root.
        path: String,
    },
}

impl fmt::Display for ModelSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oci { reference } => write!(formatter, "oci://{reference}"),
            Self::HuggingFace { repository, .. } => write!(formatter, "hf://{repository}"),
            Self::Pvc { claim, path } if path.is_empty() => write!(formatter, "pvc://{claim}"),
            Self::Pvc { claim, path } => write!(formatter, "pvc://{claim}/{path}"),
        }
    }
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

impl PrefixCaching {
    /// Returns whether it is on for a model with the intelligent scheduler (`reference/serving.md` §1.3.1).
    #[must_use]
    pub const fn is_on(self) -> bool {
        match self {
            Self::Auto | Self::On => true,
            Self::Off => false,
        }
    }
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

/// How requests are spread over the copies of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// By prefix cache, queue length and cache use, with the weights of the manual.
    Intelligent,
    /// With the defaults of the platform.
    Simple,
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
