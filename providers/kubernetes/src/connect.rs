//! The way to a cluster: which kubeconfig and context, or a plain URL with a token.
//!
//! Invariant: nothing that a kubeconfig holds is repeated in an error, except names, paths and the server's URL.

use crate::{KubernetesProvider, error::credentials_trouble, transport::Transport};
use http::{HeaderValue, Uri, header};
use kube::{
    Config,
    client::ClientBuilder,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use std::{io, path::PathBuf, time::Duration};

/// A server that is there takes a connection in far less.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the cluster is said to be.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// The kubeconfig; else `KUBECONFIG`, else `~/.kube/config`, else the pod that we run in.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; else its current one.
    pub context: Option<String>,
    /// Who we say that we are, such as `stackctl/1.2.3`.
    pub user_agent: String,
}

/// Why there is no connection, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is nothing that says where a cluster is.
    #[error("no kubeconfig was found")]
    NoKubeconfig,
    /// The kubeconfig cannot be read.
    #[error("the kubeconfig {path} cannot be read")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The kubeconfig makes no sense.
    #[error("the kubeconfig cannot be used: {reason}")]
    BadKubeconfig {
        /// What is wrong with it.
        reason: String,
    },
    /// The kubeconfig has no current context, and none was asked for.
    #[error("the kubeconfig has no current context")]
    NoContext {
        /// The contexts that it has.
        known: Vec<String>,
    },
    /// The context that was asked for is not in the kubeconfig.
    #[error("the kubeconfig has no context `{context}`")]
    UnknownContext {
        /// What was asked for.
        context: String,
        /// The contexts that it has.
        known: Vec<String>,
    },
    /// The URL or the token is malformed.
    #[error("{what} cannot be used")]
    Malformed {
        /// Which of our inputs.
        what: &'static str,
    },
    /// The server does not answer.
    #[error("the cluster cannot be reached: {reason}")]
    Unreachable {
        /// Server and cause.
        reason: String,
    },
    /// The server does not know us.
    #[error("{server} does not accept our credentials: {reason}")]
    Unauthorized {
        /// The server.
        server: String,
        /// Its words.
        reason: String,
    },
    /// We may not read what identifies the cluster.
    #[error("{server} does not let us read the namespace kube-system: {reason}")]
    Forbidden {
        /// The server.
        server: String,
        /// Its words.
        reason: String,
    },
    /// Something answers that is no cluster.
    #[error("{server} does not answer as a cluster does: {reason}")]
    NoCluster {
        /// The server.
        server: String,
        /// What was odd.
        reason: String,
    },
}

impl ConnectError {
    /// What to do next.
    pub fn hint(&self) -> String {
        let contexts = |known: &[String]| match known {
            [] => "it has no contexts: log in with `oc login`".to_owned(),
            known => format!("choose one with `--context`: {}", known.join(", ")),
        };
        match self {
            Self::NoKubeconfig => {
                "log in with `oc login`, name a file with `--kubeconfig`, or rehearse with `--simulate`".to_owned()
            }
            Self::Unreadable { .. } | Self::BadKubeconfig { .. } => {
                "check the file with `kubectl config view`, or name another with `--kubeconfig`".to_owned()
            }
            Self::NoContext { known } | Self::UnknownContext { known, .. } => contexts(known),
            Self::Malformed { .. } => "check it for characters that do not belong there".to_owned(),
            Self::Unreachable { reason } if is_distrusted(reason) => {
                "the cluster was reached, and its certificate is not signed by whom the kubeconfig trusts: see \
                 `certificate-authority` there, or log in again with `oc login`"
                    .to_owned()
            }
            Self::Unreachable { reason } if reason.contains("http://") => {
                "a cluster answers over TLS: write `https://` into `server` of the kubeconfig".to_owned()
            }
            Self::Unreachable { .. } => {
                "check that the cluster runs and that this machine can reach it (VPN, proxy), or choose another with \
                 `--context`"
                    .to_owned()
            }
            Self::Unauthorized { .. } => "log in again with `oc login`".to_owned(),
            Self::Forbidden { .. } => {
                "use an account that may administer the cluster; `oc whoami` says which this is".to_owned()
            }
            Self::NoCluster { .. } => "check the URL of the server in the kubeconfig".to_owned(),
        }
    }
}

/// Whether a connection ended because a certificate is not believed, in the words of rustls.
fn is_distrusted(reason: &str) -> bool {
    reason.contains("invalid peer certificate")
}

