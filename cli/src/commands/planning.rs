//! Makes a plan: what is desired, what is recorded and what the cluster says.

use super::{
    cluster::Cluster,
    copy,
    definitions::{self, Written},
    instances,
    known::{Counted, Known},
    others,
    prepare::Desired,
    rights, scope,
};
use crate::{
    cli::{PlanArgs, ScopeArgs},
    error::{Error, Problem},
    secrets::ShellSecrets,
    settings::{ClusterChoice, Settings},
    views::{plan::Surroundings, plan_document::Details},
};
use stackctl_engine::{
    Address, Resource,
    diff::drift::drift,
    digest::StackKey,
    estimate::{Estimate, estimate},
    facts::Facts,
    marks::Identity,
    moves,
    plan::{self, Excess, Inputs, Order, Partial, Plan, PlanError, Projection, Purpose, Replaced, Transition},
    recorded::{Recorded, RecordedNode},
    rights::{of_apply, of_namespaces, of_removal},
    survey::{Survey, SurveyError, SurveyRequest, survey},
};
use stackctl_stacks::{Stack, cluster_facts::key, consequences, manifests::FileLine, winners::WINNERS};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// A plan and what it was made from.
#[derive(Debug)]
pub(super) struct Planned {
    /// The plan.
    pub(super) plan: Plan,
    /// What counted as recorded.
    pub(super) recorded: Arc<BTreeMap<Address, Recorded>>,
    /// What was found.
    pub(super) survey: Survey,
    /// What is shown around it.
    pub(super) around: Surroundings,
    /// What it deletes beyond what a stack may lose by mistake.
    pub(super) excess: Vec<Excess>,
    /// What a run that ended early made, for the state to learn of.
    pub(super) left: Vec<Recorded>,
}

impl Planned {
    /// Of all that is desired, what the plan is about.
    pub(super) fn part_of<'a>(&self, desired: &'a Desired) -> Cow<'a, [Resource]> {
        part_of(self.plan.partial.as_ref(), desired)
    }

    /// What was read for each step; `resources` are what the plan is about, none of a destroy.
    pub(super) fn read(&self, resources: &[Resource]) -> BTreeMap<Address, Projection> {
        plan::projections(&self.plan, resources, &self.recorded, &self.survey)
    }

    /// What machines are told beside the plan; `resources` are what it is about, none of a destroy.
    pub(super) fn details(&self, resources: &[Resource], identity: &Identity, key: Option<&StackKey>) -> Details {
        Details {
            desired: plan::desired_digest(self.plan.purpose, resources),
            pictures: plan::pictures(&self.plan, resources, &self.recorded, &self.survey),
            drift: drift(
                &self.recorded,
                |address| self.survey.live(address).cloned(),
                identity,
                key,
                WINNERS,
            ),
        }
    }
}

pub(super) fn part_of<'a>(partial: Option<&Partial>, desired: &'a Desired) -> Cow<'a, [Resource]> {
    match partial {
        None => Cow::Borrowed(&desired.resources),
        Some(partial) => {
            let kept = desired
                .resources
                .iter()
                .filter(|resource| partial.keeps(&resource.address));
            Cow::Owned(kept.cloned().collect())
        }
    }
}

