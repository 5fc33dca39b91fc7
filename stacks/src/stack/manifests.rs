//! Manifests of the user's own.

use super::names::ObjectName;
use crate::FileLine;
use stackctl_engine::{Address, FieldPath, field::PathElement, object_key::ObjectType, readiness::Rule};
use std::{fmt, path::PathBuf};

/// One `[[manifests]]` table: files whose objects join the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestSet {
    /// Its name, which begins the address of each of its objects.
    pub name: ObjectName,
    /// A file; a directory, whose `*.yaml`, `*.yml` and `*.json` files are read in the order of their names; or a
    /// pattern of such files.
    pub path: PathBuf,
    /// Where its objects are that name no namespace and live in one; absent means `default`, as for kubectl.
    pub namespace: Option<ObjectName>,
    /// What each of its objects waits for until it is ready.
    pub depends_on: Vec<SetDependency>,
    /// When its objects are ready, the first that is about an object; of others their kind decides.
    pub ready: Vec<SetReadiness>,
    /// Whether its definitions are deleted when they go; without it they stay.
    pub delete_crds: bool,
    /// What others may move in its objects.
    pub ignore_fields: Vec<FieldPath>,
    /// What of its files is meant so.
    pub allow: Vec<Allowance>,
}

/// What the objects of a set wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetDependency {
    /// Where it is written.
    pub at: FileLine,
    /// What is waited for.
    pub on: Address,
}

/// What is told of manifests, and is meant so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The code: `STK334`.
    pub code: &'static str,
    /// Where it is written.
    pub at: FileLine,
}

#[cfg(test)]
impl ManifestSet {
    /// A set of which nothing is said but its name and its file.
    pub(crate) fn bare(name: &str, path: &str) -> Self {
        Self {
            name: name.parse().expect("a name"),
            path: PathBuf::from(path),
            namespace: None,
            depends_on: Vec::new(),
            ready: Vec::new(),
            delete_crds: false,
            ignore_fields: Vec::new(),
            allow: Vec::new(),
        }
    }
}

/// When objects of a set are ready.
#[derive(Clone, Debug, PartialEq)]
pub struct SetReadiness {
    /// Where it is written.
    pub at: FileLine,
    /// Which objects; none means all of the set, but where it reads a status those alone whose kind has one.
    pub of: Option<KindName>,
    /// When they are ready.
    pub ready: Rule,
    /// When they never will be.
    pub failed: Option<Rule>,
}

impl SetReadiness {
    /// Whether it waits for something in the status of an object, which not every kind has.
    pub fn reads_status(&self) -> bool {
        reads_status(&self.ready)
    }
}

fn reads_status(rule: &Rule) -> bool {
    match rule {
        Rule::Condition { .. } | Rule::ConditionReason { .. } | Rule::RolledOut | Rule::PodReady => true,
        Rule::Field { path, .. } => {
            matches!(path.elements().first(), Some(PathElement::Field(name)) if &**name == "status")
        }
        Rule::Expression(expression) => names_status(expression.text()),
        Rule::ContainerStuck { .. } => true,
        Rule::All(rules) | Rule::Any(rules) => rules.iter().any(reads_status),
        Rule::Not(rule) => reads_status(rule),
        // Holds where there is no status at all.
        Rule::Exists | Rule::Observed => false,
    }
}

/// Whether an expression is about the status: `status…` or `self.status…`, and not a field of that name elsewhere.
fn names_status(text: &str) -> bool {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.match_indices("status").any(|(at, found)| {
        let (before, after) = (&text[..at], &text[at + found.len()..]);
        let is_whole = !before.ends_with(is_of_name) && !after.starts_with(is_of_name);
        is_whole && (!before.ends_with('.') || before.ends_with("self.")) && !before.ends_with(['"', '\''])
    })
}

/// A kind as people name it: `Widget`, or `Widget.example.com` where several groups have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindName {
    /// The kind.
    pub kind: String,
    /// The group; none means any.
    pub group: Option<String>,
}

impl KindName {
    /// Whether a type is of this kind.
    pub fn names(&self, object_type: &ObjectType) -> bool {
        let is_group = self.group.as_ref().is_none_or(|group| group == object_type.group());
        is_group && self.kind.eq_ignore_ascii_case(&object_type.kind)
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.kind)?;
        match &self.group {
            Some(group) => write!(formatter, ".{group}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::names_status;

    #[test]
    fn an_expression_is_about_the_status_where_it_names_that_of_the_object() {
        for about in [
            "status.ready > 0",
            "has(self.status) && self.status.phase == 'Up'",
            "spec.n == status.n",
        ] {
            assert!(names_status(about), "{about}");
        }
        for not in [
            "data.status == 'up'",
            "self.data.statusPage != ''",
            "data['status'] == 'up'",
            "spec.laststatus",
        ] {
            assert!(!names_status(not), "{not}");
        }
    }
}
