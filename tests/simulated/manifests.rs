//! A stack of nothing but manifests: planned, applied, changed, thinned out and destroyed.

use crate::sandbox::Sandbox;
use std::fmt::Write as _;

const STACK: &str = "[stack]\nname = \"layered\"\n\n[[manifests]]\nname = \"layers\"\npath = \"objects.yaml\"\n";

/// A namespace and ConfigMaps in it, each waiting for the one before it.
fn objects(number: usize, first_says: &str) -> String {
    let mut text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: layers}\n---\n".to_owned();
    for index in 0..number {
        let note = match index {
            0 => String::new(),
            _ => format!(
                ", annotations: {{config.kubernetes.io/depends-on: /namespaces/layers/ConfigMap/c{}}}",
                index - 1
            ),
        };
        let says = if index == 0 { first_says } else { "x" };
        writeln!(
            text,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{index}, namespace: layers{note}}}\ndata: {{a: {says}}}\n---"
        )
        .expect("a text takes all");
    }
    text
}

#[test]
fn manifests_of_ones_own_live_through_the_whole_loop() {
    let sandbox = Sandbox::new();
    let put = |name: &str, text: &str| std::fs::write(sandbox.path().join(name), text).expect("a writable folder");
    put("stack.toml", STACK);
    put("objects.yaml", &objects(30, "one"));
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    let made: Vec<String> = sandbox
        .audit()
        .iter()
        .filter(|entry| entry.is_our_write() && entry.created)
        .map(|entry| entry.name.clone())
        // The copy of the state, and its namespace.
        .filter(|name| !["stackctl", "stack.layered"].contains(&name.as_str()))
        .collect();
    let wanted: Vec<String> = ["layers".to_owned()]
        .into_iter()
        .chain((0..30).map(|index| format!("c{index}")))
        .collect();
    assert_eq!(made, wanted, "each after what its annotation names");

    put("objects.yaml", &objects(30, "two"));
    let told = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert!(
        told.stdout.contains("1 update") && told.stdout.contains("one → two"),
        "{}",
        told.shown()
    );

    put("objects.yaml", &objects(29, "two"));
    let told = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert!(
        told.stdout.contains("configmap[\"layers/c29\"]") && told.stdout.contains("1 delete"),
        "{}",
        told.shown()
    );

    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    let left = sandbox.simulate(&["state", "list"]).expect(0);
    assert!(!left.stdout.contains("manifests"), "{}", left.shown());
}

const DEPLOYMENT: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec:
      containers:
      - name: main
        image: registry.example.com/d:1
        resources: {requests: {cpu: "0.5", memory: 1024Mi}, limits: {cpu: 1000m}}
"#;

#[test]
fn what_the_server_defaults_and_rewrites_is_no_difference() {
    let sandbox = Sandbox::new();
    let put = |name: &str, text: &str| std::fs::write(sandbox.path().join(name), text).expect("a writable folder");
    put("stack.toml", STACK);
    put("objects.yaml", DEPLOYMENT);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    sandbox.simulate(&["drift", "stack.toml"]).expect(0);
    // Asked about, because another field changes: the server answers with its own way of writing quantities.
    put("objects.yaml", &DEPLOYMENT.replace("d:1", "d:2"));
    let planned = sandbox.simulate(&["plan", "stack.toml", "--json"]).expect(0).json();
    let changes = &planned["resource_changes"][0]["changes"];
    assert_eq!(changes.as_array().map(Vec::len), Some(1), "{changes}");
    assert_eq!(changes[0]["after"]["value"], "registry.example.com/d:2", "{changes}");
}

#[test]
fn a_mistake_in_a_manifest_is_said_with_file_and_line() {
    let sandbox = Sandbox::new();
    let put = |name: &str, text: &str| std::fs::write(sandbox.path().join(name), text).expect("a writable folder");
    put("stack.toml", STACK);
    put(
        "objects.yaml",
        &objects(2, "x").replace("ConfigMap/c0", "ConfigMap/none"),
    );
    let told = sandbox.simulate(&["plan", "stack.toml"]).expect(1);
    assert!(
        told.stderr
            .contains("objects.yaml:12: it waits for `/namespaces/layers/ConfigMap/none`"),
        "{}",
        told.shown()
    );
    put("stack.toml", &STACK.replace("objects.yaml", "nothing.yaml"));
    let told = sandbox.simulate(&["plan", "stack.toml"]).expect(1);
    assert!(told.stderr.contains("nothing.yaml"), "{}", told.shown());
}

