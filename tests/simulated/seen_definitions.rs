//! What a plan saw of the kinds of a cluster is remembered, and warns when the cluster is not there to say it.

use crate::sandbox::Sandbox;

const STACK: &str = "[stack]\nname = \"own\"\n\n[[manifests]]\nname = \"own\"\npath = \"own.yaml\"\n";

const WIDGETS: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, description: for people, properties: {size: {type: string}}}}
"#;

const WIDGET: &str =
    "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one, namespace: default}\nspec: {size: x}\n";

#[test]
fn a_definition_that_an_earlier_plan_saw_warns_offline_and_never_stops() {
    let sandbox = Sandbox::new();
    let put = |name: &str, text: &str| std::fs::write(sandbox.path().join(name), text).expect("a writable folder");
    put("stack.toml", STACK);
    put("own.yaml", &format!("{WIDGETS}---\n{WIDGET}"));
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

    put("own.yaml", &WIDGET.replace("size: x", "size: x, sise: 1"));
    let told = sandbox.run(&["validate", "stack.toml", "--simulate"]).expect(0);
    assert!(
        told.stderr.contains("own.yaml:1: ") && told.stderr.contains("has no field `spec.sise`"),
        "{}",
        told.shown()
    );
}
