//! Custom kinds: schemas, versions, status, generation, discovery (§7, §8, §9, §11).

use serde_json::{Value, json};

use crate::harness::{Cluster, object};

/// Where things of the test's namespace are.
pub(crate) const THING: &str = "/apis/exp-x.io/v1alpha1/namespaces/n/things";
const THING_BETA: &str = "/apis/exp-x.io/v1beta1/namespaces/n/things";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

pub(crate) fn thing(name: &str, spec: &Value) -> Value {
    object("exp-x.io/v1alpha1", "Thing", name, &json!({ "spec": spec }))
}

fn thing_schema() -> Value {
    let port = json!({"type": "object", "required": ["port"], "properties": {
        "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}, "name": {"type": "string"}}});
    json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "a": {"type": "string"}, "b": {"type": "string"}, "x": {"type": "string"}, "y": {"type": "string"},
            "d": {"type": "string", "default": "dflt"},
            "n": {"type": "integer", "minimum": 1, "maximum": 9},
            "e": {"type": "string", "enum": ["one", "two"]},
            "p": {"type": "string", "pattern": "^[a-z]+$"},
            "flag": {"type": "boolean"},
            "nul": {"type": "string", "nullable": true},
            "ios": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "mtls": {"type": "object", "properties": {"enable": {"type": "boolean"}}},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
            "atommap": {"type": "object", "additionalProperties": {"type": "string"}, "x-kubernetes-map-type": "atomic"},
            "atom": {"type": "array", "items": {"type": "string"}},
            "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "keyed": {"type": "array", "items": port, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"]},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "replicas": {"type": "integer"}}},
        "status": {"type": "object", "properties": {"phase": {"type": "string"}, "replicas": {"type": "integer"}}}}})
}

/// The definition of Thing: two versions of one schema, status and scale subresources.
pub(crate) fn thing_definition() -> Value {
    let version = |name: &str, storage: bool| {
        json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": thing_schema()},
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
            "additionalPrinterColumns": [{"name": "Phase", "type": "string", "jsonPath": ".status.phase"}]})
    };
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.exp-x.io"},
        "spec": {"group": "exp-x.io", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing", "shortNames": ["th"]},
            "versions": [version("v1alpha1", false), version("v1beta1", true)]}})
}

pub(crate) async fn define_thing(cluster: &Cluster) {
    cluster.define(&thing_definition()).await;
}

#[tokio::test]
async fn a_definition_is_established_and_its_kind_discovered() {
    let cluster = Cluster::start().await;
    let created = cluster
        .apply(&format!("{DEFINITIONS}/things.exp-x.io"), &thing_definition(), "s")
        .await;
    assert_eq!(created.code, 201);
    assert_eq!(
        created.body["status"]["conditions"],
        Value::Null,
        "conditions come later"
    );
    define_thing(&cluster).await;
    let definition = cluster.get(&format!("{DEFINITIONS}/things.exp-x.io")).await.body;
    assert_eq!(definition["status"]["acceptedNames"]["singular"], "thing");
    assert_eq!(definition["status"]["storedVersions"], json!(["v1beta1"]));
    let resources = cluster.get("/apis/exp-x.io/v1beta1").await.body;
    let names: Vec<&str> = resources["resources"]
        .as_array()
        .expect("resources")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names, ["things", "things/status", "things/scale"]);
    let aggregated = cluster
        .get_as(
            "/apis",
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
        )
        .await;
    assert_eq!(aggregated.body["kind"], "APIGroupDiscoveryList");
    assert!(aggregated.text.contains("\"exp-x.io\""));
    let group = cluster.get("/apis/exp-x.io").await.body;
    assert_eq!(group["preferredVersion"]["version"], "v1beta1");
    let document = cluster.get("/openapi/v3/apis/exp-x.io/v1beta1").await;
    assert!(
        document
            .text
            .contains("\"x-kubernetes-list-map-keys\":[\"port\",\"protocol\"]")
    );
}

