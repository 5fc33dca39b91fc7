//! `source` of a model: the URI of its weights.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, Field};
use crate::stack::ObjectName;

/// A URI of weights; how they are fetched is said by other keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RawSource {
    /// `registry/repository:tag`.
    Oci(String),
    /// `organisation/model`.
    HuggingFace(String),
    /// A bucket, and the path in it.
    S3(String, String),
    /// A claim, and the path in its volume.
    Pvc(ObjectName, String),
}

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<RawSource> {
    let text = read::line(field, problems)?;
    parse_source(&text)
        .map_err(|hint| problems.push(field.node.place, Problem::ModelSource { text, hint }))
        .ok()
}

/// Parses a URI, or says what to write.
fn parse_source(text: &str) -> Result<RawSource, &'static str> {
    const SCHEMES: &str = "write \"oci://registry/repository:tag\", \"hf://organisation/model\", \"s3://bucket/path\" or \"pvc://claim/path\"";
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
            Ok(RawSource::Oci(rest.to_owned()))
        }
        "hf" => {
            let parts: Vec<&str> = rest.split('/').collect();
            if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
                return Err("a repository has two parts: \"hf://organisation/model\"");
            }
            Ok(RawSource::HuggingFace(rest.to_owned()))
        }
        "s3" => {
            let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
            // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
            let is_bucket = (3..=63).contains(&bucket.len())
                && bucket
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
            if !is_bucket {
                return Err("a bucket has 3 to 63 lowercase letters, digits, `-` and `.`: \"s3://bucket/path\"");
            }
            // A webhook makes the URI of a bucket and a path, and refuses a model without one.
            let path = path.trim_end_matches('/');
            if path.is_empty() {
                return Err("say where in the bucket the weights are: \"s3://bucket/path\"");
            }
            Ok(RawSource::S3(bucket.to_owned(), path.to_owned()))
        }
        "pvc" => {
            let (claim, path) = rest.split_once('/').unwrap_or((rest, ""));
            let claim = claim
                .parse()
                .map_err(|_| "the claim is the name of a PersistentVolumeClaim: \"pvc://claim/path\"")?;
            if path.split('/').any(|part| part == "..") {
                return Err("the path stays inside the volume, so it has no `..`");
            }
            Ok(RawSource::Pvc(claim, path.trim_end_matches('/').to_owned()))
        }
        _ => Err(SCHEMES),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stack::{ModelSource, S3Connection};

    fn printed(raw: RawSource) -> String {
        match raw {
            RawSource::Oci(reference) => ModelSource::Oci { reference },
            RawSource::HuggingFace(repository) => ModelSource::HuggingFace {
                repository,
                token: None,
            },
            RawSource::S3(bucket, path) => ModelSource::S3 {
                bucket,
                path,
                connection: S3Connection::Existing("c".parse().expect("a name")),
            },
            RawSource::Pvc(claim, path) => ModelSource::Pvc { claim, path },
        }
        .to_string()
    }

    #[test]
    fn a_source_prints_as_it_was_written() {
        for text in [
            "oci://registry.redhat.io/rhelai1/modelcar-qwen3-8b-fp8-dynamic:1.5",
            "oci://localhost:5000/model@sha256:0123",
            "hf://facebook/opt-125m",
            "pvc://models",
            "pvc://models/qwen/3-8b",
            "s3://weights/qwen/3-8b",
        ] {
            assert_eq!(parse_source(text).map(printed).as_deref(), Ok(text));
        }
    }

    #[test]
    fn other_sources_are_refused() {
        for text in [
            "",
            "qwen3-8b",
            "s3://b/model",
            "s3://weights",
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
        fn what_prints_parses_to_the_same(text in "(oci|hf|s3|pvc)://[a-z/.:@-]{0,20}") {
            if let Ok(source) = parse_source(&text) {
                prop_assert_eq!(parse_source(&printed(source.clone())), Ok(source));
            }
        }
    }
}
