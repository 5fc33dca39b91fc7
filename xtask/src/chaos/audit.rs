//! What the audit log says of what `stackctl` made: its own small reader, which knows nothing of the engine.

use crate::error::TaskError;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

/// A line of the log, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Line {
    agent: Option<String>,
    user: Option<String>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    code: u16,
    kind: String,
    namespace: Option<String>,
    name: Option<String>,
    uid: Option<String>,
    #[serde(default)]
    created: bool,
    /// Digests of the object; one that ends has no second one.
    before: Option<String>,
    after: Option<String>,
}

/// The log of a cluster that is running, read as far as it is written.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// How many bytes were read: whole lines.
    read: u64,
    told: Told,
}

impl Log {
    /// A log that nothing was read of yet.
    pub(super) fn of(path: PathBuf) -> Self {
        Self {
            path,
            read: 0,
            told: Told::default(),
        }
    }

    /// Reads what was written since, and answers with what all of it says. A last line that is being written is not there
    /// yet.
    ///
    /// # Errors
    /// A log that cannot be read, and a line that is not as the log's lines are.
    pub(super) fn told(&mut self) -> Result<&Told, TaskError> {
        let unreadable = |cause| TaskError::Read {
            path: self.path.clone(),
            cause,
        };
        let mut file = File::open(&self.path).map_err(unreadable)?;
        file.seek(SeekFrom::Start(self.read)).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in bytes[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let line = serde_json::from_slice(line).map_err(|error| TaskError::Json {
                path: self.path.clone(),
                text: error.to_string(),
            })?;
            self.told.hear(line);
        }
        self.read += whole as u64;
        Ok(&self.told)
    }
}

/// Every object that we made: what it is called, by its uid, and which of them have ended.
#[derive(Debug, Default)]
pub(super) struct Told {
    made: BTreeMap<String, String>,
    ended: BTreeSet<String>,
    n_writes: u64,
}

impl Told {
    fn hear(&mut self, line: Line) {
        let begins = |text: &Option<String>, with: &str| text.as_deref().is_some_and(|text| text.starts_with(with));
        let is_ours = begins(&line.agent, "stackctl") && !begins(&line.user, "operator:");
        let (Some(uid), Some(name)) = (line.uid, line.name) else {
            return;
        };
        if line.dry_run || !(200..300).contains(&line.code) {
            return;
        }
        self.n_writes += u64::from(is_ours);
        if line.before.is_some() && line.after.is_none() {
            self.ended.insert(uid);
        } else if is_ours && line.created {
            let name = format!("{} {}/{name}", line.kind, line.namespace.unwrap_or_default());
            self.made.insert(uid, name);
        }
    }

    /// How many writes of ours the server took so far.
    pub(super) fn n_writes(&self) -> u64 {
        self.n_writes
    }

    /// What we made and has not ended.
    pub(super) fn there(&self) -> BTreeSet<String> {
        let lives = |(uid, _): &(&String, &String)| !self.ended.contains(*uid);
        self.made.iter().filter(lives).map(|(_, name)| name.clone()).collect()
    }

    /// What we made more often than once.
    pub(super) fn doubled(&self) -> BTreeSet<String> {
        let mut once = BTreeSet::new();
        let again = |name: &&String| !once.insert((*name).clone());
        self.made.values().filter(again).cloned().collect()
    }
}