/// Plans to bring the cluster to the stack, or the part of it that was asked for.
pub(super) async fn apply(
    settings: &Settings,
    cluster: &Cluster,
    known: &Known,
    stack: &Stack,
    desired: &Desired,
    arguments: &PlanArgs,
) -> Result<Planned, Error> {
    let in_cluster = copy::look(cluster, &known.identity.stack).await?;
    in_cluster.check(known)?;
    let left = in_cluster.left(cluster, known).await?;
    let Counted {
        recorded: mut all_recorded,
        renames,
        let_go,
        left,
    } = known
        .recorded(cluster, left, &desired.resources, Purpose::Apply, &desired.moves)
        .await?;
    let desired_now: BTreeSet<_> = desired.resources.iter().map(|resource| &resource.address).collect();
    keep(stack, &mut all_recorded, |address| !desired_now.contains(address));
    let partial = scope::narrow(&arguments.scope, || Order::of_apply(&desired.graph, &all_recorded))?;
    let replaced = scope::replaced(&arguments.replace, &desired.graph, partial.as_ref())?;
    let resources = part_of(partial.as_ref(), desired);
    let with_definitions = instances::keep(
        cluster,
        &mut all_recorded,
        |address| !desired_now.contains(address),
        |address| replaced.contains_key(address),
        settings.parallelism,
    )
    .await;
    let part = partial
        .as_ref()
        .map(|partial| Arc::new(scope::part_of(partial, &all_recorded)));
    let recorded = part.as_ref().unwrap_or(&all_recorded);
    let given = definitions::given(settings.crds(&arguments.schema).as_deref(), &resources)?;
    let kept: BTreeMap<_, _> = resources.iter().map(|resource| (&resource.address, resource)).collect();
    let going = || {
        recorded.values().filter(|known| match kept.get(&known.address) {
            None => true,
            Some(resource) => is_made_again(resource, known, &replaced),
        })
    };
    let mut wanted = of_apply(&resources);
    wanted.extend(of_removal(going()));
    if !arguments.yes_delete {
        wanted.extend(of_namespaces(going(), &all_recorded));
    }
    if cluster.is_written_to() {
        wanted.extend(in_cluster.rights(false));
    }
    rights::check(cluster, &wanted, &resources, settings.parallelism).await?;
    let survey = look(settings, cluster, known, &resources, recorded).await?;
    definitions::after_survey(
        settings,
        &given,
        Written::here(stack, &desired.scopes),
        &resources,
        &survey,
    )?;
    let plan = plan::plan(&Inputs {
        resources: &resources,
        graph: &desired.graph,
        recorded,
        survey: &survey,
        identity: &known.identity,
        key: known.key.as_ref(),
        adopt: arguments.adopt,
        force_conflicts: arguments.force_conflicts,
        replaced: &replaced,
    })
    .map_err(|errors| refused(&errors, &desired.places))?;
    let plan = moves::said_in(plan, &let_go);
    let plan = scope::said_in(plan, partial, &all_recorded)?;
    let others = others::look(cluster, &plan, &all_recorded, settings.parallelism).await?;
    let unnamed = others.consequences();
    let mut along = plan::along(&plan, &all_recorded, |address| survey.live(address));
    along.extend(others.named);
    let plan = plan::said_along(plan, &along).with_consequences(unnamed);
    let plan = told(cluster, plan, &resources, recorded, &survey, &desired.facts).await;
    let plan = plan.with_consequences(with_definitions);
    let mut excess = plan::excess(&plan, desired.resources.len(), &all_recorded);
    excess.extend(plan::excess_along(along));
    excess.extend(plan::excess_more(others.more));
    excess.extend(plan::excess_unseen(others.unseen));
    let recorded = part.unwrap_or(all_recorded);
    let (estimate, rehearsal) = estimates(settings, &plan, desired, known);
    let around = Surroundings {
        stack: known.identity.stack.clone(),
        cluster: described(&cluster.name, &desired.facts),
        estimate,
        rehearsal,
        is_simulated: matches!(settings.cluster, ClusterChoice::Simulated { .. }),
        moved: renames,
        facts_moved: known
            .state
            .as_ref()
            .map(|state| desired.facts.moved_since(state.facts()))
            .unwrap_or_default(),
    };
    Ok(Planned {
        plan,
        recorded,
        survey,
        around,
        excess,
        left,
    })
}

/// Whether an object goes though its address stays: it was asked for, or another one takes its place.
fn is_made_again(resource: &Resource, known: &Recorded, replaced: &BTreeMap<Address, Replaced>) -> bool {
    let (RecordedNode::Object(last), Some(now)) = (&known.node, resource.object()) else {
        return false;
    };
    replaced.contains_key(&resource.address) || !last.object.is_same_object(now)
}

/// Lets what the stack says today about deletions hold for what goes, though no apply has recorded it yet: what keeps
/// counts at once, what lets go once it is applied.
pub(super) fn keep(stack: &Stack, recorded: &mut Arc<BTreeMap<Address, Recorded>>, goes: impl Fn(&Address) -> bool) {
    let today = |(address, known): (&Address, &Recorded)| {
        let RecordedNode::Object(object) = &known.node else {
            return None;
        };
        if !goes(address) {
            return None;
        }
        let mut destroy = known.destroy.clone();
        destroy.prevent |= stack.keeps(address);
        destroy.delete_adopted &= !stack.gives_back(address);
        if destroy.retain.is_none() && plan::is_definition(&object.object) {
            destroy.retain = stack.keeps_definition(address, &object.manifest.open());
        }
        (destroy != known.destroy).then(|| (address.clone(), destroy))
    };
    // Mostly nothing goes, and what is recorded stays shared.
    let changed: Vec<_> = recorded.iter().filter_map(today).collect();
    for (address, destroy) in changed {
        if let Some(known) = Arc::make_mut(recorded).get_mut(&address) {
            known.destroy = destroy;
        }
    }
}

