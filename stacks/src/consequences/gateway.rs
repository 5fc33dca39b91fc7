//! Gateway: its host, its certificate, and whose routes it takes.
//!
//! Facts: `reference/serving.md` §1.1, §1.6 (listeners, allowed namespaces), §5.1 M2 (`NotAllowedByListeners`).

use super::{
    words::{disruption, listed, made_again},
    world::{Side, World, items, texts},
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};
use std::collections::BTreeSet;

/// The label that every namespace has, with its own name.
const NAME: &str = "kubernetes.io/metadata.name";

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let name = &transition.object.name;
    let Some(before) = &transition.before else {
        return Vec::new();
    };
    let Some(after) = &transition.after else {
        let hosts = in_words(&world.hosts(before, Side::Before));
        return vec![disruption(format!(
            "deletes gateway {name}: every URL below {hosts} ends"
        ))];
    };
    let mut told = Vec::new();
    if transition.is_made_again() {
        told.push(disruption(format!(
            "{}: every URL below {} fails until it is programmed",
            made_again(&format!("gateway {name}")),
            in_words(&world.hosts(before, Side::Before))
        )));
    }
    let (old, new) = (world.hosts(before, Side::Before), world.hosts(after, Side::After));
    if old != new {
        told.push(disruption(format!(
            "moves gateway {name} from {} to {}: every URL below the old host ends",
            in_words(&old),
            in_words(&new)
        )));
    }
    let (old, new) = (certificates(before), certificates(after));
    if old != new && !old.is_empty() && !new.is_empty() {
        told.push(disruption(format!(
            "presents the certificate of Secret {} instead of {} on gateway {name}: clients have to trust who issued it",
            listed(&Vec::from_iter(new)),
            listed(&Vec::from_iter(old))
        )));
    }
    told.extend(detached(name, &Admitted::of(before), &Admitted::of(after)));
    told
}

/// A listener without a host name takes every one.
fn in_words(hosts: &[String]) -> String {
    if hosts.is_empty() {
        "any host".to_owned()
    } else {
        listed(hosts)
    }
}

fn certificates(gateway: &Value) -> BTreeSet<&str> {
    let listeners = items(&gateway["spec"]["listeners"]);
    let references = listeners.flat_map(|listener| items(&listener["tls"]["certificateRefs"]));
    references.filter_map(|reference| reference["name"].as_str()).collect()
}

/// Whose routes a gateway takes on its first listener.
#[derive(Debug, PartialEq)]
enum Admitted<'a> {
    /// Everybody's.
    All,
    /// Those of these namespaces.
    Named(BTreeSet<&'a str>),
    /// As some other rule says.
    Other,
}

impl<'a> Admitted<'a> {
    fn of(gateway: &'a Value) -> Self {
        let namespaces = &gateway["spec"]["listeners"][0]["allowedRoutes"]["namespaces"];
        match namespaces["from"].as_str() {
            Some("All") => Self::All,
            Some("Selector") => {
                let mut expressions = items(&namespaces["selector"]["matchExpressions"]);
                let by_name = expressions.find(|one| one["key"] == NAME && one["operator"] == "In");
                by_name.map_or(Self::Other, |one| Self::Named(texts(&one["values"])))
            }
            _ => Self::Other,
        }
    }
}

fn detached(name: &str, before: &Admitted<'_>, after: &Admitted<'_>) -> Option<Consequence> {
    match (before, after) {
        (Admitted::Named(old), Admitted::Named(new)) => {
            let gone: Vec<_> = old.difference(new).collect();
            let noun = if gone.len() == 1 { "namespace" } else { "namespaces" };
            (!gone.is_empty()).then(|| {
                disruption(format!(
                    "takes no more routes of {noun} {} on gateway {name}: what is served there gets 404",
                    listed(&gone)
                ))
            })
        }
        (Admitted::All, Admitted::Named(new)) => {
            let new: Vec<_> = new.iter().collect();
            Some(disruption(format!(
                "takes only routes of namespaces {} on gateway {name}: those of others get 404",
                listed(&new)
            )))
        }
        (Admitted::Named(_) | Admitted::All | Admitted::Other, Admitted::All | Admitted::Other)
        | (Admitted::Other, Admitted::Named(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gateway, gone, made, table, turned, with};
    use serde_json::{Value, json};

    fn maas(namespaces: &[&str]) -> Value {
        let selector = json!({"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces},
        ]});
        let allowed = json!({"namespaces": {"from": "Selector", "selector": selector}});
        with(
            gateway("maas", "maas.example.com"),
            "spec.listeners[0].allowedRoutes",
            allowed,
        )
    }

    #[test]
    fn hosts_certificates_and_namespaces_that_change_are_told() {
        let certificate = |name: &str| {
            let path = "spec.listeners[0].tls.certificateRefs";
            with(
                gateway("own", "a.example.com"),
                path,
                json!([{"kind": "Secret", "name": name}]),
            )
        };
        let plain = || {
            with(
                gateway("own", "a.example.com"),
                "spec.listeners[0].protocol",
                json!("HTTP"),
            )
        };
        let route = |termination: &str| {
            json!({
                "apiVersion": "route.openshift.io/v1",
                "kind": "Route",
                "metadata": {"name": "own", "namespace": "openshift-ingress"},
                "spec": {"host": "a.example.com", "tls": {"termination": termination}},
            })
        };
        let cases = [
            (
                "another host",
                vec![turned(gateway("own", "a.example.com"), gateway("own", "b.example.com"))],
            ),
            (
                "another certificate",
                vec![turned(certificate("ingress-certs"), certificate("router-certs"))],
            ),
            (
                "a namespace less",
                vec![turned(maas(&["a", "b", "c"]), maas(&["a", "c"]))],
            ),
            (
                "two namespaces less",
                vec![turned(maas(&["a", "b", "c"]), maas(&["a"]))],
            ),
            ("a namespace more", vec![turned(maas(&["a"]), maas(&["a", "b"]))]),
            (
                "chosen instead of all",
                vec![turned(gateway("maas", "maas.example.com"), maas(&["a", "b"]))],
            ),
            (
                "plain behind a Route",
                vec![
                    turned(gateway("own", "a.example.com"), plain()),
                    turned(route("passthrough"), route("edge")),
                ],
            ),
            (
                "plain without a Route",
                vec![turned(gateway("own", "a.example.com"), plain())],
            ),
            ("gone", vec![gone(gateway("own", "a.example.com"))]),
            ("made", vec![made(maas(&["a"]))]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # another host
        disruption: moves gateway own from https://a.example.com to https://b.example.com: every URL below the old host ends
        # another certificate
        disruption: presents the certificate of Secret router-certs instead of ingress-certs on gateway own: clients have to trust who issued it
        # a namespace less
        disruption: takes no more routes of namespace b on gateway maas: what is served there gets 404
        # two namespaces less
        disruption: takes no more routes of namespaces b and c on gateway maas: what is served there gets 404
        # a namespace more
        nothing
        # chosen instead of all
        disruption: takes only routes of namespaces a and b on gateway maas: those of others get 404
        # plain behind a Route
        nothing
        # plain without a Route
        disruption: moves gateway own from https://a.example.com to http://a.example.com: every URL below the old host ends
        # gone
        disruption: deletes gateway own: every URL below https://a.example.com ends
        # made
        nothing
        "#);
    }
}
