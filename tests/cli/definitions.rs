//! Objects against the definitions of their kinds, and a plan, without a cluster.

use crate::{sandbox::Sandbox, widgets::WIDGETS};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const STACK: &str = "[stack]\nname = \"own\"\n\n[[manifests]]\nname = \"own\"\npath = \"own.yaml\"\n";

const WRONG: &str = "\
apiVersion: example.com/v1
kind: Widget
metadata: {name: one, namespace: default}
spec: {size: huge, sise: small}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: two, namespace: default}
spec: {size: small, min: 9}
";

/// A stack of one file, beside a directory with the definition of its kind.
fn sandbox(objects: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write("stack.toml", STACK);
    sandbox.write("own.yaml", objects);
    std::fs::create_dir_all(sandbox.path().join("crds")).expect("a folder");
    sandbox.write("crds/widgets.yaml", WIDGETS);
    sandbox
}

#[test]
fn mistakes_are_told_with_file_line_address_field_and_code() {
    let ran = sandbox(WRONG).run(&["validate", "--crds", "crds"]);
    let one = "`manifests[own].widget[\"default/one\"]`: ";
    let two = "`manifests[own].widget[\"default/two\"]`: ";
    for said in [
        format!("error[STK400]: own.yaml:4: {one}example.com/v1 Widget has no field `spec.sise`"),
        "hint: did you mean `size`?".to_owned(),
        format!(
            "error[STK401]: own.yaml:4: {one}`spec.size`: Unsupported value: \"huge\": supported values: \"small\", \"large\""
        ),
        format!("error[STK402]: own.yaml:9: {two}`spec`: Invalid value: \"object\": min is above max"),
    ] {
        assert!(ran.starts_with("exit 1") && ran.contains(&said), "{said}\n{ran}");
    }
}

#[test]
fn a_definition_among_the_manifests_judges_the_others_and_render_and_plan_refuse_too() {
    let sandbox = sandbox(&format!("{WIDGETS}---\n{WRONG}"));
    sandbox.write("facts.json", "{}");
    for arguments in [
        &["validate"][..],
        &["render", "--facts", "facts.json"],
        &["plan", "--facts", "facts.json"],
    ] {
        let ran = sandbox.run(arguments);
        for said in [
            "own.yaml:",
            "`spec.size`: Unsupported value: \"huge\"",
            "has no field `spec.sise`",
            "min is above max",
        ] {
            assert!(ran.contains(said) && ran.starts_with("exit 1"), "{arguments:?}: {ran}");
        }
    }
}

