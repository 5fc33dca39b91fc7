//! What has to be true of a cluster before a stack is applied to it for the first time.
//!
//! In: a stack, and an [`Evidence`] that the shell gathers ([`facts_wanted`], [`facts_then`], [`Listing`] say what to
//! read). Out: one [`Finding`] for each check, in the order of `CHECKS`.
//!
//! Invariants:
//! - Nothing here asks the cluster; a check is a function of values.
//! - What could not be read is never taken for absent: the check says so ([`Verdict::Unread`]).
//! - Every finding that is no pass says what to do.
//!
//! Sources of the checks: `reference/platform.md` §1, §2.0 and the rows of §4 and §7 that each names;
//! `reference/serving.md` §5, the rows with live reads.

mod certificate;
mod cluster;
mod evidence;
mod maas;
mod models;
mod nodes;
mod objects;
mod operators;
mod reads;
mod registries;
mod supplies;
#[cfg(test)]
mod tests;

pub use evidence::{Evidence, Reading, Unread};
pub use objects::{Claim, Node, PlatformPod, Service, Subscription, Version};
pub use reads::{Listing, facts_then, facts_wanted};

use crate::stack::OpenShift;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it has to be.
    Pass,
    /// It may go well; a person should know.
    Warn,
    /// It will not go well.
    Fail,
    /// What it looks at could not be read.
    Unread,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the check.
    pub check: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// Where it was read.
    pub source: String,
    /// What to do, unless it passed.
    pub remedy: Option<String>,
}

/// What a check says, before it has its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    verdict: Verdict,
    found: String,
    source: String,
    remedy: Option<String>,
}

impl Outcome {
    fn pass(found: impl Into<String>, source: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Pass,
            found: found.into(),
            source: source.into(),
            remedy: None,
        }
    }

    fn warn(found: impl Into<String>, source: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warn,
            remedy: Some(remedy.into()),
            ..Self::pass(found, source)
        }
    }

    fn fail(found: impl Into<String>, source: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(found, source, remedy)
        }
    }
}

impl Outcome {
    /// Both of two outcomes of one check: as bad as the worse of them.
    fn and(self, other: Self) -> Self {
        let rank = |verdict| match verdict {
            Verdict::Pass => 0,
            Verdict::Warn => 1,
            Verdict::Unread => 2,
            Verdict::Fail => 3,
        };
        let worse = if rank(other.verdict) > rank(self.verdict) {
            other.verdict
        } else {
            self.verdict
        };
        let join = |a: String, b: String| format!("{a}; {b}");
        Self {
            verdict: worse,
            found: join(self.found, other.found),
            source: join(self.source, other.source),
            remedy: match (self.remedy, other.remedy) {
                (Some(a), Some(b)) => Some(join(a, b)),
                (one, None) | (None, one) => one,
            },
        }
    }
}

type Check = fn(&OpenShift, &Evidence) -> Reading<Outcome>;

/// The name of the check whether we may do everything.
pub const CLUSTER_ADMIN: &str = "cluster-admin";

/// Every check by its name, which scripts and documents use.
const CHECKS: &[(&str, Check)] = &[
    ("openshift-version", cluster::openshift_version),
    (CLUSTER_ADMIN, cluster::cluster_admin),
    ("platform", cluster::platform),
    ("credentials", cluster::credentials),
    ("domain", cluster::domain),
    ("load-balancer", cluster::load_balancer),
    ("gateway-certificate", certificate::gateway_certificate),
    ("sizes", nodes::sizes),
    ("architecture", nodes::architecture),
    ("gpus", models::gpus),
    ("storage-class", supplies::storage_class),
    ("pull-secret", supplies::pull_secret),
    ("model-registries", models::model_registries),
    ("packages", supplies::packages),
    ("object-storage", supplies::object_storage),
    ("open-data-hub", operators::open_data_hub),
    ("rhoai-2", operators::rhoai_2),
    ("service-mesh-2", operators::service_mesh_2),
    ("service-mesh-3", operators::service_mesh_3),
    ("broken-versions", operators::broken_versions),
    ("model-controller", operators::model_controller),
    ("model-names", models::model_names),
    ("kueue-label", models::kueue_label),
    ("user-workload-monitoring", models::user_workload_monitoring),
    ("gateway-policies", maas::gateway_policies),
    ("maas-route", maas::maas_route),
    ("maas-database", maas::maas_database),
    ("token-audience", maas::token_audience),
];

/// Makes every check.
pub fn check(stack: &OpenShift, evidence: &Evidence) -> Vec<Finding> {
    CHECKS
        .iter()
        .map(|(name, check)| finding(name, check(stack, evidence)))
        .collect()
}

fn finding(check: &'static str, outcome: Reading<Outcome>) -> Finding {
    match outcome {
        Ok(Outcome {
            verdict,
            found,
            source,
            remedy,
        }) => Finding {
            check,
            verdict,
            found,
            source,
            remedy,
        },
        Err(Unread { source, why }) => Finding {
            check,
            verdict: Verdict::Unread,
            found: format!("could not be read: {why}"),
            source,
            remedy: Some("use an account that may read it, then check again".to_owned()),
        },
    }
}

/// The words for things that are equal, with how many there are: `2 × amd64, 1 × arm64`; most first.
fn tallied<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words: Vec<_> = counts.iter().map(|(word, count)| format!("{count} × {word}")).collect();
    words.join(", ")
}

/// A count and its noun: `1 worker`, `2 workers`.
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
