//! Where a value was written: which source, and which bytes of it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One layer: a text and the name to show for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as a person would recognise it; relative paths in the text are relative to its directory.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Where something is, in a way people and editors understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The name of the source.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// Bytes of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The index of the source.
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Place {
    /// The beginning of the first source.
    pub(crate) const START: Self = Self {
        source: 0,
        start: 0,
        end: 0,
    };

    pub(crate) fn new(source: usize, span: &Range<usize>) -> Self {
        Self {
            source,
            start: span.start,
            end: span.end,
        }
    }
}

/// Every text that a value can come from: the layers, then one that holds the `--set` settings, a line each.
#[derive(Debug)]
pub(crate) struct Sources {
    sources: Vec<(String, Arc<str>)>,
}

impl Sources {
    pub(crate) fn new(layers: &[Source], sets: &[String]) -> Self {
        let mut sources: Vec<(String, Arc<str>)> = layers
            .iter()
            .map(|layer| (layer.name.clone(), Arc::from(layer.text.as_str())))
            .collect();
        sources.push(("--set".to_owned(), Arc::from(sets.join("\n"))));
        Self { sources }
    }

    /// Returns how many layers there are; the source of that index holds the settings.
    pub(crate) fn n_layers(&self) -> usize {
        self.sources.len() - 1
    }

    pub(crate) fn name(&self, source: usize) -> &str {
        self.sources.get(source).map_or("", |(name, _)| name)
    }

    pub(crate) fn text(&self, source: usize) -> &str {
        self.sources.get(source).map_or("", |(_, text)| text)
    }

    /// Returns, per source, the directory that relative paths in it start from: settings start from the working directory.
    pub(crate) fn directories(&self) -> Vec<PathBuf> {
        let directory =
            |(name, _): &(String, Arc<str>)| Path::new(name).parent().map(Path::to_path_buf).unwrap_or_default();
        self.sources[..self.n_layers()]
            .iter()
            .map(directory)
            .chain([PathBuf::new()])
            .collect()
    }

    /// Returns, per source, its name and where its lines end.
    pub(crate) fn lines(&self) -> Vec<(String, Vec<usize>)> {
        let ends = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect();
        self.sources
            .iter()
            .map(|(name, text)| (name.clone(), ends(text)))
            .collect()
    }

    pub(crate) fn position(&self, place: Place) -> Position {
        let text = self.text(place.source);
        let before = text.get(..place.start.min(text.len())).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            file: self.name(place.source).to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// Returns the texts with the bytes of `hidden` replaced by `*`, so that every other place stays where it is.
    pub(crate) fn masked(&self, hidden: &[Place]) -> Vec<Arc<str>> {
        self.sources
            .iter()
            .enumerate()
            .map(|(index, (_, text))| {
                let places: Vec<&Place> = hidden.iter().filter(|place| place.source == index).collect();
                if places.is_empty() {
                    return Arc::clone(text);
                }
                let mut masked = String::with_capacity(text.len());
                for (at, character) in text.char_indices() {
                    let is_hidden = places.iter().any(|place| (place.start..place.end).contains(&at));
                    if is_hidden && character != '\n' {
                        masked.extend(std::iter::repeat_n('*', character.len_utf8()));
                    } else {
                        masked.push(character);
                    }
                }
                Arc::from(masked)
            })
            .collect()
    }
}
