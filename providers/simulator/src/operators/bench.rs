//! A workbench for tests: the operators on a cluster that is a map, with no server and no waiting.
//!
//! It stores what operators write as an API server would (uid, generation, finalizers, owner references), but knows no
//! schemas and no managed fields: those are the API server's own tests.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use super::access::Access;
use super::kinds::{self, Kind};
use super::object::{Read, merge, object};
use super::run::{OperatorsOptions, turns};
use super::turn::{Timers, Write};
use super::world::World;
use crate::clock::Clock;
use crate::schemas;

/// How many rounds of turns a cluster may need to come to rest.
const ROUNDS: usize = 500;

pub(super) struct Bench {
    pub(super) world: World,
    options: OperatorsOptions,
    timers: BTreeMap<&'static str, Timers>,
    version: u64,
    /// Every write that was carried out: operator, kind, namespace/name.
    pub(super) audit: Vec<(String, &'static str, &'static str, &'static str)>,
}

impl Bench {
    /// Returns a freshly seeded cluster whose operators have these faults.
    pub(super) fn new(faults: &[&str]) -> Self {
        let options = OperatorsOptions {
            access: Access::Embedded(http::Uri::default()),
            clock: Clock::new(0.0),
            faults: faults.iter().map(|fault| fault.parse().expect("a fault")).collect(),
            paused: false,
            crds: None,
        };
        let mut bench = Self {
            world: World::default(),
            options,
            timers: BTreeMap::new(),
            version: 0,
            audit: Vec::new(),
        };
        for kind in kinds::ALL.iter().filter(|kind| kind.is_built_in()) {
            bench.world.relist(*kind, Vec::new());
        }
        for crd in schemas::openshift() {
            bench.put(kinds::CRD, crd);
        }
        for namespace in [
            "openshift-operators",
            "openshift-marketplace",
            "openshift-ingress",
            "openshift-monitoring",
        ] {
            bench.put(kinds::NAMESPACE, object(kinds::NAMESPACE, "", namespace, json!({})));
        }
        bench.put(
            kinds::OPERATOR_GROUP,
            object(
                kinds::OPERATOR_GROUP,
                "openshift-operators",
                "global-operators",
                json!({"spec": {}}),
            ),
        );
        let worker = object(
            kinds::NODE,
            "",
            "worker-0",
            json!({"metadata": {"labels": {"node.kubernetes.io/instance-type": "m6i.2xlarge"}}}),
        );
        bench.put(kinds::NODE, worker);
        bench.set(
            kinds::NODE,
            "",
            "worker-0",
            json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
        );
        for (package, channel, entries) in [
            (
                "openshift-cert-manager-operator",
                "stable-v1",
                &["cert-manager-operator.v1.18.0"][..],
            ),
            ("nfd", "stable", &["nfd.4.21.0"]),
            ("gpu-operator-certified", "v26.3", &["gpu-operator-certified.v26.3.3"]),
            (
                "rhcl-operator",
                "stable",
                &["rhcl-operator.v1.3.4", "rhcl-operator.v1.4.0"],
            ),
            ("authorino-operator", "stable", &["authorino-operator.v1.3.0"]),
            ("limitador-operator", "stable", &["limitador-operator.v1.3.0"]),
            ("dns-operator", "stable", &["dns-operator.v1.3.0"]),
            ("leader-worker-set", "stable-v1.0", &["leader-worker-set.v1.0.0"]),
            ("tempo-product", "stable", &["tempo-operator.v0.20.0-1"]),
            (
                "opentelemetry-product",
                "stable",
                &["opentelemetry-operator.v0.144.0-1"],
            ),
            (
                "cluster-observability-operator",
                "stable",
                &[
                    "cluster-observability-operator.v1.4.0",
                    "cluster-observability-operator.v1.5.0",
                ],
            ),
            ("rhods-operator", "stable-3.x", &["rhods-operator.3.4.0"]),
            ("servicemeshoperator3", "stable", &["servicemeshoperator3.v3.2.0"]),
            (
                "openshift-pipelines-operator-rh",
                "latest",
                &["openshift-pipelines-operator-rh.v1.21.0"],
            ),
            (
                "openshift-gitops-operator",
                "latest",
                &["openshift-gitops-operator.v1.20.0"],
            ),
            ("kueue-operator", "stable-v1.3", &["kueue-operator.v1.3.1"]),
            ("metallb-operator", "stable", &["metallb-operator.v4.21.0"]),
            ("grafana-operator", "v5", &["grafana-operator.v5.23.0"]),
        ] {
            let entries: Vec<Value> = entries.iter().map(|name| json!({"name": name})).collect();
            let head = entries.last().expect("an entry")["name"].clone();
            bench.put(kinds::PACKAGE_MANIFEST, object(kinds::PACKAGE_MANIFEST, "openshift-marketplace", package, json!({"status": {
                "catalogSource": "redhat-operators", "catalogSourceNamespace": "openshift-marketplace", "defaultChannel": channel,
                "channels": [{"name": channel, "currentCSV": head, "entries": entries}],
            }})));
        }
        bench
    }

