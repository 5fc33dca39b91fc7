//! Who is at work on a state, since when.
//!
//! A lock fences the state, not the cluster. What it says about its holder is for people: whether it is held is known
//! from the place of storage alone, so a holder that died holds nothing.

use serde::{Deserialize, Serialize};

/// Who is at work on a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockInfo {
    /// `user@host`.
    pub who: String,
    /// The process.
    pub pid: u32,
    /// What it does: `stackctl apply`.
    pub command: String,
    /// Since when, in RFC 3339.
    pub since: String,
}

/// What a lock says, as it stands on disk. A reader that does not understand it knows less, never wrongly.
#[derive(Serialize, Deserialize)]
struct StoredLock {
    version: u64,
    who: String,
    pid: u32,
    command: String,
    since: String,
}

impl LockInfo {
    /// The host, if `who` names one; else `who` as it stands.
    pub fn host(&self) -> &str {
        self.who.rsplit_once('@').map_or(self.who.as_str(), |(_, host)| host)
    }

    /// The text that a lock says.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self {
            who,
            pid,
            command,
            since,
        } = self.clone();
        let stored = StoredLock {
            version: 1,
            who,
            pid,
            command,
            since,
        };
        serde_json::to_vec(&stored).expect("texts and numbers are JSON")
    }

    /// Reads what a lock says; nothing if it says nothing that this program understands.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let StoredLock {
            version: _,
            who,
            pid,
            command,
            since,
        } = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            who,
            pid,
            command,
            since,
        })
    }
}
