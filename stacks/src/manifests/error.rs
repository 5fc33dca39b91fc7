//! What can be wrong with a user's manifests.

use crate::FileLine;
use miette::Diagnostic;
use std::borrow::Cow;

/// Why manifests cannot join a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ManifestsError {
    /// A document that is no YAML.
    #[error("{at}: not valid YAML: {why}")]
    #[diagnostic(code(STK300), help("{hint}"))]
    Syntax {
        /// Where.
        at: FileLine,
        /// In the parser's words.
        why: String,
        /// What to look at.
        hint: &'static str,
    },
    /// A document that is no object of Kubernetes.
    #[error("{at}: {why}")]
    #[diagnostic(code(STK301), help("{hint}"))]
    NotAnObject {
        /// Where.
        at: FileLine,
        /// What is wrong.
        why: String,
        /// What to write.
        hint: Cow<'static, str>,
    },
    /// The same object twice.
    #[error("{at}: {object} is declared at {first} too")]
    #[diagnostic(code(STK302), help("keep one of them"))]
    Twice {
        /// Where.
        at: FileLine,
        /// Which object.
        object: String,
        /// Where it stands first.
        first: FileLine,
    },
    /// An object that the stack's own tables make.
    #[error("{at}: {object} is made by `{address}` of the stack")]
    #[diagnostic(
        code(STK302),
        help("leave it out of the files; what the stack makes is changed by the keys of its tables (docs/stack.md)")
    )]
    TwiceWithStack {
        /// Where.
        at: FileLine,
        /// Which object.
        object: String,
        /// What makes it.
        address: String,
    },
    /// An edge to what is not there.
    #[error("{at}: it waits for `{wanted}`, which is not in the stack")]
    #[diagnostic(code(STK303), help("{hint}"))]
    Unknown {
        /// Where.
        at: FileLine,
        /// What it waits for.
        wanted: String,
        /// What to write.
        hint: String,
    },
    /// The Secret of an external model that the gateway does not look at.
    #[error("{at}: {secret} is the credential of {model}, and the gateway does not look at it")]
    #[diagnostic(
        code(STK304),
        help(
            "label it `inference.networking.k8s.io/bbr-managed: \"true\"`, and put the provider's key into its `api-key` outside of the stack; or declare the model in `[[maas.external_models]]`, which makes both"
        )
    )]
    UnlabelledCredential {
        /// Where.
        at: FileLine,
        /// The Secret.
        secret: String,
        /// The model, and where it stands.
        model: String,
    },
    /// An external model that is not at a host.
    #[error("{at}: `{endpoint}` is no host")]
    #[diagnostic(
        code(STK305),
        help(
            "write the host alone, as in `llm.example.com`: a port goes into the annotation `maas.opendatahub.io/port`, and the path is the provider's"
        )
    )]
    Endpoint {
        /// Where.
        at: FileLine,
        /// What is written.
        endpoint: String,
    },
    /// A reference to an external model by another name.
    #[error("{at}: MaaSModelRef `{reference}` is to ExternalModel `{model}`, whose URL ends with the model's name")]
    #[diagnostic(
        code(STK306),
        help("give both one name: calls by the name of the reference answer 404")
    )]
    OtherName {
        /// Where.
        at: FileLine,
        /// The name of the reference.
        reference: String,
        /// The name of the model.
        model: String,
    },
    /// An object whose route the gateway of MaaS does not take.
    #[error("{at}: {gateway} takes no routes from namespace `{namespace}`")]
    #[diagnostic(
        code(STK307),
        help(
            "put it into the namespace of a model that the stack publishes, or declare it in `[[models]]` or `[[maas.external_models]]`: the stack admits the namespaces of those"
        )
    )]
    NotAdmitted {
        /// Where.
        at: FileLine,
        /// The namespace.
        namespace: String,
        /// The gateway, and where it stands.
        gateway: String,
    },
    /// Two external models of one target.
    #[error("{at}: `{target}` is the target of {first} too")]
    #[diagnostic(
        code(STK308),
        help("the gateway tells requests apart by `targetModel` alone: only one of the two can have it")
    )]
    SameTarget {
        /// Where.
        at: FileLine,
        /// The target.
        target: String,
        /// The other model, and where it stands.
        first: String,
    },
    /// A policy on the gateway of MaaS, which has one already.
    #[error("{at}: {policy} is for the gateway of MaaS, beside {beside}")]
    #[diagnostic(
        code(STK309),
        help(
            "leave it out and say in `[[maas.tiers]]` who may call how much: of two policies on one gateway the older is enforced and the other ignored"
        )
    )]
    GatewayPolicy {
        /// Where.
        at: FileLine,
        /// The policy.
        policy: String,
        /// What is there already.
        beside: String,
    },
    /// Names of a model that a comma makes one of.
    #[error("{at}: `--served-model-name {names}` is one name with a comma in it")]
    #[diagnostic(code(STK310), help("divide names by blanks"))]
    JoinedNames {
        /// Where.
        at: FileLine,
        /// The names.
        names: String,
    },
    /// A model on the gateway of MaaS that lets everybody in.
    #[error("{at}: the model is on the gateway of MaaS, and does not ask who calls")]
    #[diagnostic(
        code(STK311),
        help(
            "annotate it `security.opendatahub.io/enable-auth: \"true\"`: without, its own policy lets everybody in and overrides that of MaaS"
        )
    )]
    Unasked {
        /// Where.
        at: FileLine,
    },
    /// A subscription or an auth policy that nobody looks at.
    #[error("{at}: {object} is not in `models-as-a-service`, where alone it is looked at")]
    #[diagnostic(code(STK312), help("write `namespace: models-as-a-service`"))]
    Unwatched {
        /// Where.
        at: FileLine,
        /// The object.
        object: String,
    },
    /// A group that is named by more, or by less, than `name`.
    #[error("{at}: `{entry}` in `{field}` is not a group by its name alone")]
    #[diagnostic(
        code(STK313),
        help("write `- name: pro-users`: the API knows no other field of a group, `kind` included")
    )]
    GroupEntry {
        /// Where.
        at: FileLine,
        /// The list.
        field: String,
        /// What is written.
        entry: String,
    },
    /// A model without a name.
    #[error("{at}: the model has no `spec.model.name`")]
    #[diagnostic(
        code(STK314),
        help(
            "write what clients call it, as in `alibaba/qwen3-8b`: one model without takes the dashboard's page of models down"
        )
    )]
    ModelWithoutName {
        /// Where.
        at: FileLine,
    },
    /// Two references to one model.
    #[error("{at}: {model} is referred to by {first} too")]
    #[diagnostic(
        code(STK315),
        help("keep one reference: with two, one route has two policies, and the limits of one are not enforced")
    )]
    ReferredTwice {
        /// Where.
        at: FileLine,
        /// The model.
        model: String,
        /// The other reference, and where it stands.
        first: String,
    },
    /// A kind of MaaS in a group that does not have it.
    #[error("{at}: there is no {kind} in `{group}`")]
    #[diagnostic(code(STK316), help("write `apiVersion: maas.opendatahub.io/v1alpha1`"))]
    ForeignGroup {
        /// Where.
        at: FileLine,
        /// The kind.
        kind: String,
        /// The group that is written.
        group: String,
    },
    /// A second writer of the certificate that a gateway presents.
    #[error("{at}: it asks the service CA to write Secret `{secret}`, which {beside}")]
    #[diagnostic(
        code(STK317),
        help("take the annotation out: the certificate would be replaced by one for names that end in `.svc`")
    )]
    SecondWriter {
        /// Where.
        at: FileLine,
        /// The Secret.
        secret: String,
        /// Who presents it, or what it is written for, and where that stands.
        beside: String,
    },
    /// A reference to a model that is not on the gateway of MaaS.
    #[error("{at}: {reference} is to {model}, which is not on the gateway of MaaS")]
    #[diagnostic(
        code(STK318),
        help(
            "name the gateway in the model's `spec.router.gateway.refs` (`maas-default-gateway` in `openshift-ingress`), or leave the reference out: it would fail"
        )
    )]
    OtherGateway {
        /// Where.
        at: FileLine,
        /// The reference.
        reference: String,
        /// The model, and where it stands.
        model: String,
    },
    /// A window that its limit would not hold for.
    #[error("{at}: `window: {window}` limits nothing: {why}")]
    #[diagnostic(
        code(STK319),
        help("write a number from 1 to 9999 and one of s, m, h, at most 8784h; a day is `24h`")
    )]
    BadWindow {
        /// Where.
        at: FileLine,
        /// The window.
        window: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file of Kustomize, which the API server does not know.
    #[error("`{file}` is for `kustomize`, which has to run first")]
    #[diagnostic(
        code(STK320),
        help(
            "run `kustomize build {folder} > objects.yaml` or `kubectl kustomize`, and name that file in `path`: the files beside it are changed by it, or are no objects"
        )
    )]
    Kustomization {
        /// The file.
        file: String,
        /// Its folder.
        folder: String,
    },
    /// An annotation that orders objects, and cannot be read.
    #[error("{at}: `{annotation}: {value}` cannot be read")]
    #[diagnostic(code(STK321), help("{hint}"))]
    Annotation {
        /// Where.
        at: FileLine,
        /// The annotation.
        annotation: String,
        /// What it says.
        value: String,
        /// What to write.
        hint: &'static str,
    },
    /// An object that waits for itself.
    #[error("{at}: it waits for itself, by {says}")]
    #[diagnostic(code(STK322), help("{hint}"))]
    Itself {
        /// Where.
        at: FileLine,
        /// What says so.
        says: String,
        /// What to write.
        hint: &'static str,
    },
    /// A namespace that the cluster has not and nobody makes.
    #[error("{at}: {object}{} in namespace `{namespace}`, which the cluster does not have and nothing in the stack makes", others(*.n_more))]
    #[diagnostic(
        code(STK323),
        help(
            "add a Namespace to the files, or make it before; where an object of the stack makes it at work, let these wait for that by `depends_on`, and say so: `allow = [{{ code = \"STK323\", reason = \"…\" }}]`"
        )
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
    /// A kind that nothing says the readiness of, and that a table waits for.
    #[error("{at}: `depends_on` names {object}, and nothing says when a {kind} is ready")]
    #[diagnostic(
        code(STK324),
        help(
            "write `ready = {{ kind = \"{kind}\", condition = \"Ready\" }}` into the `[[manifests]]` table of {object}, or a `jsonpath` or `cel`; if it is enough that it is there, say so here: `allow = [{{ code = \"STK324\", reason = \"…\" }}]`"
        )
    )]
    NoReadiness {
        /// Where it is waited for.
        at: FileLine,
        /// What is waited for.
        object: String,
        /// Its kind.
        kind: String,
    },
    /// Objects that wait for each other.
    #[error("{at}: these objects wait for each other:{lines}")]
    #[diagnostic(
        code(STK325),
        help("none of them could be applied: change one of the waves, annotations or tables in these lines")
    )]
    Circle {
        /// Where the first of them says it.
        at: FileLine,
        /// What waits for what, why, and where that is written: a line each.
        lines: String,
    },
    /// A model whose weights are more than its GPUs hold.
    #[error("{at}: {model} does not fit its GPUs: {sum}")]
    #[diagnostic(code(STK326), help("{hint}"))]
    TooLarge {
        /// Where its weights come from.
        at: FileLine,
        /// The model.
        model: String,
        /// Its weights, and the memory of its GPUs.
        sum: String,
        /// What it would fit.
        hint: String,
    },
    /// A status is waited for that its kind has not.
    #[error("{at}: `ready` waits for a status, and a {kind} has none")]
    #[diagnostic(
        code(STK327),
        help("take it out: a {kind} is ready once it is there; or wait for a field that it has, as `.data.key`")
    )]
    NoStatus {
        /// Where it is written.
        at: FileLine,
        /// The kind.
        kind: String,
    },
    /// Something that does not get on with OpenShift AI 3.
    #[error("{at}: {object} brings {neighbour}, which does not go with OpenShift AI 3")]
    #[diagnostic(
        code(STK340),
        help("leave it out; where something in the cluster still needs it, migrate that first")
    )]
    Neighbour {
        /// Where.
        at: FileLine,
        /// The object.
        object: String,
        /// What it brings.
        neighbour: &'static str,
    },
    /// A version that is known to break the platform.
    #[error("{at}: `{csv}` breaks this platform: {why}")]
    #[diagnostic(
        code(STK341),
        help("leave the Subscription out: the stack installs the version that is known to work")
    )]
    BrokenVersion {
        /// Where.
        at: FileLine,
        /// The version.
        csv: &'static str,
        /// How.
        why: &'static str,
    },
    /// What a webhook of the platform refuses.
    #[error("{at}: OpenShift AI refuses {what}")]
    #[diagnostic(code(STK342), help("{hint}"))]
    Refused {
        /// Where.
        at: FileLine,
        /// The field or the object.
        what: String,
        /// What to write.
        hint: &'static str,
    },
    /// Two subscriptions between which nothing decides.
    #[error("{at}: {subscription} has priority {priority}, as {first} has")]
    #[diagnostic(
        code(STK343),
        help("give each a priority of its own: a key without a named subscription goes to the highest; none is 0")
    )]
    SamePriority {
        /// Where.
        at: FileLine,
        /// The subscription.
        subscription: String,
        /// Its priority.
        priority: i64,
        /// The other one, and where it stands.
        first: String,
    },
    /// A variable that a container has twice.
    #[error("{at}: variable `{name}` stands twice in a container")]
    #[diagnostic(
        code(STK344),
        help("write it once: the platform's webhook refuses a model with a variable twice")
    )]
    VariableTwice {
        /// Where.
        at: FileLine,
        /// The variable.
        name: String,
    },
    /// A second TelemetryPolicy on the gateway of MaaS.
    #[error("{at}: {policy} is for the gateway of MaaS, beside {beside}")]
    #[diagnostic(
        code(STK345),
        help("leave it out, or say `telemetry = false` in `[maas]`: two TelemetryPolicies on one gateway conflict")
    )]
    SecondTelemetry {
        /// Where.
        at: FileLine,
        /// The policy.
        policy: String,
        /// The other one, and where it stands.
        beside: String,
    },
    /// A Route that speaks plain HTTP to a listener with TLS.
    #[error("{at}: the router would speak plain HTTP to {gateway}, which speaks TLS there")]
    #[diagnostic(
        code(STK346),
        help(
            "write `termination: passthrough`, so that the gateway shows its own certificate, or `reencrypt`: every call answers 502 otherwise"
        )
    )]
    PlainToTls {
        /// Where.
        at: FileLine,
        /// The gateway, and where it stands.
        gateway: String,
    },
    /// A Route to a port that the Service of its gateway does not have.
    #[error("{at}: the Service of {gateway} has no port `{port}`")]
    #[diagnostic(
        code(STK347),
        help(
            "a port is named after its listener: write `{names}`. The router answers that the application is not available otherwise"
        )
    )]
    NoSuchPort {
        /// Where.
        at: FileLine,
        /// The port.
        port: String,
        /// The gateway, and where it stands.
        gateway: String,
        /// The names of its listeners, with backticks between them.
        names: String,
    },
    /// A name or a label that the API server refuses.
    #[error("{at}: {what}: {why}")]
    #[diagnostic(code(STK348), help("{hint}"))]
    Name {
        /// Where.
        at: FileLine,
        /// The name, or the name or the value of a label.
        what: String,
        /// What is wrong.
        why: String,
        /// What it may be.
        hint: &'static str,
    },
    /// What the server alone writes.
    #[error("{at}: {object} has what the server alone writes: {fields}")]
    #[diagnostic(
        code(STK349),
        help(
            "take it out: `kubectl get -o yaml` prints it of an object that is there, and an apply with it is refused"
        )
    )]
    OfServer {
        /// Where the first of them stands.
        at: FileLine,
        /// Of which object.
        object: String,
        /// Which fields.
        fields: String,
    },
}

