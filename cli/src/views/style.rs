//! Colours by meaning, marks, plural forms and widths.
//!
//! Invariant: colour repeats what a mark or a word says; without it nothing is lost.

use stackctl_engine::plan::{Action, NodeKind};
use std::time::Duration;

/// What a place of output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether colours may be used.
    pub color: bool,
    /// Whether marks outside ASCII may be used.
    pub unicode: bool,
    /// How many columns there are; nothing when it is no terminal, and nothing is cut.
    pub width: Option<usize>,
}

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Something comes, or went well.
    Good,
    /// Something changes, or wants attention.
    Attention,
    /// Something goes, or went wrong.
    Bad,
    /// Something runs or waits.
    Busy,
    /// A heading.
    Heading,
    /// Beside the point.
    Quiet,
}

impl Style {
    /// Text without colours, for files and tests.
    pub const PLAIN: Self = Self {
        color: false,
        unicode: true,
        width: None,
    };

    /// Colours a text.
    pub fn paint(&self, meaning: Meaning, text: &str) -> String {
        self.colored(code(meaning), text)
    }

    /// Colours what differs within a text that is coloured as well.
    pub fn paint_strongly(&self, meaning: Meaning, text: &str) -> String {
        self.colored(&format!("1;4;{}", code(meaning)), text)
    }

    fn colored(&self, code: &str, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The mark of a step, coloured.
    pub fn action_mark(&self, action: Action, node: NodeKind) -> String {
        let (mark, ascii, meaning) = match action {
            Action::Create => ("+", "+", Meaning::Good),
            Action::Update => ("~", "~", Meaning::Attention),
            Action::Replace => ("±", "%", Meaning::Bad),
            Action::Delete => ("-", "-", Meaning::Bad),
            Action::Adopt => (">", ">", Meaning::Good),
            Action::Release => ("<", "<", Meaning::Attention),
            Action::Forget => ("×", "x", Meaning::Quiet),
            Action::Run => ("!", "!", Meaning::Attention),
            Action::Wait | Action::Check => ("?", "?", Meaning::Busy),
            Action::NoOp if matches!(node, NodeKind::Gate | NodeKind::Check) => ("?", "?", Meaning::Busy),
            Action::Record | Action::NoOp => ("=", "=", Meaning::Quiet),
        };
        self.paint(meaning, if self.unicode { mark } else { ascii })
    }

    /// The mark of something that is done and well.
    pub fn ready_mark(&self) -> String {
        self.paint(Meaning::Good, if self.unicode { "✓" } else { "v" })
    }

    /// The mark of something that failed.
    pub fn failed_mark(&self) -> String {
        self.paint(Meaning::Bad, if self.unicode { "✗" } else { "X" })
    }

    /// The mark of something that waits.
    pub fn waiting_mark(&self) -> String {
        self.paint(Meaning::Busy, self.dot())
    }

    /// A dot before an item of a list.
    pub fn dot(&self) -> &'static str {
        if self.unicode { "·" } else { "*" }
    }

    /// From one value to another.
    pub fn arrow(&self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    /// What stands where a text was cut.
    pub fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// Cuts a line without colours to the width of the terminal.
    pub fn cut(&self, line: &str) -> String {
        match self.width {
            Some(width) => shortened(line, width, self.ellipsis()),
            None => line.to_owned(),
        }
    }
}

const fn code(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Good => "32",
        Meaning::Attention => "33",
        Meaning::Bad => "31",
        Meaning::Busy => "36",
        Meaning::Heading => "1",
        Meaning::Quiet => "2",
    }
}

