//! Plans, drifts and events made by hand, for the tests of the views.

use super::plan::Surroundings;
use serde_json::json;
use stackctl_engine::{
    Address, FieldPath, ObjectRef,
    diff::drift::{Drift, There},
    estimate::{Basis, Estimate, Leg},
    plan::{Action, DriftedBy, FieldChange, NodeKind, Plan, Purpose, Reason, Shown, Step},
    readiness::Readiness,
    resource::{Consequence, ConsequenceClass},
};
use std::time::Duration;

pub(crate) fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

pub(crate) fn step(
    at: &str,
    node: NodeKind,
    action: Action,
    reason: Reason,
    object: Option<ObjectRef>,
    note: &str,
) -> Step {
    Step {
        address: address(at),
        node,
        action,
        reasons: vec![reason],
        object,
        changes: Vec::new(),
        note: note.to_owned(),
        waits_for: Vec::new(),
        readiness: None,
        consequences: Vec::new(),
    }
}

fn dashboard() -> ObjectRef {
    ObjectRef::namespaced(
        "opendatahub.io/v1alpha",
        "OdhDashboardConfig",
        "redhat-ods-applications",
        "odh-dashboard-config",
    )
}

fn drifted_flag() -> FieldChange {
    FieldChange {
        path: FieldPath::of("spec.dashboardConfig.maasAuthPolicies"),
        before: Shown::Value(json!(true)),
        after: Shown::Value(json!(false)),
        drift: Some(DriftedBy {
            manager: Some("kubectl-edit".to_owned()),
            time: Some("2026-11-22T10:31:00Z".to_owned()),
        }),
    }
}

/// A long text that differs in the middle, written by somebody else.
pub(crate) fn long_change() -> FieldChange {
    let arguments = |level: &str| {
        json!(format!(
            "--dns01-recursive-nameservers-only --dns01-recursive-nameservers=8.8.8.8:53,1.1.1.1:53 --v={level} \
             --enable-certificate-owner-ref"
        ))
    };
    FieldChange {
        path: FieldPath::of("spec.controllerConfig.overrideArgs"),
        before: Shown::Value(arguments("2")),
        after: Shown::Value(arguments("6")),
        drift: Some(DriftedBy {
            manager: Some("kubectl-edit".to_owned()),
            time: Some("2026-11-22T10:31:00Z".to_owned()),
        }),
    }
}

/// The plan of three components, with what does not fit a narrow terminal.
pub(crate) fn plan_with_long_values() -> Plan {
    let mut plan = plan_of_three_components();
    for step in &mut plan.steps {
        match step.node {
            NodeKind::Overlay => {
                step.changes.push(long_change());
                let text = |port: u16| {
                    json!(format!(
                        "server:\n  host: 0.0.0.0\n  port: {port}\n  tls: true\nlog: info\n"
                    ))
                };
                step.changes.push(FieldChange {
                    path: FieldPath::of("data.config"),
                    before: Shown::Value(text(8443)),
                    after: Shown::Value(text(9443)),
                    drift: None,
                });
            }
            NodeKind::Gate => step.note = format!("{}, which its operator installs from the catalogue", step.note),
            NodeKind::Object | NodeKind::Action | NodeKind::Check => {}
        }
    }
    plan
}

pub(crate) fn drifted_dashboard() -> Drift {
    Drift {
        address: address("rhoai.dashboard"),
        object: dashboard(),
        there: There::It,
        changes: vec![drifted_flag()],
    }
}

