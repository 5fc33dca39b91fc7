//! `leader-worker-set`: stands for the Leader Worker Set operator.
//!
//! Source: reference/platform.md §2.8: the workload CRD comes only after the CR, and not without the
//! `cert-manager.io/v1` Issuer API (`Degraded=True`, reason `MissingDependency`, G40).
//!
//! Left out: LeaderWorkerSets themselves.

use serde_json::json;

use super::kinds::{DEPLOYMENT, LWS_OPERATOR};
use super::object::{Read, owned_by};
use super::turn::{Turn, observed};
use crate::faults::FaultName;

const NAMESPACE: &str = "openshift-lws-operator";
const MANAGER: &str = "lws-controller-manager";

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    for operator in turn.all(LWS_OPERATOR) {
        if operator.is_deleting() {
            continue;
        }
        let unseen = turn.faults.on(FaultName::IssuerApiUnseen);
        if unseen || !turn.world.is_established("issuers.cert-manager.io") {
            let why = "please make sure that cert-manager is installed on your cluster";
            turn.status(
                LWS_OPERATOR,
                &operator,
                json!({"conditions": [
                    observed(&operator, "Degraded", true, "MissingDependency", why),
                    observed(&operator, "Available", false, "MissingDependency", why),
                ]}),
            );
            continue;
        }
        let manager = super::operands::deployment(
            NAMESPACE,
            MANAGER,
            &json!({"control-plane": "controller-manager", "app": "lws"}),
            &["manager"],
        );
        turn.ensure(DEPLOYMENT, owned_by(manager, &operator));
        if !turn.held(format!("operand {}", operator.uid()), 10) {
            continue;
        }
        let registered = turn.register_component("leader-worker-set-operand");
        let available = registered && turn.world.is_available(NAMESPACE, MANAGER);
        turn.status(LWS_OPERATOR, &operator, json!({
            "observedGeneration": operator["metadata"]["generation"],
            "conditions": [
                observed(&operator, "Available", available, if available { "AsExpected" } else { "DeploymentNotReady" }, ""),
                observed(&operator, "Degraded", false, "AsExpected", ""),
                observed(&operator, "Progressing", !available, "AsExpected", ""),
            ],
        }));
    }
}
