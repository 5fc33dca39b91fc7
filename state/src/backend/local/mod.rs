//! A state in a directory beside the stack file.
//!
//! `<stack>.state.json` is the snapshot, `<stack>.journal` what happened since, `<stack>.lock` who is at work,
//! `<stack>.key` the stack's key.
//!
//! Invariants:
//! - Reading makes nothing, not even the directory.
//! - A snapshot is written beside the old one, made durable and put in its place by a rename, so a reader sees the old
//!   one or the new one. The journal is cleared after that, by removing it: a reader that has it open keeps the old one.
//! - The lock is the operating system's, on the open file: it ends with the process. The file itself stays, because
//!   removing it would let two processes lock two files of one name. It is never replaced either, so it is the same file
//!   for every run on this state, and another one for a copy of it.
//! - The key appears whole and for its owner only, or not at all, and is never written over.

#[cfg(test)]
mod tests;

use super::{Backend, Place, Stored, key};
use crate::{
    error::StateError,
    format,
    journal::{self, StateJournal},
    lock::LockInfo,
    recorded::State,
};
use stackctl_engine::digest::StackKey;
use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// What version control should not take along from the directory.
const NOT_TO_BE_SHARED: &str = "*.key*\n*.lock\n";

/// A state in a directory.
#[derive(Clone, Debug)]
pub struct LocalBackend {
    directory: PathBuf,
    stack: String,
}

/// The lock of a state in a directory; given back when it is dropped.
#[derive(Debug)]
pub struct StateLock {
    file: File,
    path: PathBuf,
    number: FileNumber,
    left_by: Option<LockInfo>,
}

/// What tells one file from every other file of its machine for as long as it is open: its device and its inode. Shown as
/// `device:inode`.
///
/// Invariant: whatever name leads to a file, its number is the same, and a copy of it has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileNumber {
    device: u64,
    inode: u64,
}

impl fmt::Display for FileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.device, self.inode)
    }
}

impl StateLock {
    /// Who held the lock before and ended without giving it back: a run that was killed.
    pub fn left_by(&self) -> Option<&LockInfo> {
        self.left_by.as_ref()
    }

    /// The file that is locked.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which file that is, whatever its path says.
    pub fn number(&self) -> FileNumber {
        self.number
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // Only the words about us: the lock itself goes with the file. Words that stay are known as stale by that.
        self.file.set_len(0).ok();
    }
}

impl LocalBackend {
    /// The state of a stack in a directory, which need not be there yet. Nothing is read or made by this.
    ///
    /// # Errors
    /// When the stack's name cannot be part of a file's name.
    pub fn open(directory: &Path, stack: &str) -> Result<Self, StateError> {
        let fits = !stack.is_empty() && stack.len() <= 200 && !stack.starts_with('.');
        if !fits || stack.contains(['/', '\\']) || stack.chars().any(char::is_control) {
            return Err(StateError::BadName(stack.to_owned()));
        }
        Ok(Self {
            directory: directory.to_owned(),
            stack: stack.to_owned(),
        })
    }

    /// Reads the state; nothing if there is none.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, of a newer version or another stack's.
    pub fn load(&self) -> Result<Option<State>, StateError> {
        journal::load(self)
    }

    /// A new state for this place; it is stored by the first [`LocalBackend::journal`]. `now` is in RFC 3339.
    ///
    /// # Errors
    /// When there is a state already.
    pub fn create(&self, cluster_id: &str, lineage: &str, now: &str) -> Result<State, StateError> {
        if self.load()?.is_some() {
            return Err(StateError::AlreadyThere {
                path: self.file("state.json"),
            });
        }
        Ok(State::new(&self.stack, cluster_id, lineage, now))
    }

    /// Puts a state in place of whatever is there, journal included.
    ///
    /// # Errors
    /// When it is another stack's, or could not be stored.
    pub fn install(&self, state: &State, lock: &StateLock) -> Result<(), StateError> {
        if state.stack() != self.stack {
            return Err(StateError::OtherStack {
                path: self.file("state.json"),
                found: state.stack().to_owned(),
                wanted: self.stack.clone(),
            });
        }
        self.swap(lock, &format::encode_state(state))
    }

