//! DSCInitialization: how long OpenShift AI keeps metrics and traces, and in how much room. What is older is deleted, and
//! does not come back.
//!
//! Facts: `reference/platform.md` §2.11 (`spec.monitoring.metrics.storage.retention` and `.size`,
//! `…traces.storage.retention`). The room is a template of claims: those that are there keep their size
//! (<https://prometheus-operator.dev/docs/platform/storage/#resizing-volumes>).

use super::{
    words::{data_loss, notice},
    workload::smaller,
    world::World,
};
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
    let size = |side: &Value| {
        let size = &side["spec"]["monitoring"]["metrics"]["storage"]["size"];
        size.as_str().map(str::to_owned)
    };
    let mut all: Vec<Consequence> = ["metrics", "traces"].into_iter().filter_map(told).collect();
    if let (Some(old), Some(new)) = (size(before), size(after)) {
        if smaller(&old, &new) {
            all.push(notice(format!(
                "asks for {new} for metrics of OpenShift AI instead of {old}: volumes that are there keep their size, for \
                 Kubernetes makes none smaller"
            )));
        } else if smaller(&new, &old) {
            all.push(notice(format!(
                "asks for {new} for metrics of OpenShift AI instead of {old}: volumes that are there keep their size until their \
                 claims in namespace redhat-ods-monitoring are patched by hand"
            )));
        }
    }
    all
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
    fn room_for_metrics_that_changes_changes_no_volume_that_is_there() {
        let with_room = |size: &str| {
            let mut object = initialization("30d", "2160h");
            object["spec"]["monitoring"]["metrics"]["storage"]["size"] = json!(size);
            object
        };
        let at = |size: &str| vec![turned(with_room("20Gi"), with_room(size))];
        let cases = [
            ("smaller", at("5Gi")),
            ("larger", at("30Gi")),
            ("as large, in another unit", at("20480Mi")),
        ];
        insta::assert_snapshot!(table(&cases), @r"
        # smaller
        notice: asks for 5Gi for metrics of OpenShift AI instead of 20Gi: volumes that are there keep their size, for Kubernetes makes none smaller
        # larger
        notice: asks for 30Gi for metrics of OpenShift AI instead of 20Gi: volumes that are there keep their size until their claims in namespace redhat-ods-monitoring are patched by hand
        # as large, in another unit
        nothing
        ");
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
