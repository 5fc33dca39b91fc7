//! What an apply ends in when serving goes wrong in the cluster: it converges, by waiting or by a remedy, or it says whose
//! fault it is and what a person has to do.
//!
//! The words are written by hand, after the rows of `reference/serving.md` §5; each is asserted whole. Every run starts
//! from a copy of a platform that was applied once, and several faults that do not touch each other share a run.

use crate::sandbox::{FAST, Ran, Sandbox};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{LazyLock, Mutex},
};

/// How long a wait may take that no symptom ends.
const LIMIT: &str = "40s";

/// The platform below MaaS and models.
const PLATFORM: &str = r#"
[stack]
name = "diagnoses"
[cluster]
platform  = "aws"
openshift = ">=4.20"
[tls]
issuer = "existing"
[[gpu]]
name  = "l40s"
tier  = "l40s"
size  = "g6e.2xlarge"
zones = ["a"]
[rhoai]
profile = "stable"
[monitoring]
enabled = true
[state]
backend = "local"
"#;

const MAAS: &str = "[maas]\nenabled = true\n";

/// A model on CPU behind MaaS, from this source.
fn model(name: &str, source: &str) -> String {
    format!(
        "[[models]]\nname = \"{name}\"\nmodel_name = \"org/{name}\"\nnamespace = \"llm-d-demo\"\nsource = \"{source}\"\n\
         gpus = 0\nhardware_profile = \"gpu-profile\"\nmaas = true\n"
    )
}

fn tier(name: &str, priority: usize, tokens: usize) -> String {
    format!(
        "[[maas.tiers]]\nname = \"{name}\"\npriority = {priority}\ngroups = [\"{name}-users\"]\n\
         limits = [{{ model = \"{name}\", tokens = {tokens}, window = \"5m\" }}]\n"
    )
}

/// A platform that was applied once, for copies.
struct Base(Mutex<Sandbox>);

impl Base {
    fn of(stack: &str) -> Self {
        let sandbox = Sandbox::new();
        sandbox.write(stack);
        sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
        Self(Mutex::new(sandbox))
    }

