//! Namespace: one that goes takes along all that is in it, whoever put it there, also where it is made again.
//!
//! Facts: Kubernetes deletes what is in a namespace before the namespace (Kubernetes documentation, Namespaces);
//! `reference/serving.md` §1.11 (the namespaces of tiers, which hold a service account for each caller).

use super::{
    words::{data_loss, disruption, listed},
    world::World,
};
use stackctl_engine::{plan::Transition, resource::Consequence};

/// What the name of a namespace of a tier starts with: the gateway of MaaS (`reference/serving.md` §1.11).
const OF_TIER: &str = "maas-default-gateway-tier-";

/// The name of the namespace whose service accounts are a tier.
pub(super) fn of_tier(tier: &str) -> String {
    format!("{OF_TIER}{tier}")
}

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    if transition.after.is_some() && !transition.is_made_again() {
        return Vec::new();
    }
    let name = &transition.object.name;
    vec![match name.strip_prefix(OF_TIER) {
        Some(tier) => disruption(format!(
            "deletes namespace {name} with the service accounts of tier {tier} and their tokens: its callers get 401"
        )),
        None => {
            // A destroy takes many: said alike by each, so that it is read once.
            let all: Vec<_> = world
                .namespaces_that_go()
                .filter(|name| !name.starts_with(OF_TIER))
                .collect();
            let noun = if all.len() == 1 { "namespace" } else { "namespaces" };
            data_loss(format!(
                "deletes everything in {noun} {}, also what others put there",
                listed(&all)
            ))
        }
    }]
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gone, kept, made, namespace, table};

    #[test]
    fn what_goes_with_a_namespace_is_told() {
        let cases = [
            ("gone", vec![gone(namespace("demo"))]),
            ("two gone", vec![gone(namespace("demo")), gone(namespace("a"))]),
            (
                "of a tier",
                vec![gone(namespace("maas-default-gateway-tier-enterprise"))],
            ),
            ("kept", vec![kept(namespace("demo"))]),
            ("made", vec![made(namespace("demo"))]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # gone
        data-loss: deletes everything in namespace demo, also what others put there
        # two gone
        data-loss: deletes everything in namespaces a and demo, also what others put there
        # of a tier
        disruption: deletes namespace maas-default-gateway-tier-enterprise with the service accounts of tier enterprise and their tokens: its callers get 401
        # kept
        nothing
        # made
        nothing
        "#);
    }
}
