//! The parts of Models-as-a-Service, and users: rows P, I and C of `reference/serving.md` §5. `docs/gotchas.md` lists them all.

use super::{
    ADDITIONS, BARE_METAL, EXTERNAL_MODELS, GATEWAY_POLICIES, QUICKSTART, TWO_TENANTS, compiled,
    look::{all, edited, gate, holds_back, manifest, node, ready, refused, said, seen},
    stack_of,
};
use crate::cluster_facts::key;
use serde_json::json;
use stackctl_engine::{
    late::LateSource,
    readiness::{Rule, Target},
    resource::{Adopt, ConsequenceClass, DestroyStep, DocumentCodec, Effect, Node},
};

/// The stacks that have subscriptions.
pub(super) const SUBSCRIPTIONS: [&str; 4] = [QUICKSTART, TWO_TENANTS, EXTERNAL_MODELS, PRODUCTION_WITH_MAAS];
/// With the router's certificate of the stack itself.
const PRODUCTION_WITH_MAAS: &str = concat!(
    include_str!("../../../../examples/aws-production/stack.toml"),
    "\n[maas]\n[[maas.external_models]]\nname = \"far\"\nendpoint = \"llm.example.com\"\napi_key = { env = \"KEY\" }\n"
);

/// The quickstart with more keys in `[maas]`.
pub(super) fn maas(keys: &str) -> String {
    edited(QUICKSTART, "[maas]\n", &format!("[maas]\n{keys}\n"))
}

#[test]
fn s_p1_s_p2_s_p3_s_p4_maas_is_switched_on_after_all_that_its_controller_insists_on() {
    for text in SUBSCRIPTIONS {
        let before = [
            "maas.gateway",
            "maas.database.secret",
            "maas.database.deployment",
            "kuadrant.ready",
        ];
        for first in before {
            holds_back(text, first, &["maas.switch", "maas.tenant", "maas.api"]);
        }
    }
    let external = maas("database = { mode = \"external\", url = { env = \"URL\" } }");
    holds_back(&external, "maas.database.secret", &["maas.switch"]);
    let without = said(&maas("database = { mode = \"external\" }"));
    assert_eq!(without, ["STK005: `[maas.database]` has no `url`"]);
}

#[test]
fn s_p5_the_gateway_is_told_of_tls_last_and_nothing_is_called_before_the_filter_is_there() {
    for text in SUBSCRIPTIONS {
        let annotations = &manifest(text, "maas.gateway")["metadata"]["annotations"];
        assert!(annotations["security.opendatahub.io/authorino-tls-bootstrap"].is_null());
        let steps = ["certificate", "issued", "listener", "trust", "bootstrap", "filter"];
        let steps = steps.map(|step| format!("maas.authorino.{step}"));
        for pair in steps.windows(2) {
            holds_back(text, &pair[0], &[&pair[1]]);
        }
        // Only the filter itself is the proof: the annotation may have been looked at in vain.
        assert_eq!(
            seen(&gate(text, "maas.authorino.filter")),
            ["EnvoyFilter openshift-ingress/maas-default-gateway-authn-ssl"]
        );
    }
    holds_back(
        QUICKSTART,
        "maas.authorino.filter",
        &["model[qwen3-8b].service", "maas.tier[pro].enforced"],
    );
    holds_back(
        EXTERNAL_MODELS,
        "maas.authorino.filter",
        &["maas.external[qwen3-14b].service"],
    );
    let remedy = gate(QUICKSTART, "maas.authorino.filter").remedy.expect("a remedy");
    assert!(
        matches!(&remedy.effects[..], [Effect::Touch { .. }, Effect::Restart { target }] if target.name == "odh-model-controller"),
        "{:?}",
        remedy.effects
    );
}

#[test]
fn s_p6_a_tenant_is_judged_by_its_condition_and_not_by_its_phase() {
    let rule = ready(QUICKSTART, "maas.tenant");
    let tenant = |ready: &str| {
        json!({"kind": "Tenant", "metadata": {"name": "default-tenant"}, "status": {
            "phase": "Degraded", "conditions": [{"type": "Ready", "status": ready, "reason": "Reconciled"}]}})
    };
    assert!(rule.evaluate(&tenant("True")).is_ready());
    assert!(!rule.evaluate(&tenant("False")).is_ready());
}

#[test]
fn s_p8_that_keys_are_lost_with_the_pod_is_told_and_the_pod_is_never_replaced_unasked() {
    let database = node(QUICKSTART, "maas.database.deployment");
    assert!(database.lifecycle.holds_data);
    let is_told = |one: &stackctl_engine::resource::Consequence| {
        one.class == ConsequenceClass::DataLoss && one.text.contains("every key is lost")
    };
    assert!(database.consequences.iter().any(is_told), "{:?}", database.consequences);
}