    /// A copy with another stack.
    fn copy(&self, stack: &str) -> Sandbox {
        let copied = Sandbox::new();
        let base = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        copy(&base.path().join(".stackctl"), &copied.path().join(".stackctl"));
        copied.write(stack);
        copied
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

static BELOW: LazyLock<Base> = LazyLock::new(|| Base::of(PLATFORM));
static WITH_MAAS: LazyLock<Base> = LazyLock::new(|| Base::of(&format!("{PLATFORM}{MAAS}")));

/// How one resource ends: address and what, the causes, and the hint.
type End = (&'static str, &'static [&'static str], &'static str);

fn apply(sandbox: &Sandbox, faults: &[&str], limit: Option<&str>) -> Ran {
    let mut arguments = vec!["apply", "stack.toml", "--yes", "--simulate", "--simulate-speed", FAST];
    for fault in faults {
        arguments.extend(["--fault", fault]);
    }
    if let Some(limit) = limit {
        arguments.extend(["--ready-timeout", limit]);
    }
    sandbox.run(&arguments)
}

/// An error as it is told: its first line, the causes below it, and the hint. Generated names of pods become a `*`.
fn told(ran: &Ran) -> Vec<(String, Vec<String>, String)> {
    let mut ends: Vec<(String, Vec<String>, String)> = Vec::new();
    for line in ran.stderr.lines() {
        if let Some(error) = line.strip_prefix("error: ") {
            ends.push((error.to_owned(), Vec::new(), String::new()));
        } else if let Some((_, causes, hint)) = ends.last_mut() {
            if let Some(text) = line.strip_prefix("hint: ") {
                hint.push_str(text);
            } else if let Some(cause) = line.strip_prefix("  ")
                && hint.is_empty()
            {
                causes.push(without_generated(cause));
            }
        }
    }
    ends
}

/// `Pod qwen3-8b-kserve-9x2vb-7gskc: 0/6 nodes …` as `Pod qwen3-8b-kserve-*: 0/* nodes …`.
fn without_generated(cause: &str) -> String {
    let Some((name, rest)) = cause.strip_prefix("Pod ").and_then(|cause| cause.split_once(": ")) else {
        return cause.to_owned();
    };
    let parts: Vec<_> = name.split('-').collect();
    let kept = parts.len().saturating_sub(2);
    let rest = match rest.split_once("0/").zip(rest.split_once(" nodes are")) {
        Some(((before, _), (_, after))) => format!("{before}0/* nodes are{after}"),
        None => rest.to_owned(),
    };
    format!("Pod {}-*: {rest}", parts[..kept].join("-"))
}

/// These resources fail with exactly these words, and no others do.
#[track_caller]
fn ends(ran: &Ran, expected: &[End]) {
    assert_eq!(ran.code, 1, "{}", ran.shown());
    let told = told(ran);
    for (what, causes, hint) in expected {
        let found = told.iter().find(|end| end.0 == *what);
        let (_, found_causes, found_hint) = found.unwrap_or_else(|| panic!("`{what}` is not told: {}", ran.shown()));
        // What it waited for may still have moved; what is known of it is told whole.
        for cause in *causes {
            let is_told = found_causes.iter().any(|found| found == cause);
            assert!(is_told, "{what}: `{cause}` is not among {found_causes:#?}");
        }
        assert_eq!(found_hint, hint, "{what}");
    }
    let all: BTreeSet<_> = told.iter().map(|end| end.0.as_str()).collect();
    let known: BTreeSet<_> = expected.iter().map(|end| end.0).collect();
    assert_eq!(all, known, "{}", ran.shown());
}

macro_rules! again {
    ($text:literal) => {
        concat!($text, "; then run the same command again")
    };
}
macro_rules! longer {
    ($text:literal) => {
        concat!(
            $text,
            "; then run the same command again, or give it longer with `--ready-timeout`"
        )
    };
}

#[test]
fn what_heals_by_itself_or_by_a_remedy_converges() {
    let stack = format!(
        "{PLATFORM}{MAAS}{}{}",
        model("tiny", "hf://org/tiny"),
        tier("tiny", 1, 300)
    );
    let sandbox = BELOW.copy(&stack);
    // P6, P22, P17, K7, K3.
    let faults = [
        "tenant-degraded",
        "tenant-deleted",
        "auth-policy-status-lags",
        "policy-kinds-missed",
        "policies-not-accepted",
        // Told by preflight: P16, and G5 with P12.
        "token-audience",
        "secret-overwritten@router-certs-default",
    ];
    let ran = apply(&sandbox, &faults, None);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    for remedy in [
        "maas.authorino.filter: touches the gateway and restarts odh-model-controller, which looks at a gateway only when \
         it changes",
        "maas.api: restarts the Kuadrant operator, which does not accept the policy of maas-api",
    ] {
        assert!(ran.stdout.contains(remedy), "`{remedy}`: {}", ran.shown());
    }
    let seen = sandbox.simulate(&["preflight", "stack.toml"]);
    for told in [
        "Secret openshift-ingress/router-certs-default: it is for our-proxy.openshift-ingress.svc",
        "the service CA wrote it: take the annotation service.beta.openshift.io/serving-cert-secret-name off the Service \
         that names this Secret, and put the former certificate back",
        "tokens are for an audience of this cluster's own, by issuer https://oidc.example.com/our-cluster",
        "maas-controller reads it here; if making an API key still answers 401 to a valid token, set the audience of \
         maas-controller",
    ] {
        assert!(seen.stdout.contains(told), "`{told}`: {}", seen.shown());
    }
}

/// G2.
#[test]
fn a_foreign_mesh_is_named_with_the_class_that_it_blocks() {
    let sandbox = BELOW.copy(&format!("{PLATFORM}{MAAS}"));
    ends(
        &apply(&sandbox, &["foreign-mesh"], None),
        &[(
            "maas.class will not become ready",
            &[
                "GatewayClass openshift-default: Accepted=Unknown, Pending: Waiting for controller",
                "Subscription our-mesh: .spec.name is servicemeshoperator3",
            ],
            again!(
                "remove that Subscription, or bring it to the version that OpenShift's ingress operator installs: it keeps \
                 the gateway controller of OpenShift from accepting the class"
            ),
        )],
    );
}

/// G4.
#[test]
fn a_listener_without_its_secret_is_told_with_the_secret() {
    let sandbox = BELOW.copy(&format!("{PLATFORM}{MAAS}"));
    ends(
        &apply(&sandbox, &["listener-secret-gone@maas-default-gateway"], None),
        &[(
            "maas.gateway will not become ready",
            &[
                "Gateway maas-default-gateway: Programmed=False, Invalid: a listener is not programmed: its certificate is \
                 missing",
                "Gateway maas-default-gateway: .status.listeners[0].conditions[type=\"ResolvedRefs\"].reason is \
                 InvalidCertificateRef",
            ],
            again!(
                "create Secret openshift-ingress/router-certs-default with the keys `tls.crt` and `tls.key`, or have one \
                 generated with `maas.gateway.tls`"
            ),
        )],
    );
}

/// G1, G3, I1.
#[test]
fn a_gateway_that_is_not_programmed_a_balancer_without_address_and_logins_that_hang_are_told_apart() {
    let stack = format!(
        "{PLATFORM}[gateway]\nexposure = \"loadbalancer\"\n{}{MAAS}[[maas.users]]\nname = \"bob\"\npassword = {{ env = \
         \"BOB_PASSWORD\" }}\n",
        model("tiny", "hf://org/tiny")
    );
    let sandbox = BELOW.copy(&stack);
    let faults = [
        "gateway-not-programmed@maas-default-gateway",
        "load-balancer-pending",
        "logins-stuck",
    ];
    ends(
        &apply(&sandbox, &faults, Some(LIMIT)),
        &[
            (
                "maas.gateway did not become ready within 40.0 s",
                &[
                    "Gateway maas-default-gateway: Programmed=False, Pending: the proxy has not acknowledged its configuration",
                ],
                longer!(
                    "see that its GatewayClass is accepted, that Connectivity Link is installed and that Kuadrant is Ready; \
                     then see the log of Deployment openshift-ingress/maas-default-gateway-openshift-default"
                ),
            ),
            (
                "llm-d.gateway did not become ready within 40.0 s",
                &[
                    "Gateway openshift-ai-inference: Programmed=False, AddressNotAssigned: Assigned to service(s), but failed \
                     to assign to all requested addresses: waiting for the proxy",
                    "Service openshift-ai-inference-openshift-ai-inference-class: .status.loadBalancer.ingress is not there yet",
                ],
                longer!(
                    "give the cluster something that gives load balancers an address, or set `exposure = \"route\"` in \
                     `[gateway]`"
                ),
            ),
            (
                "maas.logins did not become ready within 40.0 s",
                &[
                    "ClusterOperator authentication: Progressing=True, OAuthServerDeployment_NewGeneration: \
                     OAuthServerDeploymentProgressing: the OAuth server is rolled out",
                ],
                longer!("see the pods of namespace openshift-authentication: they take the users over as they restart"),
            ),
        ],
    );
}

/// M2 with S6, P2.
#[test]
fn a_namespace_that_is_not_admitted_and_a_database_without_its_secret() {
    let stack = format!(
        "{PLATFORM}{MAAS}{}{}",
        model("tiny", "hf://org/tiny"),
        tier("tiny", 1, 300)
    );
    let sandbox = BELOW.copy(&stack);
    let faults = ["listener-narrowed@maas-default-gateway", "database-secret-gone"];
    const ADMIT: &str = again!(
        "let the listener of the gateway admit namespace llm-d-demo: `stackctl apply` writes it as the stack has it"
    );
    const ROUTE: &str =
        "HTTPRoute tiny-kserve-route: .status.parents[0].conditions[type=\"Accepted\"].reason is NotAllowedByListeners";
    ends(
        &apply(&sandbox, &faults, None),
        &[
            ("model[tiny].service will not become ready", &[ROUTE], ADMIT),
            ("maas.model[tiny].ref will not become ready", &[ROUTE], ADMIT),
            (
                "maas.tenant will not become ready",
                &[
                    "Tenant default-tenant: Ready=False, PrerequisitesNotMet: secret redhat-ods-applications/maas-db-config \
                     with key DB_CONNECTION_URL is required",
                ],
                again!(
                    "restore Secret redhat-ods-applications/maas-db-config with the connection under the key \
                     `DB_CONNECTION_URL`; maas-controller looks again every 45 s"
                ),
            ),
        ],
    );
}

/// P9, §2.5.
#[test]
fn a_database_with_another_password_and_an_authorino_that_lost_its_tls() {
    let sandbox = BELOW.copy(&format!("{PLATFORM}{MAAS}"));
    ends(
        &apply(&sandbox, &["database-refuses", "authorino-tls-reverted"], Some(LIMIT)),
        &[
            (
                "maas.tenant will not become ready",
                &[
                    "Tenant default-tenant: Ready=False, DeploymentsNotReady: maas-api or payload-processing is not available",
                    "Pod maas-api-*: container maas-api: CrashLoopBackOff: it ended with code 1, Error: FATAL: password \
                     authentication failed for user \"maas\" (SQLSTATE 28P01)",
                ],
                again!(
                    "put the password that the database was made with into Secret redhat-ods-applications/maas-db-config \
                     again, or empty the database, which loses every API key; then restart Deployment \
                     redhat-ods-applications/maas-api"
                ),
            ),
            (
                "maas.authorino.filter did not become ready within 40.0 s",
                &[
                    "EnvoyFilter openshift-ingress/maas-default-gateway-authn-ssl is not there yet",
                    "Authorino authorino: .spec.listener.tls.enabled is false",
                ],
                longer!(
                    "see who took TLS from Authorino kuadrant-system/authorino: `stackctl apply` turns it on again"
                ),
            ),
        ],
    );
    // It was taken once: the next apply turns it on again.
    let healed = apply(&sandbox, &[], None);
    assert_eq!(healed.code, 0, "{}", healed.shown());
}

/// K1, where the remedy does not help.
#[test]
fn a_kuadrant_that_never_sees_a_gateway_provider_is_restarted_once_and_then_told() {
    let sandbox = WITH_MAAS.copy(&format!("{PLATFORM}{MAAS}"));
    ends(
        &apply(&sandbox, &["gateway-provider-unseen"], Some("6s")),
        &[(
            "kuadrant.ready did not become ready within 6.0 s",
            &[
                "Kuadrant kuadrant: Ready=False, MissingDependency: [Gateway API provider (istio / envoy gateway)] is not \
                 installed, please restart Kuadrant Operator pod once dependency has been installed",
            ],
            longer!(
                "see that a GatewayClass is accepted, and restart the operator of Kuadrant once more: `oc delete pod -n \
                 openshift-operators -l app.kubernetes.io/name=kuadrant-operator`"
            ),
        )],
    );
}
