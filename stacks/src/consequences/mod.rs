//! What a change means to those who use the platform: which URL ends, whose keys stop working or work on, what is lost.
//!
//! In: the steps of a plan as [`Transition`]s ([`is_judged`] says of which objects), and what is known of API keys
//! ([`question`] says what to ask). Out: consequences by address, for
//! [`Plan::with_consequences`](stackctl_engine::plan::Plan::with_consequences). What holds of a resource whenever it is
//! written, the catalogue says itself; here is what takes a before and an after to say.
//!
//! Invariants:
//! - Pure and deterministic: equal transitions and keys give equal consequences, sorted and each once for an address.
//! - Only a step that changes something is told of; all others are read, since what one change means hangs on what stays.
//! - Nothing is deleted and made again in silence, whatever its kind: at least that it is away in between is told, at it or
//!   at the namespace that it goes with.
//! - Objects are known by kind and name, not by address: those of a person's own manifests are told of as well.
//! - A sentence starts with a verb, stands on one line, and gives figures with their units.
//! - Every fact about OpenShift or an operator carries its source.
//!
//! Deliberately absent: the asking itself, and whether a person has to say yes.

mod access;
mod balancer;
mod canary;
mod certificate;
mod database;
mod definition;
mod external_model;
mod gateway;
mod gateway_limits;
mod group;
mod instance;
mod keys;
mod machines;
mod model;
mod namespace;
mod operator;
mod owners;
mod pods;
mod rates;
#[cfg(test)]
mod replacements;
mod retention;
mod subscription;
mod tenant;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tier;
mod tier_lookup;
mod url;
mod users;
mod words;
mod workload;
mod world;

pub use definition::with_definition;
pub use keys::{Keys, KeysQuestion, answered, question};

use stackctl_engine::{
    Address, ObjectRef,
    plan::{NodeKind, Risk, Transition, risk},
    resource::Consequence,
};
use std::collections::BTreeMap;
use words::{disruption, made_again, named};
use world::{Kind, World};

/// What one change means: a function of that change and of everything around it.
type Rule = fn(&World<'_>, &Transition) -> Vec<Consequence>;

/// Every rule, by the kind of object whose change it judges.
const RULES: &[(Kind, Rule)] = &[
    (Kind::MODEL, model::consequences),
    (Kind::MODEL, pods::consequences),
    (Kind::SUBSCRIPTION, subscription::consequences),
    (Kind::AUTH_POLICY, access::consequences),
    (Kind::GROUP, group::consequences),
    (Kind::TENANT, tenant::consequences),
    (Kind::NAMESPACE, namespace::consequences),
    (Kind::NAMESPACE, tier_lookup::of_namespace),
    (Kind::SERVICE, tier_lookup::consequences),
    (Kind::DEPLOYMENT, tier_lookup::consequences),
    (Kind::DEPLOYMENT, database::of_deployment),
    (Kind::SECRET, database::of_secret),
    (Kind::SECRET, users::consequences),
    (Kind::INSTANCE, instance::consequences),
    (Kind::GATEWAY, gateway::consequences),
    (Kind::GATEWAY, balancer::consequences),
    (Kind::MACHINE_SET, machines::consequences),
    (Kind::EXTERNAL_MODEL, external_model::consequences),
    (Kind::HTTP_ROUTE, canary::consequences),
    (Kind::TOKEN_RATE_LIMITS, gateway_limits::of_tokens),
    (Kind::RATE_LIMITS, gateway_limits::of_requests),
    (Kind::OPERATOR, operator::consequences),
    (Kind::CERTIFICATE, certificate::consequences),
    (Kind::DEPLOYMENT, workload::of_pods),
    (Kind::STATEFUL_SET, workload::of_pods),
    (Kind::DAEMON_SET, workload::of_pods),
    (Kind::CLAIM, workload::of_claim),
    (Kind::INITIALIZATION, retention::consequences),
];

/// Objects that no rule is about, and that rules look at.
const LOOKED_AT: &[Kind] = &[Kind::MODEL_REF, Kind::GATEWAY_ACCESS, Kind::ROUTE, Kind::ADDRESS_POOL];

/// Whether an object is of a kind that rules are about, or look at: the transitions of all others say nothing here.
pub fn is_judged(object: &ObjectRef) -> bool {
    let kinds = RULES.iter().map(|(kind, _)| kind).chain(LOOKED_AT);
    kinds.into_iter().any(|kind| kind.is_of(object))
}

/// What a person should know before these changes are made. Without `keys` the sentences say that keys there may be,
/// with them how many.
pub fn consequences(transitions: &[Transition], keys: Option<&Keys>) -> BTreeMap<Address, Vec<Consequence>> {
    let world = World::new(transitions, keys);
    let mut told: BTreeMap<Address, Vec<Consequence>> = BTreeMap::new();
    for transition in transitions.iter().filter(|transition| is_change(transition)) {
        let rules = RULES.iter().filter(|(kind, _)| kind.is_of(&transition.object));
        for (_, rule) in rules {
            let consequences = rule(&world, transition);
            if !consequences.is_empty() {
                told.entry(transition.address.clone()).or_default().extend(consequences);
            }
        }
        let said = told.get(&transition.address).map_or(&[][..], Vec::as_slice);
        let more = away(&world, transition, said);
        if let Some(more) = more {
            told.entry(transition.address.clone()).or_default().push(more);
        }
    }
    for consequences in told.values_mut() {
        consequences.sort();
        consequences.dedup();
    }
    told
}

/// What is told of any object that is made again, where its kind has no words of its own for that.
fn away(world: &World<'_>, transition: &Transition, said: &[Consequence]) -> Option<Consequence> {
    let object = &transition.object;
    let is_said = said.iter().any(|told| risk(transition.action, told.class) > Risk::Safe)
        || object
            .namespace
            .as_deref()
            .is_some_and(|namespace| world.namespace_goes(namespace));
    (transition.is_made_again() && !is_said).then(|| {
        disruption(format!(
            "{}: it is away in between, and what others wrote to it is lost",
            made_again(&named(object))
        ))
    })
}

/// Whether a step makes fields of an object that is still to come: what it shows is no object as a whole.
fn is_part_to_come(transition: &Transition) -> bool {
    transition.node == NodeKind::Overlay && transition.before.is_none()
}

fn is_change(transition: &Transition) -> bool {
    let differs = transition.before != transition.after
        || !transition.changed_secrets.is_empty()
        || !transition.logins.is_empty()
        || transition.is_made_again();
    transition.action.is_change() && differs
}
