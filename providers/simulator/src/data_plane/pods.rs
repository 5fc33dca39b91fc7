//! What runs in the pods that the data plane plays, for whoever reaches them past the gateways: `kubectl port-forward` and
//! the API server's proxy.
//!
//! Source: reference/serving.md §3.4 (Limitador on port 8080, reached in its pod alone), §1.8 (maas-api on 8443), §1.11 (the
//! older one on 8080), §1.3.4 (models on 8000).
//!
//! Invariants:
//! - It is the same program that answers behind a gateway, with the same keys and counters.
//! - Nobody asks here who calls: whoever reaches a pod is who their headers say, as within a real cluster.
//! - A pod that is not Ready refuses, and so does every port but those that its program listens on.
//!
//! Simplified: no TLS, also where the real program speaks nothing else.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use tokio::sync::watch;

use super::call::{Answer, Call};
use super::endpoints::{self, Program};
use super::shared::Shared;
use super::{kuadrant, listener, maas_api, model_server};
use crate::apiserver::{PodRuntime, PodStream, refused, serve};
use crate::operators::object::Read;

const LIMITADOR: u16 = 8080;
const MODEL: u16 = 8000;
/// Of the newer generation, and of the older.
const MAAS_API: [u16; 2] = [8443, 8080];

/// The pods that the data plane plays.
pub(super) struct Pods {
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
}

impl Pods {
    /// Returns the pods of this data plane, whose connections end when it stops.
    pub(super) fn new(shared: Arc<Shared>, stopping: watch::Receiver<bool>) -> Self {
        Self { shared, stopping }
    }
}

impl PodRuntime for Pods {
    fn name(&self) -> &'static str {
        "data-plane"
    }

    fn handles(&self, pod: &Value) -> bool {
        endpoints::is_limitador(pod) || endpoints::is_model(pod) || endpoints::is_maas_api(pod)
    }

    fn connect(&self, pod: &Value, port: u16) -> io::Result<Box<dyn PodStream>> {
        let listens = if endpoints::is_limitador(pod) {
            port == LIMITADOR
        } else if endpoints::is_model(pod) {
            port == MODEL
        } else {
            MAAS_API.contains(&port)
        };
        if !listens || !pod.is("Ready") {
            return Err(refused(port));
        }
        if endpoints::is_limitador(pod) {
            return Ok(serve(kuadrant::api(Arc::clone(&self.shared))));
        }
        let inside = Inside {
            shared: Arc::clone(&self.shared),
            stopping: self.stopping.clone(),
            pod: Arc::new(pod.clone()),
        };
        Ok(serve(Router::new().fallback(answer).with_state(inside)))
    }
}

/// One pod, seen from within the cluster.
#[derive(Clone)]
struct Inside {
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
    pod: Arc<Value>,
}

async fn answer(State(inside): State<Inside>, request: Request) -> Response {
    let answer = match listener::read(request, false).await {
        Ok(call) => inside.answer(&call).await,
        Err(answer) => *answer,
    };
    listener::sent(answer, inside.stopping)
}

impl Inside {
    async fn answer(&self, call: &Call) -> Answer {
        let Self { shared, pod, .. } = self;
        match shared.view.read(|world| endpoints::played(world, pod)) {
            Program::Model { service, pod } => model_server::answer(&service, &pod, call),
            Program::MaasApi { pod } if call.path.starts_with("/internal/") => {
                let question = serde_json::from_slice(&call.body).unwrap_or_default();
                let answer = maas_api::inside(shared, &pod, &call.path, &question).await;
                answer.map_or_else(
                    || Answer::text(StatusCode::NOT_FOUND, "404 page not found"),
                    |body| Answer::json(StatusCode::OK, &body),
                )
            }
            Program::MaasApi { pod } => maas_api::answer(shared, &pod, call).await,
            Program::Elsewhere { .. } | Program::Unplayed => Answer::empty(StatusCode::NOT_IMPLEMENTED),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::time::Time;
    use super::super::view::View;
    use super::*;
    use crate::clock::Clock;
    use crate::operators::World;

    #[tokio::test]
    async fn the_port_of_its_program_answers_in_a_pod_that_is_ready_and_nothing_else() {
        let view = View::of(World::default(), kube::Client::new(Router::new(), "default"));
        let shared = Shared::of(view, Time::from_now(Clock::new(1.0)), None).expect("nothing was kept");
        let (_stop, stopping) = watch::channel(false);
        let pods = Pods::new(Arc::new(shared), stopping);
        let pod = |labels: &Value, ready: &str| {
            let conditions = json!([{"type": "Ready", "status": ready}]);
            json!({"metadata": {"namespace": "n", "labels": labels}, "status": {"conditions": conditions}})
        };
        let limitador = json!({"app": "limitador", "limitador-resource": "limitador"});
        let maas_api = json!({"app.kubernetes.io/name": "maas-api"});
        let model = json!({"kserve.io/component": "workload"});
        for (labels, port, ready, answers) in [
            (&limitador, 8080, "True", true),
            (&limitador, 8080, "False", false),
            (&limitador, 8081, "True", false),
            (&maas_api, 8443, "True", true),
            (&maas_api, 8000, "True", false),
            (&model, 8000, "True", true),
            (&model, 8080, "True", false),
        ] {
            let pod = pod(labels, ready);
            assert!(pods.handles(&pod), "{labels}");
            assert_eq!(pods.connect(&pod, port).is_ok(), answers, "{labels} {port} {ready}");
        }
        assert!(!pods.handles(&pod(&json!({"app": "limitador"}), "True")), "anybody's");
    }
}
