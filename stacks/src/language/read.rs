//! Reading one table: the keys it may have, each by a function that knows what its value must be.
//!
//! A reader remembers every key that was asked for; what is left at the end is unknown, and an error.

use super::place::Place;
use super::problem::{Problem, Problems};
use super::suggest;
use super::value::{Node, Table, Value};

/// A value and where it was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// A value to be read, and the key it stands under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) key: &'a str,
    pub(crate) node: &'a Node,
}

impl Field<'_> {
    /// Reports that the value is of the wrong type.
    pub(crate) fn wrong_type(self, expected: &'static str, problems: &mut Problems) {
        let hint = match (&self.node.value, expected) {
            (Value::Integer(Some(number)), "a string") => format!("write \"{number}\" in quotes"),
            (Value::Float(number), "a string") => format!("write \"{number}\" in quotes"),
            (Value::Boolean(boolean), "a string") => format!("write \"{boolean}\" in quotes"),
            (Value::Text(text), "a boolean") if matches!(text.as_str(), "true" | "false") => {
                format!("write {text} without quotes")
            }
            (Value::Text(text), "an integer") if text.parse::<i64>().is_ok() => format!("write {text} without quotes"),
            (Value::Text(text), list) if list.starts_with("a list") => format!("write [\"{text}\"]"),
            (_, "a string") => "write a text in quotes".to_owned(),
            (_, "a boolean") => "write true or false".to_owned(),
            (_, "an integer") => "write a whole number without quotes".to_owned(),
            (_, "a table") => format!("write `{} = {{ key = value }}`", self.key),
            _ => format!("write {expected}"),
        };
        self.refuse(expected, hint, problems);
    }

    /// Reports that the value is of the wrong type, with what to write instead.
    pub(crate) fn refuse(self, expected: &'static str, hint: String, problems: &mut Problems) {
        problems.push(
            self.node.place,
            Problem::WrongType {
                key: self.key.to_owned(),
                expected,
                found: self.node.value.kind(),
                hint,
            },
        );
    }
}

