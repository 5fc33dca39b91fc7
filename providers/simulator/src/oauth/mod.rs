//! Logging in to the simulated OpenShift: the OAuth server, and the users that its tokens stand for.
//!
//! In: the users of the cluster's htpasswd documents, and its Groups. Out: pages beside the API where a user gets a token,
//! and an authenticator that knows its bearer. It is a client of the API server, as the real one is; what it hands out is
//! in the cluster, so a token outlives the process.
//!
//! Invariants:
//! - A password is compared and dropped; a token is in the answer to whoever logs in and nowhere else: the cluster holds
//!   its digest alone.
//! - The Groups of a user are those of the moment at which he asks.
//!
//! Source: <https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/authentication_and_authorization/configuring-oauth-clients>;
//! `openshift/oauth-server` (`pkg/osinserver`, `pkg/userregistry/identitymapper`), `openshift/oauth-apiserver`
//! (`pkg/tokenvalidation`); reference/serving.md §1.14.
//!
//! Left out: the browser's pages, the code grant, identity providers but htpasswd and hashes but bcrypt's, mapping methods
//! but `claim`, scopes that give less than everything, and the time until the pods of the server know a changed document.

mod bearers;
mod htpasswd;
mod login;
mod pages;
mod users;

use std::sync::Arc;

use kube::Client;
use kube::api::ApiResource;

use crate::apiserver::AccessRegistry;

/// The user that the OAuth server acts as.
pub(crate) const OAUTH_SERVER: &str = "system:serviceaccount:openshift-authentication:oauth-openshift";

/// How long a token lasts, in seconds (OAuth `spec.tokenConfig.accessTokenMaxAgeSeconds`, by default a day).
const LIFETIME_SECONDS: i64 = 86_400;

/// Lets users log in at an API server, which `client` acts upon as [`OAUTH_SERVER`].
pub(crate) fn register(registry: &AccessRegistry, client: Client) {
    registry.authenticate_by(Arc::new(bearers::Bearers));
    registry.serve(Arc::new(pages::OauthPages { client }));
    registry.show_personal(Arc::new(users::Oneself));
}

fn resource(group: &str, kind: &str, plural: &str) -> ApiResource {
    let separator = if group.is_empty() { "" } else { "/" };
    ApiResource {
        group: group.to_owned(),
        version: "v1".to_owned(),
        api_version: format!("{group}{separator}v1"),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}
