//! From a parsed stack and facts to resources in their graph.

use super::{cluster::Cluster, load};
use crate::{
    error::{Error, Problem},
    facts,
    files::Files,
};
use miette::Diagnostic;
use stackctl_engine::{
    Address, Resource,
    facts::Facts,
    graph::{Graph, GraphError},
    moves::Moves,
};
use stackctl_stacks::{
    Stack, cluster_facts, components,
    manifests::{self, FileLine, ManifestsNotice},
};
use std::collections::BTreeMap;

/// What a stack comes to on a cluster.
#[derive(Debug)]
pub(super) struct Desired {
    /// What was known of the cluster.
    pub(super) facts: Facts,
    /// The resources.
    pub(super) resources: Vec<Resource>,
    /// Their order.
    pub(super) graph: Graph,
    /// What became of addresses that are desired no more.
    pub(super) moves: Moves,
    /// What people are told about their manifests.
    pub(super) notices: Vec<ManifestsNotice>,
    /// Where in the files of the stack each resource is written, as far as it is one of a person's own.
    pub(super) places: BTreeMap<Address, FileLine>,
}

/// Reads facts and compiles with them.
pub(super) async fn desired(
    cluster: &Cluster,
    stack: &Stack,
    known: Option<&Facts>,
    refresh: bool,
    parallelism: usize,
) -> Result<Desired, Error> {
    let wanted = cluster_facts::wanted(stack);
    let facts = facts::read(&cluster.provider, &wanted, known, refresh, parallelism).await?;
    compiled(stack, facts)
}

/// Compiles with facts that are there already.
pub(super) fn compiled(stack: &Stack, facts: Facts) -> Result<Desired, Error> {
    compiled_of(&Files::HERE, stack, facts)
}

/// Compiles a version with facts that are there already.
pub(super) fn compiled_of(version: &Files, stack: &Stack, facts: Facts) -> Result<Desired, Error> {
    let mut resources = components::compile(stack, &facts).map_err(|errors| refused(&errors))?;
    let sets = load::manifests_of(version, stack)?;
    let mut own = manifests::resources(&sets, &resources).map_err(|errors| refused(&errors))?;
    stack.keep(&mut own.resources);
    resources.extend(own.resources);
    resources.sort_by(|a, b| a.address.cmp(&b.address));
    let is_ours = stack.manifests.is_empty();
    let graph = Graph::new(&resources)
        .map_err(|errors| Error::Problems(errors.iter().map(|error| graph_problem(error, is_ours)).collect()))?;
    Ok(Desired {
        facts,
        resources,
        graph,
        moves: stack.moves.clone(),
        notices: own.notices,
        places: own.places,
    })
}

/// Why a stack cannot be compiled here.
pub(super) fn refused<E: Diagnostic + 'static>(errors: &[E]) -> Error {
    let problem = |error: &E| {
        let mut problem = Problem::of(error);
        problem.hint = error.help().map(|help| help.to_string());
        problem.code = error.code().map(|code| code.to_string());
        problem
    };
    Error::Problems(errors.iter().map(problem).collect())
}

fn graph_problem(error: &GraphError, only_the_catalogue: bool) -> Problem {
    Problem::of(error).hint(if only_the_catalogue {
        "the catalogue is at fault here, not the stack: report it with the stack file"
    } else {
        "change the edges of the manifests: `depends_on`, and the annotations that order objects, as sync waves and depends-on"
    })
}
