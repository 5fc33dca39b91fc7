//! `Problem`: what can be wrong with a stack file, each with its code and the way out.
//!
//! Numbers below 50 are errors, from 50 warnings; lints begin at 100, and are either. A number is never given to something else.

use std::path::PathBuf;

use miette::Diagnostic;

use super::allow::Allowed;
use super::error::{Diagnostics, StackError};
use super::place::{Place, Sources};
use crate::FileLine;
use stackctl_engine::late::SecretFile;

/// One thing that is wrong, without its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[expect(
    missing_docs,
    reason = "the message of each variant says what it is and what its fields are"
)]
pub enum Problem {
    #[error("not valid TOML: {message}")]
    #[diagnostic(code(STK001), help("the rules of TOML are at https://toml.io"))]
    Syntax { message: String },

    #[error("`{text}` is not an address: {why}")]
    #[diagnostic(
        code(STK036),
        help("`stackctl graph` lists the addresses of a stack; they look like `model[qwen3-8b].service`")
    )]
    BadAddress { text: String, why: String },

    #[error("`ready` says nothing that can be waited for: {why}")]
    #[diagnostic(
        code(STK037),
        help(
            "write `{{ condition = \"Ready\" }}`, `{{ jsonpath = \".status.phase\", equals = \"Active\" }}` or `{{ cel = \"self.status.ready > 0\" }}`"
        )
    )]
    BadReadiness { why: String },

    #[error("the stack is empty")]
    #[diagnostic(code(STK002), help("`stackctl init` writes a stack file to start from"))]
    EmptyStack,

    #[error("unknown key `{key}` in {table}")]
    #[diagnostic(code(STK003))]
    UnknownKey {
        key: String,
        table: String,
        #[help]
        hint: String,
    },

    #[error("`{key}` must be {expected}, and this is {found}")]
    #[diagnostic(code(STK004))]
    WrongType {
        key: String,
        expected: &'static str,
        found: &'static str,
        #[help]
        hint: String,
    },

    #[error("{table} has no `{key}`")]
    #[diagnostic(code(STK005))]
    Missing {
        key: String,
        table: String,
        #[help]
        hint: &'static str,
    },

    #[error("`{word}` is not a value of `{key}`")]
    #[diagnostic(code(STK006))]
    UnknownWord {
        key: String,
        word: String,
        #[help]
        hint: String,
    },

    #[error("`{text}` is not {noun}")]
    #[diagnostic(code(STK007))]
    Malformed {
        text: String,
        noun: &'static str,
        #[help]
        hint: String,
    },

    #[error("two {what} are called `{name}`")]
    #[diagnostic(code(STK008))]
    Duplicate {
        what: &'static str,
        name: String,
        #[help]
        hint: &'static str,
    },

    #[error("`{key}` is out of range")]
    #[diagnostic(code(STK009), help("write a number from {from} to {to}"))]
    OutOfRange { key: String, from: u32, to: u32 },

    #[error("there is no GPU tier `{tier}`")]
    #[diagnostic(code(STK010))]
    UnknownTier {
        tier: String,
        #[help]
        hint: String,
    },

    #[error("`{size}` is no instance type of tier `{tier}`")]
    #[diagnostic(code(STK011))]
    UnknownSize {
        size: String,
        tier: &'static str,
        #[help]
        hint: String,
    },

    #[error("pool `{pool}` does not say in which zones")]
    #[diagnostic(
        code(STK012),
        help(
            "add `zones = [\"a\", \"b\"]`: one MachineSet a zone, so zones decide what is bought; use `provision = \"existing\"` for nodes that are there"
        )
    )]
    ZonesMissing { pool: String },

    #[error("`{text}` is not a zone")]
    #[diagnostic(code(STK013))]
    Zone {
        text: String,
        #[help]
        hint: String,
    },

    #[error("window `{text}` is not a rate-limit window")]
    #[diagnostic(code(STK014))]
    Window {
        text: String,
        fault: String,
        #[help]
        hint: String,
    },

    #[error("windows `{first}` and `{second}` of model `{model}` are the same time")]
    #[diagnostic(
        code(STK015),
        help("keep one of the two rows: limits of the same length share one counter")
    )]
    SameWindow {
        model: String,
        first: String,
        second: String,
    },

    #[error(
        "{tokens} tokens per `{window}` on model `{model}` stop nobody: {longer_tokens} per `{longer_window}` are used up first"
    )]
    #[diagnostic(
        code(STK016),
        help("a longer window needs more tokens than a shorter one, or the shorter one is dead")
    )]
    DeadLimit {
        model: String,
        tokens: u32,
        window: String,
        longer_tokens: u32,
        longer_window: String,
    },

    #[error("tier `{tier}` names model `{model}`, and there is no such model")]
    #[diagnostic(code(STK017))]
    UnknownModel {
        tier: String,
        model: String,
        #[help]
        hint: String,
    },

    #[error("tier `{tier}` names model `{model}`, which is not published to MaaS")]
    #[diagnostic(code(STK018), help("set `maas = true` in the model's table"))]
    NotPublished { tier: String, model: String },

    #[error("tiers `{first}` and `{second}` have the same priority {priority}")]
    #[diagnostic(
        code(STK019),
        help("give each tier its own: a caller in both gets the higher, and for equal ones nothing decides")
    )]
    SamePriority {
        first: String,
        second: String,
        priority: u32,
    },

    #[error("nobody is in tier `{tier}`")]
    #[diagnostic(code(STK020), help("add `groups = [\"…\"]`, or `users` for service accounts"))]
    NobodyInTier { tier: String },

    #[error("model `{model}` asks for MaaS, which is not enabled")]
    #[diagnostic(code(STK021))]
    MaasIsOff {
        model: String,
        #[help]
        hint: &'static str,
    },

    #[error("{what} needs `platform = \"aws\"`")]
    #[diagnostic(code(STK022))]
    NeedsAws {
        what: &'static str,
        #[help]
        hint: &'static str,
    },

    #[error("`{given}` is given without `{missing}`")]
    #[diagnostic(
        code(STK023),
        help("a pinned release needs both, or leave both out and choose a `profile`")
    )]
    HalfPin { given: &'static str, missing: &'static str },

    #[error("`{text}` is not an amount of {key}")]
    #[diagnostic(code(STK024))]
    Quantity {
        key: String,
        text: String,
        #[help]
        hint: String,
    },

    #[error("the request of {key} is above its limit: {request} > {limit}")]
    #[diagnostic(code(STK025), help("lower the request, or raise the limit"))]
    RequestAboveLimit {
        key: &'static str,
        request: String,
        limit: String,
    },

    #[error("`{text}` is not a model source")]
    #[diagnostic(code(STK026))]
    ModelSource {
        text: String,
        #[help]
        hint: &'static str,
    },

    #[error("`{text}` is not a length of time")]
    #[diagnostic(code(STK027), help("write `90s`, `10m` or `1h30m`, from 1s to 168h"))]
    Timeout { text: String },

    #[error("`{text}` is not a version requirement")]
    #[diagnostic(
        code(STK028),
        help("write `>=4.20`, `4.21`, or several separated by commas: `>=4.20, <4.22`")
    )]
    Version { text: String },

    #[error("`{key}` does not say where the secret is")]
    #[diagnostic(code(STK029))]
    SecretReference {
        key: String,
        fault: &'static str,
        #[help]
        hint: &'static str,
    },

    #[error("`{key}` is a secret, and stack files hold none")]
    #[diagnostic(
        code(STK030),
        help("say where it is instead: `{{ env = \"NAME\" }}` or `{{ file = \"path\" }}`")
    )]
    PlainSecret { key: String },

    #[error("cannot use this setting: {fault}")]
    #[diagnostic(
        code(STK031),
        help("write `--set models[qwen3-8b].replicas=3` or `--set rhoai.profile=ea`")
    )]
    Setting { fault: &'static str },

    #[error("there is no `[[{list}]]` called `{name}`")]
    #[diagnostic(code(STK031))]
    SettingOfNone {
        list: String,
        name: String,
        #[help]
        hint: String,
    },

    #[error("{what} `{name}` is not yours to use")]
    #[diagnostic(code(STK032))]
    Reserved {
        what: &'static str,
        name: String,
        #[help]
        hint: &'static str,
    },

    #[error("vLLM argument `{argument}` cannot be used here")]
    #[diagnostic(code(STK033))]
    Argument {
        argument: String,
        #[help]
        hint: &'static str,
    },

    #[error("`{this}` needs `{other}`")]
    #[diagnostic(code(STK034))]
    Requires {
        this: &'static str,
        other: &'static str,
        #[help]
        hint: &'static str,
    },

    #[error("`{key}` must not be empty")]
    #[diagnostic(code(STK035))]
    Empty {
        key: String,
        #[help]
        hint: &'static str,
    },

    #[error("`{csv}` breaks this platform: {why}")]
    #[diagnostic(
        code(STK038),
        help("leave the pin out: the version that is known to work is the default")
    )]
    BrokenVersion { csv: String, why: &'static str },

    #[error("the default of `{identifier}` is not between its least and its most")]
    #[diagnostic(code(STK039), help("write `min` ≤ `default` ≤ `max`"))]
    ProfileRange { identifier: String },

    #[error("`{key}` is not a key of MaaS with `mode = \"{mode}\"`")]
    #[diagnostic(code(STK040))]
    OtherGeneration {
        key: &'static str,
        mode: &'static str,
        #[help]
        hint: &'static str,
    },

    #[error("`{this}` and `{other}` exclude each other")]
    #[diagnostic(code(STK041))]
    Excludes {
        this: &'static str,
        other: &'static str,
        #[help]
        hint: &'static str,
    },

    #[error("external models `{first}` and `{second}` are both `{target}` to their providers")]
    #[diagnostic(
        code(STK042),
        help("the gateway tells requests apart by `target_model` alone: only one of the two can have it")
    )]
    SameTarget {
        target: String,
        first: String,
        second: String,
    },

    #[error("model `{model}` cannot be a canary of that one")]
    #[diagnostic(code(STK043))]
    Canary {
        model: String,
        fault: String,
        #[help]
        hint: &'static str,
    },

    #[error("`{from}` cannot move to `{to}`: {why}")]
    #[diagnostic(code(STK047))]
    Move {
        from: String,
        to: String,
        why: &'static str,
        #[help]
        hint: &'static str,
    },

    #[error("{code} cannot be allowed: {why}")]
    #[diagnostic(code(STK044))]
    NotAllowable {
        code: String,
        why: String,
        #[help]
        hint: String,
    },

    #[error("`{key}` has no effect here")]
    #[diagnostic(code(STK050), severity(Warning))]
    NoEffect {
        key: &'static str,
        #[help]
        because: String,
    },

    #[error("model `{model}` asks for GPUs, and the stack has no GPU pool")]
    #[diagnostic(
        code(STK051),
        severity(Warning),
        help("add a `[[gpu]]` table; for nodes that are there, with `provision = \"existing\"`")
    )]
    NoPool { model: String },

    #[error("no tier gives access to model `{model}`")]
    #[diagnostic(
        code(STK052),
        severity(Warning),
        help("name it in the `limits` of a `[[maas.tiers]]` table")
    )]
    ModelInNoTier { model: String },

    #[error("MaaS is enabled, and no model is published to it")]
    #[diagnostic(code(STK053), severity(Warning), help("set `maas = true` in a `[[models]]` table"))]
    EmptyMaas,

    #[error("group `{group}` is in tiers `{first}` and `{second}`")]
    #[diagnostic(
        code(STK055),
        severity(Warning),
        help("its keys get the tier with the higher priority, unless one is named when a key is made")
    )]
    GroupInTwoTiers {
        group: String,
        first: String,
        second: String,
    },

    #[error("everybody is in tier `{tier}`")]
    #[diagnostic(
        code(STK056),
        severity(Warning),
        help(
            "who is taken out of every other tier may still call its models; leave out `system:authenticated` to deny that"
        )
    )]
    EverybodyInTier { tier: String },

    #[error("{what} looks like a secret, and stack files hold none")]
    #[diagnostic(code(STK057), severity(Warning))]
    SecretInSight {
        what: String,
        #[help]
        hint: &'static str,
    },

    #[error("{what} is rarely right")]
    #[diagnostic(code(STK054), severity(Warning))]
    Doubtful {
        what: String,
        #[help]
        why: &'static str,
    },

    #[error("nothing here is {code}")]
    #[diagnostic(
        code(STK058),
        severity(Warning),
        help("take it out of `allow`: what it was for is gone, or is somewhere else")
    )]
    NothingAllowed { code: &'static str },

    #[error("model `{model}` does not fit its GPUs: {sum}")]
    #[diagnostic(code(STK100))]
    TooLarge {
        model: String,
        sum: String,
        #[help]
        hint: String,
    },

    #[error("model `{model}` leaves {left} of its GPUs for everything else: {sum}")]
    #[diagnostic(
        code(STK101),
        severity(Warning),
        help(
            "the KV cache and the runtime take 4 GiB as a rule; a shorter `--max-model-len` needs less, a larger GPU or quantised weights leave more"
        )
    )]
    LittleRoom { model: String, sum: String, left: String },

    #[error("models ask for {asked} GPUs, and their pools have {there}: {sum}")]
    #[diagnostic(
        code(STK102),
        severity(Warning),
        help(
            "copies of `{model}` wait for a GPU: add nodes, take `replicas` down, or name nodes that are there in a `[[gpu]]` table with `provision = \"existing\"`"
        )
    )]
    NotEnoughGpus {
        model: String,
        asked: u32,
        there: u32,
        sum: String,
    },

    #[error("a copy of model `{model}` asks for {gpus} GPUs, and no node of its pools has more than {most}")]
    #[diagnostic(
        code(STK103),
        severity(Warning),
        help("a copy runs on one node: choose a larger `size` for the pool, or fewer `gpus`")
    )]
    TooManyForNode { model: String, gpus: u32, most: u32 },

    #[error("{what} cannot be reached from a disconnected cluster")]
    #[diagnostic(code(STK104))]
    Unreachable {
        what: String,
        #[help]
        hint: &'static str,
    },

    #[error("nothing that the stack knows of gives this load balancer an address")]
    #[diagnostic(
        code(STK105),
        severity(Warning),
        help(
            "write `exposure = \"route\"`, or add `[metallb]` with addresses of your network; where the cluster's cloud provides them, say so in `allow`"
        )
    )]
    NoBalancer,

    #[error("{what} is a Technology Preview")]
    #[diagnostic(
        code(STK106),
        severity(Warning),
        help("it may change or go, and support does not cover it in production; if that is known, say so in `allow`")
    )]
    Preview { what: &'static str },

    #[error("no tier names group `{group}`, and tier `{tier}` names `{named}`")]
    #[diagnostic(
        code(STK107),
        severity(Warning),
        help("give both one name: who is put into `{group}` has no tier")
    )]
    GroupOfNoTier { group: String, tier: String, named: String },
}

