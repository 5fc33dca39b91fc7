//! `source` of a model: the URI of its weights.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, Field};
use crate::stack::ModelSource;

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<ModelSource> {
    let text = read::line(field, problems)?;
    parse_source(&text)
        .map_err(|hint| problems.push(field.node.place, Problem::ModelSource { text, hint }))
        .ok()
}

/// Parses a URI, or says what to write.
fn parse_source(text: &str) -> Result<ModelSource, &'static str> {
    const SCHEMES: &str =
        "write \"oci://registry/repository:tag\", \"hf://organisation/model\" or \"pvc://claim/path\"";
    let (scheme, rest) = text.split_once("://").ok_or(SCHEMES)?;
    let is_plain = !rest.is_empty() && !rest.chars().any(char::is_whitespace) && !rest.contains("//");
    if !is_plain || rest.starts_with('/') {
        return Err(SCHEMES);
    }
    match scheme {
        "oci" => {
            let (_, repository) = rest
                .split_once('/')
                .ok_or("write the registry too: \"oci://registry/repository:tag\"")?;
            let last = repository.rsplit('/').next().unwrap_or_default();
            let is_pinned = last
                .split_once([':', '@'])
                .is_some_and(|(name, tag)| !name.is_empty() && !tag.is_empty());
            if !is_pinned {
                return Err("add a tag or a digest: \"oci://registry/repository:tag\"");
            }
            Ok(ModelSource::Oci {
                reference: rest.to_owned(),
            })
        }
        "hf" => {
            let parts: Vec<&str> = rest.split('/').collect();
            if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
                return Err("a repository has two parts: \"hf://organisation/model\"");
            }
            Ok(ModelSource::HuggingFace {
                repository: rest.to_owned(),
                token: None,
            })
        }
        "pvc" => {
            let (claim, path) = rest.split_once('/').unwrap_or((rest, ""));
            let claim = claim
                .parse()
                .map_err(|_| "the claim is the name of a PersistentVolumeClaim: \"pvc://claim/path\"")?;
            if path.split('/').any(|part| part == "..") {
                return Err("the path stays inside the volume, so it has no `..`");
            }
            Ok(ModelSource::Pvc {
                claim,
                path: path.trim_end_matches('/').to_owned(),
            })
        }
        _ => Err(SCHEMES),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_source_prints_as_it_was_written() {
        for text in [
            "oci://registry.redhat.io/rhelai1/modelcar-qwen3-8b-fp8-dynamic:1.5",
            "oci://localhost:5000/model@sha256:0123",
            "hf://facebook/opt-125m",
            "pvc://models",
            "pvc://models/qwen/3-8b",
        ] {
            assert_eq!(parse_source(text).map(|source| source.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn other_sources_are_refused() {
        for text in [
            "",
            "qwen3-8b",
            "s3://bucket/model",
            "oci://registry.redhat.io",
            "oci://registry.redhat.io/model",
            "oci://registry.redhat.io:5000/model",
            "hf://opt-125m",
            "hf://a/b/c",
            "pvc://../etc",
            "pvc://models/../etc",
            "oci:// a/b:c",
        ] {
            assert!(parse_source(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_prints_parses_to_the_same(text in "(oci|hf|pvc)://[a-z/.:@-]{0,20}") {
            if let Ok(source) = parse_source(&text) {
                prop_assert_eq!(parse_source(&source.to_string()), Ok(source));
            }
        }
    }
}
