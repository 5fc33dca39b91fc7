//! What the documents show works: every stack in them parses, and every link between them leads somewhere.

use stackctl_stacks::{Source, parse};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn every_stack_in_the_documents_parses() {
    for path in documents() {
        let text = fs::read_to_string(&path).expect("readable");
        for (line, block) in blocks(&text, "toml") {
            // A fragment that shows one table is no stack: those that name one are.
            if !block.lines().any(|line| line.trim() == "[stack]") {
                continue;
            }
            let name = format!("{}:{line}", path.display());
            if let Err(diagnostics) = parse(
                &[Source {
                    name: name.clone(),
                    text: block,
                }],
                &[],
            ) {
                let all: Vec<_> = diagnostics
                    .errors()
                    .iter()
                    .map(|error| format!("{}: {error}", error.position().line))
                    .collect();
                panic!("{name}: {}", all.join("\n"));
            }
        }
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut broken = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).expect("readable");
        let here = path.parent().expect("a directory");
        for target in links(&text) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !file.starts_with("mailto:") && !here.join(file).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_commands_of_the_readme_are_commands() {
    let text = fs::read_to_string(root().join("README.md")).expect("README.md");
    let mut n_commands = 0;
    for (line, block) in blocks(&text, "sh") {
        for command in block.lines().filter_map(|line| line.strip_prefix("cargo run -- ")) {
            n_commands += 1;
            let command = command.split(" #").next().unwrap_or(command);
            let mut arguments = vec!["stackctl"];
            arguments.extend(command.split_whitespace());
            let parsed = <stackctl::cli::Cli as clap::Parser>::try_parse_from(&arguments);
            assert!(
                parsed.is_ok(),
                "README.md:{line}: {command}\n{}",
                parsed.err().map(|e| e.to_string()).unwrap_or_default()
            );
        }
    }
    let n_told = text.lines().filter(|line| line.starts_with("cargo run ")).count();
    assert_eq!(n_commands, n_told, "each command was read");
    assert!(n_commands >= 5, "{n_commands} commands");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn documents() -> Vec<PathBuf> {
    let mut found: Vec<_> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .iter()
        .map(|name| root().join(name))
        .filter(|path| path.exists())
        .collect();
    let mut directories = vec![root().join("docs"), root().join("examples")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The fenced blocks of a language, with the line that each begins on.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, bool, String)> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => open = Some((index + 2, info.trim() == language, String::new())),
            (Some(_), Some(_)) => {
                if let Some((at, true, block)) = open.take() {
                    blocks.push((at, block));
                }
            }
            (Some((_, _, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The targets of `[text](target)`, outside of fenced blocks.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        for after in line.split("](").skip(1) {
            if let Some((target, _)) = after.split_once(')') {
                links.push(target.to_owned());
            }
        }
    }
    links
}

/// Rows whose gotcha no test can show, because no file and no object does.
const WITHOUT_A_TEST: &[&str] = &["G34", "G48", "S-M26", "S-S16", "S-S17"];

/// A table of gotchas: the file of the reference, its section, what the page puts before its ids, and the ids.
struct Gotchas {
    reference: &'static str,
    section: &'static str,
    prefix: &'static str,
    /// A letter, the last number, and how many digits a number has at least.
    families: &'static [(char, usize, usize)],
}

const GOTCHAS: [Gotchas; 2] = [
    Gotchas {
        reference: "platform.md",
        section: "## 4.",
        prefix: "",
        families: &[('G', 51, 2)],
    },
    Gotchas {
        reference: "serving.md",
        section: "## 5.",
        prefix: "S-",
        families: &[
            ('G', 9, 1),
            ('M', 27, 1),
            ('K', 7, 1),
            ('P', 22, 1),
            ('S', 20, 1),
            ('E', 7, 1),
            ('I', 4, 1),
            ('C', 1, 1),
        ],
    },
];

impl Gotchas {
    /// Its ids, as the page has them and in that order.
    fn ids(&self) -> Vec<String> {
        let of = |&(letter, last, width): &(char, usize, usize)| {
            (1..=last).map(move |number| format!("{}{letter}{number:0width$}", self.prefix))
        };
        self.families.iter().flat_map(of).collect()
    }

    /// The ids of the reference, in the order of their names.
    fn of_reference(&self, text: &str) -> BTreeSet<String> {
        let lines = text.lines().skip_while(|line| !line.starts_with(self.section));
        let section = lines.skip(1).take_while(|line| !line.starts_with("## "));
        let is_id = |cell: &&str| {
            let mut letters = cell.chars();
            letters.next().is_some_and(|letter| letter.is_ascii_uppercase())
                && !letters.as_str().is_empty()
                && letters.all(|letter| letter.is_ascii_digit())
        };
        section
            .filter_map(|line| line.strip_prefix("| ")?.split(' ').next())
            .filter(is_id)
            .map(|id| format!("{}{id}", self.prefix))
            .collect()
    }
}

/// The rows of a page's tables, cell by cell, of those that begin with an id.
fn rows(text: &str, ids: &BTreeSet<String>) -> Vec<Vec<String>> {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let has_an_id = |cells: &Vec<String>| cells.get(1).is_some_and(|id| ids.contains(id));
    text.lines().map(cells).filter(has_an_id).collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_gotcha_has_a_row_and_every_test_that_a_row_names_is_there() {
    let text = fs::read_to_string(root().join("docs/gotchas.md")).expect("docs/gotchas.md");
    let (source, played) = (sources(), played());
    let ids: Vec<_> = GOTCHAS.iter().flat_map(Gotchas::ids).collect();
    let rows = rows(&text, &ids.iter().cloned().collect());
    let numbers: Vec<_> = rows.iter().map(|row| row[1].clone()).collect();
    assert_eq!(numbers, ids);
    for row in &rows {
        let (number, prevented, tests) = (row[1].as_str(), &row[3], quoted(&row[4]));
        assert_eq!(
            tests.is_empty(),
            WITHOUT_A_TEST.contains(&number),
            "{number}: a row has tests, or is listed as one that cannot"
        );
        assert_eq!(
            prevented.starts_with("not from here: "),
            WITHOUT_A_TEST.contains(&number),
            "{number}: a row says what covers it, or why nothing here can"
        );
        for test in tests {
            assert!(played.contains(test), "{number}: no test `{test}`");
        }
        for code in prevented
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| word.starts_with("STK"))
        {
            assert!(source.contains(&format!("code({code}")), "{number}: no lint {code}");
        }
        let looks = prevented
            .split(';')
            .filter_map(|means| means.trim().strip_prefix("preflight"));
        for check in looks.flat_map(quoted) {
            assert!(
                source.contains(&format!("(\"{check}\", ")),
                "{number}: no check `{check}`"
            );
        }
    }
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "a comparison that did not take place has to be seen in the log"
)]
fn the_rows_of_gotchas_are_those_of_the_reference() {
    let folder = root().join("../shared/reference");
    if !folder.exists() {
        println!("SKIPPED: {} is not there, so nothing was compared", folder.display());
        return;
    }
    for gotchas in &GOTCHAS {
        let text = fs::read_to_string(folder.join(gotchas.reference)).expect("a file of the reference");
        let ours: BTreeSet<_> = gotchas.ids().into_iter().collect();
        assert_eq!(ours, gotchas.of_reference(&text), "{}", gotchas.reference);
    }
}

/// How many pains the reference on the field counts.
const PAINS: usize = 60;

/// The only pain that stands in a tool's documentation and in no issue.
const WITHOUT_AN_ISSUE: &str = "50";

fn numbers_of_pains() -> Vec<String> {
    (1..=PAINS).map(|number| number.to_string()).collect()
}

/// The rows of the page of pains.
fn pains() -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("docs/pains.md")).expect("docs/pains.md");
    rows(&text, &numbers_of_pains().into_iter().collect())
}

/// The issues, `owner/name#number`, that stand for a pain.
fn issues(pain: &str) -> Vec<(&str, &str)> {
    let words = quoted(pain).into_iter();
    words.filter_map(|word| word.split_once('#')).collect()
}

#[test]
fn every_pain_has_one_verdict_and_every_test_that_a_row_names_is_there() {
    let played = played();
    let rows = pains();
    let numbers: Vec<_> = rows.iter().map(|row| row[1].clone()).collect();
    assert_eq!(numbers, numbers_of_pains());
    for row in &rows {
        let [_, number, pain, verdict, here, shown_by, _] = row.as_slice() else {
            panic!("a row has five cells: {row:?}");
        };
        assert_eq!(
            issues(pain).is_empty(),
            number == WITHOUT_AN_ISSUE,
            "{number}: an issue stands for it"
        );
        assert!(!here.is_empty(), "{number}: nothing says what became of it");
        let tests = quoted(shown_by);
        // What stands beside the tests, without the commas between them.
        let beside: String = shown_by.split('`').step_by(2).collect();
        let beside = beside.replace(',', " ");
        let may_stand: &[&str] = match (verdict.as_str(), tests.is_empty()) {
            ("**solved**", true) => &["untested"],
            ("**solved**", false) => &["", "in part"],
            ("**open**", _) | ("**not ours**", true) => &[""],
            _ => &[],
        };
        assert!(
            may_stand.contains(&beside.trim()),
            "{number}: `{verdict}` and `{shown_by}` do not go together"
        );
        for test in tests {
            assert!(played.contains(test), "{number}: no test `{test}`");
        }
    }
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "a comparison that did not take place has to be seen in the log"
)]
fn the_pains_are_those_of_the_reference() {
    let file = root().join("../shared/reference/field.md");
    if !file.exists() {
        println!("SKIPPED: {} is not there, so nothing was compared", file.display());
        return;
    }
    let text = fs::read_to_string(&file).expect("a file of the reference");
    let lines = text.lines().skip_while(|line| !line.starts_with("## (c)"));
    let section = lines.skip(1).take_while(|line| !line.starts_with("## "));
    let items: Vec<_> = section
        .filter_map(|line| line.split_once(". "))
        .filter(|(number, _)| number.parse::<usize>().is_ok())
        .collect();
    let numbers: Vec<_> = items.iter().map(|(number, _)| (*number).to_owned()).collect();
    assert_eq!(numbers, numbers_of_pains());
    for (row, (number, item)) in pains().iter().zip(items) {
        for (repository, issue) in issues(&row[2]) {
            assert!(
                item.contains(repository) && item.contains(&format!("#{issue}")),
                "{number}: the reference does not speak of {repository}#{issue}"
            );
        }
    }
}

