use super::*;
use crate::stack::SetDependency;
use stackctl_engine::graph::Graph;

mod order;
mod references;
mod unread;

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
        "objects.yaml:17: not valid YAML: `metadata` stands in line 16 already",
        "objects.yaml:26: a Secret with its values",
        "objects.yaml:7: ConfigMap default/one is declared at objects.yaml:1 too",
        "objects.yaml:21: it waits for `/namespaces/default/ConfigMap/none`",
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
        let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n");
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
    assert_eq!(
        errors[0].to_string(),
        "objects.yaml:3: `metadata.namespace: n` is the boolean false, and has to be a text"
    );
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
fn what_has_no_value_is_left_out_of_kinds_of_the_server_and_refused_in_a_custom_resource() {
    let deployment = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  replicas:
  template:
    spec:
      nodeSelector:
      containers: [{name: main, image: i, resources: null}]
";
    let made = made(&set(), deployment);
    assert_eq!(
        told(&made),
        [
            "objects.yaml:6: `spec.replicas` has no value, and is left out",
            "objects.yaml:9: `spec.template.spec.nodeSelector` has no value, and is left out",
            "objects.yaml:10: `spec.template.spec.containers[0].resources` has no value, and is left out",
        ]
    );
    let Node::Object(object) = &made.resources[0].node else {
        panic!("an object")
    };
    assert_eq!(
        object.manifest.value()["spec"],
        serde_json::json!({"template": {"spec": {"containers": [{"name": "main", "image": "i"}]}}})
    );
    let refused = |text: &str| {
        read(text)
            .expect_err("a null")
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        refused("apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec:\n  size:\n"),
        ["objects.yaml:5: the manifest holds a null at .spec.size"]
    );
    assert_eq!(
        refused("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  tolerations: [null]\n"),
        ["objects.yaml:5: the manifest holds a null at .spec.tolerations[0]"]
    );
    // In a map of texts the server would store an empty one, which says something.
    assert_eq!(
        refused("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  nodeSelector: {infra: }\n"),
        ["objects.yaml:5: the manifest holds a null at .spec.nodeSelector.infra"]
    );
    assert_eq!(
        refused("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  KEY:\n"),
        ["objects.yaml:5: `data.KEY` is nothing, and has to be a text"]
    );
}

