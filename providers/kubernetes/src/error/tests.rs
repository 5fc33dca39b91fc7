//! Every answer that `ssa-semantics.md` quotes, with what it means.

use super::*;
use serde_json::{Value, json};
use std::time::Duration;

fn of(kind: &str, code: u16, body: &str) -> ProviderError {
    let object_type = ObjectType::new("v1", kind);
    let subject = Subject {
        object_type: &object_type,
        is_in_namespace: kind != "Namespace",
    };
    meaning(&Refusal::read(code, None, body.as_bytes()), subject)
}

fn status_of(code: u16, reason: &str, message: &str, details: &Value) -> ProviderError {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": details, "code": code,
    });
    of("ConfigMap", code, &status.to_string())
}

fn said(code: u16, reason: &str, message: &str) -> ProviderError {
    status_of(code, reason, message, &json!({}))
}

#[test]
fn a_field_conflict_names_managers_and_fields() {
    let details = json!({"causes": [
        {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl-edit\" using apps/v1",
         "field": ".spec.template.spec.containers[name=\"main\"].env[name=\"A\"].value"},
        {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl\" with subresource \"scale\" using apps/v1",
         "field": ".spec.replicas"},
        {"reason": "FieldManagerConflict", "message": r#"conflict with "stackctl/s/x[\"q\"].y""#, "field": ".data.k"},
        {"reason": "FieldManagerConflict", "message": r#"conflict with "stackctl/s/x[\"q\"].y""#, "field": ".data.k"},
    ]});
    let ProviderError::Conflict(causes) = status_of(409, "Conflict", "Apply failed with 4 conflicts: …", &details)
    else {
        panic!("a conflict")
    };
    let named: Vec<_> = causes
        .iter()
        .map(|cause| (cause.manager.as_str(), cause.field.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("kubectl", ".spec.replicas"),
            (
                "kubectl-edit",
                r#".spec.template.spec.containers[name="main"].env[name="A"].value"#
            ),
            (r#"stackctl/s/x["q"].y"#, ".data.k"),
        ]
    );
    assert_eq!(
        causes[0].message,
        r#"conflict with "kubectl" with subresource "scale" using apps/v1"#
    );
}

#[test]
fn a_webhook_that_takes_no_dry_run_is_named() {
    assert_eq!(
        said(
            400,
            "BadRequest",
            "admission webhook \"v.exp.io\" does not support dry run"
        ),
        ProviderError::TakesNoDryRun {
            webhook: "v.exp.io".to_owned()
        }
    );
}

#[test]
fn the_other_meanings_of_409() {
    for (reason, message, meaning) in [
        (
            "Conflict",
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again",
            ProviderError::Modified,
        ),
        (
            "Conflict",
            "Operation cannot be fulfilled on ConfigMap \"f1\": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (1816). The object might have been modified",
            ProviderError::Modified,
        ),
        (
            "Conflict",
            "Operation cannot be fulfilled on configmaps \"a\": StorageError: invalid object, Code: 4, Key: /registry/configmaps/demo/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: 1816",
            ProviderError::Modified,
        ),
        (
            "Conflict",
            "Operation cannot be fulfilled on configmaps \"nope\": uid mismatch: the provided object specified uid 1, and no existing object was found",
            ProviderError::OtherUid,
        ),
        (
            "Conflict",
            "Operation cannot be fulfilled on ConfigMap \"f1\": the UID in the precondition (1) does not match the UID in record (2). The object might have been deleted and then recreated",
            ProviderError::OtherUid,
        ),
        (
            "Conflict",
            "Operation cannot be fulfilled on leases.coordination.k8s.io \"lk\": Precondition failed: UID in precondition: 1, UID in object meta: ",
            ProviderError::OtherUid,
        ),
        (
            "AlreadyExists",
            "object is being deleted: configmaps \"f1\" already exists",
            ProviderError::BeingDeleted,
        ),
        (
            "AlreadyExists",
            "configmaps \"f1\" already exists",
            ProviderError::AlreadyExists,
        ),
        (
            "Conflict",
            "something new",
            ProviderError::Other("something new".to_owned()),
        ),
    ] {
        assert_eq!(said(409, reason, message), meaning, "{message}");
    }
}

#[test]
fn the_three_meanings_of_404() {
    let kind = ProviderError::KindNotServed(ObjectType::new("v1", "ConfigMap"));
    assert_eq!(of("ConfigMap", 404, "404 page not found\n"), kind);
    let unknown = "the server could not find the requested resource";
    assert_eq!(said(404, "NotFound", unknown), kind);
    assert_eq!(
        status_of(
            404,
            "NotFound",
            "namespaces \"exp-missing\" not found",
            &json!({"name": "exp-missing", "kind": "namespaces"})
        ),
        ProviderError::NamespaceMissing("exp-missing".to_owned())
    );
    assert_eq!(
        status_of(
            404,
            "NotFound",
            "configmaps \"a\" not found",
            &json!({"name": "a", "kind": "configmaps"})
        ),
        ProviderError::NotFound
    );
    let namespace = r#"{"kind":"Status","message":"namespaces \"a\" not found","reason":"NotFound","details":{"name":"a","kind":"namespaces"},"code":404}"#;
    assert_eq!(of("Namespace", 404, namespace), ProviderError::NotFound);
}

#[test]
fn causes_of_422_are_said_once_and_without_what_was_not_checked() {
    let bound = json!({"reason": "FieldValueInvalid", "field": "spec.n",
        "message": "Invalid value: 0: spec.n in body should be greater than or equal to 1"});
    let unchecked = json!({"reason": "FieldValueInvalid", "field": "<nil>",
        "message": "Invalid value: \"null\": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"});
    let answer = status_of(
        422,
        "Invalid",
        "Thing \"a\" is invalid: …",
        &json!({"causes": [bound, unchecked, bound]}),
    );
    assert_eq!(
        answer,
        ProviderError::Invalid {
            message: "Thing \"a\" is invalid: …".to_owned(),
            causes: vec![(
                "spec.n".to_owned(),
                "Invalid value: 0: spec.n in body should be greater than or equal to 1".to_owned()
            )],
        }
    );
    let failed_patch = said(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
    );
    assert!(matches!(failed_patch, ProviderError::Invalid { causes, .. } if causes.is_empty()));
}

#[test]
fn some_422_mean_another_object_or_one_that_goes() {
    let uid = json!({"reason": "FieldValueInvalid", "field": "metadata.uid", "message": "Invalid value: \"1\": field is immutable"});
    let message = "ConfigMap \"a\" is invalid: metadata.uid: Invalid value: \"1\": field is immutable";
    assert_eq!(
        status_of(422, "Invalid", message, &json!({"causes": [uid, uid]})),
        ProviderError::OtherUid
    );
    let finalizer = "ConfigMap \"a\" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"x/y\"}";
    assert_eq!(said(422, "Invalid", finalizer), ProviderError::BeingDeleted);
}

#[test]
fn admission_says_no_in_several_codes() {
    let denial = "admission webhook \"v.example.com\" denied the request: only one is allowed";
    for code in [400, 403, 409, 422, 500] {
        assert_eq!(
            said(code, "Forbidden", denial),
            ProviderError::Denied {
                webhook: Some("v.example.com".to_owned()),
                message: denial.to_owned(),
            }
        );
    }
    let policy = "configmaps \"y\" is forbidden: ValidatingAdmissionPolicy 'exp-vap' with binding 'exp-vapb' denied request: bad is bad";
    assert_eq!(
        said(422, "Invalid", policy),
        ProviderError::Denied {
            webhook: None,
            message: policy.to_owned(),
        }
    );
}

#[test]
fn a_500_is_our_content_unless_it_says_otherwise() {
    for content in [
        "failed to create typed patch object (/s1; opendatahub.io/v1alpha, Kind=OdhDashboardConfig): .spec.zzz: field not declared in schema",
        "failed to create typed patch object (a/b; apps/v1, Kind=Deployment): errors:\n  .spec.a: field not declared in schema\n  .spec.b: field not declared in schema",
        "failed to prune fields: failed to convert merged object to last applied version: .spec.components.aipipelines: field not declared in schema",
    ] {
        assert_eq!(said(500, "", content), ProviderError::Schema(content.to_owned()));
    }
    let webhook = "Internal error occurred: failed calling webhook \"v.exp.io\": failed to call webhook: Post \"https://nosvc.exp-wh.svc:443/x?timeout=3s\": service \"nosvc\" not found";
    assert_eq!(
        said(500, "InternalError", webhook),
        ProviderError::WebhookUnavailable(webhook.to_owned())
    );
    let conversion = "conversion webhook for serving.kserve.io/v1alpha1, Kind=LLMInferenceService failed: Post \"https://a.b.svc:443/convert?timeout=30s\": service \"a\" not found";
    assert_eq!(
        said(500, "", conversion),
        ProviderError::WebhookUnavailable(conversion.to_owned())
    );
    let version = "request to convert CR to an invalid group/version: exp-x.io/v1alpha1";
    assert_eq!(said(500, "", version), ProviderError::VersionGone(version.to_owned()));
}

#[test]
fn a_500_of_a_server_in_trouble_is_waited_out() {
    for store in [
        "etcdserver: leader changed",
        "etcdserver: request timed out, possibly due to previous leader failure",
        "rpc error: code = Unavailable desc = transport is closing",
    ] {
        assert_eq!(said(500, "", store), ProviderError::Unavailable(store.to_owned()));
    }
    let later = "The update operation against things.exp-x.io could not be completed at this time, please try again.";
    assert_eq!(
        said(500, "ServerTimeout", later),
        ProviderError::Unavailable(later.to_owned())
    );
    let too_large = "etcdserver: request is too large";
    assert_eq!(said(500, "", too_large), ProviderError::Schema(too_large.to_owned()));
}

#[test]
fn an_internal_error_is_tried_a_few_times() {
    let internal = "Internal error occurred: resource quota evaluation timed out";
    let error = said(500, "InternalError", internal);
    assert_eq!(error, ProviderError::Internal(internal.to_owned()));
    assert_eq!(error.retry(), stackctl_engine::retry::RetryClass::AFewTimes);
}

#[test]
fn rights_credentials_and_patience() {
    let right = "configmaps \"a\" is forbidden: User \"nobody-user\" cannot patch resource \"configmaps\" in API group \"\" in the namespace \"exp-a\"";
    assert_eq!(
        said(403, "Forbidden", right),
        ProviderError::Forbidden(right.to_owned())
    );
    let anonymous =
        "namespaces \"kube-system\" is forbidden: User \"system:anonymous\" cannot get resource \"namespaces\"";
    assert_eq!(
        said(403, "Forbidden", anonymous),
        ProviderError::Unauthorized(anonymous.to_owned())
    );
    assert_eq!(
        said(401, "Unauthorized", "Unauthorized"),
        ProviderError::Unauthorized("Unauthorized".to_owned())
    );
    let terminating = json!({"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace",
        "message": "namespace exp-stuck is being terminated"}]});
    let message = "configmaps \"a\" is forbidden: unable to create new content in namespace exp-stuck because it is being terminated";
    assert_eq!(
        status_of(403, "Forbidden", message, &terminating),
        ProviderError::NamespaceTerminating
    );
    let large = "Too large resource version: 99999999, current: 1931";
    assert_eq!(
        said(504, "Timeout", large),
        ProviderError::Unavailable(large.to_owned())
    );
    assert_eq!(
        of("ConfigMap", 502, "Bad Gateway"),
        ProviderError::Unavailable("Bad Gateway".to_owned())
    );
    let asked = Some(Duration::from_secs(3));
    let object_type = ObjectType::new("v1", "ConfigMap");
    let subject = Subject {
        object_type: &object_type,
        is_in_namespace: true,
    };
    assert_eq!(
        meaning(
            &Refusal::read(429, asked, b"Too many requests, please try again later."),
            subject
        ),
        ProviderError::Throttled { retry_after: asked }
    );
}

#[test]
fn the_rest_is_said_in_the_servers_words() {
    for (code, message) in [
        (400, "invalid object type: /v1, Kind=Secret"),
        (400, "metadata.managedFields must be nil"),
        (413, "Request entity too large: limit is 3145728"),
    ] {
        assert_eq!(
            said(code, "BadRequest", message),
            ProviderError::Other(message.to_owned())
        );
    }
    assert_eq!(
        said(
            405,
            "MethodNotAllowed",
            "create not allowed while custom resource definition is terminating"
        ),
        ProviderError::BeingDeleted
    );
    let lease = "Lease in version \"v1\" cannot be handled as a Lease: parsing time \"2026-01-01T00:00:00Z\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse";
    assert_eq!(said(400, "BadRequest", lease), ProviderError::Schema(lease.to_owned()));
    assert_eq!(
        of("ConfigMap", 418, ""),
        ProviderError::Other("the server answered 418 without a word".to_owned())
    );
}

#[test]
fn an_error_about_a_secret_repeats_no_value() {
    let quoting =
        " \"\" is invalid: patch: Invalid value: {\"data\":{\"password\":\"aHVudGVyMg==\"}}: strict decoding error";
    let status = json!({"kind": "Status", "code": 422, "reason": "Invalid", "message": quoting, "details": {"causes": [
        {"reason": "FieldValueInvalid", "field": "data.password", "message": "Invalid value: \"hunter2\": must be longer"},
    ]}});
    for (code, message) in [(422, quoting), (500, ".data.password: expected string, got &{hunter2}")] {
        let mut status = status.clone();
        status["code"] = json!(code);
        status["message"] = json!(message);
        status["reason"] = json!("");
        let error = format!("{0} {0:?}", of("Secret", code, &status.to_string()));
        assert!(!error.contains("hunter2") && !error.contains("aHVudGVyMg"), "{error}");
        assert!(error.contains("data"), "{error}");
    }
}
