//! Which certificate a client of a host sees.
//!
//! Source: reference/serving.md §1.1, §1.6 (the Secret of a listener; passthrough), G4, G5;
//! <https://docs.redhat.com/en/documentation/openshift_container_platform/4.21/html/ingress_and_load_balancing/configuring-routes>
//! (the router's own certificate, or that of a Route).
//!
//! Invariant: what is presented is in the cluster at that moment; without it there is no handshake.

use std::sync::Arc;

use serde_json::Value;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

use super::router::{self, Ends};
use super::shared::Shared;
use crate::certificates::Pair;
use crate::operators::kinds::{Kind, SECRET, Scope};
use crate::operators::object::Read;

const INGRESS: &str = "openshift-ingress";
/// What the router presents where its operator was told nothing else (reference/serving.md §1.6).
const ROUTERS_OWN: &str = "router-certs-default";
/// Read by name only, so that nobody watches it.
const INGRESS_CONTROLLER: Kind = Kind {
    group: "operator.openshift.io",
    kind: "IngressController",
    version: "v1",
    plural: "ingresscontrollers",
    scope: Scope::Namespaced,
};

/// Returns how TLS is spoken as a host; none where there is no certificate for it.
pub(super) async fn configuration(shared: &Shared, host: &str) -> Option<Arc<ServerConfig>> {
    let pair = pair(shared, host).await?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pair.certificate.as_bytes())
        .collect::<Result<_, _>>()
        .ok()?;
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).ok()?;
    let versions =
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    let mut configuration = versions
        .ok()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .ok()?;
    configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Some(Arc::new(configuration))
}

async fn pair(shared: &Shared, host: &str) -> Option<Pair> {
    let (ends, route, entrance) = shared.view.read(|world| {
        let (ends, route) = router::ends(world, host);
        (ends, route.cloned(), router::listener_of(world, host))
    });
    match ends {
        Ends::AtTheGateway => {
            let entrance = entrance?;
            let reference = entrance.listener.list("/tls/certificateRefs").first()?.clone();
            let namespace = match reference.text("/namespace") {
                "" => entrance.gateway.namespace(),
                namespace => namespace,
            };
            Pair::of_secret(&shared.view.get(SECRET, namespace, reference.text("/name")).await?)
        }
        Ends::AtTheRouter => match route.as_deref().and_then(own) {
            Some(pair) => Some(pair),
            None => {
                let controller = shared
                    .view
                    .get(INGRESS_CONTROLLER, "openshift-ingress-operator", "default")
                    .await;
                let named = controller
                    .as_ref()
                    .map_or("", |controller| controller.text("/spec/defaultCertificate/name"));
                let name = if named.is_empty() { ROUTERS_OWN } else { named };
                Pair::of_secret(&shared.view.get(SECRET, INGRESS, name).await?)
            }
        },
    }
}

/// Returns the certificate that a Route brings itself.
fn own(route: &Value) -> Option<Pair> {
    let (certificate, key) = (route.text("/spec/tls/certificate"), route.text("/spec/tls/key"));
    (!certificate.is_empty() && !key.is_empty()).then(|| Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
    })
}
