//! What every place of storage has to do, as a test that each implementation runs.

use super::Backend;
use crate::{StateError, lock::LockInfo};

/// Runs the contract on one empty place; `open` gives a new handle on that same place each time.
///
/// # Panics
/// When the place does not keep the contract.
pub fn holds<B: Backend>(open: impl Fn() -> B) {
    reading_makes_nothing(&open());
    one_holds_the_lock(&open(), &open());
    what_is_written_is_read(&open(), &open());
    the_key_is_drawn_once(&open(), &open());
}

fn who(pid: u32) -> LockInfo {
    LockInfo {
        who: "ops@bastion".to_owned(),
        pid,
        command: "stackctl apply".to_owned(),
        since: "2026-11-24T02:00:00Z".to_owned(),
    }
}

fn reading_makes_nothing<B: Backend>(place: &B) {
    for _ in 0..2 {
        let stored = place.read().expect("an empty place can be read");
        assert_eq!((stored.snapshot, stored.journal), (None, Vec::new()));
        assert!(place.key().expect("an empty place can be read").is_none());
        assert_eq!(place.unlock().expect("nobody holds the lock"), None);
    }
}

fn one_holds_the_lock<B: Backend>(first: &B, second: &B) {
    let lock = first.lock(&who(1)).expect("free");
    for refused in [
        second.lock(&who(2)).err(),
        second.unlock().err(),
        first.lock(&who(3)).err(),
    ] {
        let Some(StateError::Held { holder, .. }) = refused else {
            panic!("a held lock was given again: {refused:?}");
        };
        assert_eq!(holder.as_deref(), Some(&who(1)));
    }
    drop(lock);
    drop(second.lock(&who(2)).expect("given back"));
    assert_eq!(
        first.unlock().expect("given back"),
        None,
        "who gave it back left nothing"
    );
}

fn what_is_written_is_read<B: Backend>(writer: &B, reader: &B) {
    let lock = writer.lock(&who(1)).expect("free");
    let read = || {
        let stored = reader.read().expect("readable");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what was written is text");
        (stored.snapshot.map(text), text(stored.journal))
    };
    writer.swap(&lock, b"one").expect("writable");
    assert_eq!(read(), (Some("one".to_owned()), String::new()));
    writer.append(&lock, b"a\n").expect("writable");
    writer.append(&lock, b"b\n").expect("writable");
    assert_eq!(read(), (Some("one".to_owned()), "a\nb\n".to_owned()));
    writer.swap(&lock, b"2").expect("writable");
    assert_eq!(read(), (Some("2".to_owned()), String::new()));
    writer.append(&lock, b"c\n").expect("writable");
    assert_eq!(read(), (Some("2".to_owned()), "c\n".to_owned()));
}

fn the_key_is_drawn_once<B: Backend>(first: &B, second: &B) {
    let key = first.key_or_create().expect("writable");
    assert_eq!(second.key_or_create().expect("readable"), key);
    assert_eq!(second.key().expect("readable"), Some(key));
}
