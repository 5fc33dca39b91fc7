//! From the text of a file to documents.
//!
//! A key twice is an error, and a `List` is its items; scalars are `yaml`'s.

use super::{
    FileLine, ManifestFile, ManifestsError, ManifestsNotice,
    yaml::{self, Spelled},
};
use serde_json::Value;
use stackctl_engine::{Manifest, manifest::ManifestError};

/// One object and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) at: FileLine,
    pub(super) manifest: Manifest,
}

/// Every annotation that is a text.
pub(super) fn annotations(document: &Document) -> impl Iterator<Item = (&str, &str)> {
    let all = document.manifest.value()["metadata"]["annotations"].as_object();
    all.into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

/// What one annotation says.
pub(super) fn annotation<'a>(document: &'a Document, name: &str) -> Option<&'a str> {
    document.manifest.value()["metadata"]["annotations"][name].as_str()
}

/// Reads every document of a file; what is wrong is added to `errors`, and what is told to `notices`.
pub(super) fn documents(
    file: &ManifestFile,
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
) -> Vec<Document> {
    let mut found = Vec::new();
    for (line, text) in split(&file.text) {
        let at = FileLine {
            file: file.name.clone(),
            line,
        };
        match yaml::read(text) {
            Ok((Value::Null, _)) => {}
            Ok((value, spelled)) => {
                notices.extend(spelled.into_iter().map(|word| told(&at, word)));
                objects(&at, value, &mut found, errors);
            }
            Err(error) => errors.push(ManifestsError::Syntax {
                at: FileLine {
                    line: line
                        + error
                            .location()
                            .map_or(0, |location| location.line().saturating_sub(1) as usize),
                    ..at
                },
                why: first_line(&error.to_string()),
            }),
        }
    }
    found
}

/// What people are told of a word that is a boolean.
fn told(at: &FileLine, word: Spelled) -> ManifestsNotice {
    let at = FileLine {
        line: at.line + word.line,
        file: at.file.clone(),
    };
    match word.value {
        Some(value) => ManifestsNotice::Boolean {
            at,
            key: word.at,
            word: word.word,
            value,
        },
        None => ManifestsNotice::BooleanKey { at, key: word.at },
    }
}

/// The documents of a text, each with the line that it begins at.
fn split(text: &str) -> Vec<(usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parts = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        let bare = line.trim_end();
        if bare == "---" || bare.starts_with("--- #") {
            parts.push((start_line, &text[start..at - line.len()]));
            (start, start_line) = (at, index + 2);
        }
    }
    parts.push((start_line, &text[start..]));
    parts
}

/// The parser's first line says what is wrong; what follows it shows the text again.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn objects(at: &FileLine, mut value: Value, found: &mut Vec<Document>, errors: &mut Vec<ManifestsError>) {
    let is_list = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    if is_list && let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) {
        for item in items {
            objects(at, item, found, errors);
        }
        return;
    }
    match object(value) {
        Ok(manifest) => found.push(Document {
            at: at.clone(),
            manifest,
        }),
        Err((why, hint)) => errors.push(ManifestsError::NotAnObject {
            at: at.clone(),
            why,
            hint,
        }),
    }
}

fn object(mut value: Value) -> Result<Manifest, (String, &'static str)> {
    let Value::Object(map) = &mut value else {
        let why = "the document is no object of Kubernetes".to_owned();
        return Err((why, "begin it with `apiVersion:`, `kind:` and `metadata:`"));
    };
    // Generators write these two; they are the server's to say.
    map.remove("status");
    unset_times(map);
    let namespace = map.get("metadata").and_then(|metadata| metadata.get("namespace"));
    if namespace.is_some_and(|namespace| !namespace.is_string()) {
        let why = "`metadata.namespace` is no text".to_owned();
        return Err((
            why,
            "put the name into quotes: `n` and `yes` are booleans to Kubernetes",
        ));
    }
    let is_secret = map.get("kind").is_some_and(|kind| kind == "Secret");
    if is_secret && ["data", "stringData"].iter().any(|field| map.contains_key(*field)) {
        let why = "a Secret with its values in plain text would end up in the plan and the state".to_owned();
        return Err((
            why,
            "make the Secret outside of the stack, and name it where it is used",
        ));
    }
    Manifest::new(value).map_err(|error| {
        let hint = match &error {
            ManifestError::Missing(_) => "every object has `apiVersion`, `kind` and `metadata.name`",
            ManifestError::Null(_) => "leave the field out: a null would be stored as an empty value",
            ManifestError::StringData => "write base64 into `data`",
        };
        (error.to_string(), hint)
    })
}

/// Takes out the times that generators write as null, in templates of pods and claims too.
fn unset_times(map: &mut serde_json::Map<String, Value>) {
    if let Some(Value::Object(metadata)) = map.get_mut("metadata")
        && metadata.get("creationTimestamp").is_some_and(Value::is_null)
    {
        metadata.remove("creationTimestamp");
    }
    let Some(Value::Object(spec)) = map.get_mut("spec") else {
        return;
    };
    for field in ["template", "jobTemplate"] {
        if let Some(Value::Object(template)) = spec.get_mut(field) {
            unset_times(template);
        }
    }
    if let Some(Value::Array(claims)) = spec.get_mut("volumeClaimTemplates") {
        claims.iter_mut().filter_map(Value::as_object_mut).for_each(unset_times);
    }
}
