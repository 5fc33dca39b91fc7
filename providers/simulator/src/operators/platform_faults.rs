//! How the cluster looks under each fault of the platform, on the workbench: conditions and words as the real
//! controllers write them.

use serde_json::{Value, json};

use super::bench::Bench;
use super::kinds::*;
use super::object::{Read, object};
use super::scenarios::{class, kuadrant, link, platform};

/// Status, reason and message of a condition.
fn told(object: &Value, kind: &str) -> [String; 3] {
    let conditions = object.list("/status/conditions").iter();
    let found = conditions.into_iter().find(|entry| entry.text("/type") == kind);
    ["/status", "/reason", "/message"].map(|at| found.map_or(String::new(), |found| found.text(at).to_owned()))
}

fn words(of: &[&str; 3]) -> [String; 3] {
    of.map(str::to_owned)
}

/// A cluster with these faults that has subscribed to a package in a namespace of its own.
fn subscribed(faults: &[&str], package: &str, pin: &str) -> Bench {
    let mut bench = Bench::new(faults);
    bench.subscribe("there", package, pin);
    bench.settle();
    bench
}

#[test]
fn a_pin_that_the_channel_lost_does_not_resolve() {
    let mut bench = subscribed(&["pin-gone@rhcl-operator"], "rhcl-operator", "rhcl-operator.v1.3.4");
    let subscription = bench.get(SUBSCRIPTION, "there", "rhcl-operator");
    let [status, reason, message] = told(subscription, "ResolutionFailed");
    assert_eq!((&*status, &*reason), ("True", "ConstraintsNotSatisfiable"));
    assert!(message.contains("no operators found with name rhcl-operator.v1.3.4 in channel stable"));
    assert_eq!(bench.world.list(INSTALL_PLAN).count(), 0);
    // Without a pin the channel has something to offer.
    bench.subscribe("elsewhere", "nfd", "");
    bench.settle();
    assert!(!bench.get(SUBSCRIPTION, "elsewhere", "nfd").is("ResolutionFailed"));
}

#[test]
fn a_catalogue_that_does_not_answer_prevents_the_resolution_until_it_does() {
    let mut bench = subscribed(&["catalog-unhealthy@redhat-operators"], "nfd", "");
    let subscription = bench.get(SUBSCRIPTION, "there", "nfd");
    assert_eq!(
        told(subscription, "CatalogSourcesUnhealthy"),
        words(&[
            "True",
            "UnhealthyCatalogSourceFound",
            "targeted catalogsource openshift-marketplace/redhat-operators unhealthy",
        ])
    );
    assert_eq!(told(subscription, "ResolutionFailed")[1], "ErrorPreventedResolution");
    assert_eq!(bench.world.list(INSTALL_PLAN).count(), 0);
    bench.heal();
    let subscription = bench.get(SUBSCRIPTION, "there", "nfd");
    assert_eq!(subscription.text("/status/installedCSV"), "nfd.4.21.0");
    assert!(!subscription.is("CatalogSourcesUnhealthy") && !subscription.is("ResolutionFailed"));
}

#[test]
fn a_bundle_that_is_not_unpacked_makes_no_install_plan_until_it_is() {
    let mut bench = subscribed(&["unpack-fails@nfd"], "nfd", "");
    let [status, reason, message] = told(bench.get(SUBSCRIPTION, "there", "nfd"), "BundleUnpackFailed");
    assert_eq!((&*status, &*reason), ("True", "BundleUnpackFailed"));
    assert!(message.starts_with("bundle unpacking failed. Reason: DeadlineExceeded, and Message: "));
    assert_eq!(bench.world.list(INSTALL_PLAN).count(), 0);
    bench.heal();
    assert!(!bench.get(SUBSCRIPTION, "there", "nfd").is("BundleUnpackFailed"));
    assert_eq!(bench.get(CSV, "there", "nfd.4.21.0").text("/status/phase"), "Succeeded");
}

#[test]
fn somebodys_manual_subscription_holds_an_automatic_one_back() {
    let mut bench = subscribed(&["approval-held@there"], "nfd", "");
    let plan = bench.world.list(INSTALL_PLAN).next().expect("a plan");
    assert_eq!(plan.text("/status/phase"), "RequiresApproval");
    assert!(bench.world.get(CSV, "there", "nfd.4.21.0").is_none());
    bench.approve("there", "nfd.4.21.0");
    assert_eq!(bench.get(CSV, "there", "nfd.4.21.0").text("/status/phase"), "Succeeded");
}

