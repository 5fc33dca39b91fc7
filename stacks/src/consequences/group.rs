//! Group: whose tier changes when people are put in or taken out. Keys keep the groups that they were minted with.
//!
//! Facts: `reference/serving.md` §1.14, §4 items 6 and 8 and its table, §5.3 S14.

use super::{
    keys::by_hand,
    tier::{Membership, Subscription},
    words::{access, disruption, listed, made_again, notice, tiers},
    world::{Side, World, texts},
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};
use std::collections::BTreeSet;

/// As many people are told by name.
const MOST_NAMED: usize = 5;

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    // Of a group that is made, the catalogue says who is in it.
    if transition.before.is_none() {
        return Vec::new();
    }
    let (before, after) = (users(transition.before.as_ref()), users(transition.after.as_ref()));
    let mut told = Vec::from_iter(list_lost(transition, &before, &after));
    if world.maas_ends() {
        return told;
    }
    let was = Membership::of(world, Side::Before);
    let will_be = Membership::of(world, Side::After);
    for user in before.difference(&after) {
        told.extend(taken_out(world, user, &was, &will_be));
    }
    for user in after.difference(&before) {
        told.extend(put_in(user, &was, &will_be));
    }
    told
}

fn users(group: Option<&Value>) -> BTreeSet<&str> {
    group.map(|group| texts(&group["users"])).unwrap_or_default()
}

/// Who is in a group may stand there alone: others put people in, by hand or from a directory.
fn list_lost(transition: &Transition, before: &BTreeSet<&str>, after: &BTreeSet<&str>) -> Option<Consequence> {
    let name = &transition.object.name;
    let people = match before.len() {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    };
    if transition.is_made_again() {
        let again = made_again(&format!("group {name}"));
        return Some(disruption(format!(
            "{again}: of the {people} in it, those whom others put there are out"
        )));
    }
    if transition.after.is_none() {
        return Some(disruption(if before.is_empty() {
            format!("deletes group {name}: nobody can be put into it any more")
        } else {
            format!("deletes group {name} with the list of {people} in it, also those whom others put there")
        }));
    }
    (!before.is_empty() && after.is_empty()).then(|| {
        // A directory may have put in more than anybody reads here.
        let who = if before.len() <= MOST_NAMED {
            listed(&Vec::from_iter(before))
        } else {
            people
        };
        disruption(format!("empties group {name}: takes out {who}"))
    })
}

/// Who is in more tiers than before; of who is moved, the group that they are taken out of speaks.
fn put_in(user: &str, was: &Membership<'_>, will_be: &Membership<'_>) -> Option<Consequence> {
    let (had, has) = (was.tiers_of(user), will_be.tiers_of(user));
    let gained = others(&has, &had);
    let is_moved = !others(&had, &has).is_empty();
    (!gained.is_empty() && !is_moved).then(|| {
        notice(format!(
            "puts {user} into {}, for keys minted from now on",
            tiers(&names(&gained))
        ))
    })
}

/// Who is in other tiers than before, in all groups of the plan together.
fn taken_out(world: &World<'_>, user: &str, was: &Membership<'_>, will_be: &Membership<'_>) -> Vec<Consequence> {
    let (had, has) = (was.tiers_of(user), will_be.tiers_of(user));
    let (lost, gained) = (others(&had, &has), others(&has, &had));
    // A tier that goes, or no longer has the group, takes its keys along and says so itself.
    let works_on = |tier: &&&Subscription<'_>| {
        let after = will_be.tiers.iter().find(|one| one.name == tier.name);
        after.is_some_and(|after| was.is_among(user, after))
    };
    let kept: Vec<_> = lost.iter().filter(works_on).map(|tier| tier.name).collect();
    if kept.is_empty() {
        return Vec::new();
    }
    let from = tiers(&names(&lost));
    let what = if gained.is_empty() {
        format!("takes {user} out of {from}")
    } else {
        format!("moves {user} from {from} to {}", tiers(&names(&gained)))
    };
    let whose = format!("of {user} for {}", listed(&kept));
    let held = world.held_by(&kept, Some(&BTreeSet::from([user])));
    let at_most = world.at_most();
    let tail = |verb: &str, its: &str| format!("{verb} {its} limits until revoked or expired{at_most}");
    let Some(keys) = held.phrase(&whose, &tail("keeps", "its"), &tail("keep", "their")) else {
        return vec![notice(format!("{what}: there is no active key {whose}"))];
    };
    let text = format!("{what}: {keys}");
    let best = |of: &[&Subscription<'_>]| of.iter().map(|one| one.priority).max();
    // With more to come nobody leaks quota: the old keys allow less than new ones.
    let told = if best(&has) > best(&had) {
        notice(text)
    } else {
        access(text)
    };
    vec![told, by_hand()]
}

