//! Who the operators are to an API server.

use http::Uri;
use kube::{Client, Config};

/// How the operators reach an API server, each under a name of its own.
#[derive(Clone, Debug)]
pub enum Access {
    /// The embedded one: a token for each operator.
    Embedded(Uri),
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
        let user = format!("operator:{operator}");
        let config = match self {
            Self::Embedded(url) => {
                let mut config = Config::new(url.clone());
                config.auth_info.token = Some(user.into());
                config
            }
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
