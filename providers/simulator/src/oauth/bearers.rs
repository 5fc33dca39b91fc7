//! Who the bearer of an OpenShift token is.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::users;
use crate::apiserver::{Authenticator, Identity, ObjectReader, Token};

/// Where the API server says what a token is good for.
const SCOPES: &str = "scopes.authorization.openshift.io";

/// Knows the bearers of the tokens that the cluster holds the digests of.
pub(super) struct Bearers;

impl Authenticator for Bearers {
    fn identify(&self, token: &Token, objects: &dyn ObjectReader) -> Option<Identity> {
        let held = objects.object("oauth.openshift.io", "OAuthAccessToken", None, &token.digest())?;
        if has_expired(&held, Timestamp::now()) {
            return None;
        }
        let name = held["userName"].as_str()?;
        let user = objects.object("user.openshift.io", "User", None, name)?;
        let uid = user["metadata"]["uid"].as_str()?;
        if held["userUID"] != uid {
            return None;
        }
        let mut groups = users::groups_of(name, objects);
        groups.extend(["system:authenticated:oauth", "system:authenticated"].map(str::to_owned));
        let scopes = held["scopes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let mut identity = Identity::member(name, groups);
        uid.clone_into(&mut identity.uid);
        identity
            .extra
            .insert(SCOPES.to_owned(), scopes.map(str::to_owned).collect());
        Some(identity)
    }
}

fn has_expired(token: &Value, now: Timestamp) -> bool {
    let made = token["metadata"]["creationTimestamp"]
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    let made = made.map_or(0, Timestamp::as_second);
    // Zero is a token that lasts.
    let lasts = token["expiresIn"].as_i64().unwrap_or_default();
    lasts != 0 && now.as_second() >= made.saturating_add(lasts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_expires_after_its_time() {
        let token = |lasts: i64| json!({"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}, "expiresIn": lasts});
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert!(!has_expired(&token(60), at("2026-01-01T00:00:59Z")));
        assert!(has_expired(&token(60), at("2026-01-01T00:01:00Z")));
        assert!(!has_expired(&token(0), at("2036-01-01T00:00:00Z")));
    }
}
