//! Parts of a stack: planned, saved, applied and destroyed with what they cannot go without.

use crate::sandbox::Sandbox;

/// A base, two applications on it that know nothing of each other, and what reports about the first.
const STACK: &str = r#"
[stack]
name = "parts"

[[manifests]]
name = "base"
path = "base.yaml"

[[manifests]]
name = "left"
path = "left.yaml"
depends_on = ['manifests[base].configmap["parts/base"]']

[[manifests]]
name = "report"
path = "report.yaml"
depends_on = ['manifests[left].configmap["parts/left"]']

[[manifests]]
name = "right"
path = "right.yaml"
depends_on = ['manifests[base].configmap["parts/base"]']
"#;

/// A folder with the stack in it.
pub(crate) fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(STACK);
    for name in ["base", "left", "report", "right"] {
        put(&sandbox, name, "one");
    }
    sandbox
}

/// Writes the file of one set: one ConfigMap of that name, under `base` with the namespace.
pub(crate) fn put(sandbox: &Sandbox, name: &str, says: &str) {
    let map =
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: parts}}\ndata: {{a: {says}}}\n");
    let text = match name {
        "base" => format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: parts}}\n---\n{map}"),
        _ => map,
    };
    std::fs::write(sandbox.path().join(format!("{name}.yaml")), text).expect("writable");
}

/// The names of all that is recorded, in order.
pub(crate) fn recorded(sandbox: &Sandbox) -> Vec<String> {
    let state = sandbox.simulate(&["state", "list", "--json"]).expect(0).json();
    let all = state["recorded"].as_array().expect("a list").iter();
    all.map(|known| known["object"]["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// What a plan would do: the action and the name of each object that it would write or delete.
fn changes(plan: &serde_json::Value) -> Vec<String> {
    let steps = plan["resource_changes"].as_array().expect("a list").iter();
    steps
        .filter(|step| step["action"] != "no-op")
        .map(|step| {
            let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            format!("{} {}", word(&step["action"]), word(&step["object"]["name"]))
        })
        .collect()
}

#[test]
fn a_part_is_applied_with_what_it_needs_and_destroyed_with_what_needs_it() {
    let sandbox = sandbox();
    let told = sandbox
        .simulate(&["apply", "stack.toml", "--yes", "--target", "manifests[left]"])
        .expect(0);
    assert_eq!(recorded(&sandbox), ["base", "parts", "left"], "the base comes along");
    for said in [
        "A part of the stack (--target manifests[left]): 2 resources left out",
        "not targeted: manifests 2",
    ] {
        assert!(told.stdout.contains(said), "`{said}`: {}", told.shown());
    }

    // What is left out is neither asked about nor touched, though its file changed.
    put(&sandbox, "left", "two");
    let planned = ["plan", "stack.toml", "--json", "--until", "manifests[base]"];
    let plan = sandbox.simulate(&planned).expect(0).json();
    assert_eq!(changes(&plan), Vec::<String>::new());
    let codes: Vec<_> = plan["partial"]["left_out"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["code"])
        .collect();
    assert_eq!(codes, ["after", "after", "after"]);

    let planned = ["plan", "stack.toml", "--json", "--exclude", "manifests[left]"];
    let plan = sandbox.simulate(&planned).expect(0).json();
    assert_eq!(
        changes(&plan),
        ["create right"],
        "what reports about the left waits for it"
    );
    assert_eq!(
        plan["partial"]["left_out"][1]["because_of"],
        r#"manifests[left].configmap["parts/left"]"#
    );

    sandbox
        .simulate(&["apply", "stack.toml", "--yes", "--until", "manifests[left]"])
        .expect(0);
    assert_eq!(
        recorded(&sandbox),
        ["base", "parts", "left", "right"],
        "and nothing behind it"
    );
    put(&sandbox, "left", "four");
    put(&sandbox, "right", "two");
    sandbox
        .simulate(&["apply", "stack.toml", "--yes", "--exclude", "manifests[left]"])
        .expect(0);
    let left_behind = ["plan", "stack.toml", "--json"];
    assert_eq!(
        changes(&sandbox.simulate(&left_behind).expect(0).json()),
        ["update left", "create report"],
        "what was excluded is as it was"
    );
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert_eq!(recorded(&sandbox), ["base", "parts", "left", "report", "right"]);
    // A part without changes is another answer than a stack without changes.
    let asked = [
        "plan",
        "stack.toml",
        "--detailed-exitcode",
        "--target",
        "manifests[left]",
    ];
    sandbox.simulate(&asked[..3]).expect(0);
    sandbox.simulate(&asked).expect(3);
    put(&sandbox, "left", "three");
    sandbox.simulate(&asked).expect(2);
    let planned = [
        "plan",
        "stack.toml",
        "--destroy",
        "--json",
        "--target",
        "manifests[left]",
    ];
    let plan = sandbox.simulate(&planned).expect(0).json();
    assert_eq!(changes(&plan), ["delete report", "delete left"]);
    sandbox
        .simulate(&["destroy", "stack.toml", "--yes", "--target", "manifests[left]"])
        .expect(0);
    assert_eq!(recorded(&sandbox), ["base", "parts", "right"], "never what it needs");
    sandbox
        .simulate(&["destroy", "stack.toml", "--yes", "--exclude", "manifests[base]"])
        .expect(0);
    assert_eq!(recorded(&sandbox), ["base", "parts"], "what is excluded stays");
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
}

#[test]
fn a_saved_plan_carries_its_part_and_takes_no_other() {
    let sandbox = sandbox();
    let save = ["plan", "stack.toml", "-o", "left.plan", "--target", "manifests[left]"];
    sandbox.simulate(&save).expect(0);
    let told = sandbox
        .simulate(&["apply", "left.plan", "--yes", "--target", "manifests[right]"])
        .expect(1);
    assert!(
        told.stderr.contains("a saved plan is applied as it is"),
        "{}",
        told.shown()
    );
    sandbox.simulate(&["apply", "left.plan", "--yes"]).expect(0);
    assert_eq!(recorded(&sandbox), ["base", "parts", "left"]);
}

#[test]
fn an_address_that_names_nothing_is_an_error_that_names_the_closest() {
    let sandbox = sandbox();
    let told = sandbox
        .simulate(&[
            "plan",
            "stack.toml",
            "--target",
            "manifests[lefd]",
            "--exclude",
            "model",
        ])
        .expect(1);
    for said in [
        "`--target manifests[lefd]` names nothing that this stack makes or has recorded",
        "did you mean `manifests[left]`?",
        "`--exclude model` names nothing",
    ] {
        assert!(told.stderr.contains(said), "`{said}`: {}", told.shown());
    }
}
