//! Which facts the catalogue needs of a cluster, as data, and what it makes of the answers.
//!
//! In: a [`Stack`] says what has to be read ([`wanted`]); the shell fetches objects and lets each request pick its answer
//! ([`FactRequest::answer`]). Out: [`ClusterFacts`], parsed once, which the components use.
//!
//! Invariants:
//! - Nothing here asks the cluster; a request is a value.
//! - No fact holds the bytes of a secret: of the pull secret only the names of its registries leave
//!   [`FactRequest::answer`], of a certificate's Secret only what a [`Certificate`] says.
//! - No fact comes from an object of a stack: such objects never count as an answer.

mod certificate;
mod parse;
mod request;
mod stand_in;

pub use certificate::{Certificate, Issuer};
pub use parse::{AwsFacts, ClusterFacts, FactError, PackageVersion};
pub use request::{FactRead, FactRequest, Take};

use crate::stack::{MaasMode, OpenShift, Platform, Provision, Stack, Tls};
pub(crate) use parse::tls_secret;
use request::column;
pub(crate) use request::request;
use stackctl_engine::{FieldPath, ObjectRef, ObjectType, facts::Holding};
pub use stand_in::stand_ins;

/// The keys of the facts.
pub mod key {
    /// The uid of namespace `kube-system`: what tells one cluster from another.
    pub const CLUSTER_ID: &str = "cluster.id";
    /// The id that the cluster has for its vendor.
    pub const CLUSTER_VERSION_ID: &str = "cluster.version-id";
    /// The version of OpenShift.
    pub const OPENSHIFT: &str = "cluster.openshift";
    /// What the cluster runs on.
    pub const PLATFORM: &str = "cluster.platform";
    /// The region of the cloud.
    pub const REGION: &str = "cluster.region";
    /// The name that the installer gave to what it made in the cloud.
    pub const INFRASTRUCTURE: &str = "cluster.infrastructure";
    /// The domain of the cluster.
    pub const BASE_DOMAIN: &str = "cluster.base-domain";
    /// The domain of what is served through the router.
    pub const APPS_DOMAIN: &str = "cluster.apps-domain";
    /// The machine image of the workers.
    pub const AMI: &str = "cluster.worker-ami";
    /// The StorageClass for claims that name none.
    pub const STORAGE_CLASS: &str = "cluster.default-storage-class";
    /// The registries of the global pull secret, by name.
    pub const REGISTRIES: &str = "cluster.pull-secret-registries";
    /// The Secret of the router's certificate, where it has one of its own.
    pub const ROUTER_CERTIFICATE: &str = "cluster.router-certificate";
    /// The ConfigMap with the certificate authorities that the cluster trusts, where one is named.
    pub const TRUSTED_BUNDLE: &str = "cluster.trusted-bundle";
    /// How people log in.
    pub const IDENTITY_PROVIDERS: &str = "cluster.identity-providers";
    /// Whether the generation of subscriptions is switched on.
    pub const MODELS_AS_A_SERVICE: &str = "cluster.models-as-a-service";
    /// How cloud credentials are made.
    pub const CREDENTIALS_MODE: &str = "cluster.credentials-mode";

    /// The facts that are a text. [`REGISTRIES`], [`IDENTITY_PROVIDERS`] and [`channels`] are lists.
    pub const TEXTS: [&str; 14] = [
        CLUSTER_ID,
        CLUSTER_VERSION_ID,
        OPENSHIFT,
        PLATFORM,
        REGION,
        INFRASTRUCTURE,
        BASE_DOMAIN,
        APPS_DOMAIN,
        AMI,
        STORAGE_CLASS,
        ROUTER_CERTIFICATE,
        TRUSTED_BUNDLE,
        MODELS_AS_A_SERVICE,
        CREDENTIALS_MODE,
    ];

    /// The default channel of a package.
    pub fn default_channel(package: &str) -> String {
        format!("package[{package}].default-channel")
    }

    /// The channels of a package, with the version each is at.
    pub fn channels(package: &str) -> String {
        format!("package[{package}].channels")
    }
}

/// The namespace of the package manifests (`reference/platform.md` §1).
const MARKETPLACE: &str = "openshift-marketplace";

/// The package of OpenShift Pipelines, and its channel (`reference/platform.md` §2.1).
const PIPELINES: &str = "openshift-pipelines-operator-rh";
const PIPELINES_CHANNEL: &str = "latest";
/// The package of Service Mesh 3 (`reference/platform.md` §2.1).
const SERVICE_MESH: &str = "servicemeshoperator3";

