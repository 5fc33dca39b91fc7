//! Every object that a survey looks at.
//!
//! Invariant: objects that we made are listed by our label, one list for each kind and namespace that holds some of them;
//! what is named alone is read alone. An object is read in one version: the one that the stack writes it in, and where that
//! is not served yet, the one that it was recorded in.

use super::{SurveyError, SurveyRequest, View, beside, same::Reading};
use crate::{
    execute::{Provider, ProviderError, Selector},
    late::LateSource,
    object_key::{ObjectKey, ObjectRef, ObjectType},
    readiness::{Seen as _, Target},
    recorded::{Recorded, RecordedNode},
};
use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeMap, BTreeSet};

/// From how many objects of one kind and namespace on a list is read instead of each.
const WORTH_A_LIST: usize = 4;

/// A kind, a namespace (or all), and labels that must be equal.
type Family = (ObjectType, Option<String>, BTreeMap<String, String>);

/// Reads all that a plan needs, each object judged as it comes.
pub(super) async fn everything<P: Provider>(
    provider: &P,
    request: &SurveyRequest<'_>,
    reading: &Reading<'_>,
    width: usize,
) -> Result<View, SurveyError> {
    let mut reader = Reader {
        provider,
        reading,
        width,
        view: View::default(),
    };
    reader.list_all(own(request, reading)).await?;
    let named = named(request, reading, &reader.view);
    reader.get_all(named).await?;
    let unserved = in_older_versions(request, reading, &reader.view);
    reader.get_all(unserved).await?;
    // Links name their object only once the holder is read.
    let linked = linked(request, &reader.view);
    reader.get_all(linked).await?;
    reader.list_all(families(request)).await?;
    Ok(reader.view)
}

/// Objects that we made, by our label.
fn own(request: &SurveyRequest<'_>, reading: &Reading<'_>) -> BTreeSet<Family> {
    let mut groups: BTreeMap<(&ObjectType, Option<&str>), usize> = BTreeMap::new();
    for recorded in request.recorded.values() {
        if let RecordedNode::Object(object) = &recorded.node {
            let of = reading.version_of(&object.object);
            *groups.entry((&of.object_type, of.namespace.as_deref())).or_default() += 1;
        }
    }
    groups
        .into_iter()
        .filter(|(_, members)| *members >= WORTH_A_LIST)
        .map(|((of, namespace), _)| (of.clone(), namespace.map(str::to_owned), request.identity.label()))
        .collect()
}

/// Every object that is known by name and not read yet: desired, recorded, observed, or holding a late value.
fn named(request: &SurveyRequest<'_>, reading: &Reading<'_>, view: &View) -> Vec<ObjectRef> {
    let mut named: BTreeMap<ObjectKey, ObjectRef> = BTreeMap::new();
    let mut wants = |object: &ObjectRef| {
        if view.held(object).is_none() {
            let object = reading.version_of(object);
            named.entry(object.key()).or_insert_with(|| object.clone());
        }
    };
    for object in request.recorded.values().filter_map(Recorded::object) {
        wants(&object.object);
    }
    for resource in request.resources {
        resource.object().into_iter().for_each(&mut wants);
        for observation in beside(resource) {
            match &observation.target {
                Target::Named(object) => wants(object),
                Target::Linked { from, .. } => wants(from),
                Target::Copied { to, from, .. } => [to, from].into_iter().for_each(&mut wants),
                Target::Every { .. } | Target::Some { .. } | Target::Prefixed { .. } => {}
            }
        }
        for source in resource.late_sources() {
            match source {
                LateSource::Object { object, .. } => wants(object),
                LateSource::Generated { unless_exists, .. } => unless_exists.iter().for_each(&mut wants),
                LateSource::Template { .. } | LateSource::Input(_) => {}
            }
        }
    }
    named.into_values().collect()
}

/// What is recorded in another version than the stack writes it in, and was not found in that one.
fn in_older_versions(request: &SurveyRequest<'_>, reading: &Reading<'_>, view: &View) -> Vec<ObjectRef> {
    let recorded = request.recorded.values().filter_map(Recorded::object);
    let older = recorded
        .map(|known| &known.object)
        .filter(|object| reading.version_of(object) != *object && view.held(object).is_none());
    older.cloned().collect()
}

/// What is named by a field of another object.
fn linked(request: &SurveyRequest<'_>, view: &View) -> Vec<ObjectRef> {
    let mut linked = BTreeSet::new();
    for observation in request.resources.iter().flat_map(beside) {
        if let Target::Linked { from, at, of } = &observation.target
            && let Some(name) = view.object(from).and_then(|holder| at.get(holder)?.as_str())
        {
            linked.insert(ObjectRef {
                object_type: of.clone(),
                namespace: from.namespace.clone(),
                name: name.to_owned(),
            });
        }
    }
    linked
        .into_iter()
        .filter(|object| view.held(object).is_none())
        .collect()
}

