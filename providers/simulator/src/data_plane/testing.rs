//! What the tests of the data plane share: calls, and a cluster that is written down.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use super::call::Call;

/// A call that is being put together.
pub(super) struct Calling(Call);

/// Begins a call to a URL.
pub(super) fn call(method: &str, url: &str) -> Calling {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query.to_owned())));
    Calling(Call {
        method: method.parse::<Method>().expect("a method"),
        host: host.to_owned(),
        path: format!("/{path}"),
        query,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        is_tls: scheme == "https",
    })
}

impl Calling {
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.0.set(name, value);
        self
    }

    pub(super) fn json(mut self, body: &Value) -> Self {
        self.0.body = body.to_string().into_bytes().into();
        self
    }

    pub(super) fn done(self) -> Call {
        self.0
    }
}
