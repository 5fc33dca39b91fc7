//! By what objects of others are told from what controllers and the platform make: in a namespace that goes they are named
//! before it goes (see [`stackctl_engine::plan::others_along`]).
//!
//! Invariant: a manager is here only where its name follows from its source: a client that names no manager is noted by the
//! program's name (reference/ssa-semantics.md §8).
//!
//! Deliberately absent: controllers. What they make comes and goes with what they make it for.

use stackctl_engine::plan::Hands;

/// What is known of both.
pub const HANDS: Hands<'static> = Hands {
    managers: MANAGERS,
    // https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ (the root certificates of every
    // namespace), https://docs.openshift.com/container-platform/4.21/security/certificates/service-serving-certificate.html
    defaults: &["kube-root-ca.crt", "openshift-service-ca.crt"],
};

/// Everybody who writes for people.
const MANAGERS: &[&str] = &[
    // `kubectl`, `kubectl-client-side-apply`, `kubectl-create`, `kubectl-edit` and others; `oc` is built on it.
    // https://github.com/kubernetes/kubernetes/tree/master/staging/src/k8s.io/kubectl/pkg/cmd
    "kubectl*",
    "oc",
    // A browser: the console of OpenShift writes as whoever looks at it.
    "Mozilla",
    "curl",
    "helm",
    // https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#server-side-apply
    "argocd-controller",
    "argocd-application-controller",
    // https://fluxcd.io/flux/components/kustomize/kustomizations/
    "kustomize-controller",
    "helm-controller",
    // https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs/resources/manifest#field_manager
    "Terraform",
    "HashiCorp",
    // https://carvel.dev/kapp/docs/latest/apply/
    "kapp*",
    // https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
    "pulumi-kubernetes*",
];
