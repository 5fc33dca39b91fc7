//! Models as vLLM measures itself: throughput, latency, queue and cache, of all or of those whose name begins as typed.

use super::panel::{Dashboard, Look, Panel, lines, shares, stacked};

/// What is typed, behind the name of a metric.
const SELECTED: &str = r#"{model_name=~"$model_name.*"}"#;

/// The height of a row of panels.
const ROW: usize = 8;

pub(super) fn dashboard() -> Dashboard {
    let mut panels = throughput_and_queue().to_vec();
    panels.extend(latencies());
    Dashboard {
        name: "maas-vllm-metrics",
        title: "vLLM Inference Metrics",
        description: "vLLM model serving: token throughput, latency, scheduler, KV cache".to_owned(),
        tags: &["maas", "vllm", "llm", "inference"],
        since: "now-15m",
        refresh: "5s",
        inputs: &[("model_name", "Model Name")],
        panels,
    }
}

fn metric(name: &str) -> String {
    format!("kserve_vllm:{name}{SELECTED}")
}

fn rate_by(label: &str, name: &str) -> String {
    format!("sum by({label}) (rate({}[5m]))", metric(name))
}

/// Two panels in a row, three rows.
fn throughput_and_queue() -> [Panel; 6] {
    let panel = |id: usize, title: &str, description, look, series: &[(String, &str)]| Panel {
        id,
        title: title.to_owned(),
        description,
        at: ((id - 1) % 2 * 12, (id - 1) / 2 * ROW, 12, ROW),
        look,
        series: series
            .iter()
            .map(|(query, legend)| (query.clone(), (*legend).to_owned()))
            .collect(),
    };
    let prompt_lengths = format!(
        "sum(increase({}[$__rate_interval])) by (le)",
        metric("request_prompt_tokens_bucket")
    );
    [
        panel(
            1,
            "Generation Token Throughput (TPS)",
            "Tokens generated per second",
            lines("short", 10),
            &[(rate_by("model_name", "generation_tokens_total"), "{{model_name}}")],
        ),
        panel(
            2,
            "Prompt Token Throughput (TPS)",
            "Prompt tokens processed per second",
            lines("short", 10),
            &[(rate_by("model_name", "prompt_tokens_total"), "{{model_name}}")],
        ),
        panel(
            3,
            "Scheduler State",
            "Requests running, waiting, or swapped",
            stacked("short", 20),
            &[
                (metric("num_requests_running"), "Running"),
                (metric("num_requests_waiting"), "Waiting"),
                (metric("num_requests_swapped"), "Swapped"),
            ],
        ),
        panel(
            4,
            "KV Cache Utilization",
            "GPU/CPU cache usage for attention caching",
            shares(20, &[("yellow", 0.7), ("red", 0.9)]),
            &[
                // The name that this release has (`reference/platform.md` §2.18, `kvCacheUsage`).
                (metric("kv_cache_usage_perc"), "GPU Cache %"),
                (metric("cpu_cache_usage_perc"), "CPU Cache %"),
            ],
        ),
        panel(
            5,
            "Processed Requests by Finish Reason",
            "",
            lines("reqps", 10),
            &[(
                rate_by("finished_reason", "request_success_total"),
                "{{finished_reason}}",
            )],
        ),
        panel(
            6,
            "Request Prompt Length Distribution",
            "",
            Look::Buckets,
            &[(prompt_lengths, "{{le}}")],
        ),
    ]
}

/// Three panels in a row.
fn latencies() -> [Panel; 3] {
    let panel = |index: usize, title: &str, description, histogram: &str, percents: &[u8]| Panel {
        id: 7 + index,
        title: title.to_owned(),
        description,
        at: (index * 8, 3 * ROW, 8, ROW),
        look: lines("s", 10),
        series: percents
            .iter()
            .map(|percent| (quantile(*percent, histogram), format!("P{percent}")))
            .collect(),
    };
    [
        panel(
            0,
            "E2E Request Latency",
            "End-to-end latency percentiles (p50, p90, p95, p99)",
            "e2e_request_latency_seconds",
            &[99, 95, 90, 50],
        ),
        panel(
            1,
            "Time To First Token (TTFT)",
            "How quickly the model starts responding",
            "time_to_first_token_seconds",
            &[99, 95, 90, 50],
        ),
        panel(
            2,
            "Time Per Output Token (TPOT)",
            "Inter-token latency during generation",
            "time_per_output_token_seconds",
            &[99, 95, 50],
        ),
    ]
}

fn quantile(percent: u8, histogram: &str) -> String {
    let buckets = metric(&format!("{histogram}_bucket"));
    format!("histogram_quantile(0.{percent:02}, sum by(le) (rate({buckets}[$__rate_interval])))")
}
