//! Field changes, one line each, with long values folded.
//!
//! Invariants:
//! - What is sensitive shows as `(secret)`, whatever its value.
//! - Two values that differ do not read the same: long ones are cut so that the first difference is seen, and of texts
//!   of several lines those that differ follow.

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
/// How much is shown before the first difference of two long values, and at least after it.
const SEEN_BEFORE: usize = 30;
const SEEN_AFTER: usize = 20;

/// A path for people: without the dot in front that the server writes.
pub fn path(path: &FieldPath) -> String {
    path.to_string().trim_start_matches('.').to_owned()
}

/// A value for people, folded where it is long.
pub fn shown(value: &Shown, style: &Style) -> String {
    shortened(&whole(value), LONGEST_VALUE, style.ellipsis())
}

/// A value for people on one line, however long.
fn whole(value: &Shown) -> String {
    match value {
        Shown::Absent => "(none)".to_owned(),
        Shown::Secret => "(secret)".to_owned(),
        Shown::KnownAfter(address) => format!("(known after {address} is ready)"),
        Shown::Value(Value::String(text)) if is_plain(text) => text.clone(),
        Shown::Value(Value::String(text)) if text.contains('\n') => {
            let lines = text.lines().count();
            format!(
                "({lines} {}, {} bytes)",
                if lines == 1 { "line" } else { "lines" },
                text.len()
            )
        }
        Shown::Value(value) => value.to_string(),
    }
}

/// What stood there and what would stand there, each where there is something, cut so that the difference is seen.
pub fn sides(change: &FieldChange, style: &Style) -> (Option<String>, Option<String>) {
    let (before, after) = match (&change.before, &change.after) {
        (Shown::Value(_), Shown::Value(_)) => {
            shortened_pair(&whole(&change.before), &whole(&change.after), LONGEST_VALUE, style)
        }
        (before, after) => (shown(before, style), shown(after, style)),
    };
    let is_there = |value: &Shown| *value != Shown::Absent;
    (
        Some(before).filter(|_| is_there(&change.before)),
        Some(after).filter(|_| is_there(&change.after)),
    )
}

/// What stood there and what would stand there.
pub fn from_to(change: &FieldChange, style: &Style) -> String {
    let (before, after) = match (&change.before, &change.after) {
        (Shown::Value(_), Shown::Value(_)) => {
            shortened_pair(&whole(&change.before), &whole(&change.after), LONGEST_VALUE, style)
        }
        (before, after) => (shown(before, style), shown(after, style)),
    };
    format!(
        "{} {} {}",
        style.paint(Meaning::Bad, &before),
        style.arrow(),
        style.paint(Meaning::Good, &after)
    )
}

/// Cuts two texts to a number of characters so that the first place where they differ is in both.
fn shortened_pair(before: &str, after: &str, width: usize, style: &Style) -> (String, String) {
    let ellipsis = style.ellipsis();
    let n_same = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
    let is_seen = n_same + SEEN_AFTER <= width;
    let longest = before.chars().count().max(after.chars().count());
    if longest <= width || is_seen {
        return (shortened(before, width, ellipsis), shortened(after, width, ellipsis));
    }
    let skipped = n_same.saturating_sub(SEEN_BEFORE);
    let rest = |text: &str| {
        let rest: String = text.chars().skip(skipped).collect();
        shortened(&format!("{ellipsis}{rest}"), width, ellipsis)
    };
    (rest(before), rest(after))
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
    let bare = |line: &str| line.trim_end_matches('\n').to_owned();
    let mut lines = Vec::new();
    for operation in differences.ops() {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for line in differences.iter_changes(operation) {
            match line.tag() {
                ChangeTag::Delete => old.push(bare(line.value())),
                ChangeTag::Insert => new.push(bare(line.value())),
                ChangeTag::Equal => {}
            }
        }
        // A line and the one that takes its place are cut at the same character.
        for (old, new) in old.iter_mut().zip(&mut new) {
            (*old, *new) = shortened_pair(old, new, LONGEST_LINE, style);
        }
        for (sign, meaning, side) in [("-", Meaning::Bad, old), ("+", Meaning::Good, new)] {
            let signed = |text: String| format!("{sign} {}", shortened(&text, LONGEST_LINE, style.ellipsis()));
            lines.extend(side.into_iter().map(|text| style.paint(meaning, &signed(text))));
        }
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

    fn change(before: Value, after: Value) -> FieldChange {
        FieldChange {
            path: FieldPath::of("spec.rules"),
            before: Shown::Value(before),
            after: Shown::Value(after),
            drift: None,
        }
    }

    #[test]
    fn long_values_are_cut_where_they_begin_to_differ() {
        let rule = |weight: u8| {
            let group = "inference.networking.k8s.io";
            json!([{"backendRefs": [{"group": group, "kind": "InferencePool", "name": "old", "weight": weight}]}])
        };
        insta::assert_snapshot!(
            from_to(&change(rule(90), rule(50)), &Style::PLAIN),
            @r#"…cePool","name":"old","weight":90}]}] → …cePool","name":"old","weight":50}]}]"#
        );
        let query = |window: &str| {
            json!(format!(
                "expr: |\n  {}[{window}]))\n",
                "sum(rate(tokens_total".repeat(8)
            ))
        };
        insta::assert_snapshot!(
            text_lines(&change(query("5m"), query("1m")), &Style::PLAIN).join("\n"),
            @"
        - …ns_totalsum(rate(tokens_total[5m]))
        + …ns_totalsum(rate(tokens_total[1m]))
        "
        );
    }

    #[test]
    fn of_two_long_values_the_longer_shows_what_it_has_more() {
        let names = |count: usize| json!(vec!["gateway.apps.example.com"; count]);
        insta::assert_snapshot!(from_to(&change(names(5), names(6)), &Style::PLAIN), @r#"…om","gateway.apps.example.com"] → …om","gateway.apps.example.com","gateway.apps.example.com"]"#);
    }

    proptest::proptest! {
        #[test]
        fn values_that_differ_never_read_the_same(same in "[a-z]{0,120}", old in "[a-z]{0,120}", new in "[a-z]{0,120}") {
            let (old, new) = (format!("{same}{old}"), format!("{same}{new}"));
            let (before, after) = shortened_pair(&old, &new, LONGEST_VALUE, &Style::PLAIN);
            proptest::prop_assert_eq!(old == new, before == after);
            proptest::prop_assert!(before.chars().count() <= LONGEST_VALUE && after.chars().count() <= LONGEST_VALUE);
        }
    }

    #[test]
    fn long_values_are_folded() {
        assert_eq!(of(json!("x".repeat(100))).chars().count(), LONGEST_VALUE);
    }
}
