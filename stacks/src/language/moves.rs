//! `[[moved]]` and `[[removed]]` against each other: no address has two ways to go, and none goes on from where another
//! came to.

use super::problem::{Problem, Problems};
use super::read::At;
use super::schema::{RawMove, RawRemoval};
use stackctl_engine::moves::{Move, Moves, Removal};

/// Lowers the tables; every rule runs, whatever the others found.
pub(super) fn lower(moved: Vec<At<RawMove>>, removed: Vec<At<RawRemoval>>, problems: &mut Problems) -> Moves {
    for (index, At { value: one, .. }) in moved.iter().enumerate() {
        if one.from.value.meets(&one.to.value) {
            let problem = Problem::Move {
                from: one.from.value.to_string(),
                to: one.to.value.to_string(),
                why: "one is the other, or begins it",
                hint: "write two addresses of which neither begins the other",
            };
            problems.push(one.to.place, problem);
        }
        for At { value: other, .. } in &moved[..index] {
            let clash = |why: &'static str, hint: &'static str| Problem::Move {
                from: one.from.value.to_string(),
                to: one.to.value.to_string(),
                why,
                hint,
            };
            if one.from.value.meets(&other.from.value) {
                let problem = clash("it moves already", "leave one of the two moves out");
                problems.push_beside(one.from.place, problem, other.from.place, "moves here");
            }
            if one.to.value.meets(&other.to.value) {
                let problem = clash("something else moves there", "give each an address of its own");
                problems.push_beside(one.to.place, problem, other.to.place, "moves there too");
            }
        }
        for (other_index, At { value: other, .. }) in moved.iter().enumerate() {
            if other_index != index && one.from.value.meets(&other.to.value) {
                let problem = Problem::Move {
                    from: one.from.value.to_string(),
                    to: one.to.value.to_string(),
                    why: "something else moves to where it is: moves make no chain",
                    hint: "write one move from the first address to the last",
                };
                problems.push_beside(one.from.place, problem, other.to.place, "moves here");
            }
        }
        for At { value: other, .. } in &removed {
            if one.from.value.meets(&other.address.value) || one.to.value.meets(&other.address.value) {
                let problem = Problem::Move {
                    from: one.from.value.to_string(),
                    to: one.to.value.to_string(),
                    why: "it is said to be removed",
                    hint: "leave the move or the removal out",
                };
                problems.push_beside(one.from.place, problem, other.address.place, "removed here");
            }
        }
    }
    Moves {
        moved: moved
            .into_iter()
            .map(|At { value, place }| Move {
                from: value.from.value,
                to: value.to.value,
                written_at: problems.line_of(place),
            })
            .collect(),
        removed: removed
            .into_iter()
            .map(|At { value, place }| Removal {
                address: value.address.value,
                written_at: problems.line_of(place),
            })
            .collect(),
    }
}
