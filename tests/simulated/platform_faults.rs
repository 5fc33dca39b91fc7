//! Faults of the platform, and what a stack under them comes to: it ends with cause, object and remedy, or it waits and
//! converges.
//!
//! Causes are the words of the real controllers, remedies those of the reference (platform §4, by row), written out here.
//! Faults that do not touch each other share a run. Where a fault may go away by itself the run has a short time limit,
//! and is repeated until it has come so far as to meet it. What happens to a platform that was there:
//! [`crate::platform_life`].

use crate::{
    said::{SHORT, Said, stack, told, under, until_said},
    sandbox::Sandbox,
};

/// A stack with certificates from Let's Encrypt, GPUs and monitoring, and no models.
const LETSENCRYPT: &str = r#"
[stack]
name = "platform"
[cluster]
platform = "aws"
openshift = ">=4.20"
[tls]
issuer = "letsencrypt"
email = "ops@example.com"
[[gpu]]
name = "l40s"
tier = "l40s"
size = "g6e.2xlarge"
zones = ["a", "b"]
nodes_per_zone = 1
[rhoai]
profile = "stable"
[monitoring]
enabled = true
"#;

/// A stack with an authority of its own and one GPU.
pub(crate) const LOCAL_AUTHORITY: &str = r#"
[stack]
name = "platform"
[cluster]
platform = "aws"
openshift = ">=4.20"
[tls]
issuer = "local-ca"
[[gpu]]
name = "l40s"
tier = "l40s"
size = "g6e.2xlarge"
zones = ["a"]
nodes_per_zone = 1
[rhoai]
profile = "stable"
"#;

/// Applies under faults that end it early, and expects that all of this is said.
#[track_caller]
fn ends_with(text: &str, faults: &[&str], all: &[Said]) {
    let ran = until_said(&stack(text), &["apply", "stack.toml", "--yes"], faults, all);
    for said in all {
        let told = told(&ran.stderr, said.address).unwrap_or_default();
        assert!(told.contains("will not become ready"), "it ends early: {told}");
    }
}

/// Applies under faults that only a time limit ends, again and again until all of this is said: every run goes on from
/// where the one before was.
#[track_caller]
fn times_out_with(sandbox: &Sandbox, faults: &[&str], all: &[Said]) {
    let apply = ["apply", "stack.toml", "--yes", "--ready-timeout", SHORT];
    until_said(sandbox, &apply, faults, all);
}

#[test]
fn what_olm_and_the_credential_operator_cannot_do_ends_in_their_words() {
    let faults = [
        "pin-gone@rhcl-operator",
        "unpack-fails@tempo-product",
        "failing-install@opentelemetry-product",
        "approval-held@openshift-nfd",
        "unpullable@simulated/leader-worker-set",
        "catalog-unhealthy@certified-operators",
        "credentials-insufficient",
        "user-workload-degraded",
    ];
    ends_with(
        LETSENCRYPT,
        &faults,
        &[
            // G32: read packagemanifest.
            Said {
                address: "connectivity-link.subscription",
                cause: "Subscription rhcl-operator: ResolutionFailed=True, ConstraintsNotSatisfiable: constraints not satisfiable: no operators found with name rhcl-operator.v1.3.4 in channel stable of package rhcl-operator in the catalog referenced by subscription rhcl-operator, subscription rhcl-operator exists",
                remedy: "ask for a version that the channel has: `oc get packagemanifest rhcl-operator -n openshift-marketplace -o yaml` lists them",
            },
            Said {
                address: "tempo.subscription",
                cause: "Subscription tempo-product: BundleUnpackFailed=True, BundleUnpackFailed: bundle unpacking failed. Reason: DeadlineExceeded, and Message: Job was active longer than specified deadline",
                remedy: "see that the cluster can pull from the registry of the catalogue, delete the failed Job and its ConfigMap in openshift-marketplace, and then Subscription openshift-tempo-operator/tempo-product",
            },
            Said {
                address: "opentelemetry.installed",
                cause: "ClusterServiceVersion opentelemetry-operator.v0.144.0-1: .status.phase is Failed, InstallCheckFailed: install timeout",
                remedy: "see what the pods in openshift-opentelemetry-operator say; once that is mended, delete Subscription openshift-opentelemetry-operator/opentelemetry-product and that version",
            },
            // G18: approve the plan.
            Said {
                address: "nfd.subscription",
                cause: "InstallPlan install-*: .status.phase is RequiresApproval",
                remedy: "a manual Subscription in openshift-nfd makes every plan there wait: look at what it holds and approve it, `oc patch installplan install-* -n openshift-nfd --type merge -p '{\"spec\":{\"approved\":true}}'`",
            },
            // G42: add credentials.
            Said {
                address: "leader-worker-set.installed",
                cause: "Pod openshift-lws-operator-*: container manager: ImagePullBackOff: Back-off pulling image \"registry.redhat.io/simulated/leader-worker-set:v1.0.0\": ErrImagePull: unauthorized: access to the requested resource is not authorized",
                remedy: "let the cluster pull it: credentials for its registry go into Secret openshift-config/pull-secret",
            },
            Said {
                address: "nvidia.subscription",
                cause: "Subscription gpu-operator-certified: CatalogSourcesUnhealthy=True, UnhealthyCatalogSourceFound: targeted catalogsource openshift-marketplace/certified-operators unhealthy",
                remedy: "bring the catalogue back: `oc get catalogsource,pods -n openshift-marketplace` shows how certified-operators is",
            },
            // G07: provide the secret by hand.
            Said {
                address: "cert-manager.credentials-made",
                cause: "CredentialsRequest cert-manager: InsufficientCloudCreds=True, CloudCredsInsufficient: cloud credentials insufficient to satisfy credentials request",
                remedy: "give the cluster's own credentials the rights that CredentialsRequest cert-manager lists, or create Secret cert-manager/aws-creds with the keys `aws_access_key_id` and `aws_secret_access_key` yourself",
            },
            // G36.
            Said {
                address: "monitoring.ready",
                cause: "ClusterOperator monitoring: Degraded=True, UpdatingUserWorkloadPrometheusFailed: UpdatingUserWorkloadPrometheus: waiting for UserWorkload Prometheus object changes failed: waiting for Prometheus openshift-user-workload-monitoring/user-workload: context deadline exceeded: condition Available: status False: reason NoPodReady",
                remedy: "see the pods in openshift-user-workload-monitoring: without it no model has metrics",
            },
        ],
    );
}

