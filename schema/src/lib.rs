//! Structural schemas: what a definition says of the objects of its kind, and what is wrong with one of them.
//!
//! In: a CustomResourceDefinition and an object. Out: defaults, what is not declared, and everything that a server would
//! refuse, in its own words. The embedded cluster answers with it, and a plan asks it about kinds that no cluster serves yet.
//!
//! Invariants:
//! - Pure: no I/O, no clock; same input, same output.
//! - What is not understood refuses nothing: an unknown format, a pattern or a rule that cannot be read.
//!
//! Modules in reading order: `parse` reads a schema, `defaulting` and `prune` bring an object into its shape, `validate`
//! and `rules` judge it (with the functions of `library`), [`definition`] and [`check`] do all of that for a definition, and
//! [`built_in`] knows the kinds that have none;
//! [`expression`] is people's own predicates, with the same functions.
//!
//! (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema>)

pub mod built_in;
pub mod check;
mod defaulting;
pub mod definition;
mod error;
pub mod expression;
mod library;
mod parse;
mod prune;
mod rules;
mod validate;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde_json::Value;

pub use defaulting::apply_defaults;
pub use error::{FieldError, go_quote, go_value};
pub use library::{Gaps, NotJudged};
pub use parse::from_definition;
pub use prune::prune;
pub use rules::{Rule, judge};
pub use validate::{Extent, validate};

/// What a value may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// A map.
    Object,
    /// A list.
    Array,
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// `x-kubernetes-int-or-string`.
    IntOrString,
    /// No type: whatever is there.
    #[default]
    Any,
}

/// How items of a list are told apart when it is merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListType {
    /// Not at all: the list is replaced as a whole.
    #[default]
    Atomic,
    /// By themselves.
    Set,
    /// By these keys of the items, in alphabetical order.
    Map(Vec<String>),
}

/// What a string of a built-in kind holds, where it is normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Meaning {
    /// Itself.
    #[default]
    Plain,
    /// An amount, as in `500m`.
    Quantity,
    /// A time in seconds.
    Time,
    /// A time in microseconds.
    MicroTime,
    /// Base64.
    Bytes,
}

/// The rarer bounds on a value.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// `enum`.
    pub allowed: Option<Vec<Value>>,
    /// The least number.
    pub minimum: Option<f64>,
    /// The greatest number.
    pub maximum: Option<f64>,
    /// Whether the number must be above `minimum`.
    pub exclusive_minimum: bool,
    /// Whether the number must be below `maximum`.
    pub exclusive_maximum: bool,
    /// `multipleOf`.
    pub multiple_of: Option<f64>,
    /// The least length of a text, in characters.
    pub min_length: Option<usize>,
    /// The greatest length of a text, in characters.
    pub max_length: Option<usize>,
    /// What a text must match; none if the pattern cannot be read.
    pub pattern: Option<Regex>,
    /// The format of a text, by its name.
    pub format: Option<String>,
    /// The least length of a list.
    pub min_items: Option<usize>,
    /// The greatest length of a list.
    pub max_items: Option<usize>,
    /// Whether no item may be there twice.
    pub unique_items: bool,
    /// The least size of a map.
    pub min_properties: Option<usize>,
    /// The greatest size of a map.
    pub max_properties: Option<usize>,
    /// Each of these must hold.
    pub all_of: Vec<Schema>,
    /// One of these must hold.
    pub any_of: Vec<Schema>,
    /// Exactly one of these must hold.
    pub one_of: Vec<Schema>,
    /// This must not hold.
    pub not: Option<Schema>,
}

/// One node of a schema.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// The type.
    pub value_type: Type,
    /// The fields that it names.
    pub properties: BTreeMap<String, Arc<Self>>,
    /// The type of the values of a map.
    pub additional: Option<Arc<Self>>,
    /// The schema of the items of a list.
    pub items: Option<Arc<Self>>,
    /// How items are told apart.
    pub list_type: ListType,
    /// Whether a map is replaced as a whole.
    pub is_atomic_map: bool,
    /// `x-kubernetes-preserve-unknown-fields`.
    pub preserves_unknown: bool,
    /// `x-kubernetes-embedded-resource`.
    pub is_embedded_resource: bool,
    /// Whether null is a value.
    pub is_nullable: bool,
    /// What is put where the value is missing.
    pub default: Option<Value>,
    /// The fields that must be there.
    pub required: Vec<String>,
    /// What a string of a built-in kind holds.
    pub meaning: Meaning,
    /// The rarer bounds.
    pub limits: Option<Box<Limits>>,
    /// The rules in CEL.
    pub rules: Arc<[rules::Rule]>,
    /// Whether it or what is below it has rules.
    pub has_rules: bool,
    /// The keys a strategic merge patch uses for this list, where they are fewer than the list's own.
    pub patch_key: Option<String>,
}

impl Schema {
    /// The schema of a field, or `None` if it is not declared.
    pub fn field(&self, name: &str) -> Option<&Self> {
        if let Some(property) = self.properties.get(name) {
            return Some(property);
        }
        self.additional
            .as_deref()
            .or_else(|| self.accepts_anything().then_some(&*ANYTHING))
    }

    /// Whether fields that it does not name are kept.
    pub fn accepts_anything(&self) -> bool {
        self.preserves_unknown || self.value_type == Type::Any
    }

    /// The schema of the items of a list.
    pub fn item(&self) -> &Self {
        self.items.as_deref().unwrap_or(&*ANYTHING)
    }
}

/// The schema of what has none: maps granular, lists atomic (`reference/ssa-semantics.md` §9, untyped parts).
pub static ANYTHING: LazyLock<Schema> = LazyLock::new(Schema::default);
