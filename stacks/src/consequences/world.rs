//! Everything around a change: the objects of a plan as they are and as they will be, found by kind and name.

use super::{keys::Keys, tier::Subscription};
use serde_json::Value;
use stackctl_engine::{
    ObjectRef,
    diff::differences,
    object_key::{GroupKind, ObjectKey},
    plan::{NodeKind, Transition},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// Where gateways live (`reference/serving.md` §1.1).
pub(super) const INGRESS: &str = "openshift-ingress";
/// Where subscriptions, auth policies and the tenant live (`reference/serving.md` §1.10).
const MAAS: &str = "models-as-a-service";
/// The only tenant there is (`reference/serving.md` §1.10).
const TENANT: &str = "default-tenant";

/// A kind that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    group: &'static str,
    kind: &'static str,
}

impl Kind {
    pub(super) const MODEL: Self = Self::new("serving.kserve.io", "LLMInferenceService");
    pub(super) const MODEL_REF: Self = Self::new("maas.opendatahub.io", "MaaSModelRef");
    pub(super) const SUBSCRIPTION: Self = Self::new("maas.opendatahub.io", "MaaSSubscription");
    pub(super) const AUTH_POLICY: Self = Self::new("maas.opendatahub.io", "MaaSAuthPolicy");
    pub(super) const TENANT: Self = Self::new("maas.opendatahub.io", "Tenant");
    pub(super) const EXTERNAL_MODEL: Self = Self::new("maas.opendatahub.io", "ExternalModel");
    pub(super) const GROUP: Self = Self::new("user.openshift.io", "Group");
    pub(super) const DEPLOYMENT: Self = Self::new("apps", "Deployment");
    pub(super) const SECRET: Self = Self::new("", "Secret");
    pub(super) const NAMESPACE: Self = Self::new("", "Namespace");
    pub(super) const SERVICE: Self = Self::new("", "Service");
    /// Kuadrant's own, of which MaaS makes some of [`AUTH_POLICY`](Self::AUTH_POLICY).
    pub(super) const GATEWAY_ACCESS: Self = Self::new("kuadrant.io", "AuthPolicy");
    pub(super) const INSTANCE: Self = Self::new("datasciencecluster.opendatahub.io", "DataScienceCluster");
    pub(super) const GATEWAY: Self = Self::new("gateway.networking.k8s.io", "Gateway");
    pub(super) const ROUTE: Self = Self::new("route.openshift.io", "Route");
    pub(super) const MACHINE_SET: Self = Self::new("machine.openshift.io", "MachineSet");
    pub(super) const ADDRESS_POOL: Self = Self::new("metallb.io", "IPAddressPool");
    pub(super) const HTTP_ROUTE: Self = Self::new("gateway.networking.k8s.io", "HTTPRoute");
    pub(super) const TOKEN_RATE_LIMITS: Self = Self::new("kuadrant.io", "TokenRateLimitPolicy");
    pub(super) const RATE_LIMITS: Self = Self::new("kuadrant.io", "RateLimitPolicy");
    pub(super) const OPERATOR: Self = Self::new("operators.coreos.com", "Subscription");
    pub(super) const CERTIFICATE: Self = Self::new("cert-manager.io", "Certificate");
    pub(super) const STATEFUL_SET: Self = Self::new("apps", "StatefulSet");
    pub(super) const DAEMON_SET: Self = Self::new("apps", "DaemonSet");
    pub(super) const INITIALIZATION: Self = Self::new("dscinitialization.opendatahub.io", "DSCInitialization");
    pub(super) const CLAIM: Self = Self::new("", "PersistentVolumeClaim");

    const fn new(group: &'static str, kind: &'static str) -> Self {
        Self { group, kind }
    }

    /// Whether an object is of this kind, in whatever version.
    pub(super) fn is_of(self, object: &ObjectRef) -> bool {
        object.object_type.kind == self.kind && object.object_type.group() == self.group
    }
}

/// Which of the two states of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// As it is.
    Before,
    /// As it will be.
    After,
}

/// The objects of a plan, and the keys that are known of.
#[derive(Debug)]
pub(super) struct World<'a> {
    objects: BTreeMap<ObjectKey, State<'a>>,
    pub(super) keys: Option<&'a Keys>,
}

/// One object of a plan.
#[derive(Debug)]
struct State<'a> {
    object: &'a ObjectRef,
    before: Option<&'a Value>,
    after: Option<Cow<'a, Value>>,
    /// It is there on both sides, and deleted in between.
    is_made_again: bool,
}

/// One object on both sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Both<'w> {
    pub(super) before: Option<&'w Value>,
    pub(super) after: Option<&'w Value>,
    /// It is there on both sides, and deleted in between.
    pub(super) is_made_again: bool,
}

impl<'a> World<'a> {
    /// What several steps make of one object is put together: each shows its own part of it only.
    pub(super) fn new(transitions: &'a [Transition], keys: Option<&'a Keys>) -> Self {
        let mut grouped: BTreeMap<ObjectKey, Vec<&'a Transition>> = BTreeMap::new();
        for transition in transitions {
            grouped.entry(transition.object.key()).or_default().push(transition);
        }
        let objects = grouped
            .into_iter()
            .filter_map(|(key, group)| Some((key, State::of(&group)?)))
            .collect();
        Self { objects, keys }
    }

    /// The objects of a kind on one side, in order of namespace and name.
    pub(super) fn all(&self, kind: Kind, side: Side) -> impl Iterator<Item = (&ObjectRef, &Value)> {
        self.objects
            .values()
            .filter(move |state| kind.is_of(state.object))
            .filter_map(move |state| Some((state.object, state.on(side)?)))
    }

