//! The laws of an execution, on a small cluster in memory under tokio's paused clock.

mod asked;
mod certificates;
mod claims;
mod decided;
mod deeds;
mod handover;
mod held;
mod hides_nothing;
mod inputs;
mod items;
mod keys;
mod laws;
mod leaving;
mod look;
mod lost_answers;
mod made_meanwhile;
mod mend;
mod moves;
mod pace;
mod phantoms;
mod pictures;
mod settled;
mod transitions;
mod unverified;
mod users;
mod warned;
mod yields;

use super::{Event, Execution, Intent, Journal, JournalError, Options, Outcome, drive};
use crate::{
    FieldPath,
    address::Address,
    digest::StackKey,
    graph::Graph,
    handover::handed_over,
    late::{SecretInput, Secrets},
    manifest::Manifest,
    marks::Identity,
    object_key::{ObjectRef, ObjectType},
    plan::{Inputs, Plan, PlanError, Projection, plan, plan_destroy, projections, replaced},
    readiness::{Observation, Rule, Target},
    recorded::Recorded,
    report::Report,
    resource::{Action, Adopt, Claim, DependsOn, Diagnosis, Effect, Gate, Node, Object, Overlay, Remedy, Resource},
    survey::{Survey, SurveyRequest, survey},
    testing::Memory,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

struct Fixed;
impl Secrets for Fixed {
    fn draw(&self, length: usize) -> String {
        "a".repeat(length)
    }
    fn input(&self, input: &SecretInput) -> Result<String, String> {
        match input {
            SecretInput::Command(words) if words[0] == "echo" => Ok(words[1].clone()),
            SecretInput::Environment(name) => Err(format!("`{name}` is not set")),
            SecretInput::Command(_) | SecretInput::File(_) => Err("not there".to_owned()),
        }
    }
}

/// What is kept once it was flushed; what a kill takes along is what was not.
#[derive(Default)]
struct Kept {
    recorded: BTreeMap<Address, Recorded>,
    intents: usize,
    last_intent: Option<Recorded>,
    /// Writes that were intended and of which nothing was recorded since.
    open: BTreeMap<Address, Recorded>,
    /// Whose time was learned.
    timed: Vec<Address>,
    /// Intents on their way.
    unsaved_intents: Vec<Intent>,
    /// Outcomes on their way.
    unsaved: Vec<Outcome>,
    /// How often something was made durable.
    saves: usize,
}

impl Journal for Kept {
    fn intend(&mut self, intent: &Intent) {
        self.unsaved_intents.push(intent.clone());
    }

    fn record(&mut self, outcome: &Outcome) {
        self.unsaved.push(outcome.clone());
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        self.saves += 1;
        for intent in std::mem::take(&mut self.unsaved_intents) {
            self.intents += 1;
            if let Intent::Write(recorded) = intent {
                self.open.insert(recorded.address.clone(), (*recorded).clone());
                self.last_intent = Some(*recorded);
            }
        }
        for outcome in std::mem::take(&mut self.unsaved) {
            match outcome {
                Outcome::Recorded(recorded) => {
                    self.open.remove(&recorded.address);
                    self.recorded.insert(recorded.address.clone(), *recorded);
                }
                Outcome::Forgotten(address) => {
                    self.open.remove(&address);
                    self.recorded.remove(&address);
                }
                Outcome::Took { address, .. } => self.timed.push(address),
            }
        }
        Ok(())
    }
}

fn identity() -> Identity {
    Identity {
        stack: "demo".to_owned(),
        lineage: "l".to_owned(),
    }
}

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn config(name: &str) -> ObjectRef {
    ObjectRef::namespaced("v1", "ConfigMap", "n", name)
}

fn object(at: &str, name: &str, data: &Value, after: &[&str]) -> Resource {
    let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "n"}, "data": data}));
    let mut resource = Resource::new(address(at), Node::Object(Object::new(manifest)));
    resource.depends_on = after
        .iter()
        .map(|to| DependsOn::ready(address(to), "it needs it"))
        .collect();
    resource
}

