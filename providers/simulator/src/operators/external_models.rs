//! The ExternalModels of MaaS: what maas-controller makes so that a provider elsewhere is reached like a model here.
//!
//! Source: reference/serving.md §1.15 (objects, annotations, no finalizer, no status), §2.4 (what goes with it);
//! `maas-controller/pkg/reconciler/externalmodel` of <https://github.com/opendatahub-io/models-as-a-service> (labels).
//!
//! Invariants:
//! - All four objects have the ExternalModel's name and are its own, so that they go with it: it needs no finalizer.
//! - There is a DestinationRule exactly while TLS is on.
//! - A part annotated `opendatahub.io/managed: "false"` is left alone.
//!
//! Left out: `status`, which the real reconciler does not keep either, whether the provider answers, and the credential,
//! which only the payload processing reads.

use serde_json::{Value, json};

use super::kinds::{DESTINATION_RULE, EXTERNAL_MODEL, GATEWAY, HTTP_ROUTE, Kind, SERVICE, SERVICE_ENTRY};
use super::object::{Read, object, owned_by};
use super::turn::Turn;

const TLS: &str = "maas.opendatahub.io/tls";
const PORT: &str = "maas.opendatahub.io/port";
const DEFAULT_PORT: u16 = 443;
/// The header by which the payload processing names a model (reference/serving.md §1.15).
const MODEL_HEADER: &str = "X-Gateway-Model-Name";

/// Realises every ExternalModel, with routes to this Gateway (namespace, name).
pub(super) fn reconcile(turn: &mut Turn<'_>, gateway: &(String, String)) {
    for model in turn.all(EXTERNAL_MODEL) {
        // Annotations that cannot be read end the reconciliation, and only the controller's log says so.
        if let Some((tls, port)) = transport(&model).filter(|_| !model.is_deleting()) {
            realise(turn, &model, gateway, tls, port);
        }
    }
}

/// Returns whether the provider is spoken to by TLS, and at which port.
fn transport(model: &Value) -> Option<(bool, u16)> {
    // As Go reads a truth: <https://pkg.go.dev/strconv#ParseBool>.
    let tls = match model.annotation(TLS) {
        None | Some("1" | "t" | "T" | "true" | "True" | "TRUE") => true,
        Some("0" | "f" | "F" | "false" | "False" | "FALSE") => false,
        Some(_) => return None,
    };
    let port = model
        .annotation(PORT)
        .map_or(Some(DEFAULT_PORT), |text| text.parse().ok())?;
    (port > 0).then_some((tls, port))
}

fn realise(turn: &mut Turn<'_>, model: &Value, gateway: &(String, String), tls: bool, port: u16) {
    let endpoint = model.text("/spec/endpoint");
    let (name, protocol) = if tls { ("https", "HTTPS") } else { ("http", "HTTP") };
    let ports = json!([{"port": port, "targetPort": port, "protocol": "TCP"}]);
    let service = json!({"type": "ExternalName", "externalName": endpoint, "ports": ports});
    part(turn, SERVICE, model, &service);
    let entry = json!({
        "hosts": [endpoint], "location": "MESH_EXTERNAL", "resolution": "DNS",
        "ports": [{"number": port, "name": name, "protocol": protocol}],
    });
    part(turn, SERVICE_ENTRY, model, &entry);
    if tls {
        let rule = json!({"host": endpoint, "trafficPolicy": {"tls": {"mode": "SIMPLE"}}});
        part(turn, DESTINATION_RULE, model, &rule);
    } else if is_managed(turn, DESTINATION_RULE, model) {
        turn.delete(DESTINATION_RULE, model.namespace(), model.name());
    }
    part(turn, HTTP_ROUTE, model, &route(model, gateway, port));
}

/// The route: by path, and by the header that the payload processing sets once it knows the model.
fn route(model: &Value, (namespace, gateway): &(String, String), port: u16) -> Value {
    let prefix = format!("/{}/{}", model.namespace(), model.name());
    let rule = |matched: Value| {
        json!({
            "matches": [matched],
            "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {
                "set": [{"name": "Host", "value": model["spec"]["endpoint"]}],
            }}],
            "backendRefs": [{"group": SERVICE.group, "kind": SERVICE.kind, "name": model.name(), "port": port, "weight": 1}],
            "timeouts": {"request": "300s"},
        })
    };
    json!({
        "parentRefs": [{"group": GATEWAY.group, "kind": GATEWAY.kind, "namespace": namespace, "name": gateway}],
        "rules": [
            rule(json!({"path": {"type": "PathPrefix", "value": prefix}})),
            rule(json!({"headers": [{"type": "Exact", "name": MODEL_HEADER, "value": model["spec"]["targetModel"]}]})),
        ],
    })
}

fn part(turn: &mut Turn<'_>, kind: Kind, model: &Value, spec: &Value) {
    if !is_managed(turn, kind, model) {
        return;
    }
    let labels = json!({
        "app.kubernetes.io/managed-by": "maas-external-model-reconciler",
        "maas.opendatahub.io/external-model": model.name(),
    });
    let part = object(
        kind,
        model.namespace(),
        model.name(),
        json!({"metadata": {"labels": labels}, "spec": spec}),
    );
    turn.ensure(kind, owned_by(part, model));
}

fn is_managed(turn: &Turn<'_>, kind: Kind, model: &Value) -> bool {
    let live = turn.world.get(kind, model.namespace(), model.name());
    live.is_none_or(|live| live.annotation("opendatahub.io/managed") != Some("false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_at_the_usual_port_unless_annotations_say_otherwise() {
        let model = |annotations: Value| json!({"metadata": {"annotations": annotations}});
        for (annotations, read) in [
            (json!({}), Some((true, 443))),
            (json!({TLS: "false"}), Some((false, 443))),
            (json!({TLS: "false", PORT: "8080"}), Some((false, 8080))),
            (json!({PORT: "0"}), None),
            (json!({PORT: "65536"}), None),
            (json!({TLS: "no"}), None),
        ] {
            assert_eq!(transport(&model(annotations.clone())), read, "{annotations}");
        }
    }
}
