//! The pods behind addresses of a stack, read from the cluster: what `stacks::pods` says of each object is followed to its
//! end.

use super::{cluster::Cluster, planning};
use crate::error::{Error, Problem};
use serde_json::Value;
use stackctl_engine::{
    Address, ObjectRef, ObjectType, Resource,
    execute::{Provider as _, ProviderError, Selector},
    readiness::{Observation, Target},
    recorded::Recorded,
    resource::Node,
    survey::SurveyError,
};
use stackctl_stacks::pods::{Behind, Part, PodSelector, behind};
use std::collections::{BTreeMap, BTreeSet};

/// So many owners are climbed from a pod: more than any chain of controllers has.
const MOST_OWNERS: usize = 8;

/// Where the search for the pods of one address begins.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    /// The address.
    pub(super) address: Address,
    /// What it writes, or looks at.
    targets: Vec<Target>,
}

/// A pod that was found.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    /// The pod.
    pub(super) live: Value,
    /// The container that a person means, where it is known by the kind.
    pub(super) container: Option<&'static str>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The pods, by namespace and name.
    pub(super) pods: BTreeMap<(String, String), Pod>,
    /// Where pods of them would be.
    pub(super) namespaces: BTreeSet<String>,
    /// Addresses without a pod, and why.
    pub(super) without: Vec<(Address, String)>,
}

impl Roots {
    /// Of a resource of the stack: its object, or what it looks at where it writes none.
    pub(super) fn of_resource(resource: &Resource) -> Self {
        let observed = |observations: &[Observation]| observations.iter().map(|one| one.target.clone()).collect();
        let targets = match (&resource.node, resource.object()) {
            (_, Some(object)) => vec![Target::Named(object.clone())],
            (Node::Gate(gate), None) => observed(&gate.observations),
            (Node::Action(action), None) => observed(&action.goal),
            (Node::Check(check), None) => observed(&check.observations),
            (Node::Object(_) | Node::Overlay(_), None) => Vec::new(),
        };
        Self {
            address: resource.address.clone(),
            targets,
        }
    }

    /// Of what is recorded.
    pub(super) fn of_record(known: &Recorded) -> Self {
        Self {
            address: known.address.clone(),
            targets: known
                .object()
                .map(|object| Target::Named(object.object.clone()))
                .into_iter()
                .collect(),
        }
    }

    /// Whether something of its kind may run pods.
    pub(super) fn may_have_pods(&self) -> bool {
        self.targets.iter().any(|target| match target {
            Target::Named(object) => {
                let mut known = serde_json::json!({"apiVersion": object.object_type.api_version, "kind": object.object_type.kind,
                    "metadata": {"namespace": object.namespace, "name": object.name}});
                // A workload without a selector would have none.
                known["spec"]["selector"]["matchLabels"]["any"] = Value::from("any");
                !matches!(behind(&known, Part::Workload), Behind::Nowhere | Behind::Anywhere | Behind::Owned)
            }
            Target::Linked { of, .. } => of.kind == "ClusterServiceVersion",
            Target::Every { of, .. } | Target::Some { of, .. } | Target::Prefixed { of, .. } => of.kind == "Pod",
            Target::Copied { .. } => false,
        })
    }
}

/// Finds the pods behind some addresses.
///
/// # Errors
/// When the cluster does not answer, or forbids a read that is needed.
pub(super) async fn find(cluster: &Cluster, all: &[Roots], part: Part) -> Result<Found, Error> {
    let mut search = Search {
        cluster,
        part,
        found: Found::default(),
        pods_of: BTreeMap::new(),
        owners: BTreeMap::new(),
    };
    for roots in all {
        search.one(roots).await?;
    }
    Ok(search.found)
}

struct Search<'a> {
    cluster: &'a Cluster,
    part: Part,
    found: Found,
    /// The pods of a namespace, once they were all read.
    pods_of: BTreeMap<String, Vec<Value>>,
    /// Objects that own something, once they were read.
    owners: BTreeMap<ObjectRef, Option<Value>>,
}

