//! `diff`: two versions of a stack, from a repository and from folders, with no cluster anywhere.

use crate::{sandbox::Sandbox, widgets::WIDGETS};
use std::process::Command;

/// A platform with three models, two of them in MaaS, and two tiers.
const BEFORE: &str = r#"
[stack]
name = "prod"
[cluster]
platform = "aws"
[tls]
issuer = "existing"

[[gpu]]
name = "l40s"
tier = "l40s"
size = "g6e.2xlarge"
zones = ["a", "b"]

[[models]]
name = "qwen3-8b"
namespace = "demo"
source = "hf://Qwen/Qwen3-8B"
gpus = 1
maas = true

[[models]]
name = "opt"
namespace = "demo"
source = "hf://facebook/opt-125m"
gpus = 1

[[models]]
name = "nemotron"
namespace = "demo"
source = "hf://nvidia/Nemotron-Mini-4B-Instruct"
replicas = 2
gpus = 1

[maas]
enabled = true

[[maas.tiers]]
name = "premium"
priority = 2
groups = ["premium-users"]
limits = [{ model = "qwen3-8b", tokens = 30_000, window = "5m" }]

[[maas.groups]]
name = "premium-users"
members = "unmanaged"

[[manifests]]
name = "quota"
path = "extra"
"#;

const QUOTA: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: quota, namespace: default}\ndata: {most: '1'}\n";

/// The same with a tier lowered, a model moved to MaaS, the pool grown, a model removed, and a manifest changed.
fn after() -> String {
    let (front, rest) = BEFORE.split_once("[[models]]\nname = \"nemotron\"").expect("there");
    let (_, rest) = rest.split_once("[maas]").expect("there");
    format!("{front}[maas]{rest}")
        .replace("tokens = 30_000", "tokens = 3_000")
        .replace("opt-125m\"\ngpus = 1", "opt-125m\"\ngpus = 1\nmaas = true")
        .replace(
            r#"zones = ["a", "b"]"#,
            "zones = [\"a\", \"b\", \"c\"]\nnodes_per_zone = 2",
        )
}

impl Sandbox {
    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(arguments);
        let date = "2026-01-01T00:00:00Z";
        git.env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.path());
        git.env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date);
        let done = git.current_dir(self.path()).output().expect("git starts");
        assert!(
            done.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    fn commit(&self, name: &str) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", name]);
    }
}

/// Two commits, the second on a branch that is checked out.
fn repository() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.git(&["init", "--quiet", "--initial-branch", "main"]);
    sandbox.write("stack.toml", BEFORE);
    sandbox.write("extra/quota.yaml", QUOTA);
    sandbox.commit("before");
    sandbox.git(&["switch", "--quiet", "-c", "change"]);
    sandbox.write("stack.toml", &after());
    sandbox.write("extra/quota.yaml", &QUOTA.replace("'1'", "'2'"));
    sandbox.commit("after");
    sandbox
}

#[test]
fn two_commits_are_told_in_markdown_with_what_they_do_first_and_in_figures() {
    let sandbox = repository();
    let markdown = sandbox.run(&["diff", "--from", "main", "--to", "change", "--format", "markdown"]);
    insta::assert_snapshot!(markdown);
    for figure in [
        "from 30000 to 3000 tokens per 5m",
        "moves model opt to MaaS",
        "buys 4 × g6e.2xlarge in eu-west-1",
        "removes model nemotron and frees 2 GPUs",
    ] {
        assert!(markdown.contains(figure), "{figure}");
    }
    let text = sandbox.run(&["diff", "--from", "main", "--exit-code", "--compact"]);
    insta::assert_snapshot!(text);
    assert!(text.starts_with("exit 2\n"), "{text}");
    let refused = sandbox.run(&[
        "diff",
        "--from",
        "main",
        "--fail-on",
        "destructive",
        "--format",
        "junit",
    ]);
    assert!(
        refused.starts_with("exit 1\n") && refused.contains("<failure type=\"destructive\""),
        "{refused}"
    );
    let whole = [
        "--format",
        "markdown",
        "--artefact",
        "https://ci.example.com/runs/7",
        "--fail-on",
        "disruptive",
    ];
    let refused = sandbox.run(&[&["diff", "--from", "main"][..], &whole].concat());
    for said in [
        "exit 1\n",
        " The whole: https://ci.example.com/runs/7.",
        "error: the change is destructive",
    ] {
        assert!(refused.contains(said), "{said}: {refused}");
    }
    insta::assert_snapshot!(sandbox.run(&["diff", "--from", "nowhere"]));
    assert!(
        !sandbox.files().iter().any(|file| file.starts_with(".stackctl")),
        "nothing is written"
    );
}

#[test]
fn the_working_tree_is_compared_with_the_last_commit_and_equal_versions_do_not_differ() {
    let sandbox = repository();
    assert!(sandbox.run(&["diff", "--exit-code"]).starts_with("exit 0\n"));
    sandbox.write("extra/quota.yaml", &QUOTA.replace("'1'", "'3'"));
    insta::assert_snapshot!(sandbox.run(&["diff", "--exit-code"]));
}

