//! Reads the layers of a stack and parses them.

use super::manifest_files;
use crate::{
    error::{Error, Problem},
    files::Files,
    settings::Settings,
    views,
};
use stackctl_stacks::{
    Source, Stack, StackError,
    manifests::{ManifestFile, ManifestsNotice},
    stack::ManifestSet,
};
use std::path::{Path, PathBuf};

/// Reads every layer.
///
/// # Errors
/// All files that cannot be read.
pub(super) fn sources(settings: &Settings) -> Result<Vec<Source>, Error> {
    sources_of(&Files::HERE, &settings.files)
}

/// Reads every layer of a version.
///
/// # Errors
/// All files that cannot be read.
pub(super) fn sources_of(version: &Files, files: &[PathBuf]) -> Result<Vec<Source>, Error> {
    let (mut sources, mut problems) = (Vec::new(), Vec::new());
    for path in files {
        match version.read_to_string(path) {
            Ok(text) => sources.push(Source {
                name: path.display().to_string(),
                text,
            }),
            Err(error) => problems.push(unreadable(path, &error)),
        }
    }
    if problems.is_empty() {
        Ok(sources)
    } else {
        Err(Error::Problems(problems))
    }
}

/// Reads and parses a stack; warnings are shown on the way.
///
/// # Errors
/// Files that cannot be read, or every diagnostic.
pub(super) fn stack(settings: &Settings) -> Result<(Stack, Vec<Source>), Error> {
    let sources = sources(settings)?;
    let (stack, warnings) = stackctl_stacks::parse(&sources, &settings.sets)?;
    show_warnings(&warnings, settings);
    Ok((stack, sources))
}

/// Reads the files of every `[[manifests]]` table.
///
/// # Errors
/// All files that cannot be read, and directories and patterns without any.
pub(super) fn manifests(stack: &Stack) -> Result<Vec<(&ManifestSet, Vec<ManifestFile>)>, Error> {
    manifests_of(&Files::HERE, stack)
}

/// Reads the files of every `[[manifests]]` table of a version.
///
/// # Errors
/// All files that cannot be read, and directories and patterns without any.
pub(super) fn manifests_of<'a>(
    version: &Files,
    stack: &'a Stack,
) -> Result<Vec<(&'a ManifestSet, Vec<ManifestFile>)>, Error> {
    let mut problems = Vec::new();
    let mut sets = Vec::new();
    for set in &stack.manifests {
        match manifest_files::read(version, &set.path) {
            Ok(files) => sets.push((set, files)),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(sets)
    } else {
        Err(Error::Problems(problems))
    }
}

/// Shows on stderr what people are told about their manifests.
pub(super) fn show_notices(notices: &[ManifestsNotice], settings: &Settings) {
    for notice in notices {
        views::tell(&views::diagnostic::told(notice, &notice.to_string(), &settings.err));
    }
}

/// Shows warnings on stderr.
pub(super) fn show_warnings(warnings: &[StackError], settings: &Settings) {
    for warning in warnings {
        views::tell(&views::diagnostic::spanned(warning, &settings.err));
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let problem = Problem::new(format!("the stack file `{}` cannot be read", path.display())).caused_by(error);
    match error.kind() {
        std::io::ErrorKind::NotFound => problem.hint("name a stack file, or change to the directory of `stack.toml`"),
        std::io::ErrorKind::InvalidData => problem.hint("a stack file is TOML in UTF-8"),
        std::io::ErrorKind::IsADirectory => {
            problem.hint(format!("did you mean `{}`?", path.join("stack.toml").display()))
        }
        _ => problem,
    }
}
