//! Known symptoms of the platform: what is seen when something below models does not become ready, and what practice
//! prescribes.
//!
//! The cause is told in the controller's own words by whatever is looked at. A symptom lasts where its status says that it
//! will not go by itself.
//!
//! Facts: `reference/platform.md` §4, by row.

use super::{
    draft::{pods, see},
    names::{APPLICATIONS, MACHINES},
    symptoms::some,
};
use crate::stack::operators::BROKEN;
use stackctl_engine::{
    FieldPath, ObjectRef, ObjectType,
    readiness::{Matcher, Rule},
    resource::Diagnosis,
};
use std::time::Duration;

/// How long a status that asks for a person may stand, since it may be of before our last write: OLM, the slowest of
/// those that are asked, resolves within seconds (§4 G19).
const LASTS: Duration = Duration::from_secs(30);
/// How long a status may stand that only a person changes, but might be about to.
const PERSON_LASTS: Duration = Duration::from_secs(60);
/// How long an operator may say that it cannot go on: those that are asked look again within a minute.
const OPERATOR_LASTS: Duration = Duration::from_secs(120);
/// How long pods may fail to pull: a kubelet tries again within five minutes
/// (<https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff>).
const PULLS_LAST: Duration = Duration::from_secs(300);

const OLM: &str = "operators.coreos.com/v1alpha1";
const CHALLENGE: &str = "acme.cert-manager.io/v1";

/// A condition is true for this reason.
fn because(kind: &str, reason: &str) -> Rule {
    let reasons = vec![reason.to_owned()];
    let kind = kind.to_owned();
    Rule::All(vec![Rule::condition(&kind), Rule::ConditionReason { kind, reasons }])
}

fn is_false(kind: &str) -> Rule {
    Rule::Condition {
        kind: kind.to_owned(),
        status: "False".to_owned(),
    }
}

fn field(path: &str, is: Matcher) -> Rule {
    Rule::Field {
        path: FieldPath::of(path),
        is,
    }
}

/// Whatever is seen, this is to be done.
fn otherwise(asks: impl Into<String>) -> Diagnosis {
    Diagnosis::new(Vec::new(), asks)
}

