//! The objects on disk: a `fjall` database in the server's directory.
//!
//! Invariants:
//! - A write is in the operating system's hands before it is acknowledged, so `kill -9` of the server loses nothing
//!   acknowledged; loss of power is out of scope.
//! - The resourceVersion never goes back, not even over a restart after deletions: numbers are reserved ahead in blocks.
//! - Only one process has a directory open.

use std::path::{Path, PathBuf};

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use serde_json::Value;

/// How many resource versions are reserved at once.
const BLOCK: u64 = 10_000;
const RESERVED: &[u8] = b"reserved-resource-version";

/// Why the store could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process serves this directory.
    #[error("{} is in use by another process", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory cannot be made or written.
    #[error("{} cannot be written", dir.display())]
    Unwritable {
        /// The directory.
        dir: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The database failed.
    #[error("the object database failed")]
    Database(#[source] Box<fjall::Error>),
    /// What was read back is no object.
    #[error("a stored object cannot be read")]
    Unreadable(#[source] serde_json::Error),
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

/// What a database holds at start.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Objects with the group and plural they are stored under.
    pub(super) objects: Vec<(String, String, Value)>,
    /// No resourceVersion up to here may be given out again.
    pub(super) resource_version: u64,
}

/// The open database.
pub(super) struct Disk {
    objects: Keyspace,
    meta: Keyspace,
    reserved: u64,
    _database: Database,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Disk")
            .field("reserved", &self.reserved)
            .finish_non_exhaustive()
    }
}

impl Disk {
    /// Opens the database below `dir` and reads everything in it.
    pub(super) fn open(dir: &Path) -> Result<(Self, Loaded), StoreError> {
        let unwritable = |cause| StoreError::Unwritable {
            dir: dir.to_owned(),
            cause,
        };
        std::fs::create_dir_all(dir).map_err(unwritable)?;
        rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).map_err(|errno| unwritable(errno.into()))?;
        let database = Database::builder(dir.join("objects"))
            .open()
            .map_err(|error| match error {
                fjall::Error::Locked => StoreError::Locked { dir: dir.to_owned() },
                fjall::Error::Io(cause) => unwritable(cause),
                other => other.into(),
            })?;
        let objects = database.keyspace("objects", KeyspaceCreateOptions::default)?;
        let meta = database.keyspace("meta", KeyspaceCreateOptions::default)?;
        let mut loaded = Loaded::default();
        if let Some(bytes) = meta.get(RESERVED)? {
            let bytes: [u8; 8] = (*bytes).try_into().unwrap_or_default();
            loaded.resource_version = u64::from_be_bytes(bytes);
        }
        for guard in objects.iter() {
            let (key, value) = guard.into_inner()?;
            let key = String::from_utf8_lossy(&key).into_owned();
            let mut parts = key.split('\0');
            let (group, plural) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let object = serde_json::from_slice(&value).map_err(StoreError::Unreadable)?;
            loaded.objects.push((group.to_owned(), plural.to_owned(), object));
        }
        let reserved = loaded.resource_version;
        Ok((
            Self {
                objects,
                meta,
                reserved,
                _database: database,
            },
            loaded,
        ))
    }

    fn reserve(&mut self, resource_version: u64) -> Result<(), StoreError> {
        if resource_version > self.reserved {
            self.reserved = resource_version + BLOCK;
            self.meta.insert(RESERVED, self.reserved.to_be_bytes())?;
        }
        Ok(())
    }

    /// Stores an object.
    pub(super) fn put(&mut self, key: &str, bytes: &[u8], resource_version: u64) -> Result<(), StoreError> {
        self.reserve(resource_version)?;
        Ok(self.objects.insert(key, bytes)?)
    }

    /// Removes an object.
    pub(super) fn remove(&mut self, key: &str, resource_version: u64) -> Result<(), StoreError> {
        self.reserve(resource_version)?;
        Ok(self.objects.remove(key)?)
    }
}
