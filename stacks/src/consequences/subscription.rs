//! MaaSSubscription: how much a tier may use of which model, and whether it is there. Its people are `owners.rs`.
//!
//! Facts: `reference/serving.md` §1.12 (last paragraph), §4 items 6 to 9 and its table, §5.3 S20.

use super::{
    owners,
    rates::{Rate, Scope, changes, doubts},
    tier::{ModelRef, Subscription},
    words::{disruption, listed, made_again, notice},
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
            let promises = after
                .models
                .iter()
                .filter_map(|(model, rates)| promised(&after, model, rates));
            let mut told: Vec<_> = promises.collect();
            told.extend(of_limits(None, &after));
            told.extend(owners::shared(world, &after));
            told
        }
        (Some(before), None) => removed(world, &before),
        (Some(before), Some(after)) => {
            let mut told = Vec::new();
            if transition.is_made_again() {
                told.extend(away(world, &before));
            }
            told.extend(changed(world, &before, &after));
            told
        }
    }
}

fn changed(world: &World<'_>, before: &Subscription<'_>, after: &Subscription<'_>) -> Vec<Consequence> {
    let tier = before.tier();
    let mut told = of_limits(Some(before), after);
    let come = after
        .models
        .iter()
        .filter(|(model, _)| last_of(before, after, model).is_none());
    for (model, rates) in come {
        told.push(notice(format!(
            "opens model {} to keys that tier {tier} has already",
            model.name
        )));
        told.extend(promised(after, model, rates));
    }
    let dropped = before
        .models
        .keys()
        .filter(|model| last_of(after, before, model).is_none());
    for model in dropped.filter(|model| !model.goes(world)) {
        let held = world.held(before.name);
        let keys = held.phrase(&format!("of {}", before.name), "gets 403 there", "get 403 there");
        let keys = keys.map_or_else(String::new, |keys| format!(": {keys}"));
        told.push(disruption(format!("takes model {} from tier {tier}{keys}", model.name)));
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

/// What users of a tier get of a model that is new to it.
fn promised(tier: &Subscription<'_>, model: &ModelRef<'_>, rates: &[Rate<'_>]) -> Option<Consequence> {
    let limits: Vec<_> = rates.iter().map(|rate| rate.in_words("tokens")).collect();
    (!limits.is_empty()).then(|| {
        notice(format!(
            "gives users of tier {} {} on {}",
            tier.tier(),
            listed(&limits),
            model.name
        ))
    })
}

/// The limits that a tier had for a model, also where that was in another namespace: then it is the one of that name that the
/// tier has no more.
fn last_of<'s, 'a>(
    before: &'s Subscription<'a>,
    after: &Subscription<'_>,
    model: &ModelRef<'_>,
) -> Option<&'s [Rate<'a>]> {
    let same = before.models.iter().find(|(old, _)| *old == model);
    let mut namesakes = before
        .models
        .iter()
        .filter(|(old, _)| old.name == model.name && !after.models.contains_key(old));
    let moved = namesakes.next().filter(|_| namesakes.next().is_none());
    same.or(moved).map(|(_, rates)| rates.as_slice())
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
        let last = before.and_then(|before| last_of(before, after, model));
        if let Some(last) = last {
            told.extend(changes(last, rates, &scope));
        }
        told.extend(doubts(last.unwrap_or_default(), rates, &scope));
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
    let what = keys.unwrap_or_else(|| "nobody can mint a key of it any more".to_owned());
    let mut told = vec![disruption(format!("removes tier {}: {what}", before.tier()))];
    let left = before.models.keys().filter(|model| !model.goes(world));
    told.extend(left.filter_map(|model| denial(world, model)));
    told
}

/// It is away for a moment, and its keys with it: they are bound to it by name, which comes back.
fn away(world: &World<'_>, before: &Subscription<'_>) -> Vec<Consequence> {
    if world.maas_ends() {
        return Vec::new();
    }
    let keys = world.held(before.name).phrase(
        &format!("of {}", before.name),
        "gets 403 in between",
        "get 403 in between",
    );
    let what = keys.unwrap_or_else(|| "nobody can mint a key of it in between".to_owned());
    let again = made_again(&format!("tier {}", before.tier()));
    let mut told = vec![disruption(format!("{again}: {what}"))];
    told.extend(before.models.keys().filter_map(|model| denial(world, model)));
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
        notice: gives users of tier pro 300 tokens per 9000h on qwen
        # made with a limit that never applies
        notice: gives tier pro on qwen a limit that never applies: 1000 tokens per 24h allows no more than 3000 tokens per 5m
        notice: gives users of tier pro 3000 tokens per 5m and 1000 tokens per 24h on qwen
        # made with one window twice
        notice: gives users of tier pro 3000 tokens per 60m and 1000 tokens per 1h on qwen
        notice: limits tier pro on qwen twice over one time: of 3000 tokens per 60m and 1000 tokens per 1h only one counts
        # made as it should be
        notice: gives users of tier pro 3000 tokens per 5m and 9000 tokens per 24h on qwen
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
        notice: gives users of tier pro 300 tokens per 5m on opt
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
    fn a_model_that_moves_to_another_namespace_keeps_its_place_in_a_tier() {
        let elsewhere = |object: Value| {
            let text = object.to_string().replace("\"demo\"", "\"prod\"");
            serde_json::from_str::<Value>(&text).expect("it is the same JSON")
        };
        let moves = |rates: &[(u64, &str)]| {
            vec![
                turned(pro(LIMIT), elsewhere(pro(rates))),
                gone(reference("qwen", "LLMInferenceService")),
                made(elsewhere(reference("qwen", "LLMInferenceService"))),
                gone(model("qwen", Some("maas-default-gateway"), true)),
                made(elsewhere(model("qwen", Some("maas-default-gateway"), true))),
            ]
        };
        let mut out = moves(LIMIT);
        out[0] = turned(two(&["qwen", "opt"]), two(&["opt"]));
        let cases = [
            ("as it was", moves(LIMIT)),
            ("with a lower limit", moves(&[(30, "5m")])),
            ("out of the tier", out),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # as it was
        disruption: moves model qwen to namespace prod: its URL at gateway openshift-ingress/maas-default-gateway ends, and its URL at gateway openshift-ingress/maas-default-gateway answers once its pods are ready
        # with a lower limit
        disruption: lowers tier pro on qwen from 300 to 30 tokens per 5m: applies to all its keys at once
        disruption: moves model qwen to namespace prod: its URL at gateway openshift-ingress/maas-default-gateway ends, and its URL at gateway openshift-ingress/maas-default-gateway answers once its pods are ready
        # out of the tier
        disruption: moves model qwen to namespace prod: its URL at gateway openshift-ingress/maas-default-gateway ends, and its URL at gateway openshift-ingress/maas-default-gateway answers once its pods are ready, but tier pro loses it
        "#);
    }

    #[test]
    fn of_no_key_nothing_is_said() {
        let mut all = of_models();
        let cases = [all.remove(5), all.remove(2)];
        insta::assert_snapshot!(table_with(&cases, Some(&keys(&[]))), @r#"
        # the only tier goes
        disruption: removes tier pro: nobody can mint a key of it any more
        # a model goes from its only tier
        disruption: takes model opt from tier pro
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