#[test]
fn challenges_machines_and_operands_that_fail_say_why() {
    ends_with(
        LETSENCRYPT,
        &["challenge-fails", "issuer-api-unseen", "machine-refused@eu-west-1b"],
        &[
            // G05: fix domain or zone, set hostedZoneID, else switch the issuer.
            Said {
                address: "tls.ingress-certificate",
                cause: "Challenge ocp-ingress-*: failed to determine Route 53 hosted zone ID: zone sandbox.example.com. not found in Route 53 for domain _acme-challenge.apps.sandbox.example.com.",
                remedy: "see that the public zone of the domain is in this AWS account; name it by `hosted_zone_id` under `[tls]`, or choose another `issuer`",
            },
            // G40: install cert-manager.
            Said {
                address: "leader-worker-set.workload-kinds",
                cause: "LeaderWorkerSetOperator cluster: Degraded=True, MissingDependency: please make sure that cert-manager is installed on your cluster",
                remedy: "see that cert-manager serves kind Issuer, then restart the operator: `oc delete pods --all -n openshift-lws-operator`",
            },
            // G16: compare with an existing worker MachineSet.
            Said {
                address: "nfd.labels",
                cause: "Machine sandbox-x7k2p-l40s-gpu-worker-eu-west-1b-*: .status.phase is Failed, InvalidConfiguration: error launching instance: Value (sandbox-x7k2p-worker-profile) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
                remedy: "compare what it names with a worker MachineSet of the installer, `oc get machineset -n openshift-machine-api -o yaml`; once that is mended, `oc delete machine sandbox-x7k2p-l40s-gpu-worker-eu-west-1b-* -n openshift-machine-api` has another one made",
            },
        ],
    );
}

#[test]
fn a_closed_network_and_a_missing_operator_of_monitoring_are_told_early() {
    ends_with(
        LETSENCRYPT,
        &["acme-unreachable", "monitoring-unmet@tempo-operator"],
        &[
            // G46: use the local CA.
            Said {
                address: "tls.issuer",
                cause: "ClusterIssuer letsencrypt: Ready=False, ErrRegisterACMEAccount: Failed to register ACME account: Get \"https://acme-v02.api.letsencrypt.org/directory\": dial tcp 172.65.32.248:443: i/o timeout",
                remedy: "let the cluster reach that server, or write `issuer = \"local-ca\"` under `[tls]`: a closed network gets no certificate from there",
            },
            // G25: install it; the controller looks again.
            Said {
                address: "rhoai.ready|rhoai.initialization",
                cause: "DSCInitialization default-dsci: Degraded=True, ReconcileFailed: tempo-operator operator must be installed before the monitoring stack is configured",
                remedy: "see that the ClusterServiceVersions of Tempo, OpenTelemetry and Cluster Observability have succeeded; the operator looks again by itself",
            },
        ],
    );
}

#[test]
fn what_may_still_come_is_waited_for_and_explained() {
    let sandbox = stack(LETSENCRYPT);
    let faults = ["no-capacity@eu-west-1a", "credentials-never-minted"];
    times_out_with(
        &sandbox,
        &faults,
        &[
            Said {
                address: "nfd.labels",
                cause: "Machine sandbox-x7k2p-l40s-gpu-worker-eu-west-1a-*: error creating EC2 instance: InsufficientInstanceCapacity: We currently do not have sufficient g6e.2xlarge capacity in the Availability Zone you requested (eu-west-1a).",
                remedy: "wait until the cloud has some, or choose other `zones` or another `size` for pool `l40s`",
            },
            // G07: provide the secret by hand.
            Said {
                address: "cert-manager.credentials-made",
                cause: "Secret cert-manager/aws-creds is not there yet",
                remedy: "where the credential operator is in mode Manual nobody makes it: create Secret cert-manager/aws-creds with the keys `aws_access_key_id` and `aws_secret_access_key` yourself",
            },
        ],
    );
    // Both have gone away by themselves: the same command goes on.
    under(&sandbox, &["apply", "stack.toml", "--yes"], &[]).expect(0);
}

