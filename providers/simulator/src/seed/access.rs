//! Who may do what, and the secrets of a fresh cluster. None of them opens anything outside the simulator.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::Platform;
use super::object::{cluster, namespaced};
use crate::oauth::OAUTH_SERVER;

/// The one user of the htpasswd identity provider, a member of `cluster-admins` and `rhods-admins`.
pub const ADMIN_USER: &str = "admin";

/// The password of [`ADMIN_USER`] on the simulated cluster, for people who try it.
pub const ADMIN_PASSWORD: &str = "Admin1234!";

/// The bcrypt form of [`ADMIN_PASSWORD`], at the lowest usual cost: it protects nothing.
pub(crate) const ADMIN_HASH: &str = "$2y$05$stackctlSimulatedClus.9XzSM0E0S.azlSnbHn6KO3EYmaOZufi";

/// Where the identity provider keeps its users; the name is the cluster's own (`reference/serving.md` §1.14).
const HTPASSWD_SECRET: &str = "htpass-secret";

const RBAC: &str = "rbac.authorization.k8s.io/v1";

pub(super) fn objects(platform: Platform) -> Vec<Value> {
    let mut objects = secrets();
    objects.extend(identities());
    if platform == Platform::Aws {
        objects.extend(cloud());
    }
    objects.extend(roles());
    objects.push(cluster(
        "config.openshift.io/v1",
        "OAuth",
        "cluster",
        json!({"spec": {"identityProviders": [{
            "name": "htpasswd", "mappingMethod": "claim", "type": "HTPasswd",
            "htpasswd": {"fileData": {"name": HTPASSWD_SECRET}},
        }]}}),
    ));
    // The two groups that must never be deleted: reference/platform.md §6.
    for group in ["cluster-admins", "rhods-admins"] {
        objects.push(cluster(
            "user.openshift.io/v1",
            "Group",
            group,
            json!({"users": [ADMIN_USER]}),
        ));
    }
    // What the RoleBinding of the cert-manager component refers to: reference/platform.md §2.2.
    objects.push(namespaced(
        "v1",
        "ServiceAccount",
        "openshift-monitoring",
        "prometheus-k8s",
        json!({}),
    ));
    objects
}

fn secrets() -> Vec<Value> {
    let nobody = encoded("simulated:no-credential");
    let registries = [
        "cloud.openshift.com",
        "quay.io",
        "registry.connect.redhat.com",
        "registry.redhat.io",
    ];
    let auths = registries.map(|registry| (registry.to_owned(), json!({"auth": nobody, "email": "ops@example.com"})));
    let docker = json!({"auths": Value::Object(auths.into_iter().collect())}).to_string();
    vec![namespaced(
        "v1",
        "Secret",
        "openshift-config",
        "pull-secret",
        json!({
            "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": encoded(&docker)},
        }),
    )]
}

/// The users of the identity provider, and the copy of them that the authentication operator keeps.
fn identities() -> [Value; 2] {
    let users = || json!({"htpasswd": encoded(&format!("{ADMIN_USER}:{ADMIN_HASH}\n"))});
    [
        opaque("openshift-config", HTPASSWD_SECRET, users()),
        opaque("openshift-authentication", "v4-0-config-user-idp-0-file-data", users()),
    ]
}

#[expect(clippy::needless_pass_by_value, reason = "every caller writes it in place")]
fn opaque(namespace: &str, name: &str, data: Value) -> Value {
    namespaced("v1", "Secret", namespace, name, json!({"type": "Opaque", "data": data}))
}

/// What MachineSets on AWS name in their providerSpec (`reference/platform.md` §2.5).
fn cloud() -> [Value; 2] {
    [
        opaque(
            "openshift-machine-api",
            "aws-cloud-credentials",
            json!({
                "aws_access_key_id": encoded("SIMULATED"), "aws_secret_access_key": encoded("simulated"),
            }),
        ),
        opaque(
            "openshift-machine-api",
            "worker-user-data",
            json!({
                "disableTemplating": encoded("true"), "userData": encoded("{\"ignition\":{\"version\":\"3.2.0\"}}"),
            }),
        ),
    ]
}

