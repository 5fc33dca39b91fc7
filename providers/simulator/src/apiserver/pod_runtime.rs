//! What the containers of pods say, and which of their ports answer: the kubelet's part of an API server.
//!
//! Invariants:
//! - The runtime that was registered last and handles a pod has it alone; where none does, [`Plain`] has it.
//! - A runtime judges the pod that it is given and keeps nothing of it: whether a container runs at all is judged before,
//!   by the pod's status.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use axum::Router;
use axum::http::Uri;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use super::wall::Moment;

/// How many bytes may be under way in each direction of a connection to a pod.
const BUFFER: usize = 64 * 1024;

/// One line that a container wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: SystemTime,
    /// What, without the end of the line.
    pub text: String,
}

/// A connection to a port of a pod.
pub trait PodStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> PodStream for T {}

/// What runs in pods of some sort.
pub trait PodRuntime: Send + Sync {
    /// What it is called; a registration under the same name replaces it.
    fn name(&self) -> &str;

    /// Whether it is what runs in this pod.
    fn handles(&self, pod: &Value) -> bool;

    /// Returns what a container that started has written, oldest first.
    ///
    /// It is asked again for whoever follows: what it returned before must come first again, unless the container was
    /// started anew. The default says what the container is and which ports it opened.
    fn log(&self, pod: &Value, container: &str) -> Vec<LogLine> {
        plain_log(pod, container)
    }

    /// Connects to a port of a pod that runs. [`serve`] makes a connection of an HTTP service.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::ConnectionRefused`] where nothing listens ([`refused`]).
    fn connect(&self, pod: &Value, port: u16) -> io::Result<Box<dyn PodStream>>;
}

/// The runtimes in force. Cheap to clone; clones share one list.
#[derive(Clone, Default)]
pub struct PodRuntimes {
    runtimes: Arc<RwLock<Vec<Arc<dyn PodRuntime>>>>,
}

impl PodRuntimes {
    /// Adds a runtime; one of the same name is replaced.
    pub fn register(&self, runtime: Arc<dyn PodRuntime>) {
        let mut runtimes = self.runtimes.write().unwrap_or_else(PoisonError::into_inner);
        runtimes.retain(|other| other.name() != runtime.name());
        runtimes.push(runtime);
    }

    /// Returns what runs in a pod.
    pub fn of(&self, pod: &Value) -> Arc<dyn PodRuntime> {
        let runtimes = self.runtimes.read().unwrap_or_else(PoisonError::into_inner);
        let found = runtimes.iter().rev().find(|runtime| runtime.handles(pod));
        found.map_or_else(|| Arc::new(Plain) as Arc<dyn PodRuntime>, Arc::clone)
    }
}

impl fmt::Debug for PodRuntimes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runtimes = self.runtimes.read().unwrap_or_else(PoisonError::into_inner);
        formatter
            .debug_list()
            .entries(runtimes.iter().map(|runtime| runtime.name()))
            .finish()
    }
}

/// What runs in a pod that nobody else claims: every port that a container declares answers any HTTP request with the
/// pod and the port. A pod that declares no port answers on all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl PodRuntime for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn handles(&self, _: &Value) -> bool {
        true
    }

    fn connect(&self, pod: &Value, port: u16) -> io::Result<Box<dyn PodStream>> {
        let mut declared = containers(pod).flat_map(ports).peekable();
        if declared.peek().is_some() && !declared.any(|(_, number)| number == u64::from(port)) {
            return Err(refused(port));
        }
        let who = format!("pod {}/{} port {port}", text(pod, "namespace"), text(pod, "name"));
        let answer = move |uri: Uri| async move { format!("{who}: {}\n", uri.path()) };
        Ok(serve(Router::new().fallback(answer)))
    }
}

/// Returns a connection on which an HTTP service answers until the other end closes it.
pub fn serve(service: Router) -> Box<dyn PodStream> {
    let (near, far) = tokio::io::duplex(BUFFER);
    tokio::spawn(async move {
        let service = TowerToHyperService::new(service);
        let served = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(far), service)
            .with_upgrades();
        if let Err(error) = served.await {
            tracing::debug!(%error, "a connection to a pod did not end well");
        }
    });
    Box::new(near)
}

/// The error of a port on which nothing listens.
#[must_use]
pub fn refused(port: u16) -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionRefused,
        format!("dial tcp4 127.0.0.1:{port}: connect: connection refused"),
    )
}

