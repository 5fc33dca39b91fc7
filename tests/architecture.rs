//! Which crate may import which, and which room owns which third-party crate.
//!
//! The table in `docs/architecture.md` and `docs/dependencies.md` is the intention; this is the judge.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Our crates, and what of ours each may import.
const ARROWS: &[(&str, &[&str])] = &[
    ("stackctl-engine", &[]),
    ("stackctl-state", &["stackctl-engine"]),
    ("stackctl-schema", &[]),
    ("stackctl-stacks", &["stackctl-engine", "stackctl-schema"]),
    ("stackctl-kubernetes", &["stackctl-engine", "stackctl-state"]),
    ("stackctl-simulator", &["stackctl-engine", "stackctl-schema"]),
    (
        "stackctl",
        &[
            "stackctl-engine",
            "stackctl-state",
            "stackctl-stacks",
            "stackctl-kubernetes",
            "stackctl-simulator",
        ],
    ),
    (
        "xtask",
        &[
            "stackctl-engine",
            "stackctl-state",
            "stackctl-stacks",
            "stackctl-kubernetes",
            "stackctl-simulator",
        ],
    ),
];

/// Third-party crates, and who may import them in what is shipped. A crate that is not here has no owner yet.
const OWNERS: &[(&str, &[&str])] = &[
    ("axum", &["stackctl-simulator"]),
    (
        "base64",
        &[
            "stackctl-engine",
            "stackctl-schema",
            "stackctl-state",
            "stackctl-stacks",
            "stackctl-simulator",
        ],
    ),
    ("bcrypt", &["stackctl-engine", "stackctl-simulator"]),
    ("bytes", &["stackctl-kubernetes", "stackctl-simulator"]),
    ("cel", &["stackctl-schema", "stackctl-simulator"]),
    ("clap", &["stackctl", "xtask"]),
    ("clap_complete", &["stackctl"]),
    ("clap_mangen", &["stackctl"]),
    ("rcgen", &["stackctl-simulator", "xtask"]),
    ("fjall", &["stackctl-simulator"]),
    (
        "futures-util",
        &[
            "stackctl-engine",
            "stackctl-kubernetes",
            "stackctl-simulator",
            "stackctl",
            "xtask",
        ],
    ),
    ("getrandom", &["stackctl-state", "stackctl-simulator", "stackctl"]),
    ("glob", &["stackctl", "xtask"]),
    ("hmac", &["stackctl-engine"]),
    ("http", &["stackctl-kubernetes", "stackctl-simulator", "xtask"]),
    ("http-body-util", &["stackctl-kubernetes", "stackctl-simulator"]),
    ("hyper", &["stackctl-simulator"]),
    ("hyper-util", &["stackctl-simulator"]),
    ("indicatif", &["stackctl"]),
    ("json-patch", &["stackctl-simulator"]),
    ("k8s-openapi", &["stackctl-kubernetes", "stackctl-simulator", "xtask"]),
    ("kube", &["stackctl-kubernetes", "stackctl-simulator", "xtask"]),
    ("miette", &["stackctl-stacks", "stackctl"]),
    ("mimalloc", &["stackctl", "xtask"]),
    ("miniz_oxide", &["stackctl-state", "stackctl-simulator"]),
    ("petgraph", &["stackctl-engine"]),
    ("regex", &["stackctl-schema", "stackctl-simulator"]),
    ("ring", &["stackctl-simulator"]),
    ("rustls-pki-types", &["stackctl-kubernetes"]),
    ("rustix", &["stackctl-state", "stackctl-simulator", "stackctl"]),
    (
        "serde",
        &[
            "stackctl-stacks",
            "stackctl-state",
            "stackctl-kubernetes",
            "stackctl-simulator",
            "stackctl",
            "xtask",
        ],
    ),
    (
        "serde-saphyr",
        &["stackctl-stacks", "stackctl-simulator", "stackctl", "xtask"],
    ),
    ("sha2", &["stackctl-engine", "stackctl-simulator"]),
    ("schemars", &["stackctl"]),
    ("similar", &["stackctl"]),
    ("strsim", &["stackctl-stacks", "stackctl-simulator"]),
    (
        "tokio",
        &[
            "stackctl-engine",
            "stackctl-kubernetes",
            "stackctl-simulator",
            "stackctl",
            "xtask",
        ],
    ),
    ("tokio-rustls", &["stackctl-simulator"]),
    ("toml", &["stackctl-simulator", "stackctl-stacks", "xtask"]),
    (
        "tracing",
        &[
            "stackctl-state",
            "stackctl-kubernetes",
            "stackctl-simulator",
            "stackctl",
        ],
    ),
    ("tracing-subscriber", &["stackctl"]),
    ("x509-parser", &["stackctl-simulator", "stackctl-stacks"]),
];

