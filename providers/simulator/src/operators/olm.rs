//! `olm`: stands for the catalog operator and the OLM operator of OpenShift (reference/platform.md §2.1, §2.7).
//!
//! This half resolves: Subscription → InstallPlan → Subscription status. [`super::olm_install`] installs.
//!
//! Invariants:
//! - A namespace without exactly one OperatorGroup resolves nothing.
//! - One Manual Subscription makes every InstallPlan of its namespace Manual (§2.7).
//! - Subscriptions of a namespace that are unresolved at the same time get one plan together (§2.7).
//! - A newer head of the channel leaves an upgrade plan behind; nobody but the approver moves it under Manual.
//! - A Subscription whose CSV was deleted installs nothing again by itself.
//!
//! Left out: upgrade paths of more than one step (an upgrade goes to the head at once), one plan that combines an
//! upgrade of one package with a Subscription that comes later (unless the fault `combined-plan` asks for it), unpack
//! jobs as objects, dependency solving beyond the one package of the catalogue that has dependencies.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::{CATALOG_SOURCE, CSV, INSTALL_PLAN, OPERATOR_GROUP, PACKAGE_MANIFEST, SUBSCRIPTION};
use super::object::{Read, object, suffix};
use super::olm_install;
use super::turn::{Turn, Write, condition};
use super::world::World;
use crate::faults::FaultName;

/// Where package manifests are (reference/platform.md §1).
const MARKETPLACE: &str = "openshift-marketplace";

/// What Connectivity Link pulls in (reference/platform.md §2.7).
const RHCL_DEPENDENCIES: &[&str] = &["authorino-operator", "limitador-operator", "dns-operator"];

/// How long the resolver takes: the first plan comes some seconds after the Subscription (reference/platform.md G19).
const RESOLUTION_SECONDS: u64 = 5;
/// How long the job that unpacks a bundle is tried (`--bundle-unpack-timeout`, 10 min; the low end of a watched run).
const UNPACK_SECONDS: u64 = 60;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let subscriptions: Vec<Arc<Value>> = turn
        .all(SUBSCRIPTION)
        .into_iter()
        .filter(|subscription| !subscription.is_deleting())
        .collect();
    let mut namespaces: Vec<&str> = subscriptions
        .iter()
        .map(|subscription| subscription.namespace())
        .collect();
    namespaces.dedup();
    for namespace in namespaces {
        let here: Vec<&Arc<Value>> = subscriptions
            .iter()
            .filter(|subscription| subscription.namespace() == namespace)
            .collect();
        if turn.world.list_in(OPERATOR_GROUP, namespace).count() == 1 {
            resolve(turn, namespace, &here);
        }
        for subscription in &here {
            tell(turn, subscription);
        }
    }
    olm_install::plans(turn);
    olm_install::versions(turn);
    olm_install::copies(turn);
}

/// One bundle that is to be installed for a Subscription.
struct Bundle<'a> {
    subscription: &'a Value,
    csv: String,
}

fn resolve(turn: &mut Turn<'_>, namespace: &str, subscriptions: &[&Arc<Value>]) {
    let manual = turn.faults.at(FaultName::ApprovalHeld, namespace)
        || subscriptions
            .iter()
            .any(|subscription| subscription.text("/spec/installPlanApproval") == "Manual");
    let mut fresh: Vec<Bundle<'_>> = Vec::new();
    let mut complete = true;
    let wanted: Vec<&str> = subscriptions
        .iter()
        .filter(|subscription| is_pending(turn.world, subscription))
        .map(|subscription| subscription.text("/spec/name"))
        .collect();
    for subscription in subscriptions {
        let depended_on = wanted.contains(&"rhcl-operator")
            && RHCL_DEPENDENCIES.contains(&subscription.text("/spec/name"))
            && installed(turn.world, subscription).is_none()
            && newest_plan(turn.world, subscription).is_none_or(|plan| plan.text("/status/phase") == "Complete");
        if !is_pending(turn.world, subscription) && !depended_on {
            upgrade(turn, namespace, subscription, manual);
            continue;
        }
        if !turn.held(format!("resolve {}", subscription.uid()), RESOLUTION_SECONDS) {
            complete = false;
            continue;
        }
        if !answers(turn, subscription) {
            complete = false;
            continue;
        }
        match target(turn, subscription) {
            Ok(csv) => {
                if let Some(stray) = turn
                    .world
                    .get(CSV, namespace, &csv)
                    .filter(|stray| stray.label("olm.copiedFrom").is_none())
                {
                    let why = format!(
                        "clusterserviceversion {} exists and is not referenced by a subscription",
                        stray.name()
                    );
                    fail(turn, subscription, &why);
                    complete = false;
                    continue;
                }
                complete &= dependencies(turn, namespace, subscription, subscriptions) && unpacked(turn, subscription);
                fresh.push(Bundle { subscription, csv });
                if turn.faults.at(FaultName::CombinedPlan, subscription.text("/spec/name")) {
                    fresh.extend(upgrades(turn.world, subscriptions));
                }
            }
            Err(why) => {
                fail(turn, subscription, &why);
                complete = false;
            }
        }
    }
    if complete && !fresh.is_empty() {
        plan(turn, namespace, &fresh, manual);
    }
}

