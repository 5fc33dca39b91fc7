//! Rules of a definition in CEL (`x-kubernetes-validations`).
//!
//! Invariants:
//! - A rule that names `oldSelf` is judged only where there is an old value
//!   (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#transition-rules>):
//!   through fields, and through items of lists that are told apart by keys.
//! - With `optionalOldSelf` it is judged without one too, of an object that is made as of one that changes.
//! - Which rules are not judged is known when the definition is read ([`Gaps`]), not when an object is met.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use cel::Program;
use cel::objects::OptionalValue;
use serde_json::{Map, Value};

use super::library::{self, Gaps, NotJudged};
use super::{ListType, Schema};
use crate::FieldError;

/// One rule, ready to be judged.
pub struct Rule {
    text: String,
    program: Program,
    message: Option<String>,
    message_expression: Option<Program>,
    reason: Option<String>,
    field_path: String,
    is_transition: bool,
    /// Whether it is judged without an old value too, which it is given as an optional one (`optionalOldSelf`).
    old_may_be_none: bool,
}

impl fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Rule({})", self.text)
    }
}

/// Reads the rules of one node of a definition's schema; what cannot be compiled is left out and counted.
pub(crate) fn read(node: &Value, gaps: &mut Gaps) -> Vec<Rule> {
    let mut rules = Vec::new();
    for node in node["x-kubernetes-validations"].as_array().into_iter().flatten() {
        match rule(node) {
            Ok(rule) => rules.extend(rule),
            Err(why) => *gaps.entry(why).or_default() += 1,
        }
    }
    rules
}

fn rule(node: &Value) -> Result<Option<Rule>, NotJudged> {
    let Some(text) = node["rule"].as_str() else {
        return Ok(None);
    };
    let program = library::compile(text)?;
    let references = program.references();
    let is_transition = references.has_variable("oldSelf");
    let string = |field: &str| node[field].as_str().map(ToOwned::to_owned);
    let message_expression = node["messageExpression"].as_str();
    let message_expression = message_expression.filter(|text| !text.is_empty());
    Ok(Some(Rule {
        text: text.to_owned(),
        program,
        message: string("message").filter(|text| !text.is_empty()),
        message_expression: message_expression.map(library::compile).transpose()?,
        reason: string("reason"),
        field_path: string("fieldPath").unwrap_or_default(),
        is_transition,
        old_may_be_none: node["optionalOldSelf"] == true,
    }))
}

/// Judges every rule; `old` is the object before the write.
pub fn judge(schema: &Schema, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    judge_some(schema, object, old, &|_, _| true)
}

/// Judges some rules of some places: `is_meant` is told the path, the root's being empty, and whether the rule is about
/// a change.
pub(crate) fn judge_some(
    schema: &Schema,
    object: &Value,
    old: Option<&Value>,
    is_meant: &dyn Fn(&str, bool) -> bool,
) -> Vec<FieldError> {
    let mut walk = Walk {
        is_meant,
        errors: Vec::new(),
    };
    walk.value(schema, object, old, &mut String::new());
    walk.errors
}

struct Walk<'a> {
    is_meant: &'a dyn Fn(&str, bool) -> bool,
    errors: Vec<FieldError>,
}

impl Walk<'_> {
    fn value(&mut self, schema: &Schema, value: &Value, old: Option<&Value>, path: &mut String) {
        if value.is_null() || !schema.has_rules {
            return;
        }
        for rule in schema.rules.iter() {
            if (self.is_meant)(path, rule.is_transition)
                && let Some(error) = broken(rule, schema, value, old, path)
            {
                self.errors.push(error);
            }
        }
        let length = path.len();
        match value {
            Value::Object(map) => {
                for (name, child) in map {
                    let Some(property) = schema.properties.get(name).or(schema.additional.as_ref()) else {
                        continue;
                    };
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                    self.value(property, child, old.and_then(|old| old.get(name)), path);
                    path.truncate(length);
                }
            }
            Value::Array(list) => {
                let Some(items) = &schema.items else { return };
                let before = by_key(&schema.list_type, old);
                for (index, child) in list.iter().enumerate() {
                    let old = key_of(&schema.list_type, child).and_then(|key| before.get(&key).copied());
                    let _ = write!(path, "[{index}]");
                    self.value(items, child, old, path);
                    path.truncate(length);
                }
            }
            _ => {}
        }
    }
}

fn key_of(list_type: &ListType, item: &Value) -> Option<String> {
    let ListType::Map(keys) = list_type else { return None };
    let key: Map<String, Value> = keys.iter().map(|key| (key.clone(), item[key].clone())).collect();
    Some(Value::Object(key).to_string())
}

fn by_key<'a>(list_type: &ListType, old: Option<&'a Value>) -> BTreeMap<String, &'a Value> {
    let items = old.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| Some((key_of(list_type, item)?, item)))
        .collect()
}

fn broken(rule: &Rule, schema: &Schema, value: &Value, old: Option<&Value>, path: &str) -> Option<FieldError> {
    if rule.is_transition && !rule.old_may_be_none && old.is_none() {
        return None;
    }
    let mut context = library::context();
    context.add_variable_from_value("self", library::value_of(schema, value));
    let old = old.map(|old| library::value_of(schema, old));
    let old = match (rule.old_may_be_none, old) {
        (true, old) => {
            let old = old.map_or_else(OptionalValue::none, OptionalValue::of);
            Some(cel::Value::Opaque(Arc::new(old)))
        }
        (false, old) => old,
    };
    if let Some(old) = old {
        context.add_variable_from_value("oldSelf", old);
    }
    let said = rule
        .message
        .clone()
        .unwrap_or_else(|| format!("failed rule: {}", rule.text));
    let detail = match rule.program.execute(&context) {
        Ok(cel::Value::Bool(true)) => return None,
        Ok(_) => match rule
            .message_expression
            .as_ref()
            .map(|program| program.execute(&context))
        {
            Some(Ok(cel::Value::String(text))) => text.to_string(),
            _ => said,
        },
        Err(cel::ExecutionError::UndeclaredReference(_)) => {
            return None;
        }
        Err(cel::ExecutionError::FunctionError { function, .. }) if function == "duration" => {
            format!("type conversion error from 'string' to 'google.protobuf.Duration' evaluating rule: {said}")
        }
        Err(error) => format!("{error} evaluating rule: {said}"),
    };
    let place = if path.is_empty() { "<nil>" } else { path };
    let field = match rule.field_path.strip_prefix('.') {
        Some(below) if path.is_empty() => below.to_owned(),
        Some(below) => format!("{path}.{below}"),
        None => place.to_owned(),
    };
    Some(match rule.reason.as_deref() {
        Some("FieldValueRequired") => FieldError::required(field, &detail),
        Some("FieldValueForbidden") => FieldError::forbidden(field, &detail),
        Some("FieldValueDuplicate") => FieldError::duplicate(field, value),
        _ => FieldError::invalid_text(field, &format!("\"{}\"", super::validate::type_name(value)), &detail),
    })
}
