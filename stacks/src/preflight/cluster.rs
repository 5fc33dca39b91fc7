//! Checks of the cluster as a whole: its version, our rights, what it runs on, its domains.

use super::{Evidence, Listing, Outcome, Reading, evidence::listed};
use crate::{
    cluster_facts::{key, makes_certificates},
    stack::{GatewayExposure, MaasExposure, OpenShift, Platform, Tls},
};

/// The first version that OpenShift AI 3.4 runs on, the first with the gateway controller of models, and the tested one
/// (`reference/platform.md` §7 D01, D02; §4 G44).
const OLDEST: (u32, u32) = (4, 19);
const OLDEST_FOR_MODELS: (u32, u32) = (4, 20);
const TESTED: (u32, u32) = (4, 21);

pub(super) fn openshift_version(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let (version, source) = evidence.text(key::OPENSHIFT)?;
    let Some((version, minor)) = version.and_then(|version| Some((version, minor_of(version)?))) else {
        let found = "the cluster does not say a version of OpenShift";
        let remedy = "use another `--context`: stacks with a platform need OpenShift; `[[manifests]]` alone do not";
        return Ok(Outcome::fail(found, source, remedy));
    };
    let found = format!("OpenShift {version}");
    let wanted = &stack.cluster.openshift;
    Ok(if minor < OLDEST {
        let found = format!("{found}; OpenShift AI 3 needs 4.19");
        Outcome::fail(found, source, "upgrade the cluster, best to 4.21")
    } else if minor < OLDEST_FOR_MODELS && !stack.models.is_empty() {
        let found = format!("{found}; models need the gateway controller of 4.20");
        Outcome::fail(found, source, "upgrade the cluster, best to 4.21")
    } else if !wanted.accepts(version) {
        let found = format!("{found}; the stack accepts {wanted}");
        Outcome::fail(found, source, "upgrade the cluster, or change `cluster.openshift`")
    } else if minor != TESTED {
        let found = format!("{found}; 4.21 is the one that is tested");
        Outcome::warn(found, source, "try the stack on a cluster that may break first")
    } else {
        Outcome::pass(found, source)
    })
}

