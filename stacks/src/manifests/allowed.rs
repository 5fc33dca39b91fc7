//! What a stack says is meant so, of what is told about manifests.
//!
//! Invariant: an allowance of a table is about its own files; one that silences nothing is told, but where something is
//! wrong: then nobody knows what else would have been said.

use super::{FileLine, ManifestsError, ManifestsNotice};
use crate::stack::{Allowance, ManifestSet};
use miette::Diagnostic;

/// Takes out what is allowed, and tells of what was allowed for nothing.
pub(super) fn settle(
    sets: &[(&ManifestSet, Vec<&str>)],
    of_stack: &[Allowance],
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
) {
    let all: Vec<(Option<usize>, &Allowance)> = of_stack
        .iter()
        .map(|allowance| (None, allowance))
        .chain(sets.iter().enumerate().flat_map(|(index, (set, _))| {
            let of_set = set.allow.iter();
            of_set.map(move |allowance| (Some(index), allowance))
        }))
        .collect();
    if all.is_empty() {
        return;
    }
    let is_within = |set: Option<usize>, at: &FileLine| match set {
        None => true,
        Some(index) => {
            let (set, files) = &sets[index];
            files.contains(&at.file.as_str())
                || set.ready.iter().any(|ready| ready.at == *at)
                || set.depends_on.iter().any(|on| on.at == *at)
        }
    };
    let mut is_used = vec![false; all.len()];
    let mut is_told = |diagnostic: &dyn Diagnostic, at: Option<&FileLine>| {
        let (Some(code), Some(at)) = (diagnostic.code().map(|code| code.to_string()), at) else {
            return true;
        };
        let mut is_told = true;
        for ((set, allowance), is_used) in all.iter().zip(&mut is_used) {
            if allowance.code == code && is_within(*set, at) {
                (*is_used, is_told) = (true, false);
            }
        }
        is_told
    };
    errors.retain(|error| is_told(error, error.at()));
    notices.retain(|notice| is_told(notice, Some(notice.at())));
    if !errors.is_empty() {
        return;
    }
    for ((_, allowance), _) in all.iter().zip(is_used).filter(|(_, is_used)| !is_used) {
        notices.push(ManifestsNotice::NothingAllowed {
            at: allowance.at.clone(),
            code: allowance.code,
        });
    }
}
