//! MaaSSubscription: how much a tier may use of which model, who is in it, and whether it is there.
//!
//! A key is bound to the subscription that it was minted for, by name. At each call maas-api compares the subscription's
//! owners with the groups that were noted in the key, so a group that is taken out of a tier ends the keys of its people
//! there, and a person who is taken out of a group does not (`group.rs`).
//!
//! Facts: `reference/serving.md` §1.12 (last paragraph), §3.2 (`subscriptions/select`), §4 items 6 to 9 and its table, §5.3
//! S13 and S20.

use super::{
    keys::by_hand,
    rates::{Scope, changes, doubts},
    tier::{ModelRef, Person, Subscription},
    words::{access, disruption, listed, notice, tiers},
    world::{Kind, Side, World},
};
use stackctl_engine::{plan::Transition, resource::Consequence};
use std::collections::BTreeSet;

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let read = |manifest| Subscription::read(&transition.object, manifest);
    match (
        transition.before.as_ref().map(read),
        transition.after.as_ref().map(read),
    ) {
        (None, None) => Vec::new(),
        (None, Some(after)) => {
            let mut told = of_limits(None, &after);
            told.extend(overlap(world, &after));
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
    told.extend(owners(world, before, after));
    told.extend(overlap(world, after));
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

/// Who is no longer in the tier, and who is from now on.
fn owners(world: &World<'_>, before: &Subscription<'_>, after: &Subscription<'_>) -> Vec<Consequence> {
    let tier = before.tier();
    let joins = |person: Person<'_>| -> Vec<&str> {
        let had = world.subscriptions(Side::Before);
        let had = |name: &str| had.iter().any(|old| old.name == name && old.owners.has(person));
        let all = world.subscriptions(Side::After);
        all.iter()
            .filter(|other| other.name != before.name && other.owners.has(person) && !had(other.name))
            .map(Subscription::tier)
            .collect()
    };
    let mut told = Vec::new();
    for person in before.owners.without(&after.owners) {
        let others = joins(person);
        let what = if others.is_empty() {
            format!("takes {person} out of tier {tier}")
        } else {
            format!("moves {person} from tier {tier} to {}", tiers(&others))
        };
        let whose = match person {
            Person::Group(_) => format!("of its people for {}", before.name),
            Person::User(name) => format!("of {name} for {}", before.name),
        };
        let held = world.held_by(&[before.name], members(world, person).as_ref());
        if held.is_none() {
            told.push(notice(format!("{what}: there is no active key {whose}")));
            continue;
        }
        let says = |stay: &str, get: &str| {
            let at_most = world.at_most();
            format!(
                "{stay} bound to it until revoked or expired{at_most}, and {get} 403 unless another group lets them in"
            )
        };
        let keys = held.phrase(&whose, &says("stays", "gets"), &says("stay", "get"));
        told.push(access(format!("{what}: {keys}")));
        told.push(by_hand());
    }
    for person in after.owners.without(&before.owners) {
        let holds = |side| {
            let all = world.subscriptions(side);
            all.iter().filter(|one| one.owners.has(person)).count()
        };
        // Who was in as many tiers before is moved, and that is told where they leave.
        if holds(Side::After) > holds(Side::Before) {
            told.push(notice(format!(
                "lets {person} into tier {tier}, for keys minted from now on"
            )));
        }
    }
    told
}

/// The users behind a person, where the plan says them.
fn members<'a>(world: &'a World<'_>, person: Person<'a>) -> Option<BTreeSet<&'a str>> {
    match person {
        Person::Group(name) => world.members(Side::Before).remove(name),
        Person::User(name) => Some(BTreeSet::from([name])),
    }
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

