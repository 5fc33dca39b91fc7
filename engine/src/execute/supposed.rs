//! A cluster that nobody asked: as it would be if a stack had just been applied to it, and nothing else happened since.
//!
//! In: what one version of a stack comes to. Out: what would be recorded of it, and a [`Provider`] that answers a survey
//! for another version. So the planner compares two versions as it compares a stack with a cluster.
//!
//! Invariants:
//! - Nothing is asked, drawn or written: equal versions give equal clusters.
//! - An object that others make holds the fields that the stack takes of it, and nothing else that could be known.
//! - Kinds that only the next version brings are still to come; every other kind is served.
//!
//! Deliberately absent: defaults, webhooks and conflicts. What a server would add to both versions is no difference.

use super::{
    ApplyAnswer, ApplyRequest, DeleteRequest, Deletion, PatchRequest, Provider, ProviderError, Selector, WatchEvent,
    record::{Taken, Written, record, record_of_node},
};
use crate::{
    address::Address,
    diff::{expected::expected, leaves},
    digest::Digest,
    field::PathElement,
    graph::Graph,
    late::{Secrets, resolve},
    marks::Identity,
    object_key::{GroupKind, ObjectKey, ObjectRef, ObjectType},
    plan::PlanError,
    recorded::{Origin, Recorded, RecordedNode},
    resource::{Node, Object, Overlay, Resource},
    survey::{Survey, SurveyError, SurveyRequest, observations, survey},
};
use futures_util::{StreamExt as _, stream, stream::BoxStream};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The cluster, and what is recorded of it.
#[derive(Debug, Default)]
pub struct Supposed {
    objects: BTreeMap<ObjectKey, Value>,
    /// What would be recorded.
    pub recorded: BTreeMap<Address, Recorded>,
    /// Kinds that are not served yet.
    to_come: BTreeSet<GroupKind>,
    /// What is as ready as it was: resources that wait for the same in both versions.
    settled: BTreeSet<Address>,
}

impl Supposed {
    /// A cluster that has nothing yet, and will get this.
    pub fn fresh(next: &[Resource]) -> Self {
        Self {
            to_come: provided(next),
            ..Self::default()
        }
    }

    /// The cluster after `applied` was applied and became ready, before `next` is.
    ///
    /// # Errors
    /// What cannot be supposed: late values and shared texts that are no good.
    pub fn after(
        applied: &[Resource],
        graph: &Graph,
        next: &[Resource],
        identity: &Identity,
        secrets: &impl Secrets,
    ) -> Result<Self, Vec<PlanError>> {
        let by_address: BTreeMap<_, _> = applied.iter().map(|resource| (&resource.address, resource)).collect();
        let mut supposed = Self {
            to_come: provided(next).difference(&provided(applied)).cloned().collect(),
            ..Self::default()
        };
        let mut errors = Vec::new();
        for resource in graph.order().iter().filter_map(|address| by_address.get(address)) {
            let made = match &resource.node {
                Node::Object(object) => supposed.object(resource, object, graph, identity, secrets),
                Node::Overlay(overlay) => supposed.overlay(resource, overlay, graph, identity, secrets),
                Node::Gate(_) | Node::Check(_) => Ok(node(resource, RecordedNode::Gate, graph)),
                Node::Action(action) => {
                    let trigger = Digest::of(&action.trigger);
                    Ok(node(resource, RecordedNode::Action { trigger }, graph))
                }
            };
            match made {
                Ok(recorded) => drop(supposed.recorded.insert(resource.address.clone(), recorded)),
                Err(error) => errors.push(error),
            }
        }
        let waits_for_the_same = |resource: &&Resource| {
            let before = by_address.get(&resource.address);
            before.is_some_and(|before| observations(before) == observations(resource))
        };
        let settled = next.iter().filter(waits_for_the_same);
        supposed.settled = settled.map(|resource| resource.address.clone()).collect();
        if errors.is_empty() { Ok(supposed) } else { Err(errors) }
    }

    /// Surveys it. What waits for the same as before is as ready as it was: nobody can look.
    ///
    /// # Errors
    /// None that a cluster in memory has.
    pub async fn survey<S: Secrets>(&self, request: &SurveyRequest<'_>, secrets: &S) -> Result<Survey, SurveyError> {
        Ok(survey(self, request, secrets)
            .await?
            .supposing_ready(self.settled.clone()))
    }

    fn object(
        &mut self,
        resource: &Resource,
        object: &Object,
        graph: &Graph,
        identity: &Identity,
        secrets: &impl Secrets,
    ) -> Result<Recorded, PlanError> {
        let named = object.manifest.object();
        let other = |object: &ObjectRef| self.objects.get(&object.key()).cloned();
        let resolved = resolve(&object.manifest, None, other, secrets, true).map_err(|cause| PlanError::Late {
            address: resource.address.clone(),
            cause: Box::new(cause),
        })?;
        let mut body = resolved.body;
        identity.mark(&mut body, &resource.address, named);
        let manager = identity.object_manager();
        let answer = self.write(named, &body, &manager);
        let written = Written {
            object: named,
            manager: &manager,
            origin: Origin::Created,
            fields: &leaves(&body),
            answer: Some(&answer),
        };
        let edges = edges(graph, &resource.address);
        Ok(record(resource, &written, &edges, None, RecordedNode::Object))
    }

