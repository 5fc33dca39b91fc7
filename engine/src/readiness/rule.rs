//! The predicates over one object that readiness is made of.

use super::{Expression, Readiness};
use crate::FieldPath;
use serde_json::Value;

/// A predicate over one live object.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// It is in the cluster and not being deleted.
    Exists,
    /// `.status.conditions[type]` has this status, for the present generation where it says which.
    Condition {
        /// The condition's type, compared without regard to case (reference/serving.md §1.8: spelled both ways).
        kind: String,
        /// The status that is waited for, usually `True`.
        status: String,
    },
    /// A condition has one of these reasons.
    ConditionReason {
        /// The condition's type.
        kind: String,
        /// The reasons.
        reasons: Vec<String>,
    },
    /// A field matches.
    Field {
        /// Where.
        path: FieldPath,
        /// What it has to be.
        is: Matcher,
    },
    /// Its status is of its present generation, where it says of which it is (`.status.observedGeneration`).
    Observed,
    /// An expression in a language that is not the engine's holds.
    Expression(Expression),
    /// A Deployment, StatefulSet or DaemonSet has rolled out its present generation and every replica is available.
    RolledOut,
    /// A Pod's `Ready` condition is true.
    PodReady,
    /// A Pod has a container, one that runs before the others included, that is not ready and waits, or ended, for one of
    /// these reasons.
    ContainerStuck {
        /// The reasons, as Kubernetes spells them: `ImagePullBackOff`.
        reasons: Vec<String>,
    },
    /// All of them.
    All(Vec<Self>),
    /// At least one of them.
    Any(Vec<Self>),
    /// Not this one.
    Not(Box<Self>),
}

/// What a field has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Matcher {
    /// There, and not an empty text, list or map.
    NonEmpty,
    /// Equal to this.
    Equals(Value),
    /// One of these.
    OneOf(Vec<Value>),
    /// A number, or a quantity without a unit, of at least this.
    AtLeast(i64),
    /// A text that holds this text.
    ContainsText(String),
    /// A list with this item.
    Holds(Value),
    /// A list of texts, each of which starts with one of these.
    AllStartWith(Vec<String>),
}

impl Rule {
    /// `.status.conditions[kind]` is `True`.
    pub fn condition(kind: &str) -> Self {
        Self::Condition {
            kind: kind.to_owned(),
            status: "True".to_owned(),
        }
    }

    /// The field at a path (see [`FieldPath::of`]) equals a value.
    pub fn equals(path: &str, value: impl Into<Value>) -> Self {
        Self::Field {
            path: FieldPath::of(path),
            is: Matcher::Equals(value.into()),
        }
    }

    /// The field at a path is there and not empty.
    pub fn non_empty(path: &str) -> Self {
        Self::Field {
            path: FieldPath::of(path),
            is: Matcher::NonEmpty,
        }
    }

    /// A CustomResourceDefinition is served.
    pub fn established() -> Self {
        Self::condition("Established")
    }

    /// Evaluates the rule; `Failed` is never its answer, only ready or why not.
    pub fn evaluate(&self, object: &Value) -> Readiness {
        match self {
            Self::Exists => match object.pointer("/metadata/deletionTimestamp") {
                None => ready("is there"),
                Some(_) => not_yet("is being deleted"),
            },
            Self::Condition { kind, status } => condition(object, kind, status),
            Self::ConditionReason { kind, reasons } => match find_condition(object, kind) {
                Some(found) if reasons.iter().any(|reason| found["reason"] == reason.as_str()) => {
                    ready(&described(kind, found))
                }
                Some(found) => not_yet(&described(kind, found)),
                None => not_yet(&format!("has no condition {kind} yet")),
            },
            Self::Field { path, is } => field(object, path, is),
            Self::Observed => observed(object),
            Self::Expression(expression) => expression.evaluate(object),
            Self::RolledOut => rolled_out(object),
            Self::PodReady => condition(object, "Ready", "True"),
            Self::ContainerStuck { reasons } => container_stuck(object, reasons),
            Self::All(rules) => all(rules.iter().map(|rule| rule.evaluate(object))),
            Self::Any(rules) => any(rules.iter().map(|rule| rule.evaluate(object))),
            Self::Not(rule) => match rule.evaluate(object) {
                Readiness::Ready(why) => not_yet(&why),
                Readiness::Progressing(why) | Readiness::Failed(why) => Readiness::Ready(why),
            },
        }
    }

