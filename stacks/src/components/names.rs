//! Names that several components share: namespaces of the platform, and objects that others wait for.

/// Where the operators and operands of OpenShift AI run (`reference/serving.md` §0.3).
pub(crate) const APPLICATIONS: &str = "redhat-ods-applications";
/// Where gateways live.
pub(crate) const INGRESS: &str = "openshift-ingress";
/// Where Authorino and Limitador run.
pub(crate) const KUADRANT: &str = "kuadrant-system";
/// Where operators of the whole cluster live.
pub(crate) const OPERATORS: &str = "openshift-operators";
/// Where machines are declared.
pub(super) const MACHINES: &str = "openshift-machine-api";
/// Where subscriptions and auth policies of MaaS live.
pub(crate) const MAAS: &str = "models-as-a-service";
/// Where the console looks for dashboards, and Cluster Observability is (`reference/platform.md` §2.18).
pub(crate) const CONSOLE_DASHBOARDS: &str = "openshift-cluster-observability-operator";
/// Namespaces that the operators of OpenShift AI make by themselves (`reference/platform.md` §2.12, `reference/serving.md` §1.10).
pub(crate) const PLATFORM: [&str; 5] = [
    APPLICATIONS,
    MAAS,
    "redhat-ods-monitoring",
    "rhoai-model-registries",
    "rhods-notebooks",
];
/// The controller of every GatewayClass here (`reference/serving.md` §1.1).
pub(super) const GATEWAY_CONTROLLER: &str = "openshift.io/gateway-controller/v1";
/// The gateway of MaaS; its host has to be `maas.<apps domain>` (`reference/serving.md` §1.6).
pub(crate) const MAAS_GATEWAY: &str = "maas-default-gateway";
