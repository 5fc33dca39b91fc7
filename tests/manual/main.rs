//! The steps of the manual, by stock `kubectl` and `curl`, on a served embedded cluster.
//!
//! `cases/*.txt` are transcripts: what somebody types in one shell session, and all that it prints. `stackctl apply` brings
//! only the platform below; MaaS and everything after it is brought by the commands themselves. What each step has to
//! print is what the manuals document: reference/serving.md §2.2 (the order), §3.5 (smoke tests), §5.2 (what a wrong order
//! leads to).
//!
//! Invariants:
//! - Every case has a cluster of its own: a copy of the one that was prepared.
//! - Nothing in a transcript sleeps: what takes time is waited for, with a bound.
//! - Without `kubectl` or `curl` nothing is proven, which is said loudly, and a failure in `.ci/run`.

#[path = "../documents.rs"]
mod documents;
#[path = "../not_run.rs"]
mod not_run;
mod platform;
mod session;
mod transcript;

use platform::Platform;
use std::path::Path;
use transcript::Transcript;

/// While operators work: a minute of theirs is 60 ms.
const INSTALLING: &str = "1000";

/// While people call models: the window of five minutes is half a minute, the caches of a minute are six seconds. Five
/// calls fit into a window also on a machine that is busy.
const CALLING: &str = "10";

/// Plays the parts of a transcript, each at its speed.
#[track_caller]
fn play(name: &str) {
    let Some(platform) = Platform::prepared() else {
        return;
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/manual/cases/{name}.txt"));
    let transcript = Transcript::read(&path);
    let cluster = platform.copy();
    let mut session = cluster.session();
    for part in &transcript.parts {
        let served = cluster.serve(if part.is_of_callers { CALLING } else { INSTALLING });
        served.introduce(&mut session);
        for step in &part.steps {
            let found = session.run(&step.command);
            assert!(
                found == step.outcome,
                "{name}: {}\n$ {}\n--- expected\n{}\n--- found\n{}",
                part.name,
                step.command,
                step.outcome,
                found
            );
        }
    }
}

/// One test for each file; the last one holds that no file is left out.
macro_rules! transcripts {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            play(stringify!($name));
        })*

        #[test]
        fn every_transcript_is_played() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/manual/cases");
            for entry in std::fs::read_dir(folder).expect("the cases are there") {
                let path = entry.expect("an entry").path();
                let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
                if path.extension().is_some_and(|extension| extension == "txt") {
                    assert!([$(stringify!($name)),*].contains(&name.as_str()), "{name} is not played");
                }
            }
        }
    };
}

transcripts! {
    the_right_order_serves_three_tiers
    the_flip_before_the_database_fails_until_its_secret_comes
    the_annotation_before_tls_waits_for_the_next_change_of_the_gateway
    a_deleted_tenant_comes_back_with_all_that_it_owns
    a_cluster_of_components_outlives_no_initialization
}
