//! Tables inside `[[models]]`: where its weights are kept, how its copies work together, when it is alive.
//!
//! Defaults are those of the manual's chart (`reference/serving.md` §6.2).

use super::super::problem::{Problem, Problems};
use super::super::read::{self, At, Field, Reader};
use super::super::typed;
use super::super::value::Value;
use super::models::{amounts, default_quantity};
use crate::stack::{
    AccessMode, Canary, CpuInference, FirstArgument, KvTransfer, LogLevel, ModelMonitoring, ModelName, ModelVolume,
    ObjectName, Prefill, PrefixScoring, Probe, Probes, S3Account, S3Connection, SchedulerTls, Timeout,
};

const ACCESS_MODES: &[(&str, AccessMode)] = &[
    ("ReadWriteOnce", AccessMode::ReadWriteOnce),
    ("ReadWriteMany", AccessMode::ReadWriteMany),
];

const LOG_LEVELS: &[(&str, Option<LogLevel>)] = &[
    ("DEBUG", Some(LogLevel::Debug)),
    ("INFO", Some(LogLevel::Info)),
    ("WARNING", Some(LogLevel::Warning)),
    ("ERROR", Some(LogLevel::Error)),
    ("default", None),
];

const FIRST: &[(&str, FirstArgument)] = &[
    ("uvicorn", FirstArgument::Uvicorn),
    ("kv-transfer", FirstArgument::KvTransfer),
];

/// The largest number that the parts of a scheduler may take; more is a typo.
const MUCH: u32 = 10_000_000;

pub(super) fn volume(field: Field<'_>, problems: &mut Problems) -> Option<ModelVolume> {
    let mut reader = Reader::new(field, "`volume`", problems)?;
    let size = reader.required(
        "size",
        "write `size = \"60Gi\"`: room for the weights",
        problems,
        typed::memory,
    );
    let access_mode = reader.or(
        "access_mode",
        AccessMode::ReadWriteOnce,
        problems,
        read::word(ACCESS_MODES),
    );
    let storage_class = reader.optional("storage_class", problems, typed::name(ObjectName::NOUN));
    reader.finish(problems);
    Some(ModelVolume {
        size: size?.value,
        access_mode,
        storage_class: storage_class.map(|at| at.value),
    })
}

/// Reads how a bucket is read: a connection that is there, or an account.
pub(super) fn s3(field: Field<'_>, problems: &mut Problems) -> Option<S3Connection> {
    let mut reader = Reader::new(field, "`s3`", problems)?;
    if reader.has("connection") {
        let because = "the connection that is there says it";
        reader.ignore(
            &["endpoint", "region", "access_key_id", "secret_access_key"],
            because,
            problems,
        );
        let name = reader.optional("connection", problems, typed::name(ObjectName::NOUN));
        reader.finish(problems);
        return name.map(|at| S3Connection::Existing(at.value));
    }
    let endpoint = reader.required(
        "endpoint",
        "write `endpoint = \"https://…\"`, or `connection = \"…\"` for a connection that is there",
        problems,
        endpoint,
    );
    let region = reader.or("region", "us-east-1".to_owned(), problems, read::line);
    let key = "write `{ env = \"…\" }`: a secret is never written here, only where it is";
    let access_key_id = reader.required("access_key_id", key, problems, typed::given);
    let secret_access_key = reader.required("secret_access_key", key, problems, typed::given);
    reader.finish(problems);
    Some(S3Connection::Made(Box::new(S3Account {
        endpoint: endpoint?.value,
        region,
        access_key_id: access_key_id?.value,
        secret_access_key: secret_access_key?.value,
    })))
}

fn endpoint(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    let text = read::line(field, problems)?;
    if (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace) {
        return Some(text);
    }
    let hint = "an endpoint starts with https:// or http://".to_owned();
    let noun = "an endpoint";
    problems.push(field.node.place, Problem::Malformed { text, noun, hint });
    None
}

/// The settings of a scheduler.
#[derive(Clone, Debug)]
pub(super) struct RawScheduler {
    pub(super) prefixes: PrefixScoring,
    pub(super) tls: Option<SchedulerTls>,
    /// Whether anything is said about prefixes, which only some schedulers score.
    pub(super) scores: bool,
}

impl Default for RawScheduler {
    fn default() -> Self {
        Self {
            prefixes: PrefixScoring {
                hash_block_size: 64,
                max_prefix_blocks: 256,
                lru_capacity: 39_744,
            },
            tls: None,
            scores: false,
        }
    }
}

