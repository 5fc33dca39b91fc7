//! One object: what is desired, recorded and live, to an action and its reason.
//!
//! Total and without a wildcard that could swallow a new case.

use super::{Action, Reason};

/// What is decided about. "Neither desired nor recorded" has no variant: such an object is not ours, and code that
/// cannot name it cannot delete it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The stack wants it.
    Desired {
        /// What the cluster holds, by the server's answer.
        live: Live,
        /// Whether it was applied before, and as what.
        before: Before,
        /// Whether an object that is not ours may become ours.
        consent: Consent,
    },
    /// It was applied before and the stack no longer wants it.
    RecordedOnly {
        /// Whether it is still there.
        exists: bool,
        /// How its record says that it ends.
        ending: Ending,
    },
}

/// The live object against the desired one, as the server's dry run says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// Not there, and could be made.
    Absent,
    /// Not there, and neither is its kind or its namespace.
    Nowhere,
    /// On its way out.
    Terminating,
    /// There and ours, as desired.
    Same,
    /// There and ours, not as desired.
    Different {
        /// Whether a recorded field differs.
        drifted: bool,
    },
    /// There, and not ours.
    Foreign,
}

/// What was applied before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Never,
    /// Just what is desired now.
    TheSame,
    /// Something else.
    SomethingElse,
}

/// Whether an object that is not ours may become ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Its controller makes it: expected.
    Expected,
    /// The person said so.
    Given,
    /// Nobody said so.
    Missing,
}

/// How a recorded object ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was made by us.
    Deleted,
    /// It was there before us, or only fields of it were ours.
    Released,
}

/// Decides one object; `None` when it is there, not ours, and nobody consented.
pub fn decide(subject: Subject) -> Option<(Action, Reason)> {
    Some(match subject {
        Subject::Desired {
            live: Live::Absent,
            before: Before::Never,
            ..
        } => (Action::Create, Reason::Missing),
        Subject::Desired {
            live: Live::Absent,
            before: Before::TheSame | Before::SomethingElse,
            ..
        } => (Action::Create, Reason::GoneUnderUs),
        Subject::Desired {
            live: Live::Nowhere, ..
        } => (Action::Create, Reason::KindOrNamespaceToCome),
        Subject::Desired {
            live: Live::Terminating,
            ..
        } => (Action::Create, Reason::Terminating),
        Subject::Desired {
            live: Live::Foreign,
            consent: Consent::Expected,
            ..
        } => (Action::Adopt, Reason::MadeByController),
        Subject::Desired {
            live: Live::Foreign,
            consent: Consent::Given,
            ..
        } => (Action::Adopt, Reason::ConsentGiven),
        Subject::Desired {
            live: Live::Foreign,
            consent: Consent::Missing,
            ..
        } => return None,
        Subject::Desired {
            live: Live::Same,
            before: Before::TheSame,
            ..
        } => (Action::NoOp, Reason::Converged),
        // Ours by its marks, but a kill came before the record, or it was dropped: sending it again records it.
        Subject::Desired {
            live: Live::Same,
            before: Before::Never,
            ..
        } => (Action::Record, Reason::NotRecorded),
        Subject::Desired {
            live: Live::Same,
            before: Before::SomethingElse,
            ..
        } => (Action::Record, Reason::RecordOnly),
        Subject::Desired {
            live: Live::Different { .. },
            before: Before::Never,
            ..
        } => (Action::Update, Reason::NotRecorded),
        Subject::Desired {
            live: Live::Different { .. },
            before: Before::SomethingElse,
            ..
        } => (Action::Update, Reason::ChangedInStack),
        Subject::Desired {
            live: Live::Different { drifted: true },
            before: Before::TheSame,
            ..
        } => (Action::Update, Reason::Drifted),
        // The stack is the same and no recorded field moved, but the server would change something: a default of a
        // newer schema, or a field that we sent and never saw stored.
        Subject::Desired {
            live: Live::Different { drifted: false },
            before: Before::TheSame,
            ..
        } => (Action::Update, Reason::StoredOtherwise),
        Subject::RecordedOnly { exists: false, .. } => (Action::Forget, Reason::AlreadyGone),
        Subject::RecordedOnly {
            exists: true,
            ending: Ending::Deleted,
        } => (Action::Delete, Reason::NoLongerDesired),
        Subject::RecordedOnly {
            exists: true,
            ending: Ending::Released,
        } => (Action::Release, Reason::WasThereBefore),
    })
}
