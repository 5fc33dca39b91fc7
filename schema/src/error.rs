//! What is wrong with a field, in the words of a real server's 422.
//!
//! Invariant: texts and reasons are those of a real server (`reference/ssa-semantics.md` §1, §4, §7, §8, §12, §13); clients
//! match on some of them.

use serde_json::Value;
use std::fmt::Write as _;

/// One invalid field, as in `details.causes` of a 422.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The machine's word for it: `FieldValueInvalid`.
    pub reason: &'static str,
    /// The path, with indexes and no leading dot: `spec.rules[0].name`.
    pub field: String,
    /// The cause's message: everything after `field: `.
    pub body: String,
}

impl FieldError {
    /// `field: Invalid value: <value>: <detail>`.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            field: field.into(),
            body: format!("Invalid value: {}: {detail}", go_value(value)),
        }
    }

    /// `field: Invalid value: <text as it stands>: <detail>`.
    pub fn invalid_text(field: impl Into<String>, value: &str, detail: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            field: field.into(),
            body: format!("Invalid value: {value}: {detail}"),
        }
    }

    /// `field: Required value[: detail]`.
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        let body = if detail.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {detail}")
        };
        Self {
            reason: "FieldValueRequired",
            field: field.into(),
            body,
        }
    }

    /// `field: Forbidden: <detail>`.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self {
            reason: "FieldValueForbidden",
            field: field.into(),
            body: format!("Forbidden: {detail}"),
        }
    }

    /// `field: Too long: may not be more than <n> bytes`.
    pub fn too_long(field: impl Into<String>, n_bytes: usize) -> Self {
        Self {
            reason: "FieldValueTooLong",
            field: field.into(),
            body: format!("Too long: may not be more than {n_bytes} bytes"),
        }
    }

    /// A wrong type as structural schemas report it: the value is the name of the type that was found.
    pub fn wrong_type(field: impl Into<String>, found: &str, detail: &str) -> Self {
        Self {
            reason: "FieldValueTypeInvalid",
            field: field.into(),
            body: format!("Invalid value: \"{found}\": {detail}"),
        }
    }

    /// `field: Unsupported value: …`.
    pub fn unsupported(field: impl Into<String>, value: &Value, supported: &[Value]) -> Self {
        let list: Vec<String> = supported.iter().map(go_value).collect();
        let body = format!(
            "Unsupported value: {}: supported values: {}",
            go_value(value),
            list.join(", ")
        );
        Self {
            reason: "FieldValueNotSupported",
            field: field.into(),
            body,
        }
    }

    /// `field: Duplicate value: …`.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self {
            reason: "FieldValueDuplicate",
            field: field.into(),
            body: format!("Duplicate value: {}", go_value(value)),
        }
    }

    /// Whether a server judges no rule of an object that has this
    /// (k8s.io/apiextensions-apiserver/pkg/registry/customresource/strategy.go, `hasBlockingErr`).
    pub fn blocks_rules(&self) -> bool {
        matches!(
            self.reason,
            "FieldValueRequired" | "FieldValueTooLong" | "FieldValueTooMany" | "FieldValueTypeInvalid"
        )
    }

    /// The field and what is wrong with it, in one line.
    pub fn text(&self) -> String {
        format!("{}: {}", self.field, self.body)
    }
}

/// Renders a value as Go's field errors do: strings quoted, numbers bare, the rest as JSON.
pub fn go_value(value: &Value) -> String {
    match value {
        Value::String(text) => go_quote(text),
        Value::Null => "\"null\"".to_owned(),
        other => other.to_string(),
    }
}

/// Quotes a string as Go's `%q` does.
pub fn go_quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            other if other.is_control() => {
                let _ = write!(quoted, "\\x{:02x}", other as u32);
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
