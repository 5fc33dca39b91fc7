//! `[[models]]`: one table a model to serve.

use super::super::allow;
use super::super::place::Place;
use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::super::value::Value;
use super::fate;
use super::model_parts::{self, RawCanary};
use super::plain_secrets;
use super::source::{self, RawSource};
use crate::stack::{
    CpuInference, Deployment, Display, EnvName, EnvVar, Fate, GivenSecret, ModelMonitoring, ModelName, ModelSource,
    ModelVolume, NamespaceName, ObjectName, PrefillDecode, PrefixCaching, Probes, Quantity, Requests, S3Connection,
    Scheduler, Timeout, Vllm,
};

/// A model as written.
#[derive(Debug)]
pub(crate) struct RawModel {
    pub(crate) name: At<ModelName>,
    pub(crate) model_name: Option<String>,
    pub(crate) namespace: NamespaceName,
    pub(crate) source: ModelSource,
    /// Where the source is written.
    pub(crate) source_place: Place,
    pub(crate) weights: Option<Quantity>,
    pub(crate) volume: Option<ModelVolume>,
    pub(crate) replicas: u16,
    pub(crate) gpus: Option<At<u16>>,
    pub(crate) cpu: Quantity,
    pub(crate) memory: Quantity,
    pub(crate) requests: Requests,
    pub(crate) hardware_profile: Option<ObjectName>,
    pub(crate) runtime_version: String,
    pub(crate) image: Option<String>,
    pub(crate) vllm: Vllm,
    pub(crate) env: Vec<EnvVar>,
    pub(crate) maas: Option<At<bool>>,
    pub(crate) auth: Option<At<bool>>,
    pub(crate) monitoring: Option<At<Option<ModelMonitoring>>>,
    pub(crate) deployment: Deployment,
    pub(crate) cpu_inference: CpuInference,
    pub(crate) probes: Probes,
    pub(crate) canary: Option<RawCanary>,
    pub(crate) display: Display,
    pub(crate) ready_timeout: Option<Timeout>,
    pub(crate) fate: Fate,
}

/// What the platform runs today (`reference/serving.md` §1.3.1; an annotation, nothing else).
const RUNTIME_VERSION: &str = "v0.18.0";

/// Limits of one copy where none are given (`reference/serving.md` §6.2).
const CPU: &str = "1";
const MEMORY: &str = "8Gi";

/// What the platform sets itself; saying it twice is refused at admission (`reference/serving.md` §5.1, row M7).
const RESERVED_ENV: &[&str] = &["VLLM_ADDITIONAL_ARGS", "VLLM_CPU_KVCACHE_SPACE", "VLLM_SKIP_WARMUP"];
/// The same where prompts are read by copies of their own; the former by its beginning.
const RESERVED_SPLIT_PREFIX: &str = "VLLM_NIXL_";
const RESERVED_SPLIT: &str = "VLLM_LOGGING_LEVEL";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    IntelligentInference,
    PdDisaggregation,
}

const DEPLOYMENTS: &[(&str, Kind)] = &[
    ("intelligent-inference", Kind::IntelligentInference),
    ("pd-disaggregation", Kind::PdDisaggregation),
];

