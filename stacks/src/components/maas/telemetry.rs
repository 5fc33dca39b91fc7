//! Who used what: labels on the gateway's metrics, and all of Limitador's.
//!
//! Facts: `reference/serving.md` §1.6 rows 6 and 7.

use crate::{
    components::{
        draft::{Draft, at},
        kuadrant,
        names::{INGRESS, KUADRANT, MAAS_GATEWAY},
    },
    stack::Maas,
};
use serde_json::json;
use stackctl_engine::{ObjectRef, resource::ConsequenceClass};

pub(super) fn resources(maas: &Maas) -> Vec<Draft> {
    if !maas.telemetry {
        return Vec::new();
    }
    let policy = json!({
        "apiVersion": "extensions.kuadrant.io/v1alpha1",
        "kind": "TelemetryPolicy",
        "metadata": {"name": "maas-gateway-telemetry", "namespace": INGRESS},
        "spec": {
            "targetRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": MAAS_GATEWAY},
            "metrics": {"default": {"labels": {
                "model": "responseBodyJSON(\"/model\")",
                // `auth.identity.tier`, as the manual has it, is a field of releases before 3.4.
                "tier": "auth.identity.selected_subscription",
                "user": "auth.identity.userid",
            }}},
        },
    });
    vec![
        Draft::object(at("maas.telemetry"), policy)
            .after(kuadrant::ready(), "Kuadrant acts on it")
            .after_write(super::gateway(), "it is about the gateway"),
        Draft::overlay(
            at("maas.limitador-telemetry"),
            ObjectRef::namespaced("limitador.kuadrant.io/v1alpha1", "Limitador", KUADRANT, "limitador"),
            json!({"spec": {"telemetry": "exhaustive"}}),
        )
        .after(kuadrant::ready(), "Kuadrant makes Limitador")
        .tells(
            ConsequenceClass::TakesFields,
            "takes `telemetry` of Limitador limitador",
        ),
    ]
}
