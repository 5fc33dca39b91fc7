//! A rehearsal says first how long a real cluster takes, and what it spends most of that on.

use crate::sandbox::Sandbox;
use serde_json::Value;

/// The block below a plan of an example on a cluster that nothing was applied to.
fn block(example: &str) -> String {
    let plan = Sandbox::of(example).simulate(&["plan", "stack.toml"]).expect(0).stdout;
    let from = plan
        .find("About ")
        .unwrap_or_else(|| panic!("nothing is estimated:\n{plan}"));
    plan[from..].to_owned()
}

#[test]
fn the_quickstart_is_mostly_nodes_that_boot() {
    insta::assert_snapshot!(block("quickstart"), @r"
    About 23 min on a real cluster; the chain that takes longest:
      nfd.installed             waits for CSV nfd Succeeded                2 min    7 %  a third of its limit
      nfd.labels                waits for 2 nodes with an NVIDIA device   12 min   52 %  usual
      nvidia.ready              waits for drivers on the GPU nodes         3 min   14 %  a third of its limit
      model[qwen3-8b].service   LLMInferenceService qwen3-8b               3 min   14 %  a third of its limit
      maas.model[qwen3-8b].ref  MaaSModelRef qwen3-8b                      2 min    7 %  a third of its limit
      8 more                                                                67 s    5 %
    ");
}

#[test]
fn without_new_nodes_it_is_mostly_operators() {
    insta::assert_snapshot!(block("gateway-policies"), @r"
    About 18 min on a real cluster; the chain that takes longest:
      cert-manager.installed            waits for CSV openshift-cert-manager-operator S…    2 min    9 %  a third of its limit
      cert-manager.ready                waits for 3 pods of cert-manager, the webhook a…    2 min    9 %  a third of its limit
      leader-worker-set.workload-kinds  waits for kind LeaderWorkerSet                      2 min    9 %  a third of its limit
      rhoai.serving-kinds               waits for kind LLMInferenceService                  3 min   19 %  a third of its limit
      model[opt-125m].service           LLMInferenceService opt-125m                        3 min   19 %  a third of its limit
      13 more                                                                               6 min   35 %
    ");
}

#[test]
fn external_models_wait_for_maas_alone() {
    insta::assert_snapshot!(block("external-models"), @r"
    About 23 min on a real cluster; the chain that takes longest:
      cert-manager.installed            waits for CSV openshift-cert-manager-operator S…    2 min    7 %  a third of its limit
      cert-manager.ready                waits for 3 pods of cert-manager, the webhook a…    2 min    7 %  a third of its limit
      leader-worker-set.workload-kinds  waits for kind LeaderWorkerSet                      2 min    7 %  a third of its limit
      rhoai.serving-kinds               waits for kind LLMInferenceService                  3 min   15 %  a third of its limit
      rhoai.ready                       waits for DataScienceCluster Ready                  3 min   15 %  a third of its limit
      18 more                                                                              11 min   48 %
    ");
}

#[test]
fn what_a_real_cluster_took_wins_over_what_is_usual_and_a_rehearsal_counts_for_rehearsals_alone() {
    let sandbox = Sandbox::new();
    let estimate = || sandbox.simulate(&["plan", "stack.toml", "--json"]).expect(0).json()["estimate"].clone();
    let bases = |estimate: &Value| -> Vec<String> {
        let legs = estimate["legs"].as_array().into_iter().flatten();
        legs.filter_map(|leg| Some(leg["basis"].as_str()?.to_owned())).collect()
    };
    let before = estimate();
    assert!(before["rehearsal_seconds"].is_null(), "{before}");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    let after = estimate();
    assert_eq!(
        bases(&after),
        bases(&before),
        "a rehearsal taught what a real cluster takes"
    );
    let real = after["seconds"].as_f64().expect("an estimate");
    let here = after["rehearsal_seconds"].as_f64().expect("it was seen before");
    assert!(here > 0.0 && here * 5.0 < real, "{after}");

    // The same state, as a real cluster would have left it.
    for file in std::fs::read_dir(sandbox.path().join(".stackctl/simulator/state")).expect("a state") {
        let file = file.expect("an entry of it").path();
        if file.is_file() {
            let name = file.file_name().expect("a name");
            std::fs::copy(&file, sandbox.path().join(".stackctl").join(name)).expect("writable");
        }
    }
    let learned = estimate();
    assert_eq!(learned["is_learned"], true, "{learned}");
    assert!(
        learned["seconds"].as_f64().is_some_and(|seconds| seconds < real),
        "{learned}"
    );
}
