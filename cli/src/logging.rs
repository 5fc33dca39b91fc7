//! Diagnostics of the process itself: tracing, to stderr.

use crate::settings::Logging;
use tracing_subscriber::EnvFilter;

/// Starts logging to stderr. Called once; a second call changes nothing.
pub fn start(logging: &Logging) {
    let directives = match (&logging.filter, logging.verbosity) {
        (Some(filter), _) => filter.clone(),
        // What kube logs of a refused connection is told by our own error.
        (None, 0) => "error,kube_client=off".to_owned(),
        (None, 1) => {
            "warn,stackctl=info,stackctl_kubernetes=info,stackctl_simulator=info,stackctl_state=info".to_owned()
        }
        (None, _) => {
            "info,stackctl=debug,stackctl_kubernetes=debug,stackctl_simulator=debug,stackctl_state=debug".to_owned()
        }
    };
    let started = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(std::io::stderr)
        .with_ansi(logging.color)
        .without_time()
        .try_init();
    if let Err(error) = started {
        tracing::debug!(%error, "logging was started before");
    }
}