struct World {
    cluster: Memory,
    kept: Kept,
    /// Every event, as it would be read by a view.
    told: Vec<String>,
    /// What is to be deleted and made again.
    asked: Vec<Address>,
    /// Whether what is there and not ours may become ours.
    adopt: bool,
    /// Whether fields of others may be taken.
    force: bool,
    /// What secrets are recorded and compared by; none where it was lost.
    key: Option<StackKey>,
}

impl World {
    fn new() -> Self {
        Self {
            cluster: Memory::new(),
            kept: Kept::default(),
            told: Vec::new(),
            asked: Vec::new(),
            adopt: false,
            force: false,
            key: Some(StackKey::new([1; 32])),
        }
    }

    /// What counts as recorded.
    fn recorded(&self, resources: &[Resource]) -> BTreeMap<Address, Recorded> {
        handed_over(self.kept.recorded.clone(), resources)
    }

    async fn plan(&self, resources: &[Resource]) -> Plan {
        self.answer(resources).await.expect("a plan")
    }

    /// Why there is no plan.
    async fn refused(&self, resources: &[Resource]) -> Vec<PlanError> {
        self.answer(resources).await.expect_err("there is no plan")
    }

    /// A plan, or every reason why there is none.
    async fn answer(&self, resources: &[Resource]) -> Result<Plan, Vec<PlanError>> {
        let (identity, recorded) = (identity(), self.recorded(resources));
        let request = SurveyRequest {
            resources,
            recorded: &recorded,
            identity: &identity,
            key: self.key.as_ref(),
            parallelism: 4,
        };
        let found = survey(&self.cluster, &request, &Fixed)
            .await
            .expect("the cluster answers");
        self.answer_on(resources, &recorded, &found)
    }

    /// The same on what was found before.
    fn answer_on(
        &self,
        resources: &[Resource],
        recorded: &BTreeMap<Address, Recorded>,
        found: &Survey,
    ) -> Result<Plan, Vec<PlanError>> {
        if resources.is_empty() {
            return plan_destroy(recorded, found);
        }
        let graph = Graph::new(resources).expect("a graph");
        let inputs = Inputs {
            resources,
            graph: &graph,
            recorded,
            survey: found,
            identity: &identity(),
            key: self.key.as_ref(),
            adopt: self.adopt,
            force_conflicts: self.force,
            replaced: &replaced(&self.asked, &graph, None).expect("in the stack"),
        };
        plan(&inputs)
    }

    async fn apply(&mut self, resources: &[Resource]) -> Report {
        let plan = self.plan(resources).await;
        let (identity, recorded) = (identity(), self.recorded(resources));
        let execution = Execution {
            plan: &plan,
            resources,
            recorded: &recorded,
            identity: &identity,
            key: self.key.as_ref(),
            options: Options {
                parallelism: 4,
                ..Options::default()
            },
        };
        let mut report = Report::default();
        let never = std::future::pending();
        let told = &mut self.told;
        let on = |event: &Event| {
            told.push(format!("{event:?}"));
            report.fold(event);
        };
        drive(&execution, &self.cluster, &mut self.kept, &Fixed, never, on)
            .await
            .expect("the state is kept");
        report
    }

    /// What is read for a plan, as a saved one compares it.
    async fn read(&self, resources: &[Resource]) -> BTreeMap<Address, Projection> {
        let (recorded, found) = self.surveyed(resources).await;
        projections(&self.plan(resources).await, resources, &recorded, &found)
    }

