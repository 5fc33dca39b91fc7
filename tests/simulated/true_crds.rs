//! `simulate --crds DIR`: a directory's definitions are what the embedded cluster holds objects to.

use crate::{
    cluster::Served,
    examples::{ADDITIONS, no_operator_was_refused},
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

/// Applies an example on a cluster that holds objects to the CRDs of real releases; what is applied, and what operators
/// make of it, is taken, and a plan after that is empty. Nothing is tried where the CRDs are not there, which is said loudly.
fn is_taken(sandbox: &Sandbox, platform: &str, files: &[&str]) {
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/crds");
    let Ok(crds) = crds.canonicalize() else {
        println!("NOT TRIED: there are no true CRDs at {}", crds.display());
        return;
    };
    let of_platform: &[&str] = match platform {
        "aws" => &[],
        other => &["--simulate-platform", other],
    };
    let crds = crds.to_str().expect("a path in UTF-8");
    let serve = ["simulate", "--simulate-speed", FAST, "--crds", crds];
    let served = Served::start_with(sandbox, &[&serve[..], of_platform].concat());
    // Bounds, patterns and rules are what a condensed CRD has not.
    let crd = served.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.gateway.networking.k8s.io");
    assert!(crd.to_string().contains("x-kubernetes-validations"), "a condensed CRD");
    drop(served);
    let on = |arguments: &[&str]| sandbox.simulate(&[arguments, files, of_platform].concat());
    on(&["apply", "--yes"]).expect(0);
    on(&["plan", "--detailed-exitcode"]).expect(0);
    no_operator_was_refused(sandbox);
}

/// One test for each example.
macro_rules! examples {
    ($($name:ident: $example:literal on $platform:literal, $files:expr;)*) => {
        $(#[test]
        fn $name() {
            is_taken(&Sandbox::of($example), $platform, &$files);
        })*

        #[test]
        fn no_example_is_forgotten() {
            let names = [$($example),*];
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
            for example in std::fs::read_dir(folder).expect("the examples are there") {
                let name = example.expect("an entry").file_name().to_string_lossy().into_owned();
                assert!(names.contains(&name.as_str()), "{name} is not tried");
            }
        }
    };
}

examples! {
    quickstart_is_taken: "quickstart" on "aws", ["stack.toml"];
    aws_production_is_taken: "aws-production" on "aws", ["stack.toml"];
    bare_metal_is_taken: "bare-metal" on "none", ["stack.toml"];
    canary_is_taken: "canary" on "aws", ["stack.toml"];
    external_models_are_taken: "external-models" on "none", ["stack.toml"];
    gateway_policies_are_taken: "gateway-policies" on "none", ["stack.toml"];
    layers_are_taken: "layers" on "aws", ["base.toml", "prod.toml"];
    prefill_decode_is_taken: "prefill-decode" on "aws", ["stack.toml"];
    two_tenants_are_taken: "two-tenants" on "aws", ["stack.toml"];
}

#[test]
fn everything_that_people_may_add_is_taken() {
    let sandbox = Sandbox::of("aws-production");
    sandbox.write(ADDITIONS);
    is_taken(&sandbox, "aws", &["stack.toml"]);
}
