//! A saved plan: what it holds, and whether it is still true.
//!
//! It holds the stack's texts, the facts, what was decided and a digest of every path that a decision read. To apply it
//! is to make the plan again from the same texts and facts, and to refuse when it comes out otherwise.

use super::{
    cluster::Cluster,
    known::{Known, problem as state_problem},
    planning::Planned,
    prepare::Desired,
};
use crate::{
    cli::{PlanArgs, SchemaArgs, ScopeArgs},
    clock,
    error::{Error, Problem},
    facts,
    settings::Settings,
    views::{self, plan_document::Details, style::Style},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stackctl_engine::{
    Resource,
    digest::Digest,
    facts::Facts,
    plan::{Action, Loss, NodeKind, Pattern, Projection, desired_digest, losses, not_among},
};
use stackctl_stacks::{Source, Stack};
use stackctl_state::planfile::{self, PlanHeader, SavedPlan, SealedPlan};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a saved plan says; `planfile` keeps the version around it.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    layers: Vec<Layer>,
    sets: Vec<String>,
    facts: Value,
    adopt: bool,
    force_conflicts: bool,
    #[serde(default)]
    yes_delete: bool,
    /// What is deleted and made again as asked.
    #[serde(default)]
    replace: Vec<String>,
    ready_timeout_seconds: Option<u64>,
    /// The part of the stack that it is about; all of it, where nothing is named.
    #[serde(default)]
    scope: ScopeBody,
    /// The digest of what is desired.
    desired: String,
    /// What every decision read, by address.
    read: BTreeMap<String, ReadPaths>,
    /// What is changed, by address, and how.
    changes: BTreeMap<String, String>,
    /// What is deleted beyond what a stack may lose by mistake: what `yes_delete` is about, and nothing besides.
    #[serde(default)]
    losses: Vec<LossBody>,
    /// For people.
    text: String,
    /// For machines.
    plan: Value,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct ScopeBody {
    targets: Vec<String>,
    excludes: Vec<String>,
    until: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Layer {
    name: String,
    text: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct ReadPaths {
    uid: Option<String>,
    paths: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LossBody {
    what: String,
    uid: Option<String>,
    count: usize,
}

impl LossBody {
    fn of(loss: Loss) -> Self {
        let Loss { what, uid, count } = loss;
        Self { what, uid, count }
    }

    fn loss(&self) -> Loss {
        Loss {
            what: self.what.clone(),
            uid: self.uid.clone(),
            count: self.count,
        }
    }
}

impl ScopeBody {
    fn of(arguments: &ScopeArgs) -> Self {
        let texts = |patterns: &[Pattern]| patterns.iter().map(ToString::to_string).collect();
        Self {
            targets: texts(&arguments.targets),
            excludes: texts(&arguments.excludes),
            until: texts(&arguments.until),
        }
    }

    /// `None` where one of them names nothing that an address may be.
    fn arguments(&self) -> Option<ScopeArgs> {
        let patterns = |texts: &[String]| {
            texts
                .iter()
                .map(|text| text.parse().ok())
                .collect::<Option<Vec<Pattern>>>()
        };
        Some(ScopeArgs {
            targets: patterns(&self.targets)?,
            excludes: patterns(&self.excludes)?,
            until: patterns(&self.until)?,
        })
    }
}

impl Body {
    fn of(
        sources: &[Source],
        sets: &[String],
        facts: &Facts,
        planned: &Planned,
        resources: &[Resource],
        details: &Details,
        arguments: &PlanArgs,
    ) -> Result<Self, Error> {
        let plan = &planned.plan;
        let absolute =
            |name: &str| std::path::absolute(name).map_or_else(|_| name.to_owned(), |path| path.display().to_string());
        Ok(Self {
            layers: sources
                .iter()
                .map(|source| Layer {
                    name: absolute(&source.name),
                    text: source.text.clone(),
                })
                .collect(),
            sets: sets.to_vec(),
            facts: facts::to_json(facts),
            adopt: arguments.adopt,
            force_conflicts: arguments.force_conflicts,
            yes_delete: arguments.yes_delete,
            replace: arguments.replace.iter().map(ToString::to_string).collect(),
            ready_timeout_seconds: arguments.ready_timeout.map(|time| time.as_secs()),
            scope: ScopeBody::of(&arguments.scope),
            desired: details.desired.to_string(),
            read: planned
                .read(resources)
                .iter()
                .map(|(address, read)| (address.to_string(), read_paths(read)))
                .collect(),
            changes: changes(plan),
            losses: losses(&planned.excess).into_iter().map(LossBody::of).collect(),
            text: views::plan::plan(plan, &planned.around, &Style::PLAIN),
            plan: json_of(&views::plan_document::plan(plan, &planned.around, details))?,
        })
    }
}

/// Saves a plan, sealed with the stack's key; returns its digest.
#[expect(
    clippy::too_many_arguments,
    reason = "a plan is saved with everything that it was made from"
)]
pub(super) fn write(
    path: &Path,
    sources: &[Source],
    settings: &Settings,
    cluster: &Cluster,
    known: &Known,
    desired: &Desired,
    planned: &Planned,
    arguments: &PlanArgs,
) -> Result<Digest, Error> {
    let resources = planned.part_of(desired);
    let details = planned.details(&resources, &known.identity, known.key.as_ref());
    let (sets, facts) = (&settings.sets, &desired.facts);
    let body = Body::of(sources, sets, facts, planned, &resources, &details, arguments)?;
    let header = PlanHeader {
        stack: known.identity.stack.clone(),
        cluster_id: cluster.id.clone(),
        lineage: known.identity.lineage.clone(),
        serial: known.state.as_ref().map_or(0, |state| state.serial()),
        created: clock::now(),
    };
    let key = known.backend.key_or_create().map_err(state_problem)?;
    let plan = SavedPlan::new(header, json_of(&body)?);
    std::fs::write(path, plan.to_bytes(&key))
        .map_err(|error| Problem::new(format!("the plan cannot be saved as `{}`", path.display())).caused_by(&error))?;
    Ok(plan.digest())
}

/// A saved plan that nobody vouches for yet.
#[derive(Debug)]
pub(super) struct Read {
    path: PathBuf,
    sealed: SealedPlan,
    body: Body,
}

/// Reads a file that is a saved plan by its content; `None` for anything else, a missing file included.
pub(super) fn recognised(path: &Path) -> Result<Option<Read>, Error> {
    let Ok(bytes) = std::fs::read(path) else {
        return Ok(None);
    };
    if !planfile::is_plan(&bytes) {
        return Ok(None);
    }
    let unusable = || Problem::new(format!("the plan `{}` cannot be used", path.display()));
    let sealed = SealedPlan::read(&bytes).map_err(|error| unusable().caused_by(&error).hint(error.hint()))?;
    let body = serde_json::from_value(sealed.unverified().body().clone()).map_err(|error| {
        unusable()
            .caused_by(&error)
            .hint("make a new plan with `stackctl plan -o FILE`")
    })?;
    Ok(Some(Read {
        path: path.to_owned(),
        sealed,
        body,
    }))
}

impl Read {
    /// The stack's name.
    pub(super) fn stack(&self) -> &str {
        &self.sealed.unverified().header().stack
    }

    /// The stack files it was made of; on a machine that has not got them, a file of the same name beside the plan.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let beside = self.path.parent().unwrap_or(Path::new(""));
        let here = |name: &str| {
            let path = Path::new(name);
            match (path.parent().is_some_and(Path::is_dir), path.file_name()) {
                (true, _) | (false, None) => path.to_owned(),
                (false, Some(name)) => beside.join(name),
            }
        };
        self.body.layers.iter().map(|layer| here(&layer.name)).collect()
    }

    /// The digest of what it says, which nobody vouches for before it is opened.
    pub(super) fn digest(&self) -> Digest {
        self.sealed.unverified().digest()
    }

    /// The screen of the plan, as it was when it was made.
    pub(super) fn human_form(&self) -> String {
        self.body.text.clone()
    }

    /// The JSON of the plan, as it was when it was made.
    pub(super) fn machine_form(&self) -> Value {
        self.body.plan.clone()
    }

    /// Compares the seal.
    pub(super) fn open(self, known: &Known) -> Result<Saved, Error> {
        let name = self.path.display().to_string();
        let key = known.key.as_ref().ok_or_else(|| {
            Problem::new(format!(
                "the plan `{name}` cannot be checked: the stack's key is not here"
            ))
            .hint(format!(
                "apply it where it was made, or name that state with `--state` (looked in `{}`)",
                known.backend.directory().display()
            ))
        })?;
        let plan = self.sealed.open(key).map_err(|error| {
            Problem::new(format!("the plan `{name}` cannot be used"))
                .caused_by(&error)
                .hint(error.hint())
        })?;
        Ok(Saved {
            name,
            digest: plan.digest(),
            header: plan.header().clone(),
            body: self.body,
        })
    }
}

/// A saved plan whose seal is right.
#[derive(Debug)]
pub(super) struct Saved {
    name: String,
    digest: Digest,
    header: PlanHeader,
    body: Body,
}

impl Saved {
    /// The lineage it was made with, or is to begin.
    pub(super) fn lineage(&self) -> &str {
        &self.header.lineage
    }

    /// The stack, parsed from the texts it was made of.
    pub(super) fn parse(&self) -> Result<Stack, Error> {
        let sources: Vec<_> = self
            .body
            .layers
            .iter()
            .map(|layer| Source {
                name: layer.name.clone(),
                text: layer.text.clone(),
            })
            .collect();
        Ok(stackctl_stacks::parse(&sources, &self.body.sets)?.0)
    }

    /// The facts it was made with.
    pub(super) fn facts(&self) -> Result<Facts, Error> {
        facts::from_json(&self.body.facts)
            .ok_or_else(|| Problem::new(format!("the facts in `{}` cannot be read", self.name)).into())
    }

    /// How it was planned, and is to be carried out.
    pub(super) fn arguments(&self) -> Result<PlanArgs, Error> {
        let unreadable = || {
            Problem::new(format!(
                "the part of the stack that `{}` is about cannot be read",
                self.name
            ))
            .hint("make a new plan with `stackctl plan -o FILE`")
        };
        let replace = self.body.replace.iter().map(|text| text.parse().ok());
        Ok(PlanArgs {
            scope: self.body.scope.arguments().ok_or_else(unreadable)?,
            replace: replace.collect::<Option<_>>().ok_or_else(unreadable)?,
            schema: SchemaArgs::default(),
            refresh_only: false,
            yes_delete: self.body.yes_delete,
            adopt: self.body.adopt,
            force_conflicts: self.body.force_conflicts,
            refresh_facts: false,
            ready_timeout: self.body.ready_timeout_seconds.map(Duration::from_secs),
        })
    }

    /// Refuses a plan that is not the one that was approved.
    pub(super) fn check_digest(&self, expected: &str) -> Result<(), Error> {
        let is = self.digest.to_string();
        if expected.trim() == is {
            return Ok(());
        }
        Err(
            Problem::new(format!("the plan `{}` is not the one that was approved", self.name))
                .because(format!("its digest is {is}, and {} was expected", expected.trim()))
                .hint(format!(
                    "look at it with `stackctl show {}`; nothing was changed",
                    self.name
                ))
                .into(),
        )
    }

    /// Refuses another cluster, and a state that is not the one it was made with.
    pub(super) fn check_target(&self, cluster: &Cluster, known: &Known) -> Result<(), Error> {
        if cluster.id != self.header.cluster_id {
            return Err(Problem::new(format!(
                "the plan `{}` is for the cluster {}, and this is {} ({})",
                self.name, self.header.cluster_id, cluster.name, cluster.id
            ))
            .hint("choose the cluster with `--context`, or make a plan for this one")
            .into());
        }
        let stale = |what: String| Err(self.stale(vec![what]));
        match &known.state {
            Some(state) if state.lineage() != self.header.lineage => stale(format!(
                "the state has the lineage {}, the plan {}",
                state.lineage(),
                self.header.lineage
            )),
            None if self.header.serial > 0 => stale("the state that it was made with is gone".to_owned()),
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses when the same texts and facts come to another plan now, naming what moved.
    pub(super) fn check_still_true(
        &self,
        planned: &Planned,
        resources: &[Resource],
        known: &Known,
    ) -> Result<(), Error> {
        let plan = &planned.plan;
        if desired_digest(plan.purpose, resources).to_string() != self.body.desired {
            return Err(self.stale(vec![
                "this stackctl, or a file of `[[manifests]]`, makes other resources of the same stack".to_owned(),
            ]));
        }
        let mut moved = Vec::new();
        let read = planned.read(resources);
        for step in &plan.steps {
            let then = self.body.read.get(&step.address.to_string());
            let Some((then, now)) = then.zip(read.get(&step.address)) else {
                continue;
            };
            let ours = match step.node {
                NodeKind::Overlay => known.identity.overlay_manager(&step.address),
                NodeKind::Object | NodeKind::Gate | NodeKind::Action | NodeKind::Check => {
                    known.identity.object_manager()
                }
            };
            let live = planned.survey.live(&step.address);
            let object = step.object.as_ref().map(ToString::to_string).unwrap_or_default();
            for change in projection(then).moved(now, live, &ours) {
                moved.push(views::plan::moved(&object, &change));
            }
        }
        if moved.is_empty() {
            let now = changes(plan);
            let differs = |(address, action): (&String, &String), other: &BTreeMap<String, String>| {
                (other.get(address) != Some(action)).then(|| {
                    let other = other.get(address).map_or("nothing", String::as_str);
                    (address.clone(), action.clone(), other.to_owned())
                })
            };
            moved.extend(
                self.body
                    .changes
                    .iter()
                    .filter_map(|entry| differs(entry, &now))
                    .map(|(address, then, now)| format!("{address}: the plan says {then}, and now it would be {now}")),
            );
            moved.extend(
                now.iter()
                    .filter(|(address, _)| !self.body.changes.contains_key(*address))
                    .map(|(address, now)| format!("{address}: the plan says nothing, and now it would be {now}")),
            );
        }
        if moved.is_empty() {
            Ok(())
        } else {
            Err(self.stale(moved))
        }
    }

    /// Refuses what would be lost now and was not when the plan was made: its `--yes-delete` says nothing of that.
    pub(super) fn check_losses(&self, planned: &Planned) -> Result<(), Error> {
        let then = self.body.losses.iter().map(LossBody::loss).collect();
        let new = not_among(&then, &losses(&planned.excess));
        if new.is_empty() {
            return Ok(());
        }
        let hint = "look at a new `stackctl plan -o FILE`, or say `--yes-delete` with this apply if that is to go too; \
                    nothing was changed";
        Err(self.no_longer_true(new).hint(hint).into())
    }

    fn stale(&self, moved: Vec<String>) -> Error {
        self.no_longer_true(moved)
            .hint("look at a new `stackctl plan -o FILE`; nothing was changed")
            .into()
    }

    fn no_longer_true(&self, because: Vec<String>) -> Problem {
        let mut problem = Problem::new(format!("the plan `{}` is no longer true", self.name));
        problem.because = because;
        problem
    }
}

fn changes(plan: &stackctl_engine::plan::Plan) -> BTreeMap<String, String> {
    let is_change = |action: Action| action.is_change();
    plan.steps
        .iter()
        .filter(|step| is_change(step.action))
        .map(|step| (step.address.to_string(), step.action.code().to_owned()))
        .collect()
}

fn read_paths(projection: &Projection) -> ReadPaths {
    let paths = projection
        .paths
        .iter()
        .map(|(path, digest)| (path.clone(), digest.map(|digest| digest.to_string())));
    ReadPaths {
        uid: projection.uid.clone(),
        paths: paths.collect(),
    }
}

fn projection(read: &ReadPaths) -> Projection {
    let paths = read
        .paths
        .iter()
        .map(|(path, digest)| (path.clone(), digest.as_deref().and_then(Digest::parse)));
    Projection {
        uid: read.uid.clone(),
        paths: paths.collect(),
    }
}

fn json_of(value: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|error| {
        Problem::new("the plan cannot be written as JSON")
            .caused_by(&error)
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{address, plan_of_three_components, surroundings};
    use stackctl_engine::{
        digest::StackKey,
        resource::{Consequence, ConsequenceClass},
        survey::Survey,
    };

    #[test]
    fn a_saved_plan_shows_what_was_told_when_it_was_made() {
        let at = "maas.tier[pro].subscription";
        let consequence = Consequence {
            class: ConsequenceClass::Disruption,
            text: "lowers tier pro on qwen3-8b from 3000 to 300 tokens per 5m".to_owned(),
        };
        let told = BTreeMap::from([(address(at), vec![consequence.clone()])]);
        let planned = Planned {
            plan: plan_of_three_components().with_consequences(told),
            recorded: std::sync::Arc::default(),
            survey: Survey::default(),
            around: surroundings(),
            excess: Vec::new(),
            left: Vec::new(),
        };
        let arguments = PlanArgs::default();
        let body = Body::of(
            &[],
            &[],
            &Facts::default(),
            &planned,
            &[],
            &Details {
                desired: Digest::of_bytes(b"desired"),
                pictures: BTreeMap::new(),
                drift: Vec::new(),
            },
            &arguments,
        )
        .expect("JSON");
        let header = PlanHeader {
            stack: "demo".to_owned(),
            cluster_id: "c".to_owned(),
            lineage: "l".to_owned(),
            serial: 1,
            created: "2026-11-24T02:00:00Z".to_owned(),
        };
        let saved = SavedPlan::new(header, json_of(&body).expect("JSON"));
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), saved.to_bytes(&StackKey::new([7; 32]))).expect("written");
        let read = recognised(file.path()).expect("readable").expect("a plan");
        assert_eq!(
            read.human_form(),
            views::plan::plan(&planned.plan, &planned.around, &Style::PLAIN)
        );
        assert!(read.human_form().contains(&consequence.text));
        let plan = read.machine_form();
        let steps = plan["resource_changes"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["address"] == at).expect("there");
        let expected = serde_json::json!({"class": "disruption", "text": consequence.text});
        assert!(
            step["consequences"]
                .as_array()
                .is_some_and(|all| all.contains(&expected))
        );
        assert!(
            plan["consequences"]
                .as_array()
                .is_some_and(|all| all.contains(&expected))
        );
    }
}
