//! What was read about the cluster, as the catalogue uses it.
//!
//! Invariant: everything the stack needs is here and fits the stack, or [`ClusterFacts::parse`] says all that does not.

use super::{
    PIPELINES, PIPELINES_CHANNEL, SERVICE_MESH, has_gateway_policies, has_users, key, makes_certificates,
    makes_machines,
};
use crate::stack::{OpenShift, Platform, Tls};
use miette::Diagnostic;
use serde_json::Value;
use stackctl_engine::facts::Facts;

/// What was read about the cluster, as the catalogue uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterFacts {
    /// The domain of what is served through the router.
    pub apps_domain: String,
    /// What only a stack with MachineSets needs.
    pub aws: Option<AwsFacts>,
    /// The domain of the cluster; present when the stack makes certificates for it.
    pub base_domain: Option<String>,
    /// The region; present when the stack writes DNS records.
    pub region: Option<String>,
    /// The Secret in `openshift-ingress` that gateways present.
    pub tls_secret: String,
    /// The ConfigMap in `openshift-config` with the authorities that the cluster trusts.
    pub trusted_bundle: String,
    /// The Secret in `openshift-config` that users are written to; present when the stack has users.
    pub htpasswd_secret: Option<String>,
    /// Node Feature Discovery, as the marketplace offers it; present when the stack has GPU pools.
    pub nfd: Option<PackageVersion>,
    /// The NVIDIA GPU operator, as the marketplace offers it; present when the stack has GPU pools.
    pub gpu_operator: Option<PackageVersion>,
    /// OpenShift Pipelines, as the marketplace offers it; present when the stack asks for it.
    pub pipelines: Option<PackageVersion>,
    /// Service Mesh 3, as the marketplace offers it; present when the stack asks for it.
    pub service_mesh: Option<PackageVersion>,
}

/// What a MachineSet on AWS is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsFacts {
    /// The name that the installer gave to what it made.
    pub infrastructure: String,
    /// The region.
    pub region: String,
    /// The machine image of the workers.
    pub ami: String,
}

/// A version of an operator in a channel of the marketplace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageVersion {
    /// The channel.
    pub channel: String,
    /// The ClusterServiceVersion that the channel is at.
    pub csv: String,
}

/// Why the facts do not serve the stack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum FactError {
    /// A fact that the stack needs was not found.
    #[error("fact `{key}` is not known, and the stack needs it")]
    #[diagnostic(
        code(STK200),
        help("a cluster has it in {source_text}; into a file of `--facts` write `\"{key}\": …` (docs/facts.md)")
    )]
    Missing {
        /// The key of the fact.
        key: String,
        /// Where it is read.
        source_text: String,
    },
    /// The version of OpenShift is not one that the stack accepts.
    #[error("the cluster runs OpenShift {found}, and the stack accepts {wanted}")]
    #[diagnostic(code(STK201), help("upgrade the cluster, or change `cluster.openshift`"))]
    Version {
        /// What the cluster runs.
        found: String,
        /// What the stack accepts.
        wanted: String,
    },
    /// The apps domain is not the one that the stack names.
    #[error("the cluster serves {found}, and the stack is for {wanted}")]
    #[diagnostic(code(STK202), help("this is another cluster, or `cluster.apps_domain` is wrong"))]
    AppsDomain {
        /// The domain of the cluster.
        found: String,
        /// The domain in the stack.
        wanted: String,
    },
    /// The stack says AWS and the cluster says something else.
    #[error("the stack is for AWS, and the cluster runs on {found}")]
    #[diagnostic(code(STK203), help("write `platform = \"none\"` in `[cluster]`"))]
    Platform {
        /// What the cluster runs on.
        found: String,
    },
    /// The version that the stack starts with is not in its channel.
    #[error("`{csv}` is not in channel `{channel}` of package `{package}`")]
    #[diagnostic(code(STK204), help("the channel has {}", offered.join(", ")))]
    NotInChannel {
        /// The version.
        csv: String,
        /// The channel.
        channel: String,
        /// The package.
        package: String,
        /// What the channel has.
        offered: Vec<String>,
    },
    /// Certificates would be for another domain than that of the apps.
    #[error("the apps domain `{apps}` is not below `{base}`, the domain of the cluster")]
    #[diagnostic(
        code(STK208),
        help("certificates are made for both; with an apps domain of its own, bring one: `issuer = \"existing\"`")
    )]
    Domains {
        /// The domain of the cluster.
        base: String,
        /// The domain of the apps.
        apps: String,
    },
    /// The document that users are written to is not one (`reference/serving.md` §1.14, §5.3 I3).
    #[error("users log in by an HTPasswd identity provider, and the cluster has {found}")]
    #[diagnostic(
        code(STK210),
        help("make one identity provider of type HTPasswd in OAuth cluster, or leave `[[maas.users]]` out")
    )]
    HtpasswdProviders {
        /// How many there are, in words.
        found: String,
    },
    /// Both generations of MaaS would be on one gateway (`reference/serving.md` §1.11, §5.2 P21).
    #[error("MaaS with subscriptions is switched on in the cluster, and the stack has policies on its gateway")]
    #[diagnostic(
        code(STK209),
        help(
            "write `mode = \"subscriptions\"` in `[maas]`, or set `modelsAsService` of DataScienceCluster default-dsc to Removed first"
        )
    )]
    BothGenerations,
    /// The package has no such channel.
    #[error("package `{package}` has no channel `{channel}`")]
    #[diagnostic(code(STK205), help("it has {}", offered.join(", ")))]
    NoChannel {
        /// The channel.
        channel: String,
        /// The package.
        package: String,
        /// The channels that it has.
        offered: Vec<String>,
    },
}

