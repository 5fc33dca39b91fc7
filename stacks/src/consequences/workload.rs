//! What people run themselves beside the platform: pods that stop or restart, and volumes that go with their data.
//!
//! Facts: a template that changes replaces the pods, one after the other unless the strategy is `Recreate`
//! (<https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#updating-a-deployment>); a claim that is deleted
//! takes its volume along where the class reclaims by `Delete`, which is the default of dynamic provisioning
//! (<https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming>); no claim shrinks
//! (<https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims>).

use super::{
    database, is_part_to_come, tier_lookup,
    words::{counted, data_loss, disruption, made_again, named, notice},
    world::World,
};
use crate::stack::Quantity;
use serde_json::Value;
use stackctl_engine::{ObjectRef, plan::Transition, resource::Consequence};

/// A Deployment, StatefulSet or DaemonSet.
pub(super) fn of_pods(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let Some(before) = transition.before.as_ref().filter(|_| !is_part_to_come(transition)) else {
        return Vec::new();
    };
    let object = &transition.object;
    let says_itself = [database::of_deployment, tier_lookup::consequences];
    if world.namespace_goes(object.namespace.as_deref().unwrap_or_default())
        || says_itself.iter().any(|rule| !rule(world, transition).is_empty())
    {
        return Vec::new();
    }
    let what = named(object);
    let had = replicas(object, before);
    let Some(after) = &transition.after else {
        return vec![disruption(match had {
            Some(count) => format!("stops {what} and its {}", counted(count, "pod")),
            None => format!("stops {what} and its pods"),
        })];
    };
    let has = replicas(object, after);
    if transition.is_made_again() {
        return vec![disruption(format!(
            "{}: it is away until its new pods are ready",
            made_again(&what)
        ))];
    }
    let mut told = Vec::new();
    match (had, has) {
        (Some(from), Some(0)) if from > 0 => {
            return vec![disruption(format!("stops {what}: no pod of {from} is left"))];
        }
        (Some(from), Some(to)) if from != to => {
            told.push(notice(format!("scales {what} from {from} to {}", counted(to, "pod"))));
        }
        (Some(_) | None, Some(_) | None) => {}
    }
    if before["spec"]["template"] != after["spec"]["template"] && had != Some(0) {
        let is_away = has == Some(1) || after["spec"]["strategy"]["type"] == "Recreate";
        told.push(if is_away {
            disruption(format!("restarts {what}, which may be away for a moment"))
        } else {
            notice(format!("restarts the pods of {what}, one after the other"))
        });
    }
    told
}

/// A claim of a volume.
pub(super) fn of_claim(_: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let Some(before) = &transition.before else {
        return Vec::new();
    };
    let size = size_of(before);
    let again = if transition.is_made_again() {
        ", and makes it again without"
    } else {
        ""
    };
    if let Some(after) = transition.after.as_ref().filter(|_| !transition.is_made_again()) {
        let (Some(old), Some(new)) = (size, size_of(after)) else {
            return Vec::new();
        };
        return smaller(old, new)
            .then(|| {
                disruption(format!(
                    "asks for {new} in {} instead of {old}, which a cluster refuses: Kubernetes makes no volume smaller. Keep the \
                     size, or copy what is in it and make it anew: `--replace {}`",
                    named(&transition.object),
                    transition.address
                ))
            })
            .into_iter()
            .collect();
    }
    let size = size.map_or_else(String::new, |size| format!(" ({size})"));
    vec![data_loss(format!(
        "deletes {}{size} with all that is in it{again}",
        named(&transition.object)
    ))]
}

/// How much a claim asks for.
fn size_of(claim: &Value) -> Option<&str> {
    claim["spec"]["resources"]["requests"]["storage"].as_str()
}

/// Whether one amount of room is less than another; not where one cannot be read.
pub(super) fn smaller(old: &str, new: &str) -> bool {
    let amount = |text: &str| text.parse::<Quantity>().map(|quantity| quantity.nano());
    matches!((amount(old), amount(new)), (Ok(old), Ok(new)) if new < old)
}

/// How many pods it asks for, one where it does not say; nothing where the nodes decide.
fn replicas(object: &ObjectRef, manifest: &Value) -> Option<u64> {
    (object.object_type.kind != "DaemonSet").then(|| manifest["spec"]["replicas"].as_u64().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gone, made, namespace, table, turned, with};
    use serde_json::{Value, json};

    fn workload(kind: &str, replicas: u64) -> Value {
        json!({
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": "web", "namespace": "demo"},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"name": "main", "image": "a"}]}}},
        })
    }

    fn other_image(object: Value) -> Value {
        with(object, "spec.template.spec.containers[name=main].image", json!("b"))
    }

    #[test]
    fn pods_that_stop_or_restart_are_told_with_their_number() {
        let cases = [
            ("gone", vec![gone(workload("Deployment", 2))]),
            (
                "gone with its namespace",
                vec![gone(workload("Deployment", 2)), gone(namespace("demo"))],
            ),
            ("on every node", vec![gone(workload("DaemonSet", 2))]),
            (
                "none is left",
                vec![turned(workload("StatefulSet", 2), workload("StatefulSet", 0))],
            ),
            (
                "more",
                vec![turned(workload("Deployment", 2), workload("Deployment", 3))],
            ),
            (
                "another image",
                vec![turned(
                    workload("Deployment", 2),
                    other_image(workload("Deployment", 2)),
                )],
            ),
            (
                "of a single pod",
                vec![turned(
                    workload("Deployment", 1),
                    other_image(workload("Deployment", 1)),
                )],
            ),
            ("made", vec![made(workload("Deployment", 2))]),
        ];
        insta::assert_snapshot!(table(&cases), @r"
        # gone
        disruption: stops Deployment demo/web and its 2 pods
        # gone with its namespace
        data-loss: deletes everything in namespace demo, also what others put there
        # on every node
        disruption: stops DaemonSet demo/web and its pods
        # none is left
        disruption: stops StatefulSet demo/web: no pod of 2 is left
        # more
        notice: scales Deployment demo/web from 2 to 3 pods
        # another image
        notice: restarts the pods of Deployment demo/web, one after the other
        # of a single pod
        disruption: restarts Deployment demo/web, which may be away for a moment
        # made
        nothing
        ");
    }

    #[test]
    fn a_volume_that_goes_or_is_to_shrink_is_told_with_its_size() {
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "demo"},
            "spec": {"resources": {"requests": {"storage": "10Gi"}}},
        });
        let sized = |size: &str| {
            let at = "spec.resources.requests.storage";
            vec![turned(claim.clone(), with(claim.clone(), at, json!(size)))]
        };
        let cases = [
            ("gone", vec![gone(claim.clone())]),
            ("smaller", sized("5000Mi")),
            ("as large, in another unit", sized("10240Mi")),
            ("larger", sized("20Gi")),
        ];
        insta::assert_snapshot!(table(&cases), @r"
        # gone
        data-loss: deletes PersistentVolumeClaim demo/data (10Gi) with all that is in it
        # smaller
        disruption: asks for 5000Mi in PersistentVolumeClaim demo/data instead of 10Gi, which a cluster refuses: Kubernetes makes no volume smaller. Keep the size, or copy what is in it and make it anew: `--replace test.persistentvolumeclaim[data]`
        # as large, in another unit
        nothing
        # larger
        nothing
        ");
    }
}
