//! An operator from the Operator Lifecycle Manager: what every one of them needs, waits for and leaves.
//!
//! The nodes: `namespace`, `group`, `subscription`, for a pin `approve`, the gate `installed` (the version has succeeded),
//! and the gate `kinds` (its kinds are served), which custom resources wait for.
//!
//! Facts: `reference/platform.md` §2.1.

use super::{
    Context,
    draft::{AT_ONCE, Draft, Kind, at, established, see},
    platform_symptoms::Installation,
};
use crate::stack::Catalogs;
use serde_json::{Value, json};
use stackctl_engine::{
    Address, FieldPath, ObjectRef, ObjectType,
    readiness::{Observation, Rule, Target},
    resource::{Action, ConsequenceClass, Diagnosis, Effect, NeededBy},
};
use std::time::Duration;

/// How long an operator may take until its version has succeeded (`reference/platform.md` §2.1: 300 s).
const INSTALL: Duration = Duration::from_secs(300);
/// How long a kind may take until it is served: the longest that the reference allows any (`reference/platform.md` §2.10).
const KINDS: Duration = Duration::from_secs(600);
const SUBSCRIPTION: &str = "operators.coreos.com/v1alpha1";

/// An operator from the marketplace.
#[derive(Clone, Debug)]
pub(super) struct Operator {
    /// The first segment of its addresses.
    pub(super) component: &'static str,
    /// What people call it.
    pub(super) title: &'static str,
    /// The namespace it is installed into.
    pub(super) namespace: &'static str,
    /// How that namespace is set up; nothing for one that is part of OpenShift.
    pub(super) home: Option<Home>,
    /// The name of its Subscription. Other operators look for some of them by name (`reference/platform.md` §2.12).
    pub(super) subscription: &'static str,
    /// The package in the marketplace.
    pub(super) package: &'static str,
    /// The catalogue that has the package.
    pub(super) source: Catalog,
    /// The channel.
    pub(super) channel: String,
    /// Who approves, and which version it starts with.
    pub(super) approval: Approval,
    /// `spec.config` of the Subscription, where it has one.
    pub(super) config: Option<Value>,
    /// The kinds that we use.
    pub(super) kinds: &'static [Kind],
}

/// The namespace of an operator that is ours, and its OperatorGroup.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    /// What the console calls the namespace.
    pub(super) display_name: Option<&'static str>,
    /// The name of the OperatorGroup.
    pub(super) group: &'static str,
    /// Which namespaces the operator acts on.
    pub(super) scope: Scope,
    /// Whether the cluster's own Prometheus scrapes it.
    pub(super) is_monitored: bool,
}

/// Which namespaces an operator acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Its own.
    Own,
    /// All; the group says nothing.
    All,
    /// All; the group spells the default upgrade strategy out.
    AllWithStrategy,
}

/// Who approves what an operator installs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Approval {
    /// OLM, by its own default: the manifest says nothing.
    Default,
    /// OLM; the first version is given where it is known.
    Automatic(Option<String>),
    /// We, and this version only, with what it is known to bring along.
    Pinned(Pin),
    /// OLM where it may. In a namespace where somebody else's Subscription is manual every plan waits
    /// (`reference/platform.md` §2.7 last item): there we approve this version, and nothing beside it.
    AutomaticOr(Pin),
}

/// Which catalogue has a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Catalog {
    /// Red Hat's.
    RedHat,
    /// Certified operators of partners.
    Certified,
    /// The community's.
    Community,
}

/// The one version that we approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    /// Its ClusterServiceVersion.
    pub(super) csv: String,
    /// The beginnings of the names of the versions that may come along.
    pub(super) along: &'static [&'static str],
}

impl Operator {
    /// The gate that its version has succeeded.
    pub(super) fn installed(&self) -> Address {
        self.address("installed")
    }

    /// The gate that its kinds are served.
    pub(super) fn kinds_served(&self) -> Address {
        self.address("kinds")
    }

    fn address(&self, role: &str) -> Address {
        at(&format!("{}.{role}", self.component))
    }

    /// Its Subscription.
    pub(super) fn subscription(&self) -> ObjectRef {
        ObjectRef::namespaced(SUBSCRIPTION, "Subscription", self.namespace, self.subscription)
    }

    /// The version that its Subscription says is installed: the link that makes the evidence fresh. It is read in the
    /// Subscription's own namespace, where no copied version stands (`reference/platform.md` §2.1 item 3).
    fn installed_version(&self) -> Target {
        self.version("status.installedCSV")
    }

    fn version(&self, at: &str) -> Target {
        Target::Linked {
            from: self.subscription(),
            at: FieldPath::of(at),
            of: csv_type(),
        }
    }