#[test]
fn s_p9_a_password_that_we_drew_is_kept_while_its_database_lives() {
    let Node::Object(secret) = node(QUICKSTART, "maas.database.secret").node else {
        panic!("no object");
    };
    let drawn = secret.manifest.late().iter().find_map(|late| match &late.source {
        LateSource::Generated { unless_exists, .. } => Some(unless_exists.clone()),
        _ => None,
    });
    let database = manifest(QUICKSTART, "maas.database.deployment");
    let keeper = drawn.expect("a drawn value").expect("a keeper");
    assert_eq!(keeper.name, database["metadata"]["name"].as_str().expect("a name"));
}

#[test]
fn s_p10_the_url_of_the_database_is_made_of_the_password_by_the_engine_which_escapes_it() {
    let given = maas("database = { password = { env = \"PASSWORD\" } }");
    for text in [QUICKSTART, &given] {
        let Node::Object(secret) = node(text, "maas.database.secret").node else {
            panic!("no object");
        };
        assert!(secret.manifest.value()["data"].is_null());
        let url = secret
            .manifest
            .late()
            .iter()
            .find(|late| late.path.to_string() == ".data.DB_CONNECTION_URL");
        assert!(
            matches!(&url.expect("a URL").source, LateSource::Template { of, .. } if of.to_string() == ".data.password"),
            "{url:?}"
        );
    }
}

#[test]
fn s_p13_the_authority_of_a_generated_certificate_is_trusted_before_the_dashboard_starts() {
    let generated = edited(
        &maas("gateway = { tls = { mode = \"generate\", issuer = \"selfsigned\" } }"),
        "issuer = \"existing\"",
        "issuer = \"existing\"\ntrusted_ca = { gateway = \"maas\" }",
    );
    holds_back(&generated, "maas.certificate", &["tls.bundle", "tls.trusted"]);
    holds_back(&generated, "tls.trusted", &["rhoai.dashboard-restart"]);
    let Node::Action(restart) = node(&generated, "rhoai.dashboard-restart").node else {
        panic!("no action");
    };
    assert!(restart.trigger.to_string().contains("trusts"), "{}", restart.trigger);
}

#[test]
fn s_p14_every_flag_of_maas_is_set_before_the_one_restart() {
    let flags = |address| manifest(QUICKSTART, address)["spec"]["dashboardConfig"].clone();
    for flag in ["modelAsService", "maasAuthPolicies", "vLLMDeploymentOnMaaS"] {
        assert_eq!(flags("maas.dashboard")[flag], true, "{flag}");
    }
    assert_eq!(flags("rhoai.dashboard")["genAiStudio"], true);
    for first in ["maas.dashboard", "rhoai.dashboard"] {
        holds_back(QUICKSTART, first, &["rhoai.dashboard-restart"]);
    }
    let Node::Action(restart) = node(QUICKSTART, "rhoai.dashboard-restart").node else {
        panic!("no action");
    };
    assert!(
        restart.trigger.to_string().contains("vLLMDeploymentOnMaaS"),
        "{}",
        restart.trigger
    );
}

#[test]
fn s_p17_access_is_judged_by_the_policy_that_is_made_for_it_and_not_by_its_own_status() {
    assert_eq!(ready(QUICKSTART, "maas.tier[pro].access"), Rule::Exists);
    let gate = gate(QUICKSTART, "maas.tier[pro].enforced");
    let Target::Named(policy) = &gate.observations[0].target else {
        panic!("{gate:?}");
    };
    assert_eq!(policy.object_type.api_version, "kuadrant.io/v1");
}

#[test]
fn s_p19_one_telemetry_labels_the_metrics_of_the_gateway() {
    let told = said(&maas("telemetry = true\ntenant_telemetry = {}"));
    assert_eq!(
        told,
        ["STK041: `telemetry` and `[maas.tenant_telemetry]` exclude each other"]
    );
    // A tenant that is asked for nothing measures nothing of its own.
    assert!(manifest(TWO_TENANTS, "maas.tenant")["spec"]["telemetry"].is_null());
    assert_eq!(all(TWO_TENANTS, "TelemetryPolicy").len(), 1);
    let own = maas("tenant_telemetry = {}");
    assert_eq!(manifest(&own, "maas.tenant")["spec"]["telemetry"]["enabled"], true);
    assert!(all(&own, "TelemetryPolicy").is_empty());
}

