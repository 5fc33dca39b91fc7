//! Small manifests, and what is told of their changes, for the tests of the rules.

use super::{Keys, consequences};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, Manifest,
    plan::{Action, NodeKind, Transition},
    resource::ConsequenceClass,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// One step: what is there and what will be.
pub(super) fn step(before: Option<Value>, after: Option<Value>) -> Transition {
    let action = match (&before, &after) {
        (None, _) => Action::Create,
        (Some(_), None) => Action::Delete,
        (Some(old), Some(new)) if old == new => Action::NoOp,
        (Some(_), Some(_)) => Action::Update,
    };
    let either = before.clone().or_else(|| after.clone()).expect("something is there");
    let object = Manifest::written(either).object().clone();
    let kind = object.object_type.kind.to_lowercase();
    let address: Address = format!("test.{kind}[\"{}\"]", object.name).parse().expect("an address");
    Transition {
        address,
        node: NodeKind::Object,
        action,
        object,
        before,
        after,
        changed_secrets: BTreeSet::new(),
        logins: BTreeMap::new(),
    }
}

/// It is made.
pub(super) fn made(object: Value) -> Transition {
    step(None, Some(object))
}

/// It stays as it is.
pub(super) fn kept(object: Value) -> Transition {
    step(Some(object.clone()), Some(object))
}

/// It becomes another.
pub(super) fn turned(before: Value, after: Value) -> Transition {
    step(Some(before), Some(after))
}

/// It goes.
pub(super) fn gone(object: Value) -> Transition {
    step(Some(object), None)
}

/// It is deleted, and made again as another or as the same.
pub(super) fn again(before: Value, after: Value) -> Transition {
    Transition {
        action: Action::Replace,
        ..turned(before, after)
    }
}

/// The same as a step on some fields of an object that others own.
pub(super) fn overlay(transition: Transition) -> Transition {
    Transition {
        address: "test.overlay".parse().expect("an address"),
        node: NodeKind::Overlay,
        ..transition
    }
}

/// A case of a table: what it is, and the plan.
pub(super) type Case<'a> = (&'a str, Vec<Transition>);

/// What is told in each case, each line by its class; a line that is told at several addresses stands once.
pub(super) fn table(cases: &[Case<'_>]) -> String {
    table_with(cases, None)
}

/// The same where keys are known.
pub(super) fn table_with(cases: &[Case<'_>], keys: Option<&Keys>) -> String {
    let mut text = String::new();
    for (name, transitions) in cases {
        let _ = writeln!(text, "# {name}");
        let mut all: Vec<_> = consequences(transitions, keys).into_values().flatten().collect();
        all.sort();
        all.dedup();
        if all.is_empty() {
            text.push_str("nothing\n");
        }
        for one in all {
            let _ = writeln!(text, "{}: {}", class(one.class), one.text);
        }
    }
    text
}

fn class(class: ConsequenceClass) -> &'static str {
    match class {
        ConsequenceClass::Approval => "approval",
        ConsequenceClass::Cost => "cost",
        ConsequenceClass::ClusterRights => "cluster-rights",
        ConsequenceClass::TakesFields => "takes-fields",
        ConsequenceClass::DataLoss => "data-loss",
        ConsequenceClass::Disruption => "disruption",
        ConsequenceClass::Access => "access",
        ConsequenceClass::Notice => "notice",
    }
}

/// Keys by subscription and user.
pub(super) fn keys(active: &[(&str, &str)]) -> Keys {
    Keys::of(
        active
            .iter()
            .map(|(subscription, user)| ((*subscription).to_owned(), (*user).to_owned())),
    )
}

/// A model of namespace `demo` that names these gateways and asks callers who they are, or does not.
pub(super) fn model(name: &str, gateway: Option<&str>, auth: bool) -> Value {
    let mut router = json!({"route": {}, "scheduler": {}});
    if let Some(gateway) = gateway {
        router["gateway"] = json!({"refs": [{"name": gateway, "namespace": "openshift-ingress"}]});
    }
    json!({
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": {"name": name, "namespace": "demo",
            "annotations": {"security.opendatahub.io/enable-auth": auth.to_string()}},
        "spec": {
            "replicas": 2,
            "model": {"uri": "hf://a/b", "name": "a/b"},
            "router": router,
            "template": {"containers": [{"name": "main", "image": "vllm:1",
                "resources": {"limits": {"cpu": "4", "nvidia.com/gpu": "1"}}}]},
        },
    })
}