/// What a run that ended early made, and nothing here knows of.
pub(super) async fn left(cluster: &Cluster, known: &Known) -> Result<Vec<Recorded>, Error> {
    let in_cluster = copy::look(cluster, &known.identity.stack).await?;
    in_cluster.check(known)?;
    let left = in_cluster.left(cluster, known).await?;
    let unmoved = Default::default();
    let counted = known.recorded(cluster, left, &[], Purpose::Destroy, &unmoved).await?;
    Ok(counted.left)
}

/// Plans to take everything away, or the part of it that was asked for. What the stack renames and lets go counts as in an
/// apply; without the stack nothing does.
pub(super) async fn destroy(
    settings: &Settings,
    cluster: &Cluster,
    known: &Known,
    stack: Option<&Stack>,
    arguments: &ScopeArgs,
    yes_delete: bool,
) -> Result<Planned, Error> {
    let in_cluster = copy::look(cluster, &known.identity.stack).await?;
    in_cluster.check(known)?;
    let left = in_cluster.left(cluster, known).await?;
    let moves = stack.map(|stack| stack.moves.clone()).unwrap_or_default();
    let Counted {
        recorded: mut all_recorded,
        renames,
        let_go,
        left,
    } = known.recorded(cluster, left, &[], Purpose::Destroy, &moves).await?;
    if let Some(stack) = stack {
        keep(stack, &mut all_recorded, |_| true);
    }
    let partial = scope::narrow(arguments, || Order::of_destroy(&all_recorded))?;
    let with_definitions = instances::keep(cluster, &mut all_recorded, |_| true, |_| false, settings.parallelism).await;
    let part = partial
        .as_ref()
        .map(|partial| Arc::new(scope::part_of(partial, &all_recorded)));
    let recorded = part.as_ref().unwrap_or(&all_recorded);
    let mut wanted = of_removal(recorded.values());
    if !yes_delete {
        wanted.extend(of_namespaces(recorded.values(), &all_recorded));
    }
    if cluster.is_written_to() {
        // The copy goes with the last of what is recorded.
        wanted.extend(in_cluster.rights(recorded.len() == all_recorded.len()));
    }
    rights::check(cluster, &wanted, &[], settings.parallelism).await?;
    let survey = look(settings, cluster, known, &[], recorded).await?;
    let plan = plan::plan_destroy(recorded, &survey).map_err(|errors| refused(&errors, &BTreeMap::new()))?;
    let plan = moves::said_in(plan, &let_go);
    let plan = scope::said_in(plan, partial, &all_recorded)?;
    let others = others::look(cluster, &plan, &all_recorded, settings.parallelism).await?;
    let unnamed = others.consequences();
    let mut along = plan::along(&plan, &all_recorded, |address| survey.live(address));
    along.extend(others.named);
    let plan = plan::said_along(plan, &along).with_consequences(unnamed);
    let facts = known
        .state
        .as_ref()
        .map(|state| state.facts().clone())
        .unwrap_or_default();
    let plan = told(cluster, plan, &[], recorded, &survey, &facts).await;
    let plan = plan.with_consequences(with_definitions);
    let mut excess = plan::excess(&plan, 0, &all_recorded);
    excess.extend(plan::excess_along(along));
    excess.extend(plan::excess_more(others.more));
    excess.extend(plan::excess_unseen(others.unseen));
    let recorded = part.unwrap_or(all_recorded);
    let around = Surroundings {
        stack: known.identity.stack.clone(),
        cluster: described(&cluster.name, &facts),
        moved: renames,
        ..Surroundings::default()
    };
    Ok(Planned {
        plan,
        recorded,
        survey,
        around,
        excess,
        left,
    })
}