/// Those that are not among these, by name.
fn others<'t, 'a>(of: &[&'t Subscription<'a>], these: &[&Subscription<'_>]) -> Vec<&'t Subscription<'a>> {
    let mut others = of.to_vec();
    others.retain(|one| !these.iter().any(|other| other.name == one.name));
    others
}

fn names<'a>(of: &[&Subscription<'a>]) -> Vec<&'a str> {
    of.iter().map(|one| one.tier()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        Case, gone, group, instance, kept, keys, subscription, table, table_with, tenant, turned,
    };
    use stackctl_engine::plan::Transition;

    const LIMIT: &[(u64, &str)] = &[(300, "5m")];

    fn tiers() -> [Transition; 4] {
        let tier =
            |name: &str, groups: &[&str], priority| kept(subscription(name, groups, priority, &[("qwen", LIMIT)]));
        [
            tier("free", &["free-users"], 1),
            tier("premium", &["premium-users"], 3),
            tier("extra", &["premium-users"], 0),
            kept(tenant(90)),
        ]
    }

    fn cases() -> Vec<Case<'static>> {
        let and_tiers = |changes: Vec<Transition>| changes.into_iter().chain(tiers()).collect::<Vec<_>>();
        let free = |before: &[&str], after: &[&str]| turned(group("free-users", before), group("free-users", after));
        let premium =
            |before: &[&str], after: &[&str]| turned(group("premium-users", before), group("premium-users", after));
        vec![
            (
                "up",
                and_tiers(vec![
                    free(&["bob", "kim"], &["kim"]),
                    premium(&["eve"], &["eve", "bob"]),
                ]),
            ),
            (
                "down",
                and_tiers(vec![
                    free(&["kim"], &["kim", "bob"]),
                    premium(&["eve", "bob"], &["eve"]),
                ]),
            ),
            ("out", and_tiers(vec![free(&["kim", "bob"], &["kim"])])),
            ("in", and_tiers(vec![free(&["kim"], &["kim", "bob"])])),
            ("the group goes", and_tiers(vec![gone(group("free-users", &["kim"]))])),
            (
                "the tier gives the group up as well",
                vec![
                    free(&["kim", "bob"], &["kim"]),
                    turned(
                        subscription("free", &["free-users", "others"], 1, &[("qwen", LIMIT)]),
                        subscription("free", &["others"], 1, &[("qwen", LIMIT)]),
                    ),
                ],
            ),
            (
                "no tier is for the group",
                and_tiers(vec![turned(group("x", &["bob"]), group("x", &[]))]),
            ),
            (
                "MaaS ends",
                and_tiers(vec![
                    gone(group("free-users", &["kim"])),
                    turned(instance("Managed"), instance("Removed")),
                ]),
            ),
        ]
    }

    #[test]
    fn who_changes_tiers_keeps_the_keys_of_the_old_one() {
        insta::assert_snapshot!(table(&cases()), @r#"
        # up
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        notice: moves bob from tier free to tiers extra and premium: keys of bob for free-subscription keep their limits until revoked or expired (at most 90 days)
        # down
        access: moves bob from tiers extra and premium to tier free: keys of bob for extra-subscription and premium-subscription keep their limits until revoked or expired (at most 90 days)
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # out
        access: takes bob out of tier free: keys of bob for free-subscription keep their limits until revoked or expired (at most 90 days)
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # in
        notice: puts bob into tier free, for keys minted from now on
        # the group goes
        disruption: deletes group free-users with the list of 1 person in it, also those whom others put there
        access: takes kim out of tier free: keys of kim for free-subscription keep their limits until revoked or expired (at most 90 days)
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # the tier gives the group up as well
        access: takes group free-users out of tier free: keys of its people for free-subscription stay bound to it until revoked or expired, and get 403 unless another group lets them in
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # no tier is for the group
        disruption: empties group x: takes out bob
        # MaaS ends
        disruption: deletes group free-users with the list of 1 person in it, also those whom others put there
        disruption: switches MaaS off: maas-api goes, and no API key works at gateway openshift-ingress/maas-default-gateway
        "#);
    }

    #[test]
    fn keys_of_who_changes_tiers_are_counted_where_they_are_known() {
        let known = keys(&[
            ("premium-subscription", "bob"),
            ("premium-subscription", "bob"),
            ("free-subscription", "eve"),
        ]);
        insta::assert_snapshot!(table_with(&cases()[..3], Some(&known)), @r#"
        # up
        notice: moves bob from tier free to tiers extra and premium: there is no active key of bob for free-subscription
        # down
        access: moves bob from tiers extra and premium to tier free: 2 active keys of bob for extra-subscription and premium-subscription keep their limits until revoked or expired (at most 90 days)
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # out
        notice: takes bob out of tier free: there is no active key of bob for free-subscription
        "#);
    }

    #[test]
    fn a_group_that_goes_or_is_emptied_is_told_whoever_filled_it() {
        let off = || turned(instance("Managed"), instance("Removed"));
        let cases = [
            ("gone", vec![gone(group("g", &["alice", "bob"]))]),
            ("gone, and empty", vec![gone(group("g", &[]))]),
            ("gone with MaaS", vec![gone(group("g", &["alice"])), off()]),
            ("emptied", vec![turned(group("g", &["alice", "bob"]), group("g", &[]))]),
            (
                "one less",
                vec![turned(group("g", &["alice", "bob"]), group("g", &["bob"]))],
            ),
            ("kept", vec![kept(group("g", &["alice"]))]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # gone
        disruption: deletes group g with the list of 2 people in it, also those whom others put there
        # gone, and empty
        disruption: deletes group g: nobody can be put into it any more
        # gone with MaaS
        disruption: deletes group g with the list of 1 person in it, also those whom others put there
        disruption: switches MaaS off: maas-api goes, and no API key works at gateway openshift-ingress/maas-default-gateway
        # emptied
        disruption: empties group g: takes out alice and bob
        # one less
        nothing
        # kept
        nothing
        "#);
    }

    #[test]
    fn a_tier_that_goes_speaks_for_its_keys_itself() {
        let cases = [(
            "group and tier go",
            vec![
                gone(group("free-users", &["kim"])),
                gone(subscription("free", &["free-users"], 1, &[("qwen", LIMIT)])),
            ],
        )];
        insta::assert_snapshot!(table(&cases), @r#"
        # group and tier go
        disruption: deletes group free-users with the list of 1 person in it, also those whom others put there
        disruption: removes tier free: keys of free-subscription get 403 from then on
        "#);
    }
}
