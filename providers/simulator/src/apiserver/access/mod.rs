//! Who sends a request, and whether he may.
//!
//! In: the head of a request. Out: the identity that it is judged and carried out as, or a refusal in the words of a real
//! server.
//!
//! Invariants:
//! - Every request is somebody's: of the bearer of its token, or `system:anonymous`. A token that is nobody's is refused
//!   (401) and never falls back to the anonymous user.
//! - Rights are those of the Roles and bindings in the store at that moment; members of `system:masters` need none.
//! - No token and no key is shown by `Debug`, said in a refusal or written to the audit log.
//!
//! Modules in reading order: [`attributes`] (what is asked), [`rules`] and [`policy`] (what is allowed), [`escalation`] (who
//! may give rights), [`impersonation`], [`signer`] and [`accounts`] (tokens of service accounts), [`hooks`] (what others
//! bring), [`reviews`] (questions about all that), [`bootstrap`] and [`upkeep`] (the Roles that every cluster has, and what
//! controllers do about accounts and Roles).

mod accounts;
mod attributes;
mod bootstrap;
mod escalation;
mod hooks;
mod impersonation;
mod policy;
pub(super) mod reviews;
mod rules;
mod signer;
mod upkeep;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use serde_json::{Value, json};

pub(super) use attributes::Attributes;
pub use hooks::{AccessRegistry, Authenticator, Pages, Personal};
pub(super) use policy::MASTERS;

use super::identity::Identity;
use super::request::Call;
use super::server::Server;
use super::status::Refusal;
use super::token::Token;
use accounts::{Bearer, ISSUER};
use attributes::ResourceTarget;
use policy::{Decision, Policy};
use signer::Signer;

/// Who may do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authorization {
    /// Whoever sends no token is an administrator, and everybody may do everything: for those who measure or compare.
    #[default]
    Open,
    /// As a real server: rights are those of Roles and bindings, and whoever sends no token is `system:anonymous`.
    Rbac,
}

/// What is known of users and rights.
#[derive(Debug)]
pub(super) struct Access {
    authorization: Authorization,
    tokens: BTreeMap<Token, Identity>,
    pub(super) registry: AccessRegistry,
    signer: Signer,
    /// Whom clients in the cluster trust the server by.
    authority: Option<String>,
    /// How often Roles and bindings were changed.
    changes: AtomicU64,
    policy: Mutex<(u64, Arc<Policy>)>,
    is_aggregating: AtomicBool,
}

impl Access {
    /// Opens the key of a directory.
    pub(super) fn open(
        dir: &Path,
        authorization: Authorization,
        tokens: BTreeMap<Token, Identity>,
        authority: Option<String>,
    ) -> io::Result<Self> {
        Ok(Self {
            authorization,
            tokens,
            registry: AccessRegistry::default(),
            signer: Signer::open(dir)?,
            authority,
            changes: AtomicU64::new(1),
            policy: Mutex::default(),
            is_aggregating: AtomicBool::new(false),
        })
    }

    fn is_judged(&self) -> bool {
        self.authorization == Authorization::Rbac
    }

    /// Notes that a Role or a binding was stored or removed.
    pub(super) fn policy_changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The public half of the key that tokens of accounts are signed with.
    pub(super) fn public_keys(&self) -> Value {
        self.signer.public()
    }
}

/// Where to read about the tokens that this server signs, as OpenID Connect has it.
pub(super) fn openid_configuration(host: &str) -> Value {
    json!({"issuer": ISSUER, "jwks_uri": format!("https://{host}/openid/v1/jwks"), "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"]})
}

impl Server {
    /// Returns who a request is to be judged and carried out as.
    ///
    /// # Errors
    ///
    /// 401 for a token that is nobody's; what [`impersonation`] refuses.
    pub(super) fn enter(&self, parts: &Parts) -> Result<Identity, Refusal> {
        let sender = self.sender(&parts.headers)?;
        let other = impersonation::impersonated(self, &sender, parts.uri.path(), &parts.headers)?;
        Ok(other.unwrap_or(sender))
    }

    fn sender(&self, headers: &HeaderMap) -> Result<Identity, Refusal> {
        let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(token) = value.and_then(bearer_token) else {
            return Ok(match self.access.authorization {
                Authorization::Open => Identity::member("kube:admin", [policy::MASTERS.to_owned()]).authenticated(),
                Authorization::Rbac => Identity::anonymous(),
            });
        };
        let bearer = self
            .bearer(&token)
            .filter(|bearer| bearer.audiences.iter().any(|one| one == ISSUER));
        bearer
            .map(|bearer| bearer.identity.authenticated())
            .ok_or_else(Refusal::unauthorized)
    }

    /// Returns the bearer of a token.
    fn bearer(&self, token: &Token) -> Option<Bearer> {
        let of_this_server = |identity| Bearer {
            identity,
            audiences: vec![ISSUER.to_owned()],
        };
        let known = || self.access.tokens.get(token).cloned();
        let brought = || self.access.registry.identify(token, self);
        known()
            .map(of_this_server)
            .or_else(|| self.account_bearer(token))
            .or_else(|| brought().map(of_this_server))
    }

    /// The Roles and bindings of now.
    fn policy(&self) -> Arc<Policy> {
        let changes = self.access.changes.load(Ordering::SeqCst);
        let mut cached = self.access.policy.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.0 != changes {
            let policy = Policy::read(|plural| self.all_of(policy::GROUP, plural));
            *cached = (changes, Arc::new(policy));
        }
        Arc::clone(&cached.1)
    }

    /// Decides whether a user may do something.
    fn decide(&self, user: &Identity, asked: &Attributes) -> Decision {
        match self.access.authorization {
            Authorization::Open => Decision {
                is_allowed: true,
                reason: String::new(),
            },
            Authorization::Rbac => self.policy().decide(user, asked),
        }
    }

    /// Lets a request pass, or refuses it.
    ///
    /// # Errors
    ///
    /// 403 in the words of a real server.
    pub(super) fn authorize(&self, user: &Identity, asked: &Attributes) -> Result<(), Refusal> {
        let decision = self.decide(user, asked);
        if decision.is_allowed {
            return Ok(());
        }
        Err(asked.refusal(user, &decision.reason))
    }

    /// Judges a change that would create its object: whoever may change it need not be one who may create it.
    ///
    /// # Errors
    ///
    /// 403 in the words of a real server.
    pub(super) fn authorize_creation(&self, call: &Call, name: &str) -> Result<(), Refusal> {
        if call.path.name.is_none() {
            // A create was judged as one.
            return Ok(());
        }
        let target = ResourceTarget {
            group: call.kind.group.clone(),
            resource: call.kind.plural.clone(),
            subresource: call.path.subresource.clone().unwrap_or_default(),
            namespace: call.namespace().to_owned(),
            name: name.to_owned(),
        };
        self.authorize(&call.user, &Attributes::on("create", target))
    }
}

/// The token of an `Authorization` header; other schemes, and an empty token, are as none (RFC 6750 §2.1).
fn bearer_token(value: &str) -> Option<Token> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| Token::new(token))
}