    /// Subscribes to a package in a namespace of its own (with an OperatorGroup) or in one that has a group.
    pub(super) fn subscribe(&mut self, namespace: &str, package: &str, pin: &str) {
        let channel = self
            .world
            .get(kinds::PACKAGE_MANIFEST, "openshift-marketplace", package)
            .expect("a package")
            .text("/status/defaultChannel")
            .to_owned();
        if self.world.list_in(kinds::OPERATOR_GROUP, namespace).next().is_none() {
            self.put(kinds::NAMESPACE, object(kinds::NAMESPACE, "", namespace, json!({})));
            self.put(
                kinds::OPERATOR_GROUP,
                object(kinds::OPERATOR_GROUP, namespace, namespace, json!({"spec": {}})),
            );
        }
        let approval = if pin.is_empty() { "Automatic" } else { "Manual" };
        self.put(kinds::SUBSCRIPTION, object(kinds::SUBSCRIPTION, namespace, package, json!({"spec": {
            "name": package, "channel": channel, "source": "redhat-operators", "sourceNamespace": "openshift-marketplace",
            "installPlanApproval": approval, "startingCSV": pin,
        }})));
    }

    /// Approves the one plan of a namespace that holds this CSV.
    pub(super) fn approve(&mut self, namespace: &str, csv: &str) {
        let plan = self.world.list_in(kinds::INSTALL_PLAN, namespace).find(|plan| {
            plan.list("/spec/clusterServiceVersionNames")
                .iter()
                .any(|name| name == csv)
        });
        let name = plan.expect("a plan with that CSV").name().to_owned();
        self.set(
            kinds::INSTALL_PLAN,
            namespace,
            &name,
            json!({"spec": {"approved": true}}),
        );
        self.settle();
    }

    /// Creates or merges an object, as somebody else than the operators.
    pub(super) fn put(&mut self, kind: Kind, object: Value) {
        let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
        self.store(kind, &namespace, &name, object, false);
    }

    /// Merges fields into an object.
    pub(super) fn set(&mut self, kind: Kind, namespace: &str, name: &str, patch: Value) {
        self.store(kind, namespace, name, patch, true);
    }

    /// Returns an object that must be there.
    pub(super) fn get(&self, kind: Kind, namespace: &str, name: &str) -> &Value {
        self.world
            .get(kind, namespace, name)
            .unwrap_or_else(|| panic!("{} {namespace}/{name} is not there", kind.kind))
    }

    /// Deletes an object and lets the cluster come to rest.
    pub(super) fn delete(&mut self, kind: Kind, namespace: &str, name: &str) {
        self.remove(kind, namespace, name);
        self.settle();
    }

    /// Lets the operators act until nothing changes any more.
    pub(super) fn settle(&mut self) {
        for _ in 0..ROUNDS {
            let (writes, _) = turns(
                &self.world,
                &self.options,
                &mut self.timers,
                (Instant::now(), "2026-01-01T00:00:00Z"),
            );
            if writes.is_empty() {
                return;
            }
            for (operator, write) in writes {
                let (kind, namespace, name) = write.target();
                let (namespace, name) = (namespace.to_owned(), name.to_owned());
                let verb = match &write {
                    Write::Create { .. } => "create",
                    Write::Apply { .. } => "apply",
                    Write::Patch { .. } => "patch",
                    Write::PatchStatus { .. } => "status",
                    Write::Delete { .. } => "delete",
                };
                self.audit
                    .push((format!("{namespace}/{name}"), operator.name, verb, kind.kind));
                match write {
                    Write::Create { object, .. } if self.world.get(kind, &namespace, &name).is_none() => {
                        self.put(kind, object)
                    }
                    Write::Create { .. } => {}
                    Write::Apply { object, .. } => self.store(kind, &namespace, &name, object, false),
                    Write::Patch { patch, .. } | Write::PatchStatus { patch, .. } => {
                        self.store(kind, &namespace, &name, patch, true)
                    }
                    Write::Delete { .. } => self.remove(kind, &namespace, &name),
                }
            }
        }
        let last: Vec<_> = self.audit.iter().rev().take(6).collect();
        panic!("the cluster does not come to rest; last writes: {last:?}");
    }

