//! Formats on disk: which version bytes are of, and the reader for it.
//!
//! Invariants:
//! - Every file says what it is and in which version before anything else is read of it.
//! - A version that is newer than this program is refused with the version it has, never guessed at.
//! - A line of the journal carries a checksum of its bytes, so that a line which was cut short is known as such.

mod v1;

use crate::{error::StateError, journal::Entry, recorded::State};
use serde::{
    Deserialize, Deserializer as _,
    de::{IgnoredAny, MapAccess, Visitor},
};
use stackctl_engine::digest::Digest;
use std::{fmt, path::Path};

pub(crate) use v1::Unreadable;

/// What a state file says it is.
const STATE: &str = "stackctl-state";
/// The newest version of a whole state that this program reads, and the one it writes.
pub(crate) const NEWEST: u64 = v1::VERSION;
/// The newest version of a line of the journal that this program reads.
pub(crate) const NEWEST_LINE: u64 = v1::GROUP_VERSION;

/// A line of the journal: `{"sum":"<12 digits>","line":<body>}`.
const LINE_HEAD: &str = r#"{"sum":""#;
const LINE_MIDDLE: &str = r#"","line":"#;
const SUM_DIGITS: usize = 12;

/// What every file says of itself, whatever else is in it.
#[derive(Default)]
struct Head {
    format: Option<String>,
    version: Option<u64>,
    written_by: Option<String>,
}

impl Head {
    /// Reads a file until it has said all of this, which is at once in what we wrote: a state of thousands of objects is
    /// not read twice.
    fn of(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let mut head = Self::default();
        let read = serde_json::Deserializer::from_slice(bytes).deserialize_map(&mut head);
        if !head.is_whole() {
            read?;
        }
        Ok(head)
    }

    fn is_whole(&self) -> bool {
        self.format.is_some() && self.version.is_some() && self.written_by.is_some()
    }
}

impl<'de> Visitor<'de> for &mut Head {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut fields: M) -> Result<(), M::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "format" => self.format = Some(fields.next_value()?),
                "version" => self.version = Some(fields.next_value()?),
                "written_by" => self.written_by = fields.next_value()?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
            if self.is_whole() {
                break;
            }
        }
        Ok(())
    }
}

/// What a line says of itself, whatever else is in it.
#[derive(Deserialize)]
struct LineHead {
    version: u64,
}

/// What a file says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Probed {
    /// It is of a version that this program reads.
    Readable,
    /// It is of a newer version.
    Newer {
        /// That version.
        version: u64,
        /// The version of the program that wrote it, if it says.
        written_by: Option<String>,
    },
}

/// A line of the journal that cannot be used.
#[derive(Debug)]
pub(crate) enum BadLine {
    /// It was cut short, or its bytes changed.
    Broken,
    /// It was written by a newer version.
    Newer(u64),
    /// It is whole but says what no writer of this version says.
    Unreadable(Unreadable),
}

/// A line of the journal.
#[derive(Debug, PartialEq)]
pub(crate) struct Line {
    /// The serial of the state after it.
    pub(crate) serial: u64,
    /// The lineage of the state it belongs to.
    pub(crate) lineage: String,
    /// What it says.
    pub(crate) entry: Entry,
}

/// Asks bytes what they are: a file of `format`, in a version up to `newest` or in a newer one.
pub(crate) fn probe(bytes: &[u8], format: &str, newest: u64) -> Result<Probed, Unreadable> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Unreadable("it is not a JSON object".to_owned()));
    }
    let Head {
        format: said,
        version,
        written_by,
    } = Head::of(bytes)?;
    if said.as_deref() != Some(format) {
        return Err(Unreadable(format!("it does not say `\"format\": \"{format}\"`")));
    }
    match version {
        None => Err(Unreadable("it does not say its version".to_owned())),
        Some(0) => Err(Unreadable("there is no version 0".to_owned())),
        Some(version) if version > newest => Ok(Probed::Newer { version, written_by }),
        Some(_) => Ok(Probed::Readable),
    }
}

/// The text of a whole state, in the newest version.
pub(crate) fn encode_state(state: &State) -> Vec<u8> {
    v1::state_to_bytes(state)
}

/// Reads a whole state of any version up to the newest.
pub(crate) fn decode_state(bytes: &[u8], path: &Path) -> Result<State, StateError> {
    let damaged = |reason: Unreadable| StateError::Damaged {
        path: path.to_owned(),
        reason: reason.0,
    };
    match probe(bytes, STATE, NEWEST).map_err(damaged)? {
        Probed::Readable => v1::state_from_bytes(bytes).map_err(damaged),
        Probed::Newer { version, written_by } => Err(StateError::Newer {
            path: path.to_owned(),
            version,
            newest: NEWEST,
            written_by,
        }),
    }
}