impl KubernetesProvider {
    /// Prepares to speak to a cluster; sends nothing yet. [`KubernetesProvider::cluster_id`] is the first question.
    ///
    /// # Errors
    /// Whatever is wrong with the kubeconfig, the choice of its context, or the credentials that it leads to.
    ///
    /// # Panics
    /// Outside of a tokio runtime, which the connections live in.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, ConnectError> {
        let config = match kubeconfig(options)? {
            Some(kubeconfig) => in_context(kubeconfig, options.context.as_deref()).await?,
            None => Config::incluster().map_err(|_| ConnectError::NoKubeconfig)?,
        };
        provider(config, &options.user_agent)
    }

    /// Prepares to speak to the server at a URL with a bearer token, as the embedded cluster is reached. With the
    /// certificates of an authority, as PEM, a server over TLS is trusted by that authority alone.
    ///
    /// # Errors
    /// When the URL, the token or the certificates are malformed.
    ///
    /// # Panics
    /// Outside of a tokio runtime, which the connections live in.
    pub fn from_url(url: &str, token: &str, authority: Option<&str>, user_agent: &str) -> Result<Self, ConnectError> {
        let url: Uri = url.parse().map_err(|_| ConnectError::Malformed {
            what: "the URL of the server",
        })?;
        if url.scheme().is_none() || url.host().is_none() {
            return Err(ConnectError::Malformed {
                what: "the URL of the server",
            });
        }
        let mut config = Config::new(url);
        config.auth_info.token = Some(token.to_owned().into());
        config.root_cert = authority.map(certificates).transpose()?;
        provider(config, user_agent)
    }
}

/// Reads certificates, as DER; a text that holds none would trust whatever the system trusts.
fn certificates(pem: &str) -> Result<Vec<Vec<u8>>, ConnectError> {
    let what = "the certificate of the authority";
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(read) if !read.is_empty() => Ok(read.iter().map(|one| one.to_vec()).collect()),
        Ok(_) | Err(_) => Err(ConnectError::Malformed { what }),
    }
}

/// Reads the kubeconfig; `None` when there is none and none was asked for.
fn kubeconfig(options: &ConnectOptions) -> Result<Option<Kubeconfig>, ConnectError> {
    let read = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    match read {
        Ok(kubeconfig) => Ok(Some(kubeconfig)),
        Err(KubeconfigError::FindPath) => Ok(None),
        Err(KubeconfigError::ReadConfig(cause, _))
            if options.kubeconfig.is_none() && cause.kind() == io::ErrorKind::NotFound =>
        {
            Ok(None)
        }
        Err(error) => Err(unusable(error)),
    }
}

async fn in_context(kubeconfig: Kubeconfig, context: Option<&str>) -> Result<Config, ConnectError> {
    let known: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
    let chosen = context
        .or(kubeconfig.current_context.as_deref())
        .filter(|name| !name.is_empty());
    let Some(chosen) = chosen.map(str::to_owned) else {
        return Err(ConnectError::NoContext { known });
    };
    if !known.contains(&chosen) {
        return Err(ConnectError::UnknownContext { context: chosen, known });
    }
    let options = KubeConfigOptions {
        context: Some(chosen),
        ..KubeConfigOptions::default()
    };
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(unusable)
}

/// A parser's error shows the lines around it, and those may hold a token: only its kind is told.
fn unusable(error: KubeconfigError) -> ConnectError {
    match error {
        KubeconfigError::ReadConfig(cause, path) => ConnectError::Unreadable {
            path: path.display().to_string(),
            cause,
        },
        KubeconfigError::Parse(_) => ConnectError::BadKubeconfig {
            reason: "it is no kubeconfig in YAML".to_owned(),
        },
        other => ConnectError::BadKubeconfig {
            reason: other.to_string(),
        },
    }
}

fn provider(mut config: Config, user_agent: &str) -> Result<KubernetesProvider, ConnectError> {
    let agent = HeaderValue::from_str(user_agent).map_err(|_| ConnectError::Malformed { what: "the user agent" })?;
    config.headers.push((header::USER_AGENT, agent));
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // Watches are silent for minutes; each request has a limit of its own.
    config.read_timeout = None;
    // Retries are decided by the engine, which must see every refusal.
    config.default_retry = false;
    refuse_unsendable_token(&config)?;
    let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let client = ClientBuilder::try_from(config.clone()).map_err(|error| match error {
        kube::Error::Auth(error) => ConnectError::Unauthorized {
            server: server.clone(),
            reason: credentials_trouble(&error),
        },
        error => ConnectError::BadKubeconfig {
            reason: error.to_string(),
        },
    })?;
    Ok(KubernetesProvider::new(Transport::new(client.build(), server), config))
}

