//! One version of a stack against another, without a cluster.
//!
//! The old version counts as applied and ready, and the new one is planned on top of it: the planner that compares a stack
//! with a cluster compares two versions too.
//!
//! Invariants:
//! - No cluster is asked, no state is read, and no secret either.
//! - Both versions are compiled with facts of one file, or each with values that stand in for its facts.
//! - What the new version keeps (`prevent_destroy`) and would lose all the same is planned nevertheless, so that a reviewer
//!   reads what it would do, and refused beside that.

use super::{
    definitions::{self, Written},
    known::Counted,
    load,
    planning::{self, Planned},
    prepare::{self, Desired},
};
use crate::{
    cli::SchemaArgs,
    error::{Error, Problem},
    files::Files,
    settings::Settings,
    views::{self, plan::Surroundings, review::Review},
};
use stackctl_engine::{
    Address, Resource,
    digest::Digest,
    estimate::estimate,
    execute::Supposed,
    facts::Facts,
    late::{SecretInput, Secrets},
    marks::Identity,
    moves,
    plan::{self, Action, Inputs, Plan, PlanError, Step},
    recorded::Recorded,
    survey::SurveyRequest,
};
use stackctl_stacks::{Stack, StackError, cluster_facts::stand_ins, consequences};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A version of a stack: where it is, and what people call it.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) name: String,
    pub(super) files: Files,
    /// The layers, as they are named there.
    pub(super) layers: Vec<PathBuf>,
}

/// A version of a stack, and what it comes to.
#[derive(Debug)]
pub(super) struct Side {
    version: Version,
    stack: Stack,
    desired: Desired,
    /// What is doubtful about it.
    warnings: Vec<StackError>,
}

/// The version that is compared with: a stack, or that there was none yet.
#[derive(Debug)]
pub(super) enum Old {
    /// There was one.
    Stack(Box<Side>),
    /// None of its files is there: everything is new.
    Nothing(Version),
}

impl Old {
    /// Reads, parses and compiles the old version, if there is one.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(super) fn of(
        version: Version,
        facts: Option<&Facts>,
        settings: &Settings,
        schema: &SchemaArgs,
    ) -> Result<Self, Error> {
        if matches!(version.files, Files::Revision(_))
            && !version.layers.iter().any(|layer| version.files.exists(layer))
        {
            return Ok(Self::Nothing(version));
        }
        Ok(Self::Stack(Box::new(Side::of(version, facts, settings, schema)?)))
    }

    fn version(&self) -> &Version {
        match self {
            Self::Stack(side) => &side.version,
            Self::Nothing(version) => version,
        }
    }
}

impl Side {
    /// Reads, parses and compiles a version.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(super) fn of(
        version: Version,
        facts: Option<&Facts>,
        settings: &Settings,
        schema: &SchemaArgs,
    ) -> Result<Self, Error> {
        let name = version.name.clone();
        let side = || {
            let sources = load::sources_of(&version.files, &version.layers)?;
            let (stack, warnings) = stackctl_stacks::parse(&sources, &settings.sets)?;
            let facts = facts.cloned().unwrap_or_else(|| stand_ins(&stack));
            let desired = prepare::compiled_of(&version.files, &stack, facts, settings, schema)?;
            Ok(Self {
                version,
                stack,
                desired,
                warnings,
            })
        };
        side().inspect_err(|_: &Error| views::tell(&views::review::about(&name)))
    }

    /// What it comes to.
    pub(super) fn resources(&self) -> &[Resource] {
        &self.desired.resources
    }

    /// Holds it against the definitions of its kinds: its own, and those that a person names.
    ///
    /// Rules about changes are not judged: what a server filled in of the old version is not known.
    ///
    /// # Errors
    /// Everything that they say against it; files of definitions that cannot be read.
    pub(super) fn check(&self, settings: &Settings, schema: &SchemaArgs) -> Result<(), Error> {
        let check = || {
            let given = definitions::given(settings.crds(schema).as_deref(), self.resources())?;
            let written = Written {
                files: &self.version.files,
                stack: &self.stack,
                scopes: &self.desired.scopes,
            };
            definitions::check(&given, written, self.resources(), settings)
        };
        check().inspect_err(|_: &Error| views::tell(&views::review::about(&self.version.name)))
    }

    /// Tells what is doubtful about it.
    pub(super) fn show_doubts(&self, settings: &Settings) {
        load::show_warnings(&self.warnings, settings);
        load::show_notices(&self.desired.notices, settings);
    }
}

/// What it comes to, to go from one version to another.
#[derive(Debug)]
pub(super) struct Compared {
    /// What would be done.
    pub(super) planned: Planned,
    /// Why an apply refuses it: of what would go, the new version says that it stays.
    pub(super) prevented: Vec<PlanError>,
    /// Who an apply would be to the cluster.
    pub(super) identity: Identity,
}

