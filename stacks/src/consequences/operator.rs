//! Subscription of OLM: the operator that it installs is upgraded, replaced by another, or goes.
//!
//! Facts: `reference/platform.md` §2.1 (channels, pins and catalogs); an operator that is uninstalled leaves its operands as
//! they are (<https://olm.operatorframework.io/docs/tasks/uninstall-operator/>); OLM keeps `status.installedCSV` at the head of the channel, or at the pin while approval is manual
//! (<https://olm.operatorframework.io/docs/concepts/crds/subscription/>).

use super::{
    is_part_to_come,
    words::{disruption, listed, notice},
    world::World,
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};

pub(super) fn consequences(_: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let Some(before) = transition.before.as_ref().filter(|_| !is_part_to_come(transition)) else {
        return Vec::new();
    };
    let name = package(before).unwrap_or(&transition.object.name);
    let Some(after) = &transition.after else {
        return vec![disruption(format!(
            "removes operator {name}: nobody looks after what it made any more"
        ))];
    };
    if package(before) != package(after) {
        let new = package(after).unwrap_or("another one");
        return vec![disruption(format!(
            "replaces operator {name} by {new}: what it made is looked after by the new one, or by nobody"
        ))];
    }
    let mut told = Vec::new();
    if transition.is_made_again() {
        told.push(disruption(format!(
            "removes operator {name} and installs it again: nobody looks after what it made in between"
        )));
    }
    match (pin(before), pin(after)) {
        (Some(old), Some(new)) if old != new => told.push(disruption(format!(
            "moves operator {name} from {old} to {new}: its pods restart, and those of what it runs may"
        ))),
        (Some(old), None) => told.push(notice(format!(
            "lets operator {name} go past {old}: it upgrades itself from then on"
        ))),
        (None, Some(new)) => told.push(notice(format!("holds operator {name} at {new}"))),
        (Some(_), Some(_)) | (None, None) => {}
    }
    let moved: Vec<String> = [("channel", "channel"), ("source", "catalog")]
        .into_iter()
        .filter_map(|(field, word)| {
            let text = |side: &Value| side["spec"][field].as_str().unwrap_or("the default").to_owned();
            let (old, new) = (text(before), text(after));
            (old != new).then(|| format!("{word} {old} to {new}"))
        })
        .collect();
    if !moved.is_empty() {
        told.push(disruption(format!(
            "takes operator {name} from {}: it is upgraded to what is current there",
            listed(&moved)
        )));
    }
    told
}

fn package(subscription: &Value) -> Option<&str> {
    subscription["spec"]["name"].as_str()
}

/// The version that it is held at: one that it only starts from says nothing once it is installed.
fn pin(subscription: &Value) -> Option<&str> {
    let spec = &subscription["spec"];
    (spec["installPlanApproval"] == "Manual")
        .then(|| spec["startingCSV"].as_str())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gone, made, table, turned, with};
    use serde_json::{Value, json};

    fn subscription(csv: &str) -> Value {
        json!({
            "apiVersion": "operators.coreos.com/v1alpha1",
            "kind": "Subscription",
            "metadata": {"name": "rhods-operator", "namespace": "redhat-ods-operator"},
            "spec": {"name": "rhods-operator", "channel": "stable-3.x", "source": "redhat-operators",
                "installPlanApproval": "Manual", "startingCSV": csv},
        })
    }

    #[test]
    fn an_operator_that_moves_is_told_with_its_versions() {
        let pinned = || subscription("rhods-operator.3.4.0");
        let free = || with(pinned(), "spec.installPlanApproval", json!("Automatic"));
        let cases = [
            (
                "another pin",
                vec![turned(pinned(), subscription("rhods-operator.3.5.0"))],
            ),
            (
                "another channel",
                vec![turned(free(), with(free(), "spec.channel", json!("beta")))],
            ),
            ("no pin any more", vec![turned(pinned(), free())]),
            ("a pin", vec![turned(free(), pinned())]),
            (
                "another package",
                vec![turned(free(), with(free(), "spec.name", json!("opendatahub-operator")))],
            ),
            ("gone", vec![gone(pinned())]),
            ("made", vec![made(pinned())]),
            (
                "another first version",
                vec![turned(free(), with(free(), "spec.startingCSV", json!("x")))],
            ),
        ];
        insta::assert_snapshot!(table(&cases), @r"
        # another pin
        disruption: moves operator rhods-operator from rhods-operator.3.4.0 to rhods-operator.3.5.0: its pods restart, and those of what it runs may
        # another channel
        disruption: takes operator rhods-operator from channel stable-3.x to beta: it is upgraded to what is current there
        # no pin any more
        notice: lets operator rhods-operator go past rhods-operator.3.4.0: it upgrades itself from then on
        # a pin
        notice: holds operator rhods-operator at rhods-operator.3.4.0
        # another package
        disruption: replaces operator rhods-operator by opendatahub-operator: what it made is looked after by the new one, or by nobody
        # gone
        disruption: removes operator rhods-operator: nobody looks after what it made any more
        # made
        nothing
        # another first version
        nothing
        ");
    }
}