pub(super) fn scheduler(field: Field<'_>, problems: &mut Problems) -> Option<RawScheduler> {
    let mut reader = Reader::new(field, "`scheduler`", problems)?;
    let default = RawScheduler::default().prefixes;
    let scores = ["hash_block_size", "max_prefix_blocks", "lru_capacity"]
        .iter()
        .any(|key| reader.has(key));
    let mut number = |key, default| reader.or(key, default, problems, read::integer(1, MUCH));
    let prefixes = PrefixScoring {
        hash_block_size: number("hash_block_size", default.hash_block_size),
        max_prefix_blocks: number("max_prefix_blocks", default.max_prefix_blocks),
        lru_capacity: number("lru_capacity", default.lru_capacity),
    };
    let tls = reader.optional("tls", problems, scheduler_tls);
    reader.finish(problems);
    Some(RawScheduler {
        prefixes,
        tls: tls.map(|at| at.value),
        scores,
    })
}

fn scheduler_tls(field: Field<'_>, problems: &mut Problems) -> Option<SchedulerTls> {
    let mut reader = Reader::new(field, "`scheduler.tls`", problems)?;
    let secret = reader.required(
        "secret",
        "write `secret = \"…\"`: a Secret in the model's namespace",
        problems,
        typed::name(ObjectName::NOUN),
    );
    let mount_path = reader.or("mount_path", "/etc/epp/tls".to_owned(), problems, absolute_path);
    reader.finish(problems);
    Some(SchedulerTls {
        secret: secret?.value,
        mount_path,
    })
}

fn absolute_path(field: Field<'_>, problems: &mut Problems) -> Option<String> {
    let text = read::line(field, problems)?;
    if text.starts_with('/') && text.len() > 1 && !text.contains(':') {
        return Some(text);
    }
    let hint = "a path in the container starts with `/`".to_owned();
    let noun = "an absolute path";
    problems.push(field.node.place, Problem::Malformed { text, noun, hint });
    None
}

/// What the copies are that read prompts, where nothing is said.
pub(super) fn default_prefill() -> Prefill {
    let (cpu, memory) = (default_quantity("4"), default_quantity("8Gi"));
    Prefill {
        replicas: 1,
        gpus: 1,
        requests: crate::stack::Requests {
            cpu: cpu.clone(),
            memory: memory.clone(),
        },
        cpu,
        memory,
    }
}

pub(super) fn prefill(field: Field<'_>, problems: &mut Problems) -> Option<Prefill> {
    let mut reader = Reader::new(field, "`prefill`", problems)?;
    let default = default_prefill();
    let replicas = reader.or("replicas", default.replicas, problems, read::integer(1, 1000));
    let gpus = reader.or("gpus", default.gpus, problems, read::integer(1, 8));
    let (cpu, memory, requests) = amounts(&mut reader, default.cpu, default.memory, problems);
    reader.finish(problems);
    Some(Prefill {
        replicas,
        gpus,
        cpu,
        memory,
        requests,
    })
}

/// When prompts are read elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawSplit {
    pub(super) threshold: u32,
    pub(super) max_endpoints: u32,
}

impl Default for RawSplit {
    fn default() -> Self {
        Self {
            threshold: 30_000,
            max_endpoints: 1,
        }
    }
}

pub(super) fn split(field: Field<'_>, problems: &mut Problems) -> Option<RawSplit> {
    let mut reader = Reader::new(field, "`pd`", problems)?;
    let default = RawSplit::default();
    let threshold = reader.or("threshold", default.threshold, problems, read::integer(0, MUCH));
    let max_endpoints = reader.or("max_endpoints", default.max_endpoints, problems, read::integer(1, 1000));
    reader.finish(problems);
    Some(RawSplit {
        threshold,
        max_endpoints,
    })
}

pub(super) const fn default_kv_transfer() -> KvTransfer {
    KvTransfer {
        block_size: 128,
        abort_timeout_ms: 100_000,
        log_level: Some(LogLevel::Debug),
        first: FirstArgument::Uvicorn,
    }
}

pub(super) fn kv_transfer(field: Field<'_>, problems: &mut Problems) -> Option<KvTransfer> {
    let mut reader = Reader::new(field, "`kv_transfer`", problems)?;
    let default = default_kv_transfer();
    let transfer = KvTransfer {
        block_size: reader.or("block_size", default.block_size, problems, read::integer(1, MUCH)),
        abort_timeout_ms: reader.or(
            "abort_timeout_ms",
            default.abort_timeout_ms,
            problems,
            read::integer(1, MUCH),
        ),
        log_level: reader.or("log_level", default.log_level, problems, read::word(LOG_LEVELS)),
        first: reader.or("first_argument", default.first, problems, read::word(FIRST)),
    };
    reader.finish(problems);
    Some(transfer)
}

pub(super) const fn default_cpu_inference() -> CpuInference {
    CpuInference {
        kv_cache_gib: 4,
        skip_warmup: true,
    }
}

