//! The part of a stack that was asked for, and what the plan of it is made from.

use crate::{
    cli::ScopeArgs,
    error::{Error, Problem},
};
use stackctl_engine::{
    Address,
    graph::Graph,
    plan::{self, Order, Partial, Plan, Replaced, Scope, ScopeError},
    recorded::Recorded,
};
use stackctl_stacks::closest;
use std::collections::{BTreeMap, BTreeSet};

/// What the flags ask for.
pub(super) fn asked(arguments: &ScopeArgs) -> Scope {
    Scope {
        targets: arguments.targets.clone(),
        excludes: arguments.excludes.clone(),
        until: arguments.until.clone(),
    }
}

/// What is left out; `None` where the whole stack was asked for, which needs no order.
pub(super) fn narrow(arguments: &ScopeArgs, order: impl FnOnce() -> Order) -> Result<Option<Partial>, Error> {
    let asked = asked(arguments);
    if asked.is_whole() {
        return Ok(None);
    }
    let order = order();
    asked
        .narrow(&order)
        .map_err(|errors| refused(&errors, order.addresses()))
}

/// What is deleted and made again: what was asked for, and what it contains.
pub(super) fn replaced(
    asked: &[Address],
    graph: &Graph,
    partial: Option<&Partial>,
) -> Result<BTreeMap<Address, Replaced>, Error> {
    plan::replaced(asked, graph, partial).map_err(|errors| refused(&errors, graph.order().iter()))
}

/// What is recorded of the part.
pub(super) fn part_of(partial: &Partial, recorded: &BTreeMap<Address, Recorded>) -> BTreeMap<Address, Recorded> {
    let kept = recorded.iter().filter(|(address, _)| partial.keeps(address));
    kept.map(|(address, known)| (address.clone(), known.clone())).collect()
}

/// Refuses a plan that would delete something together with what is left out; says in the plan what that is.
pub(super) fn said_in(
    mut plan: Plan,
    partial: Option<Partial>,
    recorded: &BTreeMap<Address, Recorded>,
) -> Result<Plan, Error> {
    if let Some(partial) = &partial {
        partial
            .check(&plan, recorded)
            .map_err(|errors| refused(&errors, recorded.keys()))?;
    }
    plan.partial = partial;
    Ok(plan)
}

fn refused<'a>(errors: &[ScopeError], all: impl Iterator<Item = &'a Address>) -> Error {
    let names = names(all);
    let problem = |error: &ScopeError| {
        let problem = Problem::of(error);
        match error {
            ScopeError::Unknown { pattern, .. } => {
                let pattern = pattern.to_string();
                problem.hint(match closest(&pattern, names.iter().map(String::as_str)) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => {
                        "`stackctl graph` shows every address, `stackctl state list` those that are recorded".to_owned()
                    }
                })
            }
            ScopeError::NothingLeft { .. } => problem.hint("drop one of the two, or name less with `--exclude`"),
            ScopeError::ReplaceLeftOut { address, .. } => problem.hint(format!("add `--target '{address}'`")),
            ScopeError::TakesAlong { contained, .. } => problem.hint(format!("add `--target '{contained}'`")),
        }
    };
    Error::Problems(errors.iter().map(problem).collect())
}

/// Everything that can be named: each address, and each beginning of one.
fn names<'a>(all: impl Iterator<Item = &'a Address>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for address in all {
        let mut name = String::new();
        for segment in address.segments() {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&segment.to_string());
            names.insert(name.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackctl_engine::graph::Graph;

    fn hint(pattern: &str) -> String {
        let all = ["model[qwen3-8b].service", "gpu[l40s].machineset[a]"].map(|text| text.parse().expect("an address"));
        let graph = Graph::of_edges(all, []).expect("no cycle");
        let arguments = ScopeArgs {
            targets: vec![pattern.parse().expect("a pattern")],
            ..ScopeArgs::default()
        };
        match narrow(&arguments, || Order::of_apply(&graph, &BTreeMap::new())) {
            Err(Error::Problems(problems)) => problems[0].hint.clone().unwrap_or_default(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_name_that_names_nothing_is_told_the_closest_one() {
        assert_eq!(hint("model[qwen3-8]"), "did you mean `model[qwen3-8b]`?");
        assert_eq!(hint("gpu[l40s].machine"), "did you mean `gpu[l40s].machineset[a]`?");
        assert_eq!(
            hint("zzz"),
            "`stackctl graph` shows every address, `stackctl state list` those that are recorded"
        );
    }
}
