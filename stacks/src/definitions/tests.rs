use super::*;
use crate::{cluster_facts::stand_ins, parse};
use serde_json::json;
use stackctl_engine::{
    FieldPath, Manifest,
    late::{Encoding, Late, LateSource, SecretInput},
    readiness::Rule,
    resource::{Object, Overlay},
};

fn definition() -> Value {
    let spec = json!({
        "type": "object", "required": ["token"],
        "x-kubernetes-validations": [
            {"rule": "self.max >= self.min", "message": "max is below min"},
            {"rule": "self.min >= oldSelf.min", "message": "min cannot shrink"},
        ],
        "properties": {
            "min": {"type": "integer", "default": 1}, "max": {"type": "integer", "default": 3}, "token": {"type": "string"},
            "others": {"type": "integer"},
        },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "scope": "Cluster", "names": {"kind": "Thing", "plural": "things"}, "versions": [
            {"name": "v1", "served": true, "storage": true,
             "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}},
        ]},
    })
}

fn manifest(version: &str, spec: &Value) -> Manifest {
    let api_version = format!("example.com/{version}");
    Manifest::written(json!({"apiVersion": api_version, "kind": "Thing", "metadata": {"name": "x"}, "spec": spec}))
}

fn resource(manifest: Manifest) -> Resource {
    let object = Object::ready_when(manifest, Rule::Exists);
    Resource::new("a.thing".parse().expect("an address"), Node::Object(object))
}

fn told(resources: &[Resource], live: Option<&Value>) -> Vec<String> {
    let mut definitions = Definitions::default();
    definitions.add(&definition()).expect("a definition");
    let line = |address: &Address, field: &str| {
        let line = if field == "spec.mxa" { 9 } else { 7 };
        (address.to_string() == "a.thing").then(|| FileLine {
            file: "extra/thing.yaml".to_owned(),
            line,
        })
    };
    let resources: Vec<&Resource> = resources.iter().collect();
    let faults = definitions.check(&resources, line, |_| live);
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_mistake_is_told_at_its_file_its_address_and_its_field() {
    let bad = json!({"min": 9, "token": "t", "mxa": 10});
    assert_eq!(
        told(&[resource(manifest("v1", &bad))], None),
        [
            "extra/thing.yaml:9: `a.thing`: example.com/v1 Thing has no field `spec.mxa`",
            "extra/thing.yaml:7: `a.thing`: `spec`: Invalid value: \"object\": max is below min",
        ]
    );
    assert_eq!(
        told(&[resource(manifest("v2", &bad))], None),
        ["extra/thing.yaml:7: `a.thing`: the definition of Thing does not serve example.com/v2"]
    );
}

#[test]
fn a_field_that_is_not_there_has_a_suggestion() {
    let schema = Definition::read(&definition()).expect("a definition");
    let schema = &schema.version("v1").expect("served").schema;
    assert_eq!(instead(schema, "spec.maxx"), "did you mean `max`?");
    assert_eq!(instead(schema, "spec.zzzzzz"), "there it has max, min, others, token");
    assert_eq!(
        instead(schema, "spec.min.x"),
        "it would be dropped, so the API server refuses it"
    );
}

#[test]
fn a_value_that_comes_later_is_no_mistake() {
    let late = Late {
        path: FieldPath::of("spec.token"),
        source: LateSource::Input(SecretInput::Environment("TOKEN".to_owned())),
        encoding: Encoding::Plain,
        sensitive: true,
    };
    assert_eq!(
        told(&[resource(manifest("v1", &json!({})))], None).len(),
        1,
        "it is required"
    );
    assert_eq!(
        told(&[resource(manifest("v1", &json!({})).with_late(late))], None),
        [""; 0]
    );
}

#[test]
fn a_rule_about_a_change_sees_the_live_object_with_ours_on_it() {
    let live = json!({"spec": {"min": 3, "max": 9, "token": "t", "others": 1}});
    let ours = [resource(manifest("v1", &json!({"min": 2, "token": "t"})))];
    assert_eq!(told(&ours, None), [""; 0]);
    assert_eq!(
        told(&ours, Some(&live)),
        ["extra/thing.yaml:7: `a.thing`: `spec`: Invalid value: \"object\": min cannot shrink"]
    );
}

#[test]
fn what_a_webhook_of_the_stack_may_fill_in_is_not_missed() {
    let rules = json!([{"apiGroups": ["example.com"], "resources": ["things"], "operations": ["*"]}]);
    let webhook = Manifest::written(json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "w"}, "webhooks": [{"name": "w.example.com", "rules": rules}],
    }));
    let thing = resource(manifest("v1", &json!({})));
    assert_eq!(told(std::slice::from_ref(&thing), None).len(), 1);
    assert_eq!(told(&[thing, resource(webhook)], None), [""; 0]);
}

