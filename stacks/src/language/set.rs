//! `--set path=value`: one value on top of the layers.
//!
//! A path is keys joined by dots; a key of an array of tables is followed by `[name]`.

use toml::de::DeValue;

use super::place::Place;
use super::problem::{Problem, Problems};
use super::value::{Entry, Node, Table, Value};

/// Reads settings as trees to lay over the layers; their places are those in the settings joined by line breaks.
pub(crate) fn nodes(settings: &[String], source: usize, problems: &mut Problems) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut offset = 0;
    for setting in settings {
        nodes.extend(node(setting, source, offset, problems));
        offset += setting.len() + 1;
    }
    nodes
}

fn node(setting: &str, source: usize, offset: usize, problems: &mut Problems) -> Option<Node> {
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