    /// Why it can never be judged, as far as this object shows it: the text of an expression in it is at fault.
    pub(super) fn fault(&self, object: &Value) -> Option<String> {
        match self {
            Self::Expression(expression) => expression.fault(object),
            Self::All(rules) | Self::Any(rules) => rules.iter().find_map(|rule| rule.fault(object)),
            Self::Not(rule) => rule.fault(object),
            Self::Exists
            | Self::Condition { .. }
            | Self::ConditionReason { .. }
            | Self::Field { .. }
            | Self::Observed
            | Self::RolledOut
            | Self::PodReady
            | Self::ContainerStuck { .. } => None,
        }
    }
}

/// Ready when all are; else the first that is not, and how many more.
fn all(verdicts: impl Iterator<Item = Readiness>) -> Readiness {
    let mut last = ready("");
    for verdict in verdicts {
        match verdict {
            Readiness::Ready(_) => last = verdict,
            other => return other,
        }
    }
    last
}

fn any(verdicts: impl Iterator<Item = Readiness>) -> Readiness {
    let mut why = Vec::new();
    for verdict in verdicts {
        match verdict {
            Readiness::Ready(_) => return verdict,
            Readiness::Progressing(reason) | Readiness::Failed(reason) => why.push(reason),
        }
    }
    not_yet(&why.join("; "))
}

fn find_condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object
        .pointer("/status/conditions")?
        .as_array()?
        .iter()
        .find(|condition| {
            condition["type"]
                .as_str()
                .is_some_and(|found| found.eq_ignore_ascii_case(kind))
        })
}

fn condition(object: &Value, kind: &str, status: &str) -> Readiness {
    let Some(found) = find_condition(object, kind) else {
        return not_yet(&format!("has no condition {kind} yet"));
    };
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
    let observed = found["observedGeneration"]
        .as_i64()
        .or_else(|| object.pointer("/status/observedGeneration").and_then(Value::as_i64));
    if let (Some(generation), Some(observed)) = (generation, observed)
        && observed < generation
    {
        return not_yet(&format!(
            "{kind} speaks of generation {observed}, not yet of {generation}"
        ));
    }
    let said = described(kind, found);
    if found["status"] == status {
        Readiness::Ready(said)
    } else {
        Readiness::Progressing(said)
    }
}

/// `Ready=False, MissingDependency: the words of the controller`.
fn described(kind: &str, condition: &Value) -> String {
    let mut said = format!("{kind}={}", condition["status"].as_str().unwrap_or("?"));
    if let Some(reason) = condition["reason"].as_str().filter(|reason| !reason.is_empty()) {
        said = format!("{said}, {reason}");
    }
    match condition["message"].as_str().filter(|message| !message.is_empty()) {
        Some(message) => format!("{said}: {message}"),
        None => said,
    }
}

fn field(object: &Value, path: &FieldPath, is: &Matcher) -> Readiness {
    let shown = path.to_string();
    let Some(found) = path.get(object) else {
        return not_yet(&format!("{shown} is not there yet"));
    };
    // No verdict quotes what a Secret holds.
    let secret = object["kind"] == "Secret" && FieldPath::of("data").contains(path);
    let said = match found {
        Value::String(text) if secret && text.trim().is_empty() => format!("{shown} is empty"),
        _ if secret => format!("{shown} is there"),
        // A phase is one word: what the controller says beside it comes along.
        Value::String(text) if shown == ".status.phase" => format!("{shown} is {text}{}", beside_phase(object)),
        Value::String(text) => format!("{shown} is {text}"),
        Value::Array(items) => match items.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
            Some(texts) if !texts.is_empty() => format!("{shown} is {}", texts.join(", ")),
            _ => format!("{shown} is there"),
        },
        Value::Object(_) => format!("{shown} is there"),
        other => format!("{shown} is {other}"),
    };
    let matches = match is {
        Matcher::NonEmpty => match found {
            Value::String(text) => !text.trim().is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(map) => !map.is_empty(),
            Value::Null => false,
            _ => true,
        },
        Matcher::Equals(value) => found == value,
        Matcher::OneOf(values) => values.contains(found),
        Matcher::AtLeast(least) => found
            .as_i64()
            .or_else(|| found.as_str().and_then(|text| text.parse().ok()))
            .is_some_and(|n: i64| n >= *least),
        Matcher::ContainsText(text) => found.as_str().is_some_and(|found| found.contains(text)),
        Matcher::Holds(item) => found.as_array().is_some_and(|items| items.contains(item)),
        Matcher::AllStartWith(starts) => found.as_array().is_some_and(|items| {
            let begins = |text: &str| starts.iter().any(|start| text.starts_with(start.as_str()));
            items.iter().all(|item| item.as_str().is_some_and(begins))
        }),
    };
    if matches {
        Readiness::Ready(said)
    } else {
        Readiness::Progressing(said)
    }
}

