//! Checks of the machines.

use super::{Evidence, Listing, Node, Outcome, Reading, counted, tallied};
use crate::stack::OpenShift;

const GIB: u128 = 1 << 30;

/// What a node must have, in CPUs and GiB (`reference/platform.md` §2.0, cluster size).
struct Size {
    cores: u128,
    gib: u128,
}

/// Of each of two workers.
const WORKER: Size = Size { cores: 8, gib: 32 };
/// Of a node that is alone.
const ALONE: Size = Size { cores: 32, gib: 128 };

impl Size {
    /// Of a machine with 32 GiB the kernel keeps some before it counts: 95 % are enough.
    const fn fits(&self, node: &Node) -> bool {
        node.millicores >= self.cores * 1000 && node.memory * 100 >= self.gib * GIB * 95
    }
}

pub(super) fn sizes(_: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let workers = workers(evidence)?;
    let sizes: Vec<_> = workers.iter().map(|node| size_of(node)).collect();
    let found = match sizes.as_slice() {
        [] => "no workers".to_owned(),
        sizes => format!(
            "{}: {}",
            counted(sizes.len(), "worker"),
            tallied(sizes.iter().map(String::as_str))
        ),
    };
    let source = Listing::Nodes.source();
    let is_enough =
        workers.iter().filter(|node| WORKER.fits(node)).count() >= 2 || workers.iter().any(|node| ALONE.fits(node));
    Ok(if is_enough {
        Outcome::pass(found, source)
    } else {
        let remedy = "have 2 workers of 8 vCPU and 32 GiB each, or one node of 32 vCPU and 128 GiB";
        Outcome::fail(found, source, remedy)
    })
}

fn size_of(node: &Node) -> String {
    let tenths = node.memory * 10 / GIB;
    format!("{} vCPU {}.{} GiB", node.millicores / 1000, tenths / 10, tenths % 10)
}

fn workers(evidence: &Evidence) -> Reading<Vec<&Node>> {
    let nodes = evidence.nodes.as_ref().map_err(Clone::clone)?;
    Ok(nodes.iter().filter(|node| node.is_worker).collect())
}

/// The architecture that everything runs on, and those that much runs on (`reference/platform.md` §2.0).
const PRIMARY: &str = "amd64";
const LISTED: &[&str] = &["arm64", "ppc64le", "s390x"];

pub(super) fn architecture(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let workers = workers(evidence)?;
    let source = Listing::Nodes.source();
    let found = match workers.as_slice() {
        [] => "no workers".to_owned(),
        workers => tallied(workers.iter().map(|node| node.architecture.as_str())),
    };
    let is = |node: &&Node, architecture: &str| node.architecture == architecture;
    let is_primary = workers.iter().any(|node| is(node, PRIMARY));
    let others: Vec<_> = workers.iter().filter(|node| !is(node, PRIMARY)).collect();
    let are_listed = others.iter().all(|node| LISTED.contains(&node.architecture.as_str()));
    Ok(if !is_primary && !stack.gpu.is_empty() {
        let remedy = "have amd64 workers: GPU pools and their drivers are made for them";
        Outcome::fail(format!("{found}; GPU pools need amd64"), source, remedy)
    } else if workers.is_empty() || !(is_primary || are_listed) {
        let remedy = "have workers of amd64; arm64, ppc64le and s390x are supported in part";
        Outcome::fail(found, source, remedy)
    } else if others.is_empty() {
        Outcome::pass(found, source)
    } else {
        let remedy = "see that the images of your models and workbenches are there for these architectures";
        Outcome::warn(found, source, remedy)
    })
}
