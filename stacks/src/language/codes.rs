//! What each code means, at length: `stackctl explain STK014`.
//!
//! Invariants:
//! - Every [`Problem`](super::Problem), and every error of facts and of the catalogue, has a row, in the order of the numbers, and no row is without a problem.
//! - Every row has an example that trips it and one that does not: `examples.rs`.

use super::examples::{self, Example};
use std::fmt;

/// A code, what it is about, and why it is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The code: `STK014`.
    pub code: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Why it is wrong and what to do, in a few sentences.
    pub text: &'static str,
}

/// Whether a stack is usable in spite of what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It is not, unless the stack allows it.
    Error,
    /// It is.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Lints that refuse a stack, where the others warn.
const REFUSING: &[&str] = &["STK100", "STK104"];

/// The page of all codes.
const PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/lints.md");

impl Explanation {
    /// Returns how bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.number() {
            50..100 => Severity::Warning,
            // What is told of manifests though nothing is wrong.
            330..340 | 350..370 => Severity::Warning,
            100..200 if !REFUSING.contains(&self.code) => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Returns whether a stack may say, by `allow`, that it is meant so: warnings and lints can be, of the stack file and
    /// of manifests.
    #[must_use]
    pub fn may_be_allowed(&self) -> bool {
        // That an allowance is for nothing is put right by taking it out.
        ((50..200).contains(&self.number()) && self.code != "STK058") || self.is_of_manifests()
    }

    /// Returns whether it is a warning or a lint of the files of `[[manifests]]`, which are read after the stack file.
    pub(super) fn is_of_manifests(&self) -> bool {
        // Without these no resource could be made.
        const UNREADABLE: [u32; 8] = [300, 301, 302, 303, 320, 321, 322, 325];
        (300..400).contains(&self.number()) && !UNREADABLE.contains(&self.number())
    }

    /// Returns where it is explained on the web.
    #[must_use]
    pub fn link(&self) -> String {
        format!("{PAGE}#{}", self.code.to_lowercase())
    }

    /// Returns what trips it, and what does not.
    #[must_use]
    pub fn example(&self) -> Option<&'static Example> {
        examples::of(self.code)
    }

    fn number(&self) -> u32 {
        self.code
            .strip_prefix("STK")
            .and_then(|number| number.parse().ok())
            .unwrap_or_default()
    }
}

/// Returns what a code means; upper or lower case, with or without `STK`.
#[must_use]
pub fn explain(code: &str) -> Option<&'static Explanation> {
    let wanted = code.trim().to_uppercase();
    let wanted = wanted.strip_prefix("STK").unwrap_or(&wanted);
    EXPLANATIONS
        .iter()
        .find(|explanation| explanation.code.strip_prefix("STK") == Some(wanted))
}

/// Returns every code of the stack language, in order.
#[must_use]
pub const fn explanations() -> &'static [Explanation] {
    EXPLANATIONS
}

const fn row(code: &'static str, title: &'static str, text: &'static str) -> Explanation {
    Explanation { code, title, text }
}