/// Namespaces of the platform (`reference/serving.md` §6.2): a prefix, or a whole name.
const RESERVED_NAMESPACES: &[&str] = &["openshift-", "kube-", "redhat-ods-"];
const RESERVED_NAMESPACE_NAMES: &[&str] = &["openshift", "default", "models-as-a-service", "kuadrant-system"];

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<RawModel> {
    let mut reader = Reader::new(field, "`[[models]]`", problems)?;
    let name = reader.required(
        "name",
        "write `name = \"…\"`: the service is called so",
        problems,
        typed::name(ModelName::NOUN),
    );
    let model_name = reader.optional("model_name", problems, client_name).map(|at| at.value);
    let namespace = reader.required(
        "namespace",
        "write `namespace = \"…\"`: a project for models, made if needed",
        problems,
        namespace,
    );
    let source = reader.required(
        "source",
        "write `source = \"oci://…\"`, \"hf://…\", \"s3://…\" or \"pvc://…\"",
        problems,
        source::read,
    );
    let weights = reader.optional("weights", problems, typed::memory).map(|at| at.value);
    let token = reader.optional("hf_token", problems, typed::given);
    let s3 = reader.optional("s3", problems, model_parts::s3);
    let volume = reader.optional("volume", problems, model_parts::volume);
    let replicas = reader.or("replicas", 1, problems, read::integer(0, 1000));
    // The largest instance type of any tier has 8.
    let gpus = reader.optional("gpus", problems, read::integer(0, 8));
    let (cpu, memory, requests) = amounts(&mut reader, default_quantity(CPU), default_quantity(MEMORY), problems);
    let hardware_profile = reader.optional("hardware_profile", problems, typed::name(ObjectName::NOUN));
    if gpus.as_ref().is_some_and(|gpus| gpus.value == 0) && !reader.has("hardware_profile") {
        // No profile for CPU models is made by default, and an unknown one is refused at admission (`reference/serving.md` §5.1, row M5).
        let hint =
            "with `gpus = 0`, write `hardware_profile = \"…\"`: the platform makes none for CPU models by itself";
        let problem = Problem::Missing {
            key: "hardware_profile".to_owned(),
            table: "`[[models]]`".to_owned(),
            hint,
        };
        problems.push(reader.place, problem);
    }
    let runtime_version = reader.or("runtime_version", RUNTIME_VERSION.to_owned(), problems, read::line);
    let image = reader.optional("image", problems, read::line).map(|at| at.value);
    let default_vllm = Vllm {
        prefix_caching: PrefixCaching::Auto,
        args: Vec::new(),
    };
    let vllm = reader.or("vllm", default_vllm, problems, vllm);
    let env = reader.or("env", Vec::new(), problems, env);
    let maas = reader.optional("maas", problems, read::boolean);
    let auth = reader.optional("auth", problems, read::boolean);
    let monitoring = reader.optional("monitoring", problems, model_parts::monitoring);
    let is_on_cpu = gpus.as_ref().is_some_and(|gpus| gpus.value == 0);
    let deployment = deployment(&mut reader, is_on_cpu, &env, problems);
    let cpu_inference = reader.or(
        "cpu_inference",
        model_parts::default_cpu_inference(),
        problems,
        model_parts::cpu_inference,
    );
    if !is_on_cpu {
        reader.ignore(&["cpu_inference"], "the model runs on GPUs", problems);
    }
    let no_probes = Probes {
        startup: None,
        liveness: None,
    };
    let probes = reader.or("probes", no_probes, problems, model_parts::probes);
    let canary = reader.optional("canary", problems, model_parts::canary);
    let display = reader.or("display", Display::default(), problems, display);
    let ready_timeout = reader
        .optional("ready_timeout", problems, typed::timeout)
        .map(|at| at.value);
    let fate = fate::read(&mut reader, problems);
    let fetched = Fetched {
        token: token.map(|at| at.value),
        token_place: reader.key_place("hf_token"),
        s3: s3.map(|at| at.value),
        s3_place: reader.key_place("s3"),
        volume_place: reader.key_place("volume"),
    };
    let table = reader.place;
    reader.optional("allow", problems, allow::of_table(field.node));
    reader.finish(problems);
    let source = source?;
    let source_place = source.place;
    let source = fetched.complete(source.value, table, problems)?;
    Some(RawModel {
        name: name?,
        model_name,
        namespace: namespace?.value,
        source,
        source_place,
        weights,
        volume: volume.map(|at| at.value),
        replicas,
        gpus,
        cpu,
        memory,
        requests,
        hardware_profile: hardware_profile.map(|at| at.value),
        runtime_version,
        image,
        vllm,
        env,
        maas,
        auth,
        monitoring,
        deployment,
        cpu_inference,
        probes,
        canary: canary.map(|at| at.value),
        display,
        ready_timeout,
        fate,
    })
}

