//! Lines of containers: as they are where there is one, behind the name of their pod where there are several.
//!
//! Invariant: what a container wrote is printed as it was written; only colour and the name before it are ours.

use super::{json, result, tell};
use crate::{
    settings::Settings,
    views::style::{Meaning, Style},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The colours of pods, in turn; none of them says that something is wrong.
const COLOURS: [Meaning; 4] = [Meaning::Busy, Meaning::Good, Meaning::Attention, Meaning::Heading];

/// A line of `logs`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LogLineJson {
    namespace: String,
    pod: String,
    container: String,
    /// As RFC 3339, with `--timestamps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    /// As the container wrote it.
    line: String,
}

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The namespace of the pod.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// Which one of that name.
    pub uid: String,
    /// The container.
    pub container: String,
    /// Whether the pod has others.
    pub of_several: bool,
}

impl Source {
    /// `namespace/pod container main`, for sentences.
    pub fn name(&self) -> String {
        format!("{}/{}, container {}", self.namespace, self.pod, self.container)
    }

    /// What stands before its lines.
    fn prefix(&self) -> String {
        if self.of_several {
            format!("{}/{}", self.pod, self.container)
        } else {
            self.pod.clone()
        }
    }
}

/// How lines are printed.
#[derive(Debug)]
pub struct Lines {
    out: Style,
    err: Style,
    is_json: bool,
    timed: bool,
    /// The colours that were given out.
    known: BTreeMap<Source, Meaning>,
}

impl Lines {
    /// The way that fits. `timed`: each line begins with its time.
    pub fn of(settings: &Settings, timed: bool) -> Self {
        Self {
            out: settings.out,
            err: settings.err,
            is_json: settings.json,
            timed,
            known: BTreeMap::new(),
        }
    }

    /// Learns of containers whose lines will come: from two on each line says whose it is.
    pub fn expect<'a>(&mut self, sources: impl IntoIterator<Item = &'a Source>) {
        for source in sources {
            let colour = COLOURS[self.known.len() % COLOURS.len()];
            self.known.entry(source.clone()).or_insert(colour);
        }
    }

    /// Prints one line.
    pub fn line(&self, source: &Source, line: &str) {
        result(&self.printed(source, line));
    }

    /// Tells something beside the lines.
    pub fn note(&self, text: &str) {
        tell(&format!("{} {text}\n", self.err.paint(Meaning::Busy, "note:")));
    }

    fn printed(&self, source: &Source, line: &str) -> String {
        if self.is_json {
            let (time, text) = match line.split_once(' ') {
                Some((time, text)) if self.timed => (Some(time), text),
                _ => (None, line),
            };
            let value = LogLineJson {
                namespace: source.namespace.clone(),
                pod: source.pod.clone(),
                container: source.container.clone(),
                time: time.map(str::to_owned),
                line: text.to_owned(),
            };
            return json::line(&value);
        }
        if self.known.len() < 2 {
            return format!("{line}\n");
        }
        let colour = self.known.get(source).copied().unwrap_or(Meaning::Quiet);
        format!("{}  {line}\n", self.out.paint(colour, &source.prefix()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(pod: &str, of_several: bool) -> Source {
        Source {
            namespace: "llm".to_owned(),
            pod: pod.to_owned(),
            uid: String::new(),
            container: "main".to_owned(),
            of_several,
        }
    }

    fn lines(is_json: bool, timed: bool) -> Lines {
        Lines {
            out: Style::PLAIN,
            err: Style::PLAIN,
            is_json,
            timed,
            known: BTreeMap::new(),
        }
    }

    #[test]
    fn one_container_speaks_alone_and_several_say_who_they_are() {
        let (one, two) = (source("a", false), source("b", true));
        let mut printed = lines(false, false);
        printed.expect([&one]);
        assert_eq!(printed.printed(&one, "x  y"), "x  y\n");
        printed.expect([&one, &two]);
        assert_eq!(printed.printed(&one, "x"), "a  x\n");
        assert_eq!(printed.printed(&two, ""), "b/main  \n");
    }

    #[test]
    fn machines_get_the_time_apart_from_the_line() {
        let text = lines(true, true).printed(&source("a", false), "2026-11-28T10:00:00Z listening on 8000");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["time"], "2026-11-28T10:00:00Z");
        assert_eq!(value["line"], "listening on 8000");
    }
}
