//! The provider itself: what the verbs share, and the engine's trait over them.

use crate::{
    apply, delete,
    discovery::{Discovery, Served},
    error::{Subject, is_unknown_path, meaning},
    get, list, patch,
    transport::{Accepted, Accepts, Answer, Transport},
    watch,
};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::Method;
use serde_json::Value;
use stackctl_engine::{
    ObjectRef, ObjectType,
    execute::{
        ApplyAnswer, ApplyRequest, DeleteRequest, Deletion, PatchRequest, Provider, ProviderError, Selector, WatchEvent,
    },
};
use std::{fmt, net::SocketAddr, sync::Arc};

/// A cluster that is spoken to over HTTP. Clones share the connections and what was learnt about kinds.
#[derive(Clone)]
pub struct KubernetesProvider {
    transport: Transport,
    discovery: Arc<Discovery>,
    /// How the connection was made, for services beside the API server.
    config: Arc<kube::Config>,
    /// Where the hosts of the cluster answer, if not where names lead.
    hosts: Option<SocketAddr>,
}

/// One request, before the kind's path is known.
pub(crate) struct Ask<'a, P> {
    pub(crate) subject: Subject<'a>,
    pub(crate) method: Method,
    /// The path, given how the kind is requested.
    pub(crate) path: P,
    /// Content type and body.
    pub(crate) content: Option<(&'static str, Bytes)>,
    /// Whether it changes nothing, so that it may be sent again.
    pub(crate) only_asks: bool,
    /// What the answer is to hold.
    pub(crate) accepts: Accepts,
}

impl KubernetesProvider {
    pub(crate) fn new(transport: Transport, config: kube::Config) -> Self {
        Self {
            transport,
            discovery: Arc::default(),
            config: Arc::new(config),
            hosts: None,
        }
    }

    /// Reaches every host of the cluster at this address, as those of an embedded cluster are; its certificates are not
    /// judged there, because nobody trusts the authorities of such a cluster.
    #[must_use]
    pub fn with_hosts_at(mut self, address: SocketAddr) -> Self {
        self.hosts = Some(address);
        self
    }

    /// Sends so many requests at once at most, and fewer while the server asks for that.
    #[must_use]
    pub fn with_parallelism(mut self, parallelism: usize) -> Self {
        self.transport = self.transport.with_parallelism(parallelism);
        self
    }

    /// Posts JSON to another service of the cluster, at a URL, as the person who speaks to its API server.
    ///
    /// # Errors
    /// When it does not answer within seconds, refuses, or answers something else than JSON.
    pub async fn post_beside(&self, url: &str, body: &Value) -> Result<Value, crate::BesideError> {
        crate::beside::post(&self.config, self.hosts, url, body).await
    }

    /// Whether objects of a type lie in namespaces, as the server says now; none where it does not serve the type.
    ///
    /// # Errors
    /// Whatever kept us from asking.
    pub async fn is_namespaced(&self, object_type: &ObjectType) -> Result<Option<bool>, ProviderError> {
        match self.discovery.find(&self.transport, object_type).await {
            Ok(served) => Ok(Some(served.is_namespaced)),
            Err(ProviderError::KindNotServed(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The metadata of all objects of a type in a namespace: no value of any of them is sent.
    ///
    /// # Errors
    /// Whatever kept us from reading them.
    pub async fn list_metadata(&self, object_type: &ObjectType, namespace: &str) -> Result<Vec<Value>, ProviderError> {
        list::metadata(self, object_type, namespace).await
    }

    /// The URL of the server.
    pub fn server(&self) -> &str {
        self.transport.server()
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(crate) async fn served(&self, object_type: &ObjectType) -> Result<Served, ProviderError> {
        self.discovery.find(&self.transport, object_type).await
    }

    /// Sends a request. When the server does not know a path that discovery gave, discovery is read again and the
    /// request sent once more: the first was not carried out.
    pub(crate) async fn ask<P>(&self, ask: Ask<'_, P>) -> Result<Answer, ProviderError>
    where
        P: Fn(&Served) -> Result<String, ProviderError>,
    {
        let served = self.served(ask.subject.object_type).await?;
        match self.send(&ask, &served).await? {
            Answer::Refused(refusal) if is_unknown_path(&refusal) => {
                let refreshed = self.discovery.refresh(&self.transport, ask.subject.object_type).await?;
                self.send(&ask, &refreshed).await
            }
            answer => Ok(answer),
        }
    }

    /// Sends a request as [`Self::ask`] does; whatever is no success is an error.
    pub(crate) async fn accepted<P>(&self, ask: Ask<'_, P>) -> Result<Accepted, ProviderError>
    where
        P: Fn(&Served) -> Result<String, ProviderError>,
    {
        let subject = ask.subject;
        match self.ask(ask).await? {
            Answer::Accepted(accepted) => Ok(accepted),
            Answer::Refused(refusal) => Err(meaning(&refusal, subject)),
        }
    }

    async fn send<P>(&self, ask: &Ask<'_, P>, served: &Served) -> Result<Answer, ProviderError>
    where
        P: Fn(&Served) -> Result<String, ProviderError>,
    {
        let path = (ask.path)(served)?;
        let (method, content) = (ask.method.clone(), ask.content.clone());
        if ask.only_asks {
            self.transport.ask_patiently(method, &path, content, ask.accepts).await
        } else {
            self.transport.ask(method, &path, content).await
        }
    }
}

/// What a request about an object is about.
pub(crate) fn about(object: &ObjectRef) -> Subject<'_> {
    Subject {
        object_type: &object.object_type,
        is_in_namespace: object.namespace.is_some(),
    }
}

impl Provider for KubernetesProvider {
    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ProviderError> {
        get::get(self, object).await
    }

    async fn list(
        &self,
        object_type: &ObjectType,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Vec<Value>, ProviderError> {
        list::list_as(self, object_type, namespace, selector, |object| object).await
    }

    async fn list_as<T: Send>(
        &self,
        object_type: &ObjectType,
        namespace: Option<&str>,
        selector: &Selector,
        keep: impl Fn(Value) -> T + Send + Sync,
    ) -> Result<Vec<T>, ProviderError> {
        list::list_as(self, object_type, namespace, selector, keep).await
    }

    async fn apply(&self, request: &ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        apply::apply(self, request).await
    }

    async fn patch(&self, request: &PatchRequest) -> Result<Value, ProviderError> {
        patch::patch(self, request).await
    }

    async fn delete(&self, request: &DeleteRequest) -> Result<Deletion, ProviderError> {
        delete::delete(self, request).await
    }

    fn watch(&self, object_type: &ObjectType, namespace: Option<&str>) -> BoxStream<'static, WatchEvent> {
        watch::watch(self.clone(), object_type.clone(), namespace.map(str::to_owned))
    }
}

/// Shows the server only: what else is inside may know credentials.
impl fmt::Debug for KubernetesProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubernetesProvider")
            .field("server", &self.server())
            .finish_non_exhaustive()
    }
}
