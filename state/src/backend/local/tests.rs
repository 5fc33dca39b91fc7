//! The directory: the contract, what a kill leaves, and what the file system refuses.

use super::*;
use crate::{
    backend::contract,
    sample::{self, address},
};
use stackctl_engine::execute::{Journal as _, Outcome};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use tempfile::TempDir;

fn place() -> (TempDir, LocalBackend) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let backend = LocalBackend::open(&directory.path().join(".stackctl"), "demo").expect("a name");
    (directory, backend)
}

fn who() -> LockInfo {
    LockInfo {
        who: "ops@bastion".to_owned(),
        pid: 4711,
        command: "stackctl apply".to_owned(),
        since: "2026-11-24T02:00:00Z".to_owned(),
    }
}

fn created(backend: &LocalBackend) -> State {
    backend.create("c1", "l1", "2026-11-24T02:00:00Z").expect("none yet")
}

fn gate(text: &str) -> Outcome {
    Outcome::Recorded(Box::new(sample::gate(text)))
}

fn names(backend: &LocalBackend) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(backend.directory())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a text"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_directory_keeps_the_contract() {
    let (_directory, backend) = place();
    contract::holds(|| backend.clone());
}

#[test]
fn reading_makes_no_directory() {
    let (_directory, backend) = place();
    assert_eq!(backend.load().expect("nothing is there"), None);
    assert!(backend.key().expect("nothing is there").is_none());
    created(&backend);
    assert!(!backend.directory().exists());
}

#[test]
fn a_run_leaves_a_snapshot_and_no_journal() {
    let (_directory, backend) = place();
    let lock = backend.lock(&who()).expect("free");
    let mut journal = backend.journal(created(&backend), &lock).expect("writable");
    journal.record(&gate("a.b"));
    journal.flush().expect("writable");
    assert_eq!(
        names(&backend),
        [".gitignore", "demo.journal", "demo.lock", "demo.state.json"]
    );
    let state = journal.finish().expect("writable");
    assert_eq!(names(&backend), [".gitignore", "demo.lock", "demo.state.json"]);
    assert_eq!(backend.load().expect("readable"), Some(state));
}

#[test]
fn a_run_that_is_killed_loses_nothing_that_was_told() {
    let (_directory, backend) = place();
    let lock = backend.lock(&who()).expect("free");
    let mut journal = backend.journal(created(&backend), &lock).expect("writable");
    journal.intend(&sample::act("c.d", "restarts it"));
    journal.flush().expect("writable");
    journal.record(&gate("a.b"));
    journal.flush().expect("writable");
    drop(journal);
    drop(lock);
    let state = backend.load().expect("readable").expect("there");
    assert!(state.recorded().contains_key(&address("a.b")));
    assert_eq!(state.open_intents(), [sample::act("c.d", "restarts it")]);
    assert_eq!((state.serial(), state.dropped()), (2, None));
}

#[test]
fn a_kill_at_any_point_of_a_swap_leaves_the_same_state() {
    let (_directory, backend) = place();
    let lock = backend.lock(&who()).expect("free");
    let mut journal = backend.journal(created(&backend), &lock).expect("writable");
    journal.record(&gate("a.b"));
    journal.flush().expect("writable");
    journal.record(&Outcome::Forgotten(address("a.b")));
    journal.flush().expect("writable");
    journal.record(&gate("c.d"));
    journal.flush().expect("writable");
    let lines = fs::read(backend.file("journal")).expect("a journal");
    let loaded = || backend.load().expect("readable").expect("there");
    let before = loaded();

    // Killed while the new snapshot was written: its draft is half there and means nothing.
    fs::write(backend.file("state.json.new"), b"{\"format\":\"stack").expect("writable");
    assert_eq!(loaded(), before);
    // Killed after the rename and before the journal was cleared: its lines are in the snapshot already.
    let after = journal.finish().expect("writable");
    fs::write(backend.file("journal"), &lines).expect("writable");
    assert_eq!(loaded(), before);
    assert_eq!(after, before);
    // The next run goes on from there, and its lines are not mistaken for the old ones.
    let mut journal = backend.journal(loaded(), &lock).expect("writable");
    journal.record(&Outcome::Forgotten(address("c.d")));
    journal.flush().expect("writable");
    assert!(loaded().is_empty());
    assert_eq!(loaded().serial(), 4);
}

#[test]
fn the_lock_of_a_holder_that_died_is_free_and_says_who_it_was() {
    let (_directory, backend) = place();
    let lock = backend.lock(&who()).expect("free");
    let Err(error) = backend.lock(&who()) else {
        panic!("given twice");
    };
    assert_eq!(
        format!("{error}; {}", error.hint().expect("a next step")),
        "ops@bastion is at work on this state: `stackctl apply`, process 4711, since 2026-11-24T02:00:00Z; \
         wait until it is done; if that process is stuck, end process 4711 on bastion"
    );
    drop(lock);
    // A process that is killed gives the lock back but not its words.
    fs::write(backend.file("lock"), who().to_bytes()).expect("writable");
    assert_eq!(backend.lock(&who()).expect("free").left_by(), Some(&who()));
    fs::write(backend.file("lock"), who().to_bytes()).expect("writable");
    assert_eq!(backend.unlock().expect("free"), Some(who()));
    assert_eq!(backend.unlock().expect("free"), None);
}

