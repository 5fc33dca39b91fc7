//! What of a shared text is ours, as desired; `recorded` beside this is the same as it was written.
//!
//! Every codec is a variant here and one file beside this one; who plans, writes, undoes or shows an overlay asks here
//! and knows no codec.

use super::{
    DocumentError,
    htpasswd::{self, Login, User},
    list::{item, with_item},
    pem::{self, Certificate},
    recorded::{
        PEM_PART, RecordedDocument, RecordedFragment, htpasswd_part, item_part, shown, written_and_prior, yaml_part,
    },
    yaml::{with_yaml_key, yaml_key},
};
use crate::{FieldPath, address::Address, digest::Digest};
use serde_json::Value;

/// What is to stand in a shared text as ours, its late values known as far as they can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Fragment {
    /// One key of a YAML text.
    YamlKey {
        /// The key.
        key: String,
        /// Its value.
        value: Value,
    },
    /// One item of a list.
    ListItem {
        /// The field that tells items apart.
        by: String,
        /// The item.
        item: Value,
    },
    /// Certificates in a PEM text.
    Pem(Vec<Certificate>),
    /// Certificates in a PEM text, known only after that resource is ready.
    PemToCome {
        /// The resource.
        after: Address,
    },
    /// One user's line in an htpasswd text.
    Htpasswd {
        /// The user.
        user: User,
        /// What is to stand there for it.
        login: Login,
    },
}

/// A fragment and the text that it belongs in.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedDocument {
    /// Where the text stands in the object.
    pub at: FieldPath,
    /// Our part of it.
    pub fragment: Fragment,
}

/// What stands in a text for certificates that a plan does not know, so that the server says what else would happen.
const PLACEHOLDER: &str = "known-after-apply\n";

impl ResolvedDocument {
    /// What was recorded of this part of this text.
    pub fn last<'a>(&self, recorded: &'a [RecordedDocument]) -> Option<&'a RecordedDocument> {
        recorded
            .iter()
            .find(|last| last.at == self.at && self.fragment.is_of(&last.fragment))
    }

    /// The path of our part: of the text and in it.
    pub fn path(&self) -> FieldPath {
        self.at.field(&match &self.fragment {
            Fragment::YamlKey { key, .. } => yaml_part(key),
            Fragment::ListItem { by, item } => item_part(by, &item[by.as_str()]),
            Fragment::Pem(_) | Fragment::PemToCome { .. } => PEM_PART.to_owned(),
            Fragment::Htpasswd { user, .. } => htpasswd_part(user),
        })
    }

    /// What is recorded once it is written to a text, or, where it is not known yet, what was.
    pub fn recorded(&self, text: Option<&str>, last: Option<&RecordedDocument>) -> Option<RecordedDocument> {
        let before = last.map(|last| &last.fragment);
        let fragment = match &self.fragment {
            Fragment::YamlKey { key, value } => RecordedFragment::YamlKey {
                key: key.clone(),
                written: value.clone(),
                prior: match before {
                    Some(RecordedFragment::YamlKey { prior, .. }) => prior.clone(),
                    _ => text.and_then(|text| yaml_key(text, key).ok().flatten()),
                },
            },
            Fragment::ListItem { by, item: ours } => RecordedFragment::ListItem {
                by: by.clone(),
                written: ours.clone(),
                prior: match before {
                    Some(RecordedFragment::ListItem { prior, .. }) => prior.clone(),
                    _ => text.and_then(|text| item(text, by, &ours[by.as_str()])),
                },
            },
            Fragment::Pem(certificates) => {
                let written = digests(certificates);
                let (known, kept) = written_and_prior(before);
                let there = pem::present(text.unwrap_or_default(), &written);
                let was_there = |digest: &&Digest| {
                    let before_us = if known.contains(digest) { kept } else { &there };
                    before_us.contains(digest)
                };
                RecordedFragment::Pem {
                    prior: written.iter().filter(was_there).copied().collect(),
                    written,
                }
            }
            Fragment::PemToCome { .. } => before?.clone(),
            Fragment::Htpasswd { user, login } => recorded_login(user, login, before)?,
        };
        Some(RecordedDocument {
            at: self.at.clone(),
            fragment,
            made_text: last.map_or(text.is_none(), |last| last.made_text),
            absent_ancestors: last.map_or_else(Vec::new, |last| last.absent_ancestors.clone()),
        })
    }

    /// What of a text is ours, or will be; for people, unless it [is secret](Fragment::is_secret).
    pub fn ours_in(&self, text: &str, last: Option<&RecordedDocument>) -> Option<Value> {
        let (written, _) = written_and_prior(last.map(|last| &last.fragment));
        let wanted = match &self.fragment {
            Fragment::YamlKey { key, .. } => return yaml_key(text, key).ok().flatten(),
            Fragment::ListItem { by, item: ours } => return item(text, by, &ours[by.as_str()]),
            Fragment::Pem(certificates) => digests(certificates),
            Fragment::PemToCome { .. } => Vec::new(),
            Fragment::Htpasswd { user, .. } => return htpasswd::present(text, user).and_then(|line| shown(&[line])),
        };
        let new = wanted.iter().filter(|digest| !written.contains(digest));
        let ours: Vec<_> = written.iter().chain(new).copied().collect();
        shown(&pem::present(text, &ours))
    }
}

