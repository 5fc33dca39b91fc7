//! Field changes, one line each, with long values folded.
//!
//! Invariants:
//! - What is sensitive shows as `(secret)`, whatever its value.
//! - Two values that differ do not read the same: long ones are cut so that the first difference is seen, and of texts
//!   of several lines those that differ follow.
//! - The words that differ are found without colours too: marks stand below them.
//! - No control character of a value reaches the terminal.

use super::{
    style::{Meaning, Style, at, counted, padded, shortened, visible_width},
    words,
};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use stackctl_engine::{
    FieldPath,
    document::in_words,
    plan::{DriftedBy, FieldChange, Shown},
};

/// How long one value may be on a line.
const LONGEST_VALUE: usize = 60;
/// How long one line of a text may be, and how many are shown.
const LONGEST_LINE: usize = 90;
const MOST_LINES: usize = 18;
/// How many lines that do not differ stand around those that do.
const CONTEXT: usize = 1;
/// How much of a value is shown on however narrow a terminal.
const LEAST_VALUE: usize = 20;
/// How much is shown before the first difference of two long values, and at least after it.
const SEEN_BEFORE: usize = 30;
const SEEN_AFTER: usize = 20;

/// A path for people: without the dot in front that the server writes, and a part of a shared text by its own name.
pub fn path(path: &FieldPath) -> String {
    let text = in_words(path).map(|words| words.replacen(" in .", " in ", 1));
    text.unwrap_or_else(|| path.to_string().trim_start_matches('.').to_owned())
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
    let (before, after) = cut(&change.before, &change.after, style);
    let is_there = |value: &Shown| *value != Shown::Absent;
    (
        Some(before).filter(|_| is_there(&change.before)),
        Some(after).filter(|_| is_there(&change.after)),
    )
}

/// What stood there and what would stand there.
pub fn from_to(change: &FieldChange, style: &Style) -> String {
    from_to_shown(&change.before, &change.after, style)
}

fn from_to_shown(before: &Shown, after: &Shown, style: &Style) -> String {
    let (before, after) = cut(before, after, style);
    let (before, after) = words::painted(&before, &after, style);
    format!("{before} {} {after}", style.arrow())
}

/// What stands below that, if anything does, where it begins in this column.
pub fn below_from_to(change: &FieldChange, column: usize, style: &Style) -> Option<String> {
    let (before, after) = cut(&change.before, &change.after, style);
    let (old, new) = words::marks(&before, &after, style)?;
    let old = padded(&old, visible_width(&before) + visible_width(style.arrow()) + 2);
    Some(format!("{}{old}{new}", " ".repeat(column)).trim_end().to_owned())
}

fn cut(before: &Shown, after: &Shown, style: &Style) -> (String, String) {
    match (before, after) {
        (Shown::Value(_), Shown::Value(_)) => shortened_pair(&whole(before), &whole(after), LONGEST_VALUE, style),
        (before, after) => (shown(before, style), shown(after, style)),
    }
}

/// What a value was and is; null is nothing.
pub fn from_to_values(before: &Value, after: &Value, style: &Style) -> String {
    let side = |value: &Value| match value {
        Value::Null => Shown::Absent,
        value => Shown::Value(value.clone()),
    };
    from_to_shown(&side(before), &side(after), style)
}