#[test]
fn an_upgrade_that_somebody_approves_replaces_the_pin() {
    let mut bench = Bench::new(&["upgrade-approved@rhcl-operator"]);
    link(&mut bench);
    let subscription = bench.get(SUBSCRIPTION, "openshift-operators", "rhcl-operator");
    assert_eq!(subscription.text("/status/installedCSV"), "rhcl-operator.v1.4.0");
    assert!(
        bench
            .world
            .get(CSV, "openshift-operators", "rhcl-operator.v1.3.4")
            .is_none()
    );
}

#[test]
fn a_version_that_is_being_replaced_lets_the_deployment_be() {
    let mut bench = Bench::by_hand(&["upgrade-approved@rhcl-operator"]);
    bench.subscribe("openshift-operators", "rhcl-operator", "rhcl-operator.v1.3.4");
    bench.pass(60);
    let pin = "rhcl-operator.v1.3.4";
    bench.approve("openshift-operators", pin);
    let mut seen = Vec::new();
    for _ in 0..120 {
        bench.pass(1);
        let phase = |name: &str| {
            let version = bench.world.get(CSV, "openshift-operators", name);
            version.map_or("", |version| version.text("/status/phase")).to_owned()
        };
        let now = (phase(pin), phase("rhcl-operator.v1.4.0"));
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    let seen: Vec<_> = seen.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
    assert!(seen.contains(&("Replacing", "Installing")), "{seen:?}");
    assert_eq!(seen.last(), Some(&("", "Succeeded")));
    let deployment = "openshift-operators/kuadrant-operator-controller-manager";
    let writes = bench
        .audit
        .iter()
        .filter(|(name, operator, ..)| name == deployment && *operator == "olm");
    assert!(writes.count() < 5, "two versions write one Deployment in turns");
}

#[test]
fn a_later_subscription_finds_the_upgrades_of_its_neighbours_in_its_plan() {
    let mut bench = Bench::new(&["combined-plan@openshift-pipelines-operator-rh"]);
    link(&mut bench);
    bench.subscribe("openshift-operators", "openshift-pipelines-operator-rh", "");
    bench.settle();
    let pipelines = json!("openshift-pipelines-operator-rh.v1.21.0");
    let plan = bench
        .world
        .list(INSTALL_PLAN)
        .find(|plan| plan.list("/spec/clusterServiceVersionNames").contains(&pipelines));
    let names = plan
        .expect("a plan with pipelines")
        .list("/spec/clusterServiceVersionNames");
    assert!(names.contains(&json!("rhcl-operator.v1.4.0")), "{names:?}");
}

#[test]
fn an_operator_whose_image_cannot_be_pulled_is_installing_and_says_for_what_it_waits() {
    let bench = subscribed(&["unpullable@simulated/nfd"], "nfd", "");
    let csv = bench.get(CSV, "there", "nfd.4.21.0");
    assert_eq!(csv.text("/status/phase"), "Installing");
    assert!(
        csv.text("/status/message")
            .contains("deployment nfd-controller-manager to become ready")
    );
    let pod = bench.world.list_in(POD, "there").next().expect("a pod");
    let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
    assert_eq!(waiting["reason"], "ImagePullBackOff");
    assert!(
        waiting
            .text("/message")
            .starts_with("Back-off pulling image \"registry.redhat.io/simulated/nfd:4.21.0\"")
    );
}

fn cert_manager(bench: &mut Bench) {
    bench.subscribe("cert-manager-operator", "openshift-cert-manager-operator", "");
    bench.settle();
}

/// An issuer by ACME and a certificate of it for two names.
fn ordered(bench: &mut Bench) {
    let server = json!({"spec": {"acme": {"server": "https://acme-v02.api.letsencrypt.org/directory"}}});
    bench.put(CLUSTER_ISSUER, object(CLUSTER_ISSUER, "", "letsencrypt", server));
    let spec = json!({"spec": {
        "secretName": "certs", "commonName": "apps.example.com", "dnsNames": ["apps.example.com", "*.apps.example.com"],
        "issuerRef": {"kind": "ClusterIssuer", "name": "letsencrypt"},
    }});
    bench.put(CERTIFICATE, object(CERTIFICATE, "there", "c", spec));
    bench.settle();
}

#[test]
fn a_certificate_whose_challenge_fails_stays_issuing_and_the_challenge_says_why() {
    let mut bench = Bench::new(&["challenge-fails"]);
    cert_manager(&mut bench);
    ordered(&mut bench);
    let certificate = bench.get(CERTIFICATE, "there", "c");
    assert_eq!(
        (certificate.condition("Ready"), certificate.condition("Issuing")),
        ("False", "True")
    );
    let challenges: Vec<_> = bench.world.list(CHALLENGE).collect();
    assert_eq!(challenges.len(), 2);
    for challenge in challenges {
        assert_eq!(challenge.text("/status/state"), "pending");
        assert_eq!(
            challenge.text("/status/reason"),
            "failed to determine Route 53 hosted zone ID: zone example.com. not found in Route 53 for domain _acme-challenge.apps.example.com."
        );
    }
    bench.heal();
    assert!(bench.get(CERTIFICATE, "there", "c").is("Ready"));
    assert_eq!(
        bench.world.list(CHALLENGE).count(),
        0,
        "challenges go when their order is valid"
    );
    assert_eq!(
        bench.world.list(ORDER).next().expect("an order").text("/status/state"),
        "valid"
    );
    bench.delete(CERTIFICATE, "there", "c");
    assert_eq!(bench.world.list(ORDER).count(), 0, "an order goes with its certificate");
}

#[test]
fn without_a_way_to_the_acme_server_its_issuer_has_no_account() {
    let mut bench = Bench::new(&["acme-unreachable"]);
    cert_manager(&mut bench);
    ordered(&mut bench);
    let [status, reason, message] = told(bench.get(CLUSTER_ISSUER, "", "letsencrypt"), "Ready");
    assert_eq!((&*status, &*reason), ("False", "ErrRegisterACMEAccount"));
    assert!(
        message.ends_with("dial tcp 172.65.32.248:443: i/o timeout"),
        "{message}"
    );
    assert_eq!(bench.world.list(ORDER).count(), 0);
}

#[test]
fn a_webhook_is_not_trusted_before_its_authority_is_known() {
    let mut bench = Bench::new(&["webhook-untrusted"]);
    bench.look();
    cert_manager(&mut bench);
    let webhook = bench.get(DEPLOYMENT, "cert-manager", "cert-manager-webhook");
    assert_eq!(webhook.annotation(super::cert_manager::AUTHORITY_KNOWN), Some("true"));
    let early = bench
        .audit
        .iter()
        .filter(|(name, _, _, _)| name == "cert-manager/cert-manager-webhook");
    assert!(early.count() > 1, "it was not known at first");
}

fn request() -> Value {
    let spec = json!({"spec": {"secretRef": {"namespace": "openshift-ingress", "name": "keys"}}});
    object(CREDENTIALS_REQUEST, "openshift-cloud-credential-operator", "r", spec)
}

#[test]
fn credentials_are_never_made_or_the_request_says_that_they_may_not_be() {
    let look = |fault: &str| {
        let mut bench = Bench::new(&[fault]);
        bench.put(CREDENTIALS_REQUEST, request());
        bench.settle();
        assert!(bench.world.get(SECRET, "openshift-ingress", "keys").is_none());
        told(
            bench.get(CREDENTIALS_REQUEST, "openshift-cloud-credential-operator", "r"),
            "InsufficientCloudCreds",
        )
    };
    assert_eq!(look("credentials-never-minted"), words(&["", "", ""]));
    assert_eq!(
        look("credentials-insufficient"),
        words(&[
            "True",
            "CloudCredsInsufficient",
            "cloud credentials insufficient to satisfy credentials request",
        ])
    );
}

/// A MachineSet of one machine in a zone.
fn machine_set(bench: &mut Bench) -> Value {
    let provider = json!({"instanceType": "g6e.2xlarge", "iamInstanceProfile": {"id": "sandbox-worker-profile"},
        "placement": {"region": "eu-west-1", "availabilityZone": "eu-west-1a"}});
    let labels = json!({"machine.openshift.io/cluster-api-machineset": "gpus"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"providerSpec": {"value": provider}}});
    let spec = json!({"spec": {"replicas": 1, "template": template}});
    bench.put(MACHINE_SET, object(MACHINE_SET, "openshift-machine-api", "gpus", spec));
    bench.settle();
    (**bench.world.list(MACHINE).next().expect("a machine")).clone()
}

