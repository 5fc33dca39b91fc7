//! The route that gives a part of a model's traffic to another one.
//!
//! It is a route of its own: that of a model belongs to its controller, which would put it back. Requests come under the
//! name of the model that goes on serving, which the new one answers to as well (`service`). At 100 percent the list of
//! models comes from the new one too, so that the other can be taken away.
//!
//! Facts: `reference/serving.md` §1.4.

use crate::{
    components::{
        Context,
        draft::{Draft, TAKES_NOTICE, keyed, seconds, see},
        llm_d,
        names::INGRESS,
    },
    stack::Model,
};
use serde_json::{Value, json};
use stackctl_engine::{Address, ObjectRef, readiness::Rule};

fn address(model: &Model, role: &str) -> Address {
    keyed(&[("model", model.name.as_str()), (role, "")])
}

/// What the manual calls its steps, by the percent that the new model gets.
fn phase(weight: u8) -> u8 {
    match weight {
        0 => 0,
        1..=10 => 1,
        11..=50 => 2,
        51..=99 => 3,
        _ => 4,
    }
}

/// The route and the gate that both pools are there; nothing for a model that is no canary.
pub(super) fn resource(context: &Context<'_>, model: &Model) -> Vec<Draft> {
    let Some(canary) = &model.canary else {
        return Vec::new();
    };
    // The language lets a canary name only a model of the stack.
    let Some(stable) = context.stack.model(&canary.of) else {
        return Vec::new();
    };
    let (new, old) = (canary.weight, 100 - canary.weight);
    let namespace = model.namespace.as_str();
    let pool = |model: &Model| {
        ObjectRef::namespaced(
            "inference.networking.k8s.io/v1",
            "InferencePool",
            namespace,
            &format!("{}-inference-pool", model.name),
        )
    };
    let backend = |model: &Model, weight: u8| {
        json!({
            "group": "inference.networking.k8s.io",
            "kind": "InferencePool",
            "name": pool(model).name,
            "port": 8000,
            "weight": weight,
        })
    };
    let split = json!([backend(stable, old), backend(model, new)]);
    let listed = json!([backend(if new == 100 { model } else { stable }, 1)]);
    let rule = |path: &str, backends: &Value| {
        let prefix = format!("/{namespace}/{}{path}", stable.model_name);
        json!({
            "matches": [{"path": {"type": "PathPrefix", "value": prefix}}],
            "filters": [{
                "type": "URLRewrite",
                "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": path}},
            }],
            "backendRefs": backends,
            "timeouts": {"request": "0s", "backendRequest": "0s"},
        })
    };
    let pools = address(model, "canary-pools");
    let route = Draft::object(
        address(model, "canary"),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {
                "name": format!("{}-canary-rollout", stable.name),
                "namespace": namespace,
                "annotations": {
                    "llm-d.io/canary-phase": format!("phase-{}", phase(new)),
                    "llm-d.io/stable-weight": old.to_string(),
                    "llm-d.io/canary-weight": new.to_string(),
                },
            },
            "spec": {
                "parentRefs": [{
                    "group": "gateway.networking.k8s.io",
                    "kind": "Gateway",
                    "name": context.stack.gateway.name.as_str(),
                    "namespace": INGRESS,
                }],
                "hostnames": [llm_d::host(context)],
                "rules": [
                    rule("/v1/chat/completions", &split),
                    rule("/v1/completions", &split),
                    rule("/v1/models", &listed),
                ],
            },
        }),
    )
    .ready(Rule::All(vec![
        Rule::equals("status.parents[0].conditions[type=Accepted].status", "True"),
        Rule::equals("status.parents[0].conditions[type=ResolvedRefs].status", "True"),
    ]))
    // These fields alone say of no generation: they may be about the pools of before.
    .settled(TAKES_NOTICE)
    .within(seconds(120))
    .after(pools.clone(), "it leads to both pools")
    .after(llm_d::gateway(), "it attaches to the gateway")
    .note(format!("{} {old} %, {} {new} %", stable.name, model.name));
    let seen = [stable, model].map(|model| see(pool(model), Rule::Exists));
    vec![
        Draft::gate(pools, seen.to_vec())
            .after(super::service(stable.name.as_str()), "its pool is made for it")
            .after(super::service(model.name.as_str()), "its pool is made for it")
            .within(seconds(60))
            .note("waits for both InferencePools"),
        route,
    ]
}
