//! `[[models]]`: one table a model to serve.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::super::value::Value;
use super::source;
use crate::stack::{
    Display, EnvName, EnvVar, ModelName, ModelSource, NamespaceName, ObjectName, PrefixCaching, Quantity, Requests,
    Scheduler, SecretRef, Timeout, Vllm,
};

/// A model as written.
#[derive(Debug)]
pub(crate) struct RawModel {
    pub(crate) name: At<ModelName>,
    pub(crate) model_name: Option<String>,
    pub(crate) namespace: NamespaceName,
    pub(crate) source: ModelSource,
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
    pub(crate) monitoring: Option<At<bool>>,
    pub(crate) scheduler: Scheduler,
    pub(crate) display: Display,
    pub(crate) ready_timeout: Option<Timeout>,
}

/// What the platform runs today (`reference/serving.md` §1.3.1; an annotation, nothing else).
const RUNTIME_VERSION: &str = "v0.18.0";

/// Limits of one copy where none are given (`reference/serving.md` §6.2).
const CPU: &str = "1";
const MEMORY: &str = "8Gi";

/// What the platform sets itself; saying it twice is refused at admission (`reference/serving.md` §5.1, row M7).
const RESERVED_ENV: &[&str] = &["VLLM_ADDITIONAL_ARGS", "VLLM_CPU_KVCACHE_SPACE", "VLLM_SKIP_WARMUP"];

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
    let model_name = reader.optional("model_name", problems, read::line).map(|at| at.value);
    let namespace = reader.required(
        "namespace",
        "write `namespace = \"…\"`: a project for models, made if needed",
        problems,
        namespace,
    );
    let source = reader.required(
        "source",
        "write `source = \"oci://…\"`, \"hf://…\" or \"pvc://…\"",
        problems,
        source::read,
    );
    let token = reader.optional("hf_token", problems, typed::secret);
    let replicas = reader.or("replicas", 1, problems, read::integer(0, 1000));
    // The largest instance type of any tier has 8.
    let gpus = reader.optional("gpus", problems, read::integer(0, 8));
    let cpu = reader.or("cpu", default_quantity(CPU), problems, typed::cpu);
    let memory = reader.or("memory", default_quantity(MEMORY), problems, typed::memory);
    let all = Requests {
        cpu: cpu.clone(),
        memory: memory.clone(),
    };
    let requests = reader.or("requests", all.clone(), problems, |field, problems| {
        requests(field, &all, problems)
    });
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
    let monitoring = reader.optional("monitoring", problems, read::boolean);
    let is_simple = reader.or("simple_scheduler", false, problems, read::boolean);
    let display = reader.or("display", Display::default(), problems, display);
    let ready_timeout = reader
        .optional("ready_timeout", problems, typed::timeout)
        .map(|at| at.value);
    let token_place = reader.key_place("hf_token");
    reader.finish(problems);

    let mut source = source?.value;
    match (&mut source, token, token_place) {
        (ModelSource::HuggingFace { token: slot, .. }, token, _) => *slot = token.map(|at: At<SecretRef>| at.value),
        (ModelSource::Oci { .. } | ModelSource::Pvc { .. }, _, Some(at)) => {
            let because = "only models from `hf://` are fetched with a token".to_owned();
            problems.push(
                at,
                Problem::NoEffect {
                    key: "hf_token",
                    because,
                },
            );
        }
        (ModelSource::Oci { .. } | ModelSource::Pvc { .. }, _, None) => {}
    }
    Some(RawModel {
        name: name?,
        model_name,
        namespace: namespace?.value,
        source,
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
        scheduler: if is_simple {
            Scheduler::Simple
        } else {
            Scheduler::Intelligent
        },
        display,
        ready_timeout,
    })
}

fn default_quantity(text: &str) -> Quantity {
    text.parse().expect("a constant that is a quantity")
}

fn namespace(field: Field<'_>, problems: &mut Problems) -> Option<NamespaceName> {
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

fn display(field: Field<'_>, problems: &mut Problems) -> Option<Display> {
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
