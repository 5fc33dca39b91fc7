//! MaaSAuthPolicy: who may call which model. A caller needs this and a subscription for the model, so what both lose at
//! once is told by `subscription.rs`.
//!
//! Facts: `reference/serving.md` §1.12 (the policies of all tiers are one for each model), §4 items 7 and 9 and its table,
//! last row.

use super::{
    subscription::denial,
    tier::{ModelRef, People, Person},
    words::{access, disruption, made_again, named},
    world::{Kind, Side, World, items},
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};
use std::collections::BTreeSet;

/// Every user who is logged in.
const EVERYBODY: &str = "system:authenticated";

/// What a policy says.
#[derive(Debug, Default)]
struct Policy<'a> {
    subjects: People<'a>,
    models: BTreeSet<ModelRef<'a>>,
}

impl<'a> Policy<'a> {
    fn read(manifest: &'a Value) -> Self {
        let spec = &manifest["spec"];
        Self {
            subjects: People::read(&spec["subjects"]),
            models: items(&spec["modelRefs"]).filter_map(ModelRef::read).collect(),
        }
    }

    /// Everybody whom it names, with every model.
    fn pairs(&self) -> impl Iterator<Item = (Person<'a>, &ModelRef<'a>)> {
        let people = self.subjects.all();
        people
            .into_iter()
            .flat_map(|person| self.models.iter().map(move |model| (person, model)))
    }

    fn admits(&self, person: Person<'_>, model: &ModelRef<'_>) -> bool {
        self.models.contains(model) && self.subjects.has(person)
    }
}

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    if world.maas_ends() {
        return Vec::new();
    }
    let before = transition.before.as_ref().map(Policy::read).unwrap_or_default();
    let after = transition.after.as_ref().map(Policy::read).unwrap_or_default();
    let mut told = shut_out(world, &before);
    if transition.is_made_again() {
        told.push(disruption(format!(
            "{}: whom no other policy admits gets 403 in between",
            made_again(&named(&transition.object))
        )));
        told.extend(before.models.iter().filter_map(|model| denial(world, model)));
    }
    told.extend(let_in(world, &after));
    let dropped = before.models.difference(&after.models);
    told.extend(
        dropped
            .filter(|model| !model.goes(world))
            .filter_map(|model| denial(world, model)),
    );
    told.extend(open_to_all(world, &transition.object.name, &before, &after));
    told
}

/// Whom no policy admits any more though a subscription still counts on it.
fn shut_out(world: &World<'_>, before: &Policy<'_>) -> Vec<Consequence> {
    let told = before.pairs().filter(|(person, model)| {
        !is_admitted(world, Side::After, *person, model) && counts_on_it(world, Side::After, *person, model)
    });
    told.map(|(person, model)| {
        disruption(format!(
            "shuts {person} out of model {}: 403 within a minute, with keys that are there as well",
            model.name
        ))
    })
    .collect()
}

/// Whom a policy admits at last, after a subscription has counted on it.
fn let_in(world: &World<'_>, after: &Policy<'_>) -> Vec<Consequence> {
    let told = after.pairs().filter(|(person, model)| {
        !is_admitted(world, Side::Before, *person, model) && counts_on_it(world, Side::Before, *person, model)
    });
    told.map(|(person, model)| {
        access(format!(
            "lets {person} call model {}, with keys that are there as well",
            model.name
        ))
    })
    .collect()
}

/// Whether any policy admits a person to a model.
fn is_admitted(world: &World<'_>, side: Side, person: Person<'_>, model: &ModelRef<'_>) -> bool {
    world
        .all(Kind::AUTH_POLICY, side)
        .any(|(_, manifest)| Policy::read(manifest).admits(person, model))
}

/// Whether a subscription grants a person this model.
fn counts_on_it(world: &World<'_>, side: Side, person: Person<'_>, model: &ModelRef<'_>) -> bool {
    let all = world.subscriptions(side);
    all.iter()
        .any(|tier| tier.models.contains_key(model) && tier.owners.has(person))
}

