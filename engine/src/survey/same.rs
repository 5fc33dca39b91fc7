//! What is surely the same, judged of each object as it is read.
//!
//! Invariants:
//! - What is not sure is asked: a verdict rests on the object that was read, what was recorded, and what the stack says.
//! - An object that is surely the same is packed at once; none is opened again to be judged.

use super::{
    SurveyRequest,
    held::{Held, Same},
};
use crate::{
    diff::{drift::drifted_fields, leaves},
    marks::Whose,
    object_key::{Named as _, Names, ObjectKey, ObjectRef, ObjectType},
    ownership::applied_fields,
    readiness::{Seen, judge},
    recorded::{Recorded, RecordedObject},
    resource::{Node, Object, Resource, sent_digest, written_value},
    yields::is_recorded_so,
};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// Judges objects as they are read.
pub(super) struct Reading<'a> {
    request: &'a SurveyRequest<'a>,
    manager: String,
    /// What the stack makes, and what it made.
    known: HashMap<Names<'a>, Known<'a>>,
    /// What it takes fields of.
    overlaid: HashMap<Names<'a>, &'a ObjectRef>,
}

enum Known<'a> {
    Desired(&'a Resource, &'a Object),
    Recorded,
}

impl<'a> Reading<'a> {
    pub(super) fn new(request: &'a SurveyRequest<'a>) -> Self {
        let recorded = request.recorded.values().filter_map(Recorded::object);
        let mut known: HashMap<_, _> = recorded
            .map(|object| (object.object.names(), Known::Recorded))
            .collect();
        known.extend(request.resources.iter().filter_map(|resource| match &resource.node {
            Node::Object(object) => Some((object.manifest.object().names(), Known::Desired(resource, object))),
            Node::Overlay(_) | Node::Gate(_) | Node::Action(_) | Node::Check(_) => None,
        }));
        let overlaid = request.resources.iter().filter_map(|resource| match &resource.node {
            Node::Overlay(overlay) => Some((overlay.target.names(), &overlay.target)),
            Node::Object(_) | Node::Gate(_) | Node::Action(_) | Node::Check(_) => None,
        });
        Self {
            request,
            manager: request.identity.object_manager(),
            overlaid: overlaid.collect(),
            known,
        }
    }

    /// An object in the version in which it is read: the one that the stack writes it in. Of an object that is read in two,
    /// a plan would say now the one and now the other.
    pub(super) fn version_of<'b>(&'b self, object: &'b ObjectRef) -> &'b ObjectRef {
        let names = object.names();
        match self.known.get(&names) {
            Some(Known::Desired(_, desired)) => desired.manifest.object(),
            Some(Known::Recorded) | None => self.overlaid.get(&names).copied().unwrap_or(object),
        }
    }

    /// Takes an object that was read, if it has a kind and a name.
    pub(super) fn take(&self, object: Value) -> Option<(ObjectKey, Arc<Held>)> {
        let names = Names::of(&object)?;
        let key = names.key();
        let held = match self.known.get(&names) {
            Some(Known::Desired(resource, desired)) => match self.same(resource, desired, &object) {
                Some(same) => Held::packed(&object, Some(same)),
                None => Held::open(object),
            },
            // What goes is known by its uid.
            Some(Known::Recorded) => Held::packed(&object, None),
            None => Held::open(object),
        };
        // It is moved from page to list to view.
        Some((key, Arc::new(held)))
    }

    fn same(&self, resource: &Resource, desired: &Object, live: &Value) -> Option<Same> {
        let Self { request, manager, .. } = self;
        let known = request.recorded.get(&resource.address);
        let named = desired.manifest.object();
        let is_fixed = desired.manifest.late().is_empty() && resource.lifecycle.ignore_fields.is_empty();
        let is_the_same = is_fixed
            && request.identity.whose(live, &resource.address, named, known) == Whose::Ours
            && is_surely_the_same(resource, known, Some(live), manager);
        is_the_same.then(|| Same {
            of: resource.address.clone(),
            readiness: desired
                .parts
                .is_empty()
                .then(|| judge(&desired.observations(), &Alone(live))),
        })
    }
}

/// One object, as all that was seen.
struct Alone<'a>(&'a Value);

impl Seen for Alone<'_> {
    fn object(&self, _: &ObjectRef) -> Option<&Value> {
        Some(self.0)
    }

    fn objects(&self, _: &ObjectType, _: Option<&str>) -> Vec<&Value> {
        Vec::new()
    }
}

/// Whether the server would surely answer that nothing changes: what would be sent is what was sent, the object is the
/// one it was sent to, our paths hold what the server answered then, and the server notes the same fields as ours. What
/// is not sure is asked.
pub(super) fn is_surely_the_same(
    resource: &Resource,
    known: Option<&Recorded>,
    live: Option<&Value>,
    manager: &str,
) -> bool {
    let (Some(known), Some(live)) = (known, live) else {
        return false;
    };
    let Some(last) = known.object() else { return false };
    let owned = applied_fields(live, manager);
    owned.is_some()
        && last.owned == owned
        && last.manager == manager
        && live["metadata"]["uid"] == last.uid.as_str()
        && resource.object() == Some(&last.object)
        && last.sent == sent_digest(resource)
        && last.sensitive.is_empty()
        && yields_as_recorded(resource, last, live)
        && drifted_fields(known, live, None).is_empty()
}

/// Whether what the resource leaves to managers that win is what its record leaves to them.
fn yields_as_recorded(resource: &Resource, last: &RecordedObject, live: &Value) -> bool {
    let winners = resource.lifecycle.yields_to;
    winners.is_empty() || is_recorded_so(&leaves(&written_value(resource)), &last.fields, live, winners)
}
