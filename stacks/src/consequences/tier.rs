//! A tier as MaaS keeps it: a MaaSSubscription, and who holds keys of it.
//!
//! Facts: `reference/serving.md` §1.12 (fields), §4 items 6 and 8 (what a key keeps).

use super::{
    rates::Rate,
    words::counted,
    world::{Side, World, items, texts},
};
use serde_json::Value;
use stackctl_engine::ObjectRef;
use std::collections::{BTreeMap, BTreeSet};

/// What the catalogue puts behind the name of a tier to name its subscription.
const SUFFIX: &str = "-subscription";

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscription<'a> {
    /// Its name, which keys are bound to.
    pub(super) name: &'a str,
    /// What unqualified keys choose by; a negative one counts as 0 (`reference/serving.md` §4 item 6).
    pub(super) priority: i64,
    /// The people of the tier.
    pub(super) owners: People<'a>,
    /// Its models, each with its limits.
    pub(super) models: BTreeMap<ModelRef<'a>, Vec<Rate<'a>>>,
}

/// Groups and single users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct People<'a> {
    pub(super) groups: BTreeSet<&'a str>,
    pub(super) users: BTreeSet<&'a str>,
}

/// A model as MaaS knows it: a MaaSModelRef.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ModelRef<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Subscription<'a> {
    /// Reads a MaaSSubscription; what is not there reads as empty.
    pub(super) fn read(object: &'a ObjectRef, manifest: &'a Value) -> Self {
        let spec = &manifest["spec"];
        let models = items(&spec["modelRefs"]).filter_map(|model| {
            let rates = items(&model["tokenRateLimits"]).filter_map(Rate::read).collect();
            Some((ModelRef::read(model)?, rates))
        });
        Self {
            name: &object.name,
            priority: spec["priority"].as_i64().unwrap_or(0).max(0),
            owners: People::read(&spec["owner"]),
            models: models.collect(),
        }
    }

    /// What people call it.
    pub(super) fn tier(&self) -> &'a str {
        self.name.strip_suffix(SUFFIX).unwrap_or(self.name)
    }
}

impl<'a> People<'a> {
    /// Reads an `owner` or `subjects`.
    pub(super) fn read(people: &'a Value) -> Self {
        Self {
            groups: items(&people["groups"])
                .filter_map(|group| group["name"].as_str())
                .collect(),
            users: texts(&people["users"]),
        }
    }

    /// Each by itself, groups first.
    pub(super) fn all(&self) -> Vec<Person<'a>> {
        let groups = self.groups.iter().map(|name| Person::Group(name));
        groups.chain(self.users.iter().map(|name| Person::User(name))).collect()
    }

    /// Those whom others do not have.
    pub(super) fn without(&self, others: &Self) -> Vec<Person<'a>> {
        let mut all = self.all();
        all.retain(|person| !others.has(*person));
        all
    }

    /// Whether this one is among them by name.
    pub(super) fn has(&self, person: Person<'_>) -> bool {
        match person {
            Person::Group(name) => self.groups.contains(name),
            Person::User(name) => self.users.contains(name),
        }
    }
}

/// One entry of [`People`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Person<'a> {
    Group(&'a str),
    User(&'a str),
}

impl std::fmt::Display for Person<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Group(name) => write!(f, "group {name}"),
            Self::User(name) => write!(f, "user {name}"),
        }
    }
}

impl<'a> ModelRef<'a> {
    /// Reads an item of `modelRefs`.
    pub(super) fn read(item: &'a Value) -> Option<Self> {
        Some(Self {
            namespace: item["namespace"].as_str()?,
            name: item["name"].as_str()?,
        })
    }
}

/// Who is in which group, and which tiers there are, on one side.
#[derive(Debug)]
pub(super) struct Membership<'a> {
    members: BTreeMap<&'a str, BTreeSet<&'a str>>,
    pub(super) tiers: Vec<Subscription<'a>>,
}

impl<'a> Membership<'a> {
    pub(super) fn of(world: &'a World<'_>, side: Side) -> Self {
        Self {
            members: world.members(side),
            tiers: world.subscriptions(side),
        }
    }

    /// The tiers of a user, as far as groups of the plan say who is in them.
    pub(super) fn tiers_of(&self, user: &str) -> Vec<&Subscription<'a>> {
        self.tiers.iter().filter(|tier| self.is_among(user, tier)).collect()
    }

    /// Whether a user of these groups is an owner of a tier.
    pub(super) fn is_among(&self, user: &str, tier: &Subscription<'_>) -> bool {
        let is_in = |group: &&str| self.members.get(group).is_some_and(|users| users.contains(user));
        tier.owners.users.contains(user) || tier.owners.groups.iter().any(is_in)
    }
}

impl World<'_> {
    /// How many active keys of a subscription there are.
    pub(super) fn held(&self, subscription: &str) -> Held {
        self.keys
            .map_or(Held::Unknown, |keys| Held::Known(keys.count(&[subscription], None)))
    }

    /// How many active keys of some subscriptions these users hold; all of them at most where the plan does not say who
    /// they are.
    pub(super) fn held_by(&self, subscriptions: &[&str], users: Option<&BTreeSet<&str>>) -> Held {
        match (self.keys.map(|keys| keys.count(subscriptions, users)), users) {
            (None, _) => Held::Unknown,
            (Some(count), Some(_)) => Held::Known(count),
            (Some(0), None) => Held::Known(0),
            (Some(count), None) => Held::UpTo(count),
        }
    }

    /// How long a key that is there may still work: ` (at most 90 days)`.
    pub(super) fn at_most(&self) -> String {
        let tenant = self.tenant(Side::Before).or_else(|| self.tenant(Side::After));
        let days = tenant.and_then(longest_life);
        days.map_or_else(String::new, |days| format!(" (at most {})", counted(days, "day")))
    }
}

/// How long a key of a tenant may live, in days (`reference/serving.md` §1.10).
pub(super) fn longest_life(tenant: &Value) -> Option<u64> {
    tenant["spec"]["apiKeys"]["maxExpirationDays"].as_u64()
}

/// How many active keys there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Nobody asked maas-api, or it did not answer.
    Unknown,
    /// As many when it was asked.
    Known(usize),
    /// As many at most.
    UpTo(usize),
}

impl Held {
    /// `keys of bob keep …`, `1 active key of bob keeps …`: `one` and `several` are what is said of them. Nothing where there
    /// is none.
    pub(super) fn phrase(self, whose: &str, one: &str, several: &str) -> Option<String> {
        Some(match self {
            Self::Unknown => format!("keys {whose} {several}"),
            Self::Known(0) | Self::UpTo(0) => return None,
            Self::Known(1) => format!("1 active key {whose} {one}"),
            Self::Known(count) => format!("{count} active keys {whose} {several}"),
            Self::UpTo(1) => format!("up to 1 active key {whose} {one}"),
            Self::UpTo(count) => format!("up to {count} active keys {whose} {several}"),
        })
    }
}
