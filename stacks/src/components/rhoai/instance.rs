//! The instance: initialisation, the cluster of components, and the gates on the parts that others wait for.
//!
//! Facts: `reference/platform.md` §2.11 and §2.12.

use crate::{
    components::{
        Context, cluster_observability,
        draft::{Draft, Kind, TAKES_NOTICE, at, established, labelled, pods, seconds, see},
        kueue, maas,
        names::APPLICATIONS,
        platform_symptoms,
    },
    stack::{Components, Mlflow, PlatformMonitoring, Rhoai},
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, ObjectRef,
    readiness::{Observation, Rule},
    resource::ConsequenceClass,
};

const SERVING_KINDS: &[Kind] = &[Kind {
    group: "serving.kserve.io",
    kind: "LLMInferenceService",
    plural: "llminferenceservices",
    namespaced: true,
}];
const MLFLOW_KINDS: &[Kind] = &[Kind {
    group: "mlflow.opendatahub.io",
    kind: "MLflow",
    plural: "mlflows",
    namespaced: false,
}];

/// The cluster of components.
pub(in crate::components) fn cluster() -> Address {
    at("rhoai.cluster")
}

/// The object that says which components are on.
pub(in crate::components) fn cluster_object() -> ObjectRef {
    ObjectRef::cluster(
        "datasciencecluster.opendatahub.io/v2",
        "DataScienceCluster",
        "default-dsc",
    )
}

/// What the platform is initialised with.
pub(in crate::components) fn initialization() -> Address {
    at("rhoai.initialization")
}

/// The gate that the serving controllers run.
pub(in crate::components) fn controllers() -> Address {
    at("rhoai.controllers")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let mut nodes = vec![
        initialization_node(&context.stack.rhoai.monitoring),
        data_science_cluster(context),
    ];
    nodes.extend(serving());
    if context.stack.rhoai.components.mlflow {
        nodes.extend(mlflow(&context.stack.rhoai.mlflow));
    }
    nodes.push(ready(context));
    nodes
}

/// Written in v2: v1 has `serviceMesh`, which the conversion drops, so that it would never read back (§2.12).
fn initialization_node(wanted: &PlatformMonitoring) -> Draft {
    let mut metrics = json!({"storage": {
        "retention": wanted.metrics_retention.as_str(),
        "size": wanted.metrics_volume.as_str(),
    }});
    metrics["replicas"] = json!(wanted.metrics_replicas);
    let traces = json!({
        "sampleRatio": wanted.traces_sample_ratio.as_str(),
        // The other stores need a Secret that the manual has no input for (§5, row `tracesBackend`).
        "storage": {"backend": "pv", "retention": wanted.traces_retention.as_str()},
    });
    Draft::object(
        initialization(),
        json!({
            "apiVersion": "dscinitialization.opendatahub.io/v2",
            "kind": "DSCInitialization",
            "metadata": {"name": "default-dsci"},
            "spec": {
                "monitoring": {
                    "managementState": "Managed",
                    "namespace": wanted.namespace.as_str(),
                    // Empty, and there: that switches alerts on.
                    "alerting": {},
                    "metrics": metrics,
                    "traces": traces,
                },
                // Left out, the operator deletes the bundle from every namespace (§2.12, §7 row D49).
                "trustedCABundle": {"managementState": "Managed", "customCABundle": ""},
            },
        }),
    )
    // The operator makes it when it starts and finds none.
    .expected()
    .ready(Rule::equals("status.phase", "Ready"))
    // A phase says of no generation: `Ready` may be about what was asked for before.
    .settled(TAKES_NOTICE)
    .diagnosed(platform_symptoms::initialization())
    .within(seconds(300))
    .after(
        cluster_observability::installed(),
        "its metrics are kept by Cluster Observability",
    )
    .leaves(
        ObjectRef::cluster(
            "dscinitialization.opendatahub.io/v2",
            "DSCInitialization",
            "default-dsci",
        ),
        "where the operator made it first, it was adopted and is given back",
    )
    .leaves(
        ObjectRef::cluster(
            "services.platform.opendatahub.io/v1alpha1",
            "Monitoring",
            "default-monitoring",
        ),
        "it stays as long as DSCInitialization default-dsci does",
    )
}

fn data_science_cluster(context: &Context<'_>) -> Draft {
    // Not whether MaaS is on: that is a node of its own, because it has to wait for the gateway and the database (§4 G26),
    // and because it is switched off only after what MaaS serves is gone (reference/serving.md §2.4). Unsaid is off.
    let components = components(&context.stack.rhoai);
    let mut node = Draft::object(
        cluster(),
        json!({
            "apiVersion": "datasciencecluster.opendatahub.io/v2",
            "kind": "DataScienceCluster",
            "metadata": {
                "name": "default-dsc",
                "labels": {
                    "app.kubernetes.io/name": "datasciencecluster",
                    "app.kubernetes.io/part-of": "rhods-operator",
                    "app.kubernetes.io/created-by": "rhods-operator",
                },
            },
            "spec": {"components": components},
        }),
    )
    .after(initialization(), "the platform is initialised before its components")
    .note("which components are on; what others wait for are gates of its parts");
    if let Some(kueue) = kueue::installed(context) {
        node = node.after(kueue, "its component Kueue looks for the operator");
    }
    node
}

