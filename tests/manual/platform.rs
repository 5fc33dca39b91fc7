//! The platform below MaaS: applied once, and copied for every transcript.

use crate::{documents, not_run::not_run, session::Session};
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// A cluster with all that MaaS needs to be there, and no MaaS.
pub(crate) struct Platform {
    folder: tempfile::TempDir,
}

/// A cluster of one transcript.
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
}

/// `stackctl simulate`, running; ended when dropped.
pub(crate) struct Served {
    child: Child,
    kubeconfig: PathBuf,
    url: String,
    hosts: String,
}

const CLUSTER: &str = ".stackctl/simulator";

impl Platform {
    /// Applies it on first use. None where the programs of the manual are not on this machine.
    pub(crate) fn prepared() -> Option<&'static Self> {
        static PREPARED: OnceLock<Option<Platform>> = OnceLock::new();
        PREPARED.get_or_init(Self::prepare).as_ref()
    }

    fn prepare() -> Option<Self> {
        for (program, argument) in [("kubectl", "options"), ("curl", "--version")] {
            let mut command = Command::new(program);
            command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
            if !command.status().is_ok_and(|status| status.success()) {
                not_run(&format!("the steps of the manual: {program} is not on the PATH"));
                return None;
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/manual/platform.toml");
        std::fs::copy(stack, folder.path().join("stack.toml")).expect("the stack is there");
        let output = stackctl(folder.path())
            .args(["apply", "stack.toml", "--yes", "--simulate", "--ready-timeout", "10m"])
            .args(["--simulate-speed", crate::INSTALLING])
            .output()
            .expect("the binary starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the platform is not applied: {told}");
        Some(Self { folder })
    }

    /// A cluster like this one.
    pub(crate) fn copy(&self) -> Cluster {
        let folder = tempfile::tempdir().expect("a folder");
        let to = folder.path().join(".stackctl");
        std::fs::create_dir(&to).expect("a folder in it");
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(self.folder.path().join(CLUSTER)).arg(&to);
        assert!(copy.status().expect("cp runs").success(), "the cluster is not copied");
        Cluster { folder }
    }
}

impl Cluster {
    /// A shell beside the manifests of the manual.
    pub(crate) fn session(&self) -> Session {
        let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/manual/manifests");
        for entry in std::fs::read_dir(manifests).expect("the manifests are there") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name");
            std::fs::copy(&path, self.folder.path().join(name)).expect("a manifest");
        }
        Session::open(self.folder.path())
    }

    /// Serves it at a speed.
    pub(crate) fn serve(&self, speed: &str) -> Served {
        let mut command = stackctl(self.folder.path());
        command
            .args(["simulate", "--simulate-speed", speed, "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("it says where it is");
        documents::keep(&command, &line);
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |key: &str| said[key].as_str().expect("a text").to_owned();
        Served {
            child,
            kubeconfig: self.folder.path().join(text("kubeconfig")),
            url: text("url"),
            hosts: text("data_plane"),
        }
    }
}

impl Served {
    /// What whoever installed a cluster has beside it: its kubeconfig, the URL of its API, the domain of its
    /// applications, and what curl takes in the place of their DNS and of a trusted authority.
    pub(crate) fn introduce(&self, session: &mut Session) {
        let Self {
            kubeconfig, url, hosts, ..
        } = self;
        session.must(&format!("export KUBECONFIG={} API={url}", kubeconfig.display()));
        session.must("D=$(kubectl get ingresses.config.openshift.io cluster -o jsonpath='{.spec.domain}')");
        session.must("kubectl get configmap default-ingress-cert -n openshift-config-managed -o jsonpath='{.data.ca-bundle\\.crt}' > ca.crt");
        session.must("kubectl config view --raw -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' | base64 -d >> ca.crt");
        let api = url.trim_start_matches("https://");
        session.must(&format!(
            "printf '%s\\n' silent show-error 'max-time = 60' 'cacert = ca.crt' 'connect-to = \"{api}:{api}\"' 'connect-to = \"::{hosts}\"' > .curlrc"
        ));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // SIGKILL: nothing that was acknowledged may depend on a clean end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn stackctl(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stackctl"));
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}