/// Reads what clients call a model. It is a part of URLs and of a list of names that blanks divide, where a comma would make
/// one name of two (`reference/serving.md` §5.1 M19).
fn client_name(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    let text = read::line(field, problems)?;
    if !text.contains(|c: char| c.is_whitespace() || c == ',') {
        return Some(text);
    }
    let hint = "write one name, as in `alibaba/qwen3-8b`: it has no blanks and no commas".to_owned();
    let noun = "what clients call a model";
    problems.push(field.node.place, Problem::Malformed { text, noun, hint });
    None
}

/// What else is said about how weights are fetched.
struct Fetched {
    token: Option<GivenSecret>,
    token_place: Option<Place>,
    s3: Option<S3Connection>,
    s3_place: Option<Place>,
    volume_place: Option<Place>,
}

impl Fetched {
    /// Puts it into the source that it belongs to, and reports what belongs to none.
    fn complete(self, source: RawSource, table: Place, problems: &mut Problems) -> Option<ModelSource> {
        let is_hugging_face = matches!(source, RawSource::HuggingFace(_));
        let is_s3 = matches!(source, RawSource::S3(..));
        let mut ignored = |place: Option<Place>, key, because: &str| {
            if let Some(place) = place {
                let because = because.to_owned();
                problems.push(place, Problem::NoEffect { key, because });
            }
        };
        if !is_hugging_face {
            let because = "only models from `hf://` are fetched with a token";
            ignored(self.token_place, "hf_token", because);
        }
        if !is_s3 {
            ignored(self.s3_place, "s3", "only models from `s3://` are read from a bucket");
        }
        if !(is_hugging_face || is_s3) {
            let because = "the weights are mounted as they are: nothing is fetched that could be kept";
            ignored(self.volume_place, "volume", because);
        }
        Some(match source {
            RawSource::Oci(reference) => ModelSource::Oci { reference },
            RawSource::Pvc(claim, path) => ModelSource::Pvc { claim, path },
            RawSource::HuggingFace(repository) => ModelSource::HuggingFace {
                repository,
                token: self.token,
            },
            RawSource::S3(bucket, path) => {
                if self.s3_place.is_none() {
                    let hint = "write `s3 = { connection = \"…\" }` for a connection that is there, or an account";
                    let problem = Problem::Missing {
                        key: "s3".to_owned(),
                        table: "`[[models]]`".to_owned(),
                        hint,
                    };
                    problems.push(table, problem);
                }
                ModelSource::S3 {
                    bucket,
                    path,
                    connection: self.s3?,
                }
            }
        })
    }
}