#[test]
fn parts_of_openshift_ai_that_do_not_come_are_named() {
    let sandbox = stack(LOCAL_AUTHORITY);
    let faults = [
        "driver-fails",
        "component-fails@workbenches",
        "trust-bundle-missed",
        "dashboard-config-missing",
    ];
    times_out_with(
        &sandbox,
        &faults,
        &[
            Said {
                address: "nvidia.ready",
                cause: "ClusterPolicy gpu-cluster-policy: Ready=False, OperandNotReady: ClusterPolicy is not ready, states not ready: [state-driver state-device-plugin]",
                remedy: "see what the pods of DaemonSet nvidia-gpu-operator/nvidia-driver-daemonset say",
            },
            Said {
                address: "rhoai.ready",
                cause: "DataScienceCluster default-dsc: WorkbenchesReady=False, DeploymentsNotReady: 0/2 deployments ready",
                remedy: "see the pods of that component in redhat-ods-applications, and what the log of Deployment redhat-ods-operator/rhods-operator says",
            },
            // G09: the bundle.
            Said {
                address: "tls.trusted",
                cause: "ConfigMap redhat-ods-applications/odh-trusted-ca-bundle does not hold what Secret cert-manager/cert-manager-ca has yet",
                remedy: "see that DSCInitialization default-dsci still has `trustedCABundle.managementState: Managed`, and restart Deployment redhat-ods-operator/rhods-operator",
            },
            Said {
                address: "rhoai.dashboard",
                cause: "OdhDashboardConfig redhat-ods-applications/odh-dashboard-config is not there yet",
                remedy: "its operator makes OdhDashboardConfig odh-dashboard-config with component dashboard: see what the log of Deployment redhat-ods-operator/rhods-operator says",
            },
        ],
    );
    under(&sandbox, &["apply", "stack.toml", "--yes"], &[]).expect(0);
}

#[test]
fn gpus_that_nobody_labels_or_offers_are_no_secret() {
    let sandbox = stack(LOCAL_AUTHORITY);
    // G11, G12: repair Node Feature Discovery.
    times_out_with(
        &sandbox,
        &["labels-missing"],
        &[Said {
            address: "nfd.labels",
            cause: "0 of 1 Node feature.node.kubernetes.io/pci-10de.present=true",
            remedy: "see that nodes with an NVIDIA device have joined, and what the pods nfd-worker in openshift-nfd say",
        }],
    );
    // G13: ready is vacuous.
    times_out_with(
        &sandbox,
        &["device-plugin-silent"],
        &[Said {
            address: "gpu[l40s].capacity",
            cause: "Node *: .status.capacity.nvidia.com/gpu is not there yet",
            remedy: "see what the pods of DaemonSet nvidia-gpu-operator/nvidia-device-plugin-daemonset say: that ClusterPolicy is ready proves nothing",
        }],
    );
}

#[test]
fn a_cluster_that_lacks_something_is_refused_with_what_to_do() {
    let sandbox = Sandbox::new();
    let faults = [
        "no-default-storage-class",
        "no-pull-secret@registry.redhat.io",
        "no-router-certificate",
    ];
    let ran = under(&sandbox, &["preflight", "stack.toml"], &faults).expect(2);
    insta::assert_snapshot!(failed_checks(&ran.stdout), @r#"
    gateway-certificate Secret openshift-ingress/router-certs-default is not there
      remedy: put it there (`tls.crt`, `tls.key`), name another one, or let the stack make one: `issuer = "local-ca"`, on AWS "letsencrypt"
    storage-class no StorageClass is the default: claims would stay pending
      remedy: `oc annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true`
    pull-secret no login for registry.redhat.io: images of OpenShift AI could not be pulled
      remedy: add registry.redhat.io to the Secret openshift-config/pull-secret; where a mirror serves its images, that is enough: go on with `--skip-preflight`
    "#);
    // The cluster is as it is from its start on, whatever faults a later command names.
    let refused = under(&sandbox, &["apply", "stack.toml", "--yes"], &[]).expect(1);
    assert!(refused.stderr.contains("--skip-preflight"), "{}", refused.shown());
    let written = sandbox.audit().iter().any(|entry| entry.is_our_write());
    assert!(!written, "nothing is written");
}

/// The checks that failed, with what to do about each.
fn failed_checks(report: &str) -> String {
    let mut failed = Vec::new();
    let mut is_failed = false;
    for line in report.lines() {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["\u{2717}", found @ ..] => {
                is_failed = true;
                failed.push(found.join(" "));
            }
            ["read:", ..] => {}
            ["remedy:", ..] if is_failed => failed.push(format!("  {}", line.trim())),
            _ => is_failed = false,
        }
    }
    failed.iter().map(|line| format!("{line}\n")).collect()
}
