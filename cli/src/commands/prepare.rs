//! From a parsed stack and facts to resources in their graph.
//!
//! Invariant: what of manifests depends on a cluster (whether a kind lies in namespaces, which namespaces there are) is asked
//! of the cluster where there is one, and taken from definitions otherwise; only types and names are asked for.

use super::{cluster::Cluster, definitions, load};
use crate::{
    cli::SchemaArgs,
    error::{Error, Problem},
    facts,
    files::Files,
    settings::Settings,
};
use miette::Diagnostic;
use stackctl_engine::{
    Address, ObjectRef, Resource,
    execute::{Provider as _, ProviderError},
    facts::Facts,
    graph::{Graph, GraphError},
    moves::Moves,
};
use stackctl_stacks::{
    Stack, cluster_facts, components,
    manifests::{self, Beside, Capacity, FileLine, ManifestsNotice, Scopes},
    winners,
};
use std::collections::{BTreeMap, BTreeSet};

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
    /// What was found out about kinds, by which objects were put into namespaces.
    pub(super) scopes: Scopes,
    /// Where in the files of the stack each resource is written, as far as it is one of a person's own.
    pub(super) places: BTreeMap<Address, FileLine>,
}

/// What resources are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// A plan: a namespace that is not there is an error, since its objects could not be applied.
    Plan,
    /// To look at what is there: nothing is said of namespaces.
    Look,
}

/// Which namespaces there are, of those that nothing in the stack makes.
#[derive(Debug, Default)]
struct Namespaces {
    there: BTreeSet<String>,
    missing: BTreeSet<String>,
}

/// Reads facts and compiles with them.
pub(super) async fn desired(
    cluster: &Cluster,
    stack: &Stack,
    known: Option<&Facts>,
    refresh: bool,
    settings: &Settings,
    schema: &SchemaArgs,
    aim: Aim,
) -> Result<Desired, Error> {
    let wanted = cluster_facts::wanted(stack);
    let facts = facts::read(&cluster.provider, &wanted, known, refresh, settings.parallelism).await?;
    on(cluster, stack, facts, settings, schema, aim).await
}

/// The same to look at what is there, with the schemas at hand and without asking again for what is known.
pub(super) async fn for_look(
    cluster: &Cluster,
    stack: &Stack,
    known: Option<&Facts>,
    settings: &Settings,
) -> Result<Desired, Error> {
    desired(
        cluster,
        stack,
        known,
        false,
        settings,
        &SchemaArgs::default(),
        Aim::Look,
    )
    .await
}

/// Compiles with facts that are there already, for a cluster.
pub(super) async fn on(
    cluster: &Cluster,
    stack: &Stack,
    facts: Facts,
    settings: &Settings,
    schema: &SchemaArgs,
    aim: Aim,
) -> Result<Desired, Error> {
    let sets = load::manifests(stack)?;
    let mut files = manifests::read(&sets);
    let catalogue = catalogue(stack, &facts, &files)?;
    let mut scopes = Scopes::new();
    let mut unserved = BTreeSet::new();
    for object_type in files.unplaced(&catalogue) {
        let asked = cluster.provider.is_namespaced(&object_type).await;
        match asked.map_err(|error| facts::unreadable(&format!("what the cluster serves of {object_type}"), &error))? {
            Some(is_namespaced) => {
                scopes.insert(object_type.group_kind(), is_namespaced);
            }
            None => {
                unserved.insert(object_type);
            }
        }
    }
    scopes.extend(definitions::scopes(settings, schema, &unserved)?);
    files.place(&catalogue, &scopes);
    let mut namespaces = Namespaces::default();
    for name in files.unmade(&catalogue) {
        if aim == Aim::Look {
            namespaces.there.insert(name);
            continue;
        }
        match cluster
            .provider
            .get(&ObjectRef::cluster("v1", "Namespace", &name))
            .await
        {
            Ok(Some(_)) => namespaces.there.insert(name),
            Ok(None) => namespaces.missing.insert(name),
            // Who may not look at namespaces is told what is known without.
            Err(ProviderError::Forbidden(_)) => false,
            Err(error) => return Err(facts::unreadable(&format!("Namespace {name}"), &error)),
        };
    }
    finished(stack, facts, catalogue, files, scopes, &namespaces)
}

