//! One TOML table each, as written: which keys it has, what each may hold, and its defaults.
//!
//! What concerns one table alone is checked here; what crosses tables is `lower`'s, so values it needs keep their places.

mod cluster;
mod gateway;
mod gpu;
mod maas;
mod models;
mod monitoring;
mod rhoai;
mod stack;
mod state;
mod tls;

pub(crate) use gpu::{RawPool, RawProvision};
pub(crate) use maas::{RawGroup, RawLimit, RawMaas, RawTier};
pub(crate) use models::RawModel;

use super::problem::Problems;
use super::read::{self, At, Field, Reader};
use super::value::Node;
use crate::stack::{Cluster, Gateway, Monitoring, Rhoai, StackName, StateConfig, Tls};

/// Every table, read but not yet checked against the others.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) name: StackName,
    pub(crate) cluster: Cluster,
    pub(crate) tls: At<Tls>,
    pub(crate) gpu: Vec<At<RawPool>>,
    pub(crate) rhoai: Rhoai,
    pub(crate) monitoring: Monitoring,
    pub(crate) gateway: Gateway,
    pub(crate) models: Vec<At<RawModel>>,
    pub(crate) maas: Option<RawMaas>,
    pub(crate) state: StateConfig,
}

/// Reads the whole tree. `None` only if something was reported without which nothing can be checked.
pub(crate) fn read(root: &Node, problems: &mut Problems) -> Option<Raw> {
    let mut reader = Reader::new(Field { key: "", node: root }, "a stack file", problems)?;
    let name = reader.required("stack", "add `[stack]` with `name = \"…\"`", problems, stack::read);
    let cluster = reader.required(
        "cluster",
        "add `[cluster]` with `platform = \"aws\"` or \"none\": what the cluster runs on must be said",
        problems,
        cluster::read,
    );
    let tls = reader.required(
        "tls",
        "add `[tls]` with `issuer = \"existing\"`, \"letsencrypt\" or \"local-ca\"",
        problems,
        tls::read,
    );
    let gpu = reader
        .field("gpu")
        .map_or_else(Vec::new, |field| read::tables(field, problems, gpu::read));
    let rhoai = reader.optional("rhoai", problems, rhoai::read);
    let has_rhoai_error = rhoai.is_none() && root.as_table().is_some_and(|table| table.entries.contains_key("rhoai"));
    let monitoring = reader.or("monitoring", monitoring::default(), problems, monitoring::read);
    let gateway = reader.or("gateway", gateway::default(), problems, gateway::read);
    let models = reader
        .field("models")
        .map_or_else(Vec::new, |field| read::tables(field, problems, models::read));
    let maas = reader.optional("maas", problems, maas::read).map(|at| at.value);
    let state = reader.or("state", StateConfig::Local, problems, state::read);
    reader.finish(problems);
    let rhoai = match rhoai {
        Some(rhoai) => rhoai.value,
        None if has_rhoai_error => return None,
        None => rhoai::default(),
    };
    Some(Raw {
        name: name?.value,
        cluster: cluster?.value,
        tls: tls?,
        gpu,
        rhoai,
        monitoring,
        gateway,
        models,
        maas,
        state,
    })
}