    /// The objects of a kind on both sides, in order of namespace and name.
    pub(super) fn both(&self, kind: Kind) -> impl Iterator<Item = Both<'_>> {
        let of_kind = self.objects.values().filter(move |state| kind.is_of(state.object));
        of_kind.map(|state| Both {
            before: state.before,
            after: state.after.as_deref(),
            is_made_again: state.is_made_again,
        })
    }

    /// The object of this name that the plan makes in another namespace while this one goes: it moves there.
    pub(super) fn moved_to(&self, kind: Kind, object: &ObjectRef) -> Option<(&ObjectRef, &Value)> {
        let namesakes = self.objects.values().filter(|state| {
            kind.is_of(state.object) && state.object.name == object.name && state.object.namespace != object.namespace
        });
        let mut made = namesakes
            .filter(|state| state.before.is_none())
            .filter_map(|state| Some((state.object, state.after.as_deref()?)));
        // Of several, nobody can say which.
        made.next().filter(|_| made.next().is_none())
    }

    /// One object on one side, if the plan is about it and it is there.
    pub(super) fn object(&self, kind: Kind, namespace: &str, name: &str, side: Side) -> Option<&Value> {
        self.state(kind, namespace, name)?.on(side)
    }

    /// Whether the plan takes this object away.
    pub(super) fn goes(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        let state = self.state(kind, namespace, name);
        state.is_some_and(|state| state.before.is_some() && state.after.is_none())
    }

    /// Whether the plan takes this namespace away, also to make it again.
    pub(super) fn namespace_goes(&self, name: &str) -> bool {
        self.namespaces_that_go().any(|one| one == name)
    }

    /// The namespaces that the plan takes away, also to make them again, in order of name: what is in them goes.
    pub(super) fn namespaces_that_go(&self) -> impl Iterator<Item = &str> {
        let namespaces = self
            .objects
            .values()
            .filter(|state| Kind::NAMESPACE.is_of(state.object));
        let going = namespaces.filter(|state| state.before.is_some() && (state.after.is_none() || state.is_made_again));
        going.map(|state| state.object.name.as_str())
    }

    /// The subscriptions on one side, in order of name.
    pub(super) fn subscriptions(&self, side: Side) -> Vec<Subscription<'_>> {
        self.all(Kind::SUBSCRIPTION, side)
            .map(|(object, manifest)| Subscription::read(object, manifest))
            .collect()
    }

    /// Who is in the groups of the plan on one side.
    pub(super) fn members(&self, side: Side) -> BTreeMap<&str, BTreeSet<&str>> {
        let groups = self.all(Kind::GROUP, side);
        groups
            .map(|(object, manifest)| (object.name.as_str(), texts(&manifest["users"])))
            .collect()
    }

    /// The tenant of MaaS on one side.
    pub(super) fn tenant(&self, side: Side) -> Option<&Value> {
        self.object(Kind::TENANT, MAAS, TENANT, side)
    }

    /// Whether MaaS as a whole is switched off: then no key works, and what becomes of single tiers is beside the point.
    pub(super) fn maas_ends(&self) -> bool {
        let is_on = |side| self.all(Kind::INSTANCE, side).any(|(_, manifest)| is_maas_on(manifest));
        is_on(Side::Before) && !is_on(Side::After)
    }

    fn state(&self, kind: Kind, namespace: &str, name: &str) -> Option<&State<'a>> {
        self.objects.get(&ObjectKey {
            kind: GroupKind::new(kind.group, kind.kind),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        })
    }
}

impl<'a> State<'a> {
    fn of(group: &[&'a Transition]) -> Option<Self> {
        let first = *group.first()?;
        let before = group.iter().find_map(|one| one.before.as_ref());
        let whole = |one: &&&Transition| one.node == NodeKind::Object;
        let is_gone =
            group.iter().any(|one| one.after.is_none()) && !group.iter().filter(whole).any(|one| one.after.is_some());
        let after = match group {
            _ if is_gone => None,
            [only] => only.after.as_ref().map(Cow::Borrowed),
            several => Some(Cow::Owned(together(before, several))),
        };
        Some(Self {
            object: &first.object,
            before,
            after,
            is_made_again: group.iter().any(|one| one.is_made_again()),
        })
    }

    fn on(&self, side: Side) -> Option<&Value> {
        match side {
            Side::Before => self.before,
            Side::After => self.after.as_deref(),
        }
    }
}

/// What is there, with what each step changes of it.
fn together(before: Option<&Value>, steps: &[&Transition]) -> Value {
    let mut object = before.cloned().unwrap_or(Value::Null);
    for after in steps.iter().filter_map(|step| step.after.as_ref()) {
        for (path, _, new) in differences(before.unwrap_or(&Value::Null), after) {
            match new {
                Some(new) => path.set(&mut object, new),
                None => {
                    path.remove(&mut object);
                }
            }
        }
    }
    object
}

/// Whether an instance of OpenShift AI has MaaS switched on (`reference/serving.md` §1.8).
pub(super) fn is_maas_on(instance: &Value) -> bool {
    instance["spec"]["components"]["kserve"]["modelsAsService"]["managementState"] == "Managed"
}

/// The texts of a list.
pub(super) fn texts(list: &Value) -> BTreeSet<&str> {
    items(list).filter_map(Value::as_str).collect()
}

/// The items of a list; none of anything else.
pub(super) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
