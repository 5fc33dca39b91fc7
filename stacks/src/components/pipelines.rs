//! OpenShift Pipelines. In the namespace of Connectivity Link, so that its install plan may wait for an approval.
//!
//! Facts: `reference/platform.md` §2.15, §2.7 (last item).

use super::{
    Context,
    draft::{Draft, at},
    names::OPERATORS,
    olm::{Approval, Catalog, Operator, Pin},
};
use stackctl_engine::Address;

/// The gate that its version has succeeded; none when the stack does not ask for it.
pub(super) fn installed(context: &Context<'_>) -> Option<Address> {
    context.stack.operators.pipelines.then(|| at("pipelines.installed"))
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(version) = &context.facts.pipelines else {
        return Vec::new();
    };
    let operator = Operator {
        component: "pipelines",
        title: "Pipelines",
        namespace: OPERATORS,
        home: None,
        subscription: "openshift-pipelines-operator-rh",
        package: "openshift-pipelines-operator-rh",
        source: Catalog::RedHat,
        channel: version.channel.clone(),
        approval: Approval::AutomaticOr(Pin {
            csv: version.csv.clone(),
            along: &[],
        }),
        config: None,
        kinds: &[],
    };
    operator.nodes(context, |subscription| subscription)
}
