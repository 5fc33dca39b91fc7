//! The bound: a client that sends the requests that the work needs, and nothing else.

use super::objects::Objects;
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

/// How many requests stackctl has in flight at most.
const CONCURRENCY: usize = 16;

pub(super) struct Bare {
    runtime: Runtime,
    client: Client,
}

impl Bare {
    pub(super) fn connect(kubeconfig: &Path) -> Result<Self, TaskError> {
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

    pub(super) fn version(&self) -> Result<String, TaskError> {
        let version = self.runtime.block_on(self.client.apiserver_version());
        version.map(|info| info.git_version).map_err(|error| failed(&error))
    }

    async fn send(&self, method: &str, uri: &str, body: Option<&Value>) -> Result<Value, kube::Error> {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("content-type", "application/apply-patch+yaml")
            .body(body.map(|body| body.to_string().into_bytes()).unwrap_or_default())
            .map_err(kube::Error::HttpError)?;
        self.client.request::<Value>(request).await
    }

    /// Makes the namespaces and waits until objects can be made in them.
    pub(super) fn namespaces(&self) -> Result<(), TaskError> {
        self.runtime.block_on(async {
            for name in Objects::namespaces() {
                let body = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
                let uri = format!("/api/v1/namespaces/{name}?fieldManager=peers");
                self.send("PATCH", &uri, Some(&body))
                    .await
                    .map_err(|error| failed(&error))?;
            }
            Ok(())
        })
    }

    /// Applies every object.
    pub(super) fn apply(&self, objects: &Objects) -> Result<(), TaskError> {
        self.each(objects, "PATCH", "?fieldManager=bare&force=true")
    }

    /// Deletes every object; without finalizers the answer is the end.
    pub(super) fn delete(&self, objects: &Objects) -> Result<(), TaskError> {
        self.each(objects, "DELETE", "")
    }

    fn each(&self, objects: &Objects, method: &str, query: &str) -> Result<(), TaskError> {
        self.runtime.block_on(async {
            stream::iter(0..objects.number)
                .map(async |index| {
                    let (namespace, name, body) = objects.object(index);
                    let uri = format!("/api/v1/namespaces/{namespace}/configmaps/{name}{query}");
                    let body = (method == "PATCH").then_some(&body);
                    self.send(method, &uri, body).await.map_err(|error| failed(&error))
                })
                .buffer_unordered(CONCURRENCY)
                .try_for_each(async |_| Ok(()))
                .await
        })
    }

    /// Lists every object in one request, and decodes the answer.
    pub(super) fn list(&self, objects: &Objects) -> Result<(), TaskError> {
        self.runtime.block_on(async {
            let uri = "/api/v1/configmaps?labelSelector=team%3Dpeers";
            let list = self.send("GET", uri, None).await.map_err(|error| failed(&error))?;
            match list["items"].as_array().map(Vec::len) {
                Some(found) if found == objects.number => Ok(()),
                found => Err(failed(&format!("{found:?} objects are there, not {}", objects.number))),
            }
        })
    }
}

fn failed(error: &dyn Display) -> TaskError {
    TaskError::Failed {
        program: "the bare client".to_owned(),
        told: error.to_string(),
        hint: String::new(),
    }
}
