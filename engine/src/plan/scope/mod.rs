//! Which part of a stack a plan is about: what was named, with what it cannot go without.
//!
//! In: what was named, and an [`Order`]: what waits for what. Out: what is kept, and why the rest is left out.
//!
//! Invariants:
//! - What is kept is closed: whatever a kept address waits for is kept as well. So a plan of the kept part starts nothing
//!   early, and an apply takes dependencies along where a destroy takes dependents along: the order is turned round.
//! - Kept and left out together are all there is, and no address is both.
//! - A scope that names nothing keeps everything.
//! - A name that names nothing is an error: a typing mistake never makes a plan smaller or larger.

use crate::{
    address::{Address, AddressError, Segment, parse_segments},
    graph::{EdgeClass, Graph},
    plan::{Action, Plan},
    recorded::Recorded,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

/// Names addresses: one, or all below a prefix. `model[a]` is all of one model, `model` is all of every model.
///
/// A segment with a key names that key; one without names every key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    segments: Vec<Segment>,
}

impl Pattern {
    /// Names all of a component, or all of what it makes for one key: `maas`, `model[qwen3-8b]`.
    ///
    /// # Errors
    /// When the component is no name of a segment, or the key is empty.
    pub fn component(name: &str, key: Option<&str>) -> Result<Self, AddressError> {
        let segment = match key {
            None => Segment::new(name)?,
            Some(key) => Segment::keyed(name, key)?,
        };
        Ok(Self {
            segments: vec![segment],
        })
    }

    /// Whether it names an address.
    pub fn names(&self, address: &Address) -> bool {
        let there = address.segments();
        self.segments.len() <= there.len()
            && self.segments.iter().zip(there).all(|(wanted, segment)| {
                wanted.name() == segment.name() && (wanted.key().is_none() || wanted.key() == segment.key())
            })
    }
}

impl FromStr for Pattern {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Ok(Self {
            segments: parse_segments(text)?,
        })
    }
}

impl From<&Address> for Pattern {
    fn from(address: &Address) -> Self {
        Self {
            segments: address.segments().to_vec(),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments: Vec<_> = self.segments.iter().map(ToString::to_string).collect();
        f.write_str(&segments.join("."))
    }
}

/// The part of a stack that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only these, and what they wait for; everything, where there are none.
    pub targets: Vec<Pattern>,
    /// None of these, and nothing that waits for them.
    pub excludes: Vec<Pattern>,
    /// Nothing that comes after these.
    pub until: Vec<Pattern>,
}

/// What waits for what, in one direction of work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    waits: BTreeMap<Address, BTreeSet<Address>>,
}

impl Order {
    /// The order of an apply: what is desired waits as its graph says; what is recorded and no longer desired goes once
    /// all that was made for it went, or was written without it.
    pub fn of_apply(graph: &Graph, recorded: &BTreeMap<Address, Recorded>) -> Self {
        let mut waits: BTreeMap<Address, BTreeSet<Address>> = graph
            .order()
            .iter()
            .map(|address| {
                let dependencies = graph.dependencies(address).into_iter().map(|edge| edge.to.clone());
                (address.clone(), dependencies.collect())
            })
            .collect();
        let going: BTreeSet<&Address> = recorded
            .keys()
            .filter(|address| !waits.contains_key(*address))
            .collect();
        waits.extend(going.iter().map(|address| ((*address).clone(), BTreeSet::new())));
        for edge in recorded.values().flat_map(|known| &known.edges) {
            if going.contains(&edge.to)
                && waits.contains_key(&edge.from)
                && let Some(before) = waits.get_mut(&edge.to)
            {
                before.insert(edge.from.clone());
            }
        }
        Self { waits }
    }

    /// The order of a destroy: the recorded edges, turned round.
    pub fn of_destroy(recorded: &BTreeMap<Address, Recorded>) -> Self {
        let mut waits: BTreeMap<Address, BTreeSet<Address>> = recorded
            .keys()
            .map(|address| (address.clone(), BTreeSet::new()))
            .collect();
        for edge in recorded.values().flat_map(|known| &known.edges) {
            if waits.contains_key(&edge.from)
                && let Some(before) = waits.get_mut(&edge.to)
            {
                before.insert(edge.from.clone());
            }
        }
        Self { waits }
    }

