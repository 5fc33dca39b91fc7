//! A resource in the making: the engine's [`Resource`] with the words in which components are written.

use serde_json::Value;
use stackctl_engine::{
    Address, FieldPath, Manifest, ObjectRef, ObjectType, Resource,
    address::Segment,
    late::Late,
    object_key::GroupKind,
    readiness::{Matcher, Observation, Rule, Target},
    resource::{
        Action, Adopt, Claim, Consequence, ConsequenceClass, Denial, DependsOn, DestroyStep, Diagnosis, Gate, NeededBy,
        Node, Object, Overlay, Provides, Remains, Remedy,
    },
};
use std::{collections::BTreeMap, time::Duration};

/// A resource in the making.
#[derive(Clone, Debug)]
pub(super) struct Draft(Resource);

/// A kind that an operator brings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
    pub(super) namespaced: bool,
}

/// An address that this source writes.
///
/// # Panics
/// When it is none; every component is compiled by a test.
pub(super) fn at(text: &str) -> Address {
    text.parse()
        .unwrap_or_else(|error| panic!("the catalogue writes an address `{text}` that is none: {error}"))
}

/// An address whose segments have keys: `[("gpu", "l40s"), ("machineset", "a")]`; an empty key is none.
pub(super) fn keyed(segments: &[(&str, &str)]) -> Address {
    segments
        .iter()
        .map(|(name, key)| match *key {
            "" => Segment::new(name),
            key => Segment::keyed(name, key),
        })
        .collect::<Result<_, _>>()
        .and_then(Address::new)
        .unwrap_or_else(|error| panic!("the catalogue writes an address that is none: {error}"))
}

/// A number of seconds.
pub(super) const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// The usual time of what is there as soon as what it waits for is: it is seen with the next watch event.
pub(super) const AT_ONCE: Duration = seconds(1);

/// How long a status that says of no generation is doubted while it is the one of before our write. A controller that is
/// awake has looked at a change by then; one that has written its status since is believed at once.
pub(super) const TAKES_NOTICE: Duration = seconds(10);

/// What a CustomResourceDefinition is.
pub(super) fn crd(group: &str, plural: &str) -> ObjectRef {
    ObjectRef::cluster(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &format!("{plural}.{group}"),
    )
}

/// Waits for an object to meet a rule.
pub(super) fn see(object: ObjectRef, rule: Rule) -> Observation {
    Observation::new(Target::Named(object), rule)
}

/// Waits for the CRD of each kind to be served.
pub(super) fn established(kinds: &[Kind]) -> Vec<Observation> {
    kinds
        .iter()
        .map(|kind| see(crd(kind.group, kind.plural), Rule::established()))
        .collect()
}

/// All Deployments of a namespace by these names have rolled out.
pub(super) fn rolled_out(namespace: &str, names: &[&str]) -> Vec<Observation> {
    names
        .iter()
        .map(|name| see(deployment(namespace, name), Rule::RolledOut))
        .collect()
}

pub(super) fn deployment(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::namespaced("apps/v1", "Deployment", namespace, name)
}

pub(super) fn pods() -> ObjectType {
    ObjectType::new("v1", "Pod")
}

/// A field holds a text.
pub(super) fn contains(path: &str, text: &str) -> Rule {
    Rule::Field {
        path: FieldPath::of(path),
        is: Matcher::ContainsText(text.to_owned()),
    }
}

/// A field is one of these texts.
pub(super) fn one_of(path: &str, texts: &[&str]) -> Rule {
    Rule::Field {
        path: FieldPath::of(path),
        is: Matcher::OneOf(texts.iter().map(|&text| Value::from(text)).collect()),
    }
}

/// Objects of a type that carry one label.
pub(super) fn labelled(of: ObjectType, namespace: Option<&str>, label: (&str, &str)) -> Target {
    Target::Every {
        of,
        namespace: namespace.map(str::to_owned),
        labels: BTreeMap::from([(label.0.to_owned(), label.1.to_owned())]),
        at_least: 1,
    }
}

impl Draft {
    /// An object that is ready once it is there.
    pub(super) fn object(address: Address, manifest: Value) -> Self {
        Self::of(address, Node::Object(Object::new(Manifest::written(manifest))))
    }

    /// Some fields of somebody else's object.
    pub(super) fn overlay(address: Address, target: ObjectRef, fields: Value) -> Self {
        Self::of(address, Node::Overlay(Overlay::new(target, fields)))
    }

    /// A node that waits until all of this is seen.
    pub(super) fn gate(address: Address, observations: Vec<Observation>) -> Self {
        Self::of(address, Node::Gate(Gate::all(observations)))
    }

    /// A node that does something when its trigger changes.
    pub(super) fn action(address: Address, action: Action) -> Self {
        Self::of(address, Node::Action(action))
    }

    fn of(address: Address, node: Node) -> Self {
        Self(Resource::new(address, node))
    }

    /// When the object, with our fields, is ready.
    pub(super) fn ready(mut self, rule: Rule) -> Self {
        match &mut self.0.node {
            Node::Object(object) => object.ready = rule,
            Node::Overlay(overlay) => overlay.ready = rule,
            Node::Gate(_) | Node::Action(_) | Node::Check(_) => {}
        }
        self
    }

    /// What has to be seen beside the object's own status.
    pub(super) fn with_parts(mut self, parts: Vec<Observation>) -> Self {
        if let Node::Object(object) = &mut self.0.node {
            object.parts = parts;
        }
        self
    }

