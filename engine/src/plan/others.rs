//! What others put into a namespace that a plan deletes: it goes along, and nobody recorded it.
//!
//! In: the plan, what is recorded, and the metadata of what is in such namespaces. Out: the objects of others, the first of
//! each namespace by name, and what nobody let us look at.
//!
//! Facts: Kubernetes deletes what is in a namespace before the namespace
//! (<https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/>), and an object whose every owner is
//! gone (<https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents>).
//!
//! Invariants:
//! - An object of another is one that no record and no claim names, that is owned by nothing, and that a person or a tool of
//!   theirs has written: what controllers and the platform make comes and goes with what it is made for.
//! - A claim to a volume holds data, whoever wrote it: it is another's unless a StatefulSet of this stack makes it, one for
//!   each of its pods, and owns none
//!   (<https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage>).
//!
//! - What may not be listed is not taken for nothing: it is told, and takes the same word as what is somebody else's.
//!
//! Deliberately absent: who writes for people. That is data of the catalogue. And kinds that neither hold data nor run, nor
//! are the stack's own in that namespace: to list them all would take a request for each kind that the cluster knows.

use super::{Along, Excess, Plan, Stays, along::deletes};
use crate::{
    address::Address,
    marks::is_ours,
    object_key::{ObjectRef, ObjectType, is_being_deleted},
    ownership::managed_entries,
    recorded::{Recorded, RecordedNode, RecordedObject},
    resource::{Consequence, ConsequenceClass},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many objects of a namespace are told by name.
const NAMED: usize = 5;

/// What holds data or runs, of the kinds that every cluster has.
const KINDS: [(&str, &str); 10] = [
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "Pod"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
];

/// By what an object of another is told from what controllers and the platform make: data of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Hands<'a> {
    /// The managers that people and their tools write by; one that ends in `*` begins so.
    pub managers: &'a [&'a str],
    /// The names of what the platform puts into every namespace, and a person may have touched.
    pub defaults: &'a [&'a str],
}

/// What others have in namespaces that go.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Others {
    /// The first of each namespace.
    pub named: Vec<Along>,
    /// The rest of each, of which the number alone is told.
    pub more: Vec<More>,
    /// What could not be looked at, one for each namespace.
    pub unseen: Vec<Unseen>,
}

/// Objects of others that go with a namespace, and are not named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct More {
    /// The resource of the namespace.
    pub container: Address,
    /// The namespace.
    pub with: ObjectRef,
    /// The objects.
    pub unnamed: Vec<Along>,
}

/// Kinds whose objects in a namespace that goes may not be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The resource of the namespace.
    pub container: Address,
    /// The namespace.
    pub with: ObjectRef,
    /// The kinds.
    pub kinds: BTreeSet<ObjectType>,
}

/// Kinds, each in a namespace where its objects are listed.
pub type Places = BTreeSet<(ObjectType, String)>;

/// What to list: what may be others' in the namespaces that a plan deletes, also to make them again.
pub fn listed_for(plan: &Plan, recorded: &BTreeMap<Address, Recorded>) -> Places {
    let going = going_namespaces(plan, recorded).map(|(_, object)| object.name.as_str());
    listed_in(&going.collect(), recorded)
}

/// The same where these namespaces go.
pub(crate) fn listed_in(going: &BTreeSet<&str>, recorded: &BTreeMap<Address, Recorded>) -> Places {
    let mut all = Places::new();
    for namespace in going {
        all.extend(KINDS.map(|(version, kind)| (ObjectType::new(version, kind), (*namespace).to_owned())));
    }
    for object in recorded
        .values()
        .filter_map(Recorded::object)
        .map(|object| &object.object)
    {
        let kind = &object.object_type;
        let is_listed = KINDS
            .iter()
            .any(|(version, known)| kind.api_version == *version && kind.kind == *known);
        if let Some(namespace) = object
            .namespace
            .as_deref()
            .filter(|name| going.contains(name) && !is_listed)
        {
            all.insert((kind.clone(), namespace.to_owned()));
        }
    }
    all
}

/// Those that are recorded: the address of one may have another namespace from now on.
fn going_namespaces<'a>(
    plan: &'a Plan,
    recorded: &'a BTreeMap<Address, Recorded>,
) -> impl Iterator<Item = (&'a Address, &'a ObjectRef)> {
    plan.steps.iter().filter_map(|step| {
        let known = recorded.get(&step.address)?;
        Some((&step.address, namespace_of(known)?)).filter(|_| deletes(Some(&step.action), known))
    })
}

