//! Definitions: one that goes takes every object of its kind along, whoever made it.
//!
//! In: a definition that a plan deletes, and the objects of its kind. Out: one sentence, or nothing where there are none.

use super::words::data_loss;
use stackctl_engine::{
    plan::{Definition, Instances},
    resource::Consequence,
};

/// What goes with a definition; nothing where there are no objects of its kind. `None` for what could not be counted.
pub fn with_definition(definition: &Definition, instances: Option<&Instances>) -> Option<Consequence> {
    let kind = &definition.kind.kind;
    let whose = |instances: &Instances| (instances.ours, instances.others.len());
    let all = match instances.map(whose) {
        None => "how many there are, and whose, could not be read".to_owned(),
        Some((0, 0)) => return None,
        Some((ours, 0)) => format!("{}, all of this stack", counted(ours)),
        Some((0, others)) => format!("{}, none of this stack", counted(others)),
        Some((ours, others)) => {
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
    use super::*;
    use stackctl_engine::{ObjectRef, object_key::ObjectType};

    #[test]
    fn what_goes_with_a_definition_is_counted_by_whose_it_is() {
        let definition = Definition {
            address: "a.definition".parse().expect("an address"),
            kind: ObjectType::new("example.com/v1", "Widget"),
        };
        let said = |instances: Option<&Instances>| with_definition(&definition, instances).map(|said| said.text);
        let of = |ours, others| {
            let other = ObjectRef::cluster("example.com/v1", "Widget", "theirs");
            said(Some(&Instances {
                ours,
                others: vec![other; others],
            }))
        };
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
