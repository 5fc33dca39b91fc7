//! What an apply ends in when models, or the policies that guard them, go wrong in the cluster: as in
//! `serving_diagnoses.rs`.

use crate::serving_ends::{End, LIMIT, MAAS, PLATFORM, WITH_MAAS, again, apply, blocks, ends, longer, model, tier};

/// M12, M13, and servers that end.
#[test]
fn what_keeps_the_pods_of_a_model_from_running_is_told_of_each_by_itself() {
    let models = [
        model("pulled", "oci://registry.example.com/models/pulled:1"),
        model("gated", "hf://meta-llama/Llama-3.1-8B"),
        model("starved", "hf://org/starved"),
        model("crashed", "hf://org/crashed"),
    ]
    .concat();
    let sandbox = WITH_MAAS.copy(&format!("{PLATFORM}{models}{MAAS}{}", tier("crashed", 1, 300)));
    let faults = [
        "unpullable@models/pulled",
        "gated-repository@gated",
        "out-of-memory@starved-kserve",
        "crashing@crashed-kserve",
    ];
    let ran = apply(&sandbox, &faults, None);
    ends(
        &ran,
        &[
            (
                "model[pulled].service will not become ready",
                &[
                    "LLMInferenceService pulled: Ready=False, MinimumReplicasUnavailable: Deployment does not have minimum \
                     availability.",
                    "Pod pulled-kserve-*: container modelcar: ImagePullBackOff: Back-off pulling image \
                     \"registry.example.com/models/pulled:1\": ErrImagePull: unauthorized: access to the requested resource \
                     is not authorized",
                ],
                again!("see that the image is there, and that Secret openshift-config/pull-secret has its registry"),
            ),
            (
                "model[gated].service will not become ready",
                &[
                    "Pod gated-kserve-*: container storage-initializer: CrashLoopBackOff: it ended with code 1, Error: \
                     huggingface_hub.errors.GatedRepoError: 401 Client Error. Cannot access gated repo for url \
                     https://huggingface.co/api/models/meta-llama/Llama-3.1-8B. Access to model meta-llama/Llama-3.1-8B is \
                     restricted.",
                ],
                again!(
                    "accept the terms of the model where it is published, and give `hf_token` of `[[models]]` gated a token \
                     that may read it"
                ),
            ),
            (
                "model[starved].service will not become ready",
                &[
                    "Pod starved-kserve-*: container main: it ended with code 137, OOMKilled: INFO 01-01 00:00:00 \
                     [gpu_model_runner.py] Starting to load model",
                ],
                again!("give `[[models]]` starved more `memory`"),
            ),
            (
                "model[crashed].service will not become ready",
                &[
                    "Pod crashed-kserve-*: container main: CrashLoopBackOff: it ended with code 1, Error: RuntimeError: \
                     Engine core initialization failed. See root cause above.",
                ],
                again!("see `stackctl logs model[crashed]`; its flags are `args` of `[models.vllm]`"),
            ),
        ],
    );
    // What mirrors a model does not wait for one that has failed.
    let mirrors = ["crashed", "gated", "pulled", "starved"].map(|name| format!("maas.model[{name}].ref"));
    blocks(&ran, &mirrors.each_ref().map(String::as_str));
}

