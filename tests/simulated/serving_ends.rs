//! How a run on a platform with serving ends: the stacks, the platforms that were applied once, and what is told.
//!
//! The words of a test are written by hand, after the rows of `reference/serving.md` §5; each is asserted whole.

use crate::sandbox::{FAST, Ran, Sandbox};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{LazyLock, Mutex},
};

/// How long a wait may take that no symptom ends.
pub(crate) const LIMIT: &str = "40s";

/// The platform below MaaS and models.
pub(crate) const PLATFORM: &str = r#"
[stack]
name = "diagnoses"
[cluster]
platform  = "aws"
openshift = ">=4.20"
[tls]
issuer = "existing"
[[gpu]]
name  = "l40s"
tier  = "l40s"
size  = "g6e.2xlarge"
zones = ["a"]
[rhoai]
profile = "stable"
[monitoring]
enabled = true
[state]
backend = "local"
"#;

pub(crate) const MAAS: &str = "[maas]\nenabled = true\n";

/// A model on CPU behind MaaS, from this source.
pub(crate) fn model(name: &str, source: &str) -> String {
    format!(
        "[[models]]\nname = \"{name}\"\nmodel_name = \"org/{name}\"\nnamespace = \"llm-d-demo\"\nsource = \"{source}\"\n\
         gpus = 0\nhardware_profile = \"gpu-profile\"\nmaas = true\n"
    )
}

pub(crate) fn tier(name: &str, priority: usize, tokens: usize) -> String {
    format!(
        "[[maas.tiers]]\nname = \"{name}\"\npriority = {priority}\ngroups = [\"{name}-users\"]\n\
         limits = [{{ model = \"{name}\", tokens = {tokens}, window = \"5m\" }}]\n"
    )
}

/// A platform that was applied once, for copies.
pub(crate) struct Base(Mutex<Sandbox>);

impl Base {
    fn of(stack: &str) -> Self {
        let sandbox = Sandbox::new();
        sandbox.write(stack);
        sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
        Self(Mutex::new(sandbox))
    }

    /// A copy with another stack.
    pub(crate) fn copy(&self, stack: &str) -> Sandbox {
        let copied = Sandbox::new();
        let base = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        copy(&base.path().join(".stackctl"), &copied.path().join(".stackctl"));
        copied.write(stack);
        copied
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

pub(crate) static BELOW: LazyLock<Base> = LazyLock::new(|| Base::of(PLATFORM));
pub(crate) static WITH_MAAS: LazyLock<Base> = LazyLock::new(|| Base::of(&format!("{PLATFORM}{MAAS}")));

/// How one resource ends: address and what, the causes, and the hint.
pub(crate) type End = (&'static str, &'static [&'static str], &'static str);

pub(crate) fn apply(sandbox: &Sandbox, faults: &[&str], limit: Option<&str>) -> Ran {
    let mut arguments = vec!["apply", "stack.toml", "--yes", "--simulate", "--simulate-speed", FAST];
    for fault in faults {
        arguments.extend(["--fault", fault]);
    }
    if let Some(limit) = limit {
        arguments.extend(["--ready-timeout", limit]);
    }
    sandbox.run(&arguments)
}

/// An error as it is told: its first line, the causes below it, and the hint. Generated names of pods become a `*`.
fn told(ran: &Ran) -> Vec<(String, Vec<String>, String)> {
    let mut ends: Vec<(String, Vec<String>, String)> = Vec::new();
    for line in ran.stderr.lines() {
        if let Some(error) = line.strip_prefix("error: ") {
            ends.push((error.to_owned(), Vec::new(), String::new()));
        } else if let Some((_, causes, hint)) = ends.last_mut() {
            if let Some(text) = line.strip_prefix("hint: ") {
                hint.push_str(text);
            } else if let Some(cause) = line.strip_prefix("  ")
                && hint.is_empty()
            {
                causes.push(without_generated(cause));
            }
        }
    }
    ends
}

/// `Pod qwen3-8b-kserve-9x2vb-7gskc: 0/6 nodes …` as `Pod qwen3-8b-kserve-*: 0/* nodes …`.
fn without_generated(cause: &str) -> String {
    let Some((name, rest)) = cause.strip_prefix("Pod ").and_then(|cause| cause.split_once(": ")) else {
        return cause.to_owned();
    };
    let parts: Vec<_> = name.split('-').collect();
    let kept = parts.len().saturating_sub(2);
    let rest = match rest.split_once("0/").zip(rest.split_once(" nodes are")) {
        Some(((before, _), (_, after))) => format!("{before}0/* nodes are{after}"),
        None => rest.to_owned(),
    };
    format!("Pod {}-*: {rest}", parts[..kept].join("-"))
}

/// These resources fail with exactly these words, and no others do.
#[track_caller]
pub(crate) fn ends(ran: &Ran, expected: &[End]) {
    assert_eq!(ran.code, 1, "{}", ran.shown());
    let told = told(ran);
    for (what, causes, hint) in expected {
        let found = told.iter().find(|end| end.0 == *what);
        let (_, found_causes, found_hint) = found.unwrap_or_else(|| panic!("`{what}` is not told: {}", ran.shown()));
        // What it waited for may still have moved; what is known of it is told whole.
        for cause in *causes {
            let is_told = found_causes.iter().any(|found| found == cause);
            assert!(is_told, "{what}: `{cause}` is not among {found_causes:#?}");
        }
        assert_eq!(found_hint, hint, "{what}");
    }
    let all: BTreeSet<_> = told.iter().map(|end| end.0.as_str()).collect();
    let known: BTreeSet<_> = expected.iter().map(|end| end.0).collect();
    assert_eq!(all, known, "{}", ran.shown());
}

/// These resources are told as blocked by one that failed.
#[track_caller]
pub(crate) fn blocks(ran: &Ran, blocked: &[&str]) {
    for address in blocked {
        let is_told = |line: &str| line.starts_with("blocked: ") && line.contains(address);
        assert!(ran.stderr.lines().any(is_told), "`{address}`: {}", ran.shown());
    }
}

/// What is to be done, and again.
macro_rules! again {
    ($text:literal) => {
        concat!($text, "; then run the same command again")
    };
}
/// What is to be done, and longer.
macro_rules! longer {
    ($text:literal) => {
        concat!(
            $text,
            "; then run the same command again, or give it longer with `--ready-timeout`"
        )
    };
}

pub(crate) use {again, longer};
