//! Who looks at what, and until when.
//!
//! Invariants:
//! - Whoever looks at one object is woken by that object, and by a scope that is read anew; never by its neighbours.
//! - The cost of an event, of a timer and of a look that begins is that of the steps it concerns, whatever the number of
//!   those that look.

use super::view::Scope;
use crate::{address::Address, object_key::ObjectKey, readiness::Sight};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// The steps that look at the cluster or at the clock.
#[derive(Debug, Default)]
pub(super) struct Onlookers {
    looks: BTreeMap<Address, Look>,
    scopes: BTreeMap<Scope, InScope>,
    timers: BTreeSet<(Instant, Address)>,
    unwatched: Vec<Scope>,
}

/// What one step looks at.
#[derive(Debug, Default)]
struct Look {
    sights: Vec<Sight>,
    until: Option<Instant>,
}

/// Who looks at a scope; it is watched from the first look on.
#[derive(Debug, Default)]
struct InScope {
    at_all: BTreeSet<Address>,
    /// By namespace and name.
    at_one: BTreeMap<(Option<String>, String), BTreeSet<Address>>,
}

impl Onlookers {
    /// A step looks at this from now on, and at the clock at this time; whether it looked at nothing before.
    pub(super) fn look(&mut self, address: &Address, sights: &[Sight], until: Option<Instant>) -> bool {
        let begins = !self.looks.contains_key(address);
        let look = self.looks.entry(address.clone()).or_default();
        if look.until != until {
            if let Some(before) = std::mem::replace(&mut look.until, until) {
                self.timers.remove(&(before, address.clone()));
            }
            self.timers.extend(until.map(|until| (until, address.clone())));
        }
        if look.sights != sights {
            let before = std::mem::replace(&mut look.sights, sights.to_vec());
            before.iter().for_each(|sight| self.turn_away(address, sight));
            sights.iter().for_each(|sight| self.turn_to(address, sight));
        }
        begins
    }

    /// A step looks at nothing any more.
    pub(super) fn leave(&mut self, address: &Address) {
        let Some(look) = self.looks.remove(address) else { return };
        if let Some(until) = look.until {
            self.timers.remove(&(until, address.clone()));
        }
        look.sights.iter().for_each(|sight| self.turn_away(address, sight));
    }

    /// Nobody looks any more.
    pub(super) fn leave_all(&mut self) {
        self.looks.clear();
        self.timers.clear();
        for looked_at in self.scopes.values_mut() {
            *looked_at = InScope::default();
        }
    }

    /// Whom a change of this object concerns.
    pub(super) fn of_object(&self, scope: &Scope, key: &ObjectKey) -> impl Iterator<Item = &Address> {
        let looked_at = self.scopes.get(scope);
        let at_one = looked_at.and_then(|scope| scope.at_one.get(&(key.namespace.clone(), key.name.clone())));
        let at_all = looked_at.map(|scope| &scope.at_all);
        at_one.into_iter().chain(at_all).flatten()
    }

    /// Whom a whole scope concerns.
    pub(super) fn of_scope(&self, scope: &Scope) -> impl Iterator<Item = &Address> {
        let looked_at = self.scopes.get(scope).into_iter();
        looked_at.flat_map(|scope| scope.at_one.values().flatten().chain(&scope.at_all))
    }

    /// Whose time has come.
    pub(super) fn due(&self, now: Instant) -> impl Iterator<Item = &Address> {
        let due = self.timers.iter().take_while(move |(at, _)| *at <= now);
        due.map(|(_, address)| address)
    }

    /// When the next one's time comes.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The scopes that somebody looked at for the first time since this was asked last.
    pub(super) fn unwatched(&mut self) -> Vec<Scope> {
        std::mem::take(&mut self.unwatched)
    }

    fn turn_to(&mut self, address: &Address, sight: &Sight) {
        let scope = sight.scope();
        if !self.scopes.contains_key(&scope) {
            self.unwatched.push(scope.clone());
        }
        let looked_at = self.scopes.entry(scope).or_default();
        let by = match sight {
            Sight::All(..) => &mut looked_at.at_all,
            Sight::One(object) => {
                let named = (object.namespace.clone(), object.name.clone());
                looked_at.at_one.entry(named).or_default()
            }
        };
        by.insert(address.clone());
    }

    fn turn_away(&mut self, address: &Address, sight: &Sight) {
        let Some(looked_at) = self.scopes.get_mut(&sight.scope()) else {
            return;
        };
        match sight {
            Sight::All(..) => drop(looked_at.at_all.remove(address)),
            Sight::One(object) => {
                let named = (object.namespace.clone(), object.name.clone());
                if let Some(by) = looked_at.at_one.get_mut(&named) {
                    by.remove(address);
                    if by.is_empty() {
                        looked_at.at_one.remove(&named);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object_key::{ObjectRef, ObjectType};
    use std::time::Duration;

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    fn config(name: &str) -> ObjectRef {
        ObjectRef::namespaced("v1", "ConfigMap", "n", name)
    }

    fn scope() -> Scope {
        (ObjectType::new("v1", "ConfigMap"), Some("n".to_owned()))
    }

    fn told(onlookers: &Onlookers, name: &str) -> Vec<String> {
        onlookers
            .of_object(&scope(), &config(name).key())
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn an_object_concerns_who_looks_at_it_and_who_looks_at_all() {
        let mut onlookers = Onlookers::default();
        for index in 0..1_000 {
            let name = format!("c{index}");
            let sights = [Sight::One(config(&name))];
            assert!(onlookers.look(&address(&format!("a.{name}")), &sights, None));
        }
        let (of, namespace) = scope();
        onlookers.look(&address("b.all"), &[Sight::All(of, namespace)], None);
        assert_eq!(told(&onlookers, "c7"), ["a.c7", "b.all"]);
        assert_eq!(told(&onlookers, "other"), ["b.all"]);
        assert_eq!(onlookers.of_scope(&scope()).count(), 1_001);
        onlookers.leave(&address("a.c7"));
        assert_eq!(told(&onlookers, "c7"), ["b.all"]);
        assert_eq!(onlookers.unwatched(), [scope()], "once, by whoever looked first");
        assert_eq!(onlookers.unwatched(), []);
    }

    #[test]
    fn who_looks_elsewhere_is_no_longer_woken_by_what_it_looked_at_before() {
        let mut onlookers = Onlookers::default();
        let one = address("a.one");
        assert!(onlookers.look(&one, &[Sight::One(config("x"))], None));
        assert!(!onlookers.look(&one, &[Sight::One(config("y"))], None), "it goes on");
        assert_eq!((told(&onlookers, "x").len(), told(&onlookers, "y").len()), (0, 1));
        onlookers.leave_all();
        assert_eq!(told(&onlookers, "y").len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn each_has_one_time_and_the_next_is_the_first_of_all() {
        let mut onlookers = Onlookers::default();
        let at = |seconds| Instant::now() + Duration::from_secs(seconds);
        onlookers.look(&address("a.one"), &[], Some(at(5)));
        onlookers.look(&address("a.two"), &[], Some(at(9)));
        onlookers.look(&address("a.one"), &[], Some(at(7)));
        assert_eq!(onlookers.next_timer(), Some(at(7)));
        assert_eq!(onlookers.due(at(6)).count(), 0);
        assert_eq!(onlookers.due(at(8)).collect::<Vec<_>>(), [&address("a.one")]);
        onlookers.leave(&address("a.one"));
        assert_eq!(onlookers.next_timer(), Some(at(9)));
    }
}
