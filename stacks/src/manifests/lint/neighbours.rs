//! What must not be installed beside OpenShift AI 3, and what its webhooks refuse.
//!
//! Facts: `reference/platform.md` §2.0 and §2.15 (neighbours), §2.12 (singletons), §4 G20 and G27.

use super::{Seen, World};
use crate::{
    manifests::{FileLine, ManifestsError, read::Document},
    stack::operators::BROKEN,
};

/// The kind that OpenShift AI is switched on by.
pub(super) const CLUSTER: (&str, &str) = ("datasciencecluster.opendatahub.io", "DataScienceCluster");
pub(super) const INITIALIZATION: (&str, &str) = ("dscinitialization.opendatahub.io", "DSCInitialization");
const SUBSCRIPTION: (&str, &str) = ("operators.coreos.com", "Subscription");
const DASHBOARD: (&str, &str) = ("opendatahub.io", "OdhDashboardConfig");
const INFERENCE: (&str, &str) = ("serving.kserve.io", "InferenceService");
const RUNTIME: (&str, &str) = ("serving.kserve.io", "ServingRuntime");

/// How an InferenceService is run.
const MODE: &str = "serving.kserve.io/deploymentMode";

const MESH: &str = "Service Mesh 2";
const SERVERLESS: &str = "Serverless";
const MODEL_MESH: &str = "ModelMesh";
const OPEN_DATA_HUB: &str = "Open Data Hub";

/// The neighbour that a package is.
fn of_package(package: &str) -> Option<&'static str> {
    match package {
        "servicemeshoperator" => Some(MESH),
        "serverless-operator" => Some(SERVERLESS),
        "opendatahub-operator" => Some(OPEN_DATA_HUB),
        _ => None,
    }
}

/// The neighbour that a kind belongs to.
fn of_kind(kind: (&str, &str)) -> Option<&'static str> {
    match kind {
        ("maistra.io", "ServiceMeshControlPlane" | "ServiceMeshMemberRoll" | "ServiceMeshMember") => Some(MESH),
        ("operator.knative.dev", "KnativeServing" | "KnativeEventing" | "KnativeKafka") => Some(SERVERLESS),
        ("kfdef.apps.kubeflow.org", "KfDef") => Some(OPEN_DATA_HUB),
        _ => None,
    }
}

fn refuse(one: Seen<'_>, at: FileLine, neighbour: &'static str, errors: &mut Vec<ManifestsError>) {
    errors.push(ManifestsError::Neighbour {
        at,
        object: one.object.to_string(),
        neighbour,
    });
}

/// Looks at one object, beside a stack that has OpenShift AI; elsewhere all of this is somebody's right.
pub(super) fn check(world: &World<'_>, one: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    let Some(instance) = world.instance else { return };
    if let Some(neighbour) = of_kind(one.kind()) {
        refuse(one, at.at_field("kind"), neighbour, errors);
    }
    let spec = &one.value["spec"];
    match one.kind() {
        SUBSCRIPTION => {
            if let Some(neighbour) = spec["name"].as_str().and_then(of_package) {
                refuse(one, at.at_field("spec.name"), neighbour, errors);
            }
            if let Some((csv, why)) = BROKEN.iter().find(|(csv, _)| spec["startingCSV"] == **csv) {
                errors.push(ManifestsError::BrokenVersion {
                    at: at.at_field("spec.startingCSV"),
                    csv,
                    why,
                });
            }
        }
        INFERENCE => match one.value["metadata"]["annotations"][MODE].as_str() {
            Some("ModelMesh") => refuse(one, at.at_annotation(MODE), MODEL_MESH, errors),
            Some("Serverless" | "Knative") => refuse(one, at.at_annotation(MODE), SERVERLESS, errors),
            _ => {}
        },
        RUNTIME if spec["multiModel"] == true => refuse(one, at.at_field("spec.multiModel"), MODEL_MESH, errors),
        DASHBOARD if spec["dashboardConfig"].get("mlflow").is_some() => {
            let (field, hint) = (
                "spec.dashboardConfig.mlflow",
                "leave the field out: it is of an earlier release",
            );
            refused(at.at_field(field), field, hint, errors);
        }
        CLUSTER | INITIALIZATION => {
            // The stack's own object in a manifest is declared twice, which is told elsewhere.
            if world.singletons.contains(&(one.kind().1, one.object.name.as_str())) {
                return;
            }
            let hint = "leave it out: there is one of each in a cluster, and the stack makes them; `[rhoai]` has keys for what is in them";
            let kind = one.object.object_type.kind.clone();
            refused(
                at.at_field("kind"),
                &format!("a second {kind} beside {}", instance.place()),
                hint,
                errors,
            );
        }
        _ => {}
    }
}

fn refused(at: FileLine, what: &str, hint: &'static str, errors: &mut Vec<ManifestsError>) {
    errors.push(ManifestsError::Refused {
        at,
        what: what.to_owned(),
        hint,
    });
}
