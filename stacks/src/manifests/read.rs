//! From the text of a file to documents.
//!
//! A key twice is an error, and a `List` is its items; scalars are `yaml`'s.
//!
//! Invariant: what is wrong with one document hides nothing of another, and no field that is no text another one.

use super::{
    FileLine, ManifestFile, ManifestsError, ManifestsNotice,
    kinds::is_of_the_server,
    marks::Marks,
    texts,
    yaml::{self, Spelled},
};
use serde_json::Value;
use stackctl_engine::{Manifest, ObjectKey, ObjectType, manifest::ManifestError};
use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

/// The text of one document.
#[derive(Debug)]
struct Text<'a> {
    file: &'a str,
    /// The line of the file that it begins at, from 1.
    begins: usize,
    /// The line that its first word is in, from 1.
    first: usize,
    text: &'a str,
    /// Read once they are asked for.
    marks: OnceLock<Marks>,
}

/// A document, or one item of a `List`.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    text: Arc<Text<'a>>,
    /// The path of the item.
    item: String,
}

/// One object and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Document<'a> {
    pub(super) manifest: Manifest,
    place: Place<'a>,
}

impl Place<'_> {
    fn marks(&self) -> &Marks {
        self.text.marks.get_or_init(|| Marks::of(self.text.text))
    }

    fn path(&self, field: &str) -> String {
        match (self.item.as_str(), field) {
            ("", field) => field.to_owned(),
            (item, "") => item.to_owned(),
            (item, field) => format!("{item}.{field}"),
        }
    }

    /// Where a field stands; the object as a whole for an empty one.
    pub(super) fn of(&self, field: &str) -> FileLine {
        let line = match self.path(field).as_str() {
            "" => self.text.first,
            path => self.text.begins + self.marks().line(path),
        };
        self.in_line(line)
    }

    /// A scalar as it is written.
    pub(super) fn written(&self, field: &str) -> Option<&str> {
        self.marks().written(&self.path(field))
    }

    fn in_line(&self, line: usize) -> FileLine {
        let file = self.text.file.to_owned();
        FileLine { file, line }
    }
}

impl Document<'_> {
    /// Where it begins.
    pub(super) fn at(&self) -> FileLine {
        self.place.of("")
    }

    /// Where one of its fields stands: `spec.rules[1].name`.
    pub(super) fn at_field(&self, field: &str) -> FileLine {
        self.place.of(field)
    }

    /// Where one of its annotations stands.
    pub(super) fn at_annotation(&self, name: &str) -> FileLine {
        self.place.of(&format!("metadata.annotations.{name}"))
    }
}

/// Every annotation that is a text.
pub(super) fn annotations<'d>(document: &'d Document<'_>) -> impl Iterator<Item = (&'d str, &'d str)> {
    let all = document.manifest.value()["metadata"]["annotations"].as_object();
    all.into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

/// What one annotation says.
pub(super) fn annotation<'d>(document: &'d Document<'_>, name: &str) -> Option<&'d str> {
    document.manifest.value()["metadata"]["annotations"][name].as_str()
}

/// Reads every document of a file; what is wrong is added to `errors`, what is told to `notices`, and what a refused
/// document would have been to `refused`.
pub(super) fn documents<'a>(
    file: &'a ManifestFile,
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
    refused: &mut Vec<ObjectKey>,
) -> Vec<Document<'a>> {
    let mut found = Vec::new();
    for text in split(file) {
        let place = Place {
            text: Arc::new(text),
            item: String::new(),
        };
        match yaml::read(place.text.text) {
            Ok((Value::Null, _)) => {}
            Ok((value, spelled)) => {
                notices.extend(spelled.into_iter().map(|word| told(&place, word)));
                objects(&place, value, &mut found, errors, notices, refused);
            }
            Err(error) => unread(&place, &error, errors),
        }
    }
    found
}