/// Crates that every room may import.
const EVERYBODYS: [&str; 2] = ["serde_json", "thiserror"];

#[test]
fn crates_import_only_what_the_table_allows() {
    let metadata = metadata();
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let Some(may) = allowed.get(name) else {
            wrong.push(format!("`{name}` has no row in ARROWS"));
            continue;
        };
        for import in imports(package).filter(|import| allowed.contains_key(import.as_str())) {
            if !may.contains(&import.as_str()) {
                wrong.push(format!("{name} -> {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_third_party_crate_is_imported_by_its_owners_alone() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let owners: BTreeMap<&str, &[&str]> = OWNERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        for import in imports(package).filter(|import| !ours.contains(import.as_str())) {
            let owned = owners
                .get(import.as_str())
                .is_some_and(|owners| owners.contains(&package.name.as_str()));
            if !owned && !EVERYBODYS.contains(&import.as_str()) {
                wrong.push(format!("{} -> {import}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "not an owner, or without one:\n{}", wrong.join("\n"));
}

#[test]
fn every_third_party_crate_has_its_reason() {
    let reasons = fs::read_to_string(root().join("docs/dependencies.md")).expect("docs/dependencies.md");
    let named: BTreeSet<&str> = reasons
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter_map(|line| line.split('|').next())
        .flat_map(|cell| cell.split([',', ';']))
        .filter_map(|name| name.split_whitespace().next())
        .collect();
    let missing: Vec<_> = OWNERS
        .iter()
        .map(|(name, _)| *name)
        .chain(EVERYBODYS)
        .filter(|name| !named.contains(name))
        .collect();
    assert!(missing.is_empty(), "no row in docs/dependencies.md: {missing:?}");
}

/// Modules of the engine that may touch neither time nor streams: all but these.
const ASYNC: [&str; 2] = ["execute", "survey"];

#[test]
fn the_engine_is_async_in_execute_and_survey_alone() {
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("engine/src")) {
        let module = module_of(&file);
        if ASYNC.contains(&module.as_str()) || module == "testing" {
            continue;
        }
        let text = fs::read_to_string(&file).expect("readable");
        for word in ["tokio::", "futures_util::", "async fn", ".await"] {
            if code_of(&text).contains(word) {
                wrong.push(format!("{}: {word}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Which modules of the engine each module must not import: what comes after it on the way of the data.
const NEVER_BACK: &[(&str, &[&str])] = &[
    (
        "address",
        &[
            "object_key",
            "field",
            "manifest",
            "readiness",
            "resource",
            "graph",
            "diff",
            "plan",
            "survey",
            "execute",
            "report",
            "recorded",
        ],
    ),
    (
        "object_key",
        &[
            "address",
            "manifest",
            "readiness",
            "resource",
            "graph",
            "diff",
            "plan",
            "survey",
            "execute",
            "report",
            "recorded",
        ],
    ),
    (
        "field",
        &[
            "address",
            "object_key",
            "manifest",
            "readiness",
            "resource",
            "graph",
            "diff",
            "plan",
            "survey",
            "execute",
            "report",
            "recorded",
        ],
    ),
    (
        "digest",
        &[
            "address",
            "object_key",
            "field",
            "manifest",
            "readiness",
            "resource",
            "graph",
            "diff",
            "plan",
            "survey",
            "execute",
            "report",
            "recorded",
        ],
    ),
    (
        "manifest",
        &[
            "readiness",
            "resource",
            "graph",
            "diff",
            "plan",
            "survey",
            "execute",
            "report",
            "recorded",
        ],
    ),
    (
        "readiness",
        &[
            "resource", "graph", "diff", "plan", "survey", "execute", "report", "recorded",
        ],
    ),
    ("resource", &["diff", "plan", "survey", "execute", "report", "recorded"]),
    // `graph` may ask `diff` for the leaves of two manifests: whether two nodes write one field.
    ("graph", &["plan", "survey", "execute", "report", "recorded"]),
    (
        "ownership",
        &[
            "resource", "graph", "diff", "plan", "survey", "execute", "report", "recorded",
        ],
    ),
    ("recorded", &["plan", "survey", "execute", "report"]),
    ("plan", &["report"]),
    ("survey", &["plan", "report"]),
    ("execute", &["report"]),
];

#[test]
fn no_module_of_the_engine_reaches_back() {
    let forbidden: BTreeMap<&str, &[&str]> = NEVER_BACK.iter().copied().collect();
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("engine/src")) {
        let Some(never) = forbidden.get(module_of(&file).as_str()).copied() else {
            continue;
        };
        let text = fs::read_to_string(&file).expect("readable");
        for import in crate_imports(code_of(&text)) {
            if never.contains(&import.as_str()) {
                wrong.push(format!("{}: crate::{import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Words of OpenShift and of components, which the engine does not know.
const FOREIGN_WORDS: [&str; 8] = [
    "openshift",
    "DataScienceCluster",
    "LLMInferenceService",
    "MaaS",
    "Kuadrant",
    "Authorino",
    "MachineSet",
    "InstallPlan",
];

#[test]
fn the_engine_names_no_kind_of_openshift() {
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("engine/src")) {
        let text = fs::read_to_string(&file).expect("readable");
        // Comments may give examples; code may not act on them.
        for line in code_of(&text)
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"))
        {
            for word in FOREIGN_WORDS.iter().filter(|word| line.contains(**word)) {
                wrong.push(format!("{}: {word}: {line}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_language_sees_no_component_and_the_components_no_language() {
    let mut wrong = Vec::new();
    for (room, never) in [
        ("language", "crate::components"),
        ("components", "crate::language"),
        ("stack", "crate::components"),
    ] {
        for file in rust_files(&root().join("stacks/src").join(room)) {
            let text = fs::read_to_string(&file).expect("readable");
            if code_of(&text).contains(never) {
                wrong.push(format!("{}: {never}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn views_do_nothing_and_nothing_imports_commands() {
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("cli/src")) {
        let text = fs::read_to_string(&file).expect("readable");
        let code = code_of(&text);
        let is_command = file.components().any(|part| part.as_os_str() == "commands");
        let is_view = file.components().any(|part| part.as_os_str() == "views");
        if !is_command && !file.ends_with("lib.rs") && code.contains("crate::commands") {
            wrong.push(format!("{}: crate::commands", file.display()));
        }
        for word in [
            "stackctl_kubernetes",
            "stackctl_simulator",
            "stackctl_state",
            "crate::prompt",
            "std::fs",
        ] {
            if is_view && code.contains(word) {
                wrong.push(format!("{}: {word}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .expect("cargo metadata")
}

/// What a crate imports when it is shipped.
fn imports(package: &Package) -> impl Iterator<Item = String> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.clone())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    // Tests may look anywhere.
    let is_test = |file: &PathBuf| file.ends_with("tests.rs") || file.parent().is_some_and(|of| of.ends_with("tests"));
    files.retain(|file| !is_test(file));
    files.sort();
    assert!(!files.is_empty(), "{} has no source", directory.display());
    files
}

/// The module of the engine that a file belongs to: `plan` for `plan/decide.rs` and for `plan.rs`.
fn module_of(file: &Path) -> String {
    let below = file
        .components()
        .skip_while(|part| part.as_os_str() != "src")
        .nth(1)
        .expect("a file below src");
    let name = below.as_os_str().to_string_lossy();
    name.strip_suffix(".rs").unwrap_or(&name).to_owned()
}

/// What stands before the tests of a file.
fn code_of(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

/// The modules named in `crate::…` paths and `use crate::{…}` groups.
fn crate_imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        if let Some(group) = after.strip_prefix('{') {
            let (mut depth, mut name, mut at_start) = (1, String::new(), true);
            for character in group.chars() {
                match character {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => at_start = true,
                    c if depth == 1 && at_start && (c.is_ascii_lowercase() || c == '_') => name.push(c),
                    ':' if !name.is_empty() => {
                        found.insert(std::mem::take(&mut name));
                        at_start = false;
                    }
                    c if !c.is_whitespace() => {
                        at_start = false;
                        name.clear();
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            let name: String = after
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            if after[name.len()..].starts_with("::") {
                found.insert(name);
            }
        }
    }
    found
}

/// The README says `cargo run --`, which asks for one program to run.
#[test]
fn what_cargo_runs_is_stackctl() {
    let metadata = metadata();
    let programs: Vec<_> = metadata
        .workspace_default_packages()
        .into_iter()
        .flat_map(|package| &package.targets)
        .filter(|target| target.is_bin())
        .map(|target| target.name.as_str())
        .collect();
    assert_eq!(programs, ["stackctl"]);
}