/// Breaks a text without colours between words, so that no line is wider than it may be, but for a word that is.
pub fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let is_first = lines[last].is_empty();
        if !is_first && visible_width(&lines[last]) + 1 + visible_width(word) > width {
            lines.push(word.to_owned());
        } else {
            if !is_first {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

/// An item of a list: a mark, and a text without colours behind it, folded at the width of the terminal below itself.
pub fn item(mark: &str, text: &str, style: &Style) -> String {
    let indent = visible_width(mark);
    let width = style
        .width
        .map_or(usize::MAX, |width| width.saturating_sub(indent).max(LEAST_TEXT));
    let below = format!("\n{}", " ".repeat(indent));
    format!("{mark}{}", broken(text, width).join(&below))
}

/// How much of a text stands on a line at least, however narrow the terminal.
const LEAST_TEXT: usize = 20;

/// Cuts a text to a number of characters, saying so.
pub fn shortened(text: &str, width: usize, ellipsis: &str) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(ellipsis.chars().count());
    let mut short: String = text.chars().take(kept).collect();
    short.push_str(ellipsis);
    short
}

/// Fills a text with spaces up to a number of characters; colours inside count as none.
pub fn padded(text: &str, width: usize) -> String {
    let mut padded = text.to_owned();
    padded.extend(std::iter::repeat_n(' ', width.saturating_sub(visible_width(text))));
    padded
}

/// A row of two cells. What follows a first cell that is wider than its column stands below it, where the column ends, so
/// that the columns of all rows stay in line. `indent` stands before the first cell.
pub fn row(indent: &str, first: &str, width: usize, rest: &str) -> String {
    if rest.is_empty() {
        format!("{indent}{first}")
    } else if visible_width(first) <= width {
        format!("{indent}{}  {rest}", padded(first, width))
    } else {
        let column = (visible_width(indent) + width + 2).max(LEAST_COLUMN);
        format!("{indent}{first}\n{}{rest}", " ".repeat(column))
    }
}

/// Where what stands below a wide cell begins at least: further in than what is said of its row below it.
const LEAST_COLUMN: usize = 8;

/// How many columns a text takes: its characters without colour sequences.
pub fn visible_width(text: &str) -> usize {
    let (mut count, mut in_sequence) = (0, false);
    for character in text.chars() {
        match character {
            '\u{1b}' => in_sequence = true,
            'm' if in_sequence => in_sequence = false,
            _ if in_sequence => {}
            _ => count += 1,
        }
    }
    count
}

/// A count and its noun: `1 error`, `2 errors`.
pub fn counted(count: usize, noun: &str) -> String {
    let text = grouped(count);
    if count == 1 {
        format!("{text} {noun}")
    } else {
        format!("{text} {noun}s")
    }
}

/// A number with its thousands apart: `30,000`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time for people: `0.2 s`, `52 s`, `1 m 48 s`, `1 h 05 m`.
pub fn spent(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A length of time that still grows, in whole seconds: `8 s`, `1 m 48 s`.
pub fn running(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..10 => format!("{seconds} s"),
        seconds => spent(Duration::from_secs(seconds)),
    }
}

/// A length of time that is only roughly known: `20 s`, `23 min`, `2 h 10 min`.
pub fn roughly(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..90 => format!("{} s", seconds.max(1)),
        90..5400 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A time of the server, `2026-11-22T10:31:00Z`, for people: `2026-11-22 10:31 UTC`.
pub fn at(time: &str) -> String {
    match (time.get(..10), time.get(10..11), time.get(11..16)) {
        (Some(day), Some("T"), Some(minute)) if time.ends_with('Z') => format!("{day} {minute} UTC"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let texts: Vec<_> = [0.24, 52.0, 108.0, 3900.0]
            .into_iter()
            .map(|s| spent(Duration::from_secs_f64(s)))
            .collect();
        assert_eq!(texts, ["0.2 s", "52 s", "1 m 48 s", "1 h 05 m"]);
        assert_eq!(roughly(Duration::from_secs(23 * 60 + 10)), "23 min");
        assert_eq!(at("2026-11-22T10:31:07Z"), "2026-11-22 10:31 UTC");
    }

    #[test]
    fn widths_do_not_count_colours() {
        let style = Style {
            color: true,
            ..Style::PLAIN
        };
        assert_eq!(visible_width(&style.paint(Meaning::Good, "ab")), 2);
        assert_eq!(padded("ab", 4), "ab  ");
        assert_eq!(shortened("abcdef", 4, "…"), "abc…");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn an_item_is_folded_below_its_own_text() {
        let narrow = Style {
            width: Some(24),
            ..Style::PLAIN
        };
        assert_eq!(
            item("  * ", "takes four fields of something", &narrow),
            "  * takes four fields of\n    something"
        );
        assert_eq!(
            item("  * ", "takes four fields of something", &Style::PLAIN)
                .lines()
                .count(),
            1
        );
    }

    #[test]
    fn what_follows_a_wide_cell_stands_below_it_in_its_column() {
        let rows = ["one", "far-too-long-for-it", "two"].map(|first| row("  + ", first, 5, "what"));
        assert_eq!(
            rows.join("\n"),
            "  + one    what\n  + far-too-long-for-it\n           what\n  + two    what"
        );
        assert_eq!(row("  ", "far-too-long", 5, ""), "  far-too-long");
    }
}
