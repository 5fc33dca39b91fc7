//! What maas-api says about the API keys that work now.
//!
//! Source: `POST /maas-api/v1/api-keys/search` with `{"filters": {"status": ["active"]}}` and all of its pages; each key
//! there has a `username` and a `subscription` (`reference/serving.md` §3.2). Without a filter it lists revoked and
//! expired keys too.
//!
//! Deliberately absent: the keys themselves, of which maas-api keeps only a digest.

use super::words::notice;
use crate::components::maas_host;
use serde_json::{Value, json};
use stackctl_engine::{plan::Transition, resource::Consequence};
use std::collections::{BTreeMap, BTreeSet};

/// How many active API keys each user has of each subscription. Empty means that there is no key at all; where nobody
/// asked, there is no `Keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    active: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Keys {
    /// Counts keys, each given as the name of its subscription and of its user.
    pub fn of(keys: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut active: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for (subscription, user) in keys {
            *active.entry(subscription).or_default().entry(user).or_default() += 1;
        }
        Self { active }
    }

    /// How many there are of some subscriptions, of these users or of all.
    pub(super) fn count(&self, subscriptions: &[&str], users: Option<&BTreeSet<&str>>) -> usize {
        let found = subscriptions.iter().filter_map(|name| self.active.get(*name));
        found
            .flatten()
            .filter(|(user, _)| users.is_none_or(|users| users.contains(user.as_str())))
            .map(|(_, count)| count)
            .sum()
    }

    /// How many there are in all.
    pub(super) fn total(&self) -> usize {
        self.active.values().flat_map(BTreeMap::values).sum()
    }
}

/// A question to maas-api (`reference/serving.md` §3.2, `POST /v1/api-keys/search`).
#[derive(Clone, Debug, PartialEq)]
pub struct KeysQuestion {
    /// Where it is asked.
    pub url: String,
    /// What is asked: one page of active keys of all users, which an administrator may see.
    pub body: Value,
}

/// The largest page that maas-api gives.
const PAGE: usize = 100;

/// What to ask about keys for a plan, from the nth key on; nothing where no change is about who may use how much.
pub fn question(transitions: &[Transition], apps_domain: &str, from: usize) -> Option<KeysQuestion> {
    let is_about_keys = |transition: &&Transition| {
        let kinds = [
            "MaaSSubscription",
            "MaaSAuthPolicy",
            "Group",
            "Tenant",
            "Deployment",
            "Secret",
        ];
        transition.before.is_some() && kinds.contains(&transition.object.object_type.kind.as_str())
    };
    transitions.iter().find(is_about_keys)?;
    Some(KeysQuestion {
        url: format!("https://{}/maas-api/v1/api-keys/search", maas_host(apps_domain)),
        body: json!({
            "filters": {"status": ["active"]},
            "pagination": {"limit": PAGE, "offset": from},
        }),
    })
}

/// The keys on a page, each by its subscription and its user, and whether there are more; nothing if it is no such page.
pub fn answered(answer: &Value) -> Option<(Vec<(String, String)>, bool)> {
    let key = |key: &Value| {
        let text = |name: &str| Some(key[name].as_str()?.to_owned());
        Some((text("subscription")?, text("username")?))
    };
    let keys: Option<Vec<_>> = answer["data"].as_array()?.iter().map(key).collect();
    Some((keys?, answer["has_more"] == true))
}

/// How keys that outlive a change are found and ended (`reference/serving.md` §4, admin calls); an administrator may see
/// those of others.
pub(super) fn by_hand() -> Consequence {
    notice(
        "leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, \
         DELETE /maas-api/v1/api-keys/<id> ends one"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::{super::testing::step, *};

    #[test]
    fn keys_are_counted_by_subscription_and_user() {
        let key = |subscription: &str, user: &str| (subscription.to_owned(), user.to_owned());
        let keys = Keys::of([
            key("pro", "bob"),
            key("pro", "bob"),
            key("pro", "eve"),
            key("free", "bob"),
        ]);
        assert_eq!(keys.count(&["pro"], None), 3);
        assert_eq!(keys.count(&["pro"], Some(&BTreeSet::from(["bob"]))), 2);
        assert_eq!(keys.count(&["pro", "free"], Some(&BTreeSet::from(["bob"]))), 3);
        assert_eq!(keys.count(&["premium"], None), 0);
        assert_eq!(keys.total(), 4);
    }

    #[test]
    fn maas_api_is_asked_page_by_page_and_only_where_a_change_is_about_keys() {
        let object =
            |kind: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "x", "namespace": "y"}});
        let secret = step(Some(object("Secret")), None);
        let asked = question(&[secret], "apps.example.com", 100).expect("a question");
        assert_eq!(asked.url, "https://maas.apps.example.com/maas-api/v1/api-keys/search");
        assert_eq!(asked.body["pagination"], json!({"limit": 100, "offset": 100}));
        assert_eq!(asked.body["filters"], json!({"status": ["active"]}));
        assert_eq!(
            question(&[step(None, Some(object("Secret")))], "apps.example.com", 0),
            None
        );
        assert_eq!(
            question(&[step(Some(object("Service")), None)], "apps.example.com", 0),
            None
        );
    }

    #[test]
    fn an_answer_is_a_page_of_keys_or_nothing() {
        let page = json!({"data": [{"subscription": "pro", "username": "bob", "id": "1"}], "has_more": true});
        let keys = vec![("pro".to_owned(), "bob".to_owned())];
        assert_eq!(answered(&page), Some((keys, true)));
        assert_eq!(
            answered(&json!({"data": [], "has_more": false})),
            Some((Vec::new(), false))
        );
        assert_eq!(answered(&json!({"data": [{"username": "bob"}]})), None);
        assert_eq!(answered(&json!({"error": "no"})), None);
    }
}