#[test]
fn every_run_on_a_state_locks_the_same_file_and_one_on_a_copy_another() {
    let (_directory, backend) = place();
    let lock = backend.lock(&who()).expect("free");
    let number = lock.number();
    let mut journal = backend.journal(created(&backend), &lock).expect("writable");
    journal.record(&gate("a.b"));
    journal.flush().expect("writable");
    let state = journal.finish().expect("writable");
    backend.install(&state, &lock).expect("writable");
    drop(lock);
    // As a process leaves it that is killed.
    fs::write(backend.file("lock"), who().to_bytes()).expect("writable");
    backend.unlock().expect("free");
    let lock = backend.lock(&who()).expect("free");
    assert_eq!(lock.number(), number);
    let elsewhere = backend.directory().join("copied");
    fs::create_dir(&elsewhere).expect("writable");
    let copied = LocalBackend::open(&elsewhere, "demo").expect("a name");
    fs::copy(backend.file("lock"), copied.file("lock")).expect("readable");
    assert_ne!(copied.lock(&who()).expect("free").number(), number);
}

#[test]
fn the_key_is_for_its_owner_only_and_stands_nowhere_else() {
    let (_directory, backend) = place();
    let key = backend.key_or_create().expect("writable");
    let mode = fs::metadata(backend.file("key")).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(names(&backend), [".gitignore", "demo.key"]);
    assert_eq!(backend.key_or_create().expect("readable"), key);
    fs::write(backend.file("key"), "short").expect("writable");
    let error = backend.key_or_create().expect_err("no key");
    assert!(
        error
            .to_string()
            .ends_with("is damaged: it does not hold 64 hexadecimal digits")
    );
}

#[test]
fn the_state_of_another_stack_is_refused() {
    let (_directory, backend) = place();
    let lock = backend.lock(&who()).expect("free");
    backend.journal(created(&backend), &lock).expect("writable");
    let other = LocalBackend::open(backend.directory(), "other").expect("a name");
    fs::copy(backend.file("state.json"), other.file("state.json")).expect("writable");
    let error = other.load().expect_err("another stack's");
    assert!(
        error
            .to_string()
            .ends_with("is the state of the stack `demo`, not of `other`"),
        "{error}"
    );
    assert!(matches!(
        LocalBackend::open(backend.directory(), "../demo"),
        Err(StateError::BadName(_))
    ));
}

#[test]
fn a_snapshot_that_is_gone_is_not_taken_for_a_new_stack() {
    let (_directory, backend) = place();
    let lock = backend.lock(&who()).expect("free");
    let mut journal = backend.journal(created(&backend), &lock).expect("writable");
    journal.record(&gate("a.b"));
    journal.flush().expect("writable");
    fs::remove_file(backend.file("state.json")).expect("there");
    assert!(matches!(backend.load(), Err(StateError::Damaged { .. })));
}

#[test]
fn a_state_that_changed_since_it_was_read_is_not_written_over() {
    let (_directory, backend) = place();
    let lock = backend.lock(&who()).expect("free");
    let stale = created(&backend);
    let mut journal = backend.journal(stale.clone(), &lock).expect("writable");
    journal.record(&gate("a.b"));
    journal.flush().expect("writable");
    journal.finish().expect("writable");
    assert!(matches!(
        backend.journal(stale, &lock),
        Err(StateError::ChangedMeanwhile { .. })
    ));
    assert!(matches!(
        backend.create("c1", "l2", "2026-11-24T02:00:00Z"),
        Err(StateError::AlreadyThere { .. })
    ));
}

#[test]
fn a_place_that_cannot_be_written_says_where_and_what_next() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join(".stackctl");
    fs::write(&file, "in the way").expect("writable");
    let backend = LocalBackend::open(&file, "demo").expect("a name");
    let Err(error) = backend.lock(&who()) else {
        panic!("locked a file");
    };
    let shown = error.to_string().replace(&file.display().to_string(), "PLACE");
    assert_eq!(shown, "could not create `PLACE`");
    assert!(error.hint().expect("a next step").contains("--state"));

    // Whoever is root may write everywhere: there a read-only directory cannot be shown.
    let closed = directory.path().join("closed");
    fs::create_dir(&closed).expect("writable");
    let is_root = fs::metadata(&closed).expect("there").uid() == 0;
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).expect("ours");
    if !is_root {
        let backend = LocalBackend::open(&closed, "demo").expect("a name");
        assert!(matches!(backend.lock(&who()), Err(StateError::Io { .. })));
    }
}

#[test]
fn the_marks_of_the_files_change_with_what_is_recorded() {
    let (_directory, backend) = place();
    assert_eq!(backend.marks(), [None, None]);
    let lock = backend.lock(&who()).expect("free");
    let mut journal = backend.journal(created(&backend), &lock).expect("writable");
    let begun = backend.marks();
    journal.record(&gate("a.b"));
    journal.flush().expect("writable");
    assert_ne!(backend.marks(), begun);
    assert_eq!(backend.marks(), backend.marks());
}
