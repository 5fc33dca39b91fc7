//! A server, what is recorded of a stack, and the loop of a run: survey, plan, drive.

use serde_json::{Value, json};
use stackctl_engine::{
    Address, Manifest, ObjectRef, Resource,
    digest::StackKey,
    execute::{
        ApplyRequest, DeleteRequest, Execution, Intent, Journal, JournalError, Options, Outcome, Patch, PatchRequest,
        Provider as _, drive,
    },
    graph::Graph,
    late::{SecretInput, Secrets},
    marks::Identity,
    plan::{Action, Inputs, Plan, Step, plan, plan_destroy},
    readiness::Rule,
    recorded::Recorded,
    report::Report,
    resource::{Node, Object},
    survey::{SurveyRequest, survey},
};
use stackctl_kubernetes::{ConnectOptions, KubernetesProvider};
use stackctl_simulator::apiserver::{ApiServer, ApiServerOptions, Identity as Caller, Token};
use std::{collections::BTreeMap, path::Path};

/// Nothing here is secret.
struct NoSecrets;

impl Secrets for NoSecrets {
    fn draw(&self, length: usize) -> String {
        "a".repeat(length)
    }

    fn input(&self, _: &SecretInput) -> Result<String, String> {
        Err("nothing is asked for".to_owned())
    }
}

#[derive(Default)]
struct Kept(BTreeMap<Address, Recorded>);

impl Journal for Kept {
    fn intend(&mut self, _: &Intent) {}

    fn record(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Recorded(recorded) => drop(self.0.insert(recorded.address.clone(), (**recorded).clone())),
            Outcome::Forgotten(address) => drop(self.0.remove(address)),
            Outcome::Took { .. } => {}
        }
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        Ok(())
    }
}

pub(crate) struct World {
    provider: KubernetesProvider,
    identity: Identity,
    kept: Kept,
    /// The namespace of everything, and part of every name in the cluster.
    pub(crate) namespace: String,
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

/// A resource that is ready once it is there.
pub(crate) fn object(at: &str, manifest: Value) -> Resource {
    let object = Object::ready_when(Manifest::written(manifest), Rule::Exists);
    Resource::new(address(at), Node::Object(object))
}

impl World {
    pub(crate) async fn embedded(directory: &Path) -> (Self, ApiServer) {
        let administrator = Caller::member("admin", ["system:masters".to_owned()]);
        let options = ApiServerOptions {
            tokens: BTreeMap::from([(Token::new("admin"), administrator)]),
            ..ApiServerOptions::new(directory)
        };
        let server = ApiServer::start(options).await.expect("the server starts");
        let provider = KubernetesProvider::from_url(&server.url(), "admin", None, "planner").expect("a client");
        (Self::of(provider, "embedded"), server)
    }

    pub(crate) async fn real(kubeconfig: &Path) -> Self {
        let options = ConnectOptions {
            kubeconfig: Some(kubeconfig.to_owned()),
            context: None,
            user_agent: "planner".to_owned(),
        };
        let provider = KubernetesProvider::connect(&options).await.expect("a client");
        // Two runs on a server that stays do not meet.
        Self::of(provider, &format!("run-{}", std::process::id()))
    }

    fn of(provider: KubernetesProvider, run: &str) -> Self {
        Self {
            provider,
            identity: Identity {
                stack: format!("planner-{run}"),
                lineage: "l".to_owned(),
            },
            kept: Kept::default(),
            namespace: format!("planner-{run}"),
        }
    }

