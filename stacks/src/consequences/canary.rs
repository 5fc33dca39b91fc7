//! The HTTPRoute that shares calls between a stable model and its canary.
//!
//! Facts: `reference/serving.md` §1.4. A weight that is not written is 1
//! (<https://gateway-api.sigs.k8s.io/reference/spec/#httpbackendref>).

use super::{
    words::{disruption, listed, made_again, notice},
    world::{World, items},
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};
use std::collections::BTreeMap;

const SUFFIX: &str = "-canary-rollout";
const POOL: &str = "-inference-pool";

pub(super) fn consequences(_: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let Some(stable) = transition.object.name.strip_suffix(SUFFIX) else {
        return Vec::new();
    };
    match (&transition.before, &transition.after) {
        (None, None) => Vec::new(),
        (None, Some(after)) => vec![notice(format!(
            "shares the calls on the canary route of {stable}: {}",
            shares(&weights(after), stable)
        ))],
        (Some(before), None) => vec![disruption(format!(
            "removes the canary route of {stable}: {} ends",
            place(before)
        ))],
        (Some(before), Some(after)) => {
            let again = transition.is_made_again().then(|| {
                disruption(format!(
                    "{}: {} does not answer in between",
                    made_again(&format!("the canary route of {stable}")),
                    place(before)
                ))
            });
            let mut told = Vec::from_iter(again);
            let (old, new) = (weights(before), weights(after));
            if old == new {
                return told;
            }
            told.push(notice(format!(
                "moves calls on the canary route of {stable} from {} to {}",
                shares(&old, stable),
                shares(&new, stable)
            )));
            told
        }
    }
}

/// The weight of each model, by the rule that shares most: the list of models goes to one of them.
fn weights(route: &Value) -> BTreeMap<&str, u64> {
    let rules = items(&route["spec"]["rules"]).map(|rule| {
        let backends = items(&rule["backendRefs"]).filter_map(|backend| {
            let name = backend["name"].as_str()?;
            Some((
                name.strip_suffix(POOL).unwrap_or(name),
                backend["weight"].as_u64().unwrap_or(1),
            ))
        });
        backends.collect::<BTreeMap<_, _>>()
    });
    // The first of the largest, so that order decides nothing else.
    rules.fold(
        BTreeMap::new(),
        |most, rule| if rule.len() > most.len() { rule } else { most },
    )
}

/// `90 % qwen3-8b and 10 % nemotron`, the stable one first.
fn shares(weights: &BTreeMap<&str, u64>, stable: &str) -> String {
    let total: u64 = weights.values().sum();
    let mut all: Vec<_> = weights.iter().collect();
    all.sort_by_key(|(name, _)| (**name != stable, **name));
    let share = |(name, weight): (&&str, &u64)| format!("{} % {name}", (weight * 100).checked_div(total).unwrap_or(0));
    listed(&all.into_iter().map(share).collect::<Vec<_>>())
}

/// Where clients reach it: `https://<host>/<namespace>/<org>/<model>/v1`.
fn place(route: &Value) -> String {
    let host = route["spec"]["hostnames"][0].as_str().unwrap_or_default();
    let paths = items(&route["spec"]["rules"]).flat_map(|rule| items(&rule["matches"]));
    let path = paths
        .filter_map(|one| one["path"]["value"].as_str())
        .next()
        .unwrap_or_default();
    let front = path.split("/v1").next().unwrap_or_default();
    format!("https://{host}{front}/v1")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gone, made, table, turned};
    use serde_json::{Value, json};

    fn route(stable: u64, canary: u64) -> Value {
        let backend = |name: &str, weight: u64| json!({"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": name, "port": 8000, "weight": weight});
        let rule = |end: &str, backends: Vec<Value>| {
            json!({"matches": [{"path": {"type": "PathPrefix", "value": format!("/demo/alibaba/qwen3-8b/v1/{end}")}}],
                "backendRefs": backends})
        };
        let both = || {
            vec![
                backend("qwen-inference-pool", stable),
                backend("nemotron-inference-pool", canary),
            ]
        };
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "qwen-canary-rollout", "namespace": "demo"},
            "spec": {
                "hostnames": ["inference.example.com"],
                "rules": [
                    rule("chat/completions", both()),
                    rule("completions", both()),
                    rule("models", vec![backend("qwen-inference-pool", 1)]),
                ],
            },
        })
    }

    #[test]
    fn weights_are_told_before_and_after() {
        let mut other = route(90, 10);
        other["metadata"]["name"] = json!("some-route");
        let mut moved = route(50, 50);
        moved["metadata"]["name"] = json!("some-route");
        let cases = [
            ("begun", vec![made(route(90, 10))]),
            ("on", vec![turned(route(90, 10), route(50, 50))]),
            ("to the end", vec![turned(route(10, 90), route(0, 100))]),
            ("back", vec![turned(route(50, 50), route(100, 0))]),
            ("gone", vec![gone(route(0, 100))]),
            ("a route of another name", vec![turned(other, moved)]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # begun
        notice: shares the calls on the canary route of qwen: 90 % qwen and 10 % nemotron
        # on
        notice: moves calls on the canary route of qwen from 90 % qwen and 10 % nemotron to 50 % qwen and 50 % nemotron
        # to the end
        notice: moves calls on the canary route of qwen from 10 % qwen and 90 % nemotron to 0 % qwen and 100 % nemotron
        # back
        notice: moves calls on the canary route of qwen from 50 % qwen and 50 % nemotron to 100 % qwen and 0 % nemotron
        # gone
        disruption: removes the canary route of qwen: https://inference.example.com/demo/alibaba/qwen3-8b/v1 ends
        # a route of another name
        nothing
        "#);
    }
}