/// The first two numbers of a version.
fn minor_of(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-', '+']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

pub(super) fn cluster_admin(_: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    const SOURCE: &str = "SelfSubjectAccessReview verb * resource * in all namespaces";
    Ok(if evidence.is_admin.clone()? {
        Outcome::pass("we may do everything", SOURCE)
    } else {
        let remedy = "use an account with cluster-admin: `oc adm policy add-cluster-role-to-user cluster-admin USER`";
        Outcome::fail("we may not do everything", SOURCE, remedy)
    })
}

/// A wrong platform misconfigures without a word (`reference/platform.md` §4 G08).
pub(super) fn platform(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let (found, source) = evidence.text(key::PLATFORM)?;
    let found = found.unwrap_or("nothing that is named");
    Ok(match (stack.cluster.platform, found) {
        (Platform::Aws, "AWS") => Outcome::pass("AWS, as the stack says", source),
        (Platform::Aws, _) => Outcome::fail(
            format!("the cluster runs on {found}, and the stack is for AWS"),
            source,
            "write `platform = \"none\"` in `[cluster]`, or use another `--context`",
        ),
        (Platform::None, "AWS") => Outcome::warn(
            "the cluster runs on AWS, and the stack uses no cloud",
            source,
            "write `platform = \"aws\"` in `[cluster]` for machines and certificates made through AWS",
        ),
        (Platform::None, _) => Outcome::pass(format!("{found}; the stack uses no cloud"), source),
    })
}

/// In mode Manual nobody answers a CredentialsRequest (`reference/platform.md` §4 G07).
pub(super) fn credentials(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let (mode, source) = evidence.text(key::CREDENTIALS_MODE)?;
    let asks = stack.cluster.platform == Platform::Aws && matches!(stack.tls, Tls::LetsEncrypt { .. });
    Ok(match mode {
        Some("Manual") if asks => Outcome::fail(
            "mode Manual: nobody makes the Secret cert-manager/aws-creds for Route53",
            source,
            "make certificates with `issuer = \"local-ca\"` or bring one (`\"existing\"`); or make the Secret yourself \
             and go on with `--skip-preflight`",
        ),
        Some("Manual") => Outcome::warn(
            "mode Manual: nobody answers a CredentialsRequest",
            source,
            "nothing of this stack needs one now; `issuer = \"letsencrypt\"` would",
        ),
        Some(mode) => Outcome::pass(format!("mode {mode}"), source),
        None => Outcome::pass("the mode that the cloud's credentials allow", source),
    })
}

/// Certificates are made for both domains (`reference/platform.md` §2.0, §4 G05).
pub(super) fn domain(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let (base, base_source) = evidence.text(key::BASE_DOMAIN)?;
    let (apps, apps_source) = evidence.text(key::APPS_DOMAIN)?;
    let unnamed = |what: &str, source: &str| {
        let remedy = "use a cluster whose DNS and Ingress configuration is complete: hosts are made from both domains";
        Outcome::fail(format!("the cluster does not say {what}"), source, remedy)
    };
    let Some(base) = base else {
        return Ok(unnamed("its base domain", base_source));
    };
    let Some(apps) = apps else {
        return Ok(unnamed("the domain of its applications", apps_source));
    };
    let source = format!("{base_source}, {apps_source}");
    Ok(if apps != format!("apps.{base}") {
        let found = format!("{apps} is not apps.{base}");
        if makes_certificates(stack) {
            let remedy = "bring a certificate for the apps domain: `issuer = \"existing\"`";
            Outcome::fail(found, source, remedy)
        } else {
            let remedy = "see that the certificate and the DNS records you bring are for the apps domain";
            Outcome::warn(found, source, remedy)
        }
    } else if base.contains('.') {
        Outcome::pass(apps, source)
    } else {
        let remedy = "see that clients can resolve it: a domain without a dot is rarely one of the public DNS";
        Outcome::warn(format!("the base domain {base} has no dot"), source, remedy)
    })
}

/// Platforms that give no address to a Service of type LoadBalancer (`reference/serving.md` §5.1 G3).
const WITHOUT_ADDRESSES: &[&str] = &["None", "BareMetal"];
/// How the names of MetalLB's versions begin.
const METALLB: &str = "metallb-operator.";

/// A gateway behind a load balancer waits for an address (`reference/serving.md` §5.1 G3).
pub(super) fn load_balancer(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let of_models = !stack.models.is_empty() && stack.gateway.exposure != GatewayExposure::Route;
    let maas = stack.maas.as_ref().map(|maas| maas.gateway.exposure);
    if !of_models && maas != Some(MaasExposure::LoadBalancer) {
        return Ok(Outcome::pass(
            "the stack has none: gateways are reached by Routes",
            "the stack",
        ));
    }
    let (platform, source) = evidence.text(key::PLATFORM)?;
    let platform = platform.unwrap_or("None");
    if !WITHOUT_ADDRESSES.contains(&platform) {
        return Ok(Outcome::pass(format!("{platform} gives addresses"), source));
    }
    if stack.metallb.is_some() {
        return Ok(Outcome::pass("MetalLB of the stack gives addresses", "the stack"));
    }
    let versions = listed(&evidence.versions)?;
    Ok(
        match versions.iter().find(|version| version.name.starts_with(METALLB)) {
            Some(version) => Outcome::pass(format!("{} is installed", version.name), Listing::Versions.source()),
            None => Outcome::warn(
                format!(
                    "platform {platform} gives no addresses, and MetalLB is not there: the gateway would wait for one"
                ),
                source,
                "write `exposure = \"route\"` in `[gateway]`, or a `[metallb]` table; other controllers of load balancers cannot \
             be seen from here",
            ),
        },
    )
}
