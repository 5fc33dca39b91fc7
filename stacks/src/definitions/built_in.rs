//! Objects of a person's manifests against the kinds of Kubernetes itself, without a cluster.
//!
//! Invariants:
//! - Only files are judged: what the catalogue writes is held to the true types by tests.
//! - A field that is almost one of the kind's is a mistake, and so is a value of another type. Any other field may be of a
//!   release after [`RELEASE`], so it is told and refuses nothing.

use super::{DefinitionFault, Place, beside, close, fault};
use crate::FileLine;
use stackctl_engine::{Address, Resource, resource::Node};
pub use stackctl_schema::built_in::RELEASE;
use stackctl_schema::{
    built_in::{BuiltIn, misfits},
    check::Fault,
};

/// What the types of Kubernetes say of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfKubernetes {
    /// What every server would refuse.
    pub errors: Vec<DefinitionFault>,
    /// Fields that this release does not know.
    pub doubts: Vec<DefinitionFault>,
}

impl OfKubernetes {
    /// Judges the objects of manifests among resources; `line` says where a field of one stands.
    #[must_use]
    pub fn check(resources: &[&Resource], line: impl Fn(&Address, &str) -> Option<FileLine>) -> Self {
        let mut this = Self::default();
        let mut built_in = BuiltIn::default();
        for resource in resources {
            let Node::Object(object) = &resource.node else { continue };
            if !is_of_a_file(&resource.address) {
                continue;
            }
            let of = &object.manifest.object().object_type;
            let Some(schema) = built_in.schema(of.group(), of.version(), &of.kind) else {
                continue;
            };
            for finding in misfits(&schema, object.manifest.value()) {
                let is_almost = || close(&beside(&schema, &finding.field), &finding.field).is_some();
                let is_certain = finding.fault != Fault::Unknown || is_almost();
                let place = Place {
                    at: line(&resource.address, &finding.field),
                    address: resource.address.clone(),
                };
                let fault = fault(place, of, &schema, finding);
                if is_certain {
                    this.errors.push(fault);
                } else {
                    this.doubts.push(fault);
                }
            }
        }
        this
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty() && self.doubts.is_empty()
    }
}

/// Whether a resource was made of `[[manifests]]`.
fn is_of_a_file(address: &Address) -> bool {
    let first = address.segments().first();
    first.is_some_and(|segment| segment.name() == "manifests")
}
