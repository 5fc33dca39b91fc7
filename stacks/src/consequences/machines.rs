//! MachineSet: machines that are bought, and machines that go with what runs on them.
//!
//! Facts: `reference/platform.md` §2.9 and §4 G15 (one MachineSet for each zone); a MachineSet keeps as many machines as
//! its replicas say, and those that are there keep their size (OpenShift documentation, Machine management).

use super::{
    is_part_to_come,
    words::{cost, disruption, listed},
    world::{Kind, Side, World},
};
use serde_json::Value;
use stackctl_engine::{FieldPath, plan::Transition, resource::Consequence};
use std::collections::BTreeMap;

/// Said alike by each MachineSet of a size in a region, so that it is read once.
pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    if is_part_to_come(transition) {
        return Vec::new();
    }
    let (before, after) = (transition.before.as_ref(), transition.after.as_ref());
    let Some(machines) = after.or(before).map(Machines::of) else {
        return Vec::new();
    };
    let (had, has) = (count(before), count(after));
    let kind = machines.of_what();
    if has > had {
        let (n, zones) = moved(world, &machines, Side::After);
        return vec![cost(format!("buys {n} × {kind}{zones}"))];
    }
    if has < had {
        let (n, zones) = moved(world, &machines, Side::Before);
        return vec![disruption(format!(
            "deletes {n} × {kind}{zones}: what runs on these machines stops"
        ))];
    }
    Vec::new()
}

/// What machines a MachineSet makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Machines<'a> {
    size: Option<&'a str>,
    region: &'a str,
    zone: &'a str,
}

impl<'a> Machines<'a> {
    fn of(set: &'a Value) -> Self {
        let provider = &set["spec"]["template"]["spec"]["providerSpec"]["value"];
        let placement = &provider["placement"];
        let region = placement["region"].as_str().unwrap_or_default();
        let zone = placement["availabilityZone"].as_str().unwrap_or_default();
        Self {
            size: provider["instanceType"].as_str(),
            region,
            zone: zone.strip_prefix(region).unwrap_or(zone),
        }
    }

    fn of_what(&self) -> String {
        let size = self.size.unwrap_or("a machine");
        if self.region.is_empty() {
            size.to_owned()
        } else {
            format!("{size} in {}", self.region)
        }
    }
}

/// How many machines of a size in a region are more on this side than on the other, and in which zones.
fn moved(world: &World<'_>, like: &Machines<'_>, side: Side) -> (u64, String) {
    let other = match side {
        Side::Before => Side::After,
        Side::After => Side::Before,
    };
    let counts: BTreeMap<_, _> = world
        .all(Kind::MACHINE_SET, other)
        .map(|(object, set)| (object.key(), count(Some(set))))
        .collect();
    let mut total = 0;
    let mut zones = Vec::new();
    for (object, set) in world.all(Kind::MACHINE_SET, side) {
        let machines = Machines::of(set);
        let more = count(Some(set)).saturating_sub(counts.get(&object.key()).copied().unwrap_or(0));
        if more > 0 && (machines.size, machines.region) == (like.size, like.region) {
            total += more;
            zones.push(machines.zone);
        }
    }
    zones.retain(|zone| !zone.is_empty());
    zones.sort_unstable();
    zones.dedup();
    let zones = if zones.is_empty() {
        String::new()
    } else {
        format!(" {}", listed(&zones))
    };
    (total, zones)
}

/// As many as it has, or one where it does not say (`spec.replicas` of a MachineSet).
fn count(set: Option<&Value>) -> u64 {
    set.map_or(0, |set| {
        FieldPath::of("spec.replicas")
            .get(set)
            .and_then(Value::as_u64)
            .unwrap_or(1)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gone, kept, made, table, turned, with};
    use serde_json::{Value, json};

    fn set(size: &str, zone: &str, replicas: u64) -> Value {
        json!({
            "apiVersion": "machine.openshift.io/v1beta1",
            "kind": "MachineSet",
            "metadata": {"name": format!("{size}-{zone}"), "namespace": "openshift-machine-api"},
            "spec": {"replicas": replicas, "template": {"spec": {"providerSpec": {"value": {
                "instanceType": size,
                "placement": {"availabilityZone": format!("eu-west-1{zone}"), "region": "eu-west-1"},
            }}}}},
        })
    }

    #[test]
    fn only_machines_that_come_or_go_are_counted() {
        let g6 = "g6e.2xlarge";
        let cases = [
            (
                "three zones",
                vec![made(set(g6, "a", 1)), made(set(g6, "b", 1)), made(set(g6, "c", 2))],
            ),
            (
                "one is there",
                vec![kept(set(g6, "a", 1)), made(set(g6, "b", 1)), made(set(g6, "c", 1))],
            ),
            (
                "another size",
                vec![made(set(g6, "a", 1)), made(set("p5.48xlarge", "a", 1))],
            ),
            ("more of them", vec![turned(set(g6, "a", 1), set(g6, "a", 3))]),
            (
                "fewer",
                vec![turned(set(g6, "a", 3), set(g6, "a", 1)), kept(set(g6, "b", 1))],
            ),
            ("gone", vec![gone(set(g6, "a", 1)), gone(set(g6, "b", 2))]),
            ("gone, without machines", vec![gone(set(g6, "a", 0))]),
            (
                "changed otherwise",
                vec![turned(
                    set(g6, "a", 1),
                    with(set(g6, "a", 1), "metadata.labels.a", json!("b")),
                )],
            ),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # three zones
        cost: buys 4 × g6e.2xlarge in eu-west-1 a, b and c
        # one is there
        cost: buys 2 × g6e.2xlarge in eu-west-1 b and c
        # another size
        cost: buys 1 × g6e.2xlarge in eu-west-1 a
        cost: buys 1 × p5.48xlarge in eu-west-1 a
        # more of them
        cost: buys 2 × g6e.2xlarge in eu-west-1 a
        # fewer
        disruption: deletes 2 × g6e.2xlarge in eu-west-1 a: what runs on these machines stops
        # gone
        disruption: deletes 3 × g6e.2xlarge in eu-west-1 a and b: what runs on these machines stops
        # gone, without machines
        nothing
        # changed otherwise
        nothing
        "#);
    }
}
