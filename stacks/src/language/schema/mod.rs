//! One TOML table each, as written: which keys it has, what each may hold, and its defaults.
//!
//! What concerns one table alone is checked here; what crosses tables is `lower`'s, so values it needs keep their places.

mod addons;
mod cluster;
mod fate;
mod gateway;
mod gateway_tls;
mod gpu;
mod maas;
mod maas_external;
mod maas_settings;
mod maas_tiers;
mod manifests;
mod model_parts;
mod models;
mod monitoring;
mod moves;
mod operators;
mod plain_secrets;
mod rhoai;
mod rhoai_settings;
mod source;
mod stack;
mod state;
mod tls;

pub(crate) use gpu::{RawPool, RawProvision};
pub(crate) use maas::{RawGroup, RawMaas, RawMode, RawUser};
pub(crate) use maas_external::RawExternalModel;
pub(crate) use maas_tiers::{RawLimit, RawRate, RawTier};
pub(crate) use manifests::RawManifests;
pub(crate) use model_parts::{RawCanary, default_monitoring};
pub(crate) use models::RawModel;
pub(crate) use moves::{RawMove, RawRemoval};
pub(crate) use stack::RawStack;
pub(crate) use tls::RawTls;

use super::place::Place;
use super::problem::Problems;
use super::read::{self, At, Field, Reader};
use super::value::{Node, Table, Value};
use crate::stack::{
    Cluster, Gateway, Gitops, Kueue, MetalLb, ModelRegistry, Monitoring, Operators, Rhoai, StateConfig,
};

/// Every table, read but not yet checked against the others.
///
/// What is absent here is wrong and reported; the rest is still checked, so that one mistake hides no other.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) stack: Option<RawStack>,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) tls: Option<At<RawTls>>,
    pub(crate) gpu: Vec<At<RawPool>>,
    pub(crate) rhoai: Rhoai,
    pub(crate) monitoring: Monitoring,
    pub(crate) gateway: Gateway,
    /// Where `[gateway.tls]` and `[maas.gateway.tls]` say who signs, or that somebody has to.
    pub(crate) signs: Signs,
    /// Where gateways ask for a load balancer.
    pub(crate) balancers: Vec<Place>,
    pub(crate) models: Vec<At<RawModel>>,
    /// The names of all models, those that are wrong in other ways included.
    pub(crate) model_names: Vec<String>,
    pub(crate) maas: Option<RawMaas>,
    pub(crate) maas_is_wrong: bool,
    pub(crate) operators: At<Operators>,
    pub(crate) kueue: Option<At<Kueue>>,
    pub(crate) model_registries: Vec<At<ModelRegistry>>,
    pub(crate) gitops: Option<At<Gitops>>,
    pub(crate) metallb: Option<At<MetalLb>>,
    pub(crate) manifests: Vec<At<RawManifests>>,
    pub(crate) moved: Vec<At<RawMove>>,
    pub(crate) removed: Vec<At<RawRemoval>>,
    /// Nothing but manifests: a stack for any Kubernetes cluster.
    pub(crate) is_plain: bool,
    pub(crate) state: StateConfig,
}

/// Where the gateways' tables say who signs their certificate, for what is wrong with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signs {
    pub(crate) llm_d: Option<Place>,
    pub(crate) maas: Option<Place>,
}

/// The tables that only OpenShift has a use for.
pub(crate) const PLATFORM: &[&str] = &[
    "cluster",
    "tls",
    "gpu",
    "rhoai",
    "monitoring",
    "gateway",
    "models",
    "maas",
    "operators",
    "kueue",
    "model_registries",
    "gitops",
    "metallb",
];

