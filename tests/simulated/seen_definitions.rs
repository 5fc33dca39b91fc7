//! What a plan saw of the kinds of a cluster is remembered, and warns when the cluster is not there to say it.

use crate::{sandbox::Sandbox, widgets::WIDGETS};

const STACK: &str = "[stack]\nname = \"own\"\n\n[[manifests]]\nname = \"own\"\npath = \"own.yaml\"\n";

const WIDGET: &str =
    "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one, namespace: default}\nspec: {size: small}\n";

#[test]
fn a_definition_that_an_earlier_plan_saw_warns_offline_and_never_stops() {
    let sandbox = Sandbox::new();
    let put = |name: &str, text: &str| std::fs::write(sandbox.path().join(name), text).expect("a writable folder");
    put("stack.toml", STACK);
    let described = WIDGETS.replace("type: string", "type: string, description: for people");
    put("own.yaml", &format!("{described}---\n{WIDGET}"));
    let kept = sandbox
        .path()
        .join(".stackctl/simulator/state/definitions/widgets.example.com.json");
    sandbox.simulate(&["plan", "stack.toml"]).expect(0);
    assert!(!kept.exists(), "a plan makes no directory of states");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    let text = std::fs::read_to_string(&kept).expect("it is kept");
    assert!(
        !text.contains("for people") && !text.contains("managedFields"),
        "{text}"
    );

    put("own.yaml", &WIDGET.replace("size: small", "size: small, sise: 1"));
    let told = sandbox.run(&["validate", "stack.toml", "--simulate"]).expect(0);
    assert!(
        told.stderr.contains("own.yaml:4: ") && told.stderr.contains("has no field `spec.sise`"),
        "{}",
        told.shown()
    );

    // And by it an object goes into the namespace of its table.
    put("stack.toml", &format!("{STACK}namespace = \"default\"\n"));
    put("own.yaml", &WIDGET.replace(", namespace: default", ""));
    let told = sandbox.run(&["graph", "stack.toml", "--simulate"]).expect(0);
    assert!(told.stdout.contains("widget[\"default/one\"]"), "{}", told.shown());
    // A namespace that this cluster does not have is told before anything is written.
    put("own.yaml", &WIDGET.replace("namespace: default", "namespace: team-a"));
    let told = sandbox.simulate(&["plan", "stack.toml"]).expect(1);
    assert!(
        told.stderr.contains(
            "error[STK323]: own.yaml:3: Widget team-a/one is in namespace `team-a`, which the cluster does not have"
        ),
        "{}",
        told.shown()
    );
}
