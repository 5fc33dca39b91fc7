//! Whether stacks render the objects that the manual's charts and files give.
//!
//! In: a stack for each golden case in `tests/golden`, and the manual's objects in `../shared/golden`. Each is rendered
//! by the binary itself, offline, and compared by `goldendiff.py`, which shares no code with the project.
//!
//! Invariants:
//! - Every golden case has a stack.
//! - Every difference is told by a row of `deviations.toml`, also where the golden file is known to be wrong.
//! - Every row cites what the reference has, and is needed.
//!
//! Deliberately absent: what only we make. A stack holds more than one chart.

mod cases;
mod deviations;
mod difference;
mod objects;
mod reference;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

pub(crate) use cases::{Case, find};
use deviations::Deviation;
use difference::{Comparison, ObjectName};
use reference::Reference;

use crate::{error::TaskError, program};

/// How many cases are rendered and compared at once.
const WORKERS: usize = 2;

/// Hints of another tool, which order what our graph orders.
const IGNORED: [&str; 2] = ["--ignore-meta", "argocd.argoproj.io/"];

/// Renders and compares every case; answers with the figures.
///
/// # Errors
/// When a case differs without a row, a row cites what is not there or is not needed, or a case has no stack.
pub(crate) fn run(root: &Path, shared: &Path, only: Option<&str>) -> Result<String, TaskError> {
    program::python_has(&[("yaml", "pyyaml")])?;
    let ours = root.join("tests/golden");
    let mut cases = find(&ours, &shared.join("golden"))?;
    if let Some(prefix) = only {
        cases.ready.retain(|case| case.name.starts_with(prefix));
    }
    let reference = Reference::read(&shared.join("reference"))?;
    let (rows, wrong_rows) = deviations::read(&ours.join("deviations.toml"), &reference)?;
    let bench = Bench {
        stackctl: program::stackctl(root)?,
        judge: shared.join("tools/goldendiff.py"),
        folder: root.join("target/xtask/goldens"),
    };
    let mut tally = Tally::default();
    for (case, compared) in cases.ready.iter().zip(bench.compare_all(&cases.ready, &rows)) {
        match compared {
            Ok(compared) => tally.add(&case.name, &compared, &rows),
            Err(error) => tally.problems.push(format!("{}: {}", case.name, crate::chain(&error))),
        }
    }
    let mut problems = [cases.problems, wrong_rows].concat();
    problems.append(&mut tally.problems);
    if only.is_none() {
        problems.extend(tally.unneeded(&rows));
    }
    let figure = tally.figure(cases.ready.len(), &rows);
    if problems.is_empty() {
        Ok(figure)
    } else {
        Err(TaskError::Goldens { problems, figure })
    }
}

/// What a comparison takes.
struct Bench {
    stackctl: PathBuf,
    judge: PathBuf,
    /// Where the files go that the judge reads.
    folder: PathBuf,
}

/// A case after its comparison.
struct Compared {
    comparison: Comparison,
    /// Rows that gave an object its name with us.
    renames: Vec<usize>,
}

/// Renders a case's stack into one stream of manifests.
///
/// # Errors
/// When the stack does not compile, or a file cannot be written.
pub(crate) fn render(stackctl: &Path, case: &Case, folder: &Path) -> Result<String, TaskError> {
    let facts = folder.join(format!("{}.facts.json", case.name));
    write(&facts, &case.facts.to_string())?;
    let mut binary = Command::new(stackctl);
    binary.arg("render").args(&case.layers).arg("--facts").arg(&facts);
    program::output(&mut binary, "")
}

/// Writes a file, and the folder above it if there is none.
///
/// # Errors
/// When the system refuses.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), TaskError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|cause| TaskError::Write {
            path: path.to_owned(),
            cause,
        })
}

impl Bench {
    /// Compares every case, some at once; the answers are in the order of the cases.
    fn compare_all(&self, cases: &[Case], rows: &[Deviation]) -> Vec<Result<Compared, TaskError>> {
        let waiting = Mutex::new(cases.iter().enumerate());
        let answers = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    loop {
                        let next = waiting.lock().ok().and_then(|mut waiting| waiting.next());
                        let Some((at, case)) = next else { break };
                        let answer = self.compare(case, rows);
                        if let Ok(mut answers) = answers.lock() {
                            answers.insert(at, answer);
                        }
                    }
                });
            }
        });
        let answers = answers.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        answers.into_values().collect()
    }

    fn compare(&self, case: &Case, rows: &[Deviation]) -> Result<Compared, TaskError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |text| TaskError::Yaml { path, text }
        };
        let path = self.folder.join(format!("{}.ours.yaml", case.name));
        let rendered = render(&self.stackctl, case, &self.folder)?;
        let ours = objects::merged(objects::parse(&rendered).map_err(unreadable(&path))?);
        write(&path, &objects::stream(&ours))?;
        let theirs = objects::parse(&read(&case.golden)?).map_err(unreadable(&case.golden))?;
        let (theirs, names) = under_our_names(&case.name, theirs, &ours, rows);
        // The judge takes the namespace and the defects from a file beside the objects.
        let golden = self.folder.join(format!("{}.yaml", case.name));
        write(&golden, &objects::stream(&theirs))?;
        let inputs = case.golden.with_extension("inputs.yaml");
        let text = read(&inputs)?;
        let defects = objects::Defects::parse(&text).map_err(unreadable(&inputs))?;
        write(&golden.with_extension("inputs.yaml"), &text)?;
        let mut judge = Command::new("python3");
        judge.arg(&self.judge).args(IGNORED).arg(&golden).arg(&path);
        let answer = program::run(&mut judge)?;
        // 0: all match, 1: some differ, and anything else is no comparison.
        let told = String::from_utf8_lossy(&answer.stdout).into_owned();
        let comparison = matches!(answer.status.code(), Some(0 | 1)).then(|| difference::parse(&told));
        let Some(mut comparison) = comparison.flatten() else {
            return Err(program::failed(&judge, &answer, ": its answer is no comparison"));
        };
        for difference in &mut comparison.differences {
            if let Some((_, theirs)) = names.get(&difference.object) {
                difference.object = theirs.clone();
            }
            let value = difference.left_out().and_then(|text| serde_json::from_str(text).ok());
            if let Some(value) = value {
                let is_wrong = defects.are_all_of(&difference.object, &difference.path, &value);
                difference.is_defect |= is_wrong;
            }
        }
        Ok(Compared {
            comparison,
            renames: names.into_values().map(|(row, _)| row).collect(),
        })
    }
}

