//! Projects: the namespaces that models run in, or are offered from, and those that have a queue, each once.
//!
//! Facts: `reference/serving.md` §1.2.

use super::{
    Context,
    draft::{Draft, keyed},
    kueue,
};
use crate::stack::Maas;
use serde_json::json;
use stackctl_engine::Address;
use std::collections::BTreeSet;

/// The namespace of a project.
pub(super) fn namespace(name: &str) -> Address {
    keyed(&[("project", name), ("namespace", "")])
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let external = context.stack.maas.iter().flat_map(Maas::external_models);
    let names: BTreeSet<_> = context
        .stack
        .models
        .iter()
        .map(|model| model.namespace.as_str())
        .chain(external.map(|model| model.namespace.as_str()))
        .collect();
    let project = |name: &str| {
        Draft::object(
            namespace(name),
            json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": name,
                    "labels": {"modelmesh-enabled": "false", "opendatahub.io/dashboard": "true"},
                },
            }),
        )
    };
    let mut projects: Vec<_> = names.iter().copied().map(project).collect();
    projects.extend(
        kueue::namespaces(context)
            .into_iter()
            .filter(|name| !names.contains(name))
            .map(queued),
    );
    projects
}

/// A project that only has a queue: its workloads go through Kueue. One with models must not carry that label
/// (`reference/platform.md` §2.22).
fn queued(name: &str) -> Draft {
    Draft::object(
        namespace(name),
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "labels": {"kueue.openshift.io/managed": "true", "opendatahub.io/dashboard": "true"},
            },
        }),
    )
}
