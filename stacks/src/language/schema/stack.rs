//! `[stack]`: the stack itself.

use super::super::allow;
use super::super::problem::Problems;
use super::super::read::{Field, Reader};
use super::super::typed;
use crate::stack::StackName;

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<StackName> {
    let mut reader = Reader::new(field, "`[stack]`", problems)?;
    let name = reader.required(
        "name",
        "write `name = \"…\"`: it marks every object of the stack, so choose it once",
        problems,
        typed::name(StackName::NOUN),
    );
    reader.optional("allow", problems, allow::of_stack);
    reader.finish(problems);
    Some(name?.value)
}
