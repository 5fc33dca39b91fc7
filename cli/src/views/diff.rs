//! Field changes, one line each, with long values folded.
//!
//! Invariant: what is sensitive shows as `(secret)`, whatever its value.

use super::style::{Meaning, Style, at, counted, shortened};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use stackctl_engine::{
    FieldPath,
    plan::{DriftedBy, FieldChange, Shown},
};

/// How long one value may be on a line.
const LONGEST_VALUE: usize = 60;
/// How long one line of a text may be, and how many are shown.
const LONGEST_LINE: usize = 90;
const MOST_LINES: usize = 12;

/// A path for people: without the dot in front that the server writes.
pub fn path(path: &FieldPath) -> String {
    path.to_string().trim_start_matches('.').to_owned()
}

/// A value for people, folded where it is long.
pub fn shown(value: &Shown, style: &Style) -> String {
    match value {
        Shown::Absent => "(none)".to_owned(),
        Shown::Secret => "(secret)".to_owned(),
        Shown::KnownAfter(address) => format!("(known after {address} is ready)"),
        Shown::Value(Value::String(text)) if is_plain(text) => shortened(text, LONGEST_VALUE, style.ellipsis()),
        Shown::Value(Value::String(text)) if text.contains('\n') => {
            let lines = text.lines().count();
            format!(
                "({lines} {}, {} bytes)",
                if lines == 1 { "line" } else { "lines" },
                text.len()
            )
        }
        Shown::Value(value) => shortened(&value.to_string(), LONGEST_VALUE, style.ellipsis()),
    }
}

/// What stood there and what would stand there.
pub fn from_to(change: &FieldChange, style: &Style) -> String {
    format!(
        "{} {} {}",
        style.paint(Meaning::Bad, &shown(&change.before, style)),
        style.arrow(),
        style.paint(Meaning::Good, &shown(&change.after, style))
    )
}

/// The lines that differ between two texts of several lines, each with its sign; nothing for other values.
pub fn text_lines(change: &FieldChange, style: &Style) -> Vec<String> {
    let (Shown::Value(Value::String(before)), Shown::Value(Value::String(after))) = (&change.before, &change.after)
    else {
        return Vec::new();
    };
    if !before.contains('\n') && !after.contains('\n') {
        return Vec::new();
    }
    let differences = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for line in differences.iter_all_changes() {
        let (sign, meaning) = match line.tag() {
            ChangeTag::Delete => ("-", Meaning::Bad),
            ChangeTag::Insert => ("+", Meaning::Good),
            ChangeTag::Equal => continue,
        };
        let text = line.value().trim_end_matches('\n');
        lines.push(style.paint(
            meaning,
            &format!("{sign} {}", shortened(text, LONGEST_LINE, style.ellipsis())),
        ));
    }
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    if more > 0 {
        lines.push(format!("{} {}", style.ellipsis(), counted(more, "more line")));
    }
    lines
}

/// Who wrote a field last, and when, as far as it is known.
pub fn written_by(by: &DriftedBy) -> String {
    match (&by.manager, &by.time) {
        (Some(manager), Some(time)) => format!("{manager}, {}", at(time)),
        (Some(manager), None) => manager.clone(),
        (None, _) => "taken away; the server does not say by whom".to_owned(),
    }
}

/// Whether a text reads without quotes: no space at its ends and nothing that looks like another type.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text.contains(['\n', '"', '\t'])
        && text.parse::<f64>().is_err()
        && !matches!(text, "true" | "false" | "null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: Value) -> String {
        shown(&Shown::Value(value), &Style::PLAIN)
    }

    #[test]
    fn texts_that_could_be_something_else_are_quoted() {
        assert_eq!(of(json!("stable-v1")), "stable-v1");
        assert_eq!(of(json!("true")), "\"true\"");
        assert_eq!(of(json!("1")), "\"1\"");
        assert_eq!(of(json!(true)), "true");
        assert_eq!(of(json!("a\nb\n")), "(2 lines, 4 bytes)");
        assert_eq!(shown(&Shown::Secret, &Style::PLAIN), "(secret)");
    }

    #[test]
    fn of_a_text_of_several_lines_only_those_that_differ_are_shown() {
        let value = |text: &str| Shown::Value(json!(text));
        let change = FieldChange {
            path: FieldPath::of("data.config"),
            before: value("a: 1\nb: 2\n"),
            after: value("a: 1\nb: 3\n"),
            drift: None,
        };
        assert_eq!(text_lines(&change, &Style::PLAIN), ["- b: 2", "+ b: 3"]);
    }

    #[test]
    fn long_values_are_folded() {
        assert_eq!(of(json!("x".repeat(100))).chars().count(), LONGEST_VALUE);
    }
}
