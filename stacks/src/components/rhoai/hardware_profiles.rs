//! Hardware profiles: what a model may ask for, as people choose it in the dashboard.
//!
//! By default one for any GPU, one for each kind of GPU that the stack has a pool of, and with Kueue one for its queue;
//! beside them those that the stack writes out.
//!
//! Facts: `reference/platform.md` §2.11 (table of profiles, `type: Node` needs `node` and forbids `kueue`).

use crate::{
    components::{
        Context,
        draft::{Draft, keyed},
        kueue,
        names::APPLICATIONS,
    },
    stack::{GpuTier, HardwareProfile, Provision, Quantity, Scheduling, Toleration},
};
use serde_json::{Map, Value, json};
use stackctl_engine::Address;

const ANY: &str = "gpu-profile";
const QUEUED: &str = "gpu-kueue-profile";
const DEFAULT_QUEUE: &str = "default";

/// The node of a profile, if it is one of ours.
pub(in crate::components) fn address(context: &Context<'_>, name: &str) -> Option<Address> {
    all(context)
        .iter()
        .any(|profile| profile.name == name)
        .then(|| node(name))
}

fn node(name: &str) -> Address {
    keyed(&[("rhoai", ""), ("hardware-profile", name)])
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    all(context)
        .into_iter()
        .map(|profile| {
            let queues = profile
                .queue
                .as_deref()
                .map_or_else(Vec::new, |queue| kueue::queues(context, queue));
            let draft = Draft::object(node(&profile.name), profile.manifest());
            queues
                .into_iter()
                .fold(draft, |draft, queue| draft.after_write(queue, "it names that queue"))
        })
        .collect()
}

/// A profile as it is written.
struct Profile {
    name: String,
    display_name: String,
    description: String,
    disabled: bool,
    visible_in: Vec<String>,
    identifiers: Value,
    scheduling: Value,
    /// The queue that it names.
    queue: Option<String>,
}

/// A profile of the stack goes before a default one of the same name.
fn all(context: &Context<'_>) -> Vec<Profile> {
    let rhoai = &context.stack.rhoai;
    let mut profiles: Vec<Profile> = rhoai.hardware_profiles.iter().map(own).collect();
    if rhoai.default_hardware_profiles {
        for profile in defaults(context) {
            if !profiles.iter().any(|own| own.name == profile.name) {
                profiles.push(profile);
            }
        }
    }
    profiles
}

fn defaults(context: &Context<'_>) -> Vec<Profile> {
    let mut profiles = vec![default(
        ANY,
        "Generic GPU profile — GPU toleration only, no Kueue, no product nodeSelector. Works with any NVIDIA GPU when Kueue is not installed.",
        on_nodes(None),
    )];
    if context.stack.rhoai.components.kueue {
        profiles.push(Profile {
            queue: Some(DEFAULT_QUEUE.to_owned()),
            ..default(
                QUEUED,
                "GPU profile with Kueue LocalQueue scheduling. Only visible when kueue: true and a matching LocalQueue named 'default' exists in the workload namespace.",
                in_queue(DEFAULT_QUEUE, None),
            )
        });
    }
    let mut tiers: Vec<&GpuTier> = Vec::new();
    for pool in &context.stack.gpu {
        let tier = match &pool.provision {
            Provision::MachineSets(sets) => Some(sets.tier),
            Provision::Existing { tier } => *tier,
        };
        tiers.extend(tier.filter(|tier| !tiers.contains(tier)));
    }
    profiles.extend(tiers.into_iter().map(|tier| {
        let kind = tier.name.to_uppercase();
        let label = tier.product_label;
        default(
            &format!("nvidia-{}-profile", tier.name),
            &format!(
                "{kind}-specific GPU profile — targets nodes labelled nvidia.com/gpu.product: {label}. Use when the cluster has mixed GPU types and you need to pin to {kind} nodes.",
            ),
            on_nodes(Some(label)),
        )
    }));
    profiles
}

fn default(name: &str, description: &str, scheduling: Value) -> Profile {
    Profile {
        name: name.to_owned(),
        display_name: name.to_owned(),
        description: description.to_owned(),
        disabled: false,
        visible_in: Vec::new(),
        identifiers: json!([
            identifier("CPU", "cpu", "CPU", (json!("1"), json!(1), Some(json!("8")))),
            identifier(
                "Memory",
                "memory",
                "Memory",
                (json!("12Gi"), json!("1Gi"), Some(json!("32Gi")))
            ),
            identifier(
                "GPU",
                "nvidia.com/gpu",
                "Accelerator",
                (json!(1), json!(1), Some(json!(4)))
            ),
        ]),
        scheduling,
        queue: None,
    }
}

