//! What `goldendiff.py` prints, as values.
//!
//! Its lines: `missing  <title>`, `differs  <title>` with `    <path>: <text>` for each field, `tolerated <title>` with
//! one such line and the reason in brackets, and a figure at the end. A title is `<Kind>[.<group>] [<namespace>/]<name>`.

/// The objects of a golden file that ours are compared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectName {
    /// As `Subscription`.
    pub(crate) kind: String,
    /// As `nfd`.
    pub(crate) name: String,
}

impl ObjectName {
    /// Reads `Kind name`, as deviations have it, or a title.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(' ')?;
        let kind = kind.split('.').next()?;
        let name = name.rsplit('/').next()?;
        let is_whole = !kind.is_empty() && !name.is_empty() && !name.contains(' ');
        is_whole.then(|| Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// One difference of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The object, by its name in the golden file.
    pub(crate) object: ObjectName,
    /// The field; empty where the whole object is missing.
    pub(crate) path: String,
    /// Both values, for people.
    pub(crate) text: String,
    /// Whether the case says that its golden file is wrong there.
    pub(crate) is_defect: bool,
}

/// One comparison.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// How many objects the golden file has.
    pub(crate) n_objects: usize,
    /// Every difference that counts.
    pub(crate) differences: Vec<Difference>,
}

/// How `stackctl render` stands in for a secret, as the comparison shows it.
const WITHHELD: &str = ", ours \"(secret)\"";

impl Difference {
    /// Whether it is a field that we do not set.
    pub(crate) fn is_left_out(&self) -> bool {
        self.left_out().is_some()
    }

    /// The golden value of a field that we do not set, as far as the judge shows it.
    pub(crate) fn left_out(&self) -> Option<&str> {
        self.text.strip_prefix("missing, golden has ")
    }

    /// Whether it is at or below a path, which may leave out what selects in lists.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        if path.is_empty() {
            return self.path.is_empty();
        }
        [self.path.clone(), plain(&self.path)].iter().any(|at| {
            at.strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '>']))
        })
    }
}

/// Reads all that `goldendiff.py` says of one case; `None` where a line is none of those that it writes.
///
/// What a secret is, `render` does not say, so that this alone is no difference.
pub(crate) fn parse(told: &str) -> Option<Comparison> {
    let (mut n_objects, mut differences) = (None, Vec::new());
    let mut below: Option<(ObjectName, bool)> = None;
    for line in told.lines() {
        if let Some(field) = line.strip_prefix("    ") {
            let (object, is_defect) = below.clone()?;
            if is_defect && field.starts_with('(') {
                continue;
            }
            let (path, text) = field.split_at(end_of_path(field)?);
            let text = text.trim_start_matches(": ");
            if object.kind == "Secret" && text.ends_with(WITHHELD) {
                continue;
            }
            differences.push(Difference {
                object,
                path: path.to_owned(),
                text: text.to_owned(),
                is_defect,
            });
        } else if let Some(title) = line.strip_prefix("missing  ") {
            differences.push(Difference {
                object: ObjectName::parse(title)?,
                path: String::new(),
                text: "missing".to_owned(),
                is_defect: false,
            });
        } else if let Some(title) = line.strip_prefix("differs  ") {
            below = Some((ObjectName::parse(title)?, false));
        } else if let Some(title) = line.strip_prefix("tolerated ") {
            below = Some((ObjectName::parse(title)?, true));
        } else if let Some(figure) = line.strip_prefix("golden: ") {
            let (_, rest) = figure.split_once('/')?;
            n_objects = rest.split(' ').next()?.parse().ok();
        } else if !line.ends_with("differences tolerated as known defects of the golden file") {
            return None;
        }
    }
    Some(Comparison {
        n_objects: n_objects?,
        differences,
    })
}

