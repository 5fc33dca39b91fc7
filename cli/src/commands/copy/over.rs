//! Whether a copy of a state may be put over the one that the cluster keeps, and whether a state may go on from there.
//!
//! Invariant: what a copy does not say counts as a reason against; only who says that a state holds passes over that.

use super::{fenced_by, not_kept, read_by, unread, until};
use crate::error::Problem;
use serde_json::Value;
use stackctl_engine::execute::{Provider, ProviderError};
use stackctl_state::{
    State,
    copy::{self, Label},
};

/// Over which copy of a state's own line another may be put.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Over<'a> {
    /// That of this state, or of an older one.
    Known(&'a State),
    /// The same, and one that is damaged: somebody said that this state is whole.
    Pushed(&'a State),
    /// Any: somebody said that the state holds from now on, whatever there is.
    Any,
}

/// Refuses a state that another one has overtaken, also one of its serial: the copy is of that one. Asked before the state
/// changes, while its serial says where it stands.
pub(in super::super) async fn refuse_overtaken(provider: &impl Provider, state: &State) -> Result<(), Problem> {
    let asked = async || match provider.get(&copy::head(state.stack())).await? {
        Some(head) => overtaken(provider, &head, state).await,
        None => Ok(None),
    };
    match until(asked).await.map_err(|error| unread(&error))? {
        None => Ok(()),
        Some(refused) => Err(not_kept(&fenced_by(&refused))),
    }
}

/// Why no other copy may be put over the one that a Secret leads, if that is so, by what it says of itself.
pub(super) fn refused_by_label(head: &Value, over: Over<'_>) -> Option<String> {
    let (known, damage_counts) = match over {
        Over::Known(known) => (known, true),
        Over::Pushed(known) => (known, false),
        Over::Any => return None,
    };
    match Label::of(head) {
        Err(error) => damage_counts.then(|| error.to_string()),
        Ok(label) if label.lineage != known.lineage() => Some("it is of another state".to_owned()),
        Ok(label) => (label.serial > known.serial()).then(|| "it is of a newer state than the one here".to_owned()),
    }
}

/// Why a state may not go on from here, if that is so: the copy is of a newer one, or of another one of its serial.
pub(super) async fn overtaken(
    provider: &impl Provider,
    head: &Value,
    state: &State,
) -> Result<Option<String>, ProviderError> {
    if let Some(refused) = refused_by_label(head, Over::Known(state)) {
        return Ok(Some(refused));
    }
    // What a run that ended early left open is taken up by the next one, of whichever state.
    let is_told = |label: Label| label.serial < state.serial() || label.is_of(state);
    if copy::has_open(head) || Label::of(head).is_ok_and(is_told) {
        return Ok(None);
    }
    Ok(match read_by(provider, state.stack(), head).await? {
        Ok(copied) if copied.recorded() == state.recorded() => None,
        Ok(_) => Some("it is of another state, which has the serial of the one here".to_owned()),
        Err(error) => Some(error.to_string()),
    })
}
