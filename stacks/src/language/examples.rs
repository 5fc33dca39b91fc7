//! For each code a stack that trips it, and one that does not: shown by `stackctl explain` and in `docs/lints.md`.
//!
//! Invariants, tested below:
//! - Every code has one example, in the order of the numbers.
//! - What is wrong trips that code and no other, in the line that is marked; what is right trips none.

/// What trips a code, and what does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// What the two texts are.
    pub beside: Beside,
    /// A text that trips the code, the line marked by `<-` in a comment where a comment can be.
    pub wrong: &'static str,
    /// A text beside it that does not.
    pub right: &'static str,
}

/// What the texts of an example are, and what is around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Tables of a stack file; `[stack]`, `[cluster]` and `[tls]` are around them where they do not say them.
    Stack,
    /// Tables of a stack file, for a cluster where this fact has this value, in JSON.
    Cluster(&'static str, &'static str),
    /// What follows `--set`.
    Setting,
    /// Objects of `[[manifests]]`, beside the stack of `examples/quickstart`.
    Manifests,
    /// Objects of `[[manifests]]` in a stack of nothing else.
    Alone,
    /// Objects beside `examples/quickstart`, for a cluster without this namespace.
    Lacking(&'static str),
    /// Objects of a table of `[[manifests]]` that says this beside its name and path.
    Table(&'static str),
    /// What a table of `[[manifests]]` says, of whose files the one object is of this kind of `example.com`.
    Objects(&'static str),
    /// Two tables of `[[manifests]]`: the files of the first have Widget `one` of `example.com`, those of the second a ConfigMap.
    Awaited,
    /// An object whose kind has a definition: `spec` is `min`, `max` (numbers, `max` not below `min`) and `token`.
    Definition,
    /// A file of `--crds DIR`.
    Definitions,
}

impl Beside {
    /// The language of the texts, as Markdown names it.
    #[must_use]
    pub const fn language(self) -> &'static str {
        match self {
            Self::Stack | Self::Cluster(..) | Self::Objects(_) | Self::Awaited => "toml",
            Self::Setting => "text",
            Self::Manifests
            | Self::Alone
            | Self::Lacking(_)
            | Self::Table(_)
            | Self::Definition
            | Self::Definitions => "yaml",
        }
    }

    /// What is around the texts, in words that follow "beside"; `None` where nothing has to be said.
    #[must_use]
    pub fn says(self) -> Option<String> {
        match self {
            Self::Stack | Self::Setting | Self::Alone => None,
            Self::Cluster(key, value) => Some(format!("a cluster with `{key}` {value}")),
            Self::Manifests => Some("the stack of `examples/quickstart`".to_owned()),
            Self::Lacking(namespace) => Some(format!("a cluster without namespace `{namespace}`")),
            Self::Table(says) => Some(format!("`{says}` of their table")),
            Self::Objects(kind) => Some(format!("files whose only object is a {kind}")),
            Self::Awaited => Some("a Widget `one` in `widgets.yaml`, and a ConfigMap in `team.yaml`".to_owned()),
            Self::Definition => {
                let says = "a definition of Thing, whose `spec` has `token` and the numbers `min` and `max`, of which `max` is not below `min`";
                Some(says.to_owned())
            }
            Self::Definitions => Some("others, as a file of `--crds DIR`".to_owned()),
        }
    }
}

/// Returns the example of a code.
pub(super) fn of(code: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|(of, _)| *of == code).map(|(_, example)| example)
}

/// Returns every example.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static Example> {
    EXAMPLES.iter().map(|(_, example)| example)
}

const fn stack(wrong: &'static str, right: &'static str) -> Example {
    let beside = Beside::Stack;
    Example { beside, wrong, right }
}

const fn cluster(fact: &'static str, value: &'static str, wrong: &'static str, right: &'static str) -> Example {
    let beside = Beside::Cluster(fact, value);
    Example { beside, wrong, right }
}

const fn definition(wrong: &'static str, right: &'static str) -> Example {
    let beside = Beside::Definition;
    Example { beside, wrong, right }
}

const fn manifests(wrong: &'static str, right: &'static str) -> Example {
    let beside = Beside::Manifests;
    Example { beside, wrong, right }
}

const fn alone(wrong: &'static str, right: &'static str) -> Example {
    let beside = Beside::Alone;
    Example { beside, wrong, right }
}

const fn lacking(wrong: &'static str, right: &'static str) -> Example {
    let beside = Beside::Lacking(NOWHERE);
    Example { beside, wrong, right }
}

const fn table(wrong: &'static str, right: &'static str) -> Example {
    let beside = Beside::Table("namespace = \"llm-d-demo\"");
    Example { beside, wrong, right }
}

const fn objects(wrong: &'static str, right: &'static str) -> Example {
    let beside = Beside::Objects("Widget");
    Example { beside, wrong, right }
}

const fn awaited(wrong: &'static str, right: &'static str) -> Example {
    let beside = Beside::Awaited;
    Example { beside, wrong, right }
}

/// The only namespace that the cluster of the examples is not known to have.
const NOWHERE: &str = "nowhere";

