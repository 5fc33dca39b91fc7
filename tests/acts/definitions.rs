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

/// The kind and its group, since every act has Gadgets of its own.
fn kind(stack: &str) -> String {
    format!("gadgets.{stack}.example.com")
}

fn has_definition(folder: &Folder<'_>, stack: &str) -> bool {
    folder.has("crd", &kind(stack))
}

/// A definition that somebody deletes takes its objects along: that is no error, neither of a plan nor of a destroy.
pub(super) fn a_definition_that_somebody_deletes_ends_no_plan_and_no_destroy(server: &Server<'_>) {
    let stack = "undefined";
    let folder = server.folder(stack);
    folder.put("definition.yaml", &definition(stack));
    folder.put("gadget.yaml", &gadget(stack, "ours"));
    folder.apply();
    folder.kubectl(&["delete", "crd", &kind(stack)]);
    folder.run(&["drift"]).expect(2).says(&["2 drifted"]);
    folder
        .run(&["plan", "--detailed-exitcode"])
        .expect(2)
        .says(&["2 create"]);
    folder.run(&["plan", "--destroy"]).expect(0);
    folder.destroy();
    assert!(!folder.run(&["state", "list"]).expect(0).stdout.contains("gadget"));
}

/// An object is written in a version of its kind that comes with the same apply: it stays the same object.
pub(super) fn an_object_follows_its_definition_to_a_new_version(server: &Server<'_>) {
    let stack = "versions";
    let folder = server.folder(stack);
    folder.stack("delete_crds = true\n");
    folder.put("definition.yaml", &definition(stack));
    folder.put("gadget.yaml", &gadget(stack, "g"));
    folder.apply();
    let before = folder.get(&kind(stack), "g");
    let second = "  - name: v2\n    served: true\n    storage: false\n    schema: {openAPIV3Schema: {type: object, \
                  x-kubernetes-preserve-unknown-fields: true}}\n";
    folder.put("definition.yaml", &format!("{}{second}", definition(stack)));
    folder.put("gadget.yaml", &gadget(stack, "g").replace("/v1\n", "/v2\n"));
    let told = folder
        .run(&["plan"])
        .expect(0)
        .says(&["schema checked at apply", "2 update"]);
    assert!(!told.stdout.contains("deleted"), "{}", told.shown());
    folder.apply();
    assert_eq!(
        folder.get(&kind(stack), "g")["metadata"]["uid"],
        before["metadata"]["uid"]
    );
    folder.destroy();
}

/// A version that goes out of use is one of the things that a server warns of, in the words of its definition or in its own.
pub(super) fn what_a_server_warns_of_is_told_with_the_plan_and_with_the_write(server: &Server<'_>) {
    let stack = "warned";
    let folder = server.folder(stack);
    folder.stack("delete_crds = true\n");
    let second = "  - name: v2\n    served: true\n    storage: false\n    schema: {openAPIV3Schema: {type: object, \
                  x-kubernetes-preserve-unknown-fields: true}}\n";
    let going = |deprecated: &str| {
        let definition = definition(stack).replace("    storage: true\n", &format!("    storage: true\n{deprecated}"));
        folder.put("definition.yaml", &format!("{definition}{second}"));
    };
    going("    deprecated: true\n");
    folder.put("gadget.yaml", &gadget(stack, "g"));
    let warned = "the server warns: warned.example.com/v1 Gadget is deprecated; use warned.example.com/v2 Gadget";
    folder.run(&["apply", "--yes"]).expect(0).says(&[warned]);
    folder.is_converged();
    going("    deprecated: true\n    deprecationWarning: say \"v2\" instead\n");
    folder.run(&["apply", "--yes"]).expect(0);
    folder.put("gadget.yaml", &gadget(stack, "g").replace("size: 1", "size: 2"));
    let warned = "Gadget warned/g: the server warns: say \"v2\" instead";
    folder.run(&["plan"]).expect(0).says(&["1 update", warned]);
    folder.apply();
    folder.is_converged();
    folder.destroy();
}

/// A definition stays when it leaves the stack and when that is destroyed, and is taken up again without a word.
pub(super) fn a_definition_stays_and_is_taken_up_again(server: &Server<'_>) {
    let stack = "staying";
    let folder = server.folder(stack);
    folder.put("definition.yaml", &definition(stack));
    folder.put("gadget.yaml", &gadget(stack, "ours"));
    folder.apply();
    let stays = "stays: with it would go every object of its kind; `delete_crds = true` lets it go";
    let file = |name: &str| folder.path().join(name);
    fs::rename(file("definition.yaml"), file("definition.txt")).expect("it is there");
    fs::remove_file(file("gadget.yaml")).expect("it is there");
    folder.run(&["plan"]).expect(0).says(&[stays]);
    folder.apply();
    assert!(has_definition(&folder, stack) && !folder.has(&kind(stack), "ours"));
    fs::rename(file("definition.txt"), file("definition.yaml")).expect("it is there");
    folder.put("gadget.yaml", &gadget(stack, "ours"));
    folder.apply();
    folder.run(&["plan", "--destroy"]).expect(0).says(&[stays]);
    folder.destroy();
    assert!(has_definition(&folder, stack));
    // Also by another copy of the stack, which has no record of it.
    fs::remove_dir_all(file(".stackctl")).expect("it is there");
    folder.apply();
    // What the stack says today lets a definition go once it is applied.
    folder.stack("delete_crds = true\n");
    folder.run(&["plan", "--destroy"]).expect(0).says(&[stays]);
    folder.apply();
    folder.destroy();
    assert!(!has_definition(&folder, stack));
}

/// A definition and an object of it come in one apply; one that may go says what goes with it, and stays where that is not
/// of the stack.
pub(super) fn a_definition_that_goes_says_what_it_takes_along(server: &Server<'_>) {
    let stack = "defined";
    let folder = server.folder(stack);
    folder.stack("delete_crds = true\n");
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
    // It stays as long as others have objects of its kind.
    folder.put(
        "theirs.txt",
        &gadget("default", "theirs").replace("default.example", &format!("{stack}.example")),
    );
    folder.kubectl(&["apply", "-n", "default", "-f", "theirs.txt"]);
    let stays = "stays: Gadget default/theirs would go along, and this plan does not delete it";
    folder.run(&["plan", "--destroy"]).expect(0).says(&[stays]);
    folder.destroy();
    assert!(has_definition(&folder, stack));
    folder.apply();
    folder.kubectl(&["delete", &kind(stack), "theirs", "-n", "default"]);
    let ours = "deletes every Gadget with its definition: 1 object, all of this stack";
    folder.run(&["plan", "--destroy"]).expect(0).says(&[ours]);
    folder.destroy();
    assert!(!has_definition(&folder, stack));
}
