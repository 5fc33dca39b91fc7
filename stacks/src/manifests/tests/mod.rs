use super::*;
use stackctl_engine::graph::Graph;

mod order;
mod references;

fn set() -> ManifestSet {
    ManifestSet::bare("team", "objects.yaml")
}

fn read(text: &str) -> Result<Vec<Resource>, Vec<ManifestsError>> {
    let file = ManifestFile {
        name: "objects.yaml".to_owned(),
        text: text.to_owned(),
    };
    resources(&[(&set(), vec![file])], &[]).map(|made| made.resources)
}

const TWO: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: a, creationTimestamp: null}
data: {switch: \"on\"}
status: {}
---
# nothing but a comment
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: two
  annotations:
    config.kubernetes.io/depends-on: /namespaces/a/ConfigMap/one
";

#[test]
fn documents_become_resources_with_addresses_edges_and_readiness() {
    let resources = read(TWO).expect("two good documents");
    let shown: Vec<_> = resources.iter().map(|resource| resource.address.to_string()).collect();
    assert_eq!(
        shown,
        [
            "manifests[team].configmap[\"a/one\"]",
            "manifests[team].deployment[\"default/two\"]"
        ]
    );
    assert_eq!(resources[1].depends_on[0].address, resources[0].address);
    let Node::Object(object) = &resources[1].node else {
        panic!("a manifest is an object")
    };
    assert_eq!(object.ready, Rule::RolledOut);
}

#[test]
fn an_object_waits_for_the_definition_of_its_kind() {
    let text = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: one, namespace: a}
";
    let resources = read(text).expect("two good documents");
    let graph = Graph::new(&resources).expect("a graph");
    let waits = graph.dependencies(&resources[1].address);
    assert_eq!(waits.len(), 1);
    assert_eq!(waits[0].to, resources[0].address);
}

#[test]
fn a_list_is_its_items() {
    let text = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Namespace, metadata: {name: x}}]}";
    let resources = read(text).expect("a list");
    assert_eq!(resources[0].address.to_string(), "manifests[team].namespace[x]");
}

#[test]
fn every_mistake_is_said_with_its_line() {
    let text = "apiVersion: v1
kind: ConfigMap
metadata: {name: one}
---
- a list
---
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
---
kind: ConfigMap
metadata: {name: two}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: three}
metadata: {name: four}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: five, annotations: {config.kubernetes.io/depends-on: /namespaces/default/ConfigMap/none}}
---
apiVersion: v1
kind: Secret
metadata: {name: six}
stringData: {password: hunter2}
";
    let errors = read(text).expect_err("six mistakes");
    let shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let begins = [
        "objects.yaml:5: the document is no object",
        "objects.yaml:11: the manifest has no `apiVersion`",
        "objects.yaml:17: not valid YAML: ",
        "objects.yaml:23: a Secret with its values",
        "objects.yaml:7: ConfigMap default/one is declared at objects.yaml:1 too",
        "objects.yaml:19: it waits for `/namespaces/default/ConfigMap/none`",
    ];
    assert_eq!(shown.len(), begins.len(), "{shown:#?}");
    for (shown, begin) in shown.iter().zip(begins) {
        assert!(shown.starts_with(begin), "{shown}");
        assert!(!shown.contains("hunter2"));
    }
}

#[test]
fn an_empty_file_may_be_half_written_and_one_of_comments_is_meant() {
    let error = |text: &str| read(text).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(
        error(" \n").expect_err("refused"),
        ["objects.yaml:1: the file is empty"]
    );
    assert_eq!(error("# nothing yet\n"), Ok(Vec::new()));
}

#[test]
fn volumes_and_definitions_hold_data() {
    let holds = |kind: &str, version: &str| {
        let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a, namespace: b}}\n");
        read(&text).expect("an object")[0].lifecycle.holds_data
    };
    assert!(holds("PersistentVolumeClaim", "v1") && holds("PersistentVolume", "v1"));
    assert!(holds("CustomResourceDefinition", "apiextensions.k8s.io/v1"));
    assert!(!holds("ConfigMap", "v1"));
}

fn made(set: &ManifestSet, text: &str) -> Made {
    let file = ManifestFile {
        name: "objects.yaml".to_owned(),
        text: text.to_owned(),
    };
    resources(&[(set, vec![file])], &[]).expect("good documents")
}

/// What waits for what and how far, a line each, by the last names of addresses; edges that the engine infers included.
fn waits(made: &Made) -> Vec<String> {
    let graph = Graph::new(&made.resources).expect("a graph");
    let short = |address: &Address| {
        let text = address.to_string();
        text.strip_prefix("manifests[team].").unwrap_or(&text).to_owned()
    };
    let of = |resource: &Resource| {
        let edges = graph.dependencies(&resource.address).into_iter();
        edges
            .map(|edge| format!("{} -> {} {}", short(&edge.from), short(&edge.to), edge.until))
            .collect::<Vec<_>>()
    };
    made.resources.iter().flat_map(of).collect()
}

fn told(made: &Made) -> Vec<String> {
    made.notices.iter().map(ToString::to_string).collect()
}

