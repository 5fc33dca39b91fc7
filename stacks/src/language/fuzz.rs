//! Mutilated stacks and manifests: whatever a file holds, reading it ends, and what it says points into the file.
//!
//! The inputs are drawn from their number, so a failure names the input that it can be repeated with.

use super::examples::{self, Beside};
use super::{Source, parse};
use crate::manifests::{self, ManifestFile};
use crate::stack::ManifestSet;
use miette::Diagnostic;
use std::panic;

/// How many inputs CI draws; `STACKCTL_FUZZ=1000000` draws as many as `cargo xtask full`.
const INPUTS: u64 = 100_000;

/// Whole stacks, beside the short ones of the examples of codes.
const STACKS: &[&str] = &[
    include_str!("../../../examples/quickstart/stack.toml"),
    include_str!("../../../examples/canary/stack.toml"),
    include_str!("../../../examples/prefill-decode/stack.toml"),
    include_str!("../../../examples/bare-metal/stack.toml"),
    include_str!("../../../examples/external-models/stack.toml"),
    include_str!("../../../tests/configs/valid/everything.toml"),
];

/// What is put in: what TOML, YAML and people know.
const PIECES: &[&str] = &[
    "[[",
    "]]",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\"\"\"",
    "'",
    "'''",
    "=",
    ",",
    ".",
    "#",
    ":",
    "- ",
    "---\n",
    "...\n",
    "&a ",
    "*a",
    "<<: *a",
    "!!binary x",
    "|\n",
    ">-\n",
    "? ",
    "%YAML 1.1\n",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\u{feff}",
    "\u{0}",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "é",
    "🦀",
    "\\u0000",
    "\\uD800",
    "\\",
    "true",
    "null",
    "~",
    "yes",
    "1",
    "-1",
    "0x7f",
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999999999999999",
    "1e999",
    "nan",
    "-inf",
    "0.1",
    "1979-05-27T07:32:00Z",
    "\"\"",
    "[]",
    "{}",
    "name",
    "allow = [{ code = \"STK100\", reason = \"x\" }]",
    "[[models]]\nname = \"x\"\n",
    "[[gpu]]\nname = \"x\"\n",
    "weights = \"99999999999Pi\"",
    "gpus = 8",
];

/// Numbers that follow from another (<https://prng.di.unimi.it/splitmix64.c>).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a length").max(1);
        usize::try_from(self.next() % end).expect("below a length")
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// One change of a text.
fn mutilate(text: &mut Vec<u8>, draw: &mut Draw) {
    let at = draw.below(text.len() + 1);
    match draw.below(12) {
        0 => text.truncate(at),
        1 => {
            for _ in 0..=draw.below(4) {
                let at = draw.below(text.len());
                if let Some(byte) = text.get_mut(at) {
                    *byte ^= 1 << draw.below(8);
                }
            }
        }
        2 => {
            let end = (at + draw.below(40)).min(text.len());
            text.drain(at..end);
        }
        3 => {
            let end = (at + draw.below(80)).min(text.len());
            let again = text[at..end].to_vec();
            let to = draw.below(text.len() + 1);
            text.splice(to..to, again);
        }
        4 => {
            let starts: Vec<usize> = text
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'\n')
                .map(|(at, _)| at + 1)
                .collect();
            let at = starts.get(draw.below(starts.len())).copied().unwrap_or_default();
            let line = format!("{}\n", draw.one_of(PIECES));
            text.splice(at..at, line.into_bytes());
        }
        5 => {
            let piece = draw.one_of(PIECES).bytes();
            text.splice(at..at, piece);
        }
        6 => swap_lines(text, draw),
        7 => change_side(text, draw, Side::Value),
        8 => change_side(text, draw, Side::Key),
        9 => {
            let (open, close) = *draw.one_of(&[
                ("[", "]"),
                ("{a=", "}"),
                ("{a: ", "}"),
                ("a.", ""),
                ("- ", ""),
                ("[[", ""),
            ]);
            // Beyond what any reader lets pass.
            let most = if draw.below(20) == 0 { 2_000 } else { 100 };
            let depth = draw.below(most);
            let nested = format!("a = {}1{}", open.repeat(depth), close.repeat(depth));
            text.splice(at..at, nested.into_bytes());
        }
        10 => {
            let crlf = String::from_utf8_lossy(text).replace('\n', "\r\n");
            *text = crlf.into_bytes();
        }
        _ => {
            text.splice(0..0, *b"\xef\xbb\xbf");
        }
    }
}

fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn swap_lines(text: &mut Vec<u8>, draw: &mut Draw) {
    let mut all = lines(text);
    let (one, other) = (draw.below(all.len()), draw.below(all.len()));
    all.swap(one, other);
    *text = all.join(&b'\n');
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Key,
    Value,
}