fn own(wanted: &HardwareProfile) -> Profile {
    let identifiers: Vec<_> = wanted
        .identifiers
        .iter()
        .map(|one| {
            let counts = (count(&one.default), count(&one.min), one.max.as_ref().map(count));
            identifier(&one.display_name, &one.identifier, one.resource_type.as_str(), counts)
        })
        .collect();
    let (scheduling, queue) = match &wanted.scheduling {
        Scheduling::Node { selector, tolerations } => (nodes(selector, tolerations), None),
        Scheduling::Queue { queue, priority_class } => (
            in_queue(queue.as_str(), priority_class.as_deref()),
            Some(queue.to_string()),
        ),
    };
    Profile {
        name: wanted.name.to_string(),
        display_name: wanted.display_name.clone(),
        description: wanted.description.clone(),
        disabled: wanted.disabled,
        visible_in: wanted.visible_in.clone(),
        identifiers: Value::from(identifiers),
        scheduling,
        queue,
    }
}

/// Whole numbers as numbers, as the manual writes them.
fn count(quantity: &Quantity) -> Value {
    let text = quantity.as_str();
    text.parse::<i64>().map_or_else(|_| json!(text), Value::from)
}

fn on_nodes(product: Option<&str>) -> Value {
    let toleration = Toleration {
        key: "nvidia.com/gpu".to_owned(),
        value: None,
        effect: Some("NoSchedule".to_owned()),
    };
    let selector = product.map(|label| ("nvidia.com/gpu.product".to_owned(), label.to_owned()));
    nodes(&selector.into_iter().collect::<Vec<_>>(), &[toleration])
}

fn nodes(selector: &[(String, String)], tolerations: &[Toleration]) -> Value {
    let mut node = json!({});
    if !selector.is_empty() {
        let labels: Map<_, _> = selector
            .iter()
            .map(|(key, value)| (key.clone(), json!(value)))
            .collect();
        node["nodeSelector"] = Value::Object(labels);
    }
    let toleration = |one: &Toleration| {
        let mut written = json!({"key": one.key, "operator": if one.value.is_some() { "Equal" } else { "Exists" }});
        if let Some(value) = &one.value {
            written["value"] = json!(value);
        }
        if let Some(effect) = &one.effect {
            written["effect"] = json!(effect);
        }
        written
    };
    if !tolerations.is_empty() {
        node["tolerations"] = tolerations.iter().map(toleration).collect();
    }
    json!({"type": "Node", "node": node})
}

fn in_queue(queue: &str, priority_class: Option<&str>) -> Value {
    // The dashboard writes the text `None` where no class is meant (reference/platform.md §2.11).
    let class = priority_class.unwrap_or("None");
    json!({"type": "Queue", "kueue": {"localQueueName": queue, "priorityClass": class}})
}

impl Profile {
    fn manifest(&self) -> Value {
        json!({
            "apiVersion": "infrastructure.opendatahub.io/v1",
            "kind": "HardwareProfile",
            "metadata": {
                "name": self.name,
                "namespace": APPLICATIONS,
                "labels": {
                    "app.kubernetes.io/part-of": "hardwareprofile",
                    "app.opendatahub.io/hardwareprofile": "true",
                },
                "annotations": {
                    "opendatahub.io/dashboard-feature-visibility": json!(self.visible_in).to_string(),
                    "opendatahub.io/disabled": self.disabled.to_string(),
                    "opendatahub.io/display-name": self.display_name,
                    "opendatahub.io/description": self.description,
                },
            },
            "spec": {"identifiers": self.identifiers, "scheduling": self.scheduling},
        })
    }
}

/// What a profile says of one resource: its default, least and most.
fn identifier(
    display_name: &str,
    name: &str,
    resource_type: &str,
    (default, least, most): (Value, Value, Option<Value>),
) -> Value {
    let mut identifier = json!({
        "displayName": display_name,
        "identifier": name,
        "defaultCount": default,
        "minCount": least,
        "resourceType": resource_type,
    });
    if let Some(most) = most {
        identifier["maxCount"] = most;
    }
    identifier
}
