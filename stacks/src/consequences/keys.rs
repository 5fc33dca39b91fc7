//! What maas-api says about the API keys that work now.
//!
//! Source: `POST /maas-api/v1/api-keys/search` with `{"filters": {"status": ["active"]}}` and all of its pages; each key
//! there has a `username` and a `subscription` (`reference/serving.md` §3.2). Without a filter it lists revoked and
//! expired keys too.
//!
//! Deliberately absent: the keys themselves, of which maas-api keeps only a digest.

use super::words::notice;
use stackctl_engine::resource::Consequence;
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
    use super::*;

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
}
