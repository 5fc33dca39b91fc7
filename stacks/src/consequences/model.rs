//! LLMInferenceService: where it is reached and by whom, and that it goes. Its pods are `pods.rs`.
//!
//! Facts: `reference/serving.md` §1.1 (observed policies), §1.3.4 (last part), §1.4, §3.3.

use super::{
    pods::gpus,
    url::gateways,
    words::{access, counted, disruption, lose_it, made_again},
    world::{Kind, Side, World, items},
};
use serde_json::Value;
use stackctl_engine::{ObjectRef, plan::Transition, resource::Consequence};

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let object = &transition.object;
    match (&transition.before, &transition.after) {
        (Some(before), Some(after)) => {
            let mut told = Vec::from_iter(transition.is_made_again().then(|| away(world, object, after)));
            told.extend(reached(world, object, before, after));
            told.extend(renamed(object, before, after));
            told
        }
        (Some(before), None) => removed(world, object, before),
        (None, _) => Vec::new(),
    }
}

/// It goes with its pods, and comes back with new ones.
fn away(world: &World<'_>, object: &ObjectRef, after: &Value) -> Consequence {
    disruption(format!(
        "{}: {} does not answer until its new pods are ready",
        made_again(&format!("model {}", object.name)),
        world.url(object, after, Side::After)
    ))
}

/// Its URL, and who may call it there.
fn reached(world: &World<'_>, object: &ObjectRef, before: &Value, after: &Value) -> Vec<Consequence> {
    let name = &object.name;
    let maas = world.maas_gateway();
    let (from, to) = (gateways(object, before), gateways(object, after));
    let (old, new) = (
        world.url(object, before, Side::Before),
        world.url(object, after, Side::After),
    );
    let (asked, asks) = (authenticates(before), authenticates(after));
    let mut told = Vec::new();
    match (from.contains(&maas), to.contains(&maas)) {
        (false, true) => told.push(disruption(format!(
            "moves model {name} to MaaS: {old} ends, and {new} answers only with an API key"
        ))),
        (true, false) => {
            let how = if asks {
                "asks for an OpenShift token instead of an API key"
            } else {
                "answers without a key"
            };
            told.push(disruption(format!(
                "moves model {name} out of MaaS: {old} ends, and {new} {how}"
            )));
        }
        (true, true) | (false, false) => {
            if from != to {
                told.push(disruption(format!("moves model {name}: {old} ends, and {new} answers")));
            }
            if !asked && asks && !to.contains(&maas) {
                told.push(disruption(format!(
                    "asks callers of model {name} for an OpenShift token that may get it: without one they get 401"
                )));
            }
        }
    }
    // On the gateway of MaaS too: the policy that lets everyone in would stand before that of MaaS (§5.1 M25).
    let was_open = !asked && !from.contains(&maas);
    if !asks && !was_open {
        told.push(access(format!(
            "lets everyone who reaches {new} use model {name} without a key or token"
        )));
    }
    told
}

/// Whether callers are asked who they are: all are, unless the service says that nobody is (`reference/serving.md` §1.1).
fn authenticates(manifest: &Value) -> bool {
    manifest["metadata"]["annotations"]["security.opendatahub.io/enable-auth"] != "false"
}

/// What clients send as `model` (`reference/serving.md` §3.3).
fn renamed(object: &ObjectRef, before: &Value, after: &Value) -> Option<Consequence> {
    let name = |manifest: &Value| manifest["spec"]["model"]["name"].as_str().map(str::to_owned);
    let (old, new) = (name(before)?, name(after)?);
    (old != new).then(|| {
        disruption(format!(
            "renames what clients of {} send as `model` from {old} to {new}: calls with the old name fail",
            object.name
        ))
    })
}

fn removed(world: &World<'_>, object: &ObjectRef, before: &Value) -> Vec<Consequence> {
    let name = &object.name;
    let old_url = world.url(object, before, Side::Before);
    if let Some((new, after)) = world.moved_to(Kind::MODEL, object) {
        let mut text = format!(
            "moves model {name} to namespace {}: {old_url} ends, and {} answers once its pods are ready",
            new.namespace.as_deref().unwrap_or_default(),
            world.url(new, after, Side::After)
        );
        let losing = tiers_without(world, object, new);
        if !losing.is_empty() && !world.maas_ends() {
            text.push_str(", but ");
            text.push_str(&lose_it(&losing));
        }
        let mut told = vec![disruption(text)];
        told.extend(left_behind(world, object));
        return told;
    }
    let frees = match gpus(before) {
        None | Some(0) => String::new(),
        Some(count) => format!(" and frees {}", counted(count, "GPU")),
    };
    let mut text = format!("removes model {name}{frees}: {old_url} ends");
    let losing = tiers_with(world, object, "LLMInferenceService");
    if !losing.is_empty() && !world.maas_ends() {
        text.push_str(", and ");
        text.push_str(&lose_it(&losing));
    }
    let mut told = vec![disruption(text)];
    told.extend(left_behind(world, object));
    told
}

