//! The components of OpenShift AI, as data: what each is called, what it registers and what it deploys.
//!
//! Source: reference/platform.md §2.11 (layers of CRDs, what RHOAI makes), reference/serving.md §1.8 (MaaS).
//!
//! Invariant: a component that is not Managed has no CR, and so, by owner references, no operands.

use serde_json::{Value, json};

use super::APPLICATIONS;
use super::kinds::{self, DEPLOYMENT, Kind, MODELS_AS_SERVICE, ODH_DASHBOARD_CONFIG, SUBSCRIPTION, TENANT};
use super::object::{Read, object, owned_by};
use super::rhoai::application;
use super::rhoai_kueue;
use super::turn::{Turn, condition};
use crate::faults::FaultName;

/// One component of the DataScienceCluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Component {
    /// Its key under `spec.components`, as a JSON pointer.
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) condition: &'static str,
    /// The CRDs it registers, by their name in [`crate::schemas::crds_of_component`].
    pub(crate) crds: &'static str,
    pub(crate) deployments: &'static [&'static str],
    /// The namespace it makes, which stays (reference/platform.md §2.22).
    pub(crate) namespace: &'static str,
}

const fn component(
    key: &'static str,
    kind: Kind,
    name: &'static str,
    condition: &'static str,
    deployments: &'static [&'static str],
) -> Component {
    Component {
        key,
        kind,
        name,
        condition,
        crds: "",
        deployments,
        namespace: "",
    }
}

/// Every component, in the order in which the operator lists them.
pub(crate) const COMPONENTS: &[Component] = &[
    Component {
        crds: "dashboard",
        ..component(
            "dashboard",
            kinds::DASHBOARD,
            "default-dashboard",
            "DashboardReady",
            &["rhods-dashboard"],
        )
    },
    component(
        "aipipelines",
        kinds::DATA_SCIENCE_PIPELINES,
        "default-datasciencepipelines",
        "AIPipelinesReady",
        &["data-science-pipelines-operator-controller-manager"],
    ),
    component(
        "feastoperator",
        kinds::FEAST_OPERATOR,
        "default-feastoperator",
        "FeastOperatorReady",
        &["feast-operator-controller-manager"],
    ),
    Component {
        crds: "kserve",
        ..component(
            "kserve",
            kinds::KSERVE,
            "default-kserve",
            "KserveReady",
            &["kserve-controller-manager"],
        )
    },
    component(
        "kserve",
        kinds::MODEL_CONTROLLER,
        "default-modelcontroller",
        "ModelControllerReady",
        &["odh-model-controller"],
    ),
    Component {
        crds: "models-as-a-service",
        ..component(
            "kserve/modelsAsService",
            MODELS_AS_SERVICE,
            "default-modelsasservice",
            "ModelsAsServiceReady",
            &["maas-controller"],
        )
    },
    component("kueue", kinds::KUEUE, "default-kueue", "KueueReady", &[]),
    component(
        "llamastackoperator",
        kinds::LLAMA_STACK_OPERATOR,
        "default-llamastackoperator",
        "LlamaStackOperatorReady",
        &["llama-stack-k8s-operator-controller-manager"],
    ),
    Component {
        crds: "mlflow",
        ..component(
            "mlflowoperator",
            kinds::MLFLOW_OPERATOR,
            "default-mlflowoperator",
            "MLflowOperatorReady",
            &["mlflow-operator-controller-manager"],
        )
    },
    Component {
        crds: "modelregistry",
        namespace: "rhoai-model-registries",
        ..component(
            "modelregistry",
            kinds::MODEL_REGISTRY,
            "default-modelregistry",
            "ModelRegistryReady",
            &["model-registry-operator-controller-manager"],
        )
    },
    component("ray", kinds::RAY, "default-ray", "RayReady", &["kuberay-operator"]),
    component(
        "trainingoperator",
        kinds::TRAINING_OPERATOR,
        "default-trainingoperator",
        "TrainingOperatorReady",
        &["kubeflow-training-operator"],
    ),
    component(
        "trustyai",
        kinds::TRUSTY_AI,
        "default-trustyai",
        "TrustyAIReady",
        &["trustyai-service-operator-controller-manager"],
    ),
    Component {
        namespace: "rhods-notebooks",
        ..component(
            "workbenches",
            kinds::WORKBENCHES,
            "default-workbenches",
            "WorkbenchesReady",
            &["notebook-controller-deployment", "odh-notebook-controller-manager"],
        )
    },
];

