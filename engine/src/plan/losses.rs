//! What a word of the person covers: each thing that a plan deletes beyond its budget, one by one.
//!
//! A word that is saved with a plan was given for what that plan deleted. By the time it is carried out others may have put
//! more into a namespace that goes, and nobody said yes to that.
//!
//! In: the excesses of a plan, and what was lost by the plan that was approved. Out: what of it is new, in words.
//!
//! Invariants:
//! - Objects that a plan counts and does not name are losses each for itself: one that comes in the place of one that went is
//!   new, and one that is named now and was counted then is not.
//! - Another object of the same name is another loss, as far as uids are known.
//! - Less than then is never new.
//!
//! Deliberately absent: what no word covers. It is refused whoever approved it.

use super::{Excess, excess_along};
use std::collections::{BTreeSet, HashMap};

/// One thing that a plan deletes beyond its budget, where a word of the person is enough.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss {
    /// What is said of it.
    pub what: String,
    /// The uid of the object that it is about, where the plan compares it nowhere else.
    pub uid: Option<String>,
    /// How much of it; 1 of what is not counted.
    pub count: usize,
}

/// What excesses lose, one by one and in order.
pub fn losses(excess: &[Excess]) -> BTreeSet<Loss> {
    let meant = excess.iter().filter(|excess| excess.may_be_meant());
    meant.flat_map(of).collect()
}

/// Of what is lost `now`, what was not among what was lost `then`: in words, in order.
pub fn not_among(then: &BTreeSet<Loss>, now: &BTreeSet<Loss>) -> Vec<String> {
    let mut by_what: HashMap<&str, Vec<&Loss>> = HashMap::new();
    for loss in then {
        by_what.entry(&loss.what).or_default().push(loss);
    }
    let said = |loss: &Loss| {
        let Some(before) = by_what.get(loss.what.as_str()) else {
            return Some(loss.counted());
        };
        if before
            .iter()
            .any(|before| before.uid == loss.uid && before.count >= loss.count)
        {
            return None;
        }
        let most = before.iter().map(|before| before.count).max().unwrap_or_default();
        Some(match most < loss.count {
            true => format!("{}, and not {most}", loss.counted()),
            false => format!("{}, and it is another one than the plan was about", loss.what),
        })
    };
    now.iter().filter_map(said).collect()
}

impl Loss {
    fn counted(&self) -> String {
        match self.count {
            1 => self.what.clone(),
            count => format!("{}: {count} of them", self.what),
        }
    }
}

