//! Which known symptom is seen of a step that waits, and since when.

use super::{Failure, view::LiveView};
use crate::{
    readiness::{Sight, judge},
    resource::{Denial, Diagnosis, asked_of},
};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// No scaled time is shorter than this: what is seen between two requests is no evidence, whatever the speed of a
/// simulated cluster.
const SHORTEST: Duration = Duration::from_secs(2);

/// A symptom that is seen now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Symptom {
    /// Which of the resource's diagnoses.
    index: usize,
    /// Since when it is seen, without a look at which it was not.
    since: Instant,
    /// What is seen.
    words: String,
    /// The name of the object that shows it.
    name: String,
    /// Its namespace.
    namespace: String,
}

/// What any symptom is seen by.
pub(super) fn sights(diagnoses: &[Diagnosis]) -> Vec<Sight> {
    diagnoses
        .iter()
        .flat_map(|diagnosis| &diagnosis.symptom)
        .flat_map(|observation| observation.target.sights())
        .collect()
}

/// The first symptom that is seen now; what is not read yet shows none.
pub(super) fn look(diagnoses: &[Diagnosis], view: &LiveView, before: Option<&Symptom>) -> Option<Symptom> {
    diagnoses.iter().enumerate().find_map(|(index, diagnosis)| {
        let sights = sights(std::slice::from_ref(diagnosis));
        let verdict = judge(&diagnosis.symptom, view);
        (view.is_read(&sights) && verdict.is_ready()).then(|| {
            let shown_by = diagnosis.symptom.last().and_then(|last| last.met_by(view));
            let said = shown_by.and_then(|object| words_of(diagnosis, object));
            let shown = |pointer| shown_by.map(|object| text(object, pointer)).unwrap_or_default();
            Symptom {
                index,
                since: before
                    .filter(|before| before.index == index)
                    .map_or_else(Instant::now, |before| before.since),
                words: said.unwrap_or_else(|| verdict.why().to_owned()),
                name: shown("/metadata/name"),
                namespace: shown("/metadata/namespace"),
            }
        })
    })
}

/// What the object says in the fields that a diagnosis names. No verdict quotes what a Secret holds.
fn words_of(diagnosis: &Diagnosis, object: &Value) -> Option<String> {
    if object["kind"] == "Secret" {
        return None;
    }
    let texts = diagnosis.words.iter().filter_map(|path| path.get(object)?.as_str());
    let said = texts.map(str::trim).find(|said| !said.is_empty())?;
    let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
    Some(format!("{kind} {name}: {said}"))
}

fn text(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Adds what to do about a known refusal to a failure that does not say it.
pub(super) fn denied(denials: &[Denial], failure: Failure) -> Failure {
    match asked_of(denials, failure.because.iter().map(String::as_str)) {
        Some(asks) if failure.hint.is_none() => {
            let hint = format!("{asks}; then run the same command again");
            failure.hint(hint)
        }
        _ => failure,
    }
}

impl Symptom {
    /// The diagnosis that it is of.
    fn of<'a>(&self, diagnoses: &'a [Diagnosis]) -> Option<&'a Diagnosis> {
        diagnoses.get(self.index)
    }

    /// What is seen.
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// What a person has to do.
    pub(super) fn asks(&self, diagnoses: &[Diagnosis]) -> Option<String> {
        let asks = self.of(diagnoses)?.asks.replace("{name}", &self.name);
        Some(asks.replace("{namespace}", &self.namespace))
    }

    /// When waiting is in vain, if that is known; `scale` is the time of the cluster against that of the clock.
    pub(super) fn ends(&self, diagnoses: &[Diagnosis], scale: f64) -> Option<Instant> {
        let lasting = self.of(diagnoses)?.lasting?;
        Some(self.since + lasting.mul_f64(scale).max(SHORTEST.min(lasting)))
    }

    /// Adds what is seen to a failure, unless its own words say it.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        let said = |cause: &String| cause.contains(&self.words);
        if self.words.is_empty() || failure.because.iter().any(said) {
            return failure;
        }
        failure.because(self.words.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        execute::WatchEvent,
        object_key::ObjectType,
        readiness::{Observation, Rule, Target},
    };
    use serde_json::json;

    #[test]
    fn what_is_to_be_done_names_the_object_that_shows_the_symptom() {
        let models = ObjectType::new("example.com/v1", "Model");
        let nameless = Observation::new(
            Target::Some {
                of: models.clone(),
                namespace: None,
                labels: std::collections::BTreeMap::new(),
                at_least: 1,
            },
            Rule::Not(Box::new(Rule::non_empty("spec.name"))),
        );
        let known = [Diagnosis::new(
            vec![nameless],
            "name Model {name} of namespace {namespace}",
        )];
        let model = |namespace: &str, name: &str, spec: Value| json!({"apiVersion": "example.com/v1", "kind": "Model", "metadata": {"namespace": namespace, "name": name}, "spec": spec});
        let mut view = LiveView::default();
        assert_eq!(look(&known, &view, None), None, "nothing is read yet");
        let all = vec![model("a", "one", json!({"name": "one"})), model("b", "two", json!({}))];
        view.take(&(models, None), WatchEvent::Snapshot(all));
        let seen = look(&known, &view, None).expect("a symptom");
        assert_eq!(seen.asks(&known).as_deref(), Some("name Model two of namespace b"));
    }

    #[test]
    fn a_refusal_is_known_by_its_words_and_by_no_others() {
        let known = [Denial {
            says: "has no type".to_owned(),
            asks: "give it a type".to_owned(),
        }];
        let refused = |words: &str| denied(&known, Failure::new("could not be applied").because(words)).hint;
        let hint = refused("the connection has no type");
        assert_eq!(hint.as_deref(), Some("give it a type; then run the same command again"));
        assert_eq!(refused("the connection is not there"), None);
    }
}