/// The cluster roles that OpenShift has beside those of Kubernetes, of which the API server itself has its own. What is
/// aggregated stands for what the platform and its operators bring
/// (<https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/authentication_and_authorization/using-rbac>).
fn roles() -> Vec<Value> {
    let reading = json!(["get", "list", "watch"]);
    let writing = json!([
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch"
    ]);
    let role = |name: &str, rules: Value| cluster(RBAC, "ClusterRole", name, json!({"rules": rules}));
    let aggregated = |suffix: &str, verbs: &Value| {
        let rules = json!([
            {"apiGroups": ["route.openshift.io", "serving.kserve.io"], "resources": ["*"], "verbs": verbs},
            {"apiGroups": ["project.openshift.io"], "resources": ["projects"], "verbs": ["get"]},
        ]);
        let mut role = role(&format!("system:openshift:aggregate-to-{suffix}"), rules);
        role["metadata"]["labels"] = json!({format!("rbac.authorization.k8s.io/aggregate-to-{suffix}"): "true"});
        role
    };
    let bind = |name, role, kind, subject| {
        cluster(
            RBAC,
            "ClusterRoleBinding",
            name,
            json!({
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": subject}],
            }),
        )
    };
    vec![
        aggregated("admin", &writing),
        aggregated("edit", &writing),
        aggregated("view", &reading),
        role("cluster-reader", readable(&reading)),
        role(
            "cluster-monitoring-view",
            json!([
                {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
                {"apiGroups": ["monitoring.coreos.com"], "resources": ["prometheuses/api"], "verbs": ["get", "create", "update"]},
            ]),
        ),
        role(
            "self-provisioner",
            json!([
                {"apiGroups": ["", "project.openshift.io"], "resources": ["projectrequests"], "verbs": ["create"]},
            ]),
        ),
        role(
            "basic-user",
            json!([
                {"apiGroups": ["", "user.openshift.io"], "resources": ["users"], "resourceNames": ["~"], "verbs": ["get"]},
                {"apiGroups": ["", "project.openshift.io"], "resources": ["projectrequests"], "verbs": ["list"]},
                {"apiGroups": ["", "project.openshift.io"], "resources": ["projects"], "verbs": ["list", "watch"]},
                {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews"], "verbs": ["create"]},
                {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": ["get", "list"]},
            ]),
        ),
        bind("cluster-admins", "cluster-admin", "Group", "system:cluster-admins"),
        bind("cluster-admins-group", "cluster-admin", "Group", "cluster-admins"),
        bind("basic-users", "basic-user", "Group", "system:authenticated"),
        bind(
            "self-provisioners",
            "self-provisioner",
            "Group",
            "system:authenticated:oauth",
        ),
        bind(
            "system:openshift:openshift-authentication",
            "cluster-admin",
            "User",
            OAUTH_SERVER,
        ),
    ]
}

/// What a reader of the cluster reads: everything but Secrets.
fn readable(reading: &Value) -> Value {
    let core = [
        "bindings",
        "componentstatuses",
        "configmaps",
        "endpoints",
        "events",
        "limitranges",
        "namespaces",
        "namespaces/status",
        "nodes",
        "nodes/status",
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "pods/log",
        "pods/status",
        "replicationcontrollers",
        "resourcequotas",
        "serviceaccounts",
        "services",
        "services/status",
    ];
    let others = [
        "apiextensions.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "cert-manager.io",
        "components.platform.opendatahub.io",
        "config.openshift.io",
        "datasciencecluster.opendatahub.io",
        "dscinitialization.opendatahub.io",
        "gateway.networking.k8s.io",
        "kuadrant.io",
        "maas.opendatahub.io",
        "machine.openshift.io",
        "machineconfiguration.openshift.io",
        "networking.k8s.io",
        "operator.openshift.io",
        "operators.coreos.com",
        "packages.operators.coreos.com",
        "policy",
        "project.openshift.io",
        "rbac.authorization.k8s.io",
        "route.openshift.io",
        "serving.kserve.io",
        "storage.k8s.io",
        "user.openshift.io",
    ];
    json!([
        {"apiGroups": [""], "resources": core, "verbs": reading},
        {"apiGroups": others, "resources": ["*"], "verbs": reading},
        {"nonResourceURLs": ["*"], "verbs": ["get"]},
    ])
}

fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}
