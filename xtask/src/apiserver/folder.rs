//! The scratch folder of one server.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{ApiserverError, program::Program};

/// The file that says that a folder may be removed with all that is in it.
const MARK: &str = "scratch-folder-of-cargo-xtask-apiserver";

/// A scratch folder, that need not exist yet. Its path is absolute and has no `..`, for programs and kubeconfigs keep it.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`; whatever is missing above it is made.
    ///
    /// # Errors
    /// When the folder above cannot be made.
    pub(super) fn new(path: &Path) -> Result<Self, ApiserverError> {
        let above = path.parent().unwrap_or(Path::new("/"));
        let failed = |cause| ApiserverError::Write {
            path: above.to_owned(),
            cause,
        };
        fs::create_dir_all(above).map_err(failed)?;
        let above = above.canonicalize().map_err(failed)?;
        Ok(Self {
            path: above.join(path.file_name().unwrap_or("apiserver".as_ref())),
        })
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What a program prints.
    pub(super) fn log(&self, program: Program) -> PathBuf {
        self.file(&format!("{}.log", program.name()))
    }

    /// The kubeconfig for people and tests.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.file("kubeconfig.yaml")
    }

    /// Waits until no other task works on this folder. Whoever holds the answer has it alone.
    ///
    /// # Errors
    /// When the lock file, which lies beside the folder, cannot be made.
    pub(super) fn lock(&self) -> Result<File, ApiserverError> {
        let path = self.path.with_extension("lock");
        let lock = || -> io::Result<File> {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(|cause| ApiserverError::Write {
            path: path.clone(),
            cause,
        })
    }

    /// Makes the folder, which must not exist, for its owner alone, and marks it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn make(&self) -> Result<(), ApiserverError> {
        DirBuilder::new()
            .mode(0o700)
            .create(&self.path)
            .map_err(|cause| self.cannot_write(cause))?;
        self.write(MARK, "`cargo xtask apiserver down` removes this folder.\n")?;
        Ok(())
    }

    /// Removes the folder and all that is in it, if it is there.
    ///
    /// # Errors
    /// When no `up` has made it, or when it cannot be removed.
    pub(super) fn remove(&self) -> Result<(), ApiserverError> {
        if !self.path.exists() {
            return Ok(());
        }
        if self.file(MARK).exists() {
            return fs::remove_dir_all(&self.path).map_err(|cause| self.cannot_write(cause));
        }
        // Without the mark only an empty folder goes.
        fs::remove_dir(&self.path).map_err(|_| ApiserverError::NotOurs {
            folder: self.path.clone(),
        })
    }

    /// Writes a file that only its owner may read; answers where.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, ApiserverError> {
        let path = self.file(name);
        let write = || -> io::Result<()> {
            OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&path)?
                .write_all(text.as_bytes())
        };
        match write() {
            Ok(()) => Ok(path),
            Err(cause) => Err(ApiserverError::Write { path, cause }),
        }
    }

    fn cannot_write(&self, cause: io::Error) -> ApiserverError {
        ApiserverError::Write {
            path: self.path.clone(),
            cause,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

    use super::{super::ApiserverError, Folder};

    /// A path that no other test uses.
    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("xtask-apiserver-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        path
    }

    #[test]
    fn a_folder_that_up_made_is_for_its_owner_and_goes_whole() {
        let folder = Folder::new(&scratch("made")).expect("folder");
        folder.make().expect("made");
        let secret = folder.write("secret", "x").expect("written");
        assert_eq!(fs::metadata(&secret).expect("file").permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::metadata(folder.path()).expect("folder").permissions().mode() & 0o777,
            0o700
        );
        folder.remove().expect("removed");
        assert!(!folder.path().exists());
        folder.remove().expect("nothing to remove is fine");
    }

    #[test]
    fn a_folder_of_somebody_else_stays() {
        let path = scratch("theirs");
        fs::create_dir_all(&path).expect("made");
        fs::write(path.join("thesis.tex"), "x").expect("written");
        let folder = Folder::new(&path).expect("folder");
        assert!(matches!(folder.remove(), Err(ApiserverError::NotOurs { .. })));
        assert!(path.join("thesis.tex").exists());
        fs::remove_dir_all(&path).expect("cleaned");
    }
}
