//! Where each field of a document stands.
//!
//! Read only once something is to be said of a document, by the events of the same parser that reads it.
//!
//! Invariants:
//! - A field that is not there is at the last line on the way to it that is.
//! - A key that stands twice is seen twice: nothing is merged, and no alias is followed.

use serde_saphyr::granit_parser::{Event, Parser, Span};
use std::borrow::Cow;

/// Nothing deeper is looked at; the reader itself refuses what is deeper than a few thousand.
const DEEPEST: usize = 200;

/// The fields of one document and their lines, from 0.
#[derive(Debug, Default)]
pub(super) struct Marks(Option<Mark>);

#[derive(Debug)]
struct Mark {
    line: usize,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A scalar as it is written, but for quotes; or an alias.
    Scalar(String),
    /// Keys in their order, each with its line.
    Map(Vec<(String, usize, Mark)>),
    List(Vec<Mark>),
}

/// A key that stands more than once in one map.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Again {
    /// The path to it.
    pub(super) path: String,
    /// Its line, and that of the first.
    pub(super) line: usize,
    pub(super) first: usize,
}

impl Marks {
    /// Reads the marks of a text; there are none where it cannot be read to its end.
    pub(super) fn of(text: &str) -> Self {
        let is_of_nodes = |event: &Event<'_>| {
            matches!(
                event,
                Event::Scalar(..)
                    | Event::Alias(_)
                    | Event::SequenceStart(..)
                    | Event::SequenceEnd
                    | Event::MappingStart(..)
                    | Event::MappingEnd
            )
        };
        // Comments and the ends of documents say nothing here.
        let mut events = Parser::new_from_str(text).filter_map(|event| match event {
            Ok((event, span)) => is_of_nodes(&event).then_some(Some((event, span))),
            Err(_) => Some(None),
        });
        let first = events.next().flatten();
        Self(first.and_then(|first| mark(first, &mut || events.next().flatten(), 0)))
    }

    /// The line of a field: `spec.rules[1].name`; keys may hold dots, and may stand in brackets too.
    pub(super) fn line(&self, path: &str) -> usize {
        let Some(root) = &self.0 else { return 0 };
        let (mut mark, mut line, mut rest) = (root, root.line, path);
        while let Some((next, at, left)) = mark.step(rest) {
            (mark, line, rest) = (next, at, left);
        }
        line
    }

    /// A scalar as it is written.
    pub(super) fn written(&self, path: &str) -> Option<&str> {
        let (mut mark, mut rest) = (self.0.as_ref()?, path);
        while let Some((next, _, left)) = mark.step(rest) {
            (mark, rest) = (next, left);
        }
        match &mark.what {
            What::Scalar(text) if rest.is_empty() => Some(text),
            What::Scalar(_) | What::Map(_) | What::List(_) => None,
        }
    }

    /// Every key that stands more than once in its map, in the order of lines.
    pub(super) fn again(&self) -> Vec<Again> {
        let mut found = Vec::new();
        if let Some(root) = &self.0 {
            root.again("", &mut found);
        }
        found.sort_by_key(|again| again.line);
        found
    }
}

impl Mark {
    /// One step of a path: what is there, its line, and what is left of the path.
    fn step<'a, 'p>(&'a self, path: &'p str) -> Option<(&'a Self, usize, &'p str)> {
        if path.is_empty() {
            return None;
        }
        let bracket = |path: &'p str| path.strip_prefix('[')?.split_once(']');
        match &self.what {
            What::Scalar(_) => None,
            What::List(items) => {
                let (index, left) = bracket(path)?;
                let item = items.get(index.parse::<usize>().ok()?)?;
                Some((item, item.line, left))
            }
            What::Map(entries) => {
                if let Some((key, left)) = bracket(path) {
                    let (_, line, mark) = entries.iter().find(|(name, ..)| name == key)?;
                    return Some((mark, *line, left));
                }
                let path = path.strip_prefix('.').unwrap_or(path);
                let fits = entries.iter().filter_map(|(name, line, mark)| {
                    let left = path.strip_prefix(name.as_str())?;
                    let is_whole = left.is_empty() || left.starts_with(['.', '[']);
                    is_whole.then_some((mark, *line, left))
                });
                fits.min_by_key(|(.., left)| left.len())
            }
        }
    }

