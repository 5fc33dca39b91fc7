//! What a cluster says of itself before there is a stack for it: what is read, and what is kept of the answers.
//!
//! Invariant: nothing here is of a secret kind; every answer may be missing.

use crate::stack::gpu_tiers::{GpuTier, TIERS};
use serde_json::Value;
use stackctl_engine::{ObjectRef, ObjectType};
use std::collections::{BTreeMap, BTreeSet};

/// What is read of a cluster, all of it without a right to write anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// One object.
    Object(ObjectRef),
    /// Every object of a type, everywhere.
    All(ObjectType),
}

/// What Node Feature Discovery's labels begin with.
const FEATURES: &str = "feature.node.kubernetes.io/";

/// Everything that is asked. Sources: `reference/platform.md` §1.
pub fn questions() -> Vec<Question> {
    let config = |kind: &str, name: &str| Question::Object(ObjectRef::cluster("config.openshift.io/v1", kind, name));
    let router = ObjectRef::namespaced(
        "operator.openshift.io/v1",
        "IngressController",
        "openshift-ingress-operator",
        "default",
    );
    vec![
        config("ClusterVersion", "version"),
        config("Infrastructure", "cluster"),
        config("Ingress", "cluster"),
        Question::Object(router),
        Question::All(ObjectType::new("v1", "Node")),
        Question::All(ObjectType::new("machine.openshift.io/v1beta1", "MachineSet")),
        Question::All(ObjectType::new("storage.k8s.io/v1", "StorageClass")),
        Question::All(ObjectType::new("operators.coreos.com/v1alpha1", "Subscription")),
    ]
}

/// What was seen of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its version of OpenShift.
    pub openshift: Option<String>,
    /// What it runs on, as it says it: `AWS`, `None`, `VSphere`.
    pub platform: Option<String>,
    /// Its region in the cloud.
    pub region: Option<String>,
    /// The zones that its machines are in: the letters after the region.
    pub zones: BTreeSet<String>,
    /// The domain of what is served through the router.
    pub apps_domain: Option<String>,
    /// Whether the router presents a certificate that somebody gave it.
    pub has_router_certificate: bool,
    /// How many nodes workloads go to.
    pub workers: usize,
    /// The nodes with GPUs, by what they have.
    pub gpus: BTreeMap<GpuKind, GpuNodes>,
    /// Whether some node is labelled by its devices (`reference/platform.md` §2.6): without, GPUs of machines of one's own
    /// are not seen.
    pub has_device_labels: bool,
    /// StorageClasses, with whether each is the default.
    pub storage_classes: BTreeMap<String, bool>,
    /// Packages that are subscribed to, with their channels.
    pub packages: BTreeMap<String, String>,
    /// What could not be read, with the server's words.
    pub unread: Vec<(String, String)>,
}

/// What GPUs a node has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GpuKind {
    /// Those of a tier, by its name.
    Tier(&'static str),
    /// Those that its labels call so: the value of `nvidia.com/gpu.product`, or the name of the instance type.
    Named(String),
    /// Nobody says which.
    Unsaid,
}

/// How many nodes with GPUs of one kind there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GpuNodes {
    /// How many nodes.
    pub nodes: usize,
    /// How many GPUs they have together, as far as a device plugin has counted them or their instance type says it.
    pub gpus: u64,
    /// The memory of one GPU, in GiB, where it is said.
    pub vram_gib: Option<u64>,
}