const FINALIZER: &str = "platform.opendatahub.io/finalizer";
/// From CR to operands and CRDs: manifests are rendered and applied.
const PROVISION_SECONDS: u64 = 20;

/// Realises one component. Returns whether it is ready; none if it is not Managed.
pub(crate) fn reconcile(turn: &mut Turn<'_>, dsc: &Value, component: &Component) -> Option<bool> {
    let state = |key: &str| dsc.text(&format!("/spec/components/{key}/managementState")).to_owned();
    // A part counts only while what it is a part of is Managed.
    let managed = component
        .key
        .split_once('/')
        .is_none_or(|(whole, _)| state(whole) == "Managed");
    let wanted = match state(component.key).as_str() {
        "Managed" => managed,
        // Kueue's operand is installed while the DSC says Unmanaged (reference/platform.md §2.14).
        "Unmanaged" => component.key == "kueue",
        _ => false,
    };
    if !wanted {
        turn.delete(component.kind, "", component.name);
        return None;
    }
    if !component.namespace.is_empty() {
        let key = match component.key {
            "modelregistry" => "registriesNamespace",
            _ => "workbenchNamespace",
        };
        let named = dsc.text(&format!("/spec/components/{}/{key}", component.key));
        turn.namespace(if named.is_empty() { component.namespace } else { named });
    }
    let spec = if component.kind == kinds::KUEUE {
        rhoai_kueue::spec(dsc)
    } else {
        json!({})
    };
    turn.ensure(
        component.kind,
        owned_by(object(component.kind, "", component.name, json!({"spec": spec})), dsc),
    );
    let Some(live) = turn.world.get(component.kind, "", component.name).cloned() else {
        return Some(false);
    };
    if component.kind == MODELS_AS_SERVICE {
        turn.finalize(component.kind, &live, FINALIZER);
    }
    let provisioned =
        live.is("ProvisioningSucceeded") || turn.held(format!("component {}", live.uid()), PROVISION_SECONDS);
    if live.is_deleting() || !provisioned {
        return Some(false);
    }
    if component.kind == kinds::KUEUE
        && let Err((reason, why)) = rhoai_kueue::provision(turn, &live)
    {
        let conditions = [
            condition("Ready", false, reason, &why),
            condition("ProvisioningSucceeded", false, reason, &why),
        ];
        turn.status(
            component.kind,
            &live,
            json!({"phase": "Not Ready", "conditions": conditions}),
        );
        return Some(false);
    }
    Some(provision(turn, component, &live))
}

fn provision(turn: &mut Turn<'_>, component: &Component, live: &Value) -> bool {
    let mut ready = turn.register_component(component.crds);
    for name in component.deployments {
        if let Some(why) = old_selector(turn, component.kind, live, name) {
            let conditions = [
                condition("Ready", false, "Error", &why),
                condition("ProvisioningSucceeded", false, "Error", &why),
            ];
            turn.status(
                component.kind,
                live,
                json!({"phase": "Not Ready", "conditions": conditions}),
            );
            return false;
        }
        turn.ensure(DEPLOYMENT, owned_by(deployment(name), live));
        ready &= turn.world.is_available(APPLICATIONS, name);
    }
    if component.kind == kinds::DASHBOARD && !turn.faults.on(FaultName::DashboardConfigMissing) {
        dashboard_config(turn);
    }
    if component.kind == kinds::MODEL_REGISTRY && turn.world.has(kinds::NAMESPACE, "", component.namespace) {
        let catalog = super::operands::deployment(
            component.namespace,
            "model-catalog",
            &json!({"app.kubernetes.io/name": "model-catalog"}),
            &["catalog"],
        );
        turn.ensure(DEPLOYMENT, owned_by(catalog, live));
    }
    if component.kind == MODELS_AS_SERVICE {
        // The operator mirrors the Tenant: no gateway or database, no readiness (reference/platform.md G26).
        ready &= turn
            .world
            .get(TENANT, "models-as-a-service", "default-tenant")
            .is_some_and(|tenant| tenant.is("Ready"));
    }
    let fails = turn.faults.at(FaultName::ComponentFails, component.key);
    ready &= !fails;
    let (reason, why) = match (ready, fails) {
        (true, _) => ("Ready", String::new()),
        (false, false) => ("NotReady", String::new()),
        (false, true) => (
            "DeploymentsNotReady",
            format!("0/{} deployments ready", component.deployments.len()),
        ),
    };
    let deployed = if ready {
        "DeploymentsReady"
    } else {
        "DeploymentsNotReady"
    };
    let mut conditions = vec![
        condition("Ready", ready, reason, &why),
        condition("ProvisioningSucceeded", true, "Provisioned", ""),
        condition("DeploymentsAvailable", ready, deployed, &why),
    ];
    if component.kind == kinds::KSERVE {
        // It looks for Subscriptions of these names (reference/platform.md §2.12).
        let met = ["rhcl-operator", "openshift-cert-manager-operator"].iter().all(|name| {
            turn.world
                .list(SUBSCRIPTION)
                .any(|subscription| subscription.name() == *name)
        });
        conditions.push(condition(
            "KserveLLMInferenceServiceDependencies",
            met,
            if met { "AllDependenciesMet" } else { "MissingDependency" },
            "",
        ));
    }
    turn.status(
        component.kind,
        live,
        json!({
            "phase": if ready { "Ready" } else { "Not Ready" }, "observedGeneration": live["metadata"]["generation"],
            "conditions": conditions,
        }),
    );
    ready
}

