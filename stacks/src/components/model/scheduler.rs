//! How requests are spread over the copies of a model.
//!
//! Facts: `reference/serving.md` §1.3.1, §1.3.2.

use crate::stack::{Deployment, PrefillDecode, PrefixScoring, Scheduler, SchedulerTls};
use serde_json::{Value, json};

/// `spec.router.scheduler`: an empty map is the platform's own.
pub(super) fn of(deployment: &Deployment) -> Value {
    match deployment {
        Deployment::IntelligentInference(Scheduler::Simple) => json!({}),
        Deployment::IntelligentInference(Scheduler::Intelligent { prefixes, tls }) => {
            container(&scoring(*prefixes), tls.as_ref())
        }
        Deployment::PrefillDecode(parts) => container(&splitting(parts), parts.tls.as_ref()),
    }
}

/// The certificate that a scheduler presents, if it is said.
pub(super) fn tls(deployment: &Deployment) -> Option<&SchedulerTls> {
    match deployment {
        Deployment::IntelligentInference(Scheduler::Simple) => None,
        Deployment::IntelligentInference(Scheduler::Intelligent { tls, .. }) => tls.as_ref(),
        Deployment::PrefillDecode(parts) => parts.tls.as_ref(),
    }
}

/// The two texts in braces are for the KServe controller's own templates.
const ARGUMENTS: &[&str] = &[
    "-v=4",
    "--pool-name",
    "{{ ChildName .ObjectMeta.Name `-inference-pool` }}",
    "--pool-namespace",
    "{{ .ObjectMeta.Namespace }}",
    "--zap-encoder",
    "json",
    "--grpc-port",
    "9002",
    "--grpc-health-port",
    "9003",
    "--secure-serving",
    "--model-server-metrics-scheme",
    "https",
    "--model-server-metrics-https-insecure-skip-verify",
];

fn container(config: &str, tls: Option<&SchedulerTls>) -> Value {
    let certificate = tls.iter().flat_map(|tls| ["--cert-path", tls.mount_path.as_str()]);
    let arguments: Vec<&str> = ARGUMENTS
        .iter()
        .copied()
        .chain(certificate)
        .chain(["--config-text", config])
        .collect();
    let mut container = json!({"name": "main", "args": arguments});
    let mut template = json!({});
    if let Some(tls) = tls {
        container["volumeMounts"] = json!([{"name": VOLUME, "mountPath": tls.mount_path, "readOnly": true}]);
        template["volumes"] = json!([{"name": VOLUME, "secret": {"secretName": tls.secret.as_str()}}]);
    }
    template["containers"] = json!([container]);
    json!({"template": template})
}

const VOLUME: &str = "epp-tls";

/// The plugins and weights of the manual.
fn scoring(prefixes: PrefixScoring) -> String {
    let PrefixScoring {
        hash_block_size,
        max_prefix_blocks,
        lru_capacity,
    } = prefixes;
    format!(
        "\
apiVersion: inference.networking.x-k8s.io/v1alpha1
kind: EndpointPickerConfig
plugins:
- type: single-profile-handler
- type: max-score-picker
- type: queue-scorer
- type: kv-cache-utilization-scorer
- type: prefix-cache-scorer
  parameters:
    hashBlockSize: {hash_block_size}
    maxPrefixBlocksToMatch: {max_prefix_blocks}
    lruCapacityPerServer: {lru_capacity}
schedulingProfiles:
- name: default
  plugins:
  - pluginRef: prefix-cache-scorer
    weight: 2.0
  - pluginRef: queue-scorer
    weight: 1.0
  - pluginRef: kv-cache-utilization-scorer
    weight: 1.0
  - pluginRef: max-score-picker
"
    )
}

/// Long prompts are read by copies of their own.
fn splitting(parts: &PrefillDecode) -> String {
    let (threshold, endpoints) = (parts.threshold, parts.max_endpoints);
    format!(
        "\
apiVersion: inference.networking.x-k8s.io/v1alpha1
kind: EndpointPickerConfig
plugins:
- type: pd-profile-handler
  parameters:
    threshold: {threshold}
- type: prefill-header-handler
- type: prefill-filter
- type: decode-filter
- type: random-picker
  parameters:
    maxNumOfEndpoints: {endpoints}
schedulingProfiles:
- name: prefill
  plugins:
  - pluginRef: prefill-filter
  - pluginRef: random-picker
- name: decode
  plugins:
  - pluginRef: decode-filter
  - pluginRef: random-picker
"
    )
}