/// Where the path at the start of a line ends: at the first `: ` outside of brackets.
fn end_of_path(field: &str) -> Option<usize> {
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, character) in field.char_indices() {
        match character {
            '"' if depth > 0 => is_quoted = !is_quoted,
            '[' if !is_quoted => depth += 1,
            ']' if !is_quoted => depth = depth.saturating_sub(1),
            ':' if depth == 0 && field[at..].starts_with(": ") => return Some(at),
            _ => {}
        }
    }
    None
}

/// A path without what selects in lists; a quoted key stays, since it is one.
fn plain(path: &str) -> String {
    let (mut text, mut depth, mut is_quoted) = (String::new(), 0_usize, false);
    let mut is_key = false;
    let mut characters = path.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '"' && depth > 0 {
            is_quoted = !is_quoted;
        }
        if character == '[' && !is_quoted {
            if depth == 0 {
                is_key = characters.peek() == Some(&'"');
            }
            depth += 1;
        }
        if depth == 0 || is_key {
            text.push(character);
        }
        if character == ']' && !is_quoted {
            depth = depth.saturating_sub(1);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = r#"missing  ServiceMonitor.monitoring.coreos.com nvidia-gpu-operator/nvidia-dcgm-exporter
tolerated ClusterPolicy.nvidia.com gpu-cluster-policy
    spec.validator.enabled: missing, golden has true
    (no such field: see the CRD)
differs  Subscription.operators.coreos.com openshift-nfd/nfd
    metadata.annotations["example.com/a: b"]: missing, golden has "x: y"
    spec.containers[name=main].env[name=A].value: golden "1", ours "2"
differs  Secret openshift/db
    data.url: golden "postgres://<random:24>", ours "(secret)"
    data.user: golden "a", ours "b"
1 differences tolerated as known defects of the golden file
golden: 3/7 objects match, 4 field differences
"#;

    #[test]
    fn every_line_of_the_judge_is_understood() {
        let comparison = parse(TOLD).expect("lines of the judge");
        assert_eq!(comparison.n_objects, 7);
        let told: Vec<_> = comparison
            .differences
            .iter()
            .map(|one| format!("{} | {} | {} | {}", one.object, one.path, one.text, one.is_defect))
            .collect();
        assert_eq!(
            told,
            [
                "ServiceMonitor nvidia-dcgm-exporter |  | missing | false",
                "ClusterPolicy gpu-cluster-policy | spec.validator.enabled | missing, golden has true | true",
                r#"Subscription nfd | metadata.annotations["example.com/a: b"] | missing, golden has "x: y" | false"#,
                r#"Subscription nfd | spec.containers[name=main].env[name=A].value | golden "1", ours "2" | false"#,
                r#"Secret db | data.user | golden "a", ours "b" | false"#,
            ]
        );
    }

    #[test]
    fn a_line_that_the_judge_does_not_write_is_not_passed_over() {
        assert_eq!(parse("cannot compare: x\n"), None);
        assert_eq!(
            parse("    spec.a: b\ngolden: 1/1 objects match, 0 field differences\n"),
            None
        );
        assert_eq!(parse("differs  Secret a\n"), None, "no figure");
    }

    #[test]
    fn a_row_covers_its_path_and_what_is_below() {
        let at = |path: &str| Difference {
            object: ObjectName::parse("Pod a").expect("a name"),
            path: path.to_owned(),
            text: String::new(),
            is_defect: false,
        };
        assert!(at("spec.a[name=x].b").is_at("spec.a"));
        assert!(at("spec.a[name=x].b").is_at("spec.a.b"));
        assert!(at("spec.a[name=x].b").is_at("spec.a[name=x]"));
        assert!(at("data.x>.kind").is_at("data.x"));
        assert!(at(r#"metadata.labels["a/b"]"#).is_at(r#"metadata.labels["a/b"]"#));
        assert!(!at("spec.ab").is_at("spec.a"));
        assert!(!at("spec.a").is_at("spec.a.b"));
        assert!(at("").is_at("") && !at("spec").is_at("") && !at("").is_at("spec"));
    }
}