#[test]
fn a_machine_that_the_cloud_refuses_has_failed_and_one_that_it_has_not_is_asked_for_again() {
    let refused = machine_set(&mut Bench::new(&["machine-refused@eu-west-1a"]));
    let said = ["/status/phase", "/status/errorReason", "/status/errorMessage"].map(|at| refused.text(at));
    assert_eq!(
        said,
        [
            "Failed",
            "InvalidConfiguration",
            "error launching instance: Value (sandbox-worker-profile) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
        ]
    );
    let mut bench = Bench::new(&["no-capacity@eu-west-1a"]);
    let waiting = machine_set(&mut bench);
    assert_eq!(waiting.text("/status/phase"), "Provisioning");
    let condition = &waiting["status"]["providerStatus"]["conditions"][0];
    assert_eq!(condition["reason"], "MachineCreationFailed");
    assert!(condition.text("/message").contains("InsufficientInstanceCapacity"));
    bench.heal();
    assert_eq!(
        bench
            .world
            .list(MACHINE)
            .next()
            .expect("a machine")
            .text("/status/phase"),
        "Running"
    );
    let elsewhere = machine_set(&mut Bench::new(&["machine-refused@eu-west-1b"]));
    assert_eq!(elsewhere.text("/status/phase"), "Running");
}