#[test]
fn json_says_the_same_and_counts_it() {
    let output = Sandbox::output(
        sandbox(WRONG)
            .command(&["validate", "--json"])
            .env("STACKCTL_CRDS", "crds"),
    );
    assert_eq!(output.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
    let told = |one: &Value| json!([one["code"], one["file"], one["line"], one["address"], one["field"]]);
    let told: Vec<Value> = answer["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(told)
        .collect();
    let (one, two) = (
        "manifests[own].widget[\"default/one\"]",
        "manifests[own].widget[\"default/two\"]",
    );
    assert_eq!(
        told,
        [
            json!(["STK400", "own.yaml", 4, one, "spec.sise"]),
            json!(["STK401", "own.yaml", 4, one, "spec.size"]),
            json!(["STK402", "own.yaml", 9, two, "spec"]),
        ]
    );
    assert_eq!(answer["summary"], json!({"errors": 3, "warnings": 0}));
    assert_eq!(answer["valid"], json!(false));
}

#[test]
fn json_says_what_is_wrong_with_a_manifest_too() {
    let sandbox = sandbox("apiVersion: v1\nkind: ConfigMap\n");
    let output = Sandbox::output(&mut sandbox.command(&["validate", "--json"]));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["valid"], json!(false));
    assert_eq!(answer["diagnostics"][0]["code"], json!("STK301"));
}

#[test]
fn a_fresh_cluster_is_planned_by_files_alone() {
    let good = WRONG
        .replace("size: huge, sise: small", "size: large")
        .replace("min: 9", "min: 1");
    let sandbox = sandbox(&format!("{WIDGETS}---\n{good}"));
    sandbox.write("facts.json", "{}");
    let ran = sandbox.run(&["plan", "--facts", "facts.json", "--detailed-exitcode"]);
    for said in [
        "a fresh cluster, by facts of a file",
        "manifests[own].widget",
        "Plan: 3 create",
    ] {
        assert!(ran.starts_with("exit 2") && ran.contains(said), "{said}\n{ran}");
    }
    let before = sandbox.files().len();
    assert_eq!(before, 4, "nothing is written: {:?}", sandbox.files());
}

#[test]
fn a_directory_that_cannot_be_read_is_an_error() {
    let sandbox = sandbox(WRONG);
    let ran = sandbox.run(&["validate", "--crds", "nowhere"]);
    assert!(
        ran.starts_with("exit 1") && ran.contains("`nowhere` cannot be read"),
        "{ran}"
    );
    std::fs::create_dir_all(sandbox.path().join("crds/example.com")).expect("a folder");
    sandbox.write("crds/example.com/widgets.yaml", "kind: [Widget\n");
    let ran = sandbox.run(&["validate", "--crds", "crds"]);
    assert!(ran.contains("error[STK404]") && ran.contains("widgets.yaml"), "{ran}");
    // Of a file whose name says nothing nobody knows what it defines.
    std::fs::remove_dir_all(sandbox.path().join("crds/example.com")).expect("removable");
    sandbox.write("crds/all.json", "{\"kind\": 1, \"kind\": 2}");
    let ran = sandbox.run(&["validate", "--crds", "crds"]);
    assert!(ran.contains("error[STK404]") && ran.contains("all.json"), "{ran}");
    assert!(!ran.contains("Policy"), "in our words: {ran}");
}

#[test]
fn what_was_not_looked_at_and_how_much_was_checked_is_told() {
    let sandbox = sandbox("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n");
    let ran = sandbox.run(&["validate"]);
    assert!(
        ran.contains("0 of 1 object checked against their definitions (`--crds DIR` names some)"),
        "{ran}"
    );
    let json = serde_json::to_string(&json!({"kind": "Gadget"})).expect("JSON");
    sandbox.write("crds/gadget.json", &json);
    sandbox.write("crds/notes.txt", "x\n");
    sandbox.write("crds/README.md", "x\n");
    let ran = sandbox.run(&["validate", "--crds", "crds"]);
    let told = "warning: 2 files of `crds` without a definition in YAML or JSON: gadget.json, notes.txt";
    assert!(ran.starts_with("exit 0") && ran.contains(told), "{ran}");
}

#[test]
fn a_kind_lies_in_the_namespace_of_its_table_by_a_definition_in_json() {
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one}\nspec: {size: small}\n";
    let sandbox = sandbox(widget);
    sandbox.write("stack.toml", &format!("{STACK}namespace = \"default\"\n"));
    let definition: Value = serde_saphyr::from_str(WIDGETS).expect("YAML");
    std::fs::remove_file(sandbox.path().join("crds/widgets.yaml")).expect("removable");
    sandbox.write("crds/all.json", &definition.to_string());
    sandbox.write("facts.json", "{}");
    let ran = sandbox.run(&["render", "--facts", "facts.json", "--crds", "crds"]);
    assert!(ran.starts_with("exit 0") && ran.contains("namespace: default"), "{ran}");
    let ran = sandbox.run(&["validate"]);
    assert!(
        ran.contains("warning[STK338]: own.yaml:1: Widget one is not put into `default`"),
        "{ran}"
    );
}

