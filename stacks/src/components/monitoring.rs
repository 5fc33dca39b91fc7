//! User-workload monitoring: one key in a text that the whole cluster shares.
//!
//! Facts: `reference/platform.md` §2.18 and §4 G37.

use super::{
    Context,
    draft::{Draft, at, pods, seconds},
    platform_symptoms,
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, FieldPath, ObjectRef,
    readiness::{Observation, Rule, Target},
    resource::{ConsequenceClass, Document, DocumentCodec},
};

const NAMESPACE: &str = "openshift-user-workload-monitoring";

/// The gate that the metrics of projects are scraped; none when the stack does not ask for it.
pub(super) fn ready(context: &Context<'_>) -> Option<Address> {
    context.stack.monitoring.enabled.then(|| at("monitoring.ready"))
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(ready) = ready(context) else {
        return Vec::new();
    };
    let config = ObjectRef::namespaced("v1", "ConfigMap", "openshift-monitoring", "cluster-monitoring-config");
    let switch = Document {
        at: FieldPath::of(r#"data["config.yaml"]"#),
        codec: DocumentCodec::YamlKey {
            key: "enableUserWorkload".to_owned(),
            value: json!(true),
        },
    };
    let switched = at("monitoring.user-workload");
    let time = context.stack.monitoring.ready_timeout;
    vec![
        Draft::overlay(switched.clone(), config, Value::Null)
            .with_overlay(|overlay| {
                overlay.documents.push(switch);
                overlay.create_if_absent = true;
            })
            .note("enableUserWorkload: true in config.yaml")
            .leaves(
                ObjectRef::cluster("v1", "Namespace", NAMESPACE),
                "cluster monitoring made it and keeps it",
            )
            .tells(
                ConsequenceClass::TakesFields,
                "takes the key `enableUserWorkload` in ConfigMap openshift-monitoring/cluster-monitoring-config",
            ),
        Draft::gate(
            ready,
            vec![Observation::new(
                Target::Prefixed {
                    of: pods(),
                    namespace: NAMESPACE.to_owned(),
                    prefixes: vec![
                        "prometheus-user-workload-0".to_owned(),
                        "prometheus-user-workload-1".to_owned(),
                    ],
                    unless_labelled: None,
                },
                Rule::PodReady,
            )],
        )
        .after(switched, "cluster monitoring rolls it out")
        .within(time.map_or(seconds(300), |timeout| timeout.as_duration()))
        // `reference/platform.md` §2.18: about 5 min, which is what it is given too.
        .usually(seconds(300))
        .diagnosed(platform_symptoms::user_workload_monitoring(NAMESPACE))
        .note("waits for prometheus-user-workload-0 and -1"),
    ]
}
