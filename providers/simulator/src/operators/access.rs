//! Who the operators are to an API server.

use std::collections::BTreeMap;

use kube::{Client, Config};

/// How the operators reach an API server, each under a name of its own.
#[derive(Clone, Debug)]
pub enum Access {
    /// The embedded one: for each of [`super::users`] a way that carries its own token.
    Embedded(BTreeMap<String, Config>),
    /// Any other: an administrator who acts as each operator (impersonation), so that its audit log tells them apart.
    Impersonating(Box<Config>),
}

impl Access {
    /// Returns a client that acts as this operator.
    ///
    /// # Errors
    ///
    /// When no client can be made of what is known.
    pub(crate) fn client(&self, operator: &str) -> Result<Client, kube::Error> {
        let user = user(operator);
        let config = match self {
            Self::Embedded(ways) => ways[&user].clone(),
            Self::Impersonating(config) => {
                let mut config = Config::clone(config);
                config.auth_info.impersonate = Some(user);
                config.auth_info.impersonate_groups = Some(vec!["system:masters".to_owned()]);
                config
            }
        };
        Client::try_from(config)
    }
}

/// The user that an operator acts as.
pub(super) fn user(operator: &str) -> String {
    format!("operator:{operator}")
}
