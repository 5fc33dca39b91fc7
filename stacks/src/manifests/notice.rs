//! What people are told about their manifests though nothing is wrong.

use super::FileLine;
use miette::Diagnostic;

/// Something that is done otherwise than a reader of the files may think.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ManifestsNotice {
    /// A word that is a boolean to Kubernetes.
    #[error("{at}: `{key}: {word}` is the boolean {value}, as kubectl reads it")]
    #[diagnostic(
        code(STK330),
        severity(Warning),
        help("write `{value}`, or put the word into quotes if a text is meant")
    )]
    Boolean {
        /// Where.
        at: FileLine,
        /// The key before it.
        key: String,
        /// The word.
        word: String,
        /// What it is read as.
        value: bool,
    },
    /// A key that is a boolean to Kubernetes.
    #[error("{at}: the key `{key}` is read as a text, and kubectl reads a boolean")]
    #[diagnostic(code(STK331), severity(Warning), help("put the key into quotes"))]
    BooleanKey {
        /// Where.
        at: FileLine,
        /// The key.
        key: String,
    },
    /// A hook that is no part of an apply.
    #[error("{at}: {object} is left out: it is a hook for `{hooks}`")]
    #[diagnostic(
        code(STK332),
        severity(Warning),
        help(
            "an apply has what runs before, with and after an installation; take the hook away if it is to be applied"
        )
    )]
    LeftOut {
        /// Where.
        at: FileLine,
        /// The object.
        object: String,
        /// Its hooks, as written.
        hooks: String,
    },
    /// Hooks that are objects like others.
    #[error("{at}: {object}{} {} of the stack, in the place of the hook", more(.n_more), if *.n_more == 0 { "is an object" } else { "are objects" })]
    #[diagnostic(
        code(STK333),
        severity(Warning),
        help(
            "it runs once and is not deleted; a change of it is applied like any other, and policies of deletion are not looked at"
        )
    )]
    Hook {
        /// Where the first one is.
        at: FileLine,
        /// The first one.
        object: String,
        /// How many others there are in the set.
        n_more: usize,
    },
    /// A kind that nothing says the readiness of, and that something waits for.
    #[error("{at}: {object} is waited for, and nothing says when a {kind} is ready: it counts as soon as it is there")]
    #[diagnostic(
        code(STK334),
        severity(Warning),
        help(
            "write `ready = {{ kind = \"{kind}\", condition = \"Ready\" }}` into its `[[manifests]]` table, or a `jsonpath` or `cel`"
        )
    )]
    NoReadiness {
        /// Where it stands.
        at: FileLine,
        /// The object.
        object: String,
        /// Its kind.
        kind: String,
    },
    /// A rule of kapp that is not carried out.
    #[error("{at}: the rule `{rule}` orders nothing here: {why}")]
    #[diagnostic(code(STK335), severity(Warning), help("`stackctl graph` shows what waits for what"))]
    Rule {
        /// Where.
        at: FileLine,
        /// The rule.
        rule: String,
        /// Why not.
        why: String,
    },
}

impl ManifestsNotice {
    /// Where it is about.
    pub fn at(&self) -> &FileLine {
        match self {
            Self::Boolean { at, .. }
            | Self::BooleanKey { at, .. }
            | Self::LeftOut { at, .. }
            | Self::Hook { at, .. }
            | Self::NoReadiness { at, .. }
            | Self::Rule { at, .. } => at,
        }
    }
}

fn more(n_more: &usize) -> String {
    match n_more {
        0 => String::new(),
        1 => " and one other hook".to_owned(),
        n => format!(" and {n} other hooks"),
    }
}