/// Which facts a stack needs, in the order of their keys.
pub fn wanted(stack: &Stack) -> Vec<FactRequest> {
    let Some(stack) = &stack.openshift else {
        return Vec::new();
    };
    // Sources of every row: reference/platform.md §1.
    let config = |kind: &str, name: &str| ObjectRef::cluster("config.openshift.io/v1", kind, name);
    let mut wanted = vec![
        request(
            key::CLUSTER_ID,
            FactRead::Object(ObjectRef::cluster("v1", "Namespace", "kube-system")),
            "metadata.uid",
            Holding::Live,
        ),
        request(
            key::CLUSTER_VERSION_ID,
            FactRead::Object(config("ClusterVersion", "version")),
            "spec.clusterID",
            Holding::Live,
        ),
        request(
            key::OPENSHIFT,
            FactRead::Object(config("ClusterVersion", "version")),
            "status.desired.version",
            Holding::Live,
        ),
        request(
            key::PLATFORM,
            FactRead::Object(config("Infrastructure", "cluster")),
            "status.platform",
            Holding::Live,
        ),
        request(
            key::BASE_DOMAIN,
            FactRead::Object(config("DNS", "cluster")),
            "spec.baseDomain",
            Holding::Live,
        ),
        request(
            key::APPS_DOMAIN,
            FactRead::Object(config("Ingress", "cluster")),
            "spec.domain",
            Holding::Live,
        ),
        request(
            key::STORAGE_CLASS,
            FactRead::FirstAnnotated {
                of: ObjectType::new("storage.k8s.io/v1", "StorageClass"),
                namespace: None,
                // https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass
                annotation: "storageclass.kubernetes.io/is-default-class".to_owned(),
                value: "true".to_owned(),
            },
            "metadata.name",
            Holding::Live,
        ),
        FactRequest {
            take: Take::KeysOfDecoded {
                at: FieldPath::of(r#"data[".dockerconfigjson"]"#),
                inside: FieldPath::of("auths"),
            },
            ..request(
                key::REGISTRIES,
                FactRead::Object(ObjectRef::namespaced("v1", "Secret", "openshift-config", "pull-secret")),
                r#"data[".dockerconfigjson"] → .auths, names only"#,
                Holding::Live,
            )
        },
    ];
    // Looked at every time: the version that the stack starts with has to be in its channel.
    wanted.push(channels("rhods-operator", Holding::Live));
    if !stack.gpu.is_empty() {
        for package in ["nfd", "gpu-operator-certified"] {
            wanted.extend([default_channel(package), channels(package, Holding::Pinned)]);
        }
    }
    if stack.operators.pipelines {
        wanted.push(channels(PIPELINES, Holding::Pinned));
    }
    if stack.operators.service_mesh.is_some() {
        wanted.push(channels(SERVICE_MESH, Holding::Pinned));
    }
    if matches!(stack.tls, Tls::LocalCa { .. }) || stack.trusted_ca.is_some() {
        // Pinned: the stack sets the very field, to the name that was there or to the usual one.
        wanted.push(request(
            key::TRUSTED_BUNDLE,
            FactRead::Object(config("Proxy", "cluster")),
            "spec.trustedCA.name",
            Holding::Pinned,
        ));
    }
    if has_users(stack) {
        wanted.push(FactRequest {
            take: column("spec.identityProviders", &["name", "type", "htpasswd"]),
            ..request(
                key::IDENTITY_PROVIDERS,
                FactRead::Object(config("OAuth", "cluster")),
                "spec.identityProviders",
                Holding::Live,
            )
        });
    }
    if has_gateway_policies(stack) {
        wanted.push(request(
            key::MODELS_AS_A_SERVICE,
            FactRead::Object(ObjectRef::cluster(
                "datasciencecluster.opendatahub.io/v2",
                "DataScienceCluster",
                "default-dsc",
            )),
            "spec.components.kserve.modelsAsService.managementState",
            Holding::Live,
        ));
    }
    if stack.cluster.platform == Platform::Aws {
        wanted.push(credentials_mode());
        wanted.push(request(
            key::REGION,
            FactRead::Object(config("Infrastructure", "cluster")),
            "status.platformStatus.aws.region",
            Holding::Live,
        ));
    }
    if makes_machines(stack) {
        wanted.push(request(
            key::INFRASTRUCTURE,
            FactRead::Object(config("Infrastructure", "cluster")),
            "status.infrastructureName",
            Holding::Live,
        ));
        wanted.push(request(
            key::AMI,
            FactRead::First {
                of: ObjectType::new("machine.openshift.io/v1beta1", "MachineSet"),
                namespace: Some("openshift-machine-api".to_owned()),
            },
            "spec.template.spec.providerSpec.value.ami.id",
            Holding::Pinned,
        ));
    }
    if matches!(stack.tls, Tls::Existing { secret: None }) {
        // reference/serving.md §7 row 1: the IngressController's own certificate, else the router's default.
        wanted.push(request(
            key::ROUTER_CERTIFICATE,
            FactRead::Object(ObjectRef::namespaced(
                "operator.openshift.io/v1",
                "IngressController",
                "openshift-ingress-operator",
                "default",
            )),
            "spec.defaultCertificate.name",
            Holding::Pinned,
        ));
    }
    wanted.sort_by(|a, b| a.key.cmp(&b.key));
    wanted
}

/// Whether a stack has users that log in with a password.
pub(crate) fn has_users(stack: &OpenShift) -> bool {
    stack.maas.as_ref().is_some_and(|maas| !maas.users.is_empty())
}

/// Whether a stack has policies of the older generation on the gateway of MaaS.
pub(crate) fn has_gateway_policies(stack: &OpenShift) -> bool {
    let mode = stack.maas.as_ref().map(|maas| &maas.mode);
    matches!(mode, Some(MaasMode::GatewayPolicies(_)))
}

/// How cloud credentials are made.
pub(crate) fn credentials_mode() -> FactRequest {
    request(
        key::CREDENTIALS_MODE,
        FactRead::Object(ObjectRef::cluster(
            "operator.openshift.io/v1",
            "CloudCredential",
            "cluster",
        )),
        "spec.credentialsMode",
        Holding::Live,
    )
}

/// Whether a stack makes MachineSets.
pub(crate) fn makes_machines(stack: &OpenShift) -> bool {
    stack
        .gpu
        .iter()
        .any(|pool| matches!(pool.provision, Provision::MachineSets(_)))
}

/// Whether a stack makes certificates for the cluster's own hosts.
pub(crate) fn makes_certificates(stack: &OpenShift) -> bool {
    match stack.tls {
        Tls::LetsEncrypt { .. } | Tls::LocalCa { .. } => true,
        Tls::Existing { .. } => false,
    }
}

/// Which channel of a package is the default; resolved once, like the version in it.
fn default_channel(package: &str) -> FactRequest {
    request(
        &key::default_channel(package),
        manifest(package),
        "status.defaultChannel",
        Holding::Pinned,
    )
}

/// The channels of a package. Not all of each: a channel carries the description and the icon of its operator.
fn channels(package: &str, holding: Holding) -> FactRequest {
    FactRequest {
        take: column("status.channels", &["name", "currentCSV", "entries"]),
        ..request(&key::channels(package), manifest(package), "status.channels", holding)
    }
}

fn manifest(package: &str) -> FactRead {
    FactRead::Object(ObjectRef::namespaced(
        "packages.operators.coreos.com/v1",
        "PackageManifest",
        MARKETPLACE,
        package,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::tests::{EXTERNAL_MODELS, GATEWAY_POLICIES, QUICKSTART, stack_of};

    /// Asks for what the examples do not.
    const REST: &str = "[stack]\nname = \"rest\"\n[cluster]\nplatform = \"aws\"\n[tls]\nissuer = \"local-ca\"\n\
                        [operators]\npipelines = true\nservice_mesh = \"stable\"\n";

    #[test]
    fn the_page_of_facts_has_every_fact_with_its_place_and_how_it_is_held() {
        let page = include_str!("../../../docs/facts.md");
        let mut n_looked = 0;
        for text in [QUICKSTART, EXTERNAL_MODELS, GATEWAY_POLICIES, REST] {
            for request in wanted(&stack_of(text)) {
                let row = format!("| `{}` |", request.key);
                let row = page.lines().find(|line| line.starts_with(&row));
                let row = row.unwrap_or_else(|| panic!("docs/facts.md has no row of `{}`", request.key));
                let held = match request.holding {
                    Holding::Live => "| live |",
                    Holding::Pinned => "| pinned |",
                };
                assert!(row.contains(&request.source), "{row}: `{}`", request.source);
                assert!(row.contains(held), "{row}: {held}");
                n_looked += 1;
            }
        }
        assert!(n_looked > 40, "{n_looked}");
        for key in key::TEXTS {
            assert!(page.contains(&format!("| `{key}` |")), "{key}");
        }
    }
}
