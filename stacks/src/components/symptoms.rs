//! Known symptoms of serving: what is seen when something does not become ready, and what practice prescribes.
//!
//! Every text is what a person does, in the words of this tool's own keys where there is one; the cause is told in the
//! controller's own words by whatever is looked at. A symptom lasts where its status says that it will not go by itself.
//!
//! Facts: `reference/serving.md` §5, by row.

use super::{
    draft::{pods, seconds, see},
    names::{APPLICATIONS, INGRESS, KUADRANT, OPERATORS},
};
use stackctl_engine::{
    FieldPath, ObjectRef, ObjectType,
    readiness::{Matcher, Observation, Rule, Target},
    resource::Diagnosis,
};
use std::{collections::BTreeMap, time::Duration};

/// How long pods may fail to start before waiting is in vain: a kubelet tries again within five minutes
/// (<https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>).
const PODS_LAST: u64 = 300;
/// How long a status that asks for a person may stand: every controller here looks again within 45 s
/// (`reference/serving.md` §1.8).
pub(super) const STATUS_LASTS: Duration = seconds(120);

/// At least one object of a type, with these labels, is so.
pub(super) fn some(of: ObjectType, namespace: Option<&str>, labels: &[(&str, &str)], rule: Rule) -> Observation {
    let labels: BTreeMap<_, _> = labels
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let target = Target::Some {
        of,
        namespace: namespace.map(str::to_owned),
        labels,
        at_least: 1,
    };
    Observation::new(target, rule)
}

/// A condition has this reason.
pub(super) fn reason(kind: &str, reason: &str) -> Rule {
    Rule::ConditionReason {
        kind: kind.to_owned(),
        reasons: vec![reason.to_owned()],
    }
}

/// A condition has this status.
pub(super) fn status(kind: &str, status: &str) -> Rule {
    Rule::Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
    }
}

/// An object is so.
pub(super) fn see_object(object: &ObjectRef, rule: Rule) -> Observation {
    see(object.clone(), rule)
}

/// Whatever is seen, this is to be done.
pub(super) fn otherwise(asks: impl Into<String>) -> Diagnosis {
    Diagnosis::new(Vec::new(), asks)
}

/// It is so, and stays so until a person has done this.
pub(super) fn lasting(observation: Observation, asks: impl Into<String>) -> Diagnosis {
    Diagnosis::new(vec![observation], asks).lasting(STATUS_LASTS)
}

/// It is so for now; this helps if it stays.
pub(super) fn passing(observation: Observation, asks: impl Into<String>) -> Diagnosis {
    Diagnosis::new(vec![observation], asks)
}

/// Pods of a namespace with these labels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pods<'a> {
    pub(super) namespace: &'a str,
    pub(super) labels: &'a [(&'a str, &'a str)],
}

impl Pods<'_> {
    fn are(&self, rule: Rule) -> Observation {
        some(pods(), Some(self.namespace), self.labels, rule)
    }

    fn stuck(reasons: &[&str]) -> Rule {
        Rule::ContainerStuck {
            reasons: reasons.iter().map(|&reason| reason.to_owned()).collect(),
        }
    }

    /// An image cannot be pulled (M12).
    pub(super) fn unpulled(&self) -> Diagnosis {
        let rule = Self::stuck(&["ErrImagePull", "ImagePullBackOff", "InvalidImageName"]);
        Diagnosis::new(
            vec![self.are(rule)],
            "see that the image is there, and that Secret openshift-config/pull-secret has its registry",
        )
        .lasting(seconds(PODS_LAST))
    }

    /// A container takes more memory than it may.
    pub(super) fn out_of_memory(&self, asks: impl Into<String>) -> Diagnosis {
        Diagnosis::new(vec![self.are(Self::stuck(&["OOMKilled"]))], asks).lasting(seconds(PODS_LAST))
    }

    /// A container ends again and again.
    pub(super) fn crashing(&self, asks: impl Into<String>) -> Diagnosis {
        let rule = Self::stuck(&["CrashLoopBackOff", "Error"]);
        Diagnosis::new(vec![self.are(rule)], asks).lasting(seconds(PODS_LAST))
    }

    /// A container ends again and again, and says this at its end.
    pub(super) fn crashing_with(&self, list: &str, says: &str, asks: impl Into<String>) -> Diagnosis {
        let says = Rule::Field {
            path: FieldPath::of(&format!("status.{list}[0].lastState.terminated.message")),
            is: Matcher::ContainsText(says.to_owned()),
        };
        let rule = Rule::All(vec![says, Self::stuck(&["CrashLoopBackOff", "Error"])]);
        Diagnosis::new(vec![self.are(rule)], asks).lasting(seconds(PODS_LAST))
    }

    /// No node has a free GPU (M9, M11). One may become free, or be added, so this alone ends no wait.
    pub(super) fn without_gpu(&self, asks: impl Into<String>) -> Diagnosis {
        let lacks = Rule::Field {
            path: FieldPath::of("status.conditions[type=PodScheduled].message"),
            is: Matcher::ContainsText("Insufficient nvidia.com/gpu".to_owned()),
        };
        let rule = Rule::All(vec![lacks, reason("PodScheduled", "Unschedulable")]);
        Diagnosis::new(vec![self.are(rule)], asks)
    }

    /// No node takes them.
    pub(super) fn unscheduled(&self) -> Diagnosis {
        Diagnosis::new(
            vec![self.are(reason("PodScheduled", "Unschedulable"))],
            "see nodes and claims that the pod asks for",
        )
    }

    /// What keeps any pod from running.
    pub(super) fn not_running(&self, name: &str) -> [Diagnosis; 4] {
        let log = format!("see the log of Deployment {}/{name}", self.namespace);
        [
            self.unpulled(),
            self.out_of_memory(format!("give Deployment {}/{name} more memory", self.namespace)),
            self.crashing(log),
            self.unscheduled(),
        ]
    }
}