fn text<'a>(pod: &'a Value, field: &str) -> &'a str {
    pod["metadata"][field].as_str().unwrap_or_default()
}

/// The containers of a pod, those that only start first.
pub(super) fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"]
        .into_iter()
        .flat_map(|list| pod["spec"][list].as_array().into_iter().flatten())
}

/// Name and number of the ports that a container declares.
fn ports(container: &Value) -> impl Iterator<Item = (&str, u64)> {
    container["ports"].as_array().into_iter().flatten().map(|port| {
        let name = port["name"].as_str().unwrap_or_default();
        (name, port["containerPort"].as_u64().unwrap_or_default())
    })
}

/// What a container that is nothing in particular has written: its image, its command, its ports.
#[must_use]
pub fn plain_log(pod: &Value, container: &str) -> Vec<LogLine> {
    let Some(spec) = containers(pod).find(|spec| spec["name"] == container) else {
        return Vec::new();
    };
    let Some(started) = started(pod, container) else {
        return Vec::new();
    };
    let words = |list: &Value| -> Vec<String> {
        let words = list.as_array().into_iter().flatten();
        words.filter_map(|word| word.as_str().map(ToOwned::to_owned)).collect()
    };
    let command = [words(&spec["command"]), words(&spec["args"])].concat();
    let mut lines = vec![format!("starting {}", spec["image"].as_str().unwrap_or_default())];
    if !command.is_empty() {
        lines.push(format!("running {}", command.join(" ")));
    }
    lines.extend(ports(spec).map(|(name, number)| match name {
        "" => format!("listening on port {number}"),
        name => format!("listening on port {number} ({name})"),
    }));
    lines.push("ready".to_owned());
    let lines = lines.into_iter();
    lines.map(|text| LogLine { at: started, text }).collect()
}

/// When a container started; `None` while it waits.
#[must_use]
pub fn started(pod: &Value, container: &str) -> Option<SystemTime> {
    let status = status_of(pod, container)?;
    let state = &status["state"];
    let at = state["running"]["startedAt"]
        .as_str()
        .or(state["terminated"]["startedAt"].as_str())?;
    Moment::parse(at).map(Moment::to_system_time)
}

/// The status of a container, whichever list it is in.
pub(super) fn status_of<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    ["containerStatuses", "initContainerStatuses"]
        .into_iter()
        .flat_map(|list| pod["status"][list].as_array().into_iter().flatten())
        .find(|status| status["name"] == container)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn pod() -> Value {
        json!({"metadata": {"name": "p", "namespace": "n"},
            "spec": {"containers": [{"name": "main", "image": "i:1", "args": ["--port=80"],
                "ports": [{"name": "http", "containerPort": 80}]}]},
            "status": {"containerStatuses": [{"name": "main",
                "state": {"running": {"startedAt": "2026-11-24T00:22:12Z"}}}]}})
    }

    #[test]
    fn a_container_says_what_it_is() {
        let lines: Vec<String> = Plain.log(&pod(), "main").into_iter().map(|line| line.text).collect();
        assert_eq!(
            lines,
            [
                "starting i:1",
                "running --port=80",
                "listening on port 80 (http)",
                "ready"
            ]
        );
    }

    #[tokio::test]
    async fn a_declared_port_names_its_pod_and_another_refuses() {
        let refused = Plain.connect(&pod(), 81).err().expect("nothing listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let mut stream = Plain.connect(&pod(), 80).expect("it listens");
        let request = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.ends_with("pod n/p port 80: /a\n"), "{answer}");
    }

    #[test]
    fn the_runtime_registered_last_has_the_pod() {
        struct Named(&'static str);
        impl PodRuntime for Named {
            fn name(&self) -> &str {
                self.0
            }
            fn handles(&self, pod: &Value) -> bool {
                pod["metadata"]["name"] == "p"
            }
            fn connect(&self, _: &Value, port: u16) -> io::Result<Box<dyn PodStream>> {
                Err(refused(port))
            }
        }
        let runtimes = PodRuntimes::default();
        assert_eq!(runtimes.of(&pod()).name(), "plain");
        runtimes.register(Arc::new(Named("a")));
        runtimes.register(Arc::new(Named("b")));
        assert_eq!(runtimes.of(&pod()).name(), "b");
        assert_eq!(runtimes.of(&json!({})).name(), "plain");
    }
}
