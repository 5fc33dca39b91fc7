//! TLS in front of the API server: HTTP/1.1 and HTTP/2, as the client prefers.
//!
//! Invariants:
//! - A client that connects and says nothing keeps nobody else waiting: handshakes run side by side, and end in time.
//! - The key is shown to rustls alone.
//!
//! Deliberately absent: client certificates; whoever asks is known by a token.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// A client that means to speak has shaken hands long before.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// What a server proves with that it is the one that was meant.
#[derive(Clone)]
pub struct ServingCertificate {
    /// The certificate, and those that lead to its authority, as PEM.
    pub certificate: String,
    /// Its key, as PEM.
    pub key: String,
    /// The certificate of the authority that clients trust it by, as PEM.
    pub authority: String,
}

impl fmt::Debug for ServingCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServingCertificate").finish_non_exhaustive()
    }
}

/// Why a certificate cannot be served with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It, or its key, is no PEM.
    #[error("read the serving certificate")]
    Unreadable(#[from] pem::Error),
    /// It does not fit its key.
    #[error("serve with the certificate")]
    Unusable(#[from] rustls::Error),
}

/// Returns what shakes hands with this certificate.
pub(super) fn acceptor(serving: &ServingCertificate) -> Result<TlsAcceptor, TlsError> {
    let chain = CertificateDer::pem_slice_iter(serving.certificate.as_bytes()).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(serving.key.as_bytes())?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

type Shaken = Option<(TlsStream<TcpStream>, SocketAddr)>;

/// Accepts connections and shakes hands.
pub(super) struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: FuturesUnordered<BoxFuture<'static, Shaken>>,
}

impl TlsListener {
    pub(super) fn new(tcp: TcpListener, acceptor: TlsAcceptor) -> Self {
        Self {
            tcp,
            acceptor,
            handshakes: FuturesUnordered::new(),
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    /// # Cancellation
    /// Loses nothing: connections that shake hands are kept in the listener.
    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                Some(shaken) = self.handshakes.next() => if let Some(connection) = shaken {
                    return connection;
                },
                (stream, address) = Listener::accept(&mut self.tcp) => {
                    super::send_at_once(&stream);
                    let handshake = self.acceptor.accept(stream);
                    self.handshakes.push(Box::pin(async move {
                        match tokio::time::timeout(HANDSHAKE_WITHIN, handshake).await {
                            Ok(Ok(stream)) => Some((stream, address)),
                            Ok(Err(error)) => {
                                tracing::debug!(%address, %error, "a client did not shake hands");
                                None
                            }
                            Err(_) => None,
                        }
                    }));
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Listener::local_addr(&self.tcp)
    }
}
