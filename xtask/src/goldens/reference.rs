//! The ids of the reference: rows that a deviation may cite.
//!
//! In: `../shared/reference/{platform,serving}.md`. Out: a set of names such as `P-G14`, `P-7.12`, `S-M13`, `S-7.5` and,
//! for facts that no row tells, the heading of a section, `P-§2.12`. Nothing but what the files hold is an id.

use std::{collections::BTreeSet, fs, path::Path};

use crate::error::TaskError;

/// What a deviation cites where the golden file itself is known to be wrong.
pub(crate) const DEFECT: &str = "defect";

/// One file of the reference.
struct Volume {
    file: &'static str,
    /// What its ids begin with.
    letter: char,
    /// The section of gotchas, whose rows are named by a letter and a number.
    gotchas: &'static str,
    /// The section of disagreements, whose rows are numbered.
    disagreements: &'static str,
}

const VOLUMES: [Volume; 2] = [
    Volume {
        file: "platform.md",
        letter: 'P',
        gotchas: "4",
        disagreements: "7",
    },
    Volume {
        file: "serving.md",
        letter: 'S',
        gotchas: "5",
        disagreements: "7",
    },
];

/// Everything that may be cited.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    ids: BTreeSet<String>,
}

impl Reference {
    /// Reads the reference in a folder.
    ///
    /// # Errors
    /// When a file of it cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Self, TaskError> {
        let mut reference = Self::default();
        for volume in &VOLUMES {
            let path = folder.join(volume.file);
            let text = fs::read_to_string(&path).map_err(|cause| TaskError::Read { path, cause })?;
            reference.ids.extend(ids(volume, &text));
        }
        Ok(reference)
    }

    /// Whether there is such a row, such a section, or whether it is a case's own defect.
    pub(crate) fn has(&self, id: &str) -> bool {
        id == DEFECT || self.ids.contains(id)
    }
}

fn ids(volume: &Volume, text: &str) -> Vec<String> {
    let mut section = "";
    let mut ids = Vec::new();
    for line in text.lines() {
        if let Some(number) = heading(line) {
            ids.push(format!("{}-§{number}", volume.letter));
            section = number.split('.').next().unwrap_or_default();
        } else if let Some(cell) = first_cell(line) {
            if section == volume.gotchas && is_gotcha(cell) {
                ids.push(format!("{}-{cell}", volume.letter));
            } else if section == volume.disagreements && is_number(cell.trim_start_matches('D')) {
                let number = cell.trim_start_matches('D');
                ids.push(format!("{}-{}.{number}", volume.letter, volume.disagreements));
            }
        }
    }
    ids
}

/// The number of a heading: `2.12` of `### 2.12 RHOAI admission`, `4` of `## 4. Gotchas`.
fn heading(line: &str) -> Option<&str> {
    let words = line.strip_prefix("##")?.trim_start_matches('#').strip_prefix(' ')?;
    let number = words.split(' ').next()?.trim_end_matches('.');
    number.split('.').all(is_number).then_some(number)
}

fn first_cell(line: &str) -> Option<&str> {
    Some(line.strip_prefix('|')?.split('|').next()?.trim())
}

fn is_gotcha(cell: &str) -> bool {
    let mut characters = cell.chars();
    characters.next().is_some_and(|c| c.is_ascii_uppercase()) && is_number(characters.as_str())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATFORM: &str = "# Platform\n\n## 2. Components\n\n### 2.12 RHOAI admission `[U]`\n\n| id | x |\n|---|---|\n\
        | G99 | not a gotcha here |\n\n```yaml\n# a comment\n## and 5 more\n```\n## 4. Gotchas\n\n| id | symptom |\n|---|---|\n\
        | G01 | none |\n| G14 | gone |\n\n## 7. Disagreements\n\n| # | topic |\n| D05 | CSV |\n| D12 | namespace |\n";
    const SERVING: &str = "## 5. Gotchas: symptom\n\n### 5.1 llm-d\n\n| ID | Symptom |\n|---|---|\n| M13 | 401 |\n\
        ### 5.2 MaaS\n| K1 | x |\n## 7. Disagreements (both)\n| # | Topic |\n| 5 | remedy |\n";

    #[test]
    fn ids_are_the_rows_and_the_headings_of_the_files() {
        assert_eq!(
            ids(&VOLUMES[0], PLATFORM),
            ["P-§2", "P-§2.12", "P-§4", "P-G01", "P-G14", "P-§7", "P-7.05", "P-7.12"]
        );
        assert_eq!(
            ids(&VOLUMES[1], SERVING),
            ["S-§5", "S-§5.1", "S-M13", "S-§5.2", "S-K1", "S-§7", "S-7.5"]
        );
    }

    #[test]
    fn what_is_no_row_is_unknown() {
        let reference = Reference {
            ids: ids(&VOLUMES[0], PLATFORM).into_iter().collect(),
        };
        for id in ["P-G14", "P-7.12", "P-§2.12", "defect"] {
            assert!(reference.has(id), "{id}");
        }
        for id in ["P-G99", "P-7.13", "S-M13", "G14", "P-§2.13", "", "Defect"] {
            assert!(!reference.has(id), "{id}");
        }
    }
}
