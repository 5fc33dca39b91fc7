//! The tier of a caller, as maas-api of the older generation looks it up.
//!
//! Source: reference/serving.md §1.11 (the map, the highest level wins, a namespace of accounts is a tier), §3.2 (answers);
//! `maas-api/internal/tier` of <https://github.com/opendatahub-io/models-as-a-service> v0.0.2.
//!
//! Simplified: the map is read for every question, where the real service reads it when it starts.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::call::Answer;
use crate::operators::object::Read;

/// The name of the map, and its key.
pub(super) const MAPPING: &str = "tier-to-group-mapping";
/// The tenant whose tier namespaces count: they begin with its name.
const TENANT: &str = "maas-default-gateway";

#[derive(Debug, Deserialize)]
struct Tier {
    name: String,
    #[serde(default)]
    level: i64,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default, rename = "displayName")]
    display_name: String,
}

/// Answers a question for the tier of somebody in these groups.
pub(super) fn answer(question: &Value, mapping: Option<&Value>) -> Answer {
    let refused =
        |status, error: &str, message: &str| Answer::json(status, &json!({"error": error, "message": message}));
    let Some(groups) = question.get("groups").and_then(Value::as_array) else {
        return refused(
            StatusCode::BAD_REQUEST,
            "bad_request",
            "invalid request body: groups are required",
        );
    };
    let text = mapping.map(|mapping| mapping.text("/data/tiers"));
    let tiers = text.and_then(|text| serde_saphyr::from_str::<Vec<Tier>>(text).ok());
    let Some(tiers) = tiers.filter(|_| !groups.is_empty()) else {
        return refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "failed to lookup tier: there is no map of tiers to groups",
        );
    };
    let has = |tier: &Tier| {
        let accounts = format!("system:serviceaccounts:{TENANT}-tier-{}", tier.name);
        groups
            .iter()
            .any(|group| tier.groups.iter().chain([&accounts]).any(|one| one == group.text("")))
    };
    // Of two of one level the first one counts.
    let best = tiers
        .iter()
        .filter(|tier| has(tier))
        .reduce(|best, tier| if tier.level > best.level { tier } else { best });
    match best {
        Some(tier) => {
            let shown = if tier.display_name.is_empty() {
                &tier.name
            } else {
                &tier.display_name
            };
            Answer::json(StatusCode::OK, &json!({"tier": tier.name, "displayName": shown}))
        }
        None => refused(StatusCode::NOT_FOUND, "not_found", "no tier has one of these groups"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_level_among_matching_groups_wins_and_a_namespace_of_accounts_is_a_tier() {
        let tiers = "- name: free\n  level: 0\n  groups: [\"system:authenticated\"]\n- name: premium\n  level: 1\n  groups: [premium-group]\n";
        let mapping = json!({"data": {"tiers": tiers}});
        let tier = |groups: &[&str]| {
            let answer = answer(&json!({"groups": groups}), Some(&mapping));
            (
                answer.status.as_u16(),
                answer.body().expect("JSON").text("/tier").to_owned(),
            )
        };
        assert_eq!(tier(&["system:authenticated"]), (200, "free".to_owned()));
        assert_eq!(
            tier(&["system:authenticated", "premium-group"]),
            (200, "premium".to_owned())
        );
        let accounts = "system:serviceaccounts:maas-default-gateway-tier-premium";
        assert_eq!(tier(&[accounts]), (200, "premium".to_owned()));
        assert_eq!(tier(&["nobody"]), (404, String::new()));
        assert_eq!(answer(&json!({}), Some(&mapping)).status, StatusCode::BAD_REQUEST);
        assert_eq!(
            answer(&json!({"groups": ["a"]}), None).status,
            StatusCode::INTERNAL_SERVER_ERROR
        );
    }
}
