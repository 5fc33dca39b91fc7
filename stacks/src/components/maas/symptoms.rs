//! Known symptoms of Models-as-a-Service that does not become ready.
//!
//! Facts: `reference/serving.md` §5.2 and §5.3, by row; §1.8, §1.10 and §1.12 for the reasons of conditions.

use crate::components::{
    draft::{labelled, pods, seconds, see},
    names::{APPLICATIONS, INGRESS, MAAS, OPERATORS},
    rhoai,
    symptoms::{
        self, Pods, RESTART_KUADRANT, STATUS_LASTS, application, lasting, otherwise, passing, reason, some, status,
    },
};
use stackctl_engine::{
    FieldPath, ObjectRef, ObjectType,
    readiness::{Matcher, Rule},
    resource::{Diagnosis, Effect, Remedy},
};

/// The pods of maas-api.
const API: (&str, &str) = ("app.kubernetes.io/name", "maas-api");

/// The policy by which maas-api knows who calls.
pub(super) fn api_policy() -> ObjectRef {
    ObjectRef::namespaced("kuadrant.io/v1", "AuthPolicy", APPLICATIONS, "maas-api-auth-policy")
}

/// A policy that is not accepted while Kuadrant is there: its operator does not reconcile, and is restarted; the policies
/// themselves are never edited (K3; §2.3, first row).
pub(super) fn restart_kuadrant() -> Remedy {
    Remedy {
        symptom: vec![see(api_policy(), status("Accepted", "False"))],
        after: seconds(60),
        effects: vec![Effect::Delete {
            target: labelled(pods(), Some(OPERATORS), ("app.kubernetes.io/name", "kuadrant-operator")),
        }],
        why: "restarts the Kuadrant operator, which does not accept the policy of maas-api".to_owned(),
    }
}

/// Why the operator does not bring MaaS, or its controller no tenant.
pub(super) fn component() -> Vec<Diagnosis> {
    let mut known = application(("control-plane", "maas-controller"), "maas-controller").to_vec();
    known.push(passing(
        see(rhoai::cluster_object(), status("ModelsAsServiceReady", "False")),
        format!("see the log of Deployment {APPLICATIONS}/maas-controller"),
    ));
    known
}

/// The controller that runs is of an early-access release: it serves, and the operator cannot bring it up to date (P7).
pub(in crate::components) fn early_access() -> Diagnosis {
    let immutable = Rule::Field {
        path: FieldPath::of("status.conditions[type=ModelsAsServiceReady].message"),
        is: Matcher::ContainsText("field is immutable".to_owned()),
    };
    let told = Rule::All(vec![immutable, status("ModelsAsServiceReady", "False")]);
    lasting(
        see(rhoai::cluster_object(), told),
        format!(
            "delete Deployments {APPLICATIONS}/maas-controller and {APPLICATIONS}/maas-api, which are of an early-access \
             release: the operator makes them anew"
        ),
    )
}

/// Why a tenant is not ready (P1 to P3, P9).
pub(super) fn tenant(tenant: &ObjectRef) -> Vec<Diagnosis> {
    let is = |why: &str| see(tenant.clone(), reason("Ready", why));
    let database = format!("{APPLICATIONS}/maas-db-config");
    let mut known = vec![
        lasting(
            is("GatewayNotReady"),
            "see who took the gateway of MaaS away: `stackctl apply` makes it again",
        ),
        lasting(
            is("DependenciesNotAvailable"),
            "see that Connectivity Link is installed and Kuadrant is Ready, which bring the kind AuthConfig",
        ),
        lasting(
            is("PrerequisitesNotMet"),
            format!(
                "restore Secret {database} with the connection under the key `DB_CONNECTION_URL`; maas-controller looks \
                 again every 45 s"
            ),
        ),
        Pods {
            namespace: APPLICATIONS,
            labels: &[API],
        }
        .crashing_with(
            "containerStatuses",
            "password authentication failed",
            format!(
                "put the password that the database was made with into Secret {database} again, or empty the database, \
                 which loses every API key; then restart Deployment {APPLICATIONS}/maas-api"
            ),
        ),
    ];
    known.extend(application(API, "maas-api"));
    known.extend(payload_processing());
    known.push(otherwise(format!(
        "see the log of Deployment {APPLICATIONS}/maas-controller"
    )));
    known
}

/// Why calls cannot be answered (P20, K3).
pub(super) fn api() -> Vec<Diagnosis> {
    let mut known = application(API, "maas-api").to_vec();
    known.extend(payload_processing());
    known.push(lasting(
        see(api_policy(), status("Accepted", "False")),
        format!("restart the operator of Kuadrant once more, and never edit the policy: `{RESTART_KUADRANT}`"),
    ));
    known
}

fn payload_processing() -> [Diagnosis; 4] {
    Pods {
        namespace: INGRESS,
        labels: &[("app", "payload-processing")],
    }
    .not_running("payload-processing")
}

