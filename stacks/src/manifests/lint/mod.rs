//! What would go wrong with objects of manifests, in themselves and beside those of the stack.
//!
//! In: the documents of every set, and what the catalogue compiled. Out: an error for each mistake, in the order of the
//! documents. A stack's own tables cannot say these things wrong; a manifest can, and most of it would be accepted by the
//! API server and then do nothing.
//!
//! Invariants:
//! - Pure, and linear in the number of objects.
//! - Only what is certain is told: of an object that is not seen here, nothing is assumed.
//! - No text of a Secret is looked at.
//!
//! Facts: `reference/serving.md` §1.11 to §1.15 (fields and constraints), §5 (what goes wrong). `docs/gotchas.md` says of every
//! row of the reference which lint it has, and why the others have none.

mod capacity;
mod doubts;
mod external;
mod gateway;
mod grants;
mod metadata;
mod model;
mod monitoring;
mod neighbours;
mod route;
mod subscription;

pub use capacity::Capacity;

use super::{ManifestsError, ManifestsNotice, read::Document};
use serde_json::Value;
use stackctl_engine::{ObjectRef, Resource, resource::Node};
use std::collections::{BTreeMap, BTreeSet};

/// The group of the kinds of MaaS.
const MAAS_GROUP: &str = "maas.opendatahub.io";

/// One object, and where it stands if it is a manifest's.
#[derive(Clone, Copy, Debug)]
struct Seen<'a> {
    /// Its document; none for what the catalogue makes.
    document: Option<&'a Document<'a>>,
    object: &'a ObjectRef,
    /// What is written of it.
    value: &'a Value,
}

impl<'a> Seen<'a> {
    /// Names it and says where it stands.
    fn place(&self) -> String {
        let object = self.object;
        match self.document {
            Some(document) => format!("{object} at {}", document.at()),
            None => format!("{object} of the stack"),
        }
    }

    /// Its namespace; empty where none is said.
    fn namespace(&self) -> &str {
        self.object.namespace.as_deref().unwrap_or_default()
    }

    fn kind(&self) -> (&'a str, &'a str) {
        let object_type = &self.object.object_type;
        (object_type.group(), object_type.kind.as_str())
    }
}

