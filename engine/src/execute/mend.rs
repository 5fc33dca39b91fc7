//! Entries of managedFields in a version that is no longer served: every apply by anybody fails until they are rewritten
//! (ssa-semantics §9, DESIGN §6).
//!
//! Invariants: nothing but the `apiVersion` of such an entry is written, under the resourceVersion that was read; who owns
//! what stays as it was; what the server does not name is left alone.

use super::{
    Journal, Patch, PatchRequest, Provider, ProviderError,
    context::{Context, StepError},
    secrets::SecretSource,
};
use crate::object_key::ObjectRef;
use serde_json::{Value, json};

/// Mends what an apply was refused for, if it was for this, and says what to do then: to read and to apply again. Any
/// other error comes back as it is, and so does this one where nothing is there to mend.
pub(super) async fn mend<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    error: StepError,
    object: &ObjectRef,
    live: Option<&Value>,
    manager: &str,
) -> StepError {
    let StepError::Provider(ProviderError::VersionGone(said)) = &error else {
        return error;
    };
    let operations = live.map(|live| operations(live, said, &object.object_type.api_version));
    let Some(operations) = operations.filter(|operations| operations.len() > 1) else {
        return error;
    };
    let request = PatchRequest {
        object: object.clone(),
        patch: Patch::Json(Value::Array(operations)),
        manager: manager.to_owned(),
        dry_run: false,
    };
    match context.provider.patch(&request).await {
        Ok(_) => ProviderError::Modified.into(),
        Err(error) => error.into(),
    }
}

/// The precondition, and one operation for each entry in a version that the server names.
fn operations(live: &Value, said: &str, served: &str) -> Vec<Value> {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let is_named = |entry: &Value| {
        let version = entry["apiVersion"].as_str().filter(|version| *version != served);
        version.is_some_and(|version| said.split_whitespace().any(|word| word == version))
    };
    let named = entries
        .into_iter()
        .flatten()
        .enumerate()
        .filter(|(_, entry)| is_named(entry));
    let rewritten = named.map(
        |(at, _)| json!({"op": "replace", "path": format!("/metadata/managedFields/{at}/apiVersion"), "value": served}),
    );
    let version = &live["metadata"]["resourceVersion"];
    let precondition = json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version});
    std::iter::once(precondition).chain(rewritten).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_names_is_rewritten_and_no_entry_beside_it() {
        let live = json!({"metadata": {"resourceVersion": "7", "managedFields": [
            {"manager": "a", "apiVersion": "x.io/v1"},
            {"manager": "b", "apiVersion": "x.io/v1alpha1"},
            {"manager": "c", "apiVersion": "x.io/v1beta1"},
            {"manager": "d"},
        ]}});
        let said = "request to convert CR to an invalid group/version: x.io/v1alpha1";
        assert_eq!(
            operations(&live, said, "x.io/v1"),
            [
                json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}),
                json!({"op": "replace", "path": "/metadata/managedFields/1/apiVersion", "value": "x.io/v1"}),
            ]
        );
        assert_eq!(operations(&live, "something else", "x.io/v1").len(), 1);
    }
}
