//! Fields that may not change (§10).

use serde_json::{Value, json};

use crate::harness::{Cluster, object};

/// Kind and path of an object, its first state, a merge patch, and the cause that answers it.
struct Case {
    path: &'static str,
    object: Value,
    patch: Value,
    cause: &'static str,
}

fn cases() -> Vec<Case> {
    let pod = json!({"metadata": {"labels": {"app": "d"}}, "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "i:1"}]}});
    let workload =
        json!({"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "main", "image": "i:1"}]}});
    let selector = json!({"matchLabels": {"app": "d"}});
    vec![
        Case {
            path: "/api/v1/namespaces/n/services/x",
            object: object("v1", "Service", "x", &json!({"spec": {"ports": [{"port": 80}]}})),
            patch: json!({"spec": {"clusterIP": "172.30.9.9"}}),
            cause: "FieldValueInvalid spec.clusterIPs[0] Invalid value: [\"172.30.9.9\"]: may not change once set",
        },
        Case {
            path: "/apis/batch/v1/namespaces/n/jobs/x",
            object: object(
                "batch/v1",
                "Job",
                "x",
                &json!({"spec": {"completions": 1, "template": pod}}),
            ),
            patch: json!({"spec": {"completions": 2}}),
            cause: "FieldValueInvalid spec.completions Invalid value: 2: field is immutable",
        },
        Case {
            path: "/apis/apps/v1/namespaces/n/deployments/x",
            object: object(
                "apps/v1",
                "Deployment",
                "x",
                &json!({"spec": {"selector": selector, "template": workload}}),
            ),
            patch: json!({"spec": {"selector": {"matchLabels": {"app": "e"}}, "template": {"metadata": {"labels": {"app": "e"}}}}}),
            cause: "FieldValueInvalid spec.selector Invalid value: {\"matchLabels\":{\"app\":\"e\"}}: field is immutable",
        },
        Case {
            path: "/apis/apps/v1/namespaces/n/statefulsets/x",
            object: object(
                "apps/v1",
                "StatefulSet",
                "x",
                &json!({"spec": {"serviceName": "a", "selector": selector, "template": workload}}),
            ),
            patch: json!({"spec": {"serviceName": "b"}}),
            cause: "FieldValueForbidden spec Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        },
        Case {
            path: "/api/v1/namespaces/n/configmaps/x",
            object: object("v1", "ConfigMap", "x", &json!({"immutable": true, "data": {"k": "v"}})),
            patch: json!({"data": {"k": "w"}}),
            cause: "FieldValueForbidden data Forbidden: field is immutable when `immutable` is set",
        },
        Case {
            path: "/api/v1/namespaces/n/secrets/x",
            object: object("v1", "Secret", "x", &json!({})),
            patch: json!({"type": "kubernetes.io/tls"}),
            cause: "FieldValueInvalid type Invalid value: \"kubernetes.io/tls\": field is immutable",
        },
        Case {
            path: "/api/v1/namespaces/n/persistentvolumeclaims/x",
            object: object(
                "v1",
                "PersistentVolumeClaim",
                "x",
                &json!({"spec": {"storageClassName": "a", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
            ),
            patch: json!({"spec": {"storageClassName": "b"}}),
            cause: "FieldValueForbidden spec Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        },
        Case {
            path: "/apis/rbac.authorization.k8s.io/v1/namespaces/n/rolebindings/x",
            object: object(
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                "x",
                &json!({"roleRef": {"kind": "Role", "name": "a"}}),
            ),
            patch: json!({"roleRef": {"name": "b"}}),
            cause: "FieldValueInvalid roleRef Invalid value: {\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"Role\",\"name\":\"b\"}: cannot change roleRef",
        },
        Case {
            path: "/apis/storage.k8s.io/v1/storageclasses/x",
            object: object(
                "storage.k8s.io/v1",
                "StorageClass",
                "x",
                &json!({"provisioner": "a.io/a"}),
            ),
            patch: json!({"provisioner": "b.io/b"}),
            cause: "FieldValueForbidden provisioner Forbidden: updates to provisioner are forbidden.",
        },
        Case {
            path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.exp-x.io",
            object: crate::definitions::thing_definition(),
            patch: json!({"spec": {"scope": "Cluster"}}),
            cause: "FieldValueInvalid spec.scope Invalid value: \"Cluster\": field is immutable",
        },
    ]
}

#[tokio::test]
async fn a_change_of_an_immutable_field_is_422_in_a_dry_run_too() {
    let cluster = Cluster::start().await;
    for Case {
        path,
        object,
        patch,
        cause,
    } in cases()
    {
        cluster.apply(path, &object, "s").await.is_ok();
        for options in ["u", "u&dryRun=All"] {
            let answer = cluster.merge(path, &patch, options).await;
            assert_eq!((answer.code, answer.causes()), (422, vec![cause.to_owned()]), "{path}");
            assert_eq!(answer.body["reason"], "Invalid");
        }
    }
}

/// The texts are those of Kubernetes 1.34 (`pkg/apis/core/validation`).
#[tokio::test]
async fn a_bound_claim_grows_and_does_not_shrink() {
    let cluster = Cluster::start().await;
    let path = "/api/v1/namespaces/n/persistentvolumeclaims/x";
    let asks = |size: &str| json!({"spec": {"resources": {"requests": {"storage": size}}}});
    let mut claim = asks("10Gi");
    claim["spec"]["accessModes"] = json!(["ReadWriteOnce"]);
    cluster
        .apply(path, &object("v1", "PersistentVolumeClaim", "x", &claim), "s")
        .await
        .is_ok();
    let bound = json!({"status": {"phase": "Bound", "capacity": {"storage": "10Gi"}}});
    cluster.merge(&format!("{path}/status"), &bound, "s").await.is_ok();
    let refused =
        "FieldValueForbidden spec.resources.requests.storage Forbidden: field can not be less than status.capacity";
    for size in ["5Gi", "10000Mi"] {
        let answer = cluster.merge(path, &asks(size), "u&dryRun=All").await;
        assert_eq!(
            (answer.code, answer.causes()),
            (422, vec![refused.to_owned()]),
            "{size}"
        );
    }
    cluster.merge(path, &asks("20Gi"), "u").await.is_ok();
    // A growth that is still under way may be taken back in part.
    cluster.merge(path, &asks("15Gi"), "u").await.is_ok();
    let answer = cluster.merge(path, &asks("10Gi"), "u").await;
    assert_eq!((answer.code, answer.causes()), (422, vec![refused.to_owned()]));
}
