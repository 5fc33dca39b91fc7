//! What the programs of the data plane keep over a restart of the cluster, one file each.
//!
//! Invariants:
//! - A file is replaced whole, and only when what it holds has changed.
//! - A file of another version is an error, not an empty one.
//!
//! Simplified: what is kept is durable against the end of the process, not against the end of the machine.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

const VERSION: u32 = 1;

/// Where a value is kept; nowhere without a directory.
#[derive(Debug)]
pub(super) struct Store {
    path: Option<PathBuf>,
    last: Vec<u8>,
}

#[derive(Deserialize)]
struct Read<T> {
    format_version: u32,
    kept: T,
}

#[derive(Serialize)]
struct Written<'a, T> {
    format_version: u32,
    kept: &'a T,
}

impl Store {
    /// Reads a value from a file of this name, or begins with an empty one.
    pub(super) fn open<T: Default + DeserializeOwned>(dir: Option<&Path>, name: &str) -> io::Result<(T, Self)> {
        let path = dir.map(|dir| dir.join(name));
        let mut last = Vec::new();
        let mut value = T::default();
        if let Some(path) = &path {
            match std::fs::read(path) {
                Ok(bytes) => {
                    let read: Read<T> = serde_json::from_slice(&bytes)?;
                    if read.format_version != VERSION {
                        let why = format!(
                            "{} is of version {}, and {VERSION} is known",
                            path.display(),
                            read.format_version
                        );
                        return Err(io::Error::other(why));
                    }
                    (value, last) = (read.kept, bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok((value, Self { path, last }))
    }

    /// Keeps a value, if it has changed.
    pub(super) fn keep<T: Serialize>(&mut self, value: &T) {
        let Some(path) = &self.path else { return };
        let written = Written {
            format_version: VERSION,
            kept: value,
        };
        let write = |bytes: &[u8]| {
            let next = path.with_extension("json.next");
            if let Some(dir) = path.parent() {
                std::fs::create_dir_all(dir)?;
            }
            std::fs::write(&next, bytes)?;
            std::fs::rename(&next, path)
        };
        match serde_json::to_vec(&written) {
            Ok(bytes) if bytes == self.last => {}
            Ok(bytes) => match write(&bytes) {
                Ok(()) => self.last = bytes,
                Err(error) => tracing::warn!(path = %path.display(), %error, "what the data plane holds is not kept"),
            },
            Err(error) => tracing::warn!(path = %path.display(), %error, "what the data plane holds cannot be written"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_there_again_and_another_version_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut value, mut store): (Vec<String>, _) = Store::open(Some(dir.path()), "x.json").expect("nothing yet");
        value.push("kept".to_owned());
        store.keep(&value);
        let (again, _) = Store::open::<Vec<String>>(Some(dir.path()), "x.json").expect("a file");
        assert_eq!(again, value);
        std::fs::write(dir.path().join("x.json"), r#"{"format_version": 2, "kept": []}"#).expect("writable");
        assert!(Store::open::<Vec<String>>(Some(dir.path()), "x.json").is_err());
    }
}