/// Why MaaS does not offer a model (S5, S6).
pub(super) fn reference(namespace: &str, name: &str, kind: &str) -> Vec<Diagnosis> {
    let route = match kind {
        "ExternalModel" => name.to_owned(),
        _ => format!("{name}-kserve-route"),
    };
    let reference = ObjectRef::namespaced("maas.opendatahub.io/v1alpha1", "MaaSModelRef", namespace, name);
    vec![
        symptoms::route(namespace, &route),
        passing(
            see(reference, status("Ready", "False")),
            format!("see {kind} {namespace}/{name} and its route at the gateway of MaaS"),
        ),
    ]
}

/// Why a subscription is not active (S7).
pub(super) fn subscription(name: &str) -> Diagnosis {
    let subscription = ObjectRef::namespaced("maas.opendatahub.io/v1alpha1", "MaaSSubscription", MAAS, name);
    passing(
        see(subscription, status("Ready", "False")),
        "see the models that it names: each needs a MaaSModelRef and a route",
    )
}

/// Why the policies of a model are not enforced, or are not those of a tier (M25, S8, K3).
pub(super) fn policies(namespace: &str, model: &str) -> Vec<Diagnosis> {
    let mut known = Vec::new();
    // Another reference to the same model, of anybody; its name is told, so that it can be deleted.
    let another = some(
        ObjectType::new("maas.opendatahub.io/v1alpha1", "MaaSModelRef"),
        Some(namespace),
        &[],
        Rule::All(vec![
            Rule::Not(Box::new(Rule::equals("metadata.name", model))),
            Rule::equals("spec.modelRef.name", model),
        ]),
    );
    for (api_version, kind, prefix) in [
        ("kuadrant.io/v1", "AuthPolicy", "maas-auth"),
        ("kuadrant.io/v1alpha1", "TokenRateLimitPolicy", "maas-trlp"),
    ] {
        let name = format!("{prefix}-{model}");
        let policy = ObjectRef::namespaced(api_version, kind, namespace, &name);
        let anonymous = format!("{model}-kserve-route-authn");
        let overridden = |by: &str| {
            let by = Rule::Field {
                path: FieldPath::of("status.conditions[type=Enforced].message"),
                is: Matcher::ContainsText(by.to_owned()),
            };
            Rule::All(vec![by, reason("Enforced", "Overridden")])
        };
        known.extend([
            lasting(
                see(policy.clone(), overridden(&anonymous)),
                format!("delete AuthPolicy {namespace}/{anonymous}: it lets everybody call the model, and is left over"),
            ),
            Diagnosis::new(
                vec![see(policy.clone(), overridden("maas-")), another.clone()],
                format!(
                    "delete MaaSModelRef {namespace}/{{name}}: of two references to one model only the policies of one are \
                     enforced"
                ),
            )
            .lasting(STATUS_LASTS),
            lasting(
                see(
                    policy.clone(),
                    Rule::equals(r#"metadata.annotations["opendatahub.io/managed"]"#, "false"),
                ),
                format!(
                    "take the annotation `opendatahub.io/managed` off {kind} {namespace}/{name}: with it maas-controller \
                     leaves the policy as it is"
                ),
            ),
            passing(
                see(policy.clone(), status("Accepted", "False")),
                format!("restart the operator of Kuadrant, and never edit the policy: `{RESTART_KUADRANT}`"),
            ),
            passing(
                see(policy, status("Enforced", "False")),
                "see that Authorino and Limitador run in namespace kuadrant-system, and what the operator of Kuadrant says",
            ),
        ]);
    }
    known
}

/// Why nobody can log in yet (I1).
pub(super) fn logins() -> Diagnosis {
    otherwise("see the pods of namespace openshift-authentication: they take the users over as they restart")
}

/// Why the dashboard does not start again (M14).
pub(in crate::components) fn dashboard() -> Vec<Diagnosis> {
    let models = ObjectType::new("serving.kserve.io/v1alpha2", "LLMInferenceService");
    let nameless = Rule::Not(Box::new(Rule::non_empty("spec.model.name")));
    let crashes = some(
        pods(),
        Some(APPLICATIONS),
        &[("app", "rhods-dashboard")],
        Rule::ContainerStuck {
            reasons: vec!["CrashLoopBackOff".to_owned(), "Error".to_owned()],
        },
    );
    let mut known = vec![
        Diagnosis::new(
            vec![crashes, some(models, None, &[], nameless)],
            "give that model a name: `oc patch llminferenceservice {name} -n {namespace} --type=merge -p \
             '{\"spec\":{\"model\":{\"name\":\"ORG/MODEL\"}}}'`",
        )
        .lasting(seconds(300)),
    ];
    known.extend(application(("app", "rhods-dashboard"), "rhods-dashboard"));
    known
}