/// What runs as a test: functions that say so, and the acts, which are in the one list that both servers' tests play.
fn played() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = tests_of(&sources()).into_iter().map(str::to_owned).collect();
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("readable");
    for tests in ["tests/simulated/others.rs", "tests/real/main.rs"] {
        assert!(read(tests).contains("acts::play("), "{tests} plays the acts");
    }
    let acts = read("tests/acts/mod.rs");
    let (_, list) = acts.split_once("const ACTS: &[Act] = &[").expect("the list of acts");
    let (list, _) = list.split_once("\n];").expect("its end");
    let of_line = |line: &str| Some(line.trim().strip_suffix(',')?.split_once("::")?.1.to_owned());
    names.extend(list.lines().filter_map(of_line));
    names
}

/// The names of the functions of a source that are marked as tests, those of `proptest!` included.
fn tests_of(source: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut is_marked = false;
    for line in source.lines().map(str::trim) {
        is_marked |= line == "#[test]" || line.starts_with("#[tokio::test");
        let named = ["fn ", "async fn "].iter().find_map(|words| line.strip_prefix(words));
        if let Some((name, _)) = named.and_then(|rest| rest.split_once('('))
            && std::mem::take(&mut is_marked)
        {
            names.insert(name);
        }
    }
    names
}

#[test]
fn a_function_that_nothing_runs_is_no_test() {
    let source = "fn helper() {}\n#[test]\n#[should_panic]\nfn one() {}\nfn other() {}\n\
                  #[tokio::test(start_paused = true)]\nasync fn two() {}\n    #[test]\n    fn three(seed in 0..3_u8) {}\n";
    assert_eq!(tests_of(source), BTreeSet::from(["one", "two", "three"]));
}

/// Every Rust source of the project, in one text.
fn sources() -> String {
    fn gather(folder: &Path, into: &mut String) {
        for entry in fs::read_dir(folder)
            .expect("a directory")
            .map(|entry| entry.expect("an entry"))
        {
            let path = entry.path();
            if path.is_dir() {
                gather(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push_str(&fs::read_to_string(&path).expect("readable"));
            }
        }
    }
    let mut text = String::new();
    for folder in [
        "cli",
        "engine",
        "stacks",
        "providers",
        "schema",
        "state",
        "tests",
        "xtask",
    ] {
        gather(&root().join(folder), &mut text);
    }
    text
}
