//! Reads `fields.txt`: the numbers and types of the fields of each message.
//!
//! Invariant: the text ships with the program, so anything wrong with it is a broken contract of ours and panics; a test
//! reads all of it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("fields.txt");

/// What a value is on the wire and in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Integer,
    Double,
    Boolean,
    Base64,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    Duration,
    /// A message that holds a JSON document.
    Json,
    /// A message that holds a list of texts.
    Strings,
    Message(&'static str),
    List(Box<Self>),
    Map(Box<Self>),
}

/// One field of a message.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) form: Form,
    /// Its own fields stand in its place.
    pub(super) is_inline: bool,
    /// JSON leaves it out where it is zero.
    pub(super) omits_zero: bool,
}

/// A message: its fields by number.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) fields: BTreeMap<u64, Field>,
}

/// All messages.
#[derive(Debug)]
pub(super) struct Table {
    bodies: BTreeMap<(&'static str, &'static str), &'static str>,
    messages: BTreeMap<&'static str, Message>,
}

impl Table {
    /// The one table.
    pub(super) fn get() -> &'static Self {
        static TABLE: LazyLock<Table> = LazyLock::new(Table::read);
        &TABLE
    }

    /// The message of a body; options of a request may come in the version of any group.
    pub(super) fn body(&self, api_version: &str, kind: &str) -> Option<&Message> {
        let name = self
            .bodies
            .get(&(api_version, kind))
            .or_else(|| self.bodies.get(&("meta", kind)))?;
        Some(self.message(name))
    }

    /// A message that a field names.
    pub(super) fn message(&self, name: &str) -> &Message {
        self.messages
            .get(name)
            .unwrap_or_else(|| panic!("fields.txt has the message {name}"))
    }

    fn read() -> Self {
        let mut table = Self {
            bodies: BTreeMap::new(),
            messages: BTreeMap::new(),
        };
        let mut current = "";
        for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&'static str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["body", api_version, kind, name] => {
                    table.bodies.insert((api_version, kind), name);
                }
                ["type", name] => {
                    current = name;
                    let fields = BTreeMap::new();
                    table.messages.insert(name, Message { name, fields });
                }
                [number, name, form, flags @ ..] => {
                    let field = Field {
                        name,
                        form: form_of(form),
                        is_inline: *name == ".",
                        omits_zero: flags.contains(&"?"),
                    };
                    let number = number.parse().expect("a line in fields.txt begins with a number");
                    if let Some(message) = table.messages.get_mut(current) {
                        message.fields.insert(number, field);
                    }
                }
                _ => panic!("a line in fields.txt has a number, a name and a type: {line}"),
            }
        }
        table
    }
}

fn form_of(text: &'static str) -> Form {
    let within = |open: char, close: char| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
    if let Some(item) = within('[', ']') {
        return Form::List(Box::new(form_of(item)));
    }
    if let Some(item) = within('{', '}') {
        return Form::Map(Box::new(form_of(item)));
    }
    match text {
        "string" => Form::Text,
        "int" => Form::Integer,
        "double" => Form::Double,
        "bool" => Form::Boolean,
        "bytes" => Form::Base64,
        "quantity" => Form::Quantity,
        "intorstring" => Form::IntOrString,
        "time" => Form::Time,
        "microtime" => Form::MicroTime,
        "duration" => Form::Duration,
        "json" => Form::Json,
        "list" => Form::Strings,
        name => Form::Message(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_that_is_named_is_there() {
        let table = Table::get();
        let named = |form: &Form| match form {
            Form::Message(name) => Some(*name),
            Form::List(item) | Form::Map(item) => match **item {
                Form::Message(name) => Some(name),
                _ => None,
            },
            _ => None,
        };
        let fields = table.messages.values().flat_map(|message| message.fields.values());
        let missing: Vec<&str> = fields
            .filter_map(|field| named(&field.form))
            .chain(table.bodies.values().copied())
            .filter(|name| !table.messages.contains_key(name))
            .collect();
        assert_eq!(missing, Vec::<&str>::new());
        assert!(table.messages.len() > 300);
    }
}
