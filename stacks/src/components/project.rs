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
use stackctl_engine::{Address, ObjectRef};
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
    let queued = kueue::namespaces(context)
        .into_iter()
        .filter(|name| !names.contains(name));
    projects.extend(queued.flat_map(|name| [queued_project(name), handed_over(context, name)]));
    projects
}

/// A project that only has queues.
fn queued_project(name: &str) -> Draft {
    Draft::object(
        namespace(name),
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"opendatahub.io/dashboard": "true"}},
        }),
    )
}

/// The label that gives the workloads of a project to Kueue. One with models must not carry it
/// (`reference/platform.md` §2.22).
///
/// It comes after the queues: where there is none of the usual name, OpenShift AI makes one as soon as it sees the label
/// (§2.14), and what a LocalQueue leads to can never be changed (CRD `localqueues.kueue.x-k8s.io`).
fn handed_over(context: &Context<'_>, name: &str) -> Draft {
    let label = Draft::overlay(
        keyed(&[("project", name), ("queued", "")]),
        ObjectRef::cluster("v1", "Namespace", name),
        json!({"metadata": {"labels": {"kueue.openshift.io/managed": "true"}}}),
    )
    .note("gives its workloads to Kueue")
    .after(namespace(name), "the label is the namespace's");
    kueue::queues_in(context, name).into_iter().fold(label, |label, queue| {
        label.after_write(
            queue,
            "OpenShift AI would make one of that name, which leads elsewhere for good",
        )
    })
}
