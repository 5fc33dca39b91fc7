//! JSON as people can read and compare it: keys sorted, one line for what fits into one.

use serde_json::Value;

/// The width after which a value is broken over several lines.
const WIDTH: usize = 150;

/// The whole file, with a newline at its end.
pub(super) fn file(value: &Value) -> String {
    let mut out = String::new();
    pretty(value, 0, 0, &mut out);
    out.push('\n');
    out
}

/// The value on one line, keys sorted.
pub(super) fn compact(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let mut entries = map.iter().collect::<Vec<_>>();
            entries.sort_by_key(|(key, _)| *key);
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(key), compact(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn quoted(key: &str) -> String {
    Value::from(key).to_string()
}

fn pretty(value: &Value, depth: usize, used: usize, out: &mut String) {
    let line = compact(value);
    let children = match value {
        Value::Array(items) => items.iter().map(|item| (None, item)).collect::<Vec<_>>(),
        Value::Object(map) => {
            let mut entries = map
                .iter()
                .map(|(key, value)| (Some(quoted(key)), value))
                .collect::<Vec<_>>();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            entries
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    if children.is_empty() || depth + used + line.len() <= WIDTH {
        out.push_str(&line);
        return;
    }
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    out.push(open);
    let n_children = children.len();
    for (index, (key, child)) in children.into_iter().enumerate() {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', depth + 1));
        let mut used = 0;
        if let Some(key) = key {
            used = key.len() + 2;
            out.push_str(&key);
            out.push_str(": ");
        }
        pretty(child, depth + 1, used, out);
        if index + 1 < n_children {
            out.push(',');
        }
    }
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', depth));
    out.push(close);
}
