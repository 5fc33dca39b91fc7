//! DataScienceCluster: components of OpenShift AI that are switched off, MaaS among them.
//!
//! Facts: `reference/serving.md` §1.8 (the switch of MaaS), §2.4 (what goes with it).

use super::{
    words::{disruption, made_again},
    world::{World, is_maas_on},
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};
use std::collections::BTreeMap;

/// Where a component says whether it is on.
const STATE: &str = "managementState";
/// The component that is MaaS.
const MAAS: &str = "kserve.modelsAsService";

pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let Some(before) = &transition.before else {
        return Vec::new();
    };
    let mut told = Vec::new();
    if is_maas_on(before) && !transition.after.as_ref().is_some_and(is_maas_on) {
        told.push(disruption(format!(
            "switches MaaS off: maas-api goes, and no API key works at {}",
            world.maas_host()
        )));
    }
    if transition.is_made_again() {
        let keys = if is_maas_on(before) {
            ", and no API key works"
        } else {
            ""
        };
        told.push(disruption(format!(
            "{}: all components of OpenShift AI stop until it is ready again{keys}",
            made_again(&format!("DataScienceCluster {}", transition.object.name))
        )));
    }
    let Some(after) = &transition.after else {
        told.push(disruption(format!(
            "deletes DataScienceCluster {}: all components of OpenShift AI stop",
            transition.object.name
        )));
        return told;
    };
    let states = |manifest| {
        let mut found = BTreeMap::new();
        collect(manifest, "", &mut found);
        found
    };
    let now = states(&after["spec"]["components"]);
    for (component, state) in states(&before["spec"]["components"]) {
        let is_off = now.get(&component).is_none_or(|now| *now == "Removed");
        if state != "Removed" && is_off && component != MAAS {
            told.push(disruption(format!(
                "switches component {component} of OpenShift AI off: what it runs goes"
            )));
        }
    }
    told
}

/// The state of each component, by its dotted path: parts of a component have one of their own.
fn collect<'a>(at: &'a Value, path: &str, found: &mut BTreeMap<String, &'a str>) {
    for (name, value) in at.as_object().into_iter().flatten() {
        match value.as_str() {
            Some(state) if name == STATE => {
                found.insert(path.to_owned(), state);
            }
            _ => {
                let deeper = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect(value, &deeper, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gateway, gone, instance, kept, overlay, table, turned, with};
    use serde_json::json;

    #[test]
    fn what_is_switched_off_is_told() {
        let host = || kept(gateway("maas-default-gateway", "maas.example.com"));
        let off = |path: &str| with(instance("Removed"), path, json!("Removed"));
        let cases = [
            (
                "MaaS off",
                vec![turned(instance("Managed"), instance("Removed")), host()],
            ),
            (
                "MaaS taken out of the stack: its switch is a part of an object that stays",
                vec![
                    kept(instance("Managed")),
                    overlay(turned(instance("Managed"), instance("Removed"))),
                    host(),
                ],
            ),
            (
                "MaaS on",
                vec![turned(instance("Removed"), instance("Managed")), host()],
            ),
            (
                "another component off",
                vec![turned(
                    instance("Removed"),
                    off("spec.components.dashboard.managementState"),
                )],
            ),
            ("all of it gone", vec![gone(instance("Managed")), host()]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # MaaS off
        disruption: switches MaaS off: maas-api goes, and no API key works at https://maas.example.com
        # MaaS taken out of the stack: its switch is a part of an object that stays
        disruption: switches MaaS off: maas-api goes, and no API key works at https://maas.example.com
        # MaaS on
        nothing
        # another component off
        disruption: switches component dashboard of OpenShift AI off: what it runs goes
        # all of it gone
        disruption: deletes DataScienceCluster default-dsc: all components of OpenShift AI stop
        disruption: switches MaaS off: maas-api goes, and no API key works at https://maas.example.com
        "#);
    }
}
