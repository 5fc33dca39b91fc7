//! `diff`: two versions of a stack, and what it means to go from one to the other.

use super::{
    compare::{self, Compared, Old, Side, Version},
    load, paged,
    plan::{self, First},
    planning::Planned,
    runtime,
};
use crate::{
    cli::{DiffCommand, PlanArgs, PlanCommand, ReviewArgs, ReviewFormat},
    error::{Error, Problem},
    exit::Exit,
    facts,
    files::{Files, Revision},
    settings::Settings,
    views::{self, review::Review},
};
use stackctl_engine::plan::Risk;
use std::path::{Path, PathBuf};

/// What a version is called that is on disk, where we are.
const WORKING_TREE: &str = "working tree";

pub(super) fn run(command: &DiffCommand, settings: &Settings) -> Result<Exit, Error> {
    if command.live {
        let plan = PlanCommand {
            stack: command.stack.clone(),
            plan: PlanArgs {
                schema: command.schema.clone(),
                ..PlanArgs::default()
            },
            review: command.review.clone(),
            detailed_exitcode: command.exit_code,
            ..PlanCommand::default()
        };
        return plan::run(&plan, settings, First::Consequences);
    }
    let (old, new) = versions(command, settings)?;
    compare::not_the_same(&old, &new)?;
    let facts = command.facts.as_deref().map(facts::from_file).transpose()?;
    let old = Old::of(old, facts.as_ref(), settings, &command.schema)?;
    let new = Side::of(new, facts.as_ref(), settings, &command.schema)?;
    new.show_doubts(settings);
    new.check(settings, &command.schema)?;
    let compared = runtime::block_on(compare::plan(settings, &old, &new))?;
    let Compared {
        planned,
        prevented,
        identity,
    } = &compared;
    let plan = &planned.plan;
    let review = Review {
        refused: prevented.iter().map(ToString::to_string).collect(),
        excess: planned.excess.iter().map(ToString::to_string).collect(),
        artefact: command.review.artefact.clone(),
        ..compare::review(&old, &new, command.facts.as_deref())
    };
    let document = || {
        let details = planned.details(new.resources(), identity, None);
        let mut document = views::plan_document::plan(plan, &planned.around, &details);
        if let Some(told) = review.renaming() {
            document = views::plan_document::renamed(document, &told);
        }
        if !prevented.is_empty() {
            document = views::plan_document::refused(document);
        }
        views::json::pretty(&document)
    };
    let text = shown(settings, planned, document, &review, &command.review);
    if settings.json || command.review.format != ReviewFormat::Text {
        views::result(&text);
    } else {
        paged::show(settings, &text);
    }
    compared.verdict(&new)?;
    verdict(review.risk(plan), &command.review)?;
    Ok(
        if command.exit_code && (plan.has_changes() || review.renamed.is_some()) {
            Exit::Differs
        } else {
            Exit::Done
        },
    )
}

/// A plan in the form that was asked for; `document` makes the one for machines.
pub(super) fn shown(
    settings: &Settings,
    planned: &Planned,
    document: impl FnOnce() -> String,
    review: &Review,
    how: &ReviewArgs,
) -> String {
    let Planned { plan, around, .. } = planned;
    let format = if settings.json { ReviewFormat::Json } else { how.format };
    match format {
        ReviewFormat::Json => document(),
        ReviewFormat::Text => views::review::text(plan, around, review, how.compact, &settings.out),
        ReviewFormat::Markdown => views::markdown::plan(plan, review, how.compact),
        ReviewFormat::Junit => views::junit::plan(plan, review, how.fail_on),
    }
}

/// Refuses what is graver than was allowed.
pub(super) fn verdict(risk: Option<Risk>, how: &ReviewArgs) -> Result<(), Error> {
    match (risk, how.fail_on) {
        (Some(risk), Some(from)) if risk >= from => Err(Problem::new(format!("the change is {risk}"))
            .because(format!("`--fail-on {from}` refuses what is {from} or worse"))
            .hint("read what it does above; leave `--fail-on` away where that is meant")
            .into()),
        _ => Ok(()),
    }
}

/// The old version and the new one.
fn versions(command: &DiffCommand, settings: &Settings) -> Result<(Version, Version), Error> {
    if let (None, None, [old, new]) = (&command.from, &command.to, command.stack.files.as_slice())
        && are_two_versions(old, new, settings)
    {
        return Ok((at_path(old, None), at_path(new, None)));
    }
    let layers = command.stack.files.as_slice();
    let here = Version {
        name: WORKING_TREE.to_owned(),
        files: Files::HERE,
        layers: settings.files.clone(),
    };
    let version = |named: &str| match Path::new(named) {
        path if is_path(path) => Ok(at_path(path, Some(layers))),
        _ => at_revision(named, &settings.files),
    };
    Ok((
        version(command.from.as_deref().unwrap_or("HEAD"))?,
        command.to.as_deref().map_or(Ok(here), version)?,
    ))
}

/// Whether two names are two versions rather than two layers of one: directories, or files each of which is a whole stack.
fn are_two_versions(old: &Path, new: &Path, settings: &Settings) -> bool {
    let is_whole = |path: &PathBuf| {
        let sources = load::sources_of(&Files::HERE, std::slice::from_ref(path));
        sources.is_ok_and(|sources| stackctl_stacks::parse(&sources, &settings.sets).is_ok())
    };
    (old.is_dir() && new.is_dir())
        || [old, new]
            .into_iter()
            .all(|path| path.is_file() && is_whole(&path.to_path_buf()))
}

/// A path is what is there, and what is written like one.
fn is_path(path: &Path) -> bool {
    path.exists() || path.is_absolute() || path.starts_with(".") || path.starts_with("..")
}

/// The version at a path: a directory, in which the stack files are looked up, or one stack file.
fn at_path(path: &Path, layers: Option<&[PathBuf]>) -> Version {
    let name = path.display().to_string();
    if path.is_dir() {
        let layers = layers.filter(|layers| !layers.is_empty());
        return Version {
            name,
            files: Files::Disk(Some(path.to_owned())),
            layers: layers.map_or_else(|| vec![PathBuf::from("stack.toml")], <[PathBuf]>::to_vec),
        };
    }
    let (directory, file) = (path.parent(), path.file_name());
    Version {
        name,
        files: Files::Disk(directory.map(Path::to_path_buf)),
        layers: vec![file.map_or_else(|| path.to_owned(), PathBuf::from)],
    }
}

fn at_revision(named: &str, layers: &[PathBuf]) -> Result<Version, Error> {
    let revision = Revision::open(Path::new(""), named)?;
    let short = revision.short().to_owned();
    let is_hash = named.len() >= short.len() && named.starts_with(&short);
    Ok(Version {
        name: if is_hash { short } else { format!("{named} ({short})") },
        files: Files::Revision(Box::new(revision)),
        layers: layers.to_vec(),
    })
}
