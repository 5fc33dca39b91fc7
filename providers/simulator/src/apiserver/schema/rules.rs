//! Rules of a definition in CEL (`x-kubernetes-validations`).
//!
//! Invariants:
//! - A rule that names `oldSelf` is judged only where there is an old value
//!   (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#transition-rules>):
//!   through fields, and through items of lists that are told apart by keys.
//! - Which rules are not judged is known when the definition is read ([`Gaps`]), not when an object is met.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use cel::Program;
use serde_json::{Map, Value};

use super::super::status::FieldError;
use super::library::{self, Gaps, NotJudged};
use super::{ListType, Schema};

/// One rule, ready to be judged.
pub(in crate::apiserver) struct Rule {
    text: String,
    program: Program,
    message: Option<String>,
    message_expression: Option<Program>,
    reason: Option<String>,
    field_path: String,
    is_transition: bool,
}

impl fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Rule({})", self.text)
    }
}

/// Reads the rules of one node of a definition's schema; what cannot be compiled is left out and counted.
pub(super) fn read(node: &Value, gaps: &mut Gaps) -> Vec<Rule> {
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
    }))
}

/// Judges every rule; `old` is the object before the write.
pub(in crate::apiserver) fn judge(schema: &Schema, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if schema.has_rules {
        walk(schema, object, old, &mut String::new(), &mut errors);
    }
    errors
}

fn walk(schema: &Schema, value: &Value, old: Option<&Value>, path: &mut String, errors: &mut Vec<FieldError>) {
    if value.is_null() || !schema.has_rules {
        return;
    }
    for rule in schema.rules.iter() {
        if let Some(error) = broken(rule, schema, value, old, path) {
            errors.push(error);
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
                walk(property, child, old.and_then(|old| old.get(name)), path, errors);
                path.truncate(length);
            }
        }
        Value::Array(list) => {
            let Some(items) = &schema.items else { return };
            let before = by_key(&schema.list_type, old);
            for (index, child) in list.iter().enumerate() {
                let old = key_of(&schema.list_type, child).and_then(|key| before.get(&key).copied());
                let _ = write!(path, "[{index}]");
                walk(items, child, old, path, errors);
                path.truncate(length);
            }
        }
        _ => {}
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
    if rule.is_transition && old.is_none() {
        return None;
    }
    let mut context = library::context();
    context.add_variable_from_value("self", library::value_of(schema, value));
    if let Some(old) = old {
        context.add_variable_from_value("oldSelf", library::value_of(schema, old));
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
        Err(cel::ExecutionError::UndeclaredReference(name)) => {
            tracing::debug!(rule = rule.text, %name, "this rule is not judged: it needs a function that is not here");
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