/// Reads which copies do what.
fn deployment(reader: &mut Reader<'_>, is_on_cpu: bool, env: &[EnvVar], problems: &mut Problems) -> Deployment {
    let kind = reader.optional("deployment", problems, read::word(DEPLOYMENTS));
    let scheduler = reader.or("scheduler", Default::default(), problems, model_parts::scheduler);
    let is_simple = reader.optional("simple_scheduler", problems, read::boolean);
    let prefill = reader.or(
        "prefill",
        model_parts::default_prefill(),
        problems,
        model_parts::prefill,
    );
    let split = reader.or("pd", Default::default(), problems, model_parts::split);
    let kv_transfer = reader.or(
        "kv_transfer",
        model_parts::default_kv_transfer(),
        problems,
        model_parts::kv_transfer,
    );
    let Some(kind) = kind.filter(|kind| kind.value == Kind::PdDisaggregation) else {
        let because = "only `deployment = \"pd-disaggregation\"` has copies that read prompts";
        reader.ignore(&["prefill", "pd", "kv_transfer"], because, problems);
        if is_simple.is_some_and(|simple| simple.value) {
            let because = "a simple scheduler has the platform's defaults";
            reader.ignore(&["scheduler"], because, problems);
            return Deployment::IntelligentInference(Scheduler::Simple);
        }
        return Deployment::IntelligentInference(Scheduler::Intelligent {
            prefixes: scheduler.prefixes,
            tls: scheduler.tls,
        });
    };
    let because = "copies that read prompts are chosen by another scheduler";
    reader.ignore(&["simple_scheduler"], because, problems);
    if scheduler.scores {
        let because = "with \"pd-disaggregation\" no prefixes are scored; only `tls` means something".to_owned();
        let place = reader.key_place("scheduler").unwrap_or(reader.place);
        problems.push(
            place,
            Problem::NoEffect {
                key: "scheduler",
                because,
            },
        );
    }
    if is_on_cpu {
        let hint = "prompts are read on GPUs: leave `gpus` out, or set it to 1 or more";
        problems.push(
            kind.place,
            Problem::Requires {
                this: "deployment = \"pd-disaggregation\"",
                other: "gpus",
                hint,
            },
        );
    }
    for own in env {
        let name = own.name.as_str();
        if name.starts_with(RESERVED_SPLIT_PREFIX) || name == RESERVED_SPLIT {
            let hint = "with \"pd-disaggregation\" the platform sets it itself: `kv_transfer` has keys for it";
            let place = reader.key_place("env").unwrap_or(reader.place);
            problems.push(
                place,
                Problem::Reserved {
                    what: "environment variable",
                    name: name.to_owned(),
                    hint,
                },
            );
        }
    }
    Deployment::PrefillDecode(Box::new(PrefillDecode {
        prefill,
        threshold: split.threshold,
        max_endpoints: split.max_endpoints,
        tls: scheduler.tls,
        kv_transfer,
    }))
}

pub(super) fn default_quantity(text: &str) -> Quantity {
    text.parse().expect("a constant that is a quantity")
}

/// Reads the limits of one copy and what it asks for, which are the limits where nothing is said.
pub(super) fn amounts(
    reader: &mut Reader<'_>,
    cpu: Quantity,
    memory: Quantity,
    problems: &mut Problems,
) -> (Quantity, Quantity, Requests) {
    let cpu = reader.or("cpu", cpu, problems, typed::cpu);
    let memory = reader.or("memory", memory, problems, typed::memory);
    let all = Requests {
        cpu: cpu.clone(),
        memory: memory.clone(),
    };
    let requests = reader.or("requests", all.clone(), problems, |field, problems| {
        requests(field, &all, problems)
    });
    (cpu, memory, requests)
}

/// Reads a namespace for models; never one of the platform's.
pub(super) fn namespace(field: Field<'_>, problems: &mut Problems) -> Option<NamespaceName> {
    let namespace: NamespaceName = typed::name(NamespaceName::NOUN)(field, problems)?;
    let text = namespace.as_str();
    let is_reserved =
        RESERVED_NAMESPACES.iter().any(|prefix| text.starts_with(prefix)) || RESERVED_NAMESPACE_NAMES.contains(&text);
    if is_reserved {
        let hint = "the platform lives there; give models a namespace of their own";
        problems.push(
            field.node.place,
            Problem::Reserved {
                what: "namespace",
                name: text.to_owned(),
                hint,
            },
        );
        return None;
    }
    Some(namespace)
}

fn requests(field: Field<'_>, limits: &Requests, problems: &mut Problems) -> Option<Requests> {
    let mut reader = Reader::new(field, "`requests`", problems)?;
    let cpu = reader.optional("cpu", problems, typed::cpu);
    let memory = reader.optional("memory", problems, typed::memory);
    reader.finish(problems);
    for (key, request, limit) in [("cpu", &cpu, &limits.cpu), ("memory", &memory, &limits.memory)] {
        if let Some(request) = request
            && request.value.nano() > limit.nano()
        {
            let (request_text, limit) = (request.value.to_string(), limit.to_string());
            problems.push(
                request.place,
                Problem::RequestAboveLimit {
                    key,
                    request: request_text,
                    limit,
                },
            );
        }
    }
    Some(Requests {
        cpu: cpu.map_or_else(|| limits.cpu.clone(), |at| at.value),
        memory: memory.map_or_else(|| limits.memory.clone(), |at| at.value),
    })
}

