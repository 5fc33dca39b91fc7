//! Fields that stackctl and others write.

use super::server::{Server, holds, version};
use serde_json::Value;

fn deployment(stack: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {stack}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: main
        image: registry.example.com/web:1
        env: [{{name: MODE, value: calm}}]
"
    )
}

/// `kubectl edit`, `scale` and `label`, each with the manager that kubectl gives itself.
pub(super) fn an_edit_by_kubectl_is_seen_with_its_manager_and_mended(server: &Server<'_>) {
    let folder = server.folder("edits");
    folder.map("settings", "mode: calm, colour: red");
    folder.put("web.yaml", &deployment("edits"));
    folder.apply();
    folder.kubectl_edits("s/mode:.calm/mode:\\ wild/", &["edit", "configmap", "settings"]);
    folder.kubectl_edits("s/web:1/web:2/", &["edit", "deployment", "web"]);
    folder.kubectl(&["scale", "deployment", "web", "--replicas=3"]);
    // A label that we never set is no drift.
    folder.kubectl(&["label", "configmap", "settings", "theirs=yes"]);

    let seen = [
        "data.mode:  calm → wild   kubectl-edit",
        "image:  registry.example.com/web:1 → registry.example.com/web:2   kubectl-edit",
        "spec.replicas:  1 → 3   kubectl",
        "2 drifted",
    ];
    let drift = folder.run(&["drift"]).expect(2).says(&seen);
    assert!(!drift.stdout.contains("theirs"), "{}", drift.shown());
    let planned = [
        "data.mode:  wild → calm   last write by kubectl-edit",
        "registry.example.com/web:2 → registry.example.com/web:1   last write by kubectl-edit",
        "spec.replicas:  3 → 1   last write by kubectl",
        "2 update",
    ];
    folder.run(&["plan", "--detailed-exitcode"]).expect(2).says(&planned);

    folder.apply();
    let settings = folder.get("configmap", "settings");
    assert_eq!(settings["data"]["mode"], "calm", "{settings}");
    assert_eq!(settings["metadata"]["labels"]["theirs"], "yes", "{settings}");
    let web = folder.get("deployment", "web");
    assert_eq!(web["spec"]["replicas"], 1, "{web}");
    assert_eq!(image(&web), "registry.example.com/web:1", "{web}");
    folder.destroy();
}

fn image(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]["image"]
}

pub(super) fn ownership_that_moved_away_is_taken_back_on_recorded_fields_alone(server: &Server<'_>) {
    let folder = server.folder("owners");
    folder.map("settings", "mode: calm, colour: red");
    folder.apply();
    // Somebody else takes one of our fields by force, and adds one of their own.
    folder.put("theirs.txt", &folder.map_text("settings", "mode: wild, extra: theirs"));
    let takes = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=other-tool",
        "-f",
        "theirs.txt",
    ];
    folder.kubectl(&takes);
    let taken = folder.get("configmap", "settings");
    assert!(holds(&taken, "other-tool", &["data", "mode"]), "{taken}");
    assert!(!holds(&taken, "stackctl/owners", &["data", "mode"]), "{taken}");

    folder
        .run(&["drift"])
        .expect(2)
        .says(&["data.mode:  calm → wild   other-tool"]);
    folder.apply();
    let back = folder.get("configmap", "settings");
    assert_eq!(back["data"]["mode"], "calm", "{back}");
    assert!(holds(&back, "stackctl/owners", &["data", "mode"]), "{back}");
    assert!(!holds(&back, "other-tool", &["data", "mode"]), "{back}");
    // What is theirs stayed theirs.
    assert_eq!(back["data"]["extra"], "theirs", "{back}");
    assert!(holds(&back, "other-tool", &["data", "extra"]), "{back}");
    assert!(!holds(&back, "stackctl/owners", &["data", "extra"]), "{back}");
    // A field that is gone has no owner; it is drift all the same.
    folder.kubectl(&[
        "patch",
        "configmap",
        "settings",
        "--type=merge",
        "-p",
        r#"{"data":{"colour":null}}"#,
    ]);
    folder.run(&["drift"]).expect(2).says(&["data.colour:  red → "]);
    folder.apply();
    assert_eq!(folder.get("configmap", "settings")["data"]["colour"], "red");
    folder.destroy();
}

pub(super) fn a_field_of_somebody_else_with_another_value_is_refused(server: &Server<'_>) {
    let folder = server.folder("conflict");
    folder.map("settings", "mode: calm");
    folder.map("other", "a: one");
    folder.apply();
    folder.put("theirs.txt", &folder.map_text("settings", "limit: high, size: big"));
    folder.kubectl(&[
        "apply",
        "--server-side",
        "--field-manager=other-tool",
        "-f",
        "theirs.txt",
    ]);
    let before = folder.get("configmap", "settings");
    let n_writes = folder.writes().len();
    // The stack wants another value of a field that was never ours, and a change beside it.
    folder.map("settings", "mode: calm, limit: low");
    folder.map("other", "a: two");
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let told = folder.run(command).expect(1);
        let told = told.says(&["settings", "other-tool", "data.limit", "--force-conflicts"]);
        assert!(
            !told.stderr.contains("size"),
            "only what conflicts is named: {}",
            told.shown()
        );
    }
    assert_eq!(folder.get("configmap", "settings"), before);
    assert_eq!(
        folder.writes().len(),
        n_writes,
        "nothing was written, not even beside it"
    );
    folder.run(&["apply", "--yes", "--force-conflicts"]).expect(0);
    let taken = folder.get("configmap", "settings");
    assert_eq!(taken["data"]["limit"], "low", "{taken}");
    assert!(holds(&taken, "other-tool", &["data", "size"]), "{taken}");
    folder.is_converged();
    folder.destroy();
}

