//! A saved plan: what was decided, for which state of which cluster, under the stack's key.
//!
//! In: a header and a body, which is the caller's and opaque here. Out: bytes, and back. Whether the cluster still is
//! what the body rests on is the planner's to say.
//!
//! Invariants:
//! - Nothing of a plan is used before its MAC was compared: [`SealedPlan::open`] is the only way to a [`SavedPlan`].
//! - The MAC covers the header, the digest and the body in canonical form, so white space and the order of keys in the
//!   file do not matter and everything else does.
//! - No key is in a plan, only the id of the one that sealed it.

use crate::format::{self, Probed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stackctl_engine::digest::{Digest, KeyedDigest, StackKey, canonical};

/// What a plan file says it is.
const PLAN: &str = "stackctl-plan";
/// Keeps the MAC of a plan apart from a keyed digest of a secret, which the same key makes.
const MAC_PURPOSE: &[u8] = b"stackctl saved plan 1\0";
const VERSION: u64 = 1;

/// What a plan is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanHeader {
    /// The stack's name.
    pub stack: String,
    /// The cluster: the uid of its `kube-system` namespace.
    pub cluster_id: String,
    /// The lineage of the state it was made with, or of the one that its apply is to begin.
    pub lineage: String,
    /// The serial of that state; 0 when there was none.
    pub serial: u64,
    /// When it was made, in RFC 3339.
    pub created: String,
}

/// A plan that was made here, or that was read and whose MAC is right.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedPlan {
    header: PlanHeader,
    body: Value,
    digest: Digest,
}

/// A plan as it was read, not to be trusted yet: it may be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedPlan {
    plan: SavedPlan,
    written_by: String,
    key_id: String,
    mac: KeyedDigest,
}

/// Why a plan cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanFileError {
    /// The bytes are no saved plan.
    #[error("this is not a saved plan")]
    NotAPlan,
    /// The plan is of a version that this program does not know.
    #[error("the plan was written by a newer stackctl: format {version}, this one reads up to {VERSION}")]
    Newer {
        /// Its version.
        version: u64,
        /// The version of the program that wrote it.
        written_by: Option<String>,
    },
    /// It says that it is a plan but is not what a writer of its version wrote.
    #[error("the plan is damaged: {0}")]
    Damaged(String),
    /// It was sealed with a key that is not the stack's.
    #[error("the plan was sealed with the key {theirs}, and the key of this stack is {ours}")]
    OtherKey {
        /// The id of the plan's key.
        theirs: String,
        /// The id of the stack's key.
        ours: String,
    },
    /// Its content is not what was sealed.
    #[error("the plan was changed after it was saved")]
    Changed,
}

impl PlanFileError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::NotAPlan => "`stackctl plan -o FILE` saves one".to_owned(),
            Self::Newer {
                written_by: Some(version),
                ..
            } => format!("use stackctl {version} or a later one"),
            Self::Newer { written_by: None, .. } => "use the stackctl that wrote it, or a later one".to_owned(),
            Self::Damaged(_) | Self::Changed => "make a new plan with `stackctl plan -o FILE`".to_owned(),
            Self::OtherKey { .. } => {
                "apply it where it was made, with the state and the key that lie there, or make a new plan".to_owned()
            }
        }
    }
}

/// A plan, as it stands on disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPlan {
    format: String,
    version: u64,
    written_by: String,
    stack: String,
    cluster_id: String,
    lineage: String,
    serial: u64,
    created: String,
    digest: String,
    body: Value,
    key_id: String,
    mac: String,
}

/// Whether bytes are a saved plan, by what they say and not by what their file is called: a damaged one is a plan too.
pub fn is_plan(bytes: &[u8]) -> bool {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    bytes.starts_with(b"{") && head.windows(PLAN.len()).any(|window| window == PLAN.as_bytes())
}

/// Within how many bytes a plan says that it is one.
const HEAD: usize = 128;

impl SavedPlan {
    /// A plan of a header and a body.
    pub fn new(header: PlanHeader, body: Value) -> Self {
        let digest = Digest::of(&body);
        Self { header, body, digest }
    }

    /// What it is for.
    pub fn header(&self) -> &PlanHeader {
        &self.header
    }

    /// What it says.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// The digest of what it says: what `--expect` approves.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes to save, sealed with the stack's key.
    pub fn to_bytes(&self, key: &StackKey) -> Vec<u8> {
        let PlanHeader {
            stack,
            cluster_id,
            lineage,
            serial,
            created,
        } = self.header.clone();
        let stored = StoredPlan {
            format: PLAN.to_owned(),
            version: VERSION,
            written_by: crate::WRITTEN_BY.to_owned(),
            stack,
            cluster_id,
            lineage,
            serial,
            created,
            digest: self.digest.to_string(),
            body: self.body.clone(),
            key_id: key.id().to_owned(),
            mac: self.mac(crate::WRITTEN_BY, key).to_string(),
        };
        let mut bytes = serde_json::to_vec(&stored).expect("every map of the format has texts as keys");
        bytes.push(b'\n');
        bytes
    }

    fn mac(&self, written_by: &str, key: &StackKey) -> KeyedDigest {
        let PlanHeader {
            stack,
            cluster_id,
            lineage,
            serial,
            created,
        } = &self.header;
        let sealed = json!({
            "written_by": written_by,
            "stack": stack,
            "cluster_id": cluster_id,
            "lineage": lineage,
            "serial": serial,
            "created": created,
            "digest": self.digest.to_string(),
            "body": self.body,
        });
        let mut bytes = MAC_PURPOSE.to_vec();
        canonical(&sealed, &mut bytes);
        key.digest(&bytes)
    }
}