/// Returns whether a Subscription still waits for its first plan.
fn is_pending(world: &World, subscription: &Value) -> bool {
    subscription.text("/status/installedCSV").is_empty()
        && newest_plan(world, subscription).is_none()
        && installed(world, subscription).is_none_or(|_| subscription.text("/status/currentCSV").is_empty())
}

/// Makes sure that what a package depends on is subscribed to. Returns whether it is.
fn dependencies(turn: &mut Turn<'_>, namespace: &str, parent: &Value, subscriptions: &[&Arc<Value>]) -> bool {
    if parent.text("/spec/name") != "rhcl-operator" {
        return true;
    }
    let mut all = true;
    for package in RHCL_DEPENDENCIES {
        if subscriptions
            .iter()
            .any(|subscription| subscription.text("/spec/name") == *package)
        {
            continue;
        }
        let Some(manifest) = turn.world.get(PACKAGE_MANIFEST, MARKETPLACE, package).cloned() else {
            continue;
        };
        all = false;
        let channel = manifest.text("/status/defaultChannel").to_owned();
        let (source, source_namespace) = (parent.text("/spec/source"), parent.text("/spec/sourceNamespace"));
        // OLM names what it generates after package, channel and catalog.
        let name = format!("{package}-{channel}-{source}-{source_namespace}");
        let starting = head(&manifest, &channel).unwrap_or_default().to_owned();
        let spec = json!({
            "name": package, "channel": channel, "source": source, "sourceNamespace": source_namespace,
            "installPlanApproval": parent.text("/spec/installPlanApproval"), "startingCSV": starting,
        });
        turn.create(
            SUBSCRIPTION,
            object(
                SUBSCRIPTION,
                namespace,
                &name,
                json!({
                    "metadata": {"labels": {label(package, namespace): ""}}, "spec": spec,
                }),
            ),
        );
    }
    all
}

/// Returns the CSV that a Subscription's first resolution installs, or why there is none.
fn target(turn: &Turn<'_>, subscription: &Value) -> Result<String, String> {
    let world = turn.world;
    let (package, name) = (subscription.text("/spec/name"), subscription.name());
    let manifest = world
        .get(PACKAGE_MANIFEST, MARKETPLACE, package)
        .filter(|manifest| offers(world, subscription, manifest.text("/status/catalogSource")))
        .ok_or_else(|| {
            format!("constraints not satisfiable: no operators found in package {package} in the catalog referenced by subscription {name}, subscription {name} exists")
        })?;
    let channel = match subscription.text("/spec/channel") {
        "" => manifest.text("/status/defaultChannel"),
        channel => channel,
    };
    let head = head(manifest, channel).ok_or_else(|| {
        format!("constraints not satisfiable: no operators found in channel {channel} of package {package} in the catalog referenced by subscription {name}, subscription {name} exists")
    })?;
    match subscription.text("/spec/startingCSV") {
        "" => Ok(head.to_owned()),
        starting
            if entries(manifest, Some(channel)).any(|entry| entry == starting)
                && !turn.faults.at(FaultName::PinGone, package) =>
        {
            Ok(starting.to_owned())
        }
        starting => Err(format!(
            "constraints not satisfiable: no operators found with name {starting} in channel {channel} of package {package} in the catalog referenced by subscription {name}, subscription {name} exists"
        )),
    }
}

