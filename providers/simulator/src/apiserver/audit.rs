//! The audit log: one line of JSON for every request that changes, or would change, an object.
//!
//! Invariants:
//! - A line is written before the request is answered, for refused requests and dry-runs too.
//! - Digests leave out managedFields and resourceVersion, and are over bytes in an order of our own (keys sorted).
//! - An object that ends without a DELETE of its own (finalizer removed, garbage collected) has a line with verb `removed`.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::persist::StoreError;
use super::wall::Moment;

/// What was asked or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Create,
    Update,
    Patch,
    Apply,
    Delete,
    DeleteCollection,
    /// The object ended by itself.
    Removed,
}

/// One line.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    pub(super) time: String,
    pub(super) user: &'a str,
    pub(super) agent: &'a str,
    pub(super) verb: Verb,
    pub(super) dry_run: bool,
    pub(super) code: u16,
    pub(super) group: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: &'a str,
    pub(super) resource: &'a str,
    pub(super) subresource: Option<&'a str>,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) uid: Option<&'a str>,
    pub(super) field_manager: Option<&'a str>,
    pub(super) created: bool,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) resource_version: Option<String>,
    /// Why an object ended, for `removed`; why a request was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<&'a str>,
}

/// The open log.
#[derive(Debug)]
pub(super) struct Audit {
    file: Mutex<File>,
}

impl Audit {
    /// Opens `audit.ndjson` in `dir` for appending; a last line that a kill cut short goes, its request had no answer.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("audit.ndjson");
        let opened = File::options().create(true).read(true).append(true).open(path);
        let file = opened.and_then(|mut file| {
            let whole = end_of_last_line(&mut file)?;
            file.set_len(whole)?;
            Ok(file)
        });
        let file = file.map_err(|cause| StoreError::Unwritable {
            dir: dir.to_owned(),
            cause,
        })?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Appends one line.
    pub(super) fn append(&self, record: &Record<'_>) {
        let Ok(mut line) = serde_json::to_vec(record) else {
            return;
        };
        line.push(b'\n');
        let written = self
            .file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write_all(&line);
        if let Err(error) = written {
            tracing::error!(%error, "a line of the audit log could not be written");
        }
    }
}

/// Returns how many bytes of a file are whole lines; reads it backwards.
fn end_of_last_line(file: &mut File) -> std::io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = [0_u8; 4_096];
    while end > 0 {
        let start = end.saturating_sub(4_096);
        let length = usize::try_from(end - start).unwrap_or(block.len());
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block[..length])?;
        if let Some(newline) = block[..length].iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The time of a line.
pub(super) fn now() -> String {
    Moment::now().to_micros()
}

/// The digest of an object's content.
pub(super) fn digest(object: &Value) -> String {
    let mut bytes = Vec::with_capacity(1_024);
    canonical(object, 0, &mut bytes);
    Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Writes JSON with sorted keys; at depth 1 (metadata) without what changes by itself.
fn canonical(value: &Value, depth: usize, into: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            into.push(b'{');
            let mut is_first = true;
            for key in keys {
                if depth == 1 && matches!(key.as_str(), "managedFields" | "resourceVersion") {
                    continue;
                }
                if !std::mem::take(&mut is_first) {
                    into.push(b',');
                }
                into.extend_from_slice(Value::from(key.as_str()).to_string().as_bytes());
                into.push(b':');
                let below = if depth == 0 && key != "metadata" { 2 } else { depth + 1 };
                canonical(&map[key], below, into);
            }
            into.push(b'}');
        }
        Value::Array(list) => {
            into.push(b'[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    into.push(b',');
                }
                canonical(item, depth + 2, into);
            }
            into.push(b']');
        }
        scalar => into.extend_from_slice(scalar.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_that_was_cut_short_goes() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("audit.ndjson");
        for (text, left) in [
            ("", ""),
            ("torn", ""),
            ("one\n", "one\n"),
            ("one\ntwo\nto", "one\ntwo\n"),
            (&format!("one\n{}", "x".repeat(9_000)), "one\n"),
        ] {
            std::fs::write(&path, text).expect("writable");
            Audit::open(folder.path()).expect("it opens");
            assert_eq!(std::fs::read_to_string(&path).expect("readable"), left);
        }
    }

    #[test]
    fn a_digest_ignores_versions_and_managers_of_the_object_only() {
        let one = json!({"kind": "X", "metadata": {"name": "a", "resourceVersion": "1", "managedFields": []}, "spec": {"resourceVersion": "7"}});
        let mut other = one.clone();
        other["metadata"] = json!({"name": "a", "resourceVersion": "2"});
        assert_eq!(digest(&one), digest(&other));
        other["spec"]["resourceVersion"] = json!("8");
        assert_ne!(digest(&one), digest(&other));
    }
}