    /// One line a step that does something.
    async fn planned(&self, resources: &[Resource]) -> Vec<String> {
        let plan = self.plan(resources).await;
        let shown = |step: &crate::plan::Step| {
            let changes: String = step.changes.iter().map(|change| format!(" {}", change.path)).collect();
            format!(
                "{} {} ({}){changes}",
                step.action.code(),
                step.address,
                step.reasons[0].code()
            )
        };
        plan.steps
            .iter()
            .filter(|step| step.action != crate::plan::Action::NoOp)
            .map(shown)
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_after_an_apply_is_empty_and_order_respects_edges() {
    let mut world = World::new();
    let stack = [
        object("a.one", "one", &json!({"k": "1"}), &["b.two"]),
        object("b.two", "two", &json!({"k": "2"}), &[]),
    ];
    let report = world.apply(&stack).await;
    assert!(report.succeeded() && report.created == 2, "{report:?}");
    assert_eq!(
        world.cluster.log(),
        ["create ConfigMap n/two", "create ConfigMap n/one"]
    );
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn only_what_was_done_teaches_how_long_it_takes() {
    let mut world = World::new();
    let mut stack = [
        object("a.one", "one", &json!({"k": "1"}), &[]),
        object("b.two", "two", &json!({"k": "2"}), &[]),
    ];
    world.apply(&stack).await;
    assert_eq!(std::mem::take(&mut world.kept.timed).len(), 2);
    stack[1] = object("b.two", "two", &json!({"k": "3"}), &[]);
    world.apply(&stack).await;
    assert_eq!(world.kept.timed, [address("b.two")]);
}

#[tokio::test(start_paused = true)]
async fn what_is_surely_the_same_is_read_by_one_list_and_not_asked_about() {
    let mut world = World::new();
    let name = |index: usize| format!("c{index}");
    let stack: Vec<_> = (0..20)
        .map(|index| object(&format!("a.{}", name(index)), &name(index), &json!({"k": "1"}), &[]))
        .collect();
    world.apply(&stack).await;
    let before = world.cluster.n_requests();
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
    assert_eq!(world.cluster.n_requests() - before, 1);

    // What our manager wrote and nobody recorded is in no recorded field: the server is asked.
    let mut grown = stack.clone();
    grown[7] = object("a.c7", "c7", &json!({"k": "1", "more": "2"}), &[]);
    let recorded = world.kept.recorded.clone();
    world.apply(&grown).await;
    world.kept.recorded = recorded;
    assert_eq!(
        world.planned(&stack).await,
        ["update a.c7 (stored-otherwise) .data.more"]
    );
}

#[tokio::test(start_paused = true)]
async fn drift_names_the_field_and_apply_mends_it_and_foreign_fields_are_no_drift() {
    let mut world = World::new();
    let stack = [object("a.one", "one", &json!({"k": "1"}), &[])];
    world.apply(&stack).await;
    world
        .cluster
        .edit(&config("one"), "data.other", json!("theirs"), "kubectl-edit");
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
    world.cluster.edit(&config("one"), "data.k", json!("2"), "kubectl-edit");
    assert_eq!(world.planned(&stack).await, ["update a.one (drifted) .data.k"]);
    let plan = world.plan(&stack).await;
    assert_eq!(
        plan.steps[0].changes[0]
            .drift
            .as_ref()
            .and_then(|by| by.manager.as_deref()),
        Some("kubectl-edit")
    );
    assert!(world.apply(&stack).await.succeeded());
    let live = world.cluster.object(&config("one")).expect("there");
    assert_eq!(live["data"], json!({"k": "1", "other": "theirs"}));
}

#[tokio::test(start_paused = true)]
async fn two_nodes_on_one_object_do_not_erase_each_other() {
    let mut world = World::new();
    let stack = |value: &str| {
        let mut late = Resource::new(
            address("b.late"),
            Node::Overlay(Overlay::new(
                config("one"),
                json!({"metadata": {"annotations": {"late": "yes"}}}),
            )),
        );
        late.depends_on
            .push(DependsOn::ready(address("a.one"), "it is set late"));
        vec![object("a.one", "one", &json!({"k": value}), &[]), late]
    };
    assert!(world.apply(&stack("1")).await.succeeded());
    assert_eq!(world.planned(&stack("1")).await, Vec::<String>::new());
    assert_eq!(
        world.planned(&stack("2")).await,
        ["update a.one (changed-in-stack) .data.k"]
    );
    assert!(world.apply(&stack("2")).await.succeeded());
    let live = world.cluster.object(&config("one")).expect("there");
    assert_eq!(
        (&live["data"]["k"], &live["metadata"]["annotations"]["late"]),
        (&json!("2"), &json!("yes"))
    );
}

#[tokio::test(start_paused = true)]
async fn destroy_restores_what_was_overlaid_and_deletes_dependents_first() {
    let mut world = World::new();
    world.cluster.put(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "n",
        "managedFields": [{"manager": "op", "operation": "Update", "fieldsV1": {"f:data": {"f:k": {}}}}]},
        "data": {"k": "prior", "other": "kept"}}),
    );
    let overlay = Overlay::new(config("theirs"), json!({"data": {"k": "ours", "new": "ours"}}));
    let mut taken = Resource::new(address("c.taken"), Node::Overlay(overlay));
    taken
        .depends_on
        .push(DependsOn::ready(address("a.one"), "it comes after"));
    let stack = [
        object("a.one", "one", &json!({"k": "1"}), &["b.two"]),
        object("b.two", "two", &json!({}), &[]),
        taken,
    ];
    assert!(world.apply(&stack).await.succeeded());
    assert_eq!(
        world.cluster.object(&config("theirs")).expect("there")["data"],
        json!({"k": "ours", "new": "ours", "other": "kept"})
    );
    let before = world.cluster.log().len();
    let report = world.apply(&[]).await;
    assert!(report.succeeded(), "{report:?}");
    let log = world.cluster.log().split_off(before);
    assert_eq!(
        log,
        [
            "patch ConfigMap n/theirs",
            "delete ConfigMap n/one",
            "delete ConfigMap n/two"
        ]
    );
    let theirs = world.cluster.object(&config("theirs")).expect("still there");
    assert_eq!(theirs["data"], json!({"k": "prior", "other": "kept"}));
    assert!(world.kept.recorded.is_empty());
}