impl Compared {
    /// Refuses what an apply would refuse.
    ///
    /// # Errors
    /// Each thing that would go and is to stay.
    pub(super) fn verdict(&self, new: &Side) -> Result<(), Error> {
        if self.prevented.is_empty() {
            Ok(())
        } else {
            Err(planning::refused(&self.prevented, &new.desired.places))
        }
    }
}

/// Plans to bring a cluster that has the old version to the new one.
///
/// # Errors
/// What an apply of the new version would be refused for, but for what it keeps: that is in the answer.
pub(super) async fn plan(settings: &Settings, old: &Old, new: &Side) -> Result<Compared, Error> {
    let resources = &new.desired.resources;
    let identity = Identity {
        stack: new.stack.name.to_string(),
        lineage: String::new(),
    };
    let before = match old {
        Old::Nothing(_) => Supposed::fresh(resources),
        Old::Stack(old) => {
            let secrets = StandIns { of: &old.version.files };
            let Desired {
                resources: applied,
                graph,
                ..
            } = &old.desired;
            Supposed::after(applied, graph, resources, &identity, &secrets)
                .map_err(|errors| planning::refused(&errors, &old.desired.places))?
        }
    };
    let Counted {
        mut recorded,
        renames,
        let_go,
        ..
    } = Counted::of(Arc::new(before.recorded.clone()), resources, &new.desired.moves)?;
    let desired_now: BTreeSet<_> = resources.iter().map(|resource| &resource.address).collect();
    planning::keep(&new.stack, &mut recorded, |address| !desired_now.contains(address));
    let request = SurveyRequest {
        resources,
        recorded: &recorded,
        identity: &identity,
        key: None,
        parallelism: settings.parallelism,
    };
    let secrets = StandIns { of: &new.version.files };
    let survey = before
        .survey(&request, &secrets)
        .await
        .map_err(|error| planning::unread(&error))?;
    let inputs = Inputs {
        resources,
        graph: &new.desired.graph,
        recorded: &recorded,
        survey: &survey,
        identity: &identity,
        key: None,
        adopt: false,
        force_conflicts: false,
        replaced: &BTreeMap::new(),
    };
    let (plan, prevented) =
        even_if_prevented(&inputs).map_err(|errors| planning::refused(&errors, &new.desired.places))?;
    let plan = moves::said_in(plan, &let_go);
    let transitions = plan::transitions(&plan, resources, &recorded, &survey, consequences::is_judged);
    let plan = plan.with_consequences(consequences::consequences(&transitions, None));
    let excess = plan::excess(&plan, resources.len(), &recorded);
    let is_working = |step: &&Step| step.action != Action::NoOp;
    let working: BTreeSet<_> = plan.steps.iter().filter(is_working).map(|step| &step.address).collect();
    let works = |address: &Address| working.contains(address);
    let estimate = estimate(resources, &new.desired.graph, &BTreeMap::new(), works);
    let around = Surroundings {
        stack: identity.stack.clone(),
        cluster: format!("none asked; {} → {}", old.version().name, new.version.name),
        estimate: Some(estimate).filter(|estimate| !estimate.time().is_zero()),
        moved: renames,
        ..Surroundings::default()
    };
    let planned = Planned {
        plan,
        recorded,
        survey,
        around,
        excess,
        left: Vec::new(),
    };
    Ok(Compared {
        planned,
        prevented,
        identity,
    })
}

/// The plan, and what it does although the stack says that it may not be done.
///
/// # Errors
/// Every reason why it cannot be planned, if there is one that is not of what the stack keeps.
fn even_if_prevented(inputs: &Inputs<'_>) -> Result<(Plan, Vec<PlanError>), Vec<PlanError>> {
    let errors = match plan::plan(inputs) {
        Ok(plan) => return Ok((plan, Vec::new())),
        Err(errors) => errors,
    };
    if !errors.iter().all(|error| matches!(error, PlanError::Prevented { .. })) {
        return Err(errors);
    }
    let mut resources = inputs.resources.to_vec();
    for resource in &mut resources {
        resource.lifecycle.prevent_destroy = false;
    }
    let mut recorded: BTreeMap<Address, Recorded> = inputs.recorded.clone();
    for known in recorded.values_mut() {
        known.destroy.prevent = false;
    }
    let freely = Inputs {
        resources: &resources,
        recorded: &recorded,
        ..*inputs
    };
    match plan::plan(&freely) {
        Ok(plan) => Ok((plan, errors)),
        Err(more) => Err([errors, more].concat()),
    }
}

