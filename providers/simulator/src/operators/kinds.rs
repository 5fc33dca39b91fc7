//! The kinds that the simulated operators read or write, each once.
//!
//! Invariant: no two entries of [`ALL`] share group and kind, so that one watch serves every operator.

use kube::core::{ApiResource, GroupVersionKind};

/// Whether objects of a kind live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// One for the whole cluster.
    Cluster,
    /// In a namespace.
    Namespaced,
}

/// A kind of object, in the version the operators speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) scope: Scope,
}

impl Kind {
    /// Returns `group/version`, or the bare version of the core group.
    pub(crate) fn api_version(self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Returns what kube-rs needs to address this kind.
    pub(crate) fn resource(self) -> ApiResource {
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(self.group, self.version, self.kind), self.plural)
    }

    /// Returns whether the API server itself serves this kind, so that no CRD tells when it appears.
    pub(crate) fn is_built_in(self) -> bool {
        !self.group.contains('.') || self.group.ends_with(".k8s.io") && BUILT_IN_K8S_IO.contains(&self.group)
    }
}

/// Groups under `k8s.io` that are no CRDs (the Gateway API and others are).
const BUILT_IN_K8S_IO: &[&str] = &[
    "apiextensions.k8s.io",
    "discovery.k8s.io",
    "networking.k8s.io",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "policy.k8s.io",
];

/// Returns the entry of group and kind, if the operators know it.
pub(crate) fn find(group: &str, kind: &str) -> Option<Kind> {
    ALL.iter()
        .copied()
        .find(|known| known.group == group && known.kind == kind)
}

/// Returns the first entry of a kind, of whatever group, if the operators know it.
pub(crate) fn named(kind: &str) -> Option<Kind> {
    ALL.iter().copied().find(|known| known.kind == kind)
}

macro_rules! kinds {
    ($($name:ident = $scope:ident $group:literal $version:literal $kind:literal $plural:literal;)*) => {
        $(pub(crate) const $name: Kind =
            Kind { group: $group, kind: $kind, version: $version, plural: $plural, scope: Scope::$scope };)*
        /// Every kind, in the order below.
        pub(crate) const ALL: &[Kind] = &[$($name),*];
    };
}

