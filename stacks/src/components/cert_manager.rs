//! cert-manager: the operator and its settings. Leader Worker Set needs it whatever issues the certificates
//! (`reference/platform.md` §2.8 and §7 row D24).
//!
//! Facts: `reference/platform.md` §2.2.

use super::{
    Context,
    draft::{Draft, Kind, at, pods, seconds, see},
    olm::{Approval, Catalog, Home, Operator, Scope},
    platform_symptoms,
};
use crate::stack::Platform;
use serde_json::json;
use stackctl_engine::{
    Address, ObjectRef,
    readiness::{Observation, Rule, Target},
};

/// Where cert-manager itself runs.
pub(super) const OPERANDS: &str = "cert-manager";
/// The Secret with keys that may write DNS records.
pub(super) const CREDENTIALS: &str = "aws-creds";

const KINDS: &[Kind] = &[
    Kind {
        group: "operator.openshift.io",
        kind: "CertManager",
        plural: "certmanagers",
        namespaced: false,
    },
    Kind {
        group: "cert-manager.io",
        kind: "Issuer",
        plural: "issuers",
        namespaced: true,
    },
    Kind {
        group: "cert-manager.io",
        kind: "ClusterIssuer",
        plural: "clusterissuers",
        namespaced: false,
    },
    Kind {
        group: "cert-manager.io",
        kind: "Certificate",
        plural: "certificates",
        namespaced: true,
    },
];

/// The gate that its webhook answers: objects of its kinds are refused before that.
pub(super) fn ready() -> Address {
    at("cert-manager.ready")
}

/// The gate that those keys are there; only on AWS.
pub(super) fn credentials_made() -> Address {
    at("cert-manager.credentials-made")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let on_aws = context.stack.cluster.platform == Platform::Aws;
    let mut config = json!({"tolerations": [{"key": "node-role.kubernetes.io/infra", "operator": "Exists"}]});
    if on_aws {
        config["env"] = json!([{"name": "CLOUD_CREDENTIALS_SECRET_NAME", "value": CREDENTIALS}]);
    }
    let operator = Operator {
        component: "cert-manager",
        title: "cert-manager",
        namespace: "cert-manager-operator",
        home: Some(Home {
            display_name: None,
            group: "openshift-cert-manager-operator",
            scope: Scope::AllWithStrategy,
            is_monitored: true,
        }),
        subscription: "openshift-cert-manager-operator",
        package: "openshift-cert-manager-operator",
        source: Catalog::RedHat,
        channel: "stable-v1".to_owned(),
        approval: Approval::Automatic(None),
        config: Some(config),
        kinds: KINDS,
    };
    let mut nodes = operator.nodes(context, |subscription| {
        let subscription = subscription.after_write(
            at("cert-manager.operand-namespace"),
            "the operator runs cert-manager there",
        );
        if on_aws {
            subscription.after_write(
                at("cert-manager.credentials"),
                "the operator is told the name of the Secret with its credentials",
            )
        } else {
            subscription
        }
    });
    nodes.push(Draft::object(
        at("cert-manager.operand-namespace"),
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": OPERANDS, "labels": {"openshift.io/cluster-monitoring": "true"}},
        }),
    ));
    if on_aws {
        nodes.extend(credentials());
    }
    nodes.extend(operand());
    nodes.extend(metrics());
    nodes
}

