//! One document of YAML, as `kubectl` reads it.
//!
//! `kubectl` reads with sigs.k8s.io/yaml, which is YAML 1.1 where that matters: `yes`, `on` and the like are booleans in
//! some spellings, `0644` is octal, and a fraction of zero is a whole number
//! (<https://github.com/kubernetes-sigs/yaml/blob/v1.6.0/goyaml.v2/resolve.go>). Aliases, merges and limits are the
//! library's.
//!
//! Invariant: what YAML 1.2 would read otherwise is told, so that people see what they wrote.

use serde_json::{Number, Value};
use serde_saphyr::{UserMessageFormatter, options};

/// A plain word that YAML 1.1 takes for a boolean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spelled {
    /// The line within the text, from 0.
    pub(super) line: usize,
    /// Where it stands: the key before it, or the word itself where it is a key.
    pub(super) at: String,
    /// The word.
    pub(super) word: String,
    /// What it is read as; none for a key, which stays a text here.
    pub(super) value: Option<bool>,
}

/// Why a text is no document, in our words where the library speaks to programmers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unread {
    /// The line within the text, from 0.
    pub(super) line: usize,
    pub(super) why: String,
    /// A key stands twice in a map; there may be more of them.
    pub(super) is_key_twice: bool,
}

impl From<serde_saphyr::Error> for Unread {
    fn from(error: serde_saphyr::Error) -> Self {
        use serde_saphyr::Error;
        let line = error
            .location()
            .map_or(0, |location| location.line().saturating_sub(1) as usize);
        let is_key_twice = matches!(error.without_snippet(), Error::DuplicateMappingKey { .. });
        let why = match error.without_snippet() {
            Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key `{key}` stands twice in a map"),
            Error::DuplicateMappingKey { .. } => "a key stands twice in a map".to_owned(),
            Error::UnknownAnchor { .. } => "an alias (`*…`) is to no anchor (`&…`) before it".to_owned(),
            Error::Eof { .. } => "it ends where something is missing".to_owned(),
            other => in_our_words(first_line(&other.render_with_formatter(&UserMessageFormatter))),
        };
        Self {
            line,
            why,
            is_key_twice,
        }
    }
}

/// What the library says of its limits is for programmers.
fn in_our_words(why: String) -> String {
    if why.contains("limits breached") {
        "it comes to more than a cluster would take: aliases of aliases, or maps in maps without end".to_owned()
    } else {
        why
    }
}

/// The first line says what is wrong; what may follow it shows the text again.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// The booleans beside `true` and `false`: in these spellings and no others.
const TRUE: [&str; 8] = ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON"];
const FALSE: [&str; 8] = ["n", "N", "no", "No", "NO", "off", "Off", "OFF"];

/// Below this, a whole number that was written as a fraction is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a document; the words that only YAML 1.1 takes for booleans come along.
///
/// # Errors
/// What is wrong where.
pub(super) fn read(text: &str) -> Result<(Value, Vec<Spelled>), Unread> {
    let strict = options! { strict_booleans: true, legacy_octal_numbers: true, with_snippet: false };
    let mut value: Value = serde_saphyr::from_str_with_options(text, strict)?;
    let mut words = words(text);
    let mut spelled = Vec::new();
    if words.is_empty() {
        whole(&mut value);
        return Ok((value, spelled));
    }
    // Where the two differ stands a plain word: a text in quotes is one to both.
    let loose = options! { legacy_octal_numbers: true, with_snippet: false };
    let other: Value = serde_saphyr::from_str_with_options(text, loose)?;
    told_apart(&mut value, &other, "", &mut words, &mut spelled);
    spelled.sort_by_key(|word| word.line);
    whole(&mut value);
    Ok((value, spelled))
}

/// A word on a line that may be one of the booleans.
struct Word<'a> {
    line: usize,
    text: &'a str,
    word: &'a str,
    is_key: bool,
}

/// Every plain word that could be a boolean: what stands around it decides later.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let bytes = line.as_bytes();
        let mut start = 0;
        while start < bytes.len() {
            if !bytes[start].is_ascii_alphanumeric() {
                start += 1;
                continue;
            }
            let length = bytes[start..]
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric())
                .count();
            let at = start;
            start += length;
            if length > 3 {
                continue;
            }
            let word = &line[at..start];
            if !(TRUE.contains(&word) || FALSE.contains(&word)) {
                continue;
            }
            let (before, after) = (line[..at].trim_end(), line[start..].trim_start());
            let begins = before.is_empty() || before.ends_with([':', '-', '[', ',', '{', '?']) || is_tagged(before);
            let is_key = after == ":" || after.starts_with(": ");
            if begins && (is_key || after.is_empty() || after.starts_with([',', ']', '}', '#'])) {
                found.push(Word {
                    line: number,
                    text: line,
                    word,
                    is_key,
                });
            }
        }
    }
    found
}

