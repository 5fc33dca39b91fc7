//! Files with secrets in them: only their owner reads them, and they are there whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Writes such a file, in place of one that may be there.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let next = path.with_extension("next");
    // A file that is there would keep its mode.
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&next)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&next, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_written_privately_replaces_what_others_could_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("endpoint.json");
        fs::write(&path, "old").expect("writable");
        write_private(&path, "new").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("readable"), "new");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    }
}