/// Groups that this tier shares with others, if it was not so before: a key that names no subscription goes by priority.
fn overlap(world: &World<'_>, after: &Subscription<'_>) -> Vec<Consequence> {
    let sharing = |side, group: &str| -> Vec<(i64, &str, &str)> {
        let mut all: Vec<_> = world
            .subscriptions(side)
            .iter()
            .filter(|tier| tier.owners.groups.contains(group))
            .map(|tier| (tier.priority, tier.name, tier.tier()))
            .collect();
        all.sort_unstable();
        all
    };
    let mut told = Vec::new();
    for group in &after.owners.groups {
        let now = sharing(Side::After, group);
        let Some((priority, chosen, _)) = now
            .last()
            .filter(|_| now.len() > 1 && now != sharing(Side::Before, group))
        else {
            continue;
        };
        let names: Vec<_> = now.iter().map(|(_, _, tier)| *tier).collect();
        told.push(notice(format!(
            "puts group {group} into tiers {}: a key that names no subscription gets {chosen}, of priority {priority}",
            listed(&names)
        )));
    }
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
        Case, gone, group, instance, kept, keys, made, model, reference, subscription, table, table_with, tenant,
        turned, with,
    };
    use serde_json::{Value, json};

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

    fn of_people() -> Vec<Case<'static>> {
        let tier = |name: &str, groups: &[&str], priority| subscription(name, groups, priority, &[("qwen", LIMIT)]);
        let members = || kept(group("team", &["bob", "eve"]));
        let moved = || {
            vec![
                turned(tier("pro", &["team", "pro-users"], 2), tier("pro", &["pro-users"], 2)),
                turned(
                    tier("free", &["free-users"], 1),
                    tier("free", &["free-users", "team"], 1),
                ),
                kept(tenant(90)),
            ]
        };
        let mut known = moved();
        known.push(members());
        let users = |names: &[&str]| with(tier("pro", &["pro-users"], 2), "spec.owner.users", json!(names));
        vec![
            ("a group moves, who is in it is not said", moved()),
            ("a group moves, the plan says who is in it", known),
            (
                "a group leaves",
                vec![turned(
                    tier("pro", &["team", "pro-users"], 2),
                    tier("pro", &["pro-users"], 2),
                )],
            ),
            ("a user leaves", vec![turned(users(&["bot"]), users(&[]))]),
            (
                "a group joins",
                vec![turned(
                    tier("pro", &["pro-users"], 2),
                    tier("pro", &["pro-users", "team"], 2),
                )],
            ),
            (
                "a group joins a second tier",
                vec![
                    turned(tier("pro", &["pro-users"], 2), tier("pro", &["pro-users", "team"], 2)),
                    kept(tier("free", &["team"], 1)),
                ],
            ),
            (
                "a tier is made for a group of another",
                vec![made(tier("pro", &["team"], 2)), kept(tier("free", &["team"], 1))],
            ),
            (
                "another priority",
                vec![turned(tier("pro", &["pro-users"], 2), tier("pro", &["pro-users"], 5))],
            ),
        ]
    }

    #[test]
    fn people_who_leave_a_tier_keep_keys_that_are_bound_to_it() {
        insta::assert_snapshot!(table(&of_people()), @r#"
        # a group moves, who is in it is not said
        access: moves group team from tier pro to tier free: keys of its people for pro-subscription stay bound to it until revoked or expired (at most 90 days), and get 403 unless another group lets them in
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # a group moves, the plan says who is in it
        access: moves group team from tier pro to tier free: keys of its people for pro-subscription stay bound to it until revoked or expired (at most 90 days), and get 403 unless another group lets them in
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # a group leaves
        access: takes group team out of tier pro: keys of its people for pro-subscription stay bound to it until revoked or expired, and get 403 unless another group lets them in
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # a user leaves
        access: takes user bot out of tier pro: keys of bot for pro-subscription stay bound to it until revoked or expired, and get 403 unless another group lets them in
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # a group joins
        notice: lets group team into tier pro, for keys minted from now on
        # a group joins a second tier
        notice: lets group team into tier pro, for keys minted from now on
        notice: puts group team into tiers free and pro: a key that names no subscription gets pro-subscription, of priority 2
        # a tier is made for a group of another
        notice: puts group team into tiers free and pro: a key that names no subscription gets pro-subscription, of priority 2
        # another priority
        notice: changes the priority of tier pro from 2 to 5: counts only for keys minted from now on without naming a subscription
        "#);
    }

    #[test]
    fn keys_of_people_who_leave_are_counted_where_they_are_known() {
        let known = keys(&[("pro-subscription", "bob"), ("pro-subscription", "zoe")]);
        insta::assert_snapshot!(table_with(&of_people()[..4], Some(&known)), @r#"
        # a group moves, who is in it is not said
        access: moves group team from tier pro to tier free: up to 2 active keys of its people for pro-subscription stay bound to it until revoked or expired (at most 90 days), and get 403 unless another group lets them in
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # a group moves, the plan says who is in it
        access: moves group team from tier pro to tier free: 1 active key of its people for pro-subscription stays bound to it until revoked or expired (at most 90 days), and gets 403 unless another group lets them in
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # a group leaves
        access: takes group team out of tier pro: up to 2 active keys of its people for pro-subscription stay bound to it until revoked or expired, and get 403 unless another group lets them in
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # a user leaves
        notice: takes user bot out of tier pro: there is no active key of bot for pro-subscription
        "#);
    }
}
