//! Which kinds the simulated cluster knows, and which data file of the simulator carries each.
//!
//! A file is who registers its kinds and when (`reference/platform.md` §2.21): the cluster itself, the bundle of an
//! OLM package, or a component that comes up after its operator.

/// One data file under `providers/simulator/src/schemas/data/`.
#[derive(Debug)]
pub(super) struct File {
    /// Its name without `.json`.
    pub(super) name: &'static str,
    /// The CRDs in it, as `<plural>.<group>`.
    pub(super) crds: &'static [&'static str],
}

/// Everything that is generated. What is written by hand (`handwritten.json`) is not here.
pub(super) const FILES: &[File] = &[
    File {
        name: "openshift",
        crds: &[
            "apiservers.config.openshift.io",
            "authentications.config.openshift.io",
            "clusteroperators.config.openshift.io",
            "clusterversions.config.openshift.io",
            "consoles.config.openshift.io",
            "dnses.config.openshift.io",
            "infrastructures.config.openshift.io",
            "ingresses.config.openshift.io",
            "networks.config.openshift.io",
            "oauths.config.openshift.io",
            "proxies.config.openshift.io",
            "cloudcredentials.operator.openshift.io",
            "consoles.operator.openshift.io",
            "ingresscontrollers.operator.openshift.io",
            "credentialsrequests.cloudcredential.openshift.io",
            "consolelinks.console.openshift.io",
            "consoleplugins.console.openshift.io",
            "consolequickstarts.console.openshift.io",
            "machines.machine.openshift.io",
            "machinesets.machine.openshift.io",
            "machinehealthchecks.machine.openshift.io",
            "securitycontextconstraints.security.openshift.io",
            "routes.route.openshift.io",
            "groups.user.openshift.io",
            "identities.user.openshift.io",
            "users.user.openshift.io",
            "projects.project.openshift.io",
            "catalogsources.operators.coreos.com",
            "clusterserviceversions.operators.coreos.com",
            "installplans.operators.coreos.com",
            "operatorconditions.operators.coreos.com",
            "operatorgroups.operators.coreos.com",
            "operators.operators.coreos.com",
            "subscriptions.operators.coreos.com",
            "podmonitors.monitoring.coreos.com",
            "probes.monitoring.coreos.com",
            "prometheusrules.monitoring.coreos.com",
            "servicemonitors.monitoring.coreos.com",
            "gatewayclasses.gateway.networking.k8s.io",
            "gateways.gateway.networking.k8s.io",
            "grpcroutes.gateway.networking.k8s.io",
            "httproutes.gateway.networking.k8s.io",
            "referencegrants.gateway.networking.k8s.io",
        ],
    },
    File {
        name: "package-openshift-cert-manager-operator",
        crds: &[
            "certmanagers.operator.openshift.io",
            "certificaterequests.cert-manager.io",
            "certificates.cert-manager.io",
            "clusterissuers.cert-manager.io",
            "issuers.cert-manager.io",
            "challenges.acme.cert-manager.io",
            "orders.acme.cert-manager.io",
        ],
    },
    File {
        name: "package-nfd",
        crds: &[
            "nodefeaturediscoveries.nfd.openshift.io",
            "nodefeaturerules.nfd.openshift.io",
            "nodefeatures.nfd.openshift.io",
        ],
    },
    File {
        name: "package-gpu-operator-certified",
        crds: &["clusterpolicies.nvidia.com", "nvidiadrivers.nvidia.com"],
    },
    File {
        name: "package-rhcl-operator",
        crds: &[
            "authpolicies.kuadrant.io",
            "dnspolicies.kuadrant.io",
            "kuadrants.kuadrant.io",
            "ratelimitpolicies.kuadrant.io",
            "tlspolicies.kuadrant.io",
            "tokenratelimitpolicies.kuadrant.io",
            "oidcpolicies.extensions.kuadrant.io",
            "planpolicies.extensions.kuadrant.io",
            "telemetrypolicies.extensions.kuadrant.io",
        ],
    },
    File {
        name: "package-authorino-operator",
        crds: &[
            "authconfigs.authorino.kuadrant.io",
            "authorinos.operator.authorino.kuadrant.io",
        ],
    },
    File {
        name: "package-limitador-operator",
        crds: &["limitadors.limitador.kuadrant.io"],
    },
    File {
        name: "package-dns-operator",
        crds: &["dnshealthcheckprobes.kuadrant.io", "dnsrecords.kuadrant.io"],
    },
    File {
        name: "package-leader-worker-set",
        crds: &["leaderworkersetoperators.operator.openshift.io"],
    },
    File {
        name: "package-tempo-product",
        crds: &["tempomonolithics.tempo.grafana.com", "tempostacks.tempo.grafana.com"],
    },
    File {
        name: "package-opentelemetry-product",
        crds: &[
            "instrumentations.opentelemetry.io",
            "opentelemetrycollectors.opentelemetry.io",
        ],
    },
    File {
        name: "package-rhods-operator",
        crds: &[
            "datascienceclusters.datasciencecluster.opendatahub.io",
            "dscinitializations.dscinitialization.opendatahub.io",
            "hardwareprofiles.infrastructure.opendatahub.io",
            "featuretrackers.features.opendatahub.io",
            "dashboards.components.platform.opendatahub.io",
            "datasciencepipelines.components.platform.opendatahub.io",
            "feastoperators.components.platform.opendatahub.io",
            "kserves.components.platform.opendatahub.io",
            "kueues.components.platform.opendatahub.io",
            "llamastackoperators.components.platform.opendatahub.io",
            "mlflowoperators.components.platform.opendatahub.io",
            "modelcontrollers.components.platform.opendatahub.io",
            "modelregistries.components.platform.opendatahub.io",
            "modelsasservices.components.platform.opendatahub.io",
            "rays.components.platform.opendatahub.io",
            "sparkoperators.components.platform.opendatahub.io",
            "trainers.components.platform.opendatahub.io",
            "trainingoperators.components.platform.opendatahub.io",
            "trustyais.components.platform.opendatahub.io",
            "workbenches.components.platform.opendatahub.io",
            "auths.services.platform.opendatahub.io",
            "gatewayconfigs.services.platform.opendatahub.io",
            "monitorings.services.platform.opendatahub.io",
        ],
    },
    File {
        name: "package-cluster-observability-operator",
        crds: &[
            "observabilityinstallers.observability.openshift.io",
            "uiplugins.observability.openshift.io",
            "monitoringstacks.monitoring.rhobs",
            "thanosqueriers.monitoring.rhobs",
            "perses.perses.dev",
            "persesdashboards.perses.dev",
            "persesdatasources.perses.dev",
            "persesglobaldatasources.perses.dev",
        ],
    },
    File {
        name: "package-servicemeshoperator3",
        crds: &[
            "istiocnis.sailoperator.io",
            "istiorevisiontags.sailoperator.io",
            "istios.sailoperator.io",
            "destinationrules.networking.istio.io",
            "envoyfilters.networking.istio.io",
            "serviceentries.networking.istio.io",
            "virtualservices.networking.istio.io",
            "authorizationpolicies.security.istio.io",
            "peerauthentications.security.istio.io",
            "telemetries.telemetry.istio.io",
            "wasmplugins.extensions.istio.io",
        ],
    },
    File {
        name: "package-kueue-operator",
        crds: &["kueues.kueue.openshift.io"],
    },
    File {
        name: "package-grafana-operator",
        crds: &[
            "grafanadashboards.grafana.integreatly.org",
            "grafanadatasources.grafana.integreatly.org",
            "grafanafolders.grafana.integreatly.org",
            "grafanas.grafana.integreatly.org",
        ],
    },
    File {
        name: "package-openshift-gitops-operator",
        crds: &[
            "applications.argoproj.io",
            "appprojects.argoproj.io",
            "argocds.argoproj.io",
            "gitopsservices.pipelines.openshift.io",
        ],
    },
    File {
        name: "package-metallb-operator",
        crds: &[
            "bfdprofiles.metallb.io",
            "bgpadvertisements.metallb.io",
            "bgppeers.metallb.io",
            "communities.metallb.io",
            "ipaddresspools.metallb.io",
            "l2advertisements.metallb.io",
            "metallbs.metallb.io",
        ],
    },
    File {
        name: "component-leader-worker-set-operand",
        crds: &["leaderworkersets.leaderworkerset.x-k8s.io"],
    },
    File {
        name: "component-dashboard",
        crds: &[
            "odhdashboardconfigs.opendatahub.io",
            "odhapplications.dashboard.opendatahub.io",
            "odhdocuments.dashboard.opendatahub.io",
            "odhquickstarts.console.openshift.io",
        ],
    },
    File {
        name: "component-kserve",
        crds: &[
            "clusterservingruntimes.serving.kserve.io",
            "clusterstoragecontainers.serving.kserve.io",
            "inferencegraphs.serving.kserve.io",
            "inferenceservices.serving.kserve.io",
            "llminferenceserviceconfigs.serving.kserve.io",
            "llminferenceservices.serving.kserve.io",
            "servingruntimes.serving.kserve.io",
            "trainedmodels.serving.kserve.io",
            "inferencepools.inference.networking.k8s.io",
            "inferencemodelrewrites.inference.networking.x-k8s.io",
            "inferenceobjectives.inference.networking.x-k8s.io",
            "inferencepoolimports.inference.networking.x-k8s.io",
            "inferencepools.inference.networking.x-k8s.io",
            "accounts.nim.opendatahub.io",
        ],
    },
    File {
        name: "component-modelregistry",
        crds: &["modelregistries.modelregistry.opendatahub.io"],
    },
    File {
        name: "component-mlflow",
        crds: &["mlflows.mlflow.opendatahub.io", "mlflowconfigs.mlflow.kubeflow.org"],
    },
    File {
        name: "component-models-as-a-service",
        crds: &[
            "externalmodels.maas.opendatahub.io",
            "maasauthpolicies.maas.opendatahub.io",
            "maasmodelrefs.maas.opendatahub.io",
            "maassubscriptions.maas.opendatahub.io",
            "tenants.maas.opendatahub.io",
        ],
    },
    File {
        name: "component-kueue-operand",
        crds: &[
            "admissionchecks.kueue.x-k8s.io",
            "clusterqueues.kueue.x-k8s.io",
            "cohorts.kueue.x-k8s.io",
            "localqueues.kueue.x-k8s.io",
            "resourceflavors.kueue.x-k8s.io",
            "workloadpriorityclasses.kueue.x-k8s.io",
        ],
    },
];

/// Where a schema ends: below these paths neither the catalogue nor a simulated operator sets a field, and anything
/// is accepted. `[]` steps into the items of a list.
pub(super) const CUTS: &[(&str, &[&str])] = &[
    (
        "clusterserviceversions.operators.coreos.com",
        &["spec.install.spec.deployments[].spec"],
    ),
    ("istios.sailoperator.io", &["spec.values"]),
    ("istiocnis.sailoperator.io", &["spec.values"]),
    (
        "leaderworkersets.leaderworkerset.x-k8s.io",
        &[
            "spec.leaderWorkerTemplate.leaderTemplate.spec",
            "spec.leaderWorkerTemplate.workerTemplate.spec",
        ],
    ),
    (
        "inferenceservices.serving.kserve.io",
        &["spec.explainer", "spec.predictor", "spec.transformer"],
    ),
    ("clusterservingruntimes.serving.kserve.io", &["spec"]),
    ("servingruntimes.serving.kserve.io", &["spec"]),
    ("argocds.argoproj.io", &["spec"]),
    ("grafanas.grafana.integreatly.org", &["spec"]),
    ("llminferenceserviceconfigs.serving.kserve.io", &["spec"]),
];
