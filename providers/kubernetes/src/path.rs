//! The URL paths of the API: where a type is listed, where an object lies, and how a query is written.

use crate::discovery::Served;
use stackctl_engine::{ObjectRef, ObjectType, execute::ProviderError};
use std::fmt::Write as _;

/// Where a group and version is found: `/api/v1`, `/apis/apps/v1`.
pub(crate) fn of_group_version(api_version: &str) -> String {
    if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    }
}

/// Where the objects of a type are listed; a namespace is passed over for a type of the whole cluster.
pub(crate) fn of_list(object_type: &ObjectType, served: &Served, namespace: Option<&str>) -> String {
    let mut path = of_group_version(&object_type.api_version);
    if let Some(namespace) = namespace.filter(|_| served.is_namespaced) {
        path.push_str("/namespaces/");
        escape_onto(&mut path, namespace);
    }
    path.push('/');
    path.push_str(&served.plural);
    path
}

/// Where an object lies.
///
/// # Errors
/// When a namespace is given for an object of the whole cluster, or is missing for one in a namespace: such a path
/// would mean something else.
pub(crate) fn of_object(object: &ObjectRef, served: &Served) -> Result<String, ProviderError> {
    match (&object.namespace, served.is_namespaced) {
        (None, true) => {
            let message = format!("{object} lies in a namespace, and none is given");
            return Err(ProviderError::Other(message));
        }
        (Some(_), false) => {
            let message = format!("{object} belongs to the whole cluster, and a namespace is given");
            return Err(ProviderError::Other(message));
        }
        (Some(_), true) | (None, false) => {}
    }
    let mut path = of_list(&object.object_type, served, object.namespace.as_deref());
    path.push('/');
    escape_onto(&mut path, &object.name);
    Ok(path)
}

/// A path with a query; pairs without a value are left out.
pub(crate) fn with_query(mut path: String, pairs: &[(&str, Option<&str>)]) -> String {
    let mut separator = '?';
    for (name, value) in pairs {
        if let Some(value) = value {
            path.push(separator);
            path.push_str(name);
            path.push('=');
            escape_onto(&mut path, value);
            separator = '&';
        }
    }
    path
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
fn escape_onto(path: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(path, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(plural: &str, is_namespaced: bool) -> Served {
        Served {
            plural: plural.to_owned(),
            is_namespaced,
        }
    }

    #[test]
    fn objects_lie_below_their_lists() {
        let secret = ObjectRef::namespaced("v1", "Secret", "demo", "a");
        let path = of_object(&secret, &served("secrets", true)).expect("in a namespace");
        assert_eq!(path, "/api/v1/namespaces/demo/secrets/a");
        let role = ObjectRef::cluster("rbac.authorization.k8s.io/v1", "ClusterRole", "system:x");
        let path = of_object(&role, &served("clusterroles", false)).expect("of the whole cluster");
        assert_eq!(path, "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Ax");
        assert!(of_object(&role, &served("clusterroles", true)).is_err());
        assert!(of_object(&secret, &served("secrets", false)).is_err());
    }

    #[test]
    fn queries_are_escaped_and_what_is_absent_is_left_out() {
        let path = with_query(
            "/x".to_owned(),
            &[
                ("fieldManager", Some(r#"stackctl/s/m["q"]"#)),
                ("force", None),
                ("limit", Some("500")),
            ],
        );
        assert_eq!(path, "/x?fieldManager=stackctl%2Fs%2Fm%5B%22q%22%5D&limit=500");
    }
}
