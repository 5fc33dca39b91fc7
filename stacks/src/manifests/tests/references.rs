//! What objects need by the fields that name it.

use super::*;

const WORKLOAD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: n}
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
metadata: {name: web, namespace: n}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: may, namespace: n}
roleRef: {kind: Role, name: read, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: read, namespace: n}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: n}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: files, namespace: n}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: files, namespace: other}}
---
{apiVersion: v1, kind: Secret, metadata: {name: pull, namespace: n}}
---
{apiVersion: v1, kind: Secret, metadata: {name: init, namespace: n}}
---
{apiVersion: v1, kind: Secret, metadata: {name: certificate, namespace: n}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: disk, namespace: n}}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}}
";

#[test]
fn a_workload_waits_for_all_that_it_names() {
    assert_eq!(
        waits(&made(&set(), WORKLOAD)),
        [
            "deployment[\"n/web\"] -> configmap[\"n/files\"] applied",
            "deployment[\"n/web\"] -> configmap[\"n/settings\"] applied",
            "deployment[\"n/web\"] -> persistentvolumeclaim[\"n/disk\"] applied",
            "deployment[\"n/web\"] -> priorityclass[high] applied",
            "deployment[\"n/web\"] -> rolebinding[\"n/may\"] applied",
            "deployment[\"n/web\"] -> secret[\"n/certificate\"] applied",
            "deployment[\"n/web\"] -> secret[\"n/init\"] applied",
            "deployment[\"n/web\"] -> secret[\"n/pull\"] applied",
            "deployment[\"n/web\"] -> serviceaccount[\"n/web\"] applied",
            "rolebinding[\"n/may\"] -> role[\"n/read\"] applied",
            "rolebinding[\"n/may\"] -> serviceaccount[\"n/web\"] applied",
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
metadata: {name: one, namespace: n}
---
apiVersion: v1
kind: Service
metadata: {name: hook, namespace: n}
spec: {selector: {app: operator}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: operator, namespace: n}
spec: {template: {metadata: {labels: {app: operator}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: judge}
webhooks:
- name: judge.example.com
  failurePolicy: Fail
  clientConfig: {service: {name: hook, namespace: n}}
  rules: [{apiGroups: [example.com], apiVersions: [v1], operations: [CREATE], resources: [widgets]}]
";

#[test]
fn a_definition_its_webhook_and_an_object_of_it_in_one_file_are_in_order() {
    let made = made(&set(), OPERATOR);
    assert_eq!(
        waits(&made),
        [
            "widget[\"n/one\"] -> customresourcedefinition[widgets.example.com] ready",
            "widget[\"n/one\"] -> validatingwebhookconfiguration[judge] applied",
            "validatingwebhookconfiguration[judge] -> deployment[\"n/operator\"] ready",
            "validatingwebhookconfiguration[judge] -> service[\"n/hook\"] applied",
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
            .any(|line| line.contains("widget[\"n/one\"] -> validating"))
    );
}

#[test]
fn what_is_said_goes_before_what_fields_name() {
    let text = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: n, annotations: {argocd.argoproj.io/sync-wave: \"0\"}}
spec: {template: {spec: {containers: [{name: a, envFrom: [{configMapRef: {name: late}}, {configMapRef: {name: early}}]}]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: late, namespace: n, annotations: {argocd.argoproj.io/sync-wave: \"1\"}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: early, namespace: n}}
";
    assert_eq!(
        waits(&made(&set(), text)),
        [
            "turn[0] -> configmap[\"n/early\"] ready",
            "turn[0] -> deployment[\"n/web\"] ready",
            "deployment[\"n/web\"] -> configmap[\"n/early\"] applied",
            "configmap[\"n/late\"] -> turn[0] ready",
        ]
    );
}