    /// Its nodes. `before` puts the edges of the component on the Subscription.
    pub(super) fn nodes(&self, context: &Context<'_>, before: impl FnOnce(Draft) -> Draft) -> Vec<Draft> {
        let mut nodes = Vec::new();
        nodes.extend(self.home.iter().flat_map(|home| self.home_nodes(home)));
        let catalogs = &context.stack.operators.catalogs;
        nodes.push(before(self.subscription_node(catalogs)).diagnosed_by(self.diagnoses(catalogs)));
        if let Approval::Pinned(pin) | Approval::AutomaticOr(pin) = &self.approval {
            nodes.push(self.approve_node(pin).diagnosed_by(self.diagnoses(catalogs)));
        }
        nodes.push(self.installed_node().diagnosed_by(self.diagnoses(catalogs)));
        if !self.kinds.is_empty() {
            nodes.push(
                Draft::gate(self.kinds_served(), established(self.kinds))
                    .after(self.installed(), &format!("{} brings the kinds", self.title))
                    .provides(self.kinds)
                    .within(KINDS)
                    // The version registers its kinds before it succeeds (`reference/platform.md` §3).
                    .usually(AT_ONCE)
                    .note(format!("waits for {}", listed(self.kinds))),
            );
        }
        nodes
    }

    fn home_nodes(&self, home: &Home) -> [Draft; 2] {
        let mut metadata = json!({"name": self.namespace});
        if home.is_monitored {
            metadata["labels"] = json!({"openshift.io/cluster-monitoring": "true"});
        }
        if let Some(name) = home.display_name {
            metadata["annotations"] = json!({"openshift.io/display-name": name});
        }
        let mut group = json!({
            "apiVersion": "operators.coreos.com/v1",
            "kind": "OperatorGroup",
            "metadata": {"name": home.group, "namespace": self.namespace},
        });
        match home.scope {
            Scope::Own => group["spec"] = json!({"targetNamespaces": [self.namespace]}),
            Scope::All => {}
            Scope::AllWithStrategy => group["spec"] = json!({"upgradeStrategy": "Default"}),
        }
        [
            Draft::object(
                self.address("namespace"),
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}),
            ),
            Draft::object(self.address("group"), group),
        ]
    }

    /// What is known to keep its version from being installed.
    fn diagnoses(&self, catalogs: &Catalogs) -> Vec<Diagnosis> {
        let installation = Installation {
            subscription: &self.subscription(),
            namespace: self.namespace,
            is_shared: self.home.is_none(),
            package: self.package,
            catalog: (self.catalog(catalogs), catalogs.namespace.as_str()),
            pin: match &self.approval {
                Approval::Pinned(pin) | Approval::AutomaticOr(pin) => Some((pin.csv.as_str(), pin.along)),
                Approval::Default | Approval::Automatic(_) => None,
            },
            is_pinned: matches!(self.approval, Approval::Pinned(_)),
        };
        let failed = Observation::new(self.installed_version(), Rule::equals("status.phase", "Failed"));
        let asks = format!(
            "see what the pods in {0} say; once that is mended, delete Subscription {0}/{1} and that version",
            self.namespace, self.subscription
        );
        let mut known = installation.diagnoses();
        known.push(Diagnosis::new(vec![failed], asks));
        known
    }

    fn catalog<'a>(&self, catalogs: &'a Catalogs) -> &'a str {
        match self.source {
            Catalog::RedHat => catalogs.redhat.as_str(),
            Catalog::Certified => catalogs.certified.as_str(),
            Catalog::Community => catalogs.community.as_str(),
        }
    }

    fn subscription_node(&self, catalogs: &Catalogs) -> Draft {
        let source = self.catalog(catalogs);
        let mut spec = json!({
            "channel": self.channel,
            "name": self.package,
            "source": source,
            "sourceNamespace": catalogs.namespace.as_str(),
        });
        match &self.approval {
            Approval::Default => {}
            Approval::Automatic(first) => {
                spec["installPlanApproval"] = json!("Automatic");
                if let Some(csv) = first {
                    spec["startingCSV"] = json!(csv);
                }
            }
            Approval::AutomaticOr(_) => spec["installPlanApproval"] = json!("Automatic"),
            Approval::Pinned(pin) => {
                spec["installPlanApproval"] = json!("Manual");
                spec["startingCSV"] = json!(pin.csv);
            }
        }
        if let Some(config) = &self.config {
            spec["config"] = config.clone();
        }
        let manifest = json!({
            "apiVersion": SUBSCRIPTION,
            "kind": "Subscription",
            "metadata": {"name": self.subscription, "namespace": self.namespace},
            "spec": spec,
        });
        let mut node = Draft::object(self.address("subscription"), manifest)
            // What is installed is known from then on, and with it what destroy has to take along.
            .ready(Rule::non_empty("status.installedCSV"))
            .within(INSTALL)
            .note(format!("channel {}", self.channel))
            .claims(
                self.installed_version(),
                "deleting a Subscription leaves the version that it installed",
                Some(by_subscriptions()),
            )
            // The Subscription calls a version installed when it next looks after the plan has made it
            // (`reference/platform.md` §2.1 items 1 and 3).
            .claims(
                self.version("status.currentCSV"),
                "deleting a Subscription leaves the version that it is installing",
                Some(by_subscriptions()),
            )
            // reference/platform.md §6 item 8: deleting a version does not delete its kinds.
            .leaves(
                ObjectRef::cluster("apiextensions.k8s.io/v1", "CustomResourceDefinition", "*"),
                "the kinds that operators brought stay: deleting one deletes every object of it, whoever made it",
            );
        if let Some(home) = self.home {
            node = node.after_write(
                self.address("group"),
                "OLM installs only where there is an OperatorGroup",
            );
            if home.scope == Scope::Own {
                return node;
            }
        }
        node.tells(
            ConsequenceClass::ClusterRights,
            format!("gives the operator {} its rights over the whole cluster", self.title),
        )
    }

    /// Approves the pin and what it is known to bring, and nothing else: a newer version leaves a plan of its own
    /// behind, which a blind approval would take (`reference/platform.md` §2.7).
    fn approve_node(&self, pin: &Pin) -> Draft {
        let only = if pin.along.is_empty() {
            "and nothing else".to_owned()
        } else {
            format!("and at most {} beside it", pin.along.join(", ").replace(".v", ""))
        };
        Draft::action(
            self.address("approve"),
            Action {
                effect: Effect::PatchAdmitted {
                    of: ObjectType::new(SUBSCRIPTION, "InstallPlan"),
                    namespace: self.namespace.to_owned(),
                    path: FieldPath::of("spec.clusterServiceVersionNames"),
                    must_hold: pin.csv.clone(),
                    may_start_with: pin.along.iter().map(|&name| name.to_owned()).collect(),
                    unless: (FieldPath::of("spec.approved"), json!(true)),
                    patch: json!({"spec": {"approved": true}}),
                },
                goal: vec![see(self.subscription(), self.goal(pin))],
                trigger: json!(pin.csv),
                satisfied_by_goal: true,
            },
        )
        .after_write(
            self.address("subscription"),
            "OLM makes the install plan for the Subscription",
        )
        .within(INSTALL)
        .note(match &self.approval {
            Approval::Pinned(_) => format!("approves the install plan of {}", pin.csv),
            _ => format!(
                "approves the install plan of {} where it waits for an approval",
                pin.csv
            ),
        })
        .tells(
            ConsequenceClass::Approval,
            format!("approves the InstallPlan of {} ({only})", pin.csv),
        )
    }

    /// A pinned version is what has to be there. Else any is: OLM may have gone on from it.
    fn goal(&self, pin: &Pin) -> Rule {
        match &self.approval {
            Approval::Pinned(_) => is_installed(&pin.csv),
            Approval::Default | Approval::Automatic(_) | Approval::AutomaticOr(_) => {
                Rule::non_empty("status.installedCSV")
            }
        }
    }

    fn installed_node(&self) -> Draft {
        let succeeded = Observation::new(self.installed_version(), Rule::equals("status.phase", "Succeeded"))
            .failing_when(Rule::equals("status.phase", "Failed"));
        let (observations, waits_for) = match &self.approval {
            Approval::Pinned(pin) => (
                vec![see(self.subscription(), is_installed(&pin.csv)), succeeded],
                pin.csv.as_str(),
            ),
            Approval::Default | Approval::Automatic(_) | Approval::AutomaticOr(_) => (vec![succeeded], self.package),
        };
        let gate = Draft::gate(self.installed(), observations)
            .within(INSTALL)
            .note(format!("waits for CSV {waits_for} Succeeded"));
        match &self.approval {
            Approval::Pinned(_) | Approval::AutomaticOr(_) => {
                // `installedCSV`, which the approval waits for, is set when the version has succeeded.
                gate.after(self.address("approve"), "the version is installed once it is approved")
                    .usually(AT_ONCE)
            }
            Approval::Default | Approval::Automatic(_) => gate.after_write(
                self.address("subscription"),
                "OLM installs what the Subscription asks for",
            ),
        }
    }
}

/// The type of a ClusterServiceVersion.
pub(super) fn csv_type() -> ObjectType {
    ObjectType::new(SUBSCRIPTION, "ClusterServiceVersion")
}

/// The type of a Subscription.
pub(super) fn subscription_type() -> ObjectType {
    ObjectType::new(SUBSCRIPTION, "Subscription")
}

/// Who needs an installed version: the Subscriptions of its namespace that name it. One that finds a version there already
/// takes it over (<https://olm.operatorframework.io/docs/concepts/olm-architecture/dependency-resolution/>).
pub(super) fn by_subscriptions() -> NeededBy {
    NeededBy {
        of: subscription_type(),
        at: FieldPath::of("status.installedCSV"),
    }
}

fn is_installed(csv: &str) -> Rule {
    Rule::equals("status.installedCSV", csv)
}

fn listed(kinds: &[Kind]) -> String {
    let names: Vec<_> = kinds.iter().map(|kind| kind.kind).collect();
    match names.as_slice() {
        [one] => format!("kind {one}"),
        [first, rest @ ..] => format!("kind {first} and {} more", rest.len()),
        [] => "no kind".to_owned(),
    }
}