/// Why a document is no YAML: each key that stands twice, or what the parser met first.
fn unread(place: &Place<'_>, error: &yaml::Unread, errors: &mut Vec<ManifestsError>) {
    let begins = place.text.begins;
    let again = if error.is_key_twice {
        place.marks().again()
    } else {
        Vec::new()
    };
    if again.is_empty() {
        errors.push(ManifestsError::Syntax {
            at: place.in_line(begins + error.line),
            why: error.why.clone(),
            hint: hint(place.text.text, error),
        });
    }
    errors.extend(again.into_iter().map(|again| ManifestsError::Syntax {
        at: place.in_line(begins + again.line),
        why: format!("`{}` stands in line {} already", again.path, begins + again.first),
        hint: ONCE,
    }));
}

const ONCE: &str = "a key stands once in a map: of two one would be lost";

/// What to look at in a text that is no YAML.
fn hint(text: &str, error: &yaml::Unread) -> &'static str {
    let line = text.lines().nth(error.line).unwrap_or_default();
    let is_template = |line: &str| line.contains("{{") && line.contains("}}");
    if is_template(line)
        || text
            .lines()
            .any(|line| is_template(line) && line.trim_start().starts_with("{{"))
    {
        "this is a template of Helm: run `helm template`, and name the file with what it prints"
    } else if line.starts_with('\t') {
        "indent by blanks: YAML knows no tabs there"
    } else if error.is_key_twice {
        ONCE
    } else {
        "look at that line and the one before it: blanks at their beginning, quotes and brackets that nothing ends"
    }
}

/// What people are told of a word that is a boolean.
fn told(place: &Place<'_>, word: Spelled) -> ManifestsNotice {
    let at = place.in_line(place.text.begins + word.line);
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

/// The documents of a file.
fn split(file: &ManifestFile) -> Vec<Text<'_>> {
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    let of = |begins: usize, text| Text {
        file: &file.name,
        begins,
        first: begins + before_first_word(text),
        text,
        marks: OnceLock::new(),
    };
    let mut parts = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        let bare = line.trim_end();
        if bare == "---" || bare.starts_with("--- #") {
            parts.push(of(start_line, &text[start..at - line.len()]));
            (start, start_line) = (at, index + 2);
        }
    }
    parts.push(of(start_line, &text[start..]));
    parts
}

/// How many lines of nothing, or of comments, there are before the first word.
fn before_first_word(text: &str) -> usize {
    let is_word = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    text.lines().position(is_word).unwrap_or(0)
}

fn objects<'a>(
    place: &Place<'a>,
    mut value: Value,
    found: &mut Vec<Document<'a>>,
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
    refused: &mut Vec<ObjectKey>,
) {
    let is_list = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    if is_list && let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) {
        for (index, item) in items.into_iter().enumerate() {
            let place = Place {
                text: Arc::clone(&place.text),
                item: place.path(&format!("items[{index}]")),
            };
            objects(&place, item, found, errors, notices, refused);
        }
        return;
    }
    let is = key(&value);
    match object(place, value, errors, notices) {
        Some(manifest) => {
            let place = place.clone();
            found.push(Document { manifest, place });
        }
        None => refused.extend(is),
    }
}

/// Which object a document is of, as far as it says so.
fn key(value: &Value) -> Option<ObjectKey> {
    let object_type = ObjectType::new(value["apiVersion"].as_str()?, value["kind"].as_str()?);
    Some(ObjectKey {
        kind: object_type.group_kind(),
        namespace: value["metadata"]["namespace"].as_str().map(str::to_owned),
        name: value["metadata"]["name"].as_str()?.to_owned(),
    })
}