pub(super) fn cpu_inference(field: Field<'_>, problems: &mut Problems) -> Option<CpuInference> {
    let mut reader = Reader::new(field, "`cpu_inference`", problems)?;
    let default = default_cpu_inference();
    let inference = CpuInference {
        kv_cache_gib: reader.or("kv_cache_gib", default.kv_cache_gib, problems, read::integer(1, 4096)),
        skip_warmup: reader.or("skip_warmup", default.skip_warmup, problems, read::boolean),
    };
    reader.finish(problems);
    Some(inference)
}

/// The numbers of the manual, while it starts and later.
const STARTUP: Probe = Probe {
    initial_delay_seconds: 15,
    period_seconds: 10,
    timeout_seconds: 10,
    failures: 60,
};
const LIVENESS: Probe = Probe {
    initial_delay_seconds: 120,
    period_seconds: 30,
    timeout_seconds: 30,
    failures: 5,
};

pub(super) fn probes(field: Field<'_>, problems: &mut Problems) -> Option<Probes> {
    let mut reader = Reader::new(field, "`probes`", problems)?;
    let startup = reader.optional("startup", problems, probe("`probes.startup`", STARTUP));
    let liveness = reader.optional("liveness", problems, probe("`probes.liveness`", LIVENESS));
    reader.finish(problems);
    Some(Probes {
        startup: startup.map(|at| at.value),
        liveness: liveness.map(|at| at.value),
    })
}

fn probe(title: &'static str, default: Probe) -> impl Fn(Field<'_>, &mut Problems) -> Option<Probe> {
    move |field, problems| {
        let mut reader = Reader::new(field, title, problems)?;
        let mut number =
            |key, default, least| reader.or(key, default, problems, read::integer(least, u32::from(u16::MAX)));
        let probe = Probe {
            initial_delay_seconds: number("initial_delay_seconds", default.initial_delay_seconds, 0),
            period_seconds: number("period_seconds", default.period_seconds, 1),
            timeout_seconds: number("timeout_seconds", default.timeout_seconds, 1),
            failures: number("failures", default.failures, 1),
        };
        reader.finish(problems);
        Some(probe)
    }
}

/// A canary as written.
#[derive(Clone, Debug)]
pub(crate) struct RawCanary {
    pub(crate) of: At<ModelName>,
    pub(crate) weight: u8,
}

impl RawCanary {
    pub(crate) fn done(self) -> Canary {
        Canary {
            of: self.of.value,
            weight: self.weight,
        }
    }
}

pub(super) fn canary(field: Field<'_>, problems: &mut Problems) -> Option<RawCanary> {
    let mut reader = Reader::new(field, "`canary`", problems)?;
    let of = reader.required(
        "of",
        "write `of = \"…\"`: the model that goes on serving",
        problems,
        typed::name(ModelName::NOUN),
    );
    let weight = reader.required(
        "weight",
        "write `weight = 10`: percent of the traffic",
        problems,
        read::integer(0, 100),
    );
    reader.finish(problems);
    Some(RawCanary {
        of: of?,
        weight: weight?.value,
    })
}

/// The numbers of the manual (`reference/serving.md` §1.3, rows 4 and 5).
pub(crate) fn default_monitoring() -> ModelMonitoring {
    let time = |text: &str| text.parse::<Timeout>().expect("a constant that is a time");
    ModelMonitoring {
        interval: time("30s"),
        scrape_timeout: time("10s"),
    }
}

/// Reads `true`, `false`, or a table of numbers, which means `true`.
pub(super) fn monitoring(field: Field<'_>, problems: &mut Problems) -> Option<Option<ModelMonitoring>> {
    let default = default_monitoring();
    if let Value::Boolean(is_on) = field.node.value {
        return Some(is_on.then_some(default));
    }
    if field.node.as_table().is_none() {
        field.wrong_type("true, false or a table", problems);
        return None;
    }
    let mut reader = Reader::new(field, "`monitoring` of a model", problems)?;
    let interval = reader.or("interval", default.interval, problems, typed::timeout);
    let scrape_timeout = reader.or("scrape_timeout", default.scrape_timeout, problems, typed::timeout);
    if scrape_timeout >= interval {
        let place = reader.key_place("scrape_timeout").unwrap_or(reader.place);
        let hint = "an answer has to be there before the next question: make it shorter than `interval`".to_owned();
        problems.push(
            place,
            Problem::Malformed {
                text: scrape_timeout.to_string(),
                noun: "a time shorter than `interval`",
                hint,
            },
        );
    }
    reader.finish(problems);
    Some(Some(ModelMonitoring {
        interval,
        scrape_timeout,
    }))
}