/// Returns whether the catalog that a Subscription names is the one of its package, or a mirror of it: a catalog that
/// serves the same index, from whatever registry.
fn offers(world: &World, subscription: &Value, catalog: &str) -> bool {
    let source = subscription.text("/spec/source");
    if ["", source].contains(&catalog) {
        return true;
    }
    let index = |namespace: &str, name: &str| {
        let image = world.get(CATALOG_SOURCE, namespace, name)?.text("/spec/image");
        Some(image.rsplit('/').next()?.to_owned())
    };
    let wanted = index(subscription.text("/spec/sourceNamespace"), source);
    wanted.is_some() && wanted == index(MARKETPLACE, catalog)
}

fn head<'a>(manifest: &'a Value, channel: &str) -> Option<&'a str> {
    let channel = manifest
        .list("/status/channels")
        .iter()
        .find(|entry| entry.text("/name") == channel)?;
    Some(channel.text("/currentCSV")).filter(|csv| !csv.is_empty())
}

/// Returns every CSV of a package, or of one of its channels.
fn entries<'a>(manifest: &'a Value, channel: Option<&'a str>) -> impl Iterator<Item = &'a str> {
    let channels = manifest.list("/status/channels").iter();
    channels
        .filter(move |entry| channel.is_none_or(|channel| entry.text("/name") == channel))
        .flat_map(|channel| {
            channel
                .list("/entries")
                .iter()
                .map(|entry| entry.text("/name"))
                .chain([channel.text("/currentCSV")])
        })
}

/// Returns the CSV that is installed for a Subscription, if it is there.
fn installed<'a>(world: &'a World, subscription: &Value) -> Option<&'a Arc<Value>> {
    let package = subscription.text("/spec/name").to_owned();
    let mut found: Vec<&Arc<Value>> = world
        .list_in(CSV, subscription.namespace())
        .filter(|csv| csv.annotation(olm_install::PACKAGE) == Some(package.as_str()))
        .filter(|csv| csv.label("olm.copiedFrom").is_none())
        .collect();
    // During an upgrade both are there: the old one counts until the new one is Succeeded.
    found.sort_by_key(|csv| match csv.text("/status/phase") {
        "Succeeded" => 0,
        "Replacing" => 1,
        _ => 2,
    });
    found.first().copied()
}

/// Returns the newest InstallPlan that names a Subscription as owner.
fn newest_plan<'a>(world: &'a World, subscription: &Value) -> Option<&'a Arc<Value>> {
    let owned = world
        .list_in(INSTALL_PLAN, subscription.namespace())
        .filter(|plan| plan.is_owned_by(subscription.uid()));
    owned.max_by_key(|plan| plan.number("/spec/generation"))
}

fn plan(turn: &mut Turn<'_>, namespace: &str, bundles: &[Bundle<'_>], manual: bool) {
    let names: Vec<&str> = bundles.iter().map(|bundle| bundle.csv.as_str()).collect();
    let owners: Vec<Value> = bundles
        .iter()
        .map(|bundle| {
            json!({
                "apiVersion": SUBSCRIPTION.api_version(), "kind": SUBSCRIPTION.kind, "name": bundle.subscription.name(),
                "uid": bundle.subscription.uid(), "controller": false, "blockOwnerDeletion": false,
            })
        })
        .collect();
    let uids: String = bundles.iter().map(|bundle| bundle.subscription.uid()).collect();
    let generation = turn
        .world
        .list_in(INSTALL_PLAN, namespace)
        .filter_map(|plan| plan.number("/spec/generation"))
        .max();
    let name = format!("install-{}", suffix(&format!("{uids} {}", names.join(" "))));
    let labels: serde_json::Map<String, Value> = bundles
        .iter()
        .map(|bundle| (label(bundle.subscription.text("/spec/name"), namespace), json!("")))
        .collect();
    turn.create(
        INSTALL_PLAN,
        object(
            INSTALL_PLAN,
            namespace,
            &name,
            json!({
                "metadata": {"ownerReferences": owners, "labels": labels},
                "spec": {
                    "approval": if manual { "Manual" } else { "Automatic" },
                    "approved": !manual,
                    "clusterServiceVersionNames": names,
                    "generation": generation.unwrap_or_default() + 1,
                },
            }),
        ),
    );
}