/// Puts the key, or the value, of one line into another, or something else in its place.
fn change_side(text: &mut Vec<u8>, draw: &mut Draw, side: Side) {
    let mut all = lines(text);
    let halves = |line: &[u8]| {
        let at = line.iter().position(|byte| matches!(byte, b'=' | b':'))?;
        Some((line[..at].to_vec(), line[at..].to_vec()))
    };
    let (one, other) = (draw.below(all.len()), draw.below(all.len()));
    let (Some((key, value)), Some((other_key, other_value))) = (halves(&all[one]), halves(&all[other])) else {
        return;
    };
    let mut line = match side {
        Side::Key => [other_key, value].concat(),
        Side::Value => [key, other_value].concat(),
    };
    if side == Side::Value && draw.below(2) == 0 {
        let at = line
            .iter()
            .position(|byte| matches!(byte, b'=' | b':'))
            .map_or(0, |at| at + 1);
        line.truncate(at);
        line.extend(format!(" {}", draw.one_of(PIECES)).bytes());
    }
    all[one] = line;
    *text = all.join(&b'\n');
}

/// What was said points into the text that it is about.
fn check_stack(text: &str, draw: &mut Draw) {
    let name = |name: &str| name.to_owned();
    let mut sources = vec![Source {
        name: name("stack.toml"),
        text: text.to_owned(),
    }];
    if draw.below(8) == 0 {
        let base = STACKS[draw.below(2)].to_owned();
        let layer = Source {
            name: name("base.toml"),
            text: base,
        };
        sources.insert(draw.below(2), layer);
    }
    let sets: Vec<String> = if draw.below(8) == 0 {
        text.lines().take(3).map(str::to_owned).collect()
    } else {
        Vec::new()
    };
    let all = match parse(&sources, &sets) {
        Ok((_, warnings)) => warnings,
        Err(diagnostics) => {
            assert!(!diagnostics.errors().is_empty(), "refused without a word");
            diagnostics.iter().cloned().collect()
        }
    };
    let sets = sets.join("\n");
    for error in &all {
        let at = error.position();
        let text = sources
            .iter()
            .find(|source| source.name == at.file)
            .map_or(sets.as_str(), |source| &source.text);
        let line = text.split('\n').nth(at.line - 1).expect("a line of the file");
        assert!(at.column <= line.chars().count() + 1, "{error} at {at:?}");
        for label in error.labels().expect("a mark") {
            assert!(
                text.get(label.offset()..label.offset() + label.len()).is_some(),
                "{error}"
            );
        }
        assert!(error.link().is_some() && !error.to_string().is_empty(), "{error:?}");
    }
}

fn check_manifests(text: &str) {
    let set = ManifestSet::bare("theirs", "theirs.yaml");
    let name = "theirs.yaml".to_owned();
    let file = ManifestFile {
        name,
        text: text.to_owned(),
    };
    let (errors, notices) = match manifests::resources(&[(&set, vec![file])], &[]) {
        Ok(made) => (Vec::new(), made.notices),
        Err(errors) => (errors, Vec::new()),
    };
    let n_lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
    for error in &errors {
        let said = error.to_string();
        let at = said
            .strip_prefix("theirs.yaml:")
            .and_then(|said| said.split(':').next());
        let line: usize = at.and_then(|line| line.parse().ok()).expect("a line");
        assert!((1..=n_lines + 1).contains(&line), "{said}, of {n_lines} lines");
    }
    for notice in &notices {
        let line = notice.at().line;
        assert!((1..=n_lines + 1).contains(&line), "{notice}, of {n_lines} lines");
    }
}

fn check(input: u64, tables: &[&str], objects: &[&str]) {
    let mut draw = Draw(input);
    let is_manifest = draw.below(8) == 0;
    let text = if is_manifest {
        draw.one_of(objects)
    } else if draw.below(12) == 0 {
        draw.one_of(STACKS)
    } else {
        draw.one_of(tables)
    };
    let mut text = text.as_bytes().to_vec();
    for _ in 0..=draw.below(4).min(draw.below(4)) {
        mutilate(&mut text, &mut draw);
    }
    // Files that are no UTF-8 are refused before they are parsed; the rest of such a file is looked at all the same.
    let text = String::from_utf8_lossy(&text).into_owned();
    let ended = panic::catch_unwind(|| {
        if is_manifest {
            check_manifests(&text);
        } else {
            check_stack(&text, &mut Draw(!input));
        }
    });
    assert!(ended.is_ok(), "input {input}:\n{text}");
}

#[test]
fn whatever_a_file_holds_reading_it_ends_and_what_is_said_points_into_it() {
    #[expect(clippy::disallowed_methods, reason = "a test reads how long it may take")]
    let inputs = std::env::var("STACKCTL_FUZZ").map_or(INPUTS, |text| text.parse().expect("a number of inputs"));
    let (mut tables, mut objects) = (Vec::new(), Vec::new());
    for example in examples::all() {
        let texts = [example.wrong, example.right];
        match example.beside {
            Beside::Stack | Beside::Cluster(..) | Beside::Objects(_) | Beside::Awaited => tables.extend(texts),
            Beside::Manifests
            | Beside::Alone
            | Beside::Lacking(_)
            | Beside::Table(_)
            | Beside::Definition
            | Beside::Definitions => objects.extend(texts),
            Beside::Setting => {}
        }
    }
    for input in 0..inputs {
        check(input, &tables, &objects);
    }
}