/// What the screens say around the plan.
pub(super) fn review(old: &Old, new: &Side, facts: Option<&Path>) -> Review {
    let renamed = match old {
        Old::Stack(old) if old.stack.name != new.stack.name => Some(old.stack.name.to_string()),
        Old::Stack(_) | Old::Nothing(_) => None,
    };
    Review {
        stack: new.stack.name.to_string(),
        between: Some((old.version().name.clone(), new.version.name.clone())),
        asked: views::review::not_asked(facts),
        renamed,
        nothing_before: match old {
            Old::Stack(_) => None,
            Old::Nothing(version) => Some(version.layers.iter().map(|layer| layer.display().to_string()).collect()),
        },
        ..Review::default()
    }
}

/// What stands for secrets that are not read: as long as they come from the same place, nothing of them differs.
///
/// A file of certificates that is versioned beside the stack is no secret, and is read there.
#[derive(Clone, Copy, Debug)]
pub(super) struct StandIns<'a> {
    pub(super) of: &'a Files,
}

/// How certificates begin (RFC 7468 §5).
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

impl Secrets for StandIns<'_> {
    fn draw(&self, length: usize) -> String {
        "x".repeat(length)
    }

    fn input(&self, input: &SecretInput) -> Result<String, String> {
        if let SecretInput::File(file) = input
            && let Ok(text) = self.of.read_to_string(file.path())
            && text.contains(CERTIFICATE)
        {
            return Ok(text);
        }
        // As short as a password may be (72 bytes), and of the same length whatever is named.
        let stand_in = Digest::of_bytes(format!("{input:?}").as_bytes()).short();
        match input {
            SecretInput::File(file) if is_certificate(file.path()) => {
                Ok(format!("{CERTIFICATE}\n{stand_in}\n-----END CERTIFICATE-----\n"))
            }
            SecretInput::File(_) | SecretInput::Environment(_) | SecretInput::Command(_) => Ok(stand_in),
        }
    }
}

/// Whether a file is one of certificates, by its name: it may be elsewhere than where a change is reviewed.
fn is_certificate(path: &Path) -> bool {
    let ends = |ending: &str| path.extension().is_some_and(|is| is.eq_ignore_ascii_case(ending));
    ["pem", "crt", "cer"].into_iter().any(ends)
}

/// Refuses versions that cannot be told apart.
pub(super) fn not_the_same(old: &Version, new: &Version) -> Result<(), Error> {
    let is_here = |version: &Version| matches!(version.files, Files::Disk(None));
    if is_here(old) && is_here(new) && old.layers == new.layers {
        return Err(Problem::new("both versions are the working tree")
            .hint("name another one: `--from main`, or `--from old/`")
            .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::Common, settings::Environment};
    use futures_util::FutureExt as _;

    fn settings() -> Settings {
        Settings::resolve(&Common::default(), &[], &[], &Environment::default()).expect("defaults can be used")
    }

    /// A stack of the examples: its folder, and its layers there.
    fn example(folder: &str, layers: &[&str]) -> Version {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(folder);
        Version {
            name: folder.to_owned(),
            files: Files::Disk(Some(root)),
            layers: layers.iter().map(PathBuf::from).collect(),
        }
    }

    fn between(old: &Old, new: &Side) -> Planned {
        plan(&settings(), old, new)
            .now_or_never()
            .expect("nothing is waited for")
            .expect("planned")
            .planned
    }

    #[test]
    fn no_example_differs_from_itself_and_each_is_new_where_there_was_none() {
        let layered = ["base.toml", "prod.toml"];
        let all: [(&str, &[&str]); 8] = [
            ("aws-production", &["stack.toml"]),
            ("bare-metal", &["stack.toml"]),
            ("canary", &["stack.toml"]),
            ("external-models", &["stack.toml"]),
            ("gateway-policies", &["stack.toml"]),
            ("layers", &layered),
            ("prefill-decode", &["stack.toml"]),
            ("two-tenants", &["stack.toml"]),
        ];
        for (folder, layers) in all {
            let side = |version| Side::of(version, None, &settings(), &SchemaArgs::default()).expect("it compiles");
            let new = side(example(folder, layers));
            let same = between(&Old::Stack(Box::new(side(example(folder, layers)))), &new);
            let changes: Vec<_> = same.plan.steps.iter().filter(|step| step.action.is_change()).collect();
            assert!(changes.is_empty(), "{folder}: {changes:#?}");
            let first = between(&Old::Nothing(example("nowhere", layers)), &new);
            assert!(
                first.plan.steps.iter().all(|step| step.action != Action::NoOp),
                "{folder}"
            );
        }
    }

    #[test]
    fn a_secret_of_another_place_differs_and_shows_nothing() {
        let at = |name: &str| StandIns { of: &Files::HERE }.input(&SecretInput::Environment(name.to_owned()));
        assert_eq!(at("A"), at("A"));
        assert_ne!(at("A"), at("B"));
        assert!(!at("A").expect("it stands in").contains('A'));
    }
}
