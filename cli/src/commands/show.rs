//! `show`: a saved plan, or what the state holds.

use super::{known::Known, load, saved};
use crate::{error::Error, exit::Exit, facts, settings::Settings, views};
use serde_json::json;

pub(super) fn run(settings: &Settings) -> Result<Exit, Error> {
    if let [only] = settings.files.as_slice()
        && let Some(saved) = saved::recognised(only)?
    {
        views::result(&if settings.json {
            let mut plan = saved.machine_form();
            plan["digest"] = json!(saved.digest().to_string());
            views::json::pretty(&plan)
        } else {
            format!("{}{}", saved.human_form(), views::plan::digest(&saved.digest()))
        });
        return Ok(Exit::Done);
    }
    let (stack, _) = load::stack(settings)?;
    let known = Known::read(settings, stack.name.as_str())?;
    let Some(state) = &known.state else {
        views::result(&if settings.json {
            views::json::pretty(
                &json!({"format_version": views::json::FORMAT_VERSION, "stack": stack.name.to_string(), "state": null}),
            )
        } else {
            format!("nothing is recorded of the stack {}\n", stack.name)
        });
        return Ok(Exit::Done);
    };
    views::result(&if settings.json {
        views::json::pretty(&json!({
            "format_version": views::json::FORMAT_VERSION,
            "stack": state.stack(),
            "state": {
                "cluster": state.cluster_id(), "lineage": state.lineage(), "serial": state.serial(),
                "facts": facts::to_json(state.facts()),
                "recorded": state.recorded().values().map(views::json::recorded).collect::<Vec<_>>(),
            },
        }))
    } else {
        let heading = format!(
            "stack {}   cluster {}   lineage {}   serial {}\n",
            state.stack(),
            state.cluster_id(),
            state.lineage(),
            state.serial()
        );
        heading
            + &views::state::facts(state.facts(), &settings.out)
            + &views::state::list(state.recorded(), &settings.out)
    });
    Ok(Exit::Done)
}