/// One line of the journal with its checksum and its end.
pub(crate) fn encode_line(serial: u64, lineage: &str, entry: &Entry) -> Vec<u8> {
    let body = v1::line_to_text(serial, lineage, entry);
    let sum = Digest::of_bytes(body.as_bytes()).short();
    format!("{LINE_HEAD}{sum}{LINE_MIDDLE}{body}}}\n").into_bytes()
}

/// Reads one line of the journal, without its end.
pub(crate) fn decode_line(line: &[u8]) -> Result<Line, BadLine> {
    let body = checked_body(line).ok_or(BadLine::Broken)?;
    let head: LineHead = serde_json::from_slice(body).map_err(|error| BadLine::Unreadable(error.into()))?;
    if head.version > NEWEST_LINE {
        return Err(BadLine::Newer(head.version));
    }
    let (serial, lineage, entry) = v1::line_from_text(body).map_err(BadLine::Unreadable)?;
    Ok(Line { serial, lineage, entry })
}

/// The body of a line whose checksum is right.
fn checked_body(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(LINE_HEAD.as_bytes())?;
    let (sum, rest) = rest.split_at_checked(SUM_DIGITS)?;
    let body = rest.strip_prefix(LINE_MIDDLE.as_bytes())?.strip_suffix(b"}")?;
    (Digest::of_bytes(body).short().as_bytes() == sum).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &str) -> String {
        match decode_state(bytes.as_bytes(), Path::new("a.state.json")) {
            Ok(_) => "read".to_owned(),
            Err(error) => format!("{error}; {}", error.hint().unwrap_or_default()),
        }
    }

    #[test]
    fn a_newer_version_is_refused_by_its_number() {
        assert_eq!(
            said(r#"{"format": "stackctl-state", "version": 3, "written_by": "0.9.0", "anything": {"else": 1}}"#),
            "`a.state.json` was written by a newer stackctl: format 3, this one reads up to 1; \
             use stackctl 0.9.0 or a later one"
        );
    }

    #[test]
    fn what_a_file_says_of_itself_may_stand_anywhere_in_it() {
        let bytes = br#"{"cluster_id": {"a": [1]}, "format": "f", "recorded": [], "version": 9, "written_by": "w"}"#;
        let newer = Probed::Newer {
            version: 9,
            written_by: Some("w".to_owned()),
        };
        assert_eq!(probe(bytes, "f", 8).expect("it says so"), newer);
        assert_eq!(probe(bytes, "f", 9).expect("it says so"), Probed::Readable);
    }

    #[test]
    fn what_is_no_state_says_which_file_and_a_way_out() {
        let way_out = "put back a copy of it; without one, move it away, and the next plan finds what carries the \
                       marks of this stack";
        assert_eq!(
            said("{\"format\": \"stackctl-st"),
            format!("`a.state.json` is damaged: EOF while parsing a string at line 1 column 23; {way_out}")
        );
        assert_eq!(
            said(r#"{"format": "stackctl-state", "written_by": "0.9.0"}"#),
            format!("`a.state.json` is damaged: it does not say its version; {way_out}")
        );
        assert_eq!(
            said("[]"),
            format!("`a.state.json` is damaged: it is not a JSON object; {way_out}")
        );
        assert_eq!(
            said(r#"{"version": 4, "serial": 3, "terraform_version": "1.9.0"}"#),
            format!("`a.state.json` is damaged: it does not say `\"format\": \"stackctl-state\"`; {way_out}")
        );
    }

    #[test]
    fn a_line_that_lost_or_changed_a_byte_is_broken() {
        let entry = Entry::Settled("a.b".parse().expect("an address"));
        let line = encode_line(7, "l", &entry);
        let line = line.strip_suffix(b"\n").expect("a line ends");
        let read = decode_line(line).expect("whole");
        assert_eq!((read.serial, read.lineage.as_str(), read.entry), (7, "l", entry));
        for length in 0..line.len() {
            assert!(matches!(decode_line(&line[..length]), Err(BadLine::Broken)), "{length}");
            let mut changed = line.to_vec();
            changed[length] ^= 1;
            assert!(decode_line(&changed).is_err(), "{length}");
        }
        assert!(serde_json::from_slice::<serde_json::Value>(line).is_ok());
    }
}
