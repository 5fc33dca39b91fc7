//! `model-registry`: stands for the model registry operator, a component of OpenShift AI.
//!
//! Source: reference/platform.md §2.13: a registry works once its database does; the database is the Deployment whose
//! Service is the first label of the host that the registry names.
//!
//! Left out: the database's contents, databases outside the cluster (taken as working), Routes and RBAC of a registry.

use serde_json::{Value, json};

use super::kinds::{DEPLOYMENT, REGISTRY, SERVICE};
use super::object::{Read, object, owned_by};
use super::turn::{Turn, condition};

/// The registry makes its tables before it answers.
const START_SECONDS: u64 = 15;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    for registry in turn.all(REGISTRY) {
        if !registry.is_deleting() {
            serve(turn, &registry);
        }
    }
}

fn serve(turn: &mut Turn<'_>, registry: &Value) {
    let (namespace, name) = (registry.namespace(), registry.name());
    let labels = json!({"app": name, "component": "model-registry"});
    let server = super::operands::deployment(namespace, name, &labels, &["rest-container"]);
    turn.ensure(DEPLOYMENT, owned_by(server, registry));
    let service = object(
        SERVICE,
        namespace,
        name,
        json!({
            "metadata": {"labels": labels},
            "spec": {"selector": labels, "ports": [{"name": "http-api", "port": port(registry), "protocol": "TCP"}]},
        }),
    );
    turn.ensure(SERVICE, owned_by(service, registry));
    let lacking = lacking(turn, registry);
    let running = turn.world.is_available(namespace, name);
    let ready = lacking.is_none()
        && running
        && (registry.is("Available") || turn.held(format!("registry {}", registry.uid()), START_SECONDS));
    let (reason, why) = match (&lacking, ready) {
        (Some(why), _) => ("DeploymentUnavailable", why.as_str()),
        (None, false) => ("DeploymentUnavailable", "waiting for the registry to start"),
        (None, true) => ("DeploymentAvailable", "Deployment was successfully created"),
    };
    turn.status(
        REGISTRY,
        registry,
        json!({"conditions": [
            condition("Progressing", !ready, if ready { "Updated" } else { "Created" }, ""),
            condition("Available", ready, reason, why),
        ]}),
    );
}

fn port(registry: &Value) -> i64 {
    registry.number("/spec/rest/port").unwrap_or(8080)
}

/// Returns what a registry's database lacks.
fn lacking(turn: &Turn<'_>, registry: &Value) -> Option<String> {
    let host = ["/spec/mysql/host", "/spec/postgres/host"]
        .into_iter()
        .map(|pointer| registry.text(pointer))
        .find(|host| !host.is_empty())?;
    let mut labels = host.split('.');
    let database = labels.next().unwrap_or_default();
    let namespace = labels.next().unwrap_or_else(|| registry.namespace());
    let inside = labels.next().is_none_or(|label| label == "svc");
    (inside && !turn.world.is_available(namespace, database)).then(|| format!("database {host} does not answer"))
}
