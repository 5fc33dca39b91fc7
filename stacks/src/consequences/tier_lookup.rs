//! What a gateway asks for the tier of a caller: a Service of others, which may go from under it.
//!
//! Facts: `reference/serving.md` §1.11 (the AuthPolicy asks `<service>.<namespace>.svc` over HTTP, and limits hold for
//! the tier that it answers).

use super::{
    words::{access, listed},
    world::{Kind, Side, World},
};
use serde_json::Value;
use stackctl_engine::{ObjectRef, plan::Transition, resource::Consequence};

/// A Service that goes, or the Deployment of its name behind it.
pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let object = &transition.object;
    if world.namespace_goes(namespace(object)) {
        // It says so itself.
        return Vec::new();
    }
    told(
        world,
        transition,
        &format!("{} {}/{}", object.object_type.kind, namespace(object), object.name),
        |service, of| service == object.name && of == namespace(object),
    )
}

/// The namespace of the Service goes.
pub(super) fn of_namespace(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let name = &transition.object.name;
    told(world, transition, &format!("namespace {name}"), |_, of| of == name)
}

fn told(
    world: &World<'_>,
    transition: &Transition,
    what: &str,
    is_asked: impl Fn(&str, &str) -> bool,
) -> Vec<Consequence> {
    let is_made_again = transition.is_made_again();
    if transition.after.is_some() && !is_made_again {
        return Vec::new();
    }
    let policies = world.all(Kind::GATEWAY_ACCESS, Side::After);
    let asking = policies.filter(|(_, policy)| asked(policy).any(|(service, of)| is_asked(service, of)));
    let asking: Vec<_> = asking.map(|(object, _)| object.name.as_str()).collect();
    if asking.is_empty() {
        return Vec::new();
    }
    let (again, how_long) = if is_made_again {
        (" and makes it again", " in between")
    } else {
        ("", "")
    };
    vec![access(format!(
        "deletes {what}{again}, which AuthPolicy {} asks for the tier of a caller: calls are turned away or go without \
         limits{how_long}",
        listed(&asking)
    ))]
}

fn namespace(object: &ObjectRef) -> &str {
    object.namespace.as_deref().unwrap_or_default()
}

/// The Services, each with its namespace, that a policy asks about a caller.
fn asked(policy: &Value) -> impl Iterator<Item = (&str, &str)> {
    let spec = &policy["spec"];
    [&spec["rules"], &spec["defaults"]["rules"], &spec["overrides"]["rules"]]
        .into_iter()
        .filter_map(|rules| rules["metadata"].as_object())
        .flatten()
        .filter_map(|(_, asked)| service_of(asked["http"]["url"].as_str()?))
}

/// `name` and `namespace` of `http://name.namespace.svc…`.
fn service_of(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':']).next()?;
    let mut parts = host.split('.');
    let (name, namespace) = (parts.next()?, parts.next()?);
    (parts.next() == Some("svc")).then_some((name, namespace))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gone, kept, namespace, table};
    use super::service_of;
    use serde_json::{Value, json};

    fn of(api_version: &str, kind: &str, name: &str) -> Value {
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "maas-api"}})
    }

    fn policy() -> Value {
        let url = "http://maas-api.maas-api.svc.cluster.local:8080/v1/tiers/lookup";
        json!({
            "apiVersion": "kuadrant.io/v1",
            "kind": "AuthPolicy",
            "metadata": {"name": "gateway-auth-policy", "namespace": "openshift-ingress"},
            "spec": {"rules": {"metadata": {"matchedTier": {"http": {"url": url}}}}},
        })
    }

    #[test]
    fn what_a_gateway_asks_does_not_go_unnoticed() {
        let service = |name: &str| of("v1", "Service", name);
        let cases = [
            ("its Service", vec![gone(service("maas-api")), kept(policy())]),
            (
                "its Deployment",
                vec![gone(of("apps/v1", "Deployment", "maas-api")), kept(policy())],
            ),
            ("its namespace", vec![gone(namespace("maas-api")), kept(policy())]),
            (
                "its Service and its namespace",
                vec![gone(service("maas-api")), gone(namespace("maas-api")), kept(policy())],
            ),
            ("another Service", vec![gone(service("other")), kept(policy())]),
            ("both", vec![gone(service("maas-api")), gone(policy())]),
            ("kept", vec![kept(service("maas-api")), kept(policy())]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # its Service
        access: deletes Service maas-api/maas-api, which AuthPolicy gateway-auth-policy asks for the tier of a caller: calls are turned away or go without limits
        # its Deployment
        access: deletes Deployment maas-api/maas-api, which AuthPolicy gateway-auth-policy asks for the tier of a caller: calls are turned away or go without limits
        # its namespace
        data-loss: deletes everything in namespace maas-api, also what others put there
        access: deletes namespace maas-api, which AuthPolicy gateway-auth-policy asks for the tier of a caller: calls are turned away or go without limits
        # its Service and its namespace
        data-loss: deletes everything in namespace maas-api, also what others put there
        access: deletes namespace maas-api, which AuthPolicy gateway-auth-policy asks for the tier of a caller: calls are turned away or go without limits
        # another Service
        nothing
        # both
        nothing
        # kept
        nothing
        "#);
    }

    #[test]
    fn only_a_host_inside_of_the_cluster_is_a_service() {
        assert_eq!(service_of("http://a.b.svc:80/x"), Some(("a", "b")));
        assert_eq!(service_of("https://a.b.svc.cluster.local"), Some(("a", "b")));
        assert_eq!(service_of("https://a.example.com/b"), None);
        assert_eq!(service_of("a.b.svc"), None);
    }
}
