//! What happens to a platform over its life: what goes away by itself is waited for or tried again, what somebody did is
//! named, and undone by what the diagnosis asks for.
//!
//! Causes, remedies and their source: [`crate::platform_faults`].

use crate::{
    cluster::Served,
    platform_faults::LOCAL_AUTHORITY,
    said::{SHORT, Said, assert_said, converges, failed, stack, under, until_said},
    sandbox::Sandbox,
};

const APPLY: [&str; 3] = ["apply", "stack.toml", "--yes"];

/// A model on CPU, and with it the gateway of models behind a Route.
const MODEL: &str = r#"
[[models]]
name = "tiny"
model_name = "org/tiny"
namespace = "llm-d-demo"
source = "hf://org/tiny"
gpus = 0
hardware_profile = "gpu-profile"
"#;

/// Operators with pins, in namespaces of their own and in a shared one.
const PINNED: &str = r#"
[stack]
name = "platform"
[cluster]
platform = "aws"
openshift = ">=4.20"
[tls]
issuer = "existing"
[rhoai]
profile = "stable"
[monitoring]
enabled = true
"#;

#[test]
fn a_webhook_is_waited_for_a_flag_and_a_router_are_told_a_dead_node_and_stuck_finalizers_are_named() {
    let sandbox = stack(&format!("{LOCAL_AUTHORITY}{MODEL}"));
    let faults = [
        "webhook-untrusted",
        "flag-refused@genAiStudio",
        "router-degraded",
        "user-deletes@rhoai.hardware-profile[nvidia-l40s-profile]",
    ];
    // What fails here does so early, and all else has its time, on however busy a machine.
    let apply = [&APPLY[..], &["--ready-timeout", "5m"]].concat();
    let ran = under(&sandbox, &apply, &faults).expect(1);
    // G04, G43: nothing that the webhook judges has failed, though it was refused at first.
    assert_eq!(
        failed(&ran.stderr),
        ["llm-d.route", "rhoai.dashboard"],
        "{}",
        ran.shown()
    );
    let audit = sandbox.audit();
    let refused = |kind: &str| audit.iter().any(|entry| entry.is(kind, "*") && entry.code == 500);
    assert!(refused("ClusterIssuer"), "the webhook was trusted from the start");
    assert_said(
        &ran,
        &Said {
            address: "llm-d.route",
            cause: "ClusterOperator ingress: Degraded=True, IngressDegraded: The \"default\" ingress controller reports Degraded=True: DegradedConditions: One or more other status conditions indicate a degraded state: DeploymentAvailable=False (DeploymentUnavailable: The deployment has Available status condition set to False (reason: MinimumReplicasUnavailable) with message: Deployment does not have minimum availability.)",
            remedy: "see the pods of Deployment openshift-ingress/router-default",
        },
    );
    // G27, G31: at first when it is written, from then on before anything is.
    let denied = "admission denied it: admission webhook \"odhdashboardconfig-validator.opendatahub.io\" denied the request: DEPRECATED: spec.dashboardConfig.genAiStudio must be removed";
    let hold = "this release of OpenShift AI has dropped a flag that the stack takes: hold it where it was with `approval = \"manual\"` under `[rhoai]`";
    assert_said(
        &ran,
        &Said {
            address: "rhoai.dashboard",
            cause: denied,
            remedy: hold,
        },
    );
    let ran = under(&sandbox, &["plan", "stack.toml"], &["flag-refused@genAiStudio"]).expect(1);
    let told = format!(
        "error: `rhoai.dashboard`: the server refuses OdhDashboardConfig redhat-ods-applications/odh-dashboard-config: {denied}\nhint: {hold}; then run the same command again\n"
    );
    assert!(ran.stderr.contains(&told), "{}", ran.shown());
    // What somebody deleted is made again.
    let ran = converges(&sandbox);
    let again = "rhoai.hardware-profile[nvidia-l40s-profile]  created";
    assert!(ran.stderr.contains(again), "{}", ran.shown());

    a_dead_node_is_named_and_replaced_once_its_machine_is_deleted(&sandbox);

    let destroy = ["destroy", "stack.toml", "--yes", "--ready-timeout", SHORT];
    let faults = ["finalizer-stuck@DataScienceCluster", "finalizer-stuck@Machine"];
    let clear = "see that the controllers which clear its finalizers run, and what they say";
    until_said(
        &sandbox,
        &destroy,
        &faults,
        &[
            Said {
                address: "rhoai.cluster",
                cause: "datasciencecluster.opendatahub.io/finalizer is cleared by Deployment redhat-ods-operator/rhods-operator, which has 1 of 1 pod ready: see what they say in their logs",
                remedy: clear,
            },
            Said {
                address: "gpu[l40s].machineset[a]",
                cause: "machine.machine.openshift.io is cleared by the machine controller (ClusterOperator machine-api), a part of the cluster itself",
                remedy: clear,
            },
        ],
    );
    under(&sandbox, &["destroy", "stack.toml", "--yes"], &[]).expect(0);
}