#[test]
fn words_that_are_booleans_to_kubernetes_are_told_with_their_lines() {
    let text =
        "# a comment\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nimmutable: yes\ndata: {b: \"no\"}\n";
    let made = made(&set(), text);
    assert_eq!(
        told(&made),
        ["objects.yaml:6: `immutable: yes` is the boolean true, as kubectl reads it"]
    );
    let Node::Object(object) = &made.resources[0].node else {
        panic!("a manifest is an object")
    };
    assert_eq!(object.manifest.value()["immutable"], true);
    assert_eq!(object.manifest.value()["data"]["b"], "no");
}

#[test]
fn a_namespace_that_is_a_boolean_to_kubernetes_is_refused() {
    let errors = read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}\n").expect_err("a boolean");
    assert_eq!(errors[0].to_string(), "objects.yaml:1: `metadata.namespace` is no text");
}

#[test]
fn an_object_without_a_namespace_is_put_into_that_of_its_table() {
    let mut set = set();
    set.namespace = Some("argocd".parse().expect("a name"));
    let text = "
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: b}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: c}
";
    let made = made(&set, text);
    let addresses: Vec<_> = made
        .resources
        .iter()
        .map(|resource| resource.address.to_string())
        .collect();
    assert_eq!(
        addresses,
        [
            "manifests[team].configmap[\"argocd/a\"]",
            "manifests[team].configmap[\"b/a\"]",
            "manifests[team].clusterrole[c]"
        ]
    );
}

#[test]
fn a_kustomization_has_to_be_built_first_and_hides_what_lies_beside_it() {
    let file = |name: &str, text: &str| ManifestFile {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    let files = vec![
        file("base/kustomization.yaml", "resources: [a.yaml]\n"),
        file("base/patch.yaml", "- op: remove\n"),
    ];
    let errors = resources(&[(&set(), files)], &[]).expect_err("not built");
    let shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["`base/kustomization.yaml` is for `kustomize`, which has to run first"]
    );
    let help = miette::Diagnostic::help(&errors[0]).expect("a way out").to_string();
    assert!(help.starts_with("run `kustomize build base > objects.yaml`"), "{help}");
}

#[test]
fn times_that_generators_write_as_null_are_left_out_in_templates_too() {
    let text = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: a, creationTimestamp: null}
spec:
  template: {metadata: {creationTimestamp: null, labels: {app: a}}}
  volumeClaimTemplates: [{metadata: {name: data, creationTimestamp: null}}]
";
    let made = made(&set(), text);
    assert_eq!(made.resources.len(), 1);
}

#[test]
fn readiness_is_that_of_the_first_table_that_is_about_the_kind() {
    let mut set = set();
    let about = |kind: &str, group: Option<&str>, condition: &str| crate::stack::SetReadiness {
        at: FileLine {
            file: "stack.toml".to_owned(),
            line: 4,
        },
        of: Some(crate::stack::KindName {
            kind: kind.to_owned(),
            group: group.map(str::to_owned),
        }),
        ready: Rule::condition(condition),
        failed: None,
    };
    set.ready = vec![
        about("Widget", Some("other.com"), "Other"),
        about("widget", None, "Ready"),
        about("Widget", None, "Never"),
    ];
    let text = "
apiVersion: example.com/v1
kind: Widget
metadata: {name: a, namespace: b}
---
apiVersion: batch/v1
kind: Job
metadata: {name: a, namespace: b}
";
    let made = made(&set, text);
    let ready = |index: usize| match &made.resources[index].node {
        Node::Object(object) => (object.ready.clone(), object.failed.clone()),
        other => panic!("{other:?} is no object"),
    };
    assert_eq!(ready(0), (Rule::condition("Ready"), None));
    assert_eq!(ready(1), (Rule::condition("Complete"), Some(Rule::condition("Failed"))));
}

#[test]
fn a_kind_that_nothing_says_the_readiness_of_is_told_where_it_is_waited_for() {
    let text = "
apiVersion: example.com/v1
kind: Widget
metadata: {name: a, namespace: b}
---
apiVersion: example.com/v1
kind: Gadget
metadata: {name: c, namespace: b}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: d
  namespace: b
  annotations: {config.kubernetes.io/depends-on: example.com/namespaces/b/Widget/a}
";
    let mut set = set();
    assert_eq!(
        told(&made(&set, text)),
        [
            "objects.yaml:1: Widget b/a is waited for, and nothing says when a Widget is ready: it counts as soon as it is there"
        ]
    );
    set.ready = vec![crate::stack::SetReadiness {
        at: FileLine {
            file: "stack.toml".to_owned(),
            line: 4,
        },
        of: None,
        ready: Rule::condition("Ready"),
        failed: None,
    }];
    assert_eq!(told(&made(&set, text)), [""; 0]);
}

#[test]
fn what_people_marked_to_stay_stays_on_destroy() {
    let kept = |name: &str, value: &str| {
        let text =
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    {name}: \"{value}\"\n");
        made(&set(), &text).resources[0].lifecycle.retain.clone()
    };
    assert_eq!(
        kept("helm.sh/resource-policy", "keep").as_deref(),
        Some("its annotation helm.sh/resource-policy says keep")
    );
    for (name, value) in [
        ("argocd.argoproj.io/sync-options", "ServerSideApply=true,Delete=false"),
        ("kapp.k14s.io/delete-strategy", "orphan"),
        ("client.lifecycle.config.k8s.io/deletion", "detach"),
        ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ] {
        assert!(kept(name, value).is_some(), "{name}: {value}");
    }
    assert_eq!(kept("argocd.argoproj.io/sync-options", "Replace=true"), None);
}
