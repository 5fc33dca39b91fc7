//! What an OpenShift 4.21, on AWS or on machines of its own, holds before any stack is applied.
//!
//! In: a client of an API server that serves the built-in kinds. Out: that server holds the CRDs of OpenShift and the
//! objects of `reference/platform.md` §1, as an installer leaves them.
//!
//! Invariants:
//! - Only what is absent is created, and only a status that is absent is told; nothing that is there is ever changed.
//!   So seeding twice is seeding once, and a seeding that was cut off is completed by the next.
//! - Every object is written under a plain field manager of the platform or of another team, never under one of ours.
//! - No value here is a working credential.
//!
//! Left out: the workloads of the platform itself, and the objects that only they read; owner references of Machines
//! (they are found by label).

mod access;
mod authorities;
mod bare_metal;
mod configuration;
mod foreign;
mod kinds;
mod machines;
mod marketplace;
mod namespaces;
mod object;
mod spoil;

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::jiff::Timestamp;
use kube::{
    Api, Client,
    api::{DynamicObject, ListParams, Patch, PatchParams, PostParams},
    runtime::wait::{Condition as _, await_condition, conditions},
};
use serde_json::{Value, json};

#[cfg(test)]
pub(crate) use access::ADMIN_HASH;
pub use access::{ADMIN_PASSWORD, ADMIN_USER};
pub(crate) use bare_metal::GPUS;
pub(crate) use spoil::spoil;

use crate::schemas::{self, TrueCrds};
use kinds::Kinds;
use object::name_of;

/// The domain of the cluster; its applications are under `apps.` of it.
pub const BASE_DOMAIN: &str = "sandbox.example.com";

/// The name that the installer gave to what it made in the cloud.
pub const INFRASTRUCTURE_NAME: &str = "sandbox-x7k2p";

/// The region of the cloud.
pub const REGION: &str = "eu-west-1";

/// What the cluster runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Platform {
    /// Installer-provisioned AWS.
    #[default]
    Aws,
    /// Machines of its own, two of them with GPUs: no cloud API, no MachineSets.
    None,
}

/// The version of OpenShift: the tested target of `reference/platform.md` §0.
pub const VERSION: &str = "4.21.3";

/// Who wrote what the platform brought.
const PLATFORM_MANAGER: &str = "cluster-version-operator";

/// Who wrote what belongs to other teams of the cluster.
const TEAM_MANAGER: &str = "kubectl-create";

/// How many requests are under way at once.
const PARALLELISM: usize = 16;

/// How long the CRDs may take until they are Established; a kube-apiserver takes a second or two.
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(60);

/// Why a cluster could not be seeded.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// An object of the seed is no object, or of a kind that is not known: a defect of this crate.
    #[error("{object} of the seed is malformed: {why}")]
    Malformed {
        /// Kind and name.
        object: String,
        /// What is wrong with it.
        why: String,
    },
    /// The server refused an object.
    #[error("{object} could not be written")]
    Write {
        /// Kind and name.
        object: String,
        /// What the server said.
        #[source]
        cause: Box<kube::Error>,
    },
    /// The server did not answer whether the CRDs are there.
    #[error("the CRDs of OpenShift could not be listed")]
    List {
        /// What the server said.
        #[source]
        cause: Box<kube::Error>,
    },
    /// A CRD of OpenShift did not become Established in time.
    #[error("the CRD {name} was not Established within {seconds} s", seconds = ESTABLISHED_WITHIN.as_secs())]
    NotEstablished {
        /// Its name.
        name: String,
    },
}

/// Brings a cluster to where an OpenShift is before any stack is applied, with true CRDs where they are given.
///
/// # Errors
/// The first object that the server refuses. What was written until then stays; another call goes on from there.
///
/// # Cancellation
/// Safe at any point, for the same reason.
pub async fn seed(client: Client, platform: Platform, truth: Option<&TrueCrds>) -> Result<(), SeedError> {
    let crds = schemas::openshift();
    let kinds = Kinds::new(&crds);
    let crds = match truth {
        Some(truth) => crds.into_iter().map(|crd| truth.instead_of(crd)).collect(),
        None => crds,
    };
    install(&client, &kinds, crds).await?;
    write(&client, &kinds, PLATFORM_MANAGER, namespaces::objects()).await?;
    write(&client, &kinds, TEAM_MANAGER, foreign::namespaces()).await?;
    let mut brought = configuration::objects(platform);
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    brought.extend(authorities::objects(&now)?);
    brought.extend(access::objects(platform));
    brought.extend(match platform {
        Platform::Aws => machines::objects(),
        Platform::None => bare_metal::objects(),
    });
    brought.extend(marketplace::objects());
    write(&client, &kinds, PLATFORM_MANAGER, brought).await?;
    write(&client, &kinds, TEAM_MANAGER, foreign::objects()).await
}