/// Says in the plan what its changes mean to those who use the platform.
async fn told(
    cluster: &Cluster,
    plan: Plan,
    resources: &[Resource],
    recorded: &BTreeMap<Address, Recorded>,
    survey: &Survey,
    facts: &Facts,
) -> Plan {
    let transitions = plan::transitions(&plan, resources, recorded, survey, consequences::is_judged);
    let keys = match facts.text(key::APPS_DOMAIN) {
        Some(domain) => active_keys(cluster, &transitions, domain).await,
        None => None,
    };
    plan.with_consequences(consequences::consequences(&transitions, keys.as_ref()))
}

/// How many API keys a change is about; nothing where it is about none, or where maas-api does not say.
async fn active_keys(cluster: &Cluster, transitions: &[Transition], domain: &str) -> Option<consequences::Keys> {
    /// More than any platform has; a service that says there are always more is not believed.
    const MOST_PAGES: usize = 1000;
    let mut all = Vec::new();
    for _ in 0..MOST_PAGES {
        let question = consequences::question(transitions, domain, all.len())?;
        let answer = match cluster.provider.post_beside(&question.url, &question.body).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::info!(url = question.url, %error, "API keys are not counted");
                return None;
            }
        };
        let (keys, has_more) = consequences::answered(&answer)?;
        let is_empty = keys.is_empty();
        all.extend(keys);
        if is_empty || !has_more {
            return Some(consequences::Keys::of(all));
        }
    }
    None
}

/// Reads what a plan, or a look for drift, needs of the cluster.
pub(super) async fn look(
    settings: &Settings,
    cluster: &Cluster,
    known: &Known,
    resources: &[Resource],
    recorded: &BTreeMap<Address, Recorded>,
) -> Result<Survey, Error> {
    let request = SurveyRequest {
        resources,
        recorded,
        identity: &known.identity,
        key: known.key.as_ref(),
        parallelism: settings.parallelism,
    };
    Ok(survey(&cluster.provider, &request, &ShellSecrets::default())
        .await
        .map_err(|error| unread(&error))?)
}

/// `prod-eu (OpenShift 4.21.3, apps.prod.example.com)`.
pub(super) fn described(cluster: &str, facts: &Facts) -> String {
    called(cluster, facts.text(key::OPENSHIFT), facts.text(key::APPS_DOMAIN))
}

/// The same of what is known of it.
pub(super) fn called(cluster: &str, openshift: Option<&str>, apps_domain: Option<&str>) -> String {
    let mut words = Vec::new();
    words.extend(openshift.map(|version| format!("OpenShift {version}")));
    words.extend(apps_domain.map(str::to_owned));
    if words.is_empty() {
        cluster.to_owned()
    } else {
        format!("{cluster} ({})", words.join(", "))
    }
}

/// What takes how long: on a real cluster, and, on a simulated one that was seen before, here.
pub(super) fn estimates(
    settings: &Settings,
    plan: &Plan,
    desired: &Desired,
    known: &Known,
) -> (Option<Estimate>, Option<Duration>) {
    // Asked of every resource: a plan is looked through once.
    let working: BTreeSet<&Address> = plan
        .steps
        .iter()
        .filter(|step| step.action.is_work())
        .map(|step| &step.address)
        .collect();
    if working.is_empty() {
        return (None, None);
    }
    let works = |address: &Address| working.contains(address);
    let by = |learned: &BTreeMap<Address, Duration>| estimate(&desired.resources, &desired.graph, learned, works);
    let real = by(&known.really_took(settings));
    let rehearsal = match (&settings.cluster, &known.state) {
        (ClusterChoice::Simulated { .. }, Some(state)) => Some(by(state.durations()))
            .filter(Estimate::is_learned)
            .map(|estimate| estimate.time()),
        _ => None,
    };
    (Some(real).filter(|real| !real.time().is_zero()), rehearsal)
}

/// Why there is no plan, each with where in the files of the stack it is written.
pub(super) fn refused(errors: &[PlanError], places: &BTreeMap<Address, FileLine>) -> Error {
    let problem = |error: &PlanError| {
        let mut problem = Problem::of(error);
        problem.hint = error.hint();
        match error.address().and_then(|address| places.get(address)) {
            Some(at) => problem.because(written_at(at)),
            None => problem,
        }
    };
    Error::Problems(errors.iter().map(problem).collect())
}

/// Where something is written, for people.
pub(super) fn written_at(place: &FileLine) -> String {
    format!("it is written at {place}")
}

pub(super) fn unread(error: &SurveyError) -> Problem {
    Problem::of(error)
        .hint("check that the cluster answers and that you may read this, then run the same command again")
}