#[cfg(test)]
thread_local! {
    /// Every table and key that this thread's readers asked for: `reference.rs` must have a row for each.
    static ASKED: std::cell::RefCell<std::collections::BTreeSet<(String, &'static str)>> = const { std::cell::RefCell::new(std::collections::BTreeSet::new()) };
}

/// Returns every table and key that this thread's readers asked for.
#[cfg(test)]
pub(crate) fn asked() -> std::collections::BTreeSet<(String, &'static str)> {
    ASKED.with_borrow(Clone::clone)
}

/// What people call the table of tables.
pub(crate) const ROOT: &str = "the stack file";

/// Reads the keys of one table.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    table: &'a Table,
    /// Where the table is.
    pub(crate) place: Place,
    title: String,
    known: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    /// Starts reading a table; `title` is what people call it: `[cluster]`, `[[models]]`.
    pub(crate) fn new(field: Field<'a>, title: impl Into<String>, problems: &mut Problems) -> Option<Self> {
        let title = title.into();
        let Some(table) = field.node.as_table() else {
            match title.strip_prefix("`[").filter(|rest| !rest.starts_with('[')) {
                Some(_) => {
                    let hint = format!("write {title} with one pair of brackets, or `{{ key = value }}`");
                    field.refuse("a table", hint, problems);
                }
                None => field.wrong_type("a table", problems),
            }
            return None;
        };
        Some(Self {
            table,
            place: field.node.place,
            title,
            known: Vec::new(),
        })
    }

    /// Remembers that a key was asked for.
    fn know(&mut self, key: &'static str) {
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| {
            let title = self.title.replace('`', "");
            let is_secret = title.starts_with("the secret reference");
            asked.insert((
                if is_secret {
                    "a secret reference".to_owned()
                } else {
                    title
                },
                key,
            ));
        });
        self.known.push(key);
    }

    /// Returns the value of a key as it is.
    pub(crate) fn field(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.know(key);
        self.table
            .entries
            .get(key)
            .map(|entry| Field { key, node: &entry.node })
    }

    /// Returns whether a key is written.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.entries.contains_key(key)
    }

    /// Returns where a key is written.
    pub(crate) fn key_place(&self, key: &str) -> Option<Place> {
        self.table.entries.get(key).map(|entry| entry.key)
    }

    /// Lets keys pass unread, where what they mean depends on a value that is wrong.
    pub(crate) fn accept(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// Reads a key that may be absent.
    pub(crate) fn optional<T>(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
        read: impl FnOnce(Field<'a>, &mut Problems) -> Option<T>,
    ) -> Option<At<T>> {
        let field = self.field(key)?;
        read(field, problems).map(|value| At {
            value,
            place: field.node.place,
        })
    }

    /// Reads a key that may be absent, and gives its default.
    pub(crate) fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        problems: &mut Problems,
        read: impl FnOnce(Field<'a>, &mut Problems) -> Option<T>,
    ) -> T {
        self.optional(key, problems, read).map_or(default, |at| at.value)
    }

    /// Reads a key that must be there; `hint` says what to write if it is not.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        hint: &'static str,
        problems: &mut Problems,
        read: impl FnOnce(Field<'a>, &mut Problems) -> Option<T>,
    ) -> Option<At<T>> {
        if !self.table.entries.contains_key(key) {
            self.know(key);
            problems.push(
                self.place,
                Problem::Missing {
                    key: self.shown(key),
                    table: self.title.clone(),
                    hint,
                },
            );
            return None;
        }
        self.optional(key, problems, read)
    }

    /// Writes a key as it would be typed: at the root, keys are tables.
    fn shown(&self, key: &str) -> String {
        if self.title == ROOT {
            format!("[{key}]")
        } else {
            key.to_owned()
        }
    }

    /// Warns about keys that say nothing in this table as it stands.
    pub(crate) fn ignore(&mut self, keys: &[&'static str], because: &str, problems: &mut Problems) {
        for key in keys {
            self.know(key);
            if let Some(entry) = self.table.entries.get(*key) {
                problems.push(
                    entry.key,
                    Problem::NoEffect {
                        key,
                        because: because.to_owned(),
                    },
                );
            }
        }
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(mut self, problems: &mut Problems) {
        self.known.sort_unstable();
        self.known.dedup();
        for (key, entry) in &self.table.entries {
            if self.known.contains(&key.as_str()) {
                continue;
            }
            if looks_secret(key) {
                problems.hide(entry.node.place);
            }
            let hint = suggest::hint(key, "its keys", &self.known);
            problems.push(
                entry.key,
                Problem::UnknownKey {
                    key: key.clone(),
                    table: self.title.clone(),
                    hint,
                },
            );
        }
    }
}

/// Whether the value of an unknown key had better not be shown.
fn looks_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    [
        "password",
        "passwd",
        "token",
        "secret",
        "api_key",
        "apikey",
        "credential",
    ]
    .iter()
    .any(|word| key.contains(word))
}

/// Reads a boolean.
pub(crate) fn boolean(field: Field<'_>, problems: &mut Problems) -> Option<bool> {
    match field.node.value {
        Value::Boolean(boolean) => Some(boolean),
        _ => {
            field.wrong_type("a boolean", problems);
            None
        }
    }
}

/// Reads any text.
pub(crate) fn text(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    match &field.node.value {
        Value::Text(text) => Some(text.clone()),
        _ => {
            field.wrong_type("a string", problems);
            None
        }
    }
}

/// Reads a text of one line with something in it.
pub(crate) fn line(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    let text = text(field, problems)?;
    if text.trim().is_empty() {
        let problem = Problem::Empty {
            key: field.key.to_owned(),
            hint: "write something, or leave the key out",
        };
        problems.push(field.node.place, problem);
        return None;
    }
    if text.chars().any(char::is_control) {
        let hint = "it has one line, without tabs and other control characters".to_owned();
        problems.push(
            field.node.place,
            Problem::Malformed {
                text: text.escape_debug().to_string(),
                noun: "a line of text",
                hint,
            },
        );
        return None;
    }
    Some(text)
}

/// Makes a reader of integers from `from` to `to`; `T` must hold them.
pub(crate) fn integer<T: TryFrom<i64>>(from: u32, to: u32) -> impl Fn(Field<'_>, &mut Problems) -> Option<T> {
    move |field, problems| {
        let Value::Integer(number) = field.node.value else {
            field.wrong_type("an integer", problems);
            return None;
        };
        let in_range = number.filter(|number| (i64::from(from)..=i64::from(to)).contains(number));
        let converted = in_range.and_then(|number| T::try_from(number).ok());
        if converted.is_none() {
            problems.push(
                field.node.place,
                Problem::OutOfRange {
                    key: field.key.to_owned(),
                    from,
                    to,
                },
            );
        }
        converted
    }
}

/// Makes a reader of one word out of several.
pub(crate) fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(Field<'_>, &mut Problems) -> Option<T> {
    move |field, problems| {
        let text = text(field, problems)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = match suggest::closest(&text, all.iter().copied()) {
                Some(candidate) => format!("did you mean \"{candidate}\"?"),
                None => format!(
                    "its values: {}",
                    all.iter()
                        .map(|word| format!("\"{word}\""))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            };
            problems.push(
                field.node.place,
                Problem::UnknownWord {
                    key: field.key.to_owned(),
                    word: text,
                    hint,
                },
            );
        }
        found
    }
}

/// Reads a list, each element by `read`; every element is read even if one is wrong.
pub(crate) fn list<T>(
    expected: &'static str,
    read: impl Fn(Field<'_>, &mut Problems) -> Option<T>,
) -> impl Fn(Field<'_>, &mut Problems) -> Option<Vec<At<T>>> {
    move |field, problems| {
        let Value::List(nodes) = &field.node.value else {
            field.wrong_type(expected, problems);
            return None;
        };
        let items: Vec<Option<At<T>>> = nodes
            .iter()
            .map(|node| {
                read(Field { key: field.key, node }, problems).map(|value| At {
                    value,
                    place: node.place,
                })
            })
            .collect();
        items.into_iter().collect()
    }
}

/// Reads an array of tables, each by `read`; elements that are wrong are left out, since they are reported.
///
/// `header` is what stands between its brackets: `maas.tiers`.
pub(crate) fn tables<T>(
    field: Field<'_>,
    header: &str,
    problems: &mut Problems,
    read: impl Fn(Field<'_>, &mut Problems) -> Option<T>,
) -> Vec<At<T>> {
    let Value::List(nodes) = &field.node.value else {
        let hint = format!("write `[[{header}]]` with two pairs of brackets: there can be several");
        field.refuse("an array of tables", hint, problems);
        return Vec::new();
    };
    nodes
        .iter()
        .filter_map(|node| {
            read(Field { key: field.key, node }, problems).map(|value| At {
                value,
                place: node.place,
            })
        })
        .collect()
}
