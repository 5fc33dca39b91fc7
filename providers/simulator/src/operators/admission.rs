//! What the operators' webhooks deny, as admissions of the embedded API server.
//!
//! Source: reference/platform.md §2.12 (singletons, order of deletion, immutable fields, Kueue), G27;
//! reference/serving.md §1.3 (profiles and connections of models); reference/platform.md G04 (cert-manager's webhook).
//!
//! [`super::connections`] injects into models what their connections hold.
//!
//! Left out: what hardware profiles inject into models; defaults of the DSC.

use std::sync::Arc;

use serde_json::Value;

use super::cert_manager::AUTHORITY_KNOWN;
use super::connections::{self, Untyping};
use super::kinds;
use super::object::Read;
use super::rhoai::REFUSES;
use crate::apiserver::{Admission, AdmissionRegistry, AdmissionRequest, Operation, Rejection};
use crate::faults::{Fault, FaultName, Faults, silent_webhooks};

/// Judges one write; none of its own kind passes.
type Judge = fn(&AdmissionRequest<'_>, Option<&Value>) -> Result<(), Rejection>;

/// Changes what is to be written.
type Change = fn(&AdmissionRequest<'_>, &mut Value) -> Result<(), Rejection>;

struct Webhook {
    name: &'static str,
    group: &'static str,
    kind: &'static str,
    judge: Judge,
    change: Option<Change>,
}

const WEBHOOKS: [Webhook; 6] = [
    // Called for every kind of its group.
    Webhook {
        name: "webhook.cert-manager.io",
        group: "cert-manager.io",
        kind: "",
        judge: cert_manager,
        change: None,
    },
    Webhook {
        name: "dscinitialization-v2-validator.opendatahub.io",
        group: "dscinitialization.opendatahub.io",
        kind: "DSCInitialization",
        judge: dsci,
        change: None,
    },
    Webhook {
        name: "datasciencecluster-v2-validator.opendatahub.io",
        group: "datasciencecluster.opendatahub.io",
        kind: "DataScienceCluster",
        judge: dsc,
        change: None,
    },
    Webhook {
        name: "odhdashboardconfig-validator.opendatahub.io",
        group: "opendatahub.io",
        kind: "OdhDashboardConfig",
        judge: dashboard,
        change: None,
    },
    Webhook {
        name: "hardwareprofile-llmisvc-injector.opendatahub.io",
        group: "serving.kserve.io",
        kind: "LLMInferenceService",
        judge: profile,
        change: None,
    },
    Webhook {
        // One for each version in truth: `-v1alpha1` and `-v1alpha2`, which do the same.
        name: "connection-llmisvc-v1alpha2.odh-model-controller.opendatahub.io",
        group: "serving.kserve.io",
        kind: "LLMInferenceService",
        judge: connections::judge,
        change: Some(connections::inject),
    },
];

/// Registers every webhook; faults may make one refuse more.
pub fn register(registry: &AdmissionRegistry) {
    for webhook in WEBHOOKS {
        registry.register(Arc::new(webhook));
    }
}

/// Returns whether a text names a webhook, or a kind that one may be called for.
pub(crate) fn is_known(text: &str) -> bool {
    kinds::named(text).is_some() || WEBHOOKS.iter().any(|webhook| webhook.name == text)
}

/// Puts the faults of webhooks in force: those that are named time out, for everybody, all others answer, and a policy of
/// somebody's is there or is not.
pub(crate) fn follow(registry: &AdmissionRegistry, faults: &[Fault]) {
    for webhook in WEBHOOKS {
        if silent_webhooks(faults).any(|name| name == webhook.name) {
            let service = webhook.name.replace('.', "-");
            let text = format!(
                "failed to call webhook: Post \"https://{service}.webhooks.svc:443/validate?timeout=10s\": context deadline exceeded"
            );
            registry.set_unavailable(webhook.name, text);
        } else {
            registry.set_available(webhook.name);
        }
    }
    let untyped: Vec<String> = Faults(faults)
        .targets(FaultName::ConnectionUntyped)
        .map(str::to_owned)
        .collect();
    if untyped.is_empty() {
        registry.unregister(Untyping::NAME);
    } else {
        registry.register(Arc::new(Untyping(untyped)));
    }
}

impl Admission for Webhook {
    fn name(&self) -> &str {
        self.name
    }

    fn handles(&self, request: &AdmissionRequest<'_>) -> bool {
        request.group == self.group
            && (self.kind.is_empty() || request.kind == self.kind)
            && request.subresource.is_none()
    }

    fn mutate(&self, request: &AdmissionRequest<'_>, object: &mut Value) -> Result<(), Rejection> {
        // A connection that is not there is the judge's to refuse, in one place and in one voice.
        match self.change {
            Some(change) => (self.judge)(request, Some(object)).and_then(|()| change(request, object)),
            None => Ok(()),
        }
    }

    fn validate(&self, request: &AdmissionRequest<'_>, object: Option<&Value>) -> Result<(), Rejection> {
        (self.judge)(request, object)
    }
}

fn deny<T>(message: impl Into<String>) -> Result<T, Rejection> {
    Err(Rejection::Denied(message.into()))
}

/// Until cert-manager's webhook runs, nothing of its kinds can be written (reference/platform.md G04).
fn cert_manager(request: &AdmissionRequest<'_>, _: Option<&Value>) -> Result<(), Rejection> {
    let pods = request.objects.objects("", "Pod");
    let runs = pods.iter().any(|pod| {
        pod.namespace() == "cert-manager"
            && pod.label("app.kubernetes.io/name") == Some("cert-manager-webhook")
            && pod.is("Ready")
    });
    if request.operation == Operation::Delete {
        return Ok(());
    }
    let webhook = request
        .objects
        .object("apps", "Deployment", Some("cert-manager"), "cert-manager-webhook");
    if runs && webhook.is_some_and(|webhook| webhook.annotation(AUTHORITY_KNOWN) == Some("false")) {
        return Err(Rejection::Unavailable(
            "failed to call webhook: Post \"https://cert-manager-webhook.cert-manager.svc:443/validate?timeout=30s\": tls: failed to verify certificate: x509: certificate signed by unknown authority".to_owned(),
        ));
    }
    if runs {
        return Ok(());
    }
    Err(Rejection::Unavailable(
        "failed to call webhook: Post \"https://cert-manager-webhook.cert-manager.svc:443/validate?timeout=30s\": no endpoints available for service \"cert-manager-webhook\"".to_owned(),
    ))
}

fn singleton(request: &AdmissionRequest<'_>) -> Result<(), Rejection> {
    let others = request.objects.objects(request.group, request.kind);
    if request.operation == Operation::Create && others.iter().any(|other| other.name() != request.name) {
        return deny(format!("Only one instance of {} object is allowed", request.kind));
    }
    Ok(())
}

fn unchanged(request: &AdmissionRequest<'_>, object: Option<&Value>, pointers: &[&str]) -> Result<(), Rejection> {
    let (Some(old), Some(new)) = (request.old, object) else {
        return Ok(());
    };
    for pointer in pointers {
        if !old.text(pointer).is_empty() && old.text(pointer) != new.text(pointer) {
            return deny(format!(
                "{} is immutable",
                pointer.trim_start_matches('/').replace('/', ".")
            ));
        }
    }
    Ok(())
}

fn dsci(request: &AdmissionRequest<'_>, object: Option<&Value>) -> Result<(), Rejection> {
    singleton(request)?;
    if request.operation == Operation::Delete
        && !request
            .objects
            .objects("datasciencecluster.opendatahub.io", "DataScienceCluster")
            .is_empty()
    {
        return deny("Cannot delete DSCInitialization object when DataScienceCluster object still exists");
    }
    unchanged(
        request,
        object,
        &["/spec/applicationsNamespace", "/spec/monitoring/namespace"],
    )
}

fn dsc(request: &AdmissionRequest<'_>, object: Option<&Value>) -> Result<(), Rejection> {
    singleton(request)?;
    if object.is_some_and(|object| object.text("/spec/components/kueue/managementState") == "Managed") {
        return deny("Kueue managementState Managed is no longer supported, use Unmanaged");
    }
    unchanged(request, object, &["/spec/components/workbenches/workbenchNamespace"])
}

fn dashboard(request: &AdmissionRequest<'_>, object: Option<&Value>) -> Result<(), Rejection> {
    let has = |flag: &str| object.is_some_and(|object| object["spec"]["dashboardConfig"].get(flag).is_some());
    let operator = request
        .objects
        .object("apps", "Deployment", Some("redhat-ods-operator"), "rhods-operator");
    let refused = operator.as_deref().and_then(|operator| operator.annotation(REFUSES));
    if let Some(flag) = refused.filter(|flag| has(flag)) {
        return deny(format!("DEPRECATED: spec.dashboardConfig.{flag} must be removed"));
    }
    if object.is_some_and(|object| object.pointer("/spec/dashboardConfig/mlflow").is_some()) {
        return deny("DEPRECATED: spec.dashboardConfig.mlflow must be removed");
    }
    Ok(())
}

fn profile(request: &AdmissionRequest<'_>, object: Option<&Value>) -> Result<(), Rejection> {
    let Some(service) = object else { return Ok(()) };
    let Some(name) = service
        .annotation("opendatahub.io/hardware-profile-name")
        .filter(|name| !name.is_empty())
    else {
        return Ok(());
    };
    let namespace = service
        .annotation("opendatahub.io/hardware-profile-namespace")
        .or(request.namespace);
    match request
        .objects
        .object("infrastructure.opendatahub.io", "HardwareProfile", namespace, name)
    {
        Some(_) => Ok(()),
        None => deny(format!(
            "hardware profile '{name}' not found in namespace '{}'",
            namespace.unwrap_or_default()
        )),
    }
}
