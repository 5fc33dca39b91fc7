//! MaaSSubscription: how much a tier may use of which model, and whether it is there. Its people are `owners.rs`.
//!
//! Facts: `reference/serving.md` §1.12 (last paragraph), §4 items 6 to 9 and its table, §5.3 S20.

use super::{
    owners,
    rates::{Scope, changes, doubts},
    tier::{ModelRef, Subscription},
    words::{disruption, notice},
    world::{Kind, Side, World},
};
use stackctl_engine::{plan::Transition, resource::Consequence};

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let read = |manifest| Subscription::read(&transition.object, manifest);
    match (
        transition.before.as_ref().map(read),
        transition.after.as_ref().map(read),
    ) {
        (None, None) => Vec::new(),
        (None, Some(after)) => {
            let mut told = of_limits(None, &after);
            told.extend(owners::shared(world, &after));
            told
        }
        (Some(before), None) => removed(world, &before),
        (Some(before), Some(after)) => changed(world, &before, &after),
    }
}

fn changed(world: &World<'_>, before: &Subscription<'_>, after: &Subscription<'_>) -> Vec<Consequence> {
    let tier = before.tier();
    let mut told = of_limits(Some(before), after);
    for model in after.models.keys().filter(|model| !before.models.contains_key(model)) {
        told.push(notice(format!(
            "opens model {} to keys that tier {tier} has already",
            model.name
        )));
    }
    let dropped = before.models.keys().filter(|model| !after.models.contains_key(model));
    for model in dropped.filter(|model| !model.goes(world)) {
        let held = world.held(before.name);
        let keys = held.phrase(&format!("of {}", before.name), "gets 403 there", "get 403 there");
        told.push(disruption(format!(
            "takes model {} from tier {tier}: {keys}",
            model.name
        )));
        told.extend(denial(world, model));
    }
    if before.priority != after.priority {
        told.push(notice(format!(
            "changes the priority of tier {tier} from {} to {}: counts only for keys minted from now on without naming a subscription",
            before.priority, after.priority
        )));
    }
    told.extend(owners::changed(world, before, after));
    told.extend(owners::shared(world, after));
    told
}

/// Limits of the models that it had before as well, and what is wrong with those of all.
fn of_limits(before: Option<&Subscription<'_>>, after: &Subscription<'_>) -> Vec<Consequence> {
    let mut told = Vec::new();
    for (model, rates) in &after.models {
        let whose = format!("tier {} on {}", after.tier(), model.name);
        let scope = Scope {
            whose: &whose,
            unit: "tokens",
            whom: "all its keys",
        };
        let last = before.and_then(|before| before.models.get(model));
        if let Some(last) = last {
            told.extend(changes(last, rates, &scope));
        }
        told.extend(doubts(last.map_or(&[], Vec::as_slice), rates, &scope));
    }
    told
}

fn removed(world: &World<'_>, before: &Subscription<'_>) -> Vec<Consequence> {
    if world.maas_ends() {
        return Vec::new();
    }
    let keys = world.held(before.name).phrase(
        &format!("of {}", before.name),
        "gets 403 from then on",
        "get 403 from then on",
    );
    let mut told = vec![disruption(format!("removes tier {}: {keys}", before.tier()))];
    let left = before.models.keys().filter(|model| !model.goes(world));
    told.extend(left.filter_map(|model| denial(world, model)));
    told
}

/// Who uses a model through other tiers is turned away while its policies are made again (`reference/serving.md` §1.12 last
/// paragraph, §5.3 S20). Without another tier there is nobody left to turn away.
pub(super) fn denial(world: &World<'_>, model: &ModelRef<'_>) -> Option<Consequence> {
    let others = world.subscriptions(Side::After);
    others.iter().any(|tier| tier.models.contains_key(model)).then(|| {
        disruption(format!(
            "turns everyone on model {} away for a moment (401, 403 or 429), while its policies are made again",
            model.name
        ))
    })
}

