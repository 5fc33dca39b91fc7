//! What a real server answered, as it is kept.

use crate::case::{Case, folder};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fmt::Write as _, fs};

/// The answers of one family.
pub(crate) struct Fixture {
    server: Value,
    cases: Map<String, Value>,
}

impl Fixture {
    pub(crate) fn new(server: Value) -> Self {
        Self {
            server,
            cases: Map::new(),
        }
    }

    pub(crate) fn add(&mut self, case: &Case, answers: Vec<Value>) {
        let before = self.cases.insert(case.name.clone(), Value::Array(answers));
        assert!(before.is_none(), "two cases are named `{}`", case.name);
    }

    /// The names of all cases.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.cases.keys().map(String::as_str).collect()
    }

    #[track_caller]
    pub(crate) fn of(&self, case: &Case) -> &[Value] {
        let answers = self.cases.get(&case.name).and_then(Value::as_array);
        answers.unwrap_or_else(|| panic!("`{}` was never recorded", case.name))
    }

    /// The first step that was answered differently, as a diff; none where all are equal.
    pub(crate) fn difference(&self, case: &Case, seen: &[Value]) -> Option<String> {
        let recorded = self.of(case);
        assert_eq!(
            recorded.len(),
            case.steps.len(),
            "`{}` has other steps than were recorded",
            case.name
        );
        let index = (0..seen.len()).find(|index| recorded.get(*index) != seen.get(*index))?;
        let text = |value: &Value| serde_json::to_string_pretty(value).expect("JSON");
        let (real, ours) = (text(&recorded[index]), text(&seen[index]));
        let lines: Vec<_> = similar::TextDiff::from_lines(&real, &ours)
            .iter_all_changes()
            .filter(|change| change.tag() != similar::ChangeTag::Equal)
            .map(|change| format!("{}{}", change.tag(), change.value().trim_end()))
            .collect();
        Some(format!(
            "step {} {}\n{}",
            index + 1,
            case.steps[index].request,
            lines.join("\n")
        ))
    }

    pub(crate) fn read(family: &str) -> Self {
        let path = folder().join("recorded").join(format!("{family}.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut value: Value = serde_json::from_str(&text).expect("a recording is JSON");
        let Value::Object(cases) = value["cases"].take() else {
            panic!("{} holds no cases", path.display());
        };
        Self {
            server: value["server"].take(),
            cases,
        }
    }

    /// Writes the recording: one answer a line.
    pub(crate) fn write(&self, family: &str) {
        let path = folder().join("recorded").join(format!("{family}.json"));
        let mut text = format!("{{\n\"server\": {},\n\"cases\": {{", self.server);
        for (index, (name, answers)) in self.cases.iter().enumerate() {
            let lines: Vec<_> = answers.as_array().into_iter().flatten().map(Value::to_string).collect();
            let comma = if index == 0 { "" } else { "," };
            let name = Value::from(name.as_str());
            write!(text, "{comma}\n{name}: [\n{}\n]", lines.join(",\n")).expect("a text takes all");
        }
        text += "\n}\n}\n";
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
