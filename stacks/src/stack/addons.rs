//! What people add to the platform: queues, model registries, GitOps, addresses for load balancers.

use super::{ChannelName, NamespaceName, ObjectName, Quantity, SecretRef};

/// The queue objects of Kueue; made when the component Kueue is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kueue {
    /// The ClusterQueue; not the one that OpenShift AI makes for itself.
    pub cluster_queue: ObjectName,
    /// The ResourceFlavor that its quotas are of.
    pub flavor: ObjectName,
    /// How many CPUs all its workloads may have.
    pub cpu: Quantity,
    /// How much memory.
    pub memory: Quantity,
    /// How many GPUs.
    pub gpus: u32,
    /// A LocalQueue each, in the order of the file.
    pub queues: Vec<LocalQueue>,
}

/// A queue of one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalQueue {
    /// The namespace; it has to be there, or be the project of a model.
    pub namespace: NamespaceName,
    /// Its name.
    pub name: ObjectName,
}

/// A model registry with a database of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRegistry {
    /// Its name.
    pub name: ObjectName,
    /// The password of its database.
    pub password: SecretRef,
    /// The size of the volume of its database.
    pub volume: Quantity,
    /// The image of its database.
    pub image: String,
    /// The port of its REST interface.
    pub rest_port: u16,
    /// Whether it is reached from outside through a Route.
    pub rest_route: bool,
    /// The port of its gRPC interface.
    pub grpc_port: u16,
}

/// OpenShift GitOps, and Applications of the manual's repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gitops {
    /// The channel of its operator.
    pub channel: ChannelName,
    /// Where the Applications are.
    pub repository: String,
    /// The branch, tag or commit.
    pub revision: String,
    /// Which Applications, in the order of the file.
    pub applications: Vec<Application>,
}

/// An Application of the manual (`reference/platform.md` §2.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// The operator of cert-manager.
    CertManagerOperator,
    /// Certificates of Let's Encrypt by Route53.
    CertManagerRoute53,
}

/// MetalLB: addresses for load balancers on bare metal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetalLb {
    /// The addresses, as `first-last` or CIDR.
    pub addresses: Vec<String>,
    /// The name of the IPAddressPool.
    pub pool: ObjectName,
    /// The name of the L2Advertisement.
    pub advertisement: ObjectName,
    /// The nodes that announce them, which are labelled for it; all that carry the label already if empty.
    pub nodes: Vec<ObjectName>,
}