#[test]
fn openshift_ai_says_which_component_and_which_operator_it_lacks() {
    let mut bench = Bench::new(&["component-fails@dashboard", "dashboard-config-missing"]);
    platform(&mut bench);
    let cluster = bench.get(DSC, "", "default-dsc");
    assert_eq!(
        told(cluster, "DashboardReady"),
        words(&["False", "DeploymentsNotReady", "0/1 deployments ready"])
    );
    assert_eq!(told(cluster, "Ready")[2], "Some components are not ready: dashboard");
    assert_eq!(bench.world.list(ODH_DASHBOARD_CONFIG).count(), 0);
    bench.heal();
    assert!(bench.get(DSC, "", "default-dsc").is("Ready"));
    assert_eq!(bench.world.list(ODH_DASHBOARD_CONFIG).count(), 1);

    let mut bench = Bench::new(&["monitoring-unmet@tempo-operator"]);
    platform(&mut bench);
    let dsci = bench.world.list(DSCI).next().expect("an initialisation");
    let traced = json!({"spec": {"monitoring": {"traces": {"storage": {"backend": "pv"}}}}});
    let name = dsci.name().to_owned();
    bench.set(DSCI, "", &name, traced);
    bench.settle();
    let [_, reason, message] = told(bench.get(DSCI, "", &name), "Degraded");
    assert_eq!(reason, "ReconcileFailed");
    assert!(
        message.contains("tempo-operator operator must be installed"),
        "{message}"
    );
}

#[test]
fn the_bundle_of_openshift_ai_may_miss_the_clusters_authorities() {
    let mut bench = Bench::new(&["trust-bundle-missed"]);
    platform(&mut bench);
    let ours = json!({"data": {"ca-bundle.crt": "an authority of ours"}});
    bench.put(
        CONFIG_MAP,
        object(CONFIG_MAP, "openshift-config", "user-ca-bundle", ours),
    );
    bench.settle();
    let holds = |bench: &Bench| {
        bench
            .get(CONFIG_MAP, "redhat-ods-applications", "odh-trusted-ca-bundle")
            .pointer("/data/ca-bundle.crt")
            .and_then(Value::as_str)
            .is_some_and(|bundle| bundle.contains("an authority of ours"))
    };
    assert!(!holds(&bench));
    bench.heal();
    assert!(holds(&bench));
}

#[test]
fn leader_worker_set_misses_cert_manager() {
    let mut bench = Bench::new(&["issuer-api-unseen"]);
    cert_manager(&mut bench);
    bench.subscribe("openshift-lws-operator", "leader-worker-set", "");
    bench.settle();
    bench.put(LWS_OPERATOR, object(LWS_OPERATOR, "", "cluster", json!({"spec": {}})));
    bench.settle();
    assert_eq!(
        told(bench.get(LWS_OPERATOR, "", "cluster"), "Degraded")[1],
        "MissingDependency"
    );
    bench.heal();
    assert!(bench.get(LWS_OPERATOR, "", "cluster").is("Available"));
}

