//! Hardware profiles: what a model may ask for, as people choose it in the dashboard.
//!
//! One for any GPU and one for each kind of GPU that we know; none with a queue, which only Kueue would serve.
//!
//! Facts: `reference/platform.md` §2.11 (table of profiles), §2.12 (`type: Node` needs `node` and forbids `kueue`).

use crate::{
    components::{
        Context,
        draft::{Draft, keyed},
        names::APPLICATIONS,
    },
    stack::gpu_tiers::{GpuTier, TIERS},
};
use serde_json::{Value, json};
use stackctl_engine::Address;

const ANY: &str = "gpu-profile";

/// The node of a profile, if it is one of ours.
pub(in crate::components) fn address(name: &str) -> Option<Address> {
    let is_ours = name == ANY || TIERS.iter().any(|tier| name_of(tier) == name);
    is_ours.then(|| keyed(&[("rhoai", ""), ("hardware-profile", name)]))
}

pub(super) fn resources(_: &Context<'_>) -> Vec<Draft> {
    let any = profile(
        ANY,
        "Generic GPU profile — GPU toleration only, no Kueue, no product nodeSelector. Works with any NVIDIA GPU when Kueue is not installed.",
        None,
    );
    let of_tiers = TIERS.iter().map(|tier| {
        let kind = tier.name.to_uppercase();
        let label = tier.product_label;
        profile(
            &name_of(tier),
            &format!(
                "{kind}-specific GPU profile — targets nodes labelled nvidia.com/gpu.product: {label}. Use when the cluster has mixed GPU types and you need to pin to {kind} nodes.",
            ),
            Some(label),
        )
    });
    std::iter::once(any).chain(of_tiers).collect()
}

fn name_of(tier: &GpuTier) -> String {
    format!("nvidia-{}-profile", tier.name)
}

fn profile(name: &str, description: &str, product: Option<&str>) -> Draft {
    let mut node = json!({"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]});
    if let Some(label) = product {
        node["nodeSelector"] = json!({"nvidia.com/gpu.product": label});
    }
    let manifest = json!({
        "apiVersion": "infrastructure.opendatahub.io/v1",
        "kind": "HardwareProfile",
        "metadata": {
            "name": name,
            "namespace": APPLICATIONS,
            "labels": {
                "app.kubernetes.io/part-of": "hardwareprofile",
                "app.opendatahub.io/hardwareprofile": "true",
            },
            "annotations": {
                "opendatahub.io/dashboard-feature-visibility": "[]",
                "opendatahub.io/disabled": "false",
                "opendatahub.io/display-name": name,
                "opendatahub.io/description": description,
            },
        },
        "spec": {
            "identifiers": [
                identifier("CPU", "cpu", "CPU", (json!("1"), json!(1), json!("8"))),
                identifier("Memory", "memory", "Memory", (json!("12Gi"), json!("1Gi"), json!("32Gi"))),
                identifier("GPU", "nvidia.com/gpu", "Accelerator", (json!(1), json!(1), json!(4))),
            ],
            "scheduling": {"type": "Node", "node": node},
        },
    });
    Draft::object(keyed(&[("rhoai", ""), ("hardware-profile", name)]), manifest)
}

/// What a profile says of one resource: its default, least and most.
fn identifier(
    display_name: &str,
    name: &str,
    resource_type: &str,
    (default, least, most): (Value, Value, Value),
) -> Value {
    json!({
        "displayName": display_name,
        "identifier": name,
        "defaultCount": default,
        "minCount": least,
        "maxCount": most,
        "resourceType": resource_type,
    })
}
