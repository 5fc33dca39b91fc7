//! `[cluster]`: what is said about the cluster, as against what is read from it.

use super::super::problem::Problems;
use super::super::read::{self, Field, Reader};
use super::super::typed;
use crate::stack::{Cluster, DomainName, Platform, VersionRequirement};

const PLATFORMS: &[(&str, Platform)] = &[("aws", Platform::Aws), ("none", Platform::None)];

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<Cluster> {
    let mut reader = Reader::new(field, "`[cluster]`", problems)?;
    let platform = reader.required(
        "platform",
        "write `platform = \"aws\"`, or \"none\" where no cloud API may be used",
        problems,
        read::word(PLATFORMS),
    );
    let openshift = reader.or("openshift", VersionRequirement::default(), problems, typed::version);
    let context = reader.optional("context", problems, read::line).map(|at| at.value);
    let apps_domain = reader
        .optional("apps_domain", problems, typed::name(DomainName::NOUN))
        .map(|at| at.value);
    let etcd_encryption = reader.or("etcd_encryption", false, problems, read::boolean);
    let disconnected = reader.or("disconnected", false, problems, read::boolean);
    reader.finish(problems);
    Some(Cluster {
        platform: platform?.value,
        openshift,
        context,
        apps_domain,
        etcd_encryption,
        disconnected,
    })
}