/// Two ConfigMaps, of which the one that comes later by its wave comes first by its name.
fn waves(early_says: &str) -> String {
    let one = |name: &str, wave: &str, says: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations: \
             {{argocd.argoproj.io/sync-wave: \"{wave}\"}}\ndata: {{a: {says}}}\n---\n"
        )
    };
    one("a-late", "1", "x") + &one("z-early", "0", early_says)
}

/// Tables behind those of the waves.
const MORE: &str = r#"
[[manifests]]
name = "chart"
path = "chart.yaml"

[[manifests]]
name = "app"
path = "app.yaml"
ready = [
  { kind = "Deployment", condition = "Available" },
  { kind = "ConfigMap", jsonpath = "{.data.a}", equals = "x" },
]

[[manifests]]
name = "last"
path = "last.yaml"
depends_on = ['manifests[app].configmap["default/a-app"]']
"#;

/// A ConfigMap with an annotation.
fn map(name: &str, annotation: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations: {{{annotation}}}\ndata: {{a: x}}\n---\n"
    )
}

/// What `helm template` prints of a chart whose hooks stand in the wrong order.
fn chart() -> String {
    [
        map("a-after", "helm.sh/hook: post-install"),
        map("m-main", ""),
        map(
            "z-before",
            "helm.sh/hook: \"pre-install,pre-upgrade\", helm.sh/hook-weight: \"-5\"",
        ),
        map("z-test", "helm.sh/hook: test"),
    ]
    .concat()
}

/// An application that comes after its database and its Deployment, by rules of kapp.
fn app() -> String {
    let rules = "kapp.k14s.io/change-rule.db: upsert after upserting db, kapp.k14s.io/change-rule.web: upsert after upserting web";
    let group = "name: d, annotations: {kapp.k14s.io/change-group: web}";
    let deployment = DEPLOYMENT.replace("name: d}", &format!("{group}}}").replace("name: d", "name: web"));
    [
        map("a-app", rules),
        map("z-db", "kapp.k14s.io/change-group: db"),
        deployment,
    ]
    .concat()
}

/// Those of some objects that were made, in the order in which they were.
fn order(sandbox: &Sandbox, names: &[&str]) -> Vec<String> {
    let audit = sandbox.audit();
    let made = audit.iter().filter(|entry| entry.is_our_write() && entry.created);
    let names = made.filter(|entry| names.contains(&entry.name.as_str()));
    names.map(|entry| entry.name.clone()).collect()
}

#[test]
fn a_wave_waits_for_the_one_before_it_by_readiness_in_cel_and_what_fails_holds_it_up() {
    let sandbox = Sandbox::new();
    let put = |name: &str, text: &str| std::fs::write(sandbox.path().join(name), text).expect("a writable folder");
    let ready = "ready = { kind = \"ConfigMap\", cel = \"self.data.a == 'x'\", failed = \"self.data.a == 'bad'\" }\n";
    put("stack.toml", &format!("{STACK}{ready}"));
    put("objects.yaml", &waves("bad"));
    let told = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(1);
    let said = format!("{}{}", told.stdout, told.stderr);
    assert!(said.contains("`self.data.a == 'bad'` holds"), "{}", told.shown());
    let made = || -> Vec<String> {
        let audit = sandbox.audit();
        let ours = audit.iter().filter(|entry| entry.is_our_write() && entry.created);
        let names = ours.map(|entry| entry.name.clone());
        names
            .filter(|name| name.starts_with("a-") || name.starts_with("z-"))
            .collect()
    };
    assert_eq!(made(), ["z-early"]);
    put("objects.yaml", &waves("x"));
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert_eq!(made(), ["z-early", "a-late"]);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);

    // Hooks of Helm, rules of kapp, and tables that wait for a condition and for a field.
    put("stack.toml", &format!("{STACK}{ready}{MORE}"));
    put("chart.yaml", &chart());
    put("app.yaml", &app());
    put("last.yaml", &map("a-last", ""));
    let told = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert!(
        told.stderr.contains("z-test is left out: it is a hook for `test`"),
        "{}",
        told.shown()
    );
    assert_eq!(
        order(&sandbox, &["a-after", "m-main", "z-before", "z-test"]),
        ["z-before", "m-main", "a-after"]
    );
    assert_eq!(order(&sandbox, &["a-app", "z-db"]), ["z-db", "a-app"]);
    assert_eq!(order(&sandbox, &["a-last", "web", "a-app"]), ["web", "a-app", "a-last"]);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);

    put(
        "stack.toml",
        &format!("{STACK}{}", ready.replace("self.data.a == 'x'", "self.dta. == 'x'")),
    );
    let told = sandbox.simulate(&["plan", "stack.toml"]).expect(1);
    assert!(
        told.stderr.contains("it is not CEL") && told.stderr.contains("stack.toml:7"),
        "{}",
        told.shown()
    );
}
