//! What of a policy's limits a call falls under: the part of Kuadrant that runs in the proxy.
//!
//! Source: reference/serving.md §1.12 (predicates, counters), §4.1, §4.10 (streams), §4.11 (what is exempt);
//! <https://docs.kuadrant.io/latest/kuadrant-operator/doc/overviews/token-rate-limiting/>.
//!
//! Invariants:
//! - A limit counts only as Limitador was told it: a policy that its operator has not passed on changes nothing.
//! - A limit whose predicates do not all hold, or whose counter has no value, is none for this call.

use serde_json::Value;

use super::expressions::Known;
use super::limitador::{Limit, Variables};
use super::policies::part;
use crate::operators::object::Read;

/// Returns the limits of a policy that a call on a route falls under, with the counter that each has for it.
pub(super) fn selected(limits: &[Limit], policy: &Value, route: &Value, known: &Known) -> Vec<(Limit, Variables)> {
    let mut selected = Vec::new();
    let when = part(policy, "when").and_then(Value::as_array);
    if !known.all_hold(when.map_or(&[], Vec::as_slice)) {
        return selected;
    }
    let namespace = format!("{}/{}", route.namespace(), route.name());
    let written = part(policy, "limits").and_then(Value::as_object);
    for (name, limit) in written.into_iter().flatten() {
        if !known.all_hold(limit.list("/when")) {
            continue;
        }
        let counters = limit.list("/counters").iter().map(|counter| {
            let expression = counter.text("/expression");
            Some((expression.to_owned(), known.text_of(counter)?))
        });
        let Some(variables) = counters.collect::<Option<Variables>>() else {
            continue;
        };
        let told = limits
            .iter()
            .filter(|limit| limit.namespace == namespace && limit.name == *name);
        selected.extend(told.map(|limit| (limit.clone(), variables.clone())));
    }
    selected
}
