//! What others bring so that the server knows more users than its own: authenticators of tokens, web pages beside the
//! API, such as those where users log in, and objects that show whoever asks himself.
//!
//! Invariants:
//! - An authenticator sees a token that the server itself does not know, and the objects of the cluster; nothing else.
//! - A page is answered before anybody is authenticated, so it must protect itself.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use serde_json::Value;

use crate::apiserver::request::ResourcePath;
use crate::apiserver::{Identity, ObjectReader, Token};

/// Something that knows who the bearers of some tokens are.
pub trait Authenticator: Send + Sync {
    /// Returns the bearer; none if the token is not of this authenticator, or no longer good.
    fn identify(&self, token: &Token, objects: &dyn ObjectReader) -> Option<Identity>;
}

/// Web pages beside the API.
pub trait Pages: Send + Sync {
    /// Whether this path is one of them.
    fn serves(&self, path: &str) -> bool;

    /// Answers a request for one of them.
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<Bytes>>;
}

/// Objects that are other ones for everybody who asks, such as one for oneself.
pub trait Personal: Send + Sync {
    /// Returns what this user is shown under a name of a cluster-scoped resource; none if that is an ordinary one.
    fn show(&self, group: &str, plural: &str, name: &str, user: &Identity, objects: &dyn ObjectReader)
    -> Option<Value>;
}

/// What was brought. Cheap to clone; clones share one list.
#[derive(Clone, Default)]
pub struct AccessRegistry {
    brought: Arc<RwLock<Brought>>,
}

#[derive(Default)]
struct Brought {
    authenticators: Vec<Arc<dyn Authenticator>>,
    pages: Vec<Arc<dyn Pages>>,
    personal: Vec<Arc<dyn Personal>>,
}

impl AccessRegistry {
    /// Adds an authenticator; the first that knows a token decides.
    pub fn authenticate_by(&self, authenticator: Arc<dyn Authenticator>) {
        let mut brought = self.brought.write().unwrap_or_else(PoisonError::into_inner);
        brought.authenticators.push(authenticator);
    }

    /// Adds pages.
    pub fn serve(&self, pages: Arc<dyn Pages>) {
        let mut brought = self.brought.write().unwrap_or_else(PoisonError::into_inner);
        brought.pages.push(pages);
    }

    /// Adds objects that are other ones for everybody.
    pub fn show_personal(&self, personal: Arc<dyn Personal>) {
        let mut brought = self.brought.write().unwrap_or_else(PoisonError::into_inner);
        brought.personal.push(personal);
    }

    pub(in crate::apiserver) fn personal(
        &self,
        path: &ResourcePath,
        user: &Identity,
        objects: &dyn ObjectReader,
    ) -> Option<Value> {
        let name = path
            .name
            .as_deref()
            .filter(|_| path.namespace.is_none() && path.subresource.is_none())?;
        let brought = self.brought.read().unwrap_or_else(PoisonError::into_inner);
        let mut personal = brought.personal.iter();
        personal.find_map(|one| one.show(&path.group, &path.plural, name, user, objects))
    }

    pub(in crate::apiserver) fn identify(&self, token: &Token, objects: &dyn ObjectReader) -> Option<Identity> {
        let authenticators = self
            .brought
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .authenticators
            .clone();
        authenticators.iter().find_map(|one| one.identify(token, objects))
    }

    pub(in crate::apiserver) fn pages(&self, path: &str) -> Option<Arc<dyn Pages>> {
        let brought = self.brought.read().unwrap_or_else(PoisonError::into_inner);
        brought.pages.iter().find(|pages| pages.serves(path)).cloned()
    }
}

impl fmt::Debug for AccessRegistry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brought = self.brought.read().unwrap_or_else(PoisonError::into_inner);
        formatter
            .debug_struct("AccessRegistry")
            .field("n_authenticators", &brought.authenticators.len())
            .field("n_pages", &brought.pages.len())
            .finish()
    }
}
