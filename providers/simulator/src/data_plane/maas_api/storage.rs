//! Which keys a pod of maas-api can read: what it learned of its database when it started, and whether that answers now.
//!
//! Source: reference/serving.md §1.7, §1.10 (the Secret is read once, when the pod starts), P4, P8, P9.
//!
//! Invariant: a pod that cannot reach its database is not started, and tries again when it is asked.

use serde_json::Value;

use super::super::endpoints;
use super::Shared;
use super::database::{self, Place, Target};
use super::keys::Key;
use crate::operators::kinds::{PVC, SECRET};
use crate::operators::object::Read;

/// Where maas-api of the newer generation runs, and its Secret (reference/serving.md §1.7).
const NAMESPACE: &str = "redhat-ods-applications";
const DATABASE_SECRET: &str = "maas-db-config";

/// Why keys cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// maas-api started without the URL of one.
    NoDatabase,
    /// It is not there, has no tables, or refuses the password.
    NoAnswer,
}

/// Keys that can be read.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    target: Target,
    name: String,
}

impl Shared {
    /// Lends the keys of a storage and keeps what became of them; none where the database does not answer any more.
    pub(super) fn with_keys<T>(&self, storage: &Storage, with: impl FnOnce(&mut Vec<Key>) -> T) -> Option<T> {
        self.with_databases(|databases| databases.keys(&storage.target, &storage.name).map(with))
    }
}

pub(super) async fn storage(shared: &Shared, pod: &Value) -> Result<Storage, Unreadable> {
    started(shared, pod).await;
    let known = shared.with_databases(|databases| databases.known(pod.uid()).cloned());
    let target = known.ok_or(Unreadable::NoAnswer)?.ok_or(Unreadable::NoDatabase)?;
    let name = named(shared, &target).await.ok_or(Unreadable::NoAnswer)?;
    let storage = Storage { target, name };
    let answers = shared.with_keys(&storage, |_| ()).is_some();
    answers.then_some(storage).ok_or(Unreadable::NoAnswer)
}

/// Returns what the files of a database are known by.
async fn named(shared: &Shared, target: &Target) -> Option<String> {
    Some(match shared.view.read(|world| target.place(world))? {
        Place::Pod(uid) => format!("pod {uid}"),
        Place::Claim(namespace, name) => {
            let claim = shared.view.get(PVC, &namespace, &name).await?;
            format!("claim {}", claim.uid())
        }
        Place::Elsewhere(name) => format!("elsewhere {name}"),
    })
}

/// Lets every pod of maas-api that has become Ready read its Secret, and forgets those that are gone.
pub(in crate::data_plane) async fn attend(shared: &Shared) {
    let pods = shared.view.read(|world| endpoints::maas_api(world, NAMESPACE));
    shared.with_databases(|databases| databases.retain(|known| pods.iter().any(|pod| pod.uid() == known)));
    for pod in pods.iter().filter(|pod| pod.is("Ready")) {
        started(shared, pod).await;
    }
}

/// Lets a pod read its Secret and make its tables, if it has not. One that cannot reach its database is not started.
async fn started(shared: &Shared, pod: &Value) {
    if pod.namespace() != NAMESPACE || shared.with_databases(|databases| databases.known(pod.uid()).is_some()) {
        return;
    }
    let secret = shared.view.get(SECRET, NAMESPACE, DATABASE_SECRET).await;
    let target = secret
        .as_ref()
        .and_then(database::url_in)
        .and_then(|url| Target::parse(&url));
    let target = match target {
        None => None,
        Some(target) => match named(shared, &target).await {
            Some(name) => Some((target, name)),
            None => return,
        },
    };
    shared.with_databases(|databases| databases.start(pod.uid(), target));
}