    /// Begins a run on a state that was loaded or created under this lock.
    ///
    /// # Errors
    /// See [`StateJournal::start`].
    pub fn journal<'a>(&'a self, state: State, lock: &'a StateLock) -> Result<StateJournal<'a>, StateError> {
        StateJournal::start(self, state, lock)
    }

    /// Takes the lock, without waiting.
    ///
    /// # Errors
    /// [`StateError::Held`] when somebody else has it.
    pub fn lock(&self, who: &LockInfo) -> Result<StateLock, StateError> {
        Backend::lock(self, who)
    }

    /// Clears what a holder that is gone has left, and says who it was.
    ///
    /// # Errors
    /// [`StateError::Held`] when the holder is alive.
    pub fn unlock(&self) -> Result<Option<LockInfo>, StateError> {
        Backend::unlock(self)
    }

    /// The stack's key, if it has one.
    ///
    /// # Errors
    /// When it cannot be read or is not a key.
    pub fn key(&self) -> Result<Option<StackKey>, StateError> {
        Backend::key(self)
    }

    /// The stack's key; drawn and stored if it has none.
    ///
    /// # Errors
    /// When it cannot be read, drawn or stored.
    pub fn key_or_create(&self) -> Result<StackKey, StateError> {
        Backend::key_or_create(self)
    }

    /// What tells one state of the files from the next without reading them: length and time of the snapshot and of the
    /// journal; nothing of a file that is not there.
    pub fn marks(&self) -> [Option<(u64, SystemTime)>; 2] {
        ["state.json", "journal"].map(|kind| {
            let found = fs::metadata(self.file(kind)).ok()?;
            Some((found.len(), found.modified().ok()?))
        })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.directory.join(format!("{}.{ending}", self.stack))
    }

    /// Makes the directory if it is not there, and says in it what is not to be shared.
    fn make_directory(&self) -> Result<(), StateError> {
        if self.directory.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.directory).map_err(StateError::io("create", &self.directory))?;
        let ignored = self.directory.join(".gitignore");
        match OpenOptions::new().write(true).create_new(true).open(&ignored) {
            Ok(mut file) => file
                .write_all(NOT_TO_BE_SHARED.as_bytes())
                .map_err(StateError::io("write", ignored)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(StateError::io("write", ignored)(error)),
        }
    }

    /// Makes the names in the directory durable.
    fn sync_directory(&self) -> Result<(), StateError> {
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(StateError::io("write", &self.directory))
    }

    /// Opens the lock file and tries to lock it: the file, or who holds it.
    fn try_lock(&self) -> Result<(File, Option<LockInfo>), StateError> {
        let path = self.file("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(StateError::io("open", &path))?;
        let locked = file.try_lock();
        let mut said = Vec::new();
        file.read_to_end(&mut said).map_err(StateError::io("read", &path))?;
        let said = LockInfo::from_bytes(&said);
        match locked {
            Ok(()) => Ok((file, said)),
            Err(TryLockError::WouldBlock) => Err(StateError::Held {
                path,
                holder: said.map(Box::new),
            }),
            Err(TryLockError::Error(error)) => Err(StateError::io("lock", path)(error)),
        }
    }

    /// Stores a key under its name unless that name is taken.
    fn store_key(&self, key: &StackKey) -> io::Result<()> {
        // The name holds a part of the key's id, which no other process draws.
        let draft = self.file(&format!("key.{}", key.id()));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(key::to_text(key).as_bytes())?;
        file.sync_all()?;
        let path = self.file("key");
        match fs::hard_link(&draft, &path) {
            // A file system without links: the rename would write over a key, so it is only for a name that is free.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.exists() => fs::rename(&draft, path),
            linked => {
                fs::remove_file(&draft)?;
                linked
            }
        }
    }
}

impl Backend for LocalBackend {
    type Lock = StateLock;

