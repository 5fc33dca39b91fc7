//! `[[moved]]` and `[[removed]]`: what became of addresses that the stack has no more.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use stackctl_engine::moves::Prefix;

/// One table, right by itself.
#[derive(Debug)]
pub(crate) struct RawMove {
    pub(crate) from: At<Prefix>,
    pub(crate) to: At<Prefix>,
}

/// One table, right by itself.
#[derive(Debug)]
pub(crate) struct RawRemoval {
    pub(crate) address: At<Prefix>,
}

pub(super) fn moved(field: Field<'_>, problems: &mut Problems) -> Option<RawMove> {
    let mut reader = Reader::new(field, "`[[moved]]`", problems)?;
    let from = reader.required(
        "from",
        "write `from = \"…\"`: the address that was, or how several began",
        problems,
        prefix,
    );
    let to = reader.required(
        "to",
        "write `to = \"…\"`: the address that it has now, or how they begin now",
        problems,
        prefix,
    );
    reader.finish(problems);
    Some(RawMove { from: from?, to: to? })
}

pub(super) fn removed(field: Field<'_>, problems: &mut Problems) -> Option<RawRemoval> {
    let mut reader = Reader::new(field, "`[[removed]]`", problems)?;
    let address = reader.required(
        "address",
        "write `address = \"…\"`: the address that was, or how several began",
        problems,
        prefix,
    );
    reader.finish(problems);
    Some(RawRemoval { address: address? })
}

fn prefix(field: Field<'_>, problems: &mut Problems) -> Option<Prefix> {
    let text = read::line(field, problems)?;
    match text.parse() {
        Ok(prefix) => Some(prefix),
        Err(error) => {
            let why = format!("{error}");
            problems.push(field.node.place, Problem::BadAddress { text, why });
            None
        }
    }
}
