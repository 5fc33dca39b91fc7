//! Who used what: labels on the gateway's metrics, what Limitador tells, and where it keeps its counters.
//!
//! Facts: `reference/serving.md` §1.6 rows 6 and 7, §3.4 last sentence.

use crate::{
    components::{
        draft::{Draft, at},
        kuadrant,
        names::{INGRESS, KUADRANT, MAAS_GATEWAY},
        secret,
    },
    stack::{GivenSecret, Maas, MaasMode},
};
use serde_json::json;
use stackctl_engine::{ObjectRef, resource::ConsequenceClass};

/// The Secret that Limitador reads, and its key (`reference/serving.md` §3.4).
const REDIS: &str = "limitador-redis";
const REDIS_KEY: &str = "URL";

pub(super) fn resources(maas: &Maas) -> Vec<Draft> {
    let mut nodes = Vec::new();
    if maas.telemetry {
        nodes.push(labels(maas));
    }
    if maas.exhaustive_telemetry {
        nodes.push(
            Draft::overlay(
                at("maas.limitador-telemetry"),
                limitador(),
                json!({"spec": {"telemetry": "exhaustive"}}),
            )
            .after(kuadrant::ready(), "Kuadrant makes Limitador")
            .tells(
                ConsequenceClass::TakesFields,
                "takes `telemetry` of Limitador limitador",
            ),
        );
    }
    if let Some(url) = &maas.limitador_redis_url {
        nodes.extend(counters(url));
    }
    nodes
}

fn limitador() -> ObjectRef {
    ObjectRef::namespaced("limitador.kuadrant.io/v1alpha1", "Limitador", KUADRANT, "limitador")
}

fn labels(maas: &Maas) -> Draft {
    let tier = match maas.mode {
        // `auth.identity.tier`, as the manual has it, is a field of releases before 3.4.
        MaasMode::Subscriptions(_) => "auth.identity.selected_subscription",
        MaasMode::GatewayPolicies(_) => "auth.identity.tier",
    };
    let policy = json!({
        "apiVersion": "extensions.kuadrant.io/v1alpha1",
        "kind": "TelemetryPolicy",
        "metadata": {"name": "maas-gateway-telemetry", "namespace": INGRESS},
        "spec": {
            "targetRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": MAAS_GATEWAY},
            "metrics": {"default": {"labels": {
                "model": "responseBodyJSON(\"/model\")",
                "tier": tier,
                "user": "auth.identity.userid",
            }}},
        },
    });
    Draft::object(at("maas.telemetry"), policy)
        .after(kuadrant::ready(), "Kuadrant acts on it")
        .after_write(super::gateway(), "it is about the gateway")
}

/// Counters that survive a restart of Limitador (`reference/serving.md` §5.3 S19).
fn counters(url: &GivenSecret) -> Vec<Draft> {
    let open = secret::given(REDIS_KEY, url, at("maas.limitador-redis-source"));
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": REDIS, "namespace": KUADRANT},
        "type": "Opaque",
    });
    let storage = json!({"spec": {"storage": {"redis": {"configSecretRef": {"name": REDIS}}}}});
    let nodes = [
        Draft::object(at("maas.limitador-redis"), secret).late(open.late),
        Draft::overlay(at("maas.limitador-storage"), limitador(), storage)
            .after(kuadrant::ready(), "Kuadrant makes Limitador")
            .after(at("maas.limitador-redis"), "it connects when it starts")
            .tells(
                ConsequenceClass::TakesFields,
                "takes `storage` of Limitador limitador, which restarts: every counter begins anew",
            ),
    ];
    open.gate.into_iter().chain(nodes).collect()
}
