//! The installing half of OLM: InstallPlan → ClusterServiceVersion → CRDs, operator Deployment, copies.
//!
//! Invariants:
//! - A plan does nothing before it is approved, and creates its CSVs once.
//! - A bundle's CRDs are registered only when its CSV is about to be Succeeded (DESIGN §9).
//! - Of two CSVs of which one replaces the other, only the newer one writes the operator's Deployment.
//! - A copied CSV carries `olm.copiedFrom` and goes when its source goes; CRDs stay (reference/platform.md §6).
//!
//! Left out: a CSV that falls back from Succeeded when its Deployment does; OperatorConditions; copies into
//! namespaces that hold no operator (nobody looks there, and there are seventy).

use serde_json::{Value, json};

use super::kinds::{CSV, DEPLOYMENT, INSTALL_PLAN, NAMESPACE, OPERATOR_GROUP, PACKAGE_MANIFEST, SUBSCRIPTION};
use super::object::{Read, object, owned_by};
use super::olm::label;
use super::turn::{Turn, Write};
use crate::faults::FaultName;
use crate::schemas;

/// The annotation that tells which package a CSV belongs to; a real one is known by its catalog.
pub(crate) const PACKAGE: &str = "simulator.stackctl.dev/package";

/// The parts of an installation: requirement checks, install, and the rollout of the operator. Together some 45 s, the
/// low end under the gate's 300 s (reference/platform.md §2.1).
const REQUIREMENTS_SECONDS: u64 = 3;
const INSTALL_SECONDS: u64 = 30;
/// From the operator's kinds to Succeeded: the operator starts before OLM calls it healthy, and what it makes at its
/// start is there first (`default-dsci`, `CertManager/cluster`: reference/platform.md §2.12, §2.2).
const START_SECONDS: u64 = 10;
/// When an install that cannot work is given up; OLM waits 5 min.
const FAILURE_SECONDS: u64 = 60;

/// Deployment and pod label of a package's operator.
fn operator(package: &str) -> (String, Value) {
    let named = |name: &str| (name.to_owned(), json!({"name": name}));
    match package {
        // The label by which practice restarts it: reference/serving.md §1.5.
        "rhcl-operator" => (
            "kuadrant-operator-controller-manager".to_owned(),
            json!({"app": "kuadrant", "app.kubernetes.io/name": "kuadrant-operator", "control-plane": "controller-manager"}),
        ),
        "openshift-cert-manager-operator" => named("cert-manager-operator-controller-manager"),
        "gpu-operator-certified" => named("gpu-operator"),
        "nfd" => named("nfd-controller-manager"),
        "leader-worker-set" => named("openshift-lws-operator"),
        "tempo-product" => named("tempo-operator-controller"),
        "opentelemetry-product" => named("opentelemetry-operator-controller-manager"),
        "cluster-observability-operator" => named("observability-operator"),
        "authorino-operator" | "rhods-operator" => named(package),
        "servicemeshoperator3" => named("servicemesh-operator3"),
        "kueue-operator" => named("openshift-kueue-operator"),
        "openshift-pipelines-operator-rh" => named("openshift-pipelines-operator"),
        package => named(&format!("{package}-controller-manager")),
    }
}

