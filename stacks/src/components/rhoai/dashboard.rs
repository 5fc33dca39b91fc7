//! The dashboard: the flags that follow from the stack, and the restart without which it does not read them.
//!
//! The object is the dashboard's own, and people edit the rest of it there (`reference/platform.md` §2.25): only flags
//! that the stack decides are taken. Facts: §2.11, §2.23; `reference/serving.md` §1.13.

use crate::{
    components::{
        Context,
        draft::{Draft, Kind, at, deployment, established, rolled_out, seconds},
        maas,
        names::APPLICATIONS,
        platform_symptoms, tls,
    },
    stack::Rhoai,
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, ObjectRef,
    resource::{Action, ConsequenceClass, Effect},
};

const KINDS: &[Kind] = &[Kind {
    group: "opendatahub.io",
    kind: "OdhDashboardConfig",
    plural: "odhdashboardconfigs",
    namespaced: true,
}];

fn settings_object() -> ObjectRef {
    ObjectRef::namespaced(
        "opendatahub.io/v1alpha",
        "OdhDashboardConfig",
        APPLICATIONS,
        "odh-dashboard-config",
    )
}

/// Takes flags of the dashboard.
pub(in crate::components) fn flags(address: Address, flags: &Value) -> Draft {
    let target = settings_object();
    let n_flags = flags.as_object().map_or(0, serde_json::Map::len);
    Draft::overlay(address, target, json!({"spec": {"dashboardConfig": flags}}))
        .within(seconds(300))
        .diagnosed(platform_symptoms::dashboard())
        .denied(
            "must be removed",
            "this release of OpenShift AI has dropped a flag that the stack takes: hold it where it was with `approval = \"manual\"` under `[rhoai]`",
        )
        .note(format!("{n_flags} of its flags are ours"))
        .tells(
            ConsequenceClass::TakesFields,
            // Said alike by each who takes some, so that it is read once; how many is in the note.
            "takes flags of OdhDashboardConfig odh-dashboard-config",
        )
        .denied(
            "odhdashboardconfig",
            "see that this release of OpenShift AI knows the flag that it names: `[rhoai]` says which release",
        )
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let components = &context.stack.rhoai.components;
    if !components.dashboard {
        return Vec::new();
    }
    let ours = json!({
        "disableDistributedWorkloads": !components.distributed_workloads,
        // Shown without Kueue, its options lead nowhere (reference/platform.md §4 G29).
        "disableKueue": !components.kueue,
        "disableModelRegistry": !components.model_registry,
        "genAiStudio": true,
        "observabilityDashboard": context.stack.monitoring.enabled,
    });
    let settings = settings(&context.stack.rhoai);
    let kinds = at("rhoai.dashboard-kinds");
    let dashboard = at("rhoai.dashboard");
    let trusted = tls::trusted(context);
    let mut trigger = vec![ours.clone(), maas::dashboard_flags(context)];
    trigger.extend((!settings.is_null()).then(|| settings.clone()));
    trigger.extend(trusted.iter().map(|_| json!({"trusts": context.facts.trusted_bundle})));
    let mut restart = Draft::action(
        at("rhoai.dashboard-restart"),
        Action {
            effect: Effect::Restart {
                target: deployment(APPLICATIONS, "rhods-dashboard"),
            },
            goal: rolled_out(APPLICATIONS, &["rhods-dashboard"]),
            trigger: Value::from(trigger),
            satisfied_by_goal: false,
        },
    )
    .after(dashboard.clone(), "it reads its flags only when it starts")
    .within(seconds(300))
    .diagnosed_by(maas::dashboard_symptoms())
    .note("restarts the dashboard when its flags changed");
    if let Some(maas) = maas::dashboard(context) {
        restart = restart.after(maas, "one restart serves the flags of MaaS too");
    }
    if let Some(trusted) = trusted {
        restart = restart.after(trusted, "it reads the bundle of authorities only when it starts");
    }
    let mut nodes = Vec::new();
    if !settings.is_null() {
        let address = at("rhoai.dashboard-settings");
        restart = restart.after(address.clone(), "one restart serves its settings too");
        nodes.push(
            Draft::overlay(address, settings_object(), json!({"spec": settings}))
                .within(seconds(300))
                .note("who may use it, and what a notebook gets")
                .tells(
                    ConsequenceClass::TakesFields,
                    "takes settings of OdhDashboardConfig odh-dashboard-config",
                ),
        );
    }
    nodes.extend([
        Draft::gate(kinds, established(KINDS))
            .diagnosed(platform_symptoms::initialization())
            .after_write(super::cluster(), "its component Dashboard brings the kind")
            .provides(KINDS)
            .within(seconds(600))
            .note("waits for kind OdhDashboardConfig"),
        flags(dashboard, &ours),
        restart,
    ]);
    nodes
}

/// What the stack says about the dashboard beyond its flags; null if nothing.
fn settings(rhoai: &Rhoai) -> Value {
    let mut settings = Value::Null;
    let said = &rhoai.dashboard;
    if said.admin_groups.is_some() || said.allowed_groups.is_some() {
        // Its kind demands both; the other is what the manual gives (reference/platform.md §2.11).
        settings["groupsConfig"] = json!({
            "adminGroups": said.admin_groups.as_deref().unwrap_or("rhods-admins"),
            "allowedGroups": said.allowed_groups.as_deref().unwrap_or("system:authenticated"),
        });
    }
    if let Some(volume) = &said.notebook_volume {
        // Its kind demands `enabled` with it; as the manual has it (reference/platform.md §2.11).
        settings["notebookController"] = json!({"enabled": true, "pvcSize": volume.as_str()});
    }
    settings
}