impl ClusterFacts {
    /// Parses the facts that a stack needs.
    ///
    /// # Errors
    /// Every fact that is missing or does not fit the stack.
    pub fn parse(stack: &OpenShift, facts: &Facts) -> Result<Self, Vec<FactError>> {
        let mut reader = Reader {
            facts,
            errors: Vec::new(),
        };
        let apps_domain = reader.text(key::APPS_DOMAIN);
        reader.check(stack);
        let aws = makes_machines(stack).then(|| AwsFacts {
            infrastructure: reader.text(key::INFRASTRUCTURE),
            region: reader.text(key::REGION),
            ami: reader.text(key::AMI),
        });
        let tls_secret = tls_secret(&stack.tls, facts.text(key::ROUTER_CERTIFICATE)).to_owned();
        let htpasswd_secret = has_users(stack).then(|| reader.htpasswd_secret());
        if has_gateway_policies(stack) && facts.text(key::MODELS_AS_A_SERVICE) == Some("Managed") {
            reader.errors.push(FactError::BothGenerations);
        }
        let base_domain = makes_certificates(stack).then(|| reader.base_domain(&apps_domain));
        let region = matches!(stack.tls, Tls::LetsEncrypt { .. }).then(|| reader.text(key::REGION));
        let trusted = facts.text(key::TRUSTED_BUNDLE).filter(|name| !name.is_empty());
        let trusted_bundle = trusted.unwrap_or(USER_BUNDLE).to_owned();
        let has_gpus = !stack.gpu.is_empty();
        let nfd = has_gpus.then(|| reader.current("nfd"));
        let gpu_operator = has_gpus.then(|| reader.current("gpu-operator-certified"));
        let operators = &stack.operators;
        let pipelines = operators
            .pipelines
            .then(|| reader.at_head(PIPELINES, PIPELINES_CHANNEL));
        let service_mesh = operators
            .service_mesh
            .as_ref()
            .map(|channel| reader.at_head(SERVICE_MESH, channel.as_str()));
        reader.offers("rhods-operator", stack.rhoai.channel.as_str(), stack.rhoai.csv.as_str());
        if reader.errors.is_empty() {
            Ok(Self {
                apps_domain,
                aws,
                base_domain,
                region,
                tls_secret,
                trusted_bundle,
                htpasswd_secret,
                nfd,
                gpu_operator,
                pipelines,
                service_mesh,
            })
        } else {
            Err(reader.errors)
        }
    }
}

/// The Secret that the router makes for itself when no other certificate is set (`reference/serving.md` §1.6).
const ROUTER_DEFAULT: &str = "router-certs-default";

/// The Secret of the certificate that a stack makes for the apps domain (`reference/platform.md` §2.3).
const INGRESS_SECRET: &str = "ingress-certs";
/// Where a cluster's own authorities usually are (`reference/platform.md` §2.4).
const USER_BUNDLE: &str = "user-ca-bundle";

/// The Secret in `openshift-ingress` that gateways present; `router` is the router's own, where it has one.
pub(crate) fn tls_secret<'a>(tls: &'a Tls, router: Option<&'a str>) -> &'a str {
    match tls {
        Tls::Existing { secret: Some(secret) } => secret.as_str(),
        Tls::Existing { secret: None } => router.unwrap_or(ROUTER_DEFAULT),
        Tls::LetsEncrypt { .. } | Tls::LocalCa { .. } => INGRESS_SECRET,
    }
}

struct Reader<'a> {
    facts: &'a Facts,
    errors: Vec<FactError>,
}

