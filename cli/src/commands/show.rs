//! `show`: a saved plan, or what the state holds.

use super::{known::Known, of_record, paged, saved};
use crate::{error::Error, exit::Exit, settings::Settings, views};
use serde_json::json;

pub(super) fn run(settings: &Settings) -> Result<Exit, Error> {
    if let [only] = settings.files.as_slice()
        && let Some(saved) = saved::recognised(only)?
    {
        let shown = if settings.json {
            let mut plan = saved.machine_form();
            plan["digest"] = json!(saved.digest().to_string());
            views::json::pretty(&plan)
        } else {
            format!("{}{}", saved.human_form(), views::plan::digest(&saved.digest()))
        };
        paged::show(settings, &shown);
        return Ok(Exit::Done);
    }
    let (name, _) = of_record::stack_or_record(settings, "show NAME")?;
    let known = Known::read(settings, &name)?;
    let Some(state) = &known.state else {
        views::result(&if settings.json {
            views::json::pretty(&views::state_document::show(&name, None))
        } else {
            format!("nothing is recorded of the stack {name}\n")
        });
        return Ok(Exit::Done);
    };
    let shown = if settings.json {
        let known = views::state_document::Known {
            cluster: state.cluster_id(),
            lineage: state.lineage(),
            serial: state.serial(),
            facts: state.facts(),
        };
        views::json::pretty(&views::state_document::show(
            state.stack(),
            Some((known, state.recorded())),
        ))
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
    };
    paged::show(settings, &shown);
    Ok(Exit::Done)
}