    pub(crate) fn namespace(&self) -> Resource {
        object(
            "a.namespace",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}),
        )
    }

    async fn plan_from(&self, resources: &[Resource], recorded: &BTreeMap<Address, Recorded>) -> Plan {
        let key = StackKey::new([1; 32]);
        let request = SurveyRequest {
            resources,
            recorded,
            identity: &self.identity,
            key: Some(&key),
            parallelism: 4,
        };
        let found = survey(&self.provider, &request, &NoSecrets)
            .await
            .expect("the server answers");
        if resources.is_empty() {
            return plan_destroy(recorded, &found).expect("a plan");
        }
        let graph = Graph::new(resources).expect("a graph");
        let inputs = Inputs {
            resources,
            graph: &graph,
            recorded,
            survey: &found,
            identity: &self.identity,
            key: Some(&key),
            adopt: false,
            force_conflicts: false,
            replaced: &BTreeMap::new(),
        };
        plan(&inputs).expect("a plan")
    }

    pub(crate) async fn plan(&self, resources: &[Resource]) -> Plan {
        self.plan_from(resources, &self.kept.0).await
    }

    pub(crate) fn step<'a>(&self, plan: &'a Plan, at: &str) -> &'a Step {
        plan.step(&address(at)).expect("a step")
    }

    /// One line for each step that does something.
    pub(crate) async fn changes(&self, resources: &[Resource]) -> Vec<String> {
        shown(&self.plan(resources).await, |step| step.action != Action::NoOp)
    }

    /// The fields that differ by the server's own answer: nothing counts as recorded, so each object is asked about.
    pub(crate) async fn differences(&self, resources: &[Resource]) -> Vec<String> {
        let plan = self.plan_from(resources, &BTreeMap::new()).await;
        shown(&plan, |step| !step.changes.is_empty())
    }

    pub(crate) async fn apply(&mut self, resources: &[Resource]) {
        let plan = self.plan(resources).await;
        let key = StackKey::new([1; 32]);
        let recorded = self.kept.0.clone();
        let execution = Execution {
            plan: &plan,
            resources,
            recorded: &recorded,
            identity: &self.identity,
            key: Some(&key),
            options: Options::default(),
        };
        let mut report = Report::default();
        let mut told = Vec::new();
        let never = std::future::pending();
        drive(&execution, &self.provider, &mut self.kept, &NoSecrets, never, |event| {
            told.push(format!("{event:?}"));
            report.fold(event);
        })
        .await
        .expect("it is kept");
        assert!(report.succeeded(), "{}", told.join("\n"));
    }

    pub(crate) async fn destroy(&mut self) {
        self.apply(&[]).await;
    }

    /// Writes as somebody else does.
    pub(crate) async fn patch_as(&self, manager: &str, object: ObjectRef, patch: Value) {
        let request = PatchRequest {
            object,
            patch: Patch::Merge(patch),
            manager: manager.to_owned(),
            dry_run: false,
        };
        self.provider.patch(&request).await.expect("it is written");
    }

    pub(crate) async fn live(&self, object: &ObjectRef) -> Value {
        self.provider
            .get(object)
            .await
            .expect("the server answers")
            .expect("it is there")
    }

    /// Makes an object that is no part of the stack.
    pub(crate) async fn make(&self, object: ObjectRef, body: Value) {
        self.write(object, body, false).await;
    }

    /// What would be there, if an object were made.
    pub(crate) async fn asked(&self, object: ObjectRef, body: Value) -> Value {
        self.write(object, body, true).await
    }

    async fn write(&self, object: ObjectRef, body: Value, dry_run: bool) -> Value {
        let request = ApplyRequest {
            object,
            body,
            manager: "test".to_owned(),
            force: true,
            dry_run,
        };
        self.provider.apply(&request).await.expect("it is taken").object
    }

    pub(crate) async fn take(&self, object: ObjectRef) {
        let request = DeleteRequest {
            object,
            uid: None,
            resource_version: None,
            foreground: false,
        };
        self.provider.delete(&request).await.expect("it is deleted");
    }
}

fn shown(plan: &Plan, is_meant: impl Fn(&Step) -> bool) -> Vec<String> {
    let one = |step: &Step| {
        let changes: String = step.changes.iter().map(|change| format!(" {}", change.path)).collect();
        format!("{} {}{changes}", step.action.code(), step.address)
    };
    plan.steps.iter().filter(|step| is_meant(step)).map(one).collect()
}
