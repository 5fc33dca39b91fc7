//! Ports of loopback that nobody uses.

use std::net::{Ipv4Addr, TcpListener};

use super::ApiserverError;

/// The ports of one server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    /// Where etcd serves the API server.
    pub(super) etcd: u16,
    /// Where etcd would serve other members; it insists on having one.
    pub(super) etcd_peer: u16,
    /// Where the API server serves, TLS only.
    pub(super) apiserver: u16,
}

/// Asks the system for three different ports that are free now.
///
/// # Errors
/// When loopback has no free port.
pub(super) fn free() -> Result<Ports, ApiserverError> {
    // All are held until each is known, or the system could give one twice.
    let held = [listen()?, listen()?, listen()?];
    let port = |listener: &TcpListener| {
        listener
            .local_addr()
            .map(|address| address.port())
            .map_err(ApiserverError::NoPort)
    };
    Ok(Ports {
        etcd: port(&held[0])?,
        etcd_peer: port(&held[1])?,
        apiserver: port(&held[2])?,
    })
}

fn listen() -> Result<TcpListener, ApiserverError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(ApiserverError::NoPort)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::free;

    #[test]
    fn the_ports_differ() {
        let ports = free().expect("ports");
        let distinct = BTreeSet::from([ports.etcd, ports.etcd_peer, ports.apiserver]);
        assert_eq!(distinct.len(), 3);
    }
}
