//! Layers: several files as one tree, each value still knowing its file.
//!
//! Tables merge deeply. Arrays of tables merge by `name`: an element with a name that is already there changes that
//! element, a new name is appended. All else replaces. A secret reference replaces as a whole, since half of one and
//! half of another is neither.

use toml::de::DeTable;

use super::place::{Place, Sources};
use super::problem::{Problem, Problems};
use super::set;
use super::value::{Node, Table, Value};

/// Parses every layer, merges them and then the settings. `None` if nothing at all is written.
///
/// After a syntax error the tree is incomplete; the caller looks at `problems` first.
pub(crate) fn load(sources: &Sources, settings: &[String], problems: &mut Problems) -> Option<Node> {
    let n_layers = sources.n_layers();
    let mut root = Node {
        place: Place::START,
        value: Value::Table(Table::default()),
    };
    for source in 0..n_layers {
        let text = sources.text(source);
        let (table, errors) = DeTable::parse_recoverable(text);
        report_syntax(source, text, &errors, problems);
        let layer = Table::from_toml(table.get_ref(), source, 0);
        merge(
            &mut root,
            Node {
                place: Place::new(source, &(0..0)),
                value: Value::Table(layer),
            },
        );
    }
    for node in set::nodes(settings, n_layers, problems) {
        merge(&mut root, node);
    }
    let is_empty = root.as_table().is_none_or(|table| table.entries.is_empty());
    (!is_empty).then_some(root)
}

/// Reports the first syntax error of each line: those after it on the same line follow from it.
fn report_syntax(source: usize, text: &str, errors: &[toml::de::Error], problems: &mut Problems) {
    let mut last_line = None;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = text.get(..span.start).map_or(0, |before| before.matches('\n').count());
        if last_line != Some(line) {
            problems.push(
                Place::new(source, &span),
                Problem::Syntax {
                    message: error.message().to_owned(),
                },
            );
        }
        last_line = Some(line);
    }
}

/// Lays `upper` over `lower`.
pub(crate) fn merge(lower: &mut Node, upper: Node) {
    match (&mut lower.value, upper.value) {
        (Value::Table(below), Value::Table(above)) if !(is_secret_reference(below) && is_secret_reference(&above)) => {
            for (key, entry) in above.entries {
                match below.entries.get_mut(&key) {
                    Some(existing) => {
                        existing.key = entry.key;
                        merge(&mut existing.node, entry.node);
                    }
                    None => {
                        below.entries.insert(key, entry);
                    }
                }
            }
        }
        (Value::List(below), Value::List(above)) if is_named(below) && is_named(&above) => {
            // Elements of one layer are never merged with each other: two of one name are an error, not a merge.
            let n_below = below.len();
            for node in above {
                let same = below[..n_below]
                    .iter()
                    .position(|candidate| candidate.name() == node.name());
                match same {
                    Some(index) => merge(&mut below[index], node),
                    None => below.push(node),
                }
            }
        }
        (_, value) => {
            *lower = Node {
                place: upper.place,
                value,
            }
        }
    }
}

fn is_named(list: &[Node]) -> bool {
    !list.is_empty() && list.iter().all(|node| node.name().is_some())
}

fn is_secret_reference(table: &Table) -> bool {
    const KEYS: &[&str] = &["env", "file", "command", "secret", "key", "generate"];
    !table.entries.is_empty() && table.entries.keys().all(|key| KEYS.contains(&key.as_str()))
}
