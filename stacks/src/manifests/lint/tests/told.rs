//! What is told though an apply would go through, beside what the catalogue really makes.

use super::*;

/// What is told of manifests in `theirs.yaml` beside a stack, a line each, with the code.
fn told(stack: Option<&str>, manifests: &str) -> String {
    let catalogue = stack.map_or_else(Vec::new, |text| compiled(&stack_of(text)));
    let set = ManifestSet::bare("theirs", "theirs.yaml");
    let file = ManifestFile {
        name: "theirs.yaml".to_owned(),
        text: manifests.to_owned(),
    };
    let made = resources(&[(&set, vec![file])], &catalogue).expect("no errors");
    let line = |notice: &crate::manifests::ManifestsNotice| {
        assert!(notice.help().is_some(), "{notice} says no way out");
        format!("{} {notice}\n", notice.code().expect("a code"))
    };
    made.notices.iter().map(line).collect()
}

/// A subscription of one owner to the model of the quickstart.
fn subscription(owner: &str) -> String {
    format!(
        "apiVersion: maas.opendatahub.io/v1alpha1
kind: MaaSSubscription
metadata: {{name: theirs, namespace: models-as-a-service}}
spec:
  priority: 70
  owner: {owner}
  modelRefs: [{{name: qwen3-8b, namespace: llm-d-demo, tokenRateLimits: [{{limit: 1, window: 1m}}]}}]
"
    )
}

/// An auth policy of some subjects for the same model.
fn policy(subjects: &str) -> String {
    format!(
        "apiVersion: maas.opendatahub.io/v1alpha1
kind: MaaSAuthPolicy
metadata: {{name: theirs, namespace: models-as-a-service}}
spec:
  subjects: {subjects}
  modelRefs: [{{name: qwen3-8b, namespace: llm-d-demo}}]
"
    )
}

#[test]
fn a_group_that_has_a_limit_may_call_and_the_reverse() {
    let limit = "STK354 theirs.yaml:7: MaaSSubscription models-as-a-service/theirs names `theirs` for model \
                 `llm-d-demo/qwen3-8b`, and no MaaSAuthPolicy here does\n";
    let access = "STK354 theirs.yaml:6: MaaSAuthPolicy models-as-a-service/theirs names `theirs` for model \
                  `llm-d-demo/qwen3-8b`, and no MaaSSubscription here does\n";
    let groups = "{groups: [{name: theirs}]}";
    assert_eq!(told(Some(QUICKSTART), &subscription(groups)), limit);
    assert_eq!(told(Some(QUICKSTART), &policy(groups)), access);
    let both = format!("{}---\n{}", subscription(groups), policy(groups));
    assert_eq!(told(Some(QUICKSTART), &both), "");
    // Who is in a group is not known: where users are named, or everybody is, nothing is said.
    for open in ["{users: [bob]}", "{groups: [{name: \"system:authenticated\"}]}"] {
        let both = format!("{}---\n{}", subscription(groups), policy(open));
        let rest = told(Some(QUICKSTART), &both);
        assert!(!rest.contains("`theirs` for model"), "{rest}");
    }
    // A group of a tier has both already, and without a stack that serves subscriptions nobody is asked.
    assert_eq!(told(Some(QUICKSTART), &policy("{groups: [{name: pro-users}]}")), "");
    assert_eq!(told(None, &subscription(groups)), "");
}

#[test]
fn a_group_of_a_tier_is_an_owner_of_no_other_subscription() {
    let said = told(Some(QUICKSTART), &subscription("{groups: [{name: pro-users}]}"));
    assert_eq!(
        said,
        "STK360 theirs.yaml:6: group `pro-users` is an owner of MaaSSubscription models-as-a-service/pro-subscription of the \
         stack too\n"
    );
}

#[test]
fn a_model_on_the_gateway_of_maas_is_offered_by_a_reference() {
    assert_eq!(
        told(Some(QUICKSTART), SERVICE),
        "STK355 theirs.yaml:9: LLMInferenceService llm-d-demo/theirs is on the gateway of MaaS, and nothing here has a \
         MaaSModelRef to it\n"
    );
    let reference = "---
apiVersion: maas.opendatahub.io/v1alpha1
kind: MaaSModelRef
metadata: {name: other-name, namespace: llm-d-demo}
spec: {modelRef: {kind: LLMInferenceService, name: theirs}}
";
    assert_eq!(told(Some(QUICKSTART), &format!("{SERVICE}{reference}")), "");
    // The older generation has no references.
    assert!(!told(Some(GATEWAY_POLICIES), SERVICE).contains("STK355"));
    let elsewhere = SERVICE.replace("maas-default-gateway", "other");
    assert_eq!(told(Some(QUICKSTART), &elsewhere), "");
}

