//! Users that log in with a password: their lines in the document that the cluster's identity provider reads.
//!
//! Everybody else's lines stay. A line is compared by verifying it against the password, so that a fresh salt is no
//! difference (`reference/serving.md` §1.14, §5.3 I1 and I2). What a change of lines means is told where consequences are,
//! since it is another thing for a line that comes, changes or goes.

use super::symptoms;
use crate::{
    components::{
        Context,
        draft::{Draft, at, keyed, seconds, see},
        secret,
    },
    stack::Maas,
};
use serde_json::Value;
use stackctl_engine::{
    FieldPath, ObjectRef,
    document::htpasswd::User,
    readiness::Rule,
    resource::{Document, DocumentCodec},
};

pub(super) fn resources(context: &Context<'_>, maas: &Maas) -> Vec<Draft> {
    let Some(name) = context
        .facts
        .htpasswd_secret
        .as_deref()
        .filter(|_| !maas.users.is_empty())
    else {
        return Vec::new();
    };
    let mut waits = Vec::new();
    let mut lines = Vec::new();
    for user in &maas.users {
        // The language admits no name that a line cannot hold.
        let Ok(who) = User::new(user.name.as_str()) else {
            continue;
        };
        let address = keyed(&[("maas", ""), ("password-source", user.name.as_str())]);
        let (password, gate) = secret::source(&user.password, address.clone());
        waits.extend(gate.map(|gate| (address, gate)));
        lines.push(Document {
            at: FieldPath::of("data.htpasswd"),
            codec: DocumentCodec::Htpasswd { user: who, password },
        });
    }
    let names: Vec<_> = maas.users.iter().map(|user| user.name.as_str()).collect();
    let document = ObjectRef::namespaced("v1", "Secret", "openshift-config", name);
    let mut node = Draft::overlay(at("maas.users"), document, Value::Null)
        .with_overlay(|overlay| overlay.documents = lines)
        .note(names.join(", "));
    for gate in &waits {
        node = node.after(gate.0.clone(), "the password is in that Secret");
    }
    let logins = ObjectRef::cluster("config.openshift.io/v1", "ClusterOperator", "authentication");
    let is = |kind: &str, status: &str| Rule::Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
    };
    let restarted = Rule::All(vec![is("Available", "True"), is("Progressing", "False")]);
    let gate = Draft::gate(at("maas.logins"), vec![see(logins, restarted)])
        .after(at("maas.users"), "the login pods restart with the new document")
        .within(seconds(300))
        // `reference/serving.md` §0.4: OAuth restarts within about 30 s.
        .usually(seconds(30))
        // It takes a moment until the operator has seen the document.
        .settled(seconds(10))
        .diagnosed(symptoms::logins())
        .note("waits for ClusterOperator authentication");
    waits.into_iter().map(|(_, gate)| gate).chain([node, gate]).collect()
}