#[test]
fn an_overlay_is_a_part_of_its_object() {
    let overlay = |fields| Overlay {
        target: ObjectRef::cluster("example.com/v1", "Thing", "x"),
        fields,
        documents: Vec::new(),
        ready: Rule::Exists,
        settle: std::time::Duration::ZERO,
        create_if_absent: false,
    };
    let of = |fields| Resource::new("a.thing".parse().expect("an address"), Node::Overlay(overlay(fields)));
    assert_eq!(told(&[of(json!({"spec": {"min": 9}}))], None), [""; 0]);
    assert_eq!(told(&[of(json!({"spec": {"min": "9"}}))], None).len(), 1);
}

#[test]
fn a_definition_of_the_stack_holds_before_one_that_is_given() {
    let own = [resource(Manifest::written(definition()))];
    let mut definitions = Definitions::of_resources(&own);
    assert!(definitions.has(&GroupKind::new("example.com", "Thing")));
    let mut other = definition();
    other["spec"]["versions"][0]["name"] = json!("v9");
    definitions.add(&other).expect("a definition");
    let faults = definitions.check(
        &[&resource(manifest("v1", &json!({"token": "t"})))],
        |_, _| None,
        |_| None,
    );
    assert_eq!(faults, []);
    let broken = definitions
        .add(&json!({"kind": "CustomResourceDefinition"}))
        .expect_err("no definition");
    assert_eq!(broken.to_string(), "it has no `spec.versions`");
}

#[test]
fn a_stack_of_every_kind_compiles_with_facts_that_stand_in() {
    for text in [
        include_str!("../components/tests/additions.toml"),
        include_str!("../../../examples/quickstart/stack.toml"),
        include_str!("../../../examples/bare-metal/stack.toml"),
        include_str!("../../../examples/gateway-policies/stack.toml"),
    ] {
        let source = crate::Source {
            name: "stack.toml".to_owned(),
            text: text.to_owned(),
        };
        let (stack, _) = parse(&[source], &[]).expect("a stack");
        crate::compile(&stack, &stand_ins(&stack)).expect("facts that stand in fit every stack");
    }
}

#[test]
fn a_misspelt_field_of_a_kind_of_kubernetes_is_an_error_and_an_unknown_one_a_doubt() {
    let deployment = Manifest::written(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "n"},
        "spec": {"replica": 3, "novelty": true, "minReadySeconds": "5"},
    }));
    let at = |address: &str| {
        let node = Node::Object(Object::ready_when(deployment.clone(), Rule::Exists));
        Resource::new(address.parse().expect("an address"), node)
    };
    let (ours, theirs) = (at("a.deployment"), at("manifests[web].deployment[\"n/web\"]"));
    let line = |_: &Address, field: &str| {
        Some(FileLine {
            file: "web.yaml".to_owned(),
            line: field.len(),
        })
    };
    let found = OfKubernetes::check(&[&ours, &theirs], line);
    let told = |faults: &[DefinitionFault]| faults.iter().map(|fault| format!("{fault}\n")).collect::<String>();
    insta::assert_snapshot!(told(&found.errors), @r#"
    web.yaml:20: `manifests[web].deployment["n/web"]`: `spec.minReadySeconds`: must be of type integer, and is of type string
    web.yaml:12: `manifests[web].deployment["n/web"]`: apps/v1 Deployment has no field `spec.replica`
    "#);
    insta::assert_snapshot!(told(&found.doubts), @r#"web.yaml:12: `manifests[web].deployment["n/web"]`: apps/v1 Deployment has no field `spec.novelty`"#);
    let DefinitionFault::UnknownField { hint, .. } = &found.errors[1] else {
        panic!("{:?}", found.errors[1]);
    };
    assert_eq!(hint, "did you mean `replicas`?");
}
