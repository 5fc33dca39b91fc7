//! How destroy treats a recorded resource, as it stands on disk: all that `destroy --state-only` needs.

use super::{
    names::{StoredObject, StoredPath, StoredType},
    readiness::{StoredObservation, StoredTarget},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stackctl_engine::{
    recorded::{Claimed, RecordedDestroy},
    resource::{Claim, DestroyStep, NeededBy, Remains},
};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredDestroy {
    prevent: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retain: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    delete_adopted: bool,
    self_recreating: bool,
    steps: Vec<StoredStep>,
    claims: Vec<StoredClaimed>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    claiming: Vec<StoredClaim>,
    remains: Vec<StoredRemains>,
    holds_data: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StoredStep {
    Patch {
        target: StoredObject,
        patch: Value,
    },
    AwaitGone {
        target: StoredTarget,
        timeout_ms: u64,
    },
    Await {
        observation: StoredObservation,
        timeout_ms: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredClaimed {
    object: StoredObject,
    uid: String,
    why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needed_by: Option<StoredNeededBy>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredClaim {
    target: StoredTarget,
    why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needed_by: Option<StoredNeededBy>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredNeededBy {
    of: StoredType,
    at: StoredPath,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRemains {
    object: StoredObject,
    why: String,
}

impl From<&RecordedDestroy> for StoredDestroy {
    fn from(destroy: &RecordedDestroy) -> Self {
        let RecordedDestroy {
            prevent,
            retain,
            delete_adopted,
            self_recreating,
            steps,
            claims,
            claiming,
            remains,
            holds_data,
        } = destroy;
        Self {
            prevent: *prevent,
            retain: retain.clone(),
            delete_adopted: *delete_adopted,
            self_recreating: *self_recreating,
            steps: steps.iter().map(StoredStep::from).collect(),
            claims: claims.iter().map(StoredClaimed::from).collect(),
            claiming: claiming.iter().map(StoredClaim::from).collect(),
            remains: remains.iter().map(StoredRemains::from).collect(),
            holds_data: *holds_data,
        }
    }
}

impl From<StoredDestroy> for RecordedDestroy {
    fn from(stored: StoredDestroy) -> Self {
        let StoredDestroy {
            prevent,
            retain,
            delete_adopted,
            self_recreating,
            steps,
            claims,
            claiming,
            remains,
            holds_data,
        } = stored;
        Self {
            prevent,
            retain,
            delete_adopted,
            self_recreating,
            steps: steps.into_iter().map(DestroyStep::from).collect(),
            claims: claims.into_iter().map(Claimed::from).collect(),
            claiming: claiming.into_iter().map(Claim::from).collect(),
            remains: remains.into_iter().map(Remains::from).collect(),
            holds_data,
        }
    }
}

impl From<&DestroyStep> for StoredStep {
    fn from(step: &DestroyStep) -> Self {
        match step {
            DestroyStep::Patch { target, patch } => Self::Patch {
                target: target.into(),
                patch: patch.clone(),
            },
            DestroyStep::AwaitGone { target, timeout } => Self::AwaitGone {
                target: target.into(),
                timeout_ms: super::milliseconds(*timeout),
            },
            DestroyStep::Await { observation, timeout } => Self::Await {
                observation: observation.into(),
                timeout_ms: super::milliseconds(*timeout),
            },
        }
    }
}

impl From<StoredStep> for DestroyStep {
    fn from(stored: StoredStep) -> Self {
        match stored {
            StoredStep::Patch { target, patch } => Self::Patch {
                target: target.into(),
                patch,
            },
            StoredStep::AwaitGone { target, timeout_ms } => Self::AwaitGone {
                target: target.into(),
                timeout: Duration::from_millis(timeout_ms),
            },
            StoredStep::Await {
                observation,
                timeout_ms,
            } => Self::Await {
                observation: observation.into(),
                timeout: Duration::from_millis(timeout_ms),
            },
        }
    }
}

impl From<&Claimed> for StoredClaimed {
    fn from(claimed: &Claimed) -> Self {
        let Claimed {
            object,
            uid,
            why,
            needed_by,
        } = claimed;
        Self {
            object: object.into(),
            uid: uid.clone(),
            why: why.clone(),
            needed_by: needed_by.as_ref().map(StoredNeededBy::from),
        }
    }
}

impl From<StoredClaimed> for Claimed {
    fn from(stored: StoredClaimed) -> Self {
        let StoredClaimed {
            object,
            uid,
            why,
            needed_by,
        } = stored;
        Self {
            object: object.into(),
            uid,
            why,
            needed_by: needed_by.map(NeededBy::from),
        }
    }
}

impl From<&Claim> for StoredClaim {
    fn from(Claim { target, why, needed_by }: &Claim) -> Self {
        Self {
            target: target.into(),
            why: why.clone(),
            needed_by: needed_by.as_ref().map(StoredNeededBy::from),
        }
    }
}

impl From<StoredClaim> for Claim {
    fn from(StoredClaim { target, why, needed_by }: StoredClaim) -> Self {
        Self {
            target: target.into(),
            why,
            needed_by: needed_by.map(NeededBy::from),
        }
    }
}

impl From<&NeededBy> for StoredNeededBy {
    fn from(NeededBy { of, at }: &NeededBy) -> Self {
        Self {
            of: of.into(),
            at: at.into(),
        }
    }
}

impl From<StoredNeededBy> for NeededBy {
    fn from(StoredNeededBy { of, at }: StoredNeededBy) -> Self {
        Self {
            of: of.into(),
            at: at.into(),
        }
    }
}

impl From<&Remains> for StoredRemains {
    fn from(Remains { object, why }: &Remains) -> Self {
        Self {
            object: object.into(),
            why: why.clone(),
        }
    }
}

impl From<StoredRemains> for Remains {
    fn from(StoredRemains { object, why }: StoredRemains) -> Self {
        Self {
            object: object.into(),
            why,
        }
    }
}
