//! Checks a value against a structural schema, in the words of a real server's 422
//! (`reference/ssa-semantics.md` §3, §7).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Limits, ListType, Schema, Type};
use crate::FieldError;

/// Returns everything that is wrong with an object; paths have indexes and no leading dot.
pub fn validate(schema: &Schema, object: &Value) -> Vec<FieldError> {
    validate_as(schema, object, Extent::Whole)
}

/// How much of an object there is to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it, as it would be made.
    Whole,
    /// Fields that are set on an object of others. What is missing may be there already, so nothing is said of what is
    /// required, of least sizes, of combinations of schemas and of rules.
    Part,
}

/// Returns everything that is wrong with an object, or with a part of one.
pub(crate) fn validate_as(schema: &Schema, object: &Value, extent: Extent) -> Vec<FieldError> {
    let mut check = Check {
        extent,
        errors: Vec::new(),
    };
    check.value(schema, object, &mut String::new(), true);
    check.errors
}

struct Check {
    extent: Extent,
    errors: Vec<FieldError>,
}

pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() && number.as_f64().is_some_and(|float| float.fract() != 0.0) => {
            "number"
        }
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

pub(super) fn fits(value_type: Type, value: &Value) -> bool {
    let found = type_name(value);
    match value_type {
        Type::Any => true,
        Type::Object => found == "object",
        Type::Array => found == "array",
        Type::String => found == "string",
        Type::Integer => found == "integer",
        Type::Number => found == "integer" || found == "number",
        Type::Boolean => found == "boolean",
        Type::IntOrString => found == "integer" || found == "string",
    }
}

pub(super) fn expected_name(value_type: Type) -> &'static str {
    match value_type {
        Type::Object => "object",
        Type::Array => "array",
        Type::String => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::IntOrString => "integer,string",
        Type::Any => "any",
    }
}

impl Check {
    fn value(&mut self, schema: &Schema, value: &Value, path: &mut String, is_root: bool) {
        if value.is_null() && (schema.is_nullable || schema.value_type == Type::Any) {
            return;
        }
        if !fits(schema.value_type, value) {
            let found = type_name(value);
            let expected = expected_name(schema.value_type);
            let detail = format!("{path} in body must be of type {expected}: \"{found}\"");
            self.errors.push(FieldError::wrong_type(path.clone(), found, &detail));
            return;
        }
        match value {
            Value::Object(map) => self.object(schema, map, path, is_root),
            Value::Array(list) => self.list(schema, list, path),
            _ => {}
        }
        if let Some(limits) = &schema.limits {
            self.limits(limits, value, path);
        }
    }

    fn object(&mut self, schema: &Schema, map: &Map<String, Value>, path: &mut String, is_root: bool) {
        let length = path.len();
        let enter = |path: &mut String, name: &str| {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        };
        let is_whole = self.extent == Extent::Whole;
        for name in schema.required.iter().filter(|_| is_whole) {
            if !map.contains_key(name) {
                enter(path, name);
                self.errors.push(FieldError::required(path.clone(), ""));
                path.truncate(length);
            }
        }
        for (name, child) in map {
            if is_root && name == "metadata" {
                continue;
            }
            let property = schema.properties.get(name).or(schema.additional.as_ref());
            if let Some(property) = property {
                enter(path, name);
                self.value(property, child, path, false);
                path.truncate(length);
            }
        }
    }

    fn list(&mut self, schema: &Schema, list: &[Value], path: &mut String) {
        let length = path.len();
        let mut seen = BTreeSet::new();
        for (index, child) in list.iter().enumerate() {
            let _ = write!(path, "[{index}]");
            if let Some(items) = &schema.items {
                self.value(items, child, path, false);
            }
            let key = match &schema.list_type {
                ListType::Atomic => None,
                ListType::Set => Some(child.clone()),
                ListType::Map(keys) => Some(Value::Object(
                    keys.iter()
                        .filter_map(|key| child.get(key).map(|value| (key.clone(), value.clone())))
                        .collect(),
                )),
            };
            if let Some(key) = key
                && !seen.insert(key.to_string())
            {
                self.errors.push(FieldError::duplicate(path.clone(), &key));
            }
            path.truncate(length);
        }
    }

    fn limits(&mut self, limits: &Limits, value: &Value, path: &str) {
        if let Some(allowed) = &limits.allowed
            && !allowed.contains(value)
        {
            self.errors.push(FieldError::unsupported(path, value, allowed));
        }
        match value {
            Value::Number(number) => self.number(limits, number.as_f64().unwrap_or_default(), value, path),
            Value::String(text) => self.text(limits, text, value, path),
            Value::Array(list) => self.sizes(path, list.len(), limits.min_items, limits.max_items, "items"),
            Value::Object(map) => {
                self.sizes(
                    path,
                    map.len(),
                    limits.min_properties,
                    limits.max_properties,
                    "properties",
                );
            }
            Value::Null | Value::Bool(_) => {}
        }
        if let Value::Array(list) = value
            && limits.unique_items
            && (1..list.len()).any(|index| list[..index].contains(&list[index]))
        {
            self.invalid(path, value, "shouldn't contain duplicates");
        }
        if self.extent == Extent::Whole {
            self.combinations(limits, value, path);
        }
    }

