//! What an apply ends in when gateways or MaaS go wrong in the cluster: it converges, by waiting or by a remedy, or it says
//! whose fault it is and what a person has to do. Models are in `model_diagnoses.rs`.
//!
//! Every run starts from a copy of a platform that was applied once, and several faults that do not touch each other share
//! a run.

use crate::{
    sandbox::Sandbox,
    serving_ends::{BELOW, LIMIT, MAAS, PLATFORM, WITH_MAAS, again, apply, ends, longer, model, tier},
};

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
        &apply(&sandbox, &["gateway-provider-unseen"], Some(LIMIT)),
        &[(
            "kuadrant.ready did not become ready within 40.0 s",
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

/// P7, P14, from the beginning: what is refused on a platform that is there is refused by the plan already.
#[test]
fn a_controller_of_an_early_access_release_and_a_flag_that_the_release_refuses() {
    let sandbox = Sandbox::new();
    sandbox.write(&format!("{PLATFORM}{MAAS}"));
    ends(
        &apply(
            &sandbox,
            &["old-selector@maas-controller", "flag-refused@modelAsService"],
            None,
        ),
        &[
            (
                "maas.dashboard OdhDashboardConfig redhat-ods-applications/odh-dashboard-config could not be applied",
                &[
                    "admission denied it: admission webhook \"odhdashboardconfig-validator.opendatahub.io\" denied the \
                     request: DEPRECATED: spec.dashboardConfig.modelAsService must be removed",
                ],
                again!(
                    "this release of OpenShift AI has dropped a flag that the stack takes: hold it where it was with \
                     `approval = \"manual\"` under `[rhoai]`"
                ),
            ),
            (
                "rhoai.ready will not become ready",
                &[
                    "DataScienceCluster default-dsc: Ready=False, NotReady: Some components are not ready: modelsasservice",
                    "DataScienceCluster default-dsc: ModelsAsServiceReady=False, Error: Deployment.apps \"maas-controller\" \
                     is invalid: spec.selector: Invalid value: field is immutable",
                ],
                again!(
                    "delete Deployments redhat-ods-applications/maas-controller and redhat-ods-applications/maas-api, which \
                     are of an early-access release: the operator makes them anew"
                ),
            ),
        ],
    );
}

/// P20.
#[test]
fn a_pod_that_every_call_goes_through_is_told_with_its_last_words() {
    let sandbox = BELOW.copy(&format!("{PLATFORM}{MAAS}"));
    ends(
        &apply(&sandbox, &["crashing@payload-processing"], None),
        &[(
            "maas.tenant will not become ready",
            &[
                "Tenant default-tenant: Ready=False, DeploymentsNotReady: maas-api or payload-processing is not available",
                "Pod payload-processing-*: container payload-processing: CrashLoopBackOff: it ended with code 1, Error: fatal: \
                 cannot read the configuration",
            ],
            again!("see the log of Deployment openshift-ingress/payload-processing"),
        )],
    );
    let healed = apply(&sandbox, &[], None);
    assert_eq!(healed.code, 0, "{}", healed.shown());
}

/// E1.
#[test]
fn the_label_of_a_provider_is_missed_and_written_again() {
    let stack = format!(
        "{PLATFORM}{MAAS}[[maas.external_models]]\nname = \"far\"\nendpoint = \"llm.example.com\"\napi_key = {{ env = \
         \"LITELLM_API_KEY\" }}\n"
    );
    let sandbox = WITH_MAAS.copy(&stack);
    let fault = ["provider-unlabelled@far-credentials"];
    let ran = apply(&sandbox, &fault, None);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    let drift = sandbox.simulate(&["drift", "stack.toml"]).expect(2);
    insta::assert_snapshot!(drift.stdout, @r#"
    maas.external[far].credential   Secret external-models/far-credentials
      metadata.labels.inference.networking.k8s.io/bbr-managed:  "true" → (none)   taken away; the server does not say by whom
    1 drifted, 66 as recorded
    hint: `stackctl apply` sets 1 field back; what should stay goes into the stack
    "#);
    let ran = apply(&sandbox, &fault, None);
    assert_eq!(ran.code, 0, "{}", ran.shown());
    sandbox.simulate(&["drift", "stack.toml"]).expect(0);
}