/// Our name, with the row that gives it and the name in the golden file.
type Names = BTreeMap<ObjectName, (usize, ObjectName)>;

/// The manual's objects, those under our names that have another one with us.
fn under_our_names(
    case: &str,
    theirs: Vec<serde_json::Value>,
    ours: &[serde_json::Value],
    rows: &[Deviation],
) -> (Vec<serde_json::Value>, Names) {
    let there: BTreeSet<_> = ours.iter().filter_map(objects::name).collect();
    let mut names = Names::new();
    let theirs = theirs.into_iter().map(|object| {
        let Some(name) = objects::name(&object).filter(|name| !there.contains(name)) else {
            return object;
        };
        let mut renames = rows.iter().enumerate();
        let Some((row, renaming)) = renames.find_map(|(row, one)| Some((row, one.renames(case, &name)?))) else {
            return object;
        };
        let replaced = objects::replaced(&object, &renaming.replaced);
        let to = ObjectName {
            kind: name.kind.clone(),
            name: renaming.to.clone(),
        };
        names.insert(to, (row, name));
        replaced
    });
    (theirs.collect(), names)
}

/// What all comparisons come to.
#[derive(Default)]
struct Tally {
    n_cases: usize,
    n_objects: usize,
    n_match: usize,
    n_cite: usize,
    /// Rows with the cases that need them.
    needed: BTreeMap<usize, BTreeSet<String>>,
    problems: Vec<String>,
}

impl Tally {
    fn add(&mut self, case: &str, compared: &Compared, rows: &[Deviation]) {
        let (mut differing, mut wrong) = (BTreeSet::new(), BTreeSet::new());
        for row in &compared.renames {
            self.needed.entry(*row).or_default().insert(case.to_owned());
            differing.insert(&rows[*row].object);
        }
        for difference in &compared.comparison.differences {
            differing.insert(&difference.object);
            match rows.iter().position(|row| row.covers(case, difference)) {
                Some(row) => {
                    self.needed.entry(row).or_default().insert(case.to_owned());
                }
                None => {
                    wrong.insert(&difference.object);
                    let note = if difference.is_defect {
                        " (a defect of the case)"
                    } else {
                        ""
                    };
                    self.problems.push(format!(
                        "{case}: {} {}: {}{note}",
                        difference.object, difference.path, difference.text
                    ));
                }
            }
        }
        let n_objects = compared.comparison.n_objects;
        self.n_objects += n_objects;
        self.n_match += n_objects.saturating_sub(differing.len());
        self.n_cite += differing.len() - wrong.len();
        self.n_cases += usize::from(wrong.is_empty());
    }

    /// Rows that nothing needs, and cases that a row names for nothing.
    fn unneeded(&self, rows: &[Deviation]) -> Vec<String> {
        let mut problems = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let none = BTreeSet::new();
            let needed = self.needed.get(&at).unwrap_or(&none);
            if needed.is_empty() {
                problems.push(format!("deviation {row}: nothing needs it; take the row out"));
                continue;
            }
            for case in row.cases.iter().filter(|case| !needed.contains(*case)) {
                problems.push(format!("deviation {row}: {case} does not need it; take the case out"));
            }
        }
        problems
    }

    /// The one line at the end.
    fn figure(&self, n_cases: usize, rows: &[Deviation]) -> String {
        let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
        for cite in rows.iter().flat_map(|row| &row.cites) {
            *ids.entry(cite).or_default() += 1;
        }
        let list = |counts: Vec<(&str, usize)>| {
            let texts: Vec<_> = counts.iter().map(|(what, n)| format!("{what} {n}")).collect();
            if texts.is_empty() {
                "none".to_owned()
            } else {
                texts.join(", ")
            }
        };
        format!(
            "goldens: {}/{n_cases} cases, {}/{} objects match or cite ({} match, {} cite); \
             deviations: {}",
            self.n_cases,
            self.n_match + self.n_cite,
            self.n_objects,
            self.n_match,
            self.n_cite,
            list(ids.into_iter().collect()),
        )
    }
}

fn read(path: &Path) -> Result<String, TaskError> {
    fs::read_to_string(path).map_err(|cause| TaskError::Read {
        path: path.to_owned(),
        cause,
    })
}