impl Problem {
    /// The way out of most names that are there twice.
    pub(crate) const RENAME: &'static str =
        "rename one of them, or remove it; across layers, the same name changes the same table";

    /// Returns what the mark under the text says.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Syntax { .. } | Self::EmptyStack | Self::Malformed { .. } | Self::ModelSource { .. } => {
                "here".to_owned()
            }
            Self::UnknownKey { .. } => "not a key here".to_owned(),
            Self::WrongType { found, .. } => (*found).to_owned(),
            Self::Missing { key, .. } => format!("needs `{key}`"),
            Self::UnknownWord { .. } => "not one of its values".to_owned(),
            Self::Duplicate { .. } => "again here".to_owned(),
            Self::OutOfRange { .. } => "too small or too large".to_owned(),
            Self::UnknownTier { .. } => "no such tier".to_owned(),
            Self::UnknownSize { .. } => "not of this tier".to_owned(),
            Self::ZonesMissing { .. } => "needs `zones`".to_owned(),
            Self::Zone { .. } => "not a zone letter".to_owned(),
            Self::Window { fault, .. } => fault.clone(),
            Self::SameWindow { .. } => "the same length".to_owned(),
            Self::DeadLimit { .. } => "never reached".to_owned(),
            Self::UnknownModel { .. } => "no such model".to_owned(),
            Self::NotPublished { .. } => "not published".to_owned(),
            Self::SamePriority { .. } => "taken".to_owned(),
            Self::NobodyInTier { .. } => "needs `groups` or `users`".to_owned(),
            Self::MaasIsOff { .. } => "asked for here".to_owned(),
            Self::NeedsAws { .. } => "only on AWS".to_owned(),
            Self::HalfPin { missing, .. } => format!("needs `{missing}` too"),
            Self::Quantity { .. } => "not an amount".to_owned(),
            Self::RequestAboveLimit { .. } => "above the limit".to_owned(),
            Self::Timeout { .. } => "not a time".to_owned(),
            Self::Version { .. } => "not a requirement".to_owned(),
            Self::SecretReference { fault, .. } => (*fault).to_owned(),
            Self::PlainSecret { .. } | Self::SecretInSight { .. } => "a secret in plain text (hidden here)".to_owned(),
            Self::Setting { .. } => "this one".to_owned(),
            Self::SettingOfNone { .. } => "not there".to_owned(),
            Self::Reserved { .. } => "reserved".to_owned(),
            Self::Argument { .. } => "this argument".to_owned(),
            Self::Requires { other, .. } => format!("needs `{other}`"),
            Self::Empty { .. } => "empty".to_owned(),
            Self::NoEffect { .. } => "ignored".to_owned(),
            Self::NoPool { .. } => "no pool offers them".to_owned(),
            Self::ModelInNoTier { .. } => "nobody can call it".to_owned(),
            Self::EmptyMaas => "serves nothing".to_owned(),
            Self::BadAddress { .. } => "not an address".to_owned(),
            Self::BadReadiness { .. } => "not a rule".to_owned(),
            Self::BrokenVersion { .. } => "known to be broken".to_owned(),
            Self::ProfileRange { .. } => "out of its range".to_owned(),
            Self::Doubtful { .. } => "rarely right".to_owned(),
            Self::OtherGeneration { .. } => "of the other generation".to_owned(),
            Self::Excludes { .. } => "this".to_owned(),
            Self::SameTarget { .. } => "the same target".to_owned(),
            Self::Canary { fault, .. } => fault.clone(),
            Self::Move { .. } => "this move".to_owned(),
            Self::GroupInTwoTiers { .. } => "again in this one".to_owned(),
            Self::EverybodyInTier { .. } => "whoever has a token".to_owned(),
            Self::NotAllowable { .. } => "not to be allowed".to_owned(),
            Self::NothingAllowed { .. } => "silences nothing".to_owned(),
            Self::TooLarge { .. } => "more than its GPUs hold".to_owned(),
            Self::LittleRoom { .. } => "hardly fits".to_owned(),
            Self::NotEnoughGpus { .. } => "more than there is".to_owned(),
            Self::TooManyForNode { .. } => "more than a node has".to_owned(),
            Self::Unreachable { .. } => "on the internet".to_owned(),
            Self::NoBalancer => "who gives it an address?".to_owned(),
            Self::Preview { .. } => "a preview".to_owned(),
            Self::GroupOfNoTier { .. } => "in no tier".to_owned(),
        }
    }
}

