//! Objects as they were read, for gates to be judged on.

use super::held::Held;
use crate::{
    object_key::{Named, ObjectKey, ObjectRef, ObjectType},
    readiness::Seen,
};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// Objects as they were read, for gates to be judged on.
#[derive(Debug, Default)]
pub struct View {
    /// Asked by key; what is told of all is sorted.
    objects: HashMap<ObjectKey, Arc<Held>>,
}

impl Seen for View {
    fn object(&self, object: &ObjectRef) -> Option<&Value> {
        self.held(object).map(|held| held.value())
    }

    fn objects(&self, object_type: &ObjectType, namespace: Option<&str>) -> Vec<&Value> {
        let is_asked = |key: &ObjectKey| {
            key.kind.kind == object_type.kind
                && key.kind.group == object_type.group()
                && (namespace.is_none() || key.namespace.as_deref() == namespace)
        };
        let mut found: Vec<_> = self.objects.iter().filter(|(key, _)| is_asked(key)).collect();
        found.sort_unstable_by_key(|(key, _)| *key);
        found.into_iter().map(|(_, held)| held.value()).collect()
    }
}

impl View {
    /// Takes what was read; what was read before stays, since it was read in the version that counts.
    pub(super) fn insert(&mut self, (key, held): (ObjectKey, Arc<Held>)) {
        self.objects.entry(key).or_insert(held);
    }

    /// Takes all of a list that was read.
    pub(super) fn extend(&mut self, taken: Vec<Option<(ObjectKey, Arc<Held>)>>) {
        self.objects.reserve(taken.len());
        taken.into_iter().flatten().for_each(|taken| self.insert(taken));
    }

    pub(super) fn held(&self, object: &ObjectRef) -> Option<&Arc<Held>> {
        self.objects.get(object as &dyn Named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object_key::Names;
    use serde_json::json;

    #[test]
    fn objects_of_a_type_are_told_in_the_order_of_their_keys() {
        let mut view = View::default();
        for (kind, namespace, name) in [
            ("ConfigMap", "n", "b"),
            ("ConfigMap", "m", "c"),
            ("ConfigMap", "n", "a"),
            ("Secret", "n", "s"),
        ] {
            let object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"namespace": namespace, "name": name}});
            let held = Arc::new(Held::packed(&object, None));
            view.insert((Names::of(&object).expect("named").key(), held));
        }
        let of = ObjectType::new("v1", "ConfigMap");
        let names = |namespace| {
            let all = view.objects(&of, namespace);
            all.iter()
                .map(|object| object["metadata"]["name"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["c", "a", "b"]);
        assert_eq!(names(Some("n")), ["a", "b"]);
    }
}
