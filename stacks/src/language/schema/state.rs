//! `[state]`: where what was applied is recorded.

use super::super::problem::Problems;
use super::super::read::{self, Field, Reader};
use crate::stack::StateConfig;

const BACKENDS: &[(&str, StateConfig)] = &[("local", StateConfig::Local)];

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<StateConfig> {
    let mut reader = Reader::new(field, "`[state]`", problems)?;
    let backend = reader.or("backend", StateConfig::Local, problems, read::word(BACKENDS));
    reader.finish(problems);
    Some(backend)
}
