//! From a parsed stack and facts to resources in their graph.

use super::cluster::Cluster;
use crate::{
    error::{Error, Problem},
    facts,
};
use miette::Diagnostic as _;
use stackctl_engine::{
    Resource,
    facts::Facts,
    graph::{Graph, GraphError},
};
use stackctl_stacks::{
    Stack, cluster_facts,
    components::{self, CompileError},
};

/// What a stack comes to on a cluster.
#[derive(Debug)]
pub(super) struct Desired {
    /// What was known of the cluster.
    pub(super) facts: Facts,
    /// The resources.
    pub(super) resources: Vec<Resource>,
    /// Their order.
    pub(super) graph: Graph,
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
    let resources = components::compile(stack, &facts).map_err(|errors| refused(&errors))?;
    let graph = Graph::new(&resources).map_err(|errors| Error::Problems(errors.iter().map(graph_problem).collect()))?;
    Ok(Desired {
        facts,
        resources,
        graph,
    })
}

/// Why a stack cannot be compiled here.
pub(super) fn refused(errors: &[CompileError]) -> Error {
    let problem = |error: &CompileError| match error.help() {
        Some(help) => Problem::of(error).hint(help.to_string()),
        None => Problem::of(error),
    };
    Error::Problems(errors.iter().map(problem).collect())
}

fn graph_problem(error: &GraphError) -> Problem {
    Problem::of(error).hint("the catalogue is at fault here, not the stack: report it with the stack file")
}
