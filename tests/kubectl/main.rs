//! Stock `kubectl` against both servers: the embedded one, or the real kube-apiserver that `STACKCTL_TEST_KUBECONFIG`
//! names; to record it takes both.
//!
//! `cases/*.txt` are transcripts: commands, and all that they print, with what differs from run to run replaced by names
//! ([`normal`]). What a case expects was **recorded** from the real server, and never written by hand:
//!
//! ```sh
//! STACKCTL_RECORD_KUBECTL=1 STACKCTL_TEST_KUBECONFIG=$KUBECONFIG cargo test -p stackctl-simulator --test kubectl
//! ```
//!
//! Cases that are marked `(embedded)` need pods that run, or the kinds of an OpenShift; they are recorded from the
//! embedded server and read by people.

mod normal;
#[path = "../not_run.rs"]
mod not_run;
mod server;
mod transcript;

use std::path::Path;

use not_run::not_run;
use server::Server;
use transcript::{Family, Where};

/// Plays a family on the embedded server, and on the real one.
async fn play(name: &str) {
    let programs: &[(&str, &str)] = match name {
        "helm" => &[("kubectl", "version --client"), ("helm", "version")],
        _ => &[("kubectl", "version --client")],
    };
    for (program, arguments) in programs {
        if !server::has(program, arguments).await {
            let why = format!("{program} is not on the PATH, and nothing is proven of {name}");
            // Helm is none of what CI has to have.
            if *program == "kubectl" {
                not_run(&why);
            } else {
                say(&why);
            }
            return;
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/kubectl/cases/{name}.txt"));
    let family = Family::read(&path);
    let real = Server::real(name);
    // What is recorded is compared with either server alike, so that each of them is played once in a whole run.
    let embedded = if real.is_none() || server::records() {
        Some(Server::embedded(name).await)
    } else {
        None
    };
    let mut recorded = Vec::new();
    let mut wrong = Vec::new();
    for case in &family.cases {
        let reference = match (&real, case.place) {
            (Some(real), Where::Both) => Some(real.play(case).await),
            _ => None,
        };
        let shown = match &embedded {
            Some(embedded) => Some(embedded.play(case).await),
            None => None,
        };
        let expected = match (&reference, &shown, case.place) {
            (Some(reference), _, _) if server::records() => reference.clone(),
            (None, Some(shown), Where::Embedded) if server::records() => shown.clone(),
            _ => case.clone(),
        };
        for (shown, by) in [(&reference, "the real server"), (&shown, "the embedded server")] {
            wrong.extend(
                shown
                    .iter()
                    .flat_map(|shown| transcript::difference(&expected, shown, by)),
            );
        }
        recorded.push(expected);
    }
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
    if server::records() {
        Family { cases: recorded }.write(&path);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn say(text: &str) {
    use std::io::Write as _;
    // Past the test harness, which would keep it to itself.
    writeln!(std::io::stderr(), "kubectl cases: {text}").expect("stderr is there");
}

/// One test for each file; the last one holds that no file is left out.
macro_rules! families {
    ($($name:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            play(stringify!($name)).await;
        })*

        #[test]
        fn every_file_is_played_and_there_are_at_least_forty_cases() {
            let names = [$(stringify!($name)),*];
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kubectl/cases");
            let mut n_cases = 0;
            for entry in std::fs::read_dir(folder).expect("the cases are there") {
                let path = entry.expect("an entry").path();
                let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
                assert!(names.contains(&name.as_str()), "{name} is not played");
                n_cases += Family::read(&path).cases.iter().filter(|case| !case.steps.is_empty()).count();
            }
            assert!(n_cases >= 40, "{n_cases}");
        }
    };
}

families! {
    getting describing applying patching creating deleting waiting server pods nodes helm
}