kinds! {
    CRD = Cluster "apiextensions.k8s.io" "v1" "CustomResourceDefinition" "customresourcedefinitions";
    NAMESPACE = Cluster "" "v1" "Namespace" "namespaces";
    NODE = Cluster "" "v1" "Node" "nodes";
    POD = Namespaced "" "v1" "Pod" "pods";
    SECRET = Namespaced "" "v1" "Secret" "secrets";
    CONFIG_MAP = Namespaced "" "v1" "ConfigMap" "configmaps";
    SERVICE = Namespaced "" "v1" "Service" "services";
    ENDPOINT_SLICE = Namespaced "discovery.k8s.io" "v1" "EndpointSlice" "endpointslices";
    SERVICE_ACCOUNT = Namespaced "" "v1" "ServiceAccount" "serviceaccounts";
    PVC = Namespaced "" "v1" "PersistentVolumeClaim" "persistentvolumeclaims";
    DEPLOYMENT = Namespaced "apps" "v1" "Deployment" "deployments";
    REPLICA_SET = Namespaced "apps" "v1" "ReplicaSet" "replicasets";
    STATEFUL_SET = Namespaced "apps" "v1" "StatefulSet" "statefulsets";
    DAEMON_SET = Namespaced "apps" "v1" "DaemonSet" "daemonsets";
    JOB = Namespaced "batch" "v1" "Job" "jobs";
    CRON_JOB = Namespaced "batch" "v1" "CronJob" "cronjobs";
    STORAGE_CLASS = Cluster "storage.k8s.io" "v1" "StorageClass" "storageclasses";
    NETWORK_POLICY = Namespaced "networking.k8s.io" "v1" "NetworkPolicy" "networkpolicies";
    CLUSTER_ROLE = Cluster "rbac.authorization.k8s.io" "v1" "ClusterRole" "clusterroles";
    CLUSTER_ROLE_BINDING = Cluster "rbac.authorization.k8s.io" "v1" "ClusterRoleBinding" "clusterrolebindings";

    PACKAGE_MANIFEST = Namespaced "packages.operators.coreos.com" "v1" "PackageManifest" "packagemanifests";
    CATALOG_SOURCE = Namespaced "operators.coreos.com" "v1alpha1" "CatalogSource" "catalogsources";
    OPERATOR_GROUP = Namespaced "operators.coreos.com" "v1" "OperatorGroup" "operatorgroups";
    SUBSCRIPTION = Namespaced "operators.coreos.com" "v1alpha1" "Subscription" "subscriptions";
    INSTALL_PLAN = Namespaced "operators.coreos.com" "v1alpha1" "InstallPlan" "installplans";
    CSV = Namespaced "operators.coreos.com" "v1alpha1" "ClusterServiceVersion" "clusterserviceversions";

    ORDER = Namespaced "acme.cert-manager.io" "v1" "Order" "orders";
    CHALLENGE = Namespaced "acme.cert-manager.io" "v1" "Challenge" "challenges";

    MACHINE_SET = Namespaced "machine.openshift.io" "v1beta1" "MachineSet" "machinesets";
    MACHINE = Namespaced "machine.openshift.io" "v1beta1" "Machine" "machines";
    CREDENTIALS_REQUEST = Namespaced "cloudcredential.openshift.io" "v1" "CredentialsRequest" "credentialsrequests";
    ROUTE = Namespaced "route.openshift.io" "v1" "Route" "routes";
    INFRASTRUCTURE = Cluster "config.openshift.io" "v1" "Infrastructure" "infrastructures";
    CLUSTER_OPERATOR = Cluster "config.openshift.io" "v1" "ClusterOperator" "clusteroperators";
    OAUTH = Cluster "config.openshift.io" "v1" "OAuth" "oauths";
    AUTHENTICATION = Cluster "config.openshift.io" "v1" "Authentication" "authentications";
    INGRESS_CONFIG = Cluster "config.openshift.io" "v1" "Ingress" "ingresses";
    SERVICE_MONITOR = Namespaced "monitoring.coreos.com" "v1" "ServiceMonitor" "servicemonitors";
    POD_MONITOR = Namespaced "monitoring.coreos.com" "v1" "PodMonitor" "podmonitors";

    GATEWAY_CLASS = Cluster "gateway.networking.k8s.io" "v1" "GatewayClass" "gatewayclasses";
    GATEWAY = Namespaced "gateway.networking.k8s.io" "v1" "Gateway" "gateways";
    HTTP_ROUTE = Namespaced "gateway.networking.k8s.io" "v1" "HTTPRoute" "httproutes";
    INFERENCE_POOL = Namespaced "inference.networking.k8s.io" "v1" "InferencePool" "inferencepools";
    ENVOY_FILTER = Namespaced "networking.istio.io" "v1alpha3" "EnvoyFilter" "envoyfilters";
    DESTINATION_RULE = Namespaced "networking.istio.io" "v1" "DestinationRule" "destinationrules";
    SERVICE_ENTRY = Namespaced "networking.istio.io" "v1" "ServiceEntry" "serviceentries";
    WASM_PLUGIN = Namespaced "extensions.istio.io" "v1alpha1" "WasmPlugin" "wasmplugins";
    ISTIO = Cluster "sailoperator.io" "v1" "Istio" "istios";

    NODE_FEATURE_DISCOVERY = Namespaced "nfd.openshift.io" "v1" "NodeFeatureDiscovery" "nodefeaturediscoveries";
    CLUSTER_POLICY = Cluster "nvidia.com" "v1" "ClusterPolicy" "clusterpolicies";
    CERT_MANAGER = Cluster "operator.openshift.io" "v1alpha1" "CertManager" "certmanagers";
    CLUSTER_ISSUER = Cluster "cert-manager.io" "v1" "ClusterIssuer" "clusterissuers";
    ISSUER = Namespaced "cert-manager.io" "v1" "Issuer" "issuers";
    CERTIFICATE = Namespaced "cert-manager.io" "v1" "Certificate" "certificates";
    LWS_OPERATOR = Cluster "operator.openshift.io" "v1" "LeaderWorkerSetOperator" "leaderworkersetoperators";
    LEADER_WORKER_SET = Namespaced "leaderworkerset.x-k8s.io" "v1" "LeaderWorkerSet" "leaderworkersets";
    UI_PLUGIN = Cluster "observability.openshift.io" "v1alpha1" "UIPlugin" "uiplugins";

    APPLICATION = Namespaced "argoproj.io" "v1alpha1" "Application" "applications";
    APP_PROJECT = Namespaced "argoproj.io" "v1alpha1" "AppProject" "appprojects";
    KUEUE_OPERATOR = Cluster "kueue.openshift.io" "v1" "Kueue" "kueues";
    RESOURCE_FLAVOR = Cluster "kueue.x-k8s.io" "v1beta1" "ResourceFlavor" "resourceflavors";
    CLUSTER_QUEUE = Cluster "kueue.x-k8s.io" "v1beta1" "ClusterQueue" "clusterqueues";
    LOCAL_QUEUE = Namespaced "kueue.x-k8s.io" "v1beta1" "LocalQueue" "localqueues";
    METAL_LB = Namespaced "metallb.io" "v1beta1" "MetalLB" "metallbs";
    IP_ADDRESS_POOL = Namespaced "metallb.io" "v1beta1" "IPAddressPool" "ipaddresspools";

    KUADRANT = Namespaced "kuadrant.io" "v1beta1" "Kuadrant" "kuadrants";
    AUTHORINO = Namespaced "operator.authorino.kuadrant.io" "v1beta1" "Authorino" "authorinos";
    LIMITADOR = Namespaced "limitador.kuadrant.io" "v1alpha1" "Limitador" "limitadors";
    AUTH_CONFIG = Namespaced "authorino.kuadrant.io" "v1beta3" "AuthConfig" "authconfigs";
    AUTH_POLICY = Namespaced "kuadrant.io" "v1" "AuthPolicy" "authpolicies";
    RATE_LIMIT_POLICY = Namespaced "kuadrant.io" "v1" "RateLimitPolicy" "ratelimitpolicies";
    TOKEN_RATE_LIMIT_POLICY = Namespaced "kuadrant.io" "v1alpha1" "TokenRateLimitPolicy" "tokenratelimitpolicies";
    TELEMETRY_POLICY = Namespaced "extensions.kuadrant.io" "v1alpha1" "TelemetryPolicy" "telemetrypolicies";

    DSCI = Cluster "dscinitialization.opendatahub.io" "v2" "DSCInitialization" "dscinitializations";
    DSC = Cluster "datasciencecluster.opendatahub.io" "v2" "DataScienceCluster" "datascienceclusters";
    MONITORING = Cluster "services.platform.opendatahub.io" "v1alpha1" "Monitoring" "monitorings";
    DASHBOARD = Cluster "components.platform.opendatahub.io" "v1alpha1" "Dashboard" "dashboards";
    DATA_SCIENCE_PIPELINES = Cluster "components.platform.opendatahub.io" "v1alpha1" "DataSciencePipelines" "datasciencepipelines";
    FEAST_OPERATOR = Cluster "components.platform.opendatahub.io" "v1alpha1" "FeastOperator" "feastoperators";
    KSERVE = Cluster "components.platform.opendatahub.io" "v1alpha1" "Kserve" "kserves";
    KUEUE = Cluster "components.platform.opendatahub.io" "v1alpha1" "Kueue" "kueues";
    LLAMA_STACK_OPERATOR = Cluster "components.platform.opendatahub.io" "v1alpha1" "LlamaStackOperator" "llamastackoperators";
    MLFLOW_OPERATOR = Cluster "components.platform.opendatahub.io" "v1alpha1" "MLflowOperator" "mlflowoperators";
    MODEL_CONTROLLER = Cluster "components.platform.opendatahub.io" "v1alpha1" "ModelController" "modelcontrollers";
    MODEL_REGISTRY = Cluster "components.platform.opendatahub.io" "v1alpha1" "ModelRegistry" "modelregistries";
    MODELS_AS_SERVICE = Cluster "components.platform.opendatahub.io" "v1alpha1" "ModelsAsService" "modelsasservices";
    RAY = Cluster "components.platform.opendatahub.io" "v1alpha1" "Ray" "rays";
    TRAINING_OPERATOR = Cluster "components.platform.opendatahub.io" "v1alpha1" "TrainingOperator" "trainingoperators";
    TRUSTY_AI = Cluster "components.platform.opendatahub.io" "v1alpha1" "TrustyAI" "trustyais";
    WORKBENCHES = Cluster "components.platform.opendatahub.io" "v1alpha1" "Workbenches" "workbenches";
    ODH_DASHBOARD_CONFIG = Namespaced "opendatahub.io" "v1alpha" "OdhDashboardConfig" "odhdashboardconfigs";
    HARDWARE_PROFILE = Namespaced "infrastructure.opendatahub.io" "v1" "HardwareProfile" "hardwareprofiles";
    REGISTRY = Namespaced "modelregistry.opendatahub.io" "v1beta1" "ModelRegistry" "modelregistries";
    MLFLOW = Cluster "mlflow.opendatahub.io" "v1" "MLflow" "mlflows";

    LLM_INFERENCE_SERVICE = Namespaced "serving.kserve.io" "v1alpha2" "LLMInferenceService" "llminferenceservices";
    TENANT = Namespaced "maas.opendatahub.io" "v1alpha1" "Tenant" "tenants";
    MAAS_MODEL_REF = Namespaced "maas.opendatahub.io" "v1alpha1" "MaaSModelRef" "maasmodelrefs";
    MAAS_SUBSCRIPTION = Namespaced "maas.opendatahub.io" "v1alpha1" "MaaSSubscription" "maassubscriptions";
    MAAS_AUTH_POLICY = Namespaced "maas.opendatahub.io" "v1alpha1" "MaaSAuthPolicy" "maasauthpolicies";
    EXTERNAL_MODEL = Namespaced "maas.opendatahub.io" "v1alpha1" "ExternalModel" "externalmodels";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_kind_comes_twice() {
        let mut seen = BTreeSet::new();
        assert!(ALL.iter().all(|kind| seen.insert((kind.group, kind.kind))));
    }

    #[test]
    fn crds_are_told_from_built_in_kinds() {
        assert!(POD.is_built_in() && CRD.is_built_in() && STORAGE_CLASS.is_built_in());
        assert!(!GATEWAY.is_built_in() && !KUADRANT.is_built_in() && !LEADER_WORKER_SET.is_built_in());
    }
}
