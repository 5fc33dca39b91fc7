//! The copy follows what is recorded without an effect: `state mv`, `rm` and `push`, `import`, `--refresh-only`.
//!
//! Invariants:
//! - What was changed here is a state that the copy was of, or an older one of its line; else the copy stays, and it is said.
//! - What a run left open in it stays open in it, until a run has taken it up.

use super::{
    in_words, keep_over, look,
    over::{Over, overtaken, refused_by_label},
    read, remove, unread,
};
use crate::{
    commands::{
        cluster::{Cluster, Use},
        known::problem,
        lease as held, runtime,
    },
    error::{Error, Problem},
    settings::Settings,
    views,
};
use stackctl_engine::{Address, execute::Intent, recorded::Recorded};
use stackctl_state::{
    State, StateLock,
    copy::{self, Label},
};

/// After a command that changes what is recorded and nothing else: the copy is of the state as it is now, or it is said
/// that it is not. Without it, a rebuild would bring back what was let go. A copy of another line stays as it is, and so
/// does one that is of no state which was changed here (`over`); and any while another run is at work.
pub(in super::super) async fn follow(
    settings: &Settings,
    cluster: &Cluster,
    lock: &StateLock,
    state: &State,
    over: Over<'_>,
) {
    if let Err(error) = followed(cluster, lock, state, over).await {
        say_that_it_does_not(settings, &error);
    }
}

/// The same for a command that needs no cluster otherwise. `context` is the stack's own choice.
pub(in super::super) fn follow_elsewhere(
    settings: &Settings,
    context: Option<&str>,
    lock: &StateLock,
    state: &State,
    over: Over<'_>,
) {
    let reached = runtime::block_on(async {
        let cluster = Cluster::open(settings, context, Use::Write).await?;
        let followed = followed(&cluster, lock, state, over).await;
        cluster.close().await;
        followed
    });
    if let Err(error) = reached {
        say_that_it_does_not(settings, &error);
    }
}

async fn followed(cluster: &Cluster, lock: &StateLock, state: &State, over: Over<'_>) -> Result<(), Error> {
    let provider = &cluster.provider;
    state.check_cluster(&cluster.id).map_err(problem)?;
    held::is_free(provider, state.stack(), &held::holder(lock)).await?;
    let mut open = Vec::new();
    let refused = match (look(cluster, state.stack()).await?.head, over) {
        (None, _) if state.is_empty() => return Ok(()),
        (None, _) => None,
        (Some(head), Over::Known(before)) => {
            let overtaken = overtaken(provider, &head, before).await;
            let refused = overtaken.map_err(|error| unread(&error))?;
            if refused.is_none() && copy::has_open(&head) {
                let copied = read(cluster, state.stack(), &head).await?;
                open = still_open(&copied, before, state);
            }
            refused
        }
        (Some(head), Over::Pushed(_)) => refused_by_label(&head, over),
        (Some(head), Over::Any) => {
            let is_another = Label::of(&head).is_ok_and(|label| label.lineage != state.lineage());
            is_another.then(|| "it is of another state".to_owned())
        }
    };
    match refused {
        Some(refused) => Err(Problem::new(refused).into()),
        None if state.is_empty() && open.is_empty() => Ok(remove(provider, state, over).await?),
        None => Ok(keep_over(provider, state, &open, over).await.map(drop)?),
    }
}

/// What a run that did not come to its end left open in a copy, but for what was let go here.
fn still_open(copied: &State, before: &State, now: &State) -> Vec<Recorded> {
    let is_let_go =
        |address: &Address| before.recorded().contains_key(address) && !now.recorded().contains_key(address);
    let write = |intent: &Intent| match intent {
        Intent::Write(record) if !is_let_go(&record.address) => Some((**record).clone()),
        Intent::Write(_) | Intent::Delete { .. } | Intent::Act { .. } => None,
    };
    copied.open_intents().iter().filter_map(write).collect()
}

fn say_that_it_does_not(settings: &Settings, error: &Error) {
    let what = views::state::copy_does_not_follow(&in_words(error));
    views::tell(&views::diagnostic::warning(&what, &settings.err));
}