    /// Every address.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.waits.keys()
    }

    /// These, and whatever they wait for.
    fn with_dependencies(&self, seeds: &BTreeSet<Address>) -> BTreeSet<Address> {
        reached(seeds, &self.waits).into_keys().collect()
    }

    /// These, and whatever waits for them, each with the seed that it waits for.
    fn with_dependents(&self, seeds: &BTreeSet<Address>) -> BTreeMap<Address, Address> {
        let mut waited: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        for (address, before) in &self.waits {
            for one in before {
                waited.entry(one.clone()).or_default().insert(address.clone());
            }
        }
        reached(seeds, &waited)
    }
}

/// Whatever can be reached from the seeds, each with the seed it was first reached from.
fn reached(seeds: &BTreeSet<Address>, steps: &BTreeMap<Address, BTreeSet<Address>>) -> BTreeMap<Address, Address> {
    let mut from: BTreeMap<Address, Address> = BTreeMap::new();
    let mut queue: Vec<(Address, Address)> = seeds.iter().rev().map(|seed| (seed.clone(), seed.clone())).collect();
    while let Some((address, seed)) = queue.pop() {
        if from.contains_key(&address) {
            continue;
        }
        for next in steps.get(&address).into_iter().flatten() {
            queue.push((next.clone(), seed.clone()));
        }
        from.insert(address, seed);
    }
    from
}

/// Why an address is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Neither it nor anything that waits for it was named.
    NotTargeted,
    /// It was excluded.
    Excluded,
    /// It waits for this, which is excluded.
    WaitsFor(Address),
    /// It comes after this, where the plan ends.
    After(Address),
}

impl LeftOut {
    /// The word that machines read.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotTargeted => "not-targeted",
            Self::Excluded => "excluded",
            Self::WaitsFor(_) => "waits-for",
            Self::After(_) => "after",
        }
    }

    /// The address that it is left out because of.
    pub fn because_of(&self) -> Option<&Address> {
        match self {
            Self::NotTargeted | Self::Excluded => None,
            Self::WaitsFor(address) | Self::After(address) => Some(address),
        }
    }
}

/// The words that people read.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTargeted => f.write_str("not targeted"),
            Self::Excluded => f.write_str("excluded"),
            Self::WaitsFor(address) => write!(f, "waits for {address}, which is excluded"),
            Self::After(address) => write!(f, "comes after {address}"),
        }
    }
}

/// A part of a stack: what was asked for, and what it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// What was asked for.
    pub asked: Scope,
    /// What is left out, and why.
    pub left_out: BTreeMap<Address, LeftOut>,
}

/// Why a part of a stack cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A name that names nothing.
    #[error("`{flag} {pattern}` names nothing that this stack makes or has recorded")]
    Unknown {
        /// The flag it stood behind.
        flag: &'static str,
        /// What was written.
        pattern: Pattern,
    },
    /// A target of which nothing is left.
    #[error("`--target {pattern}` leaves nothing to do: `{address}` {why}")]
    NothingLeft {
        /// What was written.
        pattern: Pattern,
        /// The first address it names.
        address: Address,
        /// Why that is left out.
        why: LeftOut,
    },
    /// Something that is to be replaced is left out.
    #[error("`{address}` cannot be replaced by a plan that leaves it out: {why}")]
    ReplaceLeftOut {
        /// What was to be replaced.
        address: Address,
        /// Why it is left out.
        why: LeftOut,
    },
    /// Something would go together with what contains it, and is left out.
    #[error("`{container}` would be deleted with `{contained}` in it, which this plan leaves out")]
    TakesAlong {
        /// What would be deleted, or deleted and made again.
        container: Address,
        /// What is in it.
        contained: Address,
    },
}

impl Scope {
    /// Whether it is the whole stack.
    pub fn is_whole(&self) -> bool {
        self.targets.is_empty() && self.excludes.is_empty() && self.until.is_empty()
    }

