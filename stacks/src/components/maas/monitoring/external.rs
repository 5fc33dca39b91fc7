//! The console's dashboard of models that run elsewhere: what Limitador counts of their routes.
//!
//! The manual's looks at the routes of one namespace of its own, and stands where, and is labelled as, the console lists
//! no dashboard (`reference/serving.md` §5.3 E5, §7 row 38).
//!
//! Facts: `reference/platform.md` §2.18 (panels), `reference/serving.md` §1.15 (a route has the name of its model), §1.16.

use super::by_user_and_tier;
use crate::{
    components::{
        draft::{Draft, at},
        monitoring_console,
        perses::{Dashboard, Grid, Panel},
    },
    stack::Maas,
};

const GRIDS: &[Grid] = &[
    Grid {
        title: "Request & Token Rates",
        height: 8,
        panels: &[
            Panel {
                key: "authorizedCalls",
                name: "Requests Let Through",
                description: "Calls per second that were within their limits, by route",
                at: (0, 0, 12),
                series: &[(
                    "sum(rate(authorized_callsS[5m])) by (limitador_namespace)\n",
                    "{{limitador_namespace}}",
                )],
            },
            Panel {
                key: "tokenUsage",
                name: "Tokens Used",
                description: "Tokens per second that providers counted, by route and model",
                at: (12, 0, 12),
                series: &[(
                    "sum(rate(authorized_hitsS[5m])) by (limitador_namespace, model)\n",
                    "{{limitador_namespace}} {{model}}",
                )],
            },
        ],
    },
    Grid {
        title: "Rate Limiting & Health",
        height: 8,
        panels: &[
            Panel {
                key: "limitedCalls",
                name: "Requests Turned Away",
                description: "Calls per second that were answered with 429, by route and user",
                at: (0, 0, 12),
                series: &[(
                    "sum(rate(limited_callsS[5m])) by (limitador_namespace, user)\n",
                    "{{limitador_namespace}} {{user}}",
                )],
            },
            Panel {
                key: "limitadorUp",
                name: "Limitador Up",
                description: "1 while Limitador, which counts all of this, runs",
                at: (12, 0, 12),
                series: &[("limitador_up\n", "{{pod}}")],
            },
        ],
    },
];

/// The dashboard; none where no model runs elsewhere.
pub(super) fn resource(maas: &Maas) -> Option<Draft> {
    // Both names are labels of DNS, which hold nothing that an expression would take for its own.
    let routes: Vec<_> = maas
        .external_models()
        .iter()
        .map(|model| format!("{}/{}", model.namespace, model.name))
        .collect();
    if routes.is_empty() {
        return None;
    }
    let dashboard = Dashboard {
        name: "llm-d-external-models",
        title: "External Models (Requests, Tokens, Limits)",
        description: "What the gateway of MaaS lets through to models that run elsewhere",
        selector: &format!("{{limitador_namespace=~\"{}\"}}", routes.join("|")),
        grids: GRIDS,
    };
    let node = Draft::object(at("maas.monitoring.external-models"), dashboard.manifest());
    Some(by_user_and_tier(monitoring_console::listed(node), maas))
}
