//! What faults of operators and nodes do, on the workbench with its clock moved by hand.

use serde_json::json;

use super::bench::Bench;
use super::kinds::*;
use super::object::{Read, object};

const SET: &str = "gpu-set";
const MACHINES: &str = "openshift-machine-api";

/// A cluster in which an operator was just asked for.
fn asked(faults: &[&str]) -> Bench {
    let mut bench = Bench::by_hand(faults);
    bench.subscribe("cert-manager-operator", "openshift-cert-manager-operator", "");
    bench.settle();
    bench
}

fn phase(bench: &Bench) -> String {
    let mut csvs = bench
        .world
        .list(CSV)
        .filter(|csv| csv.label("olm.copiedFrom").is_none());
    csvs.next()
        .map_or(String::new(), |csv| csv.text("/status/phase").to_owned())
}

/// So many seconds until the operator is installed.
fn seconds_to_succeed(mut bench: Bench) -> u64 {
    (0..600)
        .find(|_| {
            bench.pass(1);
            phase(&bench) == "Succeeded"
        })
        .expect("it is installed within ten minutes")
}

#[test]
fn a_restarted_operator_forgets_its_waits_and_comes_back_after_its_lease() {
    let undisturbed = seconds_to_succeed(asked(&[]));
    let restarted = seconds_to_succeed(asked(&["restart@olm"]));
    assert!(
        (undisturbed + 15..undisturbed + 120).contains(&restarted),
        "{undisturbed} s, and {restarted} s with a restart"
    );
}

#[test]
fn a_stuck_operator_starts_and_olm_says_which_deployment_it_waits_for() {
    let mut bench = asked(&["stuck@cert-manager"]);
    bench.pass(900);
    assert_eq!(phase(&bench), "Installing");
    let csv = bench.world.list(CSV).next().expect("a CSV");
    assert_eq!(
        csv.text("/status/message"),
        "installing: waiting for deployment cert-manager-operator-controller-manager to become ready: deployment \
         \"cert-manager-operator-controller-manager\" not available: Deployment does not have minimum availability."
    );
    let pod = bench.world.list(POD).next().expect("it was started");
    assert_eq!(
        pod.text("/status/containerStatuses/0/state/waiting/reason"),
        "CrashLoopBackOff"
    );
}

/// A cluster with one machine of a set, and a pod on its node.
fn with_a_node(faults: &[&str]) -> Bench {
    let mut bench = Bench::by_hand(faults);
    let template = json!({
        "metadata": {"labels": {"machine.openshift.io/cluster-api-machineset": SET}},
        "spec": {"providerSpec": {"value": {"instanceType": "g6e.2xlarge",
            "placement": {"region": "eu-west-1", "availabilityZone": "eu-west-1a"}}}},
    });
    let set = object(
        MACHINE_SET,
        MACHINES,
        SET,
        json!({"spec": {"replicas": 1, "template": template}}),
    );
    bench.put(MACHINE_SET, set);
    bench.pass(400);
    let spec = json!({"spec": {"replicas": 1, "template": {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "main", "image": "i"}]},
    }}});
    bench.put(DEPLOYMENT, object(DEPLOYMENT, "default", "a", spec));
    bench.pass(30);
    bench
}

fn machine_phase(bench: &Bench) -> String {
    let machine = bench.world.list_in(MACHINE, MACHINES).next().expect("a machine");
    machine.text("/status/phase").to_owned()
}

#[test]
fn a_dead_node_loses_its_pods_after_a_while_and_its_machine_stays_failed_until_somebody_deletes_it() {
    let mut bench = with_a_node(&[&format!("node-dies@{SET}")]);
    assert_eq!(machine_phase(&bench), "Running");
    let first = bench.world.list_in(POD, "default").next().expect("a pod").clone();
    let node = first.text("/spec/nodeName").to_owned();
    assert_ne!(node, "worker-0");

    bench.pass(600);
    let dead = bench.get(NODE, "", &node);
    assert_eq!(dead.condition("Ready"), "Unknown");
    assert_eq!(dead.list("/spec/taints").len(), 2);
    assert_eq!(machine_phase(&bench), "Failed");
    assert!(
        !bench.get(POD, "default", first.name()).is("Ready"),
        "nobody knows how it is"
    );
    assert_eq!(
        bench.get(MACHINE_SET, MACHINES, SET).number("/status/readyReplicas"),
        Some(0)
    );

    bench.pass(400);
    let second = bench.world.list_in(POD, "default").next().expect("a pod").clone();
    assert_ne!(second.uid(), first.uid());
    assert_eq!(second.text("/spec/nodeName"), "worker-0");
    assert_eq!(machine_phase(&bench), "Failed", "nobody replaces it");

    let machine = bench
        .world
        .list_in(MACHINE, MACHINES)
        .next()
        .expect("a machine")
        .name()
        .to_owned();
    bench.delete(MACHINE, MACHINES, &machine);
    bench.pass(3_600);
    assert_eq!(machine_phase(&bench), "Running");
    assert!(bench.world.get(NODE, "", &node).is_none());
    assert!(
        bench.world.list(NODE).all(|node| node.is("Ready")),
        "one died, and no other"
    );
}