/// Families that gates look at: by label in their namespace.
fn families(request: &SurveyRequest<'_>) -> BTreeSet<Family> {
    let mut families = BTreeSet::new();
    for observation in request.resources.iter().flat_map(beside) {
        match &observation.target {
            Target::Every {
                of, namespace, labels, ..
            }
            | Target::Some {
                of, namespace, labels, ..
            } => {
                families.insert((of.clone(), namespace.clone(), labels.clone()));
            }
            Target::Prefixed { of, namespace, .. } => {
                families.insert((of.clone(), Some(namespace.clone()), BTreeMap::new()));
            }
            Target::Named(_) | Target::Linked { .. } | Target::Copied { .. } => {}
        }
    }
    families
}

/// What reads, and what was read so far.
struct Reader<'a, P> {
    provider: &'a P,
    reading: &'a Reading<'a>,
    width: usize,
    view: View,
}

impl<P: Provider> Reader<'_, P> {
    async fn get_all(&mut self, named: Vec<ObjectRef>) -> Result<(), SurveyError> {
        let provider = self.provider;
        let mut answers = stream::iter(named)
            .map(|object| async move {
                let answer = provider.get(&object).await;
                (object, answer)
            })
            .buffer_unordered(self.width);
        while let Some((object, answer)) = answers.next().await {
            match answer {
                Ok(Some(live)) => {
                    if let Some(taken) = self.reading.take(live) {
                        self.view.insert(taken);
                    }
                }
                Ok(None) | Err(ProviderError::KindNotServed(_) | ProviderError::NotFound) => {}
                Err(cause) => {
                    return Err(SurveyError {
                        object: object.to_string(),
                        cause,
                    });
                }
            }
        }
        Ok(())
    }

    async fn list_all(&mut self, families: BTreeSet<Family>) -> Result<(), SurveyError> {
        let (provider, reading) = (self.provider, self.reading);
        let mut answers = stream::iter(families)
            .map(|(of, namespace, labels)| async move {
                let selector = Selector { labels };
                let answer = provider.list_as(&of, namespace.as_deref(), &selector, |object| reading.take(object));
                let answer = answer.await;
                (of, answer)
            })
            .buffer_unordered(self.width);
        while let Some((of, answer)) = answers.next().await {
            match answer {
                Ok(objects) => self.view.extend(objects),
                Err(ProviderError::KindNotServed(_)) => {}
                Err(cause) => {
                    return Err(SurveyError {
                        object: of.to_string(),
                        cause,
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        address::Address,
        digest::Digest,
        manifest::Manifest,
        marks::Identity,
        packed::Packed,
        recorded::{Origin, RecordedDestroy, RecordedObject},
        resource::{Node, Object, Resource},
    };
    use serde_json::json;
    use std::sync::Arc;

    fn scaler(api_version: &str, name: &str) -> ObjectRef {
        ObjectRef::namespaced(api_version, "HorizontalPodAutoscaler", "n", name)
    }

    fn recorded(address: &Address, object: ObjectRef) -> Recorded {
        Recorded {
            address: address.clone(),
            node: RecordedNode::Object(RecordedObject {
                object,
                uid: "u".to_owned(),
                origin: Origin::Created,
                manager: "m".to_owned(),
                sent: Digest::of_bytes(b""),
                manifest: Packed::default(),
                fields: Arc::default(),
                sensitive: BTreeSet::new(),
                key_id: None,
                owned: None,
            }),
            edges: Vec::new(),
            destroy: RecordedDestroy::default(),
        }
    }

    #[test]
    fn an_object_is_read_in_the_version_that_the_stack_writes_and_else_in_that_of_its_record() {
        let names = ["a", "b", "c", "d"];
        let address = |name: &str| format!("x.{name}").parse::<Address>().expect("an address");
        let desired = |name: &&str| {
            let manifest = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": name, "namespace": "n"}});
            Resource::new(address(name), Node::Object(Object::new(Manifest::written(manifest))))
        };
        let resources: Vec<_> = names.iter().map(desired).collect();
        let known = |name: &&str| (address(name), recorded(&address(name), scaler("autoscaling/v1", name)));
        let identity = Identity {
            stack: "s".to_owned(),
            lineage: "l".to_owned(),
        };
        let request = SurveyRequest {
            resources: &resources,
            recorded: &names.iter().map(known).collect(),
            identity: &identity,
            key: None,
            parallelism: 1,
        };
        let (reading, mut view) = (Reading::new(&request), View::default());
        let all = |version: &str| names.map(|name| scaler(version, name)).to_vec();
        let of: Vec<_> = own(&request, &reading)
            .into_iter()
            .map(|(of, ..)| of.api_version)
            .collect();
        assert_eq!(of, ["autoscaling/v2"]);
        assert_eq!(named(&request, &reading, &view), all("autoscaling/v2"));
        assert_eq!(in_older_versions(&request, &reading, &view), all("autoscaling/v1"));

        let live = |version: &str| {
            json!({"apiVersion": version, "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": "a", "namespace": "n", "uid": "u"}})
        };
        for version in ["autoscaling/v2", "autoscaling/v1"] {
            view.insert(reading.take(live(version)).expect("it is named"));
        }
        assert_eq!(named(&request, &reading, &view).len(), 3);
        assert_eq!(in_older_versions(&request, &reading, &view).len(), 3);
        let held = view.object(&scaler("autoscaling/v1", "a"));
        assert_eq!(held, Some(&live("autoscaling/v2")));
    }
}
