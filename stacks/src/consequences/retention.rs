//! DSCInitialization: how long OpenShift AI keeps metrics and traces. What is older is deleted, and does not come back.
//!
//! Facts: `reference/platform.md` §2.11 (`spec.monitoring.metrics.storage.retention`, `…traces.storage.retention`).

use super::{words::data_loss, world::World};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};

pub(super) fn consequences(_: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let (Some(before), Some(after)) = (&transition.before, &transition.after) else {
        return Vec::new();
    };
    let kept = |side: &Value, what: &str| {
        let retention = &side["spec"]["monitoring"][what]["storage"]["retention"];
        retention.as_str().map(str::to_owned)
    };
    let told = |what: &str| {
        let (old, new) = (kept(before, what)?, kept(after, what)?);
        (hours(&new)? < hours(&old)?).then(|| {
            data_loss(format!(
                "keeps {what} of OpenShift AI for {new} instead of {old}: older ones are deleted"
            ))
        })
    };
    ["metrics", "traces"].into_iter().filter_map(told).collect()
}

/// A time as Prometheus writes it, of one number and one unit, in hours.
fn hours(text: &str) -> Option<f64> {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
    let hours = match unit {
        "m" => 1.0 / 60.0,
        "h" => 1.0,
        "d" => 24.0,
        "w" => 24.0 * 7.0,
        "y" => 24.0 * 365.0,
        _ => return None,
    };
    Some(number * hours)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{table, turned};
    use serde_json::{Value, json};

    fn initialization(metrics: &str, traces: &str) -> Value {
        json!({
            "apiVersion": "dscinitialization.opendatahub.io/v2",
            "kind": "DSCInitialization",
            "metadata": {"name": "default-dsci"},
            "spec": {"monitoring": {"metrics": {"storage": {"retention": metrics}}, "traces": {"storage": {"retention": traces}}}},
        })
    }

    #[test]
    fn what_is_kept_for_less_time_is_lost() {
        let at = |metrics: &str, traces: &str| turned(initialization("30d", "2160h"), initialization(metrics, traces));
        let cases = [
            ("metrics", vec![at("7d", "2160h")]),
            ("traces, in another unit", vec![at("30d", "89d")]),
            ("as long, in another unit", vec![at("720h", "90d")]),
            ("longer", vec![at("1y", "100d")]),
        ];
        insta::assert_snapshot!(table(&cases), @r"
        # metrics
        data-loss: keeps metrics of OpenShift AI for 7d instead of 30d: older ones are deleted
        # traces, in another unit
        data-loss: keeps traces of OpenShift AI for 89d instead of 2160h: older ones are deleted
        # as long, in another unit
        nothing
        # longer
        nothing
        ");
    }
}
