//! `validate`: whether the stack can be used, offline.
//!
//! What it comes to is compiled as well, with facts of a file or with values that stand in for them, and every object of
//! a kind whose definition is known is checked against it.

use super::{
    definitions::{self, Written},
    load,
    prepare::{self, Desired},
};
use crate::{cli::ValidateCommand, error::Error, exit::Exit, facts, settings::Settings, views};
use stackctl_engine::Resource;
use stackctl_stacks::{Stack, cluster_facts::stand_ins, definitions::Coverage};

pub(super) fn run(command: &ValidateCommand, settings: &Settings) -> Result<Exit, Error> {
    let sources = load::sources(settings)?;
    let (stack, warnings) = match stackctl_stacks::parse(&sources, &settings.sets) {
        Ok(parsed) => parsed,
        Err(diagnostics) if settings.json => {
            views::result(&views::json::pretty(&views::validate_document::diagnostics(
                diagnostics.iter(),
            )));
            return Ok(Exit::Failed);
        }
        Err(diagnostics) => return Err(diagnostics.into()),
    };
    let facts = match &command.facts {
        Some(path) => facts::from_file(path)?,
        None => stand_ins(&stack),
    };
    let desired = match prepare::compiled(&stack, facts, settings, &command.schema) {
        Err(Error::Problems(problems)) if settings.json => {
            let answer = views::validate_document::diagnostics(warnings.iter())
                .of_stack(stack.name.as_str())
                .with_problems(&problems);
            views::result(&views::json::pretty(&answer));
            return Ok(Exit::Failed);
        }
        other => other?,
    };
    let checked = check(command, settings, &stack, &desired)?;
    if settings.json {
        let answer = views::validate_document::diagnostics(warnings.iter())
            .of_stack(stack.name.as_str())
            .with_faults(&checked.errors, &checked.warnings)
            .with_faults(&[], &checked.doubts)
            .with_notices(&desired.notices)
            .with_coverage(checked.coverage);
        views::result(&views::json::pretty(&answer));
        return Ok(if checked.errors.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        });
    }
    load::show_warnings(&warnings, settings);
    load::show_notices(&desired.notices, settings);
    definitions::warn(&checked.warnings, settings);
    definitions::doubt(&checked.doubts, settings);
    if !checked.errors.is_empty() {
        return Err(prepare::refused(&checked.errors));
    }
    let n_warnings = warnings.len() + desired.notices.len() + checked.warnings.len() + checked.doubts.len();
    views::result(&views::stack::valid(
        &stack,
        n_warnings,
        checked.coverage,
        &settings.out,
    ));
    Ok(Exit::Done)
}

/// What definitions say of a stack.
struct Checked {
    errors: Vec<definitions::Fault>,
    /// By definitions that were only seen.
    warnings: Vec<definitions::Fault>,
    /// Of fields that this release of Kubernetes does not know.
    doubts: Vec<definitions::Fault>,
    coverage: Coverage,
}

fn check(command: &ValidateCommand, settings: &Settings, stack: &Stack, desired: &Desired) -> Result<Checked, Error> {
    let resources = &desired.resources;
    let directory = settings.crds(&command.schema);
    if let Some(directory) = &directory {
        definitions::tell_others(directory, settings)?;
    }
    let mut known = definitions::given(directory.as_deref(), resources)?;
    let all: Vec<&Resource> = resources.iter().collect();
    let written = Written::here(stack, &desired.scopes);
    let mut errors = definitions::faults(&known, written, &all, |_| None)?;
    let of_kubernetes = definitions::of_kubernetes(written, &all)?;
    errors.extend(of_kubernetes.errors);
    let seen = definitions::seen(settings, resources).without(&known);
    let warnings = definitions::faults(&seen, written, &all, |_| None)?;
    known.complete(seen);
    Ok(Checked {
        errors,
        warnings,
        doubts: of_kubernetes.doubts,
        coverage: known.coverage(resources),
    })
}
