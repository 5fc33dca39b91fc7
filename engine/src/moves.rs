//! What a stack renames and what it lets go, on what is recorded.
//!
//! In: what is recorded, what is desired, and the moves of the stack. Out: the same records under their new addresses.
//!
//! Invariants:
//! - A move that was carried out is none any more: saying it again changes nothing.
//! - No record takes the place of another, and none is moved twice.
//! - The cluster is not touched. Marks and managers that carry the former address stay until the object is written for
//!   another reason: a record proves whose an object is (see [`crate::marks`]).

use crate::{
    address::{Address, AddressError, Segment, parse_segments},
    object_key::ObjectRef,
    plan::{Action, NodeKind, Plan, Reason},
    recorded::{Recorded, RecordedDestroy, RecordedNode},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

/// The beginning of addresses, or a whole one: `model[a]` begins all of that model's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    segments: Vec<Segment>,
}

impl Prefix {
    /// Whether an address begins with it.
    pub fn begins(&self, address: &Address) -> bool {
        address.segments().starts_with(&self.segments)
    }

    /// Whether some address could begin with both.
    pub fn meets(&self, other: &Self) -> bool {
        self.segments.starts_with(&other.segments) || other.segments.starts_with(&self.segments)
    }

    /// An address with `to` in place of this beginning; nothing when it begins otherwise, or nothing would be left of
    /// it but a component.
    fn replaced(&self, to: &Self, address: &Address) -> Option<Address> {
        let rest = address.segments().strip_prefix(self.segments.as_slice())?;
        Address::new([to.segments.as_slice(), rest].concat()).ok()
    }
}

impl FromStr for Prefix {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Ok(Self {
            segments: parse_segments(text)?,
        })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments: Vec<_> = self.segments.iter().map(ToString::to_string).collect();
        f.write_str(&segments.join("."))
    }
}

/// One beginning that became another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// How addresses began.
    pub from: Prefix,
    /// How they begin from now on.
    pub to: Prefix,
    /// Where the stack says so, for people: `stack.toml:12`.
    pub written_at: String,
}

/// What is forgotten without being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// How its addresses begin.
    pub address: Prefix,
    /// Where the stack says so, for people: `stack.toml:12`.
    pub written_at: String,
}

/// What a stack renames and what it lets go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// What it renames.
    pub moved: Vec<Move>,
    /// What it lets go.
    pub removed: Vec<Removal>,
}

/// One record that is renamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// Its address so far.
    pub from: Address,
    /// Its address from now on.
    pub to: Address,
}

/// Why one of a stack's moves cannot be carried out on what is recorded; once for a move, however many records it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// It says the same address twice.
    #[error("{written_at}: `{address}` cannot move to itself")]
    ToItself {
        /// Where it is written.
        written_at: String,
        /// The address, or its beginning.
        address: Prefix,
    },
    /// Something is recorded where something should move.
    #[error("{written_at}: `{from}` cannot move to `{to}`: {} recorded already", these(taken))]
    Taken {
        /// Where it is written.
        written_at: String,
        /// How addresses begin so far.
        from: Prefix,
        /// How they should begin.
        to: Prefix,
        /// The addresses that are taken, at least one.
        taken: Vec<Address>,
    },
    /// The stack still makes what should have moved.
    #[error("{written_at}: `{from}` cannot move to `{to}`: the stack still has {}", few(still))]
    StillDesired {
        /// Where it is written.
        written_at: String,
        /// How addresses begin so far.
        from: Prefix,
        /// How they should begin.
        to: Prefix,
        /// The addresses that it still has, at least one.
        still: Vec<Address>,
    },
    /// The stack makes what it says it let go.
    #[error(
        "{written_at}: `{address}` is said to be removed, and the stack still has {}",
        few(still)
    )]
    NotRemoved {
        /// Where it is written.
        written_at: String,
        /// How the addresses begin.
        address: Prefix,
        /// The addresses that it still has, at least one.
        still: Vec<Address>,
    },
}

/// The first of some addresses, and how many there are beside it.
fn few(addresses: &[Address]) -> String {
    match addresses {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first, rest @ ..] => format!("`{first}` and {} more", rest.len()),
    }
}

fn these(addresses: &[Address]) -> String {
    let verb = if addresses.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", few(addresses))
}

impl MoveError {
    /// What to type or change next.
    pub fn hint(&self) -> String {
        match self {
            Self::ToItself { .. } => "name another address to move it to".to_owned(),
            Self::Taken { taken, .. } => {
                let them = match taken.as_slice() {
                    [one] => format!("`{one}`"),
                    _ => "those".to_owned(),
                };
                format!(
                    "take {them} out of the state first with `stackctl state rm`, or take the move out of the stack"
                )
            }
            Self::StillDesired { .. } => "rename it in the stack too, or take the move out".to_owned(),
            Self::NotRemoved { .. } => "take it out of the stack, or take the `[[removed]]` table out".to_owned(),
        }
    }
}