/// Collects what is wrong while the readers go on.
#[derive(Debug)]
pub(crate) struct Problems {
    found: Vec<Found>,
    allowed: Vec<Allowed>,
    hidden: Vec<Place>,
    /// The directory that relative paths in a source start from.
    directories: Vec<PathBuf>,
    /// The name of each source, and where its lines end.
    lines: Vec<(String, Vec<usize>)>,
}

#[derive(Debug)]
struct Found {
    at: Place,
    problem: Problem,
    /// A second place that belongs to it, and what is there.
    beside: Option<(Place, &'static str)>,
}

impl Problems {
    pub(crate) fn new(sources: &Sources) -> Self {
        Self {
            found: Vec::new(),
            allowed: Vec::new(),
            hidden: Vec::new(),
            directories: sources.directories(),
            lines: sources.lines(),
        }
    }

    /// Returns the path that `path` means when it is written at `place`.
    pub(crate) fn resolve(&self, place: Place, path: &str) -> PathBuf {
        self.directories
            .get(place.source)
            .map_or_else(|| PathBuf::from(path), |directory| directory.join(path))
    }

    /// A file that is named at a place, beside the file that names it.
    pub(crate) fn file(&self, place: Place, named: &str) -> SecretFile {
        SecretFile::new(named, self.resolve(place, named))
    }

