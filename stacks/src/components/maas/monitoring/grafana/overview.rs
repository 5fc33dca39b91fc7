//! The platform as a whole: what is let through, turned away, and fails.
//!
//! Facts: `reference/serving.md` §1.16 (metrics of Limitador), §5.2 K5 (`kuadrant_errors`).

use super::{
    super::GATEWAY_WORKLOAD,
    MODEL_OF_ROUTE,
    panel::{Colour, Dashboard, Limits, Look, Panel, lines, shares, stacked},
};

const REJECTED: Limits = &[("yellow", 0.1), ("red", 0.3)];

const AUTHORIZED: &str = "sum(rate(authorized_calls[5m]))";
const LIMITED: &str = "sum(rate(limited_calls[5m]))";
const ERRORS: &str = "sum(rate(kuadrant_errors[5m]))";

pub(super) fn dashboard() -> Dashboard {
    let failed = format!(
        "sum(rate(istio_requests_total{{source_workload=\"{GATEWAY_WORKLOAD}\", response_code=~\"5..\"}}[5m]))"
    );
    let rejected = format!("{LIMITED} / ({AUTHORIZED} + {LIMITED})");
    let mut panels = numbers(&failed, &rejected).to_vec();
    panels.extend(over_time(&failed, &rejected));
    Dashboard {
        name: "maas-platform-overview",
        title: "MaaS Platform Overview",
        description: "API gateway metrics: authorized/limited calls, rejection ratio, active connections".to_owned(),
        tags: &["maas", "gateway", "kuadrant", "limitador"],
        since: "now-1h",
        refresh: "30s",
        inputs: &[],
        panels,
    }
}

/// The row of numbers at the top.
fn numbers(failed: &str, rejected: &str) -> [Panel; 5] {
    let number = |id, title: &str, (left, width), look, query: String, legend: &str| Panel {
        id,
        title: title.to_owned(),
        description: "",
        at: (left, 0, width, 4),
        look,
        series: vec![(query, legend.to_owned())],
    };
    let rate = |empty, limits| Look::Number {
        unit: "reqps",
        decimals: 2,
        empty,
        colour: Colour::From(limits),
    };
    let ratio = Look::Number {
        unit: "percentunit",
        decimals: 1,
        empty: "0%",
        colour: Colour::From(REJECTED),
    };
    let count = Look::Number {
        unit: "short",
        decimals: 0,
        empty: "",
        colour: Colour::From(&[]),
    };
    let total = ["authorized_calls", "limited_calls", "kuadrant_errors"]
        .map(|metric| format!("sum(increase({metric}[5m]))"))
        .join(" + ");
    let all_errors = format!("{ERRORS} + {failed}");
    let limited: Limits = &[("yellow", 0.5), ("red", 2.0)];
    [
        number(
            1,
            "Authorized Requests/sec",
            (0, 5),
            rate("", &[]),
            AUTHORIZED.to_owned(),
            "Authorized",
        ),
        number(
            2,
            "Limited Requests/sec",
            (5, 5),
            rate("", limited),
            LIMITED.to_owned(),
            "Limited",
        ),
        number(
            9,
            "Error Rate/sec",
            (10, 5),
            rate("0", &[("red", 0.01)]),
            all_errors,
            "Errors",
        ),
        number(3, "Rejection Ratio", (15, 5), ratio, rejected.to_owned(), "Rejection %"),
        number(4, "Total Requests (5m)", (20, 4), count, total, "Total"),
    ]
}

fn over_time(failed: &str, rejected: &str) -> [Panel; 4] {
    let panel = |id, title: &str, (left, top), look, series: &[(&str, &str)]| Panel {
        id,
        title: title.to_owned(),
        description: "",
        at: (left, top, 12, 8),
        look,
        series: series
            .iter()
            .map(|&(query, legend)| (query.to_owned(), legend.to_owned()))
            .collect(),
    };
    let by_model = format!("label_replace(sum by(limitador_namespace) (rate(authorized_calls[5m])), {MODEL_OF_ROUTE})");
    // A service account of the older generation ends with a hash (`reference/serving.md` §1.11, tier rule).
    let by_user = r#"topk(10, sum by(user) (label_replace(rate(authorized_calls[5m]), "user", "$1", "user", "(.*)-[0-9a-f]{8}$")))"#;
    [
        panel(
            5,
            "Request Outcomes Over Time",
            (0, 4),
            lines("reqps", 20),
            &[
                (AUTHORIZED, "Authorized"),
                (LIMITED, "Rate Limited (429)"),
                (ERRORS, "Auth Timeout (500)"),
                (failed, "Backend Error (5xx)"),
            ],
        ),
        panel(
            6,
            "Rejection Ratio Over Time",
            (12, 4),
            shares(10, REJECTED),
            &[(rejected, "Rejection Ratio")],
        ),
        panel(
            7,
            "Calls by Model",
            (0, 12),
            stacked("reqps", 15),
            &[(&by_model, "{{model}}")],
        ),
        panel(
            8,
            "Calls by User",
            (12, 12),
            lines("reqps", 15),
            &[(by_user, "{{user}}")],
        ),
    ]
}
