//! What people are told about their manifests though nothing is wrong.

use super::{FileLine, error::others};
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
    /// A namespace that nobody here makes; no cluster was asked whether it is there.
    #[error("{at}: {object}{} in namespace `{namespace}`, which nothing in the stack makes", others(*.n_more))]
    #[diagnostic(
        code(STK336),
        severity(Warning),
        help("add a Namespace to the files, or have it there before the apply")
    )]
    NoNamespace {
        /// Where the first object is.
        at: FileLine,
        /// The namespace.
        namespace: String,
        /// The first object.
        object: String,
        /// How many others there are.
        n_more: usize,
    },
    /// A table of `ready` that is about nothing.
    #[error("{at}: `ready` is for {kind}, and no object of the table is one")]
    #[diagnostic(code(STK337), severity(Warning), help("{hint}"))]
    NoSuchKind {
        /// Where it is written.
        at: FileLine,
        /// The kind.
        kind: String,
        /// What to write.
        hint: String,
    },
    /// A kind of which nobody knows whether its objects lie in namespaces.
    #[error("{at}: {object} is not put into `{namespace}`: nothing says whether a {kind} lies in a namespace")]
    #[diagnostic(
        code(STK338),
        severity(Warning),
        help("write `metadata.namespace` into it if it does, or name its definition with `--crds DIR`")
    )]
    UnknownScope {
        /// Where the first one is.
        at: FileLine,
        /// The first one.
        object: String,
        /// Its kind.
        kind: String,
        /// The namespace of its table.
        namespace: String,
    },
    /// What `allow` is for, and nothing here is.
    #[error("{at}: nothing here is {code}")]
    #[diagnostic(
        code(STK058),
        severity(Warning),
        help("take it out of `allow`: what it was for is gone, or is somewhere else")
    )]
    NothingAllowed {
        /// Where it is written.
        at: FileLine,
        /// The code.
        code: &'static str,
    },
    /// A Subscription that is Automatic beside one that is not.
    #[error("{at}: {object} is Automatic in a namespace where {manual} is Manual: its plans wait for approval too")]
    #[diagnostic(
        code(STK350),
        severity(Warning),
        help("put it into a namespace of its own, with an OperatorGroup, or approve its plans by hand")
    )]
    AutomaticBesideManual {
        /// Where.
        at: FileLine,
        /// The Subscription.
        object: String,
        /// The other one, and where it stands.
        manual: String,
    },
    /// Service Mesh 3 beside gateways of OpenShift's own.
    #[error("{at}: {object} brings a Service Mesh 3 of its own beside {class}, for which OpenShift installs one")]
    #[diagnostic(
        code(STK351),
        severity(Warning),
        help(
            "leave it out: a newer version than the ingress operator's is reported to keep the GatewayClass from being accepted"
        )
    )]
    OwnMesh {
        /// Where.
        at: FileLine,
        /// The Subscription.
        object: String,
        /// The class, and where it stands.
        class: String,
    },
    /// A namespace that Kueue is to manage, without Kueue.
    #[error("{at}: namespace `{namespace}` is labelled for Kueue, and the stack has none")]
    #[diagnostic(
        code(STK352),
        severity(Warning),
        help("take the label out, or add `[kueue]`: without queues the dashboard offers no hardware profile there")
    )]
    NoKueue {
        /// Where.
        at: FileLine,
        /// The namespace.
        namespace: String,
    },
    /// A model on the gateway of MaaS in an old version.
    #[error("{at}: {model} is on the gateway of MaaS and written as {version}")]
    #[diagnostic(
        code(STK353),
        severity(Warning),
        help("write `apiVersion: serving.kserve.io/v1alpha2`: the dashboard's form has no switch for MaaS otherwise")
    )]
    OldVersion {
        /// Where.
        at: FileLine,
        /// The model.
        model: String,
        /// The version.
        version: String,
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
            | Self::NoNamespace { at, .. }
            | Self::NoSuchKind { at, .. }
            | Self::UnknownScope { at, .. }
            | Self::NothingAllowed { at, .. }
            | Self::AutomaticBesideManual { at, .. }
            | Self::OwnMesh { at, .. }
            | Self::NoKueue { at, .. }
            | Self::OldVersion { at, .. }
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
