//! What the documents show works: every stack in them parses, and every link between them leads somewhere.

use stackctl_stacks::{Source, parse};
use std::{
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
    for (line, block) in blocks(&text, "sh") {
        for command in block
            .lines()
            .filter_map(|line| line.strip_prefix("cargo run --release -- "))
        {
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

/// Rows whose gotcha no test can show, because nothing is there yet or nothing has to be.
const WITHOUT_A_TEST: &[&str] = &["G34", "G46", "G48", "G49"];

#[test]
fn every_gotcha_has_a_row_and_every_test_that_a_row_names_is_there() {
    let text = fs::read_to_string(root().join("docs/gotchas.md")).expect("docs/gotchas.md");
    let source = sources();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| G"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let numbers: Vec<_> = rows.iter().map(|row| row[1].to_owned()).collect();
    let expected: Vec<_> = (1..=51).map(|number| format!("G{number:02}")).collect();
    assert_eq!(numbers, expected);
    for row in &rows {
        let (number, test) = (row[1], row[4].trim_matches('`'));
        if WITHOUT_A_TEST.contains(&number) {
            assert!(test.is_empty(), "{number} has a test after all: take it off the list");
        } else {
            assert!(source.contains(&format!("fn {test}(")), "{number}: no test `{test}`");
        }
    }
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
    for folder in ["cli", "engine", "stacks", "providers", "state", "tests"] {
        gather(&root().join(folder), &mut text);
    }
    text
}