/// Carries InstallPlans out.
pub(crate) fn plans(turn: &mut Turn<'_>) {
    for plan in turn.all(INSTALL_PLAN) {
        let phase = plan.text("/status/phase");
        if plan.is_deleting() || ["Complete", "Failed"].contains(&phase) {
            continue;
        }
        if !plan.is_true("/spec/approved") {
            if upgrades_under_fault(turn, &plan) {
                turn.patch(INSTALL_PLAN, &plan, json!({"spec": {"approved": true}}));
            }
            turn.status(
                INSTALL_PLAN,
                &plan,
                json!({"phase": "RequiresApproval", "catalogSources": [], "conditions": []}),
            );
            continue;
        }
        if phase != "Installing" {
            turn.status(
                INSTALL_PLAN,
                &plan,
                json!({"phase": "Installing", "catalogSources": [], "conditions": []}),
            );
            continue;
        }
        let mut all = true;
        for name in plan
            .list("/spec/clusterServiceVersionNames")
            .iter()
            .filter_map(Value::as_str)
        {
            all &= turn.world.get(CSV, plan.namespace(), name).is_some();
            if let Some(csv) = version(turn, &plan, name) {
                turn.create(CSV, csv);
            }
        }
        if all {
            let installed = json!({"type": "Installed", "status": "True"});
            turn.status(
                INSTALL_PLAN,
                &plan,
                json!({"phase": "Complete", "conditions": [installed]}),
            );
        }
    }
}

/// Returns whether a plan upgrades a package whose upgrades somebody approves.
fn upgrades_under_fault(turn: &Turn<'_>, plan: &Value) -> bool {
    let installed = turn.world.list_in(CSV, plan.namespace());
    let packages = installed.filter_map(|csv| {
        csv.annotation(PACKAGE)
            .filter(|_| csv.text("/status/phase") == "Succeeded")
    });
    packages
        .filter(|package| turn.faults.at(FaultName::UpgradeApproved, package))
        .any(|package| plan.label(&label(package, plan.namespace())).is_some())
}

/// Makes the CSV of that name. A plan is carried out as it was resolved: also for a Subscription that is gone since.
fn version(turn: &Turn<'_>, plan: &Value, name: &str) -> Option<Value> {
    let namespace = plan.namespace();
    let offers = |manifest: &Value| {
        manifest.list("/status/channels").iter().any(|channel| {
            channel.text("/currentCSV") == name
                || channel.list("/entries").iter().any(|entry| entry.text("/name") == name)
        })
    };
    let package = turn
        .world
        .list_in(PACKAGE_MANIFEST, "openshift-marketplace")
        .find(|manifest| offers(manifest))?
        .name();
    let subscription = turn
        .world
        .list_in(SUBSCRIPTION, namespace)
        .find(|candidate| plan.is_owned_by(candidate.uid()) && candidate.text("/spec/name") == package);
    let (prefix, version) = name.split_once('.')?;
    let (deployment, labels) = operator(package);
    let group = turn.world.list_in(OPERATOR_GROUP, namespace).next()?;
    let replaces = turn
        .world
        .list_in(CSV, namespace)
        .find(|csv| csv.annotation(PACKAGE) == Some(package));
    let mut spec = json!({
        "displayName": prefix,
        "version": version.trim_start_matches('v'),
        "install": {"strategy": "deployment", "spec": {"deployments": [{
            "name": deployment,
            "spec": {
                "replicas": 1, "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{
                        "name": "manager", "image": format!("registry.redhat.io/simulated/{package}:{version}"),
                        "env": subscription.map_or(&[][..], |subscription| subscription.list("/spec/config/env")),
                    }]},
                },
            },
        }]}},
        "installModes": [
            {"type": "OwnNamespace", "supported": true}, {"type": "SingleNamespace", "supported": true},
            {"type": "MultiNamespace", "supported": false}, {"type": "AllNamespaces", "supported": true},
        ],
    });
    if let Some(replaces) = replaces {
        spec["replaces"] = json!(replaces.name());
    }
    let targets: Vec<&str> = group
        .list("/spec/targetNamespaces")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    Some(object(
        CSV,
        namespace,
        name,
        json!({
            "metadata": {
                "labels": {label(package, namespace): ""},
                "annotations": {
                    PACKAGE: package, "olm.operatorGroup": group.name(), "olm.operatorNamespace": namespace,
                    "olm.targetNamespaces": targets.join(","),
                },
            },
            "spec": spec,
        }),
    ))
}

