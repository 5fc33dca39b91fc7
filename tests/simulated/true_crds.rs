//! `simulate --crds DIR`: a directory's definitions are what the embedded cluster holds objects to.

use crate::{
    cluster::Served,
    sandbox::{FAST, Sandbox},
};
use serde_json::json;
use std::path::Path;

/// A kind of somebody's own, in a layout of its own.
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
        properties:
          spec:
            type: object
            properties:
              size: {type: string, default: "1Gi", x-kubernetes-validations: [{rule: "quantity(self).isGreaterThan(quantity('1Mi'))", message: too small}]}
"#;

#[test]
fn objects_are_defaulted_pruned_and_refused_by_the_directory_and_later_commands_go_on_with_it() {
    const PATH: &str = "/apis/example.com/v1/namespaces/default/widgets";
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path().join("crds/mine")).expect("a folder");
    std::fs::write(sandbox.path().join("crds/mine/all.yaml"), WIDGETS).expect("writable");
    let serve = |arguments: &[&str]| {
        let all = [&["simulate", "--simulate-speed", FAST], arguments].concat();
        Served::start_with(&sandbox, &all)
    };
    let widget = |name: &str, size: &str| json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": {"size": size}});
    let served = serve(&["--crds", "crds"]);
    let mut plain = widget("plain", "");
    plain["spec"] = json!({"unknown": 1});
    served.make(PATH, &plain);
    assert_eq!(served.get(&format!("{PATH}/plain"))["spec"], json!({"size": "1Gi"}));
    let small = served.send(("POST", PATH), "application/json", &widget("small", "1Ki").to_string());
    assert!(small.is_none(), "it was taken: {small:?}");
    drop(served);

    // The cluster is what it was made as, whoever serves it next.
    let served = serve(&[]);
    let small = served.send(("POST", PATH), "application/json", &widget("small", "1Ki").to_string());
    assert!(small.is_none(), "it was taken: {small:?}");
    served.make(PATH, &widget("large", "2Mi"));
}

#[test]
fn a_directory_that_is_not_there_is_an_error_before_anything_is_made() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["simulate", "--crds", "nowhere"]).expect(1);
    assert!(ran.stderr.contains("`nowhere` cannot be read"), "{}", ran.shown());
    assert!(sandbox.endpoint().is_none());
}

/// What serves a cluster that holds objects to the CRDs of real releases: their bounds, patterns and rules, which condensed
/// ones have not. Nothing where they are not there, which is said loudly.
pub(crate) fn of_real_releases() -> Vec<String> {
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/crds");
    match crds.canonicalize() {
        Ok(crds) => vec!["--crds".to_owned(), crds.display().to_string()],
        Err(_) => {
            println!("NOT TRIED: there are no true CRDs at {}", crds.display());
            Vec::new()
        }
    }
}
