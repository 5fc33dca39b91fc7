//! What a step does, and the reasons for it; closed sets with codes for machines.

use crate::{address::Address, object_key::ObjectRef, yields::Yielded};
use std::{collections::BTreeMap, fmt};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Writes an object, or fields, that are not there yet.
    Create,
    /// Changes what is there.
    Update,
    /// Deletes and makes again.
    Replace,
    /// Deletes what we made.
    Delete,
    /// Takes an object that is there as ours.
    Adopt,
    /// Gives an object, or fields, back.
    Release,
    /// Drops the record of what is gone or was told to be left.
    Forget,
    /// Runs an action.
    Run,
    /// Waits for a gate.
    Wait,
    /// Makes a check.
    Check,
    /// Records anew what is as desired: what the stack says is sent, and no value in the cluster changes.
    Record,
    /// Does nothing, but readiness is judged.
    NoOp,
}

/// Why a step does what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is there.
    Missing,
    /// It was there, and somebody took it away.
    GoneUnderUs,
    /// Its kind or its namespace is not there yet; the schema is checked when it is applied.
    KindOrNamespaceToCome,
    /// The object whose fields we take is not there yet.
    TargetToCome,
    /// The stack says something else than what was applied.
    ChangedInStack,
    /// The stack says the same; a value that it takes from elsewhere is another one.
    ValueChanged,
    /// The stack says the same and no recorded field is another one, and yet an apply would change something: a default of
    /// a newer definition, or what a write of ours left that was not recorded.
    StoredOtherwise,
    /// Nothing but our own marks would change: it has another address, or none yet.
    Marked,
    /// The cluster holds something else than what was applied.
    Drifted,
    /// Nothing differs.
    Converged,
    /// It is ours by its marks, but not recorded: a run ended before it could be, or its record was dropped.
    NotRecorded,
    /// It is as desired; what is recorded of it says less, or something else.
    RecordOnly,
    /// It is there, its controller makes it, and it becomes ours.
    MadeByController,
    /// It is there, not ours, and the person said that it may become ours.
    ConsentGiven,
    /// It is no longer in the stack.
    NoLongerDesired,
    /// Everything of the stack is to go.
    Destroying,
    /// It was there before us.
    WasThereBefore,
    /// It was there before us, and the stack said that it is deleted all the same.
    AdoptedGoes,
    /// What others made for it goes too: its objects, each once.
    TakesAlong(Vec<ObjectRef>),
    /// Something says that it stays.
    Retained(String),
    /// This object goes, and the server deletes it with that.
    GoesWith(String),
    /// Its controller would make it again.
    SelfRecreating,
    /// It is recorded, and already gone.
    AlreadyGone,
    /// The stack said that it is to be left as it is.
    LetGo,
    /// The trigger of the action differs from the recorded one, or it never ran.
    Triggered,
    /// The action ran for this trigger.
    RanAlready,
    /// A gate that is not ready.
    NotReady,
    /// A gate that is ready now, but something above it is going to be written.
    WrittenAbove(Address),
    /// It is being deleted; it is waited for and then made.
    Terminating,
    /// The address names another object than before; this one goes.
    OtherObject(String),
    /// This field changed in the stack, and what is there cannot follow.
    ReplacedOn(String),
    /// A person asked for it to be deleted and made again.
    ReplaceAsked,
    /// It is contained in this, which is deleted and made again.
    ReplacedWith(Address),
    /// A field was taken by somebody else and stays theirs.
    KeptBy {
        /// The field.
        field: String,
        /// The manager.
        manager: String,
    },
    /// A manager that wins has a field, which the stack says otherwise and leaves to it.
    Yielded {
        /// The field.
        field: String,
        /// The manager.
        manager: &'static str,
    },
    /// The server has not said what it makes of it: an entry of managedFields is in a version that is no longer served.
    /// It is mended before the apply.
    VersionGone,
    /// A webhook has not said yet what it makes of it.
    Unverified {
        /// The webhook, if it is known by name.
        webhook: String,
        /// Why it has not.
        why: Unasked,
    },
}

/// Why a webhook has not said what it makes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unasked {
    /// It would deny it now, or cannot be called, below something that is still to come.
    TooEarly,
    /// It takes no dry run.
    TakesNoDryRun,
}

impl Action {
    /// Whether it changes or runs anything.
    pub fn is_change(self) -> bool {
        !matches!(self, Self::Wait | Self::Check | Self::Record | Self::NoOp)
    }

    /// Whether it does anything but look and record.
    pub fn is_work(self) -> bool {
        !matches!(self, Self::Record | Self::NoOp)
    }

    /// Whether it sends what the stack says.
    pub(crate) fn writes(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Update | Self::Adopt | Self::Replace | Self::Record
        )
    }

    /// The word that machines read.
    pub fn code(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
            Self::Release => "release",
            Self::Forget => "forget",
            Self::Run => "run",
            Self::Wait => "wait",
            Self::Check => "check",
            Self::Record => "record",
            Self::NoOp => "no-op",
        }
    }
}

