//! The words in which two texts differ: stronger in colour, and marked below where there are no colours.
//!
//! Invariant: two texts that have little in common differ as wholes, and nothing in them stands out.

use super::style::{Meaning, Style};
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// How much of their words two texts have to have in common for them to be compared: two in five.
const ALIKE: (usize, usize) = (2, 5);
/// How long the longer of two texts is at least, in characters, for what differs to be hard to find.
const HARD_TO_READ: usize = 30;

/// A word of a text, or the space between two, and whether the other text has it too.
struct Part<'a> {
    text: &'a str,
    is_shared: bool,
}

/// Colours an old and a new text, and more strongly the words that only one of them has.
pub(super) fn painted(before: &str, after: &str, style: &Style) -> (String, String) {
    let painted = |meaning: Meaning, parts: &[Part<'_>]| {
        let part = |part: &Part<'_>| match part.is_shared {
            true => style.paint(meaning, part.text),
            false => style.paint_strongly(meaning, part.text),
        };
        parts.iter().map(part).collect()
    };
    match compared(before, after, style).filter(|_| style.color) {
        Some([old, new]) => (painted(Meaning::Bad, &old), painted(Meaning::Good, &new)),
        None => (style.paint(Meaning::Bad, before), style.paint(Meaning::Good, after)),
    }
}

/// What stands below an old and a new text where there are no colours: `^` below each word that only one of them has.
/// Nothing where the texts are short enough to be read.
pub(super) fn marks(before: &str, after: &str, style: &Style) -> Option<(String, String)> {
    let longest = before.chars().count().max(after.chars().count());
    if style.color || longest < HARD_TO_READ {
        return None;
    }
    let marks = |parts: &[Part<'_>]| {
        let below = |part: &Part<'_>| {
            let is_marked = |one: char| !part.is_shared && !one.is_whitespace();
            let marks: String = part
                .text
                .chars()
                .map(|one| if is_marked(one) { '^' } else { ' ' })
                .collect();
            marks
        };
        let marks: String = parts.iter().map(below).collect();
        marks.trim_end().to_owned()
    };
    let [old, new] = compared(before, after, style)?;
    Some((marks(&old), marks(&new)))
}

/// The parts of two texts; nothing where they have too few words in common.
fn compared<'a>(before: &'a str, after: &'a str, style: &Style) -> Option<[Vec<Part<'a>>; 2]> {
    let (mut old, mut new) = (parts(before), parts(after));
    let texts = |parts: &[Part<'a>]| parts.iter().map(|part| part.text).collect::<Vec<_>>();
    for operation in capture_diff_slices(Algorithm::Myers, &texts(&old), &texts(&new)) {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = operation
        {
            let shared_old = old.iter_mut().skip(old_index).take(len);
            let shared_new = new.iter_mut().skip(new_index).take(len);
            shared_old.chain(shared_new).for_each(|part| part.is_shared = true);
        }
    }
    // Where both texts were cut within a word, it is the same as far as it is seen.
    if let (Some(last), Some(other)) = (old.last_mut(), new.last_mut())
        && let Some((one, two)) = last
            .text
            .strip_suffix(style.ellipsis())
            .zip(other.text.strip_suffix(style.ellipsis()))
        && (one.starts_with(two) || two.starts_with(one))
    {
        (last.is_shared, other.is_shared) = (true, true);
    }
    let words = || old.iter().chain(&new).filter(|part| !part.text.trim().is_empty());
    let n_shared = words().filter(|part| part.is_shared).count();
    let (some, of) = ALIKE;
    (n_shared > 0 && n_shared * of >= words().count() * some).then_some([old, new])
}

/// Words, and the spaces between them.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_space = first.is_whitespace();
        let end = rest
            .find(|one: char| one.is_whitespace() != is_space)
            .unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        parts.push(Part { text, is_shared: false });
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "--log=info --workers=2 --interface";
    const AFTER: &str = "--log=info --workers=16 --interface";

    #[test]
    fn of_two_long_texts_the_words_that_differ_stand_out_in_colour() {
        let color = Style {
            color: true,
            ..Style::PLAIN
        };
        let (before, after) = painted(BEFORE, AFTER, &color);
        assert!(before.contains("\u{1b}[1;4;31m--workers=2\u{1b}[0m"), "{before:?}");
        assert!(after.contains("\u{1b}[1;4;32m--workers=16\u{1b}[0m"), "{after:?}");
        assert_eq!(marks(BEFORE, AFTER, &color), None);
        // Nothing in common: nothing stands out.
        let (before, _) = painted("one", "two", &color);
        assert_eq!(before, "\u{1b}[31mone\u{1b}[0m");
    }

    #[test]
    fn without_colours_they_are_marked_below_where_a_text_is_long_and_the_other_is_like_it() {
        let (old, new) = marks(BEFORE, AFTER, &Style::PLAIN).expect("marks");
        assert_eq!(
            [BEFORE, &old, AFTER, &new].join("\n"),
            "--log=info --workers=2 --interface\n           ^^^^^^^^^^^\n\
             --log=info --workers=16 --interface\n           ^^^^^^^^^^^^"
        );
        assert_eq!(marks("a b", "a c", &Style::PLAIN), None);
        assert_eq!(
            marks(BEFORE, "something else altogether and longer", &Style::PLAIN),
            None
        );
        // What is cut at another place is no difference.
        let cut = marks(
            "one two three four five six se…",
            "one 2 three four five six seve…",
            &Style::PLAIN,
        );
        assert_eq!(cut, Some(("    ^^^".to_owned(), "    ^".to_owned())));
    }
}
