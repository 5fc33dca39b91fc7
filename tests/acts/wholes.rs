//! Lists and maps that a server takes as a whole, or item by item: what others put beside ours is theirs, and what they
//! change of ours is mended.

use super::server::{Folder, Server};

/// A selector, a reference and pull secrets, which are owned as a whole; ports, aliases and webhooks, which are owned by item.
fn objects(stack: &str) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata: {{name: web, namespace: {stack}}}
spec:
  selector: {{app: web}}
  ports: [{{name: http, port: 80}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {stack}}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      hostAliases: [{{ip: 192.0.2.1, hostnames: [a]}}]
      nodeSelector: {{zone: a}}
      containers:
      - name: main
        image: registry.example.com/web:1
        ports: [{{name: http, containerPort: 80}}]
        env: [{{name: POD, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {stack}}}
webhooks:
- name: {stack}.example.com
  clientConfig: {{caBundle: Cg==, service: {{name: web, namespace: {stack}, path: /v}}}}
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  rules: [{{apiGroups: [{stack}.example.com], apiVersions: [v1], operations: [CREATE], resources: [none]}}]
"
    )
}

fn patch(folder: &Folder<'_>, kind: &str, name: &str, patch: &str) {
    folder.kubectl(&["patch", kind, name, "--type=json", "-p", patch]);
}

pub(super) fn what_others_put_into_lists_beside_ours_is_no_drift_and_what_they_change_is_mended(server: &Server<'_>) {
    let folder = server.folder("wholes");
    folder.put("objects.yaml", &objects("wholes"));
    // An injector fills it in; where nothing is written there, nothing is to be said.
    folder.stack("ignore_fields = [\"webhooks[name='wholes.example.com'].clientConfig.caBundle\"]\n");
    folder.apply();
    let add = |kind: &str, name: &str, path: &str, value: &str| {
        let operation = format!(r#"[{{"op": "add", "path": "{path}", "value": {value}}}]"#);
        patch(&folder, kind, name, &operation);
    };
    add("service", "web", "/spec/ports/-", r#"{"name": "theirs", "port": 99}"#);
    let aliases = "/spec/template/spec/hostAliases/-";
    add(
        "deployment",
        "web",
        aliases,
        r#"{"ip": "192.0.2.2", "hostnames": ["b"]}"#,
    );
    add(
        "validatingwebhookconfiguration",
        "wholes",
        "/webhooks/0/clientConfig/caBundle",
        r#""LS0tCg==""#,
    );
    folder.is_converged();

    let edits = [
        ("service", "/spec/selector/app", r#""other""#),
        ("service", "/spec/ports/0/name", r#""named""#),
        ("deployment", "/spec/template/spec/nodeSelector/zone", r#""b""#),
        (
            "deployment",
            "/spec/template/spec/containers/0/ports/0/name",
            r#""named""#,
        ),
    ];
    for (kind, path, value) in edits {
        let operation = format!(r#"[{{"op": "replace", "path": "{path}", "value": {value}}}]"#);
        patch(&folder, kind, "web", &operation);
    }
    let drift = folder.run(&["drift"]).expect(2);
    let by_kubectl = drift.stdout.matches("kubectl-patch").count();
    assert_eq!(by_kubectl, edits.len(), "{}", drift.shown());
    let planned = folder.run(&["plan", "--detailed-exitcode"]).expect(2);
    let by_kubectl = planned.stdout.matches("last write by kubectl-patch").count();
    assert_eq!(by_kubectl, edits.len(), "{}", planned.shown());
    folder.apply();
    let service = folder.get("service", "web");
    assert_eq!(service["spec"]["selector"]["app"], "web", "{service}");
    assert_eq!(service["spec"]["ports"].as_array().map(Vec::len), Some(2), "{service}");

    // The same file in the name of somebody else: what the server adds to a reference is no conflict.
    folder.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", "objects.yaml"]);
    folder.is_converged();
    folder.destroy();
}

pub(super) fn a_map_of_a_custom_resource_is_emptied(server: &Server<'_>) {
    let folder = server.folder("emptied");
    let spec = |spec: &str| {
        let of = "apiVersion: emptied.example.com/v1\nkind: Holder";
        let text = format!("{of}\nmetadata: {{name: one, namespace: emptied}}\nspec: {spec}\n");
        folder.put("holder.yaml", &text);
    };
    folder.put(
        "definition.yaml",
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: holders.emptied.example.com}
spec:
  group: emptied.example.com
  names: {kind: Holder, plural: holders, singular: holder, listKind: HolderList}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              strict: {type: object, additionalProperties: {type: string}}
              loose: {type: object, x-kubernetes-preserve-unknown-fields: true}
",
    );
    spec("{strict: {a: b}, loose: {a: {b: c}, d: e}}");
    folder.apply();
    spec("{strict: {}, loose: {a: {}, d: e}}");
    let planned = folder.run(&["plan", "--detailed-exitcode"]).expect(2);
    planned.says(&["1 update", "strict"]);
    folder.apply();
    let held = &folder.get("holders.emptied.example.com", "one")["spec"];
    assert_eq!(held.to_string(), r#"{"loose":{"a":{},"d":"e"},"strict":{}}"#);
    // What others put into it from now on is theirs.
    let operation = r#"[{"op": "add", "path": "/spec/strict/theirs", "value": "yes"}]"#;
    patch(&folder, "holders.emptied.example.com", "one", operation);
    folder.is_converged();
    folder.destroy();
}