/// What OLM has to say about one Subscription.
#[derive(Clone, Copy, Debug)]
pub(super) struct Installation<'a> {
    pub(super) subscription: &'a ObjectRef,
    /// Its namespace, which is an operator's own or that of all of them.
    pub(super) namespace: &'a str,
    pub(super) is_shared: bool,
    pub(super) package: &'a str,
    /// The catalogue that has the package, and its namespace.
    pub(super) catalog: (&'a str, &'a str),
    /// The version that we approve, and the beginnings of what may come along.
    pub(super) pin: Option<(&'a str, &'a [&'a str])>,
    /// Whether that version is the only one that may run.
    pub(super) is_pinned: bool,
}

impl Installation<'_> {
    fn says(&self, rule: Rule, asks: String) -> Diagnosis {
        Diagnosis::new(vec![see(self.subscription.clone(), rule)], asks)
    }

    /// Why nothing is installed (G18, G20, G32, G42).
    pub(super) fn diagnoses(&self) -> Vec<Diagnosis> {
        let (catalog, market) = self.catalog;
        let (package, namespace) = (self.package, self.namespace);
        let mut known = Vec::new();
        known.extend(self.running_what_is_broken());
        known.extend(self.running_another());
        known.push(
            self.says(
                because("ResolutionFailed", "ConstraintsNotSatisfiable"),
                format!(
                    "ask for a version that the channel has: `oc get packagemanifest {package} -n {market} -o yaml` lists them"
                ),
            )
            .lasting(LASTS),
        );
        known.push(
            self.says(
                Rule::condition("BundleUnpackFailed"),
                format!(
                    "see that the cluster can pull from the registry of the catalogue, delete the failed Job and its ConfigMap in {market}, and then Subscription {namespace}/{}",
                    self.subscription.name
                ),
            )
            .lasting(LASTS),
        );
        known.push(
            self.says(
                because("CatalogSourcesUnhealthy", "UnhealthyCatalogSourceFound"),
                format!("bring the catalogue back: `oc get catalogsource,pods -n {market}` shows how {catalog} is"),
            )
            .lasting(OPERATOR_LASTS),
        );
        if !self.is_shared {
            known.push(unpulled(namespace, &[]));
        }
        known.extend(self.waiting_plan());
        known
    }

    /// A version that is known to break the platform is there already: somebody approved its install plan.
    fn running_what_is_broken(&self) -> Option<Diagnosis> {
        self.pin?;
        let broken = BROKEN.iter().map(|(csv, _)| (*csv).into()).collect();
        let running = field("status.installedCSV", Matcher::OneOf(broken));
        let asks = format!(
            "somebody approved an upgrade that breaks the platform: delete Subscription {0}/{1} and the ClusterServiceVersion that it names",
            self.namespace, self.subscription.name
        );
        Some(self.says(running, asks).lasting(LASTS))
    }

    /// Another version than the pin is there, and none is on its way (§2.7: an upgrade plan that a blind approval took).
    fn running_another(&self) -> Option<Diagnosis> {
        const INSTALLED: &str = "status.installedCSV";
        let (pin, _) = self.pin.filter(|_| self.is_pinned)?;
        let another = Rule::All(vec![
            Rule::equals("status.state", "AtLatestKnown"),
            Rule::non_empty(INSTALLED),
            Rule::Not(Box::new(Rule::equals(INSTALLED, pin))),
        ]);
        let asks = format!(
            "somebody approved an upgrade that this stack does not ask for: name that version under `[operators.pins]`, or delete it and Subscription {0}/{1}",
            self.namespace, self.subscription.name
        );
        Some(self.says(another, asks).lasting(LASTS))
    }

    /// An install plan that nobody approves. One with more than the pin in it is not ours to approve (§2.7).
    fn waiting_plan(&self) -> Option<Diagnosis> {
        let waits = Rule::equals("status.phase", "RequiresApproval");
        let plans = ObjectType::new(OLM, "InstallPlan");
        let list = "spec.clusterServiceVersionNames";
        let Some((pin, along)) = self.pin else {
            let waits = some(plans, Some(self.namespace), &[], waits);
            // Where operators share a namespace, upgrades of others may wait there for good.
            return (!self.is_shared).then(|| {
                let approve = r#"--type merge -p '{"spec":{"approved":true}}'"#;
                let asks = format!(
                    "a manual Subscription in {0} makes every plan there wait: look at what it holds and approve it, `oc patch installplan {{name}} -n {0} {approve}`",
                    self.namespace
                );
                Diagnosis::new(vec![waits], asks).lasting(PERSON_LASTS)
            });
        };
        let allowed = along.iter().chain([&pin]).map(|&start| start.to_owned()).collect();
        let with_more = Rule::All(vec![
            waits,
            field(list, Matcher::Holds(pin.into())),
            Rule::Not(Box::new(field(list, Matcher::AllStartWith(allowed)))),
        ]);
        let with_more = some(plans, Some(self.namespace), &[], with_more);
        let asks = format!(
            "it holds more than this stack allows, so it is not approved: approve InstallPlan {}/{{name}} by hand if all of that may be installed, or take {} out of the stack",
            self.namespace, self.package
        );
        Some(Diagnosis::new(vec![with_more], asks).lasting(LASTS))
    }
}

/// Images of pods in a namespace cannot be pulled (G42).
pub(super) fn unpulled(namespace: &str, labels: &[(&str, &str)]) -> Diagnosis {
    let reasons = ["ErrImagePull", "ImagePullBackOff"].map(str::to_owned);
    let stuck = Rule::ContainerStuck {
        reasons: reasons.into(),
    };
    Diagnosis::new(
        vec![some(pods(), Some(namespace), labels, stuck)],
        "let the cluster pull it: credentials for its registry go into Secret openshift-config/pull-secret",
    )
    .lasting(PULLS_LAST)
}

