//! What a table says of how its objects live and die.

use stackctl_engine::plan::Pattern;

/// What one table says of all its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Fate {
    /// No plan may delete them.
    pub prevent_destroy: bool,
    /// They become the stack's where they are there already.
    pub adopt: bool,
    /// Those that were there before us are deleted like those that we made.
    pub delete_adopted: bool,
}

/// A table, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFate {
    /// Its objects.
    pub of: Pattern,
    /// What it says of them.
    pub fate: Fate,
}