    fn invalid(&mut self, path: &str, value: &Value, what: &str) {
        self.errors
            .push(FieldError::invalid(path, value, &format!("{path} in body {what}")));
    }

    fn number(&mut self, limits: &Limits, number: f64, value: &Value, path: &str) {
        if let Some(minimum) = limits.minimum {
            if limits.exclusive_minimum && number <= minimum {
                self.invalid(path, value, &format!("should be greater than {minimum}"));
            } else if number < minimum {
                self.invalid(path, value, &format!("should be greater than or equal to {minimum}"));
            }
        }
        if let Some(maximum) = limits.maximum {
            if limits.exclusive_maximum && number >= maximum {
                self.invalid(path, value, &format!("should be less than {maximum}"));
            } else if number > maximum {
                self.invalid(path, value, &format!("should be less than or equal to {maximum}"));
            }
        }
        if let Some(factor) = limits.multiple_of
            && (number / factor).fract() != 0.0
        {
            self.invalid(path, value, &format!("should be a multiple of {factor}"));
        }
    }

    fn text(&mut self, limits: &Limits, text: &str, value: &Value, path: &str) {
        let length = text.chars().count();
        if let Some(minimum) = limits.min_length
            && length < minimum
        {
            self.invalid(path, value, &format!("should be at least {minimum} chars long"));
        }
        if let Some(maximum) = limits.max_length
            && length > maximum
        {
            self.errors.push(FieldError::too_long(path, maximum));
        }
        if let Some(pattern) = &limits.pattern
            && !pattern.is_match(text)
        {
            self.invalid(path, value, &format!("should match '{pattern}'"));
        }
        if let Some(format) = &limits.format
            && !is_of_format(format, text)
        {
            let detail = format!("{path} in body must be of type {format}: {value}");
            self.errors.push(FieldError::invalid(path, value, &detail));
        }
    }

    fn sizes(&mut self, path: &str, found: usize, minimum: Option<usize>, maximum: Option<usize>, what: &str) {
        if let Some(minimum) = minimum
            && found < minimum
            && self.extent == Extent::Whole
        {
            self.invalid(
                path,
                &Value::from(found),
                &format!("should have at least {minimum} {what}"),
            );
        }
        if let Some(maximum) = maximum
            && found > maximum
        {
            let body = format!("Too many: {found}: must have at most {maximum} items");
            self.errors.push(FieldError {
                reason: "FieldValueTooMany",
                field: path.to_owned(),
                body,
            });
        }
    }

    fn combinations(&mut self, limits: &Limits, value: &Value, path: &str) {
        let is_valid = |schema: &Schema| {
            let mut check = Self {
                extent: Extent::Whole,
                errors: Vec::new(),
            };
            check.value(schema, value, &mut path.to_owned(), false);
            check.errors.is_empty()
        };
        let mut refuse = |what: &str| {
            let detail = format!("\"{path}\" {what}");
            self.errors.push(FieldError::invalid_text(path, "\"\"", &detail));
        };
        if !limits.all_of.iter().all(is_valid) {
            refuse("must validate all the schemas (allOf)");
        }
        if !limits.any_of.is_empty() && !limits.any_of.iter().any(is_valid) {
            refuse("must validate at least one schema (anyOf)");
        }
        if !limits.one_of.is_empty() {
            match limits.one_of.iter().filter(|schema| is_valid(schema)).count() {
                1 => {}
                0 => refuse("must validate one and only one schema (oneOf). Found none valid"),
                n => refuse(&format!(
                    "must validate one and only one schema (oneOf). Found {n} valid alternatives"
                )),
            }
        }
        if let Some(not) = &limits.not
            && is_valid(not)
        {
            refuse("must not validate the schema (not)");
        }
    }
}

/// The formats that a structural schema's strings are checked for; unknown formats pass
/// (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation>).
pub(super) fn is_of_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" => is_date_time(text),
        "date" => {
            text.len() == 10
                && text.as_bytes().iter().enumerate().all(|(index, byte)| match index {
                    4 | 7 => *byte == b'-',
                    _ => byte.is_ascii_digit(),
                })
        }
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "uuid" => {
            let hex: String = text.chars().filter(|character| *character != '-').collect();
            hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
        }
        _ => true,
    }
}

fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't']) else {
        return false;
    };
    is_of_format("date", date)
        && time.len() >= 9
        && time.as_bytes()[..8]
            .iter()
            .enumerate()
            .all(|(index, byte)| match index {
                2 | 5 => *byte == b':',
                _ => byte.is_ascii_digit(),
            })
        && (time.ends_with(['Z', 'z']) || time.len() >= 14)
}
