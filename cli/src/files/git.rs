//! A revision of Git, read through the `git` that is installed.
//!
//! `git` itself knows every form of a repository: worktrees, partial clones, alternates, SHA-256. docs/dependencies.md
//! says why no library does it.
//!
//! Invariants:
//! - What a person typed reaches `git` once, to be resolved, and never as an option; everything else names the commit.
//! - `rev-parse`, `ls-tree` and `cat-file` run no hook and no filter.

use super::plain;
use crate::error::Problem;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The tree of one commit.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The directory that names are relative to.
    here: PathBuf,
    /// The commit, in full.
    commit: String,
    /// Where we are in the repository.
    prefix: PathBuf,
    /// The top directory of the repository, for names that are absolute.
    top: PathBuf,
    /// Every file of the commit, by its path from the top, with the name of its content.
    files: BTreeMap<PathBuf, String>,
}

impl Revision {
    /// Finds a revision (a branch, a tag, a commit, `HEAD~1`) in the repository around a directory.
    ///
    /// # Errors
    /// When there is no `git`, no repository, or no such revision.
    pub fn open(here: &Path, name: &str) -> Result<Self, Problem> {
        let asked = git(here, &["rev-parse", "--show-toplevel", "--show-prefix"])?;
        if !asked.status.success() {
            return Err(refused(format!("`{name}` needs a Git repository"), &asked)
                .hint("run this where the stack is versioned, or compare two directories: `stackctl diff old/ new/`"));
        }
        let said = text(&asked.stdout);
        let mut lines = said.lines();
        let (top, prefix) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let commit = git(
            here,
            &[
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &format!("{name}^{{commit}}"),
            ],
        )?;
        if !commit.status.success() {
            return Err(Problem::new(format!("`{name}` is neither a revision nor a path")).hint(
                "name a branch, a tag or a commit that was fetched (CI often fetches one commit only), or a path that exists",
            ));
        }
        let commit = text(&commit.stdout).trim().to_owned();
        let listed = git(here, &["ls-tree", "-r", "-z", "--full-tree", &commit])?;
        if !listed.status.success() {
            return Err(refused(format!("the files of `{name}` cannot be listed"), &listed));
        }
        Ok(Self {
            here: here.to_owned(),
            commit,
            prefix: PathBuf::from(prefix),
            top: PathBuf::from(top),
            files: entries(&listed.stdout),
        })
    }

    /// The commit as people write it: its first characters.
    pub fn short(&self) -> &str {
        self.commit.get(..7).unwrap_or(&self.commit)
    }

    /// Reads a file of text.
    ///
    /// # Errors
    /// When there is none, it is no text, or `git` cannot read it.
    pub fn read_to_string(&self, path: &Path) -> io::Result<String> {
        let Some(content) = self.path(path).and_then(|path| self.files.get(&path)) else {
            let kind = if self.below(path).next().is_some() {
                io::ErrorKind::IsADirectory
            } else {
                io::ErrorKind::NotFound
            };
            return Err(io::Error::new(kind, format!("it is not in {}", self.short())));
        };
        let read = git(&self.here, &["cat-file", "blob", content]).map_err(|problem| io::Error::other(problem.what))?;
        if !read.status.success() {
            return Err(io::Error::other(text(&read.stderr).trim().to_owned()));
        }
        String::from_utf8(read.stdout).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Whether it holds this file.
    pub fn holds(&self, path: &Path) -> bool {
        self.path(path).is_some_and(|path| self.files.contains_key(&path))
    }

    /// The files below a directory, relative to it.
    pub fn below(&self, directory: &Path) -> impl Iterator<Item = &Path> {
        let directory = self.path(directory);
        self.files
            .keys()
            .filter_map(move |file| file.strip_prefix(directory.as_deref()?).ok())
            .filter(|rest| !rest.as_os_str().is_empty())
    }

    /// A name from the top of the repository; nothing of what is outside.
    fn path(&self, name: &Path) -> Option<PathBuf> {
        if name.is_absolute() {
            let name = plain(name)?;
            return name.strip_prefix(&self.top).ok().map(Path::to_path_buf);
        }
        plain(&self.prefix.join(name))
    }
}

/// The entries of `ls-tree -r -z` that are files: `100644 blob <name>\t<path>`.
fn entries(listed: &[u8]) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for entry in listed.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        let Some((what, path)) = entry.split_once('\t') else {
            continue;
        };
        let mut words = what.split(' ');
        let (mode, kind, content) = (words.next(), words.next(), words.next());
        // A link of the file system names a path as its content, which is no stack file.
        if kind == Some("blob") && mode != Some("120000") {
            files.insert(PathBuf::from(path), content.unwrap_or_default().to_owned());
        }
    }
    files
}

fn git(here: &Path, arguments: &[&str]) -> Result<Output, Problem> {
    let here = if here.as_os_str().is_empty() {
        Path::new(".")
    } else {
        here
    };
    Command::new("git")
        .arg("-C")
        .arg(here)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Problem::new("`git` cannot be run")
                .caused_by(&error)
                .hint("install it, or compare two directories: `stackctl diff old/ new/`")
        })
}

fn refused(what: String, output: &Output) -> Problem {
    let said = text(&output.stderr);
    let first = said.lines().next().unwrap_or_default();
    Problem::new(what).because(first.trim_start_matches("fatal: "))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
