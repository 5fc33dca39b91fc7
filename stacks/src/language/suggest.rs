//! "Did you mean": the closest of the words that would be right.

/// Returns the candidate that `word` was most probably meant to be.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&word, &candidate.to_lowercase().replace('-', "_")),
                candidate,
            )
        })
        .filter(|(similarity, _)| *similarity >= 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

/// Writes a hint for a word that is none of `candidates`: the closest, or all of them.
pub(crate) fn hint(word: &str, kind: &str, candidates: &[&str]) -> String {
    match closest(word, candidates.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("{kind}: {}", quoted(candidates)),
    }
}

/// Writes words in backticks, separated by commas.
pub(crate) fn quoted(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        let keys = ["replicas", "requests", "source", "model_name"];
        assert_eq!(closest("replica", keys), Some("replicas"));
        assert_eq!(closest("modelName", keys), Some("model_name"));
        assert_eq!(closest("model-name", keys), Some("model_name"));
        assert_eq!(closest("zebra", keys), None);
    }
}