impl Seen {
    /// Takes in what was read: the object, if it is there, or the list.
    pub fn take(&mut self, question: &Question, answers: &[Value]) {
        let of = match question {
            Question::Object(object) => &object.object_type,
            Question::All(of) => of,
        };
        for object in answers {
            match of.kind.as_str() {
                "ClusterVersion" => self.openshift = text(object, "/status/desired/version"),
                "Infrastructure" => {
                    self.platform = text(object, "/status/platform");
                    self.region = text(object, "/status/platformStatus/aws/region");
                }
                "Ingress" => self.apps_domain = text(object, "/spec/domain"),
                "IngressController" => {
                    self.has_router_certificate = text(object, "/spec/defaultCertificate/name").is_some();
                }
                "Node" => self.node(object),
                "MachineSet" => self.zones.extend(zone(object)),
                "StorageClass" => {
                    let default = "/metadata/annotations/storageclass.kubernetes.io~1is-default-class";
                    let is_default = text(object, default).as_deref() == Some("true");
                    self.storage_classes
                        .extend(text(object, "/metadata/name").map(|name| (name, is_default)));
                }
                "Subscription" => {
                    let channel = text(object, "/spec/channel").unwrap_or_default();
                    self.packages
                        .extend(text(object, "/spec/name").map(|name| (name, channel)));
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, node: &Value) {
        let label = |name: &str| node["metadata"]["labels"].get(name).and_then(Value::as_str);
        if label("node-role.kubernetes.io/worker").is_some() {
            self.workers += 1;
        }
        let labels = node["metadata"]["labels"].as_object().into_iter().flatten();
        self.has_device_labels |= labels.into_iter().any(|(name, _)| name.starts_with(FEATURES));
        let counted = node["status"]["capacity"]["nvidia.com/gpu"].as_str();
        let counted: u64 = counted.and_then(|count| count.parse().ok()).unwrap_or(0);
        let instance = label("node.kubernetes.io/instance-type");
        let product = label("nvidia.com/gpu.product");
        let by_size = instance.and_then(|name| TIERS.iter().find_map(|tier| Some((tier, tier.size(name)?))));
        let by_product = product.and_then(|product| TIERS.iter().find(|tier| tier.product_label == product));
        // NFD's label for a PCI device of NVIDIA (reference/platform.md §2.6): there before any driver is.
        let has_device = label("feature.node.kubernetes.io/pci-10de.present") == Some("true");
        if counted == 0 && by_size.is_none() && product.is_none() && !has_device {
            return;
        }
        let tier = by_product.or(by_size.map(|(tier, _)| tier));
        let kind = match (tier, product.or(instance)) {
            (Some(tier), _) => GpuKind::Tier(tier.name),
            (None, Some(name)) if product.is_some() => GpuKind::Named(name.to_owned()),
            (None, _) => GpuKind::Unsaid,
        };
        // In MiB: https://github.com/NVIDIA/k8s-device-plugin/tree/main/docs/gpu-feature-discovery
        let labelled = label("nvidia.com/gpu.memory").and_then(|mib| mib.parse::<u64>().ok());
        let vram_gib = tier
            .map(|tier| u64::from(tier.vram_gib))
            .or(labelled.map(|mib| mib / 1024));
        let size_has = by_size.map_or(0, |(_, size)| u64::from(size.gpus));
        let nodes = self.gpus.entry(kind).or_default();
        nodes.nodes += 1;
        nodes.gpus += counted.max(size_has);
        nodes.vram_gib = nodes.vram_gib.or(vram_gib);
    }

    /// The tier of GPUs that are there, the one with the most memory first.
    pub(super) fn tier(&self) -> Option<&'static GpuTier> {
        let tiers = self.gpus.keys().filter_map(|kind| match kind {
            GpuKind::Tier(name) => GpuTier::named(name),
            GpuKind::Named(_) | GpuKind::Unsaid => None,
        });
        tiers.max_by_key(|tier| tier.vram_gib)
    }

    /// Whether a cloud API may be used to make machines.
    pub fn is_on_aws(&self) -> bool {
        self.platform.as_deref() == Some("AWS")
    }
}

/// The letters of the zone that a MachineSet makes machines in.
fn zone(set: &Value) -> Option<String> {
    let placement = set.pointer("/spec/template/spec/providerSpec/value/placement")?;
    let (zone, region) = (text(placement, "/availabilityZone")?, text(placement, "/region")?);
    let letters = zone.strip_prefix(&region)?;
    (!letters.is_empty() && letters.chars().all(|c| c.is_ascii_lowercase())).then(|| letters.to_owned())
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    let text = value.pointer(pointer)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}
