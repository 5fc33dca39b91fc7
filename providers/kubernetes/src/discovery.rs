//! Which kinds the server has, read one group and version at a time.
//!
//! Invariants:
//! - Each group and version is read once, however many requests want it, and only if one does: a cluster has hundreds.
//! - That a kind is *not* served is never believed from memory: it may have been added since.

use crate::{
    path,
    transport::{Accepted, Answer, Transport},
};
use serde::Deserialize;
use stackctl_engine::{ObjectType, execute::ProviderError};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

/// How a kind is requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    /// The name in paths.
    pub(crate) plural: String,
    /// Whether its objects lie in namespaces.
    pub(crate) is_namespaced: bool,
}

/// The kinds of one group and version.
type Kinds = BTreeMap<String, Served>;
/// Filled by the first who needs it; the others wait for that one request.
type Cell = Arc<OnceCell<Kinds>>;

/// What was learnt so far.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    cells: Mutex<BTreeMap<String, Cell>>,
}

#[derive(Deserialize)]
struct ResourceList {
    #[serde(default)]
    resources: Vec<ListedResource>,
}

#[derive(Deserialize)]
struct ListedResource {
    name: String,
    kind: String,
    namespaced: bool,
}

impl Discovery {
    /// How a kind is requested.
    ///
    /// # Errors
    /// [`ProviderError::KindNotServed`] when the server, asked now, does not have it in this version; or whatever kept
    /// us from asking.
    pub(crate) async fn find(&self, transport: &Transport, object_type: &ObjectType) -> Result<Served, ProviderError> {
        let cell = self.cell(object_type);
        let was_known = cell.initialized();
        let found = kinds(&cell, transport, object_type)
            .await?
            .get(&object_type.kind)
            .cloned();
        match found {
            Some(served) => Ok(served),
            None if was_known => self.find_again(transport, object_type, &cell).await,
            None => Err(ProviderError::KindNotServed(object_type.clone())),
        }
    }

    /// Like [`Discovery::find`], for one who has seen that what is remembered is wrong.
    pub(crate) async fn refresh(
        &self,
        transport: &Transport,
        object_type: &ObjectType,
    ) -> Result<Served, ProviderError> {
        let stale = self.cell(object_type);
        self.find_again(transport, object_type, &stale).await
    }

    async fn find_again(
        &self,
        transport: &Transport,
        object_type: &ObjectType,
        stale: &Cell,
    ) -> Result<Served, ProviderError> {
        let cell = self.replace(object_type, stale);
        let kinds = kinds(&cell, transport, object_type).await?;
        let served = kinds.get(&object_type.kind).cloned();
        served.ok_or_else(|| ProviderError::KindNotServed(object_type.clone()))
    }

    fn cell(&self, object_type: &ObjectType) -> Cell {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(object_type.api_version.clone()).or_default())
    }

    /// An empty cell in place of the stale one, unless somebody else has already replaced it.
    fn replace(&self, object_type: &ObjectType, stale: &Cell) -> Cell {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = cells.entry(object_type.api_version.clone()).or_default();
        if Arc::ptr_eq(cell, stale) {
            *cell = Cell::default();
        }
        Arc::clone(cell)
    }
}

async fn kinds<'a>(
    cell: &'a Cell,
    transport: &Transport,
    object_type: &ObjectType,
) -> Result<&'a Kinds, ProviderError> {
    cell.get_or_try_init(|| read(transport, object_type)).await
}

/// A group or version that is not served is a plain 404, and serves nothing (ssa-semantics §7).
async fn read(transport: &Transport, object_type: &ObjectType) -> Result<Kinds, ProviderError> {
    let path = path::of_group_version(&object_type.api_version);
    match transport.get(&path).await? {
        Answer::Accepted(Accepted { body, .. }) => {
            let list: ResourceList = transport.parse(&path, &body)?;
            let whole_kinds = list
                .resources
                .into_iter()
                .filter(|resource| !resource.name.contains('/'));
            Ok(whole_kinds.map(served).collect())
        }
        Answer::Refused(refusal) if refusal.code == 404 => Ok(Kinds::new()),
        Answer::Refused(refusal) => Err(crate::error::meaning(
            &refusal,
            crate::error::Subject {
                object_type,
                is_in_namespace: false,
            },
        )),
    }
}

fn served(resource: ListedResource) -> (String, Served) {
    let served = Served {
        plural: resource.name,
        is_namespaced: resource.namespaced,
    };
    (resource.kind, served)
}
