//! `[[manifests]]`: objects of the user's own.

use super::super::allow;
use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::super::value::Value as Written;
use super::fate;
use crate::expression;
use crate::stack::{Allowance, Fate, KindName, ObjectName, SetDependency, SetReadiness};
use serde_json::Value;
use stackctl_engine::{
    Address, FieldPath,
    readiness::{Expression, Matcher, Rule},
};
use std::path::PathBuf;

/// One table, right by itself.
#[derive(Debug)]
pub(crate) struct RawManifests {
    pub(crate) name: At<ObjectName>,
    pub(crate) path: PathBuf,
    pub(crate) namespace: Option<ObjectName>,
    pub(crate) depends_on: Vec<SetDependency>,
    pub(crate) ready: Vec<SetReadiness>,
    pub(crate) fate: Fate,
    pub(crate) delete_crds: bool,
    pub(crate) ignore_fields: Vec<FieldPath>,
    pub(crate) allow: Vec<Allowance>,
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
        "write `path = \"…\"`: a file of manifests, a directory of such files, or a pattern as `deploy/**/*.yaml`",
        problems,
        read::line,
    );
    let path = path.map(|at| problems.resolve(at.place, &at.value));
    let namespace = reader.optional("namespace", problems, typed::name(ObjectName::NOUN));
    let depends_on = reader.or(
        "depends_on",
        Vec::new(),
        problems,
        read::list("a list of addresses", address),
    );
    let ready = reader.or("ready", Vec::new(), problems, ready);
    let fate = fate::read(&mut reader, problems);
    let delete_crds = reader.or("delete_crds", false, problems, read::boolean);
    let ignore_fields = reader.or(
        "ignore_fields",
        Vec::new(),
        problems,
        read::list("a list of paths", field_path),
    );
    let allow = reader.or("allow", Vec::new(), problems, allow::of_manifests(field.node));
    reader.finish(problems);
    Some(RawManifests {
        name: name?,
        path: path?,
        namespace: namespace.map(|at| at.value),
        depends_on: depends_on
            .into_iter()
            .map(|on| SetDependency {
                at: problems.file_line(on.place),
                on: on.value,
            })
            .collect(),
        ready,
        fate,
        delete_crds,
        ignore_fields: ignore_fields.into_iter().map(|at| at.value).collect(),
        allow,
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

/// One table for all objects of the set, or several, each for a kind.
fn ready(field: Field<'_>, problems: &mut Problems) -> Option<Vec<SetReadiness>> {
    if matches!(field.node.value, Written::List(_)) {
        let all = read::list("a table or a list of tables", readiness)(field, problems)?;
        return Some(all.into_iter().map(|at| at.value).collect());
    }
    readiness(field, problems).map(|one| vec![one])
}

/// `{ condition = "Ready" }`, `{ jsonpath = ".status.phase", equals = "Active" }` or `{ cel = "…" }`.
fn readiness(field: Field<'_>, problems: &mut Problems) -> Option<SetReadiness> {
    let mut reader = Reader::new(field, "`ready`", problems)?;
    let of = reader.optional("kind", problems, kind).map(|at| at.value);
    let condition = reader.optional("condition", problems, read::line).map(|at| at.value);
    let path = reader.optional("jsonpath", problems, path).map(|at| at.value);
    let equals = reader.optional("equals", problems, scalar).map(|at| at.value);
    let has_cel = reader.has("cel");
    let cel = reader.optional("cel", problems, expression).map(|at| at.value);
    let has_failed = reader.has("failed");
    let failed = reader.optional("failed", problems, expression).map(|at| at.value);
    let (has_path, place) = (reader.has("jsonpath"), reader.place);
    reader.finish(problems);
    if (has_path && path.is_none()) || (has_cel && cel.is_none()) || (has_failed && failed.is_none()) {
        // Told already, where it stands.
        return None;
    }
    let ready = match (condition, path, equals, cel) {
        (Some(kind), None, None, None) => Rule::condition(&kind),
        (None, Some(path), equals, None) => of_present(Rule::Field {
            path,
            is: equals.map_or(Matcher::NonEmpty, Matcher::Equals),
        }),
        (None, None, None, Some(expression)) => of_present(Rule::Expression(expression)),
        _ => {
            let why = "it takes one of `condition`, `jsonpath` and `cel`, and `equals` beside `jsonpath` alone";
            problems.push(place, Problem::BadReadiness { why: why.to_owned() });
            return None;
        }
    };
    Some(SetReadiness {
        at: problems.file_line(place),
        of,
        ready,
        failed: failed.map(|expression| of_present(Rule::Expression(expression))),
    })
}

/// The same, of a status of the present generation.
fn of_present(rule: Rule) -> Rule {
    Rule::All(vec![Rule::Observed, rule])
}

/// `Widget`, or `Widget.example.com`.
fn kind(field: Field<'_>, problems: &mut Problems) -> Option<KindName> {
    let text = read::line(field, problems)?;
    let (kind, group) = match text.split_once('.') {
        Some((kind, group)) => (kind, Some(group.to_owned())),
        None => (text.as_str(), None),
    };
    if !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric()) && group.as_deref() != Some("") {
        return Some(KindName {
            kind: kind.to_owned(),
            group,
        });
    }
    let why = format!("`{text}` is no kind, as `Widget` or `Widget.example.com` is");
    problems.push(field.node.place, Problem::BadReadiness { why });
    None
}

fn expression(field: Field<'_>, problems: &mut Problems) -> Option<Expression> {
    let text = read::text(field, problems)?;
    match expression::compile(text.trim()) {
        Ok(expression) => Some(expression),
        Err(why) => {
            problems.push(field.node.place, Problem::BadReadiness { why });
            None
        }
    }
}

fn path(field: Field<'_>, problems: &mut Problems) -> Option<FieldPath> {
    let text = read::line(field, problems)?;
    let path = simple_path(&text);
    if path.is_none() {
        let why = format!("`{text}` is no path of names and numbers, as `.status.phase` is");
        problems.push(field.node.place, Problem::BadReadiness { why });
    }
    path
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