impl Reader<'_> {
    /// The text of a fact; what is missing is noted, and the empty text goes nowhere because of it.
    fn text(&mut self, key: &str) -> String {
        match self.facts.text(key).filter(|text| !text.is_empty()) {
            Some(text) => text.to_owned(),
            None => {
                self.missing(key);
                String::new()
            }
        }
    }

    fn missing(&mut self, key: &str) {
        let source_text = self.facts.iter().find(|(known, _)| *known == key).map_or_else(
            || "the place that docs/facts.md says".to_owned(),
            |(_, fact)| fact.source.clone(),
        );
        self.errors.push(FactError::Missing {
            key: key.to_owned(),
            source_text,
        });
    }

    fn check(&mut self, stack: &OpenShift) {
        let version = self.text(key::OPENSHIFT);
        if !version.is_empty() && !stack.cluster.openshift.accepts(&version) {
            self.errors.push(FactError::Version {
                found: version,
                wanted: stack.cluster.openshift.to_string(),
            });
        }
        if let (Some(found), Some(wanted)) = (self.facts.text(key::APPS_DOMAIN), &stack.cluster.apps_domain)
            && found != wanted.as_str()
        {
            self.errors.push(FactError::AppsDomain {
                found: found.to_owned(),
                wanted: wanted.to_string(),
            });
        }
        // reference/platform.md §4 G08: a wrong platform misconfigures without a word.
        if let (Platform::Aws, Some(found)) = (stack.cluster.platform, self.facts.text(key::PLATFORM))
            && found != "AWS"
        {
            self.errors.push(FactError::Platform {
                found: found.to_owned(),
            });
        }
    }

    /// Where the one identity provider that reads lines of users keeps them.
    fn htpasswd_secret(&mut self) -> String {
        let providers = self.facts.get(key::IDENTITY_PROVIDERS).and_then(Value::as_array);
        let mut documents = providers
            .into_iter()
            .flatten()
            .filter(|provider| provider["type"] == "HTPasswd")
            .filter_map(|provider| provider.pointer("/htpasswd/fileData/name")?.as_str());
        match (documents.next(), documents.count()) {
            (Some(name), 0) => return name.to_owned(),
            (None, _) => self.errors.push(FactError::HtpasswdProviders {
                found: "none".to_owned(),
            }),
            (Some(_), more) => self.errors.push(FactError::HtpasswdProviders {
                found: format!("{} of them: it is not clear which", more + 1),
            }),
        }
        String::new()
    }

    fn channel_list(&mut self, package: &str) -> Vec<Value> {
        let key = key::channels(package);
        match self.facts.get(&key).and_then(Value::as_array) {
            Some(channels) => channels.clone(),
            None => {
                self.missing(&key);
                Vec::new()
            }
        }
    }

    /// The domain of the cluster, which certificates are for. With another than that of the apps a challenge fails
    /// without a word (`reference/platform.md` §4 G05).
    fn base_domain(&mut self, apps_domain: &str) -> String {
        let base = self.text(key::BASE_DOMAIN);
        if !base.is_empty() && !apps_domain.is_empty() && *apps_domain != format!("apps.{base}") {
            self.errors.push(FactError::Domains {
                base: base.clone(),
                apps: apps_domain.to_owned(),
            });
        }
        base
    }

    /// What a channel of a package is at.
    fn at_head(&mut self, package: &str, channel: &str) -> PackageVersion {
        let channels = self.channel_list(package);
        let csv = channels
            .iter()
            .find(|one| one["name"] == channel)
            .and_then(|one| one["currentCSV"].as_str());
        if csv.is_none() && !channels.is_empty() {
            self.errors.push(FactError::NoChannel {
                channel: channel.to_owned(),
                package: package.to_owned(),
                offered: names(&channels),
            });
        }
        PackageVersion {
            channel: channel.to_owned(),
            csv: csv.unwrap_or_default().to_owned(),
        }
    }

    /// What the default channel of a package is at (`reference/platform.md` §1).
    fn current(&mut self, package: &str) -> PackageVersion {
        let channel = self.text(&key::default_channel(package));
        let channels = self.channel_list(package);
        let csv = channels
            .iter()
            .find(|one| one["name"] == channel.as_str())
            .and_then(|one| one["currentCSV"].as_str());
        if csv.is_none() && !channel.is_empty() && !channels.is_empty() {
            self.errors.push(FactError::NoChannel {
                channel: channel.clone(),
                package: package.to_owned(),
                offered: names(&channels),
            });
        }
        PackageVersion {
            csv: csv.unwrap_or_default().to_owned(),
            channel,
        }
    }

    /// A pin that its channel does not have would leave the Subscription with `ResolutionFailed`
    /// (`reference/platform.md` §4 G32).
    fn offers(&mut self, package: &str, channel: &str, csv: &str) {
        let channels = self.channel_list(package);
        if channels.is_empty() {
            return;
        }
        let Some(found) = channels.iter().find(|one| one["name"] == channel) else {
            self.errors.push(FactError::NoChannel {
                channel: channel.to_owned(),
                package: package.to_owned(),
                offered: names(&channels),
            });
            return;
        };
        // Older marketplaces list only the head of a channel: then nothing is known about the versions below it.
        let Some(entries) = found["entries"].as_array() else {
            return;
        };
        let offered: Vec<String> = entries
            .iter()
            .filter_map(|entry| entry["name"].as_str().map(str::to_owned))
            .collect();
        if !offered.iter().any(|name| name == csv) {
            self.errors.push(FactError::NotInChannel {
                csv: csv.to_owned(),
                channel: channel.to_owned(),
                package: package.to_owned(),
                offered,
            });
        }
    }
}

fn names(channels: &[Value]) -> Vec<String> {
    channels
        .iter()
        .filter_map(|channel| channel["name"].as_str().map(str::to_owned))
        .collect()
}
