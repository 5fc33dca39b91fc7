use super::*;
use crate::{Source, parse};
use serde_json::{Value, json};

fn seen(answers: &[Value]) -> Seen {
    let mut seen = Seen::default();
    for question in questions() {
        let kind = match &question {
            Question::Object(object) => &object.object_type.kind,
            Question::All(of) => &of.kind,
        };
        let of_it: Vec<_> = answers
            .iter()
            .filter(|answer| answer["kind"] == kind.as_str())
            .cloned()
            .collect();
        seen.take(&question, &of_it);
    }
    seen
}

fn on_aws() -> Vec<Value> {
    let set = |zone: &str| {
        let placement = json!({"availabilityZone": format!("eu-west-1{zone}"), "region": "eu-west-1"});
        json!({"kind": "MachineSet", "spec": {"template": {"spec": {"providerSpec": {"value": {"placement": placement}}}}}})
    };
    vec![
        json!({"kind": "ClusterVersion", "status": {"desired": {"version": "4.21.3"}}}),
        json!({"kind": "Infrastructure", "status": {"platform": "AWS", "platformStatus": {"aws": {"region": "eu-west-1"}}}}),
        json!({"kind": "Ingress", "spec": {"domain": "apps.example.com"}}),
        json!({"kind": "StorageClass", "metadata": {"name": "gp3-csi", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}),
        set("a"),
        set("b"),
        set("c"),
    ]
}

fn node(labels: &Value, gpus: Option<&str>) -> Value {
    json!({"kind": "Node", "metadata": {"labels": labels}, "status": {"capacity": {"nvidia.com/gpu": gpus}}})
}

/// What was written is a stack, without a word against it.
#[track_caller]
fn parsed(text: &str) -> crate::Stack {
    let source = Source {
        name: "stack.toml".to_owned(),
        text: text.to_owned(),
    };
    let (stack, warnings) = parse(&[source], &[]).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    assert!(warnings.is_empty(), "{warnings:?}\n{text}");
    stack
}

fn lines(seen: &Seen, decided: &Starter) -> String {
    let all = findings(seen, decided);
    let line = |found: &Found| {
        format!(
            "{}{}: {}\n",
            if found.is_doubt { "! " } else { "" },
            found.about,
            found.says
        )
    };
    all.iter().map(line).collect()
}

#[test]
fn a_cluster_on_aws_without_gpus_buys_some_where_its_machines_are() {
    let seen = seen(&on_aws());
    let decided = starter(&seen, "first");
    let text = text(&decided, Some("prod-eu (OpenShift 4.21.3)"));
    assert_eq!(parsed(&text).name.as_str(), "first");
    insta::assert_snapshot!(format!("{}\n{text}", lines(&seen, &decided)));
}

#[test]
fn gpus_that_are_there_are_used_and_known_by_label_or_instance_type() {
    let mut answers = on_aws();
    answers.push(node(&json!({"node.kubernetes.io/instance-type": "g6e.2xlarge"}), None));
    answers.push(node(&json!({"nvidia.com/gpu.product": "NVIDIA-L40S"}), Some("4")));
    let seen = seen(&answers);
    let decided = starter(&seen, "first");
    assert_eq!(decided.gpus, Gpus::There(GpuTier::named("l40s")));
    assert_eq!(decided.replicas, 2);
    let text = text(&decided, Some("c"));
    parsed(&text);
    assert!(
        text.contains("provision = \"existing\"") && text.contains("nvidia-l40s-profile"),
        "{text}"
    );
    let said = lines(&seen, &decided);
    assert!(said.contains("gpus: 5 × NVIDIA L40S on 2 nodes, 48 GiB each"), "{said}");
}

#[test]
fn machines_of_ones_own_without_gpus_get_a_stack_whose_model_is_a_comment() {
    let seen = seen(&[json!({"kind": "Infrastructure", "status": {"platform": "None"}})]);
    let decided = starter(&seen, "first");
    let text = text(&decided, Some("lab"));
    let stack = parsed(&text);
    assert!(stack.openshift.is_some_and(|openshift| openshift.models.is_empty()));
    insta::assert_snapshot!(format!("{}\n{text}", lines(&seen, &decided)));
}

#[test]
fn that_gpus_cannot_be_seen_before_nodes_are_labelled_is_said() {
    let on_metal = |labels: Value| {
        let infrastructure = json!({"kind": "Infrastructure", "status": {"platform": "None"}});
        let seen = seen(&[infrastructure, node(&labels, None)]);
        let decided = starter(&seen, "first");
        (lines(&seen, &decided), text(&decided, Some("lab")))
    };
    let worker = "node-role.kubernetes.io/worker";
    let (said, text) = on_metal(json!({worker: ""}));
    assert!(
        said.contains("! gpus: not known: no node is labelled by its devices"),
        "{said}"
    );
    assert!(text.contains("# Whether nodes have GPUs could not be seen"), "{text}");
    let all = text
        .replace("# [[gpu]]", "[[gpu]]")
        .replace("# name      = \"gpu\"", "name = \"gpu\"");
    let all = all.replace("# provision", "provision");
    assert_eq!(parsed(&all).openshift.expect("tables of the platform").gpu.len(), 1);
    // Where they are labelled, that there are none is known.
    let (said, text) = on_metal(json!({worker: "", "feature.node.kubernetes.io/cpu-model.family": "6"}));
    assert!(said.contains("! gpus: none on any node"), "{said}");
    assert!(text.contains("# No node has a GPU yet"), "{text}");
}

#[test]
fn what_is_too_small_for_the_first_model_is_said_with_the_sum() {
    let small = node(
        &json!({"nvidia.com/gpu.product": "NVIDIA-T4-8", "nvidia.com/gpu.memory": "8192"}),
        Some("1"),
    );
    let seen = seen(&[small]);
    let decided = starter(&seen, "first");
    assert_eq!(decided.replicas, 0);
    parsed(&text(&decided, None));
    let said = lines(&seen, &decided);
    let sum = "! gpus: 1 × NVIDIA-T4-8 on 1 node, 8 GiB each: too small for Qwen3-8B in FP8, which takes 7.6 GiB";
    assert!(said.contains(sum), "{said}");
}

#[test]
fn what_others_installed_and_an_old_cluster_are_doubts() {
    let mut answers = on_aws();
    answers[0] = json!({"kind": "ClusterVersion", "status": {"desired": {"version": "4.19.8"}}});
    answers.push(json!({"kind": "Subscription", "spec": {"name": "rhods-operator", "channel": "beta"}}));
    let seen = seen(&answers);
    let decided = starter(&seen, "first");
    assert_eq!(decided.profile, "ea");
    parsed(&text(&decided, Some("c")));
    let said = lines(&seen, &decided);
    assert!(said.contains("! openshift: 4.19.8"), "{said}");
    assert!(
        said.contains("! operators: rhods-operator (beta) installed by others"),
        "{said}"
    );
}

#[test]
fn without_a_cluster_it_is_the_quickstart() {
    let text = text(&offline("demo"), None);
    assert_eq!(parsed(&text).name.as_str(), "demo");
    assert!(text.contains("zones = [\"a\", \"b\"]"), "{text}");
}
