use super::*;
use crate::views::testing::address;
use stackctl_engine::{
    ObjectRef,
    graph::{EdgeClass, EdgeSource, Until},
};

fn standing(at: &str, node: NodeKind, object: Option<ObjectRef>, is: Is, waits: &[(&str, &str)]) -> Standing {
    Standing {
        address: address(at),
        node,
        object,
        is,
        because: None,
        asks: None,
        waits_for: waits
            .iter()
            .map(|(to, reason)| Edge {
                from: address(at),
                to: address(to),
                until: Until::Ready,
                reason: (*reason).to_owned(),
                class: EdgeClass::Needs,
                source: EdgeSource::Declared,
            })
            .collect(),
        is_recorded: true,
        is_desired: true,
    }
}

/// A platform whose GPUs do not come.
pub(crate) fn standings() -> Vec<Standing> {
    let named = |api: &str, kind: &str, name: &str| Some(ObjectRef::namespaced(api, kind, "llm-d-demo", name));
    let ready = |why: &str| Is::Ready(why.to_owned());
    let policy = ObjectRef::cluster("nvidia.com/v1", "ClusterPolicy", "gpu-cluster-policy");
    let mut all = vec![
        standing(
            "cert-manager.installed",
            NodeKind::Gate,
            None,
            ready("ClusterServiceVersion cert-manager-operator.v1.18.0: .status.phase is Succeeded"),
            &[],
        ),
        standing(
            "nvidia.policy",
            NodeKind::Object,
            Some(policy),
            Is::NotReady("ClusterPolicy gpu-cluster-policy: .status.state is notReady".to_owned()),
            &[],
        ),
        standing(
            "model[qwen3-8b].connection",
            NodeKind::Object,
            named("v1", "Secret", "qwen3-8b-weights"),
            ready("is there"),
            &[],
        ),
        standing(
            "model[qwen3-8b].service",
            NodeKind::Object,
            named("serving.kserve.io/v1alpha1", "LLMInferenceService", "qwen3-8b"),
            Is::Failed(
                "LLMInferenceService qwen3-8b: WorkloadsReady=False, Stopped: 0/6 nodes are available:\n3 Insufficient nvidia.com/gpu, 3 node(s) had untolerated taint"
                    .to_owned(),
            ),
            &[("nvidia.policy", "its pods ask for GPUs")],
        ),
        standing(
            "maas.tier[pro].subscription",
            NodeKind::Object,
            named("maas.opendatahub.io/v1alpha1", "MaaSSubscription", "pro-subscription"),
            Is::Going("MaaSSubscription pro-subscription waits for its finalizers: maas.opendatahub.io/cleanup".to_owned()),
            &[],
        ),
        standing(
            "maas.tier[pro].enforced",
            NodeKind::Gate,
            None,
            Is::Unknown("tokenratelimitpolicies.kuadrant.io is forbidden: User \"dev\" cannot list resource".to_owned()),
            &[],
        ),
        standing(
            "maas.model[qwen3-8b].reference",
            NodeKind::Object,
            named("maas.opendatahub.io/v1alpha1", "MaaSModelRef", "qwen3-8b"),
            Is::Absent,
            &[
                ("model[qwen3-8b].service", "it publishes the model"),
                ("maas.tier[pro].enforced", "limits come before callers"),
                ("nvidia.policy", "its pods ask for GPUs"),
            ],
        ),
    ];
    all[1].because = Some("Node ip-10-0-3-7: Ready=Unknown: Kubelet stopped posting node status".to_owned());
    all[1].asks =
        Some("see that the machines of pool l40s come up: `oc get machines -n openshift-machine-api`".to_owned());
    all
}

pub(crate) fn everything(standings: &[Standing]) -> BTreeSet<Address> {
    standings.iter().map(|one| one.address.clone()).collect()
}

pub(crate) fn screen_of<'a>(standings: &'a [Standing], shown: &'a BTreeSet<Address>) -> Screen<'a> {
    Screen {
        stack: "maas-on-aws",
        cluster: "prod-eu (OpenShift 4.21.3, apps.prod.example.com)",
        standings,
        shown,
        all: false,
        brief: false,
        worst_first: false,
        by_record: false,
    }
}

fn at(width: usize) -> Style {
    Style {
        width: Some(width),
        ..Style::PLAIN
    }
}

#[test]
fn what_is_not_ready_says_why_and_what_it_waits_for_at_80_columns() {
    let standings = standings();
    let text = screen(&screen_of(&standings, &everything(&standings)), &at(80));
    assert!(text.lines().all(|line| visible_width(line) <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_not_ready_says_why_and_what_it_waits_for_at_160_columns() {
    let standings = standings();
    insta::assert_snapshot!(screen(&screen_of(&standings, &everything(&standings)), &at(160)));
}

#[test]
fn where_there_is_no_room_what_has_not_begun_is_counted() {
    let mut standings = standings();
    standings[6].is_recorded = false;
    let everything = everything(&standings);
    let brief = Screen {
        brief: true,
        ..screen_of(&standings, &everything)
    };
    let text = screen(&brief, &at(80));
    assert!(!text.contains("maas.model[qwen3-8b].reference"), "{text}");
    let counted = "  · 1 more waits for maas.tier[pro].enforced, model[qwen3-8b].service,\n    nvidia.policy\n";
    assert!(text.contains(counted), "{text}");
}

#[test]
fn what_is_ready_is_listed_when_it_is_asked_for() {
    let standings = standings();
    let shown = BTreeSet::from([address("cert-manager.installed"), address("model[qwen3-8b].connection")]);
    let listed = Screen {
        all: true,
        ..screen_of(&standings, &shown)
    };
    insta::assert_snapshot!(screen(&listed, &at(80)));
}

#[test]
fn what_left_the_stack_counts_for_nothing_and_is_told() {
    let mut standings = standings();
    standings.truncate(3);
    standings.remove(1);
    standings[1].is_desired = false;
    let shown = everything(&standings);
    let of_record = Screen {
        by_record: true,
        ..screen_of(&standings, &shown)
    };
    insta::assert_snapshot!(screen(&of_record, &at(80)));
}

#[test]
fn machines_read_the_same() {
    let standings = standings();
    let value = serde_json::json!(whole(&screen_of(&standings, &everything(&standings))));
    assert_eq!(value["all_ready"], false);
    assert_eq!(value["summary"]["not_ready"], 1);
    assert_eq!(value["summary"]["total"], 7);
    assert_eq!(value["held_up_by"][0]["address"], "nvidia.policy");
    assert_eq!(
        value["resources"][1]["hint"],
        standings[1].asks.clone().unwrap_or_default()
    );
    assert_eq!(
        value["resources"][6]["waits_for"][0]["reason"],
        "it publishes the model"
    );
}
