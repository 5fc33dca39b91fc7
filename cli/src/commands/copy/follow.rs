//! The copy follows what is recorded without an effect: `state mv`, `rm` and `push`, `import`, `--refresh-only`.
//!
//! Invariants:
//! - What was changed here is a state that the copy was of, or an older one of its line; else the copy stays, and it is said.
//! - What a run left open in it stays, until a run has taken it up.

use super::{
    in_words, keep_over, look,
    over::{Over, overtaken, refused_by_label},
    remove, unread,
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
    let refused = match (look(cluster, state.stack()).await?.head, over) {
        (None, _) if state.is_empty() => return Ok(()),
        (None, _) => None,
        (Some(head), Over::Known(_)) if copy::has_open(&head) => {
            Some("a run that ended early left something in it, which the next apply or destroy takes up".to_owned())
        }
        (Some(head), Over::Known(known)) => overtaken(provider, &head, known)
            .await
            .map_err(|error| unread(&error))?,
        (Some(head), Over::Pushed(_)) => refused_by_label(&head, over),
        (Some(head), Over::Any) => {
            let is_another = Label::of(&head).is_ok_and(|label| label.lineage != state.lineage());
            is_another.then(|| "it is of another state".to_owned())
        }
    };
    match refused {
        Some(refused) => Err(Problem::new(refused).into()),
        None if state.is_empty() => Ok(remove(provider, state, over).await?),
        None => Ok(keep_over(provider, state, &[], over).await.map(drop)?),
    }
}

fn say_that_it_does_not(settings: &Settings, error: &Error) {
    let what = views::state::copy_does_not_follow(&in_words(error));
    views::tell(&views::diagnostic::warning(&what, &settings.err));
}
