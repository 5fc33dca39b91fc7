//! `import`: an object that is there, recorded at an address, so that the next plan sets the stack against it.
//!
//! Invariant: nothing is written to the cluster but its copy of the state. What the stack says otherwise is shown by the
//! next plan, and taken by the next apply; a destroy gives the object back as it found it, but for what was changed. So
//! nothing that this stack has recorded at another address is imported: what it made would count as there before it.

use super::{
    cluster::{Cluster, Use},
    copy::{self, Over},
    known::{Known, problem},
    load, prepare, runtime,
};
use crate::{
    cli::ImportCommand,
    error::{Error, Problem},
    exit::Exit,
    settings::Settings,
    views,
};
use serde_json::Value;
use stackctl_engine::{
    Address, ObjectRef, Resource,
    execute::{Journal as _, Outcome, Provider as _, adopted},
    marks::Whose,
    plan::take_off,
    recorded::{Recorded, RecordedNode},
    resource::Node,
};
use stackctl_stacks::Stack;
use std::collections::BTreeMap;

pub(super) fn run(command: &ImportCommand, settings: &Settings) -> Result<Exit, Error> {
    let (stack, _) = load::stack(settings)?;
    let address = super::state::address(&command.address)?;
    let mut known = Known::read(settings, stack.name.as_str())?;
    let object = runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.context(), Use::Write).await?;
        let object = import(command, settings, &stack, &cluster, &mut known, &address).await;
        cluster.close().await;
        object
    })?;
    views::result(&views::state::imported(&address, &object));
    Ok(Exit::Done)
}

async fn import(
    command: &ImportCommand,
    settings: &Settings,
    stack: &Stack,
    cluster: &Cluster,
    known: &mut Known,
    address: &Address,
) -> Result<ObjectRef, Error> {
    known.check_cluster(cluster)?;
    let lock = known.lock("import")?;
    copy::look(cluster, stack.name.as_str()).await?.check(known)?;
    let facts = known.state.as_ref().map(|state| state.facts());
    let desired = prepare::for_look(cluster, stack, facts, settings).await?;
    let (resource, object) = named(&desired.resources, address, command)?;
    let before = known.begun(cluster)?;
    if before.recorded().contains_key(address) {
        return Err(Problem::new(format!("`{address}` is recorded already"))
            .hint(format!("`stackctl state show '{address}'` shows what is recorded"))
            .into());
    }
    let live = live(cluster, known, resource, object).await?;
    if let Some(elsewhere) = recorded_elsewhere(before.recorded(), object, &live) {
        return Err(Problem::new(format!("{object} is recorded already, at `{elsewhere}`"))
            .because("imported here, what the stack made would count as there before it, and no destroy would delete it")
            .hint(format!(
                "say that the address has another name, with `[[moved]]` and an apply, or at once with `stackctl state mv \
                 '{elsewhere}' '{address}'`; nothing was changed"
            ))
            .into());
    }
    let key = known.backend.key_or_create().map_err(problem)?;
    let edges: Vec<_> = desired.graph.dependencies(address).into_iter().cloned().collect();
    let record =
        adopted(resource, &live, &edges, &known.identity, Some(&key)).ok_or_else(|| no_object(address, resource))?;
    let mut journal = known.backend.journal(before.clone(), &lock).map_err(problem)?;
    journal.record(&Outcome::Recorded(Box::new(record)));
    let state = journal.finish().map_err(problem)?;
    copy::follow(settings, cluster, &lock, &state, Over::Known(&before)).await;
    Ok(object.clone())
}

/// The address at which this very object is recorded. One that somebody made in its place is another one.
fn recorded_elsewhere<'a>(
    recorded: &'a BTreeMap<Address, Recorded>,
    object: &ObjectRef,
    live: &Value,
) -> Option<&'a Address> {
    let is_it = |known: &&Recorded| match &known.node {
        RecordedNode::Object(last) => {
            last.object.is_same_object(object) && live["metadata"]["uid"].as_str() == Some(last.uid.as_str())
        }
        RecordedNode::Overlay { .. } | RecordedNode::Gate | RecordedNode::Action { .. } => false,
    };
    let known = recorded.values().find(is_it)?;
    Some(&known.address)
}

/// The resource of an address, if it makes the object that was named.
fn named<'a>(
    resources: &'a [Resource],
    address: &Address,
    command: &ImportCommand,
) -> Result<(&'a Resource, &'a ObjectRef), Problem> {
    let Some(resource) = resources.iter().find(|resource| resource.address == *address) else {
        return Err(Problem::new(format!("the stack has no `{address}`"))
            .hint("`stackctl graph` lists the addresses of a stack"));
    };
    let Node::Object(object) = &resource.node else {
        return Err(no_object(address, resource));
    };
    let made = object.manifest.object();
    if is_named(made, &command.kind, &command.object) {
        return Ok((resource, made));
    }
    Err(Problem::new(format!(
        "`{address}` makes {made}, not {} {}",
        command.kind, command.object
    ))
    .hint(format!(
        "`stackctl import '{address}' {} {}` imports that one; to keep another name, say it in the stack",
        made.object_type.kind,
        place(made)
    )))
}

fn no_object(address: &Address, resource: &Resource) -> Problem {
    Problem::new(format!("`{address}` makes no object of its own")).hint(match resource.node {
        Node::Overlay(_) => "it takes fields of one that is there: an apply does so without an import",
        _ => "only what makes an object can be imported",
    })
}

/// `Deployment`, `deployment.apps`; `namespace/name`, or a name alone for an object of the whole cluster.
fn is_named(made: &ObjectRef, kind: &str, object: &str) -> bool {
    let (name, group) = kind
        .split_once('.')
        .map_or((kind, None), |(name, group)| (name, Some(group)));
    made.object_type.kind.eq_ignore_ascii_case(name)
        && group.is_none_or(|group| made.object_type.group() == group)
        && place(made) == object
}

fn place(object: &ObjectRef) -> String {
    match &object.namespace {
        Some(namespace) => format!("{namespace}/{}", object.name),
        None => object.name.clone(),
    }
}

/// The object as it is, if it is nobody's.
async fn live(cluster: &Cluster, known: &Known, resource: &Resource, object: &ObjectRef) -> Result<Value, Problem> {
    let live = cluster
        .provider
        .get(object)
        .await
        .map_err(|error| Problem::of(&error))?;
    let Some(live) = live else {
        return Err(Problem::new(format!("there is no {object}")).hint("an apply makes it; nothing is to be imported"));
    };
    match known.identity.whose(&live, &resource.address, object, None) {
        Whose::OtherStack(stack) => Err(Problem::new(format!("{object} belongs to the stack `{stack}`")).hint(
            format!(
                "let it go there first, with `[[removed]]` and an apply; once no stack has it, {}",
                take_off(object)
            ),
        )),
        Whose::Ours | Whose::Foreign => Ok(live),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_by_kind_and_place() {
        let made = ObjectRef::namespaced("apps/v1", "Deployment", "demo", "web");
        for kind in ["Deployment", "deployment", "deployment.apps"] {
            assert!(is_named(&made, kind, "demo/web"), "{kind}");
        }
        for (kind, object) in [
            ("Service", "demo/web"),
            ("deployment.extensions", "demo/web"),
            ("Deployment", "web"),
        ] {
            assert!(!is_named(&made, kind, object), "{kind} {object}");
        }
        assert!(is_named(
            &ObjectRef::cluster("v1", "Namespace", "demo"),
            "namespace",
            "demo"
        ));
    }
}
