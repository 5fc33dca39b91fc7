//! A TOML value that remembers where it was written.
//!
//! Our own model and not `toml`'s, because after merging a table holds values of several files, and `toml`'s spans
//! know only one.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::Place;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    /// `None` where the number does not fit.
    Integer(Option<i64>),
    Float(String),
    Boolean(bool),
    DateTime,
    List(Vec<Node>),
    Table(Table),
}

/// A table, by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: BTreeMap<String, Entry>,
}

/// A key's place and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Place,
    pub(crate) node: Node,
}

impl Value {
    /// Returns what kind of value it is, with its article, for people.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number with a fraction",
            Self::Boolean(_) => "a boolean",
            Self::DateTime => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// Converts what `toml` parsed. `offset` is where in its source the parsed text begins.
    pub(crate) fn from_toml(value: &Spanned<DeValue<'_>>, source: usize, offset: usize) -> Self {
        Self {
            place: shifted(value, source, offset),
            value: Value::from_toml(value.get_ref(), source, offset),
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Returns the text of its key `name`, if it is a table that has one: how elements of an array of tables are told apart.
    pub(crate) fn name(&self) -> Option<&str> {
        self.as_table()?.entries.get("name")?.node.as_text()
    }
}

impl Value {
    fn from_toml(value: &DeValue<'_>, source: usize, offset: usize) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(integer) => {
                Self::Integer(i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok())
            }
            DeValue::Float(float) => Self::Float(float.as_str().to_owned()),
            DeValue::Boolean(boolean) => Self::Boolean(*boolean),
            DeValue::Datetime(_) => Self::DateTime,
            DeValue::Array(items) => {
                Self::List(items.iter().map(|item| Node::from_toml(item, source, offset)).collect())
            }
            DeValue::Table(table) => Self::Table(Table::from_toml(table, source, offset)),
        }
    }
}

impl Table {
    pub(crate) fn from_toml(table: &DeTable<'_>, source: usize, offset: usize) -> Self {
        let entries = table
            .iter()
            .map(|(key, value)| {
                let entry = Entry {
                    key: shifted(key, source, offset),
                    node: Node::from_toml(value, source, offset),
                };
                (key.get_ref().to_string(), entry)
            })
            .collect();
        Self { entries }
    }
}

fn shifted<T>(spanned: &Spanned<T>, source: usize, offset: usize) -> Place {
    let span = spanned.span();
    Place {
        source,
        start: span.start + offset,
        end: span.end + offset,
    }
}