    fn place(&self) -> Place {
        Place {
            stack: self.stack.clone(),
            snapshot: self.file("state.json"),
            journal: self.file("journal"),
        }
    }

    fn read(&self) -> Result<Stored, StateError> {
        // The journal first: whatever is swapped in between, the snapshot then holds at least what came before it.
        let journal = read_if_there(&self.file("journal"))?.unwrap_or_default();
        let snapshot = read_if_there(&self.file("state.json"))?;
        Ok(Stored { snapshot, journal })
    }

    fn append(&self, lock: &StateLock, line: &[u8]) -> Result<(), StateError> {
        debug_assert_eq!(lock.path, self.file("lock"), "the lock is this state's");
        let path = self.file("journal");
        let mut options = OpenOptions::new();
        options.append(true);
        let (opened, is_new) = match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (options.create(true).open(&path), true),
            opened => (opened, false),
        };
        let mut file = opened.map_err(StateError::io("write", &path))?;
        file.write_all(line)
            .and_then(|()| file.sync_data())
            .map_err(StateError::io("write", &path))?;
        if is_new { self.sync_directory() } else { Ok(()) }
    }

    fn swap(&self, lock: &StateLock, snapshot: &[u8]) -> Result<(), StateError> {
        debug_assert_eq!(lock.path, self.file("lock"), "the lock is this state's");
        // One name is enough: whoever writes holds the lock, and what a kill left here is written over.
        let draft = self.file("state.json.new");
        let path = self.file("state.json");
        File::create(&draft)
            .and_then(|mut file| {
                file.write_all(snapshot)?;
                file.sync_all()
            })
            .map_err(StateError::io("write", &draft))?;
        fs::rename(&draft, &path).map_err(StateError::io("write", &path))?;
        self.sync_directory()?;
        let journal = self.file("journal");
        match fs::remove_file(&journal) {
            Ok(()) => self.sync_directory(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StateError::io("clear", journal)(error)),
        }
    }

    fn lock(&self, who: &LockInfo) -> Result<StateLock, StateError> {
        self.make_directory()?;
        let (mut file, left_by) = self.try_lock()?;
        let path = self.file("lock");
        let found = file.metadata().map_err(StateError::io("read", &path))?;
        file.set_len(0)
            .and_then(|()| io::Seek::rewind(&mut file))
            .and_then(|()| file.write_all(&who.to_bytes()))
            .map_err(StateError::io("write", &path))?;
        Ok(StateLock {
            file,
            path,
            number: FileNumber {
                device: found.dev(),
                inode: found.ino(),
            },
            left_by,
        })
    }

    fn unlock(&self) -> Result<Option<LockInfo>, StateError> {
        let path = self.file("lock");
        if !path.exists() {
            return Ok(None);
        }
        let (file, left_by) = self.try_lock()?;
        file.set_len(0).map_err(StateError::io("write", path))?;
        Ok(left_by)
    }

    fn key(&self) -> Result<Option<StackKey>, StateError> {
        let path = self.file("key");
        let Some(text) = read_if_there(&path)? else {
            return Ok(None);
        };
        match key::from_text(&text) {
            Some(key) => Ok(Some(key)),
            None => Err(StateError::Damaged {
                path,
                reason: "it does not hold 64 hexadecimal digits".to_owned(),
            }),
        }
    }

    fn key_or_create(&self) -> Result<StackKey, StateError> {
        if let Some(key) = Backend::key(self)? {
            return Ok(key);
        }
        self.make_directory()?;
        let key = key::draw()?;
        let path = self.file("key");
        match self.store_key(&key) {
            Ok(()) => {
                self.sync_directory()?;
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Another process was first: its key is the stack's.
                Backend::key(self)?.ok_or_else(|| StateError::io("write", path)(error))
            }
            Err(error) => Err(StateError::io("write", path)(error)),
        }
    }
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StateError::io("read", path)(error)),
    }
}
