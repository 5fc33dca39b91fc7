//! Some fields of an object that someone else creates.
//!
//! Invariant: an overlay never creates its object, except a shared document that says so: an apply without the object
//! would make one (ssa-semantics §4), so every write carries the uid that was read.

use crate::{
    FieldPath,
    document::{
        DocumentError, Fragment, PEM_PART, RecordedDocument, ResolvedDocument, dropped,
        htpasswd::{Login, Password, Salt, User, login},
        htpasswd_part, item_part,
        pem::certificates,
        set_text, text_at, yaml_part,
    },
    late::{LateError, LateSource, Secrets, Text, all_read, text_of},
    object_key::ObjectRef,
    readiness::{Observation, Rule, Target},
};
use serde_json::Value;
use std::time::Duration;

/// Some fields of somebody else's object, given back on destroy.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlay {
    /// The object; waited for until it is there.
    pub target: ObjectRef,
    /// Our fields, nested as in a manifest, without `apiVersion`, `kind` and `metadata.name`.
    pub fields: Value,
    /// Our fragments of shared texts inside the object.
    pub documents: Vec<Document>,
    /// When the object, with our fields, is ready.
    pub ready: Rule,
    /// How long the verdict has to stand after a write that changed something, while its status is still the one of
    /// before: for kinds whose status says of no generation that it has seen it. Zero for most.
    pub settle: Duration,
    /// Whether an absent object is made, with nothing but our documents in it: only for shared documents that a
    /// fresh cluster does not have.
    pub create_if_absent: bool,
}

/// One value in a text that others write too.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where the text stands in the object: `data["config.yaml"]`.
    pub at: FieldPath,
    /// How the text is read, and which part of it is ours.
    pub codec: DocumentCodec,
}

/// How a shared text is read and which part of it is ours.
#[derive(Clone, Debug, PartialEq)]
pub enum DocumentCodec {
    /// One key at the top level of a YAML text, with a scalar value.
    YamlKey {
        /// The key.
        key: String,
        /// Its value: a text, a number or a boolean.
        value: Value,
    },
    /// One item of a list that the server knows only as a whole, and others add to as well.
    ListItem {
        /// The field that tells items apart.
        by: String,
        /// The item, that field included.
        item: Value,
    },
    /// Certificates in a text of PEM blocks that others add to as well.
    Pem {
        /// Where they come from: an object or a person. All certificates there are ours, and nothing else there is.
        certificates: LateSource,
    },
    /// The line of one user in a text of `user:hash` lines that others add to as well.
    ///
    /// A user whose line was there before us is taken as it is, if the password lets it in, and stays on destroy; with
    /// another password it is an error of the plan.
    Htpasswd {
        /// The user; one document for each.
        user: User,
        /// Where the password comes from: an object or a person. It cannot be drawn, since nobody could read it again.
        password: LateSource,
    },
}

impl Overlay {
    /// An overlay of plain fields that is ready once they are written.
    pub fn new(target: ObjectRef, fields: Value) -> Self {
        Self {
            target,
            fields,
            documents: Vec::new(),
            ready: Rule::Exists,
            settle: Duration::ZERO,
            create_if_absent: false,
        }
    }
}

impl Document {
    /// The path of the fragment: the text's own path and the part of it.
    pub fn path(&self) -> FieldPath {
        self.at.field(&match &self.codec {
            DocumentCodec::YamlKey { key, .. } => yaml_part(key),
            DocumentCodec::ListItem { by, item } => item_part(by, &item[by.as_str()]),
            DocumentCodec::Pem { .. } => PEM_PART.to_owned(),
            DocumentCodec::Htpasswd { user, .. } => htpasswd_part(user),
        })
    }

    /// Where a part of it comes from that the stack does not say itself.
    pub fn late(&self) -> Option<&LateSource> {
        match &self.codec {
            DocumentCodec::YamlKey { .. } | DocumentCodec::ListItem { .. } => None,
            DocumentCodec::Pem { certificates } => Some(certificates),
            DocumentCodec::Htpasswd { password, .. } => Some(password),
        }
    }

    /// The fragment, if the stack says all of it.
    pub fn said(&self) -> Option<ResolvedDocument> {
        match &self.codec {
            DocumentCodec::YamlKey { key, value } => Some(self.with(Fragment::yaml_key(key, value))),
            DocumentCodec::ListItem { by, item } => Some(self.with(Fragment::ListItem {
                by: by.clone(),
                item: item.clone(),
            })),
            DocumentCodec::Pem { .. } | DocumentCodec::Htpasswd { .. } => None,
        }
    }

