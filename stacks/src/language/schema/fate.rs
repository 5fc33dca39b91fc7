//! The keys that say how the objects of a table live and die.

use super::super::{
    problem::Problems,
    read::{self, Reader},
};
use crate::stack::Fate;

/// Reads the keys of one table.
pub(super) fn read(reader: &mut Reader<'_>, problems: &mut Problems) -> Fate {
    Fate {
        prevent_destroy: reader.or("prevent_destroy", false, problems, read::boolean),
        adopt: reader.or("adopt", false, problems, read::boolean),
        delete_adopted: reader.or("delete_adopted", false, problems, read::boolean),
    }
}
