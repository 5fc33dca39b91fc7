//! Readers of the types that have a grammar of their own: names, amounts, windows, times, secret references.

use std::str::FromStr;

use super::problem::{Problem, Problems};
use super::read::{self, Field, Reader};
use super::value::Value;
use crate::stack::names::NameError;
use crate::stack::window::WindowError;
use crate::stack::{GivenSecret, Quantity, SecretRef, Timeout, VersionRequirement, Window, Zone};

/// Reads a name of type `T`; `noun` is what such a name is called, with its article.
pub(crate) fn name<T: FromStr<Err = NameError>>(noun: &'static str) -> impl Fn(Field<'_>, &mut Problems) -> Option<T> {
    move |field, problems| {
        let text = read::text(field, problems)?;
        match text.parse() {
            Ok(name) => Some(name),
            Err(rule) => {
                let hint = format!("{noun} {rule}");
                problems.push(field.node.place, Problem::Malformed { text, noun, hint });
                None
            }
        }
    }
}

/// Reads a zone letter, and knows what people write instead.
pub(crate) fn zone(field: Field<'_>, problems: &mut Problems) -> Option<Zone> {
    let text = read::text(field, problems)?;
    match text.parse() {
        Ok(zone) => Some(zone),
        Err(rule) => {
            let last = text.chars().next_back().filter(char::is_ascii_lowercase);
            let hint = match last {
                Some(letter) if text.contains('-') => {
                    format!("write \"{letter}\"; the region before it is read from the cluster")
                }
                _ => format!("a zone {rule}"),
            };
            problems.push(field.node.place, Problem::Zone { text, hint });
            None
        }
    }
}

/// Reads an amount of CPU; whole cores may be written as an integer.
pub(crate) fn cpu(field: Field<'_>, problems: &mut Problems) -> Option<Quantity> {
    if let Value::Integer(Some(number)) = field.node.value {
        return quantity(field, &number.to_string(), CPU_HINT, problems);
    }
    let text = read::text(field, problems)?;
    quantity(field, &text, CPU_HINT, problems)
}

/// Reads an amount of memory; a number without a unit would be bytes and is refused.
pub(crate) fn memory(field: Field<'_>, problems: &mut Problems) -> Option<Quantity> {
    let text = match field.node.value {
        Value::Integer(Some(number)) => number.to_string(),
        _ => read::text(field, problems)?,
    };
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        let problem = Problem::Quantity {
            key: field.key.to_owned(),
            hint: format!("write its unit: \"{text}Gi\" or \"{text}Mi\"; a number alone would be bytes"),
            text,
        };
        problems.push(field.node.place, problem);
        return None;
    }
    if text.ends_with(|last: char| last.is_ascii_digit() || matches!(last, 'm' | 'u' | 'n')) {
        problems.push(
            field.node.place,
            Problem::Quantity {
                key: field.key.to_owned(),
                text,
                hint: MEMORY_HINT.to_owned(),
            },
        );
        return None;
    }
    quantity(field, &text, MEMORY_HINT, problems)
}

const CPU_HINT: &str = "write a number of cores such as 4 or \"0.5\", or thousandths: \"500m\"";
const MEMORY_HINT: &str = "write a number and a unit: \"16Gi\" or \"512Mi\"";

fn quantity(field: Field<'_>, text: &str, hint: &'static str, problems: &mut Problems) -> Option<Quantity> {
    let quantity = text.parse().ok();
    if quantity.is_none() {
        let problem = Problem::Quantity {
            key: field.key.to_owned(),
            text: text.to_owned(),
            hint: hint.to_owned(),
        };
        problems.push(field.node.place, problem);
    }
    quantity
}

/// Reads a rate-limit window.
pub(crate) fn window(field: Field<'_>, problems: &mut Problems) -> Option<Window> {
    let text = read::text(field, problems)?;
    match text.parse::<Window>() {
        Ok(window) => Some(window),
        Err(error) => {
            let hint = match &error {
                WindowError::Days {
                    same_in_hours: Some(hours),
                } => format!("write \"{hours}\"; units are s, m and h"),
                WindowError::Days { same_in_hours: None } => {
                    "write it in hours, at most \"8784h\"; units are s, m and h".to_owned()
                }
                WindowError::TooLong => {
                    "the longest window is \"8784h\": a longer one would not limit anything".to_owned()
                }
                WindowError::Malformed => {
                    "write a number from 1 to 9999 and s, m or h: \"30s\", \"5m\", \"24h\"".to_owned()
                }
            };
            problems.push(
                field.node.place,
                Problem::Window {
                    text,
                    fault: error.to_string(),
                    hint,
                },
            );
            None
        }
    }
}

