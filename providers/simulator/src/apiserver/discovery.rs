//! Discovery: which groups, versions and kinds are served, in the older form and in the aggregated one
//! (<https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>).

use http::HeaderMap;
use http::header::ACCEPT;
use serde_json::{Value, json};

use super::access::reviews;
use super::kinds::{Kind, Kinds, Version};

/// The content type of the aggregated form.
pub(super) const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Whether the aggregated form is asked for, and is the first choice.
pub(super) fn wants_aggregated(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept.split(',').next().is_some_and(|first| {
        let has = |part: &str| first.split(';').any(|found| found.trim() == part);
        has("as=APIGroupDiscoveryList") && has("v=v2")
    })
}

const VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
const SUBRESOURCE_VERBS: [&str; 3] = ["get", "patch", "update"];

fn subresources(kind: &Kind, version: &Version) -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let own = json!({ "group": kind.group, "version": version.name, "kind": kind.kind });
    let mut found = Vec::new();
    if version.has_status {
        found.push(("status", own.clone(), SUBRESOURCE_VERBS.to_vec()));
    }
    if version.scale.is_some() {
        found.push((
            "scale",
            json!({"group": "autoscaling", "version": "v1", "kind": "Scale"}),
            SUBRESOURCE_VERBS.to_vec(),
        ));
    }
    if !kind.group.is_empty() {
        return found;
    }
    let options = |name: &str| json!({"group": "", "version": "v1", "kind": name});
    let of = |group: &str, kind: &str| json!({"group": group, "version": "v1", "kind": kind});
    let any = || vec!["create", "delete", "get", "patch", "update"];
    match kind.kind.as_str() {
        "Namespace" => found.push(("finalize", own, vec!["update"])),
        "Pod" => found.extend([
            ("attach", options("PodAttachOptions"), vec!["create", "get"]),
            ("binding", options("Binding"), vec!["create"]),
            ("eviction", of("policy", "Eviction"), vec!["create"]),
            ("exec", options("PodExecOptions"), vec!["create", "get"]),
            ("log", own, vec!["get"]),
            ("portforward", options("PodPortForwardOptions"), vec!["create", "get"]),
            ("proxy", options("PodProxyOptions"), any()),
        ]),
        "Service" => found.push(("proxy", options("ServiceProxyOptions"), any())),
        "ServiceAccount" => found.push(("token", of("authentication.k8s.io", "TokenRequest"), vec!["create"])),
        _ => {}
    }
    found.sort_by_key(|(name, ..)| *name);
    found
}

/// The verbs of a kind. A collection of namespaces is not deleted at once.
fn verbs(kind: &Kind) -> Vec<&'static str> {
    let is_namespace = kind.group.is_empty() && kind.kind == "Namespace";
    VERBS
        .into_iter()
        .filter(|verb| !(is_namespace && *verb == "deletecollection"))
        .collect()
}

fn served<'a>(kinds: &'a Kinds, group: &'a str, version: &'a str) -> impl Iterator<Item = (&'a Kind, &'a Version)> {
    kinds
        .all()
        .filter(move |kind| kind.group == group)
        .filter_map(move |kind| {
            kind.version(version)
                .filter(|version| version.is_served)
                .map(|version| (&**kind, version))
        })
}

/// `/api`, `/apis` in the aggregated form.
pub(super) fn aggregated(kinds: &Kinds, core: bool) -> Value {
    let groups = if core { vec![String::new()] } else { kinds.groups() };
    let mut items: Vec<Value> = groups.iter().map(|group| aggregated_group(kinds, group)).collect();
    if !core {
        items.extend(reviews::aggregated_groups());
    }
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn aggregated_group(kinds: &Kinds, group: &str) -> Value {
    let versions: Vec<Value> = kinds
        .versions_of(group)
        .iter()
        .map(|name| {
            let resources: Vec<Value> = served(kinds, group, name)
                .map(|(kind, version)| aggregated_resource(kind, version))
                .collect();
            json!({ "version": name, "resources": resources, "freshness": "Current" })
        })
        .collect();
    json!({ "metadata": { "name": group, "creationTimestamp": null }, "versions": versions })
}

fn aggregated_resource(kind: &Kind, version: &Version) -> Value {
    let mut resource = json!({
        "resource": kind.plural,
        "responseKind": { "group": kind.group, "version": version.name, "kind": kind.kind },
        "scope": if kind.is_namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": verbs(kind),
    });
    if !kind.short_names.is_empty() {
        resource["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        resource["categories"] = json!(kind.categories);
    }
    let below: Vec<Value> = subresources(kind, version)
        .into_iter()
        .map(|(name, response, verbs)| json!({ "subresource": name, "responseKind": response, "verbs": verbs }))
        .collect();
    if !below.is_empty() {
        resource["subresources"] = json!(below);
    }
    resource
}

/// `/api` in the older form.
pub(super) fn core_versions(address: &str) -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]})
}

/// `/apis` in the older form.
pub(super) fn groups(kinds: &Kinds) -> Value {
    let mut groups: Vec<Value> = kinds.groups().iter().filter_map(|name| group(kinds, name)).collect();
    groups.extend(reviews::GROUPS.iter().filter_map(|(name, ..)| group(kinds, name)));
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// `/apis/<group>`.
pub(super) fn group(kinds: &Kinds, name: &str) -> Option<Value> {
    let mut names = kinds.versions_of(name);
    if names.is_empty() && reviews::GROUPS.iter().any(|(group, ..)| *group == name) {
        names.push("v1".to_owned());
    }
    let versions: Vec<Value> = names
        .iter()
        .map(|version| json!({ "groupVersion": format!("{name}/{version}"), "version": version }))
        .collect();
    let preferred = versions.first()?.clone();
    Some(
        json!({"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions, "preferredVersion": preferred}),
    )
}

/// `/api/v1`, `/apis/<group>/<version>`.
pub(super) fn resources(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let mut resources = Vec::new();
    for (kind, version) in served(kinds, group, version) {
        let mut resource = json!({"name": kind.plural, "singularName": kind.singular, "namespaced": kind.is_namespaced,
            "kind": kind.kind, "verbs": verbs(kind)});
        if !kind.short_names.is_empty() {
            resource["shortNames"] = json!(kind.short_names);
        }
        if !kind.categories.is_empty() {
            resource["categories"] = json!(kind.categories);
        }
        resources.push(resource);
        for (name, response, verbs) in subresources(kind, version) {
            let mut below = json!({"name": format!("{}/{name}", kind.plural), "singularName": "",
                "namespaced": kind.is_namespaced, "kind": response["kind"], "verbs": verbs});
            if ["scale", "eviction", "token"].contains(&name) {
                below["group"] = response["group"].clone();
                below["version"] = response["version"].clone();
            }
            resources.push(below);
        }
    }
    if version == "v1" {
        resources.extend(reviews::resources(group));
    }
    if resources.is_empty() {
        return None;
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    Some(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}))
}