impl Search<'_> {
    async fn one(&mut self, roots: &Roots) -> Result<(), Error> {
        let (mut todo, mut seen, mut why) = (Vec::new(), BTreeSet::new(), Vec::new());
        for target in &roots.targets {
            let found = self.targeted(target).await?;
            if found.is_empty() {
                why.push(missing(target));
            }
            todo.extend(found);
        }
        let before = self.found.pods.len();
        let mut is_known = false;
        while let Some(live) = todo.pop() {
            if !seen.insert(name_of(&live)) {
                continue;
            }
            let namespace = live["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
            let pods = match behind(&live, self.part) {
                Behind::Itself => vec![(live.clone(), None)],
                Behind::Selected(selector) => self.selected(&namespace, &selector).await?,
                Behind::Owned => self.owned(&namespace, &live).await?,
                Behind::Objects(objects) => {
                    for object in objects {
                        match self.get(&object).await? {
                            Some(live) => todo.push(live),
                            None => why.push(format!("{object} is not there")),
                        }
                    }
                    continue;
                }
                Behind::OwnedObjects(of) => {
                    let all = self.list(&of, Some(&namespace), BTreeMap::new()).await?;
                    todo.extend(
                        all.into_iter()
                            .filter(|one| owner_uids(one).any(|uid| uid == uid_of(&live))),
                    );
                    continue;
                }
                Behind::Nowhere => {
                    why.push(format!("{} runs no pods", name_of(&live)));
                    continue;
                }
                Behind::Anywhere => {
                    let name = name_of(&live);
                    why.push(format!(
                        "{name} belongs to the whole cluster, and nothing says where its pods are"
                    ));
                    continue;
                }
                Behind::NotYet(what) => {
                    why.push(what);
                    continue;
                }
            };
            self.found.namespaces.extend([namespace]);
            if pods.is_empty() {
                why.push(format!("{} has no pods now", name_of(&live)));
            }
            for (live, container) in pods {
                let text = |key: &str| live["metadata"][key].as_str().unwrap_or_default().to_owned();
                is_known = true;
                let key = (text("namespace"), text("name"));
                self.found.pods.entry(key).or_insert(Pod { live, container });
            }
        }
        if self.found.pods.len() == before && !is_known {
            why.dedup();
            let why = match why.is_empty() {
                true => "it only waits, for what runs nothing".to_owned(),
                false => why.join("; "),
            };
            self.found.without.push((roots.address.clone(), why));
        }
        Ok(())
    }

    /// The live objects of a target.
    async fn targeted(&mut self, target: &Target) -> Result<Vec<Value>, Error> {
        Ok(match target {
            Target::Named(object) => self.get(object).await?.into_iter().collect(),
            Target::Linked { from, at, of } => {
                let holder = self.get(from).await?;
                let named = holder.as_ref().and_then(|holder| at.get(holder)?.as_str());
                match named.filter(|name| !name.is_empty()) {
                    Some(name) => {
                        let linked = ObjectRef {
                            object_type: of.clone(),
                            namespace: from.namespace.clone(),
                            name: name.to_owned(),
                        };
                        self.get(&linked).await?.into_iter().collect()
                    }
                    None => Vec::new(),
                }
            }
            Target::Every {
                of, namespace, labels, ..
            }
            | Target::Some {
                of, namespace, labels, ..
            } => self.list(of, namespace.as_deref(), labels.clone()).await?,
            Target::Prefixed {
                of,
                namespace,
                prefixes,
                unless_labelled,
            } => {
                let all = self.list(of, Some(namespace), BTreeMap::new()).await?;
                let begins = |one: &Value| {
                    let name = one["metadata"]["name"].as_str().unwrap_or_default();
                    let is_ruled_out = unless_labelled
                        .as_ref()
                        .is_some_and(|label| one["metadata"]["labels"].get(label).is_some());
                    !is_ruled_out && prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
                };
                all.into_iter().filter(begins).collect()
            }
            Target::Copied { .. } => Vec::new(),
        })
    }

    async fn selected(
        &mut self,
        namespace: &str,
        selector: &PodSelector,
    ) -> Result<Vec<(Value, Option<&'static str>)>, Error> {
        let pods = self.list(&pod(), Some(namespace), selector.labels.clone()).await?;
        let admitted = pods.into_iter().filter(|pod| selector.admits(pod));
        Ok(admitted.map(|pod| (pod, selector.container)).collect())
    }

    /// The pods of a namespace whose owners lead to an object.
    async fn owned(&mut self, namespace: &str, owner: &Value) -> Result<Vec<(Value, Option<&'static str>)>, Error> {
        if !self.pods_of.contains_key(namespace) {
            let pods = self.list(&pod(), Some(namespace), BTreeMap::new()).await?;
            self.pods_of.insert(namespace.to_owned(), pods);
        }
        let pods = self.pods_of.get(namespace).cloned().unwrap_or_default();
        let mut owned = Vec::new();
        for pod in pods {
            if self.leads_to(&pod, uid_of(owner)).await? {
                owned.push((pod, None));
            }
        }
        Ok(owned)
    }

    async fn leads_to(&mut self, pod: &Value, uid: &str) -> Result<bool, Error> {
        let namespace = pod["metadata"]["namespace"].as_str();
        let mut at = pod.clone();
        for _ in 0..MOST_OWNERS {
            if owner_uids(&at).any(|owner| owner == uid) {
                return Ok(true);
            }
            let owners = at["metadata"]["ownerReferences"].as_array().into_iter().flatten();
            let Some(next) = owners.into_iter().find(|one| one["controller"] == true).cloned() else {
                return Ok(false);
            };
            let text = |key: &str| next[key].as_str().unwrap_or_default().to_owned();
            let owner = ObjectRef {
                object_type: ObjectType::new(&text("apiVersion"), &text("kind")),
                namespace: namespace.map(str::to_owned),
                name: text("name"),
            };
            let Some(live) = self.owner(&owner).await else {
                return Ok(false);
            };
            at = live;
        }
        Ok(false)
    }

    /// An owner; one that is gone, of the whole cluster, or that may not be read, ends the climb.
    async fn owner(&mut self, owner: &ObjectRef) -> Option<Value> {
        if let Some(known) = self.owners.get(owner) {
            return known.clone();
        }
        let live = self.cluster.provider.get(owner).await.ok().flatten();
        self.owners.insert(owner.clone(), live.clone());
        live
    }

    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, Error> {
        let answer = self.cluster.provider.get(object).await;
        answer.map_err(|cause| unread(object.to_string(), cause))
    }

    async fn list(
        &self,
        of: &ObjectType,
        namespace: Option<&str>,
        labels: BTreeMap<String, String>,
    ) -> Result<Vec<Value>, Error> {
        let answer = self.cluster.provider.list(of, namespace, &Selector { labels }).await;
        answer.map_err(|cause| unread(format!("{} objects", of.kind), cause))
    }
}

