//! `gitops`: stands for the OpenShift GitOps operator and the application controller of the Argo CD that it makes.
//!
//! Source: reference/platform.md §2.16, §2.22: the operator makes namespace `openshift-gitops` and in it the account
//! `openshift-gitops-argocd-application-controller`; an Application with automated sync gets Synced, then Healthy.
//!
//! Invariants:
//! - What the operator makes at its start stays when the operator goes.
//! - An Application that nobody lets sync stays OutOfSync.
//!
//! Left out: what an Application renders and applies, further ArgoCD objects, ApplicationSets, the servers' Routes.

use serde_json::{Value, json};

use super::kinds::{APP_PROJECT, APPLICATION, SERVICE_ACCOUNT, STATEFUL_SET};
use super::object::{Read, bare, object};
use super::turn::Turn;

const NAMESPACE: &str = "openshift-gitops";
const ACCOUNT: &str = "openshift-gitops-argocd-application-controller";
const CONTROLLER: &str = "openshift-gitops-application-controller";
/// A first sync of a small chart: fetch, render, apply.
const SYNC_SECONDS: u64 = 30;
/// From Synced to Healthy: what was applied comes up.
const HEALTH_SECONDS: u64 = 60;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    if !turn.world.serves(APPLICATION) {
        return;
    }
    instance(turn);
    let controller = turn.world.get(STATEFUL_SET, NAMESPACE, CONTROLLER);
    if controller.is_none_or(|controller| controller.number("/status/readyReplicas").unwrap_or_default() < 1) {
        return;
    }
    for application in turn.all(APPLICATION) {
        if application.namespace() == NAMESPACE && !application.is_deleting() {
            sync(turn, &application);
        }
    }
}

/// The Argo CD that the operator makes when it starts.
fn instance(turn: &mut Turn<'_>) {
    turn.namespace(NAMESPACE);
    if !turn.world.has(super::kinds::NAMESPACE, "", NAMESPACE) {
        return;
    }
    turn.create(SERVICE_ACCOUNT, bare(SERVICE_ACCOUNT, NAMESPACE, ACCOUNT));
    let labels = json!({"app.kubernetes.io/name": CONTROLLER});
    let controller = object(
        STATEFUL_SET,
        NAMESPACE,
        CONTROLLER,
        json!({"spec": {
            "replicas": 1, "serviceName": CONTROLLER, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "serviceAccountName": ACCOUNT,
                "containers": [{"name": "argocd-application-controller", "image": "registry.redhat.io/simulated/argocd"}],
            }},
        }}),
    );
    turn.create(STATEFUL_SET, controller);
    let everything = json!([{"group": "*", "kind": "*"}]);
    let project = object(
        APP_PROJECT,
        NAMESPACE,
        "default",
        json!({"spec": {
            "clusterResourceWhitelist": everything, "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
        }}),
    );
    turn.create(APP_PROJECT, project);
}

fn sync(turn: &mut Turn<'_>, application: &Value) {
    let project = application.text("/spec/project");
    if turn.world.get(APP_PROJECT, NAMESPACE, project).is_none() {
        let why = format!("Application referencing project {project} which does not exist");
        let mut status = status("Unknown", "Unknown");
        status["conditions"] = json!([{"type": "InvalidSpecError", "message": why}]);
        turn.patch(APPLICATION, application, json!({"status": status}));
        return;
    }
    // Its status is no subresource: a plain patch writes it.
    let say = |sync: &str, health: &str| json!({"status": status(sync, health)});
    if application.pointer("/spec/syncPolicy/automated").is_none() {
        turn.patch(APPLICATION, application, say("OutOfSync", "Missing"));
        return;
    }
    if application.text("/status/health/status") == "Healthy" {
        return;
    }
    let synced = application.text("/status/sync/status") == "Synced"
        || turn.held(format!("sync {}", application.uid()), SYNC_SECONDS);
    if !synced {
        turn.patch(APPLICATION, application, say("OutOfSync", "Missing"));
        return;
    }
    let healthy = turn.held(format!("health {}", application.uid()), HEALTH_SECONDS);
    turn.patch(
        APPLICATION,
        application,
        say("Synced", if healthy { "Healthy" } else { "Progressing" }),
    );
}

fn status(sync: &str, health: &str) -> Value {
    json!({"sync": {"status": sync}, "health": {"status": health}})
}