impl Reason {
    /// That a field is left to who won it.
    pub(super) fn yielded(yielded: &Yielded) -> Self {
        Self::Yielded {
            field: yielded.path.to_string(),
            manager: yielded.manager,
        }
    }

    /// The word that machines read.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::GoneUnderUs => "gone-under-us",
            Self::KindOrNamespaceToCome => "kind-or-namespace-to-come",
            Self::TargetToCome => "target-to-come",
            Self::ChangedInStack => "changed-in-stack",
            Self::ValueChanged => "value-changed",
            Self::StoredOtherwise => "stored-otherwise",
            Self::Marked => "marked",
            Self::Drifted => "drifted",
            Self::Converged => "converged",
            Self::NotRecorded => "not-recorded",
            Self::RecordOnly => "record-only",
            Self::MadeByController => "made-by-controller",
            Self::ConsentGiven => "consent-given",
            Self::NoLongerDesired => "no-longer-desired",
            Self::Destroying => "destroying",
            Self::WasThereBefore => "was-there-before",
            Self::AdoptedGoes => "adopted-goes",
            Self::TakesAlong(_) => "takes-along",
            Self::Retained(_) => "retained",
            Self::GoesWith(_) => "goes-with",
            Self::SelfRecreating => "self-recreating",
            Self::AlreadyGone => "already-gone",
            Self::LetGo => "let-go",
            Self::Triggered => "triggered",
            Self::RanAlready => "ran-already",
            Self::NotReady => "not-ready",
            Self::WrittenAbove(_) => "written-above",
            Self::Terminating => "terminating",
            Self::OtherObject(_) => "other-object",
            Self::ReplacedOn(_) => "replaced-on",
            Self::ReplaceAsked => "replace-asked",
            Self::ReplacedWith(_) => "replaced-with",
            Self::KeptBy { .. } => "kept-by",
            Self::Yielded { .. } => "yielded",
            Self::VersionGone => "version-gone",
            Self::Unverified { .. } => "unverified",
        }
    }
}

/// The words that people read.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("not there yet"),
            Self::GoneUnderUs => f.write_str("was taken away"),
            Self::KindOrNamespaceToCome => f.write_str("schema checked at apply"),
            Self::TargetToCome => f.write_str("once its object is there"),
            Self::ChangedInStack => f.write_str("changed in the stack"),
            Self::ValueChanged => f.write_str("a value that it takes from elsewhere changed"),
            Self::StoredOtherwise => f.write_str("stored otherwise than it was sent"),
            Self::Marked => f.write_str("only its marks change"),
            Self::Drifted => f.write_str("drifted"),
            Self::Converged => f.write_str("as desired"),
            Self::NotRecorded => f.write_str("ours by its marks, and not recorded yet"),
            Self::RecordOnly => f.write_str("record only"),
            Self::MadeByController => f.write_str("made by its controller"),
            Self::ConsentGiven => f.write_str("adopted as asked"),
            Self::NoLongerDesired => f.write_str("no longer in the stack"),
            Self::Destroying => f.write_str("the stack is destroyed"),
            Self::WasThereBefore => f.write_str("was there before us"),
            Self::AdoptedGoes => f.write_str("was there before us, and goes by `delete_adopted`"),
            Self::TakesAlong(all) => {
                // Mostly several of a kind, and all in the namespace of what they go with.
                let mut by_kind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
                for object in all {
                    by_kind.entry(&object.object_type.kind).or_default().push(&object.name);
                }
                let kinds = by_kind
                    .into_iter()
                    .map(|(kind, names)| format!("{kind} {}", names.join(", ")));
                write!(f, "takes along {}", kinds.collect::<Vec<_>>().join(" and "))
            }
            Self::Retained(why) => write!(f, "stays: {why}"),
            Self::GoesWith(container) => write!(f, "goes with {container}"),
            Self::SelfRecreating => f.write_str("its controller makes it again"),
            Self::AlreadyGone => f.write_str("already gone"),
            Self::LetGo => f.write_str("left as it is, as the stack says"),
            Self::Triggered => f.write_str("its trigger changed"),
            Self::RanAlready => f.write_str("ran already"),
            Self::NotReady => f.write_str("not ready"),
            Self::WrittenAbove(address) => write!(f, "again after {address}"),
            Self::Terminating => f.write_str("is being deleted; made again after that"),
            Self::OtherObject(old) => write!(f, "instead of {old}, which goes"),
            Self::ReplacedOn(field) => write!(f, "{field} changed, and what is there cannot follow"),
            Self::ReplaceAsked => f.write_str("deleted and made again, as asked"),
            Self::ReplacedWith(container) => write!(f, "goes with {container}, and is made again"),
            Self::KeptBy { field, manager } => write!(f, "{field} released, kept by {manager}"),
            Self::Yielded { field, manager } => write!(f, "{field} yielded to {manager}"),
            Self::VersionGone => f.write_str(
                "not verified: an entry of its managedFields is in a version no longer served, and is mended first",
            ),
            Self::Unverified { webhook, why } => match why {
                Unasked::TooEarly => write!(f, "not verified: {webhook} answers only later"),
                Unasked::TakesNoDryRun => write!(f, "not verified: webhook {webhook} takes no dry run"),
            },
        }
    }
}