/// Everybody beside chosen groups: then leaving the groups takes no access away.
fn open_to_all(world: &World<'_>, name: &str, before: &Policy<'_>, after: &Policy<'_>) -> Vec<Consequence> {
    let everybody = Person::Group(EVERYBODY);
    let others: Vec<_> = world
        .all(Kind::AUTH_POLICY, Side::After)
        .filter(|(other, _)| other.name != name)
        .map(|(_, manifest)| Policy::read(manifest))
        .collect();
    let newly = |model: &&ModelRef<'_>| after.admits(everybody, model) && !before.admits(everybody, model);
    let beside_others = |model: &&ModelRef<'_>| {
        others
            .iter()
            .any(|other| other.models.contains(model) && !other.subjects.has(everybody))
    };
    after
        .models
        .iter()
        .filter(newly)
        .filter(beside_others)
        .map(|model| {
            access(format!(
                "opens model {} to every user who is logged in: taking somebody out of the other tiers takes no access away",
                model.name
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{auth_policy, gone, instance, kept, made, reference, subscription, table, turned};

    const LIMIT: &[(u64, &str)] = &[(300, "5m")];

    #[test]
    fn who_may_call_less_is_told_and_what_the_subscription_says_is_not() {
        let policy = auth_policy;
        let tier = |groups: &[&str]| subscription("pro", groups, 2, &[("qwen", LIMIT)]);
        let known = || kept(reference("qwen", "LLMInferenceService"));
        let other = || kept(subscription("free", &["free-users"], 1, &[("qwen", LIMIT)]));
        let cases = [
            (
                "a group that the subscription still has is shut out",
                vec![
                    turned(
                        policy("pro", &["team", "pro-users"], &["qwen"]),
                        policy("pro", &["pro-users"], &["qwen"]),
                    ),
                    kept(tier(&["team", "pro-users"])),
                ],
            ),
            (
                "a group that another policy admits",
                vec![
                    turned(
                        policy("pro", &["team", "pro-users"], &["qwen"]),
                        policy("pro", &["pro-users"], &["qwen"]),
                    ),
                    kept(policy("team", &["team"], &["qwen"])),
                    kept(tier(&["team", "pro-users"])),
                ],
            ),
            (
                "a group that leaves the tier as well",
                vec![
                    turned(
                        policy("pro", &["team", "pro-users"], &["qwen"]),
                        policy("pro", &["pro-users"], &["qwen"]),
                    ),
                    kept(tier(&["pro-users"])),
                ],
            ),
            (
                "a policy goes, other tiers use its model",
                vec![gone(policy("pro", &["pro-users"], &["qwen"])), known(), other()],
            ),
            (
                "a policy goes with MaaS",
                vec![
                    gone(policy("pro", &["pro-users"], &["qwen"])),
                    other(),
                    turned(instance("Managed"), instance("Removed")),
                ],
            ),
            (
                "a group that the subscription has already is let in",
                vec![
                    turned(
                        policy("pro", &["pro-users"], &["qwen"]),
                        policy("pro", &["team", "pro-users"], &["qwen"]),
                    ),
                    kept(tier(&["team", "pro-users"])),
                ],
            ),
            ("a policy is made", vec![made(policy("pro", &["pro-users"], &["qwen"]))]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # a group that the subscription still has is shut out
        disruption: shuts group team out of model qwen: 403 within a minute, with keys that are there as well
        # a group that another policy admits
        nothing
        # a group that leaves the tier as well
        nothing
        # a policy goes, other tiers use its model
        disruption: turns everyone on model qwen away for a moment (401, 403 or 429), while its policies are made again
        # a policy goes with MaaS
        disruption: switches MaaS off: maas-api goes, and no API key works at gateway openshift-ingress/maas-default-gateway
        # a group that the subscription has already is let in
        access: lets group team call model qwen, with keys that are there as well
        # a policy is made
        nothing
        "#);
    }

    #[test]
    fn everybody_beside_chosen_groups_is_told() {
        let all = || auth_policy("default", &["system:authenticated"], &["qwen"]);
        let pro = || kept(auth_policy("pro", &["pro-users"], &["qwen"]));
        let cases = [
            ("made beside a tier", vec![made(all()), pro()]),
            (
                "added to a policy",
                vec![turned(auth_policy("default", &["some"], &["qwen"]), all()), pro()],
            ),
            ("alone", vec![made(all())]),
            (
                "as before",
                vec![
                    turned(all(), auth_policy("default", &["system:authenticated", "a"], &["qwen"])),
                    pro(),
                ],
            ),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # made beside a tier
        access: opens model qwen to every user who is logged in: taking somebody out of the other tiers takes no access away
        # added to a policy
        access: opens model qwen to every user who is logged in: taking somebody out of the other tiers takes no access away
        # alone
        nothing
        # as before
        nothing
        "#);
    }
}