#[test]
fn an_object_of_the_whole_cluster_names_no_namespace() {
    let text = "apiVersion: v1\nkind: Node\nmetadata:\n  name: a\n  namespace: b\n";
    let made = made(&set(), text);
    assert_eq!(
        made.notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["objects.yaml:5: a Node belongs to the whole cluster: that it names the namespace `b` is left out"]
    );
    assert_eq!(made.resources[0].address.to_string(), "manifests[team].node[a]");
    let object = made.resources[0].object().expect("an object");
    assert_eq!(object.namespace, None);
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
fn a_table_for_all_objects_waits_for_no_status_of_those_that_have_none() {
    let text = "
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: b}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: a, namespace: b}
---
apiVersion: v1
kind: Namespace
metadata: {name: b}
";
    let about = |of: Option<&str>, ready: Rule| {
        let mut set = set();
        set.ready = vec![crate::stack::SetReadiness {
            at: FileLine {
                file: "stack.toml".to_owned(),
                line: 4,
            },
            of: of.map(|kind| crate::stack::KindName {
                kind: kind.to_owned(),
                group: None,
            }),
            ready,
            failed: None,
        }];
        set
    };
    let rules = |set: &ManifestSet| {
        let made = made(set, text);
        let rule = |resource: &Resource| match &resource.node {
            Node::Object(object) => object.ready.clone(),
            other => panic!("{other:?} is no object"),
        };
        made.resources.iter().map(rule).collect::<Vec<_>>()
    };
    let ready = Rule::condition("Ready");
    assert_eq!(
        rules(&about(None, ready.clone())),
        [Rule::Exists, ready.clone(), ready.clone()]
    );
    let field = Rule::non_empty("data.key");
    assert_eq!(
        rules(&about(None, field.clone())),
        [field.clone(), field.clone(), field]
    );
    // What names the kind can be meant for nothing else.
    let files = vec![ManifestFile {
        name: "objects.yaml".to_owned(),
        text: text.to_owned(),
    }];
    let errors = resources(&[(&about(Some("ConfigMap"), ready), files)], &[]).expect_err("no status");
    assert_eq!(
        errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["stack.toml:4: `ready` waits for a status, and a ConfigMap has none"]
    );
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
            "objects.yaml:2: Widget b/a is waited for, and nothing says when a Widget is ready: it counts as soon as it is there"
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
fn what_a_table_waits_for_says_when_it_is_ready_or_has_no_status() {
    let definition = |status: &str| {
        format!(
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.example.com}}\n\
             spec:\n  group: example.com\n  scope: Namespaced\n  names: {{kind: Widget, plural: widgets}}\n  \
             versions: [{{name: v1, served: true, storage: true, {status}schema: {{openAPIV3Schema: {{type: object}}}}}}]\n"
        )
    };
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, namespace: b}\n";
    let (mut waiting, awaited) = (ManifestSet::bare("app", "app.yaml"), set());
    waiting.depends_on = vec![dependency("manifests[team].widget[\"b/a\"]")];
    let file = |name: &str, text: &str| {
        let (name, text) = (name.to_owned(), text.to_owned());
        vec![ManifestFile { name, text }]
    };
    let of = |waiting: &ManifestSet, definition: &str| {
        let app = file("app.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
        let sets = [
            (waiting, app),
            (&awaited, file("objects.yaml", &(widget.to_owned() + definition))),
        ];
        resources(&sets, &[])
            .map(|made| told(&made))
            .map_err(|errors| errors[0].to_string())
    };
    let refused = "stack.toml:7: `depends_on` names Widget b/a, and nothing says when a Widget is ready";
    assert_eq!(of(&waiting, ""), Err(refused.to_owned()));
    assert_eq!(
        of(&waiting, &definition("subresources: {status: {}}, ")),
        Err(refused.to_owned())
    );
    assert_eq!(of(&waiting, &definition("")), Ok(Vec::new()));
    waiting.allow = vec![Allowance {
        code: "STK324",
        at: waiting.depends_on[0].at.clone(),
    }];
    assert_eq!(of(&waiting, ""), Ok(Vec::new()));
}

fn dependency(address: &str) -> SetDependency {
    SetDependency {
        at: FileLine {
            file: "stack.toml".to_owned(),
            line: 7,
        },
        on: address.parse().expect("an address"),
    }
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

#[test]
fn a_field_that_has_to_be_a_text_is_told_with_what_stands_there_and_all_of_them_are() {
    let text = "apiVersion: v1
kind: ConfigMap
metadata:
  name: yes
  labels:
    version: 1.10
    on: \"on\"
  annotations: {a.b/c: true}
data:
  PORT: 8080
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: 7, namespace: a}
spec:
  template:
    metadata:
      labels: [app]
    spec:
      containers:
      - name: main
        env:
        - {name: DEBUG, value: true}
";
    let errors = read(text).expect_err("six fields");
    let shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "objects.yaml:4: `metadata.name: yes` is the boolean true, and has to be a text",
            "objects.yaml:6: `metadata.labels.version: 1.10` is a number, and has to be a text",
            "objects.yaml:8: `metadata.annotations.a.b/c: true` is the boolean true, and has to be a text",
            "objects.yaml:10: `data.PORT` is a number, and has to be a text",
            "objects.yaml:14: `metadata.name: 7` is a number, and has to be a text",
            "objects.yaml:18: `spec.template.metadata.labels` is a list, and has to be a map of texts",
            "objects.yaml:23: `spec.template.spec.containers[0].env[0].value` is the boolean true, and has to be a text",
        ]
    );
    let help = miette::Diagnostic::help(&errors[1]).expect("a way out").to_string();
    assert_eq!(help, "put it into quotes: `\"1.10\"`");
}

