use super::*;
use stackctl_engine::graph::Graph;
use std::path::PathBuf;

fn set() -> ManifestSet {
    ManifestSet {
        name: "team".parse().expect("a name"),
        path: PathBuf::from("objects.yaml"),
        depends_on: Vec::new(),
        ready: None,
        ignore_fields: Vec::new(),
    }
}

fn read(text: &str) -> Result<Vec<Resource>, Vec<ManifestsError>> {
    let file = ManifestFile {
        name: "objects.yaml".to_owned(),
        text: text.to_owned(),
    };
    resources(&[(&set(), vec![file])], &[])
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
