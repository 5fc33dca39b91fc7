//! A dashboard of Grafana as data, and its JSON.
//!
//! Invariant: what all panels have alike is written here, once; a panel says only in what it differs.

use serde_json::{Value, json};

/// A dashboard.
#[derive(Clone, Debug)]
pub(super) struct Dashboard {
    /// The name of its object, and its own id in Grafana.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) description: String,
    pub(super) tags: &'static [&'static str],
    /// The time that it shows at first, and how often it asks again.
    pub(super) since: &'static str,
    pub(super) refresh: &'static str,
    /// What people can fill in besides the data source: the name of the variable, and its label.
    pub(super) inputs: &'static [(&'static str, &'static str)],
    pub(super) panels: Vec<Panel>,
}

/// A panel.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    /// Unique in the dashboard.
    pub(super) id: usize,
    pub(super) title: String,
    pub(super) description: &'static str,
    /// Left, top, width and height in a grid of 24 columns.
    pub(super) at: (usize, usize, usize, usize),
    pub(super) look: Look,
    /// Each series: the query, and how it is called.
    pub(super) series: Vec<(String, String)>,
}

/// How a panel shows its series.
#[derive(Clone, Debug)]
pub(super) enum Look {
    /// The value of now.
    Number {
        unit: &'static str,
        decimals: u8,
        /// What is shown where there is no value; empty for Grafana's own word.
        empty: &'static str,
        colour: Colour,
    },
    /// Values over time.
    Lines {
        unit: &'static str,
        /// How much of the area below a line is filled, in percent.
        fill: u8,
        is_stacked: bool,
        /// For shares of a whole, between 0 and 1: from where on it turns to another colour.
        share: Option<Limits>,
    },
    /// How many values fall into each bucket of a histogram, over time.
    Buckets,
}

/// What colour a number has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Colour {
    Always(&'static str),
    /// Green, and another one from each of these on.
    From(Limits),
}

/// From which value on which colour.
pub(super) type Limits = &'static [(&'static str, f64)];

/// What needs no more than this.
pub(super) fn lines(unit: &'static str, fill: u8) -> Look {
    Look::Lines {
        unit,
        fill,
        is_stacked: false,
        share: None,
    }
}

/// Lines on top of each other.
pub(super) fn stacked(unit: &'static str, fill: u8) -> Look {
    Look::Lines {
        unit,
        fill,
        is_stacked: true,
        share: None,
    }
}

/// Shares of a whole.
pub(super) fn shares(fill: u8, limits: Limits) -> Look {
    Look::Lines {
        unit: "percentunit",
        fill,
        is_stacked: false,
        share: Some(limits),
    }
}

/// The variable that holds the data source, which the person who looks picks.
const SOURCE: &str = "DS_PROMETHEUS";

impl Dashboard {
    /// As Grafana has it.
    pub(super) fn json(&self) -> Value {
        let source = json!({
            "name": SOURCE,
            "label": "Datasource",
            "type": "datasource",
            "query": "prometheus",
            "current": {"selected": true, "text": "Prometheus", "value": "Prometheus"},
            "hide": 0,
            "includeAll": false,
            "multi": false,
            "options": [],
            "refresh": 1,
        });
        let input = |(name, label): &(&str, &str)| {
            json!({
                "name": name,
                "label": label,
                "type": "textbox",
                "query": "",
                "current": {"selected": false, "text": "", "value": ""},
                "hide": 0,
                "options": [],
            })
        };
        let variables: Vec<_> = std::iter::once(source).chain(self.inputs.iter().map(input)).collect();
        json!({
            "title": self.title,
            "uid": self.name,
            "description": self.description,
            "tags": self.tags,
            "timezone": "browser",
            "schemaVersion": 39,
            "editable": true,
            "time": {"from": self.since, "to": "now"},
            "refresh": self.refresh,
            "templating": {"list": variables},
            "panels": self.panels.iter().map(Panel::json).collect::<Vec<_>>(),
        })
    }
}

impl Panel {
    fn json(&self) -> Value {
        let (x, y, width, height) = self.at;
        let mut panel = json!({
            "id": self.id,
            "type": self.look.kind(),
            "title": self.title,
            "datasource": {"type": "prometheus", "uid": format!("${{{SOURCE}}}")},
            "gridPos": {"x": x, "y": y, "w": width, "h": height},
            "targets": self.targets(),
        });
        if !self.description.is_empty() {
            panel["description"] = json!(self.description);
        }
        self.look.fill_in(&mut panel);
        panel
    }

    /// Its queries, which Grafana names by letters.
    fn targets(&self) -> Vec<Value> {
        let target = |((expr, legend), letter): (&(String, String), char)| {
            let mut target = json!({"refId": letter.to_string(), "expr": expr, "legendFormat": legend});
            match self.look {
                Look::Number { .. } => target["instant"] = json!(true),
                Look::Lines { .. } => {}
                Look::Buckets => target["format"] = json!("heatmap"),
            }
            target
        };
        self.series.iter().zip('A'..='Z').map(target).collect()
    }
}

impl Look {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Number { .. } => "stat",
            Self::Lines { .. } => "timeseries",
            Self::Buckets => "heatmap",
        }
    }

    fn fill_in(&self, panel: &mut Value) {
        match *self {
            Self::Number {
                unit,
                decimals,
                empty,
                colour,
            } => {
                let mut defaults = json!({"unit": unit, "decimals": decimals});
                if !empty.is_empty() {
                    defaults["noValue"] = json!(empty);
                }
                match colour {
                    Colour::Always(name) => defaults["color"] = json!({"mode": "fixed", "fixedColor": name}),
                    Colour::From(limits) => {
                        defaults["color"] = json!({"mode": "thresholds"});
                        defaults["thresholds"] = thresholds(limits);
                    }
                }
                panel["fieldConfig"] = json!({"defaults": defaults});
            }
            Self::Lines {
                unit,
                fill,
                is_stacked,
                share,
            } => {
                let mut custom = json!({"drawStyle": "line", "fillOpacity": fill, "lineInterpolation": "smooth"});
                if is_stacked {
                    custom["stacking"] = json!({"mode": "normal"});
                }
                let mut defaults = json!({"unit": unit, "custom": custom});
                if let Some(limits) = share {
                    defaults["min"] = json!(0);
                    defaults["max"] = json!(1);
                    defaults["thresholds"] = thresholds(limits);
                }
                panel["fieldConfig"] = json!({"defaults": defaults});
                panel["options"] = json!({
                    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true},
                });
            }
            Self::Buckets => {
                panel["options"] = json!({
                    "calculate": false, "color": {"scheme": "Oranges"}, "yAxis": {"unit": "short"},
                });
            }
        }
    }
}

fn thresholds(limits: Limits) -> Value {
    let first = json!({"color": "green", "value": null});
    let steps: Vec<_> = std::iter::once(first)
        .chain(
            limits
                .iter()
                .map(|(colour, from)| json!({"color": colour, "value": from})),
        )
        .collect();
    json!({"mode": "absolute", "steps": steps})
}