#[test]
fn two_folders_and_two_stack_files_are_versions_and_layers_are_not() {
    let sandbox = Sandbox::empty();
    for (name, most) in [("old", "'1'"), ("new", "'2'")] {
        sandbox.write(
            &format!("{name}/stack.toml"),
            "[stack]\nname = \"s\"\n[[manifests]]\nname = \"m\"\npath = \"q.yaml\"\n",
        );
        sandbox.write(&format!("{name}/q.yaml"), &QUOTA.replace("'1'", most));
    }
    let folders = sandbox.run(&["diff", "old/", "new/"]);
    insta::assert_snapshot!(folders);
    assert_eq!(
        sandbox
            .run(&["diff", "old/stack.toml", "new/stack.toml"])
            .replace("/stack.toml", "/"),
        folders
    );
    assert_eq!(
        sandbox.run(&["diff", "--from", "old", "--to", "new"]),
        folders.replace("old/", "old").replace("new/", "new")
    );
    insta::assert_snapshot!(sandbox.run(&["diff", "old/stack.toml"]));
}

#[test]
fn what_the_stack_keeps_and_would_lose_is_shown_and_refused() {
    let sandbox = Sandbox::empty();
    let map = |name: &str| format!("---\n{}", QUOTA.replace("name: quota", &format!("name: {name}")));
    for (folder, maps) in [("old", map("quota") + &map("kept")), ("new", map("quota"))] {
        sandbox.write(
            &format!("{folder}/stack.toml"),
            "[stack]\nname = \"s\"\n[[manifests]]\nname = \"m\"\npath = \"q.yaml\"\nprevent_destroy = true\n",
        );
        sandbox.write(&format!("{folder}/q.yaml"), &maps);
    }
    insta::assert_snapshot!(sandbox.run(&["diff", "old/", "new/", "--format", "markdown", "--exit-code"]));
    let mut command = sandbox.command(&["diff", "old/", "new/", "--format", "json"]);
    let output = Sandbox::output(&mut command);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (
            output.status.code(),
            &document["errored"],
            &document["applyable"],
            &document["summary"]["delete"]
        ),
        (Some(1), &true.into(), &false.into(), &1.into()),
        "{document}"
    );
}

#[test]
fn another_name_of_the_stack_and_files_that_were_not_there_are_told_and_are_no_small_change() {
    let sandbox = repository();
    sandbox.write(
        "stack.toml",
        &after().replace("name = \"prod\"", "name = \"production\""),
    );
    let text = sandbox.run(&["diff", "--exit-code"]);
    assert!(
        text.starts_with("exit 2\n") && text.contains("\n1 disruptive\n"),
        "{text}"
    );
    let junit = sandbox.run(&["diff", "--fail-on", "disruptive", "--format", "junit"]);
    let told = "the stack is called production instead of prod";
    assert!(
        junit.starts_with("exit 1\n") && junit.contains("failures=\"1\"") && junit.contains(told),
        "{junit}"
    );
    let document = Sandbox::output(&mut sandbox.command(&["diff", "--json"]));
    let document: serde_json::Value = serde_json::from_slice(&document.stdout).expect("JSON");
    assert_eq!(document["has_changes"], true, "{document}");

    sandbox.write(
        "new.toml",
        "[stack]\nname = \"s\"\n[[manifests]]\nname = \"m\"\npath = \"extra\"\n",
    );
    let text = sandbox.run(&["diff", "new.toml"]);
    assert!(text.contains(") has no new.toml: everything is new"), "{text}");
}

#[test]
fn the_new_version_is_held_against_the_definitions_of_its_kinds_and_the_old_one_is_not() {
    let sandbox = Sandbox::empty();
    let widget = |size: &str| {
        format!(
            "apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: w, namespace: default}}\nspec: {{size: {size}}}\n"
        )
    };
    sandbox.git(&["init", "--quiet", "--initial-branch", "main"]);
    sandbox.write(
        "stack.toml",
        "[stack]\nname = \"s\"\n[[manifests]]\nname = \"m\"\npath = \"w.yaml\"\n",
    );
    for size in ["huge", "small", "tiny"] {
        sandbox.write("w.yaml", &widget(size));
        sandbox.commit(size);
    }
    // The working tree is of neither version.
    sandbox.write("w.yaml", "kind: None\n");
    sandbox.write("crds/widgets.yaml", WIDGETS);
    let diff = |from: &str, to: &str| sandbox.run(&["diff", "--from", from, "--to", to, "--crds", "crds"]);
    let mended = diff("HEAD~2", "HEAD~1");
    assert!(
        mended.starts_with("exit 0\n") && mended.contains("huge → small"),
        "{mended}"
    );
    let broken = diff("HEAD~1", "HEAD");
    for said in [
        "exit 1\n",
        "of the version `HEAD (",
        "error[STK401]: w.yaml:4: ",
        "Unsupported value: \"tiny\"",
    ] {
        assert!(broken.contains(said), "{said}: {broken}");
    }
}
