//! What each program is started with, and why where it is not the default.

use super::{
    credentials::{CA, SERVICE_ACCOUNT_KEY, SERVICE_ACCOUNT_PUBLIC_KEY, SERVING_CERTIFICATE, SERVING_KEY, TOKENS},
    folder::Folder,
    ports::Ports,
    program::Program,
};

/// Whether the API server writes down what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audit {
    /// Every write, with its answer.
    Kept,
    /// Nothing.
    Off,
}

/// Whether controllers act on workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workloads {
    /// Deployments get ReplicaSets, ReplicaSets get pods, which nothing runs.
    Controlled,
    /// Nobody touches them: the simulated operators do.
    Free,
}

/// What differs between two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) audit: Audit,
    pub(super) workloads: Workloads,
}

/// The file of the audit policy.
pub(super) const AUDIT_POLICY: &str = "audit-policy.yaml";

/// Writes with their answers, for uid and digest are in these; of what is secret only that it was asked for.
/// <https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy>
pub(super) const AUDIT_POLICY_TEXT: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  verbs: [get, list, watch]
- level: None
  resources:
  - {group: '', resources: [events]}
  - {group: events.k8s.io, resources: [events]}
- level: Metadata
  resources:
  - {group: '', resources: [secrets, serviceaccounts/token]}
  - {group: authentication.k8s.io, resources: ['*']}
- level: RequestResponse
";

/// The kubeconfig of the controller manager.
pub(super) const CONTROLLER_MANAGER_KUBECONFIG: &str = "kube-controller-manager.yaml";

/// The controllers that objects cannot do without. Deliberately absent are those of workloads, nodes and volumes: no
/// kubelet is here, and the simulated operators play them.
/// <https://github.com/kubernetes/kubernetes/blob/v1.34.4/cmd/kube-controller-manager/names/controller_names.go>
const CONTROLLERS: [&str; 11] = [
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "legacy-serviceaccount-token-cleaner-controller",
    "root-ca-certificate-publisher-controller",
    // Fills the roles `admin`, `edit` and `view`, which are aggregated.
    "clusterrole-aggregation-controller",
    "validatingadmissionpolicy-status-controller",
    // Admission puts finalizers on claims and volumes; these take them away.
    "persistentvolumeclaim-protection-controller",
    "persistentvolume-protection-controller",
    "resourcequota-controller",
];

/// The controllers of workloads that need no kubelet, for whoever holds `kubectl rollout` to a real server.
const WORKLOAD_CONTROLLERS: [&str; 4] = [
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
];

/// The arguments of one program.
pub(super) fn of(program: Program, folder: &Folder, ports: Ports, wanted: Wanted) -> Vec<String> {
    match program {
        Program::Etcd => etcd(folder, ports),
        Program::Apiserver => apiserver(folder, ports, wanted.audit),
        Program::ControllerManager => controller_manager(folder, wanted.workloads),
    }
}

fn etcd(folder: &Folder, ports: Ports) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    vec![
        format!("--data-dir={}", folder.file("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        // The data is thrown away: it need not survive a power cut.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

fn apiserver(folder: &Folder, ports: Ports, audit: Audit) -> Vec<String> {
    let file = |name: &str| folder.file(name).display().to_string();
    let mut arguments = vec![
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", ports.apiserver),
        // Else it looks for a network, which a sandbox need not have.
        "--advertise-address=127.0.0.1".to_owned(),
        // And no endpoint of `kubernetes`: one on loopback is refused.
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--cert-dir={}", file("certificates")),
        format!("--tls-cert-file={}", file(SERVING_CERTIFICATE)),
        format!("--tls-private-key-file={}", file(SERVING_KEY)),
        format!("--token-auth-file={}", file(TOKENS)),
        "--authorization-mode=RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", file(SERVICE_ACCOUNT_PUBLIC_KEY)),
        format!("--service-account-signing-key-file={}", file(SERVICE_ACCOUNT_KEY)),
        // As OpenShift: its service network, and privileged pods left to admission.
        "--service-cluster-ip-range=172.30.0.0/16".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--profiling=false".to_owned(),
    ];
    if audit == Audit::Kept {
        arguments.extend([
            format!("--audit-policy-file={}", file(AUDIT_POLICY)),
            format!("--audit-log-path={}", file("audit.log")),
            // Megabytes, then one older file: bounded.
            "--audit-log-maxsize=500".to_owned(),
            "--audit-log-maxbackup=1".to_owned(),
        ]);
    }
    arguments
}

fn controller_manager(folder: &Folder, workloads: Workloads) -> Vec<String> {
    let mut controllers = CONTROLLERS.to_vec();
    if workloads == Workloads::Controlled {
        controllers.extend(WORKLOAD_CONTROLLERS);
    }
    let file = |name: &str| folder.file(name).display().to_string();
    vec![
        format!("--kubeconfig={}", file(CONTROLLER_MANAGER_KUBECONFIG)),
        format!("--controllers={}", controllers.join(",")),
        // Each controller is a user of its own, with the rights that RBAC gives it from the start.
        "--use-service-account-credentials=true".to_owned(),
        format!("--service-account-private-key-file={}", file(SERVICE_ACCOUNT_KEY)),
        format!("--root-ca-file={}", file(CA)),
        "--leader-elect=false".to_owned(),
        // It is ready when its controllers have worked: no port is needed to tell.
        "--secure-port=0".to_owned(),
        // As OpenShift, where the defaults are 20 and 30 a second.
        // <https://github.com/openshift/cluster-kube-controller-manager-operator/blob/release-4.21/bindata/assets/config/defaultconfig.yaml>
        "--kube-api-qps=150".to_owned(),
        "--kube-api-burst=300".to_owned(),
        "--profiling=false".to_owned(),
    ]
}
