//! Kuadrant: what Connectivity Link runs, Authorino and Limitador.
//!
//! It is two parts in time: its operands run early and free OpenShift AI; it is Ready only once a GatewayClass is
//! accepted, and frees what enforces policies.
//!
//! Facts: `reference/platform.md` §2.7, `reference/serving.md` §1.5.

use super::{
    Context, connectivity_link,
    draft::{Draft, at, labelled, pods, rolled_out, seconds, see},
    llm_d, maas,
    names::{KUADRANT, OPERATORS},
    symptoms,
};
use serde_json::json;
use stackctl_engine::{
    Address, ObjectRef,
    readiness::Rule,
    resource::{Effect, Remedy},
};

/// The gate that Authorino and Limitador run.
pub(super) fn operands() -> Address {
    at("kuadrant.operands")
}

/// The gate that policies are enforced.
pub(super) fn ready() -> Address {
    at("kuadrant.ready")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let instance = at("kuadrant.instance");
    let kuadrant = ObjectRef::namespaced("kuadrant.io/v1beta1", "Kuadrant", KUADRANT, "kuadrant");
    let mut nodes = vec![
        Draft::object(
            at("kuadrant.namespace"),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": KUADRANT}}),
        ),
        Draft::object(
            instance.clone(),
            json!({
                "apiVersion": "kuadrant.io/v1beta1",
                "kind": "Kuadrant",
                "metadata": {"name": "kuadrant", "namespace": KUADRANT},
                "spec": {"observability": {"enable": true}},
            }),
        )
        .note("not Ready before there is a GatewayClass; that is a gate of its own"),
        Draft::gate(operands(), rolled_out(KUADRANT, &["authorino", "limitador-limitador"]))
            .after_write(instance.clone(), "the operator runs them for it")
            .within(seconds(300))
            .diagnosed_by(symptoms::operands())
            .note("waits for Authorino and Limitador"),
    ];
    let classes: Vec<_> = llm_d::class(context).into_iter().chain(maas::class(context)).collect();
    if classes.is_empty() {
        return nodes;
    }
    let restart = Remedy {
        symptom: vec![see(
            kuadrant.clone(),
            Rule::Condition {
                kind: "Ready".to_owned(),
                status: "False".to_owned(),
            },
        )],
        after: seconds(60),
        effects: vec![Effect::Delete {
            target: labelled(pods(), Some(OPERATORS), ("app.kubernetes.io/name", "kuadrant-operator")),
        }],
        why: "restarts the Kuadrant operator, which looks for a gateway provider only when it starts".to_owned(),
    };
    let mut gate = Draft::gate(ready(), vec![see(kuadrant, Rule::condition("Ready"))])
        .after_write(instance, "it is what has to become ready")
        .after(connectivity_link::installed(), "its operator reports it")
        // 60 s, then the remedy, then 300 s (reference/serving.md §0.4).
        .within(seconds(420))
        .remedy(restart)
        .diagnosed_by(symptoms::operands())
        .diagnosed(symptoms::otherwise(format!(
            "see that a GatewayClass is accepted, and restart the operator of Kuadrant once more: `{}`",
            symptoms::RESTART_KUADRANT
        )))
        .note("waits for Kuadrant Ready");
    for class in classes {
        gate = gate.after(class, "Kuadrant needs an accepted GatewayClass");
    }
    nodes.push(gate);
    nodes
}
