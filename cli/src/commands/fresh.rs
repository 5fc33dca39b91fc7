//! A plan of a fresh cluster that there is not: of a stack, facts of a file and definitions of files alone.
//!
//! Invariants:
//! - No cluster is asked, nothing that is recorded counts, and no secret is read.
//! - Whatever the stack brings itself (kinds, namespaces) is still to come, as it is on a real one.

use super::{
    definitions,
    known::Known,
    planning::{self, Planned},
    prepare::Desired,
    scope,
};
use crate::{cli::PlanArgs, error::Error, settings::Settings, views::plan::Surroundings};
use futures_util::{StreamExt as _, stream, stream::BoxStream};
use serde_json::Value;
use stackctl_engine::{
    GroupKind, ObjectRef, ObjectType, Resource,
    execute::{
        ApplyAnswer, ApplyRequest, DeleteRequest, Deletion, PatchRequest, Provider, ProviderError, Selector, WatchEvent,
    },
    late::{SecretInput, Secrets},
    plan::{self, Inputs, Order},
    survey::{SurveyRequest, survey},
};
use stackctl_stacks::{Stack, consequences};
use std::collections::{BTreeMap, BTreeSet};

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
    definitions::check(&given, (stack, &desired.scopes), &resources)?;
    let request = SurveyRequest {
        resources: &resources,
        recorded: &recorded,
        identity: &known.identity,
        key: None,
        parallelism: settings.parallelism,
    };
    let cluster = Nothing::before(&desired.resources);
    let survey = survey(&cluster, &request, &NoSecrets)
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
    .map_err(planning::refused)?;
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
        recorded,
        survey,
        around,
        excess: Vec::new(),
    })
}

/// A cluster that has nothing, does not serve the kinds that the stack brings, and would take everything else.
#[derive(Debug)]
struct Nothing {
    to_come: BTreeSet<GroupKind>,
}

impl Nothing {
    fn before(resources: &[Resource]) -> Self {
        let brought = resources.iter().flat_map(|resource| &resource.provides);
        Self {
            to_come: brought.map(|provides| provides.kind.clone()).collect(),
        }
    }
}

/// What nobody asks of a plan.
fn only_asked() -> ProviderError {
    ProviderError::Other("there is no cluster".to_owned())
}

impl Provider for Nothing {
    async fn get(&self, _: &ObjectRef) -> Result<Option<Value>, ProviderError> {
        Ok(None)
    }

    async fn list(&self, _: &ObjectType, _: Option<&str>, _: &Selector) -> Result<Vec<Value>, ProviderError> {
        Ok(Vec::new())
    }

    async fn apply(&self, request: &ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        let object_type = &request.object.object_type;
        if self.to_come.contains(&object_type.group_kind()) {
            return Err(ProviderError::KindNotServed(object_type.clone()));
        }
        if !request.dry_run {
            return Err(only_asked());
        }
        Ok(ApplyAnswer {
            object: request.body.clone(),
            created: true,
        })
    }

    async fn patch(&self, _: &PatchRequest) -> Result<Value, ProviderError> {
        Err(only_asked())
    }

    async fn delete(&self, _: &DeleteRequest) -> Result<Deletion, ProviderError> {
        Err(only_asked())
    }

    fn watch(&self, _: &ObjectType, _: Option<&str>) -> BoxStream<'static, WatchEvent> {
        stream::pending().boxed()
    }
}

/// Secrets that are not read: whoever reviews a plan has none of them, and none of them is shown.
#[derive(Clone, Copy, Debug)]
struct NoSecrets;

impl Secrets for NoSecrets {
    fn draw(&self, length: usize) -> String {
        "x".repeat(length)
    }

    fn input(&self, _: &SecretInput) -> Result<String, String> {
        Ok("not-read".to_owned())
    }
}