#[test]
fn s_p20_maas_is_there_only_with_what_every_call_goes_through() {
    for text in SUBSCRIPTIONS {
        let gate = gate(text, "maas.api");
        assert_eq!(
            seen(&gate),
            [
                "Deployment redhat-ods-applications/maas-api",
                "Deployment openshift-ingress/payload-processing",
                "AuthPolicy redhat-ods-applications/maas-api-auth-policy",
            ]
        );
        assert!(
            gate.observations[..2].iter().all(|one| one.ready == Rule::RolledOut),
            "{gate:?}"
        );
        // Not accepted, its operator is restarted, and the policy never edited (K3).
        assert_eq!(gate.observations[2].ready, Rule::condition("Accepted"));
        assert!(gate.remedy.is_some());
        holds_back(text, "maas.api", &["rhoai.ready"]);
    }
}

#[test]
fn s_p22_the_tenant_and_its_namespace_are_given_back_and_never_deleted() {
    for address in ["maas.tenant", "maas.namespace"] {
        let lifecycle = node(QUICKSTART, address).lifecycle;
        assert!(lifecycle.self_recreating, "{address}");
        assert_eq!(lifecycle.adopt, Adopt::Expected, "{address}");
    }
    let steps = node(QUICKSTART, "maas.switch").lifecycle.on_destroy;
    let [DestroyStep::Patch { patch, .. }, gone @ ..] = &steps[..] else {
        panic!("{steps:?}");
    };
    assert_eq!(
        patch["spec"]["components"]["kserve"]["modelsAsService"]["managementState"],
        "Removed"
    );
    let waits_for = |kind: &str| {
        gone.iter().any(|step| {
            matches!(step, DestroyStep::AwaitGone { target: Target::Named(object), .. } if object.object_type.kind == kind)
        })
    };
    assert!(waits_for("Tenant") && waits_for("Deployment"), "{gone:?}");
}

#[test]
fn s_i1_users_are_written_and_waited_for_until_the_login_pods_have_them() {
    holds_back(TWO_TENANTS, "maas.users", &["maas.logins"]);
    let gate = gate(TWO_TENANTS, "maas.logins");
    let operator = |progressing: &str| {
        json!({"kind": "ClusterOperator", "metadata": {"name": "authentication"}, "status": {"conditions": [
            {"type": "Available", "status": "True"}, {"type": "Progressing", "status": progressing}]}})
    };
    assert!(gate.observations[0].ready.evaluate(&operator("False")).is_ready());
    assert!(!gate.observations[0].ready.evaluate(&operator("True")).is_ready());
    // Just after the write the operator has not seen it yet, and looks as if it were done.
    assert!(!gate.settle.is_zero());
}

#[test]
fn s_i2_s_c1_texts_that_others_write_too_are_edited_and_not_replaced() {
    let Node::Overlay(users) = node(TWO_TENANTS, "maas.users").node else {
        panic!("no overlay");
    };
    assert_eq!(users.target.to_string(), "Secret openshift-config/htpass-secret");
    assert!(users.fields.is_null());
    let is_a_line =
        |document: &stackctl_engine::resource::Document| matches!(document.codec, DocumentCodec::Htpasswd { .. });
    assert!(users.documents.len() == 2 && users.documents.iter().all(is_a_line));
    let Node::Overlay(bundle) = node(BARE_METAL, "tls.bundle").node else {
        panic!("no overlay");
    };
    assert!(bundle.fields.is_null());
    assert!(matches!(bundle.documents[0].codec, DocumentCodec::Pem { .. }));
}

#[test]
fn s_i3_users_need_the_one_document_that_their_provider_reads() {
    let provider = |name: &str| json!({"name": name, "type": "HTPasswd", "htpasswd": {"fileData": {"name": name}}});
    for providers in [json!([]), json!([provider("one"), provider("other")])] {
        let told = refused(&stack_of(TWO_TENANTS), key::IDENTITY_PROVIDERS, providers);
        assert!(told.contains("HTPasswd"), "{told}");
    }
}

#[test]
fn s_i4_no_identity_and_no_user_is_ever_written_or_deleted() {
    let mut texts = SUBSCRIPTIONS.to_vec();
    texts.extend([GATEWAY_POLICIES, ADDITIONS]);
    for text in texts {
        let shown = format!("{:?}", compiled(&stack_of(text)));
        for kind in ["\"Identity\"", "\"User\"", "\"UserIdentityMapping\""] {
            let object = format!("kind: {kind}");
            assert!(!shown.contains(&object), "{object}");
        }
    }
}