/// The apply errors of §8, by spec.
#[tokio::test]
async fn schema_errors_of_an_apply_are_500_without_reason() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let head = "500 -: failed to create typed patch object (/s1; exp-x.io/v1alpha1, Kind=Thing): ";
    for (spec, expected) in [
        (json!({"zzz": 1}), ".spec.zzz: field not declared in schema"),
        (json!({"flag": "yes"}), ".spec.flag: expected boolean, got &{yes}"),
        (
            json!({"n": "1"}),
            ".spec.n: expected numeric (int or float), got string",
        ),
        (
            json!({"set": ["q", "q"]}),
            ".spec.set: duplicate entries for key [=\"q\"]",
        ),
        (
            json!({"zzz": 1, "yyy": 1}),
            "errors:\n  .spec.yyy: field not declared in schema\n  .spec.zzz: field not declared in schema",
        ),
    ] {
        let answer = cluster
            .apply(&format!("{THING}/s1"), &thing("s1", &spec), "s&fieldValidation=Strict")
            .await;
        assert_eq!(answer.summary(), format!("{head}{expected}"));
    }
}

/// The bounds of a schema, by spec.
#[tokio::test]
async fn bounds_are_422_with_causes() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    for (spec, expected) in [
        (
            json!({"n": 0}),
            "FieldValueInvalid spec.n Invalid value: 0: spec.n in body should be greater than or equal to 1",
        ),
        (
            json!({"n": 10}),
            "FieldValueInvalid spec.n Invalid value: 10: spec.n in body should be less than or equal to 9",
        ),
        (
            json!({"e": "three"}),
            "FieldValueNotSupported spec.e Unsupported value: \"three\": supported values: \"one\", \"two\"",
        ),
        (
            json!({"p": "A"}),
            "FieldValueInvalid spec.p Invalid value: \"A\": spec.p in body should match '^[a-z]+$'",
        ),
    ] {
        let answer = cluster
            .apply(&format!("{THING}/s1"), &thing("s1", &spec), "s&dryRun=All")
            .await;
        assert_eq!((answer.code, answer.causes()), (422, vec![expected.to_owned()]));
        let posted = cluster.post(THING, &thing("s1", &spec)).await;
        assert_eq!((posted.code, posted.causes()), (422, vec![expected.to_owned()]));
    }
    let both = cluster
        .apply(&format!("{THING}/s1"), &thing("s1", &json!({"ios": "50%"})), "s")
        .await;
    assert_eq!(both.code, 201);
}

#[tokio::test]
async fn unknown_fields_of_updates_are_pruned_with_a_warning_or_refused() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let path = &format!("{THING}/t");
    cluster.apply(path, &thing("t", &json!({"x": "1"})), "s").await.is_ok();
    let answer = cluster.merge(path, &json!({"spec": {"bogus": 1}}), "u").await;
    assert_eq!((answer.code, &answer.body["spec"]["bogus"]), (200, &Value::Null));
    assert_eq!(answer.warnings, ["299 - \"unknown field \\\"spec.bogus\\\"\""]);
    let strict = cluster
        .merge(path, &json!({"spec": {"bogus": 1}}), "u&fieldValidation=Strict")
        .await;
    assert!(
        strict
            .summary()
            .starts_with("422 Invalid:  \"\" is invalid: patch: Invalid value: "),
        "{}",
        strict.summary()
    );
}

#[tokio::test]
async fn default_list_keys_enter_the_key_and_untyped_parts_are_granular() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let spec = json!({"keyed": [{"port": 80}], "free": {"x": {"y": {"z": 1}}, "l": [1]}, "atommap": {"a": "b"}});
    let answer = cluster.apply(&format!("{THING}/t"), &thing("t", &spec), "s").await;
    assert_eq!(
        answer.managers(),
        [
            "s/Apply[spec.atommap spec.free.l spec.free.x. spec.free.x.y. spec.free.x.y.z \
          spec.keyed[{\"port\":80,\"protocol\":\"TCP\"}]. spec.keyed[{\"port\":80,\"protocol\":\"TCP\"}].port]"
        ]
    );
    assert_eq!(answer.body["spec"]["keyed"], json!([{"port": 80, "protocol": "TCP"}]));
}

#[tokio::test]
async fn a_manager_that_moves_to_another_version_has_one_entry_and_removals_count() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    cluster
        .apply(&format!("{THING}/t"), &thing("t", &json!({"a": "1", "b": "1"})), "s")
        .await
        .is_ok();
    cluster
        .apply(&format!("{THING}/t"), &thing("t", &json!({"x": "1"})), "m2")
        .await
        .is_ok();
    let beta = |spec: Value| object("exp-x.io/v1beta1", "Thing", "t", &json!({ "spec": spec }));
    let answer = cluster
        .apply(&format!("{THING_BETA}/t"), &beta(json!({"a": "1"})), "s")
        .await;
    assert_eq!(answer.body["spec"], json!({"a": "1", "d": "dflt", "x": "1"}));
    let entries = answer.body["metadata"]["managedFields"]
        .as_array()
        .expect("entries")
        .clone();
    let versions: Vec<_> = entries
        .iter()
        .map(|entry| (entry["manager"].clone(), entry["apiVersion"].clone()))
        .collect();
    assert!(
        versions.contains(&(json!("m2"), json!("exp-x.io/v1alpha1")))
            && versions.contains(&(json!("s"), json!("exp-x.io/v1beta1")))
    );
    let conflict = cluster
        .apply(&format!("{THING_BETA}/t"), &beta(json!({"x": "2"})), "s")
        .await;
    assert_eq!(conflict.cause_fields(), [".spec.x"]);
}

