//! Definitions: one that goes takes every object of its kind along, whoever made it.
//!
//! In: the steps of a plan, and how many objects of each kind there are ([`definitions`] says of which kinds to ask). Out:
//! one sentence for each.
//!
//! Fact: the API server deletes all objects of a kind before its CustomResourceDefinition
//! (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#delete-a-customresourcedefinition>).

use super::{words::data_loss, world::Kind};
use serde_json::Value;
use stackctl_engine::{
    Address,
    object_key::ObjectType,
    plan::{Action, Transition},
    resource::Consequence,
};

/// A definition that a plan deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The resource.
    pub address: Address,
    /// The kind, in a version that is served.
    pub kind: ObjectType,
}

/// The objects of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instances {
    /// Those that are recorded of the stack.
    pub ours: usize,
    /// All others.
    pub others: usize,
}

/// The definitions that a plan deletes, also to make them again.
pub fn definitions(transitions: &[Transition]) -> Vec<Definition> {
    let goes = transitions
        .iter()
        .filter(|step| Kind::DEFINITION.is_of(&step.object) && matches!(step.action, Action::Delete | Action::Replace));
    goes.filter_map(|step| {
        Some(Definition {
            address: step.address.clone(),
            kind: kind(step.before.as_ref()?)?,
        })
    })
    .collect()
}

/// The kind that a definition brings, in its first version that is served.
fn kind(definition: &Value) -> Option<ObjectType> {
    let spec = &definition["spec"];
    let mut versions = spec["versions"].as_array()?.iter();
    let version = versions.find(|version| version["served"] == true)?["name"].as_str()?;
    let group = spec["group"].as_str()?;
    Some(ObjectType::new(
        &format!("{group}/{version}"),
        spec["names"]["kind"].as_str()?,
    ))
}

/// What goes with a definition; nothing where there are no objects of its kind. `None` for what could not be counted.
pub fn with_definition(definition: &Definition, instances: Option<Instances>) -> Option<Consequence> {
    let kind = &definition.kind.kind;
    let all = match instances {
        None => "how many there are, and whose, could not be read".to_owned(),
        Some(Instances { ours: 0, others: 0 }) => return None,
        Some(Instances { ours, others: 0 }) => format!("{}, all of this stack", counted(ours)),
        Some(Instances { ours: 0, others }) => format!("{}, none of this stack", counted(others)),
        Some(Instances { ours, others }) => {
            format!("{}, {others} of them not of this stack", counted(ours + others))
        }
    };
    Some(data_loss(format!("deletes every {kind} with its definition: {all}")))
}

fn counted(count: usize) -> String {
    if count == 1 {
        "1 object".to_owned()
    } else {
        format!("{count} objects")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gone, kept};
    use super::*;
    use serde_json::json;

    fn definition() -> Value {
        let versions = json!([{"name": "v1alpha1", "served": false}, {"name": "v1", "served": true}]);
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
               "metadata": {"name": "widgets.example.com"},
               "spec": {"group": "example.com", "names": {"kind": "Widget"}, "versions": versions}})
    }

    #[test]
    fn a_definition_that_goes_is_found_with_a_version_that_is_served() {
        assert_eq!(definitions(&[kept(definition())]), []);
        let found = definitions(&[gone(definition())]);
        let kinds: Vec<_> = found.into_iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [ObjectType::new("example.com/v1", "Widget")]);
    }

    #[test]
    fn what_goes_with_a_definition_is_counted_by_whose_it_is() {
        let [definition] = <[_; 1]>::try_from(definitions(&[gone(definition())])).expect("one");
        let said = |instances| with_definition(&definition, instances).map(|said| said.text);
        let of = |ours, others| said(Some(Instances { ours, others }));
        assert_eq!(of(0, 0), None);
        let begins = "deletes every Widget with its definition: ";
        for (ours, others, ends) in [
            (1, 0, "1 object, all of this stack"),
            (0, 2, "2 objects, none of this stack"),
            (2, 1, "3 objects, 1 of them not of this stack"),
        ] {
            assert_eq!(of(ours, others), Some(format!("{begins}{ends}")));
        }
        let unread = format!("{begins}how many there are, and whose, could not be read");
        assert_eq!(said(None), Some(unread));
    }
}
