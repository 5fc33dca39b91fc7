//! The one structural schema that all kinds are described in, built-in and custom.
//!
//! Server-side apply, defaulting, pruning and validation read nothing else about a kind. A built-in kind is read from
//! `kinds/types.txt`, a custom one from its definition's `openAPIV3Schema`
//! (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema>).

mod defaulting;
mod library;
mod native;
mod parse;
mod prune;
mod rules;
mod validate;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde_json::Value;

pub(super) use defaulting::apply_defaults;
pub(super) use library::Gaps;
pub(super) use native::normalise;
pub(super) use parse::from_definition;
pub(super) use prune::prune;
pub(super) use rules::judge;
pub(super) use validate::validate;

/// What a value may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Type {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    /// `x-kubernetes-int-or-string`.
    IntOrString,
    /// No type: whatever is there.
    #[default]
    Any,
}

/// How items of a list are told apart when it is merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum ListType {
    #[default]
    Atomic,
    Set,
    /// By these keys of the items, in alphabetical order.
    Map(Vec<String>),
}

/// What a string of a built-in kind holds, where it is normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Meaning {
    #[default]
    Plain,
    Quantity,
    Time,
    MicroTime,
    /// Base64.
    Bytes,
}

/// The rarer bounds on a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    pub(super) allowed: Option<Vec<Value>>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) exclusive_minimum: bool,
    pub(super) exclusive_maximum: bool,
    pub(super) multiple_of: Option<f64>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) pattern: Option<Regex>,
    pub(super) format: Option<String>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
    pub(super) unique_items: bool,
    pub(super) min_properties: Option<usize>,
    pub(super) max_properties: Option<usize>,
    pub(super) all_of: Vec<Schema>,
    pub(super) any_of: Vec<Schema>,
    pub(super) one_of: Vec<Schema>,
    pub(super) not: Option<Schema>,
}

/// One node of a schema.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    pub(super) value_type: Type,
    pub(super) properties: BTreeMap<String, Arc<Self>>,
    /// The type of the values of a map.
    pub(super) additional: Option<Arc<Self>>,
    pub(super) items: Option<Arc<Self>>,
    pub(super) list_type: ListType,
    pub(super) is_atomic_map: bool,
    pub(super) preserves_unknown: bool,
    pub(super) is_embedded_resource: bool,
    pub(super) is_nullable: bool,
    pub(super) default: Option<Value>,
    pub(super) required: Vec<String>,
    pub(super) meaning: Meaning,
    pub(super) limits: Option<Box<Limits>>,
    pub(super) rules: Arc<[rules::Rule]>,
    /// Whether it or what is below it has rules.
    pub(super) has_rules: bool,
    /// The keys a strategic merge patch uses for this list, where they are fewer than the list's own.
    pub(super) patch_key: Option<String>,
}

impl Schema {
    /// The schema of a field, or `None` if it is not declared.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        if let Some(property) = self.properties.get(name) {
            return Some(property);
        }
        self.additional
            .as_deref()
            .or_else(|| self.accepts_anything().then_some(&*ANYTHING))
    }

    /// Whether fields that it does not name are kept.
    pub(super) fn accepts_anything(&self) -> bool {
        self.preserves_unknown || self.value_type == Type::Any
    }

    /// The schema of the items of a list.
    pub(super) fn item(&self) -> &Self {
        self.items.as_deref().unwrap_or(&*ANYTHING)
    }
}

/// The schema of what has none: maps granular, lists atomic (`reference/ssa-semantics.md` §9, untyped parts).
pub(super) static ANYTHING: LazyLock<Schema> = LazyLock::new(Schema::default);