/// Returns why a Deployment cannot be applied: it is of an early-access release, and nobody has deleted it yet
/// (reference/serving.md P7). That it was there once is written on the component.
fn old_selector(turn: &mut Turn<'_>, kind: Kind, live: &Value, name: &str) -> Option<String> {
    const LEFT: &str = "simulator.stackctl.dev/left-of-early-access";
    if !turn.faults.at(FaultName::OldSelector, name) {
        return None;
    }
    let there = turn.world.get(DEPLOYMENT, APPLICATIONS, name);
    let old = there.is_some_and(|found| found.annotation(LEFT).is_some());
    if !old && live.annotation(LEFT).is_some() {
        return None;
    }
    let mut left = application(name, &json!({"app": format!("{name}-ea")}), &["manager"]);
    left["metadata"]["annotations"] = json!({LEFT: "true"});
    turn.create(DEPLOYMENT, left);
    turn.patch(kind, live, json!({"metadata": {"annotations": {LEFT: "true"}}}));
    Some(format!(
        "Deployment.apps \"{name}\" is invalid: spec.selector: Invalid value: field is immutable"
    ))
}

fn deployment(name: &str) -> Value {
    match name {
        // Its sidecars: reference/platform.md §2.11.
        "rhods-dashboard" => application(
            name,
            &json!({"app": "rhods-dashboard", "deployment": "rhods-dashboard"}),
            &["rhods-dashboard", "kube-rbac-proxy", "gen-ai-ui", "maas-ui"],
        ),
        _ => application(name, &json!({"app": name, "control-plane": name}), &["manager"]),
    }
}

/// The initial dashboard configuration: made once its kind is there, never touched again (reference/platform.md §2.11).
fn dashboard_config(turn: &mut Turn<'_>) {
    let config = object(
        ODH_DASHBOARD_CONFIG,
        APPLICATIONS,
        "odh-dashboard-config",
        json!({
            "metadata": {
                "labels": {"app.opendatahub.io/rhods-dashboard": "true", "app.kubernetes.io/part-of": "rhods-dashboard"},
                "annotations": {"opendatahub.io/managed": "false"},
            },
            "spec": {"dashboardConfig": {"enablement": true}},
        }),
    );
    turn.create(ODH_DASHBOARD_CONFIG, config);
}

/// Lets MaaS go once its Tenant is gone, while its controller still clears finalizers.
pub(crate) fn finish(turn: &mut Turn<'_>) {
    for component in turn
        .all(MODELS_AS_SERVICE)
        .into_iter()
        .filter(|component| component.is_deleting())
    {
        turn.delete(TENANT, "models-as-a-service", "default-tenant");
        if turn.world.list(TENANT).next().is_none() {
            turn.release(MODELS_AS_SERVICE, &component, FINALIZER);
        }
    }
}