/// Reads how long something may take.
pub(crate) fn timeout(field: Field<'_>, problems: &mut Problems) -> Option<Timeout> {
    let text = read::text(field, problems)?;
    let timeout = text.parse().ok();
    if timeout.is_none() {
        problems.push(field.node.place, Problem::Timeout { text });
    }
    timeout
}

/// Reads a version requirement.
pub(crate) fn version(field: Field<'_>, problems: &mut Problems) -> Option<VersionRequirement> {
    let text = read::text(field, problems)?;
    let version = text.parse().ok();
    if version.is_none() {
        problems.push(field.node.place, Problem::Version { text });
    }
    version
}

/// Where a secret can be that may be made up, and one that may not.
const ANY_PLACE: &str = "give exactly one of `env`, `file`, `command`, `secret` with its `key`, or `generate = true`";
const GIVEN_PLACE: &str = "give exactly one of `env`, `file`, `command`, or `secret` with its `key`";

/// Reads where a secret is; a secret itself is refused and never shown.
pub(crate) fn secret(field: Field<'_>, problems: &mut Problems) -> Option<SecretRef> {
    reference(field, ANY_PLACE, problems)
}

/// Reads where a secret is; `hint` lists where it can be.
fn reference(field: Field<'_>, hint: &'static str, problems: &mut Problems) -> Option<SecretRef> {
    let place = field.node.place;
    if field.node.as_table().is_none() {
        problems.hide(place);
        problems.push(
            place,
            Problem::PlainSecret {
                key: field.key.to_owned(),
            },
        );
        return None;
    }
    let mut reader = Reader::new(field, format!("the secret reference `{}`", field.key), problems)?;
    let n_before = problems.len();
    let mut found = Vec::new();
    found.extend(
        reader
            .optional("env", problems, read::line)
            .map(|at| GivenSecret::Env(at.value)),
    );
    let file = reader.optional("file", problems, read::line);
    found.extend(file.map(|at| GivenSecret::File(problems.file(at.place, &at.value))));
    let command = reader.optional("command", problems, read::list("a list of strings", read::line));
    let command = command.map(|at| at.value.into_iter().map(|word| word.value).collect::<Vec<_>>());
    let has_empty_command = command.as_ref().is_some_and(Vec::is_empty);
    found.extend(command.map(GivenSecret::Command));
    let generate = reader
        .optional("generate", problems, read::boolean)
        .is_some_and(|at| at.value);
    let existing = reader.optional("secret", problems, read::line);
    let key = reader.optional("key", problems, read::line);
    reader.finish(problems);
    if problems.len() > n_before {
        return None;
    }
    let mut fail = |fault: &'static str| {
        problems.push(
            place,
            Problem::SecretReference {
                key: field.key.to_owned(),
                fault,
                hint,
            },
        );
        None
    };
    match (existing, key) {
        (None, None) => {}
        (Some(_), None) => return fail("`secret` needs `key`: which entry of the Secret"),
        (None, Some(_)) => return fail("`key` belongs to `secret`"),
        (Some(secret), Some(key)) => {
            let Some((Ok(namespace), Ok(name))) = secret
                .value
                .split_once('/')
                .map(|(namespace, name)| (namespace.parse(), name.parse()))
            else {
                return fail("`secret` is not \"namespace/name\"");
            };
            found.push(GivenSecret::Existing {
                namespace,
                name,
                key: key.value,
            });
        }
    }
    if has_empty_command {
        return fail("`command` has no program");
    }
    match (found.len(), generate, found.pop()) {
        (1, false, Some(given)) => Some(SecretRef::Given(given)),
        (0, true, _) => Some(SecretRef::Generate),
        (0, false, _) => fail("no place at all"),
        _ => fail("more than one place"),
    }
}

/// Reads where a secret is that somebody else decides: it cannot be drawn.
pub(crate) fn given(field: Field<'_>, problems: &mut Problems) -> Option<GivenSecret> {
    match reference(field, GIVEN_PLACE, problems)? {
        SecretRef::Given(given) => Some(given),
        SecretRef::Generate => {
            let key = field.key.to_owned();
            let fault = "somebody else decides it: it cannot be made up";
            let hint = GIVEN_PLACE;
            problems.push(field.node.place, Problem::SecretReference { key, fault, hint });
            None
        }
    }
}