fn a_dead_node_is_named_and_replaced_once_its_machine_is_deleted(sandbox: &Sandbox) {
    // Nobody hears of it ten minutes after it was Ready: that a run was over before is no mistake.
    let faults = ["node-dies@sandbox-x7k2p-l40s-gpu-worker-eu-west-1a"];
    let said = Said {
        address: "gpu[l40s].capacity",
        cause: "Machine sandbox-x7k2p-l40s-gpu-worker-eu-west-1a-*: .status.phase is Failed: Can't find created instance.",
        remedy: "its instance is gone: `oc delete machine sandbox-x7k2p-l40s-gpu-worker-eu-west-1a-* -n openshift-machine-api` has another one made",
    };
    until_said(sandbox, &APPLY, &faults, &[said]);
    let served = Served::start(sandbox);
    let machines = "/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api/machines";
    let list = served.get(machines);
    let dead = list["items"].as_array().expect("machines");
    let dead = dead.iter().find(|machine| machine["status"]["phase"] == "Failed");
    let name = dead
        .and_then(|dead| dead["metadata"]["name"].as_str())
        .expect("a dead machine");
    delete(&served, &format!("{machines}/{name}"));
    drop(served);
    converges(sandbox);
}

#[track_caller]
fn delete(served: &Served, path: &str) {
    let answer = served.send(("DELETE", path), "application/json", "");
    assert!(answer.is_some(), "{path} was not deleted");
}

#[test]
fn versions_that_somebody_approved_are_named_and_the_pins_are_back_once_they_are_deleted() {
    let sandbox = stack(PINNED);
    // §2.7, G20: delete Subscription and version, apply again.
    let approved = [
        ("openshift-operators", "rhcl-operator", "rhcl-operator.v1.4.1"),
        (
            "openshift-cluster-observability-operator",
            "openshift-cluster-observability-operator",
            "cluster-observability-operator.v1.5.0",
        ),
    ];
    let faults = [
        "upgrade-approved@rhcl-operator",
        "upgrade-approved@cluster-observability-operator",
    ];
    // A first run may be over before anybody approves.
    until_said(
        &sandbox,
        &APPLY,
        &faults,
        &[
            Said {
                address: "connectivity-link.approve",
                cause: "Subscription rhcl-operator: .status.installedCSV is rhcl-operator.v1.4.1",
                remedy: "somebody approved an upgrade that this stack does not ask for: name that version under `[operators.pins]`, or delete it and Subscription openshift-operators/rhcl-operator",
            },
            Said {
                address: "cluster-observability.approve",
                cause: "Subscription openshift-cluster-observability-operator: .status.installedCSV is cluster-observability-operator.v1.5.0",
                remedy: "somebody approved an upgrade that breaks the platform: delete Subscription openshift-cluster-observability-operator/openshift-cluster-observability-operator and the ClusterServiceVersion that it names",
            },
        ],
    );
    let served = Served::start(&sandbox);
    for (namespace, subscription, version) in approved {
        let path = format!("/apis/operators.coreos.com/v1alpha1/namespaces/{namespace}");
        delete(&served, &format!("{path}/subscriptions/{subscription}"));
        delete(&served, &format!("{path}/clusterserviceversions/{version}"));
    }
    drop(served);
    converges(&sandbox);

    // §2.7: pipelines come later, and the upgrade of Connectivity Link with them.
    sandbox.write(&format!("{PINNED}\n[operators]\npipelines = true\n"));
    until_said(
        &sandbox,
        &APPLY,
        &["combined-plan@openshift-pipelines-operator-rh"],
        &[Said {
            address: "pipelines.approve",
            cause: "InstallPlan install-*: .spec.clusterServiceVersionNames is *rhcl-operator.v1.4.1*",
            remedy: "it holds more than this stack allows, so it is not approved: approve InstallPlan openshift-operators/install-* by hand if all of that may be installed, or take openshift-pipelines-operator-rh out of the stack",
        }],
    );
    sandbox.write(PINNED);
    converges(&sandbox);
}