impl Fragment {
    /// One key of a YAML text.
    pub fn yaml_key(key: &str, value: &Value) -> Self {
        Self::YamlKey {
            key: key.to_owned(),
            value: value.clone(),
        }
    }

    fn is_of(&self, recorded: &RecordedFragment) -> bool {
        match (self, recorded) {
            (Self::YamlKey { key, .. }, RecordedFragment::YamlKey { key: other, .. }) => key == other,
            (Self::ListItem { by, item }, RecordedFragment::ListItem { by: other, written, .. }) => {
                by == other && item[by.as_str()] == written[by.as_str()]
            }
            (Self::Pem(_) | Self::PemToCome { .. }, RecordedFragment::Pem { .. }) => true,
            (Self::Htpasswd { user, .. }, RecordedFragment::Htpasswd { user: other, .. }) => user == other,
            (
                Self::YamlKey { .. }
                | Self::ListItem { .. }
                | Self::Pem(_)
                | Self::PemToCome { .. }
                | Self::Htpasswd { .. },
                _,
            ) => false,
        }
    }

    /// Whether nobody may see what of a text it is, not even its digest.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Htpasswd { .. })
    }

    /// What it waits for, if it is not known before.
    pub fn waits_for(&self) -> Option<&Address> {
        match self {
            Self::PemToCome { after }
            | Self::Htpasswd {
                login: Login::After(after),
                ..
            } => Some(after),
            Self::YamlKey { .. } | Self::ListItem { .. } | Self::Pem(_) | Self::Htpasswd { .. } => None,
        }
    }

    /// Whether the text is a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::ListItem { .. })
    }

    /// The text with our part in it, and without what was ours before and is not any more.
    ///
    /// # Errors
    /// When the text cannot be edited without touching what others wrote.
    pub fn write_to(&self, text: &str, last: Option<&RecordedFragment>) -> Result<String, DocumentError> {
        match self {
            Self::YamlKey { key, value } => with_yaml_key(text, key, Some(value)),
            Self::ListItem { by, item } => with_item(text, by, &item[by.as_str()], Some(item)),
            Self::Pem(certificates) => {
                let wanted = digests(certificates);
                let (written, prior) = written_and_prior(last);
                let is_old = |digest: &&Digest| !wanted.contains(digest) && !prior.contains(digest);
                let old: Vec<_> = written.iter().filter(is_old).copied().collect();
                pem::with(&pem::without(text, &old), certificates)
            }
            Self::PemToCome { .. } => Ok(format!("{text}{PLACEHOLDER}")),
            Self::Htpasswd { user, login } => {
                let is_ours = matches!(last, Some(RecordedFragment::Htpasswd { was_there: false, .. }));
                htpasswd::with(text, user, login, is_ours)
            }
        }
    }
}

pub(crate) fn digests(certificates: &[Certificate]) -> Vec<Digest> {
    certificates.iter().map(Certificate::digest).collect()
}

/// What is recorded of a user's line once it is as it is to be; where it is not known yet, what was.
fn recorded_login(user: &User, login: &Login, before: Option<&RecordedFragment>) -> Option<RecordedFragment> {
    let (written, was_there) = match (login, before) {
        (Login::Written(line), _) => (line.digest(), false),
        (Login::Kept(line), Some(RecordedFragment::Htpasswd { written, was_there, .. })) if written.contains(line) => {
            (*line, *was_there)
        }
        (Login::Kept(line), None) => (*line, true),
        // Somebody wrote it anew with the same password: it is not ours by that.
        (Login::Kept(_) | Login::ToCome | Login::After(_), _) => return before.cloned(),
    };
    Some(RecordedFragment::Htpasswd {
        user: user.clone(),
        written: vec![written],
        was_there,
    })
}

/// What was recorded of parts that are not wanted any more.
pub(crate) fn dropped<'a>(
    wanted: &'a [ResolvedDocument],
    recorded: &'a [RecordedDocument],
) -> impl Iterator<Item = &'a RecordedDocument> {
    let is_wanted = |last: &RecordedDocument| {
        let mut same_text = wanted.iter().filter(|document| document.at == last.at);
        same_text.any(|document| document.fragment.is_of(&last.fragment))
    };
    recorded.iter().filter(move |last| !is_wanted(last))
}