const EXAMPLES: &[(&str, Example)] = &[
    (
        "STK001",
        stack(
            "[stack]\nname = \"lab     # <- no second quote\n",
            "[stack]\nname = \"lab\"\n",
        ),
    ),
    ("STK002", stack("# nothing else <-\n", "[stack]\nname = \"lab\"\n")),
    (
        "STK003",
        stack("[monitoring]\nenable = true # <-\n", "[monitoring]\nenabled = true\n"),
    ),
    (
        "STK004",
        stack(
            "[monitoring]\nenabled = \"true\" # <-\n",
            "[monitoring]\nenabled = true\n",
        ),
    ),
    (
        "STK005",
        stack(
            "[tls] # <-\nattach = [\"api\"]\n",
            "[tls]\nissuer = \"local-ca\"\nattach = [\"api\"]\n",
        ),
    ),
    (
        "STK006",
        stack(
            "[rhoai]\nprofile = \"stabel\" # <-\n",
            "[rhoai]\nprofile = \"stable\"\n",
        ),
    ),
    (
        "STK007",
        stack("[stack]\nname = \"My Lab\" # <-\n", "[stack]\nname = \"my-lab\"\n"),
    ),
    (
        "STK008",
        stack(
            "[[gpu]]\nname = \"l40s\"\nprovision = \"existing\"\n\n[[gpu]]\nname = \"l40s\" # <-\nprovision = \"existing\"\n",
            "[[gpu]]\nname = \"l40s\"\nprovision = \"existing\"\n\n[[gpu]]\nname = \"more\"\nprovision = \"existing\"\n",
        ),
    ),
    (
        "STK009",
        stack(
            "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nzones = [\"a\"]\nnodes_per_zone = 5000 # <-\n",
            "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nzones = [\"a\"]\nnodes_per_zone = 5\n",
        ),
    ),
    (
        "STK010",
        stack(
            "[[gpu]]\nname = \"pool\"\ntier = \"l40\" # <-\nzones = [\"a\"]\n",
            "[[gpu]]\nname = \"pool\"\ntier = \"l40s\"\nzones = [\"a\"]\n",
        ),
    ),
    (
        "STK011",
        stack(
            "[[gpu]]\nname = \"pool\"\ntier = \"l40s\"\nsize = \"g5.2xlarge\" # <-\nzones = [\"a\"]\n",
            "[[gpu]]\nname = \"pool\"\ntier = \"l40s\"\nsize = \"g6e.2xlarge\"\nzones = [\"a\"]\n",
        ),
    ),
    (
        "STK012",
        stack(
            "[[gpu]] # <-\nname = \"pool\"\ntier = \"l40s\"\n",
            "[[gpu]]\nname = \"pool\"\ntier = \"l40s\"\nzones = [\"a\", \"b\"]\n",
        ),
    ),
    (
        "STK013",
        stack(
            "[[gpu]]\nname = \"pool\"\ntier = \"l40s\"\nzones = [\"eu-west-1a\"] # <-\n",
            "[[gpu]]\nname = \"pool\"\ntier = \"l40s\"\nzones = [\"a\"]\n",
        ),
    ),
    (
        "STK014",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"qwen\", tokens = 3000, window = \"1d\" }, # <-\n]\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"qwen\", tokens = 3000, window = \"24h\" },\n]\n",
        ),
    ),
    (
        "STK015",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"qwen\", tokens = 3000, window = \"60m\" },\n  \
             { model = \"qwen\", tokens = 3000, window = \"1h\" }, # <-\n]\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"qwen\", tokens = 3000, window = \"60m\" },\n  \
             { model = \"qwen\", tokens = 9000, window = \"24h\" },\n]\n",
        ),
    ),
    (
        "STK016",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"qwen\", tokens = 9000, window = \"5m\" }, # <-\n  \
             { model = \"qwen\", tokens = 3000, window = \"24h\" },\n]\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"qwen\", tokens = 3000, window = \"5m\" },\n  \
             { model = \"qwen\", tokens = 9000, window = \"24h\" },\n]\n",
        ),
    ),
    (
        "STK017",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"qwen3\", tokens = 3000, window = \"5m\" }, # <-\n]\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"qwen\", tokens = 3000, window = \"5m\" },\n]\n",
        ),
    ),
    (
        "STK018",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"qwen\", tokens = 3000, window = \"5m\" }, # <-\n]\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"qwen\", tokens = 3000, window = \"5m\" },\n]\n",
        ),
    ),
    (
        "STK019",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"free\"\npriority = 1\ngroups = [\"free-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 300, window = \"5m\" }]\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1 # <-\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"free\"\npriority = 1\ngroups = [\"free-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 300, window = \"5m\" }]\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 2\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
        ),
    ),
    (
        "STK020",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]] # <-\nname = \"pro\"\npriority = 1\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
        ),
    ),
    (
        "STK021",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true # <-\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = false\n",
        ),
    ),
    (
        "STK022",
        stack(
            "[cluster]\nplatform = \"none\"\n\n[tls] # <-\nissuer = \"letsencrypt\"\n",
            "[cluster]\nplatform = \"none\"\n\n[tls]\nissuer = \"local-ca\"\n",
        ),
    ),
    (
        "STK023",
        stack(
            "[rhoai]\nchannel = \"stable-3.x\" # <-\n",
            "[rhoai]\nchannel = \"stable-3.x\"\ncsv = \"rhods-operator.3.4.0\"\n",
        ),
    ),
    (
        "STK024",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmemory = \"16\" # <-\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmemory = \"16Gi\"\n",
        ),
    ),
    (
        "STK025",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\ncpu = 2\n\
             requests = { cpu = 4 } # <-\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\ncpu = 4\n\
             requests = { cpu = 2 }\n",
        ),
    ),
    (
        "STK026",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"Qwen/Qwen3-8B\" # <-\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"hf://Qwen/Qwen3-8B\"\n",
        ),
    ),
    (
        "STK027",
        stack(
            "[rhoai]\nready_timeout = \"20 minutes\" # <-\n",
            "[rhoai]\nready_timeout = \"20m\"\n",
        ),
    ),
    (
        "STK028",
        stack(
            "[cluster]\nplatform = \"aws\"\nopenshift = \"4.20 or later\" # <-\n",
            "[cluster]\nplatform = \"aws\"\nopenshift = \">=4.20\"\n",
        ),
    ),
    (
        "STK029",
        stack(
            "[maas]\n\n[maas.database]\nmode = \"external\"\nurl = { env = \"URL\", file = \"url.txt\" } # <-\n\n\
             [[maas.external_models]]\nname = \"gpt\"\nendpoint = \"llm.example.com\"\napi_key = { env = \"KEY\" }\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"gpt\", tokens = 3000, window = \"5m\" }]\n",
            "[maas]\n\n[maas.database]\nmode = \"external\"\nurl = { env = \"URL\" }\n\n\
             [[maas.external_models]]\nname = \"gpt\"\nendpoint = \"llm.example.com\"\napi_key = { env = \"KEY\" }\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"gpt\", tokens = 3000, window = \"5m\" }]\n",
        ),
    ),
    (
        "STK030",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"hf://Qwen/Qwen3-8B\"\n\
             hf_token = \"hf_example\" # <-\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"hf://Qwen/Qwen3-8B\"\n\
             hf_token = { env = \"HF_TOKEN\" }\n",
        ),
    ),
    (
        "STK031",
        Example {
            beside: Beside::Setting,
            wrong: "monitoring.enabled",
            right: "monitoring.enabled=true",
        },
    ),
    (
        "STK032",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"redhat-ods-applications\" # <-\nsource = \"pvc://models/qwen\"\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n",
        ),
    ),
    (
        "STK033",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n\n\
             [models.vllm]\nargs = [\"--served-model-name=qwen\"] # <-\n",
            "[[models]]\nname = \"qwen\"\nmodel_name = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n",
        ),
    ),
    (
        "STK034",
        stack(
            "[rhoai.components]\nmodel_registry = false\n\n[[model_registries]] # <-\nname = \"ours\"\n",
            "[rhoai.components]\nmodel_registry = true\n\n[[model_registries]]\nname = \"ours\"\n",
        ),
    ),
    (
        "STK035",
        stack(
            "[[models]]\nname = \"qwen\"\nmodel_name = \"\" # <-\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n",
        ),
    ),
    (
        "STK036",
        stack(
            "[[manifests]]\nname = \"team\"\npath = \"team\"\ndepends_on = [\"RHOAI\"] # <-\n",
            "[[manifests]]\nname = \"team\"\npath = \"team\"\ndepends_on = [\"rhoai.subscription\"]\n",
        ),
    ),
    (
        "STK037",
        stack(
            "[[manifests]]\nname = \"team\"\npath = \"team\"\nready = { equals = \"Active\" } # <-\n",
            "[[manifests]]\nname = \"team\"\npath = \"team\"\nready = { jsonpath = \".status.phase\", equals = \"Active\" }\n",
        ),
    ),
    (
        "STK038",
        stack(
            "[operators.pins]\nconnectivity_link = \"rhcl-operator.v1.4.0\" # <-\n",
            "[operators.pins]\nconnectivity_link = \"rhcl-operator.v1.3.4\"\n",
        ),
    ),
    (
        "STK039",
        stack(
            "[[rhoai.hardware_profiles]]\nname = \"small\"\nidentifiers = [\n  \
             { identifier = \"cpu\", type = \"cpu\", default = 9, min = 1, max = 8 }, # <-\n]\n",
            "[[rhoai.hardware_profiles]]\nname = \"small\"\nidentifiers = [\n  \
             { identifier = \"cpu\", type = \"cpu\", default = 2, min = 1, max = 8 },\n]\n",
        ),
    ),
    (
        "STK040",
        stack(
            "[maas]\nmode = \"gateway-policies\"\nmax_key_days = 30 # <-\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n",
            "[maas]\nmode = \"gateway-policies\"\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n",
        ),
    ),
    (
        "STK041",
        stack(
            "[tls]\nissuer = \"local-ca\"\ntrusted_ca = { file = \"ca.pem\" } # <-\n",
            "[tls]\nissuer = \"existing\"\ntrusted_ca = { file = \"ca.pem\" }\n",
        ),
    ),
    (
        "STK042",
        stack(
            "[maas]\n\n[[maas.external_models]]\nname = \"one\"\nendpoint = \"llm.example.com\"\n\
             target_model = \"gpt\"\napi_key = { env = \"KEY\" }\n\n\
             [[maas.external_models]]\nname = \"two\"\nendpoint = \"llm.example.org\"\n\
             target_model = \"gpt\" # <-\napi_key = { env = \"OTHER\" }\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"one\", tokens = 3000, window = \"5m\" },\n  \
             { model = \"two\", tokens = 3000, window = \"5m\" },\n]\n",
            "[maas]\n\n[[maas.external_models]]\nname = \"one\"\nendpoint = \"llm.example.com\"\n\
             target_model = \"gpt\"\napi_key = { env = \"KEY\" }\n\n\
             [[maas.external_models]]\nname = \"two\"\nendpoint = \"llm.example.org\"\n\
             target_model = \"gpt-mini\"\napi_key = { env = \"OTHER\" }\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\nlimits = [\n  \
             { model = \"one\", tokens = 3000, window = \"5m\" },\n  \
             { model = \"two\", tokens = 3000, window = \"5m\" },\n]\n",
        ),
    ),
    (
        "STK043",
        stack(
            "[[models]]\nname = \"old\"\nnamespace = \"demo\"\nsource = \"pvc://models/old\"\n\n\
             [[models]]\nname = \"new\"\nnamespace = \"other\"\nsource = \"pvc://models/new\"\n\
             canary = { of = \"old\", weight = 10 } # <-\n",
            "[[models]]\nname = \"old\"\nnamespace = \"demo\"\nsource = \"pvc://models/old\"\n\n\
             [[models]]\nname = \"new\"\nnamespace = \"demo\"\nsource = \"pvc://models/new\"\n\
             canary = { of = \"old\", weight = 10 }\n",
        ),
    ),
    (
        "STK044",
        stack(
            "[stack]\nname = \"lab\"\nallow = [\n  { code = \"STK004\", reason = \"it works\" }, # <-\n]\n",
            "[stack]\nname = \"lab\"\nallow = [\n  { code = \"STK051\", reason = \"the nodes are there\" },\n]\n\n\
             # without [[gpu]]\n[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n",
        ),
    ),
    (
        "STK047",
        stack(
            "[[moved]]\nfrom = \"model[a]\"\nto = \"model[a].service\" # <-\n",
            "[[moved]]\nfrom = \"model[a]\"\nto = \"model[b]\"\n",
        ),
    ),
    (
        "STK050",
        stack(
            "[tls]\nissuer = \"existing\"\nemail = \"ops@example.com\" # <-\n",
            "[tls]\nissuer = \"letsencrypt\"\nemail = \"ops@example.com\"\n",
        ),
    ),
    (
        "STK051",
        stack(
            "# without [[gpu]]\n[[models]]\nname = \"qwen\" # <-\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n",
            "[[gpu]]\nname = \"there\"\nprovision = \"existing\"\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n",
        ),
    ),
    (
        "STK052",
        stack(
            "[maas]\n\n[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true # <-\n",
            "[maas]\n\n[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
        ),
    ),
    (
        "STK053",
        stack(
            "[maas]\nenabled = true # <-\n",
            "[maas]\nenabled = true\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
        ),
    ),
    (
        "STK054",
        stack(
            "[[models]] # <-\nname = \"llama\"\nnamespace = \"demo\"\nsource = \"hf://meta-llama/Llama-3.1-8B-Instruct\"\n",
            "[[models]]\nname = \"llama\"\nnamespace = \"demo\"\nsource = \"hf://meta-llama/Llama-3.1-8B-Instruct\"\n\
             hf_token = { env = \"HF_TOKEN\" }\n",
        ),
    ),
    (
        "STK055",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"free\"\npriority = 1\ngroups = [\"team\"]\n\
             limits = [{ model = \"qwen\", tokens = 300, window = \"5m\" }]\n\n\
             [[maas.tiers]]\nname = \"pro\" # <-\npriority = 2\ngroups = [\"team\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"free\"\npriority = 1\ngroups = [\"team\"]\n\
             limits = [{ model = \"qwen\", tokens = 300, window = \"5m\" }]\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 2\ngroups = [\"leads\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
        ),
    ),
    (
        "STK056",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"free\" # <-\npriority = 1\ngroups = [\"system:authenticated\"]\n\
             limits = [{ model = \"qwen\", tokens = 300, window = \"5m\" }]\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 2\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"free\"\npriority = 1\ngroups = [\"free-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 300, window = \"5m\" }]\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 2\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
        ),
    ),
    (
        "STK057",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n\n\
             [models.vllm]\nargs = [\"--hf-token=hf_example\"] # <-\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\n\n\
             [models.vllm]\nargs = [\"--max-model-len=4096\"]\n",
        ),
    ),
    (
        "STK058",
        stack(
            "[stack]\nname = \"lab\"\nallow = [\n  { code = \"STK054\", reason = \"it is open\" }, # <-\n]\n",
            "[stack]\nname = \"lab\"\nallow = [\n  { code = \"STK054\", reason = \"it is open\" },\n]\n\n\
             [[models]]\nname = \"llama\"\nnamespace = \"demo\"\nsource = \"hf://meta-llama/Llama-3.1-8B-Instruct\"\n",
        ),
    ),
    (
        "STK100",
        stack(
            "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nzones = [\"a\"]\n\n\
             [[models]]\nname = \"llama\"\nnamespace = \"demo\"\n\
             source = \"oci://registry.example.com/modelcar-llama-3-3-70b-instruct-fp8:1.5\" # <-\n",
            "[[gpu]]\nname = \"h100\"\ntier = \"h100\"\nzones = [\"a\"]\n\n\
             [[models]]\nname = \"llama\"\nnamespace = \"demo\"\n\
             source = \"oci://registry.example.com/modelcar-llama-3-3-70b-instruct-fp8:1.5\"\n",
        ),
    ),
    (
        "STK101",
        stack(
            "[[gpu]]\nname = \"a10g\"\ntier = \"a10g\"\nzones = [\"a\"]\n\n\
             [[models]]\nname = \"gemma\"\nnamespace = \"demo\"\nsource = \"pvc://models/own\" # <-\nweights = \"19Gi\"\n",
            "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nzones = [\"a\"]\n\n\
             [[models]]\nname = \"gemma\"\nnamespace = \"demo\"\nsource = \"pvc://models/own\"\nweights = \"19Gi\"\n",
        ),
    ),
    (
        "STK102",
        stack(
            "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nzones = [\"a\", \"b\"]\n\n\
             [[models]]\nname = \"qwen\" # <-\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nreplicas = 3\n",
            "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nzones = [\"a\", \"b\", \"c\"]\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nreplicas = 3\n",
        ),
    ),
    (
        "STK103",
        stack(
            "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nsize = \"g6e.2xlarge\"\nzones = [\"a\", \"b\"]\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\ngpus = 2 # <-\n",
            "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nsize = \"g6e.12xlarge\"\nzones = [\"a\"]\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\ngpus = 2\n",
        ),
    ),
    (
        "STK104",
        stack(
            "[cluster]\nplatform = \"aws\"\ndisconnected = true\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"hf://Qwen/Qwen3-8B\" # <-\n",
            "[cluster]\nplatform = \"aws\"\ndisconnected = true\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"oci://mirror.example.com/modelcar-qwen3-8b:1.5\"\n",
        ),
    ),
    (
        "STK105",
        stack(
            "[cluster]\nplatform = \"none\"\n\n[gateway]\nexposure = \"loadbalancer\" # <-\n",
            "[cluster]\nplatform = \"none\"\n\n[gateway]\nexposure = \"loadbalancer\"\n\n\
             [metallb]\naddresses = [\"192.0.2.200-192.0.2.250\"]\n",
        ),
    ),
    (
        "STK106",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n\n\
             [maas.oidc] # <-\nissuer_url = \"https://id.example.com/realms/ai\"\nclient_id = \"maas\"\n",
            "[stack]\nname = \"lab\"\nallow = [{ code = \"STK106\", reason = \"a trial with the partners' directory\" }]\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n\n\
             [maas.oidc]\nissuer_url = \"https://id.example.com/realms/ai\"\nclient_id = \"maas\"\n",
        ),
    ),
    (
        "STK107",
        stack(
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n\n\
             [[maas.groups]]\nname = \"pro-users\" # <-\nmembers = [\"bob\"]\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [maas]\n\n[[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n\n\
             [[maas.groups]]\nname = \"pro-users\"\nmembers = [\"bob\"]\n",
        ),
    ),
    (
        "STK200",
        cluster(
            "cluster.worker-ami",
            "null",
            "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nzones = [\"a\"]\n",
            "[[gpu]]\nname = \"l40s\"\ntier = \"l40s\"\nprovision = \"existing\"\n",
        ),
    ),
    (
        "STK201",
        cluster(
            "cluster.openshift",
            "\"4.19.9\"",
            "[cluster]\nplatform = \"aws\"\nopenshift = \">=4.20\"\n",
            "[cluster]\nplatform = \"aws\"\nopenshift = \">=4.19\"\n",
        ),
    ),
    (
        "STK202",
        cluster(
            "cluster.apps-domain",
            "\"apps.ocp.example.com\"",
            "[cluster]\nplatform = \"aws\"\napps_domain = \"apps.prod.example.com\"\n",
            "[cluster]\nplatform = \"aws\"\napps_domain = \"apps.ocp.example.com\"\n",
        ),
    ),
    (
        "STK203",
        cluster(
            "cluster.platform",
            "\"BareMetal\"",
            "[cluster]\nplatform = \"aws\"\n",
            "[cluster]\nplatform = \"none\"\n",
        ),
    ),
    (
        "STK204",
        cluster(
            "package[rhods-operator].channels",
            "[{\"name\": \"stable-3.x\", \"currentCSV\": \"rhods-operator.3.4.0\", \"entries\": [{\"name\": \"rhods-operator.3.4.0\"}]}]",
            "[rhoai]\nchannel = \"stable-3.x\"\ncsv = \"rhods-operator.3.9.9\"\n",
            "[rhoai]\nchannel = \"stable-3.x\"\ncsv = \"rhods-operator.3.4.0\"\n",
        ),
    ),
    (
        "STK205",
        cluster(
            "package[rhods-operator].channels",
            "[{\"name\": \"stable-3.x\", \"currentCSV\": \"rhods-operator.3.4.0\", \"entries\": [{\"name\": \"rhods-operator.3.4.0\"}]}]",
            "[rhoai]\nchannel = \"nightly\"\ncsv = \"rhods-operator.3.4.0\"\n",
            "[rhoai]\nchannel = \"stable-3.x\"\ncsv = \"rhods-operator.3.4.0\"\n",
        ),
    ),
    (
        "STK208",
        cluster(
            "cluster.apps-domain",
            "\"apps.example.org\"",
            "[tls]\nissuer = \"letsencrypt\"\n",
            "[tls]\nissuer = \"existing\"\n",
        ),
    ),
    (
        "STK209",
        cluster(
            "cluster.models-as-a-service",
            "\"Managed\"",
            "[maas]\nmode = \"gateway-policies\"\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n",
            "[maas]\nmode = \"subscriptions\"\n\n\
             [[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
        ),
    ),
    (
        "STK210",
        cluster(
            "cluster.identity-providers",
            "[]",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n\n\
             [[maas.users]]\nname = \"bob\"\npassword = { env = \"BOB\" }\n",
            "[[models]]\nname = \"qwen\"\nnamespace = \"demo\"\nsource = \"pvc://models/qwen\"\nmaas = true\n\n\
             [[maas.tiers]]\nname = \"pro\"\npriority = 1\ngroups = [\"pro-users\"]\n\
             limits = [{ model = \"qwen\", tokens = 3000, window = \"5m\" }]\n",
        ),
    ),
    (
        "STK300",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  name: other # <-\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n",
        ),
    ),
    (
        "STK301",
        manifests(
            "kind: ConfigMap # <-\nmetadata: {name: team, namespace: llm-d-demo}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: team, namespace: llm-d-demo}\n",
        ),
    ),
    (
        "STK302",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: team, namespace: llm-d-demo}\n---\n\
             apiVersion: v1 # <-\nkind: ConfigMap\nmetadata: {name: team, namespace: llm-d-demo}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: team, namespace: llm-d-demo}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: llm-d-demo}\n",
        ),
    ),
    (
        "STK303",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n  annotations:\n    \
             config.kubernetes.io/depends-on: /namespaces/llm-d-demo/ConfigMap/base # <-\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n  annotations:\n    \
             config.kubernetes.io/depends-on: /namespaces/llm-d-demo/ConfigMap/base\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base, namespace: llm-d-demo}\n",
        ),
    ),
    (
        "STK304",
        manifests(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: gpt-key, namespace: llm-d-demo} # <-\ntype: Opaque\n---\n\
             apiVersion: maas.opendatahub.io/v1alpha1\nkind: ExternalModel\nmetadata: {name: gpt, namespace: llm-d-demo}\n\
             spec: {provider: openai, endpoint: llm.example.com, targetModel: gpt, credentialRef: {name: gpt-key}}\n",
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: gpt-key\n  namespace: llm-d-demo\n  \
             labels: {inference.networking.k8s.io/bbr-managed: \"true\"}\ntype: Opaque\n---\n\
             apiVersion: maas.opendatahub.io/v1alpha1\nkind: ExternalModel\nmetadata: {name: gpt, namespace: llm-d-demo}\n\
             spec: {provider: openai, endpoint: llm.example.com, targetModel: gpt, credentialRef: {name: gpt-key}}\n",
        ),
    ),
    (
        "STK305",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: ExternalModel\n\
             metadata: {name: gpt, namespace: llm-d-demo}\n\
             spec: {provider: openai, endpoint: \"https://llm.example.com/v1\", targetModel: gpt, credentialRef: {name: k}} # <-\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: ExternalModel\n\
             metadata: {name: gpt, namespace: llm-d-demo}\n\
             spec: {provider: openai, endpoint: llm.example.com, targetModel: gpt, credentialRef: {name: k}}\n",
        ),
    ),
    (
        "STK306",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\n\
             metadata: {name: chat, namespace: llm-d-demo}\nspec: {modelRef: {kind: ExternalModel, name: gpt}} # <-\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\n\
             metadata: {name: gpt, namespace: llm-d-demo}\nspec: {modelRef: {kind: ExternalModel, name: gpt}}\n",
        ),
    ),
    (
        "STK307",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\n\
             metadata: {name: theirs, namespace: elsewhere} # <-\nspec: {modelRef: {kind: LLMInferenceService, name: theirs}}\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\n\
             metadata: {name: theirs, namespace: llm-d-demo}\nspec: {modelRef: {kind: LLMInferenceService, name: theirs}}\n",
        ),
    ),
    (
        "STK308",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: ExternalModel\nmetadata: {name: one, namespace: llm-d-demo}\n\
             spec: {provider: openai, endpoint: a.example.com, targetModel: gpt, credentialRef: {name: k}}\n---\n\
             apiVersion: maas.opendatahub.io/v1alpha1\nkind: ExternalModel\n\
             metadata: {name: two, namespace: llm-d-demo}\n\
             spec: {provider: openai, endpoint: b.example.com, targetModel: gpt, credentialRef: {name: k}} # <-\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: ExternalModel\nmetadata: {name: one, namespace: llm-d-demo}\n\
             spec: {provider: openai, endpoint: a.example.com, targetModel: gpt, credentialRef: {name: k}}\n---\n\
             apiVersion: maas.opendatahub.io/v1alpha1\nkind: ExternalModel\nmetadata: {name: two, namespace: llm-d-demo}\n\
             spec: {provider: openai, endpoint: b.example.com, targetModel: gpt-mini, credentialRef: {name: k}}\n",
        ),
    ),
    (
        "STK309",
        manifests(
            "apiVersion: kuadrant.io/v1\nkind: AuthPolicy\nmetadata: {name: theirs, namespace: openshift-ingress}\n\
             spec:\n  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: maas-default-gateway} # <-\n  rules: {}\n",
            "apiVersion: kuadrant.io/v1\nkind: AuthPolicy\nmetadata: {name: theirs, namespace: openshift-ingress}\n\
             spec:\n  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: other-gateway}\n  rules: {}\n",
        ),
    ),
    (
        "STK310",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\n\
             metadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  \
             model: {uri: \"hf://facebook/opt-125m\", name: opt}\n  template:\n    containers:\n    - name: main\n      \
             env: [{name: VLLM_ADDITIONAL_ARGS, value: \"--served-model-name one,two\"}] # <-\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\n\
             metadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  \
             model: {uri: \"hf://facebook/opt-125m\", name: opt}\n  template:\n    containers:\n    - name: main\n      \
             env: [{name: VLLM_ADDITIONAL_ARGS, value: \"--served-model-name one two\"}]\n",
        ),
    ),
    (
        "STK311",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\n\
             metadata: {name: theirs, namespace: llm-d-demo} # <-\nspec:\n  \
             model: {uri: \"hf://facebook/opt-125m\", name: opt}\n  \
             router: {gateway: {refs: [{name: maas-default-gateway, namespace: openshift-ingress}]}}\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec: {modelRef: {kind: LLMInferenceService, name: theirs}}\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  \
             namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  \
             model: {uri: \"hf://facebook/opt-125m\", name: opt}\n  \
             router: {gateway: {refs: [{name: maas-default-gateway, namespace: openshift-ingress}]}}\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec: {modelRef: {kind: LLMInferenceService, name: theirs}}\n",
        ),
    ),
    (
        "STK312",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\n\
             metadata: {name: theirs, namespace: llm-d-demo} # <-\nspec:\n  owner: {groups: [{name: theirs}]}\n  modelRefs: []\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\n\
             metadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  owner: {groups: [{name: theirs}]}\n  \
             modelRefs: []\n",
        ),
    ),
    (
        "STK313",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\n\
             metadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  owner: {groups: [theirs]} # <-\n  modelRefs: []\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\n\
             metadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  owner: {groups: [{name: theirs}]}\n  \
             modelRefs: []\n",
        ),
    ),
    (
        "STK314",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\n\
             metadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  model: {uri: \"hf://facebook/opt-125m\"} # <-\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\n\
             metadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  \
             model: {uri: \"hf://facebook/opt-125m\", name: facebook/opt-125m}\n",
        ),
    ),
    (
        "STK315",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\n\
             metadata: {name: second, namespace: llm-d-demo}\n\
             spec: {modelRef: {kind: LLMInferenceService, name: qwen3-8b}} # <-\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\n\
             metadata: {name: other, namespace: llm-d-demo}\nspec: {modelRef: {kind: LLMInferenceService, name: other}}\n",
        ),
    ),
    (
        "STK316",
        manifests(
            "apiVersion: models.opendatahub.io/v1alpha1 # <-\nkind: MaaSModelRef\n\
             metadata: {name: theirs, namespace: llm-d-demo}\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\n\
             metadata: {name: theirs, namespace: llm-d-demo}\nspec: {modelRef: {kind: LLMInferenceService, name: theirs}}\n",
        ),
    ),
    (
        "STK317",
        manifests(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: theirs\n  namespace: openshift-ingress\n  annotations: \
             {service.beta.openshift.io/serving-cert-secret-name: router-certs-default} # <-\n",
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: theirs\n  namespace: openshift-ingress\n  annotations: \
             {service.beta.openshift.io/serving-cert-secret-name: theirs-tls}\n",
        ),
    ),
    (
        "STK318",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  router:\n    gateway:\n      refs: [{name: other-gateway, namespace: openshift-ingress}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  modelRef: {kind: LLMInferenceService, name: theirs} # <-\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  router:\n    gateway:\n      refs: [{name: maas-default-gateway, namespace: openshift-ingress}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  modelRef: {kind: LLMInferenceService, name: theirs}\n",
        ),
    ),
    (
        "STK319",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  priority: 70\n  owner: {groups: [{name: theirs}]}\n  modelRefs:\n  - name: qwen3-8b\n    namespace: llm-d-demo\n    tokenRateLimits: [{limit: 3000, window: 9000h}] # <-\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSAuthPolicy\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  subjects: {groups: [{name: theirs}]}\n  modelRefs: [{name: qwen3-8b, namespace: llm-d-demo}]\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  priority: 70\n  owner: {groups: [{name: theirs}]}\n  modelRefs:\n  - name: qwen3-8b\n    namespace: llm-d-demo\n    tokenRateLimits: [{limit: 3000, window: 24h}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSAuthPolicy\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  subjects: {groups: [{name: theirs}]}\n  modelRefs: [{name: qwen3-8b, namespace: llm-d-demo}]\n",
        ),
    ),
    (
        "STK320",
        manifests(
            "# kustomization.yaml\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [team.yaml]\n",
            "# what `kubectl kustomize` wrote\napiVersion: v1\nkind: ConfigMap\n\
             metadata: {name: team, namespace: llm-d-demo}\n",
        ),
    ),
    (
        "STK321",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n  \
             annotations: {argocd.argoproj.io/sync-wave: \"first\"} # <-\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n  \
             annotations: {argocd.argoproj.io/sync-wave: \"-1\"}\n",
        ),
    ),
    (
        "STK322",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n  annotations:\n    config.kubernetes.io/depends-on: /namespaces/llm-d-demo/ConfigMap/team # <-\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n  annotations:\n    config.kubernetes.io/depends-on: /namespaces/llm-d-demo/ConfigMap/base\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: base, namespace: llm-d-demo}\n",
        ),
    ),
    (
        "STK323",
        lacking(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: nowhere # <-\n",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: nowhere}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: nowhere\n",
        ),
    ),
    (
        "STK324",
        awaited(
            "[[manifests]]\nname = \"widgets\"\npath = \"widgets.yaml\"\n\n[[manifests]]\nname = \"team\"\npath = \"team.yaml\"\n\
             depends_on = ['manifests[widgets].widget[\"llm-d-demo/one\"]'] # <-\n",
            "[[manifests]]\nname = \"widgets\"\npath = \"widgets.yaml\"\nready = { kind = \"Widget\", condition = \"Ready\" }\n\n\
             [[manifests]]\nname = \"team\"\npath = \"team.yaml\"\n\
             depends_on = ['manifests[widgets].widget[\"llm-d-demo/one\"]']\n",
        ),
    ),
    (
        "STK325",
        alone(
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  \
             namespace: team\n  annotations:\n    argocd.argoproj.io/sync-wave: \"-1\" # <-\n",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team\n  annotations:\n    argocd.argoproj.io/sync-wave: \"-1\"\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: team\n  annotations:\n    \
             argocd.argoproj.io/sync-wave: \"-1\"\n",
        ),
    ),
    (
        "STK326",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  replicas: 0\n  model: {name: org/theirs, uri: \"hf://org/theirs-70B-FP8\"} # <-\n  template:\n    containers:\n    - name: main\n      resources:\n        limits: {nvidia.com/gpu: \"1\"}\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  replicas: 0\n  model: {name: org/theirs, uri: \"hf://org/theirs-8B-FP8\"}\n  template:\n    containers:\n    - name: main\n      resources:\n        limits: {nvidia.com/gpu: \"1\"}\n",
        ),
    ),
    (
        "STK327",
        awaited(
            "[[manifests]]\nname = \"widgets\"\npath = \"widgets.yaml\"\n\n[[manifests]]\nname = \"team\"\npath = \"team.yaml\"\n\
             ready = { kind = \"ConfigMap\", condition = \"Ready\" } # <-\n",
            "[[manifests]]\nname = \"widgets\"\npath = \"widgets.yaml\"\n\n[[manifests]]\nname = \"team\"\npath = \"team.yaml\"\n\
             ready = { kind = \"ConfigMap\", jsonpath = \".data\" }\n",
        ),
    ),
    (
        "STK330",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: team, namespace: llm-d-demo}\nimmutable: yes # <-\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: team, namespace: llm-d-demo}\nimmutable: true\n",
        ),
    ),
    (
        "STK331",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: team, namespace: llm-d-demo}\ndata:\n  on: \"push\" # <-\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: team, namespace: llm-d-demo}\ndata:\n  \"on\": \"push\"\n",
        ),
    ),
    (
        "STK332",
        manifests(
            "apiVersion: v1 # <-\nkind: ConfigMap\nmetadata:\n  name: try\n  namespace: llm-d-demo\n  \
             annotations: {helm.sh/hook: test}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: try\n  namespace: llm-d-demo\n",
        ),
    ),
    (
        "STK333",
        manifests(
            "apiVersion: v1 # <-\nkind: ConfigMap\nmetadata:\n  name: first\n  namespace: llm-d-demo\n  \
             annotations: {helm.sh/hook: pre-install}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: first\n  namespace: llm-d-demo\n  \
             annotations: {argocd.argoproj.io/sync-wave: \"-1\"}\n",
        ),
    ),
    (
        "STK334",
        manifests(
            "apiVersion: example.com/v1 # <-\nkind: Widget\nmetadata: {name: base, namespace: llm-d-demo}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n  annotations:\n    \
             config.kubernetes.io/depends-on: example.com/namespaces/llm-d-demo/Widget/base\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: base, namespace: llm-d-demo}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n  annotations:\n    \
             config.kubernetes.io/depends-on: apps/namespaces/llm-d-demo/Deployment/base\n",
        ),
    ),
    (
        "STK335",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\n  namespace: llm-d-demo\n  \
             annotations: {kapp.k14s.io/change-rule: upsert after upserting db} # <-\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\n  namespace: llm-d-demo\n  \
             annotations: {kapp.k14s.io/change-rule: upsert after upserting db}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: db\n  namespace: llm-d-demo\n  \
             annotations: {kapp.k14s.io/change-group: db}\n",
        ),
    ),
    (
        "STK336",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: nowhere # <-\n",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: nowhere}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: nowhere\n",
        ),
    ),
    (
        "STK337",
        objects(
            "name = \"theirs\"\npath = \"theirs.yaml\"\nready = { kind = \"Wigdet\", condition = \"Ready\" } # <-\n",
            "name = \"theirs\"\npath = \"theirs.yaml\"\nready = { kind = \"Widget\", condition = \"Ready\" }\n",
        ),
    ),
    (
        "STK338",
        table(
            "apiVersion: example.com/v1 # <-\nkind: Widget\nmetadata: {name: one}\n",
            "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one, namespace: llm-d-demo}\n",
        ),
    ),
    (
        "STK339",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n  labels: # <-\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: team\n  namespace: llm-d-demo\n",
        ),
    ),
    (
        "STK340",
        manifests(
            "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\n\
             metadata: {name: mesh, namespace: openshift-operators}\n\
             spec: {name: servicemeshoperator, channel: stable, source: redhat-operators, sourceNamespace: openshift-marketplace} # <-\n",
            "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\n\
             metadata: {name: other, namespace: other-operators}\n\
             spec: {name: other-operator, channel: stable, source: redhat-operators, sourceNamespace: openshift-marketplace}\n",
        ),
    ),
    (
        "STK341",
        manifests(
            "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\n\
             metadata: {name: rhcl-operator, namespace: other-operators}\nspec:\n  name: rhcl-operator\n  channel: stable\n  \
             startingCSV: rhcl-operator.v1.4.0 # <-\n  source: redhat-operators\n  sourceNamespace: openshift-marketplace\n",
            "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\n\
             metadata: {name: rhcl-operator, namespace: other-operators}\nspec:\n  name: rhcl-operator\n  channel: stable\n  \
             startingCSV: rhcl-operator.v1.3.4\n  source: redhat-operators\n  sourceNamespace: openshift-marketplace\n",
        ),
    ),
    (
        "STK342",
        manifests(
            "apiVersion: opendatahub.io/v1alpha\nkind: OdhDashboardConfig\n\
             metadata: {name: theirs, namespace: redhat-ods-applications}\nspec:\n  dashboardConfig: {mlflow: true} # <-\n",
            "apiVersion: opendatahub.io/v1alpha\nkind: OdhDashboardConfig\n\
             metadata: {name: theirs, namespace: redhat-ods-applications}\nspec:\n  dashboardConfig: {enablement: true}\n",
        ),
    ),
    (
        "STK343",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  priority: 70\n  owner: {groups: [{name: theirs}]}\n  modelRefs:\n  - name: qwen3-8b\n    namespace: llm-d-demo\n    tokenRateLimits: [{limit: 3000, window: 24h}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\nmetadata: {name: others, namespace: models-as-a-service}\nspec:\n  priority: 70 # <-\n  owner: {groups: [{name: others}]}\n  modelRefs:\n  - name: qwen3-8b\n    namespace: llm-d-demo\n    tokenRateLimits: [{limit: 3000, window: 24h}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSAuthPolicy\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  subjects: {groups: [{name: theirs}]}\n  modelRefs: [{name: qwen3-8b, namespace: llm-d-demo}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSAuthPolicy\nmetadata: {name: others, namespace: models-as-a-service}\nspec:\n  subjects: {groups: [{name: others}]}\n  modelRefs: [{name: qwen3-8b, namespace: llm-d-demo}]\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  priority: 70\n  owner: {groups: [{name: theirs}]}\n  modelRefs:\n  - name: qwen3-8b\n    namespace: llm-d-demo\n    tokenRateLimits: [{limit: 3000, window: 24h}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\nmetadata: {name: others, namespace: models-as-a-service}\nspec:\n  priority: 71\n  owner: {groups: [{name: others}]}\n  modelRefs:\n  - name: qwen3-8b\n    namespace: llm-d-demo\n    tokenRateLimits: [{limit: 3000, window: 24h}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSAuthPolicy\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  subjects: {groups: [{name: theirs}]}\n  modelRefs: [{name: qwen3-8b, namespace: llm-d-demo}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSAuthPolicy\nmetadata: {name: others, namespace: models-as-a-service}\nspec:\n  subjects: {groups: [{name: others}]}\n  modelRefs: [{name: qwen3-8b, namespace: llm-d-demo}]\n",
        ),
    ),
    (
        "STK344",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  router:\n    gateway:\n      refs: [{name: maas-default-gateway, namespace: openshift-ingress}]\n  template:\n    containers:\n    - name: main\n      env:\n      - {name: VLLM_ADDITIONAL_ARGS, value: --enforce-eager}\n      - {name: VLLM_ADDITIONAL_ARGS, value: --max-model-len=4096} # <-\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec: {modelRef: {kind: LLMInferenceService, name: theirs}}\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  router:\n    gateway:\n      refs: [{name: maas-default-gateway, namespace: openshift-ingress}]\n  template:\n    containers:\n    - name: main\n      env:\n      - {name: VLLM_ADDITIONAL_ARGS, value: --enforce-eager --max-model-len=4096}\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec: {modelRef: {kind: LLMInferenceService, name: theirs}}\n",
        ),
    ),
    (
        "STK345",
        manifests(
            "apiVersion: extensions.kuadrant.io/v1alpha1\nkind: TelemetryPolicy\nmetadata: {name: one, namespace: openshift-ingress}\nspec:\n  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: maas-default-gateway}\n---\n\
             apiVersion: extensions.kuadrant.io/v1alpha1\nkind: TelemetryPolicy\nmetadata: {name: two, namespace: openshift-ingress}\nspec:\n  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: maas-default-gateway} # <-\n",
            "apiVersion: extensions.kuadrant.io/v1alpha1\nkind: TelemetryPolicy\nmetadata: {name: one, namespace: openshift-ingress}\nspec:\n  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: maas-default-gateway}\n",
        ),
    ),
    (
        "STK346",
        manifests(
            "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: theirs, namespace: openshift-ingress}\nspec:\n  to: {kind: Service, name: openshift-ai-inference-openshift-ai-inference-class}\n  port: {targetPort: https}\n  tls: {termination: edge} # <-\n",
            "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: theirs, namespace: openshift-ingress}\nspec:\n  to: {kind: Service, name: openshift-ai-inference-openshift-ai-inference-class}\n  port: {targetPort: https}\n  tls: {termination: passthrough}\n",
        ),
    ),
    (
        "STK347",
        manifests(
            "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: theirs, namespace: openshift-ingress}\nspec:\n  to: {kind: Service, name: openshift-ai-inference-openshift-ai-inference-class}\n  port: {targetPort: http} # <-\n  tls: {termination: passthrough}\n",
            "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: theirs, namespace: openshift-ingress}\nspec:\n  to: {kind: Service, name: openshift-ai-inference-openshift-ai-inference-class}\n  port: {targetPort: https}\n  tls: {termination: passthrough}\n",
        ),
    ),
    (
        "STK348",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  labels: {operators.coreos.com/cluster-observability-operator.openshift-cluster-observability-operator: \"\"} # <-\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  labels: {operators.coreos.com/observability: \"\"}\n",
        ),
    ),
    (
        "STK349",
        manifests(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  resourceVersion: \"4711\" # <-\n  uid: 0b6f0a3a-7a0e-4b5c-8c70-7f3a5f1f6f52\ndata: {a: b}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\ndata: {a: b}\n",
        ),
    ),
    (
        "STK350",
        manifests(
            "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nmetadata: {name: other, namespace: openshift-operators}\nspec: # <-\n  {name: other-operator, channel: stable, source: redhat-operators, sourceNamespace: openshift-marketplace}\n",
            "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nmetadata: {name: other, namespace: other-operators}\nspec: {name: other-operator, channel: stable, source: redhat-operators, sourceNamespace: openshift-marketplace}\n",
        ),
    ),
    (
        "STK351",
        manifests(
            "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nmetadata: {name: mesh, namespace: other-operators}\nspec:\n  name: servicemeshoperator3 # <-\n  channel: stable\n",
            "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nmetadata: {name: mesh, namespace: other-operators}\nspec:\n  name: other-operator\n  channel: stable\n",
        ),
    ),
    (
        "STK352",
        manifests(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: projects\n  labels: {kueue.openshift.io/managed: \"true\"} # <-\n",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: projects\n  labels: {team: \"a\"}\n",
        ),
    ),
    (
        "STK353",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha1 # <-\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  router:\n    gateway:\n      refs: [{name: maas-default-gateway, namespace: openshift-ingress}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec: {modelRef: {kind: LLMInferenceService, name: theirs}}\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  router:\n    gateway:\n      refs: [{name: maas-default-gateway, namespace: openshift-ingress}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec: {modelRef: {kind: LLMInferenceService, name: theirs}}\n",
        ),
    ),
    (
        "STK354",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSAuthPolicy\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  subjects: {groups: [{name: theirs}]}\n  modelRefs:\n  - {name: qwen3-8b, namespace: llm-d-demo} # <-\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSAuthPolicy\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  subjects: {groups: [{name: pro-users}]}\n  modelRefs:\n  - {name: qwen3-8b, namespace: llm-d-demo}\n",
        ),
    ),
    (
        "STK355",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  router:\n    gateway:\n      refs: [{name: maas-default-gateway, namespace: openshift-ingress}] # <-\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  router:\n    gateway:\n      refs: [{name: maas-default-gateway, namespace: openshift-ingress}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSModelRef\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec: {modelRef: {kind: LLMInferenceService, name: theirs}}\n",
        ),
    ),
    (
        "STK356",
        manifests(
            "apiVersion: perses.dev/v1alpha2\nkind: PersesDashboard\nmetadata:\n  name: theirs\n  namespace: openshift-cluster-observability-operator\n  labels: {app.kubernetes.io/part-of: dashboard} # <-\nspec: {config: {duration: 1h}}\n",
            "apiVersion: perses.dev/v1alpha2\nkind: PersesDashboard\nmetadata:\n  name: theirs\n  namespace: openshift-cluster-observability-operator\n  labels: {app.kubernetes.io/part-of: monitoring}\nspec: {config: {duration: 1h}}\n",
        ),
    ),
    (
        "STK357",
        manifests(
            "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata:\n  name: theirs\n  namespace: default # <-\nspec:\n  selector:\n    matchLabels: {app.kubernetes.io/name: qwen3-8b, app.kubernetes.io/component: llminferenceservice-workload}\n  endpoints: [{port: https}]\n",
            "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\nspec:\n  selector:\n    matchLabels: {app.kubernetes.io/name: qwen3-8b, app.kubernetes.io/component: llminferenceservice-workload}\n  endpoints: [{port: https}]\n",
        ),
    ),
    (
        "STK358",
        manifests(
            "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: theirs, namespace: kuadrant-system}\nspec:\n  selector:\n    matchLabels: {app: limitador} # <-\n  endpoints: [{port: http}]\n",
            "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: theirs, namespace: kuadrant-system}\nspec:\n  selector:\n    matchLabels: {app: other}\n  endpoints: [{port: http}]\n",
        ),
    ),
    (
        "STK359",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  worker: {containers: [{name: main}]} # <-\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n",
        ),
    ),
    (
        "STK360",
        manifests(
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  priority: 70\n  owner: {groups: [{name: pro-users}]} # <-\n  modelRefs:\n  - name: qwen3-8b\n    namespace: llm-d-demo\n    tokenRateLimits: [{limit: 3000, window: 24h}]\n",
            "apiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSSubscription\nmetadata: {name: theirs, namespace: models-as-a-service}\nspec:\n  priority: 70\n  owner: {groups: [{name: others}]}\n  modelRefs:\n  - name: qwen3-8b\n    namespace: llm-d-demo\n    tokenRateLimits: [{limit: 3000, window: 24h}]\n---\napiVersion: maas.opendatahub.io/v1alpha1\nkind: MaaSAuthPolicy\nmetadata: {name: others, namespace: models-as-a-service}\nspec:\n  subjects: {groups: [{name: others}]}\n  modelRefs: [{name: qwen3-8b, namespace: llm-d-demo}]\n",
        ),
    ),
    (
        "STK361",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://meta-llama/theirs\"} # <-\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}\nspec:\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n",
        ),
    ),
    (
        "STK362",
        alone(
            "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nmetadata: {name: rhcl, namespace: policies}\nspec:\n  name: rhcl-operator # <-\n  channel: stable\n",
            "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nmetadata: {name: rhcl, namespace: policies}\nspec:\n  name: rhcl-operator\n  channel: stable\n---\napiVersion: kuadrant.io/v1beta1\nkind: Kuadrant\nmetadata: {name: kuadrant, namespace: kuadrant-system}\n",
        ),
    ),
    (
        "STK363",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  replicas: 0\n  model: {name: org/theirs, uri: \"hf://org/theirs-45B-FP8\"} # <-\n  template:\n    containers:\n    - name: main\n      resources:\n        limits: {nvidia.com/gpu: \"1\"}\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  replicas: 0\n  model: {name: org/theirs, uri: \"hf://org/theirs-8B-FP8\"}\n  template:\n    containers:\n    - name: main\n      resources:\n        limits: {nvidia.com/gpu: \"1\"}\n",
        ),
    ),
    (
        "STK364",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  replicas: 1\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  template:\n    containers:\n    - name: main\n      resources:\n        limits: {nvidia.com/gpu: \"1\"} # <-\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  replicas: 0\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  template:\n    containers:\n    - name: main\n      resources:\n        limits: {nvidia.com/gpu: \"1\"}\n",
        ),
    ),
    (
        "STK365",
        manifests(
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  replicas: 0\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  template:\n    containers:\n    - name: main\n      resources:\n        limits: {nvidia.com/gpu: \"2\"} # <-\n",
            "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: theirs, namespace: llm-d-demo}\nspec:\n  replicas: 0\n  model: {name: org/theirs, uri: \"hf://org/theirs\"}\n  template:\n    containers:\n    - name: main\n      resources:\n        limits: {nvidia.com/gpu: \"1\"}\n",
        ),
    ),
    (
        "STK366",
        manifests(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: team\n  namespace: llm-d-demo # <-\nrules: []\n",
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: team\nrules: []\n",
        ),
    ),
    (
        "STK400",
        definition(
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nspec: {token: t, mxa: 10} # <-\n",
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nspec: {token: t, max: 10}\n",
        ),
    ),
    (
        "STK401",
        definition(
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nspec: {token: t, max: ten} # <-\n",
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nspec: {token: t, max: 10}\n",
        ),
    ),
    (
        "STK402",
        definition(
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nspec: {token: t, min: 5, max: 2} # <-\n",
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nspec: {token: t, min: 2, max: 5}\n",
        ),
    ),
    (
        "STK403",
        definition(
            "apiVersion: example.com/v2 # <-\nkind: Thing\nmetadata: {name: x}\nspec: {token: t}\n",
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nspec: {token: t}\n",
        ),
    ),
    (
        "STK404",
        Example {
            beside: Beside::Definitions,
            wrong: "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n\
                    spec: {group: example.com, scope: Cluster}\n",
            right: "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n\
                    spec:\n  group: example.com\n  scope: Cluster\n  names: {kind: Thing, plural: things}\n  versions:\n  \
                    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}\n",
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Source, compile,
        components::tests::{QUICKSTART, compiled, facts, stack_of},
        definitions::{DefinitionFault, Definitions},
        language::{codes, parse},
        manifests::{self, Capacity, ManifestFile},
        stack::ManifestSet,
    };
    use miette::Diagnostic;
    use stackctl_engine::{
        Manifest, Resource,
        facts::{Fact, Holding},
        readiness::Rule,
        resource::{Node, Object},
    };

    /// What was said of a text: codes, the line where one is known, and whether it is an error.
    type Said = Vec<(String, Option<usize>, bool)>;

    /// Adds the tables that a stack must have, and GPUs where a model might ask for them.
    fn whole(tables: &str) -> String {
        let mut text = tables.to_owned();
        // A text without any table is about just that.
        if !tables.contains('[') {
            return text;
        }
        for (header, table) in [
            ("[stack]", "name = \"example\""),
            ("[cluster]", "platform = \"aws\""),
            ("[tls]", "issuer = \"existing\""),
        ] {
            if !tables.contains(header) {
                text = format!("{text}\n{header}\n{table}\n");
            }
        }
        if tables.contains("[[models]]") && !tables.contains("[[gpu]]") {
            text += "\n[[gpu]]\nname = \"there\"\nprovision = \"existing\"\n";
        }
        text
    }

    fn code(error: &impl Diagnostic) -> String {
        error.code().map_or_else(String::new, |code| code.to_string())
    }

    fn of_stack(text: &str, sets: &[String]) -> Said {
        let name = "stack.toml".to_owned();
        let source = Source {
            name,
            text: whole(text),
        };
        let all = match parse(&[source], sets) {
            Ok((_, warnings)) => warnings,
            Err(diagnostics) => diagnostics.iter().cloned().collect(),
        };
        all.iter()
            .map(|error| (error.code(), Some(error.position().line), !error.is_warning()))
            .collect()
    }

    fn of_cluster(text: &str, key: &str, value: &str) -> Said {
        let mut facts = facts();
        let fact = Fact {
            value: serde_json::from_str(value).expect("JSON"),
            source: "the example".to_owned(),
            holding: Holding::Live,
        };
        facts.insert(key, fact);
        let errors = compile(&stack_of(&whole(text)), &facts).err().unwrap_or_default();
        errors.iter().map(|error| (code(error), None, true)).collect()
    }

    fn of_manifests(set: &ManifestSet, text: &str, lacking: Option<&str>) -> Said {
        let stack = stack_of(QUICKSTART);
        let openshift = stack.openshift.as_ref().expect("a stack for OpenShift");
        let capacity = Capacity {
            pools: &openshift.gpu,
            models: &openshift.models,
        };
        of_files(set, text, lacking, &compiled(&stack), capacity)
    }

    fn of_files(
        set: &ManifestSet,
        text: &str,
        lacking: Option<&str>,
        catalogue: &[Resource],
        capacity: Capacity<'_>,
    ) -> Said {
        // That is told by the name of a file alone.
        let is_kustomization = text.contains("kind: Kustomization");
        let name = if is_kustomization {
            "kustomization.yaml"
        } else {
            "theirs.yaml"
        };
        let file = ManifestFile {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let sets = [(set, vec![file])];
        let mut files = manifests::read(&sets);
        files.place(catalogue, &manifests::Scopes::new());
        let mut there = files.unmade(catalogue);
        there.remove(NOWHERE);
        let beside = manifests::Beside {
            catalogue,
            capacity,
            allowed: &[],
            there: &there,
            missing: &lacking.map(str::to_owned).into_iter().collect(),
        };
        match files.resources(&beside) {
            Ok(made) => {
                let told = made
                    .notices
                    .iter()
                    .map(|notice| (code(notice), Some(notice.at().line), false));
                told.collect()
            }
            Err(errors) => {
                let line = |error: &manifests::ManifestsError| Some(error.at()?.line);
                errors.iter().map(|error| (code(error), line(error), true)).collect()
            }
        }
    }

    /// The set that a stack file with this table has, below its header.
    fn set(table: &str) -> ManifestSet {
        let text = format!("[[manifests]]\n{table}\n[stack]\nname = \"example\"\n");
        let name = "stack.toml".to_owned();
        let (stack, _) = parse(&[Source { name, text }], &[]).expect("a good table");
        stack.manifests.into_iter().next().expect("one table")
    }

    /// Two tables, whose files have what [`Beside::Awaited`] says.
    fn of_tables(text: &str) -> Said {
        let stack = Source {
            name: "stack.toml".to_owned(),
            text: format!("{text}\n[stack]\nname = \"example\"\n"),
        };
        let (stack, _) = parse(&[stack], &[]).expect("good tables");
        let texts = [
            "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one, namespace: llm-d-demo}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: team, namespace: llm-d-demo}\n",
        ];
        let file = |(set, text): (&ManifestSet, &str)| ManifestFile {
            name: set.path.display().to_string(),
            text: text.to_owned(),
        };
        let sets: Vec<_> = stack
            .manifests
            .iter()
            .zip(texts)
            .map(|pair| (pair.0, vec![file(pair)]))
            .collect();
        match manifests::resources(&sets, &[]) {
            Ok(made) => made
                .notices
                .iter()
                .map(|notice| (code(notice), Some(notice.at().line), false))
                .collect(),
            Err(errors) => {
                let line = |error: &manifests::ManifestsError| Some(error.at()?.line);
                errors.iter().map(|error| (code(error), line(error), true)).collect()
            }
        }
    }

    /// The definition that [`Beside::Definition`] speaks of.
    const THING: &str = r#"{
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "scope": "Cluster", "names": {"kind": "Thing", "plural": "things"}, "versions": [
            {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {
                    "type": "object", "required": ["token"],
                    "x-kubernetes-validations": [{"rule": "self.max >= self.min", "message": "max is below min"}],
                    "properties": {
                        "token": {"type": "string"},
                        "min": {"type": "integer", "default": 1}, "max": {"type": "integer", "default": 9}
                    }
                }}
            }}}
        ]}
    }"#;

    fn yaml(text: &str) -> serde_json::Value {
        serde_saphyr::from_str(text).expect("YAML")
    }

    fn of_definition(text: &str) -> Said {
        let mut definitions = Definitions::default();
        definitions
            .add(&serde_json::from_str(THING).expect("JSON"))
            .expect("a definition");
        let object = Object::ready_when(Manifest::written(yaml(text)), Rule::Exists);
        let resource = Resource::new(
            "manifests[theirs].thing[x]".parse().expect("an address"),
            Node::Object(object),
        );
        let file = ManifestFile {
            name: "theirs.yaml".to_owned(),
            text: text.to_owned(),
        };
        let sets = [(&ManifestSet::bare("theirs", "theirs.yaml"), vec![file])];
        let files = manifests::read(&sets);
        let lines = files.lines();
        let faults = definitions.check(&[&resource], |address, field| lines.of(address, field), |_| None);
        let line = |fault: &DefinitionFault| Some(fault.place()?.at.as_ref()?.line);
        faults.iter().map(|fault| (code(fault), line(fault), true)).collect()
    }

    fn of_definitions(text: &str) -> Said {
        let fault = Definitions::default()
            .add(&yaml(text))
            .err()
            .map(|why| DefinitionFault::Unreadable {
                file: "things.yaml".to_owned(),
                why: why.to_string(),
            });
        fault.iter().map(|fault| (code(fault), None, true)).collect()
    }

    fn said(beside: Beside, text: &str) -> Said {
        match beside {
            Beside::Stack => of_stack(text, &[]),
            Beside::Setting => of_stack("[stack]\nname = \"lab\"\n", &[text.to_owned()]),
            Beside::Cluster(key, value) => of_cluster(text, key, value),
            Beside::Manifests => of_manifests(&ManifestSet::bare("theirs", "theirs.yaml"), text, None),
            Beside::Alone => {
                let set = ManifestSet::bare("theirs", "theirs.yaml");
                of_files(&set, text, None, &[], Capacity::default())
            }
            Beside::Lacking(namespace) => {
                of_manifests(&ManifestSet::bare("theirs", "theirs.yaml"), text, Some(namespace))
            }
            Beside::Table(says) => {
                let set = set(&format!("name = \"theirs\"\npath = \"theirs.yaml\"\n{says}"));
                of_manifests(&set, text, None)
            }
            Beside::Objects(kind) => {
                let object = format!(
                    "apiVersion: example.com/v1\nkind: {kind}\nmetadata: {{name: one, namespace: llm-d-demo}}\n"
                );
                let said = of_manifests(&set(text), &object, None).into_iter();
                // The header is no part of the text.
                said.map(|(code, line, is_error)| (code, line.map(|line| line - 1), is_error))
                    .collect()
            }
            Beside::Awaited => of_tables(text),
            Beside::Definition => of_definition(text),
            Beside::Definitions => of_definitions(text),
        }
    }

    #[test]
    fn every_code_has_an_example_and_every_example_a_code() {
        let examples: Vec<&str> = EXAMPLES.iter().map(|(code, _)| *code).collect();
        let all: Vec<&str> = codes::explanations().iter().map(|row| row.code).collect();
        assert_eq!(examples, all);
    }

    #[test]
    fn what_is_wrong_trips_its_code_in_the_marked_line_and_what_is_right_trips_none() {
        let mut wrong = Vec::new();
        for (code, example) in EXAMPLES {
            let explanation = codes::explain(code).expect("a row");
            let marked = match example.beside {
                Beside::Setting => Some(1),
                _ => example
                    .wrong
                    .lines()
                    .position(|line| line.contains("<-"))
                    .map(|line| line + 1),
            };
            let found = said(example.beside, example.wrong);
            let is_error = explanation.severity() == codes::Severity::Error;
            let has_no_line = matches!(example.beside, Beside::Cluster(..) | Beside::Definitions) || *code == "STK320";
            let has_mark = marked.is_some() != has_no_line;
            if !has_mark || found != [((*code).to_owned(), marked, is_error)] {
                wrong.push(format!("{code} at {marked:?}: {found:?}"));
            }
            let found = said(example.beside, example.right);
            if !found.is_empty() {
                wrong.push(format!("{code}, what is right: {found:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