/// The tiers that may use a model before the change, through whatever name MaaS knows it by.
pub(super) fn tiers_with(world: &World<'_>, object: &ObjectRef, kind: &str) -> Vec<String> {
    let namespace = object.namespace.as_deref().unwrap_or_default();
    let is_it = |reference: &super::tier::ModelRef<'_>| {
        let known = world.object(Kind::MODEL_REF, reference.namespace, reference.name, Side::Before);
        let target = known.map(|known| &known["spec"]["modelRef"]);
        let is_of_kind = target.is_none_or(|target| target["kind"] == kind);
        let name = target.map_or(Some(reference.name), |target| target["name"].as_str());
        reference.namespace == namespace && is_of_kind && name == Some(object.name.as_str())
    };
    let all = world.subscriptions(Side::Before);
    let having = all.iter().filter(|tier| tier.models.keys().any(is_it));
    having.map(|tier| tier.tier().to_owned()).collect()
}

/// The tiers that may use a model where it was, and not where it moves to.
fn tiers_without(world: &World<'_>, old: &ObjectRef, new: &ObjectRef) -> Vec<String> {
    let namespace = new.namespace.as_deref().unwrap_or_default();
    let will_have = world.subscriptions(Side::After);
    let has = |tier: &String| {
        let mut models = will_have
            .iter()
            .filter(|one| one.tier() == tier)
            .flat_map(|one| one.models.keys());
        models.any(|model| model.namespace == namespace && model.name == new.name)
    };
    let mut losing = tiers_with(world, old, "LLMInferenceService");
    losing.retain(|tier| !has(tier));
    losing
}

