//! Known symptoms of what does not become ready: data of the catalogue, told to people by the executor.

use crate::{FieldPath, readiness::Observation};
use std::time::Duration;

/// A known symptom of a resource that does not become ready, and what practice prescribes for it.
///
/// What it looks at is watched while the resource waits; what may not be watched shows no symptom.
///
/// A diagnosis never changes the verdict; it explains it, and may end a wait that is in vain. Of several that are seen,
/// the first counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// What is seen beside the resource being unready, all of it; nothing means whatever is seen. The words of the last
    /// observation are told as the cause.
    pub symptom: Vec<Observation>,
    /// Where the object that meets the last observation says why, the first that says something; where none does, the
    /// words of the observation.
    pub words: Vec<FieldPath>,
    /// What a person has to do: ``create Secret llm/hf with the key `token` ``. `{name}` and `{namespace}` are those of the
    /// object that meets the last observation.
    pub asks: String,
    /// For how long the symptom has to stand until waiting is in vain; none where it may go by itself, so that only the
    /// time limit ends the wait. In the time of a real cluster. What a remedy may mend is waited for to the end.
    pub lasting: Option<Duration>,
}

/// What a webhook is known to refuse, and what practice prescribes for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// What its words hold: `hardwareprofile-llmisvc-injector.opendatahub.io`.
    pub says: String,
    /// What a person has to do.
    pub asks: String,
}

/// What practice prescribes for a refusal in these words, if it is a known one.
pub(crate) fn asked_of<'a, 'b>(denials: &'a [Denial], said: impl IntoIterator<Item = &'b str>) -> Option<&'a str> {
    let said: Vec<_> = said.into_iter().collect();
    let is_said = |denial: &&Denial| said.iter().any(|words| words.contains(&denial.says));
    denials.iter().find(is_said).map(|denial| denial.asks.as_str())
}

impl Diagnosis {
    /// Explains a wait that took too long.
    pub fn new(symptom: Vec<Observation>, asks: impl Into<String>) -> Self {
        Self {
            symptom,
            words: Vec::new(),
            asks: asks.into(),
            lasting: None,
        }
    }

    /// Tells the cause in the words of these fields, as [`FieldPath::of`] reads them; the first that says something counts.
    #[must_use]
    pub fn in_words_of(mut self, paths: &[&str]) -> Self {
        self.words = paths.iter().map(|path| FieldPath::of(path)).collect();
        self
    }

    /// Ends the wait once the symptom has stood for so long.
    #[must_use]
    pub fn lasting(mut self, time: Duration) -> Self {
        self.lasting = Some(time);
        self
    }
}
