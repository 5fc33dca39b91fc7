//! Texts that the server quotes in its messages: names in Go's quotes, and values that we must not repeat.
//!
//! The server writes `conflict with "stackctl/s/x[\"q\"].y"` with Go's escapes (ssa-semantics §1), and it quotes what
//! it refuses: a value, or a whole object (§8). Invariant: [`without_values`] repeats nothing that stood behind a word
//! that introduces a value.

/// Words behind which the server writes a value that it was sent, or holds
/// (`k8s.io/apimachinery/pkg/util/validation/field` and `structured-merge-diff/typed`; ssa-semantics §7, §8, §15).
const VALUE_FOLLOWS: [&str; 8] = [
    "Invalid value: ",
    "Unsupported value: ",
    "Duplicate value: ",
    "Not found: ",
    ", got ",
    "duplicate entries for key ",
    "parsing time ",
    "error found in #",
];

/// What stands in place of a value.
const CUT: &str = "(not shown)";

/// A quoted value longer than this is a whole object or a Go struct: nobody reads it.
const LONGEST_VALUE: usize = 300;

/// No message is longer than this.
const LONGEST_MESSAGE: usize = 2_000;

/// The first text in Go's quotes, unescaped.
pub(crate) fn first_quoted(text: &str) -> Option<String> {
    let start = text.find('"')?;
    unquote(&text[start..]).map(|(name, _)| name)
}

/// A message about a Secret, without any value that it quotes.
///
/// Where a value that is not in Go's quotes ends cannot be known, so it reaches to the end of its line.
pub(crate) fn without_values(message: &str) -> String {
    cut(message, |line| line.len(), |_| true)
}

/// A message about anything else, without whole objects in it: they end at their last brace.
pub(crate) fn without_long_values(message: &str) -> String {
    let end_of_value = |line: &str| match line.rfind("}: ") {
        Some(brace) => brace + 1,
        None => line.find(": ").unwrap_or(line.len()),
    };
    let short = cut(message, end_of_value, |value| value.len() > LONGEST_VALUE);
    match short.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &short[..end]),
        None => short,
    }
}

/// Goes through the message from value to value and replaces what is `unwanted`. A value in Go's quotes ends at its
/// closing quote, any other where `end_of_value` says, given the rest of its line.
fn cut(message: &str, end_of_value: impl Fn(&str) -> usize, unwanted: impl Fn(&str) -> bool) -> String {
    let mut kept = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = next_value(rest) {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        let value_length = match unquote(from) {
            Some((_, after)) => from.len() - after.len(),
            None => end_of_value(from.lines().next().unwrap_or_default()),
        };
        let (value, after) = from.split_at(value_length);
        kept.push_str(if unwanted(value) { CUT } else { value });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

fn next_value(text: &str) -> Option<usize> {
    VALUE_FOLLOWS
        .iter()
        .filter_map(|word| text.find(word).map(|at| at + word.len()))
        .min()
}

/// Splits a text that starts with a Go string (`strconv.Quote`) into that string and the rest.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut characters = text.strip_prefix('"')?.char_indices();
    let inside = &text[1..];
    let mut value = String::new();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &inside[at + 1..])),
            '\\' => {
                let (_, escape) = characters.next()?;
                let n_digits = match escape {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                if n_digits == 0 {
                    value.push(simple_escape(escape));
                } else {
                    let digits: String = characters.by_ref().take(n_digits).map(|(_, digit)| digit).collect();
                    let code = u32::from_str_radix(&digits, 16).ok()?;
                    value.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
            }
            plain => value.push(plain),
        }
    }
    None
}

fn simple_escape(letter: char) -> char {
    match letter {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_out_of_gos_quotes() {
        for (text, name) in [
            (
                r#"conflict with "kubectl" with subresource "scale" using apps/v1"#,
                "kubectl",
            ),
            (r#"conflict with "stackctl/s/x[\"q\"].y""#, r#"stackctl/s/x["q"].y"#),
            (r#"conflict with "a\\b\u00fc\x7f""#, "a\\bü\u{7f}"),
        ] {
            assert_eq!(first_quoted(text).as_deref(), Some(name));
        }
        assert_eq!(first_quoted(r#"conflict with "open"#), None);
    }

    #[test]
    fn values_are_cut_and_the_words_around_them_stay() {
        let immutable = r#"type: Invalid value: "Op\"aque": field is immutable"#;
        assert_eq!(
            without_values(immutable),
            "type: Invalid value: (not shown): field is immutable"
        );
        let object = r#" "" is invalid: patch: Invalid value: {"data":{"p":"c2VjcmV0"}}: strict decoding error"#;
        assert_eq!(
            without_values(object),
            r#" "" is invalid: patch: Invalid value: (not shown)"#
        );
        let typed = ".data.p: expected string, got &{123}\n.type: field not declared in schema";
        assert_eq!(
            without_values(typed),
            ".data.p: expected string, got (not shown)\n.type: field not declared in schema"
        );
    }

    #[test]
    fn elsewhere_only_what_is_long_is_cut() {
        let short = r#"spec.n: Invalid value: 0: spec.n in body should be greater than or equal to 1"#;
        assert_eq!(without_long_values(short), short);
        let long = format!(
            "spec.template: Invalid value: core.PodTemplateSpec{{{}}}: field is immutable",
            "x".repeat(400)
        );
        assert_eq!(
            without_long_values(&long),
            "spec.template: Invalid value: (not shown): field is immutable"
        );
    }
}
