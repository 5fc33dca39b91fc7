//! What can be said of a stack before any cluster is asked: it is well formed, and would not do what is meant.
//!
//! Invariant: only what is certain from the stack itself is told; what depends on the cluster is preflight's.

use super::place::Place;
use super::problem::{Problem, Problems};
use super::read::At;
use super::schema::{RawGroup, RawTier};
use super::suggest;
use crate::stack::{Model, ModelSource};

/// Where a stack asks for what a closed network, or a cluster without a cloud, does not have.
#[derive(Debug)]
pub(super) struct Asked {
    /// `issuer = "letsencrypt"`.
    pub(super) public_issuer: Option<Place>,
    /// `exposure = "loadbalancer"` of the gateways.
    pub(super) balancers: Vec<Place>,
    /// The sources of models, in their order.
    pub(super) sources: Vec<Place>,
}

/// What hosts answer for Hugging Face in a network of one's own
/// (<https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables>).
const HUB_ENDPOINT: &str = "HF_ENDPOINT";

/// Reports what is fetched from, or proved to, the internet by a cluster that is said to have no way there
/// (`reference/platform.md` §4 G46: names are asked at 8.8.8.8 and 1.1.1.1).
pub(super) fn closed_network(asked: &Asked, models: &[Model], problems: &mut Problems) {
    if let Some(place) = asked.public_issuer {
        let problem = Problem::Unreachable {
            what: "Let's Encrypt".to_owned(),
            hint: "write `issuer = \"local-ca\"`, or \"existing\" with a certificate of your own",
        };
        problems.push(place, problem);
    }
    for (model, place) in models.iter().zip(&asked.sources) {
        if let ModelSource::HuggingFace { repository, .. } = &model.source
            && !model.env.iter().any(|variable| variable.name.as_str() == HUB_ENDPOINT)
        {
            let problem = Problem::Unreachable {
                what: format!("`hf://{repository}`"),
                hint: "mirror the weights: a modelcar image (`oci://`), a bucket (`s3://`) or a volume (`pvc://`); or name a hub of your own in `env = { HF_ENDPOINT = \"…\" }`",
            };
            problems.push(*place, problem);
        }
    }
}

/// Reports load balancers that nothing gives an address (`reference/serving.md` §5.1 G3).
pub(super) fn load_balancers(asked: &Asked, problems: &mut Problems) {
    for place in &asked.balancers {
        problems.push(*place, Problem::NoBalancer);
    }
}

/// Reports a group that is made for nobody beside a tier that names one almost like it (`reference/serving.md` §5.3 S15).
pub(super) fn groups(groups: &[At<RawGroup>], tiers: &[At<RawTier>], problems: &mut Problems) {
    let named = |name: &str| {
        tiers
            .iter()
            .any(|tier| tier.value.groups.iter().any(|group| group.as_str() == name))
    };
    let made = |name: &str| groups.iter().any(|group| group.value.name.value.as_str() == name);
    for At { value: group, .. } in groups {
        let name = group.name.value.as_str();
        if named(name) {
            continue;
        }
        let strays: Vec<(&At<RawTier>, &str)> = tiers
            .iter()
            .flat_map(|tier| tier.value.groups.iter().map(move |group| (tier, group.as_str())))
            .filter(|(_, group)| !group.contains(':') && !made(group))
            .collect();
        let similar = |stray: &&(&At<RawTier>, &str)| {
            let (_, stray) = **stray;
            name.starts_with(stray) || stray.starts_with(name) || suggest::closest(stray, [name]).is_some()
        };
        if let Some((tier, stray)) = strays.iter().find(similar) {
            let problem = Problem::GroupOfNoTier {
                group: name.to_owned(),
                tier: tier.value.name.value.to_string(),
                named: (*stray).to_owned(),
            };
            problems.push_beside(group.name.place, problem, tier.value.name.place, "this tier");
        }
    }
}