fn components(rhoai: &Rhoai) -> Value {
    // No `..`: a new switch must not compile until it is written somewhere.
    let Components {
        dashboard,
        pipelines,
        workbenches,
        model_registry,
        mlflow,
        training_operator,
        nim,
        llama_stack,
        trustyai,
        feature_store,
        kueue,
        distributed_workloads,
    } = rhoai.components;
    let state = |on: bool| if on { "Managed" } else { "Removed" };
    json!({
        "dashboard": {"managementState": state(dashboard)},
        "aipipelines": {
            "managementState": state(pipelines),
            "argoWorkflowsControllers": {"managementState": "Managed"},
        },
        "feastoperator": {"managementState": state(feature_store)},
        "kserve": {
            "managementState": "Managed",
            "rawDeploymentServiceConfig": "Headless",
            "nim": {"managementState": state(nim)},
        },
        // `Managed` is refused: it comes from its own operator (§2.12, §4 G30).
        "kueue": {
            "managementState": if kueue { "Unmanaged" } else { "Removed" },
            "defaultClusterQueueName": "default",
            "defaultLocalQueueName": "default",
        },
        "llamastackoperator": {"managementState": state(llama_stack)},
        "modelregistry": {
            "managementState": state(model_registry),
            "registriesNamespace": rhoai.registry_namespace.as_str(),
        },
        "mlflowoperator": {"managementState": state(mlflow)},
        "ray": {"managementState": state(distributed_workloads)},
        "workbenches": {
            "managementState": state(workbenches),
            "workbenchNamespace": rhoai.workbench_namespace.as_str(),
        },
        "trainingoperator": {"managementState": state(training_operator)},
        "trustyai": {"managementState": state(trustyai)},
    })
}

fn serving() -> [Draft; 2] {
    let controller = |name| {
        Observation::new(
            labelled(pods(), Some(APPLICATIONS), ("control-plane", name)),
            Rule::PodReady,
        )
    };
    [
        Draft::gate(at("rhoai.serving-kinds"), established(SERVING_KINDS))
            .after_write(cluster(), "its component KServe brings the kind")
            .provides(SERVING_KINDS)
            .within(seconds(600))
            .diagnosed(platform_symptoms::initialization())
            .note("waits for kind LLMInferenceService"),
        Draft::gate(
            controllers(),
            vec![
                controller("odh-model-controller"),
                controller("kserve-controller-manager"),
            ],
        )
        .after_write(cluster(), "its component KServe runs them")
        .after(
            at("rhoai.serving-kinds"),
            "they act on that kind, and their webhooks judge it",
        )
        .within(seconds(300))
        .note("waits for odh-model-controller and kserve-controller-manager"),
    ]
}

/// Cluster-scoped, and of this name only (§2.11).
fn mlflow(wanted: &Mlflow) -> [Draft; 2] {
    [
        Draft::gate(at("rhoai.mlflow-kinds"), established(MLFLOW_KINDS))
            .after_write(cluster(), "its component MLflow brings the kind")
            .provides(MLFLOW_KINDS)
            .within(seconds(600))
            .diagnosed(platform_symptoms::initialization())
            .note("waits for kind MLflow"),
        Draft::object(
            at("rhoai.mlflow"),
            json!({
                "apiVersion": "mlflow.opendatahub.io/v1",
                "kind": "MLflow",
                "metadata": {"name": "mlflow"},
                "spec": {
                    "storage": {
                        "accessModes": [wanted.access_mode.as_str()],
                        "resources": {"requests": {"storage": wanted.volume.as_str()}},
                    },
                    "backendStoreUri": wanted.backend_store_uri,
                    "artifactsDestination": wanted.artifacts_destination,
                    "serveArtifacts": wanted.serve_artifacts,
                },
            }),
        )
        .holds_data()
        .tells(
            ConsequenceClass::Notice,
            format!(
                "MLflow keeps its runs on a volume of {}, which goes with it",
                wanted.volume.as_str()
            ),
        ),
    ]
}

/// The whole, for people: nothing waits for it, because its part for MaaS comes last.
fn ready(context: &Context<'_>) -> Draft {
    let has_dashboard = context.stack.rhoai.components.dashboard;
    let dashboard = has_dashboard.then(maas::dashboard_symptoms).into_iter().flatten();
    let gate = Draft::gate(at("rhoai.ready"), vec![see(cluster_object(), Rule::condition("Ready"))])
        .after_write(cluster(), "it is what has to become ready")
        .within(seconds(600))
        .diagnosed(platform_symptoms::initialization())
        .diagnosed_by(dashboard)
        .diagnosed_by(platform_symptoms::components(&cluster_object()))
        .note("waits for DataScienceCluster Ready");
    match maas::api(context) {
        Some(api) => gate
            .diagnosed(maas::early_access())
            .after(api, "with MaaS on it is ready only when maas-api is"),
        None => gate,
    }
}
