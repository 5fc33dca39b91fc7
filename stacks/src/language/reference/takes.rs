//! What a key takes: as people read it in `docs/stack.md`, and as editors read it in the JSON Schema.

use std::fmt;

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// `true` or `false`.
    Switch,
    /// A whole number, from the first to the second.
    Number(i64, i64),
    /// One of several words.
    Word(&'static [&'static str]),
    /// Any of several words.
    Words(&'static [&'static str]),
    /// A text; which, in words.
    Text(&'static str),
    /// A list of texts; which, in words.
    Texts(&'static str),
    /// A text, or a whole number in its place; which, in words.
    Amount(&'static str),
    /// A table whose keys are people's own and whose values are texts; in words.
    Map(&'static str),
    /// The table of this path.
    Table(&'static str),
    /// Any number of tables of this path, each under its own header.
    Tables(&'static str),
    /// The same, written as a list; in words.
    Rows(&'static str, &'static str),
    /// One of several; in words.
    Either(&'static str, &'static [Self]),
}

impl Takes {
    /// The path of the table that a secret is said in.
    pub(super) const SECRET: &'static str = "a secret reference";
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("true or false"),
            Self::Number(from, to) => write!(f, "a number from {from} to {to}"),
            Self::Word(words) => write!(f, "one of {}", quoted(words)),
            Self::Words(words) => write!(f, "a list of {}", quoted(words)),
            Self::Table(Self::SECRET) => f.write_str(Self::SECRET),
            Self::Table(_) => f.write_str("a table"),
            Self::Tables(_) => f.write_str("an array of tables"),
            Self::Text(said)
            | Self::Texts(said)
            | Self::Amount(said)
            | Self::Map(said)
            | Self::Rows(said, _)
            | Self::Either(said, _) => f.write_str(said),
        }
    }
}

fn quoted(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(", ")
}