/// M5, M6, M25, S8, and a limit that never arrives (§1.12): on a platform that serves two models already.
#[test]
fn what_others_did_to_a_model_is_told_with_what_they_left() {
    let stack = |more: &str, small: usize| {
        let models = [model("small", "hf://org/small"), model("doubled", "hf://org/doubled")].concat();
        format!("{PLATFORM}{models}{MAAS}{}{more}", tier("small", 1, small))
    };
    let sandbox = WITH_MAAS.copy(&stack("", 300));
    let before = ["second-reference@doubled", "hardware-profile-gone@default-profile"];
    let ran = apply(&sandbox, &before, None);
    assert_eq!(ran.code, 0, "{}", ran.shown());

    let untyped = model("untyped", "oci://registry.example.com/models/untyped:1");
    let profiled = model("profiled", "hf://org/profiled")
        .replace("gpu-profile", "default-profile")
        .replace("llm-d-demo", "other-demo");
    let more = [
        model("anonymous", "hf://org/anonymous"),
        untyped,
        tier("anonymous", 2, 300),
        tier("doubled", 3, 300),
    ]
    .concat();
    sandbox.write(&stack(&format!("{profiled}{more}"), 3000));
    let faults = [
        "second-reference@doubled",
        "hardware-profile-gone@default-profile",
        "connection-untyped@untyped-connection",
        "anonymous-policy@anonymous",
        "merged-policy-unmanaged@small",
    ];
    // What stays when the faults are over.
    let left: [End; 3] = [
        (
            "maas.tier[anonymous].enforced will not become ready",
            &[
                "AuthPolicy maas-auth-anonymous: Enforced=False, Overridden: AuthPolicy is overridden by \
                 [llm-d-demo/anonymous-kserve-route-authn]",
            ],
            again!(
                "delete AuthPolicy llm-d-demo/anonymous-kserve-route-authn: it lets everybody call the model, and is \
                 left over"
            ),
        ),
        (
            "maas.tier[doubled].enforced will not become ready",
            &[
                "AuthPolicy maas-auth-doubled: Enforced=False, Overridden: AuthPolicy is overridden by \
                 [llm-d-demo/maas-auth-doubled-again]",
                "MaaSModelRef doubled-again: .spec.modelRef.name is doubled",
            ],
            again!(
                "delete MaaSModelRef llm-d-demo/doubled-again: of two references to one model only the policies of one \
                 are enforced"
            ),
        ),
        (
            "maas.tier[small].enforced will not become ready",
            &["TokenRateLimitPolicy maas-trlp-small: .metadata.annotations.opendatahub.io/managed is false"],
            again!(
                "take the annotation `opendatahub.io/managed` off TokenRateLimitPolicy llm-d-demo/maas-trlp-small: with \
                 it maas-controller leaves the policy as it is"
            ),
        ),
    ];
    let refused: [End; 2] = [
        (
            "model[untyped].service LLMInferenceService llm-d-demo/untyped could not be applied",
            &["admission denied it: admission webhook \
                 \"connection-llmisvc-v1alpha2.odh-model-controller.opendatahub.io\" denied the request: connection \
                 secret 'untyped-connection' has no connection type annotation"],
            again!(
                "see who takes the annotation `opendatahub.io/connection-type-protocol` off Secret \
                 llm-d-demo/untyped-connection: `stackctl apply` writes it as the stack has it"
            ),
        ),
        (
            "model[profiled].service LLMInferenceService other-demo/profiled could not be applied",
            &[
                "admission denied it: admission webhook \"hardwareprofile-llmisvc-injector.opendatahub.io\" denied the \
                 request: hardware profile 'default-profile' not found in namespace 'redhat-ods-applications'",
            ],
            again!(
                "make HardwareProfile redhat-ods-applications/default-profile, or name another one with \
                 `hardware_profile` of `[[models]]` profiled"
            ),
        ),
    ];
    ends(&apply(&sandbox, &faults, None), &[refused.as_slice(), &left].concat());
    // Now that its namespace is there the refusal is known before anything is written, and told with the same remedy.
    let refused = apply(&sandbox, &faults, None);
    assert_eq!(refused.code, 1, "{}", refused.shown());
    for told in [
        "`model[profiled].service`: the server refuses LLMInferenceService other-demo/profiled: admission denied it: \
         admission webhook \"hardwareprofile-llmisvc-injector.opendatahub.io\" denied the request: hardware profile \
         'default-profile' not found in namespace 'redhat-ods-applications'",
        "make HardwareProfile redhat-ods-applications/default-profile, or name another one with `hardware_profile` of \
         `[[models]]` profiled; then run the same command again",
    ] {
        assert!(refused.stderr.contains(told), "`{told}`: {}", refused.shown());
    }
    // Applied again, the connection has its type, and whoever made the rest has to take it away.
    sandbox.write(&stack(&more, 3000));
    ends(&apply(&sandbox, &[], None), &left);
}

/// M9 with M11, M14, M23, K3.
#[test]
fn gpus_that_others_hold_a_model_without_a_name_and_what_the_gateway_does_not_take() {
    let stack = format!(
        "{PLATFORM}[rhoai.dashboard]\nnotebook_volume = \"30Gi\"\n{}{}{}{MAAS}{}",
        model("small", "hf://org/small"),
        model("pooled", "hf://org/pooled"),
        "[[models]]\nname = \"big\"\nmodel_name = \"org/big\"\nnamespace = \"llm-d-demo\"\nsource = \"hf://org/big\"\n\
         gpus = 1\nmaas = true\n",
        tier("small", 1, 300)
    );
    let sandbox = WITH_MAAS.copy(&stack);
    let faults = [
        "gpus-taken",
        "pool-ignored@pooled",
        "nameless-model",
        "policies-not-enforced",
    ];
    const NAMED: &str = again!(
        "give that model a name: `oc patch llminferenceservice tiny -n data-science-project --type=merge -p \
         '{\"spec\":{\"model\":{\"name\":\"ORG/MODEL\"}}}'`"
    );
    let ran = apply(&sandbox, &faults, Some(LIMIT));
    ends(
        &ran,
        &[
            (
                "model[big].service did not become ready within 40.0 s",
                &[
                    "Pod big-kserve-*: PodScheduled=False, Unschedulable: 0/* nodes are available: Insufficient \
                     nvidia.com/gpu.",
                ],
                longer!(
                    "add GPU nodes (`nodes_per_zone` of a `[[gpu]]`), or lower `replicas` of `[[models]]` big; where an old \
                     pod holds the GPU that a new one waits for, delete the old one"
                ),
            ),
            (
                "model[pooled].service did not become ready within 40.0 s",
                &[
                    "LLMInferenceService pooled: InferencePoolReady=False, WaitingForGateway: waiting for the gateway to take \
                     the InferencePool",
                ],
                longer!(
                    "see that the gateway is Programmed, and what it says of InferencePool \
                     llm-d-demo/pooled-inference-pool"
                ),
            ),
            (
                "rhoai.dashboard-restart will not become ready",
                &["LLMInferenceService tiny: .spec.model.name is not there yet"],
                NAMED,
            ),
            (
                "rhoai.ready will not become ready",
                &[
                    "DataScienceCluster default-dsc: Ready=False, NotReady: Some components are not ready: dashboard",
                    "LLMInferenceService tiny: .spec.model.name is not there yet",
                ],
                NAMED,
            ),
            (
                "maas.tier[small].enforced did not become ready within 40.0 s",
                &[
                    "AuthPolicy maas-auth-small: Enforced=False, Unknown: AuthPolicy has encountered some issues: not all \
                     policies are enforced yet",
                ],
                longer!(
                    "see that Authorino and Limitador run in namespace kuadrant-system, and what the operator of Kuadrant says"
                ),
            ),
        ],
    );
    blocks(&ran, &["maas.model[big].ref", "maas.model[pooled].ref"]);
}
