//! Layers: several files as one tree, each value still knowing its file.
//!
//! Tables merge deeply. Arrays of tables merge by `name`: an element with a name that is already there changes that
//! element, a new name is appended. All else replaces. A secret reference replaces as a whole, since half of one and
//! half of another is neither.

use toml::de::DeTable;

use super::place::{Place, Sources};
use super::problem::{Problem, Problems};
use super::set;
use super::value::{Node, Table, Value};

/// Parses every layer, merges them and then the settings. `None` if nothing at all is written.
///
/// After a syntax error the tree is incomplete; the caller looks at `problems` first.
pub(crate) fn load(sources: &Sources, settings: &[String], problems: &mut Problems) -> Option<Node> {
    let n_layers = sources.n_layers();
    let mut root = Node {
        place: Place::START,
        value: Value::Table(Table::default()),
    };
    for source in 0..n_layers {
        let text = sources.text(source);
        let (table, errors) = DeTable::parse_recoverable(text);
        report_syntax(source, text, &errors, problems);
        let layer = Table::from_toml(table.get_ref(), source, 0);
        merge(
            &mut root,
            Node {
                place: Place::new(source, &(0..0)),
                value: Value::Table(layer),
            },
        );
    }
    let is_whole = !problems.has_errors();
    for (offset, setting) in set::placed(settings) {
        if let Some(node) = set::node(setting, n_layers, offset, is_whole.then_some(&root), problems) {
            merge(&mut root, node);
        }
    }
    let is_empty = root.as_table().is_none_or(|table| table.entries.is_empty());
    (!is_empty).then_some(root)
}

/// Reports the first syntax error of each line: those after it on the same line follow from it.
fn report_syntax(source: usize, text: &str, errors: &[toml::de::Error], problems: &mut Problems) {
    let mut last_line = None;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = text.get(..span.start).map_or(0, |before| before.matches('\n').count());
        if last_line != Some(line) {
            problems.push(
                Place::new(source, &span),
                Problem::Syntax {
                    message: error.message().to_owned(),
                },
            );
        }
        last_line = Some(line);
    }
}

/// Lays `upper` over `lower`.
pub(crate) fn merge(lower: &mut Node, upper: Node) {
    match (&mut lower.value, upper.value) {
        (Value::Table(below), Value::Table(above)) if !(is_secret_reference(below) && is_secret_reference(&above)) => {
            for (key, entry) in above.entries {
                match below.entries.get_mut(&key) {
                    Some(existing) => {
                        existing.key = entry.key;
                        merge(&mut existing.node, entry.node);
                    }
                    None => {
                        below.entries.insert(key, entry);
                    }
                }
            }
        }
        (Value::List(below), Value::List(above)) if is_named(below) && is_named(&above) => {
            // Elements of one layer are never merged with each other: two of one name are an error, not a merge.
            let n_below = below.len();
            for node in above {
                let same = below[..n_below]
                    .iter()
                    .position(|candidate| candidate.name() == node.name());
                match same {
                    Some(index) => merge(&mut below[index], node),
                    None => below.push(node),
                }
            }
        }
        (_, value) => {
            *lower = Node {
                place: upper.place,
                value,
            }
        }
    }
}

fn is_named(list: &[Node]) -> bool {
    !list.is_empty() && list.iter().all(|node| node.name().is_some())
}