/// Plans the way to the head of the channel, if the installed CSV is older.
fn upgrade(turn: &mut Turn<'_>, namespace: &str, subscription: &Value, manual: bool) {
    let Some(csv) = installed(turn.world, subscription)
        .filter(|csv| csv.text("/status/phase") == "Succeeded")
        .cloned()
    else {
        return;
    };
    let Some(manifest) = turn
        .world
        .get(PACKAGE_MANIFEST, MARKETPLACE, subscription.text("/spec/name"))
    else {
        return;
    };
    let Some(head) = head(manifest, subscription.text("/spec/channel")).map(str::to_owned) else {
        return;
    };
    let planned = newest_plan(turn.world, subscription).is_some_and(|plan| {
        plan.list("/spec/clusterServiceVersionNames")
            .iter()
            .any(|name| *name == head)
    });
    if csv.name() == head || planned || !turn.held(format!("upgrade {}", subscription.uid()), RESOLUTION_SECONDS) {
        return;
    }
    plan(
        turn,
        namespace,
        &[Bundle {
            subscription,
            csv: head,
        }],
        manual,
    );
}

/// The upgrades that are due among Subscriptions: the resolver solves a namespace as a whole, so whoever comes later may
/// find them in the plan (reference/platform.md §2.7).
fn upgrades<'a>(world: &World, subscriptions: &[&'a Arc<Value>]) -> Vec<Bundle<'a>> {
    let due = subscriptions.iter().filter_map(|subscription| {
        let csv = installed(world, subscription)?;
        let manifest = world.get(PACKAGE_MANIFEST, MARKETPLACE, subscription.text("/spec/name"))?;
        let head = head(manifest, subscription.text("/spec/channel"))?.to_owned();
        let subscription: &Value = subscription;
        (csv.name() != head).then_some(Bundle {
            subscription,
            csv: head,
        })
    });
    due.collect()
}

/// Returns whether the catalogue of a Subscription answers, and says so where it does not; words of OLM 0.29 (OpenShift
/// 4.18) and later.
fn answers(turn: &mut Turn<'_>, subscription: &Value) -> bool {
    let source = subscription.text("/spec/source").to_owned();
    let namespace = subscription.text("/spec/sourceNamespace");
    let healthy = !turn.faults.at(FaultName::CatalogUnhealthy, &source);
    if let Some(catalog) = turn.world.get(CATALOG_SOURCE, namespace, &source).cloned()
        && (catalog.text("/status/connectionState/lastObservedState") == "READY") != healthy
    {
        let state = if healthy { "READY" } else { "TRANSIENT_FAILURE" };
        let status = json!({"connectionState": {"lastObservedState": state}});
        turn.status(CATALOG_SOURCE, &catalog, status);
    }
    if healthy {
        return true;
    }
    let unhealthy = format!("targeted catalogsource {namespace}/{source} unhealthy");
    let refused = format!(
        "error using catalogsource {namespace}/{source}: failed to list bundles: rpc error: code = Unavailable desc = \
         connection error: desc = \"transport: Error while dialing: dial tcp 172.30.214.7:50051: connect: connection refused\""
    );
    let conditions = [
        condition(
            "CatalogSourcesUnhealthy",
            true,
            "UnhealthyCatalogSourceFound",
            &unhealthy,
        ),
        condition("ResolutionFailed", true, "ErrorPreventedResolution", &refused),
    ];
    say(turn, subscription, json!({"conditions": conditions}));
    false
}

