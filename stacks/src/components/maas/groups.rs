//! Groups that the stack makes, and users that log in with a password.
//!
//! Facts: `reference/serving.md` §1.14.

use crate::{
    components::draft::{Draft, keyed},
    stack::{Group, Maas, Members},
};
use serde_json::json;
use stackctl_engine::{Address, resource::ConsequenceClass};

/// A group that the stack makes, if it makes that one.
pub(super) fn group(maas: &Maas, name: &str) -> Option<Address> {
    let is_ours = maas.groups.iter().any(|group| group.name.as_str() == name);
    is_ours.then(|| keyed(&[("maas", ""), ("group", name)]))
}

pub(super) fn resources(maas: &Maas) -> Vec<Draft> {
    maas.groups.iter().map(group_object).collect()
}

fn group_object(group: &Group) -> Draft {
    let name = group.name.as_str();
    let mut manifest = json!({"apiVersion": "user.openshift.io/v1", "kind": "Group", "metadata": {"name": name}});
    let address = keyed(&[("maas", ""), ("group", name)]);
    match &group.members {
        Members::Unmanaged => Draft::object(address, manifest).note("who is in it is not ours"),
        Members::Exactly(users) => {
            let users: Vec<_> = users.iter().map(|user| user.as_str()).collect();
            manifest["users"] = json!(users);
            Draft::object(address, manifest)
                .note(format!("exactly {}", users.join(", ")))
                .tells(
                    ConsequenceClass::Notice,
                    format!("decides alone who is in group {name}: {}", users.join(", ")),
                )
        }
    }
}
