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
        digest: "sha256:e40c2b81a9a83339d370ae3b5a00a8a33fdfbdf3aa1f90fce4a1c4a294dbc1dc",
        namespace: None,
    },
    Bundle {
        name: "metallb",
        module: "go.universe.tf/metallb",
        version: "v0.14.9",
        files: "config/manifests/metallb-native.yaml",
        digest: "sha256:141701a0bbf43d46713f1a70b0d879a2f58038270ab375c68f98f5b2410f0a18",
        namespace: None,
    },
    Bundle {
        name: "argo-rollouts",
        module: "github.com/argoproj/argo-rollouts",
        version: "v1.8.3",
        files: "manifests/install.yaml",
        digest: "sha256:e8e845d3d75a08b044d04f8b45c92f8bd7f7e0f01c5166727d8fb7d514ef6a57",
        namespace: Some("argo-rollouts"),
    },
    Bundle {
        name: "gatekeeper",
        module: "github.com/open-policy-agent/gatekeeper/v3",
        version: "v3.18.2",
        files: "deploy/gatekeeper.yaml",
        digest: "sha256:4b39f5388daa631ec4830b59b1c5b04fdc7788bdfede924e095951398a1a113f",
        namespace: None,
    },
    Bundle {
        name: "cloudnative-pg",
        module: "github.com/cloudnative-pg/cloudnative-pg",
        version: "v1.25.1",
        files: "releases/cnpg-1.25.1.yaml",
        digest: "sha256:7ddbe0e9f0ec62cf7fab1ba54000b85cd1f0805d24a519b13802daf70246b830",
        namespace: None,
    },
    Bundle {
        name: "tekton-pipelines",
        module: "github.com/tektoncd/pipeline",
        version: "v0.68.0",
        files: "config/**/*.yaml",
        digest: "sha256:71e8359cd2fe97d3b0a4b681734a6e8af895855e73676272f32914e2cce76180",
        namespace: None,
    },
    Bundle {
        name: "argo-cd",
        module: "github.com/argoproj/argo-cd/v2",
        version: "v2.14.11",
        files: "manifests/install.yaml",
        digest: "sha256:3262127f37a80b2ee18ecc914f97997fe76e37ad6b7b7398699f78db7253dc30",
        namespace: Some("argocd"),
    },
];
