//! In-process admissions answer as webhooks do (§7).

use std::sync::Arc;

use serde_json::{Value, json};
use stackctl_simulator::apiserver::{Admission, AdmissionRequest, Operation, Rejection};

use crate::harness::{Cluster, config_map, config_map_path};

/// Refuses to delete a ConfigMap while a Secret exists, and labels what is created.
struct Guard;

impl Admission for Guard {
    fn name(&self) -> &str {
        "guard.exp.io"
    }

    fn handles(&self, request: &AdmissionRequest<'_>) -> bool {
        request.kind == "ConfigMap"
    }

    fn mutate(&self, request: &AdmissionRequest<'_>, object: &mut Value) -> Result<(), Rejection> {
        if request.operation == Operation::Create {
            object["metadata"]["labels"]["made-by"] = json!(request.user.user.replace(':', "-"));
        }
        Ok(())
    }

    fn validate(&self, request: &AdmissionRequest<'_>, _object: Option<&Value>) -> Result<(), Rejection> {
        let is_held = request.operation == Operation::Delete && !request.objects.objects("", "Secret").is_empty();
        if is_held {
            Err(Rejection::Denied("a Secret exists".to_owned()))
        } else {
            Ok(())
        }
    }
}

#[tokio::test]
async fn denials_and_absences_of_a_webhook_are_told_apart() {
    let cluster = Cluster::start().await;
    cluster.server.admission().register(Arc::new(Guard));
    let path = config_map_path("c");
    let created = cluster.apply(&path, &config_map("c", &json!({"k": "v"})), "s").await;
    assert_eq!(created.body["metadata"]["labels"], json!({"made-by": "kube-admin"}));
    cluster
        .post("/api/v1/namespaces/n/secrets", &json!({"metadata": {"name": "x"}}))
        .await
        .is_ok();
    let denied = cluster.delete(&path, Some(&json!({"dryRun": ["All"]}))).await;
    assert_eq!(
        denied.summary(),
        "403 Forbidden: admission webhook \"guard.exp.io\" denied the request: a Secret exists"
    );
    let why = "failed to call webhook: Post \"https://nosvc.exp-wh.svc:443/x?timeout=3s\": service \"nosvc\" not found";
    cluster.server.admission().set_unavailable("guard.exp.io", why);
    let down = cluster
        .apply(&path, &config_map("c", &json!({"k": "w"})), "s&dryRun=All")
        .await;
    assert_eq!(
        down.summary(),
        format!("500 InternalError: Internal error occurred: failed calling webhook \"guard.exp.io\": {why}")
    );
    cluster.server.admission().set_available("guard.exp.io");
    cluster
        .apply(&path, &config_map("c", &json!({"k": "w"})), "s")
        .await
        .is_ok();
}
