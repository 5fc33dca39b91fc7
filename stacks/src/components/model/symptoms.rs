//! Known symptoms of a model that does not become ready.
//!
//! Facts: `reference/serving.md` §5.1, by row; §1.3.4 for the reasons of its conditions.

use crate::{
    components::symptoms::{self, Pods, lasting, otherwise, passing, reason},
    stack::{Model, ModelSource},
};
use stackctl_engine::{ObjectRef, readiness::Rule, resource::Diagnosis};

/// From the pods up to the route, since what is below tells more.
pub(super) fn of(model: &Model, service: &ObjectRef) -> Vec<Diagnosis> {
    let (name, namespace) = (model.name.as_str(), model.namespace.as_str());
    let is = |rule: Rule| symptoms::see_object(service, rule);
    let labels = [("app.kubernetes.io/name", name)];
    let pods = Pods {
        namespace,
        labels: &labels,
    };
    let mut known = vec![pods.unpulled()];
    if let ModelSource::HuggingFace { .. } = model.source {
        // M13.
        for code in ["401", "403"] {
            known.push(pods.crashing_with(
                "initContainerStatuses",
                code,
                format!(
                    "accept the terms of the model where it is published, and give `hf_token` of `[[models]]` {name} a \
                     token that may read it"
                ),
            ));
        }
    }
    known.extend([
        pods.out_of_memory(format!("give `[[models]]` {name} more `memory`")),
        pods.crashing(format!(
            "see `stackctl logs model[{name}]`; its flags are `args` of `[models.vllm]`"
        )),
        pods.without_gpu(format!(
            "add GPU nodes (`nodes_per_zone` of a `[[gpu]]`), or lower `replicas` of `[[models]]` {name}; where an old pod \
             holds the GPU that a new one waits for, delete the old one"
        )),
        pods.unscheduled(),
        // M3.
        lasting(
            is(reason("HTTPRoutesReady", "GatewayPreconditionNotMet")),
            "install Connectivity Link, which brings AuthPolicy, or serve the model without asking who calls",
        ),
        symptoms::route(namespace, &format!("{name}-kserve-route")),
        // M23.
        passing(
            is(reason("InferencePoolReady", "WaitingForGateway")),
            format!("see that the gateway is Programmed, and what it says of InferencePool {namespace}/{name}-inference-pool"),
        ),
        // M1.
        passing(
            is(Rule::Not(Box::new(Rule::non_empty("status.conditions")))),
            "see that the pods of kserve-controller-manager and odh-model-controller run in namespace \
             redhat-ods-applications",
        ),
        otherwise(format!("see `stackctl logs model[{name}]`")),
    ]);
    known
}
