//! `--set path=value`: one value on top of the layers.
//!
//! A path is keys joined by dots; a key of an array of tables is followed by `[name]`.
//!
//! Invariant: a setting changes what is there. A name that no table has is an error, since most are misspelt.

use toml::de::DeValue;

use super::place::Place;
use super::problem::{Problem, Problems};
use super::suggest;
use super::value::{Entry, Node, Table, Value};

/// Each setting, and where it begins in the settings joined by line breaks.
pub(crate) fn placed(settings: &[String]) -> impl Iterator<Item = (usize, &str)> {
    settings.iter().scan(0, |offset, setting| {
        let begins = *offset;
        *offset += setting.len() + 1;
        Some((begins, setting.as_str()))
    })
}

/// Reads a setting as a tree to lay over `below`: the layers, and the settings before it. Without that, nothing is known of
/// what is there.
pub(crate) fn node(
    setting: &str,
    source: usize,
    offset: usize,
    below: Option<&Node>,
    problems: &mut Problems,
) -> Option<Node> {
    let place = |start: usize, end: usize| Place {
        source,
        start: offset + start,
        end: offset + end,
    };
    let Some((path, value)) = setting.split_once('=') else {
        problems.push(place(0, setting.len()), Problem::Setting { fault: "it has no `=`" });
        return None;
    };
    let value_start = path.len() + 1;
    let mut node = value_node(value, source, offset + value_start);
    let Some(segments) = segments(path) else {
        problems.push(
            place(0, path.len()),
            Problem::Setting {
                fault: "its path is not keys joined by dots, with `[name]` after arrays of tables",
            },
        );
        return None;
    };
    if let Some((segment, names)) = below.and_then(|below| unknown(&segments, below)) {
        let (list, name) = (segment.key.to_owned(), segment.name.unwrap_or_default().to_owned());
        let hint = if names.is_empty() {
            format!("add a `[[{list}]]` table to the stack file")
        } else {
            suggest::hint(&name, "there are", &names)
        };
        problems.push(
            place(segment.start, segment.end),
            Problem::SettingOfNone { list, name, hint },
        );
        return None;
    }
    for segment in segments.iter().rev() {
        let at = place(segment.start, segment.end);
        if let Some(name) = segment.name {
            let mut table = node;
            let text = Node {
                place: at,
                value: Value::Text(name.to_owned()),
            };
            // What is not a table stays as it is, so that the reader says which type is expected.
            if let Value::Table(inner) = &mut table.value {
                inner
                    .entries
                    .entry("name".to_owned())
                    .or_insert(Entry { key: at, node: text });
            }
            node = Node {
                place: at,
                value: Value::List(vec![table]),
            };
        }
        let mut table = Table::default();
        table.entries.insert(segment.key.to_owned(), Entry { key: at, node });
        node = Node {
            place: at,
            value: Value::Table(table),
        };
    }
    Some(node)
}

/// The first segment that names a table which is not there, and the names that are.
fn unknown<'a, 's>(segments: &'a [Segment<'s>], below: &'a Node) -> Option<(&'a Segment<'s>, Vec<&'a str>)> {
    let mut at = Some(below);
    for segment in segments {
        at = at
            .and_then(Node::as_table)
            .and_then(|table| table.entries.get(segment.key))
            .map(|entry| &entry.node);
        let Some(name) = segment.name else { continue };
        let tables = match at.map(|node| &node.value) {
            Some(Value::List(tables)) => tables.as_slice(),
            None => &[],
            // The reader says which type is expected.
            Some(_) => return None,
        };
        at = tables.iter().find(|table| table.name() == Some(name));
        if at.is_none() {
            return Some((segment, tables.iter().filter_map(Node::name).collect()));
        }
    }
    None
}

fn value_node(text: &str, source: usize, offset: usize) -> Node {
    match DeValue::parse(text) {
        Ok(value) => Node::from_toml(&value, source, offset),
        Err(_) => Node {
            place: Place {
                source,
                start: offset,
                end: offset + text.len(),
            },
            value: Value::Text(text.to_owned()),
        },
    }
}

struct Segment<'a> {
    key: &'a str,
    name: Option<&'a str>,
    start: usize,
    end: usize,
}

fn segments(path: &str) -> Option<Vec<Segment<'_>>> {
    let mut segments = Vec::new();
    let mut rest = path;
    loop {
        let start = path.len() - rest.len();
        let key_length = rest.find(['.', '[']).unwrap_or(rest.len());
        let key = &rest[..key_length];
        if key.is_empty()
            || !key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        {
            return None;
        }
        rest = &rest[key_length..];
        let name = if let Some(inside) = rest.strip_prefix('[') {
            let (name, after) = inside.split_once(']')?;
            rest = after;
            Some(name.trim_matches('"'))
        } else {
            None
        };
        segments.push(Segment {
            key,
            name,
            start,
            end: path.len() - rest.len(),
        });
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => return Some(segments),
            None => return None,
        }
    }
}
