//! What the tables of additions say against the rest of the stack.

use super::lower::report_duplicates;
use super::problem::{Problem, Problems};
use super::read::At;
use crate::stack::{Kueue, MetalLb, ModelRegistry, Operators, Platform, Rhoai};

/// The tables that are checked against each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addons<'a> {
    pub(super) rhoai: &'a Rhoai,
    pub(super) operators: &'a At<Operators>,
    pub(super) kueue: Option<&'a At<Kueue>>,
    pub(super) registries: &'a [At<ModelRegistry>],
    pub(super) metallb: Option<&'a At<MetalLb>>,
    pub(super) platform: Option<Platform>,
    pub(super) has_models: bool,
}

/// Reports what does not go together.
pub(super) fn check(addons: &Addons<'_>, problems: &mut Problems) {
    let components = &addons.rhoai.components;
    report_duplicates(
        "model registries",
        addons
            .registries
            .iter()
            .map(|registry| (registry.value.name.as_str(), registry.place)),
        problems,
    );
    if let Some(registry) = addons.registries.first()
        && !components.model_registry
    {
        problems.push(
            registry.place,
            Problem::Requires {
                this: "[[model_registries]]",
                other: "[rhoai.components] model_registry = true",
                hint: "its kind comes with that component",
            },
        );
    }
    if let Some(kueue) = addons.kueue
        && !components.kueue
    {
        problems.push(
            kueue.place,
            Problem::NoEffect {
                key: "kueue",
                because: "its queues are made only with `kueue = true` in `[rhoai.components]`".to_owned(),
            },
        );
    }
    // reference/platform.md §2.15, §4 G45.
    if addons.operators.value.service_mesh.is_some() && addons.has_models {
        problems.push(
            addons.operators.place,
            Problem::Doubtful {
                what: "Service Mesh 3 beside models".to_owned(),
                why: "OpenShift installs the mesh that its gateways need by itself, and a newer one that is there first \
                      leaves their class waiting for its controller; leave `service_mesh` out unless Llama Stack needs it",
            },
        );
    }
    if let Some(metallb) = addons.metallb
        && addons.platform == Some(Platform::Aws)
    {
        problems.push(
            metallb.place,
            Problem::Doubtful {
                what: "MetalLB on AWS".to_owned(),
                why: "load balancers come from the cloud there; leave `[metallb]` out",
            },
        );
    }
}
