//! Users and their Groups, as OpenShift's API shows them.

use serde_json::{Value, json};

use crate::apiserver::{Identity, ObjectReader, Personal};

/// The Groups that a user is in, by name.
pub(super) fn groups_of(user: &str, objects: &dyn ObjectReader) -> Vec<String> {
    let groups = objects.objects("user.openshift.io", "Group");
    let has_user = |group: &Value| {
        let users = group["users"].as_array();
        users.is_some_and(|users| users.iter().any(|one| one == user))
    };
    let names = groups
        .iter()
        .filter(|group| has_user(group))
        .filter_map(|group| group["metadata"]["name"].as_str());
    names.map(str::to_owned).collect()
}

/// `users/~`: whoever asks, which `oc whoami` and `oc login` read.
pub(super) struct Oneself;

impl Personal for Oneself {
    fn show(
        &self,
        group: &str,
        plural: &str,
        name: &str,
        user: &Identity,
        objects: &dyn ObjectReader,
    ) -> Option<Value> {
        if (group, plural, name) != ("user.openshift.io", "users", "~") {
            return None;
        }
        let stored = objects.object("user.openshift.io", "User", None, &user.user);
        let mut shown = match stored {
            Some(stored) => (*stored).clone(),
            // Accounts and the administrator of the installation have no User.
            None => json!({"metadata": {"name": user.user}, "identities": null}),
        };
        shown["apiVersion"] = json!("user.openshift.io/v1");
        shown["kind"] = json!("User");
        shown["groups"] = json!(user.groups);
        Some(shown)
    }
}
