//! MetalLB: addresses for load balancers where no cloud gives any.
//!
//! Facts: `reference/platform.md` §2.19.

use super::{
    Context,
    draft::{Draft, Kind, at, deployment, keyed, seconds, see},
    olm::{Approval, Catalog, Home, Operator, Scope},
};
use crate::stack::MetalLb;
use serde_json::json;
use stackctl_engine::{
    Address, FieldPath, ObjectRef,
    readiness::{Matcher, Rule},
    resource::ConsequenceClass,
};

const NAMESPACE: &str = "metallb-system";
/// Which nodes announce addresses.
const NODE_LABEL: &str = "node-role.llm-d/inference";

const KINDS: &[Kind] = &[
    kind("MetalLB", "metallbs"),
    kind("IPAddressPool", "ipaddresspools"),
    kind("L2Advertisement", "l2advertisements"),
];

const fn kind(kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        group: "metallb.io",
        kind,
        plural,
        namespaced: true,
    }
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(wanted) = &context.stack.metallb else {
        return Vec::new();
    };
    let operator = Operator {
        component: "metallb",
        title: "MetalLB",
        namespace: NAMESPACE,
        home: Some(Home {
            display_name: Some("MetalLB Operator"),
            group: "metallb-operator",
            scope: Scope::All,
            is_monitored: true,
        }),
        subscription: "metallb-operator",
        package: "metallb-operator",
        source: Catalog::RedHat,
        channel: "stable".to_owned(),
        approval: Approval::Automatic(None),
        config: None,
        kinds: KINDS,
    };
    let mut nodes = operator.nodes(context, |subscription| subscription);
    nodes.extend(wanted.nodes.iter().map(|node| label(node.as_str())));
    nodes.extend(instance(wanted));
    nodes
}

/// The gate that its controller and speakers run.
fn ready() -> Address {
    at("metallb.ready")
}

fn labelled(node: &str) -> Address {
    keyed(&[("metallb", ""), ("node", node)])
}

fn label(node: &str) -> Draft {
    Draft::overlay(
        labelled(node),
        ObjectRef::cluster("v1", "Node", node),
        json!({"metadata": {"labels": {NODE_LABEL: "true"}}}),
    )
    .note("may announce addresses")
    .tells(
        ConsequenceClass::TakesFields,
        format!("takes label {NODE_LABEL} of Node {node}"),
    )
}

fn instance(wanted: &MetalLb) -> [Draft; 4] {
    let object = |kind: &str, name: &str, spec: serde_json::Value| {
        let mut object = json!({
            "apiVersion": "metallb.io/v1beta1",
            "kind": kind,
            "metadata": {"name": name, "namespace": NAMESPACE},
        });
        if !spec.is_null() {
            object["spec"] = spec;
        }
        object
    };
    let settings = json!({
        "nodeSelector": {NODE_LABEL: "true"},
        "speakerTolerations": [{"key": NODE_LABEL, "operator": "Exists", "effect": "NoSchedule"}],
    });
    let running = Draft::gate(
        ready(),
        vec![
            see(deployment(NAMESPACE, "controller"), Rule::RolledOut),
            see(
                ObjectRef::namespaced("apps/v1", "DaemonSet", NAMESPACE, "speaker"),
                Rule::Field {
                    path: FieldPath::of("status.numberReady"),
                    // How many carry the label already is not known: one proves that they run.
                    is: Matcher::AtLeast(i64::try_from(wanted.nodes.len().max(1)).unwrap_or(i64::MAX)),
                },
            ),
        ],
    )
    .after_write(at("metallb.instance"), "its operator runs them for it")
    .within(seconds(300))
    .note("waits for the controller and the speakers");
    // The pods that announce addresses run only on nodes that carry the label.
    let running = wanted.nodes.iter().fold(running, |running, node| {
        running.after_write(labelled(node.as_str()), "speakers run where the label is")
    });
    [
        Draft::object(at("metallb.instance"), object("MetalLB", "metallb", settings)),
        running,
        Draft::object(
            at("metallb.pool"),
            object(
                "IPAddressPool",
                wanted.pool.as_str(),
                json!({"addresses": wanted.addresses}),
            ),
        )
        .after(ready(), "its webhook judges the addresses"),
        Draft::object(
            at("metallb.advertisement"),
            object(
                "L2Advertisement",
                wanted.advertisement.as_str(),
                serde_json::Value::Null,
            ),
        )
        .after(ready(), "its webhook judges the advertisement"),
    ]
}
