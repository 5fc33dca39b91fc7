//! Projects: the namespaces that models run in, each once.
//!
//! Facts: `reference/serving.md` §1.2.

use super::{
    Context,
    draft::{Draft, keyed},
};
use serde_json::json;
use stackctl_engine::Address;
use std::collections::BTreeSet;

/// The namespace of a project.
pub(super) fn namespace(name: &str) -> Address {
    keyed(&[("project", name), ("namespace", "")])
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let names: BTreeSet<_> = context
        .stack
        .models
        .iter()
        .map(|model| model.namespace.as_str())
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
    names.into_iter().map(project).collect()
}