impl Moves {
    /// Which records get another address.
    ///
    /// # Errors
    /// Every move that cannot be carried out.
    pub fn renames(
        &self,
        recorded: &BTreeMap<Address, Recorded>,
        desired: &BTreeSet<&Address>,
    ) -> Result<Vec<Rename>, Vec<MoveError>> {
        let mut renames = Vec::new();
        let mut errors = Vec::new();
        for Move { from, to, written_at } in &self.moved {
            if from == to {
                errors.push(MoveError::ToItself {
                    written_at: written_at.clone(),
                    address: from.clone(),
                });
                continue;
            }
            let (mut taken, mut still) = (Vec::new(), Vec::new());
            for address in recorded.keys().filter(|address| from.begins(address)) {
                let Some(new) = from.replaced(to, address) else {
                    continue;
                };
                if recorded.contains_key(&new) {
                    taken.push(new);
                } else if desired.contains(address) {
                    still.push(address.clone());
                } else {
                    renames.push(Rename {
                        from: address.clone(),
                        to: new,
                    });
                }
            }
            let (written_at, from, to) = (written_at.clone(), from.clone(), to.clone());
            if !taken.is_empty() {
                errors.push(MoveError::Taken {
                    written_at,
                    from,
                    to,
                    taken,
                });
            } else if !still.is_empty() {
                errors.push(MoveError::StillDesired {
                    written_at,
                    from,
                    to,
                    still,
                });
            }
        }
        for Removal { address, written_at } in &self.removed {
            let still = desired.iter().filter(|desired| address.begins(desired));
            let still: Vec<_> = still.map(|address| (*address).clone()).collect();
            if !still.is_empty() {
                errors.push(MoveError::NotRemoved {
                    written_at: written_at.clone(),
                    address: address.clone(),
                    still,
                });
            }
        }
        if errors.is_empty() { Ok(renames) } else { Err(errors) }
    }

    /// Whether the stack says that something of it is removed and left as it is.
    pub fn lets_go(&self) -> bool {
        !self.removed.is_empty()
    }

    /// Lets go of what the stack says it removed: nothing is deleted, and the order of what goes with it stays. Answers
    /// what is let go.
    pub fn let_go(&self, recorded: &mut BTreeMap<Address, Recorded>) -> BTreeMap<Address, LetGo> {
        let mut gone = BTreeMap::new();
        for known in recorded.values_mut() {
            if !self
                .removed
                .iter()
                .any(|removal| removal.address.begins(&known.address))
            {
                continue;
            }
            let was = LetGo {
                node: match &known.node {
                    RecordedNode::Object(_) => NodeKind::Object,
                    RecordedNode::Overlay { .. } => NodeKind::Overlay,
                    RecordedNode::Gate => NodeKind::Gate,
                    RecordedNode::Action { .. } => NodeKind::Action,
                },
                object: known.object().map(|object| object.object.clone()),
            };
            gone.insert(known.address.clone(), was);
            known.destroy = RecordedDestroy::default();
            // Of a whole object our marks go, so that it can be another stack's.
            if matches!(known.node, RecordedNode::Object(_)) {
                known.destroy.retain = Some(Reason::LetGo.to_string());
            } else {
                known.node = RecordedNode::Gate;
            }
        }
        gone
    }
}

/// What was recorded of an address that is let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetGo {
    node: NodeKind,
    object: Option<ObjectRef>,
}

/// Says in a plan what is let go, where it would say that it is gone or that something keeps it.
#[must_use]
pub fn said_in(mut plan: Plan, let_go: &BTreeMap<Address, LetGo>) -> Plan {
    for step in &mut plan.steps {
        if let (Some(was), Action::Forget | Action::Release) = (let_go.get(&step.address), step.action) {
            step.node = was.node;
            step.object.clone_from(&was.object);
            step.reasons = vec![Reason::LetGo];
        }
    }
    plan
}