#[test]
fn kuadrant_may_never_see_a_gateway_provider() {
    let mut bench = Bench::new(&["gateway-provider-unseen"]);
    link(&mut bench);
    class(&mut bench);
    kuadrant(&mut bench);
    let restart = |bench: &mut Bench| {
        let pods = bench.world.list_in(POD, "openshift-operators");
        let is_operator =
            |pod: &&std::sync::Arc<Value>| pod.label("app.kubernetes.io/name") == Some("kuadrant-operator");
        let pod = pods.into_iter().find(is_operator).expect("the operator's pod");
        let name = pod.name().to_owned();
        bench.delete(POD, "openshift-operators", &name);
    };
    restart(&mut bench);
    let seen = told(bench.get(KUADRANT, "kuadrant-system", "kuadrant"), "Ready");
    assert_eq!(seen[1], "MissingDependency");
    bench.heal();
    restart(&mut bench);
    assert!(bench.get(KUADRANT, "kuadrant-system", "kuadrant").is("Ready"));
}

#[test]
fn a_degraded_operator_of_the_platform_says_so_and_recovers() {
    let mut bench = Bench::new(&["user-workload-degraded", "router-degraded"]);
    for name in ["monitoring", "ingress"] {
        bench.put(CLUSTER_OPERATOR, object(CLUSTER_OPERATOR, "", name, json!({})));
    }
    let config = json!({"data": {"config.yaml": "enableUserWorkload: true\n"}});
    bench.put(
        CONFIG_MAP,
        object(CONFIG_MAP, "openshift-monitoring", "cluster-monitoring-config", config),
    );
    bench.put(
        ROUTE,
        object(
            ROUTE,
            "openshift-ingress",
            "r",
            json!({"spec": {"host": "r.example.com"}}),
        ),
    );
    bench.settle();
    let degraded = |bench: &Bench, name: &str| told(bench.get(CLUSTER_OPERATOR, "", name), "Degraded")[1].clone();
    assert_eq!(degraded(&bench, "monitoring"), "UpdatingUserWorkloadPrometheusFailed");
    assert_eq!(degraded(&bench, "ingress"), "IngressDegraded");
    assert!(bench.world.list(STATEFUL_SET).next().is_none());
    assert!(
        bench
            .get(ROUTE, "openshift-ingress", "r")
            .list("/status/ingress")
            .is_empty()
    );
    bench.heal();
    assert!(
        ["monitoring", "ingress"]
            .iter()
            .all(|name| !bench.get(CLUSTER_OPERATOR, "", name).is("Degraded"))
    );
    assert_eq!(bench.world.list(STATEFUL_SET).count(), 2);
    assert_eq!(
        bench.get(ROUTE, "openshift-ingress", "r").list("/status/ingress").len(),
        1
    );
}

#[test]
fn a_stuck_finalizer_keeps_its_object_until_the_controller_is_mended() {
    let mut bench = Bench::new(&["finalizer-stuck@CredentialsRequest"]);
    bench.put(CREDENTIALS_REQUEST, request());
    bench.settle();
    bench.delete(CREDENTIALS_REQUEST, "openshift-cloud-credential-operator", "r");
    let left = bench.get(CREDENTIALS_REQUEST, "openshift-cloud-credential-operator", "r");
    assert!(left.is_deleting());
    bench.heal();
    assert_eq!(bench.world.list(CREDENTIALS_REQUEST).count(), 0);
}

#[test]
fn gpus_are_missing_for_one_reason_or_another() {
    let look = |fault: &str| {
        let mut bench = Bench::new(&[fault]);
        platform(&mut bench);
        let gpu = bench
            .world
            .list(NODE)
            .find(|node| node.name() != "worker-0")
            .expect("a GPU node");
        let labelled = gpu.label(super::nfd::LABEL).is_some();
        let offers = gpu.pointer("/status/capacity/nvidia.com~1gpu").is_some();
        let policy = bench.get(CLUSTER_POLICY, "", "gpu-cluster-policy");
        let state = policy.text("/status/state").to_owned();
        (labelled, offers, state, told(policy, "Ready")[1].clone())
    };
    let said = |state: &str, reason: &str| (state.to_owned(), reason.to_owned());
    let (labelled, offers, state, reason) = look("labels-missing");
    assert_eq!(
        (labelled, offers, (state, reason)),
        (false, false, said("ready", "NoGPUNodes"))
    );
    let (labelled, offers, state, reason) = look("driver-fails");
    assert_eq!(
        (labelled, offers, (state, reason)),
        (true, false, said("notReady", "OperandNotReady"))
    );
    let (labelled, offers, state, reason) = look("device-plugin-silent");
    assert_eq!(
        (labelled, offers, (state, reason)),
        (true, false, said("ready", "Reconciled"))
    );
}
