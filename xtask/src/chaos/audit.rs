//! What the audit log says of what `stackctl` made: its own small reader, which knows nothing of the engine.

use crate::error::TaskError;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
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

/// Every object that we made: what it is called, by its uid, and which of them have ended.
#[derive(Debug, Default)]
pub(super) struct Told {
    made: BTreeMap<String, String>,
    ended: BTreeSet<String>,
}

impl Told {
    /// Reads a log. A last line that is being written is not there yet.
    ///
    /// # Errors
    /// A line that is not as the log's lines are.
    pub(super) fn read(path: &Path, text: &str) -> Result<Self, TaskError> {
        let mut told = Self::default();
        let written = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in written.lines().filter(|line| !line.is_empty()) {
            let line: Line = serde_json::from_str(line).map_err(|error| TaskError::Json {
                path: path.to_owned(),
                text: error.to_string(),
            })?;
            let begins = |text: &Option<String>, with: &str| text.as_deref().is_some_and(|text| text.starts_with(with));
            let is_ours = begins(&line.agent, "stackctl") && !begins(&line.user, "operator:");
            let (Some(uid), Some(name)) = (line.uid, line.name) else {
                continue;
            };
            if line.dry_run || !(200..300).contains(&line.code) {
                continue;
            }
            if line.before.is_some() && line.after.is_none() {
                told.ended.insert(uid);
            } else if is_ours && line.created {
                told.made.insert(
                    uid,
                    format!("{} {}/{name}", line.kind, line.namespace.unwrap_or_default()),
                );
            }
        }
        Ok(told)
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