/// A change below its resource: one line, or where that is wider than the terminal, one for each side; and marks below.
pub fn lines(change: &FieldChange, indent: usize, style: &Style) -> Vec<String> {
    let name = format!("{}{}:", " ".repeat(indent), path(&change.path));
    let one = format!("{name}  {}", from_to(change, style));
    let by = change.drift.as_ref().map(|by| {
        let verb = if by.manager.is_some() { "last write by " } else { "" };
        style.paint(Meaning::Quiet, &format!("{verb}{}", said_of(change, by)))
    });
    let fits = |line: &str| style.width.is_none_or(|width| visible_width(line) <= width);
    let with_by = by.as_ref().map(|by| format!("{one}   {by}"));
    let mut lines = Vec::new();
    let by_below = match with_by {
        Some(with_by) if fits(&with_by) => {
            lines.push(with_by);
            None
        }
        _ if fits(&one) => {
            lines.push(one);
            by
        }
        _ => {
            let width = style.width.unwrap_or(usize::MAX).saturating_sub(indent + 4);
            let (before, after) = pair(change, width.max(LEAST_VALUE), style);
            let inner = " ".repeat(indent + 2);
            lines.push(name);
            let sides = signed(&before, &after, style).into_iter().flatten();
            lines.extend(sides.map(|line| format!("{inner}{line}")));
            lines.extend(by.map(|by| format!("{inner}{by}")));
            return lines;
        }
    };
    lines.extend(below_from_to(change, visible_width(&name) + 2, style));
    lines.extend(by_below.map(|by| format!("{}{by}", " ".repeat(indent + 2))));
    lines
}

/// What a side of a change is told by.
struct Sign(&'static str, Meaning);

const MINUS: Sign = Sign("-", Meaning::Bad);
const PLUS: Sign = Sign("+", Meaning::Good);

impl Sign {
    fn line(&self, text: &str, style: &Style) -> String {
        self.before(&style.paint(self.1, text), style)
    }

    fn before(&self, painted: &str, style: &Style) -> String {
        format!("{} {painted}", style.paint(self.1, self.0))
    }
}

/// Two texts that differ, each behind its sign, and marks below where there are no colours: the lines of either side.
fn signed(before: &str, after: &str, style: &Style) -> [Vec<String>; 2] {
    let (old, new) = words::painted(before, after, style);
    let (below_old, below_new) = words::marks(before, after, style).unwrap_or_default();
    let side = |sign: Sign, text: &str, marks: &str| {
        let marks = Some(format!("  {marks}")).filter(|_| !marks.is_empty());
        [sign.before(text, style)].into_iter().chain(marks).collect()
    };
    [side(MINUS, &old, &below_old), side(PLUS, &new, &below_new)]
}

fn pair(change: &FieldChange, width: usize, style: &Style) -> (String, String) {
    let cut = |value: &Shown| shortened(&whole(value), width, style.ellipsis());
    match (&change.before, &change.after) {
        (Shown::Value(before), Shown::Value(after)) if !is_folded(before) && !is_folded(after) => {
            shortened_pair(&whole(&change.before), &whole(&change.after), width, style)
        }
        (before, after) => (cut(before), cut(after)),
    }
}

/// Whether a value shows as a count of its lines.
fn is_folded(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains('\n'))
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

/// The lines that differ between two texts of several lines, each with its sign, and a line around them; nothing for other
/// values.
pub fn text_lines(change: &FieldChange, style: &Style) -> Vec<String> {
    let (Shown::Value(Value::String(before)), Shown::Value(Value::String(after))) = (&change.before, &change.after)
    else {
        return Vec::new();
    };
    if !before.contains('\n') && !after.contains('\n') {
        return Vec::new();
    }
    let differences = TextDiff::from_lines(before, after);
    let bare = |line: &str| without_controls(line.trim_end_matches('\n'));
    // Each line stands below its field, behind its sign.
    let width = style
        .width
        .map_or(LONGEST_LINE, |width| width.saturating_sub(10).max(LEAST_VALUE));
    let mut lines = Vec::new();
    for (index, group) in differences.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            lines.push(style.paint(Meaning::Quiet, &format!("  {}", style.ellipsis())));
        }
        for operation in group {
            let (mut same, mut old, mut new) = (Vec::<String>::new(), Vec::<String>::new(), Vec::<String>::new());
            for line in differences.iter_changes(operation) {
                match line.tag() {
                    ChangeTag::Delete => old.push(bare(line.value())),
                    ChangeTag::Insert => new.push(bare(line.value())),
                    ChangeTag::Equal => same.push(bare(line.value())),
                }
            }
            let cut = |text: &String| shortened(text, width, style.ellipsis());
            lines.extend(
                same.iter()
                    .map(|text| style.paint(Meaning::Quiet, &format!("  {}", cut(text)))),
            );
            // A line and the one that takes its place are cut at the same character, and compared word by word.
            let n_pairs = old.len().min(new.len());
            let mut sides = [Vec::new(), Vec::new()];
            for (old, new) in old.iter().zip(&new) {
                let (old, new) = shortened_pair(old, new, width, style);
                for (side, lines) in sides.iter_mut().zip(signed(&old, &new, style)) {
                    side.extend(lines);
                }
            }
            let [minus, plus] = &mut sides;
            minus.extend(old[n_pairs..].iter().map(|text| MINUS.line(&cut(text), style)));
            plus.extend(new[n_pairs..].iter().map(|text| PLUS.line(&cut(text), style)));
            lines.extend(sides.into_iter().flatten());
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
        (None, _) => "somebody; the server does not say who".to_owned(),
    }
}

