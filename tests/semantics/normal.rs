//! Answers without what no two runs share; what is equal within a case stays equal.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Names for what differs from run to run, by first appearance.
#[derive(Default)]
pub(crate) struct Names {
    known: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Names {
    fn name(&mut self, sort: &'static str, text: &str) -> String {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let count = self.counts.entry(sort).or_default();
        *count += 1;
        let name = format!("<{sort}-{count}>");
        self.known.insert(text.to_owned(), name.clone());
        name
    }

    /// Replaces uids, versions, times and tokens.
    pub(crate) fn normal(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| {
                    // A version without a name is a list's or a bookmark's: it depends on what others write.
                    let is_of_many = map.get("name").is_none();
                    let value = match (key.as_str(), value.as_str()) {
                        ("resourceVersion", Some(text)) if is_of_many && !text.is_empty() => json!("<version>"),
                        ("message", Some(text)) => json!(without_versions(&self.in_text(text))),
                        ("uid", Some(text)) if !text.is_empty() => json!(self.name("uid", text)),
                        ("resourceVersion", Some(text)) if !text.is_empty() => json!(self.name("version", text)),
                        ("continue", Some(text)) if !text.is_empty() => json!("<token>"),
                        ("time" | "creationTimestamp" | "deletionTimestamp" | "lastTransitionTime", Some(_)) => {
                            json!("<time>")
                        }
                        ("clusterIP", Some(text)) if text.contains('.') => json!("<address>"),
                        // A real server lists conflicts in no order.
                        ("causes", _) => {
                            let mut causes = value.as_array().cloned().unwrap_or_default();
                            causes.sort_by_key(Value::to_string);
                            self.normal(&Value::Array(causes))
                        }
                        ("clusterIPs", _) if value.is_array() => json!("<addresses>"),
                        (_, Some(text)) => json!(self.in_text(text)),
                        _ => self.normal(value),
                    };
                    (self.in_text(key), value)
                })
                .collect(),
            Value::Array(list) => list.iter().map(|value| self.normal(value)).collect(),
            Value::String(text) => json!(self.in_text(text)),
            other => other.clone(),
        }
    }

    /// Replaces every uid that was seen, also within a sentence.
    pub(crate) fn in_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (known, name) in self.known.iter().filter(|(known, _)| known.len() > 20) {
            text = text.replace(known, name);
        }
        text
    }
}

/// Without the versions that a sentence about versions quotes.
fn without_versions(text: &str) -> String {
    let is_about_versions = ["ResourceVersion in ", "resource version: "]
        .iter()
        .any(|words| text.contains(words));
    if !is_about_versions {
        return text.to_owned();
    }
    let mut result = String::new();
    for c in text.chars() {
        match (c.is_ascii_digit(), result.ends_with('#')) {
            (true, true) => {}
            (true, false) => result.push('#'),
            (false, _) => result.push(c),
        }
    }
    result
}