/// Judges by the states of containers
/// (<https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states>).
fn container_stuck(object: &Value, reasons: &[String]) -> Readiness {
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"]
        .into_iter()
        .filter_map(|list| object.pointer(list)?.as_array())
        .flatten();
    let mut stuck = statuses.filter(|status| status["ready"] != true).filter_map(|status| {
        let states = ["/state/waiting", "/state/terminated", "/lastState/terminated"];
        let mut states = states.into_iter().filter_map(|state| status.pointer(state));
        let is_one = |state: &&Value| reasons.iter().any(|reason| state["reason"] == reason.as_str());
        states.find(is_one).map(|state| last_words(status, state))
    });
    stuck
        .next()
        .map_or_else(|| not_yet("no container is stuck"), |said| ready(&said))
}

/// `container main: CrashLoopBackOff: back-off …; it ended with code 137, OOMKilled: its last line`.
fn last_words(status: &Value, state: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::trim).unwrap_or_default().to_owned();
    let mut said = format!("container {}", text(&status["name"]));
    let ended = ["/state/terminated", "/lastState/terminated"]
        .into_iter()
        .find_map(|state| status.pointer(state));
    if state.get("exitCode").is_none() {
        said = format!("{said}: {}", text(&state["reason"]));
        // The words of a back-off say nothing that is not in those of the end itself.
        if ended.is_none() && !text(&state["message"]).is_empty() {
            said = format!("{said}: {}", text(&state["message"]));
        }
    }
    let Some(ended) = ended else { return said };
    said = format!(
        "{said}: it ended with code {}",
        ended["exitCode"].as_i64().unwrap_or_default()
    );
    if !text(&ended["reason"]).is_empty() {
        said = format!("{said}, {}", text(&ended["reason"]));
    }
    match text(&ended["message"]).lines().last().map(str::trim) {
        Some(line) if !line.is_empty() => format!("{said}: {line}"),
        _ => said,
    }
}

/// Why an object is in its phase: `, Reason: message`, under the names that OLM and the machine API use.
fn beside_phase(object: &Value) -> String {
    let text = |names: [&str; 2]| {
        let texts = names.iter().filter_map(|name| object["status"][*name].as_str());
        texts.map(str::trim).find(|text| !text.is_empty())
    };
    let reason = text(["errorReason", "reason"]).map(|reason| format!(", {reason}"));
    let message = text(["errorMessage", "message"]).map(|message| format!(": {message}"));
    reason.unwrap_or_default() + &message.unwrap_or_default()
}

/// As `kubectl wait` and kstatus judge: a status of an older generation says nothing
/// (<https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties>).
fn observed(object: &Value) -> Readiness {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    match (number("/metadata/generation"), number("/status/observedGeneration")) {
        (Some(generation), Some(observed)) if observed < generation => not_yet(&format!(
            "its status speaks of generation {observed}, not yet of {generation}"
        )),
        _ => ready("its status is of the present generation"),
    }
}