/// Moves CSVs from phase to phase.
pub(crate) fn versions(turn: &mut Turn<'_>) {
    for csv in turn.all(CSV) {
        let Some(package) = csv
            .annotation(PACKAGE)
            .filter(|_| csv.label("olm.copiedFrom").is_none() && !csv.is_deleting())
        else {
            continue;
        };
        let uid = csv.uid();
        let replaced;
        let phase = match csv.text("/status/phase") {
            "" => Some(("Pending", "RequirementsUnknown", "requirements not yet checked")),
            "Pending" if turn.held(format!("requirements {uid}"), REQUIREMENTS_SECONDS) => Some((
                "InstallReady",
                "AllRequirementsMet",
                "all requirements found, attempting install",
            )),
            "InstallReady" => Some((
                "Installing",
                "InstallSucceeded",
                "waiting for install components to report healthy",
            )),
            "Installing" => installing(turn, &csv, package),
            "Succeeded" => match replacement(turn, &csv) {
                Some(next) => {
                    replaced = format!("being replaced by csv: {next}");
                    Some(("Replacing", "BeingReplaced", replaced.as_str()))
                }
                None => {
                    deployments(turn, &csv);
                    retire(turn, &csv);
                    None
                }
            },
            _ => None,
        };
        let waiting;
        let phase = match phase {
            None if csv.text("/status/phase") == "Installing" && csv.text("/status/reason") != "InstallWaiting" => {
                waiting = unavailable(turn, &csv);
                waiting.as_deref().map(|why| ("Installing", "InstallWaiting", why))
            }
            phase => phase,
        };
        if let Some((phase, reason, message)) = phase {
            let entry = json!({"phase": phase, "reason": reason, "message": message,
                "lastUpdateTime": turn.stamp, "lastTransitionTime": turn.stamp});
            let mut conditions = csv.list("/status/conditions").to_vec();
            conditions.push(entry.clone());
            let mut status = entry;
            status["conditions"] = json!(conditions);
            turn.writes.push(Write::PatchStatus {
                kind: CSV,
                namespace: csv.namespace().to_owned(),
                name: csv.name().to_owned(),
                patch: json!({"status": status}),
            });
        }
    }
}

/// Returns the name of the CSV that replaces this one, while both are there. Words and phases:
/// <https://github.com/operator-framework/operator-lifecycle-manager/blob/master/pkg/controller/operators/olm/operator.go>,
/// `transitionCSVState`.
fn replacement(turn: &Turn<'_>, csv: &Value) -> Option<String> {
    let mut others = turn.world.list_in(CSV, csv.namespace());
    let next = others.find(|other| {
        other.text("/spec/replaces") == csv.name() && other.label("olm.copiedFrom").is_none() && !other.is_deleting()
    })?;
    Some(next.name().to_owned())
}

/// Says which Deployment of a CSV is not available, in OLM's words.
fn unavailable(turn: &Turn<'_>, csv: &Value) -> Option<String> {
    let deployments = csv.list("/spec/install/spec/deployments").iter();
    let name = deployments
        .map(|entry| entry.text("/name"))
        .find(|name| !turn.world.is_available(csv.namespace(), name))?;
    Some(format!(
        "installing: waiting for deployment {name} to become ready: deployment \"{name}\" not available: Deployment does not have minimum availability."
    ))
}

fn installing(turn: &mut Turn<'_>, csv: &Value, package: &str) -> Option<(&'static str, &'static str, &'static str)> {
    if turn.faults.at(FaultName::FailingInstall, package) {
        let over = turn.held(format!("failing {}", csv.uid()), FAILURE_SECONDS);
        return over.then_some(("Failed", "InstallCheckFailed", "install timeout"));
    }
    let available = deployments(turn, csv);
    if !available {
        say_what_is_waited_for(turn, csv);
    }
    let ready = available && turn.held(format!("install {}", csv.uid()), INSTALL_SECONDS);
    let registered = ready && turn.register(&schemas::crds_of(package));
    (registered && turn.held(format!("start {}", csv.uid()), START_SECONDS)).then_some((
        "Succeeded",
        "InstallSucceeded",
        "install strategy completed with no errors",
    ))
}

