//! How requests are spread over the copies of a model.
//!
//! Facts: `reference/serving.md` §1.3.1.

use serde_json::{Value, json};

/// `spec.router.scheduler` with the plugins and weights of the manual.
///
/// The two texts in braces are for the KServe controller's own templates.
pub(super) fn intelligent() -> Value {
    json!({"template": {"containers": [{"name": "main", "args": [
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
        "--config-text",
        CONFIG,
    ]}]}})
}

const CONFIG: &str = "\
apiVersion: inference.networking.x-k8s.io/v1alpha1
kind: EndpointPickerConfig
plugins:
- type: single-profile-handler
- type: max-score-picker
- type: queue-scorer
- type: kv-cache-utilization-scorer
- type: prefix-cache-scorer
  parameters:
    hashBlockSize: 64
    maxPrefixBlocksToMatch: 256
    lruCapacityPerServer: 39744
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
";
