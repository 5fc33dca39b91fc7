//! Which bundles there are, where each comes from, and how its project says to install it.

/// One bundle.
#[derive(Debug)]
pub(super) struct Bundle {
    /// A short name of the project.
    pub(super) name: &'static str,
    /// The Go module that carries it.
    pub(super) module: &'static str,
    /// The module's version.
    pub(super) version: &'static str,
    /// Its files, as a pattern below the module's folder.
    pub(super) files: &'static str,
    /// The digest of the files: see `fetch`.
    pub(super) digest: &'static str,
    /// The namespace that its instructions apply it into, where it makes none itself.
    pub(super) namespace: Option<&'static str>,
}

/// All of them: definitions alone, operators with webhooks, aggregated roles, many files, and what is applied into a
/// namespace that the instructions make first.
pub(super) const BUNDLES: &[Bundle] = &[
    Bundle {
        name: "gateway-api",
        module: "sigs.k8s.io/gateway-api",
        version: "v1.4.1",
        files: "config/crd/standard/*.yaml",
        digest: "",
        namespace: None,
    },
    Bundle {
        name: "metallb",
        module: "go.universe.tf/metallb",
        version: "v0.14.9",
        files: "config/manifests/metallb-native.yaml",
        digest: "",
        namespace: None,
    },
    Bundle {
        name: "argo-rollouts",
        module: "github.com/argoproj/argo-rollouts",
        version: "v1.8.3",
        files: "manifests/install.yaml",
        digest: "",
        namespace: Some("argo-rollouts"),
    },
    Bundle {
        name: "gatekeeper",
        module: "github.com/open-policy-agent/gatekeeper/v3",
        version: "v3.18.2",
        files: "deploy/gatekeeper.yaml",
        digest: "",
        namespace: None,
    },
    Bundle {
        name: "cloudnative-pg",
        module: "github.com/cloudnative-pg/cloudnative-pg",
        version: "v1.25.1",
        files: "releases/cnpg-1.25.1.yaml",
        digest: "",
        namespace: None,
    },
    Bundle {
        name: "tekton-pipelines",
        module: "github.com/tektoncd/pipeline",
        version: "v0.68.0",
        files: "config/**/*.yaml",
        digest: "",
        namespace: None,
    },
    Bundle {
        name: "argo-cd",
        module: "github.com/argoproj/argo-cd/v2",
        version: "v2.14.11",
        files: "manifests/install.yaml",
        digest: "",
        namespace: Some("argocd"),
    },
];
