//! The people of a tier: who is taken out of it, who is let in, and groups that several tiers have.
//!
//! A key is bound to the subscription that it was minted for, by name. At each call maas-api compares the subscription's
//! owners with the groups that were noted in the key, so a group that is taken out of a tier ends the keys of its people
//! there, and a person who is taken out of a group does not (`group.rs`).
//!
//! Facts: `reference/serving.md` §3.2 (`subscriptions/select`), §4 items 6, 8 and 9 and its table, §5.3 S13.

use super::{
    keys::by_hand,
    tier::{Person, Subscription},
    words::{access, listed, notice, tiers},
    world::{Side, World},
};
use stackctl_engine::resource::Consequence;
use std::collections::BTreeSet;

/// Who is no longer in the tier, and who is from now on.
pub(super) fn changed(world: &World<'_>, before: &Subscription<'_>, after: &Subscription<'_>) -> Vec<Consequence> {
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
        let says = |stay: &str, get: &str| {
            let at_most = world.at_most();
            format!(
                "{stay} bound to it until revoked or expired{at_most}, and {get} 403 unless another group lets them in"
            )
        };
        let Some(keys) = held.phrase(&whose, &says("stays", "gets"), &says("stay", "get")) else {
            told.push(notice(format!("{what}: there is no active key {whose}")));
            continue;
        };
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

/// Groups that this tier shares with others, if it was not so before: a key that names no subscription goes by priority.
pub(super) fn shared(world: &World<'_>, after: &Subscription<'_>) -> Vec<Consequence> {
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

/// The users behind a person, where the plan says them.
fn members<'a>(world: &'a World<'_>, person: Person<'a>) -> Option<BTreeSet<&'a str>> {
    match person {
        Person::Group(name) => world.members(Side::Before).remove(name),
        Person::User(name) => Some(BTreeSet::from([name])),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Case, group, kept, keys, made, subscription, table, table_with, tenant, turned, with};
    use serde_json::json;

    const LIMIT: &[(u64, &str)] = &[(300, "5m")];

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
        notice: gives users of tier pro 300 tokens per 5m on qwen
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