    /// Takes every fault away.
    pub(super) fn heal(&mut self) {
        self.options.faults.clear();
    }

    /// Lets the operators act on what is there, before any wait is over.
    pub(super) fn look(&mut self) {
        let clock = std::mem::replace(&mut self.options.clock, Clock::new(1.0));
        self.settle();
        self.options.clock = clock;
    }

    /// Returns what the operators would write if their process began again now, before any wait is over.
    pub(super) fn wanted_after_restart(&mut self) -> Vec<String> {
        self.timers.clear();
        let clock = std::mem::replace(&mut self.options.clock, Clock::new(1.0));
        let now = (Instant::now(), "2026-01-01T00:00:00Z");
        let (writes, _) = turns(&self.world, &self.options, &mut self.timers, now);
        self.options.clock = clock;
        let words = writes.iter().map(|(operator, write)| {
            let (kind, namespace, name) = write.target();
            format!("{}: {} {namespace}/{name}", operator.name, kind.kind)
        });
        words.collect()
    }

    fn store(&mut self, kind: Kind, namespace: &str, name: &str, change: Value, only_existing: bool) {
        let live = self.world.get(kind, namespace, name).map(|live| (**live).clone());
        if live.is_none() && only_existing {
            return;
        }
        let before = live.as_ref().map(|live| live["spec"].clone());
        let mut object = live.unwrap_or_else(|| {
            json!({"metadata": {"uid": format!("uid-{}", self.version + 1), "generation": 0,
            "creationTimestamp": format!("{:08}", self.version)}})
        });
        let mut change = change;
        if let Some(metadata) = change.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("resourceVersion");
        }
        merge(&mut object, change);
        object["apiVersion"] = json!(kind.api_version());
        object["kind"] = json!(kind.kind);
        if kind == kinds::CRD && object.condition("Established").is_empty() {
            object["status"] = json!({"conditions": [{"type": "Established", "status": "True"}]});
        }
        if before != Some(object["spec"].clone()) {
            object["metadata"]["generation"] = json!(object.number("/metadata/generation").unwrap_or_default() + 1);
        }
        if object.is_deleting() && object.list("/metadata/finalizers").is_empty() {
            self.gone(kind, &object);
            return;
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if kind == kinds::CRD
            && let Some(served) = kinds::find(object.text("/spec/group"), object.text("/spec/names/kind"))
            && !self.world.serves(served)
        {
            self.world.relist(served, Vec::new());
        }
        self.world.put(kind, object);
    }

    fn remove(&mut self, kind: Kind, namespace: &str, name: &str) {
        let Some(live) = self.world.get(kind, namespace, name).map(|live| (**live).clone()) else {
            return;
        };
        if live.list("/metadata/finalizers").is_empty() {
            self.gone(kind, &live);
        } else if !live.is_deleting() {
            self.set(
                kind,
                namespace,
                name,
                json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
            );
        }
    }

    fn gone(&mut self, kind: Kind, object: &Value) {
        self.world.remove(kind, object.namespace(), object.name(), object.uid());
        for other in kinds::ALL {
            let children: Vec<(String, String)> = self
                .world
                .list(*other)
                .filter(|child| child.is_owned_by(object.uid()))
                .map(|child| (child.namespace().to_owned(), child.name().to_owned()))
                .collect();
            for (namespace, name) in children {
                let orphan = self
                    .get(*other, &namespace, &name)
                    .list("/metadata/ownerReferences")
                    .len()
                    == 1;
                if orphan {
                    self.remove(*other, &namespace, &name);
                }
            }
        }
    }
}
