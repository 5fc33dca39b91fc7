//! OpenShift GitOps: its operator, what its controller may touch, and Applications of the manual's repository.
//!
//! Facts: `reference/platform.md` §2.16.

use super::{
    Context, cert_manager,
    draft::{Draft, Kind, at, keyed, seconds, see},
    olm::{Approval, Catalog, Home, Operator, Scope},
};
use crate::stack::{Application, Gitops, Platform};
use serde_json::{Value, json};
use stackctl_engine::{Address, ObjectRef, readiness::Rule, resource::ConsequenceClass};

const NAMESPACE: &str = "openshift-gitops";
const CONTROLLER: &str = "openshift-gitops-argocd-application-controller";
const KINDS: &[Kind] = &[Kind {
    group: "argoproj.io",
    kind: "Application",
    plural: "applications",
    namespaced: true,
}];
const ALL_VERBS: [&str; 7] = ["get", "list", "watch", "create", "update", "patch", "delete"];

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(gitops) = &context.stack.gitops else {
        return Vec::new();
    };
    let operator = Operator {
        component: "gitops",
        title: "OpenShift GitOps",
        namespace: "openshift-gitops-operator",
        home: Some(Home {
            display_name: Some("Red Hat OpenShift GitOps"),
            group: "openshift-gitops-operator",
            scope: Scope::All,
            is_monitored: true,
        }),
        subscription: "openshift-gitops-operator",
        package: "openshift-gitops-operator",
        source: Catalog::RedHat,
        channel: gitops.channel.to_string(),
        approval: Approval::Automatic(None),
        config: None,
        kinds: KINDS,
    };
    let mut nodes = operator.nodes(context, |subscription| {
        let kept = "the operator of GitOps made its first instance, and keeps it";
        let part = |api_version, kind| ObjectRef::namespaced(api_version, kind, NAMESPACE, "openshift-gitops*");
        subscription
            .leaves(ObjectRef::cluster("v1", "Namespace", NAMESPACE), kept)
            .leaves(part("argoproj.io/v1beta1", "ArgoCD"), kept)
            .leaves(part("v1", "ServiceAccount"), kept)
            .leaves(part("apps/v1", "StatefulSet"), kept)
            .leaves(part("apps/v1", "Deployment"), kept)
    });
    nodes.push(
        Draft::gate(
            controller(),
            vec![see(
                ObjectRef::namespaced("v1", "ServiceAccount", NAMESPACE, CONTROLLER),
                Rule::Exists,
            )],
        )
        .after(
            operator.kinds_served(),
            "its operator makes the first instance when it starts",
        )
        .within(seconds(300))
        .note(format!("waits for ServiceAccount {NAMESPACE}/{CONTROLLER}")),
    );
    nodes.extend(rights());
    nodes.extend(gitops.applications.iter().map(|one| application(context, gitops, *one)));
    nodes
}

/// The gate that the account of its controller is there.
fn controller() -> Address {
    at("gitops.controller")
}

/// The manual's role, and what it leaves out though its charts contain it (`reference/platform.md` §2.16).
fn rights() -> [Draft; 4] {
    let rule =
        |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": ALL_VERBS});
    let manual = [
        rule("cloudcredential.openshift.io", &["credentialsrequests"]),
        rule("monitoring.coreos.com", &["servicemonitors"]),
        rule(
            "cert-manager.io",
            &[
                "clusterissuers",
                "issuers",
                "certificates",
                "certificaterequests",
                "orders",
                "challenges",
            ],
        ),
    ];
    let missing = [
        rule("operator.openshift.io", &["certmanagers", "ingresscontrollers"]),
        rule("config.openshift.io", &["apiservers"]),
        rule("acme.cert-manager.io", &["orders", "challenges"]),
    ];
    let binding = |address: &str, name: &str, role: &str, of: &str| {
        Draft::object(
            at(address),
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": CONTROLLER, "namespace": NAMESPACE}],
            }),
        )
        .after_write(at(of), "it binds that role")
        .after(controller(), "it binds the account of the controller")
    };
    [
        role("gitops.role", "credentialsrequest-manager", &manual),
        role("gitops.platform-role", "argocd-platform-manager", &missing),
        binding(
            "gitops.binding",
            "argocd-credentialsrequest-manager",
            "credentialsrequest-manager",
            "gitops.role",
        ),
        binding(
            "gitops.platform-binding",
            "argocd-platform-manager",
            "argocd-platform-manager",
            "gitops.platform-role",
        ),
    ]
}

fn role(address: &str, name: &str, rules: &[Value]) -> Draft {
    Draft::object(
        at(address),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules,
        }),
    )
    .tells(
        ConsequenceClass::ClusterRights,
        format!("lets Argo CD write what ClusterRole {name} names"),
    )
}

fn application(context: &Context<'_>, gitops: &Gitops, which: Application) -> Draft {
    let (name, helm) = match which {
        Application::CertManagerOperator => {
            let cloud = match context.stack.cluster.platform {
                Platform::Aws => "aws",
                Platform::None => "none",
            };
            ("cert-manager-operator", json!({"values": format!("cloud: {cloud}\n")}))
        }
        Application::CertManagerRoute53 => {
            let parameter = |name: &str, value: &str| json!({"name": name, "value": value});
            let facts = context.facts;
            let parameters = [
                parameter("clusterDomain", facts.base_domain.as_deref().unwrap_or_default()),
                parameter("route53.region", facts.region.as_deref().unwrap_or_default()),
            ];
            ("cert-manager-route53", json!({"parameters": parameters}))
        }
    };
    Draft::object(
        keyed(&[("gitops", ""), ("application", name)]),
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
            "spec": {
                "project": "default",
                "destination": {"server": "https://kubernetes.default.svc"},
                "source": {
                    "repoURL": gitops.repository,
                    "targetRevision": gitops.revision,
                    "path": format!("gitops/operators/{name}"),
                    "helm": helm,
                },
                "syncPolicy": {"automated": {"prune": false, "selfHeal": false}},
            },
        }),
    )
    .after(
        cert_manager::ready(),
        "a first sync fails while the webhook of cert-manager starts",
    )
    .after_write(
        at("gitops.binding"),
        "its controller needs the rights for its first sync",
    )
    .after_write(
        at("gitops.platform-binding"),
        "its controller needs the rights for its first sync",
    )
    .tells(
        ConsequenceClass::Notice,
        format!(
            "Argo CD applies {} of {} too: both write the same objects",
            name, gitops.repository
        ),
    )
}