/// As `kubectl rollout status` judges: the controller has seen the generation, and no replica is old or missing.
fn rolled_out(object: &Value) -> Readiness {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    let generation = number("/metadata/generation").unwrap_or(0);
    if number("/status/observedGeneration").unwrap_or(-1) < generation {
        return not_yet("its controller has not seen the present generation yet");
    }
    if object["kind"] == "DaemonSet" {
        let wanted = number("/status/desiredNumberScheduled").unwrap_or(0);
        let there = number("/status/numberAvailable")
            .unwrap_or(0)
            .min(number("/status/updatedNumberScheduled").unwrap_or(0));
        return counted(there, wanted);
    }
    let wanted = number("/spec/replicas").unwrap_or(1);
    let updated = number("/status/updatedReplicas").unwrap_or(0);
    let available = number("/status/availableReplicas").unwrap_or(0);
    let total = number("/status/replicas").unwrap_or(0);
    let so_far = if total > updated {
        not_yet(&format!("{} old replicas are still there", total - updated))
    } else {
        counted(updated.min(available), wanted)
    };
    match (so_far, refused_pods(object)) {
        (Readiness::Progressing(why), Some(refused)) => Readiness::Progressing(format!("{why}, {refused}")),
        (so_far, _) => so_far,
    }
}

/// Why no pods are made, in the words of the controller: quotas, PodSecurity and webhooks that refuse them
/// (apps/v1 `DeploymentCondition`, `ReplicaSetCondition`: `ReplicaFailure`).
fn refused_pods(object: &Value) -> Option<String> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let failure = conditions
        .iter()
        .find(|one| one["type"] == "ReplicaFailure" && one["status"] == "True")?;
    Some(format!(
        "{}: {}",
        failure["reason"].as_str().unwrap_or("ReplicaFailure"),
        failure["message"].as_str().unwrap_or_default()
    ))
}

fn counted(there: i64, wanted: i64) -> Readiness {
    let said = format!("{there} of {wanted} replicas are available");
    if there >= wanted {
        Readiness::Ready(said)
    } else {
        Readiness::Progressing(said)
    }
}

fn ready(why: &str) -> Readiness {
    Readiness::Ready(why.to_owned())
}