/// Keys that may write DNS records, made by the cluster's own credential operator.
fn credentials() -> [Draft; 2] {
    let secret = ObjectRef::namespaced("v1", "Secret", OPERANDS, CREDENTIALS);
    let request = Draft::object(
        at("cert-manager.credentials"),
        json!({
            "apiVersion": "cloudcredential.openshift.io/v1",
            "kind": "CredentialsRequest",
            "metadata": {"name": "cert-manager", "namespace": "openshift-cloud-credential-operator"},
            "spec": {
                "providerSpec": {
                    "apiVersion": "cloudcredential.openshift.io/v1",
                    "kind": "AWSProviderSpec",
                    "statementEntries": [
                        {"effect": "Allow", "action": ["route53:GetChange"], "resource": "arn:aws:route53:::change/*"},
                        {
                            "effect": "Allow",
                            "action": ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"],
                            "resource": "arn:aws:route53:::hostedzone/*",
                        },
                        {"effect": "Allow", "action": ["route53:ListHostedZonesByName"], "resource": "*"},
                    ],
                },
                "secretRef": {"name": CREDENTIALS, "namespace": OPERANDS},
                "serviceAccountNames": ["cert-manager"],
            },
        }),
    )
    .after_write(
        at("cert-manager.operand-namespace"),
        "the credentials are written into that namespace",
    );
    // reference/platform.md §4 G07: in mode Manual nobody makes the Secret.
    let minted = Draft::gate(credentials_made(), vec![see(secret, Rule::non_empty("data"))])
        .after_write(
            at("cert-manager.credentials"),
            "the credential operator answers the request",
        )
        .within(seconds(120))
        .diagnosed_by(platform_symptoms::credentials(
            ObjectRef::namespaced(
                "cloudcredential.openshift.io/v1",
                "CredentialsRequest",
                "openshift-cloud-credential-operator",
                "cert-manager",
            ),
            CREDENTIALS,
            OPERANDS,
        ))
        .note(format!("waits for Secret {OPERANDS}/{CREDENTIALS}"));
    [request, minted]
}

fn operand() -> [Draft; 2] {
    let config = Draft::object(
        at("cert-manager.config"),
        // `observedConfig` and `unsupportedConfigOverrides` are null in the manual, which means absent
        // (reference/platform.md §2.25).
        json!({
            "apiVersion": "operator.openshift.io/v1alpha1",
            "kind": "CertManager",
            "metadata": {"name": "cluster"},
            "spec": {
                "logLevel": "Normal",
                "operatorLogLevel": "Normal",
                "managementState": "Managed",
                "controllerConfig": {"overrideArgs": [
                    "--dns01-recursive-nameservers-only",
                    "--dns01-recursive-nameservers=8.8.8.8:53,1.1.1.1:53",
                    "--enable-certificate-owner-ref",
                ]},
            },
        }),
    )
    // The operator makes this object when there is none.
    .expected()
    .leaves(
        ObjectRef::cluster("operator.openshift.io/v1alpha1", "CertManager", "cluster"),
        "its operator makes one whenever there is none",
    );
    // Exactly three: controller, cainjector and webhook.
    let three = Observation::new(
        Target::labelled(pods(), OPERANDS, "app.kubernetes.io/instance", "cert-manager", 3),
        Rule::PodReady,
    );
    let ready = Draft::gate(ready(), vec![three])
        .after_write(at("cert-manager.config"), "the operator rolls its operands out for it")
        .within(seconds(300))
        .diagnosed(platform_symptoms::unpulled(OPERANDS, &[]))
        .note("waits for 3 pods of cert-manager, the webhook among them");
    [config, ready]
}

fn metrics() -> [Draft; 3] {
    let labels = json!({
        "app.kubernetes.io/component": "controller",
        "app.kubernetes.io/instance": "cert-manager",
        "app.kubernetes.io/name": "cert-manager",
    });
    let mut own_labels = labels.clone();
    own_labels["app"] = json!("cert-manager");
    [
        Draft::object(
            at("cert-manager.metrics-role"),
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": {"name": "prometheus-k8s", "namespace": OPERANDS},
                "rules": [{
                    "apiGroups": [""],
                    "resources": ["services", "endpoints", "pods"],
                    "verbs": ["get", "list", "watch"],
                }],
            }),
        ),
        Draft::object(
            at("cert-manager.metrics-binding"),
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": "prometheus-k8s", "namespace": OPERANDS},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "prometheus-k8s"},
                "subjects": [{
                    "kind": "ServiceAccount",
                    "name": "prometheus-k8s",
                    "namespace": "openshift-monitoring",
                }],
            }),
        ),
        Draft::object(
            at("cert-manager.metrics"),
            json!({
                "apiVersion": "monitoring.coreos.com/v1",
                "kind": "ServiceMonitor",
                "metadata": {"name": "cert-manager", "namespace": OPERANDS, "labels": own_labels},
                "spec": {
                    "endpoints": [{"interval": "30s", "port": "tcp-prometheus-servicemonitor", "scheme": "http"}],
                    "selector": {"matchLabels": labels},
                },
            }),
        ),
    ]
}
