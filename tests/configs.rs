//! The corpus of stack files: the valid ones parse, and each invalid one shows the diagnostic that stands beside it.
//!
//! A new case is a new file; `INSTA_UPDATE=always cargo test --test configs` writes its diagnostic, and a person reads it.

use std::fs;
use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme};
use stackctl_stacks::{Diagnostics, Source, StackError, parse};

#[test]
fn every_valid_stack_parses_without_a_word() {
    for path in stack_files(&corpus().join("valid")) {
        parses_without_a_word(&[path]);
    }
}

#[test]
fn every_invalid_stack_shows_the_diagnostics_beside_it() {
    let directory = corpus().join("invalid");
    let files = stack_files(&directory);
    assert!(files.len() >= 60, "{} broken stacks", files.len());
    for path in files {
        let diagnostics = parse(&[source(&path)], &[]).expect_err("this directory holds stacks that are wrong");
        snapshot(&path, &directory, &report(&diagnostics));
    }
}

#[test]
fn every_doubtful_stack_parses_and_shows_the_warnings_beside_it() {
    let directory = corpus().join("doubtful");
    for path in stack_files(&directory) {
        match parse(&[source(&path)], &[]) {
            Ok((_, warnings)) => snapshot(&path, &directory, &rendered(warnings.iter())),
            Err(diagnostics) => panic!("{}\n{}", path.display(), report(&diagnostics)),
        }
    }
}

#[test]
fn no_diagnostic_is_kept_of_a_stack_that_is_gone() {
    for folder in ["invalid", "doubtful"] {
        for entry in fs::read_dir(corpus().join(folder)).expect("a directory of the corpus") {
            let path = entry.expect("an entry of it").path();
            let stack = path.with_extension("toml");
            assert!(stack.exists(), "{} is of no stack", path.display());
        }
    }
}

#[test]
fn every_example_parses_without_a_word() {
    let examples = corpus().join("../../examples");
    for example in fs::read_dir(&examples).expect("the directory of examples") {
        let path = example.expect("an entry of it").path().join("stack.toml");
        if path.exists() {
            parses_without_a_word(&[path]);
        }
    }
    for upper in ["staging.toml", "prod.toml"] {
        let layers = examples.join("layers");
        parses_without_a_word(&[layers.join("base.toml"), layers.join(upper)]);
    }
}

fn parses_without_a_word(layers: &[PathBuf]) {
    let sources: Vec<Source> = layers.iter().map(|path| source(path)).collect();
    match parse(&sources, &[]) {
        Ok((_, warnings)) => assert!(warnings.is_empty(), "{layers:?}\n{}", rendered(warnings.iter())),
        Err(diagnostics) => panic!("{layers:?}\n{}", report(&diagnostics)),
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/configs")
}

/// Returns the stack files of a directory, in the order of their names; an empty directory is a mistake in the test.
fn stack_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory of the corpus");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry of it").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no stack", directory.display());
    files
}

fn source(path: &Path) -> Source {
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    Source {
        name,
        text: fs::read_to_string(path).expect("a text"),
    }
}

fn snapshot(path: &Path, directory: &Path, text: &str) {
    let name = path.file_stem().expect("a file").to_string_lossy();
    insta::with_settings!({ snapshot_path => directory, prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name.as_ref(), text);
    });
}

fn report(diagnostics: &Diagnostics) -> String {
    format!("{}\n{diagnostics}\n", rendered(diagnostics.iter()))
}

fn rendered<'a>(errors: impl Iterator<Item = &'a StackError>) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(120)
        .with_links(false);
    let mut text = String::new();
    for error in errors {
        handler.render_report(&mut text, error).expect("writing into a string");
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