impl SealedPlan {
    /// Reads a plan, without trusting it.
    ///
    /// # Errors
    /// When the bytes are no plan, a newer one, or a damaged one.
    pub fn read(bytes: &[u8]) -> Result<Self, PlanFileError> {
        let unreadable = |reason: format::Unreadable| match is_plan(bytes) {
            true => PlanFileError::Damaged(reason.to_string()),
            false => PlanFileError::NotAPlan,
        };
        match format::probe(bytes, PLAN, VERSION).map_err(unreadable)? {
            Probed::Newer { version, written_by } => return Err(PlanFileError::Newer { version, written_by }),
            Probed::Readable => {}
        }
        let damaged = |reason: &str| PlanFileError::Damaged(reason.to_owned());
        let StoredPlan {
            format: _,
            version: _,
            written_by,
            stack,
            cluster_id,
            lineage,
            serial,
            created,
            digest,
            body,
            key_id,
            mac,
        } = serde_json::from_slice(bytes).map_err(|error| damaged(&error.to_string()))?;
        let digest = Digest::parse(&digest).ok_or_else(|| damaged("its digest is none"))?;
        let mac = KeyedDigest::parse(&mac).ok_or_else(|| damaged("its MAC is none"))?;
        let header = PlanHeader {
            stack,
            cluster_id,
            lineage,
            serial,
            created,
        };
        Ok(Self {
            plan: SavedPlan { header, body, digest },
            written_by,
            key_id,
            mac,
        })
    }

    /// What the plan says it is for and what it says, for people to look at: nobody vouches for it yet.
    pub fn unverified(&self) -> &SavedPlan {
        &self.plan
    }

    /// The version of stackctl that wrote it.
    pub fn written_by(&self) -> &str {
        &self.written_by
    }

    /// Compares the MAC and gives the plan out.
    ///
    /// # Errors
    /// When another key sealed it, or it is not what was sealed.
    pub fn open(self, key: &StackKey) -> Result<SavedPlan, PlanFileError> {
        if self.key_id != key.id() {
            return Err(PlanFileError::OtherKey {
                theirs: self.key_id,
                ours: key.id().to_owned(),
            });
        }
        if self.mac != self.plan.mac(&self.written_by, key) || self.plan.digest != Digest::of(&self.plan.body) {
            return Err(PlanFileError::Changed);
        }
        Ok(self.plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> SavedPlan {
        let header = PlanHeader {
            stack: "demo".to_owned(),
            cluster_id: "c1".to_owned(),
            lineage: "l1".to_owned(),
            serial: 4,
            created: "2026-11-24T02:00:00Z".to_owned(),
        };
        SavedPlan::new(header, json!({"steps": [{"address": "a.b", "weight": 0.1}], "b": null}))
    }

    fn key() -> StackKey {
        StackKey::new([7; 32])
    }

    fn opened(bytes: &[u8]) -> Result<SavedPlan, PlanFileError> {
        SealedPlan::read(bytes)?.open(&key())
    }

    #[test]
    fn a_saved_plan_reads_back_and_is_known_by_its_content() {
        let bytes = plan().to_bytes(&key());
        assert!(is_plan(&bytes));
        assert_eq!(opened(&bytes), Ok(plan()));
        let value: Value = serde_json::from_slice(&bytes).expect("JSON");
        let spaced = serde_json::to_vec_pretty(&value).expect("JSON");
        assert_eq!(opened(&spaced), Ok(plan()));
        assert_eq!(opened(&bytes).map(|plan| plan.digest()), Ok(Digest::of(plan().body())));
    }

    #[test]
    fn a_stack_file_and_other_json_are_no_plan() {
        for bytes in [
            "[stack]\nname = \"a\"\n",
            "{}",
            "",
            r#"{"format":"stackctl-state","version":1}"#,
        ] {
            assert!(!is_plan(bytes.as_bytes()));
            assert_eq!(opened(bytes.as_bytes()), Err(PlanFileError::NotAPlan));
        }
    }

    #[test]
    fn every_changed_field_is_seen() {
        let original: Value = serde_json::from_slice(&plan().to_bytes(&key())).expect("JSON");
        let fields = original.as_object().expect("an object").keys().cloned();
        for field in fields.filter(|field| !["format", "version", "key_id"].contains(&field.as_str())) {
            let mut changed = original.clone();
            changed[&field] = match &original[&field] {
                Value::Number(_) => json!(5),
                Value::String(text) if text.contains("sha256:") => {
                    let (front, last) = text.split_at(text.len() - 1);
                    json!(format!("{front}{}", if last == "0" { "1" } else { "0" }))
                }
                Value::String(text) => json!(format!("{text}x")),
                _ => json!({"steps": []}),
            };
            let bytes = serde_json::to_vec(&changed).expect("JSON");
            assert_eq!(opened(&bytes), Err(PlanFileError::Changed), "{field}");
        }
    }

    #[test]
    fn another_key_and_a_newer_version_are_named() {
        let bytes = plan().to_bytes(&StackKey::new([8; 32]));
        assert!(matches!(opened(&bytes), Err(PlanFileError::OtherKey { .. })));
        let newer = br#"{"format":"stackctl-plan","version":2,"written_by":"0.7.0","sealed":"otherwise"}"#;
        assert!(is_plan(newer));
        let error = opened(newer).expect_err("newer");
        assert_eq!(
            format!("{error}; {}", error.hint()),
            "the plan was written by a newer stackctl: format 2, this one reads up to 1; use stackctl 0.7.0 or a later one"
        );
        let cut = br#"{"format":"stackctl-plan","version":1}"#;
        assert!(matches!(opened(cut), Err(PlanFileError::Damaged(_))));
    }
}
