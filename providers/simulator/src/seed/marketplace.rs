//! The marketplace: catalogs, a mirror of one as `oc-mirror` makes it, and what each package offers in which channel (`reference/platform.md` §2.1).
//!
//! Invariant: the versions that the reference pins are in their channels, and where it says why they are pinned, the
//! head of the channel is newer: who approves blindly gets the wrong one (§2.7, §2.18).

use serde_json::{Value, json};

use super::object::{INSTALLED_AT, namespaced};

const NAMESPACE: &str = "openshift-marketplace";

/// A catalog, and the names that people see for it and for who offers it.
const CATALOGS: &[(&str, &str, &str)] = &[
    ("redhat-operators", "Red Hat Operators", "Red Hat"),
    ("certified-operators", "Certified Operators", "Red Hat"),
    ("community-operators", "Community Operators", "Red Hat"),
];

/// Mirrors: what `oc-mirror` calls its catalog, and the catalog whose index it serves. Stacks of clusters without access
/// to the internet name it (`operators.catalogs` of a stack).
const MIRRORS: &[(&str, &str)] = &[("cs-redhat-operator-index", "redhat-operators")];

/// What one package offers. The first channel is the default one; the first entry of a channel is its head.
struct Package {
    name: &'static str,
    catalog: &'static str,
    provider: &'static str,
    channels: &'static [(&'static str, &'static [&'static str])],
}