/// The namespace that a record is of.
pub(crate) fn namespace_of(known: &Recorded) -> Option<&ObjectRef> {
    match &known.node {
        RecordedNode::Object(object) => Some(&object.object).filter(|object| object.is_namespace()),
        RecordedNode::Overlay { .. } | RecordedNode::Gate | RecordedNode::Action { .. } => None,
    }
}

/// Whether an object is no claim, the object, and its uid.
type ClaimsFirst = (bool, ObjectRef, Option<String>);

/// Of what is in namespaces that go, what is somebody else's; `unread` is what may not be listed.
pub fn others_along(
    plan: &Plan,
    recorded: &BTreeMap<Address, Recorded>,
    hands: Hands<'_>,
    listed: &[Value],
    unread: &Places,
) -> Others {
    let known = Known::of(recorded);
    let namespaces: BTreeMap<&str, (&Address, &ObjectRef)> = going_namespaces(plan, recorded)
        .map(|(address, object)| (object.name.as_str(), (address, object)))
        .collect();
    let mut found: BTreeMap<&str, BTreeSet<ClaimsFirst>> = BTreeMap::new();
    for live in listed {
        let Some(namespace) = live["metadata"]["namespace"].as_str() else {
            continue;
        };
        let Some(object) = ObjectRef::of_live(live) else {
            continue;
        };
        let is_claim = object.object_type.kind == "PersistentVolumeClaim";
        let is_others = !known.has(live, &object)
            && !has_owner(live)
            && !is_being_deleted(live)
            && !hands.defaults.contains(&object.name.as_str())
            && (is_claim || is_by_hand(live, hands.managers));
        if is_others {
            let uid = live["metadata"]["uid"].as_str().map(str::to_owned);
            found.entry(namespace).or_default().insert((!is_claim, object, uid));
        }
    }
    let mut others = Others::default();
    for (namespace, objects) in found {
        let Some((container, with)) = namespaces.get(namespace).copied() else {
            continue;
        };
        let mut going = objects.into_iter().map(|(_, object, uid)| Along {
            address: container.clone(),
            object,
            uid,
            stays: Stays::NotOfTheStack,
            container: container.clone(),
            with: with.clone(),
        });
        others.named.extend(going.by_ref().take(NAMED));
        let unnamed: Vec<_> = going.collect();
        if !unnamed.is_empty() {
            others.more.push(More {
                container: container.clone(),
                with: with.clone(),
                unnamed,
            });
        }
    }
    for (namespace, (container, with)) in namespaces {
        let kinds = unread.iter().filter(|(_, place)| place == namespace);
        let kinds: BTreeSet<_> = kinds.map(|(kind, _)| kind.clone()).collect();
        if !kinds.is_empty() {
            others.unseen.push(Unseen {
                container: container.clone(),
                with: with.clone(),
                kinds,
            });
        }
    }
    others
}

impl Others {
    /// What is told of those that are not named, and of those that nobody let us see.
    pub fn consequences(&self) -> BTreeMap<Address, Vec<Consequence>> {
        let more = self.more.iter().map(|more| {
            let count = counted(more.unnamed.len());
            let text = format!("deletes {count} with {}: they are not of this stack", more.with);
            (&more.container, text)
        });
        let unseen = self.unseen.iter().map(|unseen| {
            let kinds = named(&unseen.kinds);
            let text = format!(
                "deletes what others have in {} unseen: {kinds} may not be listed",
                unseen.with
            );
            (&unseen.container, text)
        });
        let mut told: BTreeMap<Address, Vec<Consequence>> = BTreeMap::new();
        for (container, text) in more.chain(unseen) {
            let class = ConsequenceClass::DataLoss;
            told.entry(container.clone())
                .or_default()
                .push(Consequence { class, text });
        }
        told
    }
}

/// What a plan does not do without a word of its own: what nobody let us see.
pub fn excess_unseen(unseen: Vec<Unseen>) -> impl Iterator<Item = Excess> {
    unseen.into_iter().map(|unseen| Excess::Unseen {
        address: unseen.container,
        with: Box::new(unseen.with),
        kinds: unseen.kinds,
    })
}