    /// Somebody made its object: the fields are taken there, and given back when the overlay goes.
    fn overlay(
        &mut self,
        resource: &Resource,
        overlay: &Overlay,
        graph: &Graph,
        identity: &Identity,
        secrets: &impl Secrets,
    ) -> Result<Recorded, PlanError> {
        let target = &overlay.target;
        let live = self.there(target);
        let other = |object: &ObjectRef| self.objects.get(&object.key()).cloned();
        let documents = overlay
            .resolve(Some(&live), other, secrets, true)
            .map_err(|cause| PlanError::Late {
                address: resource.address.clone(),
                cause: Box::new(cause),
            })?;
        let body = overlay
            .body(Some(&live), &documents, &[])
            .map_err(|cause| PlanError::Uneditable {
                address: resource.address.clone(),
                object: Box::new(target.clone()),
                cause,
            })?;
        let manager = identity.overlay_manager(&resource.address);
        let taken = Taken::of(resource, overlay, &body, &documents, None, Some(&live), manager.clone());
        let answer = self.write(target, &body, &manager);
        let edges = edges(graph, &resource.address);
        Ok(taken.record(Some(&answer), &taken.written, &edges, None))
    }

    /// The object as it is, or as others would have made it.
    fn there(&self, object: &ObjectRef) -> Value {
        if let Some(there) = self.objects.get(&object.key()) {
            return there.clone();
        }
        let mut made = json!({
            "apiVersion": object.object_type.api_version, "kind": object.object_type.kind,
            "metadata": {"name": object.name, "uid": uid(object)},
        });
        if let Some(namespace) = &object.namespace {
            made["metadata"]["namespace"] = json!(namespace);
        }
        made
    }

    fn write(&mut self, object: &ObjectRef, body: &Value, manager: &str) -> Value {
        let live = self.there(object);
        let mut after = expected(Some(&live), body, manager);
        let entry = json!({
            "manager": manager, "operation": "Apply", "apiVersion": object.object_type.api_version,
            "fieldsV1": noted(body),
        });
        match &mut after["metadata"]["managedFields"] {
            Value::Array(entries) => entries.push(entry),
            none => *none = json!([entry]),
        }
        self.objects.insert(object.key(), after.clone());
        after
    }
}

/// The kinds that resources bring.
fn provided(resources: &[Resource]) -> BTreeSet<GroupKind> {
    let brought = resources.iter().flat_map(|resource| &resource.provides);
    brought.map(|provides| provides.kind.clone()).collect()
}

fn edges(graph: &Graph, address: &Address) -> Vec<crate::graph::Edge> {
    graph.dependencies(address).into_iter().cloned().collect()
}

fn node(resource: &Resource, node: RecordedNode, graph: &Graph) -> Recorded {
    record_of_node(resource, node, &edges(graph, &resource.address)).1
}

fn uid(object: &ObjectRef) -> String {
    format!("supposed-{}", Digest::of_bytes(object.to_string().as_bytes()).short())
}

/// What a server would note as applied with a body: its leaves, and the maps and items above them, which go with the last
/// of their fields (ssa-semantics §3).
fn noted(body: &Value) -> Value {
    let mut set = Value::Object(Map::new());
    for path in leaves(body) {
        let steps = path.elements();
        let mut at = &mut set;
        for (depth, step) in steps.iter().enumerate() {
            let Value::Object(map) = at else { break };
            // A map that holds something of ours is noted itself; `metadata` and its like are everybody's.
            if depth > 1 {
                map.insert(".".to_owned(), json!({}));
            }
            at = map.entry(noted_step(step)).or_insert_with(|| json!({}));
        }
    }
    set
}

fn noted_step(step: &PathElement) -> String {
    match step {
        PathElement::Field(name) => format!("f:{name}"),
        PathElement::Value(value) => format!("v:{value}"),
        PathElement::Index(index) => format!("i:{index}"),
        PathElement::Key(keys) => {
            let value = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
            let keys: Map<String, Value> = keys.iter().map(|(name, text)| (name.clone(), value(text))).collect();
            format!("k:{}", Value::Object(keys))
        }
    }
}

/// What nobody asks of a cluster that is only supposed.
fn only_asked() -> ProviderError {
    ProviderError::Other("there is no cluster".to_owned())
}

impl Provider for Supposed {
    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ProviderError> {
        Ok(self.objects.get(&object.key()).cloned())
    }

    async fn list(
        &self,
        of: &ObjectType,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Vec<Value>, ProviderError> {
        let kind = of.group_kind();
        let is_wanted = |(key, object): &(&ObjectKey, &Value)| {
            let labels = &object["metadata"]["labels"];
            key.kind == kind
                && (namespace.is_none() || key.namespace.as_deref() == namespace)
                && selector
                    .labels
                    .iter()
                    .all(|(name, value)| labels.get(name).is_some_and(|is| is == value.as_str()))
        };
        let objects = self.objects.iter().filter(is_wanted);
        Ok(objects.map(|(_, object)| object.clone()).collect())
    }

    async fn apply(&self, request: &ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        let object_type = &request.object.object_type;
        if self.to_come.contains(&object_type.group_kind()) {
            return Err(ProviderError::KindNotServed(object_type.clone()));
        }
        if !request.dry_run {
            return Err(only_asked());
        }
        let live = self.objects.get(&request.object.key());
        Ok(ApplyAnswer {
            object: expected(live, &request.body, &request.manager),
            created: live.is_none(),
        })
    }

    async fn patch(&self, _: &PatchRequest) -> Result<Value, ProviderError> {
        Err(only_asked())
    }

    async fn delete(&self, _: &DeleteRequest) -> Result<Deletion, ProviderError> {
        Err(only_asked())
    }

    fn watch(&self, _: &ObjectType, _: Option<&str>) -> BoxStream<'static, WatchEvent> {
        stream::pending().boxed()
    }
}
