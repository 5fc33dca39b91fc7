//! `nfd`: stands for the Node Feature Discovery operator: nodes with NVIDIA hardware get the label that says so.
//!
//! Source: reference/platform.md §2.6 (label `feature.node.kubernetes.io/pci-10de.present=true`; its name depends on
//! `deviceLabelFields: [vendor]`, G11).
//!
//! Left out: every other feature.

use serde_json::{Value, json};

use super::kinds::{DAEMON_SET, DEPLOYMENT, NODE, NODE_FEATURE_DISCOVERY};
use super::object::{Read, object, owned_by};
use super::rules::{Need, Rule, apply};
use super::turn::Turn;
use crate::faults::FaultName;
use crate::seed::GPUS;

/// NVIDIA's vendor id is 10de (reference/platform.md §2.6).
pub(crate) const LABEL: &str = "feature.node.kubernetes.io/pci-10de.present";
/// A worker looks once in `core.sleepInterval: 60s`; the first look comes at its start.
const SECONDS: u64 = 30;
/// Families of instances with NVIDIA hardware (reference/platform.md §2.5).
const FAMILIES: &[&str] = &["g5.", "g6.", "g6e.", "p4d.", "p4de.", "p5.", "p5e.", "p5en."];

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let rule = Rule {
        needs: &[Need::Available("", "nfd-master")],
        operands: |discovery| {
            let labels = json!({"app": "nfd-master"});
            let namespace = discovery.namespace();
            let master = super::operands::deployment(namespace, "nfd-master", &labels, &["nfd-master"]);
            let worker = object(
                DAEMON_SET,
                namespace,
                "nfd-worker",
                json!({"spec": {
                    "selector": {"matchLabels": {"app": "nfd-worker"}},
                    "template": {"metadata": {"labels": {"app": "nfd-worker"}}, "spec": {
                        "containers": [{"name": "nfd-worker", "image": discovery["spec"]["operand"]["image"]}],
                        "tolerations": [{"operator": "Exists"}],
                    }},
                }}),
            );
            vec![
                (DEPLOYMENT, owned_by(master, discovery)),
                (DAEMON_SET, owned_by(worker, discovery)),
            ]
        },
        ..Rule::new(
            NODE_FEATURE_DISCOVERY,
            5,
            &[
                ("Available", "AllComponentsAvailable"),
                ("Upgradeable", "AllComponentsAvailable"),
            ],
        )
    };
    apply(turn, &[rule]);
    let active = turn
        .all(NODE_FEATURE_DISCOVERY)
        .iter()
        .any(|discovery| !discovery.is_deleting() && sees_vendor(discovery));
    if !active || turn.faults.on(FaultName::LabelsMissing) {
        return;
    }
    for node in turn.all(NODE) {
        let instance = node.label("node.kubernetes.io/instance-type").unwrap_or_default();
        let has = FAMILIES.iter().any(|family| instance.starts_with(family)) || node.annotation(GPUS).is_some();
        if has && node.is("Ready") && node.label(LABEL).is_none() && turn.held(format!("look {}", node.uid()), SECONDS)
        {
            turn.patch(NODE, &node, json!({"metadata": {"labels": {LABEL: "true"}}}));
        }
    }
}

fn sees_vendor(discovery: &Value) -> bool {
    let config = discovery.text("/spec/workerConfig/configData");
    // Without a configuration the labels are class and vendor, and the name is another one.
    config.contains("deviceLabelFields") && config.contains("vendor") && !config.contains("class\"")
}
