//! A file of faults: what goes wrong, from when to when.
//!
//! ```toml
//! [[faults]]
//! fault  = "webhook-timeouts@Tenant"
//! begins = { when = "Namespace/models-as-a-service" }
//! ends   = { after = "2m" }
//! ```
//!
//! Invariants: every mistake of a file is told, each with its line; a key that means nothing is a mistake.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::amount;
use super::{Fault, FaultError};
use crate::operators::{is_namespaced, kind_named};

/// A fault, and when it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// What goes wrong.
    pub fault: Fault,
    /// From when on: durations count from the start of the cluster's process.
    pub begins: Moment,
    /// Until when, if it ends: durations count from its beginning.
    pub ends: Option<Moment>,
}

/// A moment in the life of a cluster. The default is at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// What has to happen first.
    pub event: Option<ObjectEvent>,
    /// How much later, in simulated time.
    pub after: Option<Duration>,
}

/// Something that happens to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectEvent {
    /// Its kind.
    pub kind: String,
    /// Its namespace, empty for an object of the cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The condition that is True, or the phase that it is in; without one it is enough that it is there.
    pub is: Option<String>,
}

/// Everything that is wrong with a file of faults.
#[derive(Debug, thiserror::Error)]
pub struct ScenarioErrors(pub Vec<ScenarioError>);

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{error}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong with a file of faults.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It cannot be read.
    #[error("{} cannot be read: {cause}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A line of it is wrong.
    #[error("{}:{line}: {what}", .file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, in words.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    faults: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    fault: Spanned<String>,
    begins: Option<When>,
    ends: Option<When>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    when: Option<Spanned<String>>,
    is: Option<Spanned<String>>,
    after: Option<Spanned<String>>,
}

/// Reads a file of faults.
///
/// # Errors
///
/// Everything that is wrong with it, in the order of its lines.
pub fn read_scenario(file: &Path) -> Result<Vec<Scheduled>, ScenarioErrors> {
    let text = std::fs::read_to_string(file).map_err(|cause| {
        ScenarioErrors(vec![ScenarioError::Unreadable {
            file: file.to_owned(),
            cause,
        }])
    })?;
    parse(file, &text)
}

fn parse(file: &Path, text: &str) -> Result<Vec<Scheduled>, ScenarioErrors> {
    let mut reader = Reader {
        file,
        text,
        errors: Vec::new(),
    };
    let rows = match toml::from_str::<File>(text) {
        Ok(File { faults }) => faults,
        Err(error) => {
            reader.wrong(error.span().unwrap_or_default(), error.message().to_owned());
            return Err(ScenarioErrors(reader.errors));
        }
    };
    let faults: Vec<_> = rows.into_iter().filter_map(|row| reader.row(row)).collect();
    if reader.errors.is_empty() {
        Ok(faults)
    } else {
        Err(ScenarioErrors(reader.errors))
    }
}

struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    errors: Vec<ScenarioError>,
}

impl Reader<'_> {
    fn wrong(&mut self, at: Range<usize>, what: String) {
        let before = self.text.get(..at.start).unwrap_or_default();
        self.errors.push(ScenarioError::Wrong {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            what,
        });
    }

    fn row(&mut self, row: Row) -> Option<Scheduled> {
        let fault: Result<Fault, FaultError> = row.fault.get_ref().parse();
        let fault = match fault {
            Ok(fault) => Some(fault),
            Err(error) => {
                self.wrong(row.fault.span(), error.to_string());
                None
            }
        };
        let begins = row.begins.map_or(Some(Moment::default()), |when| self.moment(when));
        let ends = match row.ends {
            None => Some(None),
            Some(when) => self.moment(when).map(Some),
        };
        Some(Scheduled {
            fault: fault?,
            begins: begins?,
            ends: ends?,
        })
    }

    fn moment(&mut self, when: When) -> Option<Moment> {
        let n_errors = self.errors.len();
        let after = when.after.and_then(|after| {
            let read = amount::duration(after.get_ref());
            if read.is_none() {
                let what = format!("`{}` is no duration: write one such as `30s` or `5m`", after.get_ref());
                self.wrong(after.span(), what);
            }
            read
        });
        let event = match (when.when, when.is) {
            (Some(when), is) => self.event(&when, is.map(Spanned::into_inner)),
            (None, Some(is)) => {
                self.wrong(is.span(), "`is` needs `when`, which names the object".to_owned());
                None
            }
            (None, None) => None,
        };
        (self.errors.len() == n_errors).then_some(Moment { event, after })
    }

    fn event(&mut self, when: &Spanned<String>, is: Option<String>) -> Option<ObjectEvent> {
        let parts: Vec<&str> = when.get_ref().split('/').collect();
        let (kind, namespace, name) = match *parts.as_slice() {
            [kind, name] => (kind, "", name),
            [kind, namespace, name] => (kind, namespace, name),
            _ => {
                self.wrong(
                    when.span(),
                    format!(
                        "`{}` is no object: write KIND/NAME or KIND/NAMESPACE/NAME",
                        when.get_ref()
                    ),
                );
                return None;
            }
        };
        let Some(known) = kind_named(kind) else {
            self.wrong(when.span(), format!("no simulated operator looks at the kind `{kind}`"));
            return None;
        };
        if is_namespaced(known) == namespace.is_empty() {
            let form = if is_namespaced(known) { "NAMESPACE/NAME" } else { "NAME" };
            self.wrong(when.span(), format!("write {kind}/{form}"));
            return None;
        }
        Some(ObjectEvent {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            is,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Scheduled>, String> {
        parse(Path::new("day.toml"), text).map_err(|errors| errors.to_string())
    }

    #[test]
    fn the_example_of_the_project_is_one() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rough-day.toml");
        assert!(read_scenario(&file).expect("a file of faults").len() > 3);
    }

    #[test]
    fn a_fault_may_wait_for_an_object_and_last_a_while() {
        let faults = read(
            "[[faults]]\nfault = \"stopped@olm\"\n\
             begins = { when = \"Tenant/models-as-a-service/default-tenant\", is = \"Ready\", after = \"30s\" }\nends = { after = \"2m\" }\n",
        )
        .expect("a scenario");
        let [fault] = faults.as_slice() else {
            panic!("{faults:?}")
        };
        assert_eq!(fault.begins.after, Some(Duration::from_secs(30)));
        let event = fault.begins.event.as_ref().expect("an event");
        assert_eq!((event.kind.as_str(), event.is.as_deref()), ("Tenant", Some("Ready")));
        assert_eq!(
            fault.ends.as_ref().and_then(|ends| ends.after),
            Some(Duration::from_secs(120))
        );
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let error = read(
            "[[faults]]\nfault = \"stoped@olm\"\n\n[[faults]]\nfault = \"stopped@olm\"\n\
             begins = { when = \"Nod/x\" }\nends = { after = \"soon\" }\n",
        );
        insta::assert_snapshot!(error.expect_err("three mistakes"), @r"
        day.toml:2: there is no fault `stoped`, did you mean `stopped`?
        day.toml:6: no simulated operator looks at the kind `Nod`
        day.toml:7: `soon` is no duration: write one such as `30s` or `5m`
        ");
        let error = read("[[faults]]\nfault = \"stopped@olm\"\nbegin = {}\n").expect_err("an unknown key");
        assert!(error.starts_with("day.toml:3: ") && error.contains("begin"), "{error}");
    }
}
