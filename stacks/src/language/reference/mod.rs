//! What every key of the stack language means: the data of `docs/stack.md`.
//!
//! Invariant, tested below: these are exactly the keys that the readers ask for, table by table.

mod json_schema;
mod knobs;
mod serving_knobs;
mod tables;
mod takes;

pub use json_schema::{Completeness, json_schema};
pub use knobs::{KNOBS, Knob, Standing};
pub use serving_knobs::SERVING_KNOBS;
pub use tables::tables;
pub use takes::Takes;

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// As it is written, or what the readers call it.
    pub path: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// An example.
    pub example: &'static str,
    /// Its keys, in the order people write them.
    pub keys: &'static [Key],
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What its absence means.
    pub default: &'static str,
    /// What it does.
    pub text: &'static str,
}

/// Returns the page `docs/stack.md`.
#[must_use]
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for table in tables() {
        page.extend([format!("\n## {}\n\n{}\n", shown(table.path), table.about)]);
        if !table.example.is_empty() {
            page.extend([format!("\n```toml\n{}\n```\n", table.example)]);
        }
        page += "\n| Key | Takes | Without it | |\n|---|---|---|---|\n";
        for key in table.keys {
            page.extend([format!(
                "| `{}` | {} | {} | {} |\n",
                key.name, key.takes, key.default, key.text
            )]);
        }
    }
    page += KNOBS_INTRODUCTION;
    for knob in KNOBS.iter().chain(SERVING_KNOBS) {
        page.extend([format!("| {} | {} |\n", knob.guide, knob.standing)]);
    }
    page
}

fn shown(path: &str) -> String {
    match path.split_once(' ') {
        Some(_) => path.to_owned(),
        None => format!("`{path}`"),
    }
}

const INTRODUCTION: &str = "# The stack language

Written by `cargo xtask docs`; edit `stacks/src/language/reference.rs` instead.

A stack is TOML, in one file or several layers. Layers are merged left to right, and `--set` comes last: tables deeply,
arrays of tables by `name`, everything else by replacing. A path of `--set` is keys joined by dots, with `[name]` after an
array of tables: `--set 'models[qwen3-8b].replicas=2'`. A key that does not exist is an error.
";

const KNOBS_INTRODUCTION: &str = "
## The knobs of the field guide

What each input of the guide is here.

| In the guide | Here |
|---|---|
";

#[cfg(test)]
mod tests {
    use super::super::{Source, parse, read};
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_keys_of_the_page_are_those_that_the_readers_ask_for() {
        let moves = "[stack]\nname = \"m\"\n[[manifests]]\nname = \"m\"\npath = \"m\"\n\
                     [[moved]]\nfrom = \"a.b\"\nto = \"c.d\"\n[[removed]]\naddress = \"e.f\"\n";
        let manifests =
            "[stack]\nname = \"m\"\n[[manifests]]\nname = \"m\"\npath = \"m\"\nready = { condition = \"Ready\" }\n";
        for text in [
            include_str!("../../../../tests/configs/valid/everything.toml"),
            include_str!("../../../../tests/configs/valid/gateway-policies.toml"),
            include_str!("../../../../tests/configs/valid/tenant-telemetry.toml"),
            include_str!("../../../../examples/bare-metal/stack.toml"),
            include_str!("../../components/tests/additions.toml"),
            SNIPPET,
            manifests,
            moves,
        ] {
            let source = Source {
                name: "stack.toml".to_owned(),
                text: text.to_owned(),
            };
            parse(&[source], &[]).expect("a valid stack");
        }
        let written: BTreeSet<(String, &str)> = tables()
            .flat_map(|table| table.keys.iter().map(|key| (table.path.to_owned(), key.name)))
            .collect();
        let asked = read::asked();
        let missing: Vec<_> = asked.difference(&written).collect();
        let unread: Vec<_> = written.difference(&asked).collect();
        assert!(missing.is_empty(), "keys without a row: {missing:?}");
        assert!(unread.is_empty(), "rows without a key: {unread:?}");
    }

    /// What no other stack of the test says.
    const SNIPPET: &str = r#"
[stack]
name = "snippet"
[cluster]
platform = "none"
[tls]
issuer = "existing"
[rhoai.monitoring]
metrics_retention = "1d"
[rhoai.dashboard]
admin_groups = "admins"
[[rhoai.hardware_profiles]]
name = "tolerant"
tolerations = [{ key = "a", value = "b", effect = "NoSchedule" }]
[operators.pins]
cluster_observability = "cluster-observability-operator.v1.4.1"
"#;

    #[test]
    fn every_knob_of_the_guide_has_a_row_and_every_key_that_it_names_is_there() {
        let written: BTreeSet<String> = tables()
            .flat_map(|table| table.keys.iter().map(|key| format!("{} {}", table.path, key.name)))
            .collect();
        for knob in KNOBS.iter().chain(SERVING_KNOBS) {
            if let Standing::Keys(keys) = knob.standing {
                for key in keys {
                    assert!(written.contains(*key), "{}: there is no key `{key}`", knob.guide);
                }
            }
        }
        for (knobs, file, sections) in [
            (KNOBS, "platform.md", ["## 5. Stack inputs", "## 6."]),
            (SERVING_KNOBS, "serving.md", ["## 6. Stack inputs", "## 7."]),
        ] {
            let is_hidden = |knob: &&Knob| matches!(knob.standing, Standing::NotExposed(_));
            assert!(
                knobs.iter().filter(is_hidden).count() <= 10,
                "too many knobs are not exposed"
            );
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference");
            let Ok(text) = std::fs::read_to_string(path.join(file)) else {
                skipped(&path);
                continue;
            };
            let [start, end] = sections.map(|heading| text.find(heading).expect("a section"));
            let guide: Vec<String> = text[start..end]
                .lines()
                .filter(|line| line.starts_with('|'))
                .filter_map(|line| line.split('|').nth(1))
                .map(|cell| cell.trim().to_owned())
                .filter(|cell| !is_heading(cell))
                .collect();
            let rows: Vec<_> = knobs.iter().map(|knob| knob.guide.to_owned()).collect();
            assert_eq!(rows, guide);
        }
    }

    /// The first row of a table, and the line under it.
    fn is_heading(cell: &str) -> bool {
        ["Key", "knob (guide name)"].contains(&cell) || cell.starts_with("---")
    }

    #[expect(clippy::print_stderr, reason = "a test that did not look has to say so")]
    fn skipped(path: &std::path::Path) {
        eprintln!("SKIPPED: there is no reference at {}", path.display());
    }
}