#[tokio::test(start_paused = true)]
async fn items_that_we_added_to_a_keyed_list_go_as_a_whole() {
    let mut world = World::new();
    let deployment = ObjectRef::namespaced("apps/v1", "Deployment", "n", "d");
    let before = json!([{"name": "main", "image": "i", "env": [{"name": "THEIRS", "value": "1"}]}]);
    world.cluster.put(
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"},
        "spec": {"containers": before}}),
    );
    let env = json!([{"name": "A", "value": "a"}, {"name": "B", "value": "b"}]);
    let fields = json!({"spec": {"containers": [{"name": "main", "env": env}]}});
    let stack = [Resource::new(
        address("o.env"),
        Node::Overlay(Overlay::new(deployment.clone(), fields)),
    )];
    assert!(world.apply(&stack).await.succeeded());
    let live = world.cluster.object(&deployment).expect("there");
    assert_eq!(live["spec"]["containers"][0]["env"].as_array().map(Vec::len), Some(3));
    let report = world.apply(&[]).await;
    assert!(report.succeeded(), "{report:?}");
    assert_eq!(
        world.cluster.object(&deployment).expect("there")["spec"]["containers"],
        before
    );
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_never_opens_blocks_its_descendants_and_nothing_else() {
    let mut world = World::new();
    let never = Observation::new(Target::Named(config("never")), Rule::Exists);
    let gate = Resource::new(address("g.gate"), Node::Gate(Gate::on(never)));
    let stack = [
        gate,
        object("a.below", "below", &json!({}), &["g.gate"]),
        object("b.beside", "beside", &json!({}), &[]),
    ];
    let report = world.apply(&stack).await;
    assert_eq!(
        report.failed.keys().map(ToString::to_string).collect::<Vec<_>>(),
        ["g.gate"]
    );
    assert_eq!(
        report.blocked.keys().map(ToString::to_string).collect::<Vec<_>>(),
        ["a.below"]
    );
    assert_eq!(world.cluster.log(), ["create ConfigMap n/beside"]);
    world
        .cluster
        .put(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "never", "namespace": "n"}}));
    assert!(world.apply(&stack).await.succeeded());
}

