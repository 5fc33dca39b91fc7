//! What happens between a plan and its apply, and between a deletion and its end.

use super::server::Server;

/// Another run of the same stack, which writes the same state, voids nothing that it is not about.
pub(super) fn a_saved_plan_outlives_an_apply_of_something_else(server: &Server<'_>) {
    let folder = server.folder("between");
    folder.map("one", "a: before");
    folder.map("two", "a: before");
    folder.apply();
    folder.map("one", "a: after");
    folder.map("two", "a: after");
    let address = |name: &str| format!("manifests[all].configmap[\"between/{name}\"]");
    let value = |name: &str| folder.get("configmap", name)["data"]["a"].clone();
    let saved = ["plan", "-o", "one.plan", "--target", &address("one")];
    folder.run(&saved).expect(0);
    folder.run(&["apply", "--yes", "--target", &address("two")]).expect(0);
    assert_eq!((value("one"), value("two")), ("before".into(), "after".into()));
    folder.run(&["show", "one.plan"]).expect(0).says(&["before → after"]);
    folder.run(&["apply", "one.plan", "--yes"]).expect(0);
    assert_eq!((value("one"), value("two")), ("after".into(), "after".into()));
    folder.is_converged();
    folder.destroy();
}

/// Two runs from two copies of a state have a lock each, and the cluster's lease between them.
pub(super) fn a_run_beside_another_one_of_the_same_stack_is_refused(server: &Server<'_>) {
    let folder = server.folder("leased");
    folder.map("one", "a: before");
    folder.apply();
    folder.map("one", "a: after");
    let heard_at = |heard: &str| {
        let spec = format!(r#"{{"holderIdentity":"ben@build-2/x","acquireTime":"{heard}","renewTime":"{heard}"}}"#);
        let patch = format!(r#"{{"spec":{spec}}}"#);
        let lease = [
            "patch",
            "lease",
            "stack.leased",
            "-n",
            "stackctl",
            "--type=merge",
            "-p",
            &patch,
        ];
        folder.kubectl(&lease);
    };
    heard_at("2999-01-01T00:00:00.000000Z");
    let told = folder.run(&["apply", "--yes"]).expect(1);
    told.says(&[
        "another run of the stack leased is at work",
        "it is ben@build-2's, since 2999-",
    ]);
    assert_eq!(folder.get("configmap", "one")["data"]["a"], "before");
    heard_at("2020-01-01T00:00:00.000000Z");
    folder.apply();
    let lease = folder.kubectl(&[
        "get",
        "lease",
        "stack.leased",
        "-n",
        "stackctl",
        "-o",
        "jsonpath={.spec.holderIdentity}",
    ]);
    assert_eq!(lease, "", "it is given back");
    folder.destroy();
    let left = ["get", "leases", "-n", "stackctl", "-o", "name", "--ignore-not-found"];
    assert!(!folder.kubectl(&left).contains("stack.leased"));
}

/// A finalizer of somebody who is not there keeps an object: it stays recorded, and goes with the next destroy.
pub(super) fn what_could_not_be_deleted_stays_recorded(server: &Server<'_>) {
    let folder = server.folder("stuck");
    folder.map("held", "a: one");
    folder.map("free", "a: one");
    folder.apply();
    let finalizers = |list: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{list}}}}}"#);
        folder.kubectl(&["patch", "configmap", "held", "--type=merge", "-p", &patch]);
    };
    finalizers(r#"["example.com/nobody"]"#);
    let told = folder.run(&["destroy", "--yes", "--ready-timeout", "15s"]).expect(1);
    told.says(&[
        "configmap[\"stuck/held\"]",
        "example.com/nobody was put there by kubectl-patch, which last wrote it at ",
    ]);
    assert!(folder.has("configmap", "held") && !folder.has("configmap", "free"));
    let left = folder.run(&["state", "list"]).expect(0).stdout;
    assert!(
        left.contains("stuck/held") && left.contains("namespace[stuck]"),
        "{left}"
    );
    assert!(!left.contains("stuck/free"), "{left}");
    // An apply that meets it says what it waits for.
    let again = ["apply", "--yes", "--ready-timeout", "15s"];
    folder
        .run(&again)
        .expect(1)
        .says(&["still being deleted", "example.com/nobody"]);
    finalizers("null");
    folder.destroy();
    assert!(!folder.run(&["state", "list"]).expect(0).stdout.contains("stuck"));
}
