//! `[stack]`: the stack itself.

use super::super::allow;
use super::super::problem::Problems;
use super::super::read::{Field, Reader};
use super::super::typed;
use crate::stack::{Allowance, StackName};

/// One table, right by itself.
#[derive(Debug)]
pub(crate) struct RawStack {
    pub(crate) name: StackName,
    /// What of manifests is meant so.
    pub(crate) allow: Vec<Allowance>,
}

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<RawStack> {
    let mut reader = Reader::new(field, "`[stack]`", problems)?;
    let name = reader.required(
        "name",
        "write `name = \"…\"`: it marks every object of the stack, so choose it once",
        problems,
        typed::name(StackName::NOUN),
    );
    let allow = reader.or("allow", Vec::new(), problems, allow::of_stack);
    reader.finish(problems);
    Some(RawStack {
        name: name?.value,
        allow,
    })
}
