//! Every fault that the catalogue knows is asked for by a test that runs whole programs.

use crate::sandbox::Sandbox;
use std::{fs, path::Path};

/// Where whole programs are run, and the scenario of the documentation, which one of them plays.
const ASKED_FOR: [&str; 4] = [
    "tests/simulated",
    "tests/manual",
    "tests/kubectl",
    "docs/rough-day.toml",
];

/// Every text in a file or below a folder, but this one.
fn read(path: &Path, into: &mut String) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            read(&entry.expect("an entry").path(), into);
        }
    } else if !path.ends_with(Path::new(file!()).file_name().expect("a name")) {
        into.push_str(&fs::read_to_string(path).unwrap_or_default());
    }
}

#[test]
fn every_fault_of_the_catalogue_is_asked_for_by_a_whole_run() {
    let mut asked = String::new();
    for place in ASKED_FOR {
        read(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(place),
            &mut asked,
        );
    }
    let listed = Sandbox::new()
        .run(&["simulate", "--list-faults", "--json"])
        .expect(0)
        .json();
    let forms = listed["faults"].as_array().expect("a list");
    assert!(forms.len() > 70, "the catalogue was not read");
    let forms = forms.iter().map(|fault| fault["fault"].as_str().expect("a form"));
    // In a test or a scenario `"stopped@kuadrant"`, on a command line of a transcript `--fault stopped@kuadrant`.
    let is_unasked = |form: &&str| {
        let name = form.split('@').next().unwrap_or_default();
        let end = if form.contains('@') { '@' } else { '"' };
        let on_a_line = form.contains('@') && asked.contains(&format!("--fault {name}@"));
        !on_a_line && !asked.contains(&format!("\"{name}{end}"))
    };
    let unasked: Vec<&str> = forms.filter(is_unasked).collect();
    assert!(unasked.is_empty(), "no whole run has these faults: {unasked:?}");
}