/// Reads the whole tree. `None` only for something that is no table.
pub(crate) fn read(root: &Node, problems: &mut Problems) -> Option<Raw> {
    let mut reader = Reader::new(Field { key: "", node: root }, read::ROOT, problems)?;
    let stack = reader.required("stack", "add `[stack]` with `name = \"…\"`", problems, stack::read);
    // With one table of the platform the stack is for OpenShift, and then the whole of it has to be said.
    let is_plain = reader.has("manifests") && !PLATFORM.iter().any(|table| reader.has(table));
    let (cluster, tls) = if is_plain {
        (None, None)
    } else {
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
        (cluster, tls)
    };
    let gpu = reader
        .field("gpu")
        .map_or_else(Vec::new, |field| read::tables(field, "gpu", problems, gpu::read));
    let rhoai = reader.or("rhoai", rhoai::default(), problems, rhoai::read);
    let monitoring = reader.or("monitoring", monitoring::default(), problems, monitoring::read);
    let gateway = reader.or("gateway", gateway::default(), problems, gateway::read);
    let signs = Signs {
        llm_d: signed_at(root, &["gateway", "tls"]),
        maas: signed_at(root, &["maas", "gateway", "tls"]),
    };
    let balancers = balancers(root);
    let models = reader.field("models");
    let model_names = models.map_or_else(Vec::new, |field| names(field.node));
    let models = models.map_or_else(Vec::new, |field| read::tables(field, "models", problems, models::read));
    let maas = reader.optional("maas", problems, maas::read).map(|at| at.value);
    let maas_is_wrong = maas.is_none() && reader.has("maas");
    let place = reader.key_place("operators").unwrap_or(reader.place);
    let operators = At {
        value: reader.or("operators", operators::default(), problems, operators::read),
        place,
    };
    let kueue = reader.optional("kueue", problems, addons::kueue);
    let model_registries = reader.field("model_registries").map_or_else(Vec::new, |field| {
        read::tables(field, "model_registries", problems, addons::model_registry)
    });
    let gitops = reader.optional("gitops", problems, addons::gitops);
    let metallb = reader.optional("metallb", problems, addons::metallb);
    let manifests = reader.field("manifests").map_or_else(Vec::new, |field| {
        read::tables(field, "manifests", problems, manifests::read)
    });
    let moved = reader
        .field("moved")
        .map_or_else(Vec::new, |field| read::tables(field, "moved", problems, moves::moved));
    let removed = reader.field("removed").map_or_else(Vec::new, |field| {
        read::tables(field, "removed", problems, moves::removed)
    });
    let state = reader.or("state", StateConfig::Local, problems, state::read);
    reader.finish(problems);
    Some(Raw {
        stack: stack.map(|at| at.value),
        cluster: cluster.map(|at| at.value),
        tls,
        gpu,
        rhoai,
        monitoring,
        gateway,
        signs,
        balancers,
        models,
        model_names,
        maas,
        maas_is_wrong,
        operators,
        kueue,
        model_registries,
        gitops,
        metallb,
        manifests,
        moved,
        removed,
        is_plain,
        state,
    })
}

/// The table of that path.
fn table_at<'a>(root: &'a Node, path: &[&str]) -> Option<&'a Table> {
    path.iter().try_fold(root.as_table()?, |table, key| {
        table.entries.get(*key).and_then(|entry| entry.node.as_table())
    })
}

/// Where a gateway's table says that it wants a load balancer.
fn balancers(root: &Node) -> Vec<Place> {
    let gateways: [&[&str]; 2] = [&["gateway"], &["maas", "gateway"]];
    gateways
        .into_iter()
        .filter_map(|path| table_at(root, path)?.entries.get("exposure"))
        .filter(|exposure| exposure.node.as_text() == Some("loadbalancer"))
        .map(|exposure| exposure.node.place)
        .collect()
}

/// Where a table names an issuer; without the key, where it asks for a certificate that somebody signs.
fn signed_at(root: &Node, path: &[&str]) -> Option<Place> {
    let table = table_at(root, path)?;
    ["issuer", "mode"]
        .into_iter()
        .find_map(|key| table.entries.get(key))
        .map(|entry| entry.node.place)
}

fn names(tables: &Node) -> Vec<String> {
    match &tables.value {
        Value::List(nodes) => nodes.iter().filter_map(|node| node.name().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// The queues of a stack that says nothing about them.
pub(crate) fn default_kueue() -> Kueue {
    addons::default_kueue()
}