    /// Returns the file and the line of a place, for people: `stack.toml:12`.
    pub(crate) fn line_of(&self, place: Place) -> String {
        self.file_line(place).to_string()
    }

    /// Returns the file and the line of a place.
    pub(crate) fn file_line(&self, place: Place) -> FileLine {
        let (file, ends) = match self.lines.get(place.source) {
            Some((name, ends)) => (name.clone(), ends.as_slice()),
            None => (String::new(), &[][..]),
        };
        let line = 1 + ends.iter().take_while(|end| **end < place.start).count();
        FileLine { file, line }
    }

    /// Notes a problem; whether it is an error or a warning is the problem's.
    pub(crate) fn push(&mut self, at: Place, problem: Problem) {
        self.found.push(Found {
            at,
            problem,
            beside: None,
        });
    }

    /// Notes a problem that has two places.
    pub(crate) fn push_beside(&mut self, at: Place, problem: Problem, beside: Place, says: &'static str) {
        self.found.push(Found {
            at,
            problem,
            beside: Some((beside, says)),
        });
    }

    /// Notes what the stack says is meant so.
    pub(crate) fn allow(&mut self, allowed: Allowed) {
        self.allowed.push(allowed);
    }

    /// Takes out what is allowed, and tells of what was allowed for nothing.
    fn settle(&mut self) {
        let mut is_used = vec![false; self.allowed.len()];
        self.found.retain(|found| {
            let Some(code) = found.problem.code().map(|code| code.to_string()) else {
                return true;
            };
            let mut is_told = true;
            for (allowed, is_used) in self.allowed.iter().zip(&mut is_used) {
                if allowed.covers(&code, found.at) {
                    (*is_used, is_told) = (true, false);
                }
            }
            is_told
        });
        // Where something is wrong, not everything was looked at.
        if self.has_errors() {
            return;
        }
        for (allowed, is_used) in std::mem::take(&mut self.allowed).into_iter().zip(is_used) {
            if !is_used {
                self.push(allowed.at, Problem::NothingAllowed { code: allowed.code });
            }
        }
    }

    /// Keeps the text at a place out of every diagnostic.
    pub(crate) fn hide(&mut self, place: Place) {
        self.hidden.push(place);
    }

    /// Returns how many were noted, so that a reader knows whether its own part went well.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|found| !StackError::warns(&found.problem))
    }

    /// Makes diagnostics, in the order of their places.
    pub(crate) fn into_diagnostics(mut self, sources: &Sources) -> Diagnostics {
        self.settle();
        self.found.sort_by_key(|found| found.at);
        let texts = sources.masked(&self.hidden);
        let (warnings, errors) = self
            .found
            .into_iter()
            .map(|found| StackError::new(found.problem, found.at, found.beside, sources, &texts))
            .partition(StackError::is_warning);
        Diagnostics::new(errors, warnings)
    }
}
