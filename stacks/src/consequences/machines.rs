//! MachineSet: machines that are bought, and machines that go with what runs on them.
//!
//! Facts: `reference/platform.md` §2.5 and §4 G15 (one MachineSet for each zone); a MachineSet keeps as many machines as
//! its replicas say, those that are there stay as they were made when its template changes, and one that is deleted is made
//! again by the new template (OpenShift documentation, Machine management, "Modifying a compute machine set").

use super::{
    is_part_to_come,
    words::{cost, disruption, listed, notice},
    world::{Both, Kind, World},
};
use serde_json::Value;
use stackctl_engine::{FieldPath, plan::Transition, resource::Consequence};

/// Said alike by each MachineSet of a size in a region, so that it is read once.
pub(super) fn consequences(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    if is_part_to_come(transition) {
        return Vec::new();
    }
    let one = Both {
        before: transition.before.as_ref(),
        after: transition.after.as_ref(),
        is_made_again: transition.is_made_again(),
    };
    let deals = deals(one);
    let mut told: Vec<_> = deals.iter().map(|(deal, _)| in_words(world, deal)).collect();
    if deals.is_empty()
        && let Some((before, after)) = one.before.zip(one.after)
        && count(before) > 0
        && before["spec"]["template"]["spec"] != after["spec"]["template"]["spec"]
    {
        let name = &transition.object.name;
        told.push(notice(format!(
            "changes how MachineSet {name} makes machines: those that run stay as they are until each is replaced"
        )));
    }
    told
}

/// What machines a MachineSet makes, wherever in its region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Machines<'a> {
    size: Option<&'a str>,
    region: &'a str,
}

/// What becomes of machines that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deal<'a> {
    /// They are made.
    Bought(Machines<'a>),
    /// They go.
    Deleted(Machines<'a>),
    /// They stay, and others are made in their place when they go.
    Outdated { old: Machines<'a>, new: Machines<'a> },
}

impl<'a> Machines<'a> {
    fn of(set: &'a Value) -> Self {
        let provider = provider(set);
        Self {
            size: provider["instanceType"].as_str(),
            region: region(set),
        }
    }

    fn size(&self) -> &'a str {
        self.size.unwrap_or("a machine")
    }

    /// ` in eu-west-1`, or nothing where no region is said.
    fn place(&self) -> String {
        match self.region {
            "" => String::new(),
            region => format!(" in {region}"),
        }
    }
}

