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
    /// A field without a value, of a kind of the server itself.
    #[error("{at}: `{field}` has no value, and is left out")]
    #[diagnostic(
        code(STK339),
        severity(Warning),
        help("take the key away, or give it a value: the server takes it for one that is not there")
    )]
    Unset {
        /// Where.
        at: FileLine,
        /// The field.
        field: String,
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
    /// Groups that may call a model and have no limit on it, or the reverse.
    #[error("{at}: {object} names `{groups}` for model `{model}`, and no {lacking} here does")]
    #[diagnostic(
        code(STK354),
        severity(Warning),
        help(
            "name the groups in both: a MaaSAuthPolicy says who may call, a MaaSSubscription how much, and a call needs both; `[[maas.tiers]]` makes both of one tier"
        )
    )]
    HalfAGrant {
        /// Where.
        at: FileLine,
        /// The subscription or the auth policy.
        object: String,
        /// The groups, with backticks between them.
        groups: String,
        /// The namespace and name of the model's reference.
        model: String,
        /// The kind that does not name them.
        lacking: &'static str,
    },
    /// A model on the gateway of MaaS that MaaS does not know.
    #[error("{at}: {model} is on the gateway of MaaS, and nothing here has a MaaSModelRef to it")]
    #[diagnostic(
        code(STK355),
        severity(Warning),
        help(
            "add one into the model's namespace: `spec: {{ modelRef: {{ kind: LLMInferenceService, name: … }} }}`. Without it nobody is offered the model, and no tier can name it"
        )
    )]
    NotOffered {
        /// Where.
        at: FileLine,
        /// The model.
        model: String,
    },
    /// A dashboard that the console does not list.
    #[error("{at}: the console does not list {dashboard}: {why}")]
    #[diagnostic(
        code(STK356),
        severity(Warning),
        help(
            "the console needs all of it: namespace `openshift-cluster-observability-operator`, label `app.kubernetes.io/part-of: monitoring`, and both UIPlugins, which `[monitoring]` with `dashboards = true` adds"
        )
    )]
    Unlisted {
        /// Where.
        at: FileLine,
        /// The dashboard.
        dashboard: String,
        /// The condition that does not hold.
        why: &'static str,
    },
    /// A monitor that is not beside the model that it is for.
    #[error("{at}: {monitor} finds no pods: it looks in its own namespace, and what it is for is {models}")]
    #[diagnostic(
        code(STK357),
        severity(Warning),
        help(
            "write the namespace of the model into `metadata.namespace`, or leave the monitor out: the stack makes those of its own models"
        )
    )]
    NothingScraped {
        /// Where.
        at: FileLine,
        /// The monitor.
        monitor: String,
        /// The first model that it is for, and where it stands.
        models: String,
    },
    /// A second monitor of Limitador.
    #[error("{at}: {monitor} scrapes Limitador, whose counters {kuadrant} has scraped already")]
    #[diagnostic(
        code(STK358),
        severity(Warning),
        help("leave it out: with two every call is counted twice in sums")
    )]
    CountedTwice {
        /// Where.
        at: FileLine,
        /// The monitor.
        monitor: String,
        /// The Kuadrant, and where it stands.
        kuadrant: String,
    },
    /// A model over several nodes.
    #[error("{at}: {model} is served by several nodes together, which nothing here looks at")]
    #[diagnostic(
        code(STK359),
        severity(Warning),
        help(
            "count its GPUs yourself: pools, capacity and preflight know models of one node a copy; Leader Worker Set, which runs it, is installed with OpenShift AI"
        )
    )]
    SeveralNodes {
        /// Where.
        at: FileLine,
        /// The model.
        model: String,
    },
    /// A group that two subscriptions name.
    #[error("{at}: group `{group}` is an owner of {first} too")]
    #[diagnostic(
        code(STK360),
        severity(Warning),
        help(
            "a key belongs to one subscription: the one that is asked for when it is made, else the one with the higher priority"
        )
    )]
    GroupTwice {
        /// Where.
        at: FileLine,
        /// The group.
        group: String,
        /// The other subscription, and where it stands.
        first: String,
    },
    /// A gated repository that is read without a token.
    #[error("{at}: `{repository}` is fetched without a token, and most repositories there are gated")]
    #[diagnostic(
        code(STK361),
        severity(Warning),
        help(
            "give a container `HF_TOKEN` of a Secret, or declare the model in `[[models]]` with `hf_token`, which does"
        )
    )]
    NoToken {
        /// Where.
        at: FileLine,
        /// The repository.
        repository: String,
    },
    /// Connectivity Link without what its policies need.
    #[error("{at}: {object} installs Connectivity Link, and nothing here makes a Kuadrant")]
    #[diagnostic(
        code(STK362),
        severity(Warning),
        help("add a Kuadrant (`kuadrant.io/v1beta1`) in `kuadrant-system`: without one nobody is asked who calls")
    )]
    NoKuadrant {
        /// Where.
        at: FileLine,
        /// The Subscription.
        object: String,
    },
    /// A model that hardly fits its GPUs.
    #[error("{at}: {model} leaves {left} of its GPUs for everything else: {sum}")]
    #[diagnostic(
        code(STK363),
        severity(Warning),
        help(
            "the KV cache and the runtime take 4 GiB as a rule; a shorter `--max-model-len` needs less, a larger GPU or quantised weights leave more"
        )
    )]
    LittleRoom {
        /// Where its weights come from.
        at: FileLine,
        /// The model.
        model: String,
        /// Its weights, and the memory of its GPUs.
        sum: String,
        /// What is left of that.
        left: String,
    },
    /// More GPUs than the pools have.
    #[error("{at}: {asked} GPUs are asked for, and the pools of the stack have {there}: {sum}")]
    #[diagnostic(
        code(STK364),
        severity(Warning),
        help(
            "pods of {object} wait for a GPU: add nodes, take replicas down, or name nodes that are there in a `[[gpu]]` table with `provision = \"existing\"`"
        )
    )]
    NotEnoughGpus {
        /// Where the first that finds none asks for them.
        at: FileLine,
        /// That object.
        object: String,
        /// All that are asked for.
        asked: u32,
        /// All that there are.
        there: u32,
        /// Both, taken apart.
        sum: String,
    },
    /// More GPUs for a pod than a node has.
    #[error(
        "{at}: a pod of {object} asks for {gpus} GPUs, and no node of the pools that it can run on has more than {most}"
    )]
    #[diagnostic(
        code(STK365),
        severity(Warning),
        help("a pod runs on one node: choose a larger `size` for the pool, or fewer GPUs")
    )]
    TooManyForNode {
        /// Where it asks for them.
        at: FileLine,
        /// The object.
        object: String,
        /// The GPUs of one pod.
        gpus: u32,
        /// The most that a node has.
        most: u32,
    },
    /// A namespace that means nothing.
    #[error("{at}: a {kind} belongs to the whole cluster: that it names the namespace `{namespace}` is left out")]
    #[diagnostic(
        code(STK366),
        severity(Warning),
        help("take `metadata.namespace` out, as the API server does")
    )]
    InNoNamespace {
        /// Where it is written.
        at: FileLine,
        /// The kind.
        kind: String,
        /// The namespace.
        namespace: String,
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
            | Self::Unset { at, .. }
            | Self::LittleRoom { at, .. }
            | Self::NotEnoughGpus { at, .. }
            | Self::TooManyForNode { at, .. }
            | Self::NoNamespace { at, .. }
            | Self::NoSuchKind { at, .. }
            | Self::UnknownScope { at, .. }
            | Self::NothingAllowed { at, .. }
            | Self::AutomaticBesideManual { at, .. }
            | Self::OwnMesh { at, .. }
            | Self::NoKueue { at, .. }
            | Self::OldVersion { at, .. }
            | Self::HalfAGrant { at, .. }
            | Self::NotOffered { at, .. }
            | Self::Unlisted { at, .. }
            | Self::NothingScraped { at, .. }
            | Self::CountedTwice { at, .. }
            | Self::SeveralNodes { at, .. }
            | Self::GroupTwice { at, .. }
            | Self::NoToken { at, .. }
            | Self::NoKuadrant { at, .. }
            | Self::InNoNamespace { at, .. }
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