/// Kinds in one line.
pub(super) fn named(kinds: &BTreeSet<ObjectType>) -> String {
    let kinds: Vec<_> = kinds.iter().map(|of| of.kind.as_str()).collect();
    kinds.join(", ")
}

/// What a plan does not do without a word of its own: what is not named.
pub fn excess_more(more: Vec<More>) -> impl Iterator<Item = Excess> {
    more.into_iter().map(|more| Excess::More {
        address: more.container,
        with: Box::new(more.with),
        unnamed: more.unnamed,
    })
}

pub(super) fn counted(count: usize) -> String {
    match count {
        1 => "1 more object".to_owned(),
        count => format!("{count} more objects"),
    }
}

/// What the record knows of.
struct Known<'a> {
    uids: BTreeSet<&'a str>,
    /// What the claims of its StatefulSets are called up to their number, with the namespace.
    claims: BTreeSet<(Option<&'a str>, String)>,
}

impl<'a> Known<'a> {
    fn of(recorded: &'a BTreeMap<Address, Recorded>) -> Self {
        let objects = || recorded.values().filter_map(Recorded::object);
        let claimed = recorded.values().flat_map(|known| &known.destroy.claims);
        let is_set =
            |object: &&ObjectRef| object.object_type.kind == "StatefulSet" && object.object_type.group() == "apps";
        Self {
            uids: objects()
                .map(|object| object.uid.as_str())
                .chain(claimed.map(|claimed| claimed.uid.as_str()))
                .collect(),
            claims: objects()
                .filter(|object| is_set(&&object.object))
                .flat_map(|set| {
                    let namespace = set.object.namespace.as_deref();
                    claims_of(set).map(move |claim| (namespace, claim)).collect::<Vec<_>>()
                })
                .collect(),
        }
    }

    fn has(&self, live: &Value, object: &ObjectRef) -> bool {
        let is_recorded = live["metadata"]["uid"]
            .as_str()
            .is_some_and(|uid| self.uids.contains(uid));
        let is_of_set = object.object_type.kind == "PersistentVolumeClaim"
            && without_number(&object.name)
                .is_some_and(|name| self.claims.contains(&(object.namespace.as_deref(), name.to_owned())));
        is_recorded || is_of_set
    }
}

fn has_owner(live: &Value) -> bool {
    let owners = live["metadata"]["ownerReferences"].as_array();
    owners.is_some_and(|owners| !owners.is_empty())
}

/// Whether a person or a tool of theirs has written an object: also another stack, and what this one no longer records.
fn is_by_hand(live: &Value, managers: &[&str]) -> bool {
    let is_hand = |manager: &str| {
        is_ours(manager)
            || managers.iter().any(|hand| match hand.strip_suffix('*') {
                Some(begins) => manager.starts_with(begins),
                None => manager == *hand,
            })
    };
    managed_entries(live).iter().any(|entry| is_hand(&entry.manager))
}

/// What a StatefulSet calls the claims of its templates, up to their number.
fn claims_of(set: &RecordedObject) -> impl Iterator<Item = String> {
    let written = set.manifest.open();
    let templates = written["spec"]["volumeClaimTemplates"].as_array().cloned();
    let named = templates.unwrap_or_default().into_iter().filter_map(|template| {
        let template = template["metadata"]["name"].as_str()?;
        Some(format!("{template}-{}", set.object.name))
    });
    named.collect::<Vec<_>>().into_iter()
}

