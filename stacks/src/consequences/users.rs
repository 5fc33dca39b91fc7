//! Users that log in with a password: whose line of the identity provider's text comes, changes or goes.
//!
//! Facts: `reference/serving.md` §1.14, §5.3 I1 and I2.

use super::{
    words::{access, disruption, listed, notice, takes_fields},
    world::World,
};
use stackctl_engine::{
    plan::{LoginChange, Transition},
    resource::Consequence,
};

pub(super) fn consequences(_: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    if transition.logins.is_empty() {
        return Vec::new();
    }
    let users = |wanted: LoginChange| {
        let changed = transition.logins.iter().filter(|(_, change)| **change == wanted);
        let users: Vec<_> = changed.map(|(user, _)| user.as_str()).collect();
        (!users.is_empty()).then(|| (listed(&users), users.len() == 1))
    };
    let object = &transition.object;
    let secret = format!(
        "Secret {}/{}",
        object.namespace.as_deref().unwrap_or_default(),
        object.name
    );
    let mut told = Vec::new();
    if let Some((who, is_one)) = users(LoginChange::Added) {
        let lines = if is_one { "a line" } else { "lines" };
        told.push(takes_fields(format!("adds {lines} to {secret}: {who} can log in")));
    }
    if let Some((who, is_one)) = users(LoginChange::Replaced) {
        let passwords = if is_one { "the password" } else { "the passwords" };
        let old = if is_one {
            "the old one stops"
        } else {
            "the old ones stop"
        };
        told.push(access(format!(
            "changes {passwords} of {who} in {secret}: {old} working"
        )));
    }
    if let Some((who, is_one)) = users(LoginChange::KnownLater) {
        let passwords = if is_one { "the password" } else { "the passwords" };
        told.push(takes_fields(format!(
            "sets {passwords} of {who} in {secret} once known, if not the same"
        )));
    }
    if let Some((who, is_one)) = users(LoginChange::TakenOut) {
        let lines = if is_one { "the line" } else { "the lines" };
        told.push(disruption(format!(
            "takes {lines} of {who} out of {secret}: {who} can no longer log in with a password"
        )));
    }
    told.push(notice("restarts the login pods one by one".to_owned()));
    told
}

#[cfg(test)]
mod tests {
    use super::super::testing::{kept, overlay, table};
    use serde_json::json;
    use stackctl_engine::{
        document::htpasswd::User,
        plan::{Action, LoginChange, Transition},
    };

    fn lines(changes: &[(&str, LoginChange)]) -> Vec<Transition> {
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "htpass-secret", "namespace": "openshift-config"}});
        let user = |name: &str| User::new(name).expect("a name");
        vec![Transition {
            action: Action::Update,
            logins: changes.iter().map(|(name, change)| (user(name), *change)).collect(),
            ..overlay(kept(secret))
        }]
    }

    #[test]
    fn only_those_whose_lines_change_are_named_and_how() {
        use LoginChange::{Added, KnownLater, Replaced, TakenOut};
        let cases = [
            ("one comes", lines(&[("bob", Added)])),
            ("one goes", lines(&[("bob", TakenOut)])),
            ("two go", lines(&[("alice", TakenOut), ("bob", TakenOut)])),
            ("another password", lines(&[("bob", Replaced)])),
            ("a password to come", lines(&[("bob", KnownLater)])),
            (
                "each of them",
                lines(&[
                    ("a", Added),
                    ("b", Added),
                    ("c", Replaced),
                    ("d", Replaced),
                    ("e", TakenOut),
                ]),
            ),
            ("nobody's", lines(&[])),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # one comes
        takes-fields: adds a line to Secret openshift-config/htpass-secret: bob can log in
        notice: restarts the login pods one by one
        # one goes
        disruption: takes the line of bob out of Secret openshift-config/htpass-secret: bob can no longer log in with a password
        notice: restarts the login pods one by one
        # two go
        disruption: takes the lines of alice and bob out of Secret openshift-config/htpass-secret: alice and bob can no longer log in with a password
        notice: restarts the login pods one by one
        # another password
        access: changes the password of bob in Secret openshift-config/htpass-secret: the old one stops working
        notice: restarts the login pods one by one
        # a password to come
        takes-fields: sets the password of bob in Secret openshift-config/htpass-secret once known, if not the same
        notice: restarts the login pods one by one
        # each of them
        takes-fields: adds lines to Secret openshift-config/htpass-secret: a and b can log in
        disruption: takes the line of e out of Secret openshift-config/htpass-secret: e can no longer log in with a password
        access: changes the passwords of c and d in Secret openshift-config/htpass-secret: the old ones stop working
        notice: restarts the login pods one by one
        # nobody's
        nothing
        "#);
    }
}