#[tokio::test]
async fn an_entry_in_a_version_that_is_gone_breaks_applies_until_it_is_mended() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    cluster
        .apply(&format!("{THING}/t"), &thing("t", &json!({"a": "1"})), "s")
        .await
        .is_ok();
    let mut definition = thing_definition();
    definition["spec"]["versions"]
        .as_array_mut()
        .expect("versions")
        .remove(0);
    cluster
        .apply(&format!("{DEFINITIONS}/things.exp-x.io"), &definition, "setup")
        .await
        .is_ok();
    cluster.until(&format!("{THING}/t"), |answer| answer.code == 404).await;
    let beta = object("exp-x.io/v1beta1", "Thing", "t", &json!({"spec": {"b": "1"}}));
    let path = format!("{THING_BETA}/t");
    let answer = cluster.apply(&path, &beta, "other").await;
    assert_eq!(
        answer.summary(),
        "500 -: request to convert CR to an invalid group/version: exp-x.io/v1alpha1"
    );
    let merged = cluster.merge(&path, &json!({"spec": {"y": "1"}}), "u&dryRun=All").await;
    assert!(merged.is_ok().managers().is_empty());
    let mend = json!([{"op": "replace", "path": "/metadata/managedFields/0/apiVersion", "value": "exp-x.io/v1beta1"}]);
    cluster.json_patch(&path, &mend, "s").await.is_ok();
    let answer = cluster.apply(&path, &beta, "s").await;
    assert_eq!(answer.is_ok().body["spec"]["a"], Value::Null);
}

#[tokio::test]
async fn status_belongs_to_its_endpoint() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let path = &format!("{THING}/t");
    let mut body = thing("t", &json!({"x": "1"}));
    body["status"] = json!({"phase": "Ready"});
    let answer = cluster.apply(path, &body, "s").await;
    assert_eq!(
        (&answer.body["status"], answer.managers()),
        (&Value::Null, vec!["s/Apply[spec.x]".to_owned()])
    );
    let answer = cluster
        .merge(
            &format!("{path}/status"),
            &json!({"status": {"phase": "Ready"}, "spec": {"x": "9"}}),
            "op",
        )
        .await;
    assert_eq!(
        (&answer.body["status"]["phase"], &answer.body["spec"]["x"]),
        (&json!("Ready"), &json!("1"))
    );
    assert!(
        answer
            .managers()
            .contains(&"op/Update/status[status. status.phase]".to_owned()),
        "{:?}",
        answer.managers()
    );
    assert_eq!(answer.body["metadata"]["generation"], 1);
    let answer = cluster.merge(path, &json!({"status": {"phase": "No"}}), "u").await;
    assert_eq!(answer.body["status"]["phase"], "Ready");
    let applied = cluster.apply(&format!("{path}/status"), &body, "op2").await;
    assert_eq!(applied.code, 200);
    assert!(
        applied
            .managers()
            .contains(&"op2/Apply/status[status.phase]".to_owned()),
        "{:?}",
        applied.managers()
    );
}

#[tokio::test]
async fn generation_counts_spec_and_deletion_only() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let path = &format!("{THING}/t");
    cluster.apply(path, &thing("t", &json!({"x": "1"})), "s").await.is_ok();
    let generation = |answer: &crate::harness::Answer| answer.body["metadata"]["generation"].clone();
    let labelled = cluster
        .merge(
            path,
            &json!({"metadata": {"labels": {"a": "b"}, "finalizers": ["x.io/f"]}}),
            "u",
        )
        .await;
    assert_eq!(generation(&labelled), 1);
    let changed = cluster.merge(path, &json!({"spec": {"x": "2"}}), "u").await;
    assert_eq!(generation(&changed), 2);
    let deleted = cluster.delete(path, None).await;
    assert_eq!(generation(&deleted), 3);
    let config_map = cluster
        .apply(
            "/api/v1/namespaces/n/configmaps/c",
            &crate::harness::config_map("c", &json!({"k": "v"})),
            "s",
        )
        .await;
    assert_eq!(generation(&config_map), Value::Null);
}