/// What is recorded, under its new addresses.
pub fn renamed(mut recorded: BTreeMap<Address, Recorded>, renames: &[Rename]) -> BTreeMap<Address, Recorded> {
    if renames.is_empty() {
        return recorded;
    }
    let new: BTreeMap<&Address, &Address> = renames.iter().map(|rename| (&rename.from, &rename.to)).collect();
    for Rename { from, to } in renames {
        if let Some(mut known) = recorded.remove(from) {
            known.address = to.clone();
            recorded.insert(to.clone(), known);
        }
    }
    for edge in recorded.values_mut().flat_map(|known| &mut known.edges) {
        for end in [&mut edge.from, &mut edge.to] {
            if let Some(to) = new.get(end) {
                *end = (*to).clone();
            }
        }
    }
    recorded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Edge, EdgeClass, EdgeSource, Until};

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    fn moves(moved: &[(&str, &str)], removed: &[&str]) -> Moves {
        let prefix = |text: &str| text.parse().expect("a prefix");
        Moves {
            moved: moved
                .iter()
                .map(|(from, to)| Move {
                    from: prefix(from),
                    to: prefix(to),
                    written_at: "stack.toml:3".to_owned(),
                })
                .collect(),
            removed: removed
                .iter()
                .map(|text| Removal {
                    address: prefix(text),
                    written_at: "stack.toml:9".to_owned(),
                })
                .collect(),
        }
    }

    /// Gates, each waiting for the one before it.
    fn recorded(texts: &[&str]) -> BTreeMap<Address, Recorded> {
        let mut all = BTreeMap::new();
        let mut before: Option<Address> = None;
        for text in texts {
            let edges = before.into_iter().map(|to| Edge {
                from: address(text),
                to,
                until: Until::Ready,
                reason: String::new(),
                class: EdgeClass::Needs,
                source: EdgeSource::Declared,
            });
            let known = Recorded {
                address: address(text),
                node: RecordedNode::Gate,
                edges: edges.collect(),
                destroy: RecordedDestroy::default(),
            };
            all.insert(known.address.clone(), known);
            before = Some(address(text));
        }
        all
    }

    #[test]
    fn a_move_renames_everything_below_it_and_every_edge_that_names_it() {
        let known = recorded(&["model[a].route", "model[a].service", "model[ab].service"]);
        let moves = moves(&[("model[a]", "model[b]")], &[]);
        let renames = moves.renames(&known, &BTreeSet::new()).expect("nothing is in the way");
        let known = renamed(known, &renames);
        let shown: Vec<_> = known
            .values()
            .map(|known| {
                let edges: Vec<_> = known
                    .edges
                    .iter()
                    .map(|edge| format!("{} -> {}", edge.from, edge.to))
                    .collect();
                format!("{} {}", known.address, edges.join(", ")).trim().to_owned()
            })
            .collect();
        assert_eq!(
            shown,
            [
                "model[ab].service model[ab].service -> model[b].service",
                "model[b].route",
                "model[b].service model[b].service -> model[b].route",
            ]
        );
        // Said again, it changes nothing.
        assert_eq!(moves.renames(&known, &BTreeSet::new()), Ok(Vec::new()));
    }

    #[test]
    fn what_is_taken_or_still_desired_is_an_error_with_its_line() {
        let known = recorded(&["model[a].service", "model[b].service", "model[c].service"]);
        let moves = moves(&[("model[a]", "model[b]"), ("model[c]", "model[d]")], &["model[e]"]);
        let (c, e) = (address("model[c].service"), address("model[e].service"));
        let errors = moves.renames(&known, &[&c, &e].into()).expect_err("all are in the way");
        let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "stack.toml:3: `model[a]` cannot move to `model[b]`: `model[b].service` is recorded already",
                "stack.toml:3: `model[c]` cannot move to `model[d]`: the stack still has `model[c].service`",
                "stack.toml:9: `model[e]` is said to be removed, and the stack still has `model[e].service`",
            ]
        );
    }

    #[test]
    fn a_move_is_one_error_however_many_records_it_is_about() {
        let all: Vec<_> = ["a", "b"]
            .iter()
            .flat_map(|model| ["route", "secret", "service"].map(|role| format!("model[{model}].{role}")))
            .collect();
        let known = recorded(&all.iter().map(String::as_str).collect::<Vec<_>>());
        let taken = moves(&[("model[a]", "model[b]")], &[]);
        let errors = taken.renames(&known, &BTreeSet::new()).expect_err("taken");
        let said: Vec<_> = errors
            .iter()
            .map(|error| format!("{error}; {}", error.hint()))
            .collect();
        assert_eq!(
            said,
            [
                "stack.toml:3: `model[a]` cannot move to `model[b]`: `model[b].route` and 2 more are recorded already; \
              take those out of the state first with `stackctl state rm`, or take the move out of the stack"
            ]
        );
        let still = moves(&[("model[a]", "model[c]")], &["model[b]"]);
        let errors = still
            .renames(&known, &known.keys().collect())
            .expect_err("still desired");
        let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "stack.toml:3: `model[a]` cannot move to `model[c]`: the stack still has `model[a].route` and 2 more",
                "stack.toml:9: `model[b]` is said to be removed, and the stack still has `model[b].route` and 2 more",
            ]
        );
    }

    #[test]
    fn nothing_moves_to_itself() {
        let known = recorded(&["model[a].service"]);
        let errors = moves(&[("model[a].service", "model[a].service")], &[]).renames(&known, &BTreeSet::new());
        let said = errors.expect_err("nowhere to go")[0].to_string();
        assert_eq!(said, "stack.toml:3: `model[a].service` cannot move to itself");
    }
}
