//! Every table and key of the stack language, in the order people write them.

mod additions;
mod platform;
mod serving;

use super::{Key, Table, Takes};

pub(super) const fn key(name: &'static str, takes: Takes, default: &'static str, text: &'static str) -> Key {
    Key {
        name,
        takes,
        default,
        text,
    }
}

pub(super) const fn switch(name: &'static str, default: &'static str, text: &'static str) -> Key {
    key(name, Takes::Switch, default, text)
}

pub(super) const TIMEOUT: Key = key(
    "ready_timeout",
    Takes::Text("a time: \"20m\""),
    "the reference's time",
    "How long it may take to be ready.",
);

pub(super) const KEEP: Key = switch(
    "prevent_destroy",
    "false",
    "Every plan that would delete an object of it is refused, also that of a destroy.",
);

pub(super) const ADOPT: Key = switch(
    "adopt",
    "false",
    "An object of it that is there already, and is no other stack's, becomes the stack's: without this it takes `--adopt`. What was there before us is released by a destroy, not deleted.",
);

pub(super) const DELETE_ADOPTED: Key = switch(
    "delete_adopted",
    "false",
    "What was there before us and was adopted is deleted by a destroy, and when it leaves the stack, like what we made; if it holds data, with `--yes-delete` alone. What a controller makes beside us is released all the same.",
);

pub(super) const SECRET: Takes = Takes::Table(Takes::SECRET);

pub(super) const ALLOW: Key = key(
    "allow",
    Takes::Rows("a list of tables", "allow"),
    "nothing",
    "Warnings and lints that are meant so, each with a reason.",
);

/// Every table, in the order people write them.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    platform::TABLES.iter().chain(serving::TABLES).chain(additions::TABLES)
}
