//! Who sends a request: the bearer token table.
//!
//! Invariants:
//! - A token that is not in the table is refused (401); it never falls back to the anonymous user.
//! - No token is ever printed: [`Tokens`] shows only how many it holds.

use std::collections::BTreeMap;
use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::status::Refusal;
use super::token::Token;

/// A user as the API server sees one: a name and its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The user's name, `kube:admin` or `system:serviceaccount:ns:name`.
    pub user: String,
    /// The groups the user is in.
    pub groups: Vec<String>,
}

impl Identity {
    /// Returns a user of that name without groups.
    pub fn named(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            groups: Vec::new(),
        }
    }
}

/// The token table, and what a request without a token may do.
pub(super) struct Tokens {
    table: BTreeMap<Token, Identity>,
    anonymous_admin: bool,
}

impl Tokens {
    /// Returns the table; without a token a request is `kube:admin` if `anonymous_admin`, else it is refused.
    pub(super) fn new(table: BTreeMap<Token, Identity>, anonymous_admin: bool) -> Self {
        Self { table, anonymous_admin }
    }

    /// Decides who sent a request with these headers.
    ///
    /// # Errors
    ///
    /// 401 for an unknown token, 403 for an anonymous request where those are not administrators.
    pub(super) fn identify(&self, headers: &HeaderMap) -> Result<Identity, Refusal> {
        let Some(value) = headers.get(AUTHORIZATION) else {
            if self.anonymous_admin {
                return Ok(Identity {
                    user: "kube:admin".to_owned(),
                    groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
                });
            }
            return Err(Refusal::forbidden_text("system:anonymous is not allowed here"));
        };
        let token = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        token
            .and_then(|token| self.table.get(&Token::new(token.trim())))
            .cloned()
            .ok_or_else(Refusal::unauthorized)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tokens")
            .field("n_tokens", &self.table.len())
            .finish_non_exhaustive()
    }
}
