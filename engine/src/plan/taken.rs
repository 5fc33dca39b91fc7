//! Fields of others that a plan takes, and from whom: the server names them when it is asked without force.
//!
//! Invariants:
//! - What was recorded is no field of others: somebody took it from us, and that is told as drift.
//! - Whose fields they are is said by the manager that the server names, one sentence for each.

use crate::{
    execute::Cause,
    object_key::ObjectRef,
    recorded::Recorded,
    resource::{Consequence, ConsequenceClass},
    survey::Answer,
};
use std::collections::{BTreeMap, BTreeSet};

/// As many fields of one manager are told by name.
const MOST_NAMED: usize = 5;

/// The causes that are about fields which we never recorded. They are compared as the server writes them.
pub(super) fn of_others<'a>(causes: &'a [Cause], known: Option<&Recorded>) -> Vec<&'a Cause> {
    let recorded: BTreeSet<String> = known
        .and_then(Recorded::object)
        .map(|last| last.fields.iter().map(ToString::to_string).collect())
        .unwrap_or_default();
    causes.iter().filter(|cause| !recorded.contains(&cause.field)).collect()
}

/// Says whose fields of an object are taken, and which.
pub(super) fn told(object: &ObjectRef, known: Option<&Recorded>, answer: &Answer) -> Vec<Consequence> {
    let (Answer::Would { taken, .. } | Answer::Unverified { taken, .. }) = answer else {
        return Vec::new();
    };
    let mut by_manager: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for cause in of_others(taken, known) {
        let fields = by_manager.entry(&cause.manager).or_default();
        fields.insert(cause.field.trim_start_matches('.'));
    }
    let say = |(manager, fields): (&str, BTreeSet<&str>)| Consequence {
        class: ConsequenceClass::TakesFields,
        text: format!("takes {} of {object} from {manager}", named(&fields)),
    };
    by_manager.into_iter().map(say).collect()
}

/// `data.a`, `data.a and data.b`, `data.a, data.b and 4 more`.
fn named(fields: &BTreeSet<&str>) -> String {
    let all: Vec<_> = fields.iter().copied().collect();
    if all.len() > MOST_NAMED {
        let (front, more) = all.split_at(MOST_NAMED);
        return format!("{} and {} more", front.join(", "), more.len());
    }
    match all.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::Packed;
    use serde_json::Value;

    fn cause(manager: &str, field: &str) -> Cause {
        Cause {
            manager: manager.to_owned(),
            field: field.to_owned(),
            message: String::new(),
        }
    }

    #[test]
    fn each_manager_is_named_with_its_fields_and_many_are_counted() {
        let mut taken = vec![cause("b", ".data.z"), cause("a", ".data.y"), cause("b", ".data.x")];
        taken.extend((0..6).map(|number| cause("c", &format!(".spec.f{number}"))));
        let answer = Answer::Would {
            object: Packed::of(&Value::Null),
            created: false,
            taken,
            warnings: Vec::new(),
        };
        let object = ObjectRef::namespaced("v1", "ConfigMap", "n", "one");
        let texts: Vec<_> = told(&object, None, &answer).into_iter().map(|one| one.text).collect();
        assert_eq!(
            texts,
            [
                "takes data.y of ConfigMap n/one from a",
                "takes data.x and data.z of ConfigMap n/one from b",
                "takes spec.f0, spec.f1, spec.f2, spec.f3, spec.f4 and 1 more of ConfigMap n/one from c",
            ]
        );
        assert_eq!(told(&object, None, &Answer::Unchanged), []);
    }
}