/// Compiles with facts that are there already, and asks no cluster.
pub(super) fn compiled(
    stack: &Stack,
    facts: Facts,
    settings: &Settings,
    schema: &SchemaArgs,
) -> Result<Desired, Error> {
    compiled_of(&Files::HERE, stack, facts, settings, schema)
}

/// Compiles a version with facts that are there already, and asks no cluster.
pub(super) fn compiled_of(
    version: &Files,
    stack: &Stack,
    facts: Facts,
    settings: &Settings,
    schema: &SchemaArgs,
) -> Result<Desired, Error> {
    let sets = load::manifests_of(version, stack)?;
    let mut files = manifests::read(&sets);
    let catalogue = catalogue(stack, &facts, &files)?;
    let scopes = definitions::scopes(settings, schema, &files.unplaced(&catalogue))?;
    files.place(&catalogue, &scopes);
    finished(stack, facts, catalogue, files, scopes, &Namespaces::default())
}

/// What the stack's own tables come to; what is wrong with them is told beside what is wrong in files of manifests.
fn catalogue(stack: &Stack, facts: &Facts, files: &manifests::Files<'_>) -> Result<Vec<Resource>, Error> {
    components::compile(stack, facts).map_err(|errors| {
        let mut problems = problems(&errors);
        problems.extend(self::problems(files.errors()));
        Error::Problems(problems)
    })
}

fn finished(
    stack: &Stack,
    facts: Facts,
    mut resources: Vec<Resource>,
    files: manifests::Files<'_>,
    mut scopes: Scopes,
    namespaces: &Namespaces,
) -> Result<Desired, Error> {
    for provided in resources.iter().flat_map(|resource| &resource.provides) {
        scopes.insert(provided.kind.clone(), provided.namespaced);
    }
    let mut own = files
        .resources(&Beside {
            catalogue: &resources,
            capacity: capacity(stack),
            allowed: &stack.allow,
            there: &namespaces.there,
            missing: &namespaces.missing,
        })
        .map_err(|errors| refused(&errors))?;
    stack.keep(&mut own.resources);
    resources.extend(own.resources);
    winners::give_way(&mut resources);
    resources.sort_by(|a, b| a.address.cmp(&b.address));
    let is_ours = stack.manifests.is_empty();
    let graph = Graph::new(&resources).map_err(|errors| {
        let problem = |error| graph_problem(error, is_ours, &own.places);
        Error::Problems(errors.iter().map(problem).collect())
    })?;
    Ok(Desired {
        facts,
        resources,
        graph,
        moves: stack.moves.clone(),
        notices: own.notices,
        scopes,
        places: own.places,
    })
}

/// What a stack says of GPUs.
fn capacity(stack: &Stack) -> Capacity<'_> {
    stack
        .openshift
        .as_ref()
        .map_or_else(Capacity::default, |openshift| Capacity {
            pools: &openshift.gpu,
            models: &openshift.models,
        })
}

/// Why a stack cannot be compiled here.
pub(super) fn refused<E: Diagnostic + 'static>(errors: &[E]) -> Error {
    Error::Problems(problems(errors))
}

fn problems<E: Diagnostic + 'static>(errors: &[E]) -> Vec<Problem> {
    let problem = |error: &E| {
        let mut problem = Problem::of(error);
        problem.hint = error.help().map(|help| help.to_string());
        problem.code = error.code().map(|code| code.to_string());
        problem
    };
    errors.iter().map(problem).collect()
}

fn graph_problem(error: &GraphError, only_the_catalogue: bool, places: &BTreeMap<Address, FileLine>) -> Problem {
    let mut problem = Problem::of(error);
    if let GraphError::Cycle(cycle) = error {
        for edge in cycle.edges() {
            if let Some(at) = places.get(&edge.from) {
                problem = problem.because(format!("{} is written at {at}", edge.from));
            }
        }
    }
    problem.hint(if only_the_catalogue {
        "the catalogue is at fault here, not the stack: report it with the stack file"
    } else {
        "change the edges of the manifests: `depends_on`, and the annotations that order objects, as sync waves and depends-on"
    })
}
