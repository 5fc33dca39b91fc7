//! A plan shows nothing that nobody changes: on the embedded server, and on a genuine kube-apiserver.
//!
//! Everything that a server makes of what it is sent is in the table: defaults, canonical forms, lists whose items have
//! keys, what admission changes and what controllers add. `STACKCTL_TEST_KUBECONFIG` names a scratch cluster.

mod table;
mod webhooks;
mod world;

use std::{io::Write as _, path::PathBuf};
use world::World;

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of these tests that reads the environment"
)]
fn kubeconfig() -> Option<PathBuf> {
    std::env::var("STACKCTL_TEST_KUBECONFIG").ok().map(PathBuf::from)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_embedded_server_a_plan_shows_only_what_changes() {
    let directory = tempfile::tempdir().expect("a scratch folder");
    let (mut world, server) = World::embedded(directory.path()).await;
    server.admission().register(std::sync::Arc::new(webhooks::InProcess));
    table::plays(&mut world).await;
    unverified(&mut world).await;
    world.destroy().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_real_server_a_plan_shows_only_what_changes() {
    let Some(kubeconfig) = kubeconfig() else {
        let said =
            "NOT RUN on a real server: STACKCTL_TEST_KUBECONFIG is not set (`cargo xtask apiserver up` starts one)\n";
        // Past the capture of the test harness, so that it is read.
        std::io::stderr().write_all(said.as_bytes()).expect("stderr is open");
        return;
    };
    let mut world = World::real(&kubeconfig).await;
    let hooks = webhooks::Served::start(&mut world).await;
    table::plays(&mut world).await;
    hooks.stop(&world).await;
    world.destroy().await;
}

/// A webhook with side effects. `admissionregistration.k8s.io/v1` takes none, so a real server has one only from before
/// Kubernetes 1.22 (`sideEffects`: "webhooks created via v1beta1 may also specify Some or Unknown"): it is played on the
/// embedded server, which answers in the words of Kubernetes' source.
async fn unverified(world: &mut World) {
    let stack = [world.namespace(), table::config(world, "audited", &[("k", "1")])];
    let plan = world.plan(&stack).await;
    let step = world.step(&plan, "a.audited");
    assert_eq!(
        step.reasons[1].to_string(),
        "not verified: webhook planner.example takes no dry run"
    );
    assert_eq!(step.reasons[1].code(), "unverified");
    world.apply(&stack).await;
    assert_eq!(world.changes(&stack).await, [""; 0]);
    let stack = [world.namespace(), table::config(world, "audited", &[("k", "2")])];
    assert_eq!(world.changes(&stack).await, ["update a.audited .data.k"]);
    world.apply(&stack).await;
    assert_eq!(world.changes(&stack).await, [""; 0]);
}