/// What happened to a field under us, and by whom: what is gone has no owner, and the server names none.
pub(super) fn said_of(change: &FieldChange, by: &DriftedBy) -> String {
    let is_gone = [&change.before, &change.after].contains(&&Shown::Absent);
    match by.manager {
        None if is_gone => "taken away; the server does not say by whom".to_owned(),
        None => "changed; the server does not say by whom".to_owned(),
        Some(_) => written_by(by),
    }
}

/// A line in which nothing tells the terminal what to do; a tab is as wide as a space.
fn without_controls(line: &str) -> String {
    let shown = |one: char| match one {
        '\t' => ' ',
        one if one.is_control() => '\u{fffd}',
        one => one,
    };
    line.chars().map(shown).collect()
}

/// Whether a text reads without quotes: no space at its ends and nothing that looks like another type.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text.contains('"')
        && !text.contains(char::is_control)
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
    fn no_control_character_of_a_value_reaches_the_terminal() {
        assert_eq!(of(json!("a\u{1b}[2Jb")), "\"a\\u001b[2Jb\"");
        let lines = text_lines(
            &change(json!("a\n\tb: 1\n"), json!("a\n\tb:\u{1b}[2J 2\r\n")),
            &Style::PLAIN,
        );
        assert_eq!(lines, ["  a", "-  b: 1", "+  b:\u{fffd}[2J 2\u{fffd}"]);
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
        assert_eq!(text_lines(&change, &Style::PLAIN), ["  a: 1", "- b: 2", "+ b: 3"]);
    }

    #[test]
    fn what_is_between_changes_far_apart_is_folded() {
        let text = |first: u8, last: u8| json!(format!("a: {first}\nb: 0\nc: 0\nd: 0\ne: {last}\n"));
        let lines = text_lines(&change(text(1, 1), text(2, 2)), &Style::PLAIN);
        insta::assert_snapshot!(lines.join("\n"), @"
        - a: 1
        + a: 2
          b: 0
          …
          d: 0
        - e: 1
        + e: 2
        ");
    }

    #[test]
    fn on_a_narrow_terminal_each_side_has_its_line() {
        let narrow = Style {
            width: Some(40),
            ..Style::PLAIN
        };
        let arguments = |level: &str| json!(format!("--log={level} --workers=2 --listen=0.0.0.0:8443"));
        let lines = lines(&change(arguments("info"), arguments("debug")), 6, &narrow);
        assert!(lines.iter().all(|line| visible_width(line) <= 40), "{lines:?}");
        insta::assert_snapshot!(lines.join("\n"), @"
              spec.rules:
                - --log=info --workers=2 --list…
                  ^^^^^^^^^^
                + --log=debug --workers=2 --lis…
                  ^^^^^^^^^^^
        ");
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
          expr: |
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
