//! Options of a request, checked before anything else is looked at.
//!
//! Source: what `tests/semantics` recorded of `dryRun`, `force`, `fieldValidation`, `limit` and `resourceVersionMatch`.

use serde_json::Value;

use super::audit::Verb;
use super::request::{Call, Query};
use super::status::{FieldError, Refusal};

fn unsupported(field: &str, value: &str, supported: &[&str]) -> FieldError {
    let supported: Vec<Value> = supported.iter().map(|text| Value::from(*text)).collect();
    FieldError::unsupported(field, &Value::from(value), &supported)
}

/// Checks the options of a write.
///
/// # Errors
///
/// 422 about `CreateOptions`, `UpdateOptions` or `PatchOptions`.
pub(super) fn check_write(call: &Call, verb: Verb) -> Result<(), Refusal> {
    let kind = match verb {
        Verb::Create => "CreateOptions",
        Verb::Update => "UpdateOptions",
        Verb::Patch | Verb::Apply => "PatchOptions",
        Verb::Delete | Verb::DeleteCollection | Verb::Removed => return Ok(()),
    };
    let mut errors = Vec::new();
    if verb == Verb::Patch && call.query.get("force").is_some() {
        errors.push(FieldError::forbidden(
            "force",
            "may not be specified for non-apply patch",
        ));
    }
    if let Some(error) = dry_run(&call.query) {
        errors.push(error);
    }
    if let Some(asked) = call.query.get("fieldValidation")
        && !matches!(asked, "Ignore" | "Strict" | "Warn")
    {
        errors.push(unsupported("fieldValidation", asked, &["", "Ignore", "Strict", "Warn"]));
    }
    refuse(kind, &errors)
}

/// What is wrong with `dryRun`; the value is quoted as the list that it is.
pub(super) fn dry_run(query: &Query) -> Option<FieldError> {
    let asked = query.get("dryRun").filter(|asked| *asked != "All")?;
    Some(FieldError {
        reason: "FieldValueNotSupported",
        field: "dryRun".to_owned(),
        body: format!("Unsupported value: [\"{asked}\"]: supported values: \"All\""),
    })
}

/// What is wrong with the policy of a deletion.
pub(super) fn check_propagation(policy: &str, orphans: Option<bool>) -> Result<(), Refusal> {
    let error = match (policy, orphans) {
        ("" | "Background" | "Foreground" | "Orphan", None) | ("", Some(_)) => return Ok(()),
        (_, Some(_)) => {
            let detail = "orphanDependents and deletionPropagation cannot be both set";
            FieldError::invalid("propagationPolicy", &Value::from(policy), detail)
        }
        (other, None) => unsupported(
            "propagationPolicy",
            other,
            &["Foreground", "Background", "Orphan", "nil"],
        ),
    };
    refuse("DeleteOptions", &[error])
}

/// Checks the options of a LIST; returns the limit, if there is one.
///
/// # Errors
///
/// 400 for a limit that is no number, 422 about `ListOptions`.
pub(super) fn check_list(query: &Query) -> Result<Option<usize>, Refusal> {
    let limit = match query.get("limit").map(|text| (text, text.parse::<usize>())) {
        None => None,
        Some((_, Ok(limit))) => Some(limit).filter(|limit| *limit > 0),
        Some((text, Err(_))) => {
            return Err(Refusal::bad_request(format!(
                "strconv.ParseInt: parsing \"{text}\": invalid syntax"
            )));
        }
    };
    let field = "resourceVersionMatch";
    let error = match (query.get(field), query.get("resourceVersion")) {
        (None, _) | (Some("Exact" | "NotOlderThan"), Some(_)) => return Ok(limit),
        (Some(_), None) => FieldError::forbidden(
            field,
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (Some(other), Some(_)) => unsupported(field, other, &["Exact", "NotOlderThan", ""]),
    };
    refuse("ListOptions", &[error])?;
    Ok(limit)
}

fn refuse(kind: &str, errors: &[FieldError]) -> Result<(), Refusal> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid_options(kind, errors))
}