/// Routes of the plan that go on sending calls to its pool (`reference/serving.md` §1.4, finalize).
fn left_behind(world: &World<'_>, object: &ObjectRef) -> Vec<Consequence> {
    let pool = format!("{}-inference-pool", object.name);
    let sends = |route: &Value| {
        items(&route["spec"]["rules"]).any(|rule| items(&rule["backendRefs"]).any(|backend| backend["name"] == *pool))
    };
    world
        .all(Kind::HTTP_ROUTE, Side::After)
        .filter(|(route, manifest)| route.namespace == object.namespace && sends(manifest))
        .map(|(route, _)| {
            disruption(format!(
                "leaves HTTPRoute {} without its pool {pool}: what it sends there fails",
                route.name
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gateway, gone, kept, made, model, reference, subscription, table, turned, with};
    use serde_json::json;
    use stackctl_engine::plan::Transition;

    const MAAS: Option<&str> = Some("maas-default-gateway");

    /// Both gateways as they stay.
    fn gateways() -> [Transition; 2] {
        [
            kept(gateway("openshift-ai-inference", "inference.example.com")),
            kept(gateway("maas-default-gateway", "maas.example.com")),
        ]
    }

    fn and(gateways: impl IntoIterator<Item = Transition>, change: Transition) -> Vec<Transition> {
        gateways.into_iter().chain([change]).collect()
    }

    #[test]
    fn a_model_that_moves_tells_both_urls_and_who_may_call() {
        let noted = with(
            model("qwen", Some("old"), true),
            "status.url",
            json!("https://old.example.com/demo/qwen"),
        );
        let cases = [
            (
                "to MaaS",
                and(
                    gateways(),
                    turned(model("qwen", None, false), model("qwen", MAAS, true)),
                ),
            ),
            (
                "out of MaaS, open",
                and(
                    gateways(),
                    turned(model("qwen", MAAS, true), model("qwen", None, false)),
                ),
            ),
            (
                "out of MaaS, with tokens",
                and(gateways(), turned(model("qwen", MAAS, true), model("qwen", None, true))),
            ),
            (
                "to a gateway that comes with it",
                vec![
                    made(gateway("own", "own.example.com")),
                    turned(model("qwen", None, true), model("qwen", Some("own"), true)),
                ],
            ),
            (
                "from a gateway that only its status knows",
                and(gateways(), turned(noted, model("qwen", None, true))),
            ),
            (
                "no gateway in the plan",
                vec![turned(model("qwen", None, false), model("qwen", MAAS, true))],
            ),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # to MaaS
        disruption: moves model qwen to MaaS: https://inference.example.com/demo/qwen ends, and https://maas.example.com/demo/qwen answers only with an API key
        # out of MaaS, open
        disruption: moves model qwen out of MaaS: https://maas.example.com/demo/qwen ends, and https://inference.example.com/demo/qwen answers without a key
        access: lets everyone who reaches https://inference.example.com/demo/qwen use model qwen without a key or token
        # out of MaaS, with tokens
        disruption: moves model qwen out of MaaS: https://maas.example.com/demo/qwen ends, and https://inference.example.com/demo/qwen asks for an OpenShift token instead of an API key
        # to a gateway that comes with it
        disruption: moves model qwen: its URL at gateway openshift-ingress/openshift-ai-inference ends, and https://own.example.com/demo/qwen answers
        # from a gateway that only its status knows
        disruption: moves model qwen: https://old.example.com/demo/qwen ends, and https://inference.example.com/demo/qwen answers
        # no gateway in the plan
        disruption: moves model qwen to MaaS: its URL at gateway openshift-ingress/openshift-ai-inference ends, and its URL at gateway openshift-ingress/maas-default-gateway answers only with an API key
        "#);
    }

    #[test]
    fn authentication_that_comes_or_goes_is_told() {
        let cases = [
            (
                "on",
                and(
                    gateways(),
                    turned(model("qwen", None, false), model("qwen", None, true)),
                ),
            ),
            (
                "off",
                and(
                    gateways(),
                    turned(model("qwen", None, true), model("qwen", None, false)),
                ),
            ),
            (
                "off on the gateway of MaaS",
                and(
                    gateways(),
                    turned(model("qwen", MAAS, true), model("qwen", MAAS, false)),
                ),
            ),
            (
                "open as before",
                and(
                    gateways(),
                    turned(
                        model("qwen", None, false),
                        with(model("qwen", None, false), "metadata.labels.a", json!("b")),
                    ),
                ),
            ),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # on
        disruption: asks callers of model qwen for an OpenShift token that may get it: without one they get 401
        # off
        access: lets everyone who reaches https://inference.example.com/demo/qwen use model qwen without a key or token
        # off on the gateway of MaaS
        access: lets everyone who reaches https://maas.example.com/demo/qwen use model qwen without a key or token
        # open as before
        nothing
        "#);
    }

    #[test]
    fn a_model_that_goes_tells_its_url_its_tiers_and_its_gpus() {
        let limits: &[(u64, &str)] = &[(300, "5m")];
        let route = json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "qwen-canary-rollout", "namespace": "demo"},
            "spec": {"rules": [{"backendRefs": [{"name": "qwen-inference-pool", "weight": 0}]}]},
        });
        let mut with_tiers = and(gateways(), gone(model("qwen", MAAS, true)));
        with_tiers.extend([
            gone(reference("qwen", "LLMInferenceService")),
            turned(
                subscription("pro", &["p"], 2, &[("qwen", limits), ("opt", limits)]),
                subscription("pro", &["p"], 2, &[("opt", limits)]),
            ),
            kept(subscription("other", &["o"], 3, &[("opt", limits)])),
        ]);
        let mut with_route = and(gateways(), gone(model("qwen", None, false)));
        with_route.push(kept(route));
        let cases = [
            (
                "alone",
                and(
                    gateways(),
                    gone(with(model("qwen", None, false), "spec.replicas", json!(1))),
                ),
            ),
            ("in a tier", with_tiers),
            ("while a route goes on sending to it", with_route),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # alone
        disruption: removes model qwen and frees 1 GPU: https://inference.example.com/demo/qwen ends
        # in a tier
        disruption: removes model qwen and frees 2 GPUs: https://maas.example.com/demo/qwen ends, and tier pro loses it
        # while a route goes on sending to it
        disruption: leaves HTTPRoute qwen-canary-rollout without its pool qwen-inference-pool: what it sends there fails
        disruption: removes model qwen and frees 2 GPUs: https://inference.example.com/demo/qwen ends
        "#);
    }

    #[test]
    fn another_name_for_clients_is_told() {
        let renamed = with(model("qwen", None, true), "spec.model.name", json!("a/c"));
        insta::assert_snapshot!(table(&[("renamed", vec![turned(model("qwen", None, true), renamed)])]), @r#"
        # renamed
        disruption: renames what clients of qwen send as `model` from a/b to a/c: calls with the old name fail
        disruption: replaces each replica of model qwen in turn: needs 1 GPU free for the new one, or that stays Pending and the old ones go on
        "#);
    }
}
