//! Models and other pods of files against the pools of the stack around them.

use crate::{
    components::tests::stack_of,
    manifests::{Beside, Capacity, ManifestFile, read},
    stack::ManifestSet,
};
use std::collections::BTreeSet;

const STACK: &str = r#"
[stack]
name = "s"
[cluster]
platform = "aws"
[tls]
issuer = "existing"
[[gpu]]
name = "l40s"
tier = "l40s"
size = "g6e.12xlarge"
zones = ["a"]
[[models]]
name = "qwen3-8b"
namespace = "demo"
source = "hf://Qwen/Qwen3-8B-FP8"
gpus = 1
"#;

/// What is said of manifests in `theirs.yaml` beside that stack, a line each.
fn said(manifests: &str) -> String {
    let stack = stack_of(STACK);
    let openshift = stack.openshift.as_ref().expect("a stack for OpenShift");
    let set = ManifestSet::bare("theirs", "theirs.yaml");
    let file = ManifestFile {
        name: "theirs.yaml".to_owned(),
        text: manifests.to_owned(),
    };
    let sets = [(&set, vec![file])];
    let made = read(&sets).resources(&Beside {
        catalogue: &[],
        capacity: Capacity {
            pools: &openshift.gpu,
            models: &openshift.models,
        },
        allowed: &[],
        there: &BTreeSet::from(["demo".to_owned()]),
        missing: &BTreeSet::new(),
    });
    let lines: Vec<String> = match made {
        Ok(made) => made.notices.iter().map(ToString::to_string).collect(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    };
    lines.join("\n")
}

/// A model in a file, whose one container has so many GPUs and says this besides.
fn model(uri: &str, replicas: usize, gpus: usize, says: &str) -> String {
    format!(
        "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {{name: theirs, namespace: demo}}\n\
         spec:\n  replicas: {replicas}\n  model:\n    name: org/theirs\n    uri: {uri}\n  template:\n    containers:\n    \
         - name: main\n{says}      resources:\n        limits:\n          nvidia.com/gpu: \"{gpus}\"\n"
    )
}

#[test]
fn a_model_of_a_file_that_does_not_fit_is_refused_with_the_sum_where_its_source_stands() {
    let large = model("hf://meta/Llama-3.1-405B", 1, 4, "");
    insta::assert_snapshot!(said(&large), @"theirs.yaml:8: LLMInferenceService demo/theirs does not fit its GPUs: 405.9 B parameters × 2 bytes = 811.7 GB (756 GiB), and 4 × NVIDIA L40S has 192 GiB × 0.9 = 172.8 GiB");
    // vLLM is told to make less of it, in an argument or in the variable that the platform's image adds.
    for says in [
        "      args: [\"--quantization\", \"bitsandbytes\", \"--cpu-offload-gb=300\"]\n",
        "      env: [{name: VLLM_ADDITIONAL_ARGS, value: \"--cpu-offload-gb=600\"}]\n",
    ] {
        assert_eq!(said(&model("hf://meta/Llama-3.1-405B", 1, 3, says)), "");
    }
    assert_eq!(said(&model("hf://meta/Llama-3.1-8B", 1, 1, "")), "");
}

#[test]
fn gpus_of_files_are_summed_after_those_of_the_stack() {
    assert_eq!(said(&model("hf://org/theirs", 3, 1, "")), "");
    insta::assert_snapshot!(said(&model("hf://org/theirs", 2, 2, "")), @"theirs.yaml:14: 5 GPUs are asked for, and the pools of the stack have 4: 1 for `qwen3-8b`, 4 for LLMInferenceService demo/theirs; pools: `l40s` 4");
    // A copy runs on one node.
    insta::assert_snapshot!(said(&model("hf://org/theirs", 0, 8, "")), @"theirs.yaml:14: a pod of LLMInferenceService demo/theirs asks for 8 GPUs, and no node of the pools that it can run on has more than 4");
    let others = "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: older, namespace: demo}\n\
                  spec:\n  predictor:\n    minReplicas: 2\n    model:\n      modelFormat: {name: vLLM}\n      \
                  storageUri: oci://r.example.com/qwen3-8b-fp8:1\n      resources: {limits: {nvidia.com/gpu: 1}}\n---\n\
                  apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: notebook, namespace: demo}\nspec:\n  replicas: 2\n  \
                  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n      containers:\n      \
                  - {name: plain, image: i}\n      - {name: main, image: i, resources: {limits: {nvidia.com/gpu: \"1\"}}}\n";
    insta::assert_snapshot!(said(others), @"theirs.yaml:23: 5 GPUs are asked for, and the pools of the stack have 4: 1 for `qwen3-8b`, 2 for InferenceService demo/older, 2 for Deployment demo/notebook; pools: `l40s` 4");
    // What several nodes serve together is not counted.
    let spread = model("hf://meta/Llama-3.1-405B", 9, 8, "") + "  worker: {containers: [{name: main}]}\n";
    assert_eq!(said(&spread), "");
}