/// What becomes of the machines of one MachineSet, and of how many.
fn deals(set: Both<'_>) -> Vec<(Deal<'_>, u64)> {
    let old = set.before.map(|set| (Machines::of(set), count(set)));
    let new = set.after.map(|set| (Machines::of(set), count(set)));
    let all = match (old, new) {
        (None, None) => Vec::new(),
        (Some((old, had)), None) => vec![(Deal::Deleted(old), had)],
        (None, Some((new, has))) => vec![(Deal::Bought(new), has)],
        (Some((old, had)), Some((new, has))) if set.is_made_again => {
            vec![(Deal::Deleted(old), had), (Deal::Bought(new), has)]
        }
        (Some((old, had)), Some((new, has))) => {
            let stay = if old == new { 0 } else { had.min(has) };
            vec![
                (Deal::Deleted(old), had.saturating_sub(has)),
                (Deal::Bought(new), has.saturating_sub(had)),
                (Deal::Outdated { old, new }, stay),
            ]
        }
    };
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// One deal of all MachineSets together.
fn in_words(world: &World<'_>, deal: &Deal<'_>) -> Consequence {
    let mut n = 0;
    let mut zones = Vec::new();
    for set in world.both(Kind::MACHINE_SET) {
        let alike = deals(set).into_iter().filter(|(one, _)| one == deal);
        let count: u64 = alike.map(|(_, count)| count).sum();
        if count > 0 {
            n += count;
            zones.extend(set.after.or(set.before).map(zone));
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
    match deal {
        Deal::Bought(machines) => cost(format!("buys {n} × {}{}{zones}", machines.size(), machines.place())),
        Deal::Deleted(machines) => disruption(format!(
            "deletes {n} × {}{}{zones}: what runs on these machines stops",
            machines.size(),
            machines.place()
        )),
        Deal::Outdated { old, new } => {
            let (size, place) = (old.size(), old.place());
            let instead = if old.region == new.region {
                new.size().to_owned()
            } else {
                format!("{}{}", new.size(), new.place())
            };
            disruption(format!(
                "buys {n} × {instead} for {n} × {size}{place}{zones} as machines are replaced: those that run stay {size} until \
                 each is deleted, and what runs on it stops then"
            ))
        }
    }
}

fn provider(set: &Value) -> &Value {
    &set["spec"]["template"]["spec"]["providerSpec"]["value"]
}

fn region(set: &Value) -> &str {
    provider(set)["placement"]["region"].as_str().unwrap_or_default()
}

fn zone(set: &Value) -> &str {
    let zone = provider(set)["placement"]["availabilityZone"]
        .as_str()
        .unwrap_or_default();
    zone.strip_prefix(region(set)).unwrap_or(zone)
}

/// As many as it has, or one where it does not say (`spec.replicas` of a MachineSet).
fn count(set: &Value) -> u64 {
    FieldPath::of("spec.replicas")
        .get(set)
        .and_then(Value::as_u64)
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{again, gone, kept, made, table, turned, with};
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

    /// One that is called otherwise than its size.
    fn named(size: &str, zone: &str, replicas: u64) -> Value {
        with(set(size, zone, replicas), "metadata.name", json!(format!("gpu-{zone}")))
    }

    #[test]
    fn machines_of_another_size_come_when_those_that_run_are_replaced() {
        let (small, large) = ("g6e.2xlarge", "g6e.4xlarge");
        let grown = |zone: &str| turned(named(small, zone, 1), named(large, zone, 1));
        let image = with(
            named(small, "a", 1),
            "spec.template.spec.providerSpec.value.ami.id",
            json!("ami-2"),
        );
        let cases = [
            ("in two zones", vec![grown("a"), grown("b")]),
            ("and more", vec![turned(named(small, "a", 1), named(large, "a", 3))]),
            ("and fewer", vec![turned(named(small, "a", 3), named(large, "a", 1))]),
            ("of none", vec![turned(named(small, "a", 0), named(large, "a", 0))]),
            ("another image", vec![turned(named(small, "a", 1), image)]),
            ("made again", vec![again(named(small, "a", 2), named(small, "a", 2))]),
            (
                "made again, larger",
                vec![again(named(small, "a", 1), named(large, "a", 1))],
            ),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # in two zones
        disruption: buys 2 × g6e.4xlarge for 2 × g6e.2xlarge in eu-west-1 a and b as machines are replaced: those that run stay g6e.2xlarge until each is deleted, and what runs on it stops then
        # and more
        cost: buys 2 × g6e.4xlarge in eu-west-1 a
        disruption: buys 1 × g6e.4xlarge for 1 × g6e.2xlarge in eu-west-1 a as machines are replaced: those that run stay g6e.2xlarge until each is deleted, and what runs on it stops then
        # and fewer
        disruption: buys 1 × g6e.4xlarge for 1 × g6e.2xlarge in eu-west-1 a as machines are replaced: those that run stay g6e.2xlarge until each is deleted, and what runs on it stops then
        disruption: deletes 2 × g6e.2xlarge in eu-west-1 a: what runs on these machines stops
        # of none
        nothing
        # another image
        notice: changes how MachineSet gpu-a makes machines: those that run stay as they are until each is replaced
        # made again
        cost: buys 2 × g6e.2xlarge in eu-west-1 a
        disruption: deletes 2 × g6e.2xlarge in eu-west-1 a: what runs on these machines stops
        # made again, larger
        cost: buys 1 × g6e.4xlarge in eu-west-1 a
        disruption: deletes 1 × g6e.2xlarge in eu-west-1 a: what runs on these machines stops
        "#);
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