const fn red_hat(name: &'static str, channels: &'static [(&'static str, &'static [&'static str])]) -> Package {
    Package {
        name,
        catalog: "redhat-operators",
        provider: "Red Hat",
        channels,
    }
}

const PACKAGES: &[Package] = &[
    red_hat(
        "openshift-cert-manager-operator",
        &[
            (
                "stable-v1",
                &[
                    "cert-manager-operator.v1.19.1",
                    "cert-manager-operator.v1.19.0",
                    "cert-manager-operator.v1.18.1",
                ],
            ),
            (
                "stable-v1.18",
                &["cert-manager-operator.v1.18.1", "cert-manager-operator.v1.18.0"],
            ),
        ],
    ),
    red_hat(
        "nfd",
        &[("stable", &["nfd.4.21.0-202608120936", "nfd.4.21.0-202607151002"])],
    ),
    Package {
        name: "gpu-operator-certified",
        catalog: "certified-operators",
        provider: "NVIDIA Corporation",
        channels: &[
            (
                "v26.3",
                &[
                    "gpu-operator-certified.v26.3.3",
                    "gpu-operator-certified.v26.3.2",
                    "gpu-operator-certified.v26.3.0",
                ],
            ),
            (
                "v25.10",
                &["gpu-operator-certified.v25.10.1", "gpu-operator-certified.v25.10.0"],
            ),
            (
                "stable",
                &["gpu-operator-certified.v26.3.3", "gpu-operator-certified.v25.10.1"],
            ),
        ],
    },
    // v1.3.4 is the pin, v1.4.0 breaks MaaS gateways: reference/platform.md §2.7.
    red_hat(
        "rhcl-operator",
        &[(
            "stable",
            &[
                "rhcl-operator.v1.4.1",
                "rhcl-operator.v1.4.0",
                "rhcl-operator.v1.3.5",
                "rhcl-operator.v1.3.4",
                "rhcl-operator.v1.3.3",
            ],
        )],
    ),
    red_hat(
        "authorino-operator",
        &[("stable", &["authorino-operator.v1.3.1", "authorino-operator.v1.3.0"])],
    ),
    red_hat(
        "limitador-operator",
        &[("stable", &["limitador-operator.v1.3.1", "limitador-operator.v1.3.0"])],
    ),
    red_hat(
        "dns-operator",
        &[("stable", &["dns-operator.v1.3.1", "dns-operator.v1.3.0"])],
    ),
    red_hat("leader-worker-set", &[("stable-v1.0", &["leader-worker-set.v1.0.0"])]),
    red_hat(
        "tempo-product",
        &[("stable", &["tempo-operator.v0.20.0-1", "tempo-operator.v0.19.0-3"])],
    ),
    red_hat(
        "opentelemetry-product",
        &[(
            "stable",
            &["opentelemetry-operator.v0.144.0-1", "opentelemetry-operator.v0.140.0-2"],
        )],
    ),
    // The profiles `stable` and `ea`: reference/platform.md §2.10.
    red_hat(
        "rhods-operator",
        &[
            (
                "stable-3.x",
                &[
                    "rhods-operator.3.4.0",
                    "rhods-operator.3.3.2",
                    "rhods-operator.3.3.1",
                    "rhods-operator.3.3.0",
                ],
            ),
            ("stable-3.4", &["rhods-operator.3.4.0"]),
            ("fast-3.x", &["rhods-operator.3.4.0", "rhods-operator.3.3.2"]),
            ("beta", &["rhods-operator.3.4.0-ea.2", "rhods-operator.3.4.0-ea.1"]),
        ],
    ),
    // 1.5.0 breaks the Perses of RHOAI 3.4: reference/platform.md §2.18.
    red_hat(
        "cluster-observability-operator",
        &[(
            "stable",
            &[
                "cluster-observability-operator.v1.5.0",
                "cluster-observability-operator.v1.4.0",
                "cluster-observability-operator.v1.3.1",
            ],
        )],
    ),
    red_hat(
        "kueue-operator",
        &[("stable-v1.3", &["kueue-operator.v1.3.1", "kueue-operator.v1.3.0"])],
    ),
    red_hat(
        "openshift-pipelines-operator-rh",
        &[("latest", &["openshift-pipelines-operator-rh.v1.21.0"])],
    ),
    red_hat(
        "servicemeshoperator3",
        &[
            (
                "stable",
                &["servicemeshoperator3.v3.3.1", "servicemeshoperator3.v3.3.0"],
            ),
            ("stable-3.0", &["servicemeshoperator3.v3.0.8"]),
            ("stable-3.1", &["servicemeshoperator3.v3.1.5"]),
            ("candidates", &["servicemeshoperator3.v3.3.1"]),
        ],
    ),
    red_hat(
        "openshift-gitops-operator",
        &[("latest", &["openshift-gitops-operator.v1.20.0"])],
    ),
    red_hat(
        "metallb-operator",
        &[("stable", &["metallb-operator.v4.21.0-202608120936"])],
    ),
    Package {
        name: "grafana-operator",
        catalog: "community-operators",
        provider: "Grafana Labs",
        channels: &[("v5", &["grafana-operator.v5.23.0", "grafana-operator.v5.22.2"])],
    },
];

pub(super) fn objects() -> Vec<Value> {
    let mut objects = CATALOGS
        .iter()
        .map(|(name, title, publisher)| catalog(name, title, publisher, &index("registry.redhat.io/redhat", name)))
        .collect::<Vec<_>>();
    let mirrors = MIRRORS
        .iter()
        .map(|(name, of)| catalog(name, name, "oc-mirror", &index("mirror.registry.local:8443/redhat", of)));
    objects.extend(mirrors);
    objects.extend(PACKAGES.iter().map(package_manifest));
    // All-namespaces operators go here; the namespace and its group come with the cluster: reference/platform.md §2.1.
    objects.push(namespaced(
        "operators.coreos.com/v1",
        "OperatorGroup",
        "openshift-operators",
        "global-operators",
        json!({
            "spec": {"upgradeStrategy": "Default"}, "status": {"lastUpdated": INSTALLED_AT, "namespaces": [""]},
        }),
    ));
    objects
}

fn index(registry: &str, catalog: &str) -> String {
    format!("{registry}/{}-index:v4.21", catalog.trim_end_matches('s'))
}

fn catalog(name: &str, title: &str, publisher: &str, image: &str) -> Value {
    namespaced(
        "operators.coreos.com/v1alpha1",
        "CatalogSource",
        NAMESPACE,
        name,
        json!({
            "spec": {
                "displayName": title,
                "image": image,
                "priority": -100,
                "publisher": publisher,
                "sourceType": "grpc",
                "updateStrategy": {"registryPoll": {"interval": "10m"}},
            },
            "status": {"connectionState": {
                "address": format!("{name}.{NAMESPACE}.svc:50051"), "lastConnect": INSTALLED_AT, "lastObservedState": "READY",
            }},
        }),
    )
}

fn package_manifest(package: &Package) -> Value {
    let channels = package.channels.iter().map(|(channel, entries)| {
        let entry = |csv: &&str| json!({"name": csv, "version": version_of(csv)});
        let head = entries.first().copied().unwrap_or_default();
        json!({
            "name": channel,
            "currentCSV": head,
            "currentCSVDesc": {"displayName": package.name, "version": version_of(head)},
            "entries": entries.iter().map(entry).collect::<Vec<_>>(),
        })
    });
    let title = CATALOGS
        .iter()
        .find(|(name, ..)| *name == package.catalog)
        .map_or("", |(_, title, _)| title);
    namespaced(
        "packages.operators.coreos.com/v1",
        "PackageManifest",
        NAMESPACE,
        package.name,
        json!({
            "metadata": {"labels": {
                "catalog": package.catalog, "catalog-namespace": NAMESPACE,
            }},
            "spec": {},
            "status": {
                "catalogSource": package.catalog,
                "catalogSourceDisplayName": title,
                "catalogSourceNamespace": NAMESPACE,
                "catalogSourcePublisher": "Red Hat",
                "channels": channels.collect::<Vec<_>>(),
                "defaultChannel": package.channels.first().map_or("", |(channel, _)| channel),
                "packageName": package.name,
                "provider": {"name": package.provider},
            },
        }),
    )
}

/// The version in the name of a CSV: what follows the first dot, without a leading `v`.
fn version_of(csv: &str) -> &str {
    let version = csv.split_once('.').map_or("", |(_, version)| version);
    version.strip_prefix('v').unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csvs(package: &str, channel: &str) -> Vec<&'static str> {
        let package = PACKAGES
            .iter()
            .find(|entry| entry.name == package)
            .expect("the package is offered");
        package
            .channels
            .iter()
            .find(|(name, _)| *name == channel)
            .expect("the channel is there")
            .1
            .to_vec()
    }

    #[test]
    fn a_pin_is_in_its_channel_and_below_the_head() {
        for (package, pin) in [
            ("rhcl-operator", "rhcl-operator.v1.3.4"),
            (
                "cluster-observability-operator",
                "cluster-observability-operator.v1.4.0",
            ),
        ] {
            let csvs = csvs(package, "stable");
            assert!(csvs.iter().position(|csv| *csv == pin).expect("the pin is offered") > 0);
        }
    }

    #[test]
    fn the_profiles_of_openshift_ai_are_the_heads_of_their_channels() {
        assert_eq!(csvs("rhods-operator", "stable-3.x")[0], "rhods-operator.3.4.0");
        assert_eq!(csvs("rhods-operator", "beta")[0], "rhods-operator.3.4.0-ea.2");
    }

    #[test]
    fn a_version_is_read_from_the_name_of_a_csv() {
        assert_eq!(version_of("rhcl-operator.v1.3.4"), "1.3.4");
        assert_eq!(version_of("rhods-operator.3.4.0-ea.2"), "3.4.0-ea.2");
    }
}
