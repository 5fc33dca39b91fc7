//! `simulate --crds DIR`: a directory's definitions are what the embedded cluster holds objects to.

use crate::{
    cluster::Served,
    sandbox::{FAST, Sandbox},
    widgets::WIDGETS,
};
use serde_json::{Value, json};
use std::path::Path;

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
    let widget = |name: &str, spec: Value| json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec});
    let served = serve(&["--crds", "crds"]);
    served.make(PATH, &widget("plain", json!({"size": "small", "unknown": 1})));
    assert_eq!(
        served.get(&format!("{PATH}/plain"))["spec"],
        json!({"size": "small", "max": 3})
    );
    let refused = |served: &Served, spec: Value| {
        let taken = served.send(("POST", PATH), "application/json", &widget("bad", spec).to_string());
        assert!(taken.is_none(), "it was taken: {taken:?}");
    };
    refused(&served, json!({"size": "huge"}));
    drop(served);

    // The cluster is what it was made as, whoever serves it next.
    let served = serve(&[]);
    refused(&served, json!({"size": "small", "min": 9}));
    served.make(PATH, &widget("large", json!({"size": "large", "min": 1})));
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