#[test]
fn a_dashboard_meets_every_condition_of_the_console() {
    let dashboard = "apiVersion: perses.dev/v1alpha2
kind: PersesDashboard
metadata:
  name: theirs
  namespace: openshift-cluster-observability-operator
  labels: {app.kubernetes.io/part-of: monitoring}
spec: {config: {duration: 1h}}
";
    let line = |line: usize, why: &str| {
        format!(
            "STK356 theirs.yaml:{line}: the console does not list PersesDashboard \
             openshift-cluster-observability-operator/theirs: {why}\n"
        )
    };
    assert_eq!(told(Some(QUICKSTART), dashboard), "");
    assert_eq!(
        told(
            Some(QUICKSTART),
            &dashboard.replace("part-of: monitoring", "part-of: dashboard")
        ),
        line(
            6,
            "it lists those with the label `app.kubernetes.io/part-of: monitoring` only"
        )
    );
    let elsewhere = dashboard.replace("openshift-cluster-observability-operator", "llm-d-demo");
    assert!(told(Some(QUICKSTART), &elsewhere).starts_with("STK356 theirs.yaml:5: "));
    let without = QUICKSTART.replace("[monitoring]\n", "[monitoring]\ndashboards = false\n");
    assert_ne!(without, QUICKSTART);
    assert_eq!(
        told(Some(&without), dashboard),
        line(2, "nothing here adds the UIPlugin of type `Dashboards`")
    );
    let plugin = "---
apiVersion: observability.openshift.io/v1alpha1
kind: UIPlugin
metadata: {name: dashboards}
spec: {type: Dashboards}
";
    assert_eq!(
        told(Some(&without), &format!("{dashboard}{plugin}")),
        line(
            2,
            "nothing here adds the UIPlugin of type `Monitoring` with `perses.enabled: true`"
        )
    );
}

#[test]
fn a_monitor_is_beside_its_model_and_limitador_has_one() {
    let monitor = |namespace: &str, selector: &str| {
        format!(
            "apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {{name: theirs, namespace: {namespace}}}
spec: {{selector: {{matchLabels: {{{selector}}}}}, endpoints: []}}
"
        )
    };
    let of_models = "app.kubernetes.io/component: llminferenceservice-workload";
    let of_one = format!("{of_models}, app.kubernetes.io/name: qwen3-8b");
    let of_another = format!("{of_models}, app.kubernetes.io/name: other");
    for selector in [of_models, of_one.as_str()] {
        assert_eq!(
            told(Some(QUICKSTART), &monitor("default", selector)),
            "STK357 theirs.yaml:3: ServiceMonitor default/theirs finds no pods: it looks in its own namespace, and what it \
             is for is LLMInferenceService llm-d-demo/qwen3-8b of the stack\n"
        );
        assert_eq!(told(Some(QUICKSTART), &monitor("llm-d-demo", selector)), "");
    }
    // Of a model that is not seen here nothing is known.
    assert_eq!(told(Some(QUICKSTART), &monitor("default", &of_another)), "");
    assert_eq!(
        told(Some(QUICKSTART), &monitor("kuadrant-system", "app: limitador")),
        "STK358 theirs.yaml:4: ServiceMonitor kuadrant-system/theirs scrapes Limitador, whose counters Kuadrant \
         kuadrant-system/kuadrant of the stack has scraped already\n"
    );
}

#[test]
fn a_gated_repository_has_a_token() {
    let gated = SERVICE
        .replace("facebook/opt-125m\"", "meta-llama/Llama-3.1-8B\"")
        .replace("maas-default-gateway", "other");
    assert_eq!(
        told(Some(QUICKSTART), &gated),
        "STK361 theirs.yaml:8: `meta-llama/Llama-3.1-8B` is fetched without a token, and most repositories there are \
         gated\n"
    );
    let token = "env: [{name: HF_TOKEN, valueFrom: {secretKeyRef: {name: hf, key: token}}}, {name";
    assert_eq!(told(Some(QUICKSTART), &gated.replace("env: [{name", token)), "");
}
