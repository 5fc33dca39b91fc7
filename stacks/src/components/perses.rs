//! A dashboard of the console: panels of lines in grids, as data.
//!
//! The console lists one only in the namespace of Cluster Observability and with the label that its plugins look for; the
//! plugins themselves are edges, which `monitoring_console::listed` puts on it.
//!
//! Facts: `reference/platform.md` §2.18 (structure, visibility rule).

use super::cluster_observability::NAMESPACE;
use serde_json::{Map, Value, json};

/// A dashboard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dashboard<'a> {
    /// The name of its object.
    pub(super) name: &'a str,
    /// What people read in the list.
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    /// What its queries select: stands where a query has a capital S behind the name of a metric.
    pub(super) selector: &'a str,
    pub(super) grids: &'a [Grid],
}

/// Panels under one title.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) title: &'static str,
    /// The height of each of its panels, in rows.
    pub(super) height: u8,
    pub(super) panels: &'static [Panel],
}

/// A chart of lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel {
    /// Its name in the object, unique in the dashboard.
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    /// Left, top and width in a grid of 24 columns.
    pub(super) at: (u8, u8, u8),
    /// Each series: the query, and how it is called.
    pub(super) series: &'static [(&'static str, &'static str)],
}

impl Dashboard<'_> {
    /// Its object.
    pub(super) fn manifest(&self) -> Value {
        let panels: Map<_, _> = self
            .grids
            .iter()
            .flat_map(|grid| grid.panels)
            .map(|panel| (panel.key.to_owned(), panel.content(self.selector)))
            .collect();
        json!({
            "apiVersion": "perses.dev/v1alpha2",
            "kind": "PersesDashboard",
            "metadata": {
                "name": self.name,
                "namespace": NAMESPACE,
                "labels": {
                    "app": "llm-d",
                    "app.kubernetes.io/part-of": "monitoring",
                    "app.opendatahub.io/dashboard": "true",
                },
            },
            "spec": {"config": {
                "display": {"name": self.title, "description": self.description},
                "duration": "1h",
                "refreshInterval": "30s",
                "layouts": self.grids.iter().map(Grid::layout).collect::<Vec<_>>(),
                "panels": panels,
            }},
        })
    }
}

impl Grid {
    fn layout(&self) -> Value {
        let item = |panel: &Panel| {
            let (x, y, width) = panel.at;
            let content = format!("#/spec/panels/{}", panel.key);
            json!({"content": {"$ref": content}, "x": x, "y": y, "width": width, "height": self.height})
        };
        json!({
            "kind": "Grid",
            "spec": {
                "display": {"title": self.title},
                "items": self.panels.iter().map(item).collect::<Vec<_>>(),
            },
        })
    }
}

impl Panel {
    fn content(&self, selector: &str) -> Value {
        let query = |(query, name): &(&str, &str)| {
            json!({"kind": "TimeSeriesQuery", "spec": {"plugin": {
                "kind": "PrometheusTimeSeriesQuery",
                "spec": {"query": with_selector(query, selector), "seriesNameFormat": name},
            }}})
        };
        json!({
            "kind": "Panel",
            "spec": {
                "display": {"name": self.name, "description": self.description},
                "plugin": {
                    "kind": "TimeSeriesChart",
                    "spec": {"legend": {"mode": "list", "position": "bottom"}},
                },
                "queries": self.series.iter().map(query).collect::<Vec<_>>(),
            },
        })
    }
}

fn with_selector(query: &str, selector: &str) -> String {
    query
        .replace("S[", &format!("{selector}["))
        .replace("S\n", &format!("{selector}\n"))
}
