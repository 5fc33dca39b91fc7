//! Reads `types.txt`: the types of the built-in kinds in a short form.
//!
//! Invariant: the text ships with the program, so anything wrong with it is a broken contract of ours and panics; a test
//! reads every kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::{ListType, Meaning, Schema, Type};

const TEXT: &str = include_str!("types.txt");

struct Field<'a> {
    name: &'a str,
    is_required: bool,
    type_text: &'a str,
    list: Option<&'a str>,
    patch_key: Option<&'a str>,
    default: Option<&'a str>,
}

/// The named types, read on demand.
pub struct Types {
    declared: BTreeMap<&'static str, (bool, Vec<Field<'static>>)>,
    read: BTreeMap<&'static str, Arc<Schema>>,
}

impl std::fmt::Debug for Types {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let read: Vec<_> = self.read.keys().collect();
        formatter.debug_struct("Types").field("read", &read).finish()
    }
}

impl Default for Types {
    fn default() -> Self {
        Self::new()
    }
}

impl Types {
    /// Reads the text, and no type yet.
    ///
    /// # Panics
    /// When it declares a type twice: of two only one would hold.
    #[must_use]
    pub fn new() -> Self {
        let mut declared: BTreeMap<&'static str, (bool, Vec<Field<'static>>)> = BTreeMap::new();
        let mut current = "";
        for line in TEXT.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            if let Some(header) = line.strip_prefix("type ") {
                let (name, is_atomic) = header
                    .strip_suffix(" atomic")
                    .map_or((header, false), |name| (name, true));
                current = name;
                let before = declared.insert(name, (is_atomic, Vec::new()));
                assert!(before.is_none(), "types.txt declares {name} twice");
            } else if let Some((_, fields)) = declared.get_mut(current) {
                fields.push(field(line));
            }
        }
        Self {
            declared,
            read: BTreeMap::new(),
        }
    }

    /// The schema of a whole object: the named type with apiVersion, kind and metadata.
    ///
    /// # Panics
    /// When there is no such type.
    pub fn object(&mut self, name: &str) -> Arc<Schema> {
        let mut schema = (*self.named(name)).clone();
        let text = || {
            Arc::new(Schema {
                value_type: Type::String,
                ..Schema::default()
            })
        };
        schema.properties.insert("apiVersion".to_owned(), text());
        schema.properties.insert("kind".to_owned(), text());
        schema
            .properties
            .insert("metadata".to_owned(), self.named("ObjectMeta"));
        Arc::new(schema)
    }

    /// The schema of one named type.
    ///
    /// # Panics
    /// When there is no such type.
    pub fn named(&mut self, name: &str) -> Arc<Schema> {
        if let Some(schema) = self.read.get(name) {
            return Arc::clone(schema);
        }
        let (key, (is_atomic, fields)) = self
            .declared
            .remove_entry(name)
            .unwrap_or_else(|| panic!("types.txt declares {name}, once and not in itself"));
        let mut schema = Schema {
            value_type: Type::Object,
            is_atomic_map: is_atomic,
            ..Schema::default()
        };
        for field in &fields {
            schema
                .properties
                .insert(field.name.to_owned(), Arc::new(self.field_schema(field)));
            if field.is_required {
                schema.required.push(field.name.to_owned());
            }
        }
        let schema = Arc::new(schema);
        self.read.insert(key, Arc::clone(&schema));
        schema
    }

    fn field_schema(&mut self, field: &Field<'_>) -> Schema {
        let mut schema = (*self.of_text(field.type_text)).clone();
        match (field.list, schema.value_type) {
            (Some("atomic"), Type::Object) => schema.is_atomic_map = true,
            (Some("set"), _) => schema.list_type = ListType::Set,
            (Some(list), _) => {
                let keys = list
                    .strip_prefix("map(")
                    .and_then(|list| list.strip_suffix(')'))
                    .unwrap_or_default();
                let mut keys: Vec<String> = keys.split(',').map(ToOwned::to_owned).collect();
                keys.sort();
                schema.list_type = ListType::Map(keys);
            }
            (None, _) => {}
        }
        schema.patch_key = field.patch_key.map(ToOwned::to_owned);
        schema.default = field
            .default
            .map(|json| serde_json::from_str::<Value>(json).expect("a default in types.txt is JSON"));
        schema
    }

    fn of_text(&mut self, text: &str) -> Arc<Schema> {
        let scalar = |value_type, meaning| {
            Arc::new(Schema {
                value_type,
                meaning,
                ..Schema::default()
            })
        };
        if let Some(item) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            let items = Some(self.of_text(item));
            return Arc::new(Schema {
                value_type: Type::Array,
                items,
                ..Schema::default()
            });
        }
        if let Some(value) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            let additional = Some(self.of_text(value));
            return Arc::new(Schema {
                value_type: Type::Object,
                additional,
                ..Schema::default()
            });
        }
        match text {
            "string" => scalar(Type::String, Meaning::Plain),
            "int" => scalar(Type::Integer, Meaning::Plain),
            "number" => scalar(Type::Number, Meaning::Plain),
            "bool" => scalar(Type::Boolean, Meaning::Plain),
            "intorstring" => scalar(Type::IntOrString, Meaning::Plain),
            "any" => scalar(Type::Any, Meaning::Plain),
            "quantity" => scalar(Type::String, Meaning::Quantity),
            "time" => scalar(Type::String, Meaning::Time),
            "microtime" => scalar(Type::String, Meaning::MicroTime),
            "bytes" => scalar(Type::String, Meaning::Bytes),
            name => self.named(name),
        }
    }
}

fn field(line: &'static str) -> Field<'static> {
    let (declaration, default) = match line.split_once(" = ") {
        Some((declaration, default)) => (declaration, Some(default)),
        None => (line, None),
    };
    let (name, rest) = declaration
        .trim()
        .split_once(": ")
        .expect("a line in types.txt is `name: type`");
    let mut words = rest.split(' ');
    let type_text = words.next().unwrap_or_default();
    let (mut list, mut patch_key) = (None, None);
    for word in words {
        match word.strip_prefix('~') {
            Some(key) => patch_key = Some(key),
            None => list = Some(word),
        }
    }
    let (name, is_required) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
    Field {
        name,
        is_required,
        type_text,
        list,
        patch_key,
        default,
    }
}