    /// What it leaves out; `None` where it is the whole stack.
    ///
    /// # Errors
    /// Every name that names nothing, and every target of which nothing is left.
    pub fn narrow(&self, order: &Order) -> Result<Option<Partial>, Vec<ScopeError>> {
        if self.is_whole() {
            return Ok(None);
        }
        let errors = self.unknown(order);
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut left_out = BTreeMap::new();
        if !self.targets.is_empty() {
            let kept = order.with_dependencies(&named(&self.targets, order));
            let others = order.addresses().filter(|address| !kept.contains(*address));
            left_out.extend(others.map(|address| (address.clone(), LeftOut::NotTargeted)));
        }
        if !self.until.is_empty() {
            let last = named(&self.until, order);
            let kept = order.with_dependencies(&last);
            let after = order.with_dependents(&last).into_iter();
            let after = after.filter(|(address, _)| !kept.contains(address));
            left_out.extend(after.map(|(address, last)| (address, LeftOut::After(last))));
        }
        let excluded = named(&self.excludes, order);
        for (address, because) in order.with_dependents(&excluded) {
            let why = if excluded.contains(&address) {
                LeftOut::Excluded
            } else {
                LeftOut::WaitsFor(because)
            };
            left_out.insert(address, why);
        }
        let errors = self.in_vain(order, &left_out);
        if errors.is_empty() {
            Ok(Some(Partial {
                asked: self.clone(),
                left_out,
            }))
        } else {
            Err(errors)
        }
    }

    fn unknown(&self, order: &Order) -> Vec<ScopeError> {
        let all = [
            ("--target", &self.targets),
            ("--exclude", &self.excludes),
            ("--until", &self.until),
        ];
        all.into_iter()
            .flat_map(|(flag, patterns)| patterns.iter().map(move |pattern| (flag, pattern)))
            .filter(|(_, pattern)| !order.addresses().any(|address| pattern.names(address)))
            .map(|(flag, pattern)| ScopeError::Unknown {
                flag,
                pattern: pattern.clone(),
            })
            .collect()
    }

    fn in_vain(&self, order: &Order, left_out: &BTreeMap<Address, LeftOut>) -> Vec<ScopeError> {
        let nothing_left = |pattern: &Pattern| {
            let mut named = order.addresses().filter(|address| pattern.names(address)).peekable();
            let first = (*named.peek()?).clone();
            let why = left_out.get(&first)?.clone();
            named
                .all(|address| left_out.contains_key(address))
                .then(|| ScopeError::NothingLeft {
                    pattern: pattern.clone(),
                    address: first,
                    why,
                })
        };
        self.targets.iter().filter_map(nothing_left).collect()
    }
}

fn named(patterns: &[Pattern], order: &Order) -> BTreeSet<Address> {
    order
        .addresses()
        .filter(|address| patterns.iter().any(|pattern| pattern.names(address)))
        .cloned()
        .collect()
}

impl Partial {
    /// Whether an address is in this part.
    pub fn keeps(&self, address: &Address) -> bool {
        !self.left_out.contains_key(address)
    }

    /// Refuses a plan that would delete something together with what it leaves out. `recorded` is everything that is.
    ///
    /// # Errors
    /// Each of them.
    pub fn check(&self, plan: &Plan, recorded: &BTreeMap<Address, Recorded>) -> Result<(), Vec<ScopeError>> {
        let goes: BTreeSet<&Address> = plan
            .steps
            .iter()
            .filter(|step| matches!(step.action, Action::Delete | Action::Replace))
            .map(|step| &step.address)
            .collect();
        let errors: Vec<_> = recorded
            .values()
            .filter(|known| !self.keeps(&known.address))
            .flat_map(|known| &known.edges)
            .filter(|edge| edge.class == EdgeClass::Contains && goes.contains(&edge.to))
            .map(|edge| ScopeError::TakesAlong {
                container: edge.to.clone(),
                contained: edge.from.clone(),
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

#[cfg(test)]
mod tests;