/// A model as MaaS knows it.
pub(super) fn reference(name: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "maas.opendatahub.io/v1alpha1",
        "kind": "MaaSModelRef",
        "metadata": {"name": name, "namespace": "demo"},
        "spec": {"modelRef": {"kind": kind, "name": name}},
    })
}

/// A gateway with one host, behind a Route: its settings ask for no load balancer.
pub(super) fn gateway(name: &str, host: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name, "namespace": "openshift-ingress"},
        "spec": {"gatewayClassName": "class", "infrastructure": {"parametersRef": {"name": "settings"}}, "listeners": [{
            "name": "https", "hostname": host, "port": 443, "protocol": "HTTPS",
            "tls": {"certificateRefs": [{"kind": "Secret", "name": "ingress-certs"}]},
            "allowedRoutes": {"namespaces": {"from": "All"}},
        }]},
    })
}

/// A tier: its groups, its priority, and its models with their limits.
pub(super) fn subscription(tier: &str, groups: &[&str], priority: i64, models: &[(&str, &[(u64, &str)])]) -> Value {
    let rate = |(limit, window): &(u64, &str)| json!({"limit": limit, "window": window});
    let model = |(name, rates): &(&str, &[(u64, &str)])| json!({"name": name, "namespace": "demo", "tokenRateLimits": rates.iter().map(rate).collect::<Vec<_>>()});
    json!({
        "apiVersion": "maas.opendatahub.io/v1alpha1",
        "kind": "MaaSSubscription",
        "metadata": {"name": format!("{tier}-subscription"), "namespace": "models-as-a-service"},
        "spec": {
            "priority": priority,
            "owner": {"groups": named(groups)},
            "modelRefs": models.iter().map(model).collect::<Vec<_>>(),
        },
    })
}

/// Who may call which models, beside a tier.
pub(super) fn auth_policy(tier: &str, groups: &[&str], models: &[&str]) -> Value {
    let model = |name: &&str| json!({"name": name, "namespace": "demo"});
    json!({
        "apiVersion": "maas.opendatahub.io/v1alpha1",
        "kind": "MaaSAuthPolicy",
        "metadata": {"name": format!("{tier}-auth-policy"), "namespace": "models-as-a-service"},
        "spec": {
            "subjects": {"groups": named(groups)},
            "modelRefs": models.iter().map(model).collect::<Vec<_>>(),
        },
    })
}

fn named(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({"name": name})).collect()
}

/// A group and who is in it.
pub(super) fn group(name: &str, users: &[&str]) -> Value {
    json!({"apiVersion": "user.openshift.io/v1", "kind": "Group", "metadata": {"name": name}, "users": users})
}

/// A namespace.
pub(super) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// The tenant, and how long its keys may live.
pub(super) fn tenant(days: u64) -> Value {
    json!({
        "apiVersion": "maas.opendatahub.io/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": "default-tenant", "namespace": "models-as-a-service"},
        "spec": {"apiKeys": {"maxExpirationDays": days},
            "gatewayRef": {"name": "maas-default-gateway", "namespace": "openshift-ingress"}},
    })
}

/// OpenShift AI with MaaS on or off.
pub(super) fn instance(maas: &str) -> Value {
    json!({
        "apiVersion": "datasciencecluster.opendatahub.io/v2",
        "kind": "DataScienceCluster",
        "metadata": {"name": "default-dsc"},
        "spec": {"components": {
            "kserve": {"managementState": "Managed", "modelsAsService": {"managementState": maas}},
            "dashboard": {"managementState": "Managed"},
        }},
    })
}

/// The object with a value set at a dotted path.
pub(super) fn with(mut object: Value, path: &str, value: Value) -> Value {
    stackctl_engine::FieldPath::of(path).set(&mut object, value);
    object
}
