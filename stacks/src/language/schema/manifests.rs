//! `[[manifests]]`: objects of the user's own.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::super::value::Value as Written;
use crate::stack::ObjectName;
use serde_json::Value;
use stackctl_engine::{
    Address, FieldPath,
    readiness::{Matcher, Rule},
};
use std::path::PathBuf;

/// One table, right by itself.
#[derive(Debug)]
pub(crate) struct RawManifests {
    pub(crate) name: At<ObjectName>,
    pub(crate) path: PathBuf,
    pub(crate) depends_on: Vec<Address>,
    pub(crate) ready: Option<Rule>,
    pub(crate) prevent_destroy: bool,
    pub(crate) ignore_fields: Vec<FieldPath>,
}

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<RawManifests> {
    let mut reader = Reader::new(field, "`[[manifests]]`", problems)?;
    let name = reader.required(
        "name",
        "write `name = \"…\"`: it begins the address of each object",
        problems,
        typed::name(ObjectName::NOUN),
    );
    let path = reader.required(
        "path",
        "write `path = \"…\"`: a file of manifests, or a directory of such files",
        problems,
        read::line,
    );
    let path = path.map(|at| problems.resolve(at.place, &at.value));
    let depends_on = reader.or(
        "depends_on",
        Vec::new(),
        problems,
        read::list("a list of addresses", address),
    );
    let ready = reader.optional("ready", problems, ready).map(|at| at.value);
    let prevent_destroy = reader.or("prevent_destroy", false, problems, read::boolean);
    let ignore_fields = reader.or(
        "ignore_fields",
        Vec::new(),
        problems,
        read::list("a list of paths", field_path),
    );
    reader.finish(problems);
    Some(RawManifests {
        name: name?,
        path: path?,
        depends_on: depends_on.into_iter().map(|at| at.value).collect(),
        ready,
        prevent_destroy,
        ignore_fields: ignore_fields.into_iter().map(|at| at.value).collect(),
    })
}

/// `spec.replicas`, `spec.template.spec.containers[name=main].image`, `metadata.annotations["example.com/note"]`.
fn field_path(field: Field<'_>, problems: &mut Problems) -> Option<FieldPath> {
    let text = read::line(field, problems)?;
    let names_objects = |path: &FieldPath| path.contains(&FieldPath::fields(["metadata", "name"]));
    let path = FieldPath::parse(&text).filter(|path| !path.has_index() && !names_objects(path));
    if path.is_none() {
        let (noun, hint) = (
            "the path of a field",
            "write `spec.replicas`, `spec.containers[name=main].image` or `metadata.annotations[\"a.b/c\"]`".to_owned(),
        );
        problems.push(field.node.place, Problem::Malformed { text, noun, hint });
    }
    path
}

fn address(field: Field<'_>, problems: &mut Problems) -> Option<Address> {
    let text = read::line(field, problems)?;
    match text.parse() {
        Ok(address) => Some(address),
        Err(error) => {
            let why = format!("{error}");
            problems.push(field.node.place, Problem::BadAddress { text, why });
            None
        }
    }
}

/// `{ condition = "Ready" }` or `{ jsonpath = ".status.phase", equals = "Active" }`.
fn ready(field: Field<'_>, problems: &mut Problems) -> Option<Rule> {
    let mut reader = Reader::new(field, "`ready`", problems)?;
    let condition = reader.optional("condition", problems, read::line).map(|at| at.value);
    let path = reader.optional("jsonpath", problems, read::line).map(|at| at.value);
    let equals = reader.optional("equals", problems, scalar).map(|at| at.value);
    let place = reader.place;
    reader.finish(problems);
    let rule = match (condition, path, equals) {
        (Some(kind), None, None) => Some(Rule::condition(&kind)),
        (None, Some(path), equals) => simple_path(&path).map(|path| Rule::Field {
            path,
            is: equals.map_or(Matcher::NonEmpty, Matcher::Equals),
        }),
        _ => None,
    };
    if rule.is_none() {
        problems.push(place, Problem::BadReadiness);
    }
    rule
}

/// A path of names and numbers, `.status.phase` or `{.status.addresses[0].value}`: what `kubectl wait` takes most often.
fn simple_path(text: &str) -> Option<FieldPath> {
    let inside = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
        .unwrap_or(text);
    let path = inside.strip_prefix('$').unwrap_or(inside).strip_prefix('.')?;
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_/".contains(c));
    let is_step = |step: &str| match step.split_once('[') {
        None => is_name(step),
        Some((name, index)) => {
            let index = index.strip_suffix(']');
            is_name(name) && index.is_some_and(|index| index.parse::<usize>().is_ok())
        }
    };
    path.split('.').all(is_step).then(|| FieldPath::of(path))
}

fn scalar(field: Field<'_>, problems: &mut Problems) -> Option<Value> {
    match &field.node.value {
        Written::Boolean(boolean) => Some(Value::from(*boolean)),
        Written::Integer(Some(number)) => Some(Value::from(*number)),
        _ => read::text(field, problems).map(Value::from),
    }
}