fn vllm(field: Field<'_>, problems: &mut Problems) -> Option<Vllm> {
    let mut reader = Reader::new(field, "`vllm`", problems)?;
    let prefix_caching = reader.or("prefix_caching", PrefixCaching::Auto, problems, prefix_caching);
    let args = reader.or("args", Vec::new(), problems, read::list("a list of strings", argument));
    plain_secrets::report_arguments(&args, problems);
    reader.finish(problems);
    Some(Vllm {
        prefix_caching,
        args: args.into_iter().map(|at| at.value).collect(),
    })
}

fn prefix_caching(field: Field<'_>, problems: &mut Problems) -> Option<PrefixCaching> {
    match &field.node.value {
        Value::Boolean(true) => Some(PrefixCaching::On),
        Value::Boolean(false) => Some(PrefixCaching::Off),
        Value::Text(text) if text == "auto" => Some(PrefixCaching::Auto),
        Value::Text(text) if matches!(text.as_str(), "true" | "false") => {
            field.wrong_type("a boolean", problems);
            None
        }
        Value::Text(text) => {
            let hint = "its values: \"auto\", true, false".to_owned();
            let problem = Problem::UnknownWord {
                key: field.key.to_owned(),
                word: text.clone(),
                hint,
            };
            problems.push(field.node.place, problem);
            None
        }
        _ => {
            field.wrong_type("\"auto\", true or false", problems);
            None
        }
    }
}

/// Arguments reach vLLM joined by blanks in one variable (`reference/serving.md` §1.3.1), so none may hide another.
fn argument(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    let argument = read::line(field, problems)?;
    let name = argument.split('=').next().unwrap_or_default().replace('_', "-");
    let hint = match name.as_str() {
        "--enable-prefix-caching" | "--no-enable-prefix-caching" => "set `prefix_caching` in the same table instead",
        "--served-model-name" => "set `model_name` in the model's table instead",
        _ => return Some(argument),
    };
    problems.push(field.node.place, Problem::Argument { argument, hint });
    None
}

fn env(field: Field<'_>, problems: &mut Problems) -> Option<Vec<EnvVar>> {
    let Some(table) = field.node.as_table() else {
        field.wrong_type("a table", problems);
        return None;
    };
    let mut variables = Vec::new();
    for (name, entry) in &table.entries {
        let value = read::text(
            Field {
                key: name,
                node: &entry.node,
            },
            problems,
        );
        if RESERVED_ENV.contains(&name.as_str()) {
            let hint = "the platform sets it itself; arguments belong in `vllm.args`";
            problems.push(
                entry.key,
                Problem::Reserved {
                    what: "environment variable",
                    name: name.clone(),
                    hint,
                },
            );
            continue;
        }
        if let Some(value) = &value {
            plain_secrets::report_variable(name, value, entry.node.place, problems);
        }
        match (name.parse::<EnvName>(), value) {
            (Ok(name), Some(value)) => variables.push(EnvVar { name, value }),
            (Ok(_), None) => {}
            (Err(rule), _) => {
                let (noun, hint) = (EnvName::NOUN, format!("{} {rule}", EnvName::NOUN));
                problems.push(
                    entry.key,
                    Problem::Malformed {
                        text: name.clone(),
                        noun,
                        hint,
                    },
                );
            }
        }
    }
    Some(variables)
}

pub(super) fn display(field: Field<'_>, problems: &mut Problems) -> Option<Display> {
    let mut reader = Reader::new(field, "`display`", problems)?;
    let display = Display {
        description: reader.optional("description", problems, read::line).map(|at| at.value),
        use_case: reader.optional("use_case", problems, read::line).map(|at| at.value),
        context_window: reader
            .optional("context_window", problems, read::line)
            .map(|at| at.value),
    };
    reader.finish(problems);
    Some(display)
}