#[tokio::test]
async fn the_scale_of_a_custom_object_is_read_and_written() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let path = &format!("{THING}/t");
    cluster
        .apply(path, &thing("t", &json!({"replicas": 2})), "s")
        .await
        .is_ok();
    let scale = cluster.get(&format!("{path}/scale")).await;
    assert_eq!(
        (&scale.body["kind"], &scale.body["spec"]["replicas"]),
        (&json!("Scale"), &json!(2))
    );
    cluster
        .merge(&format!("{path}/scale"), &json!({"spec": {"replicas": 5}}), "hpa")
        .await
        .is_ok();
    assert_eq!(cluster.get(path).await.body["spec"]["replicas"], 5);
}

#[tokio::test]
async fn a_definition_ends_after_its_instances() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let definition = format!("{DEFINITIONS}/things.exp-x.io");
    let mut held = thing("held", &json!({"x": "1"}));
    held["metadata"]["finalizers"] = json!(["exp.io/never"]);
    cluster.post(THING, &held).await.is_ok();
    cluster.post(THING, &thing("free", &json!({"x": "1"}))).await.is_ok();
    let deleted = cluster.delete(&definition, None).await;
    assert_eq!(
        deleted.body["metadata"]["finalizers"],
        json!(["customresourcecleanup.apiextensions.k8s.io"])
    );
    cluster
        .until(&definition, |answer| {
            let conditions = answer.body["status"]["conditions"].as_array();
            conditions
                .into_iter()
                .flatten()
                .any(|one| one["type"] == "Terminating" && one["reason"] == "InstanceDeletionInProgress")
        })
        .await;
    assert_eq!(cluster.get(&format!("{THING}/free")).await.code, 404);
    let posted = cluster.post(THING, &thing("late", &json!({}))).await;
    assert_eq!(
        posted.summary(),
        "405 MethodNotAllowed: create not allowed while custom resource definition is terminating"
    );
    assert_eq!(
        cluster
            .apply(&format!("{THING}/late"), &thing("late", &json!({"x": "1"})), "s")
            .await
            .code,
        201
    );
    cluster.delete(&format!("{THING}/late"), None).await.is_ok();
    cluster
        .merge(
            &format!("{THING}/held"),
            &json!({"metadata": {"finalizers": null}}),
            "u",
        )
        .await
        .is_ok();
    cluster.until(&definition, |answer| answer.code == 404).await;
    let gone = cluster.get(THING).await;
    assert_eq!((gone.code, gone.text.trim()), (404, "404 page not found"));
}

#[tokio::test]
async fn rules_of_kubernetes_libraries_refuse_and_what_is_not_judged_is_told_once() {
    let cluster = Cluster::start().await;
    let spec = json!({"type": "object", "properties": {
        "address": {"type": "string", "x-kubernetes-validations": [{"rule": "isIP(self)", "message": "no address"}]},
        "version": {"type": "string", "x-kubernetes-validations": [
            {"rule": "semver(self).major() > 0"}, {"rule": "isSemver(self)"}, {"rule": "semver(self).minor() > 0"}]}}});
    let mut definition = thing_definition();
    for version in definition["spec"]["versions"].as_array_mut().expect("versions") {
        version["schema"]["openAPIV3Schema"]["properties"]["spec"] = spec.clone();
    }
    cluster.define(&definition).await;
    let apply = |spec: Value| {
        let cluster = &cluster;
        async move { cluster.apply(&format!("{THING}/t"), &thing("t", &spec), "s").await }
    };
    let refused = apply(json!({"address": "10.0.0"})).await;
    assert_eq!(refused.code, 422, "{}", refused.text);
    assert!(refused.text.contains("no address"), "{}", refused.text);
    apply(json!({"address": "10.0.0.1", "version": "0.0.0"})).await.is_ok();

    let unjudged = cluster.server.unjudged();
    let told: Vec<String> = unjudged.iter().map(ToString::to_string).collect();
    // Of two versions, each with three rules.
    assert_eq!(
        told,
        [
            "things.exp-x.io: 2 rules are not judged: it calls `isSemver`, which is not here; \
          2 rules are not judged: it calls `major`, which is not here; \
          2 rules are not judged: it calls `minor`, which is not here"
        ]
    );
}
