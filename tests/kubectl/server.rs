//! One of the two servers, and how a case is played on it: each in a namespace and a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use stackctl_simulator::{Simulator, SimulatorOptions};
use tempfile::TempDir;
use tokio::process::Command;

use crate::normal::normal;
use crate::transcript::{Case, Step};

pub(crate) struct Server {
    kubeconfig: PathBuf,
    /// What keeps the namespaces of two runs apart on a server that stays.
    run: String,
    home: TempDir,
    simulator: Option<Simulator>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of these tests that reads the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether the answers are to be recorded.
pub(crate) fn records() -> bool {
    variable("STACKCTL_RECORD_KUBECTL").is_some()
}

/// Whether there is such a program at all.
pub(crate) async fn has(program: &str, arguments: &str) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments.split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().await.is_ok_and(|status| status.success())
}

impl Server {
    pub(crate) async fn embedded(family: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut options = SimulatorOptions::new(home.path().join("cluster"));
        options.speed = 0.0;
        let simulator = Simulator::start(options).await.expect("the simulated cluster starts");
        Self {
            kubeconfig: simulator.kubeconfig().to_owned(),
            run: format!("e-{family}"),
            home,
            simulator: Some(simulator),
        }
    }

    pub(crate) fn real(family: &str) -> Option<Self> {
        Some(Self {
            kubeconfig: variable("STACKCTL_TEST_KUBECONFIG")?.into(),
            run: format!("r{}-{family}", std::process::id()),
            home: tempfile::tempdir().expect("a folder"),
            simulator: None,
        })
    }

    /// Plays a case; what comes back has what this server answered.
    pub(crate) async fn play(&self, case: &Case) -> Case {
        let namespace = format!("{}-{}", self.run, case.number);
        let folder = tempfile::tempdir().expect("a folder");
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::copy(&self.kubeconfig, &kubeconfig).expect("the kubeconfig is there");
        let shell = Shell {
            kubeconfig: &kubeconfig,
            home: self.home.path(),
            folder: folder.path(),
            namespace: &namespace,
        };
        shell.ok("kubectl create namespace $NS").await;
        shell.ok("kubectl config set-context --current --namespace=$NS").await;
        // A namespace is in use once its account is there.
        shell
            .ok("kubectl wait --for=create serviceaccount/default --timeout=20s")
            .await;
        let mut played = case.clone();
        for step in &mut played.steps {
            *step = shell.run(&step.command).await;
        }
        shell.ok("kubectl delete namespace $NS --wait=false").await;
        played
    }

    pub(crate) async fn stop(self) {
        if let Some(simulator) = self.simulator {
            simulator.stop().await;
        }
    }
}

/// Both streams in one, in the order in which they were written; and a word for what is not so at once.
const PRELUDE: &str = "exec 2>&1
retry() { timeout 40 sh -c 'until \"$@\" >/dev/null 2>&1; do :; done' sh \"$@\"; }
";

struct Shell<'a> {
    kubeconfig: &'a Path,
    home: &'a Path,
    folder: &'a Path,
    namespace: &'a str,
}

impl Shell<'_> {
    async fn run(&self, command: &str) -> Step {
        let child = Command::new("sh")
            .args(["-c", &format!("{PRELUDE}{command}")])
            .current_dir(self.folder)
            .env_remove("KUBERNETES_SERVICE_HOST")
            .env("KUBECONFIG", self.kubeconfig)
            .env("HOME", self.home)
            .env("NS", self.namespace)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .output();
        let output = tokio::time::timeout(std::time::Duration::from_secs(180), child).await;
        let output = output
            .unwrap_or_else(|_| panic!("still running: {command}"))
            .expect("sh runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Step {
            command: command.to_owned(),
            output: normal(&text, self.namespace, &self.folder.display().to_string()),
            code: output.status.code().unwrap_or(-1),
        }
    }

    async fn ok(&self, command: &str) {
        let step = self.run(command).await;
        assert!(step.code == 0, "{command}: {}", step.output);
    }
}
