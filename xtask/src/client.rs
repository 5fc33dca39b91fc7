//! A client that sends requests as they are, to the server of a kubeconfig.

use crate::error::TaskError;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Request;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::Value;
use std::{fmt::Display, path::Path};
use tokio::runtime::Runtime;

/// How many requests stackctl has in flight at most, and so does this.
const CONCURRENCY: usize = 16;

/// The client, and the threads that it works on.
pub(crate) struct Bare {
    runtime: Runtime,
    client: Client,
}

impl Bare {
    /// Makes the client; nothing is sent yet.
    ///
    /// # Errors
    /// A kubeconfig that cannot be used.
    pub(crate) fn connect(kubeconfig: &Path) -> Result<Self, TaskError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| failed(&error))?;
        let client = runtime.block_on(async {
            let kubeconfig = Kubeconfig::read_from(kubeconfig).map_err(|error| failed(&error))?;
            let options = KubeConfigOptions::default();
            let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
            Client::try_from(config.map_err(|error| failed(&error))?).map_err(|error| failed(&error))
        })?;
        Ok(Self { runtime, client })
    }

    /// The version that the server says it is.
    pub(crate) fn version(&self) -> Result<String, TaskError> {
        let version = self.runtime.block_on(self.client.apiserver_version());
        version.map(|info| info.git_version).map_err(|error| failed(&error))
    }

    async fn ask(&self, method: &str, uri: &str, body: Option<&Value>) -> Result<Value, TaskError> {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("content-type", "application/apply-patch+yaml")
            .body(body.map(|body| body.to_string().into_bytes()).unwrap_or_default())
            .map_err(|error| failed(&error))?;
        self.client
            .request::<Value>(request)
            .await
            .map_err(|error| failed(&error))
    }

    /// Sends one request; a body is an apply.
    ///
    /// # Errors
    /// An answer that is none of success.
    pub(crate) fn send(&self, method: &str, uri: &str, body: Option<&Value>) -> Result<Value, TaskError> {
        self.runtime.block_on(self.ask(method, uri, body))
    }

    /// Sends one request for each number below `count`, a few at a time.
    ///
    /// # Errors
    /// The first that is not answered with success.
    pub(crate) fn each(
        &self,
        count: usize,
        method: &str,
        request: impl Fn(usize) -> (String, Option<Value>),
    ) -> Result<(), TaskError> {
        self.runtime.block_on(async {
            stream::iter(0..count)
                .map(async |index| {
                    let (uri, body) = request(index);
                    self.ask(method, &uri, body.as_ref()).await
                })
                .buffer_unordered(CONCURRENCY)
                .try_for_each(async |_| Ok(()))
                .await
        })
    }
}

/// An error of the client.
pub(crate) fn failed(error: &dyn Display) -> TaskError {
    TaskError::Failed {
        program: "the bare client".to_owned(),
        told: error.to_string(),
        hint: String::new(),
    }
}
