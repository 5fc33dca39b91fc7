//! What a platform offers once it runs: hosts and URLs, for people and programs.

use super::{CompileError, Context, llm_d, maas};
use crate::{
    cluster_facts::ClusterFacts,
    stack::{Access, GatewayTls, Maas, OpenShift, Stack},
};
use stackctl_engine::facts::Facts;

/// One thing that the platform offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// A stable name for programs: `model.qwen3-8b.url`.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// The value.
    pub value: String,
}

/// The hosts of the gateways that a stack makes, under an apps domain, and what each presents.
pub(crate) fn gateway_hosts<'a>(stack: &'a OpenShift, domain: &str) -> Vec<(String, &'a GatewayTls)> {
    let models = (!stack.models.is_empty()).then(|| (llm_d::host_under(stack, domain), &stack.gateway.tls));
    let maas = stack.maas.as_ref().map(|maas| (maas_host(domain), &maas.gateway.tls));
    models.into_iter().chain(maas).collect()
}

/// The host of the gateway of MaaS, under an apps domain.
pub(crate) fn maas_host(domain: &str) -> String {
    maas::host_under(domain)
}

const fn scheme(is_plain: bool) -> &'static str {
    if is_plain { "http" } else { "https" }
}

/// What a stack offers, in the order in which people want to read it.
///
/// # Errors
/// Every fact that is missing or does not fit.
pub fn outputs(stack: &Stack, facts: &Facts) -> Result<Vec<Output>, Vec<CompileError>> {
    let Some(stack) = &stack.openshift else {
        return Ok(Vec::new());
    };
    let facts = ClusterFacts::parse(stack, facts)
        .map_err(|errors| errors.into_iter().map(CompileError::from).collect::<Vec<_>>())?;
    let context = Context { stack, facts: &facts };
    let mut outputs = Vec::new();
    let mut offer = |name: String, description: &str, value: String| {
        outputs.push(Output {
            name,
            description: description.to_owned(),
            value,
        });
    };
    for model in &stack.models {
        let (scheme, host) = match model.access {
            Access::Maas => (
                scheme(stack.maas.as_ref().is_some_and(maas::is_plain)),
                maas::host(&context),
            ),
            Access::Open | Access::Authenticated => (scheme(llm_d::is_plain(stack)), llm_d::host(&context)),
        };
        let has_keys = stack.maas.as_ref().is_some_and(|maas| maas.subscriptions().is_some());
        let caller = match model.access {
            Access::Maas if has_keys => "with an API key of a tier",
            Access::Maas => "with a token of a service account of a tier",
            Access::Authenticated => "with a token that may read the service",
            Access::Open => "open to who can reach it",
        };
        offer(
            format!("model.{}.url", model.name),
            &format!("{}, {caller}", model.model_name),
            // reference/serving.md §3.3.
            format!("{scheme}://{host}/{}/{}/v1", model.namespace, model.name),
        );
    }
    for model in &stack.models {
        let Some(stable) = model.canary.as_ref().and_then(|canary| stack.model(&canary.of)) else {
            continue;
        };
        let (scheme, host) = (scheme(llm_d::is_plain(stack)), llm_d::host(&context));
        offer(
            format!("model.{}.canary-url", stable.name),
            &format!("{} and {} by weight", stable.model_name, model.model_name),
            // reference/serving.md §3.3, row of canaries.
            format!("{scheme}://{host}/{}/{}/v1", stable.namespace, stable.model_name),
        );
    }
    for model in stack.maas.iter().flat_map(Maas::external_models) {
        let host = maas::host(&context);
        let scheme = scheme(stack.maas.as_ref().is_some_and(maas::is_plain));
        offer(
            format!("model.{}.url", model.name),
            &format!(
                "{} at {}, with an API key of a tier",
                model.target_model, model.endpoint
            ),
            format!("{scheme}://{host}/{}/{}/v1", model.namespace, model.name),
        );
    }
    if stack.rhoai.components.dashboard {
        // https://github.com/opendatahub-io/opendatahub-operator/blob/main/internal/controller/services/gateway/gateway_support.go
        // (`DefaultGatewaySubdomain`); the former `data-science-gateway` leads there.
        let url = format!("https://rh-ai.{}", facts.apps_domain);
        offer("dashboard.url".to_owned(), "the dashboard of OpenShift AI", url);
    }
    if let Some(wanted) = &stack.maas {
        let host = maas::host(&context);
        if wanted.subscriptions().is_some() {
            offer(
                "maas.api".to_owned(),
                "where API keys are made and listed",
                format!("{}://{host}/maas-api", scheme(maas::is_plain(wanted))),
            );
        }
        offer("maas.host".to_owned(), "the gateway of MaaS", host);
    }
    if !stack.models.is_empty() {
        offer("gateway.host".to_owned(), "the llm-d gateway", llm_d::host(&context));
    }
    Ok(outputs)
}