/// Everything that is written, by what rules ask for: of the catalogue first, then of the documents in their order.
#[derive(Debug, Default)]
struct World<'a> {
    /// Models, here and elsewhere, by namespace, kind and name.
    models: BTreeSet<(&'a str, &'a str, &'a str)>,
    /// The first ExternalModel that reads a Secret, by the Secret's namespace and name.
    credentials: BTreeMap<(&'a str, &'a str), Seen<'a>>,
    /// The first ExternalModel of a target.
    targets: BTreeMap<&'a str, Seen<'a>>,
    /// The first MaaSModelRef to a model, by the model's namespace, kind and name.
    references: BTreeMap<(&'a str, &'a str, &'a str), Seen<'a>>,
    /// The first gateway whose listener presents a Secret, by the Secret's namespace and name.
    presented: BTreeMap<(&'a str, &'a str), Seen<'a>>,
    /// The first Certificate that a Secret is written for, by the Secret's namespace and name.
    issued: BTreeMap<(&'a str, &'a str), Seen<'a>>,
    /// The gateway of MaaS.
    gateway: Option<Seen<'a>>,
    /// The policies that the stack itself puts on that gateway, by kind.
    policies: BTreeMap<&'a str, Seen<'a>>,
    /// What switches OpenShift AI on, if the stack has it.
    instance: Option<Seen<'a>>,
    /// The stack's own objects of which a cluster has one, by kind and name.
    singletons: BTreeSet<(&'a str, &'a str)>,
    /// Gateways by the namespace and name of the Service that is made for each.
    services_of_gateways: BTreeMap<(&'a str, String), Seen<'a>>,
    /// Models that are served here, by namespace and name.
    services: BTreeMap<(&'a str, &'a str), Seen<'a>>,
    /// The first subscription of each priority.
    priorities: BTreeMap<i64, Seen<'a>>,
    /// The first TelemetryPolicy on the gateway of MaaS.
    telemetry: Option<Seen<'a>>,
    /// The first Subscription of each namespace whose plans people approve.
    manual: BTreeMap<&'a str, Seen<'a>>,
    /// The class of the stack's own gateways.
    class: Option<Seen<'a>>,
    /// How much groups may call, by subscriptions.
    limits: grants::Grants<'a>,
    /// Whether groups may call, by auth policies.
    access: grants::Grants<'a>,
    /// What the console is told to show.
    plugins: monitoring::Plugins,
    /// The Kuadrant that has Limitador's counters scraped.
    counters: Option<Seen<'a>>,
    /// Whether there is a Kuadrant.
    has_kuadrant: bool,
    /// Whether the stack has Kueue.
    has_kueue: bool,
    /// Whether OpenShift AI is told to serve subscriptions.
    has_subscriptions: bool,
}

impl<'a> World<'a> {
    fn new(catalogue: &'a [Resource], documents: &'a [(usize, Document<'a>)]) -> Self {
        let of_stack = catalogue.iter().filter_map(|resource| match &resource.node {
            Node::Object(object) => Some((object.manifest.object(), object.manifest.value())),
            Node::Overlay(overlay) => Some((&overlay.target, &overlay.fields)),
            Node::Gate(_) | Node::Action(_) | Node::Check(_) => None,
        });
        let of_stack = of_stack.map(|(object, value)| Seen {
            document: None,
            object,
            value,
        });
        let mut world = Self::default();
        for seen in of_stack.chain(documents.iter().map(|(_, document)| seen(document))) {
            world.note(seen);
        }
        world
    }

    fn note(&mut self, seen: Seen<'a>) {
        let Seen { object, value, .. } = seen;
        let (namespace, name) = (object.namespace.as_deref().unwrap_or_default(), object.name.as_str());
        let spec = &value["spec"];
        match seen.kind() {
            kind @ (external::MODEL | model::SERVICE) => {
                if kind == model::SERVICE {
                    self.services.entry((namespace, name)).or_insert(seen);
                }
                self.models.insert((namespace, kind.1, name));
                if let Some(secret) = spec["credentialRef"]["name"].as_str() {
                    self.credentials.entry((namespace, secret)).or_insert(seen);
                }
                if let Some(target) = spec["targetModel"].as_str() {
                    self.targets.entry(target).or_insert(seen);
                }
            }
            external::REFERENCE => {
                if let Some((kind, name)) = external::referred(value) {
                    self.references.entry((namespace, kind, name)).or_insert(seen);
                }
            }
            gateway::GATEWAY => {
                for secret in gateway::presented(value) {
                    self.presented.entry((namespace, secret)).or_insert(seen);
                }
                // Of an annotation that is added to it nothing follows.
                if spec["listeners"].is_array() {
                    if gateway::is_maas(namespace, name) {
                        self.gateway.get_or_insert(seen);
                    }
                    if let Some(service) = route::service(seen) {
                        self.services_of_gateways.entry((namespace, service)).or_insert(seen);
                    }
                }
            }
            subscription::SUBSCRIPTION => {
                self.priorities.entry(subscription::priority(value)).or_insert(seen);
                self.limits.note(seen, "owner");
            }
            subscription::AUTH_POLICY => self.access.note(seen, "subjects"),
            monitoring::PLUGIN => self.plugins.note(value),
            monitoring::KUADRANT_KIND => {
                self.has_kuadrant = true;
                if spec["observability"]["enable"] == true {
                    self.counters.get_or_insert(seen);
                }
            }
            gateway::TELEMETRY if gateway::is_of_maas(seen) => {
                self.telemetry.get_or_insert(seen);
            }
            doubts::OPERATOR if doubts::is_manual(seen) => {
                self.manual.entry(namespace).or_insert(seen);
            }
            doubts::CLASS if seen.document.is_none() => {
                self.class.get_or_insert(seen);
            }
            gateway::CERTIFICATE => {
                if let Some(secret) = spec["secretName"].as_str() {
                    self.issued.entry((namespace, secret)).or_insert(seen);
                }
            }
            ("kueue.x-k8s.io" | "kueue.openshift.io", _) => self.has_kueue = true,
            ("kuadrant.io", kind) if seen.document.is_none() && gateway::is_of_maas(seen) => {
                self.policies.entry(kind).or_insert(seen);
            }
            neighbours::INITIALIZATION if seen.document.is_none() => {
                self.singletons.insert((seen.kind().1, name));
            }
            neighbours::CLUSTER => {
                if seen.document.is_none() {
                    self.instance.get_or_insert(seen);
                    self.singletons.insert((seen.kind().1, name));
                }
                let switch = &spec["components"]["kserve"]["modelsAsService"]["managementState"];
                self.has_subscriptions |= switch == "Managed";
            }
            _ => {}
        }
    }
}

fn seen<'a>(document: &'a Document<'a>) -> Seen<'a> {
    Seen {
        document: Some(document),
        object: document.manifest.object(),
        value: document.manifest.value(),
    }
}

/// Adds what is wrong with documents to `errors`, and what is rarely right to `notices`.
pub(super) fn check(
    documents: &[(usize, Document<'_>)],
    catalogue: &[Resource],
    beside: Capacity<'_>,
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
) {
    let world = World::new(catalogue, documents);
    let made: BTreeMap<_, &Resource> = catalogue
        .iter()
        .filter_map(|resource| match &resource.node {
            Node::Object(object) => Some((object.manifest.object().key(), resource)),
            _ => None,
        })
        .collect();
    for (_, document) in documents {
        let (one, at) = (seen(document), document);
        if let Some(resource) = made.get(&one.object.key()) {
            errors.push(ManifestsError::TwiceWithStack {
                at: at.at(),
                object: one.object.to_string(),
                address: resource.address.to_string(),
            });
        }
        neighbours::check(&world, one, at, errors);
        doubts::check(&world, one, at, notices);
        metadata::check(one, at, errors);
        match one.kind() {
            ("", "Secret") => external::credential(&world, one, at, errors),
            ("", "Service" | "ConfigMap") => gateway::certificate(&world, one, at, errors),
            external::MODEL => external::model(&world, one, at, errors),
            external::REFERENCE => external::reference(&world, one, at, errors),
            subscription::SUBSCRIPTION => {
                subscription::check(one, "owner", at, errors);
                subscription::limits(&world, one, at, errors);
            }
            route::ROUTE => route::check(&world, one, at, errors),
            gateway::TELEMETRY => gateway::telemetry(&world, one, at, errors),
            subscription::AUTH_POLICY => subscription::check(one, "subjects", at, errors),
            model::SERVICE => model::check(&world, one, at, errors),
            ("kuadrant.io", "AuthPolicy" | "RateLimitPolicy" | "TokenRateLimitPolicy") => {
                gateway::policy(&world, one, at, errors);
            }
            // Kinds of MaaS that a group of another name does not have (`reference/serving.md` §5.3 E4).
            (group, kind @ ("MaaSModelRef" | "MaaSSubscription" | "MaaSAuthPolicy")) => {
                errors.push(ManifestsError::ForeignGroup {
                    at: at.at_field("apiVersion"),
                    kind: kind.to_owned(),
                    group: group.to_owned(),
                });
            }
            _ => {}
        }
    }
    capacity::check(beside, documents, errors, notices);
}

#[cfg(test)]
mod tests;