/// Why there is no Secret with keys of the cloud (G07).
pub(super) fn credentials(request: ObjectRef, secret: &str, namespace: &str) -> [Diagnosis; 2] {
    let by_hand = format!(
        "create Secret {namespace}/{secret} with the keys `aws_access_key_id` and `aws_secret_access_key` yourself"
    );
    let insufficient = see(request, because("InsufficientCloudCreds", "CloudCredsInsufficient"));
    [
        Diagnosis::new(
            vec![insufficient],
            format!(
                "give the cluster's own credentials the rights that CredentialsRequest {{name}} lists, or {by_hand}"
            ),
        )
        .lasting(PERSON_LASTS),
        otherwise(format!(
            "where the credential operator is in mode Manual nobody makes it: {by_hand}"
        )),
    ]
}

/// Why an issuer has no account at its ACME server (G46).
pub(super) fn issuer(name: &str) -> Diagnosis {
    let issuer = ObjectRef::cluster("cert-manager.io/v1", "ClusterIssuer", name);
    let refused = Rule::ConditionReason {
        kind: "Ready".to_owned(),
        reasons: vec!["ErrRegisterACMEAccount".to_owned()],
    };
    Diagnosis::new(
        vec![see(issuer, refused)],
        "let the cluster reach that server, or write `issuer = \"local-ca\"` under `[tls]`: a closed network gets no certificate from there",
    )
    .lasting(PERSON_LASTS)
}

/// Why a certificate is not issued: what its challenges say (G05, G46).
pub(super) fn certificate(namespace: &str) -> [Diagnosis; 2] {
    const REASON: &str = "status.reason";
    let challenge = |rule| some(ObjectType::new(CHALLENGE, "Challenge"), Some(namespace), &[], rule);
    let no_zone = field(REASON, Matcher::ContainsText("hosted zone".to_owned()));
    [
        Diagnosis::new(
            vec![challenge(no_zone)],
            "see that the public zone of the domain is in this AWS account; name it by `hosted_zone_id` under `[tls]`, or choose another `issuer`",
        )
        .in_words_of(&[REASON])
        .lasting(OPERATOR_LASTS),
        Diagnosis::new(
            vec![challenge(Rule::non_empty(REASON))],
            "see that the cluster can ask 8.8.8.8 and 1.1.1.1 for that record; in a closed network write `issuer = \"local-ca\"` under `[tls]`",
        )
        .in_words_of(&[REASON]),
    ]
}

/// Why a machine of a set does not become a node (G16).
pub(super) fn machines(label: (&str, &str), pool: &str) -> [Diagnosis; 3] {
    const CREATION: &str = "status.providerStatus.conditions[type=MachineCreation]";
    let of = ObjectType::new("machine.openshift.io/v1beta1", "Machine");
    let machine = |rule| some(of.clone(), Some(MACHINES), &[label], rule);
    let failed = Rule::equals("status.phase", "Failed");
    // What the machine API says of a machine whose instance is no more:
    // https://github.com/openshift/machine-api-operator/blob/main/pkg/controller/machine/machine_controller.go
    let lost = field(
        "status.errorMessage",
        Matcher::ContainsText("find created instance".to_owned()),
    );
    let lost = machine(Rule::All(vec![lost, failed.clone()]));
    let failed = machine(failed);
    let not_created = machine(Rule::equals(&format!("{CREATION}.reason"), "MachineCreationFailed"));
    [
        Diagnosis::new(
            vec![lost],
            format!("its instance is gone: `oc delete machine {{name}} -n {MACHINES}` has another one made"),
        )
        .lasting(LASTS),
        Diagnosis::new(
            vec![failed],
            format!(
                "compare what it names with a worker MachineSet of the installer, `oc get machineset -n {MACHINES} -o yaml`; once that is mended, `oc delete machine {{name}} -n {MACHINES}` has another one made"
            ),
        )
        .lasting(LASTS),
        Diagnosis::new(
            vec![not_created],
            format!("wait until the cloud has some, or choose other `zones` or another `size` for pool `{pool}`"),
        )
        .in_words_of(&[&format!("{CREATION}.message")]),
    ]
}

/// Why no node is labelled (G11, G12).
pub(super) fn labels(namespace: &str) -> [Diagnosis; 2] {
    [
        unpulled(namespace, &[]),
        otherwise(format!(
            "see that nodes with an NVIDIA device have joined, and what the pods nfd-worker in {namespace} say"
        )),
    ]
}