/// The type of pods.
pub(super) fn pod() -> ObjectType {
    ObjectType::new("v1", "Pod")
}

fn unread(object: String, cause: ProviderError) -> Error {
    planning::unread(&SurveyError { object, cause }).into()
}

/// Why a target has no object.
fn missing(target: &Target) -> String {
    match target {
        Target::Named(object) => format!("{object} is not there"),
        Target::Linked { from, of, .. } => format!("{from} names no {} yet", of.kind),
        Target::Every { of, .. } | Target::Some { of, .. } | Target::Prefixed { of, .. } => {
            format!("no {} of it is there", of.kind)
        }
        Target::Copied { to, .. } => format!("{to} runs no pods"),
    }
}

fn uid_of(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

fn owner_uids(object: &Value) -> impl Iterator<Item = &str> {
    let owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    owners.filter_map(|owner| owner["uid"].as_str())
}

fn name_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// What to do when nothing has a pod.
pub(super) fn nowhere(found: &Found, all: &[Roots]) -> Error {
    let asked: Vec<_> = found
        .without
        .iter()
        .map(|(address, _)| format!("`{address}`"))
        .collect();
    let problem = match asked.as_slice() {
        [one] => Problem::new(format!("{one} has no pods")),
        many => Problem::new(format!("none of {} addresses has pods", many.len())),
    };
    const MOST: usize = 5;
    let mut problem = found
        .without
        .iter()
        .take(MOST)
        .fold(problem, |problem, (address, why)| {
            problem.because(if asked.len() == 1 {
                why.clone()
            } else {
                format!("{address}: {why}")
            })
        });
    if asked.len() > MOST {
        problem = problem.because(format!("and {} more", asked.len() - MOST));
    }
    let is_asked = |address: &Address| found.without.iter().any(|(one, _)| one == address);
    let components: BTreeSet<_> = found.without.iter().map(|(address, _)| address.component()).collect();
    let (mut beside, mut may_wait) = (Vec::new(), false);
    for roots in all.iter().filter(|roots| roots.may_have_pods()) {
        match is_asked(&roots.address) {
            true => may_wait = true,
            false if components.contains(roots.address.component()) => beside.push(format!("`{}`", roots.address)),
            false => {}
        }
    }
    beside.truncate(MOST);
    problem
        .hint(match (may_wait, beside.is_empty()) {
            (true, _) => "`stackctl status` says what it waits for".to_owned(),
            (false, false) => format!("these may have some: {}", beside.join(", ")),
            (false, true) => "name what runs something, or how it begins: `model[qwen3-8b]`, `maas`".to_owned(),
        })
        .into()
}
