//! `tests/golden/deviations.toml`: where our objects differ from the manual's on purpose.
//!
//! Invariants: a row cites what the reference has, says in a sentence what would break without it, and is needed by
//! every case that it names; a row that names none is needed somewhere.

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;

use super::{
    difference::{Difference, ObjectName},
    reference::{DEFECT, Reference},
};
use crate::error::TaskError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    deviation: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    object: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    left_out: bool,
    renamed_to: Option<String>,
    replaced: Option<[String; 2]>,
    #[serde(default)]
    cases: Vec<String>,
    cites: Vec<String>,
    because: String,
}

/// One row.
#[derive(Debug)]
pub(crate) struct Deviation {
    /// The object, by its name in the golden file.
    pub(crate) object: ObjectName,
    /// In what it differs.
    pub(crate) how: How,
    /// Where; nowhere named is wherever the object is.
    pub(crate) cases: Vec<String>,
    /// What it follows.
    pub(crate) cites: Vec<String>,
}

/// In what an object differs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// We do not make it.
    Absent,
    /// It has another name with us, and is compared under that.
    Renamed(Renaming),
    /// A field, and what is below.
    Field(String),
    /// What we do not set of a field and of what is below, as against what we set to something else.
    LeftOut(String),
}

/// What an object is called with us.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Renaming {
    /// Its name.
    pub(crate) to: String,
    /// A text of the golden object, and what stands for it with us.
    pub(crate) replaced: [String; 2],
}

/// Stands for every name of a kind.
const EVERY: &str = "*";

impl Deviation {
    fn is_about(&self, object: &ObjectName) -> bool {
        self.object == *object || self.object.kind == object.kind && self.object.name == EVERY
    }

    fn is_in(&self, case: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|named| named == case)
    }

    /// Whether it is about this difference. What follows from a defect alone must be one.
    pub(crate) fn covers(&self, case: &str, difference: &Difference) -> bool {
        let is_there = match &self.how {
            How::Absent => difference.is_at(""),
            How::Renamed(_) => false,
            How::Field(path) => difference.is_at(path),
            How::LeftOut(path) => difference.is_at(path) && difference.is_left_out(),
        };
        let is_allowed = difference.is_defect || self.cites.iter().any(|cite| cite != DEFECT);
        is_there && is_allowed && self.is_about(&difference.object) && self.is_in(case)
    }

    /// The name that an object of a case has with us, if this row gives it one.
    pub(crate) fn renames(&self, case: &str, object: &ObjectName) -> Option<&Renaming> {
        match &self.how {
            How::Renamed(renaming) if self.object == *object && self.is_in(case) => Some(renaming),
            How::Absent | How::Renamed(_) | How::Field(_) | How::LeftOut(_) => None,
        }
    }
}

impl std::fmt::Display for Deviation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.how {
            How::Absent => write!(f, "{} (absent)", self.object),
            How::Renamed(renaming) => write!(f, "{} (renamed to {})", self.object, renaming.to),
            How::Field(path) => write!(f, "{} {path}", self.object),
            How::LeftOut(path) => write!(f, "{} {path} (left out)", self.object),
        }
    }
}

/// Reads the rows; what is wrong with one is told beside them, all at once.
///
/// # Errors
/// When the file cannot be read or is something else.
pub(crate) fn read(path: &Path, reference: &Reference) -> Result<(Vec<Deviation>, Vec<String>), TaskError> {
    let text = fs::read_to_string(path).map_err(|cause| TaskError::Read {
        path: path.to_owned(),
        cause,
    })?;
    parse(&text, reference).map_err(|error| TaskError::Toml {
        path: path.to_owned(),
        text: error.to_string(),
    })
}

fn parse(text: &str, reference: &Reference) -> Result<(Vec<Deviation>, Vec<String>), toml::de::Error> {
    let file: File = toml::from_str(text)?;
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for row in file.deviation {
        let mut complain = |what: String| problems.push(format!("deviation {} {}: {what}", row.object, row.path));
        let Some(object) = ObjectName::parse(&row.object) else {
            complain("`object` is a kind and a name, as \"Subscription nfd\"".to_owned());
            continue;
        };
        for cite in row.cites.iter().filter(|cite| !reference.has(cite)) {
            complain(format!(
                "`{cite}` is no row of the reference; cite one such as P-G14, P-7.12, S-M13, S-7.5, or \"defect\""
            ));
        }
        if row.cites.is_empty() {
            complain("it cites nothing".to_owned());
        }
        if !is_sentence(&row.because) {
            complain("`because` is a sentence that says what would break without it".to_owned());
        }
        if !seen.insert((object.clone(), row.path.clone(), row.cases.clone())) {
            complain("is there twice".to_owned());
        }
        let how = match (row.renamed_to, row.path) {
            (Some(_), path) if !path.is_empty() => {
                problems.push(format!("deviation {object} {path}: a renamed object has no `path`"));
                continue;
            }
            (Some(to), _) => How::Renamed(Renaming {
                replaced: row.replaced.unwrap_or_else(|| [object.name.clone(), to.clone()]),
                to,
            }),
            (None, path) if path.is_empty() => How::Absent,
            (None, path) if row.left_out => How::LeftOut(path),
            (None, path) => How::Field(path),
        };
        rows.push(Deviation {
            object,
            how,
            cases: row.cases,
            cites: row.cites,
        });
    }
    Ok((rows, problems))
}

fn is_sentence(text: &str) -> bool {
    text.ends_with('.') && text.split_whitespace().count() >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_rows_is_told_for_all() {
        let text = r#"
            [[deviation]]
            object = "Subscription nfd"
            path = "spec.startingCSV"
            cites = ["P-G99"]
            because = "Too short."
            [[deviation]]
            object = "nfd"
            cites = ["defect"]
            because = "The server refuses what the manual writes."
            [[deviation]]
            object = "Secret a"
            cites = []
            because = "The server refuses what the manual writes."
        "#;
        let (rows, problems) = parse(text, &Reference::default()).expect("rows");
        assert_eq!(rows.len(), 2);
        assert_eq!(
            problems,
            [
                "deviation Subscription nfd spec.startingCSV: `P-G99` is no row of the reference; cite one such as P-G14, P-7.12, S-M13, S-7.5, or \"defect\"",
                "deviation Subscription nfd spec.startingCSV: `because` is a sentence that says what would break without it",
                "deviation nfd : `object` is a kind and a name, as \"Subscription nfd\"",
                "deviation Secret a : it cites nothing",
            ]
        );
        assert!(
            parse(
                "[[deviation]]\nobject = \"Secret a\"\nwhy = \"x\"",
                &Reference::default()
            )
            .is_err()
        );
    }

    #[test]
    fn a_row_of_defects_covers_defects_alone() {
        let row = |cites: &[&str]| Deviation {
            object: ObjectName::parse("Pod a").expect("a name"),
            how: How::Field("spec".to_owned()),
            cases: vec!["a/b".to_owned()],
            cites: cites.iter().map(|cite| (*cite).to_owned()).collect(),
        };
        let difference = |is_defect| Difference {
            object: ObjectName::parse("Pod a").expect("a name"),
            path: "spec.x".to_owned(),
            text: String::new(),
            is_defect,
        };
        assert!(row(&[DEFECT]).covers("a/b", &difference(true)));
        assert!(!row(&[DEFECT]).covers("a/b", &difference(false)));
        assert!(row(&["P-G14"]).covers("a/b", &difference(false)));
        assert!(!row(&["P-G14"]).covers("a/c", &difference(false)));
    }
}
