//! What each input of the field guide is in the stack language (`reference/platform.md` §5, row by row).

use std::fmt;

/// An input of the guide.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// As the guide's table has it.
    pub guide: &'static str,
    /// What it is here.
    pub standing: Standing,
}

/// What an input of the guide is here.
#[derive(Clone, Copy, Debug)]
pub enum Standing {
    /// These keys, each after its table.
    Keys(&'static [&'static str]),
    /// Read from the cluster, or computed.
    Derived(&'static str),
    /// No key, and why.
    NotExposed(&'static str),
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
                f.write_str(&keys.join(", "))
            }
            Self::Derived(from) => write!(f, "derived: {from}"),
            Self::NotExposed(because) => write!(f, "not exposed, because {because}"),
        }
    }
}

pub(super) const fn knob(guide: &'static str, standing: Standing) -> Knob {
    Knob { guide, standing }
}

/// Every input of the guide's platform phases, in its order.
pub const KNOBS: &[Knob] = &[
    knob("`CLOUD` / chart `cloud`", Standing::Keys(&["[cluster] platform"])),
    knob("`TLS_ISSUER`", Standing::Keys(&["[tls] issuer"])),
    knob(
        "`clusterDomain` (P1 charts)",
        Standing::Derived("the base domain, `DNS/cluster`; checked against the apps domain"),
    ),
    knob(
        "`route53.region`",
        Standing::Derived("the region, `Infrastructure/cluster`"),
    ),
    knob("`route53.hostedZoneID`", Standing::Keys(&["[tls] hosted_zone_id"])),
    knob(
        "`etcdEncryption.enabled`",
        Standing::Keys(&["[cluster] etcd_encryption"]),
    ),
    knob(
        "`AWS_INSTANCE_TYPE` / `instanceType`",
        Standing::Keys(&["[[gpu]] tier", "[[gpu]] size"]),
    ),
    knob("`AWS_INSTANCES_PER_AZ`", Standing::Keys(&["[[gpu]] nodes_per_zone"])),
    knob("AZ list / `az`", Standing::Keys(&["[[gpu]] zones"])),
    knob("`replicas`", Standing::Keys(&["[[gpu]] nodes_per_zone"])),
    knob(
        "`role`",
        Standing::NotExposed("`worker` is the only role whose machines get the installer's profile and user data"),
    ),
    knob(
        "`prefix`",
        Standing::Derived("the name of the pool, so that two pools never clash"),
    ),
    knob(
        "`devicePluginConfig`",
        Standing::Keys(&["[[gpu]] device_plugin_config"]),
    ),
    knob(
        "`rootVolumeSize`, `rootVolumeType`, `rootVolumeIops`",
        Standing::Keys(&["root_volume size_gib", "root_volume type", "root_volume iops"]),
    ),
    knob(
        "`region`, `amiId`, `infrastructureId`",
        Standing::Derived("`Infrastructure/cluster` and the first worker MachineSet"),
    ),
    knob(
        "`RHOAI_OLM_PROFILE` / `olmProfile`",
        Standing::Keys(&["[rhoai] profile"]),
    ),
    knob(
        "`channel` + `startingCSV`",
        Standing::Keys(&["[rhoai] channel", "[rhoai] csv"]),
    ),
    knob(
        "`subscription.{name,installPlanApproval,source,sourceNamespace}` (RHOAI)",
        Standing::Keys(&[
            "[rhoai] approval",
            "[operators.catalogs] redhat",
            "[operators.catalogs] namespace",
        ]),
    ),
    knob(
        "`namespace.{name,displayName}`, `operatorGroup.name` (RHOAI)",
        Standing::NotExposed("other components look for the operator, and its Subscription, by these names"),
    ),
    knob(
        "same keys (GitOps)",
        Standing::Keys(&["[gitops] channel", "[operators.catalogs] redhat"]),
    ),
    knob(
        "Kuadrant `namespace`, `kuadrant.name`",
        Standing::NotExposed("OpenShift AI looks for Authorino in `kuadrant-system`"),
    ),
    knob(
        "`odhApplicationsNamespace`",
        Standing::NotExposed("it has to be that of the DSCI, which the operator makes with `redhat-ods-applications`"),
    ),
    knob("`featureStore`", Standing::Keys(&["[rhoai.components] feature_store"])),
    knob("`modelsAsService`", Standing::Keys(&["[maas] enabled"])),
    knob(
        "`distributedWorkloads`",
        Standing::Keys(&["[rhoai.components] distributed_workloads"]),
    ),
    knob("`kueue`", Standing::Keys(&["[rhoai.components] kueue"])),
    knob("`llamaStack`", Standing::Keys(&["[rhoai.components] llama_stack"])),
    knob(
        "`modelRegistry`",
        Standing::Keys(&["[rhoai.components] model_registry"]),
    ),
    knob("`mlflow`", Standing::Keys(&["[rhoai.components] mlflow"])),
    knob("`trustyai`", Standing::Keys(&["[rhoai.components] trustyai"])),
    knob(
        "`dsci.name`, `dsc.name`",
        Standing::NotExposed("both are singletons, and the operator makes the first one under that name"),
    ),
    knob(
        "`dsci.applicationsNamespace`",
        Standing::NotExposed("immutable, and made by the operator before any stack is applied"),
    ),
    knob(
        "`dsci.monitoringNamespace`",
        Standing::Keys(&["[rhoai.monitoring] namespace"]),
    ),
    knob(
        "`dsci.serviceMeshState`",
        Standing::NotExposed("stored as v2, which has no such field"),
    ),
    knob(
        "`dsci.metricsReplicas`, `dsci.metricsRetention`, `dsci.metricsSize`",
        Standing::Keys(&[
            "[rhoai.monitoring] metrics_replicas",
            "[rhoai.monitoring] metrics_retention",
            "[rhoai.monitoring] metrics_volume",
        ]),
    ),
    knob(
        "`dsci.tracesSampleRatio`, `dsci.tracesBackend`, `dsci.tracesRetention`",
        Standing::Keys(&[
            "[rhoai.monitoring] traces_sample_ratio",
            "[rhoai.monitoring] traces_retention",
        ]),
    ),
    knob(
        "`dsc.workbenchNamespace`, `dsc.modelRegistryNamespace`",
        Standing::Keys(&["[rhoai] workbench_namespace", "[rhoai] registry_namespace"]),
    ),
    knob(
        "`odhDashboardConfig.{name,namespace,adminGroups,allowedGroups,notebookNamespace,pvcSize}`",
        Standing::Keys(&[
            "[rhoai.dashboard] admin_groups",
            "[rhoai.dashboard] allowed_groups",
            "[rhoai.dashboard] notebook_volume",
            "[rhoai] workbench_namespace",
        ]),
    ),
    knob(
        "`mlflowInstance.{name,storage.accessModes,storage.storageSize,backendStoreUri,artifactsDestination,serveArtifacts}`",
        Standing::Keys(&[
            "[rhoai.mlflow] access_mode",
            "[rhoai.mlflow] volume",
            "[rhoai.mlflow] backend_store_uri",
            "[rhoai.mlflow] artifacts_destination",
            "[rhoai.mlflow] serve_artifacts",
        ]),
    ),
    knob(
        "`hardwareProfiles.enabled`",
        Standing::Keys(&["[rhoai] default_hardware_profiles"]),
    ),
    knob(
        "`hardwareProfiles.profiles[]`",
        Standing::Keys(&["[rhoai] hardware_profiles"]),
    ),
    knob(
        "model registry `registry.namespace`, `rest.port`, `rest.serviceRoute`, `grpc.port`, images, resources",
        Standing::Keys(&[
            "[rhoai] registry_namespace",
            "[[model_registries]] rest_port",
            "[[model_registries]] rest_route",
            "[[model_registries]] grpc_port",
            "[[model_registries]] image",
        ]),
    ),
    knob(
        "`registryDb.{databaseName,databaseUser,databasePassword}`",
        Standing::Keys(&["[[model_registries]] password"]),
    ),
    knob(
        "`registryDb.{allowEmptyPassword,dbContainer.image,replicas,strategy.type,type}`, `pvc.metadataMysql.storageRequest`, `kubernetesClusterDomain`",
        Standing::Keys(&["[[model_registries]] image", "[[model_registries]] volume"]),
    ),
    knob("Service Mesh 3 overlay", Standing::Keys(&["[operators] service_mesh"])),
    knob(
        "optional operators",
        Standing::Keys(&[
            "[rhoai.components] kueue",
            "[operators] grafana",
            "[operators] pipelines",
            "[operators] service_mesh",
            "the stack file gitops",
            "the stack file metallb",
        ]),
    ),
    knob(
        "pins",
        Standing::Keys(&[
            "[operators.pins] connectivity_link",
            "[operators.pins] cluster_observability",
        ]),
    ),
    knob(
        "`LLM_NAMESPACE`, `DASHBOARD_NAMESPACE` (legacy script)",
        Standing::Keys(&["[[models]] namespace"]),
    ),
    knob(
        "`HF_TOKEN`, `GATEWAY_NAME`, `PROJECT`",
        Standing::Keys(&["[[models]] hf_token", "[gateway] name", "[[models]] namespace"]),
    ),
];