/// kube would end the process over a token with a line end in it (tower-http, `AddAuthorizationLayer::bearer`). The
/// token is in a type that shows it to serde alone; the copy is dropped here.
fn refuse_unsendable_token(config: &Config) -> Result<(), ConnectError> {
    let credentials = serde_json::to_value(&config.auth_info).unwrap_or_default();
    let token = credentials["token"].as_str().unwrap_or_default();
    match HeaderValue::from_str(token) {
        Ok(_) => Ok(()),
        Err(_) => Err(ConnectError::Malformed { what: "the token" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const TWO_CONTEXTS: &str = "
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://api.example.com:6443'}}]
users: [{name: u, user: {token: sha256~hunter2}}]
contexts:
- {name: dev, context: {cluster: c, user: u}}
- {name: prod, context: {cluster: c, user: u}}
";

    async fn connected(kubeconfig: &str, context: Option<&str>) -> Result<String, String> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(kubeconfig.as_bytes()).expect("it can be written");
        let options = ConnectOptions {
            kubeconfig: Some(file.path().to_owned()),
            context: context.map(str::to_owned),
            user_agent: "stackctl/0".to_owned(),
        };
        let connected = KubernetesProvider::connect(&options).await;
        connected
            .map(|provider| format!("{} {provider:?}", provider.server()))
            .map_err(|error| format!("{error}; {}", error.hint()))
    }

    #[test]
    fn a_cluster_that_was_reached_is_not_looked_for_behind_a_vpn() {
        let hint = |reason: &str| {
            let reason = reason.to_owned();
            ConnectError::Unreachable { reason }.hint()
        };
        let distrusted = hint("https://api.example.com:6443: invalid peer certificate: UnknownIssuer");
        assert!(distrusted.contains("`certificate-authority`"), "{distrusted}");
        let plain = hint("http://api.example.com:6443: connection closed before message completed");
        assert!(plain.contains("`https://`"), "{plain}");
        assert!(hint("https://api.example.com:6443: connection refused").contains("VPN"));
    }

    #[tokio::test]
    async fn a_context_is_chosen_or_the_known_ones_are_named() {
        let met = connected(TWO_CONTEXTS, Some("prod")).await.expect("a known context");
        assert!(met.starts_with("https://api.example.com:6443 "), "{met}");
        assert!(!met.contains("hunter2"));
        assert_eq!(
            connected(TWO_CONTEXTS, Some("stage"))
                .await
                .expect_err("no such context"),
            "the kubeconfig has no context `stage`; choose one with `--context`: dev, prod"
        );
        assert_eq!(
            connected(TWO_CONTEXTS, None).await.expect_err("no current context"),
            "the kubeconfig has no current context; choose one with `--context`: dev, prod"
        );
    }

    #[tokio::test]
    async fn a_broken_kubeconfig_is_not_quoted() {
        let broken = format!("{TWO_CONTEXTS}\n  token: sha256~hunter2: [");
        let error = connected(&broken, None).await.expect_err("no YAML");
        assert!(
            error.starts_with("the kubeconfig cannot be used: it is no kubeconfig in YAML; "),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_sent_is_an_error() {
        let kubeconfig = TWO_CONTEXTS.replace("sha256~hunter2", r#""hunter2\n""#);
        let error = connected(&kubeconfig, Some("dev")).await.expect_err("no header");
        assert_eq!(
            error,
            "the token cannot be used; check it for characters that do not belong there"
        );
    }

    #[tokio::test]
    async fn what_a_credential_command_prints_is_not_repeated() {
        let exec = "user: {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, \
                    args: [-c, 'echo hunter2; exit 3']}}";
        let kubeconfig = TWO_CONTEXTS.replace("user: {token: sha256~hunter2}", exec);
        let error = connected(&kubeconfig, Some("dev"))
            .await
            .expect_err("the command fails");
        assert_eq!(
            error,
            "https://api.example.com:6443 does not accept our credentials: the credential command of the kubeconfig \
             ended with exit status: 3; log in again with `oc login`"
        );
    }

    #[tokio::test]
    async fn a_file_that_was_named_must_be_there() {
        let options = ConnectOptions {
            kubeconfig: Some(PathBuf::from("/nowhere/kubeconfig")),
            ..ConnectOptions::default()
        };
        let error = KubernetesProvider::connect(&options).await.expect_err("no file");
        assert_eq!(error.to_string(), "the kubeconfig /nowhere/kubeconfig cannot be read");
    }

    #[tokio::test]
    async fn a_url_needs_a_scheme_and_a_token_no_line_ends() {
        for (url, token) in [("127.0.0.1:1", "t"), ("not a url", "t"), ("http://127.0.0.1:1", "a\nb")] {
            assert!(
                KubernetesProvider::from_url(url, token, None, "stackctl/0").is_err(),
                "{url}"
            );
        }
        let trusting = |pem| KubernetesProvider::from_url("https://127.0.0.1:1", "t", Some(pem), "stackctl/0");
        assert!(
            trusting("no certificate").is_err(),
            "it must not trust whatever the system trusts"
        );
        assert!(KubernetesProvider::from_url("http://127.0.0.1:1", "t", None, "stackctl/0").is_ok());
    }
}