/// Proves that a document is an object; everything that speaks against it is added to `errors`.
fn object(
    place: &Place<'_>,
    mut value: Value,
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
) -> Option<Manifest> {
    let before = errors.len();
    let mut refuse = |field: &str, why: &str, hint: &'static str| {
        errors.push(ManifestsError::NotAnObject {
            at: place.of(field),
            why: why.to_owned(),
            hint: Cow::Borrowed(hint),
        });
    };
    let Value::Object(map) = &mut value else {
        let hint = "begin it with `apiVersion:`, `kind:` and `metadata:`";
        refuse("", "the document is no object of Kubernetes", hint);
        return None;
    };
    // Generators write these two; they are the server's to say.
    map.remove("status");
    unset_times(map);
    unset_aggregated_rules(map);
    let is_secret = map.get("kind").is_some_and(|kind| kind == "Secret");
    let plain = ["data", "stringData"]
        .into_iter()
        .find(|field| map.contains_key(*field));
    if let Some(field) = plain.filter(|_| is_secret) {
        let why = "a Secret with its values in plain text would end up in the plan and the state";
        let hint = "make the Secret outside of the stack, and name it where it is used";
        refuse(field, why, hint);
        // Nothing more is said of one that holds values.
        return None;
    }
    errors.extend(texts::wrong(&value).into_iter().map(|wrong| wrong.error(place)));
    if errors.len() > before {
        return None;
    }
    let is_of_the_server = |api_version: &str| is_of_the_server(&ObjectType::new(api_version, ""));
    if value["apiVersion"].as_str().is_some_and(is_of_the_server) {
        let mut unset = Vec::new();
        without_nulls(&mut value, "", &mut unset);
        notices.extend(unset.into_iter().map(|field| ManifestsNotice::Unset {
            at: place.of(&field),
            field,
        }));
    }
    match Manifest::new(value) {
        Ok(manifest) => Some(manifest),
        Err(error) => {
            let (field, hint) = match &error {
                ManifestError::Missing(_) => (
                    String::new(),
                    "every object has `apiVersion`, `kind` and `metadata.name`",
                ),
                ManifestError::Null(path) => (
                    path.to_string(),
                    "leave the field out: a null would be stored as an empty value",
                ),
                ManifestError::StringData => ("stringData".to_owned(), "write base64 into `data`"),
            };
            errors.push(ManifestsError::NotAnObject {
                at: place.of(&field),
                why: error.to_string(),
                hint: Cow::Borrowed(hint),
            });
            None
        }
    }
}

/// What the maps are called whose keys are the writer's own, in kinds of the server (Kubernetes 1.34 API).
const MAPS_OF_TEXTS: [&str; 14] = [
    "annotations",
    "attributes",
    "binaryData",
    "capacity",
    "data",
    "hard",
    "labels",
    "limits",
    "matchLabels",
    "nodeSelector",
    "options",
    "parameters",
    "requests",
    "selector",
];

/// What is a field all the same where a selector is no map of texts.
const FIELDS_OF_SELECTORS: [&str; 2] = ["matchLabels", "matchExpressions"];

/// Takes out what has no value, of a kind of the server itself: that decodes into types, for which a null is what is not
/// there, so that it puts its default in place
/// (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable>
/// tells custom resources apart). One in a list stays, where it would be an item, and so does one in a map of texts, where it
/// would be an empty text (ssa-semantics §3): both are refused.
fn without_nulls(value: &mut Value, at: &str, unset: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let path = |key: &str| match at {
                "" => key.to_owned(),
                at => format!("{at}.{key}"),
            };
            let is_of_texts = MAPS_OF_TEXTS.contains(&at.rsplit('.').next().unwrap_or(at));
            map.retain(|key, value| {
                let is_a_field = !is_of_texts || FIELDS_OF_SELECTORS.contains(&key.as_str());
                let goes = value.is_null() && is_a_field;
                if goes {
                    unset.push(path(key));
                }
                !goes
            });
            for (key, value) in map {
                without_nulls(value, &path(key), unset);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                without_nulls(item, &format!("{at}[{index}]"), unset);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Takes the rules out of a `ClusterRole` that is aggregated from others: the control plane fills them in, over whatever is
/// written there (<https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles>).
fn unset_aggregated_rules(map: &mut serde_json::Map<String, Value>) {
    if map.get("kind").is_some_and(|kind| kind == "ClusterRole") && map.contains_key("aggregationRule") {
        map.remove("rules");
    }
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
