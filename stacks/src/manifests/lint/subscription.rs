//! Who may call how much.
//!
//! Facts: `reference/serving.md` §1.10 (last paragraph but one), §1.12, §5.3 S10 and S11.

use super::{MAAS_GROUP, Seen};
use crate::{
    components::names::MAAS,
    manifests::{FileLine, ManifestsError},
};

/// How much.
pub(super) const SUBSCRIPTION: (&str, &str) = (MAAS_GROUP, "MaaSSubscription");
/// Who.
pub(super) const AUTH_POLICY: (&str, &str) = (MAAS_GROUP, "MaaSAuthPolicy");

/// Both are looked at in one namespace only, and know a group by its name alone; `people` is the field that names them.
pub(super) fn check(one: Seen<'_>, people: &'static str, at: &FileLine, errors: &mut Vec<ManifestsError>) {
    if one.namespace() != MAAS {
        errors.push(ManifestsError::Unwatched {
            at: at.clone(),
            object: one.object.to_string(),
        });
    }
    let groups = one.value["spec"][people]["groups"].as_array().into_iter().flatten();
    for group in groups {
        let is_a_name = group
            .as_object()
            .is_some_and(|fields| fields.keys().all(|field| field == "name"));
        if !is_a_name {
            errors.push(ManifestsError::GroupEntry {
                at: at.clone(),
                field: format!("spec.{people}.groups"),
                entry: group.to_string(),
            });
        }
    }
}