#[test]
fn lints_of_manifests_are_allowed_with_a_reason_and_an_allowance_for_nothing_is_told() {
    let sandbox = sandbox("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: team-a}\n");
    let ran = sandbox.run(&["validate"]);
    assert!(ran.contains("warning[STK336]: own.yaml:3: ConfigMap team-a/a"), "{ran}");
    let allow = "allow = [\n  { code = \"STK336\", reason = \"the hosting team makes it\" },\n  { code = \"STK330\", reason = \"x\" },\n]\n";
    sandbox.write("stack.toml", &format!("{STACK}{allow}"));
    let ran = sandbox.run(&["validate"]);
    assert!(!ran.contains("STK336"), "{ran}");
    assert!(
        ran.contains("warning[STK058]: stack.toml:9: nothing here is STK330"),
        "{ran}"
    );
    // What makes files unreadable stays an error.
    sandbox.write("stack.toml", &format!("{STACK}{}", allow.replace("STK336", "STK301")));
    let ran = sandbox.run(&["validate"]);
    assert!(ran.contains("STK044"), "{ran}");
}

/// The definitions of real releases, where they are there.
#[expect(clippy::print_stdout, reason = "a test says loudly what it did not try")]
fn of_real_releases() -> Option<PathBuf> {
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/crds");
    let found = crds.canonicalize().ok();
    if found.is_none() {
        println!("NOT TRIED: there are no true CRDs at {}", crds.display());
    }
    found
}

#[test]
fn every_example_is_valid_by_the_definitions_of_real_releases() {
    let Some(crds) = of_real_releases() else { return };
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let sandbox = Sandbox::empty();
    let mut n_stacks = 0;
    for example in std::fs::read_dir(&examples).expect("the examples") {
        let folder = example.expect("an entry").path();
        let layered = ["base.toml", "prod.toml"].map(|file| folder.join(file));
        let files = match folder.join("stack.toml") {
            stack if stack.is_file() => vec![stack],
            _ if layered.iter().all(|file| file.is_file()) => layered.to_vec(),
            _ => continue,
        };
        let output = Sandbox::output(
            sandbox
                .command(&["validate", "--json", "--crds"])
                .arg(&crds)
                .args(&files),
        );
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(answer["diagnostics"], json!([]), "{}\n{said}", folder.display());
        let judged = answer["checked"]["by_definition"].as_u64().unwrap_or_default();
        assert!(
            judged > 20 || folder.ends_with("two-tenants"),
            "{}: {answer}",
            folder.display()
        );
        n_stacks += 1;
    }
    assert!(n_stacks > 7, "{n_stacks} examples were found");
}

/// Kinds of Kubernetes need no definition: their fields and types are known of a release.
#[test]
fn a_misspelt_field_of_a_deployment_is_an_error_at_its_line_without_a_cluster() {
    let sandbox = Sandbox::empty();
    sandbox.write("stack.toml", STACK);
    let deployment = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replica: 3
  novelty: true
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      contianers: [{name: main, image: web}]
";
    sandbox.write("own.yaml", deployment);
    sandbox.write("facts.json", "{}");
    for arguments in [
        &["validate"][..],
        &["render", "--facts", "facts.json"],
        &["plan", "--facts", "facts.json"],
    ] {
        let ran = sandbox.run(arguments);
        for said in [
            "error[STK400]: own.yaml:5: `manifests[own].deployment[\"default/web\"]`: apps/v1 Deployment has no field `spec.replica`",
            "hint: did you mean `replicas`?",
            "own.yaml:11:",
            "has no field `spec.template.spec.contianers`",
            "has no field `spec.novelty`, as of Kubernetes 1.34",
        ] {
            assert!(
                ran.contains(said) && ran.starts_with("exit 1"),
                "{arguments:?}: {said}\n{ran}"
            );
        }
    }
    let right = deployment
        .replace("replica:", "replicas:")
        .replace("contianers", "containers");
    sandbox.write("own.yaml", &right.replace("  novelty: true\n", ""));
    assert!(sandbox.run(&["validate"]).starts_with("exit 0"));
    // What only a newer server may know refuses nothing.
    sandbox.write("own.yaml", &right);
    let ran = sandbox.run(&["validate"]);
    assert!(ran.starts_with("exit 0") && ran.contains("spec.novelty"), "{ran}");
}
