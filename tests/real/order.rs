//! What the audit log has to show; written by hand from the reference, without the engine.

use crate::audit::Entry;
use std::collections::BTreeMap;

/// Nothing that we made was made twice.
#[track_caller]
pub(crate) fn made_once(audit: &[Entry]) {
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for entry in audit.iter().filter(|entry| entry.is_our_write() && entry.created) {
        *made.entry(entry.key()).or_default() += 1;
    }
    let twice: Vec<_> = made.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "made more than once: {twice:?}");
    assert!(audit.is_empty() || made.len() > 50, "{} objects were made", made.len());
}

/// An object and one that has to be there before it, as resource and name: platform §3, serving §2.
const NEEDS: &[([&str; 2], [&str; 2])] = &[
    (
        ["clusterpolicies", "gpu-cluster-policy"],
        ["subscriptions", "gpu-operator-certified"],
    ),
    (["nodefeaturediscoveries", "nfd-instance"], ["subscriptions", "nfd"]),
    (["kuadrants", "kuadrant"], ["subscriptions", "rhcl-operator"]),
    (
        ["leaderworkersetoperators", "cluster"],
        ["subscriptions", "leader-worker-set"],
    ),
    (
        ["datascienceclusters", "default-dsc"],
        ["subscriptions", "rhods-operator"],
    ),
    (
        ["datascienceclusters", "default-dsc"],
        ["dscinitializations", "default-dsci"],
    ),
    (["subscriptions", "rhods-operator"], ["subscriptions", "rhcl-operator"]),
    (
        ["llminferenceservices", "qwen3-8b"],
        ["datascienceclusters", "default-dsc"],
    ),
    (
        ["llminferenceservices", "qwen3-8b"],
        ["gateways", "maas-default-gateway"],
    ),
    (["tenants", "default-tenant"], ["gateways", "maas-default-gateway"]),
    (["tenants", "default-tenant"], ["secrets", "maas-db-config"]),
    (["maasmodelrefs", "qwen3-8b"], ["llminferenceservices", "qwen3-8b"]),
    (["maassubscriptions", "pro-subscription"], ["maasmodelrefs", "qwen3-8b"]),
];

#[track_caller]
pub(crate) fn made_after_what_it_needs(audit: &[Entry]) {
    if audit.is_empty() {
        return;
    }
    let first = |[kind, name]: [&str; 2]| {
        let entry = audit.iter().find(|entry| entry.is_our_write() && entry.is(kind, name));
        entry
            .unwrap_or_else(|| panic!("{kind} {name} was never written"))
            .time
            .clone()
    };
    for (object, needed) in NEEDS {
        assert!(
            first(*needed) < first(*object),
            "{object:?} was written before {needed:?}"
        );
    }
}

/// An operand and the Subscription of the operator that clears its finalizers: platform §6.
const OPERANDS: &[([&str; 2], &str)] = &[
    (["clusterpolicies", "gpu-cluster-policy"], "gpu-operator-certified"),
    (["nodefeaturediscoveries", "nfd-instance"], "nfd"),
    (["kuadrants", "kuadrant"], "rhcl-operator"),
    (["datascienceclusters", "default-dsc"], "rhods-operator"),
    (["llminferenceservices", "qwen3-8b"], "rhods-operator"),
];

#[track_caller]
pub(crate) fn operators_outlive_operands(audit: &[Entry]) {
    if audit.is_empty() {
        return;
    }
    let deleted = |kind: &str, name: &str| {
        let mut entries = audit.iter().rev();
        let entry = entries.find(|entry| entry.is_our_write() && entry.verb == "delete" && entry.is(kind, name));
        entry
            .unwrap_or_else(|| panic!("{kind} {name} was not deleted"))
            .time
            .clone()
    };
    for ([kind, name], operator) in OPERANDS {
        assert!(
            deleted(kind, name) < deleted("subscriptions", operator),
            "{operator} went before {kind} {name}"
        );
    }
}