    /// The fragment with its late value in place, or with what that waits for.
    ///
    /// `live` is the object as it is. With `commit` false (a plan) nothing is drawn: a line that would be written is to
    /// come.
    ///
    /// # Errors
    /// When a late value cannot be read, or is not what it should be.
    pub fn resolve(
        &self,
        live: Option<&Value>,
        other: impl Fn(&ObjectRef) -> Option<Value>,
        secrets: &impl Secrets,
        commit: bool,
    ) -> Result<ResolvedDocument, LateError> {
        let what = match &self.codec {
            DocumentCodec::Htpasswd { user, .. } => format!("the password of {user}"),
            DocumentCodec::Pem { .. } => "what should be certificates".to_owned(),
            DocumentCodec::YamlKey { .. } | DocumentCodec::ListItem { .. } => self.path().to_string(),
        };
        let unfit = |error: DocumentError| LateError::Unfit {
            what: what.clone(),
            why: error.to_string(),
        };
        let fragment = match &self.codec {
            DocumentCodec::YamlKey { key, value } => Fragment::yaml_key(key, value),
            DocumentCodec::ListItem { by, item } => Fragment::ListItem {
                by: by.clone(),
                item: item.clone(),
            },
            DocumentCodec::Pem { certificates: source } => match text_of(source, &what, other, secrets)? {
                Text::After(after) => Fragment::PemToCome { after },
                Text::Known(text) => Fragment::Pem(certificates(&text).map_err(unfit)?),
            },
            DocumentCodec::Htpasswd { user, password } => Fragment::Htpasswd {
                user: user.clone(),
                login: match text_of(password, &what, other, secrets)? {
                    Text::After(after) => Login::After(after),
                    Text::Known(password) => {
                        let password = Password::new(password).map_err(unfit)?;
                        let salt = commit.then(|| Salt::draw(secrets));
                        // A text that cannot be read is an error of the write.
                        let text = live.and_then(|live| text_at(live, &self.at).ok().flatten());
                        login(text.as_deref().unwrap_or_default(), user, &password, salt.as_ref())
                    }
                },
            },
        };
        Ok(self.with(fragment))
    }

    fn with(&self, fragment: Fragment) -> ResolvedDocument {
        ResolvedDocument {
            at: self.at.clone(),
            fragment,
        }
    }
}

impl Overlay {
    /// The body of an apply: our fields, and each shared text with our fragment in it.
    ///
    /// `live` is the object as it is; without it the body makes one that holds nothing else. `last` is what was recorded
    /// of its texts: what is no longer ours is taken out, unless it is not what we wrote any more.
    ///
    /// # Errors
    /// When a shared text cannot be edited without touching what others wrote.
    pub fn body(
        &self,
        live: Option<&Value>,
        documents: &[ResolvedDocument],
        last: &[RecordedDocument],
    ) -> Result<Value, DocumentError> {
        let mut body = if self.fields.is_null() {
            serde_json::json!({})
        } else {
            self.fields.clone()
        };
        body["apiVersion"] = Value::from(self.target.object_type.api_version.as_str());
        body["kind"] = Value::from(self.target.object_type.kind.as_str());
        body["metadata"]["name"] = Value::from(self.target.name.as_str());
        if let Some(namespace) = &self.target.namespace {
            body["metadata"]["namespace"] = Value::from(namespace.as_str());
        }
        // A text with two of our parts is in the body already.
        let text_in = |body: &Value, at: &FieldPath| match (text_at(body, at)?, live) {
            (None, Some(live)) => text_at(live, at),
            (text, _) => Ok(text),
        };
        for gone in dropped(documents, last) {
            let Some(text) = text_in(&body, &gone.at)? else {
                continue;
            };
            if documents.iter().all(|document| document.at != gone.at) {
                return Err(DocumentError::NothingLeft { at: gone.at.clone() });
            }
            if let Ok(text) = gone.fragment.restore_in(&text) {
                set_text(&mut body, &gone.at, &text, gone.fragment.is_list());
            }
        }
        for document in documents {
            let text = text_in(&body, &document.at)?.unwrap_or_default();
            let before = document.last(last).map(|last| &last.fragment);
            let text = document.fragment.write_to(&text, before)?;
            set_text(&mut body, &document.at, &text, document.fragment.is_list());
        }
        Ok(body)
    }

    /// Its fragments with their late values in place, or what those wait for; see [`Document::resolve`].
    ///
    /// # Errors
    /// When late values cannot be read (then all of them are named), or one is not what it should be.
    pub fn resolve(
        &self,
        live: Option<&Value>,
        other: impl Fn(&ObjectRef) -> Option<Value>,
        secrets: &impl Secrets,
        commit: bool,
    ) -> Result<Vec<ResolvedDocument>, LateError> {
        let mut resolved = Vec::new();
        let mut missing = Vec::new();
        for document in &self.documents {
            match document.resolve(live, &other, secrets, commit) {
                Err(LateError::Input { whys }) => missing.extend(whys),
                answer => resolved.push(answer?),
            }
        }
        all_read(missing)?;
        Ok(resolved)
    }

    /// Those of its fragments that the stack says all of.
    pub fn said(&self) -> Vec<ResolvedDocument> {
        self.documents.iter().filter_map(Document::said).collect()
    }

    /// Its readiness as an observation of its target.
    pub fn observation(&self) -> Observation {
        Observation::new(Target::Named(self.target.clone()), self.ready.clone())
    }
}
