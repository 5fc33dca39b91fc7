//! Puts late values in their places, in memory and just before a request.

use super::{Encoding, Late, LateSource, SecretInput};
use crate::{FieldPath, address::Address, manifest::Manifest, object_key::ObjectRef};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// Fresh letters and a person's secrets, all of them at hand.
pub trait Secrets {
    /// Draws that many letters and digits from a secure source.
    fn draw(&self, length: usize) -> String;

    /// A secret that a person supplies.
    ///
    /// # Errors
    /// Why it could not be read, without any of it.
    fn input(&self, input: &SecretInput) -> Result<String, String>;
}

/// A manifest with its late values in place.
#[derive(Clone, PartialEq)]
pub struct Resolved {
    /// What is sent.
    pub body: Value,
    /// Paths whose value is not known yet and stands in `body` as a placeholder, with the resource that it waits for.
    pub unknown: Vec<(FieldPath, String)>,
}

/// Why a late value cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LateError {
    /// The value in use is gone, and a new one would not be it.
    #[error("the generated value at {path} is gone while {user} still uses the old one")]
    Lost {
        /// Where it should go.
        path: FieldPath,
        /// The object that was made with it.
        user: ObjectRef,
    },
    /// Secrets or files of a person could not be read; all of one resource are in one error.
    #[error("{}", whys.join("; "))]
    Input {
        /// What the shell said of each, which names the variable, file or command.
        whys: Vec<String>,
    },
    /// The value is there, and not what it should be.
    #[error("{what} cannot be used: {why}")]
    Unfit {
        /// What it is, for people.
        what: String,
        /// Why not, without any of it.
        why: String,
    },
}

impl std::fmt::Debug for Resolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The body may hold secrets.
        f.debug_struct("Resolved")
            .field("unknown", &self.unknown)
            .finish_non_exhaustive()
    }
}

/// Resolves the late values of a manifest.
///
/// `live` is the object as it is now; `other` looks up an object that a late value refers to. With `commit` false (a
/// plan), a value that would be drawn or is not there yet is a placeholder, and said so.
///
/// # Errors
/// When a generated value is lost, or secrets cannot be read: then all of them are named.
pub fn resolve(
    manifest: &Manifest,
    live: Option<&Value>,
    other: impl Fn(&ObjectRef) -> Option<Value>,
    secrets: &impl Secrets,
    commit: bool,
) -> Result<Resolved, LateError> {
    let mut resolved = Resolved {
        body: manifest.value().clone(),
        unknown: Vec::new(),
    };
    // Templates come last: they are made of the others.
    let (templates, plain): (Vec<_>, Vec<_>) = manifest
        .late()
        .iter()
        .partition(|late| matches!(late.source, LateSource::Template { .. }));
    let mut missing = Vec::new();
    for late in plain.into_iter().chain(templates) {
        let text = match one(late, manifest, live, &other, secrets, commit, &mut resolved) {
            Err(LateError::Input { whys }) => {
                missing.extend(whys);
                continue;
            }
            answer => answer?,
        };
        let written = match late.encoding {
            Encoding::Plain => text,
            Encoding::Base64 => STANDARD.encode(text),
        };
        late.path.set(&mut resolved.body, Value::from(written));
    }
    all_read(missing)?;
    Ok(resolved)
}

/// Refuses to go on when something could not be read; of several reasons each is said once.
pub(crate) fn all_read(mut missing: Vec<String>) -> Result<(), LateError> {
    if missing.is_empty() {
        return Ok(());
    }
    let mut seen = std::collections::BTreeSet::new();
    missing.retain(|why| seen.insert(why.clone()));
    Err(LateError::Input { whys: missing })
}

/// What stands for a value that a plan does not know.
const PLACEHOLDER: &str = "known-after-apply";

fn one(
    late: &Late,
    manifest: &Manifest,
    live: Option<&Value>,
    other: &impl Fn(&ObjectRef) -> Option<Value>,
    secrets: &impl Secrets,
    commit: bool,
    resolved: &mut Resolved,
) -> Result<String, LateError> {
    let mut placeholder = |after: String| {
        resolved.unknown.push((late.path.clone(), after));
        PLACEHOLDER.to_owned()
    };
    match &late.source {
        LateSource::Generated { length, unless_exists } => {
            if let Some(text) = live.and_then(|live| read(late.path.get(live)?, late.encoding)) {
                return Ok(text);
            }
            if let Some(user) = unless_exists
                && other(user).is_some()
            {
                return Err(LateError::Lost {
                    path: late.path.clone(),
                    user: user.clone(),
                });
            }
            Ok(if commit {
                secrets.draw(*length)
            } else {
                placeholder(manifest.object().to_string())
            })
        }
        LateSource::Template { text, of } => {
            let encoding = manifest
                .late()
                .iter()
                .find(|late| late.path == *of)
                .map_or(Encoding::Plain, |l| l.encoding);
            let inner = of
                .get(&resolved.body)
                .and_then(|value| read(value, encoding))
                .unwrap_or_default();
            if let Some((_, after)) = resolved.unknown.iter().find(|(path, _)| path == of).cloned() {
                resolved.unknown.push((late.path.clone(), after));
            }
            Ok(text.replace("{value}", &escaped(&inner)))
        }
        LateSource::Object { .. } | LateSource::Input(_) => Ok(
            match text_of(&late.source, &format!("the value of {}", late.path), other, secrets)? {
                Text::Known(text) => text,
                Text::After(address) => placeholder(address.to_string()),
            },
        ),
    }
}

