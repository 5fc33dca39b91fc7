//! Objects that outlive what made them: those that people marked so, and definitions.

use super::read::{Document, annotation, annotations};
use serde_json::Value;

/// Annotations that say so by one value.
const MARKS: &[(&str, &str)] = &[
    // <https://helm.sh/docs/howto/charts_tips_and_tricks/#tell-helm-not-to-uninstall-a-resource>
    ("helm.sh/resource-policy", "keep"),
    // <https://carvel.dev/kapp/docs/latest/apply/#kappk14siodelete-strategy>
    ("kapp.k14s.io/delete-strategy", "orphan"),
    // <https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/common/common.go>
    ("client.lifecycle.config.k8s.io/deletion", "detach"),
    ("cli-utils.sigs.k8s.io/on-remove", "keep"),
    // <https://fluxcd.io/flux/components/kustomize/kustomizations/#prune>
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
];

/// A list of settings, of which these say so
/// (<https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/>).
const OPTIONS: (&str, [&str; 2]) = ("argocd.argoproj.io/sync-options", ["Prune=false", "Delete=false"]);

/// Why a definition stays without `delete_crds`, and what it lacks from then on. Its conversion webhook runs in pods, which
/// go: the server asks it for every object in another version than that it is stored in
/// (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion>).
pub(crate) fn definition_stays(manifest: &Value) -> String {
    let why = "with it would go every object of its kind; `delete_crds = true` lets it go";
    if manifest["spec"]["conversion"]["strategy"] == "Webhook" {
        format!(
            "{why}. What converts its objects between versions goes all the same: until that is back they are read in \
             the version that they are stored in alone"
        )
    } else {
        why.to_owned()
    }
}

/// Why an object stays on destroy, if an annotation says that it does.
pub(super) fn why(document: &Document<'_>) -> Option<String> {
    let said = |name: &str, value: &str| format!("its annotation {name} says {value}");
    let mut marked = annotations(document).filter(|(name, value)| MARKS.contains(&(*name, value.trim())));
    if let Some((name, value)) = marked.next() {
        return Some(said(name, value.trim()));
    }
    let (name, kept) = OPTIONS;
    let mut options = annotation(document, name)?.split(',').map(str::trim);
    options
        .find(|option| kept.contains(option))
        .map(|option| said(name, option))
}