/// Returns whether the bundle of a Subscription is unpacked, and says so where it is not: its job pulls the bundle's
/// image, and is given up after 10 min.
fn unpacked(turn: &mut Turn<'_>, subscription: &Value) -> bool {
    if !turn.faults.at(FaultName::UnpackFails, subscription.text("/spec/name")) {
        if subscription.is("BundleUnpackFailed") {
            let healed = condition("BundleUnpackFailed", false, "", "");
            say(turn, subscription, json!({"conditions": [healed]}));
        }
        return true;
    }
    if turn.held(format!("unpack {}", subscription.uid()), UNPACK_SECONDS) {
        let why = "bundle unpacking failed. Reason: DeadlineExceeded, and Message: Job was active longer than specified deadline";
        let conditions = [
            condition("BundleUnpacking", false, "", ""),
            condition("BundleUnpackFailed", true, "BundleUnpackFailed", why),
        ];
        say(turn, subscription, json!({"conditions": conditions}));
    } else if !subscription.is("BundleUnpackFailed") {
        let unpacking = condition("BundleUnpacking", true, "JobIncomplete", "unpack job not completed");
        say(turn, subscription, json!({"conditions": [unpacking]}));
    }
    false
}

fn fail(turn: &mut Turn<'_>, subscription: &Value, why: &str) {
    let failed = condition("ResolutionFailed", true, "ConstraintsNotSatisfiable", why);
    say(turn, subscription, json!({"conditions": [failed]}));
}

/// Writes a Subscription's status from its newest plan and its CSV (reference/platform.md §2.1).
fn tell(turn: &mut Turn<'_>, subscription: &Value) {
    let Some(plan) = newest_plan(turn.world, subscription).cloned() else {
        return;
    };
    let csv = installed(turn.world, subscription).map(|csv| csv.name().to_owned());
    let manifest = turn
        .world
        .get(PACKAGE_MANIFEST, MARKETPLACE, subscription.text("/spec/name"));
    let known: Vec<&str> = manifest
        .map(|manifest| entries(manifest, None).collect())
        .unwrap_or_default();
    let planned = plan
        .list("/spec/clusterServiceVersionNames")
        .iter()
        .filter_map(Value::as_str);
    let Some(current) = planned.into_iter().find(|name| known.contains(name)).map(str::to_owned) else {
        return;
    };
    let pending = plan.text("/status/phase") != "Complete";
    let mut reason = plan.text("/status/phase").to_owned();
    if reason.is_empty() {
        "Planning".clone_into(&mut reason);
    }
    let plan_reference = json!({
        "apiVersion": plan["apiVersion"], "kind": plan["kind"], "name": plan.name(),
        "namespace": plan.namespace(), "uid": plan.uid(),
    });
    let mut status = json!({
        "currentCSV": current,
        "state": if csv.as_deref() == Some(current.as_str()) { "AtLatestKnown" } else { "UpgradePending" },
        "installPlanGeneration": plan["spec"]["generation"],
        "installPlanRef": plan_reference,
        "installplan": {"apiVersion": plan["apiVersion"], "kind": plan["kind"], "name": plan.name(), "uuid": plan.uid()},
        "conditions": [
            condition("CatalogSourcesUnhealthy", false, "AllCatalogSourcesHealthy", "all available catalogsources are healthy"),
            condition("InstallPlanPending", pending, &reason, ""),
            condition("ResolutionFailed", false, "ConstraintsSatisfied", ""),
        ],
    });
    if let Some(csv) = csv {
        status["installedCSV"] = json!(csv);
    }
    say(turn, subscription, status);
}

/// Writes fields of a Subscription's status, and with them the time, which the kind demands.
fn say(turn: &mut Turn<'_>, subscription: &Value, status: Value) {
    let before = turn.writes.len();
    turn.status(SUBSCRIPTION, subscription, status);
    if let Some(Write::PatchStatus { patch, .. }) = turn.writes.get_mut(before) {
        patch["status"]["lastUpdated"] = json!(turn.stamp);
    }
}

/// Returns the label key by which OLM ties objects to a package; OLM cuts its name at 63 characters (§2.1).
pub(crate) fn label(package: &str, namespace: &str) -> String {
    let name: String = format!("{package}.{namespace}").chars().take(63).collect();
    format!("operators.coreos.com/{}", name.trim_end_matches(['-', '.']))
}
