//! What a stack or a cluster says, made harmless between Markdown of ours.
//!
//! Sources: CommonMark 0.31 §2.4 (backslash escapes), §4.5 (fences), §6.1 (code spans); GitHub Flavored Markdown §4.10
//! (tables: a `|` in a cell is escaped, also in a code span).

use std::fmt::Write as _;

/// Text in a cell of a table, or in a paragraph, on one line.
pub(super) fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                escaped.push('\\');
                escaped.push(character);
            }
            // Nobody is called by a name that stands in a stack.
            '@' => escaped.push_str("@\u{2060}"),
            other => escaped.push(visible(other)),
        }
    }
    escaped
}

/// A name in a code span.
pub(super) fn code(text: &str) -> String {
    let text: String = text.chars().map(visible).collect();
    let ticks = "`".repeat(longest_run(&text) + 1);
    // A space on each side is taken away again, and keeps a backtick at an end apart.
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{ticks}{pad}{}{pad}{ticks}", text.replace('|', "\\|"))
}

/// Text inside an element of HTML, on one line.
pub(super) fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // What is Markdown is read as such also between elements.
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' => {
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            '@' => escaped.push_str("@\u{2060}"),
            other => escaped.push(visible(other)),
        }
    }
    escaped
}

/// Lines in a fence that none of them can end.
pub(super) fn fenced(language: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| line.chars().map(visible).collect()).collect();
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// A character that does not move the text about.
fn visible(character: char) -> char {
    if character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    {
        ' '
    } else {
        character
    }
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markdown_stays_text() {
        assert_eq!(
            cell("a|b <b> `c` *d* @all\n# e"),
            "a\\|b &lt;b&gt; \\`c\\` \\*d\\* @\u{2060}all \\# e"
        );
        assert_eq!(code("a`b|c"), "``a`b\\|c``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(html("</summary>*"), "&lt;/summary&gt;&#42;");
    }

    #[test]
    fn a_fence_is_longer_than_any_in_it() {
        let lines = ["+ a: ````".to_owned(), "```\u{1b}[2J".to_owned()];
        assert_eq!(fenced("diff", &lines), "`````diff\n+ a: ````\n``` [2J\n`````\n");
    }
}
