//! Snapshot and journal to a state.
//!
//! Invariants: see [`super`]. Nothing here writes, so a plan reads what a run in progress has stored so far.

use crate::{
    Backend,
    backend::Stored,
    error::StateError,
    format::{self, BadLine, Line},
    recorded::{DroppedLine, State},
};
use std::path::Path;

/// Reads a state from where it is kept; nothing if there is none.
pub(crate) fn load<B: Backend>(backend: &B) -> Result<Option<State>, StateError> {
    let Stored { snapshot, journal } = backend.read()?;
    let place = backend.place();
    let Some(snapshot) = snapshot else {
        return if journal.is_empty() {
            Ok(None)
        } else {
            Err(StateError::Damaged {
                path: place.snapshot,
                reason: format!("it is missing, but its journal `{}` is there", place.journal.display()),
            })
        };
    };
    let mut state = format::decode_state(&snapshot, &place.snapshot)?;
    if state.stack() != place.stack {
        return Err(StateError::OtherStack {
            path: place.snapshot,
            found: state.stack().to_owned(),
            wanted: place.stack,
        });
    }
    replay(&mut state, &journal, &place.journal)?;
    Ok(Some(state))
}

/// Takes the lines of a journal into the state that they were written after.
fn replay(state: &mut State, journal: &[u8], path: &Path) -> Result<(), StateError> {
    let damaged = |number: usize, reason: String| StateError::Damaged {
        path: path.to_owned(),
        reason: format!("line {number} {reason}"),
    };
    let mut lines = journal.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((index, bytes)) = lines.next() {
        let number = index + 1;
        let is_last = lines.peek().is_none();
        let decoded = bytes
            .strip_suffix(b"\n")
            .map_or(Err(BadLine::Broken), format::decode_line);
        let Line { serial, lineage, entry } = match decoded {
            Ok(line) => line,
            Err(BadLine::Broken) if is_last => {
                state.set_dropped(DroppedLine {
                    path: path.to_owned(),
                    bytes: bytes.len(),
                });
                return Ok(());
            }
            Err(BadLine::Broken) => return Err(damaged(number, "is not what was written".to_owned())),
            Err(BadLine::Unreadable(reason)) => {
                return Err(damaged(number, format!("says what nobody writes: {}", reason.0)));
            }
            Err(BadLine::Newer(version)) => {
                return Err(StateError::Newer {
                    path: path.to_owned(),
                    version,
                    newest: format::NEWEST_LINE,
                    written_by: None,
                });
            }
        };
        if lineage != state.lineage() {
            return Err(damaged(number, format!("belongs to the lineage {lineage}")));
        }
        if serial <= state.serial() {
            continue;
        }
        if serial != state.serial() + 1 {
            let reason = format!(
                "goes on at serial {serial}, but what is before it ends at {}",
                state.serial()
            );
            return Err(damaged(number, reason));
        }
        state.take(entry);
    }
    Ok(())
}
