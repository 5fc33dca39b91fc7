//! What objects need by the fields that name it.

use super::*;

const WORKLOAD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ns}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      serviceAccountName: web
      priorityClassName: high
      imagePullSecrets: [{name: pull}]
      initContainers: [{name: i, envFrom: [{secretRef: {name: init}}]}]
      containers:
      - name: main
        env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: a}}}]
      volumes:
      - {name: a, configMap: {name: files}}
      - {name: b, secret: {secretName: elsewhere}}
      - {name: c, persistentVolumeClaim: {claimName: disk}}
      - {name: d, projected: {sources: [{secret: {name: certificate}}]}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: ns}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: may, namespace: ns}
roleRef: {kind: Role, name: read, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: read, namespace: ns}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: ns}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: files, namespace: ns}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: files, namespace: other}}
---
{apiVersion: v1, kind: Secret, metadata: {name: pull, namespace: ns}}
---
{apiVersion: v1, kind: Secret, metadata: {name: init, namespace: ns}}
---
{apiVersion: v1, kind: Secret, metadata: {name: certificate, namespace: ns}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: disk, namespace: ns}}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}}
";

#[test]
fn a_workload_waits_for_all_that_it_names() {
    assert_eq!(
        waits(&made(&set(), WORKLOAD)),
        [
            "deployment[\"ns/web\"] -> configmap[\"ns/files\"] applied",
            "deployment[\"ns/web\"] -> configmap[\"ns/settings\"] applied",
            "deployment[\"ns/web\"] -> persistentvolumeclaim[\"ns/disk\"] applied",
            "deployment[\"ns/web\"] -> priorityclass[high] applied",
            "deployment[\"ns/web\"] -> rolebinding[\"ns/may\"] applied",
            "deployment[\"ns/web\"] -> secret[\"ns/certificate\"] applied",
            "deployment[\"ns/web\"] -> secret[\"ns/init\"] applied",
            "deployment[\"ns/web\"] -> secret[\"ns/pull\"] applied",
            "deployment[\"ns/web\"] -> serviceaccount[\"ns/web\"] applied",
            "rolebinding[\"ns/may\"] -> role[\"ns/read\"] applied",
            "rolebinding[\"ns/may\"] -> serviceaccount[\"ns/web\"] applied",
        ]
    );
}

const OPERATOR: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: one, namespace: ns}
---
apiVersion: v1
kind: Service
metadata: {name: hook, namespace: ns}
spec: {selector: {app: operator}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: operator, namespace: ns}
spec: {template: {metadata: {labels: {app: operator}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: judge}
webhooks:
- name: judge.example.com
  failurePolicy: Fail
  clientConfig: {service: {name: hook, namespace: ns}}
  rules: [{apiGroups: [example.com], apiVersions: [v1], operations: [CREATE], resources: [widgets]}]
";

#[test]
fn a_definition_its_webhook_and_an_object_of_it_in_one_file_are_in_order() {
    let made = made(&set(), OPERATOR);
    assert_eq!(
        waits(&made),
        [
            "widget[\"ns/one\"] -> customresourcedefinition[\"widgets.example.com\"] ready",
            "widget[\"ns/one\"] -> validatingwebhookconfiguration[judge] applied",
            "validatingwebhookconfiguration[judge] -> deployment[\"ns/operator\"] ready",
            "validatingwebhookconfiguration[judge] -> service[\"ns/hook\"] applied",
        ]
    );
    assert_eq!(told(&made), [""; 0]);
}

#[test]
fn a_webhook_that_may_be_passed_over_holds_nothing_up() {
    let made = made(
        &set(),
        &OPERATOR.replace("failurePolicy: Fail", "failurePolicy: Ignore"),
    );
    assert!(
        !waits(&made)
            .iter()
            .any(|line| line.contains("widget[\"ns/one\"] -> validating"))
    );
}

#[test]
fn what_is_said_goes_before_what_fields_name() {
    let text = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ns, annotations: {argocd.argoproj.io/sync-wave: \"0\"}}
spec: {template: {spec: {containers: [{name: a, envFrom: [{configMapRef: {name: late}}, {configMapRef: {name: early}}]}]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: late, namespace: ns, annotations: {argocd.argoproj.io/sync-wave: \"1\"}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: early, namespace: ns}}
";
    assert_eq!(
        waits(&made(&set(), text)),
        [
            "turn[0] -> configmap[\"ns/early\"] ready",
            "turn[0] -> deployment[\"ns/web\"] ready",
            "deployment[\"ns/web\"] -> configmap[\"ns/early\"] applied",
            "configmap[\"ns/late\"] -> turn[0] ready",
        ]
    );
}

#[test]
fn what_fields_name_closes_no_circle_through_a_namespace() {
    let text = "
apiVersion: v1
kind: Namespace
metadata: {name: team, annotations: {config.kubernetes.io/depends-on: apps/namespaces/sys/Deployment/policy}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: policy, namespace: sys}
spec: {template: {spec: {serviceAccountName: policy, containers: [{name: a}]}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rb, namespace: team}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: policy, namespace: sys}]
";
    // Of the graph, which takes no circle.
    let waits = waits(&made(&set(), text));
    let is_said = |wait: &String| wait.starts_with("namespace[team] -> deployment[\"sys/policy\"]");
    assert!(waits.iter().any(is_said), "{waits:?}");
}