fn not_yet(why: &str) -> Readiness {
    Readiness::Progressing(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_status_is_not_ready() {
        let object = json!({"metadata": {"generation": 1}});
        assert_eq!(
            Rule::condition("Ready").evaluate(&object).why(),
            "has no condition Ready yet"
        );
        assert!(!Rule::RolledOut.evaluate(&object).is_ready());
    }

    #[test]
    fn a_condition_of_an_older_generation_says_nothing() {
        let object = json!({"metadata": {"generation": 2}, "status": {"conditions": [
            {"type": "Ready", "status": "True", "observedGeneration": 1}]}});
        assert_eq!(
            Rule::condition("Ready").evaluate(&object).why(),
            "Ready speaks of generation 1, not yet of 2"
        );
    }

    #[test]
    fn a_status_of_an_older_generation_is_none_and_one_without_a_generation_is_taken() {
        let verdict = |observed: Value| {
            let object = json!({"metadata": {"generation": 2}, "status": observed});
            Rule::Observed.evaluate(&object)
        };
        assert_eq!(
            verdict(json!({"observedGeneration": 1})).why(),
            "its status speaks of generation 1, not yet of 2"
        );
        assert!(verdict(json!({"observedGeneration": 2})).is_ready());
        assert!(verdict(json!({"phase": "Active"})).is_ready());
    }

    #[test]
    fn the_controllers_words_are_passed_on() {
        let object = json!({"status": {"conditions": [
            {"type": "Ready", "status": "False", "reason": "MissingDependency", "message": "no provider"}]}});
        assert_eq!(
            Rule::condition("ready").evaluate(&object).why(),
            "ready=False, MissingDependency: no provider"
        );
    }

    #[test]
    fn a_secrets_value_is_never_quoted() {
        let secret = json!({"kind": "Secret", "data": {"token": "c2Vrcml0", "other": ""}});
        let why = |key: &str| {
            Rule::non_empty(&format!("data.{key}"))
                .evaluate(&secret)
                .why()
                .to_owned()
        };
        assert_eq!(why("token"), ".data.token is there");
        assert_eq!(why("other"), ".data.other is empty");
        assert_eq!(why("tokken"), ".data.tokken is not there yet");
        let other = Rule::equals("data.token", "x").evaluate(&secret);
        assert!(
            !other.is_ready() && !other.why().contains("c2Vrcml0"),
            "{}",
            other.why()
        );
    }

    #[test]
    fn a_container_that_is_stuck_says_why_and_its_last_words() {
        let pod = |states: Value| json!({"kind": "Pod", "status": {"containerStatuses": [states]}});
        let said = |states: Value, reasons: &[&str]| {
            let reasons = reasons.iter().map(|&reason| reason.to_owned()).collect();
            Rule::ContainerStuck { reasons }.evaluate(&pod(states))
        };
        let pulling = json!({"name": "modelcar", "ready": false, "state": {"waiting": {
            "reason": "ImagePullBackOff", "message": "Back-off pulling image \"r/m:1\""}}});
        assert_eq!(
            said(pulling.clone(), &["ImagePullBackOff"]),
            ready("container modelcar: ImagePullBackOff: Back-off pulling image \"r/m:1\"")
        );
        assert!(!said(pulling, &["CrashLoopBackOff"]).is_ready());
        let crashed = json!({"name": "main", "ready": false,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "first\nlast\n"}}});
        assert_eq!(
            said(crashed.clone(), &["CrashLoopBackOff"]),
            ready("container main: CrashLoopBackOff: it ended with code 137, OOMKilled: last")
        );
        assert_eq!(
            said(crashed, &["OOMKilled"]),
            ready("container main: it ended with code 137, OOMKilled: last")
        );
        // Ready again: what was before does not count.
        let mended = json!({"name": "main", "ready": true, "state": {"running": {}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}});
        assert!(!said(mended, &["Error"]).is_ready());
    }

    #[test]
    fn quantities_count_as_numbers() {
        let node = json!({"status": {"capacity": {"nvidia.com/gpu": "4"}}});
        let rule = Rule::Field {
            path: FieldPath::of(r#"status.capacity["nvidia.com/gpu"]"#),
            is: Matcher::AtLeast(1),
        };
        assert!(rule.evaluate(&node).is_ready());
    }

    #[test]
    fn a_list_is_judged_by_its_items_and_shown() {
        let plan = json!({"spec": {"names": ["a.v1", "b.v2"]}});
        let list = |is: Matcher| {
            let path = FieldPath::of("spec.names");
            Rule::Field { path, is }.evaluate(&plan)
        };
        let starts = |texts: &[&str]| Matcher::AllStartWith(texts.iter().map(|&text| text.to_owned()).collect());
        assert_eq!(list(Matcher::Holds("a.v1".into())), ready(".spec.names is a.v1, b.v2"));
        assert!(!list(Matcher::Holds("a.v".into())).is_ready());
        assert!(list(starts(&["a.", "b."])).is_ready());
        assert!(!list(starts(&["a."])).is_ready());
    }

    #[test]
    fn a_phase_says_what_the_controller_says_beside_it() {
        let failed = Rule::equals("status.phase", "Failed");
        let said = |status: Value| failed.evaluate(&json!({"status": status})).why().to_owned();
        assert_eq!(
            said(json!({"phase": "Failed", "reason": "InstallCheckFailed", "message": "install timeout"})),
            ".status.phase is Failed, InstallCheckFailed: install timeout"
        );
        assert_eq!(
            said(json!({"phase": "Failed", "errorReason": "InvalidConfiguration", "errorMessage": "no such subnet"})),
            ".status.phase is Failed, InvalidConfiguration: no such subnet"
        );
        assert_eq!(said(json!({"phase": "Failed"})), ".status.phase is Failed");
    }

    #[test]
    fn a_rollout_whose_pods_are_refused_says_so_in_the_words_of_its_controller() {
        let of = |status: &str| {
            let conditions = json!([{"type": "Progressing", "status": "True"}, {"type": "ReplicaFailure", "status": status,
                "reason": "FailedCreate", "message": "pods \"web-1\" is forbidden: exceeded quota: small"}]);
            let object = json!({"metadata": {"generation": 1}, "spec": {"replicas": 2}, "status":
                {"observedGeneration": 1, "conditions": conditions}});
            Rule::RolledOut.evaluate(&object).why().to_owned()
        };
        assert_eq!(
            of("True"),
            "0 of 2 replicas are available, FailedCreate: pods \"web-1\" is forbidden: exceeded quota: small"
        );
        assert_eq!(of("False"), "0 of 2 replicas are available");
    }

    #[test]
    fn a_rollout_waits_for_old_replicas_to_go() {
        let object = json!({"metadata": {"generation": 1}, "spec": {"replicas": 1}, "status":
            {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 2}});
        assert_eq!(
            Rule::RolledOut.evaluate(&object).why(),
            "1 old replicas are still there"
        );
    }
}
