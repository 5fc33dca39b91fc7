//! `cloud-credential`: stands for the Cloud Credential Operator in mint mode: CredentialsRequest → Secret.
//!
//! Source: reference/platform.md §2.2 (Secret `cert-manager/aws-creds` and its keys), G07.
//!
//! Left out: the modes Manual and Passthrough (what they look like is the fault `credentials-never-minted`); the keys are
//! no real ones.

use serde_json::json;

use super::kinds::{CREDENTIALS_REQUEST, NAMESPACE, SECRET};
use super::object::{Read, object};
use super::service_ca::encode;
use super::turn::{Turn, condition};
use crate::faults::FaultName;

const FINALIZER: &str = "cloudcredential.openshift.io/deprovision";
const SECONDS: u64 = 10;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    for request in turn.all(CREDENTIALS_REQUEST) {
        let namespace = request.text("/spec/secretRef/namespace").to_owned();
        let name = request.text("/spec/secretRef/name").to_owned();
        if request.is_deleting() {
            if request.has_finalizer(FINALIZER) {
                turn.delete(SECRET, &namespace, &name);
                if turn.world.get(SECRET, &namespace, &name).is_none() {
                    turn.release(CREDENTIALS_REQUEST, &request, FINALIZER);
                }
            }
            continue;
        }
        // What the installer brought is provisioned already.
        if request.is_true("/status/provisioned") || !turn.world.has(NAMESPACE, "", &namespace) {
            continue;
        }
        // In mode Manual nothing is said either (reference/platform.md §1).
        if turn.faults.on(FaultName::CredentialsNeverMinted) {
            continue;
        }
        turn.finalize(CREDENTIALS_REQUEST, &request, FINALIZER);
        if turn.faults.on(FaultName::CredentialsInsufficient) {
            let why = "cloud credentials insufficient to satisfy credentials request";
            let insufficient = condition("InsufficientCloudCreds", true, "CloudCredsInsufficient", why);
            let status = json!({"provisioned": false, "lastSyncGeneration": 0, "conditions": [insufficient]});
            turn.status(CREDENTIALS_REQUEST, &request, status);
            continue;
        }
        if turn.held(format!("mint {}", request.uid()), SECONDS) {
            let data = json!({"aws_access_key_id": encode("SIMULATED"), "aws_secret_access_key": encode("simulated")});
            turn.ensure(
                SECRET,
                object(
                    SECRET,
                    &namespace,
                    &name,
                    json!({
                        "metadata": {"annotations": {"cloudcredential.openshift.io/credentials-request":
                            format!("{}/{}", request.namespace(), request.name())}},
                        "type": "Opaque", "data": data,
                    }),
                ),
            );
            if turn.world.has(SECRET, &namespace, &name) {
                let status = json!({
                    "provisioned": true, "lastSyncTimestamp": turn.stamp, "lastSyncGeneration": request["metadata"]["generation"],
                });
                turn.status(CREDENTIALS_REQUEST, &request, status);
            }
        }
    }
}
