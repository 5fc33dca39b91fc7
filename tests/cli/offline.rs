//! Commands that need no cluster.

use crate::sandbox::Sandbox;

#[test]
fn the_quickstart_is_valid_and_says_what_it_asks_for() {
    insta::assert_snapshot!(Sandbox::with_stack().run(&["validate"]), @r"
    exit 0
    --- stdout
    valid: stack quickstart can be used: 1 GPU pool, 1 model, MaaS with 3 tiers
           0 of 83 objects checked against their definitions (`--crds DIR` names some)
    ");
}

#[test]
fn a_window_in_days_points_at_file_and_line() {
    let sandbox = Sandbox::with_stack();
    sandbox.write(
        "days.toml",
        "[[maas.tiers]]\nname = \"pro\"\nlimits = [{ model = \"qwen3-8b\", tokens = 3000, window = \"1d\" }]\n",
    );
    insta::assert_snapshot!(sandbox.run(&["validate", "stack.toml", "days.toml"]));
}

#[test]
fn json_says_the_same_with_line_and_column() {
    let sandbox = Sandbox::with_stack();
    sandbox.write("wrong.toml", "[rhoai]\nprofil = \"ea\"\n");
    let output = Sandbox::output(&mut sandbox.command(&["validate", "stack.toml", "wrong.toml", "--json"]));
    assert_eq!(output.status.code(), Some(1));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
    insta::assert_json_snapshot!(answer);
}

#[test]
fn the_corpus_is_judged_as_its_folders_say() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/configs");
    let sandbox = Sandbox::empty();
    for (folder, code) in [("valid", 0), ("doubtful", 0), ("invalid", 1)] {
        for entry in std::fs::read_dir(corpus.join(folder)).expect("the corpus") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let output = Sandbox::output(sandbox.command(&["validate"]).arg(&path));
                let stderr = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(code), "{}\n{stderr}", path.display());
                assert_eq!(folder == "valid", stderr.is_empty(), "{}\n{stderr}", path.display());
            }
        }
    }
    assert!(sandbox.files().is_empty(), "validate writes nothing");
}

#[test]
fn a_graph_has_a_form_for_people_for_tools_and_for_machines() {
    let sandbox = Sandbox::empty();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: one}\n---\n\
               apiVersion: v1\nkind: Namespace\nmetadata: {name: one}\n";
    sandbox.write("objects.yaml", map);
    let table = "[[manifests]]\nname = \"m\"\npath = \"objects.yaml\"\n";
    sandbox.write("stack.toml", &format!("[stack]\nname = \"s\"\n{table}"));
    sandbox.write("facts.json", "{}");
    let graph = |flags: &[&str]| {
        let all = [&["graph", "--facts", "facts.json"], flags].concat();
        let output = Sandbox::output(&mut sandbox.command(&all));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let json = graph(&["--json"]);
    assert_eq!(graph(&["--format", "json"]), json);
    let path = graph(&["--critical-path", "--format", "json"]);
    assert_eq!(graph(&["--critical-path", "--json"]), path);
    assert_ne!(json, path);
    for (format, begins) in [("text", "wave 1"), ("dot", "digraph "), ("mermaid", "graph ")] {
        let text = graph(&["--format", format]);
        assert!(text.starts_with(begins), "{format}: {text}");
        assert!(text.contains("namespace[one]"), "{format}: {text}");
    }
}

#[test]
fn a_code_is_explained_and_an_unknown_one_is_refused() {
    let sandbox = Sandbox::empty();
    insta::assert_snapshot!(sandbox.run(&["explain", "stk054"]));
    insta::assert_snapshot!(sandbox.run(&["explain", "STK999"]), @r"
    exit 1
    --- stderr
    error: there is no code `STK999`
    hint: `stackctl explain` lists every code
    ");
}

#[test]
fn completions_and_versions_are_printed() {
    let sandbox = Sandbox::empty();
    assert!(sandbox.run(&["completions", "bash"]).contains("_stackctl()"));
    assert!(sandbox.run(&["version"]).starts_with("exit 0\n--- stdout\nstackctl "));
}

#[test]
fn pages_of_the_manual_are_written_for_every_command() {
    let sandbox = Sandbox::empty();
    let told = sandbox.run(&["man", "pages"]);
    assert!(told.starts_with("exit 0"), "{told}");
    let pages = sandbox.files();
    let is_page = |name: &str| pages.iter().any(|path| path.ends_with(name));
    assert!(
        is_page("stackctl.1") && is_page("stackctl-plan.1") && is_page("stackctl-state-list.1"),
        "{pages:?}"
    );
}