#[tokio::test(start_paused = true)]
async fn an_action_approves_only_what_is_admitted_and_a_remedy_runs_once() {
    let mut world = World::new();
    let plan = |name: &str, csvs: &[&str]| {
        json!({"apiVersion": "v1", "kind": "InstallPlan",
        "metadata": {"name": name, "namespace": "n"}, "spec": {"approved": false, "names": csvs}})
    };
    world.cluster.put(plan("newer", &["x.v2"]));
    world.cluster.put(plan("pinned", &["x.v1", "dep.v1"]));
    let of = ObjectType::new("v1", "InstallPlan");
    let pinned = ObjectRef::namespaced("v1", "InstallPlan", "n", "pinned");
    let approve = Action {
        effect: Effect::PatchAdmitted {
            of,
            namespace: "n".to_owned(),
            path: crate::FieldPath::of("spec.names"),
            must_hold: "x.v1".to_owned(),
            may_start_with: vec!["dep.".to_owned()],
            unless: (crate::FieldPath::of("spec.approved"), json!(true)),
            patch: json!({"spec": {"approved": true}}),
        },
        goal: vec![Observation::new(
            Target::Named(pinned),
            Rule::equals("spec.approved", true),
        )],
        trigger: json!("x.v1"),
        satisfied_by_goal: true,
    };
    let mended = Observation::new(
        Target::Named(config("touched")),
        Rule::non_empty("metadata.annotations.touched"),
    );
    let remedy = Remedy {
        symptom: vec![Observation::new(Target::Named(config("touched")), Rule::Exists)],
        after: Duration::from_secs(5),
        effects: vec![Effect::Touch {
            target: config("touched"),
            annotation: "touched".to_owned(),
        }],
        why: "touches it".to_owned(),
    };
    let mut gate = Resource::new(address("g.gate"), Node::Gate(Gate::on(mended).with_remedy(remedy)));
    gate.depends_on
        .push(DependsOn::ready(address("o.touched"), "it is about it"));
    let stack = [
        Resource::new(address("x.approve"), Node::Action(approve)),
        gate,
        object("o.touched", "touched", &json!({}), &[]),
    ];
    let report = world.apply(&stack).await;
    assert!(report.succeeded(), "{report:?}");
    assert_eq!(report.remedied.len(), 1);
    let approved = world
        .cluster
        .log()
        .iter()
        .filter(|line| line.contains("InstallPlan"))
        .cloned()
        .collect::<Vec<_>>();
    assert_eq!(approved, ["patch InstallPlan n/pinned"]);
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
}

/// A gate that never opens, about an object whose text is `stuck`.
fn stuck(diagnosis: Diagnosis, remedy: Option<Remedy>) -> [Resource; 2] {
    let mended = Observation::new(Target::Named(config("o")), Rule::equals("data.text", "mended"));
    let mut gate = Gate::on(mended);
    gate.remedy = remedy;
    let mut gate = Resource::new(address("g.gate"), Node::Gate(gate));
    gate.depends_on
        .push(DependsOn::ready(address("o.object"), "it is about it"));
    gate.diagnoses.push(diagnosis);
    [object("o.object", "o", &json!({"text": "stuck"}), &[]), gate]
}