#[test]
fn a_file_that_is_no_yaml_is_told_in_our_words_and_every_key_that_stands_twice() {
    let shown = |text: &str| -> Vec<String> {
        let errors = read(text).expect_err("no YAML");
        errors.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        shown("a: 1\nb: {c: 1, c: 2}\na: 2\n---\nx: *y\n"),
        [
            "objects.yaml:2: not valid YAML: `b.c` stands in line 2 already",
            "objects.yaml:3: not valid YAML: `a` stands in line 1 already",
            "objects.yaml:5: not valid YAML: an alias (`*…`) is to no anchor (`&…`) before it",
        ]
    );
    for text in [
        "a: [1,\n",
        "a: b: c\n",
        "\ta: 1\n",
        "a: \"x\n",
        "{a: 1}}\n",
        "a: !!binary x\n",
        "<<: 1\n",
    ] {
        for said in shown(text) {
            for internal in ["Policy", "serde", "deserialize", "Error", "option", "Spanned"] {
                assert!(!said.contains(internal), "{text}: {said}");
            }
        }
    }
}

#[test]
fn an_item_of_a_list_and_an_object_below_comments_have_lines_of_their_own() {
    let text = "# whose it is\n\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n\
                - apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a\n";
    let errors = read(text).expect_err("one object twice");
    assert_eq!(
        errors[0].to_string(),
        "objects.yaml:9: ConfigMap default/a is declared at objects.yaml:6 too"
    );
}

#[test]
fn an_object_that_waits_for_itself_is_an_error_with_its_line() {
    let text = "apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations:
    config.kubernetes.io/depends-on: /namespaces/default/ConfigMap/a
";
    let errors = read(text).expect_err("itself");
    assert_eq!(
        errors[0].to_string(),
        "objects.yaml:6: it waits for itself, by `config.kubernetes.io/depends-on`"
    );
    let mut set = set();
    set.depends_on = vec![dependency("manifests[team].configmap[\"default/a\"]")];
    let file = ManifestFile {
        name: "objects.yaml".to_owned(),
        text: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n".to_owned(),
    };
    let errors = resources(&[(&set, vec![file])], &[]).expect_err("itself");
    assert_eq!(
        errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["objects.yaml:1: it waits for itself, by `depends_on` of its table"]
    );
}

/// What is known of a cluster, and what comes of it: errors, then notices.
fn beside(set: &ManifestSet, text: &str, scopes: &Scopes, missing: &[&str], allowed: &[Allowance]) -> Vec<String> {
    let file = ManifestFile {
        name: "objects.yaml".to_owned(),
        text: text.to_owned(),
    };
    let sets = [(set, vec![file])];
    let mut files = super::read(&sets);
    files.place(&[], scopes);
    let missing = missing.iter().map(|name| (*name).to_owned()).collect();
    let told = files.resources(&Beside {
        catalogue: &[],
        capacity: Capacity::default(),
        allowed,
        there: &BTreeSet::new(),
        missing: &missing,
    });
    match told {
        Ok(made) => {
            let addresses = made.resources.iter().map(|resource| resource.address.to_string());
            addresses.chain(made.notices.iter().map(ToString::to_string)).collect()
        }
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

const WIDGET: &str = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\n";

#[test]
fn a_kind_that_somebody_knows_to_lie_in_namespaces_is_put_into_that_of_its_table_and_another_is_told() {
    let mut set = set();
    set.namespace = Some("default".parse().expect("a name"));
    let kind = GroupKind::new("example.com", "Widget");
    let known = |is_namespaced| Scopes::from([(kind.clone(), is_namespaced)]);
    assert_eq!(
        beside(&set, WIDGET, &known(true), &[], &[]),
        ["manifests[team].widget[\"default/a\"]"]
    );
    assert_eq!(
        beside(&set, WIDGET, &known(false), &[], &[]),
        ["manifests[team].widget[a]"]
    );
    assert_eq!(
        beside(&set, WIDGET, &Scopes::new(), &[], &[]),
        [
            "manifests[team].widget[a]",
            "objects.yaml:1: Widget a is not put into `default`: nothing says whether a Widget lies in a namespace"
        ]
    );
    let sets = [(
        &set,
        vec![ManifestFile {
            name: "w.yaml".to_owned(),
            text: WIDGET.to_owned(),
        }],
    )];
    let unplaced: Vec<_> = super::read(&sets)
        .unplaced(&[])
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(unplaced, ["example.com/v1 Widget"]);
}

#[test]
fn a_namespace_that_nobody_makes_is_an_error_where_the_cluster_lacks_it_and_a_warning_where_nobody_was_asked() {
    let two = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: team-a\n---\n\
               apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: team-a}\n";
    let none = Scopes::new();
    assert_eq!(
        beside(&set(), two, &none, &["team-a"], &[]),
        [
            "objects.yaml:5: ConfigMap team-a/a and 1 more are in namespace `team-a`, which the cluster does not have and nothing in the stack makes"
        ]
    );
    assert_eq!(
        beside(&set(), two, &none, &[], &[])[2..],
        ["objects.yaml:5: ConfigMap team-a/a and 1 more are in namespace `team-a`, which nothing in the stack makes"]
    );
    for made in [
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: team-a}\n",
        "apiVersion: project.openshift.io/v1\nkind: ProjectRequest\nmetadata: {name: team-a}\n",
    ] {
        let told = beside(&set(), &format!("{two}---\n{made}"), &none, &["team-a"], &[]);
        assert_eq!(told.len(), 3, "{told:?}");
    }
    // A cluster's own are its own.
    let own = two.replace("team-a", "openshift-monitoring");
    assert_eq!(beside(&set(), &own, &none, &[], &[]).len(), 2);
}