impl ModelRef<'_> {
    /// Whether the plan takes the model out of MaaS.
    pub(super) fn goes(&self, world: &World<'_>) -> bool {
        world.goes(Kind::MODEL_REF, self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        Case, gone, instance, kept, keys, made, model, reference, subscription, table, table_with, turned,
    };
    use serde_json::Value;

    fn pro(rates: &[(u64, &str)]) -> Value {
        subscription("pro", &["pro-users"], 2, &[("qwen", rates)])
    }

    const LIMIT: &[(u64, &str)] = &[(300, "5m")];

    #[test]
    fn limits_are_told_with_their_figures() {
        let from_to = |before: &[(u64, &str)], after: &[(u64, &str)]| vec![turned(pro(before), pro(after))];
        let cases = [
            ("lowered", from_to(&[(3000, "5m")], &[(300, "5m")])),
            ("raised", from_to(&[(300, "5m")], &[(3000, "5m")])),
            ("another window, tighter", from_to(&[(3000, "5m")], &[(3000, "1h")])),
            ("another window, wider", from_to(&[(3000, "5m")], &[(90000, "1h")])),
            (
                "the same window in other words",
                from_to(&[(3000, "60m")], &[(2000, "1h")]),
            ),
            ("one more", from_to(&[(3000, "5m")], &[(3000, "5m"), (9000, "24h")])),
            ("one less", from_to(&[(3000, "5m"), (9000, "24h")], &[(3000, "5m")])),
            (
                "order alone",
                from_to(&[(3000, "5m"), (9000, "24h")], &[(9000, "24h"), (3000, "5m")]),
            ),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # lowered
        disruption: lowers tier pro on qwen from 3000 to 300 tokens per 5m: applies to all its keys at once
        # raised
        notice: raises tier pro on qwen from 300 to 3000 tokens per 5m: applies to all its keys at once
        # another window, tighter
        disruption: changes tier pro on qwen from 3000 tokens per 5m to 3000 tokens per 1h: applies to all its keys at once, and counting starts anew
        # another window, wider
        notice: changes tier pro on qwen from 3000 tokens per 5m to 90000 tokens per 1h: applies to all its keys at once, and counting starts anew
        # the same window in other words
        disruption: lowers tier pro on qwen from 3000 to 2000 tokens per 1h: applies to all its keys at once
        # one more
        disruption: limits tier pro on qwen to 9000 tokens per 24h as well: applies to all its keys at once
        # one less
        notice: drops the limit of 9000 tokens per 24h from tier pro on qwen
        # order alone
        nothing
        "#);
    }

    #[test]
    fn limits_that_do_not_hold_are_told_of_manifests_too() {
        let cases = [
            (
                "made with a window of over 366 days",
                vec![made(pro(&[(300, "9000h")]))],
            ),
            (
                "made with a limit that never applies",
                vec![made(pro(&[(3000, "5m"), (1000, "24h")]))],
            ),
            (
                "made with one window twice",
                vec![made(pro(&[(3000, "60m"), (1000, "1h")]))],
            ),
            ("made as it should be", vec![made(pro(&[(3000, "5m"), (9000, "24h")]))]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # made with a window of over 366 days
        access: gives tier pro on qwen a window of 9000h, longer than 8784h: maas-controller leaves it out, and keys may have no limit at all
        # made with a limit that never applies
        notice: gives tier pro on qwen a limit that never applies: 1000 tokens per 24h allows no more than 3000 tokens per 5m
        # made with one window twice
        notice: limits tier pro on qwen twice over one time: of 3000 tokens per 60m and 1000 tokens per 1h only one counts
        # made as it should be
        nothing
        "#);
    }

    fn two(models: &[&str]) -> Value {
        let models: Vec<_> = models.iter().map(|name| (*name, LIMIT)).collect();
        subscription("pro", &["pro-users"], 2, &models)
    }

    fn of_models() -> Vec<Case<'static>> {
        let other = || {
            kept(subscription(
                "free",
                &["free-users"],
                1,
                &[("qwen", LIMIT), ("opt", LIMIT)],
            ))
        };
        let known = |name: &str| kept(reference(name, "LLMInferenceService"));
        vec![
            (
                "a model comes",
                vec![turned(two(&["qwen"]), two(&["qwen", "opt"])), known("opt")],
            ),
            (
                "a model goes from one of two tiers",
                vec![turned(two(&["qwen", "opt"]), two(&["qwen"])), other(), known("opt")],
            ),
            (
                "a model goes from its only tier",
                vec![turned(two(&["qwen", "opt"]), two(&["qwen"])), known("opt")],
            ),
            (
                "a model goes altogether",
                vec![
                    turned(two(&["qwen", "opt"]), two(&["qwen"])),
                    gone(reference("opt", "LLMInferenceService")),
                    gone(model("opt", Some("maas-default-gateway"), true)),
                ],
            ),
            (
                "the tier goes, others have its models",
                vec![gone(two(&["qwen", "opt"])), other(), known("qwen"), known("opt")],
            ),
            ("the only tier goes", vec![gone(two(&["qwen"])), known("qwen")]),
            (
                "the tier goes with MaaS",
                vec![
                    gone(two(&["qwen"])),
                    other(),
                    turned(instance("Managed"), instance("Removed")),
                ],
            ),
        ]
    }

    #[test]
    fn models_and_tiers_that_go_turn_callers_away() {
        insta::assert_snapshot!(table(&of_models()), @r#"
        # a model comes
        notice: opens model opt to keys that tier pro has already
        # a model goes from one of two tiers
        disruption: takes model opt from tier pro: keys of pro-subscription get 403 there
        disruption: turns everyone on model opt away for a moment (401, 403 or 429), while its policies are made again
        # a model goes from its only tier
        disruption: takes model opt from tier pro: keys of pro-subscription get 403 there
        # a model goes altogether
        disruption: removes model opt and frees 2 GPUs: its URL at gateway openshift-ingress/maas-default-gateway ends, and tier pro loses it
        # the tier goes, others have its models
        disruption: removes tier pro: keys of pro-subscription get 403 from then on
        disruption: turns everyone on model opt away for a moment (401, 403 or 429), while its policies are made again
        disruption: turns everyone on model qwen away for a moment (401, 403 or 429), while its policies are made again
        # the only tier goes
        disruption: removes tier pro: keys of pro-subscription get 403 from then on
        # the tier goes with MaaS
        disruption: switches MaaS off: maas-api goes, and no API key works at gateway openshift-ingress/maas-default-gateway
        "#);
    }

    #[test]
    fn keys_of_a_tier_that_goes_are_counted_where_they_are_known() {
        let known = keys(&[
            ("pro-subscription", "bob"),
            ("pro-subscription", "eve"),
            ("free-subscription", "kim"),
        ]);
        insta::assert_snapshot!(table_with(&of_models()[4..], Some(&known)), @r#"
        # the tier goes, others have its models
        disruption: removes tier pro: 2 active keys of pro-subscription get 403 from then on
        disruption: turns everyone on model opt away for a moment (401, 403 or 429), while its policies are made again
        disruption: turns everyone on model qwen away for a moment (401, 403 or 429), while its policies are made again
        # the only tier goes
        disruption: removes tier pro: 2 active keys of pro-subscription get 403 from then on
        # the tier goes with MaaS
        disruption: switches MaaS off: maas-api goes, and no API key works at gateway openshift-ingress/maas-default-gateway
        "#);
    }
}
