//! Dashboards that nobody would see, and metrics that nobody, or somebody twice, would scrape.
//!
//! Facts: `reference/platform.md` §2.18 (visibility rule), §4 G35; `reference/serving.md` §1.3 (labels of a model's pods),
//! §1.16, §5.1 M16 and M17, §5.3 E6.

use super::{Seen, World};
use crate::{
    components::names::{CONSOLE_DASHBOARDS, KUADRANT},
    manifests::{ManifestsNotice, read::Document},
};
use serde_json::Value;

pub(super) const DASHBOARD: (&str, &str) = ("perses.dev", "PersesDashboard");
pub(super) const PLUGIN: (&str, &str) = ("observability.openshift.io", "UIPlugin");
pub(super) const KUADRANT_KIND: (&str, &str) = ("kuadrant.io", "Kuadrant");
const MONITORING: &str = "monitoring.coreos.com";

/// The label by which the console's plugin looks for dashboards.
const PART_OF: &str = "app.kubernetes.io/part-of";
/// The labels of the Services of a model.
const NAME: &str = "app.kubernetes.io/name";
const COMPONENT: &str = "app.kubernetes.io/component";

/// What the console is told to show.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plugins {
    dashboards: bool,
    perses: bool,
}

impl Plugins {
    pub(super) fn note(&mut self, plugin: &Value) {
        let spec = &plugin["spec"];
        self.dashboards |= spec["type"] == "Dashboards";
        self.perses |= spec["type"] == "Monitoring" && spec["monitoring"]["perses"]["enabled"] == true;
    }
}

/// Looks at one object, beside a stack that has OpenShift AI.
pub(super) fn check(world: &World<'_>, one: Seen<'_>, at: &Document<'_>, notices: &mut Vec<ManifestsNotice>) {
    match one.kind() {
        DASHBOARD => {
            if let Some((field, why)) = unlisted(world.plugins, one) {
                notices.push(ManifestsNotice::Unlisted {
                    at: at.at_field(field),
                    dashboard: one.object.to_string(),
                    why,
                });
            }
        }
        (MONITORING, "ServiceMonitor" | "PodMonitor") => {
            let labels = &one.value["spec"]["selector"]["matchLabels"];
            if let Some(kuadrant) = world.counters
                && one.namespace() == KUADRANT
                && labels["app"] == "limitador"
            {
                notices.push(ManifestsNotice::CountedTwice {
                    at: at.at_field("spec.selector.matchLabels.app"),
                    monitor: one.object.to_string(),
                    kuadrant: kuadrant.place(),
                });
            }
            if let Some(models) = elsewhere(world, one, labels) {
                notices.push(ManifestsNotice::NothingScraped {
                    at: at.at_field("metadata.namespace"),
                    monitor: one.object.to_string(),
                    models,
                });
            }
        }
        _ => {}
    }
}

/// Why the console does not list a dashboard, and the field that it is about: the first of the conditions that fails.
fn unlisted(plugins: Plugins, dashboard: Seen<'_>) -> Option<(&'static str, &'static str)> {
    if dashboard.namespace() != CONSOLE_DASHBOARDS {
        return Some((
            "metadata.namespace",
            "it lists those in namespace `openshift-cluster-observability-operator` only",
        ));
    }
    if dashboard.value["metadata"]["labels"][PART_OF] != "monitoring" {
        let why = "it lists those with the label `app.kubernetes.io/part-of: monitoring` only";
        return Some(("metadata.labels", why));
    }
    if !plugins.dashboards {
        return Some(("kind", "nothing here adds the UIPlugin of type `Dashboards`"));
    }
    let why = "nothing here adds the UIPlugin of type `Monitoring` with `perses.enabled: true`";
    (!plugins.perses).then_some(("kind", why))
}

/// Where the models are that a monitor is for, if none of them is beside it: it looks in its own namespace only.
fn elsewhere(world: &World<'_>, monitor: Seen<'_>, labels: &Value) -> Option<String> {
    let is_for_models = labels[COMPONENT]
        .as_str()
        .is_some_and(|component| component.starts_with("llminferenceservice-"));
    if !is_for_models || !monitor.value["spec"]["namespaceSelector"].is_null() {
        return None;
    }
    let name = labels[NAME].as_str();
    let mut meant = world
        .services
        .iter()
        .filter(|((_, model), _)| name.is_none_or(|name| name == *model))
        .peekable();
    let first = meant.peek()?.1.place();
    let is_beside = meant.any(|((namespace, _), _)| *namespace == monitor.namespace());
    (!is_beside).then_some(first)
}
