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
    secrets::SecretSource,
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
    /// Resources that both versions say alike.
    same: BTreeSet<Address>,
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
        for resource in next {
            let Some(before) = by_address.get(&resource.address) else {
                continue;
            };
            if observations(before) == observations(resource) {
                supposed.settled.insert(resource.address.clone());
            }
            if before.node == resource.node && before.lifecycle == resource.lifecycle {
                supposed.same.insert(resource.address.clone());
            }
        }
        if errors.is_empty() { Ok(supposed) } else { Err(errors) }
    }

    /// Surveys it. What waits for the same as before is as ready as it was, and what is said as before stays: nobody can
    /// look, and a late value that is not known in either version is no difference.
    ///
    /// # Errors
    /// None that a cluster in memory has.
    pub async fn survey<S: SecretSource>(
        &self,
        request: &SurveyRequest<'_>,
        secrets: &S,
    ) -> Result<Survey, SurveyError> {
        let survey = survey(self, request, secrets).await?;
        Ok(survey.supposing(&self.same, self.settled.clone()))
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
            warnings: Vec::new(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        late::SecretInput,
        manifest::Manifest,
        plan::{self, Action, FieldChange, Inputs, Plan, Shown},
        readiness::{Observation, Rule, Target},
        resource::{DependsOn, Gate},
    };
    use futures_util::FutureExt as _;

    struct Named;
    impl Secrets for Named {
        fn draw(&self, length: usize) -> String {
            "x".repeat(length)
        }
        fn input(&self, input: &SecretInput) -> Result<String, String> {
            Ok(format!("{input:?}"))
        }
    }

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    fn config(name: &str, data: &Value) -> Resource {
        let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": data});
        let object = Object::new(Manifest::written(manifest));
        Resource::new(address(&format!("c.{name}")), Node::Object(object))
    }

    /// Fields of an object that others make.
    fn overlay(name: &str, spec: &Value) -> Resource {
        let target = ObjectRef::cluster("example.com/v1", "Theirs", "one");
        Resource::new(
            address(&format!("o.{name}")),
            Node::Overlay(Overlay::new(target, json!({"spec": spec}))),
        )
    }

    /// A gate on something that nobody of us makes, below another resource.
    fn gate(name: &str, below: &str) -> Resource {
        let target = Target::Named(ObjectRef::namespaced("apps/v1", "Deployment", "n", "operator"));
        let gate = Gate {
            observations: vec![Observation::new(target, Rule::Exists)],
            settle: std::time::Duration::ZERO,
            remedy: None,
            asks: None,
        };
        let mut resource = Resource::new(address(&format!("g.{name}")), Node::Gate(gate));
        resource.depends_on = vec![DependsOn::ready(address(below), "it says so")];
        resource
    }

    fn between(old: &[Resource], new: &[Resource]) -> Plan {
        let identity = Identity {
            stack: "s".to_owned(),
            lineage: String::new(),
        };
        let graph = |resources: &[Resource]| Graph::new(resources).expect("a graph");
        let before = Supposed::after(old, &graph(old), new, &identity, &Named).expect("supposed");
        let request = SurveyRequest {
            resources: new,
            recorded: &before.recorded,
            identity: &identity,
            key: None,
            parallelism: 1,
        };
        let survey = before
            .survey(&request, &Named)
            .now_or_never()
            .expect("nothing is waited for");
        plan::plan(&Inputs {
            resources: new,
            graph: &graph(new),
            recorded: &before.recorded,
            survey: &survey.expect("surveyed"),
            identity: &identity,
            key: None,
            adopt: false,
            force_conflicts: false,
            replaced: &BTreeMap::new(),
        })
        .expect("planned")
    }

    fn shown(plan: &Plan) -> Vec<String> {
        let value = |value: &Shown| match value {
            Shown::Value(value) => value.to_string(),
            other => format!("{other:?}"),
        };
        let change =
            |change: &FieldChange| format!(" {} {}>{}", change.path, value(&change.before), value(&change.after));
        let steps = plan.steps.iter().filter(|step| step.action != Action::NoOp);
        steps
            .map(|step| {
                let changes: String = step.changes.iter().map(change).collect();
                format!("{} {}{changes}", step.action.code(), step.address)
            })
            .collect()
    }

    #[test]
    fn what_a_version_no_longer_says_goes_and_what_it_says_otherwise_changes() {
        let old = [
            config("a", &json!({"k": "1", "gone": "1"})),
            config("b", &json!({"k": "1"})),
            overlay("kept", &json!({"x": {"y": 1}})),
            overlay("dropped", &json!({"z": 2})),
        ];
        assert_eq!(shown(&between(&old, &old)), [""; 0]);
        let new = [
            config("a", &json!({"k": "2"})),
            config("c", &json!({})),
            overlay("kept", &json!({"x": {"other": 1}})),
        ];
        assert_eq!(
            shown(&between(&old, &new)),
            [
                r#"update c.a .data.gone "1">Absent .data.k "1">"2""#,
                "create c.c .data Absent>{}",
                "update o.kept .spec.x.other Absent>1 .spec.x.y 1>Absent",
                "release o.dropped",
                "delete c.b",
            ]
        );
    }

    #[test]
    fn what_was_waited_for_counts_as_ready_until_something_above_it_is_written() {
        let stack = |k: &str| {
            [
                config("a", &json!({"k": k})),
                config("b", &json!({"k": "1"})),
                gate("ready", "c.a"),
            ]
        };
        let same = between(&stack("1"), &stack("1"));
        assert!(same.steps.iter().all(|step| {
            step.readiness
                .as_ref()
                .is_none_or(crate::readiness::Readiness::is_ready)
        }));
        assert_eq!(same.counts().not_ready, 0);
        let changed = between(&stack("1"), &stack("2"));
        assert_eq!(shown(&changed), [r#"update c.a .data.k "1">"2""#, "wait g.ready"]);
    }

    #[test]
    fn a_kind_that_only_the_next_version_brings_is_still_to_come() {
        let mut brings = config("brings", &json!({}));
        brings.provides.push(crate::resource::Provides {
            kind: GroupKind::new("example.com", "Widget"),
            plural: "widgets".to_owned(),
            namespaced: false,
        });
        let manifest = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}});
        let widget = Resource::new(address("w.w"), Node::Object(Object::new(Manifest::written(manifest))));
        let plan = between(&[], &[brings.clone(), widget.clone()]);
        let reasons = &plan.step(&address("w.w")).expect("a step").reasons;
        assert_eq!(reasons[0], plan::Reason::KindOrNamespaceToCome);
        let later = between(std::slice::from_ref(&brings), &[brings.clone(), widget]);
        assert_eq!(
            later.step(&address("w.w")).expect("a step").reasons[0],
            plan::Reason::Missing
        );
    }
}