/// ` and 3 more are`, after the first object.
pub(super) fn others(n_more: usize) -> String {
    match n_more {
        0 => " is".to_owned(),
        n => format!(" and {n} more are"),
    }
}

impl ManifestsError {
    /// Where it is, if it is about a line.
    pub fn at(&self) -> Option<&FileLine> {
        match self {
            Self::Kustomization { .. } => None,
            Self::Syntax { at, .. }
            | Self::NotAnObject { at, .. }
            | Self::Twice { at, .. }
            | Self::Unknown { at, .. }
            | Self::UnlabelledCredential { at, .. }
            | Self::Endpoint { at, .. }
            | Self::OtherName { at, .. }
            | Self::NotAdmitted { at, .. }
            | Self::SameTarget { at, .. }
            | Self::GatewayPolicy { at, .. }
            | Self::JoinedNames { at, .. }
            | Self::Unasked { at, .. }
            | Self::Unwatched { at, .. }
            | Self::GroupEntry { at, .. }
            | Self::ModelWithoutName { at, .. }
            | Self::ReferredTwice { at, .. }
            | Self::ForeignGroup { at, .. }
            | Self::SecondWriter { at, .. }
            | Self::Annotation { at, .. }
            | Self::Itself { at, .. }
            | Self::NoNamespace { at, .. }
            | Self::NoReadiness { at, .. }
            | Self::NoStatus { at, .. }
            | Self::Circle { at, .. }
            | Self::TooLarge { at, .. }
            | Self::Neighbour { at, .. }
            | Self::BrokenVersion { at, .. }
            | Self::Refused { at, .. }
            | Self::OtherGateway { at, .. }
            | Self::BadWindow { at, .. }
            | Self::SamePriority { at, .. }
            | Self::VariableTwice { at, .. }
            | Self::SecondTelemetry { at, .. }
            | Self::PlainToTls { at, .. }
            | Self::NoSuchPort { at, .. }
            | Self::TwiceWithStack { at, .. }
            | Self::Name { at, .. }
            | Self::OfServer { at, .. } => Some(at),
        }
    }
}