/// Says of a CSV that waits for long which Deployment it waits for, in OLM's words
/// (<https://github.com/operator-framework/operator-lifecycle-manager/blob/master/pkg/controller/install/deployment.go>).
fn say_what_is_waited_for(turn: &mut Turn<'_>, csv: &Value) {
    if !turn.held(format!("say {}", csv.uid()), FAILURE_SECONDS) {
        return;
    }
    let deployments = csv.list("/spec/install/spec/deployments").iter();
    let mut waiting = deployments.filter(|entry| !turn.world.is_available(csv.namespace(), entry.text("/name")));
    let Some(name) = waiting.next().map(|entry| entry.text("/name").to_owned()) else {
        return;
    };
    let message = format!(
        "installing: waiting for deployment {name} to become ready: deployment \"{name}\" not available: \
         Deployment does not have minimum availability."
    );
    turn.status(CSV, csv, json!({"reason": "InstallWaiting", "message": message}));
}

/// Makes sure that the Deployments of a CSV are there. Returns whether all are Available.
fn deployments(turn: &mut Turn<'_>, csv: &Value) -> bool {
    let namespace = csv.namespace();
    let mut all = true;
    for entry in csv.list("/spec/install/spec/deployments") {
        let name = entry.text("/name");
        all &= turn.world.is_available(namespace, name);
        let labels = json!({"olm.owner": csv.name(), "olm.owner.namespace": namespace, "olm.owner.kind": CSV.kind});
        let deployment = object(
            DEPLOYMENT,
            namespace,
            name,
            json!({"metadata": {"labels": labels}, "spec": entry["spec"]}),
        );
        turn.ensure(DEPLOYMENT, owned_by(deployment, csv));
    }
    all
}

/// Deletes the CSV that a Succeeded one replaces.
fn retire(turn: &mut Turn<'_>, csv: &Value) {
    let replaces = csv.text("/spec/replaces");
    if !replaces.is_empty() {
        turn.delete(CSV, csv.namespace(), replaces);
    }
}

/// Copies the CSVs of operators for all namespaces, and removes copies of what is gone (reference/platform.md G22).
pub(crate) fn copies(turn: &mut Turn<'_>) {
    let groups = turn.all(OPERATOR_GROUP);
    for csv in turn.all(CSV) {
        if let Some(from) = csv.label("olm.copiedFrom") {
            let source = turn
                .world
                .get(CSV, from, csv.name())
                .filter(|source| !source.is_deleting());
            match source {
                None => turn.delete(CSV, csv.namespace(), csv.name()),
                Some(source) => {
                    let status = json!({"phase": source["status"]["phase"], "reason": "Copied",
                        "message": format!("The operator is running in {from} but is managing this namespace")});
                    turn.status(CSV, &csv, status);
                }
            }
            continue;
        }
        let global = groups
            .iter()
            .any(|group| group.namespace() == csv.namespace() && group.list("/spec/targetNamespaces").is_empty());
        if !global || csv.is_deleting() || csv.text("/status/phase") != "Succeeded" || csv.annotation(PACKAGE).is_none()
        {
            continue;
        }
        let targets = groups
            .iter()
            .map(|group| group.namespace())
            .filter(|target| *target != csv.namespace());
        for target in targets
            .filter(|target| turn.world.has(NAMESPACE, "", target))
            .collect::<Vec<_>>()
        {
            let copy = object(
                CSV,
                target,
                csv.name(),
                json!({
                    "metadata": {
                        "labels": {"olm.copiedFrom": csv.namespace()},
                        "annotations": {"olm.operatorNamespace": csv.namespace()},
                    },
                    "spec": csv["spec"],
                }),
            );
            turn.create(CSV, copy);
        }
    }
}