    /// Leaves a value of the manifest open.
    pub(super) fn late(mut self, late: Late) -> Self {
        if let Node::Object(object) = &mut self.0.node {
            object.manifest = object.manifest.clone().with_late(late);
        }
        self
    }

    /// The one thing that practice prescribes when a gate's symptom is seen.
    pub(super) fn remedy(mut self, remedy: Remedy) -> Self {
        if let Node::Gate(gate) = &mut self.0.node {
            gate.remedy = Some(remedy);
        }
        self
    }

    /// What a person has to do when a gate does not open.
    pub(super) fn asks(mut self, text: impl Into<String>) -> Self {
        if let Node::Gate(gate) = &mut self.0.node {
            gate.asks = Some(text.into());
        }
        self
    }

    /// A known symptom of its not becoming ready, and what practice prescribes for it.
    pub(super) fn diagnosed(mut self, diagnosis: Diagnosis) -> Self {
        self.0.diagnoses.push(diagnosis);
        self
    }

    /// What a webhook is known to refuse of it, by words of the refusal, and what practice prescribes for it.
    pub(super) fn denied(mut self, says: &str, asks: impl Into<String>) -> Self {
        self.0.denials.push(Denial {
            says: says.to_owned(),
            asks: asks.into(),
        });
        self
    }

    /// Known symptoms, the most telling first.
    pub(super) fn diagnosed_by(self, diagnoses: impl IntoIterator<Item = Diagnosis>) -> Self {
        diagnoses.into_iter().fold(self, Self::diagnosed)
    }

    /// How long the verdict of a gate has to stand before it frees anything, or that on what was changed while its status
    /// is still the one of before.
    pub(super) fn settled(mut self, time: Duration) -> Self {
        match &mut self.0.node {
            Node::Gate(gate) => gate.settle = time,
            Node::Object(object) => object.settle = time,
            Node::Overlay(overlay) => overlay.settle = time,
            Node::Action(_) | Node::Check(_) => {}
        }
        self
    }

    /// Changes the overlay.
    pub(super) fn with_overlay(mut self, change: impl FnOnce(&mut Overlay)) -> Self {
        if let Node::Overlay(overlay) = &mut self.0.node {
            change(overlay);
        }
        self
    }

    /// Waits until another resource is ready.
    pub(super) fn after(mut self, address: Address, reason: &str) -> Self {
        self.0.depends_on.push(DependsOn::ready(address, reason));
        self
    }

    /// Waits until another resource is written.
    pub(super) fn after_write(mut self, address: Address, reason: &str) -> Self {
        self.0.depends_on.push(DependsOn::applied(address, reason));
        self
    }

    /// How long it may take.
    pub(super) fn within(mut self, time: Duration) -> Self {
        self.0.ready_timeout = time;
        self
    }

    /// How long it usually takes on a real cluster, where the reference says it; else a part of its limit is expected.
    pub(super) fn usually(mut self, time: Duration) -> Self {
        self.0.usual_time = Some(time);
        self
    }

    /// What a person reads beside the address.
    pub(super) fn note(mut self, text: impl Into<String>) -> Self {
        self.0.note = text.into();
        self
    }

    /// What a person has to know before saying yes.
    pub(super) fn tells(mut self, class: ConsequenceClass, text: impl Into<String>) -> Self {
        self.0.consequences.push(Consequence {
            class,
            text: text.into(),
        });
        self
    }

    /// The kinds that are served once this is ready.
    pub(super) fn provides(mut self, kinds: &[Kind]) -> Self {
        self.0.provides.extend(kinds.iter().map(|kind| Provides {
            kind: GroupKind::new(kind.group, kind.kind),
            plural: kind.plural.to_owned(),
            namespaced: kind.namespaced,
        }));
        self
    }

    /// A controller makes it before or beside us.
    pub(super) fn expected(mut self) -> Self {
        self.0.lifecycle.adopt = Adopt::Expected;
        self
    }

    /// A change of this field in the stack deletes it, and what was made for it, and makes it again.
    pub(super) fn replaced_on(mut self, path: &str) -> Self {
        self.0.lifecycle.replace_on.push(FieldPath::of(path));
        self
    }

    /// Destroy leaves it as it is, and says why.
    pub(super) fn retain(mut self, why: &str) -> Self {
        self.0.lifecycle.retain = Some(why.to_owned());
        self
    }

    /// Its controller makes it again: never deleted by us.
    pub(super) fn self_recreating(mut self) -> Self {
        self.0.lifecycle.self_recreating = true;
        self
    }

    /// Data is lost with it.
    pub(super) fn holds_data(mut self) -> Self {
        self.0.lifecycle.holds_data = true;
        self
    }

    /// What others made for us, deleted after it.
    pub(super) fn claims(mut self, target: Target, why: &str, needed_by: Option<NeededBy>) -> Self {
        self.0.lifecycle.claims.push(Claim {
            target,
            why: why.to_owned(),
            needed_by,
        });
        self
    }

    /// What destroy does first.
    pub(super) fn on_destroy(mut self, step: DestroyStep) -> Self {
        self.0.lifecycle.on_destroy.push(step);
        self
    }

    /// What stays after destroy.
    pub(super) fn leaves(mut self, object: ObjectRef, why: &str) -> Self {
        self.0.lifecycle.remains.push(Remains {
            object,
            why: why.to_owned(),
        });
        self
    }

    /// The resource.
    pub(super) fn done(self) -> Resource {
        self.0
    }
}