/// Installs the CRDs of a directory whose groups nobody here brings: kinds of somebody's own.
///
/// # Errors
/// The first that the server refuses.
pub async fn own_kinds(client: Client, truth: &TrueCrds) -> Result<(), SeedError> {
    let kinds = Kinds::new(&[]);
    install(&client, &kinds, truth.of_other_groups(schemas::knows_group)).await
}

async fn install(client: &Client, kinds: &Kinds, crds: Vec<Value>) -> Result<(), SeedError> {
    let names = crds.iter().map(name_of).collect::<Vec<_>>();
    write(client, kinds, PLATFORM_MANAGER, crds).await?;
    established(client, names).await
}

/// Creates what is absent, several at once.
async fn write(client: &Client, kinds: &Kinds, manager: &str, objects: Vec<Value>) -> Result<(), SeedError> {
    let creations = objects.into_iter().map(|object| create(client, kinds, manager, object));
    stream::iter(creations)
        .buffer_unordered(PARALLELISM)
        .try_collect::<()>()
        .await
}

/// Creates one object, and tells its status where the server keeps that apart; leaves an object that is there alone.
async fn create(client: &Client, kinds: &Kinds, manager: &str, manifest: Value) -> Result<(), SeedError> {
    let object = object::words(&manifest);
    let malformed = |why: String| SeedError::Malformed {
        object: object.clone(),
        why,
    };
    let refused = |cause| SeedError::Write {
        object: object.clone(),
        cause: Box::new(cause),
    };
    let kind = kinds
        .of(&manifest)
        .ok_or_else(|| malformed("its kind is not known".to_owned()))?;
    let namespace = manifest.pointer("/metadata/namespace").and_then(Value::as_str);
    let api: Api<DynamicObject> = match (namespace, kind.namespaced) {
        (Some(namespace), true) => Api::namespaced_with(client.clone(), namespace, &kind.resource),
        (None, false) => Api::all_with(client.clone(), &kind.resource),
        (Some(_), false) | (None, true) => return Err(malformed("its namespace does not fit its kind".to_owned())),
    };
    let name = name_of(&manifest);
    let status = manifest.get("status").filter(|_| kind.has_status).cloned();
    let body = serde_json::from_value(manifest).map_err(|error| malformed(error.to_string()))?;
    let params = PostParams {
        field_manager: Some(manager.to_owned()),
        ..PostParams::default()
    };
    let stored = match api.create(&params, &body).await {
        Ok(created) => created,
        Err(kube::Error::Api(refusal)) if refusal.is_already_exists() => api.get(&name).await.map_err(refused)?,
        Err(cause) => return Err(refused(cause)),
    };
    if let Some(status) = status
        && is_untold(&stored.data["status"], &status)
    {
        let params = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        api.patch_status(&name, &params, &Patch::Merge(json!({"status": status})))
            .await
            .map_err(refused)?;
    }
    Ok(())
}

/// Whether a server that defaults some of a status (a phase, empty conditions) was told none of this one.
fn is_untold(stored: &Value, status: &Value) -> bool {
    let told = |field: &str| stored.get(field).is_some_and(|value| !value.is_null());
    status
        .as_object()
        .is_some_and(|fields| fields.keys().all(|field| !told(field)))
}

/// Waits until the server serves the kinds of these CRDs.
async fn established(client: &Client, names: Vec<String>) -> Result<(), SeedError> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let present = api
        .list(&ListParams::default())
        .await
        .map_err(|cause| SeedError::List { cause: Box::new(cause) })?;
    let is_established = |name: &String| {
        present.iter().any(|crd| {
            crd.metadata.name.as_ref() == Some(name) && conditions::is_crd_established().matches_object(Some(crd))
        })
    };
    let waits = names.into_iter().filter(|name| !is_established(name)).map(|name| {
        let api = api.clone();
        async move {
            let wait = await_condition(api, &name, conditions::is_crd_established());
            match tokio::time::timeout(ESTABLISHED_WITHIN, wait).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(SeedError::NotEstablished { name }),
            }
        }
    });
    stream::iter(waits)
        .buffer_unordered(PARALLELISM)
        .try_collect::<()>()
        .await
}

#[cfg(test)]
mod tests;
