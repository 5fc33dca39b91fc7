//! What may be meant, and is rarely right.
//!
//! Facts: `reference/platform.md` §2.7 and §4 G18, G24, G28 and G45; `reference/serving.md` §5.1 M18 and M22, §5.3 S4.

use super::{Seen, World, gateway, grants, model, monitoring, subscription};
use crate::manifests::{ManifestsNotice, read::Document};

/// What OLM installs an operator by.
pub(super) const OPERATOR: (&str, &str) = ("operators.coreos.com", "Subscription");
/// What a gateway is an instance of.
pub(super) const CLASS: (&str, &str) = ("gateway.networking.k8s.io", "GatewayClass");
/// The package that OpenShift's ingress operator installs by itself.
const MESH: &str = "servicemeshoperator3";
/// The package of Connectivity Link.
const CONNECTIVITY: &str = "rhcl-operator";
/// The label by which Kueue knows its namespaces.
const QUEUED: &str = "kueue.openshift.io/managed";

/// Whether a Subscription waits for people.
pub(super) fn is_manual(subscription: Seen<'_>) -> bool {
    subscription.value["spec"]["installPlanApproval"] == "Manual"
}

/// Looks at one object. Most of it is told beside a stack that has OpenShift AI; elsewhere it is somebody's right.
pub(super) fn check(world: &World<'_>, one: Seen<'_>, at: &Document<'_>, notices: &mut Vec<ManifestsNotice>) {
    if one.kind() == OPERATOR && one.value["spec"]["name"] == CONNECTIVITY && !world.has_kuadrant {
        notices.push(ManifestsNotice::NoKuadrant {
            at: at.at_field("spec.name"),
            object: one.object.to_string(),
        });
    }
    if world.instance.is_none() {
        return;
    }
    monitoring::check(world, one, at, notices);
    if world.has_subscriptions {
        grants_of(world, one, at, notices);
    }
    let object = || one.object.to_string();
    let spec = &one.value["spec"];
    match one.kind() {
        OPERATOR => {
            if let Some(manual) = world.manual.get(one.namespace())
                && !is_manual(one)
            {
                notices.push(ManifestsNotice::AutomaticBesideManual {
                    at: at.at_field("spec.installPlanApproval"),
                    object: object(),
                    manual: manual.place(),
                });
            }
            if let Some(class) = world.class
                && spec["name"] == MESH
            {
                notices.push(ManifestsNotice::OwnMesh {
                    at: at.at_field("spec.name"),
                    object: object(),
                    class: class.place(),
                });
            }
        }
        ("", "Namespace") if one.value["metadata"]["labels"][QUEUED] == "true" && !world.has_kueue => {
            notices.push(ManifestsNotice::NoKueue {
                at: at.at_field(&format!("metadata.labels.{QUEUED}")),
                namespace: one.object.name.clone(),
            });
        }
        model::SERVICE => {
            if one.object.object_type.version() == "v1alpha1" && gateway::has_maas(spec) {
                notices.push(ManifestsNotice::OldVersion {
                    at: at.at_field("apiVersion"),
                    model: object(),
                    version: one.object.object_type.api_version.clone(),
                });
            }
            model::doubts(one, at, notices);
        }
        _ => {}
    }
}

/// What a call through MaaS needs, of which a manifest has one part.
fn grants_of(world: &World<'_>, one: Seen<'_>, at: &Document<'_>, notices: &mut Vec<ManifestsNotice>) {
    match one.kind() {
        subscription::SUBSCRIPTION | subscription::AUTH_POLICY => grants::check(world, one, at, notices),
        model::SERVICE => {
            let model = (one.namespace(), model::SERVICE.1, one.object.name.as_str());
            if gateway::has_maas(&one.value["spec"]) && !world.references.contains_key(&model) {
                notices.push(ManifestsNotice::NotOffered {
                    at: at.at_field("spec.router.gateway.refs"),
                    model: one.object.to_string(),
                });
            }
        }
        _ => {}
    }
}