/// Creates, a gate, an update, a drifted overlay, a known-after value, a secret, and something that is not ready.
pub(crate) fn plan_of_three_components() -> Plan {
    let namespace = ObjectRef::cluster("v1", "Namespace", "cert-manager-operator");
    let subscription = ObjectRef::namespaced(
        "operators.coreos.com/v1alpha1",
        "Subscription",
        "cert-manager-operator",
        "openshift-cert-manager-operator",
    );
    let pro = ObjectRef::namespaced(
        "maas.opendatahub.io/v1alpha1",
        "MaaSSubscription",
        "models-as-a-service",
        "pro-subscription",
    );
    let database = ObjectRef::namespaced("v1", "Secret", "redhat-ods-applications", "maas-db-config");
    let mut limit = step(
        "maas.tier[pro].subscription",
        NodeKind::Object,
        Action::Update,
        Reason::ChangedInStack,
        Some(pro),
        "",
    );
    limit.changes.push(FieldChange {
        path: FieldPath::of("spec.limit"),
        before: Shown::Value(json!(3000)),
        after: Shown::Value(json!(6000)),
        drift: None,
    });
    let mut secret = step(
        "maas.database.secret",
        NodeKind::Object,
        Action::Create,
        Reason::KindOrNamespaceToCome,
        Some(database),
        "",
    );
    secret.changes = vec![
        FieldChange {
            path: FieldPath::of("data.password"),
            before: Shown::Absent,
            after: Shown::Secret,
            drift: None,
        },
        FieldChange {
            path: FieldPath::of("data.ca"),
            before: Shown::Absent,
            after: Shown::KnownAfter("maas.database.certificate".to_owned()),
            drift: None,
        },
    ];
    let mut overlay = step(
        "rhoai.dashboard",
        NodeKind::Overlay,
        Action::Update,
        Reason::Drifted,
        Some(dashboard()),
        "4 of its fields are ours",
    );
    overlay.changes.push(FieldChange {
        before: Shown::Value(json!(false)),
        after: Shown::Value(json!(true)),
        ..drifted_flag()
    });
    overlay.consequences.push(Consequence {
        class: ConsequenceClass::TakesFields,
        text: "takes 4 fields of OdhDashboardConfig odh-dashboard-config".to_owned(),
    });
    let mut installed = step(
        "cert-manager.installed",
        NodeKind::Gate,
        Action::Wait,
        Reason::NotReady,
        None,
        "waits for CSV cert-manager-operator Succeeded",
    );
    installed.consequences.push(Consequence {
        class: ConsequenceClass::Approval,
        text: "approves InstallPlan for rhcl-operator.v1.3.4 (and nothing else)".to_owned(),
    });
    let mut unready = step(
        "rhoai.ready",
        NodeKind::Gate,
        Action::NoOp,
        Reason::Converged,
        None,
        "waits for the DataScienceCluster",
    );
    unready.readiness = Some(Readiness::Progressing("KserveReady=False".to_owned()));
    let unchanged = step(
        "rhoai.namespace",
        NodeKind::Object,
        Action::NoOp,
        Reason::Converged,
        None,
        "",
    );
    Plan {
        purpose: Purpose::Apply,
        steps: vec![
            unchanged,
            step(
                "cert-manager.namespace",
                NodeKind::Object,
                Action::Create,
                Reason::Missing,
                Some(namespace),
                "",
            ),
            step(
                "cert-manager.subscription",
                NodeKind::Object,
                Action::Create,
                Reason::Missing,
                Some(subscription),
                "channel stable-v1",
            ),
            installed,
            secret,
            limit,
            step(
                "maas.restart",
                NodeKind::Action,
                Action::Run,
                Reason::Triggered,
                None,
                "restarts the dashboard",
            ),
            overlay,
            unready,
        ],
        remains: Vec::new(),
        partial: None,
    }
}

fn leg(of: &str, seconds: u64, basis: Basis) -> Leg {
    Leg {
        address: address(of),
        time: Duration::from_secs(seconds),
        basis,
    }
}

pub(crate) fn surroundings() -> Surroundings {
    Surroundings {
        stack: "maas-on-aws".to_owned(),
        cluster: "prod-eu (OpenShift 4.21.3, apps.prod.example.com)".to_owned(),
        estimate: Some(Estimate {
            path: vec![
                leg("cert-manager.installed", 110, Basis::Learned),
                leg("maas.database.secret", 1, Basis::Write),
                leg("rhoai.ready", 200, Basis::Limit),
            ],
        }),
        rehearsal: None,
        is_simulated: false,
        moved: Vec::new(),
        facts_moved: Vec::new(),
    }
}