#[tokio::test(start_paused = true)]
async fn a_symptom_that_lasts_ends_the_wait_and_one_that_may_go_explains_it() {
    let seen = |at: &str, text: &str| {
        let rule = Rule::equals(at, text);
        Diagnosis::new(vec![Observation::new(Target::Named(config("o")), rule)], "mend it")
    };
    for (diagnosis, what, hint, within) in [
        (
            seen("metadata.name", "o").lasting(Duration::from_secs(5)),
            "will not become ready",
            "mend it; then run the same command again",
            Duration::from_secs(6),
        ),
        (
            seen("metadata.name", "o"),
            "did not become ready within 1 m 00 s",
            "mend it; then run the same command again, or give it longer with `--ready-timeout`",
            Duration::from_secs(61),
        ),
    ] {
        let started = tokio::time::Instant::now();
        let report = World::new().apply(&stuck(diagnosis, None)).await;
        let failure = &report.failed[&address("g.gate")];
        assert_eq!(failure.what, what);
        assert_eq!(
            failure.because,
            ["ConfigMap o: .data.text is stuck", "ConfigMap o: .metadata.name is o"]
        );
        assert_eq!(failure.hint.as_deref(), Some(hint));
        assert!(started.elapsed() < within, "{:?}", started.elapsed());
    }
    // What is not seen explains nothing.
    let report = World::new().apply(&stuck(seen("data.text", "other"), None)).await;
    let failure = &report.failed[&address("g.gate")];
    assert_eq!(failure.because, ["ConfigMap o: .data.text is stuck"]);
    assert!(
        failure
            .hint
            .as_deref()
            .is_some_and(|hint| hint.starts_with("see what it says above"))
    );
}