fn of(excess: &Excess) -> Vec<Loss> {
    let one = |what: String, uid: Option<&String>| Loss {
        what,
        uid: uid.cloned(),
        count: 1,
    };
    match excess {
        Excess::TooMany { deleted, .. } => vec![Loss {
            what: "the plan deletes more than a third of the objects that are recorded".to_owned(),
            uid: None,
            count: *deleted,
        }],
        Excess::Along { uid, .. } => vec![one(excess.to_string(), uid.as_ref())],
        Excess::More { unnamed, .. } => {
            let each: Vec<_> = excess_along(unnamed.clone()).collect();
            each.iter().flat_map(of).collect()
        }
        Excess::Unseen { address, with, kinds } => kinds
            .iter()
            .map(|kind| Excess::Unseen {
                address: address.clone(),
                with: with.clone(),
                kinds: BTreeSet::from([kind.clone()]),
            })
            .map(|each| one(each.to_string(), None))
            .collect(),
        Excess::Everything { .. } | Excess::Data { .. } => vec![one(excess.to_string(), None)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        address::Address,
        object_key::{ObjectRef, ObjectType},
        plan::{Along, Stays},
    };

    fn container() -> Address {
        "a.namespace".parse().expect("an address")
    }

    fn namespace() -> ObjectRef {
        ObjectRef::cluster("v1", "Namespace", "demo")
    }

    fn going(name: &str, uid: &str) -> Along {
        Along {
            address: container(),
            object: ObjectRef::namespaced("v1", "ConfigMap", "demo", name),
            uid: Some(uid.to_owned()),
            stays: Stays::NotOfTheStack,
            container: container(),
            with: namespace(),
        }
    }

    fn named(all: &[(&str, &str)]) -> Vec<Excess> {
        excess_along(all.iter().map(|(name, uid)| going(name, uid)).collect()).collect()
    }

    fn more(all: &[(&str, &str)]) -> Excess {
        Excess::More {
            address: container(),
            with: Box::new(namespace()),
            unnamed: all.iter().map(|(name, uid)| going(name, uid)).collect(),
        }
    }

    fn new(then: &[Excess], now: &[Excess]) -> Vec<String> {
        not_among(&losses(then), &losses(now))
    }

    #[test]
    fn what_came_since_is_new_and_what_went_is_not_missed() {
        let then = named(&[("one", "1"), ("two", "2")]);
        assert_eq!(new(&then, &then), [""; 0]);
        assert_eq!(new(&then, &named(&[("two", "2")])), [""; 0]);
        assert_eq!(
            new(&then, &named(&[("one", "1"), ("three", "3")])),
            ["`a.namespace`: ConfigMap demo/three goes with Namespace demo: it is not of this stack"]
        );
    }

    #[test]
    fn another_object_of_the_same_name_is_new() {
        assert_eq!(
            new(&named(&[("one", "1")]), &named(&[("one", "another")])),
            [
                "`a.namespace`: ConfigMap demo/one goes with Namespace demo: it is not of this stack, and it is another one \
              than the plan was about"
            ]
        );
    }

    #[test]
    fn what_is_counted_is_known_one_by_one() {
        let counted = [named(&[("one", "1")]), vec![more(&[("two", "2"), ("three", "3")])]].concat();
        // The first went, so another one is named.
        let named_now = [named(&[("two", "2")]), vec![more(&[("three", "3")])]].concat();
        assert_eq!(new(&counted, &named_now), [""; 0]);
        // As many as before, and not the same.
        let other = [named(&[("one", "1")]), vec![more(&[("two", "2"), ("four", "4")])]].concat();
        assert_eq!(
            new(&counted, &other),
            ["`a.namespace`: ConfigMap demo/four goes with Namespace demo: it is not of this stack"]
        );
    }

    #[test]
    fn a_number_that_became_less_is_covered_and_one_that_became_more_is_not() {
        let many = |deleted| {
            [Excess::TooMany {
                deleted,
                recorded: 10 - deleted,
            }]
        };
        assert_eq!(new(&many(5), &many(4)), [""; 0]);
        let said = "the plan deletes more than a third of the objects that are recorded: 5 of them";
        assert_eq!(new(&many(4), &many(5)), [format!("{said}, and not 4")]);
        assert_eq!(new(&[], &many(5)), [said]);
    }

    #[test]
    fn a_kind_that_may_be_listed_again_is_not_missed_and_one_that_may_be_no_more_is_new() {
        let unseen = |kinds: &[&str]| {
            [Excess::Unseen {
                address: container(),
                with: Box::new(namespace()),
                kinds: kinds.iter().map(|kind| ObjectType::new("v1", kind)).collect(),
            }]
        };
        let both = unseen(&["Pod", "Secret"]);
        assert_eq!(new(&both, &unseen(&["Secret"])), [""; 0]);
        assert_eq!(
            new(&unseen(&["Secret"]), &both),
            ["`a.namespace`: what others have in Namespace demo goes with it, and may not be listed: Pod"]
        );
        // A name is more than was known when a whole kind was approved unseen.
        assert_eq!(new(&both, &named(&[("one", "1")])).len(), 1);
    }

    #[test]
    fn data_is_known_by_its_address_and_what_no_word_covers_is_no_matter_of_a_word() {
        let data = [Excess::Data {
            address: container(),
            object: Box::new(namespace()),
        }];
        assert_eq!(new(&data, &data), [""; 0]);
        assert_eq!(
            new(&[], &data),
            ["`a.namespace`: Namespace demo holds data, which is lost when it is deleted"]
        );
        let mut kept = going("one", "1");
        kept.stays = Stays::Prevented;
        let never: Vec<_> = excess_along(vec![kept])
            .chain([Excess::Everything { recorded: 1 }])
            .collect();
        assert_eq!(new(&[], &never), [""; 0]);
    }
}
