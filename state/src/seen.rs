//! What an earlier run saw of the kinds that a stack uses: their definitions, one file each.
//!
//! Invariants:
//! - Disposable: nothing is decided by it that a server decides, and a file that cannot be read is one that is not there.
//! - It stands beside a state that is there, and makes no directory for a state.
//! - No secret: a definition describes kinds, and holds nothing of their objects.

use serde_json::{Value, json};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The directory beside the states.
const DIRECTORY: &str = "definitions";
/// The version of the format.
const FORMAT_VERSION: u64 = 1;

/// Definitions that were seen, below the directory of the states.
#[derive(Clone, Debug)]
pub struct SeenDefinitions {
    states: PathBuf,
}

impl SeenDefinitions {
    /// Those beside the states of this directory.
    pub fn beside(states: &Path) -> Self {
        Self {
            states: states.to_owned(),
        }
    }

    /// Those of the kinds of some groups, in the order of their names.
    pub fn of_groups(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        let Ok(entries) = fs::read_dir(self.states.join(DIRECTORY)) else {
            return Vec::new();
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| name.strip_suffix(".json"));
            name.and_then(|name| name.split_once('.'))
                .is_some_and(|(_, group)| is_wanted(group))
        });
        paths.sort();
        paths.iter().filter_map(|path| read(path)).collect()
    }

    /// Keeps definitions under their names, in place of what was kept of them; other kinds stay as they were seen.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn keep<'a>(&self, definitions: impl IntoIterator<Item = &'a Value>) -> io::Result<()> {
        if !self.states.is_dir() {
            return Ok(());
        }
        let directory = self.states.join(DIRECTORY);
        for definition in definitions {
            let Some(name) = definition["metadata"]["name"].as_str().filter(|name| is_name(name)) else {
                continue;
            };
            let path = directory.join(format!("{name}.json"));
            let text = json!({"format_version": FORMAT_VERSION, "definition": definition}).to_string();
            if fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
                continue;
            }
            fs::create_dir_all(&directory)?;
            // A reader sees the old text or the new one, never half of one.
            let half = directory.join(format!(".{name}.{}", std::process::id()));
            fs::write(&half, text)?;
            fs::rename(&half, &path)?;
        }
        Ok(())
    }
}

/// Whether it is a name of a definition, and so of a file: `<plural>.<group>`, of lower-case letters, digits, `-` and `.`
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names>).
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    name.bytes().all(is_plain) && name.starts_with(|first: char| first.is_ascii_alphanumeric())
}

fn read(path: &Path) -> Option<Value> {
    let mut file: Value = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
    (file["format_version"] == FORMAT_VERSION).then(|| file["definition"].take())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str, kind: &str) -> Value {
        json!({"metadata": {"name": name}, "spec": {"names": {"kind": kind}}})
    }

    #[test]
    fn what_was_seen_last_of_a_kind_is_kept_and_found_by_its_group() {
        let scratch = tempfile::tempdir().expect("a directory");
        let seen = SeenDefinitions::beside(scratch.path());
        let all = [
            definition("things.a.io", "Old"),
            definition("others.b.io", "Other"),
            definition("../up", "No"),
        ];
        seen.keep(&all).expect("writable");
        let new = definition("things.a.io", "Thing");
        seen.keep([&new]).expect("writable");
        assert_eq!(seen.of_groups(|group| group == "a.io"), [new]);
        assert_eq!(seen.of_groups(|_| true).len(), 2);
        assert!(!scratch.path().join("up.json").exists());
        fs::write(scratch.path().join("definitions/things.a.io.json"), "{").expect("writable");
        assert_eq!(
            seen.of_groups(|group| group == "a.io"),
            [json!(null); 0],
            "a broken file is none"
        );
    }

    #[test]
    fn no_directory_is_made_where_no_state_is() {
        let scratch = tempfile::tempdir().expect("a directory");
        let states = scratch.path().join("none");
        SeenDefinitions::beside(&states)
            .keep([&definition("things.a.io", "Thing")])
            .expect("nothing to do");
        assert!(!states.exists());
    }
}
