//! The bound: the requests that the work needs, and nothing else.

use super::objects::Objects;
use crate::{
    client::{Bare, failed},
    error::TaskError,
};

/// Makes the namespaces and waits until objects can be made in them.
pub(crate) fn namespaces(bare: &Bare) -> Result<(), TaskError> {
    for name in Objects::namespaces() {
        let body = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let uri = format!("/api/v1/namespaces/{name}?fieldManager=peers");
        bare.send("PATCH", &uri, Some(&body))?;
    }
    Ok(())
}

/// Applies every object.
pub(super) fn apply(bare: &Bare, objects: &Objects) -> Result<(), TaskError> {
    bare.each(objects.number, "PATCH", |index| {
        let (namespace, name, body) = objects.object(index);
        let uri = format!("/api/v1/namespaces/{namespace}/configmaps/{name}?fieldManager=bare&force=true");
        (uri, Some(body))
    })
}

/// Deletes every object; without finalizers the answer is the end.
pub(super) fn delete(bare: &Bare, objects: &Objects) -> Result<(), TaskError> {
    bare.each(objects.number, "DELETE", |index| {
        let (namespace, name, _) = objects.object(index);
        (format!("/api/v1/namespaces/{namespace}/configmaps/{name}"), None)
    })
}

/// Lists every object in one request, and decodes the answer.
pub(super) fn list(bare: &Bare, objects: &Objects) -> Result<(), TaskError> {
    let list = bare.send("GET", "/api/v1/configmaps?labelSelector=team%3Dpeers", None)?;
    match list["items"].as_array().map(Vec::len) {
        Some(found) if found == objects.number => Ok(()),
        found => Err(failed(&format!("{found:?} objects are there, not {}", objects.number))),
    }
}
