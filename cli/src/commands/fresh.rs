//! A plan of a fresh cluster that there is not: of a stack, facts of a file and definitions of files alone.
//!
//! Invariants:
//! - No cluster is asked, nothing that is recorded counts, and no secret is read.
//! - Whatever the stack brings itself (kinds, namespaces) is still to come, as it is on a real one.

use super::{
    compare::StandIns,
    definitions::{self, Written},
    known::Known,
    planning::{self, Planned},
    prepare::Desired,
    scope,
};
use crate::{cli::PlanArgs, error::Error, files::Files, settings::Settings, views::plan::Surroundings};
use stackctl_engine::{
    execute::Supposed,
    plan::{self, Inputs, Order},
    survey::SurveyRequest,
};
use stackctl_stacks::{Stack, consequences};
use std::{collections::BTreeMap, sync::Arc};

/// Plans to bring a cluster that has nothing to the stack.
pub(super) async fn apply(
    settings: &Settings,
    known: &Known,
    stack: &Stack,
    desired: &Desired,
    arguments: &PlanArgs,
) -> Result<Planned, Error> {
    let recorded = BTreeMap::new();
    let partial = scope::narrow(&arguments.scope, || Order::of_apply(&desired.graph, &recorded))?;
    let resources = planning::part_of(partial.as_ref(), desired);
    let given = definitions::given(settings.crds(&arguments.schema).as_deref(), &resources)?;
    definitions::check(&given, Written::here(stack, &desired.scopes), &resources, settings)?;
    let request = SurveyRequest {
        resources: &resources,
        recorded: &recorded,
        identity: &known.identity,
        key: None,
        parallelism: settings.parallelism,
    };
    let survey = Supposed::fresh(&desired.resources)
        .survey(&request, &StandIns { of: &Files::HERE })
        .await
        .map_err(|error| planning::unread(&error))?;
    let plan = plan::plan(&Inputs {
        resources: &resources,
        graph: &desired.graph,
        recorded: &recorded,
        survey: &survey,
        identity: &known.identity,
        key: None,
        adopt: false,
        force_conflicts: false,
        replaced: &BTreeMap::new(),
    })
    .map_err(|errors| planning::refused(&errors, &desired.places))?;
    let plan = scope::said_in(plan, partial, &recorded)?;
    let transitions = plan::transitions(&plan, &resources, &recorded, &survey, consequences::is_judged);
    let plan = plan.with_consequences(consequences::consequences(&transitions, None));
    let (estimate, rehearsal) = planning::estimates(settings, &plan, desired, known);
    let around = Surroundings {
        stack: known.identity.stack.clone(),
        cluster: planning::described("a fresh cluster, by facts of a file", &desired.facts),
        estimate,
        rehearsal,
        ..Surroundings::default()
    };
    Ok(Planned {
        plan,
        recorded: Arc::new(recorded),
        survey,
        around,
        excess: Vec::new(),
        left: Vec::new(),
    })
}