fn is_secret_reference(table: &Table) -> bool {
    const KEYS: &[&str] = &["env", "file", "command", "secret", "key", "generate"];
    !table.entries.is_empty() && table.entries.keys().all(|key| KEYS.contains(&key.as_str()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::stack::{Database, GivenSecret, OpenShift, Provision};
    use crate::{Source, parse};

    const BASE: &str = r#"
[stack]
name = "layers"
[cluster]
platform = "aws"
[tls]
issuer = "existing"
[[gpu]]
name = "l40s"
tier = "l40s"
zones = ["a", "b"]
[[models]]
name = "qwen3-8b"
namespace = "llm-d-demo"
source = "oci://registry.example.com/qwen3-8b:1"
replicas = 2
vllm = { args = ["--one"] }
[maas.database]
mode = "external"
url = { env = "DATABASE_URL" }
[maas]
enabled = false
"#;

    fn source(name: &str, text: &str) -> Source {
        Source {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    fn parsed(layers: &[&str], sets: &[&str]) -> OpenShift {
        let names = ["base.toml", "env/prod.toml", "third.toml"];
        let layers: Vec<Source> = names
            .iter()
            .zip(layers)
            .map(|(name, text)| source(name, text))
            .collect();
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        match parse(&layers, &sets) {
            Ok((stack, _)) => stack.openshift.expect("a stack for OpenShift"),
            Err(diagnostics) => panic!("{:#?}", diagnostics.errors()),
        }
    }

    /// Returns `file:line:column message` of every error.
    fn errors(layers: &[(&str, &str)], sets: &[&str]) -> Vec<String> {
        let layers: Vec<Source> = layers.iter().map(|(name, text)| source(name, text)).collect();
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        let diagnostics = parse(&layers, &sets).expect_err("a stack that is wrong");
        let line = |error: &crate::StackError| {
            let position = error.position();
            format!("{}:{}:{} {error}", position.file, position.line, position.column)
        };
        diagnostics.errors().iter().map(line).collect()
    }

    #[test]
    fn an_element_of_the_same_name_is_changed_and_a_new_one_appended() {
        let prod = r#"
[[models]]
name = "qwen3-8b"
replicas = 3
[[models]]
name = "opt-125m"
namespace = "llm-d-demo"
source = "hf://facebook/opt-125m"
"#;
        let stack = parsed(&[BASE, prod], &[]);
        let models: Vec<(&str, u16)> = stack
            .models
            .iter()
            .map(|model| (model.name.as_str(), model.replicas))
            .collect();
        assert_eq!(models, [("qwen3-8b", 3), ("opt-125m", 1)]);
        assert_eq!(stack.models[0].vllm.args, ["--one"]);
    }

    #[test]
    fn lists_replace_and_tables_merge() {
        let prod = r#"
[rhoai.components]
trustyai = true
[[gpu]]
name = "l40s"
zones = ["c"]
"#;
        let stack = parsed(&[BASE, "[rhoai.components]\nnim = false\n", prod], &[]);
        assert!(stack.rhoai.components.trustyai && !stack.rhoai.components.nim);
        let Provision::MachineSets(sets) = &stack.gpu[0].provision else {
            panic!("machine sets")
        };
        assert_eq!(sets.zones.iter().map(ToString::to_string).collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn a_secret_reference_replaces_as_a_whole_and_its_file_is_beside_the_layer_that_names_it() {
        let prod = "[maas]\nenabled = true\n[maas.database]\nurl = { file = \"url.txt\" }\n";
        let database = |maas: Option<crate::stack::Maas>| {
            let maas = maas.expect("enabled");
            maas.subscriptions().expect("subscriptions").database.clone()
        };
        let path = |maas| match database(maas) {
            Database::External {
                url: GivenSecret::File(file),
            } => file.path().to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(path(parsed(&[BASE, prod], &[]).maas), Path::new("env/url.txt"));
        let set = ["maas.database.url={ file = \"url.txt\" }"];
        assert_eq!(path(parsed(&[BASE, prod], &set).maas), Path::new("url.txt"));
    }

    #[test]
    fn settings_come_last_and_are_toml_or_text() {
        let sets = [
            "models[qwen3-8b].replicas=5",
            "rhoai.profile=ea",
            "gpu[l40s].zones=[\"c\"]",
            "cluster.context=a=b",
        ];
        let stack = parsed(&[BASE], &sets);
        assert_eq!(stack.models[0].replicas, 5);
        assert_eq!(stack.rhoai.channel.as_str(), "beta");
        assert_eq!(stack.cluster.context.as_deref(), Some("a=b"));
        assert_eq!(stack.gpu[0].name.as_str(), "l40s");
    }

    #[test]
    fn an_error_points_into_the_layer_its_value_came_from() {
        let prod = "[[models]]\nname = \"qwen3-8b\"\nreplicas = \"many\"\n";
        assert_eq!(
            errors(
                &[("base.toml", BASE), ("prod.toml", prod)],
                &["monitoring.enabled=1", "rhoai.profile=fast"]
            ),
            [
                "prod.toml:3:12 `replicas` must be an integer, and this is a string",
                "--set:1:20 `enabled` must be a boolean, and this is an integer",
                "--set:2:15 `fast` is not a value of `profile`",
            ]
        );
    }

    #[test]
    fn syntax_errors_of_all_layers_are_told_and_nothing_else() {
        let broken = "[stack\nname = 1\n";
        assert_eq!(
            errors(&[("one.toml", broken), ("two.toml", "nothing = \n")], &["=1"]),
            [
                "one.toml:1:7 not valid TOML: unclosed table, expected `]`",
                "two.toml:1:11 not valid TOML: string values must be quoted, expected literal string",
                "--set:1:1 cannot use this setting: its path is not keys joined by dots, with `[name]` after arrays of tables",
            ]
        );
    }

    #[test]
    fn a_setting_of_a_name_that_is_not_there_is_told_with_what_comes_close() {
        let base = [("base.toml", BASE)];
        let hint = |sets: &[&str]| {
            let layers = [source("base.toml", BASE)];
            let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
            let diagnostics = parse(&layers, &sets).expect_err("a name that is not there");
            diagnostics.errors()[0].help().unwrap_or_default()
        };
        assert_eq!(
            errors(&base, &["rhoai.profile=ea", "models[qwen3-8].replicas=1"]),
            ["--set:2:1 there is no `[[models]]` called `qwen3-8`"]
        );
        assert_eq!(hint(&["models[qwen3-8].replicas=1"]), "did you mean `qwen3-8b`?");
        assert_eq!(hint(&["models[zzz].replicas=1"]), "there are: `qwen3-8b`");
        assert_eq!(
            hint(&["manifests[x].path=\"y\""]),
            "add a `[[manifests]]` table to the stack file"
        );
    }

    #[test]
    fn a_setting_without_a_value_is_told() {
        assert_eq!(
            errors(&[("base.toml", BASE)], &["rhoai.profile"]),
            ["--set:1:1 cannot use this setting: it has no `=`"]
        );
    }

    #[test]
    fn names_that_meet_in_different_layers_are_not_twice_but_in_one_layer_they_are() {
        let twice = "[[models]]\nname = \"x\"\nnamespace = \"n\"\nsource = \"hf://a/b\"\n".repeat(2);
        assert_eq!(
            errors(&[("base.toml", BASE), ("twice.toml", &twice)], &[]),
            ["twice.toml:6:8 two models are called `x`"]
        );
        assert_eq!(
            parsed(&[BASE, &twice[..twice.len() / 2], &twice[..twice.len() / 2]], &[])
                .models
                .len(),
            2
        );
    }
}
