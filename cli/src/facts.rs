//! Answers what the catalogue asks about a cluster, through the verbs of a provider.
//!
//! Invariants: objects go to [`FactRequest::answer`] and no further, which keeps secret bytes out; a pinned fact that
//! is known already is not read again unless that is asked for.

use crate::error::{Error, Problem};
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value, json};
use stackctl_engine::{
    execute::{Provider, ProviderError, Selector},
    facts::{Fact, Facts, Holding},
};
use stackctl_stacks::cluster_facts::{FactRead, FactRequest};
use std::path::Path;

/// Reads every fact that is asked for; pinned ones come from `known` where it has them, unless `refresh`.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn read<P: Provider>(
    provider: &P,
    wanted: &[FactRequest],
    known: Option<&Facts>,
    refresh: bool,
    parallelism: usize,
) -> Result<Facts, Error> {
    let pinned = |request: &FactRequest| {
        let fact = known?.iter().find(|(key, _)| *key == request.key)?.1;
        (request.holding == Holding::Pinned && !refresh && !fact.value.is_null()).then(|| fact.clone())
    };
    let answers: Vec<Result<(String, Fact), Error>> = stream::iter(wanted)
        .map(|request| async move {
            let fact = match pinned(request) {
                Some(fact) => fact,
                None => read_one(provider, request)
                    .await
                    .map_err(|error| unreadable(&request.source, &error))?,
            };
            Ok((request.key.clone(), fact))
        })
        .buffered(parallelism.max(1))
        .collect()
        .await;
    let mut facts = Facts::default();
    for answer in answers {
        let (key, fact) = answer?;
        facts.insert(&key, fact);
    }
    Ok(facts)
}

/// Reads one fact, as the cluster has it now.
///
/// # Errors
/// What the cluster said.
pub async fn read_one<P: Provider>(provider: &P, request: &FactRequest) -> Result<Fact, ProviderError> {
    let fetched = match &request.read {
        FactRead::Object(object) => provider.get(object).await?.into_iter().collect(),
        FactRead::First { of, namespace } | FactRead::FirstAnnotated { of, namespace, .. } => {
            provider.list(of, namespace.as_deref(), &Selector::default()).await?
        }
    };
    Ok(request.answer(&fetched))
}

/// Why something could not be read; `source` says where it stands.
pub fn unreadable(source: &str, error: &ProviderError) -> Error {
    let problem = match error {
        ProviderError::Unreachable(_) | ProviderError::Unavailable(_) => Problem::new("the cluster does not answer")
            .hint("check the address in your kubeconfig and `--context`, or rehearse with `--simulate`"),
        ProviderError::Unauthorized(_) => Problem::new("the cluster does not know us")
            .hint("log in again (`oc login`), or choose another `--context`"),
        ProviderError::Forbidden(_) => Problem::new(format!("{source} may not be read"))
            .hint("ask for the right to read it, or use an account that has it"),
        _ => Problem::new(format!("{source} could not be read")),
    };
    problem.caused_by(error).into()
}

/// Reads facts from a file: an object of `{"value", "source", "holding"}`, or of bare values, by key (`docs/facts.md`); or
/// what `show --json` prints of a state, which has such an object.
///
/// # Errors
/// When the file cannot be read or is something else.
pub fn from_file(path: &Path) -> Result<Facts, Error> {
    let problem = || Problem::new(format!("the facts in `{}` cannot be read", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| problem().caused_by(&error))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| problem().caused_by(&error))?;
    // No key of a fact is without a dot or a bracket.
    from_json(value.get("facts").unwrap_or(&value)).ok_or_else(|| {
        problem()
            .because("it is not an object of facts by key")
            .hint("docs/facts.md has an example and every key; `stackctl show --json > FILE` writes those of a state")
            .into()
    })
}

/// Reads facts from their JSON form.
pub fn from_json(value: &Value) -> Option<Facts> {
    let mut facts = Facts::default();
    for (key, fact) in value.as_object()? {
        let is_whole = fact.get("value").is_some() && fact.get("holding").is_some();
        let (value, source) = if is_whole {
            (
                fact["value"].clone(),
                fact["source"].as_str().unwrap_or_default().to_owned(),
            )
        } else {
            (fact.clone(), "a file".to_owned())
        };
        let holding = if is_whole && fact["holding"] == "pinned" {
            Holding::Pinned
        } else {
            Holding::Live
        };
        facts.insert(key, Fact { value, source, holding });
    }
    Some(facts)
}

/// The JSON form of facts.
pub fn to_json(facts: &Facts) -> Value {
    let one = |fact: &Fact| {
        let holding = match fact.holding {
            Holding::Live => "live",
            Holding::Pinned => "pinned",
        };
        json!({"value": fact.value, "source": fact.source, "holding": holding})
    };
    Value::Object(
        facts
            .iter()
            .map(|(key, fact)| (key.to_owned(), one(fact)))
            .collect::<Map<_, _>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_from_their_json_form() {
        let mut facts = Facts::default();
        facts.insert(
            "a",
            Fact {
                value: json!("x"),
                source: "Y y .z".to_owned(),
                holding: Holding::Pinned,
            },
        );
        assert_eq!(from_json(&to_json(&facts)), Some(facts));
        let bare = from_json(&json!({"cluster.region": "eu-west-1"})).expect("facts");
        assert_eq!(bare.text("cluster.region"), Some("eu-west-1"));
    }

    #[test]
    fn what_show_prints_of_a_state_is_a_file_of_facts() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("facts.json");
        let fact = json!({"value": "eu-west-1", "source": "Infrastructure cluster", "holding": "live"});
        let shown = json!({"format_version": 1, "facts": {"cluster.region": fact}, "resources": []});
        std::fs::write(&path, shown.to_string()).expect("written");
        let facts = from_file(&path).expect("facts");
        assert_eq!(facts.iter().count(), 1);
        assert_eq!(facts.text("cluster.region"), Some("eu-west-1"));
    }
}