/// A name without the number that a StatefulSet puts after it.
fn without_number(name: &str) -> Option<&str> {
    let (front, number) = name.rsplit_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(front)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        digest::Digest,
        packed::Packed,
        plan::{Action, Purpose, Reason, excess_along, excess_more, losses, said_along, testing},
        recorded::{Claimed, Origin, RecordedDestroy, RecordedNode},
    };
    use serde_json::json;

    fn known(at: &str, object: ObjectRef) -> Recorded {
        Recorded {
            address: at.parse().expect("an address"),
            node: RecordedNode::Object(RecordedObject {
                uid: format!("uid of {at}"),
                object,
                origin: Origin::Created,
                manager: "m".to_owned(),
                sent: Digest::of(&Value::Null),
                manifest: Packed::default(),
                fields: BTreeSet::new().into(),
                sensitive: BTreeSet::new(),
                key_id: None,
                owned: None,
            }),
            edges: Vec::new(),
            destroy: RecordedDestroy::default(),
        }
    }

    /// A plan that deletes the namespace `demo`, and what is recorded.
    fn going() -> (Plan, BTreeMap<Address, Recorded>) {
        let namespace = ObjectRef::cluster("v1", "Namespace", "demo");
        let mut widget = known("a.widget", ObjectRef::namespaced("x.io/v1", "Widget", "demo", "ours"));
        widget.destroy.claims.push(Claimed {
            object: ObjectRef::namespaced("v1", "ConfigMap", "demo", "claimed"),
            uid: "claimed".to_owned(),
            why: "made for it".to_owned(),
            needed_by: None,
        });
        let mut set = known("a.set", ObjectRef::namespaced("apps/v1", "StatefulSet", "demo", "db"));
        if let RecordedNode::Object(object) = &mut set.node {
            object.manifest = Packed::of(&json!({"spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}}));
        }
        let recorded = [
            known("a.namespace", namespace.clone()),
            set,
            known(
                "a.claim",
                ObjectRef::namespaced("v1", "PersistentVolumeClaim", "demo", "ours"),
            ),
            known(
                "a.elsewhere",
                ObjectRef::namespaced("y.io/v1", "Gadget", "other", "ours"),
            ),
            widget,
        ]
        .into_iter()
        .map(|known| (known.address.clone(), known))
        .collect();
        let mut plan = testing::plan_of(
            Purpose::Destroy,
            vec![testing::step(
                "a.namespace".parse().expect("an address"),
                Action::Delete,
            )],
        );
        plan.steps[0].object = Some(namespace);
        (plan, recorded)
    }

    fn live(kind: &str, namespace: &str, name: &str, uid: &str, manager: &str) -> Value {
        json!({"apiVersion": "v1", "kind": kind, "metadata": {"namespace": namespace, "name": name, "uid": uid,
            "managedFields": [{"manager": manager, "operation": "Update", "fieldsV1": {}}]}})
    }

    const HANDS: Hands<'_> = Hands {
        managers: &["kubectl*", "helm"],
        defaults: &["kube-root-ca.crt"],
    };

    fn names(listed: &[Value]) -> Vec<String> {
        let (plan, recorded) = going();
        let found = others_along(&plan, &recorded, HANDS, listed, &Places::new());
        found.named.iter().map(|one| one.object.to_string()).collect()
    }

    #[test]
    fn kinds_with_data_or_pods_and_those_of_the_stack_are_listed_in_namespaces_that_go_alone() {
        let (plan, recorded) = going();
        let listed = listed_for(&plan, &recorded);
        assert!(listed.iter().all(|(_, namespace)| namespace == "demo"));
        assert_eq!(listed.len(), KINDS.len() + 1);
        assert!(listed.contains(&(ObjectType::new("x.io/v1", "Widget"), "demo".to_owned())));
    }

    #[test]
    fn claims_of_others_go_with_a_namespace_and_those_of_ours_and_of_owners_are_not_told() {
        let claim = |namespace, name, uid| live("PersistentVolumeClaim", namespace, name, uid, "anybody");
        let mut owned = claim("demo", "owned", "4");
        owned["metadata"]["ownerReferences"] = json!([{"uid": "5"}]);
        let claims = [
            claim("demo", "theirs", "1"),
            claim("demo", "data-db", "2"),
            claim("demo", "data-db-0", "3"),
            // Of the set `my-db` of somebody.
            claim("demo", "data-my-db-0", "7"),
            claim("demo", "ours", "uid of a.claim"),
            owned,
            claim("elsewhere", "theirs", "6"),
        ];
        assert_eq!(
            names(&claims),
            [
                "PersistentVolumeClaim demo/data-db",
                "PersistentVolumeClaim demo/data-my-db-0",
                "PersistentVolumeClaim demo/theirs"
            ]
        );
    }

    #[test]
    fn what_people_and_their_tools_wrote_is_told_and_what_controllers_and_the_platform_make_is_not() {
        let map = |name: &str, manager: &str| live("ConfigMap", "demo", name, name, manager);
        let mut owned = map("owned", "kubectl");
        owned["metadata"]["ownerReferences"] = json!([{"uid": "5"}]);
        let mut going = map("going", "kubectl");
        going["metadata"]["deletionTimestamp"] = json!("2026-11-28T10:00:00Z");
        let listed = [
            map("by-hand", "kubectl-client-side-apply"),
            map("of-a-chart", "helm"),
            map("of-flux", "helm-controller"),
            map("of-another-stack", "stackctl/other"),
            map("of-an-operator", "manager"),
            map("kube-root-ca.crt", "kubectl-edit"),
            map("claimed", "kubectl"),
            live("Widget", "demo", "ours", "uid of a.widget", "kubectl"),
            owned,
            going,
        ];
        assert_eq!(
            names(&listed),
            [
                "ConfigMap demo/by-hand",
                "ConfigMap demo/of-a-chart",
                "ConfigMap demo/of-another-stack"
            ]
        );
    }

    #[test]
    fn a_few_are_named_claims_first_and_of_the_rest_the_number_is_told() {
        let (plan, recorded) = going();
        let mut listed: Vec<_> = ["a", "b", "c", "d", "e", "f"]
            .map(|name| live("ConfigMap", "demo", name, name, "kubectl"))
            .to_vec();
        listed.push(live("PersistentVolumeClaim", "demo", "z", "z", "anybody"));
        let others = others_along(&plan, &recorded, HANDS, &listed, &Places::new());
        let told = said_along(plan, &others.named).with_consequences(others.consequences());
        let texts: Vec<_> = told.steps[0].consequences.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts.len(), 6);
        assert_eq!(
            texts[0],
            "deletes PersistentVolumeClaim demo/z with Namespace demo: it is not of this stack"
        );
        assert_eq!(
            texts[5],
            "deletes 2 more objects with Namespace demo: they are not of this stack"
        );
        let reasons = &told.steps[0].reasons;
        assert!(
            !reasons.iter().any(|reason| matches!(reason, Reason::GoesWith(_))),
            "{reasons:?}"
        );
        let excess: Vec<_> = excess_along(others.named).chain(excess_more(others.more)).collect();
        assert!(
            excess
                .iter()
                .all(|one| one.may_be_meant() && one.hint().contains("`--yes-delete`"))
        );
        let lost = losses(&excess);
        let uids: BTreeSet<_> = lost.iter().filter_map(|loss| loss.uid.as_deref()).collect();
        assert_eq!(
            uids,
            BTreeSet::from(["a", "b", "c", "d", "e", "f", "z"]),
            "each is known, also where its number alone is told"
        );
        assert_eq!(
            excess[0].to_string(),
            "`a.namespace`: PersistentVolumeClaim demo/z goes with Namespace demo: it is not of this stack"
        );
        assert_eq!(
            excess[5].to_string(),
            "`a.namespace`: 2 more objects go with Namespace demo: they are not of this stack"
        );
    }

    #[test]
    fn what_may_not_be_listed_is_told_and_takes_the_same_word() {
        let (plan, recorded) = going();
        let of = |kind: &str, namespace: &str| (ObjectType::new("v1", kind), namespace.to_owned());
        let unread = [
            of("Secret", "demo"),
            of("PersistentVolumeClaim", "demo"),
            of("Pod", "other"),
        ];
        let others = others_along(&plan, &recorded, HANDS, &[], &unread.into());
        let told = plan.with_consequences(others.consequences());
        let texts: Vec<_> = told.steps[0].consequences.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(
            texts,
            ["deletes what others have in Namespace demo unseen: PersistentVolumeClaim, Secret may not be listed"]
        );
        let excess: Vec<_> = excess_unseen(others.unseen).collect();
        assert_eq!(excess.len(), 1);
        assert!(excess[0].may_be_meant() && excess[0].hint().contains("`--yes-delete`"));
        assert_eq!(
            excess[0].to_string(),
            "`a.namespace`: what others have in Namespace demo goes with it, and may not be listed: PersistentVolumeClaim, \
             Secret"
        );
    }

    #[test]
    fn a_namespace_that_another_one_takes_the_address_of_is_looked_into() {
        let (mut plan, recorded) = going();
        plan.steps[0].action = Action::Replace;
        plan.steps[0].object = Some(ObjectRef::cluster("v1", "Namespace", "next"));
        let listed = listed_for(&plan, &recorded);
        assert!(!listed.is_empty() && listed.iter().all(|(_, namespace)| namespace == "demo"));
    }
}
