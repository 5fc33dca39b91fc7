//! Service Mesh 3, which only the Llama Stack operator uses.
//!
//! OpenShift installs one of its own, by this very name, for the first GatewayClass (`reference/platform.md` §2.15): a
//! Subscription that is there already is not ours.
//!
//! Facts: `reference/platform.md` §2.15, §4 G45.

use super::{
    Context,
    draft::{Draft, at},
    names::OPERATORS,
    olm::{Approval, Catalog, Operator, Pin},
    pipelines,
};
use stackctl_engine::{Address, resource::ConsequenceClass};

/// The gate that its version has succeeded; none when the stack does not ask for it.
pub(super) fn installed(context: &Context<'_>) -> Option<Address> {
    context
        .facts
        .service_mesh
        .is_some()
        .then(|| at("service-mesh.installed"))
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(version) = &context.facts.service_mesh else {
        return Vec::new();
    };
    let operator = Operator {
        component: "service-mesh",
        title: "Service Mesh 3",
        namespace: OPERATORS,
        home: None,
        subscription: "servicemeshoperator3",
        package: "servicemeshoperator3",
        source: Catalog::RedHat,
        channel: version.channel.clone(),
        approval: Approval::AutomaticOr(Pin {
            csv: version.csv.clone(),
            along: &[],
        }),
        config: None,
        kinds: &[],
    };
    operator.nodes(context, |subscription| {
        let subscription = subscription.tells(
            ConsequenceClass::Notice,
            "a mesh newer than the one OpenShift brings leaves GatewayClasses waiting for their controller",
        );
        match pipelines::installed(context) {
            Some(pipelines) => subscription.after(pipelines, "two plans of one namespace may become one"),
            None => subscription,
        }
    })
}