pub(super) fn a_field_that_somebody_else_holds_too_is_released_and_not_fought_over(server: &Server<'_>) {
    let folder = server.folder("shared");
    folder.map("settings", "mode: calm, colour: red");
    folder.apply();
    folder.put("theirs.txt", &folder.map_text("settings", "colour: red"));
    folder.kubectl(&[
        "apply",
        "--server-side",
        "--field-manager=other-tool",
        "-f",
        "theirs.txt",
    ]);
    folder.is_converged();
    let shared = folder.get("configmap", "settings");
    assert!(
        holds(&shared, "other-tool", &["data", "colour"]) && holds(&shared, "stackctl/shared", &["data", "colour"])
    );

    folder.map("settings", "mode: calm");
    folder
        .run(&["plan", "--detailed-exitcode"])
        .expect(2)
        .says(&["data.colour", "kept by other-tool"]);
    folder.apply();
    let released = folder.get("configmap", "settings");
    assert_eq!(released["data"]["colour"], "red", "{released}");
    assert!(holds(&released, "other-tool", &["data", "colour"]), "{released}");
    assert!(!holds(&released, "stackctl/shared", &["data", "colour"]), "{released}");
    // It is theirs alone now: they change it, and nobody minds.
    folder.put("theirs.txt", &folder.map_text("settings", "colour: blue"));
    folder.kubectl(&[
        "apply",
        "--server-side",
        "--field-manager=other-tool",
        "-f",
        "theirs.txt",
    ]);
    folder.is_converged();
    let before = folder.get("configmap", "settings");
    folder.apply();
    assert_eq!(version(&folder.get("configmap", "settings")), version(&before));
    folder.destroy();
}

/// An autoscaler's field: written when the object is made, and theirs once they have written it.
pub(super) fn a_field_that_others_may_move_is_no_change_and_no_drift(server: &Server<'_>) {
    let folder = server.folder("yielded");
    folder.put("web.yaml", &deployment("yielded"));
    folder.apply();
    folder.kubectl(&["scale", "deployment", "web", "--replicas=3"]);
    folder.run(&["drift"]).expect(2);
    // The stack says that this is in order: nothing is set back, and it is drift no more.
    folder.stack("ignore_fields = [\"spec.replicas\"]\n");
    folder.apply();
    let replicas = || folder.get("deployment", "web")["spec"]["replicas"].clone();
    assert_eq!(replicas(), 3);
    folder.kubectl(&["scale", "deployment", "web", "--replicas=2"]);
    folder.is_converged();
    // A change of the stack leaves it alone as well, and what was saved before they moved it again is still good.
    folder.put("web.yaml", &deployment("yielded").replace("web:1", "web:2"));
    folder.run(&["plan", "-o", "saved.plan"]).expect(0);
    folder.kubectl(&["scale", "deployment", "web", "--replicas=4"]);
    folder.run(&["apply", "saved.plan", "--yes"]).expect(0);
    assert_eq!(replicas(), 4);
    assert_eq!(image(&folder.get("deployment", "web")), "registry.example.com/web:2");
    folder.is_converged();
    // Made anew, it begins as the stack says.
    folder.kubectl(&["delete", "deployment", "web"]);
    folder.apply();
    assert_eq!(replicas(), 1);
    // An autoscaler needs no word of the stack: what it holds is left to it, told, and no drift.
    folder.stack("");
    folder.apply();
    let (by, spec) = ("--field-manager=kube-controller-manager", r#"{"spec":{"replicas":5}}"#);
    let scale = [
        "patch",
        "deployment",
        "web",
        "--subresource=scale",
        "--type=merge",
        by,
        "-p",
        spec,
    ];
    folder.kubectl(&scale);
    let yielded = ["yielded to kube-controller-manager", "0 drifted", "1 field yielded"];
    folder.run(&["drift"]).expect(0).says(&yielded);
    folder
        .run(&["plan"])
        .expect(0)
        .says(&[".spec.replicas yielded to kube-controller-manager"]);
    folder.apply();
    assert_eq!(replicas(), 5);
    folder.run(&["drift"]).expect(0).says(&yielded);
    folder.destroy();
}

/// A field that a server lets nobody change is refused with the way on, and what is there is made again by that.
pub(super) fn what_cannot_change_is_made_again_where_that_is_asked_for(server: &Server<'_>) {
    let folder = server.folder("anew");
    let deployment = |app: &str| {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: anew}\nspec:\n  replicas: 0\n  \
                    selector: {matchLabels: {app: APP}}\n  template:\n    metadata: {labels: {app: APP}}\n    \
                    spec: {containers: [{name: main, image: registry.example.com/web}]}\n";
        text.replace("APP", app)
    };
    folder.put("web.yaml", &deployment("one"));
    folder.apply();
    let before = folder.get("deployment", "web");
    folder.put("web.yaml", &deployment("two"));
    let replace = "--replace";
    let address = r#"manifests[all].deployment["anew/web"]"#;
    folder
        .run(&["plan"])
        .expect(1)
        .says(&["immutable", &format!("{replace} '{address}'")]);
    folder
        .run(&["plan", replace, address])
        .expect(0)
        .says(&["1 replace", "two"]);
    folder.run(&["apply", "--yes", replace, address]).expect(0);
    folder.is_converged();
    let after = folder.get("deployment", "web");
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    folder.destroy();
}