/// Whether an anchor or a tag ends the text.
fn is_tagged(before: &str) -> bool {
    before
        .rsplit(' ')
        .next()
        .is_some_and(|last| last.starts_with(['&', '!']))
}

/// Takes over the booleans that `kubectl` reads, and keeps the texts that it reads as texts.
fn told_apart(value: &mut Value, other: &Value, key: &str, words: &mut Vec<Word<'_>>, spelled: &mut Vec<Spelled>) {
    match (value, other) {
        (Value::Object(map), Value::Object(others)) => {
            for (name, child) in map {
                let is_word = TRUE.contains(&name.as_str()) || FALSE.contains(&name.as_str());
                if is_word && let Some(line) = taken(words, name, |word| word.is_key) {
                    spelled.push(Spelled {
                        line,
                        at: name.clone(),
                        word: name.clone(),
                        value: None,
                    });
                }
                if let Some(other) = others.get(name) {
                    told_apart(child, other, name, words, spelled);
                }
            }
        }
        (Value::Array(items), Value::Array(others)) => {
            for (item, other) in items.iter_mut().zip(others) {
                told_apart(item, other, key, words, spelled);
            }
        }
        (value, Value::Bool(_)) => {
            let Value::String(word) = &*value else { return };
            let read = if TRUE.contains(&word.as_str()) {
                true
            } else if FALSE.contains(&word.as_str()) {
                false
            } else {
                return;
            };
            let line = taken(words, word, |found| !found.is_key && found.text.contains(key))
                .or_else(|| taken(words, word, |found| !found.is_key));
            spelled.push(Spelled {
                line: line.unwrap_or(0),
                at: key.to_owned(),
                word: word.clone(),
                value: Some(read),
            });
            *value = Value::Bool(read);
        }
        _ => {}
    }
}

/// Takes the first such word out; returns its line.
fn taken(words: &mut Vec<Word<'_>>, word: &str, is_it: impl Fn(&Word<'_>) -> bool) -> Option<usize> {
    let at = words.iter().position(|found| found.word == word && is_it(found))?;
    Some(words.remove(at).line)
}

/// Makes whole numbers of fractions of zero, as Go writes them in JSON.
fn whole(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number
                .as_f64()
                .filter(|float| float.fract() == 0.0 && float.abs() < EXACT);
            if let Some(float) = float {
                #[expect(clippy::cast_possible_truncation, reason = "it is whole, and below 2^53")]
                let whole = float as i64;
                *number = Number::from(whole);
            }
        }
        Value::Object(map) => map.values_mut().for_each(whole),
        Value::Array(items) => items.iter_mut().for_each(whole),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What sigs.k8s.io/yaml v1.6.0 makes of these, as it was seen to.
    #[test]
    fn scalars_are_what_kubectl_makes_of_them() {
        for (text, read) in [
            ("y", json!(true)),
            ("Y", json!(true)),
            ("yes", json!(true)),
            ("on", json!(true)),
            ("Off", json!(false)),
            ("n", json!(false)),
            ("TRUE", json!(true)),
            ("yEs", json!("yEs")),
            ("nO", json!("nO")),
            ("\"on\"", json!("on")),
            ("!!str yes", json!("yes")),
            ("0644", json!(420)),
            ("\"0644\"", json!("0644")),
            ("0o10", json!(8)),
            ("-010", json!(-8)),
            ("089", json!(89)),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("1:30", json!("1:30")),
            ("2001-01-01", json!("2001-01-01")),
            ("1.0", json!(1)),
            ("1e3", json!(1000)),
            (".5", json!(0.5)),
            ("+1", json!(1)),
            ("~", json!(null)),
            ("Null", json!(null)),
            ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
            ("3e5f", json!("3e5f")),
            ("=", json!("=")),
        ] {
            let (value, _) = self::read(&format!("a: {text}\n")).expect("a document");
            assert_eq!(value["a"], read, "{text}");
        }
    }

    fn told(text: &str) -> Vec<(usize, String, String, Option<bool>)> {
        let (_, spelled) = read(text).expect("a document");
        spelled
            .into_iter()
            .map(|word| (word.line, word.at, word.word, word.value))
            .collect()
    }

    #[test]
    fn words_that_are_booleans_are_told_with_their_lines() {
        let text =
            "a: {b: yes, c: \"no\"}\nd:\n- off # for now\n- x\ne: |\n  f: on\nnote: turn it on\non: push\ng: on\n";
        let one = |line, at: &str, word: &str, value| (line, at.to_owned(), word.to_owned(), value);
        assert_eq!(
            told(text),
            [
                one(0, "b", "yes", Some(true)),
                one(2, "d", "off", Some(false)),
                one(7, "on", "on", None),
                one(8, "g", "on", Some(true)),
            ]
        );
        assert_eq!(told("a: \"yes\"\nb: true\n"), []);
    }
}