/// Why there is no driver on the nodes.
pub(super) fn driver(policy: ObjectRef, namespace: &str) -> [Diagnosis; 2] {
    [
        unpulled(namespace, &[]),
        Diagnosis::new(
            vec![see(policy, is_false("Ready"))],
            format!("see what the pods of DaemonSet {namespace}/nvidia-driver-daemonset say"),
        ),
    ]
}

/// Why nodes with a driver offer no GPU (G13).
pub(super) fn capacity(namespace: &str) -> Diagnosis {
    otherwise(format!(
        "see what the pods of DaemonSet {namespace}/nvidia-device-plugin-daemonset say: that ClusterPolicy is ready proves nothing"
    ))
}

/// Why the kinds of Leader Worker Set do not come (G40).
pub(super) fn leader_worker_set(config: ObjectRef, namespace: &str) -> Diagnosis {
    Diagnosis::new(
        vec![see(config, because("Degraded", "MissingDependency"))],
        format!(
            "see that cert-manager serves kind Issuer, then restart the operator: `oc delete pods --all -n {namespace}`"
        ),
    )
    // It looks again by itself while cert-manager is only late.
    .lasting(OPERATOR_LASTS)
}

/// Why OpenShift AI is not initialised (G25). Nothing that its components bring comes before that.
pub(super) fn initialization() -> Diagnosis {
    let object = ObjectRef::cluster(
        "dscinitialization.opendatahub.io/v2",
        "DSCInitialization",
        "default-dsci",
    );
    Diagnosis::new(
        vec![see(object, because("Degraded", "ReconcileFailed"))],
        "see that the ClusterServiceVersions of Tempo, OpenTelemetry and Cluster Observability have succeeded; the operator looks again by itself",
    )
    .lasting(OPERATOR_LASTS)
}

/// Why the cluster of components is not ready: the component that says why.
pub(super) fn components(object: &ObjectRef) -> Vec<Diagnosis> {
    let known = [
        "Dashboard",
        "AIPipelines",
        "FeastOperator",
        "Kserve",
        "ModelController",
        "Kueue",
        "LlamaStackOperator",
        "MLflowOperator",
        "ModelRegistry",
        "Ray",
        "TrainingOperator",
        "TrustyAI",
        "Workbenches",
    ];
    let of = |name: &str| {
        let kind = format!("{name}Ready");
        let removed = Rule::ConditionReason {
            kind: kind.clone(),
            reasons: vec!["Removed".to_owned()],
        };
        let is_not = Rule::All(vec![Rule::Not(Box::new(removed)), is_false(&kind)]);
        Diagnosis::new(
            vec![see(object.clone(), is_not)],
            format!(
                "see the pods of that component in {APPLICATIONS}, and what the log of Deployment redhat-ods-operator/rhods-operator says"
            ),
        )
    };
    known.into_iter().map(of).collect()
}

/// Why the copies of the bundle lack an authority (G09).
pub(super) fn trust() -> Diagnosis {
    otherwise(
        "see that DSCInitialization default-dsci still has `trustedCABundle.managementState: Managed`, and restart Deployment redhat-ods-operator/rhods-operator",
    )
}

/// Why the dashboard has no settings.
pub(super) fn dashboard() -> Diagnosis {
    otherwise(
        "its operator makes OdhDashboardConfig odh-dashboard-config with component dashboard: see what the log of Deployment redhat-ods-operator/rhods-operator says",
    )
}

/// Why user-workload monitoring does not come (G36).
pub(super) fn user_workload_monitoring(namespace: &str) -> Diagnosis {
    let operator = ObjectRef::cluster("config.openshift.io/v1", "ClusterOperator", "monitoring");
    Diagnosis::new(
        vec![see(operator, Rule::condition("Degraded"))],
        format!("see the pods in {namespace}: without it no model has metrics"),
    )
    .lasting(OPERATOR_LASTS)
}

/// Why Routes are not admitted.
pub(super) fn router() -> Diagnosis {
    let operator = ObjectRef::cluster("config.openshift.io/v1", "ClusterOperator", "ingress");
    Diagnosis::new(
        vec![see(operator, Rule::condition("Degraded"))],
        "see the pods of Deployment openshift-ingress/router-default",
    )
    .lasting(OPERATOR_LASTS)
}
