//! Group: whose tier changes when people are put in or taken out. Keys keep the groups that they were minted with.
//!
//! Facts: `reference/serving.md` §1.14, §4 items 6 and 8 and its table, §5.3 S14.

use super::{
    keys::by_hand,
    tier::Subscription,
    words::{access, listed, notice, tiers},
    world::{Side, World, texts},
};
use stackctl_engine::{plan::Transition, resource::Consequence};
use std::collections::BTreeSet;

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    // Of a group that is made, the catalogue says who is in it.
    if world.maas_ends() || transition.before.is_none() {
        return Vec::new();
    }
    let users = |manifest: &Option<serde_json::Value>| -> BTreeSet<String> {
        let found = manifest
            .as_ref()
            .map(|group| texts(&group["users"]))
            .unwrap_or_default();
        found.into_iter().map(str::to_owned).collect()
    };
    let (before, after) = (users(&transition.before), users(&transition.after));
    let changed = before.symmetric_difference(&after);
    changed
        .flat_map(|user| of_user(world, user, before.contains(user)))
        .collect()
}

/// What becomes of one user, in all groups of the plan together. Who is moved is told of where they are taken out.
fn of_user(world: &World<'_>, user: &str, is_taken_out: bool) -> Vec<Consequence> {
    let (had, has) = (world.tiers_of(user, Side::Before), world.tiers_of(user, Side::After));
    let not_in =
        |others: &[Subscription<'_>], one: &Subscription<'_>| !others.iter().any(|other| other.name == one.name);
    let lost: Vec<_> = had.iter().filter(|one| not_in(&has, one)).collect();
    let gained: Vec<_> = has.iter().filter(|one| not_in(&had, one)).collect();
    let names = |of: &[&Subscription<'_>]| of.iter().map(|one| one.tier().to_owned()).collect::<Vec<_>>();
    if lost.is_empty() || !is_taken_out {
        if gained.is_empty() || !lost.is_empty() {
            return Vec::new();
        }
        let tiers = tiers(&names(&gained));
        return vec![notice(format!("puts {user} into {tiers}, for keys minted from now on"))];
    }
    let what = if gained.is_empty() {
        format!("takes {user} out of {}", tiers(&names(&lost)))
    } else {
        format!(
            "moves {user} from {} to {}",
            tiers(&names(&lost)),
            tiers(&names(&gained))
        )
    };
    let best = |of: &[Subscription<'_>]| of.iter().map(|one| one.priority).max();
    let is_upgrade = best(&has) > best(&had);
    // A subscription that goes takes its keys along, and says so itself.
    let staying = world.subscriptions(Side::After);
    let kept: Vec<_> = lost
        .iter()
        .filter(|one| !not_in(&staying, one))
        .map(|one| one.name)
        .collect();
    if kept.is_empty() {
        return Vec::new();
    }
    let whose = format!("of {user} for {}", listed(&kept));
    let held = world.held_by(&kept, Some(&BTreeSet::from([user])));
    if held.is_none() {
        return vec![notice(format!("{what}: there is no active key {whose}"))];
    }
    let at_most = world.at_most();
    let tail = |verb: &str, its: &str| format!("{verb} {its} limits until revoked or expired{at_most}");
    let text = format!(
        "{what}: {}",
        held.phrase(&whose, &tail("keeps", "its"), &tail("keep", "their"))
    );
    // With more to come nobody leaks quota: the old keys allow less than new ones.
    let told = if is_upgrade { notice(text) } else { access(text) };
    vec![told, by_hand()]
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
        access: takes kim out of tier free: keys of kim for free-subscription keep their limits until revoked or expired (at most 90 days)
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # no tier is for the group
        nothing
        # MaaS ends
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
        disruption: removes tier free: keys of free-subscription get 403 from then on
        "#);
    }
}
