//! Tenant: how long API keys may live.
//!
//! Facts: `reference/serving.md` §1.10, §4 table, row of maxExpirationDays.

use super::{
    keys::by_hand,
    tier::longest_life,
    words::{access, counted, notice},
    world::World,
};
use stackctl_engine::{plan::Transition, resource::Consequence};

pub(super) fn consequences(_: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let days = |side: &Option<serde_json::Value>| side.as_ref().and_then(longest_life);
    let (Some(before), Some(after)) = (days(&transition.before), days(&transition.after)) else {
        return Vec::new();
    };
    let to = counted(after, "day");
    if after < before {
        let text =
            format!("lowers the longest life of API keys from {before} to {to}: keys that are there keep theirs");
        vec![access(text), by_hand()]
    } else if after > before {
        vec![notice(format!(
            "raises the longest life of API keys from {before} to {to}, for keys minted from now on"
        ))]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{made, table, tenant, turned, with};
    use serde_json::json;

    #[test]
    fn keys_that_are_there_keep_their_expiry() {
        let cases = [
            ("less", vec![turned(tenant(90), tenant(30))]),
            ("more", vec![turned(tenant(30), tenant(90))]),
            ("made", vec![made(tenant(30))]),
            (
                "something else",
                vec![turned(
                    tenant(30),
                    with(tenant(30), "spec.telemetry.enabled", json!(true)),
                )],
            ),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # less
        access: lowers the longest life of API keys from 90 to 30 days: keys that are there keep theirs
        notice: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
        # more
        notice: raises the longest life of API keys from 30 to 90 days, for keys minted from now on
        # made
        nothing
        # something else
        nothing
        "#);
    }
}
