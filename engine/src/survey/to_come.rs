//! What the stack makes, and others of its objects need, that the cluster has not or is about to lose.

use super::{Answer, SurveyRequest, View};
use crate::object_key::{GroupKind, ObjectRef};
use std::collections::BTreeSet;

/// What the stack makes, and others of its objects need, that the cluster has not or is about to lose.
///
/// Asking about an object in a namespace that is not there would only be answered that, and a real server takes its time
/// to say so (its admission looks again after 50 ms). In what is being deleted a server takes writes that go with it
/// (`reference/ssa-semantics.md` finding 11).
#[derive(Debug, Default)]
pub(super) struct ToCome {
    namespaces: BTreeSet<String>,
    kinds: BTreeSet<GroupKind>,
}

impl ToCome {
    pub(super) fn of(request: &SurveyRequest<'_>, view: &View) -> Self {
        let mut to_come = Self::default();
        for resource in request.resources {
            if let Some(object) = resource.object().filter(|object| object.is_namespace())
                && view.held(object).is_none_or(|held| held.is_leaving())
            {
                to_come.namespaces.insert(object.name.clone());
            }
            for provided in &resource.provides {
                let name = format!("{}.{}", provided.plural, provided.kind.group);
                let definition = ObjectRef::cluster("apiextensions.k8s.io/v1", "CustomResourceDefinition", &name);
                if view.held(&definition).is_some_and(|held| held.is_leaving()) {
                    to_come.kinds.insert(provided.kind.clone());
                }
            }
        }
        to_come
    }

    /// Why an object cannot be asked about yet, if it cannot.
    pub(super) fn answer(&self, object: &ObjectRef) -> Option<Answer> {
        if let Some(namespace) = object.namespace.as_ref().filter(|name| self.namespaces.contains(*name)) {
            return Some(Answer::NamespaceToCome(namespace.clone()));
        }
        let kind = &object.object_type;
        let is_to_come = !self.kinds.is_empty() && self.kinds.contains(&kind.group_kind());
        is_to_come.then(|| Answer::KindToCome(kind.clone()))
    }
}