    fn again(&self, path: &str, found: &mut Vec<Again>) {
        match &self.what {
            What::Scalar(_) => {}
            What::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.again(&format!("{path}[{index}]"), found);
                }
            }
            What::Map(entries) => {
                for (index, (name, line, mark)) in entries.iter().enumerate() {
                    let path = match path {
                        "" => name.clone(),
                        path => format!("{path}.{name}"),
                    };
                    if let Some((_, first, _)) = entries[..index].iter().find(|(before, ..)| before == name) {
                        let (line, first) = (*line, *first);
                        let path = path.clone();
                        found.push(Again { path, line, first });
                    }
                    mark.again(&path, found);
                }
            }
        }
    }
}

/// What an event begins.
fn mark<'t>(
    (event, span): (Event<'t>, Span),
    next: &mut dyn FnMut() -> Option<(Event<'t>, Span)>,
    depth: usize,
) -> Option<Mark> {
    if depth > DEEPEST {
        return None;
    }
    let what = match event {
        Event::Scalar(text, ..) => What::Scalar(Cow::into_owned(text)),
        Event::Alias(_) => What::Scalar(String::new()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next()? {
                    (Event::SequenceEnd, _) => break What::List(items),
                    begun => items.push(mark(begun, next, depth + 1)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            loop {
                let key = match next()? {
                    (Event::MappingEnd, _) => break What::Map(entries),
                    begun => mark(begun, next, depth + 1)?,
                };
                let begun = next()?;
                let value = mark(begun, next, depth + 1)?;
                let name = match key.what {
                    What::Scalar(name) => name,
                    What::Map(_) | What::List(_) => String::new(),
                };
                entries.push((name, key.line, value));
            }
        }
        _ => return None,
    };
    let line = span.start.line().saturating_sub(1);
    Some(Mark { line, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "apiVersion: v1 # a comment
metadata:
  labels:
    a.b/c: x
    a: &one {z: 1}
spec:
- name: first
  rules: [1,
    2]
- {name: yes, more: *one}
";

    #[test]
    fn a_field_is_at_the_line_of_its_key_and_one_that_is_not_there_at_the_last_on_the_way() {
        let marks = Marks::of(TEXT);
        for (path, line) in [
            ("metadata", 1),
            ("metadata.labels.a.b/c", 3),
            ("metadata.labels[a.b/c]", 3),
            ("metadata.labels.a.z", 4),
            ("spec", 5),
            ("spec[0].name", 6),
            ("spec[0].rules[1]", 8),
            ("spec[1].more.z", 9),
            ("spec[0].missing.field", 6),
            ("spec[7]", 5),
            ("data", 0),
            ("", 0),
        ] {
            assert_eq!(marks.line(path), line, "{path}");
        }
        assert_eq!(marks.written("spec[1].name"), Some("yes"));
        assert_eq!(marks.written("spec[1]"), None);
        assert_eq!(marks.written("spec[1].name.x"), None);
    }

    #[test]
    fn every_key_that_stands_twice_is_found_with_both_lines() {
        let text = "a: 1\nb:\n- {c: 1, d: 2,\n   c: 3}\na: 2\n";
        let again = |path: &str, line, first| Again {
            path: path.to_owned(),
            line,
            first,
        };
        assert_eq!(Marks::of(text).again(), [again("b[0].c", 3, 2), again("a", 4, 0)]);
    }

    #[test]
    fn a_text_that_is_no_yaml_has_no_marks() {
        assert_eq!(Marks::of("a: [").line("a"), 0);
        assert_eq!(Marks::of("").line("a"), 0);
    }
}