#[test]
fn a_readiness_for_a_kind_that_the_table_does_not_have_is_told_at_its_line() {
    let mut set = set();
    set.ready = vec![crate::stack::SetReadiness {
        at: FileLine {
            file: "stack.toml".to_owned(),
            line: 4,
        },
        of: Some(crate::stack::KindName {
            kind: "Wigdet".to_owned(),
            group: None,
        }),
        ready: Rule::condition("Ready"),
        failed: None,
    }];
    assert_eq!(
        told(&made(&set, WIDGET)),
        ["stack.toml:4: `ready` is for Wigdet, and no object of the table is one"]
    );
}

#[test]
fn what_is_allowed_is_not_told_by_the_stack_or_by_its_table_and_what_is_allowed_for_nothing_is() {
    let lost = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: team-a}\n";
    let allowance = |code, line| Allowance {
        code,
        at: FileLine {
            file: "stack.toml".to_owned(),
            line,
        },
    };
    let none = Scopes::new();
    let made = "manifests[team].configmap[\"team-a/a\"]";
    assert_eq!(
        beside(&set(), lost, &none, &["team-a"], &[allowance("STK323", 3)]),
        [made],
        "an error that a person knows better about"
    );
    let mut set = set();
    set.allow = vec![allowance("STK336", 8), allowance("STK330", 9)];
    assert_eq!(
        beside(&set, lost, &none, &[], &[]),
        [made, "stack.toml:9: nothing here is STK330"]
    );
    assert_eq!(
        beside(&set, lost, &none, &["team-a"], &[]).len(),
        1,
        "where something is wrong, nothing is said of allowances"
    );
    // A table says nothing about the files of another.
    let mut other = ManifestSet::bare("other", "other.yaml");
    other.allow = vec![allowance("STK336", 8)];
    let file = |name: &str, text: &str| ManifestFile {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    let theirs = ManifestSet::bare("team", "objects.yaml");
    let sets = [
        (&theirs, vec![file("objects.yaml", lost)]),
        (
            &other,
            vec![file(
                "other.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
            )],
        ),
    ];
    let mut files = super::read(&sets);
    files.place(&[], &none);
    let made = files
        .resources(&Beside {
            catalogue: &[],
            capacity: Capacity::default(),
            allowed: &[],
            there: &BTreeSet::new(),
            missing: &BTreeSet::new(),
        })
        .expect("warnings alone");
    assert_eq!(told(&made).len(), 2, "{:?}", told(&made));
}
