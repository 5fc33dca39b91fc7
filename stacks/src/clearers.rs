//! Which controller clears which finalizer: what explains a deletion that does not end (see [`stackctl_engine::clearers`]).
//!
//! Invariant: each row has its source; of what has none nothing is said here, and the engine says that it does not know.

use crate::components::names::{APPLICATIONS, OPERATORS};
use stackctl_engine::clearers::{Clearer, Controller};

/// The operator of OpenShift AI: it has to live until its operands are gone (reference/platform.md §6, §2.1).
const RHOAI: Controller = Controller::Deployment {
    namespace: "redhat-ods-operator",
    name: "rhods-operator",
};

/// The garbage collector clears both (<https://kubernetes.io/docs/concepts/architecture/garbage-collection/>).
const GARBAGE_COLLECTOR: Controller = Controller::OfTheCluster("the garbage collector, once what it owns is gone");

/// Cleared once no pod uses it
/// (<https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection>).
const VOLUME_PROTECTION: Controller = Controller::OfTheCluster("the volume controllers, once no pod uses it");

const fn of(finalizer: &'static str, by: Controller) -> Clearer {
    Clearer { finalizer, by }
}

/// Every finalizer that something is known of.
pub const CLEARERS: &[Clearer] = &[
    of("datasciencecluster.opendatahub.io/", RHOAI),
    of("dscinitialization.opendatahub.io/", RHOAI),
    of("platform.opendatahub.io/", RHOAI),
    // reference/serving.md §1.8, §2.4: its finalizers need it alive.
    of(
        "maas.opendatahub.io/",
        Controller::Deployment {
            namespace: APPLICATIONS,
            name: "maas-controller",
        },
    ),
    // reference/platform.md §2.11, reference/serving.md §1.3.
    of(
        "serving.kserve.io/",
        Controller::Deployment {
            namespace: APPLICATIONS,
            name: "kserve-controller-manager",
        },
    ),
    // reference/platform.md §2.7, §6.6.
    of(
        "kuadrant.io/",
        Controller::Deployment {
            namespace: OPERATORS,
            name: "kuadrant-operator-controller-manager",
        },
    ),
    // <https://docs.openshift.com/container-platform/4.21/machine_management/index.html>
    of(
        "machine.machine.openshift.io",
        Controller::OfTheCluster("the machine controller (ClusterOperator machine-api)"),
    ),
    // <https://github.com/openshift/cloud-credential-operator/blob/master/pkg/apis/cloudcredential/v1/types_credentialsrequest.go>
    of(
        "cloudcredential.openshift.io/deprovision",
        Controller::OfTheCluster("the cloud credential operator (ClusterOperator cloud-credential)"),
    ),
    of("foregroundDeletion", GARBAGE_COLLECTOR),
    of("orphan", GARBAGE_COLLECTOR),
    of("kubernetes.io/pvc-protection", VOLUME_PROTECTION),
    of("kubernetes.io/pv-protection", VOLUME_PROTECTION),
    // <https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#garbage-collecting-load-balancers>
    of(
        "service.kubernetes.io/load-balancer-cleanup",
        Controller::OfTheCluster("the service controller, once the cloud has taken the load balancer down"),
    ),
    // reference/ssa-semantics.md §12.
    of(
        "customresourcecleanup.apiextensions.k8s.io",
        Controller::OfTheCluster("the API server, once every object of the kind is gone"),
    ),
];