/// Why a GatewayClass is not accepted (G2).
pub(super) fn class() -> Vec<Diagnosis> {
    let foreign = Rule::All(vec![
        Rule::Not(Box::new(Rule::equals(
            r#"metadata.annotations["ingress.operator.openshift.io/owned"]"#,
            "true",
        ))),
        Rule::Field {
            path: FieldPath::of("spec.name"),
            is: Matcher::OneOf(vec!["servicemeshoperator".into(), "servicemeshoperator3".into()]),
        },
    ]);
    let subscriptions = ObjectType::new("operators.coreos.com/v1alpha1", "Subscription");
    vec![
        lasting(
            some(subscriptions, Some(OPERATORS), &[], foreign),
            "remove that Subscription, or bring it to the version that OpenShift's ingress operator installs: it keeps \
             the gateway controller of OpenShift from accepting the class",
        ),
        otherwise("see what the ingress operator says in namespace openshift-ingress-operator"),
    ]
}

/// Why a Gateway is not programmed (G1, G3, G4).
pub(super) fn gateway(
    name: &str,
    service: &str,
    secret: Option<&str>,
    by_route: bool,
    component: &str,
) -> Vec<Diagnosis> {
    let gateway = ObjectRef::namespaced("gateway.networking.k8s.io/v1", "Gateway", INGRESS, name);
    let mut known = Vec::new();
    if let Some(secret) = secret {
        let unresolved = Rule::equals(
            "status.listeners[0].conditions[type=ResolvedRefs].reason",
            "InvalidCertificateRef",
        );
        known.push(lasting(
            see(gateway, unresolved),
            format!(
                "create Secret {INGRESS}/{secret} with the keys `tls.crt` and `tls.key`, or have one generated with \
                 `{component}.tls`"
            ),
        ));
    }
    if !by_route {
        let waits = Rule::All(vec![
            Rule::equals("spec.type", "LoadBalancer"),
            Rule::Not(Box::new(Rule::non_empty("status.loadBalancer.ingress"))),
        ]);
        known.push(passing(
            see(ObjectRef::namespaced("v1", "Service", INGRESS, service), waits),
            format!(
                "give the cluster something that gives load balancers an address, or set `exposure = \"route\"` in \
                 `[{component}]`"
            ),
        ));
    }
    let label = [("gateway.networking.k8s.io/gateway-name", name)];
    let proxies = Pods {
        namespace: INGRESS,
        labels: &label,
    };
    known.extend(proxies.not_running(service));
    known.push(otherwise(format!(
        "see that its GatewayClass is accepted, that Connectivity Link is installed and that Kuadrant is Ready; then see \
         the log of Deployment {INGRESS}/{service}"
    )));
    known
}

/// Why a route is not taken by a gateway (M2, S6).
pub(super) fn route(namespace: &str, name: &str) -> Diagnosis {
    let route = ObjectRef::namespaced("gateway.networking.k8s.io/v1", "HTTPRoute", namespace, name);
    lasting(
        see(
            route,
            Rule::equals(
                "status.parents[0].conditions[type=Accepted].reason",
                "NotAllowedByListeners",
            ),
        ),
        format!(
            "let the listener of the gateway admit namespace {namespace}: `stackctl apply` writes it as the stack has it"
        ),
    )
}

/// What keeps Authorino and Limitador from running.
pub(super) fn operands() -> Vec<Diagnosis> {
    let mut known = Vec::new();
    for (label, name) in [
        (("authorino-resource", "authorino"), "authorino"),
        (("app", "limitador"), "limitador-limitador"),
    ] {
        let pods = Pods {
            namespace: KUADRANT,
            labels: &[label],
        };
        known.extend(pods.not_running(name));
    }
    known
}

/// How the operator of Kuadrant is started anew (K1, K3).
pub(super) const RESTART_KUADRANT: &str =
    "oc delete pod -n openshift-operators -l app.kubernetes.io/name=kuadrant-operator";

/// What keeps a Deployment of OpenShift AI from running, by the label of its pods.
pub(super) fn application(label: (&str, &str), name: &str) -> [Diagnosis; 4] {
    Pods {
        namespace: APPLICATIONS,
        labels: &[label],
    }
    .not_running(name)
}
