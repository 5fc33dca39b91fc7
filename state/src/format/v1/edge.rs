//! An edge, as it stands on disk.

use super::{Unreadable, address_of};
use serde::{Deserialize, Serialize};
use stackctl_engine::graph::{Edge, EdgeClass, EdgeSource, Until};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredEdge {
    from: String,
    to: String,
    until: StoredUntil,
    reason: String,
    class: StoredClass,
    source: StoredSource,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredUntil {
    Applied,
    Ready,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredClass {
    Needs,
    Contains,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredSource {
    Namespace,
    Provider,
    SameObject,
    Late,
    Declared,
}

impl From<&Edge> for StoredEdge {
    fn from(edge: &Edge) -> Self {
        let Edge {
            from,
            to,
            until,
            reason,
            class,
            source,
        } = edge;
        Self {
            from: from.to_string(),
            to: to.to_string(),
            until: match until {
                Until::Applied => StoredUntil::Applied,
                Until::Ready => StoredUntil::Ready,
            },
            reason: reason.clone(),
            class: match class {
                EdgeClass::Needs => StoredClass::Needs,
                EdgeClass::Contains => StoredClass::Contains,
            },
            source: match source {
                EdgeSource::Namespace => StoredSource::Namespace,
                EdgeSource::Provider => StoredSource::Provider,
                EdgeSource::SameObject => StoredSource::SameObject,
                EdgeSource::Late => StoredSource::Late,
                EdgeSource::Declared => StoredSource::Declared,
            },
        }
    }
}

impl TryFrom<StoredEdge> for Edge {
    type Error = Unreadable;

    fn try_from(stored: StoredEdge) -> Result<Self, Unreadable> {
        let StoredEdge {
            from,
            to,
            until,
            reason,
            class,
            source,
        } = stored;
        Ok(Self {
            from: address_of(&from)?,
            to: address_of(&to)?,
            until: match until {
                StoredUntil::Applied => Until::Applied,
                StoredUntil::Ready => Until::Ready,
            },
            reason,
            class: match class {
                StoredClass::Needs => EdgeClass::Needs,
                StoredClass::Contains => EdgeClass::Contains,
            },
            source: match source {
                StoredSource::Namespace => EdgeSource::Namespace,
                StoredSource::Provider => EdgeSource::Provider,
                StoredSource::SameObject => EdgeSource::SameObject,
                StoredSource::Late => EdgeSource::Late,
                StoredSource::Declared => EdgeSource::Declared,
            },
        })
    }
}
