//! Definitions, and the objects of their kinds.

use super::server::{Folder, Server};
use std::fs;

/// A definition named after the stack, so that acts share none.
fn definition(stack: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: gadgets.{stack}.example.com}}
spec:
  group: {stack}.example.com
  names: {{kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {{spec: {{type: object, properties: {{size: {{type: integer}}}}}}}}
"
    )
}

fn gadget(stack: &str, name: &str) -> String {
    format!(
        "apiVersion: {stack}.example.com/v1\nkind: Gadget\nmetadata: {{name: {name}, namespace: {stack}}}\nspec: {{size: 1}}\n"
    )
}

fn has_definition(folder: &Folder<'_>, stack: &str) -> bool {
    folder.has("crd", &format!("gadgets.{stack}.example.com"))
}

/// A definition that somebody deletes takes its objects along: that is no error, neither of a plan nor of a destroy.
pub(super) fn a_definition_that_somebody_deletes_ends_no_plan_and_no_destroy(server: &Server<'_>) {
    let stack = "undefined";
    let folder = server.folder(stack);
    folder.put("definition.yaml", &definition(stack));
    folder.put("gadget.yaml", &gadget(stack, "ours"));
    folder.apply();
    folder.kubectl(&["delete", "crd", &format!("gadgets.{stack}.example.com")]);
    folder.run(&["drift"]).expect(2).says(&["2 drifted"]);
    folder
        .run(&["plan", "--detailed-exitcode"])
        .expect(2)
        .says(&["2 create"]);
    folder.run(&["plan", "--destroy"]).expect(0);
    folder.destroy();
    assert!(!folder.run(&["state", "list"]).expect(0).stdout.contains("gadget"));
}

/// A definition and an object of it come in one apply; when it goes, what goes with it is counted, and a word is asked for
/// where that is not of the stack.
pub(super) fn a_definition_that_goes_says_what_it_takes_along(server: &Server<'_>) {
    let stack = "defined";
    let folder = server.folder(stack);
    folder.put("definition.yaml", &definition(stack));
    folder.put("gadget.yaml", &gadget(stack, "ours"));
    folder.apply();
    // An apply takes it for what holds data.
    let file = |name: &str| folder.path().join(name);
    fs::rename(file("definition.yaml"), file("definition.txt")).expect("it is there");
    fs::remove_file(file("gadget.yaml")).expect("it is there");
    folder
        .run(&["apply", "--yes"])
        .expect(1)
        .says(&["holds data", "--yes-delete"]);
    assert!(has_definition(&folder, stack));
    fs::rename(file("definition.txt"), file("definition.yaml")).expect("it is there");
    folder.put("gadget.yaml", &gadget(stack, "ours"));
    // A destroy says what it takes along, and wants a word where that is not of the stack.
    let ours = "deletes every Gadget with its definition: 1 object, all of this stack";
    folder.run(&["plan", "--destroy"]).expect(0).says(&[ours]);
    folder.put("theirs.txt", &gadget(stack, "theirs"));
    folder.kubectl(&["apply", "-f", "theirs.txt"]);
    let with_others = [
        "deletes every Gadget with its definition: 2 objects, 1 of them not of this stack",
        "also one that is not of this stack",
        "--yes-delete",
    ];
    folder.run(&["destroy", "--yes"]).expect(1).says(&with_others);
    assert!(has_definition(&folder, stack) && folder.has("gadgets", "theirs") && folder.has("gadgets", "ours"));
    folder.run(&["destroy", "--yes", "--yes-delete"]).expect(0);
    assert!(!has_definition(&folder, stack) && !folder.has("namespace", stack));
}
