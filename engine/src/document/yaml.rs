//! One key in a YAML text that others write too.
//!
//! Only the line of our key is touched, so every other byte, comments included, stays as it was. A text that is not a
//! block mapping at its top level (one in braces, say) is refused rather than rewritten.

use super::DocumentError;
use serde_json::Value;

/// The value of a key at the top level, if it is there.
///
/// # Errors
/// When the text cannot be read line by line, or the key holds a list or a map.
pub fn yaml_key(text: &str, key: &str) -> Result<Option<Value>, DocumentError> {
    let Some((start, end)) = find(text, key)? else {
        return Ok(None);
    };
    let after = text[start..end].split_once(':').map_or("", |(_, after)| after);
    let value = after.split(" #").next().unwrap_or_default().trim();
    let nested = text[end..]
        .lines()
        .next()
        .is_some_and(|next| next.starts_with([' ', '\t', '-']));
    if value.is_empty() && nested || value.starts_with(['{', '[', '|', '>', '&', '*']) {
        return Err(DocumentError::NotAScalar { key: key.to_owned() });
    }
    Ok(Some(match value {
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        number if number.parse::<i64>().is_ok() => number.parse::<i64>().map_or(Value::Null, Value::from),
        text => Value::from(text.trim_matches(['"', '\''])),
    }))
}

/// The text with the key set to a scalar, or taken out for `None`.
///
/// # Errors
/// When the text cannot be edited line by line.
pub fn with_yaml_key(text: &str, key: &str, value: Option<&Value>) -> Result<String, DocumentError> {
    yaml_key(text, key)?;
    let line = value.map(|value| format!("{key}: {value}\n"));
    let Some((start, end)) = find(text, key)? else {
        let gap = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        return Ok(line.map_or_else(|| text.to_owned(), |line| format!("{text}{gap}{line}")));
    };
    Ok(format!(
        "{}{}{}",
        &text[..start],
        line.unwrap_or_default(),
        &text[end..]
    ))
}

/// The bytes of the key's line, its line end included.
fn find(text: &str, key: &str) -> Result<Option<(usize, usize)>, DocumentError> {
    let mut at = 0;
    let mut found = None;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let is_content = !content.is_empty() && !content.starts_with(['#', ' ', '\t']) && content != "---";
        if is_content {
            let Some((name, _)) = content.split_once(':') else {
                return Err(DocumentError::NotABlock { key: key.to_owned() });
            };
            if name.starts_with(['{', '[', '-']) {
                return Err(DocumentError::NotABlock { key: key.to_owned() });
            }
            if name.trim().trim_matches(['"', '\'']) == key {
                found = Some((at, at + line.len()));
            }
        }
        at += line.len();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHARED: &str = "# ours\nprometheusK8s:\n  retention: 7d  # a week\nenableUserWorkload: false # for now\n";

    #[test]
    fn only_our_line_changes() {
        let edited = with_yaml_key(SHARED, "enableUserWorkload", Some(&json!(true))).expect("editable");
        assert_eq!(
            edited,
            "# ours\nprometheusK8s:\n  retention: 7d  # a week\nenableUserWorkload: true\n"
        );
        assert_eq!(yaml_key(SHARED, "enableUserWorkload"), Ok(Some(json!(false))));
    }

    #[test]
    fn a_key_that_is_not_there_is_added_and_taken_out_again() {
        let before = "a:\n  b: 1";
        let added = with_yaml_key(before, "k", Some(&json!(true))).expect("editable");
        assert_eq!(added, "a:\n  b: 1\nk: true\n");
        assert_eq!(with_yaml_key(&added, "k", None).expect("editable"), "a:\n  b: 1\n");
        assert_eq!(with_yaml_key("", "k", Some(&json!(1))).expect("editable"), "k: 1\n");
    }

    #[test]
    fn what_cannot_be_edited_by_line_is_refused() {
        assert!(with_yaml_key("{a: 1}\n", "k", Some(&json!(true))).is_err());
        assert!(yaml_key("k:\n  nested: 1\n", "k").is_err());
    }
}