const EXPLANATIONS: &[Explanation] = &[
    row(
        "STK001",
        "a file that is not TOML",
        "The text breaks a rule of TOML 1.1 (https://toml.io), so nothing in it can be read. Of several mistakes in one line only the first is shown, because the others usually follow from it.",
    ),
    row(
        "STK002",
        "an empty stack",
        "No layer and no `--set` says anything. Check that the right file is given; `stackctl init` writes one to start from.",
    ),
    row(
        "STK003",
        "an unknown key",
        "Stack files are strict: a key that nothing reads would be a wish that nobody hears. The hint names the key that is closest, or all keys of that table.",
    ),
    row(
        "STK004",
        "a value of the wrong type",
        "Numbers and booleans are written without quotes, texts with them, and something that can be given several times has two brackets: `[[models]]`. Nothing is converted silently: `\"true\"` is a text.",
    ),
    row(
        "STK005",
        "a key or table that must be there",
        "Some things have no default because a wrong guess would cost money or an outage: what the cluster runs on, where certificates come from, where a model's weights are. Write the key that the hint names.",
    ),
    row(
        "STK006",
        "a value that is not one of those possible",
        "The key takes one of a few words. The hint names the closest, or all of them.",
    ),
    row(
        "STK007",
        "a name or text against its grammar",
        "Names end up in Kubernetes objects, which have grammars and lengths of their own; some have room left for the endings we add. The hint states the rule.",
    ),
    row(
        "STK008",
        "the same name twice",
        "Models, pools, tiers and groups are told apart by their names, in addresses and in the cluster. Two tables of one name in one file are a mistake; in different layers the later one changes the earlier.",
    ),
    row(
        "STK009",
        "a number out of range",
        "The value is outside of what the API behind it takes, or beyond what can be meant.",
    ),
    row(
        "STK010",
        "an unknown GPU tier",
        "A tier is a kind of GPU by the name people use for it; it decides which instance types there are. For nodes with other GPUs that are already in the cluster, leave `tier` out and write `provision = \"existing\"`.",
    ),
    row(
        "STK011",
        "an instance type that is not of the tier",
        "The size of a pool is one of the instance types that have the GPU of its tier. The hint lists them.",
    ),
    row(
        "STK012",
        "zones that are not said",
        "Each zone gets a MachineSet of its own with `nodes_per_zone` nodes, so zones decide what is bought and what survives the loss of a zone. There is no default for that.",
    ),
    row(
        "STK013",
        "something that is not a zone",
        "A zone is the letter after the region, `a` for `eu-west-1a`: the region is a fact of the cluster and is read from it.",
    ),
    row(
        "STK014",
        "something that is not a rate-limit window",
        "A window is a number from 1 to 9999 and one of s, m, h, and at most 8784h (366 days). Days are not a unit of the API: write `24h`. A window beyond the maximum would be accepted by the API server and then be left out of the policy, so its keys would have no limit at all; it is refused here instead.",
    ),
    row(
        "STK015",
        "two windows of the same length",
        "Limits on one model with the same number of seconds, such as `60m` and `1h`, share one counter in the rate limiter, and which of the two limits it enforces is undefined.",
    ),
    row(
        "STK016",
        "a limit that can never be reached",
        "All limits on one model apply together and the first that is used up answers 429. If a longer window allows no more tokens than a shorter one, the shorter one is never what stops a caller.",
    ),
    row(
        "STK017",
        "a tier for a model that is not there",
        "Limits name models of this stack by their `name`, not by the `model_name` that clients send.",
    ),
    row(
        "STK018",
        "a tier for a model that is not published",
        "Only a model with `maas = true` is behind the MaaS gateway; limits on any other would limit nothing.",
    ),
    row(
        "STK019",
        "two tiers of one priority",
        "A caller whose groups are in several tiers gets a key of the tier with the highest priority. With equal priorities the choice falls on something accidental, and the platform marks both as duplicates.",
    ),
    row(
        "STK020",
        "a tier without anybody in it",
        "A subscription and an access policy need at least one group or user. Put people into groups; `users` is meant for service accounts.",
    ),
    row(
        "STK021",
        "a model for MaaS without MaaS",
        "The model asks to be published (`maas = true`), and there is no `[maas]` table or it says `enabled = false`.",
    ),
    row(
        "STK022",
        "something that only AWS has",
        "MachineSets of GPU nodes and the DNS proof of Let's Encrypt use APIs of AWS, and `[cluster] platform` says that there is none.",
    ),
    row(
        "STK023",
        "half of a pin",
        "A channel says where upgrades come from and a version (`csv`) where to start; one without the other installs something that nobody tried. Give both, or neither and a `profile`.",
    ),
    row(
        "STK024",
        "something that is not an amount",
        "CPU is a number of cores or thousandths of one (`4`, `\"500m\"`); memory is a number with a unit (`\"16Gi\"`). Memory without a unit would mean bytes, which nobody means.",
    ),
    row(
        "STK025",
        "a request above its limit",
        "A container cannot ask for more than it may use; the API server would refuse it. GPUs asked for always equal the limit and are not written twice.",
    ),
    row(
        "STK026",
        "something that is not a model source",
        "Weights come from a modelcar image (`oci://registry/repository:tag`), from Hugging Face (`hf://organisation/model`) or from a volume in the model's namespace (`pvc://claim/path`).",
    ),
    row(
        "STK027",
        "something that is not a length of time",
        "A time is written with units from large to small, each at most once: `90s`, `10m`, `1h30m`; at least a second, at most 168h.",
    ),
    row(
        "STK028",
        "something that is not a version requirement",
        "Comparisons separated by commas, all of which must hold: `>=4.20, <4.22`. Only the numbers that are written are compared, so `4.20` accepts every 4.20.z.",
    ),
    row(
        "STK029",
        "a secret reference that is not one",
        "A secret is named by exactly one place: an environment variable, a file, the output of a program, a Secret that is already in the cluster (with the key in it), or `generate`, which draws it once and keeps it in the cluster.",
    ),
    row(
        "STK030",
        "a secret in plain text",
        "Stack files are committed, reviewed and printed, so they hold no secrets; neither does our state, a plan or a log. The value is not shown here. If the file was shared, consider the secret known, and change it.",
    ),
    row(
        "STK031",
        "a setting that cannot be used",
        "`--set` takes `path=value`. The path is keys joined by dots, with `[name]` after an array of tables, of a table that is there; the value is TOML, and where it is not, text.",
    ),
    row(
        "STK032",
        "a name that belongs to somebody else",
        "Namespaces of the platform, groups of the cluster's administrators and variables that the platform sets itself are not for a stack to use: what is ours is deleted by `destroy`.",
    ),
    row(
        "STK033",
        "an argument that something else sets",
        "The prefix cache and the served name have keys of their own, and the platform adds their arguments; given twice, one would hide the other.",
    ),
    row(
        "STK034",
        "something that needs something else",
        "What is asked for depends on something that is switched off in the same stack.",
    ),
    row(
        "STK035",
        "something empty",
        "The key is written, and says nothing. Write something, or leave the key out where it has a default.",
    ),
    row(
        "STK036",
        "a text that is no address",
        "An address is two or more names joined by dots, each with a key in brackets where there are several of a kind: `model[qwen3-8b].service`. `stackctl graph` lists those of a stack.",
    ),
    row(
        "STK037",
        "a readiness that cannot be waited for",
        "`ready` is the type of a condition that has to be True; or a path of names and numbers and, if it has to be more than there, what it equals; or an expression in CEL, in which `self` is the object. `kind` says which objects of the table it is about, and `failed`, in CEL too, when one never will be ready.",
    ),
    row(
        "STK038",
        "a version that is known to break the platform",
        "Some versions of operators do not work with OpenShift AI 3.4, which is why they are pinned: Connectivity Link 1.4.0 answers 500 AUTH_FAILURE on gateways of MaaS, Cluster Observability 1.5.0 starts Perses with a flag that it does not know.",
    ),
    row(
        "STK039",
        "a hardware profile whose default is out of its range",
        "A profile offers a default between the least and the most that may be asked for; the dashboard refuses another.",
    ),
    row(
        "STK040",
        "a key of the other generation of MaaS",
        "OpenShift AI 3.4 limits tokens by subscriptions; releases before it by policies on the gateway. Both on one gateway would be two policies on one target, of which the older is enforced and the other ignored. A stack has one generation, and only its keys.",
    ),
    row(
        "STK041",
        "two settings that exclude each other",
        "Each makes an object for the same thing, and only one of two such objects is acted upon.",
    ),
    row(
        "STK042",
        "two external models of one target",
        "The gateway recognises a request by the model's name in its body, which is `target_model`. Two routes with that name match the same requests, and which one answers is undefined.",
    ),
    row(
        "STK043",
        "a canary that cannot share a route",
        "A canary gets a part of the requests for another model through one route with two weighted backends. The route and both models are in one namespace, on the llm-d gateway, and reached in the same way; on the gateway of MaaS it would go around limits that are kept for each model.",
    ),
    row(
        "STK044",
        "an allowance that cannot be",
        "`allow` is for what a person may know better about: warnings and lints, of the stack file and of manifests. What a stack says wrong, what cannot be read and what the cluster contradicts has to be put right. `stackctl explain CODE` says whether a code can be allowed.",
    ),
    row(
        "STK047",
        "a move that cannot be",
        "`[[moved]]` says which address a recorded one has now, so each has one way to go: no address moves twice, nothing moves to where something else moves or from where it came to, and what is said to be removed does not move. A move that was carried out may stay in the file: it changes nothing then.",
    ),
    row(
        "STK050",
        "a key without effect (warning)",
        "The key is known, and the table as it stands makes nothing of it, usually because another key decides against it. Harmless, but probably not what was meant; across layers it is often left over from an earlier one.",
    ),
    row(
        "STK051",
        "a model without GPUs to run on (warning)",
        "A model asks for GPUs and the stack has no `[[gpu]]` table. If nodes with GPUs are in the cluster already, say so with `provision = \"existing\"`, and the plan waits for them.",
    ),
    row(
        "STK052",
        "a published model that nobody can call (warning)",
        "MaaS denies what no tier allows: a model that no tier names answers 403 to everybody.",
    ),
    row(
        "STK053",
        "MaaS without a model (warning)",
        "The platform is installed and serves nothing.",
    ),
    row(
        "STK054",
        "a choice that is rarely right",
        "The stack can be applied, and in most clusters this part of it does harm or nothing. The hint says when it is right.",
    ),
    row(
        "STK055",
        "a group in two tiers",
        "A key is bound to one subscription when it is made: to the one that is asked for, else to the one with the highest priority among those that the caller's groups have. What only the other tier allows then answers 403.",
    ),
    row(
        "STK056",
        "a tier with everybody in it",
        "Every user and service account of the cluster is in `system:authenticated`. With that group in one tier, taking a person out of all other tiers does not take away access, and keys without a named subscription exist for everybody.",
    ),
    row(
        "STK057",
        "a secret among arguments or variables (warning)",
        "Values that begin with `hf_` or `sk-`, and what `--hf-token`, `--api-key` and variables of such names hold, are secrets as a rule. They would stand in the file, in plans and in the model's object for everybody who may read it. The value is not shown here. If the file was shared, consider the secret known, and change it.",
    ),
    row(
        "STK058",
        "an allowance for nothing (warning)",
        "What an entry of `allow` was for is gone, or is in another table. Left there, it would hide the next one that nobody meant. Take it out.",
    ),
    row(
        "STK100",
        "a model that does not fit its GPUs",
        "Each copy holds all weights of its model on the GPUs that it asks for: parameters × bytes of one, those of all experts included. vLLM takes 0.9 of each GPU, or what `--gpu-memory-utilization` says, and does not start where the weights are more. The size is what `weights` says, else what the name of the source says (`Qwen3-8B`, `Llama-3.3-70B-Instruct-FP8`, `-AWQ`, `-w4a16`); of other names nothing is assumed. It is held against the pool with the most memory among those that the model may run on. Take a larger tier, more GPUs for each copy, or a quantised variant.",
    ),
    row(
        "STK101",
        "a model that leaves hardly any room (warning)",
        "Beside its weights a model needs room for the KV cache and the runtime: the field guide gives about 12 GiB for Qwen3-8B in FP8, whose weights are 8 GB. With less than 4 GiB left it may not start, or only with a short `--max-model-len` and few requests at once.",
    ),
    row(
        "STK102",
        "more GPUs than there are (warning)",
        "Every copy takes its GPUs alone: `replicas` × `gpus`, those that only read prompts included. More than the pools have, and copies stay Pending with `Insufficient nvidia.com/gpu`. Models with the hardware profile of one tier are held against the pools of that tier. Nothing is said where a pool has nodes that are there already, or GPUs that are shared.",
    ),
    row(
        "STK103",
        "a copy that is larger than a node (warning)",
        "A copy of a model is one pod, and a pod runs on one node. Asked for more GPUs than any node of its pools has, it is never scheduled.",
    ),
    row(
        "STK104",
        "something that a disconnected cluster cannot reach",
        "With `disconnected = true` in `[cluster]` there is no way to the internet. Let's Encrypt answers there, and its proof is looked up at public name servers (8.8.8.8, 1.1.1.1), so a certificate would stay Issuing for ever; weights from `hf://` are downloaded when a pod starts. Mirror what is needed, and name the mirror.",
    ),
    row(
        "STK105",
        "a load balancer that nobody may provide (warning)",
        "With `platform = \"none\"` and without `[metallb]` the stack knows of nothing that gives a Service of type LoadBalancer an address. Where nothing does, it stays pending, and the gateway is never programmed; preflight looks at what the cluster runs on. Behind a Route the router does what is needed. If something else in the cluster provides addresses, say so in `allow`.",
    ),
    row(
        "STK106",
        "a Technology Preview (warning)",
        "Some switches of the platform are Technology Previews by its documentation: they may change or go with the next release, and are not meant for production. Tokens of another identity provider for MaaS are one; MaaS with subscriptions itself is one in OpenShift AI 3.4, which the plan that switches it on tells.",
    ),
    row(
        "STK107",
        "a group in no tier (warning)",
        "The stack makes a group that no tier names, and a tier names one that is almost called so and that the stack does not make. Who is put into the one has no access by the other.",
    ),
    row(
        "STK200",
        "a fact that is not known",
        "Before anything is compiled, a stack's facts are read from the cluster: its domain, region, images, packages. One of them is not where OpenShift keeps it, or, with `--facts FILE`, not in the file, so whatever needs it could only be guessed. docs/facts.md says of each where a cluster has it and what it looks like in a file.",
    ),
    row(
        "STK201",
        "a version of OpenShift that the stack does not accept",
        "`cluster.openshift` says which versions the stack was written for. llm-d needs 4.20 for the gateway controller that OpenShift brings.",
    ),
    row(
        "STK202",
        "another apps domain than the stack names",
        "`cluster.apps_domain` is a safety catch: hosts are computed from the cluster's own domain, and a stack that names another one is usually pointed at the wrong cluster.",
    ),
    row(
        "STK203",
        "another platform than the stack names",
        "MachineSets, credentials and load balancers are made differently on each platform. The cluster says what it runs on, and the stack says something else.",
    ),
    row(
        "STK204",
        "a pinned version that its channel does not have",
        "OLM resolves a Subscription only to versions that the channel lists. A pin that is not among them would wait for ever with ResolutionFailed.",
    ),
    row(
        "STK205",
        "a channel that its package does not have",
        "The marketplace lists the channels of each package. Another name would wait for ever with ResolutionFailed.",
    ),
    row(
        "STK208",
        "an apps domain that is not the cluster's",
        "Certificates are made for `api.<domain>` and `*.apps.<domain>`. Where the router serves another domain, a certificate for it fails its challenge without a word, or nobody presents it.",
    ),
    row(
        "STK209",
        "both generations of MaaS on one gateway",
        "The cluster has `modelsAsService: Managed`, so its controller puts default policies on the gateway of MaaS. With policies of the stack beside them there would be two of each kind on one target, of which the older is enforced and the other ignored.",
    ),
    row(
        "STK210",
        "no document that users could be written to",
        "A user of `[[maas.users]]` is a line in the Secret that an HTPasswd identity provider of OAuth/cluster names. Without such a provider there is none, and with several it is not clear which of them people use.",
    ),
    row(
        "STK300",
        "a manifest that is not valid YAML",
        "Files of `[[manifests]]` are UTF-8, are read as Kubernetes reads them, and strictly: documents are divided by `---`, and a key that stands twice in a map is an error, since one of the two would be lost.",
    ),
    row(
        "STK301",
        "a manifest that is no object",
        "Every document is an object with `apiVersion`, `kind` and `metadata.name`. A null in a custom resource is refused, since the server may store it; a Secret with its values is, since a plan shows what it writes.",
    ),
    row(
        "STK302",
        "an object that is declared twice",
        "Two documents describe the object of one kind, namespace and name, or a document one that a table of the stack makes. Only one of them could hold.",
    ),
    row(
        "STK303",
        "a manifest that waits for nothing known",
        "What `depends_on` or the annotation `config.kubernetes.io/depends-on` names has to be in the same stack: nothing else is waited for by name.",
    ),
    row(
        "STK304",
        "a credential that the gateway does not look at",
        "The gateway reads the key of a provider from Secrets with the label `inference.networking.k8s.io/bbr-managed: \"true\"` and from no other; without it every call answers that the credentials were not found. Of a Secret in a manifest only the label is checked: values do not stand in manifests (STK301), so whether `api-key` is in it shows at the first call.",
    ),
    row(
        "STK305",
        "an external model that is not at a host",
        "The gateway makes a Service and a route of `endpoint`, which is a host name and nothing else. The port is an annotation, TLS another, and the path is the one that clients send.",
    ),
    row(
        "STK306",
        "a reference by another name than its model's",
        "The URL of an external model ends with the name of its ExternalModel, and people know a model by its MaaSModelRef. With two names they call the one that answers 404.",
    ),
    row(
        "STK307",
        "a namespace that the gateway of MaaS does not admit",
        "The gateway takes routes from a list of namespaces, which the stack computes of its own models. A route from another is never accepted, and its MaaSModelRef stays Pending without an error.",
    ),
    row(
        "STK308",
        "two external models of one target",
        "The gateway recognises a request by the model's name in its body, which is `targetModel`. Two routes with that name match the same requests, and which one answers is undefined.",
    ),
    row(
        "STK309",
        "a second policy on the gateway of MaaS",
        "Each generation of MaaS has policies on its gateway, and a gateway has one effective policy of a kind. A further one in a manifest either is ignored or takes the place of what the limits rest on. A RateLimitPolicy that counts requests may stand beside subscriptions, unless it tells callers apart by a tier, which they do not have there.",
    ),
    row(
        "STK310",
        "two names of a model in one",
        "vLLM takes several names after `--served-model-name`, divided by blanks. With a comma it serves one model whose name has a comma in it, and calls by either name answer 404.",
    ),
    row(
        "STK311",
        "a model on the gateway of MaaS that lets everybody in",
        "Without `security.opendatahub.io/enable-auth: \"true\"` a model has no policy that asks who calls; where it says `\"false\"`, a controller makes an anonymous one for the model's route, which overrides that of MaaS: everybody is let in, and nothing is counted.",
    ),
    row(
        "STK312",
        "a subscription that nobody looks at",
        "The controller of MaaS watches subscriptions and auth policies in namespace `models-as-a-service` only. MaaSModelRef and ExternalModel are in the namespace of the model.",
    ),
    row(
        "STK313",
        "a group that is not named by its name alone",
        "A group in `owner.groups` or `subjects.groups` is a map with `name`. A text is refused by the API; `kind: Group`, as older documents have it, is dropped, and every later plan would show it as missing.",
    ),
    row(
        "STK314",
        "a model without a name",
        "One LLMInferenceService with an empty `spec.model.name`, in any namespace, makes a container of the dashboard crash, and its pages of models answer 500 for everybody.",
    ),
    row(
        "STK315",
        "two references to one model",
        "For each MaaSModelRef an access policy and a policy of limits are made on the model's route. A route has one effective policy of a kind, so the limits of the other reference are shown as active and not enforced.",
    ),
    row(
        "STK316",
        "a kind of MaaS in a group that does not have it",
        "MaaSModelRef, MaaSSubscription and MaaSAuthPolicy are in `maas.opendatahub.io/v1alpha1`. Some documents write `models.opendatahub.io`, which no cluster serves.",
    ),
    row(
        "STK317",
        "a second writer of a gateway's certificate",
        "The service CA writes a certificate for `<service>.<namespace>.svc` into the Secret that the annotation `service.beta.openshift.io/serving-cert-secret-name` names. If a listener presents that Secret, clients see a certificate for another host; if a Certificate is for it, cert-manager and the service CA write in turn.",
    ),
    row(
        "STK318",
        "a reference to a model that is not on the gateway of MaaS",
        "MaaS finds a model by the route of its LLMInferenceService, and that route has to be on its gateway. A MaaSModelRef to a model on another gateway ends as Failed: does not reference gateway.",
    ),
    row(
        "STK319",
        "a window that limits nothing",
        "A window is a number from 1 to 9999 and one of s, m, h. Days are no unit, and beyond 8784h the API server takes it while the controller leaves the subscription out of the policy of the model: its keys have no limit then.",
    ),
    row(
        "STK320",
        "a directory of Kustomize",
        "A kustomization says how files are put together and changed; those beside it are patches, parts and inputs, and applying them one by one would make something else. `kustomize build DIR` or `kubectl kustomize DIR` writes what they come to: name that file in `path`.",
    ),
    row(
        "STK321",
        "an annotation of another tool that cannot be read",
        "Sync waves and weights of hooks are whole numbers in quotes, hooks have the names that Argo CD and Helm give them, and a change rule of kapp is four words: `upsert after upserting GROUP`. A mistake in one would change the order without a word, so it is an error.",
    ),
    row(
        "STK322",
        "an object that waits for itself",
        "`depends_on` of a `[[manifests]]` table holds for every object of the table, and `config.kubernetes.io/depends-on` for the one that carries it. An object that is named by its own would never be applied.",
    ),
    row(
        "STK323",
        "a namespace that is not there",
        "The cluster was asked and does not have the namespace, and nothing in the stack makes it, so the apply would fail there. Add a Namespace to the files. If an operator of the stack makes it at work, let the objects wait for what is ready by then (`depends_on`), and allow this.",
    ),
    row(
        "STK324",
        "a dependency on a kind that nothing says the readiness of",
        "`depends_on` of a `[[manifests]]` table waits until what it names is ready, and of this kind neither its definition nor `ready` of its table says when that is. It would count as soon as it is written, which is hardly what is waited for. `ready` in its table says when such objects are ready. If it is enough that it is there, allow this in the table that waits. What other tools order (sync waves, depends-on annotations, change rules) is only warned of (STK334), since those tools go on too; a kind whose definition is among the files and has no status is ready once it is there.",
    ),
    row(
        "STK325",
        "objects that wait for each other",
        "Sync waves, hooks, change rules, depends-on annotations and `depends_on` of tables say what comes first; besides, an object waits for its namespace and for the definition of its kind. Here that closes a circle. A Namespace, or a definition, without a wave is of wave 0: what lives in it cannot be of an earlier one.",
    ),
    row(
        "STK326",
        "a model of manifests that does not fit its GPUs",
        "As STK100, of an LLMInferenceService or InferenceService in files: what its source says of its weights (parameters × bytes of each) is more than the GPUs of one pod hold on the pool with the most memory that it can run on. vLLM would end with an out-of-memory error, again and again.",
    ),
    row(
        "STK327",
        "a wait for a status that a kind does not have",
        "`ready` names a kind, and what it waits for is in `status`: a condition, a path below `.status`, or an expression about it. Objects of this kind have no status (a ConfigMap, a Role, or a kind whose definition among the files has none), so it would be waited for until its time is over. Without `kind` such a table is about those objects alone that have a status. Take it out, or wait for a field that the kind has.",
    ),
    row(
        "STK330",
        "a word that is a boolean",
        "Kubernetes reads YAML 1.1, in which `yes`, `no`, `on`, `off`, `y` and `n` are booleans, in lower case, capitals, or with a capital first. They are read so here too, and told, because a text may have been meant.",
    ),
    row(
        "STK331",
        "a key that is a boolean",
        "A key like `on` without quotes is `true` to kubectl, and `on` here. Quotes make it the same text everywhere.",
    ),
    row(
        "STK332",
        "a hook that is left out",
        "Hooks of Argo CD for failures and deletions, of Helm for deletions, rollbacks and tests, are no part of an apply. What they make is not applied.",
    ),
    row(
        "STK333",
        "hooks that are objects like others",
        "Hooks that run before and after an installation are applied in their turn. They stay in the stack: unlike with Helm or Argo CD a Job runs again only when it changes, and no policy deletes it.",
    ),
    row(
        "STK334",
        "a kind that nothing says the readiness of",
        "An annotation of another tool (a sync wave, `config.kubernetes.io/depends-on`, a change rule) lets something wait for an object of a kind whose status is not known here. It counts as ready once it is there, as it does for those tools, and that says little. `ready` in its `[[manifests]]` table says when such objects are ready. What `depends_on` of a table names is refused instead (STK324).",
    ),
    row(
        "STK335",
        "a change rule of kapp that orders nothing",
        "The group has no member in the table, or the rule is about deletions in an order of their own. Destroy takes what an apply orders, turned round; `delete before deleting` beside `upsert after upserting` is just that.",
    ),
    row(
        "STK336",
        "a namespace that nothing in the stack makes",
        "No cluster was asked whether it is there; where it is not, the apply fails. Namespaces of the cluster and of the platform are not spoken of.",
    ),
    row(
        "STK337",
        "a readiness for a kind that is not in the table",
        "`ready` has a `kind` of which no file of the table has an object: a typing mistake, or left over. What it says holds for nothing.",
    ),
    row(
        "STK338",
        "an object that may need a namespace",
        "`namespace` of a table is for objects that name none and lie in one. Whether those of a kind do is known from definitions in the files, from `--crds DIR`, from what an earlier plan saw, and from the cluster; of this kind nobody says it, and the object stays as it is written.",
    ),
    row(
        "STK339",
        "a field without a value",
        "Of kinds of Kubernetes itself the API server takes a null (`replicas:` with nothing behind it) for a field that is not there, and puts its default in place. So it is left out here, and told, since a value may have been meant. Of a custom resource a null may be stored as it is, so it is refused there (STK301).",
    ),
    row(
        "STK340",
        "a neighbour that OpenShift AI 3 does not bear",
        "Service Mesh 2 brings kinds and proxies that the gateways of models conflict with; Serverless is not to be installed with OpenShift AI 3, which does not need it, and ModelMesh is not supported there; Open Data Hub is OpenShift AI under another name, and fights with it for the same objects. None of them is installed beside this stack: leave the manifest out, and migrate what needs it first.",
    ),
    row(
        "STK341",
        "a manifest that installs a version known to be broken",
        "Connectivity Link 1.4.0 answers 500 AUTH_FAILURE on gateways of MaaS, Cluster Observability 1.5.0 starts Perses with a flag that it does not know. The stack pins versions that work; a Subscription in a manifest must not bring the others.",
    ),
    row(
        "STK342",
        "a field or an object that this release refuses",
        "The webhooks of OpenShift AI 3.4 refuse `mlflow` in the dashboard's settings, and a second DataScienceCluster or DSCInitialization beside the stack's. The dry-run would say so at the first plan with a cluster; this is told before.",
    ),
    row(
        "STK343",
        "two subscriptions of one priority",
        "A key without a named subscription goes to the one with the highest priority among those of the caller. Of two with the same the platform marks both as duplicates, and the choice falls on something accidental. None is 0.",
    ),
    row(
        "STK344",
        "a variable that a container has twice",
        "The list of variables is merged by name, and the webhook of the platform refuses a model in which one stands twice. Arguments of vLLM go together into one `VLLM_ADDITIONAL_ARGS`.",
    ),
    row(
        "STK345",
        "a second TelemetryPolicy on the gateway of MaaS",
        "The stack labels the metrics of the gateway by a TelemetryPolicy of its own. Two on one gateway conflict.",
    ),
    row(
        "STK346",
        "a Route that ends TLS in front of a gateway that speaks it",
        "With `termination: edge`, and without `tls`, the router speaks plain HTTP to the pods of the gateway. A listener with a certificate does not understand it, and every call answers 502. The Service of a gateway is named after it and its class.",
    ),
    row(
        "STK347",
        "a Route to a port that its gateway does not have",
        "The Service that is made for a gateway has a port for each listener, under the listener's name. A Route to another port has nothing behind it: the router shows its page that the application is not available.",
    ),
    row(
        "STK348",
        "a name or a label that the API server refuses",
        "The name of an object of Kubernetes' own kinds, but for roles and their bindings, is made of lower-case letters and digits, with `-` and `.` between. The name of a label, without a prefix before `/`, has 1 to 63 characters, its value at most 63; both begin and end with a letter or a digit, with `-`, `_` and `.` between. OLM's own labels show how quickly that is reached: `operators.coreos.com/PACKAGE.NAMESPACE`.",
    ),
    row(
        "STK349",
        "what the server alone writes",
        "A file that `kubectl get -o yaml` printed has fields of that one object: `managedFields`, with which the server refuses an apply, `resourceVersion`, with which it conflicts once anything has changed, and `uid`, with which it is for that object and no other. `status` and empty times are left out by themselves.",
    ),
    row(
        "STK350",
        "a Subscription that is Automatic where another is Manual",
        "OLM makes one plan for all Subscriptions of a namespace, and one that is Manual makes every plan Manual: the other operator waits until somebody approves.",
    ),
    row(
        "STK351",
        "a Service Mesh 3 beside the one that OpenShift installs",
        "The ingress operator installs Service Mesh 3 for the first GatewayClass, in the version that it goes with. One that was installed by hand, and is newer, is reported to keep the class from being accepted.",
    ),
    row(
        "STK352",
        "a namespace for Kueue without Kueue",
        "With the label `kueue.openshift.io/managed` the dashboard offers only hardware profiles with queues, and without Kueue there are none.",
    ),
    row(
        "STK353",
        "a model for MaaS in an old version",
        "Applied as v1alpha1 a model serves, and the form of the dashboard has no switch for MaaS.",
    ),
    row(
        "STK354",
        "a group with access and no limit, or the reverse",
        "A call to a model needs a MaaSAuthPolicy that names a group of the caller, and a MaaSSubscription of the same group: without the one it answers 403, without the other the model is not offered. A group that one of the files names for a model has to be in the other kind too, here or in a tier of the stack. Where users or `system:authenticated` are named, nothing is said: who is in a group is not known.",
    ),
    row(
        "STK355",
        "a model that nobody is offered",
        "A model on the gateway of MaaS is listed, can be named by tiers and gets its policies by a MaaSModelRef in its namespace. Without one it is served, answers nobody who comes through MaaS, and is in no page of the dashboard.",
    ),
    row(
        "STK356",
        "a dashboard that the console does not list",
        "The console lists a PersesDashboard only where four things hold: it is in `openshift-cluster-observability-operator`, it has the label `app.kubernetes.io/part-of: monitoring`, and the UIPlugins of type `Dashboards` and of type `Monitoring`, with Perses enabled, are there. The first that does not hold is told.",
    ),
    row(
        "STK357",
        "a monitor that finds no pods of its model",
        "A ServiceMonitor without `namespaceSelector` looks at Services of its own namespace. Charts that are rendered without a namespace leave it in `default`, where no model is: dashboards stay empty.",
    ),
    row(
        "STK358",
        "counters that are scraped twice",
        "With `observability.enable` Kuadrant has a PodMonitor of its own for Limitador. A second monitor makes a second series of every counter, and sums over them count every call twice.",
    ),
    row(
        "STK359",
        "a model over several nodes",
        "With `worker` a copy of a model is a LeaderWorkerSet of pods on several nodes. The tables of a stack have no such deployment, so nothing here adds up its GPUs or holds its gateway and network to what it needs.",
    ),
    row(
        "STK360",
        "a group in two subscriptions",
        "A key is bound to one subscription when it is made: to the one that is asked for, else to the one with the highest priority among those that the caller's groups have. What only the other subscription allows then answers 403.",
    ),
    row(
        "STK361",
        "a gated repository without a token",
        "Some organisations on Hugging Face give their weights only to who accepted their terms, with a token. Without `HF_TOKEN` the download answers 401 or 403, and the pods never start. Where a file gives the token otherwise, allow this.",
    ),
    row(
        "STK362",
        "Connectivity Link without a Kuadrant",
        "The operator of Connectivity Link carries out policies only where there is a Kuadrant. Without one AuthPolicies and rate limits are objects like others, and nobody is asked who calls.",
    ),
    row(
        "STK363",
        "a model of manifests that leaves little room",
        "As STK101, of a model in files: its weights fit, and less than 4 GiB are left for the KV cache and the runtime.",
    ),
    row(
        "STK364",
        "more GPUs than there are, with those of manifests",
        "As STK102, with what files ask for: GPUs of the pods of models, Deployments and StatefulSets × replicas, summed after those of `[[models]]` and held against the pools of the stack. What is written counts: a runtime or a base may add to it.",
    ),
    row(
        "STK365",
        "more GPUs for a pod than a node has",
        "As STK103, of pods in files: no node of the pools that it can run on has as many GPUs as one pod asks for, so it is never scheduled.",
    ),
    row(
        "STK366",
        "a namespace on an object of the whole cluster",
        "Charts write `metadata.namespace` on ClusterRoles and the like, too. The API server leaves it out, and so does an apply; the address of the object has none either. Where a Role was meant, this says so.",
    ),
    row(
        "STK400",
        "a field that the kind does not have",
        "The definition of the kind declares no such field. The API server answers a write with such a field with an error, and would drop the field if it did not. It is told before anything is written where the definition is known: from `--crds DIR`, from a manifest of the stack, or from what the cluster had at an earlier plan. Kinds of Kubernetes itself are known as of release 1.34: a field that is almost one of theirs is an error, any other is a warning, for a newer server may have it.",
    ),
    row(
        "STK401",
        "a value that the kind does not allow",
        "The type, an enum, a pattern, a bound, or a field that has to be there: the text is that of an API server with the same definition. A value that is known only later is not judged. Where an admission webhook of the real cluster fills in what is missing, write it out.",
    ),
    row(
        "STK402",
        "a rule of the kind that does not hold",
        "A definition can carry rules over several fields (`x-kubernetes-validations`, in CEL). Those about a change are judged only where the object is known as it is.",
    ),
    row(
        "STK403",
        "a version that the kind does not have",
        "The definition serves other versions of the kind than the manifest names. With definitions of another release than the cluster's this is expected: take those of the release that will be installed.",
    ),
    row(
        "STK404",
        "a definition that cannot be read",
        "A file of `--crds DIR` is no YAML or JSON, or has no CustomResourceDefinition where its name says there is one.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rows_are_in_order_and_each_code_is_in_the_source_of_problems() {
        let source = [
            include_str!("problem.rs"),
            include_str!("../cluster_facts/parse.rs"),
            include_str!("../components/error.rs"),
            include_str!("../manifests/error.rs"),
            include_str!("../manifests/notice.rs"),
            include_str!("../definitions/error.rs"),
        ]
        .concat();
        assert!(EXPLANATIONS.is_sorted_by_key(|row| row.code));
        for row in EXPLANATIONS {
            assert!(
                source.contains(&format!("code({}", row.code)),
                "{} has no problem",
                row.code
            );
        }
        // An allowance for nothing is told of a stack file and of manifests.
        let codes: BTreeSet<&str> = source
            .split("code(STK")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .collect();
        assert_eq!(codes.len(), EXPLANATIONS.len(), "a problem has no explanation");
    }

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        for text in ["STK014", "stk014", "014", " STK014 "] {
            assert_eq!(explain(text).map(|row| row.code), Some("STK014"));
        }
        assert_eq!(explain("STK999"), None);
    }
}
