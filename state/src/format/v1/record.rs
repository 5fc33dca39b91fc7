//! What was last applied at one address, as it stands on disk.

use super::{
    Unreadable, address_of,
    destroy::StoredDestroy,
    edge::StoredEdge,
    json::StoredJson,
    names::{Shared, StoredObject, StoredPath, StoredPaths, path_set, stored_paths},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stackctl_engine::{
    FieldPath,
    digest::Digest,
    document::htpasswd::User,
    graph::Edge,
    recorded::{Origin, Owner, Recorded, RecordedDocument, RecordedFragment, RecordedNode, RecordedObject, Undo},
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredRecord {
    address: String,
    node: StoredNode,
    edges: Vec<StoredEdge>,
    destroy: StoredDestroy,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StoredNode {
    Object(StoredWritten),
    Overlay {
        object: StoredWritten,
        undo: Vec<StoredUndo>,
        documents: Vec<StoredDocument>,
    },
    Gate,
    Action {
        trigger: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredWritten {
    object: StoredObject,
    uid: String,
    origin: StoredOrigin,
    manager: String,
    sent: String,
    manifest: StoredJson,
    fields: StoredPaths,
    sensitive: Vec<StoredPath>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owned: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredOrigin {
    Created,
    Adopted,
}

/// What was there before. A null that was there is not the same as nothing, so this is not an `Option`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredPrior {
    Absent,
    Value(Value),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredUndo {
    path: StoredPath,
    prior: StoredPrior,
    absent_ancestors: Vec<StoredPath>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prior_owner: Option<StoredOwner>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredOwner {
    manager: String,
    by_apply: bool,
}

/// A fragment of a shared text: told apart by its fields, since the first kind came before there were others.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum StoredDocument {
    YamlKey(StoredYamlKey),
    ListItem(StoredListItem),
    Pem(StoredPem),
    Htpasswd(StoredHtpasswd),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredYamlKey {
    at: StoredPath,
    key: String,
    written: Value,
    prior: StoredPrior,
    made_text: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent_ancestors: Vec<StoredPath>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredListItem {
    at: StoredPath,
    by: String,
    written: Value,
    prior: StoredPrior,
    made_text: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent_ancestors: Vec<StoredPath>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredPem {
    at: StoredPath,
    pem: StoredCertificates,
    made_text: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent_ancestors: Vec<StoredPath>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCertificates {
    written: Vec<String>,
    prior: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredHtpasswd {
    at: StoredPath,
    htpasswd: StoredLine,
    made_text: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent_ancestors: Vec<StoredPath>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredLine {
    user: String,
    written: Vec<String>,
    was_there: bool,
}

impl From<&Recorded> for StoredRecord {
    fn from(recorded: &Recorded) -> Self {
        let Recorded {
            address,
            node,
            edges,
            destroy,
        } = recorded;
        Self {
            address: address.to_string(),
            node: node.into(),
            edges: edges.iter().map(StoredEdge::from).collect(),
            destroy: destroy.into(),
        }
    }
}

impl StoredRecord {
    /// The record; what it has in common with others that were read before is shared with them.
    pub(super) fn read(self, shared: &mut Shared) -> Result<Recorded, Unreadable> {
        let Self {
            address,
            node,
            edges,
            destroy,
        } = self;
        Ok(Recorded {
            address: address_of(&address)?,
            node: node.read(shared)?,
            edges: edges.into_iter().map(Edge::try_from).collect::<Result<_, _>>()?,
            destroy: destroy.into(),
        })
    }
}

impl TryFrom<StoredRecord> for Recorded {
    type Error = Unreadable;

    fn try_from(stored: StoredRecord) -> Result<Self, Unreadable> {
        stored.read(&mut Shared::default())
    }
}

impl From<&RecordedNode> for StoredNode {
    fn from(node: &RecordedNode) -> Self {
        match node {
            RecordedNode::Object(object) => Self::Object(object.into()),
            RecordedNode::Overlay {
                object,
                undo,
                documents,
            } => Self::Overlay {
                object: object.into(),
                undo: undo.iter().map(StoredUndo::from).collect(),
                documents: documents.iter().map(StoredDocument::from).collect(),
            },
            RecordedNode::Gate => Self::Gate,
            RecordedNode::Action { trigger } => Self::Action {
                trigger: trigger.to_string(),
            },
        }
    }
}

impl StoredNode {
    fn read(self, shared: &mut Shared) -> Result<RecordedNode, Unreadable> {
        Ok(match self {
            Self::Object(object) => RecordedNode::Object(object.read(shared)?),
            Self::Overlay {
                object,
                undo,
                documents,
            } => RecordedNode::Overlay {
                object: object.read(shared)?,
                undo: undo.into_iter().map(Undo::from).collect(),
                documents: documents
                    .into_iter()
                    .map(RecordedDocument::try_from)
                    .collect::<Result<_, _>>()?,
            },
            Self::Gate => RecordedNode::Gate,
            Self::Action { trigger } => RecordedNode::Action {
                trigger: digest_of(&trigger)?,
            },
        })
    }
}

impl From<&RecordedObject> for StoredWritten {
    fn from(written: &RecordedObject) -> Self {
        let RecordedObject {
            object,
            uid,
            origin,
            manager,
            sent,
            manifest,
            fields,
            sensitive,
            key_id,
            owned,
        } = written;
        Self {
            object: object.into(),
            uid: uid.clone(),
            origin: match origin {
                Origin::Created => StoredOrigin::Created,
                Origin::Adopted => StoredOrigin::Adopted,
            },
            manager: manager.clone(),
            sent: sent.to_string(),
            manifest: StoredJson(manifest.clone()),
            fields: StoredPaths::from(fields.as_ref()),
            sensitive: stored_paths(sensitive),
            key_id: key_id.clone(),
            owned: owned.as_ref().map(ToString::to_string),
        }
    }
}

impl StoredWritten {
    fn read(self, shared: &mut Shared) -> Result<RecordedObject, Unreadable> {
        let Self {
            object,
            uid,
            origin,
            manager,
            sent,
            manifest,
            fields,
            sensitive,
            key_id,
            owned,
        } = self;
        Ok(RecordedObject {
            object: object.into(),
            uid,
            origin: match origin {
                StoredOrigin::Created => Origin::Created,
                StoredOrigin::Adopted => Origin::Adopted,
            },
            manager,
            sent: digest_of(&sent)?,
            manifest: manifest.0,
            fields: shared.paths(fields)?,
            sensitive: path_set(sensitive),
            key_id,
            owned: owned.as_deref().map(digest_of).transpose()?,
        })
    }
}

impl From<Option<&Value>> for StoredPrior {
    fn from(prior: Option<&Value>) -> Self {
        prior.map_or(Self::Absent, |value| Self::Value(value.clone()))
    }
}

impl From<StoredPrior> for Option<Value> {
    fn from(stored: StoredPrior) -> Self {
        match stored {
            StoredPrior::Absent => None,
            StoredPrior::Value(value) => Some(value),
        }
    }
}

impl From<&Undo> for StoredUndo {
    fn from(undo: &Undo) -> Self {
        let Undo {
            path,
            prior,
            absent_ancestors,
            prior_owner,
        } = undo;
        Self {
            path: path.into(),
            prior: prior.as_ref().into(),
            absent_ancestors: stored_paths(absent_ancestors),
            prior_owner: prior_owner.as_ref().map(|Owner { manager, by_apply }| StoredOwner {
                manager: manager.clone(),
                by_apply: *by_apply,
            }),
        }
    }
}

impl From<StoredUndo> for Undo {
    fn from(stored: StoredUndo) -> Self {
        let StoredUndo {
            path,
            prior,
            absent_ancestors,
            prior_owner,
        } = stored;
        Self {
            path: path.into(),
            prior: prior.into(),
            absent_ancestors: absent_ancestors.into_iter().map(FieldPath::from).collect(),
            prior_owner: prior_owner.map(|StoredOwner { manager, by_apply }| Owner { manager, by_apply }),
        }
    }
}

impl From<&RecordedDocument> for StoredDocument {
    fn from(document: &RecordedDocument) -> Self {
        let RecordedDocument {
            at,
            fragment,
            made_text,
            absent_ancestors,
        } = document;
        let (at, made_text) = (at.into(), *made_text);
        let absent_ancestors = absent_ancestors.iter().map(StoredPath::from).collect();
        match fragment {
            RecordedFragment::YamlKey { key, written, prior } => Self::YamlKey(StoredYamlKey {
                at,
                key: key.clone(),
                written: written.clone(),
                prior: prior.as_ref().into(),
                made_text,
                absent_ancestors,
            }),
            RecordedFragment::ListItem { by, written, prior } => Self::ListItem(StoredListItem {
                at,
                by: by.clone(),
                written: written.clone(),
                prior: prior.as_ref().into(),
                made_text,
                absent_ancestors,
            }),
            RecordedFragment::Pem { written, prior } => Self::Pem(StoredPem {
                at,
                pem: StoredCertificates {
                    written: written.iter().map(Digest::to_string).collect(),
                    prior: prior.iter().map(Digest::to_string).collect(),
                },
                made_text,
                absent_ancestors,
            }),
            RecordedFragment::Htpasswd {
                user,
                written,
                was_there,
            } => Self::Htpasswd(StoredHtpasswd {
                at,
                htpasswd: StoredLine {
                    user: user.as_str().to_owned(),
                    written: written.iter().map(Digest::to_string).collect(),
                    was_there: *was_there,
                },
                made_text,
                absent_ancestors,
            }),
        }
    }
}

impl TryFrom<StoredDocument> for RecordedDocument {
    type Error = Unreadable;

    fn try_from(stored: StoredDocument) -> Result<Self, Unreadable> {
        let paths = |stored: Vec<StoredPath>| stored.into_iter().map(FieldPath::from).collect();
        let digests = |texts: Vec<String>| texts.iter().map(|text| digest_of(text)).collect::<Result<_, _>>();
        Ok(match stored {
            StoredDocument::YamlKey(StoredYamlKey {
                at,
                key,
                written,
                prior,
                made_text,
                absent_ancestors,
            }) => Self {
                at: at.into(),
                fragment: RecordedFragment::YamlKey {
                    key,
                    written,
                    prior: prior.into(),
                },
                made_text,
                absent_ancestors: paths(absent_ancestors),
            },
            StoredDocument::ListItem(StoredListItem {
                at,
                by,
                written,
                prior,
                made_text,
                absent_ancestors,
            }) => Self {
                at: at.into(),
                fragment: RecordedFragment::ListItem {
                    by,
                    written,
                    prior: prior.into(),
                },
                made_text,
                absent_ancestors: paths(absent_ancestors),
            },
            StoredDocument::Pem(StoredPem {
                at,
                pem: StoredCertificates { written, prior },
                made_text,
                absent_ancestors,
            }) => Self {
                at: at.into(),
                fragment: RecordedFragment::Pem {
                    written: digests(written)?,
                    prior: digests(prior)?,
                },
                made_text,
                absent_ancestors: paths(absent_ancestors),
            },
            StoredDocument::Htpasswd(StoredHtpasswd {
                at,
                htpasswd:
                    StoredLine {
                        user,
                        written,
                        was_there,
                    },
                made_text,
                absent_ancestors,
            }) => Self {
                at: at.into(),
                fragment: RecordedFragment::Htpasswd {
                    user: User::new(&user).map_err(|error| Unreadable(error.to_string()))?,
                    written: digests(written)?,
                    was_there,
                },
                made_text,
                absent_ancestors: paths(absent_ancestors),
            },
        })
    }
}

fn digest_of(text: &str) -> Result<Digest, Unreadable> {
    Digest::parse(text).ok_or_else(|| Unreadable(format!("`{text}` is not a digest")))
}
