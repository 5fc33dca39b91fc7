//! Secrets that stand in a model's arguments and variables in plain text.
//!
//! Invariant: whatever is taken for a secret here is hidden in every diagnostic.

use super::super::place::Place;
use super::super::problem::{Problem, Problems};
use super::super::read::At;

/// Arguments that a secret follows.
const SECRET_ARGUMENTS: &[&str] = &["--hf-token", "--api-key"];
/// Variables that hold a secret.
const SECRET_VARIABLES: &[&str] = &["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "VLLM_API_KEY"];

/// Whether a text begins as tokens of Hugging Face and keys of OpenAI do.
fn looks_secret(text: &str) -> bool {
    text.starts_with("hf_") || text.starts_with("sk-")
}

/// Whether a text says something itself: `$(NAME)` is the value of a variable.
fn says_it(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("$(")
}

/// Warns about a secret at a place, which no diagnostic shows.
fn report(what: String, place: Place, problems: &mut Problems) {
    let hint = "whoever reads the file or the object knows it: for Hugging Face write `hf_token = { env = \"HF_TOKEN\" }`; callers are asked for theirs by `auth` or `maas`";
    problems.hide(place);
    problems.push(place, Problem::SecretInSight { what, hint });
}

/// Warns about secrets among the arguments of vLLM, which a name and a value can be one or two of.
pub(super) fn report_arguments(args: &[At<String>], problems: &mut Problems) {
    let mut before: Option<&str> = None;
    for At { value, place } in args {
        let (name, given) = value.split_once(['=', ' ']).unwrap_or((value, ""));
        let is_named = |name: &str| SECRET_ARGUMENTS.contains(&name.replace('_', "-").as_str());
        let follows = before.is_some_and(is_named) && !value.starts_with("--") && says_it(value);
        if follows || looks_secret(value) || looks_secret(given.trim()) || is_named(name) && says_it(given.trim()) {
            let what = match before.filter(|_| follows) {
                Some(name) => format!("the argument after `{name}`"),
                None if is_named(name) => format!("the argument `{name}`"),
                None => "an argument".to_owned(),
            };
            report(what, *place, problems);
        }
        before = Some(value);
    }
}

/// Warns about a secret in a variable.
pub(super) fn report_variable(name: &str, value: &str, place: Place, problems: &mut Problems) {
    if looks_secret(value) || SECRET_VARIABLES.contains(&name) && says_it(value) {
        report(format!("the value of `{name}`"), place, problems);
    }
}