#[tokio::test(start_paused = true)]
async fn no_symptom_ends_a_wait_before_its_remedy_was_tried() {
    let symptom = || {
        vec![Observation::new(
            Target::Named(config("o")),
            Rule::equals("data.text", "stuck"),
        )]
    };
    let remedy = Remedy {
        symptom: symptom(),
        after: Duration::from_secs(20),
        effects: vec![Effect::MergePatch {
            target: config("o"),
            patch: json!({"data": {"text": "mended"}}),
        }],
        why: "mends it".to_owned(),
    };
    let diagnosis = Diagnosis::new(symptom(), "mend it").lasting(Duration::from_secs(5));
    let report = World::new().apply(&stuck(diagnosis, Some(remedy))).await;
    assert!(report.succeeded(), "{report:?}");
    assert_eq!(report.remedied.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_comes_later_is_waited_for() {
    let mut world = World::new();
    world.cluster.unserve("ConfigMap");
    let mut stack = vec![object("a.one", "one", &json!({}), &[])];
    stack[0].provides.push(crate::resource::Provides {
        kind: crate::GroupKind::new("", "ConfigMap"),
        plural: "configmaps".to_owned(),
        namespaced: true,
    });
    assert_eq!(
        world.planned(&stack).await,
        ["create a.one (kind-or-namespace-to-come) .data"]
    );
    world.cluster.serve("ConfigMap");
    assert!(world.apply(&stack).await.succeeded());
}

#[tokio::test(start_paused = true)]
async fn what_a_controller_made_is_adopted_and_released_with_its_values() {
    let mut world = World::new();
    world.cluster.put(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made", "namespace": "n"},
        "data": {"theirs": "1"}}),
    );
    let mut made = object("a.made", "made", &json!({"ours": "2"}), &[]);
    made.lifecycle.adopt = Adopt::Expected;
    let stack = [made];
    let report = world.apply(&stack).await;
    assert!(report.succeeded() && report.adopted == 1, "{report:?}");
    assert!(world.apply(&[]).await.succeeded());
    let live = world.cluster.object(&config("made")).expect("still there");
    assert_eq!(live["data"], json!({"theirs": "1", "ours": "2"}));
    assert_eq!(live["metadata"]["annotations"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_field_that_takes_a_replacement_takes_what_was_made_for_it_along() {
    let mut world = World::new();
    let asks_for = |channel: &str, other: &str| {
        let mut resource = object("a.one", "one", &json!({"channel": channel, "other": other}), &[]);
        resource.lifecycle.replace_on.push(FieldPath::of("data.channel"));
        resource.lifecycle.claims.push(Claim {
            target: Target::Named(config("made-for-one")),
            why: "made for it".to_owned(),
            needed_by: None,
        });
        resource
    };
    let theirs =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made-for-one", "namespace": "n"}});
    world.cluster.put(theirs);
    world.apply(&[asks_for("stable", "1")]).await;

    // Another field is an update, as ever.
    assert_eq!(
        world.planned(&[asks_for("stable", "2")]).await,
        ["update a.one (changed-in-stack) .data.other"]
    );
    let beta = [asks_for("beta", "1")];
    assert_eq!(
        world.planned(&beta).await,
        ["replace a.one (replaced-on) .data.channel"]
    );
    let report = world.apply(&beta).await;
    assert!(report.succeeded(), "{report:?}");
    let log = world.cluster.log();
    assert_eq!(
        log[log.len() - 3..],
        [
            "delete ConfigMap n/one",
            "delete ConfigMap n/made-for-one",
            "create ConfigMap n/one"
        ]
    );
    assert_eq!(world.planned(&beta).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_was_cut_off_still_takes_everything_along() {
    let mut world = World::new();
    let asks_for = |channel: &str| {
        let mut resource = object("a.one", "one", &json!({"channel": channel}), &[]);
        resource.lifecycle.replace_on.push(FieldPath::of("data.channel"));
        resource.lifecycle.claims.push(Claim {
            target: Target::Named(config("made-for-one")),
            why: "made for it".to_owned(),
            needed_by: None,
        });
        resource
    };
    let theirs =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made-for-one", "namespace": "n"}});
    world.cluster.put(theirs);
    world.apply(&[asks_for("stable")]).await;
    // As if killed between the deletions.
    world.cluster.take(&config("one"));
    let beta = [asks_for("beta")];
    assert_eq!(
        world.planned(&beta).await,
        ["replace a.one (replaced-on) .data.channel"]
    );
    assert!(world.apply(&beta).await.succeeded());
    assert!(
        world
            .cluster
            .log()
            .contains(&"delete ConfigMap n/made-for-one".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_that_names_another_object_leaves_none_behind() {
    let mut world = World::new();
    world.apply(&[object("a.one", "old", &json!({"k": "1"}), &[])]).await;
    let renamed = [object("a.one", "new", &json!({"k": "1"}), &[])];
    assert_eq!(world.planned(&renamed).await, ["replace a.one (other-object) .data.k"]);
    assert!(world.apply(&renamed).await.succeeded());
    assert!(
        world.cluster.object(&config("old")).is_none(),
        "the old one is nobody's"
    );
    assert_eq!(world.planned(&renamed).await, Vec::<String>::new());

    // An overlay gives the old target's fields back.
    for name in ["left", "right"] {
        world.cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": {"theirs": "1"}}));
    }
    let on = |name: &str| {
        let overlay = Overlay::new(config(name), json!({"data": {"ours": "1"}}));
        [
            Resource::new(address("b.over"), Node::Overlay(overlay)),
            renamed[0].clone(),
        ]
    };
    assert!(world.apply(&on("left")).await.succeeded());
    assert!(world.apply(&on("right")).await.succeeded());
    let data = |name: &str| world.cluster.object(&config(name)).expect("there")["data"].clone();
    assert_eq!(data("left"), json!({"theirs": "1"}));
    assert_eq!(data("right"), json!({"theirs": "1", "ours": "1"}));
    assert_eq!(world.planned(&on("right")).await, Vec::<String>::new());

    // What holds data is never replaced by the way.
    let mut data = object("c.data", "kept", &json!({"k": "1"}), &[]);
    data.lifecycle.holds_data = true;
    let mut stack = on("right").to_vec();
    stack.push(data.clone());
    world.apply(&stack).await;
    let mut moved = object("c.data", "elsewhere", &json!({"k": "1"}), &[]);
    moved.lifecycle.holds_data = true;
    *stack.last_mut().expect("three") = moved;
    assert!(matches!(
        world.refused(&stack).await[..],
        [crate::plan::PlanError::HoldsData { .. }]
    ));
}