/// Writes a text so that it stands for itself in any part of a URL.
fn escaped(text: &str) -> String {
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
    url
}

const HEX: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
];

/// The text of a late value that comes from elsewhere, or what it waits for.
pub(crate) enum Text {
    /// Here it is.
    Known(String),
    /// It is not there before this resource is ready.
    After(Address),
}

/// Reads the text of a source that needs no manifest around it: another object, or a person. `what` it is, for people.
pub(crate) fn text_of(
    source: &LateSource,
    what: &str,
    other: impl Fn(&ObjectRef) -> Option<Value>,
    secrets: &impl Secrets,
) -> Result<Text, LateError> {
    match source {
        LateSource::Object {
            address,
            object,
            path,
            encoding,
        } => Ok(
            match other(object).and_then(|object| read(path.get(&object)?, *encoding)) {
                Some(text) => Text::Known(text),
                None => Text::After(address.clone()),
            },
        ),
        LateSource::Input(input) => match secrets.input(input) {
            Ok(text) => Ok(Text::Known(text)),
            Err(why) => Err(LateError::Input { whys: vec![why] }),
        },
        LateSource::Generated { .. } | LateSource::Template { .. } => Err(LateError::Unfit {
            what: what.to_owned(),
            why: "it is neither drawn nor composed, it comes from an object or a person".to_owned(),
        }),
    }
}

fn read(value: &Value, encoding: Encoding) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    match encoding {
        Encoding::Plain => Some(text.to_owned()),
        Encoding::Base64 => String::from_utf8(STANDARD.decode(text).ok()?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Fixed;
    impl Secrets for Fixed {
        fn draw(&self, length: usize) -> String {
            "x".repeat(length)
        }
        fn input(&self, input: &SecretInput) -> Result<String, String> {
            Err(match input {
                SecretInput::Environment(name) => format!("`{name}` is not set"),
                SecretInput::File(_) | SecretInput::Command(_) => "not there".to_owned(),
            })
        }
    }

    fn database() -> Manifest {
        let deployment = ObjectRef::namespaced("apps/v1", "Deployment", "n", "db");
        Manifest::written(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "n"}}))
            .with_late(Late {
                path: FieldPath::of("data.url"),
                source: LateSource::Template {
                    text: "pg://u:{value}@h".to_owned(),
                    of: FieldPath::of("data.password"),
                },
                encoding: Encoding::Base64,
                sensitive: true,
            })
            .with_late(Late {
                path: FieldPath::of("data.password"),
                source: LateSource::Generated {
                    length: 3,
                    unless_exists: Some(deployment),
                },
                encoding: Encoding::Base64,
                sensitive: true,
            })
    }

    #[test]
    fn a_password_is_drawn_once_and_then_read_from_the_live_object() {
        let first = resolve(&database(), None, |_| None, &Fixed, true).expect("drawn");
        assert_eq!(
            first.body["data"],
            json!({"password": "eHh4", "url": STANDARD.encode("pg://u:xxx@h")})
        );
        let live = json!({"data": {"password": STANDARD.encode("old")}});
        let next = resolve(&database(), Some(&live), |_| None, &Fixed, true).expect("read");
        assert_eq!(next.body["data"]["url"], json!(STANDARD.encode("pg://u:old@h")));
        assert!(next.unknown.is_empty());
    }

    #[test]
    fn a_password_in_a_url_stands_for_itself_whatever_it_holds() {
        for (password, written) in [
            ("aZ09-._~", "aZ09-._~"),
            ("p@ss/w:rd?#%", "p%40ss%2Fw%3Ard%3F%23%25"),
            ("é", "%C3%A9"),
        ] {
            let live = json!({"data": {"password": STANDARD.encode(password)}});
            let data = resolve(&database(), Some(&live), |_| None, &Fixed, true)
                .expect("read")
                .body["data"]
                .clone();
            let url = STANDARD.encode(format!("pg://u:{written}@h"));
            assert_eq!(data, json!({"password": STANDARD.encode(password), "url": url}));
        }
    }

    #[test]
    fn a_plan_draws_nothing_and_says_what_is_unknown() {
        let planned = resolve(&database(), None, |_| None, &Fixed, false).expect("planned");
        assert_eq!(planned.unknown.len(), 2);
    }

    #[test]
    fn a_lost_password_is_an_error_while_its_database_lives() {
        let error = resolve(&database(), None, |_| Some(json!({})), &Fixed, true).expect_err("lost");
        assert_eq!(
            error.to_string(),
            "the generated value at .data.password is gone while Deployment n/db still uses the old one"
        );
    }

    #[test]
    fn all_secrets_that_are_missing_are_named_at_once_and_each_once() {
        let variable = |path: &str, name: &str| Late {
            path: FieldPath::of(path),
            source: LateSource::Input(SecretInput::Environment(name.to_owned())),
            encoding: Encoding::Base64,
            sensitive: true,
        };
        let secret = Manifest::written(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}))
            .with_late(variable("data.id", "ID"))
            .with_late(variable("data.key", "KEY"))
            .with_late(variable("data.again", "ID"));
        let error = resolve(&secret, None, |_| None, &Fixed, false)
            .err()
            .map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("`ID` is not set; `KEY` is not set"));
    }
}
