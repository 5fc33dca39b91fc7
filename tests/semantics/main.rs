//! What a real kube-apiserver answers, recorded, and replayed on the embedded server.
//!
//! A case is a list of requests; what each is answered is recorded from a real server and never written by hand.
//! `STACKCTL_TEST_KUBECONFIG` names a scratch cluster: with `STACKCTL_RECORD_SEMANTICS=1` its answers are recorded,
//! without it they are compared with what was recorded.

mod case;
mod fixture;
mod normal;
mod seen;
mod server;

use case::Family;
use fixture::Fixture;
use server::Server;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
};

/// Cases that the embedded server answers differently, with the reason; also in `docs/simulator.md`.
const KNOWN_DIFFERENCES: &[(&str, &str)] = &[];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_server_answers_as_the_real_one_did() {
    let directory = tempfile::tempdir().expect("a scratch folder");
    let (server, embedded) = Server::embedded(directory.path()).await;
    let mut differences = BTreeMap::new();
    for family in Family::all() {
        let recorded = Fixture::read(&family.name);
        let names: BTreeSet<_> = family.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(recorded.names(), names, "{}: recorded are other cases", family.name);
        for (case, seen) in server.play_all(&family).await {
            if let Some(difference) = recorded.difference(case, &seen) {
                differences.insert(format!("{}/{}", family.name, case.name), difference);
            }
        }
    }
    embedded.stop().await;
    for (known, reason) in KNOWN_DIFFERENCES {
        assert!(
            differences.remove(*known).is_some(),
            "{known} differs no more: {reason}"
        );
    }
    let shown: Vec<_> = differences
        .iter()
        .map(|(case, what)| format!("== {case}\n{what}"))
        .collect();
    assert!(shown.is_empty(), "{} cases differ\n{}", shown.len(), shown.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_server_answers_as_it_did() {
    let Some(server) = Server::real().await else {
        let said =
            "NOT RUN on a real server: STACKCTL_TEST_KUBECONFIG is not set (`cargo xtask apiserver up` starts one)\n";
        // Past the capture of the test harness, so that it is read.
        std::io::stderr().write_all(said.as_bytes()).expect("stderr is open");
        return;
    };
    let mut differences = Vec::new();
    for family in Family::all() {
        let mut fixture = Fixture::new(server.version().await);
        for (case, answers) in server.play_all(&family).await {
            fixture.add(case, answers);
        }
        if server::records() {
            fixture.write(&family.name);
            continue;
        }
        let recorded = Fixture::read(&family.name);
        for case in &family.cases {
            if let Some(difference) = recorded.difference(case, fixture.of(case)) {
                differences.push(format!("== {}/{}\n{difference}", family.name, case.name));
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} cases differ\n{}",
        differences.len(),
        differences.join("\n")
    );
}
